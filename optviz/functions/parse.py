"""From a typed formula to its graph.

The text is never evaluated. Constants are computed in floats, within limits, so that `9**9**9**9`
costs nothing; the rest is kept as typed, so that no simplification gives a value where the formula
has none.
"""

import math
from dataclasses import replace

from optviz.functions.elementary import CONSTANTS
from optviz.functions.graph import Graph, compute
from optviz.functions.syntax import Node, read
from optviz.functions.tokens import MAX_LENGTH, FormulaError

__all__ = ["MAX_LENGTH", "FormulaError", "parse"]

MAX_EXPONENT = 64
MAX_NUMBER = 1e12


def parse(text: str, sign: int = 1) -> Graph:
    """The graph of the formula in `text`, or with the `sign` -1 that of minus the formula.

    Raises FormulaError, whose message names the part at fault.
    """
    tree = _fold_constants(read(text))
    return Graph(tree if sign > 0 else Node("neg", "", (tree,), text))


def _fold_constants(node: Node) -> Node:
    """The tree with a number in place of each constant part."""
    if node.kind == "number":
        return _check_size(node)
    if node.kind == "name":
        return _number_node(node, CONSTANTS[node.name]) if node.name in CONSTANTS else node
    args = tuple(map(_fold_constants, node.args))
    values = [float(arg.name) if arg.kind == "number" else None for arg in args]
    if node.kind == "/" and values[1] == 0:
        raise FormulaError(f"{node.text!r} divides by zero", node.text)
    if node.kind == "**" and values[1] is not None and abs(values[1]) > MAX_EXPONENT:
        part = node.args[1].text
        raise FormulaError(f"the exponent {part!r} is beyond ±{MAX_EXPONENT}", part)
    if None in values:
        return replace(node, name=node.function, args=args)
    value, part = compute(node.function or node.kind, values), node.text
    if math.isnan(value):
        raise FormulaError(f"{part!r} is not a real number", part)
    if abs(value) > MAX_NUMBER:
        raise FormulaError(f"the number {part!r} is too large", part)
    return _number_node(node, value)


def _number_node(node, value):
    return Node("number", repr(float(value)), (), node.text)


def _check_size(node):
    text, value = node.text, float(node.name)
    if abs(value) > MAX_NUMBER:
        raise FormulaError(f"the number {text!r} is too large", text)
    if value and abs(value) < 1 / MAX_NUMBER:
        raise FormulaError(f"the number {text!r} is too small", text)
    return node
