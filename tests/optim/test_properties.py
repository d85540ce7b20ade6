"""Whatever is turned and wherever it starts: a run neither raises nor warns, and is what it says it is."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, SCHEDULES, WRAPPERS, minimize, parse_formula
from optviz.optim.hyperparameter import hyperparameters
from tests.strategies import between

FORMULAS = [
    "log(x) + y**2",
    "1/(x*x + y)",
    "sqrt(x*y)",
    "x**y",
    "exp(x*y)",
    "sin(x)/x + y**2",
    "abs(x - y)",
    "tan(x) - y",
]
SURFACES = [*FUNCTIONS.values(), *(parse_formula(text) for text in FORMULAS)]
STEPS = 8

anything = settings(max_examples=40, deadline=None)
finite = st.floats(allow_nan=False, allow_infinity=False)


@cache  # Hypothesis looks a strategy over when it first draws from it, which takes longer than a run
def made(cls, columns=0):
    """An instance with any hyperparameters; with `columns`, float hyperparameters may be columns of so many values."""

    def value(k):
        if not columns or k.kind is not float:
            return between(k)
        column = st.lists(between(k), min_size=columns, max_size=columns).map(
            lambda v: np.array(v)[:, None]
        )
        return between(k) | column

    return st.fixed_dictionaries({k.name: value(k) for k in hyperparameters(cls)}).map(
        lambda chosen: cls(**chosen)
    )


def any_of(registry):
    return st.sampled_from(list(registry.values())).flatmap(made)


METHOD, SCHEDULE = any_of(OPTIMIZERS), any_of(SCHEDULES)
NOISE = st.none() | any_of(NOISES)
SURFACE, NAMED = st.sampled_from(SURFACES), st.sampled_from(list(FUNCTIONS.values()))


@cache
def initial_points(domain, rows=0):
    """Points in the domain, at its corners, a little or very far outside."""
    inside = st.tuples(
        *(st.floats(low, high) | st.sampled_from([low, high, 0.0]) for low, high in domain)
    )
    outside = st.tuples(finite, finite) | st.sampled_from(
        [(1e150, -1e150), (1e308, 1e308), (5e-324, 0.0), (1e17, 1.0)]
    )
    point = st.one_of(inside, inside, outside)
    return (st.lists(point, min_size=rows, max_size=rows) if rows else point).map(np.array)


def schedules(opt):
    return scheduled(tuple(scalars(opt)))


def scalars(opt):
    """The hyperparameters that a schedule may have."""
    return [
        k.name
        for o in (opt, getattr(opt, "inner", None))
        if o is not None
        for k in hyperparameters(type(o))
        if k.kind is float and k.name not in o.initial
    ]


@cache
def scheduled(names):
    if not names:
        return st.none()
    return (
        st.none()
        | (SCHEDULE if "lr" in names else st.none())
        | st.dictionaries(st.sampled_from(names), SCHEDULE, max_size=3)
    )


@cache
def knobs(cls):
    """Any hyperparameters of a wrapper."""
    return st.fixed_dictionaries({k.name: between(k) for k in hyperparameters(cls)})


def lawful(run, start, steps, gradients=1):
    """What holds of every run; `gradients` is how many a step asks for."""
    shape = run.values.shape[1:]
    assert run.points.shape == (steps + 1, *shape, 2)
    assert run.gradients.shape == (steps, *shape, 2)
    assert np.array_equal(
        run.points[0][run.diverged_at != 0],
        np.broadcast_to(start, (*shape, 2))[run.diverged_at != 0],
    )
    end = np.where(run.diverged_at < 0, steps + 1, run.diverged_at)
    alive = np.arange(steps + 1).reshape(-1, *[1] * len(shape)) < end
    assert np.array_equal(np.isfinite(run.points).all(-1), alive)
    assert np.array_equal(np.isfinite(run.values), alive)
    assert np.isnan(run.points[~alive]).all()
    assert np.isnan(run.values[~alive]).all()
    assert np.isnan(run.true_gradients[~alive]).all()
    for state in run.state.values():
        assert np.isnan(state[~alive]).all()
    assert (np.diff(run.work, axis=0) >= 0).all()
    method = getattr(run.optimizer, "inner", run.optimizer)
    asks = method.family != "derivative-free"
    assert np.array_equal(run.evaluations.gradient > 0, asks & (np.minimum(end, steps) > 0))
    searches = getattr(method, "line_search", method.key == "cg")
    assert searches or np.diff(run.work[:, 0], axis=0).max() <= gradients
    assert run.lookahead.shape == run.points.shape
    assert run.lengths.shape == run.values.shape
    assert not (run.undefined & (run.diverged_at < 0)).any()


@pytest.mark.parametrize("key", WRAPPERS)
@anything
@given(data=st.data())
def test_any_wrapped_optimizer(key, data):
    f = data.draw(SURFACE, label="function")
    inner = data.draw(METHOD, label="inner")
    opt = data.draw(knobs(WRAPPERS[key]), label="wrapper")
    if WRAPPERS[key].of_gradient and inner.family == "derivative-free":
        with pytest.raises(ValueError, match="acts on the gradient, and NelderMead asks for none"):
            WRAPPERS[key](inner, **opt)
        return
    opt = WRAPPERS[key](inner, **opt)
    start = data.draw(initial_points(f.domain), label="start")
    schedule = data.draw(schedules(opt), label="schedule")
    asked = 2 if key == "sam" else 1
    lawful(minimize(f, opt, start, STEPS, schedule=schedule), start, STEPS, asked)


@pytest.mark.parametrize("key", OPTIMIZERS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_optimizer_and_any_batch_is_its_rows(key, data):
    f = data.draw(SURFACE, label="function")
    opt = data.draw(made(OPTIMIZERS[key], columns=2), label="optimizer")
    start = data.draw(initial_points(f.domain, rows=2), label="start")
    more = {
        "schedule": data.draw(schedules(opt), label="schedule"),
        "noise": data.draw(NOISE, label="noise"),
        "seed": 1,
    }
    batch = minimize(f, opt, start, STEPS, **more)
    lawful(batch, start, STEPS)
    for i in range(2):
        alone = {k.name: getattr(opt, k.name) for k in hyperparameters(type(opt))}
        alone = {
            name: float(v[i, 0]) if isinstance(v, np.ndarray) else v for name, v in alone.items()
        }
        row = minimize(f, OPTIMIZERS[key](**alone), start[i], STEPS, **more)
        assert np.array_equal(batch.points[:, i], row.points, equal_nan=True)
        assert np.array_equal(batch.values[:, i], row.values, equal_nan=True)
        assert batch.diverged_at[i] == row.diverged_at
    lawful(row, start[i], STEPS)


@cache
def within(domain):
    return st.tuples(*(st.floats(low, high) for low, high in domain)).map(np.array)


@anything
@given(data=st.data(), size=st.floats(1e-3, 1e3))
def test_searches_only_go_down(data, size):
    f = data.draw(NAMED, label="function")
    key = data.draw(st.sampled_from(["newton", "bfgs", "lbfgs"]), label="optimizer")
    start = data.draw(within(f.domain), label="start")
    run = minimize(
        f,
        OPTIMIZERS[key](lr=size, line_search=True),
        start,
        STEPS,
        noise=NOISES["uniform"](scale=0.0),
    )
    values = run.values[np.isfinite(run.values)]
    assert (np.diff(values) <= 0).all()
