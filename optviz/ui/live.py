"""Knob panels that move the lines in the pictures while they are dragged.

Only the panel itself runs again then (a fragment): it hands the changed lines to the pictures in the
browser. When the hand rests the whole page follows: table, names, axes, text.
"""

from contextlib import contextmanager

import streamlit as st

from optviz.ui import pictures
from optviz.ui.components import knob_panel


@contextmanager
def whole_run():
    """Marks a run of the whole page, in which the pictures carry everything themselves."""
    st.session_state.whole = True
    try:
        yield
    finally:
        st.session_state.whole = False


@st.fragment
def live_panel(key, label, declared, standing, turned, notes=None, look=None, only=None):
    """A knob panel that moves the lines of the racers `only` (None: all) as it is turned.

    `standing` and `notes` are functions of the scene, which may be newer than the last whole run.
    """
    S = st.session_state
    if S.pop("resting", None) == key:
        st.rerun()
    scene = S.scene
    traces = None if S.whole else pictures.live(scene, S.view, S.ids, set(S.ids) if only is None else only)
    told = notes(scene) if notes else {}

    def rest():
        S.resting = key

    knob_panel(key, label, declared, standing(scene), turned, told, look, traces, rest)
