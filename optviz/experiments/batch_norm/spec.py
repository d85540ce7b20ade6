"""What batch normalization does: the same training with and without it, and a small batch.

(Ioffe & Szegedy 2015, Batch normalization; Saitoh 2016, Deep Learning from Scratch, figures 6.16 to
6.19.)
"""

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter
from optviz.spec import Choice, SpecError, items, option
from optviz.training import VALIDATION, Split, Training, TrainingSettings, Trial, check
from optviz.translation import N_

VIEWS = {
    "one": N_("With and without"),
    "scales": N_("Initial scales"),
    "rates": N_("Learning rates"),
    "graph": N_("One small batch"),
}
SIDES = {"before": N_("before"), "after": N_("after")}
MAX_ROWS, MAX_NUMBER = 6, 1e6  # of the small batch
MAX_VALUES = 25


def _scale(default, help):
    return hyperparameter(default, 1e-6, 100.0, "σ", log=True, help=help)


def _rate(default, help):
    return hyperparameter(default, 1e-4, 10.0, "η", log=True, help=help)


@dataclass(frozen=True)
class Sweep:
    """Values at equal ratios, from `first` to `last`."""

    many: int = hyperparameter(16, 2, MAX_VALUES, "n", help="number of values, in equal ratios")

    @property
    def values(self) -> list[float]:
        return np.geomspace(self.first, self.last, self.many).tolist()


@dataclass(frozen=True)
class Scales(Sweep):
    """Standard deviations of the initial weights."""

    first: float = _scale(1.0, "standard deviation of the first network's initial weights")
    last: float = _scale(1e-4, "standard deviation of the last network's initial weights")


@dataclass(frozen=True)
class Rates(Sweep):
    """Learning rates."""

    first: float = _rate(1e-3, "learning rate of the first network")
    last: float = _rate(10.0, "learning rate of the last network")


@dataclass(frozen=True)
class Example:
    """One unit's pre-activations x in a mini-batch, and the upstream gradient of each output."""

    x: tuple[float, ...] = items((1.0, 2.0, 4.0, 9.0), 1, MAX_ROWS, "rows in a small batch")
    upstream: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)  # ∂y
    gamma: float = hyperparameter(
        1.0, -10.0, 10.0, r"\gamma", help="std of the output; the network learns it"
    )
    beta: float = hyperparameter(
        0.0, -10.0, 10.0, r"\beta", help="mean of the output; the network learns it"
    )
    eps: float = hyperparameter(
        1e-6,
        1e-10,
        1.0,
        r"\epsilon",
        log=True,
        help="prevents division by zero when all rows are equal",
    )

    def validate(self) -> None:
        """SpecError where the gradients do not fit the rows, or a number is too large."""
        n = len(self.x)
        if len(self.upstream) != n:
            raise SpecError(f"there are {n} rows and {len(self.upstream)} gradients")
        for value in (*self.x, *self.upstream):
            if not abs(value) <= MAX_NUMBER:  # nor is it NaN
                raise SpecError(
                    f"numbers of the small batch must be at most {MAX_NUMBER:g}, not {value:g}"
                )


@dataclass(frozen=True)
class BatchNormComparison(TrainingSettings):
    """A training, where its normalized twin has the layer, and what is varied in both.

    As it opens it is figure 6.18, and with other initial weights 6.19: five hidden layers, 1000
    examples, not quite twenty epochs.
    """

    network: Network = Network((64, *[100] * 5, 10))
    split: Split = Split(1000, validation=VALIDATION)
    batch: int = hyperparameter(100, 1, 2000, "B", log=True, help="examples in a mini-batch")
    iterations: int = hyperparameter(191, 10, 5000, "T", log=True, help="updates of every network")
    optimizer: OptimizerConfig = OptimizerConfig(Choice("sgd", {"lr": 0.01}))
    place: str = option("before", SIDES, "Batch norm relative to the activation")
    scales: Scales = Scales()
    rates: Rates = Rates()
    example: Example = Example()
    view: str = option("one", VIEWS, "View")

    @property
    def varied(self) -> list[float]:
        """The values that the view shows side by side; none where it has no sweep."""
        sweep = {"scales": self.scales, "rates": self.rates}.get(self.view)
        return sweep.values if sweep else []

    @property
    def trainings(self) -> list[Training]:
        """With and without, for every value.

        Two batches, because a batch has one layout of parameters, and γ and β add to it.
        """
        if self.view == "graph":
            return []
        if self.view == "scales":
            trials = [Trial(initializer=Choice("normal", {"sigma": s})) for s in self.varied]
        else:
            trials = [Trial(hyperparameters={"lr": rate}) for rate in self.varied]
        # once an epoch, but often enough for a curve where an epoch is long
        eval_every = max(1, min(self.split.rows // self.batch, self.iterations // 10))
        options = {"trials": tuple(trials), "eval_every": eval_every}
        normalized = replace(self.network, normalize=self.place)
        networks = (normalized, self.network)
        return [self.training(self.optimizer, network=network, **options) for network in networks]

    def validate(self) -> None:
        """SpecError where the two cannot be trained, or differ in more than the layer."""
        if self.network.normalize:
            raise SpecError("the two trainings may differ only in batch normalization")
        check(self.training(self.optimizer))
        super().validate()


def read_numbers(text: str) -> tuple[float, ...]:
    """The numbers of a text like "1, 2, 4, 9". ValueError, with a readable message, for others."""
    numbers = []
    for word in re.split(r"[\s,;]+", text.replace("−", "-").strip(" \t\n,;")):
        try:
            value = float(word)
        except ValueError:
            raise ValueError(
                f"{word[:20]!r} is not a number" if word else "there are no numbers"
            ) from None
        if not math.isfinite(value) or abs(value) > MAX_NUMBER:
            raise ValueError(
                f"numbers must be from {-MAX_NUMBER:g} to {MAX_NUMBER:g}, not {word[:20]}"
            )
        numbers.append(value)
    if len(numbers) > MAX_ROWS:
        raise ValueError(f"at most {MAX_ROWS} rows are allowed, not {len(numbers)}")
    return tuple(numbers)
