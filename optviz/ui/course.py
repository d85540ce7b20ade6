"""The course page: what there is to explore, a picture and a question each, and every figure of the notes."""

import streamlit as st

from optviz.ui import lessons, pictures, sharing
from optviz.ui.assets import as_image
from optviz.views import course
from optviz.views.lessons import LESSONS
from optviz.views.pages import PAGES
from optviz.views.style import THEMES


def page() -> None:
    """Pages in the order in which they build on each other; then the table of figures."""
    sharing.opened("course")
    st.markdown("#### A course\nOne question after the other, each with things to watch, to turn and to train.")
    with st.container(horizontal=True, key="course"):
        for number, of in enumerate(PAGES.values(), 1):
            _tile(number, of)
    st.markdown("##### Every figure of the notes")
    st.html(course.table())


def _tile(number, of):
    with st.container(border=True, width=272, key=f"tile-{of.key}"):
        st.html(as_image(_picture(of.key, pictures.theme_name()), f"A picture of the page {of.title}"))
        st.page_link(
            lessons.HERE / f"{of.key}.py",
            label=f"**{number}. {of.title}**",
            icon=f":material/{of.icon}:",
            width="stretch",
        )
        many = sum(lesson.page == of.key for lesson in LESSONS.values())
        st.markdown(of.question)
        st.caption(f"{many} lesson{'s' if many != 1 else ''}")


@st.cache_data(show_spinner=False)
def _picture(key, theme):
    return lessons.stamp(PAGES[key], PAGES[key].scene, THEMES[theme])
