"""The page: one network on few examples, and how regularizers change the gap."""

import re
from dataclasses import replace

import streamlit as st

from optviz.experiments import training_charts as charts
from optviz.experiments import training_layers
from optviz.experiments.page import Page, Preset, Tab, View
from optviz.experiments.regularization import capacity, figures, run, spec, text, thinned
from optviz.experiments.regularization.explained import notes
from optviz.experiments.regularization.spec import MAX_REGULARIZERS, PARTS
from optviz.optim import OPTIMIZERS
from optviz.optim.hyperparameter import sentence
from optviz.plot import THEMES, style
from optviz.spec import canonical_json, to_dict
from optviz.translation import N_, _
from optviz.ui.cache import cached
from optviz.ui.components import theme_name
from optviz.ui.controls import ListOf
from optviz.ui.form import Form, choice_panel, draw_panel, select
from optviz.ui.training.form import ACTIVATION, INITIALIZER, Data, Numbers, OptimizerForm
from optviz.ui.training.optimizer_menu import for_network, optimizer_labels

PART_NAMES = {
    "l2": N_("weight decay"),
    "l1": N_("L1"),
    "dropout": N_("dropout"),
    "normalize": N_("batch normalization"),
}


# A regularizer's controls.


def sliders(form: Form, i: int, name: str) -> None:
    """The sliders of a regularizer's parts, and those of its own optimizer."""
    parts = [part for part in PARTS if getattr(form.value, part)]
    draw_panel(
        form.key(f"parts-{'-'.join(parts)}"),
        name,
        tuple(PARTS[part] for part in parts),
        lambda: {part: getattr(form.value, part) for part in parts},
        lambda new: form.set(replace(form.value, **new)),
        style=style(i, THEMES[theme_name()]),
    )
    if form.value.optimizer:
        title = _("{name}: optimizer").format(name=name)
        choice_panel(form.at("optimizer"), OPTIMIZERS, title)


def composition(form: Form) -> None:
    """The parts of a regularizer, and the optimizer that trains with it."""
    key = form.key("composition")

    def compose():
        chosen, regularizer = st.session_state[key], form.value
        parts = {
            name: (getattr(regularizer, name) or part.default) if name in chosen else 0.0
            for name, part in PARTS.items()
        }
        form.set(replace(regularizer, normalize="normalize" in chosen, **parts))

    st.pills(
        _("Consists of"),
        list(PART_NAMES),
        selection_mode="multi",
        default=[part for part in PART_NAMES if getattr(form.value, part)],
        format_func=lambda part: _(PART_NAMES[part]),
        key=key,
        on_change=compose,
    )
    place = form.at("optimizer")
    current = place.value.key if place.value else ""
    labels = {"": _("the shared optimizer")}
    labels |= optimizer_labels(form.read().network)

    def train_with(chosen):
        place.set(for_network(chosen) if chosen else None)

    select(place, _("Trained by"), labels, train_with, current)
    if current:
        st.caption(sentence(OPTIMIZERS[current]))


def short_name(name: str) -> str:
    """A name on one line: the sliders below it have the numbers of a long one."""
    return name if len(name) <= figures.LONG else re.sub(r" \d[\d.e-]*", "", name)


FORM = (
    ListOf(
        "regularizers",
        names=lambda value: text.names(value.regularizers),
        item=sliders,
        settings=composition,
        new=spec.another,
        add=_("Add a regularizer"),
        most=MAX_REGULARIZERS,
        heading=short_name,
    ),
    Data(),
    Numbers("split.rows", "split.noise", "seeds", title=_("Data and seeds")),
    Numbers("hidden", "units", "batch", "iterations"),
    ACTIVATION,
    INITIALIZER,
    OptimizerForm(),
)


# What is shown.


@charts.paced
def weights(context) -> list:
    """The weights of all in a histogram, in numbers and in words."""
    lines = context.lines
    all_weights = [run.weights(state.training, state.params[0]) for state in context.states]
    key = canonical_json(to_dict([context.spec.network, context.spec.seeds]))
    start = _initial_weights(key, context.states[0].training)
    summaries = [run.summarize(w) for w in all_weights]
    return [
        figures.histograms(lines, all_weights, start, context.theme),
        text.weight_table(context, summaries, run.summarize(start)),
        text.weight_remarks(lines, summaries),
        text.about_weights(),
    ]


@cached
def _initial_weights(key, _training):
    return run.weights(_training, _training.start()[0])


def view(key: str, tabs, column: str) -> View:
    """A view with these results; `column` is the heading over the names in its file."""
    return View(
        label=spec.VIEWS[key],
        form=FORM,
        jobs=charts.jobs,
        group="",
        tabs=tabs,
        notes=[notes],
        downloads=[charts.download(column)],
    )


def lines(regularization, states, theme):
    """One for each training, by its regularizer or by its value."""
    sweep = regularization.view != "regularizers"
    titles = capacity.names(regularization) if sweep else text.names(regularization.regularizers)
    return charts.lines_of(titles, states, theme)


SWEEP = [Tab(_("Accuracy"), [capacity.curves, capacity.table, capacity.about])]
PAGE = Page(
    "regularization",
    N_("Overfitting"),
    "compress",
    N_("Why does a network fail on data it has not seen?"),
    "Training lab",
    spec.LABELS,
    {
        "regularizers": view(
            "regularizers",
            [
                Tab(
                    _("Accuracy"), [figures.gaps, text.remarks, figures.comparison, text.standings]
                ),
                Tab(_("Weights"), [weights]),
                Tab(_("Dropout"), [thinned.thinned_network, thinned.as_ensemble]),
                training_layers.TAB,
            ],
            "regularizer",
        ),
        "width": view("width", SWEEP, "width"),
        "examples": view("examples", SWEEP, "examples"),
    },
    presets=[
        Preset(
            _("The book"),
            spec.BOOK,
            _(
                "Figures 6.20, 6.21 and 6.23: rate 0.01, λ 0.1, dropout 0.15, on 300 random "
                "examples."
            ),
        ),
        Preset(
            _("Other writers"),
            spec.WRITERS,
            _(
                "The first 300 examples; the others were written by other people. λ 0.01, dropout "
                "0.1."
            ),
        ),
        Preset(
            _("Wrong labels"),
            spec.LABELS,
            _("A fifth of the training labels are wrong. λ 0.02, dropout 0.15."),
        ),
        Preset(
            _("L1 and L2"), spec.NORMS, _("Two kinds of penalty and what they do to the weights.")
        ),
        Preset(
            _("Batch normalization"),
            spec.NORMALIZED,
            _("Is it a regularizer? Compared with dropout, with a fifth of the labels wrong."),
        ),
        Preset(_("Adam and AdamW"), spec.ADAM, _("The same decay inside and outside of Adam.")),
    ],
    lines=lines,
    thumbnail=figures.thumbnail,
)
