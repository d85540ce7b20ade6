"""A `st.Page` for every page: for the menu, and for links and switches."""

from collections.abc import Callable

import streamlit as st

from optviz.shell.registry import PAGES
from optviz.translation import N_, _
from optviz.ui.assets import adornment

OTHERS = {
    "course": (N_("Course"), "map"),
    "lessons": (N_("Lessons"), "school"),
    "status": (N_("This server"), "monitor_heart"),
    "plan": (N_("Lesson plan"), "playlist_play"),
}


def page_of(key: str, draw: Callable[[], None] = lambda: None, visibility: str = "visible"):
    """A page for Streamlit, identified by its address; only the menu has to `draw` it."""
    title, icon = OTHERS.get(key) or (PAGES[key].title, PAGES[key].icon)
    return st.Page(
        draw,
        title=_(title),
        icon=f":material/{icon}:",
        url_path=key,
        default=key == "trajectories",
        visibility=visibility,
    )


def tile(key: str, svg: str, to: str, label: str, **link):
    """A card with a picture that as a whole is a link to a page; gives its box, for more."""
    box = st.container(border=True, width=272, key=f"tile-{key}")
    with box:
        st.html(adornment(svg))
        st.page_link(page_of(to), label=label, width="stretch", **link)
    return box
