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
from optviz.experiments.trajectories.step_inspector.figures import arrows
from optviz.experiments.trajectories.toolbar import head
from optviz.plot import THEMES
from optviz.plot.contour import guess_mark
from optviz.shell import lesson_card as lessons
from optviz.shell import opening, sharing
from optviz.translation import _
from optviz.ui import cache, locks
from optviz.ui.components import address, player, show, theme_name
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
    address(sharing.query())


def _sealed():
    round = predict.current()
    return bool(round and round.sealed)


def _stage(scene, view):
    S, ids, round, sealed = st.session_state, state.ids(), predict.current(), _sealed()
    lessons.card()
    beside = {"Curves": None, INSIDE: None}
    left, right = st.columns([11, 9], gap="small")
    theme = THEMES[theme_name()]
    drawn = pictures.figures(scene, view, ids, theme)
    with left:
        free = not (locks.locked("run") or locks.hidden("run"))
        where = sealed and round.question == predict.WHERE
        inspected = looked_into() if S.get("beside") == INSIDE and not sealed else None
        first = drawn["solid" if view.solid else "contour"]
        if round and round.point and not view.solid:
            first = first.add(guess_mark(round.point, _("your guess"), theme))
        more = {"sealed": sealed}
        if not view.solid:
            (x0, x1), (y0, y1) = scene.objective.f.domain
            grab = {"start": scene.objective.start, "frame": {"x": (x0, x1), "y": (y0, y1)}}
            clicks = "guess" if where else "start" if free else None
            more |= {"clicks": clicks, "guessed": predict.guessed}
            more |= {"grab": grab if clicks == "start" else None, "arrows": None}
            if inspected:
                config = scene.optimizers[ids.index(inspected)]
                more["arrows"] = arrows(cache.run(scene.objective, config), theme)
        show("solid" if view.solid else "contour", first, **more)
    with right:
        curves, within = st.tabs(list(beside), key="beside", on_change="rerun")
        if curves.open:
            with curves:
                show("curves", drawn["curves"], sealed=sealed)
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
