"""By start: which minimum an optimizer reaches from where, and how fast."""

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
    share: np.ndarray  # of the noise's seeds with this outcome; 1 for a single seed


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
    """Which minimum of f `opt` reaches from each start of a grid.

    The minimum nearest to the end is reached if f is within the tolerance of its height. For
    several seeds `(k,)` it is the most frequent outcome, and the median of its steps.
    """
    if np.ndim(seed):
        return _majority([basins(f, opt, xs, ys, steps, noise, int(s), tolerance) for s in seed])
    minima, start = minima_of(f), np.stack(np.meshgrid(xs, ys), -1).astype(float)
    heights = np.append(minima.values[minima.places], np.nan)  # NaN where none is reached

    def height(points, values):
        return heights[reached_minimum(minima, points, values, tolerance)]

    end = final(f, opt, start, steps, noise, seed=seed, level=height, tolerance=tolerance)
    index = reached_minimum(minima, end.point, end.value, tolerance)
    share = np.ones(start.shape[:-1])
    return Basins(minima.points[minima.places], index, end.settled_at, end.diverged_at, share)


def _majority(runs: list[Basins]) -> Basins:
    """The most frequent outcome over seeds: a minimum, none, or divergence."""
    index, steps, lost = (
        np.stack([getattr(b, name) for b in runs]) for name in ("index", "steps", "diverged_at")
    )
    outcome = np.where(lost >= 0, -2, index)
    outcomes = np.unique(outcome)
    votes = np.stack([(outcome == candidate).sum(0) for candidate in outcomes])
    winner = outcomes[votes.argmax(0)]
    steps, lost = (
        np.nanmedian(np.where(outcome == winner, v, np.nan), 0).astype(int) for v in (steps, lost)
    )
    return Basins(runs[0].minima, np.maximum(winner, -1), steps, lost, votes.max(0) / len(runs))


def reached_minimum(minima: Minima, points, values, tolerance: float) -> np.ndarray:
    """The index in `Minima.places` of the minimum nearest to each point `(..., 2)`, `(...)` int; -1
    where f is not as low as there.
    """
    if not len(minima):
        return np.full(values.shape, -1)
    flat, heights = points.reshape(-1, 2), values.ravel()
    nearest = np.empty(len(flat), int)
    for i in range(0, len(flat), ROWS):
        dist2 = ((flat[i : i + ROWS, None] - minima.points) ** 2).sum(-1)
        nearest[i : i + ROWS] = np.nan_to_num(dist2, nan=np.inf).argmin(-1)
    as_low = np.abs(heights - minima.values[nearest]) <= tolerance
    return np.where(as_low, minima.group[nearest], -1).reshape(values.shape)
