"""What scenes come to, below the page: how paths end, figures, step inspector, predictions, CSV."""

import json
from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, OPTIMIZERS, minimize
from optviz.experiments.trajectories import text
from optviz.experiments.trajectories.figures import figures
from optviz.experiments.trajectories.figures.curves import curves
from optviz.experiments.trajectories.figures.optimizer_state import arrows, charts, state_over_time
from optviz.experiments.trajectories.predict import NOBODY, judge
from optviz.experiments.trajectories.run import run
from optviz.experiments.trajectories.spec import BOOK, Choice, Objective, Scene, View
from optviz.experiments.trajectories.state import Prediction, TrajectoriesState
from optviz.experiments.trajectories.table import paths_csv, results, results_csv
from optviz.optim import theory
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.summary import Status, summarize
from optviz.plot import LIGHT, method_styles, style, to_plotly
from optviz.plot.contour import FAR
from tests.page import csv_rows, drawn, numbers
from tests.table import table

IDS = ("a", "b", "c", "d")
ROSENBROCK = Objective("rosenbrock", start=(-1.2, 1.0))


def sgd(lr, **more):
    return OptimizerConfig(Choice("sgd", {"lr": lr}), **more)


# 267 steps of Momentum stand within the tolerance of the bowl's minimum for a moment
SWINGING = Objective(steps=267)
FAST = OptimizerConfig(Choice("momentum", {"lr": 0.1, "momentum": 0.99}))


def plotly(scene, name):
    return to_plotly(figures(scene, list(IDS[: len(scene.optimizers)]), LIGHT)[name])


@table(
    ("objective", "config", "status", "step"),
    [
        (Objective(), sgd(0.1), Status.MOVING, None),
        (Objective(steps=300), sgd(0.5), Status.CONVERGED, None),
        (ROSENBROCK, sgd(0.95), Status.DIVERGED, 4),
        (Objective(), sgd(1.1), Status.LEFT_DOMAIN, 6),  # 2·1.2⁵ = 4.98 is inside, 2·1.2⁶ is not
        (Objective(), sgd(3.0), Status.LEFT_DOMAIN, 1),
        (Objective("formula", "log(x) + y**2", start=(2.0, 1.0)), sgd(1.0), Status.UNDEFINED, 3),
        (Objective("formula", "log(x) + y**2", start=(-2.0, 1.0)), sgd(1.0), Status.UNDEFINED, 0),
        (Objective("saddle", start=(1.0, 0.0), steps=200), sgd(0.1), Status.AT_SADDLE, None),
        (Objective("formula", "x*0 + 3", start=(1.0, 1.0)), sgd(0.1), Status.FLAT, None),
    ],
)
def test_how_a_path_ends(objective, config, status, step):
    found = summarize(run(objective, config))
    assert (found.status, found.step) == (status, step)
    assert str(step or "") in text.status(found)


@table(
    ("objective", "config", "words"),
    [
        (
            Objective("mccormick", start=(2.99, -2.98)),
            OptimizerConfig(Choice("newton", {"line_search": True})),
            "left the domain at step 1, below the lowest known minimum",
        ),
        (Objective(), sgd(3.0), "running away: left the domain at step 1"),
        (Objective("formula", "log(x)", start=(-2.0, 1.0)), sgd(1.0), "cannot start: "),
        (SWINGING, FAST, "still moving: does not stay within the tolerance"),
        (Objective("easom", start=(-0.5, -0.5)), sgd(0.1), "on flat ground"),
    ],
)
def test_what_is_said_of_an_end(objective, config, words):
    assert text.status(summarize(run(objective, config))).startswith(words)


@table(
    ("formula", "words"),
    [
        ("x^2 + y^2", "Minima: (0, 0)."),
        ("x*y", "No minimum is known in this picture."),
        ("x^3 - 3*x + y^2", "Local minima: (1, 0); elsewhere in the picture f is lower."),
        (
            "x^4/4 - x^3/3 - x^2 + y^2",
            "Lowest in the picture: (2, 0); other local minima: (−1, 0).",
        ),
        ("x^4 - 3*x^2", "Minima: x = −1.225; x = 1.225."),
    ],
)
def test_what_is_said_of_the_minima(formula, words):
    f = Objective("formula", formula).f
    assert text.minima(f).startswith(words)


@table(
    ("lr", "schedules", "words"),
    [
        (0.1, {}, None),
        (
            0.15,
            {},
            "beyond 0.1213, the largest stable rate at the lowest minimum, (0.08984, −0.7127)",
        ),
        (0.21, {}, "beyond 0.1996, the largest stable rate here, at (1.607, 0.5687)"),
        (0.3, {"lr": Choice("exponential", {"rate": 0.1})}, "ends at 0.01651, within 0.1996"),
        (0.3, {"lr": Choice("warmup")}, "ends at 0.3, beyond 0.1996"),
    ],
)
def test_a_rate_is_told_of_the_minimum_that_its_limit_belongs_to(lr, schedules, words):
    config, f = sgd(lr, schedules=schedules), FUNCTIONS["six_hump_camel"]
    found = theory.stability(f, config.build(), config.built_schedules(), range(30))
    said = text.rate_notes(found, bool(schedules), f).get("lr")
    assert said == words or said.startswith(words)


# Figures.


@table(
    ("key", "stars", "hollow"),
    [
        ("bowl", 1, 0),
        ("goldstein_price", 1, 3),
        ("styblinski_tang", 1, 3),
        ("double_well", 1, 1),
        ("six_hump_camel", 2, 4),
        ("himmelblau", 4, 0),
        ("rastrigin", 1, 120),
    ],
)
def test_a_star_for_the_lowest_and_a_hollow_one_for_the_others(key, stars, hollow):
    figure = plotly(Scene(Objective(key).on(key), (sgd(0.1),)), "contour")
    shown = [t for t in figure["data"] if "minima" in t["uid"]]
    marks = {t["marker"]["symbol"]: len(numbers(t["x"])) for t in shown}
    assert (marks.get("star", 0), marks.get("star-open", 0)) == (stars, hollow)
    solid = plotly(Scene(Objective(key).on(key), (sgd(0.1),), view=View(solid=True)), "solid")
    symbols = {t["marker"]["symbol"] for t in solid["data"] if "minima" in t["uid"]}
    few = 0 < hollow < 100  # or they hide the paths
    assert symbols == {"diamond"} | ({"diamond-open"} if few else set())


def test_a_curve_is_not_drawn_below_the_minimum():
    newton = OptimizerConfig(Choice("newton", {"line_search": True}))
    scene = Scene(Objective("mccormick", start=(2.99, -2.98)), (newton,))
    line = numbers(plotly(scene, "curves")["data"][0]["y"])
    below = run(scene.objective, scene.optimizers[0]).values < -1.9133
    assert np.array_equal(np.isnan(line), below)
    assert below.any()


def test_the_book_as_it_is_drawn():
    contour = plotly(BOOK, "contour")
    assert drawn(contour, "SGD")[-1] == pytest.approx((-0.3503929958, 0.0847823166), abs=1e-9)
    assert drawn(contour, "Momentum")[-1] == pytest.approx((0.8964138585, 0.0880856017), abs=1e-9)
    assert [contour["layout"][f"{c}axis"]["range"] for c in "xy"] == [[-10, 10], [-5, 5]]


def test_what_leaves_is_marked_at_the_border_and_not_clamped():
    contour = plotly(Scene(Objective(), (sgd(1.1),)), "contour")
    assert np.abs(drawn(contour, "SGD")[:, 1]).max() > 400
    [marks] = [t for t in contour["data"] if t["uid"] == "am"]
    assert marks["marker"]["symbol"][-1] == "x-thin-open"
    assert abs(numbers(marks["y"])[-1]) == pytest.approx(5.0), "on the border"


def test_what_runs_away_draws_no_line_back_across_the_picture():
    points = drawn(plotly(Scene(ROSENBROCK, (sgd(0.1),)), "contour"), "SGD")
    low, high = np.array(FUNCTIONS["rosenbrock"].domain).T
    far = np.abs((points - (low + high) / 2) / (high - low)).max(-1) > 0.99 * FAR
    assert far.any()
    joined = far[1:] & far[:-1]
    assert not joined.any(), "two in a row would be joined through the middle"


def test_a_loss_that_reaches_zero_stays_in_the_picture():
    """AdaGrad jumps onto Goldstein-Price's minimum; its curve runs on along the lower edge."""
    objective = Objective("goldstein_price", start=(-1.5, 0.5))
    figure = plotly(Scene(objective, (BOOK.optimizers[2],)), "curves")
    line = numbers(figure["data"][0]["y"])
    assert np.isfinite(line).all()
    assert line.min() == pytest.approx(10.0 ** figure["layout"]["yaxis"]["range"][0])


def test_a_curve_that_runs_away_keeps_numbers_that_a_browser_can_place():
    figure = plotly(Scene(Objective("monkey_saddle", start=(0.9, 0.05)), BOOK.optimizers), "curves")
    line = next(t for t in figure["data"] if t["name"] == "SGD" and t["mode"] == "lines")
    low, high = figure["layout"]["yaxis"]["range"]
    assert np.nanmax(np.abs(numbers(line["y"]))) < 2e4 * (high - low)
    assert np.nanmax(np.abs(numbers(line["customdata"]))) > 1e38, "the hover says the true value"


def test_curves_of_every_metric_along_evaluations():
    view = View(metrics=("loss", "gradient", "distance", "length"), along="evaluations", log=False)
    figure = plotly(replace(BOOK, view=view), "curves")
    assert {t.get("yaxis", "y") for t in figure["data"]} == {"y", "y2", "y3", "y4"}
    length = next(t for t in figure["data"] if t["uid"] == "alength")
    assert numbers(length["y"])[-1] == pytest.approx(36.992601683, rel=1e-9)
    assert figure["layout"]["yaxis4"]["range"][1] >= 37
    assert figure["layout"]["yaxis"].get("type", "linear") == "linear"
    bfgs = Scene(Objective(), (OptimizerConfig(Choice("bfgs")),), view=view)
    work = minimize(FUNCTIONS["bowl"], OPTIMIZERS["bfgs"](), (-7, 2), 30).evaluations
    assert numbers(plotly(bfgs, "curves")["data"][0]["x"])[-1] == work.gradient + work.value


def test_curves_of_nothing_and_of_the_largest_numbers():
    assert curves(Scene(Objective("saddle")), []).frames[0].y.limits == (0, 1)
    huge = Objective("formula", "exp(x**2)", start=(5.0, 0.0), steps=3)
    figure = plotly(Scene(huge, (sgd(1e-9),)), "curves")
    assert np.isfinite(figure["layout"]["yaxis"]["range"]).all()


def test_the_contour_with_arrows_and_the_look_ahead_points():
    view = View(levels="log", field=True, lookahead=True)
    scene = Scene(Objective(), (OptimizerConfig(Choice("nesterov")),), view=view)
    figure = figures(scene, ["a"], LIGHT)["contour"]
    contour, border, arrows_ = figure.under[1]()["data"]
    assert border["uid"] == "border", "of the domain, where the frame shows more"
    assert numbers(contour["z"]).shape == (294, 200)
    assert numbers(contour["z"]).max() < 3, "the heights are logarithms"
    assert arrows_["mode"] == "lines"
    assert drawn(to_plotly(figure), "Nesterov")[1] == pytest.approx((-6.867, 1.24), abs=1e-12)


def test_a_look_belongs_to_its_method_and_twins_differ_without_color():
    def looks(*keys):
        return method_styles([OptimizerConfig(Choice(key)) for key in keys], LIGHT)

    four = looks("sgd", "momentum", "adagrad", "adam")
    assert [look.color for look in four] == [*LIGHT.lines[:4]]
    [alone] = looks("adam")
    assert looks("sgd", "adam", "lion")[1] == alone, "wherever it stands in the list"
    twins = looks("sgd", "sgd", "sgd")
    assert len({look.color for look in twins}) == 1
    assert len({look.dash for look in twins}) == len({look.marker for look in twins}) == 3
    every = looks(*OPTIMIZERS)
    assert len({(look.dash, look.marker, look.color) for look in every}) == len(OPTIMIZERS)


def test_every_optimizer_differs_without_color_too():
    looks = [style(i, LIGHT) for i in range(24)]
    assert len({(look.dash, look.marker, look.color) for look in looks}) == 24
    assert len({look.dash for look in looks[:8]}) == len({look.marker for look in looks[:8]}) == 8


# The table.


def test_table_and_csv():
    scene = replace(BOOK, optimizers=BOOK.optimizers[:1])
    html = results(scene, LIGHT).html()
    assert ">36.99<" in html
    assert "steps to 0.001" in html
    [row] = csv_rows(results_csv(scene))
    assert json.loads(row["settings"])["method"] == {"sgd": {"lr": 0.95}}
    found = [row[key] for key in ("lr", "gradient_evaluations", "steps_to_0.001", "status")]
    assert found == ["0.95", "30", "", "still moving"]
    assert float(row["final_loss"]) == pytest.approx(1.3326803773e-2, rel=1e-10)
    steps = csv_rows(paths_csv([("SGD", run(BOOK.objective, BOOK.optimizers[0]))]))
    assert (len(steps), steps[30]["gradient_x"]) == (31, "")
    assert float(steps[1]["y"]) == pytest.approx(-1.8), "the first step by the reference"


def test_the_table_tells_touching_from_staying():
    long = replace(SWINGING, steps=2000)
    for objective, cell in ((SWINGING, ">– (first 267)<"), (long, ">855 (first 267)<")):
        scene = Scene(objective, (FAST,))
        assert cell in results(scene, LIGHT).html()
    [row] = csv_rows(results_csv(scene))
    reached = [row[f"{c}_0.001"] for c in ("first_within", "steps_to", "evaluations_to")]
    assert reached == ["267", "855", "855"]


# Inside a step.


def test_the_arrows_add_up():
    """Momentum: what is brought along, times μ, and the rate against the gradient make the step."""
    found = arrows(run(BOOK.objective, BOOK.optimizers[1]), LIGHT, "#123456")["vectors"]
    d = {v["label"]: np.stack([numbers(v["dx"]), numbers(v["dy"])], -1) for v in found}
    assert d["step"] == pytest.approx(0.9 * d["v"] + 0.1 * d["−∇f"], abs=1e-12)


def test_the_effective_rate_of_sgd_is_its_rate():
    [panel] = charts(run(BOOK.objective, BOOK.optimizers[0]), LIGHT).frames
    y = panel.marks[0].y
    assert y[:-1] == pytest.approx(0.95, rel=1e-9)
    assert np.isnan(y[-1]), "after the last step there is none"


@table("key", OPTIMIZERS)
def test_a_chart_for_everything_that_is_held(key):
    path = run(BOOK.objective, OptimizerConfig(Choice(key)))
    held = [name for name in OPTIMIZERS[key]().state_names if name in path.state]
    assert len(charts(path, LIGHT).frames) == len(held) + 1, "and the effective rate"


def test_of_a_path_that_never_begins_the_chart_is_empty():
    nowhere = Objective("formula", "log(x) + y**2", start=(-2.0, 1.0))
    [panel] = charts(run(nowhere, sgd(1.0)), LIGHT).frames
    assert np.isnan(panel.marks[0].y).all()


def test_a_branch_of_another_method_shows_nothing_of_the_one_before():
    """Adam's v is a mean square, Momentum's a velocity."""
    adam = BOOK.optimizers[3]
    other = OptimizerConfig(Choice("momentum", {"lr": 0.1}), fork=Fork(adam, 10))
    held = state_over_time(run(BOOK.objective, other))
    assert np.isnan(held["v"][:10]).all()
    assert np.isfinite(held["v"][10:]).all()
    same = state_over_time(run(BOOK.objective, replace(adam, fork=Fork(adam, 10))))
    assert np.isfinite(same["v"]).all(), "the same method goes on with what it had"


# Predictions.


def test_points_fall_with_the_distance():
    end = run(BOOK.objective, BOOK.optimizers[0]).points[-1]
    for share, points in ((0.0, 10), (0.05, 8), (0.125, 5), (0.25, 0), (3.0, 0)):
        guess = tuple(end + share * np.array([20.0, 10.0]) * (1, 0))
        got, verdict = judge(BOOK, list(IDS), Prediction("where", "a", point=guess))
        assert got == points
        assert "SGD ends at (−0.3504, 0.08478)" in verdict


def test_who_arrives_first():
    points, verdict = judge(BOOK, list(IDS), Prediction("who", "a", pick="c"))
    right = "Right: AdaGrad got within 0.001 of the optimum first, at step 29, and stayed there."
    assert (points, verdict) == (10, right)
    assert judge(BOOK, list(IDS), Prediction("who", "a", pick="a"))[0] == 0
    short = replace(BOOK, objective=Objective(steps=3))
    assert judge(short, list(IDS), Prediction("who", "a", pick=NOBODY))[0] == 10
    assert judge(short, list(IDS), Prediction("who", "a", pick="c"))[0] == 0
    swinging = Scene(SWINGING, (FAST,))
    points, verdict = judge(swinging, ["a"], Prediction("who", "a", pick=NOBODY))
    assert (points, "no optimizer got" in verdict) == (10, True), "it was there, for a moment"
    twins = replace(BOOK, optimizers=(BOOK.optimizers[2],) * 2)
    for pick in "ab":
        points, verdict = judge(twins, ["a", "b"], Prediction("who", "a", pick=pick))
        assert points == 10
        assert "AdaGrad #1 and AdaGrad #2" in verdict


def test_a_path_that_diverged_is_judged_by_its_last_point():
    scene = Scene(Objective(steps=2000), (sgd(10.0),))
    points, verdict = judge(scene, ["a"], Prediction("where", "a", point=(0.0, 0.0)))
    assert points == 0
    assert "nan" not in verdict


# Ids.


def test_ids_stay_with_their_optimizers(monkeypatch):
    count = iter(range(100))
    monkeypatch.setattr(
        "optviz.experiments.trajectories.state.session",
        lambda: type("S", (), {"next_id": lambda s: next(count)})(),
    )
    kept, (a, b, c, d) = TrajectoriesState(), BOOK.optimizers
    kept.follow((a, b, c))
    assert kept.ids == ["r0", "r1", "r2"]
    kept.follow((a, replace(b), c))  # a slider was turned
    kept.follow((a, c))
    assert kept.ids == ["r0", "r2"], "whatever was removed, the others keep theirs"
    kept.follow((a, c, d, d))
    assert kept.ids == ["r0", "r2", "r3", "r4"]
    kept.follow((c, d, d))
    assert kept.ids == ["r2", "r3", "r4"]
    kept.follow(())
    assert kept.ids == []


@table(
    ("name", "uids"),
    [("contour", {"minima", "start", "b", "bm", "bh"}), ("curves", {"bloss", "blossm"})],
)
def test_one_optimizer_s_share_of_the_figures(name, uids):
    ids, far = list(IDS), replace(BOOK.optimizers[0], method=Choice("sgd", {"lr": 1.0}))
    scene = replace(BOOK, optimizers=(far, *BOOK.optimizers[1:]))
    own, whole = (to_plotly(figures(scene, ids, LIGHT, some)[name]) for some in ({"b"}, None))
    assert {t["uid"] for t in own["data"]} == uids
    assert all(t in whole["data"] for t in own["data"])
    assert own["layout"] == whole["layout"], "on axes for all"


def test_the_simplex_is_drawn_corner_by_corner():
    """At first the start and a point at a distance of 1 along each axis; closed, four points a step."""
    scene = replace(BOOK, optimizers=(OptimizerConfig(Choice("nelder_mead")),))
    drawn = figures(scene, ["a"], LIGHT)["contour"]
    (line,) = (mark for mark in drawn.marks if mark.meta and "window" in mark.meta)
    assert line.meta["window"] == 4
    assert len(line.x) == 4 * (scene.objective.steps + 1)
    assert [*zip(line.x[:4], line.y[:4], strict=True)] == [(-7, 2), (-6, 2), (-7, 3), (-7, 2)]
    found = arrows(run(scene.objective, scene.optimizers[0]), LIGHT, "")["vectors"]
    assert [v["label"] for v in found] == ["step"]


def test_a_schedule_is_a_small_curve_below_the_loss():
    """Half at step 10 and again every 10: 0.4, 0.2, 0.1; and after a fork the branch's own rate."""
    halved = sgd(0.4, schedules={"lr": Choice("step", {"gamma": 0.5, "every": 10, "first": 10})})
    branch = sgd(0.3, fork=Fork(halved, 15))
    drawn = plotly(Scene(Objective(steps=30), (halved, sgd(0.1), branch)), "curves")
    rates = {t["uid"]: numbers(t["y"]) for t in drawn["data"] if t["uid"].endswith("-lr")}
    assert list(rates) == ["a-lr", "c-lr"]
    np.testing.assert_allclose(rates["a-lr"], [0.4] * 10 + [0.2] * 10 + [0.1] * 10 + [0.05])
    np.testing.assert_allclose(rates["c-lr"], [0.4] * 10 + [0.2] * 5 + [np.nan] * 16)
    heights = {k: np.ptp(v["domain"]) for k, v in drawn["layout"].items() if k.startswith("yaxis")}
    assert heights["yaxis2"] < heights["yaxis"] / 2
    assert drawn["layout"]["yaxis2"]["title"]["text"] == "η(t)"
    assert "yaxis2" not in plotly(BOOK, "curves")["layout"]
    heavier = {"momentum": Choice("step", {"gamma": 0.5, "every": 10, "first": 10})}
    ball = OptimizerConfig(Choice("momentum", {"momentum": 0.8}), schedules=heavier)
    drawn = plotly(Scene(Objective(steps=15), (halved, ball)), "curves")
    (momentum,) = (numbers(t["y"]) for t in drawn["data"] if t["uid"].endswith("-momentum"))
    np.testing.assert_allclose(momentum, [0.8] * 10 + [0.4] * 6)
    titles = [drawn["layout"][axis]["title"]["text"] for axis in ("yaxis2", "yaxis3")]
    assert titles == ["η(t)", "μ(t)"]


def test_to_maximize():
    """The bell's top is f(0, 0) = 3; Himmelblau's only hill f(-0.270845, -0.923039) = 181.617."""
    bell = Objective("formula", "3*exp(-x^2 - y^2)", start=(0.5, -0.5), steps=40, maximize=True)
    scene = Scene(bell, (sgd(0.1),))
    path, end = run(bell, sgd(0.1)), summarize(run(bell, sgd(0.1)))
    assert end.status is Status.CONVERGED
    assert end.value == pytest.approx(3, abs=1e-3)
    slope = 3 * np.exp(-0.5)  # ∂f/∂x = −2x f = −1.8196 at the start: up is towards the middle
    np.testing.assert_allclose(path.points[1], [0.5 - 0.1 * slope, -0.5 + 0.1 * slope])
    curve = plotly(scene, "curves")
    np.testing.assert_allclose(
        numbers(curve["data"][0]["y"])[0], 3 - slope, err_msg="how far below the top"
    )
    assert curve["layout"]["yaxis"]["title"]["text"] == "f below the maximum"
    linear = plotly(replace(scene, view=View(log=False)), "curves")
    np.testing.assert_allclose(numbers(linear["data"][0]["y"])[0], slope)
    hill = replace(bell, formula="x^4/4 - x^2", start=(3.0, 0.0))  # 0 at its top, 81/4 − 9 here
    beyond = plotly(replace(scene, objective=hill), "curves")
    assert numbers(beyond["data"][0]["y"])[0] == 11.25, "there is no height below the top"
    assert beyond["layout"]["yaxis"]["title"]["text"] == "value f"
    found = plotly(scene, "contour")
    assert [t["name"] for t in found["data"] if t["uid"] == "minima"] == ["maximum"]
    bar = figures(scene, ["a"], LIGHT)["contour"].under[1]()["data"][0]["colorbar"]
    assert [bar["ticktext"][i] for i in (0, -1)] == ["3", "0"]
    solid = plotly(replace(scene, view=View(shown="surface")), "solid")
    height = numbers(next(t for t in solid["data"] if t["uid"] == "a")["z"])
    assert height[-1] > height[0], "the path goes uphill"
    [first, *_rest] = csv_rows(paths_csv([("SGD", path)]))
    assert float(first["loss"]) == pytest.approx(slope)
    assert float(first["gradient_x"]) == pytest.approx(-slope)
    hill = Objective("himmelblau", start=(-0.5, -1.0), steps=200, maximize=True)
    end = summarize(run(hill, sgd(0.01)))
    assert end.point == pytest.approx((-0.270845, -0.923039), abs=1e-5)
    assert end.value == pytest.approx(181.617, abs=1e-3)
    assert text.minima(hill.f) == (
        "Local maxima: (−0.2708, −0.923); elsewhere in the picture f is higher."
    )
    two = Objective("formula", "exp(-(x-1)^2 - y^2) + 2exp(-(x+2)^2 - y^2)", start=(1.0, 0.5))
    two = replace(two, steps=300, maximize=True)
    assert text.status(summarize(run(two, sgd(0.3)))) == "at rest at a local maximum"


def test_a_function_of_one_variable_is_a_curve_with_tangents():
    """On x⁴/4 − x³/3 − x²: f' = x³ − x² − 2x, minima −8/3 at 2 and −5/12 at −1."""
    objective = Objective("formula", "x^4/4 - x^3/3 - x^2", start=(-2.0, 1.0), steps=5)
    objective = replace(objective, domain=((-2.5, 3.0), (-5.0, 5.0)))
    drawn = plotly(Scene(objective, (sgd(0.1), sgd(0.05))), "contour")
    traces = {t["uid"]: t for t in drawn["data"]}
    xy = {uid: np.stack([numbers(t[c]) for c in "xy"], -1) for uid, t in traces.items()}
    x = [-2.0]
    for _ in range(5):
        x.append(x[-1] - 0.1 * (x[-1] ** 3 - x[-1] ** 2 - 2 * x[-1]))
    f = np.polynomial.Polynomial([0, 0, -1, -1 / 3, 1 / 4])
    np.testing.assert_allclose(xy["a"], np.stack([x, f(np.array(x))], -1))
    np.testing.assert_allclose(xy["f"][:, 1], f(xy["f"][:, 0]), atol=1e-12)
    tangents = xy["ac"].reshape(6, 4, 2)  # at the step, its two ends, and back
    np.testing.assert_allclose(tangents[:, 0], xy["a"])
    rise, run_ = (tangents[:, 1] - tangents[:, 2]).T[::-1]
    np.testing.assert_allclose(rise / run_, f.deriv()(np.array(x)))
    assert traces["ac"]["meta"]["window"] == 4, "the player shows one at a time"
    np.testing.assert_allclose(xy["minima"], [[2, -8 / 3]])
    np.testing.assert_allclose(xy["minima-local"], [[-1, -5 / 12]])
    found = theory.curvatures(objective.f)  # f'' = 3x² − 2x − 2
    assert [(c.low, c.high) for c in found] == [pytest.approx((6, 6)), pytest.approx((3, 3))]
    assert "y" not in results(Scene(objective, (sgd(0.1),)), LIGHT).columns


def test_hills_in_space_are_flat_and_let_the_paths_through():
    def seen(function):
        scene = Scene(Objective(function), BOOK.optimizers[:1], view=View(shown="surface"))
        found = figures(scene, ["a"], LIGHT)["solid"]
        return found.scene.aspect[2], found.under[1]()["data"][0].get("opacity", 1)

    for rugged, even in zip(seen("rastrigin"), seen("himmelblau"), strict=True):
        assert rugged < even
