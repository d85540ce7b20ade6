"""A formula in LaTeX, in the order in which it was written."""

from optviz.functions.elementary import ALIASES
from optviz.functions.syntax import Node

_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)  # how closely the parts hold together
_BINDS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _ATOM, "neg": _SUM, "**": _POWER}
_AROUND = {
    "sqrt": r"\sqrt{%s}",
    "cbrt": r"\sqrt[3]{%s}",
    "abs": r"\left|%s\right|",
    "floor": r"\left\lfloor %s\right\rfloor",
    "ceil": r"\left\lceil %s\right\rceil",
}
_NAMES = {name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log", "ln")}
_NAMES |= {"asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan", "log10": r"\log_{10}"}
_NAMES |= {"min": r"\min", "max": r"\max"}


def latex(node: Node) -> str:
    """The LaTeX of a formula's tree. Parentheses are those that it needs."""
    match node.kind, node.args:
        case "number", ():
            return _number(node.name)
        case "name", ():
            return rf"\{node.name}" if node.name == "pi" else node.name
        case "neg", (inner,):
            return f"-{_held(inner, _PRODUCT)}"
        case "+" | "-", (left, right):
            after = _held(right, _SUM if node.kind == "+" and right.kind != "neg" else _PRODUCT)
            return f"{latex(left)} {node.kind} {after}"
        case "*", (left, right):
            return _product(
                _held(left, _SUM if left.kind == "neg" else _PRODUCT), _held(right, _PRODUCT)
            )
        case "/", (left, right):
            return rf"\frac{{{latex(left)}}}{{{latex(right)}}}"
        case "**", (base, exponent):
            return _power(base, exponent)
    return _call(node)


def _number(text):
    digits, _, exponent = text.lower().partition("e")
    digits = f"0{digits}" if digits.startswith(".") else digits.removesuffix(".")
    if not exponent:
        return digits
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \cdot {power}"


def _held(node, binding):
    """In parentheses unless it holds together more closely than what is around it."""
    binds = _BINDS.get(node.kind, _ATOM)
    if node.kind == "number" and "e" in node.name.lower():
        binds = _PRODUCT
    text = latex(node)
    return text if binds >= binding else _in_parentheses(text)


def _in_parentheses(text):
    """Such as a line may be broken in, where nothing inside is tall."""
    tall = r"\frac" in text or r"\sqrt" in text
    return rf"\bigl({text}\bigr)" if tall else f"({text})"


def _product(left, right):
    apart = right[0].isdigit() or (left[-1].isdigit() and right.startswith(r"\frac"))
    return rf"{left} \cdot {right}" if apart else f"{left} {right}"


def _power(base, exponent):
    shown = latex(exponent)
    if _named(base) and exponent.kind == "number" and exponent.name.isdigit():
        return _call(base, f"^{{{shown}}}")
    atom = base.kind in ("number", "name") or (base.kind == "call" and not _named(base))
    exp = base.kind == "call" and base.name == "exp"
    text = latex(base) if atom and not exp else _in_parentheses(latex(base))
    return f"{text}^{{{shown}}}"


def _named(node):
    """Whether it is a function that is shown by its name, as sin(x)."""
    return node.kind == "call" and ALIASES.get(node.name, node.name) not in {*_AROUND, "exp"}


def _call(node, power=""):
    name = ALIASES.get(node.name, node.name)
    inner = ", ".join(map(latex, node.args))
    if name == "exp":
        return f"e^{{{inner}}}"
    if name in _AROUND:
        return _AROUND[name] % inner
    shown = _NAMES.get("ln" if node.name == "ln" else name, rf"\operatorname{{{node.name}}}")
    return f"{shown}{power}{_in_parentheses(inner)}"
