"""The trajectories page: controls into a scene, the scene into runs, the runs into pictures and text."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.trajectories import figures as pictures
from optviz.experiments.trajectories import predict
from optviz.experiments.trajectories import scene_state as state
from optviz.experiments.trajectories.live import live_start
from optviz.experiments.trajectories.objective_form import function_controls, run_controls
from optviz.experiments.trajectories.optimizer_forms import optimizer_controls
from optviz.experiments.trajectories.results import results, sections
from optviz.experiments.trajectories.step_inspector import inside, looked_into
from optviz.experiments.trajectories.toolbar import head
from optviz.shell import lesson_card as lessons
from optviz.shell import opening, sharing
from optviz.ui import locks
from optviz.ui.components import player
from optviz.ui.live import full_rerun
from optviz.ui.session import session

INSIDE = "Inside a step"


def page() -> None:
    """Draw the page: the pictures first, so that they are on their way while the rest is made."""
    opening.opened()
    scene, view = state.current(), session().view
    if predict.current():
        view = replace(view, solid=False)  # a guess is a click on the contour
    with full_rerun():
        top = st.container()
        with st.container(key="stage"):
            stage, panel, under = st.columns(3)
        with stage:
            _stage(scene, view)
        with panel:
            _controls(scene)
        with top:
            opening.complaint()
            head(scene, view)
        with under:
            if not locks.hidden("results"):
                results(scene, sealed=_sealed())
                sections(scene)


def _sealed():
    round = predict.current()
    return bool(round and round.sealed)


def _stage(scene, view):
    S, ids, round, sealed = st.session_state, state.ids(), predict.current(), _sealed()
    lessons.card()
    beside = {"Curves": None, INSIDE: None}
    left, right = st.columns([11, 9], gap="small")
    with left:
        free = not (locks.locked("run") or locks.hidden("run"))
        where = sealed and round.question == predict.WHERE
        pictures.landscape(
            scene, view, ids, looked_into() if S.get("beside") == INSIDE and not sealed else None,
            "guess" if where else "start" if free else None, sealed, round and round.point, predict.guessed, sharing.query(),
        )  # fmt: skip
    with right:
        curves, within = st.tabs(list(beside), key="beside", on_change="rerun")
        if curves.open:
            with curves:
                pictures.losses(scene, view, ids, sealed)
        if within.open:
            with within, st.container(key="inside"):
                inside(scene, sealed)
    live_start()
    awaited = round.revealed if round else ""
    player(scene.objective.steps, f"{session().epoch}", awaited, awaited, predict.over)
    predict.bar(scene)


def _controls(scene):
    if not locks.hidden("function"):
        function_controls(scene.objective, locks.locked("function"))
    if not locks.hidden("run"):
        run_box = st.expander("Start, steps, noise", key="run", on_change="rerun")
        if run_box.open:
            with run_box:
                run_controls(scene, locks.locked("run"))
    optimizer_controls(scene)
