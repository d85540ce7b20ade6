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

ROWS = 256  # that pass at a time
DTYPES = {"float32": np.float32, "float64": np.float64}
# Where batch normalization stands.
PLACES = {"": "Nowhere", "before": "Before the activation", "after": "After the activation"}
HIDDEN = Hyperparameter("hidden", 4, 0, 12, "L", help="hidden layers")
UNITS = Hyperparameter("units", 100, 1, 1000, "n", help="units in each of them")


class ForwardPass(NamedTuple):
    """What a forward pass leaves behind, layer by layer."""

    outputs: list[np.ndarray]  # (..., B, n), the last are the network's
    caches: list  # for the way back


@dataclass(frozen=True)
class Network:
    """Affine layers, activations between them, and where wished batch normalization and dropout.

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
        """Affine, activation, affine, …, affine; between the hidden ones what else there is."""
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
        """Which layers' outputs are the activations of a hidden layer."""
        return tuple(i for i, layer in enumerate(self.layers) if isinstance(layer, Activated))

    @cached_property
    def affine(self) -> tuple[int, ...]:
        """Which layers hold a weight matrix."""
        return tuple(i for i, layer in enumerate(self.layers) if isinstance(layer, Affine))

    @cached_property
    def matrices(self) -> list[tuple[slice, tuple[int, int]]]:
        """Where each weight matrix stands in the parameters, and its shape (inputs, outputs)."""
        return [self._places[i]["W"] for i in self.affine]

    @cached_property
    def arrays(self) -> list[tuple[slice, tuple[int, int]]]:
        """Where each array of parameters stands, and its shape as a matrix, a vector's a column."""
        return [(at, (*shape, 1)[:2]) for named in self._places for at, shape in named.values()]

    @cached_property
    def size(self) -> int:
        """P, the number of parameters of one network."""
        return sum(prod(shape) for layer in self.layers for shape in layer.shapes.values())

    @property
    def running_size(self) -> int:
        """R, how many running statistics one network keeps: those of its batch normalization."""
        return len(self.running_statistics())

    @cached_property
    def _places(self):
        return _side_by_side([layer.shapes for layer in self.layers])

    @cached_property
    def _running_places(self):
        begun = [layer.running_statistics for layer in self.layers]
        return _side_by_side([{name: a.shape for name, a in named.items()} for named in begun])

    def views(self, params) -> list[dict[str, np.ndarray]]:
        """The parameters `(..., P)` of every layer by name, as `(..., *shape)`: views."""
        return _viewed(params, self._places)

    def running_statistics(self) -> np.ndarray:
        """The running statistics `(R,)` before any training."""
        begun = [a for layer in self.layers for a in layer.running_statistics.values()]
        return np.concatenate([np.empty(0), *begun]).astype(DTYPES[self.dtype])

    def statistics(self, done: ForwardPass) -> np.ndarray | None:
        """The statistics `(..., R)` of the rows of a pass; None where no layer has any."""
        found = [
            getattr(cache, name)
            for layer, cache in zip(self.layers, done.caches, strict=True)
            for name in layer.running_statistics
        ]
        return np.concatenate(found, -1) if found else None

    def updated_statistics(self, running_statistics, statistics) -> np.ndarray:
        """The running statistics after those of one more mini-batch: an exponential average."""
        if statistics is None:
            return running_statistics
        return MOMENTUM * running_statistics + (1 - MOMENTUM) * statistics

    def init(self, seed: int, initializer: Choice | None = None) -> np.ndarray:
        """The parameters `(P,)` to set out from; a layer's depend on the seed and its place alone.

        They are drawn in float64 and then rounded, so that both precisions start at the same point.
        `initializer` is one in place of the network's own.
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
        """What the rate of each parameter `(P,)` is multiplied by: 1 without a `base_width`.

        From that width on the factors are those of the maximal update parametrization (μP).
        `adaptive` optimizers, like Adam, take steps of a size that the gradient's does not tell;
        SGD and momentum do not. The last weights also begin smaller. (Yang & Hu et al. 2022, Tensor
        programs V, table 3.)
        """
        factors = np.ones(self.size, DTYPES[self.dtype])
        for i, places in enumerate(self._places if self.base_width else ()):
            for at, (*n_in, n_out) in places.values():
                wider = n_in[0] / self.base_width if i and n_in else 1.0
                out = n_out / self.base_width if i < len(self.layers) - 1 else 1.0
                factors[at] = (1.0 if adaptive else out) / wider
        return factors

    def forward(self, params, x, mode: Mode = EVALUATION, running_statistics=None) -> ForwardPass:
        """From rows `(..., B, inputs)` to outputs `(..., B, outputs)`, before the softmax.

        `running_statistics` `(..., R)` are those of training; without them, rows are normalized by
        their own.
        """
        outputs, caches, memories = [], [], [None] * len(self.layers)
        if running_statistics is not None:
            memories = _viewed(running_statistics, self._running_places)
        for layer, p, m in zip(self.layers, self.views(params), memories, strict=True):
            x, needed = layer.forward(p, x, mode, m)
            outputs.append(x)
            caches.append(needed)
        return ForwardPass(outputs, caches)

    def backward(self, params, done: ForwardPass, dy, upstream: list | None = None) -> np.ndarray:
        """From the gradient that arrives at the outputs back to that of all parameters `(..., P)`.

        `dy` is used up. A list `upstream` is filled with what arrives at the output of each layer.
        """
        gradient = np.empty_like(params)
        steps = zip(self.layers, self.views(params), done.caches, self.views(gradient), strict=True)
        for layer, p, cache, dp in reversed(list(steps)):
            if upstream is not None:
                upstream.insert(0, dy.copy())
            dy = layer.backward(p, cache, dy, dp)
        return gradient

    def passes(self, params, x, running_statistics=None) -> Iterator[ForwardPass]:
        """Forward passes of many rows `(B, inputs)`, ROWS at a time: no layer holds them all."""
        for i in range(0, len(x), ROWS):
            yield self.forward(params, x[i : i + ROWS], running_statistics=running_statistics)

    def outputs(self, params, x, running_statistics=None) -> np.ndarray:
        """The outputs `(..., B, outputs)` for many rows `(B, inputs)`."""
        done = self.passes(params, x, running_statistics)
        return np.concatenate([part.outputs[-1] for part in done], -2)

    def predict(self, params, x, running_statistics=None) -> np.ndarray:
        """The class `(..., B)` with the largest output for each of many rows `(B, inputs)`."""
        return self.outputs(params, x, running_statistics=running_statistics).argmax(-1)

    def accuracy(self, params, x, t, running_statistics=None) -> np.ndarray:
        """The share `(...)` of rows `(B, inputs)` whose label `(B,)` is predicted."""
        return accuracy_score(self.outputs(params, x, running_statistics=running_statistics), t)


def accuracy_score(z, t) -> np.ndarray:
    """The share `(...)` of outputs `(..., B, K)` largest at the label `(B,)`; NaN if not finite."""
    return np.where(np.isfinite(z).all((-2, -1)), (z.argmax(-1) == t).mean(-1), np.nan)


def _side_by_side(shapes):
    """Where each layer's arrays of these shapes stand in one flat array."""
    places, end = [], 0
    for named in shapes:
        places.append({})
        for name, shape in named.items():
            begin, end = end, end + prod(shape)
            places[-1][name] = slice(begin, end), shape
    return places


def _viewed(flat, places):
    lead = flat.shape[:-1]
    return [
        {k: flat[..., at].reshape(*lead, *shape) for k, (at, shape) in p.items()} for p in places
    ]
