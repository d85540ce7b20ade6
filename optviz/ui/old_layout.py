"""The frame of every page but the first: its question and what can be done with it, controls beside pictures, words below."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from optviz.shell import lesson_card as lessons
from optviz.shell import opening, sharing
from optviz.shell.export import menu as takehome
from optviz.shell.registry import PAGES


def _nothing():
    """A page need not have buttons of its own."""


@contextmanager
def framed(page: str, more=_nothing) -> Iterator[list]:
    """`with framed(key) as (shown, panel, under)`: columns for the pictures, the controls, and what is said of them.

    The open lesson stands first among the pictures. The head is drawn last, when the controls have spoken;
    `more` draws buttons of the page's own there.
    """
    opening.opened(page)
    head, stage = st.container(), st.container(key="stage")
    with stage:
        columns = st.columns(3)
    with columns[0]:
        lessons.card()
    yield columns
    with head:
        opening.complaint()
        title, buttons = st.columns([2, 3], vertical_alignment="center")
        with title:
            st.markdown(f"#### {PAGES[page].question}")
        with buttons, st.container(horizontal=True, horizontal_alignment="right", key="head"):
            more()
            sharing.lazy("Share", ":material/share:", "share", sharing.share_controls)
            sharing.lazy("Take home", ":material/download:", "take-home", takehome.page_menu)
