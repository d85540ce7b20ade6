"""Where runs end: like `minimize`, but without keeping the paths, in constant memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer
from optviz.optim.minimize import Walk, batch_start, optimizer_for_rows, take_rows
from optviz.optim.noise import Noise
from optviz.optim.run import ROWS, Evaluations, Segment, equal_or_nan, is_repeat, is_undefined
from optviz.optim.schedules import Schedule

MAX_BYTES = 2**25  # of the noise of many seeds, or of the values along the way, at once
CHECK_EVERY = 8  # steps between two checks for rows at rest


@dataclass(frozen=True, eq=False)
class Final:
    """The ends of runs, arrays of the batch's shape; NaN where a row is no longer finite."""

    point: np.ndarray  # (..., d)
    value: np.ndarray  # (...), the true f at the point
    diverged_at: np.ndarray  # (...) int, -1 where it did not
    undefined: np.ndarray  # (...) bool: it ended where f has no value, at a finite point
    evaluations: Evaluations  # up to the step at which a row was frozen
    settled_at: np.ndarray  # (...) int, the first step from which on f stays at the level, or -1


def final(
    f: Function,
    opt: Optimizer,
    start=None,
    steps: int = 30,
    noise: Noise | None = None,
    schedule: Schedule | Mapping[str, Schedule] | None = None,
    seed=0,
    then: Sequence[Segment] = (),
    level: float | Callable | None = None,
    tolerance: float = 1e-3,
    budget: float = np.inf,
) -> Final:
    """The end of every row of `minimize` with the same arguments, bit for bit.

    With a `budget` a row ends at the last point that it reaches with so many evaluations, of every
    kind together. `level` is the value of f that a settled row stays within the tolerance of; it
    may be a function of the end's points `(n, d)` and values `(n,)`. Raises ValueError as
    `minimize` does.
    """
    x = batch_start(f, [opt, *(segment.optimizer for segment in then)], start, seed)
    batch, chunk = x.shape[:-1], ROWS
    if level is not None or (np.ndim(seed) and (f.noise if noise is None else noise) is not None):
        chunk = min(ROWS, max(1, MAX_BYTES // (16 * max(steps, 1))))
    n = int(np.prod(batch))
    ends = {
        "point": np.full((n, x.shape[-1]), np.nan),
        "value": np.full(n, np.nan),
        "diverged_at": np.full(n, -1),
        "undefined": np.zeros(n, bool),
        "evaluations": np.zeros((n, 3), int),
        "settled_at": np.full(n, -1),
    }
    for indices, walk in _walks(f, opt, x, chunk, steps, noise, schedule, seed, then):
        _follow(walk, indices, ends, level, tolerance, budget)
    arrays = {name: v.reshape((*batch, *v.shape[1:])) for name, v in ends.items()}
    arrays["evaluations"] = Evaluations.from_counts(np.moveaxis(arrays["evaluations"], -1, 0))
    return Final(**arrays)


def _walks(f, opt, x, chunk, steps, *arguments) -> Iterator[tuple[np.ndarray, Walk]]:
    """The rows of a batch in chunks: their indices, and the walk `(rows, d)`."""
    batch, (noise, schedule, seed, then) = x.shape[:-1], arguments
    all_indices = np.arange(int(np.prod(batch)))
    for first in range(0, len(all_indices), chunk):
        indices = all_indices[first : first + chunk]
        rows = np.unravel_index(indices, batch) if batch else ()
        seeds = np.broadcast_to(seed, batch)[rows] if np.ndim(seed) else seed
        later = [s._replace(optimizer=optimizer_for_rows(s.optimizer, batch, rows)) for s in then]
        row_opt = optimizer_for_rows(opt, batch, rows)
        start = batch_start(f, [row_opt], x[rows].reshape(-1, x.shape[-1]), 0)
        yield indices, Walk.from_arguments(f, row_opt, start, steps, noise, schedule, seeds, later)


@np.errstate(all="ignore")
def _follow(walk: Walk, indices, ends: dict, level, tolerance, budget) -> None:
    """Write the ends of a walk `(rows, d)` into `ends`, at the `indices` of the rows.

    Rows that have ended are dropped once they are the majority, if that changes nothing for others.
    """
    running, tally = np.ones(len(indices), bool), _Tally(walk)
    history = None if level is None else np.empty((walk.steps + 1, len(indices)))
    autonomous_from = walk.autonomous_from if budget == np.inf else walk.steps
    moments, remaining, previous, last_affordable = iter(walk), None, None, None

    def finish(mask, t, x, value, spent):
        rows = indices[mask]
        ends["point"][rows], ends["value"][rows] = x[mask], value[mask]
        ends["evaluations"][rows] = spent[:, mask].T
        if level is not None:
            height = level(x[mask], value[mask]) if callable(level) else level
            ends["settled_at"][rows] = _settled(history[: t + 1, mask], height, tolerance)
        running[mask] = False

    for t in range(walk.steps + 1):
        moment, remaining = moments.send(remaining), None
        x, value = moment.point, walk.function.value(moment.point)
        finite = np.isfinite(value) & np.isfinite(x).all(-1)
        tally.add(moment, running, finite)
        if budget < np.inf:  # a row whose budget the step exceeds ends before it
            spent = tally.total()
            if (over_budget := running & (spent.sum(0) > budget)).any():
                finish(over_budget, t - 1, *last_affordable)
            last_affordable = x, value, spent
        if history is not None:
            history[t] = np.where(finite, value, np.nan)
        if (diverged := running & ~finite).any():
            ends["diverged_at"][indices[diverged]] = t
            ends["undefined"][indices[diverged]] = is_undefined(x[diverged], value[diverged])
            finish(diverged, t, np.full_like(x, np.nan), np.full_like(value, np.nan), tally.total())
        if autonomous_from < t < walk.steps and t % CHECK_EVERY == 0:
            counter = walk.segments[-1].optimizer.counter
            if (resting := running & _at_rest(previous, moment, counter)).any():
                finish(resting, t, x, value, tally.total())
            if 2 * running.sum() <= len(running):
                remaining = np.flatnonzero(running)
                indices, running = indices[remaining], running[remaining]
                history = None if history is None else history[:, remaining]
                tally.keep(remaining)
        if not running.any():
            return
        previous = moment
    finish(running.copy(), walk.steps, x, value, tally.total())


def _settled(values, level, tolerance) -> np.ndarray:
    """The first step from which on values `(steps, rows)` stay at a level, -1 if they do not."""
    outside = ~(np.abs(values[::-1] - level) <= tolerance)  # backwards
    first = np.where(outside.any(0), len(values) - outside.argmax(0), 0)
    return np.where(first < len(values), first, -1)


def _at_rest(previous, current, counter) -> np.ndarray:
    """Rows in which a step has changed nothing, so that no later one will, given two moments."""
    (x, state, *_), (x_next, state_next, *_) = previous, current
    same = (x == x_next).all(-1)
    for name, v in state_next.items():
        if name == counter and state[name]:
            continue
        old = state[name]
        if np.shape(v) != np.shape(old) or (np.ndim(v) == 0 and v != old):
            return np.zeros_like(same)
        if np.ndim(v):
            same &= equal_or_nan(v, old).all(tuple(range(1, v.ndim)))
    return same


class _Tally:
    """Counts the evaluations of rows by the rule of `Run.work`: a row at rest, in which each step
    repeats the one before, costs nothing unless it moves again.
    """

    def __init__(self, walk):
        self.segments, self.rows = walk.segments, len(walk.start)
        self.last_steps = []  # at most two: point of the gradient, state, gradient
        self.charged = 0, 0, 0  # counts after the last step that was not free
        self.free = np.zeros((3, self.rows), int)  # free evaluations in previous segments
        self.warm_started = (False,)

    def add(self, moment, running, finite):
        """Add a moment of the walk, given the rows that took the step and those still finite."""
        x, state, gradient, counts, warm_started = moment
        if self.last_steps:
            self.last_steps[-1][-1] = gradient
            rests = len(self.last_steps) == 2 and is_repeat(*self.last_steps)
            cost = running & ~(rests & finite)
            if cost.all():
                self.charged = counts
            else:
                self.charged = np.where(cost, self._per_row(counts), self._per_row(self.charged))
        if len(warm_started) > len(self.warm_started):
            counts, self.charged = self._per_row(counts), self._per_row(self.charged)
            self.free += np.where(running, counts - self.charged, 0)
            self.charged = np.where(running, counts, self.charged)
            self.warm_started = warm_started
            self.last_steps = self.last_steps if warm_started[-1] else []
        point = self.segments[len(warm_started) - 1].optimizer.lookahead(x, state)
        self.last_steps = [*self.last_steps[-1:], [point, state, None]]

    def keep(self, rows):
        """Count only some of the rows from now on."""
        self.last_steps = [[take_rows(part, rows) for part in step] for step in self.last_steps]
        self.charged, self.free = self._per_row(self.charged)[:, rows], self.free[:, rows]
        self.rows = len(rows)

    def _per_row(self, counts):
        """Counts of every kind, which may be the same for all rows, as `(3, rows)`."""
        return np.array([np.broadcast_to(count, self.rows) for count in counts])

    def total(self):
        """The evaluations of every kind, `(3, rows)`."""
        return self._per_row(self.charged) - self.free
