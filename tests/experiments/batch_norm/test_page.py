"""The batch-normalization page in AppTest: its four views, extreme settings, what is typed, damaged links."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.batch_norm import figures as views
from optviz.experiments.batch_norm import graph as batch_graph
from optviz.experiments.batch_norm import walkthrough_figures as batch_steps
from optviz.experiments.batch_norm.spec import BatchNormComparison, Example, Sweep
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import DARK, LIGHT
from optviz.shell.lessons import LESSONS
from optviz.shell.share import SharedScene, encode
from optviz.spec import Choice
from optviz.training import (
    Split,
    advance,
    begin,
    load,
)
from optviz.ui import old_training_charts as bench
from tests import page
from tests.page import numbers, open_page, panels, plots, session, sound, text

OPENING = BatchNormComparison()
BASE = replace(OPENING.base, network=Network((64, 20, 20, 10)), split=Split(300), iterations=30)
SMALL = replace(OPENING, base=BASE, scales=Sweep(4, 1.0, 1e-3), rates=Sweep(3, 0.01, 10.0))


def opened(setting=None, view="one"):
    return open_page("batch_norm", None if setting is None else replace(setting, view=view))


def trained(at):
    return page.trained(at, f"batch-norm-{session(at).specs['batch_norm'].view}")


def with_base(**parts):
    return replace(SMALL, base=replace(BASE, **parts))


def sgd(lr):
    return OptimizerConfig(Choice("sgd", {"lr": lr}))


# With and without.


def test_it_opens_and_trains_both():
    at = opened()
    assert session(at).specs["batch_norm"] == OPENING
    assert set(plots(at)) == {"batch-norm-loss", "batch-norm-accuracy", "batch-norm-inside-layers"}
    at = trained(opened(SMALL))
    assert "90 % of the training rows are right" in text(at)
    shown = [t for t in plots(at)["batch-norm-loss"]["data"] if t["showlegend"]]
    assert [t["name"] for t in shown] == list(views.NAMES)
    assert len({t["line"]["dash"] for t in shown}) == 2
    bars = plots(at)["batch-norm-inside-layers"]["data"]
    assert [b["uid"] for b in bars] == ["sums0", "sums1", "normalized0", "normalized1", "activations0", "activations1"]
    assert "**whatever comes in**" in text(at)
    at.segmented_control(key="batch-norm-inside").set_value(1).run()
    assert len(plots(sound(at))["batch-norm-inside-layers"]["data"]) == 4


def test_a_higher_rate_is_survived():
    at = trained(opened(with_base(optimizer=sgd(1.0), network=Network((64, 50, 50, 50, 50, 10)), iterations=60)))
    with_, without = (now for now in at.session_state.labs["batch-norm-one"]["kept"].values())
    if with_.training.network.normalize == "":
        with_, without = without, with_
    assert with_.accuracy[-1, 0, 0, 0] > 0.6
    assert not without.accuracy[-1, 0, 0, 0] > 0.3


def test_controls():
    at = opened(SMALL)
    g = session(at).epoch
    at.segmented_control(key=f"batch-norm-place-{g}").set_value("after").run()
    assert session(sound(at)).specs["batch_norm"].place == "after"
    at.selectbox(key=f"batch-norm-optimizer-{g}").set_value("adam").run()
    assert session(sound(at)).specs["batch_norm"].base.optimizer == OptimizerConfig(Choice("adam", {"lr": 0.001}))
    at.selectbox(key=f"batch-norm-data-{g}").set_value("moons").run()
    assert session(sound(at)).specs["batch_norm"].base.network.sizes[0] == 2
    trained(at)
    for view in ("scales", "rates", "graph", "one"):
        at.segmented_control(key=f"batch-norm-tab-{g}").set_value(view).run()
        assert session(sound(at)).specs["batch_norm"].view == view
    at.segmented_control(key=f"batch-norm-tab-{g}").set_value("scales").run()
    assert "Standard deviations" in panels(at)
    assert f"batch-norm-initial weights-{g}" not in {s.key for s in at.selectbox}, "it is what is varied"


# Many at once.


def test_scales():
    at = trained(opened(SMALL, "scales"))
    grid, summary = plots(at)["batch-norm-grid"], plots(at)["batch-norm-summary"]
    assert [a["text"].strip("</b>") for a in grid["layout"]["annotations"]] == [
        "σ = 1",
        "σ = 0.1",
        "σ = 0.01",
        "σ = 0.001",
    ]
    lines = [t for t in grid["data"] if t["mode"] == "lines"]
    assert len(lines) == 8
    assert len({t["line"]["dash"] for t in lines}) == 2
    assert numbers(summary["data"][0]["x"]) == pytest.approx([1, 0.1, 0.01, 0.001])
    kept = {
        now.training.network.normalize: now for now in at.session_state.labs["batch-norm-scales"]["kept"].values()
    }
    for k, place in enumerate(("before", "")):
        found = np.nan_to_num(kept[place].accuracy[-1, 0, :, 0])
        np.testing.assert_allclose(numbers(summary["data"][k]["y"]), found)
    assert "of 4 scales" in text(at)
    before = plots(at)["batch-norm-inside-layers"]["version"]
    at.select_slider[0].set_value(3).run()
    assert plots(sound(at))["batch-norm-inside-layers"]["version"] != before
    at.segmented_control(key="batch-norm-part").set_value(1).run()
    assert "test rows are right" in text(sound(at))


def pair(a, b, lost=(), view="scales"):
    """As if trainings had ended with these training accuracies."""
    setting = replace(
        SMALL,
        view=view,
        scales=Sweep(len(a), 1.0, 1e-3),
        rates=Sweep(len(a), 0.01, 0.1),
        base=replace(BASE, iterations=1),
    )
    both = []
    for training, ends in zip(setting.trainings, (a, b), strict=True):
        now = advance(begin(training, load(training)), load(training), 1)
        accuracy = now.accuracy.copy()
        accuracy[-1, :, :, 0] = ends
        gone = np.array([[i in lost and ends is b] for i in range(len(a))])
        both.append(replace(now, accuracy=accuracy, diverged_at=np.where(gone, 1, -1)))
    return views.Pair(view, setting.varied, both)


def test_what_is_said_is_what_the_numbers_say():
    nan = np.nan
    p = pair([0.9, 0.85, 0.95, 1.0, 1.0, 0.7], [nan, 0.99, 0.9, 0.11, 0.11, 0.11], lost=(0,))
    said = views.verdict(p)
    assert said.startswith("**Almost always:**")
    assert "at 5 of 6 scales" in said
    assert "But plain is better at σ = 0.251, 99 % without and 85 % with" in said
    assert "reached at 4 with it and at 2 without" in said
    assert "0 diverge with it and 1 without" in said
    figure = views.summary(p, LIGHT)
    assert [a["text"] for a in figure["layout"]["annotations"]] == ["σ = 0.251:<br>plain is better"]
    assert figure["layout"]["annotations"][0]["x"] == pytest.approx(np.log10(0.251), abs=1e-3)
    assert figure["data"][1]["marker"]["symbol"][0] == "x"
    bold = [a["text"] for a in views.small_charts(p, 3, DARK)["layout"]["annotations"] if "<b>" in a["text"]]
    assert bold == ["<b>σ = 0.251</b>"]
    assert "−14.0" in views.summary_table(p)
    assert views.verdict(pair([0.9, 0.8], [0.5, 0.3])).startswith("**Always, here:**")
    assert views.verdict(pair([0.5, 0.3], [0.9, 0.8])).startswith("**Never, here:**")
    level = views.verdict(pair([0.5, 0.9, 0.9], [0.505, 0.5, 0.5]))
    assert level.startswith("**Mostly:**")
    assert "at 1 the two are level" in level
    assert "But plain" not in level
    assert views.summary(pair([0.5, 0.3], [0.9, 0.8], view="rates"), LIGHT)["data"]


def test_before_all_is_there_nothing_is_said():
    at = opened(SMALL, "scales")
    assert "Trained to the end, it is said here" in text(at)
    assert not plots(at)["batch-norm-summary"]["layout"]["annotations"]


def test_the_curves_as_a_file():
    p = pair([0.9, 0.8], [0.5, 0.3])
    lines = [bench.Line("a", "with batch normalization, σ = 1.0", p.both[0], 0, None)]
    rows = list(csv.DictReader(io.StringIO(bench.curves_csv(lines, "network"))))
    assert len(rows) == 2
    assert float(rows[-1]["training_accuracy"]) == 0.9


@pytest.mark.parametrize("view", ["one", "scales", "rates"])
@pytest.mark.parametrize(
    "base",
    [
        {"network": Network((64, 10))},
        {"network": Network((64, 20, 10)), "seeds": (0, 1, 2)},
        {"network": Network((64, *[20] * 12, 10)), "iterations": 10},
        {"network": Network((64, 20, 10), initializer=Choice("normal", {"sigma": 0.0}))},
        {"network": Network((64, 20, 20, 10), initializer=Choice("normal", {"sigma": 100.0}))},
        {"network": Network((64, *[20] * 12, 10), Choice("identity"), Choice("normal", {"sigma": 100.0})), "iterations": 10},
        {"network": Network((64, 20, 20, 10), Choice("sigmoid"), Choice("zeros"))},
        {"optimizer": sgd(1e-4)}, {"optimizer": sgd(10.0)}, {"batch": 1}, {"iterations": 1}, {"iterations": 0}, {"split": Split(1), "batch": 2000},
    ],
    ids=str,
)  # fmt: skip
def test_extreme_settings(view, base):
    setting = with_base(**base)
    at = opened(replace(setting, place="after", scales=Sweep(3, 100.0, 1e-6), rates=Sweep(2, 1e-4, 10.0)), view)
    if setting.base.iterations:
        trained(at)
    for k in (1, 0):
        at.segmented_control(key="batch-norm-inside").set_value(k).run()
        sound(at)
    for figure in plots(at).values():
        assert "NaN" not in json.dumps(figure)


def test_a_rate_of_nothing_is_said_by_the_link_and_bears_nothing():
    """0 is below the least rate that can be set."""
    at = opened()
    session(at).specs["batch_norm"] = with_base(optimizer=sgd(0.0))
    sound(at.run())
    assert "cannot be trained here" in at.error[0].value


def test_what_is_too_large_is_said():
    at = opened()
    session(at).specs["batch_norm"] = replace(
        OPENING, view="scales", base=replace(OPENING.base, network=Network((64, *[1000] * 12, 10)))
    )
    at.run()
    assert "are the most" in sound(at).error[0].value


@pytest.mark.parametrize("damage", [lambda s: s[:-7], lambda s: "A" + s[1:], lambda s: ""])
def test_damaged_links(damage):
    link = encode(SharedScene("batch_norm", replace(SMALL, view="graph")))
    at = open_page("batch_norm", s=damage(link))
    assert session(at).specs["batch_norm"] == OPENING
    assert at.warning


def test_a_link_to_what_could_not_be_set():
    at = open_page(
        "batch_norm", s=encode(SharedScene("batch_norm", replace(OPENING, scales=Sweep(16, 1e9, 1.0))))
    )
    assert session(at).specs["batch_norm"] == OPENING
    assert "scale is from" in at.warning[0].value


# One small batch.


def typed(at, name, value):
    at.text_input(key=f"batch-norm-{name}-{session(at).epoch}").set_value(value).run()
    return sound(at)


def example(at):
    return session(at).specs["batch_norm"].example


def test_what_is_typed_is_read_and_nonsense_is_said():
    at = typed(opened(OPENING, "graph"), "x", "2; 4 6")
    assert example(at).x == (2, 4, 6)
    assert example(at).arriving == (1, 0, 0)
    assert "2, 4, 6" in text(at)
    typed(at, "x", "2, four")
    assert "'four' is not a number" in at.error[0].value
    assert example(at).x == (2, 4, 6), "the last good one is kept"
    assert at.text_input[0].value == "2, four", "and so is what was typed"
    typed(at, "x", "5")
    assert not at.error
    assert "One row alone has no spread" in text(at)
    typed(at, "arriving-1", "1, 2")
    assert "there is one row, and 2 gradients" in at.error[0].value
    typed(at, "x", "3, 3, 3")
    assert "All rows are the same" in text(at)
    typed(at, "arriving-3", "1, 1")
    assert "there are 3 rows, and 2 gradients" in at.error[0].value
    typed(at, "arriving-3", "1, 1, -2")
    assert example(at).arriving == (1, 1, -2)
    typed(at, "x", "1e6 -1e6 0 0 0 1e-6")
    assert "x̂ has the mean 0" in text(at)


def test_step_by_step():
    at = opened(OPENING, "graph")
    assert "Step 18 of 18, backward through μ" in text(at)
    for _ in range(9):
        at.button(key="batch-norm-back").click().run()
    assert "Step 9 of 18, forward through y" in text(sound(at))
    at.slider[0].set_value(0).run()
    assert "Before the first step" in text(sound(at))
    assert at.button(key="batch-norm-back").disabled
    at.button(key="batch-norm-next").click().run()
    assert r"\frac{1 + 2 + 4 + 9}{4} = 4" in text(sound(at))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    "given", [Example(), Example((3.0,), (1.0,)), Example((1e6, -1e6) * 3, (1e6,) * 6, -10.0, 10.0, 1e-10), Example((0.0,) * 2, (0.0,) * 2)]
)  # fmt: skip
def test_the_picture(given, theme):
    for step in range(batch_graph.STEPS + 1):
        root = ET.fromstring(batch_graph.picture(given, step, theme))
        shown = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        assert not any("nan" in t or "inf" in t for t in shown)
        if step:
            assert batch_steps.title(step)
            assert all("nan" not in e for e in batch_steps.equations_of(given, step))
    rows = len(given.x)
    assert len(shown) == 2 * (6 + 6 * rows) + 2 + 12, "every number both ways, twelve headings, two of the legend"
    ET.fromstring(batch_graph.stamp(given, theme))


def test_every_step_brings_something_and_the_last_brings_all():
    last = None
    for step in range(batch_graph.STEPS + 1):
        now = batch_graph.known(step)
        assert last is None or sum(map(len, now)) > sum(map(len, last))
        last = now
    assert last == (set(batch_graph.NODES), set(batch_graph.NODES))


def test_the_way_of_the_rows():
    figure = plots(opened(OPENING, "graph"))["batch-norm-rows"]
    np.testing.assert_allclose(numbers(figure["data"][3]["x"]), [9, 5, 5 / 9.5**0.5, 5 / 9.5**0.5], rtol=1e-6)
    assert figure["data"][0]["y"] == ["x", "x − μ", "x̂", "y"]
    assert len({t["line"]["dash"] for t in figure["data"]}) == 4


def test_the_numbers_of_the_graph_in_table_and_file():
    rows = list(csv.DictReader(io.StringIO(batch_steps.graph_csv(Example()))))
    assert len(rows) == 6 + 6 * 4
    found = {(r["number"], int(r["row"])): (float(r["forward"]), float(r["backward"])) for r in rows}
    assert found["μ", 0][0] == 4
    assert found["σ²", 0][0] == 9.5
    assert found["(x − μ)²", 4][0] == 25
    table = batch_steps.steps_table(Example())
    for word in ("9.5", "3.082", "−3, −2, 0, 5", "−0.9733"):
        assert word in table
    assert "0.4 and 1.85" in batch_steps.remembered(Example())


@pytest.mark.parametrize("view", ["one", "scales", "rates", "graph"])
def test_stamps(view):
    picture = views.stamp(replace(OPENING, view=view), LIGHT)
    ET.fromstring(picture)
    assert not re.search(r"\bnan\b", picture)


# Lessons.


def end(training):
    training = replace(training, eval_every=training.iterations)
    data = load(training)
    return advance(begin(training, data), data, training.iterations)


def accuracies(setting, some=None):
    """Final accuracies `(2, trials)` on training rows, with and without."""
    trainings = setting.trainings if some is None else [replace(t, trials=t.trials[some]) for t in setting.trainings]
    return np.nan_to_num(np.stack([end(t).accuracy[-1, :, :, 0] for t in trainings]))


def test_what_the_lessons_say():
    one = LESSONS["batch-norm-faster"].scene
    with_, without = accuracies(one)[..., 0]
    assert with_[0] - without[0] > 0.05
    assert 0 < with_[1] - without[1] < 0.05
    with_, without = accuracies(replace(one, base=replace(one.base, optimizer=sgd(1.0))))[:, 0, 0]
    assert with_ > 0.99
    assert without < 0.2
    scales = LESSONS["batch-norm-scales"].scene
    with_, without = accuracies(scales, slice(2, 4))
    assert without[0, 0] > with_[0, 0] + 0.1
    assert with_[0, 1] > without[0, 1] + 0.01
    assert (without[1] > with_[1] + 0.01).all(), "on test rows at one more"
    rates = LESSONS["batch-norm-rates"].scene
    with_, without = accuracies(rates, slice(0, 13, 6))[:, 0]
    assert abs(with_[0] - without[0]) <= 0.01
    assert with_[1:].min() > 0.99
    assert without[2] < 0.2
    assert with_.argmax() > 0
    small = replace(rates.base, network=replace(rates.base.network, initializer=Choice("normal", {"sigma": 0.01})))
    hard = accuracies(replace(rates, base=small), slice(4, 13, 4))[:, 0]
    assert hard[0].min() > 0.9
    assert hard[1].max() < 0.2
    assert accuracies(replace(rates, base=small), slice(0, 1))[0, 0, 0] > with_[0] + 0.3
    _, d = batch_graph.numbers_of(LESSONS["batch-norm-graph"].scene.example)
    assert np.count_nonzero(d["y"]) == 1
    assert np.count_nonzero(d["x"]) == 4
    assert d["x"].sum() == pytest.approx(0, abs=1e-9)
    assert not batch_graph.numbers_of(Example((2.0,), (1.0,)))[1]["x"].any()
    still = batch_graph.numbers_of(Example(gamma=0.0))[1]
    assert not still["x"].any()
    assert still["gamma"]
    assert still["beta"]
