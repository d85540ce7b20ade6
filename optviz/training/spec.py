"""What is trained, on what, and how long: the spec of a training."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from optviz.data import OWN, SIZED, SOURCES, TOY_SETS, digits, load_mnist, standardize
from optviz.nn import BATCHES, DTYPES, INITIALIZERS, LABELS, Network, Penalty, stream
from optviz.optim import OPTIMIZERS, Optimizer
from optviz.optim.base import setting, with_hyperparameter
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import Hyperparameter, hyperparameter
from optviz.optim.minimize import Segment
from optviz.spec import Choice, choice, items, option

MAX_ITERATIONS, MAX_SEED = 20_000, 9999
VALIDATION = 0.5  # of the rows that are not for training, where pages judge
SEEDS = Hyperparameter(
    "seeds", 1, 1, 10, help="trainings of each, with different initial weights and mini-batches"
)
# How the inputs are handed to the network, and what that does to rows of training and others.
INPUTS = {
    "given": "between 0 and 1",
    "raw": "the source's own values, 0 to 16 for digits",
    "centered": "between 0 and 1, with mean 0 in each feature of the training set",
    "standardized": "mean 0 and variance 1 in each feature of the training set",
    "offset": "5 added to all",
}
LOSS_NAMES = {"cross_entropy": "Cross-entropy", "squared_error": "Squared error"}
COUNTS = {"digits": 16.0, "mnist": 255.0, "fashion": 255.0}  # the source's largest pixel value


class Data(NamedTuple):
    """Rows to learn from, and rows to be judged by: the validation set, or in the end the test."""

    x: np.ndarray  # (N, inputs)
    t: np.ndarray  # (N,) int
    x_test: np.ndarray  # (M, inputs)
    t_test: np.ndarray  # (M,) int


@dataclass(frozen=True)
class Split:
    """Which rows are for training: a random choice by the seed, or the first.

    The digits stand in the order in which they were collected: after the first ones most of the
    test is in hands that were never seen, a harder question and nearer to life. A share `noise` of
    the labels for training is wrong, those of the test are right.
    """

    rows: int = hyperparameter(
        1500, 1, 60_000, label="examples", help="examples for training; the rest is for testing"
    )
    first: bool = False
    seed: int = hyperparameter(0, 0, MAX_SEED, help="a new seed picks new examples")
    noise: float = hyperparameter(
        0.0,
        0.0,
        0.95,
        label="label noise",
        help="share of the training labels that are wrong; test labels stay correct",
        valid="[0, 1]",
    )

    validation: float = hyperparameter(
        0.0,
        0.0,
        0.9,
        help="share of the other examples that form the validation set, by which curves and "
        "verdicts go; the rest is the test set, for the end. At 0 they go by all of them, as "
        "in the notes",
    )

    def partition(self, x, t, final: bool = False) -> Data:
        """Rows `(N, inputs)` and labels `(N,)` split in two, as `with_holdout` says. ValueError
        where one part would be empty.
        """
        n = len(x)
        if not 1 <= self.rows < n:
            raise ValueError(f"of {n} rows 1 to {n - 1} can be for training, not {self.rows}")
        order = np.arange(n) if self.first else np.random.default_rng(self.seed).permutation(n)
        train, rest = order[: self.rows], order[self.rows :]
        data = Data(x[train], t[train], x[rest], t[rest])
        return self.with_holdout(self.with_label_noise(data), final)

    def with_holdout(self, data: Data, final: bool = False) -> Data:
        """The data with the validation set to be judged by, or at the end (`final`) the test set:
        the first of the rows that are not for training, or the others; all without validation.
        """
        n = round(self.validation * len(data.t_test))
        if not 0 < n < len(data.t_test):
            return data
        part = slice(n, None) if final else slice(n)
        return data._replace(x_test=data.x_test[part], t_test=data.t_test[part])

    def with_label_noise(self, data: Data) -> Data:
        """The data with so many wrong training labels, each another class than the right one."""
        wrong = round(self.noise * len(data.t))
        if not wrong:
            return data
        rng, t = stream(self.seed, LABELS), np.array(data.t)
        classes = int(max(data.t.max(), data.t_test.max())) + 1
        which = rng.permutation(len(t))[:wrong]
        t[which] = (t[which] + rng.integers(1, classes, wrong)) % classes
        return data._replace(t=t)


@dataclass(frozen=True)
class Trial:
    """Settings of one network of a batch, in place of the training's."""

    hyperparameters: dict[str, float] = field(default_factory=dict)  # of the optimizer
    l2: float | None = None
    initializer: Choice | None = None


@dataclass(frozen=True)
class Training:
    """Everything that the numbers of a training depend on: equal trainings give equal numbers.

    It is a batch of networks `(trials, seeds)`. A seed decides the initial weights, the
    mini-batches and what dropout leaves out, so that every trial and every optimizer meets the same
    ones. `trials` differ in what each says of itself, `initializers` in the initial weights alone;
    without any there is one network per seed.
    """

    network: Network = Network()
    optimizer: OptimizerConfig = OptimizerConfig(Choice("sgd", {"lr": 0.01}))
    dataset: Choice = Choice("digits")
    split: Split = Split()
    batch: int = hyperparameter(128, 0, 2000, help="examples in a mini-batch; 0: all of them")
    iterations: int = hyperparameter(300, 0, MAX_ITERATIONS)
    seeds: tuple[int, ...] = items((0,), 1, 20, "seeds")
    initializers: tuple[Choice, ...] = choice((), INITIALIZERS, "Initial weights")
    eval_every: int = hyperparameter(
        25, 1, MAX_ITERATIONS, help="iterations between two measurements of the accuracy"
    )
    snapshot_every: int = hyperparameter(
        0, 0, MAX_ITERATIONS, help="iterations between two snapshots, 0 for none"
    )
    penalty: Penalty = Penalty()
    loss: str = option("cross_entropy", LOSS_NAMES, "Loss")
    sharpness: int = hyperparameter(
        0, 0, 50, help="Hessian products for the sharpness at each measurement, 0 for none"
    )
    inputs: str = option("given", INPUTS, "Inputs")
    trials: tuple[Trial, ...] = items((), 0, 200, "trials")

    @property
    def epoch(self) -> float:
        """Iterations in which as many examples are drawn as there are for training."""
        return self.split.rows / self.batch_size

    @property
    def batch_size(self) -> int:
        """Examples in a mini-batch."""
        return self.batch or self.split.rows

    @property
    def shape(self) -> tuple[int, int]:
        """Of the batch of networks."""
        return len(self.trials) or len(self.initializers) or 1, len(self.seeds)

    def start(self) -> np.ndarray:
        """The initial parameters `(trials, seeds, P)`."""
        own = self.network.initializer
        rules = [trial.initializer or own for trial in self.trials] or self.initializers or (own,)
        places = [rules.index(rule) for rule in rules]
        weights = {
            i: np.stack([self.network.init(seed, rules[i]) for seed in self.seeds])
            for i in dict.fromkeys(places)
        }
        return np.stack([weights[i] for i in places])

    def rows(self, iteration: int, n: int) -> np.ndarray:
        """Which of n rows are in the mini-batch, `(seeds, batch)`: drawn anew each time, with
        replacement; or all.
        """
        if not self.batch:
            return np.tile(np.arange(n), (len(self.seeds), 1))
        return np.stack(
            [stream(seed, BATCHES, iteration).integers(0, n, self.batch) for seed in self.seeds]
        )

    def build_optimizer(self) -> Optimizer:
        """The optimizer, with a column `(trials, 1, 1)` for each hyperparameter that trials have of
        their own.
        """
        opt = self.optimizer.build()
        for name in sorted({name for trial in self.trials for name in trial.hyperparameters}):
            column = [trial.hyperparameters.get(name, setting(opt, name)) for trial in self.trials]
            column = np.array(column, DTYPES[self.network.dtype])
            opt = with_hyperparameter(opt, name, column[:, None, None])
        return opt

    @property
    def adaptive(self) -> bool:
        """Whether the size of the optimizer's steps does not follow from the gradient's."""
        family = OPTIMIZERS[self.optimizer.method.key].family
        return family not in ("first order", "momentum")

    def segments(self) -> list[Segment]:
        """Which optimizer trains from which iteration on; several where it is a fork."""
        *before, last = self.optimizer.segments()
        return [*before, last._replace(optimizer=self.build_optimizer())]

    def cost(self) -> Penalty:
        """The penalty, with a column `(trials, 1)` where trials have their own."""
        if all(trial.l2 is None for trial in self.trials):
            return self.penalty
        column = [self.penalty.l2 if trial.l2 is None else trial.l2 for trial in self.trials]
        return Penalty(np.array(column)[:, None], self.penalty.l1)


def load(training: Training, source=None, final: bool = False) -> Data:
    """The training's data, split. ValueError where they are not at hand or the set is too small for
    the split.

    MNIST and Fashion-MNIST come split: of their 60,000 rows for training so many are taken as the
    split says. `source` is where their files are, as `load_mnist` takes it, or the Examples of a
    person's own file. `final` gives the test set in place of the validation set.
    """
    key = training.dataset.key
    if key in SOURCES:
        train, test = load_mnist(source, key)
        rows = Data(*(array[: training.split.rows].copy() for array in train), *test)
        data = training.split.with_holdout(training.split.with_label_noise(rows), final)
    elif key in TOY_SETS:
        data = training.split.partition(
            *training.dataset.build(TOY_SETS).sample(training.split.seed), final
        )
    elif key == OWN:
        x, t, _labels = training.dataset.build(SIZED).match(source)
        data = training.split.partition(x, t, final)
    else:
        data = training.split.partition(*digits(), final)

    def with_inputs(transform):
        return data._replace(x=transform(data.x), x_test=transform(data.x_test))

    if training.inputs == "centered":
        mean = data.x.mean(0)
        return with_inputs(lambda x: x - mean)
    if training.inputs == "standardized" or (key == OWN and training.inputs != "raw"):
        data = with_inputs(lambda x: standardize(x, like=data.x))
    if training.inputs == "raw":
        return with_inputs(lambda x: COUNTS.get(key, 1.0) * x)
    if training.inputs == "offset":
        return with_inputs(lambda x: x + 5.0)
    return data
