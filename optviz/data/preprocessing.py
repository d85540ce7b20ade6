"""Before the training: which rows learn, which rows test, and on what scale."""

import numpy as np


def split(x, t, train: int, test: int | None = None, seed: int = 0):
    """((x, t) for training, (x, t) for testing): that many different rows, drawn by the seed.

    With `test` at None all others are for testing. The two are drawn from opposite ends of one
    shuffle: with more rows for training the test stays the same.
    """
    n = len(x)
    test = n - train if test is None else test
    _check(n, train, test)
    order = np.random.default_rng(seed).permutation(n)
    learn, examine = order[:train], order[n - test :]
    return (x[learn], t[learn]), (x[examine], t[examine])


def other_writers(x, t, train: int):
    """The first rows for training, all others for testing.

    The digits stand in the order in which they were collected, so most of the test is in hands that
    were never seen: a harder question, and nearer to life, than `split` asks.
    """
    _check(len(x), train, len(x) - train)
    return (x[:train], t[:train]), (x[train:], t[train:])


def standardized(x, like=None) -> np.ndarray:
    """x `(n, d)` with mean 0 and variance 1 in each feature, by the statistics of `like` or of x.

    Give the training rows as `like` for the test's rows: a test has no statistics that one may know
    beforehand. A feature that is constant in `like` says nothing, and is 0.
    """
    x = np.asarray(x)
    like = x if like is None else np.asarray(like)
    mean, deviation = like.mean(0, dtype=float), like.std(0, dtype=float)
    # a constant's computed deviation may be 1e-17 in place of 0
    constant = like.max(0) == like.min(0)
    z = np.where(constant, 0.0, (x - mean) / np.where(constant, 1.0, deviation))
    return z.astype(np.result_type(x, np.float32) if x.dtype.kind == "f" else float)


def _check(n, train, test):
    if train < 1 or test < 0 or train + test > n:
        raise ValueError(
            f"There are {n} rows: {train} for training and {test} for testing cannot be had "
            "from them."
        )
