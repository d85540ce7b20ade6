"""What can be kept of a page with trainings: a script with the same numbers, and the pictures in one file."""

import gzip
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from optviz.data.own import read_examples
from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import Network
from optviz.optim.config import Fork, OptimizerConfig
from optviz.shell.export.menu import charts_html
from optviz.shell.export.networks import network_names
from optviz.shell.export.offline import prose
from optviz.shell.export.search_script import search_script
from optviz.shell.export.torch_training import not_in_torch, torch_training_script
from optviz.shell.export.training_script import OWN_FILE, training_script
from optviz.spec import Choice
from optviz.training import Penalty, Split, Training, Trial, load, train
from optviz.tuning import Halving, Search
from optviz.tuning.space import Axis, Space
from optviz.ui.components import PageContents
from tests.page import open_page, plots, session, trained
from tests.table import table
from tests.tuning.test_search import ended

SMALL = OptimizerComparison(network=Network((64, 12, 10)), iterations=12, batch=16)
PLAIN, *_ = SMALL.trainings
# Everything that a training may have, in as few networks as can be.
RICH = replace(
    PLAIN,
    network=Network(
        (64, 8, 8, 10), Choice("leaky_relu", {"alpha": 0.2}), normalize="before", dropout=0.2
    ),
    trials=(Trial({"lr": 0.2}, 0.01), Trial(initializer=Choice("zeros")), Trial({"lr": 1e30})),
    seeds=(0, 4),
    penalty=Penalty(l1=0.001),
    split=Split(300, True, 0, 0.1),
    inputs="standardized",
)
SPIRALS = Training(
    Network((2, 8, 2), dtype="float64", dropout=0.1),
    OptimizerConfig(
        Choice("adam"),
        (Choice("averaged"), Choice("clipped")),
        {"lr": Choice("cosine"), "beta1": Choice("constant")},
    ),
    Choice("spirals", {"points": 200}),
    Split(100, noise=0.1),
    batch=8,
    iterations=40,
    seeds=(3,),
    initializers=(Choice("he_normal"), Choice("constant"), Choice("orthogonal")),
    inputs="offset",
)
FAST = OptimizerConfig(Choice("momentum", {"lr": 0.1}), schedules={"lr": Choice("cosine")})
FORKS = [
    replace(PLAIN, optimizer=OptimizerConfig(Choice(key, {"lr": 0.02}), fork=Fork(FAST, 5)))
    for key in ("momentum", "adam")
]
WHOLE = replace(  # every row in every update, another loss, averages inside of a wrapper
    PLAIN,
    network=Network((64, 8, 10), normalize="before"),
    optimizer=OptimizerConfig(Choice("schedule_free_sgd", {"beta": 0.0}), (Choice("clipped"),)),
    batch=0,
    loss="squared_error",
    sharpness=3,
)
WIDE = [  # as they are, and with rates for each layer
    replace(SMALL, network=Network((64, 24, 24, 10), base_width=n)).trainings[1] for n in (0, 8)
]
SEARCHED = replace(PLAIN, optimizer=OptimizerConfig(Choice("lbfgs")), inputs="raw")


def printed_by(code, folder):
    """What a script prints in a folder with nothing but it, where nothing of ours can be imported."""
    (folder / "it.py").write_text(code, encoding="utf-8")
    run = [sys.executable, "-I", "-W", "error", "it.py"]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def expected(trainings, names, data=None):
    for training, of in zip(trainings, names, strict=True):
        *_, last = train(training, data)
        for i, name in enumerate(of):
            for s, seed in enumerate(training.seeds):
                loss = float(last.loss[-10:, i, s].mean())
                learned, tested = last.accuracy[-1, :, i, s].tolist()
                yield (
                    f"{name}, seed {seed}: loss of the last ten batches {loss}, "
                    f"accuracy on the training set {learned} and on others {tested}"
                )


@pytest.mark.parametrize(
    "trainings", [SMALL.trainings, FORKS, [RICH], [SPIRALS], [WHOLE], WIDE, [SEARCHED, RICH]]
)
def test_the_script_prints_the_numbers_of_the_page(trainings, tmp_path):
    code = training_script("Which one?", trainings, link="https://example.org")
    assert printed_by(code, tmp_path) == [*expected(trainings, network_names(trainings))]
    assert len(code.partition("DIGITS =")[0].splitlines()) < 965
    assert "optviz" not in code.replace("# Made with optviz: https://example.org", "")


@table(
    "said, written",
    [
        (
            "**Dead**: 4 < 5\n\nand *so* a_b_c",
            "<p><b>Dead</b>: 4 &lt; 5</p><p>and <i>so</i> a_b_c</p>",
        ),
        ("```text\nW = [[1]]\n```", "<p><pre>W = [[1]]</pre></p>"),
        (r"2 * 3 * 4, \*x\*, `a<b`", "<p>2 * 3 * 4, *x*, <code>a&lt;b</code></p>"),
    ],
)
def test_markdown_as_html(said, written):
    assert prose(said) == written


def test_the_page_to_take_home_says_what_the_page_says():
    at = open_page("activations")
    page = charts_html("", session(at).states[PageContents], "light")
    assert re.search("<p><b>Saturated</b>: 44.?% of .*layer 5", page)


def test_what_torch_does_not_have_is_named():
    lion, lbfgs = (OptimizerConfig(Choice(key)) for key in ("lion", "lbfgs"))
    further = [replace(PLAIN, optimizer=config) for config in (lion, lbfgs)]
    found = not_in_torch([*SMALL.trainings, *WIDE, SPIRALS, *further])
    assert found == ["Adam + averaging + clipping", "Lion", "L-BFGS", "dropout", "μP"]
    with pytest.raises(ValueError, match="Lion"):
        torch_training_script("", [replace(PLAIN, optimizer=lion)])


def curves_by_torch(trainings):
    """The loss of every mini-batch of every network, by the exported script."""
    code = torch_training_script("Which one?", trainings)
    script = {}
    exec(code.removesuffix("main()\n"), script)
    train_one, curves = script["train"], []
    script["train"] = lambda *a, **k: curves.append(train_one(*a, **k))
    script["main"]()
    return curves


DOUBLE = Network((64, 12, 10), dtype="float64")
SGD, ADAM = (OptimizerConfig(Choice(*of)) for of in (("sgd", {"lr": 0.1}), ("adam", {"lr": 0.01})))
COOLED = replace(ADAM, schedules={"lr": Choice("cosine")})
TORCH = [
    replace(PLAIN, network=DOUBLE, optimizer=SGD, iterations=100),
    replace(PLAIN, network=DOUBLE, optimizer=ADAM, iterations=100, seeds=(0, 4)),
    replace(
        PLAIN,
        network=replace(DOUBLE, activation=Choice("elu", {"alpha": 0.5}), normalize="before"),
        optimizer=replace(FAST, schedules={}),
        trials=(Trial({"lr": 0.2}, 0.01), Trial(initializer=Choice("orthogonal"))),
        penalty=Penalty(l1=0.001),
        inputs="standardized",
        split=Split(300, noise=0.1),
    ),
    replace(SPIRALS, network=Network((2, 8, 2), Choice("gelu"), dtype="float64"), optimizer=COOLED),
    replace(PLAIN, network=DOUBLE, optimizer=SGD, batch=0),
]


def test_torch_has_the_same_loss_in_every_update():
    pytest.importorskip("torch")
    curves = curves_by_torch(TORCH)
    ours = [list(train(one))[-1] for one in TORCH]
    expected = [now.loss[:, i, s] for now in ours for i, s in np.ndindex(now.loss.shape[1:])]
    assert len(curves) == len(expected) == 9
    for curve, loss in zip(curves, expected, strict=True):
        np.testing.assert_allclose(curve, loss, rtol=1e-9)


def test_torch_has_the_same_squared_error():
    pytest.importorskip("torch")
    of = replace(TORCH[0], loss="squared_error")
    [curve] = curves_by_torch([of])
    np.testing.assert_allclose(curve, list(train(of))[-1].loss[:, 0, 0], rtol=1e-9)


def test_networks_go_by_what_they_do_not_share():
    assert network_names(SMALL.trainings) == [
        ["SGD, learning rate 0.01"],
        ["Momentum, learning rate 0.01, momentum 0.9"],
        ["AdaGrad, learning rate 0.01"],
        ["Adam, learning rate 0.001"],
    ]
    assert network_names([RICH]) == [
        [
            "He, learning rate 0.2, weight decay 0.01",
            "zeros, learning rate 0.01, weight decay 0.0",
            "He, learning rate 1e+30, weight decay 0.0",
        ]
    ]
    assert network_names([PLAIN, PLAIN]) == [["network #1"], ["network #2"]]
    other = replace(PLAIN.network, sizes=(784, *PLAIN.network.sizes[1:-1], 10), normalize="before")
    assert network_names([PLAIN, replace(PLAIN, dataset=Choice("mnist"), network=other)]) == [
        ["batch normalization nowhere, digits"],
        ["batch normalization before the activation, mnist"],
    ], "sizes that follow from the data are not told"
    bare = OptimizerConfig(Choice("sgd"))
    wrapped = replace(bare, wrappers=(Choice("clipped"), Choice("lookahead")))
    assert network_names([replace(PLAIN, optimizer=one) for one in (bare, wrapped)]) == [
        ["no wrappers"],
        ["Clipping, Look-ahead"],
    ]


FOUND = Search(network=Network((64, 10, 10)), iterations=40, trials=6)
RICH_SEARCH = replace(
    FOUND,
    network=Network((64, 10, 10), normalize="before", dropout=0.1, base_width=5),
    optimizer=OptimizerConfig(
        Choice("momentum"), (Choice("clipped"), Choice("averaged")), {"lr": Choice("cosine")}
    ),
    space=Space(tuple(Axis(*of) for of in (("lr", -3, 1), ("l2", -6, -2), ("momentum", -2, 0)))),
    sampler=Choice("bayesian", {"first": 4}),
    trials=14,
    halving=Halving(first=10),
)


@pytest.mark.parametrize(
    "search",
    [
        replace(FOUND, sampler=Choice("grid")),
        replace(
            FOUND,
            sampler=Choice("coarse_to_fine"),
            space=Space((Axis("lr", -1, 1), Axis("sigma", -2, 0))),
        ),
        RICH_SEARCH,
    ],
)
def test_the_script_of_a_search_prints_every_trial(search, tmp_path):
    done = ended(search)
    *trials, best = printed_by(search_script("Which settings?", search), tmp_path)
    names = ["1 - momentum" if axis.key == "momentum" else axis.key for axis in search.space.axes]
    for i, line in enumerate(trials):
        said = ", ".join(map("{} {}".format, names, done.values[i].tolist()))
        learned, validated = done.accuracy[i, done.last[i]].tolist()
        assert line == (
            f"trial {i + 1}: {said}; after {done.iterations[i]} iterations accuracy on the "
            f"training set {learned}, on the validation set {validated}"
        )
    winner = done.winner.trial
    assert best == f"best: trial {winner + 1}, validation accuracy {done.scores[winner]}"
    assert len(trials) == len(done.points)
    stopped = done.iterations < search.iterations
    assert stopped.any() == bool(search.halving)


def test_the_script_of_a_search_has_all_its_samplers(tmp_path):
    rivals = (Choice("bayesian", {"first": 3}), Choice("halving", {"first": 10}))
    several = replace(FOUND, sampler=Choice("grid"), rivals=rivals)
    said = printed_by(search_script("Which settings?", several), tmp_path)
    alone = [printed_by(search_script("", one), tmp_path) for one in several.searches]
    for name in ("Grid", "Bayesian (first 3)", "Random + halving by 2 from 10"):
        lines = [name, *alone.pop(0)]
        assert said[: len(lines)] == lines
        del said[: len(lines)]
    assert said == alone == []


def test_mnist_is_read_from_its_files(tmp_path):
    rng, folder = np.random.default_rng(0), tmp_path / "mnist"
    folder.mkdir()
    for part, n in (("train", 40), ("t10k", 30)):
        x, t = rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n).astype(np.uint8)
        for kind, array in (("images-idx3", x), ("labels-idx1", t)):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + array.tobytes()))
    training = replace(
        PLAIN, network=Network((784, 5, 10)), dataset=Choice("mnist"), split=Split(20, noise=0.2)
    )
    found = printed_by(training_script("Which one?", [training]), tmp_path)
    assert found == [*expected([training], [["network"]], load(training, folder))]


OWN = b"sepal;petal;kind\n5,1;1,4;setosa\n4,9;1,5;setosa\n7;4,7;2\n6,4;4,5;2\n6,3;6,0;1\n5,8;5,1;1"


@table("inputs", ["given", "raw", "centered", "standardized", "offset"])
def test_a_file_of_ones_own_is_read_from_beside_the_script(inputs):
    size = {"points": 6, "features": 2, "classes": 3}
    training = replace(
        PLAIN,
        network=Network((2, 4, 3)),
        dataset=Choice("own", size),
        split=Split(4, noise=0.3),
        inputs=inputs,
    )
    code = training_script("Which one?", [training])
    with TemporaryDirectory() as folder:
        (Path(folder) / OWN_FILE).write_bytes(OWN)
        found = printed_by(code, Path(folder))
    assert found == [*expected([training], [["network"]], load(training, read_examples(OWN)))]


def test_the_pictures_of_a_page_in_one_file():
    at = trained(open_page("optimizer_comparison", SMALL), "optimizer_comparison")
    shown = session(at).states[PageContents]
    assert set(shown.pictures) == set(plots(at))
    page = charts_html("</script><b>title", shown, "dark")
    [data] = re.findall(r'type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    charts = [part["data"] for part in json.loads(data)]
    assert [chart["name"] for chart in charts] == list(shown.pictures)
    assert all(chart["theme"] == "dark" for chart in charts)
    assert "How every optimizer stands" in page
    assert "<p>digits, 1500 training examples; network 64-12-10, relu; mini-batches of 16" in page
    assert "<p>Adam: lr 0.001, beta1 0.9, beta2 0.999" in page
    assert "&lt;/script&gt;&lt;b&gt;title" in page
    assert page.count("</script>") == 3
    assert shown.script() == (SMALL.trainings, None, None)
    at.session_state["take-home"] = True
    at.run()
    assert not at.exception
