"""Histograms: ranges that fit, shares, and the grid with a column for every layer."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optviz.plot import HistogramRow, histogram, histogram_grid, histogram_range, to_plotly

FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def test_ranges_that_fit():
    a = np.array([-0.5, 0.25, np.nan, np.inf])
    assert histogram_range(a) == (-0.5, 0.25)
    assert histogram_range(a, (-1.0, 1.0)) == (-1.0, 1.0)
    assert histogram_range(np.abs(a), (0.0, None)) == (0.0, 0.5)
    assert histogram_range(np.zeros(3), (0.0, None)) == (-0.5, 0.5)
    assert histogram_range(np.full(3, 4.0)) == (2.0, 6.0)
    assert histogram_range(np.full(3, np.nan)) == (0.0, 1.0)
    shares, edges = histogram(a, (-1, 1), 4)
    assert shares.tolist() == [0, 0.25, 0.25, 0]
    assert edges.tolist() == [-1, -0.5, 0, 0.5, 1]


@given(st.lists(FLOATS.filter(lambda v: not abs(v) > 1e150 or np.isinf(v)), min_size=1))
def test_every_finite_value_is_in_a_bin(values):
    values = np.array(values)
    span = histogram_range(values)
    shares, edges = histogram(values, span)
    counts, same = np.histogram(values[np.isfinite(values)], len(shares), span)
    assert (np.diff(edges) > 0).all()
    assert edges.tolist() == same.tolist()
    assert (shares * len(values)).round().tolist() == counts.tolist()
    assert shares.sum() == pytest.approx(np.isfinite(values).mean())


def test_a_grid_has_a_panel_for_each_array_and_may_share_a_range():
    rows = [
        HistogramRow("forward", "#000000", [np.arange(3.0), np.arange(9.0)], (0.0, None)),
        HistogramRow("backward", "#ffffff", [np.full(3, np.nan), np.zeros(2)]),
    ]
    figure = to_plotly(histogram_grid(rows, ["layer 1", "layer 2"], label="two layers"))
    json.dumps(figure)
    assert [t["uid"] for t in figure["data"]] == ["0-0", "0-1", "1-0", "1-1"]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["layer 1", "layer 2"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "forward"
    assert figure["layout"]["xaxis"]["range"] == [0, 2]
    shared = to_plotly(histogram_grid(rows, ["layer 1", "layer 2"], shared=True))["layout"]
    assert shared["xaxis"]["range"] == shared["xaxis2"]["range"] == [0, 8]
    assert shared["yaxis2"]["showticklabels"] is False
