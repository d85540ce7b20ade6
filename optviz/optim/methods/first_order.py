"""First order, one rate for all coordinates: plain descent and the two kinds of momentum."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared
from optviz.optim.methods.shared import add_decay


def _decay(o):
    """The weight decay as an argument in torch.optim, if it is not 0."""
    return f", weight_decay={o.weight_decay}" if o.weight_decay else ""


@optimizer(
    "SGD",
    cite="Robbins & Monro (1951), A stochastic approximation method",
    torch=lambda o: f"SGD([p], lr={o.lr}{_decay(o)})",
)
class SGD(Optimizer):
    r"""Step against the gradient.

    $$ x \leftarrow x - \eta\, (\nabla f(x) + \lambda x) $$
    """

    family = "first order"
    lr: float = shared.lr(0.1, "learning rate: length of a step per unit of gradient", low=1e-8)
    weight_decay: float = shared.weight_decay()
    variants = {("weight_decay", 0.0): {r"(\nabla f(x) + \lambda x)": r"\nabla f(x)"}}

    def step(self, f, x, s):
        return x - self.lr * add_decay(f.grad(x), self.weight_decay, x), s

    def stable_lr(self, curvature):
        return 2 / (curvature + self.weight_decay)


@optimizer(
    "Momentum",
    cite="Polyak (1964), Some methods of speeding up the convergence of iteration methods",
    torch=lambda o: (
        (o.momentum or not o.dampening)
        and f"SGD([p], lr={o.lr}, momentum={o.momentum}"
        f"{f', dampening={o.dampening}' if o.dampening else ''}{_decay(o)})"
    ),
)
class Momentum(Optimizer):
    r"""A ball with friction: the gradient pushes the velocity, the velocity moves the point.

    $$ \tau_t = \tau \;\text{ where } t > 1, \text{ else } 0 $$
    $$ v \leftarrow \mu\, v - \eta\, (1 - \tau_t)\, (\nabla f(x) + \lambda x), \qquad
    x \leftarrow x + v $$

    As in torch.optim the first step is not damped, and the decay is part of the gradient. The rate
    is inside the velocity, as in Keras; PyTorch keeps it outside, which differs once it is
    scheduled.
    """

    family = "momentum"
    lr: float = shared.lr(0.1, "learning rate: how hard the gradient pushes", low=1e-8)
    momentum: float = shared.momentum()
    dampening: float = hyperparameter(
        0.0,
        0.0,
        0.999,
        r"\tau",
        help="share of the gradient that is not added to the velocity",
        advanced=True,
    )
    weight_decay: float = shared.weight_decay()
    state_names = {"v": "velocity"}
    variants = {
        ("dampening", 0.0): {
            r"\tau_t = \tau \;\text{ where } t > 1, \text{ else } 0": "",
            r"(1 - \tau_t)\, ": "",
        },
        **SGD.variants,
    }

    def init(self, x):
        return super().init(x) | ({"t": 0} if np.any(self.dampening) else {})

    def step(self, f, x, s):
        lr = self.lr * (1 - self.dampening) if s.get("t") else self.lr
        v = self.momentum * s["v"] - lr * add_decay(f.grad(x), self.weight_decay, x)
        return x + v, {"v": v, "t": s["t"] + 1} if "t" in s else {"v": v}

    def stable_lr(self, curvature):
        damped = (1 - self.dampening) * (curvature + self.weight_decay)
        return 2 * (1 + self.momentum) / damped


@optimizer(
    "Nesterov",
    cite="Nesterov (1983); Sutskever et al. (2013), section 2, eq. 3-4",
    torch=lambda o: o.momentum and f"SGD([p], lr={o.lr}, momentum={o.momentum}, nesterov=True)",
    torch_x=lambda o: f'p + {o.lr} * {o.momentum} * opt.state[p].get("momentum_buffer", 0)',
)
class Nesterov(Optimizer):
    r"""Momentum that takes the gradient where the velocity is about to carry it.

    $$ v \leftarrow \mu\, v - \eta\, \nabla f(x + \mu v), \qquad x \leftarrow x + v $$

    The path shows the iterates x; frameworks store the look-ahead points x + μv, which can be drawn
    too.
    """

    family = "momentum"
    lr: float = shared.lr(0.1, "learning rate: how hard the gradient pushes", low=1e-8)
    momentum: float = shared.momentum()
    state_names = {"v": "velocity"}

    def step(self, f, x, s):
        v = self.momentum * s["v"] - self.lr * f.grad(x + self.momentum * s["v"])
        return x + v, {"v": v}

    def lookahead(self, x, s):
        return x + self.momentum * s["v"]

    def stable_lr(self, curvature):
        return 2 * (1 + self.momentum) / ((1 + 2 * self.momentum) * curvature)
