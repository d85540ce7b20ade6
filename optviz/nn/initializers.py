"""Initial weights: how large the random numbers are with which a network starts.

A unit adds up fan-in products. With weights of standard deviation σ the sum is about σ·√fan-in
times as large as the inputs, and on the way back a gradient grows by about σ·√fan-out: every rule
with a fan chooses σ so that one of the two, or a compromise, neither grows nor shrinks.
"""

from dataclasses import dataclass

import numpy as np

from optviz.optim.hyperparameter import Configurable, hyperparameter, registrar

INITIALIZERS: dict[str, type] = {}
SAITOH = "Saitoh (2016), Deep Learning from Scratch, section 6.2"
GLOROT = "Glorot & Bengio (2010), Training deep feedforward networks"
HE = "He et al. (2015), Delving deep into rectifiers, eq. 10"


@dataclass(frozen=True)
class Initializer(Configurable):
    """Draws the weights of one layer; biases begin as zeros. A docstring's equation is the rule."""

    def spread(self, fan_in: int, fan_out: int) -> float:
        """The standard deviation of one weight."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def draw(self, rng, fan_in: int, fan_out: int) -> np.ndarray:
        """Weights `(fan_in, fan_out)`: normal numbers, unless a rule says otherwise."""
        return self.spread(fan_in, fan_out) * rng.standard_normal((fan_in, fan_out))


@dataclass(frozen=True)
class _Uniform(Initializer):
    """Uniform in ±bound: the standard deviation is bound / √3."""

    def draw(self, rng, fan_in, fan_out):
        return 3**0.5 * self.spread(fan_in, fan_out) * rng.uniform(-1.0, 1.0, (fan_in, fan_out))


initializer = registrar(INITIALIZERS)


@initializer("zeros", f"{SAITOH}.1")
class Zeros(Initializer):
    r"""All weights are 0: the units of a layer are equal and, without dropout, stay equal.

    $$ W = 0 $$
    """

    def spread(self, fan_in, fan_out):
        return 0.0

    def draw(self, rng, fan_in, fan_out):
        return np.zeros((fan_in, fan_out))


@initializer("constant", "Goodfellow, Bengio & Courville (2016), Deep Learning, section 8.4")
class Constant(Zeros):
    r"""All weights are equal: so are the units of a layer and, without dropout, they stay equal.

    $$ W = c $$
    """

    c: float = hyperparameter(0.1, -10.0, 10.0, "c", label="value", help="every weight")

    def draw(self, rng, fan_in, fan_out):
        return np.full((fan_in, fan_out), float(self.c))


@initializer("normal", f"{SAITOH}.2")
class Normal(Initializer):
    r"""Normal, fixed σ, independent of layer width.

    $$ W \sim \mathcal N(0, \sigma^2) $$
    """

    sigma: float = hyperparameter(
        0.01, 0.0, 100.0, r"\sigma", log=True, help="standard deviation of a weight"
    )

    def spread(self, fan_in, fan_out):
        return self.sigma


@initializer("Xavier (1/√n)", f"{SAITOH}.2, there called Xavier", "book")
class Book(Initializer):
    r"""A sum of n inputs is as large as one of them.

    $$ W \sim \mathcal N\big(0,\; 1/n_\text{in}\big) $$

    The book's Xavier. Glorot and Bengio's own rule also looks at the way back (`xavier_normal`).
    """

    def spread(self, fan_in, fan_out):
        return (1 / fan_in) ** 0.5


@initializer("LeCun", "LeCun et al. (1998), Efficient BackProp, section 4.6", "lecun_normal")
class LeCun(Book):
    r"""A sum of n inputs is as large as one of them: meant for standardized inputs and tanh.

    $$ W \sim \mathcal N\big(0,\; 1/n_\text{in}\big) $$

    The numbers of the 1/√n form, under the name that frameworks know.
    """


@initializer("Glorot", f"{GLOROT}, eq. 12", "xavier_normal")
class XavierNormal(Initializer):
    r"""A compromise between keeping the size of the activations and that of the gradients.

    $$ W \sim \mathcal N\Big(0,\; \frac{2}{n_\text{in} + n_\text{out}}\Big) $$
    """

    def spread(self, fan_in, fan_out):
        return (2 / (fan_in + fan_out)) ** 0.5


@initializer("Glorot uniform", f"{GLOROT}, eq. 16", "xavier_uniform")
class XavierUniform(_Uniform, XavierNormal):
    r"""Glorot's variance, but uniform: what the paper calls normalized initialization.

    $$ W \sim \mathcal U(-r, r), \qquad r = \sqrt{\frac{6}{n_\text{in} + n_\text{out}}} $$
    """


@initializer("He", HE, "he_normal")
class HeNormal(Initializer):
    r"""Twice the variance, because a ReLU blocks half of its input.

    $$ W \sim \mathcal N\big(0,\; 2/n_\text{in}\big) $$
    """

    def spread(self, fan_in, fan_out):
        return (2 / fan_in) ** 0.5


@initializer("He uniform", HE, "he_uniform")
class HeUniform(_Uniform, HeNormal):
    r"""He's variance, but uniform.

    $$ W \sim \mathcal U(-r, r), \qquad r = \sqrt{6/n_\text{in}} $$
    """


@initializer("orthogonal", "Saxe, McClelland & Ganguli (2014), Exact solutions, section 3")
class Orthogonal(Initializer):
    r"""A rotation or reflection: all directions keep their length, as far as the shape allows.

    $$ W^\top W = g^2 I \;\text{ or }\; W W^\top = g^2 I $$
    """

    gain: float = hyperparameter(
        1.0, 0.0, 10.0, "g", help="what the rotation is multiplied by; √2 makes up for a ReLU"
    )

    def spread(self, fan_in, fan_out):
        return self.gain / max(fan_in, fan_out) ** 0.5

    def draw(self, rng, fan_in, fan_out):
        tall = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
        q, r = np.linalg.qr(tall)
        # signs for which r's diagonal is positive, or else some rotations are more likely
        q = self.gain * q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return q if fan_in >= fan_out else q.T.copy()
