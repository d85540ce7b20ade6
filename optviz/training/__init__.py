"""Training networks: the spec of it, the loop, and what is said of the result."""

from optviz.nn import Penalty
from optviz.training.limits import (
    MAX_BATCH,
    MAX_DROPOUT,
    MAX_ITERATIONS,
    MAX_LAYERS,
    MAX_NOISE,
    MAX_NUMBERS,
    MAX_PENALTY,
    MAX_SEED,
    MAX_SEEDS,
    MAX_TRIALS,
    MAX_UNITS,
    check,
    held_numbers,
    unsuited,
)
from optviz.training.jobs import Amount, Job, TrainingJob
from optviz.training.loop import (
    MAX_EVALUATED,
    Progress,
    advance,
    begin,
    mini_batch,
    select,
    train,
)
from optviz.training.metrics import confusion, rank, smoothed
from optviz.training.spec import (
    SEEDS,
    TrainingSettings,
    INPUTS,
    Data,
    Split,
    Training,
    Trial,
    load,
)

__all__ = [
    "MAX_EVALUATED", "INPUTS", "MAX_BATCH", "MAX_DROPOUT", "MAX_ITERATIONS", "MAX_LAYERS", "MAX_NOISE", "MAX_NUMBERS",
    "MAX_PENALTY", "MAX_SEED", "SEEDS", "TrainingSettings", "Amount", "Job", "TrainingJob", "MAX_SEEDS", "MAX_TRIALS", "MAX_UNITS", "Data", "Penalty", "Progress", "Split",
    "Training", "Trial", "advance", "begin", "check", "confusion", "held_numbers", "load", "mini_batch", "rank", "select",
    "smoothed", "train", "unsuited",
]  # fmt: skip
