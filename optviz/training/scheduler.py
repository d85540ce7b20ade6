"""Whose job is next, and the states of all jobs: one scheduler for all visitors of a server.

A job is computed in slices by an executor, each from the state that the one before has left. What
two visitors want is computed once. Visitors take turns: whoever was served longest ago is next, and
of their jobs the one that is farthest behind. Requests end when nobody renews them.
"""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from functools import cache
from itertools import count
from threading import RLock, Thread
from time import monotonic

from optviz.training.executors import SerialExecutor, start_executor
from optviz.training.tickets import Entry, Request, Ticket, size_of
from optviz.training.workers import import_modules

SLICE = 0.25  # seconds of a job at a time, where others wait
SHORT = 0.06  # where nobody else does, who then sees more of it
CLASS = 6  # visitors who train at once; one who goes from page to page is several for INTEREST
INTEREST = 5.0  # seconds that a request holds: a page that is looked at renews it far more often
MAX_BYTES = 512 << 20  # of states that nobody waits for
MAX_UNTRAINED = 32 << 20  # of those that have only begun: every value that a knob has passed


class Scheduler:
    """Jobs of all visitors on one executor, which is started when it is first needed.

    It is thread-safe. What a job raises is the `error` of its ticket, until somebody requests it
    again.
    """

    def __init__(
        self,
        start: Callable[[], Executor] = start_executor,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = monotonic,
    ):
        self._start, self._max_bytes, self._clock = start, max_bytes, clock
        self._executor: Executor | None = None
        self._entries: dict[tuple, Entry] = {}  # the least recently used first
        self._requests: dict[str, Request] = {}  # the oldest first
        self._views: dict[str, tuple[set, float]] = {}  # keys a visitor asks for, and until when
        self._beginnings: dict[tuple, Future] = {}
        self._running: set[tuple] = set()  # (key of a ticket, part of its job)
        self._turns, self._lock, self._warm = count(), RLock(), False

    # States of jobs.

    def states(self, visitor: str, tickets: Sequence[Ticket]) -> list:
        """The states of the jobs on the page that a visitor looks at; they are kept while they are
        looked at, however many bytes they take together.
        """
        keys, now = {ticket.key for ticket in tickets}, self._clock()
        with self._lock:
            before, _until = self._views.pop(visitor, (set(), now))
            self._views = {v: view for v, view in self._views.items() if view[1] > now}
            self._views[visitor] = (before if keys <= before else keys, now + INTEREST)
        return [self.state(ticket) for ticket in tickets]

    def state(self, ticket: Ticket, *candidates):
        """A job's state: the one that is kept, or the best of its family and the `candidates`, or
        else its beginning, which the executor computes while one waits. A job that continues
        another one has that one's state until it is complete.
        """
        with self._lock:
            if entry := self._entries.pop(ticket.key, None):
                self._entries[ticket.key] = entry  # the most recently used comes last
                return entry.state
            shorter = [
                entry.state
                for entry in self._entries.values()
                if entry.ticket.family == ticket.family
            ]
        job, shorter = ticket.job, [*shorter, *candidates]
        if prefix := ticket.prefix:
            before = self.state(prefix)
            if not prefix.job.progress(before).complete:
                return job.resume(before)
            shorter.append(before)
        best = max(
            (resumed for state in shorter if (resumed := job.resume(state)) is not None),
            key=lambda state: job.progress(state).done,
            default=None,
        )
        state = self._begin(ticket) if best is None else best
        with self._lock:
            entry = self._entries.setdefault(ticket.key, Entry(ticket, state, size_of(state)))
            self._evict()
            return entry.state

    def _begin(self, ticket):
        with self._lock:
            if (future := self._beginnings.get(ticket.key)) is None:
                try:
                    future = self._get_executor().submit(ticket.job.begin)
                except Exception:  # there is none: those who wait for more are told why
                    future = SerialExecutor().submit(ticket.job.begin)
                self._beginnings[ticket.key] = future
        try:
            return future.result()
        except CancelledError:  # by an executor that was lost
            return ticket.job.begin()
        finally:
            with self._lock:
                self._beginnings.pop(ticket.key, None)

    def peek(self, key: tuple):
        """The state of a ticket's key; None where there is none."""
        with self._lock:
            entry = self._entries.get(key)
            return entry and entry.state

    def error(self, ticket: Ticket) -> str:
        """Why a job stopped early; empty where nothing is wrong."""
        with self._lock:
            entry = self._entries.get(self._active(ticket).key)
            return entry.error if entry else ""

    def _active(self, ticket) -> Ticket:
        """The ticket to work on for a job: that of its prefix until that is complete."""
        known = ticket.key in self._entries
        return ticket if known or not ticket.prefix else self._active(ticket.prefix)

    def forget(self, ticket: Ticket) -> None:
        """Let a job begin anew; a slice that is under way no longer counts."""
        with self._lock:
            self._entries.pop(ticket.key, None)

    @property
    def size(self) -> int:
        """The bytes of all states."""
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    @property
    def load(self) -> tuple[int, int]:
        """How many jobs are running, and how many more are waited for."""
        with self._lock:
            now, running = self._clock(), self._running_keys
            wanted = {t.key for r in self._requests.values() if r.expires > now for t in r.tickets}
            due = {key for key in wanted if (e := self._entries.get(key)) and e.due}
            return len(running), len(due - running)

    def _evict(self):
        needed = {t.key for request in self._requests.values() for t in request.tickets}
        needed |= self._running_keys
        now, views = self._clock(), self._views.values()
        needed |= {key for keys, until in views if until > now for key in keys}
        idle = [key for key in self._entries if key not in needed][:-1]
        begun = [key for key in idle if not self._entries[key].amount.done]
        untrained = sum(self._entries[key].size for key in begun)
        self._drop(begun, untrained - MAX_UNTRAINED)
        self._drop(idle, self.size - self._max_bytes)

    def _drop(self, keys, excess):
        """Forget the first of some jobs, until so many bytes are free."""
        for key in keys:
            if excess > 0 and (entry := self._entries.pop(key, None)):
                excess -= entry.size

    @property
    def _running_keys(self):
        return {key for key, _part in self._running}

    # Who waits for what.

    def watch(
        self,
        visitor: str,
        tickets: Sequence[Ticket],
        spend: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Request jobs, or renew the request; what the visitor asked for before is replaced.

        `spend` is called with the seconds that the jobs take; visitors share those of one job.
        """
        for ticket in tickets:
            self.state(ticket)
        with self._lock:
            tickets = [self._active(ticket) for ticket in tickets]
            until, request = self._clock() + INTEREST, self._requests.get(visitor)
            if request is None or request.expires <= self._clock():
                for ticket in tickets:
                    if entry := self._entries.get(ticket.key):
                        entry.error = ""
                request = Request(tickets, until, spend)
            request.tickets, request.expires, request.spend = tickets, until, spend
            self._requests[visitor] = request
        self.dispatch()

    @property
    def visitors(self) -> int:
        """How many visitors have requested something."""
        now = self._clock()
        with self._lock:
            return sum(request.expires > now for request in self._requests.values())

    def leave(self, visitor: str) -> None:
        """Withdraw the request; others may still wait for the same jobs."""
        with self._lock:
            self._requests.pop(visitor, None)

    def queue_position(self, visitor: str) -> int:
        """How many slices of others come before the visitor's next; 0 where one is under way."""
        with self._lock:
            request = self._requests.get(visitor)
            if request is None or any(t.key in self._running_keys for t in request.tickets):
                return 0
            earlier = [r for r in self._requests.values() if r.turn < request.turn]
            return len(self._running) + sum(self._next_slice_of(r) is not None for r in earlier)

    # Slices.

    def dispatch(self) -> bool:
        """Hand slices to idle workers; whether there was anything to do."""
        slices = []
        with self._lock:
            if self._next_slice():
                self._ensure_executor()
            free = self._executor.slots - len(self._running) if self._executor else 0
            if len(self._requests) >= CLASS and hasattr(self._executor, "lower_priority"):
                self._executor.lower_priority()  # who serves them all goes first
            for _ in range(free):
                if (work := self._next_slice()) is None:
                    break
                entry, part = work
                self._running.add((entry.ticket.key, part))
                turn = next(self._turns)
                for request in self._requests.values():
                    if any(ticket.key == entry.ticket.key for ticket in request.tickets):
                        request.turn = turn
                slices.append(work)
            executor = self._executor  # a shutdown may take it away meanwhile
        for entry, part in slices:
            self._submit(executor, entry, part)
        return bool(slices)

    def start(self, *modules: str) -> None:
        """Start the executor before it is needed, and import there what jobs are made of; without
        waiting for it, and once.
        """
        with self._lock:
            warm, self._warm = self._warm, True
        if not warm:
            Thread(target=self._import, args=modules, daemon=True).start()

    def _import(self, *modules):
        with suppress(Exception):  # it is tried again when it is needed, and reported then
            with self._lock:
                executor = self._get_executor()
            for _ in range(executor.slots):
                executor.submit(import_modules, *modules)

    def _get_executor(self):
        if self._executor is None or getattr(self._executor, "lost", False):
            lost, self._executor = self._executor, self._start()
            if lost:
                lost.shutdown(wait=False)
        return self._executor

    def _ensure_executor(self):
        try:
            self._get_executor()
        except Exception as error:  # a cluster that is not there: its errors are of many kinds
            for request in self._requests.values():
                for ticket in request.tickets:
                    if entry := self._entries.get(ticket.key):
                        entry.error = f"{error}" or type(error).__name__

    def _next_slice(self) -> tuple[Entry, Hashable] | None:
        now = self._clock()
        self._requests = {v: r for v, r in self._requests.items() if r.expires > now}
        for request in sorted(self._requests.values(), key=lambda request: request.turn):
            if work := self._next_slice_of(request):
                return work
        return None

    def _next_slice_of(self, request) -> tuple[Entry, Hashable] | None:
        """A part of the job that is farthest behind."""
        entries = [self._entries.get(ticket.key) for ticket in request.tickets]
        free = [(e, part) for e in entries if e and e.due for part in self._free_part(e)]
        return min(free, key=lambda work: work[0].amount.share, default=None)

    def _free_part(self, entry):
        """The next part of a job that nobody works on, in a list; empty where there is none."""
        key = entry.ticket.key
        return [part for part in entry.parts if (key, part) not in self._running][:1]

    def _submit(self, executor, entry, part):
        started = self._clock()
        try:
            future = executor.submit(*entry.call(part, self._slice(executor)))
        except RuntimeError:  # the server is ending
            with self._lock:
                self._running.discard((entry.ticket.key, part))
            return
        if isinstance(executor, SerialExecutor):  # the next one when somebody asks again
            self._finish(entry, part, future, started)
        else:
            future.add_done_callback(
                lambda future: self._finish(entry, part, future, started) or self.dispatch()
            )

    def _slice(self, executor):
        alone = len(self._requests) == 1 and not isinstance(executor, SerialExecutor)
        return min(SHORT, SLICE) if alone else SLICE

    def _finish(self, entry, part, future, started):
        with self._lock:
            self._running.discard((entry.ticket.key, part))
            key, requests = entry.ticket.key, self._requests.values()
            waiting = [r for r in requests if any(t.key == key for t in r.tickets)]
            for request in waiting:
                request.spend((self._clock() - started) / len(waiting))
            try:
                entry.join(part, future.result())
            except Exception as error:
                entry.error = f"{error}" or type(error).__name__
            self._evict()

    def shutdown(self) -> None:
        """Drop all requests and end the executor."""
        with self._lock:
            self._requests.clear()
            executor, self._executor = self._executor, None
        if executor:
            executor.shutdown()


@cache
def scheduler() -> Scheduler:
    """The server's scheduler."""
    return Scheduler()
