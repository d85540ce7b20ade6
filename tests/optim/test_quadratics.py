"""Where the answer is known on paper: quadratics, their stability limits, and the best that can be done."""

from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, WRAPPERS, minimize, parse_formula
from optviz.optim import theory
from tests.optim import quadratics
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
        assert quadratics.sgd_on_quadratic((-7, 2), (0.1, 2), lr, t) == pytest.approx(
            point, rel=1e-12
        )


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
def test_theory_closed_forms_in_the_eigenbasis(f, hess, minimum):
    eigenvalues, axes = np.linalg.eigh(hess)
    offset = axes.T @ np.subtract(AT, minimum)
    for t in (0, 1, 5, 40):
        sgd = minimize(f, OPTIMIZERS["sgd"](lr=0.05), AT, t).points[t]
        closed = axes @ quadratics.sgd_on_quadratic(offset, eigenvalues, 0.05, t) + minimum
        np.testing.assert_allclose(sgd, closed, rtol=0, atol=1e-12)
        ball = minimize(f, OPTIMIZERS["momentum"](lr=0.05, momentum=0.8), AT, t).points[t]
        closed = (
            axes @ quadratics.momentum_on_quadratic(offset, eigenvalues, 0.05, 0.8, t) + minimum
        )
        np.testing.assert_allclose(ball, closed, rtol=0, atol=1e-12)


@table(("f", "hess", "minimum"), QUADRATICS)
def test_curvature_is_that_of_the_hessian_by_hand(f, hess, minimum):
    found = theory.curvature(f, minimum)
    assert (found.low, found.high) == pytest.approx(np.linalg.eigvalsh(hess), rel=1e-9)
    assert found.condition == pytest.approx(np.linalg.cond(hess), rel=1e-9)


def radius(key, hess, lr, mu):
    """Factor per step in the long run: the largest eigenvalue of the iteration."""
    return np.abs(np.linalg.eigvals(linear_iteration(key, hess, lr, mu))).max()


@table(("f", "hess", "minimum"), QUADRATICS)
@table("key", ["sgd", "momentum", "nesterov"])
def test_best_knobs_have_the_factor_claimed_and_no_neighbor_beats_them(key, f, hess, minimum):
    best = getattr(theory.curvature(f, minimum), f"best_{key}")
    lr, mu, factor = best if key != "sgd" else (best[0], 0.0, best[1])
    # at the best hyperparameters two eigenvalues meet, so that they are known to half of the digits only
    assert radius(key, hess, lr, mu) == pytest.approx(factor, abs=1e-6)
    for a in (0.8, 0.95, 0.99, 1.01, 1.05, 1.2):
        assert radius(key, hess, lr * a, mu) > factor
        assert key == "sgd" or radius(key, hess, lr, 1 - (1 - mu) * a) > factor


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


def test_limits_by_formula():
    lam, mu = 2.0, 0.9
    assert OPTIMIZERS["sgd"]().stable_lr(lam) == pytest.approx(1.0)
    assert OPTIMIZERS["momentum"](momentum=mu).stable_lr(lam) == pytest.approx(2 * (1 + mu) / lam)
    assert OPTIMIZERS["nesterov"](momentum=mu).stable_lr(lam) == pytest.approx(
        2 * (1 + mu) / (lam * (1 + 2 * mu))
    )


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


def test_noise_leaves_sgd_with_the_spread_of_an_autoregression():
    """x ← (1 − ηλ)x + ηξ with Var ξ = a²/3 comes to the variance η²a²/3 / (1 − (1 − ηλ)²)."""
    lr, a, lam = 0.1, 2.0, np.array([0.1, 2.0])
    variance = lr**2 * a**2 / 3 / (1 - (1 - lr * lam) ** 2)
    opt, noise = OPTIMIZERS["sgd"](lr=lr), NOISES["uniform"](scale=a)
    points = minimize(BOWL, opt, (0, 0), 1500, noise=noise, seed=np.arange(200)).points[500:]
    np.testing.assert_allclose(points.var((0, 1)), variance, rtol=0.05)


def test_limit_of_an_array_of_knobs():
    mu = np.array([[0.0], [0.5], [0.9]])
    opt = OPTIMIZERS["momentum"](momentum=mu)
    for factor, grows in ((0.98, False), (1.02, True)):
        run = minimize(BOWL, replace(opt, lr=factor * opt.stable_lr(2.0)), (0, 1), 500)
        assert ((np.abs(run.points[-1][:, 1]) > 1) == grows).all()
