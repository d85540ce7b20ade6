"""What theory predicts: curvature at a minimum, stability limits, best rates, closed forms.

All of it is exact on a quadratic and holds near a minimum elsewhere. Sources: Polyak (1964,
1987, Introduction to Optimization); Goh (2017), Why momentum really works; Lessard, Recht & Packard
(2016), Analysis and design of optimization algorithms, proposition 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from optviz.functions.library import Function
from optviz.optim.base import Optimizer, setting
from optviz.optim.minima import FLAT, minima_of
from optviz.optim.schedules import Schedule


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
        """The fixed rate that is best in the long run, 2/(λmin+λmax), and its factor per step."""
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
        if not self.low > 0:
            return 4 / (3 * self.high), 1.0, 1.0
        root = np.sqrt(3 * self.condition + 1)
        return 4 / (3 * self.high + self.low), (root - 2) / (root + 2), 1 - 2 / root


def curvature(f: Function, at) -> Curvature | None:
    """The curvature of f at a point, None where the Hessian is not finite there."""
    hess = f.hess(np.asarray(at, float))
    hess = hess[:1, :1] if getattr(f, "univariate", False) else hess  # only f'' matters
    if not np.isfinite(hess).all():
        return None
    low, high = np.linalg.eigvalsh(hess)[[0, -1]]
    small = 1e-9 * max(abs(low), abs(high))
    low, high = (0.0 if abs(v) <= small else float(v) for v in (low, high))
    return Curvature((float(at[0]), float(at[1])), low, high)


def curvatures(f: Function) -> list[Curvature]:
    """The curvature at each minimum of f that has one, smooth and not flat; once for a curve."""
    return [c for c in _curvatures(f) if c is not None]


@lru_cache(256)
def _curvatures(f):
    """The curvature at each of `Minima.places`, None where there is none."""
    minima = minima_of(f)
    candidates = [curvature(f, at) for at in minima.points[minima.places]]
    least = FLAT * minima.curvature
    return tuple(c if c is not None and c.high > least and c.low >= 0 else None for c in candidates)


# In an eigenvector of curvature λ a method is x(t+1) = p·x(t) + q·x(t−1) − ηε, of which this gives
# η, p and q; a is ηλ.
RECURSIONS = {
    "sgd": lambda o, a: (o.lr, 1 - a, 0.0),
    "momentum": lambda o, a: (o.lr, 1 + o.momentum - a, -o.momentum),
    "nesterov": lambda o, a: (o.lr, (1 + o.momentum) * (1 - a), -o.momentum * (1 - a)),
}


def stationary_covariance(f: Function, opt: Optimizer, variance: float) -> np.ndarray | None:
    """The covariance that the iterates reach, `(2, 2)`, if each component of the gradient has
    independent noise of variance σ²; None where f is not a quadratic with one minimum, and where
    the method is unknown or unstable.

    Along an eigenvector it is the variance of an autoregression of second order: of SGD
    ησ²/(λ(2 − ηλ)), of momentum ησ²(1 + μ)/(λ(1 − μ)(2(1 + μ) − ηλ)). (Box & Jenkins 1970, Time
    series analysis, section 3.2.4; Mandt, Hoffman & Blei 2017, Stochastic gradient descent as
    approximate Bayesian inference.)
    """
    grid = np.stack(np.meshgrid(*(np.linspace(*ends, 5) for ends in f.domain)), -1)
    hess = f.hess(grid).reshape(-1, 2, 2)
    if opt.key not in RECURSIONS or not np.ptp(hess, 0).max() <= 1e-9 * np.abs(hess).max():
        return None
    if getattr(opt, "weight_decay", 0) or getattr(opt, "dampening", 0):
        return None
    curvature, vectors = np.linalg.eigh(hess[0])
    if not (curvature > 0).all() or opt.lr >= opt.stable_lr(curvature[-1]):
        return None
    lr, p, q = RECURSIONS[opt.key](opt, opt.lr * curvature)
    along = lr**2 * variance * (1 - q) / ((1 + q) * ((1 - q) ** 2 - p**2))
    return vectors * along @ vectors.T


@dataclass(frozen=True)
class Stability:
    """The learning rate and the largest stable one at a minimum; schedules may change both."""

    at: tuple[float, float]
    lowest: bool  # whether no minimum is lower
    lr: float  # at the last step
    limit: float  # at the last step
    exceeded: tuple[int, int] | None  # the first and the last step at which lr is beyond the limit


def stability(
    f: Function, opt: Optimizer, schedules: Mapping[str, Schedule] | None = None, steps=range(1)
) -> list[Stability]:
    """The stability of a learning rate at each minimum of f, once for a curve of minima.

    Empty if theory has no limit for the optimizer, or f has a minimum without curvature: at a kink
    no fixed rate settles, at a degenerate one there is no limit.
    """
    minima, at_minima = minima_of(f), _curvatures(f)
    if not len(steps) or opt.stable_lr(1.0) is None or None in at_minima:
        return []
    for name, schedule in (schedules or {}).items():
        opt = opt.scaled(name, np.array([schedule(t) for t in steps]))
    lr, result = np.broadcast_to(setting(opt, "lr"), len(steps)), []
    for c, i in zip(at_minima, minima.places, strict=True):
        limit = np.broadcast_to(opt.stable_lr(c.high), len(steps))
        beyond = np.flatnonzero(lr > limit)
        exceeded = (steps[beyond[0]], steps[beyond[-1]]) if len(beyond) else None
        at_end = float(lr[-1]), float(limit[-1])
        result.append(Stability(c.at, bool(minima.lowest[i]), *at_end, exceeded))
    return result
