"""A function of two variables from above: contour lines, which change only with the function, and
the paths over them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from optviz.plot.figure import Axis, Figure
from optviz.plot.marks import ColorBar, Contour, Dots, Line, Mark
from optviz.plot.style import Style, Theme, number
from optviz.translation import _

LEVELS = 22
MAX_STARS = 20  # of the usual size
TAIL = 0.02  # of the values: beyond the others where they lead to a pole
FINER = 40  # points each way, around one of the grid
MARKERS = 28  # at most so many points of a path carry one
FAR = 1e4  # in widths of the domain: farther points are drawn here, in the same direction

Domain = Sequence[tuple[float, float]]  # from and to, of x and of y


@dataclass(frozen=True)
class Landscape:
    """The function on a grid over its domain; NaN where it is not defined."""

    x: np.ndarray  # (n,)
    y: np.ndarray  # (m,)
    z: np.ndarray  # (m, n)
    log: bool  # whether levels in equal ratios show it better than equal differences
    low: float = -np.inf  # between these is all but a few values, where those go on to a pole
    high: float = np.inf

    @classmethod
    def of(cls, f, n: int = 150) -> "Landscape":
        """Of a function with `domain` and `value` of points `(..., 2)`, on n times n of them."""
        x, y = (np.linspace(low, high, n) for low, high in f.domain)
        land = cls.on(x, y, f.value(np.stack(np.meshgrid(x, y), -1)))
        if not np.isfinite(land.z).any():
            return land
        low, middle, high = np.nanquantile(land.z, [TAIL, 0.5, 1 - TAIL])
        return replace(
            land,
            low=low if _goes_on(f, land, middle, -1) else -np.inf,
            high=high if _goes_on(f, land, middle, 1) else np.inf,
        )

    @classmethod
    def on(cls, x, y, z) -> "Landscape":
        """Of values `(m, n)` that are known already."""
        z = np.where(np.isfinite(z), z, np.nan)
        known = z[np.isfinite(z)]
        if not known.size:
            return cls(x, y, z, False)
        low, middle, high = np.quantile(known - known.min(), [0.05, 0.5, 0.98])
        return cls(x, y, z, bool(high > 60 * low and high > 6 * middle))

    @property
    def has_floor(self) -> bool:
        """Whether the lowest point is inside of the picture."""
        return bool(np.nanmin(self.z[1:-1, 1:-1]) <= np.nanmin(self.z))


def _goes_on(f, land, middle, sign):
    """Whether f, between the points of the grid, gets several times as far from its middle.

    `sign` is 1 at the upper end and -1 at the lower.
    """
    row, column = np.unravel_index(np.nanargmax(sign * land.z), land.z.shape)
    across, up = ((c[1] - c[0]) * np.linspace(-1, 1, FINER) for c in (land.x, land.y))
    near = f.value(np.stack(np.meshgrid(land.x[column] + across, land.y[row] + up), -1))
    farthest = np.max(sign * near, initial=-np.inf, where=np.isfinite(near))
    return bool(farthest - sign * middle > 4 * sign * (land.z[row, column] - middle))


@dataclass(frozen=True, eq=False)
class Heights:
    """How high a value is drawn: as it is, or by the logarithm or the root of its height above the
    lowest.

    Toward a pole all is drawn at `low` or `high`, or the rest of the picture would be one color.
    """

    log: bool
    root: bool
    base: float
    offset: float  # keeps the logarithm finite at the bottom
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def of(cls, land: Landscape, log: bool | None = None, root: bool = False) -> "Heights":
        """For a landscape; `log` None follows the data: the logarithm, else with `root` the square
        root, which has as many rings near the lowest point as far from it, where there are rings.
        """
        auto, log = log is None, land.log if log is None else log
        known = land.z[np.isfinite(land.z)]
        if not known.size:
            return cls(log, False, 0.0, 1.0, 0.0, 1.0)
        root = root and auto and not log and land.has_floor
        base = float(max(known.min(), land.low))
        lifted = known[known >= base] - base
        offset = max(float(np.quantile(lifted, 0.01)), 1e-12) if log else 1.0
        top = known.max() if log else min(known.max(), land.high)
        ends = cls(log, root, base, offset).up(np.array([base, top]))
        return cls(log, root, base, offset, *(float(e) for e in ends))

    def up(self, z):
        """From values to heights, none of them outside the landscape's."""
        above = np.maximum(z - self.base, 0)
        heights = np.log10(above + self.offset) if self.log else np.sqrt(above) if self.root else z
        return np.clip(heights, self.low, self.high)

    def back(self, height):
        """From heights to values."""
        if self.log:
            return self.base + 10.0**height - self.offset
        return self.base + height**2 if self.root else height

    def ticks(self, n: int) -> tuple[np.ndarray, list[str]]:
        """n heights, about evenly spaced, of round values, for reading; one where all are equal."""
        even = np.linspace(self.low, self.high, n if self.low < self.high else 1)
        values = self.back(even)
        if len(values) > 1:
            gaps = np.diff(values)
            gaps = np.minimum(np.r_[gaps, gaps[-1]], np.r_[gaps[0], gaps])
            unit = 10.0 ** np.floor(np.log10(gaps / 1.5))
            unit *= np.select([gaps / 1.5 >= 5 * unit, gaps / 1.5 >= 2 * unit], [5, 2], 1)
            values = np.round(values / unit) * unit + 0.0
        texts = [[number(v, digits) for v in values] for digits in (3, 6, 12)]
        return self.up(values), next((t for t in texts if len({*t}) == len(t)), texts[-1])


class Path(NamedTuple):
    """What an optimizer did: `points` `(steps+1, 2)` and `values` `(steps+1,)`.

    `more` are its paths from further initial points, `(steps+1, k, 2)`. `hover` is a template of
    the line, or a text for every step. `simplex` are corners, the first on the path, `(steps+1, k,
    2)`.
    """

    id: str
    name: str
    points: np.ndarray
    values: np.ndarray
    style: Style
    more: np.ndarray | None = None
    hover: str | Sequence[str] | None = None
    simplex: np.ndarray | None = None


class Minima(NamedTuple):
    """Minima that are shown alike: points `(k, 2)`, f there `(k,)`, and how they are drawn."""

    name: str
    points: np.ndarray
    values: np.ndarray
    local: bool = False  # hollow, for lower ones are known
    curve: bool = False  # many small points, which form a line

    @property
    def uid(self) -> str:
        """The name of their trace, each kind's its own."""
        return "minima" + "-local" * self.local + "-curve" * self.curve


def landscape(land: Landscape, theme: Theme, log: bool | None = None, title: str = "f") -> Contour:
    """The function as filled contour lines, evenly spaced in value, its root or its logarithm.

    `log` None follows the data; `title` stands above the color bar.
    """
    heights = Heights.of(land, log, root=True)
    low, high = heights.low, heights.high
    step = (high - low) / LEVELS or 1.0
    return Contour(
        land.x,
        land.y,
        heights.up(land.z),
        (theme.low, theme.high),
        start=low + step / 2,
        end=high,
        step=step,
        line=theme.level,
        bar=ColorBar(*heights.ticks(6), title, theme.faint),
    )


def paths(
    f,
    start: Sequence[float],
    tracks: Sequence[Path],
    minima: Sequence[Minima],
    theme: Theme,
    titles: tuple[str, str] = ("x", "y"),
    markers: int = MARKERS,
    **figure,
) -> Figure:
    """Start, minima and every path with its current point; `landscape` lies under it."""
    at, domain = "({x:.6g}, {y:.6g})", f.domain
    marks: list[Mark] = []
    for found in minima:
        look = Style(theme.minimum, marker=_symbol(found))
        plain = found.local or found.curve
        edge = {"edge_width": 1} if plain else {"edge": theme.high, "edge_width": 1}
        size = 5 if found.curve else 13 if len(found.points) <= MAX_STARS else 9
        marks.append(_dots(found.points, look, found.name, found.uid, at, size=size, **edge))
    for path in (Path(*track) for track in tracks):
        marks += [
            *_more(domain, path),
            *_simplex(domain, path),
            *path_marks(domain, path, theme, markers),
        ]
    look = Style(theme.ink, marker="circle-open-dot")
    marks.append(_dots([start], look, _("start"), "start", at, edge_width=2))
    common = {"grid": False, "extra": {"ticks": "outside", "ticklen": 4}}
    return Figure(
        marks,
        Axis(titles[0], limits=domain[0], **common),
        Axis(titles[1], limits=domain[1], standoff=2, **common),
        margin={"l": 46, "r": 64, "t": 30, "b": 40},
        **{"hover": "closest", **figure},
    )


def _symbol(minima):
    return ("circle" if minima.curve else "star") + ("-open" if minima.local else "")


def _dots(at, look, name, uid, place, size=13, **more):
    x, y = np.asarray(at, float).T
    return Dots(x, y, look, name=name, uid=uid, hover="{name} " + place, size=size, **more)


def guess_mark(at: Sequence[float], name: str, theme: Theme) -> Dots:
    """Where a person thinks that a path will end."""
    look, words = Style(theme.ink, marker="x-thin-open"), {"text_color": theme.ink}
    return Dots(
        *([at[0]], [at[1]], look),
        **{"name": name, "uid": "guess", "hover": "{name} ({x:.4g}, {y:.4g})", "size": 16},
        **{"edge": theme.ink, "edge_width": 4, "text": [name], **words},
    )


def path_marks(domain: Domain, path: Path, theme: Theme, markers: int = MARKERS) -> list[Mark]:
    """The line, and dots: some of its points, the current one, where it leaves the frame.

    Two marks, because a host that moves drawn things needs to know which dot is which.
    """
    points, look = path.points, path.style
    drawn = within_reach(domain, points)
    known = np.flatnonzero(np.isfinite(points).all(-1))
    every = -(-len(points) // markers) if markers else len(points)
    steps = [*range(0 if markers else every, known[-1], every), known[-1]] if len(known) else []
    at, exit_point = border_crossing(domain, points)
    out = 0 if exit_point is None else 1
    ends = np.array([*drawn[steps], *[exit_point] * out]).reshape(-1, 2)
    head = min(len(steps), 1)  # none where the path is nowhere
    plain = len(steps) - head
    hover = path.hover
    if hover is None:
        hover = _("{name}, step {index}<br>({x:.5g}, {y:.5g})<br>f = {value:.5g}")
    joint = {"name": path.name, "group": path.id}
    trail = {"values": path.values, "meta": {"trail": True}, "hover": hover}
    return [
        Line(*drawn.T, look, uid=path.id, **trail, **joint),
        Dots(
            *(*ends.T, look),
            **{"uid": f"{path.id}m", "legend": False, "decoration": True, **joint},
            **{"values": [*steps, *[at] * out], "meta": {"of": path.id, "head": plain}},
            symbols=[look.marker] * len(steps) + ["x-thin-open"] * out,
            size=[6] * plain + [12] * head + [15] * out,
            edge=[look.color] * plain + [theme.ink] * head + [look.color] * out,
            edge_width=[0] * plain + [1.5] * head + [3] * out,
        ),
    ]


def _more(domain, path):
    """Thin lines from further initial points, and one mark with all their heads."""
    if path.more is None:
        return []
    drawn, look = within_reach(domain, path.more), path.style.solid
    joint = {"name": path.name, "group": path.id, "legend": False}
    line = {"width": 1.1, "opacity": 0.8, "meta": {"trail": True}, **joint}
    lines = [
        Line(*drawn[:, k].T, look, uid=f"{path.id}s{k}", **line) for k in range(drawn.shape[1])
    ]
    # of each path the last step at which it is anywhere
    last = np.isfinite(path.more).all(-1).cumsum(0).argmax(0)
    heads = np.take_along_axis(drawn, last[None, :, None], 0)[0]
    there = np.isfinite(heads).all(-1)
    meta = {"of": [f"{path.id}s{k}" for k in np.flatnonzero(there)]}
    dots = {"uid": f"{path.id}sm", "values": last[there], "meta": meta, "decoration": True}
    return [*lines, Dots(*heads[there].T, look, size=7, **dots, **joint)]


def _simplex(domain, path):
    """A thin line around the corners of each step, of which the player shows one at a time. From
    one to the next it runs along the path.
    """
    if path.simplex is None:
        return []
    around = within_reach(domain, path.simplex)
    around = np.concatenate([around, around[:, :1]], 1)
    meta = {"window": around.shape[1]}
    joint = {"uid": f"{path.id}c", "name": path.name, "group": path.id, "legend": False}
    line = {"width": 1.6, "opacity": 0.85, "decoration": True, "meta": meta, **joint}
    return [Line(*around.reshape(-1, 2).T, path.style.solid, **line)]


def within_reach(domain: Domain, points: np.ndarray) -> np.ndarray:
    """Points with those absurdly far out moved closer along their direction, which a screen cannot
    tell."""
    low, high = np.array(domain).T
    middle, span = (low + high) / 2, high - low
    away = np.abs((points - middle) / span).max(-1, keepdims=True)
    far = away > FAR
    if not far.any():
        return points
    moved = np.where(far, middle + (points - middle) * (FAR / np.where(far, away, FAR)), points)
    # what never comes back is not drawn beyond its first far point: a line between two moved ones
    # would cross the picture
    near = ~far & np.isfinite(away)
    back = near[::-1].cumsum(0)[::-1] > 0  # whether it is in reach at this step or at a later one
    gone = np.concatenate([np.zeros_like(back[:1]), ~back[:-1]])
    return np.where(gone & far, np.nan, moved)


def border_crossing(domain: Domain, points) -> tuple[float | None, np.ndarray | None]:
    """At which step, with its fraction, and where a path first crosses the border outwards.

    (None, None) where it never does.
    """
    low, high = np.array(domain).T
    outside = ((points < low) | (points > high)).any(-1)
    leaving = np.flatnonzero(~outside[:-1] & outside[1:])
    if not len(leaving):
        return None, None
    a, b = points[leaving[0]], points[leaving[0] + 1]
    with np.errstate(all="ignore"):
        past = np.where(b < low, (low - a) / (b - a), 1.0)
        share = np.where(b > high, (high - a) / (b - a), past).min()
    return leaving[0] + share, a + share * (b - a)
