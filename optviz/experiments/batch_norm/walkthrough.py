"""One small batch through the layer and back: typed numbers, the graph step by step, and the closed form."""

import contextlib
from dataclasses import replace

import streamlit as st

from optviz.experiments.batch_norm import graph as batch_graph
from optviz.experiments.batch_norm import walkthrough_figures as batch_steps
from optviz.experiments.batch_norm.spec import RANGES, read_numbers
from optviz.nn.batch_norm import BatchNorm
from optviz.optim.hyperparameter import Hyperparameter
from optviz.plot.equations import equations, remarks
from optviz.plot.style import THEMES
from optviz.shell import sharing
from optviz.ui.assets import as_image
from optviz.ui.components import hyperparameter_panel, plot, theme_name
from optviz.ui.session import session

EXAMPLE = (
    Hyperparameter("gamma", 1.0, *RANGES["gamma"], r"\gamma", help="spread of what goes out; the network learns it"),
    Hyperparameter("beta", 0.0, *RANGES["beta"], r"\beta", help="mean of what goes out; the network learns it"),
    Hyperparameter("eps", 1e-6, *RANGES["eps"], r"\epsilon", log=True, help="keeps the division from failing where all rows are equal"),
)  # fmt: skip


def _put_example(**parts):
    session().specs["batch_norm"] = replace(
        session().specs["batch_norm"],
        example=replace(session().specs["batch_norm"].example, **parts),
    )


def _put_rows(x):
    arriving = session().specs["batch_norm"].example.arriving
    _put_example(x=x, arriving=(arriving + (0.0,) * len(x))[: len(x)])


def controls() -> None:
    """The rows, what arrives at them, and the layer's own numbers."""
    _typed(
        "x", "Rows x of one unit", session().specs["batch_norm"].example.x, read_numbers, _put_rows
    )
    rows = len(session().specs["batch_norm"].example.x)
    _typed(f"arriving-{rows}", "Gradient ∂y that arrives at them", session().specs["batch_norm"].example.arriving, lambda text: _as_many(text, rows),
           lambda values: _put_example(arriving=values))  # fmt: skip
    key, values = (
        f"batch-norm-example-{session().epoch}",
        vars(session().specs["batch_norm"].example),
    )
    hyperparameter_panel(key, "The layer", EXAMPLE, values, lambda new: _put_example(**new))


def _as_many(text, rows):
    found = read_numbers(text)
    if len(found) != rows:
        raise ValueError(
            f"there {'is one row' if rows == 1 else f'are {rows} rows'}, and {len(found)} gradients"
        )
    return found


def _typed(name, label, values, read, put):
    """A field for some numbers; what cannot be read is said below it, and the last good ones stay."""
    S = st.session_state
    key = f"batch-norm-{name}-{session().epoch}"

    def change():
        with contextlib.suppress(ValueError):  # it is said below
            put(read(S[key]))

    text = st.text_input(
        label, ", ".join(f"{v:.12g}" for v in values), key=key, max_chars=200, on_change=change
    )
    try:
        read(text)
    except ValueError as error:
        st.error(f"Here {error}. Shown are the last that could be read.", icon=":material/error:")


def graph(setting) -> None:
    """The graph as far as one has gone through it, and what is to be seen in it."""
    example = setting.example
    step = _stepper()
    st.markdown(f"**{batch_steps.title(step)}**")
    with st.container(key="batch-norm-step"):
        for equation in (
            batch_steps.equations_of(example, step)
            if step
            else [r"\text{Nine operations forward, nine backward.}"]
        ):
            st.markdown(f"$$\n{equation}\n$$")
    picture = batch_graph.picture(example, step, THEMES[theme_name()])
    drawn = as_image(picture, "The computational graph. The table below has its numbers.")
    st.html(
        f'<div class="ov-graph" tabindex="0" role="region" aria-label="Computational graph">{drawn}</div>'
    )
    st.markdown(batch_steps.seen(example))
    plot(
        "batch-norm-rows", batch_steps.way_of_the_rows(example, THEMES[theme_name()]),
        "Every row on its way from x to y. The table below has the numbers.", view=f"{example}", theme=theme_name(), link=sharing.query(),
    )  # fmt: skip
    st.markdown(batch_steps.remembered(example))


def _stepper():
    """How many of the steps are done."""
    S = st.session_state
    key = f"batch-norm-at-{session().epoch}"
    S.setdefault(key, batch_graph.STEPS)

    def move(by):
        S[key] = min(max(S[key] + by, 0), batch_graph.STEPS)

    # one container in the other: on a phone the page takes those that lie on its top level apart
    with (
        st.container(),
        st.container(horizontal=True, vertical_alignment="bottom", key="batch-norm-stepper"),
    ):
        for label, by, end in (("Back", -1, 0), ("Next", 1, batch_graph.STEPS)):
            icon = f":material/arrow_{'back' if by < 0 else 'forward'}:"
            st.button(
                label, icon=icon, key=f"batch-norm-{label.lower()}", on_click=move, args=(by,), disabled=S[key] == end
            )  # fmt: skip
        return st.slider("Steps done", 0, batch_graph.STEPS, key=key)


def told(setting) -> None:
    """The same as a table, and the layer's equations."""
    st.html(batch_steps.steps_table(setting.example))
    st.markdown(
        "**The layer in closed form.** The nine steps back, put together, are the last line:"
    )
    for equation in equations(BatchNorm):
        st.markdown(f"$$\n{equation}\n$$")
    st.caption(
        f"{remarks(BatchNorm)} The graph is that of F. Kratzert (2016), Understanding the backward pass through batch normalization "
        "layer. ∂ of a number is how the loss changes with it."
    )
