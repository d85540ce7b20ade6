"""Lessons: the gallery, and the card of the one that is open, beside its scene."""

import streamlit as st

from optviz.experiments.trajectories.run import path
from optviz.shell.lessons import LESSONS, Lesson
from optviz.shell.lessons.numbers import fill_placeholders
from optviz.shell.lessons.thumbnails import thumbnail
from optviz.shell.links import tile
from optviz.shell.opening import open_lesson, open_lesson_of_page, open_page
from optviz.translation import _
from optviz.ui import locks
from optviz.ui.components import button, theme_name
from optviz.ui.live import follow_theme
from optviz.ui.session import session


def close_lesson() -> None:
    """Close its card; the scene stays."""
    session().lesson = None


def changed() -> bool:
    """Whether the page shows another scene than the open lesson's."""
    lesson = open_lesson_of_page()
    return lesson is not None and session().specs[lesson.page] != lesson.scene


def card() -> None:
    """The card of the open lesson, with buttons to the one before and after."""
    lesson = open_lesson_of_page()
    if lesson is None:
        return
    texts = {
        name: fill_placeholders(getattr(lesson, name), lesson, path)
        for name in ("text", "look", "next")
    }
    with st.container(border=True, key="lesson"):
        st.markdown(f"## {lesson.title}\n{texts['text']}")
        st.markdown(f"**{_('Look for.')}** {texts['look']}")
        st.markdown(f"**{_('Try next.')}** {texts['next']}")
        if changed():
            message = _(
                "The scene has been changed. The numbers in this text are those of the lesson’s "
                "own scene."
            )
            back = _("“Reset lesson” brings it back.")
            st.caption(f"{message} {back}" if _can_open() else message)
        st.caption(lesson.source)
        with st.container(horizontal=True, gap="small"):
            _neighbors(lesson)
            button(
                _("Reset lesson"),
                "lesson-reset",
                open_lesson,
                lesson.key,
                icon="restart_alt",
                disabled=not _can_open(),  # or it would lead around what is locked
                help=_("Restore the lesson's own scene with all its settings."),
            )
            button(_("Close"), "lesson-close", close_lesson, icon="close")


def _neighbors(lesson):
    """Buttons to the lessons of the page before and after."""
    keys = [key for key, other in LESSONS.items() if other.page == lesson.page]
    i = keys.index(lesson.key)
    for key, name, with_title, icon, target in (
        ("Previous", _("Previous"), _("Previous: {title}"), "arrow_back", i - 1),
        ("Next", _("Next"), _("Next: {title}"), "arrow_forward", i + 1),
    ):
        exists = 0 <= target < len(keys)
        button(
            with_title.format(title=LESSONS[keys[target]].title) if exists else name,
            f"lesson-{key}",
            open_lesson,
            keys[target] if exists else "",
            icon=icon,
            disabled=not exists or not _can_open(),
        )


def gallery() -> None:
    """Every lesson as a picture with its title; one click opens it on its page."""
    open_page("lessons")
    follow_theme()
    if locks.is_hidden("lessons"):
        st.markdown(_("The author of the link that you opened has hidden the lessons."))
        return
    about = _("Each is a scene to play with: see what to look for and what to try next.")
    st.markdown(f"# {_('Lessons')}\n{about}")
    if not _can_open():
        st.caption(
            _(
                "The author of the link that you opened has locked its scene: you can look at the "
                "lessons, but not open them."
            )
        )
    chapters = list(dict.fromkeys(lesson.chapter for lesson in LESSONS.values()))
    with st.container(horizontal=True, key="find"):
        words = st.text_input(_("Search"), key="find-words", placeholder=_("momentum saddle"))
        only = st.selectbox(_("Chapter"), ["", *chapters], key="find-chapter", format_func=_label)
    lessons = matching_lessons(words, only)
    if not lessons:
        st.info(_("No lesson contains all of these words."))
    for i, chapter in enumerate(dict.fromkeys(lesson.chapter for lesson in lessons)):
        st.markdown(f"## {chapter}")
        with st.container(horizontal=True, key=f"chapter-{i}"):
            for lesson in lessons:
                if lesson.chapter == chapter:
                    _tile(lesson)


def _label(chapter):
    return chapter or _("All chapters")


def matching_lessons(words: str, chapter: str = "") -> list[Lesson]:
    """The lessons, of one chapter if it is given, with all the words in title, chapter or text."""
    wanted = words.casefold().split()
    return [
        lesson
        for lesson in LESSONS.values()
        if chapter in ("", lesson.chapter) and all(word in lesson.words for word in wanted)
    ]


def _can_open():
    """Whether a lesson may replace the scene."""
    return locks.scene_is_editable() and locks.is_editable("lessons")


def _tile(lesson):
    tile(
        lesson.key,
        thumbnail(lesson.page, lesson.key, theme_name()),
        lesson.page,
        lesson.title,
        query_params={"open": lesson.key},
        disabled=not _can_open(),
    )
