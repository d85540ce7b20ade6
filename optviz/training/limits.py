"""What a training from outside may ask for."""

import numpy as np

from optviz.data import DATASETS, SHAPES
from optviz.nn import (
    ACTIVATIONS,
    DTYPES,
    INITIALIZERS,
    PLACES,
    Network,
)
from optviz.optim import OPTIMIZERS
from optviz.optim.config import check_optimizer
from optviz.optim.hyperparameter import hyperparameters
from optviz.spec import Choice, SpecError
from optviz.training.spec import INPUTS, Training

MAX_ITERATIONS, MAX_SEED, MAX_SEEDS, MAX_LAYERS, MAX_UNITS, MAX_BATCH = 20_000, 9999, 20, 12, 1000, 2000
MAX_TRIALS = 200
MAX_NUMBERS = 10**8  # that a training holds at once
MAX_PENALTY, MAX_DROPOUT, MAX_NOISE = 10.0, 0.95, 0.95


def unsuited(key: str, network: Network) -> str:
    """Why the optimizer cannot train the network, in a sentence; empty where it can."""
    if not OPTIMIZERS[key].dense:
        return ""
    p, bytes_ = network.size, np.dtype(DTYPES[network.dtype]).itemsize
    size = p * p * bytes_ / 1e9
    held = f", {size:,.1f} GB" if size >= 0.1 else ""
    return (
        f"{OPTIMIZERS[key].label} works with a matrix of P × P numbers, which a network does not form: "
        f"for the {p:,} parameters of this one {p * p:,}{held}."
    )


def check(training: Training) -> None:
    """SpecError where a training from outside could not have been set on a page."""
    net = training.network
    net.activation.check(ACTIVATIONS, "activation")
    for rule in (net.initializer, *training.initializers):
        rule.check(INITIALIZERS, "initializer")
    for name, value, known in (
        ("place of batch normalization", net.normalize, PLACES),
        ("inputs", training.inputs, INPUTS),
    ):
        if value not in known:
            raise SpecError(f"{name} is one of {', '.join(filter(None, known))}, not {value[:30]!r}")
    if net.dtype not in DTYPES:
        raise SpecError(f"numbers are {' or '.join(DTYPES)}, not {net.dtype[:30]!r}")
    for name, value, low, high in (
        ("number of layers", len(net.sizes) - 1, 1, MAX_LAYERS + 1),
        *(("size of a layer", n, 1, MAX_UNITS) for n in net.sizes),
        ("batch", training.batch, 1, MAX_BATCH),
        ("iterations", training.iterations, 0, MAX_ITERATIONS),
        ("number of seeds", len(training.seeds), 1, MAX_SEEDS),
        *(("seed", seed, 0, MAX_SEED) for seed in (*training.seeds, training.split.seed)),
        ("rows for training", training.split.rows, 1, 10**6),
        ("iterations between two accuracies", training.eval_every, 1, MAX_ITERATIONS),
        ("iterations between two snapshots", training.snapshot_every, 0, MAX_ITERATIONS),
        ("dropout", net.dropout, 0, MAX_DROPOUT),
        ("share of wrong labels", training.split.noise, 0, MAX_NOISE),
        ("l2", training.penalty.l2, 0, MAX_PENALTY),
        ("l1", training.penalty.l1, 0, MAX_PENALTY),
        ("number of trials", len(training.trials), 0, MAX_TRIALS),
    ):
        if not low <= value <= high:
            raise SpecError(f"{name} is from {low} to {high}, not {value}")
    dataset = DATASETS.get(training.dataset.key)
    if dataset is None:
        raise SpecError(f"there is no dataset {training.dataset.key[:30]!r}")
    shape = None
    if dataset.key in SHAPES:
        training.dataset.check(SHAPES, "dataset")
        shape = training.dataset.build(SHAPES)
    elif training.dataset.values:
        raise SpecError(f"the dataset {dataset.key} has no hyperparameters")
    n = dataset.rows or shape.points
    if training.split.rows >= n:
        raise SpecError(f"rows for training are fewer than the {n} that there are, not {training.split.rows}")
    inputs, classes = dataset.features, len(dataset.labels) or shape.classes
    if (net.sizes[0], net.sizes[-1]) != (inputs, classes):
        raise SpecError(
            f"the data have {inputs} inputs and {classes} classes, the network {net.sizes[0]} and {net.sizes[-1]}"
        )
    if training.optimizer.fork or training.optimizer.initial_points:
        raise SpecError("a network is trained without forks and further starts")
    check_optimizer(training.optimizer)
    _check_trials(training)
    if why := unsuited(training.optimizer.method.key, net):
        raise SpecError(why)
    if (numbers := held_numbers(training)) > MAX_NUMBERS:
        raise SpecError(f"so many and large networks are {numbers:,} numbers at a time; {MAX_NUMBERS:,} are the most")


def _check_trials(training):
    if training.trials and training.initializers:
        raise SpecError("a training compares initializers or trials, not both")
    optimizer = training.optimizer.method
    for trial in training.trials:
        Choice(optimizer.key, optimizer.values | trial.hyperparameters).check(OPTIMIZERS, "optimizer")
        if any(k.kind is not float for k in hyperparameters(OPTIMIZERS[optimizer.key]) if k.name in trial.hyperparameters):
            raise SpecError("trials differ in hyperparameters that are numbers with a point")
        if trial.l2 is not None and not 0 <= trial.l2 <= MAX_PENALTY:
            raise SpecError(f"l2 is from 0 to {MAX_PENALTY:g}, not {trial.l2:g}")
        if trial.initializer is not None:
            trial.initializer.check(INITIALIZERS, "initializer")


def held_numbers(training):
    """How many numbers there are at a time: parameters, the optimizer's state, signals both ways, snapshots."""
    rules, seeds = training.shape
    p = training.network.size
    per_parameter = 1 + sum(np.size(v) for v in training.optimizer.build().init(np.zeros(1)).values())
    signals = 4 * training.batch * sum(training.network.sizes)
    snapshots = training.iterations // training.snapshot_every * p if training.snapshot_every else 0
    return rules * (seeds * (p * per_parameter + signals) + snapshots)
