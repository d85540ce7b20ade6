"""Several optimizers that train: adding, changing and removing them, each with its hyperparameters under its name."""

from dataclasses import replace

import streamlit as st

from optviz.optim import OPTIMIZERS
from optviz.optim.config import Racer, names
from optviz.optim.hyperparameter import hyperparameters, sentence
from optviz.plot.style import THEMES, style
from optviz.training import unsuited
from optviz.ui.components import hyperparameter_panel, theme_name
from optviz.ui.form import (
    TrainingControls,
    left_out,
    turned,
    usual,
)


def trainees(get, network, most: int, put, another=None, scheduled: bool = False) -> None:
    """Controls for all racers that `get()` gives; `put(racers)` is called with others.

    `another(racers, network)` is who comes when one is added, else the first optimizer that does not train yet.
    With `scheduled` the schedule of each is at hand under its hyperparameters, not among its settings.
    """
    racers = get()
    for i, name in enumerate(names(racers)):
        _racer(i, get, name, network, put, scheduled)
    st.button(
        "Add a schedule" if scheduled else "Add an optimizer", key="add", icon=":material/add:", width="stretch",
        on_click=lambda: put((*get(), (another or _another)(get(), network))), disabled=len(racers) >= most,
    )  # fmt: skip


def _another(racers, network):
    """The first that does not train yet."""
    used = {r.optimizer.key for r in racers}
    return Racer(usual(next((k for k in OPTIMIZERS if k not in used and not unsuited(k, network)), "sgd")))


def _racer(i, get, name, network, put, scheduled):
    S, racer = st.session_state, get()[i]
    of = f"{i}-{len(get())}"
    keys = [k for k in OPTIMIZERS if not unsuited(k, network)]

    def change(new):
        put((*get()[:i], new, *get()[i + 1 :]))

    with st.container(horizontal=True, vertical_alignment="center", key=f"head-{i}"):
        st.markdown(f"**{name}**", width="stretch")
        box = st.popover("Change", key=f"settings-{i}", on_change="rerun")
    controls = TrainingControls(f"racer-{of}", lambda: get()[i], change)
    if box.open:
        with box:
            controls.choice(
                "Optimizer", keys, racer.optimizer.key, lambda k: OPTIMIZERS[k].label,
                lambda k: change(Racer(usual(k), (), {n: part for n, part in get()[i].schedules.items() if n == "lr"})),
            )  # fmt: skip
            st.caption(sentence(OPTIMIZERS[racer.optimizer.key]))
            if not scheduled:
                controls.schedule(racer, change)
            st.caption(left_out(network))
            st.button(
                f"Remove {name}", key=f"remove-{i}", icon=":material/close:", width="stretch",
                on_click=lambda: put(get()[:i] + get()[i + 1 :]),
            )  # fmt: skip
    hyperparameter_panel(
        f"hyperparameters-{of}-{racer.optimizer.key}-{S.generation}", name, hyperparameters(OPTIMIZERS[racer.optimizer.key]), racer.optimizer.values,
        lambda new: change(replace(get()[i], optimizer=turned(get()[i].optimizer, new))), look=style(i, THEMES[theme_name()]),
    )  # fmt: skip
    if scheduled:
        controls.schedule(racer, change, f"{name}: schedule")
