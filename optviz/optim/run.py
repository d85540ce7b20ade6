"""What happened in a run: it keeps the points; the optimizer's states are computed on demand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer, chain, setting
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.schedules import Schedule

ROWS = 8192  # of a batch, computed at a time: what fits into a processor's cache


class Segment(NamedTuple):
    """What runs from `step` on in place of what ran before."""

    step: int
    optimizer: Optimizer
    schedule: Schedule | Mapping[str, Schedule] | None = None


class Moment(NamedTuple):
    """Where a walk is between two steps."""

    point: np.ndarray  # (..., d)
    state: dict  # of the optimizer there
    gradient: np.ndarray | None  # that of the step before, None if it evaluated none
    counts: tuple  # evaluations so far, of every kind
    warm_started: tuple[bool, ...]  # for every segment so far: with the previous one's state


class Evaluations(NamedTuple):
    """How often f was evaluated, each an int or an array of the batch's shape."""

    gradient: np.ndarray | int
    value: np.ndarray | int
    hessian: np.ndarray | int

    @classmethod
    def from_counts(cls, counts) -> "Evaluations":
        """From `(3, ...)`, of one path as whole numbers."""
        return cls(*(int(count) if count.ndim == 0 else count for count in counts))


@dataclass(frozen=True, eq=False)
class Run:
    """What happened. Arrays are indexed by step first, then by the axes of the batch.

    A row that leaves the finite numbers, or the region where f is defined, is frozen: from the step
    in `diverged_at` on its points, values, gradients and states are NaN.

    It keeps the points, and evaluates f there on demand. A single path also keeps its moments; a
    batch is run again, with the same results, when more than the points is needed.
    """

    function: Function
    segments: tuple[Segment, ...]  # what ran, and from which step on; several after a fork
    _points: np.ndarray  # (steps+1, ..., d), as they came
    noisy: bool  # whether the gradients were noisy
    _moments: Iterable["Moment"]  # of `Walk`

    @cached_property
    def points(self) -> np.ndarray:
        """Where it was at each step, `(steps+1, ..., d)`."""
        f = self.function
        with np.errstate(all="ignore"):
            bound = np.linalg.norm(self._points)  # no coordinate is larger; NaN where one is
        finite = isinstance(f, Function) and f.finite_within(bound)
        return self._points if finite else self._frozen[0]

    @property
    def values(self) -> np.ndarray:
        """The true f at the points, `(steps+1, ...)`."""
        return self._frozen[1]

    @property
    def diverged_at(self) -> np.ndarray:
        """The step at which a row is no longer finite, `(...)` int; -1 where there is none."""
        return self._frozen[2]

    @property
    def undefined(self) -> np.ndarray:
        """Whether a row ended where f has no value, at a finite point, `(...)` bool."""
        return self._frozen[3]

    @cached_property
    def _frozen(self):
        """Points and values, NaN from the first step on that is not finite; that step; `undefined`.

        f is evaluated for some steps at a time, few enough for the processor's cache.
        """
        points, values, finite = self._points, np.empty(self._points.shape[:-1]), True
        block = max(1, 2 * ROWS // max(points[0].size, 1))
        for begin in range(0, len(points), block):
            rows = slice(begin, begin + block)
            values[rows] = self.function.value(points[rows])
            finite = finite and np.isfinite(values[rows]).all() and np.isfinite(points[rows]).all()
        if finite:
            batch = values.shape[1:]
            return points, values, np.full(batch, -1), np.zeros(batch, bool)
        nonfinite = ~(np.isfinite(values) & np.isfinite(points).all(-1))
        diverged_at = np.where(nonfinite.any(0), nonfinite.argmax(0), -1)
        first = np.maximum(diverged_at, 0)[None]
        end = np.take_along_axis(points, first[..., None], 0)[0]
        undefined = (diverged_at >= 0) & is_undefined(end, np.take_along_axis(values, first, 0)[0])
        frozen = np.logical_or.accumulate(nonfinite, 0)
        points = points.copy("K")  # another thread may be reading them
        points[frozen] = np.nan
        return points, np.where(frozen, np.nan, values), diverged_at, undefined

    @property
    def optimizer(self) -> Optimizer:
        """What ran last."""
        return self.segments[-1].optimizer

    def optimizer_at(self, t: int) -> Optimizer:
        """What took the step from t to t + 1, with its hyperparameters as the schedules had set
        them.
        """
        _, opt, schedule = [segment for segment in self.segments if segment.step <= t][-1]
        return apply_schedules(opt, named_schedules(opt, schedule), t)

    def scheduled_values(self, name: str) -> np.ndarray:
        """A hyperparameter at each step as its schedule sets it, `(steps+1,)`; NaN where none does.

        For a single path; the value at its last step would be that of the next one.
        """
        values = np.full(len(self.points), np.nan)
        for (begin, opt, schedule), end in segment_spans(self.segments, len(values)):
            if factor := dict(named_schedules(opt, schedule)).get(name):
                value = setting(opt, name)
                values[begin:end] = [value * factor(t) for t in range(begin, end)]
        return values

    @property
    def state_dicts(self) -> list[dict]:
        """The optimizer's whole state at each step."""
        return [moment.state for moment in self._moments]

    @cached_property
    @np.errstate(all="ignore")
    def warm_started(self) -> tuple[bool, ...]:
        """For each segment, whether it continued with the state of the one before."""
        *_, last = self._moments
        return last.warm_started

    @cached_property
    @np.errstate(all="ignore")
    def gradients(self) -> np.ndarray:
        """The gradient that each step was given, noise included, `(steps, ..., d)`; NaN where it
        evaluated none.
        """
        gradients = np.full_like(self.points[1:], np.nan)
        for t, moment in enumerate(self._moments):
            if moment.gradient is not None:
                gradients[t - 1] = moment.gradient
        gradients[self._is_frozen[1:]] = np.nan
        return gradients

    @cached_property
    @np.errstate(all="ignore")
    def state(self) -> dict[str, np.ndarray]:
        """Every state variable that has the shape of a point, `(steps+1, ..., d)`; NaN where a
        segment has none.
        """
        recorded, shape = {}, self.points.shape[1:]
        for t, moment in enumerate(self._moments):
            for name, v in point_shaped(moment.state, shape).items():
                if name not in recorded and v.shape == shape:
                    recorded[name] = np.full_like(self.points, np.nan)
                if name in recorded:
                    recorded[name][t] = v
        for array in recorded.values():
            array[self._is_frozen] = np.nan
        return recorded

    @cached_property
    @np.errstate(all="ignore")
    def lookahead(self) -> np.ndarray:
        """Where the gradient is evaluated next, `(steps+1, ..., d)`: θ + μv for Nesterov, else the
        points.
        """
        points = [
            opt.lookahead(self.points[begin:end], _Recorded(self, slice(begin, end)))
            for (begin, opt, _), end in segment_spans(self.segments, len(self.points))
        ]
        return points[0] if len(points) == 1 else np.concatenate(points)

    @cached_property
    @np.errstate(all="ignore")
    def work(self) -> np.ndarray:
        """Evaluations of gradient, value and Hessian up to each step, `(steps+1, 3, ...)`.

        A step that would repeat all evaluations of the one before costs nothing.
        """
        shape = self.values.shape[1:]
        work = np.empty((len(self.points), 3, *shape), int)
        for t, moment in enumerate(self._moments):
            for i, count in enumerate(moment.counts):
                work[t, i] = count
        if self._resting.any():
            work[1:] = np.cumsum(np.where(self._resting[:, None], 0, np.diff(work, axis=0)), 0)
        last = np.where(self.diverged_at < 0, len(work) - 1, self.diverged_at)
        steps = np.minimum(np.arange(len(work)).reshape(-1, *[1] * len(shape)), last)
        return np.take_along_axis(work, steps[:, None], 0)

    @cached_property
    def evaluations(self) -> Evaluations:
        """Gradient, value and Hessian evaluations up to the step at which a row was frozen."""
        return Evaluations.from_counts(self.work[-1])

    @property
    def heights(self) -> np.ndarray:
        """The formula's value at the points, also if it is maximized, `(steps+1, ...)`."""
        return self.function.sign * self.values

    @cached_property
    def true_gradients(self) -> np.ndarray:
        """The gradient of f at the points, without noise, `(steps+1, ..., d)`."""
        return np.where(self._is_frozen[..., None], np.nan, self.function.grad(self.points))

    @cached_property
    @np.errstate(all="ignore")
    def lengths(self) -> np.ndarray:
        """Length of the path up to each step, `(steps+1, ...)`."""
        lengths = np.sqrt((np.diff(self.points, axis=0) ** 2).sum(-1))
        return np.concatenate([np.zeros((1, *lengths.shape[1:])), np.cumsum(lengths, 0)])

    @cached_property
    def _resting(self):
        """Which steps only repeat point, state and gradient from there on, `(steps, ...)` bool."""
        resting = np.zeros((len(self.points) - 1, *self.values.shape[1:]), bool)
        points = self.lookahead[:-1]
        if (points[1:] == points[:-1]).all(-1).any():
            moments = pairwise(self._moments)
            records = [
                (a, m.state, after.gradient) for a, (m, after) in zip(points, moments, strict=True)
            ]
            resting[1:] = [is_repeat(one, other) for one, other in pairwise(records)]
            spans = segment_spans(self.segments, len(resting))
            for ((begin, *_), end), warm in zip(spans, self.warm_started, strict=True):
                # a row that moves again later has not been at rest
                resting[begin:end] = np.logical_and.accumulate(resting[begin:end][::-1])[::-1]
                resting[begin] &= warm
        return resting

    @property
    def _is_frozen(self):
        return ~np.isfinite(self.values)


class _Recorded(dict):
    """The state over some steps, each variable recorded when it is looked up."""

    def __init__(self, run, steps):
        self.run, self.steps = run, steps

    def __missing__(self, name):
        return self.run.state[name][self.steps]


def segment_spans(segments, end: int) -> Iterable[tuple[Segment, int]]:
    """Every segment with the step at which it ends; for the last one that is `end`."""
    return zip(segments, [*(segment.step for segment in segments[1:]), end], strict=True)


def empty_points(steps, *shape):
    """An empty array `(steps, ..., d)`; in memory each step has first all x, then all y."""
    *batch, d = shape
    return np.moveaxis(np.empty((steps, d, *batch)), 1, -1)


def is_undefined(x, value) -> np.ndarray:
    """Whether f has no value at points `(..., d)`, given the computed `value` `(...)`.

    Far out, a formula that is defined everywhere overflows to inf − inf: that is divergence.
    """
    return (np.abs(x) < 1e40).all(-1) & np.isnan(value)


def is_repeat(previous, current) -> np.ndarray:
    """Where a step only repeats the one before, `(...)` bool, so that it costs no evaluations.

    Each step is the point where it evaluates the gradient, the state, and that gradient.
    """
    (point, state, gradient), (point_next, state_next, gradient_next) = previous, current
    same = (point == point_next).all(-1)
    if gradient is None or gradient_next is None:
        return np.zeros_like(same)
    if same.any():
        same &= (gradient == gradient_next).all(-1)
        arrays_next = point_shaped(state_next, point.shape)
        for name, v in point_shaped(state, point.shape).items():
            same &= equal_or_nan(v, arrays_next.get(name, np.nan)).all(-1)
    return same


def equal_or_nan(a, b) -> np.ndarray:
    """Where two arrays are equal or both NaN."""
    return (a == b) | (np.isnan(a) & np.isnan(b))


def point_shaped(state, shape) -> dict[str, np.ndarray]:
    """The state variables of the shape `(..., d)` of a point, or with one number for each."""
    shapes = shape, (*shape[:-1], 1)
    return {k: v for k, v in state.items() if isinstance(v, np.ndarray) and v.shape in shapes}


def named_schedules(opt: Optimizer, schedule) -> list[tuple[str, Schedule]]:
    """The schedules by the name of what they scale, by default the learning rate.

    Raises ValueError where the optimizer has no such hyperparameter to schedule.
    """
    if schedule is None:
        return []
    named = schedule if isinstance(schedule, Mapping) else {"lr": schedule}
    for name in named:
        _check_scheduled(opt, name)
    return list(named.items())


def apply_schedules(opt: Optimizer, schedules: Iterable[tuple[str, Schedule]], t: int) -> Optimizer:
    """The optimizer with its hyperparameters as their schedules set them at step t."""
    for name, factor in schedules:
        opt = opt.scaled(name, factor(t))
    return opt


def _check_scheduled(opt, name):
    """ValueError if the optimizer and those inside it have no such hyperparameter to schedule."""
    for o in chain(opt):
        label = getattr(o, "label", type(o).__name__)
        for k in hyperparameters(type(o)):
            if k.name == name and k.kind is float:
                if name in o.initial:
                    raise ValueError(
                        f"{label} needs its {k.label} only once, so there is nothing to schedule"
                    )
                return
    raise ValueError(f"{label} has no numeric hyperparameter {name!r} to schedule")
