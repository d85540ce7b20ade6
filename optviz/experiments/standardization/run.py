"""Logistic regression on raw and on standardized points, and gradient descent to it."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from optviz.data import TOY_SETS, standardize
from optviz.experiments.standardization.spec import RATES, Standardization
from optviz.optim.methods.first_order import SGD
from optviz.optim.minimize import minimize
from optviz.optim.run import Run
from optviz.optim.theory import Curvature, curvature

# Where a line separates the classes without a mistake, longer and longer weights have less and less
# loss. This penalty on the weights of the standardized data gives every set of points a minimum.
PENALTY = 1e-4
BLOCK = 1 << 20  # numbers in memory at a time


@dataclass(frozen=True, eq=False)
class Logistic:
    """Mean logistic loss of weights `(..., k)` on points `(n, k)` of classes ±1, plus a penalty.

    $$ L(w) = \\tfrac1n \\textstyle\\sum_i \\log(1 + e^{-y_i (w \\cdot x_i + b)})
    + \\tfrac12 \\sum_j r_j w_j^2 $$

    The bias is kept; to have it among the weights, give the points a last feature that is 1. With
    two weights it is a function as `minimize` takes it.
    """

    x: np.ndarray
    y: np.ndarray
    ridge: np.ndarray  # (k,)
    bias: float = 0.0
    domain: tuple[tuple[float, float], ...] = ()  # what of it is drawn
    noise = None
    start = (0.0, 0.0)

    def value(self, w) -> np.ndarray:
        """L `(...)`."""
        rows = w.reshape(-1, w.shape[-1])
        size = max(BLOCK // len(self.x), 1)
        parts = [
            np.logaddexp(0, -self._margins(rows[i : i + size])).mean(-1)
            for i in range(0, len(rows), size)
        ]
        return np.concatenate(parts).reshape(w.shape[:-1]) + 0.5 * (self.ridge * w**2).sum(-1)

    def grad(self, w) -> np.ndarray:
        """Its gradient `(..., k)`."""
        return self.ridge * w - (self.y * self._error_probability(w)) @ self.x / len(self.x)

    def hess(self, w) -> np.ndarray:
        """Its Hessian `(..., k, k)`: of points near the line, most of those far from the origin."""
        p = self._error_probability(w)
        return (self.x.T * (p * (1 - p))[..., None, :]) @ self.x / len(self.x) + np.diag(self.ridge)

    def _margins(self, w):
        return self.y * (w @ self.x.T + self.bias)

    def _error_probability(self, w):
        """The probability of the wrong class, 1/(1 + exp(margin)), for each point; without
        overflow.
        """
        return 0.5 * (1 - np.tanh(0.5 * self._margins(w)))


def with_bias(x, y, ridge) -> Logistic:
    """The loss over lines `(..., 3)`: both weights and the bias, which has no penalty."""
    return Logistic(np.c_[x, np.ones(len(x))], y, np.append(ridge, 0.0))


def best_line(x, y, penalty: float = PENALTY) -> np.ndarray:
    """Weights and bias `(3,)` of logistic regression on points `(n, 2)` of classes ±1.

    By Newton's method; steps are halved until the loss falls, so that it converges from anywhere.
    The penalty is on the weights alone.
    """
    f, line = with_bias(x, y, np.full(2, penalty)), np.zeros(3)
    for _ in range(100):
        gradient = f.grad(line)
        if np.abs(gradient).max() < 1e-12:
            break
        step, share = np.linalg.solve(f.hess(line), gradient), 1.0
        while f.value(line - share * step) > f.value(line) and share > 1e-6:
            share /= 2
        line = line - share * step
    return line


@dataclass(frozen=True, eq=False)
class Side:
    """The points in one kind of coordinates, and the best line between the clouds in them."""

    name: str  # "raw" or "standardized"
    x: np.ndarray  # (n, 2)
    y: np.ndarray  # (n,) ±1
    line: np.ndarray  # (3,): w₁, w₂, b
    ridge: np.ndarray  # (2,)

    @cached_property
    def f(self) -> Logistic:
        """The loss over the two weights, with the bias kept at its best value.

        Drawn is a square around 0 and the best weights, and as much again on every side.
        """
        middle, half = self.line[:2] / 2, 0.9 * float(np.hypot(*self.line[:2])) or 1.0
        domain = tuple((float(m - half), float(m + half)) for m in middle)
        return Logistic(self.x, self.y, self.ridge, float(self.line[2]), domain)

    def rotated_line(self, degrees) -> np.ndarray:
        """The line `(..., 3)`, its weights turned about the origin; their length and bias stay."""
        angle = np.radians(np.asarray(degrees, float))
        (u, v, b), c, s = self.line, np.cos(angle), np.sin(angle)
        return np.stack([c * u - s * v, s * u + c * v, np.broadcast_to(b, angle.shape)], -1)

    def accuracy(self, lines) -> np.ndarray:
        """The share `(...)` of the points on the right side of lines `(..., 3)`."""
        return (self._margins(lines) > 0).mean(-1)

    def loss(self, lines) -> np.ndarray:
        """Mean logistic loss `(...)` of lines `(..., 3)`, without the penalty."""
        return np.logaddexp(0, -self._margins(lines)).mean(-1)

    def misses(self, line) -> np.ndarray:
        """Which points `(n,)` stand on the wrong side of a line."""
        return self._margins(line) <= 0

    def _margins(self, lines):
        return self.y * (lines[..., :2] @ self.x.T + lines[..., 2:])

    @cached_property
    def curvature(self) -> Curvature:
        """Of the loss over the two weights at its minimum: the Hessian's eigenvalues and ratio."""
        return curvature(self.f, self.line[:2])

    @cached_property
    def condition(self) -> float:
        """The Hessian's largest eigenvalue over the smallest, for both weights and the bias."""
        low, *_, high = np.linalg.eigvalsh(with_bias(self.x, self.y, self.ridge).hess(self.line))
        return float(high / low) if low > 0 else np.inf

    @cached_property
    def min_loss(self) -> float:
        """The loss at the minimum, penalty included."""
        return float(self.f.value(self.line[:2]))

    def losses_by_rate(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """The loss after the steps with each of `RATES`, `(55,)`, and which never went uphill."""
        descent, w = SGD(lr=RATES[:, None]), np.zeros((len(RATES), 2))
        loss, steady = self.f.value(w), np.ones(len(RATES), bool)
        with np.errstate(all="ignore"):
            for _ in range(steps):
                before, (w, _) = loss, descent.step(self.f, w, {})
                loss = self.f.value(w)
                steady &= loss <= before + 1e-12  # rounding
        return loss, steady


def sides(spec: Standardization) -> tuple[Side, Side]:
    """Raw and standardized: the same best line, and the same loss, in two coordinate systems.

    The line is found on standardized data; w·(x − mean)/deviation + b is then written as weights
    and a bias of x.
    """
    return _sides(spec.points, spec.spread, spec.gap, spec.offset, spec.stretch, spec.seed)


@lru_cache(64)
def _sides(points, spread, gap, offset, stretch, seed):
    x, t = TOY_SETS["clouds"](points, spread, gap, offset).sample(seed)
    x, y = x * (1.0, stretch), 2.0 * t - 1
    z, mean, deviation = standardize(x), x.mean(0), x.std(0)
    w1, w2, b = line = best_line(z, y)
    w = np.array([w1, w2]) / deviation
    raw = np.array([*w, b - w @ mean])
    ridge = np.full(2, PENALTY)
    return Side("raw", x, y, raw, ridge * deviation**2), Side("standardized", z, y, line, ridge)


@dataclass(frozen=True, eq=False)
class Descent:
    """Gradient descent on one side."""

    side: Side
    rate: float
    run: Run
    ends: np.ndarray  # (55,) the loss at which each of `RATES` would have ended

    @property
    def off(self) -> np.ndarray:
        """How far the weights are from the best ones, as a share of those, `(steps + 1,)`."""
        best = self.side.line[:2]
        return np.sqrt(((self.run.points - best) ** 2).sum(-1) / (best**2).sum())

    @property
    def converged_at(self) -> int | None:
        """The first step after which the weights stay within 1% of the best ones, if any."""
        return convergence_step(self.off)


def descents(spec: Standardization) -> list[Descent]:
    """The descent on each side, with the learning rate that the spec's choice selects."""
    rate = spec.rate if spec.choice == "same" else 0.0
    return [_descent(side, spec.choice, rate, spec.steps) for side in sides(spec)]


@lru_cache(64)
def _descent(side, choice, rate, steps):
    ends, steady = side.losses_by_rate(steps)
    allowed = steady if choice == "steady" and steady.any() else np.isfinite(ends)
    best = float(RATES[np.argmin(np.where(allowed, ends, np.inf))])
    used = rate if choice == "same" else best
    return Descent(side, used, minimize(side.f, SGD(lr=used), steps=steps), ends)


def convergence_step(off, share: float = 0.01) -> int | None:
    """The first step after which a distance stays within a share; None if it does not."""
    outside = np.flatnonzero(~(off <= share))
    first = int(outside[-1]) + 1 if len(outside) else 0
    return first if first < len(off) else None
