"""Activations and gradients in a deep stack, against the reference table and laws of probability."""

import numpy as np
import pytest

from optviz.experiments.activations.run import Layer, Spread, hidden_layers, propagate
from optviz.experiments.activations.spec import Activations, DeepStack
from optviz.nn import (
    ACTIVATIONS,
    GRADIENTS,
    INITIALIZERS,
    WEIGHTS,
    MiniBatch,
    Network,
    one_hot,
    stream,
)
from optviz.spec import Choice, SpecError, validate
from tests.table import table

RULES = {
    "std 1": Choice("normal", {"sigma": 1.0}),
    ".01": Choice("normal"),
    "Xavier": Choice("book"),
    "He": Choice("he_normal"),
}

# activation, initial weights: mean, standard deviation and saturated share of the first and the last of five layers,
# and how far each is allowed to be away: about three standard deviations over seeds
TABLE = [
    ("sigmoid", "std 1", (0.500, 0.501), (0.459, 0.440), (0.645, 0.506)),
    ("sigmoid", ".01", (0.500, 0.500), (0.0249, 0.0126), (0, 0)),
    ("sigmoid", "Xavier", (0.500, 0.501), (0.208, 0.123), (0, 0)),
    ("tanh", "std 1", (0, 0), (0.960, 0.958), (0.791, 0.784)),
    ("tanh", ".01", (0, 0), (0.0990, 9.9e-6), (0, 0)),
    ("tanh", "Xavier", (0, 0), (0.627, 0.321), (0.0087, 0)),
    ("relu", ".01", (0.0399, 9.8e-7), (0.0585, 1.5e-6), (0.5, 0.5)),
    ("relu", "Xavier", (0.399, 0.098), (0.585, 0.149), (0.5, 0.5)),
    ("relu", "He", (0.564, 0.556), (0.827, 0.842), (0.5, 0.5)),
]


def stack(activation, rule="Xavier", **more):
    return DeepStack(activation=Choice(activation), initializer=RULES[rule], **more)


@table(("activation", "rule", "means", "stds", "saturated"), TABLE)
def test_reference_table(activation, rule, means, stds, saturated):
    """The mean of eight seeds; single layers of ReLU scatter by 16% from the fifth on."""
    runs = [propagate(stack(activation, rule, seed=seed)) for seed in range(8)]
    for end, at in ((0, 0), (-1, 1)):
        layers = [run[end] for run in runs]
        mean, std = (
            np.mean([getattr(layer.forward, k) for layer in layers]) for k in ("mean", "std")
        )
        wide = 0.2 if activation == "relu" and at else 0.03
        assert std == pytest.approx(stds[at], rel=wide)
        assert mean == pytest.approx(
            means[at], rel=wide, abs=0.02 * std if activation != "sigmoid" else 0.02
        )
        assert np.mean([layer.saturated for layer in layers]) == pytest.approx(
            saturated[at], abs=0.06 if at else 0.01
        )


def test_relu_with_small_weights_over_seeds():
    """Mean ± standard deviation over 1000 seeds, as measured elsewhere; here over 40."""
    means = np.array(
        [
            [layer.forward.mean for layer in propagate(stack("relu", ".01", seed=s))]
            for s in range(40)
        ]
    )
    expected = np.array([0.03980, 0.002797, 0.0001965, 1.386e-5, 9.75e-7])
    scatter = np.array([0.00035, 0.00022, 2.1e-5, 1.9e-6, 1.6e-7])
    assert (np.abs(means.mean(0) - expected) < 3.5 * scatter / 40**0.5).all()
    assert (np.abs(means - expected) < 4.5 * scatter).all()
    np.testing.assert_allclose(means.std(0), scatter, rtol=0.4)


def test_what_the_pooled_histogram_hides():
    layers = propagate(stack("sigmoid"))
    np.testing.assert_allclose(
        [layer.forward.within for layer in layers],
        [0.207, 0.048, 0.011, 0.0027, 0.00063],
        rtol=0.12,
    )
    for layer in layers:
        s = layer.forward
        assert s.std**2 == pytest.approx(s.within**2 + s.between**2, rel=1e-12)
    assert layers[-1].forward.between > 0.99 * layers[-1].forward.std


def test_the_gradients_are_those_of_central_differences():
    """Of Σ G·a₃ with respect to the activations before, by central differences through the layers."""
    small = DeepStack(3, 4, Choice("tanh"), RULES["std 1"], 3, 5, 7)
    h = ACTIVATIONS["tanh"]()
    layers = propagate(small)
    g = stream(7, GRADIENTS).standard_normal((3, 4))
    np.testing.assert_array_equal(layers[-1].gradients, g)
    weights = [stream(7, WEIGHTS, i).standard_normal((4, 4)) for i in (1, 2)]

    def end(a, after):
        for w in weights[after:]:
            a = h.value(a @ w)
        return (g * a).sum()

    for i in (0, 1):
        for at in np.ndindex(3, 4):
            up, down = layers[i].activations.copy(), layers[i].activations.copy()
            up[at] += 1e-6
            down[at] -= 1e-6
            assert layers[i].gradients[at] == pytest.approx(
                (end(up, i) - end(down, i)) / 2e-6, abs=1e-8
            )


def test_gradients_under_the_rules():
    """He's rule keeps the gradient's size through ReLU, 1/√n halves its square; with N(0, .01²) it is gone."""
    size = {rule: np.mean([[layer.backward.std for layer in propagate(stack("relu", rule, seed=s))] for s in range(6)], 0)
            for rule in ("He", "Xavier", ".01")}  # fmt: skip
    np.testing.assert_allclose(size["He"], 1, rtol=0.15)
    np.testing.assert_allclose(size["Xavier"], 0.5 ** np.array([2, 1.5, 1, 0.5, 0]), rtol=0.15)
    np.testing.assert_allclose(size[".01"], (0.1 * 0.5**0.5) ** np.arange(4, -1, -1.0), rtol=0.15)


def test_a_dragged_hyperparameter_moves_the_same_numbers():
    a, b = (
        propagate(
            DeepStack(initializer=Choice("normal", {"sigma": s}), activation=Choice("identity"))
        )
        for s in (0.5, 1.0)
    )
    np.testing.assert_allclose(a[2].activations, b[2].activations / 8, rtol=1e-9, atol=1e-9)
    deeper = propagate(stack("tanh", layers=7))
    for layer, same in zip(propagate(stack("tanh")), deeper[:5], strict=True):
        np.testing.assert_array_equal(layer.activations, same.activations)
    assert not (propagate(stack("tanh", seed=1))[0].activations == deeper[0].activations).any()


def test_own_rows():
    x = np.random.default_rng(0).random((20, 64))
    layers = propagate(stack("tanh", layers=2, units=30), x)
    assert [layer.activations.shape for layer in layers] == [(20, 30)] * 2
    for bad in (x[0], x[:1], x * np.nan, np.empty((3, 0))):
        with pytest.raises(ValueError, match="rows of finite numbers"):
            propagate(stack("tanh"), bad)


@table("sigma", [0.0, 100.0])
@table("layers", [1, 12])
@table("activation", ACTIVATIONS)
def test_extreme_stacks_are_finite(activation, layers, sigma):
    extreme = DeepStack(layers, 100, Choice(activation), Choice("normal", {"sigma": sigma}))
    validate(extreme)
    result = propagate(extreme)
    assert len(result) == layers
    for layer in result:
        assert 0 <= layer.dead <= layer.saturated <= 1
        assert np.isfinite(layer.activations).all()
        assert np.isfinite(layer.gradients).all()


def test_dead_units():
    zeros = propagate(stack("relu", layers=3, units=10, inputs=4))[0]
    assert zeros.dead == 0
    dead = propagate(DeepStack(2, 10, Choice("relu"), Choice("zeros")))
    assert [layer.dead for layer in dead] == [1, 1]
    off = np.array([[True, False, True, False], [True, True, False, False]])
    layer = Layer(np.zeros((2, 4)), np.zeros((2, 4)), off, (0, None))
    assert (layer.saturated, layer.dead) == (0.5, 0.25)


def test_inside_a_network():
    """The first layer by hand, the gradients by the mini-batch's, which is checked against PyTorch."""
    net = Network((4, 6, 5, 3), Choice("relu"), dtype="float64")
    rng, params = np.random.default_rng(0), net.init(1)
    x, t = rng.standard_normal((9, 4)), rng.integers(0, 3, 9)
    layers, lengths = hidden_layers(net, params, x, t)
    views, gradients = net.views(params), net.views(MiniBatch(net, x, one_hot(t, 3)).grad(params))
    first = np.maximum(x @ views[0]["W"], 0)
    np.testing.assert_allclose(layers[0].activations, first)
    assert (
        [layer.activations.shape for layer in layers]
        == [layer.gradients.shape for layer in layers]
        == [(9, 6), (9, 5)]
    )
    assert layers[0].saturated == (first == 0).mean()
    through_relu = layers[0].gradients * (first > 0)
    np.testing.assert_allclose(x.T @ through_relu, gradients[0]["W"])
    np.testing.assert_allclose(
        lengths, [np.sqrt((gradients[i]["W"] ** 2).sum()) for i in net.affine]
    )
    lost, nothing = hidden_layers(net, params * np.nan, x, t)
    assert np.isnan(nothing).all()
    assert np.isnan(lost[0].forward.mean)


@table("activation", ["tanh", "relu"])
def test_gradients_of_sums_and_weights_against_differences(activation):
    """Of Σ g·a of the last layer, with one weight of the first moved, and one sum of it."""
    stack = DeepStack(2, 4, Choice(activation), Choice("book"), samples=3, inputs=5)
    first, last = propagate(stack)
    h, rule = stack.activation.build(ACTIVATIONS), stack.initializer.build(INITIALIZERS)
    w = [rule.draw(stream(stack.seed, WEIGHTS, i), n, 4) for i, n in enumerate((5, 4))]

    def loss(moved, by):
        z = first.inputs @ w[0]
        moved(z, by)
        return (last.gradients * h.value(h.value(z) @ w[1])).sum()

    def sums(z, by):
        z[1, 2] += by

    def weights(z, by):
        z[:, 2] += by * first.inputs[:, 3]

    for moved, found in ((sums, first.upstream("z")[1, 2]), (weights, first.upstream("W")[3, 2])):
        slope = (loss(moved, 1e-6) - loss(moved, -1e-6)) / 2e-6
        assert found == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_spread_by_hand():
    s = Spread.from_values(np.array([[0.0, 10.0], [2.0, 14.0]]))
    assert (s.mean, s.within, s.between) == (6.5, 2.5**0.5, 5.5)


@table(
    ("bad", "why"),
    [
        (Activations(()), "1 to 3 settings"),
        (Activations((DeepStack(),) * 4), "1 to 3 settings"),
        (Activations(backward="b"), "backward"),
        (Activations((DeepStack(layers=13),)), "layers is from 1 to 12"),
        (Activations((DeepStack(units=0),)), "units must be at least 1"),
        (Activations((DeepStack(samples=1),)), "samples must be at least 2"),
        (Activations((DeepStack(12, 500, samples=5000),)), "more than 10,000,000 activations"),
        (Activations((DeepStack(12, 500, samples=600),) * 3), "more than 10,000,000 activations"),
        (Activations((DeepStack(seed=-1),)), "seed must be at least 0"),
        (Activations((DeepStack(activation=Choice("step")),)), "no activation 'step'"),
        (Activations((DeepStack(initializer=Choice("normal", {"sigma": 101.0})),)), "sigma"),
    ],
)
def test_what_no_control_can_set_is_refused(bad, why):
    with pytest.raises(SpecError, match=why):
        validate(bad)
