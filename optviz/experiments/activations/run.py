"""A signal on its way through untrained layers, and a gradient on its way back.

(Saitoh 2016, Deep Learning from Scratch, section 6.2; Glorot & Bengio 2010.)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optviz.experiments.activations.spec import DeepStack
from optviz.nn import (
    ACTIVATIONS,
    GRADIENTS,
    INITIALIZERS,
    INPUTS,
    WEIGHTS,
    Network,
    one_hot,
    softmax_cross_entropy,
    stream,
)

Limits = tuple[float | None, float | None]


@dataclass(frozen=True, eq=False)
class Spread:
    """What a histogram of one layer's numbers `(samples, units)` shows and what it hides.

    A pooled histogram is as wide as `std`, and std² = within² + between². Where nearly all of it
    lies between units, each of them says nearly the same whatever the input is.
    """

    mean: float
    std: float  # of all numbers pooled
    within: float  # of one unit over the samples, in the root mean square of the units
    between: float  # of the units' means

    @classmethod
    def from_values(cls, a) -> "Spread":
        with np.errstate(all="ignore"):
            within, between = np.sqrt(a.var(0).mean()), a.mean(0).std()
            return cls(float(a.mean()), float(a.std()), float(within), float(between))


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer's activations, and the gradient that reaches them."""

    activations: np.ndarray  # (samples, units)
    gradients: np.ndarray  # (samples, units), upstream: of the activations
    flat: np.ndarray  # (samples, units) bool, where hardly any gradient passes
    limits: Limits  # of the activation function
    slope: np.ndarray | None = None  # (samples, units) of the activation function
    inputs: np.ndarray | None = None  # (samples, inputs) of the layer

    @cached_property
    def forward(self) -> Spread:
        return Spread.from_values(self.activations)

    @cached_property
    def backward(self) -> Spread:
        return Spread.from_values(self.gradients)

    def upstream(self, quantity: str) -> np.ndarray:
        """The gradient of the activations "a", of the sums "z" `(samples, units)`, or of the
        weights "W" `(inputs, units)`, summed over the samples.
        """
        if quantity == "a":
            return self.gradients
        sum_gradients = self.gradients * self.slope
        return sum_gradients if quantity == "z" else self.inputs.T @ sum_gradients

    @property
    def saturated(self) -> float:
        """Share of the activations near an end of their range; with ReLU the zeros."""
        return float(self.flat.mean())

    @property
    def dead(self) -> float:
        """Share of the units that are saturated for every sample: they cannot learn."""
        return float(self.flat.all(0).mean())


def propagate(stack: DeepStack, x=None) -> list[Layer]:
    """The layers from the first to the last. `x` are samples `(samples, inputs)`, else N(0, 1).

    Everything is a function of the seed: the weights of a layer are the same random numbers under
    every initializer of one kind, and do not change when a layer is added. A random gradient starts
    at the last layer. ValueError where `x` is not such samples.
    """
    h = stack.activation.build(ACTIVATIONS)
    initializer = stack.initializer.build(INITIALIZERS)
    if x is None:
        x = stream(stack.seed, INPUTS).standard_normal((stack.samples, stack.inputs))
    x = np.asarray(x, float)
    if x.ndim != 2 or len(x) < 2 or not x.shape[1] or not np.isfinite(x).all():
        raise ValueError(f"samples are two or more rows of finite numbers, not of shape {x.shape}")
    with np.errstate(all="ignore"):
        weights, sums, activations = [], [], [x]
        for i in range(stack.layers):
            weights.append(
                initializer.draw(stream(stack.seed, WEIGHTS, i), x.shape[1], stack.units)
            )
            sums.append(x @ weights[-1])
            x = h.value(sums[-1])
            activations.append(x)
        slopes = [h.slope(z, a) for z, a in zip(sums, activations[1:], strict=True)]
        gradients = [stream(stack.seed, GRADIENTS).standard_normal(x.shape)]
        for w, slope in zip(weights[:0:-1], slopes[:0:-1], strict=True):
            gradients.append((gradients[-1] * slope) @ w.T)
        inputs, outputs = activations[:-1], activations[1:]
        parts = zip(inputs, sums, outputs, reversed(gradients), slopes, strict=True)
        return [Layer(a, g, h.saturated(z, a), h.limits, s, x) for x, z, a, g, s in parts]


def hidden_layers(network: Network, params, x, t) -> tuple[list[Layer], np.ndarray]:
    """The hidden layers of one network `(P,)` on inputs `(B, inputs)` with labels `(B,)`.

    The gradient is that of the mean loss. Beside them its norm `(affine layers,)` with respect to
    each weight matrix, from the first to the last.
    """
    h = network.activation.build(ACTIVATIONS)
    x, y = np.asarray(x, params.dtype), one_hot(t, network.sizes[-1], params.dtype)
    with np.errstate(all="ignore"):
        cache = network.forward(params, x)
        _loss, dz = softmax_cross_entropy(cache.outputs[-1], y)
        upstream = []
        gradient = network.views(network.backward(params, cache, dz, upstream))
        layers = [
            Layer(cache.outputs[i], upstream[i], h.saturated(*cache.caches[i]), h.limits)
            for i in network.hidden
        ]
        return layers, np.array([np.linalg.norm(gradient[i]["W"]) for i in network.affine])
