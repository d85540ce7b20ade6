"""Where the answer is known on paper: quadratics, their stability limits, and the best that can be done."""

import math
from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, WRAPPERS, minimize, parse_formula
from optviz.optim import theory
from tests.table import table

BOWL, BOOTH, MATYAS, TILTED = (FUNCTIONS[key] for key in ("bowl", "booth", "matyas", "tilted_bowl"))
# Hessians worked out by hand, minimum
QUADRATICS = [
    (BOWL, [[0.1, 0], [0, 2]], (0, 0)),
    (BOOTH, [[10, 8], [8, 10]], (1, 3)),
    (MATYAS, [[0.52, -0.48], [-0.48, 0.52]], (0, 0)),
    (TILTED, [[1.05, -0.95], [-0.95, 1.05]], (0, 0)),
]
AT = (-3.5, 2.25)
NAMES = [f.key for f, _, _ in QUADRATICS]


def linear_iteration(key, hess, lr, mu):
    """The matrix that one step applies to (v, x), the distances from the minimum, in two dimensions."""
    one, hess = np.eye(2), np.array(hess, float)
    if key == "sgd":
        return np.block([[0 * one, -lr * hess], [0 * one, one - lr * hess]])
    if key == "momentum":
        return np.block([[mu * one, -lr * hess], [mu * one, one - lr * hess]])
    return np.block(
        [[mu * (one - lr * hess), -lr * hess], [mu * (one - lr * hess), one - lr * hess]]
    )  # Nesterov


def make(key, lr, mu):
    return OPTIMIZERS[key](lr=lr) if key == "sgd" else OPTIMIZERS[key](lr=lr, momentum=mu)


@table("t", [0, 1, 2, 7, 30])
def test_sgd_on_the_bowl_by_formula(t):
    for lr in (0.1, 0.95, 1.1):
        point = minimize(BOWL, OPTIMIZERS["sgd"](lr=lr), (-7, 2), 30).points[t]
        assert point == pytest.approx([-7 * (1 - lr / 10) ** t, 2 * (1 - 2 * lr) ** t], rel=1e-12)


@table(("f", "hess", "minimum"), QUADRATICS)
@table("key", ["sgd", "momentum", "nesterov"])
def test_linear_iteration_in_matrices(key, f, hess, minimum):
    lr, mu, steps = 0.05, 0.8, 40
    points = minimize(f, make(key, lr, mu), AT, steps).points
    state, matrix = np.array([0, 0, *np.subtract(AT, minimum)]), linear_iteration(key, hess, lr, mu)
    for point in points:
        np.testing.assert_allclose(point, state[2:] + minimum, rtol=0, atol=1e-12)
        state = matrix @ state


@table(("f", "hess", "minimum"), QUADRATICS)
def test_curvature_is_that_of_the_hessian_by_hand(f, hess, minimum):
    curvature = theory.curvature(f, minimum)
    assert (curvature.low, curvature.high) == pytest.approx(np.linalg.eigvalsh(hess), rel=1e-9)
    assert curvature.condition == pytest.approx(np.linalg.cond(hess), rel=1e-9)


def limited():
    """Optimizers, plain, with other hyperparameters, and wrapped, whose limit is known."""
    for cls in OPTIMIZERS.values():
        if cls().stable_lr(1.0) is None:
            continue
        yield cls()
        if hasattr(cls(), "momentum"):
            yield cls(momentum=0.5)
        if hasattr(cls(), "damping"):
            yield cls(damping=3.0)
            if cls(line_search=True).stable_lr(1.0) is not None:
                yield cls(line_search=True)
        for wrap in WRAPPERS.values():
            if wrap(cls()).stable_lr(1.0) is not None:
                yield wrap(cls())


@table("opt", limited())
@table("curvature", [0.1, 2.0, 36.0])
def test_limit_of_stability(opt, curvature):
    """Just below the limit a small offset fades, just above it grows."""
    f = parse_formula(f"{curvature / 2}*(x**2 + y**2)")
    limit = opt.stable_lr(curvature)
    for factor, grows in ((0.98, False), (1.02, True)):
        run = minimize(f, opt.scaled("lr", factor * limit / lr_of(opt)), (1e-6, -2e-6), 500)
        first, last = (np.abs(part).max() for part in (run.points[:20], run.points[-20:]))
        assert (last > 2 * first) == grows
        assert (last < first / 2) == (not grows)


def lr_of(opt):
    return opt.lr if hasattr(opt, "lr") else opt.inner.lr


@table("damping", [0.0, 1.0, 50.0])
@table(("f", "hess", "minimum"), QUADRATICS)
def test_newton_step_by_linear_algebra(f, hess, minimum, damping):
    hess = np.array(hess, float)
    x = np.array(AT)
    expected = x - np.linalg.solve(hess + damping * np.eye(2), hess @ (x - minimum))
    for opt in (
        OPTIMIZERS["newton"](damping=damping),
        OPTIMIZERS["newton"](damping=damping, saddle_free=True),
    ):
        np.testing.assert_allclose(minimize(f, opt, AT, 1).points[1], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("key", ["bfgs", "lbfgs"])
def test_quasi_newton_ends_a_quadratic_within_a_few_steps(key):
    for f, _, minimum in QUADRATICS:
        run = minimize(f, OPTIMIZERS[key](), AT, 25)
        np.testing.assert_allclose(run.points[-1], minimum, atol=1e-7)


def test_limit_of_an_array_of_knobs():
    mu = np.array([[0.0], [0.5], [0.9]])
    opt = OPTIMIZERS["momentum"](momentum=mu)
    for factor, grows in ((0.98, False), (1.02, True)):
        run = minimize(BOWL, replace(opt, lr=factor * opt.stable_lr(2.0)), (0, 1), 500)
        assert ((np.abs(run.points[-1][:, 1]) > 1) == grows).all()


# The iterations below are written in the last two points, not in point and velocity.


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


@table(("key", "nesterov"), [("momentum", False), ("nesterov", True)])
@table("mu", [0.0, 0.5, 0.9, 0.99])
def test_limits_are_where_the_factor_passes_one(key, nesterov, mu):
    limit = OPTIMIZERS[key](momentum=mu).stable_lr(2.0)
    below, above = radii([(1 - 1e-6) * limit, (1 + 1e-6) * limit], [mu], 2.0, nesterov)[:, 0]
    assert below < 1 < above
    assert mu or limit == OPTIMIZERS["sgd"]().stable_lr(2.0) == 1.0


@table(("key", "nesterov"), [("best_momentum", False), ("best_nesterov", True)])
@table(("low", "high"), [(0.1, 2.0), (2.0, 18.0), (1.0, 400.0)])
def test_no_pair_of_rate_and_momentum_beats_the_best(key, nesterov, low, high):
    best_lr, best_mu, best = getattr(theory.Curvature((0, 0), low, high), key)
    lrs, mus = np.linspace(0.01, 2.2, 160) * 2 / high, np.linspace(0, 0.995, 200)
    factors = np.maximum(*(radii(lrs, mus, lam, nesterov) for lam in (low, high)))
    assert factors.min() >= best - 1e-9
    assert factors.min() <= best + 0.02
    at_best = max(radii([best_lr], [best_mu], lam, nesterov)[0, 0] for lam in (low, high))
    assert at_best == pytest.approx(
        best, abs=1e-6
    )  # two eigenvalues meet there: half of the digits


def test_no_rate_beats_the_best_of_sgd():
    for low, high in ((0.1, 2.0), (1.0, 1.0), (0.5, 300.0)):
        lr, factor = theory.Curvature((0, 0), low, high).best_sgd
        lrs = np.linspace(0, 2 / high, 4001)
        factors = np.maximum(abs(1 - lrs * low), abs(1 - lrs * high))
        assert factor <= factors.min() <= factor + 1e-3
        assert abs(lrs[factors.argmin()] - lr) <= lrs[1]


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
    """On the bowl, λ = 0.1 and 2: ησ²/(λ(2 − ηλ)); 3000 runs know a variance to 2.6%."""
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
