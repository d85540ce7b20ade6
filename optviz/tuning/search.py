"""The trials of a search: trained in batches on two threads, a slice at a time, stopped and taken up at will."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import perf_counter
from typing import NamedTuple

import numpy as np

from optviz.experiments.hyperparameter_search.spec import Parts, Search
from optviz.nn import one_hot, softmax_cross_entropy, stream
from optviz.training import (
    Progress,
    Training,
    advance,
    begin,
    select,
)
from optviz.tuning import SAMPLERS

WORKERS = 2  # threads: most of a step is matrix products, during which NumPy lets the other thread run
TOGETHER = 4_000_000  # numbers of a batch of trials, which then stay in the processor's cache; see benchmarks/search.py
STEP = 3e9  # operations between two looks at the clock: some hundredths of a second
PROPOSALS = 20  # the sampler's purpose among the streams of random numbers
OPEN, DONE, STOPPED = range(3)


class Batch(NamedTuple):
    """Trials that are trained as one batch, and how far it has come; None before it has begun."""

    trials: tuple[int, ...]
    progress: Progress | None = None


class Winner(NamedTuple):
    """The best of those trained to the end, and its network."""

    trial: int
    params: np.ndarray  # (1, P)
    running_statistics: np.ndarray  # (1, R)


@dataclass(frozen=True, eq=False)
class SearchState:
    """How far a search has come: a value, from which it goes on. n trials are proposed so far, in d dimensions.

    Whatever the slices were, the numbers are the same.
    """

    search: Search
    points: np.ndarray  # (n, d) in the unit cube
    state: np.ndarray  # (n,): OPEN, DONE, or STOPPED before its end
    iterations: np.ndarray  # (n,): for how long each was trained
    accuracy: np.ndarray  # (n, k, 2): on training and validation rows; NaN where not measured or diverged
    diverged_at: np.ndarray  # (n,), -1 where it did not
    loss: np.ndarray  # (n, looks): on validation rows at each look of halving; NaN where not there or diverged
    round: int = 0  # how often trials were proposed
    stop: int = 0  # for which of the stops the groups are heading
    groups: tuple[Batch, ...] = ()
    winner: Winner | None = None
    seconds: float = 0.0

    @property
    def done(self) -> bool:
        """Whether nothing is left to try."""
        return not self.groups and self.round >= len(self.search.rounds)

    @property
    def evaluated(self) -> np.ndarray:
        """The iterations `(k,)` at which accuracies are measured."""
        return _assessed(self.search.training)

    @property
    def values(self) -> np.ndarray:
        """The hyperparameters `(n, d)`."""
        return self.search.space.values(self.points)

    @property
    def last(self) -> np.ndarray:
        """Which accuracy `(n,)` of each is its last, as a place among the assessed."""
        return np.maximum(np.searchsorted(self.evaluated, self.iterations, "right") - 1, 0)

    @property
    def scores(self) -> np.ndarray:
        """The last accuracy `(n,)` on validation rows: 0 where it diverged, NaN where training has not begun."""
        found = self.accuracy[np.arange(len(self.last)), self.last, 1]
        return np.where(self.iterations == 0, np.nan, np.where(np.isnan(found), 0.0, found))

    @property
    def trainings(self) -> list[Training]:
        """The trials that have begun as trainings, those of one length side by side."""
        lengths = {int(n): np.flatnonzero(self.iterations == n) for n in self.iterations if n}
        own = [self.search.trial(values) for values in self.values]
        return [
            replace(self.search.training, iterations=n, trials=tuple(own[i] for i in of))
            for n, of in sorted(lengths.items())
        ]

    @property
    def standing(self) -> np.ndarray:
        """Numbers `(n,)` that order the trials: who was stopped earlier is behind, of equals the score decides."""
        return 2.0 * self.iterations + self.scores

    @property
    def ranking(self) -> np.ndarray:
        """The trials that have ended, the best first, as they stand."""
        ended = np.flatnonzero(self.state != OPEN)
        return ended[np.lexsort((ended, -self.standing[ended]))]


def start(search: Search) -> SearchState:
    """Before anything is proposed."""
    none, d, k = np.empty(0, int), len(search.space.axes), len(_assessed(search.training))
    return SearchState(
        search, np.empty((0, d)), none, none, np.empty((0, k, 2)), none, np.empty((0, len(search.looks)))
    )  # fmt: skip


def go_on(now: SearchState, rows: Parts, seconds: float = np.inf) -> SearchState:
    """The trials after so many more seconds of work, or when all is done. ValueError where the data do not fit."""
    began = perf_counter()
    while not now.done and perf_counter() - began < seconds:
        if not now.groups:
            now = _proposed(now)
        trained = _trained(now, rows, began + seconds)
        now = replace(_recorded(now, trained), groups=tuple(g for g in trained if not (g.progress and g.progress.done)))
        if now.groups and all(g.progress and g.progress.iteration == _target(now) for g in now.groups):
            now = _cut(now, rows)
    return replace(now, seconds=now.seconds + perf_counter() - began)


def work(now: SearchState) -> tuple[int, int]:
    """How many iterations are trained, and how many it will be in all; with several rounds of halving, about that."""
    stops, halving = (*now.search.looks, now.search.training.iterations), now.search.halving
    done, waiting = int(now.iterations.sum()), now.iterations[now.state == OPEN]
    whole = done + int((stops[now.stop] - waiting).sum()) if len(waiting) else done
    for left, first in ((len(waiting), now.stop + 1), *((n, 0) for n in now.search.rounds[now.round :])):
        for i, stop in enumerate(stops[first:], first):
            left = -(-left // halving.factor) if i else left
            whole += left * (stop - (stops[i - 1] if i else 0))
    return done, whole


def final_accuracy(now: SearchState, rows: Parts) -> float:
    """The winner's accuracy on rows that nobody has looked at: it means what it says only once, at the end."""
    network, winner = now.search.training.network, now.winner
    x = rows.x_test.astype(winner.params.dtype, copy=False)
    return float(network.accuracy(winner.params, x, rows.t_test, running_statistics=winner.running_statistics)[0])


def _assessed(training):
    return np.unique([*range(0, training.iterations, training.eval_every), training.iterations])


def _target(now):
    return (*now.search.looks, now.search.training.iterations)[now.stop]


def _proposed(now):
    """With the trials of the next round, in groups that have not begun."""
    search, known = now.search, len(now.points)
    rng = stream(search.training.seeds[0], PROPOSALS, now.round)
    tried = np.flatnonzero(now.state != OPEN)
    n = search.rounds[now.round]
    points = search.sampler.build(SAMPLERS).propose(now.points[tried], now.scores[tried], n, rng)
    turns = -(-n // (WORKERS * together(search.training)))  # no thread waits for the other's last group
    split = np.array_split(np.arange(known, known + n), min(n, WORKERS * turns))
    groups = [Batch(tuple(part.tolist())) for part in split]
    k = now.accuracy.shape[1]
    return replace(
        now, points=np.concatenate([now.points, points]), state=np.append(now.state, np.full(n, OPEN)),
        iterations=np.append(now.iterations, np.zeros(n, int)), diverged_at=np.append(now.diverged_at, np.full(n, -1)),
        accuracy=np.concatenate([now.accuracy, np.full((n, k, 2), np.nan)]),
        loss=np.concatenate([now.loss, np.full((n, now.loss.shape[1]), np.nan)]), round=now.round + 1, stop=0, groups=tuple(groups),
    )  # fmt: skip


def together(training: Training) -> int:
    """How many trials are a batch: parameters and gradients, and what a mini-batch leaves in the layers."""
    one = 2 * training.network.size + 4 * training.batch * sum(training.network.sizes)
    return max(1, TOGETHER // one)


def _trained(now, rows, until):
    """The groups, each trained to its stop or as far as the time goes: a thread takes one after the other."""
    search, groups = now.search, list(now.groups)
    target, values = _target(now), now.values
    waiting = deque(sorted(range(len(groups)), key=lambda i: groups[i].progress is None))

    def work():
        while waiting and perf_counter() < until:
            try:
                i = waiting.popleft()
            except IndexError:  # the other thread was faster
                return
            trials, at = groups[i]
            if at is None:
                batch = replace(search.training, trials=tuple(search.trial(values[t]) for t in trials))
                at = begin(batch, rows.seen)
            training = at.training
            one = 6 * training.network.size * training.batch * len(trials)
            step = max(1, int(STEP / one))
            while at.iteration < target and perf_counter() < until:
                measured = training.eval_every - at.iteration % training.eval_every
                at = advance(at, rows.seen, min(step, measured, target - at.iteration))
            groups[i] = Batch(trials, at)

    with ThreadPoolExecutor(WORKERS) as pool:
        for thread in [pool.submit(work) for _ in range(min(WORKERS, len(waiting)))]:
            thread.result()
    return tuple(groups)


def _recorded(now, groups):
    """With what the groups have found out."""
    state, iterations, accuracy, lost = (a.copy() for a in (now.state, now.iterations, now.accuracy, now.diverged_at))
    for trials, at in groups:
        if at is None:
            continue
        of, k = list(trials), len(at.evaluated)
        iterations[of], lost[of] = at.iteration, at.diverged_at[:, 0]
        accuracy[of, :k] = at.accuracy[..., 0].transpose(2, 0, 1)
        if at.done:
            state[of] = DONE
    now = replace(now, state=state, iterations=iterations, accuracy=accuracy, diverged_at=lost)
    return replace(now, winner=_winner(now, groups))


def _winner(now, groups):
    """The best so far; of equals the one that was proposed first."""
    scores, best = now.scores, now.winner
    for trials, at in groups:
        if at is None or not at.done:
            continue
        for place, trial in enumerate(trials):
            if best is None or (scores[trial], -trial) > (scores[best.trial], -best.trial):
                best = Winner(trial, at.params[place], at.running_statistics[place])
    return best


def _cut(now, rows):
    """At a look: who is not among the best of all that have ever stood there is stopped."""
    look, loss, state = now.stop, now.loss.copy(), now.state.copy()
    for trials, at in now.groups:
        loss[list(trials), look] = _loss(at, rows.seen)
    here = np.array([trial for trials, _ in now.groups for trial in trials])
    before = np.setdiff1d(np.flatnonzero(now.iterations >= _target(now)), here)
    alive = set(here[now.search.halving.survive(loss[here, look], loss[before, look])].tolist())
    state[[trial for trial in here if trial not in alive]] = STOPPED
    groups = [left for group in now.groups if (left := _remaining(group, alive))]
    return replace(now, state=state, loss=loss, groups=tuple(groups), stop=look + 1)


def _loss(at, data):
    """The mean loss `(trials,)` on the validation rows; NaN where it is not finite."""
    network = at.training.network
    with np.errstate(all="ignore"):
        z = network.outputs(at.params[:, 0], data.x_test.astype(at.params.dtype, copy=False), running_statistics=at.running_statistics[:, 0])
        loss, _ = softmax_cross_entropy(z, one_hot(data.t_test, z.shape[-1], z.dtype))
    return np.where(np.isfinite(loss), loss, np.nan)


def _remaining(group, alive):
    places = [i for i, trial in enumerate(group.trials) if trial in alive]
    if not places:
        return None
    return Batch(tuple(group.trials[i] for i in places), select(group.progress, places))
