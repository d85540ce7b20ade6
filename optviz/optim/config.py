"""What runs on a function or a network: an optimizer, its modifiers and its schedules."""

from dataclasses import MISSING, asdict, dataclass, field, replace
from functools import cached_property

from optviz.functions.library import FUNCTIONS
from optviz.optim import OPTIMIZERS, WRAPPERS, Optimizer
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minimize import minimize
from optviz.optim.run import Segment, apply_schedules
from optviz.optim.schedules import SCHEDULES, Schedule
from optviz.spec import Choice, SpecError, canonical_json, choice, option
from optviz.translation import N_

MAX_STEPS = 2000
MAX_FORKS = 12  # nested; a link has no room for more
MAX_FORK = 20_000  # steps until a fork: as long as a network may be trained
AUTO = {"": N_("off"), "lr": N_("rate"), "lr momentum": N_("rate and momentum")}


@dataclass(frozen=True)
class OptimizerConfig:
    """An optimizer, its wrappers (innermost first), and schedules by hyperparameter name.

    With a fork it is a branch: another optimizer's path until a step, and its own from there on.
    `initial_points` are more points from which it runs besides the start that all optimizers share.
    Hyperparameters that are `auto` are tuned for this start until somebody sets them.
    """

    method: Choice = choice(MISSING, OPTIMIZERS, N_("Optimizer"))
    wrappers: tuple[Choice, ...] = choice((), WRAPPERS, N_("Modifiers"))
    schedules: dict[str, Choice] = field(
        default_factory=dict, metadata={"registry": SCHEDULES, "label": N_("Schedule")}
    )
    fork: "Fork | None" = None
    initial_points: Choice | None = choice(
        None,
        INITIAL_POINTS,
        N_("Initial points"),
        N_(
            "More paths of this optimizer, from a ring around the start or from a grid over the "
            "picture."
        ),
    )

    auto: str = option("", AUTO, N_("Auto: the best from every start"))

    @cached_property
    def as_json(self) -> str:
        """Canonical, for the keys of caches."""
        return canonical_json(asdict(self))

    @cached_property
    def alone(self) -> "OptimizerConfig":
        """Without its other initial points, which have paths of their own, and without auto."""
        return replace(self, initial_points=None, auto="")

    def build(self) -> Optimizer:
        opt = self.method.build(OPTIMIZERS)
        for part in self.wrappers:
            opt = part.build(WRAPPERS, opt)
        return opt

    @property
    def name(self) -> str:
        """The optimizer's name where there is only one of its kind."""
        wrappers = [WRAPPERS[w.key].label for w in self.wrappers]
        wrappers = [label if label.isupper() else label.lower() for label in wrappers]
        labels = [OPTIMIZERS[self.method.key].label, *wrappers]
        return " + ".join(labels) + (f" from step {self.fork.step}" if self.fork else "")

    def built_schedules(self) -> dict[str, Schedule]:
        """The schedules by hyperparameter name."""
        return {name: part.build(SCHEDULES) for name, part in self.schedules.items()}

    def optimizer_at(self, t: int) -> Optimizer:
        """The optimizer with its hyperparameters as the schedules set them at step t."""
        return apply_schedules(self.build(), self.built_schedules().items(), t)

    @property
    def lineage(self) -> "list[OptimizerConfig]":
        """The config, the one that it forked from, and so on."""
        return [self, *(self.fork.parent.lineage if self.fork else [])]

    def segments(self) -> list[Segment]:
        """What runs from which step on, the oldest ancestor first."""
        step = self.fork.step if self.fork else 0
        earlier = self.fork.parent.segments() if step else []
        last = Segment(step, self.build(), self.built_schedules() or None)
        return [*(segment for segment in earlier if segment.step < step), last]

    def validate(self) -> None:
        """SpecError for a wrapper around itself, a schedule without its hyperparameter, or a branch
        on auto.
        """
        if self.fork and self.auto:
            raise SpecError("a branch cannot be on auto")
        try:
            minimize(FUNCTIONS["bowl"], self.build(), steps=0, schedule=self.built_schedules())
        except ValueError as error:
            raise SpecError(f"{error}") from None


@dataclass(frozen=True)
class Fork:
    """Where an optimizer left the path of another."""

    parent: OptimizerConfig
    step: int = hyperparameter(0, 0, MAX_FORK)


def names(configs: tuple[OptimizerConfig, ...]) -> list[str]:
    """A distinct name for each optimizer: with the hyperparameters in which twins differ, or else
    numbered.
    """
    base_names = [config.name for config in configs]
    return [_distinct_name(i, base_names, configs) for i in range(len(base_names))]


def _distinct_name(i, names, configs):
    twins = [j for j, name in enumerate(names) if name == names[i]]
    if len(twins) == 1:
        return names[i]
    traits = {j: _traits(configs[j]) for j in twins}
    differing = [k for k in traits[i] if len({t[k] for t in traits.values()}) > 1]
    suffixes = {j: ", ".join(t[k] for k in differing) for j, t in traits.items()}
    unique = list(suffixes.values()).count(suffixes[i]) == 1
    return f"{names[i]} ({suffixes[i]})" if unique else f"{names[i]} #{twins.index(i) + 1}"


def _traits(config):
    """What optimizers with the same name may differ in, each in words."""
    opt = OPTIMIZERS[config.method.key](**config.method.values)
    traits = {}
    for k in hyperparameters(type(opt)):
        value, label = getattr(opt, k.name), k.name.replace("_", " ")
        switch = label if value else f"without {label}"
        traits[k.name] = switch if k.kind is bool else f"{k.name} {value:g}"
    scheduled = [
        ("" if name == "lr" else f"{name} ") + SCHEDULES[part.key].label
        for name, part in config.schedules.items()
    ]
    return traits | {"schedule": ", ".join(scheduled) or "constant"}
