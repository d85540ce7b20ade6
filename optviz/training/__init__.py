"""Training networks: the spec of it, the loop, and what is said of the result."""

from optviz.nn import Penalty
from optviz.training.jobs import Amount, Job, Loader, TrainingJob
from optviz.training.limits import MAX_NUMBERS, TrainingSettings, check, count_numbers, why_unsuited
from optviz.training.loop import MAX_EVALUATED, Progress, advance, begin, mini_batch, select, train
from optviz.training.metrics import confusion, rank, smoothed
from optviz.training.seeds import identity_keys, merge_seeds, split_seeds
from optviz.training.spec import (
    INPUTS,
    MAX_SEED,
    SEEDS,
    VALIDATION,
    Data,
    Split,
    Training,
    Trial,
    load,
)
