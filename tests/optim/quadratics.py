"""Closed forms on quadratics, to hold the optimizers against."""

import numpy as np


def sgd_on_quadratic(x0, eigenvalues, lr, t):
    """SGD in the eigenbasis of a quadratic, in closed form: x(t) = (1 − lr·λ)ᵗ x(0)."""
    return np.asarray(x0) * (1 - lr * np.asarray(eigenvalues)) ** t


def momentum_on_quadratic(x0, eigenvalues, lr, momentum, t):
    """Momentum in the eigenbasis of a quadratic: the t-th power of a 2×2 matrix for each."""
    out = []
    for x, lam in zip(x0, eigenvalues, strict=True):
        step = np.array([[momentum, -lr * lam], [momentum, 1 - lr * lam]])  # acts on (v, x)
        out.append((np.linalg.matrix_power(step, t) @ np.array([0.0, x]))[1])
    return np.array(out)
