"""Inside a step: the equations with the numbers of the step under the scrubber, and what is held over time."""

import numpy as np
import streamlit as st

from optviz.experiments.trajectories import scene_state as state
from optviz.experiments.trajectories.spec import MAX_OPTIMIZERS, Scene
from optviz.experiments.trajectories.step_inspector import figures as views
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.equations import evaluate_equations, step_record
from optviz.plot.style import THEMES
from optviz.translation import _
from optviz.ui import cache, locks
from optviz.ui.components import show, step_shown, theme_name
from optviz.ui.session import session

MAX_FORKS = 12  # one within the other, on the way of one optimizer: what a link can still carry


def inside(scene: Scene, sealed: bool = False) -> None:
    """Which optimizer is looked into, its step, and its charts; nothing while the paths are `sealed`."""
    if sealed:
        st.markdown("First your prediction, then the inside of it.")
        return
    if not scene.optimizers:
        st.markdown("There is no optimizer to look into.")
        return
    ids = state.ids()
    names = dict(zip(ids, scene.names, strict=True))
    id = looked_into()
    st.segmented_control(
        "Look into", ids, default=id, format_func=lambda i: names.get(i, ""), key=f"inside-{session().epoch}-{len(ids)}",
        required=True, on_change=_look, args=(f"inside-{session().epoch}-{len(ids)}",),
    )  # fmt: skip
    run = cache.run(scene.objective, state.optimizer_of(id))
    shown = st.segmented_control("Show", ["This step", "Over time"], default="This step", key="inside-shown", required=True,
                                 label_visibility="collapsed")  # fmt: skip
    if shown == "This step":
        _step(id)
        return
    held = ", ".join(_(name) for name in run.optimizer.state_names.values()) or _("nothing")
    label = _("What {name} holds at every step: {held}").format(name=names[id], held=held)
    show("states", views.charts(run, THEMES[theme_name()], label=label, view=id, height=24))
    st.caption(
        "The effective rate is the step over the gradient, coordinate by coordinate: what the hyperparameters came to. It leaps "
        "where a gradient passes through zero while the path still moves."
    )


def _look(key):
    st.session_state.inside = st.session_state[key]


def looked_into() -> str | None:
    """The id of the optimizer that is looked into: the one that was chosen, or the first."""
    ids = state.ids()
    chosen = st.session_state.get("inside")
    return chosen if chosen in ids else next(iter(ids), None)


@st.fragment
def _step(id):
    """Runs again, alone, whenever another step stands under the scrubber."""
    scene = session().specs["trajectories"]
    if id not in state.ids():
        return
    config, run = state.optimizer_of(id), cache.run(scene.objective, state.optimizer_of(id))
    shown = step_shown("step-shown")
    last = len(run.gradients)
    t = last if shown is None else min(shown, last)
    update = min(t, last - 1)
    if st.button(
        f"Fork at step {t}", icon=":material/call_split:", key="fork", on_click=fork, args=(id, t),
        disabled=len(scene.optimizers) >= MAX_OPTIMIZERS or t >= last or len(config.segments()) > MAX_FORKS or not locks.free("optimizers"),
        help="Adds a branch that goes its own way from here: then change its hyperparameters, or its optimizer, under its name. "
        "Not at the last step, after which nothing comes.",
    ):  # fmt: skip
        st.rerun()
    if not _known(run, update):
        st.markdown(f"The path of {config.name} has ended before step {update + 1}.")
        return
    record = step_record(
        run.function,
        run.optimizer_at(update),
        update + 1,
        run.points[update],
        run.held[update],
        run.gradients[update],
    )
    leaves = (
        "" if np.isfinite(run.points[update + 1]).all() else ": here it leaves the finite numbers"
    )
    st.markdown(
        f"**From step {update} to step {update + 1}**{leaves or (' (the last there is)' if t >= last else '')}"
    )
    for line in evaluate_equations(record):
        st.markdown(_shown(line))
    st.caption(
        "On the contour: dotted **−∇f** and dashed velocity or mean gradient, which make up the solid **step**. "
        "Gradients have a scale of their own; velocities and steps are as long as they are, and not drawn where that is "
        "less than two pixels."
    )


def _known(run, update):
    return run.diverged_at < 0 or update < run.diverged_at


def _shown(line):
    parts = [line.symbols]
    if line.filled:
        parts.append(f"= {line.filled}")
    if line.result and line.result != line.filled:
        parts.append(f"= {line.result}")
    return "$$\n\\begin{aligned} & " + r" \\ & \quad ".join(parts) + "\n\\end{aligned}\n$$"


def fork(id: str, step: int) -> None:
    """Add a branch of an optimizer at a step, beside it."""
    S = st.session_state
    at = session().ids.index(id)
    parent = session().specs["trajectories"].optimizers[at]
    branch = OptimizerConfig(
        parent.method, parent.wrappers, parent.schedules, Fork(_alone(parent), step)
    )
    state.update(optimizers=(*session().specs["trajectories"].optimizers, branch))
    new = f"r{session().next_id()}"
    session().ids = [*session().ids, new]
    S.inside = new


def _alone(config):
    return OptimizerConfig(config.method, config.wrappers, config.schedules, config.fork)
