"""Points in the plane, made from a seed: few enough to watch the boundary between classes move."""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import numpy as np

from optviz.optim.hyperparameter import Configurable, hyperparameter, registrar

TOY_SETS: dict[str, type] = {}


@dataclass(frozen=True)
class ToySet(Configurable):
    """Classes of points around curves, each shaken by the noise in a direction of its own."""

    points: int = hyperparameter(
        300, 2, 2000, "n", help="points in all, the same number in each class"
    )
    noise: float = hyperparameter(
        0.1, 0.0, 1.0, r"\sigma", help="standard deviation around the curve"
    )

    features: ClassVar[int] = 2

    @property
    def classes(self) -> int:
        return 2

    def sample(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """x `(n, 2)` and t `(n,)`, the classes taking turns.

        Positions and noise are drawn from two streams, in the order of the points: while the noise
        is dragged each point moves in a straight line, and more points leave the first ones where
        they are.
        """
        place, shake = (np.random.default_rng([seed, stream]) for stream in range(2))
        t = np.arange(self.points) % self.classes
        x = self.curve(place.random(self.points), t)
        return x + self.noise * shake.standard_normal((self.points, 2)), t

    def curve(self, u, t) -> np.ndarray:
        """Points `(n, 2)` at the shares u `(n,)` in 0…1 of the curves of their classes t `(n,)`."""
        raise TypeError(f"{type(self).__name__} is abstract")


shape = registrar(TOY_SETS)


def polar(radius, angle) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


@shape("Moons")
class Moons(ToySet):
    """Two interleaving half circles: no line separates them."""

    def curve(self, u, t):
        # the lower moon is the upper one turned by half a circle about the origin
        upper = polar(1.0, pi * u) - (0.5, 0.25)
        return np.where(t[:, None] == 0, upper, -upper)


@shape("Circles")
class Circles(ToySet):
    """A circle within a circle: the outer class surrounds the inner one."""

    inner: float = hyperparameter(
        0.5, 0.05, 0.95, "r", help="radius of the inner circle; that of the outer one is 1"
    )

    def curve(self, u, t):
        return polar(np.where(t == 0, 1.0, self.inner), 2 * pi * u)


@shape("Spirals")
class Spirals(ToySet):
    """Arms wound around each other: the boundary must be wound as well."""

    noise: float = hyperparameter(
        0.03, 0.0, 1.0, r"\sigma", help="standard deviation around the curve"
    )
    arms: int = hyperparameter(2, 2, 5, "k", help="spiral arms, each a class")
    turns: float = hyperparameter(1.25, 0.25, 3.0, r"\tau", help="number of turns of an arm")

    @property
    def classes(self):
        return self.arms

    def curve(self, u, t):
        # the root spreads the points evenly along the arm, which begins off the center
        radius = 0.1 + 0.9 * np.sqrt(u)
        return polar(radius, 2 * pi * (self.turns * radius + t / self.arms))


@shape("Two clouds")
class Clouds(ToySet):
    """Two round clouds, near the origin or far from it: the best boundary is a line."""

    noise: float = hyperparameter(0.4, 0.0, 1.0, r"\sigma", help="standard deviation of a cloud")
    gap: float = hyperparameter(2.0, 0.0, 5.0, "d", help="from center to center")
    offset: float = hyperparameter(
        0.0, 0.0, 50.0, "s", help="distance of the clouds from the origin"
    )

    def curve(self, u, t):
        # along the line that parts them, whose weights are then the same wherever the clouds stand
        across, along = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
        return np.where(t == 0, -0.5, 0.5)[:, None] * self.gap * across + self.offset * along


@shape("Rare features")
class Rare(Configurable):
    """Rows that are mostly zeros: feature i is nonzero in a share i^-α of them, as 1 or −1.

    Each has a sign of its own, and a row is of class 1 where its features agree with theirs more
    often than not. (Duchi, Hazan & Singer 2011, Adaptive subgradient methods, section 1.3.)
    """

    features: ClassVar[int] = 60
    classes: ClassVar[int] = 2

    points: int = hyperparameter(2000, 2, 2000, "n", help="rows")
    decay: float = hyperparameter(
        1.5, 0.0, 3.0, r"\alpha", help="how fast features become rare, from the first to the last"
    )

    def sample(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """x `(n, features)`, of -1, 0 and 1, and t `(n,)`."""
        nonzero, signs, true_signs = (np.random.default_rng([seed, stream]) for stream in range(3))
        shape = self.points, self.features
        x = (nonzero.random(shape) < np.arange(1, self.features + 1.0) ** -self.decay).astype(float)
        x *= signs.choice((-1.0, 1.0), shape)
        return x, (x @ true_signs.choice((-1.0, 1.0), self.features) > 0).astype(int)
