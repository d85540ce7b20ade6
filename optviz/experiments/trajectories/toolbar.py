"""The line above the pictures: what is shown, how, and what can be done with it."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.trajectories import curves, predict
from optviz.experiments.trajectories.view import LEVELS
from optviz.shell import sharing
from optviz.shell.export import menu as takehome
from optviz.ui import locks
from optviz.ui.session import session


def head(scene, view) -> None:
    """The function's name and formula, and what opens the rest."""
    title, buttons = st.columns([2, 3], vertical_alignment="center")
    with title:
        st.markdown(f"#### {scene.objective.f.name} $\\;f(x, y) = {scene.objective.f.latex}$")
    with buttons, st.container(horizontal=True, horizontal_alignment="right", key="head"):
        if not locks.hidden("view"):
            _view_popovers(view)
        st.button(
            "Predict", key="predict-begin", icon=":material/psychology_alt:", on_click=predict.begin,
            disabled=not scene.optimizers or predict.current() is not None,
            help="Hides the paths: guess where one of them will be, or who arrives first. Then reveal.",
        )  # fmt: skip
        sharing.lazy("Share", ":material/share:", "share", sharing.share_controls)
        sharing.lazy(
            "Take home",
            ":material/download:",
            "take-home",
            lambda: takehome.scene_menu(scene, view),
        )


def _view_popovers(view):
    locked = locks.locked("view")
    sharing.lazy(
        "Picture", ":material/landscape:", "contour-view", lambda: _picture_controls(view, locked)
    )
    sharing.lazy(
        "Curves", ":material/show_chart:", "curves-view", lambda: _curve_controls(view, locked)
    )


def _picture_controls(view, locked):
    _view_control(st.toggle, "solid", "In three dimensions", view.solid, disabled=locked)
    _view_control(
        st.segmented_control,
        "levels",
        "Levels",
        list(LEVELS),
        default=view.levels,
        required=True,
        disabled=locked,
    )
    _view_control(st.toggle, "field", "Arrows against the gradient", view.field, disabled=locked)
    _view_control(
        st.toggle,
        "lookahead",
        "Nesterov's look-ahead points in place of its iterates",
        view.lookahead,
        disabled=locked,
    )


def _curve_controls(view, locked):
    _view_control(
        st.pills, "metrics", "Show", list(curves.METRICS), selection_mode="multi", default=list(view.metrics),
        format_func=curves.METRICS.get, disabled=locked,
    )  # fmt: skip
    _view_control(st.toggle, "log", "Logarithmic scale", view.log, disabled=locked)
    axes = list(curves.ALONG)
    _view_control(
        st.radio, "along", "Along", axes, axes.index(view.along), curves.ALONG.get, disabled=locked
    )


def _view_control(widget, field, *args, **kwargs):
    """A native widget for one field of the view."""
    S = st.session_state
    key = f"view-{field}-{session().epoch}"

    def change():
        value = S[key]
        if field == "metrics":
            value = tuple(m for m in curves.METRICS if m in value) or ("loss",)
        session().view = replace(session().view, **{field: value})

    widget(*args, key=key, on_change=change, **kwargs)
