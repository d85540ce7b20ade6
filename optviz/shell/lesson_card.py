"""Lessons: the gallery, and the card of the one that is open, beside its scene."""

import streamlit as st

from optviz.experiments.page import Page
from optviz.plot.style import THEMES
from optviz.plot.thumbnail import thumbnail
from optviz.shell import menu, sharing
from optviz.shell.lessons import LESSONS, Lesson, told
from optviz.shell.registry import PAGES
from optviz.ui import cache
from optviz.ui.assets import as_image
from optviz.ui.components import theme_name
from optviz.ui.session import session


def open_lesson(key: str) -> None:
    """Put a lesson's scene on the page, as its author set it."""
    _S, lesson = st.session_state, LESSONS[key]
    sharing.put(lesson.page, lesson.scene, lesson.view)
    session().lesson, session().round = key, None


def close_lesson() -> None:
    """Put its card away; the scene stays."""
    session().lesson = None


def current() -> Lesson | None:
    """The lesson whose card is shown on this page."""
    lesson = LESSONS.get(session().lesson)
    return lesson if lesson and lesson.page == session().page and not sharing.hidden("lessons") else None


def card() -> None:
    """What the open lesson says, and the way to the one before and after."""
    lesson = current()
    if lesson is None:
        return
    keys = [key for key, other in LESSONS.items() if other.page == lesson.page]
    at = keys.index(lesson.key)
    with st.container(border=True, key="lesson"):
        text, look, then = st.columns(3)
        text.markdown(f"##### {lesson.title}\n{_filled(lesson, 'text')}")
        look.markdown(f"**Look for.** {_filled(lesson, 'look')}")
        then.markdown(f"**Try next.** {_filled(lesson, 'next')}")
        then.caption(lesson.source)
        with st.container(horizontal=True):
            for name, icon, to in (
                ("Before", ":material/arrow_back:", at - 1),
                ("Next", ":material/arrow_forward:", at + 1),
            ):
                there = 0 <= to < len(keys)
                st.button(
                    f"{name}: {LESSONS[keys[to]].title}" if there else name, key=f"lesson-{name}", icon=icon, disabled=not there or not _free(),
                    on_click=open_lesson, args=(keys[to] if there else "",),
                )  # fmt: skip
            st.button("As it was", key="lesson-reset", icon=":material/restart_alt:", on_click=open_lesson, args=(lesson.key,),
                      help="The lesson's scene again, with every hyperparameter as it was.")  # fmt: skip
            st.button("Close", key="lesson-close", icon=":material/close:", on_click=close_lesson)


def _filled(lesson, part):
    return told(getattr(lesson, part), lesson, cache.run)


def gallery() -> None:
    """Every lesson as a picture with its title; one click opens it on its page."""
    sharing.opened("lessons")
    if sharing.hidden("lessons"):
        st.markdown("Whoever made the link that you opened has put the lessons away.")
        return
    st.markdown("#### Lessons\nEach is a scene to play with: what to look for, what to try next.")
    if not _free():
        st.caption(
            "Whoever made the link that you opened wants its scene to stay: lessons can be looked at, not opened."
        )
    chapters = dict.fromkeys(lesson.chapter for lesson in LESSONS.values())
    for chapter in chapters:
        st.markdown(f"##### {chapter}")
        with st.container(horizontal=True, key=f"chapter-{list(chapters).index(chapter)}"):
            for lesson in LESSONS.values():
                if lesson.chapter == chapter:
                    _tile(lesson)


def _free():
    """Whether a lesson may take the place of the scene."""
    return sharing.free("lessons", "function", "run", "hyperparameters", "optimizers")


def _tile(lesson):
    with st.container(border=True, width=272, key=f"tile-{lesson.key}"):
        st.html(as_image(_thumbnail(lesson.key, theme_name()), f"The paths of {lesson.title}"))
        if st.button(
            lesson.title,
            key=f"open-{lesson.key}",
            width="stretch",
            on_click=open_lesson,
            args=(lesson.key,),
            disabled=not _free(),
        ):
            st.switch_page(menu.link(lesson.page))


@st.cache_data(show_spinner=False)
def _thumbnail(key, theme):
    scene, page = LESSONS[key].scene, PAGES[LESSONS[key].page]
    return stamp(page, scene, THEMES[theme])


def stamp(page: Page, scene, theme) -> str:
    """A scene of a page in the size of a stamp, as SVG."""
    if page.stamp is None:
        return thumbnail(scene, cache.run, cache.landscape(scene.objective), theme)
    return page.stamp(scene, theme)
