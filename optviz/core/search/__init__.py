"""The search for hyperparameters: what is searched, who proposes, who is stopped, and what is said of it."""

from optviz.core.search.gaussian import GaussianProcess, expected_improvement
from optviz.core.search.halving import Halving
from optviz.core.search.measures import rank_correlation, ranks
from optviz.core.search.samplers import SAMPLERS, Sampler, sides
from optviz.core.search.space import BOOK, MOST_AXES, QUANTITIES, WIDE, Axis, Quantity, Space

__all__ = [
    "BOOK", "MOST_AXES", "QUANTITIES", "SAMPLERS", "WIDE", "Axis", "GaussianProcess", "Halving", "Quantity", "Sampler", "Space",
    "expected_improvement", "rank_correlation", "ranks", "sides",
]  # fmt: skip
