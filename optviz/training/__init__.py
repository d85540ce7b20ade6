"""Training networks: the spec of it, the loop, and what is said of the result."""

from optviz.nn import Penalty
from optviz.training.limits import (
    MOST_BATCH,
    MOST_DROPOUT,
    MOST_ITERATIONS,
    MOST_LAYERS,
    MOST_NOISE,
    MOST_NUMBERS,
    MOST_PENALTY,
    MOST_SEED,
    MOST_SEEDS,
    MOST_TRIALS,
    MOST_UNITS,
    check,
    held_numbers,
    unsuited,
)
from optviz.training.loop import (
    ASSESSED,
    Progress,
    advance,
    begin,
    mini_batch,
    select,
    train,
)
from optviz.training.metrics import confusion, rank, smoothed
from optviz.training.spec import (
    INPUTS,
    Data,
    Split,
    Training,
    Trial,
    load,
)

__all__ = [
    "ASSESSED", "INPUTS", "MOST_BATCH", "MOST_DROPOUT", "MOST_ITERATIONS", "MOST_LAYERS", "MOST_NOISE", "MOST_NUMBERS",
    "MOST_PENALTY", "MOST_SEED", "MOST_SEEDS", "MOST_TRIALS", "MOST_UNITS", "Data", "Penalty", "Progress", "Split",
    "Training", "Trial", "advance", "begin", "check", "confusion", "held_numbers", "load", "mini_batch", "rank", "select",
    "smoothed", "train", "unsuited",
]  # fmt: skip
