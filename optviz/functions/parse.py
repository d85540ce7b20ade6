"""From a typed formula to SymPy.

The text is never evaluated. Limits on length, depth, exponents and number size hold *before* SymPy
sees anything, so that `9**9**9**9` costs nothing. What is constant is worked out in floats beside
it, and SymPy gets a fraction only where that is a short one.
"""

import math

import sympy as sp

from optviz.functions.elementary import (
    ALIASES,
    CALLS,
    CONSTANTS,
    X,
    Y,
    absolute,
    acos,
    asin,
    restricted,
    signum,
)
from optviz.functions.syntax import Node, read
from optviz.functions.tokens import MAX_LENGTH, FormulaError

__all__ = ["CALLS", "MAX_LENGTH", "FormulaError", "X", "Y", "keep_real", "parse"]

MAX_EXPONENT = 64
MAX_NUMBER = 1e12
MAX_TERM = 1000  # numerator and denominator of a fraction that stays one
MAX_FACTOR = 1e300
MAX_DERIVED = 4000  # parts of the second derivatives, see `second_derivatives`

OPERATORS = {
    "neg": lambda a: -a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}
PARTIAL = {"log", "log10", "sqrt", "asin", "acos"}  # not defined for every real number


def parse(text: str) -> sp.Expr:
    """The SymPy expression in the real symbols `X`, `Y` that `text` spells.

    Raises FormulaError, whose message names the part at fault.
    """
    tree, reader = read(text), _Reader()
    try:
        expr, _ = reader.read(tree)
        expr = keep_real(reader.restrict(expr))
    except FormulaError:
        raise
    except Exception as error:  # SymPy met something that the limits did not foresee
        raise FormulaError(f"the formula cannot be worked out: {error}") from None
    if second_derivatives(expr) > MAX_DERIVED:
        raise FormulaError(
            "the second derivatives of this formula would be too long; a shorter product, or fewer "
            "functions inside functions, will do"
        )
    return expr


def second_derivatives(expr: sp.Expr) -> int:
    """About how many parts the second derivatives of `expr` have, by the sum, product and chain
    rules.
    """
    return _sizes(expr)[2]


def _sizes(expr):
    """Parts of an expression, of its first derivatives and of its second."""
    if not expr.free_symbols:
        return 1, 0, 0
    if expr.is_Symbol:
        return 1, 1, 0
    parts = [_sizes(a) for a in expr.args]
    n = sum(p[0] for p in parts) + 1
    moving = [p for p in parts if p[1]]
    if expr.is_Add:
        return n, sum(p[1] for p in moving), sum(p[2] for p in moving)
    first = sum(n + p[1] for p in moving)
    pairs = sum(n + p[1] + q[1] for i, p in enumerate(moving) for q in moving[:i])
    own = 0 if expr.is_Mul else sum(n + 2 * p[1] for p in moving)  # f'' of an outer function
    return n, first, sum(n + p[2] for p in moving) + 2 * pairs + own


def keep_real(expr: sp.Expr) -> sp.Expr:
    """`expr` with SymPy's own Abs and sign, which arise from √(u²), in the forms that
    differentiate.
    """
    return expr.replace(sp.Abs, absolute).replace(sp.sign, signum)


def _short(expr, part):
    """The expression with long fractions as floats: its factor, its added constant, its exponents.

    SymPy factors and multiplies out such numbers, which may take minutes.
    """
    number, rest = expr.as_coeff_Add() if expr.is_Add else expr.as_coeff_Mul()
    if abs(number) > MAX_FACTOR:
        raise FormulaError(f"a number that {part!r} comes to is too large", part)
    if _is_long(number):
        number = sp.Float(float(number))
        expr = number + rest if expr.is_Add else number * rest
    powers = [p for p in sp.Mul.make_args(expr) if p.is_Pow and _is_long(p.exp)]
    return expr.xreplace({p: p.base ** sp.Float(float(p.exp)) for p in powers})


def _is_long(number):
    return number.is_Rational and max(abs(number.p), number.q) > MAX_TERM


def _conditions(expr):
    """The parts of an expression that are not defined everywhere, but for isolated points."""
    powers = {p for p in expr.atoms(sp.Pow) if not p.exp.is_Integer and p.base != sp.E}
    return {p for p in powers | expr.atoms(sp.log, asin, acos) if p.free_symbols}


class _Reader:
    """Walks the tree and builds each part twice: in SymPy, and as a float where constant."""

    def __init__(self):
        self.partial = []

    def read(self, node: Node):
        """`(expression, value)`; `value` is None where the part depends on x or y."""
        expr, value = self.visit(node)
        if value is not None and not (math.isfinite(value) and abs(value) <= MAX_NUMBER):
            raise FormulaError(f"the number {node.text!r} is too large", node.text)
        if expr.has(sp.I, sp.zoo, sp.nan, sp.oo, -sp.oo):
            raise FormulaError(f"{node.text!r} is not a real number anywhere", node.text)
        return _short(expr, node.text), value

    def restrict(self, expr):
        """`expr` without a value where a part that was simplified away has none."""
        for part in self.partial:
            if not _conditions(part) <= _conditions(expr):
                expr = restricted(expr, part)
        return expr

    def visit(self, node):
        if node.kind == "number":
            return self.number(node)
        if node.kind == "name":
            return CONSTANTS.get(node.name) or ({"x": X, "y": Y}[node.name], None)
        exprs, values = zip(*map(self.read, node.args), strict=True)
        if node.kind == "call":
            name = ALIASES.get(node.name, node.name)
            _, symbolic, numeric = CALLS[name]
            partial = name in PARTIAL
        else:
            symbolic = numeric = OPERATORS[node.kind]
            partial = node.kind == "**" and self.partial_power(node, *values)
        if node.kind == "/" and values[1] == 0:
            raise FormulaError(f"{node.text!r} divides by zero", node.text)
        if None not in values and node.kind in ("call", "**"):  # a number at once
            value = self.constant(node, lambda: numeric(*values))
            whole = value.is_integer() and abs(value) <= MAX_TERM
            return sp.Integer(int(value)) if whole else sp.Float(value), value
        expr = symbolic(*exprs)
        if partial:
            self.partial.append(_short(expr, node.text))
        return expr, None if None in values else numeric(*values)

    def partial_power(self, node, base, exponent):
        """Whether a power is not defined for every real base; refused if the exponent is large."""
        if exponent is not None and abs(exponent) > MAX_EXPONENT:
            part = node.args[1].text
            raise FormulaError(f"the exponent {part!r} is beyond ±{MAX_EXPONENT}", part)
        whole = exponent is not None and exponent.is_integer()
        return not whole and (base is None or base < 0)

    def number(self, node):
        text, value = node.text, float(node.name)
        if abs(value) > MAX_NUMBER:
            raise FormulaError(f"the number {text!r} is too large", text)
        if value and abs(value) < 1 / MAX_NUMBER:
            raise FormulaError(f"the number {text!r} is too small", text)
        return sp.Rational(node.name), value

    def constant(self, node, compute):
        """The value of a constant part, or a FormulaError where it is not a real number."""
        part = node.text
        try:
            value = compute()
        except OverflowError:
            raise FormulaError(f"the number {part!r} is too large", part) from None
        except (ValueError, ZeroDivisionError):
            value = math.nan
        if isinstance(value, complex) or math.isnan(value):
            raise FormulaError(f"{part!r} is not a real number", part)
        return float(value)
