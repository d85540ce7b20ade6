"""The overfitting page: what a person composes, sees and reads; figures and text below Streamlit."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optviz.experiments.page import Context
from optviz.experiments.regularization import figures, run, text
from optviz.experiments.regularization.page import PAGE, short_name
from optviz.experiments.regularization.run import Outcome
from optviz.experiments.regularization.spec import (
    ADAM,
    BASELINE,
    LABELS,
    MAX_REGULARIZERS,
    PARTS,
    Regularization,
    Regularizer,
)
from optviz.experiments.training_charts import curves_csv
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import DARK, LIGHT, to_plotly
from optviz.shell.share import SharedScene, decode, encode
from optviz.spec import Choice, SpecError, validate
from optviz.training import Split, begin, load
from optviz.ui import controls, form
from optviz.ui.training.form import Numbers
from tests import memo, page
from tests.page import components, csv_rows, numbers, open_page, panels, plots, session, sound

SMALL = Regularization(network=Network((64, 20, 10)), iterations=60, batch=50, seeds=(0, 1))


def opened(spec=None, **query):
    return open_page("regularization", spec, **query)


def trained(at):
    return page.trained(at, "regularization")


def spec_of(at):
    return session(sound(at)).specs["regularization"]


def link_of(at):
    """What the address bar shows."""
    [address] = components(at, "address")
    return decode(address["link"].removeprefix("?s=").split("&")[0], "regularization").scene


def context_of(spec, iterations=None):
    """The spec's trainings, so far."""
    states = []
    for training in spec.trainings:
        data = load(training)
        n = training.iterations if iterations is None else iterations
        part = replace(training, iterations=n)
        state = memo.trained(part, data) if n else begin(part, data)
        states.append(replace(state, training=training))
    return Context(PAGE, spec, states, LIGHT)


# One visit to each tab.


def test_accuracy():
    at = opened(SMALL)
    assert spec_of(at) == SMALL
    read = page.text(at)
    assert "Train the networks to see" in read
    assert read.count("not begun") == 3
    assert {f"regularization-gaps-0-{i}" for i in range(3)} <= set(plots(at))
    read = page.text(trained(at))
    context = context_of(SMALL)
    for i, state in enumerate(context.states):
        drawn = {t.get("name"): t for t in plots(at)[f"regularization-gaps-0-{i}"]["data"]}
        for k, part in enumerate(("training", "validation")):
            wanted = np.mean(state.accuracy[:, k, 0], -1)
            np.testing.assert_allclose(numbers(drawn[part]["y"]), wanted)
            assert f"{100 * wanted[-1]:.1f}%" in read
    first, _decay, dropped = context.states
    pairs = 100 * (dropped.accuracy[-1, 1, 0] - first.accuracy[-1, 1, 0])
    assert f"{np.mean(pairs):+.1f}".replace("-", "−") in read
    assert f"{int((pairs > 0).sum())} of 2 seeds" in read


def test_figure_table_and_sentence_state_one_gap():
    context = context_of(replace(SMALL, seeds=(0, 1, 2)))
    rows = text.standings(context).rows
    noted = [
        re.search(r"gap <b>(.*?)</b>", note.text)[1]
        for row in figures.gaps(context)
        for figure in row.parts
        for note in figure.notes
        if "gap" in note.text
    ]
    assert noted == [row[3] for row in rows]
    gaps = [100 * np.mean(s.accuracy[-1, 0, 0] - s.accuracy[-1, 1, 0]) for s in context.states]
    shown = [float(row[3].replace("−", "-")) for row in rows]
    np.testing.assert_allclose(shown, gaps, atol=0.0501)
    for row, gap in zip(rows[1:], gaps[1:], strict=True):
        paired, training, test = (
            float(re.sub("[% ]", "", row[k]).replace("−", "-")) for k in (4, 1, 2)
        )
        assert paired == pytest.approx(gap - gaps[0], abs=0.0501)
        assert training - test == pytest.approx(gap, abs=0.1001)


def test_weights_and_the_address_on_their_tab():
    at = opened(replace(SMALL, regularizers=(BASELINE, Regularizer(l1=0.02))))
    at.session_state["regularization-tabs"] = "Weights"
    at = trained(at)
    figure = plots(at)["regularization-weights-0"]
    names = [t["name"] for t in figure["data"]]
    assert names == ["before training", "no regularizer", "L1 0.02"]
    for curve in figure["data"]:
        assert numbers(curve["y"]).sum() == pytest.approx(1, abs=0.02)
    assert "L2 norm √ΣW²" in page.text(at)

    before = components(at, "address")[0]["link"]
    assert link_of(at) == spec_of(at)
    at.button(key=session(at).key("regularization-regularizers-add")).click().run()
    assert components(sound(at), "address")[0]["link"] != before
    assert link_of(at) == spec_of(at)
    assert len(link_of(at).regularizers) == 3


def test_composing_regularizers():
    at = opened(SMALL)

    def key(what, i=1, many=3):
        return session(at).key(f"regularization-regularizers-{i}-of-{many}{what}")

    at.session_state[key("-settings")] = True
    at.run()
    [pills] = [g for g in at.get("button_group") if g.key == key("-composition")]
    pills.set_value(["l2", "dropout"]).run()
    assert spec_of(at).regularizers[1] == Regularizer(l2=0.01, dropout=0.1)
    sliders = panels(at)["weight decay 0.01 + dropout 0.1"]["hyperparameters"]
    assert [(k["name"], k["low"], k["high"]) for k in sliders] == [
        ("l2", 1e-5, 10.0), ("dropout", 0.01, 0.95),
    ]  # fmt: skip
    menu = key("-optimizer-menu")
    at.selectbox(key=menu).set_value("adamw").run()
    assert spec_of(at).regularizers[1].optimizer.key == "adamw"
    assert any(label.endswith(": optimizer") for label in panels(at))
    at.button(key=key("-remove")).click().run()
    assert spec_of(at).regularizers == (BASELINE, Regularizer(dropout=0.1))
    add = session(at).key("regularization-regularizers-add")
    while not at.button(key=add).disabled:
        at.button(key=add).click().run()
    found = spec_of(at).regularizers
    assert len(set(text.names(found))) == len(found) == MAX_REGULARIZERS


def test_the_last_regularizer_stays_and_the_explanations_open():
    at = opened(replace(SMALL, regularizers=(Regularizer(l2=0.1),)))
    key = session(at).key("regularization-regularizers-0-of-1")
    at.session_state[f"{key[: key.rindex('-')]}-settings-{session(at).epoch}"] = True
    for i in range(3):
        at.session_state[f"regularization-notes-{i}-more"] = True
    sound(at.run())
    [remove] = [b for b in at.button if b.label.startswith("Remove")]
    assert remove.disabled
    assert "regularization-comparison-1" not in plots(at)
    read = page.text(at)
    assert "Bernoulli" in read
    assert r"\frac{m\, x}{1 - p}" in read
    assert "inverted, training" in read
    assert "Loshchilov" in read


def test_one_regularizer_changed_leaves_the_others_trained():
    at = trained(opened(SMALL))
    changed = (BASELINE, Regularizer(l2=0.5), Regularizer(dropout=0.1))
    session(at).specs["regularization"] = replace(SMALL, regularizers=changed)
    read = page.text(sound(at.run()))
    assert (read.count(">done<"), read.count("not begun")) == (2, 1)
    assert "+0.0" not in read, "what is compared is compared at the same iteration: the start"
    assert "of 2 seeds" not in read


UNEQUAL = replace(SMALL, network=Network((64, 100, 50, 10)), seeds=(4, 7))


def panel_of(monkeypatch, spec, *paths):
    """What the panel shows of a spec, and a function that turns it as the browser does."""
    found, held = {}, [spec]
    monkeypatch.setattr(
        controls,
        "draw_panel",
        lambda key, title, declared, values, turn, *more, **notes: found.update(
            values=values, turn=turn
        ),
    )
    Numbers(*paths).draw(form.Form("regularization", lambda: held[0], lambda v: held.append(v)))

    def turn(**new):
        found["turn"]({**found["values"](), **new})  # the browser sends all of them
        return held[-1]

    return found["values"](), turn


@pytest.mark.parametrize(
    ("turned", "sizes"),
    [
        ({"batch": 64}, (64, 100, 50, 10)),
        ({"hidden": 3}, (64, 100, 50, 50, 10)),
        ({"hidden": 1}, (64, 100, 10)),
        ({"units": 30}, (64, 30, 30, 10)),
    ],
)
def test_unequal_layers_stay_unequal(monkeypatch, turned, sizes):
    paths = ("hidden", "units", "batch", "iterations", "seeds")
    shown, turn = panel_of(monkeypatch, UNEQUAL, *paths)
    assert (shown["hidden"], shown["units"]) == (2, 100)
    after = turn(**turned)
    assert after.network.sizes == sizes
    assert after.seeds == (4, 7)
    assert turn() == UNEQUAL


def test_a_link_brings_what_was_shared():
    parts = Regularizer(0.02, 0.001, 0.3), Regularizer(optimizer=Choice("adamw", {"lr": 0.002}))
    spec = replace(UNEQUAL, split=LABELS.split, regularizers=(BASELINE, *parts))
    at = opened(spec)
    assert spec_of(at) == link_of(at) == spec
    assert len(components(at, "address")[0]["link"]) < 300
    shown = panels(at)["Network and training"]["values"]
    assert (shown["hidden"], shown["units"]) == (2, 100), "though the layers are unequal"


# Below Streamlit.


EXTREMES = [
    replace(SMALL, network=Network((64, 10))),
    replace(SMALL, network=Network((64, *[10] * 12, 10))),
    replace(SMALL, regularizers=(BASELINE, Regularizer(dropout=0.95), Regularizer(l2=10.0))),
    replace(SMALL, split=Split(300, noise=0.95)),
    replace(SMALL, seeds=(4,)),
    replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 10.0}))),
    replace(SMALL, regularizers=(Regularizer(l2=1.0, l1=0.1, dropout=0.5),) * 6),
    replace(SMALL, regularizers=ADAM.regularizers),
    replace(SMALL, batch=1, iterations=30),
    replace(SMALL, network=Network((64, 20, 10), initializer=Choice("zeros"))),
    replace(
        SMALL, dataset=Choice("moons"), network=Network((2, 10, 2)), split=Split(100, noise=0.2)
    ),
]


@pytest.mark.parametrize("spec", EXTREMES)
@pytest.mark.parametrize("iterations", [0, None])
def test_extreme_settings(spec, iterations):
    validate(spec)
    context = context_of(spec, iterations)
    _, weights, dropout, layers = PAGE.views["regularizers"].tabs
    assert all(part(context) for part in weights.parts)
    assert dropout.parts[0](context)
    assert bool(dropout.parts[1](context)) == (
        context.states[0].done
        and any(
            r.dropout and np.isfinite(s.params).all()
            for r, s in zip(spec.regularizers, context.states, strict=True)
        )
    )
    inspected = context.with_options({"network": 0})
    drawn, _, pictures = (part(inspected) for part in layers.parts[0].parts)
    assert len(drawn) == (2 if len(spec.network.sizes) > 2 else 1)
    assert bool(pictures) == (spec.network.sizes[0] == 64)
    for row in drawn:
        for figure in row.parts:
            if figure is not None:
                json.dumps(to_plotly(figure), allow_nan=False)
    drawn = [cell for row in figures.gaps(context) for cell in row.parts]
    assert sum(cell is not None for cell in drawn) == len(spec.regularizers)
    for figure in (*drawn, *figures.comparison(context).parts):
        if figure is not None:
            json.dumps(to_plotly(figure), allow_nan=False)
    assert len(text.standings(context).rows) == len(spec.regularizers)
    assert "nan" not in text.remarks(context)


def test_a_sweep_shows_every_value_and_a_lesson_opens_its_tab():
    at = trained(opened(replace(SMALL, view="width", iterations=30, seeds=(0,))))
    figure = plots(at)["regularization-curves"]
    assert [len(numbers(t["x"])) for t in figure["data"]] == [8, 8]
    rows = page.text(at)
    assert all(f"width {n}" in rows for n in (2, 256))
    at = opened(lesson="regularization-thinned")
    assert "hidden units are dropped for one example" in page.text(at)
    assert "regularization-thinned_network-1-0" in plots(at)


def test_early_stopping_is_marked_where_validation_is_best():
    [line, *_] = context_of(SMALL).lines
    figure = to_plotly(figures.gap(line, figures.scale_of(SMALL), LIGHT))
    [mark] = [t for t in figure["data"] if t.get("uid", "").endswith("stop")]
    means = line.progress.accuracy[:, 1, 0].mean(-1)
    assert numbers(mark["y"])[0] == means.max()
    assert numbers(mark["x"])[0] == line.progress.evaluated[means.argmax()] / SMALL.epoch


def test_wrong_labels_have_a_ceiling_and_a_column():
    context = context_of(replace(SMALL, split=Split(300, noise=0.2)))
    figure = to_plotly(figures.gap(context.lines[0], figures.scale_of(SMALL), LIGHT, noise=0.2))
    [ceiling] = [t for t in figure["data"] if t.get("name") == "only the right labels"]
    np.testing.assert_allclose(numbers(ceiling["y"]), 0.8)
    right = load(replace(context.states[0].training, split=Split(300)))
    noisy = load(context.states[0].training)
    wrong = noisy.t != right.t
    learned = []
    for state in context.states:
        network = state.training.network
        given = [network.predict(p, noisy.x[wrong]) == noisy.t[wrong] for p in state.params[0]]
        learned.append(f"{100 * np.mean(given):.0f}%")
    table = text.standings(context)
    at = list(table.columns).index("wrong labels memorized")
    assert [row[at] for row in table.rows] == learned
    said = text.remarks(context)
    assert "20% of the training labels are wrong" in said
    assert (
        "; ".join(
            f"{line.name} {share}" for line, share in zip(context.lines, learned, strict=True)
        )
        in said
    )


BEFORE = ([1.0] * 5, [0.84, 0.83, 0.85, 0.84, 0.84])
UP = [0.87, 0.86, 0.88, 0.86, 0.86]


@pytest.mark.parametrize(
    ("after", "wanted", "unwanted"),
    [
        (
            ([1.0] * 5, UP),
            ("better in 5 of 5", "does better on new", "accuracy hardly changes"),
            "lower",
        ),
        (([0.9] * 5, UP), ("with lower training accuracy", "the gap shrinks"), "no clear"),
        (
            ([0.85] * 5, [0.78, 0.77, 0.8, 0.79, 0.78]),
            ("worse in 5 of 5", "does not regularize at this strength", "fell with it"),
            "does better",
        ),
        (([1.0] * 5, [0.85, 0.82, 0.86, 0.83, 0.842]), ("no clear difference",), "does better"),
        (([1.0] * 5, [0.8] * 5), ("does worse on new", "gap grows by 4"), "at this strength"),
        (([np.nan] * 5, [np.nan] * 5), ("diverged",), "better"),
    ],
)
def test_the_honest_remark(after, wanted, unwanted):
    said = text.compare_with_first(
        "x", run.paired(Outcome(*np.array(BEFORE)), Outcome(*np.array(after)))
    )
    assert all(words in said for words in wanted), said
    assert unwanted not in said, said


def test_few_seeds_and_being_under_way_are_said():
    spec = replace(SMALL, seeds=(0,), iterations=90)
    said = text.remarks(context_of(spec, 30))
    assert "One seed says little" in said
    assert "So far, at epoch 5 of 15" in said
    many = context_of(replace(spec, seeds=tuple(range(text.FEW)), iterations=30))
    assert "say little" not in text.remarks(many)


def test_names_on_one_line():
    long = "weight decay 0.01 + L1 0.001 + dropout 0.2"
    assert short_name(long) == "weight decay + L1 + dropout"
    assert short_name("weight decay 0.01") == "weight decay 0.01"


@given(st.sampled_from(list(PARTS)), st.floats(1e-9, 100, allow_nan=False))
def test_a_part_is_within_its_range_or_refused(name, value):
    spec = replace(SMALL, regularizers=(BASELINE, Regularizer(**{name: value})))
    if PARTS[name].low <= value <= PARTS[name].high:
        validate(spec)
        assert decode(encode(SharedScene("regularization", spec)), "regularization").scene == spec
    else:
        with pytest.raises(SpecError, match=name):
            validate(spec)


def test_curves_as_csv():
    context = context_of(SMALL)
    found = csv_rows(curves_csv(context.lines, "regularizer"))
    assert len(found) == 3 * 2 * 61
    assert {row["regularizer"] for row in found} == set(text.names(SMALL.regularizers))
    assert float(found[-1]["validation_accuracy"]) == context.states[2].accuracy[-1, 1, 0, 1]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_thumbnail_shows_a_gap(theme):
    svg = PAGE.thumbnail_svg(SMALL, theme)
    assert svg.count("<path") + svg.count("<polygon") >= 3
    assert "nan" not in svg
