"""The contour and the paths on it, as two layers: the lower changes only with the function."""

from dataclasses import dataclass

import numpy as np

from optviz.experiments.trajectories.spec import Landscape
from optviz.functions.library import Function
from optviz.plot.figure import Axis, Figure
from optviz.plot.marks import ColorBar, Contour, Dots, Line, Mark
from optviz.plot.style import Style, Theme, number
from optviz.plot.to_plotly import layer, to_plotly
from optviz.translation import _

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
        """From values to heights; what lies below the lowest is drawn at its level."""
        return np.log10(np.maximum(z - self.base, 0) + self.offset) if self.log else z

    def back(self, height):
        """From heights to values."""
        return self.base + 10.0**height - self.offset if self.log else height


def landscape(land: Landscape, theme: Theme, log: bool | None = None) -> Contour:
    """The function as filled contour lines, evenly spaced in value or in its logarithm.

    `log` None follows the data.
    """
    heights = Heights.of(land, log)
    low, high = heights.low, heights.high
    step, ticks = (high - low) / LEVELS or 1.0, np.linspace(low, high, 6)
    labels = [number(heights.back(tick), 3) for tick in ticks]
    return Contour(
        *(land.x, land.y, heights.up(land.z), (theme.low, theme.high)),
        **{"start": low + step / 2, "end": high, "step": step, "line": theme.level},
        bar=ColorBar(ticks, labels, "f", theme.faint),
    )


def landscape_layer(
    f: Function, land: Landscape, theme: Theme, log: bool | None = None, field: bool = False
) -> dict:
    """The same as what lies under paths. `field` adds arrows against the gradient."""
    return layer(landscape(land, theme, log), *(_field(f, theme) if field else []))


def _field(f, theme, across=18, up=13) -> list[Line]:
    """Arrows against the gradient, the way plain descent goes; longer where steeper, on a log
    scale.
    """
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
        return []
    rank = np.log(steep) - np.log(steep).min()
    length = 0.35 + 0.6 * rank / (rank.max() or 1)
    on_paper = down / size  # equal lengths on the page, whatever the axes' units
    unit = on_paper / np.sqrt((on_paper**2).sum(-1, keepdims=True))
    side = np.stack([-unit[:, 1], unit[:, 0]], -1)
    tip, tail = unit * length / 2, -unit * length / 2
    left, right = (tip - 0.22 * length * (unit + s * 0.6 * side) for s in (1, -1))
    ends = [at + end * size for end in (tail, tip, left, tip, right)]
    line = np.stack([*ends, np.full_like(at, np.nan)], 1).reshape(-1, 2)
    return [Line(*line.T, Style(theme.faint), width=1, opacity=0.75)]


def paths(
    f: Function, start, tracks, known, theme: Theme, multistart=None, titles=("x", "y"), **figure
) -> Figure:
    """Start, known minima and the path of every optimizer with its current point, for over the
    contour.

    `tracks` is a list of `(uid, name, points (steps+1, 2), values (steps+1,), Style)`; `multistart`
    holds, by uid, the paths of an optimizer from further starts, `(steps+1, k, 2)`.
    """
    marks: list[Mark] = []
    at = "{name} ({x:.6g}, {y:.6g})"
    if len(known):
        star = {"size": 13, "edge": theme.high, "edge_width": 1, "hover": at}
        look = Style(theme.minimum, marker="star")
        marks.append(Dots(*np.transpose(known), look, name=_("minimum"), uid="minima", **star))
    for uid, name, points, values, look in tracks:
        if multistart and uid in multistart:
            marks += _further(f, uid, name, multistart[uid], look)
        marks += _track(f, uid, name, points, values, look, theme)
    ring = Style(theme.ink, marker="circle-open-dot")
    more = {"size": 13, "edge_width": 2, "hover": at}
    marks.append(Dots([start[0]], [start[1]], ring, name=_("start"), uid="start", **more))
    frame = {"grid": False, "extra": {"ticks": "outside", "ticklen": 4}}
    x = Axis(titles[0], limits=f.domain[0], **frame)
    y = Axis(titles[1], limits=f.domain[1], standoff=2, **frame)
    return Figure(marks, x, y, **{"margin": MARGIN, "hover": "closest", **figure})


def paths_layer(f: Function, start, tracks, known, theme: Theme, multistart=None) -> dict:
    """The same as Plotly takes it."""
    return to_plotly(paths(f, start, tracks, known, theme, multistart))


def guess(at, theme: Theme) -> dict:
    """Where a person thinks that a path will end."""
    words = {"text": [_("your guess")], "text_color": theme.ink, "name": _("your guess")}
    more = {"uid": "guess", "size": 16, "edge": theme.ink, "edge_width": 4}
    look = Style(theme.ink, marker="x-thin-open")
    hover = "{name} ({x:.4g}, {y:.4g})"
    [trace] = layer(Dots([at[0]], [at[1]], look, hover=hover, **more, **words))["data"]
    return trace


def _track(f, uid, name, points, values, look: Style, theme) -> list[Mark]:
    """The line, and a mark for some of its points, the current one, and where it leaves the frame.

    Two marks, because a host that moves drawn things needs to know which is which.
    """
    drawn = _within_reach(f, points)
    known = np.flatnonzero(np.isfinite(points).all(-1))
    some = [*range(0, known[-1], -(-len(points) // MARKS)), known[-1]] if len(known) else []
    line = Line(
        *(*drawn.T, look),
        **{"name": name, "uid": uid, "group": uid, "meta": {"trail": True}, "values": values},
        hover="{name}, step {index}<br>({x:.5g}, {y:.5g})<br>f = {value:.5g}",
    )
    at, edge = border_crossing(f, points)
    leaves = [] if edge is None else [edge]
    ends = np.array([*drawn[some], *leaves]).reshape(-1, 2)
    plain, out = max(len(some) - 1, 0), len(leaves)
    dots = Dots(
        *(*ends.T, look),
        **{"name": name, "uid": f"{uid}m", "group": uid, "legend": False, "decoration": True},
        values=[*some, *([] if edge is None else [at])],
        meta={"of": uid, "head": plain},
        symbols=[look.marker] * (plain + 1) + ["x-thin-open"] * out,
        size=[6] * plain + [12] + [15] * out,
        edge=[look.color] * plain + [theme.ink] + [look.color] * out,
        edge_width=[0] * plain + [1.5] + [3] * out,
    )
    return [line, dots]


def _further(f, uid, name, points, look: Style) -> list[Mark]:
    """Thin lines from further starts, and one mark with all their heads."""
    drawn = _within_reach(f, points)
    joint = {"name": name, "group": uid, "legend": False}
    lines = [
        Line(
            *(*drawn[:, k].T, look.solid),
            **{"uid": f"{uid}s{k}", "width": 1.1, "opacity": 0.8, "meta": {"trail": True}, **joint},
        )
        for k in range(points.shape[1])
    ]
    finite = np.isfinite(points).all(-1)
    # of each path the last step at which it is anywhere
    last = np.maximum(finite.cumsum(0).argmax(0), 0)
    heads = np.take_along_axis(drawn, last[None, :, None], 0)[0]
    there = np.isfinite(heads).all(-1)
    of = {"of": [f"{uid}s{k}" for k in np.flatnonzero(there)]}
    more = {"uid": f"{uid}sm", "size": 7, "values": last[there], "meta": of, "decoration": True}
    return [*lines, Dots(*heads[there].T, look, **more, **joint)]


def _within_reach(f, points):
    """Points, those absurdly far out moved closer along their direction: no screen can tell."""
    low, high = np.array(f.domain).T
    middle, span = (low + high) / 2, high - low
    away = np.abs((points - middle) / span).max(-1, keepdims=True)
    far = away > FAR
    if not far.any():
        return points
    moved = np.where(far, middle + (points - middle) * (FAR / np.where(far, away, FAR)), points)
    # who never comes back is not drawn beyond the first far point: lines between moved ones would
    # cross the picture
    near = ~far & np.isfinite(away)
    back = near[::-1].cumsum(0)[::-1] > 0  # whether it is in reach at this step or at any later one
    gone = np.concatenate([np.zeros_like(back[:1]), ~back[:-1]])
    return np.where(gone & far, np.nan, moved)


def border_crossing(f: Function, points) -> tuple[float | None, np.ndarray | None]:
    """At which step, with its fraction, and where a path first leaves the domain.

    (None, None) where it never does.
    """
    low, high = np.array(f.domain).T
    outside = ((points < low) | (points > high)).any(-1)
    leaving = np.flatnonzero(~outside[:-1] & outside[1:])
    if not len(leaving):
        return None, None
    a, b = points[leaving[0]], points[leaving[0] + 1]
    with np.errstate(all="ignore"):
        share = np.where(
            b > high, (high - a) / (b - a), np.where(b < low, (low - a) / (b - a), 1.0)
        )
    return leaving[0] + share.min(), a + share.min() * (b - a)
