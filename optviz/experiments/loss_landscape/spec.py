"""The loss of a real network over a plane through its trained weights, and the paths on it.

A network has thousands of weights and a picture two directions. Which two is a choice: those along
which the paths moved most (PCA of the snapshots), or two random ones, scaled unit by unit to the
weights. (Li, Xu, Taylor, Studer & Goldstein 2018, Visualizing the loss landscape of neural nets.)
"""

from dataclasses import dataclass, replace

from optviz.experiments.initialization.spec import snapshot_interval
from optviz.experiments.optimizer_comparison.spec import MAX_OPTIMIZERS, OptimizerComparison
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig, names
from optviz.optim.hyperparameter import hyperparameter
from optviz.spec import Choice, SpecError, items, option
from optviz.training import Training
from optviz.translation import N_

PLANES = {"pca": N_("The paths’ own plane (PCA)"), "random": N_("Random directions")}
MARGINS = {"pca": 0.5, "random": 1.0}  # to begin with
MAX_SNAPSHOTS = 60  # of a path

# The same start and the same batches; at these rates all three arrive, the third one elsewhere.
THREE = (
    OptimizerConfig(Choice("sgd", {"lr": 0.1})),
    OptimizerConfig(Choice("momentum", {"lr": 0.02, "momentum": 0.9})),
    OptimizerConfig(Choice("adam", {"lr": 0.002})),
)


@dataclass(frozen=True)
class LossLandscape(OptimizerComparison):
    """The trainings, which plane, and how finely the loss is evaluated on it.

    The plane goes through the end of the path of optimizer `middle`. `margin` is how far the frame
    goes beyond the paths, 1 doubles it; of random directions in lengths of each unit's weights. The
    loss is that of the first `n_samples` training examples.
    """

    network: Network = Network((64, 50, 50, 10))
    optimizers: tuple[OptimizerConfig, ...] = items(THREE, 0, MAX_OPTIMIZERS, "optimizers")
    middle: int = 0
    plane: str = option("pca", PLANES, N_("Plane"))
    seed: int = hyperparameter(0, 0, 99, help=N_("seed of the random directions"))
    margin: float = hyperparameter(
        MARGINS["pca"],
        0.05,
        5.0,
        log=True,
        help=N_(
            "how far the picture extends beyond the paths; 1 makes it twice as wide as they are"
        ),
    )
    resolution: int = hyperparameter(51, 5, 101, help=N_("grid points along each side"))
    n_samples: int = hyperparameter(
        500, 1, 1500, log=True, help=N_("training examples on which the loss is evaluated")
    )

    @property
    def trainings(self) -> list[Training]:
        """One for each optimizer, with snapshots along its path."""
        return [replace(t, snapshot_every=self.snapshot_every) for t in super().trainings]

    @property
    def snapshot_every(self) -> int:
        """Iterations between two snapshots."""
        numbers = MAX_OPTIMIZERS * self.network.size
        return snapshot_interval(self.iterations, numbers, 5, MAX_SNAPSHOTS)

    @property
    def names(self) -> list[str]:
        """Of the optimizers."""
        return names(self.optimizers)

    def validate(self) -> None:
        """SpecError for several seeds, a middle that is not there, or an impossible training."""
        super().validate()
        if len(self.seeds) != 1:
            raise SpecError("a landscape has exactly one seed")
        last = max(len(self.optimizers) - 1, 0)
        if not 0 <= self.middle <= last:
            raise SpecError(f"the optimizer in the middle is from 0 to {last}, not {self.middle}")


def centered(spec: LossLandscape) -> LossLandscape:
    """The same with an optimizer in the middle that is there: the last one where it was removed."""
    return replace(spec, middle=max(0, min(spec.middle, len(spec.optimizers) - 1)))
