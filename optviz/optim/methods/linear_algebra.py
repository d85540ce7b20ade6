"""Products and eigenvalues of batches of small vectors and matrices.

Vectors are `(..., d)`, matrices `(..., d, d)`. A batch does not change the order of summation: a
row has the same result alone as among others.
"""

import numpy as np


def dot(a, b):
    """Scalar products of vectors, as `(..., 1)`."""
    if a.shape[-1] == 2:  # for so short an axis NumPy's loop takes longer than the products
        return a[..., :1] * b[..., :1] + a[..., 1:] * b[..., 1:]
    return np.vecdot(a, b)[..., None]


def times(matrix, vector):
    """Products of matrices and vectors."""
    if vector.shape[-1] == 2:  # the same sum, without NumPy's loop over so short an axis
        return matrix[..., 0] * vector[..., :1] + matrix[..., 1] * vector[..., 1:]
    return (matrix * vector[..., None, :]).sum(-1)


def eigen(matrix):
    """Eigenvalues, ascending, and eigenvectors of symmetric matrices `(..., d, d)`; NaN for one
    that is not finite.

    For 2 × 2 by Jacobi's rotation. (Golub & Van Loan 2013, Matrix computations, section 8.5.2.)
    """
    finite = np.isfinite(matrix).all((-2, -1), keepdims=True)
    matrix = np.where(finite, matrix, np.eye(matrix.shape[-1]))
    if matrix.shape[-1] != 2:
        values, axes = np.linalg.eigh(matrix)
        return np.where(finite[..., 0], values, np.nan), axes
    a, b, d = matrix[..., 0, 0], matrix[..., 1, 0], matrix[..., 1, 1]
    with np.errstate(all="ignore"):
        cot = (d - a) / (2 * b)  # of twice the angle, which is 0 where b is
        tan = np.where(b == 0, 0.0, 1 / (cot + np.copysign(np.sqrt(1 + cot * cot), cot)))
    cos = 1 / np.sqrt(1 + tan * tan)
    sin, one, other, swapped = tan * cos, a - tan * b, d + tan * b, a > d
    x, y = np.where(swapped, sin, cos), np.where(swapped, cos, -sin)
    values = np.array([np.where(swapped, other, one), np.where(swapped, one, other)])
    values = np.where(finite[..., 0], np.moveaxis(values, 0, -1), np.nan)
    return values, rotation(x, y)


def rotation(x, y):
    """Matrices `(..., 2, 2)` whose columns are (x, y) and the vector at a right angle to it."""
    return np.moveaxis(np.array([[x, -y], [y, x]]), (0, 1), (-2, -1))


def zeros(x, *shape):
    """Zeros `(..., *shape)`, of that shape for each point `(..., d)`; in memory the batch comes
    last, for which NumPy sums over the short axes fastest.
    """
    batch = x.shape[:-1]
    flipped = np.zeros((*shape, *batch))
    return flipped.transpose(*range(len(shape), flipped.ndim), *range(len(shape)))
