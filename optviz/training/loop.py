"""The loop: a training that can be watched, stopped and resumed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from time import perf_counter

import numpy as np

from optviz.nn import (
    DTYPES,
    EVALUATION,
    LOSSES,
    MiniBatch,
    Mode,
    accuracy_score,
    one_hot,
    softmax,
    softmax_cross_entropy,
)
from optviz.optim.minimize import take_over
from optviz.training.diagnostics import diagnostics, negative_curvatures, sharpness
from optviz.training.spec import Data, Training, load

# rows at most, the first of each half, on which the accuracy is measured on the way
MAX_EVALUATED = 2000
MAX_SPECTRUM = 200  # parameters of a network all of whose curvatures are measured
# The C library (glibc) returns the memory that a step frees to the system, and asks for it again,
# page by page, at the next one: half of a batch's time. It keeps twice the largest block that was
# ever freed.
HOLD = 30 << 20


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a training has come: a value, from which it goes on. Nothing in it is changed later.

    A network whose loss or parameters leave the finite numbers has ended: all that is said of it
    from the iteration in `diverged_at` on is NaN. (I, S) is the shape of the batch of networks: I
    trials, S seeds.
    """

    training: Training
    iteration: int  # updates that are done
    params: np.ndarray  # (I, S, P)
    state: dict  # the optimizer's
    running_statistics: np.ndarray  # (I, S, R): the running statistics of batch normalization
    # of each mini-batch before the update that it led to, without the penalty
    loss: np.ndarray  # (iteration, I, S)
    seconds: np.ndarray  # (iteration,): for how long the updates had then taken
    diverged_at: np.ndarray  # (I, S) int, -1 where it did not
    evaluated: np.ndarray  # (k,) iterations, those of the accuracies
    accuracy: np.ndarray  # (k, 2, I, S): on training rows and on the others
    cross_entropy: np.ndarray  # (k, 2, I, S): mean cross-entropy on the same rows
    # of all seeds together, by the mean of their probabilities
    ensemble_accuracy: np.ndarray  # (k, 2, I)
    diagnostics: dict[str, np.ndarray]  # (k, I, S, layers): see `diagnostics`; sharpness has one
    snapshots: dict[int, np.ndarray]  # iteration -> parameters (I, P) of the first seed

    @property
    def done(self) -> bool:
        """Whether no update is left."""
        return self.iteration >= self.training.iterations


def begin(training: Training, data: Data, params=None, running_statistics=None) -> Progress:
    """Before the first update: from the training's own start, or from given parameters `(I, S, P)`
    and running statistics `(I, S, R)`. ValueError where the data do not fit the network.
    """
    inputs, classes = training.network.sizes[0], training.network.sizes[-1]
    if data.x.shape[-1] != inputs:
        raise ValueError(f"the data have {data.x.shape[-1]} inputs, but the network has {inputs}")
    if max(data.t.max(), data.t_test.max()) >= classes:
        raise ValueError(f"the data have more classes than the network's {classes} outputs")
    with np.errstate(all="ignore"):
        params = training.start() if params is None else params
        state = narrow(training.segments()[0].optimizer.init(params), params.dtype)
    empty, shape = np.empty(0), training.shape
    if running_statistics is None:
        running_statistics = np.broadcast_to(
            training.network.running_statistics(), (*shape, training.network.running_size)
        )
    progress = Progress(
        training,
        0,
        params,
        state,
        running_statistics,
        np.empty((0, *shape)),
        empty,
        np.full(shape, -1),
        empty.astype(int),
        np.empty((0, 2, *shape)),
        np.empty((0, 2, *shape)),
        np.empty((0, 2, shape[0])),
        {},
        {},
    )
    # trials that begin alike are measured once; to a sharpness each one's penalty adds
    same_start = (
        len(params) > 1
        and not training.sharpness
        and all((values == values[:1]).all() for values in (params, running_statistics))
    )
    first = select(progress, [0]) if same_start else progress
    nothing = np.full_like(first.params, np.nan)
    first = _evaluate(first, data, nothing, nothing)
    if not same_start:
        return first
    return replace(select(first, [0] * len(params)), training=training, params=params, state=state)


def advance(progress: Progress, data: Data, steps: int) -> Progress:
    """The progress after so many more updates, or as many as are left."""
    training, start = progress.training, progress.iteration
    steps = max(0, min(steps, training.iterations - start))
    if not steps:
        return progress
    np.empty(HOLD, np.uint8)
    segments = training.segments()
    past = [s for i, s in enumerate(segments) if s.step < start or not i]
    (_, opt, schedules), ahead = past[-1], segments[len(past) :]
    loss, seconds = np.full((steps, *training.shape), np.nan), np.zeros(steps)
    network = training.network
    factors = network.rate_factors(training.adaptive) if network.base_width else None
    params, state, statistics = progress.params, progress.state, progress.running_statistics
    before, gradient = params, np.full_like(params, np.nan)
    diverged_at = progress.diverged_at.copy()
    for i in range(steps):
        if (diverged_at >= 0).all():
            break
        started, t = perf_counter(), start + i
        with np.errstate(all="ignore"):  # what is not finite is found below, and named
            if ahead and ahead[0].step == t:
                earlier, ((_, opt, schedules), *ahead) = opt, ahead
                state = narrow(take_over(earlier, opt, state, params)[0], params.dtype)
            scaled = opt if factors is None else opt.scaled("lr", factors)
            for name, factor in (schedules or {}).items():
                scaled = scaled.scaled(name, float(factor(t)))
            batch = mini_batch(training, data, t)
            after, state = (narrow(a, params.dtype) for a in scaled.step(batch, params, state))
            loss[i] = batch.cross_entropy(params)
            statistics = network.updated_statistics(statistics, batch.statistics)
        diverged_at[(diverged_at < 0) & ~np.isfinite(loss[i])] = t
        diverged_at[(diverged_at < 0) & ~np.isfinite(after).all(-1)] = t + 1
        if (diverged_at >= 0).any():
            loss[i, (diverged_at >= 0) & (diverged_at <= t)] = np.nan
            after[diverged_at >= 0] = np.nan
        before, params, gradient = params, after, batch.gradient
        seconds[i] = perf_counter() - started
    elapsed = progress.seconds[-1] if start else 0.0
    after = replace(
        progress,
        iteration=start + steps,
        params=params,
        state=state,
        running_statistics=statistics,
        diverged_at=diverged_at,
        loss=np.concatenate([progress.loss, loss]),
        seconds=np.concatenate([progress.seconds, elapsed + np.cumsum(seconds)]),
    )
    return _evaluate(after, data, before, gradient)


def mini_batch(training: Training, data: Data, iteration: int) -> MiniBatch:
    """What an iteration minimizes: a function of the parameters `(trials, seeds, P)`."""
    mode = Mode(True, training.seeds, iteration)
    return loss_on(training, data, training.rows(iteration, len(data.x)), mode)


def loss_on(training: Training, data: Data, rows, mode: Mode = EVALUATION) -> MiniBatch:
    """The loss that is minimized, on some of the training rows."""
    x = data.x[rows].astype(DTYPES[training.network.dtype], copy=False)
    y = one_hot(data.t[rows], training.network.sizes[-1], x.dtype)
    return MiniBatch(training.network, x, y, mode, training.cost(), LOSSES[training.loss])


def train(
    training: Training, data: Data | None = None, since: Progress | None = None
) -> Iterator[Progress]:
    """The progress at the beginning and at every measurement of the accuracy, to the last
    iteration.

    To stop is to ask for no more; to go on is to hand in the last progress as `since`, also with
    more iterations to do (`replace(progress, training=longer)`). The numbers are those of a
    training in one go.
    """
    data = load(training) if data is None else data
    progress = since or begin(training, data)
    yield progress
    while not progress.done:
        progress = advance(progress, data, until_stop(progress))
        yield progress


def until_stop(progress: Progress) -> int:
    """How many updates there are until the next measurement, snapshot or the end."""
    training, t = progress.training, progress.iteration
    periods = [n for n in (training.eval_every, training.snapshot_every) if n]
    return min(training.iterations - t, *(n - t % n for n in periods))


def _evaluate(progress, data, before, gradient):
    """The progress with accuracy, diagnostics of the last update, and a snapshot, where due."""
    training, t = progress.training, progress.iteration
    if t % training.eval_every == 0 or progress.done:
        progress = replace(progress, running_statistics=_statistics(progress, data))
        parts = [
            _measure(progress, x[:MAX_EVALUATED], labels[:MAX_EVALUATED])
            for x, labels in ((data.x, data.t), (data.x_test, data.t_test))
        ]
        accuracy, cross_entropy, ensemble_accuracy, (forward, _) = zip(*parts, strict=True)
        measured = diagnostics(training.network, progress.params, before, gradient, forward)
        if training.sharpness:
            loss = loss_on(training, data, slice(MAX_EVALUATED))
            measured["sharpness"] = sharpness(loss, progress.params, training.sharpness)[..., None]
            if training.network.size <= MAX_SPECTRUM:
                measured["negative"] = negative_curvatures(loss, progress.params)[..., None]
        for name, new in measured.items():
            measured[name] = _append(progress.diagnostics.get(name, new[None][:0]), new)
        progress = replace(
            progress,
            evaluated=_append(progress.evaluated, t),
            accuracy=_append(progress.accuracy, accuracy),
            cross_entropy=_append(progress.cross_entropy, cross_entropy),
            ensemble_accuracy=_append(progress.ensemble_accuracy, ensemble_accuracy),
            diagnostics=measured,
        )
    if training.snapshot_every and t % training.snapshot_every == 0:
        new = {t: progress.params[:, 0].copy()}
        progress = replace(progress, snapshots=progress.snapshots | new)
    return progress


def _append(measured, new):
    return np.concatenate([measured, np.asarray(new)[None]])


def _statistics(progress, data):
    """The running statistics `(I, S, R)` with which the networks are evaluated.

    Those collected on the way belong to the points at which the mini-batches were met. Averaged
    weights are another network and need their own, so they are taken from the training rows, as
    `torch.optim.swa_utils.update_bn` does. (Izmailov et al. 2018, Averaging weights leads to wider
    optima and better generalization; for Schedule-Free, the authors' README.)
    """
    training, network = progress.training, progress.training.network
    averaged = network.running_size and training.optimizer.build().averages
    if not (averaged and progress.iteration):
        return progress.running_statistics
    rows = data.x[:MAX_EVALUATED].astype(DTYPES[network.dtype], copy=False)
    with np.errstate(all="ignore"):
        return network.statistics(network.forward(progress.params, rows))


def _measure(progress, x, t):
    """Accuracy and mean cross-entropy `(I, S)` of every network, the accuracy `(I,)` of the
    ensembles of all seeds, and the forward pass of the first rows.
    """
    network = progress.training.network
    with np.errstate(all="ignore"):
        x = x.astype(DTYPES[network.dtype], copy=False)
        passes = network.passes(progress.params, x, progress.running_statistics)
        first = next(passes)
        z = np.concatenate([forward.outputs[-1] for forward in chain([first], passes)], -2)
        cross_entropy, _ = softmax_cross_entropy(z, one_hot(t, z.shape[-1], z.dtype))
        accuracy = accuracy_score(z, t)
        ensemble = accuracy_score(softmax(z).mean(1), t) if z.shape[1] > 1 else accuracy[:, 0]
        return accuracy, cross_entropy, ensemble, first


def select(progress: Progress, trials) -> Progress:
    """The progress of some trials only, by index, as if the others had never been."""
    training, places = progress.training, list(trials)
    selected = {
        name: tuple(values[i] for i in places)
        for name in ("trials", "initializers")
        if (values := getattr(training, name))
    }
    return replace(
        progress,
        training=replace(training, **selected),
        params=progress.params[places],
        state=pick_trials(progress.state, places, len(progress.params)),
        running_statistics=progress.running_statistics[places],
        loss=progress.loss[:, places],
        diverged_at=progress.diverged_at[places],
        accuracy=progress.accuracy[:, :, places],
        cross_entropy=progress.cross_entropy[:, :, places],
        ensemble_accuracy=progress.ensemble_accuracy[:, :, places],
        diagnostics={name: values[:, places] for name, values in progress.diagnostics.items()},
        snapshots={t: values[places] for t, values in progress.snapshots.items()},
    )


def pick_trials(value, trials, n: int):
    """An optimizer's state for n trials, reduced to some of them, by index."""
    if isinstance(value, dict):
        return {k: pick_trials(v, trials, n) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(pick_trials(v, trials, n) for v in value)
    per_trial = isinstance(value, np.ndarray) and value.ndim and len(value) == n
    return value[trials] if per_trial else value


def narrow(value, dtype):
    """A point or a state in the network's precision.

    An optimizer's float64 numbers would otherwise widen all that they touch; Python floats keep
    their digits and do not.
    """
    if isinstance(value, dict):
        return {k: narrow(v, dtype) for k, v in value.items()}
    if isinstance(value, list):
        return [narrow(v, dtype) for v in value]
    if isinstance(value, np.ndarray) and value.ndim:
        return value.astype(dtype, copy=False) if value.dtype.kind == "f" else value
    return float(value) if isinstance(value, np.floating) else value
