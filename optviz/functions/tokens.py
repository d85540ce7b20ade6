"""The tokens of a typed formula, and which of its bars open and which close.

Only what is on the lists here is accepted. What is ambiguous is an error that names it.
"""

import re
from typing import NamedTuple

from optviz.functions.elementary import ALIASES, CALLS, CONSTANTS

MAX_LENGTH = 400  # characters
MAX_DEPTH = 14  # nested parentheses, signs and exponents

CALLED = {*CALLS, *ALIASES}
ROOTS = {"√": "sqrt", "∛": "cbrt"}

_ASCII = str.maketrans("−–·⋅×÷", "--***/")
_ALLOWED = re.compile(r"[A-Za-z0-9_.,+\-*/^()|π√∛⁰¹²³⁴-⁹⁻ ]")
_DEFINITION = re.compile(r"(?![xye]\b)[A-Za-z]\s?(\(\s?x\s?(,\s?y\s?)?\)\s?)?=\s?")  # f(x, y) =
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<name>[A-Za-z_][\w.]*|π)|(?P<power>⁻?[⁰¹²³⁴-⁹]+)"
    r"|(?P<mark>\*\*|[-+*/^(),|√∛])",
    re.ASCII,
)


class FormulaError(ValueError):
    """A formula that is not valid. `part` is the piece of text at fault ('' for all of it)."""

    def __init__(self, message: str, part: str = ""):
        super().__init__(message)
        self.part = part


class Token(NamedTuple):
    kind: str  # number, name, power, or the mark itself; a bar is "|(" or "|)"
    text: str
    start: int
    end: int


def read_tokens(text: str) -> tuple[str, list[Token]]:
    """The formula without a leading f(x, y) =, and its tokens; the last one is empty.

    Raises FormulaError, whose message names the part at fault.
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula must be text, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise FormulaError(
            f"the formula has {len(text)} characters; at most {MAX_LENGTH} are allowed"
        )
    text = " ".join(text.translate(_ASCII).split())
    if definition := _DEFINITION.match(text):
        text = text[definition.end() :]
    if not text:
        raise FormulaError("the formula is empty; try x^2/20 + y^2")
    for character in text:
        if not _ALLOWED.match(character):
            raise FormulaError(f"the character {character!r} has no meaning here", character)
    return text, _pair_bars(_tokens(text), text)


def _tokens(text):
    tokens, place = [], 0
    while place < len(text):
        if text[place] == " ":
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if not match:
            cannot_read(text, place)
        kind, string = match.lastgroup, match.group()
        if kind == "mark":
            kind = "**" if string == "^" else string
        if kind == "number" and match.end() < len(text) and text[match.end()] in "0123456789._":
            word = _word(text, place)
            raise FormulaError(f"{word!r} is not a number", word)
        if kind == "name" and not {string} & {"π", *CALLED, *CONSTANTS}:
            if set(string) - {"x", "y"}:
                _refuse_name(text, place, string)
            tokens += [Token("name", c, place + i, place + i + 1) for i, c in enumerate(string)]
        else:
            tokens.append(Token(kind, string, place, match.end()))
        place = match.end()
    return [*tokens, Token("", "", place, place)]


def _word(text, place):
    """The letters, digits and points around a position in the text."""
    before, after = re.search(r"[\w.]*$", text[:place]), re.match(r"[\w.]*", text[place:])
    return before.group() + after.group()


def _refuse_name(text, place, name):
    word = _word(text, place)
    if text[place + len(name) :].lstrip().startswith("("):
        raise FormulaError(f"unknown function {name!r}; the functions are {', '.join(CALLS)}", word)
    message = f"unknown name {name!r}; use x, y, pi, e and functions like sin(x)"
    raise FormulaError(message + ("" if name == word else f" (in {word!r})"), word)


def cannot_read(text: str, place: int):
    """Raises the error for what is out of place."""
    near = text[max(0, place - 6) : place + 6].strip()
    raise FormulaError(f"the formula cannot be read near {near!r}", near)


def _ends_operand(token):
    if token.kind == "name":
        return token.text not in CALLED
    return token.kind in ("number", "power", ")")


def begins_operand(token: Token) -> bool:
    """Whether a number, a name or parentheses begin here."""
    return token.kind in ("number", "name", "(", "|(", *ROOTS)


def _pair_bars(tokens, text):
    """The tokens with each bar marked as opening or closing; parentheses are checked as well."""
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
            raise FormulaError(f"one closing parenthesis too many after {before!r}", ")")
        if len(regions) > MAX_DEPTH + 1:
            part = text[token.start : token.start + 20]
            raise FormulaError(f"parentheses are nested more than {MAX_DEPTH} deep", part)
    if missing := len(regions) - 1:
        noun = "parenthesis is" if missing == 1 else "parentheses are"
        raise FormulaError(f"{missing} closing {noun} missing", "(")
    for region in filter(None, [*bars, *regions]):
        for i, kind in zip(region, _bar_kinds(tokens, region, text), strict=True):
            tokens[i] = tokens[i]._replace(kind=kind)
    return tokens


def _bar_kinds(tokens, region, text):
    """For each bar "|(" or "|)": the reading with the fewest implicit products.

    FormulaError where two readings have equally few, as in |x|y|z|.
    """
    states = {(0, ""): (0, 1, ())}  # (open bars, last role) -> products, readings, roles
    for i in region:
        before, after = tokens[i - 1] if i else None, tokens[i + 1]
        reached = {}
        for (depth, last), (cost, count, kinds) in states.items():
            after_bar = before is not None and before.kind == "|"
            ended = last == "|)" if after_bar else before is not None and _ends_operand(before)
            for role, level in (("|(", depth + 1), ("|)", depth - 1)):
                closes = role == "|)"
                valid = ended if closes else begins_operand(after) or after.kind in ("+", "-", "|")
                if level < 0 or not valid:
                    continue
                total = cost + (begins_operand(after) if closes else ended)
                best_cost, best_count, best_kinds = reached.get((level, role), (total + 1, 0, ()))
                if total == best_cost:
                    reached[level, role] = best_cost, best_count + count, best_kinds
                elif total < best_cost:
                    reached[level, role] = total, count, (*kinds, role)
        states = reached
    part = text[tokens[region[0]].start : tokens[region[-1]].end]
    if (0, "|)") not in states:
        raise FormulaError(f"a bar is missing in {part!r}", part)
    _, count, kinds = states[0, "|)"]
    if count > 1:
        message = f"the bars in {part!r} can be read in more than one way; write abs(...)"
        raise FormulaError(message, part)
    return kinds
