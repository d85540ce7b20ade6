"""The initialization page in AppTest: the reference pattern, symmetry in words and numbers, extreme settings."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.activations.spec import inside
from optviz.experiments.initialization import figures as views
from optviz.experiments.initialization import inspector as inspection
from optviz.experiments.initialization import page as ui
from optviz.nn import INITIALIZERS, Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import LIGHT
from optviz.spec import (
    Choice,
    SpecError,
    from_dict,
    to_dict,
)
from optviz.training import (
    Split,
    Training,
    load,
    train,
)
from optviz.ui import old_job_runner as lab
from optviz.ui import old_training_charts as bench
from tests import page
from tests.page import numbers, open_page, panels, plots, session, sound, text

SMALL = replace(views.BOOK, network=Network((64, 20, 20, 10)), iterations=40)


def opened(training=None):
    """With a training that may be more than a link can ask for."""
    at = open_page(ui.PAGE)
    if training is not None:
        session(at).specs["initialization"] = training
        at.run()
    return sound(at)


def trained(at):
    return page.trained(at, ui.PAGE)


def _lines(now):
    names = views.names(now.training.initializers)
    return [bench.Line(f"i{i}", name, now, i, None) for i, name in enumerate(names)]


def _matrices(training, params):
    views_ = training.network.views(params)
    return [views_[k]["W"] for k in training.network.affine]


def running(at):
    return at.session_state.labs[ui.PAGE]["running"]


def progress(at):
    [now] = [
        now
        for key, now in at.session_state.labs[ui.PAGE]["kept"].items()
        if key == lab.key_of(session(at).specs["initialization"])
    ]
    return now


def to_symmetry(at):
    at.session_state["initial-tabs"] = inspection.SYMMETRY
    return sound(at.run())


def test_it_opens_before_the_first_update():
    at = opened()
    assert session(at).specs["initialization"] == views.BOOK
    assert at.selectbox
    assert {"initial-loss", "initial-accuracy", "initial-layers", "initial-gradients"} == set(plots(at))
    assert len(plots(at)["initial-layers"]["data"]) == 8, "forward and backward for four hidden layers"
    assert len(plots(at)["initial-gradients"]["data"]) == 5
    assert "not begun" in text(at)
    assert "Vanishing" in text(at), "σ = .01 is looked at first"


def test_the_book_s_pattern():
    at = trained(opened())
    now = progress(at)
    assert now.done
    small, book, he = now.accuracy[-1, 0, :, 0]
    assert small < 0.15
    assert book > 0.92
    assert he > 0.97
    loss = plots(at)["initial-loss"]["data"]
    shown = [t for t in loss if t.get("showlegend") and t["mode"] == "lines"]
    assert [t["name"] for t in shown] == ["normal (σ = 0.01)", "1/√n", "He"]
    assert len({t["line"]["dash"] for t in shown}) == 3
    assert set(now.snapshots) == set(range(0, 301, 20))
    assert f"iteration {now.iteration}, normal" in text(at)
    at.segmented_control(key="initial-which-3").set_value(2).run()
    assert "reaches every layer" in text(sound(at))
    rows = list(csv.DictReader(io.StringIO(bench.curves_csv(_lines(now), "initializer"))))
    assert len(rows) == 3 * 301
    assert float(rows[1]["loss"]) == now.loss[0, 0, 0]


def test_how_it_is_drawn_does_not_train_again():
    at = trained(opened(SMALL))
    before = progress(at)
    at.toggle(key="initial-smooth").set_value(False).run()
    at.toggle(key="initial-log").set_value(True).run()
    [slider] = at.select_slider
    slider.set_value(20).run()
    sound(at)
    assert progress(at) is before
    assert plots(at)["initial-loss"]["layout"]["yaxis"]["type"] == "log"
    assert "Shown: iteration 20" in text(at)
    to_symmetry(at)
    assert progress(at) is before


def test_more_iterations_go_on_and_seeds_make_a_band():
    at = trained(opened(SMALL))
    before = progress(at)
    session(at).specs["initialization"] = replace(SMALL, iterations=60)
    at.run()
    assert progress(at).iteration == 40
    trained(at)
    assert (progress(at).loss[:40] == before.loss).all()
    at = trained(opened(replace(SMALL, seeds=(0, 1, 2))))
    assert sum(t["uid"].endswith("b") for t in plots(at)["initial-loss"]["data"]) == 3
    assert "seed 0" in text(at)


def test_show_the_symmetry():
    at = opened()
    at.button(key="symmetry").click().run()
    sound(at)
    assert session(at).specs["initialization"] == views.SYMMETRY
    assert running(at)
    while running(at):
        sound(at.run())
    now = progress(at)
    for i in (0, 1):
        for k, w in enumerate(_matrices(now.training, now.params[i, 0])):
            m = views.Matrix.of(w, k == 2)
            assert m.rank == 1
            assert m.apart < 1e-11
    assert now.accuracy[-1, 0, 2, 0] > 0.8 > 0.5 > now.accuracy[-1, 0, :2, 0].max()
    assert "All 8 units are equal" in text(at)
    assert "Rank 1 of at most 8" in text(at)
    maps = plots(at)["initial-matrices"]["data"]
    assert len(maps) == 3
    assert np.ptp(numbers(maps[1]["z"]), axis=1).max() < 1e-6
    assert np.ptp(numbers(maps[2]["z"]), axis=1).max() > 0.1
    lines = at.code[0].value.splitlines()[1:]
    assert len(lines) == 8
    assert all(len(set(line.split()[1:])) == 1 for line in lines), "a row of equal numbers for equal units"
    at.segmented_control(key="initial-which-3").set_value(2).run()
    assert "**Different**" in text(sound(at))
    at.select_slider[0].set_value(0).run()
    at.segmented_control(key="initial-which-3").set_value(0).run()
    assert "**Exactly zero**" in text(sound(at))
    assert "before the first update" in text(at)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_zeros_stay_zeros(activation):
    net = Network((64, 8, 8, 10), Choice(activation))
    zeros = replace(SMALL, network=net, initializers=(Choice("zeros"), Choice("he_normal")))
    at = to_symmetry(trained(opened(zeros)))
    hidden = _matrices(zeros, progress(at).params[0, 0])[:-1]
    assert all((w == 0).all() for w in hidden)
    assert "**Exactly zero**: every one of the 512 weights is 0 after 40 updates" in text(at)
    assert "so it stays so" in text(at)
    at.session_state["initial-tabs"] = inspection.LAYERS
    at.run()
    assert "No gradient at all" in text(sound(at))


def test_all_units_equal_in_the_last_matrix_are_its_rows():
    t = replace(views.SYMMETRY, iterations=40)
    *_, now = train(t, load(t))
    w = _matrices(t, now.params[1, 0])[-1]
    m = views.Matrix.of(w, True)
    assert m.units == 8
    assert m.equal
    assert "rows" in views.seen(m, 40, 0.1)
    assert not views.Matrix.of(w).equal, "its columns are the classes"


def test_what_is_said_of_a_matrix():
    rng = np.random.default_rng(0)
    proportional = np.outer(rng.standard_normal(5), [1.0, 2.0, 3.0])
    said = {
        "Exactly zero": np.zeros((5, 3)), "All 3 units are equal": np.outer(np.arange(5), np.ones(3)),
        "**Rank 1**": proportional, "**Different**": rng.standard_normal((5, 3)), "A single unit": np.ones((5, 1)),
        "Diverged": np.full((5, 3), np.nan),
    }  # fmt: skip
    for word, w in said.items():
        assert word in views.seen(views.Matrix.of(w), 7, 0.5)
    assert "Its gradient is not" in views.seen(views.Matrix.of(np.zeros((5, 3))), 0, 0.5)
    nearly = np.outer(np.arange(5), np.ones(3)) + 1e-12 * rng.standard_normal((5, 3))
    assert "rounding" in views.seen(views.Matrix.of(nearly), 7, 0.5)
    figure = views.heatmaps([(word, views.Matrix.of(w)) for word, w in said.items()], LIGHT)
    json.dumps(figure)
    assert all(views.corner(views.Matrix.of(w)) for w in said.values())


def test_what_is_said_of_gradients():
    ones = np.ones(3)
    for word, g in (
        ("No gradient at all", 0 * ones), ("overflowed", np.nan * ones), ("Vanishing", 1e-6 * ones),
        ("fades", np.array([1e-4, 1e-2, 0.1])), ("grows", np.array([10.0, 1.0, 0.1])), ("reaches every layer", ones),
        ("No gradient reaches W1", np.array([0.0, 1.0, 1.0])),
    ):  # fmt: skip
        assert word in views.flow(g, ones)


SGD = OptimizerConfig(Choice("sgd", {"lr": 1e6}))


@pytest.mark.parametrize(
    "training",
    [
        replace(SMALL, optimizer=SGD),
        replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 0.0}))),
        replace(SMALL, optimizer=SGD, initializers=(Choice("normal", {"sigma": 100.0}), Choice("zeros")), seeds=(0, 1)),
        replace(SMALL, initializers=(Choice("normal", {"sigma": 0.0}), Choice("constant", {"c": -10.0}))),
        replace(SMALL, network=Network((64, *[20] * 11, 10)), initializers=(Choice("normal", {"sigma": 100.0}),)),
        replace(SMALL, network=Network((64, *[20] * 11, 10), Choice("identity")), initializers=(Choice("normal", {"sigma": 100.0}),)),
        replace(SMALL, network=Network((64, *[20] * 11, 10), Choice("sigmoid")), iterations=10),
        replace(SMALL, network=Network((64, 10))),
        replace(SMALL, network=Network((64, 2, 10)), iterations=1, snapshot_every=0),
        replace(SMALL, iterations=0),
        replace(SMALL, initializers=tuple(Choice(k) for k in list(INITIALIZERS)[:8]), batch=1, iterations=10),
        replace(SMALL, initializers=(Choice("normal"), Choice("normal"), Choice("normal", {"sigma": 1.0}))),
        replace(SMALL, network=Network((2, 10, 2), Choice("tanh")), dataset=Choice("moons"), split=Split(200)),
    ],
    ids=str,
)  # fmt: skip
def test_extreme_settings(training):
    at = opened(training)
    if training.iterations:
        trained(at)
    to_symmetry(at)
    for i in range(len(training.initializers)):
        at.segmented_control(key=f"initial-which-{len(training.initializers)}").set_value(i).run()
        sound(at)
    if training.optimizer == SGD and len(training.seeds) == 1:
        assert "has diverged" in text(at)


def test_a_rate_beyond_all_measure_ends_where_it_diverges():
    """No hyperparameter goes there, but nothing may break where it comes from elsewhere."""
    at = trained(opened(replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 1e6})))))
    assert (progress(at).diverged_at[1:] >= 0).all(), "the first is stunned at once: all its units are dead"
    at.segmented_control(key="initial-which-3").set_value(1).run()
    assert "diverged at iteration" in text(at)
    to_symmetry(at)
    assert "has diverged" in text(at)
    at = trained(opened(replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 0.0})))))
    assert np.ptp(progress(at).accuracy[:, 0, 0]) == 0, "nothing was learned, nothing was lost"
    at = trained(
        opened(replace(SMALL, initializers=(Choice("normal", {"sigma": 100.0}), Choice("normal", {"sigma": 0.0}))))
    )
    assert "iteration" in text(at)


def test_ranks_over_time():
    at = opened(replace(views.SYMMETRY, iterations=60))
    trained(at)
    to_symmetry(at)
    figure = plots(at)["initial-ranks"]
    last = {trace["name"]: numbers(trace["y"])[-1] for trace in figure["data"]}
    assert last["zeros"] == 1, "with sigmoid all units stay equal"
    assert last["1/√n"] == 8
    assert numbers(figure["data"][0]["x"]).tolist() == [0, 20, 40, 60]


def test_what_is_too_large_is_said():
    at = opened(replace(views.BOOK, network=Network((64, *[1000] * 12, 10)), seeds=tuple(range(20))))
    assert "are the most" in at.error[0].value
    at = opened(replace(SMALL, initializers=()))
    assert "Choose an initializer" in at.info[0].value


def test_controls():
    at = opened(SMALL)
    g = session(at).epoch
    at.multiselect(key=f"rules-{g}").set_value(["normal", "he_normal", "zeros", "orthogonal"]).run()
    sound(at)
    assert session(at).specs["initialization"].initializers == (
        Choice("normal", {"sigma": 0.01}), Choice("he_normal"), Choice("zeros"), Choice("orthogonal"),
    )  # fmt: skip
    assert {"normal (σ = 0.01)", "orthogonal (g = 1)"} <= set(panels(at))
    at.selectbox(key=f"{ui.PAGE}-data-{g}").set_value("spirals").run()
    sound(at)
    assert session(at).specs["initialization"].network.sizes[0] == 2
    at.selectbox(key=f"{ui.PAGE}-data-{g}").set_value("digits").run()
    at.selectbox(key=f"{ui.PAGE}-activation-{g}").set_value("leaky_relu").run()
    at.selectbox(key=f"{ui.PAGE}-optimizer-{g}").set_value("adam").run()
    sound(at)
    assert session(at).specs["initialization"].optimizer.method == Choice("adam", {"lr": 0.001})
    trained(at)
    at.multiselect(key=f"rules-{g}").set_value([]).run()
    sound(at)
    assert at.info


def test_snapshots_stay_within_bounds():
    assert views.every(300, 113_000) == 20
    for iterations in (1, 300, 5000, 20_000):
        for size in (100, 10**5, 10**6, 10**7):
            snapshot_every = views.every(iterations, size)
            assert iterations <= views.MAX_KEPT * snapshot_every
            assert iterations // snapshot_every * size <= max(views.KEPT_NUMBERS, 0 if snapshot_every < iterations else size)


def test_the_spec_of_the_page():
    for training in (views.BOOK, views.SYMMETRY):
        views.check(training)
        assert from_dict(Training, json.loads(json.dumps(to_dict(training)))) == training
    with pytest.raises(SpecError, match="initializers"):
        views.check(replace(SMALL, initializers=()))


def test_gradients_are_those_of_the_engine():
    t = replace(SMALL, iterations=20)
    data = load(t)
    *_, now = train(t, data)
    at = trained(opened(t))
    lengths = inside(
        t.network, now.snapshots[20][0].astype(float), data.x[: inspection.ROWS], data.t[: inspection.ROWS]
    )[1]
    line = plots(at)["initial-gradients"]["data"][0]
    assert numbers(line["x"]).tolist() == [0, 20]
    assert numbers(line["y"])[-1] == pytest.approx(lengths[0])
