"""Schedules of the rate on a network, and the range test: reference numbers measured elsewhere, and quadratics."""

from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, SCHEDULES, minimize, parse_formula
from optviz.experiments.lr_schedules import run as core
from optviz.experiments.lr_schedules.run import rates, read
from optviz.experiments.lr_schedules.spec import (
    FOUR_RATES,
    RangeTest,
    ScheduleComparison,
    every,
    fitted,
    sgd,
)
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, SpecError, validate
from optviz.training import advance, begin, load
from tests.table import table

SEEDS = tuple(range(6))


def end(training, eval_every=30):
    """Trained to its end; looked at less often than on the page, which is most of the time."""
    data = load(training)
    now = begin(replace(training, eval_every=eval_every), data)
    while not now.done:
        now = advance(now, data, eval_every)
    return now


@pytest.fixture(scope="module")
def dropped():
    """The constant rate and the step decay, over several seeds."""
    return [end(t) for t in replace(ScheduleComparison(), seeds=SEEDS).trainings]


def at(now, iteration):
    return now.cross_entropy[list(now.evaluated).index(iteration), 0, 0]


def test_the_sudden_drop_is_that_of_the_reference(dropped):
    """50-50 net, rate .3, batch 8, ×.1 at 450: cross-entropy .240 before, .085 after, .056 at 900; constant .128.

    With that rate the loss leaps from one mini-batch to the next, hence the wide bounds of what is not settled.
    """
    constant, step = dropped
    np.testing.assert_array_equal(
        constant.loss[:450], step.loss[:450], "one training up to the cut"
    )
    np.testing.assert_array_equal(at(constant, 450), at(step, 450))
    assert np.mean(at(step, 450)) == pytest.approx(0.240, abs=0.1)
    assert np.mean([at(step, t) for t in (480, 510, 540)]) == pytest.approx(0.085, abs=0.025)
    assert np.mean(at(step, 900)) == pytest.approx(0.056, abs=0.015)
    assert np.mean(core.end_loss(constant)) == pytest.approx(0.128, abs=0.05)
    assert (core.end_loss(step) < core.end_loss(constant)).mean() >= 5 / 6


def test_a_jump_is_found_and_measured(dropped):
    constant, step = dropped
    assert core.jumps(constant) == []
    [jump] = core.jumps(step)
    assert (jump.iteration, jump.window) == (450, 50)
    assert jump.factor == pytest.approx(0.1)
    assert jump.before == step.loss[400:450].mean()
    assert jump.after == step.loss[450:500].mean()
    assert jump.after < 0.7 * jump.before
    early = replace(step, iteration=460, loss=step.loss[:460])
    assert core.jumps(early) == [], "not yet enough after it"


def test_what_is_said_of_all_rows_is_the_loss_on_all_rows(dropped):
    """By hand from the parameters: −log of the softmax's share for the right label, in float64."""
    now = dropped[1]
    data, net = load(now.training), now.training.network
    x = data.x.astype(float)
    for layer in net.views(now.params[0].astype(float))[::2]:
        x = x @ layer["W"] + layer["b"][:, None]
        z, x = x, np.maximum(x, 0)
    share = np.exp(z[:, np.arange(len(data.t)), data.t]) / np.exp(z).sum(-1)
    np.testing.assert_allclose(now.cross_entropy[-1, 0, 0], -np.log(share).mean(-1), rtol=1e-4)


def test_four_rates_are_what_they_are_called():
    """CS231n's picture: good is far below low and high; very high learns nothing. Where a high one
    settles is a matter of the seed and of rounding: the median of five.
    """
    low, good, high, very = FOUR_RATES.trainings
    high = np.median(core.end_loss(end(replace(high, seeds=(0, 1, 2, 3, 4)))))
    low, good, very = [core.end_loss(end(t)).mean() for t in (low, good, very)]
    assert good < 0.2 < 0.35 < high < low < very
    assert very == pytest.approx(np.log(10), abs=0.3), "no better than a guess"


def test_warm_restarts_and_warm_up_are_as_the_lessons_tell():
    adam, slow = Choice("adam", {"lr": 0.06}), Choice("adam", {"lr": 0.003})
    three = (
        sgd(0.3),
        sgd(0.3, Choice("cyclic", {"period": 300})),
        sgd(0.3, Choice("cosine", {"steps": 900})),
    )
    kept, again, once = [end(t) for t in ScheduleComparison(optimizers=three).trainings]
    assert (core.end_loss(once) < core.end_loss(again)).all()
    assert np.median(core.end_loss(again)) < np.median(core.end_loss(kept))
    ends = [np.mean(at(again, t)) for t in (300, 600, 900)]
    assert ends == sorted(ends, reverse=True)
    assert all(jump.after > 2 * jump.before for jump in core.jumps(again))
    warm = (
        OptimizerConfig(adam),
        OptimizerConfig(adam, (), {"lr": Choice("warmup", {"steps": 200})}),
        OptimizerConfig(slow),
    )
    at_once, warmed, good = [
        end(t)
        for t in ScheduleComparison(
            optimizers=warm, network=Network(), batch=32, iterations=600, seeds=(0,)
        ).trainings
    ]
    assert np.median(at(warmed, 60)) < np.median(at(at_once, 60)), "while the rate is small"
    assert core.end_loss(warmed).min() > core.end_loss(at_once).max() > core.end_loss(good).max()


def test_rates_are_known_beforehand():
    config = sgd(0.3, Choice("step", {"gamma": 0.1, "first": 450, "every": 450}))
    np.testing.assert_allclose(rates(config, 900), [0.3] * 450 + [0.03] * 450)
    assert rates(OptimizerConfig(Choice("adam")), 3).tolist() == [OPTIMIZERS["adam"]().lr] * 3


def test_the_range_test_climbs_by_equal_factors():
    config = RangeTest(low=1e-3, high=10.0, steps=401).config
    climb = rates(config, 401)
    np.testing.assert_allclose(climb, 10 ** np.linspace(-3, 1, 401), rtol=1e-12)
    assert ScheduleComparison().tested.iterations == 400


@pytest.mark.parametrize("lam", [0.5, 2.0, 20.0])
def test_a_range_test_on_a_quadratic_turns_at_its_limit(lam):
    """Descent on ½λx² comes down as long as the rate is below 2/λ, and goes up from there on."""
    climb, loss = quadratic(lam, 0.0)
    found = read(climb, loss)
    assert climb[np.nanargmin(loss[:, 0])] == pytest.approx(2 / lam, rel=0.02)
    assert found.steepest < found.lowest
    assert found.lowest == pytest.approx(2 / lam, rel=0.1)
    noisy = read(*quadratic(lam, 0.1))
    assert noisy.steepest < noisy.lowest < 2 / lam, (
        "with noise the lowest point comes before the limit"
    )
    assert 1 / lam < noisy.blown < 3 / lam


def quadratic(lam, noise):
    """Rates from far below the limit to far above, and the losses `(600, seeds)` of descent on ½λ(x² + y²)."""
    n, growth = 600, SCHEDULES["growth"](decades=4.0, steps=599)
    f, opt = parse_formula(f"{lam / 2}*(x**2 + y**2)"), OPTIMIZERS["sgd"](lr=100 / lam)
    if noise:
        run = minimize(
            f, opt, (1.0, -1.0), n, NOISES["gaussian"](scale=noise * lam), growth, list(range(9))
        )
    else:
        run = minimize(f, opt, (1.0, -1.0), n, schedule=growth)
    return 100 / lam * np.array([growth(t) for t in range(n)]), run.values[:n].reshape(n, -1)


def test_a_range_test_finds_a_good_rate_for_the_net():
    """Of the rates that are kept (0.003, 0.1, 0.5): near the good one; the high one is beyond the blow-up."""
    test = replace(ScheduleComparison(), seeds=SEEDS[:3]).tested
    found = read(rates(test.optimizer, test.iterations), end(test).loss[:, 0])
    assert 0.03 < found.steepest < 0.2
    assert 0.2 < found.blown < 0.5
    deep = ScheduleComparison(network=Network((64, *[50] * 6, 10))).tested
    assert read(rates(deep.optimizer, deep.iterations), end(deep).loss[:, 0]).blown < found.blown, (
        "deeper is touchier"
    )


NOT_READABLE = {
    "sigmoid: from 2.58 to 2.24, where a guess has 2.30": (
        replace(ScheduleComparison(), network=Network((64, 50, 50, 10), Choice("sigmoid"))),
        "flat",
    ),
    "mini-batches of one": (replace(ScheduleComparison(), batch=1), "flat"),
    "ten times mini-batches of one": (
        replace(ScheduleComparison(), batch=1, seeds=tuple(range(10))),
        "flat",
    ),
    "weights near zero": (
        replace(
            ScheduleComparison(),
            network=Network((64, *[50] * 4, 10), initializer=Choice("normal", {"sigma": 0.01})),
        ),
        "flat",
    ),
    "the same of a few large mini-batches": (ScheduleComparison(batch=128), ""),
}


@table("spec, flaw", NOT_READABLE.values())
def test_noise_is_no_advice(spec, flaw):
    test = spec.tested
    found = read(rates(test.optimizer, test.iterations), end(test).loss[:, 0], np.log(10))
    assert found.flaw == flaw
    assert np.isfinite(found.steepest) == (not flaw)


def test_a_small_drop_within_the_noise_is_none():
    climb = 10 ** np.linspace(-4, 1, 400)
    loss = np.random.default_rng(0).normal(3.0, 1.0, (400, 1)) - np.linspace(0, 1, 400)[:, None]
    assert read(climb, loss).flaw == "noisy"
    assert read(climb, loss.mean() - np.linspace(0, 2, 400)[:, None]).flaw == ""


def test_reading_what_says_nothing():
    climb = 10 ** np.linspace(-4, 1, 100)
    flat = read(climb, np.full((100, 1), 2.3))
    assert np.isnan(flat.steepest)
    assert np.isnan(flat.blown)
    early = read(climb, np.full((3, 2), 2.3))
    assert len(early.rates) == 3
    assert np.isnan(early.steepest)
    assert len(read(climb, np.empty((0, 1))).rates) == 0
    lost = read(climb, np.r_[np.full(40, 2.0), np.full(60, np.nan)][:, None])
    assert lost.left == climb[40]
    assert len(lost.rates) == 40


def test_a_fresh_schedule_has_its_effect_within_the_training():
    for key in SCHEDULES:
        for iterations in (20, 900, 5000):
            config = OptimizerConfig(Choice("sgd"), (), {"lr": fitted(key, iterations)})
            validate(ScheduleComparison(optimizers=(config,), iterations=iterations))
            span = rates(config, iterations)
            assert key == "constant" or span.min() < 0.7 * span.max(), (key, iterations)


@table(
    ("wrong", "says"),
    [
        ({"optimizers": (OptimizerConfig(Choice("sgd")),) * 9}, "0 to 8 optimizers"),
        ({"test": RangeTest(Choice("sgd", {"lr": 0.1}))}, "rate"), ({"test": RangeTest(low=0.1, high=0.5)}, "power of ten"),
        ({"test": RangeTest(Choice("newton"))}, "P × P"), ({"optimizers": (OptimizerConfig(Choice("sgd"), (), {"lr": Choice("nope")}),)}, "nope"), ({"test": RangeTest(high=float("nan"))}, "high must be"),
        ({"network": Network((3, 4))}, "inputs"),
    ],
)  # fmt: skip
def test_what_could_not_have_been_set_is_refused(wrong, says):
    with pytest.raises(SpecError, match=says):
        validate(replace(ScheduleComparison(), **wrong))


def test_looks_are_a_hundred_at_most():
    assert [every(n) for n in (0, 100, 900, 1000, 5000, 20_000)] == [1, 1, 10, 10, 50, 200]


def test_the_growing_rate_on_the_bowl_by_hand():
    growth = SCHEDULES["growth"](decades=1.0, steps=4)
    run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=0.5), (-7, 2), 5, schedule=growth)
    np.testing.assert_allclose(
        run.points[1], np.array([-7, 2]) * (1 - 0.05 * np.array([0.1, 2])), rtol=1e-12
    )
    np.testing.assert_allclose(
        run.points[5], run.points[4] * (1 - 0.5 * np.array([0.1, 2])), rtol=1e-12, atol=1e-15
    )
