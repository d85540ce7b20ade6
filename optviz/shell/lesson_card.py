"""Lessons: the gallery, and the card of the one that is open, beside its scene."""

import streamlit as st

from optviz.experiments.trajectories import cache
from optviz.plot import THEMES
from optviz.shell.lesson_numbers import filled
from optviz.shell.lessons import LESSONS
from optviz.shell.links import page_of
from optviz.shell.opening import open_lesson, open_lesson_of_page, opened
from optviz.shell.registry import PAGES
from optviz.translation import _
from optviz.ui import locks
from optviz.ui.assets import as_image
from optviz.ui.components import theme_name
from optviz.ui.live import follow_theme
from optviz.ui.session import session


def close_lesson() -> None:
    """Put its card away; the scene stays."""
    session().lesson = None


def card() -> None:
    """What the open lesson says, and the way to the one before and after."""
    lesson = open_lesson_of_page()
    if lesson is None:
        return
    texts = {
        name: filled(getattr(lesson, name), lesson, cache.run) for name in ("text", "look", "next")
    }
    with st.container(border=True, key="lesson"):
        st.markdown(f"## {lesson.title}\n{texts['text']}")
        st.markdown(f"**{_('Look for.')}** {texts['look']}")
        st.markdown(f"**{_('Try next.')}** {texts['next']}")
        if session().specs[lesson.page] != lesson.scene:
            changed = _(
                "The scene has been changed. The numbers in this text are those of the lesson’s "
                "own scene; “Reset lesson” brings it back."
            )
            st.caption(changed)
        st.caption(lesson.source)
        with st.container(horizontal=True, gap="small"):
            _neighbors(lesson)
            st.button(
                _("Reset lesson"),
                key="lesson-reset",
                icon=":material/restart_alt:",
                on_click=open_lesson,
                args=(lesson.key,),
                help=_("The lesson's scene again, with every setting as it was."),
            )
            st.button(
                _("Close"), key="lesson-close", icon=":material/close:", on_click=close_lesson
            )


def _neighbors(lesson):
    """Buttons to the lessons of the page before and after."""
    keys = [key for key, other in LESSONS.items() if other.page == lesson.page]
    at = keys.index(lesson.key)
    for key, name, named, icon, to in (
        ("Previous", _("Previous"), _("Previous: {title}"), ":material/arrow_back:", at - 1),
        ("Next", _("Next"), _("Next: {title}"), ":material/arrow_forward:", at + 1),
    ):
        there = 0 <= to < len(keys)
        st.button(
            named.format(title=LESSONS[keys[to]].title) if there else name,
            key=f"lesson-{key}",
            icon=icon,
            disabled=not there or not _free(),
            on_click=open_lesson,
            args=(keys[to] if there else "",),
        )


def gallery() -> None:
    """Every lesson as a picture with its title; one click opens it on its page."""
    opened("lessons")
    follow_theme()
    if locks.hidden("lessons"):
        st.markdown(_("The author of the link that you opened has put the lessons away."))
        return
    about = _("Each is a scene to play with: what to look for, what to try next.")
    st.markdown(f"# {_('Lessons')}\n{about}")
    if not _free():
        st.caption(
            _(
                "The author of the link that you opened wants its scene to stay: lessons can be "
                "looked at, not opened."
            )
        )
    chapters = dict.fromkeys(lesson.chapter for lesson in LESSONS.values())
    for i, chapter in enumerate(chapters):
        st.markdown(f"## {chapter}")
        with st.container(horizontal=True, key=f"chapter-{i}"):
            for lesson in LESSONS.values():
                if lesson.chapter == chapter:
                    _tile(lesson)


def _free():
    """Whether a lesson may take the place of the scene."""
    return locks.may_leave() and locks.free("lessons")


def _tile(lesson):
    with st.container(border=True, width=272, key=f"tile-{lesson.key}"):
        st.html(as_image(_thumbnail(lesson.key, theme_name()), ""))
        if st.button(
            lesson.title,
            key=f"open-{lesson.key}",
            width="stretch",
            on_click=open_lesson,
            args=(lesson.key,),
            disabled=not _free(),
        ):
            st.switch_page(page_of(lesson.page))


@st.cache_data(show_spinner=False)
def _thumbnail(key, theme):
    lesson = LESSONS[key]
    return PAGES[lesson.page].stamp(lesson.scene, THEMES[theme])
