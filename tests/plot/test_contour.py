"""The levels of contours: from where to where."""

import math

import numpy as np
import pytest

from optviz import FUNCTIONS, parse_formula
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.spec import Objective
from optviz.plot import LIGHT
from optviz.plot.contour import LEVELS, extra_rings, falls_into_beads, landscape
from optviz.plot.landscape import Heights, Landscape
from tests.table import table


@table(
    ("formula", "low", "high"),
    [
        # |xy| < 25u on a share u(1 − ln u) of the square: a fiftieth at either end is beyond ±6.0
        ("1/(x*y)", -6.0, 6.0),
        ("1/x", -5.0, 5.0),  # |x| < 0.2 on a twenty-fifth
        ("tan(x)", -15.9, 15.9),  # 1/tan of a fiftieth of π
        ("-1/(x^2 + y^2)", -math.pi / 2, -0.02),  # x² + y² < 2/π on a fiftieth
        ("log(x)", None, math.log(5)),  # no pole that anything is lost in
        ("-exp(-100(x^2 + y^2))", -0.8, 0),  # a needle is no pole
        ("sqrt(x)", None, math.sqrt(5)),
        ("3", 3, 3),
    ],
)
def test_levels_end_where_a_function_goes_on_to_a_pole(formula, low, high):
    land = Landscape.from_function(parse_formula(formula))
    heights = Heights.from_landscape(land, log=False)
    assert low is None or heights.low == pytest.approx(low, rel=0.15, abs=0.02)
    assert heights.high == pytest.approx(high, rel=0.15, abs=0.02)
    drawn = heights.transform(land.z[np.isfinite(land.z)])
    assert drawn.min() == heights.low
    assert drawn.max() == heights.high
    assert len(heights.ticks(6)[1]) == (6 if heights.low < heights.high else 1)


def test_levels_of_every_function_reach_from_its_lowest_to_its_highest_value():
    for f in FUNCTIONS.values():
        land = Landscape.from_function(f)
        heights = Heights.from_landscape(land, log=False)
        assert (heights.low, heights.high) == (land.z.min(), land.z.max()), f.key


def test_rings_are_as_far_apart_near_a_minimum_as_far_from_it():
    """x²/20 + y² up to 7 along x: a level by the root every √(30/22) of height, as a cone has them."""
    bowl = FUNCTIONS["bowl"]
    drawn = landscape(Landscape.from_function(bowl), LIGHT)
    across = np.sqrt(20) * np.arange(drawn.start, drawn.end, drawn.step)
    np.testing.assert_allclose(np.diff(across), np.diff(across)[0])
    assert drawn.start**2 < 0.05, "the first ring is around the minimum"
    assert not Heights.from_landscape(
        Landscape.from_function(FUNCTIONS["saddle"]), None, root=True
    ).root
    assert not Heights.from_landscape(Landscape.from_function(bowl), log=False, root=True).root, (
        "linear stays linear"
    )


@table(
    ("key", "at"),
    [("beale", (3, 0.5)), ("six_hump_camel", (1.607, 0.569)), ("goldstein_price", (-0.6, -0.4))],
)
def test_a_minimum_that_no_level_surrounds_has_a_ring_of_its_own(key, at):
    """One closed line around it, along which f is about the same, and higher."""
    f = FUNCTIONS[key]
    [line] = extra_rings(runs.landscape(Objective().on(key)), np.array([at]), LIGHT)
    ring = np.stack([line.x, line.y], -1)[:-1]
    angles = np.unwrap(np.arctan2(*(ring - at).T[::-1]))
    assert abs(angles[-1] - angles[0]) == pytest.approx(2 * np.pi)
    heights = f.value(ring) - f.value(np.array(at))
    assert heights.min() > 0
    assert heights.std() < 0.25 * heights.mean()
    assert not extra_rings(
        Landscape.from_function(FUNCTIONS["himmelblau"]), np.array([(3, 2)]), LIGHT
    )


def test_the_floor_of_a_thin_valley_is_even():
    """Along y = x², where Rosenbrock's function is (1 - x)², the drawn height has no bumps."""
    f, x = FUNCTIONS["rosenbrock"], np.linspace(-1.7, 1.7, 2001)
    land = runs.landscape(Objective().on("rosenbrock"))
    heights = Heights.from_landscape(land, None, root=True)
    bumps = heights.transform(land.at(x, x**2)) - heights.transform((1 - x) ** 2)
    assert bumps.max() < 0.2 * (heights.high - heights.low) / LEVELS
    assert len(runs.landscape(Objective()).x) < len(land.x), "as fine as there is need for"
    assert not falls_into_beads(Landscape.from_function(f, 400))


@table("key", FUNCTIONS)
def test_the_color_bar_has_round_numbers_that_differ(key):
    heights = Heights.from_landscape(Landscape.from_function(FUNCTIONS[key]), None, root=True)
    places, texts = heights.ticks(6)
    assert len({*texts}) == 6
    assert (np.diff(places) > 0).all()
    assert not any("e" in text for text in texts), "as people read them"
    digits = [text.strip("−").replace(".", "").strip("0") for text in texts]
    assert all(len(d) <= 2 for d in digits), texts
