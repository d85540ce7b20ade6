"""The equations in the docstrings, worked out with a step's own numbers, are what the code computes."""

import itertools
import re
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest

from optviz import FUNCTIONS, OPTIMIZERS, WRAPPERS, minimize
from optviz.optim import Optimizer
from optviz.optim.equations import (
    StepRecord,
    active_equations,
    effective_rate,
    evaluate_equations,
    step_record,
)
from optviz.optim.equations.tree import latex, number
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.optim.oracle import Oracle
from tests.table import table

BOWL, ROSENBROCK = FUNCTIONS["bowl"], FUNCTIONS["rosenbrock"]
SEARCHED = r"\text{found by the search}"

# every optimizer as it is, with each switch turned, and with hyperparameters on that are off
SWITCHED = [
    (key, {k.name: not k.default})
    for key, cls in OPTIMIZERS.items()
    for k in hyperparameters(cls)
    if k.kind is bool
]
# far from what is usual, where an ε or a 1 cannot hide that it stands in the wrong place
ODD = {"lr": 0.3, "momentum": 0.6, "rho": 0.6, "beta1": 0.3, "beta2": 0.8, "eps": 0.05}
UNUSUAL = [
    (key, {k.name: ODD[k.name] for k in hyperparameters(cls) if k.name in ODD})
    for key, cls in OPTIMIZERS.items()
]
CASES = [
    *((key, {}) for key in OPTIMIZERS),
    *SWITCHED,
    *UNUSUAL,
    ("adamw", {"weight_decay": 0.3, "bias_correction": False}),
    ("lion", {"weight_decay": 0.2}),
    (
        "lion",
        {"lr": 1.0, "beta1": 0.95, "beta2": 0.1},
    ),  # the sign is the momentum's, not the gradient's
    ("lion", {"lr": 1.0, "beta1": 0.0, "beta2": 0.95}),  # and the other way round
    ("newton", {"damping": 3.0}),
    ("newton", {"damping": 3.0, "saddle_free": True, "line_search": True}),
    ("nadam", {"momentum_decay": 0.5}),
    ("radam", {"beta2": 0.6}),
    ("lbfgs", {"lr": 0.3, "memory": 2, "line_search": False}),
    ("sgd", {"weight_decay": 0.3}),
    ("momentum", {"weight_decay": 0.3, "dampening": 0.4}),
    ("rmsprop", {"momentum": 0.7, "centered": True}),
]
UNREADABLE = set()  # optimizers and wrappers with an equation that cannot be worked out


def moments(f, opt, steps, start=None, noise=0.0, scaled=None):
    """Every step of a run. `scaled` names a hyperparameter that is multiplied by .9 from step to step."""
    x, random = np.array(f.start if start is None else start, float), np.random.default_rng(0)
    with np.errstate(all="ignore"):
        state = opt.init(x)
        for t in range(1, steps + 1):
            scheduled = opt.scaled(scaled, 0.9 ** (t - 1)) if scaled else opt
            oracle = Oracle(f)
            oracle.begin(noise * random.normal(size=2))
            x_next, state_next = scheduled.step(oracle, x, state)
            yield StepRecord(f, scheduled, t, x, state, x_next, state_next, oracle.gradient)
            x, state = x_next, state_next


def left(line):
    return re.split(r"\\leftarrow|=", line.symbols)[0].strip()


def same(value, after, record, name=""):
    """Equal but for rounding. A matrix is turned round in another order than in the code, and may be stiff."""
    rtol = 1e-7 if {"B", "S", "L"} & record.state.keys() else 1e-9
    # to a power where one eigenvalue is 10⁹ times the other, of which rounding leaves 7 digits
    rtol = 1e-5 if "P" in record.state else rtol
    scale = max(
        np.abs(record.x).max(), np.abs(after).max()
    )  # what comes to rest at 0 is left of larger numbers
    np.testing.assert_allclose(value, after, rtol=rtol, atol=1e-15 * scale, err_msg=name)


def check(record):
    """Each left side that the step leaves in its state or as its point has the value that it left there."""
    names = (
        {name: name for name in record.state if len(name) == 1}
        | record.optimizer.symbols
        | {"x": "x"}
    )
    after = {**record.state_next, "x": record.x_next}
    lines = evaluate_equations(record)
    values = {}
    for line in lines:
        assert line.numbers or not record.gradient.any(), (
            line.symbols
        )  # a search has nowhere to go from a minimum
        if left(line) in names:
            values[names[left(line)]] = line.value
    for name, value in values.items():
        same(value, after[name], record, f"{name} at step {record.step}")
    renewed = {
        k
        for k, v in record.state_next.items()
        if np.ndim(v) and v is not record.state[k] and not k.endswith("_prev")
    }
    assert values.keys() >= renewed | {"x"}
    return lines


@table("noise", [0.0, 0.5])
@table("f", [BOWL, ROSENBROCK])
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_the_documented_equations_are_the_code(key, f, noise):
    for chosen in (chosen for case, chosen in CASES if case == key):
        _the_equations_are_the_code(OPTIMIZERS[key](**chosen), f, noise)


def _the_equations_are_the_code(opt, f, noise):
    if f is ROSENBROCK and opt.lr < 1:
        opt = replace(opt, lr=1e-3)  # or else the plain ones are gone by step 7
    for record in moments(f, opt, 7, noise=noise):
        assert np.isfinite(record.x_next).all()
        if opt.key not in UNREADABLE:
            check(record)


def test_every_equation_can_be_read():
    """What is listed as unreadable must be so, and nothing else."""
    seen = {key for key, cls in OPTIMIZERS.items() for m in moments(BOWL, cls(), 2) if gaps(m)}
    seen |= {
        key
        for key, cls in WRAPPERS.items()
        for m in moments(BOWL, cls(OPTIMIZERS["sgd"]()), 2)
        if gaps(m)
    }
    assert seen == UNREADABLE


def gaps(record):
    return [
        line.symbols
        for line in evaluate_equations(record)
        if not line.numbers or line.value is None
    ]


@table("key", OPTIMIZERS)
def test_scheduled_knobs(key):
    """The powers of β are running products, whatever β has become."""
    for k in hyperparameters(OPTIMIZERS[key]):
        if k.kind is float:
            for record in moments(BOWL, OPTIMIZERS[key](), 4, scaled=k.name):
                check(record)


@table(
    "opt",
    [cls() for cls in OPTIMIZERS.values()] + [w(OPTIMIZERS["nadam"]()) for w in WRAPPERS.values()],
)
def test_an_optimizer_that_has_taken_over_later_counts_for_itself(opt):
    """The number of the step is not that of its own updates, nor is a state after it that is another's."""
    for record in moments(BOWL, opt, 6):
        late = replace(record, step=record.step + 7)
        assert [line.numbers for line in evaluate_equations(late)] == [
            line.numbers for line in evaluate_equations(record)
        ]
        assert evaluate_equations(
            replace(late, state_next={})
        )  # not all is known, but nothing raises
        again = step_record(BOWL, opt, late.step, record.x, record.state, record.gradient)
        assert [line.numbers for line in evaluate_equations(again)] == [
            line.numbers for line in evaluate_equations(record)
        ]
        np.testing.assert_array_equal(again.x_next, record.x_next)


def test_a_wrong_equation_is_found():
    """Or else the tests above would prove nothing."""

    @dataclass(frozen=True)
    class Wrong(type(OPTIMIZERS["momentum"]())):
        r"""Momentum, with a slip.

        $$ v \leftarrow \mu\, v - \eta\, \nabla f(x), \qquad x \leftarrow x + \mu v $$
        """

    @dataclass(frozen=True)
    class Elsewhere(type(OPTIMIZERS["nesterov"]())):
        r"""Nesterov's, with the gradient of the wrong place.

        $$ v \leftarrow \mu\, v - \eta\, \nabla f(x), \qquad x \leftarrow x + v $$
        """

    for wrong in (Wrong, Elsewhere):
        _, second = moments(BOWL, wrong(), 2)
        with pytest.raises(AssertionError, match="at step 2"):
            check(second)


# --- wrappers ---

INNER = [OPTIMIZERS[key]() for key in ("sgd", "nesterov", "adam", "newton", "bfgs", "lbfgs")]
WRAPPED = [cls(inner) for cls in WRAPPERS.values() for inner in INNER] + [
    outer(middle(OPTIMIZERS["adam"]()))
    for outer, middle in itertools.permutations(WRAPPERS.values(), 2)
]


@table("noise", [0.0, 0.5])
@table("opt", WRAPPED)
def test_wrappers(opt, noise):
    for record in moments(BOWL, opt, 11, noise=noise):
        lines = evaluate_equations(record)
        last = {left(line): line.value for line in lines}
        shown = [line for line in lines if left(line) in ("x", r"\bar x")][-1]
        same(shown.value, record.x_next, record)
        if opt.key == "averaged":
            assert left(shown) == r"\bar x"
            same(last["x"], record.state_next["inside"], record)
        for name in {"m", "v", "B"} & record.state.keys():
            same(last[name], record.state_next[name], record)
        assert (r"\phi" in last) == ("slow" in record.state)
        if r"\phi" in last:
            same(last[r"\phi"], record.state_next["slow"], record)
        assert all(line.numbers for line in lines)


def test_a_clipped_gradient_comes_first_and_is_what_the_inner_one_is_given():
    (record,) = moments(BOWL, WRAPPERS["clipped"](OPTIMIZERS["adam"](), max_norm=2.0), 1, (-7, 2))
    clip, mean, *_ = evaluate_equations(record)
    short = np.array([-0.7, 4]) * 2 / np.hypot(0.7, 4)
    assert (left(clip), left(mean)) == ("g", "m"), "the one inside asks for no gradient of its own"
    for line, value in ((clip, short), (mean, 0.1 * short)):
        np.testing.assert_allclose(line.value, value, rtol=1e-12)


def test_a_point_inside_an_average_and_the_jump_of_lookahead():
    averaged = WRAPPERS["averaged"](OPTIMIZERS["sgd"](lr=0.5), decay=0.75)
    _, record = moments(BOWL, averaged, 2, (-8, 2))
    inside, shown = evaluate_equations(record)
    np.testing.assert_allclose(inside.value, (-7.6 + 0.38, 0), atol=1e-15)
    np.testing.assert_allclose(shown.value, (0.75 * -7.9 + 0.25 * -7.22, 0.75 * 1.5), rtol=1e-12)
    lookahead = WRAPPERS["lookahead"](OPTIMIZERS["sgd"](lr=0.5), every=2, alpha=0.5)
    first, second = moments(BOWL, lookahead, 2, (-8, 2))
    assert [line.result for line in evaluate_equations(first)] == [
        latex((-7.6, 0)),
        latex((-8, 2)),
        latex((-7.6, 0)),
    ]
    assert [line.result for line in evaluate_equations(second)] == [
        latex((-7.22, 0)),
        *[latex((-7.61, 1))] * 2,
    ]


# --- by hand ---


def column(a, b):
    return rf"\begin{{pmatrix}} {a} \\ {b} \end{{pmatrix}}"


def test_the_first_step_of_adam_by_hand():
    (record,) = moments(BOWL, OPTIMIZERS["adam"](lr=0.3), 1, (-7, 2))
    g = np.array([-0.7, 4])
    lines = evaluate_equations(record)
    assert [left(line) for line in lines] == ["g", "m", "v", r"\hat m", r"\hat v", "x"]
    by_hand = [g, 0.1 * g, 0.001 * g**2, g, g**2, (-6.7, 1.7)]
    for line, value in zip(lines, by_hand, strict=True):
        np.testing.assert_allclose(line.value, value, rtol=1e-7)
    _, m, v, m_hat, v_hat, x = (line.numbers for line in lines)
    zero, grad, mean, square = (
        column(0, 0),
        column(-0.7, 4),
        column(-0.07, 0.4),
        column(0.00049, 0.016),
    )
    assert m == rf"0.9\,{zero} + \left(1 - 0.9\right)\,{grad}"
    assert v == rf"0.999\,{zero} + \left(1 - 0.999\right)\,{grad}^{{2}}"
    assert m_hat == rf"\frac{{{mean}}}{{1 - 0.9}}"
    assert v_hat == rf"\frac{{{square}}}{{1 - 0.999}}"
    assert (
        x
        == rf"{column(-7, 2)} - 0.3 \cdot \frac{{{grad}}}{{\sqrt{{{column(0.49, 16)}}} + 10^{{-8}}}}"
    )
    assert lines[-1].symbols == r"x \leftarrow x - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}"
    assert lines[-1].result == column(-6.7, 1.7)


def test_two_steps_of_momentum_by_hand():
    first, second = moments(BOWL, OPTIMIZERS["momentum"](lr=0.5, momentum=0.8), 2, (-7, 2))
    v, x = evaluate_equations(first)
    assert (v.result, x.result) == (column(0.35, -2), column(-6.65, 0))
    v, x = evaluate_equations(second)
    assert v.numbers == rf"0.8\,{column(0.35, -2)} - 0.5\,{column(-0.665, 0)}"
    np.testing.assert_allclose(v.value, (0.28 + 0.3325, -1.6))
    assert x.numbers == rf"{column(-6.65, 0)} + {column(0.6125, -1.6)}"
    np.testing.assert_allclose(x.value, (-6.0375, -1.6))


def test_nesterov_says_where_the_gradient_was_asked_for():
    _, record = moments(BOWL, OPTIMIZERS["nesterov"](lr=0.5, momentum=0.8), 2, (-7, 2))
    v, _ = evaluate_equations(record)
    asked = column(-6.37, -1.6)  # (-6.65, 0) + 0.8 (0.35, -2)
    brace = rf"\underbrace{{{column(-0.637, -3.2)}}}_{{\nabla f\left({asked}\right)}}"
    assert v.numbers == rf"0.8\,{column(0.35, -2)} - 0.5\,{brace}"


def test_without_correction_the_divisors_are_one():
    (record,) = moments(BOWL, OPTIMIZERS["adam"](bias_correction=False), 1, (-7, 2))
    corrected = evaluate_equations(record)[3]
    assert corrected.symbols == r"\hat m = \frac{m}{1}"
    assert corrected.numbers == rf"\frac{{{column(-0.07, 0.4)}}}{{1}}"


def test_radam_says_which_way_it_went():
    *_, fifth, sixth = moments(BOWL, OPTIMIZERS["radam"](), 6)
    untrusted, trusted = (
        [line for line in evaluate_equations(m) if left(line) == "r_t"] for m in (fifth, sixth)
    )
    assert untrusted[0].numbers.startswith("1")
    assert r"\not>" in untrusted[0].numbers
    assert untrusted[0].value == 1
    assert r"\not>" not in trusted[0].numbers
    assert r"\sqrt" in trusted[0].numbers


@pytest.mark.parametrize("key", ["newton", "bfgs", "lbfgs"])
def test_the_step_that_a_search_found(key):
    """A line of its own: what is tried first, halved so and so often, or what fulfills the strong Wolfe
    conditions; without a search nothing is found.
    """
    for f, start in itertools.product((BOWL, ROSENBROCK), ((-1, 0.6), (0.5, -0.5))):
        for record in moments(f, OPTIMIZERS[key](lr=3.0, line_search=True), 3, start):
            lines = evaluate_equations(record)
            (searched,) = (line for line in lines if line.numbers == SEARCHED)
            dx = record.x_next - record.x
            slope, slope_there = record.gradient @ dx, f.grad(record.x_next) @ dx
            assert f.value(record.x_next) <= f.value(record.x) + 1e-4 * slope
            if key == "newton":
                halvings = np.log2(3.0 / abs(searched.value))
                assert halvings == pytest.approx(round(halvings), abs=1e-6)
                assert halvings > -1e-6
            else:
                assert abs(slope_there) <= -0.9 * slope
        for record in moments(f, OPTIMIZERS[key](line_search=False), 2, start):
            assert SEARCHED not in [line.numbers for line in evaluate_equations(record)]


def test_only_a_search_leaves_a_symbol_to_be_found():
    for key, chosen in CASES:
        opt = OPTIMIZERS[key](**chosen)
        for record in moments(ROSENBROCK, opt, 2):
            searched = [line for line in evaluate_equations(record) if line.numbers == SEARCHED]
            assert len(searched) == getattr(opt, "line_search", key == "cg")


# --- what is shown ---

COMMANDS = "begin end left right frac tfrac sqrt cdot bmod nabla underbrace max min operatorname text top not infty vdots"


def balanced(text):
    depth = 0
    for character in re.sub(r"\\[{}]", "", text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    return depth == 0 and all(
        text.count(a) == text.count(b) for a, b in ((r"\left", r"\right"), (r"\begin", r"\end"))
    )


@table("opt", [cls() for cls in OPTIMIZERS.values()] + WRAPPED)
def test_no_symbol_is_left_and_katex_can_read_it(opt):
    for record in moments(ROSENBROCK, opt, 3):
        for line in evaluate_equations(record):
            for text in (line.numbers, line.result):
                assert balanced(text.replace(r"\leftarrow", ""))
                assert set(re.findall(r"\\([A-Za-z]+)", text)) <= set(COMMANDS.split())
                words = re.sub(r"\\(text|operatorname|begin|end)\{[^}]*\}|\\[A-Za-z]+", "", text)
                assert set(re.findall("[A-Za-z]+", words)) <= {"f", "I"}, text


def test_declared_equations_are_all_there():
    """As many lines as the docstring has equation signs."""
    for cls in [*OPTIMIZERS.values(), *WRAPPERS.values()]:
        opt = (
            cls(OPTIMIZERS["sgd"]())
            if cls in WRAPPERS.values()
            else cls(**dict.fromkeys(switches(cls), False))
        )
        if "bias_correction" in switches(cls):
            opt = replace(opt, bias_correction=True)
        opt = replace(opt, **{name: 0.5 for name, at in opt.variants if not isinstance(at, bool)})
        display = " ".join(re.findall(r"\$\$(.+?)\$\$", cls.__doc__, re.S))
        display = re.sub(
            r"(\\text\{ where \}[^,]*),", "", display
        )  # an = in a condition makes no equation
        assert len(active_equations(opt)) == len(re.findall(r"\\leftarrow|=", display)), cls
        for equation in active_equations(opt):
            assert equation in " ".join(cls.__doc__.split())


def switches(cls):
    return [k.name for k in hyperparameters(cls) if k.kind is bool]


@table(
    ("value", "text"),
    [(0.3, "0.3"), (1e-8, "10^{-8}"), (-1e-8, "-10^{-8}"), (12345.0, r"1.234\cdot 10^{4}"), (-0.0, "0"), (12345, "12345"),
     (2 / 3, "0.6667"), (-3.0, "-3"), (np.float64(1e300), "10^{300}"), (np.inf, r"\infty"), (-np.inf, r"-\infty"),
     (np.nan, r"\text{nan}")],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_signs_and_products_are_kept_apart():
    (record,) = moments(FUNCTIONS["rosenbrock"], OPTIMIZERS["adamw"](), 1)
    assert evaluate_equations(record)[-1].numbers.startswith(r"\left(1 - 0.1 \cdot 0.01\right)\,")
    (record,) = moments(BOWL, OPTIMIZERS["newton"](damping=0.5).scaled("damping", -1), 1)
    assert r"+ \left(-0.5\right) \cdot I" in evaluate_equations(record)[-1].numbers


# --- whatever happens ---


@table(
    "opt",
    [cls() for cls in OPTIMIZERS.values()]
    + [cls(inner) for cls in WRAPPERS.values() for inner in (INNER[0], INNER[-1])],
)
def test_never_raises(opt):
    """Far out, where nothing is finite, at a minimum, and where there is no curvature to divide by."""
    initial_points = [(1e200, -1e200), (np.nan, 0), (0, 0), (1, 1), (1e-200, 1e-300)]
    for f, start in itertools.product(
        (ROSENBROCK, FUNCTIONS["monkey_saddle"], FUNCTIONS["kink"]), initial_points
    ):
        for record in moments(f, opt, 2, start):
            for line in evaluate_equations(record):
                assert isinstance(line.result, str)
                assert (line.value is None) == (line.result == "")


def test_what_cannot_be_worked_out_is_shown_as_it_is():
    @dataclass(frozen=True)
    class Odd(Optimizer):
        r"""Equations that go beyond what is understood.

        $$ q = \oint_0^1 x, \qquad v \leftarrow \text{something}, \qquad w = v + v $$
        $$ x \leftarrow \operatorname{magic}(x), \qquad z = 2 x, \qquad = 3, \qquad v \leftarrow / + 1, \qquad w = v^2 $$
        $$ p = \frac{1}{ $$
        """

        lr: float = hyperparameter(0.1, symbol=r"\eta")

        def init(self, x):
            return {"v": x}

        def step(self, f, x, s):
            return x - self.lr * f.grad(x), {"v": x + 1}

    (record,) = moments(BOWL, Odd(), 1, (-7, 2))
    q, v, w, x, z, nothing, again, square, broken = evaluate_equations(record)
    assert (q.symbols, q.numbers, q.value, q.result) == (r"q = \oint_0^1 x", "", None, "")
    assert (v.numbers, v.result) == ("", column(-6, 3))  # as the step left it, and so it goes on
    assert (w.numbers, w.result) == (f"{column(-6, 3)} + {column(-6, 3)}", column(-12, 6))
    assert (x.numbers, x.result) == ("", column(-6.93, 1.6))
    assert z.result == column(-13.86, 3.2)
    assert (again.numbers, again.result) == ("", column(-6, 3))
    assert square.result == column(36, 9)
    assert nothing.value is broken.value is None


def test_newton_without_curvature_shows_where_it_went():
    (record,) = moments(FUNCTIONS["monkey_saddle"], OPTIMIZERS["newton"](), 1, (0, 0))
    x = evaluate_equations(record)[-1]
    assert (x.numbers, x.result) == ("", column(0, 0))


# --- declarations ---


FULL = OPTIMIZERS["rmsprop"](momentum=0.5, centered=True)


@table("opt", [cls() for cls in OPTIMIZERS.values()] + WRAPPED + [FULL])
def test_every_coordinate_shaped_state_has_a_name(opt):
    state = opt.init(np.zeros(2))
    assert opt.state_names.keys() == {
        name for name, value in state.items() if np.shape(value) == (2,)
    }
    assert all(opt.state_names.values())
    assert not {"state_names", "symbols", "variants"} & {f.name for f in fields(opt)}


def test_wrappers_hold_what_is_inside_without_telling_the_class():
    adam = OPTIMIZERS["adam"]()
    wrapped = WRAPPERS["averaged"](WRAPPERS["lookahead"](adam))
    assert wrapped.state_names == {
        **adam.state_names,
        "slow": "slow point",
        "inside": "point inside",
    }
    assert WRAPPERS["averaged"].state_names == {"inside": "point inside"}
    assert wrapped.scaled("lr", 0.5).state_names == wrapped.state_names


@table("cls", [*OPTIMIZERS.values(), *WRAPPERS.values()])
def test_declared_symbols_are_in_the_docstring(cls):
    opt = cls(OPTIMIZERS["sgd"]()) if cls in WRAPPERS.values() else cls()
    text = " ".join(cls.__doc__.split())
    for symbol, name in cls.symbols.items():
        assert symbol in text
        assert name in opt.init(np.zeros(2)) or name == "x"
    for (name, _), changes in cls.variants.items():
        assert name in [k.name for k in hyperparameters(cls)]
        assert all(old in text for old in changes)
    assert {name for name, at in cls.variants if isinstance(at, bool)} == set(switches(cls))


# --- effective rates ---


def test_effective_rate():
    run = minimize(BOWL, OPTIMIZERS["sgd"](lr=0.3), (-7, 2), 5)
    np.testing.assert_allclose(effective_rate(run), np.full((5, 2), 0.3), rtol=1e-12)
    run = minimize(BOWL, OPTIMIZERS["sgd"](lr=0.3), (-7, 0), 5)
    rates = effective_rate(run)
    assert rates.shape == (5, 2)
    assert np.isnan(rates[:, 1]).all()
    adam = effective_rate(minimize(BOWL, OPTIMIZERS["adam"](lr=0.3), (-7, 2), 1))
    np.testing.assert_allclose(adam, [[0.3 / 0.7, 0.3 / 4]], rtol=1e-6)
    assert effective_rate(minimize(BOWL, OPTIMIZERS["adam"](), [(-7, 2), (1, 1)], 3)).shape == (
        3,
        2,
        2,
    )
