"""Our components: pictures that stay, the player, the toolbar, a pad to draw on."""

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


VERSION_NUMBERS = count()  # no two pictures of a server have the same


def no_action():
    """Does nothing: a component's state exists only where there is a callback for it."""


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
    return lambda data, **options: draw(data=[data], **options)


_plot = component("plot")
_surface = component("surface")
_player = component("player")
_table = component("table")
_sketchpad = component("sketchpad", '<div class="ov-sketchpad"></div>')
_toolbar = component("address", '<div class="ov-toolbar" role="toolbar"></div>', js="toolbar.js")


def show(key: str, figure: Figure, on_guess=no_action, on_brush=no_action, **options) -> None:
    """Show a figure of marks in the visitor's theme; a browser that shows another theme asks for
    a run. While the figure's `view` is the same, the person's zoom stays.

    `options` are for plot.js: what a click does, the start that can be dragged, arrows. `on_guess`
    is called with a click's (x, y), `on_brush` with ranges by axis (see `optviz.plot.brush`).

    The lower layer is made and sent only when this browser does not have it yet.
    """
    base_id, base = figure.under or (None, None)
    sent_bases = browser().underlay_ids.setdefault(key, set())
    current = encoded(figure)
    version = current.version
    if key in browser().grown_keys:
        browser().grown_keys.discard(key)  # it has had another one since it was sent this one
        version += f"+{next(VERSION_NUMBERS)}"
    data = {**figure_message(key, current.figure, figure.label, base, version), **options}
    data |= {"name": key, "view": figure.view, "theme": theme_name(), "plotly": plotly_js()}
    if base_id is not None:
        data["base_id"] = base_id
        if base_id not in sent_bases:
            sent_bases.add(base_id)
            data["base"] = base()

    def handle_click():
        if is_point(point := component_value(key, "guess")):
            on_guess(float(point["x"]), float(point["y"]))

    def handle_brush():
        on_brush(component_value(key, "brush"))

    def handle_need():
        sent_bases.clear()
        browser().drawn_versions.pop(key, None)

    callbacks = {"on_guess_change": handle_click, "on_brush_change": handle_brush}
    draw = _plot if figure.scene is None else _surface
    draw(key=key, data=data, on_need_change=handle_need, **callbacks)


def figure_message(key: str, figure: dict, label: str, base: Callable | None, version: str) -> dict:
    """What to send for a figure: only the changes where the browser has the one before."""
    pictures = page_contents().pictures
    before, pictures[key] = pictures.get(key), Picture(figure, label, base, version)
    is_drawn = before and before.version == browser().drawn_versions.get(key)
    delta = changes(before.figure, figure) if is_drawn else None
    data = figure if delta is None else {**delta, "since": before.version}
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


def download_button(label, make, name, key, icon="download", **options):
    """A button for a file that `make()` gives, as text or bytes, when it is clicked; its name tells
    its type.

    Streamlit drops a file after two runs of any session, which come before the browser has it.
    """

    mime = guess_type(name)[0] or "application/octet-stream"

    def content():
        data = data.encode() if isinstance(data := make(), str) else data
        files = runtime.get_instance().media_file_mgr
        files.add(data, mime, key, name, is_for_static_download=True)
        return data

    st.download_button(
        label, content, name, mime, key=key, icon=f":material/{icon}:", on_click="ignore", **options
    )


class Picture(NamedTuple):
    """A figure for Plotly, its label, and what makes its lower layer."""

    figure: dict
    label: str
    base: Callable | None
    version: str


@dataclass
class PageContents:
    """What a page shows in a run: "Export" puts it into a file."""

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
    """A visitor's text as Markdown that shows it literally: no link, image, element, math."""
    return re.sub(r"[\\`*_\[\]<>!$:~#|&@]|(?<=www)\.", r"\\\g<0>", text)


def table(html: str, key: str) -> None:
    """Show a table that can be exported."""
    page_contents().tables[key] = html
    st.html(html)


def toolbar(
    session, link: str, on_rest: Callable[[], None], on_resume: Callable[[str], None]
) -> None:
    """Undo, redo, hiding the panel, presenting; the address bar holds the page's `link`. `on_rest`
    is called when a hand on a slider rests, `on_resume` with the name of the tab's session where
    the page has been reloaded.
    """

    def handle(name, kind, action):
        if type(value := (st.session_state.get("toolbar") or {}).get(name)) is kind:
            action(value)

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


def is_point(point):
    return isinstance(point, dict) and all(
        type(v := point.get(axis)) in (int, float) and abs(v) < 1e300 for axis in "xy"
    )


def player(steps: int, scene: str, play: str = "", report_end: str = "", on_end=no_action) -> None:
    """The player. A new `scene` stands at its end; a new `play` starts from the beginning at
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
    valid = isinstance(ink, list) and len(ink) == side**2
    return ink if valid and all(type(v) in (int, float) and 0 <= v <= 1 for v in ink) else None
