"""Curves over 0…1 for a network with one input and one output to fit."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Curve(NamedTuple):
    """A function of one number, and how it is written."""

    formula: str
    f: Callable[[np.ndarray], np.ndarray]

    def sample(self, points: int) -> tuple[np.ndarray, np.ndarray]:
        """x and y `(points, 1)`, evenly from 0 to 1."""
        x = np.linspace(0, 1, points)[:, None]
        return x, self.f(x)


CURVES: dict[str, Curve] = {
    "sine": Curve("½ + ½ sin 2πx", lambda x: 0.5 + 0.5 * np.sin(2 * np.pi * x)),
    "wave": Curve(
        "0.4 x² + 0.3 x sin 15x + 0.01 cos 50x − 0.3",  # Microsoft ai-edu, chapter 9
        lambda x: 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.01 * np.cos(50 * x) - 0.3,
    ),
    "bump": Curve("exp(−50 (x − ½)²)", lambda x: np.exp(-50 * (x - 0.5) ** 2)),
    "slope": Curve("x", lambda x: 1.0 * x),
}
