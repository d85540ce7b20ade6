"""What the app keeps for one visitor: one typed object in Streamlit's session state.

Streamlit itself needs a key for every widget; `Session.key` is the one place where they are made. A
widget is reset from the spec when the epoch in its key changes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import RLock
from time import monotonic
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary, WeakValueDictionary

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from optviz.training.jobs import Job
from optviz.training.scheduler import scheduler
from optviz.training.tickets import Ticket
from optviz.ui.public import training_seconds

MAX_SEEN = 200  # jobs of a page that a session remembers
DRAG_TIMEOUT = 10.0  # seconds after which a drag that was not reported as ended counts as ended
MAX_HISTORY = 200  # specs that can be gone back to


def _epoch():
    """Unique, also among those of a server that was restarted under an open page: the browser still
    has the values of that one's widgets.
    """
    return uuid4().hex[:8]


@dataclass
class Results:
    """Which jobs of a page a visitor has seen, and whether they run; the scheduler has their
    states.
    """

    running: bool = False
    stopped: bool = False  # by a person
    scene: tuple[str, tuple] | None = None  # epoch and keys of the jobs that are shown
    lines: Sequence = ()  # of the last complete jobs, reduced to what curves show
    before: Sequence = ()  # those from before the last change
    visitor: str = field(default_factory=lambda: uuid4().hex)
    seen: dict[tuple, None] = field(default_factory=dict)  # keys of tickets, the last shown last
    own: set[str] = field(default_factory=set)  # keys of jobs that the visitor has begun anew

    def tickets(self, jobs: Sequence[Job]) -> list[Ticket]:
        """The visitor's tickets for jobs, which are then seen."""
        tickets = [Ticket(job, self.visitor if job.key in self.own else "") for job in jobs]
        for ticket in tickets:
            self.seen.pop(ticket.key, None)
            self.seen[ticket.key] = None
        for key in list(self.seen)[:-MAX_SEEN]:
            del self.seen[key]
        self.own &= {key[0] for key in self.seen} | {job.key for job in jobs}
        return tickets

    @property
    def states(self) -> dict[tuple, Any]:
        """The states of the jobs that were seen, as far as they are still kept."""
        states = {key: scheduler().peek(key) for key in self.seen}
        return {key: state for key, state in states.items() if state is not None}


@dataclass
class Session:
    """Everything that one visitor has set, seen and computed."""

    specs: dict[str, Any] = field(default_factory=dict)  # by page: what it shows follows from it
    kept_specs: dict[str, tuple] = field(default_factory=dict)  # by page: beside the present one
    page: str = ""  # the one that is shown
    controls: Any = None  # what the link's author has locked or hidden
    opened_pages: set[str] = field(default_factory=set)  # pages that have read their link
    name: str = field(default_factory=lambda: uuid4().hex)
    history: list[tuple[str, Any]] = field(default_factory=list)  # page and spec, as they came
    history_index: int = -1  # which of them is shown
    job_status: str = ""  # of its jobs, for screen readers
    next_page: str = ""  # the page that undo or redo leads to
    epoch: str = field(default_factory=_epoch)  # a new one resets every widget
    complaint: str = ""  # what was wrong with the link that was opened
    lesson: str | None = None
    linked_lesson: str | None = None  # the lesson that a link of the course has opened
    tabs: dict[str, tuple[str, int]] = field(default_factory=dict)  # by page: see `open_tab`
    results: dict[str, Results] = field(default_factory=dict)
    provided: dict[str, Any] = field(default_factory=dict)  # own files, by name
    states: dict[type, Any] = field(default_factory=dict)
    full_rerun: bool = False  # of the page, not of a fragment alone
    live_figures: Callable[[], dict] | None = None  # the page's, for a slider that is held
    theme: str = "light"  # the visitor's, when the page was last drawn
    endpoints: dict[str, Any] = field(default_factory=dict)  # of the channel, by name
    lock: RLock = field(default_factory=RLock)  # for changes beside runs of the script
    growing_parts: Sequence = ()  # parts of the open tab that make pictures, with what switches say
    drawn_surroundings: Any = None  # what the page around what has settled was last drawn from
    drawn_spec: Any = None  # the spec that its pictures show
    outdated: Callable[[], bool] = bool  # whether the notes below would change
    details_open: bool = False  # whether something is open that depends on sliders
    drag: int = 0  # the number of the drag that has brought about this run, and the last entry
    last_drag: int = 0
    slider_moved_at: float = 0.0  # by a hand that has not come to rest since
    counter: int = 0
    seconds_trained: float = 0.0  # seconds that trainings for this visitor have taken

    def __post_init__(self):
        _BY_NAME[self.name] = self

    def spend(self, seconds: float) -> None:
        """Note that trainings have taken so many seconds."""
        self.seconds_trained += seconds

    @property
    def budget_spent(self) -> bool:
        """Whether it has trained for as long as a public server allows."""
        return self.seconds_trained >= training_seconds()

    def state(self, kind: type):
        """The one object of this class that a page keeps beside its spec."""
        return self.states.setdefault(kind, kind())

    def next_id(self) -> int:
        """A number that this session has not given before."""
        self.counter += 1
        return self.counter

    def key(self, name: str) -> str:
        """The key of a widget that shows a part of the spec."""
        return f"{self.page}-{name}-{self.epoch}"

    def show(self, page: str, spec) -> None:
        """Put another spec on a page; its widgets are reset from it."""
        self.specs[page] = spec
        self.opened_pages.add(page)
        self.epoch = _epoch()

    def open_tab(self, page: str, label: str) -> None:
        """Have a page open with this tab, in a new widget: until the browser has the page it still
        reports the tab of the old widget, which would undo this.
        """
        self.tabs[page] = label, self.next_id()

    def remember(self) -> None:
        """Add what is on the page to the history, where it has changed.

        Called at the end of a run of the whole page, which follows when a hand on a slider rests:
        a drag is one entry. A training that ends during a drag runs the page, too, but adds none.
        On a page that runs at every value of a drag each replaces the one before.
        """
        if self.dragging:
            return
        current, drag, self.drag = (self.page, self.specs[self.page]), self.drag, 0
        if not self.history or self.history[self.history_index] != current:
            same_drag = drag and drag == self.last_drag
            self.history[self.history_index + (not same_drag) :] = [current]
            self.last_drag = drag
            del self.history[:-MAX_HISTORY]
            self.history_index = len(self.history) - 1

    @property
    def dragging(self) -> bool:
        """Whether a hand is on a slider that moves pictures by itself."""
        return monotonic() - self.slider_moved_at < DRAG_TIMEOUT

    def rest(self) -> None:
        """Note that the hand on a slider has come to rest."""
        self.slider_moved_at = 0.0

    def step(self, by: int) -> int | None:
        """The entry to which undo (-1) or redo (1) leads: the next that differs from what is shown
        now.
        """
        i = self.history_index + by
        while 0 <= i < len(self.history):
            page, spec = self.history[i]
            if self.specs[page] != spec:
                return i
            i += by
        return None

    def go_to(self, entry: int) -> None:
        """Restore what the page showed then; the shell opens the page itself."""
        if 0 <= entry < len(self.history):
            self.history_index, self.next_page = entry, self.history[entry][0]
            self.show(*self.history[entry])

    def results_of(self, name: str) -> Results:
        """The results of the jobs of this name."""
        return self.results.setdefault(name, Results())


_BY_NAME: WeakValueDictionary[str, Session] = WeakValueDictionary()
_SESSIONS = WeakKeyDictionary()  # by Streamlit's session state
_VISITOR: ContextVar[Session | None] = ContextVar("visitor", default=None)


@contextmanager
def acting_as(visitor: Session) -> Iterator[None]:
    """Sets whose session it is where Streamlit does not know: outside of a run of the script."""
    token = _VISITOR.set(visitor)
    try:
        yield
    finally:
        _VISITOR.reset(token)


def earlier_session(name: str) -> Session | None:
    """The session of the same tab before it was reloaded, as long as Streamlit keeps it: two
    minutes, for a connection that comes back.
    """
    earlier = _BY_NAME.get(name)
    return None if earlier is session() else earlier


def session() -> Session:
    """The visitor's session."""
    if visitor := _VISITOR.get():
        return visitor
    run = get_script_run_ctx(suppress_warning=True)
    try:  # called hundreds of times in a run; each would otherwise be a lock and a search
        return _SESSIONS[run.session_state]
    except (AttributeError, KeyError):
        current = st.session_state.setdefault("optviz", Session())
    if run:
        _SESSIONS[run.session_state] = current
    return current
