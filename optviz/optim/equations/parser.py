r"""From the LaTeX of a docstring's equation to its tree."""

import re

from optviz.optim.equations import tree

TOKEN = re.compile(r"\\(?:text|operatorname)\{[^}]*\}|\\[A-Za-z]+|\\.|\d+\.?\d*|\S")
_SILENT = {r"\,", r"\;", r"\!", r"\big", r"\Big", r"\left", r"\right"}
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"[A-Za-z]|\\[A-Za-z]")
_END = re.compile(r"|[-+/,)}=<>^_]|\\(cdot|bmod|leftarrow|text.*)")  # of a product


def tokens(text: str) -> tuple[str, ...]:
    """The words of a piece of LaTeX, without those that are only space."""
    return tuple(t for t in TOKEN.findall(text) if t not in _SILENT)


class Reader:
    """Reads an equation by recursive descent. `known` symbols, tuples of tokens, stay whole."""

    def __init__(self, text, known):
        self.tokens, self.place = tokens(text), 0
        self.known = sorted(known, key=len, reverse=True)
        self.bars = []  # those that are open

    def read_left_side(self):
        """The symbol on the left side."""
        symbol = self.symbol().tokens
        self.take("=", r"\leftarrow")
        return symbol

    def read_right_side(self):
        """The tree of the right side."""
        found = self.choice()
        self.take("")
        return found

    @property
    def next(self):
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, *wanted):
        token = self.next
        if wanted and token not in wanted:
            raise ValueError(f"{token!r} where one of {wanted} was due")
        self.place += 1
        return token

    def choice(self):
        then = self.sum()
        if self.next.replace(" ", "") != r"\text{where}":
            return then
        self.take()
        when = self.comparison()
        self.take(",")
        self.take(r"\text{ else }")
        return tree.Conditional(then, when, self.sum())

    def comparison(self):
        left = self.sum()
        if self.next not in ("<", ">", "="):
            return left
        return tree.Comparison(left, self.take(), self.sum())

    def sum(self):
        parts = [(self.take() if self.next in ("+", "-") else "+", self.quotient())]
        while self.next in ("+", "-"):
            parts.append((self.take(), self.quotient()))
        return parts[0][1] if len(parts) == 1 and parts[0][0] == "+" else tree.Sum(tuple(parts))

    def quotient(self):
        """Products that stand side by side bind closer than a slash: 1 / y s is 1 / (y s)."""
        left = self.product()
        while self.next in ("/", r"\bmod"):
            form = self.take()
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
            self.take()
            if self.next == r"\top":
                self.take()
                base = tree.Transpose(base)
            else:
                base = tree.Power(base, self.argument())
        return base

    def argument(self):
        """What a command acts on: a group in braces or the one thing that follows."""
        if self.next != "{":
            return self.atom()
        self.take("{")
        inside = self.sum()
        self.take("}")
        return inside

    def atom(self):
        token = self.next
        if _NUMBER.match(token):
            return tree.Number(self.take())
        if token == "(":
            return tree.Group(*self.arguments(1))
        if token in ("|", r"\|"):
            return self.between_bars()
        if token in (r"\frac", r"\tfrac"):
            self.take()
            return tree.Ratio(self.argument(), self.argument(), token)
        if token == r"\sqrt":
            self.take()
            return tree.Root(self.argument())
        if token in (r"\max", r"\min") or token.startswith(r"\operatorname"):
            return tree.Call(self.take(), self.arguments())
        if token == r"\nabla":
            return self.derivative()
        if self.tokens[self.place : self.place + 2] == ("f", "("):
            self.take()
            return tree.Derivative(0, *self.arguments(1))
        return self.symbol()

    def arguments(self, most=99):
        """What stands in parentheses, with commas between."""
        self.take("(")
        bars, self.bars = self.bars, []
        args = [self.comparison()]
        while self.next == "," and len(args) < most:
            self.take()
            args.append(self.comparison())
        self.take(")")
        self.bars = bars
        return tuple(args)

    def between_bars(self):
        self.bars.append(self.take())
        inside = self.sum()
        bar = self.take(self.bars.pop())
        if self.next != "_":
            return tree.Bars(inside, bar)
        self.take()
        return tree.Bars(inside, bar, self.argument())

    def derivative(self):
        self.take(r"\nabla")
        order = 1
        if self.next == "^":
            self.take()
            order = int(self.take("2"))
        self.take("f")
        return tree.Derivative(order, *self.arguments(1))

    def symbol(self):
        for known in self.known:
            end = self.place + len(known)
            if self.tokens[self.place : end] == known and self.tokens[end : end + 1] != ("_",):
                self.place = end
                return tree.Symbol(known)
        start = self.place
        if self.next in (r"\hat", r"\bar"):
            self.take()
        if not _NAME.match(self.take()):
            raise ValueError(f"{self.tokens[start]!r} is no symbol")
        if self.next == "_":
            self.take()
            if self.take() == "{":
                while self.take() != "}":
                    if not self.next:
                        raise ValueError("a brace stays open")
        return tree.Symbol(self.tokens[start : self.place])
