"""The activations page: what becomes of a signal in layers that nobody has trained."""

import csv
import io
from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.experiments.activations import figures as views
from optviz.experiments.activations.spec import (
    MAX_LAYERS,
    MAX_SEED,
    MAX_UNITS,
    Activations,
    DeepStack,
    through,
)  # fmt: skip
from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters, sentence
from optviz.plot import equations
from optviz.plot.style import THEMES
from optviz.shell import sharing
from optviz.spec import Choice, canonical_json, to_dict
from optviz.ui.components import hyperparameter_panel, plot, theme_name
from optviz.ui.live import full_rerun, live_patch
from optviz.ui.old_layout import framed
from optviz.ui.session import session

SIZES = (
    Hyperparameter("layers", 5, 1, MAX_LAYERS, "L", help="layers that the signal passes"),
    Hyperparameter("units", 100, 1, MAX_UNITS, "n", help="units in each layer"),
    Hyperparameter("seed", 0, 0, MAX_SEED, help="another number, other inputs and weights"),
)
OTHER = Choice("book")  # the second setting that is offered first
MAX_ROWS = 5000


def page() -> None:
    """One setting, or two side by side; hyperparameters move the histograms while they are dragged."""
    with full_rerun(), framed("activations", _download) as (shown, panel, under):
        with panel:
            _controls(session().specs["activations"])
        with shown:
            for i in range(len(session().specs["activations"].stacks)):
                _setting(i)
        with under:
            _explained(session().specs["activations"])


def _download():
    st.download_button(
        "Table as CSV",
        _table_csv(),
        "optviz-activations.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _layers(key, _stack, _x):
    return through(_stack, _x)


def layers_of(stack: DeepStack):
    """The layers of a setting, from Gaussian rows or a person's own."""
    own = st.session_state.get("own_rows")
    return _layers(
        canonical_json([to_dict(stack), None if own is None else own[0]]),
        stack,
        None if own is None else own[1],
    )


def _figure(stack):
    return views.histograms(
        layers_of(stack), THEMES[theme_name()], st.session_state.get("together", False)
    )


def _setting(i):
    stack = session().specs["activations"].stacks[i]
    layers = layers_of(stack)
    st.markdown(f"**{views.name(stack)}**")
    plot(
        f"layers-{i}", _figure(stack), f"Histograms of {len(layers)} layers. The table below says the same.",
        view=f"{stack.layers}", theme=theme_name(), link=sharing.query(),
    )  # fmt: skip
    st.markdown(views.remark(layers))


def _update(i, **parts):
    stacks = list(session().specs["activations"].stacks)
    stacks[i] = replace(stacks[i], **parts)
    session().specs["activations"] = Activations(tuple(stacks))


def _controls(comparison):
    for i, stack in enumerate(comparison.stacks):
        if len(comparison.stacks) > 1:
            st.markdown(f"**Setting {'AB'[i]}**")
        _choice(i, "Activation", "activation", ACTIVATIONS, stack.activation.key)
        _choice(i, "Initial weights", "initializer", INITIALIZERS, stack.initializer.key)
        st.caption(sentence(INITIALIZERS[stack.initializer.key]))
        _hyperparameter_fragment(
            i, f"{session().epoch}-{i}-{stack.initializer.key}-{stack.activation.key}"
        )
    if len(comparison.stacks) == 1:
        st.button(
            "Compare with another setting",
            key="second",
            icon=":material/add:",
            on_click=_second,
            width="stretch",
        )
    else:
        st.button(
            "Remove setting B",
            key="alone",
            icon=":material/close:",
            on_click=_alone,
            width="stretch",
        )
    st.toggle("One range for all layers", key="together")
    _own_data()


def _second():
    [first] = session().specs["activations"].stacks
    session().specs["activations"] = Activations((first, replace(first, initializer=OTHER)))


def _alone():
    session().specs["activations"] = Activations(session().specs["activations"].stacks[:1])


def _choice(i, label, field, registry, chosen):
    key = f"{field}-{i}-{session().epoch}"
    st.selectbox(
        label, list(registry), list(registry).index(chosen), lambda k: registry[k].label, key=key,
        on_change=lambda: _update(i, **{field: Choice(st.session_state[key])}),
    )  # fmt: skip


@st.fragment
def _hyperparameter_fragment(i, key):
    """The hyperparameters of a setting; while one is dragged its histograms follow."""
    if i >= len(session().specs["activations"].stacks):
        return
    stack = session().specs["activations"].stacks[i]
    rule, shape = INITIALIZERS[stack.initializer.key], ACTIVATIONS[stack.activation.key]
    declared = (*hyperparameters(rule), *hyperparameters(shape), *SIZES)

    def turned(new):
        stack = session().specs["activations"].stacks[i]
        of = {
            field: Choice(
                part.key,
                part.values | {k.name: new[k.name] for k in hyperparameters(cls) if k.name in new},
            )
            for field, part, cls in (
                ("initializer", stack.initializer, rule),
                ("activation", stack.activation, shape),
            )
        }
        _update(i, **of, **{k.name: new[k.name] for k in SIZES if k.name in new})

    def pictures():
        return {f"layers-{i}": _figure(session().specs["activations"].stacks[i])}

    traces, rest = live_patch(f"hyperparameters-{key}", pictures)
    stack = session().specs["activations"].stacks[i]
    values = {
        **stack.initializer.values,
        **stack.activation.values,
        **{k.name: getattr(stack, k.name) for k in SIZES},
    }
    hyperparameter_panel(
        f"hyperparameters-{key}",
        f"Setting {'AB'[i]}",
        declared,
        values,
        turned,
        traces=traces,
        rested=rest,
    )


def _own_data():
    S = st.session_state
    with st.expander("Own data in place of Gaussian numbers", key="own", on_change="rerun") as box:
        if not box.open:
            return
        file = st.file_uploader(
            "A CSV file: one sample a row, numbers only",
            type=["csv", "txt"],
            key=f"own-{S.get('own_file', 0)}",
        )
        if file is not None:
            try:
                S.own_rows = (f"{file.name} {file.file_id}", read_rows(file.getvalue()))
                S.own_complaint = ""
            except ValueError as error:
                S.own_complaint = f"{error}"
        if S.get("own_complaint"):
            st.error(S.own_complaint, icon=":material/error:")
        if S.get("own_rows"):
            rows = S.own_rows[1]
            st.caption(
                f"In use: {rows.shape[0]} rows of {rows.shape[1]} numbers, each column with mean 0 and variance 1."
            )
            st.button("Back to Gaussian numbers", key="own-away", on_click=_put_away)


def _put_away():
    S = st.session_state
    S.own_rows, S.own_complaint = None, ""
    S.own_file = S.get("own_file", 0) + 1


def read_rows(content: bytes) -> np.ndarray:
    """Rows of numbers from a CSV file, standardized; ValueError, for a person, where they are not."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("This is not a text file.") from None
    rows = [
        row
        for row in csv.reader(
            io.StringIO(text), delimiter=";" if ";" in text.split("\n", 1)[0] else ","
        )
        if row
    ]
    if rows and not any(_is_number(c) for c in rows[0]):
        rows = rows[1:]  # names of columns
    if len(rows) < 2:
        raise ValueError("There are fewer than two rows of numbers in this file.")
    if len(rows) > MAX_ROWS or len(rows[0]) > MAX_UNITS:
        raise ValueError(
            f"At most {MAX_ROWS} rows of {MAX_UNITS} numbers, not {len(rows)} of {len(rows[0])}."
        )
    for i, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ValueError(f"Row {i} has {len(row)} entries, the first one {len(rows[0])}.")
        if bad := [c for c in row if not _is_number(c)]:
            raise ValueError(f"“{bad[0][:30]}” in row {i} is not a number.")
    x = np.array(rows, float)
    spread = x.std(0)
    return (x - x.mean(0)) / np.where(spread > 0, spread, 1.0)


def _is_number(text):
    try:
        return bool(abs(float(text)) < 1e100)
    except ValueError:
        return False


def _explained(comparison):
    for i, stack in enumerate(comparison.stacks):
        layers = layers_of(stack)
        st.markdown(
            f"**{views.name(stack)}**" if len(comparison.stacks) > 1 else "**The same in numbers**"
        )
        st.html(views.table(layers, f"Setting {'AB'[i]} in numbers"))
    st.caption(
        "“Spread” is the standard deviation of all numbers of a layer in one pot. Its square is the sum of two: the mean "
        "variance *within* a unit, over the samples, and the variance *between* the means of units. Only the first tells "
        "inputs apart. “Saturated” counts activations where hardly any gradient passes (for ReLU: the zeros), “dead” the units "
        "that are so for every sample. Backward, a random gradient starts at the last layer."
    )
    for stack in {s.initializer.key: s for s in comparison.stacks}.values():
        rule = stack.initializer.build(INITIALIZERS)
        st.markdown(
            "\n\n".join(
                [
                    f"**{rule.label}**",
                    *[f"$$ {e} $$" for e in equations.equations(type(rule))],
                    f"_{rule.cite}_",
                ]
            )
        )


def _table_csv():
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["setting", *views.HEADINGS])
    for stack in session().specs["activations"].stacks:
        for row in views.rows(layers_of(stack)):
            write([views.name(stack), row[0], *(repr(float(v)) for v in row[1:])])
    return out.getvalue()
