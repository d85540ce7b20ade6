"""Where runs end: as `minimize`, but nothing is kept on the way, so memory stays the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer
from optviz.optim.minimize import Walk, batch_start, optimizer_for_rows, take_rows
from optviz.optim.noise import Noise
from optviz.optim.run import ROWS, Evaluations, Segment, equal_or_nan, is_repeat, is_undefined
from optviz.optim.schedules import Schedule

MAX_BYTES = 2**25  # of the noise of many seeds, or of the values on the way, at once
LOOK = 8  # steps between two looks at which rows are at rest


@dataclass(frozen=True, eq=False)
class Final:
    """The ends of runs, arrays of the batch's shape; NaN where a row has left the numbers."""

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

    With a `budget` a row ends at its last point that so many evaluations, of every kind together,
    have paid for. `level` is what `settled_at` is judged by: f is to stay within the tolerance of
    it. Of some ends, points `(n, d)` and values `(n,)`, it may be told by a function. Raises
    ValueError as `minimize` does.
    """
    x = batch_start(f, [opt, *(segment.optimizer for segment in then)], start, seed)
    batch, most = x.shape[:-1], ROWS
    if level is not None or (np.ndim(seed) and (f.noise if noise is None else noise) is not None):
        most = min(ROWS, max(1, MAX_BYTES // (16 * max(steps, 1))))
    n = int(np.prod(batch))
    ends = {
        "point": np.full((n, x.shape[-1]), np.nan),
        "value": np.full(n, np.nan),
        "diverged_at": np.full(n, -1),
        "undefined": np.zeros(n, bool),
        "evaluations": np.zeros((n, 3), int),
        "settled_at": np.full(n, -1),
    }
    for place, walk in _walks(f, opt, x, most, steps, noise, schedule, seed, then):
        _follow(walk, place, ends, level, tolerance, budget)
    found = {name: v.reshape((*batch, *v.shape[1:])) for name, v in ends.items()}
    found["evaluations"] = Evaluations.from_counts(np.moveaxis(found["evaluations"], -1, 0))
    return Final(**found)


def _walks(f, opt, x, at_once, steps, *more) -> Iterator[tuple[np.ndarray, Walk]]:
    """The rows of a batch some at a time: their numbers, and the walk `(rows, d)`."""
    batch, (noise, schedule, seed, then) = x.shape[:-1], more
    everyone = np.arange(int(np.prod(batch)))
    for first in range(0, len(everyone), at_once):
        place = everyone[first : first + at_once]
        rows = np.unravel_index(place, batch) if batch else ()
        seeds = np.broadcast_to(seed, batch)[rows] if np.ndim(seed) else seed
        picked = [s._replace(optimizer=optimizer_for_rows(s.optimizer, batch, rows)) for s in then]
        inside = optimizer_for_rows(opt, batch, rows)
        start = batch_start(f, [inside], x[rows].reshape(-1, x.shape[-1]), 0)
        yield place, Walk.from_arguments(f, inside, start, steps, noise, schedule, seeds, picked)


@np.errstate(all="ignore")
def _follow(walk: Walk, place, ends: dict, level, tolerance, budget) -> None:
    """Write the ends of a walk `(rows, d)` down, those of a row at its `place`.

    Where it goes on the same without them, rows that have ended leave as soon as they are the most.
    """
    running, tally = np.ones(len(place), bool), _Tally(walk)
    history = None if level is None else np.empty((walk.steps + 1, len(place)))
    since = walk.autonomous_from if budget == np.inf else walk.steps
    moments, staying, before, paid = iter(walk), None, None, None

    def end(which, t, x, value, spent):
        at = place[which]
        ends["point"][at], ends["value"][at] = x[which], value[which]
        ends["evaluations"][at] = spent[:, which].T
        if level is not None:
            here = level(x[which], value[which]) if callable(level) else level
            ends["settled_at"][at] = _settled(history[: t + 1, which], here, tolerance)
        running[which] = False

    for t in range(walk.steps + 1):
        moment, staying = moments.send(staying), None
        x, value = moment.point, walk.function.value(moment.point)
        finite = np.isfinite(value) & np.isfinite(x).all(-1)
        tally.add(moment, running, finite)
        if budget < np.inf:  # who cannot pay for the step ends where it was
            spent = tally.total()
            if (over := running & (spent.sum(0) > budget)).any():
                end(over, t - 1, *paid)
            paid = x, value, spent
        if history is not None:
            history[t] = np.where(finite, value, np.nan)
        if (lost := running & ~finite).any():
            ends["diverged_at"][place[lost]] = t
            ends["undefined"][place[lost]] = is_undefined(x[lost], value[lost])
            end(lost, t, np.full_like(x, np.nan), np.full_like(value, np.nan), tally.total())
        if since < t < walk.steps and t % LOOK == 0:
            counter = walk.segments[-1].optimizer.counter
            if (resting := running & _at_rest(before, moment, counter)).any():
                end(resting, t, x, value, tally.total())
            if 2 * running.sum() <= len(running):
                staying = np.flatnonzero(running)
                place, running = place[staying], running[staying]
                history = None if history is None else history[:, staying]
                tally.keep(staying)
        if not running.any():
            return
        before = moment
    end(running.copy(), walk.steps, x, value, tally.total())


def _settled(values, level, tolerance) -> np.ndarray:
    """The first step from which on values `(steps, rows)` stay at a level, -1 where they do not."""
    away = ~(np.abs(values[::-1] - level) <= tolerance)  # backwards
    since = np.where(away.any(0), len(values) - away.argmax(0), 0)
    return np.where(since < len(values), since, -1)


def _at_rest(before, moment, counter) -> np.ndarray:
    """The rows in which a step has changed nothing, so that none will; both are moments."""
    (x, state, *_), (x_next, state_next, *_) = before, moment
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
    finds what the one before has found, costs nothing unless it moves again.
    """

    def __init__(self, walk):
        self.segments, self.rows = walk.segments, len(walk.start)
        self.found = []  # by the last two steps: where they asked, the state, the answer
        self.asked = 0, 0, 0  # at the end of the last step that cost
        self.saved = np.zeros((3, self.rows), int)  # in the segments before this one
        self.warm_started = (False,)

    def add(self, moment, alive, finite):
        """A moment of the walk, the rows that took the step to it, and those still finite."""
        x, state, given, counts, warm_started = moment
        if self.found:
            self.found[-1][-1] = given
            rests = len(self.found) == 2 and is_repeat(*self.found)
            cost = alive & ~(rests & finite)
            if cost.all():
                self.asked = counts
            else:
                self.asked = np.where(cost, self._of_rows(counts), self._of_rows(self.asked))
        if len(warm_started) > len(self.warm_started):
            counts, self.asked = self._of_rows(counts), self._of_rows(self.asked)
            self.saved += np.where(alive, counts - self.asked, 0)
            self.asked = np.where(alive, counts, self.asked)
            self.warm_started = warm_started
            self.found = self.found if warm_started[-1] else []
        at = self.segments[len(warm_started) - 1].optimizer.lookahead(x, state)
        self.found = [*self.found[-1:], [at, state, None]]

    def keep(self, rows):
        """Count for some of the rows alone."""
        self.found = [[take_rows(part, rows) for part in step] for step in self.found]
        self.asked, self.saved = self._of_rows(self.asked)[:, rows], self.saved[:, rows]
        self.rows = len(rows)

    def _of_rows(self, counts):
        """Counts of every kind, which may be the same for all rows, as `(3, rows)`."""
        return np.array([np.broadcast_to(count, self.rows) for count in counts])

    def total(self):
        """The evaluations of every kind, `(3, rows)`."""
        return self._of_rows(self.asked) - self.saved
