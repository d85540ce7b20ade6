"""The batch-normalization page: what it says and draws from numbers, its four views in AppTest,
extreme settings, what is typed, links, lessons.
"""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.batch_norm import figures, graph, text, walkthrough
from optviz.experiments.batch_norm.page import PAGE
from optviz.experiments.batch_norm.spec import BatchNormComparison, Example, Rates, Scales
from optviz.experiments.page import Context
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import DARK, LIGHT
from optviz.plot.writers.plotly import to_plotly
from optviz.shell.lessons import LESSONS
from optviz.shell.share import SharedScene, decode, encode
from optviz.spec import Choice
from optviz.training import Split, advance, begin, load
from tests import memo, page
from tests.page import components, csv_rows, numbers, open_page, panels, plots, session, sound

OPENING = BatchNormComparison()
SMALL = replace(
    OPENING,
    network=Network((64, 20, 20, 10)),
    split=Split(300),
    iterations=30,
    scales=Scales(4, 1.0, 1e-3),
    rates=Rates(3, 0.01, 10.0),
)


def sgd(lr):
    return OptimizerConfig(Choice("sgd", {"lr": lr}))


def opened(spec=None, view="one", **parts):
    return open_page("batch_norm", None if spec is None else replace(spec, view=view, **parts))


def trained(at):
    return page.trained(at, f"batch_norm-{session(at).specs['batch_norm'].view}")


def kept(at, view):
    """The two last states, with and without."""
    states = {
        now.training.network.normalize: now
        for now in session(at).results[f"batch_norm-{view}"].states.values()
    }
    return states[session(at).specs["batch_norm"].place], states[""]


def plot(at, part):
    """The one figure that has this in its name."""
    [found] = [c for name, c in plots(at).items() if part in name]
    return found


def control(at, kind, part):
    """The one control of a kind that has this in its key."""
    [found] = [c for c in at.get(kind) if part in c.key]
    return found


# What is said and drawn, below Streamlit.


def pair(a, b, lost=(), view="scales"):
    """As if trainings had ended with these training accuracies."""
    spec = replace(
        SMALL, view=view, scales=Scales(len(a), 1.0, 1e-3), rates=Rates(len(a), 0.01, 0.1)
    )
    both = []
    for training, ends in zip(spec.trainings, (a, b), strict=True):
        training = replace(training, iterations=1)
        now = advance(begin(training, load(training)), load(training), 1)
        accuracy = now.accuracy.copy()
        accuracy[-1, :, :, 0] = ends
        gone = np.array([[i in lost and ends is b] for i in range(len(a))])
        both.append(replace(now, accuracy=accuracy, diverged_at=np.where(gone, 1, -1)))
    return figures.Pair(view, spec.varied, both)


def test_what_is_said_is_what_the_numbers_say():
    nan = np.nan
    p = pair([0.9, 0.85, 0.95, 1.0, 1.0, 0.7], [nan, 0.99, 0.9, 0.11, 0.11, 0.11], lost=(0,))
    said = text.verdict(p)
    assert said.startswith("**Almost always:**")
    assert "at 5 of 6 values" in said
    assert "But it is lower at σ = 0.251 (99.0% without, 85.0% with)" in said
    assert "reached at 4 values with it and at 2 without it" in said
    assert "diverges at 0 values with it and at 1 without it" in said
    figure = to_plotly(figures.summary(p, LIGHT))
    [note] = figure["layout"]["annotations"]
    assert note["text"] == "σ = 0.251:<br>better without"
    assert note["x"] == pytest.approx(np.log10(0.251), abs=1e-3)
    assert figure["data"][1]["marker"]["symbol"][0] == "x"
    assert figure["data"][1]["hovertext"][:2] == [
        "without, σ = 1: 0.0% (diverged)",
        "without, σ = 0.251: 99.0%",
    ]
    small = to_plotly(figures.small_charts(p, DARK))["layout"]["annotations"]
    assert [a["text"] for a in small if "<b>" in a["text"]] == ["<b>σ = 0.251</b>"]
    assert "−14.0" in text.summary_table(p).html()
    assert text.verdict(pair([0.9, 0.8], [0.5, 0.3])).startswith("**Always here:**")
    assert text.verdict(pair([0.5, 0.3], [0.9, 0.8])).startswith("**Never here:**")
    level = text.verdict(pair([0.5, 0.9, 0.9], [0.505, 0.5, 0.5], view="rates"))
    assert level.startswith("**Never worse here:**")
    assert "At 1 they are tied" in level
    assert "But it is lower" not in level


def test_the_curves_as_a_file():
    """A network goes by its exact value there, for headings may round two to the same."""
    spec = replace(SMALL, view="scales", scales=Scales(2, 0.123456, 0.123457), iterations=10)
    states = [memo.trained(t) for t in spec.trainings]
    [download] = PAGE.views["scales"].downloads
    made = download.make(Context(PAGE, spec, states, LIGHT))
    rows = csv_rows(made)
    assert len(rows) == 2 * 2 * 11
    names = list(dict.fromkeys(row["network"] for row in rows))
    assert names[:2] == [
        "with batch normalization, σ = 0.123456",
        "with batch normalization, σ = 0.123457",
    ]
    assert len(names) == 4
    assert float(rows[10]["training_accuracy"]) == states[0].accuracy[-1, 0, 0, 0]
    assert float(rows[-1]["loss"]) == states[1].loss[-1, 1, 0]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    "given",
    [
        Example(),
        Example((3.0,), (1.0,)),
        Example((1e6, -1e6) * 3, (1e6,) * 6, -10.0, 10.0, 1e-10),
        Example((0.0,) * 2, (0.0,) * 2),
    ],
)
def test_the_picture(given, theme):
    for step in range(graph.STEPS + 1):
        root = ET.fromstring(graph.picture(given, step, theme))
        shown = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        assert not any("nan" in t or "inf" in t for t in shown)
        if step:
            assert walkthrough.title(step)
            assert all("nan" not in e for e in walkthrough.equations_of(given, step))
    # every number both ways, twelve headings, two of the legend
    assert len(shown) == 2 * (6 + 6 * len(given.x)) + 2 + 12


def test_every_step_brings_something_and_the_last_brings_all():
    counts = [sum(map(len, graph.available_numbers(step))) for step in range(graph.STEPS + 1)]
    assert (np.diff(counts) > 0).all()
    assert graph.available_numbers(graph.STEPS) == (set(graph.NODES), set(graph.NODES))


def test_the_numbers_of_the_graph_in_figure_table_and_file():
    ways = to_plotly(figures.row_paths(Example(), LIGHT))["data"]
    expected = [9, 5, 5 / 9.5**0.5, 5 / 9.5**0.5]
    np.testing.assert_allclose(numbers(ways[3]["x"]), expected, rtol=1e-6)
    assert ways[0]["y"] == ["x", "x − μ", "x̂", "y"]
    assert len({t["line"]["dash"] for t in ways}) == 4
    rows = csv_rows(walkthrough.graph_csv(Example()))
    assert len(rows) == 6 + 6 * 4
    found = {(r["number"], int(r["row"])): float(r["forward"]) for r in rows}
    assert (found["μ", 0], found["σ²", 0], found["(x − μ)²", 4]) == (4, 9.5, 25)
    table = walkthrough.steps_table(Example()).html()
    for word in ("9.5", "3.082", "−3, −2, 0, 5", "−0.9733"):
        assert word in table
    assert "0.4 and 1.85" in walkthrough.running_statistics(Example())


# The views.


def test_it_opens_and_trains_both():
    at = trained(opened(SMALL))
    assert "Reached 90% training accuracy" in page.text(at)
    shown = [t for t in plot(at, "curves-0")["data"] if t["showlegend"]]
    assert [t["name"] for t in shown] == list(figures.NAMES)
    assert len({t["line"]["dash"] for t in shown}) == 2
    assert len(plot(at, "hidden_layers")["data"]) == 6, "three stages of two layers"
    assert "**whatever the input**" in page.text(at)
    control(at, "button_group", "-network-").set_value(1).run()
    assert len(plot(sound(at), "hidden_layers")["data"]) == 4
    control(at, "button_group", "place").set_value("after").run()
    assert session(sound(at)).specs["batch_norm"].place == "after"
    control(at, "selectbox", "optimizer").set_value("adam").run()
    control(at, "selectbox", "dataset").set_value("moons").run()
    spec = session(sound(at)).specs["batch_norm"]
    assert (spec.optimizer.method.key, spec.network.sizes[0]) == ("adam", 2)
    with_, without = kept(trained(at), "one")
    assert with_.done
    assert without.done


def test_scales():
    at = opened(SMALL, "scales")
    assert "Once training is complete, this shows" in page.text(at)
    assert "Standard deviations" in panels(at)
    assert not [s for s in at.selectbox if "initializer" in s.key], "it is what is varied"
    assert not plot(at, "verdict-1-1")["layout"].get("annotations")
    at = trained(at)
    small, summary = plot(at, "verdict-1-0"), plot(at, "verdict-1-1")
    assert [a["text"].strip("</b>") for a in small["layout"]["annotations"]] == [
        "σ = 1",
        "σ = 0.1",
        "σ = 0.01",
        "σ = 0.001",
    ]
    lines = [t for t in small["data"] if t["mode"] == "lines"]
    assert len(lines) == 8
    assert len({t["line"]["dash"] for t in lines}) == 2
    assert numbers(summary["data"][0]["x"]) == pytest.approx([1, 0.1, 0.01, 0.001])
    for k, now in enumerate(kept(at, "scales")):
        found = np.nan_to_num(now.accuracy[-1, 0, :, 0])
        np.testing.assert_allclose(numbers(summary["data"][k]["y"]), found)
    before = plot(at, "hidden_layers")["version"]
    at.select_slider[0].set_value(3).run()
    assert plot(sound(at), "hidden_layers")["version"] != before
    control(at, "button_group", "-part-").set_value(1).run()
    assert "the accuracy on the validation set" in page.text(sound(at))


def test_rates_have_no_rate_of_the_optimizer():
    at = opened(SMALL, "rates")
    assert "Learning rates" in panels(at)
    assert "lr" not in json.dumps([p["values"] for p in panels(at).values()])
    trained(at)


@pytest.mark.parametrize(
    ("view", "parts"),
    [
        ("one", {"network": Network((64, 10))}),
        ("scales", {"network": Network((64, 20, 10)), "seeds": (0, 1, 2)}),
        ("rates", {"network": Network((64, *[20] * 12, 10)), "iterations": 10}),
        ("one", {"network": Network((64, 9, 10), initializer=Choice("normal", {"sigma": 0.0}))}),
        (
            "rates",
            {
                "network": Network(
                    (64, *[20] * 12, 10), Choice("identity"), Choice("normal", {"sigma": 100.0})
                ),
                "iterations": 10,
            },
        ),
        ("scales", {"network": Network((64, 20, 20, 10), Choice("sigmoid"), Choice("zeros"))}),
        ("one", {"optimizer": sgd(10.0), "batch": 1}),
        ("scales", {"split": Split(1), "batch": 2000, "iterations": 10}),
    ],
)
def test_extreme_settings(view, parts):
    sweeps = {"scales": Scales(3, 100.0, 1e-6), "rates": Rates(2, 1e-4, 10.0)}
    at = trained(opened(SMALL, view, place="after", **sweeps, **parts))
    for k in (1, 0):
        control(at, "button_group", "-network-").set_value(k).run()
        sound(at)
        assert "NaN" not in json.dumps(plots(at))


def test_what_cannot_be_trained_is_said():
    at = opened()
    large = replace(OPENING, view="scales", network=Network((64, *[1000] * 12, 10)))
    session(at).specs["batch_norm"] = large
    assert "are allowed" in sound(at.run()).error[0].value


def test_a_link_gives_back_all_and_what_is_wrong_in_one_is_said():
    spec = replace(SMALL, view="graph", example=Example((1.0, 2.0), (0.5, 0.0), 2.0))
    at = open_page("batch_norm", spec)
    link = components(at, "address")[0]["link"].removeprefix("?s=")
    assert decode(link, "batch_norm").scene == spec
    wrong = encode(SharedScene("batch_norm", replace(OPENING, scales=Scales(16, 1e9, 1.0))))
    at = open_page("batch_norm", s=wrong)
    assert session(at).specs["batch_norm"] == OPENING
    assert "first is from" in at.warning[0].value


# One small batch.


def typed(at, name, value):
    control(at, "text_input", f"-{name}-").set_value(value).run()
    return sound(at)


def test_what_is_typed_is_read_and_nonsense_is_said():
    def example():
        return session(at).specs["batch_norm"].example

    at = typed(opened(OPENING, "graph"), "x-typed", "2; 4 6")
    assert (example().x, example().upstream) == ((2, 4, 6), (1, 0, 0))
    assert "2, 4, 6" in page.text(at)
    typed(at, "x-typed", "2, four")
    assert "'four' is not a number" in at.error[0].value
    assert example().x == (2, 4, 6), "the last good one is kept"
    assert at.text_input[0].value == "2, four", "and so is what was typed"
    typed(at, "x-typed", "5")
    assert not at.error
    assert "A single example has std 0" in page.text(at)
    typed(at, "of-1", "1, 2")
    assert "1 examples but 2 gradients" in at.error[0].value
    typed(at, "x-typed", "3, 3, 3")
    assert "All examples are the same" in page.text(at)
    typed(at, "of-3", "1, 1, -2")
    assert example().upstream == (1, 1, -2)
    typed(at, "x-typed", "1e6 -1e6 0 0 0 1e-6")
    assert "x̂ has mean 0" in page.text(at)


def test_step_by_step():
    at = opened(OPENING, "graph")
    assert "Step 18 of 18, backward through μ" in page.text(at)
    at.slider[0].set_value(10).run()
    at.button(key="batch-norm-back").click().run()
    assert "Step 9 of 18, forward through y" in page.text(sound(at))
    at.slider[0].set_value(0).run()
    assert "Before the first step" in page.text(sound(at))
    assert at.button(key="batch-norm-back").disabled
    at.button(key="batch-norm-next").click().run()
    assert r"\frac{1 + 2 + 4 + 9}{4} = 4" in page.text(sound(at))


def test_figure_6_16_the_layers_in_their_order():
    spec = replace(PAGE.opening, network=Network((64, 30, 10)))
    states = [begin(training, load(training)) for training in spec.trainings]
    drawn = figures.architecture(Context(PAGE, spec, states, LIGHT))
    assert drawn.label.split("; ") == [
        "with batch normalization: Affine 64×30 → Batch norm → ReLU → Affine 30×10 → Softmax",
        "without: Affine 64×30 → ReLU → Affine 30×10 → Softmax",
    ]
    boxes = [[list(bars.x) for bars in panel.marks[1:]] for panel in drawn.frames]
    assert boxes == [[[0, 2, 3, 4], [1]], [[0, 1, 2, 3], []]], "the layer has a color of its own"


# Lessons.


def accuracies(spec, trials=slice(None)):
    """Final accuracies `(2, trials)` on the training and the test set, with and without."""
    trainings = [replace(t, trials=t.trials[trials]) for t in spec.trainings]
    trainings = [replace(t, eval_every=t.iterations) for t in trainings]
    return np.nan_to_num(np.stack([memo.trained(t).accuracy[-1, :, :, 0] for t in trainings]))


def test_what_the_lessons_say():
    one = LESSONS["batch-norm-faster"].scene
    with_, without = accuracies(one)[..., 0]
    assert with_[0] - without[0] > 0.05
    assert 0 < with_[1] - without[1] < 0.05
    with_, without = accuracies(replace(one, optimizer=sgd(1.0)))[:, 0, 0]
    assert with_ > 0.99
    assert without < 0.2
    with_, without = accuracies(LESSONS["batch-norm-scales"].scene, slice(2, 4))
    assert without[0, 0] > with_[0, 0] + 0.1
    assert with_[0, 1] > without[0, 1] + 0.01
    assert (without[1] > with_[1] + 0.01).all(), "on the test set at one more"
    rates = LESSONS["batch-norm-rates"].scene
    with_, without = accuracies(rates, slice(0, 13, 6))[:, 0]
    assert abs(with_[0] - without[0]) <= 0.01
    assert with_[1:].min() > 0.99
    assert without[2] < 0.2
    assert with_.argmax() > 0
    normal = Choice("normal", {"sigma": 0.01})
    small = replace(rates, network=replace(rates.network, initializer=normal))
    hard = accuracies(small, slice(4, 13, 4))[:, 0]
    assert hard[0].min() > 0.9
    assert hard[1].max() < 0.2
    assert accuracies(small, slice(0, 1))[0, 0, 0] > with_[0] + 0.3
    _v, d = graph.numbers_of(LESSONS["batch-norm-graph"].scene.example)
    assert np.count_nonzero(d["y"]) == 1
    assert np.count_nonzero(d["x"]) == 4
    assert d["x"].sum() == pytest.approx(0, abs=1e-9)
    assert not graph.numbers_of(Example((2.0,), (1.0,)))[1]["x"].any()
    still = graph.numbers_of(Example(gamma=0.0))[1]
    assert not still["x"].any()
    assert still["gamma"]
    assert still["beta"]
