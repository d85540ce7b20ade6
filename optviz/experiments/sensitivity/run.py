"""The results of many runs of a spec; those that are `cached` are kept for all visitors."""

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
from optviz.experiments.trajectories.run import noise_of, run_sweep
from optviz.experiments.trajectories.spec import Objective, step_cost
from optviz.lens import Lens, at
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.base import find, setting, with_hyperparameter
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters
from optviz.optim.minima import minima_of
from optviz.optim.sensitivity import Basins, Sweep, basins, final
from optviz.optim.sensitivity.sweeps import COORDINATES
from optviz.optim.theory import curvatures
from optviz.ui.cache import cached

CELLS = 64  # along each side of the map,
STARTS = 200  # and of the basins; fewer where a run costs much
FEW = 12
VALLEY = 0.05
DIVERGED_FACTOR = 30  # times the loss of the start: it diverges


# What can be an axis of the map.


def axis_place(spec: Sensitivity, name: str) -> tuple[Hyperparameter, Lens]:
    """The declaration and the lens of a hyperparameter of the chosen optimizer or its wrappers, or
    of a coordinate of the start, whose range is the picture.
    """
    if name in COORDINATES:
        i = COORDINATES.index(name)
        low, high = spec.objective.f.domain[i]
        return Hyperparameter(name, 0.0, low, high), at("objective", "start", i)
    wrapper_paths = [("wrappers", i) for i in reversed(range(len(spec.config.wrappers)))]
    for path in (*wrapper_paths, ("method",)):
        lens = at("optimizers", spec.chosen, *path)
        registry = OPTIMIZERS if path == ("method",) else WRAPPERS
        for declared in hyperparameters(registry[lens.get(spec).key]):
            if declared.name == name:
                return declared, lens.at("values", name)
    raise LookupError(name)


def current_value(spec: Sensitivity, name: str) -> float:
    """The current value of an axis."""
    declared, place = axis_place(spec, name)
    value = place.get(spec)
    return declared.default if value is None else value


def with_values(spec: Sensitivity, **values: float) -> Sensitivity:
    """The spec with other values, clipped to the ranges of sliders and picture."""
    for name, value in values.items():
        declared, place = axis_place(spec, name)
        spec = place.set(spec, declared.clip(float(value)))
    return spec


def axis_transforms(declared: Hyperparameter):
    """Functions from values to coordinates on an axis, and back."""
    if declared.log:
        return np.log10, lambda u: 10.0**u
    if declared.near_one:
        return (lambda v: -np.log10(1 - np.asarray(v))), lambda u: 1 - 10.0**-u
    return np.asarray, np.asarray


def map_coordinates(spec: Sensitivity, pair) -> list:
    """The coordinates on the map of values across and upward."""
    scales = (axis_transforms(axis_place(spec, name)[0]) for name in (spec.across, spec.up))
    return [to_axis(values) for (to_axis, _back), values in zip(scales, pair, strict=True)]


@np.errstate(divide="ignore")
def axis_values(spec: Sensitivity, name: str, n: int = 0) -> np.ndarray:
    """The values `(n,)` along an axis of the map: all, or the middles of n cells that are seen; as
    many as the map has where n is 0.
    """
    declared, _place = axis_place(spec, name)
    n = n or affordable_side(spec.objective, spec.config, CELLS)
    values, (to_axis, from_axis) = declared.spread(n), axis_transforms(declared)
    first, last = to_axis(values[[0, -1]])
    low, high = spec.window[(spec.across, spec.up).index(name)] if spec.window else (first, last)
    low, high = max(low, first), min(high, last)
    if not spec.window or low >= high:
        return values
    half = (high - low) / 2 / n
    return np.clip(from_axis(np.linspace(low + half, high - half, n)), *values[[0, -1]])


def with_window(spec: Sensitivity, ranges: dict) -> Sensitivity:
    """The spec with the part of the map that a visitor has zoomed to; with all of it for empty
    ranges, and unchanged for invalid ones.
    """
    try:
        window = tuple(tuple(float(f"{v:.5g}") for v in ranges[axis]) for axis in "xy")
        valid = all(-1e9 < low < high < 1e9 for low, high in window)
    except (KeyError, TypeError, ValueError):
        return replace(spec, window=None) if ranges == {} else spec
    return replace(spec, window=window) if valid else spec


def affordable_side(objective: Objective, config: OptimizerConfig, max_side: int) -> int:
    """The number of runs along each side of a picture: `max_side`, or what is affordable."""
    runs = PICTURE_COST / (objective.steps * cell_cost(objective, config))
    return int(min(max_side, max(runs**0.5, 2)))


@dataclass(frozen=True, eq=False)
class RateCurve:
    """The loss above the lowest minimum over the rate, for every seed; NaN where it diverged."""

    rates: np.ndarray  # (n,)
    gaps: np.ndarray  # (n, seeds)
    current: float  # the rate that is set, NaN where it is scheduled away or there is none
    current_gaps: np.ndarray  # (seeds,) the gaps at this rate

    @property
    def medians(self) -> np.ndarray:
        """Over the seeds, NaN where one of them diverged."""
        return np.median(self.gaps, -1)

    @property
    def best(self) -> int:
        """Where the median is least, -1 where all diverged."""
        return int(np.nanargmin(self.medians)) if np.isfinite(self.medians).any() else -1


def rate_curves(spec: Sensitivity) -> list[RateCurve]:
    """The curves of all optimizers."""
    return [rate_curve(spec.objective, config, spec.seeds) for config in spec.optimizers]


@cached
def rate_curve(objective: Objective, config: OptimizerConfig, seeds: int) -> RateCurve:
    """The curve of one optimizer, at `RATES` rates and the current one, in one batch."""
    opt = config.build()
    current = float(setting(opt, "lr"))
    rates = np.sort(np.append(find(opt, "lr").spread(RATES), current))
    seed_values = objective.seed + np.arange(seeds if objective.noise else 1)
    sweep = run_sweep(objective, config, {"lr": rates, "seed": seed_values})
    gaps = sweep.values - floor(objective)
    finite = np.isfinite(rates)
    at_current = gaps[np.searchsorted(rates, current)] if np.isfinite(current) else gaps[-1]
    return RateCurve(rates[finite], gaps[finite], current, at_current)


def floor(objective: Objective) -> float:
    """The least known value of f; 0 where none is known."""
    minima = minima_of(objective.f)
    return minima.floor if len(minima) else 0.0


def height(objective: Objective) -> float:
    """The loss of the start above the lowest minimum."""
    return float(objective.f.value(objective.start)) - floor(objective)


def diverging(spec: Sensitivity, sweep: Sweep) -> np.ndarray:
    """The cells of a map that count as lost: above `DIVERGED_FACTOR` times the start's loss, or
    never arrived.
    """
    if spec.measure == "steps":
        return ~np.isfinite(sweep.values)
    gap = sweep.values - floor(spec.objective)
    return ~(gap <= DIVERGED_FACTOR * height(spec.objective))


@cached
def map_of(spec: Sensitivity) -> Sweep:
    """The chosen optimizer over the two axes, upward by rows: up to `(CELLS, CELLS)`."""
    objective = spec.objective
    axes = {name: axis_values(spec, name) for name in (spec.up, spec.across)}
    result = run_sweep(objective, spec.config, axes, measure="steps", tolerance=spec.tolerance)
    return result if spec.measure == "steps" else replace(result, values=result.losses)


def with_one_optimizer(spec: Sensitivity, i: int) -> Sensitivity:
    """The spec with only the optimizer at i: its map does not depend on the others."""
    return replace(spec, optimizers=(spec.optimizers[i],), chosen=0)


def mappable(spec: Sensitivity) -> list[int]:
    """The optimizers that have both of the map's axes."""
    pair = {spec.across, spec.up}
    return [i for i, config in enumerate(spec.optimizers) if pair <= set(axes_of(config))]


def stability_edge(spec: Sensitivity) -> tuple[np.ndarray, np.ndarray] | None:
    """The largest stable rate at the lowest minimum beside the other axis, across and up; None
    where no axis is the rate or theory knows no limit.
    """
    names, opt, known = (spec.across, spec.up), spec.config.build(), curvatures(spec.objective.f)
    if "lr" not in names or not known or spec.config.wrappers or opt.stable_lr(1.0) is None:
        return None
    other = names[1 - names.index("lr")]
    values = axis_values(spec, other, 200)
    if other not in COORDINATES:
        opt = with_hyperparameter(opt, other, values)
    limits = np.broadcast_to(opt.stable_lr(known[0].high), values.shape)
    return (limits, values) if spec.across == "lr" else (values, limits)


def with_cell(spec: Sensitivity, position) -> Sensitivity:
    """The spec of the cell of the map that is nearest to a position `(x, y)`, as drawn."""
    names = spec.across, spec.up
    cells = [axis_values(spec, name) for name in names]
    values = {
        name: values_of[np.abs(coordinates - v).argmin()]
        for name, values_of, coordinates, v in zip(
            names, cells, map_coordinates(spec, cells), position, strict=True
        )
    }
    return with_values(spec, **values)


@cached
def basins_of(
    objective: Objective, config: OptimizerConfig, tolerance: float, seeds: int
) -> Basins:
    """The minimum that one optimizer reaches from each start in the picture.

    With noise each start has several seeds, with as many runs in all as without; the runs never
    come to rest, so the tolerance is at least `VALLEY` of the picture's median height.
    """
    if objective.noise:
        tolerance = max(tolerance, VALLEY * minima_of(objective.f).spread)
    seed = objective.seed + np.arange(seeds) if objective.noise else objective.seed
    max_side = min(STARTS, affordable_starts(objective, config))
    n = round(affordable_side(objective, config, max_side) / np.size(seed) ** 0.5)
    xs, ys = (np.linspace(low, high, n) for low, high in objective.f.domain)
    options = {"noise": noise_of(objective), "seed": seed, "tolerance": tolerance}
    return basins(objective.f, config.build(), xs, ys, objective.steps, **options)


def affordable_starts(objective: Objective, config: OptimizerConfig) -> float:
    """How many starts are affordable along each side, estimated from a few runs: a line search that
    finds no step evaluates far more often on one function than on another.
    """
    if step_cost(config, CELL_COST, PLAIN_COST) == PLAIN_COST:
        return np.inf
    starts = np.stack(np.meshgrid(*(np.linspace(*ends, FEW) for ends in objective.f.domain)), -1)
    evaluations = final(
        objective.f, config.build(), starts, objective.steps, noise_of(objective)
    ).evaluations
    cost = evaluations.gradient.mean() * GRADIENT_COST + evaluations.value.mean() * VALUE_COST
    remaining = max(PICTURE_COST - evaluations.gradient.max() * TRIAL_COST, 0)
    return max((remaining / cost) ** 0.5, FEW) if evaluations.value.any() else np.inf


def both_basins(spec: Sensitivity) -> list[tuple[int, Basins]]:
    """The index and the basins of the chosen optimizer, and of the one beside it."""
    return [
        (i, basins_of(spec.objective, spec.optimizers[i], spec.tolerance, spec.seeds))
        for i in (spec.chosen, spec.other)
        if i >= 0
    ]


def difference(first: Basins, second: Basins) -> np.ndarray:
    """0 where both reach the same, 1 where only the first arrives, 2 where only the second does, 3
    where they reach different minima.
    """
    a, b = first.index, second.index
    return np.select([a == b, b < 0, a < 0], [0, 1, 2], 3)
