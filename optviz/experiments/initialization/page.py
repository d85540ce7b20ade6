"""The initialization page: one network, one optimizer, several ways to begin."""

from dataclasses import replace

import streamlit as st

from optviz.experiments import training_charts as charts
from optviz.experiments import training_layers
from optviz.experiments.initialization import figures, text
from optviz.experiments.initialization.spec import MAX_INITIALIZERS, SYMMETRY, Initialization, names
from optviz.experiments.page import Option, Page, Preset, Section, Tab, View
from optviz.nn import INITIALIZERS
from optviz.optim.hyperparameter import hyperparameters
from optviz.plot import THEMES, style
from optviz.spec import Choice
from optviz.translation import N_, _
from optviz.ui.components import theme_name
from optviz.ui.form import Form, choice_panel
from optviz.ui.training.form import ACTIVATION, NUMBERS, Data, Numbers, OptimizerForm


def initializers(form: Form) -> None:
    """The menu of initializers to compare, and the sliders of those that have hyperparameters."""
    field = form.at("initializers")
    key = field.key("menu")

    def choose():
        keys = st.session_state[key]
        remaining = [choice for choice in field.value if choice.key in keys]
        added = [Choice(k) for k in keys if k not in {choice.key for choice in remaining}]
        field.set((*remaining, *added)[:MAX_INITIALIZERS])

    st.multiselect(
        _("Initial weights"),
        list(INITIALIZERS),
        list(dict.fromkeys(choice.key for choice in field.value)),
        lambda k: INITIALIZERS[k].label,
        key=key,
        max_selections=MAX_INITIALIZERS,
        on_change=choose,
    )
    for i, (choice, name) in enumerate(zip(field.value, names(field.value), strict=True)):
        if hyperparameters(INITIALIZERS[choice.key]):
            st.markdown(f"**{name}**")
            form_at = replace(field.at(i), name=f"{field.name}-{i}-of-{len(field.value)}")
            choice_panel(form_at, INITIALIZERS, name, style=style(i, THEMES[theme_name()]))


def iterations(context) -> dict[int, str]:
    """The iterations with snapshots, and the last one."""
    training = context.states[0].training
    stops = {*range(0, training.iterations, training.snapshot_every), training.iterations}
    return {t: f"{t}" for t in sorted(stops)}


def matrix_names(context) -> dict[int, str]:
    """The weight matrices with their shapes."""
    sizes = context.spec.network.sizes
    return {k: f"W{k + 1} ({sizes[k]} × {sizes[k + 1]})" for k in range(len(sizes) - 1)}


NETWORK = replace(training_layers.NETWORK, label=_("Look into"))
ITERATION = Option(
    "iteration",
    _("Iteration (as far as the training has come)"),
    lambda context: context.spec.iterations,
    iterations,
    slider=True,
)
MATRIX = Option("matrix", _("Weight matrix"), 0, matrix_names, show_label=True)
CURVES = charts.section(_("How every initializer stands"))
SYMMETRY_TAB = _("Symmetry")


def tab(label: str, part, caption, *options) -> Tab:
    """The curves, and below them what a network is like at an iteration."""
    inspected = Section([text.inspected_network, part, caption], [ITERATION, NETWORK, *options])
    return Tab(label, [CURVES, inspected])


PAGE = Page(
    "initialization",
    N_("Initialization"),
    "start",
    N_("Where should training begin?"),
    "Networks",
    Initialization(),
    {
        "": View(
            form=[initializers, Data(), ACTIVATION, Numbers(*NUMBERS), OptimizerForm()],
            jobs=charts.jobs,
            tabs=[
                tab(_("Layers at an iteration"), figures.layers, text.about_gradients),
                tab(SYMMETRY_TAB, figures.symmetry, text.about_units, MATRIX),
                training_layers.TAB,
            ],
            notes=[text.notes],
            downloads=[charts.download("initializer")],
            empty=N_("No initializer yet: choose one on the left."),
        )
    },
    presets=[
        Preset(
            _("Show the symmetry"),
            SYMMETRY,
            _("Zeros and one constant against random numbers, on a small network with sigmoid."),
            tab=SYMMETRY_TAB,
            run=True,
        )
    ],
    lines=lambda spec, states, theme: charts.lines_of(names(spec.initializers), states, theme),
    thumbnail=charts.thumbnail,
)
