"""The trials of a search: trained in batches side by side, in slices, stopped and resumed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import NamedTuple

import numpy as np

from optviz.nn import accuracy_score, one_hot, softmax, softmax_cross_entropy
from optviz.spec import canonical_json, to_dict
from optviz.training import Amount, Data, Job, Progress, Training, loop
from optviz.training.cost import cost_of
from optviz.tuning.importance import Importance, importance
from optviz.tuning.spec import Search, SearchData, Status, split_data

SIDES = 2  # batches are as many, or a multiple: no core waits for another one's
# Numbers of a batch of trials, which then stay in the processor's cache; see benchmarks/search.py.
MAX_BATCH_NUMBERS = 4_000_000
TOGETHER = 5  # of the best trials are asked together
STEP = 3e9  # operations between two looks at the clock: some hundredths of a second


class Batch(NamedTuple):
    """Trials that are trained together, and how far they have come; None before they have begun."""

    trials: tuple[int, ...]
    progress: Progress | None = None

    @property
    def iteration(self) -> int:
        return self.progress.iteration if self.progress else 0


class Winner(NamedTuple):
    """One of the best of the trials that are trained to the end, and its network."""

    trial: int
    params: np.ndarray  # (1, P)
    running_statistics: np.ndarray  # (1, R)


@dataclass(frozen=True, eq=False)
class SearchState:
    """How far a search has come, with n trials proposed so far, in d dimensions.

    Whatever the slices were, the numbers are the same.
    """

    search: Search
    points: np.ndarray  # (n, d) in the unit cube
    stopped: np.ndarray  # (n,) bool, by halving
    iterations: np.ndarray  # (n,): for how long each was trained
    accuracy: np.ndarray  # (n, k, 2): training and validation; NaN where not measured or diverged
    diverged_at: np.ndarray  # (n,), -1 where it did not
    loss: np.ndarray  # (n, rungs): on the validation set; NaN where not there or diverged
    round: int = 0  # how often trials were proposed
    stop: int = 0  # for which of the search's stops the batches are heading
    batches: tuple[Batch, ...] = field(default=(), repr=False)
    winners: tuple[Winner, ...] = ()  # the best first

    @property
    def winner(self) -> Winner | None:
        """The best; None as long as none is trained to the end."""
        return self.winners[0] if self.winners else None

    @property
    def done(self) -> bool:
        """Whether nothing is left to try."""
        return not self.batches and self.round >= len(self.search.rounds)

    @property
    def values(self) -> np.ndarray:
        """The hyperparameters `(n, d)`."""
        return self.search.space.values(self.points)

    @property
    def completed(self) -> np.ndarray:
        """Which trials `(n,)` are trained to the end."""
        return self.iterations == self.search.iterations

    @property
    def ended(self) -> np.ndarray:
        """Which trials `(n,)` are not trained any longer."""
        return self.completed | self.stopped

    @property
    def statuses(self) -> np.ndarray:
        """What has become of each `(n,)`, as numbers of Status."""
        found = [self.diverged_at >= 0, self.completed, self.stopped, self.iterations > 0]
        names = [Status.DIVERGED, Status.COMPLETED, Status.STOPPED, Status.RUNNING]
        return np.select(found, names, Status.WAITING)

    @property
    def last(self) -> np.ndarray:
        """Which accuracy `(n,)` of each is its last, as a place among the evaluated."""
        passed = np.searchsorted(self.search.evaluated, self.iterations, "right")
        return np.maximum(passed - 1, 0)

    @property
    def scores(self) -> np.ndarray:
        """The last validation accuracy `(n,)`: 0 where it diverged, NaN where not yet begun."""
        found = self.accuracy[np.arange(len(self.last)), self.last, 1]
        return np.where(self.iterations == 0, np.nan, np.nan_to_num(found))

    @property
    def standing(self) -> np.ndarray:
        """Numbers `(n,)` that order the trials: by how far each came, of equals by the score."""
        return 2.0 * self.iterations + self.scores

    @property
    def ranking(self) -> np.ndarray:
        """The trials that have ended, the best first."""
        ended = np.flatnonzero(self.ended)
        return ended[np.lexsort((ended, -self.standing[ended]))]

    @cached_property
    def importance(self) -> Importance:
        """Of each hyperparameter for the accuracy of the trials that are trained to the end."""
        return importance(self.points[self.completed], self.scores[self.completed])

    @property
    def trainings(self) -> list[Training]:
        """The trials that have begun as trainings, those of one length side by side."""
        own = [self.search.trial(values) for values in self.values]
        found = []
        for n in np.unique(self.iterations[self.iterations > 0]).tolist():
            trials = tuple(own[i] for i in np.flatnonzero(self.iterations == n))
            found.append(replace(self.search.base, iterations=n, trials=trials))
        return found


@dataclass(frozen=True)
class SearchJob(Job):
    """A search in slices. `source` tells whose files its data come from, `data()` gives them."""

    search: Search
    data: Callable[[], Data]
    source: str = ""

    @cached_property
    def key(self) -> str:
        return canonical_json(to_dict(self.search)) + self.source

    @property
    def length(self) -> int:
        return self.search.iterations

    @property
    def cost(self) -> float:
        return self.search.trials * cost_of(self.search.base)

    def begin(self) -> SearchState:
        split_data(self.search, self.data())  # what is wrong is said before anybody waits
        none = np.empty((0, len(self.search.space.axes)))
        return SearchState(self.search, **_untried(self.search, none))

    def advance(self, state: SearchState, budget: float) -> SearchState:
        until = perf_counter() + budget
        while not state.done and perf_counter() < until:
            if not state.batches:
                state = _proposed(state)
            parts = [self.part(state, batch.trials) for batch in state.batches]
            state = _joined(state, [part.advance(until - perf_counter()) for part in parts])
            if state.batches and not self.parts(state):  # all are at the rung
                state = _halved(state, split_data(self.search, self.data()).tuning)
        return state

    def progress(self, state: SearchState) -> Amount:
        """Iterations that are done, and how many it will be; with rounds of halving, about that."""
        stops, waiting = self.search.stops, state.iterations[~state.ended]
        done = whole = int(state.iterations.sum())
        if len(waiting):
            whole += int((stops[state.stop] - waiting).sum())
        later = [(n, 0) for n in self.search.rounds[state.round :]]
        for left, first in ((len(waiting), state.stop + 1), *later):
            for i, stop in enumerate(stops[first:], first):
                left = -(-left // self.search.halving.factor) if i else left
                whole += left * (stop - (stops[i - 1] if i else 0))
        return Amount(done, whole)

    def parts(self, state: SearchState) -> Sequence[tuple[int, ...]]:
        """The trials of each batch that is still under way; those that have begun come first."""
        target = self.search.stops[state.stop]
        begun_first = sorted(state.batches, key=lambda b: b.progress is None)
        return [b.trials for b in begun_first if b.iteration < target]

    def part(self, state: SearchState, name: tuple[int, ...]) -> "BatchPart":
        [batch] = [b for b in state.batches if b.trials == name]
        return BatchPart(self, batch, state.values[list(name)], self.search.stops[state.stop])

    def join(self, state: SearchState, found: Batch) -> SearchState:
        return _joined(state, [found if b.trials == found.trials else b for b in state.batches])


class BatchPart(NamedTuple):
    """A batch on its way to the stop that it is heading for."""

    job: SearchJob
    batch: Batch
    values: np.ndarray  # (trials, d): its hyperparameters
    target: int

    def advance(self, budget: float) -> Batch:
        """The batch, trained to the stop or as far as the time goes."""
        until, (trials, now) = perf_counter() + budget, self.batch
        if budget <= 0:
            return self.batch
        search, data = self.job.search, split_data(self.job.search, self.job.data()).tuning
        if now is None:
            own = tuple(map(search.trial, self.values))
            now = loop.begin(replace(search.base, trials=own), data)
        training = now.training
        step = max(1, int(STEP / (6 * training.network.size * training.batch * len(trials))))
        while now.iteration < self.target and perf_counter() < until:
            steps = min(step, loop.until_stop(now), self.target - now.iteration)
            now = loop.advance(now, data, steps)
        return Batch(trials, now)


def _untried(search, points):
    """The arrays of a state for trials at these points that have not begun."""
    n = len(points)
    return {
        "points": points,
        "stopped": np.zeros(n, bool),
        "iterations": np.zeros(n, int),
        "accuracy": np.full((n, len(search.evaluated), 2), np.nan),
        "diverged_at": np.full(n, -1),
        "loss": np.full((n, len(search.stops) - 1), np.nan),
    }


def trials_per_batch(training: Training) -> int:
    """So many that their parameters, gradients and signals fit into the processor's cache."""
    one = 2 * training.network.size + 4 * training.batch * sum(training.network.sizes)
    return max(1, MAX_BATCH_NUMBERS // one)


def _proposed(state):
    """With the trials of the next round, in batches that have not begun."""
    search, known, tried = state.search, len(state.points), np.flatnonzero(state.ended)
    points = search.propose(state.round, state.points[tried], state.scores[tried])
    n = len(points)
    turns = -(-n // (SIDES * trials_per_batch(search.base)))
    split = np.array_split(np.arange(known, known + n), min(n, SIDES * turns))
    batches = tuple(Batch(tuple(part.tolist())) for part in split)
    longer = {
        name: np.concatenate([getattr(state, name), new])
        for name, new in _untried(search, points).items()
    }
    return replace(state, **longer, round=state.round + 1, stop=0, batches=batches)


def _joined(state, batches):
    """With what the batches have come to; those that are complete are let go."""
    iterations, diverged_at = state.iterations.copy(), state.diverged_at.copy()
    accuracy = state.accuracy.copy()
    for trials, now in batches:
        if now is not None:
            of, k = list(trials), len(now.evaluated)
            iterations[of], diverged_at[of] = now.iteration, now.diverged_at[:, 0]
            accuracy[of, :k] = now.accuracy[..., 0].transpose(2, 0, 1)
    going = tuple(b for b in batches if b.iteration < state.search.iterations)
    state = replace(
        state, iterations=iterations, diverged_at=diverged_at, accuracy=accuracy, batches=going
    )
    return replace(state, winners=_winners(state, batches))


def _winners(state, batches):
    """The best so far; of equals those that were proposed first."""
    found = {winner.trial: winner for winner in state.winners}
    for trials, now in batches:
        if now is not None and now.done:
            ends = map(Winner, trials, now.params, now.running_statistics)
            found |= {winner.trial: winner for winner in ends}
    return tuple(sorted(found.values(), key=lambda w: (-state.scores[w.trial], w.trial)))[:TOGETHER]


def _halved(state, data):
    """At a rung: who is not among the best of all that have ever stood there is stopped."""
    rung, loss, stopped = state.stop, state.loss.copy(), state.stopped.copy()
    for trials, now in state.batches:
        loss[list(trials), rung] = _loss(now, data)
    here = np.array([trial for trials, _ in state.batches for trial in trials])
    there = np.flatnonzero(state.iterations >= state.search.stops[rung])
    earlier = loss[np.setdiff1d(there, here), rung]
    alive = state.search.halving.survivors(loss[here, rung], earlier)
    stopped[here[~alive]] = True
    going = []
    for trials, now in state.batches:
        if places := [i for i, trial in enumerate(trials) if not stopped[trial]]:
            going.append(Batch(tuple(trials[i] for i in places), loop.select(now, places)))
    return replace(state, stopped=stopped, loss=loss, batches=tuple(going), stop=rung + 1)


def _loss(now, data: Data):
    """The mean loss `(trials,)` on the validation set; NaN where it is not finite."""
    network = now.training.network
    x, statistics = data.x_test.astype(now.params.dtype, copy=False), now.running_statistics[:, 0]
    with np.errstate(all="ignore"):
        z = network.outputs(now.params[:, 0], x, running_statistics=statistics)
        loss, _ = softmax_cross_entropy(z, one_hot(data.t_test, z.shape[-1], z.dtype))
    return np.where(np.isfinite(loss), loss, np.nan)


def final_accuracies(state: SearchState, data: SearchData) -> tuple[float, float]:
    """On the test set, of the winner and of the best together by their mean probabilities.

    They mean what they say only once, at the end.
    """
    network, best = state.search.network, state.winners
    x = data.x_test.astype(best[0].params.dtype, copy=False)
    sound = [winner for winner in best if np.isfinite(winner.params).all()] or best[:1]
    said = [softmax(network.outputs(p, x, running_statistics=s)) for _, p, s in sound]
    alone, together = (accuracy_score(p, data.t_test) for p in (said[0], np.mean(said, 0)))
    return float(alone[0]), float(together[0])
