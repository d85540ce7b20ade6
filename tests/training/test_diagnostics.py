"""What is said of the layers of a network in training, against its own parameters and by hand."""

import numpy as np

from optviz.nn import MiniBatch, Network, one_hot
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice
from optviz.training import Split, Training, advance, begin
from optviz.training.diagnostics import diagnostics
from optviz.training.loop import select

NET = Network((3, 5, 4, 2), Choice("relu"), Choice("xavier_normal"), "float64")


def weights(params):
    return [params[..., a : a + n] for a, n in ((0, 15), (20, 20), (44, 8))]


def test_the_last_update_is_the_rate_times_the_gradient_of_each_layer(data):
    training = Training(
        NET,
        OptimizerConfig(Choice("sgd", {"lr": 0.5})),
        split=Split(40),
        batch=8,
        iterations=10,
        seeds=(0, 1),
        eval_every=5,
    )
    start = begin(training, data)
    assert {k: v.shape for k, v in start.diagnostics.items()} == {
        "update_ratio": (1, 1, 2, 3),
        "gradient_norm": (1, 1, 2, 3),
        "saturated": (1, 1, 2, 2),
        "dead": (1, 1, 2, 2),
    }
    assert np.isnan(start.diagnostics["update_ratio"]).all()
    before = advance(start, data, 4)
    after = advance(before, data, 1)
    moved = [np.linalg.norm(w, axis=-1) for w in weights(after.params - before.params)]
    size = [np.linalg.norm(w, axis=-1) for w in weights(before.params)]
    said = after.diagnostics
    np.testing.assert_allclose(said["update_ratio"][-1], np.stack(moved, -1) / np.stack(size, -1))
    np.testing.assert_allclose(said["gradient_norm"][-1], np.stack(moved, -1) / 0.5)
    whole = advance(start, data, 5).diagnostics
    assert all(np.array_equal(whole[k], said[k], equal_nan=True) for k in said)
    assert select(after, [0]).diagnostics["dead"].shape == (2, 1, 2, 2)


def test_units_that_no_example_reaches_are_dead_and_saturated():
    x = np.random.default_rng(1).uniform(0, 1, (50, 3))
    params = NET.init(0)
    first, second = NET.views(params)[0], NET.views(params)[2]
    first["W"][...], first["b"][...] = 1.0, [-10, -10, 1, 1, 1]  # two of five never fire
    second["W"][...], second["b"][...] = 0.0, [-1, 1, 1, 1]
    batch = MiniBatch(NET, x, one_hot(np.zeros(50, int), 2, float))
    said = diagnostics(NET, params, params, batch.grad(params), NET.forward(params, x))
    np.testing.assert_allclose(said["dead"], [0.4, 0.25])
    np.testing.assert_allclose(said["saturated"], [0.4, 0.25])
    np.testing.assert_array_equal(said["update_ratio"], [0, np.nan, 0])
    assert said["gradient_norm"][0] == 0  # nothing comes back through weights of zero
