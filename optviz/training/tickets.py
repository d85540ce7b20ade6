"""What the scheduler keeps: tickets of jobs, their states, and who waits for them."""

import pickle
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from optviz.training.jobs import Amount, Job

WHOLE = None  # the part of a job that has none


class Ticket(NamedTuple):
    """A job, and its owner where it is not shared."""

    job: Job
    owner: str = ""

    @property
    def key(self) -> tuple:
        """Jobs of equal keys are computed once."""
        return *self.family, self.job.length

    @property
    def family(self) -> tuple:
        """Of jobs of one family the longer one continues the shorter one."""
        return self.job.key, self.owner

    @property
    def prefix(self) -> "Ticket | None":
        """The ticket of the job that this one continues, where it is a branch."""
        job = self.job.prefix
        return job and Ticket(job, self.owner)


@dataclass(eq=False)
class Entry:
    """A job's state, and what went wrong."""

    ticket: Ticket
    state: Any
    size: int  # bytes
    error: str = ""  # why it stopped early

    @property
    def amount(self) -> Amount:
        """How much of it is done."""
        return self.ticket.job.progress(self.state)

    @property
    def due(self) -> bool:
        """Whether there is more of it to come."""
        return not (self.error or self.amount.complete)

    @property
    def parts(self) -> Sequence[Hashable]:
        """The parts that can be worked on in parallel; WHOLE alone where there are none."""
        return self.ticket.job.parts(self.state) or [WHOLE]

    def call(self, part: Hashable, budget: float) -> tuple:
        """A function and its arguments that work on a part for so many seconds."""
        job = self.ticket.job
        if part is WHOLE:
            return job.advance, self.state, budget
        return job.part(self.state, part).advance, budget

    def join(self, part: Hashable, result) -> None:
        """Take in the result of a part."""
        self.state = result if part is WHOLE else self.ticket.job.join(self.state, result)
        self.size = size_of(self.state)


@dataclass(eq=False)
class Request:
    """What a visitor waits for, until when, and when they were served last."""

    tickets: Sequence[Ticket]
    expires: float
    spend: Callable[[float], None]  # called with the seconds that slices for it have taken
    turn: int = -1


def size_of(state) -> int:
    """The bytes of a pickled state; arrays are counted, not copied."""
    buffers = []
    head = pickle.dumps(state, 5, buffer_callback=lambda b: buffers.append(b.raw().nbytes))
    return len(head) + sum(buffers)
