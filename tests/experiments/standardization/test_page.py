"""The data-normalization page in AppTest: the turned line, the descent, digits, links, and what its lessons say."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.standardization import figures as views
from optviz.experiments.standardization import page
from optviz.experiments.standardization.spec import (
    DIGITS,
    RATES,
    Descent,
    Standardization,
    sides,
)
from optviz.experiments.standardization.thumbnail import stamp
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import DARK, LIGHT
from optviz.shell.lessons import LESSONS
from optviz.shell.share import (
    LinkError,
    SharedScene,
    decode,
    encode,
)
from optviz.spec import Choice
from optviz.training import advance, begin, load
from tests.page import numbers, open_page, panels, plots, session, text, trained

SMALL = replace(DIGITS, network=Network((64, 20, 10)), iterations=30, seeds=(0, 1))


def opened(scaling=None):
    return open_page("standardization", scaling)


def trace(figure, uid):
    return next(t for t in figure["data"] if t["uid"] == uid)


def test_it_opens_with_the_turned_line():
    at = opened()
    assert session(at).specs["standardization"] == Standardization()
    figures = plots(at)
    assert set(figures) == {"standardization-clouds-0", "standardization-clouds-1", "standardization-turned-accuracy", "standardization-turned-loss"}
    assert "**80.8 %** on raw and **99.2 %** on standardized" in text(at)
    assert [len(numbers(trace(figures[f"standardization-clouds-{i}"], "missed")["x"])) for i in (0, 1)] == [96, 4]  # of 500
    notes = [figures[f"standardization-clouds-{i}"]["layout"]["annotations"][0]["text"] for i in (0, 1)]
    assert "80.8" in notes[0]
    assert "99.2" in notes[1]


def test_points_of_the_two_classes_differ_by_their_marks():
    figure = plots(opened())["standardization-clouds-0"]
    assert len({trace(figure, f"class{k}")["marker"]["symbol"] for k in (0, 1)}) == 2


def test_the_drawn_line_is_where_the_model_is_undecided():
    side = sides(Standardization())[0]
    figure = views.clouds(side, 5.0, LIGHT)
    line = side.turned(5.0)
    ends = np.stack([numbers(trace(figure, "turned")[c]) for c in "xy"], -1)
    assert ends @ line[:2] + line[2] == pytest.approx([0, 0], abs=1e-9)
    assert np.hypot(*(ends[1] - ends[0])) > 20, "it goes on beyond the frame"


def test_the_curves_over_the_angle_carry_a_mark_at_the_present_one():
    side = sides(Standardization())[0]
    figure = views.over_angles(sides(Standardization()), 5.0, "accuracy", DARK)
    mark, curve = trace(figure, "rawm"), trace(figure, "raw")
    assert (mark["x"], mark["y"]) == ([5.0], [float(side.accuracy(side.turned(5.0)))])
    assert numbers(curve["y"])[numbers(curve["x"]).tolist().index(5.0)] == mark["y"][0]
    assert numbers(curve["y"]).argmax() == pytest.approx(90, abs=3), "best where it is not turned"


def test_another_view_is_part_of_the_scene():
    at = opened()
    at.get("button_group")[0].set_value("loss").run()
    assert session(at).specs["standardization"].view == "loss"
    assert set(plots(at)) == {"standardization-path-0", "standardization-path-1", "standardization-along", "standardization-rates"}
    at.get("button_group")[0].set_value("digits").run()
    assert "standardization-bars-0" in plots(at)


def test_the_descent_and_its_numbers():
    at = opened(Standardization(view="loss"))
    figures = plots(at)
    pair = sides(Standardization())
    for i, side in enumerate(pair):
        path = next(t for t in figures[f"standardization-path-{i}"]["data"] if t["mode"] == "lines")
        found = np.stack([numbers(path[c]) for c in "xy"], -1)
        assert found == pytest.approx(Descent.of(side, Standardization()).run.points)
        assert figures[f"standardization-path-{i}"]["base"]["data"][0]["type"] == "contour"
    assert "condition number <b>1,454</b>" in figures["standardization-path-0"]["layout"]["annotations"][0]["text"]
    assert "weights are **82.9 %** of their length away" in text(at)
    at.selectbox(key=f"standardization-rates-{session(at).epoch}").set_value("same").run()
    assert not at.exception
    assert set(panels(at)["Gradient descent"]["values"]) == {"rate", "steps"}


def test_the_digits_train():
    at = trained(opened(Standardization(view="digits", digits=SMALL)), "standardization")
    kept = list(at.session_state.labs["standardization"]["kept"].values())
    assert {now.training.inputs for now in kept} == {"given", "raw", "standardized", "offset"}
    for now in kept:
        data = load(now.training)
        assert np.array_equal(now.params, advance(begin(now.training, data), data, 30).params)
    figure = plots(at)["standardization-bars-0"]
    assert [t["name"] for t in figure["data"][::2]] == ["0 to 1", "raw counts", "standardized", "plus 5"]
    given = next(now for now in kept if now.training.inputs == "given")
    assert figure["data"][1]["y"] == given.accuracy[-1, 0, 0].tolist()
    assert figure["data"][0]["y"] == [pytest.approx(given.accuracy[-1, 0, 0].mean())]
    assert "Alpaydin" in text(at)


EXTREME = [
    Standardization(points=10, spread=0.05, gap=5.0), Standardization(points=10, gap=0.0, angle=-45.0), Standardization(offset=50.0, stretch=10.0, points=1000, angle=45.0),
    Standardization(view="loss", choice="same", rate=float(RATES[-1]), steps=300), Standardization(view="loss", choice="lowest", offset=50.0, stretch=10.0),
    Standardization(view="loss", points=10, gap=0.0, steps=1), Standardization(view="loss", stretch=0.1, offset=0.0),
    Standardization(view="digits", digits=replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 10.0})), network=Network((64, *[20] * 8, 10)))),
    Standardization(view="digits", digits=replace(SMALL, dataset=Choice("moons"), split=replace(SMALL.split, rows=150), network=Network((2, 10, 2)))),
]  # fmt: skip


@pytest.mark.parametrize("standardization", EXTREME)
def test_extreme_settings(scaling):
    at = opened(scaling)
    assert session(at).specs["standardization"] == scaling
    if scaling.view == "digits":
        at = trained(at, "standardization")
    else:
        csv.DictReader(io.StringIO(page.table_csv(scaling)))
    json.dumps(plots(at), allow_nan=False)
    assert not at.error
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text(at), flags=re.DOTALL).lower().split()
    for theme in (LIGHT, DARK):
        picture = stamp(scaling, theme)
        ET.fromstring(picture)
        assert not re.search(r"\bnan\b|\binf\b", picture)


def test_downloads():
    rows = list(csv.DictReader(io.StringIO(page.table_csv(Standardization(angle=5.0)))))
    [row] = [r for r in rows if r["coordinates"] == "raw" and float(r["degrees"]) == 5.0]
    raw = sides(Standardization())[0]
    assert float(row["accuracy"]) == float(raw.accuracy(raw.turned(5.0)))
    rows = list(csv.DictReader(io.StringIO(page.table_csv(Standardization(view="loss")))))
    assert len(rows) == 2 * 101
    assert float(rows[100]["loss"]) == Descent.of(raw, Standardization()).run.values[-1]


def test_the_page_s_address():
    scaling = Standardization(offset=25.0, angle=-12.5, view="line")
    link = plots(opened(scaling))["standardization-clouds-0"]["link"]
    assert decode(link.removeprefix("?s="), "standardization").scene == scaling
    assert len(link) < 200


@pytest.mark.parametrize(
    "bad", [{"points": 10**6}, {"angle": 400.0}, {"view": "x"}, {"digits": replace(DIGITS, inputs="raw")}]
)
def test_a_link_to_what_the_page_does_not_have(bad):
    with pytest.raises(LinkError):
        decode(encode(SharedScene("standardization", replace(Standardization(), **bad))), "standardization")


def test_a_damaged_link_opens_the_page_all_the_same():
    at = open_page("standardization", s="1.nonsense")
    assert session(at).specs["standardization"] == Standardization()
    assert "damaged" in at.warning[0].value


def test_what_the_lessons_say():
    """In Look for and in Try next too."""
    scene = LESSONS["standardization-turned-line"].scene
    raw, standard = sides(scene)
    assert 0.17 < raw.accuracy(raw.line) - raw.accuracy(raw.turned(scene.angle)) < 0.2, "almost a fifth"
    assert standard.accuracy(standard.line) == standard.accuracy(standard.turned(scene.angle))
    assert raw.accuracy(raw.turned([15.0, 30.0, 45.0])) == pytest.approx(0.5, abs=0.01)
    near, stretched, both = (
        sides(replace(scene, **more))[0]
        for more in ({"offset": 0.0}, {"offset": 0.0, "stretch": 3.0}, {"stretch": 3.0})
    )
    turned = [float(s.accuracy(s.turned(15.0))) for s in (near, stretched, both)]
    assert turned[0] == pytest.approx(standard.accuracy(standard.turned(15.0)))
    assert turned[2] < turned[1] < turned[0]

    scene = LESSONS["standardization-condition"].scene
    raw, standard = sides(scene)
    assert raw.least == pytest.approx(standard.least)
    assert raw.curvature.condition > 1000
    assert standard.curvature.condition < 6
    off = [Descent.of(s, scene).off(s)[-1] for s in (raw, standard)]
    assert off[0] > 0.8
    assert off[1] < 0.05
    zigzag = Descent.of(raw, replace(scene, choice="lowest"))
    assert 0.05 < zigzag.off(raw)[-1] < 0.5 * off[0]
    assert (np.diff(zigzag.run.values) > 0).sum() > 10


def ends(digits):
    found = {}
    for training in replace(Standardization(), digits=replace(digits, eval_every=digits.iterations)).trainings:
        data = load(training)
        found[training.inputs] = np.nan_to_num(
            advance(begin(training, data), data, training.iterations).accuracy[-1, 0, 0]
        )
    return found


def test_what_the_lesson_on_digits_says():
    scene = LESSONS["standardization-digits"].scene
    found = ends(scene.digits)
    assert np.ptp(found["raw"]) > 0.7, "a matter of luck"
    assert found["standardized"].min() > max(found["given"].max(), 0.98)
    assert found["offset"].max() < 0.15
    slow = ends(replace(scene.digits, seeds=(0, 1), optimizer=OptimizerConfig(Choice("sgd", {"lr": 0.01}))))
    assert slow["raw"].mean() > slow["standardized"].mean() > slow["given"].mean() > slow["offset"].mean()
    wide = ends(replace(scene.digits, seeds=(0, 1), network=replace(scene.digits.network, sizes=(64, 100, 10))))
    assert wide["raw"].mean() > wide["given"].mean() + 0.03
