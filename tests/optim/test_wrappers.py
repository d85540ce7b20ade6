"""Wrappers beside loops written out by hand."""

import math

import numpy as np
import pytest

from optviz import FUNCTIONS, OPTIMIZERS, WRAPPERS, minimize
from tests.table import table

BOWL = FUNCTIONS["bowl"]
SGD, MOMENTUM = OPTIMIZERS["sgd"], OPTIMIZERS["momentum"]
AVERAGED, LOOKAHEAD, CLIPPED = (WRAPPERS[key] for key in ("averaged", "lookahead", "clipped"))


def slope(x, y):
    return x / 10, 2 * y


def test_averaging_of_sgd():
    x, y, shown = -7.0, 2.0, [(-7.0, 2.0)]
    for _ in range(20):
        gx, gy = slope(x, y)
        x, y = x - 0.9 * gx, y - 0.9 * gy
        shown.append((0.8 * shown[-1][0] + 0.2 * x, 0.8 * shown[-1][1] + 0.2 * y))
    run = minimize(BOWL, AVERAGED(SGD(lr=0.9), decay=0.8), (-7, 2), 20)
    np.testing.assert_allclose(run.points, shown, rtol=1e-13)
    assert run.gradients[-1] == pytest.approx(
        [-0.7 * 0.91**19, 4 * (-0.8) ** 19]
    )  # asked for at the iterate itself


def test_lookahead_of_sgd():
    x, y, shown = -7.0, 2.0, [(-7.0, 2.0)]
    slow = x, y
    for t in range(1, 21):
        gx, gy = slope(x, y)
        x, y = x - 0.9 * gx, y - 0.9 * gy
        if t % 3 == 0:
            x, y = slow = slow[0] + 0.25 * (x - slow[0]), slow[1] + 0.25 * (y - slow[1])
        shown.append((x, y))
    run = minimize(BOWL, LOOKAHEAD(SGD(lr=0.9), every=3, alpha=0.25), (-7, 2), 20)
    np.testing.assert_allclose(run.points, shown, rtol=1e-13)


@pytest.mark.parametrize("longest", [0.5, 2.0, 50.0])
def test_clipping_of_momentum(longest):
    x, y, vx, vy, shown = -7.0, 2.0, 0.0, 0.0, [(-7.0, 2.0)]
    for _ in range(20):
        gx, gy = slope(x, y)
        cut = min(1.0, longest / math.hypot(gx, gy))
        vx, vy = 0.9 * vx - 0.2 * cut * gx, 0.9 * vy - 0.2 * cut * gy
        x, y = x + vx, y + vy
        shown.append((x, y))
    run = minimize(BOWL, CLIPPED(MOMENTUM(lr=0.2), max_norm=longest), (-7, 2), 20)
    np.testing.assert_allclose(run.points, shown, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        run.gradients[0], (-0.7, 4), rtol=1e-15
    )  # recorded as it was before clipping


@table("size", [1e3, 1e150, 1e200, 1e300])
def test_clipping_keeps_the_direction_of_a_gradient_of_any_size(size):
    class Steep:
        def grad(self, x):
            return np.broadcast_to(np.array([3.0, 4.0]) * size, x.shape)

        value = hess = None

    with np.errstate(all="ignore"):
        x, _ = CLIPPED(SGD(lr=1.0), max_norm=2.0).step(Steep(), np.zeros(2), {})
    np.testing.assert_allclose(x, (-1.2, -1.6), rtol=1e-12)


@table("cls", WRAPPERS.values())
def test_a_wrapper_stands_around_no_other_of_its_kind(cls):
    between = next(other for other in WRAPPERS.values() if other is not cls)
    for inside in (cls(SGD()), between(cls(SGD()))):
        with pytest.raises(ValueError, match=f"{cls.__name__} stands around itself"):
            cls(inside)
    with pytest.raises(ValueError, match="needs an optimizer inside, not None"):
        cls()


@table("key", OPTIMIZERS)
def test_wrappers_that_do_nothing(key):
    bare = minimize(BOWL, OPTIMIZERS[key](), (-7, 2), 12)
    for wrapped, idle in (
        (AVERAGED, {"decay": 0.0}),
        (LOOKAHEAD, {"alpha": 1.0}),
        (CLIPPED, {"max_norm": 1e9}),
    ):
        if wrapped.of_gradient and key == "nelder_mead":
            continue
        run = minimize(BOWL, wrapped(OPTIMIZERS[key](), **idle), (-7, 2), 12)
        np.testing.assert_allclose(run.points, bare.points, rtol=0, atol=1e-9)
        np.testing.assert_allclose(run.lookahead, bare.lookahead, rtol=0, atol=1e-9)
        # with the slow point on its way to where the other one rests, nothing is at rest, and the
        # last digits decide how long conjugate gradients search in a minimum of 0
        if key != "cg" and (wrapped is not LOOKAHEAD or key not in ("newton", "bfgs", "lbfgs")):
            assert run.evaluations == bare.evaluations


@table("key", ["sgd", "nesterov", "adam"])
@table("wrap", [AVERAGED, LOOKAHEAD, CLIPPED])
def test_lookahead_points_are_where_the_gradient_is_asked_for(wrap, key):
    run = minimize(BOWL, wrap(OPTIMIZERS[key]()), (-7, 2), 12)
    np.testing.assert_allclose(run.gradients, run.lookahead[:-1] * (0.1, 2), rtol=1e-13)


@table("key", ["sgd", "adam"])
def test_cautious_on_a_function_takes_the_step_or_two_thirds_of_it(key):
    """From the paper's n/(k + 1): of two coordinates two agree at first, later one or none."""
    cautious, x = WRAPPERS["cautious"](OPTIMIZERS[key](lr=0.9)), np.array([-7.0, 2.0])
    state, seen = cautious.init(x), set()
    for _ in range(30):
        g = np.array(slope(*x))
        bare, _ = cautious.inner.step(BOWL, x, state)
        x_next, state = cautious.step(BOWL, x, state)
        agree = (x - bare) * g > 0
        seen.add(int(agree.sum()))
        wanted = np.where(agree, (bare - x) * {2: 2 / 3, 1: 1, 0: 0}[int(agree.sum())], 0)
        np.testing.assert_allclose(x_next - x, wanted, rtol=1e-12, atol=1e-300)
        x = x_next
    assert 2 in seen
    assert key == "sgd" or 1 in seen
