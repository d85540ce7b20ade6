"""Several starts at once: where paths begin besides the start that all optimizers share."""

from dataclasses import dataclass

import numpy as np

from optviz.optim.hyperparameter import Configurable, hyperparameter, register

INITIAL_POINTS: dict[str, type] = {}


@dataclass(frozen=True)
class InitialPoints(Configurable):
    """A set of starts, laid out around a point or over a domain."""

    def points(self, center, domain) -> np.ndarray:
        """The starts, `(k, 2)`, for a center `(2,)` and a domain ((x0, x1), (y0, y1))."""
        raise TypeError(f"{type(self).__name__} is abstract")


def initial_points(cls):
    return register(INITIAL_POINTS, cls)


@initial_points
class Ring(InitialPoints):
    """On an ellipse around the start: where does a small change of the start lead?"""

    count: int = hyperparameter(12, 3, 36, "k", help="starts on the ring")
    radius: float = hyperparameter(
        0.1, 0.001, 0.5, "r", log=True, help="as a share of the frame's width and height"
    )

    def points(self, center, domain):
        angle = 2 * np.pi * np.arange(self.count) / self.count
        size = np.array([high - low for low, high in domain])
        unit_circle = np.stack([np.cos(angle), np.sin(angle)], -1)
        return np.asarray(center) + self.radius * size * unit_circle


@initial_points
class Grid(InitialPoints):
    """In rows and columns over the whole frame: which start ends in which valley?"""

    columns: int = hyperparameter(5, 2, 6, "k", help="starts in each row, and number of rows")

    def points(self, center, domain):
        fractions = (np.arange(self.columns) + 0.5) / self.columns
        x, y = (low + (high - low) * fractions for low, high in domain)
        return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
