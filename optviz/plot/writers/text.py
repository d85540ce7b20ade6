"""Figures as numbers: every point as CSV, and curves and matrices as a table to read."""

from functools import singledispatch

import numpy as np

from optviz.plot.figure import Figure
from optviz.plot.marks import (
    Band,
    Bars,
    Contour,
    Dots,
    Dots3D,
    Heatmap,
    Line,
    Line3D,
    Mark,
    Rule,
    Surface,
    Text,
)
from optviz.plot.table import Column, Table, csv_text

MAX_ROWS = 50  # of a table to read
COLUMNS = ("x", "y", "low", "high", "z", "value", "text")  # what a point can have


def to_csv(figure: Figure) -> str:
    """Every point of every mark with the name of its series, in full precision.

    Columns are series and mark, the panel where there are several, and of COLUMNS those that any
    mark has; x and y are called as the first panel's axes. Marks that repeat others are left out.
    """
    frames = figure.frames
    found = [
        (panel.title or str(i + 1), mark, points)
        for i, panel in enumerate(frames)
        for mark in panel.marks
        if not mark.decoration and (points := columns(mark))
    ]
    used = [c for c in COLUMNS if any(c in points for _, _, points in found)]
    titles = {c: getattr(frames[0], c).heading for c in "xy"}
    several = len(frames) > 1
    header = ["series", "mark", *(titles.get(c) or c for c in used)]
    rows = []
    for title, mark, points in found:
        start = [title] * several + [mark.name or mark.uid, type(mark).__name__.lower()]
        n = len(next(iter(points.values())))
        rows += [[*start, *(points[c][k] if c in points else None for c in used)] for k in range(n)]
    return csv_text(["panel"] * several + header, rows)


@singledispatch
def columns(mark: Mark) -> dict[str, list]:
    """A mark's points: for each of COLUMNS that it has, a list as long as the others."""
    raise TypeError(f"no numbers in {type(mark).__name__}")


def _listed(array):
    return np.asarray(array).tolist()


def _xy(mark):
    return {"x": _listed(mark.x), "y": _listed(mark.y)}


@columns.register
def _(mark: Line):
    low, high = mark.ends or (None, None)
    ends = {} if low is None else {"low": _listed(low), "high": _listed(high)}
    return _xy(mark) | ends


@columns.register(Bars)
def _(mark):
    return _xy(mark)


@columns.register
def _(mark: Dots):
    shade = {} if mark.shade is None else {"value": _listed(mark.shade)}
    return _xy(mark) | shade | ({} if mark.text is None else {"text": list(mark.text)})


@columns.register
def _(mark: Text):
    return _xy(mark) | {"text": list(mark.text)}


@columns.register
def _(mark: Band):
    return {"x": _listed(mark.x), "low": _listed(mark.low), "high": _listed(mark.high)}


@columns.register
def _(mark: Rule):
    return {"x": [mark.x], "y": [mark.y]}


@columns.register(Heatmap)
@columns.register(Contour)
@columns.register(Surface)
def _(mark):
    z = np.asarray(mark.z)
    rows, across = z.shape
    x = _listed(range(across) if mark.x is None else mark.x)
    y = _listed(range(rows) if mark.y is None else mark.y)
    return {"x": x * rows, "y": [v for v in y for _ in range(across)], "value": z.ravel().tolist()}


@columns.register(Line3D)
@columns.register(Dots3D)
def _(mark):
    return _xy(mark) | {"z": _listed(mark.z)}


def to_table(figure: Figure) -> Table | None:
    """A matrix as it is; curves and bars as a column each over x, of at most MAX_ROWS rows.

    None where a figure is neither, such as a map with paths on it, or clouds of points.
    """
    frames = figure.frames
    marks = [(p, m) for p in frames for m in p.marks if not m.decoration]
    if matrices := [m for _, m in marks if isinstance(m, Heatmap)]:
        return _matrix(figure, matrices[0]) if len(matrices) == 1 else None
    curves = [(p, m) for p, m in marks if isinstance(m, Line | Bars) and m.name]
    if not curves or any(isinstance(m, Contour | Surface) for _, m in marks):
        return None
    places = list(dict.fromkeys(x for _, m in curves for x in _listed(m.x)))
    places = places if any(isinstance(x, str) for x in places) else sorted(places)
    shown = np.unique(np.linspace(0, len(places) - 1, min(len(places), MAX_ROWS)).astype(int))
    heads = [_column(p, m, frames) for p, m in curves]
    found = [dict(zip(*_xy(mark).values(), strict=True)) for _, mark in curves]
    rows = [[places[k], *(values.get(places[k]) for values in found)] for k in shown]
    return Table(figure.label, [Column(frames[0].x.heading or "x"), *heads], rows)


def _column(panel, mark, frames):
    share = (panel.y or frames[0].y).format.endswith("%")
    titled = panel.title and len(frames) > 1
    return Column(f"{panel.title}, {mark.name}" if titled else mark.name, percent=share)


def _matrix(figure, mark):
    z = np.asarray(mark.z)
    if max(z.shape) > MAX_ROWS:
        return None
    names = [
        [str(v) for v in (range(n) if places is None else _listed(places))]
        for places, n in ((mark.y, z.shape[0]), (mark.x, z.shape[1]))
    ]
    axes = figure.frames[0]
    corner = " / ".join(filter(None, (axes.y.heading, axes.x.heading)))
    rows = [[name, *row] for name, row in zip(names[0], z.tolist(), strict=True)]
    return Table(figure.label, [corner, *names[1]], rows)
