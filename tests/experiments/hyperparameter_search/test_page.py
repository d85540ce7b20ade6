"""The search page in AppTest: searches, what is kept and compared, borders, extreme settings, links."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.hyperparameter_search import figures as views
from optviz.experiments.hyperparameter_search import page
from optviz.experiments.hyperparameter_search import text as words
from optviz.experiments.hyperparameter_search.spec import EVERY, Search
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import DARK, LIGHT
from optviz.shell.registry import PAGES
from optviz.shell.share import (
    LinkError,
    SharedScene,
    decode,
    encode,
)
from optviz.spec import Choice
from optviz.training import Split
from optviz.tuning import (
    BOOK,
    WIDE,
    Axis,
    Halving,
    Space,
)
from optviz.tuning.search import go_on, start
from tests.page import numbers, open_page, panels, plots, session, sound, text, trained

TINY = replace(EVERY, network=Network((64, 20, 10)), iterations=40, eval_every=4)
SMALL = Search(WIDE, trials=12, training=TINY)


def drawn(at, kind="s"):
    """How many trials there are in the picture, by what has become of them."""
    traces = {t["uid"]: t for t in plots(at)["hyperparameter-search-trials"]["data"]}
    return {uid[1:]: len(numbers(t["x"])) for uid, t in traces.items() if uid.startswith(kind) and len(numbers(t["x"]))}


def searched(scene=SMALL):
    return trained(open_page("hyperparameter_search", scene), "hyperparameter_search")


def test_it_opens_with_figure_6_24_and_nothing_tried():
    at = open_page("hyperparameter_search")
    assert session(at).specs["hyperparameter_search"] == PAGES["hyperparameter_search"].scene == Search()
    assert drawn(at) == {}
    assert at.button(key="train-search").label == "Search"
    assert {"Search", "Network and training", "Optimizer"} <= set(panels(at))
    assert "Bergstra" in text(at)


def test_trials_appear_and_are_those_of_a_search_in_one_go():
    at = searched()
    assert drawn(at) == {"trained to the end": 12}
    now, whole = page_trials(at), go_on(start(SMALL), page.parts(SMALL))
    np.testing.assert_array_equal(now.accuracy, whole.accuracy)
    values = np.stack(
        [
            numbers(next(t for t in plots(at)["hyperparameter-search-trials"]["data"] if t["uid"] == "strained to the end")[c])
            for c in "xy"
        ],
        -1,
    )
    np.testing.assert_allclose(values, whole.values)
    best = next(t for t in plots(at)["hyperparameter-search-trials"]["data"] if t["uid"] == "best")
    assert numbers(best["x"])[0] == pytest.approx(whole.values[whole.winner.trial, 0])
    assert "On test data, looked at once" in text(at)
    assert at.button(key="train-search").disabled


def page_trials(at, scene=None):
    kept = at.session_state.labs["hyperparameter_search"]["kept"]
    return kept[page._key(scene or session(at).specs["hyperparameter_search"])]


def test_stopping_keeps_and_going_on_ends_the_same():
    at = open_page("hyperparameter_search", replace(SMALL, trials=40))
    at.button(key="train-search").click().run()
    if at.session_state.labs["hyperparameter_search"]["running"]:
        at.button(key="stop-search").click().run()
    before = page_trials(at).iterations.sum()
    assert before > 0
    at.run()
    assert page_trials(at).iterations.sum() == before, "nothing moves while it is stopped"
    if before < 40 * 40:
        assert at.button(key="train-search").label == "Go on"
        at = trained(at, "hyperparameter_search")
    assert page_trials(at).done
    at.button(key="again-search").click().run()
    assert not at.session_state.labs["hyperparameter_search"]["kept"]
    assert drawn(sound(at)) == {}


def test_another_sampler_is_searched_beside_the_first():
    at = searched()
    at.selectbox(key=f"hyperparameter-search-sampler-{session(at).epoch}").set_value("grid").run()
    assert drawn(sound(at)) == {}
    at = trained(at, "hyperparameter_search")
    at.session_state["hyperparameter-search-tabs"] = page.COMPARED
    at.run()
    figure = plots(sound(at))["hyperparameter-search-far"]
    assert [t["name"] for t in figure["data"]] == ["Random", "Grid"]
    for trace in figure["data"]:
        best = numbers(trace["y"])
        assert (np.diff(best) >= 0).all()
        assert numbers(trace["x"])[-1] == 12
    assert "12 / 12" in text(at)
    assert "4 / 3" in text(at), "the grid has few different values"
    at.selectbox(key=f"hyperparameter-search-sampler-{session(at).epoch}").set_value("random").run()
    assert at.button(key="train-search").disabled, "the earlier one is still there"


def test_the_best_curves_are_small_charts():
    at = searched(replace(SMALL, halving=Halving(2, 8)))
    assert drawn(at)["stopped early"] == 10
    at.session_state["hyperparameter-search-tabs"] = page.CURVES
    at.run()
    figure = plots(sound(at))["hyperparameter-search-curves"]
    assert len(figure["data"]) == 24
    assert len(figure["layout"]["annotations"]) == 12
    solid, dashed = figure["data"][:2]
    assert (solid["line"]["dash"], dashed["line"]["dash"]) == ("solid", "6px,4px")
    assert numbers(solid["x"])[-1] == 10, "40 iterations of 100 rows are 10 epochs of 400"
    assert "Halving" in text(at)
    assert "57 % saved" in text(at), "208 of 480 iterations are trained"


def test_the_border_s_button_widens_the_range_and_searches():
    space = Space((Axis("lr", -4.0, -1.0), Axis("l2", -8.0, -4.0)))
    at = searched(replace(SMALL, space=space, sampler=Choice("grid")))
    assert page_trials(at).values[page_trials(at).winner.trial, 0] == pytest.approx(0.1), "the largest rate of the grid"
    assert any("at the border" in w.value for w in at.warning)
    at.button(key="widen-0-True").click().run()
    assert session(sound(at)).specs["hyperparameter_search"].space.axes[0] == Axis("lr", -4.0, 1.0)
    assert page_trials(at).iterations.sum() > 0, "and it is on its way"


def test_what_it_says_of_the_border_depends_on_whether_the_knob_matters():
    now = go_on(start(replace(SMALL, trials=40, space=BOOK)), page.parts(SMALL))
    assert "has not been tried" in words.border_warning(
        replace(now, points=np.stack([now.scores, now.points[:, 1]], -1)), 0, True
    )
    flat = replace(now, points=np.random.default_rng(0).random(now.points.shape) * [1, 0] + [0, 0.5])
    assert "may be chance" in words.border_warning(flat, 1, True)


def test_other_knobs_are_searched():
    at = open_page("hyperparameter_search", replace(SMALL, training=replace(TINY, optimizer=OptimizerConfig(Choice("momentum")))))
    axes = at.multiselect(key=f"hyperparameter-search-axes-{session(at).epoch}")
    axes.set_value(["lr", "momentum", "sigma"]).run()
    assert [a.key for a in session(sound(at)).specs["hyperparameter_search"].space.axes] == ["lr", "momentum", "sigma"]
    at = trained(at, "hyperparameter_search")
    assert "1 − momentum" in text(at)
    at.selectbox(key="hyperparameter-search-x-3").set_value(2).run()
    assert "σ" in plots(sound(at))["hyperparameter-search-trials"]["layout"]["xaxis"]["title"]["text"]
    at.selectbox(key=f"hyperparameter-search-optimizer-{session(at).epoch}").set_value("sgd").run()
    assert [a.key for a in session(sound(at)).specs["hyperparameter_search"].space.axes] == ["lr", "sigma"], "SGD has no momentum"
    at.multiselect(key=f"hyperparameter-search-axes-{session(at).epoch}").set_value(["lr"]).run()
    assert any("two hyperparameters or more" in e.value for e in sound(at).error)
    assert len(session(at).specs["hyperparameter_search"].space.axes) == 2


def test_a_range_is_moved():
    at = open_page("hyperparameter_search", SMALL)
    slider = at.slider(key=f"hyperparameter-search-range-lr-{session(at).epoch}")
    slider.set_value((-3.0, 0.0)).run()
    assert session(sound(at)).specs["hyperparameter_search"].space.axes[0] == Axis("lr", -3.0, 0.0)
    at.slider(key=f"hyperparameter-search-range-lr-{session(at).epoch}").set_value((-1.0, -1.0)).run()
    assert any("nothing to search" in e.value for e in sound(at).error)
    assert session(at).specs["hyperparameter_search"].space.axes[0] == Axis("lr", -3.0, 0.0)


@pytest.mark.parametrize(
    "scene",
    [
        replace(SMALL, trials=4), replace(SMALL, sampler=Choice("coarse_to_fine", {"boxes": 6}), halving=Halving(5, 1)),
        replace(SMALL, sampler=Choice("bayesian", {"first": 2, "at_once": 1}), trials=6),
        replace(SMALL, space=Space((Axis("lr", 0.0, 1.0), Axis("l2", 0.0, 1.0)))),
        replace(SMALL, training=replace(TINY, iterations=1, eval_every=1)), replace(SMALL, training=replace(TINY, network=Network((64, 10)))),
        replace(SMALL, training=replace(TINY, dataset=Choice("moons"), network=Network((2, 8, 2)), split=Split(100)), validation=30),
        replace(SMALL, space=Space((Axis("l2", -8.0, 0.0), Axis("sigma", -4.0, 0.0))), training=replace(TINY, optimizer=OptimizerConfig(Choice("adam", {"lr": 0.01})))),
        replace(SMALL, training=replace(TINY, network=Network((64, 20, 10), normalize="before", dropout=0.3))),
    ],
)  # fmt: skip
def test_extreme_settings(scene):
    at = searched(scene)
    for tab in (page.CURVES, page.COMPARED):
        at.session_state["hyperparameter-search-tabs"] = tab
        at.run()
        json.dumps(plots(sound(at)))
    assert page_trials(at).done
    for theme in (LIGHT, DARK):
        assert views.stamp(scene, theme).endswith("</svg>")


def test_more_rows_than_there_are():
    at = open_page("hyperparameter_search", SMALL)
    session(at).specs["hyperparameter_search"] = replace(SMALL, validation=500, training=replace(TINY, split=Split(1500)))
    at.run()
    assert "none are left for the test" in sound(at).error[0].value


@pytest.mark.parametrize(
    "bad",
    [
        replace(SMALL, trials=1),
        replace(SMALL, sampler=Choice("oracle")),
        replace(SMALL, space=Space(())),
        replace(SMALL, halving=Halving(0)),
    ],
)
def test_a_link_to_what_cannot_be_searched(bad):
    with pytest.raises(LinkError):
        decode(encode(SharedScene("hyperparameter_search", bad)), "hyperparameter_search")


def test_the_page_s_address():
    scene = replace(SMALL, sampler=Choice("bayesian", {"first": 5}), halving=Halving(3, 4))
    link = plots(open_page("hyperparameter_search", scene))["hyperparameter-search-trials"]["link"]
    assert decode(link.removeprefix("?s="), "hyperparameter_search").scene == scene


def test_trials_as_csv():
    now = go_on(start(replace(SMALL, halving=Halving(2, 8))), page.parts(SMALL))
    rows = list(csv.DictReader(io.StringIO(page.trials_csv(now))))
    assert len(rows) == 12
    assert [float(r["lr"]) for r in rows] == now.values[:, 0].tolist()
    assert [float(r["validation_accuracy"]) for r in rows] == now.scores.tolist()
    assert {r["status"] for r in rows} == {"trained to the end", "stopped early"}
    waiting = list(csv.DictReader(io.StringIO(page.trials_csv(replace(now, iterations=np.zeros(12, int))))))
    assert waiting[0]["validation_accuracy"] == ""
