"""The contour and the paths on it, as two layers: the lower changes only with the function."""

from dataclasses import dataclass

import numpy as np

from optviz.experiments.trajectories.spec import Landscape
from optviz.functions.library import Function
from optviz.plot.style import (
    Style,
    Theme,
    number,
    packed,
    packed_grid,
)

LEVELS = 22
MARKS = 28  # at most so many points of a path carry a mark
MARGIN = {"l": 46, "r": 64, "t": 30, "b": 40}
FAR = 1e4  # in widths of the domain: farther points are drawn here, in the same direction


@dataclass(frozen=True, eq=False)
class Heights:
    """How high a value is drawn: as it is, or by the logarithm of its height above the lowest."""

    log: bool
    base: float
    offset: float  # keeps the logarithm finite at the bottom
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def of(cls, land: Landscape, log: bool | None = None) -> "Heights":
        """For a landscape; `log` None follows the data."""
        log = land.log if log is None else log
        known = land.z[np.isfinite(land.z)]
        if not known.size:
            return cls(log, 0.0, 1.0)
        base = float(known.min())
        offset = max(float(np.quantile(known - base, 0.01)), 1e-12) if log else 1.0
        ends = cls(log, base, offset).up(np.array([base, known.max()]))
        return cls(log, base, offset, *(float(e) for e in ends))

    def up(self, z):
        """From values to heights; what lies below the lowest of the landscape is drawn at its level."""
        return np.log10(np.maximum(z - self.base, 0) + self.offset) if self.log else z

    def back(self, height):
        """From heights to values."""
        return self.base + 10.0**height - self.offset if self.log else height


def landscape_layer(f: Function, land: Landscape, theme: Theme, log: bool | None = None, field: bool = False) -> dict:
    """The function as filled contour lines, evenly spaced in value or in its logarithm.

    `log` None follows the data. `field` adds arrows against the gradient.
    """
    heights = Heights.of(land, log)
    z, low, high = heights.up(land.z), heights.low, heights.high
    step = (high - low) / LEVELS or 1.0
    ticks = np.linspace(low, high, 6)
    contour = {
        "type": "contour", "x": packed(land.x), "y": packed(land.y), "z": packed_grid(z),
        "colorscale": [[0, theme.low], [1, theme.high]], "hoverinfo": "skip", "connectgaps": False,
        "autocontour": False, "contours": {"start": low + step / 2, "end": high, "size": step, "coloring": "fill"},
        "line": {"color": theme.level, "width": 0.8},
        "colorbar": {
            "thickness": 8, "outlinewidth": 0, "x": 1.01, "xpad": 0, "ypad": 0, "len": 1,
            "tickvals": ticks.tolist(), "ticktext": [number(heights.back(t), 3) for t in ticks],
            "tickfont": {"size": 11, "color": theme.faint},
            "title": {"text": "f", "font": {"size": 12, "color": theme.faint}},
        },
    }  # fmt: skip
    return {"data": [contour, *([_field(f, theme)] if field else [])], "layout": {}}


def _field(f, theme, across=18, up=13):
    """Arrows against the gradient, the way plain descent goes; longer where steeper, on a log scale."""
    (x0, x1), (y0, y1) = f.domain
    size = np.array([(x1 - x0) / across, (y1 - y0) / up])
    x = np.linspace(x0, x1, across, endpoint=False) + size[0] / 2
    y = np.linspace(y0, y1, up, endpoint=False) + size[1] / 2
    at = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    down = -f.grad(at)
    steep = np.sqrt((down**2).sum(-1, keepdims=True))
    known = np.isfinite(steep[:, 0]) & (steep[:, 0] > 0)
    at, down, steep = at[known], down[known], steep[known]
    if not len(at):
        return {"type": "scatter", "x": [], "y": []}
    rank = np.log(steep) - np.log(steep).min()
    length = 0.35 + 0.6 * rank / (rank.max() or 1)
    on_paper = down / size  # equal lengths on the page, whatever the axes' units
    unit = on_paper / np.sqrt((on_paper**2).sum(-1, keepdims=True))
    side = np.stack([-unit[:, 1], unit[:, 0]], -1)
    tip, tail = unit * length / 2, -unit * length / 2
    barbs = [tip - 0.22 * length * (unit + s * 0.6 * side) for s in (1, -1)]
    gap = np.full_like(at, np.nan)
    parts = [at + tail * size, at + tip * size, at + barbs[0] * size, at + tip * size, at + barbs[1] * size, gap]
    line = np.stack(parts, 1).reshape(-1, 2)
    return {
        "type": "scatter", "mode": "lines", "x": packed(line[:, 0]), "y": packed(line[:, 1]), "hoverinfo": "skip",
        "line": {"color": theme.faint, "width": 1, "simplify": False}, "opacity": 0.75, "showlegend": False,
    }  # fmt: skip


def paths_layer(f: Function, start, tracks, known, theme: Theme, fans=None) -> dict:
    """Start, known minima and the path of every optimizer with its current point, over the contour.

    `tracks` is a list of `(id, name, points (steps+1, 2), values (steps+1,), Style)`; `fans` holds, by
    id, the paths of an optimizer from further starts, `(steps+1, k, 2)`.
    """
    data = []
    if len(known):
        data.append(
            {
                "type": "scatter", "mode": "markers", "x": packed(known[:, 0]), "y": packed(known[:, 1]),
                "name": "minimum", "uid": "minima", "hovertemplate": "minimum (%{x:.6g}, %{y:.6g})<extra></extra>",
                "marker": {"symbol": "star", "size": 13, "color": theme.minimum, "line": {"width": 1, "color": theme.high}},
            }
        )  # fmt: skip
    for id, name, points, values, look in tracks:
        if fans and id in fans:
            data += _multistart(f, id, name, fans[id], look)
        data += _track(f, id, name, points, values, look, theme)
    data.append(
        {
            "type": "scatter", "mode": "markers", "x": [start[0]], "y": [start[1]], "name": "start", "uid": "start",
            "hovertemplate": "start (%{x:.6g}, %{y:.6g})<extra></extra>",
            "marker": {"symbol": "circle-open-dot", "size": 13, "color": theme.ink, "line": {"width": 2}},
        }
    )  # fmt: skip
    (x0, x1), (y0, y1) = f.domain
    axis = {"zeroline": False, "showgrid": False, "ticks": "outside", "ticklen": 4}
    layout = {
        "margin": MARGIN, "hovermode": "closest", "dragmode": "pan",
        "xaxis": {**axis, "range": [x0, x1], "title": {"text": "x", "standoff": 4}},
        "yaxis": {**axis, "range": [y0, y1], "title": {"text": "y", "standoff": 2}},
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def guess(at, theme: Theme) -> dict:
    """Where a person thinks that a path will end."""
    return {
        "type": "scatter", "mode": "markers+text", "x": [at[0]], "y": [at[1]], "name": "your guess", "uid": "guess",
        "text": ["your guess"], "textposition": "top center", "textfont": {"size": 14, "color": theme.ink},
        "hovertemplate": "your guess (%{x:.4g}, %{y:.4g})<extra></extra>",
        "marker": {"symbol": "x-thin-open", "size": 16, "color": theme.ink, "line": {"width": 4, "color": theme.ink}},
    }  # fmt: skip


def _track(f, id, name, points, values, look: Style, theme):
    """The line, and a trace of marks: some of its points, the current one, where it leaves the frame.

    Apart, because a host that moves drawn things needs to know which mark is which.
    """
    drawn = _within_reach(f, points)
    known = np.flatnonzero(np.isfinite(points).all(-1))
    some = [*range(0, known[-1], -(-len(points) // MARKS)), known[-1]] if len(known) else []
    path = {
        "type": "scatter", "mode": "lines", "name": name, "uid": id, "legendgroup": id, "meta": {"trail": True},
        "x": packed(drawn[:, 0]), "y": packed(drawn[:, 1]), "customdata": packed(values),
        "hovertemplate": "%{fullData.name}, step %{pointNumber}<br>(%{x:.5g}, %{y:.5g})<br>f = %{customdata:.5g}<extra></extra>",
        "line": {"color": look.color, "dash": look.dash, "width": 2.4, "simplify": False},
    }  # fmt: skip
    at, exit = border_crossing(f, points)
    leaves = [] if exit is None else [exit]
    ends = np.array([*drawn[some], *leaves]).reshape(-1, 2)
    plain, out = max(len(some) - 1, 0), len(leaves)
    marks = {
        "type": "scatter", "mode": "markers", "name": name, "uid": f"{id}m", "legendgroup": id, "showlegend": False,
        "x": packed(ends[:, 0]), "y": packed(ends[:, 1]), "hoverinfo": "skip",
        "customdata": packed([*some, *([] if exit is None else [at])]), "meta": {"of": id, "head": plain},
        "marker": {
            "symbol": [look.marker] * (plain + 1) + ["x-thin-open"] * out, "size": [6] * plain + [12] + [15] * out,
            "color": look.color,
            "line": {"width": [0] * plain + [1.5] + [3] * out, "color": [look.color] * plain + [theme.ink] + [look.color] * out},
        },
    }  # fmt: skip
    return [path, marks]


def _multistart(f, id, name, points, look: Style):
    """Thin lines from further starts, and one trace with all their heads."""
    drawn = _within_reach(f, points)
    lines = [
        {
            "type": "scatter", "mode": "lines", "name": name, "uid": f"{id}s{k}", "legendgroup": id, "showlegend": False,
            "x": packed(drawn[:, k, 0]), "y": packed(drawn[:, k, 1]), "hoverinfo": "skip", "meta": {"trail": True},
            "line": {"color": look.color, "width": 1.1, "simplify": False}, "opacity": 0.8,
        }
        for k in range(points.shape[1])
    ]  # fmt: skip
    finite = np.isfinite(points).all(-1)
    last = np.maximum(finite.cumsum(0).argmax(0), 0)  # of each path the last step at which it is anywhere
    heads = np.take_along_axis(drawn, last[None, :, None], 0)[0]
    there = np.isfinite(heads).all(-1)
    marks = {
        "type": "scatter", "mode": "markers", "name": name, "uid": f"{id}sm", "legendgroup": id, "showlegend": False,
        "x": packed(heads[there, 0]), "y": packed(heads[there, 1]), "hoverinfo": "skip",
        "customdata": packed(last[there]), "meta": {"of": [f"{id}s{k}" for k in np.flatnonzero(there)]},
        "marker": {"symbol": look.marker, "size": 7, "color": look.color},
    }  # fmt: skip
    return [*lines, marks]


def _within_reach(f, points):
    """Points with those absurdly far out moved closer along their direction, which a screen cannot tell."""
    low, high = np.array(f.domain).T
    middle, span = (low + high) / 2, high - low
    away = np.abs((points - middle) / span).max(-1, keepdims=True)
    far = away > FAR
    if not far.any():
        return points
    moved = np.where(far, middle + (points - middle) * (FAR / np.where(far, away, FAR)), points)
    # who never comes back is not drawn beyond the first far point: lines between moved ones would cross the picture
    near = ~far & np.isfinite(away)
    back = near[::-1].cumsum(0)[::-1] > 0  # whether it is in reach at this step or at any later one
    gone = np.concatenate([np.zeros_like(back[:1]), ~back[:-1]])
    return np.where(gone & far, np.nan, moved)


def border_crossing(f: Function, points) -> tuple[float | None, np.ndarray | None]:
    """At which step, with its fraction, and where a path first crosses the border of the domain outwards.

    (None, None) where it never does.
    """
    low, high = np.array(f.domain).T
    outside = ((points < low) | (points > high)).any(-1)
    leaving = np.flatnonzero(~outside[:-1] & outside[1:])
    if not len(leaving):
        return None, None
    a, b = points[leaving[0]], points[leaving[0] + 1]
    with np.errstate(all="ignore"):
        share = np.where(b > high, (high - a) / (b - a), np.where(b < low, (low - a) / (b - a), 1.0))
    return leaving[0] + share.min(), a + share.min() * (b - a)
