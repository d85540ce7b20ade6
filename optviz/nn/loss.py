"""The loss at the end of a network, and a mini-batch as the function that an optimizer meets."""

from dataclasses import dataclass

import numpy as np

from optviz.nn.layers import EVALUATION
from optviz.nn.streams import SIGNS
from optviz.optim.hyperparameter import hyperparameter

NEAR = 1e-3  # step to either side for the difference of gradients that gives the curvature


def one_hot(t, classes: int, dtype=float) -> np.ndarray:
    """Labels `(...)` as rows `(..., classes)` with a one at the label."""
    return np.eye(classes, dtype=dtype)[t]


def softmax(z):
    """The probabilities `(..., K)` of the classes from outputs `(..., K)`."""
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_cross_entropy(z, y):
    r"""How surprised the network is by the labels, on the mean, and which way the surprise grows.

    $$ p = \frac{e^{z}}{\sum e^{z}}, \qquad L = -\frac{1}{B} \sum_\text{rows} \sum y \log p $$
    $$ \partial z = \frac{p - y}{B} $$

    `z` are the last layer's outputs `(..., B, K)`, `y` the targets, one-hot or any that add up to
    1. Returns L `(...)` and ∂z `(..., B, K)`. The largest output is taken off first, which changes
    nothing but the size of the exponentials: no finite output overflows.
    """
    z = z - z.max(-1, keepdims=True)
    e = np.exp(z)
    total = e.sum(-1, keepdims=True)
    cross_entropy = np.log(total[..., 0]) - np.vecdot(y, z)
    dz = e / total
    dz -= y
    dz /= z.shape[-2]
    return cross_entropy.mean(-1), dz


def squared_error(z, y):
    r"""How far outputs are from real targets, squared, on the mean, and which way that grows.

    $$ L = \frac{1}{BK} \sum_\text{rows} \sum (z - y)^2, \qquad
    \partial z = \frac{2\,(z - y)}{BK} $$

    `z` are the last layer's outputs `(..., B, K)`, `y` the targets. Returns L `(...)` and ∂z
    `(..., B, K)`. This is PyTorch's `MSELoss`; who writes ½(z − y)² has half of it.
    """
    dz = z - y
    loss = np.square(dz).mean((-2, -1))
    dz *= 2 / (dz.shape[-2] * dz.shape[-1])
    return loss, dz


LOSSES = {"cross_entropy": softmax_cross_entropy, "squared_error": squared_error}


@dataclass(frozen=True)
class Penalty:
    r"""What large weights cost beside the loss; biases, γ and β cost nothing.

    $$ \tfrac12 \lambda_2 \sum W^2 + \lambda_1 \sum |W| $$

    λ₂ is called weight decay, because its gradient shrinks every weight in proportion to itself;
    that of λ₁ takes the same from all, so that small ones end next to 0. Either may be an array
    `(...)` with a value for each network.
    """

    l2: float = hyperparameter(0.0, 0.0, 10.0, r"\lambda_2", help="½·λ₂·ΣW² is added to the loss")
    l1: float = hyperparameter(0.0, 0.0, 10.0, r"\lambda_1", help="λ₁·Σ|W| is added to the loss")

    def value(self, weights):
        """The cost `(...)` of weight matrices `(..., n, m)`."""
        return sum(
            0.5 * self.l2 * np.square(w).sum((-2, -1)) + self.l1 * np.abs(w).sum((-2, -1))
            for w in weights
        )

    def add_grad(self, weights, gradients) -> None:
        """Add its gradient to those of the weight matrices, in place."""
        l2, l1 = (
            np.asarray(v)[..., None, None].astype(weights[0].dtype) for v in (self.l2, self.l1)
        )
        for w, dw in zip(weights, gradients, strict=True):
            if l2.any():
                dw += l2 * w
            if l1.any():
                dw += l1 * np.sign(w)

    @property
    def free(self) -> bool:
        """Whether the penalty is 0."""
        return not (np.any(self.l2) or np.any(self.l1))


class MiniBatch:
    """The loss of a network on some rows as a function of its parameters: f in `Optimizer.step`.

    `x` are the rows `(..., B, inputs)` and `y` the targets `(..., B, outputs)`, one-hot for the
    cross-entropy; their leading axes broadcast with those of the parameters `(..., P)`. `loss(z,
    y)` gives the mean loss and its gradient.
    """

    def __init__(
        self, network, x, y, mode=EVALUATION, penalty=Penalty(), loss=softmax_cross_entropy
    ):
        self.network, self.x, self.y = network, x, y
        self.mode, self.penalty, self.loss = mode, penalty, loss
        self.statistics = None  # of the rows in the first pass, if a layer has any
        self.gradient = None  # the last one computed
        self._last_params = self._last_loss = None  # where the loss was last computed

    @property
    def matrices(self):
        """Where each weight matrix is in the parameters, and its shape (inputs, outputs)."""
        return self.network.matrices

    @property
    def arrays(self):
        """Where each array of parameters is, and its shape as a matrix."""
        return self.network.arrays

    def cross_entropy(self, params):
        """The mean loss `(...)` without the penalty."""
        if params is not self._last_params:
            self._forward(params)
        return self._last_loss

    def value(self, params, where=None):
        """The mean loss with the penalty `(...)`; `where` marks the points a search still needs."""
        loss = self.cross_entropy(params)
        return loss if self.penalty.free else loss + self.penalty.value(self._weights(params))

    def grad(self, params, where=None):
        """The gradient of `value`, `(..., P)`; `where` as there."""
        forward, dz = self._forward(params)
        gradient = self.network.backward(params, forward, dz)
        if not self.penalty.free:
            self.penalty.add_grad(self._weights(params), self._weights(gradient))
        self.gradient = gradient
        return gradient

    def _forward(self, params):
        forward = self.network.forward(params, self.x, self.mode)
        self._last_params, (self._last_loss, dz) = params, self.loss(forward.outputs[-1], self.y)
        if self.statistics is None:
            self.statistics = self.network.statistics(forward)
        return forward, dz

    def _weights(self, flat):
        views = self.network.views(flat)
        return [views[i]["W"] for i in self.network.affine]

    def hess_diagonal(self, params):
        """An estimate of the Hessian's diagonal `(..., P)`: u ⊙ Hu for random signs u.

        It is right on average (Hutchinson 1990).
        """
        mode = self.mode if self.mode.seeds else self.mode._replace(seeds=(0,))
        signs = [rng.choice((-1, 1), params.shape[-1]) for rng in mode.streams(SIGNS)]
        signs = np.array(signs if self.mode.seeds else signs[0], params.dtype)
        return signs * self.hess_product(params, signs)

    def hess_product(self, params, d):
        """The Hessian times a direction `(..., P)`, from a central difference of gradients."""
        step = (NEAR * d).astype(params.dtype)
        batch = MiniBatch(self.network, self.x, self.y, self.mode, self.penalty, self.loss)
        return (batch.grad(params + step) - batch.grad(params - step)) / (2 * NEAR)

    def hess(self, params):
        """Raises TypeError: that matrix is too large."""
        p = params.shape[-1]
        raise TypeError(
            f"the Hessian of {p:,} parameters has {p * p:,} entries: a network does not form it"
        )
