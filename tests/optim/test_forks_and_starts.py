"""Forks: a branch is its parent until its step and itself from there on. Several starts: where they lie, and their runs."""

from dataclasses import replace

import numpy as np
import pytest

from optviz import (
    FUNCTIONS,
    INITIAL_POINTS,
    NOISES,
    OPTIMIZERS,
    SCHEDULES,
    WRAPPERS,
    Segment,
    minimize,
)
from optviz.experiments.trajectories.run import multistart, run
from optviz.experiments.trajectories.spec import Objective
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.spec import Choice
from optviz.ui.training.form import fits
from tests.optim.runs import equal, same
from tests.table import table

STEPS, AT = 14, 5
CAMEL = FUNCTIONS["three_hump_camel"]  # from its start no method runs away
NOISY = Objective(
    "three_hump_camel",
    start=(-2.0, 2.0),
    steps=STEPS,
    noise=Choice("gaussian", {"scale": 0.2}),
    seed=4,
)
QUIET = replace(NOISY, noise=None)
COSINE = {"lr": Choice("cosine", {"steps": 20})}


def optimizer(key, *wrappers, **values):
    """An optimizer with these hyperparameters, in wrappers, the innermost first."""
    return OptimizerConfig(Choice(key, values), tuple(map(Choice, wrappers)))


def configs(key, wrappers=WRAPPERS):
    """An optimizer in every position of its switches, bare and in wrappers, alone and several at once."""
    yield optimizer(key)
    for k in hyperparameters(OPTIMIZERS[key]):
        if k.kind is bool:
            yield optimizer(key, **{k.name: not k.default})
    for wrapper in wrappers:
        if fits(wrapper, key):
            yield optimizer(key, wrapper)
    several = filter(lambda wrapper: fits(wrapper, key), ("clipped", "lookahead", "averaged"))
    yield optimizer(key, *several)


def batched(key):
    """The same for a batch: what a wrapper holds of its rows is its own, whichever optimizer is inside."""
    return configs(key, WRAPPERS if key in ("nesterov", "adam", "lbfgs") else ())


def scheduled(config):
    """The optimizer with its rate on a schedule, where it has one that can be."""
    initial = OPTIMIZERS[config.method.key].initial
    return replace(config, schedules={} if "lr" in initial else COSINE)


def branch(config, step, **changed):
    """A optimizer that leaves `optimizer` at a step, with its hyperparameters except for what is changed."""
    return replace(config, fork=Fork(config, step), **changed)


@pytest.mark.parametrize("key", OPTIMIZERS)
class TestForkThatChangesNothing:
    def test_is_the_path_that_it_left(self, key):
        for config in map(scheduled, configs(key)):
            alone = run(NOISY, config)
            assert alone.warm_started == (False,)
            for step in (1, AT, STEPS - 1):
                forked = run(NOISY, branch(config, step))
                same(alone, forked)
                assert forked.warm_started == (False, True)
                assert [segment.step for segment in forked.segments] == [0, step]
                for a, b in zip(alone.state_dicts, forked.state_dicts, strict=True):
                    assert a.keys() == b.keys()
                    assert all(equal(a[k], b[k]) for k in a)

    def test_without_noise_and_schedule(self, key):
        for config in configs(key):
            same(run(QUIET, config), run(QUIET, branch(config, AT)))

    def test_in_a_batch(self, key):
        initial_points = INITIAL_POINTS["grid"](columns=2).points(None, CAMEL.domain)
        for config in map(scheduled, batched(key)):
            forked, alone = (
                run(NOISY, branch(config, AT), initial_points),
                run(NOISY, config, initial_points),
            )
            assert forked.warm_started == (False, True)
            same(forked, alone)


class TestForkAtEveryStep:
    def test_at_once(self):
        config = OptimizerConfig(
            Choice("lbfgs", {"memory": 3}), (Choice("lookahead", {"every": 3}),), COSINE
        )
        opt, schedule = config.build(), {"lr": SCHEDULES["cosine"](steps=20)}
        more = {"noise": NOISES["gaussian"](scale=0.2), "schedule": schedule, "seed": 4}
        segments = [Segment(t, opt, schedule) for t in range(1, STEPS)]
        forked = minimize(CAMEL, opt, steps=STEPS, then=segments, **more)
        same(run(NOISY, config), forked)
        assert forked.warm_started == (False, *[True] * (STEPS - 1))


class TestForkInItsOwnKind:
    """The same method with other hyperparameters takes its memory along."""

    @table("key", OPTIMIZERS)
    def test_is_its_parent_before_and_carries_on(self, key):
        lr = next(k for k in hyperparameters(OPTIMIZERS[key]) if k.name == "lr")
        parent = scheduled(optimizer(key))
        child = branch(parent, AT, method=Choice(key, {"lr": 0.7 * lr.default}))
        before, after = run(NOISY, parent), run(NOISY, child)
        assert after.warm_started == (False, True)
        assert equal(after.points[: AT + 1], before.points[: AT + 1])
        assert equal(after.gradients[:AT], before.gradients[:AT])
        assert equal(after.work[: AT + 1], before.work[: AT + 1])
        for name in before.state:
            assert equal(after.state[name][: AT + 1], before.state[name][: AT + 1])
        assert equal(after.points, before.points) == ("lr" in OPTIMIZERS[key].initial)

    def test_by_hand(self):
        """Momentum with another rate goes on with the velocity that it has."""
        parent = optimizer("momentum", lr=0.1, momentum=0.9)
        objective = Objective(steps=8)
        forked = run(
            objective, branch(parent, 3, method=Choice("momentum", {"lr": 0.02, "momentum": 0.5}))
        )
        x, v = np.array([-7.0, 2.0]), np.zeros(2)
        for t in range(8):
            lr, mu = (0.1, 0.9) if t < 3 else (0.02, 0.5)
            v = mu * v - lr * objective.f.grad(x)
            x = x + v
            assert forked.points[t + 1] == pytest.approx(x, rel=1e-12)
            assert forked.state["v"][t + 1] == pytest.approx(v, rel=1e-12)

    @pytest.mark.parametrize("wrapper", [w for w, c in WRAPPERS.items() if hyperparameters(c)])
    def test_other_knobs_of_a_wrapper_carry_on(self, wrapper):
        k = hyperparameters(WRAPPERS[wrapper])[0]
        parent = optimizer("adam", wrapper)
        assert run(
            NOISY, branch(parent, AT, wrappers=(Choice(wrapper, {k.name: k.low}),))
        ).warm_started == (False, True)

    def test_another_schedule_carries_on(self):
        parent = optimizer("adam")
        forked = run(
            NOISY, branch(parent, AT, schedules={"beta1": Choice("warmup", {"steps": 30})})
        )
        assert forked.warm_started == (False, True)

    def test_the_switches_of_a_method_carry_on(self):
        parent = optimizer("bfgs", line_search=True)
        forked = run(QUIET, branch(parent, AT, method=Choice("bfgs", {"line_search": False})))
        assert forked.warm_started == (False, True)
        assert np.diff(forked.work[AT:, 1]).max() == 0 < np.diff(forked.work[: AT + 1, 1]).min()


def tail(objective, parent, child, step=AT):
    """(forked, fresh): the branch, and its method run afresh on what is left from where it left its parent.

    The noise and the schedule of a branch go by the steps of the whole path, so that what is fresh is handed
    those that come late: a table and a factor, both moved.
    """
    forked = run(objective, replace(child, fork=Fork(parent, step)))
    noise = objective.noise and Late(objective.noise.build(NOISES), step)
    noise = noise or NOISES["uniform"](scale=0.0)
    schedule = {
        name: LateFactor(part.build(SCHEDULES), step) for name, part in child.schedules.items()
    }
    start = run(objective, parent).points[step]
    return forked, minimize(
        objective.f, child.build(), start, objective.steps - step, noise, schedule, objective.seed
    )


class Late:
    def __init__(self, noise, by):
        self.noise, self.by = noise, by

    def table(self, seed, steps, d):
        return self.noise.table(seed, steps + self.by, d)[self.by :]


class LateFactor:
    def __init__(self, schedule, by):
        self.schedule, self.by = schedule, by

    def __call__(self, t):
        return self.schedule(t + self.by)


def others():
    """(parent, child) that differ in kind."""
    keys = list(OPTIMIZERS)
    for a, b in zip(keys, keys[1:] + keys[:1], strict=True):
        yield optimizer(a), optimizer(b)
    for wrapper in WRAPPERS:
        yield optimizer("adam"), optimizer("adam", wrapper)
        yield optimizer("adam", wrapper), optimizer("adam")
        bare = optimizer("momentum", wrapper)
        yield bare, replace(bare, method=Choice("nesterov"))
    yield optimizer("adam", "averaged", "clipped"), optimizer("adam", "clipped", "averaged")
    for a, b in ((10, 3), (3, 10)):
        yield tuple(optimizer("lbfgs", memory=m) for m in (a, b))


class TestForkToAnother:
    @table(("parent", "child"), others())
    def test_starts_afresh(self, parent, child):
        child = scheduled(child)
        forked, fresh = tail(NOISY, parent, child)
        assert forked.warm_started == (False, False)
        for name in ("points", "values", "true_gradients", "lookahead"):
            assert equal(getattr(forked, name)[AT:], getattr(fresh, name)), name
        assert equal(forked.gradients[AT:], fresh.gradients)
        assert equal(forked.work[AT:] - forked.work[AT], fresh.work)
        np.testing.assert_allclose(
            forked.lengths[AT:] - forked.lengths[AT], fresh.lengths, rtol=1e-12, atol=1e-12
        )
        for name, held in fresh.state.items():
            assert equal(forked.state[name][AT:], held), name
        before = run(NOISY, parent)
        assert equal(forked.points[: AT + 1], before.points[: AT + 1])
        assert equal(forked.lookahead[:AT], before.lookahead[:AT])
        assert equal(forked.work[: AT + 1], before.work[: AT + 1])

    def test_without_noise(self):
        forked, fresh = tail(QUIET, optimizer("sgd", lr=0.01), optimizer("nadam"))
        assert equal(forked.points[AT:], fresh.points)

    def test_noise_and_schedule_go_by_the_whole_path(self):
        """A fresh run with its own noise from step 0 would be another path."""
        parent, child = (
            optimizer("sgd", lr=0.01),
            OptimizerConfig(Choice("adam"), schedules=COSINE),
        )
        forked, _ = tail(NOISY, parent, child)
        naive = run(replace(NOISY, steps=STEPS - AT), child, run(NOISY, parent).points[AT])
        assert not equal(forked.points[AT:], naive.points)

    def test_what_a_leg_does_not_hold_is_nan(self):
        forked = run(QUIET, branch(optimizer("adam"), AT, method=Choice("adagrad")))
        assert list(forked.state) == ["m", "v", "h"]
        assert np.isfinite(forked.state["m"][:AT]).all()
        assert np.isnan(forked.state["m"][AT:]).all()
        assert np.isnan(forked.state["h"][:AT]).all()
        assert (forked.state["h"][AT] == 0).all()
        assert np.isfinite(forked.state["h"][AT:]).all()
        assert set(forked.state_dicts[AT - 1]) == {"m", "v", "b1", "b2"}
        assert set(forked.state_dicts[AT]) == {"h"}

    def test_lookahead_is_of_each_leg_its_own(self):
        there = run(QUIET, branch(optimizer("nesterov"), AT, method=Choice("sgd")))
        assert not equal(there.lookahead[1:AT], there.points[1:AT])
        assert equal(there.lookahead[AT:], there.points[AT:])
        back = run(
            QUIET, branch(optimizer("sgd", lr=0.01), AT, method=Choice("nesterov", {"lr": 0.01}))
        )
        assert equal(
            back.lookahead[: AT + 1], back.points[: AT + 1]
        )  # at the fork the velocity is zero
        ahead = back.points + 0.9 * back.state["v"]
        assert equal(back.lookahead[AT:], ahead[AT:])

    def test_evaluations_add_up(self):
        forked = run(
            QUIET, branch(optimizer("newton", line_search=False), AT, method=Choice("sgd"))
        )
        assert forked.evaluations == (STEPS, 0, AT)
        assert forked.work[:, 2].tolist() == [*range(AT + 1), *[AT] * (STEPS - AT)]

    def test_what_ran_can_be_asked_of_every_step(self):
        child = OptimizerConfig(Choice("momentum", {"lr": 0.02}), schedules=COSINE)
        forked = run(QUIET, replace(child, fork=Fork(optimizer("adam"), AT)))
        assert forked.optimizer_at(AT - 1) == OPTIMIZERS["adam"]()
        cosine = SCHEDULES["cosine"](steps=20)
        assert forked.optimizer_at(AT) == OPTIMIZERS["momentum"](lr=0.02 * cosine(AT))
        assert forked.optimizer == OPTIMIZERS["momentum"](lr=0.02)


class TestForkOfAFork:
    GRAND = optimizer("adam", lr=0.05)

    def three(self, second, third):
        parent = branch(self.GRAND, second, method=Choice("adam", {"lr": 0.2}))
        child = OptimizerConfig(Choice("momentum", {"lr": 0.01}), fork=Fork(parent, third))
        return [run(NOISY, r) for r in (self.GRAND, parent, child)], child

    def test_follows_each_ancestor_until_it_leaves(self):
        (grand, parent, child), _ = self.three(4, 9)
        assert equal(child.points[:10], parent.points[:10])
        assert equal(child.points[:5], grand.points[:5])
        assert not equal(child.points[5], grand.points[5])
        assert not equal(child.points[10], parent.points[10])
        assert child.warm_started == (False, True, False)
        assert [segment.step for segment in child.segments] == [0, 4, 9]

    @pytest.mark.parametrize("third", [0, 2, 4])
    def test_that_left_earlier_never_meets_its_parent(self, third):
        """Its parent's path up to there is the grandparent's, and nothing of the parent ever runs."""
        (grand, _, child), config = self.three(4, third)
        assert equal(child.points[: third + 1], grand.points[: third + 1])
        direct = run(NOISY, replace(config, fork=Fork(self.GRAND, third)))
        same(child, direct)
        assert [segment.step for segment in child.segments] == ([0, third] if third else [0])

    def test_a_chain_of_many(self):
        config = optimizer("adam")
        for step in range(1, 10):
            config = branch(config, step)
        forked = run(NOISY, config)
        same(forked, run(NOISY, optimizer("adam")))
        assert forked.warm_started == (False, *[True] * 9)

    def test_back_to_the_first_method_does_not_find_its_old_state(self):
        first = optimizer("momentum", lr=0.01)
        second = OptimizerConfig(Choice("sgd", {"lr": 0.01}), fork=Fork(first, 3))
        third = replace(first, fork=Fork(second, 4))
        forked = run(QUIET, third)
        assert forked.warm_started == (False, False, False)
        assert (forked.state["v"][4] == 0).all()
        assert np.isnan(forked.state["v"][3]).all()


class TestEdges:
    PARENT, CHILD = (optimizer("adam"), optimizer("momentum", lr=0.01))

    def test_at_0_nothing_of_the_parent_runs(self):
        forked = run(NOISY, replace(self.CHILD, fork=Fork(self.PARENT, 0)))
        same(forked, run(NOISY, self.CHILD))
        assert forked.warm_started == (False,)
        assert len(forked.segments) == 1

    @pytest.mark.parametrize("step", [STEPS, STEPS + 1, 10 * STEPS])
    def test_at_or_beyond_the_last_step_nothing_of_the_child_runs(self, step):
        forked = run(NOISY, replace(self.CHILD, fork=Fork(self.PARENT, step)))
        same(forked, run(NOISY, self.PARENT))
        assert forked.warm_started == (False,)
        assert forked.optimizer == self.PARENT.build()

    def test_of_no_steps(self):
        forked = run(NOISY, replace(self.CHILD, fork=Fork(self.PARENT, 0)), steps=0)
        assert forked.points.shape == (1, 2)
        assert forked.lookahead.shape == (1, 2)
        assert (
            run(NOISY, replace(self.CHILD, fork=Fork(self.PARENT, 1)), steps=0).optimizer
            == self.PARENT.build()
        )

    def test_a_longer_run_begins_with_the_shorter_one(self):
        config = replace(self.CHILD, fork=Fork(self.PARENT, AT), schedules=COSINE)
        long, short = run(NOISY, config, steps=40), run(NOISY, config)
        assert equal(long.points[: STEPS + 1], short.points)

    @table("child", ["sgd", "adam", "lion", "newton", "lbfgs"])
    def test_a_parent_that_is_lost_stays_lost(self, child):
        lost = optimizer("sgd", lr=1e3)
        objective = Objective("rosenbrock", start=(-1.2, 1.0), steps=30)
        before = run(objective, lost)
        at = int(before.diverged_at)
        assert 1 < at < 25
        for step in (at, at + 1, at + 3):
            forked = run(objective, OptimizerConfig(Choice(child), fork=Fork(lost, step)))
            assert forked.diverged_at == before.diverged_at
            assert forked.undefined == before.undefined
            assert equal(forked.points, before.points)
            assert equal(forked.values, before.values)
            assert all(np.isnan(held[at:]).all() for held in forked.state.values())
            assert np.isnan(forked.lookahead[at:]).all()
            assert forked.evaluations == before.evaluations

    def test_a_branch_before_the_loss_can_be_saved(self):
        lost = optimizer("sgd", lr=1.1)
        objective = Objective(steps=3000)
        at = int(run(objective, lost).diverged_at)
        assert at > 10
        saved = run(objective, branch(lost, 10, method=Choice("sgd", {"lr": 0.5})))
        assert saved.diverged_at == -1
        assert saved.values[-1] < 1e-12

    @pytest.mark.parametrize("at", [[5, 3], [-1], [2, 2, 1]])
    def test_legs_out_of_order_are_refused(self, at):
        opt = OPTIMIZERS["sgd"]()
        with pytest.raises(ValueError, match="segments"):
            minimize(FUNCTIONS["bowl"], opt, steps=9, then=[Segment(t, opt) for t in at])

    @table("at", [2.5, "2", None, np.nan])
    def test_legs_between_steps_are_refused(self, at):
        """Its turn would never come, nor that of any segment after it."""
        opt = OPTIMIZERS["sgd"]()
        with pytest.raises(ValueError, match="segments"):
            minimize(FUNCTIONS["bowl"], opt, steps=9, then=[Segment(at, opt)])

    def test_a_leg_may_not_schedule_what_its_optimizer_lacks(self):
        segment = Segment(3, OPTIMIZERS["sgd"](), {"beta1": SCHEDULES["cosine"]()})
        with pytest.raises(ValueError, match="beta1"):
            minimize(FUNCTIONS["bowl"], OPTIMIZERS["adam"](), steps=9, then=[segment])

    def test_of_two_legs_at_one_step_the_last_runs(self):
        sgd, adam, lion = (OPTIMIZERS[key](lr=0.1) for key in ("sgd", "adam", "lion"))
        f = FUNCTIONS["bowl"]
        both = minimize(f, sgd, steps=9, then=[Segment(4, adam), Segment(4, lion)])
        assert equal(both.points, minimize(f, sgd, steps=9, then=[Segment(4, lion)]).points)
        assert both.optimizer_at(3) == sgd
        assert both.optimizer_at(4) == lion
        at_once = minimize(f, sgd, steps=9, then=[Segment(0, adam)])
        assert equal(at_once.points, minimize(f, adam, steps=9).points)
        assert at_once.optimizer_at(0) == adam
        assert equal(at_once.lookahead, at_once.points)


class TestBatch:
    def test_rows_of_a_fork_are_its_single_runs(self):
        config = OptimizerConfig(
            Choice("nesterov", {"lr": 0.01}), fork=Fork(optimizer("adam"), AT), schedules=COSINE
        )
        initial_points = INITIAL_POINTS["grid"](columns=4).points(None, CAMEL.domain)
        rows = run(NOISY, config, initial_points)
        for i, start in enumerate(initial_points):
            same(rows, run(NOISY, config, start), (i,))

    @table(
        ("key", "name"), [("adam", "beta1"), ("nadam", "beta1"), ("adamax", "beta1"), ("sgd", "lr")]
    )
    def test_knobs_in_columns_are_carried_too(self, key, name):
        """A state that is one number at first is one for each row once a hyperparameter is a column."""
        f, values = CAMEL, np.array([0.01, 0.02, 0.03])
        columns = OPTIMIZERS[key](**{name: values[:, None]})
        rows = minimize(f, columns, steps=STEPS, then=[Segment(AT, columns)])
        assert rows.warm_started == (False, True)
        for i, value in enumerate(values):
            opt = OPTIMIZERS[key](**{name: float(value)})
            same(rows, minimize(f, opt, steps=STEPS, then=[Segment(AT, opt)]), (i,))
            same(rows, minimize(f, opt, steps=STEPS), (i,))

    @pytest.mark.parametrize("other", ["adam", "momentum"])
    def test_a_column_in_a_later_leg_is_a_batch_from_the_first_step_on(self, other):
        momentum, values = OPTIMIZERS["momentum"], np.array([0.001, 0.01, 0.02])
        first = OPTIMIZERS[other](lr=0.01)
        columns = [Segment(AT, momentum(lr=values[:, None]))]
        rows = minimize(CAMEL, first, steps=STEPS, then=columns)
        assert rows.points.shape == (STEPS + 1, 3, 2)
        for i, value in enumerate(values):
            then = [Segment(AT, momentum(lr=float(value)))]
            same(rows, minimize(CAMEL, first, steps=STEPS, then=then), (i,))

    def test_some_rows_are_lost_before_the_fork(self):
        f, sgd, values = FUNCTIONS["rosenbrock"], OPTIMIZERS["sgd"], np.array([1e-3, 1e-1, 1e3])
        more = {"steps": 30, "then": [Segment(20, OPTIMIZERS["adam"]())]}
        rows = minimize(f, sgd(lr=values[:, None]), **more)
        assert (rows.diverged_at[1:] >= 0).all()
        assert rows.diverged_at[0] == -1
        for i, value in enumerate(values):
            same(rows, minimize(f, sgd(lr=float(value)), **more), (i,))

    def test_seeds_in_a_batch(self):
        f, opt, seeds = CAMEL, OPTIMIZERS["adam"](), np.arange(4)
        more = {
            "steps": STEPS,
            "noise": NOISES["uniform"](scale=0.5),
            "then": [Segment(AT, OPTIMIZERS["lion"](lr=0.1))],
        }
        rows = minimize(f, opt, seed=seeds, **more)
        for i, seed in enumerate(seeds):
            same(rows, minimize(f, opt, seed=int(seed), **more), (i,))


class TestStarts:
    @table("count", [3, 4, 12, 36])
    @table("radius", [0.001, 0.1, 0.5])
    def test_ring(self, count, radius):
        center, domain = (-7.0, 2.0), ((-10.0, 10.0), (-5.0, 5.0))
        points = INITIAL_POINTS["ring"](count=count, radius=radius).points(center, domain)
        assert points.shape == (count, 2)
        around = (points - center) / (20 * radius, 10 * radius)
        np.testing.assert_allclose((around**2).sum(-1), 1, rtol=1e-9)
        np.testing.assert_allclose(points.mean(0), center, atol=1e-9)
        turns = np.angle(around @ [1, 1j]) / (2 * np.pi) % 1
        np.testing.assert_allclose((turns[1:] - turns[:-1]) * count, 1, rtol=1e-6)
        assert points[0] == pytest.approx((center[0] + 20 * radius, center[1]))
        assert len(np.unique(points.round(12), axis=0)) == count

    @table("columns", range(2, 7))
    def test_grid(self, columns):
        domain = ((-10.0, 10.0), (-5.0, 7.0))
        points = INITIAL_POINTS["grid"](columns=columns).points((99.0, 99.0), domain)
        assert points.shape == (columns**2, 2)
        x, y = (np.unique(points[:, i]) for i in (0, 1))
        assert len(x) == len(y) == columns
        assert np.diff(x) == pytest.approx(20 / columns)
        assert np.diff(y) == pytest.approx(12 / columns)
        assert (x[0], x[-1]) == pytest.approx((-10 + 10 / columns, 10 - 10 / columns))
        assert (y[0], y[-1]) == pytest.approx((-5 + 6 / columns, 7 - 6 / columns))
        assert len(np.unique(points, axis=0)) == columns**2

    @table("key", INITIAL_POINTS)
    @table("function", FUNCTIONS)
    def test_fit_every_function(self, key, function):
        f = FUNCTIONS[function]
        points = INITIAL_POINTS[key]().points(f.start, f.domain)
        low, high = np.array(f.domain).T
        margin = (high - low) * INITIAL_POINTS["ring"]().radius
        assert np.isfinite(f.value(points)).all()
        assert ((points >= low - margin) & (points <= high + margin)).all()
        assert equal(points, INITIAL_POINTS[key]().points(f.start, f.domain))

    def test_a_set_of_starts_is_of_some_kind(self):
        base = next(iter(INITIAL_POINTS.values())).__mro__[1]
        with pytest.raises(TypeError, match="abstract"):
            base().points((0, 0), ((0, 1), (0, 1)))

    @pytest.mark.parametrize(
        ("key", "bad"), [("ring", {"count": 2}), ("ring", {"count": 3.5}), ("grid", {"columns": 1})]
    )
    def test_knobs_are_checked(self, key, bad):
        with pytest.raises(ValueError, match=next(iter(bad))):
            INITIAL_POINTS[key](**bad)


class TestFan:
    def test_none_where_there_are_no_starts(self):
        assert multistart(NOISY, optimizer("adam")) is None

    @pytest.mark.parametrize("key", OPTIMIZERS)
    def test_its_rows_are_single_runs(self, key):
        for config in batched(key):
            self.check(scheduled(config), Choice("ring", {"count": 3, "radius": 0.2}))

    def test_on_a_grid_and_of_a_fork(self):
        adam = optimizer("adam", lr=0.5)
        self.check(scheduled(adam), Choice("grid", {"columns": 3}))
        self.check(OptimizerConfig(Choice("lbfgs"), fork=Fork(adam, AT)), Choice("ring"))

    def check(self, config, initial_points):
        points = initial_points.build(INITIAL_POINTS).points(NOISY.start, NOISY.f.domain)
        config = replace(config, initial_points=initial_points)
        rows = multistart(NOISY, config)
        assert equal(rows.points[0], points)
        assert rows.points.shape == (STEPS + 1, len(points), 2)
        assert not any(rows.warm_started)
        for i in (0, len(points) // 2, -1):
            same(rows, run(NOISY, replace(config, initial_points=None), points[i]), (i,))
        same(rows, run(replace(NOISY, start=tuple(points[i])), config), (i,))

    def test_the_starts_of_its_parent_are_not_its_own(self):
        parent = OptimizerConfig(Choice("adam"), initial_points=Choice("ring"))
        assert multistart(NOISY, OptimizerConfig(Choice("adam"), fork=Fork(parent, AT))) is None

    @table("function", FUNCTIONS)
    def test_on_every_function(self, function):
        objective = Objective.on(Objective(steps=5), function)
        for key in INITIAL_POINTS:
            assert (
                multistart(
                    objective, OptimizerConfig(Choice("momentum"), initial_points=Choice(key))
                ).points.shape[0]
                == 6
            )
