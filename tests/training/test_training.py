"""Training: the same numbers however it is watched, and the reference values on the digits."""

import copy
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from optviz.nn import MiniBatch, Network, one_hot
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.schedules import SCHEDULES
from optviz.spec import Choice, SpecError, from_dict, to_dict
from optviz.training import (
    Penalty,
    Split,
    Training,
    Trial,
    advance,
    begin,
    check,
    confusion,
    load,
    rank,
    smoothed,
    train,
    why_unsuited,
)
from tests.same import same
from tests.table import table

SMALL = Network((3, 5, 4, 2), Choice("tanh"), Choice("xavier_normal"), "float64")
LEAN = [key for key, cls in OPTIMIZERS.items() if not cls.dense]


def config(key, lr=None, **more):
    return OptimizerConfig(Choice(key, {"lr": lr} if lr else {}), **more)


def small(r=None, **more):
    usual = {"network": SMALL, "batch": 8, "iterations": 12, "eval_every": 5}
    return Training(**usual | {"optimizer": r or config("sgd", 0.5)} | more)


@pytest.fixture(scope="module")
def digits():
    return load(Training())


def end(training, data=None, **more):
    *_, last = train(training, data, **more)
    return last


# What a training is.


def test_as_json_and_back():
    for training in (
        Training(),
        small(
            seeds=(1, 5),
            initializers=(Choice("zeros"), Choice("normal", {"sigma": 2.0})),
            split=Split(300, True),
        ),
        small(
            OptimizerConfig(Choice("adam"), (Choice("averaged"),), {"lr": Choice("cosine")}),
            dataset=Choice("moons", {"noise": 0.2}),
        ),
        small(
            trials=(Trial({"lr": 0.3}), Trial(l2=0.01, initializer=Choice("book"))),
            network=replace(SMALL, normalize="before", dropout=0.2),
            penalty=Penalty(0.1, 0.2),
            inputs="standardized",
            split=Split(200, True, 3, 0.2),
        ),
    ):
        assert from_dict(Training, json.loads(json.dumps(to_dict(training)))) == training
    assert to_dict(Training()) == {}


def test_a_training_is_an_update_after_the_other(data):
    """Against plain gradient descent written here."""
    training = small(seeds=(3,))
    params = SMALL.init(3)
    for t in range(12):
        [rows] = training.rows(t, 40)
        f = MiniBatch(SMALL, data.x[rows], one_hot(data.t[rows], 2))
        assert end(training, data).loss[t, 0, 0] == f.value(params)
        params = params - 0.5 * f.grad(params)
    np.testing.assert_array_equal(end(training, data).params[0, 0], params)


def test_mini_batches_are_a_function_of_seed_and_iteration():
    a, b = small(seeds=(0, 7)), small(config("adam"), seeds=(7,), iterations=99)
    assert a.rows(4, 40).shape == (2, 8)
    np.testing.assert_array_equal(a.rows(4, 40)[1], b.rows(4, 40)[0])
    assert (a.rows(4, 40)[0] != a.rows(4, 40)[1]).any()
    assert (a.rows(4, 40) != a.rows(5, 40)).any()
    drawn = np.concatenate([a.rows(t, 40).ravel() for t in range(300)])
    assert set(drawn) == set(range(40))
    assert np.bincount(drawn).std() < 2 * np.bincount(drawn).mean() ** 0.5


@table("key", [k for k in LEAN if k not in ("lbfgs", "cg")])
def test_every_optimizer_learns(key, data):
    rate = {"sgd": 0.5, "adadelta": 10.0, "lion": 0.02}.get(key, 0.1)
    progress = end(small(config(key, rate), iterations=60), data)
    assert progress.loss[-10:].mean() < 0.8 * progress.loss[:5].mean()
    assert progress.accuracy[-1].min() > 0.7


@table("dtype", ["float32", "float64"])
@pytest.mark.parametrize("key", LEAN)
def test_a_batch_is_each_network_alone(key, data, dtype):
    """Seeds and initializers side by side give the numbers that they give alone, in the precision of the network."""
    rules = (Choice("xavier_normal"), Choice("he_uniform"))
    network = replace(SMALL, dtype=dtype)
    training = small(config(key), network=network, seeds=(2, 9), initializers=rules)
    together = end(training, data)
    assert together.params.dtype == dtype
    held = [a for v in together.state.values() for a in (v if isinstance(v, list) else [v])]
    assert all(v.dtype == dtype for v in held if np.ndim(v))
    double, single = {"rtol": 1e-12, "atol": 1e-14}, {"rtol": 1e-4, "atol": 1e-5}
    tight = double if dtype == "float64" else single
    for i, s in np.ndindex(2, 2):
        one = replace(training, seeds=(training.seeds[s],), initializers=(rules[i],))
        alone = end(one, data)
        np.testing.assert_allclose(together.params[i, s], alone.params[0, 0], **tight)
        np.testing.assert_allclose(together.loss[:, i, s], alone.loss[:, 0, 0], **tight)


@pytest.mark.parametrize("key", WRAPPERS)
def test_wrappers_train_networks(key, data):
    wrapped = config("momentum", 0.1, wrappers=(Choice(key),))
    progress = end(small(wrapped, network=replace(SMALL, dtype="float32")), data)
    assert progress.params.dtype == np.float32
    assert np.isfinite(progress.loss).all()
    assert progress.loss[-1] != progress.loss[0]


@table("key", SCHEDULES)
def test_schedules_train_networks(key, data):
    """One update with the rate that the schedule says is one update with that rate."""
    scheduled = config("sgd", 0.5, schedules={"lr": Choice(key)})
    plain = config("sgd", 0.5 * float(SCHEDULES[key]()(0)))
    network = replace(SMALL, dtype="float32")
    once, plainly = (end(small(r, network=network, iterations=1), data) for r in (scheduled, plain))
    np.testing.assert_array_equal(once.params, plainly.params)
    assert end(small(scheduled, network=network), data).params.dtype == np.float32


TORCH = {
    "sgd": ("SGD", {"lr": 0.5}), "momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "adagrad": ("Adagrad", {"lr": 0.1, "eps": 1e-7}), "adam": ("Adam", {"lr": 0.05}),
    "rmsprop": ("RMSprop", {"lr": 0.01}),
}  # fmt: skip


@pytest.mark.parametrize("key", TORCH)
def test_a_training_agrees_with_torch(key, data):
    """Two networks side by side against torch.nn and torch.optim on the same mini-batches, in double precision."""
    torch = pytest.importorskip("torch")
    name, hyperparameters = TORCH[key]
    training = small(OptimizerConfig(Choice(key, hyperparameters)), seeds=(3, 8), iterations=25)
    ours = end(training, data)
    for s in range(2):
        model = torch.nn.Sequential(
            *[
                layer
                for n_in, n_out in pairwise(SMALL.sizes)
                for layer in (torch.nn.Linear(n_in, n_out).double(), torch.nn.Tanh())
            ][:-1]
        )
        with torch.no_grad():
            for layer, p in zip(model, SMALL.views(SMALL.init(training.seeds[s])), strict=True):
                if p:
                    layer.weight.copy_(torch.tensor(p["W"].T.copy()))
                    layer.bias.copy_(torch.tensor(p["b"]))
        opt = getattr(torch.optim, name)(model.parameters(), **hyperparameters)
        for t in range(25):
            rows = training.rows(t, 40)[s]
            opt.zero_grad()
            loss = torch.nn.functional.cross_entropy(
                model(torch.tensor(data.x[rows])), torch.tensor(data.t[rows])
            )
            loss.backward()
            opt.step()
            assert ours.loss[t, 0, s] == pytest.approx(loss.item(), rel=1e-9)
        theirs = np.concatenate([p.detach().numpy().T.ravel() for p in model.parameters()])
        np.testing.assert_allclose(ours.params[0, s], theirs, rtol=1e-8, atol=1e-10)


# Watching, stopping, going on.


def test_stopped_and_continued_is_the_same(data):
    training = small(config("adam"), seeds=(0, 1), snapshot_every=4, eval_every=5)
    whole = end(training, data)
    stopped = next(p for p in train(training, data) if p.iteration == 5)
    before = copy.deepcopy(stopped)
    same(end(training, data, since=stopped), whole)
    same(stopped, before)  # what one has is not changed by going on
    steps = begin(training, data)
    while not steps.done:
        steps = advance(steps, data, 1)
    same(steps, whole)
    same(end(training, data), whole)
    assert advance(whole, data, 5) is whole


def test_more_iterations_later(data):
    short = end(small(iterations=10), data)
    longer = small(iterations=20)
    same(end(longer, data, since=replace(short, training=longer)), end(longer, data))


def test_what_is_recorded(data):
    training = small(
        seeds=(4, 5, 6), initializers=(Choice("book"), Choice("zeros")), snapshot_every=5
    )
    seen = list(train(training, data))
    assert [p.iteration for p in seen] == [0, 5, 10, 12]
    last = seen[-1]
    assert last.loss.shape == (12, 2, 3)
    assert last.seconds.shape == (12,)
    assert (np.diff(last.seconds) > 0).all()
    assert last.evaluated.tolist() == [0, 5, 10, 12]
    assert last.accuracy.shape == (4, 2, 2, 3)
    assert list(last.snapshots) == [0, 5, 10]
    np.testing.assert_array_equal(last.snapshots[10], seen[2].params[:, 0])
    np.testing.assert_array_equal(last.snapshots[0], training.start()[:, 0])
    np.testing.assert_array_equal(
        last.accuracy[-1, 1, 0, 0], SMALL.accuracy(last.params[0, 0], data.x_test, data.t_test)
    )


# What goes wrong.


@table("dtype", ["float32", "float64"])
@table("activation", ["identity", "relu"])
def test_divergence_ends_the_curve(activation, dtype, data):
    """Where it ends nothing is said any more; its neighbor goes on as if alone."""
    network = replace(SMALL, activation=Choice(activation), dtype=dtype)
    rules = (Choice("normal", {"sigma": 100.0}), Choice("normal", {"sigma": 0.0}))
    wild = small(config("sgd", 10.0), network=network, initializers=rules, iterations=150)
    progress = end(wild, data)
    assert progress.diverged_at[1] == -1
    for i in range(2):
        at, loss = int(progress.diverged_at[i, 0]), progress.loss[:, i, 0]
        lost = at >= 0
        assert np.isfinite(loss[:at] if lost else loss).all()
        assert np.isnan(loss[at:]).all() or not lost
        assert np.isnan(progress.params[i]).all() == lost
        assert np.isnan(progress.accuracy[-1, :, i]).all() == lost
    tame = end(replace(wild, initializers=rules[1:]), data)
    np.testing.assert_array_equal(progress.loss[:, 1], tame.loss[:, 0])
    again = begin(wild, data)
    while not again.done:
        again = advance(again, data, 1)
    np.testing.assert_array_equal(again.diverged_at, progress.diverged_at)


@table("key", LEAN)
def test_a_huge_rate_is_a_picture_too(key, data):
    network = replace(SMALL, activation=Choice("identity"), dtype="float32")
    progress = end(small(config(key, 1e6), network=network, iterations=40), data)
    assert progress.iteration == 40
    lost = np.isnan(progress.loss[:, 0, 0])
    assert (np.diff(lost.astype(int)) >= 0).all()
    assert lost.any() == (progress.diverged_at >= 0).all()


@table("lr", [0.0, 1e6])
@table("sigma", [0.0, 100.0])
@table("layers", [0, 1, 12])
def test_extremes_end_or_go_on(layers, sigma, lr, data):
    network = Network((3, *[30] * layers, 2), Choice("relu"), Choice("normal", {"sigma": sigma}))
    rate = OptimizerConfig(Choice("sgd", {"lr": lr}))
    progress = end(small(rate, network=network, iterations=15), data)
    at, loss = int(progress.diverged_at[0, 0]), progress.loss[:, 0, 0]
    assert np.isfinite(loss[: at if at >= 0 else None]).all()
    assert at < 0 or np.isnan(loss[at:]).all()


def test_all_lost_is_done_at_once(data):
    wild, sizes = Choice("normal", {"sigma": 100.0}), (3, 50, 50, 50, 50, 2)
    network, n = Network(sizes, Choice("identity"), wild), 20_000
    progress = end(small(config("sgd", 10.0), network=network, iterations=n, eval_every=n), data)
    assert progress.iteration == 20_000
    assert 0 <= progress.diverged_at[0, 0] < 20
    assert progress.seconds[-1] < 1


def test_a_rate_of_nothing_changes_nothing(data):
    progress = end(small(OptimizerConfig(Choice("sgd", {"lr": 0.0}))), data)
    np.testing.assert_array_equal(progress.params, progress.training.start())


def test_data_that_do_not_fit(data):
    with pytest.raises(ValueError, match="3 inputs, but the network has 64"):
        begin(Training(), data)
    with pytest.raises(ValueError, match="more classes than the network's 2"):
        begin(small(), data._replace(t=data.t + 1))
    with pytest.raises(ValueError, match="of 40 rows 1 to 39 can be for training, not 40"):
        Split(40).partition(data.x, data.t)


def test_which_trainings_are_refused():
    good = Training()
    check(good)
    deep = replace(good.network, sizes=(64, *[9] * 13, 10))
    for bad, why in (
        (replace(good, optimizer=config("newton")), "Newton works with the Hessian, about P × P numbers: with the 37,810 parameters .* 5.7 GB"),
        (replace(good, optimizer=config("bfgs")), "BFGS works with the inverse Hessian"),
        (replace(good, trials=(Trial(),), optimizer=config("sgd", fork=Fork(config("sgd"), 3))), "cannot have forks"),
        (replace(good, optimizer=config("sgd", fork=Fork(config("newton"), 3))), "Newton works with"),
        (replace(good, optimizer=config("sgd", initial_points=Choice("ring"))), "more than one start"),
        (replace(good, optimizer=config("sgd", schedules={"mu": Choice("cosine")})), "no numeric hyperparameter 'mu'"),
        (replace(good, network=deep), "hidden is from 0 to 12, not 13"),
        (replace(good, network=replace(good.network, sizes=(64, 0, 10))), "units must be at least 1, not 0"),
        (replace(good, network=replace(good.network, dtype="float16")), "dtype is one of float32, float64"),
        (replace(good, network=replace(good.network, activation=Choice("step"))), "no activation 'step'"),
        (replace(good, initializers=(Choice("ones"),)), "no initializer 'ones'"),
        (replace(good, network=SMALL), "the data have 64 inputs and 10 classes, but the network has 3 and 2"),
        (replace(good, dataset=Choice("letters")), "no dataset 'letters'"),
        (replace(good, dataset=Choice("moons", {"noise": 7.0})), "noise of moons"),
        (replace(good, batch=-1), "batch"), (replace(good, iterations=10**6), "iterations"), (replace(good, seeds=()), "seeds"),
        (replace(good, seeds=(-1,)), "seed is from"), (replace(good, dataset=Choice("digits", {"noise": 0.1})), "digits has no hyperparameters"),
        (replace(good, split=Split(1797)), "fewer than the 1797"),
        (replace(good, snapshot_every=1, iterations=20_000), "756,.* numbers at a time"),
    ):  # fmt: skip
        with pytest.raises(SpecError, match=why):
            check(bad)
    dense = [key for key in OPTIMIZERS if why_unsuited(key, good.network)]
    assert dense == [*("newton", "bfgs", "nelder_mead", "trust_region")]


# Smoothing and counting.


def test_smoothed_as_in_the_book():
    """Against the book's own lines (common/util.py)."""
    x = np.random.default_rng(0).random(60).cumsum()
    s = np.r_[x[10:0:-1], x, x[-1:-11:-1]]
    w = np.kaiser(11, 2)
    book = np.convolve(w / w.sum(), s, mode="valid")[5:-5]
    np.testing.assert_allclose(smoothed(x), book, rtol=1e-13)
    curves = np.stack([x, 2 * x], -1)
    curves[30:, 1] = np.nan
    smooth = smoothed(curves)
    np.testing.assert_array_equal(smooth[:, 0], smoothed(x))
    np.testing.assert_array_equal(smooth[:30, 1], smoothed(2 * x[:30]))
    assert np.isnan(smooth[30:, 1]).all()


@table("n", [0, 1, 2, 5, 11])
def test_short_curves_are_smoothed_too(n):
    np.testing.assert_allclose(smoothed(np.full((n, 2), 3.0)), np.full((n, 2), 3.0), rtol=1e-12)


def test_confusion_by_hand():
    assert confusion([0, 0, 1, 2], [0, 2, 1, 1], 3).tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]


def test_rank_by_hand():
    assert rank(np.zeros((3, 2))) == rank(np.full((2, 2), np.nan)) == 0
    assert rank(np.outer([1.0, 2, 3], [4.0, 5])) == 1
    assert rank(np.array([[1.0, 2], [2, 4 + 1e-9]])) == 1
    assert rank(np.eye(3)[:, :2]) == 2


# Reference numbers, ../shared/spec.md section 3.

FIGURE_6_9 = {  # mean, least and most of 20 seeds
    "sgd": (0.444, 0.344, 0.579), "momentum": (0.038, 0.027, 0.051), "adagrad": (0.0072, 0.0050, 0.0103),
    "adam": (0.0076, 0.0052, 0.0107),
}  # fmt: skip


@pytest.mark.parametrize("key", FIGURE_6_9)
def test_optimizers_on_digits(key, digits):
    """Figure 6.9: mean loss of the last ten of 300 iterations; here of three seeds and other rows."""
    rate = 0.001 if key == "adam" else 0.01
    training = Training(optimizer=config(key, rate), seeds=(0, 1, 2), eval_every=300)
    found = end(training, digits).loss[-10:].mean((0, 1))
    mean, low, high = FIGURE_6_9[key]
    assert low < np.median(found) < high
    assert found.mean() == pytest.approx(mean, rel=0.35)
    assert 0.75 * low < found.min()
    assert found.max() < 1.35 * high


RULES = (Choice("normal"), Choice("book"), Choice("he_normal"))


def test_initial_weights_on_digits(digits):
    """Figure 6.15, the quick variant: with N(0, .01²) nothing is learnt, with the others almost everything."""
    rate = config("sgd", 0.05)
    training = Training(optimizer=rate, seeds=(0, 1), eval_every=300, initializers=RULES)
    small, xavier, he = end(training, digits).accuracy[-1, 0]
    assert small.max() <= 0.13
    assert xavier.min() >= 0.92
    assert he.min() >= 0.97


def test_loss_after_the_slow_variant(digits):
    training = Training(optimizer=config("sgd", 0.01), eval_every=300, initializers=RULES)
    losses = end(training, digits).loss[-10:].mean((0, 2))
    np.testing.assert_allclose(losses, [2.302, 1.972, 0.442], rtol=0.2)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_zeros_stay_zeros(activation, digits):
    network = Network((64, 20, 20, 10), Choice(activation), Choice("zeros"))
    progress = end(Training(network, config("sgd", 0.5), iterations=40), digits)
    views = network.views(progress.params[0, 0])
    assert not any(views[i]["W"].any() for i in network.affine)
    assert not any(views[i]["b"].any() for i in network.affine[:-1])
    last = views[-1]["b"]
    assert last.any(), "the last biases learn how frequent the classes are, and that is all"


@table(
    ("activation", "rule"),
    [("sigmoid", "zeros"), ("sigmoid", "constant"), ("tanh", "constant"), ("relu", "constant")],
)
def test_equal_units_stay_equal(activation, rule, digits):
    """However long it trains: the weights between hidden layers have rank 1, and all units are one."""
    network = Network((64, 20, 20, 10), Choice(activation), Choice(rule), "float64")
    progress = end(Training(network, config("sgd", 0.5), iterations=100), digits)
    first, second, last = (network.views(progress.params[0, 0])[i]["W"] for i in network.affine)
    assert np.ptp(first, 1).max() <= 2.5e-12
    assert np.ptp(second) <= 2.5e-12
    assert np.ptp(last, 0).max() <= 2.5e-12
    assert [rank(w) for w in (first, second, last)] == [1, 1, 1]
    assert np.abs(last).max() > 1e-3  # it did learn something
    unequal = replace(network, initializer=Choice("he_normal"))
    random = end(Training(unequal, config("sgd", 0.5), iterations=5), digits)
    assert rank(network.views(random.params[0, 0])[network.affine[1]]["W"]) == 20


AVERAGES = [
    (OptimizerConfig(Choice("sgd", {"lr": 0.1}), (Choice("averaged", {"decay": 0.995}),)), 0.939),
    (OptimizerConfig(Choice("schedule_free_sgd", {"lr": 3.0, "beta": 0.0})), None),
    (OptimizerConfig(Choice("schedule_free_adamw", {"lr": 0.01}), (Choice("clipped"),)), None),
]


@table(("config", "accuracy"), AVERAGES)
def test_averaged_weights_have_statistics_of_their_own(config, accuracy, digits):
    """Those of their layers over the training rows, worked out here, not those of the points met."""
    training = Training(Network((64, 50, 50, 10), normalize="before"), config)
    data = load(training)
    *_, now = train(training, data)
    x, test, statistics = data.x.astype(float), data.x_test.astype(float), []
    *hidden, last = (v for v in training.network.views(now.params[0, 0]) if v)
    for affine, norm in zip(hidden[::2], hidden[1::2], strict=True):
        x, test = (rows @ affine["W"] + affine["b"] for rows in (x, test))
        mean, spread = x.mean(0), np.sqrt(x.var(0) + 1e-6)
        statistics += [mean, x.var(0)]
        x, test = (
            np.maximum(norm["gamma"] * (rows - mean) / spread + norm["beta"], 0)
            for rows in (x, test)
        )
    np.testing.assert_allclose(
        now.running_statistics[0, 0], np.concatenate(statistics), rtol=1e-3, atol=1e-4
    )
    right = ((test @ last["W"] + last["b"]).argmax(-1) == data.t_test).mean()
    assert now.accuracy[-1, 1, 0, 0] == pytest.approx(right, abs=0.003)
    assert accuracy is None or right == pytest.approx(accuracy, abs=0.003)


def test_a_network_whose_one_measurement_takes_too_long_is_refused():
    """11,086,010 parameters (65 · 1000 + 11 · 1001 · 1000 + 1001 · 10) times 2500 rows at 4 · 10⁹
    products a second; an untrained page waits for one measurement.
    """
    training = Training(Network((64, *[1000] * 12, 10)), split=Split(1500))
    with pytest.raises(SpecError, match="takes about 7 s; 3 s are allowed"):
        check(training)
    check(replace(training, network=Network((64, *[1000] * 4, 10))))
