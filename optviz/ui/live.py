"""What moves the lines in the pictures while a slider or the start is dragged.

Only the panel itself runs again then (a fragment): it hands the changed lines to the pictures in
the browser. When the hand rests the table and the text follow, or the whole page where more than
these changes.
"""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

import streamlit as st

from optviz.plot import Figure
from optviz.ui.cache import encoded
from optviz.ui.channel import Endpoint, browser, component_endpoint, component_value, last_change
from optviz.ui.components import (
    VERSION_NUMBERS,
    component,
    figure_message,
    is_point,
    no_action,
    page_contents,
    theme_name,
)
from optviz.ui.session import session

DAY = 86400.0  # seconds
ANNOTATIONS = "annotations"  # Plotly's name for the words in a picture

_step = component("step", '<div class="ov-follower"></div>', js="listeners.js", export="step")
_growth = component("growth", '<div class="ov-follower"></div>', js="growth.js")
_grab = component("grab", '<div class="ov-follower"></div>', js="listeners.js", export="grab")
_theme = component("theme", '<div class="ov-theme"></div>', js="listeners.js", export="theme")


def follow_theme() -> None:
    """Have the page run again when its visitor takes another theme, as its images are drawn in
    one; on a page with plots these ask for it.
    """
    _theme(key="theme", data={"theme": theme_name()}, on_need_change=no_action)


@st.fragment(run_every=DAY)
def survive_restarts() -> None:
    """A reason for Streamlit to run the page when the browser reconnects to a restarted server: it
    does so where a part of the page runs by a clock. Otherwise all panels would be dead, as a new
    session does not know their fragments.
    """


def follow_growth(key: str, growth: Endpoint, every: float) -> None:
    """Have the pictures above grow in the browser, with at least so many seconds in between; the
    fragment around it runs again where more than the curves is new.
    """

    def arrived():
        browser().set_drawn(component_value(key).get("drawn"))

    data = {"key": growth.key, "every": 1000 * every}
    _growth(key=key, data=data, on_values_change=arrived)


def _has_only_curves(figure):
    return {trace["type"] for trace in figure["data"]} <= {"scatter"}


def can_grow(key: str) -> bool:
    """Whether a picture that is shown may grow by itself: where it has only curves and no lower
    layer. For bars and for changed words Plotly would draw everything anew: they come when the
    page is drawn.
    """
    before = page_contents().pictures.get(key)
    return before is not None and not before.base and _has_only_curves(before.figure)


def growth_message(key: str, figure: Figure) -> dict:
    """What to send for a picture that has grown; empty where it has not, or may not."""
    if not can_grow(key):
        return {}
    before, current = page_contents().pictures[key], encoded(figure).figure
    if not _has_only_curves(current):
        return {}
    layout = {name: part for name, part in current["layout"].items() if name != ANNOTATIONS}
    layout |= {name: part for name, part in before.figure["layout"].items() if name == ANNOTATIONS}
    current = {**current, "layout": layout}
    if before.figure == current:
        return {}
    browser().grown_keys.add(key)
    return figure_message(key, current, figure.label, None, f"+{next(VERSION_NUMBERS)}")


@contextmanager
def full_rerun(figures: Callable[[], dict] | None = None):
    """Marks a run of the whole page, in which the pictures carry everything themselves.

    `figures()` gives the page's figures by name, as they are after a slider has moved.
    """
    S = session()
    with S.lock:
        S.full_rerun, S.live_figures, S.details_open = True, figures, False
        S.endpoints.clear()
    try:
        yield
    finally:
        S.full_rerun = False


@st.fragment(key="settled")
def draw_settled(draw: Callable[[], None], surroundings: Callable[[], Any]) -> None:
    """Draws what follows when a hand rests: this alone, as long as `surroundings()`, all that the
    rest of the page depends on but for sliders and pictures, is the same, and nothing is open that
    shows more. Otherwise the whole page; also where a change came together with the message that
    the hand rests, and its panel has not been run.
    """
    S = session()
    spec, current = S.specs[S.page], (S.epoch, surroundings())
    changed = current != S.drawn_surroundings or spec != S.drawn_spec
    if not S.full_rerun and (S.details_open or changed):
        st.rerun()
    S.drawn_surroundings, S.drawn_spec = current, spec
    draw()


@st.fragment(key="notes")
def draw_notes(parts: Callable[[], Sequence[tuple[Callable, Any]]]) -> None:
    """Draws what seldom changes then: `parts()`, functions and what each of them shows."""
    drawn = parts()
    session().outdated = lambda: parts() != drawn
    for show, content in drawn:
        show(content)


def rerun_settled() -> None:
    """Rerun all that follows when a hand rests; the notes never alone, or the table would miss a
    rest in the same message.
    """
    st.rerun(["settled", "notes"])


def on_rest() -> None:
    """The hand on a slider rests: the table follows, and the notes where they change."""
    session().rest()
    if session().outdated():
        rerun_settled()


def live_patch(figures):
    """The `figures()`, by name, that a fragment sends on its own run; None on a full rerun."""
    S = session()
    if S.full_rerun:
        return None
    S.slider_moved_at, S.drawn_spec = monotonic(), S.specs[S.page]
    return figures()


def start_handle(key: str, on_move, traces: Callable[[], dict | None], on_leave=None) -> None:
    """Calls `on_move(x, y)` where a hand puts the start; `traces()` go straight to the plots. With
    `on_leave` it follows a pointer, and nothing else reruns for that; `on_leave` is called when it
    leaves the picture.
    """

    def receive(value):
        if is_point(value):
            on_move(float(value["x"]), float(value["y"]))
        elif value and on_leave:
            on_leave()

    def answer(value):
        receive(value)
        return {"traces": traces()}

    data = {"echo": last_change(key), "traces": traces(), "live": on_leave is None}
    data["endpoint"] = component_endpoint(key, answer)
    _grab(key=key, data=data, on_values_change=lambda: receive(component_value(key)))


def current_step(key: str) -> int:
    """The step under the scrubber; the fragment around it runs again whenever that changes."""
    sent = component_value(key)
    step = sent.get("step") if isinstance(sent.get("step"), int) else None
    _step(key=key, data={"echo": sent.get("n", 0), "step": step}, on_values_change=no_action)
    return step
