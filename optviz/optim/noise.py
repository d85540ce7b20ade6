"""Gradient noise as a function of (seed, step): the same for every optimizer, however often it
evaluates the gradient.
"""

from dataclasses import dataclass

import numpy as np

from optviz.optim.hyperparameter import Configurable, hyperparameter, register

NOISES: dict[str, type] = {}


@dataclass(frozen=True)
class Noise(Configurable):
    """Adds `scale` times a standard draw to each gradient component."""

    scale: float = hyperparameter(
        1.0, 0.0, 10.0, "a", help="size of the noise on each component of the gradient"
    )
    draw_variance = 1.0

    @property
    def variance(self) -> float:
        """The variance of each component."""
        return self.draw_variance * self.scale**2

    def table(self, seed, steps: int, d: int = 2) -> np.ndarray:
        """The noise of every step, `(steps, ..., d)`, for a seed or an array `(...)` of seeds.

        Row t depends on seed and t alone: a longer run begins with the same noise.
        """
        seeds = np.asarray(seed)
        if seeds.ndim:
            distinct, index = np.unique(seeds, return_inverse=True)
            tables = np.stack([self.table(int(s), steps, d) for s in distinct], 1)
            return tables[:, index.reshape(seeds.shape)]
        return self.scale * self.draw(np.random.default_rng(int(seeds)), (steps, d))

    def draw(self, rng, shape):
        """Standard draws, in the order of the steps."""
        raise TypeError(f"{type(self).__name__} is abstract")


def noise(cls):
    return register(NOISES, cls)


@noise
class Uniform(Noise):
    """Uniform in [−a, a]."""

    draw_variance = 1 / 3

    def draw(self, rng, shape):
        return rng.uniform(-1.0, 1.0, shape)


@noise
class Gaussian(Noise):
    """Normal with standard deviation a."""

    def draw(self, rng, shape):
        return rng.standard_normal(shape)


@noise
class Rare(Noise):
    """One draw in ten is 3a, the others are −a/3: zero on average, and of standard deviation a."""

    def draw(self, rng, shape):
        return np.where(rng.random(shape) < 0.1, 3.0, -1 / 3)
