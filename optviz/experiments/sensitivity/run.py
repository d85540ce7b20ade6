"""What many runs of a spec come to."""

from dataclasses import dataclass, replace

import numpy as np

from optviz.experiments.sensitivity.spec import (
    CELL_COST,
    GRADIENT_COST,
    PICTURE_COST,
    PLAIN_COST,
    RATES,
    TRIAL_COST,
    VALUE_COST,
    Sensitivity,
    axes_of,
    cell_cost,
)
from optviz.experiments.trajectories.run import noise_of
from optviz.experiments.trajectories.spec import Objective, step_cost
from optviz.lens import at
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.base import find, setting, with_hyperparameter
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.minima import minima_of
from optviz.optim.sensitivity import Basins, Sweep, basins, final, sweep
from optviz.optim.sensitivity.sweeps import COORDINATES
from optviz.optim.theory import curvatures

CELLS = 64  # along each side of the map,
STARTS = 200  # and of the basins; fewer where a run costs much
FEW = 12
VALLEY = 0.05
GROWN = 30  # times the loss of the start: it diverges


def spread(objective: Objective, opt, name: str, n: int) -> np.ndarray:
    """The values `(n,)` along an axis: over the slider's range, or over the picture."""
    if name in COORDINATES:
        return np.linspace(*objective.f.domain[COORDINATES.index(name)], n)
    return find(opt, name).spread(n)


def scale(opt, name: str):
    """Functions to where a value of a map's axis is drawn and back; None where it is drawn as it
    is.
    """
    declared = None if name in COORDINATES else find(opt, name)
    if declared is not None and declared.log:
        return np.log10, lambda u: 10.0**u
    if declared is not None and declared.near_one:
        return (lambda v: -np.log10(1 - np.asarray(v))), lambda u: 1 - 10.0**-u
    return None


def here(spec: Sensitivity, name: str) -> float:
    """What is set, of what can be an axis of the map."""
    if name in COORDINATES:
        return spec.objective.start[COORDINATES.index(name)]
    return setting_of(spec, name)[0]


@np.errstate(divide="ignore")
def along(spec: Sensitivity, name: str, n: int) -> np.ndarray:
    """The values `(n,)` along an axis of the map: all, or the middles of n cells that are seen."""
    opt = spec.config.build()
    values = spread(spec.objective, opt, name, n)
    there, back = scale(opt, name) or (np.asarray, np.asarray)
    first, last = there(values[[0, -1]])
    low, high = spec.window[(spec.across, spec.up).index(name)] if spec.window else (first, last)
    low, high = max(low, first), min(high, last)
    if not spec.window or low >= high:
        return values
    half = (high - low) / 2 / n
    return np.clip(back(np.linspace(low + half, high - half, n)), *values[[0, -1]])


def seen(spec: Sensitivity, ranges: dict) -> Sensitivity:
    """The spec with the part of the map that a hand has zoomed to; all of it without ranges, and
    the same where they are no such thing.
    """
    try:
        window = tuple(tuple(float(f"{v:.5g}") for v in ranges[axis]) for axis in "xy")
        right = all(-1e9 < low < high < 1e9 for low, high in window)
    except (KeyError, TypeError, ValueError):
        return replace(spec, window=None) if ranges == {} else spec
    return replace(spec, window=window) if right else spec


def side(objective: Objective, config: OptimizerConfig, most: int) -> int:
    """How many runs there are along each side of a picture: `most`, or what is affordable."""
    runs = PICTURE_COST / (objective.steps * cell_cost(objective, config))
    return int(min(most, max(runs**0.5, 2)))


def _swept(objective, config, axes, **more) -> Sweep:
    return sweep(
        *(objective.f, config.build(), axes, objective.start, objective.steps),
        noise=noise_of(objective),
        schedule=config.built_schedules() or None,
        **more,
    )


@dataclass(frozen=True, eq=False)
class RateCurve:
    """The loss above the lowest minimum over the rate, for every seed; NaN where it diverged."""

    rates: np.ndarray  # (n,)
    gaps: np.ndarray  # (n, seeds)
    current: float  # the rate that is set, NaN where it is scheduled away or there is none
    here: np.ndarray  # (seeds,) the gaps at this rate

    @property
    def medians(self) -> np.ndarray:
        """Over the seeds, NaN where one of them diverged."""
        return np.median(self.gaps, -1)

    @property
    def best(self) -> int:
        """Where the median is least, -1 where all diverged."""
        return int(np.nanargmin(self.medians)) if np.isfinite(self.medians).any() else -1


def rate_curve(objective: Objective, config: OptimizerConfig, seeds: int) -> RateCurve:
    """Of one optimizer, at `RATES` rates and the one that is set, in one batch."""
    opt = config.build()
    current = float(setting(opt, "lr"))
    rates = np.sort(np.append(spread(objective, opt, "lr", RATES), current))
    many = objective.seed + np.arange(seeds if objective.noise else 1)
    gaps = _swept(objective, config, {"lr": rates, "seed": many}).values - floor(objective)
    known = np.isfinite(rates)
    here = gaps[np.searchsorted(rates, current)] if np.isfinite(current) else gaps[-1]
    return RateCurve(rates[known], gaps[known], current, here)


def floor(objective: Objective) -> float:
    """The least known value of f; 0 where none is known."""
    known = minima_of(objective.f)
    return known.floor if len(known) else 0.0


def height(objective: Objective) -> float:
    """The loss of the start above the lowest minimum."""
    return float(objective.f.value(objective.start)) - floor(objective)


def diverging(spec: Sensitivity, swept: Sweep) -> np.ndarray:
    """The cells of a map that count as lost: grown to `GROWN` times the start, or never arrived."""
    if spec.measure == "steps":
        return ~np.isfinite(swept.values)
    gap = swept.values - floor(spec.objective)
    return ~(gap <= GROWN * height(spec.objective))


def map_of(spec: Sensitivity) -> Sweep:
    """The chosen optimizer over the two axes, upward by rows: up to `(CELLS, CELLS)`."""
    objective = spec.objective
    n = side(objective, spec.config, CELLS)
    axes = {name: along(spec, name, n) for name in (spec.up, spec.across)}
    more = {"measure": "steps", "tolerance": spec.tolerance, "seed": objective.seed}
    swept = _swept(objective, spec.config, axes, **more)
    return swept if spec.measure == "steps" else replace(swept, values=swept.losses)


def alone(spec: Sensitivity, i: int) -> Sensitivity:
    """The spec with only the optimizer at i: its map does not depend on the others."""
    return replace(spec, optimizers=(spec.optimizers[i],), chosen=0)


def mapped(spec: Sensitivity) -> list[int]:
    """The optimizers that have both of the map's axes."""
    pair = {spec.across, spec.up}
    return [i for i, config in enumerate(spec.optimizers) if pair <= set(axes_of(config))]


def edge(spec: Sensitivity) -> tuple[np.ndarray, np.ndarray] | None:
    """The largest stable rate at the lowest minimum beside the other axis, across and up; None
    where no axis is the rate or theory knows no limit.
    """
    names, opt, found = (spec.across, spec.up), spec.config.build(), curvatures(spec.objective.f)
    if "lr" not in names or not found or spec.config.wrappers or opt.stable_lr(1.0) is None:
        return None
    other = names[1 - names.index("lr")]
    values = along(spec, other, 200)
    if other not in COORDINATES:
        opt = with_hyperparameter(opt, other, values)
    limits = np.broadcast_to(opt.stable_lr(found[0].high), values.shape)
    return (limits, values) if spec.across == "lr" else (values, limits)


def picked(spec: Sensitivity, across: float, up: float) -> Sensitivity:
    """The spec at a place of the map."""
    for name, value in ((spec.across, float(across)), (spec.up, float(up))):
        if name in COORDINATES:
            start = list(spec.objective.start)
            start[COORDINATES.index(name)] = value
            spec = moved(spec, spec.objective.inside(start))
        else:
            spec = having_set(spec, name, value)
    return spec


def cell(spec: Sensitivity, at) -> Sensitivity:
    """The spec at the cell of the map that is nearest to a place `(x, y)` as it is drawn."""
    n, opt, values = side(spec.objective, spec.config, CELLS), spec.config.build(), []
    for name, v in zip((spec.across, spec.up), at, strict=True):
        known, (there, _back) = along(spec, name, n), scale(opt, name) or (np.asarray, None)
        values.append(known[np.abs(there(known) - v).argmin()])
    return picked(spec, *values)


def having_set(spec: Sensitivity, name: str, value: float) -> Sensitivity:
    """The spec with another value of a hyperparameter of the chosen optimizer."""
    _built, declared, place = setting_of(spec, name)
    return place.set(spec, place.get(spec).with_values(**{name: declared.clip(value)}))


def moved(spec: Sensitivity, start) -> Sensitivity:
    """The spec with another start."""
    return replace(spec, objective=replace(spec.objective, start=tuple(start)))


def setting_of(spec: Sensitivity, name: str):
    """A hyperparameter of the chosen optimizer or what is around it: its value, its declaration,
    the place of its choice.
    """
    wrappers = [("wrappers", i) for i in reversed(range(len(spec.config.wrappers)))]
    for path in (*wrappers, ("method",)):
        place = at("optimizers", spec.chosen, *path)
        part = place.get(spec)
        registry = OPTIMIZERS if path == ("method",) else WRAPPERS
        for declared in hyperparameters(registry[part.key]):
            if declared.name == name:
                return part.values.get(name, declared.default), declared, place
    raise LookupError(name)


def basins_of(objective: Objective, config: OptimizerConfig, tolerance: float, seeds=1) -> Basins:
    """From where one optimizer reaches which minimum, over the picture.

    With noise there are so many seeds of each start, and as many runs in all as without; it never
    comes to rest, so what counts as arrived is at least `VALLEY` of the picture's median height.
    """
    if objective.noise:
        tolerance = max(tolerance, VALLEY * minima_of(objective.f).spread)
    seed = objective.seed + np.arange(seeds) if objective.noise else objective.seed
    most = min(STARTS, searched(objective, config))
    n = round(side(objective, config, most) / np.size(seed) ** 0.5)
    xs, ys = (np.linspace(low, high, n) for low, high in objective.f.domain)
    more = {"noise": noise_of(objective), "seed": seed, "tolerance": tolerance}
    return basins(objective.f, config.build(), xs, ys, objective.steps, **more)


def searched(objective: Objective, config: OptimizerConfig) -> float:
    """How many starts there may be along each side, by what a few ask for: a line search that finds
    no step asks far more often on one function than on another.
    """
    if step_cost(config, CELL_COST, PLAIN_COST) == PLAIN_COST:
        return np.inf
    few = np.stack(np.meshgrid(*(np.linspace(*ends, FEW) for ends in objective.f.domain)), -1)
    asked = final(
        objective.f, config.build(), few, objective.steps, noise_of(objective)
    ).evaluations
    cost = asked.gradient.mean() * GRADIENT_COST + asked.value.mean() * VALUE_COST
    rest = max(PICTURE_COST - asked.gradient.max() * TRIAL_COST, 0)
    return max((rest / cost) ** 0.5, FEW) if asked.value.any() else np.inf


def both_basins(spec: Sensitivity, make) -> list[tuple[int, Basins]]:
    """Those of the optimizer that is chosen, and of the one beside it: its place, its basins."""
    return [
        (i, make(basins_of, spec.objective, spec.optimizers[i], spec.tolerance, spec.seeds))
        for i in (spec.chosen, spec.other)
        if i >= 0
    ]


def difference(first: Basins, second: Basins) -> np.ndarray:
    """0 where two come to the same, 1 where only the first arrives, 2 where only the second does,
    3 where they reach different minima.
    """
    a, b = first.index, second.index
    return np.select([a == b, b < 0, a < 0], [0, 1, 2], 3)
