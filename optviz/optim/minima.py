"""The minima of a function on its domain: smooth, kinked and degenerate ones, curves of them."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from optviz.functions.function import Function

GRID = 151  # points per axis, enough to find the minima; odd, so that the middle is one
MAX_SEEDS = 2000
DEGENERATE = 1e-6  # of the largest curvature: a smaller one counts as 0
FLAT = 1e-4  # of the function's own curvature, `Minima.curvature`: a smaller one counts as 0


@dataclass(frozen=True, eq=False)
class Minima:
    """The minima of a function on its domain, the lowest first, and the function's scale there.

    A minimum is `lowest` where nothing in the domain is lower; of a curve (or a region) of minima
    many points are listed, with its direction as `tangents`, which is (0, 0) elsewhere.
    """

    points: np.ndarray  # (k, 2)
    values: np.ndarray  # (k,)
    lowest: np.ndarray  # (k,) bool
    tangents: np.ndarray  # (k, 2)
    cell: float  # length of a grid cell, half the largest distance between points of a curve
    spread: float  # height of the domain's median above its lowest point
    curvature: float  # that height over the square of the domain's width

    def __len__(self) -> int:
        return len(self.points)

    @property
    def floor(self) -> float:
        """The least value, NaN where no minimum is known."""
        return float(self.values.min()) if len(self) else np.nan

    @cached_property
    def on_curve(self) -> np.ndarray:
        """Which minima belong to a curve, ends included, `(k,)` bool."""
        return np.isin(self.group, self.group[self.tangents.any(-1)])

    def gap(self, values) -> np.ndarray:
        """Height above the least minimum, negative below it; NaN where none is known."""
        return values - self.floor

    def distance(self, points) -> np.ndarray:
        """Distance of points `(..., 2)` to the nearest minimum; NaN where none is known."""
        if not len(self):
            return np.full(points.shape[:-1], np.nan)
        offsets = points[..., None, :] - self.points
        along = np.clip((offsets * self.tangents).sum(-1), -2 * self.cell, 2 * self.cell)
        return np.sqrt(((offsets - along[..., None] * self.tangents) ** 2).sum(-1)).min(-1)

    @cached_property
    def group(self) -> np.ndarray:
        """The index in `places` of each minimum, `(k,)` int: one for all those of a curve."""
        level = np.round(self.values / (1e-6 * self.spread or 1.0))
        dist2 = ((self.points[:, None] - self.points) ** 2).sum(-1)
        linked = self.tangents.any(-1) & (level[:, None] == level) & (dist2 < (20 * self.cell) ** 2)
        linked |= np.eye(len(self), dtype=bool)
        label, previous = np.arange(len(self)), None
        while not np.array_equal(label, previous):
            previous, label = label, np.where(linked, label, len(self)).min(-1, initial=len(self))
        return np.unique(label, return_inverse=True)[1]

    @cached_property
    def places(self) -> np.ndarray:
        """Indices of the minima to be listed, `(n,)`: of a curve only the middle one."""
        middles = []
        for i in range(max(self.group, default=-1) + 1):
            members = np.flatnonzero(self.group == i)
            points = self.points[members]
            middles.append(members[((points - points.mean(0)) ** 2).sum(-1).argmin()])
        return np.array(middles, int)


def find_minima(f: Function) -> np.ndarray:
    """The minima of f, `(k, 2)`, the lowest first: the declared ones and those found in the domain,
    kinks and degenerate ones included; k may be 0. A curve of minima has many points.
    """
    return minima_of(f).points.copy()


@lru_cache(256)
@np.errstate(all="ignore")
def minima_of(f: Function) -> Minima:
    """The minima of f with what is known about each; computed once per function.

    Points of a grid that lie no higher than their neighbors go downhill, by Newton's method with
    the curvatures' absolute values and, where that does not end at a zero gradient, by comparing
    values all around. Their end points are kept where no point around is lower.
    """
    (low, high), points = np.array(f.domain, float).T, np.empty((0, 2))
    grid, seeds = _seeds(f, low, high)
    defined = grid[np.isfinite(grid)]
    spread = float(np.median(defined) - defined.min()) if defined.size else 0.0
    cell, width = float((high - low).min() / GRID), float((high - low).max())
    if len(seeds) and np.ptp(defined) > 0:
        spread = spread or float(np.ptp(defined))
        points = _newton(f, seeds)
        kinked = ~(np.sqrt((f.grad(points) ** 2).sum(-1)) <= 1e-7 * spread / width)
        points[kinked] = _compass(f, points[kinked], cell)
        points = _round(f, _refine(f, points, 1e-10 * spread), width)
        inside = ((low <= points) & (points <= high)).all(-1)
        points = points[inside]
        points = points[_are_minima(f, points, cell, spread, defined.min(), spread / width**2)]
    points = points[np.argsort(f.value(points), kind="stable")]
    points = _distinct(np.concatenate([f.minima, points]), 0.5 * cell)
    flat = FLAT * spread / width**2
    others = _tangents(f, points, cell, spread, flat)[1]
    inside = ((low <= others) & (others <= high)).all(-1)
    points = _distinct(np.concatenate([points, others[inside]]), 0.5 * cell)
    values = f.value(points)
    order = np.argsort(np.round(values / (1e-9 * spread or 1.0)), kind="stable")
    points, values = points[order], values[order]
    floor = min(defined.min(initial=np.inf), values.min(initial=np.inf))
    lowest = values <= floor + 1e-9 * (spread + abs(floor)) if len(points) else np.empty(0, bool)
    tangents = _tangents(f, points, cell, spread, flat)[0]
    return Minima(points, values, lowest, tangents, cell, spread, spread / width**2)


def _seeds(f, low, high):
    """f on a grid, infinite where it is not defined, and the points no higher than their neighbors.

    Points just outside the domain count as neighbors, so that no slope is followed out of it.
    """
    margin = (high - low) / (GRID - 1)
    points = np.stack(np.meshgrid(*np.linspace(low - margin, high + margin, GRID + 2).T), -1)
    values = f.value(points)
    values = np.where(np.isfinite(values), values, np.inf)
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    neighbors = np.min([values[i : i + GRID, j : j + GRID] for i, j in shifts], 0)
    z = values[1:-1, 1:-1]
    seeds = points[1:-1, 1:-1][(z < np.inf) & (z <= neighbors)]
    return z, seeds[:: -(-len(seeds) // MAX_SEEDS) or 1]


def _newton(f, points, steps: int = 40):
    """Newton's method downhill from every point; along a direction without curvature it stays."""
    value, fraction = f.value(points), np.ones((len(points), 1))
    for _ in range(steps):
        curvatures, axes = _curvatures(f, points)
        size = np.abs(curvatures)
        size = np.where(size > 1e-12 * size.max(-1, keepdims=True), size, np.inf)
        slope = np.nan_to_num((axes * f.grad(points)[:, :, None]).sum(-2))
        trial = points - fraction * (axes * (slope / size)[:, None, :]).sum(-1)
        heights = f.value(trial)
        better = heights <= value
        points, value = np.where(better[:, None], trial, points), np.where(better, heights, value)
        fraction = np.where(better[:, None], np.minimum(1.0, 2 * fraction), fraction / 4)
    return points


def _refine(f, points, noise):
    """A few more steps by the gradient, which is more precise than rounded values."""
    for _ in range(3):
        curvatures, axes = _curvatures(f, points)
        size = np.where(curvatures > 1e-6 * curvatures[:, 1:], curvatures, np.inf)
        slope = (axes * f.grad(points)[:, :, None]).sum(-2)
        trial = points - (axes * (slope / size)[:, None, :]).sum(-1)
        accept = np.abs(f.grad(trial)).max(-1) < np.abs(f.grad(points)).max(-1)
        accept &= f.value(trial) <= f.value(points) + noise
        points = np.where(accept[:, None], trial, points)
    return points


def _lowest_around(f, points, radius):
    """The lowest points at a distance `(k,)` of each, `(k, 2)`, f there, and the highest f around.

    The best of sixteen directions, then of finer and finer ones: a valley's floor may be narrow.
    """
    rows, angles = np.arange(len(points)), np.arange(16) * np.pi / 8 + np.zeros((len(points), 1))
    highest = np.nan_to_num(f.value(_circles(points, radius, angles)), nan=-np.inf).max(-1)
    for zoom in (4, 16, 64, 256):
        heights = np.nan_to_num(f.value(_circles(points, radius, angles)), nan=np.inf)
        best = np.take_along_axis(angles, heights.argsort(-1)[:, :4], -1)
        finer = np.arange(-4, 5) * np.pi / 8 / zoom
        angles = (best[:, :, None] + finer).reshape(len(points), 4 * 9)
    circles = _circles(points, radius, angles)
    heights = np.nan_to_num(f.value(circles), nan=np.inf)
    best = heights.argmin(-1)
    return circles[rows, best], heights[rows, best], highest


def _circles(centers, radius, angles):
    directions = np.stack([np.cos(angles), np.sin(angles)], -1)
    return centers[:, None] + np.reshape(radius, (-1, 1, 1)) * directions


def _compass(f, points, cell: float):
    """Move to the lowest point around, again and again; search nearer where none is lower.

    Lower means by a share of the height around, so that no point wanders along a level valley: a
    large share at first, then nearby a small one.
    """
    value = f.value(points)
    for length, share in ((cell, 1e-6), (cell / 20, 1e-9)):
        step = np.full(len(points), length)
        for _ in range(60 if len(points) else 0):
            trial, low, highest = _lowest_around(f, points, step)
            better = low < value - share * np.abs(highest - value)
            points, value = np.where(better[:, None], trial, points), np.where(better, low, value)
            step = step * np.where(better, 1.5, 0.5)
    return points


def _round(f, points, width: float):
    """The points rounded where f is no higher: 0 and not 1e-17."""
    digits = 3 - int(np.floor(np.log10(width)))
    for extra in (9, 6, 3, 1):
        trial, value = points.round(digits + extra) + 0.0, f.value(points)
        points = np.where((f.value(trial) <= value + 4 * np.spacing(value))[:, None], trial, points)
    return points


def _are_minima(f, points, cell, spread, floor, curvature):
    """Which of the points have nothing lower around them and are not on a plain: `(k,)` bool."""
    value = f.value(points)
    noise = 1e-12 * (spread + np.abs(value))
    far, near = (_lowest_around(f, points, share * cell)[1] - value for share in (0.5, 0.05))
    angles = np.arange(32) * np.pi / 16 + np.zeros((len(points), 1))
    ring, nearest = (
        f.value(_circles(points, share * cell, angles)) - value[:, None] for share in (0.5, 1e-6)
    )
    curved = _curvatures(f, points)[0][:, 0] > FLAT * curvature
    plain = (np.abs(ring) <= noise[:, None]).all(-1) & (value > floor + 1e-9 * spread)
    pole = ~(np.nan_to_num(nearest, nan=0.0).max(-1) <= 0.01 * spread)
    return np.isfinite(value) & (near >= -noise) & (curved | (far >= -noise)) & ~plain & ~pole


def _curvatures(f, points):
    """Eigenvalues `(k, 2)` and eigenvectors `(k, 2, 2)` of the Hessian; of 0 if not finite."""
    hess = f.hess(points)
    finite = np.isfinite(hess).all((-2, -1), keepdims=True)
    return np.linalg.eigh(np.where(finite, hess, 0.0))


def _distinct(points, distance: float):
    """The points without those that are closer than `distance` to an earlier one."""
    keep = np.ones(len(points), bool)
    for i in range(len(points)):
        if keep[i]:
            keep[i + 1 :] &= ((points[i + 1 :] - points[i]) ** 2).sum(-1) > distance**2
    return points[keep]


def _tangents(f, points, cell, spread, flat):
    """The direction in which a minimum continues at the same height, (0, 0) if none, `(k, 2)`; and
    the points to which it continues.

    It tries a step each way along every direction without curvature, and goes down from there.
    """
    tangents, others, value = np.zeros_like(points), [np.empty((0, 2))], f.value(points)
    curvatures, axes = _curvatures(f, points)
    scale = np.maximum(np.abs(curvatures).max(-1, initial=0), flat)
    for i in range(2):
        level = np.abs(curvatures[:, i]) <= DEGENERATE * scale
        if not level.any():
            continue
        starts, along = points[level], axes[level, :, i]
        goes_on, ends = np.ones(len(starts), bool), []
        for side in (2 * cell, -2 * cell):
            end = _newton(f, starts + side * along)
            equal = np.abs(f.value(end) - value[level]) <= 1e-9 * spread
            goes_on &= equal & (((end - starts) ** 2).sum(-1) > cell**2)
            ends.append(end)
        tangents[level] = np.where(goes_on[:, None], along, tangents[level])
        others += [end[goes_on] for end in ends]
    return tangents, np.concatenate(others)
