"""After Adam: other mean squares, division before averaging, gradient differences, slow means."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared
from optviz.optim.methods.adam import Adam


@optimizer("AdaBelief", cite="Zhuang et al. (2020), AdaBelief optimizer, algorithm 2")
class AdaBelief(Adam):
    r"""Adam that divides by how far the gradient is from its mean: a steady one is trusted.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, (g - m)^2 + \epsilon $$
    $$ \hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t} $$
    $$ x \leftarrow x - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$

    ε is in both places, as in the paper's algorithm; its default is that of the authors' code.
    """

    eps: float = shared.eps(1e-16, low=1e-16)
    state_names = {"m": "mean gradient", "v": "mean squared deviation"}

    def mean_square(self, g, m, v):
        return self.beta2 * v + (1 - self.beta2) * (g - m) ** 2 + self.eps


@optimizer("Yogi", cite="Zaheer et al. (2018), Adaptive methods for nonconvex optimization, alg. 2")
class Yogi(Adam):
    r"""Adam whose mean square changes by an amount that does not depend on how far off it is.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow v - (1-\beta_2)\, \operatorname{sign}(v - g^2)\, g^2 $$
    $$ \hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t} $$
    $$ x \leftarrow x - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$

    m and v begin at 10⁻⁶ and are corrected as Adam's, as in optax and pytorch-optimizer; the paper
    corrects nothing.
    """

    eps: float = shared.eps(1e-3)

    def init(self, x):
        start = np.full_like(x, 1e-6)
        return {**super().init(x), "m": start, "v": start}

    def mean_square(self, g, m, v):
        return v - (1 - self.beta2) * np.sign(v - g * g) * g * g


@optimizer("ADOPT", cite="Taniguchi et al. (2024), ADOPT, algorithm 2")
class ADOPT(Optimizer):
    r"""Divide the gradient by the root of the previous mean square, and only then average.

    $$ g = \nabla f(x) $$
    $$ d = \operatorname{clip}\Big(\frac{g}{\max(\sqrt v, \epsilon)}, t^{1/4}\Big)
    \;\text{ where } t > 1, \text{ else } 0 $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, d, \qquad x \leftarrow x - \eta\, m $$
    $$ v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 \;\text{ where } t > 1, \text{ else } g^2 $$

    The paper proves that it converges with any β₂, while Adam needs the right one. The first step
    only measures v. The bound on d counts that step, as in pytorch-optimizer; the authors' code
    counts from the one after.
    """

    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1(help="memory of the mean m of the divided gradients")
    beta2: float = shared.beta2(0.9999)
    eps: float = shared.eps(1e-6)
    state_names = {"m": "mean divided gradient", "v": "mean square"}

    def init(self, x):
        return {**super().init(x), "t": 0}

    def step(self, f, x, s):
        g, t = f.grad(x), s["t"] + 1
        if t == 1:
            return x, {**s, "v": g * g, "t": t}
        bound = np.power(t, 0.25)
        d = np.clip(g / np.maximum(np.sqrt(s["v"]), self.eps), -bound, bound)
        m = self.beta1 * s["m"] + (1 - self.beta1) * d
        v = self.beta2 * s["v"] + (1 - self.beta2) * g * g
        return x - self.lr * m, {"m": m, "v": v, "t": t}


@optimizer("Adan", cite="Xie et al. (2022), Adan: adaptive Nesterov momentum, algorithm 1")
class Adan(Optimizer):
    r"""Nesterov's momentum without a look-ahead: it uses the mean change of the gradient.

    $$ g = \nabla f(x), \qquad
    \Delta = g - g_{\text{prev}} \;\text{ where } t > 1, \text{ else } 0 $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, \Delta $$
    $$ n \leftarrow \beta_3 n + (1-\beta_3)\, (g + \beta_2 \Delta)^2 $$
    $$ x \leftarrow x - \eta\, \frac{m / (1 - \beta_1^t) + \beta_2 v / (1 - \beta_2^t)}
    {\sqrt{n / (1 - \beta_3^t)} + \epsilon} $$

    The β are memories, as in the authors' code and everywhere else; the paper's are 1 − β.
    """

    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1(0.98)
    beta2: float = shared.beta2(0.92, help="memory of the mean change v, and its weight")
    beta3: float = shared.beta3(0.99, help="memory of the mean square n")
    eps: float = shared.eps()
    state_names = {
        "m": "mean gradient",
        "v": "mean change",
        "n": "mean square",
        "g_prev": "gradient before",
    }
    symbols = {r"g_{\text{prev}}": "g_prev", **{rf"\beta_{i}^t": f"b{i}" for i in (1, 2, 3)}}

    def init(self, x):
        return {**super().init(x), "b1": 1.0, "b2": 1.0, "b3": 1.0, "t": 0}

    def step(self, f, x, s):
        g, t = f.grad(x), s["t"] + 1
        change = g - s["g_prev"] if t > 1 else np.zeros_like(g)
        m = self.beta1 * s["m"] + (1 - self.beta1) * g
        v = self.beta2 * s["v"] + (1 - self.beta2) * change
        n = self.beta3 * s["n"] + (1 - self.beta3) * (g + self.beta2 * change) ** 2
        b1, b2, b3 = s["b1"] * self.beta1, s["b2"] * self.beta2, s["b3"] * self.beta3
        update = m / np.subtract(1, b1) + self.beta2 * v / np.subtract(1, b2)
        x = x - self.lr * update / (np.sqrt(n / np.subtract(1, b3)) + self.eps)
        return x, {"m": m, "v": v, "n": n, "g_prev": g, "b1": b1, "b2": b2, "b3": b3, "t": t}


@optimizer("AdEMAMix", cite="Pagliardini et al. (2024), The AdEMAMix optimizer, section 3")
class AdEMAMix(Adam):
    r"""Adam with two mean gradients: a fast one of the last few, and a slow one of thousands.

    $$ g = \nabla f(x) $$
    $$ m_1 \leftarrow \beta_1 m_1 + (1-\beta_1)\, g, \qquad
    m_2 \leftarrow \beta_3 m_2 + (1-\beta_3)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 $$
    $$ x \leftarrow x - \eta\,
    \frac{m_1 / (1 - \beta_1^t) + \alpha m_2}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} $$

    The slow mean is not corrected. α and β₃ are fixed; the paper lets them grow, α in a straight
    line, which is a warm-up schedule of α.
    """

    beta3: float = shared.beta3(0.9999, help="memory of the slow mean gradient")
    alpha: float = hyperparameter(5.0, 0.0, 20.0, r"\alpha", help="weight of the slow mean")
    state_names = {"m": "mean gradient", "m2": "slow mean gradient", "v": "mean square"}
    symbols = {**Adam.symbols, "m_1": "m", "m_2": "m2"}

    def step(self, f, x, s):
        g = f.grad(x)
        s, m_scale, v_scale = self.moments(g, s)
        slow = self.beta3 * s["m2"] + (1 - self.beta3) * g
        update = m_scale * s["m"] + self.alpha * slow
        return x - self.lr * update / (np.sqrt(s["v"] * v_scale) + self.eps), {**s, "m2": slow}
