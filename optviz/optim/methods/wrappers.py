"""Around any optimizer, which is unaware: averaging, look-ahead, clipping, sharpness, caution."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from optviz.optim.base import WRAPPERS, Optimizer, chain
from optviz.optim.hyperparameter import hyperparameter, registrar
from optviz.optim.methods import shared


@dataclass(frozen=True)
class Wrapper(Optimizer):
    """An optimizer around another. Its state is the inner one's with a few more names.

    ValueError without an optimizer inside, around another wrapper of its kind, which uses the same
    names, or if it acts on the gradient and there is none.
    """

    inner: Optimizer = None
    of_gradient: ClassVar[bool] = False  # whether it acts on the gradient

    def __post_init__(self):
        super().__post_init__()
        name = type(self).__name__
        if not isinstance(self.inner, Optimizer):
            raise ValueError(f"{name} needs an optimizer inside, not {self.inner!r}")
        *wrappers, method = chain(self.inner)
        if type(self) in map(type, wrappers):
            raise ValueError(f"{name} stands around itself")
        if self.of_gradient and method.family == "derivative-free":
            asks = f"{type(method).__name__} asks for none"
            raise ValueError(f"{name} acts on the gradient, and {asks}")
        object.__setattr__(self, "state_names", {**self.inner.state_names, **self.state_names})

    @property
    def averages(self):
        return self.inner.averages

    def init(self, x):
        return self.inner.init(x)

    def lookahead(self, x, s):
        return self.inner.lookahead(x, s)

    def scaled(self, name, factor):
        if name in self.__dataclass_fields__:
            return super().scaled(name, factor)
        return replace(self, inner=self.inner.scaled(name, factor))


class _WithGradient:
    """f as the optimizer inside sees it: with another gradient, otherwise unchanged."""

    def __init__(self, f, grad):
        self.f, self.grad = f, grad

    def __getattr__(self, name):
        return getattr(self.f, name)


wrapper = registrar(WRAPPERS)


@wrapper(
    "Averaging",
    cite="Polyak & Juditsky (1992), Acceleration of stochastic approximation by averaging",
)
class Averaged(Wrapper):
    r"""Show the exponential average of the points that the optimizer visits.

    $$ \bar x \leftarrow \kappa\, \bar x + (1-\kappa)\, x $$
    """

    decay: float = shared.memory(0.95, 0.9999, r"\kappa", "memory of the average")
    state_names = {"inside": "point inside"}
    averages = True
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
        0.5, 0.0, 1.0, r"\alpha", help="share of the way that the slow point moves", valid="[0, 1]"
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
    of_gradient = True

    def step(self, f, x, s):
        def clipped_grad(x, **where):
            g = f.grad(x, **where)
            largest = np.abs(g).max(-1, keepdims=True)
            unit = g / np.where(largest > 0, largest, 1.0)  # first, so that no square overflows
            norm = np.sqrt((unit * unit).sum(-1, keepdims=True))
            return np.where(largest * norm > self.max_norm, unit * (self.max_norm / norm), g)

        return self.inner.step(_WithGradient(f, clipped_grad), x, s)


@wrapper("SAM", cite="Foret et al. (2021), Sharpness-aware minimization, eq. 2-3")
class SAM(Wrapper):
    r"""Take the gradient a step uphill, which makes sharp minima look worse.

    $$ g = \nabla f\Big(x + \rho\, \frac{\nabla f(x)}{\|\nabla f(x)\|}\Big) $$

    Two gradients at each step. To first order, uphill is where f is largest within ρ. 10⁻¹² is
    added to the norm, as in the PyTorch version by D. Samuel; the paper adds nothing.
    """

    rho: float = hyperparameter(
        0.05, 0.0, 2.0, r"\rho", help="how far it climbs before the gradient is taken"
    )
    of_gradient = True

    def step(self, f, x, s):
        def uphill_grad(x, **where):
            g = f.grad(x, **where)
            norm = np.sqrt((g * g).sum(-1, keepdims=True)) + 1e-12
            return f.grad(x + self.rho * g / norm, **where)

        return self.inner.step(_WithGradient(f, uphill_grad), x, s)


@wrapper("Cautious", cite="Liang et al. (2024), Cautious optimizers, algorithm 1")
class Cautious(Wrapper):
    r"""Move only the coordinates in which the step goes against the gradient.

    $$ c = \operatorname{mask}(x_{\text{prev}} - x, g), \qquad
    x \leftarrow x_{\text{prev}} + c\, (x - x_{\text{prev}}) $$

    The mask is 0 where the two differ in sign, and n/(k + 1) in the k of n coordinates in which
    they agree: a longer step in a network of which part is held back, on a function of two numbers
    the same one (k = 1) or two thirds of it. Momentum goes on as if nothing had been held back.
    """

    symbols = {r"x_{\text{prev}}": "x"}
    of_gradient = True

    def step(self, f, x, s):
        gradients = []

        def recorded_grad(x, **where):
            gradients.append(f.grad(x, **where))
            return gradients[-1]

        x_next, s = self.inner.step(_WithGradient(f, recorded_grad), x, s)
        return x + self.mask(x - x_next, gradients[0]) * (x_next - x), s

    @staticmethod
    def mask(descent, g):
        """The factor of each coordinate of a step."""
        agree = descent * g > 0
        return agree * (g.shape[-1] / (agree.sum(-1, keepdims=True) + 1.0))
