"""The scene is the state of the page: a control shows a part of it, and its callback puts a new one in place.

Streamlit runs callbacks before the script, so the page can draw its pictures first, from the scene, and
the controls after them.
"""

from dataclasses import replace
from itertools import count

import streamlit as st

from optviz.experiments.trajectories.spec import BOOK, Scene
from optviz.optim.config import OptimizerConfig


def current() -> Scene:
    """The scene of this session; the book's at first."""
    if "scene" not in st.session_state:
        st.session_state.new_id = count(1)
        show(BOOK)
    return st.session_state.scene


def ids() -> list[str]:
    """A name for each optimizer that stays its own while others come and go."""
    return st.session_state.ids


def show(scene: Scene) -> None:
    """Put another scene in place; every control begins afresh from it."""
    S = st.session_state
    S.scene = scene
    S.complaint = ""
    S.epoch = next(S.new_id)
    S.ids = [f"r{next(S.new_id)}" for _ in scene.optimizers]


def update(**parts) -> None:
    """Replace parts of the scene."""
    st.session_state.scene = replace(st.session_state.scene, **parts)


def update_objective(**parts) -> None:
    """Replace parts of its objective."""
    update(objective=replace(st.session_state.scene.objective, **parts))


def update_optimizer(id: str, **parts) -> None:
    """Replace parts of one optimizer."""
    S = st.session_state
    at = S.ids.index(id)
    configs = S.scene.optimizers
    update(optimizers=(*configs[:at], replace(configs[at], **parts), *configs[at + 1 :]))


def optimizer_of(id: str) -> OptimizerConfig:
    """The optimizer with this name."""
    S = st.session_state
    return S.scene.optimizers[S.ids.index(id)]
