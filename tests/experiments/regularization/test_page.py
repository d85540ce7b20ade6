"""The overfitting page in AppTest: regularizers that are turned and composed, what the page says, extreme settings, links."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.regularization import page as ui
from optviz.experiments.regularization import spec as core
from optviz.experiments.regularization import text as regularizers
from optviz.experiments.regularization.spec import (
    BASELINE,
    BOOK,
    LABELS,
    Outcome,
    Regularization,
    Regularizer,
)
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.old_training import Line, Scale
from optviz.plot.style import DARK, LIGHT, style
from optviz.shell.registry import PAGES
from optviz.shell.share import (
    LinkError,
    SharedScene,
    decode,
    encode,
)
from optviz.spec import Choice
from optviz.training import (
    Split,
    advance,
    begin,
    load,
)
from optviz.ui import old_training_charts as bench
from optviz.ui.old_job_runner import key_of
from tests import page
from tests.page import numbers, open_page, panels, plots, session, sound, text

SMALL = Regularization(network=Network((64, 20, 10)), iterations=60, batch=50, seeds=(0, 1))


def opened(scene=None, **query):
    return open_page(ui.PAGE, scene, **query)


def trained(at):
    return page.trained(at, ui.PAGE)


def rows(at):
    html = next(h.value for h in at.get("html") if "How every regularizer stands" in h.value)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in html.split("<tbody>")[1].split("</tr>")[:-1]]


def kept(at):
    """The progresses of the scene, in its order."""
    lab = at.session_state.labs[ui.PAGE]["kept"]
    return [lab[key_of(training)] for training in session(at).specs["regularization"].trainings]


def lines_of(scene):
    found = []
    for i, training in enumerate(scene.trainings):
        data = load(training)
        now = advance(begin(training, data), data, training.iterations)
        found.append(Line(f"r{i}", core.name(scene.regularizers[i]), now, 0, style(i, LIGHT)))
    return found


def test_it_opens_with_the_clear_setting_and_nothing_trained():
    at = opened()
    assert session(at).specs["regularization"] == Regularization()
    assert [r[0] for r in rows(at)] == ["no regularizer", "weight decay 0.01", "dropout 0.1"]
    assert all(r[-1] == "not begun" for r in rows(at))
    assert {f"regularization-gap-{i}" for i in range(3)} <= set(plots(at))
    assert "Train, and see" in text(at)


def test_training_gives_the_numbers_of_a_training_in_one_go_and_the_page_says_them():
    at = trained(opened(SMALL))
    for now in kept(at):
        data = load(now.training)
        assert np.array_equal(now.params, advance(begin(now.training, data), data, 60).params)
    for i, now in enumerate(kept(at)):
        drawn = {t["name"]: numbers(t["y"]) for t in plots(at)[f"regularization-gap-{i}"]["data"] if t.get("name")}
        np.testing.assert_allclose(drawn["test"], np.median(now.accuracy[:, 1, 0], -1))
        np.testing.assert_allclose(drawn["training"], np.median(now.accuracy[:, 0, 0], -1))
        assert rows(at)[i][1] == f"{100 * np.median(now.accuracy[-1, 0, 0]):.1f} %"
        assert rows(at)[i][2] == f"{100 * np.median(now.accuracy[-1, 1, 0]):.1f} %"
    none, dropped = kept(at)[0], kept(at)[2]
    pairs = (dropped.accuracy[-1, 1, 0] - none.accuracy[-1, 1, 0]) * 100
    assert rows(at)[2][5] == f"{np.median(pairs):+.1f}".replace("-", "−")
    assert rows(at)[2][6] == f"{int((pairs > 0).sum())} of 2 seeds"


def test_the_weights_in_a_picture_and_in_numbers():
    at = trained(opened(replace(SMALL, regularizers=(BASELINE, Regularizer(l1=0.02)))))
    at.session_state["regularization-tabs"] = ui.WEIGHTS
    sound(at.run())
    figure = plots(at)["regularization-weights"]
    assert [t["name"] for t in figure["data"]] == ["before training", "no regularizer", "L1 0.02"]
    assert all(numbers(t["y"]).sum() == pytest.approx(1, abs=0.02) for t in figure["data"])
    n = kept(at)[0].training.network
    w = np.concatenate([n.views(kept(at)[1].params[0])[i]["W"].reshape(2, -1) for i in n.affine], -1)
    told = text(at)
    assert f"{100 * np.median((np.abs(w) < 1e-3).mean(-1)):.1f} %" in told
    assert "length √ΣW²" in told


def test_what_a_remedy_consists_of():
    at = opened(SMALL)
    at.session_state["settings-1"] = True
    at.run()
    of = f"1-3-{session(at).epoch}"
    at.get("button_group")
    [pills] = [g for g in at.get("button_group") if g.key == f"parts-{of}"]
    pills.set_value(["l2", "dropout"]).run()
    assert session(sound(at)).specs["regularization"].regularizers[1] == Regularizer(l2=0.01, dropout=0.1)
    assert {k["name"] for k in panels(at)["weight decay 0.01 + dropout 0.1"]["hyperparameters"]} == {"l2", "dropout"}
    at.selectbox(key=f"optimizer-{of}").set_value("adamw").run()
    assert session(sound(at)).specs["regularization"].regularizers[1].optimizer.key == "adamw"
    at.button(key="remove-1").click().run()
    assert session(sound(at)).specs["regularization"].regularizers == (BASELINE, Regularizer(dropout=0.1))
    for _ in range(6):
        if not at.button(key="add-regularizer").disabled:
            at.button(key="add-regularizer").click().run()
    assert len(session(sound(at)).specs["regularization"].regularizers) == core.MAX_REGULARIZERS
    assert len(set(core.names(session(at).specs["regularization"].regularizers))) == core.MAX_REGULARIZERS


def test_the_first_alone_is_not_removed():
    at = opened(replace(SMALL, regularizers=(Regularizer(l2=0.1),)))
    at.session_state["settings-0"] = True
    at.run()
    assert at.button(key="remove-0").disabled
    assert "regularization-pairs" not in plots(at)


@pytest.mark.parametrize("label", ui.PRESETS)
def test_presets(label):
    at = opened()
    sound(at.button(key=f"preset-{label}").click().run())
    assert session(at).specs["regularization"] == ui.PRESETS[label][0]
    assert [r[0] for r in rows(at)] == core.names(ui.PRESETS[label][0].regularizers)


def test_turning_one_remedy_trains_no_other_again():
    at = trained(opened(SMALL))
    before = kept(at)
    session(at).specs["regularization"] = replace(SMALL, regularizers=(BASELINE, Regularizer(l2=0.5), Regularizer(dropout=0.1)))
    sound(at.run())
    assert [r[-1] for r in rows(at)] == ["done", "not begun", "done"]
    assert kept(at)[0] is before[0]
    assert rows(at)[2][5] == "+0.0", "those that are to be compared are compared at the same iteration: the start"


@pytest.mark.parametrize(
    "scene",
    [
        replace(SMALL, network=Network((64, 10))), replace(SMALL, network=Network((64, *[10] * 12, 10))),
        replace(SMALL, regularizers=(BASELINE, Regularizer(dropout=0.95))), replace(SMALL, regularizers=(BASELINE, Regularizer(l2=10.0), Regularizer(l1=10.0))),
        replace(SMALL, split=Split(300, noise=0.95)), replace(SMALL, split=Split(50)), replace(SMALL, seeds=(4,)),
        replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 1e-4}))), replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 10.0})), iterations=90),
        replace(SMALL, regularizers=tuple(Regularizer(l2=1.0, l1=0.1, dropout=0.5) for _ in range(6))),
        replace(SMALL, regularizers=core.ADAM.regularizers), replace(SMALL, batch=1, iterations=30),
        replace(SMALL, network=Network((64, 20, 10), initializer=Choice("zeros"))),
        replace(SMALL, dataset=Choice("moons"), network=Network((2, 10, 2)), split=Split(100, noise=0.2)),
    ],
)  # fmt: skip
def test_extreme_settings(scene):
    at = trained(opened(scene))
    json.dumps(plots(at))
    assert len(rows(at)) == len(scene.regularizers)
    assert all(r[-1] == "done" or "diverged" in r[-1] for r in rows(at))
    at.session_state["regularization-tabs"] = ui.WEIGHTS
    json.dumps(plots(sound(at.run())))


def test_wrong_labels_are_counted():
    at = trained(opened(replace(SMALL, split=Split(300, noise=0.2), regularizers=(BASELINE, Regularizer(l2=0.02)))))
    assert "wrong labels by heart" in text(at)
    assert "20 % of the training labels are wrong" in text(at)
    figure = plots(at)["regularization-gap-0"]
    [ceiling] = [t for t in figure["data"] if t.get("name") == "right labels, no wrong one"]
    assert ceiling["y"] == [pytest.approx(0.8)] * 2
    assert len(rows(at)[0]) == len(regularizers.headings(True))


# What it says.


def paired(first, other):
    return core.paired(Outcome(*np.array(first)), Outcome(*np.array(other)))


BEFORE = ([1.0] * 5, [0.84, 0.83, 0.85, 0.84, 0.84])


@pytest.mark.parametrize(
    ("after", "wanted", "unwanted"),
    [
        (([1.0] * 5, [0.87, 0.86, 0.88, 0.86, 0.86]), ("better in 5 of 5", "better network on new rows", "training accuracy stays"), "less training"),
        (([0.9] * 5, [0.87, 0.86, 0.88, 0.86, 0.86]), ("with less training accuracy", "lowers the gap"), "no clear"),
        (([0.85] * 5, [0.78, 0.77, 0.8, 0.79, 0.78]), ("worse in 5 of 5", "no regularizer at this strength", "fell with it"), "better network"),
        (([1.0] * 5, [0.85, 0.82, 0.86, 0.83, 0.842]), ("no clear difference",), "better network"),
        (([1.0] * 5, [0.80, 0.80, 0.80, 0.80, 0.80]), ("worse network on new rows", "raises the gap by 4"), "no regularizer at"),
        (([np.nan] * 5, [np.nan] * 5), ("diverged",), "better"),
    ],
)  # fmt: skip
def test_the_honest_remark(after, wanted, unwanted):
    told = regularizers._beside("x", paired(BEFORE, after))
    assert all(w in told for w in wanted), told
    assert unwanted not in told, told


def test_few_seeds_are_said_to_be_few_and_under_way_is_said():
    scene = replace(SMALL, seeds=(0,), iterations=30)
    lines = lines_of(scene)
    told = regularizers.remarks(lines, Scale("epochs", 90, scene.epoch))
    assert "One seed says little" in told
    assert "So far, at epoch 5 of 15" in told
    assert (
        "say"
        not in regularizers.remarks(lines_of(replace(scene, seeds=(0, 1, 2, 3, 4))), Scale("epochs", 30, 6.0)).split("\n")[
            -1
        ]
    )


def test_the_two_forms_of_dropout_are_explained_by_the_layer_itself():
    at = opened()
    latex = " ".join(m.value for m in at.get("latex")) if at.get("latex") else " ".join(m.value for m in at.markdown)
    assert "Bernoulli" in latex
    assert r"\frac{m\, x}{1 - p}" in latex
    assert "inverted, training" in text(at)
    assert "Loshchilov" in text(at)


# Links and files.


def test_the_page_s_address():
    scene = replace(
        LABELS, regularizers=(BASELINE, Regularizer(0.02, 0.001, 0.3), Regularizer(optimizer=Choice("adamw", {"lr": 0.002})))
    )
    at = opened(scene)
    link = plots(at)["regularization-gap-0"]["link"]
    assert decode(link.removeprefix("?s="), ui.PAGE).scene == scene
    assert len(link) < 300


@pytest.mark.parametrize(
    "bad",
    [Regularization(regularizers=()), Regularization((BASELINE,) * 7), Regularization((Regularizer(l2=99.0),)), Regularization(seeds=())],
)
def test_a_link_to_what_cannot_be_trained(bad):
    with pytest.raises(LinkError):
        decode(encode(SharedScene(ui.PAGE, bad)), ui.PAGE)


@pytest.mark.parametrize("damaged", ["nonsense", encode(SharedScene(ui.PAGE, BOOK))[:-9], ""])
def test_a_damaged_link_opens_the_page_as_it_is(damaged):
    at = opened(s=damaged)
    assert session(at).specs["regularization"] == Regularization()
    assert at.warning


def test_curves_as_csv():
    at = trained(opened(SMALL))
    lines = [
        Line(f"r{i}", name, now, 0, None)
        for i, (name, now) in enumerate(zip(core.names(SMALL.regularizers), kept(at), strict=True))
    ]
    found = list(csv.DictReader(io.StringIO(bench.curves_csv(lines, "regularizer"))))
    assert len(found) == 3 * 2 * 61
    assert {r["regularizer"] for r in found} == {"no regularizer", "weight decay 0.01", "dropout 0.1"}
    assert float(found[-1]["test_accuracy"]) == kept(at)[2].accuracy[-1, 1, 0, 1]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_stamp_shows_a_gap(theme):
    svg = PAGES[ui.PAGE].stamp(SMALL, theme)
    assert svg.count("<polyline") == 2
    assert "nan" not in svg
