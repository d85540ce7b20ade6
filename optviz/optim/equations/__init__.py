r"""Inside a step: the equations of an optimizer's docstring with the numbers of one step in them.

The LaTeX of the equations is parsed into a small tree. The tree is evaluated with the
hyperparameters, the state and the gradient, and is written as LaTeX again with a number in the
place of every symbol. This lets the tests compare the equations in the docstrings with what the
code does, for every optimizer.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optviz.functions.library import Function
from optviz.optim.base import Optimizer
from optviz.optim.equations.parser import TOKEN, Reader, tokens
from optviz.optim.equations.tree import EYE, Derivative, Node, Symbol, latex
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.oracle import Oracle


@dataclass(frozen=True, eq=False)
class StepRecord:
    """One step of one optimizer: its inputs and its results."""

    f: Function
    optimizer: Optimizer  # at this step, schedules applied
    step: int  # number of the update, 1 for the first
    x: np.ndarray  # (2,) before
    state: dict  # before
    x_next: np.ndarray  # (2,) after
    state_next: dict  # after
    gradient: np.ndarray  # (2,) that the step was given, noise included


def step_record(f, optimizer: Optimizer, step: int, x, state: dict, gradient) -> StepRecord:
    """The record of a step, done once more from the point, the state and the gradient before it."""
    with np.errstate(all="ignore"):
        x_next, state_next = optimizer.step(_FixedGradient(f, gradient), x, state)
    return StepRecord(f, optimizer, step, x, state, x_next, state_next, gradient)


@dataclass(frozen=True, eq=False)
class Line:
    """One equation. `numbers` is empty if it cannot be evaluated; `value` then comes from the
    step's result.
    """

    symbols: str  # LaTeX of the equation as declared
    numbers: str  # LaTeX of its right side with numbers in place of symbols
    value: Any  # of its left side: a number, (2,), a matrix, or None if unknown
    result: str  # LaTeX of `value`, empty for None


def evaluate_equations(record: StepRecord) -> list[Line]:
    """Every equation of the step, line by line. Never raises, whatever the numbers.

    A wrapper's lines follow those of the optimizer inside, which are about that optimizer's own
    point; a line that computes the gradient g comes before them.
    """
    with np.errstate(all="ignore"):
        inner = _inside(record)
        own_lines = _lines(record, inner)
        if inner is None:
            return [line for _, line in own_lines]
        gradient_lines = [line for left, line in own_lines if left == ("g",)]
        other_lines = [line for left, line in own_lines if left != ("g",)]
        inner_lines = evaluate_equations(inner)
        if gradient_lines:  # the optimizer inside uses it, and evaluates no gradient of its own
            inner_lines = [line for line in inner_lines if not line.symbols.startswith("g =")]
        return [*gradient_lines, *inner_lines, *other_lines]


def effective_rate(run) -> np.ndarray:
    """Step over gradient in each coordinate, `(steps, ..., 2)`; NaN where the gradient is 0."""
    g = run.gradients
    with np.errstate(all="ignore"):
        return np.where(g == 0, np.nan, -np.diff(run.points, axis=0) / g)


# --- the lines of one optimizer ---

_DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
# in parsing and evaluation
_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def active_equations(optimizer: Optimizer) -> list[str]:
    """The equations of a docstring one by one, in the variants that the switches select."""
    displays = _DISPLAY.findall(type(optimizer).__doc__ or "")
    lines = [line for display in displays for line in _split(display)]
    for (name, on), changes in optimizer.variants.items():
        if getattr(optimizer, name) == on:
            for old, new in changes.items():
                lines = [line.replace(old, new) for line in lines]
    return [part for line in lines for part in _split(line) if part]


def _split(display):
    """The equations of one display, which are separated by commas and wide spaces."""
    text, start, depth = " ".join(display.split()), 0, 0
    for token in TOKEN.finditer(text):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(token[0], 0)
        comma = token[0] == "," and not text[token.end() :].lstrip().startswith(r"\text")
        if depth == 0 and (comma or token[0] == r"\qquad"):
            yield text[start : token.start()].strip()
            start = token.end()
    yield text[start:].strip()


def _lines(record, inner):
    """`(left side, Line)` of every equation; each sees the left sides of those before it."""
    scope, after = _scope(record, inner)
    lines = []
    for text in active_equations(record.optimizer):
        reader, left, numbers = Reader(text, scope.values), None, ""
        try:
            left = reader.read_left_side()
            right = reader.read_right_side()
            if solved := _solve_unknown(right, scope, after.get(left)):
                by_search = r"\text{found by the search}"
                line = _line("".join(solved), by_search, scope.values[solved])
                lines.append((solved, line))
            value = right.value(scope)
            is_derivative = isinstance(right, Derivative)
            numbers = right.latex_call(scope) if is_derivative else right.latex(scope)
        except _ERRORS:
            value = after.get(left)
        if left:
            scope.values[left] = value
        lines.append((left, _line(text, numbers, value)))
    return lines


def _line(symbols, numbers, value):
    return Line(symbols, numbers, value, "" if value is None else latex(value))


def _scope(record, inner):
    """The value of every symbol before the step, and the values after it of those that it updates.

    A one-letter state variable is its own symbol, for others the class declares one. A symbol with
    a t in it has its value in this step; t is the optimizer's own count if it keeps one, since it
    may have taken over from another. Around an inner optimizer x is that one's next point, or where
    it evaluates the gradient, if the wrapper computes it.
    """
    opt = record.optimizer
    before, after = {**record.state, "x": record.x}, {**record.state_next, "x": record.x_next}
    names = {(name,): name for name in before if len(name) == 1}
    names |= {tokens(symbol): name for symbol, name in opt.symbols.items()}
    values = {("t",): record.step, ("I",): EYE, ("g",): record.gradient}
    for symbol, name in names.items():
        state = after if "t" in symbol else before
        if name in state:
            values[symbol] = state[name]
    for k in hyperparameters(type(opt)):
        if k.symbol:
            values[tokens(k.symbol)] = getattr(opt, k.name)
    if inner is not None:
        makes_g = any(line.startswith("g ") for line in active_equations(opt))
        values["x",] = opt.lookahead(record.x, record.state) if makes_g else inner.x_next
    renewed = {symbol: after[name] for symbol, name in names.items() if name in after}
    return _Scope(record, values), renewed


@dataclass(frozen=True, eq=False)
class _Scope:
    record: StepRecord
    values: dict  # symbol, as a tuple of tokens -> number or array

    def gradient(self, at):
        """The gradient that the optimizer was given; at other points that of f, with its noise."""
        record = self.record
        lookahead = record.optimizer.lookahead(record.x, record.state)
        if np.allclose(at, lookahead, rtol=1e-12, atol=0, equal_nan=True):
            return record.gradient
        return record.f.grad(at) + (record.gradient - record.f.grad(lookahead))


def _solve_unknown(right, scope, target):
    """The one symbol of `right` without a value, the step that a line search has chosen; it is set
    in `scope` such that `right` equals `target`.
    """
    unknown = {s.tokens for s in _symbols(right) if s.tokens not in scope.values}
    if len(unknown) != 1 or target is None:
        return None
    (unknown,) = unknown
    scopes = (replace(scope, values={**scope.values, unknown: at}) for at in (0.0, 1.0))
    start, end = (right.value(scope_at) for scope_at in scopes)
    slope = end - start
    solution = slope @ (target - start) / (slope @ slope)  # right is linear in it
    if not np.isfinite(solution):
        raise ValueError("every number would lead there")
    scope.values[unknown] = solution
    return unknown


def _symbols(node):
    """Every Symbol in a tree."""
    if isinstance(node, Symbol):
        yield node
    elif isinstance(node, Node | tuple):
        for part in node if isinstance(node, tuple) else vars(node).values():
            yield from _symbols(part)


# --- the optimizer inside a wrapper ---


def _inside(record):
    """The record of the optimizer inside: the step is done once more with a recorder there."""
    inner = getattr(record.optimizer, "inner", None)
    if inner is None:
        return None
    records = []
    recording = replace(record.optimizer, inner=_Recorder(inner, record.step, records))
    recording.step(_FixedGradient(record.f, record.gradient), record.x, record.state)
    return records[-1]


@dataclass(frozen=True)
class _Recorder(Optimizer):
    """Does what the optimizer inside does, and records its steps."""

    inner: Optimizer
    step_number: int
    records: list

    def step(self, f, x, s):
        oracle = Oracle(f)
        x_next, s_next = self.inner.step(oracle, x, s)
        record = StepRecord(f, self.inner, self.step_number, x, s, x_next, s_next, oracle.gradient)
        self.records.append(record)
        return x_next, s_next


class _FixedGradient:
    """f with the gradient that a step was given, and its noise at a search's other points."""

    def __init__(self, f, gradient):
        self.f, self.gradient, self.noise = f, gradient, None

    def grad(self, x, where=None):
        g = self.f.grad(x)
        if self.noise is None:
            self.noise = self.gradient - g
            return self.gradient
        return g + self.noise

    def value(self, x, where=None):
        return self.f.value(x)

    def hess(self, x, where=None):
        return self.f.hess(x)
