"""Optimizers on digits: what is found and said below Streamlit, then the page itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.optimizer_comparison import figures
from optviz.experiments.optimizer_comparison.page import PAGE
from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.experiments.page import Context, Row
from optviz.experiments.training_charts import curves, curves_csv
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT, to_plotly, training
from optviz.shell.lessons import LESSONS
from optviz.spec import Choice
from optviz.training import Split, confusion
from optviz.training.checkpoint import save
from tests import page
from tests.memo import trained
from tests.page import csv_rows, labeled, open_page, panels, plots, refused, session, sound
from tests.table import table

SMALL = OptimizerComparison(network=Network((64, 20, 10)), iterations=40, batch=32)
SGD = OptimizerConfig(Choice("sgd"))


def context(spec, **options):
    """The page's context after all iterations of a spec."""
    show = {
        "smooth": True,
        "log": False,
        "test": False,
        "along": "iterations",
        "network": 0,
        **options,
    }
    return Context(PAGE, spec, [trained(t) for t in spec.trainings], LIGHT, show)


def standings(found):
    """The table's rows as text; the last column is the status."""
    return [[str(cell) for cell in row] for row in training.standings(found.lines, "").rows]


# What is found in the trainings.


@pytest.mark.parametrize(
    "spec",
    [
        replace(SMALL, network=Network((64, 10)), iterations=10),
        replace(SMALL, network=Network((64, *[10] * 8, 10)), iterations=10),
        replace(SMALL, optimizers=(OptimizerConfig(Choice("sgd", {"lr": 10.0})),)),
        replace(
            SMALL,
            optimizers=(SGD,),
            network=Network((64, 20, 10), initializer=Choice("normal", {"sigma": 0.0})),
        ),
        replace(
            SMALL,
            optimizers=(SGD,),
            network=Network((64, 20, 10), Choice("relu"), Choice("constant")),
            batch=1,
        ),
        OptimizerComparison(
            Network((2, 10, 2)),
            dataset=Choice("moons"),
            split=Split(150),
            iterations=20,
            seeds=(0, 1, 2),
        ),
        replace(SMALL, optimizers=(OptimizerConfig(Choice("lbfgs", {"lr": 0.1})),), iterations=10),
        replace(
            SMALL,
            optimizers=(
                OptimizerConfig(
                    Choice("sgd", {"lr": 0.1}), (), {"lr": Choice("cosine", {"steps": 20})}
                ),
            ),
        ),
    ],
    ids=range(8),
)
def test_extreme_settings_have_pictures_and_words(spec):
    for options in ({}, {"log": True, "along": "seconds"}, {"network": len(spec.optimizers) - 1}):
        found = context(spec, **options)
        left, right = (to_plotly(figure) for figure in curves(found).parts)
        json.dumps([left, right])
        named = [t for t in left["data"] if t["mode"] == "lines" and "hovertemplate" in t]
        assert len(named) >= len(spec.optimizers)
        assert len(standings(found)) == len(spec.optimizers)
        shown = figures.predictions(found)
        assert shown
    assert figures.predictions(context(replace(spec, optimizers=()))) is None


def test_the_loss_on_the_test_set_is_the_one_that_was_measured():
    found = context(SMALL, test=True)
    drawn = {t["uid"]: t for t in to_plotly(curves(found).parts[0])["data"]}
    for i, state in enumerate(found.states):
        line = drawn[f"r{i}test"]
        data = figures.data_of(state.training)
        z = SMALL.network.outputs(state.params[0, 0], data.x_test.astype(np.float32))
        by_hand = (np.log(np.exp(z).sum(-1)) - z[np.arange(len(z)), data.t_test]).mean()
        np.testing.assert_allclose(page.numbers(line["y"])[-1], by_hand, rtol=1e-5)
        assert page.numbers(line["x"])[-1] == SMALL.iterations
    assert not any(
        uid.endswith("test")
        for uid in (t["uid"] for t in to_plotly(curves(context(SMALL)).parts[0])["data"])
    )


def test_a_rate_beyond_all_measure_ends_where_it_diverges():
    """No hyperparameter goes there, but nothing may break where it comes from elsewhere."""
    configs = tuple(
        OptimizerConfig(Choice(key, {"lr": lr}))
        for key in ("sgd", "adam", "lbfgs")
        for lr in (0.0, 1e6)
    )
    spec = OptimizerComparison(
        Network((64, *[10] * 12, 10)), optimizers=configs, iterations=20, batch=16
    )
    found = context(spec, network=1)
    said = {row[0]: row[-1] for row in standings(found)}
    assert "diverged at iteration" in said["SGD (lr 1e+06)"]
    assert said["SGD (lr 0)"] == "done"
    assert "has diverged" in figures.predictions(found)
    figure = to_plotly(curves(found).parts[0])
    assert figure["layout"]["yaxis"]["range"][1] <= 15, "one runaway does not crush the rest"


def test_the_confusion_matrix_and_the_misclassified():
    counts = confusion([0, 0, 1, 2], [0, 1, 1, 2], 3)
    figure = to_plotly(figures.confusion_matrix(counts, range(3), LIGHT, "SGD"))
    pale, strong = (
        list(zip(*(numbers[c] for c in ("y", "x", "text")), strict=True))
        for numbers in figure["data"][1:]
    )
    assert (pale, strong) == (
        [("0", "0", "1"), ("1", "1", "1"), ("2", "2", "1")],
        [("0", "1", "1")],
    )
    right = to_plotly(figures.confusion_matrix(np.diag([4, 5]), range(2), LIGHT, "SGD"))["data"][0]
    assert (right["zmin"], right["zmax"]) == (0, 1), "all pale where nothing is wrong"
    html = figures.pictures(np.eye(4)[:1], [3], [5], range(10), [0.914]).html()
    assert 'alt="true label 3, predicted label 5"' in html
    assert "data:image/png;base64,iVBOR" in html
    assert "3 → 5 (91%)" in html
    shown = figures.predictions(context(SMALL))
    assert isinstance(shown, Row)
    state, data = trained(SMALL.trainings[0]), figures.data_of(SMALL.trainings[0])
    wrong = (SMALL.network.predict(state.params[0, 0], data.x_test) != data.t_test).sum()
    assert f"misclassifies {wrong} of {len(data.t_test)} validation examples" in shown.parts[1][0]


def test_all_networks_at_once_are_those_one_by_one():
    """For digits the confusion matrices, for points in a plane the boundaries."""
    moons = replace(
        SMALL, dataset=Choice("moons"), network=Network((2, 8, 2)), split=Split(200), iterations=20
    )
    for spec in (SMALL, moons):
        every = [
            cell
            for row in figures.predictions(context(spec, network=figures.ALL))
            for cell in row.parts
        ]
        assert [cell[0] for cell in every] == [f"**{line.name}**" for line in context(spec).lines]
        for i, (_name, drawn) in enumerate(every):
            alone = figures.predictions(context(spec, network=i))
            alone = alone.parts[0] if isinstance(alone, Row) else alone
            assert json.dumps(to_plotly(drawn)) == json.dumps(to_plotly(alone))


def test_what_is_said_of_a_drawing_is_the_softmax_of_the_outputs():
    [state, *_] = context(SMALL).states
    x = figures.data_of(SMALL.trainings[0]).x_test[:3]
    z = SMALL.network.outputs(state.params[0, 0], x.astype(np.float32)).astype(float)
    said = figures.probabilities(state, 0, x)
    np.testing.assert_allclose(said, np.exp(z) / np.exp(z).sum(-1, keepdims=True), rtol=1e-5)
    lines = context(SMALL).lines[:2]
    figure = figures.network_probabilities(
        lines, np.array([said[0], np.full(10, np.nan)]), range(10), LIGHT
    )
    assert f"{lines[0].name}: {said[0].argmax()}." in figure.label, "one that diverged says nothing"
    texts = to_plotly(figure)["data"][1]["text"]
    assert texts[int(said[0].argmax())] == f"<b>{100 * said[0].max():.0f}</b>"
    assert texts[10:] == ["–"] * 10
    long = [lines[0]._replace(name="SGD + clipping + look-ahead + averaging")]
    drawn = to_plotly(figures.network_probabilities(long, said[:1], range(10), LIGHT))
    assert drawn["data"][0]["y"] == ["SGD + clipping +<br>look-ahead +<br>averaging"]
    assert drawn["layout"]["margin"]["l"] == 16 + 7 * len("SGD + clipping +")


def test_curves_as_csv():
    found = context(SMALL)
    [now, *_] = found.states
    rows = csv_rows(curves_csv(found.lines[:1]))
    assert len(rows) == 41
    assert float(rows[1]["loss"]) == now.loss[0, 0, 0]
    assert float(rows[-1]["validation_accuracy"]) == now.accuracy[-1, 1, 0, 0]
    lost = replace(now, loss=np.full_like(now.loss, np.nan))
    rows = csv_rows(curves_csv([found.lines[0]._replace(progress=lost)]))
    assert {row["loss"] for row in rows} == {""}, "empty, as in every other file"


@table(
    "bad",
    [
        OptimizerComparison(Network((65, 10))),
        OptimizerComparison(optimizers=(OptimizerConfig(Choice("newton")),)),
        OptimizerComparison(dataset=Choice("nothing")),
        OptimizerComparison(seeds=()),
        OptimizerComparison(optimizers=(SGD,) * 9),
    ],
)
def test_what_cannot_be_trained_is_refused(bad):
    refused(PAGE.key, bad)


# The page.


def opened(spec=None):
    return open_page(PAGE.key, spec)


def shown(at, spec):
    """The page with a spec that no link brought."""
    session(at).specs[PAGE.key] = spec
    return sound(at.run())


def states(at):
    return list(session(at).results[PAGE.key].states.values())


def test_it_opens_with_figure_6_9_and_nothing_trained():
    at = opened()
    assert session(at).specs[PAGE.key] == OptimizerComparison()
    said = page.text(at)
    assert [name for name in ("SGD", "Momentum", "AdaGrad", "Adam") if name in said] == [
        "SGD",
        "Momentum",
        "AdaGrad",
        "Adam",
    ]
    assert said.count("not started") + said.count("not begun") == 4
    assert "Alpaydin" in said


def test_what_is_only_shown_otherwise_is_not_trained_again():
    at = page.trained(opened(SMALL), PAGE.key)
    assert at.button(key=f"train-{PAGE.key}").disabled
    before = list(map(id, states(at)))
    for label, value in (("Smoothed", False), ("Logarithmic", True)):
        labeled(at.toggle, label).set_value(value).run()
    at.get("button_group")[1].set_value("seconds").run()  # after that of the tabs
    assert list(map(id, states(at))) == before
    layout = next(iter(plots(sound(at)).values()))["layout"]
    assert layout["yaxis"]["type"] == "log"
    assert layout["xaxis"]["title"]["text"] == "seconds of computing"


def test_another_rate_trains_only_that_optimizer_again_and_more_iterations_resume():
    at = page.trained(opened(SMALL), PAGE.key)
    before = set(map(id, states(at)))
    faster = OptimizerConfig(Choice("sgd", {"lr": 0.2}))
    shown(at, replace(SMALL, optimizers=(faster, *SMALL.optimizers[1:])))
    assert before <= set(map(id, states(at))), "the old one is kept, should one come back to it"
    assert sorted(s.iteration for s in states(at)) == [0, 40, 40, 40, 40]
    shown(at, replace(SMALL, iterations=60))
    assert at.button(key=f"train-{PAGE.key}").label == "Resume"


def test_dense_methods_are_not_offered_and_it_says_why():
    at = opened()
    at.session_state[session(at).key(f"{PAGE.key}-optimizers-0-of-4-settings")] = True
    offered = {option for box in at.run().selectbox for option in box.options}
    assert {"Adam — adaptive, start here", "Muon — matrix, start here"} <= offered
    assert not [option for option in offered if option.startswith(("Newton", "BFGS", "Nelder"))]
    assert any("P × P" in box.help for box in at.selectbox if box.label == "Optimizer")


@pytest.mark.parametrize("key", ["moons", "circles", "spirals", "clouds"])
def test_points_in_a_plane_show_their_boundary(key):
    at = opened()
    labeled(at.selectbox, "Data").set_value(key).run()
    sizes = session(sound(at)).specs[PAGE.key].network.sizes
    assert sizes[0] == 2
    assert any(len(figure["data"]) == 1 + sizes[-1] for figure in plots(at).values())
    assert "Data" in panels(at)


def test_more_rows_for_training_than_there_are():
    at = shown(opened(), OptimizerComparison(split=Split(1797)))
    assert "training" in at.error[0].value


def test_data_that_were_there_before_have_their_examples_again():
    at = opened()

    def choose(key):
        menu = labeled(at.selectbox, "Data")
        menu.set_value(key).run()
        return session(sound(at)).specs[PAGE.key].split.rows

    rows = OptimizerComparison().split.rows
    assert rows > 500
    assert choose("moons") < 500
    assert choose("digits") == rows


def test_a_saved_network_is_loaded_and_asked_and_another_file_is_refused():
    at = opened(SMALL)
    at.session_state[f"{PAGE.key}-tabs"] = "Use the networks"
    [state, *_] = context(SMALL).states
    content = save(SMALL.network, state.params[0, 0], state.running_statistics[0, 0])
    sound(at.run()).file_uploader[0].upload("mine.npz", content).run()
    share = f"Loaded: {state.accuracy[-1, 1, 0, 0]:.1%} accuracy on the validation set"
    assert share in page.text(sound(at))
    other = Network((2, 4, 2))
    content = save(other, other.init(0), other.running_statistics())
    at.file_uploader[0].upload("other.npz", content).run()
    assert "64 inputs" in sound(at).error[0].value
    at.file_uploader[0].upload("bad.npz", b"PK").run()
    assert "not a network" in sound(at).error[0].value


def test_on_rare_features_adagrad_is_ahead_each_at_its_best_rate():
    """As the lesson says, whose rates are the best of five; with other rows and signs, too."""
    scene = LESSONS["rare-features"].scene
    grids = {"sgd": (0.1, 0.3, 1.0, 3.0, 10.0), "adagrad": (0.03, 0.1, 0.3, 1.0, 3.0)}
    adam = OptimizerConfig(Choice("adam", {"lr": 0.03}))
    for seed in (0, 1):
        split, best = replace(scene.split, seed=seed), {}
        for key, rates in grids.items():
            configs = [OptimizerConfig(Choice(key, {"lr": lr})) for lr in rates]
            spec = replace(scene, optimizers=(*configs, adam), split=split, seeds=tuple(range(5)))
            ends = [trained(training).accuracy[-1, 1].mean() for training in spec.trainings]
            best[key], level = max(ends[:-1]), ends[-1]
            if not seed:
                lesson = next(c.method for c in scene.optimizers if c.method.key == key)
                assert lesson.values["lr"] == rates[int(np.argmax(ends[:-1]))]
        assert best["adagrad"] > best["sgd"] + 0.01
        assert level == pytest.approx(best["adagrad"], abs=0.01)
