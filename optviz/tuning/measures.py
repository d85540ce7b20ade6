"""Which hyperparameter matters: rank correlation."""

import numpy as np


def ranks(values) -> np.ndarray:
    """The places `(n,)` of values, from 1; equal ones share the mean of theirs."""
    values = np.asarray(values, float)
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


def rank_correlation(a, b) -> float:
    """Spearman's: the correlation of the ranks; NaN where one of them does not vary."""
    a, b = ranks(a), ranks(b)
    a, b = a - a.mean(), b - b.mean()
    length = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / length) if length else float("nan")
