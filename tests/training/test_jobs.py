"""A training in slices is the training in one go, may be stopped and resumed, and no job waits for another."""

from dataclasses import fields, replace

import numpy as np
import pytest

from optviz.nn import Network
from optviz.training import Training, load, train
from optviz.training.jobs import Amount, TrainingJob, farthest_behind

SMALL = Training(
    Network((64, 8, 10)), iterations=43, batch=8, eval_every=7, snapshot_every=9, seeds=(0, 3)
)
DATA = load(SMALL)


def job(**changed):
    return TrainingJob(replace(SMALL, **changed), lambda: DATA)


def ended(job, state, budget=1e-4):
    """The state at the end, and how far it had come after each slice."""
    seen = []
    while not job.progress(state).complete:
        state = job.advance(state, budget)
        seen.append(job.progress(state).done)
    return state, seen


def same(a, b):
    for f in fields(a):
        if f.name not in ("training", "seconds", "state", "snapshots", "diagnostics"):
            np.testing.assert_array_equal(getattr(a, f.name), getattr(b, f.name), f.name)
    for held in ("snapshots", "diagnostics"):
        here, there = getattr(a, held), getattr(b, held)
        assert here.keys() == there.keys()
        assert all(np.array_equal(here[k], there[k], equal_nan=True) for k in here)


@pytest.mark.parametrize("changed", [{}, {"snapshot_every": 0}, {"eval_every": 1}])
def test_slices_change_nothing(changed):
    asked = job(**changed)
    end, seen = ended(asked, asked.begin())
    *_, whole = train(asked.training, DATA)
    same(end, whole)
    assert seen == sorted(seen)
    assert len(seen) > 3
    assert asked.progress(end) == Amount(43, 43)


def test_a_longer_training_goes_on_from_a_shorter_one_and_a_shorter_one_begins_anew():
    short, long = job(iterations=21), job()
    assert short.key == long.key
    assert short.key != job(batch=9).key
    at_21, _ = ended(short, short.begin())
    resumed = long.resume(at_21)
    assert resumed.iteration == 21
    assert long.resume(resumed) is resumed
    end, _ = ended(long, resumed)
    *_, whole = train(SMALL, DATA)
    np.testing.assert_array_equal(end.params, whole.params)
    np.testing.assert_array_equal(end.loss, whole.loss)
    assert short.resume(end) is None


def test_whoever_is_farthest_behind_is_next():
    jobs = [job(), job(iterations=21), job(iterations=0)]
    states = [each.begin() for each in jobs]
    assert farthest_behind(jobs, states) == 0
    states[0] = jobs[0].advance(states[0], 1e-4)
    assert farthest_behind(jobs, states) == 1
    states[1], _ = ended(jobs[1], states[1])
    assert farthest_behind(jobs, states) == 0
    states[0], _ = ended(jobs[0], states[0])
    assert farthest_behind(jobs, states) is None
