"""Minima that are found, what is said of a path's end, limits of stability: against values by hand
and of mpmath."""

import numpy as np
import pytest

from optviz import (
    FUNCTIONS,
    NOISES,
    OPTIMIZERS,
    SCHEDULES,
    WRAPPERS,
    find_minima,
    minimize,
    parse_formula,
    summarize,
)
from optviz.optim import theory
from optviz.optim.minima import minima_of
from tests.table import table


def function(key):
    return FUNCTIONS.get(key) or parse_formula(key)


def ended(key, optimizer, start, steps, tolerance=1e-3, scale=0.0, schedule=None, **settings):
    opt, noise = OPTIMIZERS[optimizer](**settings), NOISES["uniform"](scale=scale)
    run = minimize(function(key), opt, start, steps, noise, schedule)
    return summarize(run, tolerance)


# Minima: all of them in the domain, by hand or from the roots of the gradient (mpmath).

A, B = -2.9035340277711783, 2.7468027709908376  # 4x³ − 32x + 5 = 0
NEAR, FAR = 1.3049954504376675, 4.9781898567419190  # tan x = −2(x − π)


@table(
    ("key", "lowest", "local"),
    [
        ("bowl", [(0, 0)], []),
        ("saddle", [], []),
        ("monkey_saddle", [], []),
        ("double_well", [(2, 0)], [(-1, 0)]),
        ("goldstein_price", [(0, -1)], [(-0.6, -0.4), (1.8, 0.2), (1.2, 0.8)]),
        ("styblinski_tang", [(A, A)], [(A, B), (B, A), (B, B)]),
        (
            "six_hump_camel",
            [(0.0898420131, -0.7126564030), (-0.0898420131, 0.7126564030)],
            [
                (1.7036067150, -0.7960835687),
                (-1.7036067150, 0.7960835687),
                (1.6071047529, 0.5686514549),
                (-1.6071047529, -0.5686514549),
            ],
        ),
        ("mccormick", [(-0.5471975512, -1.5471975512)], [(2.5943951024, 1.5943951024)]),
        ("easom", [(np.pi, np.pi)], [(NEAR, NEAR), (NEAR, FAR), (FAR, NEAR), (FAR, FAR)]),
        ("x^4 + y^4", [(0, 0)], []),
        ("x^2 + y^4 + 1", [(0, 0)], []),
        ("(x - 1)^6 + (y + 2)^2", [(1, -2)], []),
        ("abs(x) + abs(y)", [(0, 0)], []),
        ("sqrt(x^2 + y^2)", [(0, 0)], []),
        ("sqrt((x - 1)^2 + (y + 2)^2) + 3", [(1, -2)], []),
        ("10*abs(x - y) + abs(x + y)", [(0, 0)], []),
        ("max(abs(x - 1), abs(y + 2))", [(1, -2)], []),
        ("abs(y - x^2) + (1 - x)^2/10", [(1, 1)], []),
        ("100*(y - x^2)^2 + (1 - x)^2", [(1, 1)], []),
        ("x^3 - 3*x + y^2", [], [(1, 0)]),  # at x = −5 it is lower
        ("-exp(-10*(x^2 + y^2))", [(0, 0)], []),
        *((f, [], []) for f in ("x*0 + 3", "x", "1/x", "1/(x*y)", "-x^4 - y^4", "log(abs(x))")),
    ],
)
def test_every_minimum_is_found(key, lowest, local):
    minima = minima_of(function(key))
    assert not minima.on_curve.any()
    assert minima.lowest.tolist() == [True] * len(lowest) + [False] * len(local)
    for expected, points in (
        (lowest, minima.points[minima.lowest]),
        (local, minima.points[~minima.lowest]),
    ):
        for at in expected:
            assert np.abs(points - at).max(-1).min() < (2e-5 if "abs" in key else 1e-8), at
    assert np.array_equal(find_minima(function(key)), minima.points)


def bottoms(values):
    """How many of a line's values are lower than both beside them."""
    return int(((values[1:-1] < values[:-2]) & (values[1:-1] < values[2:])).sum())


@table("key", ["rastrigin", "levy"])
def test_a_sum_of_two_lines_has_as_many_as_their_bottoms_multiply_to(key):
    f = FUNCTIONS[key]
    x, y = (np.linspace(low, high, 20_001) for low, high in f.domain)
    across = bottoms(f.value(np.stack([x, 0 * x + f.minima[0, 1]], -1)))
    along = bottoms(f.value(np.stack([0 * y + f.minima[0, 0], y], -1)))
    minima = minima_of(f)
    assert (len(minima), minima.lowest.sum()) == (across * along, 1)
    assert len(find_minima(FUNCTIONS["ackley"])) == 121, "a dimple around every whole point"


@table(
    ("formula", "height", "off"),
    [
        ("(x^2 + y^2 - 1)^2", 0.0, lambda x, y: np.hypot(x, y) - 1),
        ("(x - 2*y)^2", 0.0, lambda x, y: x - 2 * y),
        ("(y - x^2)^2", 0.0, lambda x, y: y - x**2),
        ("abs(x)", 0.0, lambda x, y: x),
        ("x^4 - 3*x^2 + x", -3.51390503893479, lambda x, y: x + 1.30083956594157712623),
    ],
)
def test_a_curve_of_minima_is_one(formula, height, off):
    minima = minima_of(parse_formula(formula))
    lowest = minima.points[minima.lowest]
    assert minima.on_curve.all()
    assert len(lowest) > 20
    assert np.abs(off(*lowest.T)).max() < 1e-7
    assert minima.floor == pytest.approx(height, abs=1e-12)
    assert len(minima.places[minima.lowest[minima.places]]) == 1


def test_the_distance_to_a_line_of_minima_is_to_the_line():
    minima = minima_of(parse_formula("(x - 2*y)^2"))
    away = np.array([2.0, 1.0]) + 0.3 * np.array([1.0, -2.0]) / np.sqrt(5)
    assert minima.distance(away) == pytest.approx(0.3, rel=1e-9)


# How a path ends.

PLAIN, RING = (-0.5, -0.5), "(x^2 + y^2 - 1)^2"


@table(
    ("key", "optimizer", "settings", "start", "steps", "status"),
    [
        ("mccormick", "newton", {"line_search": True}, (2.99, -2.98), 30, "left_domain"),
        ("x^3 - 3*x + y^2", "adam", {"lr": 0.1}, (-3, 1), 40, "left_domain"),
        ("x^3 - 3*x + y^2", "adam", {"lr": 0.1}, (-3, 1), 15, "below_known_minimum"),
        ("x^3 - 3*x + y^2", "sgd", {"lr": 0.1}, (2, 1), 100, "converged"),
        ("bowl", "momentum", {"lr": 0.1, "momentum": 0.99}, (-7, 2), 267, "moving"),
        ("bowl", "momentum", {"lr": 0.1, "momentum": 0.99}, (-7, 2), 2000, "converged"),
        ("bowl", "adam", {"lr": 0.3}, (-7, 2), 63, "moving"),
        ("himmelblau", "newton", {}, (-0.27, -0.92), 30, "at_maximum"),
        ("himmelblau", "newton", {}, (0.1, 2.9), 30, "at_saddle"),
        ("double_well", "sgd", {"lr": 0.1}, (-2, 1), 300, "at_minimum"),
        ("easom", "sgd", {"lr": 0.1}, PLAIN, 30, "flat"),
        ("easom", "adam", {}, PLAIN, 30, "flat"),
        ("easom", "momentum", {}, (0, 0), 100, "flat"),
        ("x*0 + 3", "sgd", {}, (1, 1), 30, "flat"),
        ("saddle", "sgd", {"lr": 0.1}, (1, 0), 200, "at_saddle"),
        ("saddle", "sgd", {"lr": 0.1}, (1, 1e-12), 60, "moving"),  # level, but it slides off
        ("monkey_saddle", "newton", {}, (0.9, 0.05), 40, "at_saddle"),  # no curvature there
        ("(x^2 - 1)^4 + 0.3*x + y^2", "sgd", {"lr": 0.01}, (1, 1), 1000, "at_minimum"),
        ("x^4 - 3*x^2 + x", "sgd", {"lr": 0.01}, (-2, 1), 300, "converged"),
        ("x^4 - 3*x^2 + x", "sgd", {"lr": 0.01}, (2, 1), 300, "at_minimum"),
        ("x^4 - 3*x^2 + x", "newton", {}, (0.2, 1), 50, "at_maximum"),
        ("abs(x) + abs(y)", "sgd", {"lr": 0.1}, (3.05, 2.05), 100, "moving"),
        ("log(x) + y^2", "sgd", {"lr": 1.0}, (2, 1), 30, "undefined"),
        ("rosenbrock", "sgd", {"lr": 0.95}, (-1.2, 1), 30, "diverged"),
    ],
)
def test_the_status(key, optimizer, settings, start, steps, status):
    summary = ended(key, optimizer, start, steps, **settings)
    assert summary.status.value == status
    assert (summary.steps_to_tolerance is not None) == (status == "converged")


@table("start", [(0.5, 0.3), (2.0, 0.1), (-1.2, 0.4), (0.1, -0.1), (0.0, 1.5), (-0.7, -0.9)])
def test_on_a_ring_of_minima_the_verdict_is_the_same_from_everywhere(start):
    summary = ended(RING, "sgd", start, 300, lr=0.05)
    assert summary.status.value == "converged"
    assert np.hypot(*summary.point) == pytest.approx(1, abs=1e-9)


def test_below_the_known_minimum_is_far_from_it():
    summary = ended("mccormick", "newton", (2.99, -2.98), 30, line_search=True)
    assert (summary.point[0], summary.value) == pytest.approx((-72.8, -74.17), abs=5e-3)
    assert summary.gap == pytest.approx(-74.17 + 1.91322, abs=5e-3)
    assert summary.first_touch is None


def test_steps_to_the_tolerance_count_from_where_it_stays():
    """A loop over the update by hand gives the same numbers."""
    summary = ended("bowl", "momentum", (-7, 2), 2000, lr=0.1, momentum=0.99)
    assert (summary.first_touch, summary.steps_to_tolerance) == (267, 855)
    assert summary.evaluations_to_tolerance == 855
    adam = ended("bowl", "adam", (-7, 2), 200, lr=0.3)
    assert (adam.first_touch, adam.steps_to_tolerance) == (63, 82)
    newton = ended("bowl", "newton", (-7, 2), 10)
    assert (newton.steps_to_tolerance, newton.evaluations_to_tolerance) == (1, 2)


def test_a_schedule_that_will_throw_it_out_is_looked_ahead_at():
    """y ← (1 − 2η)y by hand: at step 19 y² is 8.1e-5, and .29 soon after the rate is back at 1.5."""
    restarts = {"schedule": SCHEDULES["cyclic"](period=20), "lr": 1.5}
    summary = ended("bowl", "sgd", (0, 2), 19, **restarts)
    assert (summary.status.value, summary.value) == ("moving", pytest.approx(8.06195e-5, rel=1e-5))
    assert ended("bowl", "sgd", (0, 2), 60, **restarts).status.value == "converged"


def test_with_noise_the_running_mean_has_to_stay():
    run = minimize(
        FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=0.05), (-7, 2), 2000, NOISES["uniform"](scale=2.0)
    )
    mean = np.convolve(run.values, np.ones(20) / 20, "valid")  # of the steps 19, 20, …
    tolerance = mean[1000:].max() * 1.001
    last_outside = np.flatnonzero(mean > tolerance)[-1] + 19
    summary = summarize(run, tolerance)
    assert run.values[last_outside + 1 :].max() > tolerance, "single losses do not stay"
    assert summary.steps_to_tolerance == last_outside + 1
    assert summary.first_touch < summary.steps_to_tolerance


def test_a_batch_has_no_summary():
    run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](), [(1, 1), (2, 2)], 3)
    with pytest.raises(ValueError, match="one path"):
        summarize(run)


# Stability.


@table(
    ("key", "limits"),
    [
        ("bowl", {(0, 0): 1.0}),
        (
            "six_hump_camel",
            {
                (0.08984, -0.71266): 0.1212621,
                (1.7036, -0.7961): 0.0881154,
                (1.6071, 0.5687): 0.1995689,
            },
        ),
        ("styblinski_tang", {(A, A): 0.0578318, (A, B): 0.0578318, (B, B): 0.0683304}),
        *((key, {}) for key in ("kink", "ackley", "saddle", "x^4 + y^4", "sqrt(x^2 + y^2)")),
    ],
)
def test_limits_at_every_minimum(key, limits):
    stabilities = theory.stability(function(key), OPTIMIZERS["sgd"]())
    assert bool(stabilities) == bool(limits)
    for at, limit in limits.items():
        [stability] = [s for s in stabilities if np.allclose(s.at, at, atol=1e-3)]
        assert stability.limit == pytest.approx(limit, rel=1e-5)
    assert theory.stability(function(key), OPTIMIZERS["adam"]()) == []


def test_limits_follow_schedules():
    """On the bowl 2/λ = 1 for SGD and 2(1 + μ)/λ = 1 + μ for momentum."""
    bowl, steps = FUNCTIONS["bowl"], range(30)

    def one(opt, **schedules):
        [found] = theory.stability(bowl, opt, schedules, steps)
        return found.lr, found.limit, found.exceeded

    fading = one(OPTIMIZERS["sgd"](lr=1.5), lr=SCHEDULES["exponential"](rate=0.1))
    assert fading == (pytest.approx(1.5 * np.exp(-2.9)), 1.0, (0, 4))  # 1.5 e^(−0.4) = 1.005
    rising = one(OPTIMIZERS["sgd"](lr=1.5), lr=SCHEDULES["warmup"](steps=20))
    assert rising == (1.5, 1.0, (13, 29))  # 1.5·14/20 = 1.05
    slowing = one(
        OPTIMIZERS["momentum"](lr=1.5, momentum=0.9), momentum=SCHEDULES["linear"](steps=30)
    )
    assert slowing == (1.5, pytest.approx(1.03), (14, 29))  # 1 + 0.9·16/30 = 1.48
    averaged = WRAPPERS["averaged"](inner=OPTIMIZERS["sgd"](lr=3.0))
    assert one(averaged, lr=SCHEDULES["step"](gamma=0.1, first=5)) == (
        pytest.approx(0.3),
        1.0,
        (0, 4),
    )


def test_goldstein_price_opens_where_no_first_step_lands_on_the_minimum():
    f = FUNCTIONS["goldstein_price"]
    for cls in OPTIMIZERS.values():
        run = minimize(f, cls(), None, 30)
        assert not summarize(run).first_touch or summarize(run).first_touch > 5, cls.label
        assert np.linalg.norm(run.points[1] - (0, -1)) > 0.3, cls.label
    book = minimize(f, OPTIMIZERS["adagrad"](lr=1.5, eps=1e-7), None, 30)
    assert np.linalg.norm(book.points[1] - (0, -1)) > 0.5


def test_minima_far_above_zero_are_found_to_the_last_digits():
    """At 10⁸ rounding hides what the last steps gain."""
    minima = find_minima(
        parse_formula("1e8 + (x^2 - 1)^2 + (y - 0.3)^2 + (y - 0.3)^4", ((-3, 3), (-3, 3)))
    )
    assert sorted(minima.tolist()) == pytest.approx(np.array([[-1, 0.3], [1, 0.3]]), abs=1e-12)
