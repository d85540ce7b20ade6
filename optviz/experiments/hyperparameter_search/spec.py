"""Which settings should be tried? A search over hyperparameters on validation data, and what is said of it.

The settings of figure 6.24 (Saitoh 2016, Deep Learning from Scratch): 100 random trials of 50 epochs each.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from optviz.nn import Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.spec import Choice, SpecError
from optviz.training import (
    MAX_NUMBERS,
    MAX_TRIALS,
    Data,
    Split,
    Training,
    Trial,
    held_numbers,
    load,
)
from optviz.training import check as check_training
from optviz.tuning import (
    BOOK,
    SAMPLERS,
    Axis,
    Halving,
    Space,
)

MIN_TRIALS = 4

# What every trial shares. An epoch is four iterations.
EVERY = Training(
    Network((64, *[100] * 6, 10)), OptimizerConfig(Choice("sgd", {"lr": 0.01})), split=Split(400), batch=100, iterations=200, eval_every=20
)  # fmt: skip


@dataclass(frozen=True)
class Search:
    """What is tried, who proposes, and what all trials share: equal searches give equal numbers.

    Trials differ in the searched hyperparameters only: the same initial weights, the same mini-batches. Of the rows
    that are not for training, the first `validation` choose among the trials; the others are not looked at
    before the end.
    """

    space: Space = BOOK
    sampler: Choice = Choice("random")
    trials: int = 100
    halving: Halving | None = None
    validation: int = 100
    training: Training = field(default_factory=lambda: EVERY)

    @property
    def looks(self) -> tuple[int, ...]:
        """At which iterations some trials are stopped: where their accuracy is measured, not before it was asked."""
        every = self.training.eval_every
        wanted = self.halving.looks(self.training.iterations) if self.halving else ()
        measured = dict.fromkeys(-(-t // every) * every for t in wanted)
        return tuple(t for t in measured if t < self.training.iterations)

    @property
    def rounds(self) -> tuple[int, ...]:
        """How many trials are proposed at a time."""
        return self.sampler.build(SAMPLERS).rounds(self.trials, len(self.space.axes))

    def trial(self, values) -> Trial:
        """The trial with these hyperparameters `(d,)`."""
        of = {axis.key: float(v) for axis, v in zip(self.space.axes, values, strict=True)}
        own = {"lr": of["lr"]} if "lr" in of else {}
        if "momentum" in of:
            own["momentum"] = 1 - of["momentum"]
        return Trial(
            own, of.get("l2"), Choice("normal", {"sigma": of["sigma"]}) if "sigma" in of else None
        )


def check(search: Search) -> None:
    """SpecError where a search from outside could not have been set on the page."""
    search.space.check()
    search.sampler.check(SAMPLERS, "sampler")
    training = search.training
    for name, value, low, high in (
        ("number of trials", search.trials, MIN_TRIALS, MAX_TRIALS),
        ("rows for validation", search.validation, 10, 10**5),
        ("iterations", training.iterations, 1, 20_000),
        ("number of seeds of a search", len(training.seeds), 1, 1),
    ):
        if not low <= value <= high:
            raise SpecError(f"{name} is from {low} to {high}, not {value}")
    if search.halving:
        search.halving.check()
    if training.trials or training.initializers or training.snapshot_every:
        raise SpecError("what all trials share has no trials of its own")
    check_training(training)
    key = training.optimizer.method.key
    for axis in search.space.axes:
        if missing(axis, key):
            raise SpecError(f"{OPTIMIZERS[key].label} has no {axis.quantity.title} to search")
    if search.trials * held_numbers(training) > 4 * MAX_NUMBERS and search.halving:
        raise SpecError(
            "so many and large networks cannot be halved side by side: take fewer trials or smaller networks"
        )


def missing(axis: Axis, optimizer: str) -> bool:
    """Whether the axis is of a hyperparameter that this optimizer does not have."""
    return axis.key in ("lr", "momentum") and axis.key not in {
        k.name for k in hyperparameters(OPTIMIZERS[optimizer])
    }


class Parts(NamedTuple):
    """The rows: for training and validation, as a training takes them, and those for the one look at the end."""

    seen: Data
    x_test: np.ndarray
    t_test: np.ndarray


def parts(search: Search, data: Data | None = None) -> Parts:
    """The rows of a search. ValueError where they are not at hand or none are left for the test."""
    data, n = data or load(search.training), search.validation
    if n >= len(data.t_test):
        raise ValueError(
            f"of the {len(data.t_test)} rows that are not for training {n} are for validation: none are left for the test"
        )
    return Parts(
        data._replace(x_test=data.x_test[:n], t_test=data.t_test[:n]),
        data.x_test[n:],
        data.t_test[n:],
    )
