"""With matrices: directions, not only coordinates, have rates of their own."""

import math

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared
from optviz.optim.methods.linear_algebra import dot, eigen, rotation, times

LONGEST = 1024  # a longer side of a weight matrix has no matrix of its own


def sides(f, x):
    """What has a matrix of its own, as (place, shape, axis, number of sides): both sides of each
    of a network's weight matrices, its biases, γ and β as columns; a point is one column.
    """
    for place, shape in getattr(f, "arrays", [(slice(None), (x.shape[-1], 1))]):
        axes = [k - 2 for k in (0, 1) if k < shape[1] and shape[k] <= LONGEST]
        for axis in axes:
            yield place, shape, axis, len(axes)


def grams(f, g):
    """G Gᵀ and Gᵀ G for each matrix in a gradient; g gᵀ for a point."""
    if not hasattr(f, "arrays"):
        return [g[..., :, None] * g[..., None, :]]
    products = []
    for place, shape, axis, _ in sides(f, g):
        rows = g[..., place].reshape(*g.shape[:-1], *shape)
        columns = np.swapaxes(rows, -1, -2)
        products.append(rows @ columns if axis == -2 else columns @ rows)
    return products


def transform(f, g, matrices):
    """A G Bᵀ for each matrix in a gradient; A g for a point."""
    if not hasattr(f, "arrays"):
        return times(matrices[0], g)
    d = g.copy()
    for (place, shape, axis, _), a in zip(sides(f, g), matrices, strict=True):
        rows = d[..., place].reshape(*g.shape[:-1], *shape)
        a = np.ascontiguousarray(a)  # the memory layout affects how BLAS rounds
        rows = a @ rows if axis == -2 else rows @ np.swapaxes(a, -1, -2)
        d[..., place] = rows.reshape(*g.shape[:-1], -1)
    return d


def product(a, b):
    """a bᵀ, matrix by matrix; for 2 × 2 without a BLAS call for each."""
    if a.shape[-2:] == b.shape[-2:] == (2, 2):
        return times(b[..., None, :, :], a)
    return a @ np.swapaxes(b, -1, -2)


def transpose(matrices):
    return [np.swapaxes(a, -1, -2) for a in matrices]


def as_list(value, n):
    """A state variable as n matrices: before the first step it is one number."""
    return value if isinstance(value, list) else [value] * n


def as_state(f, matrices):
    """A state variable: for a network a list, for a point the one matrix in the equations."""
    return matrices if hasattr(f, "arrays") else matrices[0]


@optimizer("Shampoo", cite="Gupta, Koren & Singer (2018), Shampoo, algorithms 1 and 2")
class Shampoo(Optimizer):
    r"""AdaGrad with the full matrix: it divides along the directions of the past gradients.

    $$ g = \nabla f(x), \qquad L \leftarrow L + g g^\top $$
    $$ P \leftarrow (L + \epsilon I)^{-1/2} \;\text{ where } (t - 1) \bmod k = 0, \text{ else } P $$
    $$ x \leftarrow x - \eta\, P g $$

    For a vector of parameters this is full-matrix AdaGrad. A network's weight matrix has one L for
    its inputs and one for its outputs, and divides by the fourth root of each.
    """

    family = "matrix"
    lr: float = shared.lr(1.0, "learning rate: about the length of the first step")
    eps: float = shared.eps(1e-6)
    every: int = hyperparameter(1, 1, 100, "k", help="steps between two updates of P")

    def init(self, x):
        return {"L": 0.0, "P": 1.0, "t": 0}

    def step(self, f, x, s):
        g, t = f.grad(x), s["t"] + 1
        added = grams(f, g)
        summed = [a + b for a, b in zip(as_list(s["L"], len(added)), added, strict=True)]
        roots = as_list(s["P"], len(added))
        if (t - 1) % self.every == 0:
            powers = [-0.5 / order for *_, order in sides(f, x)]
            roots = [self.root(a, p) for a, p in zip(summed, powers, strict=True)]
        x = x - self.lr * transform(f, g, roots)
        return x, {"L": as_state(f, summed), "P": as_state(f, roots), "t": t}

    def root(self, matrix, power):
        """(L + εI) to a power, by its eigenvalues."""
        values, axes = eigen(matrix + np.asarray(self.eps)[..., None] * np.eye(matrix.shape[-1]))
        sizes = np.where(values <= 0, self.eps, values) ** power  # below 0 is rounding
        return product(axes * sizes[..., None, :], axes)

    def spectrum(self, before, after):
        """The singular values of L before and after a step, from the states; the largest first."""
        matrices = (np.broadcast_to(s["L"], after["L"].shape) for s in (before, after))
        spectra = (eigen(matrix)[0][..., ::-1] for matrix in matrices)
        return tuple(np.where(v < 1e-12 * v[..., :1], 0.0, v) for v in spectra)  # else is rounding


@optimizer("SOAP", cite="Vyas et al. (2024), SOAP, algorithm 3")
class SOAP(Optimizer):
    r"""Adam along the eigenvectors of Shampoo's matrix, which are updated every k steps.

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

    The first step only finds the directions, and the powers of β count from the next one. Later
    they take one step of power iteration and are made orthogonal (QR), the longest first. A
    network's weight matrix is rotated on both sides, as QᵀGR.
    """

    family = "matrix"
    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1(0.95)
    beta2: float = shared.beta2(0.95, help="memory of the mean square v and of the matrix L")
    eps: float = shared.eps()
    every: int = hyperparameter(10, 1, 100, "k", help="steps between two updates of the directions")
    state_names = {"m": "mean gradient", "v": "mean square along the directions"}
    symbols = {r"\beta_1^t": "b1", r"\beta_2^t": "b2"}
    spectrum = Shampoo.spectrum

    def init(self, x):
        return {**super().init(x), "L": 0.0, "Q": 1.0, "b1": 1.0, "b2": 1.0, "t": 0}

    def step(self, f, x, s):
        g, t = f.grad(x), s["t"] + 1
        m, v, b1, b2 = s["m"], s["v"], s["b1"], s["b2"]
        squares = grams(f, g)
        means, axes = as_list(s["L"], len(squares)), as_list(s["Q"], len(squares))
        if t > 1:
            inverse = transpose(axes)
            b1, b2 = b1 * self.beta1, b2 * self.beta2
            m = self.beta1 * m + (1 - self.beta1) * g
            v = self.beta2 * v + (1 - self.beta2) * transform(f, g, inverse) ** 2
            lr = self.lr * np.sqrt(np.subtract(1, b2)) / np.subtract(1, b1)
            x = x - lr * transform(f, transform(f, m, inverse) / (np.sqrt(v) + self.eps), axes)
        memory = np.asarray(self.beta2)[..., None]
        means = [memory * a + (1 - memory) * b for a, b in zip(means, squares, strict=True)]
        if (t - 1) % self.every == 0:
            v = self.ordered(v, axes, means, f)
            axes = [self.basis(q, mean, t) for q, mean in zip(axes, means, strict=True)]
        matrices = {"L": as_state(f, means), "Q": as_state(f, axes)}
        return x, {"m": m, "v": v, **matrices, "b1": b1, "b2": b2, "t": t}

    @staticmethod
    def project(axes, matrix):
        """The matrix times each direction, and the order of their lengths, the longest first."""
        axes = np.broadcast_to(axes, matrix.shape)  # 1 before the first step
        projected = product(matrix, np.swapaxes(axes, -1, -2))
        return projected, np.argsort(-(axes * projected).sum(-2), -1)

    @classmethod
    def ordered(cls, v, axes, matrices, f=None):
        """The mean squares in the order of the next directions."""
        v, axes, matrices = v.copy("K"), as_list(axes, 1), as_list(matrices, 1)
        for (place, shape, axis, _), q, matrix in zip(sides(f, v), axes, matrices, strict=True):
            rows = v[..., place].reshape(*v.shape[:-1], *shape)
            order = np.expand_dims(cls.project(q, matrix)[1], -3 - axis)
            v[..., place] = np.take_along_axis(rows, order, axis).reshape(*v.shape[:-1], -1)
        return v

    @classmethod
    def basis(cls, axes, matrix, t):
        """The next directions: the eigenvectors at first, later one step closer to them."""
        if t == 1:
            return eigen(matrix)[1][..., ::-1]
        projected, order = cls.project(axes, matrix)
        projected = np.take_along_axis(projected, order[..., None, :], -1)
        if projected.shape[-1] != 2:
            return np.linalg.qr(projected)[0]
        x, y = projected[..., 0, 0], projected[..., 1, 0]
        size = np.hypot(x, y)
        return rotation(np.where(size == 0, 1.0, x / size), np.where(size == 0, 0.0, y / size))


@optimizer("Sophia", cite="Liu et al. (2023), Sophia, algorithm 3")
class Sophia(Optimizer):
    r"""Newton for each coordinate, on averages: none moves further than ρ times the rate.

    $$ g = \nabla f(x), \qquad m \leftarrow \beta_1 m + (1-\beta_1)\, g $$
    $$ h \leftarrow \beta_2 h + (1-\beta_2) \operatorname{diag}(\nabla^2 f(x))
    \;\text{ where } (t - 1) \bmod k = 0, \text{ else } h $$
    $$ x \leftarrow x - \eta \operatorname{clip}\Big(\frac{m}{\max(h, \epsilon)}, \rho\Big) $$

    The diagonal is the true one; in a network it is estimated (Hutchinson's method). Where f curves
    down, h < 0, the step is as long as it may be.
    """

    family = "second order"
    lr: float = shared.lr(0.1)
    beta1: float = shared.beta1(0.96)
    beta2: float = shared.beta2(0.99, help="memory of the mean curvature h")
    rho: float = hyperparameter(
        1.0, 1e-3, 100.0, r"\rho", log=True, help="longest Newton step of a coordinate"
    )
    every: int = hyperparameter(
        10, 1, 100, "k", help="steps between two estimates of the curvature"
    )
    eps: float = shared.eps(1e-12, low=1e-12)
    state_names = {"m": "mean gradient", "h": "mean curvature"}

    def init(self, x):
        return {**super().init(x), "t": 0}

    def step(self, f, x, s):
        h = s["h"]
        m = self.beta1 * s["m"] + (1 - self.beta1) * f.grad(x)
        if s["t"] % self.every == 0:
            estimated = getattr(f, "hess_diagonal", None)
            diagonal = estimated(x) if estimated else self.diag(f.hess(x))
            h = self.beta2 * h + (1 - self.beta2) * diagonal
        d = np.clip(m / np.maximum(h, self.eps), -self.rho, self.rho)
        return x - self.lr * d, {"m": m, "h": h, "t": s["t"] + 1}

    @staticmethod
    def diag(matrix):
        """The diagonal `(..., d)`."""
        return np.diagonal(matrix, axis1=-2, axis2=-1)


@optimizer(
    "Muon",
    cite="Jordan et al. (2024), Muon: An optimizer for hidden layers in neural networks; "
    "Liu et al. (2025), Muon is scalable for LLM training, section 2",
)
class Muon(Optimizer):
    r"""Momentum, made nearly orthogonal layer by layer: all directions move about equally.

    $$ g = \nabla f(x), \qquad B \leftarrow \mu B + g $$
    $$ x \leftarrow x - \eta\, \operatorname{orthogonal}(g + \mu B) $$

    Made for networks: five Newton-Schulz steps bring the singular values of each weight matrix's
    g + μB near 1 (most to between 0.7 and 1.2), times the root of outputs over inputs where that is
    more than 1. Biases, γ and β take Adam's step with the same rate. A point is one column, which
    becomes its direction with length 0.985: the five steps take 1 to 0.696, the root is √2.
    """

    family = "matrix"
    lr: float = shared.lr(0.02)
    momentum: float = shared.memory(
        0.95, 0.999, r"\mu", "share of the momentum that survives a step"
    )
    layered = True
    state_names = {"B": "momentum", "v": "mean square, where Adam steps"}

    def init(self, x):
        return {**super().init(x), "b1": 1.0, "b2": 1.0}

    def step(self, f, x, s):
        g, b1, b2, v = f.grad(x), s["b1"] * 0.9, s["b2"] * 0.999, s["v"]
        matrices = getattr(f, "matrices", [(slice(None), (1, x.shape[-1]))])
        others = np.ones(x.shape[-1], bool)
        for place, _ in matrices:
            others[place] = False
        mean = np.where(others, 0.9 * s["B"] + 0.1 * g, self.momentum * s["B"] + g)
        nesterov, d = g + self.momentum * mean, np.empty_like(x)
        for place, shape in matrices:
            d[..., place] = self.orthogonal(nesterov[..., place], shape)
        if others.any():
            v = np.where(others, 0.999 * v + 0.001 * g * g, v)
            d[..., others] = (mean / (1 - b1) / (np.sqrt(v / (1 - b2)) + 1e-8))[..., others]
        return x - self.lr * d, {"B": mean, "v": v, "b1": b1, "b2": b2}

    def spectrum(self, before, after):
        """The singular value of a point's one column g + μB, and after orthogonalization."""
        nesterov = (1 + self.momentum) * after["B"] - self.momentum * before["B"]
        return tuple(np.linalg.norm(v, axis=-1) for v in (nesterov, self.orthogonal(nesterov)))

    @staticmethod
    def orthogonal(flat, shape=None):
        """Matrices `(..., inputs, outputs)`, flat, with singular values near 1 (Jordan et al.)."""
        n, m = shape or (1, flat.shape[-1])
        norm = np.sqrt((flat * flat).sum(-1, keepdims=True))
        a = (flat / np.maximum(norm, 1e-7)).reshape(*flat.shape[:-1], n, m)
        a = np.swapaxes(a, -1, -2) if n > m else a
        row = a.shape[-2] == 1  # its square is a number
        multiply = np.multiply if row else np.matmul
        for _ in range(5):
            square = dot(a, a) if row else a @ np.swapaxes(a, -1, -2)
            a = 3.4445 * a + multiply(-4.7750 * square + 2.0315 * multiply(square, square), a)
        a = np.swapaxes(a, -1, -2) if n > m else a
        return math.sqrt(max(1.0, m / n)) * a.reshape(flat.shape)
