"""The scene as a link: read when a session begins, kept in the address bar, handed out with a QR code."""

import streamlit as st

from optviz.experiments.trajectories import scene_state as state
from optviz.experiments.trajectories.view import View
from optviz.shell import lesson_card as lessons
from optviz.shell.lessons import LESSONS
from optviz.shell.registry import PAGES
from optviz.shell.share import (
    GROUPS,
    Controls,
    LinkError,
    Shared,
    SharedScene,
    decode,
    encode,
    qr_svg,
)
from optviz.ui.assets import as_image
from optviz.ui.components import shown
from optviz.ui.session import session

INSTEAD = "Here is the page as it opens by itself, in its place."
FREE, LOCKED, HIDDEN = "free", "locked", "hidden"


def opened(page: str = "trajectories") -> None:
    """When a session comes to a page: the scene of the address, or the page's own with a word on what was wrong."""
    S, asked = session(), st.query_params
    S.page = page
    shown(afresh=True)
    if not S.specs:
        S.view, S.controls = View(), Controls()
        for other in PAGES.values():
            S.specs[other.key] = other.scene
        state.show(PAGES["trajectories"].scene)
        S.opened.clear()
    if page in S.opened:
        return
    S.opened.add(page)
    if page not in PAGES:
        return
    if (key := asked.get("lesson")) is not None:
        if key in LESSONS:
            lessons.open_lesson(key)
        else:
            session().complaint = f"This link asks for a lesson that there is not. {INSTEAD}"
    if (text := asked.get("s")) is not None:
        try:
            shared = decode(text, page)
        except LinkError as error:
            session().complaint = f"{_sentence(error)} {INSTEAD}"
            session().lesson = None
            put(page, PAGES[page].scene, View())
        else:
            put(page, shared.scene, getattr(shared, "view", None))
            session().controls = getattr(shared, "controls", session().controls)
            if session().controls.hidden:
                st.rerun()  # the menu of pages was drawn before that was known


def put(page: str, scene, view: View | None = None) -> None:
    """Put another scene on a page; its controls begin afresh from it."""
    if page == "trajectories":
        state.show(scene)
        session().view = view or View()
    else:
        session().show(page, scene)


def _sentence(error):
    text = f"{error}".strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def complaint() -> None:
    """What was wrong with the link that opened this session, until it is put away."""
    if session().complaint:
        st.warning(session().complaint, icon=":material/link_off:")
        st.button("All right", key="complaint-read", on_click=lambda: setattr(session(), "complaint", ""))


def locked(group: str) -> bool:
    """Whether the teacher who made the link has locked these controls."""
    return group in session().controls.locked


def hidden(group: str) -> bool:
    """Whether the teacher who made the link has hidden these controls."""
    return group in session().controls.hidden


def free(*groups: str) -> bool:
    """Whether none of these groups is locked or hidden."""
    return not any(locked(g) or hidden(g) for g in groups)


def query(controls: Controls | None = None) -> str:
    """The query of a link to what is on the page now; with other controls than those in force, of a link to hand out."""
    if session().page == "trajectories":
        shared = Shared(session().specs["trajectories"], session().view, session().controls if controls is None else controls)
    else:
        shared = SharedScene(session().page, session().specs[session().page])
    try:
        text = encode(shared)
    except LinkError:
        return ""  # more than a link can hold: the address stays as it was
    return f"?s={text}" + (f"&lesson={session().lesson}" if lessons.current() else "")


def address(controls: Controls | None = None) -> str:
    """The link to what is on the page now; empty where that is more than a link can hold."""
    asked = query(controls)
    return asked and (st.context.url or "").split("?")[0].split("#")[0] + asked


def lazy(label, icon, key, content):
    """A popover whose content is made only while it is open."""
    box = st.popover(label, icon=icon, key=key, on_change="rerun")
    if box.open:
        with box:
            content()


def share_controls() -> None:
    """The link, its QR code, and what the person who opens it may not touch."""
    under_control = session().controls != Controls()
    controls = session().controls
    box = st.container()
    if session().page != "trajectories":
        pass  # there is nothing to lock
    elif under_control:
        st.caption("This page was opened with a link that locks or hides some controls; so does this link.")
    else:
        with st.expander("Lock or hide controls for those who open it", key="share-locks"):
            chosen = {
                group: st.segmented_control(
                    name, [FREE, LOCKED, HIDDEN], default=FREE, key=f"share-{group}", required=True
                )
                for group, name in GROUPS.items()
            }
        controls = Controls(*(tuple(g for g, c in chosen.items() if c == state_) for state_ in (LOCKED, HIDDEN)))
    if not (link := address(controls)):
        st.warning("This scene is too large for a link. Take some optimizers away.", icon=":material/link_off:")
        return
    with box:
        _handed_out(link)


def _handed_out(address):
    """The link as text and as a picture to scan."""
    st.code(address, language=None, wrap_lines=True)
    try:
        st.html(f'<div class="ov-qr">{as_image(qr_svg(address), "QR code of the link")}</div>')
    except LinkError as error:
        st.caption(_sentence(error))
    if any(host in address for host in ("//localhost", "//127.0.0.1")):
        st.caption(
            "This address works on this machine alone. For a class start the app with `--server.address 0.0.0.0` and "
            "open it by the name of the machine; link and code then carry that name."
        )
