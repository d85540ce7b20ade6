"""What a page shows when a visitor comes to it: the scene of a link, of a lesson, or the page's
own.
"""

import streamlit as st

from optviz.shell.lessons import LESSONS, Lesson
from optviz.shell.links import page_of
from optviz.shell.registry import PAGES
from optviz.shell.share import LinkError, decode
from optviz.translation import _
from optviz.ui.components import button, escape_markdown, page_contents
from optviz.ui.locks import Controls, is_hidden, restricted_groups, scene_is_editable
from optviz.ui.session import earlier_session, session


def switch_to_next_page(page: str) -> None:
    """Go to the page that undo, redo or a click leads to, where that is another one."""
    S = session()
    next_page, S.next_page = S.next_page, ""
    if next_page not in ("", page):
        st.switch_page(page_of(next_page))


def open_page(page: str) -> None:
    """Called when a session comes to a page: show the scene of the address, or the page's own with
    what was wrong.
    """
    S = session()
    S.page = page
    page_contents(reset=True)
    if not S.specs:
        S.controls = Controls()
        S.specs = {other.key: other.opening for other in PAGES.values()}
    linked, before = st.query_params.get("open"), S.linked_lesson
    if page not in PAGES and linked in LESSONS:  # in a tab of its own: a card's link names no page
        st.switch_page(page_of(LESSONS[linked].page), query_params={"open": linked})
    # a link within the session; it is there until the page has written its own
    S.linked_lesson = linked
    if page in PAGES and linked not in (None, before):
        _from_lesson(linked)
    if page in S.opened_pages:
        return
    S.opened_pages.add(page)
    if page in PAGES:
        _from_lesson(st.query_params.get("lesson"))
        _from_link(page, st.query_params.get("s"))


def resume(name: str) -> None:
    """Go on where the same tab was before it was reloaded: with its files, the specs of its other
    pages, its history. The open page keeps the scene of its link.
    """
    S, earlier = session(), earlier_session(name)
    if earlier is None:
        return
    for page in PAGES.keys() & (earlier.opened_pages - S.opened_pages):
        S.specs[page], S.kept_specs[page] = earlier.specs[page], earlier.kept_specs.get(page, ())
        if PAGES[page].locks:
            S.controls = earlier.controls
    S.opened_pages |= earlier.opened_pages
    S.provided, S.results = earlier.provided, earlier.results | S.results
    S.states |= {
        k: state for k, state in earlier.states.items() if getattr(k, "survives_reload", True)
    }
    S.spend(earlier.seconds_trained)
    before, entries = earlier.history, S.history[S.history_index :]
    if before[earlier.history_index :][:1] == entries:
        S.history, S.history_index = list(before), earlier.history_index
    else:
        S.history = before[: earlier.history_index + 1] + entries
        S.history_index = len(S.history) - 1


def _from_lesson(key):
    if key in LESSONS and LESSONS[key].page == "trajectories" and not scene_is_editable():
        message = _("The link you opened locks its scene ({locked}), so the scene stays.")
        session().complaint = message.format(locked=restricted_groups())
    elif key in LESSONS:
        open_lesson(key)
    elif key is not None:
        session().complaint = _(
            "This link asks for a lesson that does not exist. Here is the page with its default "
            "scene."
        )


def _from_link(page, link):
    if link is None:
        return
    S = session()
    try:
        shared = decode(link, page)
    except LinkError as error:
        message = _("{reason}. Here is the page with its default scene.")
        S.complaint, S.lesson = message.format(reason=error_sentence(error)), None
        S.show(page, PAGES[page].opening)
        return
    S.show(page, shared.scene)
    S.kept_specs[page] = shared.kept
    if PAGES[page].locks:
        S.controls = shared.controls
    if S.controls.hidden:
        st.rerun()  # the menu of pages was drawn before that was known


def open_lesson(key: str) -> None:
    """Put a lesson's scene on its page, as its author set it."""
    lesson = LESSONS[key]
    session().show(lesson.page, lesson.scene)
    session().lesson = key
    if lesson.tab:
        session().open_tab(lesson.page, _(lesson.tab))


def open_lesson_of_page() -> Lesson | None:
    """The lesson whose card is shown on this page."""
    S = session()
    lesson = LESSONS.get(S.lesson)
    return lesson if lesson and lesson.page == S.page and not is_hidden("lessons") else None


def error_sentence(error: Exception) -> str:
    """An error's message, with its first letter capitalized and without a period."""
    text = f"{error}".strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}"


def draw_complaint() -> None:
    """What was wrong with the link that opened this session, until it is dismissed."""
    if session().complaint:
        st.warning(escape_markdown(session().complaint), icon=":material/link_off:")
        button(_("OK"), "complaint-read", _dismiss)


def _dismiss():
    session().complaint = ""
