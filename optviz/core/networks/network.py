"""A network: layers one after the other, their parameters side by side in one flat array."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from optviz.core.networks.activations import ACTIVATIONS
from optviz.core.networks.initialisers import INITIALISERS
from optviz.core.networks.layers import EVALUATION, Activated, Affine, Layer, Mode
from optviz.core.spec import Part

DTYPES = {"float32": np.float32, "float64": np.float64}


class Pass(NamedTuple):
    """What a forward pass leaves behind, layer by layer."""

    outputs: list[np.ndarray]  # (..., B, n), the last are the network's
    kept: list  # for the way back


@dataclass(frozen=True)
class Network:
    """Affine layers with an activation between each two.

    Parameters are one array `(..., P)`: layer by layer W `(n_in, n_out)`, then b `(n_out,)`. Leading axes
    are a batch of networks, which matrix products take side by side.
    """

    sizes: tuple[int, ...] = (64, 100, 100, 100, 100, 10)  # inputs, hidden layers, outputs
    activation: Part = Part("relu")
    initialiser: Part = Part("he_normal")
    dtype: str = "float32"

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Affine, activation, affine, …, affine. (Normalisation and dropout have their place in this list.)"""
        h = self.activation.build(ACTIVATIONS)
        layers = []
        for place, (n_in, n_out) in enumerate(pairwise(self.sizes)):
            layers += [Affine(n_in, n_out, place), Activated(h)]
        return tuple(layers[:-1])

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """Which layers' outputs are the activations of a hidden layer."""
        return tuple(i for i, layer in enumerate(self.layers) if isinstance(layer, Activated))

    @cached_property
    def affine(self) -> tuple[int, ...]:
        """Which layers hold a weight matrix."""
        return tuple(i for i, layer in enumerate(self.layers) if isinstance(layer, Affine))

    @cached_property
    def size(self) -> int:
        """P, the number of parameters of one network."""
        return sum(prod(shape) for layer in self.layers for shape in layer.shapes.values())

    @cached_property
    def _places(self):
        places, end = [], 0
        for layer in self.layers:
            places.append({})
            for name, shape in layer.shapes.items():
                begin, end = end, end + prod(shape)
                places[-1][name] = slice(begin, end), shape
        return places

    def views(self, params) -> list[dict[str, np.ndarray]]:
        """The parameters `(..., P)` of every layer by name, as `(..., *shape)`; views, no copies."""
        lead = params.shape[:-1]
        return [{k: params[..., at].reshape(*lead, *shape) for k, (at, shape) in p.items()} for p in self._places]

    def init(self, seed: int, initialiser: Part | None = None) -> np.ndarray:
        """The parameters `(P,)` to set out from; those of a layer depend on the seed and its place alone.

        They are drawn in float64 and then rounded, so that both precisions start at the same point.
        `initialiser` is one in place of the network's own.
        """
        rule = (initialiser or self.initialiser).build(INITIALISERS)
        params = np.empty(self.size, DTYPES[self.dtype])
        with np.errstate(over="ignore"):
            for layer, p in zip(self.layers, self.views(params), strict=True):
                for name, drawn in layer.init(seed, rule).items():
                    p[name][...] = drawn
        return params

    def forward(self, params, x, mode: Mode = EVALUATION) -> Pass:
        """From rows `(..., B, inputs)` to outputs `(..., B, outputs)`, before the softmax."""
        outputs, kept = [], []
        for layer, p in zip(self.layers, self.views(params), strict=True):
            x, keep = layer.forward(p, x, mode)
            outputs.append(x)
            kept.append(keep)
        return Pass(outputs, kept)

    def backward(self, params, done: Pass, dy, arrived: list | None = None) -> np.ndarray:
        """From the gradient that arrives at the outputs to that of all parameters `(..., P)`, layer by layer back.

        `dy` is used up. A list `arrived` is filled with what arrives at the output of each layer.
        """
        gradient = np.empty_like(params)
        steps = zip(self.layers, self.views(params), done.kept, self.views(gradient), strict=True)
        for layer, p, kept, dp in reversed(list(steps)):
            if arrived is not None:
                arrived.insert(0, dy.copy())
            dy = layer.backward(p, kept, dy, dp)
        return gradient

    def outputs(self, params, x, rows: int = 256) -> np.ndarray:
        """The outputs `(..., B, outputs)` for many rows `(B, inputs)`, some at a time: no layer holds them all."""
        return np.concatenate([self.forward(params, x[i : i + rows]).outputs[-1] for i in range(0, len(x), rows)], -2)

    def predict(self, params, x) -> np.ndarray:
        """The class `(..., B)` with the largest output for each of many rows `(B, inputs)`."""
        return self.outputs(params, x).argmax(-1)

    def accuracy(self, params, x, t) -> np.ndarray:
        """The share `(...)` of rows `(B, inputs)` whose label `(B,)` is found; NaN where outputs are not finite."""
        z = self.outputs(params, x)
        return np.where(np.isfinite(z).all((-2, -1)), (z.argmax(-1) == t).mean(-1), np.nan)
