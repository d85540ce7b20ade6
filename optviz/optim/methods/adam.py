"""Adam and its closest relatives: momentum and a rate for each coordinate."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared


def _torch_code(name, extra=""):
    """A function from an optimizer with Adam's hyperparameters and `extra` to torch.optim's code;
    there is none without bias correction.
    """

    def code(o):
        arguments = f"lr={o.lr}, betas=({o.beta1}, {o.beta2}), eps={o.eps}"
        return o.bias_correction and f"{name}([p], {arguments}{extra.format(o=o)})"

    return code


@optimizer("Adam", cite="Kingma & Ba (2015), Adam, algorithm 1", torch=_torch_code("Adam"))
class Adam(Optimizer):
    r"""Momentum and RMSProp combined: the mean gradient over the root of the mean square.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 $$
    $$ \hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t} $$
    $$ x \leftarrow x - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$

    ε is added to the corrected root, as in the paper's algorithm and in torch.optim. The powers of
    β are kept as running products, which stay right when β is scheduled.
    """

    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1()
    beta2: float = shared.beta2()
    eps: float = shared.eps()
    bias_correction: bool = shared.bias_correction()
    state_names = {"m": "mean gradient", "v": "mean square"}
    symbols = {r"\beta_1^t": "b1", r"\beta_2^t": "b2"}
    variants = {("bias_correction", False): {r"1 - \beta_1^t": "1", r"1 - \beta_2^t": "1"}}

    def init(self, x):
        return {**super().init(x), "b1": np.float64(1), "b2": np.float64(1)}

    def mean_square(self, g, m, v):
        """The next v, from the gradient, its mean and v."""
        return self.beta2 * v + (1 - self.beta2) * g * g

    def moments(self, g, s):
        """The next state, and the factors that correct m and v for their start at zero."""
        m = self.beta1 * s["m"] + (1 - self.beta1) * g
        v = self.mean_square(g, m, s["v"])
        b1, b2 = s["b1"] * self.beta1, s["b2"] * self.beta2
        s = {**s, "m": m, "v": v, "b1": b1, "b2": b2}
        return (s, 1 / (1 - b1), 1 / (1 - b2)) if self.bias_correction else (s, 1.0, 1.0)

    def step(self, f, x, s):
        s, m_scale, v_scale = self.moments(f.grad(x), s)
        return x - self.lr * m_scale * s["m"] / (np.sqrt(s["v"] * v_scale) + self.eps), s


@optimizer(
    "AdamW",
    cite="Loshchilov & Hutter (2019), Decoupled weight decay, algorithm 2",
    torch=lambda o: not o.decoupled and _torch_code("AdamW", ", weight_decay={o.weight_decay}")(o),
)
class AdamW(Adam):
    r"""Adam that also shrinks x by a fixed share per step, independently of the gradient.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 $$
    $$ \hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t} $$
    $$ x \leftarrow (1 - \eta \lambda)\, x - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$

    As in torch.optim, the decay is multiplied by the rate. If fully decoupled, it is not: the rate
    can then be tuned alone, but a schedule of the rate leaves the decay unchanged.
    """

    weight_decay: float = shared.decoupled_decay(0.01)
    decoupled: bool = hyperparameter(
        False, help="a decay that is not multiplied by the rate", advanced=True
    )
    variants = {**Adam.variants, ("decoupled", True): {r"\eta \lambda": r"\lambda"}}

    def step(self, f, x, s):
        step, s = super().step(f, x, s)
        return step - (1.0 if self.decoupled else self.lr) * self.weight_decay * x, s


@optimizer(
    "AMSGrad",
    cite="Reddi, Kale & Kumar (2018), On the convergence of Adam and beyond, algorithm 2",
    torch=_torch_code("Adam", ", amsgrad=True"),
)
class AMSGrad(Adam):
    r"""Adam with the largest mean square so far instead of the latest.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 $$
    $$ h \leftarrow \max(h, v) $$
    $$ x \leftarrow x - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{h / (1 - \beta_2^t)} + \epsilon} $$

    The maximum is of the uncorrected v and is corrected afterwards, as in torch.optim: it never
    shrinks, but the divisor can, while the correction fades. The paper corrects nothing.
    """

    state_names = {**Adam.state_names, "h": "largest mean square"}

    def step(self, f, x, s):
        h = s["h"]
        s, m_scale, h_scale = self.moments(f.grad(x), s)
        h = np.maximum(h, s["v"])
        return x - self.lr * m_scale * s["m"] / (np.sqrt(h * h_scale) + self.eps), {**s, "h": h}


@optimizer("AdaMax", cite="Kingma & Ba (2015), Adam, algorithm 2", torch=_torch_code("Adamax"))
class AdaMax(Optimizer):
    r"""Adam with the largest recent gradient instead of the mean square.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    u \leftarrow \max(\beta_2 u,\, |g| + \epsilon) $$
    $$ x \leftarrow x - \frac{\eta}{1 - \beta_1^t}\, \frac{m}{u} $$

    ε is added to |g|, as in torch.optim; the paper has none.
    """

    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1()
    beta2: float = shared.beta2(help="memory of the largest gradient u")
    eps: float = shared.eps()
    bias_correction: bool = shared.bias_correction()
    state_names = {"m": "mean gradient", "u": "largest gradient"}
    symbols = {r"\beta_1^t": "b1"}
    variants = {("bias_correction", False): {r"1 - \beta_1^t": "1"}}

    def init(self, x):
        return {**super().init(x), "b1": 1.0}

    def step(self, f, x, s):
        g = f.grad(x)
        m = self.beta1 * s["m"] + (1 - self.beta1) * g
        u = np.maximum(self.beta2 * s["u"], np.abs(g) + self.eps)
        b1 = s["b1"] * self.beta1
        lr = self.lr / np.subtract(1, b1) if self.bias_correction else self.lr
        return x - lr * m / u, {"m": m, "u": u, "b1": b1}


@optimizer(
    "NAdam",
    cite="Dozat (2016), Incorporating Nesterov momentum into Adam",
    torch=_torch_code("NAdam", ", momentum_decay={o.momentum_decay}"),
)
class NAdam(Adam):
    r"""Adam with Nesterov's look-ahead: the momentum of the next step is already applied.

    $$ g = \nabla f(x) $$
    $$ \mu_t = \beta_1 (1 - \tfrac{1}{2}\, 0.96^{t \psi}), \qquad
    \mu_{t+1} = \beta_1 (1 - \tfrac{1}{2}\, 0.96^{(t + 1) \psi}) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 $$
    $$ d = \frac{(1 - \mu_t)\, g}{1 - \prod_{i \le t} \mu_i}
    + \frac{\mu_{t+1}\, m}{1 - \mu_{t+1} \prod_{i \le t} \mu_i} $$
    $$ x \leftarrow x - \eta\, \frac{d}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} $$

    The warm-up of the momentum μₜ, with ψ = 0.004, is torch.optim's.
    """

    momentum_decay: float = hyperparameter(
        4e-3, 0.0, 1.0, r"\psi", help="how fast the momentum warms up"
    )
    symbols = {r"\prod_{i \le t} \mu_i": "mu", r"\beta_2^t": "b2"}
    variants = {
        ("bias_correction", False): {
            r"1 - \prod_{i \le t} \mu_i": "1",
            r"1 - \mu_{t+1} \prod_{i \le t} \mu_i": "1",
            r"1 - \beta_2^t": "1",
        }
    }

    def init(self, x):
        return {**super().init(x), "mu": 1.0, "t": 0}

    def step(self, f, x, s):
        g = f.grad(x)
        t = s["t"] + 1
        mu_t, mu_next = (
            self.beta1 * (1 - 0.5 * np.power(0.96, i * self.momentum_decay)) for i in (t, t + 1)
        )
        product = s["mu"] * mu_t
        s, _, v_scale = self.moments(g, {**s, "mu": product, "t": t})
        a, b = (1 - product, 1 - product * mu_next) if self.bias_correction else (1, 1)
        direction = ((1 - mu_t) / a) * g + (mu_next / b) * s["m"]
        return x - self.lr * direction / (np.sqrt(s["v"] * v_scale) + self.eps), s


@optimizer(
    "RAdam",
    cite="Liu et al. (2020), On the variance of the adaptive learning rate, algorithm 2",
    torch=_torch_code("RAdam"),
)
class RAdam(Adam):
    r"""Adam that does not divide until it has seen enough gradients to trust the mean square.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g, \qquad
    v \leftarrow \beta_2 v + (1-\beta_2)\, g^2 $$
    $$ \rho_\infty = \frac{2}{1 - \beta_2} - 1, \qquad
    \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t} $$
    $$ r_t = \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\,\rho_\infty}
    {(\rho_\infty - 4)(\rho_\infty - 2)\,\rho_t}}\;
    \frac{\sqrt{1 - \beta_2^t}}{\sqrt v + \epsilon} \;\text{ where } \rho_t > 5, \text{ else } 1 $$
    $$ x \leftarrow x - \eta\, r_t\, \frac{m}{1 - \beta_1^t} $$

    The threshold 5, and ε added to the uncorrected root, are as in torch.optim; the paper has 4.
    """

    lr: float = shared.lr(0.1, low=1e-8)  # its first steps are undivided
    variants = {("bias_correction", False): {r"1 - \beta_1^t": "1", r"\sqrt{1 - \beta_2^t}": "1"}}

    def init(self, x):
        return {**super().init(x), "t": 0}

    def step(self, f, x, s):
        t = s["t"] + 1
        s, m_scale, _ = self.moments(f.grad(x), {**s, "t": t})
        m = s["m"] * m_scale
        rho_inf = 2 / np.subtract(1, self.beta2) - 1
        rho = rho_inf - 2 * t * s["b2"] / (1 - s["b2"])
        trusted = rho > 5
        clipped = np.maximum(rho, 5.0)
        corrected = 1 - s["b2"] if self.bias_correction else 1.0
        square = (clipped - 4) * (clipped - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * clipped)
        r = np.sqrt(square * corrected)
        step = m * (r / (np.sqrt(s["v"]) + self.eps))
        if not trusted.all():
            step = np.where(trusted, step, m)
        return x - self.lr * step, s


@optimizer(
    "Lion", cite="Chen et al. (2023), Symbolic discovery of optimization algorithms, algorithm 2"
)
class Lion(Optimizer):
    r"""The sign of a mix of momentum and gradient: a coordinate moves by the rate or not at all.

    $$ g = \nabla f(x), \qquad d = \operatorname{sign}(\beta_1 m + (1-\beta_1)\, g) $$
    $$ x \leftarrow x - \eta\, (d + \lambda x), \qquad m \leftarrow \beta_2 m + (1-\beta_2)\, g $$

    It does not move where the mix is 0; the decay λ is on top of the step.
    """

    family = "momentum"
    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1()
    beta2: float = shared.beta2(0.99, help="memory of the momentum m")
    weight_decay: float = shared.decoupled_decay()
    state_names = {"m": "mean gradient"}

    def step(self, f, x, s):
        g = f.grad(x)
        direction = np.sign(self.beta1 * s["m"] + (1 - self.beta1) * g)
        m = self.beta2 * s["m"] + (1 - self.beta2) * g
        return x - self.lr * (direction + self.weight_decay * x), {"m": m}
