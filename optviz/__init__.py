"""See how optimizers learn: test functions, optimizers, schedules and one runner in pure NumPy."""

from optviz.core.functions import FUNCTIONS, FormulaError, Function, parse_formula
from optviz.core.noise import NOISES
from optviz.core.optimizers import OPTIMIZERS, WRAPPERS
from optviz.core.runner import Leg, Run, minimize
from optviz.core.schedules import SCHEDULES
from optviz.core.starts import STARTS

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
