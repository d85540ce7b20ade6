"""The loss at the end of a network, and a mini-batch as the function that an optimizer meets."""

import numpy as np

from optviz.core.networks.layers import EVALUATION, Mode


def one_hot(t, classes: int, dtype=float) -> np.ndarray:
    """Labels `(...)` as rows `(..., classes)` with a one at the label."""
    return np.eye(classes, dtype=dtype)[t]


def softmax_cross_entropy(z, y):
    r"""How surprised the network is by the labels, on the mean, and which way the surprise grows.

    $$ p = \frac{e^{z}}{\sum e^{z}}, \qquad L = -\frac{1}{B} \sum_\text{rows} \sum y \log p $$
    $$ \partial z = \frac{p - y}{B} $$

    `z` are the last layer's outputs `(..., B, K)`, `y` the targets, one-hot or any that add up to 1.
    Returns L `(...)` and ∂z `(..., B, K)`. The largest output is taken off first, which changes nothing
    but the size of the exponentials: no finite output overflows.
    """
    z = z - z.max(-1, keepdims=True)
    e = np.exp(z)
    total = e.sum(-1, keepdims=True)
    surprise = np.log(total[..., 0]) - np.vecdot(y, z)
    dz = e / total
    dz -= y
    dz /= z.shape[-2]
    return surprise.mean(-1), dz


class MiniBatch:
    """The loss of a network on some rows as a function of its flat parameters: what `step(f, x, state)` calls f.

    `x` are the rows `(..., B, inputs)` and `y` the one-hot targets `(..., B, outputs)`; their leading axes
    broadcast with those of the parameters `(..., P)`.
    """

    def __init__(self, network, x, y, mode: Mode = EVALUATION):
        self.network, self.x, self.y, self.mode = network, x, y, mode
        self._at = self._loss = None  # where the loss is known already

    def value(self, params, where=None):
        """The mean loss `(...)`. `where` is what a line search says of rows that have finished."""
        if params is not self._at:
            outputs = self.network.forward(params, self.x, self.mode).outputs
            self._at, self._loss = params, softmax_cross_entropy(outputs[-1], self.y)[0]
        return self._loss

    def grad(self, params):
        """The gradient of the mean loss `(..., P)`."""
        done = self.network.forward(params, self.x, self.mode)
        loss, dz = softmax_cross_entropy(done.outputs[-1], self.y)
        self._at, self._loss = params, loss
        return self.network.backward(params, done, dz)

    def hess(self, params):
        """TypeError: nobody writes that matrix down."""
        p = params.shape[-1]
        raise TypeError(f"the Hessian of {p:,} parameters has {p * p:,} entries: a network does not form it")
