"""What is sent of a picture that grows: merged into the one before, it is the next one."""

import json

import numpy as np
import pytest

from optviz.plot import LIGHT, Axis, Figure, curve_with_band, style, to_plotly
from optviz.plot.writers.changes import changes


def figure(n, top=2.5, seeds=1, name="SGD"):
    """A loss curve of n iterations, smoothed over its neighbors as on the pages."""
    values = np.exp(-np.arange(n) / 50)[:, None] * np.linspace(1, 1.2, seeds)
    smooth = (values + np.vstack([values[1:], values[-1:]])) / 2
    marks = curve_with_band(
        np.arange(n), smooth, style(0, LIGHT), name=name, uid=name, raw=values[:, 0]
    )
    return to_plotly(Figure(marks, y=Axis(limits=(0, top))))


def merged(before, news):
    """As the browser does it."""

    def grown(old, now):
        if not (isinstance(now, dict) and "same" in now):
            return now
        return {"dtype": now["dtype"], "bdata": old["bdata"][: now["same"]] + now["bdata"]}

    data = [
        {**old, **{k: grown(old.get(k), v) for k, v in new.items()}}
        for old, new in zip(before["data"], news["data"], strict=True)
    ]
    layout = {**before["layout"], **news.get("layout", {})}
    return {**before, **news, "data": data, "layout": layout}


CASES = [
    (figure(300), figure(310)),
    (figure(300), figure(301, top=1.5)),
    (figure(310), figure(20)),
    (figure(50), figure(50)),
    (figure(50, seeds=3), figure(51, seeds=3)),
    (figure(1), figure(2)),
]


@pytest.mark.parametrize(("before", "now"), CASES)
def test_changes_lead_from_one_figure_to_the_next(before, now):
    assert merged(before, changes(before, now)) == now


def test_only_new_points_are_sent():
    """2 lines × 2 coordinates × 10 points × 8 bytes in base64, and the one that smoothing moved."""
    news = changes(figure(3000), figure(3010))
    assert len(json.dumps(news)) < 2 * 2 * 11 * 8 * 4 / 3 + 4 * 50
    assert changes(figure(50), figure(50)) == {"data": [{}, {}]}


def test_another_line_is_another_figure():
    assert changes(figure(50), figure(50, name="Adam")) is None
    assert changes(figure(50), figure(50, seeds=3)) is None
