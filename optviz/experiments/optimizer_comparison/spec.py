"""Optimizers on one network: the same start, the same mini-batches, a training for each."""

from dataclasses import dataclass, field

from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, SpecError
from optviz.training import Split, Training
from optviz.training import check as check_training

MAX_OPTIMIZERS = 8

# The book's figure 6.9: its rates.
FIGURE = (
    OptimizerConfig(Choice("sgd", {"lr": 0.01})),
    OptimizerConfig(Choice("momentum", {"lr": 0.01, "momentum": 0.9})),
    OptimizerConfig(Choice("adagrad", {"lr": 0.01})),
    OptimizerConfig(Choice("adam", {"lr": 0.001})),
)


@dataclass(frozen=True)
class OptimizerComparison:
    """What every training shares, and who trains."""

    optimizers: tuple[OptimizerConfig, ...] = FIGURE
    network: Network = field(default_factory=Network)
    dataset: Choice = Choice("digits")
    split: Split = Split()
    batch: int = 128
    iterations: int = 300
    seeds: tuple[int, ...] = (0,)

    @property
    def trainings(self) -> list[Training]:
        """One for each optimizer."""
        return [
            Training(self.network, config, self.dataset, self.split, self.batch, self.iterations, self.seeds, eval_every=20)
            for config in self.optimizers
        ]


def check(contest: OptimizerComparison) -> None:
    """SpecError where a contest from outside could not have been set on the page."""
    if len(contest.optimizers) > MAX_OPTIMIZERS:
        raise SpecError(f"at most {MAX_OPTIMIZERS} optimizers, not {len(contest.optimizers)}")
    for training in contest.trainings:
        check_training(training)
