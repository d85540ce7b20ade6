"""Before the training: the scale of the inputs."""

import numpy as np


def standardize(x, like=None) -> np.ndarray:
    """x `(n, d)` with mean 0 and variance 1 in each feature, by the statistics of `like` or of x.

    For the test rows give the training rows as `like`: the statistics of a test set must not be
    known beforehand. A feature that is constant in `like` becomes 0.
    """
    x = np.asarray(x)
    like = x if like is None else np.asarray(like)
    mean, deviation = like.mean(0, dtype=float), like.std(0, dtype=float)
    # a constant's computed deviation may be 1e-17 in place of 0
    constant = like.max(0) == like.min(0)
    z = np.where(constant, 0.0, (x - mean) / np.where(constant, 1.0, deviation))
    return z.astype(np.result_type(x, np.float32) if x.dtype.kind == "f" else float)
