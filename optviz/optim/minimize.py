"""The only loop. It runs an optimizer from one point, a batch of starts, or a batch of
hyperparameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer, chain
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.noise import Noise
from optviz.optim.oracle import Oracle
from optviz.optim.run import (
    Moment,
    Run,
    Segment,
    apply_schedules,
    empty_points,
    named_schedules,
    segment_spans,
)
from optviz.optim.schedules import Schedule

MAX_STEPS = 100_000


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
    """Run `opt` on `f` for `steps` steps and record the path.

    `start` is `(..., 2)` (f's own where it is None); leading axes are a batch, and so are those of
    array hyperparameters, which broadcast as `(..., 1)`. `noise` is added to the gradient (f's own
    where it is None; `seed` may be an array `(...)`). `schedule` scales the learning rate, or is a
    mapping from hyperparameter names to schedules. `then` are segments by ascending step: each
    takes over at its step, with the previous state if that is of its own kind (same optimizer,
    same wrappers, same shapes), else with a new one. Rows that diverge are frozen, without a
    warning.

    Raises ValueError for a start that is not finite numbers of shape `(..., 2)`, for a number of
    steps outside 0…100,000, for a schedule of a hyperparameter that `opt` lacks or that is not a
    float, and for segments out of order or between two steps.
    """
    x = batch_start(f, [opt, *(segment.optimizer for segment in then)], start, seed)
    walk = Walk.from_arguments(f, opt, x, steps, noise, schedule, seed, then)
    with np.errstate(all="ignore"):  # `Run` finds and reports what is not finite
        moments = list(walk) if x.ndim == 1 else walk
        points = empty_points(walk.steps + 1, *x.shape)
        for t, moment in enumerate(moments):
            points[t] = moment.point
    return Run(f, walk.segments, points, walk.noisy, moments)


@dataclass(frozen=True, eq=False)
class Walk:
    """The path of an optimizer, moment by moment; iterating again gives the same path.

    The caller silences NumPy's warnings.
    """

    function: Function
    segments: tuple[Segment, ...]
    start: np.ndarray  # (..., d)
    steps: int
    noise: np.ndarray | None  # (steps, ..., d)

    @classmethod
    def from_arguments(cls, f, opt, x, steps, noise, schedule, seed, then) -> "Walk":
        """From the arguments of `minimize`, whose ValueErrors it raises."""
        steps = _steps(steps)
        segments = _segments((Segment(0, opt, schedule), *then), steps)
        for segment in segments:
            named_schedules(segment.optimizer, segment.schedule)
        noise = f.noise if noise is None else noise
        table = noise.table(seed, steps, x.shape[-1]) if noise is not None else None
        return cls(f, segments, x, steps, table)

    @property
    def noisy(self) -> bool:
        """Whether the gradients are noisy."""
        return self.noise is not None and bool(np.any(self.noise))

    @property
    def autonomous_from(self) -> int:
        """The step from which on a step depends on nothing but the point and the state."""
        begin, opt, schedule = self.segments[-1]
        return self.steps if self.noisy or named_schedules(opt, schedule) else begin

    def __iter__(self):
        """The `steps + 1` moments; after a `send` of rows `(n,)` of the batch it continues with
        these alone, provided that it is autonomous.
        """
        x, state, gradient, previous, warm_started = self.start, {}, None, None, ()
        oracle, noise = Oracle(self.function), self.noise
        for (begin, opt, schedule), end in segment_spans(self.segments, self.steps):
            state, warm = take_over(previous, opt, state, x)
            if not warm:
                oracle = Oracle(self.function, oracle.count)
            previous, warm_started = opt, (*warm_started, warm)
            schedules = named_schedules(opt, schedule)
            for t in range(begin, end):
                rows = yield Moment(x, state, gradient, tuple(oracle.count), warm_started)
                if rows is not None:
                    opt, noise = optimizer_for_rows(opt, x.shape[:-1], (rows,)), None
                    x, state = take_rows(x, rows), take_rows(state, rows)
                    oracle.keep(rows)
                oracle.begin(None if noise is None else noise[t])
                x, state = apply_schedules(opt, schedules, t).step(oracle, x, state)
                gradient = oracle.gradient
        yield Moment(x, state, gradient, tuple(oracle.count), warm_started)


def take_over(previous: Optimizer | None, opt: Optimizer, state: dict, x) -> tuple[dict, bool]:
    """The state with which `opt` continues at x after another optimizer: the other's, if that is of
    the same kind, else a new one; and whether it is the other's.
    """
    fresh = opt.init(x)
    warm = _same_kind(previous, opt) and _same_shapes(state, fresh)
    return (state if warm else fresh), warm


def optimizer_for_rows(opt, batch, rows):
    """An optimizer with the hyperparameters of only some rows of a batch."""
    columns = {
        k.name: np.broadcast_to(getattr(opt, k.name), (*batch, 1))[rows]
        for k in hyperparameters(type(opt))
        if np.ndim(getattr(opt, k.name))
    }
    if (inner := getattr(opt, "inner", None)) is not None:
        columns["inner"] = optimizer_for_rows(inner, batch, rows)
    return replace(opt, **columns) if columns else opt


def take_rows(values, rows):
    """Some rows `(n,)` of an array or of all arrays of a state; numbers apply to every row."""
    if isinstance(values, dict):
        return {name: take_rows(v, rows) for name, v in values.items()}
    return values.T[..., rows].T if np.ndim(values) else values  # in memory the batch stays last


def _segments(segments, steps):
    at = [segment.step for segment in segments]
    if not all(isinstance(t, int | np.integer) for t in at) or at != sorted(at):
        raise ValueError(f"segments take over at one whole step after the other, not at {at[1:]}")
    return tuple(segment for segment in segments if segment.step < steps or segment is segments[0])


def _same_kind(a, b):
    """Whether two optimizers are of the same class, and so is everything inside them."""
    return [type(o) for o in chain(a)] == [type(o) for o in chain(b)]


def _same_shapes(state, fresh):
    """Whether a state could have developed from a fresh one; a number may have become one for each
    row.
    """
    return state.keys() == fresh.keys() and all(
        np.shape(state[k]) == np.shape(v) or not np.ndim(v) for k, v in fresh.items()
    )


def batch_start(f, opts, start, seed) -> np.ndarray:
    """The points `(..., d)` from which a batch of starts, hyperparameters and seeds begins."""
    try:
        x = np.asarray(f.start if start is None else start, float)
    except (TypeError, ValueError):
        raise ValueError(f"a start is two numbers, not {start!r}") from None
    if x.shape[-1:] != (2,) or not np.isfinite(x).all():
        raise ValueError(f"a start is finite numbers of shape (..., 2), not {start!r}")
    shapes = [
        np.shape(getattr(optimizer, k.name))
        for opt in opts
        for optimizer in chain(opt)
        for k in hyperparameters(type(optimizer))
    ]
    batch = np.broadcast_shapes(x.shape, (*np.shape(seed), 1), *shapes)
    (points,) = empty_points(1, *batch)
    points[...] = x
    return points


def _steps(steps):
    is_int = isinstance(steps, int | np.integer) and not isinstance(steps, bool)
    if not (is_int and 0 <= steps <= MAX_STEPS):
        raise ValueError(f"steps is a whole number from 0 to {MAX_STEPS}, not {steps!r}")
    return int(steps)
