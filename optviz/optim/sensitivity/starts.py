"""Over starts: from where an optimizer reaches which minimum, and how fast."""

from dataclasses import dataclass

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer
from optviz.optim.minima import Minima, minima_of
from optviz.optim.noise import Noise
from optviz.optim.run import ROWS
from optviz.optim.sensitivity.ends import final


@dataclass(frozen=True, eq=False)
class Basins:
    """Which minimum is reached from every start of a grid; arrays are `(len(ys), len(xs))`."""

    minima: np.ndarray  # (k, 2), of a curve of minima one point
    index: np.ndarray  # int, of the minimum; -1 where none was reached
    steps: np.ndarray  # int, the first step from which on f stays at its height; -1 likewise
    diverged_at: np.ndarray  # int, -1 where it did not
    share: np.ndarray  # of the seeds of the noise for which it is so; 1 where there is one


def basins(
    f: Function,
    opt: Optimizer,
    xs,
    ys,
    steps: int = 200,
    noise: Noise | None = None,
    seed=0,
    tolerance: float = 1e-3,
) -> Basins:
    """From where `opt` reaches which minimum of f, for the starts of a grid.

    Reached is the minimum that is nearest at the end, if f is within the tolerance of its height.
    Of several seeds `(k,)` it is what most of them come to, and the median of its steps.
    """
    if np.ndim(seed):
        return _most([basins(f, opt, xs, ys, steps, noise, int(s), tolerance) for s in seed])
    known, start = minima_of(f), np.stack(np.meshgrid(xs, ys), -1).astype(float)
    heights = np.append(known.values[known.places], np.nan)  # NaN where none is reached

    def height(points, values):
        return heights[reached_minimum(known, points, values, tolerance)]

    end = final(f, opt, start, steps, noise, seed=seed, level=height, tolerance=tolerance)
    index = reached_minimum(known, end.point, end.value, tolerance)
    share = np.ones(start.shape[:-1])
    return Basins(known.points[known.places], index, end.settled_at, end.diverged_at, share)


def _most(found: list[Basins]) -> Basins:
    """What most of some seeds come to: a minimum, nothing, or that they diverge."""
    index, steps, lost = (
        np.stack([getattr(b, name) for b in found]) for name in ("index", "steps", "diverged_at")
    )
    outcome = np.where(lost >= 0, -2, index)
    kinds = np.unique(outcome)
    votes = np.stack([(outcome == kind).sum(0) for kind in kinds])
    winner = kinds[votes.argmax(0)]
    steps, lost = (
        np.nanmedian(np.where(outcome == winner, v, np.nan), 0).astype(int) for v in (steps, lost)
    )
    return Basins(found[0].minima, np.maximum(winner, -1), steps, lost, votes.max(0) / len(found))


def reached_minimum(known: Minima, points, values, tolerance: float) -> np.ndarray:
    """The place of the minima that is nearest to points `(..., 2)`, `(...)` int; -1 where f is not
    as low as there.
    """
    if not len(known):
        return np.full(values.shape, -1)
    at, heights = points.reshape(-1, 2), values.ravel()
    nearest = np.empty(len(at), int)
    for i in range(0, len(at), ROWS):
        apart = ((at[i : i + ROWS, None] - known.points) ** 2).sum(-1)
        nearest[i : i + ROWS] = np.nan_to_num(apart, nan=np.inf).argmin(-1)
    there = np.abs(heights - known.values[nearest]) <= tolerance
    return np.where(there, known.group[nearest], -1).reshape(values.shape)
