"""See how optimizers learn: test functions, optimizers, schedules and one runner in pure NumPy."""

from optviz.functions.library import (
    FUNCTIONS,
    FormulaError,
    Function,
    parse_formula,
)
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minima import find_minima
from optviz.optim.minimize import Run, Segment, minimize
from optviz.optim.noise import NOISES
from optviz.optim.schedules import SCHEDULES
from optviz.optim.summary import Status, Summary, summarize

__all__ = [
    "FUNCTIONS",
    "INITIAL_POINTS",
    "NOISES",
    "OPTIMIZERS",
    "SCHEDULES",
    "WRAPPERS",
    "FormulaError",
    "Function",
    "Run",
    "Segment",
    "Status",
    "Summary",
    "find_minima",
    "minimize",
    "parse_formula",
    "summarize",
]
