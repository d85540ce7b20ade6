"""A formula in LaTeX, in the order in which it was written."""

from optviz.functions.syntax import Node

_SUM, _QUOTIENT, _PRODUCT, _POWER, _ATOM = range(5)  # precedence levels
_PRECEDENCE = {"+": _SUM, "-": _SUM, "neg": _SUM, "*": _PRODUCT, "**": _POWER}
_DELIMITERS = {
    "sqrt": r"\sqrt{%s}",
    "cbrt": r"\sqrt[3]{%s}",
    "abs": r"\left|%s\right|",
    "floor": r"\left\lfloor %s\right\rfloor",
    "ceil": r"\left\lceil %s\right\rceil",
}
_NAMES = {name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log", "ln")}
_NAMES |= {"asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan", "log10": r"\log_{10}"}
_NAMES |= {"min": r"\min", "max": r"\max"}


def latex(node: Node, flat: bool = False) -> str:
    """The LaTeX of a formula's tree, with only the parentheses that it needs.

    `flat` avoids fractions, as in an exponent.
    """
    match node.kind, node.args:
        case "number", ():
            return _number(node.name)
        case "name", ():
            return rf"\{node.name}" if node.name == "pi" else node.name
        case "neg", (inner,):
            return f"-{_wrap(inner, _PRODUCT, flat)}"
        case "+" | "-", (left, right):
            minimum = _SUM if node.kind == "+" and right.kind != "neg" else _QUOTIENT
            return f"{latex(left, flat)} {node.kind} {_wrap(right, minimum, flat)}"
        case "/", (left, right) if not flat:
            return rf"\frac{{{latex(left)}}}{{{latex(right)}}}"
        case "*" | "/", (left, right):
            first = _wrap(left, _SUM if left.kind == "neg" else _PRODUCT, flat)
            if node.kind == "/":
                return f"{first} / {_wrap(right, _POWER, flat)}"
            return _product(first, _wrap(right, _PRODUCT, flat))
        case "**", (base, exponent):
            return _power(base, exponent, flat)
    return _call(node, flat)


def _number(text):
    digits, _, exponent = text.lower().partition("e")
    digits = f"0{digits}" if digits.startswith(".") else digits.removesuffix(".")
    if not exponent:
        return digits
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \cdot {power}"


def _wrap(node, minimum, flat):
    """The LaTeX of a node, in parentheses if it binds less closely than `minimum`."""
    precedence = _PRECEDENCE.get(node.kind, _ATOM)
    if node.kind == "number" and "e" in node.name.lower():
        precedence = _PRODUCT
    if node.kind == "/" and flat:
        precedence = _QUOTIENT
    text = latex(node, flat)
    return text if precedence >= minimum else _in_parentheses(text)


def _in_parentheses(text):
    """In parentheses inside which a line may be broken."""
    tall = r"\frac" in text or r"\sqrt" in text
    return rf"\bigl({text}\bigr)" if tall else f"({text})"


def _product(left, right):
    needs_dot = right[0].isdigit() or (left[-1].isdigit() and right.startswith(r"\frac"))
    return rf"{left} \cdot {right}" if needs_dot else f"{left} {right}"


def _power(base, exponent, flat):
    superscript = f"^{{{latex(exponent, flat=True)}}}"
    delimited = base.function in _DELIMITERS
    is_call = base.kind == "call" and not delimited and base.function != "exp"
    if is_call and exponent.kind == "number" and exponent.name.isdigit():
        return _call(base, flat, superscript)
    simple = base.kind == "name" or (base.kind == "number" and "e" not in base.name.lower())
    text = latex(base, flat)
    return (text if simple or delimited else _in_parentheses(text)) + superscript


def _call(node, flat, power=""):
    name = node.function
    inner = ", ".join(latex(arg, flat or name == "exp") for arg in node.args)
    if name == "exp":
        return f"e^{{{inner}}}"
    if name in _DELIMITERS:
        return _DELIMITERS[name] % inner
    label = _NAMES.get("ln" if node.name == "ln" else name, rf"\operatorname{{{node.name}}}")
    return f"{label}{power}{_in_parentheses(inner)}"
