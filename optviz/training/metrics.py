"""What sums up trainings: smoothed curves, confusion matrices, ranks."""

import numpy as np


def smoothed(loss, window: int = 11) -> np.ndarray:
    """Curves `(T, ...)` under a sliding Kaiser window, as the book shows them, mirrored at the
    ends.

    What follows a NaN is NaN. (Saitoh 2016, Deep Learning from Scratch, common/util.py.)
    """
    loss = np.asarray(loss, float)
    weights = np.kaiser(window, 2.0)
    result, half = np.full(loss.shape, np.nan), window // 2
    for index in np.ndindex(loss.shape[1:]):
        curve = loss[:, *index]
        not_finite = ~np.isfinite(curve)
        n = int(not_finite.argmax()) if not_finite.any() else len(curve)
        if n:
            mirrored = np.pad(np.pad(curve[:n], (half, 0), "reflect"), (0, half), "symmetric")
            result[:n, *index] = np.convolve(mirrored, weights / weights.sum(), "valid")
    return result


def confusion(t, predicted, classes: int) -> np.ndarray:
    """The confusion matrix `(classes, classes)` of labels `(…)`; rows are the true classes."""
    pairs = np.asarray(t).ravel() * classes + np.asarray(predicted).ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def rank(w, least: float = 1e-6) -> int:
    """How many directions a matrix tells apart: its singular values above that share of the
    largest.

    The share leaves out rounding, of which a little is everywhere. 0 for zeros and for what is not
    finite.
    """
    return int(np.linalg.matrix_rank(w, rtol=least)) if np.isfinite(w).all() else 0
