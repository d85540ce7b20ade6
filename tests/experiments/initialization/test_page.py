"""The initialization page: what is found and said below Streamlit, then the page itself."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optviz.experiments.activations.run import hidden_layers
from optviz.experiments.initialization import figures, text
from optviz.experiments.initialization.inspector import SAMPLES, Inspector, Units
from optviz.experiments.initialization.page import PAGE, iterations, matrix_names
from optviz.experiments.initialization.spec import (
    MAX_SNAPSHOT_NUMBERS,
    MAX_SNAPSHOTS,
    SYMMETRY,
    Initialization,
    names,
    snapshot_interval,
)
from optviz.experiments.page import Context
from optviz.experiments.training_charts import curves_csv
from optviz.nn import INITIALIZERS, Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT, to_plotly
from optviz.shell.share import decode
from optviz.spec import Choice, SpecError, validate
from optviz.training import Split, Training, load
from optviz.training.scheduler import scheduler
from tests import page
from tests.memo import trained
from tests.page import (
    components,
    csv_rows,
    labeled,
    numbers,
    open_page,
    panels,
    plots,
    session,
    sound,
)

SMALL = Initialization(Network((64, 20, 20, 10)), iterations=40)
LOST = OptimizerConfig(Choice("sgd", {"lr": 1e6}))


def context(spec, t=10**6, network=0, matrix=0):
    """The page's context after all iterations of a spec."""
    states = [trained(training) for training in spec.trainings]
    return Context(
        PAGE, spec, states, LIGHT, {"iteration": t, "network": network, "matrix": matrix}
    )


# The spec.


@given(st.integers(1, 20_000), st.integers(1, 10**8))
def test_snapshots_stay_within_bounds(iterations, numbers):
    every = snapshot_interval(iterations, numbers)
    assert every % 20 == 0
    assert iterations <= MAX_SNAPSHOTS * every
    assert every >= iterations or iterations // every * numbers <= MAX_SNAPSHOT_NUMBERS
    before = every // 2  # no more than needed
    fits = before >= iterations or iterations // before * numbers <= MAX_SNAPSHOT_NUMBERS
    assert every == 20 or not (iterations <= MAX_SNAPSHOTS * before and fits)


def test_names_tell_twins_from_each_other():
    twins = (
        Choice("normal"),
        Choice("he_normal"),
        Choice("normal"),
        Choice("constant", {"c": 2.0}),
    )
    assert names(twins) == [
        "normal (σ = 0.01) #1",
        "He",
        "normal (σ = 0.01) #2",
        "constant (c = 2)",
    ]


def test_what_cannot_be_trained_is_refused():
    every = [(training.snapshot_every, training.eval_every) for training in SYMMETRY.trainings]
    assert every == [(20, 20)] * 3
    large = replace(SMALL, network=Network((64, *[1000] * 12, 10)), seeds=tuple(range(20)))
    for bad, why in (
        (replace(SMALL, initializers=(Choice("he_normal"),) * 9), "0 to 8 initializers"),
        (replace(SMALL, initializers=(Choice("x"),)), "no initializer 'x'"),
        (replace(SMALL, network=Network((3, 10))), "inputs"),
        (large, "are allowed"),
    ):
        with pytest.raises(SpecError, match=why):
            validate(bad)


# What is found in a training.


def test_the_pattern_of_the_book():
    found = context(Initialization(), network=2)
    small, root, he = (now.accuracy[-1, 0, 0, 0] for now in found.states)
    now = found.states[0]
    assert small < 0.15
    assert root > 0.92
    assert he > 0.97
    assert "reaches every layer" in figures.layers(found)[2]
    assert list(iterations(found)) == sorted(now.snapshots) == list(range(0, 301, 20))
    rows = csv_rows(curves_csv(found.lines, "initializer"))
    assert len(rows) == 3 * 301
    assert float(rows[1]["loss"]) == now.loss[0, 0, 0]
    assert {row["initializer"] for row in rows} == {"normal (σ = 0.01)", "Xavier (1/√n)", "He"}


def test_equal_units_stay_equal():
    spec = replace(SYMMETRY, iterations=300)
    for k in range(3):
        found = context(spec, matrix=k)
        inspector = Inspector(found)
        equal = [inspector.units(inspector.t, i, k) for i in range(3)]
        assert [units.equal for units in equal] == [True, True, False]
        assert [units.rank for units in equal] == [1, 1, 8]
        assert all(units.difference < 1e-11 < units.largest for units in equal[:2])
        shown = figures.symmetry(found)
        assert "All 8 units are equal" in shown[0]
        maps = to_plotly(shown[1])["data"]
        spread = [np.ptp(numbers(m["z"]), axis=0 if k == 2 else 1).max() for m in maps]
        assert max(spread[:2]) < 1e-6 < 0.1 < spread[2]
        ranks = to_plotly(shown[3])
        assert [numbers(t["y"])[-1] for t in ranks["data"]] == [1, 1, 8]
        assert numbers(ranks["data"][0]["x"])[:3].tolist() == [0, 20, 40]
    lines = shown[-1].splitlines()[2:-1]
    assert len(lines) == 8, "of the last matrix a row is a unit"
    assert "**Exactly zero**: at iteration 0" in figures.symmetry(context(spec, t=0))[0]
    assert "**Different**" in figures.symmetry(context(spec, network=2))[0]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_zeros_stay_zeros_without_a_gradient(activation):
    net = Network((64, 8, 8, 10), Choice(activation))
    found = context(
        replace(SMALL, network=net, initializers=(Choice("zeros"), Choice("he_normal")))
    )
    assert not Inspector(found).weights(40, 0)[0].any()
    assert "every one of the 512 weights is 0" in figures.symmetry(found)[0]
    assert "nothing will change" in figures.symmetry(found)[0]
    assert "No gradient at all" in figures.layers(found)[2]


def test_gradient_norms_are_those_of_the_engine():
    found = context(SMALL, t=25, network=1)
    inspector = Inspector(found)
    assert inspector.t == 20, "the last snapshot before"
    training, data = SMALL.trainings[1], load(SMALL.trainings[1])
    params = found.states[1].snapshots[20][0].astype(float)
    norms = hidden_layers(training.network, params, data.x[:SAMPLES], data.t[:SAMPLES])[1]
    line = to_plotly(figures.layers(found)[3])["data"][0]
    assert numbers(line["x"]).tolist() == [0, 20, 40]
    assert numbers(line["y"])[1] == pytest.approx(norms[0])
    assert text.norms_table(inspector).rows[1][1:] == pytest.approx(norms)


@given(st.integers(2, 6), st.integers(2, 6), st.booleans(), st.floats(1e-3, 1e3))
def test_units_by_construction(n, m, last, scale):
    """Equal, proportional and random columns, against what they were made as."""
    rng = np.random.default_rng(n * 10 + m)
    column = scale * (1 + rng.random(n))
    made = {
        "equal": np.outer(column, np.ones(m)),
        "proportional": np.outer(column, 1 + np.arange(m)),
        "different": scale * (np.eye(n, m) + 0.1 * rng.random((n, m))),
    }
    for found, w in made.items():
        units = Units.from_weights(w.T if last else w, last)
        assert units.count == m
        assert text.units_finding(units, 0.5) == found
        assert units.largest == w.max()
        assert units.difference == pytest.approx(np.ptp(w, axis=1).max())


def test_what_is_said_of_a_matrix():
    nearly = np.outer(np.arange(5), np.ones(3)) + 1e-12 * np.random.default_rng(0).random((5, 3))
    cases = [
        (np.zeros((5, 3)), 0.0, "zero_stays"),
        (np.zeros((5, 3)), 0.5, "zero"),
        (nearly, 0.5, "equal"),
        (np.ones((5, 1)), 0.5, "single"),
        (np.full((5, 3), np.nan), np.nan, "diverged"),
    ]
    for w, gradient, found in cases:
        assert text.units_finding(Units.from_weights(w), gradient) == found
        assert "nan" not in text.units_remark(Units.from_weights(w), gradient, 7)
    drawn = [(found, w, Units.from_weights(w)) for w, _gradient, found in cases]
    json.dumps(to_plotly(figures.matrices(drawn, LIGHT)))


@pytest.mark.parametrize(
    ("activation", "found"),
    [("sigmoid", "zero_yet"), ("tanh", "zero_stays"), ("relu", "zero_stays")],
)
def test_what_is_said_of_zeros_comes_true(activation, found):
    """Before the first update W1 and its gradient are 0; whether that stays is seen in the end."""
    net = Network((64, 10, 10, 10), Choice(activation), Choice("zeros"))
    opt = OptimizerConfig(Choice("sgd", {"lr": 0.5}))
    training = Training(net, opt, iterations=20)
    data, params = load(training), training.start()[0, 0]
    norms = hidden_layers(net, params, data.x[:SAMPLES], data.t[:SAMPLES])[1]
    [w1, *_rest] = (views["W"] for views in net.views(params) if "W" in views)
    assert not w1.any()
    assert text.units_finding(Units.from_weights(w1), norms[0], norms.max()) == found
    after = net.views(trained(training).params[0, 0])[0]["W"]
    assert after.any() == (found == "zero_yet")


@pytest.mark.parametrize(
    ("norms", "found"),
    [
        ((0, 0, 0), "none"),
        ((np.nan, 1, 1), "overflow"),
        ((0, 1, 1), "partial"),
        ((1e-6, 1e-6, 1e-6), "vanishing"),
        ((1e-4, 1e-2, 0.1), "fading"),
        ((10, 1, 0.1), "growing"),
        ((1, 1, 1), "healthy"),
    ],
)
def test_what_is_said_of_gradients(norms, found):
    assert text.gradient_finding(np.array(norms, float), np.ones(3)) == found
    assert "{" not in text.gradient_remark(np.array(norms, float), np.ones(3))
    if found == "partial":
        assert "No gradient reaches W1**" in text.gradient_remark(np.array(norms), np.ones(3))


@pytest.mark.parametrize(
    "spec",
    [
        replace(SMALL, optimizer=LOST),
        replace(
            SMALL, optimizer=LOST, seeds=(0, 1), initializers=(Choice("normal", {"sigma": 100.0}),)
        ),
        replace(
            SMALL, initializers=(Choice("normal", {"sigma": 0.0}), Choice("constant", {"c": -10.0}))
        ),
        replace(
            SMALL,
            network=Network((64, *[20] * 11, 10), Choice("identity")),
            initializers=(Choice("normal", {"sigma": 100.0}),),
        ),
        replace(SMALL, network=Network((64, *[20] * 11, 10), Choice("sigmoid")), iterations=10),
        replace(SMALL, network=Network((64, 10))),
        replace(
            SMALL, initializers=tuple(map(Choice, list(INITIALIZERS)[:8])), batch=1, iterations=10
        ),
        replace(
            SMALL,
            network=Network((2, 10, 2), Choice("tanh")),
            dataset=Choice("moons"),
            split=Split(200),
        ),
    ],
    ids=lambda spec: (
        f"{spec.network.activation.key}-{len(spec.network.sizes)}-{len(spec.initializers)}"
    ),
)
def test_extreme_settings_have_pictures_and_words(spec):
    found = context(spec)
    for network in range(len(spec.initializers)):
        for t in (0, spec.iterations):
            options = {"iteration": t, "network": network, "matrix": len(matrix_names(found)) - 1}
            shown = found.with_options(options)
            for made in (*figures.layers(shown), *figures.symmetry(shown)):
                if isinstance(made, str):
                    assert "nan" not in made
                elif hasattr(made, "frames"):
                    json.dumps(to_plotly(made))
    if spec.optimizer == LOST:
        assert "has diverged" in "".join(map(str, figures.layers(found.with_options(options))))


# The page.


def opened(spec=None):
    return open_page("initialization", spec)


def test_it_opens_before_the_first_update():
    at = opened()
    assert session(at).specs["initialization"] == Initialization()
    drawn = plots(at)
    assert [len(drawn[f"initialization-{k}"]["data"]) for k in ("layers-0", "layers-3")] == [8, 5]
    assert "Vanishing" in page.text(at), "σ = .01 is looked at first"
    assert "Shown: iteration 0, normal" in page.text(at)


def test_a_training_its_iterations_its_tabs_and_its_link():
    spec = replace(SMALL, seeds=(0, 1))
    at = page.trained(opened(spec), "initialization")
    assert "Shown: iteration 40, normal (σ = 0.01), seed 0." in page.text(at)
    before = list(session(at).results["initialization"].states.values())
    at.select_slider[0].set_value(20).run()
    assert "Shown: iteration 20" in page.text(sound(at))
    at.session_state["initialization-tabs"] = "Symmetry"
    at.run()
    assert "Shown: iteration 20" in page.text(sound(at)), "what is looked at stays"
    assert len(plots(at)["initialization-symmetry-1"]["data"]) == 3
    assert [id(s) for s in before] == [
        id(s) for s in session(at).results["initialization"].states.values()
    ], "looking does not train"
    link = components(at, "address")[0]["link"].removeprefix("?s=")
    assert decode(link, "initialization").scene == spec


def test_one_sigma_and_one_more_seed_leave_the_other_trainings_as_they_are():
    spec = replace(SMALL, initializers=(Choice("normal", {"sigma": 0.1}), Choice("book")))
    at = page.trained(open_page("initialization", spec), "initialization")
    for changed, done in (
        (replace(spec, initializers=(Choice("normal", {"sigma": 0.2}), Choice("book"))), [0, 40]),
        (replace(spec, seeds=(0, 1)), [40, 0, 40, 0]),
    ):
        session(at).specs["initialization"] = changed
        sound(at.run())
        keys = list(session(at).results["initialization"].seen)[-len(done) :]
        assert [scheduler().peek(key).iteration for key in keys] == done


def test_the_preset_shows_the_symmetry():
    at = opened()
    at.button(key="preset-Show the symmetry").click().run()
    assert session(sound(at)).specs["initialization"] == SYMMETRY
    results = session(at).results["initialization"]
    assert results.running or any(s.iteration for s in results.states.values())
    assert "initialization-symmetry-1" in plots(at), "its tab is open"
    at.session_state["initialization-tabs"] = "Layers at an iteration"
    at.run()
    assert "initialization-symmetry-1" in plots(at), (
        "a browser that is behind does not turn it back"
    )


def test_initializers_are_chosen_and_none_is_too_few():
    at = opened(SMALL)
    at.multiselect[0].set_value(["normal", "he_normal", "zeros", "orthogonal"]).run()
    assert session(sound(at)).specs["initialization"].initializers == (
        Choice("normal", {"sigma": 0.01}), Choice("he_normal"), Choice("zeros"), Choice("orthogonal"),
    )  # fmt: skip
    assert {"normal (σ = 0.01)", "orthogonal (g = 1)"} <= set(panels(at))
    labeled(at.selectbox, "Data").set_value("spirals").run()
    assert session(sound(at)).specs["initialization"].network.sizes[0] == 2
    at.multiselect[0].set_value([]).run()
    assert "No initializer" in sound(at).info[0].value


def test_what_is_wrapped_around_the_optimizer_outlives_another_one():
    at = open_page("initialization")
    pills = labeled(at.get("button_group"), "Modifiers")
    pills.set_value(["clipped", "averaged"]).run()
    wrappers = session(sound(at)).specs["initialization"].optimizer.wrappers
    assert [one.key for one in wrappers] == ["clipped", "averaged"]
    menu = labeled(at.selectbox, "Optimizer")
    menu.set_value("adam").run()
    optimizer = session(sound(at)).specs["initialization"].optimizer
    assert (optimizer.method.key, optimizer.wrappers) == ("adam", wrappers)
