"""The only loop. It races one optimizer from one point, a batch of starts, or a batch of
hyperparameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from optviz.functions.library import Function
from optviz.optim.base import Optimizer
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.noise import Noise
from optviz.optim.oracle import Oracle
from optviz.optim.schedules import Schedule

MAX_STEPS = 100_000


class Segment(NamedTuple):
    """What runs from `step` on in place of what ran before: a fork in the road."""

    step: int
    optimizer: Optimizer
    schedule: Schedule | Mapping[str, Schedule] | None = None


class Evaluations(NamedTuple):
    """How often f was asked, each an int or an array of the batch's shape."""

    gradient: np.ndarray | int
    value: np.ndarray | int
    hessian: np.ndarray | int


@dataclass(frozen=True, eq=False)
class Run:
    """What happened. Arrays are indexed by step first, then by the axes of the batch.

    A row that leaves the finite numbers, or the region where f is defined, is frozen: from the step
    in `diverged_at` on its points, values, gradients and states are NaN.
    """

    function: Function
    segments: tuple[
        Segment, ...
    ]  # what ran, and from which step on; one, where nothing was exchanged on the way
    warm_started: tuple[
        bool, ...
    ]  # for each segment, whether it went on with the state of the one before
    points: np.ndarray  # (steps+1, ..., d)
    values: np.ndarray  # (steps+1, ...), the true f at the points
    diverged_at: np.ndarray  # (...) int, -1 where it did not
    undefined: np.ndarray  # (...) bool: it ended where f has no value, at a finite point
    noisy: bool  # whether the gradients were given with noise
    held: list  # of one path everything that the optimizer held at each step; of a batch nothing
    _given: list
    _states: list
    _counts: list

    @property
    def optimizer(self) -> Optimizer:
        """What ran last."""
        return self.segments[-1].optimizer

    def optimizer_at(self, t: int) -> Optimizer:
        """What took the step from t to t + 1, with its hyperparameters as the schedules had set
        them.
        """
        _, opt, schedule = [segment for segment in self.segments if segment.step <= t][-1]
        for name, factor in _schedules(opt, schedule):
            opt = opt.scaled(name, factor(t))
        return opt

    @cached_property
    def gradients(self) -> np.ndarray:
        """What the optimizer was given at each step, noise included, `(steps, ..., d)`; NaN where
        it asked for none.
        """
        gone = self._gone[1:, ..., None]
        given = np.array(self._given).reshape(gone.shape[:-1] + self.points.shape[-1:])
        return np.where(gone, np.nan, given)

    @cached_property
    def state(self) -> dict[str, np.ndarray]:
        """Every state variable that has the shape of a point, `(steps+1, ..., d)`; NaN where a
        segment has none.
        """
        shape = self.points.shape[1:]
        names = (k for held in self._states for k, v in held.items() if v.shape == shape)
        return {k: self._recorded(k) for k in dict.fromkeys(names)}

    def _recorded(self, name):
        """A state variable at every step, for each coordinate."""
        nothing = np.full(self.points.shape[1:], np.nan)
        held = [np.broadcast_to(held.get(name, nothing), nothing.shape) for held in self._states]
        return np.where(self._gone[..., None], np.nan, held)

    @cached_property
    def lookahead(self) -> np.ndarray:
        """Where the gradient is asked for next, `(steps+1, ..., d)`: θ + μv for Nesterov, else the
        points.
        """
        points, ends = [], [segment.step for segment in self.segments[1:]] + [len(self.points)]
        with np.errstate(all="ignore"):
            for (begin, opt, _), end in zip(self.segments, ends, strict=True):
                held = {k: v[begin:end] for k, v in self.state.items()}
                points.append(opt.lookahead(self.points[begin:end], held))
        return np.concatenate(points)

    @cached_property
    def work(self) -> np.ndarray:
        """Evaluations of gradient, value and Hessian up to each step, `(steps+1, 3, ...)`.

        A step that would ask again for all that the one before has asked for costs nothing.
        """
        shape = self.values.shape[1:]
        work = np.array([[np.broadcast_to(c, shape) for c in counts] for counts in self._counts])
        if self._resting.any():
            work[1:] = np.cumsum(np.where(self._resting[:, None], 0, np.diff(work, axis=0)), 0)
        last = np.where(self.diverged_at < 0, len(work) - 1, self.diverged_at)
        steps = np.minimum(np.arange(len(work)).reshape(-1, *[1] * len(shape)), last)
        return np.take_along_axis(work, steps[:, None], 0)

    @cached_property
    def evaluations(self) -> Evaluations:
        """Gradient, value and Hessian evaluations up to the step at which a row was frozen."""
        return Evaluations(*(int(w) if w.ndim == 0 else w for w in self.work[-1]))

    @cached_property
    def true_gradients(self) -> np.ndarray:
        """The gradient of f at the points, without noise, `(steps+1, ..., d)`."""
        return np.where(self._gone[..., None], np.nan, self.function.grad(self.points))

    @cached_property
    def lengths(self) -> np.ndarray:
        """Length of the path up to each step, `(steps+1, ...)`."""
        with np.errstate(all="ignore"):
            segments = np.sqrt((np.diff(self.points, axis=0) ** 2).sum(-1))
        return np.concatenate([np.zeros((1, *segments.shape[1:])), np.cumsum(segments, 0)])

    @cached_property
    def _resting(self):
        """From where on each step finds point, state and gradient as the one before did, `(steps,
        ...)`.
        """
        resting = np.zeros((len(self.points) - 1, *self.values.shape[1:]), bool)
        at = self.lookahead[:-1]
        same = (at[1:] == at[:-1]).all(-1)
        if same.any():
            same &= (self.gradients[1:] == self.gradients[:-1]).all(-1)
            for name in {k for state in self._states for k in state}:
                held = self._recorded(name)[:-1]
                unknown = np.isnan(held[1:]) & np.isnan(held[:-1])
                same &= ((held[1:] == held[:-1]) | unknown).all(-1)
            resting[1:] = same
            ends = [*(segment.step for segment in self.segments), len(resting)]
            for (begin, end), warm in zip(pairwise(ends), self.warm_started, strict=True):
                # what moves again later has not been at rest
                resting[begin:end] = np.logical_and.accumulate(resting[begin:end][::-1])[::-1]
                resting[begin] &= warm
        return resting

    @property
    def _gone(self):
        return ~np.isfinite(self.values)


def minimize(
    f: Function,
    opt: Optimizer,
    start=None,
    steps: int = 30,
    noise: Noise | None = None,
    schedule: Schedule | Mapping[str, Schedule] | None = None,
    seed=0,
    then: Sequence[Segment] = (),
) -> Run:
    """Run `opt` on `f` for `steps` steps and record everything.

    `start` is `(..., 2)` (f's own where it is None); leading axes are a batch, and so are those of
    array hyperparameters, which broadcast as `(..., 1)`. `noise` is added to the gradient (f's own
    where it is None; `seed` may be an array `(...)`). `schedule` scales the learning rate, or is a
    mapping from hyperparameter names to schedules. `then` are segments by ascending step: each
    takes over at its step, with the state that it finds where that is of its own kind (same
    optimizer, same wrappers, same shapes) and afresh where not. Rows that diverge are frozen,
    without a warning.

    Raises ValueError for a start that is not finite numbers of shape `(..., 2)`, for a number of
    steps outside 0…100,000, for a schedule of a hyperparameter that `opt` lacks or that is not a
    float, and for segments out of order or between two steps.
    """
    x = _start(f, [opt, *(segment.optimizer for segment in then)], start, seed)
    steps = _steps(steps)
    segments = _segments((Segment(0, opt, schedule), *then), steps)
    schedules = [_schedules(segment.optimizer, segment.schedule) for segment in segments]
    noise = f.noise if noise is None else noise
    table = noise.table(seed, steps, x.shape[-1]) if noise is not None else None

    oracle, nothing = Oracle(f), np.full_like(x, np.nan)
    with np.errstate(all="ignore"):  # what is not finite is found below, once, and named
        state = opt.init(x)
        points = np.empty((steps + 1, *x.shape))
        points[0] = x
        names = _shaped(state, x)
        given, states, counts, warm_started = (
            [],
            [{k: state[k] for k in names}],
            [(0, 0, 0)],
            [False],
        )
        held = [state] if x.ndim == 1 else []
        for t in range(steps):
            while len(warm_started) < len(segments) and segments[len(warm_started)].step == t:
                before, opt = opt, segments[len(warm_started)].optimizer
                fresh = opt.init(x)
                warm_started.append(_same_kind(before, opt) and _same_shapes(state, fresh))
                if not warm_started[-1]:
                    oracle = Oracle(f, oracle.count)
                    state, names = fresh, _shaped(fresh, x)
                    states[-1] = {k: state[k] for k in names}
                    held[-1:] = [state] if held else []
            oracle.begin(None if table is None else table[t])
            now = opt
            for name, factor in schedules[len(warm_started) - 1]:
                now = now.scaled(name, factor(t))
            x, state = now.step(oracle, x, state)
            points[t + 1] = x
            given.append(nothing if oracle.given is None else oracle.given)
            states.append({k: state[k] for k in names})
            if held:
                held.append(state)
            counts.append(tuple(oracle.count))
        values = f.value(points)
    noisy, ends = table is not None and bool(np.any(table)), _frozen(points, values)
    return Run(f, segments, tuple(warm_started), *ends, noisy, held, given, states, counts)


def _shaped(state, x):
    """The names of what in a state has the shape of a point, or is one number for each."""
    shapes = x.shape, (*x.shape[:-1], 1)
    return [k for k, v in state.items() if isinstance(v, np.ndarray) and v.shape in shapes]


def _segments(segments, steps):
    at = [segment.step for segment in segments]
    if not all(isinstance(t, int | np.integer) for t in at) or at != sorted(at):
        raise ValueError(f"segments take over at one whole step after the other, not at {at[1:]}")
    return tuple(segment for segment in segments if segment.step < steps or segment is segments[0])


def _same_kind(a, b):
    """Whether two optimizers are of one class, and so is everything around and inside them."""
    if type(a) is not type(b):
        return False
    inside = getattr(a, "inner", None), getattr(b, "inner", None)
    return inside == (None, None) or _same_kind(*inside)


def _same_shapes(state, fresh):
    """Whether a state could have come of a fresh one; what begins as one number may have become one
    for each row.
    """
    return state.keys() == fresh.keys() and all(
        np.shape(state[k]) == np.shape(v) or not np.ndim(v) for k, v in fresh.items()
    )


def _frozen(points, values):
    """Points and values, NaN from the first step on that is not finite, and that step."""
    if np.isfinite(values).all() and np.isfinite(points).all():
        return points, values, np.full(values.shape[1:], -1), np.zeros(values.shape[1:], bool)
    lost = ~(np.isfinite(values) & np.isfinite(points).all(-1))
    at = np.where(lost.any(0), lost.argmax(0), -1)
    first = np.maximum(at, 0)[None]
    stopped = np.take_along_axis(points, first[..., None], 0)[0]
    # far out, a formula that is defined everywhere overflows to inf − inf: that is divergence
    undefined = (
        (at >= 0)
        & (np.abs(stopped) < 1e40).all(-1)
        & np.isnan(np.take_along_axis(values, first, 0)[0])
    )
    gone = np.logical_or.accumulate(lost, 0)
    points[gone] = np.nan
    return points, np.where(gone, np.nan, values), at, undefined


def _start(f, opts, start, seed):
    try:
        x = np.asarray(f.start if start is None else start, float)
    except (TypeError, ValueError):
        raise ValueError(f"a start is two numbers, not {start!r}") from None
    if x.shape[-1:] != (2,) or not np.isfinite(x).all():
        raise ValueError(f"a start is finite numbers of shape (..., 2), not {start!r}")
    batch = np.broadcast_shapes(
        x.shape, (*np.shape(seed), 1), *(s for opt in opts for s in _hyperparameter_shapes(opt))
    )
    return np.broadcast_to(x, batch).copy()


def _hyperparameter_shapes(opt):
    shapes = [np.shape(getattr(opt, k.name)) for k in hyperparameters(type(opt))]
    inner = getattr(opt, "inner", None)
    return shapes + (_hyperparameter_shapes(inner) if inner is not None else [])


def _steps(steps):
    if (
        isinstance(steps, bool)
        or not isinstance(steps, int | np.integer)
        or not 0 <= steps <= MAX_STEPS
    ):
        raise ValueError(f"steps is a whole number from 0 to {MAX_STEPS}, not {steps!r}")
    return int(steps)


def _schedules(opt, schedule):
    if schedule is None:
        return []
    named = schedule if isinstance(schedule, Mapping) else {"lr": schedule}
    for name in named:
        _check_scheduled(opt, name)
    return list(named.items())


def _check_scheduled(opt, name):
    """ValueError where no schedule can turn the hyperparameter, the optimizer's or one inside."""
    cls, inner = type(opt), getattr(opt, "inner", None)
    own = next((k for k in hyperparameters(cls) if k.name == name and k.kind is float), None)
    if own is None and inner is not None:
        return _check_scheduled(inner, name)
    label = getattr(cls, "label", cls.__name__)
    if own is None:
        raise ValueError(f"{label} has no numeric hyperparameter {name!r} to schedule")
    if name in opt.initial:
        raise ValueError(
            f"{label} needs its {own.label} only once, so there is nothing to schedule"
        )
