"""By hyperparameter: the results of many settings, and the best of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import OPTIMIZERS, Optimizer, find, with_hyperparameter
from optviz.optim.hyperparameter import Hyperparameter
from optviz.optim.minima import minima_of
from optviz.optim.minimize import batch_start
from optviz.optim.noise import Noise
from optviz.optim.schedules import Schedule
from optviz.optim.sensitivity.ends import final

COORDINATES = ("x", "y")  # of the start, as axes of a sweep
MEASURES = ("value", "steps")


@dataclass(frozen=True, eq=False)
class Sweep:
    """The result of every setting. Arrays have the axes in their order, then those of the batch."""

    axes: dict[str, np.ndarray]
    values: np.ndarray  # NaN where it diverged
    diverged_at: np.ndarray  # the step, -1 where it did not
    evaluations: np.ndarray  # of every kind together
    losses: np.ndarray  # f at the end, whatever is measured
    settled_at: np.ndarray  # the first step from which on it stays low; -1 also if not measured

    @property
    def means(self) -> np.ndarray:
        """The values on average over the batch, NaN where some row of it diverged."""
        return self.values.mean(tuple(range(len(self.axes), self.values.ndim)))

    def best(self) -> dict[str, float]:
        """The setting with the least value, on average over the batch.

        Raises ValueError where every setting diverges for some row of the batch.
        """
        if np.isnan(self.means).all():
            raise ValueError("every setting diverges")
        index = np.unravel_index(np.nanargmin(self.means), self.means.shape)
        return {name: v[i].item() for (name, v), i in zip(self.axes.items(), index, strict=True)}


def sweep(
    f: Function,
    optimizer: str | Optimizer,
    axes: Mapping[str, np.ndarray],
    start=None,
    steps: int = 30,
    measure: str = "value",
    noise: Noise | None = None,
    schedule: Schedule | Mapping[str, Schedule] | None = None,
    seed=0,
    tolerance: float = 1e-3,
    budget: float = np.inf,
) -> Sweep:
    """Every setting of the axes, run from a start, or from a batch of starts and seeds.

    An axis is a hyperparameter of the optimizer (a key of OPTIMIZERS, or an instance, which has the
    other hyperparameters) or of the one inside it, "x" or "y" of the start, or "seed". Measured is
    the "value" of f after the steps, or the "steps" until it stays within the tolerance of the
    least minimum, infinite where it does not. With a `budget` a run ends where `final` ends it.

    Raises ValueError for an axis or a measure that does not exist, for a value that is not valid,
    and as `minimize` does.
    """
    opt = OPTIMIZERS[optimizer]() if isinstance(optimizer, str) else optimizer
    axes = {name: np.array(values).ravel() for name, values in axes.items()}
    if measure not in MEASURES:
        raise ValueError(f"a measure is one of {', '.join(MEASURES)}, not {measure!r}")
    for i, name in enumerate(axes):
        if name not in (*COORDINATES, "seed") and hyperparameter_named(opt, name).kind is not float:
            others = {k: v for k, v in axes.items() if k != name}
            arguments = (start, steps, measure, noise, schedule, seed, tolerance, budget)
            parts = [
                sweep(f, with_hyperparameter(opt, name, v), others, *arguments)
                for v in axes[name].tolist()
            ]
            fields = ("values", "diverged_at", "evaluations", "losses", "settled_at")
            return Sweep(axes, *(np.stack([getattr(p, k) for p in parts], i) for k in fields))

    start = np.array(batch_start(f, [opt], start, seed))
    shape = (*map(len, axes.values()), *start.shape[:-1])
    start = np.broadcast_to(start, (*shape, start.shape[-1])).copy()
    for i, (name, values) in enumerate(axes.items()):
        column = values.reshape(-1, *[1] * (len(shape) - 1 - i))
        if name in COORDINATES:
            start[..., COORDINATES.index(name)] = column
        elif name == "seed":
            seed = np.broadcast_to(column, shape)
        else:
            opt = with_hyperparameter(opt, name, column[..., None].astype(float))
    level = minima_of(f).floor if measure == "steps" else None
    end = final(f, opt, start, steps, noise, schedule, seed, (), level, tolerance, budget)
    values = end.value
    if measure == "steps":
        never = np.where(np.isnan(values), np.nan, np.inf)
        values = np.where(end.settled_at < 0, never, end.settled_at)
    evaluations = np.asarray(sum(end.evaluations))
    return Sweep(axes, values, end.diverged_at, evaluations, end.value, end.settled_at)


@dataclass(frozen=True)
class Tuned:
    """An optimizer with the best setting found within the budget, and its result."""

    optimizer: Optimizer
    value: float  # of f after the steps, on average over the batch; NaN if nothing converged
    evaluations: int  # of every kind, all that the tuning took


def tune(
    f: Function,
    optimizer: str | Optimizer,
    start=None,
    steps: int = 30,
    budget: int = 30,
    noise: Noise | None = None,
    seed=0,
    names: tuple[str, ...] = ("lr",),
) -> Tuned:
    """The best setting of some hyperparameters by the value of f after the steps, in `budget` runs.

    Two thirds of the runs are spread over the whole declared range, evenly as a slider moves; the
    others between the neighbors of the best of these. With several hyperparameters the grid has as
    many points per axis as the budget allows. Starts and seeds may be batches, of which the mean
    counts; each setting is then as many runs as the batch has rows, and counts as one.

    If it has none of the hyperparameters, or every setting diverges, the optimizer is unchanged.
    Raises ValueError for a budget below 1, and as `minimize` does.
    """
    if budget < 1:
        raise ValueError(f"a budget is at least one run, not {budget}")
    opt = OPTIMIZERS[optimizer]() if isinstance(optimizer, str) else optimizer
    ranges = [k for name in names if (k := find(opt, name)) is not None]
    coarse = int(budget ** (1 / max(len(ranges), 1)) + 1e-9)
    if len(ranges) == 1:
        coarse = -(-2 * budget // 3)
    axes = {k.name: k.spread(coarse) for k in ranges}
    sweeps = [sweep(f, opt, axes, start, steps, noise=noise, seed=seed)]
    if len(ranges) == 1 and budget > coarse and not np.isnan(sweeps[0].means).all():
        ((name, grid),) = axes.items()
        best = int(np.nanargmin(sweeps[0].means))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, coarse - 1)]
        between = replace(ranges[0], low=low, high=high).spread(budget - coarse + 2)[1:-1]
        sweeps.append(sweep(f, opt, {name: between}, start, steps, noise=noise, seed=seed))
    spent = int(sum(s.evaluations.sum() for s in sweeps))
    converged = [s for s in sweeps if not np.isnan(s.means).all()]
    if not converged:
        return Tuned(opt, np.nan, spent)
    winner = min(converged, key=lambda s: np.nanmin(s.means))
    for name, value in winner.best().items():
        opt = with_hyperparameter(opt, name, value)
    return Tuned(opt, float(np.nanmin(winner.means)), spent)


def hyperparameter_named(opt: Optimizer, name: str) -> Hyperparameter:
    """The hyperparameter that an optimizer, or one inside it, declares. ValueError if none does."""
    if (k := find(opt, name)) is None:
        raise ValueError(f"{type(opt).__name__} has no hyperparameter {name!r}")
    return k
