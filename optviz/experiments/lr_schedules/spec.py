"""Schedules of the learning rate on one network, and a test that finds the range of rates worth trying."""

from dataclasses import dataclass, field, replace
from math import log10
from typing import NamedTuple

import numpy as np

from optviz.nn import Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.schedules import (
    SCHEDULES,
    Cyclic,
    Schedule,
    Step,
)
from optviz.spec import Choice, SpecError
from optviz.training import (
    Progress,
    Split,
    Training,
    smoothed,
)
from optviz.training import check as check_training

MAX_OPTIMIZERS = 8
VIEWS = ("schedules", "range")
WINDOW = 50  # mini-batches on each side of a jump of the rate over which the loss is averaged
# Of a range test: rates that can be tried, and how many steps it takes.
MIN_RATE, MIN_HIGH, MAX_RATE, MIN_STEPS, MAX_STEPS = 1e-6, 1e-3, 10.0, 50, 2000


@dataclass(frozen=True)
class RangeTest:
    """An optimizer whose rate climbs from `low` to `high`, by the same factor at every step."""

    optimizer: Choice = Choice("sgd")
    low: float = 1e-4
    high: float = 10.0
    steps: int = 400

    @property
    def config(self) -> OptimizerConfig:
        """The optimizer with its growing rate."""
        growth = Choice("growth", {"decades": log10(self.high / self.low), "steps": self.steps - 1})
        return OptimizerConfig(
            Choice(self.optimizer.key, {**self.optimizer.values, "lr": self.high}),
            (),
            {"lr": growth},
        )


def _steps():
    """The sudden drop: the same net with and without it."""
    sgd = Choice("sgd", {"lr": 0.3})
    return (
        OptimizerConfig(sgd),
        OptimizerConfig(
            sgd, (), {"lr": Choice("step", {"gamma": 0.1, "every": 450, "first": 450})}
        ),
    )


@dataclass(frozen=True)
class ScheduleComparison:
    """What every training shares, who trains with which schedule, and the range test on the same network.

    As it opens: a rate that is a little too large for so small a batch, kept, and cut to a tenth half-way.
    """

    optimizers: tuple[OptimizerConfig, ...] = field(default_factory=_steps)
    network: Network = field(default_factory=lambda: Network((64, 50, 50, 10)))
    dataset: Choice = Choice("digits")
    split: Split = Split()
    batch: int = 8
    iterations: int = 900
    seeds: tuple[int, ...] = (0, 1, 2)
    view: str = "schedules"  # one of VIEWS
    test: RangeTest = RangeTest()

    @property
    def trainings(self) -> list[Training]:
        """One for each optimizer: the same starts, the same mini-batches."""
        return [self._training(config, self.iterations) for config in self.optimizers]

    @property
    def tested(self) -> Training:
        """The range test's."""
        return self._training(self.test.config, self.test.steps)

    def _training(self, config, iterations):
        return Training(
            self.network, config, self.dataset, self.split, self.batch, iterations, self.seeds, eval_every=every(iterations)
        )  # fmt: skip


def every(iterations: int) -> int:
    """Iterations between two looks at all rows: a hundred looks or fewer, at round numbers."""
    return next(n for n in (1, 2, 5, 10, 20, 50, 100, 200) if 100 * n >= iterations or n == 200)


def check(scene: ScheduleComparison) -> None:
    """SpecError where what comes from outside could not have been set on the page."""
    if len(scene.optimizers) > MAX_OPTIMIZERS:
        raise SpecError(f"at most {MAX_OPTIMIZERS} optimizers, not {len(scene.optimizers)}")
    if scene.view not in VIEWS:
        raise SpecError(f"the view is one of {', '.join(VIEWS)}, not {scene.view[:30]!r}")
    test = scene.test
    if "lr" in test.optimizer.values:
        raise SpecError(
            "the rate of a range test is what it tries, not a hyperparameter of its optimizer"
        )
    if not (MIN_RATE <= test.low <= MAX_RATE / 10 and MIN_HIGH <= test.high <= MAX_RATE):
        raise SpecError(
            f"a range test goes from {MIN_RATE:g} or more to {MIN_HIGH:g} or more, at most {MAX_RATE:g}"
        )
    if test.high < 9.99 * test.low:
        raise SpecError("a range test goes through a power of ten or more")
    if not MIN_STEPS <= test.steps <= MAX_STEPS:
        raise SpecError(
            f"a range test takes from {MIN_STEPS} to {MAX_STEPS} steps, not {test.steps}"
        )
    for training in (*scene.trainings, scene.tested):
        check_training(training)


def rates(config: OptimizerConfig, iterations: int) -> np.ndarray:
    """The optimizer's rate at every iteration `(iterations,)`: known before anything is trained."""
    rate, factor = config.method.build(OPTIMIZERS).lr, factor_of(config)
    return np.array([rate * float(factor(t)) for t in range(iterations)])


def factor_of(config: OptimizerConfig) -> Schedule:
    """What the optimizer's rate is multiplied by."""
    return config.schedules.get("lr", Choice("constant")).build(SCHEDULES)


def fitted(key: str, iterations: int) -> Choice:
    """A schedule that has its effect within so many iterations."""
    wanted = {
        "step": {"gamma": 0.1, "first": iterations // 2, "every": iterations // 2}, "exponential": {"rate": 3.6 / iterations},
        "inverse_time": {"rate": 9 / iterations}, "linear": {"steps": iterations}, "cosine": {"steps": iterations},
        "cyclic": {"period": iterations // 3}, "warmup": {"steps": iterations // 9}, "growth": {"steps": iterations - 1},
    }.get(key, {})  # fmt: skip
    ranges = {k.name: (k.low, k.high) for k in hyperparameters(SCHEDULES[key])}
    return Choice(
        key,
        {
            name: type(v)(min(max(v, ranges[name][0]), ranges[name][1]))
            for name, v in wanted.items()
        },
    )


# CS231n, lecture 7: one net with every schedule; and four rates that are kept, from too low to very high.
KINDS = ScheduleComparison(
    tuple(
        OptimizerConfig(
            Choice("sgd", {"lr": 0.3}), (), {} if key == "constant" else {"lr": fitted(key, 900)}
        )
        for key in ("constant", "step", "exponential", "inverse_time", "cosine", "cyclic", "warmup")
    ),
    seeds=(0,),
)
FOUR_RATES = ScheduleComparison(
    tuple(OptimizerConfig(Choice("sgd", {"lr": rate})) for rate in (0.003, 0.1, 0.5, 3.0)),
    seeds=(0,),
)


def settled(now: Progress) -> np.ndarray:
    """The loss on all training rows `(trials, seeds)`, as a mean over the last tenth of the training so far.

    With a large rate the last value alone is a matter of luck.
    """
    late = now.evaluated >= min(0.9 * now.iteration, now.evaluated[-1])
    return now.cross_entropy[late, 0].mean(0)


class Jump(NamedTuple):
    """Where a schedule takes the rate from one value to quite another at once, and what the loss did."""

    iteration: int
    factor: float  # of the rate
    before: float  # mean loss of the mini-batches before it
    after: float  # and of those from it on
    window: int  # how many


def jumps(now: Progress) -> list[Jump]:
    """The cuts of a step decay and the restarts of a cyclic rate that have been passed, over all seeds."""
    config, places = now.training.optimizer, []
    factor = factor_of(config)
    if isinstance(factor, Step) and factor.gamma < 1:
        places = range(factor.first, now.training.iterations, factor.every)
    elif isinstance(factor, Cyclic):
        places = range(factor.period, now.training.iterations, factor.period)
    stops, found = [0, *places, now.training.iterations], []
    for before, t, after in zip(stops, stops[1:], stops[2:], strict=False):
        window = min(WINDOW, t - before, after - t)
        if window and now.iteration >= t + window:
            change = float(factor(t)) / float(factor(t - 1)) if factor(t - 1) else np.inf
            found.append(
                Jump(
                    t,
                    change,
                    now.loss[t - window : t].mean(),
                    now.loss[t : t + window].mean(),
                    window,
                )
            )
    return found


class Reading(NamedTuple):
    """A range test read: the curve, and what it says of rates. NaN where there is nothing to say."""

    rates: np.ndarray  # (n,) as far as the test is read
    loss: np.ndarray  # (n,) median over the seeds
    smooth: np.ndarray  # (n,)
    steepest: float  # where the loss falls fastest, by the logarithm of the rate
    lowest: float  # where it is lowest
    blown: float  # where it has climbed back a part of what it had come down
    left: float  # where a mini-batch's loss was so large that the rest is not read


BACK, TOO_LARGE = 0.25, 4.0


def read(rates, loss) -> Reading:
    """A range test from its rates `(T,)` and the losses `(T, seeds)` so far.

    Read up to where the loss is TOO_LARGE times that of the beginning, as is usual, and smoothed over a tenth
    of the test. The steepest descent is sought before the lowest point, the blow-up after it.
    """
    loss = np.asarray(loss, float)
    rates, whole = np.asarray(rates, float)[: len(loss)], len(rates)
    middle = np.median(np.where(np.isfinite(loss), loss, np.inf), -1)
    few = max(whole // 40, 1)
    over = (
        np.flatnonzero(~(middle <= TOO_LARGE * middle[:few].mean()))
        if len(middle)
        else middle.astype(int)
    )
    n, left = (int(over[0]), float(rates[over[0]])) if len(over) else (len(middle), np.nan)
    window = max(whole // 10, 3) | 1
    if n <= window:  # too early to say anything
        return Reading(rates[:n], middle[:n], np.full(n, np.nan), np.nan, np.nan, np.nan, left)
    smooth, rates = smoothed(middle[:n], window), rates[:n]
    low = int(smooth.argmin())
    slope = np.gradient(smooth, np.log10(rates))[: low + 1]
    back = np.flatnonzero(smooth[low:] > smooth[low] + BACK * (smooth[0] - smooth[low]))
    blown = float(rates[low + back[0]]) if len(back) else left
    fell = smooth[0] > smooth[low] and slope.min() < 0
    return Reading(
        rates, middle[:n], smooth, float(rates[slope.argmin()]) if fell else np.nan, float(rates[low]), blown, left
    )  # fmt: skip


def with_rate(scene: ScheduleComparison, rate: float) -> ScheduleComparison:
    """The scene with another optimizer: the range test's optimizer at a constant rate, in place of the last if all are taken."""
    own = scene.test.optimizer
    lr = next(k for k in hyperparameters(OPTIMIZERS[own.key]) if k.name == "lr")
    config = OptimizerConfig(Choice(own.key, {**own.values, "lr": min(max(rate, lr.low), lr.high)}))
    return replace(
        scene, optimizers=(*scene.optimizers[: MAX_OPTIMIZERS - 1], config), view="schedules"
    )
