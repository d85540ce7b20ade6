"""The optimizers-on-digits page in AppTest: trainings, extreme settings, what is trained again, links."""

import csv
import io
import json

import numpy as np
import pytest

from optviz import OPTIMIZERS
from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import digits, training
from optviz.plot.style import LIGHT, style
from optviz.shell.share import (
    LinkError,
    SharedScene,
    decode,
    encode,
)
from optviz.spec import Choice
from optviz.training import (
    Split,
    Training,
    advance,
    begin,
    confusion,
    load,
)
from optviz.ui import old_job_runner as laboratory
from optviz.ui import old_training_charts as bench
from tests.page import numbers, open_page, panels, plots, session, trained

SMALL = OptimizerComparison(network=Network((64, 20, 10)), iterations=40, batch=32)


def opened(contest=None):
    return open_page("optimizer_comparison", contest)


def rows(at):
    html = next(h.value for h in at.get("html") if "ov-table" in h.value)
    return [
        [c.split(">")[-1] for c in row.replace("</th>", "</td>").split("</td>")[:-1]]
        for row in html.split("<tbody>")[1].split("</tr>")[:-1]
    ]


def kept(at):
    return list(at.session_state.labs["optimizer_comparison"]["kept"].values())


def test_it_opens_with_figure_6_9_and_nothing_trained():
    at = opened()
    assert session(at).specs["optimizer_comparison"] == OptimizerComparison()
    assert [r[0] for r in rows(at)] == ["SGD", "Momentum", "AdaGrad", "Adam"]
    assert all(r[-1] == "not begun" for r in rows(at))
    assert "Alpaydin" in " ".join(c.value for c in at.caption)


def test_training_gives_the_numbers_of_a_training_in_one_go():
    at = trained(opened(SMALL), "optimizer_comparison")
    now = next(n for n in kept(at) if n.training.optimizer.method.key == "adam")
    data = load(now.training)
    alone = advance(begin(now.training, data), data, 40)
    assert np.array_equal(now.loss, alone.loss)
    assert np.array_equal(now.params, alone.params)
    assert all(r[-1] == "done" for r in rows(at))
    curves = [t for t in plots(at)["optimizer-comparison-loss"]["data"] if t["mode"] == "lines" and "hovertemplate" in t]
    assert len(curves) == 4
    assert all(len(numbers(t["y"])) == 40 for t in curves)
    assert at.button(key="train-contest").disabled


def test_stopping_keeps_and_going_on_ends_the_same():
    at = opened(SMALL)
    at.button(key="train-contest").click().run()
    at.session_state.labs["optimizer_comparison"]["running"] = True
    at.run()
    if at.session_state.labs["optimizer_comparison"]["running"]:
        at.button(key="stop-contest").click().run()
    before = {id(n): n.iteration for n in kept(at)}
    at.run()
    assert {id(n): n.iteration for n in kept(at)} == before, "nothing moves while it is stopped"
    at = trained(at, "optimizer_comparison") if any(not n.done for n in kept(at)) else at
    assert all(n.done for n in kept(at))
    at.button(key="again-contest").click().run()
    assert all(n.iteration == 0 for n in kept(at))


def test_what_is_only_shown_otherwise_is_not_trained_again():
    at = trained(opened(SMALL), "optimizer_comparison")
    before = [id(n) for n in kept(at)]
    at.toggle(key="optimizer-comparison-smooth").set_value(False).run()
    at.toggle(key="optimizer-comparison-log").set_value(True).run()
    at.get("button_group")[0].set_value("seconds").run()
    assert [id(n) for n in kept(at)] == before
    assert plots(at)["optimizer-comparison-loss"]["layout"]["yaxis"]["type"] == "log"
    assert plots(at)["optimizer-comparison-loss"]["layout"]["xaxis"]["title"]["text"] == "seconds of computing"


def test_another_rate_trains_only_that_optimizer_again():
    at = trained(opened(SMALL), "optimizer_comparison")
    before = {id(n) for n in kept(at)}
    configs = list(session(at).specs["optimizer_comparison"].optimizers)
    configs[0] = OptimizerConfig(Choice("sgd", {"lr": 0.2}))
    session(at).specs["optimizer_comparison"] = OptimizerComparison(tuple(configs), SMALL.network, batch=32, iterations=40)
    at.run()
    assert [r[-1] for r in rows(at)] == ["not begun", "done", "done", "done"]
    assert before <= {id(n) for n in kept(at)}, "the old one is kept, should one come back to it"


def test_more_iterations_go_on_from_what_is_there():
    at = trained(opened(SMALL), "optimizer_comparison")
    session(at).specs["optimizer_comparison"] = OptimizerComparison(SMALL.optimizers, SMALL.network, batch=32, iterations=60)
    at.run()
    assert [r[1] for r in rows(at)] == ["40"] * 4
    assert at.button(key="train-contest").label == "Go on"


@pytest.mark.parametrize(
    "optimizer_comparison",
    [
        OptimizerComparison(network=Network((64, 10)), iterations=10), OptimizerComparison(network=Network((64, *[10] * 8, 10)), iterations=10),
        OptimizerComparison((OptimizerConfig(Choice("sgd", {"lr": 10.0})),), Network((64, 50, 50, 10)), iterations=30),
        OptimizerComparison((OptimizerConfig(Choice("sgd")),), Network((64, 20, 10), initializer=Choice("normal", {"sigma": 0.0})), iterations=10),
        OptimizerComparison((OptimizerConfig(Choice("sgd")),), Network((64, 20, 10), Choice("relu"), Choice("constant")), iterations=10, batch=1),
        OptimizerComparison((OptimizerConfig(Choice("adam", {"lr": 0.01})),), Network((2, 10, 2)), Choice("moons"), Split(150), 16, 20, (0, 1, 2)),
        OptimizerComparison((OptimizerConfig(Choice("lbfgs", {"lr": 0.1})),), Network((64, 20, 10)), iterations=10),
        OptimizerComparison((OptimizerConfig(Choice("sgd", {"lr": 0.1}), (), {"lr": Choice("cosine", {"steps": 20})}),), Network((64, 20, 10)), iterations=20),
        OptimizerComparison(()),
    ],
)  # fmt: skip
def test_extreme_settings(contest):
    at = opened(contest)
    if contest.optimizers:
        at = trained(at, "optimizer_comparison")
        json.dumps(plots(at))
        assert len(rows(at)) == len(contest.optimizers)
    else:
        assert any("Nobody trains" in i.value for i in at.info)


def test_a_rate_beyond_all_measure_ends_where_it_diverges():
    """No hyperparameter goes there, but nothing may break where it comes from elsewhere."""
    at = opened()
    configs = tuple(OptimizerConfig(Choice(key, {"lr": lr})) for key in ("sgd", "adam", "lbfgs") for lr in (0.0, 1e6))
    session(at).specs["optimizer_comparison"] = OptimizerComparison(configs, Network((64, *[10] * 12, 10)), iterations=20, batch=16)
    at = trained(at.run(), "optimizer_comparison")
    said = {r[0]: r[-1] for r in rows(at)}
    assert "diverged at iteration" in said["SGD (lr 1e+06)"]
    assert said["SGD (lr 0)"] == "done"
    json.dumps(plots(at))


def test_what_diverges_says_so_and_its_curve_ends():
    now = begin(
        Training(Network((64, 50, 50, 10)), OptimizerConfig(Choice("sgd", {"lr": 10.0})), batch=32, iterations=60),
        data := load(Training()),
    )
    now = advance(now, data, 60)
    text = training.status(now, 0)
    if (now.diverged_at >= 0).any():
        assert "diverged at iteration" in text
    figure = training.losses([training.Line("c0", "SGD", now, 0, style(0, LIGHT))], training.Scale("iterations", 60))
    assert figure["layout"]["yaxis"]["range"][1] <= 15, "one runaway does not crush the rest"


def test_dense_methods_are_not_offered_and_it_says_why():
    at = opened()
    at.session_state["settings-0"] = True
    at.run()
    assert {OPTIMIZERS["newton"].label, OPTIMIZERS["bfgs"].label}.isdisjoint(
        at.selectbox(key=f"optimizer-0-4-optimizer-{session(at).epoch}").options
    )
    assert any("P × P" in c.value for c in at.caption)


@pytest.mark.parametrize("key", ["moons", "circles", "spirals", "clouds"])
def test_points_in_a_plane_show_their_boundary(key):
    at = opened()
    at.selectbox(key=f"optimizer-comparison-data-{session(at).epoch}").set_value(key).run()
    assert not at.exception
    sizes = session(at).specs["optimizer_comparison"].network.sizes
    assert sizes[0] == 2
    figure = plots(at)["boundary"]
    assert len(figure["data"]) == 1 + sizes[-1]
    assert "Data" in panels(at)


def test_the_confusion_matrix_and_the_misread():
    counts = confusion([0, 0, 1, 2], [0, 1, 1, 2], 3)
    figure = digits.confusion(counts, (), LIGHT)
    cells = list(zip(*(figure["data"][1][c] for c in ("y", "x", "text")), strict=True))
    assert cells == [("0", "0", "1"), ("0", "1", "1"), ("1", "1", "1"), ("2", "2", "1")]
    html = digits.pictures(np.eye(4)[:1], [3], [5], ())
    assert 'alt="a 3 that was taken for 5"' in html
    assert "data:image/png;base64,iVBOR" in html


def test_the_page_s_address():
    contest = OptimizerComparison(
        (OptimizerConfig(Choice("adam", {"lr": 0.002})),), Network((2, 30, 30, 2)), Choice("spirals"), Split(200), 32, 500, (0, 1)
    )
    at = opened(contest)
    link = plots(at)["optimizer-comparison-loss"]["link"]
    assert decode(link.removeprefix("?s="), "optimizer_comparison").scene == contest
    assert len(link) < 200


@pytest.mark.parametrize(
    "bad",
    [
        OptimizerComparison(network=Network((65, 10))), OptimizerComparison(iterations=10**6), OptimizerComparison((OptimizerConfig(Choice("newton")),)), OptimizerComparison(dataset=Choice("nothing")),
        OptimizerComparison(seeds=()), OptimizerComparison((OptimizerConfig(Choice("sgd")),) * 9), OptimizerComparison(split=Split(0)),
    ],
)  # fmt: skip
def test_a_link_to_what_cannot_be_trained(bad):
    with pytest.raises(LinkError):
        decode(encode(SharedScene("optimizer_comparison", bad)), "optimizer_comparison")


def test_more_rows_for_training_than_there_are():
    at = opened()
    session(at).specs["optimizer_comparison"] = OptimizerComparison(split=Split(1797))
    at.run()
    assert not at.exception
    assert "training" in at.error[0].value


def test_curves_as_csv():
    at = trained(opened(SMALL), "optimizer_comparison")
    now = kept(at)[0]
    found = list(csv.DictReader(io.StringIO(bench.curves_csv([training.Line("c0", "SGD", now, 0, None)]))))
    assert len(found) == 41
    assert float(found[1]["loss"]) == now.loss[0, 0, 0]
    assert float(found[-1]["test_accuracy"]) == now.accuracy[-1, 1, 0, 0]
    assert laboratory.BUDGET < laboratory.EVERY
