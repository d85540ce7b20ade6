"""Hyperparameter panels, and a start to take hold of, that move the lines in the pictures while they are dragged.

Only the panel itself runs again then (a fragment): it hands the changed lines to the pictures in the
browser. When the hand rests the whole page follows: table, names, axes, text.
"""

import streamlit as st

from optviz.experiments.trajectories import figures, scene_state
from optviz.plot import THEMES, to_plotly
from optviz.ui.components import grabber, hyperparameter_panel, theme_name
from optviz.ui.live import live_patch
from optviz.ui.session import session


@st.fragment
def live_panel(
    key, label, declared, standing, turned, notes=None, look=None, only=None, locked=False
):
    """A hyperparameter panel that moves the lines of the optimizers `only` (None: all) as it is turned.

    `standing` and `notes` are functions of the scene, which may be newer than the last whole run.
    """
    traces, rest = live_patch(
        key,
        lambda: _moved(only),
    )
    scene = session().specs["trajectories"]
    told = notes(scene) if notes else {}
    hyperparameter_panel(
        key, label, declared, standing(scene), turned, told, look, traces, rest, locked
    )


@st.fragment
def live_start():
    """Hears where a hand puts the start on the contour, and moves every line."""
    traces, rest = live_patch(
        "grab",
        _moved,
    )
    grabber("grab", _placed, traces, rest)


def _moved(only=None):
    scene, theme = session().specs["trajectories"], THEMES[theme_name()]
    drawn = figures.figures(scene, session().view, session().ids, theme, only)
    return {name: to_plotly(figure)["data"] for name, figure in drawn.items()}


def _placed(x, y):
    (x0, x1), (y0, y1) = session().specs["trajectories"].objective.f.domain
    scene_state.update_objective(start=(min(max(x, x0), x1), min(max(y, y0), y1)))
