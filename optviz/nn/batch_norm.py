"""Batch normalization: every unit gets mean β and spread γ over the rows of a mini-batch."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optviz.nn.layers import Layer

MOMENTUM = 0.9  # of the running statistics


class BatchNormCache(NamedTuple):
    """Intermediate results of a forward pass, for the graph and for the backward pass."""

    mean: np.ndarray  # μ (..., n)
    variance: np.ndarray  # σ² (..., n)
    scale: np.ndarray  # 1 / √(σ² + ε), (..., 1, n)
    hat: np.ndarray  # x̂ (..., B, n)
    batch: bool  # whether μ and σ² are those of the rows themselves, and so depend on them


@dataclass(frozen=True)
class BatchNorm(Layer):
    r"""Mean 0 and variance 1 over the rows, and then a spread γ and a mean β that are learned.

    $$ \mu = \frac{1}{B} \sum_\text{rows} x, \qquad
    \sigma^2 = \frac{1}{B} \sum_\text{rows} (x - \mu)^2 $$
    $$ \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = \gamma\, \hat x + \beta $$
    $$ \partial\beta = \sum_\text{rows} \partial y, \qquad
    \partial\gamma = \sum_\text{rows} \hat x\, \partial y $$
    $$ \partial x = \frac{\gamma}{\sqrt{\sigma^2
    + \epsilon}} \Big( \partial y - \frac{\partial\beta}{B}
    - \hat x\, \frac{\partial\gamma}{B} \Big) $$

    Moving all rows alike changes no x̂, nor, but for ε, does stretching them: that is why ∂y loses
    its mean and its share along x̂. Evaluation takes the running averages of μ and σ² of training,
    since a single row has none of its own; without them it takes those of the rows it gets. σ² is
    divided by B there too, where the paper and PyTorch divide the remembered one by B − 1. (Ioffe &
    Szegedy 2015, Batch normalization, algorithms 1 and 2.)
    """

    n: int
    eps: float = 1e-6

    @property
    def shapes(self):
        return {"gamma": (self.n,), "beta": (self.n,)}

    @property
    def running_statistics(self):
        return {"mean": np.zeros(self.n), "variance": np.ones(self.n)}

    def init(self, seed, initializer):
        return {"gamma": np.ones(self.n), "beta": np.zeros(self.n)}

    def forward(self, p, x, mode, running_statistics=None):
        batch = mode.training or running_statistics is None
        mean = x.mean(-2) if batch else running_statistics["mean"]
        hat = x - mean[..., None, :]
        variance = np.square(hat).mean(-2) if batch else running_statistics["variance"]
        scale = 1 / np.sqrt(variance + x.dtype.type(self.eps))[..., None, :]
        hat *= scale
        y = p["gamma"][..., None, :] * hat + p["beta"][..., None, :]
        return y, BatchNormCache(mean, variance, scale, hat, batch)

    def backward(self, p, cache, dy, dp):
        rows = dy.shape[-2]
        dp["beta"][...] = dy.sum(-2)
        dp["gamma"][...] = (cache.hat * dy).sum(-2)
        if cache.batch:
            dy -= dp["beta"][..., None, :] / rows
            dy -= cache.hat * (dp["gamma"][..., None, :] / rows)
        dy *= p["gamma"][..., None, :] * cache.scale
        return dy
