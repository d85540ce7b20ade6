"""One network, one optimizer, several initializers."""

from dataclasses import dataclass

from optviz.experiments.activations.spec import initializer_name
from optviz.nn import INITIALIZERS, Network
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, choice
from optviz.training import Training, TrainingSettings

MAX_INITIALIZERS = 8
MAX_SNAPSHOTS = 50  # of a training
MAX_SNAPSHOT_NUMBERS = 10**7  # in all of them together

# The book's figure 6.15 on the digits, at a rate that tells the three apart within 300 iterations.
OPTIMIZER = OptimizerConfig(Choice("sgd", {"lr": 0.05}))
FIGURE = (Choice("normal", {"sigma": 0.01}), Choice("book"), Choice("he_normal"))


def snapshot_interval(
    iterations: int, numbers: int, every: int = 20, max_snapshots: int = MAX_SNAPSHOTS
) -> int:
    """Iterations between two snapshots of so many numbers: `every`, or 2, 4 … times as many if
    there would be more than `max_snapshots` or too many numbers.
    """
    while iterations > max_snapshots * every or (
        every < iterations and iterations // every * numbers > MAX_SNAPSHOT_NUMBERS
    ):
        every *= 2
    return every


def names(initializers: tuple[Choice, ...]) -> list[str]:
    """The name of each initializer, numbered if several are the same."""
    labels = [initializer_name(choice) for choice in initializers]
    return [
        f"{name} #{labels[:i].count(name) + 1}" if labels.count(name) > 1 else name
        for i, name in enumerate(labels)
    ]


@dataclass(frozen=True)
class Initialization(TrainingSettings):
    """What the networks share, and the initializers in which they differ."""

    optimizer: OptimizerConfig = OPTIMIZER
    initializers: tuple[Choice, ...] = choice(
        FIGURE, INITIALIZERS, "Initial weights", count=(0, MAX_INITIALIZERS, "initializers")
    )

    @property
    def trainings(self) -> list[Training]:
        """One for each initializer, so that another one leaves them as they are."""
        numbers = MAX_INITIALIZERS * self.network.size
        extra = {"eval_every": 20, "snapshot_every": snapshot_interval(self.iterations, numbers)}
        return [
            self.training(self.optimizer, initializers=(i,), **extra) for i in self.initializers
        ]


# Sigmoid, because with ReLU zeros would stay zeros: here they move, all together. In float64,
# where equal is equal.
SYMMETRY = Initialization(
    Network((64, 8, 8, 10), Choice("sigmoid"), dtype="float64"),
    iterations=600,
    optimizer=OptimizerConfig(Choice("sgd", {"lr": 1.0})),
    initializers=(Choice("zeros"), Choice("constant"), Choice("book")),
)
