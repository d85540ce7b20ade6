"""Several optimizers that train: adding, changing and removing them, each with its hyperparameters under its name."""

from dataclasses import replace

import streamlit as st

from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig, names
from optviz.optim.hyperparameter import hyperparameters, sentence
from optviz.plot.style import THEMES, style
from optviz.training import unsuited
from optviz.ui.components import hyperparameter_panel, theme_name
from optviz.ui.old_form import (
    TrainingControls,
    left_out,
    turned,
    usual,
)
from optviz.ui.session import session


def trainees(get, network, most: int, put, another=None, scheduled: bool = False) -> None:
    """Controls for all optimizers that `get()` gives; `put(optimizers)` is called with others.

    `another(optimizers, network)` is who comes when one is added, else the first optimizer that does not train yet.
    With `scheduled` the schedule of each is at hand under its hyperparameters, not among its settings.
    """
    configs = get()
    for i, name in enumerate(names(configs)):
        _config(i, get, name, network, put, scheduled)
    st.button(
        "Add a schedule" if scheduled else "Add an optimizer", key="add", icon=":material/add:", width="stretch",
        on_click=lambda: put((*get(), (another or _another)(get(), network))), disabled=len(configs) >= most,
    )  # fmt: skip


def _another(configs, network):
    """The first that does not train yet."""
    used = {r.method.key for r in configs}
    return OptimizerConfig(usual(next((k for k in OPTIMIZERS if k not in used and not unsuited(k, network)), "sgd")))


def _config(i, get, name, network, put, scheduled):
    _S, config = st.session_state, get()[i]
    of = f"{i}-{len(get())}"
    keys = [k for k in OPTIMIZERS if not unsuited(k, network)]

    def change(new):
        put((*get()[:i], new, *get()[i + 1 :]))

    with st.container(horizontal=True, vertical_alignment="center", key=f"head-{i}"):
        st.markdown(f"**{name}**", width="stretch")
        box = st.popover("Change", key=f"settings-{i}", on_change="rerun")
    controls = TrainingControls(f"optimizer-{of}", lambda: get()[i], change)
    if box.open:
        with box:
            controls.choice(
                "Optimizer", keys, config.method.key, lambda k: OPTIMIZERS[k].label,
                lambda k: change(OptimizerConfig(usual(k), (), {n: part for n, part in get()[i].schedules.items() if n == "lr"})),
            )  # fmt: skip
            st.caption(sentence(OPTIMIZERS[config.method.key]))
            if not scheduled:
                controls.schedule(config, change)
            st.caption(left_out(network))
            st.button(
                f"Remove {name}", key=f"remove-{i}", icon=":material/close:", width="stretch",
                on_click=lambda: put(get()[:i] + get()[i + 1 :]),
            )  # fmt: skip
    hyperparameter_panel(
        f"hyperparameters-{of}-{config.method.key}-{session().epoch}", name, hyperparameters(OPTIMIZERS[config.method.key]), config.method.values,
        lambda new: change(replace(get()[i], method=turned(get()[i].method, new))), look=style(i, THEMES[theme_name()]),
    )  # fmt: skip
    if scheduled:
        controls.schedule(config, change, f"{name}: schedule")
