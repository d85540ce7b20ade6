"""Schedules: what a hyperparameter is multiplied by at step t. The optimizer is unaware of them.

Settings and names follow the common ones: step, exponential and 1/t decay as in CS231n lecture 7,
cosine and warm restarts as in Loshchilov & Hutter (2017), SGDR. Sequences are tested against
torch.optim.lr_scheduler.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from optviz.optim.hyperparameter import Configurable, hyperparameter, register

SCHEDULES: dict[str, type] = {}


@dataclass(frozen=True)
class Schedule(Configurable):
    """Maps the step t (0-based) to a factor."""

    def __call__(self, t: int) -> float:
        raise TypeError(f"{type(self).__name__} is abstract")


def _floor(help):
    return hyperparameter(0.0, 0.0, 1.0, r"\phi", help=help, valid="[0, 1]")


def schedule(name: str):
    """Class decorator: registers a schedule in SCHEDULES with its display name."""

    def decorator(cls):
        key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()
        return register(SCHEDULES, cls, key, label=name)

    return decorator


def _wave(start, end, progress):
    """Half a cosine wave from one value to another, at a progress from 0 to 1."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * min(progress, 1.0)))


def sequence(t, parts):
    """The factor at step t of a sequence of schedules, each `(steps, schedule)` starting at its own
    step 0; the last one lasts for math.inf steps.
    """
    for steps, factor in parts:
        if t < steps:
            return factor(t)
        t = t - steps
    raise ValueError("the last schedule has an end")


@schedule("constant")
class Constant(Schedule):
    r"""The hyperparameter stays as it is set.

    $$ 1 $$
    """

    def __call__(self, t):
        return 1.0


@schedule("step")
class Step(Schedule):
    r"""Multiplied by γ at step t₁ and every T steps from there on.

    $$ \gamma^{\,\max(0,\; 1 + \lfloor (t - t_1)/T \rfloor)} $$
    """

    gamma: float = hyperparameter(0.5, 0.01, 1.0, r"\gamma", help="what each drop multiplies by")
    every: int = hyperparameter(50, 1, 1000, "T", help="steps between drops")
    first: int = hyperparameter(50, 0, 1000, "t_1", help="step of the first drop")

    def __call__(self, t):
        return np.float64(self.gamma) ** max(0, 1 + (t - self.first) // self.every)


@schedule("exponential")
class Exponential(Schedule):
    r"""Shrinks by the same share at every step.

    $$ e^{-k t} $$
    """

    rate: float = hyperparameter(0.015, 1e-4, 1.0, "k", log=True, help="decay per step")

    def __call__(self, t):
        return np.exp(np.float64(-self.rate) * t)


@schedule("inverse time")
class InverseTime(Schedule):
    r"""Falls as 1/t in the long run: slow enough to get anywhere, fast enough to calm the noise.

    $$ \frac{1}{1 + k t} $$
    """

    rate: float = hyperparameter(0.05, 1e-4, 10.0, "k", log=True, help="decay per step")

    def __call__(self, t):
        return 1 / np.float64(1 + self.rate * t)


@schedule("linear")
class Linear(Schedule):
    r"""Straight down to φ after T steps.

    $$ \phi + (1 - \phi)\,\max(0,\; 1 - t/T) $$
    """

    steps: int = hyperparameter(300, 1, 5000, "T", help="steps until the floor is reached")
    floor: float = _floor("what remains at the end")

    def __call__(self, t):
        return self.floor + (1 - self.floor) * max(0.0, 1 - t / self.steps)


@schedule("cosine")
class Cosine(Schedule):
    r"""Half a cosine wave down to φ: slow at both ends.

    $$ \phi + (1 - \phi)\,\tfrac{1}{2}\big(1 + \cos(\pi \min(1,\; t/T))\big) $$
    """

    steps: int = hyperparameter(300, 1, 5000, "T", help="steps until the floor is reached")
    floor: float = _floor("what remains at the end")

    def __call__(self, t):
        return _wave(1.0, self.floor, t / self.steps)


@schedule("cosine with warm restarts")
class Cyclic(Schedule):
    r"""The cosine again and again, each time back to the top: warm restarts.

    $$ \phi + (1 - \phi)\,\tfrac{1}{2}(1 + \cos(\pi (t \bmod T)/T)) $$
    """

    period: int = hyperparameter(100, 1, 5000, "T", help="steps from one restart to the next")
    floor: float = _floor("what remains at the end of a cycle")

    def __call__(self, t):
        return _wave(1.0, self.floor, t % self.period / self.period)


@schedule("warm-up")
class Warmup(Schedule):
    r"""Rises in a straight line over the first T steps, then stays.

    $$ \min(1, (t + 1)/T) $$
    """

    steps: int = hyperparameter(20, 1, 1000, "T", help="steps until the full value")

    def __call__(self, t):
        return min(1.0, (t + 1) / self.steps)


@schedule("LR range test")
class Growth(Schedule):
    r"""Rises by the same factor at every step, over d powers of ten in T steps: an LR range test.

    $$ 10^{-d\,(1 - \min(1,\; t/T))} $$

    The hyperparameter itself is the end of the climb, so that its range and its limits are those of
    the largest rate that is tried. (Smith 2017, Cyclical learning rates for training neural
    networks, section 3.3, in a straight line; on a logarithmic scale one climb goes through all
    rates that a person would think of.)
    """

    decades: float = hyperparameter(
        4.0, 0.1, 8.0, "d", help="powers of ten from the first step to the last"
    )
    steps: int = hyperparameter(100, 1, 5000, "T", help="steps until the full value")

    def __call__(self, t):
        return np.float64(10.0) ** (-self.decades * (1 - min(1.0, t / self.steps)))


@schedule("warm-up, cosine")
class WarmupCosine(Schedule):
    r"""Rises in a straight line over the first T₁ steps, then falls as half a cosine wave until T.

    $$ \min\Big(1,\; \frac{t + 1}{T_1}\Big)
    \,\Big(\phi + (1 - \phi)\,\tfrac{1}{2}\big(1
    + \cos(\pi \min(1,\; (t - T_1)^+/(T - T_1)))\big)\Big) $$
    """

    warmup: int = hyperparameter(20, 1, 1000, "T_1", help="steps until the full value")
    steps: int = hyperparameter(300, 1, 5000, "T", help="steps until the floor is reached")
    floor: float = _floor("what remains at the end")

    def __call__(self, t):
        fall = Cosine(max(1, self.steps - self.warmup), self.floor)
        return sequence(t, [(self.warmup, Warmup(self.warmup)), (math.inf, fall)])


@schedule("warm-up, stable, decay")
class WarmupStableDecay(Schedule):
    r"""Rises over T₁ steps, stays for T₂, falls in a straight line over T₃: stop when you like.

    $$ \min\Big(1,\; \frac{t + 1}{T_1},\;
    \phi + (1 - \phi)\,\frac{(T_1 + T_2 + T_3 - t)^+}{T_3}\Big) $$

    (Hu et al. 2024, MiniCPM, section 4.)
    """

    warmup: int = hyperparameter(20, 1, 1000, "T_1", help="steps until the full value")
    stable: int = hyperparameter(200, 0, 5000, "T_2", help="steps at the full value")
    decay: int = hyperparameter(80, 1, 5000, "T_3", help="steps from there to the floor")
    floor: float = _floor("what remains at the end")

    def __call__(self, t):
        rise, fall = Warmup(self.warmup), Linear(self.decay, self.floor)
        return sequence(t, [(self.warmup, rise), (self.stable, Constant()), (math.inf, fall)])


@schedule("1cycle")
class OneCycle(Schedule):
    r"""Up by half a cosine wave for a share p of the T steps, and down to almost nothing: 1cycle.

    $$ T_1 = pT - 1, \qquad a + \tfrac{1}{2}(b - a)\,(1 - \cos \pi s) $$

    From a = 1/25 to b = 1 with s = t/T₁, then from a = 1 to b = 4·10⁻⁶ with s = (t − T₁)/(T − pT).
    (Smith & Topin 2018, Super-convergence; the shape and the numbers are torch.optim's.)
    """

    steps: int = hyperparameter(300, 2, 5000, "T", help="steps of the whole cycle")
    rise: float = hyperparameter(0.3, 0.05, 0.95, "p", help="share of the steps that rise")

    def __call__(self, t):
        top = self.rise * self.steps - 1
        if t < top:
            return _wave(1 / 25, 1.0, t / top)
        return _wave(1.0, 4e-6, (t - top) / (self.steps - 1 - top))


@schedule("cosine with growing restarts")
class Restarts(Schedule):
    r"""The cosine again and again, each m times as long as the one before: growing warm restarts.

    $$ \phi + (1 - \phi)\,\tfrac{1}{2}(1 + \cos(\pi t_i/T_i)), \qquad T_i = T m^i $$
    """

    period: int = hyperparameter(50, 1, 5000, "T", help="steps until the first restart")
    growth: int = hyperparameter(2, 1, 10, "m", help="how many times as long the next one is")
    floor: float = _floor("what remains at the end of a cycle")

    def __call__(self, t):
        lengths = (self.period * self.growth**i for i in range(t + 1))
        return sequence(t, ((n, Cosine(n, self.floor)) for n in lengths))
