"""The functions that a formula may call: for SymPy, for constants, and as NumPy and PyTorch code.

Those that SymPy lacks, or knows only for complex numbers, are functions of real numbers here. So
are the hyperbolic ones: SymPy asks of them at length whether they are real.
"""

import math
from collections.abc import Callable

import sympy as sp

X, Y = sp.symbols("x y", real=True)


class RealBase(sp.Function):
    """A function of real numbers; SymPy's printers look for a name that ends in Base.

    `numpy` and `torch` are its code, with a place for each argument.

    `smooth` means that neither the function nor its derivatives, as they are written here, can
    give 0/0 or a value that is not finite at a finite point.
    """

    is_real = True
    numpy = torch = ""
    smooth = True
    slopes: tuple[Callable, ...] = ()  # the derivative by each argument

    def fdiff(self, argindex=1):
        return sp.sympify(self.slopes[argindex - 1](*self.args))


def _real(name, numpy, torch, *slopes, smooth=True) -> type[RealBase]:
    body = {"__module__": __name__, "slopes": slopes, "smooth": smooth}
    return type(name, (RealBase,), {**body, "numpy": numpy, "torch": torch})


# Where a derivative does not exist it is what PyTorch's autograd has: 0 for |u|, relu, sign, floor
# and ceil at their corners and jumps, the mean of both slopes for max and min at a tie, 0 for atan2
# at the origin.
signum = _real("signum", "sign({})", "torch.sign({})", lambda u: 0)
absolute = _real("absolute", "abs({})", "torch.abs({})", lambda u: signum(u))
_one_of = (lambda a, b: (1 + signum(a - b)) / 2), (lambda a, b: (1 + signum(b - a)) / 2)
larger = _real("larger", "maximum({}, {})", "torch.maximum({}, {})", *_one_of)
smaller = _real("smaller", "minimum({}, {})", "torch.minimum({}, {})", *_one_of[::-1])
floor = _real("floor", "floor({})", "torch.floor({})", lambda u: 0)
ceil = _real("ceil", "ceil({})", "torch.ceil({})", lambda u: 0)
relu = _real(
    "relu", "maximum({}, 0.0)", "torch.relu({})", lambda u: signum(u) * (1 + signum(u)) / 2
)
sigmoid = _real(
    "sigmoid", "(1/(1 + exp(-({}))))", "torch.sigmoid({})", lambda u: sigmoid(u) * sigmoid(-u)
)
softplus = _real(
    "softplus", "logaddexp({}, 0.0)", "torch.logaddexp({}, torch.tensor(0.0))", sigmoid
)
sinh = _real("sinh", "sinh({})", "torch.sinh({})", lambda u: cosh(u))
cosh = _real("cosh", "cosh({})", "torch.cosh({})", lambda u: sinh(u))
tanh = _real("tanh", "tanh({})", "torch.tanh({})", lambda u: 1 - tanh(u) ** 2)
atan = _real("atan", "arctan({})", "torch.atan({})", lambda u: 1 / (1 + u**2))
asin = _real("asin", "arcsin({})", "torch.asin({})", lambda u: 1 / sp.sqrt(1 - u**2), smooth=False)
acos = _real("acos", "arccos({})", "torch.acos({})", lambda u: -1 / sp.sqrt(1 - u**2), smooth=False)
cbrt = _real(
    "cbrt",
    "cbrt({})",
    "torch.sign({0})*torch.pow(torch.abs({0}), 1/3)",
    lambda u: 1 / (3 * cbrt(u) ** 2),
    smooth=False,
)
hypot = _real(
    "hypot",
    "hypot({}, {})",
    "torch.hypot({}, {})",
    lambda a, b: a / hypot(a, b),
    lambda a, b: b / hypot(a, b),
    smooth=False,
)


def _turn(a, b):
    """a² + b², and 1 where both are 0."""
    return a**2 + b**2 + 1 - signum(a**2 + b**2)


atan2 = _real(
    "atan2",
    "arctan2({}, {})",
    "torch.atan2({}, {})",
    lambda a, b: b / _turn(a, b),
    lambda a, b: -a / _turn(a, b),
)


class restricted(RealBase):
    """The first argument, with no value where the second has none."""

    numpy = torch = "({} + 0*({}))"
    smooth = False

    def _eval_derivative(self, s):
        return restricted(self.args[0].diff(s), self.args[1])


CONSTANTS = {"pi": (sp.pi, math.pi), "e": (sp.E, math.e)}

# name -> (number of arguments, symbolic meaning, numeric meaning)
CALLS = {
    "sin": (1, sp.sin, math.sin),
    "cos": (1, sp.cos, math.cos),
    "tan": (1, sp.tan, math.tan),
    "asin": (1, asin, math.asin),
    "acos": (1, acos, math.acos),
    "atan": (1, atan, math.atan),
    "sinh": (1, sinh, math.sinh),
    "cosh": (1, cosh, math.cosh),
    "tanh": (1, tanh, math.tanh),
    "exp": (1, sp.exp, math.exp),
    "log": (1, sp.log, math.log),
    "log10": (1, lambda u: sp.log(u) / sp.log(10), math.log10),
    "sqrt": (1, sp.sqrt, math.sqrt),
    "cbrt": (1, cbrt, math.cbrt),
    "abs": (1, absolute, abs),
    "sign": (1, signum, lambda u: math.copysign(1, u) if u else 0),
    "floor": (1, floor, math.floor),
    "ceil": (1, ceil, math.ceil),
    "relu": (1, relu, lambda u: max(u, 0)),
    "sigmoid": (1, sigmoid, lambda u: (1 + math.tanh(u / 2)) / 2),
    "softplus": (1, softplus, lambda u: max(u, 0) + math.log1p(math.exp(-abs(u)))),
    # 1/2 at the jump, as the mean of both sides
    "heaviside": (1, lambda u: (1 + signum(u)) / 2, lambda u: (u > 0) + (u == 0) / 2),
    "min": (2, smaller, min),
    "max": (2, larger, max),
    "atan2": (2, atan2, math.atan2),
    "hypot": (2, hypot, math.hypot),
}
ALIASES = {
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "sgn": "sign",
    "ceiling": "ceil",
    "ReLU": "relu",
    "Heaviside": "heaviside",
    "minimum": "min",
    "maximum": "max",
}
