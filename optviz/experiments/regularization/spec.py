"""One network, several regularizers against learning by heart: weight decay, L1, dropout, alone and together."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from optviz.nn import EVALUATION, Mode, Network
from optviz.nn.layers import Dropout
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice, SpecError
from optviz.training import (
    Penalty,
    Progress,
    Split,
    Training,
)
from optviz.training import check as check_training

MAX_REGULARIZERS = 6
ASSESS = 30  # iterations between two measurements: ten epochs of 300 rows in batches of 100
TINY = 1e-3  # a weight below this is as good as none


@dataclass(frozen=True)
class Regularizer:
    """What one of the trainings does against overfitting. With nothing set it is the one to compare with."""

    l2: float = 0.0
    l1: float = 0.0
    dropout: float = 0.0
    optimizer: Choice | None = None  # in place of the one that all share


BASELINE = Regularizer()


@dataclass(frozen=True)
class Regularization:
    """What all trainings share, and what each does on top of it. The first is the one to compare with.

    As it opens: a deep network on few rows, judged by what other people wrote.
    """

    regularizers: tuple[Regularizer, ...] = (
        BASELINE,
        Regularizer(l2=0.01),
        Regularizer(dropout=0.1),
    )
    network: Network = field(default_factory=lambda: Network((64, *[100] * 6, 10)))
    optimizer: OptimizerConfig = field(
        default_factory=lambda: OptimizerConfig(Choice("sgd", {"lr": 0.05}))
    )
    dataset: Choice = Choice("digits")
    split: Split = Split(300, True)
    batch: int = 100
    iterations: int = 903
    seeds: tuple[int, ...] = (0, 1, 2)

    @property
    def epoch(self) -> float:
        """Iterations in which as many rows are drawn as there are."""
        return self.split.rows / self.batch

    @property
    def trainings(self) -> list[Training]:
        """One for each regularizer: the same starts, the same mini-batches."""
        return [
            Training(
                replace(self.network, dropout=regularizer.dropout),
                self.optimizer if regularizer.optimizer is None else OptimizerConfig(regularizer.optimizer),
                self.dataset, self.split, self.batch, self.iterations, self.seeds, eval_every=ASSESS,
                penalty=Penalty(regularizer.l2, regularizer.l1),
            )
            for regularizer in self.regularizers
        ]  # fmt: skip


def check(scene: Regularization) -> None:
    """SpecError where what comes from outside could not have been set on the page."""
    if not 1 <= len(scene.regularizers) <= MAX_REGULARIZERS:
        raise SpecError(f"one to {MAX_REGULARIZERS} regularizers, not {len(scene.regularizers)}")
    if scene.network.dropout:
        raise SpecError("dropout belongs to a regularizer, not to the network that all share")
    for training in scene.trainings:
        check_training(training)


# Figures 6.20, 6.21 and 6.23 of Saitoh, Deep Learning from Scratch: its rate, λ and ratio. The book takes MNIST's
# first 300 rows and all of its test; of the shipped digits these are 300 random rows, tested on the same writers.
BOOK = Regularization(
    (BASELINE, Regularizer(l2=0.1), Regularizer(dropout=0.15)), optimizer=OptimizerConfig(Choice("sgd", {"lr": 0.01})), split=Split(300), iterations=603,
)  # fmt: skip
WRITERS = Regularization(
    (BASELINE, Regularizer(l2=0.01), Regularizer(dropout=0.1), Regularizer(l2=0.01, dropout=0.1))
)
LABELS = Regularization(
    (BASELINE, Regularizer(l2=0.02), Regularizer(dropout=0.15)), split=Split(300, noise=0.2), iterations=1203,
)  # fmt: skip
NORMS = Regularization(
    (BASELINE, Regularizer(l2=0.01), Regularizer(l1=0.0003), Regularizer(l1=0.001))
)
# Adam alone, with λ in its loss, and with the same λ outside of it.
_ADAM = Choice("adam", {"lr": 0.001})
ADAM = Regularization((
    Regularizer(optimizer=_ADAM), Regularizer(l2=0.1, optimizer=_ADAM), Regularizer(optimizer=Choice("adamw", {"lr": 0.001, "weight_decay": 0.1})),
))  # fmt: skip


def name(regularizer: Regularizer) -> str:
    """What a regularizer is called, by what it sets."""
    own, parts = regularizer.optimizer, []
    if regularizer.l2:
        parts.append(f"L2 {regularizer.l2:g}" if own else f"weight decay {regularizer.l2:g}")
    if regularizer.l1:
        parts.append(f"L1 {regularizer.l1:g}")
    if regularizer.dropout:
        parts.append(f"dropout {regularizer.dropout:g}")
    if own:
        decay = getattr(own.build(OPTIMIZERS), "weight_decay", 0.0)
        parts.insert(0, OPTIMIZERS[own.key].label + (f", decay {decay:g}" if decay else ""))
    return " + ".join(parts) or "no regularizer"


def names(regularizers: tuple[Regularizer, ...]) -> list[str]:
    """A name for each; of equal ones the second is “… (2)”."""
    found = [name(regularizer) for regularizer in regularizers]
    return [
        n if found.index(n) == i else f"{n} ({found[: i + 1].count(n)})"
        for i, n in enumerate(found)
    ]


class Outcome(NamedTuple):
    """How a training stands, seed by seed; NaN where a seed has diverged."""

    training: (
        np.ndarray
    )  # (S,) accuracy on the rows that it learned from, by the labels that it was given
    test: np.ndarray  # (S,) accuracy on rows that it has not seen

    @property
    def gap(self) -> np.ndarray:
        """(S,) by how much it is better on what it knows."""
        return self.training - self.test


def outcomes(progresses: list[Progress]) -> tuple[int, list[Outcome]]:
    """By the accuracies at the last iteration at which all were looked at: that iteration, and how each stood."""
    at = set.intersection(*(set(now.evaluated.tolist()) for now in progresses))
    last = max(at)
    return int(last), [
        Outcome(*now.accuracy[np.flatnonzero(now.evaluated == last)[-1], :, 0])
        for now in progresses
    ]


class Paired(NamedTuple):
    """The differences of a regularizer to the first one, seed by seed: each pair has one start and the same mini-batches."""

    gap: float  # median differences
    training: float
    test: float
    tests: np.ndarray  # (n,) of the test accuracy, where both are finite
    better: int  # of these n

    @property
    def worse(self) -> int:
        return int((self.tests < 0).sum())


def paired(first: Outcome, other: Outcome) -> Paired:
    """What the other does differently; NaN where no seed of both is left."""
    both = np.isfinite(first.test) & np.isfinite(other.test)
    of = [
        (there - here)[both]
        for here, there in (
            (first.gap, other.gap),
            (first.training, other.training),
            (first.test, other.test),
        )
    ]
    medians = [float(np.median(d)) if len(d) else float("nan") for d in of]
    return Paired(*medians, of[2], int((of[2] > 0).sum()))


def weights(training: Training, params) -> np.ndarray:
    """All weights of all layers `(..., n)` of parameters `(..., P)`, without the biases."""
    views = training.network.views(params)
    lead = params.shape[:-1]
    return np.concatenate([views[i]["W"].reshape(*lead, -1) for i in training.network.affine], -1)


class Weights(NamedTuple):
    """What is said of the weights of several seeds: medians over them."""

    norm: float  # √ΣW²
    spread: float  # standard deviation
    largest: float
    tiny: float  # share below TINY


def described(w) -> Weights:
    """Of weights `(S, n)`; of those that have diverged nothing is said."""
    w = w[np.isfinite(w).all(-1)].astype(float)
    if not len(w):
        return Weights(*[float("nan")] * 4)
    size = np.abs(w)
    of = np.linalg.norm(w, axis=-1), w.std(-1), size.max(-1), (size < TINY).mean(-1)
    return Weights(*(float(np.median(v)) for v in of))


def memorized(now: Progress, data, right) -> np.ndarray:
    """Which share `(S,)` of the wrong labels each network gives back; NaN where it has diverged, or none is wrong.

    `right` are the labels `(N,)` before some were made wrong.
    """
    wrong = data.t != right
    if not wrong.any():
        return np.full(len(now.training.seeds), np.nan)
    with np.errstate(all="ignore"):
        return now.training.network.accuracy(now.params[0], data.x[wrong], data.t[wrong])


class Forms(NamedTuple):
    """One row of numbers through the two forms of dropout, each `(n,)`."""

    x: np.ndarray
    mask: np.ndarray  # 1 where a number stays
    inverted_training: np.ndarray
    inverted_evaluation: np.ndarray
    book_training: np.ndarray
    book_evaluation: np.ndarray


def two_forms(x, ratio: float, seed: int = 0) -> Forms:
    """Numbers `(n,)` through the layer, which scales while it trains, and as the book does, which scales afterwards."""
    layer, x = Dropout(ratio), np.asarray(x, float)
    there, kept = layer.forward({}, x[None, None], Mode(True, (seed,)))
    after, _ = layer.forward({}, x[None, None], EVALUATION)
    mask = (kept[0, 0] > 0).astype(float)
    return Forms(x, mask, there[0, 0], after[0, 0], mask * x, (1 - ratio) * x)
