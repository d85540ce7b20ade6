"""The page: the same training with and without batch normalization, and one small batch step by
step.
"""

import contextlib
from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.experiments import training_charts as charts
from optviz.experiments.batch_norm import figures, graph, text, walkthrough
from optviz.experiments.batch_norm.run import hidden_activations
from optviz.experiments.batch_norm.spec import VIEWS, BatchNormComparison, read_numbers
from optviz.experiments.page import Download, Option, Page, Row, Section, Tab, View, Widget
from optviz.plot import style
from optviz.plot.training import Network
from optviz.translation import N_, _
from optviz.ui.assets import as_image
from optviz.ui.components import button
from optviz.ui.controls import Menu, Panel
from optviz.ui.form import Form
from optviz.ui.session import session
from optviz.ui.training.form import ACTIVATION, INITIALIZER, NUMBERS, Data, Numbers, OptimizerForm
from optviz.ui.training.jobs import data_of


def networks(spec, states, theme):
    """A line for each network: with and without, at every value."""
    message = _("{network}, {symbol} = {value!r}")  # of neighbors no two are rounded to one
    lines = []
    for k, state in enumerate(states):
        for i, value in enumerate(spec.varied or [None]):
            name = _(figures.NAMES[k])
            if spec.varied:
                symbol = figures.SYMBOLS[spec.view]
                name = message.format(network=name, symbol=symbol, value=value)
            line_style = None if spec.varied else style(k, theme)
            lines.append(Network(f"n{k}-{i}", name, state, i, line_style))
    return lines


def pair_of(context) -> figures.Pair:
    """What is compared."""
    return figures.Pair(context.spec.view, context.spec.varied, list(context.states))


# With and without, and the sweeps.


def speed(context) -> str:
    """Which learned first."""
    return text.speed(context.states)


def verdict(context) -> list:
    """The verdict in words, the small charts, the summary."""
    pair, part, theme = pair_of(context), context.options["part"], context.theme
    small, summary = (draw(pair, theme, part) for draw in (figures.small_charts, figures.summary))
    return [text.verdict(pair, part), Row([small, summary], (3, 2)), text.summary_table(pair, part)]


@charts.paced
def hidden_layers(context):
    """The hidden layers of one of the networks, as far as it is trained."""
    k, i = context.options["network"], context.options.get("value", 0)
    state, name = context.states[k], _(figures.NAMES[k])
    params, network = state.params[i, 0], state.training.network
    if not np.isfinite(params).all():
        message = _(
            "**The network diverged** at iteration {t}: there are no finite values to show."
        )
        return message.format(t=int(state.diverged_at[i, 0]))
    hidden = hidden_activations(network, params, data_of(state.training).x[: text.ROWS])
    if not hidden:
        return _(
            "This network has no hidden layer, so there is nothing to normalize between layers."
        )
    if not all(np.isfinite(a).all() for layer in hidden for a in layer.values()):
        return _(
            "**The signal has overflowed** inside the network: there are no finite values to show."
        )
    return [
        text.flow(hidden, state.iteration),
        figures.histograms(hidden, name, context.theme),
        text.std_table(hidden, name),
    ]


PART = Option("part", _("Accuracy on"), 0, {k: _(name) for k, name in figures.SETS.items()})
NETWORK = Option(
    "network",
    _("Inside the network"),
    0,
    {k: _(name) for k, name in enumerate(figures.NAMES)},
    show_label=True,
)
VALUE = Option(
    "value",
    _("Look inside at"),
    lambda context: (len(context.spec.varied) - 1) // 2,
    lambda context: {i: pair_of(context).name(i) for i in range(len(context.spec.varied))},
    slider=True,
)


# One small batch.


def small_batch_form(form: Form) -> None:
    """The rows, their upstream gradients, and the layer's own numbers."""
    place = form.at("example")
    n = len(place.value.x)

    def set_rows(x):
        upstream = (*place.value.upstream, *[0.0] * len(x))[: len(x)]
        place.set(replace(place.value, x=x, upstream=upstream))

    def read_upstream(typed):
        numbers = read_numbers(typed)
        if len(numbers) != n:
            message = _("there are {n} examples but {found} gradients")
            raise ValueError(message.format(n=n, found=len(numbers)))
        return numbers

    _field(place.at("x"), _("Inputs x of one unit, one per example"), read_numbers, set_rows)
    upstream = place.at("upstream")
    _field(upstream, _("Upstream gradient ∂y"), read_upstream, upstream.set, f"of-{n}")
    Panel(_("The layer"), ("gamma", "beta", "eps")).draw(place)


def _field(form, label, read, set_value, suffix="typed"):
    """A field for numbers; below it an error for invalid ones, and the last valid ones stay."""
    key = form.key(suffix)

    def change():
        with contextlib.suppress(ValueError):  # it is shown below
            set_value(read(st.session_state[key]))

    shown = ", ".join(f"{v:.12g}" for v in form.value)
    typed = st.text_input(label, shown, key=key, max_chars=200, on_change=change)
    try:
        read(typed)
    except ValueError as error:
        message = _("Not used: {reason}. The last valid numbers are shown.")
        st.error(message.format(reason=error), icon=":material/error:")


def step_by_step(context) -> list:
    """The graph up to the current step, and what it shows."""
    example = context.spec.example
    return [
        Widget(lambda: _stepper(example, context.theme)),
        walkthrough.observations(example),
        figures.row_paths(example, context.theme),
        walkthrough.running_statistics(example),
    ]


def _stepper(example, theme):
    """Back, Next, the number of steps done; the equations of the last one, and the graph."""
    key, state = session().key("steps"), st.session_state
    state.setdefault(key, graph.STEPS)

    def move(delta):
        state[key] = min(max(state[key] + delta, 0), graph.STEPS)

    # one container in the other: on a phone the page takes those that lie on its top level apart
    with (
        st.container(),
        st.container(horizontal=True, vertical_alignment="bottom", key="batch-norm-stepper"),
    ):
        for name, label, delta, end in (
            ("back", _("Back"), -1, 0),
            ("next", _("Next"), 1, graph.STEPS),
        ):
            icon = "arrow_back" if delta < 0 else "arrow_forward"
            button(label, f"batch-norm-{name}", move, delta, icon=icon, disabled=state[key] == end)
        step = st.slider(_("Steps done"), 0, graph.STEPS, key=key)
    st.markdown(walkthrough.title(step))
    equations = (
        walkthrough.equations_of(example, step)
        if step
        else [r"\text{Nine operations forward, nine backward.}"]
    )
    with st.container(key="batch-norm-step"):
        for equation in equations:
            st.markdown(f"$$\n{equation}\n$$")
    alternative = _("The computational graph. The table below gives its numbers.")
    image = as_image(graph.picture(example, step, theme), alternative)
    label = _("Computational graph")
    st.html(f'<div class="ov-graph" tabindex="0" role="region" aria-label="{label}">{image}</div>')


def numbers_csv(context) -> str:
    """All numbers of the graph."""
    return walkthrough.graph_csv(context.spec.example)


def training_view(view: str, parts, first, *extra) -> View:
    """A view with networks that are trained with batch normalization and without."""
    return View(
        label=VIEWS[view],
        form=[Menu("place", segments=True), first, Numbers(*NUMBERS), *extra, ACTIVATION, Data()],
        jobs=charts.jobs,
        tabs=[Tab(_("Accuracy"), parts)],
        notes=[text.notes],
        downloads=[charts.download("network")],
    )


SWEEP = [Section([verdict], [PART]), Section([hidden_layers], [NETWORK, VALUE])]
PAGE = Page(
    "batch_norm",
    N_("Batch normalization"),
    "equalizer",
    N_("What does batch normalization do?"),
    "Training lab",
    BatchNormComparison(),
    {
        "one": training_view(
            "one",
            [
                speed,
                charts.section(_("How every network stands"), epochs=True),
                figures.architecture,
                Section([hidden_layers], [NETWORK]),
            ],
            OptimizerForm(schedule=False),
            INITIALIZER,
        ),
        "scales": training_view(
            "scales",
            SWEEP,
            Panel(_("Standard deviations"), ("scales.many", "scales.first", "scales.last")),
            OptimizerForm(schedule=False),
        ),
        "rates": training_view(
            "rates",
            SWEEP,
            Panel(_("Learning rates"), ("rates.many", "rates.first", "rates.last")),
            INITIALIZER,
            OptimizerForm(schedule=False, rate=False),
        ),
        "graph": View(
            label=VIEWS["graph"],
            form=[small_batch_form],
            tabs=[Tab(_("Graph"), [step_by_step])],
            notes=[walkthrough.closed_form],
            downloads=[Download(_("Numbers as CSV"), "batch", numbers_csv)],
        ),
    },
    lines=networks,
    thumbnail=figures.thumbnail,
)
