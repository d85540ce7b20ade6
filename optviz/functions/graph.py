"""A formula as a graph with shared subexpressions, its derivatives, and NumPy code for them.

Derivatives are by forward mode: each part's from those of its arguments, once, so that a formula of
n parts has a gradient and a Hessian of about n parts each, however its functions are nested.
"""

import math
from collections import Counter
from functools import cache

import numpy as np

from optviz.functions.elementary import CALLS
from optviz.functions.syntax import Node, read

OPERATORS = {
    "neg": lambda a: -a,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}
_BOUNDS = OPERATORS | {"neg": abs, "-": OPERATORS["+"]}  # bounds on sizes, from those of arguments
_MAX_EXPONENT = 8  # up to this exponent a power is written out as a product
_MAX_INLINE = 300  # characters of code; what is longer gets a name of its own
_LEAVES = "number", "name"
_SUM, _PRODUCT, _ATOM = range(3)  # precedence levels of code
_PRECEDENCE = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}

_read_slope = cache(read)


class Graph:
    """A formula of x and y. Its parts are identified by index; arguments come first.

    Each of `parts` is ("number", float), ("name", "x") or an operator or function and the indices
    of its arguments; `root` is the index of the whole.
    """

    def __init__(self, tree: Node):
        self.parts, self._indices = [], {}
        self.root = self._build(tree, {name: self._add("name", name) for name in "xy"})

    def gradient(self) -> tuple[int, int]:
        """∂f/∂x, ∂f/∂y."""
        return tuple(self._derivative(self.root, name) for name in "xy")

    def hessian(self) -> tuple[int, int, int]:
        """∂²f/∂x², ∂²f/∂x∂y, ∂²f/∂y²."""
        gx, gy = self.gradient()
        return self._derivative(gx, "x"), self._derivative(gx, "y"), self._derivative(gy, "y")

    def has(self, name: str) -> bool:
        """Whether x, or y, is in the formula."""
        return ("name", name) in (self.parts[i] for i in self._dependencies([self.root]))

    def is_smooth(self) -> bool:
        """True for polynomials and the like: no division, root or logarithm that can fail."""
        for i in self._dependencies([self.root]):
            op, *args = self.parts[i]
            constant = self._constant_value(args[-1]) if op in OPERATORS else None
            if op == "/" and constant is None:
                return False
            whole = constant and constant > 0 and constant.is_integer()
            if op == "**" and not whole and self._constant_value(args[0]) != math.e:
                return False
            if op in CALLS and not CALLS[op].smooth:
                return False
        return True

    def overflows(self, bound: float) -> bool:
        """Whether a part of a smooth formula may overflow where |x| and |y| are at most `bound`."""
        sizes = {}
        try:
            for i in self._dependencies([self.root]):
                op, *args = self.parts[i]
                if op in _LEAVES:
                    sizes[i] = abs(args[0]) if op == "number" else bound
                elif op in _BOUNDS:
                    sizes[i] = _BOUNDS[op](*(sizes[a] for a in args))
                else:  # no smooth function grows faster
                    sizes[i] = 4 * math.exp(sum(sizes[a] for a in args))
        except ArithmeticError:
            return True
        return not all(size < 1e300 for size in sizes.values())  # or rounding may decide

    # Building

    def _add(self, *part):
        if part not in self._indices:
            self._indices[part] = len(self.parts)
            self.parts.append(part)
        return self._indices[part]

    def _constant(self, value):
        return self._add("number", float(value))

    def _constant_value(self, i):
        """The value of a part that is a number, else None."""
        op, *args = self.parts[i]
        return args[0] if op == "number" else None

    def _build(self, node, names):
        if node.kind == "number":
            return self._constant(node.name)
        if node.kind == "name":
            return names[node.name]
        args = [self._build(arg, names) for arg in node.args]
        return self._add(node.name if node.kind == "call" else node.kind, *args)

    def _simplify(self, op, a, b=None):
        """A simplified part of a derivative: only here are numbers multiplied and factors moved."""
        args = (a,) if b is None else (a, b)
        values = [self._constant_value(i) for i in args]
        if None not in values and not math.isinf(value := compute(op, values)):
            return self._constant(value)
        u, v = values[0], values[-1]
        first, last = self.parts[a], self.parts[args[-1]]
        match op:
            case "neg" if first[0] == "neg":
                return first[1]
            case "neg" if factor := self._factor(a):
                return self._simplify("*", self._constant(-factor), first[2])
            case "+" if u == 0:
                return b
            case "+" | "-" if v == 0:
                return a
            case "-" if u == 0:
                return self._simplify("neg", b)
            case "+" | "-" if last[0] == "neg":
                return self._simplify("-" if op == "+" else "+", a, last[1])
            case "+" | "-" if (factor := self._factor(b)) and factor < 0:
                opposite = self._simplify("neg", b)
                return self._simplify("-" if op == "+" else "+", a, opposite)
            case "+" if v is not None and v < 0:
                return self._simplify("-", a, self._constant(-v))
            case "*" if u is None and v is not None:
                return self._simplify("*", b, a)
            case "*" if u == 1:
                return b
            case "*" if u == -1:
                return self._simplify("neg", b)
            case "*" if u is not None and (factor := self._factor(b)):
                return self._simplify("*", self._constant(u * factor), last[2])
            case "*" if u is None and (factor := self._factor(a)):
                return self._simplify("*", self._constant(factor), self._simplify("*", first[2], b))
            case "*" if u is None and (factor := self._factor(b)):
                return self._simplify("*", self._constant(factor), self._simplify("*", a, last[2]))
            case "/" if v is not None and (factor := self._factor(a)):
                return self._simplify("*", self._constant(factor / v), first[2])
            case "/" | "**" if v == 1:
                return a
        return self._add(op, *args)

    def _factor(self, i):
        """The constant factor of a product, 0 if it has none or one too large to multiply with."""
        op, *args = self.parts[i]
        value = self._constant_value(args[0]) if op == "*" else None
        return value if value and 1e-100 < abs(value) < 1e100 else 0

    # Deriving; None is a derivative that is 0 whatever x and y are

    def _derivative(self, root, name):
        slopes = {}
        for i in self._dependencies([root]):
            slopes[i] = self._slope(i, name, slopes)
        return self._constant(0) if slopes[root] is None else slopes[root]

    def _slope(self, i, name, slopes):
        op, *args = self.parts[i]
        if op in _LEAVES:
            return self._constant(1) if args == [name] else None
        a, b = args[0], args[-1]
        da, db = slopes[a], slopes[b]
        if da is None and db is None:
            return None
        match op:
            case "neg":
                return self._simplify("neg", da)
            case "+":
                return self._plus(da, db)
            case "-":
                return self._plus(da, self._times(self._constant(-1), db))
            case "*":
                return self._plus(self._times(b, da), self._times(a, db))
            case "/":
                rest = self._plus(da, self._times(self._constant(-1), self._times(i, db)))
                return self._simplify("/", rest, b)
            case "**":
                return self._power_slope(i, a, b, da, db)
        total, names = None, dict(zip("xy", args, strict=False))
        for arg, formula in zip(args, CALLS[op].slopes, strict=True):
            if slopes[arg] is not None and formula != "0":
                factor = self._build(_read_slope(formula), names)
                total = self._plus(total, self._times(factor, slopes[arg]))
        return total

    def _power_slope(self, i, a, b, da, db):
        total = None
        if da is not None:
            lower = self._simplify("**", a, self._simplify("-", b, self._constant(1)))
            total = self._times(self._simplify("*", b, lower), da)
        if db is not None:
            log = self._constant(1) if self._constant_value(a) == math.e else self._add("log", a)
            total = self._plus(total, self._times(self._simplify("*", log, i), db))
        return total

    def _plus(self, a, b):
        return self._simplify("+", a, b) if None not in (a, b) else b if a is None else a

    def _times(self, a, b):
        return None if b is None else self._simplify("*", a, b)

    def _dependencies(self, roots):
        """The indices of `roots` and of all that they depend on, arguments first."""
        found, stack = set(), [*roots]
        while stack:
            i = stack.pop()
            if i not in found:
                found.add(i)
                op, *args = self.parts[i]
                stack += args if op not in _LEAVES else []
        return sorted(found)

    # Code

    def function(self, name: str, roots, torch: bool = False) -> str:
        """The source of a function of x and y that returns the parts `roots`, one or a tuple.

        A single point gives the same bits as in a batch: NumPy computes `u**n` differently for a
        scalar than for an array, but not products and `numpy.power`.
        """
        parts, uses, lines, code = self._dependencies(roots), Counter(roots), [], {}
        for i in parts:
            op, *args = self.parts[i]
            if op not in _LEAVES:
                uses.update(args)
            if op == "**" and not torch and self._is_written_out(args[1]):
                uses[args[0]] += 1
        for i in parts:
            code[i] = (self._power if self.parts[i][0] == "**" else self._code)(i, code, torch)
            if self.parts[i][0] not in _LEAVES and (uses[i] > 1 or len(code[i][0]) > _MAX_INLINE):
                long_code, code[i] = code[i][0], (f"s{len(lines)}", _ATOM)
                lines.append(f"    {code[i][0]} = {long_code}\n")
        returned = ", ".join(code[i][0] for i in roots)
        return f"def {name}(x, y):\n{''.join(lines)}    return {returned}\n"

    def _is_written_out(self, i):
        n = self._constant_value(i)
        return n is not None and n.is_integer() and 1 < abs(n) <= _MAX_EXPONENT

    def _code(self, i, code, torch):
        """The code of a part, from that of its arguments, and its precedence level."""
        op, *args = self.parts[i]
        if op == "number":
            return repr(args[0]), _ATOM if args[0] >= 0 else _PRODUCT
        if op == "name":
            return args[0], _ATOM
        if op == "neg":
            return f"-{_wrap(code[args[0]], _PRODUCT)}", _SUM
        if op in _PRECEDENCE:
            level = _PRECEDENCE[op]
            left, right = _wrap(code[args[0]], level), _wrap(code[args[1]], level + 1)
            return f"{left} {op} {right}" if level == _SUM else f"{left}{op}{right}", level
        texts = [code[a][0] for a in args]
        if torch:  # which accepts only tensors
            numbers = [self._constant_value(a) is not None for a in args]
            texts = [f"torch.tensor({t})" if n else t for t, n in zip(texts, numbers, strict=True)]
        return (CALLS[op].torch if torch else CALLS[op].numpy).format(*texts), _ATOM

    def _power(self, i, code, torch):
        _, *args = self.parts[i]
        base, exponent = (code[a][0] for a in args)
        u, n = map(self._constant_value, args)
        if n == 0 or u == 1:  # the power is 1 even where the other one is nan
            return f"1 + 0*({base if n == 0 else exponent})", _SUM
        if u == math.e:
            return (CALLS["exp"].torch if torch else CALLS["exp"].numpy).format(exponent), _ATOM
        if not torch and n in (0.5, -0.5):
            return (f"sqrt({base})", _ATOM) if n > 0 else (f"1/sqrt({base})", _PRODUCT)
        if not torch and (n == -1 or self._is_written_out(args[1])):
            product = "*".join([base] * int(abs(n)))
            return (product, _PRODUCT) if n > 0 else (f"1/({product})", _PRODUCT)
        if not torch and n is None:  # or a single point with -1 or 0.5 would give other bits
            exponent = f"atleast_1d({exponent})"
        return f"{'torch.pow' if torch else 'power'}({base}, {exponent})", _ATOM


def _wrap(part, minimum):
    """The code of a part, in parentheses if it binds less closely than `minimum`."""
    code, level = part
    return code if level >= minimum else f"({code})"


def compute(op: str, values) -> float:
    """The result of an operator or a function for numbers: nan where that is not a real number."""
    try:
        value = (OPERATORS.get(op) or CALLS[op].numeric)(*values)
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan
    return math.nan if isinstance(value, complex) else value


def compile_graph(graph: Graph, *roots: int):
    """The function of the arrays x and y that returns the parts `roots`, one or a tuple."""
    namespace = dict(vars(np))
    exec(graph.function("f", roots), namespace)
    return namespace["f"]
