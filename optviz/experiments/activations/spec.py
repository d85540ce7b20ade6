"""What becomes of a signal in a deep stack of layers, on its way forward and on its way back.

Random rows go through L layers that nobody has trained; then a random gradient at the end goes back
through the same layers. (Saitoh 2016, Deep Learning from Scratch, section 6.2; Glorot & Bengio 2010.)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

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
from optviz.spec import Choice, SpecError

MAX_LAYERS, MAX_UNITS, MAX_SAMPLES, MAX_SEED = 12, 500, 5000, 9999


@dataclass(frozen=True)
class DeepStack:
    """Layers of equal width without biases, and the rows that are sent through."""

    layers: int = 5
    units: int = 100
    activation: Choice = Choice("sigmoid")
    initializer: Choice = Choice("normal", {"sigma": 1.0})
    samples: int = 1000
    inputs: int = 100
    seed: int = 0


def check(stack: DeepStack) -> None:
    """SpecError where a stack from outside could not have been set on the page."""
    for name, value, low, high in (
        ("number of layers", stack.layers, 1, MAX_LAYERS), ("units", stack.units, 1, MAX_UNITS),
        ("samples", stack.samples, 2, MAX_SAMPLES), ("inputs", stack.inputs, 1, MAX_UNITS),
        ("seed", stack.seed, 0, MAX_SEED),
    ):  # fmt: skip
        if not low <= value <= high:
            raise SpecError(f"{name} is from {low} to {high}, not {value}")
    stack.activation.check(ACTIVATIONS, "activation")
    stack.initializer.check(INITIALIZERS, "initializer")


@dataclass(frozen=True, eq=False)
class Spread:
    """One layer's numbers `(samples, units)` in words: what a histogram shows and what it hides.

    A pooled histogram is as wide as `std`, and std² = within² + between². Where nearly all of it lies
    between units, each of them says nearly the same whatever the input is.
    """

    mean: float
    std: float  # of all numbers in one pot
    within: float  # of one unit over the samples, in the root mean square of the units
    between: float  # of the units' means

    @classmethod
    def of(cls, a) -> "Spread":
        with np.errstate(all="ignore"):
            return cls(
                float(a.mean()), float(a.std()), float(np.sqrt(a.var(0).mean())), float(a.mean(0).std())
            )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of the stack."""

    activations: np.ndarray  # (samples, units)
    arriving: np.ndarray  # (samples, units): the gradient of the activations
    off: np.ndarray  # (samples, units) bool, where hardly any gradient passes
    limits: tuple[float | None, float | None]  # of the activation function

    @cached_property
    def forward(self) -> Spread:
        return Spread.of(self.activations)

    @cached_property
    def backward(self) -> Spread:
        return Spread.of(self.arriving)

    @property
    def saturated(self) -> float:
        """Share of the activations near an end of their range; with ReLU the zeros."""
        return float(self.off.mean())

    @property
    def dead(self) -> float:
        """Share of the units that are saturated for every sample: none of them teaches it anything."""
        return float(self.off.all(0).mean())


def through(stack: DeepStack, x=None) -> list[Layer]:
    """The layers from the first to the last. `x` are rows `(samples, inputs)` in place of N(0, 1).

    Everything is a function of the seed: the weights of a layer are the same random numbers under every
    rule of one kind, and do not change when a layer is added. ValueError where `x` is not such rows.
    """
    h, rule = stack.activation.build(ACTIVATIONS), stack.initializer.build(INITIALIZERS)
    if x is None:
        x = stream(stack.seed, INPUTS).standard_normal((stack.samples, stack.inputs))
    x = np.asarray(x, float)
    if x.ndim != 2 or len(x) < 2 or not x.shape[1] or not np.isfinite(x).all():
        raise ValueError(
            f"samples are at least two rows of finite numbers, not an array of shape {x.shape}"
        )
    with np.errstate(all="ignore"):
        weights, sums, activations = [], [], []
        for i in range(stack.layers):
            weights.append(rule.draw(stream(stack.seed, WEIGHTS, i), x.shape[1], stack.units))
            sums.append(x @ weights[-1])
            x = h.value(sums[-1])
            activations.append(x)
        arriving = [stream(stack.seed, GRADIENTS).standard_normal(x.shape)]
        for w, z, a in zip(weights[:0:-1], sums[:0:-1], activations[:0:-1], strict=True):
            arriving.append((arriving[-1] * h.slope(z, a)) @ w.T)
        return [
            Layer(a, g, h.saturated(z, a), h.limits)
            for z, a, g in zip(sums, activations, reversed(arriving), strict=True)
        ]


def inside(network: Network, params, x, t) -> tuple[list[Layer], np.ndarray]:
    """The hidden layers of one network `(P,)` on rows `(B, inputs)` with labels `(B,)`, trained or not.

    What arrives is the gradient of the mean loss. Beside them the length `(affine layers,)` of the gradient
    of each weight matrix, from the first to the last.
    """
    h = network.activation.build(ACTIVATIONS)
    x, y = np.asarray(x, params.dtype), one_hot(t, network.sizes[-1], params.dtype)
    with np.errstate(all="ignore"):
        done = network.forward(params, x)
        _, dz = softmax_cross_entropy(done.outputs[-1], y)
        arrived = []
        gradient = network.backward(params, done, dz, arrived)
        layers = [
            Layer(done.outputs[i], arrived[i], h.saturated(*done.kept[i]), h.limits)
            for i in network.hidden
        ]
        views = network.views(gradient)
        return layers, np.array([np.linalg.norm(views[i]["W"]) for i in network.affine])


def fitting(values, limits=(None, None)) -> tuple[float, float]:
    """A range for the histogram of `values`: the limits where there are any, else from least to largest.

    Never empty, and never so narrow that its bins would fall together.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (
        float(end(finite)) if limit is None else limit
        for end, limit in zip((np.min, np.max), limits, strict=True)
    )
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or size == 0:
        margin = 0.5 * size or 0.5
        return low - margin, high + margin
    return low, high


def histogram(values, span: tuple[float, float], bins: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """How many of the values are in each bin `(bins,)`, and the bins' edges `(bins + 1,)`; what is not finite in none."""
    return np.histogram(values[np.isfinite(values)], bins, span)


@dataclass(frozen=True)
class Activations:
    """What the page shows: one setting, or two side by side."""

    stacks: tuple[DeepStack, ...] = (DeepStack(),)


def check_activations(comparison: Activations) -> None:
    """SpecError where a comparison from outside could not have been set on the page."""
    if not 1 <= len(comparison.stacks) <= 2:
        raise SpecError(f"one or two settings are compared, not {len(comparison.stacks)}")
    for stack in comparison.stacks:
        check(stack)
