"""What the app holds for one visitor: one typed object in Streamlit's session state.

Streamlit itself needs a key for every widget; `Session.key` is the one place where they are made. A
widget begins afresh from the spec when the epoch in its key has moved on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st


@dataclass
class Results:
    """What the jobs of a page have come to, by their keys, and whether they run."""

    running: bool = False
    stopped: bool = False  # by a person
    states: dict[str, Any] = field(default_factory=dict)


@dataclass
class Session:
    """Everything that one visitor has set, seen and computed."""

    specs: dict[str, Any] = field(default_factory=dict)  # by page: what it shows follows from it
    page: str = ""  # the one that is shown
    controls: Any = None  # what the link's author has locked or hidden
    opened: set[str] = field(default_factory=set)  # pages that have read their link
    epoch: int = 0  # another one, and every widget begins afresh
    complaint: str = ""  # what was wrong with the link that was opened
    lesson: str | None = None
    asked: str | None = None  # the lesson that a link of the course has opened
    results: dict[str, Results] = field(default_factory=dict)
    samples: Any = None  # that the visitor has uploaded, for the activations page
    provided: dict[str, Any] = field(default_factory=dict)  # data files, by set
    states: dict[type, Any] = field(default_factory=dict)
    whole_run: bool = False  # of the page, not of a fragment alone
    live_figures: Callable[[], dict] | None = None  # the page's, for a slider that is held
    settled: str = ""  # the panel at which a hand has just come to rest
    counter: int = 0

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
        """Put another spec on a page; its widgets begin afresh from it."""
        self.specs[page] = spec
        self.opened.add(page)
        self.epoch = self.next_id()

    def results_of(self, name: str) -> Results:
        """What the jobs of this name have come to."""
        return self.results.setdefault(name, Results())


def session() -> Session:
    """The visitor's session."""
    if "optviz" not in st.session_state:
        st.session_state["optviz"] = Session()
    return st.session_state["optviz"]
