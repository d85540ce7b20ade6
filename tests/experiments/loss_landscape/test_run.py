"""The loss over a plane: directions, planes and projections by hand and by eigenvalues, losses by PyTorch, bowls in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.loss_landscape import planes, text
from optviz.experiments.loss_landscape import run as core
from optviz.experiments.loss_landscape.planes import Plane
from optviz.experiments.loss_landscape.run import LossSurface, NoSurface, Path
from optviz.experiments.loss_landscape.spec import LossLandscape
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, from_dict, to_dict, validate
from optviz.training import Data, Split, load
from tests import memo
from tests.page import refused
from tests.table import table

SGD, ADAM = (
    OptimizerConfig(Choice("sgd", {"lr": 0.5})),
    OptimizerConfig(Choice("adam", {"lr": 0.05})),
)
MOONS = LossLandscape(
    network=Network((2, 6, 2), dtype="float64"),
    dataset=Choice("moons"),
    split=Split(150),
    batch=16,
    iterations=30,
    optimizers=(SGD, ADAM),
)


def trained(loss_landscape):
    """All trainings to their end, and the data."""
    data = load(loss_landscape.trainings[0])
    return [memo.trained(training, data) for training in loss_landscape.trainings], data


def computed(loss_landscape, progresses=None, data=None):
    if progresses is None:
        progresses, data = trained(loss_landscape)
    now = core.begin(loss_landscape, core.paths_of(progresses))
    while not now.complete:
        now = core.advance(now, data)
    return now, data


def by_hand(plane, data, network, n=5, rows=100):
    """The surface of a plane of one's own, whose path is a single point."""
    axis = np.linspace(-1, 1, n)
    loss_landscape = LossLandscape(
        network, Choice("moons"), optimizers=(SGD,), resolution=n, n_samples=rows
    )
    path = Path(np.zeros(1, int), plane.origin[None], -1)
    return LossSurface.empty(loss_landscape, plane, [path], axis, axis)


def test_a_random_direction_is_as_long_as_the_weights_into_each_unit():
    net = Network((2, 3, 2), dtype="float64")
    #         W1: columns of length 5, 2, 0           b1       W2: columns √2 and 3       b2
    params = np.array([3, 0, 0, 4, 2, 0, 7, 7, 7, 1, 3, 0, 0, 1, 0, 7, 7], float)
    first, _, second = net.views(planes.filter_normalized(net, params, np.random.default_rng(1)))
    assert np.sqrt((first["W"] ** 2).sum(0)) == pytest.approx([5, 2, 0])
    assert np.sqrt((second["W"] ** 2).sum(0)) == pytest.approx([2**0.5, 3])
    assert not first["b"].any()
    assert not second["b"].any()
    assert (first["W"][:, :2] != 0).all(), "random within a unit, not the weights themselves"


def test_gamma_and_beta_of_a_normalization_do_not_move():
    net = Network((4, 3, 2), dtype="float64", normalize="before")
    _, norm, *_ = net.views(planes.filter_normalized(net, net.init(0), np.random.default_rng(1)))
    assert not norm["gamma"].any()
    assert not norm["beta"].any()


def test_a_relu_net_with_one_layer_doubled_and_the_next_halved_has_the_same_landscape():
    """It computes the same, and that is what the normalization is for (Li et al. 2018, section 4)."""
    loss_landscape = replace(MOONS, plane="random", resolution=7)
    net, data = MOONS.network, load(loss_landscape.trainings[0])
    params = net.init(3)
    for p in net.views(params):
        for value in p.values():
            value += 0.1
    doubled = params.copy()
    first, _, second = net.views(doubled)
    first["W"] *= 2
    first["b"] *= 2
    second["W"] /= 2
    points = np.stack(np.meshgrid([-1, 0, 0.7], [-0.5, 0, 1]), -1).reshape(-1, 2)
    one, other = (
        core.losses(net, planes.random_plane(net, p, 5).at(points), data, 100) for p in (params, doubled)
    )  # fmt: skip
    assert np.ptp(one) > 0.01
    assert other == pytest.approx(one, rel=1e-12)


def test_the_plane_of_the_paths_is_that_of_the_largest_eigenvalues():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((20, 7)) * [5, 1, 3, 0.2, 0.1, 0.1, 0.1] + 2
    origin = points[-1]
    plane = planes.pca_plane(origin, points)
    values, vectors = np.linalg.eigh(np.cov(points.T))
    for direction, vector in zip(plane.directions, vectors.T[::-1], strict=False):
        assert abs(direction @ vector) == pytest.approx(1)
    assert plane.shares(points) == pytest.approx(values[:-3:-1] / values.sum())
    assert plane.directions @ plane.directions.T == pytest.approx(np.eye(2), abs=1e-12)
    assert (plane.coordinates(points).mean(0) >= 0).all(), "the paths come from the positive side"


def test_a_random_walk_has_six_tenths_along_its_first_direction():
    """6/π² and a quarter of that (Antognini & Sohl-Dickstein 2018)."""
    walk = np.random.default_rng(0).standard_normal((300, 3000)).cumsum(0)
    shares = planes.pca_plane(walk[-1], walk).shares(walk)
    singular = np.linalg.svd(walk - walk.mean(0), compute_uv=False)
    assert shares == pytest.approx((singular**2 / (singular**2).sum())[:2])
    assert shares == pytest.approx(6 / np.pi**2 / np.array([1, 4]), abs=0.01)


def test_points_of_a_known_plane_are_found_on_it_and_others_off_it():
    plane = Plane(
        np.array([1.0, 2, 3]), np.array([[2.0, 0, 0], [1, 1, 0]])
    )  # oblique, as random directions are
    assert plane.at(np.array([1, -1.0])) == pytest.approx([2, 1, 3])
    assert plane.coordinates(np.array([[2.0, 1, 3], [2, 1, 9]])) == pytest.approx(
        np.array([[1, -1], [1, -1]])
    )
    assert plane.off(np.array([[2.0, 1, 3], [2, 1, 9]])) == pytest.approx([0, 6])


def test_a_straight_path_has_a_plane_too_and_a_resting_one_none():
    line = np.outer([3, 2, 1, 0], [0, 0.6, 0.8, 0, 0]) + 1.0
    plane = planes.pca_plane(line[-1], line, seed=4)
    assert plane.directions[0] == pytest.approx([0, 0.6, 0.8, 0, 0])
    assert plane.directions @ plane.directions.T == pytest.approx(np.eye(2), abs=1e-12)
    assert plane.shares(line) == pytest.approx([1, 0], abs=1e-12)
    with pytest.raises(ValueError, match="do not move"):
        planes.pca_plane(line[-1], line[-1:].repeat(3, 0))


def test_the_losses_are_pytorch_s():
    torch = pytest.importorskip("torch")
    loss_landscape = replace(MOONS, plane="random", resolution=5, margin=0.5, n_samples=100)
    now, data = computed(loss_landscape)
    x, t = torch.tensor(data.x[:100].astype(float)), torch.tensor(np.asarray(data.t[:100], int))

    def loss(params):
        w1, b1, w2, b2 = (
            torch.tensor(v) for p in MOONS.network.views(params) for v in p.values()
        )  # fmt: skip
        return torch.nn.functional.cross_entropy(torch.relu(x @ w1 + b1) @ w2 + b2, t).item()

    end = now.paths[0].params[-1]
    assert now.z[2, 2] == pytest.approx(loss(end), rel=1e-12), "the middle is the trained network"
    first, second = now.plane.directions
    assert now.z[0, 4] == pytest.approx(loss(end + 0.5 * first - 0.5 * second), rel=1e-12), (
        "rows are the second direction"
    )
    for i, path in enumerate(now.paths):
        assert now.tracks[i].true == pytest.approx([loss(p) for p in path.params], rel=1e-12)
        nearest = now.plane.at(now.tracks[i].points)
        assert now.tracks[i].below == pytest.approx([loss(p) for p in nearest], rel=1e-12)


def test_a_logistic_bowl_bends_as_its_closed_form_does():
    """Two classes, no hidden layer, rows ±2 of either class, weights 0: log(1 + e^−m) has the second derivative ¼ at m = 0.

    Along (1, −1)/√2 of the weights m = √2·x·a, which gives ½·mean x² = 2; along that of the biases ½.
    """
    net = Network((1, 2), dtype="float64")
    data = Data(
        np.array([[2.0], [-2], [2], [-2]]),
        np.array([0, 0, 1, 1]),
        np.zeros((1, 1)),
        np.zeros(1, int),
    )
    apart = np.array([1, -1]) / 2**0.5
    plane = Plane(np.zeros(4), np.array([[*apart, 0, 0], [0, 0, *apart]]))
    bend = core.curvature(by_hand(plane, data, net), data)
    assert (bend.largest, bend.smallest) == pytest.approx((2, 0.5), rel=5e-3)
    assert bend.condition == pytest.approx(4, rel=5e-3)
    turned = Plane(np.zeros(4), np.array([[3, 4], [-4, 3]]) @ plane.directions / 5)
    assert core.curvature(by_hand(turned, data, net), data) == pytest.approx(bend, rel=1e-2), (
        "however the axes lie"
    )
    oblique = Plane(np.zeros(4), np.array([[0.2, 0], [0.05, 0.1]]) @ plane.directions)
    assert core.curvature(by_hand(oblique, data, net), data) == pytest.approx((2, 0.5), rel=5e-3), (
        "per unit of length, whatever the axes are"
    )
    assert core.sharpness(by_hand(plane, data, net), data) == pytest.approx(2, rel=1e-6)


def test_the_sharpest_direction_is_the_hessian_s():
    torch = pytest.importorskip("torch")
    net = Network((2, 5, 2), Choice("tanh"), dtype="float64")
    data = load(replace(MOONS, network=net).trainings[0])
    params = net.init(1)
    x, t = torch.tensor(data.x[:100].astype(float)), torch.tensor(np.asarray(data.t[:100], int))

    def loss(p):
        w1, b1, w2, b2 = p[:10].reshape(2, 5), p[10:15], p[15:25].reshape(5, 2), p[25:]
        return torch.nn.functional.cross_entropy(torch.tanh(x @ w1 + b1) @ w2 + b2, t)

    hessian = torch.autograd.functional.hessian(loss, torch.tensor(params)).numpy()
    plane = planes.random_plane(net, params, 0)
    found = core.sharpness(by_hand(plane, data, net), data, steps=300)
    assert found == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-4)


def test_the_surface_does_not_depend_on_how_it_was_cut(monkeypatch):
    loss_landscape = replace(MOONS, resolution=9)
    progresses, data = trained(loss_landscape)
    whole, _ = computed(loss_landscape, progresses, data)
    monkeypatch.setattr(core, "MAX_NUMBERS", 20_000)
    first = core.advance(core.begin(loss_landscape, core.paths_of(progresses)), data)
    assert 0 < first.done < 81, "several slices within the grid alone"
    pieces, _ = computed(loss_landscape, progresses, data)
    assert pieces.loss == pytest.approx(whole.loss, rel=1e-12)
    assert np.isfinite(whole.loss).all()
    assert [len(track.true) for track in whole.tracks] == [7, 7]
    assert whole.tracks[0].true[-1] == pytest.approx(whole.tracks[0].below[-1]), (
        "the middle lies on the plane"
    )


def test_the_frame_holds_all_paths_and_the_margin_widens_it():
    progresses, _ = trained(MOONS)
    for margin in (0.1, 1.0):
        now = core.begin(replace(MOONS, margin=margin), core.paths_of(progresses))
        points = np.concatenate([track.points for track in now.tracks])
        for axis, c in zip((now.x, now.y), points.T, strict=True):
            assert axis[-1] - axis[0] >= (1 + margin) * np.ptp(c) - 1e-12
            assert axis[0] < c.min()
            assert c.max() < axis[-1]
        assert np.ptp(now.x) == pytest.approx((1 + margin) * np.ptp(points[:, 0]))
        assert now.tracks[0].off[-1] == pytest.approx(0, abs=1e-9), "the middle is on the plane"


def test_snapshots_begin_at_the_start_and_end_at_the_end():
    loss_landscape = replace(MOONS, iterations=33)
    progresses, _ = trained(loss_landscape)
    path = Path.from_progress(progresses[0])
    assert path.iterations.tolist() == [0, 5, 10, 15, 20, 25, 30, 33]
    assert np.array_equal(path.params[0], MOONS.network.init(0))
    assert np.array_equal(path.params[-1], progresses[0].params[0, 0])
    assert replace(MOONS, iterations=5000).snapshot_every == 160, "never more than so many"


def test_who_diverged_is_not_what_the_plane_is_laid_through():
    wild = OptimizerConfig(Choice("sgd", {"lr": 10.0}))
    race = LossLandscape(
        Network((64, 50, 50, 50, 50, 10)), optimizers=(wild, ADAM), iterations=30, batch=32
    )
    progresses, data = trained(race)
    assert progresses[0].diverged_at[0, 0] >= 0
    why = core.begin(race, core.paths_of(progresses))
    assert why == NoSurface(progresses[0].diverged_at[0, 0])
    assert f"SGD diverged at iteration {why.diverged_at}: there are no" in text.no_surface(
        race, why
    )
    now, _ = computed(replace(race, middle=1, resolution=5), progresses, data)
    assert np.isfinite(now.paths[0].params).all()
    assert now.shares.sum() > 0.5
    assert np.isfinite(now.tracks[1].true).all()


def test_batch_normalization_is_that_of_the_rows_and_dropout_drops_nothing():
    net = Network((64, 20, 10), normalize="before", dropout=0.3)
    race = LossLandscape(net, optimizers=(ADAM,), iterations=10, batch=32)
    now, data = computed(replace(race, resolution=5, plane="random"))
    again, _ = computed(replace(race, resolution=5, plane="random"))
    assert np.array_equal(now.loss, again.loss)
    plain_loss = core.losses(net, now.paths[0].params[-1:], data, 500)
    assert now.z[2, 2] == pytest.approx(plain_loss[0], rel=1e-5)


@table(
    ("wrong", "says"),
    [
        ({"middle": 3}, "middle"),
        ({"seeds": (0, 1)}, "one seed"),
        ({"optimizers": (), "middle": 1}, "middle"),
    ],
)
def test_what_cannot_be_set_is_refused(wrong, says):
    refused("loss_landscape", replace(LossLandscape(), **wrong), says)


def test_a_landscape_as_json_and_back():
    for loss_landscape in (
        LossLandscape(),
        replace(MOONS, middle=1, plane="random", seed=7, margin=1.5, resolution=31, n_samples=100),
    ):
        validate(loss_landscape)
        assert from_dict(LossLandscape, to_dict(loss_landscape)) == loss_landscape
    assert to_dict(LossLandscape()) == {}
