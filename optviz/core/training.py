"""Training networks: the spec of it, and a loop that can be watched, stopped and taken up again."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import NamedTuple

import numpy as np

from optviz.core.datasets import DATASETS, SHAPES, SOURCES, digits, load_mnist, other_writers, split
from optviz.core.experiments.trajectories import Problem, Racer, Scene
from optviz.core.experiments.trajectories import check as check_scene
from optviz.core.networks import (
    ACTIVATIONS,
    BATCHES,
    DTYPES,
    INITIALISERS,
    MiniBatch,
    Mode,
    Network,
    one_hot,
    stream,
)
from optviz.core.optimizers import OPTIMIZERS
from optviz.core.schedules import SCHEDULES
from optviz.core.spec import Part, SpecError

MOST_ITERATIONS, MOST_SEED, MOST_SEEDS, MOST_LAYERS, MOST_UNITS, MOST_BATCH = 20_000, 9999, 20, 12, 1000, 2000
MOST_NUMBERS = 10**8  # that a training holds at once
ASSESSED = 2000  # rows at most, the first of each half, on which the accuracy is measured on the way
# The C library (glibc) gives what a step leaves over back to the system, and asks for it again, page by page, at
# the next one: half of a batch's time. It holds on to twice the largest block that it has seen come and go.
HOLD = 30 << 20


class Data(NamedTuple):
    """Rows to learn from and rows to be judged by."""

    x: np.ndarray  # (N, inputs)
    t: np.ndarray  # (N,) int
    x_test: np.ndarray  # (M, inputs)
    t_test: np.ndarray  # (M,) int


@dataclass(frozen=True)
class Split:
    """Which rows are for training: a random choice by the seed, or the first, with other writers in the test."""

    rows: int = 1500  # for training
    first: bool = False
    seed: int = 0

    def of(self, x, t) -> Data:
        """The two parts of rows `(N, inputs)` and labels `(N,)`. ValueError where no row would be left."""
        if not 1 <= self.rows < len(x):
            raise ValueError(f"of {len(x)} rows 1 to {len(x) - 1} can be for training, not {self.rows}")
        here, there = other_writers(x, t, self.rows) if self.first else split(x, t, self.rows, seed=self.seed)
        return Data(*here, *there)


@dataclass(frozen=True)
class Training:
    """Everything that the numbers of a training depend on: equal trainings give equal numbers.

    It is a batch of networks `(initialisers, seeds)`. A seed decides the initial weights and the
    mini-batches, so that every initialiser and every optimizer meets the same ones. `initialisers` are
    compared in place of the network's own; without any it is alone.
    """

    network: Network = field(default_factory=Network)
    racer: Racer = field(default_factory=lambda: Racer(Part("sgd", {"lr": 0.01})))
    dataset: Part = Part("digits")
    split: Split = Split()
    batch: int = 128
    iterations: int = 300
    seeds: tuple[int, ...] = (0,)
    initialisers: tuple[Part, ...] = ()
    assess: int = 25  # iterations between two measurements of the accuracy
    keep: int = 0  # iterations between two snapshots of the parameters, 0 for none

    @property
    def shape(self) -> tuple[int, int]:
        """Of the batch of networks."""
        return len(self.initialisers) or 1, len(self.seeds)

    def start(self) -> np.ndarray:
        """The parameters `(initialisers, seeds, P)` to set out from."""
        rules = self.initialisers or (self.network.initialiser,)
        return np.stack([np.stack([self.network.init(seed, rule) for seed in self.seeds]) for rule in rules])

    def rows(self, iteration: int, n: int) -> np.ndarray:
        """Which of n rows are in the mini-batch, `(seeds, batch)`: drawn anew each time, with replacement."""
        return np.stack([stream(seed, BATCHES, iteration).integers(0, n, self.batch) for seed in self.seeds])


def unsuited(key: str, network: Network) -> str:
    """Why the optimizer cannot train the network, in a sentence; empty where it can."""
    if not OPTIMIZERS[key].dense:
        return ""
    p, bytes_ = network.size, np.dtype(DTYPES[network.dtype]).itemsize
    return (
        f"{OPTIMIZERS[key].label} works with a matrix of P × P numbers: "
        f"for the {p:,} parameters of this network {p * p * bytes_ / 1e9:,.1f} GB."
    )


def check(training: Training) -> None:
    """SpecError where a training from outside could not have been set on a page."""
    net = training.network
    net.activation.check(ACTIVATIONS, "activation")
    for rule in (net.initialiser, *training.initialisers):
        rule.check(INITIALISERS, "initialiser")
    if net.dtype not in DTYPES:
        raise SpecError(f"numbers are {' or '.join(DTYPES)}, not {net.dtype[:30]!r}")
    for name, value, low, high in (
        ("number of layers", len(net.sizes) - 1, 1, MOST_LAYERS + 1),
        *(("size of a layer", n, 1, MOST_UNITS) for n in net.sizes),
        ("batch", training.batch, 1, MOST_BATCH),
        ("iterations", training.iterations, 0, MOST_ITERATIONS),
        ("number of seeds", len(training.seeds), 1, MOST_SEEDS),
        *(("seed", seed, 0, MOST_SEED) for seed in (*training.seeds, training.split.seed)),
        ("rows for training", training.split.rows, 1, 10**6),
        ("iterations between two accuracies", training.assess, 1, MOST_ITERATIONS),
        ("iterations between two snapshots", training.keep, 0, MOST_ITERATIONS),
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
    elif training.dataset.knobs:
        raise SpecError(f"the dataset {dataset.key} has no knobs")
    n = dataset.rows or shape.points
    if training.split.rows >= n:
        raise SpecError(f"rows for training are fewer than the {n} that there are, not {training.split.rows}")
    inputs, classes = dataset.features, len(dataset.labels) or shape.classes
    if (net.sizes[0], net.sizes[-1]) != (inputs, classes):
        raise SpecError(
            f"the data have {inputs} inputs and {classes} classes, the network {net.sizes[0]} and {net.sizes[-1]}"
        )
    if training.racer.fork or training.racer.starts:
        raise SpecError("a network is trained without forks and further starts")
    check_scene(Scene(Problem(), (training.racer,)))
    if why := unsuited(training.racer.optimizer.key, net):
        raise SpecError(why)
    if (numbers := held_numbers(training)) > MOST_NUMBERS:
        raise SpecError(f"so many and large networks are {numbers:,} numbers at a time; {MOST_NUMBERS:,} are the most")


def held_numbers(training):
    """How many numbers there are at a time: parameters, the optimizer's state, signals both ways, snapshots."""
    rules, seeds = training.shape
    p = training.network.size
    per_parameter = 1 + sum(np.size(v) for v in training.racer.build().init(np.zeros(1)).values())
    signals = 4 * training.batch * sum(training.network.sizes)
    snapshots = training.iterations // training.keep * p if training.keep else 0
    return rules * (seeds * (p * per_parameter + signals) + snapshots)


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a training has come: a value, from which it goes on. Nothing in it is changed later.

    A network whose loss or parameters leave the finite numbers has ended: all that is said of it from
    the iteration in `diverged_at` on is NaN. (I, S) is the shape of the batch of networks.
    """

    training: Training
    iteration: int  # updates that are done
    params: np.ndarray  # (I, S, P)
    state: dict  # the optimizer's
    loss: np.ndarray  # (iteration, I, S): of each mini-batch before the update that it led to
    seconds: np.ndarray  # (iteration,): for how long the updates had then taken
    diverged_at: np.ndarray  # (I, S) int, -1 where it did not
    assessed: np.ndarray  # (k,) iterations, those of the accuracies
    accuracy: np.ndarray  # (k, 2, I, S): on training rows and on the others
    snapshots: dict[int, np.ndarray]  # iteration -> parameters (I, P) of the first seed

    @property
    def done(self) -> bool:
        """Whether no update is left."""
        return self.iteration >= self.training.iterations


def load(training: Training) -> Data:
    """The training's data, split. ValueError where they are not at hand or the set is too small for the split.

    MNIST and Fashion-MNIST come split: of their 60,000 rows for training so many are taken as the split says.
    """
    key = training.dataset.key
    if key in SOURCES:
        learn, examine = load_mnist(key=key)
        return Data(*(part[: training.split.rows] for part in learn), *examine)
    made = key in SHAPES
    return training.split.of(*(training.dataset.build(SHAPES).sample(training.split.seed) if made else digits()))


def begin(training: Training, data: Data) -> Progress:
    """Before the first update. ValueError where the data do not fit the network."""
    inputs, classes = training.network.sizes[0], training.network.sizes[-1]
    if data.x.shape[-1] != inputs:
        raise ValueError(f"the data have {data.x.shape[-1]} inputs, the network {inputs}")
    if max(data.t.max(), data.t_test.max()) >= classes:
        raise ValueError(f"the data have more classes than the network's {classes} outputs")
    with np.errstate(all="ignore"):
        params = training.start()
        state = _narrow(training.racer.build().init(params), params.dtype)
    none, shape = np.empty(0), training.shape
    now = Progress(
        training, 0, params, state, np.empty((0, *shape)), none, np.full(shape, -1),
        none.astype(int), np.empty((0, 2, *shape)), {},
    )  # fmt: skip
    return _looked_at(now, data)


def advance(now: Progress, data: Data, steps: int) -> Progress:
    """The progress after so many more updates, or as many as are left."""
    training, done = now.training, now.iteration
    steps = max(0, min(steps, training.iterations - done))
    if not steps:
        return now
    np.empty(HOLD, np.uint8)
    opt = training.racer.build()
    schedules = {name: part.build(SCHEDULES) for name, part in training.racer.schedules.items()}
    loss, seconds = np.full((steps, *training.shape), np.nan), np.zeros(steps)
    params, state, ended = now.params, now.state, now.diverged_at.copy()
    for i in range(steps):
        if (ended >= 0).all():
            break
        began, t = perf_counter(), done + i
        with np.errstate(all="ignore"):  # what is not finite is found below, and named
            rated = opt
            for name, factor in schedules.items():
                rated = rated.scaled(name, float(factor(t)))
            batch = mini_batch(training, data, t)
            after, state = (_narrow(held, params.dtype) for held in rated.step(batch, params, state))
            loss[i] = batch.value(params)
        ended[(ended < 0) & ~np.isfinite(loss[i])] = t
        ended[(ended < 0) & ~np.isfinite(after).all(-1)] = t + 1
        if (ended >= 0).any():
            loss[i, (ended >= 0) & (ended <= t)] = np.nan
            after[ended >= 0] = np.nan
        params = after
        seconds[i] = perf_counter() - began
    before = now.seconds[-1] if done else 0.0
    after = replace(
        now, iteration=done + steps, params=params, state=state, diverged_at=ended,
        loss=np.concatenate([now.loss, loss]), seconds=np.concatenate([now.seconds, before + np.cumsum(seconds)]),
    )  # fmt: skip
    return _looked_at(after, data)


def mini_batch(training: Training, data: Data, iteration: int) -> MiniBatch:
    """What is to be minimised at an iteration: a function of the parameters `(initialisers, seeds, P)`."""
    net = training.network
    rows = training.rows(iteration, len(data.x))
    x = data.x[rows].astype(DTYPES[net.dtype], copy=False)
    y = one_hot(data.t[rows], net.sizes[-1], x.dtype)
    return MiniBatch(net, x, y, Mode(True, training.seeds, iteration))


def train(training: Training, data: Data | None = None, since: Progress | None = None) -> Iterator[Progress]:
    """The progress at the beginning and at every measurement of the accuracy, to the last iteration.

    To stop is to ask for no more; to go on is to hand in the last progress as `since`, also with more
    iterations to do (`replace(progress, training=longer)`). The numbers are those of a training in one go.
    """
    data = load(training) if data is None else data
    now = since or begin(training, data)
    yield now
    while not now.done:
        for t in range(now.iteration + 1, training.iterations + 1):
            if t % training.assess == 0 or _kept(training, t) or t == training.iterations:
                break
        now = advance(now, data, t - now.iteration)
        yield now


def _kept(training, t):
    return training.keep > 0 and t % training.keep == 0


def _looked_at(now, data):
    """With the accuracy and a snapshot, where it is time for one."""
    training, t = now.training, now.iteration
    if t % training.assess == 0 or now.done:
        dtype = DTYPES[training.network.dtype]
        with np.errstate(all="ignore"):
            found = [
                training.network.accuracy(now.params, x[:ASSESSED].astype(dtype), labels[:ASSESSED])
                for x, labels in ((data.x, data.t), (data.x_test, data.t_test))
            ]
        now = replace(
            now, assessed=np.append(now.assessed, t), accuracy=np.concatenate([now.accuracy, np.stack(found)[None]])
        )
    if _kept(training, t):
        now = replace(now, snapshots={**now.snapshots, t: now.params[:, 0].copy()})
    return now


def _narrow(held, dtype):
    """A point or a state in the network's precision. An optimizer's float64 numbers would else widen all that
    they touch; as Python's they keep their digits and do not.
    """
    if isinstance(held, dict):
        return {k: _narrow(v, dtype) for k, v in held.items()}
    if isinstance(held, np.ndarray) and held.ndim:
        return held.astype(dtype, copy=False) if held.dtype.kind == "f" else held
    return float(held) if isinstance(held, np.floating) else held


def smoothed(loss, window: int = 11, beta: float = 2.0) -> np.ndarray:
    """Curves `(T, ...)` under a sliding Kaiser window, as the book shows them, mirrored at the ends.

    What follows a NaN is NaN. (Saitoh 2016, Deep Learning from Scratch, common/util.py.)
    """
    loss = np.asarray(loss, float)
    weights = np.kaiser(window, beta) / np.kaiser(window, beta).sum()
    smooth, half = np.full(loss.shape, np.nan), window // 2
    for at in np.ndindex(loss.shape[1:]):
        curve = loss[:, *at]
        lost = ~np.isfinite(curve)
        n = int(lost.argmax()) if lost.any() else len(curve)
        if n:
            mirrored = np.pad(np.pad(curve[:n], (half, 0), "reflect"), (0, half), "symmetric")
            smooth[:n, *at] = np.convolve(mirrored, weights, "valid")
    return smooth


def confusion(t, predicted, classes: int) -> np.ndarray:
    """How often each class `(…)` was taken for which, `(classes, classes)`, rows are the truth."""
    pairs = np.asarray(t).ravel() * classes + np.asarray(predicted).ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def rank(w, least: float = 1e-6) -> int:
    """How many directions a matrix tells apart: its singular values above that share of the largest.

    The share leaves out rounding, of which a little is everywhere. 0 for zeros and for what is not finite.
    """
    if not np.isfinite(w).all():
        return 0
    strengths = np.linalg.svd(w, compute_uv=False)
    return int((strengths > least * strengths[0]).sum())
