"""Dropout, penalties, wrong labels and what they do to the gap: against PyTorch, differences, hand and reference values."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.regularization import run, text, thinned
from optviz.experiments.regularization.run import Outcome
from optviz.experiments.regularization.spec import (
    ADAM,
    BASELINE,
    BOOK,
    EXAMPLES,
    LABELS,
    NORMS,
    WIDTHS,
    WRITERS,
    Regularization,
    Regularizer,
)
from optviz.nn import EVALUATION, Dropout, MiniBatch, Mode, Network, Penalty, one_hot
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, validate
from optviz.training import Split, begin, load
from tests import memo
from tests.page import refused
from tests.table import table

RNG = np.random.default_rng(0)
NET = Network((5, 9, 8, 4), Choice("tanh"), Choice("xavier_normal"), "float64", dropout=0.3)


def objective(seeds=(3,), rows=12):
    params = np.stack([NET.init(seed) for seed in seeds])
    x = RNG.standard_normal((len(seeds), rows, 5))
    y = one_hot(RNG.integers(0, 4, (len(seeds), rows)), 4)
    return params, x, y, Mode(True, seeds, 7)


def by_differences(f, params, e=1e-6):
    """The gradient of one network's parameters `(1, P)`, from 2P networks at once."""
    sides = params + e * np.array([1, -1])[:, None, None, None] * np.eye(params.shape[-1])[:, None]
    up, down = f.value(sides)
    return (up - down)[:, 0] / (2 * e)


# Dropout.


def test_the_gradient_through_dropout_by_differences():
    params, x, y, mode = objective()
    f = MiniBatch(NET, x, y, mode)
    np.testing.assert_allclose(f.grad(params)[0], by_differences(f, params), atol=2e-9)


def test_the_gradient_through_dropout_agrees_with_torch():
    torch = pytest.importorskip("torch")
    params, x, y, mode = objective((3, 8))
    ours = MiniBatch(NET, x, y, mode).grad(params)
    done = NET.forward(params, x, mode)
    masks = [
        kept
        for layer, kept in zip(NET.layers, done.caches, strict=True)
        if isinstance(layer, Dropout)
    ]
    assert len(masks) == 2
    for s in range(2):
        weights = [
            {k: torch.tensor(v[s].copy(), requires_grad=True) for k, v in layer.items()}
            for layer in NET.views(params)
        ]
        h = torch.tensor(x[s])
        affine = [w for w in weights if w]
        for k, w in enumerate(affine):
            h = h @ w["W"] + w["b"]
            if k < len(masks):
                h = torch.tanh(h) * torch.tensor(masks[k][s])
        torch.nn.functional.cross_entropy(h, torch.tensor(y[s]).argmax(-1)).backward()
        for i, w in zip(NET.affine, affine, strict=True):
            for name, theirs in w.items():
                np.testing.assert_allclose(
                    NET.views(ours)[i][name][s], theirs.grad.numpy(), rtol=1e-10, atol=1e-13
                )


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.95])
def test_inverted_dropout_keeps_the_mean_and_leaves_out_its_share(ratio):
    x = np.full((1, 400, 500), 2.0)
    y, _ = Dropout(ratio).forward({}, x, Mode(True, (0,)))
    n, spread = x.size, 2 * (ratio / (1 - ratio)) ** 0.5
    assert y.mean() == pytest.approx(2.0, abs=5 * spread / n**0.5)
    assert (y == 0).mean() == pytest.approx(ratio, abs=5 * (ratio * (1 - ratio) / n) ** 0.5)
    assert set(np.unique(y)) == {0.0, 2.0 / (1 - ratio)}
    np.testing.assert_array_equal(Dropout(ratio).forward({}, x, EVALUATION)[0], x)


def test_dropout_depends_on_seed_step_and_place_alone():
    x = np.ones((2, 6, 50))
    there = Dropout(0.5).forward({}, x, Mode(True, (1, 2), 5))[0]
    np.testing.assert_array_equal(there, Dropout(0.5).forward({}, x, Mode(True, (1, 2), 5))[0])
    np.testing.assert_array_equal(
        there[1], Dropout(0.5).forward({}, x[1:], Mode(True, (2,), 5))[0][0]
    )
    assert not np.array_equal(there[0], there[1])
    assert not np.array_equal(there, Dropout(0.5).forward({}, x, Mode(True, (1, 2), 6))[0])
    assert not np.array_equal(there, Dropout(0.5, 1).forward({}, x, Mode(True, (1, 2), 5))[0])


def of_the_book(ratio, mask, weights, biases, x, training):
    """The book's layer and its place in a network, as its text has them: nothing is scaled while it trains."""
    h = x
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        h = h @ w + b
        if k < len(mask):
            h = np.maximum(h, 0)
            h = h * mask[k] if training else h * (1.0 - ratio)
    return h


@pytest.mark.parametrize("training", [True, False])
def test_the_book_s_form_is_the_same_function_at_another_scale(training):
    net = Network((5, 9, 8, 4), Choice("relu"), Choice("he_normal"), "float64", dropout=0.3)
    params, x = np.stack([net.init(3)]), RNG.standard_normal((1, 12, 5))
    mode = Mode(True, (3,), 2) if training else EVALUATION
    done = net.forward(params, x, mode)
    views = [net.views(params)[i] for i in net.affine]
    # what the next layer's weights make up for
    weights = [v["W"][0] / (0.7 if k else 1.0) for k, v in enumerate(views)]
    masks = [(kept[0] > 0) * 1.0 for layer, kept in zip(net.layers, done.caches, strict=True) if isinstance(layer, Dropout)] if training else [1, 1]  # fmt: skip
    book = of_the_book(0.3, masks, weights, [v["b"][0] for v in views], x[0], training)
    np.testing.assert_allclose(done.outputs[-1][0], book, rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.15, 0.5])
def test_six_numbers_through_both_forms(ratio):
    x = np.array([0.8, 0.0, 1.7, 0.4, 2.1, 0.6])
    f = run.dropout_forms(x, ratio, seed=1)
    np.testing.assert_allclose(f.inverted_training, f.mask * x / (1 - ratio), rtol=1e-15)
    np.testing.assert_allclose(f.book_training, (1 - ratio) * f.inverted_training, rtol=1e-15)
    np.testing.assert_allclose(f.book_evaluation, (1 - ratio) * f.inverted_evaluation, rtol=1e-15)
    np.testing.assert_array_equal(f.inverted_evaluation, x)
    assert set(f.mask) <= {0.0, 1.0}


# Penalties.


def test_penalties_by_hand():
    w = [np.array([[1.0, -2.0], [0.0, 3.0]]), np.array([[-4.0], [0.5]])]
    assert Penalty(0.1).value(w) == pytest.approx(0.05 * (1 + 4 + 9 + 16 + 0.25), rel=1e-15)
    assert Penalty(0.0, 0.2).value(w) == pytest.approx(0.2 * (1 + 2 + 3 + 4 + 0.5), rel=1e-15)
    g = [np.ones_like(v) for v in w]
    Penalty(0.1, 0.2).add_grad(w, g)
    np.testing.assert_allclose(
        g[0], [[1 + 0.1 + 0.2, 1 - 0.2 - 0.2], [1.0, 1 + 0.3 + 0.2]], rtol=1e-15
    )
    np.testing.assert_allclose(g[1], [[1 - 0.4 - 0.2], [1 + 0.05 + 0.2]], rtol=1e-15)


@table("penalty", [Penalty(0.3), Penalty(0.0, 0.2), Penalty(0.3, 0.2)])
@table("normalize", ["", "before"])
def test_the_gradient_with_a_penalty_by_differences_and_what_is_free(penalty, normalize):
    net = replace(NET, dropout=0.0, normalize=normalize)
    params = np.stack([net.init(1)]) + RNG.normal(0, 0.1, (1, net.size))
    x, y = RNG.standard_normal((1, 12, 5)), one_hot(RNG.integers(0, 4, (1, 12)), 4)
    mode = Mode(True, (1,), 0)
    f, free = MiniBatch(net, x, y, mode, penalty), MiniBatch(net, x, y, mode)
    np.testing.assert_allclose(f.grad(params)[0], by_differences(f, params), atol=2e-8)
    named = net.views(f.grad(params) - free.grad(params))
    for layer, p in zip(named, net.views(params), strict=True):
        for name, extra in layer.items():
            if name == "W":
                np.testing.assert_allclose(
                    extra, penalty.l2 * p["W"] + penalty.l1 * np.sign(p["W"]), atol=1e-12
                )
            else:
                assert np.abs(extra).max() < 1e-14, "biases, γ and β cost nothing"


# Wrong labels.


@pytest.mark.parametrize("first", [True, False])
def test_exactly_that_share_of_the_training_labels_is_wrong(first):
    training = replace(LABELS, split=Split(300, first, noise=0.2)).trainings[0]
    clean = load(replace(training, split=Split(300, first)))
    noisy = load(training)
    assert (noisy.t != clean.t).sum() == 60
    np.testing.assert_array_equal(noisy.t_test, clean.t_test)
    np.testing.assert_array_equal(noisy.x, clean.x)
    assert noisy.t.min() >= 0
    assert noisy.t.max() <= 9


def test_how_many_wrong_labels_are_memorized():
    scene = replace(LABELS, network=Network((64, 60, 10)), iterations=1500, seeds=(0, 1))
    training = replace(scene.trainings[0], optimizer=OptimizerConfig(Choice("adam", {"lr": 0.003})))
    data = load(training)
    right = load(replace(training, split=Split(300))).t
    before, after = begin(training, data), memo.trained(training, data)
    assert (run.memorized(before, data, right) < 0.35).all(), "by chance a tenth"
    assert (run.memorized(after, data, right) > 0.95).all()
    assert np.isnan(run.memorized(after, data, data.t)).all()


# What is said of them.


def test_pairs_by_hand():
    here = Outcome(np.array([1.0, 1.0, 0.9, np.nan]), np.array([0.8, 0.9, 0.8, np.nan]))
    there = Outcome(np.array([0.9, 0.9, 0.9, 0.9]), np.array([0.85, 0.8, 0.9, 0.9]))
    p = run.paired(here, there)
    np.testing.assert_allclose(p.tests, [0.05, -0.1, 0.1], rtol=1e-12)
    assert (p.better, p.worse) == (2, 1)
    assert p.test == pytest.approx(0.05 / 3)
    assert p.training == pytest.approx(-0.2 / 3)  # of −.1, −.1 and 0
    assert p.gap == pytest.approx(-0.25 / 3)  # of −.15, 0 and −.1


def test_weights_by_hand():
    w = run.summarize(np.array([[3.0, -4.0, 0.0005], [np.nan, 1.0, 1.0]]))
    assert (w.total, w.norm) == pytest.approx((7.0005, 5.0), rel=1e-7)
    assert w.largest == 4.0
    assert w.tiny == pytest.approx(1 / 3)
    assert np.isnan(run.summarize(np.full((2, 3), np.nan)).norm)


def test_names():
    adam = Choice("adam", {"lr": 0.001})
    found = text.names(
        (
            BASELINE,
            Regularizer(l2=0.01),
            Regularizer(0.01, 0.001, 0.2),
            Regularizer(l2=0.1, optimizer=adam),
            BASELINE,
        )
    )
    assert found == [
        "no regularizer", "weight decay 0.01", "weight decay 0.01 + L1 0.001 + dropout 0.2", "Adam + L2 0.1", "no regularizer (2)",
    ]  # fmt: skip
    assert text.names(ADAM.regularizers) == ["Adam", "Adam + L2 0.1", "AdamW, decay 0.1"]


@table(
    "bad",
    [
        Regularization(regularizers=()), Regularization(regularizers=(BASELINE,) * 7), Regularization(regularizers=(Regularizer(l2=11.0),)), Regularization(regularizers=(Regularizer(dropout=0.99),)),
        Regularization(regularizers=(Regularizer(l1=-1.0),)), Regularization(regularizers=(Regularizer(optimizer=Choice("newton")),)),
        Regularization(network=Network((64, 10), dropout=0.1)), Regularization(seeds=()),
    ],
)  # fmt: skip
def test_what_could_not_have_been_set(bad):
    refused("regularization", bad)


# The reference: its seeds and rows are others, so the tolerances are those of few seeds.


def trained(scene, **parts):
    """How the regularizers stand at the end, on all that is not for training, as the reference's: outcomes."""
    scene = replace(scene, split=replace(scene.split, validation=0.0), **parts)
    progresses = [memo.ended(training) for training in scene.trainings]
    return run.outcomes(progresses)[1], progresses


def test_other_writers_dropout_helps():
    (none, dropped), _ = trained(WRITERS, regularizers=(BASELINE, Regularizer(dropout=0.1)))
    assert np.median(none.training) > 0.995
    assert np.median(none.test) == pytest.approx(0.834, abs=0.025)
    p = run.paired(none, dropped)
    assert p.better == 3, "of three; of the reference's 20 of 20"
    assert p.test == pytest.approx(0.855 - 0.834, abs=0.02)


def test_wrong_labels_both_help():
    (none, decay, dropped), _ = trained(LABELS)
    assert np.median(none.training) > 0.99
    assert np.median(none.test) == pytest.approx(0.816, abs=0.05)
    assert np.median(decay.training) == pytest.approx(0.864, abs=0.06)
    for other, gain in ((decay, 0.030), (dropped, 0.059)):
        p = run.paired(none, other)
        assert p.better == 3
        assert p.test == pytest.approx(gain, abs=0.03)
        assert p.gap < -0.04


def test_with_the_book_s_values_the_gap_narrows_and_the_test_falls_with_it():
    (none, decay, dropped), _ = trained(BOOK)
    assert np.median(none.training) == pytest.approx(0.999, abs=0.005)
    assert np.median(none.test) == pytest.approx(0.916, abs=0.02)
    assert np.median(decay.training) == pytest.approx(0.850, abs=0.06)
    for other in (decay, dropped):
        p = run.paired(none, other)
        assert p.gap < -0.01
        assert p.training < -0.05
        assert p.test < -0.03
        assert p.worse == 3


def test_l1_makes_weights_vanish_and_l2_makes_them_small():
    _, (none, decay, sparse) = trained(
        NORMS, regularizers=(BASELINE, Regularizer(l2=0.01), Regularizer(l1=0.001))
    )
    found = [
        run.summarize(run.weights(now.training, now.params[0])) for now in (none, decay, sparse)
    ]
    assert found[1].norm < 0.75 * found[0].norm
    assert found[1].tiny < 0.03
    assert found[2].tiny > 0.15
    assert found[0].tiny < 0.01


def test_the_same_decay_inside_and_outside_of_adam():
    (adam, inside, outside), progresses = trained(ADAM, seeds=(0,), iterations=450)
    norms = [run.summarize(run.weights(now.training, now.params[0])).norm for now in progresses]
    assert norms[1] < norms[0] / 3
    # nothing but the decay shortens what the loss does not hold: 450 steps of 1 − .001·.1
    assert norms[2] / norms[0] == pytest.approx((1 - 1e-4) ** 450, abs=0.02)
    assert outside.test[0] > inside.test[0] + 0.03
    assert outside.test[0] == pytest.approx(adam.test[0], abs=0.02)


def test_a_sweep_trains_one_network_for_each_value():
    widths = Regularization(view="width", regularizers=(Regularizer(l2=0.01),))
    found = [training.network.sizes for training in widths.trainings]
    assert found == [(64, *[n] * 6, 10) for n in WIDTHS]
    assert {training.penalty.l2 for training in widths.trainings} == {0.01}
    examples = replace(widths, view="examples")
    assert [t.split.rows for t in examples.trainings] == list(EXAMPLES)
    few = replace(examples, dataset=Choice("moons"), network=Network((2, 10, 2)), split=Split(150))
    assert [t.split.rows for t in few.trainings] == [50, 100, 200], "of 300 points"
    validate(few)


def test_batch_normalization_is_one_of_the_regularizers():
    """On 300 digits and others' hands the gap is wider with it: by 6.2 points on the mean."""
    both = (BASELINE, Regularizer(normalize=True))
    _, (plain, normalized) = trained(WRITERS, regularizers=both)
    gaps = [np.mean(s.accuracy[-1, 0, 0] - s.accuracy[-1, 1, 0]) for s in (plain, normalized)]
    assert [s.training.network.normalize for s in (plain, normalized)] == ["", "before"]
    assert 0.03 < gaps[1] - gaps[0] < 0.10
    _, (plain, normalized) = trained(WRITERS, regularizers=both, iterations=60)
    assert normalized.accuracy[-1, 0, 0].min() > plain.accuracy[-1, 0, 0].max(), "it is the faster"


def test_the_thinned_network_is_that_of_the_update():
    """The mask of the first example, as the layer itself draws it for a whole batch."""
    [training] = Regularization(
        regularizers=(Regularizer(dropout=0.4),), network=Network((64, 30, 20, 10)), seeds=(3,)
    ).trainings
    masks = thinned.masks(training, 17)
    for k, (mask, n) in enumerate(zip(masks, (30, 20), strict=True)):
        ones = np.ones((1, training.batch, n), np.float32)
        passed, _ = Dropout(0.4, k).forward({}, ones, Mode(True, (3,), 17))
        assert np.array_equal(mask, passed[0, 0] > 0)
    assert 0.4 < np.concatenate(masks).mean() < 0.8
