"""The controls of who runs: every optimizer's optimizer, hyperparameters, wrappers and schedule."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.trajectories import figures as pictures
from optviz.experiments.trajectories import scene_state as state
from optviz.experiments.trajectories.live import live_panel
from optviz.experiments.trajectories.spec import (
    BOOK,
    MAX_OPTIMIZERS,
    Choice,
    Scene,
)
from optviz.optim import OPTIMIZERS, WRAPPERS, theory
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters, sentence
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.schedules import SCHEDULES
from optviz.plot import THEMES
from optviz.plot.style import number
from optviz.ui import cache, locks
from optviz.ui.components import theme_name
from optviz.ui.session import session

INNERMAX_FIRST = ("clipped", "lookahead", "averaged")


def optimizer_controls(scene: Scene) -> None:
    """Every optimizer: its name, its settings behind a button, its hyperparameters. Then one to add, one to begin again."""
    change, knobs_shown = not locks.hidden("optimizers"), not locks.hidden("hyperparameters")
    for id, config, name, look in zip(
        state.ids(),
        scene.optimizers,
        scene.names,
        pictures.looks(scene, THEMES[theme_name()]),
        strict=True,
    ):
        cls = OPTIMIZERS[config.method.key]
        with st.container(horizontal=True, vertical_alignment="center", key=f"head-{id}"):
            st.markdown(f"**{name}**", width="stretch")
            # its label stays the same: Streamlit closes a popover whose label changes
            settings = change and st.popover(
                "Change",
                key=f"settings-{id}",
                on_change="rerun",
                disabled=locks.locked("optimizers"),
            )
        if settings and settings.open:
            with settings:
                _optimizer_settings(id, config, name, scene.objective.steps)
        if knobs_shown:
            live_panel(
                f"hyperparameters-{id}-{cls.key}", name, hyperparameters(cls), _optimizer_values(id), _turned(id), _warnings(id), look, {id},
                locks.locked("hyperparameters"),
            )  # fmt: skip
    if not change or locks.locked("optimizers"):
        return
    full = len(scene.optimizers) >= MAX_OPTIMIZERS
    st.button(
        "Add an optimizer",
        on_click=_add,
        disabled=full,
        icon=":material/add:",
        key="add",
        width="stretch",
    )
    st.button(
        "Begin again with the book's figure 6.8",
        on_click=state.show,
        args=(BOOK,),
        key="book",
        width="stretch",
    )


def _optimizer_values(id):
    return lambda scene: state.optimizer_of(id).method.values


def _turned(id):
    def turn(new):
        part = state.optimizer_of(id).method
        state.update_optimizer(id, method=replace(part, values=part.values | new))

    return turn


def _add():
    used = [r.method.key for r in session().specs["trajectories"].optimizers]
    key = next((k for k in OPTIMIZERS if k not in used), "sgd")
    state.update(
        optimizers=(*session().specs["trajectories"].optimizers, OptimizerConfig(Choice(key)))
    )
    session().ids = [*session().ids, f"r{session().next_id()}"]


def _remove(id):
    at = session().ids.index(id)
    state.update(
        optimizers=session().specs["trajectories"].optimizers[:at]
        + session().specs["trajectories"].optimizers[at + 1 :]
    )
    session().ids = session().ids[:at] + session().ids[at + 1 :]


def _optimizer_settings(id, config, name, steps):
    S = st.session_state
    keys, chosen, cls = list(OPTIMIZERS), f"optimizer-{id}", OPTIMIZERS[config.method.key]
    st.selectbox(
        "Optimizer", keys, keys.index(config.method.key), lambda k: OPTIMIZERS[k].label, key=chosen,
        on_change=lambda: state.update_optimizer(id, method=Choice(S[chosen]), schedules={}),
    )  # fmt: skip
    st.markdown(sentence(cls))
    st.caption(cls.cite)
    _wrapper_controls(id, config)
    _schedule_controls(id, config, cls, steps)
    _start_controls(id, config)
    st.button(
        f"Remove {name}",
        on_click=_remove,
        args=(id,),
        key=f"remove-{id}",
        icon=":material/close:",
        width="stretch",
    )


def _wrapper_controls(id, config):
    S = st.session_state
    key = f"wrappers-{id}"
    st.pills(
        "Wrapped in", INNERMAX_FIRST, default=[w.key for w in config.wrappers], selection_mode="multi", key=key,
        format_func=lambda k: WRAPPERS[k].label, on_change=lambda: _wrap(id, S[key]),
    )  # fmt: skip
    for part in config.wrappers:
        cls = WRAPPERS[part.key]
        st.caption(sentence(cls))
        live_panel(
            f"{id}-{part.key}",
            cls.label,
            hyperparameters(cls),
            _wrapper_values(id, part.key),
            _wrapper_turned(id, part.key),
            only={id},
        )


def _wrap(id, chosen):
    before = {w.key: w for w in state.optimizer_of(id).wrappers}
    state.update_optimizer(
        id, wrappers=tuple(before.get(k, Choice(k)) for k in INNERMAX_FIRST if k in chosen)
    )


def _wrapper_values(id, key):
    return lambda scene: next(
        (w.values for w in state.optimizer_of(id).wrappers if w.key == key), {}
    )


def _wrapper_turned(id, key):
    def turn(new):
        parts = state.optimizer_of(id).wrappers
        state.update_optimizer(
            id,
            wrappers=tuple(replace(w, values=w.values | new) if w.key == key else w for w in parts),
        )

    return turn


def _schedule_controls(id, config, cls, steps):
    S = st.session_state
    names = [k.name for k in hyperparameters(cls) if k.kind is float]
    scheduled, part = next(iter(config.schedules.items()), (names[0], Choice("constant")))
    which, of = f"schedule-{id}", f"scheduled-{id}-{cls.key}"

    def choose():
        key, hyperparameter = S[which], S.get(of, scheduled)
        same = key == part.key
        fresh = {"steps": steps} if key in ("linear", "cosine", "growth") else {}
        state.update_optimizer(
            id,
            schedules={}
            if key == "constant"
            else {hyperparameter: Choice(key, part.values if same else fresh)},
        )

    st.selectbox(
        "Schedule",
        list(SCHEDULES),
        list(SCHEDULES).index(part.key),
        lambda k: k.replace("_", " "),
        key=which,
        on_change=choose,
    )
    if part.key == "constant":
        return
    st.caption(sentence(SCHEDULES[part.key]))
    st.selectbox("of the hyperparameter", names, names.index(scheduled), key=of, on_change=choose)

    live_panel(
        f"{id}-{part.key}-hyperparameters",
        "Schedule",
        hyperparameters(SCHEDULES[part.key]),
        _schedule_values(id),
        _schedule_turned(id),
        only={id},
    )


def _schedule_values(id):
    return lambda scene: next(
        (part.values for part in state.optimizer_of(id).schedules.values()), {}
    )


def _schedule_turned(id):
    def turn(new):
        state.update_optimizer(
            id,
            schedules={
                k: replace(p, values=p.values | new)
                for k, p in state.optimizer_of(id).schedules.items()
            },
        )

    return turn


ONE = "one"


def _start_controls(id, config):
    S = st.session_state
    which, key = f"starts-{id}", config.initial_points.key if config.initial_points else ONE
    st.segmented_control(
        "Initial points", [ONE, *INITIAL_POINTS], default=key, key=which, required=True,
        on_change=lambda: state.update_optimizer(id, initial_points=None if S[which] == ONE else Choice(S[which])),
        help="More paths of this optimizer, from a ring around the start or from a grid over the picture.",
    )  # fmt: skip
    if config.initial_points:
        cls = INITIAL_POINTS[key]
        st.caption(sentence(cls))
        live_panel(
            f"{id}-{key}-starts",
            "Initial points",
            hyperparameters(cls),
            _start_values(id),
            _start_turned(id),
            only={id},
        )


def _start_values(id):
    return lambda scene: (
        initial_points.values if (initial_points := state.optimizer_of(id).initial_points) else {}
    )


def _start_turned(id):
    def turn(new):
        initial_points = state.optimizer_of(id).initial_points
        state.update_optimizer(
            id, initial_points=replace(initial_points, values=initial_points.values | new)
        )

    return turn


def _warnings(id):
    """What theory says against a hyperparameter: a rate beyond the limit of every known minimum."""

    def notes(scene):
        config = state.optimizer_of(id)
        limits = theory.limits(config.build(), cache.curvatures(scene.objective))
        if (
            not limits
            or "lr" in config.schedules
            or config.method.build(OPTIMIZERS).lr <= max(limits)
        ):
            return {}
        return {
            "lr": f"beyond {number(max(limits))}, the largest stable rate here: it cannot settle at a minimum"
        }

    return notes
