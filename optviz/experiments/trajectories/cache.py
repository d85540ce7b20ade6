"""What scenes come to, kept by the canonical JSON of what it depends on, for all visitors."""

from dataclasses import replace

from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.spec import Objective
from optviz.optim import theory
from optviz.optim.config import OptimizerConfig
from optviz.optim.minima import Minima, minima_of
from optviz.optim.summary import Summary, summarize
from optviz.plot.contour import falls_into_beads
from optviz.plot.landscape import Landscape
from optviz.ui.cache import cached

GRID = 200  # points each way on a domain
FINE = 320  # where its valleys are thin
COMPUTED = {"landscape": 0, "minima": 0, "run": 0}  # how often something was really worked out


@cached
def _landscape(key, reach, _objective):
    COMPUTED["landscape"] += 1
    land = Landscape.of(_objective.f, GRID, reach)
    return Landscape.of(_objective.f, FINE, reach) if falls_into_beads(land) else land


@cached
def _minima(key, _objective):
    COMPUTED["minima"] += 1
    return minima_of(_objective.f)


@cached
def _curvatures(key, _objective):
    return theory.curvatures(_objective.f)


@cached
def _run(key, _objective, _config):
    COMPUTED["run"] += 1
    return runs.run(_objective, _config)


@cached
def _summary(key, tolerance, _objective, _config):
    return summarize(run(_objective, _config), tolerance)


@cached
def _best_settings(key, names, _objective, _config):
    return runs.best_settings(_objective, _config, names)


@cached
def _multistart(key, _objective, _config):
    return runs.multistart(_objective, _config)


def landscape(objective: Objective, reach: tuple[float, float] = (1.0, 1.0)) -> Landscape:
    """The function on its grid, so many times as wide and as high as its domain."""
    return _landscape(objective.landscape_key(), reach, objective)


def minima(objective: Objective) -> Minima:
    """Its minima, known and found."""
    return _minima(objective.landscape_key(), objective)


def curvatures(objective: Objective) -> list[theory.Curvature]:
    """The curvature of the function at those that have one."""
    return _curvatures(objective.landscape_key(), objective)


def run(objective: Objective, config: OptimizerConfig):
    """One optimizer's path."""
    return _run(runs.track_key(objective, config.alone), objective, config.alone)


def summary(objective: Objective, config: OptimizerConfig, tolerance: float) -> Summary:
    """What became of it."""
    alone = config.alone
    return _summary(runs.track_key(objective, alone), tolerance, objective, alone)


def best_settings(objective: Objective, config: OptimizerConfig, names: tuple[str, ...] = ("lr",)):
    """The best of a grid, whatever it has."""
    anyhow = replace(config.alone, method=config.method.with_values(**dict.fromkeys(names)))
    return _best_settings(runs.track_key(objective, anyhow), names, objective, config)


def multistart(objective: Objective, config: OptimizerConfig):
    """Its paths from further starts; None where it has none."""
    if config.initial_points is None:
        return None
    return _multistart(runs.track_key(objective, config), objective, config)
