"""A batch of trials: each is what it would be alone; and what else a training can be asked for."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.data import digits
from optviz.nn import Mode, Network, one_hot
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, SpecError
from optviz.training import (
    Data,
    Penalty,
    Split,
    Training,
    Trial,
    advance,
    begin,
    check,
    load,
    mini_batch,
    select,
)
from tests.table import table

NET = Network((64, 12, 12, 10), dtype="float64")
BASE = Training(
    NET,
    OptimizerConfig(Choice("momentum", {"lr": 0.1})),
    split=Split(200),
    batch=20,
    iterations=12,
    eval_every=4,
    snapshot_every=4,
)
TRIALS = (
    Trial(),
    Trial({"lr": 0.3}),
    Trial({"momentum": 0.5}, l2=0.1),
    Trial(l2=0.01, initializer=Choice("book")),
    Trial({"lr": 3.0, "momentum": 0.0}),
)


def trained(training, data=None):
    data = data or load(training)
    return advance(begin(training, data), data, training.iterations)


def alone(training, trial):
    """The trial written as a training of its own, without the machinery of trials."""
    config = OptimizerConfig(training.optimizer.method.with_values(**trial.hyperparameters))
    initializer = trial.initializer or training.network.initializer
    network = replace(training.network, initializer=initializer)
    penalty = training.penalty if trial.l2 is None else Penalty(trial.l2)
    return replace(training, trials=(), optimizer=config, network=network, penalty=penalty)


@pytest.mark.parametrize("normalize", ["", "before", "after"])
def test_a_trial_in_a_batch_is_the_trial_alone(normalize):
    base = replace(BASE, network=replace(NET, normalize=normalize), seeds=(0, 3))
    together = trained(replace(base, trials=TRIALS))
    for i, trial in enumerate(TRIALS):
        one = trained(alone(base, trial))
        np.testing.assert_allclose(together.loss[:, i], one.loss[:, 0], rtol=1e-9)
        np.testing.assert_allclose(together.params[i], one.params[0], rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(
            together.running_statistics[i], one.running_statistics[0], rtol=1e-7, atol=1e-12
        )
        np.testing.assert_array_equal(together.accuracy[:, :, i], one.accuracy[:, :, 0])


@pytest.mark.parametrize("sharpness", [0, 4])
def test_trials_that_begin_alike_are_measured_as_each_would_be_alone(sharpness):
    training = replace(BASE, trials=TRIALS[:3], seeds=(0, 3), sharpness=sharpness)
    data = load(training)
    together = begin(training, data)
    for i, trial in enumerate(training.trials):
        one = begin(alone(training, trial), data)
        for name in ("accuracy", "cross_entropy", "ensemble_accuracy"):
            found = getattr(together, name)[:, :, [i]]
            np.testing.assert_array_equal(found, getattr(one, name))
        assert set(together.diagnostics) == set(one.diagnostics)
        for name, kept in one.diagnostics.items():
            np.testing.assert_array_equal(together.diagnostics[name][:, [i]], kept)
        np.testing.assert_array_equal(together.snapshots[0][i], one.snapshots[0][0])
        np.testing.assert_array_equal(together.evaluated, one.evaluated)


def test_selected_trials_go_on_as_if_the_others_had_never_been():
    trials = (Trial(), Trial({"lr": 0.1}), Trial(l2=0.1), Trial({"beta1": 0.5}))
    adam = OptimizerConfig(Choice("adam", {"lr": 0.01}))
    training = replace(BASE, trials=trials, optimizer=adam)
    data = load(training)
    whole = trained(training, data)
    half = advance(begin(training, data), data, 6)
    some = advance(select(half, [3, 1]), data, 6)
    assert some.training.trials == (training.trials[3], training.trials[1])
    assert some.training.shape == (2, 1)
    np.testing.assert_allclose(some.params, whole.params[[3, 1]], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(some.loss, whole.loss[:, [3, 1]], rtol=1e-12)
    assert set(some.snapshots) == set(whole.snapshots)
    np.testing.assert_array_equal(some.accuracy, whole.accuracy[:, :, [3, 1]])


def test_a_trial_that_diverges_leaves_the_others_alone():
    base = replace(BASE, iterations=60, eval_every=60)
    lost, good = Trial({"lr": 10.0}), Trial({"lr": 0.01})
    with_lost, without = trained(replace(base, trials=(lost, good))), trained(alone(base, good))
    np.testing.assert_allclose(with_lost.params[1], without.params[0], rtol=1e-9)


def test_knobs_of_trials_under_a_wrapper_and_a_schedule():
    config = OptimizerConfig(
        Choice("sgd", {"lr": 0.5}),
        (Choice("clipped", {"max_norm": 0.5}),),
        {"lr": Choice("step", {"first": 3, "every": 3})},
    )
    together = trained(replace(BASE, optimizer=config, trials=(Trial({"lr": 0.1}), Trial())))
    one = trained(replace(BASE, optimizer=replace(config, method=Choice("sgd", {"lr": 0.1}))))
    np.testing.assert_allclose(together.params[0], one.params[0], rtol=1e-9, atol=1e-14)


@table(
    ("wrong", "said"),
    [
        (replace(BASE, trials=(Trial({"rate": 1.0}),)), "no hyperparameter"),
        (replace(BASE, trials=(Trial({"lr": 1e9}),)), "lr of momentum is from"),
        (replace(BASE, trials=(Trial(l2=-1.0),)), r"l2 must be in \[0, inf\)"),
        (replace(BASE, trials=(Trial(initializer=Choice("nothing")),)), "no initializer"),
        (replace(BASE, trials=(Trial(),), initializers=(Choice("zeros"),)), "not both"),
        (replace(BASE, trials=(Trial(),) * 201), "0 to 200 trials, not 201"),
        (replace(BASE, optimizer=OptimizerConfig(Choice("adam")), trials=(Trial({"bias_correction": False}),)), "real-valued hyperparameters"),
        (replace(BASE, inputs="upside down"), "inputs is one of given"),
        (replace(BASE, network=replace(NET, normalize="everywhere")), "normalize is one of before, after"),
        (replace(BASE, network=replace(NET, dropout=1.0)), r"dropout must be in \[0, 1\)"),
        (replace(BASE, split=Split(200, noise=1.0)), "noise is from 0 to 0.95"),
        (replace(BASE, penalty=Penalty(l1=-0.1)), r"l1 must be in \[0, inf\)"),
        (replace(BASE, penalty=Penalty(l2=1e9)), "l2 is from 0"),
    ],
)  # fmt: skip
def test_what_a_training_from_outside_may_not_ask_for(wrong, said):
    check(BASE)
    with pytest.raises(SpecError, match=said):
        check(wrong)


def test_inputs_are_those_of_the_source():
    def rows(kind):
        return load(replace(BASE, inputs=kind))

    given = rows("given")
    assert given.x.min() == 0
    assert given.x.max() == 1
    np.testing.assert_array_equal(rows("raw").x, 16 * given.x)
    np.testing.assert_array_equal(rows("raw").x, np.round(rows("raw").x), "the source counts")
    np.testing.assert_array_equal(rows("offset").x_test, given.x_test + 5)
    z = rows("standardized")
    moving = given.x.std(0) > 0
    np.testing.assert_allclose(z.x[:, moving].mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(z.x[:, moving].std(0), 1, atol=1e-12)
    by_hand = (given.x_test[:, moving] - given.x[:, moving].mean(0)) / given.x[:, moving].std(0)
    np.testing.assert_allclose(z.x_test[:, moving], by_hand, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5])
def test_that_share_of_the_labels_for_training_is_wrong_and_none_of_the_others(share):
    right = Split(300, first=True).partition(*digits())
    noisy, again = (Split(300, first=True, noise=share).partition(*digits()) for _ in range(2))
    assert (noisy.t != right.t).sum() == round(300 * share)
    assert set(noisy.t) <= set(range(10))
    np.testing.assert_array_equal(noisy.t_test, right.t_test)
    np.testing.assert_array_equal(noisy.x, right.x)
    np.testing.assert_array_equal(noisy.t, again.t)


def test_seeds_together_vote_by_the_mean_of_their_probabilities():
    training = replace(BASE, seeds=(0, 1, 2))
    now = trained(training)
    data = load(training)
    e = np.exp([NET.outputs(params, data.x_test) for params in now.params[0]])
    probabilities = e / e.sum(-1, keepdims=True)
    by_hand = (probabilities.mean(0).argmax(-1) == data.t_test).mean()
    assert now.ensemble_accuracy[-1, 1, 0] == by_hand
    lonely = trained(BASE)
    np.testing.assert_array_equal(lonely.ensemble_accuracy, lonely.accuracy[..., 0])


def test_the_penalty_steers_but_is_not_reported():
    free, dear = trained(BASE), trained(replace(BASE, penalty=Penalty(l2=0.5)))
    assert free.loss[0] == dear.loss[0], "the same start, the same loss of the same rows"
    lengths = [np.linalg.norm(NET.views(now.params[0, 0])[0]["W"]) for now in (free, dear)]
    assert lengths[1] < lengths[0]
    data = load(BASE)
    params = BASE.start()
    batch = mini_batch(replace(BASE, penalty=Penalty(0.5, 0.1)), data, 0)
    w = [NET.views(params)[i]["W"] for i in NET.affine]
    extra = sum(0.25 * (m**2).sum() + 0.1 * np.abs(m).sum() for m in w)
    penalty = (batch.value(params) - batch.cross_entropy(params)).item()
    assert penalty == pytest.approx(extra, rel=1e-12)


def test_the_penalty_s_gradient_by_central_differences():
    net = Network((3, 4, 2), Choice("tanh"), dtype="float64", normalize="before")
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(8, 3)), rng.integers(0, 2, 8)
    data = Data(x, t, x, t)
    training = Training(net, split=Split(8), batch=8, penalty=Penalty(0.3, 0.2))
    params = training.start() + rng.normal(size=net.size) * 0.1
    f = mini_batch(training, data, 0)
    got, h = f.grad(params)[0, 0], 1e-6
    for k in range(net.size):
        up, down = params.copy(), params.copy()
        up[..., k] += h
        down[..., k] -= h
        slope = (f.value(up) - f.value(down)).item() / (2 * h)
        assert got[k] == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_dropout_and_normalization_stand_still_in_evaluation():
    net = replace(NET, dropout=0.5, normalize="before")
    params, running = net.init(0), {"running_statistics": net.running_statistics()}
    x = load(BASE).x[:7]
    z, fewer = net.outputs(params, x, **running), net.outputs(params, x[:3], **running)
    np.testing.assert_allclose(z[:3], fewer, rtol=1e-12)
    mode = Mode(True, (0,), 3)
    once, again = (net.forward(params[None], x[None], mode).outputs[-1] for _ in range(2))
    np.testing.assert_array_equal(once, again, "the same seed and step drop the same units")
    other = net.forward(params[None], x[None], Mode(True, (0,), 4)).outputs[-1]
    assert not np.array_equal(once, other)
    assert one_hot([1], 3).tolist() == [[0, 1, 0]]
