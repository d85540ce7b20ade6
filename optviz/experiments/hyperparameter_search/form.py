"""What is searched, within which ranges."""

from dataclasses import replace

import streamlit as st

from optviz.translation import _
from optviz.tuning import RANGES, Axis, Search, Space
from optviz.tuning.spec import searchable
from optviz.ui.form import Form


def axis_of(key: str) -> Axis:
    """A hyperparameter in the range that is offered first."""
    return Axis(key, *RANGES[key].default)


def adjusted(search: Search) -> Search:
    """Without what the optimizer does not have; weight decay is there for every one."""
    optimizer = search.optimizer.method.key
    axes = [axis for axis in search.space.axes if searchable(axis.key, optimizer)]
    for spare in ("l2", "lr"):
        if len(axes) < 2 and spare not in [axis.key for axis in axes]:
            axes.append(axis_of(spare))
    return replace(search, space=Space(tuple(axes)))


def searched(form: Form) -> None:
    """A menu of hyperparameters, and a slider in powers of ten for the range of each."""
    place = form.at("space", "axes")
    known, key = {axis.key: axis for axis in place.value}, place.key()
    optimizer = form.value.optimizer.method.key

    def choose():
        if len(chosen := st.session_state[key]) >= 2:
            place.set(tuple(known.get(k) or axis_of(k) for k in chosen))

    st.multiselect(
        _("Searched hyperparameters, two or more"),
        [k for k in RANGES if searchable(k, optimizer)],
        list(known),
        lambda k: _(RANGES[k].title),
        key=key,
        on_change=choose,
    )
    if len(st.session_state.get(key, known)) < 2:
        message = _("A search needs at least two hyperparameters. It keeps those it had.")
        st.error(message, icon=":material/error:")
    for i, axis in enumerate(place.value):
        _range(replace(place.at(i), name=f"{place.name}-{axis.key}"))


def _range(form):
    axis, key = form.value, form.key()
    title, symbol, low, high, *_rest = axis.declared

    def move():
        ends = st.session_state[key]
        if ends[0] < ends[1]:
            form.set(Axis(axis.key, *ends))

    title = _(title)
    st.slider(
        _("{hyperparameter} {symbol}, power of ten").format(
            hyperparameter=f"{title[:1].upper()}{title[1:]}", symbol=symbol
        ),
        low,
        high,
        (axis.low, axis.high),
        0.5,
        key=key,
        format="%.1f",
        help=_(axis.declared.help),
        on_change=move,
    )
    ends = st.session_state.get(key, (axis.low, axis.high))
    if ends[0] >= ends[1]:
        message = _("Both ends are the same: there is nothing to search between them.")
        st.error(message, icon=":material/error:")
