"""The page in AppTest: what its controls do, what it says, links, locks, lessons, take home."""

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, SCHEDULES, WRAPPERS, minimize
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.run import run
from optviz.experiments.trajectories.spec import BOOK, Choice, Objective, Scene, View
from optviz.experiments.trajectories.state import TrajectoriesState
from optviz.optim.base import FAMILIES
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.shell.export import menu as export
from optviz.shell.lessons import LESSONS
from optviz.shell.share import decode, encode
from optviz.spec import SpecError, validate
from optviz.ui.channel import Browser
from optviz.ui.locks import Controls
from optviz.ui.training.optimizer_menu import optimizer_labels
from tests.page import (
    components,
    contour,
    csv_rows,
    curves,
    drawn,
    numbers,
    open_app,
    open_page,
    open_scene,
    panels,
    plots,
    session,
    shared,
    sound,
    text,
)

KEY = "trajectories"


def scene(at):
    return session(at).specs[KEY]


def state(at):
    return session(at).states[TrajectoriesState]


def show(at, other):
    """Put a scene on the page, as a lesson would."""
    session(at).show(KEY, other)
    return sound(at.run())


def change(at, **parts):
    """Put another scene in place, as a control would."""
    session(at).specs[KEY] = replace(scene(at), **parts)
    return sound(at.run())


def key(at, name):
    return f"{KEY}-{name}-{session(at).epoch}"


def opened(at, **flags):
    """With popovers, switches and expanders open."""
    for name, value in flags.items():
        at.session_state[name] = value
    return sound(at.run())


def settings(at, i):
    """With the settings of an optimizer open; its id."""
    found = state(at).ids[i]
    opened(at, **{key(at, f"{found}-settings"): True})
    return found


def inside(at):
    return opened(at, **{"beside-shown": "inside"})


def one(name, **values):
    return Scene(Objective(), (OptimizerConfig(Choice(name, values)),))


def choose(at, function):
    """Another function in the menu."""
    at.selectbox(key=key(at, "trajectories-objective-function-menu")).set_value(function).run()
    return sound(at)


def group(at, label):
    """The segments or pills with this label."""
    [found] = [g for g in at.get("button_group") if g.label == label]
    return found


def press(at, label):
    """The button whose label begins so."""
    [found] = [b for b in at.button if b.label.startswith(label)]
    found.click().run()
    return sound(at)


def table(at):
    """The text of the table's cells, row by row."""
    body = components(at, "table")[0]["html"].split("<tbody>")[1]
    rows = (row.replace("</th>", "</td>").split("</td>")[:-1] for row in body.split("</tr>")[:-1])
    return [[cell.split(">")[-1] for cell in row] for row in rows]


def test_it_opens_on_the_book_figure():
    at = sound(open_app())
    assert list(panels(at)) == ["SGD", "Momentum", "AdaGrad", "Adam"]
    assert [row[0] for row in table(at)] == ["SGD", "Momentum", "AdaGrad", "Adam"]
    assert table(at)[0][5] == "36.99"
    assert numbers(contour(at)["base"]["data"][0]["z"]).shape == (294, 200)
    said = text(at)
    assert "**λmin = 0.1** and **λmax = 2**: condition number **20**" in said
    rates = said.split("Rates at the minimum (0, 0)")[1]
    rows = {row.split("</th>")[0]: row for row in rates.split('<th scope="row">')[1:]}
    assert "2/λmax = 1<" in rows["SGD"]
    assert "2/(λmin+λmax) = 0.9524" in rows["SGD"]
    assert "= 1.9<" in rows["Momentum, μ = 0.9"]  # 2 · 1.9 / 2
    assert "= 0.6786<" in rows["Nesterov, μ = 0.9"]  # 1.9 / 2.8


def test_every_function_goes_through_the_menu():
    at = open_app()
    for name, f in FUNCTIONS.items():
        assert contour(choose(at, name))["layout"]["xaxis"]["range"] == pytest.approx(f.domain[0])
        assert drawn(contour(at), "Adam")[0] == pytest.approx(f.start)
        assert f.teaches in text(at)
        shown = minimize(f, OPTIMIZERS["adam"](lr=0.3)).values[-1]  # with its own noise and start
        assert float(table(at)[3][3].replace("−", "-")) == pytest.approx(shown, rel=6e-4)


def test_every_optimizer_is_shown_and_looked_into():
    at = inside(open_app())
    for name, cls in OPTIMIZERS.items():
        show(at, one(name))
        assert [h["name"] for h in panels(at)[cls.label]["hyperparameters"]] == [
            h.name for h in hyperparameters(cls) if not h.advanced
        ]
        path = minimize(FUNCTIONS["bowl"], cls(), start=(-7, 2), steps=30)
        assert drawn(contour(at), cls.label) == pytest.approx(path.points, abs=1e-12)
        assert any("displaystyle" in m.value for m in at.markdown), "its equations with numbers"
        opened(at, more="equations")
        assert any(f"**{cls.label}**" in m.value and "$$" in m.value for m in at.markdown)
    opened(at, more="code")
    assert any("def step(self, f, x, s):" in c.value for c in at.code)


@pytest.mark.parametrize("end", ["low", "high"])
def test_every_hyperparameter_at_either_end_is_shown_without_an_error(end):
    at = open_app()
    for name, cls in OPTIMIZERS.items():
        ends = {
            h.name: (end == "high") if h.kind is bool else h.kind(getattr(h, end))
            for h in hyperparameters(cls)
        }
        objective = Objective("rosenbrock", start=(-1.2, 1.0))
        show(at, Scene(objective, (OptimizerConfig(Choice(name, ends)),)))


def test_settings_wrappers_schedules_initial_points():
    at = open_app()
    found = settings(at, 1)
    group(at, "Modifiers").set_value(list(WRAPPERS)).run()
    assert {w.key for w in scene(sound(at)).optimizers[1].wrappers} == set(WRAPPERS)
    group(at, "Modifiers").set_value([]).run()
    for schedule in SCHEDULES:
        at.selectbox(key=key(at, f"{found}-schedules-menu")).set_value(schedule).run()
        if schedule != "constant":
            at.selectbox(key=key(at, f"{found}-schedules-of")).set_value("momentum").run()
            [(name, chosen)] = scene(sound(at)).optimizers[1].schedules.items()
            assert (name, chosen.key) == ("momentum", schedule)
            built = {"momentum": chosen.build(SCHEDULES)}
            path = minimize(
                FUNCTIONS["bowl"], OPTIMIZERS["momentum"](lr=0.1), (-7, 2), 30, schedule=built
            )
            labeled = f"Momentum · μ {schedule.replace('_', ' ')}"  # in the legend, too
            assert drawn(contour(at), labeled) == pytest.approx(path.points, abs=1e-12)
    group(at, "Initial points").set_value("grid").run()
    assert scene(sound(at)).optimizers[1].initial_points == Choice("grid")
    assert "from 25 more starts" in text(at)


def test_optimizers_come_and_go_and_twins_are_distinguished():
    at = open_app()
    at.button(key=key(at, "trajectories-optimizers-list") + "-button").click().run()
    at.button(key=key(at, "trajectories-optimizers-add-nesterov")).click().run()
    assert list(panels(at)) == ["SGD", "Momentum", "AdaGrad", "Adam", "Nesterov"]
    found = settings(at, 1)
    at.selectbox(key=key(at, f"{found}-optimizer")).set_value("adam").run()
    assert list(panels(at))[1:4] == ["Adam (lr 0.1)", "AdaGrad", "Adam (lr 0.3)"]
    at.button(key=key(at, f"{found}-remove")).click().run()
    assert list(panels(sound(at))) == ["SGD", "AdaGrad", "Adam", "Nesterov"]
    at.button(key="book").click().run()
    assert list(panels(sound(at))) == ["SGD", "Momentum", "AdaGrad", "Adam"]
    show(at, Scene())
    assert any("There are no optimizers in this scene" in i.value for i in at.info)
    assert list(plots(at)) == ["contour"], "there are no curves"


def test_the_menu_of_optimizers_goes_by_family_with_the_one_to_take_first():
    labels = optimizer_labels()
    assert sorted(labels) == sorted(OPTIMIZERS)
    families = [OPTIMIZERS[key].family for key in labels]
    assert families == sorted(families, key=FAMILIES.index)
    first = {families.index(family): family for family in families}
    assert [i for i, s in enumerate(labels.values()) if "start here" in s] == sorted(first)
    assert labels["bfgs"] == "BFGS — second order, start here, not for networks"
    assert labels["muon"] == "Muon — matrix, networks only"
    dense = {key for key, label in labels.items() if "not for networks" in label}
    assert dense == {"bfgs", "newton", "nelder_mead", "trust_region"}


def test_noise_is_the_same_for_every_optimizer():
    at = opened(open_app(), run=True)
    for kind in NOISES:
        group(at, "Gradient noise").set_value(kind).run()
        assert scene(sound(at)).objective.noise == Choice(kind, {"scale": 2.0})
        opt, noise = OPTIMIZERS["sgd"](lr=0.95), NOISES[kind](scale=2.0)
        path = minimize(FUNCTIONS["bowl"], opt, (-7, 2), 30, noise, seed=0)
        assert drawn(contour(at), "SGD") == pytest.approx(path.points, abs=1e-12)
    change(at, optimizers=(OptimizerConfig(Choice("adam")),) * 2)
    assert drawn(contour(at), "Adam #1") == pytest.approx(drawn(contour(at), "Adam #2"), abs=0)


def typed(at, formula):
    choose(at, "formula")
    at.text_input(key=key(at, "trajectories-objective-formula")).set_value(formula).run()
    return sound(at)


def test_a_formula_takes_the_same_way_and_a_refused_one_changes_nothing():
    at = typed(open_app(), "(x - 1)^2 + 3*(y + 2)^2")
    assert "Minima: (1, −2)." in text(at)
    before = drawn(contour(at), "SGD")
    for formula in (
        "",
        "x +",
        "9**9**9**9",
        "__import__('os')",
        "foo(x)",
        "x.real",
        "(" * 60 + "x",
        "log(-1)",
        "1/2x",
        "|x|y|x|",
        "√x²",
        "1,000x",
    ):
        typed(at, formula)
        assert "The picture still shows" in at.error[0].value
        assert drawn(contour(at), "SGD") == pytest.approx(before, abs=0, nan_ok=True)
    assert not typed(at, "f(x, y) = 2(x - 1)² + 0,5|y|").error
    assert "f(x, y) = 2 (x - 1)^{2} + 0.5 \\left|y\\right|$" in text(at)
    assert not typed(at, "log(x) + y^2").error
    change(at, objective=replace(scene(at).objective, start=(-1.0, 1.0)))
    assert "not defined at the start (−1, 1)" in at.warning[0].value
    assert "cannot start" in table(at)[0][-1]


def test_what_was_set_for_a_function_is_there_again_when_one_comes_back():
    at = open_app()
    noise = Choice("gaussian", {"scale": 0.5})
    here = replace(scene(at).objective, start=(3.0, 1.0), noise=noise, seed=7)
    change(at, objective=here)
    assert scene(choose(at, "booth")).objective.start == (-8.0, 8.0)
    assert scene(choose(at, "bowl")).objective == here


def test_a_rate_beyond_the_limit_says_so_at_its_slider():
    at = open_app()

    def note(name, **values):
        [panel] = panels(show(at, one(name, **values))).values()
        return panel["notes"].get("lr", "")

    assert note("sgd", lr=1.0) == ""
    assert "beyond 1," in note("sgd", lr=1.01)
    assert note("momentum", lr=1.89, momentum=0.9) == ""
    assert "beyond 1.9," in note("momentum", lr=1.91, momentum=0.9)
    assert note("adam", lr=9.0) == ""


def test_the_view_is_set_by_its_controls():
    at = opened(open_app(), view=True)
    group(at, "Levels").set_value("log").run()
    group(at, "Show").set_value(["length", "loss"]).run()
    at.toggle(key=key(at, "trajectories-view-solid-toggle")).set_value(True).run()
    at.toggle(key=key(at, "trajectories-view-log-toggle")).set_value(False).run()
    at.selectbox(key=key(at, "trajectories-view-along-menu")).set_value("evaluations").run()
    assert scene(sound(at)).view == View(
        "log", solid=True, log=False, along="evaluations", metrics=("loss", "length")
    )
    assert components(at, "surface")[0]["name"] == "solid"


def test_every_choice_of_pictures_is_drawn_alone_and_beside_another_scene():
    names = {"both": {"contour", "curves"}, "contour": {"contour"}, "surface": {"solid"}}
    names["curves"] = {"curves"}
    for shown, expected in names.items():
        one = replace(BOOK, view=View(shown=shown))
        for seen, keys in (
            (one, expected),
            (replace(one, beside=BOOK), expected | {f"{name}-2" for name in expected}),
        ):
            at = open_scene(seen)
            found = [*components(at, "plot"), *components(at, "surface")]
            assert {data["name"] for data in found if "name" in data} == keys
            assert "<h1>" in export.scene_page(seen, list("abcd"), "light")


def test_turning_one_slider_computes_one_path_and_no_contour(monkeypatch):
    at, paths = open_app(), []
    monkeypatch.setattr(runs, "minimize", lambda *given: paths.append(given) or minimize(*given))
    monkeypatch.setattr(
        runs.Landscape, "from_function", lambda *given: pytest.fail("it is there already")
    )
    sgd = replace(BOOK.optimizers[0], method=Choice("sgd", {"lr": 0.123456}))
    change(at, optimizers=(sgd, *BOOK.optimizers[1:]))
    assert len(paths) == 1
    assert "base" not in contour(at), "the contour is not sent again either"
    session(at).states[Browser].underlay_ids.clear()  # the browser has lost it
    assert "base" in contour(at.run())


def test_branches_say_what_they_brought_along():
    adam = BOOK.optimizers[3]
    kept = replace(adam, method=Choice("adam", {"lr": 1.0}), fork=Fork(adam, 12))
    fresh = OptimizerConfig(Choice("momentum"), fork=Fork(adam, 12))
    late = replace(adam, fork=Fork(adam, 40))
    at = show(open_app(), replace(BOOK, optimizers=(adam, kept, fresh, late)))
    said = text(at)
    assert "**Adam from step 12** branches off Adam at step 12 and continues with its state" in said
    assert "**Momentum from step 12** branches off Adam at step 12 with a fresh state" in said
    assert "**Adam from step 40** would branch off at step 40" in said
    before, after = drawn(contour(at), "Adam"), drawn(contour(at), "Adam from step 12")
    assert np.array_equal(before[:13], after[:13])
    assert not np.array_equal(before, after)


def test_starts_are_counted_where_they_end():
    config = OptimizerConfig(Choice("sgd", {"lr": 0.01}), initial_points=Choice("grid"))
    at = open_scene(Scene(Objective("himmelblau", start=(0.0, 0.0), steps=300), (config,)))
    counts = [int(n) for n in re.findall(r"(\d+) at \(", text(at))]
    assert (sum(counts), len(counts)) == (25, 4), "all four valleys are found"
    colors = [t["line"]["color"] for t in contour(at)["data"] if re.search(r"s\d+$", t["uid"])]
    assert sorted(Counter(colors).values()) == sorted(counts), "a color for each valley"


def test_a_path_that_has_ended_has_no_inside():
    objective = Objective("formula", "log(x) + y**2", start=(2.0, 1.0))
    at = inside(open_scene(replace(one("sgd", lr=1.0), objective=objective)))
    assert "ended before step" in text(at)


# Predictions.


def test_a_prediction_from_question_to_verdict():
    at = open_app()
    at.button(key="predict-begin").click().run()
    assert contour(sound(at))["hidden"]
    assert curves(at)["hidden"]
    assert contour(at)["clicks"] == "guess"
    assert at.button(key="reveal").disabled
    opened(inside(at), **{"take-home": True})
    assert not at.get("download_button")
    assert not any("displaystyle" in m.value for m in at.markdown)
    land = BOOK.objective.landscape_key()
    end = tuple(run(BOOK.objective, BOOK.optimizers[0]).points[-1])
    state(at).prediction = replace(state(at).prediction, point=end, landscape=land)
    at.run()
    assert not at.button(key="reveal").disabled
    choose(at, "booth")
    assert at.button(key="reveal").disabled, "a place on another function is no answer"
    choose(at, "bowl")
    state(at).prediction = replace(state(at).prediction, point=end, landscape=land)
    at.run()
    at.button(key="reveal").click().run()
    assert not contour(at)["hidden"]
    assert components(at, "player")[0]["play"] == state(at).prediction.revealed
    assert at.button(key="again").disabled, "no way out of a bad guess"
    assert state(at).prediction.scene == BOOK, (
        "what was run counts, whatever is changed while it plays"
    )
    state(at).prediction = replace(state(at).prediction, points=9, verdict="so.")
    state(at).score = (9, 5)
    at.run()
    assert "Score: **14** of 20 in 2 rounds" in text(at)
    at.button(key="again").click().run()
    assert state(at).prediction.about == state(at).ids[1]
    assert scene(at).objective.start != BOOK.objective.start
    found = settings(at, 1)
    at.button(key=key(at, f"{found}-remove")).click().run()
    assert state(sound(at)).prediction.about in state(at).ids, "who was asked about is gone"
    at.button(key="stop-predicting").click().run()
    assert state(sound(at)).prediction is None


# Links, locks, lessons.


def test_the_link_on_the_page_opens_the_same_scene():
    domain, noise = ((-2.0, 3.0), (-1.0, 4.0)), Choice("gaussian", {"scale": 0.5})
    formula = Objective("formula", "x^2 + abs(y)", domain, (1.0, 2.0), 17, noise, 5)
    there = Scene(formula, BOOK.optimizers, 0.02, View(field=True, metrics=("loss", "length")))
    at = show(open_app(), there)
    other = open_page(KEY, s=components(at, "address")[0]["link"].removeprefix("?s="))
    assert scene(other) == there
    assert drawn(contour(other), "Adam") == pytest.approx(drawn(contour(at), "Adam"), abs=0)
    changed = replace(LESSONS["zigzag"].scene, tolerance=0.01)
    at = open_page(KEY, lesson="zigzag", s=encode(shared(changed)))
    assert (scene(at), session(at).lesson) == (changed, "zigzag")
    assert "scene has been changed" in text(at), "its numbers are those of another one"
    assert components(at, "address")[0]["link"].endswith("&lesson=zigzag")


@pytest.mark.parametrize("query", [{"s": "9.AAAA"}, {"s": "\0<script>"}, {"lesson": "nothing"}])
def test_a_bad_link_or_lesson_opens_the_book_s_scene_and_says_why(query):
    at = open_page(KEY, **query)
    assert scene(at) == BOOK
    assert "with its default scene" in session(at).complaint


def test_locked_and_hidden_groups():
    def at(group, how):
        controls = Controls(**{how: (group,)})
        link = encode(shared(BOOK, controls=controls))
        return opened(open_page(KEY, s=link), run=True, share=True, view=True)

    for how in ("locked", "hidden"):
        gone = how == "hidden"
        found = [b for b in at("function", how).selectbox if b.label == "Function"]
        assert (not found) if gone else found[0].disabled
        page = at("run", how)
        assert contour(page)["clicks"] is None
        panel = panels(page).get("Start, steps and tolerance")
        assert panel is None if gone else panel["locked"]
        page = at("hyperparameters", how)
        assert not panels(page).get("SGD") if gone else panels(page)["SGD"]["locked"]
        page = at("optimizers", how)
        assert not [b for b in page.button if b.label == "Add an optimizer"]
        assert inside(page).button(key="fork").disabled
        toggles = [t for t in at("view", how).toggle if t.label == "Negative gradient field (−∇f)"]
        assert (not toggles) if gone else toggles[0].disabled
        assert bool(components(at("results", how), "table")) != gone
    controls = Controls(locked=("hyperparameters",))
    page = open_page(KEY, s=encode(shared(BOOK, controls=controls)), lesson="zigzag")
    assert page.button(key="lesson-reset").disabled, "its scene has other rates"
    controls = Controls(hidden=("hyperparameters", "optimizers"))
    bare = text(open_page(KEY, s=encode(shared(BOOK, controls=controls))))
    assert "AdaGrad" not in bare, "a list of names alone would only take room"
    page = at("lessons", "hidden")
    assert not [g for g in page.get("button_group") if g.label == "Lessons"], (
        "who has such a link makes no other"
    )


def test_what_a_teacher_chooses_is_in_the_link_that_is_handed_out():
    at = opened(
        open_app(), share=True, **{"share-hyperparameters": "locked", "share-results": "hidden"}
    )
    [address] = [c.value for c in at.code if "?s=" in c.value]
    assert decode(address.split("?s=")[1]).controls == Controls(("hyperparameters",), ("results",))


def test_before_next_reset_close():
    first, second, *_ = LESSONS
    at = open_page(KEY, lesson=first)
    assert at.button(key="lesson-Previous").disabled
    at.button(key="lesson-Next").click().run()
    assert session(at).lesson == second
    change(at, tolerance=0.5)
    at.button(key="lesson-reset").click().run()
    assert scene(at) == LESSONS[second].scene
    at.button(key="lesson-close").click().run()
    assert "Look for" not in text(at)
    assert scene(at) == LESSONS[second].scene


# Export.


def test_the_offline_page_holds_everything_and_asks_for_nothing():
    formula = replace(BOOK.objective, function="formula", formula="x**2 + 2*y**2")
    for view in (View(), View(solid=True)):
        page = export.scene_page(
            replace(BOOK, objective=formula, view=view),
            ["</script>", "<!--", "c", "d"],
            "dark",
            LESSONS["zigzag"],
        )
        outside = page.split("<script>", 1)[0]
        assert not re.search(r"""(?:src|href)=["']?https?:""", outside)
        assert "x**2 + 2*y**2" in page
        data = page.split('id="data">')[1].split("</script>")[0]
        parts = {part["kind"]: part["data"] for part in json.loads(data)}
        assert parts["player"]["steps"] == 30
        names = [
            t["name"]
            for t in parts["surface" if view.solid else "plot"]["data"]
            if t.get("mode") == "lines"
        ]
        assert names[:4] == ["SGD", "Momentum", "AdaGrad", "Adam"]


def test_everything_is_offered_and_what_torch_does_not_have_is_named():
    at = opened(open_app(), **{"take-home": True})
    offered = [
        "Page that plays offline",
        "Paths as CSV",
        "Table as CSV",
        "Python script",
        "PyTorch script",
    ]
    assert [b.proto.label for b in at.get("download_button")] == offered
    change(at, optimizers=(*BOOK.optimizers, OptimizerConfig(Choice("lion"))))
    assert [b.proto.label for b in at.get("download_button")] == offered[:-1]
    assert "PyTorch has no exact equivalent of Lion" in text(at)


def test_what_is_put_away_is_among_the_settings_and_comes_out_once_it_is_changed():
    damped = Choice("momentum", {"dampening": 0.5})
    at = show(open_app(), BOOK)
    shown = [h["name"] for h in panels(at)["Momentum"]["hyperparameters"]]
    assert shown == ["lr", "momentum"]
    at = show(at, replace(BOOK, optimizers=(OptimizerConfig(damped),)))
    shown = [h["name"] for h in panels(at)["Momentum"]["hyperparameters"]]
    assert shown == ["lr", "momentum", "dampening"]


def test_undo_and_redo_go_through_the_scenes_as_they_came():
    at = open_app()
    for tolerance in (0.5, 0.25):
        change(at, tolerance=tolerance)

    def go(by):
        session(at).go_to(session(at).step(by))
        return scene(sound(at.run())).tolerance

    assert session(at).step(1) is None
    assert [go(-1), go(-1), go(1)] == [0.5, BOOK.tolerance, 0.5]
    change(at, tolerance=0.1)
    assert session(at).step(1) is None, "what was taken back is given up by another change"
    assert go(-1) == 0.5


def test_neither_the_course_nor_begin_again_leads_around_a_lock():
    at = open_page(KEY, s=encode(shared(BOOK, controls=Controls(("run",)))))
    assert "Locked or hidden by the author of this link: start, steps, noise." in text(at)
    assert not [b for b in at.button if b.key == "book"]
    at.query_params["open"] = "zigzag"
    sound(at.run())
    assert scene(at) == BOOK
    assert any("start, steps, noise" in w.value for w in at.warning)


def test_another_function_does_not_carry_the_rates_of_the_bowl_into_divergence():
    """Rosenbrock's valley: SGD at 0.95 leaves the numbers, and back on the bowl it has 0.95 again."""
    at = open_app()
    choose(at, "rosenbrock")
    start, rates = FUNCTIONS["rosenbrock"].start, np.geomspace(1e-4, 10, 41)
    sgd, *_ = (config.method for config in scene(at).optimizers)
    ends = [minimize(FUNCTIONS["rosenbrock"], OPTIMIZERS["sgd"](lr=r), start, 30) for r in rates]
    best = rates[np.nanargmin([end.values[-1] for end in ends])]
    assert sgd.values["lr"] == pytest.approx(best, rel=5e-3)
    for config in scene(at).optimizers:
        assert np.isfinite(run(scene(at).objective, config).values[-1])
    assert scene(choose(at, "bowl")).optimizers == BOOK.optimizers


def test_the_best_rate_and_the_best_of_theory_are_a_click_away():
    """Momentum on the bowl: curvatures 0.1 and 2, Polyak's best (2/(√2 + √0.1))² and 0.4026."""
    at = open_scene(replace(BOOK, optimizers=BOOK.optimizers[1:2]))
    settings(at, 0)
    press(at, "Best in the long run")
    taken = scene(at).optimizers[0].method.values
    assert taken == pytest.approx({"lr": 1.33580, "momentum": 0.402605}, rel=1e-4)
    press(at, "Best rate from this start")
    method = scene(at).optimizers[0].method
    assert method.values["momentum"] == taken["momentum"]
    best = run(scene(at).objective, scene(at).optimizers[0]).values[-1]
    for lr in (method.values["lr"] / 1.4, method.values["lr"] * 1.4):
        other = OptimizerConfig(method.with_values(lr=lr))
        assert not run(scene(at).objective, other).values[-1] < best
    group(at, "Auto: the best from every start").set_value("lr momentum").run()
    assert any("**Momentum** :gray-badge[auto]" in m.value for m in sound(at).markdown)
    found = scene(sound(at)).optimizers[0].method.values
    assert run(scene(at).objective, scene(at).optimizers[0]).values[-1] < best
    for lr, momentum in ((1.4, 1.0), (0.7, 1.0), (1.0, 1.2), (1.0, 0.8)):
        near = {"lr": found["lr"] * lr, "momentum": found["momentum"] * momentum}
        values = minimize(FUNCTIONS["bowl"], OPTIMIZERS["momentum"](**near), (-7, 2), 30).values
        assert not values[-1] < run(scene(at).objective, scene(at).optimizers[0]).values[-1]


def test_the_best_rate_of_a_branch_is_that_of_its_own_method():
    adam = BOOK.optimizers[3]
    branch = replace(BOOK.optimizers[1], fork=Fork(adam, 12))
    best = runs.best_settings(BOOK.objective, branch)
    assert best == runs.best_settings(BOOK.objective, BOOK.optimizers[1])
    assert best != runs.best_settings(BOOK.objective, adam)


def test_auto_comes_with_a_link_and_ends_where_a_hand_sets_the_rate():
    def on(names):
        config = replace(BOOK.optimizers[1], auto=names)
        at = open_page(KEY, s=encode(shared(replace(BOOK, optimizers=(config,)))))
        return at, scene(choose(at, "booth")).optimizers[0]

    at, off = on("")
    at, found = on("lr")
    assert (found.auto, found.method.values["momentum"]) == ("lr", 0.9)
    assert found.method.values["lr"] != off.method.values["lr"]
    for lr in (found.method.values["lr"] / 1.4, found.method.values["lr"] * 1.4):
        start, other = scene(at).objective.start, found.method.with_values(lr=lr)
        best, near = (
            minimize(FUNCTIONS["booth"], m.build(OPTIMIZERS), start, 30).values[-1]
            for m in (found.method, other)
        )
        assert best < near
    with pytest.raises(SpecError, match="branch"):
        validate(replace(found, fork=Fork(found.alone, 3)))
    at, _found = on("lr momentum")
    settings(at, 0)
    press(at, "Best in the long run")
    assert scene(at).optimizers[0].auto == ""
    session(at).go_to(session(at).step(-1))
    assert scene(sound(at.run())).optimizers[0].auto == "lr momentum"


def test_of_two_scenes_every_file_holds_both():
    other = replace(BOOK, objective=Objective("himmelblau", start=(-0.5, -1.0), steps=50))
    both = replace(BOOK, beside=replace(other, optimizers=BOOK.optimizers[2:]))
    paths, ends = (csv_rows(make(both)) for make in (export.paths_csv, export.table_csv))
    own, beside = "1 Stretched bowl", "2 Himmelblau"
    last = {(r["scene"], r["optimizer"]): r for r in paths}
    assert [(*key, r["step"]) for key, r in last.items()] == [
        *((own, name, "30") for name in BOOK.names),
        *((beside, name, "50") for name in BOOK.names[2:]),
    ]
    assert float(last[own, "SGD"]["loss"]) == pytest.approx(1.3326803773e-2, rel=1e-9)
    assert [(r["scene"], r["beta1"]) for r in ends][-2:] == [(beside, ""), (beside, "0.9")]
    page = export.scene_page(both, ["a", "b", "c", "d"], "light")
    parts = json.loads(page.split('id="data">')[1].split("</script>")[0])
    names = [part["data"].get("name", part["kind"]) for part in parts]
    assert names == ["contour", "contour-2", "curves", "curves-2", "player", "table", "table"]
    assert parts[4]["data"]["steps"] == 50
    assert [len(part["data"]["rows"]) for part in parts[-2:]] == [4, 2]
    at = opened(open_scene(both), **{"take-home": True})
    labels = [b.proto.label for b in at.get("download_button")]
    scripts = ("Python script", "PyTorch script")
    assert labels[3:] == [f"{name}, scene {i}" for i in (1, 2) for name in scripts]


def test_a_steeper_formula_keeps_the_paths_in_the_numbers_and_a_flat_one_gives_the_rates_back():
    """SGD with rate 0.95 diverges where the curvature is 200, stable below 2/200."""
    at = open_scene(replace(BOOK, objective=Objective("formula", "x^2 + y^2/9", start=(-4, 2))))
    at.text_input[0].set_value("100x^2 + y^2").run()
    sgd, *others = scene(sound(at)).optimizers
    assert sgd.method.values["lr"] < 2 / 200
    assert others[-1] == BOOK.optimizers[-1], "Adam does not diverge"
    at.text_input[0].set_value("x^2 + y^2/9").run()
    assert scene(sound(at)).optimizers == BOOK.optimizers


def test_two_scenes_stand_side_by_side_on_one_player():
    at = sound(open_app())
    sound(at.button(key="compare").click().run())
    assert scene(at) == replace(BOOK, beside=BOOK)
    other = Objective("himmelblau", start=(-0.5, -1.0), steps=50)
    change(at, objective=other)
    assert decode(encode(shared(scene(at)))).scene == scene(at), "both are in the link"
    assert scene(at).beside == BOOK
    [player] = components(at, "player")
    assert player["steps"] == 50, "as long as the longer one"
    names = {data["name"]: data["label"] for data in components(at, "plot") if "name" in data}
    assert "Himmelblau" in names["contour"]
    assert "Stretched bowl" in names["contour-2"]
    assert len(components(at, "table")) == 2
    assert "SGD ended before step 50" in text(inside(at)), "the inside of a step is there too"
    sound(at.button(key="swap").click().run())
    assert scene(at) == replace(BOOK, beside=replace(BOOK, objective=other))
    sound(at.button(key="compare").click().run())
    assert scene(at) == BOOK
    with pytest.raises(SpecError):
        validate(replace(BOOK, beside=replace(BOOK, beside=BOOK)))
