"""The ensembles page in AppTest: the three methods, noisy beside clean labels, extreme settings, links, files."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.ensembles import page
from optviz.experiments.ensembles.spec import METHODS, Ensembles
from optviz.experiments.page import Context
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT
from optviz.shell.share import decode
from optviz.spec import Choice
from optviz.training import Split, advance, begin, load
from optviz.training.scheduler import scheduler
from optviz.ui.cache import SHARED_CACHE
from tests.page import (
    components,
    csv_rows,
    numbers,
    open_page,
    panels,
    plots,
    session,
    sound,
    text,
    trained,
)

SMALL = Ensembles(
    network=Network((64, 12, 10)), split=Split(100, noise=0.2), iterations=40, members=3
)


def opened(scene=None, **query):
    return open_page("ensembles", scene, **query)


def done(scene):
    return trained(opened(scene), "ensembles")


def chosen(at, method):
    at.get("button_group")[0].set_value(method).run()
    return sound(at)


def rows(at):
    html = next(h.value for h in at.get("html") if "One network and an ensemble" in h.value)
    return [
        [c.split(">")[-1] for c in row.replace("</th>", "</td>").split("</td>")[:-1]]
        for row in html.split("<tbody>")[1].split("</tr>")[:-1]
    ]


def line(at, plot, name):
    [trace] = [t for t in plots(at)[plot]["data"] if t.get("name") == name]
    return numbers(trace["y"])


def test_it_opens_with_the_reference_and_nothing_trained():
    at = opened()
    assert session(at).specs["ensembles"] == Ensembles()
    assert [r[-1] for r in rows(at)] == ["not begun"] * 6
    assert {"ensembles-accuracies-0-0-1", "ensembles-accuracies-0-1-1"} <= set(plots(at))
    assert "Alpaydin" in text(at)
    assert set(panels(at)) >= {"Ensemble", "Network and training"}


def test_all_three_are_trained_on_noisy_and_on_clean_labels_and_drawn_as_they_are():
    at = done(SMALL)
    assert [(r[0], r[1], r[-1]) for r in rows(at)] == [
        (name, labels, "done")
        for name in ("Independent networks", "Snapshots of one run", "Averaged weights")
        for labels in ("20% wrong labels", "clean labels")
    ]
    training = SMALL.training_of("independent", 0.2)
    data = load(training)
    alone = advance(begin(training, data), data, 40)
    assert (
        line(at, "ensembles-accuracies-0-0-1", "ensemble")[-1] == alone.ensemble_accuracy[-1, 1, 0]
    )
    assert line(at, "ensembles-accuracies-0-0-1", "single network (mean)")[-1] == pytest.approx(
        alone.accuracy[-1, 1, 0].mean()
    )
    assert (
        sum(t["name"].startswith("seed ") for t in plots(at)["ensembles-accuracies-0-0-1"]["data"])
        == 3
    )
    together = line(at, "ensembles-members-1-0", "20% wrong labels")
    assert together[-1] == pytest.approx(alone.ensemble_accuracy[-1, 1, 0])
    assert len(together) == 3
    assert "give different answers" in text(at)
    before = [id(n) for n in session(at).results["ensembles"].states.values()]

    at = chosen(at, "snapshots")
    figure = plots(at)["ensembles-accuracies-0-1-1"]
    assert [s["x0"] for s in figure["layout"]["shapes"]] == [14, 28, 40]
    assert len(line(at, "ensembles-accuracies-0-1-1", "snapshots together")) == 3
    rate = line(at, "ensembles-accuracies-0-1-1", "learning rate")
    assert rate[[0, 14, 28]] == pytest.approx(0.2)
    assert rate[[7, 21]] == pytest.approx(0.1), "half of it in the middle of a cycle"
    assert "A single snapshot" in text(at)

    at = chosen(at, "averaging")
    assert {"ensembles-losses-0-1", "ensembles-losses-1-1"} <= set(plots(at))
    assert len(line(at, "ensembles-losses-0-1", "averaged weights")) == 40
    assert [id(n) for n in session(at).results["ensembles"].states.values()] == before, (
        "nothing is trained again"
    )


def test_knobs_turn_the_scene():
    at = opened(replace(SMALL, view="snapshots"))
    assert "peak" in {k["name"] for k in panels(at)["Ensemble"]["hyperparameters"]}
    at = chosen(at, "averaging")
    assert "decay" in {k["name"] for k in panels(at)["Ensemble"]["hyperparameters"]}
    assert session(at).specs["ensembles"].view == "averaging"
    [address] = components(at, "address")
    assert decode(address["link"].removeprefix("?s="), "ensembles").scene.view == "averaging"


ROUGH = OptimizerConfig(Choice("sgd", {"lr": 10.0}))
EXTREME = {
    "no hidden layer": replace(SMALL, network=Network((64, 10))),
    "one hidden layer": replace(SMALL, network=Network((64, 300, 10)), iterations=10),
    "twelve": replace(SMALL, network=Network((64, *[10] * 12, 10))),
    "one member": replace(SMALL, members=1),
    "most members": replace(SMALL, members=10),
    "more members than cycles": replace(SMALL, iterations=10, members=7),
    "diverging": replace(SMALL, network=Network((64, 50, 50, 50, 10)), optimizer=ROUGH, peak=10.0),
    "almost no rate": replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 1e-4})), peak=1.0),
    "clean": replace(SMALL, split=Split(100)),
    "mostly wrong": replace(SMALL, split=Split(100, noise=0.8)),
    "no memory": replace(SMALL, decay=0.0),
    "batch of one": replace(SMALL, batch=1),
    "all weights equal": replace(SMALL, network=Network((64, 12, 10), initializer=Choice("zeros"))),
    "moons": replace(SMALL, network=Network((2, 10, 2)), dataset=Choice("moons")),
    "lbfgs": replace(SMALL, optimizer=OptimizerConfig(Choice("lbfgs", {"lr": 0.1})), iterations=10),
    "dropout": replace(SMALL, network=Network((64, 12, 10), dropout=0.5)),
}  # fmt: skip


@pytest.mark.parametrize("which", EXTREME)
def test_extreme_settings(which):
    at = done(EXTREME[which])
    for method in METHODS:
        at = chosen(at, method)
        json.dumps(plots(at))
        assert len(rows(at)) == 3 * len(EXTREME[which].noises)


def test_members_that_diverge_are_named_and_the_others_go_on():
    at = done(EXTREME["diverging"])
    states = [r[-1] for r in rows(at)]
    assert any("diverged" in s for s in states)
    assert "diverged" in text(at)


def test_one_of_three_diverges():
    """Its line ends, the ensemble of all ends with it, and the members that are left are looked at."""
    at = done(SMALL)
    kept = session(at).results["ensembles"].states
    for key, now in list(kept.items()):
        if len(now.training.seeds) == 3 and not now.training.optimizer.wrappers:
            params, accuracy, ensemble_accuracy, lost = (
                a.copy() for a in (now.params, now.accuracy, now.ensemble_accuracy, now.diverged_at)
            )
            params[:, 1], accuracy[-1, :, :, 1], ensemble_accuracy[-1], lost[:, 1] = (
                np.nan,
                np.nan,
                np.nan,
                39,
            )
            scheduler()._entries[key].state = replace(
                now,
                params=params,
                accuracy=accuracy,
                ensemble_accuracy=ensemble_accuracy,
                diverged_at=lost,
            )
    SHARED_CACHE.clear()
    sound(at.run())
    SHARED_CACHE.clear()
    assert "1 of 3 networks diverged" in text(at)
    assert "2 of 3 members have not diverged" in text(at)
    assert len(line(at, "ensembles-members-1-0", "clean labels")) == 2
    assert any("1 of 3 seeds diverged" in r[-1] for r in rows(at))


def test_too_much_at_once_is_said():
    at = opened()
    session(at).specs["ensembles"] = Ensembles(
        network=Network((64, *[300] * 12, 10)), batch=2000, members=10
    )
    sound(at.run())
    assert "numbers at a time" in at.error[0].value


def test_the_test_set_is_answered_together_too():
    scene = replace(SMALL, split=replace(SMALL.split, validation=0.5))
    at = done(scene)
    [button] = [b for b in at.button if b.label == "Evaluate on the test set"]
    button.click().run()
    [shown] = [h.value for h in sound(at).get("html") if "Accuracy on the test set" in h.value]
    kept = session(at).results["ensembles"].states.values()
    training = scene.training_of("independent", 0.2)
    [state] = [s for s in kept if s.training == training]
    data = load(training, final=True)
    z = training.network.outputs(state.params[0], data.x_test.astype(np.float32)).astype(float)
    e = np.exp(z - z.max(-1, keepdims=True))
    share = ((e / e.sum(-1, keepdims=True)).mean(0).argmax(-1) == data.t_test).mean()
    row = re.search(r"Independent networks, 20% wrong labels: together.*?</tr>", shown, re.S)[0]
    assert f"{100 * share:.3g}" in row


def test_curves_as_csv():
    at = done(SMALL)
    kept = list(session(at).results["ensembles"].states.values())
    states = [next(n for n in kept if n.training == training) for training in SMALL.trainings]
    context = Context(page.PAGE, SMALL, states, LIGHT)
    lines = csv_rows(page.curves_csv(context))
    now = states[0]
    [end] = [
        r
        for r in lines
        if (r["wrong_labels"], r["method"], r["who"], r["iteration"])
        == ("0.2", "independent", "ensemble", "40")
    ]
    assert float(end["validation_accuracy"]) == now.ensemble_accuracy[-1, 1, 0]
    assert [r["who"] for r in lines if "together" in r["who"]] == [
        f"{m} snapshots together" for m in (1, 2, 3)
    ] * 2
