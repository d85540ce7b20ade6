"""From a typed formula to SymPy, through a whitelist over Python's syntax tree.

The text is never evaluated. Every node is either on the list below or refused by name, and limits
on length, depth, exponents and number size hold *before* SymPy sees anything, so that
`9**9**9**9` costs nothing.
"""

import ast
import math
import re

import sympy as sp

X, Y = sp.symbols("x y", real=True)

MAX_LENGTH = 400  # characters
MAX_DEPTH = 14  # parentheses inside parentheses, or nested operators other than a sum
MAX_PARTS = 150  # numbers, names, operators and calls
MAX_EXPONENT = 64
MAX_NUMBER = 1e12
MAX_DERIVED = 4000  # parts of the second derivatives, see `second_derivatives`


class FormulaError(ValueError):
    """A formula that is refused. `part` is the piece of text at fault ('' when it is all of it)."""

    def __init__(self, message: str, part: str = ""):
        super().__init__(message)
        self.part = part


class _Real(sp.Function):
    """A function of real numbers that SymPy lacks, or knows only for complex ones."""

    is_real = True
    shown = ""

    def _latex(self, printer, exp=None):
        text = self.shown % ", ".join(printer._print(a) for a in self.args)
        return text if exp is None else rf"\left({text}\right)^{{{exp}}}"


class signum(_Real):
    """Sign of a number. Its derivative is taken as 0, also at the jump."""

    shown = r"\operatorname{sign}\left(%s\right)"

    def fdiff(self, argindex=1):
        return sp.S.Zero


class absolute(_Real):
    """|u|. SymPy's own differentiates into re() and im() when it cannot be sure that u is real."""

    shown = r"\left|%s\right|"

    def fdiff(self, argindex=1):
        return signum(self.args[0])


class larger(_Real):
    """max(a, b), which at a tie has the mean of both slopes."""

    shown = r"\max\left(%s\right)"

    def fdiff(self, argindex=1):
        a, b = self.args
        return (1 + signum(a - b if argindex == 1 else b - a)) / 2


class smaller(_Real):
    """min(a, b), which at a tie has the mean of both slopes."""

    shown = r"\min\left(%s\right)"

    def fdiff(self, argindex=1):
        a, b = self.args
        return (1 + signum(b - a if argindex == 1 else a - b)) / 2


CONSTANTS = {"pi": (sp.pi, math.pi), "e": (sp.E, math.e)}

# name -> (number of arguments, symbolic meaning, numeric meaning)
CALLS = {
    "sin": (1, sp.sin, math.sin),
    "cos": (1, sp.cos, math.cos),
    "tan": (1, sp.tan, math.tan),
    "asin": (1, sp.asin, math.asin),
    "acos": (1, sp.acos, math.acos),
    "atan": (1, sp.atan, math.atan),
    "sinh": (1, sp.sinh, math.sinh),
    "cosh": (1, sp.cosh, math.cosh),
    "tanh": (1, sp.tanh, math.tanh),
    "exp": (1, sp.exp, math.exp),
    "log": (1, sp.log, math.log),
    "log10": (1, lambda u: sp.log(u) / sp.log(10), math.log10),
    "sqrt": (1, sp.sqrt, math.sqrt),
    "abs": (1, absolute, abs),
    "sign": (1, signum, lambda u: math.copysign(1, u) if u else 0),
    "min": (2, smaller, min),
    "max": (2, larger, max),
}
ALIASES = {"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan"}

OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}

_TYPED = {
    "−": "-",
    "–": "-",
    "·": "*",
    "×": "*",
    "÷": "/",
    "π": "pi",
    "²": "**2",
    "³": "**3",
    "^": "**",
}
_ALLOWED = re.compile(r"[A-Za-z0-9_.,+\-*/()\s]")
_NUMBER_THEN_NAME = re.compile(
    r"(?<![A-Za-z0-9_.])(\d+\.?\d*(?:[eE][+-]?\d+)?)(?![\d.])(?![eE][+-]?\d)\s*([A-Za-z_(][A-Za-z0-9_]*)"
)


def parse(text: str) -> sp.Expr:
    """The SymPy expression in the real symbols `X`, `Y` that `text` spells.

    Raises FormulaError, whose message names the part at fault.
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters; at most {MAX_LENGTH} are read")
    for typed, meant in _TYPED.items():
        text = text.replace(typed, meant)
    text = " ".join(text.split())
    if not text:
        raise FormulaError("the formula is empty; try x**2/20 + y**2")
    _check_text(text)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise FormulaError(*_syntax_message(text, error)) from None
    parts = sum(isinstance(n, ast.expr) for n in ast.walk(tree))
    if parts > MAX_PARTS:
        raise FormulaError(f"the formula has {parts} parts; at most {MAX_PARTS} are read")
    try:
        expr, _ = _Reader(text).read(tree, 0)
    except FormulaError:
        raise
    except Exception as error:  # SymPy met something that the limits did not foresee
        raise FormulaError(f"the formula cannot be worked out: {error}") from None
    if expr.has(sp.I, sp.zoo, sp.nan, sp.oo, -sp.oo):
        raise FormulaError("the formula is not a real number anywhere")
    if second_derivatives(expr) > MAX_DERIVED:
        raise FormulaError(
            "the second derivatives of this formula would be too long; a shorter product, or fewer "
            "functions inside functions, will do"
        )
    return keep_real(expr)


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


def _check_text(text):
    for character in text:
        if not _ALLOWED.match(character):
            raise FormulaError(f"the character {character!r} has no meaning here", character)
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth > MAX_DEPTH:
            raise FormulaError(
                f"parentheses are nested more than {MAX_DEPTH} deep", text[place : place + 20]
            )
        if depth < 0:
            raise FormulaError(f"a closing parenthesis too many after {text[:place]!r}", ")")
    if depth:
        raise FormulaError(
            f"{depth} closing {'parenthesis is' if depth == 1 else 'parentheses are'} missing", "("
        )
    if match := _NUMBER_THEN_NAME.search(text):
        number, name = match.groups()
        raise FormulaError(
            f"a product needs its *: put one between {number!r} and {name!r}", match.group()
        )


def _syntax_message(text, error):
    place = getattr(error, "offset", None) or len(text)
    near = text[max(0, place - 6) : place + 6].strip()
    return f"this cannot be read near {near!r}", near


class _Reader:
    """Walks the tree and builds each part twice: in SymPy, and as a float where constant."""

    def __init__(self, text):
        self.text = text

    def read(self, node, depth):
        """`(expression, value)`; `value` is None where the part depends on x or y."""
        if depth > MAX_DEPTH:
            raise FormulaError(
                f"{self.part(node)!r} is nested more than {MAX_DEPTH} deep", self.part(node)
            )
        expr, value = self.visit(node, depth)
        if value is not None and not (math.isfinite(value) and abs(value) <= MAX_NUMBER):
            raise FormulaError(f"the number {self.part(node)!r} is too large", self.part(node))
        return expr, value

    def visit(self, node, depth):
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return self.number(node)
            case ast.Name(id=name):
                return self.name(node, name)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign):
                expr, value = self.read(node.operand, depth + 1)
                s = 1 if isinstance(sign, ast.UAdd) else -1
                return s * expr, None if value is None else s * value
            case ast.BinOp(op=ast.Pow()):
                return self.power(node, depth)
            case ast.BinOp(op=op) if type(op) in OPERATORS:
                # a long sum or product leans to the left without being any deeper to the eye
                left, a = self.read(node.left, depth)
                right, b = self.read(node.right, depth + 1)
                if isinstance(op, ast.Div) and b == 0:
                    raise FormulaError(f"{self.part(node)!r} divides by zero", self.part(node))
                apply = OPERATORS[type(op)]
                return apply(left, right), None if a is None or b is None else apply(a, b)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self.call(node, name, args, depth)
        raise FormulaError(
            f"{self.part(node)!r} is not arithmetic that is known here", self.part(node)
        )

    def part(self, node):
        return ast.get_source_segment(self.text, node) or type(node).__name__

    def number(self, node):
        text = self.part(node)
        if abs(node.value) > MAX_NUMBER:
            raise FormulaError(f"the number {text!r} is too large", text)
        if node.value and abs(node.value) < 1 / MAX_NUMBER:
            raise FormulaError(f"the number {text!r} is too small", text)
        return sp.Rational(str(node.value)), float(node.value)

    def name(self, node, name):
        if name in ("x", "y"):
            return {"x": X, "y": Y}[name], None
        if name in CONSTANTS:
            return CONSTANTS[name]
        if ALIASES.get(name, name) in CALLS:
            raise FormulaError(f"{name!r} is a function and needs parentheses: {name}(x)", name)
        raise FormulaError(
            f"unknown name {name!r}; there are x, y, pi, e and functions like sin(x)", name
        )

    def power(self, node, depth):
        base, a = self.read(node.left, depth + 1)
        exponent, b = self.read(node.right, depth + 1)
        if b is not None and abs(b) > MAX_EXPONENT:
            part = self.part(node.right)
            raise FormulaError(f"the exponent {part!r} is beyond ±{MAX_EXPONENT}", part)
        if a is None or b is None:
            return base**exponent, None
        return base**exponent, self.constant(node, lambda: a**b)

    def call(self, node, name, args, depth):
        name = ALIASES.get(name, name)
        if name not in CALLS:
            raise FormulaError(f"unknown function {name!r}; there are {', '.join(CALLS)}", name)
        wanted, symbolic, numeric = CALLS[name]
        if len(args) != wanted:
            part = self.part(node)
            raise FormulaError(
                f"{name} takes {wanted} argument{'s' * (wanted > 1)}, not {len(args)}: {part!r}",
                part,
            )
        read = [self.read(arg, depth + 1) for arg in args]
        values = [value for _, value in read]
        expr = symbolic(*(expr for expr, _ in read))
        return expr, None if None in values else self.constant(node, lambda: numeric(*values))

    def constant(self, node, compute):
        """The value of a constant part, or a FormulaError where it is not a real number."""
        part = self.part(node)
        try:
            value = compute()
        except OverflowError:
            raise FormulaError(f"the number {part!r} is too large", part) from None
        except (ValueError, ZeroDivisionError):
            value = math.nan
        if isinstance(value, complex) or math.isnan(value):
            raise FormulaError(f"{part!r} is not a real number", part)
        return float(value)
