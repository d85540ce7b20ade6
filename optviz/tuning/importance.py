r"""How much of a function's variance is due to each input: the functional analysis of variance.

Of a function f on the unit cube, all inputs independent and uniform (Sobol' 1993; Hutter, Hoos &
Leyton-Brown 2014, An efficient approach for assessing hyperparameter importance):

$$ \mathrm{alone}_i = \frac{\mathrm{Var}\,\mathrm{E}[f \mid x_i]}{\mathrm{Var} f}, \qquad
   \mathrm{total}_i = \frac{\mathrm{E}\,\mathrm{Var}[f \mid x_{\ne i}]}{\mathrm{Var} f} $$

The total counts what the input does together with others, too. Here f is the mean of a Gaussian
process, so that the integrals are sums over a Gauss-Legendre grid.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from optviz.tuning.gaussian_process import GaussianProcess

NODES = 20_000  # of the whole grid, at most
MAX_SIDE = 64  # and on an axis
ROWS = 2_000  # of the grid that are predicted at a time
ENOUGH = 5  # trials for every number that the process fits: a length for each input, and the noise
READABLE = 0.75  # of the variance must be predicted, or the process knows too little


class Importance(NamedTuple):
    """How much each of d inputs matters, as shares of the variance, and how good the fit is."""

    first_order: np.ndarray  # (d,), each input alone
    total: np.ndarray  # (d,)
    q_squared: float  # Q²: 1 − squared leave-one-out error / variance of the known values
    n: int  # known values

    @property
    def readable(self) -> bool:
        """Whether there are enough trials, and the process predicts those left out well enough."""
        return self.n >= ENOUGH * (len(self.first_order) + 1) and self.q_squared >= READABLE


def ranks(values) -> np.ndarray:
    """The ranks `(n,)` of values, from 1; equal ones share the mean of theirs."""
    values = np.asarray(values, float)
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[group]


def rank_correlation(a, b) -> float:
    """Spearman's: the correlation of the ranks; NaN where one of them does not vary."""
    a, b = ranks(a), ranks(b)
    a, b = a - a.mean(), b - b.mean()
    length = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / length) if length else float("nan")


def importance(points, values, kernel: str = "matern") -> Importance:
    """Of the inputs `(n, d)` in the unit cube for the values `(n,)`, by a fitted process."""
    points, values = np.asarray(points, float), np.asarray(values, float)
    n, d = points.shape
    spread = np.var(values) if n else 0.0
    if n < ENOUGH * (d + 1) or not spread:
        return Importance(np.full(d, np.nan), np.full(d, np.nan), 0.0, n)
    process = GaussianProcess.fit(points, values, kernel)
    q_squared = 1 - float((process.leave_one_out_errors**2).mean() / spread)
    return Importance(*variance_shares(lambda x: process.predict(x)[0], d), q_squared, n)


def variance_shares(f: Callable, d: int) -> tuple[np.ndarray, np.ndarray]:
    """The shares `(d,)` that each input has alone, and in total, of f: `(n, d)` → `(n,)`."""
    side = min(MAX_SIDE, int(NODES ** (1 / d)))
    nodes, weights = np.polynomial.legendre.leggauss(side)
    nodes, weights = (nodes + 1) / 2, weights / 2
    grid = np.stack(np.meshgrid(*[nodes] * d, indexing="ij"), -1).reshape(-1, d)
    parts = np.array_split(grid, -(-len(grid) // ROWS))
    z = np.concatenate([f(part) for part in parts]).reshape([side] * d)
    whole = _variance(z, weights)
    if not whole:
        return np.full(d, np.nan), np.full(d, np.nan)
    alone, total = [], []
    for i in range(d):
        last = np.moveaxis(z, i, -1)
        alone.append(_variance(_mean(last, weights, 1), weights))
        total.append(whole - _variance(last @ weights, weights))
    return np.array(alone) / whole, np.array(total) / whole


def _mean(z, weights, kept=0):
    """The mean over all axes but the last so many."""
    while z.ndim > kept:
        z = np.tensordot(weights, z, 1)
    return z


def _variance(z, weights):
    return float(_mean(z**2, weights) - _mean(z, weights) ** 2)
