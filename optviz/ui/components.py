"""Components of our own: pictures that stay, the player, what is drawn or told by hand."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from mimetypes import guess_type
from typing import NamedTuple

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from optviz.plot import Figure
from optviz.plot.writers.changes import changes
from optviz.translation import _
from optviz.ui.assets import plotly_js, script
from optviz.ui.cache import encoded
from optviz.ui.channel import browser, component_value
from optviz.ui.session import session


def theme_name() -> str:
    """The visitor's theme; outside of a run of the script, that of the last one."""
    S = session()
    if get_script_run_ctx(suppress_warning=True):
        S.theme = st.context.theme.type or "light"
    return S.theme


VERSION_NUMBERS = count()  # of versions: no two pictures of a server have one


def no_action():
    """A component's state exists only where a callback for it does."""


LAYER = '<div class="ov-layer"></div>'
FRAMES = {
    "plot": f'<div class="ov-plot" role="group">{LAYER}{LAYER}<div class="ov-sorry"></div></div>',
    "surface": f'<div class="ov-plot" role="group">{LAYER}<div class="ov-sorry"></div></div>',
    "player": '<div class="ov-player" role="group" aria-label="Player"></div>',
    "table": '<div class="ov-timetable"></div>',
}


def component(name, html="", js="", export="default"):
    draw = st.components.v2.component(
        f"optviz_{name}",
        html=html or FRAMES[name],
        js=script(js or f"{name}.js", export),
        isolate_styles=False,
    )

    # in a list: Streamlit looks through the values of a mapping for data frames
    return lambda data, **more: draw(data=[data], **more)


_plot = component("plot")
_surface = component("surface")
_player = component("player")
_table = component("table")
_sketchpad = component("sketchpad", '<div class="ov-sketchpad"></div>')
_toolbar = component("address", '<div class="ov-toolbar" role="toolbar"></div>', js="toolbar.js")


def show(key: str, figure: Figure, on_guess=no_action, on_brush=no_action, **more) -> None:
    """Show a figure of marks, in the visitor's theme; where the browser shows another, it asks for
    a run. While the figure's `view` is the same, the person's zoom stays.

    `more` is for plot.js: what a click does, the start to take hold of, arrows. `on_guess` takes a
    click's (x, y), `on_brush` the ranges by axis that a hand has set (see `optviz.plot.brush`).

    The lower layer is made, and sent, only when this browser does not have it yet.
    """
    base_id, base = figure.under or (None, None)
    have = browser().underlay_ids.setdefault(key, set())
    now = encoded(figure)
    version = now.version
    if key in browser().grown_keys:
        browser().grown_keys.discard(key)  # it has had another one since it was sent this one
        version += f"+{next(VERSION_NUMBERS)}"
    data = {**figure_message(key, now.figure, figure.label, base, version), **more}
    data |= {"name": key, "view": figure.view, "theme": theme_name(), "plotly": plotly_js()}
    if base_id is not None:
        data["base_id"] = base_id
        if base_id not in have:
            have.add(base_id)
            data["base"] = base()

    def clicked():
        if is_point(at := component_value(key, "guess")):
            on_guess(float(at["x"]), float(at["y"]))

    def ranged():
        on_brush(component_value(key, "brush"))

    def lost():
        have.clear()
        browser().drawn_versions.pop(key, None)

    hears = {"on_guess_change": clicked, "on_brush_change": ranged}
    draw = _plot if figure.scene is None else _surface
    draw(key=key, data=data, on_need_change=lost, **hears)


def figure_message(key: str, figure: dict, label: str, base: Callable | None, version: str) -> dict:
    """What to send for a figure: where the browser has the one before, what has changed since."""
    pictures = page_contents().pictures
    before, pictures[key] = pictures.get(key), Picture(figure, label, base, version)
    known = before and before.version == browser().drawn_versions.get(key)
    found = changes(before.figure, figure) if known else None
    data = figure if found is None else {**found, "since": before.version}
    return {**data, "label": label, "version": version}


def button(
    label: str,
    key: str,
    act: Callable,
    *args,
    icon: str = "",
    wide: bool = False,
    primary: bool = False,
    disabled: bool = False,
    help: str = "",
) -> None:
    """A button that has `act(*args)` called before the page runs again."""
    st.button(
        label,
        key=key,
        icon=f":material/{icon}:" if icon else None,
        width="stretch" if wide else "content",
        type="primary" if primary else "secondary",
        disabled=disabled,
        help=help or None,
        on_click=act,
        args=args,
    )


def lazy_popover(label, icon, key, content):
    """A popover whose content is made only while it is open."""
    box = st.popover(label, icon=icon, key=key, on_change="rerun")
    if box.open:
        session().details_open = True
        with box, st.container(key=f"{key}-open"):
            content()


def download_button(label, make, name, key, icon="download", **more):
    """A button for a file that `make()` gives, as text or bytes, when it is asked for; of what type
    it is, its name tells.

    Streamlit drops a file after two runs of any session, which come before the browser has it.
    """

    mime = guess_type(name)[0] or "application/octet-stream"

    def made():
        data = data.encode() if isinstance(data := make(), str) else data
        files = runtime.get_instance().media_file_mgr
        files.add(data, mime, key, name, is_for_static_download=True)
        return data

    st.download_button(
        label, made, name, mime, key=key, icon=f":material/{icon}:", on_click="ignore", **more
    )


class Picture(NamedTuple):
    """A figure for Plotly, what it shows in words, what makes its lower layer."""

    figure: dict
    label: str
    base: Callable | None
    version: str


@dataclass
class PageContents:
    """What a page shows in a run: what "Export" puts into a file when it is asked for."""

    survives_reload = False  # not for a page that is loaded again

    pictures: dict[str, Picture] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # Markdown
    # gives the trainings of the exported script, its `n_test`, and its search
    script: Callable[[], tuple] = lambda: ((), None, None)


def page_contents(reset: bool = False) -> PageContents:
    """What this page shows; `reset` at the beginning of a run."""
    if reset:
        session().states.pop(PageContents, None)
    return session().state(PageContents)


def escape_markdown(text: str) -> str:
    """Anybody's text as Markdown that shows it letter by letter: no link, image, element, math."""
    return re.sub(r"[\\`*_\[\]<>!$:~#|&@]|(?<=www)\.", r"\\\g<0>", text)


def table(html: str, key: str) -> None:
    """Show a table that can be taken home."""
    page_contents().tables[key] = html
    st.html(html)


def toolbar(
    session, link: str, on_rest: Callable[[], None], on_resume: Callable[[str], None]
) -> None:
    """Undo, redo, the panel put away, the stage alone; the address bar holds the page's `link`.
    `on_rest` is called when a hand on a slider rests, `on_resume` with the name of the tab's
    session where the page has been loaded again.
    """

    def handle(what, kind, act):
        if type(value := (st.session_state.get("toolbar") or {}).get(what)) is kind:
            act(value)

    labels = {
        "undo": _("Undo (Ctrl+Z)"),
        "redo": _("Redo (Ctrl+Shift+Z)"),
        "fold": _("Hide the controls (C)"),
        "lift": _("Controls over the page (C)"),
        "controls": _("Controls"),
        "present": _("Present: the stage alone (P)"),
        "knob": _("Hyperparameter at hand"),
    }
    data = {
        "link": link,
        "session": session.name,
        "entry": session.history_index,
        "undo": session.step(-1),
        "redo": session.step(1),
        "status": session.job_status,
        "labels": labels,
    }
    _toolbar(
        key="toolbar",
        data=data,
        on_jump_change=lambda: handle("jump", int, session.go_to),
        on_resume_change=lambda: handle("resume", str, on_resume),
        on_rest_change=on_rest,
    )


def is_point(at):
    return isinstance(at, dict) and all(
        isinstance(at.get(c), int | float) and abs(at[c]) < 1e300 and not isinstance(at[c], bool)
        for c in "xy"
    )


def player(steps: int, scene: str, play: str = "", report_end: str = "", on_end=no_action) -> None:
    """The player. Another `scene` stands at its end; another `play` starts from the beginning at
    once.

    `on_end` is called once when the end is reached and `report_end` is new.
    """
    data = {"steps": steps, "scene": scene, "play": play, "report_end": report_end}
    _player(key="player", data=data, on_end_change=on_end)


def timetable(html: str, rows: list[dict], key: str) -> None:
    """A table that follows the player; `html` is how it stands at the end."""
    _table(key=key, data={"html": html, "rows": rows})


def sketchpad(key: str, side: int, margin: float) -> list[float] | None:
    """A pad to draw on: the ink `(side²,)`, 0 to 1, in rows from the top; None while it is empty.

    What is drawn is scaled into the picture, less a `margin` on each side as a share of it.
    """
    data = {
        "side": side,
        "margin": margin,
        "label": _("A pad to draw on"),
        "clear": _("Clear"),
        "hint": _("Draw a digit. Keyboard: arrows draw, Shift + arrows move, Delete clears."),
        "echo": component_value(key).get("n", 0),
    }
    _sketchpad(key=key, data=data, on_values_change=no_action)
    ink = component_value(key).get("ink")
    right = isinstance(ink, list) and len(ink) == side**2
    return ink if right and all(type(v) in (int, float) and 0 <= v <= 1 for v in ink) else None
