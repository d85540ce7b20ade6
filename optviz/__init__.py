"""See how optimizers learn: test functions, optimizers, schedules and one runner in pure NumPy."""

import os
import sys

if "streamlit" in sys.modules:
    # The app, before NumPy is loaded. Our matrices are small: threads of the library's own wait for
    # each other most of the time, and get in the way of a search, which trains on two of ours.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from optviz.functions.library import FUNCTIONS, FormulaError, Function, parse_formula
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minima import find_minima
from optviz.optim.minimize import minimize
from optviz.optim.noise import NOISES
from optviz.optim.run import Run, Segment
from optviz.optim.schedules import SCHEDULES
from optviz.optim.sensitivity import (
    Basins,
    Final,
    Sweep,
    Tuned,
    basins,
    final,
    sharpness,
    sweep,
    tune,
)
from optviz.optim.summary import Status, Summary, summarize

__all__ = [
    "FUNCTIONS",
    "INITIAL_POINTS",
    "NOISES",
    "OPTIMIZERS",
    "SCHEDULES",
    "WRAPPERS",
    "Basins",
    "Final",
    "FormulaError",
    "Function",
    "Run",
    "Segment",
    "Status",
    "Summary",
    "Sweep",
    "Tuned",
    "basins",
    "final",
    "find_minima",
    "minimize",
    "parse_formula",
    "sharpness",
    "summarize",
    "sweep",
    "tune",
]
