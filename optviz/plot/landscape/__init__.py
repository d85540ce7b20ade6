"""A function of two variables on a grid, and how high its values are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optviz.plot.style import number

COARSER = 4  # times, beyond the domain
FINER = 40  # points each way, around one of the grid
TAIL = 0.02  # of the values: beyond the others where they lead to a pole

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
    sign: int = 1  # -1: the values are minus what is to be read
    margins: tuple[int, int] = (0, 0)  # rows and columns on each side that are not of the domain

    @classmethod
    def from_function(cls, f, n: int = 150, reach: tuple[float, float] = (1, 1)) -> "Landscape":
        """From a function with `domain` and `value` of points `(..., 2)`, on n times n of them.

        With `reach` it extends beyond the domain, to so many times its width and its height, on a
        coarser grid; levels and colors are those of the domain.
        """
        axes = zip(f.domain, reach, strict=True)
        (x, x_margin), (y, y_margin) = (_extend(*ends, n, factor) for ends, factor in axes)
        z = f.value(np.stack(np.meshgrid(x, y), -1))
        rows, columns = slice(y_margin, len(y) - y_margin), slice(x_margin, len(x) - x_margin)
        land = cls.from_grid(x[columns], y[rows], z[rows, columns])
        if not np.isfinite(land.z).any():
            return land
        low, middle, high = np.nanquantile(land.z, [TAIL, 0.5, 1 - TAIL])
        return replace(
            cls.from_grid(x, y, z),
            log=land.log,
            sign=getattr(f, "sign", 1),
            margins=(y_margin, x_margin),
            low=low if _leads_to_pole(f, land, middle, -1) else -np.inf,
            high=high if _leads_to_pole(f, land, middle, 1) else np.inf,
        )

    @classmethod
    def from_grid(cls, x, y, z) -> "Landscape":
        """From values `(m, n)` that are already computed."""
        z = np.where(np.isfinite(z), z, np.nan)
        finite = z[np.isfinite(z)]
        if not finite.size:
            return cls(x, y, z, False)
        low, middle, high = np.quantile(finite - finite.min(), [0.05, 0.5, 0.98])
        return cls(x, y, z, bool(high > 60 * low and high > 6 * middle))

    @property
    def inner(self) -> np.ndarray:
        """The values on the domain alone."""
        (y_margin, x_margin), (m, n) = self.margins, self.z.shape
        return self.z[y_margin : m - y_margin, x_margin : n - x_margin]

    def at(self, x, y) -> np.ndarray:
        """The values at points, interpolated linearly on the grid; NaN outside."""
        columns, rows = (
            np.interp(position, grid, np.arange(len(grid)), np.nan, np.nan)
            for position, grid in ((x, self.x), (y, self.y))
        )
        inside = np.isfinite(columns) & np.isfinite(rows)
        i, j = (np.where(inside, position, 0).astype(int) for position in (rows, columns))
        i, j = np.minimum(i, len(self.y) - 2), np.minimum(j, len(self.x) - 2)
        s, t = rows - i, columns - j
        below = self.z[i, j] * (1 - t) + self.z[i, j + 1] * t
        above = self.z[i + 1, j] * (1 - t) + self.z[i + 1, j + 1] * t
        return np.where(inside, below * (1 - s) + above * s, np.nan)

    @property
    def has_floor(self) -> bool:
        """Whether the lowest point is inside of the domain."""
        return bool(np.nanmin(self.inner[1:-1, 1:-1]) <= np.nanmin(self.inner))


def _extend(low, high, n, factor):
    """n points from low to high and coarser ones around them; how many of these are on a side."""
    inside, margin = np.linspace(low, high, n), (factor - 1) / 2 * (high - low)
    n_outside = int(np.ceil((factor - 1) / 2 * n / COARSER)) if factor > 1 else 0
    left = np.linspace(low - margin, low, n_outside, endpoint=False)
    return np.concatenate([left, inside, (low + high - left)[::-1]]), n_outside


def _leads_to_pole(f, land, middle, sign):
    """Whether f, between the points of the grid, gets several times as far from its median.

    `sign` is 1 at the upper end and -1 at the lower.
    """
    row, column = np.unravel_index(np.nanargmax(sign * land.z), land.z.shape)
    x_offsets, y_offsets = ((c[1] - c[0]) * np.linspace(-1, 1, FINER) for c in (land.x, land.y))
    nearby = f.value(np.stack(np.meshgrid(land.x[column] + x_offsets, land.y[row] + y_offsets), -1))
    farthest = np.max(sign * nearby, initial=-np.inf, where=np.isfinite(nearby))
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
    top: float = np.inf  # of what is beyond the domain
    sign: int = 1

    @classmethod
    def from_landscape(
        cls, land: Landscape, log: bool | None = None, root: bool = False
    ) -> "Heights":
        """For a landscape; `log` None follows the data: the logarithm, else with `root` the square
        root, which has as many rings near the lowest point as far from it, where there are rings.
        """
        auto, log = log is None, land.log if log is None else log
        finite = land.inner[np.isfinite(land.inner)]
        if not finite.size:
            return cls(log, False, 0.0, 1.0, 0.0, 1.0, 1.0, land.sign)
        root = root and auto and not log and land.has_floor
        base = float(max(finite.min(), land.low))
        lifted = finite[finite >= base] - base
        offset = max(float(np.quantile(lifted, 0.01)), 1e-12) if log else 1.0
        top = finite.max() if log else min(finite.max(), land.high)
        ends = cls(log, root, base, offset)
        low, high = (float(end) for end in ends.transform(np.array([base, top])))
        ends = replace(ends, low=low, high=high, top=high, sign=land.sign)
        if not max(land.margins):
            return ends
        extended = replace(ends, top=2 * high - low).transform(land.z)
        return replace(ends, top=max(float(np.nanmax(extended)), high))

    def transform(self, z):
        """From values to heights; what is far below or above those of the domain is cut off."""
        above = np.maximum(z - self.base, 0)
        heights = np.log10(above + self.offset) if self.log else np.sqrt(above) if self.root else z
        return np.clip(heights, self.low, self.top)

    def inverse(self, height):
        """From heights to values."""
        if self.log:
            return self.base + 10.0**height - self.offset
        return self.base + height**2 if self.root else height

    def ticks(self, n: int) -> tuple[np.ndarray, list[str]]:
        """n heights, about evenly spaced, of round values, for reading; one where all are equal."""
        heights = np.linspace(self.low, self.top, n if self.low < self.high else 1)
        values = self.inverse(heights)
        if len(values) > 1:
            gaps = np.diff(values)
            gaps = np.minimum(np.r_[gaps, gaps[-1]], np.r_[gaps[0], gaps])
            unit = 10.0 ** np.floor(np.log10(gaps / 1.5))
            unit *= np.select([gaps / 1.5 >= 5 * unit, gaps / 1.5 >= 2 * unit], [5, 2], 1)
            values = np.round(values / unit) * unit + 0.0
        displayed = self.sign * values + 0.0
        texts = [[number(float(f"{v:.{n}g}"), max(n, 7)) for v in displayed] for n in (3, 6, 12)]
        return self.transform(values), next((t for t in texts if len({*t}) == len(t)), texts[-1])


def frame_around(domain: Domain, aspect: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The frame around the middle of a domain, `aspect` times as wide as high, in which both axes
    have one scale.
    """
    factors = reach(domain, aspect, aspect)
    middle, half = np.array(domain).mean(1), np.ptp(domain, axis=1) * factors / 2
    return tuple((float(m - h), float(m + h)) for m, h in zip(middle, half, strict=True))


def reach(domain: Domain, narrow: float, wide: float) -> tuple[float, float]:
    """How many times the domain's width and height a frame of one scale shows at most, which is
    between `narrow` and `wide` times as wide as high.
    """
    width, height = np.ptp(domain, axis=1)
    return max(1.0, wide * height / width), max(1.0, width / height / narrow)
