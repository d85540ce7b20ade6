"""A rate for each coordinate, from the size of its past gradients."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared


@optimizer(
    "AdaGrad",
    cite="Duchi, Hazan & Singer (2011), Adaptive subgradient methods, fig. 1",
    torch=lambda o: f"Adagrad([p], lr={o.lr}, eps={o.eps})",
)
class AdaGrad(Optimizer):
    r"""Divide each coordinate of the gradient by the root of the sum of its squares so far.

    $$ g = \nabla f(x), \qquad h \leftarrow h + g^2 $$
    $$ x \leftarrow x - \eta\, \frac{g}{\sqrt{h} + \epsilon} $$

    While η is fixed, the rate of a coordinate, η / (√h + ε), can only shrink.
    """

    lr: float = shared.lr(1.0, "learning rate: about the length of a coordinate's first step")
    eps: float = shared.eps(1e-7)
    state_names = {"h": "sum of squares"}

    def step(self, f, x, s):
        g = f.grad(x)
        h = s["h"] + g * g
        return x - self.lr * g / (np.sqrt(h) + self.eps), {"h": h}


@optimizer(
    "RMSProp",
    cite="Tieleman & Hinton (2012), Coursera lecture 6e",
    torch=lambda o: (
        f"RMSprop([p], lr={o.lr}, alpha={o.rho}, eps={o.eps}"
        f"{o.centered * ', centered=True'}{f', momentum={o.momentum}' if o.momentum else ''})"
    ),
)
class RMSProp(Optimizer):
    r"""Divide each coordinate of the gradient by its recent size, a root mean square.

    $$ g = \nabla f(x), \qquad v \leftarrow \rho\, v + (1-\rho)\, g^2 $$
    $$ b \leftarrow \mu\, b + \frac{g}{\sqrt{v} + \epsilon} $$
    $$ x \leftarrow x - \eta\, b $$

    v begins at 0 and is not corrected: the first step is 1/√(1 − ρ) times as long as η. Centered
    (Graves 2013), it divides by the standard deviation: the square of the mean gradient a is
    subtracted from v. With momentum (torch.optim's) the divided gradients add up in b.
    """

    lr: float = shared.lr(0.1)
    rho: float = shared.memory(0.99, 0.9999, r"\rho", "memory of the mean square v")
    eps: float = shared.eps()
    momentum: float = shared.memory(
        0.0, 0.999, r"\mu", "share of the previous step that is added", advanced=True
    )
    centered: bool = hyperparameter(
        False, help="divide by the deviation from the mean gradient", advanced=True
    )
    state_names = {"v": "mean square", "b": "sum of the steps", "a": "mean gradient"}
    variants = {
        ("momentum", 0.0): {
            r"b \leftarrow \mu\, b + \frac{g}{\sqrt{v} + \epsilon}": "",
            r"\eta\, b": r"\eta\, \frac{g}{\sqrt{v} + \epsilon}",
        },
        ("centered", True): {
            r"g = \nabla f(x)": r"g = \nabla f(x) \qquad a \leftarrow \rho\, a + (1-\rho)\, g",
            r"\sqrt{v}": r"\sqrt{\max(v - a^2, 0)}",
        },
    }

    def __post_init__(self):
        super().__post_init__()
        names = {k: type(self).state_names[k] for k in self.init(np.zeros(1))}
        object.__setattr__(self, "state_names", names)

    def init(self, x):
        names = "v" + "b" * bool(np.any(self.momentum)) + "a" * self.centered
        return {name: np.zeros_like(x) for name in names}

    def step(self, f, x, s):
        g = f.grad(x)
        state = {"v": (v := self.rho * s["v"] + (1 - self.rho) * g * g)}
        if self.centered:
            a = state["a"] = self.rho * s["a"] + (1 - self.rho) * g
            v = np.maximum(v - a * a, 0)
        step = self.lr * g / (np.sqrt(v) + self.eps)
        if "b" in s:
            b = state["b"] = self.momentum * s["b"] + g / (np.sqrt(v) + self.eps)
            step = np.where(np.equal(self.momentum, 0), step, self.lr * b)
        return x - step, state


@optimizer(
    "AdaDelta",
    cite="Zeiler (2012), ADADELTA, algorithm 1",
    torch=lambda o: f"Adadelta([p], lr={o.lr}, rho={o.rho}, eps={o.eps})",
)
class AdaDelta(Optimizer):
    r"""A step in the units of x: the gradient times the recent size of steps over its own.

    $$ g = \nabla f(x), \qquad v \leftarrow \rho\, v + (1-\rho)\, g^2 $$
    $$ \Delta = \frac{\sqrt{u + \epsilon}}{\sqrt{v + \epsilon}}\, g, \qquad
    u \leftarrow \rho\, u + (1-\rho)\, \Delta^2 $$
    $$ x \leftarrow x - \eta\, \Delta $$

    The paper has no rate (η = 1); ε, under both roots, decides how long it takes to get going.
    """

    lr: float = shared.lr(1.0, "factor of the step; the paper has none")
    rho: float = shared.memory(0.9, 0.999, r"\rho", "memory of both mean squares")
    eps: float = shared.eps(1e-5)
    state_names = {"v": "mean square", "u": "mean square of the steps"}

    def step(self, f, x, s):
        g = f.grad(x)
        v = self.rho * s["v"] + (1 - self.rho) * g * g
        delta = np.sqrt(s["u"] + self.eps) / np.sqrt(v + self.eps) * g
        u = self.rho * s["u"] + (1 - self.rho) * delta * delta
        return x - self.lr * delta, {"v": v, "u": u}
