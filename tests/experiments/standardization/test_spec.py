"""One line in two kinds of coordinates: against SciPy's numbers, the normal distribution, hand calculations and the reference."""

from dataclasses import replace
from math import cos, erf, radians, sin, sqrt

import numpy as np
import pytest

from optviz.experiments.standardization.run import (
    PENALTY,
    Side,
    best_line,
    convergence_step,
    descents,
    sides,
)
from optviz.experiments.standardization.spec import RATES, Standardization
from optviz.spec import validate
from optviz.training import load
from tests import memo
from tests.page import refused
from tests.table import table

FOUR = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [0.0, -2.0]])
SIGNS = np.array([1.0, 1.0, -1.0, -1.0])


def objective(line, x, y, ridge):
    """The loss with its penalty, written once more."""
    return (
        np.log1p(np.exp(-y * (x @ line[:2] + line[2]))).mean() + 0.5 * (ridge * line[:2] ** 2).sum()
    )


def curvatures(f, at, h=1e-4):
    """The Hessian by central differences of the value."""
    n, steps = len(at), h * np.eye(len(at))
    return np.array([
        [(f(at + a + b) - f(at + a - b) - f(at - a + b) + f(at - a - b)) / (4 * h * h) for b in steps] for a in steps
    ]).reshape(n, n)  # fmt: skip


def test_the_reference():
    """Spec, section 3: .992 → .810 raw, .992 → .992 standardized; spread over sets of points .004, .023 and .004."""
    found = []
    for seed in range(30):
        raw, standard = sides(Standardization(seed=seed))
        found.append(
            [
                float(s.accuracy(line))
                for s in (raw, standard)
                for line in (s.line, s.rotated_line(5.0))
            ]
        )
    assert np.mean(found, 0) == pytest.approx([0.992, 0.810, 0.992, 0.992], abs=0.006)
    assert np.std(found, 0) == pytest.approx([0.004, 0.023, 0.004, 0.004], abs=0.006)
    raw, standard = sides(Standardization())
    here = [
        float(s.accuracy(line)) for s in (raw, standard) for line in (s.line, s.rotated_line(5.0))
    ]
    assert here == pytest.approx([0.992, 0.810, 0.992, 0.992], abs=0.0021), (
        "the page opens with a set like the mean"
    )


@table("offset", [0.0, 5.0, 10.0, 30.0])
@table("degrees", [2.0, 5.0, 20.0])
def test_accuracy_against_the_normal_distribution(offset, degrees):
    """Where endless clouds stand: the turned line is at (gap/2)·cos ± offset·sin deviations from their centers."""
    spread, gap = 0.42, 2.0
    near, slip = gap / 2 * cos(radians(degrees)) / spread, offset * sin(radians(degrees)) / spread
    expected = np.mean([0.5 * (1 + erf(z / sqrt(2))) for z in (near - slip, near + slip)])
    found = []
    for seed in range(20):
        x = sides(Standardization(points=1000, offset=offset, seed=seed))[0]
        ideal = replace(x, line=np.array([1.0, -1.0, 0.0]) * (1 if x.line[0] > 0 else -1))
        found.append(float(ideal.accuracy(ideal.rotated_line(degrees))))
    assert np.mean(found) == pytest.approx(expected, abs=0.005)


def test_a_turn_by_hand():
    side = Side("", FOUR, SIGNS, np.array([1.0, 1.0, 0.5]), np.zeros(2))
    assert side.rotated_line(0.0) == pytest.approx([1, 1, 0.5])
    assert side.rotated_line(90.0) == pytest.approx([-1, 1, 0.5])
    assert side.rotated_line([180.0, -90.0]) == pytest.approx(
        np.array([[-1, -1, 0.5], [1, -1, 0.5]])
    )
    assert side.accuracy(side.line) == 1.0
    assert side.accuracy(side.rotated_line(90.0)) == 0.5  # (1, 0) and (−1, 0) change sides
    assert side.misses(side.rotated_line(90.0)).tolist() == [True, False, True, False]
    margins = np.array([1.5, 2.5, 0.5, 1.5])
    assert side.loss(side.line) == pytest.approx(np.log(1 + np.exp(-margins)).mean())


# scipy.optimize.minimize (1.17, method trust-exact, gtol 1e-12) on the raw points, in w₁, w₂ and b at once: where it
# ends, the least loss, and the condition numbers of its Hessian over two and over three variables.
SCIPY = [
    ({}, [7.358441, -6.909372, -3.181984], 0.02394025, 1454.11, 38784.5),
    (
        {"offset": 3.0, "stretch": 4.0, "seed": 1},
        [6.607029, -1.441808, -2.003448],
        0.028895289,
        432.06,
        4024.52,
    ),
    (
        {"spread": 0.9, "gap": 1.0, "seed": 0},
        [0.6481543, -0.9249104, 1.913597],
        0.57499585,
        142.138,
        13144.7,
    ),
    ({"gap": 5.0, "seed": 0}, [2.401371, -2.422888, 0.1213558], 0.0024888049, 23.0322, 13695.4),
]


@table(("more", "line", "least", "condition", "with_bias"), SCIPY)
def test_the_best_line_against_scipy(more, line, least, condition, with_bias):
    """Also where the classes can be parted (the last): there the penalty alone holds the line."""
    raw, _ = sides(Standardization(**more))
    assert raw.line == pytest.approx(line, rel=1e-6)
    assert raw.min_loss == pytest.approx(least, rel=1e-7)
    assert raw.curvature.condition == pytest.approx(condition, rel=1e-5)
    assert raw.condition == pytest.approx(with_bias, rel=1e-5)


@table("more", [more for more, *_ in SCIPY])
@table("part", [0, 1])
def test_the_best_line_by_differences(part, more):
    """No slope and a positive curvature in every direction: the minimum of a convex function."""
    side = sides(Standardization(**more))[part]
    ridge = PENALTY * (side.x.std(0) ** 2 if part == 0 else np.ones(2))

    def f(line):
        return objective(line, side.x, side.y, ridge)

    slope = [(f(side.line + h) - f(side.line - h)) / 2e-5 for h in 1e-5 * np.eye(3)]
    assert slope == pytest.approx([0, 0, 0], abs=1e-8)
    whole = curvatures(f, side.line)
    assert side.f.hess(side.line[:2]) == pytest.approx(whole[:2, :2], rel=1e-3, abs=1e-6)
    assert side.curvature.high == pytest.approx(np.linalg.eigvalsh(whole[:2, :2])[-1], rel=1e-3)


def test_one_line_and_one_loss_in_two_kinds_of_coordinates():
    raw, standard = sides(Standardization(offset=7.0, stretch=3.0, seed=4))
    assert np.array_equal(raw.misses(raw.line), standard.misses(standard.line))
    assert raw.loss(raw.line) == pytest.approx(standard.loss(standard.line), rel=1e-9)
    assert raw.min_loss == pytest.approx(standard.min_loss, rel=1e-9)
    assert standard.x.mean(0) == pytest.approx([0, 0], abs=1e-12)
    assert standard.x.std(0) == pytest.approx([1, 1])
    assert raw.x.mean(0) == pytest.approx([7 / sqrt(2), 3 * 7 / sqrt(2)], rel=0.05)


def test_the_condition_number_grows_with_the_square_of_the_distance():
    """Raw ≈ offset² / spread², a rule of thumb; standardized data never notice that the clouds were moved."""
    near, far = (sides(Standardization(offset=offset)) for offset in (20.0, 40.0))
    assert far[0].curvature.condition / near[0].curvature.condition == pytest.approx(4, rel=0.05)
    assert far[1].curvature.condition == pytest.approx(near[1].curvature.condition, rel=1e-6)
    found = [
        [s.curvature.condition for s in sides(Standardization(seed=seed))] for seed in range(10)
    ]
    assert np.min(found, 0)[0] > 700
    assert np.max(found, 0)[1] < 10


def test_the_condition_number_with_the_bias():
    side = sides(Standardization(offset=4.0))[0]
    ridge = PENALTY * side.x.std(0) ** 2
    eigenvalues = np.linalg.eigvalsh(
        curvatures(lambda line: objective(line, side.x, side.y, ridge), side.line, 1e-3)
    )
    assert side.condition == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=0.05)


def test_the_loss_as_minimize_takes_it():
    f = sides(Standardization(offset=2.0))[0].f
    at = np.random.default_rng(0).normal(size=(3, 2, 2))
    assert f.value(at).shape == (3, 2)
    assert f.grad(at).shape == at.shape
    assert f.hess(at).shape == (3, 2, 2, 2)
    for w in at.reshape(-1, 2):
        slope = [(f.value(w + h) - f.value(w - h)) / 2e-6 for h in 1e-6 * np.eye(2)]
        assert f.grad(w) == pytest.approx(slope, rel=1e-5, abs=1e-7)
        assert f.hess(w) == pytest.approx(curvatures(f.value, w), rel=1e-3, abs=1e-5)
        assert f.value(w) == pytest.approx(objective(np.array([*w, f.bias]), f.x, f.y, f.ridge))


def test_newton_by_hand():
    """Two points at ±1 with opposite labels: w (1 + e^w) · penalty = 1."""
    x, y = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1.0, -1.0])
    w1, w2, b = best_line(x, y, 0.01)
    assert w1 * (1 + np.exp(w1)) * 0.01 == pytest.approx(1)
    assert (w2, b) == pytest.approx((0, 0))


def by_hand(side, rate, steps):
    """The weights and the losses of gradient descent, written once more."""
    w, losses = np.zeros(2), []
    for _ in range(steps):
        losses.append(objective(np.array([*w, side.line[2]]), side.x, side.y, side.ridge))
        p = np.exp(-np.logaddexp(0, side.y * (side.x @ w + side.line[2])))
        w = w + rate * ((side.y * p) @ side.x / len(side.x) - side.ridge * w)
    return w, np.array(losses)


@table("choice", ["steady", "lowest", "same"])
def test_the_descent(choice):
    spec = Standardization(choice=choice, rate=0.05)
    for way in descents(spec):
        side = way.side
        w, losses = by_hand(side, way.rate, spec.steps)
        assert way.run.points[-1] == pytest.approx(w, rel=1e-6)
        if choice == "same":
            assert way.rate == 0.05
            continue
        k = int(np.argmin(np.abs(RATES - way.rate)))
        assert way.ends[k] == pytest.approx(way.run.values[-1])
        if choice == "lowest":
            assert way.ends[k] == np.nanmin(way.ends)
        else:
            assert (np.diff(losses) <= 1e-12).all()
            _, above = by_hand(side, RATES[k + 7], spec.steps)
            assert (np.diff(above) > 1e-12).any(), (
                "with ten times the rate it goes uphill somewhere"
            )


def test_what_standardizing_does_for_the_descent():
    raw, standard = sides(Standardization())
    off = [d.off for d in descents(Standardization())]
    assert off[0][-1] > 0.7, "without a step uphill, raw has hardly set out"
    assert off[1][-1] < 0.05
    zigzag, far = descents(Standardization(choice="lowest"))
    assert zigzag.off[-1] > 0.05, "with zigzags it comes nearer"
    assert (np.diff(zigzag.run.values) > 0).sum() > 10
    assert zigzag.converged_at is None
    assert far.converged_at < 100
    best = standard.curvature.best_sgd[0]
    assert best / 1.5 < far.rate < 1.5 * best, (
        "near what theory says of the curvature at the minimum"
    )
    assert zigzag.rate < 2 / raw.curvature.high, "stable at the minimum"
    larger = standard.f.hess(np.zeros(2))
    assert descents(Standardization())[1].rate > 1 / np.linalg.eigvalsh(larger)[-1], (
        "no less than what is safe everywhere"
    )


@table(
    "off, first",
    [([1.0, 0.005, 0.5, 0.01, 0.0], 3), ([1.0, 0.5], None), ([0.0, 0.0], 0), ([0.0, np.nan], None)],
)
def test_convergence_step(off, first):
    assert convergence_step(np.array(off)) == first


def test_centered_inputs_have_mean_zero_and_keep_their_variance():
    """By the statistics of the training rows, as those for validation have none of their own."""
    given, centered = (
        load(replace(Standardization().trainings[0], inputs=kind)) for kind in ("given", "centered")
    )
    assert np.abs(centered.x.mean(0)).max() < 1e-6
    np.testing.assert_allclose(centered.x.std(0), given.x.std(0), atol=1e-6)
    moved = given.x_test - centered.x_test
    np.testing.assert_allclose(moved, np.broadcast_to(given.x.mean(0), moved.shape), atol=1e-6)


def test_digits_in_four_kinds_of_inputs():
    """Spec, section 3: .68 ±.33, .957, .987 and .103, on training rows."""
    found = {}
    spec = Standardization(seeds=tuple(range(10)))
    for training in spec.trainings:
        now = memo.trained(replace(training, eval_every=200))
        found[training.inputs] = now.accuracy[-1, 0, 0]
    mean = {kind: np.nan_to_num(a).mean() for kind, a in found.items()}
    assert mean["raw"] == pytest.approx(0.68, abs=0.2)
    assert found["raw"].std() == pytest.approx(0.33, abs=0.12)
    assert mean["given"] == pytest.approx(0.957, abs=0.01)
    assert mean["standardized"] == pytest.approx(0.987, abs=0.005)
    assert mean["offset"] == pytest.approx(0.103, abs=0.01)


EXTREME = (
    Standardization(points=10, spread=0.05, gap=5.0), Standardization(points=10, gap=0.0), Standardization(offset=50.0, stretch=10.0, steps=300),
    Standardization(offset=0.0, stretch=0.1, angle=-45.0), Standardization(choice="same", rate=float(RATES[-1])), Standardization(choice="same", rate=float(RATES[0]), steps=1), Standardization(choice="lowest", offset=50.0, stretch=10.0),
    Standardization(spread=1.0, points=1000, seed=9999, angle=45.0),
)  # fmt: skip


@table("spec", EXTREME)
def test_extreme_settings_are_finite_and_without_a_warning(spec):
    validate(spec)
    for way in descents(spec):
        side = way.side
        assert np.isfinite(side.line).all()
        assert np.isfinite([side.curvature.condition, side.condition, way.rate]).all()
        assert np.abs(side.f.grad(side.line[:2])).max() < 1e-8
        assert way.off.shape == (spec.steps + 1,)


def test_a_training_without_a_seed_is_refused():
    refused("standardization", Standardization(seeds=()))


def test_the_trainings_differ_in_their_inputs_alone():
    spec = Standardization(view="digits")
    kinds = [t.inputs for t in spec.trainings]
    assert kinds == ["given", "raw", "centered", "standardized", "offset"]
    first, *others = spec.trainings
    assert all(replace(t, inputs=first.inputs) == first for t in others), "else they are equal"
