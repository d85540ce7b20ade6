"""Layers: each maps its input to an output, and the output's gradient to the input's."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from optviz.nn.activations import Activation
from optviz.nn.streams import DROPOUT, WEIGHTS, stream


class Mode(NamedTuple):
    """Whether a pass is part of training, and the networks' seeds and step, for random layers.

    What such a layer draws depends only on (seed, step), so that a line search sees one network.
    """

    training: bool = False
    seeds: tuple[int, ...] = ()
    step: int = 0

    def streams(self, purpose: int, place: int = 0):
        """A generator for each seed, for the layer at `place`."""
        return [stream(seed, purpose, self.step, place) for seed in self.seeds]


EVALUATION = Mode()


@dataclass(frozen=True)
class Layer:
    """A function of its input x `(..., B, n_in)` and its parameters p, by name `(..., *shape)`.

    The leading axes are those of a batch of networks; B is a mini-batch of rows.
    """

    shapes: ClassVar[dict[str, tuple[int, ...]]] = {}  # of one network's parameters
    # what it remembers of training, `(n_out,)` each: the initial values
    running_statistics: ClassVar[dict[str, np.ndarray]] = {}

    def init(self, seed: int, initializer) -> dict[str, np.ndarray]:
        """The initial parameters of one network."""
        return {}

    def forward(self, p, x, mode: Mode, running_statistics=None):
        """The output `(..., B, n_out)`, and the cache that `backward` needs.

        `running_statistics` are what it remembers of training by name, `(..., n_out)`; only
        evaluation uses them.
        """
        raise TypeError(f"{type(self).__name__} is abstract")

    def backward(self, p, cache, dy, dp):
        """Write the gradient of the parameters into `dp` and return that of the input.

        `dy` is the gradient of the output, whose memory may be reused for the result; `cache` is
        what `forward` returned with the output.
        """
        raise TypeError(f"{type(self).__name__} is abstract")


@dataclass(frozen=True)
class Affine(Layer):
    r"""Every output is a weighted sum of all inputs, and a bias.

    $$ y = x W + b $$
    $$ \partial W = x^\top\, \partial y, \qquad \partial b = \sum_\text{rows} \partial y, \qquad
    \partial x = \partial y\, W^\top $$
    """

    n_in: int
    n_out: int
    place: int = 0  # among its kind; the first's input is the data, which needs no gradient

    @property
    def shapes(self):
        return {"W": (self.n_in, self.n_out), "b": (self.n_out,)}

    def init(self, seed, initializer):
        rng = stream(seed, WEIGHTS, self.place)
        return {"W": initializer.draw(rng, self.n_in, self.n_out), "b": np.zeros(self.n_out)}

    def forward(self, p, x, mode, running_statistics=None):
        y = x @ p["W"]
        y += p["b"][..., None, :]
        return y, x

    def backward(self, p, x, dy, dp):
        np.matmul(x.mT, dy, out=dp["W"])
        np.add.reduce(dy, -2, out=dp["b"])
        return dy @ p["W"].mT if self.place else None


@dataclass(frozen=True)
class Activated(Layer):
    r"""The activation function of every number by itself.

    $$ y = h(x) $$
    $$ \partial x = h'(x)\, \partial y $$
    """

    h: Activation

    def forward(self, p, x, mode, running_statistics=None):
        y = self.h.value(x)
        return y, (x, y)

    def backward(self, p, cache, dy, dp):
        dy *= self.h.slope(*cache)
        return dy


@dataclass(frozen=True)
class Dropout(Layer):
    r"""In training every output is left out with probability p, drawn anew for each row and step.

    $$ y = \frac{m\, x}{1 - p}, \qquad m \sim \text{Bernoulli}(1 - p) $$
    $$ \partial x = \frac{m\, \partial y}{1 - p} $$

    What is left is made larger by 1/(1 − p) at once ("inverted"), so that evaluation has nothing to
    do. The book multiplies by 1 − p in evaluation in place of that: in both, numbers are then 1 − p
    times as large. (Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from
    overfitting.)
    """

    ratio: float  # p
    place: int = 0  # among its kind

    def forward(self, p, x, mode, running_statistics=None):
        if not mode.training:
            return x, None
        streams = mode.streams(DROPOUT, self.place)
        kept = np.stack([rng.random(x.shape[-2:], np.float32) for rng in streams]) >= self.ratio
        mask = kept.astype(x.dtype) / x.dtype.type(1 - self.ratio)
        return x * mask, mask

    def backward(self, p, mask, dy, dp):
        if mask is not None:
            dy *= mask
        return dy
