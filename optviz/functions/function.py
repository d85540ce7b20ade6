"""A function of x and y: declared by a formula, differentiated and evaluated."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from optviz.functions.evaluate import Derived, Evaluator
from optviz.functions.graph import Graph
from optviz.functions.parse import parse
from optviz.functions.syntax import read
from optviz.functions.typeset import latex
from optviz.optim.noise import Noise


@dataclass(frozen=True, eq=False)
class Function:
    """A function of x and y with everything that menus, figures and tests need to know about it.

    `domain` is ((x0, x1), (y0, y1)); `minima` a (k, 2) array of known minima, the lowest first and
    local ones included where they are few (`find_minima` finds the others); `noise` the default
    noise of its gradient.
    """

    key: str
    name: str
    formula: str
    start: tuple[float, float]
    domain: tuple[tuple[float, float], tuple[float, float]]
    minima: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    teaches: str = ""
    cite: str = ""
    noise: Noise | None = None
    sign: int = 1  # -1: f is minus the formula, so that minimizing f maximizes the formula

    def __post_init__(self):
        object.__setattr__(self, "minima", np.array(self.minima, float).reshape(-1, 2))

    @cached_property
    def graph(self) -> Graph:
        return parse(self.formula, self.sign)

    @cached_property
    def negated(self) -> "Function":
        """Minus the function, for maximization; its minima are not known."""
        return replace(self, minima=(), sign=-self.sign)

    @cached_property
    def univariate(self) -> bool:
        """Whether it is a function of x alone."""
        return not self.graph.has("y")

    @cached_property
    def latex(self) -> str:
        """The formula in LaTeX, in the order in which it is written."""
        return latex(read(self.formula))

    @np.errstate(all="ignore")
    def value(self, x) -> np.ndarray:
        """f at points `(..., 2)`, as `(...)`; NaN where f is not defined."""
        return self.raw.value(np.asarray(x, float))

    @np.errstate(all="ignore")
    def grad(self, x) -> np.ndarray:
        """The gradient at points `(..., 2)`, as `(..., 2)`."""
        return self.raw.grad(np.asarray(x, float))

    @np.errstate(all="ignore")
    def hess(self, x) -> np.ndarray:
        """The Hessian at points `(..., 2)`, as `(..., 2, 2)`."""
        return self.raw.hess(np.asarray(x, float))

    def finite_within(self, bound: float) -> bool:
        """Whether f is certain to be finite wherever |x| and |y| are at most `bound`."""
        return self.raw.smooth and not self.graph.overflows(float(bound))

    @cached_property
    def raw(self) -> Evaluator:
        """value, grad and hess for callers that have silenced NumPy, which itself takes time."""
        return Derived(self.graph)


def parse_formula(text: str, domain=((-5, 5), (-5, 5)), start=None) -> Function:
    """The Function of a typed formula, for example `x**2/20 + y**2`; `^` is read as `**`.

    Raises FormulaError (a ValueError), whose message names the part at fault.
    """
    parse(text)
    (x0, x1), (y0, y1) = domain
    start = start or (x0 + 0.15 * (x1 - x0), y0 + 0.75 * (y1 - y0))
    return Function(
        "formula", "Your formula", text, start, domain, teaches="A function of your own."
    )
