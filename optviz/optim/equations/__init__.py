r"""Inside a step: the equations of an optimizer's docstring with the numbers of one step in them.

The LaTeX of the equations is read into a small tree. The tree is worked out from the
hyperparameters, the state and the gradient, and is written as LaTeX again with a number in the
place of every symbol. So what stands in a docstring can be held against what the code does: the
tests do that, for every optimizer.
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
    """One step of one optimizer: everything that it saw, held and did."""

    f: Function
    optimizer: Optimizer  # as it was at this step, schedules applied
    step: int  # number of the update, 1 for the first
    x: np.ndarray  # (2,) before
    state: dict  # before
    x_next: np.ndarray  # (2,) after
    state_next: dict  # after
    gradient: np.ndarray  # (2,) what it was given, noise included


def step_record(f, optimizer: Optimizer, step: int, x, state: dict, gradient) -> StepRecord:
    """The moment of a step that is done once more, from what there was before it and the gradient
    that was given.
    """
    with np.errstate(all="ignore"):
        x_next, state_next = optimizer.step(_Given(f, gradient), x, state)
    return StepRecord(f, optimizer, step, x, state, x_next, state_next, gradient)


@dataclass(frozen=True, eq=False)
class Line:
    """One equation. `numbers` is empty where it cannot be worked out; `value` is then what the step
    left there.
    """

    symbols: str  # LaTeX of the equation as declared
    numbers: str  # LaTeX of its right side with numbers in place of symbols
    value: Any  # of its left side: a number, (2,), a matrix, or None where nobody knows
    result: str  # LaTeX of `value`, empty for None


def evaluate_equations(record: StepRecord) -> list[Line]:
    """Every equation of the step, line by line. Never raises, whatever the numbers.

    A wrapper's lines follow those of the optimizer inside, which are about the point where that one
    stands; a line that makes the gradient g comes before them.
    """
    with np.errstate(all="ignore"):
        inner = _inside(record)
        own = _lines(record, inner)
        if inner is None:
            return [line for _, line in own]
        given = [line for left, line in own if left == ("g",)]
        after = [line for left, line in own if left != ("g",)]
        inside = evaluate_equations(inner)
        if given:  # the optimizer inside takes it, and asks for no gradient of its own
            inside = [line for line in inside if not line.symbols.startswith("g =")]
        return [*given, *inside, *after]


def effective_rate(run) -> np.ndarray:
    """Step over gradient in each coordinate, `(steps, ..., 2)`: the rate that it came to. NaN where
    the gradient is 0.
    """
    g = run.gradients
    with np.errstate(all="ignore"):
        return np.where(g == 0, np.nan, -np.diff(run.points, axis=0) / g)


# --- the lines of one optimizer ---

_DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
# of reading and of working out
_TROUBLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def active_equations(optimizer: Optimizer) -> list[str]:
    """The equations of a docstring one by one, as the switches make them."""
    displays = _DISPLAY.findall(type(optimizer).__doc__ or "")
    lines = [line for display in displays for line in _split(display)]
    for (name, on), changes in optimizer.variants.items():
        if getattr(optimizer, name) == on:
            for old, new in changes.items():
                lines = [line.replace(old, new) for line in lines]
    return [part for line in lines for part in _split(line) if part]


def _split(display):
    """The equations of one display, which stand apart by commas and wide spaces."""
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
            if unknown := _search(right, scope, after.get(left)):
                found = r"\text{found by the search}"
                line = _line("".join(unknown), found, scope.values[unknown])
                lines.append((unknown, line))
            value = right.value(scope)
            asks = isinstance(right, Derivative)
            numbers = right.latex_call(scope) if asks else right.latex(scope)
        except _TROUBLE:
            value = after.get(left)
        if left:
            scope.values[left] = value
        lines.append((left, _line(text, numbers, value)))
    return lines


def _line(symbols, numbers, value):
    return Line(symbols, numbers, value, "" if value is None else latex(value))


def _scope(record, inner):
    """What every symbol means before the step, and what those that the step renews mean after it.

    A letter of the state stands for itself, other names for what the class declares. A symbol with
    a t in it is of this very step; t is the optimizer's own count where it keeps one, since it may
    have taken over from another on the way. Around an inner optimizer x is where that one has gone,
    or where it asks, if the gradient is made for it.
    """
    opt = record.optimizer
    before, after = {**record.state, "x": record.x}, {**record.state_next, "x": record.x_next}
    names = {(name,): name for name in before if len(name) == 1}
    names |= {tokens(symbol): name for symbol, name in opt.symbols.items()}
    values = {("t",): record.step, ("I",): EYE, ("g",): record.gradient}
    for symbol, name in names.items():
        now = after if "t" in symbol else before
        if name in now:
            values[symbol] = now[name]
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
        """What the optimizer was given where it asked; elsewhere the gradient with that noise."""
        m = self.record
        asked = m.optimizer.lookahead(m.x, m.state)
        if np.allclose(at, asked, rtol=1e-12, atol=0, equal_nan=True):
            return m.gradient
        return m.f.grad(at) + (m.gradient - m.f.grad(asked))


def _search(right, scope, target):
    """The one symbol of `right` that a search has chosen: put into `scope` such that it leads to
    `target`.
    """
    unknown = {s.tokens for s in _symbols(right) if s.tokens not in scope.values}
    if len(unknown) != 1 or target is None:
        return None
    (unknown,) = unknown
    scopes = (replace(scope, values={**scope.values, unknown: at}) for at in (0.0, 1.0))
    start, end = (right.value(one) for one in scopes)
    along = end - start
    found = along @ (target - start) / (along @ along)  # right is linear in it
    if not np.isfinite(found):
        raise ValueError("every number would lead there")
    scope.values[unknown] = found
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
    """The record of the optimizer inside: the step is done once more with a witness there."""
    inner = getattr(record.optimizer, "inner", None)
    if inner is None:
        return None
    seen = []
    again = replace(record.optimizer, inner=_Witness(inner, record.step, seen))
    again.step(_Given(record.f, record.gradient), record.x, record.state)
    return seen[-1]


@dataclass(frozen=True)
class _Witness(Optimizer):
    """Does what the optimizer inside does, and keeps what that one saw."""

    inner: Optimizer
    number: int
    seen: list

    def step(self, f, x, s):
        asked = Oracle(f)
        x_next, s_next = self.inner.step(asked, x, s)
        record = StepRecord(f, self.inner, self.number, x, s, x_next, s_next, asked.gradient)
        self.seen.append(record)
        return x_next, s_next


class _Given:
    """f with the gradient that a step was given, and its noise wherever else a search asks."""

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
