"""Every optimizer: its first step worked by hand, its hyperparameters, what it asks for, and how a run ends."""

import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from optviz import (
    FUNCTIONS,
    NOISES,
    OPTIMIZERS,
    SCHEDULES,
    WRAPPERS,
    final,
    minimize,
    parse_formula,
)
from optviz.data import TOY_SETS as SHAPES
from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.optim import initial_points as starts
from optviz.optim.base import FAMILIES
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.oracle import Oracle
from optviz.optim.run import Segment
from optviz.tuning import SAMPLERS
from tests.table import table

BOWL, SPHERE, ROSENBROCK = FUNCTIONS["bowl"], FUNCTIONS["sphere"], FUNCTIONS["rosenbrock"]
SEARCHING = [
    key
    for key, cls in OPTIMIZERS.items()
    if "line_search" in {k.name for k in hyperparameters(cls)}
]
START, SIGN = np.array([-7, 2]), np.array([1.0, -1.0])  # the gradient of the bowl there is (-.7, 4)
MU1, MU2 = (0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (1, 2))


def make(key, **hyperparameters):
    return OPTIMIZERS[key](**hyperparameters)


def searching(key):
    return make(key, **({"line_search": True} if key in SEARCHING else {}))


def to_dict(cls, **hyperparameters):
    """Of any class with hyperparameters, wrappers included."""
    return cls(**hyperparameters, **({"inner": make("bfgs")} if cls in WRAPPERS.values() else {}))


def spread(sigma):
    """A singular value after the five steps of Jordan et al. (2024)."""
    for _ in range(5):
        sigma = 3.4445 * sigma - 4.7750 * sigma**3 + 2.0315 * sigma**5
    return sigma


TINY = {"eps": 1e-10}
BARE = {**TINY, "bias_correction": False}
# optimizer, hyperparameters, first step from (-7, 2) on the bowl
FIRST_STEPS = [
    ("sgd", {"lr": 0.5}, (0.35, -2)),
    ("momentum", {"lr": 0.5, "momentum": 0.8}, (0.35, -2)),
    ("nesterov", {"lr": 0.5, "momentum": 0.8}, (0.35, -2)),
    ("adagrad", {"lr": 0.5, "eps": 1e-9}, 0.5 * SIGN),
    ("adagrad", {"lr": 0.5, "eps": 0.1}, (0.5 * 0.7 / 0.8, -0.5 * 4 / 4.1)),
    ("rmsprop", {"lr": 0.5, "rho": 0.75, "eps": 1e-10}, 0.5 * 2 * SIGN),
    ("rmsprop", {"lr": 0.5, "rho": 0.75, "eps": 0.1}, (0.5 * 0.7 / 0.45, -0.5 * 4 / 2.1)),
    (
        "adadelta",
        {"lr": 2.0, "rho": 0.75, "eps": 0.09},
        (2 * 0.3 * 0.7 / 0.2125**0.5, -2 * 0.3 * 4 / 4.09**0.5),
    ),
    ("adam", {"lr": 0.5, "eps": 1e-10}, 0.5 * SIGN),
    ("adam", {"lr": 0.5, "eps": 0.1}, (0.5 * 0.7 / 0.8, -0.5 * 4 / 4.1)),
    ("adam", {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, **BARE}, 0.5 * SIGN),
    ("adam", {"lr": 0.5, "beta1": 0.5, "beta2": 0.96, **BARE}, 1.25 * SIGN),
    ("adamw", {"lr": 0.5, "eps": 1e-10, "weight_decay": 0.1}, 0.5 * SIGN - 0.05 * START),
    (
        "adamw",
        {"lr": 0.5, "weight_decay": 0.1, "decoupled": True, **TINY},
        0.5 * SIGN - 0.1 * START,
    ),
    ("amsgrad", {"lr": 0.5, "eps": 0.1}, (0.5 * 0.7 / 0.8, -0.5 * 4 / 4.1)),
    ("amsgrad", {"lr": 0.5, "beta1": 0.5, "beta2": 0.96, **BARE}, 1.25 * SIGN),
    ("adamax", {"lr": 0.5, "eps": 0.1}, (0.5 * 0.7 / 0.8, -0.5 * 4 / 4.1)),
    ("adamax", {"lr": 0.5, **BARE}, 0.05 * SIGN),
    ("nadam", {"lr": 0.5, "eps": 1e-10}, 0.5 * (1 + MU2 * 0.1 / (1 - MU1 * MU2)) * SIGN),
    ("nadam", {"lr": 0.5, "beta2": 0.96, **BARE}, 2.5 * (1 - MU1 + 0.1 * MU2) * SIGN),
    ("radam", {"lr": 0.5}, (0.35, -2)),
    ("radam", {"lr": 0.5, "bias_correction": False}, (0.035, -0.2)),
    ("lion", {"lr": 0.5}, 0.5 * SIGN),
    ("lion", {"lr": 0.5, "weight_decay": 0.1}, 0.5 * SIGN - 0.05 * START),
    ("adabelief", {"lr": 0.5}, 0.5 / 0.9 * SIGN),  # the deviation from m is .9 g
    (
        "yogi",
        {"lr": 0.5, "beta2": 0.75, "eps": 0.1},
        (
            0.5 * (0.7 - 9e-6) / ((0.49 + 4e-6) ** 0.5 + 0.1),
            -0.5 * (4 + 9e-6) / ((16 + 4e-6) ** 0.5 + 0.1),
        ),
    ),
    ("adopt", {}, (0, 0)),
    ("adan", {"lr": 0.5, "eps": 0.1}, (0.5 * 0.7 / 0.8, -0.5 * 4 / 4.1)),
    ("ademamix", {"lr": 0.5, "beta3": 0.75, "alpha": 2.0, "eps": 1e-10}, 0.75 * SIGN),
    ("schedule_free_sgd", {"lr": 0.5}, (0.35, -2)),
    ("schedule_free_adamw", {"lr": 0.5, "weight_decay": 0.1, **TINY}, 0.5 * SIGN - 0.05 * START),
    ("prodigy", {"lr": 0.5, "d0": 0.01, "eps": 1e-12}, 0.5 * 0.01 * 0.1 / 0.001**0.5 * SIGN),
    ("newton", {}, (7, -2)),
    ("newton", {"lr": 0.5, "damping": 0.3}, (0.5 * 0.7 / 0.4, -0.5 * 4 / 2.3)),
    ("newton", {"lr": 0.5, "damping": 0.3, "saddle_free": True}, (0.5 * 0.7 / 0.4, -0.5 * 4 / 2.3)),
    # along the gradient L is its square, and the root of that its length
    ("shampoo", {"lr": 0.5, "eps": 1e-10}, (0.5 * 0.7 / 16.49**0.5, -0.5 * 4 / 16.49**0.5)),
    ("soap", {}, (0, 0)),
    # the polynomial of the iteration, five times on a length of 1, and √2
    ("muon", {"lr": 0.5}, 0.5 * 2**0.5 * spread(1.0) * np.array([0.7, -4]) / 16.49**0.5),
    (
        "sophia",
        {"lr": 0.5, "beta1": 0.0, "beta2": 0.0, "rho": 5.0},
        (0.5 * 5, -0.5 * 2),  # 0.7 / 0.1 is too long, 4 / 2 is not
    ),
    ("bfgs", {"lr": 0.5, "line_search": False}, (0.35, -2)),
    # the first trial, of length 1 in the 1-norm: along it the slope falls from -16.49 to -9.67
    ("bfgs", {}, (0.7 / 4.7, -4 / 4.7)),
    ("lbfgs", {"lr": 0.5, "line_search": False}, (0.35 / 4.7, -2 / 4.7)),
    ("lbfgs", {}, (0.7 / 4.7, -4 / 4.7)),
    # ‖g‖² = 16.49 and gᵀHg = 0.049 + 32: the least along −g, which one cubic finds
    ("cg", {}, (0.7 * 16.49 / 32.049, -4 * 16.49 / 32.049)),
    # corners (-7, 2), (-6, 2), (-7, 3); the last goes to (-6, 1) and on to (-5.5, 0)
    ("nelder_mead", {}, (1.5, -2)),
    ("trust_region", {}, (0.7 / 16.49**0.5, -4 / 16.49**0.5)),  # the edge, against the gradient
]


def test_every_optimizer_has_a_first_step_by_hand():
    assert {key for key, _, _ in FIRST_STEPS} == set(OPTIMIZERS)


@table(("key", "chosen", "step"), FIRST_STEPS)
def test_first_step(key, chosen, step):
    points = minimize(BOWL, make(key, **chosen), (-7, 2), 1).points
    np.testing.assert_allclose(points[1] - points[0], step, rtol=2e-9, atol=1e-12)


def test_newton_at_a_ridge_and_without_curvature():
    saddle, slope = FUNCTIONS["saddle"], parse_formula("3*x + y**2")
    by_hand = {
        False: (0, 0),
        True: (0, 1),
    }  # towards the saddle; away from it along y, where f curves down
    for saddle_free, end in by_hand.items():
        run = minimize(saddle, make("newton", saddle_free=saddle_free), (1, 0.5), 1)
        np.testing.assert_allclose(run.points[1], end, atol=1e-15)
    assert (
        minimize(slope, make("newton"), (1, 1), 3).diverged_at == 1
    )  # a slope without curvature has no level point
    np.testing.assert_allclose(
        minimize(slope, make("newton", damping=2.0), (1, 1), 1).points[1], (-0.5, 0.5)
    )


def test_every_optimizer_is_of_a_family_and_no_family_is_empty():
    assert {cls.family for cls in OPTIMIZERS.values()} <= set(FAMILIES)
    alike = {"sgd": "first order", "nesterov": "momentum", "adam": "adaptive", "soap": "matrix"}
    alike |= {"newton": "second order", "prodigy": "parameter-free", "cg": "momentum"}
    assert {key: OPTIMIZERS[key].family for key in alike} == alike
    assert [key for key, cls in OPTIMIZERS.items() if cls.layered] == ["muon"]


# --- hyperparameters ---

KNOBS = [
    (cls, k)
    for registry in (OPTIMIZERS, WRAPPERS, SCHEDULES, NOISES)
    for cls in registry.values()
    for k in hyperparameters(cls)
]
WRONG = {
    float: [
        "0.1",
        None,
        True,
        1j,
        float("nan"),
        float("inf"),
        -float("inf"),
        np.array([0.1, np.nan]),
        {},
        "x",
        *([0.1, 0.2], [[0.1], [0.2]], (0.1,), [], ()),  # only arrays broadcast
    ],
    int: ["2", None, True, 2.0, 2.5, float("nan"), float("inf"), np.float64(2), [2], {}],
    bool: ["True", None, 1, 0, 0.0, float("nan"), [True], {}],
}


@table(("cls", "k"), KNOBS)
def test_wrong_knobs_are_refused(cls, k):
    for value in WRONG[k.kind] + ([k.low - 1] if k.kind is int else []):
        with pytest.raises(ValueError, match=k.name):
            to_dict(cls, **{k.name: value})


@table(("cls", "k"), KNOBS)
def test_frozen(cls, k):
    made = to_dict(cls)
    with pytest.raises(FrozenInstanceError):
        setattr(made, k.name, k.default)
    assert hash(made) == hash(to_dict(cls))
    assert made == to_dict(cls)


@table(("cls", "k"), [(cls, k) for cls, k in KNOBS if cls in OPTIMIZERS.values()])
def test_a_knob_beyond_its_slider_is_refused_or_neither_raises_nor_warns(cls, k):
    for value in (-1.0, 0.0, 1.0, 2.0, 1e300) if k.kind is float else ():
        try:
            opt = cls(**{k.name: value})
        except ValueError:
            continue
        minimize(ROSENBROCK, opt, steps=5)


FROM_ZERO, SHARE, POSITIVE = "[0, inf)", "[0, 1)", "(0, inf)"
MAKES_NO_SENSE = [
    ("sgd", "lr", (-0.1, -1e-30), FROM_ZERO),
    ("bfgs", "lr", (-1.0,), FROM_ZERO),
    ("momentum", "momentum", (-0.1, 1.001), "[0, 1]"),
    ("nesterov", "momentum", (-0.1, 2.0), "[0, 1]"),
    ("adam", "beta1", (-0.1, 1.0, 1.5), SHARE),
    ("radam", "beta2", (-0.1, 1.0), SHARE),
    ("rmsprop", "rho", (-0.1, 1.0), SHARE),
    *((key, "eps", (0.0, -1e-8), POSITIVE) for key in ("adam", "adagrad", "adadelta", "adamax")),
    ("adamw", "weight_decay", (-0.01,), FROM_ZERO),
    ("nadam", "momentum_decay", (-1.0,), FROM_ZERO),
    ("newton", "damping", (-1.0,), FROM_ZERO),
    ("clipped", "max_norm", (0.0, -1.0), POSITIVE),
    ("averaged", "decay", (-0.1, 1.0), SHARE),
    ("lookahead", "alpha", (-0.1, 1.5), "[0, 1]"),
    ("exponential", "rate", (-0.1,), FROM_ZERO),
    ("step", "gamma", (-0.5,), FROM_ZERO),
    *((key, "floor", (-0.1, 1.1), "[0, 1]") for key in ("linear", "warmup_cosine", "restarts")),
    ("gaussian", "scale", (-1.0,), FROM_ZERO),
    ("ring", "radius", (-0.1,), FROM_ZERO),
    ("normal", "sigma", (-1.0,), FROM_ZERO),
]
MAKES_SENSE = [
    ("sgd", "lr", 0.0),
    ("momentum", "momentum", 1.0),  # a ball without friction
    ("adam", "beta1", 0.0),
    ("adam", "eps", 5e-324),
    ("adamw", "weight_decay", 5.0),
    ("clipped", "max_norm", 1e300),
    ("averaged", "decay", 0.0),
    ("lookahead", "alpha", 1.0),
    ("step", "gamma", 2.0),
    ("constant", "c", -3.0),  # the initializer
    ("leaky_relu", "alpha", -1.0),  # |z|
]
EVERYTHING = [
    SCHEDULES, INITIALIZERS, ACTIVATIONS, OPTIMIZERS, WRAPPERS, NOISES, starts.INITIAL_POINTS, SHAPES, SAMPLERS,
]  # fmt: skip


def declared_by(key, name):
    """The class that a registry holds under a key, and that has a hyperparameter of this name."""
    [cls] = [
        r[key] for r in EVERYTHING if key in r and name in {k.name for k in hyperparameters(r[key])}
    ]
    return cls


@table(("key", "name", "values", "valid"), MAKES_NO_SENSE)
def test_what_makes_no_sense_is_refused_with_the_range(key, name, values, valid):
    cls = declared_by(key, name)
    for value in values:
        column = np.array([[0.5], [value]])
        for given in (value, np.float64(value), column, column.astype(np.float32)):
            said = f"{name} must be in {valid}, not {np.ravel(given)[-1]:.12g}"
            with pytest.raises(ValueError, match=re.escape(said)):
                to_dict(cls, **{name: given})


@table(("key", "name", "value"), MAKES_SENSE)
def test_what_makes_sense_is_not_refused(key, name, value):
    cls = declared_by(key, name)
    for given in (value, np.array([[0.5], [value]])):
        assert np.array_equal(getattr(to_dict(cls, **{name: given}), name), given)


def test_all_that_a_slider_reaches_makes_sense():
    for cls in (cls for registry in EVERYTHING for cls in registry.values()):
        for k in hyperparameters(cls):
            for value in (k.low, k.high, k.default):
                if value is not None:
                    k.check(k.kind(value))


def test_a_schedule_may_lead_to_where_nobody_may_set_it():
    """Down to 0 in two steps: the rate, and what divides the gradient of 0 along x."""
    to_zero = SCHEDULES["linear"](steps=2)
    run = minimize(BOWL, make("sgd"), (-7, 2), 4, schedule=to_zero)
    assert run.points[2].tolist() == pytest.approx([-7 * 0.99 * 0.995, 2 * 0.8 * 0.9])
    assert (run.points[2:] == run.points[2]).all()
    assert run.optimizer_at(3).lr == 0
    run = minimize(BOWL, make("rmsprop"), (0, 2), 4, schedule={"eps": to_zero})
    assert run.diverged_at == 3
    with pytest.raises(ValueError, match="eps"):
        make("rmsprop", eps=0.0)


@table("key", OPTIMIZERS)
def test_knobs_that_it_lacks_and_schedules_of_them_are_refused(key):
    with pytest.raises(TypeError):
        make(key, no_such_knob=1.0)
    for name in (
        "no_such_knob",
        "memory",
        "bias_correction",
        "line_search",
    ):  # only floats can be scheduled
        with pytest.raises(ValueError, match=name):
            minimize(BOWL, make(key), schedule={name: SCHEDULES["cosine"]()})


@table(
    "wrong",
    [
        *({"start": s} for s in ("ab", (1, 2, 3), (np.nan, 0), (0, np.inf), 1.0)),
        *({"steps": n} for n in (-1, 2.5, True, 10**9)),
    ],
)
def test_wrong_starts_and_steps_are_refused(wrong):
    with pytest.raises(ValueError, match=r"a start|steps is"):
        minimize(BOWL, make("sgd"), **wrong)


# --- the step is pure ---


@table("key", [*OPTIMIZERS, *WRAPPERS])
def test_a_step_changes_neither_point_nor_state_and_can_be_taken_again(key):
    opt = to_dict(OPTIMIZERS.get(key) or WRAPPERS[key])
    f, x = Oracle(FUNCTIONS["matyas"]), np.array([[-1.2, 1.0], [0.3, 0.4]])
    state = opt.init(x)
    for _ in range(6):
        frozen = [a for a in (x, *state.values()) if isinstance(a, np.ndarray)]
        for a in frozen:
            a.flags.writeable = False
        first, again = opt.step(f, x, state), opt.step(f, x, state)
        assert np.array_equal(first[0], again[0])
        x, state = first


@table("key", OPTIMIZERS)
def test_an_integer_start_is_as_good_as_a_float(key):
    expected = minimize(BOWL, make(key), (-7.0, 2.0), 5).points
    for start in (
        (-7, 2),
        [-7, 2],
        np.array([-7, 2]),
        np.array([-7, 2], np.int8),
        np.array([-7, 2], np.float32),
    ):
        assert np.array_equal(minimize(BOWL, make(key), start, 5).points, expected)


# --- what it asks for ---


class Counted:
    """A function that counts for itself how often a single point is asked about."""

    def __init__(self, f):
        self.f, self.noise, self.start, self.asked = f, None, f.start, [0, 0, 0]

    def ask(self, i, name, x):
        self.asked[i] += np.ndim(x) == 1
        return getattr(self.f, name)(x)

    def grad(self, x):
        return self.ask(0, "grad", x)

    def value(self, x):
        return self.ask(1, "value", x)

    def hess(self, x):
        return self.ask(2, "hess", x)


CLASSIC = {  # whether it asks for gradients, values, Hessians
    "cg": [True, True, False],
    "nelder_mead": [False, True, False],
    "trust_region": [True, True, True],
}
INITIAL_POINTS = np.array([(-1.2, 1.0), (0.0, 0.0), (1.5, -0.5), (-1.9, 2.9)])


@table("key", OPTIMIZERS)
def test_evaluations_are_what_a_counting_function_counts(key):
    for search in (False, True) if key in SEARCHING else (None,):
        opt = make(key) if search is None else make(key, line_search=search)
        steps = 2 if key == "newton" else 15  # at rest in the minimum after two
        batch = minimize(
            ROSENBROCK, opt.scaled("lr", 1e-3) if not search else opt, INITIAL_POINTS, steps
        )
        assert (batch.diverged_at == -1).all()
        for i, start in enumerate(INITIAL_POINTS):
            f = Counted(ROSENBROCK)
            one = minimize(f, batch.optimizer, start, steps)
            assert list(one.evaluations) == f.asked
            assert [n[i] for n in batch.evaluations] == f.asked
            hessians = {"newton": steps, "sophia": -(-steps // 10), "trust_region": f.asked[2]}
            assert f.asked[2] == hessians.get(key, 0)
            if key in CLASSIC:
                assert [n > 0 for n in f.asked] == CLASSIC[key]
                continue
            # a search knows the value where it has ended, and BFGS's the gradient too
            assert f.asked[0] == steps if key == "newton" or not search else f.asked[0] > steps
            assert f.asked[1] > steps if search else f.asked[1] == 0


@pytest.mark.parametrize(
    ("key", "asked"), [("bfgs", (3, 3, 0)), ("lbfgs", (3, 3, 0)), ("newton", (1, 4, 1))]
)
def test_a_line_search_by_hand(key, asked):
    """x² + y² from (1, 0), rate 4. The gradient is (2, 0): Newton, with half of it, asks at 1, -3, -1, 0;
    the others, with half the rate, at 1 and -3, and the cubic through these ends at 0.
    """
    run = minimize(SPHERE, make(key, lr=4.0, line_search=True), (1, 0), 1)
    assert run.points[1] == pytest.approx([0, 0], abs=1e-15)
    assert run.evaluations == asked


SCIPY = {  # nfev = njev of scipy.optimize.minimize (1.17.1) with jac, whose tolerance is |grad| <= 1e-5
    "bfgs": {"rosenbrock": 39, "himmelblau": 11, "bowl": 10},
    "lbfgs": {"rosenbrock": 44, "himmelblau": 11, "bowl": 10},
    "cg": {"rosenbrock": 78, "himmelblau": 20, "bowl": 6},
}
STARTS = {"rosenbrock": (-1.2, 1), "himmelblau": (-1, 4), "bowl": (-7, 2)}


@table(("key", "surface", "calls"), [(k, f, n) for k, row in SCIPY.items() for f, n in row.items()])
def test_as_many_evaluations_as_scipy(key, surface, calls):
    """To SciPy's tolerance; in the valley also to the end, where it rests and asks for nothing more."""
    run = minimize(FUNCTIONS[surface], make(key), STARTS[surface], 100)
    solved_at = int((np.abs(run.true_gradients).max(-1) <= 1e-5).argmax())
    assert solved_at > 0
    assert (run.work[solved_at, :2] <= 1.5 * calls).all()
    assert run.work[solved_at, 2] == 0
    if surface == "rosenbrock":
        assert sum(run.evaluations) <= 1.5 * 2 * calls
        assert run.values[-1] < 1e-26
        assert np.array_equal(run.work[50], run.work[100])


def test_the_update_that_scipy_makes_with_the_search_that_torch_makes():
    """Rosenbrock: torch.optim.lbfgs._strong_wolfe and scipy.optimize.BFGS come to 40 values and 40 gradients."""
    run = minimize(ROSENBROCK, make("bfgs"), (-1.2, 1), 30)
    assert run.evaluations == (40, 40, 0)
    assert run.values[-1] == pytest.approx(8.5153e-15, rel=1e-3)


@table(
    ("formula", "start"),
    [
        ("log(x) + y**2", (2, 1)),
        ("sqrt(x) + y**2", (2, 1)),
        ("abs(x) + abs(y)", (2, 1.3)),
        ("x**3 + y**2", (2, 1)),
        ("x", (1, 1)),
        ("x**2 - y**2", (1, 1)),
        ("exp(x)", (1, 1)),
        ("1/x", (-1, 1)),
        ("3", (1, 1)),
        ("1e6 + x**2 + y**2", (1, 1)),
    ],
)
@table("key", [*SEARCHING, *CLASSIC])
def test_a_search_ends_where_there_is_no_minimum_or_no_slope(key, formula, start):
    run = minimize(parse_formula(formula), searching(key), start, 60)
    assert np.diff(run.work[:, 1]).max() <= 41
    assert not (np.diff(run.values) > 0).any()


@table("key", [*SEARCHING, "cg", "trust_region"])
@table(
    ("surface", "at"),
    [("bowl", (0, 0)), ("rosenbrock", (1, 1)), ("himmelblau", (3, 2)), ("saddle", (0, 0))],
)
def test_who_starts_at_rest_asks_for_nothing_but_the_slope(key, surface, at):
    run = minimize(FUNCTIONS[surface], searching(key), at, 20)
    assert (run.points == at).all()
    assert run.evaluations.value == 0
    assert max(run.evaluations) <= 2


@table("surface", ["rosenbrock", "himmelblau", "rastrigin", "ackley", "cliff", "saddle"])
@table("key", [*SEARCHING, "cg"])
def test_armijo_holds_on_every_step(key, surface):
    f = FUNCTIONS[surface]
    (x0, x1), (y0, y1) = f.domain
    initial_points = np.random.default_rng(0).uniform((x0, y0), (x1, y1), (40, 2))
    run = minimize(f, searching(key), initial_points, 8)
    fall, slope = np.diff(run.values, axis=0), (run.gradients * np.diff(run.points, axis=0)).sum(-1)
    kept = np.isfinite(fall)
    assert kept.mean() > 0.9
    scale = 1e-12 * (1 + np.abs(run.values[:-1]))
    assert (slope <= scale)[kept].all()
    assert (fall <= 1e-4 * slope + scale)[kept].all()


def test_who_rests_asks_no_more():
    """One look shows that there is no slope; another optimizer takes its own, and noise lets nobody rest."""
    still = minimize(SPHERE, make("sgd"), (0, 0), 10)
    assert still.work[:, 0].tolist() == [0, *[1] * 10]
    assert minimize(SPHERE, make("newton"), (1, 0), 10).evaluations == (2, 0, 2)
    then = [Segment(5, make("momentum"))]
    assert minimize(SPHERE, make("sgd"), (0, 0), 10, then=then).evaluations.gradient == 2
    noise = NOISES["gaussian"](scale=1e-9)
    assert minimize(SPHERE, make("sgd"), (0, 0), 10, noise=noise).evaluations.gradient == 10
    moving = minimize(SPHERE, WRAPPERS["averaged"](make("sgd", lr=0.5)), (1, 0), 10)
    assert (np.diff(moving.values) < 0).all()  # the average is on its way, what is inside is not
    assert moving.evaluations.gradient == 2


def test_bfgs_satisfies_the_secant_equation_and_stays_positive_definite():
    rng = np.random.default_rng(0)
    inverse = np.broadcast_to(np.eye(3), (50, 3, 3))
    for _ in range(5):
        s, y = rng.standard_normal((2, 50, 3))
        updated = make("bfgs").update_inverse(inverse, s, y)
        usable = (s * y).sum(-1) > 0
        np.testing.assert_allclose(
            np.einsum("nij,nj->ni", updated, y)[usable], s[usable], rtol=1e-6, atol=1e-6
        )
        assert np.array_equal(updated[~usable], inverse[~usable])
        np.testing.assert_allclose(updated, np.swapaxes(updated, -1, -2), rtol=1e-9, atol=1e-9)
        assert (np.linalg.eigvalsh(updated) > 0).all()
        inverse = updated


def test_bfgs_learns_from_short_steps_as_from_long_ones():
    """The update does not change when s and y shrink together."""
    inverse, s, y = np.eye(2), np.array([1.0, 2.0]), np.array([2.0, 3.0])
    long, short = (make("bfgs").update_inverse(inverse, size * s, size * y) for size in (1.0, 1e-9))
    np.testing.assert_allclose(long @ y, s)
    np.testing.assert_allclose(short, long, rtol=1e-9)


@pytest.mark.parametrize("search", [False, True])
def test_lbfgs_moves_a_coordinate_whose_slope_is_zero(search):
    """x² + xy + y² at (2, -1), slope (3, 0), with the pair s = (2, -1), y = (3, 0): the step is -s, to the minimum."""
    opt, x, nothing = make("lbfgs", line_search=search), np.array([2.0, -1.0]), np.zeros(2)
    state = {**opt.init(x), "x_prev": nothing, "g_prev": nothing}
    x, _ = opt.step(Oracle(parse_formula("x**2 + x*y + y**2")), x, state)
    np.testing.assert_allclose(x, (0, 0), atol=1e-15)


@table(
    ("key", "surface", "start"),
    [(key, "rosenbrock", (1e6, 1)) for key in SEARCHING]
    + [(key, "goldstein_price", (50, 70)) for key in SEARCHING]
    + [("bfgs", "kink", (6, 0)), ("lbfgs", "kink", (6, 0))],
)
def test_a_search_never_climbs_even_where_it_finds_nothing(key, surface, start):
    run = minimize(FUNCTIONS[surface], make(key, line_search=True, lr=6.4), start, 10)
    assert (run.diverged_at == -1).all()
    assert (np.diff(run.values) <= 0).all()


# --- how a run ends ---


def test_a_row_that_diverges_is_frozen_and_the_others_are_not():
    """At rate 1e150 the first step is to (7e149, -4e150), worth 1.6e301; the second is beyond the numbers."""
    lrs = np.array([[0.1], [1e150], [0.5]])
    run = minimize(BOWL, make("sgd", lr=lrs), (-7, 2), 6)
    assert run.diverged_at.tolist() == [-1, 2, -1]
    assert not run.undefined.any()
    assert run.points[1, 1] == pytest.approx([7e149, -4e150])
    assert run.values[1, 1] == pytest.approx(1.6e301 + 2.45e298)
    for array in (
        run.points[2:],
        run.values[2:],
        run.gradients[1:],
        run.true_gradients[2:],
        run.lengths[2:],
    ):
        assert np.isnan(array[:, 1]).all()
        assert np.isfinite(array[:, [0, 2]]).all()
    for i in (0, 2):
        assert run.points[6, i] == pytest.approx(
            [-7 * (1 - lrs[i, 0] / 10) ** 6, 2 * (1 - 2 * lrs[i, 0]) ** 6]
        )
    assert run.evaluations.gradient.tolist() == [6, 2, 6]
    assert run.work[:, 0, 1].tolist() == [0, 1, 2, 2, 2, 2, 2]


@table("key", OPTIMIZERS)
def test_a_start_beyond_the_numbers_is_frozen_at_once(key):
    run = minimize(ROSENBROCK, make(key), [(1e100, 0), (-1.2, 1)], 4)
    assert run.diverged_at[0] == 0
    assert np.isnan(run.points[:, 0]).all()
    assert run.evaluations.gradient[0] == 0
    assert np.isfinite(run.points[:2, 1]).all()


@pytest.mark.parametrize(("formula", "x"), [("log(x)", 0.5), ("sqrt(x)", 0.05), ("x**1.5", 0.5)])
def test_a_path_that_leaves_where_f_is_defined_is_stopped_there(formula, x):
    run = minimize(parse_formula(formula), make("sgd", lr=1.0), [(x, 0), (70, 0)], 4)
    assert run.diverged_at.tolist() == [1, -1]
    assert run.undefined.tolist() == [True, False]
    assert run.points[0, 0].tolist() == [x, 0]
    assert np.isnan(run.points[1:, 0]).all()
    assert np.isfinite(run.points[:, 1]).all()


@pytest.mark.parametrize(
    ("surface", "lr"), [("double_well", 0.60082777), ("monkey_saddle", 0.05), ("rosenbrock", 0.1)]
)
def test_a_polynomial_is_defined_wherever_it_overflows(surface, lr):
    run = minimize(
        FUNCTIONS[surface], make("sgd", lr=np.linspace(1, 2, 50)[:, None] * lr), steps=60
    )
    assert (run.diverged_at > 0).any()
    assert not run.undefined.any()


@table(
    ("formula", "x", "y", "lost"),
    [
        ("x**8", 1e39, 0, True),  # 1e312 is beyond the numbers, which end at 1.8e308
        ("x**8", 1e38, 0, False),
        ("x**8 - y**8", 1e39, 1e39, True),
        ("exp(x)", 710, 0, True),  # they end at e to the 709.78
        ("exp(x)", 709, 0, False),
        ("cosh(exp(x))", 6.6, 0, True),  # e to the 6.6 is 735
        ("x/1e12 - y", 1e200, 0, False),
        ("log(x)", -1, 0, True),
    ],
)
def test_points_are_lost_where_f_is_whichever_is_read_first(formula, x, y, lost):
    f = parse_formula(formula)
    points = minimize(f, make("sgd"), [(x, y), (1, 1)], 0).points
    assert np.isnan(points).any(-1).tolist() == [[lost, False]]
    run = minimize(f, make("sgd"), [(x, y), (1, 1)], 0)
    assert run.diverged_at.tolist() == [0 if lost else -1, -1]
    assert np.array_equal(run.points, points, equal_nan=True)


def test_f_is_worked_out_only_for_who_reads_it(monkeypatch):
    asked = []
    monkeypatch.setattr(type(BOWL.raw), "value", lambda self, x: asked.append(x) or x[..., 0])
    run = minimize(BOWL, make("adam"), [(-7, 2), (3, 1)], 10)
    assert run.points.shape == (11, 2, 2)
    assert not asked
    assert np.array_equal(run.values, run.points[..., 0])
    assert len(asked) == 1


# --- classics ---


def test_conjugate_gradients_end_a_quadratic_in_as_many_steps_as_it_has_coordinates():
    run = minimize(BOWL, make("cg"), (-7, 2), 2)
    assert np.abs(run.points[1]).max() > 1
    assert run.points[2] == pytest.approx((0, 0), abs=1e-12)


def test_nelder_mead_has_no_gradients_and_nothing_to_schedule():
    run = minimize(BOWL, make("nelder_mead"), (-7, 2), 3)
    assert np.isnan(run.gradients).all()
    assert run.work[:, 1].tolist() == [0, 5, 7, 9]  # three corners, and two trials in each step
    with pytest.raises(ValueError, match="Nelder-Mead needs its first edge only once"):
        minimize(BOWL, make("nelder_mead"), steps=3, schedule=SCHEDULES["cosine"](steps=3))


def test_muon_moves_a_point_by_the_length_that_it_says():
    """Its one singular value is 1 before the five steps, whatever the gradient."""
    length = 2**0.5 * spread(1.0)
    run = minimize(BOWL, make("muon", lr=0.02), (-7, 2), 20)
    moved = np.sqrt((np.diff(run.points, axis=0) ** 2).sum(-1))
    assert moved == pytest.approx(0.02 * length)
    assert f"{length:.3f}" in make("muon").__doc__


def test_the_distance_that_prodigy_finds_is_a_lower_bound_on_convex_functions():
    for key, start in (("bowl", (-7, 2)), ("kink", (-7, 2.3)), ("matyas", (-8, 3))):
        run = minimize(FUNCTIONS[key], make("prodigy"), start, 2000)
        distances = [float(state["d"][0]) for state in run.state_dicts]
        assert distances == sorted(distances)
        assert 0.1 < distances[-1] <= max(map(abs, start)), key


def test_singular_values_of_the_first_step_by_hand():
    """The gradient of the bowl at (-7, 2) is (-.7, 4), of which the square is 16.49."""
    for key, before, after in (
        ("shampoo", (0, 0), (16.49, 0)),
        ("soap", (0, 0), (0.05 * 16.49, 0)),
        ("muon", 1.95 * 16.49**0.5, 2**0.5 * spread(1.0)),
    ):
        run = minimize(BOWL, make(key), (-7, 2), 1)
        spectra = make(key).spectrum(*run.state_dicts)
        np.testing.assert_allclose(spectra[0], before, atol=1e-12)
        np.testing.assert_allclose(spectra[1], after, atol=1e-12)


@table("key", OPTIMIZERS)
def test_the_lowest_rate_is_low_enough_for_a_steep_function(key):
    """From no start in Goldstein-Price's picture, whose gradients are up to 10⁶ long, diverges."""
    f, cls = FUNCTIONS["goldstein_price"], OPTIMIZERS[key]
    declared = {h.name: h for h in hyperparameters(cls)}
    values = {"lr": declared["lr"].low} if "lr" in declared else {}
    values |= {"line_search": False} if "line_search" in declared else {}
    at = np.stack(np.meshgrid(*(np.linspace(*side, 8) for side in f.domain)), -1)
    end = final(f, cls(**values), at.reshape(-1, 2), 100)
    assert (end.diverged_at < 0).all()
