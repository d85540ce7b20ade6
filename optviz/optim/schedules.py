"""Schedules: what a hyperparameter is multiplied by at step t. The optimizer never hears of them.

Settings and names follow the common ones: step, exponential and 1/t decay as in CS231n lecture 7,
cosine and warm restarts as in Loshchilov & Hutter (2017), SGDR.
"""

import math
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


def schedule(cls):
    return register(SCHEDULES, cls, {"InverseTime": "inverse_time"}.get(cls.__name__))


@schedule
class Constant(Schedule):
    r"""The hyperparameter stays as it is set.

    $$ 1 $$
    """

    def __call__(self, t):
        return 1.0


@schedule
class Step(Schedule):
    r"""Multiplied by γ at step t₁ and every T steps from there on.

    $$ \gamma^{\,\max(0,\; 1 + \lfloor (t - t_1)/T \rfloor)} $$
    """

    gamma: float = hyperparameter(0.5, 0.01, 1.0, r"\gamma", help="what each drop multiplies by")
    every: int = hyperparameter(50, 1, 1000, "T", help="steps between drops")
    first: int = hyperparameter(50, 0, 1000, "t_1", help="step of the first drop")

    def __call__(self, t):
        return np.float64(self.gamma) ** max(0, 1 + (t - self.first) // self.every)


@schedule
class Exponential(Schedule):
    r"""Shrinks by the same share at every step.

    $$ e^{-k t} $$
    """

    rate: float = hyperparameter(0.015, 1e-4, 1.0, "k", log=True, help="decay per step")

    def __call__(self, t):
        return np.exp(np.float64(-self.rate) * t)


@schedule
class InverseTime(Schedule):
    r"""Falls as 1/t in the long run: slow enough to get anywhere, fast enough to calm the noise.

    $$ \frac{1}{1 + k t} $$
    """

    rate: float = hyperparameter(0.05, 1e-4, 10.0, "k", log=True, help="decay per step")

    def __call__(self, t):
        return 1 / np.float64(1 + self.rate * t)


@schedule
class Linear(Schedule):
    r"""Straight down to φ after T steps.

    $$ \phi + (1 - \phi)\,(1 - t/T) $$
    """

    steps: int = hyperparameter(300, 1, 5000, "T", help="steps until the floor is reached")
    floor: float = _floor("what remains at the end")

    def __call__(self, t):
        return self.floor + (1 - self.floor) * max(0.0, 1 - t / self.steps)


@schedule
class Cosine(Schedule):
    r"""Half a cosine wave down to φ: slow at both ends.

    $$ \phi + (1 - \phi)\,\tfrac{1}{2}(1 + \cos(\pi t/T)) $$
    """

    steps: int = hyperparameter(300, 1, 5000, "T", help="steps until the floor is reached")
    floor: float = _floor("what remains at the end")

    def __call__(self, t):
        wave = (1 + math.cos(math.pi * min(t / self.steps, 1.0))) / 2
        return self.floor + (1 - self.floor) * wave


@schedule
class Cyclic(Schedule):
    r"""The cosine again and again, each time back to the top: warm restarts.

    $$ \phi + (1 - \phi)\,\tfrac{1}{2}(1 + \cos(\pi (t \bmod T)/T)) $$
    """

    period: int = hyperparameter(100, 1, 5000, "T", help="steps from one restart to the next")
    floor: float = _floor("what remains at the end of a cycle")

    def __call__(self, t):
        wave = (1 + math.cos(math.pi * (t % self.period) / self.period)) / 2
        return self.floor + (1 - self.floor) * wave


@schedule
class Warmup(Schedule):
    r"""Rises in a straight line over the first T steps, then stays.

    $$ \min(1, (t + 1)/T) $$
    """

    steps: int = hyperparameter(20, 1, 1000, "T", help="steps until the full value")

    def __call__(self, t):
        return min(1.0, (t + 1) / self.steps)


@schedule
class Growth(Schedule):
    r"""Rises by the same factor at every step, through d powers of ten in T steps: a learning-rate
    range test.

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
