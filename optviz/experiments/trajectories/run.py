"""The results of a scene: every optimizer's path, its summary, the ends of its further starts.

Those that are `cached` are kept for all visitors.
"""

from dataclasses import replace

import numpy as np

from optviz.experiments.trajectories.spec import Objective
from optviz.optim.base import find
from optviz.optim.config import OptimizerConfig
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minima import minima_of
from optviz.optim.minimize import minimize
from optviz.optim.noise import NOISES
from optviz.optim.run import Run
from optviz.optim.sensitivity import Sweep, sweep
from optviz.optim.sensitivity.starts import reached_minimum
from optviz.optim.summary import Summary, summarize
from optviz.plot.contour import falls_into_beads
from optviz.plot.landscape import Landscape
from optviz.spec import Choice
from optviz.ui.cache import cached

RATES = 41  # that are tried, from 1e-4 to the end of the slider
GRID = 200  # points each way on a domain
FINE = 320  # where its valleys are thin


def run(
    objective: Objective, config: OptimizerConfig, start=None, steps: int | None = None, seed=None
) -> Run:
    """One optimizer's path, or a batch of them from other starts `(..., 2)` or of other seeds."""
    (_, opt, schedule), *forks = config.segments()
    start = objective.start if start is None else start
    steps = objective.steps if steps is None else steps
    seed = objective.seed if seed is None else seed
    return minimize(objective.f, opt, start, steps, noise_of(objective), schedule, seed, forks)


def noise_of(objective: Objective):
    """The noise of an objective; if it has none, none at all, even if the function has its own."""
    return objective.noise.build(NOISES) if objective.noise else NOISES["uniform"](scale=0.0)


def run_sweep(objective: Objective, config: OptimizerConfig, axes, **measured) -> Sweep:
    """The optimizer with every setting of the axes, in one batch; of a branch only its own part."""
    return sweep(
        objective.f,
        config.build(),
        axes,
        objective.start,
        objective.steps,
        noise=noise_of(objective),
        schedule=config.built_schedules() or None,
        seed=objective.seed,
        **measured,
    )


def path(objective: Objective, config: OptimizerConfig) -> Run:
    """One optimizer's path, cached."""
    return _path(objective, config.alone)


@cached
def _path(objective, config):
    return run(objective, config)


@cached
def summary(objective: Objective, config: OptimizerConfig, tolerance: float) -> Summary:
    """The summary of one optimizer's path."""
    return summarize(path(objective, config), tolerance)


@cached
def multistart(objective: Objective, config: OptimizerConfig) -> Run | None:
    """The optimizer from its further starts, `(steps+1, k, 2)`; None where it has none."""
    if config.initial_points is None:
        return None
    layout = config.initial_points.build(INITIAL_POINTS)
    return run(objective, config, layout.points(objective.start, objective.f.domain))


def landscape(objective: Objective, reach: tuple[float, float] = (1.0, 1.0)) -> Landscape:
    """The function on its grid, so many times as wide and as high as its domain."""
    return _landscape(objective.landscape_key(), reach, objective.f)


@cached
def _landscape(key, reach, _f):
    land = Landscape.from_function(_f, GRID, reach)
    return Landscape.from_function(_f, FINE, reach) if falls_into_beads(land) else land


def best_settings(
    objective: Objective, config: OptimizerConfig, names: tuple[str, ...] = ("lr",)
) -> dict[str, float] | None:
    """The settings with the lowest loss after the steps from this start, from a grid in one batch,
    whatever the current ones; for a branch those of its own method. None if the optimizer lacks one
    of them or all of them diverge.
    """
    values = {name: v for name, v in config.method.values.items() if name not in names}
    return _best_settings(
        objective, replace(config.alone, method=Choice(config.method.key, values)), names
    )


@cached
def _best_settings(objective, config, names):
    opt = config.build()
    if None in (declared := [find(opt, name) for name in names]):
        return None
    result = run_sweep(objective, config, {k.name: k.spread(RATES) for k in declared})
    if np.isnan(result.values).all():
        return None
    return {name: float(f"{value:.3g}") for name, value in result.best().items()}


def arrivals(paths: Run, tolerance: float) -> np.ndarray:
    """The index of the place at which each path of a batch ends, `(k,)` int: the nearest minimum,
    if the height is near its, too; -1 for none.
    """
    return reached_minimum(minima_of(paths.function), paths.points[-1], paths.values[-1], tolerance)
