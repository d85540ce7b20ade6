"""Several networks that predict together: independent ones, snapshots, averaged weights.

The prediction of an ensemble is the class with the largest mean of its members' probabilities.
Snapshots as in Huang et al. (2017), Snapshot ensembles: the learning rate falls to zero and leaps
back, M times, and the network is kept at the end of each cycle. Averaging as in Polyak & Juditsky
(1992), here exponentially.
"""

from dataclasses import dataclass, replace

from optviz.nn import Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.spec import Choice, SpecError, option
from optviz.training import VALIDATION, Split, Training, TrainingSettings
from optviz.translation import N_

METHODS = {
    "independent": N_("Independent"),
    "snapshots": N_("Snapshots"),
    "averaging": N_("Averaging"),
}


@dataclass(frozen=True)
class Ensembles(TrainingSettings):
    """One network, one optimizer, three ways to make more of it; on noisy and on clean labels.

    `split.noise` is that of the noisy labels. The seeds follow from `seed` and `members`.
    """

    network: Network = Network((64, 100, 100, 10))
    split: Split = Split(300, noise=0.2, validation=VALIDATION)
    batch: int = hyperparameter(16, 1, 2000, "B", log=True, help="examples in a mini-batch")
    iterations: int = hyperparameter(1000, 10, 5000, "T", log=True, help="updates of every network")
    optimizer: OptimizerConfig = OptimizerConfig(Choice("sgd", {"lr": 0.1}))
    members: int = hyperparameter(
        5, 1, 10, "M", help="number of independent networks, and of snapshots of one run"
    )
    seed: int = hyperparameter(
        0, 0, 99, help="seed for start and mini-batches of the first member; others use the next"
    )
    peak: float = hyperparameter(
        2.0,
        1.0,
        10.0,
        "α₀/η",
        log=True,
        help="learning rate at the start of a cycle, relative to the constant rate",
    )
    decay: float = hyperparameter(
        0.995, 0.0, 0.9999, "κ", near_one=True, help="decay of the moving average of the weights"
    )
    view: str = option("independent", METHODS, "View")

    @property
    def cycle(self) -> int:
        """Iterations from one snapshot to the next, ⌈T/M⌉."""
        return -(-self.iterations // self.members)

    @property
    def ends(self) -> tuple[int, ...]:
        """The iterations of snapshots: the ends of the cycles, the last one perhaps cut short."""
        return (*range(self.cycle, self.iterations, self.cycle), self.iterations)

    @property
    def noises(self) -> tuple[float, ...]:
        """The shares of wrong labels: noisy and clean, or once if these are the same."""
        return (self.split.noise, 0.0) if self.split.noise else (0.0,)

    @property
    def top(self) -> float:
        """α₀, the rate at which a cycle begins, at most the optimizer's largest."""
        method = self.optimizer.method
        rate = next(h for h in hyperparameters(OPTIMIZERS[method.key]) if h.name == "lr")
        return min(self.peak * method.values.get("lr", rate.default), rate.high)

    def training_of(self, method: str, noise: float) -> Training:
        """There are M independent and M averaged networks, but one run with snapshots.

        Averaged networks share the starts and mini-batches of the independent ones, and so follow
        the same paths.
        """
        config, extra = self.optimizer, {"seeds": tuple(range(self.seed, self.seed + self.members))}
        if method == "snapshots":
            cyclic = {"lr": Choice("cyclic", {"period": self.cycle})}
            config = replace(
                config, method=config.method.with_values(lr=self.top), schedules=cyclic
            )
            extra = {"seeds": (self.seed,), "snapshot_every": self.cycle}
        if method == "averaging":
            averaged = Choice("averaged", {"decay": self.decay})
            config = replace(config, wrappers=(*config.wrappers, averaged))
        return self.training(config, split=replace(self.split, noise=noise), eval_every=40, **extra)

    @property
    def trainings(self) -> list[Training]:
        """For noisy labels and then for clean ones, each of METHODS."""
        return [self.training_of(method, noise) for noise in self.noises for method in METHODS]

    def validate(self) -> None:
        """SpecError for settings that the comparison does not support."""
        config = self.optimizer
        if config.wrappers or config.schedules:
            raise SpecError(
                "the networks of an ensemble train at a constant rate, with no wrapper around "
                "their optimizer"
            )
        if self.network.normalize:
            raise SpecError(
                "snapshots hold only the weights: batch normalization is not possible here"
            )
        config.method.check(OPTIMIZERS, "optimizer")
        super().validate()
