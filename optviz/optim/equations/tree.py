r"""The LaTeX of the docstrings' equations as a tree that can be evaluated, and written again with
numbers in it.
"""

import operator
from dataclasses import dataclass
from functools import reduce

import numpy as np

EYE = np.eye(2)


# --- numbers in LaTeX ---


def number(value) -> str:
    """A number with four significant digits, a whole one with all of its own."""
    if isinstance(value, int | np.integer):
        return str(value)
    if not np.isfinite(value):
        return r"\text{nan}" if np.isnan(value) else r"\infty" if value > 0 else r"-\infty"
    digits, e, exponent = f"{value + 0.0:.4g}".partition("e")
    if not e:
        return digits
    power = f"10^{{{int(exponent)}}}"
    return {"1": power, "-1": f"-{power}"}.get(digits, rf"{digits}\cdot {power}")


def latex(value) -> str:
    """A number, a vector as a column, a matrix; of a long matrix the last rows."""
    if value is EYE:
        return "I"
    if np.size(value) == 1:
        return number(np.ravel(value)[0])
    rows = [" & ".join(number(v) for v in np.atleast_1d(row)) for row in value]
    if len(rows) > 3:
        rows = [" & ".join([r"\vdots"] * np.shape(value)[-1]), *rows[-2:]]
    return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"


def _bracketed(text):
    return rf"\left({text}\right)"


def _signed(text):
    """`text` in brackets if it begins with a sign, so that an operator may precede it."""
    return _bracketed(text) if text.startswith("-") else text


# --- the tree ---


class Node:
    """A part of an equation: `value(scope)` evaluates it, `latex(scope)` writes it with numbers."""


@dataclass(frozen=True)
class Number(Node):
    text: str

    def value(self, s):
        return np.float64(self.text)

    def latex(self, s):
        return self.text


@dataclass(frozen=True)
class Symbol(Node):
    tokens: tuple[str, ...]

    def value(self, s):
        value = s.values[self.tokens]
        # a NumPy number divides by zero without an error
        return np.float64(value) if np.ndim(value) == 0 else value

    def latex(self, s):
        return latex(s.values[self.tokens])


@dataclass(frozen=True)
class Sum(Node):
    parts: tuple[tuple[str, Node], ...]  # (sign, term)

    def value(self, s):
        terms = [part.value(s) if sign == "+" else -part.value(s) for sign, part in self.parts]
        return reduce(operator.add, terms)

    def latex(self, s):
        (sign, first), *rest = self.parts
        text = first.latex(s) if sign == "+" else "-" + _signed(first.latex(s))
        return text + "".join(f" {sign} {_signed(part.latex(s))}" for sign, part in rest)


@dataclass(frozen=True)
class Product(Node):
    factors: tuple[Node, ...]

    def value(self, s):
        return reduce(times, (factor.value(s) for factor in self.factors))

    def latex(self, s):
        text, *rest = (_signed(factor.latex(s)) for factor in self.factors)
        for factor in rest:
            bracketed = factor.startswith((r"\begin", r"\left", r"\underbrace"))
            text += (r"\," if bracketed else r" \cdot ") + factor
        return text


def times(a, b):
    """A product by the shapes of its factors: columns `(2,)` elementwise, all else as matrices."""
    if max(np.ndim(a), np.ndim(b)) < 2 or min(np.ndim(a), np.ndim(b)) == 0:
        return a * b
    if np.ndim(a) == 1:  # a column and a row `(1, 2)`
        return a[:, None] @ b
    product = a @ b
    return product[0] if product.shape == (1,) else product


@dataclass(frozen=True)
class Ratio(Node):
    numerator: Node
    denominator: Node
    form: str  # \frac, \tfrac, / or \bmod

    def value(self, s):
        numerator, denominator = self.numerator.value(s), self.denominator.value(s)
        return np.mod(numerator, denominator) if self.form == r"\bmod" else numerator / denominator

    def latex(self, s):
        numerator, denominator = self.numerator.latex(s), self.denominator.latex(s)
        if self.form in (r"\frac", r"\tfrac"):
            return rf"{self.form}{{{numerator}}}{{{denominator}}}"
        simple = not isinstance(self.denominator, Product) and not denominator.startswith("-")
        return (
            f"{_signed(numerator)} {self.form} {denominator if simple else _bracketed(denominator)}"
        )


@dataclass(frozen=True)
class Power(Node):
    base: Node
    exponent: Node

    def value(self, s):
        base, exponent = self.base.value(s), self.exponent.value(s)
        if np.ndim(base) < 2:
            return base**exponent
        if exponent == int(exponent):
            return np.linalg.matrix_power(base, int(exponent))
        sizes, axes = np.linalg.eigh(base)
        return axes * sizes**exponent @ axes.T

    def latex(self, s):
        base = self.base.latex(s)
        simple = base.isalnum() or base.startswith(r"\begin")
        if not (simple or isinstance(self.base, Number | Group)):
            base = _bracketed(base)
        return rf"{base}^{{{self.exponent.latex(s)}}}"


@dataclass(frozen=True)
class Transpose(Node):
    base: Node

    def value(self, s):
        return np.atleast_2d(self.base.value(s).T)  # a column becomes a row (1, 2)

    def latex(self, s):
        return rf"{self.base.latex(s)}^{{\top}}"


@dataclass(frozen=True)
class Group(Node):
    inside: Node

    def value(self, s):
        return self.inside.value(s)

    def latex(self, s):
        return _bracketed(self.inside.latex(s))


@dataclass(frozen=True)
class Root(Node):
    inside: Node

    def value(self, s):
        return np.sqrt(self.inside.value(s))

    def latex(self, s):
        return rf"\sqrt{{{self.inside.latex(s)}}}"


@dataclass(frozen=True)
class Bars(Node):
    r"""|u|, for a symmetric matrix by its eigenvalues; or the norm ‖u‖, ‖u‖₁ of a vector."""

    inside: Node
    bar: str  # | or \|
    order: Node | None = None

    def value(self, s):
        value = self.inside.value(s)
        if self.bar == r"\|":
            return np.linalg.norm(value, None if self.order is None else self.order.value(s))
        if np.ndim(value) < 2:
            return np.abs(value)
        sizes, axes = np.linalg.eigh(value)
        return axes * np.abs(sizes) @ axes.T

    def latex(self, s):
        below = "" if self.order is None else f"_{{{self.order.latex(s)}}}"
        return rf"\left{self.bar}{self.inside.latex(s)}\right{self.bar}{below}"


@dataclass(frozen=True)
class Call(Node):
    """max, min, sign, clip, or a method of the optimizer's class."""

    name: str
    args: tuple[Node, ...]

    def value(self, s):
        functions = {
            r"\max": np.maximum,
            r"\min": np.minimum,
            r"\operatorname{sign}": np.sign,
            r"\operatorname{clip}": lambda u, limit: np.clip(u, -limit, limit),
        }
        name = self.name.removeprefix(r"\operatorname{").removesuffix("}")
        function = functions.get(self.name) or getattr(s.record.optimizer, name)
        return function(*(arg.value(s) for arg in self.args))

    def latex(self, s):
        return self.name + _bracketed(r",\; ".join(arg.latex(s) for arg in self.args))


@dataclass(frozen=True)
class Derivative(Node):
    """f, ∇f or ∇²f at a point. In a longer expression it is written as numbers, with the point
    below if that is not x itself.
    """

    order: int
    at: Node

    def value(self, s):
        point, f = self.at.value(s), s.record.f
        return (f.value, s.gradient, f.hess)[self.order](point)

    def latex(self, s):
        numbers = latex(self.value(s))
        if isinstance(self.at, Symbol):
            return numbers
        return rf"\underbrace{{{numbers}}}_{{{self.name}{_bracketed(latex(self.at.value(s)))}}}"

    def latex_call(self, s):
        """Alone on its side of an equation, where its numbers are the result."""
        return self.name + _bracketed(self.at.latex(s))

    @property
    def name(self):
        return ("f", r"\nabla f", r"\nabla^2 f")[self.order]


@dataclass(frozen=True)
class Comparison(Node):
    left: Node
    sign: str
    right: Node

    def value(self, s):
        compare = {">": operator.gt, "<": operator.lt, "=": operator.eq}[self.sign]
        return np.all(compare(self.left.value(s), self.right.value(s)))

    def latex(self, s):
        """The comparison with its outcome; of a side with vectors only the resulting number."""
        sides = [(side, side.latex(s)) for side in (self.left, self.right)]
        sign = self.sign if self.value(s) else rf"\not{self.sign}"
        left, right = (latex(side.value(s)) if r"\begin" in text else text for side, text in sides)
        return f"{left} {sign} {right}"


@dataclass(frozen=True)
class Conditional(Node):
    """a where …, else b: only the branch that applies is evaluated and written."""

    then: Node
    when: Comparison
    other: Node

    def _branch(self, s):
        return self.then if self.when.value(s) else self.other

    def value(self, s):
        return self._branch(s).value(s)

    def latex(self, s):
        return rf"{self._branch(s).latex(s)}\;\text{{ as }} {self.when.latex(s)}"
