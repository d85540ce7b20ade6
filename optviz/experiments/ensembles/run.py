"""The predictions of an ensemble's members, alone and together."""

from dataclasses import dataclass

import numpy as np

from optviz.nn import DTYPES, Network, accuracy_score, softmax
from optviz.plot.series import mean_over_seeds
from optviz.training import MAX_EVALUATED, Progress

NAN = float("nan")


def snapshots(progress: Progress, ends: tuple[int, ...]) -> dict[int, np.ndarray]:
    """The weights `(P,)` at the ends of completed cycles."""
    weights = {t: params[0] for t, params in progress.snapshots.items()}
    weights[progress.iteration] = progress.params[0, 0]
    return {t: weights[t] for t in ends if t in weights}


def member_probabilities(network: Network, params, x) -> np.ndarray:
    """The class probabilities `(members, rows, classes)` of networks `(members, P)`.

    For the first rows only, those on which the accuracy is measured. NaN for a diverged network.
    """
    x = x[:MAX_EVALUATED].astype(DTYPES[network.dtype], copy=False)
    with np.errstate(all="ignore"):
        return softmax(network.outputs(params, x).astype(float))


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The members' predicted probabilities, and the true labels."""

    probabilities: np.ndarray  # (members, rows, classes)
    t: np.ndarray  # (rows,) labels

    @classmethod
    def from_probabilities(cls, probabilities, labels) -> "Ensemble":
        """An ensemble of the members that have not diverged; it may be empty."""
        p = np.asarray(probabilities)
        return cls(p[np.isfinite(p).all((1, 2))], np.asarray(labels)[: p.shape[1]])

    def __len__(self):
        return len(self.probabilities)

    @property
    def member_accuracies(self) -> np.ndarray:
        """The accuracy `(members,)` of each member."""
        return accuracy_score(self.probabilities, self.t)

    @property
    def accuracy(self) -> float:
        """The accuracy of the mean probabilities; NaN without members."""
        return float(accuracy_score(self.probabilities.mean(0), self.t)) if len(self) else NAN

    @property
    def disagreement(self) -> np.ndarray:
        """The share of rows `(members, members)` on which two members disagree."""
        answers = self.probabilities.argmax(-1)
        return (answers[:, None] != answers).mean(-1)

    @property
    def mean_disagreement(self) -> float:
        """The mean over pairs of members; 0 for a single one, NaN for none."""
        n = len(self)
        return float(self.disagreement.sum() / (n * (n - 1))) if n > 1 else 0.0 if n else NAN

    def accuracy_by_size(self) -> np.ndarray:
        """The accuracy `(members,)` of ensembles of 1, 2, … members.

        For each size, the mean over M ensembles of neighbors in a ring.
        """
        n = len(self)
        ring = np.concatenate([self.probabilities, self.probabilities])

        def mean_of(m):
            starts = range(n if m < n else 1)
            return np.mean([accuracy_score(ring[i : i + m].mean(0), self.t) for i in starts])

        return np.array([mean_of(m) for m in range(1, n + 1)])


@dataclass(frozen=True)
class Outcome:
    """A method on one kind of labels, in numbers: accuracies on the validation set."""

    single: float  # of one network: the mean of the members; for snapshots the run's last point
    std: float  # of the single networks; NaN where there is one
    ensemble: float
    better: int = 0  # of how many networks the average was the better one
    networks: int = 0

    @property
    def gain(self) -> float:
        """How much the ensemble is better than one network."""
        return self.ensemble - self.single


def independent_outcome(progress: Progress) -> Outcome:
    """The latest accuracies of all networks; the ensemble is NaN once one of them has diverged."""
    single = progress.accuracy[-1, 1, 0]
    ensemble = float(progress.ensemble_accuracy[-1, 1, 0])
    return Outcome(mean_over_seeds(single), _std(single), ensemble)


def snapshot_outcome(progress: Progress, ensemble: Ensemble) -> Outcome:
    """The snapshots so far against the run's current point."""
    return Outcome(float(progress.accuracy[-1, 1, 0, 0]), NAN, ensemble.accuracy)


def averaging_outcome(raw: Progress, average: Progress) -> Outcome:
    """Averaged weights against the points that were averaged, at the last iteration of both."""
    k = min(len(raw.evaluated), len(average.evaluated)) - 1
    a, b = raw.accuracy[k, 1, 0], average.accuracy[k, 1, 0]
    both = np.isfinite(a) & np.isfinite(b)
    better = int((b > a).sum())
    return Outcome(
        mean_over_seeds(a[both]), _std(a[both]), mean_over_seeds(b[both]), better, int(both.sum())
    )


def _std(values):
    finite = values[np.isfinite(values)]
    return float(finite.std(ddof=1)) if len(finite) > 1 else NAN
