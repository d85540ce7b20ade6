"""Marks that go together: a curve with its band, a path for the player, a bar with its seeds."""

import numpy as np

from optviz.plot.marks import Array, Band, Bars, Dots, Line, Mark, entry
from optviz.plot.style import Style

MAX_POINTS = 800  # of a curve: no screen shows more detail


def over_seeds(values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median, least and largest over the last axis; NaN where every seed has ended."""
    if values.shape[-1] == 1:
        return (values[..., 0],) * 3
    values = np.sort(values, -1)  # NaN is last; nanmedian is far slower
    n = np.sum(~np.isnan(values), -1, keepdims=True)
    a, b, high = (np.take_along_axis(values, k, -1)[..., 0] for k in ((n - 1) // 2, n // 2, n - 1))
    return (a + b) / 2, values[..., 0], high


def mean_over_seeds(values) -> np.ndarray:
    """The mean of the finite ones over the last axis; NaN where there is none.

    A difference of means is the mean of the differences seed by seed, so that a figure, a table and
    a sentence cannot state different ones; with medians they could.
    """
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):  # 0/0
        return np.where(finite, values, 0).sum(-1) / finite.sum(-1)


def as_float32(values) -> np.ndarray:
    """Numbers in single precision, which is finer than a screen and half as much to send."""
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float32)


def thin_indices(n: int, max_points: int = MAX_POINTS) -> np.ndarray:
    """Indices of at most `max_points` of n points, at least half of that: evenly, and the last.

    While a curve grows they stay the same ones, until twice as many points lie between them.
    """
    stride = 1
    while (n - 2) // stride + 2 > max_points:
        stride *= 2
    return np.append(np.arange(0, n - 1, stride), n - 1)[:n]


def curve_with_band(
    x: Array,
    values: Array,
    style: Style,
    *,
    name: str,
    uid: str,
    group: str = "",
    hover: str = "{name}: {y:.4g}",
    band: float = 0.18,
    raw: Array = None,
    middle: Array = None,
    shapes: int = 0,
    **line,
) -> list[Mark]:
    """The median of `values` `(n, seeds)`, or `middle` `(n,)`, and a band from least to largest.

    With one seed there is no band, but `raw` `(n,)` if given, faint behind the curve. `shapes` is
    how many of the style's markers lie on the curve as a separate mark; `line` goes to `Line`,
    where `markers` puts them into the line. All belong to one group of the legend.
    """
    x, values = as_float32(x), as_float32(values)
    curve = values if middle is None else as_float32(middle)[:, None]
    i = thin_indices(len(x))
    marks: list[Mark] = []
    if values.shape[-1] > 1:
        low, high = over_seeds(values[i])[1:]
        marks.append(Band(x[i], low, high, style.color, uid=f"{uid}b", opacity=band, legend=False))
    elif raw is not None:
        faint = {"width": 1, "opacity": 0.3, "legend": False}
        marks.append(Line(x[i], as_float32(raw)[i], style.solid, uid=f"{uid}r", **faint))
    marks.append(Line(x[i], over_seeds(curve[i])[0], style, uid=uid, hover=hover, **line))
    if shapes:
        finite = np.flatnonzero(np.isfinite(curve).any(-1))
        j = finite[thin_indices(len(finite), shapes)]
        marks.append(Dots(x[j], over_seeds(curve[j])[0], style, uid=f"{uid}m", legend=False))
    return entry(name, *marks, group=group)


def trail(
    x: Array,
    y: Array,
    style: Style,
    *,
    uid: str,
    name: str,
    group: str = "",
    shapes: int = 10,
    begin: int = 0,
    sizes: tuple[float, float] = (6, 10),
    **line,
) -> list[Mark]:
    """A line over steps that the player cuts, and its markers, of which the last is the head.

    Every so many steps from `begin` there is a marker, about `shapes` in all, of the first of the
    `sizes`; the head, where the line ends, has the second.
    """
    x, y = np.asarray(x), np.asarray(y, float)
    finite = np.flatnonzero(np.isfinite(y))
    head = int(finite[-1]) if len(finite) else 0
    stride = max(-(-len(y) // shapes), 1)
    steps = [k for k in range(begin, head, stride) if np.isfinite(y[k])]
    steps += [head] * min(len(y), 1)
    group = group or uid
    markers = Dots(
        x[steps],
        y[steps],
        style,
        name=name,
        uid=f"{uid}m",
        group=group,
        legend=False,
        size=[sizes[0]] * (len(steps) - 1) + [sizes[1]],
        values=steps,
        meta={"of": uid, "head": len(steps) - 1},
    )
    curve = Line(x, y, style, name=name, uid=uid, group=group, meta={"trail": True}, **line)
    return [curve, markers]


def bar_with_seeds(
    at: float,
    values: Array,
    height: float,
    style: Style,
    *,
    name: str,
    uid: str,
    edge: str,
    bar_hover: str,
    hover: str = "{name}: {y:.1%}",
    width: float = 0.7,
    spread: float = 0.2,
    alpha: float = 0.3,
    size: float = 10,
) -> list[Mark]:
    """A bar `height` high at a place, and on it a marker for the value of every seed."""
    values = np.asarray(values, float)
    positions = at + np.linspace(-spread, spread, len(values)) * (len(values) > 1)
    bar = {"width": width, "alpha": alpha, "uid": f"{uid}bar", "hover": bar_hover}
    dots = {"size": size, "edge": edge, "edge_width": 1.2, "uid": f"{uid}seeds"}
    return [
        Bars([at], [height], style.color, name=name, **bar),
        Dots(positions, values, style, name=name, hover=hover, **dots),
    ]


def histogram_outline(edges: Array, shares: Array, style: Style, **line) -> Line:
    """A histogram as a line with steps: `shares` `(n,)` between `edges` `(n + 1,)` of one width."""
    edges = np.asarray(edges, float)
    return Line((edges[1:] + edges[:-1]) / 2, shares, style, shape="hvh", **line)


def histogram_bars(edges: Array, shares: Array, color: str, **bars) -> Bars:
    """A histogram as bars: `shares` `(n,)` between `edges` `(n + 1,)` of one width."""
    edges = np.asarray(edges, float)
    width = float(edges[1] - edges[0])
    return Bars((edges[1:] + edges[:-1]) / 2, shares, color, width=width, **bars)
