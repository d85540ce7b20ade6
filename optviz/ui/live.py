"""What a fragment hands to the pictures while a hyperparameter is dragged, and the run of the whole page that follows."""

from contextlib import contextmanager

import streamlit as st


@contextmanager
def full_rerun():
    """Marks a run of the whole page, in which the pictures carry everything themselves."""
    st.session_state.whole = True
    try:
        yield
    finally:
        st.session_state.whole = False


def live_patch(key, pictures):
    """What a fragment hands over on a run of its own (`pictures()`, by name), and what it does when the hand rests."""
    S = st.session_state
    if S.pop("settled", None) == key:
        st.rerun()
    traces = None if S.whole else pictures()

    def rest():
        S.settled = key

    return traces, rest
