"""The functions that a formula may call: on floats, as NumPy and PyTorch code, and their slopes."""

import math
from collections.abc import Callable
from typing import NamedTuple


class Elementary(NamedTuple):
    """A function of real numbers.

    `numpy` and `torch` are its code, with a slot for each argument; `slopes` its derivatives with
    respect to each, as formulas in x and y, the first argument and the second. `smooth` means that
    neither it nor its derivatives, as written here, can give 0/0 or a value that is not finite at
    a finite point.
    """

    numeric: Callable  # on floats; ValueError or OverflowError where there is no real number
    numpy: str
    torch: str
    slopes: tuple[str, ...]
    smooth: bool = True


def _same_name(numeric, numpy, *slopes, smooth=True):
    """A function that has the same name in NumPy and in PyTorch."""
    slots = ", ".join("{}" for _ in slopes)
    code = f"{numpy}({slots})"
    return Elementary(numeric, code, f"torch.{code}", slopes, smooth)


# Where a derivative does not exist it is that of PyTorch's autograd: 0 for |u|, relu, sign, floor
# and ceil at their corners and jumps, the mean of both slopes for max and min at a tie, 0 for atan2
# at the origin.
_TIE = "(1 + sign(x - y))/2", "(1 + sign(y - x))/2"
_SQUARE = "(x² + y² + 1 - sign(x² + y²))"  # 1 where both are 0

CALLS = {
    "sin": _same_name(math.sin, "sin", "cos(x)"),
    "cos": _same_name(math.cos, "cos", "-sin(x)"),
    "tan": _same_name(math.tan, "tan", "1 + tan(x)^2", smooth=False),
    "asin": _same_name(math.asin, "arcsin", "1/sqrt(1 - x²)", smooth=False),
    "acos": _same_name(math.acos, "arccos", "-1/sqrt(1 - x²)", smooth=False),
    "atan": _same_name(math.atan, "arctan", "1/(1 + x²)"),
    "sinh": _same_name(math.sinh, "sinh", "cosh(x)"),
    "cosh": _same_name(math.cosh, "cosh", "sinh(x)"),
    "tanh": _same_name(math.tanh, "tanh", "1 - tanh(x)^2"),
    "exp": _same_name(math.exp, "exp", "exp(x)"),
    "log": _same_name(math.log, "log", "1/x", smooth=False),
    "log10": _same_name(math.log10, "log10", f"{1 / math.log(10)}/x", smooth=False),
    "sqrt": _same_name(math.sqrt, "sqrt", "0.5/sqrt(x)", smooth=False),
    "cbrt": Elementary(
        math.cbrt,
        "cbrt({})",
        "torch.sign({0})*torch.pow(torch.abs({0}), 1/3)",
        ("1/(3cbrt(x)^2)",),
        smooth=False,
    ),
    "abs": _same_name(abs, "abs", "sign(x)"),
    "sign": _same_name(lambda u: math.copysign(1, u) if u else 0, "sign", "0"),
    "floor": _same_name(math.floor, "floor", "0"),
    "ceil": _same_name(math.ceil, "ceil", "0"),
    "relu": Elementary(
        lambda u: max(u, 0), "maximum({}, 0.0)", "torch.relu({})", ("sign(x)(1 + sign(x))/2",)
    ),
    "sigmoid": Elementary(
        lambda u: (1 + math.tanh(u / 2)) / 2,
        "(1/(1 + exp(-({}))))",
        "torch.sigmoid({})",
        ("sigmoid(x)sigmoid(-x)",),
    ),
    "softplus": Elementary(
        lambda u: max(u, 0) + math.log1p(math.exp(-abs(u))),
        "logaddexp({}, 0.0)",
        "torch.logaddexp({}, torch.tensor(0.0))",
        ("sigmoid(x)",),
    ),
    # 1/2 at the jump, as the mean of both sides
    "heaviside": Elementary(
        lambda u: (u > 0) + (u == 0) / 2, "((1 + sign({}))/2)", "((1 + torch.sign({}))/2)", ("0",)
    ),
    "min": _same_name(min, "minimum", *_TIE[::-1]),
    "max": _same_name(max, "maximum", *_TIE),
    "atan2": _same_name(math.atan2, "arctan2", f"y/{_SQUARE}", f"-x/{_SQUARE}"),
    "hypot": _same_name(math.hypot, "hypot", "x/hypot(x, y)", "y/hypot(x, y)", smooth=False),
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
CONSTANTS = {"pi": math.pi, "e": math.e}
