"""Optimizers on one function, run from many settings or many starts at once."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property

from optviz.experiments.trajectories.spec import Objective, step_cost
from optviz.optim import OPTIMIZERS
from optviz.optim.base import find
from optviz.optim.config import MAX_STEPS, OptimizerConfig, names
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.optim.sensitivity.sweeps import COORDINATES
from optviz.spec import Choice, SpecError, canonical_json, items, option
from optviz.translation import N_

MAX_OPTIMIZERS = 8
RATES = 96  # at which a curve over the rate is worked out
MAX_COST = 3e6  # µs that curves may take, roughly,
PICTURE_COST = 1.5e6  # and pictures of cells
STEP_COST = 400  # µs of a step, however few runs there are, and
CELL_COST = {"second order": 0.12, "cg": 0.12, "derivative-free": 0.12, "matrix": 0.12}  # of one,
PLAIN_COST = 0.05  # or of the others; and how many times that with noise, in which nothing comes
RESTLESS = {"second order": 25, "cg": 25, "derivative-free": 3}  # to rest
GRADIENT_COST, VALUE_COST = 1.0, 0.2  # µs of one in a search, with what else it does
TRIAL_COST = 450  # µs of one, however few runs still search
VIEWS = {
    "rates": N_("Loss against learning rate"),
    "race": N_("Fair comparison"),
    "map": N_("Map of two settings"),
    "basins": N_("Basins"),
    "noise": N_("Noise"),
    "stability": N_("Why did it diverge?"),
}
MEASURES = {"value": N_("loss after the steps"), "steps": N_("steps to the tolerance")}
AXES = {"lr": N_("learning rate"), "x": N_("x of the start"), "y": N_("y of the start")} | {
    k.name: k.label
    for cls in OPTIMIZERS.values()
    for k in hyperparameters(cls)
    if k.kind is float and k.name != "lr" and k.name not in cls.initial
}
FOUR = (
    OptimizerConfig(Choice("momentum", {"lr": 0.1, "momentum": 0.9})),
    OptimizerConfig(Choice("sgd", {"lr": 0.95})),
    OptimizerConfig(Choice("adagrad", {"lr": 1.5})),
    OptimizerConfig(Choice("adam", {"lr": 0.3})),
)


@dataclass(frozen=True)
class Sensitivity:
    """What all share, the optimizers, and what is varied. `chosen` is the optimizer of the map, the
    basins and the sharpness; the map's axes are hyperparameters or coordinates of the start.
    """

    view: str = option("rates", VIEWS, N_("View"))
    objective: Objective = Objective(steps=100)
    optimizers: tuple[OptimizerConfig, ...] = items(FOUR, 1, MAX_OPTIMIZERS, "optimizers")
    chosen: int = 0
    other: int = -1  # whose basins are beside the chosen one's; -1: none
    across: str = option("lr", AXES, N_("Across"))
    up: str = option("momentum", AXES, N_("Upward"))
    measure: str = option("value", MEASURES, N_("Color"))
    # the part of the map that is seen, across and up as it is drawn: of a logarithm, maybe
    window: tuple[tuple[float, float], tuple[float, float]] | None = None
    tolerance: float = hyperparameter(
        1e-3, 1e-12, 1.0, log=True, help=N_("height above the minimum that counts as arrived")
    )
    seeds: int = hyperparameter(10, 1, 30, help=N_("noise seeds for each band"))
    runs: int = hyperparameter(200, 10, 500, "N", help=N_("runs, each with a different seed"))

    starts: int = hyperparameter(30, 2, 100, help=N_("random starting points in the picture"))
    trials: int = hyperparameter(20, 2, 60, help=N_("rates that each optimizer may try"))

    @cached_property
    def as_json(self) -> str:
        """Canonical, for the keys of caches."""
        return canonical_json(asdict(self))

    @property
    def names(self) -> list[str]:
        """The names of the optimizers."""
        return names(self.optimizers)

    @property
    def config(self) -> OptimizerConfig:
        """The optimizer that is chosen."""
        return self.optimizers[self.chosen]

    def validate(self) -> None:
        """SpecError for forks and additional starts, an optimizer or an axis that does not exist,
        and a maximized f.
        """
        if self.objective.maximize:
            raise SpecError("here f can only be minimized")
        if any(config.fork or config.initial_points for config in self.optimizers):
            raise SpecError("optimizers are compared without forks and additional starts")
        if not 0 <= self.chosen < len(self.optimizers):
            raise SpecError(f"the chosen optimizer must be from 0 to {len(self.optimizers) - 1}")
        if not -1 <= self.other < len(self.optimizers):
            raise SpecError(
                f"the optimizer beside it must be from -1 to {len(self.optimizers) - 1}"
            )
        if self.window and not all(low < high for low, high in self.window):
            raise SpecError("each side of the map's window must run from a lower to a higher value")
        pair = {self.across, self.up}
        if self.view == "map" and (len(pair) < 2 or not pair <= set(axes_of(self.config))):
            raise SpecError("the map needs two different axes, both of which the optimizer has")
        if self.view == "rates" and self.objective.steps > (limit := self.max_steps()):
            raise SpecError(f"so many steps take too long with these optimizers: at most {limit}")

    def max_steps(self) -> int:
        """How many steps the curves over the rate may have; the other pictures have fewer cells."""
        runs = (RATES + 1) * (self.seeds if self.objective.noise else 1)
        costs = (STEP_COST + runs * cell_cost(self.objective, c) for c in self.optimizers)
        return int(min(MAX_STEPS, MAX_COST / sum(costs)))


def cell_cost(objective: Objective, config: OptimizerConfig) -> float:
    """The rough cost of a step of one run among many, in µs."""
    cost = step_cost(config, CELL_COST, PLAIN_COST)
    cost *= step_cost(config, RESTLESS, 1) if objective.noise else 1
    return cost + len(objective.f.formula) / 1500


def axes_of(config: OptimizerConfig) -> list[str]:
    """The axes along which an optimizer or its wrappers can be varied."""
    opt = config.build()
    return [name for name in AXES if name in COORDINATES or find(opt, name) is not None]


def adjusted(spec: Sensitivity) -> Sensitivity:
    """The same with an existing optimizer, axes that it has, and affordable steps."""
    chosen = max(0, min(spec.chosen, len(spec.optimizers) - 1))
    available = axes_of(spec.optimizers[chosen])
    across = spec.across if spec.across in available else available[0]
    others = [name for name in available if name != across]
    first = next((name for name in others if name not in COORDINATES), others[0])
    other = spec.other if chosen != spec.other < len(spec.optimizers) else -1
    up, objective = spec.up if spec.up in others else first, spec.objective
    if spec.view == "rates":
        objective = replace(objective, steps=min(objective.steps, spec.max_steps()))
    return replace(spec, objective=objective, chosen=chosen, other=other, across=across, up=up)
