"""The parser of typed formulas: what it must read, what it must refuse, and that neither takes long."""

import math
import string
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optviz import FormulaError, parse_formula
from tests.table import table

# formula -> the same in Python's own arithmetic
READ = {
    "x**2/20 + y**2": lambda x, y: x**2 / 20 + y**2,
    "x^2/20 + y^2": lambda x, y: x**2 / 20 + y**2,
    "-x**2": lambda x, y: -(x**2),
    "(-x)**2 - -y": lambda x, y: x**2 + y,
    "+x--y": lambda x, y: x + y,
    "2**3**2*x": lambda x, y: 512 * x,
    "2^3^2*x": lambda x, y: 512 * x,
    "x**y**0.5": lambda x, y: x ** math.sqrt(y),
    "2**-x": lambda x, y: 0.5**x,
    "x**-3": lambda x, y: 1 / (x * x * x),
    "x**12 + y**-9": lambda x, y: x**12 + y**-9,
    "x**64": lambda x, y: x**64,
    "x - y - 1": lambda x, y: (x - y) - 1,
    "x/y/2*3": lambda x, y: 1.5 * x / y,
    "x/-y": lambda x, y: -x / y,
    "((((x))))*(y)": lambda x, y: x * y,
    " x\t+\n y ": lambda x, y: x + y,
    "x + y": lambda x, y: x + y,  # a thin space
    "3": lambda x, y: 3,
    "0.25*x + .5*y + 1.": lambda x, y: x / 4 + y / 2 + 1,
    "1e3*x + 2.5e-2*y + 1E1": lambda x, y: 1000 * x + y / 40 + 10,
    "1e12*x": lambda x, y: x * 10**12,
    "0.1234567890123*x": lambda x, y: 0.1234567890123 * x,
    "pi*x + e*y": lambda x, y: math.pi * x + math.e * y,
    "e**x": lambda x, y: math.exp(x),
    "sin(x) + cos(y) + tan(x*y/9)": lambda x, y: math.sin(x) + math.cos(y) + math.tan(x * y / 9),
    "asin(x/9) + acos(y/9) + atan(x)": lambda x, y: (
        math.asin(x / 9) + math.acos(y / 9) + math.atan(x)
    ),
    "arcsin(x/9) + arccos(y/9) + arctan(x)": lambda x, y: (
        math.asin(x / 9) + math.acos(y / 9) + math.atan(x)
    ),
    "sinh(x) + cosh(y) - tanh(x*y)": lambda x, y: math.sinh(x) + math.cosh(y) - math.tanh(x * y),
    "exp(-x**2) + log(y) + ln(x)": lambda x, y: math.exp(-x * x) + math.log(y) + math.log(x),
    "log10(x)*sqrt(y)": lambda x, y: math.log10(x) * math.sqrt(y),
    "exp(x)**2*exp(y)": lambda x, y: math.exp(2 * x + y),
    "abs(x - y)**3": lambda x, y: abs(x - y) ** 3,
    "sqrt((x - 2)**2)": lambda x, y: abs(x - 2),
    "sign(x - 1) + sign(0)": lambda x, y: math.copysign(1, x - 1),
    "sign(x - y)**2*y": lambda x, y: y,
    "min(x, y) + 2*max(x, 1)": lambda x, y: min(x, y) + 2 * max(x, 1),
    "max(max(x, y), x*y)**2": lambda x, y: max(x, y, x * y) ** 2,
    "π·x² − y³ × 2 ÷ 4": lambda x, y: math.pi * x * x - y**3 / 2,
    "sin(2*pi*(1 + (x - 1)/4))**2": lambda x, y: math.sin(2 * math.pi * (1 + (x - 1) / 4)) ** 2,
    "log(log(0.5)**2)*x": lambda x, y: math.log(math.log(0.5) ** 2) * x,
    "x**(1/3) + y**(3 - 0.5)": lambda x, y: x ** (1 / 3) + y**2.5,
    "+".join(["x"] * 50): lambda x, y: 50 * x,
}
POINTS = [(0.7, 0.4), (1.3, 2.1), (2.5, 0.25), (0.05, 3.0)]

# formula -> what its `part` holds, which its message names
REFUSED = {
    # Python that is not arithmetic
    "x.real": "x.real", "x.__class__": "x.__class__", "sin.__globals__": "sin.__globals__", "(1).real": "(1).real",
    "x.__class__.__mro__": "x.__class__.__mro__", "().__class__": "().__class__", "1..real": "1..real", "x[0]": "[",
    "[x]": "[", "{x}": "{", "{x: y}": "{", "'x'": "'", '"x"': '"', "f'{x}'": "'", "b'x'": "'", "x == y": "=",
    "x < y": "<", "x != y": "!", "(x := 1)": ":", "[x for x in y]": "[", "(x for x in y)": "x for x in y",
    "lambda x: x": ":", "sin(x=1)": "=", "sin(*(x))": "*(x)", "max(*x, *y)": "*x", "sin(**x)": "sin(**x)",
    "x if y else 1": "x if y else 1", "not x": "not x", "x and y": "x and y", "x or y": "x or y", "x is y": "x is y",
    "x in y": "x in y", "x, y": "x, y", "(x,)": "(x,)", "()": "()", "x // 2": "x // 2", "x % y": "%", "x @ y": "@",
    "x << 2": "<", "x >> 2": ">", "x & y": "&", "x | y": "|", "~x": "~", "x; y": ";", "x = 1": "=", "x += 1": "=",
    "x#y": "#", "x\\y": "\\", "`x`": "`", "$x": "$", "x!": "!", "x?": "?", "@x": "@", "None": "None", "True": "True",
    "False*x": "False", "...": "...", "yield x": "yield x", "(yield x)": "yield x", "await x": "await x",
    "import os": "import", "del x": "del x", "return x": "return", "pass": "pass", "print x": "print x",
    # names and calls
    "z + 1": "z", "X": "X", "xy": "xy", "x2": "x2", "x_": "x_", "_": "_", "__": "__", "i": "i", "j*x": "j", "I": "I",
    "E": "E", "inf": "inf", "nan*x": "nan", "oo": "oo", "zoo": "zoo", "theta": "theta", "Symbol(x)": "Symbol",
    "__import__": "__import__", "__import__(x)": "__import__", "__import__('os')": "'", "eval(x)": "eval",
    "exec(x)": "exec", "open(x)": "open", "getattr(x, y)": "getattr", "globals()": "globals", "gamma(x)": "gamma",
    "factorial(x)": "factorial", "Sin(x)": "Sin", "sinx": "sinx", "x(y)": "x", "pi(x)": "pi", "sin": "sin",
    "sin + x": "sin", "sin x": "sin x", "sin(x)(y)": "sin(x)(y)", "(sin)": "sin", "sin()": "sin()",
    "sin(x, y)": "sin(x, y)", "max(x)": "max(x)", "max()": "max()", "min(x, y, 1)": "min(x, y, 1)",
    "log(x, 2)": "log(x, 2)", "lambda": "lambda",
    # products without their sign
    "2x": "2x", "2 x": "2 x", "2(x + 1)": "2(x", "3sin(x)": "3sin", "x + 2pi*y": "2pi", "2π": "2pi", "x y": "x y",
    "(x)y": "(x)y", "x 2": "x 2", "1e3x": "1e3x", "2e*x": "2e",
    # numbers that are no real numbers here
    "1j": "1j", "x + 2.5J": "2.5J", "0x1F": "0x1F", "0b11": "0b11", "0o17": "0o17", "1_000": "1_000", "007": "007",
    "1.2.3": "1.2.3", "1..2": "1..2", ".": ".", "1e400": "1e400", "x**1e400": "1e400", "1e13": "1e13", "1e-13": "1e-13",
    "99999999999999*x": "99999999999999", "9"*350: "9999", "10**1000": "1000", "9**9**9**9": "9**9",
    "x + 9**9**9": "9**9", "10**13": "10**13", "2**64": "2**64", "64**64": "64**64", "(10**12)**2": "(10**12)**2",
    "1000000*1000000*1000000": "1000000*1000000*1000000", "x**65": "65", "x**-65": "-65", "x**64.5": "64.5",
    "x**100000": "100000", "x**(9*9)": "9*9", "x**99999999999": "99999999999", "exp(1000)": "exp(1000)",
    "exp(exp(exp(9)))": "exp(exp(9))", "sinh(40)": "sinh(40)", "1/0": "1/0", "x/0": "x/0", "x/0.0": "x/0.0",
    "x/(2 - 2)": "x/(2 - 2)", "x/sin(0)": "x/sin(0)", "1/(e - e)": "1/(e - e)", "0**-1": "0**-1",
    "tan(pi/2)": "tan(pi/2)", "sqrt(-1)": "sqrt(-1)", "x*sqrt(2 - 3)": "sqrt(2 - 3)", "log(0)": "log(0)",
    "log(-2)": "log(-2)", "ln(0)": "ln(0)",
    "log(log(0.5))": "log(log(0.5))", "log10(1 - 1)": "log10(1 - 1)", "asin(2)": "asin(2)",
    "acos(-1.01)": "acos(-1.01)", "(-8)**(1/3)": "(-8)**(1/3)", "(-1)**0.5": "(-1)**0.5", "(-1)**.5*x": "(-1)**.5",
    # broken
    "x +": "x +", "*x": "*x", "x**": "x**", "x */ y": "*/", "x***y": "***", "+": "+", ",": ",", "x,": "x,", "x 'y": "'",
    # letters that look like others, and letters that are not seen
    "х + 1": "х", "ｘ": "ｘ", "𝑥": "𝑥", "ſin(x)": "ſ", "ⅹ": "ⅹ", "sin（x）": "（", "x\u200b": "\u200b",
    "x\u202ey": "\u202e", "\ufeffx": "\ufeff", "x\0": "\0", "\0": "\0", "x\x1b": "\x1b", "\ud800": "\ud800",
    "∞": "∞", "√x": "√", "½": "½",
    "x⁴": "⁴", "٣*x": "٣", "x∙y": "∙", "∂x": "∂", "😀": "😀", "x\u0301": "\u0301",
}  # fmt: skip

# formula -> words of a message where the whole of it is at fault
REFUSED_WHOLE = {
    "": "empty", "   \n\t ": "empty", "(x": "missing", "sin(x": "missing", "((x)": "missing", "x)": "too many",
    ")(": "too many", "x)*(y": "too many", "(" * 50 + "x" + ")" * 50: "nested", "(" * 200: "nested",
    "sin(" * 15 + "x" + ")" * 15: "nested", "-" * 60 + "x": "nested", "x**" * 40 + "x": "nested",
    "-" * 399 + "x": "the formula", "x" * 100_000: "characters", "x+" * 50_000 + "x": "characters",
    "(" * 100_000: "characters", "9" * 100_000: "characters",
    "\0" * 1000: "characters", "x+" * 190 + "x": "parts", "-x" * 190: "parts",
}  # fmt: skip


def refusal(text):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    return caught.value


@table("text", READ)
def test_reads_what_python_would_work_out(text):
    f = parse_formula(text)
    expected = np.array([READ[text](x, y) for x, y in POINTS], float)
    np.testing.assert_allclose(f.value(POINTS), expected, rtol=1e-12, atol=1e-14)
    assert f.formula == text
    assert f.latex


@table("text", READ)
def test_what_is_read_is_differentiated(text):
    f, points, h = parse_formula(text), np.array(POINTS[:2]), 1e-4
    for below, above in ((f.value, f.grad), (f.grad, f.hess)):
        slope = np.stack(
            [(below(points + h * e) - below(points - h * e)) / (2 * h) for e in np.eye(2)], -1
        )
        np.testing.assert_allclose(
            above(points), slope, rtol=1e-4, atol=1e-5 * (1 + np.abs(below(points)).max())
        )


@table("text", REFUSED)
def test_refuses_and_names_the_part(text):
    error = refusal(text)
    part = REFUSED[text]
    assert isinstance(error, ValueError)
    assert part in error.part
    message = str(error)
    assert (
        error.part in message or repr(error.part) in message or "a product needs its *" in message
    )


@table("text", REFUSED_WHOLE)
def test_refuses_and_says_why(text):
    assert REFUSED_WHOLE[text] in str(refusal(text))


@table("thing", [None, 3, 2.5, b"x", ["x"], ("x",), {"x": 1}, object(), np.array("x"), lambda x: x])
def test_refuses_what_is_no_text(thing):
    assert "text" in str(refusal(thing))


def test_messages_are_short_and_of_one_line():
    for text in [*REFUSED, *REFUSED_WHOLE]:
        message = str(refusal(text))
        assert 8 < len(message) < 600, text
        assert message.isprintable(), text


def test_refusing_is_quick():
    """Far above what it takes: this is for a parser that hangs."""
    began = time.process_time()
    for text in [*REFUSED, *REFUSED_WHOLE]:
        refusal(text)
    assert time.process_time() - began < 20


def test_a_hint_says_what_to_write():
    assert all(word in str(refusal("2x")) for word in ("product", "*", "2", "x"))
    assert "sin(x)" in str(refusal("sin"))
    assert "unknown name 'z'" in str(refusal("z"))
    assert "takes 1 argument" in str(refusal("sin(x, y)"))
    assert "takes 2 arguments" in str(refusal("max(x)"))


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.text(max_size=60) | st.text(string.printable, max_size=60))
def test_any_text_is_read_or_refused(text):
    with suppress(FormulaError):
        assert parse_formula(text).formula == text


CALLS = ["sin(", "log(", "sqrt(", "max(", "abs(", "sign("]
TOKENS = [
    "x",
    "y",
    "x",
    "y",
    "2",
    "0.5",
    "pi",
    "e",
    *"+-*/^²",
    "**",
    "(",
    ")",
    ")",
    ")",
    ",",
    *CALLS,
]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))
def test_any_pile_of_tokens_is_read_or_refused(text):
    with suppress(FormulaError):
        f = parse_formula(text)
        assert f.latex
        assert f.value(POINTS).shape == (4,)
        assert f.grad(POINTS).shape == (4, 2)
        assert f.hess(POINTS).shape == (4, 2, 2)


@table("text", ["1/(x - x)", "log(x - x - 2)", "sqrt(x - x - 1)*y", "y + log(0*x)", "(x - x)**-1"])
def test_what_comes_to_no_number_once_it_is_simplified_is_refused(text):
    refusal(text)


@table("text", ["(-2)**y", "(-8)**(x/3)", "(x - x - 2)**y", "(2 - 3)**(x*y)"])
def test_a_power_of_a_negative_number_is_refused_or_has_no_value(text):
    """Its slope holds log(-2), a complex number, which must not come out as a real one."""
    with suppress(FormulaError):
        f = parse_formula(text)
        assert np.isnan(f.value((0.7, 0.4)))
        assert not np.isfinite(f.grad((0.7, 0.4))).all()
        f.hess((0.7, 0.4))


@table(
    ("text", "piece"),
    [
        ("x**2/20 + y**2", r"\frac{x^{2}}{20}"), ("sin(x)*sqrt(y)", r"\sin"), ("sqrt(x)", r"\sqrt{x}"),
        ("pi*x", r"\pi"), ("abs(x)", r"\left|{x}\right|"), ("abs(x)**2*y", r"^{2}"), ("sign(x)", "sign"),
        ("sign(x)**2*y", "^{2}"), ("exp(-x)", "e^{- x}"), ("exp(x)**2", "e^{2 x}"), ("1.0001*x", "1.0001"),
        ("log(x)", r"\log"), ("max(x, y)**2", "x"), ("tanh(x)", r"\tanh"), ("asin(x)**2", "asin"), ("x**y", "x^{y}"),
    ],
)  # fmt: skip
def test_latex(text, piece):
    latex = parse_formula(text).latex
    assert piece.replace("{x}", "x") in latex.replace("{x}", "x")
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")


def test_goldstein_price_as_it_is_printed_is_read():
    f = parse_formula(
        "(1 + (x + y + 1)^2 * (19 - 14*x + 3*x^2 - 14*y + 6*x*y + 3*y^2)) * "
        "(30 + (2*x - 3*y)^2 * (18 - 32*x + 12*x^2 + 48*y - 36*x*y + 27*y^2))"
    )
    assert f.value((0, -1)) == pytest.approx(3)
    assert f.value((0, 0)) == pytest.approx(600)
    assert np.abs(f.grad((0, -1))).max() < 1e-9


# Short formulas that cost SymPy much: products of many factors (the Hessian has their number squared of
# terms), what doubles with every level, and questions whether a hyperbolic function is real.
COSTLY = [
    "/".join(f"(x-y**{i})" for i in range(2, 26)),
    "*".join(f"(x+{i})" for i in range(1, 38)),
    "(" + "*".join(f"sin({i}*x+y)" for i in range(1, 19)) + ")**.5",
    "max(" * 11 + "x*y" + ",y)" * 11,
    "min(max(" * 5 + "x*y" + ",x),y)" * 5,
    "log(sqrt(cosh(x+y+(0.3)*(y**.5)*(x*y+3+y+y+x+y)*(y+y+x**2)*(x+x+y)*(x+y)*sign(x+y)*(y+x*y+x+0.3+x+y)*(x*y)"
    "+sinh(x**2)+(x*y)**(asin(y**.5)))))",
    "sin((x**2)/((x)**(x)))+sqrt(tanh(((x*y)/(((y)/(x+y))/(acos(y))))/(abs(x*y+9+x+y))))+log(cosh(asin(exp(x*y))+x"
    "+sqrt(min(x+y,y**.5)+x**2+exp(x*y+y+x+y+x+y)+(x*y+9+x)*(5)*(x+y+x)*(y+x*y+x+y+y**.5+x*y)*(x**2)*(x+y)+x**2)"
    "+(cos(7))**(cos((y**.5)**(x**2)+(x**2)**(0.3)))))",
    "x**y**x**y**x**y**x**y**x**y",
    "sin(" * 13 + "x*y" + ")" * 13,
    "(x+y)**64*(x-y)**63*(x+2*y)**62*(x*y+1)**61",
]


@table("text", COSTLY)
def test_no_formula_that_is_read_is_costly(text):
    """Refused, or ready with all its derivatives within 5 s of computing; it takes 1.5 s."""
    began = time.process_time()
    with suppress(FormulaError):
        f = parse_formula(text)
        f.latex, f.value((0.3, 0.4)), f.grad((0.3, 0.4)), f.hess((0.3, 0.4))
    assert time.process_time() - began < 5
