"""A typed formula as a tree: its tokens, and a Pratt parser over them.

Formulas are read as people write them, `100(y − x²)²` or `sin²(πx) + |y|`. What could be meant in
two ways is refused and named. Nothing is evaluated: a name that is not on the lists is an error.
"""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from optviz.functions.elementary import ALIASES, CALLS, CONSTANTS

MAX_LENGTH = 400  # characters
MAX_DEPTH = 14  # parentheses, signs and exponents inside each other
MAX_PARTS = 150  # numbers, names, operators and calls

_CALLED = {*CALLS, *ALIASES}

_SAME = str.maketrans("−–·⋅×÷", "--***/")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_ROOTS = {"√": "sqrt", "∛": "cbrt"}
_ALLOWED = re.compile(r"[A-Za-z0-9_.,+\-*/^()|π√∛⁰¹²³⁴-⁹⁻ ]")
_DEFINED = re.compile(r"(?![xye]\b)[A-Za-z]\s?(\(\s?x\s?(,\s?y\s?)?\)\s?)?=\s?")  # f(x, y) =
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<name>[A-Za-z_][\w.]*|π)|(?P<power>⁻?[⁰¹²³⁴-⁹]+)"
    r"|(?P<mark>\*\*|[-+*/^(),|√∛])",
    re.ASCII,
)


class FormulaError(ValueError):
    """A formula that is refused. `part` is the piece of text at fault ('' when it is all of it)."""

    def __init__(self, message: str, part: str = ""):
        super().__init__(message)
        self.part = part


@dataclass(frozen=True)
class Node:
    """A part of a formula.

    `kind` is number, name, call, neg, or one of + - * / **; `name` what a number, a name or a
    function is called in the text.
    """

    kind: str
    name: str
    args: tuple["Node", ...]
    text: str  # as it was typed
    closed: bool = False  # by parentheses or bars of its own


class Token(NamedTuple):
    kind: str  # number, name, power, or the mark itself; a bar is "|(" or "|)"
    text: str
    start: int
    end: int


def read(text: str) -> Node:
    """The tree of a formula. Raises FormulaError, whose message names the part at fault."""
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters; at most {MAX_LENGTH} are read")
    text = " ".join(text.translate(_SAME).split())
    if defined := _DEFINED.match(text):
        text = text[defined.end() :]
    if not text:
        raise FormulaError("the formula is empty; try x^2/20 + y^2")
    for character in text:
        if not _ALLOWED.match(character):
            raise FormulaError(f"the character {character!r} has no meaning here", character)
    return _Parser(text, _paired(_tokens(text), text)).whole()


# --- tokens ---


def _tokens(text):
    tokens, place = [], 0
    while place < len(text):
        if text[place] == " ":
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if not match:
            _cannot_read(text, place)
        kind, found = match.lastgroup, match.group()
        if kind == "mark":
            kind = "**" if found == "^" else found
        if kind == "number" and match.end() < len(text) and text[match.end()] in "0123456789._":
            _, word = _word(text, place)
            raise FormulaError(f"{word!r} is not a number", word)
        if kind == "name" and not {found} & {"π", *_CALLED, *CONSTANTS}:
            if set(found) - {"x", "y"}:
                _unknown(text, place, found)
            tokens += [Token("name", c, place + i, place + i + 1) for i, c in enumerate(found)]
        else:
            tokens.append(Token(kind, found, place, match.end()))
        place = match.end()
    return [*tokens, Token("", "", place, place)]


def _word(text, place):
    """The start and the text of all the letters, digits and points around a place."""
    start = re.search(r"[\w.]*$", text[:place]).start()
    return start, text[start:place] + re.match(r"[\w.]*", text[place:]).group()


def _unknown(text, place, name):
    _, word = _word(text, place)
    if text[place + len(name) :].lstrip().startswith("("):
        raise FormulaError(f"unknown function {name!r}; there are {', '.join(CALLS)}", word)
    message = f"unknown name {name!r}; there are x, y, pi, e and functions like sin(x)"
    raise FormulaError(message + ("" if name == word else f" (in {word!r})"), word)


def _cannot_read(text, place):
    near = text[max(0, place - 6) : place + 6].strip()
    raise FormulaError(f"this cannot be read near {near!r}", near)


def _ends(token):
    return token.kind in ("number", "power", ")") or (
        token.kind == "name" and token.text not in _CALLED
    )


def _begins(token):
    return token.kind in ("number", "name", "(", "|(", *_ROOTS)


def _paired(tokens, text):
    """The tokens with each bar as an opening or a closing one; parentheses are counted as well."""
    regions, bars = [[]], []  # bars between the same parentheses, the innermost last
    for i, token in enumerate(tokens):
        if token.kind == "(":
            regions.append([])
        elif token.kind == "|":
            regions[-1].append(i)
        elif token.kind == ")":
            bars.append(regions.pop())
        if not regions:
            before = text[: token.start]
            raise FormulaError(f"a closing parenthesis too many after {before!r}", ")")
        if len(regions) > MAX_DEPTH + 1:
            part = text[token.start : token.start + 20]
            raise FormulaError(f"parentheses are nested more than {MAX_DEPTH} deep", part)
    if missing := len(regions) - 1:
        are = "parenthesis is" if missing == 1 else "parentheses are"
        raise FormulaError(f"{missing} closing {are} missing", "(")
    for region in filter(None, [*bars, *regions]):
        for i, kind in zip(region, _roles(tokens, region, text), strict=True):
            tokens[i] = tokens[i]._replace(kind=kind)
    return tokens


def _roles(tokens, region, text):
    """ "|(" or "|)" for each bar: the reading with the fewest products whose sign is left out.

    Refused where two readings have equally few, as in |x|y|z|.
    """
    found = {(0, ""): (0, 1, ())}  # (open bars, last role) -> products, readings, roles
    for i in region:
        before, after = tokens[i - 1] if i else None, tokens[i + 1]
        reached = {}
        for (depth, last), (cost, ways, roles) in found.items():
            joined = before is not None and before.kind == "|"
            operand = last == "|)" if joined else before is not None and _ends(before)
            for role, deeper in (("|(", depth + 1), ("|)", depth - 1)):
                closes = role == "|)"
                possible = operand if closes else _begins(after) or after.kind in ("+", "-", "|")
                if deeper < 0 or not possible:
                    continue
                total = cost + (_begins(after) if closes else operand)
                least, known, kept = reached.get((deeper, role), (total + 1, 0, ()))
                if total == least:
                    reached[deeper, role] = least, known + ways, kept
                elif total < least:
                    reached[deeper, role] = total, ways, (*roles, role)
        found = reached
    part = text[tokens[region[0]].start : tokens[region[-1]].end]
    if (0, "|)") not in found:
        raise FormulaError(f"a bar is missing in {part!r}", part)
    _, ways, roles = found[0, "|)"]
    if ways > 1:
        raise FormulaError(
            f"the bars in {part!r} can be read in more than one way; write abs(...)", part
        )
    return roles


# --- the parser ---

_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}  # a sign before an operand binds with 3


class _Parser:
    def __init__(self, text, tokens):
        self.text, self.tokens = text, tokens
        self.place, self.parts = 0, 0
        self.commas = True  # whether a comma between two digits is a decimal one

    @property
    def next(self):
        return self.tokens[self.place]

    def take(self, kind=""):
        token = self.next
        if kind and token.kind != kind:
            _cannot_read(self.text, token.start)
        self.place += 1
        return token

    def typed(self, start):
        """What was typed from a place up to the last token."""
        return self.text[start : self.tokens[self.place - 1].end]

    def node(self, kind, name, args, start, closed=False):
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise FormulaError(f"the formula has more than {MAX_PARTS} parts", self.typed(start))
        return Node(kind, name, args, self.typed(start), closed)

    def whole(self):
        tree = self.expression(0, 0)
        if self.next.kind:
            _cannot_read(self.text, self.next.start)
        return tree

    def expression(self, binding, depth):
        """All that binds closer than `binding`."""
        start = self.next.start
        if depth > MAX_DEPTH:
            part = self.text[start : start + 20]
            raise FormulaError(f"{part!r} is nested more than {MAX_DEPTH} deep", part)
        if self.next.kind in ("+", "-"):
            sign = self.take().kind
            left = self.expression(3, depth + 1)
            left = self.node("neg", "", (left,), start) if sign == "-" else left
        else:
            left = self.operand(depth)
        while True:
            kind = self.next.kind
            if kind == "power":
                left = self.node("**", "", (left, self.superscript()), start)
            elif _begins(self.next) and binding < _BINDS["*"]:
                left = self.product(left, start, depth)
            elif _BINDS.get(kind, 0) > binding:
                self.take()
                if kind == "**":  # groups from the right
                    args = left, self.expression(_BINDS[kind] - 1, depth + 1)
                else:
                    args = left, self.expression(_BINDS[kind], depth)
                left = self.node(kind, "", args, start)
            else:
                return left

    def superscript(self):
        token = self.take("power")
        return self.node("number", token.text.translate(_SUPERSCRIPT), (), token.start)

    def product(self, left, start, depth):
        """A product without its sign."""
        if self.next.kind == "number":
            part = f"{left.text} {self.next.text}"
            raise FormulaError(
                f"a number cannot follow at once in {part!r}: put * or ^ between", part
            )
        right = self.expression(_BINDS["*"], depth)
        whole = self.node("*", "", (left, right), start)
        if left.closed:
            return whole
        a, b = left.args if left.kind in ("/", "**") else (None, None)
        power = left.kind == "**" and b.kind == "number" and left.text[-1] in "0123456789"
        if left.kind == "/" or (power and (a.kind == "number" or a.name in CONSTANTS)):
            sign = "/" if left.kind == "/" else "^"
            raise FormulaError(
                f"{whole.text!r} can be read in two ways: write ({left.text})*{right.text} or "
                f"{a.text}{sign}({b.text}*{right.text})",
                whole.text,
            )
        return whole

    def operand(self, depth):
        token = self.take()
        start = token.start
        match token.kind:
            case "number":
                return self.number(token)
            case "name" if token.text in _CALLED:
                return self.call(token, depth)
            case "name":
                return self.node("name", token.text.replace("π", "pi"), (), start)
            case "(" | "|(":
                commas, self.commas = self.commas, True
                inner = self.expression(0, depth + 1)
                self.take(")" if token.kind == "(" else "|)")
                self.commas = commas
                if token.kind == "|(":
                    return self.node("call", "abs", (inner,), start, closed=True)
                return replace(inner, text=self.typed(start), closed=True)
            case "√" | "∛":
                return self.root(token, depth)
        _cannot_read(self.text, start)

    def number(self, token):
        """A number, whose decimal comma may stand where a point could."""
        if re.match("0[0-9]", token.text):
            raise FormulaError(f"{token.text!r} is not a number", token.text)
        if not (self.commas and self.tight(self.place)):
            return self.node("number", token.text, (), token.start)
        self.place += 2
        part = self.typed(token.start)
        if re.fullmatch("[1-9][0-9]{0,2},[0-9]{3}", part):
            raise FormulaError(
                f"{part!r} may have a decimal comma or one of thousands: write "
                f"{part.replace(',', '.')} or {part.replace(',', '')}",
                part,
            )
        if "." in part or self.tight(self.place):
            raise FormulaError(f"{part!r} is not a number", part)
        return self.node("number", part.replace(",", "."), (), token.start)

    def tight(self, place):
        """Whether there is a comma with a digit right before and after it."""
        around = self.text[max(0, self.tokens[place].start - 1) : self.tokens[place].end + 1]
        return re.fullmatch("[0-9],[0-9]", around) is not None

    def root(self, token, depth):
        """√x and √(x + 1), but not √x² or √2x, where nobody knows how far the root goes."""
        if depth >= MAX_DEPTH:
            raise FormulaError(f"roots are nested more than {MAX_DEPTH} deep", token.text)
        inner = self.operand(depth + 1)
        if not inner.closed and (_begins(self.next) or self.next.kind in ("power", "**")):
            part = self.typed(token.start) + self.next.text
            raise FormulaError(
                f"how far does the root go in {part!r}? Write {token.text}(...)", part
            )
        return self.node("call", _ROOTS[token.text], (inner,), token.start, closed=True)

    def call(self, token, depth):
        """A function with its arguments, as sin(x), or with a power before them, as sin²(x)."""
        name, power = token.text, None
        if self.next.kind in ("power", "**"):
            power = self.superscript() if self.next.kind == "power" else self.exponent()
            if power.name.startswith("-"):
                part = self.typed(token.start)
                raise FormulaError(
                    f"{part!r} may be an inverse or a quotient: write a{name}(x) or 1/{name}(x)",
                    part,
                )
        if self.next.kind != "(":
            raise FormulaError(f"{name!r} is a function and needs parentheses: {name}(x)", name)
        (arity, *_), commas = CALLS[ALIASES.get(name, name)], self.commas
        self.commas = self.decimal_commas(arity)
        self.take("(")
        args = []
        while self.next.kind != ")":
            args.append(self.expression(0, depth + 1))
            if self.next.kind != ",":
                break
            self.take()
        self.take(")")
        self.commas = commas
        if len(args) != arity:
            part = self.typed(token.start)
            plural = "s" * (arity > 1)
            raise FormulaError(
                f"{name} takes {arity} argument{plural}, not {len(args)}: {part!r}", part
            )
        node = self.node("call", name, tuple(args), token.start, closed=True)
        return self.node("**", "", (node, power), token.start, closed=True) if power else node

    def exponent(self):
        self.take("**")
        start, sign = self.next.start, self.take().text if self.next.kind == "-" else ""
        return self.node("number", sign + self.take("number").text, (), start)

    def decimal_commas(self, arity):
        """Whether commas between digits are decimal ones in the call that opens here."""
        depth, plain, tight, place = 0, 0, 0, self.place
        while self.tokens[place].kind:
            kind = self.tokens[place].kind
            depth += {"(": 1, ")": -1}.get(kind, 0)
            if not depth:
                break
            if kind == "," and depth == 1:
                tight, plain = tight + self.tight(place), plain + (not self.tight(place))
            place += 1
        if arity == 1 or not tight or plain == arity - 1:
            return True
        if tight + plain == arity - 1:
            return False
        part = self.text[self.tokens[self.place - 1].start : self.tokens[place].end]
        raise FormulaError(f"which commas are decimal ones in {part!r}? Write them as points", part)
