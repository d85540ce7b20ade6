"""Batch normalization: the layer against PyTorch, central differences and by hand; its graph; the
reference figure.
"""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.reproduction import SCALES
from optviz.experiments.batch_norm.run import backward, forward, hidden_activations
from optviz.experiments.batch_norm.spec import BatchNormComparison, Example, Rates, read_numbers
from optviz.nn import MiniBatch, Network, one_hot
from optviz.nn.batch_norm import BatchNorm
from optviz.nn.layers import EVALUATION, Mode
from optviz.spec import Choice
from optviz.training import Split, Training, Trial, advance, begin, load
from tests import memo
from tests.page import refused
from tests.table import table

TRAINING = Mode(True, (0,), 0)
BY_HAND = Example((1.0, 2.0, 4.0, 9.0), (1.0, 0.0, 0.0, 0.0), eps=1e-10)
ODD = Example((0.3, -2.0, 7.5, 1.25, -0.6), (0.2, -1.0, 0.4, 2.0, -0.7), 1.7, -0.4, 1e-3)
EXAMPLES = [
    BY_HAND,
    ODD,
    Example((3.0,), (2.0,), 1.5, 0.25),
    Example((2.0, 2.0, 2.0), (1.0, -1.0, 0.5)),
    Example((1e6, -1e6, 5e5), (1.0, 2.0, 3.0), -3.0, 1.0),
]


def through(layer, p, x, dy):
    """Output, gradient of the input and those of the parameters."""
    y, kept = layer.forward(p, x, TRAINING)
    dp = {name: np.empty_like(v) for name, v in p.items()}
    return y, layer.backward(p, kept, dy.copy(), dp), dp


def some(lead=(), rows=7, n=4, seed=0):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(1.5, 3, (2, *lead, rows, n))
    return {"gamma": rng.normal(1, 0.5, (*lead, n)), "beta": rng.normal(0, 1, (*lead, n))}, x, dy


# The layer.


def test_the_layer_by_hand():
    """x = 1, 2, 4, 9: μ = 4, σ² = (9 + 4 + 0 + 25) / 4 = 9.5."""
    layer, p = BatchNorm(1, 0.0), {"gamma": np.array([2.0]), "beta": np.array([0.5])}
    y, kept = layer.forward(p, np.array([[1.0], [2.0], [4.0], [9.0]]), TRAINING)
    assert kept.mean == 4
    assert kept.variance == 9.5
    np.testing.assert_allclose(y[:, 0], 2 * np.array([-3, -2, 0, 5]) / 9.5**0.5 + 0.5, rtol=1e-14)


@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
def test_gradients_of_the_layer_against_central_differences(lead):
    layer, (p, x, dy) = BatchNorm(4), some(lead)
    _, dx, dp = through(layer, p, x, dy)
    h = 1e-5

    def loss(p, x):
        return float((layer.forward(p, x, TRAINING)[0] * dy).sum())

    for values, gradient, at in (
        (x, dx, lambda v: (p, v)),
        (p["gamma"], dp["gamma"], lambda v: (p | {"gamma": v}, x)),
        (p["beta"], dp["beta"], lambda v: (p | {"beta": v}, x)),
    ):
        for place in list(np.ndindex(values.shape))[::3]:
            step = np.zeros_like(values)
            step[place] = h
            measured = (loss(*at(values + step)) - loss(*at(values - step))) / (2 * h)
            assert gradient[place] == pytest.approx(measured, rel=1e-6, abs=1e-8)


def test_the_layer_agrees_with_torch():
    torch = pytest.importorskip("torch")
    p, x, dy = some()
    y, dx, dp = through(BatchNorm(4), p, x, dy)
    tx, gamma, beta = (torch.tensor(v, requires_grad=True) for v in (x, p["gamma"], p["beta"]))
    theirs = torch.nn.functional.batch_norm(tx, None, None, gamma, beta, training=True, eps=1e-6)
    theirs.backward(torch.tensor(dy))
    for ours, other in (
        (y, theirs.detach()),
        (dx, tx.grad),
        (dp["gamma"], gamma.grad),
        (dp["beta"], beta.grad),
    ):
        np.testing.assert_allclose(ours, other.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_network_with_the_layer_agrees_with_torch(place):
    torch = pytest.importorskip("torch")
    f, rng = torch.nn.functional, np.random.default_rng(1)
    net = Network((5, 7, 6, 4), Choice("relu"), dtype="float64", normalize=place)
    params = rng.normal(0.2, 0.6, net.size)
    x, t = rng.standard_normal((12, 5)), rng.integers(0, 4, 12)
    batch = MiniBatch(net, x, one_hot(t, 4), TRAINING)
    gradient = batch.grad(params)
    flat = torch.tensor(params, requires_grad=True)
    a, i = torch.tensor(x), 0

    def take(*shape):
        nonlocal i
        n = int(np.prod(shape))
        i += n
        return flat[i - n : i].reshape(shape)

    for n_in, n_out in ((5, 7), (7, 6)):
        a = a @ take(n_in, n_out) + take(n_out)
        a = torch.relu(a) if place == "after" else a
        a = f.batch_norm(a, None, None, take(n_out), take(n_out), training=True, eps=1e-6)
        a = torch.relu(a) if place == "before" else a
    loss = f.cross_entropy(a @ take(6, 4) + take(4), torch.tensor(t))
    loss.backward()
    assert i == net.size
    assert batch.value(params) == pytest.approx(loss.item(), rel=1e-10)
    np.testing.assert_allclose(gradient, flat.grad.numpy(), rtol=1e-10, atol=1e-10)


def test_gradients_of_a_network_against_central_differences():
    net = Network((5, 7, 6, 4), Choice("tanh"), dtype="float64", normalize="before")
    rng = np.random.default_rng(2)
    params, x, y = (
        rng.normal(0.2, 0.6, net.size),
        rng.standard_normal((9, 5)),
        one_hot(rng.integers(0, 4, 9), 4),
    )
    gradient = MiniBatch(net, x, y, TRAINING).grad(params)
    for k in range(0, net.size, 7):
        step = np.zeros(net.size)
        step[k] = 1e-5
        up, down = (MiniBatch(net, x, y, TRAINING).value(params + s * step) for s in (1, -1))
        assert gradient[k] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-9)


def test_running_statistics_by_hand():
    """Two batches: 0 → .9·0 + .1·4 → .9·.4 + .1·1; 1 → .9 + .1·9.5 → .9·1.85 + .1·1."""
    net = Network((1, 1, 2), Choice("identity"), dtype="float64", normalize="before")
    params = np.zeros(net.size)
    params[0] = params[2] = 1.0  # W, then b, then γ: the sums are the inputs
    running_statistics = net.running_statistics()
    assert running_statistics.tolist() == [0, 1]
    for x in ([[1.0], [2.0], [4.0], [9.0]], [[0.0], [2.0]]):
        running_statistics = net.updated_statistics(
            running_statistics, net.statistics(net.forward(params, np.array(x), TRAINING))
        )
    np.testing.assert_allclose(running_statistics, [0.46, 1.765], rtol=1e-14)
    one = net.forward(params, np.array([[5.0]]), EVALUATION, running_statistics)
    np.testing.assert_allclose(one.outputs[1], [[(5 - 0.46) / (1.765 + 1e-6) ** 0.5]], rtol=1e-14)


def test_running_statistics_of_a_training():
    """As a loop of one's own has them; and no network's are another's."""
    small = Training(
        network=Network((64, 5, 4, 10), dtype="float64", normalize="before"),
        split=Split(200),
        iterations=6,
        trials=(Trial(hyperparameters={"lr": 0.1}), Trial(hyperparameters={"lr": 0.5})),
    )
    data = load(small)
    now, after = begin(small, data), None
    running_statistics = np.array(now.running_statistics)
    for t in range(6):
        after = advance(now, data, 1)
        rows = small.rows(t, 200)[0]
        net = small.network
        for i in range(2):
            a = net.forward(now.params[i, 0], data.x[rows], TRAINING)
            seen = [
                a.outputs[k] for k in (0, 3)
            ]  # the affine layers' outputs: those that are normalized
            found = np.concatenate([v for z in seen for v in (z.mean(0), z.var(0))])
            running_statistics[i, 0] = 0.9 * running_statistics[i, 0] + 0.1 * found
        now = after
    np.testing.assert_allclose(now.running_statistics, running_statistics, rtol=1e-9, atol=1e-12)
    assert not np.allclose(now.running_statistics[0], now.running_statistics[1])


def test_evaluation_looks_at_no_other_row():
    net = Network((3, 5, 4, 2), dtype="float64", normalize="before")
    rng = np.random.default_rng(3)
    params, running_statistics, x = (
        net.init(0),
        net.running_statistics(),
        rng.standard_normal((6, 3)),
    )
    together = net.forward(params, x, EVALUATION, running_statistics).outputs[-1]
    alone = np.concatenate(
        [net.forward(params, row[None], EVALUATION, running_statistics).outputs[-1] for row in x]
    )
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-14)
    other = net.forward(params, np.concatenate([x[:1], 10 * x[1:]]), TRAINING).outputs[-1][0]
    assert np.abs(other - net.forward(params, x, TRAINING).outputs[-1][0]).max() > 0.01, (
        "in training it does"
    )


def test_scaling_the_weights_before_it_changes_nothing():
    """Why the scale of initial weights hardly matters: but for ε, W and 100·W give the same."""
    net = Network((3, 8, 2), dtype="float64", normalize="before")
    params, x = net.init(0), np.random.default_rng(4).standard_normal((50, 3))
    larger = params.copy()
    net.views(larger)[0]["W"][...] *= 100
    a, b = (net.forward(p, x, TRAINING).outputs[-1] for p in (params, larger))
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


# The graph.


@table("example", EXAMPLES)
def test_the_graph_is_the_closed_form(example):
    v = forward(example)
    d = backward(example, v)
    p = {"gamma": np.array([example.gamma]), "beta": np.array([example.beta])}
    x, dy = (np.array(values)[:, None] for values in (example.x, example.upstream))
    y, dx, dp = through(BatchNorm(1, example.eps), p, x, dy)
    size = np.abs(d["apart"]).max() or 1
    np.testing.assert_allclose(v["y"], y[:, 0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(d["x"], dx[:, 0], rtol=1e-10, atol=1e-12 * size)
    np.testing.assert_allclose(
        [d["gamma"], d["beta"]], [dp["gamma"][0], dp["beta"][0]], rtol=1e-12, atol=1e-12
    )


@table("example", EXAMPLES)
def test_the_graph_agrees_with_torch_number_by_number(example):
    torch = pytest.importorskip("torch")
    x = torch.tensor(example.x, dtype=torch.float64, requires_grad=True)
    gamma, beta = (
        torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for v in (example.gamma, example.beta)
    )
    t = {"x": x, "gamma": gamma, "beta": beta, "mean": x.mean()}
    t["apart"] = x - t["mean"]
    t["squares"] = t["apart"] ** 2
    t["variance"] = t["squares"].mean()
    t["root"] = (t["variance"] + example.eps).sqrt()
    t["scale"] = 1 / t["root"]
    t["hat"] = t["apart"] * t["scale"]
    t["stretched"] = gamma * t["hat"]
    t["y"] = t["stretched"] + beta
    for each in t.values():
        each.retain_grad()
    t["y"].backward(torch.tensor(example.upstream, dtype=torch.float64))
    v = forward(example)
    d = backward(example, v)
    assert set(d) == set(t)
    size = np.abs(d["apart"]).max() or 1
    for name, each in t.items():
        np.testing.assert_allclose(
            d[name], each.grad.numpy(), rtol=1e-10, atol=1e-11 * size, err_msg=name
        )
        if name in v:
            np.testing.assert_allclose(
                v[name], each.detach().numpy(), rtol=1e-12, atol=1e-12, err_msg=name
            )


def test_the_graph_by_hand():
    v = forward(BY_HAND)
    d = backward(BY_HAND, v)
    assert (v["mean"], v["variance"]) == (4, 9.5)
    assert v["apart"].tolist() == [-3, -2, 0, 5]
    assert d["scale"] == -3
    np.testing.assert_allclose(d["root"], 3 / 9.5)
    np.testing.assert_allclose(d["variance"], 3 / (2 * 9.5**1.5))
    expected = (
        np.array([1, 0, 0, 0]) - 0.25 - np.array([-3, -2, 0, 5]) * -3 / (4 * 9.5)
    ) / 9.5**0.5
    np.testing.assert_allclose(d["x"], expected)
    assert d["x"].sum() == pytest.approx(0, abs=1e-12)
    assert d["x"] @ v["hat"] == pytest.approx(0, abs=1e-9)


def test_one_row_has_no_spread():
    v = forward(Example((3.0,), (2.0,), 1.5, 0.25))
    d = backward(Example((3.0,), (2.0,), 1.5, 0.25), v)
    assert (v["hat"].tolist(), v["y"].tolist(), d["x"].tolist()) == ([0], [0.25], [0])


# The experiment.


def test_the_sixteen_scales():
    """Other random numbers than the reference's: large scales agree closely, the smallest ones are
    as they happen to be.
    """
    spec = BatchNormComparison(view="scales")
    assert [round(s, 3) for s in spec.varied[:4]] == [1, 0.541, 0.293, 0.158]
    assert all(training.shape == (16, 1) for training in spec.trainings)
    ends = [memo.ended(training) for training in spec.trainings]
    with_, without = (now.accuracy[-1, 0, :, 0] for now in ends)
    near = np.array([0.06 if sigma > 0.002 else 0.2 for sigma in SCALES])
    theirs = np.array([a for a, _ in SCALES.values()])
    assert (np.abs(with_ - theirs) < near).all(), with_ - theirs
    lost = [b is None for _, b in SCALES.values()]
    assert (ends[1].diverged_at[:, 0] >= 0).tolist() == lost
    assert (ends[0].diverged_at < 0).all()
    for (sigma, (_, b)), found in zip(SCALES.items(), without, strict=True):
        assert b is None or abs(found - b) < (0.1 if sigma > 0.05 else 0.02), sigma
    assert (without >= 0.9).tolist() == [False, False, True, True, *[False] * 12]
    assert 8 <= (with_ >= 0.9).sum() <= 10
    plain_better = np.nan_to_num(without) > with_
    assert np.flatnonzero(plain_better).tolist() == [2], "the exception, at .293"
    assert without[2] - with_[2] > 0.08


def test_higher_rates():
    """Where plain diverges or learns nothing, batch normalization still does; with the same start
    and rows.
    """
    spec = BatchNormComparison(
        view="rates", rates=Rates(2, 0.01, 2.0), network=Network((64, 50, 50, 50, 10))
    )
    with_, without = (memo.ended(t).accuracy[-1, 0, :, 0] for t in spec.trainings)
    assert with_[1] > 0.98
    assert not without[1] > 0.3
    assert with_[0] > without[0] > 0.5


@pytest.mark.parametrize("place", ["before", "after"])
def test_hidden_activations(place):
    net = Network((5, 30, 20, 3), Choice("relu"), dtype="float64", normalize=place)
    x = np.random.default_rng(5).standard_normal((40, 5))
    hidden = hidden_activations(net, net.init(0), x)
    order = ["pre-activations", "normalized", "activations"]
    order = order if place == "before" else [order[0], order[2], order[1]]
    assert [list(layer) for layer in hidden] == [order] * 2
    for layer, n in zip(hidden, (30, 20), strict=True):
        assert layer["pre-activations"].shape == (40, n)
        source = layer["pre-activations" if place == "before" else "activations"]
        live = source.var(0) > 1e-3
        np.testing.assert_allclose(layer["normalized"].mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(layer["normalized"].std(0)[live], 1, atol=1e-3)
        if place == "before":
            np.testing.assert_array_equal(layer["activations"], np.maximum(layer["normalized"], 0))
    plain = replace(net, normalize="", dropout=0.2)
    found = hidden_activations(plain, plain.init(0), x)
    assert [list(layer) for layer in found] == [["pre-activations", "activations"]] * 2
    assert hidden_activations(Network((5, 3)), Network((5, 3)).init(0), x) == []


def test_the_two_differ_in_the_layer_alone():
    assert BatchNormComparison(view="graph").trainings == []
    a, b = BatchNormComparison(view="scales").trainings
    assert (a.network.normalize, b.network.normalize) == ("before", "")
    assert replace(a, network=b.network) == b


@table(
    "parts",
    [
        {"place": ""},
        {"example": Example(())},
        {"example": Example((1.0, 2.0), (1.0,))},
        {"example": Example((1.0,) * 7, (1.0,) * 7)},
        {"example": Example((1e7,), (0.0,))},
        {"example": Example((1.0,), (float("nan"),))},
        {"network": Network((64, 20, 10), normalize="after")},
        {"view": "scales", "network": Network((64, *[1000] * 12, 10))},
    ],
)
def test_which_specs_are_refused(parts):
    refused("batch_norm", replace(BatchNormComparison(), **parts))


@table(
    ("text", "found"),
    [
        ("1, 2, 4, 9", (1, 2, 4, 9)),
        (" 1;2 4\n9 ", (1, 2, 4, 9)),
        ("−.5 1e3,", (-0.5, 1000)),
        ("7", (7,)),
        ("", "no numbers"),
        (", ;", "no numbers"),
        ("1, two", "'two' is not"),
        ("1, nan", "numbers must be from"),
        ("1e7", "numbers must be from"),
        ("1 2 3 4 5 6 7", "at most 6 rows are allowed"),
        ("1.2.3", "not a number"),
        ("1 inf", "numbers must be from"),
    ],
)
def test_typed_numbers(text, found):
    if isinstance(found, tuple):
        assert read_numbers(text) == found
        return
    with pytest.raises(ValueError, match=found):
        read_numbers(text)
