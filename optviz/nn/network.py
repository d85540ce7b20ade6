"""A network: layers one after the other, their parameters side by side in one flat array."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from optviz.nn.activations import ACTIVATIONS
from optviz.nn.batch_norm import MOMENTUM, BatchNorm
from optviz.nn.initializers import INITIALIZERS
from optviz.nn.layers import EVALUATION, Activated, Affine, Dropout, Layer, Mode
from optviz.optim.hyperparameter import Hyperparameter, hyperparameter
from optviz.spec import Choice, SpecError, choice, option

ROWS = 256  # in one forward pass
DTYPES = {"float32": np.float32, "float64": np.float64}
# Where batch normalization takes place.
PLACES = {"": "Nowhere", "before": "Before the activation", "after": "After the activation"}
HIDDEN = Hyperparameter("hidden", 4, 0, 12, "L", help="hidden layers")
UNITS = Hyperparameter("units", 100, 1, 1000, "n", help="units in each of them")


class ForwardPass(NamedTuple):
    """The results of a forward pass, layer by layer."""

    outputs: list[np.ndarray]  # (..., B, n), the last are the network's
    caches: list  # for the backward pass


@dataclass(frozen=True)
class Network:
    """Affine layers, activations between them, and optional batch normalization and dropout.

    Parameters are one array `(..., P)`: layer by layer W `(n_in, n_out)`, then b `(n_out,)`.
    Leading axes are a batch of networks, which matrix products take side by side.
    """

    sizes: tuple[int, ...] = (64, 100, 100, 100, 100, 10)  # inputs, hidden layers, outputs
    activation: Choice = choice("relu", ACTIVATIONS, "Activation")
    initializer: Choice = choice("he_normal", INITIALIZERS, "Initial weights")
    dtype: str = option("float32", dict.fromkeys(DTYPES), "Numbers")
    normalize: str = option("", PLACES, "Batch normalization")
    dropout: float = hyperparameter(
        0.0,
        0.0,
        0.95,
        "p",
        help="share of the hidden units that is left out, drawn anew for each row and step",
        valid="[0, 1)",
    )
    base_width: int = hyperparameter(
        0, 0, 1000, help="width from which on μP scales weights and rates; 0: the standard way"
    )

    def validate(self) -> None:
        """SpecError for too many layers, or for too large or empty ones."""
        try:
            HIDDEN.check_range(len(self.sizes) - 2)
            for n in self.sizes[1:-1]:
                UNITS.check_range(n)
        except ValueError as error:
            raise SpecError(f"{error}") from None

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Affine, activation, affine, …, affine; with normalization and dropout between them."""
        h = self.activation.build(ACTIVATIONS)
        layers = []
        for place, (n_in, n_out) in enumerate(pairwise(self.sizes)):
            layers.append(Affine(n_in, n_out, place))
            if place == len(self.sizes) - 2:
                break
            norm = [BatchNorm(n_out)] if self.normalize else []
            layers += [*norm, Activated(h)] if self.normalize == "before" else [Activated(h), *norm]
            if self.dropout:
                layers.append(Dropout(self.dropout, place))
        return tuple(layers)

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """Indices of the layers whose outputs are the activations of a hidden layer."""
        return tuple(i for i, layer in enumerate(self.layers) if isinstance(layer, Activated))

    @cached_property
    def affine(self) -> tuple[int, ...]:
        """Indices of the layers that hold a weight matrix."""
        return tuple(i for i, layer in enumerate(self.layers) if isinstance(layer, Affine))

    @cached_property
    def matrices(self) -> list[tuple[slice, tuple[int, int]]]:
        """Where each weight matrix is in the parameters, and its shape (inputs, outputs)."""
        return [self._places[i]["W"] for i in self.affine]

    @cached_property
    def arrays(self) -> list[tuple[slice, tuple[int, int]]]:
        """Where each array of parameters is, and its shape as a matrix; a vector is a column."""
        return [(at, (*shape, 1)[:2]) for layer in self._places for at, shape in layer.values()]

    @cached_property
    def size(self) -> int:
        """P, the number of parameters of one network."""
        return sum(prod(shape) for layer in self.layers for shape in layer.shapes.values())

    @property
    def running_size(self) -> int:
        """R, the number of running statistics of one network, for batch normalization."""
        return len(self.running_statistics())

    @cached_property
    def _places(self):
        return _lay_out([layer.shapes for layer in self.layers])

    @cached_property
    def _running_places(self):
        initial = [layer.running_statistics for layer in self.layers]
        return _lay_out([{name: a.shape for name, a in named.items()} for named in initial])

    def views(self, params) -> list[dict[str, np.ndarray]]:
        """The parameters `(..., P)` of every layer by name, as `(..., *shape)`: views."""
        return _named_views(params, self._places)

    def running_statistics(self) -> np.ndarray:
        """The running statistics `(R,)` before any training."""
        initial = [a for layer in self.layers for a in layer.running_statistics.values()]
        return np.concatenate([np.empty(0), *initial]).astype(DTYPES[self.dtype])

    def statistics(self, forward: ForwardPass) -> np.ndarray | None:
        """The statistics `(..., R)` of the rows of a pass; None where no layer has any."""
        statistics = [
            getattr(cache, name)
            for layer, cache in zip(self.layers, forward.caches, strict=True)
            for name in layer.running_statistics
        ]
        return np.concatenate(statistics, -1) if statistics else None

    def updated_statistics(self, running_statistics, statistics) -> np.ndarray:
        """The running statistics after one more mini-batch: an exponential average."""
        if statistics is None:
            return running_statistics
        return MOMENTUM * running_statistics + (1 - MOMENTUM) * statistics

    def init(self, seed: int, initializer: Choice | None = None) -> np.ndarray:
        """Initial parameters `(P,)`; a layer's depend only on the seed and the layer's index.

        They are drawn in float64 and then rounded, so that both precisions start at the same point.
        `initializer` replaces the network's own.
        """
        rule = (initializer or self.initializer).build(INITIALIZERS)
        params = np.empty(self.size, DTYPES[self.dtype])
        with np.errstate(over="ignore"):
            for layer, p in zip(self.layers, self.views(params), strict=True):
                for name, drawn in layer.init(seed, rule).items():
                    p[name][...] = drawn
            if self.base_width and len(self.sizes) > 2:
                p["W"][...] *= (self.base_width / self.sizes[-2]) ** 0.5
        return params

    def rate_factors(self, adaptive: bool) -> np.ndarray:
        """Factors of the learning rate of each parameter `(P,)`: 1 without a `base_width`.

        With one, they are those of the maximal update parametrization (μP). The step of an
        `adaptive` optimizer, like Adam, does not grow with the gradient; that of SGD and momentum
        does. The last weights also start smaller. (Yang & Hu et al. 2022, Tensor programs V,
        table 3.)
        """
        factors = np.ones(self.size, DTYPES[self.dtype])
        for i, places in enumerate(self._places if self.base_width else ()):
            for place, (*n_in, n_out) in places.values():
                wider = n_in[0] / self.base_width if i and n_in else 1.0
                out = n_out / self.base_width if i < len(self.layers) - 1 else 1.0
                factors[place] = (1.0 if adaptive else out) / wider
        return factors

    def forward(self, params, x, mode: Mode = EVALUATION, running_statistics=None) -> ForwardPass:
        """From rows `(..., B, inputs)` to outputs `(..., B, outputs)`, before the softmax.

        `running_statistics` `(..., R)` are those of training; without them, rows are normalized by
        their own mean and variance.
        """
        outputs, caches, running = [], [], [None] * len(self.layers)
        if running_statistics is not None:
            running = _named_views(running_statistics, self._running_places)
        for layer, p, statistics in zip(self.layers, self.views(params), running, strict=True):
            x, cache = layer.forward(p, x, mode, statistics)
            outputs.append(x)
            caches.append(cache)
        return ForwardPass(outputs, caches)

    def backward(self, params, forward: ForwardPass, dy, upstream: list | None = None):
        """From the gradient of the outputs back to that of all parameters `(..., P)`.

        `dy` is overwritten. A list `upstream` is filled with the gradient of each layer's output.
        """
        gradient = np.empty_like(params)
        ps, dps = self.views(params), self.views(gradient)
        layers = list(zip(self.layers, ps, forward.caches, dps, strict=True))
        for layer, p, cache, dp in reversed(layers):
            if upstream is not None:
                upstream.insert(0, dy.copy())
            dy = layer.backward(p, cache, dy, dp)
        return gradient

    def passes(self, params, x, running_statistics=None) -> Iterator[ForwardPass]:
        """Forward passes of many rows `(B, inputs)`, ROWS at a time to save memory."""
        for i in range(0, len(x), ROWS):
            yield self.forward(params, x[i : i + ROWS], running_statistics=running_statistics)

    def outputs(self, params, x, running_statistics=None) -> np.ndarray:
        """The outputs `(..., B, outputs)` for many rows `(B, inputs)`."""
        passes = self.passes(params, x, running_statistics)
        return np.concatenate([part.outputs[-1] for part in passes], -2)

    def predict(self, params, x, running_statistics=None) -> np.ndarray:
        """The class `(..., B)` with the largest output for each of many rows `(B, inputs)`."""
        return self.outputs(params, x, running_statistics=running_statistics).argmax(-1)

    def accuracy(self, params, x, t, running_statistics=None) -> np.ndarray:
        """The share `(...)` of rows `(B, inputs)` whose label `(B,)` is predicted."""
        return accuracy_score(self.outputs(params, x, running_statistics=running_statistics), t)


def accuracy_score(z, t) -> np.ndarray:
    """The share `(...)` of outputs `(..., B, K)` largest at the label `(B,)`; NaN if not finite."""
    return np.where(np.isfinite(z).all((-2, -1)), (z.argmax(-1) == t).mean(-1), np.nan)


def _lay_out(shapes):
    """Where each layer's arrays of these shapes are in one flat array: (slice, shape) by name."""
    places, end = [], 0
    for layer_shapes in shapes:
        places.append({})
        for name, shape in layer_shapes.items():
            begin, end = end, end + prod(shape)
            places[-1][name] = slice(begin, end), shape
    return places


def _named_views(flat, places):
    batch = flat.shape[:-1]
    return [
        {k: flat[..., at].reshape(*batch, *shape) for k, (at, shape) in p.items()} for p in places
    ]
