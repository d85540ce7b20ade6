"""SymPy expressions in x and y as NumPy code for value, gradient and Hessian."""

import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from optviz.functions.elementary import RealBase, X, Y
from optviz.functions.parse import keep_real

_BY_HAND = 8  # up to this exponent a power is written out as a product


class _Printer(NumPyPrinter):
    """NumPy code that gives a point on its own the same bits as the point in a batch.

    `u**n` takes another route for a scalar than for an array. Products and `numpy.power` do not.
    """

    def _print_Pow(self, expr, rational=False):
        base, exponent = expr.as_base_exp()
        if exponent == sp.S.Half:
            return f"sqrt({self._print(base)})"
        if exponent == -sp.S.Half:
            return f"(1/sqrt({self._print(base)}))"
        if exponent.is_Integer and 0 < abs(exponent) <= _BY_HAND:
            factor = self._print(base) if base.is_Symbol else f"({self._print(base)})"
            product = "*".join([factor] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"(1/({product}))"
        return (
            f"power({self._print(base)}, "
            f"{self._print(sp.Float(exponent) if exponent.is_Number else exponent)})"
        )

    def _print_Rational(self, expr):
        return repr(float(expr))

    def _print_Integer(self, expr):
        return repr(float(expr))

    def _print_Float(self, expr):
        return repr(float(expr))

    def _print_RealBase(self, expr):
        return expr.numpy.format(*map(self._print, expr.args))

    def _print_not_real(self, expr):
        """log(-2) in the derivative of (-2)**y and the like: no real number, so none at all."""
        return "nan"

    _print_ImaginaryUnit = _print_ComplexInfinity = _print_not_real


def _powers_last(expressions):
    """Common subexpressions first, so that the base of a product of powers is worked out once."""
    replacements, reduced = sp.cse(expressions, symbols=sp.numbered_symbols("s"), order="none")
    bases = {}

    def named(power):
        base, exponent = power.as_base_exp()
        small = exponent.is_Integer and 1 < abs(exponent) <= _BY_HAND
        if not small or base.is_Symbol:
            return power
        return bases.setdefault(base, sp.Symbol(f"b{len(bases)}", real=True)) ** exponent

    steps = []
    for name, expr in replacements:
        expr = expr.replace(lambda e: e.is_Pow, named)
        steps += [(b, e) for e, b in bases.items() if (b, e) not in steps]
        steps.append((name, expr))
    reduced = [expr.replace(lambda e: e.is_Pow, named) for expr in reduced]
    steps += [(b, e) for e, b in bases.items() if (b, e) not in steps]
    return steps, reduced


def compiled(*expressions):
    """A function of the arrays x and y that returns the tuple of the expressions' values."""
    printer = _Printer({"fully_qualified_modules": False})
    return sp.lambdify(
        (X, Y), list(expressions), modules="numpy", printer=printer, cse=_powers_last
    )


def gradient(expr):
    """∂f/∂x, ∂f/∂y."""
    return [keep_real(sp.diff(expr, s)) for s in (X, Y)]


def hessian(expr):
    """∂²f/∂x², ∂²f/∂x∂y, ∂²f/∂y²."""
    gx, gy = gradient(expr)
    return [keep_real(sp.diff(gx, X)), keep_real(sp.diff(gx, Y)), keep_real(sp.diff(gy, Y))]


def is_smooth(expr) -> bool:
    """True for polynomials and their like: nowhere a division, a root or a logarithm to fail at."""
    divides = any(
        not (e.exp.is_Integer and e.exp > 0) for e in expr.atoms(sp.Pow) if e.base != sp.E
    )
    fails = any(not f.smooth for f in expr.atoms(RealBase))
    return not divides and not fails and not expr.has(sp.log, sp.tan)
