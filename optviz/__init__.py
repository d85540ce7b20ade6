"""See how optimizers learn: test functions, optimizers, schedules and one runner in pure NumPy."""

from optviz.functions.library import (
    FUNCTIONS,
    FormulaError,
    Function,
    parse_formula,
)
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.initial_points import STARTS
from optviz.optim.minimize import Leg, Run, minimize
from optviz.optim.noise import NOISES
from optviz.optim.schedules import SCHEDULES

__all__ = [
    "FUNCTIONS",
    "NOISES",
    "OPTIMIZERS",
    "SCHEDULES",
    "STARTS",
    "WRAPPERS",
    "FormulaError",
    "Function",
    "Leg",
    "Run",
    "minimize",
    "parse_formula",
]
