"""The sensitivity page: what its clicks set, what it says, its files, and each of its tabs."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, OPTIMIZERS, minimize
from optviz.experiments.page import Context
from optviz.experiments.sensitivity import heatmaps, run, text
from optviz.experiments.sensitivity.page import HIMMELBLAU, PAGE
from optviz.experiments.sensitivity.spec import Sensitivity, adjusted
from optviz.experiments.trajectories.spec import Objective
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT, to_plotly
from optviz.spec import Choice, SpecError, validate
from tests.page import numbers, open_page, plots, session, sound
from tests.page import text as page_text
from tests.table import table

MAP = replace(Sensitivity(), view="map")
NOWHERE = Objective(function="formula", formula="sqrt(x - 9)", start=(0.0, 0.0))
STEEP = Sensitivity(view="stability", optimizers=(OptimizerConfig(Choice("sgd", {"lr": 1.05})),))


@pytest.fixture
def small(monkeypatch):
    """Maps of few cells."""
    monkeypatch.setattr(run, "CELLS", 16)
    monkeypatch.setattr(run, "STARTS", 12)


def test_the_map_is_crossed_beyond_the_edge_of_theory_and_the_sentence_counts_the_crosses(small):
    """On the bowl, steepest curvature 2, momentum diverges beyond (1 + μ): one cell more or less."""
    swept = run.map_of(MAP)
    rates, momenta = swept.axes["lr"], swept.axes["momentum"]
    lost = run.diverging(MAP, swept)
    beyond = (rates > 1 + momenta[:, None]).sum(1)
    assert (np.abs(lost.sum(1) - beyond) <= 1).all()
    assert lost.any()
    share = 100 * lost.mean()
    assert f"{share:.3g} % of the runs diverge" in text.of_map(MAP, swept)
    figure = to_plotly(heatmaps.map_figure(MAP, LIGHT, swept))
    [crosses] = [t for t in figure["data"] if t.get("uid") == "diverged"]
    assert len(numbers(crosses["x"])) == lost.sum()
    assert np.isnan(numbers(figure["data"][0]["z"])).sum() == lost.sum()
    arrived = replace(MAP, measure="steps")
    assert "% of the runs never arrive" in text.of_map(arrived, run.map_of(arrived))


@table(
    "across, up, at, set_to",
    [
        ("lr", "momentum", (0.5, 0.25), {"lr": 0.5, "momentum": 0.25}),
        ("lr", "momentum", (1e9, 0.25), {"lr": 10.0, "momentum": 0.25}),
        ("x", "lr", (3.0, 0.5), {"lr": 0.5, "momentum": 0.9, "x": 3.0}),
    ],
)
def test_a_place_of_the_map_is_a_run(across, up, at, set_to):
    spec = run.picked(replace(MAP, across=across, up=up), *at)
    opt = spec.config.build()
    found = {"lr": opt.lr, "momentum": opt.momentum, "x": spec.objective.start[0]}
    assert found == {"x": -7.0} | set_to
    PAGE.check(spec)


def test_a_file_has_every_cell_of_the_map(small):
    [download] = PAGE.views["map"].downloads
    rows = list(csv.DictReader(io.StringIO(download.make(Context(PAGE, MAP, [], LIGHT, {})))))
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
        (HIMMELBLAU, "A start reaches the minimum that is nearest"),
        (STEEP, "**At step 0 the sharpness, 2, is beyond 1.905**"),
        (replace(STEEP, optimizers=(OptimizerConfig(Choice("lion")),)), "Theory knows no limit"),
        (
            replace(MAP, objective=NOWHERE),
            "Nowhere on the map",
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


# The largest that a link may ask for

F = "exp(-x**2)*sin(3*y)+cbrt(x*y)+cos(x*y)+log(x**2+1)+y**2"
LONG = Objective("formula", F, start=(1.0, 1.0), steps=2000)


@table("key", ["sgd", "lbfgs", "nelder_mead", "shampoo"])
def test_a_picture_of_dear_runs_has_fewer_cells(key):
    """A step of 40,000 runs of L-BFGS takes 0.1 s, measured: 2000 of them would be minutes."""
    config = OptimizerConfig(Choice(key))
    assert run.side(replace(LONG, steps=20), OptimizerConfig(Choice("sgd")), 200) == 200
    n = run.side(LONG, config, 200)
    assert 4 <= n < 100
    spec = adjusted(Sensitivity("map", replace(LONG, steps=2), (config,)))
    assert run.map_of(spec).values.shape == (run.side(spec.objective, config, 64),) * 2
    spec = replace(spec, objective=LONG)
    assert run.side(spec.objective, config, 64) == min(n, 64)


def test_curves_over_the_rate_have_as_many_steps_as_are_affordable():
    dear = replace(LONG, noise=Choice("gaussian"))
    spec = Sensitivity("rates", dear, (OptimizerConfig(Choice("lbfgs")),) * 8, seeds=30)
    with pytest.raises(SpecError, match="at most"):
        validate(spec)
    validate(adjusted(spec))
    assert adjusted(spec).objective.steps < 100
    assert adjusted(replace(spec, view="map")).objective.steps == 2000
