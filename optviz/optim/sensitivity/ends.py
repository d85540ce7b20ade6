"""Where runs end: as `minimize`, but nothing is kept on the way, so memory stays the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer
from optviz.optim.minimize import Walk, batch_start, of_rows, taken
from optviz.optim.noise import Noise
from optviz.optim.run import ROWS, Evaluations, Segment, shaped, undefined_at
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
    places, parts = [], []  # of rows that have left together
    for first, walk in _walks(f, opt, x, most, steps, noise, schedule, seed, then):
        for place, end in _followed(walk, level, tolerance, budget):
            places.append(first + place)
            parts.append(end)
    order = np.concatenate(places).argsort()
    joined = {
        part.name: np.concatenate([getattr(end, part.name).T for end in parts], -1)[..., order]
        for part in fields(Final)
    }
    counts = joined.pop("evaluations").reshape(3, *batch)
    evaluations = Evaluations(*(int(c) if c.ndim == 0 else c for c in counts))
    point = joined.pop("point").T.reshape(x.shape)
    shapes = {name: v.reshape(batch) for name, v in joined.items()}
    return Final(point=point, evaluations=evaluations, **shapes)


def _walks(f, opt, x, at_once, steps, *more) -> Iterator[tuple[int, Walk]]:
    """The rows of a batch some at a time: the first, and the walk `(rows, d)`."""
    batch, (noise, schedule, seed, then) = x.shape[:-1], more
    for begin in range(0, max(int(np.prod(batch)), 1), at_once):
        rows = ()
        if batch:
            end = min(begin + at_once, int(np.prod(batch)))
            rows = np.unravel_index(np.arange(begin, end), batch)
        seeds = np.broadcast_to(seed, batch)[rows] if np.ndim(seed) else seed
        picked = [s._replace(optimizer=of_rows(s.optimizer, batch, rows)) for s in then]
        inside = of_rows(opt, batch, rows)
        start = batch_start(f, [inside], x[rows].reshape(-1, x.shape[-1]), 0)
        yield begin, Walk.of(f, inside, start, steps, noise, schedule, seeds, picked)


@np.errstate(all="ignore")
def _followed(walk: Walk, level, tolerance, budget) -> list[tuple[np.ndarray, Final]]:
    """The ends of a walk `(rows, d)`, for rows that leave it together: which these are, and a Final
    whose evaluations are an array `(rows, 3)`.

    Rows that have diverged or do not move any more leave as soon as they are the most.
    """
    rows, paid, before, found = len(walk.start), None, None, []
    place, alive, gone = np.arange(rows), np.ones(rows, bool), np.full(rows, -1)
    undefined, tally = np.zeros(rows, bool), _Tally(walk)
    history = np.empty((walk.steps + 1, rows)) if level is not None else None
    since = walk.autonomous_from if budget == np.inf else walk.steps
    moments, staying = iter(walk), None

    def leave(which):
        spent = paid[1] if paid else tally.total()
        ended = np.where(alive[:, None], x, np.nan), np.where(alive, value, np.nan), gone, undefined
        *ended, asked = (v[which] for v in (*ended, spent.T))
        settled = np.full(len(asked), -1)
        if level is not None:
            levels = level(*ended[:2]) if callable(level) else level
            away = ~(np.abs(history[t::-1, which] - levels) <= tolerance)  # backwards
            settled = np.where(away.any(0), t + 1 - away.argmax(0), 0)
            settled = np.where(np.isnan(ended[1]) | (settled > t), -1, settled)
        found.append((place[which], Final(*ended, asked, settled)))

    for t in range(walk.steps + 1):
        moment, staying = moments.send(staying), None
        x, value = moment[0], walk.function.value(moment[0])
        finite = np.isfinite(value) & np.isfinite(x).all(-1)
        tally.add(moment, alive, finite)
        if budget < np.inf:  # a row that cannot pay for the step stays where it was
            now, spent = (x, value, finite), tally.total()
            over = spent.sum(0) > budget
            if paid:
                x, value, finite = now = [
                    np.where(over if a.ndim == 1 else over[:, None], before, a)
                    for a, before in zip(now, paid[0], strict=True)
                ]
                spent = np.where(over, paid[1], spent)
            paid = now, spent
        if history is not None:
            history[t] = value
        if budget < np.inf and over.all():
            break
        if not (alive <= finite).all():
            lost = alive & ~finite
            gone[lost] = t
            undefined |= lost & undefined_at(x, value)
            alive = alive & finite
            if not alive.any():
                break
        if since < t < walk.steps and t % LOOK == 0:
            counter = walk.segments[-1].optimizer.counter
            moving = alive & ~_at_rest(before, moment, counter)
            if 2 * moving.sum() <= len(moving):
                leave(~moving)
                staying = np.flatnonzero(moving)
                if not len(staying):
                    return found
                kept = place, alive, gone, undefined
                place, alive, gone, undefined = (v[staying] for v in kept)
                history = None if history is None else history[:, staying]
                tally.keep(staying)
        before = moment
    leave(slice(None))
    return found


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
            same &= _alike(v, old).all(tuple(range(1, v.ndim)))
    return same


def _alike(a, b):
    """Where two arrays hold the same, be it NaN."""
    return (a == b) | (np.isnan(a) & np.isnan(b))


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
            cost = alive & ~(self._repeated() & finite)
            self.asked = counts if cost.all() else np.where(cost, *self._rows(counts, self.asked))
        if len(warm_started) > len(self.warm_started):
            counts, self.asked = self._rows(counts, self.asked)
            self.saved += np.where(alive, counts - self.asked, 0)
            self.asked = np.where(alive, counts, self.asked)
            self.warm_started = warm_started
            self.found = self.found if warm_started[-1] else []
        at = self.segments[len(warm_started) - 1].optimizer.lookahead(x, state)
        self.found = [*self.found[-1:], [at, state, None]]

    def _repeated(self):
        """The rows in which the last step found what the one before had found."""
        same = np.zeros(self.rows, bool)
        if len(self.found) < 2 or any(given is None for *_, given in self.found):
            return same
        (at, state, given), (at_next, state_next, given_next) = self.found
        same = (at == at_next).all(-1)
        if same.any():
            same &= (given == given_next).all(-1)
            held, held_next = (shaped(held, at.shape) for held in (state, state_next))
            for name, v in held.items():
                other = held_next.get(name, np.nan)
                same &= _alike(v, other).all(-1)
        return same

    def keep(self, rows):
        """Count for some of the rows alone."""
        self.found = [[taken(part, rows) for part in step] for step in self.found]
        (self.asked,) = self._rows(self.asked)
        self.asked, self.saved = self.asked[:, rows], self.saved[:, rows]
        self.rows = len(rows)

    def _rows(self, *counts):
        return (np.array([np.broadcast_to(c, self.rows) for c in count]) for count in counts)

    def total(self):
        """The evaluations of every kind, `(3, rows)`."""
        (asked,) = self._rows(self.asked)
        return asked - self.saved
