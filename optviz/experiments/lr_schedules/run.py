"""How schedules affect the loss: jumps of the rate, the loss at the end, reading a range test."""

from typing import NamedTuple

import numpy as np

from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.schedules import SCHEDULES, Cyclic, Schedule, Step
from optviz.spec import Choice
from optviz.training import Progress, smoothed

BACK, TOO_LARGE = 0.25, 4.0  # of a range test: where it blows up, and where it ends
# A range test is read where the smoothed loss comes down by such a share of where it began (or of a
# guess, where that is less), and by so many times the noise that smoothing leaves.
DROP, NOISE = 0.15, 10.0
WINDOW = 50  # mini-batches on each side of a jump of the rate over which the loss is averaged


def rates(config: OptimizerConfig, iterations: int) -> np.ndarray:
    """The optimizer's rate at every iteration `(iterations,)`: known before anything is trained."""
    rate, factor = config.method.build(OPTIMIZERS).lr, factor_of(config)
    return np.array([rate * float(factor(t)) for t in range(iterations)])


def factor_of(config: OptimizerConfig) -> Schedule:
    """What the optimizer's rate is multiplied by."""
    return config.schedules.get("lr", Choice("constant")).build(SCHEDULES)


def end_loss(progress: Progress) -> np.ndarray:
    """The loss on all training rows `(trials, seeds)`, as a mean over the last tenth of the
    training so far.

    With a large rate the last value alone is a matter of luck.
    """
    late = progress.evaluated >= min(0.9 * progress.iteration, progress.evaluated[-1])
    return progress.cross_entropy[late, 0].mean(0)


class Jump(NamedTuple):
    """Where a schedule changes the rate abruptly, and the loss before and after."""

    iteration: int
    factor: float  # of the rate
    before: float  # mean loss of the mini-batches before it
    after: float  # and of those from it on
    window: int  # how many


def jumps(progress: Progress) -> list[Jump]:
    """The past cuts of a step decay and restarts of a cyclic rate, over all seeds."""
    config, places = progress.training.optimizer, []
    factor = factor_of(config)
    if isinstance(factor, Step) and factor.gamma < 1:
        places = range(factor.first, progress.training.iterations, factor.every)
    elif isinstance(factor, Cyclic):
        places = range(factor.period, progress.training.iterations, factor.period)
    stops, result = [0, *places, progress.training.iterations], []
    for before, t, after in zip(stops, stops[1:], stops[2:], strict=False):
        n = min(WINDOW, t - before, after - t)
        if n and progress.iteration >= t + n:
            change = float(factor(t)) / float(factor(t - 1)) if factor(t - 1) else np.inf
            losses = progress.loss[t - n : t].mean(), progress.loss[t : t + n].mean()
            result.append(Jump(t, change, *losses, n))
    return result


class Reading(NamedTuple):
    """What a range test shows: the curve, and the rates read from it, NaN where there are none."""

    rates: np.ndarray  # (n,) as far as the test is read
    loss: np.ndarray  # (n,) median over the seeds
    smooth: np.ndarray  # (n,)
    steepest: float = np.nan  # where the loss falls fastest, by the logarithm of the rate
    lowest: float = np.nan  # where it is lowest
    blown: float = np.nan  # where it has regained a part of what it had lost
    left: float = np.nan  # where a mini-batch's loss was so large that the rest is ignored
    flaw: str = ""  # why it cannot be read, once it is long enough: "flat" or "noisy"

    def loss_at(self, rate: float) -> float:
        """The smoothed loss at a rate; NaN for a NaN."""
        if not np.isfinite(rate):
            return float("nan")
        return float(np.interp(np.log10(rate), np.log10(self.rates), self.smooth))


def read(rates, loss, guess: float = np.inf) -> Reading:
    """A range test from its rates `(T,)` and the losses `(T, seeds)` so far.

    `guess` is the loss of a network that gives every class the same probability.

    Read up to where the loss is TOO_LARGE times that of the beginning, as is usual, and smoothed
    over a tenth of the test. The steepest descent is sought before the lowest point, the blow-up
    after it.
    """
    loss = np.asarray(loss, float)
    rates, n_steps = np.asarray(rates, float)[: len(loss)], len(rates)
    loss = np.median(np.where(np.isfinite(loss), loss, np.inf), -1)
    max_loss = TOO_LARGE * loss[: max(n_steps // 40, 1)].mean() if len(loss) else np.inf
    beyond = np.flatnonzero(~(loss <= max_loss))
    n, left = (int(beyond[0]), float(rates[beyond[0]])) if len(beyond) else (len(loss), np.nan)
    rates, loss, window = rates[:n], loss[:n], max(n_steps // 10, 3) | 1
    if n <= window:  # too early to say anything
        return Reading(rates, loss, np.full(n, np.nan), left=left)
    smooth = smoothed(loss, window)
    low = int(smooth.argmin())
    start = min(smooth[0], guess)
    drop = start - smooth[low]
    noise = np.diff(loss[: max(low, window)]).std() / np.sqrt(2 * window)
    if drop < DROP * start or drop < NOISE * noise:
        flaw = "flat" if drop < DROP * start else "noisy"
        return Reading(rates, loss, smooth, blown=left, left=left, flaw=flaw)
    slope = np.gradient(smooth, np.log10(rates))[: low + 1]
    rising = np.flatnonzero(smooth[low:] > smooth[low] + BACK * (smooth[0] - smooth[low]))
    blown = float(rates[low + rising[0]]) if len(rising) else left
    return Reading(
        rates, loss, smooth, float(rates[slope.argmin()]), float(rates[low]), blown, left
    )
