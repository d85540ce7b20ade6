"""First order, one rate for all coordinates: plain descent and the two kinds of momentum."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter


@optimizer(
    "SGD",
    cite="Robbins & Monro (1951), A stochastic approximation method",
    torch=lambda o: f"SGD([p], lr={o.lr})",
)
class SGD(Optimizer):
    r"""Step against the gradient.

    $$ x \leftarrow x - \eta\, \nabla f(x) $$
    """

    family = "first order"
    lr: float = hyperparameter(
        0.1,
        1e-4,
        10.0,
        r"\eta",
        log=True,
        help="learning rate: length of a step per unit of gradient",
    )

    def step(self, f, x, s):
        return x - self.lr * f.grad(x), s

    def stable_lr(self, curvature):
        return 2 / curvature


@optimizer(
    "Momentum",
    cite="Polyak (1964), Some methods of speeding up the convergence of iteration methods",
    torch=lambda o: f"SGD([p], lr={o.lr}, momentum={o.momentum})",
)
class Momentum(Optimizer):
    r"""A ball with friction: the gradient pushes the velocity, the velocity moves the point.

    $$ v \leftarrow \mu\, v - \eta\, \nabla f(x), \qquad x \leftarrow x + v $$

    The rate is inside the velocity. Frameworks keep it outside, which differs once it is scheduled.
    """

    family = "momentum"
    lr: float = hyperparameter(
        0.1, 1e-4, 10.0, r"\eta", log=True, help="learning rate: how hard the gradient pushes"
    )
    momentum: float = hyperparameter(
        0.9, 0.0, 0.999, r"\mu", near_one=True, help="share of the velocity that survives a step"
    )
    state_names = {"v": "velocity"}

    def init(self, x):
        return {"v": np.zeros_like(x)}

    def step(self, f, x, s):
        v = self.momentum * s["v"] - self.lr * f.grad(x)
        return x + v, {"v": v}

    def stable_lr(self, curvature):
        return 2 * (1 + self.momentum) / curvature


@optimizer(
    "Nesterov",
    cite="Nesterov (1983); Sutskever et al. (2013), section 2, eq. 3-4",
    torch=lambda o: o.momentum and f"SGD([p], lr={o.lr}, momentum={o.momentum}, nesterov=True)",
    torch_x=lambda o: f'p + {o.lr} * {o.momentum} * opt.state[p].get("momentum_buffer", 0)',
)
class Nesterov(Optimizer):
    r"""Momentum that asks for the gradient where the velocity is about to carry it.

    $$ v \leftarrow \mu\, v - \eta\, \nabla f(x + \mu v), \qquad x \leftarrow x + v $$

    The path shows the iterates x; frameworks store the look-ahead points x + μv, which can be drawn
    too.
    """

    family = "momentum"
    lr: float = hyperparameter(
        0.1, 1e-4, 10.0, r"\eta", log=True, help="learning rate: how hard the gradient pushes"
    )
    momentum: float = hyperparameter(
        0.9, 0.0, 0.999, r"\mu", near_one=True, help="share of the velocity that survives a step"
    )
    state_names = {"v": "velocity"}

    def init(self, x):
        return {"v": np.zeros_like(x)}

    def step(self, f, x, s):
        v = self.momentum * s["v"] - self.lr * f.grad(x + self.momentum * s["v"])
        return x + v, {"v": v}

    def lookahead(self, x, s):
        return x + self.momentum * s["v"]

    def stable_lr(self, curvature):
        return 2 * (1 + self.momentum) / ((1 + 2 * self.momentum) * curvature)
