"""The test functions against textbooks: values, minima, and derivatives by differences of the values."""

import numpy as np
import pytest
import sympy as sp

from optviz import FUNCTIONS, parse_formula
from tests.table import table

pi, sin, cos, exp, log, sqrt = np.pi, np.sin, np.cos, np.exp, np.log, np.sqrt
EVERY = table("f", FUNCTIONS.values())


def lévy(x, y):
    w, z = 1 + (x - 1) / 4, 1 + (y - 1) / 4
    along = sin(pi * w) ** 2 + (w - 1) ** 2 * (1 + 10 * sin(pi * w + 1) ** 2)
    return along + (z - 1) ** 2 * (1 + sin(2 * pi * z) ** 2)


def goldstein_price(x, y):
    a = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return a * b


def turned_bowl(x, y):
    u, v = (x + y) / sqrt(2), (y - x) / sqrt(2)
    return u**2 / 20 + v**2


def ackley(x, y):
    ripples = exp(0.5 * (cos(2 * pi * x) + cos(2 * pi * y)))
    return 20 + np.e - 20 * exp(-0.2 * sqrt(0.5 * (x**2 + y**2))) - ripples


# as they stand in Jamil & Yang (2013) and in the sources of the notes, not as they are typed in the package
TEXTBOOK = {
    "bowl": lambda x, y: 0.05 * x * x + y * y,
    "noisy_bowl": lambda x, y: 0.05 * x * x + y * y,
    "tilted_bowl": turned_bowl,
    "saddle": lambda x, y: (x - y) * (x + y),
    "sphere": lambda x, y: x * x + y * y,
    "double_well": lambda x, y: x**4 / 4 - x**3 / 3 - x * x + y * y,
    "sharp_and_flat": lambda x, y: (
        -log(exp(-((x + 2) ** 2) / 2 - y**2 / 2) + exp(-8 * (x - 2) ** 2 - 8 * y**2))
    ),
    "rosenbrock": lambda x, y: 100 * (y - x * x) ** 2 + (x - 1) ** 2,
    "himmelblau": lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    "beale": lambda x, y: sum(
        (c - x * (1 - y**i)) ** 2 for i, c in ((1, 1.5), (2, 2.25), (3, 2.625))
    ),
    "booth": lambda x, y: (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
    "matyas": lambda x, y: 0.26 * x * x + 0.26 * y * y - 0.48 * x * y,
    "three_hump_camel": lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2,
    "six_hump_camel": lambda x, y: 4 * x**2 - 2.1 * x**4 + x**6 / 3 + x * y - 4 * y**2 + 4 * y**4,
    "goldstein_price": goldstein_price,
    "styblinski_tang": lambda x, y: sum(0.5 * (u**4 - 16 * u**2 + 5 * u) for u in (x, y)),
    "mccormick": lambda x, y: sin(x + y) + (x - y) ** 2 - 3 * x / 2 + 5 * y / 2 + 1,
    "rastrigin": lambda x, y: 20 + sum(u**2 - 10 * cos(2 * pi * u) for u in (x, y)),
    "ackley": ackley,
    "levy": lévy,
    "easom": lambda x, y: -cos(x) * cos(y) * exp(-((x - pi) ** 2) - (y - pi) ** 2),
    "monkey_saddle": lambda x, y: ((x + 1j * y) ** 3).real,
    "plateau": lambda x, y: 1 - 1 / (1 + x**2 + 4 * y**2),
    "cliff": lambda x, y: (x - 3) ** 2 / 20 + y**2 / 4 + 4 / (1 + exp(8 * x)),
    "kink": lambda x, y: np.where(x < 0, -x, x) / 4 + np.where(y < 0, -y, y),
}
# the least value and every place where it is taken, to the digits that are published
LEAST = {
    "bowl": (0, [(0, 0)]),
    "tilted_bowl": (0, [(0, 0)]),
    "double_well": (-8 / 3, [(2, 0)]),
    # by mpmath's findroot with 30 digits
    "sharp_and_flat": (-0.00033546263931, [(1.99991611, 0)]),
    "rosenbrock": (0, [(1, 1)]),
    "himmelblau": (
        0,
        [(3, 2), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)],
    ),
    "beale": (0, [(3, 0.5)]),
    "booth": (0, [(1, 3)]),
    "matyas": (0, [(0, 0)]),
    "three_hump_camel": (0, [(0, 0)]),
    "six_hump_camel": (-1.0316284535, [(0.08984201, -0.71265640), (-0.08984201, 0.71265640)]),
    "goldstein_price": (3, [(0, -1)]),
    "styblinski_tang": (-78.3323314075, [(-2.903534, -2.903534)]),
    "mccormick": (-1.9132229550, [(-0.54719755, -1.54719755)]),
    "rastrigin": (0, [(0, 0)]),
    "ackley": (0, [(0, 0)]),
    "levy": (0, [(1, 1)]),
    "easom": (-1, [(pi, pi)]),
}


def scattered(f, n=500, seed=0):
    """Points all over the domain, at some distance from the lines and points where f has a kink."""
    low, high = np.array(f.domain, float).T
    points = np.random.default_rng(seed).uniform(low, high, (n, 2))
    smooth = {"kink": np.abs(points).min(-1) > 0.01, "ackley": np.hypot(*points.T) > 0.1}
    return points[smooth.get(f.key, slice(None))]


def slope(of, points, h=1e-3):
    """The derivative of `of` at points `(n, 2)` by central differences, Richardson's way; axes last."""
    halves = [
        np.stack([(of(points + d * e) - of(points - d * e)) / (2 * d) for e in np.eye(2)], -1)
        for d in (h / 2, h)
    ]
    return (4 * halves[0] - halves[1]) / 3


def ring(at, radius, n=48):
    turn = 2 * pi * np.arange(n) / n
    return at + radius * np.stack([cos(turn), sin(turn)], -1)


def test_every_function_stands_under_its_key():
    assert all(key == f.key for key, f in FUNCTIONS.items())


@EVERY
def test_is_declared_in_full(f):
    assert f.name
    assert len(f.teaches) > 20
    assert any(letter.isdigit() for letter in f.cite)  # a year
    assert "x" in f.latex
    assert "y" in f.latex
    assert f.latex.count("{") == f.latex.count("}")
    (x0, x1), (y0, y1) = f.domain
    assert x0 < f.start[0] < x1
    assert y0 < f.start[1] < y1
    assert f.minima.shape == (len(f.minima), 2)
    assert ((f.minima > (x0, y0)) & (f.minima < (x1, y1))).all()
    assert np.isfinite(f.value(f.start))
    assert np.abs(f.grad(f.start)).max() > 1e-4  # or nothing would move


def test_names_are_distinct():
    assert len({f.name for f in FUNCTIONS.values()}) == len(FUNCTIONS)


@table("key", TEXTBOOK)
def test_value_is_the_textbooks(key):
    f = FUNCTIONS[key]
    points = scattered(f, 200, seed=1)
    np.testing.assert_allclose(f.value(points), TEXTBOOK[key](*points.T), rtol=1e-11, atol=1e-11)


def test_values_worked_by_hand():
    by_hand = {
        "bowl": ((-7, 2), 6.45), "double_well": ((-2, 1), 11 / 3), "rosenbrock": ((-1.2, 1), 24.2),
        "himmelblau": ((0, 0), 170), "beale": ((0, 0), 14.203125), "booth": ((0, 0), 74), "matyas": ((1, 1), 0.04),
        "goldstein_price": ((0, 0), 600), "six_hump_camel": ((1, 1), 97 / 30), "rastrigin": ((0.5, 0.5), 40.5),
        "styblinski_tang": ((1, 2), -24), "plateau": ((1, 0), 0.5), "kink": ((-4, -3), 4), "monkey_saddle": ((2, 1), 2),
    }  # fmt: skip
    for key, (point, value) in by_hand.items():
        assert FUNCTIONS[key].value(point) == pytest.approx(value, rel=1e-13), key


def test_derivatives_worked_by_hand():
    assert FUNCTIONS["bowl"].grad((-7, 2)) == pytest.approx([-0.7, 4])
    assert FUNCTIONS["bowl"].hess((-7, 2)) == pytest.approx(np.diag([0.1, 2]))
    assert FUNCTIONS["rosenbrock"].grad((-1.2, 1)) == pytest.approx([-215.6, -88])
    bends = np.array([[1330, 480], [480, 200]])
    assert FUNCTIONS["rosenbrock"].hess((-1.2, 1)) == pytest.approx(bends)
    assert FUNCTIONS["monkey_saddle"].hess((1, 2)) == pytest.approx(np.array([[6, -12], [-12, -6]]))
    slopes = np.array([[-0.25, 1], [0.25, -1]])
    assert FUNCTIONS["kink"].grad([(-3, 2), (3, -2)]) == pytest.approx(slopes)


@EVERY
def test_gradient_is_the_slope_of_the_value(f):
    points = scattered(f)
    error = np.abs(f.grad(points) - slope(f.value, points))
    assert (error <= 1e-7 * (1 + np.abs(f.grad(points)))).all()


@EVERY
def test_hessian_is_the_slope_of_the_gradient(f):
    points = scattered(f)
    hess = f.hess(points)
    error = np.abs(hess - slope(f.grad, points))
    assert (error <= 1e-6 * (1 + np.abs(hess))).all()
    assert np.array_equal(hess[:, 0, 1], hess[:, 1, 0])


BESIDES = [
    "x**y + (x*y)**1.234567 + 2**(x*y)",
    "cosh(x**1.234567)*tanh(x/y) - sinh(y)**3/x",
    "atan2(x, y)*log(x + y**3)/sqrt(1 + x*y)",
    "asin(x/9)*acos(y/9) + atan(x*y)*tan(x/5)",
    "exp(-x**2/y)*sin(3*x*y)**2/(1 + cos(x)**2)",
    "-(x - 2*y)*(3*x*(4*y)) - (-x)*(-(y/3))/7*(2*x) - -y",
    "max(x, y**2)*min(x, y)",
    "x**-3 + y**-0.5 + x**12/(x - y)",
]


@table("text", [*(f.formula for f in FUNCTIONS.values()), *BESIDES])
def test_derivatives_are_those_of_a_computer_algebra_system(text):
    f = parse_formula(text)
    x, y = sp.symbols("x y", real=True)
    expr = sp.sympify(text, {"x": x, "y": y, "e": sp.E, "max": sp.Max, "min": sp.Min})
    gradient = [expr.diff(s) for s in (x, y)]
    hessian = [[slope.diff(s) for s in (x, y)] for slope in gradient]
    for at in [(1.3, 0.7), (0.4, 2.1), (2.6, 1.9)]:
        place = dict(zip((x, y), map(sp.Float, at), strict=True))
        slopes = [slope.subs(place) for slope in gradient]
        bends = [[bend.subs(place) for bend in row] for row in hessian]
        np.testing.assert_allclose(f.grad(at), np.array(slopes, float), rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(f.hess(at), np.array(bends, float), rtol=1e-9, atol=1e-10)


@EVERY
def test_shapes_follow_the_points(f):
    for shape in ((2,), (5, 2), (3, 4, 2), (0, 2)):
        x = np.full(shape, 0.3)
        assert f.value(x).shape == shape[:-1]
        assert f.grad(x).shape == shape
        assert f.hess(x).shape == (*shape, 2)
    whole = f.value([1, 2]), f.grad([1, 2]), f.hess([1, 2])  # lists and integers are read as floats
    floats = f.value([1.0, 2.0]), f.grad([1.0, 2.0]), f.hess([1.0, 2.0])
    for integers, expected in zip(whole, floats, strict=True):
        assert integers.dtype == float
        assert np.array_equal(integers, expected)


TYPED = [
    "x**9 + y**-9",
    "x**y",
    "sin(x)**3*tan(y) + exp(x)",
    "x*tanh(x*y) + abs(y)**1.5",
    "sin(x)/x",
    "max(x, y)**2",
    "cbrt(x) + atan2(y, x) + hypot(x, y)",
    "sigmoid(3x)softplus(y) + relu(x)floor(y)ceil(x)",
    "√x·√(y + 1)·√x + cosh(|x|^1.2345678)",
    "Heaviside(x)y + log10(x)asin(y)",
]


@table("f", [*FUNCTIONS.values(), *map(parse_formula, TYPED)])
@table("what", ["value", "grad", "hess"])
def test_a_row_of_a_batch_has_the_bits_of_the_point_alone(f, what):
    evaluate = getattr(f, what)
    points = np.append(scattered(f, 117, seed=2), [(0, 0), (0, 1), f.start], axis=0)
    alone = np.array([evaluate(p) for p in points])
    assert np.array_equal(evaluate(points), alone, equal_nan=True)
    n = len(points) // 12 * 12
    folded = evaluate(points[:n].reshape(3, -1, 2))
    assert np.array_equal(folded.reshape(alone[:n].shape), alone[:n], equal_nan=True)


@EVERY
def test_arguments_are_left_as_they_are(f):
    x = np.array([[0.3, 0.4], [0.0, 0.0]])
    f.value(x), f.grad(x), f.hess(x)
    assert np.array_equal(x, [[0.3, 0.4], [0.0, 0.0]])


@EVERY
def test_stated_minima_are_minima(f):
    for at in f.minima:
        for radius in (1e-3, 1e-2):
            assert (f.value(ring(at, radius)) > f.value(at)).all()
        hess, kink = f.hess(at), f.key in ("kink", "ackley")
        if not kink:
            assert np.abs(f.grad(at)).max() < 1e-9 * (1 + np.abs(hess).max())
            assert np.linalg.eigvalsh(hess).min() > 0


@table("f", [f for f in FUNCTIONS.values() if len(f.minima)])
def test_nothing_on_a_fine_grid_is_lower_than_the_least_minimum(f):
    (x0, x1), (y0, y1) = f.domain
    grid = np.stack(np.meshgrid(np.linspace(x0, x1, 701), np.linspace(y0, y1, 703)), -1)
    least, lowest = f.value(f.minima).min(), f.value(grid).min()
    assert lowest >= least - 1e-12
    assert lowest - least < 1e-3 * (f.value(grid).max() - least)  # and the grid comes near to it


@table("key", LEAST)
def test_least_value_and_its_places_are_the_published_ones(key):
    f, (value, places) = FUNCTIONS[key], LEAST[key]
    assert f.value(f.minima).min() == pytest.approx(value, abs=5e-11)
    for place in places:
        assert np.abs(f.minima - place).max(-1).min() < 2e-6, place
        assert f.value(place) == pytest.approx(value, abs=1e-9)


def test_local_minima_that_are_the_point_of_the_function():
    well, camel = FUNCTIONS["double_well"], FUNCTIONS["three_hump_camel"]
    assert sorted(map(tuple, well.minima)) == [(-1, 0), (2, 0)]
    assert well.value((-1, 0)) == pytest.approx(-5 / 12)
    assert camel.value((1.74755, -0.87378)) == pytest.approx(0.2986384, abs=1e-7)
    assert len(camel.minima) == 3
    two = FUNCTIONS["sharp_and_flat"]
    sharp, flat = (np.linalg.eigvalsh(two.hess(at)) for at in two.minima)
    assert sharp == pytest.approx([16, 16], rel=1e-3)
    assert flat == pytest.approx([1, 1], rel=1e-12)
    assert np.abs(two.value(two.minima)).max() < 1e-3
    assert len(FUNCTIONS["saddle"].minima) == len(FUNCTIONS["monkey_saddle"].minima) == 0


def test_saddles_are_level_and_bend_both_ways():
    saddle, monkey = FUNCTIONS["saddle"], FUNCTIONS["monkey_saddle"]
    assert saddle.grad((0, 0)).tolist() == monkey.grad((0, 0)).tolist() == [0, 0]
    assert np.linalg.eigvalsh(saddle.hess((0, 0))).tolist() == [-2, 2]
    assert not monkey.hess((0, 0)).any()
    signs = np.sign(monkey.value(ring((0, 0), 0.5, 720)))
    assert (np.diff(signs) != 0).sum() in (5, 6)  # three ways down, three up


def test_the_tilted_bowl_is_the_bowl_turned():
    turn = np.array([[1, 1], [-1, 1]]) / sqrt(2)
    tilted, bowl, points = FUNCTIONS["tilted_bowl"], FUNCTIONS["bowl"], scattered(FUNCTIONS["bowl"])
    np.testing.assert_allclose(tilted.value(points), bowl.value(points @ turn.T), rtol=1e-12)
    np.testing.assert_allclose(np.array(tilted.start) @ turn.T, bowl.start, rtol=1e-12)


def test_gradient_at_a_kink_is_the_mean_of_both_sides():
    """Ackley's slope at the bottom is 0 although every way there is steep; no warning, no NaN."""
    ackley = FUNCTIONS["ackley"]
    assert ackley.value((0, 0)) == pytest.approx(0, abs=1e-14)
    assert ackley.grad((0, 0)).tolist() == [0, 0]
    assert np.abs(ackley.grad((1e-6, 0))).max() > 2
    assert FUNCTIONS["kink"].grad([(0, 0), (0, 3)]).tolist() == [[0, 0], [0, 1]]
    assert parse_formula("sqrt(x**2 + y**2)").grad((0, 0)).tolist() == [0, 0]
    assert parse_formula("max(x, y)").grad((1, 1)) == pytest.approx([0.5, 0.5])


def test_constants_and_constant_derivatives_fill_the_shape():
    points = np.random.default_rng(0).normal(size=(3, 4, 2))
    three, x = parse_formula("3"), parse_formula("x")
    assert np.array_equal(three.value(points), np.full((3, 4), 3.0))
    assert np.array_equal(x.value(points), points[..., 0])
    assert np.array_equal(x.grad(points), np.broadcast_to([1.0, 0.0], (3, 4, 2)))
    for f in (three, x):
        assert np.array_equal(f.hess(points), np.zeros((3, 4, 2, 2)))
    assert three.grad((1, 2)).tolist() == [0, 0]
    assert parse_formula("pi*y").grad((1, 2)).tolist() == [0, pi]


@table(
    ("text", "at", "value", "grad"),
    [
        ("sin(x)/x", (0, 1), 1, (0, 0)),
        ("sin(x)/x + y**2", (0, 1), 2, (0, 2)),
        ("(1 - cos(x))/x**2", (0, 0), 0.5, (0, 0)),
        ("(exp(x) - 1)/x", (0, 0), 1, (0.5, 0)),
        ("log(1 + y)/y", (2, 0), 1, (0, -0.5)),
        ("(x**2 - 1)/(x - 1)", (1, 3), 2, (1, 0)),
        ("sin(x - y)/(x - y)", (2, 2), 1, (0, 0)),
        ("tan(x)*cos(y)/x", (0, 0), 1, (0, 0)),
    ],
)
def test_removable_singularities_take_the_limit(text, at, value, grad):
    f = parse_formula(text)
    assert f.value(at) == pytest.approx(value, abs=1e-6)
    assert f.grad(at) == pytest.approx(grad, abs=1e-4)
    batch = f.value([at, (0.7, 0.3)])
    assert batch[0] == f.value(at)
    assert batch[1] == f.value((0.7, 0.3))


@table(
    ("text", "at"),
    [
        ("1/x", (0, 1)), ("1/x**2", (0, 1)), ("1/x**4", (0, 1)), ("1/abs(x)", (0, 1)), ("1/(x**2 + y**2)", (0, 0)),
        ("-1/(x**2 + y**2)", (0, 0)), ("log(x)", (0, 1)), ("log(x**2)", (0, 1)), ("log(x**2 + y**2)", (0, 0)),
        ("1/(x - y)", (1, 1)), ("1/(x - y)**2", (1, 1)), ("1/x - 1/x**2", (0, 1)), ("x*y/(x**2 + y**2)", (0, 0)),
        ("abs(x)/x", (0, 1)), ("sin(1/x)", (0, 1)), ("exp(1/x)", (0, 1)),
    ],
)  # fmt: skip
def test_poles_and_jumps_stay_without_a_number(text, at):
    """Nothing is made up where there is no limit: neither a value nor a slope along x."""
    f = parse_formula(text)
    assert not np.isfinite(f.value(at))
    assert not np.isfinite(f.grad(at)).all()
    assert not np.isfinite(f.hess(at)).all()


def test_no_value_outside_the_domain_of_a_formula():
    for text in ("log(x)", "sqrt(x)", "x**0.3", "asin(x - 2)", "acos(x + 3)*y"):
        assert np.isnan(parse_formula(text).value((-1.5, 0.5))), text
    root = parse_formula("sqrt(x)")
    assert np.isnan(root.grad((-1, 0))[0])
    assert root.grad((0, 0))[0] == np.inf
    for f in (root, FUNCTIONS["bowl"], FUNCTIONS["ackley"], FUNCTIONS["easom"]):
        for bad in ((np.nan, 0), (np.inf, -np.inf)):
            assert f.value(bad).shape == ()  # and no warning, which would be an error here
            assert f.grad(bad).shape == (2,)
            assert f.hess(bad).shape == (2, 2)
    assert np.isnan(FUNCTIONS["bowl"].value((np.nan, 0)))


def test_typed_functions_have_a_start_within_their_domain():
    f = parse_formula("x + y", domain=((2, 4), (-1, 7)))
    assert 2 < f.start[0] < 4
    assert -1 < f.start[1] < 7
    assert parse_formula("x", start=(1, 0.5)).start == (1, 0.5)
    assert len(f.minima) == 0


@table("f", FUNCTIONS.values())
def test_what_is_sure_to_be_finite_is(f):
    """Within the picture it is known of every function without a division, a root or a logarithm."""
    assert f.finite_within(np.abs(f.domain).max()) == f.raw.smooth
    for most in 10.0 ** np.arange(0, 160, 5):
        if f.finite_within(most):
            at = most * np.random.default_rng(0).uniform(-1, 1, (200, 2))
            corners = most * np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
            assert np.isfinite(f.value(np.concatenate([at, corners]))).all()
