"""See how optimizers learn: test functions, optimizers, schedules and one runner in pure NumPy."""

from optviz.core.functions import FUNCTIONS, FormulaError, Function, parse_formula
from optviz.core.noise import NOISES
from optviz.core.optimizers import OPTIMIZERS, WRAPPERS
from optviz.core.runner import Run, minimize
from optviz.core.schedules import SCHEDULES

__all__ = [
    "FUNCTIONS",
    "NOISES",
    "OPTIMIZERS",
    "SCHEDULES",
    "WRAPPERS",
    "FormulaError",
    "Function",
    "Run",
    "minimize",
    "parse_formula",
]
