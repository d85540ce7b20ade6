"""Optimizers on one network: the same start, the same mini-batches, a training for each."""

from dataclasses import dataclass

from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, items
from optviz.training import Training, TrainingSettings

MAX_OPTIMIZERS = 8

# The book's figure 6.9: its rates.
FIGURE = (
    OptimizerConfig(Choice("sgd", {"lr": 0.01})),
    OptimizerConfig(Choice("momentum", {"lr": 0.01, "momentum": 0.9})),
    OptimizerConfig(Choice("adagrad", {"lr": 0.01})),
    OptimizerConfig(Choice("adam", {"lr": 0.001})),
)


@dataclass(frozen=True)
class OptimizerComparison(TrainingSettings):
    """What every training shares, and the optimizers."""

    optimizers: tuple[OptimizerConfig, ...] = items(FIGURE, 0, MAX_OPTIMIZERS, "optimizers")

    @property
    def trainings(self) -> list[Training]:
        """One for each optimizer."""
        return [self.training(optimizer, eval_every=20) for optimizer in self.optimizers]
