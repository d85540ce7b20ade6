"""Histograms: of one array, and of many in a grid, a column for each layer of a network."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optviz.plot.figure import Axis, Figure, Panel, grid, percent
from optviz.plot.series import histogram_bars

BINS = 30


class HistogramRow(NamedTuple):
    """What a row of histograms shows: the numbers of every column, within `limits` if any."""

    title: str
    color: str
    values: Sequence[np.ndarray]
    limits: tuple[float | None, float | None] = (None, None)


def histogram_range(values, limits=(None, None)) -> tuple[float, float]:
    """A range for the histogram of `values`: the limits where there are any, else least to largest.

    Never empty, and never so narrow that its bins would fall together.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (
        float(end(finite)) if limit is None else limit
        for end, limit in zip((np.min, np.max), limits, strict=True)
    )
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or size == 0:
        margin = 0.5 * size or 0.5
        return low - margin, high + margin
    return low, high


def histogram(values, span: tuple[float, float], bins: int = BINS) -> tuple[np.ndarray, np.ndarray]:
    """The share of the values in each bin `(bins,)`, and the bins' edges `(bins + 1,)`.

    Values that are not finite are in no bin.
    """
    finite = values[np.isfinite(values)]
    edges = np.histogram_bin_edges(finite, bins, span)
    counts, _ = np.histogram(finite, edges)  # sorts: three times as fast as bins of one width
    return counts / max(values.size, 1), edges


def histogram_grid(
    rows: Sequence[HistogramRow], columns: Sequence[str], shared: bool = False, **figure
) -> Figure:
    """A panel for each array, with a range that fits its numbers; with `shared` one per row."""
    panels, n = [], len(columns)
    for k, (title, color, values, limits) in enumerate(rows):
        spans = [histogram_range(v, limits) for v in values]
        if shared:
            spans = [histogram_range(np.concatenate([v.ravel() for v in values]), limits)] * n
        histograms = [histogram(v, span) for v, span in zip(values, spans, strict=True)]
        tallest = max(float(shares.max()) for shares, _edges in histograms)
        y = percent(title, (0, 1.06 * tallest or 1.0), ticks=4)
        for i, (name, (shares, edges)) in enumerate(zip(columns, histograms, strict=True)):
            labels = {"name": name, "uid": f"{k}-{i}", "hover": "{x:.3g}: {y:.1%}"}
            bars = histogram_bars(edges, shares, color, **labels)
            x = Axis(limits=spans[i], ticks=4 if n < 7 else 3, powers=True, grid=False)
            panels.append(Panel([bars], x, y, title="" if k else name))
    gap = (0.25 / max(n, 2), 0.12)
    layout = {"margin": {"l": 48, "r": 8, "t": 24, "b": 34}, "legend": "", "view": f"{n}"}
    return grid(panels, n, gap, share_y=True, **{**layout, **figure})
