"""What is known beforehand: curvature at a minimum, stability limits, best rates, closed forms.

All of it is exact on a quadratic and holds near a minimum elsewhere. Sources: Polyak (1964);
Nocedal & Wright (2006), chapter 3; Goh (2017), Why momentum really works; Lessard, Recht & Packard
(2016), Analysis and design of optimization algorithms, proposition 1.
"""

from dataclasses import dataclass

import numpy as np

from optviz.functions.library import Function
from optviz.optim.base import Optimizer


@dataclass(frozen=True)
class Curvature:
    """Eigenvalues λmin ≤ λmax of the Hessian at a minimum, and what follows from them."""

    at: tuple[float, float]
    low: float
    high: float

    @property
    def condition(self) -> float:
        """λmax/λmin, infinite where the minimum is flat in some direction."""
        return self.high / self.low if self.low > 0 else np.inf

    @property
    def best_sgd(self) -> tuple[float, float]:
        """The fixed rate that is best in the long run, 2/(λmin+λmax), and the factor per step it
        reaches.
        """
        return 2 / (self.low + self.high), (self.high - self.low) / (self.high + self.low)

    @property
    def best_momentum(self) -> tuple[float, float, float]:
        """Best (lr, μ) for momentum, (2/(√λmax+√λmin))² and ((√λmax−√λmin)/(√λmax+√λmin))², and
        factor √μ.
        """
        low, high = np.sqrt(self.low), np.sqrt(self.high)
        root = (high - low) / (high + low)
        return (2 / (high + low)) ** 2, root**2, root

    @property
    def best_nesterov(self) -> tuple[float, float, float]:
        """Best (lr, μ) for Nesterov on a quadratic: 4/(3λmax+λmin), (√(3κ+1)−2)/(√(3κ+1)+2), and
        the factor.
        """
        root = np.sqrt(3 * self.condition + 1)
        return 4 / (3 * self.high + self.low), (root - 2) / (root + 2), 1 - 2 / root


def curvature(f: Function, at) -> Curvature | None:
    """The curvature of f at a point, None where the Hessian is not finite there."""
    hess = f.hess(np.asarray(at, float))
    if not np.isfinite(hess).all():
        return None
    low, high = np.linalg.eigvalsh(hess)
    small = 1e-9 * max(abs(low), abs(high))
    low, high = (0.0 if abs(v) <= small else float(v) for v in (low, high))
    return Curvature((float(at[0]), float(at[1])), low, high)


def curvatures(f: Function, minima) -> list[Curvature]:
    """The curvature at each of the minima `(k, 2)` that is rounded enough to have one."""
    found = [curvature(f, at) for at in minima]
    return [c for c in found if c is not None and c.high > 0 and c.low >= 0]


def sgd_on_quadratic(x0, eigenvalues, lr, t):
    """SGD in the eigenbasis of a quadratic, in closed form: x(t) = (1 − lr·λ)ᵗ x(0)."""
    return np.asarray(x0) * (1 - lr * np.asarray(eigenvalues)) ** t


def momentum_on_quadratic(x0, eigenvalues, lr, momentum, t):
    """Momentum in the eigenbasis of a quadratic: the t-th power of a 2×2 matrix for each."""
    out = []
    for x, lam in zip(x0, eigenvalues, strict=True):
        step = np.array([[momentum, -lr * lam], [momentum, 1 - lr * lam]])  # acts on (v, x)
        out.append((np.linalg.matrix_power(step, t) @ np.array([0.0, x]))[1])
    return np.array(out)


def limits(opt: Optimizer, found: list[Curvature]) -> list[float]:
    """The largest stable learning rate of an optimizer at each minimum; empty where theory knows
    none.
    """
    rates = [opt.stable_lr(c.high) for c in found]
    return [float(r) for r in rates if r is not None]
