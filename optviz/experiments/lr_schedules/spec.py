"""Schedules of the learning rate on one network, and a test that finds rates worth trying."""

from dataclasses import dataclass, replace
from math import log10

from optviz.nn import Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.optim.schedules import SCHEDULES
from optviz.spec import Choice, SpecError, choice, items, option
from optviz.training import Training, TrainingSettings, check
from optviz.translation import N_

MAX_OPTIMIZERS = 8
VIEWS = {"schedules": N_("Schedules"), "range": N_("LR range test")}


@dataclass(frozen=True)
class RangeTest:
    """An optimizer whose learning rate climbs from `low` to `high` by the same factor at every
    step.
    """

    optimizer: Choice = choice("sgd", OPTIMIZERS, "Optimizer")
    low: float = hyperparameter(1e-4, 1e-6, 1.0, log=True, help="learning rate of the first step")
    high: float = hyperparameter(10.0, 1e-3, 10.0, log=True, help="learning rate of the last step")
    steps: int = hyperparameter(400, 50, 2000, "T", log=True, help="steps from one to the other")

    @property
    def config(self) -> OptimizerConfig:
        """The optimizer with its growing learning rate."""
        decades = log10(self.high / self.low)
        growth = Choice("growth", {"decades": decades, "steps": self.steps - 1})
        return OptimizerConfig(self.optimizer.with_values(lr=self.high), (), {"lr": growth})

    def validate(self) -> None:
        """SpecError for a learning rate of its own, or for less than a power of ten."""
        if "lr" in self.optimizer.values:
            raise SpecError("a range test sets the learning rate itself")
        if self.high < 9.99 * self.low:
            raise SpecError("a range test must cover at least one power of ten")


def sgd(lr: float, schedule: Choice | None = None) -> OptimizerConfig:
    """SGD, with a schedule if there is one."""
    return OptimizerConfig(Choice("sgd", {"lr": lr}), (), {"lr": schedule} if schedule else {})


# The sudden drop: the same network with and without it.
STEP = (sgd(0.3), sgd(0.3, Choice("step", {"gamma": 0.1, "every": 450, "first": 450})))


@dataclass(frozen=True)
class ScheduleComparison(TrainingSettings):
    """Optimizers with their schedules on one network, and the range test on the same.

    As it opens: a rate that is a little too large for so small a batch, kept, and cut to a tenth
    half-way.
    """

    network: Network = Network((64, 50, 50, 10))
    batch: int = hyperparameter(8, 1, 2000, "B", log=True, help="examples in a mini-batch")
    iterations: int = hyperparameter(900, 10, 5000, "T", log=True, help="updates of every network")
    seeds: tuple[int, ...] = (0, 1, 2)
    optimizers: tuple[OptimizerConfig, ...] = items(STEP, 0, MAX_OPTIMIZERS, "optimizers")
    view: str = option("schedules", VIEWS, "View")
    test: RangeTest = RangeTest()

    @property
    def trainings(self) -> list[Training]:
        """One for each optimizer, with the same starts and mini-batches."""
        eval_every = every(self.iterations)
        return [self.training(config, eval_every=eval_every) for config in self.optimizers]

    @property
    def tested(self) -> Training:
        """The range test's."""
        steps = self.test.steps
        return self.training(self.test.config, iterations=steps, eval_every=every(steps))

    def validate(self) -> None:
        """SpecError where one of them cannot be trained."""
        super().validate()
        check(self.tested)


def every(iterations: int) -> int:
    """Iterations between evaluations: at most a hundred evaluations, at round numbers."""
    return next(n for n in (1, 2, 5, 10, 20, 50, 100, 200) if 100 * n >= iterations or n == 200)


def fitted(key: str, iterations: int) -> Choice:
    """A schedule that has its effect within so many iterations."""
    values = {
        "step": {"gamma": 0.1, "first": iterations // 2, "every": iterations // 2},
        "exponential": {"rate": 3.6 / iterations},
        "inverse_time": {"rate": 9 / iterations},
        "linear": {"steps": iterations},
        "cosine": {"steps": iterations},
        "cyclic": {"period": iterations // 3},
        "warmup": {"steps": iterations // 9},
        "growth": {"steps": iterations - 1},
        "warmup_cosine": {"warmup": iterations // 9, "steps": iterations},
        "warmup_stable_decay": {
            "warmup": iterations // 9,
            "stable": iterations // 2,
            "decay": iterations - iterations // 9 - iterations // 2,
        },
        "one_cycle": {"steps": iterations},
        "restarts": {"period": iterations // 7},
    }.get(key, {})
    declared = {h.name: h for h in hyperparameters(SCHEDULES[key])}
    return Choice(key, {k: declared[k].kind(declared[k].clip(v)) for k, v in values.items()})


def with_fitted_schedules(spec: ScheduleComparison) -> ScheduleComparison:
    """Give a schedule that was just chosen values with which it has its effect."""

    def fit(config):
        fresh = {
            name: schedule if schedule.values else fitted(schedule.key, spec.iterations)
            for name, schedule in config.schedules.items()
        }
        return replace(config, schedules=fresh)

    return replace(spec, optimizers=tuple(map(fit, spec.optimizers)))


# CS231n, lecture 7: one network with every schedule; and four constant rates, from too low to very
# high.
KEYS = ("step", "exponential", "inverse_time", "cosine", "cyclic", "warmup")
KINDS = ScheduleComparison(
    optimizers=(sgd(0.3), *(sgd(0.3, fitted(key, 900)) for key in KEYS)), seeds=(0,)
)
FOUR_RATES = ScheduleComparison(optimizers=tuple(map(sgd, (0.003, 0.1, 0.5, 3.0))), seeds=(0,))


def with_rate(spec: ScheduleComparison, lr: float) -> ScheduleComparison:
    """Add the range test's optimizer at a constant rate; in a full list it replaces the last."""
    optimizer = spec.test.optimizer
    declared = next(h for h in hyperparameters(OPTIMIZERS[optimizer.key]) if h.name == "lr")
    config = OptimizerConfig(optimizer.with_values(lr=declared.clip(lr)))
    others = spec.optimizers[: MAX_OPTIMIZERS - 1]
    return replace(spec, optimizers=(*others, config), view="schedules")
