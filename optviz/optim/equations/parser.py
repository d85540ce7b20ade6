r"""From the LaTeX of a docstring's equation to its tree."""

import re

from optviz.optim.equations import tree

TOKEN = re.compile(r"\\(?:text|operatorname)\{[^}]*\}|\\[A-Za-z]+|\\.|\d+\.?\d*|\S")
_SILENT = {r"\,", r"\;", r"\!", r"\big", r"\Big", r"\left", r"\right"}
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"[A-Za-z]|\\[A-Za-z]")
_END = re.compile(r"|[-+/,)}=<>^_]|\\(cdot|bmod|leftarrow|text.*)")  # of a product


def tokens(text: str) -> tuple[str, ...]:
    """The tokens of a piece of LaTeX, without those that are only space."""
    return tuple(t for t in TOKEN.findall(text) if t not in _SILENT)


class Reader:
    """Reads an equation by recursive descent. `known_symbols`, tuples of tokens, stay whole."""

    def __init__(self, text, known_symbols):
        self.tokens, self.position = tokens(text), 0
        self.known_symbols = sorted(known_symbols, key=len, reverse=True)
        self.bars = []  # the open ones

    def read_left_side(self):
        """The symbol on the left side."""
        symbol = self.symbol().tokens
        self.advance("=", r"\leftarrow")
        return symbol

    def read_right_side(self):
        """The tree of the right side."""
        right = self.choice()
        self.advance("")
        return right

    @property
    def next(self):
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def advance(self, *expected):
        token = self.next
        if expected and token not in expected:
            raise ValueError(f"{token!r} where one of {expected} was due")
        self.position += 1
        return token

    def choice(self):
        value = self.sum()
        if self.next.replace(" ", "") != r"\text{where}":
            return value
        self.advance()
        condition = self.comparison()
        self.advance(",")
        self.advance(r"\text{ else }")
        return tree.Conditional(value, condition, self.sum())

    def comparison(self):
        left = self.sum()
        if self.next not in ("<", ">", "="):
            return left
        return tree.Comparison(left, self.advance(), self.sum())

    def sum(self):
        parts = [(self.advance() if self.next in ("+", "-") else "+", self.quotient())]
        while self.next in ("+", "-"):
            parts.append((self.advance(), self.quotient()))
        return parts[0][1] if len(parts) == 1 and parts[0][0] == "+" else tree.Sum(tuple(parts))

    def quotient(self):
        """A product without a sign binds more closely than a slash: 1 / y s is 1 / (y s)."""
        left = self.product()
        while self.next in ("/", r"\bmod"):
            form = self.advance()
            left = tree.Ratio(left, self.product(), form)
        return left

    def product(self):
        factors = [self.power()]
        while not (_END.fullmatch(self.next) or self.next in self.bars[-1:]):
            factors.append(self.power())
        return factors[0] if len(factors) == 1 else tree.Product(tuple(factors))

    def power(self):
        base = self.atom()
        while self.next == "^":
            self.advance()
            if self.next == r"\top":
                self.advance()
                base = tree.Transpose(base)
            else:
                base = tree.Power(base, self.argument())
        return base

    def argument(self):
        """The argument of a command: a group in braces or the single atom that follows."""
        if self.next != "{":
            return self.atom()
        self.advance("{")
        inside = self.sum()
        self.advance("}")
        return inside

    def atom(self):
        token = self.next
        if _NUMBER.match(token):
            return tree.Number(self.advance())
        if token == "(":
            return tree.Group(*self.arguments(1))
        if token in ("|", r"\|"):
            return self.between_bars()
        if token in (r"\frac", r"\tfrac"):
            self.advance()
            return tree.Ratio(self.argument(), self.argument(), token)
        if token == r"\sqrt":
            self.advance()
            return tree.Root(self.argument())
        if token in (r"\max", r"\min") or token.startswith(r"\operatorname"):
            return tree.Call(self.advance(), self.arguments())
        if token == r"\nabla":
            return self.derivative()
        if self.tokens[self.position : self.position + 2] == ("f", "("):
            self.advance()
            return tree.Derivative(0, *self.arguments(1))
        return self.symbol()

    def arguments(self, limit=99):
        """Arguments in parentheses, separated by commas."""
        self.advance("(")
        bars, self.bars = self.bars, []
        args = [self.comparison()]
        while self.next == "," and len(args) < limit:
            self.advance()
            args.append(self.comparison())
        self.advance(")")
        self.bars = bars
        return tuple(args)

    def between_bars(self):
        self.bars.append(self.advance())
        inside = self.sum()
        bar = self.advance(self.bars.pop())
        if self.next != "_":
            return tree.Bars(inside, bar)
        self.advance()
        return tree.Bars(inside, bar, self.argument())

    def derivative(self):
        self.advance(r"\nabla")
        order = 1
        if self.next == "^":
            self.advance()
            order = int(self.advance("2"))
        self.advance("f")
        return tree.Derivative(order, *self.arguments(1))

    def symbol(self):
        for symbol in self.known_symbols:
            end = self.position + len(symbol)
            if self.tokens[self.position : end] == symbol and self.tokens[end : end + 1] != ("_",):
                self.position = end
                return tree.Symbol(symbol)
        start = self.position
        if self.next in (r"\hat", r"\bar"):
            self.advance()
        if not _NAME.match(self.advance()):
            raise ValueError(f"{self.tokens[start]!r} is no symbol")
        if self.next == "_":
            self.advance()
            if self.advance() == "{":
                while self.advance() != "}":
                    if not self.next:
                        raise ValueError("a brace stays open")
        return tree.Symbol(self.tokens[start : self.position])
