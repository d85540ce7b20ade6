"""The trajectories page in AppTest: every function and optimizer, wrong entries, and what is computed again."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from optviz import (
    FUNCTIONS,
    NOISES,
    OPTIMIZERS,
    SCHEDULES,
    WRAPPERS,
    minimize,
)
from optviz.experiments.trajectories.spec import (
    BOOK,
    Choice,
    Objective,
    Scene,
)
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.plot.style import LIGHT, style
from optviz.ui import cache
from tests.page import components, contour, curves, drawn, numbers, open_app, panels, session


def show(at, scene):
    """Put a scene on the page, as a lesson would."""
    session(at).specs["trajectories"] = scene
    session(at).ids = [f"t{i}" for i in range(len(scene.optimizers))]
    session(at).epoch = session(at).epoch + 1000
    at.run()
    assert not at.exception, [e.message for e in at.exception]
    return at


def one(optimizer):
    return Scene(BOOK.objective, (OptimizerConfig(Choice(optimizer)),))


def table(at):
    """The text of the table's cells, row by row."""
    body = components(at, "table")[0]["html"].split("<tbody>")[1]
    return [
        [c.split(">")[-1] for c in row.replace("</th>", "</td>").split("</td>")[:-1]]
        for row in body.split("</tr>")[:-1]
    ]


def test_it_opens_on_the_book_figure():
    at = open_app()
    assert not at.exception
    assert list(panels(at)) == ["SGD", "Momentum", "AdaGrad", "Adam"]
    assert drawn(contour(at), "SGD")[-1] == pytest.approx((-0.3503929958, 0.0847823166), abs=1e-9)
    assert drawn(contour(at), "Momentum")[-1] == pytest.approx((0.8964138585, 0.0880856017), abs=1e-9)
    assert [row[0] for row in table(at)] == ["SGD", "Momentum", "AdaGrad", "Adam"]
    assert table(at)[0][5] == "36.99"
    base = contour(at)["base"]["data"][0]
    assert numbers(base["z"]).shape == (150, 150)


@pytest.mark.parametrize("key", FUNCTIONS)
def test_every_function_goes_through_the_page(key):
    at = open_app()
    at.selectbox(key=f"function-{session(at).epoch}").set_value(key).run()
    assert not at.exception
    f = FUNCTIONS[key]
    assert contour(at)["layout"]["xaxis"]["range"] == pytest.approx(f.domain[0])
    assert drawn(contour(at), "Adam")[0] == pytest.approx(f.start)
    assert f.teaches in [c.value for c in at.caption]
    shown = minimize(f, OPTIMIZERS["adam"](lr=0.3)).values[-1]  # with its own noise and start
    assert float(table(at)[3][3].replace("−", "-")) == pytest.approx(shown, rel=1e-5)


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_optimizer_goes_through_the_page(key):
    at = show(open_app(), one(key))
    label = OPTIMIZERS[key].label
    assert list(panels(at)) == [label]
    assert [k["name"] for k in panels(at)[label]["hyperparameters"]] == [k.name for k in hyperparameters(OPTIMIZERS[key])]
    run = minimize(FUNCTIONS["bowl"], OPTIMIZERS[key](), start=(-7, 2), steps=30)
    assert drawn(contour(at), label) == pytest.approx(run.points, abs=1e-12)
    at.session_state["more"] = "Equations with these values"
    at.run()
    assert any(f"**{label}**" in m.value and "$$" in m.value for m in at.markdown)
    at.session_state["more"] = "The code that ran"
    at.run()
    assert any("def step(self, f, x, s):" in c.value for c in at.code)


@pytest.mark.parametrize("key", OPTIMIZERS)
@pytest.mark.parametrize("end", ["low", "high"])
def test_every_knob_at_either_end_is_shown_without_an_error(key, end):
    cls = OPTIMIZERS[key]
    ends = {k.name: (end == "high") if k.kind is bool else k.kind(getattr(k, end)) for k in hyperparameters(cls)}
    show(open_app(), Scene(Objective("rosenbrock", start=(-1.2, 1.0)), (OptimizerConfig(Choice(key, ends)),)))


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_are_chosen_in_the_settings(wrapper):
    at = open_app()
    at.session_state[f"settings-{session(at).ids[0]}"] = True
    at.run()
    at.get("button_group")[0].set_value([wrapper]).run()
    assert not at.exception
    assert [w.key for w in session(at).specs["trajectories"].optimizers[0].wrappers] == [wrapper]
    assert f"SGD + {WRAPPERS[wrapper].label.lower()}" in panels(at)
    assert WRAPPERS[wrapper].label in panels(at)


@pytest.mark.parametrize("schedule", [k for k in SCHEDULES if k != "constant"])
def test_schedules_are_chosen_in_the_settings(schedule):
    at = open_app()
    id = session(at).ids[1]
    at.session_state[f"settings-{id}"] = True
    at.run()
    at.selectbox(key=f"schedule-{id}").set_value(schedule).run()
    at.selectbox(key=f"scheduled-{id}-momentum").set_value("momentum").run()
    assert not at.exception
    [(hyperparameter, part)] = session(at).specs["trajectories"].optimizers[1].schedules.items()
    assert (hyperparameter, part.key) == ("momentum", schedule)
    built = part.build(SCHEDULES)
    run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["momentum"](lr=0.1), (-7, 2), 30, schedule={"momentum": built})
    assert drawn(contour(at), "Momentum") == pytest.approx(run.points, abs=1e-12)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_is_the_same_for_every_optimizer(kind):
    at = show(open_app(), replace(BOOK, objective=replace(BOOK.objective, noise=Choice(kind, {"scale": 2.0}), seed=3)))
    run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=0.95), (-7, 2), 30, NOISES[kind](scale=2.0), seed=3)
    assert drawn(contour(at), "SGD") == pytest.approx(run.points, abs=1e-12)
    twins = Scene(session(at).specs["trajectories"].objective, (OptimizerConfig(Choice("adam")), OptimizerConfig(Choice("adam"))))
    at = show(at, twins)
    assert drawn(contour(at), "Adam #1") == pytest.approx(drawn(contour(at), "Adam #2"), abs=0)


def test_racers_come_and_go_and_twins_are_told_apart():
    at = open_app()
    at.button(key="add").click().run()
    assert list(panels(at)) == ["SGD", "Momentum", "AdaGrad", "Adam", "Nesterov"]
    id = session(at).ids[1]
    at.session_state[f"settings-{id}"] = True
    at.run()
    at.selectbox(key=f"optimizer-{id}").set_value("adam").run()
    assert list(panels(at))[1:4] == ["Adam (lr 0.1)", "AdaGrad", "Adam (lr 0.3)"]
    at.button(key=f"remove-{id}").click().run()
    assert list(panels(at)) == ["SGD", "AdaGrad", "Adam", "Nesterov"]
    at.button(key="book").click().run()
    assert list(panels(at)) == ["SGD", "Momentum", "AdaGrad", "Adam"]
    assert not at.exception


def test_nobody_in_the_race():
    at = show(open_app(), Scene(Objective(), ()))
    assert any("No optimizer is in the race" in i.value for i in at.info)


def typed(at, formula):
    epoch = session(at).epoch
    at.selectbox(key=f"function-{epoch}").set_value("formula").run()
    at.text_input(key=f"formula-{epoch}").set_value(formula).run()
    assert not at.exception
    return at


def test_a_formula_takes_the_same_way():
    at = typed(open_app(), "(x - 1)^2 + 3*(y + 2)^2")
    [found] = [t for t in contour(at)["data"] if t["name"] == "minimum"]
    assert (numbers(found["x"])[0], numbers(found["y"])[0]) == pytest.approx((1, -2), abs=1e-8)
    assert "Minima found on the grid: (1, −2)" in " ".join(c.value for c in at.caption)


@pytest.mark.parametrize(
    "formula", ["", "x +", "9**9**9**9", "__import__('os')", "foo(x)", "x.real", "(" * 60 + "x", "log(-1)"]
)
def test_a_refused_formula_is_named_and_nothing_is_lost(formula):
    at = typed(open_app(), "(x - 1)^2 + y^2")
    before = drawn(contour(at), "SGD")
    at = typed(at, formula)
    assert len(at.error) == 1
    assert "The picture still shows" in at.error[0].value
    assert drawn(contour(at), "SGD") == pytest.approx(before, abs=0)
    assert not typed(at, "x^2 + y^2").error


def test_a_path_stops_where_the_formula_is_not_defined():
    objective = Objective("formula", "log(x) + y**2", start=(2.0, 1.0))
    at = show(open_app(), Scene(objective, (OptimizerConfig(Choice("sgd", {"lr": 1.0})),)))
    assert table(at)[0][-1] == "stopped at step 3: f is not defined there"
    assert np.isfinite(drawn(contour(at), "SGD")[:3]).all()
    assert np.isnan(drawn(contour(at), "SGD")[3:]).all()
    assert np.isnan(numbers(contour(at)["base"]["data"][0]["z"])).any(), "the contour has a hole"
    at = show(at, Scene(replace(objective, start=(-2.0, 1.0)), session(at).specs["trajectories"].optimizers))
    assert "cannot start" in table(at)[0][-1]


def test_a_path_that_leaves_is_marked_at_the_border_and_not_clamped():
    at = show(open_app(), Scene(Objective(), (OptimizerConfig(Choice("sgd", {"lr": 1.1})),)))
    points = drawn(contour(at), "SGD")
    assert np.abs(points[:, 1]).max() > 400
    marks = next(t for t in contour(at)["data"] if t["uid"] == "t0m")
    assert marks["marker"]["symbol"][-1] == "x-thin-open"
    assert abs(numbers(marks["y"])[-1]) == pytest.approx(5.0), "on the border"
    assert table(at)[0][-1] == "left the domain at step 6"  # 2·1.2⁵ = 4.98 is inside, 2·1.2⁶ is not


def test_what_was_set_for_a_function_is_there_again_when_one_comes_back():
    at = open_app()
    scene = session(at).specs["trajectories"]
    set_here = replace(scene.objective, start=(3.0, 1.0), noise=Choice("gaussian", {"scale": 0.5}), seed=7)
    session(at).specs["trajectories"] = replace(scene, objective=set_here)
    at.run()
    menu = f"function-{session(at).epoch}"
    at.selectbox(key=menu).set_value("booth").run()
    assert session(at).specs["trajectories"].objective.start == (-8.0, 8.0)
    at.selectbox(key=menu).set_value("bowl").run()
    assert session(at).specs["trajectories"].objective == set_here


def test_an_undefined_start_is_said_beside_the_formula():
    at = typed(open_app(), "log(x) + y^2")
    at = show(at, replace(session(at).specs["trajectories"], objective=replace(session(at).specs["trajectories"].objective, start=(-1.0, 1.0))))
    assert "not defined at the start (−1, 1)" in at.warning[0].value


def test_a_loss_that_reaches_zero_stays_in_the_picture():
    """AdaGrad jumps onto Goldstein-Price's minimum; its curve runs on along the lower edge."""
    objective = Objective("goldstein_price", start=(-1.5, 0.5))
    at = show(open_app(), Scene(objective, (OptimizerConfig(Choice("adagrad", {"lr": 1.5, "eps": 1e-7})),)))
    line = numbers(curves(at)["data"][0]["y"])
    assert np.isfinite(line).all()
    assert line.min() == pytest.approx(10.0 ** curves(at)["layout"]["yaxis"]["range"][0])


def test_a_curve_that_runs_away_keeps_numbers_that_a_browser_can_place():
    at = show(open_app(), Scene(Objective("monkey_saddle", start=(0.9, 0.05)), BOOK.optimizers))
    [line] = [t for t in curves(at)["data"] if t["name"] == "SGD" and t["mode"] == "lines"]
    low, high = curves(at)["layout"]["yaxis"]["range"]
    assert np.nanmax(np.abs(numbers(line["y"]))) < 2e4 * (high - low)
    assert np.nanmax(np.abs(numbers(line["customdata"]))) > 1e38, "what the hover says is the true value"


def test_what_diverges_says_when():
    at = show(open_app(), Scene(Objective("rosenbrock", start=(-1.2, 1.0)), (OptimizerConfig(Choice("sgd", {"lr": 0.95})),)))
    assert table(at)[0][-1] == "diverged at step 4"


def test_a_rate_beyond_the_limit_says_so_at_its_knob():
    def note(optimizer, **values):
        at = show(open_app(), Scene(Objective(), (OptimizerConfig(Choice(optimizer, values)),)))
        [panel] = panels(at).values()
        return panel["notes"].get("lr", "")

    assert note("sgd", lr=1.0) == ""
    assert "beyond 1," in note("sgd", lr=1.01)
    assert note("momentum", lr=1.89, momentum=0.9) == ""
    assert "beyond 1.9," in note("momentum", lr=1.91, momentum=0.9)
    assert note("adam", lr=9.0) == ""


def test_the_theory_of_the_bowl():
    text = "\n".join(m.value for m in open_app().markdown)
    assert "**λmin = 0.1** and **λmax = 2**: condition number **20**" in text
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "2/λmax = **1**" in rows["SGD"]
    assert "2/(λmin+λmax) = 0.9524" in rows["SGD"]
    assert "= **1.9**" in rows["Momentum, μ = 0.9"]  # 2 · 1.9 / 2
    assert "= **0.6786**" in rows["Nesterov, μ = 0.9"]  # 1.9 / 2.8


def test_curves_for_every_metric_and_axis():
    at = open_app()
    at.session_state["curves-view"] = True
    at.run()
    at.get("button_group")[0].set_value(["loss", "gradient", "distance", "length"]).run()
    figure = curves(at)
    assert {t["yaxis"] for t in figure["data"]} == {"y", "y2", "y3", "y4"}
    length = next(t for t in figure["data"] if t["name"] == "SGD" and t["yaxis"] == "y4" and t["mode"] == "lines")
    assert numbers(length["y"])[-1] == pytest.approx(36.992601683, rel=1e-9)
    assert figure["layout"]["yaxis4"]["range"][1] >= 37
    at.toggle(key=f"view-log-{session(at).epoch}").set_value(False).run()
    assert curves(at)["layout"]["yaxis"]["type"] == "linear"
    at.radio(key=f"view-along-{session(at).epoch}").set_value("evaluations").run()
    at = show(at, one("bfgs"))
    work = minimize(FUNCTIONS["bowl"], OPTIMIZERS["bfgs"](), (-7, 2), 30).evaluations
    assert numbers(curves(at)["data"][0]["x"])[-1] == work.gradient + work.value


def test_contour_options():
    at = open_app()
    assert len(contour(at)["base"]["data"]) == 1
    at.session_state["contour-view"] = True
    at.run()
    at.toggle(key=f"view-field-{session(at).epoch}").set_value(True).run()
    assert len(contour(at)["base"]["data"]) == 2
    at.get("button_group")[0].set_value("log").run()
    assert numbers(contour(at)["base"]["data"][0]["z"]).max() < 3, "the heights are logarithms"
    at = show(at, one("nesterov"))
    at.toggle(key=f"view-lookahead-{session(at).epoch}").set_value(True).run()
    assert drawn(contour(at), "Nesterov")[1] == pytest.approx((-6.867, 1.24), abs=1e-12)


def test_the_csv_holds_full_precision():
    from optviz.experiments.trajectories.spec import minima, run, summary
    from optviz.experiments.trajectories.table import as_csv

    objective, config = BOOK.objective, BOOK.optimizers[0]
    text = as_csv([("SGD", style(0, LIGHT), summary(run(objective, config), minima(objective.f), 1e-3))], 1e-3)
    [row] = csv.DictReader(io.StringIO(text))
    assert float(row["final_loss"]) == pytest.approx(1.3326803773e-2, rel=1e-10)
    assert (row["gradient_evaluations"], row["steps_to_0.001"], row["status"]) == ("30", "", "still moving")


def test_turning_one_knob_computes_one_path_and_no_contour():
    at = open_app()
    before = dict(cache.COMPUTED)
    scene = session(at).specs["trajectories"]
    sgd = replace(scene.optimizers[0], method=Choice("sgd", {"lr": 0.123456}))
    session(at).specs["trajectories"] = replace(scene, optimizers=(sgd, *scene.optimizers[1:]))
    at.run()
    assert {k: cache.COMPUTED[k] - before[k] for k in before} == {"landscape": 0, "minima": 0, "run": 1}
    assert "base" not in contour(at), "the contour is not sent again either"


def test_a_picture_that_the_browser_lost_is_sent_again():
    at = open_app()
    at.run()
    data = contour(at)
    assert "base" not in data
    at.session_state["_bases"] = {"contour": set()}
    at.run()
    assert contour(at)["base_id"] == data["base_id"]
    assert "base" in contour(at)


def test_every_optimizer_differs_without_color_too():
    looks = [style(i, LIGHT) for i in range(24)]
    assert len({(look.dash, look.marker, look.color) for look in looks}) == 24
    assert len({look.dash for look in looks[:8]}) == len({look.marker for look in looks[:8]}) == 8
