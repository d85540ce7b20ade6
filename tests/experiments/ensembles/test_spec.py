"""Ensembles: means of probabilities by hand, snapshots and averages against loops of their own, the reference's gains."""

import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.ensembles import figures as views
from optviz.experiments.ensembles import text as words
from optviz.experiments.ensembles.page import PAGE
from optviz.experiments.ensembles.run import (
    Ensemble,
    averaging_outcome,
    independent_outcome,
    member_probabilities,
    snapshot_outcome,
    snapshots,
)
from optviz.experiments.ensembles.spec import METHODS, Ensembles
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot.style import LIGHT
from optviz.shell.lessons import LESSONS
from optviz.spec import Choice, validate
from optviz.training import Split, advance, begin, load, mini_batch, train
from tests import memo
from tests.page import refused
from tests.table import table

SMALL = Ensembles(network=Network((64, 12, 10), dtype="float64"), iterations=50, members=3)
REFERENCE = Ensembles()  # the page's own: 300 rows, a fifth of the labels wrong


def last(method, noise, scene=REFERENCE):
    """A training to its end."""
    return memo.trained(scene.training_of(method, noise))


def ensemble_of(now, scene=REFERENCE):
    """Of the snapshots of a run, or of all its seeds."""
    data = load(now.training)
    kept = (
        np.stack(list(snapshots(now, scene.ends).values()))
        if now.training.snapshot_every
        else now.params[0]
    )
    return Ensemble.from_probabilities(
        member_probabilities(scene.network, kept, data.x_test), data.t_test
    )


# By hand.

SAID = np.array([
    [[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.2, 0.2, 0.6]],
    [[0.2, 0.8, 0.0], [0.9, 0.1, 0.0], [0.3, 0.4, 0.3]],
    [[0.3, 0.3, 0.4], [0.4, 0.5, 0.1], [0.1, 0.0, 0.9]],
])  # fmt: skip


def test_the_mean_of_probabilities_by_hand():
    """Means: (.467 .4 .133), (.567 .4 .033), (.2 .2 .6): answers 0, 0, 2; a vote would have said 1 for the second row."""
    found = Ensemble.from_probabilities(SAID, [0, 0, 2])
    assert found.member_accuracies == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    assert found.accuracy == 1
    # answers: (0 1 2), (1 0 1), (2 1 2)
    assert found.disagreement == pytest.approx(np.array([[0, 1, 1 / 3], [1, 0, 1], [1 / 3, 1, 0]]))
    assert found.mean_disagreement == pytest.approx(7 / 9)
    # neighbors in a ring; together they answer 1 and 2: (0 0 2), 2 and 3: (1 0 2), 3 and 1: (0 1 2)
    assert found.accuracy_by_size() == pytest.approx([4 / 9, (1 + 2 / 3 + 2 / 3) / 3, 1])


def test_probabilities_are_the_softmax_of_the_outputs():
    network, x = Network((2, 3), dtype="float64"), np.array([[1.0, 2.0]])
    params = np.zeros((1, network.size))
    network.views(params)[0]["b"][0] = [0.0, math.log(2), math.log(5)]
    assert member_probabilities(network, params, x)[0, 0] == pytest.approx([1 / 8, 2 / 8, 5 / 8])


def test_a_committee_of_one_is_that_one_and_one_of_none_is_nothing():
    one = Ensemble.from_probabilities(SAID[:1], [0, 0, 2])
    assert one.accuracy == one.member_accuracies[0]
    assert one.mean_disagreement == 0
    assert one.accuracy_by_size() == pytest.approx(one.member_accuracies)
    none = Ensemble.from_probabilities(np.full((2, 3, 3), np.nan), [0, 0, 2])
    assert len(none) == 0
    assert np.isnan([none.accuracy, none.mean_disagreement]).all()


def test_who_has_diverged_is_left_out():
    said = np.concatenate([SAID, np.full((1, 3, 3), np.nan)])
    assert len(Ensemble.from_probabilities(said, [0, 0, 2])) == 3
    assert Ensemble.from_probabilities(said, [0, 0, 2]).accuracy == 1


# The trainings.


@table(("iterations", "members"), [(50, 3), (50, 5), (40, 1), (10, 7)])
def test_the_cyclic_rate_is_that_of_the_formula(iterations, members):
    """α₀/2 · (cos(π · ((t−1) mod ⌈T/M⌉)/⌈T/M⌉) + 1) in a loop of its own, with a snapshot at the end of each cycle."""
    scene = replace(SMALL, iterations=iterations, members=members)
    now = last("snapshots", 0.2, scene)
    training, data = now.training, load(now.training)
    x, cycle, kept = training.start(), math.ceil(iterations / members), {}
    for t in range(1, iterations + 1):
        rate = 0.2 / 2 * (math.cos(math.pi * ((t - 1) % cycle) / cycle) + 1)
        x = x - rate * mini_batch(training, data, t - 1).grad(x)
        if t % cycle == 0 or t == iterations:
            kept[t] = x[0, 0]
    found = snapshots(now, scene.ends)
    assert list(found) == list(kept)
    assert all(found[t] == pytest.approx(kept[t], abs=1e-12) for t in kept)


def test_snapshots_come_one_after_the_other():
    data = load(training := SMALL.training_of("snapshots", 0.0))
    now = begin(training, data)
    assert snapshots(now, SMALL.ends) == {}
    for steps in (17, 10):  # the laboratory stops where a snapshot is due
        now = advance(now, data, steps)
    assert list(snapshots(now, SMALL.ends)) == [17]


def test_averaging_is_the_average_of_the_points_of_the_run_without_it():
    raw = replace(SMALL.training_of("independent", 0.2), snapshot_every=1, seeds=(SMALL.seed,))
    *_, now = train(raw)
    average = now.snapshots[0]
    for t in range(1, 51):
        average = 0.995 * average + 0.005 * now.snapshots[t]
    found = last("averaging", 0.2, SMALL)
    assert found.params[0, 0] == pytest.approx(average[0], abs=1e-12)
    assert np.array_equal(found.state["inside"], last("independent", 0.2, SMALL).params)


def test_the_members_together_are_what_the_training_recorded():
    now = last("independent", 0.2)
    found = ensemble_of(now)
    assert found.accuracy == pytest.approx(now.ensemble_accuracy[-1, 1, 0])
    assert found.member_accuracies == pytest.approx(now.accuracy[-1, 1, 0])


# The reference (section 3 of the reference numbers): gains in test accuracy on 300 noisy rows, none on clean ones.


def test_five_independent_networks_gain_what_the_reference_says():
    noisy, clean = (independent_outcome(last("independent", noise)) for noise in (0.2, 0.0))
    assert noisy.gain == pytest.approx(0.028, abs=0.015)
    assert noisy.std > 0
    assert -0.005 < clean.gain < 0.012


def test_snapshots_gain_over_the_last_point_what_the_reference_says():
    gains = []
    for seed in range(3):
        scene = replace(REFERENCE, seed=seed)
        now = last("snapshots", 0.2, scene)
        gains.append(snapshot_outcome(now, ensemble_of(now, scene)).gain)
    assert min(gains) > 0.02
    assert np.mean(gains) == pytest.approx(0.046, abs=0.02)
    now = last("snapshots", 0.0)
    assert snapshot_outcome(now, ensemble_of(now)).gain < 0.005


def test_averaging_gains_for_every_seed_what_the_reference_says():
    noisy, clean = (
        averaging_outcome(last("independent", noise), last("averaging", noise))
        for noise in (0.2, 0.0)
    )
    assert noisy.gain == pytest.approx(0.049, abs=0.02)
    assert (noisy.better, noisy.networks) == (5, 5)
    assert abs(clean.gain) < 0.006


# Specs.


@table(
    "wrong",
    [
        {"optimizer": OptimizerConfig(Choice("sgd"), (Choice("averaged"),))}, {"optimizer": OptimizerConfig(Choice("sgd"), schedules={"lr": Choice("cosine")})},
        {"optimizer": OptimizerConfig(Choice("nobody"))}, {"optimizer": OptimizerConfig(Choice("newton"))}, {"network": Network((64, 10, 10), normalize="before")}, {"network": Network((63, 10))},
    ],
)  # fmt: skip
def test_what_could_not_have_been_set(wrong):
    refused("ensembles", replace(REFERENCE, **wrong))


def test_the_peak_stays_within_the_rates_that_there_are():
    assert Ensembles().top == pytest.approx(0.2)
    fast = Ensembles(optimizer=OptimizerConfig(Choice("sgd", {"lr": 10.0})), peak=10.0)
    validate(fast)
    assert fast.top == 10


def test_clean_labels_are_trained_once():
    assert len(REFERENCE.trainings) == 6
    assert len(replace(REFERENCE, split=Split(300)).trainings) == 3


# Pictures, texts and lessons.


def test_axes_span_the_same_so_that_gains_can_be_compared():
    pictures = [views.independent(last("independent", noise)) for noise in (0.2, 0.0)]
    (low, high), (low_clean, high_clean) = views.limits_of(pictures, 1000)
    assert high - low == pytest.approx(high_clean - low_clean)
    for curves, (bottom, top) in zip(pictures, ((low, high), (low_clean, high_clean)), strict=True):
        late = np.concatenate([c.y[c.x >= 200] for c in curves])
        assert bottom <= late.min()
        assert late.max() <= top


def test_a_gain_in_words():
    assert words.verdict(0.0331) == "3.3 points gained"
    assert words.verdict(-0.02) == "2.0 points lost"
    assert words.verdict(0.004) == "no gain (+0.4 points)"


@table("method", METHODS)
@table(
    "scene",
    [SMALL, replace(SMALL, optimizer=OptimizerConfig(Choice("sgd", {"lr": 10.0})), peak=10.0)],
)
def test_thumbnails(method, scene):
    picture = PAGE.thumbnail_svg(replace(scene, view=method), LIGHT)
    assert ET.fromstring(picture).get("aria-hidden") == "true"
    assert "nan" not in picture
    assert len(picture) < 10_000


def test_what_the_lessons_say():
    """On wrong labels, in the lessons' own scenes."""
    scene = LESSONS["ensembles-independent"].scene
    now = last("independent", 0.2, scene)
    above = now.ensemble_accuracy[:, 1, 0] >= now.accuracy[:, 1, 0].max(-1)
    assert above.mean() > 0.9, "above all the thin ones nearly everywhere"
    assert ensemble_of(now).mean_disagreement == pytest.approx(1 / 5, abs=0.03)
    assert ensemble_of(last("independent", 0.0, scene)).mean_disagreement < 0.05
    with_label_noise = replace(scene, split=replace(scene.split, noise=0.4))
    gain = independent_outcome(now).gain
    assert independent_outcome(last("independent", 0.4, with_label_noise)).gain == pytest.approx(
        2 * gain, rel=0.25
    )

    scene = LESSONS["ensembles-snapshots"].scene
    now = last("snapshots", 0.2, scene)
    found = ensemble_of(now, scene)
    assert found.accuracy > found.member_accuracies.mean() > snapshot_outcome(now, found).single, (
        "one alone is above the last point too"
    )
    now = last("snapshots", 0.2, replace(scene, members=10))
    gain = snapshot_outcome(now, ensemble_of(now, replace(scene, members=10))).gain
    assert gain == pytest.approx(found.accuracy - found.member_accuracies[-1], abs=0.015)

    scene = LESSONS["ensembles-averaging"].scene
    raw, average = (last(method, 0.2, scene) for method in ("independent", "averaging"))
    a, b = (now.accuracy[:, 1, 0].mean(-1) for now in (raw, average))
    assert (b[1:4] < a[1:4]).all(), "lags in the beginning"
    jumps = [np.abs(np.diff(now.accuracy[12:, 1, 0], axis=0)).mean() for now in (raw, average)]
    assert jumps[1] < jumps[0] / 3
    soon = replace(scene, decay=0.9)
    assert (
        averaging_outcome(raw, last("averaging", 0.2, soon)).gain
        < averaging_outcome(raw, average).gain
    )
    slow = last("averaging", 0.2, replace(scene, decay=0.999)).accuracy[:, 1, 0].mean(-1)
    assert (slow < a)[1 : len(a) // 2].all()

    scene = LESSONS["ensembles-clean"].scene
    assert scene.noises == (0.0,)
    now = last("independent", 0.0, scene)
    assert 0 < independent_outcome(now).gain < 0.01
    growing = ensemble_of(now).accuracy_by_size()
    assert growing[-1] - growing[3] < 0.004
