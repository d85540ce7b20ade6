"""The sensitivity page: what its clicks set, what it says, its files, and each of its tabs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, minimize
from optviz.experiments.page import Context
from optviz.experiments.sensitivity import figures, heatmaps, run, text
from optviz.experiments.sensitivity.page import HIMMELBLAU, NOISY, PAGE
from optviz.experiments.sensitivity.spec import Sensitivity, adjusted
from optviz.experiments.trajectories.run import path
from optviz.experiments.trajectories.spec import Objective
from optviz.optim.config import OptimizerConfig
from optviz.optim.sensitivity.stability import edge_of_stability
from optviz.plot import LIGHT, to_plotly
from optviz.spec import Choice, SpecError, validate
from optviz.ui.cache import SHARED_CACHE
from tests.page import csv_rows, numbers, open_page, plots, session, sound
from tests.page import text as page_text
from tests.table import table

MAP = replace(Sensitivity(), view="map")
NOWHERE = Objective(function="formula", formula="sqrt(x - 9)", start=(0.0, 0.0))


def sgd(lr):
    return OptimizerConfig(Choice("sgd", {"lr": lr}))


STEEP = Sensitivity(view="stability", optimizers=(sgd(1.05),))


def context(spec):
    return Context(PAGE, spec, [], LIGHT)


def file_of(spec):
    """The rows of the view's file."""
    [download] = PAGE.views[spec.view].downloads
    return csv_rows(download.make(context(spec)))


@pytest.fixture
def small(monkeypatch):
    """Maps of few cells, which nobody else gets."""
    monkeypatch.setattr(run, "CELLS", 16)
    monkeypatch.setattr(run, "STARTS", 12)
    SHARED_CACHE.clear()
    yield
    SHARED_CACHE.clear()


def test_the_map_is_hatched_beyond_the_edge_of_theory_and_the_sentence_counts_the_cells(small):
    """On the bowl, steepest curvature 2, momentum diverges beyond (1 + μ): one cell more or less."""
    swept = run.map_of(MAP)
    rates, momenta = swept.axes["lr"], swept.axes["momentum"]
    lost = run.diverging(MAP, swept)
    beyond = (rates > 1 + momenta[:, None]).sum(1)
    assert (np.abs(lost.sum(1) - beyond) <= 1).all()
    assert lost.any()
    share = 100 * lost.mean()
    assert f"{share:.3g}% of the runs diverge" in text.describe_map(MAP, swept)
    figure = to_plotly(heatmaps.map_figure(MAP, LIGHT, swept))
    [hatched] = [t for t in figure["data"] if t.get("uid") == "diverged"]
    assert hatched["fillpattern"]["shape"] == "/"
    corners = np.stack([numbers(hatched["x"]), numbers(hatched["y"])], -1)
    parts = np.split(corners, np.isnan(corners[:, 0]).nonzero()[0])
    areas = [part[np.isfinite(part).all(-1)] for part in parts]
    cells = np.stack(np.meshgrid(np.log10(rates), -np.log10(1 - momenta)), -1)
    inside = [((cells > a.min(0)) & (cells < a.max(0))).all(-1) for a in areas]
    assert np.array_equal(np.sum(inside, 0), lost), "each cell that diverged once, and no other"
    assert np.isnan(numbers(figure["data"][0]["z"])).sum() == lost.sum()
    [edge] = [t for t in figure["data"] if t.get("uid") == "edge"]
    assert np.allclose(10 ** numbers(edge["x"]), 2 - 10 ** -numbers(edge["y"])), "1 + μ"
    i, j = 3, 9
    opt = OPTIMIZERS["momentum"](lr=rates[j], momentum=momenta[i])
    values = minimize(FUNCTIONS["bowl"], opt, (-7, 2), 100).values
    said = figure["data"][0]["hovertext"][i][j]
    assert f"loss {values[-1]:.3g} above" in said
    outside = np.flatnonzero(values > 1e-3)[-1] + 1
    assert f"after {outside} steps" in said
    arrived = replace(MAP, measure="steps")
    assert "% of the runs never arrive" in text.describe_map(arrived, run.map_of(arrived))


@table(
    "across, up, at, set_to",
    [
        ("lr", "momentum", (0.5, 0.25), {"lr": 0.5, "momentum": 0.25}),
        ("lr", "momentum", (1e9, 0.25), {"lr": 10.0, "momentum": 0.25}),
        ("x", "lr", (3.0, 0.5), {"lr": 0.5, "momentum": 0.9, "x": 3.0}),
    ],
)
def test_a_place_of_the_map_is_a_run(across, up, at, set_to):
    spec = run.with_values(replace(MAP, across=across, up=up), **{across: at[0], up: at[1]})
    opt = spec.config.build()
    found = {"lr": opt.lr, "momentum": opt.momentum, "x": spec.objective.start[0]}
    assert found == {"x": -7.0} | set_to
    validate(spec)


@table(
    "x, rates",
    [  # the middles of 64 cells; beyond the end of the slider, 10, there are none
        ((-2.5, -1.5), 10 ** np.array([-2.5 + 1 / 128, -1.5 - 1 / 128])),
        ((0.5, 2.0), 10 ** np.array([0.5 + 0.5 / 128, 1 - 0.5 / 128])),
    ],
)
def test_what_is_seen_of_a_map_is_computed_anew(x, rates):
    spec = run.with_window(MAP, {"x": [*x], "y": [0.5, 1.5]})
    swept = run.map_of(spec)
    assert swept.values.shape == (64, 64)
    np.testing.assert_allclose(swept.axes["lr"][[0, -1]], rates)
    np.testing.assert_allclose(swept.axes["momentum"][0], 1 - 10 ** -(0.5 + 1 / 128))
    i, j = 11, 30
    opt = OPTIMIZERS["momentum"](lr=swept.axes["lr"][j], momentum=swept.axes["momentum"][i])
    assert swept.values[i, j] == minimize(FUNCTIONS["bowl"], opt, (-7, 2), 100).values[-1]
    figure = heatmaps.map_figure(spec, LIGHT, swept)
    assert figure.x.limits == pytest.approx((x[0], min(x[1], 1)))
    validate(spec)
    assert run.with_window(spec, {}) == MAP
    for wrong in ({"x": [1, 0], "y": [0, 1]}, {"x": [0, "a"], "y": [0, 1]}, {"x": 3}, {"y": None}):
        assert run.with_window(spec, wrong) == spec


def test_the_path_under_the_pointer_is_the_run_of_that_cell():
    spec = replace(MAP, across="lr", up="x")
    rate = np.geomspace(1e-4, 10, 64)[40]
    line = figures.ghost(spec, LIGHT, (np.log10(rate) + 0.01, -6.0))
    start = np.linspace(*spec.objective.f.domain[0], 64)
    start = start[np.abs(start + 6).argmin()]
    points = minimize(FUNCTIONS["bowl"], OPTIMIZERS["momentum"](lr=rate), (start, 2), 100).points
    np.testing.assert_allclose(np.transpose([line.x, line.y]), points)
    assert np.isnan(figures.ghost(spec, LIGHT).x).all()


def test_small_maps_are_of_those_with_both_settings_and_share_their_colors(small):
    """AdaGrad and Adam have an ε, which Momentum and SGD have not."""
    spec = replace(MAP, up="eps", chosen=2)
    [row] = heatmaps.maps(spec, LIGHT)
    assert [name for name, _figure in row.parts] == ["AdaGrad", "Adam"]
    found = [to_plotly(figure)["data"][0] for _name, figure in row.parts]
    assert found[0]["zmin"] == found[1]["zmin"]
    assert found[0]["zmax"] == found[1]["zmax"]


def test_three_small_maps_are_a_pair_and_one_of_the_same_width(small):
    three = tuple(OptimizerConfig(Choice(key)) for key in ("adam", "nadam", "adamw"))
    rows = heatmaps.maps(replace(MAP, up="beta1", optimizers=three), LIGHT)
    names = [[part[0] for part in row.parts if part] for row in rows]
    assert names == [["Adam", "NAdam"], ["AdamW"]]
    assert {(len(row.parts), row.widths) for row in rows} == {(2, (1, 1))}


def test_a_sharpness_beyond_return_leaves_the_picture():
    """At rate 0.02 the limit is 100; on Rosenbrock's wall SGD is at a thousand times that in two steps."""
    objective = Objective("rosenbrock", start=(-1.2, 1.0), steps=100)
    spec = replace(STEEP, objective=objective, optimizers=(sgd(0.02),))
    edge = edge_of_stability(path(objective, spec.config))
    assert edge.sharpness[1] < 1e5 < edge.sharpness[2]
    figure = figures.sharpness(spec, LIGHT, edge)
    assert (figure.x.limits, figure.y.limits) == ((0, 5), (50, pytest.approx(1e5)))
    calm = replace(spec, optimizers=(sgd(1e-4),))
    figure = figures.sharpness(calm, LIGHT, edge_of_stability(path(objective, calm.config)))
    assert (figure.x.limits, figure.y.limits) == ((0, 99), None)


def test_a_file_has_every_cell_of_the_map(small):
    rows = file_of(MAP)
    assert len(rows) == 16 * 16
    row = rows[5 * 16 + 3]
    opt = OPTIMIZERS["momentum"](lr=float(row["lr"]), momentum=float(row["momentum"]))
    end = minimize(FUNCTIONS["bowl"], opt, (-7, 2), 100).values[-1]
    assert float(row["value"]) == pytest.approx(end, rel=1e-9)


@table(
    "spec, said",
    [
        (Sensitivity(), "stable up to, in theory"),
        (MAP, "Best of"),
        (HIMMELBLAU, "A start reaches the minimum nearest"),
        (replace(MAP, view="race"), "Tuning took 19 times as many evaluations as the comparison"),
        (replace(MAP, view="race", objective=NOWHERE), "not defined at any start"),
        (NOISY, "A band holds eight of ten runs"),
        (replace(NOISY, objective=NOWHERE), "No noise is set"),
        (STEEP, "**At step 0 the sharpness, 2, exceeds 1.905**"),
        (
            replace(STEEP, optimizers=(OptimizerConfig(Choice("lion")),)),
            "Theory gives no sharpness limit",
        ),
        (replace(MAP, objective=NOWHERE), "No run on the map succeeds"),
        (
            replace(HIMMELBLAU, other=1, seeds=3, objective=replace(NOISY.objective, steps=60)),
            "**They differ on",
        ),
        (replace(MAP, view="rates", objective=NOWHERE), "stable up to, in theory"),
        (replace(MAP, view="basins", objective=NOWHERE), "not arrived"),
        (replace(MAP, view="stability", objective=NOWHERE), "not defined at the start"),
        (
            Sensitivity(objective=Objective(noise=Choice("gaussian", {"scale": 1.0})), seeds=3),
            "holds eight of ten",
        ),
    ],
)
def test_every_tab_opens_and_says_what_it_shows(spec, said, small):
    at = open_page("sensitivity", spec)
    assert said in page_text(at)
    for figure in plots(at).values():
        json.dumps(figure, allow_nan=False)


def test_another_optimizer_has_the_map_of_its_own_axes():
    """AdaGrad has no momentum: the map goes on with what it has."""
    at = open_page("sensitivity", MAP)
    [menu] = [s for s in at.selectbox if s.label == "Optimizer"]
    menu.set_value(2).run()
    spec = session(sound(at)).specs["sensitivity"]
    assert (spec.names[spec.chosen], spec.across, spec.up) == ("AdaGrad", "lr", "eps")


TWO = replace(
    HIMMELBLAU,
    other=1,
    seeds=5,
    optimizers=tuple(
        OptimizerConfig(Choice("momentum", {"lr": lr, "momentum": 0.9})) for lr in (0.003, 0.01)
    ),
)


def test_two_optimizers_differ_where_their_basins_do(small):
    """Against each start run by itself, and named by the nearest of Himmelblau's four minima."""
    (_a, first), (_b, second) = run.both_basins(TWO)
    at = np.linspace(-6, 6, 12)
    minima = [(3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127)]
    f = FUNCTIONS["himmelblau"]
    assert f.domain == ((-6, 6), (-6, 6))

    def place(lr, x, y):
        end = minimize(f, OPTIMIZERS["momentum"](lr=lr), (x, y), 200)
        if not end.values[-1] <= 1e-3:
            return None
        return int(np.square(end.points[-1] - minima).sum(-1).argmin())

    both = [[[place(lr, x, y) for x in at] for y in at] for lr in (0.003, 0.01)]
    kind = run.difference(first, second)
    for i, j in np.ndindex(12, 12):
        a, b = both[0][i][j], both[1][i][j]
        assert kind[i, j] == (0 if a == b else 1 if b is None else 2 if a is None else 3)
    assert set(kind.ravel()) >= {0, 1, 3}
    said = text.describe_difference(TWO, kind)
    assert f"differ on {100 * np.mean(kind > 0):.3g}% of the starts" in said
    rows = file_of(TWO)
    assert len(rows) == 2 * 12 * 12
    reached = [r["optimizer"] for r in rows if r["minimum_x"]]
    assert len(reached) == sum(p is not None for one in both for row in one for p in row)


def test_with_noise_a_cell_is_what_most_seeds_come_near(small):
    """Within 5% of the picture's median height, for no run comes to rest: on Himmelblau's."""
    spec = replace(TWO, objective=replace(TWO.objective, noise=Choice("gaussian", {"scale": 10.0})))
    found = run.basins_of(spec.objective, spec.config, spec.tolerance, 5)
    assert found.index.shape == (5, 5)  # 12² runs over five seeds
    f, opt = FUNCTIONS["himmelblau"], OPTIMIZERS["momentum"](lr=0.003)
    noise = NOISES["gaussian"](scale=10.0)
    runs = (minimize(f, opt, (3, 3), 200, noise, seed=seed) for seed in range(5))
    ends = [found.points[-1] for found in runs]
    near = np.mean([np.hypot(*(end - (3, 2))) < 1 for end in ends])
    assert found.minima[found.index[3, 3]].tolist() == [3, 2]
    assert found.share[3, 3] == near


def test_minima_of_a_function_of_x_alone_lie_on_the_plane_not_on_its_graph():
    spec = Sensitivity(objective=Objective("formula", "x^4 - 3x^2 + x", start=(2.0, 0.0)))
    marks = figures.paths(spec, LIGHT).marks
    stars = {m.uid: (*m.x, *m.y) for m in marks if str(m.uid).startswith("minima")}
    assert stars == {  # where 4x³ − 6x + 1 = 0
        "minima": pytest.approx((-1.3008, 0), abs=1e-4),
        "minima-local": pytest.approx((1.1309, 0), abs=1e-4),
    }


# The largest that a link may ask for

F = "exp(-x**2)*sin(3*y)+cbrt(x*y)+cos(x*y)+log(x**2+1)+y**2"
LONG = Objective("formula", F, start=(1.0, 1.0), steps=2000)


@table("key", ["sgd", "lbfgs", "nelder_mead", "shampoo"])
def test_a_picture_of_dear_runs_has_fewer_cells(key):
    """2000 steps of 40,000 runs are too long for any of them, 20 are not for one that does little."""
    config = OptimizerConfig(Choice(key))
    assert run.affordable_side(replace(LONG, steps=20), OptimizerConfig(Choice("sgd")), 200) == 200
    n = run.affordable_side(LONG, config, 200)
    assert 4 <= n < 100
    spec = adjusted(Sensitivity("map", replace(LONG, steps=2), (config,)))
    assert run.map_of(spec).values.shape == (run.affordable_side(spec.objective, config, 64),) * 2
    spec = replace(spec, objective=LONG)
    assert run.affordable_side(spec.objective, config, 64) == min(n, 64)


def test_basins_of_searches_that_find_no_step_have_fewer_starts_and_it_is_said():
    """On Easom's plain BFGS asks some 600 times in 200 steps, of 40,000 starts that took 10 s; where f has slopes, 35."""
    config = OptimizerConfig(Choice("bfgs"))
    easom = Objective("easom", start=(1.0, 1.0), steps=200)
    assert 40 < run.affordable_starts(easom, config) < 70
    assert run.affordable_starts(Objective("himmelblau", steps=200), config) > run.STARTS
    for key in ("adam", "shampoo", "newton"):  # they do not search
        assert run.affordable_starts(easom, OptimizerConfig(Choice(key))) == np.inf
    dear, cheap = (Sensitivity("basins", replace(easom, steps=n), (config,)) for n in (200, 5))
    said = [part for part in heatmaps.basins(context(dear)) if isinstance(part, str)]
    n = len(run.basins_of(dear.objective, config, dear.tolerance, dear.seeds).index)
    assert said[0].startswith(f"**{n} × {n} starts of BFGS, not 200 × 200**")
    assert not [part for part in heatmaps.basins(context(cheap)) if isinstance(part, str)]


@table("f", FUNCTIONS)
def test_basins_of_a_rule_without_a_search_have_all_their_starts(f):
    """As far as f is no longer than Rastrigin's; Lévy's and Goldstein-Price's take twice as long."""
    objective = Objective(f, start=tuple(map(float, FUNCTIONS[f].start)), steps=200)
    for key in ("sgd", "adam", "schedule_free_adamw", "shampoo", "muon", "newton"):
        n = run.affordable_side(objective, OptimizerConfig(Choice(key)), run.STARTS)
        assert n == 200 or (n > 180 and len(FUNCTIONS[f].formula) > 100)


def test_curves_over_the_rate_have_as_many_steps_as_are_affordable():
    dear = replace(LONG, noise=Choice("gaussian"))
    spec = Sensitivity("rates", dear, (OptimizerConfig(Choice("lbfgs")),) * 8, seeds=30)
    with pytest.raises(SpecError, match="at most"):
        validate(spec)
    validate(adjusted(spec))
    assert adjusted(spec).objective.steps < 100
    assert adjusted(replace(spec, view="map")).objective.steps == 2000


def test_here_f_is_minimized():
    """Every word of the page says so: no switch, and no link that turns it."""
    assert "Maximize" not in [t.label for t in open_page("sensitivity").toggle]
    with pytest.raises(SpecError, match="minimized"):
        validate(Sensitivity(objective=Objective(maximize=True)))
