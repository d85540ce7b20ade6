"""The search for hyperparameters: what is searched, who proposes, who is stopped, and what is said of it."""

from optviz.tuning.gaussian_process import GaussianProcess, expected_improvement
from optviz.tuning.halving import Halving
from optviz.tuning.measures import rank_correlation, ranks
from optviz.tuning.samplers import SAMPLERS, Sampler, sides
from optviz.tuning.space import (
    BOOK,
    MAX_AXES,
    QUANTITIES,
    WIDE,
    Axis,
    Range,
    Space,
)

__all__ = [
    "BOOK", "MAX_AXES", "QUANTITIES", "SAMPLERS", "WIDE", "Axis", "GaussianProcess", "Halving", "Range", "Sampler", "Space",
    "expected_improvement", "rank_correlation", "ranks", "sides",
]  # fmt: skip
