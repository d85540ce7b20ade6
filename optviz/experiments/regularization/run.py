"""Results of trainings with regularizers: paired accuracies, weights, memorized labels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optviz.nn import EVALUATION, Dropout, Mode
from optviz.plot.series import mean_over_seeds
from optviz.training import Data, Progress, Training

TINY = 1e-3  # a weight below this is practically zero


class Outcome(NamedTuple):
    """How a training stands, seed by seed; NaN where a seed has diverged."""

    training: np.ndarray  # (S,) accuracy on its training examples, by the labels it was given
    test: np.ndarray  # (S,) accuracy on unseen examples

    @property
    def gap(self) -> np.ndarray:
        """(S,) how much better it is on its training examples."""
        return self.training - self.test


def outcomes(states: Sequence[Progress]) -> tuple[int, list[Outcome]]:
    """The last iteration at which all were evaluated, and how each stood there."""
    last = max(set.intersection(*(set(state.evaluated.tolist()) for state in states)))
    return int(last), [
        Outcome(*state.accuracy[np.flatnonzero(state.evaluated == last)[-1], :, 0])
        for state in states
    ]


class Paired(NamedTuple):
    """Differences to the first, seed by seed: a pair has one start and the same mini-batches."""

    gap: float  # mean differences
    training: float
    test: float
    tests: np.ndarray  # (n,) of the validation accuracy, where both are finite
    better: int  # of these n

    @property
    def worse(self) -> int:
        return int((self.tests < 0).sum())


def paired(first: Outcome, other: Outcome) -> Paired:
    """The differences of the other from the first; NaN if no seed of both is left."""
    both = np.isfinite(first.test) & np.isfinite(other.test)
    gap, training, test = (
        (getattr(other, name) - getattr(first, name))[both] for name in ("gap", "training", "test")
    )
    means = [float(mean_over_seeds(differences)) for differences in (gap, training, test)]
    return Paired(*means, test, int((test > 0).sum()))


def weights(training: Training, params: np.ndarray) -> np.ndarray:
    """All weights of all layers `(..., n)` of parameters `(..., P)`, without the biases."""
    views, shape = training.network.views(params), (*params.shape[:-1], -1)
    return np.concatenate([views[i]["W"].reshape(shape) for i in training.network.affine], -1)


class WeightSummary(NamedTuple):
    """The weights of several seeds in numbers: means over them."""

    total: float  # Σ|W|
    norm: float  # √ΣW²
    std: float
    largest: float
    tiny: float  # share below TINY


def summarize(w: np.ndarray) -> WeightSummary:
    """Summarize weights `(S, n)` without the seeds that have diverged; NaN if none is left."""
    w = w[np.isfinite(w).all(-1)].astype(float)
    size = np.abs(w)
    norms = size.sum(-1), np.linalg.norm(w, axis=-1)
    per_seed = *norms, w.std(-1), size.max(-1), (size < TINY).mean(-1)
    return WeightSummary(*(float(mean_over_seeds(values)) for values in per_seed))


def memorized(state: Progress, data: Data, right: np.ndarray) -> np.ndarray:
    """The share `(S,)` of the wrong labels that each network predicts.

    `right` are the labels `(N,)` before some of them were made wrong. NaN where a network has
    diverged, or no label is wrong.
    """
    wrong = data.t != right
    if not wrong.any():
        return np.full(len(state.training.seeds), np.nan)
    with np.errstate(all="ignore"):
        return state.training.network.accuracy(
            state.params[0], data.x[wrong], data.t[wrong], state.running_statistics[0]
        )


class DropoutForms(NamedTuple):
    """Numbers through two forms of dropout, each `(n,)`."""

    x: np.ndarray
    mask: np.ndarray  # 1 where a number stays
    inverted_training: np.ndarray
    inverted_evaluation: np.ndarray
    book_training: np.ndarray
    book_evaluation: np.ndarray


def dropout_forms(x, ratio: float, seed: int = 0) -> DropoutForms:
    """Numbers `(n,)` through the layer, which scales in training, and the book's, which scales in
    evaluation."""
    layer, x = Dropout(ratio), np.asarray(x, float)
    training, cache = layer.forward({}, x[None, None], Mode(True, (seed,)))
    evaluation, _ = layer.forward({}, x[None, None], EVALUATION)
    mask = (cache[0, 0] > 0).astype(float)
    return DropoutForms(x, mask, training[0, 0], evaluation[0, 0], mask * x, (1 - ratio) * x)
