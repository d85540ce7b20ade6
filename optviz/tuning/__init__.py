"""The search for hyperparameters: its space, samplers, halving, and how it runs."""

from optviz.tuning.gaussian_process import GaussianProcess, expected_improvement
from optviz.tuning.halving import Halving
from optviz.tuning.importance import importance, rank_correlation, ranks, variance_shares
from optviz.tuning.samplers import SAMPLERS, sides
from optviz.tuning.search import SearchJob, SearchState
from optviz.tuning.space import BOOK, RANGES, SCORE, Axis, Interval, Space
from optviz.tuning.spec import RIVALS, Search, SearchData, Status, split_data
