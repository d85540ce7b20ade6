"""Schedules step by step, noise as a table of (seed, step), and what theory says of a quadratic."""

import math

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, SCHEDULES, minimize, parse_formula
from optviz.optim import theory
from optviz.optim.hyperparameter import hyperparameters
from tests.optim import quadratics
from tests.table import table

BOWL = FUNCTIONS["bowl"]

# Factors at steps t, worked by hand.
BY_HAND = [
    ("constant", {}, {0: 1, 7: 1, 10_000: 1}),
    (
        "step",
        {"gamma": 0.5, "every": 3, "first": 2},
        {0: 1, 1: 1, 2: 0.5, 4: 0.5, 5: 0.25, 7: 0.25, 8: 0.125},
    ),
    (
        "step",
        {"gamma": 0.1, "every": 75, "first": 150},
        {0: 1, 149: 1, 150: 0.1, 224: 0.1, 225: 0.01, 300: 0.001},
    ),
    ("step", {"gamma": 0.5, "every": 2, "first": 0}, {0: 0.5, 1: 0.5, 2: 0.25, 3: 0.25, 4: 0.125}),
    ("exponential", {"rate": math.log(2)}, {0: 1, 1: 1 / 2, 2: 1 / 4, 10: 1 / 1024}),
    ("inverse_time", {"rate": 0.5}, {0: 1, 1: 2 / 3, 2: 1 / 2, 6: 1 / 4, 198: 1 / 100}),
    ("linear", {"steps": 4}, {0: 1, 1: 0.75, 2: 0.5, 3: 0.25, 4: 0, 5: 0, 100: 0}),
    ("linear", {"steps": 4, "floor": 0.2}, {0: 1, 1: 0.8, 2: 0.6, 4: 0.2, 9: 0.2}),
    ("cosine", {"steps": 6}, {0: 1, 2: 0.75, 3: 0.5, 4: 0.25, 6: 0, 7: 0, 12: 0}),
    ("cosine", {"steps": 6, "floor": 0.5}, {0: 1, 2: 0.875, 3: 0.75, 6: 0.5, 60: 0.5}),
    ("cyclic", {"period": 6}, {0: 1, 2: 0.75, 3: 0.5, 4: 0.25, 6: 1, 9: 0.5, 12: 1, 16: 0.25}),
    ("cyclic", {"period": 6, "floor": 0.5}, {0: 1, 3: 0.75, 6: 1, 9: 0.75}),
    ("warmup", {"steps": 5}, {0: 0.2, 1: 0.4, 3: 0.8, 4: 1, 5: 1, 500: 1}),
    (
        "growth",
        {"decades": 4.0, "steps": 8},
        {0: 1e-4, 2: 1e-3, 4: 1e-2, 5: 10**-1.5, 6: 0.1, 8: 1, 9: 1, 5000: 1},
    ),
    (
        "warmup_cosine",
        {"warmup": 4, "steps": 10},
        {0: 0.25, 3: 1, 4: 1, 6: 0.75, 7: 0.5, 10: 0, 99: 0},
    ),
    (
        "warmup_stable_decay",
        {"warmup": 2, "stable": 3, "decay": 4},
        {0: 0.5, 1: 1, 2: 1, 5: 1, 6: 0.75, 8: 0.25, 9: 0, 99: 0},
    ),
    # up until step 3, down until step 9
    ("one_cycle", {"steps": 10, "rise": 0.4}, {0: 0.04, 3: 1, 6: 0.500002, 9: 4e-6, 99: 4e-6}),
    (
        "restarts",
        {"period": 2, "growth": 3},
        {0: 1, 1: 0.5, 2: 1, 4: 0.75, 5: 0.5, 8: 1, 17: 0.5, 26: 1},
    ),
]
# Learning rates that torch.optim.lr_scheduler (2.13) gave from rate 1, computed once.
BY_TORCH = [
    ("step", {"gamma": 0.5, "every": 50, "first": 50},  # StepLR(50, 0.5)
     {0: 1, 49: 1, 50: 0.5, 99: 0.5, 100: 0.25, 150: 0.125, 299: 0.03125, 300: 0.015625}),
    ("exponential", {"rate": 0.015},  # ExponentialLR(exp(-0.015))
     {1: 0.9851119396030626, 49: 0.4795054589748937, 150: 0.10539922456186407, 300: 0.011108996538242254}),
    ("linear", {"steps": 200, "floor": 0.1},  # LinearLR(1, 0.1, 200)
     {1: 0.9955, 49: 0.7794999999999997, 99: 0.5545000000000002, 150: 0.325, 300: 0.09999999999999994}),
    ("cosine", {"steps": 300, "floor": 0.1},  # CosineAnnealingLR(300, 0.1)
     {1: 0.9999753262144805, 49: 0.9420462150040847, 100: 0.7749999999999996, 299: 0.10002467378551955, 300: 0.1}),
    ("cyclic", {"period": 100, "floor": 0.05},  # CosineAnnealingWarmRestarts(100, eta_min=0.05)
     {1: 0.9997656161737225, 49: 0.539920110562111, 99: 0.05023438382627749, 100: 1, 150: 0.525, 300: 1}),
    ("warmup", {"steps": 20},  # LinearLR(1/20, 1, 19)
     {0: 0.05, 1: 0.1, 7: 0.4, 18: 0.9499999999999997, 19: 0.9999999999999997, 300: 0.9999999999999997}),
    ("warmup_cosine", {"warmup": 20, "steps": 300, "floor": 0.1},  # SequentialLR(LinearLR(1/20, 1, 19), CosineAnnealingLR(280, 0.1))
     {0: 0.05, 1: 0.1, 19: 0.9999999999999997, 20: 1.0, 21: 0.9999716755396153, 160: 0.5500000000000003, 299: 0.10002832446038475, 300: 0.1}),
    ("warmup_stable_decay", {"warmup": 20, "stable": 200, "decay": 80, "floor": 0.1},  # SequentialLR(LinearLR, ConstantLR, LinearLR)
     {0: 0.05, 10: 0.55, 19: 0.9999999999999997, 20: 1.0, 219: 1.0, 220: 1.0, 221: 0.98875, 260: 0.5500000000000004, 299: 0.11125000000000013, 300: 0.1000000000000001, 310: 0.1000000000000001}),
    ("one_cycle", {"steps": 300, "rise": 0.3},  # OneCycleLR(1, 300)
     {0: 0.040000000000000036, 1: 0.04029901011425052, 44: 0.5115287292912982, 89: 1.0, 90: 0.9999440511289331, 91: 0.999776217036887, 200: 0.4551825248269011, 298: 5.994887106690403e-05, 299: 4e-06}),
    ("one_cycle", {"steps": 50, "rise": 0.45},  # OneCycleLR(1, 50, pct_start=0.45)
     {0: 0.040000000000000036, 1: 0.04511518332394715, 20: 0.988516421226845, 21: 0.9987194961585047, 22: 0.9991845552248599, 40: 0.24180430197544237, 49: 4e-06}),
    ("restarts", {"period": 50, "growth": 2, "floor": 0.1},  # CosineAnnealingWarmRestarts(50, 2, 0.1)
     {0: 1.0, 1: 0.9991120277927222, 49: 0.1008879722072778, 50: 1.0, 100: 0.55, 149: 0.10022204783542078, 150: 1.0, 151: 0.9999444846167472, 349: 0.10005551538325275, 350: 1.0, 400: 0.9657457896300791}),
    ("restarts", {"period": 30, "growth": 1},  # CosineAnnealingWarmRestarts(30)
     {0: 1.0, 15: 0.5000000000000001, 29: 0.0027390523158632996, 30: 1.0, 45: 0.5000000000000001, 60: 1.0}),
]  # fmt: skip


def test_every_schedule_and_noise_that_is_promised_is_there():
    promised = {
        "constant",
        "step",
        "exponential",
        "inverse_time",
        "linear",
        "cosine",
        "cyclic",
        "warmup",
        "growth",
        "warmup_cosine",
        "warmup_stable_decay",
        "one_cycle",
        "restarts",
    }
    assert set(SCHEDULES) >= promised
    assert set(NOISES) >= {"uniform", "gaussian", "rare"}
    assert {key for key, _, _ in BY_HAND} >= promised


@table(("key", "settings", "factors"), [*BY_HAND, *BY_TORCH])
def test_factor(key, settings, factors):
    schedule = SCHEDULES[key](**settings)
    for t, factor in factors.items():
        assert schedule(t) == pytest.approx(factor, rel=1e-12, abs=1e-15), t


@table("cls", SCHEDULES.values())
def test_schedules_stay_between_nought_and_one_for_ever(cls):
    factors = [float(cls()(t)) for t in [*range(1200), 10**5]]
    assert all(0 <= f <= 1 for f in factors)
    assert max(factors) == 1
    assert "$$" in cls.__doc__
    for k in hyperparameters(cls):
        for end in (k.low, k.high):
            assert 0 <= cls(**{k.name: end})(3) <= 1


@table(
    ("key", "settings"),
    [
        ("step", {"every": 0}), ("step", {"every": 2.5}), ("step", {"first": -1}), ("step", {"gamma": "half"}),
        ("linear", {"steps": 0}), ("cosine", {"steps": True}), ("cyclic", {"period": 0}), ("warmup", {"steps": 1.0}),
        ("exponential", {"rate": math.nan}), ("inverse_time", {"rate": math.inf}), ("cosine", {"floor": None}),
    ],
)  # fmt: skip
def test_schedules_refuse_settings_that_make_no_sense(key, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        SCHEDULES[key](**settings)


def test_a_schedule_multiplies_the_rate():
    """SGD on the bowl in closed form: the product over t of 1 − lr·factor(t)·λ."""
    factors = [1, 1, 0.5, 0.5, 0.5, 0.25]
    run = minimize(
        BOWL, OPTIMIZERS["sgd"](lr=0.4), (-7, 2), 6, schedule=SCHEDULES["step"](every=3, first=2)
    )
    expected = [
        -7 * math.prod(1 - 0.4 * f * 0.1 for f in factors),
        2 * math.prod(1 - 0.4 * f * 2 for f in factors),
    ]
    assert run.points[-1] == pytest.approx(expected, rel=1e-12)


def test_a_schedule_of_any_knob():
    """Momentum that is faded out at step 3 leaves plain descent."""
    opt, fade = OPTIMIZERS["momentum"](lr=0.1, momentum=0.9), SCHEDULES["linear"](steps=3)
    start, slopes = np.array([-7.0, 2.0]), np.array([0.1, 2.0])
    run = minimize(BOWL, opt, start, 8, schedule={"momentum": fade})
    np.testing.assert_allclose(run.points[4:], run.points[3:-1] * (1 - 0.1 * slopes), rtol=1e-13)
    v1 = -0.1 * slopes * start
    v2 = 0.9 * (2 / 3) * v1 - 0.1 * slopes * (start + v1)
    np.testing.assert_allclose(run.points[2], start + v1 + v2, rtol=1e-13)


QUANTILES = {
    "uniform": {0.05: -0.9, 0.25: -0.5, 0.5: 0, 0.75: 0.5, 0.95: 0.9},
    "rare": {0.0: -1 / 3, 0.9: 3.0, 1.0: 3.01},
    "gaussian": {0.05: -1.6449, 0.25: -0.6745, 0.5: 0, 0.8413: 1, 0.95: 1.6449, 0.9772: 2},
}


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_its_distribution(kind):
    drawn = NOISES[kind](scale=1.0).table(1, 50_000)
    for share, at in QUANTILES[kind].items():
        assert (drawn < at).mean() == pytest.approx(share, abs=0.005)
    assert (
        np.abs(np.corrcoef(drawn[1:, 0], drawn[:-1, 0])[0, 1]) < 0.02
    )  # a step knows nothing of the last


@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_an_array_of_seeds_is_that_of_each(kind):
    noise = NOISES[kind](scale=2.5)
    together = noise.table([[3, 4, 5], [6, 7, 3]], 11, d=2)
    assert together.shape == (11, 2, 3, 2)
    for i, j, seed in ((0, 0, 3), (0, 2, 5), (1, 1, 7), (1, 2, 3)):
        assert np.array_equal(together[:, i, j], noise.table(seed, 11))
    of_each = np.moveaxis(together, 0, 2).reshape(6, -1)
    assert len(np.unique(of_each, axis=0)) == 5  # one for each of the five seeds
    assert (
        np.abs(np.corrcoef(noise.table(3, 5000).ravel(), noise.table(4, 5000).ravel())[0, 1]) < 0.04
    )


@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_a_step_is_a_function_of_seed_and_step(kind):
    noise = NOISES[kind](scale=1.0)
    first = noise.table(9, 40)
    noise.table(1, 7)
    assert np.array_equal(noise.table(9, 40), first)  # however often it is asked
    assert np.array_equal(noise.table(9, 5), first[:5])
    assert np.array_equal(NOISES[kind](scale=3.0).table(9, 40), 3 * first)
    assert noise.table(9, 0).shape == (0, 2)
    assert noise.table(9, 4, d=7).shape == (4, 7)
    assert not NOISES[kind](scale=0.0).table(9, 40).any()


def test_noise_refuses_a_scale_that_is_no_number():
    for bad in ("a", None, math.nan, math.inf):
        with pytest.raises(ValueError, match="scale"):
            NOISES["uniform"](scale=bad)


# Theory. The iterations below are written in the last two points, not in point and velocity.


def two_point(lr, mu, lam, nesterov=False):
    """The matrix that takes (x, x_prev) to the next pair on ½·lam·x²."""
    if nesterov:  # x ← (1 − lr·lam)·(x + mu·(x − x_prev))
        return np.array([[(1 - lr * lam) * (1 + mu), -(1 - lr * lam) * mu], [1.0, 0.0]])
    return np.array([[1 + mu - lr * lam, -mu], [1.0, 0.0]])


def radii(lrs, mus, lam, nesterov=False):
    """The factor per step for every pair of a rate and a momentum."""
    matrices = np.array([[two_point(lr, mu, lam, nesterov) for mu in mus] for lr in lrs])
    return np.abs(np.linalg.eigvals(matrices)).max(-1)


def test_the_bowl_in_numbers():
    c = theory.curvature(BOWL, (0, 0))
    assert (c.low, c.high) == pytest.approx((0.1, 2))
    assert c.condition == pytest.approx(20)
    assert theory.curvatures(BOWL) == [c]
    assert c.best_sgd[0] == pytest.approx(0.952381, abs=5e-7)
    assert c.best_sgd[1] == pytest.approx(19 / 21)


def test_curvature_elsewhere():
    camel = theory.curvatures(FUNCTIONS["three_hump_camel"])
    assert (camel[0].low, camel[0].high) == pytest.approx(
        (3 - math.sqrt(2), 3 + math.sqrt(2))
    )  # of [[4, 1], [1, 2]]
    assert len(camel) == 3
    assert theory.curvature(FUNCTIONS["rosenbrock"], (1, 1)).condition == pytest.approx(
        2508, rel=1e-3
    )
    assert theory.curvature(FUNCTIONS["saddle"], (0, 0)).low == -2
    assert theory.curvature(parse_formula("x**2 + 0*y"), (0, 0)).condition == math.inf
    assert theory.curvature(parse_formula("x**2"), (0, 0)).condition == 1  # of x alone: f″
    assert theory.curvature(FUNCTIONS["ackley"], (0, 0)) is None  # a kink
    assert theory.curvature(parse_formula("1/x"), (0, 1)) is None
    for key in ("kink", "saddle"):
        assert theory.curvatures(FUNCTIONS[key]) == []


def test_limits_are_where_the_factor_passes_one():
    lrs, lam = np.linspace(0.001, 2.2, 2200), 2.0
    for mu in (0.0, 0.5, 0.9, 0.99):
        for key, nesterov in (("momentum", False), ("nesterov", True)):
            stable = lrs[radii(lrs, [mu], lam, nesterov)[:, 0] < 1]
            assert OPTIMIZERS[key](momentum=mu).stable_lr(lam) == pytest.approx(
                stable.max(), abs=2e-3
            )
    assert (
        OPTIMIZERS["sgd"]().stable_lr(lam)
        == OPTIMIZERS["momentum"](momentum=0.0).stable_lr(lam)
        == 1.0
    )


@table(("key", "nesterov"), [("best_momentum", False), ("best_nesterov", True)])
@table(("low", "high"), [(0.1, 2.0), (2.0, 18.0), (1.0, 400.0)])
def test_no_pair_of_rate_and_momentum_beats_the_best(key, nesterov, low, high):
    best_lr, best_mu, best = getattr(theory.Curvature((0, 0), low, high), key)
    lrs, mus = np.linspace(0.01, 2.2, 160) * 2 / high, np.linspace(0, 0.995, 200)
    found = np.maximum(*(radii(lrs, mus, lam, nesterov) for lam in (low, high)))
    assert found.min() >= best - 1e-9
    assert found.min() <= best + 0.02
    at_best = max(radii([best_lr], [best_mu], lam, nesterov)[0, 0] for lam in (low, high))
    assert at_best == pytest.approx(
        best, abs=1e-6
    )  # two eigenvalues meet there: half of the digits


def test_no_rate_beats_the_best_of_sgd():
    for low, high in ((0.1, 2.0), (1.0, 1.0), (0.5, 300.0)):
        lr, factor = theory.Curvature((0, 0), low, high).best_sgd
        lrs = np.linspace(0, 2 / high, 4001)
        found = np.maximum(abs(1 - lrs * low), abs(1 - lrs * high))
        assert factor <= found.min() <= factor + 1e-3
        assert abs(lrs[found.argmin()] - lr) <= lrs[1]


def test_sgd_on_the_bowl_in_the_notes_numbers():
    """Loss after 30 steps at and beyond the limit, and the best fixed rate for 30 steps."""
    for lr, loss in (
        (0.95, 0.013326803773),
        (1.0, 4.004),
        (1.01, 13.1),
        (1.05, 1218),
        (1.1, 2.25e5),
    ):
        x, y = quadratics.sgd_on_quadratic((-7, 2), (0.1, 2), lr, 30)
        assert x**2 / 20 + y**2 == pytest.approx(loss, rel=4e-3)
    rates = np.arange(0.9, 0.96, 1e-4)
    losses = [BOWL.value(quadratics.sgd_on_quadratic((-7, 2), (0.1, 2), lr, 30)) for lr in rates]
    assert rates[np.argmin(losses)] == pytest.approx(0.9276, abs=1.5e-4)


def test_momentum_in_closed_form_in_the_notes_numbers():
    for t, point in {1: (-6.93, 1.6), 2: (-6.7977, 0.92), 30: (0.8964138585, 0.0880856017)}.items():
        assert quadratics.momentum_on_quadratic((-7, 2), (0.1, 2), 0.1, 0.9, t) == pytest.approx(
            point, abs=6e-11
        )


def lyapunov(hess, lr, mu, ahead, variance):
    """Of P = A P Aᵀ + Q the block of x, for the state (v, x); ahead: the gradient is at x + μv."""
    one, none = np.eye(2), np.zeros((2, 2))
    v = np.block([mu * one - ahead * lr * mu * hess, -lr * hess])
    a, b = np.vstack([v, np.hstack([none, one]) + v]), -lr * np.vstack([one, one])
    q = variance * b @ b.T
    return np.linalg.solve(np.eye(16) - np.kron(a, a), q.ravel()).reshape(4, 4)[2:, 2:]


@table("text", ["x**2/20 + y**2", "3*x**2 + 2*x*y + y**2/2"])
@table(
    "key, values, lr, mu, ahead",
    [
        ("sgd", {}, 0.2, 0.0, 0),
        ("momentum", {"momentum": 0.9}, 0.2, 0.9, 0),
        ("nesterov", {"momentum": 0.7}, 0.15, 0.7, 1),
    ],
)
def test_the_stationary_spread_solves_the_lyapunov_equation(text, key, values, lr, mu, ahead):
    f = parse_formula(text)
    found = theory.stationary_covariance(f, OPTIMIZERS[key](lr=lr, **values), 0.49)
    expected = lyapunov(f.hess((0.0, 0.0)), lr, mu, ahead, 0.49)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@table("noise, variance", [("gaussian", 0.25), ("uniform", 0.25 / 3), ("rare", 0.25)])
def test_many_runs_spread_as_theory_says(noise, variance):
    """On the bowl, λ = 0.1 and 2: ησ²/(λ(2 − ηλ)); 3000 runs know a variance to 2.6 %."""
    made, lr = NOISES[noise](scale=0.5), 0.5
    run = minimize(BOWL, OPTIMIZERS["sgd"](lr=lr), (0, 0), 200, made, seed=np.arange(3000))
    expected = [lr * variance / (0.1 * 1.95), lr * variance / (2 * 1.0)]
    found = theory.stationary_covariance(BOWL, run.optimizer, made.variance)
    np.testing.assert_allclose(np.diag(found), expected, rtol=1e-12)
    np.testing.assert_allclose(run.points[-1].var(0), expected, rtol=0.1)


@table(
    "f, opt",
    [
        (FUNCTIONS["himmelblau"], OPTIMIZERS["sgd"](lr=0.01)),  # no quadratic
        (parse_formula("x**2 - y**2"), OPTIMIZERS["sgd"]()),  # no minimum
        (parse_formula("x**2"), OPTIMIZERS["sgd"]()),  # no single one
        (parse_formula("sqrt(x) + y**2"), OPTIMIZERS["sgd"]()),
        (BOWL, OPTIMIZERS["sgd"](lr=1.0)),  # on the edge
        (BOWL, OPTIMIZERS["sgd"](weight_decay=0.1)),
        (BOWL, OPTIMIZERS["adam"]()),
    ],
)
def test_theory_knows_no_stationary_spread(f, opt):
    assert theory.stationary_covariance(f, opt, 1.0) is None
