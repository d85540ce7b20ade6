"""The data-normalization page: its figures and texts, its three views in AppTest, links, and what its lessons say."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.page import Context
from optviz.experiments.standardization import figures, page, text
from optviz.experiments.standardization.run import descents, sides
from optviz.experiments.standardization.spec import RATES, Standardization
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import DARK, LIGHT, to_plotly
from optviz.shell.lessons import LESSONS
from optviz.shell.render import live_figures
from optviz.shell.share import decode
from optviz.spec import Choice
from optviz.training import Split
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
    trained,
)
from tests.page import text as page_text
from tests.table import table

SMALL = Standardization(view="digits", network=Network((64, 20, 10)), iterations=30, seeds=(0, 1))


KINDS = {"given": "0 to 1", "raw": "raw counts", "centered": "centered"}
KINDS |= {"standardized": "standardized", "offset": "plus 5"}


def opened(spec=None):
    return open_page("standardization", spec)


def context(spec, states=(), theme=LIGHT):
    return Context(page.PAGE, spec, states, theme)


def trace(figure, uid):
    return next(t for t in figure["data"] if t["uid"] == uid)


def test_the_drawn_line_is_where_the_model_is_undecided():
    side = sides(Standardization())[0]
    figure = to_plotly(figures.cloud(side, 5.0, LIGHT))
    line = side.rotated_line(5.0)
    ends = np.stack([numbers(trace(figure, "turned")[c]) for c in "xy"], -1)
    assert ends @ line[:2] + line[2] == pytest.approx([0, 0], abs=1e-9)
    assert np.hypot(*(ends[1] - ends[0])) > 20, "it goes on beyond the frame"
    assert len({trace(figure, f"class{k}")["marker"]["symbol"] for k in (0, 1)}) == 2
    assert len(numbers(trace(figure, "missed")["x"])) == 96, "of 500"
    assert "80.8" in figure["layout"]["annotations"][0]["text"]


def test_the_curves_over_the_angle_carry_a_mark_at_the_present_one():
    side = sides(Standardization())[0]
    figure = to_plotly(figures.over_angles(Standardization(), "accuracy", DARK))
    mark, curve = trace(figure, "rawm"), trace(figure, "raw")
    [x], [y] = numbers(mark["x"]), numbers(mark["y"])
    assert (x, y) == (5.0, float(side.accuracy(side.rotated_line(5.0))))
    assert numbers(curve["y"])[numbers(curve["x"]).tolist().index(5.0)] == y
    assert numbers(curve["y"]).argmax() == pytest.approx(90, abs=3), "best where it is not turned"


def test_the_descent_and_its_numbers():
    spec = Standardization(view="loss")
    for descent, figure in zip(descents(spec), figures.path(context(spec)).parts, strict=True):
        drawn = trace(to_plotly(figure), descent.side.name)
        found = np.stack([numbers(drawn[c]) for c in "xy"], -1)
        assert found == pytest.approx(descent.run.points)
        assert figure.under[1]()["data"][0]["type"] == "contour"
    assert "condition number <b>1,454</b>" in text.condition(sides(spec)[0])
    assert "distance to the best weights is **82.9%** of" in text.convergence(context(spec))
    assert "After 1 step, the" in text.convergence(context(replace(spec, steps=1)))


def test_the_line_is_turned_and_the_pictures_follow():
    at = opened()
    assert session(at).specs["standardization"] == Standardization()
    shown = plots(at)
    assert set(shown) == {
        "standardization-scales",
        *(f"standardization-{name}-{i}" for name in ("clouds", "angle_curves") for i in (0, 1)),
    }
    assert "**80.8%** right on raw and **99.2%** on standardized" in page_text(at)
    panel = panels(at)["The line and the clouds"]
    assert panel["traces"] is None, (
        "a run of the whole page: the pictures carry everything themselves"
    )
    assert {h["name"]: (h["low"], h["high"], h["default"]) for h in panel["hyperparameters"]} == {
        "angle": (-45, 45, 5), "offset": (0, 50, 10), "gap": (0, 5, 2), "spread": (0.05, 1, 0.42),
        "stretch": (0.1, 10, 1), "points": (10, 1000, 500), "seed": (0, 9999, 21),
    }  # fmt: skip


@table(
    "view, names, alone",
    [("line", ("clouds", "angle_curves"), {"scales"}), ("loss", ("path", "descent"), ())],
)
def test_what_a_held_slider_moves(view, names, alone, monkeypatch):
    """The figures by the names that the page gives its plots, as the spec is now."""
    at = opened(Standardization(view=view))
    with monkeypatch.context() as m:
        m.setattr("optviz.shell.render.session", lambda: session(at))
        m.setattr("optviz.shell.render.theme_name", lambda: "light")
        moved = live_figures(page.PAGE)
    assert (
        set(moved)
        == set(plots(at))
        == {f"standardization-{name}-{i}" for name in names for i in (0, 1)}
        | {f"standardization-{name}" for name in alone}
    )
    for name, figure in moved.items():
        assert json.dumps(figure["data"]) == json.dumps(plots(at)[name]["data"])


def test_the_loss_and_its_learning_rate():
    at = opened()
    at.get("button_group")[0].set_value("loss").run()
    assert session(at).specs["standardization"].view == "loss"
    assert set(panels(at)["Gradient descent"]["values"]) == {"steps"}
    at.selectbox[0].set_value("same").run()
    assert set(panels(sound(at))["Gradient descent"]["values"]) == {"rate", "steps"}
    [address] = components(at, "address")
    found = decode(address["link"].removeprefix("?s="), "standardization").scene
    assert found == Standardization(view="loss", choice="same")


def test_the_digits_train():
    at = trained(opened(SMALL), "standardization")
    kept = list(session(at).results["standardization"].states.values())
    assert {now.training.inputs for now in kept} == set(KINDS)
    assert all(np.array_equal(now.params, memo.trained(now.training).params) for now in kept)
    figure = plots(at)["standardization-bars-0"]
    assert [t["name"] for t in figure["data"][::2]] == list(KINDS.values())
    given = [now.accuracy[-1, 0, 0, 0] for now in kept if now.training.inputs == "given"]
    assert numbers(figure["data"][1]["y"]) == pytest.approx(given)
    assert numbers(figure["data"][0]["y"]) == pytest.approx(np.mean(given))
    assert "Alpaydin" in page_text(at)
    json.dumps(plots(at), allow_nan=False)


EXTREME = [
    Standardization(points=10, spread=0.05, gap=5.0), Standardization(points=10, gap=0.0, angle=-45.0), Standardization(offset=50.0, stretch=10.0, points=1000, angle=45.0),
    Standardization(view="loss", choice="same", rate=float(RATES[-1]), steps=300), Standardization(view="loss", choice="lowest", offset=50.0, stretch=10.0),
    Standardization(view="loss", points=10, gap=0.0, steps=1), Standardization(view="loss", stretch=0.1, offset=0.0),
    replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 10.0})), network=Network((64, *[20] * 8, 10))),
    replace(SMALL, dataset=Choice("moons"), split=Split(150), network=Network((2, 10, 2))),
]  # fmt: skip


@table("spec", EXTREME)
def test_extreme_settings(spec):
    view = page.PAGE.view_of(spec)
    states = [memo.trained(t) for t in spec.trainings] if view.jobs else ()
    made = context(spec, states).with_options(
        {"smooth": True, "log": False, "test": True, "along": "iterations"}
    )
    parts = [p for part in view.tabs[0].parts for p in getattr(part, "parts", [part])]
    for part in (*parts, *view.notes):
        found = part(made)
        for figure in getattr(found, "parts", []):
            json.dumps(to_plotly(figure), allow_nan=False)
        said = found.html() if hasattr(found, "html") else str(found)
        assert hasattr(found, "parts") or "nan" not in re.findall(r"\w+", said.lower())
    for theme in (LIGHT, DARK):
        picture = page.PAGE.thumbnail_svg(spec, theme)
        ET.fromstring(picture)
        assert not re.search(r"\bnan\b|\binf\b", picture)


def test_downloads():
    def rows(spec):
        [download] = page.PAGE.view_of(spec).downloads
        assert download.ready(context(spec))
        return csv_rows(download.make(context(spec)))

    [row] = [
        r
        for r in rows(Standardization(angle=5.0))
        if r["coordinates"] == "raw" and float(r["degrees"]) == 5.0
    ]
    raw = sides(Standardization())[0]
    assert float(row["accuracy"]) == float(raw.accuracy(raw.rotated_line(5.0)))
    found = rows(Standardization(view="loss"))
    assert len(found) == 2 * 101
    assert float(found[100]["loss"]) == descents(Standardization())[0].run.values[-1]


def test_what_the_lessons_say():
    """In Look for and in Try next too."""
    scene = LESSONS["standardization-turned-line"].scene
    raw, standard = sides(scene)
    assert 0.17 < raw.accuracy(raw.line) - raw.accuracy(raw.rotated_line(scene.angle)) < 0.2, (
        "almost a fifth"
    )
    assert standard.accuracy(standard.line) == standard.accuracy(standard.rotated_line(scene.angle))
    assert raw.accuracy(raw.rotated_line([15.0, 30.0, 45.0])) == pytest.approx(0.5, abs=0.01)
    near, stretched, both = (
        sides(replace(scene, **more))[0]
        for more in ({"offset": 0.0}, {"offset": 0.0, "stretch": 3.0}, {"stretch": 3.0})
    )
    turned = [float(s.accuracy(s.rotated_line(15.0))) for s in (near, stretched, both)]
    assert turned[0] == pytest.approx(standard.accuracy(standard.rotated_line(15.0)))
    assert turned[2] < turned[1] < turned[0]

    scene = LESSONS["standardization-condition"].scene
    raw, standard = sides(scene)
    assert raw.min_loss == pytest.approx(standard.min_loss)
    assert raw.curvature.condition > 1000
    assert standard.curvature.condition < 6
    off = [d.off[-1] for d in descents(scene)]
    assert off[0] > 0.8
    assert off[1] < 0.05
    zigzag, _ = descents(replace(scene, choice="lowest"))
    assert 0.05 < zigzag.off[-1] < 0.5 * off[0]
    assert (np.diff(zigzag.run.values) > 0).sum() > 10


def ends(spec):
    """The last training accuracies `(seeds,)` by kind of inputs."""
    found = [memo.ended(t) for t in spec.trainings]
    return {now.training.inputs: np.nan_to_num(now.accuracy[-1, 0, 0]) for now in found}


def test_what_the_lesson_on_digits_says():
    scene = LESSONS["standardization-digits"].scene
    found = ends(scene)
    assert np.ptp(found["raw"]) > 0.7, "a matter of luck"
    assert found["standardized"].min() > max(found["given"].max(), 0.98)
    assert found["offset"].max() < 0.15
    assert found["centered"].mean() == pytest.approx(found["given"].mean(), abs=0.015)
    slow = ends(
        replace(scene, seeds=(0, 1), optimizer=OptimizerConfig(Choice("sgd", {"lr": 0.01})))
    )
    assert (
        slow["raw"].mean()
        > slow["standardized"].mean()
        > slow["given"].mean()
        > slow["offset"].mean()
    )
    wide = ends(replace(scene, seeds=(0, 1), network=replace(scene.network, sizes=(64, 100, 10))))
    assert wide["raw"].mean() > wide["given"].mean() + 0.03


def test_raw_centered_and_standardized_points_stand_in_frames_of_one_size():
    figure = figures.scales(context(Standardization(stretch=3.0)))
    shown = [
        np.concatenate([np.stack([dots.x, dots.y], -1) for dots in panel.marks])
        for panel in figure.panels
    ]
    assert len({panel.x.limits for panel in figure.panels}) == 1
    assert shown[0].mean(0) == pytest.approx([7.1, 21.2], abs=0.1)  # ten away, three times as tall
    assert np.concatenate([x.mean(0) for x in shown[1:]]) == pytest.approx(0, abs=1e-12)
    assert shown[1].std(0) == pytest.approx(shown[0].std(0))
    assert shown[2].std(0) == pytest.approx(1)
