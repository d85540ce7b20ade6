"""Full-batch trainings whose sharpness is watched.

The sharpness, the largest eigenvalue of the loss's Hessian, grows until it is what the rate can
just bear, and stays there. (Cohen, Kaur, Li, Kolter & Talwalkar 2021, Gradient descent on neural
networks typically occurs at the edge of stability: tanh, squared error.)
"""

from dataclasses import dataclass, replace

from optviz.experiments.optimizer_comparison.spec import MAX_OPTIMIZERS, OptimizerComparison
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter
from optviz.spec import Choice, items, option
from optviz.training import VALIDATION, Split, Training
from optviz.training.spec import LOSS_NAMES

# The products cost a sixth of the updates between two measurements: 2 · 8 + 1 gradients to 100.
MEASURED_EVERY, PRODUCTS = 100, 8
RATES = (
    *(OptimizerConfig(Choice("sgd", {"lr": lr})) for lr in (0.3, 0.4, 0.6)),
    OptimizerConfig(Choice("momentum", {"lr": 0.6, "momentum": 0.9})),
)


@dataclass(frozen=True)
class EdgeOfStability(OptimizerComparison):
    """What every training shares, and the optimizers with their rates. `batch` says nothing: every
    update sees all rows.
    """

    network: Network = Network((64, 50, 50, 10), Choice("tanh"), Choice("book"))
    split: Split = Split(300, validation=VALIDATION)
    iterations: int = hyperparameter(
        2000, 10, 5000, "T", log=True, help="updates of every network, each on all the data"
    )
    optimizers: tuple[OptimizerConfig, ...] = items(RATES, 0, MAX_OPTIMIZERS, "optimizers")
    loss: str = option("squared_error", LOSS_NAMES, "Loss")

    @property
    def trainings(self) -> list[Training]:
        """One for each optimizer."""
        shared = {"batch": 0, "loss": self.loss, "sharpness": PRODUCTS}
        return [replace(t, eval_every=MEASURED_EVERY, **shared) for t in super().trainings]
