"""A job: work in slices, so that it can be watched, stopped and resumed.

A job is `begin() -> state`, `advance(state, budget) -> state` and `progress(state)`. A state is a
value: nothing in it is changed later, so who holds one can draw it, keep it, and go on from it.
(The shape is that of optimistix's solvers: init, step, terminate.)
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from optviz.spec import canonical_json, to_dict
from optviz.training.cost import cost_of
from optviz.training.loop import Progress, advance, begin
from optviz.training.spec import Data, Training, load

CHUNK = 5  # iterations in one go; the clock is looked at in between


class Amount(NamedTuple):
    """How much of a job is done, in units of its own."""

    done: int
    total: int

    @property
    def complete(self) -> bool:
        return self.done >= self.total


class Job(Protocol):
    """Work that is done in slices, here or in another process: it can be pickled.

    `key` is what its numbers depend on, as text, and `length` how far it goes: of two jobs of one
    key the longer goes on from what the shorter has come to.
    """

    key: str
    length: int
    cost: float  # seconds of one core that all of it takes, roughly

    def begin(self) -> Any:
        """The state before anything is done."""

    def resume(self, state: Any) -> Any:
        """A state that another job of this key has left, as this one's own; None where it is of no
        use.
        """

    def advance(self, state: Any, budget: float) -> Any:
        """The state after so many more seconds of work."""

    def progress(self, state: Any) -> Amount:
        """How far a state has come."""


class Part(Protocol):
    """Some of a job's work, with all that it needs: it can be pickled."""

    def advance(self, budget: float) -> Any:
        """What comes of so many seconds of work."""


class Divisible(Protocol):
    """What a job also has of which several parts may be worked at side by side."""

    def parts(self, state: Any) -> Sequence[Hashable]:
        """The names of those that can be worked at now, the first one first; none where the state
        is to be advanced as a whole.
        """

    def part(self, state: Any, name: Hashable) -> Part:
        """The part of this name."""

    def join(self, state: Any, found: Any) -> Any:
        """The state with what has come of a part, whatever has come of others in between."""


@dataclass(frozen=True)
class Loader:
    """Loads a training's data, once in a process. `files` is where they are, as `load` takes it;
    equal keys have equal data.
    """

    key: str
    training: Training = field(compare=False)
    files: Any = field(default=None, compare=False)

    def __call__(self) -> Data:
        return _load(self)


@lru_cache(8)
def _load(loader):
    return load(loader.training, loader.files)


@dataclass(frozen=True)
class TrainingJob:
    """A training in slices. `source` tells whose files its data come from, `data()` gives them.

    The key leaves the number of iterations out: what a shorter training has come to, a longer one
    goes on from.
    """

    training: Training
    data: Callable[[], Data]
    source: str = ""

    @cached_property
    def key(self) -> str:
        return canonical_json(to_dict(replace(self.training, iterations=0))) + self.source

    def begin(self) -> Progress:
        return begin(self.training, self.data())

    @property
    def length(self) -> int:
        return self.training.iterations

    @property
    def cost(self) -> float:
        return cost_of(self.training)

    def resume(self, state: Progress) -> Progress | None:
        shorter, measured = state.done, state.iteration % self.training.eval_every == 0
        if state.training.iterations == self.length:
            return state
        if state.iteration > self.length or (state.iteration == self.length and not measured):
            return None
        if shorter and not measured:  # but for its end, which this one passes by
            names = ("evaluated", "accuracy", "cross_entropy", "ensemble_accuracy")
            shortened = {name: getattr(state, name)[:-1] for name in names}
            layers = {name: held[:-1] for name, held in state.diagnostics.items()}
            state = replace(state, diagnostics=layers, **shortened)
        return replace(state, training=self.training)

    def advance(self, state: Progress, budget: float) -> Progress:
        until, training, data = perf_counter() + budget, self.training, self.data()
        while not state.done and perf_counter() < until:
            t = state.iteration
            stops = [
                every - t % every
                for every in (training.eval_every, training.snapshot_every)
                if every
            ]
            state = advance(state, data, min(*stops, training.iterations - t, CHUNK))
        return state

    def progress(self, state: Progress) -> Amount:
        return Amount(state.iteration, self.training.iterations)


def farthest_behind(jobs: Sequence[Job], states: Sequence[Any]) -> int | None:
    """Which job has done the smallest share of its work; None where all are complete."""
    amounts = [job.progress(state) for job, state in zip(jobs, states, strict=True)]
    waiting = [i for i, amount in enumerate(amounts) if not amount.complete]
    return min(waiting, key=lambda i: amounts[i].done / amounts[i].total, default=None)
