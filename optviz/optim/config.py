"""Who runs: an optimizer, what is wrapped around it, and the schedules of its hyperparameters. On a function or a network."""

from dataclasses import dataclass, field

from optviz.functions.library import FUNCTIONS
from optviz.optim import OPTIMIZERS, WRAPPERS, Optimizer
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.initial_points import STARTS
from optviz.optim.minimize import Leg, minimize
from optviz.optim.schedules import SCHEDULES
from optviz.spec import Choice, SpecError

MAX_STEPS = 2000


@dataclass(frozen=True)
class Racer:
    """An optimizer, what is wrapped around it (innermost first), and schedules by hyperparameter name.

    With a fork it is a branch: another racer's path until a step, and its own from there on. `starts`
    are more points from which it runs beside the start that all racers share.
    """

    optimizer: Choice
    wrappers: tuple[Choice, ...] = ()
    schedules: dict[str, Choice] = field(default_factory=dict)
    fork: "Fork | None" = None
    starts: Choice | None = None

    def build(self) -> Optimizer:
        opt = self.optimizer.build(OPTIMIZERS)
        for part in self.wrappers:
            opt = part.build(WRAPPERS, opt)
        return opt

    @property
    def name(self) -> str:
        """What the racer is called where there is one of its kind."""
        parts = [OPTIMIZERS[self.optimizer.key].label, *(WRAPPERS[w.key].label.lower() for w in self.wrappers)]
        return " + ".join(parts) + (f" from step {self.fork.step}" if self.fork else "")

    def legs(self) -> list[Leg]:
        """What runs from which step on, the oldest ancestor first."""
        before = [leg for leg in self.fork.racer.legs() if leg.step < self.fork.step] if self.fork else []
        schedules = {name: part.build(SCHEDULES) for name, part in self.schedules.items()}
        return [*before, Leg(self.fork.step if before else 0, self.build(), schedules or None)]


@dataclass(frozen=True)
class Fork:
    """Where a racer left the path of another."""

    racer: Racer
    step: int


def check_racer(racer: Racer) -> None:
    """SpecError where a racer from outside could not have been set on a page."""
    racer.optimizer.check(OPTIMIZERS, "optimizer")
    for part in racer.wrappers:
        part.check(WRAPPERS, "wrapper")
    for part in racer.schedules.values():
        part.check(SCHEDULES, "schedule")
    if racer.starts:
        racer.starts.check(STARTS, "set of starts")
    if racer.fork:
        if not 0 <= racer.fork.step <= MAX_STEPS:
            raise SpecError(f"a fork is at a step from 0 to {MAX_STEPS}, not {racer.fork.step}")
        check_racer(racer.fork.racer)
    try:
        minimize(
            FUNCTIONS["bowl"],
            racer.build(),
            steps=0,
            schedule={k: v.build(SCHEDULES) for k, v in racer.schedules.items()},
        )
    except ValueError as error:  # a wrapper around itself, a schedule for a hyperparameter that is not there
        raise SpecError(f"{error}") from None


def names(racers: tuple[Racer, ...]) -> list[str]:
    """A distinct name for each racer: with the hyperparameters in which twins differ, or else numbered."""
    plain = [r.name for r in racers]
    return [_told_apart(i, plain, racers) for i in range(len(plain))]


def _told_apart(i, names, racers):
    twins = [j for j, name in enumerate(names) if name == names[i]]
    if len(twins) == 1:
        return names[i]
    traits = {j: _traits(racers[j]) for j in twins}
    differing = [k for k in traits[i] if len({t[k] for t in traits.values()}) > 1]
    told = {j: ", ".join(t[k] for k in differing) for j, t in traits.items()}
    unique = list(told.values()).count(told[i]) == 1
    return f"{names[i]} ({told[i]})" if unique else f"{names[i]} #{twins.index(i) + 1}"


def _traits(racer):
    """In what racers of one name may differ, each in words."""
    opt = OPTIMIZERS[racer.optimizer.key](**racer.optimizer.values)
    traits = {}
    for k in hyperparameters(type(opt)):
        value, label = getattr(opt, k.name), k.name.replace("_", " ")
        traits[k.name] = f"{k.name} {value:g}" if k.kind is not bool else label if value else f"without {label}"
    scheduled = [
        f"{'' if hyperparameter == 'lr' else hyperparameter + ' '}{part.key.replace('_', ' ')}" for hyperparameter, part in racer.schedules.items()
    ]
    return traits | {"schedule": ", ".join(scheduled) or "constant"}
