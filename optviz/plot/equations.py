"""What a class says about itself: its equations, with or without hyperparameter values, and its
source.
"""

import inspect
import re
from functools import cache
from html.entities import html5

from optviz.optim.base import Optimizer
from optviz.optim.equations import active_equations
from optviz.optim.hyperparameter import hyperparameters

_DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)


def equations(cls) -> list[str]:
    """The display equations of a class's docstring, in LaTeX."""
    return [" ".join(e.split()) for e in _DISPLAY.findall(cls.__doc__ or "")]


def remarks(cls) -> str:
    """What the docstring says besides its first paragraph and its equations."""
    rest = _DISPLAY.sub("", inspect.cleandoc(cls.__doc__ or "")).split("\n\n", 1)
    return " ".join(rest[1].split()) if len(rest) > 1 else ""


def latex_number(value) -> str:
    """A number in LaTeX: 1e-8 as a power of ten."""
    text = f"{value:.6g}"
    if "e" not in text:
        return text
    digits, exponent = text.split("e")
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits}\!\cdot\!{power}"


def equations_with_values(component) -> list[str]:
    """The equations of an optimizer, wrapper or schedule with the values of its hyperparameters in
    place of their symbols.

    An optimizer's are one to a line, as its switches select them.
    """
    filled = []
    method = isinstance(component, Optimizer)
    for equation in active_equations(component) if method else equations(type(component)):
        for k in sorted(hyperparameters(type(component)), key=lambda k: -len(k.symbol)):
            if k.symbol and k.kind is not bool:
                equation = _substitute(equation, k.symbol, latex_number(getattr(component, k.name)))
        filled.append(equation)
    return filled


def _substitute(equation, symbol, value):
    """Replace every whole occurrence of `symbol`; braces separate the digits from a following power
    or letter.
    """
    before = "" if symbol.startswith("\\") else r"(?<![A-Za-z\\{_])"
    return re.sub(
        before + re.escape(symbol) + r"(?![A-Za-z_])", lambda _: "{" + value + "}", equation
    )


def switches(component) -> str:
    """What is switched on and off, in one sentence."""
    states = [
        (k.name.replace("_", " "), getattr(component, k.name))
        for k in hyperparameters(type(component))
        if k.kind is bool
    ]
    text = "; ".join(f"{name} is {'on' if on else 'off'}" for name, on in states)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


@cache
def source(cls) -> str:
    """The code that ran, with that of the base class where the step is inherited."""
    parts = [c for c in cls.__mro__ if c.__module__ == cls.__module__ and hyperparameters(c)]
    return "\n\n".join(inspect.getsource(c).rstrip() for c in parts)


def unicode_symbol(symbol: str) -> str:
    r"""A hyperparameter's LaTeX symbol in Unicode: `\beta_1` is β₁."""
    name, _, index = symbol.lstrip("\\").partition("_")
    return html5.get(f"{name};", name) + index.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
