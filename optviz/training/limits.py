"""What experiments may ask of a training: the settings that all share, and their limits."""

from dataclasses import dataclass, fields, replace

import numpy as np

from optviz.data import DATASETS, SIZED, size_of
from optviz.nn import DTYPES, INITIALIZERS, Network, Penalty
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.spec import Choice, SpecError, validate
from optviz.training.cost import measurement_cost
from optviz.training.spec import MAX_SEED, VALIDATION, Split, Training

MAX_NUMBERS = 10**8  # that a training holds at once
MAX_MEASURING = 3  # seconds that one measurement of it may take, roughly


@dataclass(frozen=True)
class TrainingSettings:
    """What the experiments with trainings set alike. One that asks for other defaults declares the
    field again. Its property `trainings` is what they come to.
    """

    network: Network = Network()
    dataset: Choice = Choice("digits")
    split: Split = Split(validation=VALIDATION)
    batch: int = hyperparameter(128, 1, 2000, "B", log=True, help="examples in a mini-batch")
    iterations: int = hyperparameter(300, 10, 5000, "T", log=True, help="updates of every network")
    seeds: tuple[int, ...] = (0,)

    @property
    def epoch(self) -> float:
        """Iterations in which as many examples are drawn as there are for training."""
        return self.split.rows / self.batch

    def training(self, optimizer: OptimizerConfig, **overrides) -> Training:
        """The training of one network with these settings."""
        settings = {f.name: getattr(self, f.name) for f in fields(TrainingSettings)}
        return Training(**{**settings, "optimizer": optimizer, **overrides})

    def validate(self) -> None:
        """SpecError where one of the experiment's `trainings` cannot be done."""
        for training in self.trainings:
            check(training)


def why_unsuited(key: str, network: Network) -> str:
    """Why the optimizer cannot train the network, in a sentence; empty where it can."""
    cls, p = OPTIMIZERS[key], network.size
    if not cls.dense:
        return ""
    size = p * p * np.dtype(DTYPES[network.dtype]).itemsize / 1e9
    memory = f", {size:,.1f} GB" if size >= 0.1 else ""
    return (
        f"{cls.label} works with {cls.dense}, about P × P numbers: "
        f"with the {p:,} parameters of this network, {p * p:,}{memory}."
    )


def check(training: Training) -> None:
    """SpecError where a training from outside could not have been set on a page."""
    validate(training)
    for seed in training.seeds:
        if not 0 <= seed <= MAX_SEED:
            raise SpecError(f"a seed is from 0 to {MAX_SEED}, not {seed}")
    net = training.network
    dataset = DATASETS.get(training.dataset.key)
    if dataset is None:
        raise SpecError(f"there is no dataset {training.dataset.key[:30]!r}")
    if dataset.key in SIZED:
        training.dataset.check(SIZED, "dataset")
    elif training.dataset.values:
        raise SpecError(f"the dataset {dataset.key} has no hyperparameters")
    n, inputs, classes = size_of(training.dataset)
    if training.split.rows >= n:
        raise SpecError(
            f"rows for training must be fewer than the {n} available, not {training.split.rows}"
        )
    if (net.sizes[0], net.sizes[-1]) != (inputs, classes):
        raise SpecError(
            f"the data have {inputs} inputs and {classes} classes, but the network has "
            f"{net.sizes[0]} and {net.sizes[-1]}"
        )
    _check_trials(training)
    for config in training.optimizer.lineage:
        if config.initial_points:
            raise SpecError("a network cannot be trained from more than one start")
        if why := why_unsuited(config.method.key, net):
            raise SpecError(why)
    lineage = (replace(training, optimizer=config) for config in training.optimizer.lineage)
    if (numbers := max(map(count_numbers, lineage))) > MAX_NUMBERS:
        raise SpecError(
            f"this many networks of this size hold {numbers:,} numbers at a time; "
            f"{MAX_NUMBERS:,} are allowed"
        )
    if (seconds := measurement_cost(training)) > MAX_MEASURING:
        raise SpecError(
            f"measuring this many networks of this size once takes about {seconds:.0f} s; "
            f"{MAX_MEASURING} s are allowed"
        )


def _check_trials(training):
    if training.trials and training.optimizer.fork:
        raise SpecError("trials cannot have forks")
    if training.trials and training.initializers:
        raise SpecError("a training compares initializers or trials, not both")
    optimizer = training.optimizer.method
    for trial in training.trials:
        Choice(optimizer.key, optimizer.values | trial.hyperparameters).check(
            OPTIMIZERS, "optimizer"
        )
        if any(
            k.kind is not float
            for k in hyperparameters(OPTIMIZERS[optimizer.key])
            if k.name in trial.hyperparameters
        ):
            raise SpecError("trials can differ only in real-valued hyperparameters")
        if trial.l2 is not None:
            validate(Penalty(trial.l2))
        if trial.initializer is not None:
            trial.initializer.check(INITIALIZERS, "initializer")


def count_numbers(training):
    """How many numbers are held at a time: parameters, the optimizer's state, activations and
    their gradients, snapshots.
    """
    rules, seeds = training.shape
    p = training.network.size
    per_parameter = 1 + sum(
        np.size(v) for v in training.optimizer.build().init(np.zeros(1)).values()
    )
    signals = 4 * training.batch_size * sum(training.network.sizes)
    snapshots = training.iterations // training.snapshot_every * p if training.snapshot_every else 0
    return rules * (seeds * (p * per_parameter + signals) + snapshots)
