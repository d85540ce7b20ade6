"""Several optimizers that train: adding, changing and removing them, each with its knobs under its name."""

from dataclasses import replace

import streamlit as st

from optviz.core.experiments.trajectories import Problem, Racer, Scene
from optviz.core.knobs import knobs, sentence
from optviz.core.optimizers import OPTIMIZERS
from optviz.core.training import unsuited
from optviz.ui.components import knob_panel
from optviz.ui.controls import TrainingControls, left_out, turned, usual
from optviz.ui.pictures import theme_name
from optviz.views.style import THEMES, style


def trainees(get, network, most: int, put) -> None:
    """Controls for all racers that `get()` gives; `put(racers)` is called with others."""
    racers = get()
    for i, name in enumerate(Scene(Problem(), racers).names):
        _racer(i, get, name, network, put)
    st.button(
        "Add an optimizer", key="add", icon=":material/add:", width="stretch", on_click=lambda: put((*get(), _another(get(), network))),
        disabled=len(racers) >= most,
    )  # fmt: skip


def _another(racers, network):
    """The first that does not train yet."""
    used = {r.optimizer.key for r in racers}
    return Racer(usual(next((k for k in OPTIMIZERS if k not in used and not unsuited(k, network)), "sgd")))


def _racer(i, get, name, network, put):
    S, racer = st.session_state, get()[i]
    of = f"{i}-{len(get())}"
    keys = [k for k in OPTIMIZERS if not unsuited(k, network)]

    def change(new):
        put((*get()[:i], new, *get()[i + 1 :]))

    with st.container(horizontal=True, vertical_alignment="center", key=f"head-{i}"):
        st.markdown(f"**{name}**", width="stretch")
        box = st.popover("Change", key=f"settings-{i}", on_change="rerun")
    if box.open:
        controls = TrainingControls(f"racer-{of}", lambda: get()[i], change)
        with box:
            controls.choice(
                "Optimizer", keys, racer.optimizer.key, lambda k: OPTIMIZERS[k].label, lambda k: change(Racer(usual(k)))
            )  # fmt: skip
            st.caption(sentence(OPTIMIZERS[racer.optimizer.key]))
            controls.schedule(racer, change)
            st.caption(left_out(network))
            st.button(
                f"Remove {name}", key=f"remove-{i}", icon=":material/close:", width="stretch",
                on_click=lambda: put(get()[:i] + get()[i + 1 :]),
            )  # fmt: skip
    knob_panel(
        f"knobs-{of}-{racer.optimizer.key}-{S.generation}", name, knobs(OPTIMIZERS[racer.optimizer.key]), racer.optimizer.knobs,
        lambda new: change(replace(get()[i], optimizer=turned(get()[i].optimizer, new))), look=style(i, THEMES[theme_name()]),
    )  # fmt: skip
