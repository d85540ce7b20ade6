"""What stands on a page when a visitor comes to it: the scene of a link, a lesson's, or the page's
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


def switch_to_next_page(here: str) -> None:
    """To the page that undo, redo or a click leads to, where that is another one."""
    S = session()
    wanted, S.next_page = S.next_page, ""
    if wanted not in ("", here):
        st.switch_page(page_of(wanted))


def open_page(page: str) -> None:
    """When a session comes to a page: the scene of the address, or the page's own with a word on
    what was wrong.
    """
    S = session()
    S.page = page
    page_contents(reset=True)
    if not S.specs:
        S.controls = Controls()
        S.specs = {other.key: other.opening for other in PAGES.values()}
    asked, before = st.query_params.get("open"), S.linked_lesson
    if page not in PAGES and asked in LESSONS:  # in a tab of its own: a card's link names no page
        st.switch_page(page_of(LESSONS[asked].page), query_params={"open": asked})
    # a link within the session; it is there until the page has written its own
    S.linked_lesson = asked
    if page in PAGES and asked not in (None, before):
        _from_lesson(asked)
    if page in S.opened_pages:
        return
    S.opened_pages.add(page)
    if page in PAGES:
        _from_lesson(st.query_params.get("lesson"))
        _from_link(page, st.query_params.get("s"))


def resume(name: str) -> None:
    """Go on where the same tab was before its page was loaded again: with its files, what was set
    on its other pages, what can be undone. The open page keeps the scene of its link.
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
        k: held for k, held in earlier.states.items() if getattr(k, "survives_reload", True)
    }
    S.spend(earlier.seconds_trained)
    before, now = earlier.history, S.history[S.history_index :]
    if before[earlier.history_index :][:1] == now:
        S.history, S.history_index = list(before), earlier.history_index
    else:
        S.history = before[: earlier.history_index + 1] + now
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
    """What an error says, with its first letter large and without a period."""
    text = f"{error}".strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}"


def draw_complaint() -> None:
    """What was wrong with the link that opened this session, until it is put away."""
    if session().complaint:
        st.warning(escape_markdown(session().complaint), icon=":material/link_off:")
        button(_("OK"), "complaint-read", _put_away)


def _put_away():
    session().complaint = ""
