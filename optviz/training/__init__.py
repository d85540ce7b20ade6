"""Training networks: the spec of it, the loop, and what is said of the result."""

from optviz.nn import Penalty
from optviz.training.jobs import Amount, Job, Loader, TrainingJob
from optviz.training.limits import MAX_NUMBERS, TrainingSettings, check, held_numbers, unsuited
from optviz.training.loop import MAX_EVALUATED, Progress, advance, begin, mini_batch, select, train
from optviz.training.metrics import confusion, rank, smoothed
from optviz.training.seeds import apart, marks, together
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
