"""What schedules do to the loss: jumps of the rate, where it settles, and a range test read."""

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


def settled(now: Progress) -> np.ndarray:
    """The loss on all training rows `(trials, seeds)`, as a mean over the last tenth of the
    training so far.

    With a large rate the last value alone is a matter of luck.
    """
    late = now.evaluated >= min(0.9 * now.iteration, now.evaluated[-1])
    return now.cross_entropy[late, 0].mean(0)


class Jump(NamedTuple):
    """Where a schedule takes the rate from one value to quite another at once, and what the loss
    did.
    """

    iteration: int
    factor: float  # of the rate
    before: float  # mean loss of the mini-batches before it
    after: float  # and of those from it on
    window: int  # how many


def jumps(now: Progress) -> list[Jump]:
    """The cuts of a step decay and the restarts of a cyclic rate that have been passed, over all
    seeds.
    """
    config, places = now.training.optimizer, []
    factor = factor_of(config)
    if isinstance(factor, Step) and factor.gamma < 1:
        places = range(factor.first, now.training.iterations, factor.every)
    elif isinstance(factor, Cyclic):
        places = range(factor.period, now.training.iterations, factor.period)
    stops, found = [0, *places, now.training.iterations], []
    for before, t, after in zip(stops, stops[1:], stops[2:], strict=False):
        n = min(WINDOW, t - before, after - t)
        if n and now.iteration >= t + n:
            change = float(factor(t)) / float(factor(t - 1)) if factor(t - 1) else np.inf
            losses = now.loss[t - n : t].mean(), now.loss[t : t + n].mean()
            found.append(Jump(t, change, *losses, n))
    return found


class Reading(NamedTuple):
    """A range test read: the curve, and what it says of rates, NaN where it says nothing."""

    rates: np.ndarray  # (n,) as far as the test is read
    loss: np.ndarray  # (n,) median over the seeds
    smooth: np.ndarray  # (n,)
    steepest: float = np.nan  # where the loss falls fastest, by the logarithm of the rate
    lowest: float = np.nan  # where it is lowest
    blown: float = np.nan  # where it has climbed back a part of what it had come down
    left: float = np.nan  # where a mini-batch's loss was so large that the rest is not read
    flaw: str = ""  # why it says nothing, once there is enough of it: "flat" or "noisy"

    def loss_at(self, rate: float) -> float:
        """The smoothed loss at a rate; NaN where that is."""
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
    rates, whole = np.asarray(rates, float)[: len(loss)], len(rates)
    loss = np.median(np.where(np.isfinite(loss), loss, np.inf), -1)
    most = TOO_LARGE * loss[: max(whole // 40, 1)].mean() if len(loss) else np.inf
    over = np.flatnonzero(~(loss <= most))
    n, left = (int(over[0]), float(rates[over[0]])) if len(over) else (len(loss), np.nan)
    rates, loss, window = rates[:n], loss[:n], max(whole // 10, 3) | 1
    if n <= window:  # too early to say anything
        return Reading(rates, loss, np.full(n, np.nan), left=left)
    smooth = smoothed(loss, window)
    low = int(smooth.argmin())
    begin = min(smooth[0], guess)
    drop = begin - smooth[low]
    noise = np.diff(loss[: max(low, window)]).std() / np.sqrt(2 * window)
    if drop < DROP * begin or drop < NOISE * noise:
        flaw = "flat" if drop < DROP * begin else "noisy"
        return Reading(rates, loss, smooth, blown=left, left=left, flaw=flaw)
    slope = np.gradient(smooth, np.log10(rates))[: low + 1]
    back = np.flatnonzero(smooth[low:] > smooth[low] + BACK * (smooth[0] - smooth[low]))
    blown = float(rates[low + back[0]]) if len(back) else left
    return Reading(
        rates, loss, smooth, float(rates[slope.argmin()]), float(rates[low]), blown, left
    )
