"""What a search is: the space, the sampler, halving, and what all trials share."""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np

from optviz.nn import Network, stream
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.spec import Choice, SpecError, choice, items
from optviz.training import (
    MAX_NUMBERS,
    Data,
    Split,
    Training,
    TrainingSettings,
    Trial,
    check,
    count_numbers,
    load,
)
from optviz.tuning.halving import RIVALS, Halving
from optviz.tuning.samplers import SAMPLERS
from optviz.tuning.space import BOOK, RANGES, SCORE, Interval, Space

EVALUATIONS = 10  # of a trial's accuracy
PROPOSALS = 20  # the sampler's purpose among the streams of random numbers
MAX_RIVALS = 5


@dataclass(frozen=True)
class Search(TrainingSettings):
    """What is tried, the sampler, and what all trials share: equal searches give equal numbers.

    Trials differ in the searched hyperparameters only: the same initial weights, the same
    mini-batches. Of the examples that are not for training, the first `validation` choose among
    the trials; the others are not looked at before the end. All randomness follows from `seed`.
    As it is: figure 6.24 (Saitoh 2016, Deep Learning from Scratch), 100 random trials of 50 epochs.
    """

    network: Network = Network((64, *[100] * 6, 10))
    split: Split = Split(400)
    batch: int = hyperparameter(100, 1, 2000, "B", log=True, help="examples in a mini-batch")
    iterations: int = hyperparameter(200, 10, 2000, "T", log=True, help="updates of every network")
    optimizer: OptimizerConfig = OptimizerConfig(Choice("sgd", {"lr": 0.01}))
    space: Space = BOOK
    sampler: Choice = choice("random", SAMPLERS, "Sampler")
    trials: int = hyperparameter(100, 4, 200, "n", log=True, help="number of trials")
    halving: Halving | None = None
    rivals: tuple[Choice, ...] = choice(
        (),
        RIVALS,
        "Side by side with",
        "The same ranges, number of trials, training and seed, in one run.",
        (0, MAX_RIVALS, "rivals"),
    )
    shown: tuple[Interval, ...] = items((), 0, len(RANGES) + 1, "filters")  # changes no number
    validation: int = hyperparameter(
        100, 20, 500, help="examples for choosing; neither for training nor for the test"
    )
    seed: int = hyperparameter(
        0, 0, 99, help="a new seed: new proposals, initial weights, mini-batches, examples"
    )

    @cached_property
    def searches(self) -> tuple["Search", ...]:
        """The search itself, then one for each rival that differs from those before it."""
        searches = [replace(self, rivals=(), shown=())]
        for rival in self.rivals:
            halving_rival = rival.key == "halving"
            sampler = Choice("random") if halving_rival else rival
            halving = Halving(**rival.values) if halving_rival else None
            search = replace(searches[0], sampler=sampler, halving=halving)
            if search not in searches:
                searches.append(search)
        return tuple(searches)

    @cached_property
    def base(self) -> Training:
        """What every trial shares."""
        return self.training(
            self.optimizer,
            seeds=(self.seed,),
            split=replace(self.split, seed=self.seed),
            eval_every=max(1, round(self.iterations / EVALUATIONS)),
        )

    def keeps(self, points, scores) -> np.ndarray:
        """Which trials `(n,)` at points `(n, d)` with scores `(n,)` the filters let through."""
        powers = np.log10(self.space.values(points)).round(4)
        columns = dict(zip([axis.key for axis in self.space.axes], powers.T, strict=True))
        columns[SCORE] = np.asarray(scores).round(4)
        keep = np.ones(len(scores), bool)
        for span in self.shown:
            if span.key in columns:
                keep &= (columns[span.key] >= span.low) & (columns[span.key] <= span.high)
        return keep

    @property
    def evaluated(self) -> np.ndarray:
        """The iterations `(k,)` at which accuracies are measured."""
        return np.array([*range(0, self.iterations, self.base.eval_every), self.iterations])

    @property
    def stops(self) -> tuple[int, ...]:
        """At which iterations trials are stopped: where their accuracy is measured; and the end."""
        every = self.base.eval_every
        rungs = self.halving.rungs(self.iterations) if self.halving else ()
        measured = dict.fromkeys(-(-t // every) * every for t in rungs)
        return (*(t for t in measured if t < self.iterations), self.iterations)

    @property
    def rounds(self) -> tuple[int, ...]:
        """How many trials are proposed at a time."""
        return self.sampler.build(SAMPLERS).rounds(self.trials, len(self.space.axes))

    def propose(self, i: int, points, accuracies) -> np.ndarray:
        """The points of round i, from those tried `(k, d)` and their accuracies `(k,)`."""
        rng = stream(self.seed, PROPOSALS, i)
        return self.sampler.build(SAMPLERS).propose(points, accuracies, self.rounds[i], rng)

    def trial(self, values) -> Trial:
        """The trial with these hyperparameters `(d,)`."""
        keys = (axis.key for axis in self.space.axes)
        settings = dict(zip(keys, map(float, values), strict=True))
        if "momentum" in settings:
            settings["momentum"] = 1 - settings["momentum"]
        l2, sigma = settings.pop("l2", None), settings.pop("sigma", None)
        return Trial(settings, l2, None if sigma is None else Choice("normal", {"sigma": sigma}))

    def validate(self) -> None:
        """SpecError where the optimizer cannot be searched so, or the networks are too many."""
        check(self.base)
        optimizer = self.optimizer.method.key
        for axis in self.space.axes:
            if not searchable(axis.key, optimizer):
                name = OPTIMIZERS[optimizer].label
                raise SpecError(f"{name} has no {axis.declared.title} to search")
        halved = self.halving or any(rival.key == "halving" for rival in self.rivals)
        if halved and self.trials * count_numbers(self.base) > 4 * MAX_NUMBERS:
            raise SpecError(
                "this many networks of this size cannot be halved side by side: use fewer trials "
                "or smaller ones"
            )


def searchable(key: str, optimizer: str) -> bool:
    """Whether there is this hyperparameter where this optimizer trains."""
    names = {declared.name for declared in hyperparameters(OPTIMIZERS[optimizer])}
    return key not in ("lr", "momentum") or key in names


class Status(IntEnum):
    """How far a trial has come."""

    WAITING = 0
    RUNNING = 1
    COMPLETED = 2
    STOPPED = 3  # by halving
    DIVERGED = 4


class SearchData(NamedTuple):
    """The examples: for training and validation, and those for the one look at the end."""

    tuning: Data
    x_test: np.ndarray
    t_test: np.ndarray


def split_data(search: Search, data: Data | None = None) -> SearchData:
    """The examples of a search. ValueError where none are left for the test."""
    data, n = data or load(search.base), search.validation
    if n >= len(data.t_test):
        raise ValueError(
            f"of the {len(data.t_test)} examples that are not for training, {n} are for "
            "validation: none are left for the test"
        )
    tuning = data._replace(x_test=data.x_test[:n], t_test=data.t_test[:n])
    return SearchData(tuning, data.x_test[n:], data.t_test[n:])
