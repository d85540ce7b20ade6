"""Wrappers and schedules beside loops written out by hand."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from sympy.parsing.sympy_parser import implicit_multiplication, parse_expr, standard_transformations

from optviz import FUNCTIONS, OPTIMIZERS, SCHEDULES, WRAPPERS, minimize, parse_formula
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.oracle import Oracle
from optviz.plot.equations import equations
from tests.table import table

BOWL = FUNCTIONS["bowl"]
SGD, MOMENTUM, ADAM = (OPTIMIZERS[key] for key in ("sgd", "momentum", "adam"))
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


def right_or_refused(make, shown):
    """A wrapper around its own kind may say that it cannot be, but not do something else."""
    try:
        opt = make()
    except ValueError:
        return
    np.testing.assert_allclose(minimize(BOWL, opt, (-7, 2), 20).points[:, 0], shown, rtol=1e-13)


def test_averaging_twice():
    x, once, twice = -7.0, -7.0, [-7.0]
    for _ in range(20):
        x -= 0.9 * x / 10
        once = 0.8 * once + 0.2 * x
        twice.append(0.5 * twice[-1] + 0.5 * once)
    right_or_refused(lambda: AVERAGED(AVERAGED(SGD(lr=0.9), decay=0.8), decay=0.5), twice)


def test_lookahead_twice():
    x, inner, outer, shown = -7.0, -7.0, -7.0, [-7.0]
    for t in range(1, 21):
        x -= 0.9 * x / 10
        if t % 2 == 0:
            x = inner = inner + 0.5 * (x - inner)
        if t % 6 == 0:
            x = outer = outer + 0.5 * (x - outer)
        shown.append(x)
    right_or_refused(lambda: LOOKAHEAD(LOOKAHEAD(SGD(lr=0.9), every=2), every=6), shown)


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


# --- schedules ---

FACTORS = {
    "constant": ({}, {0: 1, 99: 1}),
    "step": (
        {"gamma": 0.5, "every": 10, "first": 20},
        {0: 1, 19: 1, 20: 0.5, 29: 0.5, 30: 0.25, 40: 0.125},
    ),
    "exponential": ({"rate": 0.1}, {0: 1, 10: math.exp(-1), 20: math.exp(-2)}),
    "inverse_time": ({"rate": 0.5}, {0: 1, 2: 1 / 2, 18: 1 / 10}),
    "linear": ({"steps": 10, "floor": 0.2}, {0: 1, 5: 0.6, 10: 0.2, 50: 0.2}),
    "cosine": ({"steps": 12, "floor": 0.2}, {0: 1, 4: 0.8, 6: 0.6, 8: 0.4, 12: 0.2, 50: 0.2}),
    "cyclic": (
        {"period": 12, "floor": 0.2},
        {0: 1, 4: 0.8, 6: 0.6, 8: 0.4, 12: 1, 16: 0.8, 24: 1, 32: 0.4},
    ),
    "warmup": ({"steps": 4}, {0: 0.25, 1: 0.5, 3: 1, 4: 1, 50: 1}),
    "growth": ({"decades": 2.0, "steps": 4}, {0: 0.01, 1: 0.1**1.5, 2: 0.1, 4: 1, 50: 1}),
    "warmup_cosine": (
        {"warmup": 2, "steps": 8, "floor": 0.2},
        {0: 0.5, 2: 1, 4: 0.8, 5: 0.6, 8: 0.2},
    ),
    "warmup_stable_decay": (
        {"warmup": 2, "stable": 1, "decay": 4, "floor": 0.2},
        {0: 0.5, 2: 1, 3: 1, 4: 0.8, 5: 0.6, 7: 0.2, 50: 0.2},
    ),
    "one_cycle": ({"steps": 6, "rise": 0.5}, {0: 0.04, 1: 0.52, 2: 1, 5: 4e-6, 50: 4e-6}),
    "restarts": (
        {"period": 2, "growth": 2, "floor": 0.2},
        {0: 1, 1: 0.6, 2: 1, 4: 0.6, 6: 1, 10: 0.6},
    ),
}


@table("key", SCHEDULES)
def test_factors_by_hand(key):
    chosen, factors = FACTORS[key]
    schedule = SCHEDULES[key](**chosen)
    assert [schedule(t) for t in factors] == pytest.approx(list(factors.values()), rel=1e-13)


LATEX = {
    r"(\w+) \\bmod (\w+)": r"Mod(\1, \2)",
    r"\\[bB]ig|\\[,;]": " ",
    r"\\tfrac\{1\}\{2\}": "(1/2)",
    r"\(([^()]*)\)\^\+": r"Max(0, \1)",
    r"\\frac\{([^{}]*)\}\{([^{}]*)\}": r"((\1)/(\2))",
    r"\\lfloor(.*)\\rfloor": r"floor(\1)",
    r"\be\^\{(.*)\}": r"exp(\1)",
    r"\^\{(.*)\}": r"**(\1)",
    r"\\(min|max) ?\(": lambda m: m[1].title() + "(",
    r"\\([a-z]+)": r"\1",
}


@table("key", [k for k in SCHEDULES if k not in ("one_cycle", "restarts")])  # in several parts
def test_the_formula_that_is_shown_is_the_schedule(key):
    """SymPy reads it; also where a schedule that ends has ended."""
    chosen, _factors = FACTORS[key]
    schedule = SCHEDULES[key](**chosen)
    [formula] = equations(type(schedule))
    for pattern, code in LATEX.items():
        formula = re.sub(pattern, code, formula)
    values = {
        k.symbol.lstrip("\\"): getattr(schedule, k.name) for k in hyperparameters(type(schedule))
    }
    known = {name: sp.Symbol(name) for name in (*values, "t")}
    more = (*standard_transformations, implicit_multiplication)
    expr = parse_expr(formula, known | {"gamma": sp.Symbol("gamma")}, more)
    for t in (0, 1, 2, 3, 5, 7, 11, 12, 19, 20, 31, 90):
        found = expr.subs({known[k]: v for k, v in values.items()} | {known["t"]: t})
        assert float(found) == pytest.approx(schedule(t), rel=1e-12), t


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


def turned(opt, name, value):
    """`opt` with one hyperparameter set, its own or that of the optimizer inside."""
    if hasattr(opt, name):
        return replace(opt, **{name: value})
    return replace(opt, inner=replace(opt.inner, **{name: value}))


def scheduled():
    opts = [(cls(lr=0.3), hyperparameters(cls)) for cls in OPTIMIZERS.values()]
    opts += [
        (cls(ADAM(lr=0.3)), (*hyperparameters(cls), *hyperparameters(ADAM)))
        for cls in WRAPPERS.values()
    ]
    for opt, ks in opts:
        for k in ks:
            if k.kind is float and k.name not in opt.initial:
                value = 0.3 if k.name == "lr" else max(k.default, 1.0 if k.name == "eps" else 0.05)
                yield opt, k.name, value


@table(("opt", "name", "value"), scheduled())
def test_any_float_knob_can_be_scheduled(opt, name, value):
    """Beside a loop that turns the hyperparameter by hand."""
    opt = turned(opt, name, value)
    run = minimize(BOWL, opt, (-7, 2), 25, schedule={name: SCHEDULES["warmup"](steps=20)})
    x, shown = np.array([-7.0, 2.0]), [(-7, 2)]
    state = opt.init(x)
    for t in range(25):
        now = turned(opt, name, value * min(1, (t + 1) / 20))
        with np.errstate(all="ignore"):
            x, state = now.step(Oracle(BOWL), x, state)
        shown.append(x)
    np.testing.assert_allclose(run.points, shown, rtol=1e-9, atol=1e-9)
    assert not np.allclose(run.points, minimize(BOWL, opt, (-7, 2), 25).points)


def test_the_rate_is_inside_the_velocity():
    """On a slope of 1 with rates 1 and 1/2: v = -1, then .8·(-1) - .5. Outside it would be .5·(-1.8)."""
    run = minimize(
        parse_formula("x"),
        MOMENTUM(lr=1.0, momentum=0.8),
        (0, 0),
        2,
        schedule=SCHEDULES["step"](0.5, 1, 1),
    )
    assert run.points[:, 0] == pytest.approx([0, -1, -2.3])


@table("name", ["beta1", "beta2"])
@table("key", ["adam", "amsgrad", "adamw", "adamax"])
def test_bias_correction_stays_right_when_beta_is_scheduled(key, name):
    """On a constant slope the corrected means are the slope itself, whatever β does: every step is lr long."""
    hyperparameter = {"eps": 1e-10, "lr": 0.1, **({"weight_decay": 0.0} if key == "adamw" else {})}
    opt = OPTIMIZERS[key](**hyperparameter)
    run = minimize(
        parse_formula("x"), opt, (0, 0), 20, schedule={name: SCHEDULES["cosine"](steps=30)}
    )
    np.testing.assert_allclose(run.points[:, 0], -0.1 * np.arange(21), rtol=1e-8)


def test_two_knobs_at_once_and_the_plain_schedule_is_of_the_rate():
    warmup = SCHEDULES["warmup"](steps=4)
    x, v, shown = -7.0, 0.0, [-7.0]
    for t in range(8):
        lr, mu = 0.5 * min(1, (t + 1) / 4), 0.9 * math.exp(-0.1 * t)
        v = mu * v - lr * x / 10
        x += v
        shown.append(x)
    both = {"lr": warmup, "momentum": SCHEDULES["exponential"](rate=0.1)}
    run = minimize(BOWL, MOMENTUM(lr=0.5), (-7, 0), 8, schedule=both)
    np.testing.assert_allclose(run.points[:, 0], shown, rtol=1e-13)
    plain, named = (
        minimize(BOWL, SGD(lr=0.5), (-7, 0), 8, schedule=s).points for s in (warmup, {"lr": warmup})
    )
    assert np.array_equal(plain, named)
