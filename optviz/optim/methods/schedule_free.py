"""Without a schedule, and without a rate: an average in its place, and an estimated distance."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared


@optimizer(
    "Schedule-Free SGD",
    cite="Defazio et al. (2024), The road less scheduled, eq. 3-5",
    key="schedule_free_sgd",
)
class ScheduleFreeSGD(Optimizer):
    r"""SGD moves z, its average x is the result, and the gradient is taken between the two.

    $$ y = (1 - \beta)\, z + \beta x, \qquad z \leftarrow z - \eta\, \nabla f(y) $$
    $$ \eta_{\max} \leftarrow \max(\eta_{\max}, \eta), \qquad
    W \leftarrow W + \eta_{\max}^2, \qquad c = \eta_{\max}^2 / W $$
    $$ x \leftarrow (1 - c)\, x + c z $$

    The path shows the averages x. With a fixed rate, c = 1/t: a plain mean. The weights are those
    of the authors' code, and matter once a schedule, such as a warm-up, changes the rate.
    """

    family = "momentum"
    averages = True
    lr: float = shared.lr(
        0.1, "learning rate: length of a step of z per unit of gradient", low=1e-8
    )
    beta: float = shared.memory(
        0.9, 0.999, r"\beta", "how close to the average x the gradient is taken"
    )
    state_names = {"z": "point that moves"}
    symbols = {r"\eta_{\max}": "lr_max", "W": "weight"}

    def init(self, x):
        return {"z": x, "lr_max": 0.0, "weight": 0.0}

    def lookahead(self, x, s):
        return (1 - self.beta) * s["z"] + self.beta * x

    def step(self, f, x, s):
        return self.update_average(x, s["z"] - self.lr * f.grad(self.lookahead(x, s)), s)

    def update_average(self, x, z, s):
        """The average with the next z in it, and the next state."""
        lr_max = np.maximum(s["lr_max"], self.lr)
        weight = s["weight"] + lr_max * lr_max
        c = lr_max * lr_max / np.maximum(weight, 1e-30)
        return (1 - c) * x + c * z, {**s, "z": z, "lr_max": lr_max, "weight": weight}


@optimizer(
    "Schedule-Free AdamW",
    cite="Defazio et al. (2024), The road less scheduled, algorithm 1",
    key="schedule_free_adamw",
)
class ScheduleFreeAdamW(ScheduleFreeSGD):
    r"""Adam's rates for each coordinate move z; the average x takes the place of momentum.

    $$ y = (1 - \beta)\, z + \beta x, \qquad g = \nabla f(y) $$
    $$ v \leftarrow \beta_2 v + (1-\beta_2)\, g^2, \qquad \hat v = \frac{v}{1 - \beta_2^t} $$
    $$ z \leftarrow z - \eta\, \Big(\frac{g}{\sqrt{\hat v} + \epsilon} + \lambda y\Big) $$
    $$ \eta_{\max} \leftarrow \max(\eta_{\max}, \eta), \qquad
    W \leftarrow W + \eta_{\max}^2, \qquad c = \eta_{\max}^2 / W $$
    $$ x \leftarrow (1 - c)\, x + c z $$

    The path shows the averages x. The decay is of y, as in the authors' code.
    """

    family = "adaptive"
    lr: float = shared.lr(0.1)
    beta2: float = shared.beta2()
    eps: float = shared.eps()
    weight_decay: float = shared.decoupled_decay()
    state_names = {"z": "point that moves", "v": "mean square"}
    symbols = {**ScheduleFreeSGD.symbols, r"\beta_2^t": "b2"}

    def init(self, x):
        return {**super().init(x), "v": np.zeros_like(x), "b2": 1.0}

    def step(self, f, x, s):
        y = self.lookahead(x, s)
        g = f.grad(y)
        v, b2 = self.beta2 * s["v"] + (1 - self.beta2) * g * g, s["b2"] * self.beta2
        update = g / (np.sqrt(v / np.subtract(1, b2)) + self.eps) + self.weight_decay * y
        return self.update_average(x, s["z"] - self.lr * update, {**s, "v": v, "b2": b2})


@optimizer("Prodigy", cite="Mishchenko & Defazio (2023), Prodigy, algorithm 4")
class Prodigy(Optimizer):
    r"""Adam that finds its own rate: an estimate d, which only grows, of how far the minimum is.

    $$ g = \nabla f(x), \qquad \beta_3 = \sqrt{\beta_2} $$
    $$ r \leftarrow \beta_3 r + \frac{\eta d^2}{d_0}\, g^\top (x_0 - x), \qquad
    s \leftarrow \beta_3 s + \frac{\eta d^2}{d_0}\, g $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, d g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, d^2 g^2 $$
    $$ \hat d = \frac{r}{\|s\|_1} \;\text{ where } \|s\|_1 > 0, \text{ else } 0 $$
    $$ x \leftarrow x - \eta d\, \frac{m}{\sqrt v + \max(d, \hat d)\, \epsilon}, \qquad
    d \leftarrow \max(d, \hat d) $$

    If f is convex and free of noise, and d₀ not too large, d is a lower bound on the largest
    coordinate of the way from x₀ to the minimum. As in the authors' code, nothing is corrected, r
    and s are divided by d₀, and the step is taken with the d before it. η is meant to stay 1.
    """

    family = "parameter-free"
    lr: float = shared.lr(1.0, "factor of the rate d that it estimates")
    beta1: float = shared.beta1()
    beta2: float = shared.beta2()
    eps: float = shared.eps()
    d0: float = hyperparameter(1e-6, 1e-8, 1.0, "d_0", log=True, help="initial distance estimate")
    state_names = {
        "m": "mean gradient",
        "v": "mean square",
        "s": "sum of gradients",
        "x_0": "start",
    }
    symbols = {"x_0": "x_0"}

    def init(self, x):
        ones = np.ones_like(x[..., :1])
        return {**super().init(x), "x_0": x, "r": 0 * ones, "d": self.d0 * ones}

    def step(self, f, x, s):
        g, d, beta3 = f.grad(x), s["d"], np.sqrt(self.beta2)
        weight = self.lr * d * d / self.d0
        r = beta3 * s["r"] + weight * (g * (s["x_0"] - x)).sum(-1, keepdims=True)
        total = beta3 * s["s"] + weight * g
        m = self.beta1 * s["m"] + (1 - self.beta1) * d * g
        v = self.beta2 * s["v"] + (1 - self.beta2) * d * d * g * g
        size = np.abs(total).sum(-1, keepdims=True)
        d_next = np.maximum(d, np.where(size > 0, r / np.where(size > 0, size, 1), 0))
        x = x - self.lr * d * m / (np.sqrt(v) + d_next * self.eps)
        return x, {**s, "m": m, "v": v, "s": total, "r": r, "d": d_next}
