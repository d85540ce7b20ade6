"""Width and rate: the table of the paper, that the best rate stays, the page once through."""

import re
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.page import Context
from optviz.experiments.width.page import PAGE, curves, losses_csv, over_rate, standings, verdict
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT
from optviz.spec import Choice, SpecError, validate
from optviz.training import Data, Split, Training, advance, begin, load
from tests.memo import trained
from tests.page import csv_rows, open_page, plots, sound
from tests.page import trained as with_trained
from tests.table import table

SCENE = PAGE.opening
SMALL = replace(SCENE, widths=(32, 64), split=Split(100, validation=0.5), iterations=10)


def context(spec):
    return Context(PAGE, spec, [trained(t) for t in spec.trainings], LIGHT)


def cells(spec):
    """The cell of the best rate at every width, in both parametrizations."""
    return [[c.best for c in found] for found in curves(spec, context(spec).states)]


def of_width(n, base):
    sizes = (64, n, n, 10)
    return Network(sizes, Choice("tanh"), Choice("book"), "float64", base_width=base)


# Table 3 of the paper, by hand, at 4 times the base width: for W and b of the first, the hidden and
# the last layer what the rate is multiplied by.
@table(
    ("adaptive", "weights", "biases"),
    [(True, [1, 1 / 4, 1 / 4], [1, 1, 1]), (False, [4, 1, 1 / 4], [4, 4, 1])],
)
def test_rates_of_the_layers_are_those_of_the_paper(adaptive, weights, biases):
    network = of_width(128, 32)
    layers = [p for p in network.views(network.rate_factors(adaptive)) if p]
    for p, weight, bias in zip(layers, weights, biases, strict=True):
        assert np.all(p["W"] == weight)
        assert np.all(p["b"] == bias)


def test_only_the_last_weights_begin_smaller():
    """The standard deviations: 1/√fan-in, of the last layer 1/fan-in as far as it is wider."""
    network = of_width(512, 32)
    found = [p["W"].std() for p in network.views(network.init(0)) if p]
    expected = [1 / 64**0.5, 1 / 512**0.5, 32**0.5 / 512]
    np.testing.assert_allclose(found, expected, rtol=0.02)


# What the authors' package (mup 1.0.0: MuReadout, MuAdam, MuSGD) comes to after seven steps.
@table(
    ("optimizer", "values", "loss"),
    [
        ("adam", {"lr": 0.01, "eps": 1e-12}, 1.5617488),
        ("sgd", {"lr": 0.1}, 2.149722996836),
        ("momentum", {"lr": 0.05, "momentum": 0.9}, 2.112027081000),
    ],
)
def test_a_training_comes_to_what_the_package_of_the_authors_does(optimizer, values, loss):
    network, rng = of_width(128, 32), np.random.default_rng(0)
    x, t = rng.random((40, 64)), rng.integers(0, 10, 40)
    start = network.init(3)
    start += 0.01 * rng.standard_normal(start.shape)
    config = OptimizerConfig(Choice(optimizer, values))
    training, data = Training(network, config, batch=0, iterations=8), Data(x, t, x, t)
    now = advance(begin(training, data, start[None, None]), data, 8)
    assert now.loss[7, 0, 0] == pytest.approx(loss, abs=1e-9 if optimizer != "adam" else 2e-7)


@table("optimizer", ["adam", "sgd", "momentum"])
def test_at_the_base_width_both_parametrizations_are_one_to_the_bit(optimizer):
    spec = replace(SMALL, optimizer=optimizer, widths=(64,), base_width=64)
    standard, mup = (trained(t) for t in spec.trainings)
    np.testing.assert_array_equal(standard.params, mup.params)


@table(("optimizer", "lr"), [("adam", 2**-7), ("sgd", 0.125), ("momentum", 0.03)])
def test_steps_move_the_coordinates_as_much_in_wide_networks_with_mup_alone(optimizer, lr):
    """The coordinate check (appendix D.1): how far the sums of each layer move on some rows within
    three steps, at width 1000 over at width 64.
    """

    def moved(n, base):
        config = OptimizerConfig(Choice(optimizer, {"lr": lr}))
        training = Training(of_width(n, base), config, split=Split(300), batch=64, seeds=(0, 1, 2))
        data = load(training)
        data = data._replace(x_test=data.x[:1], t_test=data.t[:1])  # nobody asks for an accuracy
        begun = begin(training, data)
        there = (begun, advance(begun, data, 3))
        outputs = (training.network.forward(now.params, data.x[:50]).outputs for now in there)
        return np.array([np.abs(b - a).mean() for a, b in zip(*outputs, strict=True)])[::2]

    standard, mup = (moved(1000, base) / moved(64, base) for base in (0, 64))
    assert standard[-1] > 4
    assert 0.6 < mup.min() < mup.max() < 1.2


def test_the_best_rate_moves_by_a_doubling_with_every_width_and_with_mup_at_most_by_one():
    standard, mup = cells(SCENE)
    assert standard == [7, 6, 5, 4, 3]
    assert max(mup) - min(mup) <= 1
    what_is_said_and_kept()  # here, or two processes would train all this at once


@pytest.mark.slow
def test_so_it_is_from_another_start():
    standard, mup = cells(replace(SCENE, seeds=(2,), widths=SCENE.widths[::2]))
    assert standard[0] - standard[-1] >= 3
    assert max(mup) - min(mup) <= 1


def what_is_said_and_kept():
    """The verdict says what the figure shows, and the file has every network."""
    found = context(SCENE)
    standard, mup = curves(found.spec, found.states)
    assert "by a factor of 16 in the standard parametrization and 2" in verdict(found)
    rings = [m.x[0] for panel in over_rate(found).panels for m in panel.marks if "best" in m.uid]
    rates = 2.0 ** np.arange(-11, -1)
    assert rings == [rates[c.best] for c in (*standard, *mup)]
    assert [row[1] for row in standings(found).rows] == [2.0**-k for k in (4, 5, 6, 7, 8)]
    rows = csv_rows(losses_csv(found))
    assert len(rows) == 5 * 2 * 10 * 2
    assert {row["parametrization"] for row in rows} == {"standard", "mup"}


@table("widths", [(), (64, 32), (32, 32), (33,)])
def test_widths_are_some_of_those_offered(widths):
    with pytest.raises(SpecError):
        validate(replace(SCENE, widths=widths))


def test_networks_that_diverge_have_no_best_rate():
    spec = replace(SMALL, optimizer="sgd", seeds=(0,))
    states = [replace(trained(t), loss=np.full((10, 10, 1), np.nan)) for t in spec.trainings]
    found = Context(PAGE, spec, states, LIGHT)
    assert {c.best for side in curves(found.spec, found.states) for c in side} == {None}
    assert "every rate diverges" in verdict(found)
    assert over_rate(found).panels
    assert len(standings(found).rows) == 2


def test_the_page_trains_and_draws():
    at = open_page("width", SMALL)
    assert plots(at)["width-over_rate"] is not None
    at = with_trained(at, "width")
    assert not sound(at).error
    # the test set is asked about the best rate of each width alone, behind the button
    [button] = [b for b in at.button if b.label == "Evaluate on the test set"]
    button.click().run()
    [shown] = [h.value for h in sound(at).get("html") if "Accuracy on the test set" in h.value]
    cells = re.findall(r"width \d+, \w+</th><td>[^<]*</td><td>([^<]*)", shown)
    training = SMALL.trainings[0]  # width 32 in the standard parametrization, of all rates
    state, data = trained(training), load(training, final=True)
    cell = np.nanmedian(state.loss.mean(0), -1).argmin()  # over all of its ten mini-batches
    found = []
    for params in state.params[cell].astype(float):
        one, _, two, _, last = training.network.views(params)
        a = np.tanh(np.tanh(data.x_test @ one["W"] + one["b"]) @ two["W"] + two["b"])
        found.append(((a @ last["W"] + last["b"]).argmax(1) == data.t_test).mean())
    assert len(cells) == 4
    assert cells[0] == f"{100 * np.median(found):.1f}%"
