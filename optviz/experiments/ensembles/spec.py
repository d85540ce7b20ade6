"""Several networks that answer together: independent ones, snapshots of one training, an average of its weights.

The answer of an ensemble is the class with the largest mean of its members' probabilities. Snapshots as in
Huang et al. (2017), Snapshot ensembles: the rate falls to zero and leaps back, M times, and the network is kept
at the end of each cycle. Averaging as in Polyak & Juditsky (1992), here exponentially.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from optviz.nn import DTYPES, Network, right
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.spec import Choice, SpecError
from optviz.training import (
    MAX_EVALUATED,
    Progress,
    Split,
    Training,
)
from optviz.training import check as check_training

METHODS = ("independent", "snapshots", "averaging")
MAX_MEMBERS, MAX_ITERATIONS, MAX_PEAK = 10, 5000, 10.0


@dataclass(frozen=True)
class Ensembles:
    """One network, one optimizer, and the three ways to make more of it; on noisy and on clean labels."""

    network: Network = field(default_factory=lambda: Network((64, 100, 100, 10)))
    optimizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(Choice("sgd", {"lr": 0.1})))
    dataset: Choice = Choice("digits")
    split: Split = Split(300, noise=0.2)  # its noise is that of the noisy labels
    batch: int = 16
    iterations: int = 1000
    members: int = 5
    seed: int = 0  # of the first member; the others have those that follow
    peak: float = 2.0  # the cyclic rate begins at so many times the constant one
    decay: float = 0.995  # of the average of the weights
    view: str = "independent"  # the method that is looked at, one of METHODS

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each independent network."""
        return tuple(range(self.seed, self.seed + self.members))

    @property
    def cycle(self) -> int:
        """Iterations from one snapshot to the next, ⌈T/M⌉."""
        return -(-self.iterations // self.members)

    @property
    def ends(self) -> tuple[int, ...]:
        """The iterations at which snapshots are taken: the ends of the cycles, the last one perhaps cut short."""
        return (*range(self.cycle, self.iterations, self.cycle), self.iterations)

    @property
    def noises(self) -> tuple[float, ...]:
        """The shares of wrong labels with which everything is trained: noisy and clean, once where that is the same."""
        return (self.split.noise, 0.0) if self.split.noise else (0.0,)

    @property
    def top(self) -> float:
        """α₀, the rate at which a cycle begins: as far as the optimizer's goes."""
        rate = _rate(self.optimizer.method)
        return min(self.peak * self.rate, rate.high)

    @property
    def rate(self) -> float:
        """The constant rate."""
        return self.optimizer.method.values.get("lr", _rate(self.optimizer.method).default)

    def training(self, method: str, noise: float) -> Training:
        """The training of a method. Of independent and averaged networks there are M, of snapshots there is one run.

        Averaged networks have starts and mini-batches of the independent ones, and so the very same paths inside.
        """
        config, seeds, snapshot_every = self.optimizer, self.seeds, 0
        if method == "snapshots":
            optimizer = Choice(config.method.key, config.method.values | {"lr": self.top})
            config = replace(config, method=optimizer, schedules={"lr": Choice("cyclic", {"period": self.cycle})})
            seeds, snapshot_every = seeds[:1], self.cycle
        if method == "averaging":
            config = replace(config, wrappers=(*config.wrappers, Choice("averaged", {"decay": self.decay})))
        return Training(
            self.network, config, self.dataset, replace(self.split, noise=noise), self.batch, self.iterations, seeds, eval_every=40, snapshot_every=snapshot_every
        )  # fmt: skip

    @property
    def trainings(self) -> list[Training]:
        """For noisy labels and then for clean ones, each of METHODS."""
        return [self.training(method, noise) for noise in self.noises for method in METHODS]


def _rate(optimizer):
    return next(k for k in hyperparameters(OPTIMIZERS[optimizer.key]) if k.name == "lr")


def check(ensembles: Ensembles) -> None:
    """SpecError where a comparison from outside could not have been set on the page."""
    if ensembles.view not in METHODS:
        raise SpecError(f"a method is one of {', '.join(METHODS)}, not {ensembles.view[:30]!r}")
    for name, value, low, high in (
        ("number of members", ensembles.members, 1, MAX_MEMBERS),
        ("iterations", ensembles.iterations, 10, MAX_ITERATIONS),
        ("peak of the cyclic rate", ensembles.peak, 1, MAX_PEAK),
    ):
        if not low <= value <= high:
            raise SpecError(f"{name} is from {low} to {high}, not {value}")
    config = ensembles.optimizer
    if config.wrappers or config.schedules:
        raise SpecError("the networks of an ensemble train at a constant rate, and nothing is around their optimizer")
    if ensembles.network.normalize:
        raise SpecError("snapshots hold the weights alone: there is no batch normalization here")
    config.method.check(OPTIMIZERS, "optimizer")
    for training in ensembles.trainings:
        check_training(training)


def snapshots(now: Progress, ends: tuple[int, ...]) -> dict[int, np.ndarray]:
    """The weights `(P,)` at the ends of the cycles that are over."""
    kept = {t: params[0] for t, params in now.snapshots.items()} | {now.iteration: now.params[0, 0]}
    return {t: kept[t] for t in ends if t in kept}


def member_probabilities(network: Network, params, x) -> np.ndarray:
    """The probabilities `(members, rows, classes)` that networks `(members, P)` give the classes of some rows.

    Rows as many as the accuracy is measured on, from the first. NaN for a network that has diverged.
    """
    with np.errstate(all="ignore"):
        z = network.outputs(params, x[:MAX_EVALUATED].astype(DTYPES[network.dtype], copy=False)).astype(float)
        e = np.exp(z - z.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What the members of an ensemble say of some rows, and what the rows are."""

    said: np.ndarray  # (members, rows, classes) probabilities
    t: np.ndarray  # (rows,) labels

    @classmethod
    def of(cls, said, labels) -> "Ensemble":
        """Of the members that have not diverged; it may have none."""
        said = np.asarray(said)
        return cls(said[np.isfinite(said).all((1, 2))], np.asarray(labels)[: said.shape[1]])

    def __len__(self):
        return len(self.said)

    @property
    def members(self) -> np.ndarray:
        """The accuracy `(members,)` of each."""
        return right(self.said, self.t)

    @property
    def accuracy(self) -> float:
        """Of the mean of their probabilities; NaN where nobody is left."""
        return float(right(self.said.mean(0), self.t)) if len(self) else float("nan")

    @property
    def disagreement(self) -> np.ndarray:
        """The share of rows `(members, members)` on which two answer differently."""
        answers = self.said.argmax(-1)
        return (answers[:, None] != answers).mean(-1)

    @property
    def differ(self) -> float:
        """The mean disagreement of two members; 0 for one alone, NaN for none."""
        n = len(self)
        return float(self.disagreement.sum() / (n * (n - 1))) if n > 1 else 0.0 if n else float("nan")

    def growing(self) -> np.ndarray:
        """The accuracy `(members,)` of ensembles of 1, 2, … members: the mean over M of them, neighbors in a ring."""
        n = len(self)
        ring = np.concatenate([self.said, self.said])
        return np.array([
            np.mean([right(ring[i : i + m].mean(0), self.t) for i in range(n if m < n else 1)]) for m in range(1, n + 1)
        ])  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """A method on one kind of labels, in numbers: accuracies on rows that no network has seen."""

    single: float  # of one network: the mean of the members; for snapshots the run's last point
    spread: float  # of the single networks, their standard deviation; NaN where there is one
    ensemble: float
    better: int = 0  # of how many networks the average was the better one
    of: int = 0

    @property
    def gain(self) -> float:
        """By which the ensemble is above one network."""
        return self.ensemble - self.single


def together(now: Progress) -> Outcome:
    """Independent networks as far as they have come; the ensemble is NaN as soon as one of them has diverged."""
    alone = now.accuracy[-1, 1, 0]
    return Outcome(_mean(alone), _std(alone), float(now.ensemble_accuracy[-1, 1, 0]))


def in_cycles(now: Progress, council: Ensemble) -> Outcome:
    """The snapshots so far against the point at which the run is."""
    return Outcome(float(now.accuracy[-1, 1, 0, 0]), float("nan"), council.accuracy)


def averaged(raw: Progress, average: Progress) -> Outcome:
    """Averaged weights against the points that were averaged, both at the last iteration that both have."""
    k = min(len(raw.evaluated), len(average.evaluated)) - 1
    a, b = raw.accuracy[k, 1, 0], average.accuracy[k, 1, 0]
    both = np.isfinite(a) & np.isfinite(b)
    return Outcome(_mean(a[both]), _std(a[both]), _mean(b[both]), int((b > a).sum()), int(both.sum()))


def _mean(values):
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _std(values):
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else float("nan")
