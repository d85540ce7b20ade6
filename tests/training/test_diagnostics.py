"""What is said of the layers of a network in training, against its own parameters and by hand."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.edge_of_stability.page import PAGE as EDGE
from optviz.nn import LOSSES, MiniBatch, Network, Penalty, one_hot
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice
from optviz.training import Split, Training, advance, begin, load
from optviz.training.diagnostics import diagnostics, lanczos, sharpness
from optviz.training.loop import select
from tests.table import table

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


# The sharpness.


def test_lanczos_finds_the_largest_eigenvalue_of_each_matrix():
    """Against LAPACK: exact after as many steps as dimensions, from below before that."""
    rng = np.random.default_rng(0)
    matrices = rng.standard_normal((3, 2, 30, 30))
    matrices = matrices + matrices.mT
    largest, start = np.linalg.eigvalsh(matrices)[..., -1], rng.standard_normal((3, 2, 30))
    early, late = (
        lanczos(lambda d: (matrices @ d[..., None])[..., 0], start, steps) for steps in (8, 30)
    )
    np.testing.assert_allclose(late, largest, rtol=1e-12)
    assert (early < largest).all()
    assert (early > 0.8 * largest).all()


TORCH = [  # torch.autograd.functional.hessian and torch.linalg.eigvalsh, torch 2.13
    ("cross_entropy", 0.0, 1.0087309883819868),
    ("cross_entropy", 0.1, 1.0391905495487055),
    ("squared_error", 0.0, 5.284086141562327),
    ("squared_error", 0.1, 5.333565529075667),
]


@table(("loss", "l2", "largest"), TORCH)
def test_the_sharpness_is_the_largest_eigenvalue_of_pytorch_s_hessian(loss, l2, largest):
    network = Network((3, 4, 2), Choice("tanh"), dtype="float64")
    x, y = np.sin(np.arange(15.0)).reshape(5, 3), one_hot(np.array([0, 1, 1, 0, 1]), 2)
    batch = MiniBatch(network, x, y, penalty=Penalty(l2), loss=LOSSES[loss])
    params = np.cos(np.arange(network.size, dtype=float))
    both = np.stack([params, np.full_like(params, np.nan)])
    found = sharpness(batch, both, 26)
    assert found[0] == pytest.approx(largest, rel=1e-5)
    assert np.isnan(found[1])


@table(("loss", "largest"), [("cross_entropy", 2.90822062), ("squared_error", 5.1155041)])
def test_the_sharpness_of_the_digits_network_is_scipy_s(loss, largest):
    """scipy.sparse.linalg.eigsh on PyTorch's products with the Hessian, 6,000 weights, double precision."""
    training = replace(EDGE.opening, loss=loss).trainings[0]
    for products, tolerance in ((training.sharpness, 5e-3), (20, 1e-4)):
        start = begin(replace(training, sharpness=products), load(training))
        found = start.diagnostics["sharpness"].item()
        assert found == pytest.approx(largest, rel=tolerance)
