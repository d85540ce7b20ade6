"""The link to what is on a page: in the address bar, and to share with a QR code."""

import streamlit as st

from optviz.shell.lessons import plan as lesson_plan
from optviz.shell.opening import error_sentence, open_lesson_of_page
from optviz.shell.registry import PAGES
from optviz.shell.share import LinkError, SharedScene, encode, qr_svg
from optviz.translation import N_, _
from optviz.ui import locks
from optviz.ui.assets import as_image
from optviz.ui.locks import GROUPS, Controls
from optviz.ui.session import session

CHOICES = {"free": N_("free"), "locked": N_("locked"), "hidden": N_("hidden")}
LOCAL = ("//localhost", "//127.0.0.1")


def query(controls: Controls | None = None) -> str:
    """The query of a link to what is on the page now, with the given controls or else the present
    ones.
    """
    S = session()
    try:
        controls = S.controls if controls is None else controls
        shared = SharedScene(S.page, S.specs[S.page], controls, S.kept_specs.get(S.page, ()))
        text = encode(shared)
    except LinkError:
        return ""  # more than a link can hold: the address stays as it was
    return f"?s={text}" + (f"&lesson={S.lesson}" if open_lesson_of_page() else "")


def address(controls: Controls | None = None) -> str:
    """The link to what is on the page now; empty where that is more than a link can hold."""
    parameters = query(controls)
    return parameters and (st.context.url or "").split("?")[0].split("#")[0] + parameters


def share_controls() -> None:
    """The link, its QR code, and which controls to lock or hide for those who open it."""
    S, box = session(), st.container()
    controls = S.controls
    if controls != Controls():
        st.caption(
            _(
                "This page was opened with a link that locks or hides some controls; so "
                "does this link."
            )
        )
    elif PAGES[S.page].locks:
        controls = _lock_controls()
    if link := address(controls):
        with box:
            _draw_link(link)
    else:
        message = _("This scene is too large for a link. Remove some optimizers.")
        st.warning(message, icon=":material/link_off:")


def _lock_controls():
    label = _("Lock or hide controls for those who open it")
    with st.expander(label, key="share-locks"):
        chosen = {
            group: st.segmented_control(
                _(name),
                list(CHOICES),
                default="free",
                format_func=lambda k: _(CHOICES[k]),
                key=f"share-{group}",
                required=True,
            )
            for group, name in GROUPS.items()
        }
    groups = {choice: tuple(g for g, c in chosen.items() if c == choice) for choice in CHOICES}
    return Controls(groups["locked"], groups["hidden"])


def _draw_link(link):
    """The link as a picture to scan, and as text."""
    code, text = st.columns(2)
    try:
        code.html(f'<div class="ov-qr">{as_image(qr_svg(link), _("QR code of the link"))}</div>')
    except LinkError as error:
        code.caption(f"{error_sentence(error)}.")
    with text:
        st.code(link, language=None, wrap_lines=True)
        if any(host in link for host in LOCAL):
            st.caption(
                _(
                    "This address works only on this machine. For a class, start the app with "
                    "`--server.address 0.0.0.0` and open it by the name of the machine; link and "
                    "code then contain that name."
                )
            )
        if not locks.is_hidden("lessons"):
            lesson_plan.collect_button()
