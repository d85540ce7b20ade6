"""A training in slices is the training in one go, and may be stopped and resumed."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from optviz.nn import Network
from optviz.optim.config import Fork, OptimizerConfig
from optviz.spec import Choice
from optviz.training import Training, load, loop, train
from optviz.training.executors import SerialExecutor
from optviz.training.jobs import Amount, TrainingJob
from optviz.training.scheduler import Scheduler
from optviz.training.tickets import Ticket
from tests.same import same

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


SGD, ADAM = (Choice(key, {"lr": 0.1 if key == "sgd" else 0.01}) for key in ("sgd", "adam"))
COSINE = {"lr": Choice("cosine", {"steps": 43})}


@pytest.mark.parametrize("parent", [SGD, Choice("momentum", {"lr": 0.1}), ADAM])
@pytest.mark.parametrize("other", [{"lr": 0.002}, {}])
@pytest.mark.parametrize("step", [10, 21])  # between two measurements, and at one
def test_a_fork_goes_on_from_where_it_left(parent, other, step):
    before = OptimizerConfig(parent, schedules=COSINE)
    after = OptimizerConfig(parent.with_values(**other) if other else Choice("sgd", {"lr": 0.3}))
    forked = job(optimizer=replace(after, fork=Fork(before, step)))
    at_fork, _ = ended(forked.prefix, forked.prefix.begin())
    end, _ = ended(forked, forked.resume(at_fork))
    *_, whole = train(forked.training, DATA)
    same(end, whole)
    # by hand: another optimizer takes the place of the first one in the middle of a training
    now = loop.advance(loop.begin(replace(SMALL, optimizer=before), DATA), DATA, step)
    state = now.state if other or parent.key == "sgd" else after.build().init(now.params)
    swapped = replace(now, training=replace(SMALL, optimizer=after), state=state)
    hand = loop.advance(swapped, DATA, SMALL.iterations - step)
    np.testing.assert_array_equal(whole.params, hand.params)
    np.testing.assert_array_equal(whole.loss, hand.loss)


def test_a_fork_that_changes_nothing_is_its_parent_and_two_share_what_came_before():
    scheduler = Scheduler(SerialExecutor)
    config = OptimizerConfig(ADAM, (Choice("averaged"),), COSINE)
    parent, twin = job(optimizer=config), job(optimizer=replace(config, fork=Fork(config, 21)))
    faster = replace(config, method=ADAM.with_values(lr=0.1), fork=Fork(config, 21))
    other = job(optimizer=faster)

    def wait_for(*jobs):
        tickets = [Ticket(each) for each in jobs]
        while not all(t.job.progress(scheduler.state(t)).complete for t in tickets):
            scheduler.watch("Ada", tickets)
        return [scheduler.state(ticket) for ticket in tickets]

    [forked, whole] = wait_for(twin, parent)
    same(replace(forked, training=whole.training), whole)
    with patch("optviz.training.jobs.advance", side_effect=loop.advance) as advance:
        [changed] = wait_for(other)
    assert min(call.args[0].iteration for call in advance.call_args_list) == 21
    np.testing.assert_array_equal(changed.loss[:21], whole.loss[:21])
    assert not np.array_equal(changed.loss[22:], whole.loss[22:])
    scheduler.shutdown()
