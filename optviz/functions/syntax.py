"""A typed formula as a tree, by a Pratt parser.

Formulas are read as people write them, `100(y − x²)²` or `sin²(πx) + |y|`. What is ambiguous is
an error that names it. Nothing is evaluated: a name that is not on the lists is an error.
"""

import re
from dataclasses import dataclass, replace

from optviz.functions.elementary import ALIASES, CALLS, CONSTANTS
from optviz.functions.tokens import (
    CALLED,
    MAX_DEPTH,
    ROOTS,
    FormulaError,
    begins_operand,
    cannot_read,
    read_tokens,
)

MAX_PARTS = 150  # numbers, names, operators and calls

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}  # a sign before an operand binds with 3


@dataclass(frozen=True)
class Node:
    """A part of a formula.

    `kind` is number, name, call, neg, or one of + - * / **; `name` is a number, a name or a
    function as in the text.
    """

    kind: str
    name: str
    args: tuple["Node", ...]
    text: str  # as it was typed
    closed: bool = False  # by parentheses or bars of its own

    @property
    def function(self) -> str:
        """The key in CALLS of a function with this name, which may be an alias."""
        return ALIASES.get(self.name, self.name)


def read(text: str) -> Node:
    """The tree of a formula. Raises FormulaError, whose message names the part at fault."""
    return _Parser(*read_tokens(text)).parse()


class _Parser:
    def __init__(self, text, tokens):
        self.text, self.tokens = text, tokens
        self.place, self.parts = 0, 0
        self.commas = True  # whether a comma between two digits is a decimal one

    @property
    def next(self):
        return self.tokens[self.place]

    def advance(self, kind=""):
        token = self.next
        if kind and token.kind != kind:
            cannot_read(self.text, token.start)
        self.place += 1
        return token

    def source(self, start):
        """The text from `start` up to the last token."""
        return self.text[start : self.tokens[self.place - 1].end]

    def node(self, kind, name, args, start, closed=False):
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise FormulaError(f"the formula has more than {MAX_PARTS} parts", self.source(start))
        return Node(kind, name, args, self.source(start), closed)

    def parse(self):
        tree = self.expression(0, 0)
        if self.next.kind:
            cannot_read(self.text, self.next.start)
        return tree

    def expression(self, binding, depth):
        """As much as binds more closely than `binding`."""
        start = self.next.start
        if depth > MAX_DEPTH:
            part = self.text[start : start + 20]
            raise FormulaError(f"{part!r} is nested more than {MAX_DEPTH} deep", part)
        if self.next.kind in ("+", "-"):
            sign = self.advance().kind
            left = self.expression(3, depth + 1)
            left = self.node("neg", "", (left,), start) if sign == "-" else left
        else:
            left = self.operand(depth)
        while True:
            kind = self.next.kind
            if kind == "power":
                left = self.node("**", "", (left, self.superscript()), start)
            elif begins_operand(self.next) and binding < _PRECEDENCE["*"]:
                left = self.product(left, start, depth)
            elif _PRECEDENCE.get(kind, 0) > binding:
                self.advance()
                if kind == "**":  # groups from the right
                    args = left, self.expression(_PRECEDENCE[kind] - 1, depth + 1)
                else:
                    args = left, self.expression(_PRECEDENCE[kind], depth)
                left = self.node(kind, "", args, start)
            else:
                return left

    def superscript(self):
        token = self.advance("power")
        return self.node("number", token.text.translate(_SUPERSCRIPT), (), token.start)

    def product(self, left, start, depth):
        """A product without a multiplication sign."""
        if self.next.kind == "number":
            part = f"{left.text} {self.next.text}"
            message = f"a number cannot follow directly in {part!r}: put * or ^ between"
            raise FormulaError(message, part)
        right = self.expression(_PRECEDENCE["*"], depth)
        product = self.node("*", "", (left, right), start)
        if left.closed:
            return product
        a, b = left.args if left.kind in ("/", "**") else (None, None)
        power = left.kind == "**" and b.kind == "number" and left.text[-1] in "0123456789"
        if left.kind == "/" or (power and (a.kind == "number" or a.name in CONSTANTS)):
            sign = "/" if left.kind == "/" else "^"
            raise FormulaError(
                f"{product.text!r} can be read in two ways: write ({left.text})*{right.text} or "
                f"{a.text}{sign}({b.text}*{right.text})",
                product.text,
            )
        return product

    def operand(self, depth):
        token = self.advance()
        start = token.start
        match token.kind:
            case "number":
                return self.number(token)
            case "name" if token.text in CALLED:
                return self.call(token, depth)
            case "name":
                return self.node("name", token.text.replace("π", "pi"), (), start)
            case "(" | "|(":
                commas, self.commas = self.commas, True
                inner = self.expression(0, depth + 1)
                self.advance(")" if token.kind == "(" else "|)")
                self.commas = commas
                if token.kind == "|(":
                    return self.node("call", "abs", (inner,), start, closed=True)
                return replace(inner, text=self.source(start), closed=True)
            case "√" | "∛":
                return self.root(token, depth)
        cannot_read(self.text, start)

    def number(self, token):
        """A number, with a decimal point or a decimal comma."""
        if re.match("0[0-9]", token.text):
            raise FormulaError(f"{token.text!r} is not a number", token.text)
        if not (self.commas and self.is_decimal(self.place)):
            return self.node("number", token.text, (), token.start)
        self.place += 2
        part = self.source(token.start)
        if re.fullmatch("[1-9][0-9]{0,2},[0-9]{3}", part):
            choices = f"{part.replace(',', '.')} or {part.replace(',', '')}"
            raise FormulaError(
                f"the comma in {part!r} may be decimal or for thousands: write {choices}", part
            )
        if "." in part or self.is_decimal(self.place):
            raise FormulaError(f"{part!r} is not a number", part)
        return self.node("number", part.replace(",", "."), (), token.start)

    def is_decimal(self, place):
        """Whether the token is a comma with a digit right before and after it."""
        text = self.text[max(0, self.tokens[place].start - 1) : self.tokens[place].end + 1]
        return re.fullmatch("[0-9],[0-9]", text) is not None

    def root(self, token, depth):
        """√x and √(x + 1), but not √x² or √2x, where the extent of the root is not clear."""
        if depth >= MAX_DEPTH:
            raise FormulaError(f"roots are nested more than {MAX_DEPTH} deep", token.text)
        inner = self.operand(depth + 1)
        if not inner.closed and (begins_operand(self.next) or self.next.kind in ("power", "**")):
            part = self.source(token.start) + self.next.text
            message = f"it is not clear how far the root goes in {part!r}: write {token.text}(...)"
            raise FormulaError(message, part)
        return self.node("call", ROOTS[token.text], (inner,), token.start, closed=True)

    def call(self, token, depth):
        """A function with its arguments, as sin(x), or with a power before them, as sin²(x)."""
        name, power = token.text, None
        if self.next.kind in ("power", "**"):
            power = self.superscript() if self.next.kind == "power" else self.exponent()
            if power.name.startswith("-"):
                part, choices = self.source(token.start), f"a{name}(x) or 1/{name}(x)"
                raise FormulaError(
                    f"{part!r} may be an inverse or a reciprocal: write {choices}", part
                )
        if self.next.kind != "(":
            raise FormulaError(f"{name!r} is a function and needs parentheses: {name}(x)", name)
        arity, commas = len(CALLS[ALIASES.get(name, name)].slopes), self.commas
        self.commas = self.decimal_commas(arity)
        self.advance("(")
        args = []
        while self.next.kind != ")":
            args.append(self.expression(0, depth + 1))
            if self.next.kind != ",":
                break
            self.advance()
        self.advance(")")
        self.commas = commas
        if len(args) != arity:
            part, takes = self.source(token.start), "1 argument" if arity == 1 else "2 arguments"
            raise FormulaError(f"{name} takes {takes}, not {len(args)}: {part!r}", part)
        node = self.node("call", name, tuple(args), token.start, closed=True)
        return self.node("**", "", (node, power), token.start, closed=True) if power else node

    def exponent(self):
        self.advance("**")
        start, sign = self.next.start, self.advance().text if self.next.kind == "-" else ""
        return self.node("number", sign + self.advance("number").text, (), start)

    def decimal_commas(self, arity):
        """Whether commas between digits are decimal ones in the call that opens here."""
        depth, separators, decimals, place = 0, 0, 0, self.place
        while self.tokens[place].kind:
            kind = self.tokens[place].kind
            depth += {"(": 1, ")": -1}.get(kind, 0)
            if not depth:
                break
            if kind == "," and depth == 1:
                decimals += self.is_decimal(place)
                separators += not self.is_decimal(place)
            place += 1
        if arity == 1 or not decimals or separators == arity - 1:
            return True
        if decimals + separators == arity - 1:
            return False
        part = self.text[self.tokens[self.place - 1].start : self.tokens[place].end]
        raise FormulaError(
            f"it is not clear which commas are decimal in {part!r}: write points", part
        )
