"""A job: work in slices, so that it can be watched, stopped and resumed.

A job is `begin() -> state`, `step(state) -> state` and `progress(state)`. A state is a value:
nothing in it is changed later, so who holds one can draw it, keep it, and go on from it. (The shape
is that of optimistix's solvers: init, step, terminate.)
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from optviz.spec import canonical_json, to_dict
from optviz.training.cost import cost_of
from optviz.training.loop import Progress, advance, begin, until_stop
from optviz.training.spec import Data, Training, load

CHUNK = 5  # iterations of a step


class Amount(NamedTuple):
    """How much of a job is done, in units of its own."""

    done: int
    total: int

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    @property
    def share(self) -> float:
        """What is done of all; 1 where there is nothing to do."""
        return self.done / self.total if self.total else 1.0


class Job:
    """Work that is done in slices, here or in another process: it can be pickled.

    `key` is what its numbers depend on, as text, and `length` how far it goes: of two jobs of one
    key the longer one continues the shorter one.
    """

    key: str
    length: int
    cost: float  # seconds of one core that all of it takes, roughly
    prefix: "Job | None" = None  # another one, from whose end it can go on as from a state

    def begin(self) -> Any:
        """The state before anything is done."""
        raise NotImplementedError

    def resume(self, state: Any) -> Any:
        """Another job's state, of this key, as this job's own; None where it is of no use."""
        return state

    def step(self, state: Any) -> Any:
        """The state after a little more work."""
        raise NotImplementedError

    def advance(self, state: Any, budget: float) -> Any:
        """The state after so many more seconds of work; the clock is looked at between steps."""
        until = perf_counter() + budget
        while not self.progress(state).complete and perf_counter() < until:
            state = self.step(state)
        return state

    def progress(self, state: Any) -> Amount:
        """How far a state has come."""
        raise NotImplementedError

    def parts(self, state: Any) -> Sequence[Hashable]:
        """The names of the parts that can now be worked on in parallel, in order; none where the
        state is to be advanced as a whole.
        """
        return ()

    def part(self, state: Any, name: Hashable) -> "Part":
        """The part of this name."""
        raise NotImplementedError

    def join(self, state: Any, result: Any) -> Any:
        """The state with the result of a part, whatever other parts were joined in between."""
        raise NotImplementedError


class Part(Protocol):
    """Some of a job's work, with all that it needs: it can be pickled."""

    def advance(self, budget: float) -> Any:
        """The result of so many seconds of work."""


@dataclass(frozen=True)
class Loader:
    """Loads a training's data, once in a process. `files` is where they are, and `final` whether
    the test set is among them, as `load` takes it; equal keys have equal data.
    """

    key: str
    training: Training = field(compare=False)
    files: Any = field(default=None, compare=False)
    final: bool = field(default=False, compare=False)

    def __call__(self) -> Data:
        return _load(self)


@lru_cache(8)
def _load(loader):
    return load(loader.training, loader.files, loader.final)


@dataclass(frozen=True)
class TrainingJob(Job):
    """A training in slices. `source` tells whose files its data come from, `data()` gives them.

    The key leaves out the number of iterations: a longer training continues a shorter one.
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

    @property
    def prefix(self) -> "TrainingJob | None":
        """What was trained until the fork, where the optimizer is one."""
        fork = self.training.optimizer.fork
        if fork is None or not fork.step:
            return None
        iterations = min(fork.step, self.length)
        parent = replace(self.training, optimizer=fork.parent, iterations=iterations)
        return replace(self, training=parent)

    def resume(self, state: Progress) -> Progress | None:
        was_done, measured = state.done, state.iteration % self.training.eval_every == 0
        if state.training.iterations == self.length:
            same = state.training == self.training
            return state if same else replace(state, training=self.training)
        if state.iteration > self.length or (state.iteration == self.length and not measured):
            return None
        if was_done and not measured:  # without its last measurement, which this one does not make
            names = ("evaluated", "accuracy", "cross_entropy", "ensemble_accuracy")
            shortened = {name: getattr(state, name)[:-1] for name in names}
            layers = {name: values[:-1] for name, values in state.diagnostics.items()}
            state = replace(state, diagnostics=layers, **shortened)
        return replace(state, training=self.training)

    def step(self, state: Progress) -> Progress:
        return advance(state, self.data(), min(until_stop(state), CHUNK))

    def progress(self, state: Progress) -> Amount:
        return Amount(state.iteration, self.training.iterations)
