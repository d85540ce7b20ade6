"""The curve-fitting page: its figures and texts, files, and the page itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.curve_fit import figures, text
from optviz.experiments.curve_fit.page import PAGE, iterations
from optviz.experiments.curve_fit.run import advance, begin, matrices
from optviz.experiments.curve_fit.spec import CurveFit
from optviz.experiments.page import Context
from optviz.optim.config import OptimizerConfig
from optviz.plot import DARK, LIGHT, network_graph, to_plotly
from optviz.spec import Choice
from tests.page import (
    at_rest,
    components,
    csv_rows,
    numbers,
    open_page,
    plots,
    session,
    sound,
    trained,
)
from tests.page import text as page_text
from tests.table import table

SHORT = CurveFit(iterations=200)
# What the source notes print of a 1-3-1 network after zeros (Microsoft ai-edu, weight initialization).
SOURCE = [-0.82452497] * 3 + [-0.01143752] * 3 + [-0.68583865] * 3 + [0.68359678]


def context(spec=SHORT, t=10**6, theme=LIGHT):
    now = advance(begin(spec), spec.iterations)
    return Context(PAGE, spec, [now], theme, {"iteration": t})


def test_the_matrices_are_printed_as_in_the_notes():
    assert text.printed(matrices(SHORT, np.array(SOURCE))) == (
        "```text\n"
        "W1 = [[-0.8245 -0.8245 -0.8245]]\n"
        "b1 = [[-0.0114 -0.0114 -0.0114]]\n"
        "W2 = [[-0.6858]\n"
        "      [-0.6858]\n"
        "      [-0.6858]]\n"
        "b2 = [[0.6836]]\n"
        "```"
    )


APART = [0.0, *SOURCE[1:]]
CASES = [
    (SOURCE, "All 3 units are equal"),
    ([-0.82452497 + 1e-12, *SOURCE[1:]], "All 3 units are equal"),
    (APART, "up to 0.825"),
    ([0.0] * 9 + [0.5], "Exactly zero"),
    ([np.nan] * 10, "Diverged"),
]


@table("params, said", CASES)
def test_what_is_said_of_the_units(params, said):
    assert said in text.units_remark(SHORT, np.array(params), 7)


@table("theme", [LIGHT, DARK])
def test_a_graph_by_hand(theme):
    w = [np.array([[2.0, -1.0, 0.0]]), np.array([[4.0], [np.nan], [-4.0]])]
    made = network_graph(w, [np.array([0.5, 0.0, -1.0]), np.array([0.25])], theme, "N")
    figure = to_plotly(made)
    lines = {t["uid"]: t for t in figure["data"] if t["mode"] == "lines"}
    assert set(lines) == {"w0-0-0", "w0-0-1", "w0-0-2", "w1-0-0", "w1-2-0"}, "none for NaN"
    look = {uid: (t["line"]["width"], t["line"]["dash"], t["name"]) for uid, t in lines.items()}
    assert look["w1-0-0"] == (8, "solid", "positive")
    assert look["w1-2-0"][::2] == (8, "negative")
    assert look["w0-0-0"] == (4.5, "solid", "positive"), "half as large: half-way from 1 to 8"
    assert look["w0-0-2"][::2] == (1, "zero")
    dashes = {dash for _, dash, _ in look.values()}
    assert len(dashes) == len({t["line"]["color"] for t in lines.values()}) == 3
    said = [note["text"] for note in figure["layout"]["annotations"]]
    assert said == ["2", "−1", "0", "4", "−4", "b 0.5", "b 0", "b −1", "b 0.25"]
    assert numbers(lines["w1-2-0"]["y"]).tolist() == [-1, 0], "from the lowest unit to the middle"
    assert "N" in made.label


def test_the_figures_stand_at_one_iteration():
    made = context(t=10)
    _, loss = figures.fit(made).parts
    t, params = made.states[0].at(10)
    assert t == 10
    assert params is made.states[0].stored[10]
    [rule] = to_plotly(loss)["layout"]["shapes"]
    assert rule["x0"] == 10
    assert list(iterations(made))[:3] == [0, 1, 2]
    assert list(iterations(made))[-1] == 200


@table(
    "spec",
    [
        CurveFit(units=8, iterations=10, points=2, curve="wave"),
        CurveFit(
            iterations=10,
            activation=Choice("relu"),
            optimizer=OptimizerConfig(Choice("sgd", {"lr": 10.0})),
            initializers=tuple(Choice("normal", {"sigma": 100.0}) for _ in range(8)),
        ),
        CurveFit(iterations=10, optimizer=OptimizerConfig(Choice("lbfgs"))),
    ],
)
def test_extreme_settings(spec):
    made = context(spec)
    rows = [figures.fit(made), *figures.weights(made)]
    parts = [p for row in rows for part in row.parts for p in (part if isinstance(part, list) else [part])]  # fmt: skip
    for part in parts:
        if not isinstance(part, str):
            json.dumps(to_plotly(part), allow_nan=False)
    assert "nan" not in text.standings(made).html()


def test_downloads():
    made = context()
    loss, weights = (csv_rows(d.make(made)) for d in PAGE.views[""].downloads)
    assert len(loss) == 3 * 201
    assert float(loss[200]["mean_squared_error"]) == made.states[0].loss[-1, 0]
    [row] = [
        r
        for r in weights
        if (r["initializer"], r["iteration"], r["matrix"], r["row"])
        == ("normal (σ = 1)", "200", "W2", "3")
    ]
    assert float(row["value"]) == made.states[0].params[2, 8]


def test_the_page_trains():
    at = trained(open_page("curve_fit", SHORT), "curve_fit")
    [now] = session(at).results["curve_fit"].states.values()
    assert now.iteration == 200
    assert "All 3 units are equal" in page_text(at)
    drawn = {t["name"]: t for t in plots(at)["curve_fit-fit-0"]["data"]}
    z = figures.outputs(SHORT, now.params, np.array([0.0]))[2]
    assert numbers(drawn["normal (σ = 1)"]["y"])[0] == pytest.approx(z[0])
    assert not sound(open_page("curve_fit", CurveFit(initializers=()))).error


def drawn(at, name):
    return {t["uid"]: t for t in plots(sound(at))[f"curve_fit-fit-{name}"]["data"]}


def test_what_was_there_stays_faint_and_what_is_kept_stays():
    at, one = open_page("curve_fit", SHORT, alive=True), (Choice("normal", {"sigma": 1.0}),)
    at_rest(at, "curve_fit")
    at.button(key="keep-curve_fit").click().run()
    session(at).specs["curve_fit"] = replace(SHORT, points=50, initializers=one)
    at_rest(at.run(), "curve_fit")
    fit, loss = drawn(at, 0), drawn(at, 1)
    assert {"r0", "r0before", "r1before", "r2before", "kept0", "kept2"} <= fit.keys() & loss.keys()
    assert fit["kept2"]["name"] == "points 100, normal, sigma 1.0"
    before = advance(begin(SHORT), 200)
    for uid, i in (("r2before", 2), ("kept0", 0), ("kept2", 2)):
        expected = figures.outputs(SHORT, before.params, figures.GRID)[i]
        assert numbers(fit[uid]["y"]) == pytest.approx(expected)
        assert numbers(loss[uid]["y"])[-1] == pytest.approx(before.loss[-1, i])
    link = components(at, "address")[-1]["link"].removeprefix("?s=")
    at = open_page("curve_fit", alive=True, s=link)
    at_rest(at, "curve_fit")
    assert numbers(drawn(at, 0)["kept2"]["y"]) == pytest.approx(expected)
