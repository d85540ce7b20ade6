"""A teacher's lesson plan: scenes in their order, a note to each, played one after another."""

import json
from dataclasses import dataclass, replace

import streamlit as st

from optviz.lens import at, without
from optviz.plot import THEMES
from optviz.shell.links import page_of
from optviz.shell.opening import open_lesson_of_page, open_page, switch_to_next_page
from optviz.shell.registry import PAGES
from optviz.shell.share import MAX_CHARACTERS, LinkError, SharedScene, decode, encode, pack, unpack
from optviz.spec import SpecError, canonical_json, from_dict, items, to_dict, validate
from optviz.translation import _, ngettext
from optviz.ui import locks
from optviz.ui.assets import as_image
from optviz.ui.cache import cached
from optviz.ui.components import button, download_button, escape_markdown, theme_name
from optviz.ui.public import uploads
from optviz.ui.session import session

MAX_ITEMS = 40
MAX_NOTE = 1000  # characters
MAX_FILE = MAX_ITEMS * (MAX_CHARACTERS + 6 * MAX_NOTE + 100)  # bytes; JSON has six for a letter


@dataclass(frozen=True)
class Item:
    """A scene of a plan: its page, the text of its link, and the teacher's note."""

    page: str
    scene: str
    note: str = ""

    def validate(self) -> None:
        """SpecError, or the LinkError of the scene, where it cannot be played."""
        if self.page not in PAGES or len(self.note) > MAX_NOTE:
            raise SpecError("there is no such scene")
        decode(self.scene, self.page)


@dataclass(frozen=True)
class Plan:
    """What the file and the link of a plan contain."""

    scenes: tuple[Item, ...] = items((), 0, MAX_ITEMS, "scenes")


@dataclass
class PlanState:
    """A visitor's plan, and which of its scenes is being played."""

    plan: Plan = Plan()
    at: int | None = None
    epoch: int = 0  # of the notes' fields
    complaint: str = ""
    link: str = ""  # the one that was last read or written

    def put(self, *scenes: Item) -> None:
        """Replace or reorder the scenes; their fields are reset."""
        self.plan, self.at, self.epoch = Plan(scenes), None, session().next_id()


def state() -> PlanState:
    """The visitor's plan."""
    return session().state(PlanState)


def read(text: str) -> Plan:
    """The plan in a file; LinkError where it is none or one of its scenes is damaged."""
    try:
        plan = from_dict(Plan, json.loads(text), "plan")
        validate(plan)
    except LinkError:
        raise
    except (SpecError, ValueError, RecursionError):
        raise LinkError(_("This is not a lesson plan, or it is damaged.")) from None
    return plan


def _replace_plan(read_text) -> None:
    """Replace the plan by the one in `read_text()`, where there is one."""
    S = state()
    try:
        S.put(*read(read_text()).scenes)
        S.complaint = ""
    except (LinkError, UnicodeDecodeError) as error:
        message = _("{reason} Your own plan has not changed.")
        S.complaint = message.format(reason=error)


# On the pages of the scenes.


def collect_button() -> None:
    """A button that appends what is on the page to the plan."""
    n = len(state().plan.scenes)
    label = _("Add to the lesson plan")
    button(label, "plan-add", _collect, icon="playlist_add", disabled=n >= MAX_ITEMS)
    if n:
        message = ngettext("The plan has {n} scene.", "The plan has {n} scenes.", n).format(n=n)
        st.page_link(page_of("plan"), label=message)


def _collect():
    S = session()
    item = Item(S.page, encode(SharedScene(S.page, S.specs[S.page])))
    state().put(*state().plan.scenes, item)


def card() -> None:
    """The note of the scene that is played, with buttons to the one before and after."""
    S, scenes = state(), state().plan.scenes
    if S.at is None or scenes[S.at].page != session().page or open_lesson_of_page():
        return
    with st.container(border=True, key="lesson"):
        place = _("Scene {i} of {n}").format(i=S.at + 1, n=len(scenes))
        st.markdown(f"##### {place}\n{escape_markdown(scenes[S.at].note)}")
        with st.container(horizontal=True, gap="small"):
            _play_button(_("Previous"), "arrow_back", S.at - 1)
            _play_button(_("Next"), "arrow_forward", S.at + 1)
            button(_("Close"), "plan-close", _close, icon="close")


def _close():
    state().at = None


def _play_button(label, icon, i, primary=False):
    button(
        label,
        f"plan-{icon}",
        play,
        i,
        icon=icon,
        primary=primary,
        disabled=not 0 <= i < len(state().plan.scenes) or not locks.scene_is_editable(),
    )


def play(i: int) -> None:
    """Show a scene of the plan on its page."""
    item, S = state().plan.scenes[i], session()
    S.show(item.page, decode(item.scene, item.page).scene)
    S.lesson, S.next_page, state().at = None, item.page, i


# Its own page.


def page() -> None:
    """The plan: its scenes, to be ordered, annotated, saved, opened, shared and played."""
    open_page("plan")
    switch_to_next_page("plan")
    S, linked = state(), st.query_params.get("plan", "")
    if linked and linked != S.link:
        S.link = linked
        _replace_plan(lambda: unpack(linked))
    about = _(
        "The scenes that you collect under “Share”, in your order, with a note on each. Play them "
        "one after another, and keep them as a file or a link."
    )
    st.markdown(f"# {_('Lesson plan')}\n{about}")
    if S.complaint:
        st.warning(escape_markdown(S.complaint), icon=":material/warning:")
    for i, item in enumerate(S.plan.scenes):
        _row(i, item)
    with st.container(horizontal=True, vertical_alignment="center", key="plan-keep"):
        if S.plan.scenes:
            _play_button(_("Play"), "play_arrow", 0, primary=True)
            text = canonical_json(to_dict(S.plan))
            name = "optviz-lesson-plan.json"
            download_button(_("Save as a file"), lambda: text, name, "plan-save")
    key = f"plan-file-{S.epoch}"
    if uploads():
        st.file_uploader(
            _("Open a file"), "json", key=key, max_upload_size=1, on_change=_open_file, args=(key,)
        )
    _link(S)


def _open_file(key):
    if file := st.session_state[key]:
        _replace_plan(lambda: file.read(MAX_FILE).decode())


def _link(S):
    S.link = pack(to_dict(S.plan)) if S.plan.scenes else ""
    short = 0 < len(S.link) <= MAX_CHARACTERS
    st.query_params.from_dict({"plan": S.link} if short else {})
    if S.link and not short:
        st.caption(_("This plan is too long for a link. Save it as a file instead."))
    elif short:
        address = (st.context.url or "").split("?")[0]
        st.code(f"{address}?plan={S.link}", language=None, wrap_lines=True)


def _row(i, item):
    def note():
        noted = replace(item, note=st.session_state[key])
        state().plan = Plan(at(i).set(state().plan.scenes, noted))

    key, scenes = f"plan-note-{state().epoch}-{i}", state().plan.scenes
    with st.container(border=True, horizontal=True, key=f"plan-{i}"):
        svg = _picture(item.page, item.scene, theme_name())
        title = f"{i + 1}. {_(PAGES[item.page].title)}"
        st.html(as_image(svg, _("A picture of {title}").format(title=title)), width=200)
        label = _("Note on {title}").format(title=title)
        st.text_area(label, item.note, key=key, max_chars=MAX_NOTE, on_change=note)
        with st.container(width=120, gap="small"):
            for name, icon, order in (
                (_("Up"), "arrow_upward", _swapped(scenes, i - 1)),
                (_("Down"), "arrow_downward", _swapped(scenes, i)),
                (_("Remove"), "delete", without(scenes, i)),
            ):
                put, off = state().put, order == scenes
                button(name, f"plan-{icon}-{i}", put, *order, icon=icon, wide=True, disabled=off)


def _swapped(scenes, i):
    """The scenes with i and i + 1 swapped, where both exist."""
    pair = scenes[max(i, 0) : i + 2]
    return (*scenes[:i], *pair[::-1], *scenes[i + 2 :]) if len(pair) == 2 and i >= 0 else scenes


@cached
def _picture(page, scene, theme):
    return PAGES[page].thumbnail_svg(decode(scene, page).scene, THEMES[theme])
