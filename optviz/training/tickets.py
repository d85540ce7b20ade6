"""What the scheduler keeps: tickets of jobs, what they have come to, and who waits for them."""

import pickle
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from optviz.training.jobs import Amount, Job

WHOLE = None  # the part of a job that has none


class Ticket(NamedTuple):
    """A job, and whose it is where it is not everybody's."""

    job: Job
    owner: str = ""

    @property
    def key(self) -> tuple:
        """Jobs of equal keys are computed once."""
        return *self.family, self.job.length

    @property
    def family(self) -> tuple:
        """Of equal families the longer goes on from the shorter."""
        return self.job.key, self.owner

    @property
    def prefix(self) -> "Ticket | None":
        """Of what the job goes on from, where it is a branch."""
        job = self.job.prefix
        return job and Ticket(job, self.owner)


@dataclass(eq=False)
class Entry:
    """What a job has come to."""

    ticket: Ticket
    state: Any
    size: int  # bytes
    error: str = ""  # why it came no further

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
        """What of it can be worked at side by side; WHOLE alone where there are no parts."""
        return self.ticket.job.parts(self.state) or [WHOLE]

    def call(self, part: Hashable, budget: float) -> tuple:
        """A function and its arguments, which work at a part for so many seconds."""
        job = self.ticket.job
        if part is WHOLE:
            return job.advance, self.state, budget
        return job.part(self.state, part).advance, budget

    def join(self, part: Hashable, found) -> None:
        """Take in what has come of a part."""
        self.state = found if part is WHOLE else self.ticket.job.join(self.state, found)
        self.size = size_of(self.state)


@dataclass(eq=False)
class Request:
    """What a visitor waits for, until when, and when they were served last."""

    tickets: Sequence[Ticket]
    expires: float
    spend: Callable[[float], None]  # is told the seconds that slices for it have taken
    turn: int = -1


def size_of(state) -> int:
    """The bytes of a state when it is written down; arrays are counted, not copied."""
    buffers = []
    head = pickle.dumps(state, 5, buffer_callback=lambda b: buffers.append(b.raw().nbytes))
    return len(head) + sum(buffers)
