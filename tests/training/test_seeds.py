"""Seeds that are trained apart, and shown together."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from optviz.nn import Network
from optviz.training import Training, advance, begin, load, merge_seeds, split_seeds

BOTH = Training(Network((64, 16, 10)), iterations=60, seeds=(0, 3), eval_every=20)
DATA = load(BOTH)


def after(*iterations):
    """Each seed of BOTH by itself, after so many iterations."""
    pairs = zip(split_seeds(BOTH), iterations, strict=True)
    return [advance(begin(t, DATA), DATA, n) if n < 60 else whole(t) for t, n in pairs]


def whole(training):
    now = begin(training, DATA)
    for _ in range(3):
        now = advance(now, DATA, 20)
    return now


def test_seeds_together_are_what_they_are_in_one_batch():
    [now], batch = merge_seeds(after(60, 60)), whole(BOTH)
    assert (now.training, now.iteration, now.done) == (BOTH, 60, True)
    for name in ("loss", "accuracy", "cross_entropy", "params", "diverged_at", "evaluated"):
        np.testing.assert_allclose(getattr(now, name), getattr(batch, name), 1e-4, err_msg=name)
    for name, layers in batch.diagnostics.items():
        np.testing.assert_allclose(now.diagnostics[name], layers, 1e-3, err_msg=name)


def test_a_seed_that_is_added_leaves_the_others_in_place():
    [now] = merge_seeds(after(60, 5))
    assert (now.iteration, now.done, now.evaluated.tolist()) == (5, False, [0, 20, 40, 60])
    assert np.isfinite(now.loss[:, 0, 0]).all()
    assert np.isfinite(now.loss[:, 0, 1]).sum() == 5
    assert np.isfinite(now.accuracy[:, 0, 0, 1]).sum() == 1
    [now] = merge_seeds(after(20, 5))
    assert (now.loss.shape, now.evaluated.tolist()) == ((5, 1, 2), [0]), "as far as both"


def test_visitors_share_what_is_joined_and_it_goes_with_the_last_of_them():
    states = after(60, 60)
    [one], [other] = merge_seeds(states), merge_seeds(list(states))
    assert one is other
    [fewer] = merge_seeds(after(20, 20))
    assert fewer is not one
    held = weakref.ref(one)
    del one, other
    gc.collect()
    assert held() is None


@pytest.mark.parametrize("other", [replace(BOTH, batch=5), replace(BOTH, seeds=(0,))])
def test_other_trainings_and_twins_stay_apart(other):
    states = [*after(60, 60), begin(split_seeds(other)[0], DATA), "a surface"]
    assert [getattr(s, "iteration", s) for s in merge_seeds(states)] == [60, 0, "a surface"]
