"""Around any optimizer: averaging, look-ahead, gradient clipping. The one inside never knows."""

from dataclasses import dataclass, replace

import numpy as np

from optviz.optim.base import WRAPPERS, Optimizer
from optviz.optim.hyperparameter import hyperparameter, register


@dataclass(frozen=True)
class Wrapper(Optimizer):
    """An optimizer that holds another. Its state is the inner one's with a few names more.

    ValueError without an optimizer inside, or around another wrapper of its kind, whose names it
    has.
    """

    inner: Optimizer = None

    def __post_init__(self):
        super().__post_init__()
        inside = self.inner
        if not isinstance(inside, Optimizer):
            raise ValueError(f"{type(self).__name__} needs an optimizer inside, not {inside!r}")
        while isinstance(inside, Wrapper):
            if type(inside) is type(self):
                raise ValueError(f"{type(self).__name__} stands around itself")
            inside = inside.inner
        object.__setattr__(self, "state_names", {**self.inner.state_names, **self.state_names})

    def init(self, x):
        return self.inner.init(x)

    def lookahead(self, x, s):
        return self.inner.lookahead(x, s)

    def scaled(self, name, factor):
        own = name in self.__dataclass_fields__
        return (
            super().scaled(name, factor)
            if own
            else replace(self, inner=self.inner.scaled(name, factor))
        )


def wrapper(name: str, cite: str):
    """Class decorator: files a wrapper in WRAPPERS with its display name and source."""
    return lambda cls: register(WRAPPERS, cls, label=name, cite=cite)


@wrapper(
    "Averaging",
    cite="Polyak & Juditsky (1992), Acceleration of stochastic approximation by averaging",
)
class Averaged(Wrapper):
    r"""Show the exponential average of the points that the optimizer visits.

    $$ \bar x \leftarrow \kappa\, \bar x + (1-\kappa)\, x $$
    """

    decay: float = hyperparameter(
        0.95, 0.0, 0.9999, r"\kappa", near_one=True, help="memory of the average"
    )
    state_names = {"inside": "point inside"}
    symbols = {r"\bar x": "x"}  # the point that it shows; x is the one inside

    def init(self, x):
        return {**self.inner.init(x), "inside": x}

    def step(self, f, x, s):
        inside, state = self.inner.step(f, s["inside"], s)
        return self.decay * x + (1 - self.decay) * inside, {**state, "inside": inside}

    def lookahead(self, x, s):
        return self.inner.lookahead(s["inside"], s)

    def stable_lr(self, curvature):
        return self.inner.stable_lr(curvature)


@wrapper("Look-ahead", cite="Zhang et al. (2019), Lookahead optimizer, algorithm 1")
class Lookahead(Wrapper):
    r"""Every k steps go back to a slow point that has moved part of the way.

    $$ \phi \leftarrow \phi + \alpha\, (x - \phi)
    \;\text{ where } t \bmod k = 0, \text{ else } \phi $$
    $$ x \leftarrow \phi \;\text{ where } t \bmod k = 0, \text{ else } x $$
    """

    every: int = hyperparameter(5, 1, 50, "k", help="fast steps between two slow ones")
    alpha: float = hyperparameter(
        0.5,
        0.0,
        1.0,
        r"\alpha",
        help="share of the way that the slow point moves",
        valid="[0, 1]",
    )
    state_names = {"slow": "slow point"}
    symbols = {r"\phi": "slow", "t": "tick"}

    def init(self, x):
        return {**self.inner.init(x), "slow": x, "tick": 0}

    def step(self, f, x, s):
        x, state = self.inner.step(f, x, s)
        slow, tick = s["slow"], s["tick"] + 1
        if tick % self.every == 0:
            x = slow = slow + self.alpha * (x - slow)
        return x, {**state, "slow": slow, "tick": tick}


@wrapper(
    "Clipping",
    cite="Pascanu, Mikolov & Bengio (2013), On the difficulty of training RNNs, algorithm 1",
)
class Clipped(Wrapper):
    r"""Shorten a gradient that is longer than c, keeping its direction.

    $$ g \leftarrow g\, \min\big(1,\; c / \|g\|\big) $$
    """

    max_norm: float = hyperparameter(
        1.0,
        1e-3,
        100.0,
        "c",
        log=True,
        help="longest gradient that passes unchanged",
        valid="(0, inf)",
    )

    def step(self, f, x, s):
        return self.inner.step(_Clip(f, self.max_norm), x, s)


class _Clip:
    """f with its gradient cut to length; all else as it was."""

    def __init__(self, f, max_norm):
        self.f, self.max_norm = f, max_norm

    def __getattr__(self, name):
        return getattr(self.f, name)

    def grad(self, x, **where):
        g = self.f.grad(x, **where)
        largest = np.abs(g).max(-1, keepdims=True)
        unit = g / np.where(largest > 0, largest, 1.0)  # first, so that no square overflows
        norm = np.sqrt((unit * unit).sum(-1, keepdims=True))
        return np.where(largest * norm > self.max_norm, unit * (self.max_norm / norm), g)
