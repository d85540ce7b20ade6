"""A function of two variables from above: contour lines, which change only with the function, and
the paths over them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optviz.plot.figure import Axis, Figure
from optviz.plot.landscape import Domain, Heights, Landscape
from optviz.plot.landscape.rings import rings
from optviz.plot.marks import ColorBar, Contour, Dots, Line, Mark, entry
from optviz.plot.style import Style, Theme, mix_color
from optviz.translation import _

LEVELS = 24
BEYOND = 0.2  # of the colors, for what is higher than the domain, where the frame shows more of it
MAX_STARS = 20  # of the usual size
MARKERS = 28  # at most so many points of a path carry one
PLACE = "{name} ({x:.6g}, {y:.6g})"
FAR = 1e4  # in widths of the domain: farther points are drawn here, in the same direction


class Path(NamedTuple):
    """What an optimizer did: `points` `(steps+1, 2)` and `values` `(steps+1,)`.

    `multistart` are its paths from further initial points, `(steps+1, k, 2)`. `hover` is a template
    for the line, or a text for every step. `simplex` are corners, the first on the path,
    `(steps+1, k, 2)`. `basins` `(k,)` numbers the place where each path of `multistart` ends, -1
    for none; its line has the color of that place.
    """

    id: str
    name: str
    points: np.ndarray
    values: np.ndarray
    style: Style
    multistart: np.ndarray | None = None
    hover: str | Sequence[str] | None = None
    simplex: np.ndarray | None = None
    basins: np.ndarray | None = None


class Minima(NamedTuple):
    """Minima that are shown alike: points `(k, 2)`, f there `(k,)`, and how they are drawn."""

    name: str
    points: np.ndarray
    values: np.ndarray
    local: bool = False  # hollow, because lower ones are known
    curve: bool = False  # many small points, which form a line

    @property
    def uid(self) -> str:
        """The name of their trace, different for each kind."""
        return "minima" + "-local" * self.local + "-curve" * self.curve


def falls_into_beads(land: Landscape) -> bool:
    """Whether contour lines break up in valleys that are thinner than the grid: in a twentieth of
    the low places the slope changes by more than a level from one point to the next.
    """
    heights = Heights.from_landscape(land, None, root=True)
    z = heights.transform(land.inner).clip(max=heights.high)
    level = (heights.high - heights.low) / LEVELS
    bend = np.zeros_like(z)
    bend[1:-1] = np.diff(z, 2, axis=0)
    bend[:, 1:-1] = np.maximum(bend[:, 1:-1], np.diff(z, 2, axis=1))
    low = z < heights.low + LEVELS / 4 * level
    return bool(low.any()) and bool((bend[low] > level).mean() > 0.05)


def _levels(land, log):
    """How high values are drawn; the first of the even levels, and the step between them."""
    heights = Heights.from_landscape(land, log, root=True)
    step = (heights.high - heights.low) / LEVELS or 1.0
    return heights, heights.low + step / 2, step


def landscape(
    land: Landscape,
    theme: Theme,
    log: bool | None = None,
    title: str = "f",
    colors: Sequence[str] = (),
) -> Contour:
    """The function as filled contour lines, evenly spaced in value, its root or its logarithm.

    `log` None follows the data; `title` stands above the color bar; `colors` are evenly spaced, the
    strong ones of the theme where there are none.
    """
    heights, start, step = _levels(land, log)
    low, high, top = heights.low, heights.high, heights.top
    colors = colors or theme.maps["strong"]
    if top > high:  # the last of the colors are for what is higher than the domain
        shares = np.linspace(0, 1, 21)
        places = np.interp(shares, [0, 1 - BEYOND, 1], [0, (high - low) / (top - low), 1])
        stops = zip(places, shares, strict=True)
        colors = [(float(place), mix_color(colors, share)) for place, share in stops]
    return Contour(
        land.x,
        land.y,
        heights.transform(land.z),
        colors,
        start=start,
        end=top,
        step=step,
        line=theme.ring,
        bar=ColorBar(*heights.ticks(6), title, theme.faint),
    )


def extra_rings(land: Landscape, minima, theme: Theme, log: bool | None = None) -> list[Line]:
    """A ring around each of `minima` `(k, 2)` that has none among those of the `landscape`."""
    loops = [*rings(land, *_levels(land, log), minima)]
    if not loops:
        return []
    gap = np.full((1, 2), np.nan)
    x, y = np.concatenate([piece for loop in loops for piece in (loop, gap)]).T
    return [Line(x, y, Style(theme.ring), width=0.8, uid="rings")]


def paths(
    f,
    start: Sequence[float],
    tracks: Sequence[Path],
    minima: Sequence[Minima],
    theme: Theme,
    titles: tuple[str, str] = ("x", "y"),
    markers: int = MARKERS,
    equal: bool = False,
    start_name: str = "",
    **figure,
) -> Figure:
    """Start, minima and every path with its current point; `landscape` lies under it.

    With `equal` scales of both axes the frame shows more than the domain, whose border is drawn.
    """
    domain, tracks = f.domain, [Path(*track) for track in tracks]
    marks: list[Mark] = [_minima_dots(group, theme) for group in minima]
    for path in tracks:
        marks.append(_halo(domain, path, theme))
    for path in tracks:
        inner = [*_multistart(domain, path, theme), *_simplex(domain, path)]
        marks += entry(path.name, *inner, group=path.id)
        marks += _path(domain, path, theme, markers)
    marks.append(
        Dots(
            [start[0]],
            [start[1]],
            Style(theme.ink, marker="circle-open-dot"),
            name=start_name or _("start"),
            uid="start",
            hover=PLACE,
            size=13,
            edge_width=2,
        )
    )
    common = {"ticks": "outside", "ticklen": 4}
    anchored = common | ({"scaleanchor": "x"} if equal else {})
    return Figure(
        marks,
        Axis(titles[0], limits=domain[0], grid=False, extra=common),
        Axis(titles[1], limits=domain[1], grid=False, standoff=2, extra=anchored),
        margin={"l": 46, "r": 64, "t": 30, "b": 40},
        **{"hover": "closest", **figure},
    )


def border(domain: Domain, theme: Theme) -> Line:
    """The edge of the domain, where the frame shows more."""
    (x0, x1), (y0, y1) = domain
    style = Style(theme.faint, (2, 3))
    return Line([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], style, width=1, uid="border")


def _minima_dots(group, theme):
    x, y = np.asarray(group.points, float).T
    symbol = ("circle" if group.curve else "star") + ("-open" if group.local else "")
    return Dots(
        x,
        y,
        Style(theme.minimum, marker=symbol),
        name=group.name,
        uid=group.uid,
        hover=PLACE,
        size=5 if group.curve else 13 if len(x) <= MAX_STARS else 9,
        edge="" if group.local or group.curve else theme.high,
        edge_width=1,
    )


def guess_mark(point: Sequence[float], name: str, theme: Theme) -> Dots:
    """Where a person thinks that a path will end."""
    return Dots(
        [point[0]],
        [point[1]],
        Style(theme.ink, marker="x-thin-open"),
        name=name,
        uid="guess",
        hover="{name} ({x:.4g}, {y:.4g})",
        size=16,
        edge=theme.ink,
        edge_width=4,
        text=[name],
        text_color=theme.ink,
    )


def _path(domain, path, theme, markers):
    """The line, and dots: some of its points, the current one, where it leaves the frame.

    Two marks, because a host that moves drawn things needs to know which dot is which.
    """
    points, style = path.points, path.style
    drawn = within_reach(domain, points)
    finite = np.flatnonzero(np.isfinite(points).all(-1))
    every = -(-len(points) // markers) if markers else len(points)
    steps = [*range(0 if markers else every, finite[-1], every), finite[-1]] if len(finite) else []
    crossing, exit_point = border_crossing(domain, points)
    n_exits = 0 if exit_point is None else 1
    x, y = np.array([*drawn[steps], *[exit_point] * n_exits]).reshape(-1, 2).T
    head = min(len(steps), 1)  # none where the path is nowhere
    n_plain = len(steps) - head
    template = _("{name}, step {index}<br>({x:.5g}, {y:.5g})<br>f = {value:.5g}")
    line = Line(
        *drawn.T,
        style,
        name=path.name,
        uid=path.id,
        group=path.id,
        values=path.values,
        hover=template if path.hover is None else path.hover,
        meta={"trail": True},
    )
    dots = Dots(
        x,
        y,
        style,
        name=path.name,
        uid=f"{path.id}m",
        group=path.id,
        legend=False,
        values=[*steps, *[crossing] * n_exits],
        meta={"of": path.id, "head": n_plain},
        symbols=[style.marker] * len(steps) + ["x-thin-open"] * n_exits,
        size=[6] * n_plain + [12] * head + [15] * n_exits,
        edge=[style.color] * n_plain + [theme.ink] * head + [style.color] * n_exits,
        edge_width=[0] * n_plain + [1.5] * head + [3] * n_exits,
    )
    return [line, dots]


def _halo(domain, path, theme):
    """A wider line below the path, so that it stands out from whatever color it crosses."""
    return Line(
        *within_reach(domain, path.points).T,
        Style(theme.page),
        name=path.name,
        uid=f"{path.id}h",
        group=path.id,
        width=5.5,
        opacity=0.85,
        legend=False,
        meta={"trail": True},
    )


def _multistart(domain, path, theme):
    """Thin lines from further initial points, rings around these, and one mark with all heads."""
    if path.multistart is None:
        return []
    drawn, style = within_reach(domain, path.multistart), path.style.solid
    colors = [style.color] * drawn.shape[1]
    if path.basins is not None:
        colors = [theme.faint if b < 0 else theme.lines[b % len(theme.lines)] for b in path.basins]
    thin = {"width": 1.1, "opacity": 0.8, "meta": {"trail": True}, "legend": False}
    lines = [
        Line(*drawn[:, k].T, Style(color, marker=style.marker), uid=f"{path.id}s{k}", **thin)
        for k, color in enumerate(colors)
    ]
    ring = {"size": 7, "edge_width": 1.5, "legend": False}
    starts = Dots(*drawn[0].T, Style(style.color, marker="circle-open"), uid=f"{path.id}ss", **ring)
    # the last step at which each path is finite
    last = np.isfinite(path.multistart).all(-1).cumsum(0).argmax(0)
    x, y = heads = np.take_along_axis(drawn, last[None, :, None], 0)[0].T
    drawable = np.isfinite(heads).all(0)
    meta = {"of": [f"{path.id}s{k}" for k in np.flatnonzero(drawable)]}
    dots = {"uid": f"{path.id}sm", "size": 7, "meta": meta, "legend": False}
    return [*lines, starts, Dots(x[drawable], y[drawable], style, values=last[drawable], **dots)]


def _simplex(domain, path):
    """A thin line around the corners of each step, of which the player shows one at a time. From
    one to the next it runs along the path.
    """
    if path.simplex is None:
        return []
    around = within_reach(domain, path.simplex)
    around = np.concatenate([around, around[:, :1]], 1)
    x, y = around.reshape(-1, 2).T
    line = {"width": 1.6, "opacity": 0.85, "meta": {"window": around.shape[1]}, "legend": False}
    return [Line(x, y, path.style.solid, uid=f"{path.id}c", **line)]


def within_reach(domain: Domain, points: np.ndarray) -> np.ndarray:
    """The points, with absurdly distant ones moved closer along their direction; on a screen nobody
    can tell."""
    low, high = np.array(domain).T
    middle, span = (low + high) / 2, high - low
    distance = np.abs((points - middle) / span).max(-1, keepdims=True)
    far = distance > FAR
    if not far.any():
        return points
    moved = np.where(far, middle + (points - middle) * (FAR / np.where(far, distance, FAR)), points)
    # what never comes back is not drawn beyond its first far point: a line between two moved ones
    # would cross the picture
    near = ~far & np.isfinite(distance)
    back = near[::-1].cumsum(0)[::-1] > 0  # whether it is in reach at this step or at a later one
    left = np.concatenate([np.zeros_like(back[:1]), ~back[:-1]])
    return np.where(left & far, np.nan, moved)


def border_crossing(domain: Domain, points) -> tuple[float | None, np.ndarray | None]:
    """At which (fractional) step and where a path first crosses the border outwards.

    (None, None) where it never does.
    """
    low, high = np.array(domain).T
    outside = ((points < low) | (points > high)).any(-1)
    leaving = np.flatnonzero(~outside[:-1] & outside[1:])
    if not len(leaving):
        return None, None
    a, b = points[leaving[0]], points[leaving[0] + 1]
    with np.errstate(all="ignore"):
        low_share = np.where(b < low, (low - a) / (b - a), 1.0)
        share = np.where(b > high, (high - a) / (b - a), low_share).min()
    return leaving[0] + share, a + share * (b - a)
