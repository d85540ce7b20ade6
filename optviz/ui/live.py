"""What moves the lines in the pictures while a hand is on a slider or on the start.

Only the panel itself runs again then (a fragment): it hands the changed lines to the pictures in
the browser. When the hand rests the table and the text follow, or all of the page where more than
these says something else then.
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
ANNOTATIONS = "annotations"  # what Plotly calls those in a picture

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
    """Nothing but a reason for Streamlit to run the page when the browser has found a server again
    that was gone: it does so where a part of the page runs by a clock. Else all panels would be
    dead there, as their fragments are unknown to a new session.
    """


def follow_growth(key: str, growth: Endpoint, every: float) -> None:
    """Have the pictures above grow in the browser, not sooner than after so many seconds each; the
    fragment around it runs again where more than that is new.
    """

    def arrived():
        browser().set_drawn(component_value(key).get("drawn"))

    data = {"key": growth.key, "every": 1000 * every}
    _growth(key=key, data=data, on_values_change=arrived)


def _of_curves(figure):
    return {trace["type"] for trace in figure["data"]} <= {"scatter"}


def can_grow(key: str) -> bool:
    """Whether a picture that is shown may grow by itself: where there are nothing but curves, with
    nothing under them. For bars and for other words Plotly would draw all anew: they come when the
    page is drawn.
    """
    before = page_contents().pictures.get(key)
    return before is not None and not before.base and _of_curves(before.figure)


def growth_message(key: str, figure: Figure) -> dict:
    """What to send for a picture that has grown; nothing where it has not, or may not."""
    if not can_grow(key):
        return {}
    before, now = page_contents().pictures[key], encoded(figure).figure
    if not _of_curves(now):
        return {}
    layout = {name: part for name, part in now["layout"].items() if name != ANNOTATIONS}
    layout |= {name: part for name, part in before.figure["layout"].items() if name == ANNOTATIONS}
    now = {**now, "layout": layout}
    if before.figure == now:
        return {}
    browser().grown_keys.add(key)
    return figure_message(key, now, figure.label, None, f"+{next(VERSION_NUMBERS)}")


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
    """Draws what follows a hand that rests: it alone, as long as `surroundings()`, all that the
    page depends on outside of it and of sliders and pictures, is the same, and nothing is open that
    shows more. Otherwise the whole page; also where a change has met the word that the hand rests,
    and its panel has not been run.
    """
    S = session()
    spec, now = S.specs[S.page], (S.epoch, surroundings())
    if not S.full_rerun and (S.details_open or now != S.drawn_surroundings or spec != S.drawn_spec):
        st.rerun()
    S.drawn_surroundings, S.drawn_spec = now, spec
    draw()


@st.fragment(key="notes")
def draw_notes(parts: Callable[[], Sequence[tuple[Callable, Any]]]) -> None:
    """Draws what seldom changes with that: `parts()`, functions and what each of them shows."""
    drawn = parts()
    session().outdated = lambda: parts() != drawn
    for show, what in drawn:
        show(what)


def rerun_settled() -> None:
    """Have all run that follows a hand; the notes never alone, or a rest in the same message would
    be lost on the table.
    """
    st.rerun(["settled", "notes"])


def on_rest() -> None:
    """The hand on a slider rests: the table follows, the notes where they say something else."""
    session().rest()
    if session().outdated():
        rerun_settled()


def live_patch(figures):
    """What a fragment hands over on a run of its own: `figures()`, by name."""
    S = session()
    if S.full_rerun:
        return None
    S.slider_moved_at, S.drawn_spec = monotonic(), S.specs[S.page]
    return figures()


def start_handle(key: str, on_move, traces: Callable[[], dict | None], on_leave=None) -> None:
    """Hears where a hand puts the start: `on_move(x, y)`; `traces()` go straight to the plots. With
    `on_leave` it is a pointer that is followed, for which nothing else does; it is called when that
    is over the picture no more.
    """

    def take(at):
        if is_point(at):
            on_move(float(at["x"]), float(at["y"]))
        elif at and on_leave:
            on_leave()

    def answer(at):
        take(at)
        return {"traces": traces()}

    data = {"echo": last_change(key), "traces": traces(), "live": on_leave is None}
    data["endpoint"] = component_endpoint(key, answer)
    _grab(key=key, data=data, on_values_change=lambda: take(component_value(key)))


def current_step(key: str) -> int:
    """The step under the scrubber; the fragment around it runs again whenever that changes."""
    sent = component_value(key)
    step = sent.get("step") if isinstance(sent.get("step"), int) else None
    _step(key=key, data={"echo": sent.get("n", 0), "step": step}, on_values_change=no_action)
    return step
