"""The search page: figures and text below Streamlit; searches, borders, ranges and the address in AppTest."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from optviz.experiments.hyperparameter_search import figures, page, parallel, text
from optviz.experiments.page import Context
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import DARK, LIGHT, style, to_plotly, to_svg
from optviz.shell.share import decode
from optviz.spec import Choice, validate
from optviz.training import Split, load
from optviz.tuning import (
    BOOK,
    Axis,
    Halving,
    Interval,
    Search,
    SearchJob,
    SearchState,
    Space,
    Status,
    split_data,
)
from optviz.tuning.search import final_accuracies
from optviz.ui.components import PageContents
from tests.page import (
    components,
    csv_rows,
    labeled,
    numbers,
    open_page,
    panels,
    plots,
    running,
    session,
    sound,
    trained,
)
from tests.page import text as words
from tests.tuning.test_search import ended

KEY = page.KEY
SMALL = Search(network=Network((64, 20, 10)), iterations=40, space=BOOK.widened(0, True), trials=12)


@pytest.fixture(scope="module")
def halved():
    return ended(replace(SMALL, halving=Halving(2, 8)))


def by_uid(figure):
    return {trace["uid"]: trace for trace in figure["data"]}


# Below Streamlit.


def test_the_trials_are_where_their_hyperparameters_are(halved):
    figure = to_plotly(figures.trials(halved, LIGHT))
    traces = by_uid(figure)
    for status in (Status.COMPLETED, Status.STOPPED):
        of, key = halved.statuses == status, status.name.lower()
        np.testing.assert_allclose(numbers(traces[key]["x"]), halved.values[of, 0])
        np.testing.assert_allclose(numbers(traces[key]["y"]), halved.values[of, 1])
        np.testing.assert_allclose(numbers(traces[f"{key} above"]["y"]), halved.scores[of])
        np.testing.assert_allclose(numbers(traces[f"{key} beside"]["x"]), halved.scores[of])
    assert numbers(traces["best"]["x"]) == halved.values[halved.winner.trial, 0]
    assert f"{100 * halved.scores.max():.0f}" in traces["best"]["text"][0]
    assert figure["layout"]["xaxis"]["title"]["text"] == "learning rate η"
    turned = to_plotly(figures.trials(halved, DARK, 1, 0))
    assert turned["layout"]["xaxis"]["title"]["text"] == "weight decay λ"
    assert [t["uid"] for t in turned["data"] if "stopped" in t["uid"]] == [
        "stopped",
        "stopped above",
        "stopped beside",
    ]


def test_the_best_curves_are_small_charts(halved):
    figure = to_plotly(figures.best_curves(halved, LIGHT, halved.ranking))
    assert len(figure["data"]) == 24
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert len(titles) == 12
    assert sum("✕" in title for title in titles) == halved.stopped.sum() == 10
    solid, dashed = figure["data"][:2]
    assert (solid["line"]["dash"], dashed["line"]["dash"]) == ("solid", "6px,4px")
    assert numbers(solid["x"])[-1] == 10, "40 iterations of 100 examples are 10 epochs of 400"
    assert numbers(solid["y"])[-1] == halved.scores[halved.ranking[0]]


def test_the_best_so_far_never_falls_and_counts_the_work(halved):
    whole = ended(SMALL)
    lines = [
        (text.search_name(s.search), s, style(i, LIGHT)) for i, s in enumerate((whole, halved))
    ]
    first, second = to_plotly(figures.best_so_far(lines, [True, True], "work"))["data"]
    assert (first["name"], second["name"]) == ("Random", "Random + halving by 2 from 8")
    assert (numbers(first["x"])[-1], numbers(second["x"])[-1]) == pytest.approx((12, 208 / 40))
    assert all((np.diff(numbers(trace["y"])) >= 0).all() for trace in (first, second))
    table = text.comparison(lines)
    assert [row[2:] for row in table.rows] == [[12, 12.0, "12 / 12"], [12, 5.2, "12 / 12"]]


def test_what_halving_saved(halved):
    assert "stopped 10 of 12 trials: 208 iterations instead of 480, 57% saved" in text.saved(halved)
    assert "208 iterations instead of 480 so far" in text.saved(replace(halved, round=0))


def test_what_it_says_of_the_border_depends_on_whether_the_hyperparameter_matters():
    now = ended(replace(SMALL, trials=40, space=BOOK))
    rising = replace(now, points=np.stack([now.scores, now.points[:, 1]], -1))
    assert "have not been tried" in text.border_warning(rising, 0, True)
    random = np.random.default_rng(0).random(now.points.shape)
    flat = replace(now, points=random * [1, 0] + [0, 0.5])
    assert "may be chance" in text.border_warning(flat, 1, True)
    assert text.widen(-4.5, 1.0) == "Widen it to 10⁻⁴·⁵ … 10¹ and search"


def test_trials_as_csv(halved):
    rows = csv_rows(page.trials_csv(Context(page.PAGE, SMALL, [halved], LIGHT)))
    assert [float(r["lr"]) for r in rows] == halved.values[:, 0].tolist()
    assert [float(r["validation_accuracy"]) for r in rows] == halved.scores.tolist()
    assert {r["status"] for r in rows} == {"trained to the end", "stopped early"}
    waiting = replace(halved, iterations=np.zeros(12, int))
    rows = csv_rows(page.trials_csv(Context(page.PAGE, SMALL, [waiting], LIGHT)))
    assert rows[0]["validation_accuracy"] == ""


def test_the_script_s_trainings_are_the_trials(halved):
    trainings, n_test, _search = page.PAGE.views[""].script(halved.search, [halved])
    assert n_test == 100
    assert [(t.iterations, len(t.trials)) for t in trainings] == [(8, 6), (16, 3), (32, 1), (40, 2)]
    rates = sorted(trial.hyperparameters["lr"] for t in trainings for trial in t.trials)
    assert rates == sorted(halved.values[:, 0].tolist())


EXTREME = [
    {"trials": 4},
    {"sampler": Choice("coarse_to_fine", {"boxes": 6}), "halving": Halving(5, 1)},
    {"sampler": Choice("bayesian", {"first": 2, "at_once": 1}), "trials": 6},
    {"space": Space((Axis("lr", 0.0, 1.0), Axis("l2", 0.0, 1.0)))},
    {"iterations": 10, "batch": 1},
    {"network": Network((64, 10))},
    {"dataset": Choice("moons"), "network": Network((2, 8, 2)), "split": Split(100), "validation": 30},
    {"space": Space((Axis("l2", -8.0, 0.0), Axis("sigma", -4.0, 0.0))), "optimizer": OptimizerConfig(Choice("adam", {"lr": 0.01}))},
    {"network": Network((64, 20, 10), normalize="before", dropout=0.3)},
]  # fmt: skip


@pytest.mark.parametrize("case", EXTREME)
def test_extreme_settings(case):
    spec = replace(SMALL, **case)
    validate(spec)
    job = SearchJob(spec, lambda: load(spec.base))
    half = job.begin()
    states = [half, job.advance(half, 1e-4), ended(spec)]
    assert states[-1].done
    for state in states:
        context = Context(page.PAGE, spec, [state], DARK, {"x": 0, "y": 1})
        json.dumps(to_plotly(page.trials(context)))
        if len(state.ranking):
            json.dumps(to_plotly(figures.best_curves(state, DARK, state.ranking)))
            assert "nan" not in text.best_table(state, state.ranking).html()
        assert page.trials_csv(context)
    assert "nan" not in text.correlations(states[-1]).replace("nan", "", 4)
    json.dumps(to_plotly(parallel.parallel(states[-1], DARK, [Interval("accuracy", 0.0, 0.5)])))
    assert page.importances(Context(page.PAGE, spec, [states[-1]], DARK))
    picture = to_svg(figures.thumbnail(spec, LIGHT), LIGHT)
    assert ET.fromstring(picture).get("aria-hidden") == "true"
    assert "nan" not in picture


# In the app.


def state_of(at) -> SearchState:
    spec = session(at).specs[KEY].searches[0]
    [found] = [s for s in session(at).results[KEY].states.values() if s.search == spec]
    return found


def test_a_search_beside_another_and_what_its_address_says():
    at = open_page(KEY)
    assert session(at).specs[KEY] == Search()
    assert at.button(key=f"train-{KEY}").label.startswith("Search")
    assert {"Search", "Network and training", "Optimizer"} <= set(panels(at))
    assert "Bergstra" in words(at)
    at = trained(open_page(KEY, SMALL), KEY)
    np.testing.assert_array_equal(state_of(at).accuracy, ended(SMALL).accuracy)
    assert at.button(key=f"train-{KEY}").disabled
    labeled(at.selectbox, "Sampler").set_value("grid").run()
    assert not len(state_of(sound(at)).points)
    at = trained(at, KEY)
    labeled(at.selectbox, "Sampler").set_value("bayesian").run()
    [address] = components(sound(at), "address")
    assert decode(address["link"].removeprefix("?s="), KEY).scene == session(at).specs[KEY]
    assert session(at).specs[KEY].sampler == Choice("bayesian"), (
        "the address follows on this tab, too"
    )
    labeled(at.selectbox, "Sampler").set_value("random").run()
    assert at.button(key=f"train-{KEY}").disabled, "the earlier one is still there"
    at.session_state[f"{KEY}-tabs"] = "Best curves"
    sound(at.run())
    assert f"{KEY}-curves-0" in plots(at)
    at.session_state["take-home"] = True
    sound(at.run())
    shown = session(at).states[PageContents]
    assert shown.script() == (state_of(at).trainings, 100, state_of(at).search)
    at.button(key=f"reset-{KEY}").click().run()
    assert not len(state_of(sound(at)).points)


def test_rivals_run_in_one_search_and_share_its_budget():
    at = open_page(KEY, replace(SMALL, rivals=(Choice("grid"), Choice("halving", {"first": 8}))))
    at = trained(at, KEY)
    states = list(session(at).results[KEY].states.values())
    assert sorted(len(s.points) for s in states) == [12, 12, 12]
    assert sorted(int(s.iterations.sum()) for s in states) == [208, 480, 480]
    at.session_state[f"{KEY}-tabs"] = "Side by side"
    sound(at.run())
    names = ["Random", "Grid", "Random + halving by 2 from 8"]
    planes = [plots(at)[f"{KEY}-searches-{k}-1"] for k in ("0-0", "0-1", "1-0")]
    rates = [
        len({x for t in p["data"] if t.get("xaxis", "x") == "x" for x in numbers(t["x"])})
        for p in planes
    ]
    assert rates[1] < rates[0] == 12, "a grid asks for the same rates again"
    traces = plots(at)[f"{KEY}-searches-2"]["data"]
    assert [t["name"] for t in traces] == names
    assert len({t["line"]["dash"] for t in traces}) == len({t["marker"]["symbol"] for t in traces})
    assert len({t["line"]["dash"] for t in traces}) == 3, "told apart without color"
    assert "4 / 3" in words(at), "the grid has few different values"
    assert numbers(traces[2]["x"])[-1] == pytest.approx(208 / 40)
    over = labeled(at.get("button_group"), "Over")
    over.set_value("trials").run()
    assert numbers(plots(sound(at))[f"{KEY}-searches-2"]["data"][2]["x"])[-1] == 12


def test_the_test_set_is_behind_a_button_that_counts():
    at = trained(open_page(KEY, SMALL), KEY)
    button = labeled(at.button, "Evaluate on the test set")
    assert "has not been used" in words(at)
    assert "On the test set" not in words(at), "nobody has asked"
    state, data = state_of(at), split_data(SMALL)
    button.click().run()
    share, together = final_accuracies(state, data)
    assert f"**On the test set: {100 * share:.3g}%**" in words(sound(at))
    assert "used **once**" in words(at)
    assert (
        f"**The 5 best trials as an ensemble** that averages their probabilities: {100 * together:.3g}%"
        in words(at)
    )
    button = labeled(at.button, "Evaluate on the test set")
    assert button.disabled, "a second look would say the same"
    labeled(at.selectbox, "Sampler").set_value("grid").run()
    at = trained(at, KEY)
    button = labeled(at.button, "Evaluate on the test set")
    button.click().run()
    assert "used **2 times**" in words(sound(at))


def test_a_filter_hides_trials_from_every_chart_and_the_table():
    shown = (Interval("lr", -3.0, 1.0), Interval("accuracy", 0.2, 1.0))
    at = trained(open_page(KEY, replace(SMALL, shown=shown)), KEY)
    state = state_of(at)
    kept = (state.values[:, 0] >= 1e-3) & (state.scores >= 0.2)
    assert 0 < kept.sum() < 12
    [table] = [h.value for h in at.get("html") if "Best-1" in h.value]
    assert table.count("Best-") == min(10, kept.sum())
    assert f"{kept.sum()} of 12 trials are shown" in words(at)
    at.session_state[f"{KEY}-tabs"] = "Parallel coordinates"
    sound(at.run())
    drawn = plots(at)
    for name in (f"{KEY}-parallel", f"{KEY}-trials"):
        told = drawn[name]["layout"]["meta"]["brush"]
        assert told["ranges"] == {"lr": [-3.0, 1.0], "accuracy": [0.2, 1.0]}
        np.testing.assert_allclose(
            told["points"], np.column_stack([np.log10(state.values), state.scores]), atol=1e-4
        )
    hover = drawn[f"{KEY}-parallel"]["data"][1]["hovertext"][0]
    assert "learning rate" in hover
    assert "weight decay" in hover
    at.session_state[f"{KEY}-tabs"] = "Best curves"
    sound(at.run())
    assert len(plots(at)[f"{KEY}-curves-0"]["data"]) == 2 * kept.sum()
    button = labeled(at.button, "Show all trials")
    button.click().run()
    assert session(sound(at)).specs[KEY] == SMALL


@pytest.mark.parametrize(
    "ranges",
    [
        {"lr": "x"},
        {"lr": [1]},
        {"oracle": [0, 1]},
        {"lr": [2, 1]},
        {"lr": [float("nan"), 1]},
        [1],
        3,
    ],
)
def test_a_filter_from_a_browser_that_lies_changes_nothing(ranges):
    at = open_page(KEY, SMALL)
    at.session_state[f"{KEY}-parallel"] = {}
    with patch.object(page, "session", lambda: session(at)):
        page._filter(ranges)
    assert session(at).specs[KEY] == SMALL


def test_importance_is_read_or_said_not_to_be():
    at = trained(open_page(KEY, SMALL), KEY)
    at.session_state[f"{KEY}-tabs"] = "Importance"
    sound(at.run())
    assert "12 trials were trained to the end, but 15 are needed" in words(at)
    at = trained(open_page(KEY, replace(SMALL, trials=80)), KEY)
    at.session_state[f"{KEY}-tabs"] = "Importance"
    sound(at.run())
    alone = numbers(plots(at)[f"{KEY}-importances-0"]["data"][0]["y"])
    assert alone[0] > 0.9, "the learning rate decides, not weight decay"
    assert "Functional analysis of variance" in words(at)


def test_stopping_keeps_and_resuming_ends_the_same():
    at = open_page(KEY, replace(SMALL, trials=40))
    at.button(key=f"train-{KEY}").click().run()
    if session(at).results[KEY].running:
        at.button(key=f"stop-{KEY}").click().run()
    before = state_of(at).iterations.sum()
    assert before > 0
    at.run()
    assert state_of(at).iterations.sum() == before, "nothing moves while it is stopped"
    if before < 40 * 40:
        assert at.button(key=f"train-{KEY}").label == "Resume"
        at = trained(at, KEY, sliced=True)
    assert state_of(at).done


def test_the_border_s_button_widens_the_range_and_searches():
    space = Space((Axis("lr", -4.0, -1.0), Axis("l2", -8.0, -4.0)))
    at = trained(open_page(KEY, replace(SMALL, space=space, sampler=Choice("grid"))), KEY)
    assert any("at the edge" in w.value for w in at.warning)
    [button] = [b for b in at.button if "10⁻⁴ … 10¹" in b.label]
    button.click().run()
    assert session(sound(at)).specs[KEY].space.axes[0] == Axis("lr", -4.0, 1.0)
    assert running(at, KEY) or state_of(at).iterations.sum() > 0, "and it is on its way"


def test_other_hyperparameters_and_ranges():
    at = open_page(KEY, replace(SMALL, optimizer=OptimizerConfig(Choice("momentum"))))

    def axes():
        return session(sound(at)).specs[KEY].space.axes

    at.multiselect[0].set_value(["lr", "momentum", "sigma"]).run()
    assert [a.key for a in axes()] == ["lr", "momentum", "sigma"]
    at.slider[0].set_value((-3.0, 0.0)).run()
    assert axes()[0] == Axis("lr", -3.0, 0.0)
    at.slider[0].set_value((-1.0, -1.0)).run()
    assert any("nothing to search" in e.value for e in at.error)
    assert axes()[0] == Axis("lr", -3.0, 0.0)
    across, up = (labeled(at.selectbox, label) for label in ("Across", "Up"))
    assert (len(across.options), len(up.options)) == (3, 2)
    across.set_value(2).run()
    assert "σ" in plots(sound(at))[f"{KEY}-trials"]["layout"]["xaxis"]["title"]["text"]
    labeled(at.selectbox, "Optimizer").set_value("sgd").run()
    assert [a.key for a in axes()] == ["lr", "sigma"], "SGD has no momentum"
    assert not any(s.label == "Across" for s in at.selectbox)
    at.multiselect[0].set_value(["lr"]).run()
    assert any("at least two hyperparameters" in e.value for e in at.error)
    assert len(axes()) == 2
    labeled(at.toggle, "Stop hopeless trials early").set_value(True).run()
    assert session(sound(at)).specs[KEY].halving == Halving()
    assert "Halving" in panels(at)


def test_more_examples_than_there_are():
    at = open_page(KEY, replace(SMALL, validation=500, split=Split(1500)))
    assert "none are left for the test" in at.error[0].value
