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

SIDES = 2  # the number of batches is a multiple of it: no core waits for another
# Numbers of a batch of trials, which then stay in the processor's cache; see benchmarks/search.py.
MAX_BATCH_NUMBERS = 4_000_000
TOGETHER = 5  # of the best trials are asked together
STEP = 3e9  # operations between two checks of the clock: some hundredths of a second


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
        conditions = [self.diverged_at >= 0, self.completed, self.stopped, self.iterations > 0]
        statuses = [Status.DIVERGED, Status.COMPLETED, Status.STOPPED, Status.RUNNING]
        return np.select(conditions, statuses, Status.WAITING)

    @property
    def last(self) -> np.ndarray:
        """The index `(n,)` of each trial's last accuracy among the evaluated ones."""
        passed = np.searchsorted(self.search.evaluated, self.iterations, "right")
        return np.maximum(passed - 1, 0)

    @property
    def scores(self) -> np.ndarray:
        """The last validation accuracy `(n,)`: 0 where it diverged, NaN where it has not begun."""
        accuracy = self.accuracy[np.arange(len(self.last)), self.last, 1]
        return np.where(self.iterations == 0, np.nan, np.nan_to_num(accuracy))

    @property
    def standing(self) -> np.ndarray:
        """Numbers `(n,)` that order the trials: by iterations, and among equal ones by score."""
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
        sampled = [self.search.trial(values) for values in self.values]
        trainings = []
        for n in np.unique(self.iterations[self.iterations > 0]).tolist():
            trials = tuple(sampled[i] for i in np.flatnonzero(self.iterations == n))
            trainings.append(replace(self.search.base, iterations=n, trials=trials))
        return trainings


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
        split_data(self.search, self.data())  # raises what is wrong before anybody waits
        none = np.empty((0, len(self.search.space.axes)))
        return SearchState(self.search, **_empty_arrays(self.search, none))

    def advance(self, state: SearchState, budget: float) -> SearchState:
        until = perf_counter() + budget
        while not state.done and perf_counter() < until:
            if not state.batches:
                state = _propose(state)
            parts = [self.part(state, batch.trials) for batch in state.batches]
            state = _join(state, [part.advance(until - perf_counter()) for part in parts])
            if state.batches and not self.parts(state):  # all are at the rung
                state = _halve(state, split_data(self.search, self.data()).tuning)
        return state

    def progress(self, state: SearchState) -> Amount:
        """Iterations that are done, and how many it will be; with rounds of halving, about that."""
        stops, waiting = self.search.stops, state.iterations[~state.ended]
        done = total = int(state.iterations.sum())
        if len(waiting):
            total += int((stops[state.stop] - waiting).sum())
        later = [(n, 0) for n in self.search.rounds[state.round :]]
        for left, first in ((len(waiting), state.stop + 1), *later):
            for i, stop in enumerate(stops[first:], first):
                left = -(-left // self.search.halving.factor) if i else left
                total += left * (stop - (stops[i - 1] if i else 0))
        return Amount(done, total)

    def parts(self, state: SearchState) -> Sequence[tuple[int, ...]]:
        """The trials of each batch that is still under way; those that have begun come first."""
        target = self.search.stops[state.stop]
        begun_first = sorted(state.batches, key=lambda b: b.progress is None)
        return [b.trials for b in begun_first if b.iteration < target]

    def part(self, state: SearchState, name: tuple[int, ...]) -> "BatchPart":
        [batch] = [b for b in state.batches if b.trials == name]
        return BatchPart(self, batch, state.values[list(name)], self.search.stops[state.stop])

    def join(self, state: SearchState, result: Batch) -> SearchState:
        return _join(state, [result if b.trials == result.trials else b for b in state.batches])


class BatchPart(NamedTuple):
    """A batch on its way to the stop that it is heading for."""

    job: SearchJob
    batch: Batch
    values: np.ndarray  # (trials, d): its hyperparameters
    target: int

    def advance(self, budget: float) -> Batch:
        """The batch, trained to the stop or as far as the time goes."""
        until, (trials, progress) = perf_counter() + budget, self.batch
        if budget <= 0:
            return self.batch
        search, data = self.job.search, split_data(self.job.search, self.job.data()).tuning
        if progress is None:
            sampled = tuple(map(search.trial, self.values))
            progress = loop.begin(replace(search.base, trials=sampled), data)
        training = progress.training
        step = max(1, int(STEP / (6 * training.network.size * training.batch * len(trials))))
        while progress.iteration < self.target and perf_counter() < until:
            steps = min(step, loop.until_stop(progress), self.target - progress.iteration)
            progress = loop.advance(progress, data, steps)
        return Batch(trials, progress)


def _empty_arrays(search, points):
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
    """How many of them fit into the processor's cache: parameters, gradients and activations."""
    one = 2 * training.network.size + 4 * training.batch * sum(training.network.sizes)
    return max(1, MAX_BATCH_NUMBERS // one)


def _propose(state):
    """The state with the trials of the next round, in batches that have not begun."""
    search, n_before, tried = state.search, len(state.points), np.flatnonzero(state.ended)
    points = search.propose(state.round, state.points[tried], state.scores[tried])
    n = len(points)
    batches_per_side = -(-n // (SIDES * trials_per_batch(search.base)))
    split = np.array_split(np.arange(n_before, n_before + n), min(n, SIDES * batches_per_side))
    batches = tuple(Batch(tuple(part.tolist())) for part in split)
    arrays = {
        name: np.concatenate([getattr(state, name), new])
        for name, new in _empty_arrays(search, points).items()
    }
    return replace(state, **arrays, round=state.round + 1, stop=0, batches=batches)


def _join(state, batches):
    """The state with the results of batches; those that are complete are let go."""
    iterations, diverged_at = state.iterations.copy(), state.diverged_at.copy()
    accuracy = state.accuracy.copy()
    for trials, progress in batches:
        if progress is not None:
            rows, k = list(trials), len(progress.evaluated)
            iterations[rows], diverged_at[rows] = progress.iteration, progress.diverged_at[:, 0]
            accuracy[rows, :k] = progress.accuracy[..., 0].transpose(2, 0, 1)
    remaining = tuple(b for b in batches if b.iteration < state.search.iterations)
    state = replace(
        state, iterations=iterations, diverged_at=diverged_at, accuracy=accuracy, batches=remaining
    )
    return replace(state, winners=_winners(state, batches))


def _winners(state, batches):
    """The best so far; of equal ones those that were proposed first."""
    best = {winner.trial: winner for winner in state.winners}
    for trials, progress in batches:
        if progress is not None and progress.done:
            new = map(Winner, trials, progress.params, progress.running_statistics)
            best |= {winner.trial: winner for winner in new}
    return tuple(sorted(best.values(), key=lambda w: (-state.scores[w.trial], w.trial)))[:TOGETHER]


def _halve(state, data):
    """Stop the trials that are not among the best of all that have ever reached this rung."""
    rung, loss, stopped = state.stop, state.loss.copy(), state.stopped.copy()
    for trials, progress in state.batches:
        loss[list(trials), rung] = _loss(progress, data)
    current = np.array([trial for trials, _ in state.batches for trial in trials])
    arrived = np.flatnonzero(state.iterations >= state.search.stops[rung])
    earlier = loss[np.setdiff1d(arrived, current), rung]
    alive = state.search.halving.survivors(loss[current, rung], earlier)
    stopped[current[~alive]] = True
    going = []
    for trials, progress in state.batches:
        if rows := [i for i, trial in enumerate(trials) if not stopped[trial]]:
            going.append(Batch(tuple(trials[i] for i in rows), loop.select(progress, rows)))
    return replace(state, stopped=stopped, loss=loss, batches=tuple(going), stop=rung + 1)


def _loss(progress, data: Data):
    """The mean loss `(trials,)` on the validation set; NaN where it is not finite."""
    network = progress.training.network
    params, statistics = progress.params[:, 0], progress.running_statistics[:, 0]
    x = data.x_test.astype(params.dtype, copy=False)
    with np.errstate(all="ignore"):
        z = network.outputs(params, x, running_statistics=statistics)
        loss, _ = softmax_cross_entropy(z, one_hot(data.t_test, z.shape[-1], z.dtype))
    return np.where(np.isfinite(loss), loss, np.nan)


def final_accuracies(state: SearchState, data: SearchData) -> tuple[float, float]:
    """On the test set, of the winner, and of the ensemble of the best by its mean probabilities.

    They are unbiased only once, at the end.
    """
    network, winners = state.search.network, state.winners
    x = data.x_test.astype(winners[0].params.dtype, copy=False)
    best = [winner for winner in winners if np.isfinite(winner.params).all()] or winners[:1]
    members = [softmax(network.outputs(p, x, running_statistics=s)) for _, p, s in best]
    winner, ensemble = (accuracy_score(p, data.t_test) for p in (members[0], np.mean(members, 0)))
    return float(winner[0]), float(ensemble[0])
