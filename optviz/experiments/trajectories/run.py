"""What a scene comes to: every optimizer's path, and where its further starts end."""

import numpy as np

from optviz.experiments.trajectories.spec import Objective, Scene
from optviz.optim.base import find
from optviz.optim.config import OptimizerConfig
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minima import Minima
from optviz.optim.minimize import minimize
from optviz.optim.noise import NOISES
from optviz.optim.run import Run
from optviz.optim.sensitivity import sweep
from optviz.optim.sensitivity.starts import arrived

RATES = 41  # that are tried, from 1e-4 to the end of the slider


def track_key(objective: Objective, config: OptimizerConfig) -> str:
    """What one path depends on, as canonical JSON: not on the other optimizers."""
    return f"[{objective.as_json},{config.as_json}]"


def run(
    objective: Objective, config: OptimizerConfig, start=None, steps: int | None = None, seed=None
) -> Run:
    """One optimizer's path, or a batch of them from other starts `(..., 2)` or of other seeds."""
    (_, opt, schedule), *then = config.segments()
    start = objective.start if start is None else start
    steps = objective.steps if steps is None else steps
    seed = objective.seed if seed is None else seed
    return minimize(objective.f, opt, start, steps, noise_of(objective), schedule, seed, then)


def noise_of(objective: Objective):
    """Without noise none at all, also where the function has its own."""
    return objective.noise.build(NOISES) if objective.noise else NOISES["uniform"](scale=0.0)


def best_settings(
    objective: Objective, config: OptimizerConfig, names: tuple[str, ...] = ("lr",)
) -> dict[str, float] | None:
    """The settings with the least loss after the steps from this start, of a grid in one batch;
    None where the optimizer has not all of them or every one diverges.
    """
    _, opt, schedule = config.segments()[0]
    if None in (declared := [find(opt, name) for name in names]):
        return None
    more = {"noise": noise_of(objective), "schedule": schedule, "seed": objective.seed}
    axes = {k.name: k.spread(RATES) for k in declared}
    swept = sweep(objective.f, opt, axes, objective.start, objective.steps, **more)
    if np.isnan(swept.values).all():
        return None
    return {name: float(f"{value:.3g}") for name, value in swept.best().items()}


def multistart(objective: Objective, config: OptimizerConfig) -> Run | None:
    """The optimizer from its further starts, `(steps+1, k, 2)`; None where it has none."""
    if config.initial_points is None:
        return None
    layout = config.initial_points.build(INITIAL_POINTS)
    return run(objective, config, layout.points(objective.start, objective.f.domain))


def basins(scene: Scene, known: Minima, paths: Run | None) -> np.ndarray | None:
    """At which of several minima the further paths of a scene's only optimizer end, -1 at none."""
    if paths is None or len(scene.optimizers) > 1 or len(known.places) < 2:
        return None
    return arrived(known, paths.points[-1], paths.values[-1], scene.tolerance)


def arrivals(paths: Run, known: Minima, tolerance: float) -> list[int]:
    """How many of a batch of paths end at each place of the minima: nearest to it, and near it in
    height.
    """
    found = arrived(known, paths.points[-1], paths.values[-1], tolerance)
    return np.bincount(found[found >= 0], minlength=len(known.places)).tolist()
