"""Runs beside one another, bit for bit."""

import numpy as np

ARRAYS = ("points", "values", "gradients", "lookahead", "lengths", "true_gradients")


def equal(a, b):
    return np.array_equal(a, b, equal_nan=True)


def same(batch, run, at=()):
    """What stands in a place of a batch is a run; without a place, two runs are the same."""
    for name in ARRAYS:
        assert equal(getattr(batch, name)[:, *at], getattr(run, name)), name
    assert equal(batch.work[:, :, *at], run.work)
    # a row without momentum, alone, has no sum of steps
    assert run.state.keys() <= batch.state.keys() <= run.state.keys() | {"b"}
    for name, held in run.state.items():
        assert equal(batch.state[name][:, *at], held), name
    for total, one in zip(batch.evaluations, run.evaluations, strict=True):
        assert equal(np.asarray(total)[at], one)
    assert equal(batch.diverged_at[at], run.diverged_at)
    assert equal(batch.undefined[at], run.undefined)


def somewhere(f, shape, seed=1):
    """Points in the domain of f, `(*shape, 2)`."""
    (x0, x1), (y0, y1) = f.domain
    return np.random.default_rng(seed).uniform((x0, y0), (x1, y1), (*shape, 2))
