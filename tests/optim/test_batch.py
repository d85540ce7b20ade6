"""A batch is its rows run one by one, bit for bit: starts, hyperparameters, seeds, and rows that diverge or stop asking."""

from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, WRAPPERS, minimize, parse_formula
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.schedules import Cosine
from tests.optim.runs import same, somewhere
from tests.table import table

# a valley that rows fall out of, waves, a plain without a slope, a kink
SURFACES = ["rosenbrock", "levy", "easom", "kink"]
STEPS = 12


def variants(key):
    """An optimizer with each of its switches turned, or a wrapper around several."""
    if key in WRAPPERS:
        return [WRAPPERS[key](OPTIMIZERS[inner]()) for inner in ("nesterov", "nadam", "bfgs")]
    cls = OPTIMIZERS[key]
    turned = [cls(**{k.name: not k.default}) for k in hyperparameters(cls) if k.kind is bool]
    both = [cls(saddle_free=True, line_search=True, damping=0.1)] if key == "newton" else []
    return [cls(), *turned, *both]


@pytest.mark.parametrize("key", [*OPTIMIZERS, *WRAPPERS])
@table("surface", SURFACES)
def test_batch_of_starts(key, surface):
    f = FUNCTIONS[surface]
    at = somewhere(f, (2, 2))
    for opt in variants(key):
        batch = minimize(f, opt, at, STEPS)
        for i in np.ndindex(2, 2):
            same(batch, minimize(f, opt, at[i], STEPS), i)


@pytest.mark.parametrize("key", [*OPTIMIZERS, *WRAPPERS])
@table("surface", ["himmelblau", "ackley"])
def test_column_of_knob_values(key, surface):
    f = FUNCTIONS[surface]
    opt = OPTIMIZERS[key]() if key in OPTIMIZERS else WRAPPERS[key](OPTIMIZERS["adam"]())
    for k in hyperparameters(type(opt)):
        if k.kind is float:
            values = k.spread(9)
            batch = minimize(f, replace(opt, **{k.name: values[:, None]}), f.start, STEPS)
            for i, value in enumerate(values):
                one = replace(opt, **{k.name: float(value)})
                same(batch, minimize(f, one, f.start, STEPS), (i,))


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_knob_its_own_column_with_noise_seeds_and_a_schedule(key):
    f, cls, n = FUNCTIONS["levy"], OPTIMIZERS[key], 5
    columns = {k.name: k.spread(n) for k in hyperparameters(cls) if k.kind is float}
    at, seeds = somewhere(f, (n,)), np.arange(n) + 7
    schedule = None if "lr" in cls.initial else Cosine(steps=STEPS)
    more = {"noise": NOISES["gaussian"](scale=0.3), "schedule": schedule}
    batch = minimize(
        f, cls(**{name: v[:, None] for name, v in columns.items()}), at, STEPS, seed=seeds, **more
    )
    for i in range(n):
        opt = cls(**{name: float(v[i]) for name, v in columns.items()})
        same(batch, minimize(f, opt, at[i], STEPS, seed=int(seeds[i]), **more), (i,))


@table("formula", ["x**y", "y**(x - y)", "(x + y)**(x*y)"])
def test_powers_of_a_point_alone_are_those_in_a_batch(formula):
    """NumPy's power of two scalars takes a square root or a reciprocal where it can, of arrays it does not."""
    f = parse_formula(formula)
    rates = np.linspace(0.03, 2.97, 50)
    at = np.array([[x, y] for y in (0.0, 0.5, 1.0, 1.5, 2.0) for x in rates])
    for what in (f.value, f.grad, f.hess):
        assert np.array_equal(what(at), [what(point) for point in at], equal_nan=True)
