"""Where the data of a figure are in pixels, for figures drawn without Plotly."""

from dataclasses import dataclass, field

import numpy as np

from optviz.plot.figure import Axis
from optviz.plot.marks import Band, Bars, Heatmap, Line, Rule

FAR = 2.0  # sizes of the panel: what is farther out is drawn there


@dataclass(frozen=True, eq=False)
class Scale:
    """From the units of an axis to pixels of a panel that is `length` long."""

    low: float
    high: float
    log: bool
    length: float
    names: dict[str, int] = field(default_factory=dict)

    @classmethod
    def fit(cls, axis: Axis, k: int, arrays: list[np.ndarray], length: float) -> "Scale":
        """A scale with the axis' limits, or where it has none those of the data and some room."""
        names_in_order = [str(v) for a in arrays if a.dtype.kind in "USO" for v in a]
        names = {name: i for i, name in enumerate(dict.fromkeys(names_in_order))}
        scale = cls(0.0, 1.0, axis.log, length, names)
        if axis.limits is not None:
            low, high = scale.flat(np.array(axis.limits, float))
        else:
            finite = np.concatenate([scale.flat(a).ravel() for a in arrays] or [np.zeros(0)])
            finite = finite[np.isfinite(finite)]
            low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
            room = 0.5 if names else 0.04 * (high - low) or 0.5
            low, high = low - room, high + room
        if axis.reversed != (k == 1):  # pixels count downwards
            low, high = high, low
        return cls(float(low), float(high), axis.log, length, names)

    def flat(self, values) -> np.ndarray:
        """Values as evenly spaced numbers: their logarithms, or the indices of names."""
        a = np.asarray(values)
        if a.dtype.kind in "USO":
            return np.array([self.names.get(str(v), np.nan) for v in a], float)
        a = np.asarray(a, float)
        with np.errstate(all="ignore"):
            return np.log10(np.where(a > 0, a, np.nan)) if self.log else a

    def pixels(self, values) -> np.ndarray:
        """Values in pixels; NaN where they are not finite."""
        flat = self.flat(values)
        with np.errstate(all="ignore"):
            far = np.clip(self.along(flat), -FAR * self.length, (1 + FAR) * self.length)
        return np.where(np.isfinite(flat), far, np.nan)

    def along(self, flat) -> np.ndarray:
        """Evenly spaced numbers in pixels."""
        return (flat - self.low) / (self.high - self.low or 1.0) * self.length


@dataclass(frozen=True, eq=False)
class Paper:
    """Both scales of a panel."""

    x: Scale
    y: Scale

    def __call__(self, x, y) -> np.ndarray:
        """Points in pixels, `(n, 2)`."""
        pixels = self.x.pixels(x), self.y.pixels(y)
        return np.stack(np.broadcast_arrays(*pixels), -1).reshape(-1, 2)


def coordinates(mark, k):
    """The arrays of a mark that lie along the x or the y axis."""
    if isinstance(mark, Rule):
        value = (mark.x, mark.y)[k]
        return [] if value is None else [np.array([value], float)]
    if isinstance(mark, Band):
        return [np.asarray(a, float) for a in ((mark.x,) if k == 0 else (mark.low, mark.high))]
    places = (mark.x, mark.y)[k]
    if isinstance(mark, Heatmap):
        n = np.shape(mark.z)[1 - k]
        places = np.arange(n) if places is None else places
        if np.asarray(places).dtype.kind not in "USO":
            return [cell_edges(places)]
    if isinstance(mark, Bars) and k == 0:
        half = (mark.width or 0.8) / 2
        return [np.asarray(places, float) + side for side in (-half, half)]
    if k == 1 and (isinstance(mark, Bars) or (isinstance(mark, Line) and mark.fill)):
        return [np.asarray(places, float), np.zeros(1)]
    return [np.asarray(places)]


def outlines(mark: Band) -> list[np.ndarray]:
    """The areas `(n, 2)` of a band, up to each gap."""
    curves = np.array([mark.x, mark.low, mark.high], float)
    parts = np.split(curves, np.flatnonzero(np.isnan(curves[0])), axis=1)
    finite = [part[:, np.isfinite(part).all(0)] for part in parts]
    return [np.hstack([p[::2], p[:2, ::-1]]).T for p in finite if p.size]


def cell_edges(centers):
    """The outer edges of evenly spaced cells, from their centers."""
    c = np.asarray(centers, float)
    half = (c[-1] - c[0]) / (2 * (len(c) - 1)) if len(c) > 1 else 0.5
    return np.array([c[0] - half, c[-1] + half]) if len(c) else np.array([0.0, 1.0])
