"""The loop: a training that can be watched, stopped and taken up again."""

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
# The C library (glibc) gives what a step leaves over back to the system, and asks for it again,
# page by page, at the next one: half of a batch's time. It holds on to twice the largest block that
# it has seen come and go.
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
    """Before the first update, from the training's own start or from given parameters `(I, S, P)`
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
    none, shape = np.empty(0), training.shape
    if running_statistics is None:
        running_statistics = np.broadcast_to(
            training.network.running_statistics(), (*shape, training.network.running_size)
        )
    now = Progress(
        training,
        0,
        params,
        state,
        running_statistics,
        np.empty((0, *shape)),
        none,
        np.full(shape, -1),
        none.astype(int),
        np.empty((0, 2, *shape)),
        np.empty((0, 2, *shape)),
        np.empty((0, 2, shape[0])),
        {},
        {},
    )
    # trials that begin alike are measured once; to a sharpness each one's penalty adds
    alike = (
        len(params) > 1
        and not training.sharpness
        and all((held == held[:1]).all() for held in (params, running_statistics))
    )
    one = select(now, [0]) if alike else now
    nothing = np.full_like(one.params, np.nan)
    one = _evaluated(one, data, nothing, nothing)
    if not alike:
        return one
    return replace(select(one, [0] * len(params)), training=training, params=params, state=state)


def advance(now: Progress, data: Data, steps: int) -> Progress:
    """The progress after so many more updates, or as many as are left."""
    training, done = now.training, now.iteration
    steps = max(0, min(steps, training.iterations - done))
    if not steps:
        return now
    np.empty(HOLD, np.uint8)
    segments = training.segments()
    past = [s for i, s in enumerate(segments) if s.step < done or not i]
    (_, opt, schedules), ahead = past[-1], segments[len(past) :]
    loss, seconds = np.full((steps, *training.shape), np.nan), np.zeros(steps)
    network = training.network
    factors = network.rate_factors(training.adaptive) if network.base_width else None
    params, state, statistics = now.params, now.state, now.running_statistics
    before, gradient = params, np.full_like(params, np.nan)
    ended = now.diverged_at.copy()
    for i in range(steps):
        if (ended >= 0).all():
            break
        began, t = perf_counter(), done + i
        with np.errstate(all="ignore"):  # what is not finite is found below, and named
            if ahead and ahead[0].step == t:
                earlier, ((_, opt, schedules), *ahead) = opt, ahead
                state = narrow(take_over(earlier, opt, state, params)[0], params.dtype)
            rated = opt if factors is None else opt.scaled("lr", factors)
            for name, factor in (schedules or {}).items():
                rated = rated.scaled(name, float(factor(t)))
            batch = mini_batch(training, data, t)
            after, state = (narrow(held, params.dtype) for held in rated.step(batch, params, state))
            loss[i] = batch.cross_entropy(params)
            statistics = network.updated_statistics(statistics, batch.statistics)
        ended[(ended < 0) & ~np.isfinite(loss[i])] = t
        ended[(ended < 0) & ~np.isfinite(after).all(-1)] = t + 1
        if (ended >= 0).any():
            loss[i, (ended >= 0) & (ended <= t)] = np.nan
            after[ended >= 0] = np.nan
        before, params, gradient = params, after, batch.gradient
        seconds[i] = perf_counter() - began
    since = now.seconds[-1] if done else 0.0
    after = replace(
        now,
        iteration=done + steps,
        params=params,
        state=state,
        running_statistics=statistics,
        diverged_at=ended,
        loss=np.concatenate([now.loss, loss]),
        seconds=np.concatenate([now.seconds, since + np.cumsum(seconds)]),
    )
    return _evaluated(after, data, before, gradient)


def mini_batch(training: Training, data: Data, iteration: int) -> MiniBatch:
    """What an iteration minimizes: a function of the parameters `(trials, seeds, P)`."""
    mode = Mode(True, training.seeds, iteration)
    return loss_on(training, data, training.rows(iteration, len(data.x)), mode)


def loss_on(training: Training, data: Data, rows, mode: Mode = EVALUATION) -> MiniBatch:
    """What is minimized, on some of the training rows."""
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
    now = since or begin(training, data)
    yield now
    while not now.done:
        now = advance(now, data, until_stop(now))
        yield now


def until_stop(now: Progress) -> int:
    """How many updates there are until the next measurement, snapshot or the end."""
    training, t = now.training, now.iteration
    periods = [n for n in (training.eval_every, training.snapshot_every) if n]
    return min(training.iterations - t, *(n - t % n for n in periods))


def _evaluated(now, data, before, gradient):
    """With the accuracy, the diagnostics of the last update and a snapshot, where it is time for
    one.
    """
    training, t = now.training, now.iteration
    if t % training.eval_every == 0 or now.done:
        now = replace(now, running_statistics=_statistics(now, data))
        halves = [
            _measured(now, x[:MAX_EVALUATED], labels[:MAX_EVALUATED])
            for x, labels in ((data.x, data.t), (data.x_test, data.t_test))
        ]
        alone, cross_entropy, together, (first, _) = zip(*halves, strict=True)
        inside = diagnostics(training.network, now.params, before, gradient, first)
        if training.sharpness:
            loss = loss_on(training, data, slice(MAX_EVALUATED))
            inside["sharpness"] = sharpness(loss, now.params, training.sharpness)[..., None]
            if training.network.size <= MAX_SPECTRUM:
                inside["negative"] = negative_curvatures(loss, now.params)[..., None]
        for name, new in inside.items():
            inside[name] = _appended(now.diagnostics.get(name, new[None][:0]), new)
        now = replace(
            now,
            evaluated=_appended(now.evaluated, t),
            accuracy=_appended(now.accuracy, alone),
            cross_entropy=_appended(now.cross_entropy, cross_entropy),
            ensemble_accuracy=_appended(now.ensemble_accuracy, together),
            diagnostics=inside,
        )
    if training.snapshot_every and t % training.snapshot_every == 0:
        now = replace(now, snapshots={**now.snapshots, t: now.params[:, 0].copy()})
    return now


def _appended(measured, new):
    return np.concatenate([measured, np.asarray(new)[None]])


def _statistics(now, data):
    """The running statistics `(I, S, R)` with which the networks are evaluated.

    Those collected on the way belong to the points at which the mini-batches were met. Averaged
    weights are another network and need their own, so they are taken from the training rows, as
    `torch.optim.swa_utils.update_bn` does. (Izmailov et al. 2018, Averaging weights leads to wider
    optima and better generalization; for Schedule-Free, the authors' README.)
    """
    training, network = now.training, now.training.network
    averaged = network.running_size and training.optimizer.build().averages
    if not (averaged and now.iteration):
        return now.running_statistics
    rows = data.x[:MAX_EVALUATED].astype(DTYPES[network.dtype], copy=False)
    with np.errstate(all="ignore"):
        return network.statistics(network.forward(now.params, rows))


def _measured(now, x, t):
    """Accuracy and mean cross-entropy `(I, S)` of every network, the accuracy `(I,)` of the seeds
    together, and the pass of the first rows.
    """
    network = now.training.network
    with np.errstate(all="ignore"):
        x = x.astype(DTYPES[network.dtype], copy=False)
        passes = network.passes(now.params, x, now.running_statistics)
        first = next(passes)
        z = np.concatenate([done.outputs[-1] for done in chain([first], passes)], -2)
        cross_entropy, _ = softmax_cross_entropy(z, one_hot(t, z.shape[-1], z.dtype))
        alone = accuracy_score(z, t)
        together = accuracy_score(softmax(z).mean(1), t) if z.shape[1] > 1 else alone[:, 0]
        return alone, cross_entropy, together, first


def select(now: Progress, trials) -> Progress:
    """The progress of some trials only, by their places, as if the others had never been."""
    training, of = now.training, list(trials)
    some = {
        name: tuple(everyone[i] for i in of)
        for name in ("trials", "initializers")
        if (everyone := getattr(training, name))
    }
    return replace(
        now,
        training=replace(training, **some),
        params=now.params[of],
        state=pick_trials(now.state, of, len(now.params)),
        running_statistics=now.running_statistics[of],
        loss=now.loss[:, of],
        diverged_at=now.diverged_at[of],
        accuracy=now.accuracy[:, :, of],
        cross_entropy=now.cross_entropy[:, :, of],
        ensemble_accuracy=now.ensemble_accuracy[:, :, of],
        diagnostics={name: kept[:, of] for name, kept in now.diagnostics.items()},
        snapshots={t: kept[of] for t, kept in now.snapshots.items()},
    )


def pick_trials(held, of, n: int):
    """Of an optimizer's state for n trials that of some, by their places."""
    if isinstance(held, dict):
        return {k: pick_trials(v, of, n) for k, v in held.items()}
    if isinstance(held, list | tuple):
        return type(held)(pick_trials(v, of, n) for v in held)
    return held[of] if isinstance(held, np.ndarray) and held.ndim and len(held) == n else held


def narrow(held, dtype):
    """A point or a state in the network's precision.

    An optimizer's float64 numbers would else widen all that they touch; as Python's they keep their
    digits and do not.
    """
    if isinstance(held, dict):
        return {k: narrow(v, dtype) for k, v in held.items()}
    if isinstance(held, list):
        return [narrow(v, dtype) for v in held]
    if isinstance(held, np.ndarray) and held.ndim:
        return held.astype(dtype, copy=False) if held.dtype.kind == "f" else held
    return float(held) if isinstance(held, np.floating) else held
