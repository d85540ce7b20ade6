"""Activation functions, which units apply to their weighted sums, each with its slope."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optviz.optim.hyperparameter import Configurable, hyperparameter, registrar

ACTIVATIONS: dict[str, type] = {}

NEAR = 0.01  # distance to the end of its range below which a value is saturated (slope under 4%)


@dataclass(frozen=True)
class Activation(Configurable):
    """Maps sums z of any shape to values a of the same shape, number by number.

    A docstring's first equation is the function, its second the derivative.
    """

    # the range of a; None: unbounded
    limits: ClassVar[tuple[float | None, float | None]] = (None, None)

    def value(self, z):
        """The activation a."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def slope(self, z, a):
        """The derivative at z, where the value is a: a number or True for 1 and False for 0."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def saturated(self, z, a):
        """Where so little gradient passes that a unit hardly learns, a boolean array."""
        return np.zeros(np.shape(a), bool)


activation = registrar(ACTIVATIONS)


@activation(
    "sigmoid",
    "Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors",
)
class Sigmoid(Activation):
    r"""Squeezes everything between 0 and 1; its slope is never more than a quarter.

    $$ a = \frac{1}{1 + e^{-z}} $$
    $$ a' = a\,(1 - a) $$
    """

    limits = (0.0, 1.0)

    def value(self, z):
        e = np.exp(-np.abs(z))  # never overflows, and keeps its digits where a is tiny
        return np.where(z >= 0, 1, e) / (1 + e)

    def slope(self, z, a):
        return a * (1 - a)

    def saturated(self, z, a):
        return (a < NEAR) | (a > 1 - NEAR)


@activation("tanh", "LeCun et al. (1998), Efficient BackProp, section 4.4")
class Tanh(Activation):
    r"""Squeezes everything between −1 and 1, around 0.

    $$ a = \tanh z $$
    $$ a' = 1 - a^2 $$
    """

    limits = (-1.0, 1.0)

    def value(self, z):
        return np.tanh(z)

    def slope(self, z, a):
        return 1 - a * a

    def saturated(self, z, a):
        return np.abs(a) > 1 - NEAR


@activation(
    "ReLU", "Nair & Hinton (2010); Glorot, Bordes & Bengio (2011), Deep sparse rectifier networks"
)
class ReLU(Activation):
    r"""Passes positive numbers unchanged and nothing else; its slope is 1 or 0.

    $$ a = \max(0, z) $$
    $$ a' = 1 \;\text{ where } z > 0, \text{ else } 0 $$
    """

    limits = (0.0, None)

    def value(self, z):
        return np.maximum(z, 0)

    def slope(self, z, a):
        return a > 0

    def saturated(self, z, a):
        return a == 0


@activation("leaky ReLU", "Maas, Hannun & Ng (2013), Rectifier nonlinearities", "leaky_relu")
class LeakyReLU(Activation):
    r"""ReLU that lets a little of the negative side through, so no unit is ever completely off.

    $$ a = z \;\text{ where } z > 0, \text{ else } \alpha z $$
    $$ a' = 1 \;\text{ where } z > 0, \text{ else } \alpha $$
    """

    alpha: float = hyperparameter(
        0.01, 0.0, 1.0, r"\alpha", help="slope of the negative side", valid="(-inf, inf)"
    )

    def value(self, z):
        return np.where(z > 0, z, self.alpha * z)

    def slope(self, z, a):
        return np.where(z > 0, 1, z.dtype.type(self.alpha))


@activation(
    "ELU",
    "Clevert, Unterthiner & Hochreiter (2016), Fast and accurate deep network learning by "
    "exponential linear units, section 3",
)
class ELU(Activation):
    r"""ReLU with a negative side that levels off at −α, so the mean of a layer is nearer to 0.

    $$ a = z \;\text{ where } z > 0, \text{ else } \alpha\, (e^z - 1) $$
    $$ a' = 1 \;\text{ where } z > 0, \text{ else } \alpha\, e^z $$
    """

    alpha: float = hyperparameter(1.0, 0.01, 5.0, r"\alpha", help="depth of the negative side")

    @property
    def limits(self):
        return (-self.alpha, None)

    def value(self, z):
        return np.where(z > 0, z, self.alpha * np.expm1(np.minimum(z, 0)))

    def slope(self, z, a):
        return np.where(z > 0, 1, self.alpha * np.exp(np.minimum(z, 0)))

    def saturated(self, z, a):
        return a < -self.alpha * (1 - NEAR)


@activation("softsign", "Bergstra et al. (2009), Quadratic polynomials learn better image features")
class Softsign(Activation):
    r"""A slower tanh: it approaches −1 and 1 only like 1/|z|, so its slope fades slowly.

    $$ a = \frac{z}{1 + |z|} $$
    $$ a' = (1 - |a|)^2 $$
    """

    limits = (-1.0, 1.0)

    def value(self, z):
        return z / (1 + np.abs(z))

    def slope(self, z, a):
        flat = 1 + np.abs(z)  # of z and not of a, which has lost the digits of 1 − |a|
        return 1 / (flat * flat)

    def saturated(self, z, a):
        return np.abs(a) > 1 - NEAR


@activation("GELU", "Hendrycks & Gimpel (2016), Gaussian error linear units, section 2")
class GELU(Activation):
    r"""A smooth ReLU: about z times the probability that a standard normal number is below z.

    $$ a = \tfrac{1}{2}\, z\, (1 + \tanh u), \qquad u = \sqrt{2/\pi}\, (z + 0.044715\, z^3) $$
    $$ a' = \tfrac{1}{2}\, (1 + \tanh u) + \tfrac{1}{2}\, z\, (1 - \tanh^2 u)\, \sqrt{2/\pi}
    \, (1 + 0.134145\, z^2) $$

    This is the paper's tanh form, `approximate="tanh"` in PyTorch, within 5·10⁻⁴ of z Φ(z).
    """

    ROOT: ClassVar[float] = (2 / np.pi) ** 0.5

    def _tanh(self, z):
        return np.tanh(self.ROOT * (z + 0.044715 * z * z * z))

    def value(self, z):
        return 0.5 * z * (1 + self._tanh(z))

    def slope(self, z, a):
        t = self._tanh(z)
        return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * self.ROOT * (1 + 0.134145 * z * z)

    def saturated(self, z, a):
        return (z < -1) & (a > -NEAR)  # beyond its dip, on the flat side


@activation("identity", "no activation: a stack of affine layers is one affine layer")
class Identity(Activation):
    r"""The sum unchanged: whatever its depth, the network stays linear.

    $$ a = z $$
    $$ a' = 1 $$
    """

    def value(self, z):
        return z

    def slope(self, z, a):
        return np.True_
