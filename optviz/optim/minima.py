"""The minima of a function on its domain: smooth, kinked and degenerate ones, curves of them."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from optviz.functions.function import Function

GRID = 151  # points each way, so many to see a minimum by; odd, so that the middle is one
MAX_SEEDS = 2000
DEGENERATE = 1e-6  # of the largest curvature: what is smaller is none
FLAT = 1e-4  # of the function's own curvature, `Minima.curvature`: what is smaller is none


@dataclass(frozen=True, eq=False)
class Minima:
    """The minima of a function on its domain, the lowest first, and the scale that it has there.

    A minimum is `lowest` where nothing in the domain is lower; of a curve (or a region) of minima
    many points are listed, with its direction as `tangents`, which is (0, 0) elsewhere.
    """

    points: np.ndarray  # (k, 2)
    values: np.ndarray  # (k,)
    lowest: np.ndarray  # (k,) bool
    tangents: np.ndarray  # (k, 2)
    cell: float  # length of a grid cell, half of what the points of a curve may lie apart
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
        """Which of them belong to a curve of minima, ends included, `(k,)` bool."""
        return np.isin(self.group, self.group[self.tangents.any(-1)])

    def gap(self, values) -> np.ndarray:
        """Height above the least minimum, negative below it; NaN where none is known."""
        return values - self.floor

    def distance(self, points) -> np.ndarray:
        """Distance of points `(..., 2)` to the nearest minimum; NaN where none is known."""
        if not len(self):
            return np.full(points.shape[:-1], np.nan)
        apart = points[..., None, :] - self.points
        along = np.clip((apart * self.tangents).sum(-1), -2 * self.cell, 2 * self.cell)
        return np.sqrt(((apart - along[..., None] * self.tangents) ** 2).sum(-1)).min(-1)

    @cached_property
    def group(self) -> np.ndarray:
        """To which place of `places` each belongs, `(k,)` int: those of a curve to one."""
        level = np.round(self.values / (1e-6 * self.spread or 1.0))
        apart = ((self.points[:, None] - self.points) ** 2).sum(-1)
        joined = self.tangents.any(-1) & (level[:, None] == level) & (apart < (20 * self.cell) ** 2)
        joined |= np.eye(len(self), dtype=bool)
        label, before = np.arange(len(self)), None
        while not np.array_equal(label, before):
            before, label = label, np.where(joined, label, len(self)).min(-1, initial=len(self))
        return np.unique(label, return_inverse=True)[1]

    @cached_property
    def places(self) -> np.ndarray:
        """Indices of those to be listed, `(n,)`: of a curve the one in the middle."""
        middles = []
        for i in range(max(self.group, default=-1) + 1):
            members = np.flatnonzero(self.group == i)
            at = self.points[members]
            middles.append(members[((at - at.mean(0)) ** 2).sum(-1).argmin()])
        return np.array(middles, int)


def find_minima(f: Function) -> np.ndarray:
    """The minima of f, `(k, 2)`, the lowest first: those that are known and those found in the
    domain, kinks and degenerate ones included; k may be 0. Of a curve of minima there are many
    points.
    """
    return minima_of(f).points.copy()


@lru_cache(256)
@np.errstate(all="ignore")
def minima_of(f: Function) -> Minima:
    """The minima of f with what is known of each; worked out once for a function.

    Points of a grid that lie no higher than their neighbors go downhill, by Newton's method with
    the curvatures' absolute values and, where that does not end on level ground, by comparing
    values all around. What they come to is kept where no point around it is lower.
    """
    (low, high), found = np.array(f.domain, float).T, np.empty((0, 2))
    z, seeds = _seeds(f, low, high)
    defined = z[np.isfinite(z)]
    spread = float(np.median(defined) - defined.min()) if defined.size else 0.0
    cell, width = float((high - low).min() / GRID), float((high - low).max())
    if len(seeds) and np.ptp(defined) > 0:
        spread = spread or float(np.ptp(defined))
        found = _newton(f, seeds)
        kinked = ~(np.sqrt((f.grad(found) ** 2).sum(-1)) <= 1e-7 * spread / width)
        found[kinked] = _compass(f, found[kinked], cell)
        found = _rounded(f, _level(f, found, 1e-10 * spread), width)
        inside = ((low <= found) & (found <= high)).all(-1)
        found = found[inside]
        found = found[_are_minima(f, found, cell, spread, defined.min(), spread / width**2)]
    found = found[np.argsort(f.value(found), kind="stable")]
    found = _distinct(np.concatenate([f.minima, found]), 0.5 * cell)
    flat = FLAT * spread / width**2
    beside = _tangents(f, found, cell, spread, flat)[1]
    inside = ((low <= beside) & (beside <= high)).all(-1)
    found = _distinct(np.concatenate([found, beside[inside]]), 0.5 * cell)
    values = f.value(found)
    order = np.argsort(np.round(values / (1e-9 * spread or 1.0)), kind="stable")
    found, values = found[order], values[order]
    least = min(defined.min(initial=np.inf), values.min(initial=np.inf))
    lowest = values <= least + 1e-9 * (spread + abs(least)) if len(found) else np.empty(0, bool)
    tangents = _tangents(f, found, cell, spread, flat)[0]
    return Minima(found, values, lowest, tangents, cell, spread, spread / width**2)


def _seeds(f, low, high):
    """f on a grid, infinite where it is not defined, and the points no higher than all around.

    Points just outside the domain are among those around, so that no slope is followed out of it.
    """
    rim = (high - low) / (GRID - 1)
    at = np.stack(np.meshgrid(*np.linspace(low - rim, high + rim, GRID + 2).T), -1)
    wide = f.value(at)
    wide = np.where(np.isfinite(wide), wide, np.inf)
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    around = np.min([wide[i : i + GRID, j : j + GRID] for i, j in shifts], 0)
    z = wide[1:-1, 1:-1]
    seeds = at[1:-1, 1:-1][(z < np.inf) & (z <= around)]
    return z, seeds[:: -(-len(seeds) // MAX_SEEDS) or 1]


def _newton(f, at, steps: int = 40):
    """Newton's method downhill from every point; along a direction without curvature it stays."""
    value, share = f.value(at), np.ones((len(at), 1))
    for _ in range(steps):
        curvatures, axes = _curvatures(f, at)
        size = np.abs(curvatures)
        size = np.where(size > 1e-12 * size.max(-1, keepdims=True), size, np.inf)
        slope = np.nan_to_num((axes * f.grad(at)[:, :, None]).sum(-2))
        other = at - share * (axes * (slope / size)[:, None, :]).sum(-1)
        there = f.value(other)
        better = there <= value
        at, value = np.where(better[:, None], other, at), np.where(better, there, value)
        share = np.where(better[:, None], np.minimum(1.0, 2 * share), share / 4)
    return at


def _level(f, at, noise):
    """A few more steps by the gradient, which says more than rounded values."""
    for _ in range(3):
        curvatures, axes = _curvatures(f, at)
        size = np.where(curvatures > 1e-6 * curvatures[:, 1:], curvatures, np.inf)
        slope = (axes * f.grad(at)[:, :, None]).sum(-2)
        other = at - (axes * (slope / size)[:, None, :]).sum(-1)
        less = np.abs(f.grad(other)).max(-1) < np.abs(f.grad(at)).max(-1)
        at = np.where((less & (f.value(other) <= f.value(at) + noise))[:, None], other, at)
    return at


def _around(f, at, radius):
    """The lowest points at a distance `(k,)` of each, `(k, 2)`, f there, and the highest f around.

    The best of sixteen directions, then of finer and finer ones: a valley's floor may be narrow.
    """
    rows, turns = np.arange(len(at)), np.arange(16) * np.pi / 8 + np.zeros((len(at), 1))
    highest = np.nan_to_num(f.value(_turned(at, radius, turns)), nan=-np.inf).max(-1)
    for zoom in (4, 16, 64, 256):
        heights = np.nan_to_num(f.value(_turned(at, radius, turns)), nan=np.inf)
        best = np.take_along_axis(turns, heights.argsort(-1)[:, :4], -1)
        finer = np.arange(-4, 5) * np.pi / 8 / zoom
        turns = (best[:, :, None] + finer).reshape(len(at), 4 * 9)
    around = _turned(at, radius, turns)
    heights = np.nan_to_num(f.value(around), nan=np.inf)
    best = heights.argmin(-1)
    return around[rows, best], heights[rows, best], highest


def _turned(at, radius, turns):
    unit = np.stack([np.cos(turns), np.sin(turns)], -1)
    return at[:, None] + np.reshape(radius, (-1, 1, 1)) * unit


def _compass(f, at, cell: float):
    """The lowest point around, again and again; a nearer one where none is lower.

    Only what is lower by a share of the height around counts, so that nothing wanders along a level
    valley: a large share at first, then from near by a small one.
    """
    value = f.value(at)
    for first, share in ((cell, 1e-6), (cell / 20, 1e-9)):
        step = np.full(len(at), first)
        for _ in range(60 if len(at) else 0):
            other, there, highest = _around(f, at, step)
            better = there < value - share * np.abs(highest - value)
            at, value = np.where(better[:, None], other, at), np.where(better, there, value)
            step = step * np.where(better, 1.5, 0.5)
    return at


def _rounded(f, at, width: float):
    """Rounder numbers where f is as low there: 0 and not 1e-17."""
    digits = 3 - int(np.floor(np.log10(width)))
    for more in (9, 6, 3, 1):
        other, value = at.round(digits + more) + 0.0, f.value(at)
        at = np.where((f.value(other) <= value + 4 * np.spacing(value))[:, None], other, at)
    return at


def _are_minima(f, at, cell, spread, least, curvature):
    """Which of the points have nothing lower around them, and more than a plain: `(k,)` bool."""
    value = f.value(at)
    noise = 1e-12 * (spread + np.abs(value))
    far, near = (_around(f, at, share * cell)[1] - value for share in (0.5, 0.05))
    turns = np.arange(32) * np.pi / 16 + np.zeros((len(at), 1))
    ring, close = (
        f.value(_turned(at, share * cell, turns)) - value[:, None] for share in (0.5, 1e-6)
    )
    curved = _curvatures(f, at)[0][:, 0] > FLAT * curvature
    plain = (np.abs(ring) <= noise[:, None]).all(-1) & (value > least + 1e-9 * spread)
    pole = ~(np.nan_to_num(close, nan=0.0).max(-1) <= 0.01 * spread)
    return np.isfinite(value) & (near >= -noise) & (curved | (far >= -noise)) & ~plain & ~pole


def _curvatures(f, at):
    """Eigenvalues `(k, 2)` and eigenvectors `(k, 2, 2)` of the Hessian; 0 where it is none."""
    hess = f.hess(at)
    known = np.isfinite(hess).all((-2, -1), keepdims=True)
    return np.linalg.eigh(np.where(known, hess, 0.0))


def _distinct(at, apart: float):
    """The points without those that are the same as an earlier one."""
    kept = np.ones(len(at), bool)
    for i in range(len(at)):
        if kept[i]:
            kept[i + 1 :] &= ((at[i + 1 :] - at[i]) ** 2).sum(-1) > apart**2
    return at[kept]


def _tangents(f, at, cell, spread, flat):
    """The direction in which a minimum goes on as low as it is, (0, 0) where in none, `(k, 2)`; and
    the points to which it goes on.

    Tried is a step each way along every direction without curvature, and down from there.
    """
    tangents, beside, value = np.zeros_like(at), [np.empty((0, 2))], f.value(at)
    curvatures, axes = _curvatures(f, at)
    scale = np.maximum(np.abs(curvatures).max(-1, initial=0), flat)
    for i in range(2):
        level = np.abs(curvatures[:, i]) <= DEGENERATE * scale
        if not level.any():
            continue
        there, along = at[level], axes[level, :, i]
        goes_on, ends = np.ones(len(there), bool), []
        for side in (2 * cell, -2 * cell):
            end = _newton(f, there + side * along)
            as_low = np.abs(f.value(end) - value[level]) <= 1e-9 * spread
            goes_on &= as_low & (((end - there) ** 2).sum(-1) > cell**2)
            ends.append(end)
        tangents[level] = np.where(goes_on[:, None], along, tangents[level])
        beside += [end[goes_on] for end in ends]
    return tangents, np.concatenate(beside)
