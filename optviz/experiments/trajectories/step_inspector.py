"""Inside a step: the equations with the numbers of the player's step, and the optimizer's state
over time."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.figures.optimizer_state import charts
from optviz.experiments.trajectories.spec import MAX_OPTIMIZERS
from optviz.experiments.trajectories.state import optimizer_form, paths_hidden, state
from optviz.optim.base import chain
from optviz.optim.config import MAX_FORKS, Fork
from optviz.optim.equations import evaluate_equations, step_record
from optviz.plot import THEMES, number
from optviz.translation import _
from optviz.ui import locks
from optviz.ui.components import show, theme_name
from optviz.ui.controls import switch
from optviz.ui.form import Form, select
from optviz.ui.live import current_step


def inspected_id() -> str | None:
    """The id of the inspected optimizer: the chosen one, or the first."""
    page = state()
    return page.inspected if page.inspected in page.ids else next(iter(page.ids), None)


def step_inspector(form: Form) -> None:
    """The inspected optimizer's step and charts; nothing while the paths are hidden."""
    scene, key = form.value, inspected_id()
    if paths_hidden():
        st.markdown(_("Make your prediction first; then you can look inside."))
        return
    ids = state().ids
    names = dict(zip(ids, scene.names, strict=True))
    set_inspected = partial(setattr, state(), "inspected")
    menu = Form(f"{form.name}-inside-{len(ids)}", inspected_id, set_inspected)
    select(menu, _("Look into"), names, segments=True, hidden=True)
    labels = {"step": _("This step"), "time": _("Over time")}
    if switch(_("Show"), labels, "inside-shown") == "step":
        _step(form, key)
    else:
        _over_time(scene, optimizer_form(form, key).value, names[key], key)


def _over_time(scene, config, name, key):
    run = runs.path(scene.objective, config)
    stored = ", ".join(map(_, run.optimizer.state_names.values())) or _("nothing")
    label = _("What {name} stores at every step: {held}").format(name=name, held=stored)
    figure = charts(run, THEMES[theme_name()], label=label, view=key, height=24)
    show("states", figure)
    st.caption(
        _(
            "The effective rate is the step divided by the gradient, coordinate by coordinate: "
            "the combined effect of the hyperparameters. It jumps where a gradient passes through "
            "zero while the path is still moving."
        )
    )


@st.fragment
def _step(form, key):
    """A fragment that runs again whenever the player's step changes."""
    if key not in state().ids:
        return
    scene, config = form.value, optimizer_form(form, key).value
    run, shown_step = runs.path(scene.objective, config), current_step("step-shown")
    last = len(run.gradients)
    t = last if shown_step is None else min(shown_step, last)
    update = min(t, last - 1)
    can_fork = t < last and len(config.segments()) <= MAX_FORKS
    if 0 <= run.diverged_at <= update:
        message = _("The path of {name} ended before step {step}.")
        st.markdown(message.format(name=config.name, step=update + 1))
        _fork_button(form, key, t, can_fork)
        return
    before_step = (run.points[update], run.state_dicts[update], run.gradients[update])
    record = step_record(run.function, run.optimizer_at(update), update + 1, *before_step)
    st.markdown(_heading(run, update, t >= last))
    for line in evaluate_equations(record):
        st.markdown(_displayed(line))
    if spectrum := _spectrum(record):
        st.markdown(spectrum)
    if scene.objective.f.univariate:
        return
    st.caption(
        _(
            "On the contour plot, the dotted **−∇f** and the dashed velocity or mean gradient "
            "combine into the solid **step**. Gradients have their own scale; velocities and "
            "steps are drawn to scale, unless they are shorter than two pixels."
        )
    )
    _fork_button(form, key, t, can_fork)


def _spectrum(record):
    """The singular values in a matrix method, before and after its step; empty for others."""
    opt = list(chain(record.optimizer))[-1]
    if not hasattr(opt, "spectrum"):
        return ""
    spectra = opt.spectrum(record.state, record.state_next)
    before, after = (", ".join(number(v, 4) for v in np.atleast_1d(values)) for values in spectra)
    if opt.layered:
        message = _(
            "A point is a single column with one singular value: for g + μB it is **{before}**; "
            "after the five Newton-Schulz steps and the factor √2 it is **{after}**."
        )
    else:
        message = _(
            "Singular values of L, which here are its eigenvalues: **{before}** before the step, "
            "**{after}** after it."
        )
    return message.format(before=before, after=after)


def _fork_button(form, key, t, can_fork):
    full = len(form.value.optimizers) >= MAX_OPTIMIZERS
    if st.button(
        _("Fork at step {step}").format(step=t),
        icon=":material/call_split:",
        key="fork",
        on_click=fork,
        args=(form, key, t),
        disabled=full or not can_fork or not locks.is_editable("optimizers"),
        help=_(
            "Adds a branch that starts from here; then change its hyperparameters or its "
            "optimizer under its name. Not available at the last step."
        ),
    ):
        st.rerun()


def _heading(run, update, is_last):
    if not np.isfinite(run.points[update + 1]).all():
        message = _("**From step {n} to step {next}**: the result is no longer finite")
    elif is_last:
        message = _("**From step {n} to step {next}** (last step)")
    else:
        message = _("**From step {n} to step {next}**")
    return message.format(n=update, next=update + 1)


def _displayed(line):
    sides = dict.fromkeys(filter(None, (line.numbers, line.result)))
    parts = [line.symbols, *(f"= {side}" for side in sides)]
    # one formula each, so that the lines can break between them
    return " ".join(rf"$\displaystyle {part}$" for part in parts)


def fork(form: Form, key: str, step: int) -> None:
    """Add a branch of an optimizer at a step, beside it."""
    parent = optimizer_form(form, key).value.alone
    place = form.at("optimizers")
    place.set((*place.value, replace(parent, fork=Fork(parent, step))))
    state().inspected = state().ids[-1]
