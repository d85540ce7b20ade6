"""With a matrix: directions, not only coordinates, get rates of their own."""

import math

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared
from optviz.optim.methods.second_order import times


def eigen(matrix):
    """Eigenvalues, ascending, and eigenvectors of symmetric matrices `(..., d, d)`; of one that is
    not finite NaN.
    """
    known = np.isfinite(matrix).all((-2, -1), keepdims=True)
    values, axes = np.linalg.eigh(np.where(known, matrix, np.eye(matrix.shape[-1])))
    return np.where(known[..., 0], values, np.nan), axes


def outer(g):
    """The matrix g gᵀ."""
    return g[..., :, None] * g[..., None, :]


@optimizer("Shampoo", cite="Gupta, Koren & Singer (2018), Shampoo, algorithm 1, of order 1")
class Shampoo(Optimizer):
    r"""AdaGrad with the whole matrix: it divides along the directions in which gradients came.

    $$ g = \nabla f(x), \qquad L \leftarrow L + g g^\top $$
    $$ x \leftarrow x - \eta\, (L + \epsilon I)^{-1/2}\, g $$

    Of a vector of parameters this is full-matrix AdaGrad. A layer's weight matrix would get one L
    for its rows and one for its columns, with a fourth root each.
    """

    family = "matrix"
    lr: float = shared.lr(1.0, "learning rate: about the length of the first step")
    eps: float = shared.eps(1e-6)
    dense = "the matrix L"

    def init(self, x):
        return {"L": np.zeros((*x.shape, x.shape[-1]))}

    def step(self, f, x, s):
        g = f.grad(x)
        summed = s["L"] + outer(g)
        values, axes = eigen(summed)
        along = times(np.swapaxes(axes, -1, -2), g) / np.sqrt(np.maximum(values, 0) + self.eps)
        return x - self.lr * times(axes, along), {"L": summed}

    def spectrum(self, before, after):
        """The singular values of L before and after a step, from the states; the largest first."""
        found = (eigen(s["L"])[0][..., ::-1] for s in (before, after))
        return tuple(np.where(v < 1e-12 * v[..., :1], 0.0, v) for v in found)  # else is rounding


@optimizer("SOAP", cite="Vyas et al. (2024), SOAP, algorithm 3")
class SOAP(Optimizer):
    r"""Adam in the directions that Shampoo's matrix points out, which are renewed every k steps.

    $$ g = \nabla f(x) $$
    $$ m \leftarrow \beta_1 m + (1-\beta_1)\, g \;\text{ where } t > 1, \text{ else } m $$
    $$ v \leftarrow \beta_2 v + (1-\beta_2)\, (Q^\top g)^2
    \;\text{ where } t > 1, \text{ else } v $$
    $$ \eta_t = \eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \;\text{ where } t > 1,
    \text{ else } 0 $$
    $$ x \leftarrow x - \eta_t\, Q\, \frac{Q^\top m}{\sqrt v + \epsilon} \;\text{ where } t > 1,
    \text{ else } x $$
    $$ L \leftarrow \beta_2 L + (1-\beta_2)\, g g^\top $$
    $$ v \leftarrow \operatorname{ordered}(v, Q, L)
    \;\text{ where } (t - 1) \bmod k = 0, \text{ else } v $$
    $$ Q \leftarrow \operatorname{basis}(Q, L, t)
    \;\text{ where } (t - 1) \bmod k = 0, \text{ else } Q $$

    The first step only finds the directions, and the powers of β count from the one after. Later
    they take one step of the power iteration and are made orthogonal (QR), the longest first.
    """

    family = "matrix"
    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1(0.95)
    beta2: float = shared.beta2(0.95, help="memory of the mean square v and of the matrix L")
    eps: float = shared.eps()
    every: int = hyperparameter(10, 1, 100, "k", help="steps between two looks at the directions")
    dense = "the matrices L and Q"
    state_names = {"m": "mean gradient", "v": "mean square along the directions"}
    symbols = {r"\beta_1^t": "b1", r"\beta_2^t": "b2"}
    spectrum = Shampoo.spectrum

    def init(self, x):
        zero, eye = np.zeros((*x.shape, x.shape[-1])), np.eye(x.shape[-1])
        means = {"m": np.zeros_like(x), "v": np.zeros_like(x)}
        return {**means, "L": zero, "Q": zero + eye, "b1": 1.0, "b2": 1.0, "t": 0}

    def step(self, f, x, s):
        g, t, axes = f.grad(x), s["t"] + 1, s["Q"]
        m, v, b1, b2 = s["m"], s["v"], s["b1"], s["b2"]
        if t > 1:
            into = np.swapaxes(axes, -1, -2)
            b1, b2 = b1 * self.beta1, b2 * self.beta2
            m = self.beta1 * m + (1 - self.beta1) * g
            v = self.beta2 * v + (1 - self.beta2) * times(into, g) ** 2
            lr = self.lr * np.sqrt(np.subtract(1, b2)) / np.subtract(1, b1)
            x = x - lr * times(axes, times(into, m) / (np.sqrt(v) + self.eps))
        memory = np.asarray(self.beta2)[..., None]
        mean = memory * s["L"] + (1 - memory) * outer(g)
        if (t - 1) % self.every == 0:
            v, axes = self.ordered(v, axes, mean), self.basis(axes, mean, t)
        return x, {"m": m, "v": v, "L": mean, "Q": axes, "b1": b1, "b2": b2, "t": t}

    @staticmethod
    def turned(axes, matrix):
        """The matrix on each direction, and the order of their lengths, the longest first."""
        rows = np.swapaxes(axes, -1, -2)
        moved = times(matrix[..., None, :, :], rows)
        return moved, np.argsort(-(rows * moved).sum(-1), -1)

    @classmethod
    def ordered(cls, v, axes, matrix):
        """The mean squares in the order in which the directions will be."""
        return np.take_along_axis(v, cls.turned(axes, matrix)[1], -1)

    @classmethod
    def basis(cls, axes, matrix, t):
        """The next directions: at first the eigenvectors, from then on nearer to them."""
        if t == 1:
            return eigen(matrix)[1][..., ::-1]
        moved, order = cls.turned(axes, matrix)
        moved = np.take_along_axis(moved, order[..., None], -2)
        return np.linalg.qr(np.swapaxes(moved, -1, -2))[0]


@optimizer("Sophia", cite="Liu et al. (2023), Sophia, algorithm 3")
class Sophia(Optimizer):
    r"""Newton for each coordinate, on means: no coordinate moves further than ρ times the rate.

    $$ g = \nabla f(x), \qquad m \leftarrow \beta_1 m + (1-\beta_1)\, g $$
    $$ h \leftarrow \beta_2 h + (1-\beta_2) \operatorname{diag}(\nabla^2 f(x))
    \;\text{ where } (t - 1) \bmod k = 0, \text{ else } h $$
    $$ x \leftarrow x - \eta \operatorname{clip}\Big(\frac{m}{\max(h, \epsilon)}, \rho\Big) $$

    The diagonal is the true one; in a network it would be estimated (Hutchinson's method). Where f
    curves down, h < 0, the step is as long as it may be.
    """

    family = "second order"
    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1(0.96)
    beta2: float = shared.beta2(0.99, help="memory of the mean curvature h")
    rho: float = hyperparameter(
        1.0, 1e-3, 100.0, r"\rho", log=True, help="longest Newton step of a coordinate"
    )
    every: int = hyperparameter(10, 1, 100, "k", help="steps between two looks at the curvature")
    eps: float = shared.eps(1e-12, low=1e-12)
    dense = "the diagonal of the whole Hessian"
    state_names = {"m": "mean gradient", "h": "mean curvature"}

    def init(self, x):
        return {"m": np.zeros_like(x), "h": np.zeros_like(x), "t": 0}

    def step(self, f, x, s):
        h = s["h"]
        m = self.beta1 * s["m"] + (1 - self.beta1) * f.grad(x)
        if s["t"] % self.every == 0:
            h = self.beta2 * h + (1 - self.beta2) * self.diag(f.hess(x))
        d = np.clip(m / np.maximum(h, self.eps), -self.rho, self.rho)
        return x - self.lr * d, {"m": m, "h": h, "t": s["t"] + 1}

    @staticmethod
    def diag(matrix):
        """The diagonal `(..., d)`."""
        return np.diagonal(matrix, axis1=-2, axis2=-1)


@optimizer("Muon", cite="Jordan et al. (2024), Muon; Liu et al. (2025), section 2")
class Muon(Optimizer):
    r"""Momentum whose matrix, layer by layer, is made nearly orthogonal: directions move alike.

    $$ g = \nabla f(x), \qquad B \leftarrow \mu B + g $$
    $$ x \leftarrow x - \eta\, \operatorname{orthogonal}(g + \mu B) $$

    Made for networks: five Newton-Schulz steps bring the singular values of each weight matrix's
    g + μB near 1 (most to between 0.7 and 1.2), times the root of outputs over inputs where that is
    more than 1. Biases, γ and β take Adam's step with the same rate. A point is one column, which
    becomes its direction with length 0.985: the five steps take 1 to 0.696, the root is √2.
    """

    family = "matrix"
    lr: float = shared.lr(0.02)
    momentum: float = hyperparameter(
        0.95, 0.0, 0.999, r"\mu", near_one=True, help="share of the momentum that survives a step"
    )
    layered = True
    state_names = {"B": "momentum", "v": "mean square, where Adam steps"}

    def init(self, x):
        return {"B": np.zeros_like(x), "v": np.zeros_like(x), "b1": 1.0, "b2": 1.0}

    def step(self, f, x, s):
        g, b1, b2, v = f.grad(x), s["b1"] * 0.9, s["b2"] * 0.999, s["v"]
        matrices = getattr(f, "matrices", [(slice(None), (1, x.shape[-1]))])
        rest = np.ones(x.shape[-1], bool)
        for at, _ in matrices:
            rest[at] = False
        mean = np.where(rest, 0.9 * s["B"] + 0.1 * g, self.momentum * s["B"] + g)
        ahead, d = g + self.momentum * mean, np.empty_like(x)
        for at, shape in matrices:
            d[..., at] = self.orthogonal(ahead[..., at], shape)
        if rest.any():
            v = np.where(rest, 0.999 * v + 0.001 * g * g, v)
            d[..., rest] = (mean / (1 - b1) / (np.sqrt(v / (1 - b2)) + 1e-8))[..., rest]
        return x - self.lr * d, {"B": mean, "v": v, "b1": b1, "b2": b2}

    def spectrum(self, before, after):
        """The singular value of a point's one column g + μB, and of what is made of it."""
        ahead = (1 + self.momentum) * after["B"] - self.momentum * before["B"]
        return tuple(np.linalg.norm(v, axis=-1) for v in (ahead, self.orthogonal(ahead)))

    @staticmethod
    def orthogonal(flat, shape=None):
        """Matrices `(..., inputs, outputs)`, flat, with singular values near 1 (Jordan et al.)."""
        n, m = shape or (1, flat.shape[-1])
        norm = np.sqrt((flat * flat).sum(-1, keepdims=True))
        a = (flat / np.maximum(norm, 1e-7)).reshape(*flat.shape[:-1], n, m)
        a = np.swapaxes(a, -1, -2) if n > m else a
        for _ in range(5):
            square = a @ np.swapaxes(a, -1, -2)
            a = 3.4445 * a + (-4.7750 * square + 2.0315 * square @ square) @ a
        a = np.swapaxes(a, -1, -2) if n > m else a
        return math.sqrt(max(1.0, m / n)) * a.reshape(flat.shape)
