"""Schedules step by step, beside the formulas that are shown, and what they make of a run."""

import math
import re

import numpy as np
import pytest
import sympy as sp
from sympy.parsing.sympy_parser import implicit_multiplication, parse_expr, standard_transformations

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, SCHEDULES, WRAPPERS, minimize, parse_formula
from optviz.optim.base import with_hyperparameter
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.oracle import Oracle
from optviz.plot.equations import equations
from tests.table import table

BOWL = FUNCTIONS["bowl"]
SGD, MOMENTUM, ADAM = (OPTIMIZERS[key] for key in ("sgd", "momentum", "adam"))

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


IN_PARTS = ("one_cycle", "restarts")  # more than one formula


@table("key, settings, factors", [row for row in (*BY_HAND, *BY_TORCH) if row[0] not in IN_PARTS])
def test_the_formula_that_is_shown_is_the_schedule(key, settings, factors):
    """SymPy reads it; also where a schedule that ends has ended."""
    schedule = SCHEDULES[key](**settings)
    [formula] = equations(type(schedule))
    for pattern, code in LATEX.items():
        formula = re.sub(pattern, code, formula)
    values = {
        k.symbol.lstrip("\\"): getattr(schedule, k.name) for k in hyperparameters(type(schedule))
    }
    known = {name: sp.Symbol(name) for name in (*values, "t")}
    more = (*standard_transformations, implicit_multiplication)
    expr = parse_expr(formula, known | {"gamma": sp.Symbol("gamma")}, more)
    for t in {0, 1, 3, 90, *factors}:
        found = expr.subs({known[k]: v for k, v in values.items()} | {known["t"]: t})
        assert float(found) == pytest.approx(schedule(t), rel=1e-12), t


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
    opt = with_hyperparameter(opt, name, value)
    run = minimize(BOWL, opt, (-7, 2), 25, schedule={name: SCHEDULES["warmup"](steps=20)})
    x, points = np.array([-7.0, 2.0]), [(-7, 2)]
    state = opt.init(x)
    for t in range(25):
        scheduled_opt = with_hyperparameter(opt, name, value * min(1, (t + 1) / 20))
        with np.errstate(all="ignore"):
            x, state = scheduled_opt.step(Oracle(BOWL), x, state)
        points.append(x)
    np.testing.assert_allclose(run.points, points, rtol=1e-9, atol=1e-9)
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
