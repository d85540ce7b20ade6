"""The learning-rate schedules page in AppTest: what is known before training, presets, extremes, the range test, links."""

import json
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.lr_schedules import page
from optviz.experiments.lr_schedules.spec import (
    FOUR_RATES,
    KINDS,
    RangeTest,
    ScheduleComparison,
    every,
    sgd,
)
from optviz.experiments.page import Context
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import LIGHT
from optviz.shell.share import decode
from optviz.spec import Choice
from optviz.training import Split, advance, begin, load
from tests import memo
from tests.page import (
    components,
    csv_rows,
    numbers,
    open_page,
    panels,
    plots,
    session,
    sound,
    text,
    trained,
)

STEP = sgd(0.3, Choice("step", {"gamma": 0.1, "first": 100, "every": 100}))
SMALL = ScheduleComparison(
    optimizers=(sgd(0.3), STEP), network=Network((64, 20, 10)), batch=16, iterations=200, seeds=(0,)
)
RANGE = replace(SMALL, view="range", test=RangeTest(steps=80))


def opened(scene=None):
    return open_page("lr_schedules", scene)


def rate_lines(at):
    return {
        t["name"]: t for t in plots(at)["lr_schedules-losses"]["data"] if t.get("yaxis") == "y2"
    }


def kept(at):
    return list(session(at).results["lr_schedules-schedules"].states.values())


def test_the_rates_are_there_before_anything_is_trained():
    at = opened()
    assert session(at).specs["lr_schedules"] == ScheduleComparison()
    lines = rate_lines(at)
    assert list(lines) == ["SGD (constant)", "SGD (step)"]
    x, y = (numbers(lines["SGD (step)"][c]) for c in "xy")
    np.testing.assert_allclose(y, np.where(x < 450, 0.3, 0.03))
    assert {449.0, 450.0} <= set(x), "the edge is drawn as one"
    layout = plots(at)["lr_schedules-losses"]["layout"]
    assert layout["yaxis"]["domain"][0] > layout["yaxis2"]["domain"][1], "the rate under the loss"
    assert layout["xaxis"]["anchor"] == "y2"
    assert "not begun" in text(at)


def test_a_rate_follows_its_knob():
    at = opened()
    scene = session(at).specs["lr_schedules"]
    session(at).specs["lr_schedules"] = replace(
        scene, optimizers=(scene.optimizers[0], replace(STEP, method=Choice("sgd", {"lr": 1.0})))
    )
    y = numbers(rate_lines(sound(at.run()))["SGD (lr 1, step)"]["y"])
    assert (y[0], y[-1]) == (1.0, pytest.approx(0.1**8))


def test_training_draws_both_losses_and_says_what_the_cut_did():
    at = trained(opened(SMALL), "lr_schedules-schedules")
    step = next(n for n in kept(at) if n.training.optimizer.schedules)
    data = load(step.training)
    alone = advance(begin(step.training, data), data, 200)
    assert np.array_equal(step.loss, alone.loss)
    [whole] = [t for t in plots(at)["lr_schedules-losses"]["data"] if t["uid"] == "r1w"]
    assert numbers(whole["x"]).tolist() == list(range(0, 201, every(200)))
    np.testing.assert_array_equal(numbers(whole["y"]), step.cross_entropy[:, 0, 0, 0])
    said = text(at)
    assert "At iteration 100 the rate is multiplied by 0.1" in said
    assert "one seed" in said
    at.get("button_group")[2].set_value("mini-batches").run()  # after view and tab
    curves = {t["uid"]: t for t in plots(sound(at))["lr_schedules-losses"]["data"]}
    assert len(numbers(curves["r1"]["y"])) == 200
    at.toggle(key="lr_schedules-log-True").set_value(False).run()
    assert plots(sound(at))["lr_schedules-losses"]["layout"]["yaxis"].get("type") != "log"
    assert all(n.done for n in kept(at)), "what is only shown otherwise is not trained again"


@pytest.mark.parametrize(
    ("label", "scene"),
    [("All kinds", KINDS), ("Four rates", FOUR_RATES), ("Step decay", ScheduleComparison())],
)
def test_presets(label, scene):
    at = opened(SMALL)
    at.button(key=f"preset-{label}").click().run()
    assert session(sound(at)).specs["lr_schedules"] == scene
    assert len(rate_lines(at)) == len(scene.optimizers)
    log = plots(at)["lr_schedules-losses"]["layout"]["yaxis2"].get("type", "linear")
    assert log == ("log" if label == "Four rates" else "linear"), "rates far apart are told apart"
    link = components(at, "address")[0]["link"]
    assert decode(link.removeprefix("?s="), "lr_schedules").scene == scene


def test_a_schedule_is_chosen_and_another_added():
    at = opened(SMALL)
    [schedule] = [s for s in at.selectbox if "optimizers-1-of-2-schedules" in s.key]
    schedule.set_value("cosine").run()
    assert session(sound(at)).specs["lr_schedules"].optimizers[1].schedules == {
        "lr": Choice("cosine", {"steps": 200})
    }
    assert "SGD (cosine): schedule" in panels(at)
    at.button(key=f"lr_schedules-lr_schedules-optimizers-add-{session(at).epoch}").click().run()
    assert session(sound(at)).specs["lr_schedules"].optimizers[2] == STEP
    [schedule] = [s for s in at.selectbox if "optimizers-0-of-3-schedules" in s.key]
    schedule.set_value("warmup").run()
    assert [r.schedules["lr"].key for r in session(sound(at)).specs["lr_schedules"].optimizers] == [
        "warmup",
        "cosine",
        "step",
    ]


@pytest.mark.parametrize(
    "scene",
    [
        replace(SMALL, optimizers=(sgd(10.0), sgd(1e-4))),
        replace(SMALL, optimizers=(sgd(0.3, Choice("growth", {"decades": 8.0, "steps": 199})),), seeds=(0, 1)),
        replace(SMALL, network=Network((64, 10))), replace(SMALL, network=Network((64, *[10] * 12, 10)), iterations=20),
        replace(SMALL, optimizers=(OptimizerConfig(Choice("lbfgs", {"lr": 0.1})), OptimizerConfig(Choice("adam", {"lr": 0.01}))), iterations=10),
        replace(SMALL, optimizers=(sgd(0.3, Choice("step", {"gamma": 1.0, "first": 0, "every": 1})),), iterations=10),
        replace(SMALL, optimizers=(sgd(0.3, Choice("cyclic", {"period": 1})),)),
        replace(SMALL, dataset=Choice("moons"), network=Network((2, 10, 2)), split=Split(150), batch=1, seeds=(0, 1, 2)),
        replace(SMALL, optimizers=()),
    ],
)  # fmt: skip
def test_extreme_settings(scene):
    at = opened(scene)
    if scene.optimizers and scene.iterations:
        at = trained(at, "lr_schedules-schedules")
        json.dumps(plots(at))
        assert len(rate_lines(at)) == len(scene.optimizers)
    elif not scene.optimizers:
        assert any("No optimizer yet" in i.value for i in at.info)
        at.button(key=f"lr_schedules-lr_schedules-optimizers-add-{session(at).epoch}").click().run()
        assert len(session(sound(at)).specs["lr_schedules"].optimizers) == 1


@pytest.mark.parametrize(
    "test",
    [
        RangeTest(steps=80), RangeTest(Choice("adam"), 1e-6, 1e-3, 50), RangeTest(low=1.0, high=10.0, steps=50),
        RangeTest(Choice("momentum", {"momentum": 0.99}), steps=60),
    ],
)  # fmt: skip
def test_the_range_test(test):
    at = opened(replace(RANGE, test=test))
    assert plots(at)["lr_schedules-range_test-0"]["layout"]["xaxis"]["range"] == pytest.approx(
        [np.log10(test.low), np.log10(test.high)]
    )
    at = trained(at, "lr_schedules-range")
    json.dumps(plots(at))
    [raw] = [t for t in plots(at)["lr_schedules-range_test-0"]["data"] if t["uid"] == "raw"]
    x = numbers(raw["x"])
    assert x[0] == pytest.approx(test.low)
    np.testing.assert_allclose(x[1:] / x[:-1], (test.high / test.low) ** (1 / (test.steps - 1)))
    assert "The learning rates that are marked" in text(at)


def test_the_rate_that_was_found_is_trained_with():
    at = trained(
        opened(replace(RANGE, test=RangeTest(Choice("momentum"), steps=150))), "lr_schedules-range"
    )
    at.button(key="range-use").click().run()
    scene = session(sound(at)).specs["lr_schedules"]
    assert scene.view == "schedules"
    assert scene.optimizers[:2] == RANGE.optimizers
    assert scene.optimizers[2].method.key == "momentum"
    assert 1e-3 < scene.optimizers[2].method.values["lr"] < 0.5


def test_the_ends_of_the_range_give_way():
    at = opened(RANGE)
    session(at).specs["lr_schedules"] = replace(RANGE, test=RangeTest(low=1e-2))
    panel = panels(sound(at.run()))["LR range test"]
    assert panel["values"] == {"low": 1e-2, "high": 10.0, "steps": 400}
    for low, new, ends in (
        (1e-2, {"high": 0.02}, (0.002, 0.02)),
        (1e-4, {"low": 1.0}, (1.0, 10.0)),
    ):
        before = replace(RANGE, test=RangeTest(low=low, high=1.0))
        test = page._keep_a_decade(before, replace(before, test=replace(before.test, **new))).test
        assert (test.low, test.high) == pytest.approx(ends)


def test_curves_as_csv():
    at = trained(opened(SMALL), "lr_schedules-schedules")
    context = Context(page.PAGE, SMALL, [kept(at)[0], kept(at)[1]], LIGHT)
    [_constant, step] = page.rates_along(context.lines)
    found = csv_rows(page.curves_csv(context))
    assert len(found) == 2 * 200
    last = found[-1]
    assert float(last["rate"]) == step[-1]
    assert float(last["loss_after_on_training_set"]) == context.states[1].cross_entropy[-1, 0, 0, 0]
    assert found[0]["loss"] == repr(float(context.states[0].loss[0, 0, 0]))
    assert found[0]["validation_accuracy"] == ""
    beside = replace(context, kept_lines=[context.lines[1]._replace(name="batch 8")])
    both = csv_rows(page.curves_csv(beside))
    assert both[:400] == found
    assert both[400:] == [row | {"optimizer": "batch 8"} for row in found[200:]]


def test_a_range_test_as_csv_leaves_losses_that_are_not_finite_empty():
    training = replace(RANGE, test=replace(RANGE.test, steps=20)).tested
    state = memo.trained(training)
    loss = state.loss.copy()
    loss[-1] = np.nan
    context = Context(page.PAGE, RANGE, [replace(state, loss=loss)], LIGHT)
    rows = csv_rows(page.range_csv(context))
    assert [int(row["step"]) for row in rows] == list(range(state.iteration))
    column = f"loss_seed_{training.seeds[0]}"
    assert float(rows[0][column]) == state.loss[0, 0, 0]
    assert (rows[-1][column], rows[-1]["smoothed"]) == ("", "")


@pytest.mark.parametrize(
    "scene", [ScheduleComparison(), KINDS, FOUR_RATES, RANGE, ScheduleComparison(optimizers=())]
)
def test_thumbnails(scene):
    picture = page.PAGE.thumbnail_svg(scene, LIGHT)
    assert picture.count("stroke=") >= (1 if scene is RANGE else len(scene.optimizers))
    assert "nan" not in picture
