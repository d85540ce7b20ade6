"""The controls of the search space: hyperparameters and their ranges."""

from dataclasses import replace

import streamlit as st

from optviz.translation import _
from optviz.tuning import RANGES, Axis, Search, Space
from optviz.tuning.spec import searchable
from optviz.ui.form import Form


def axis_of(key: str) -> Axis:
    """A hyperparameter with its default range."""
    return Axis(key, *RANGES[key].default)


def adjusted(search: Search) -> Search:
    """Without hyperparameters that the optimizer lacks; weight decay works with every one."""
    optimizer = search.optimizer.method.key
    axes = [axis for axis in search.space.axes if searchable(axis.key, optimizer)]
    for fallback in ("l2", "lr"):
        if len(axes) < 2 and fallback not in [axis.key for axis in axes]:
            axes.append(axis_of(fallback))
    return replace(search, space=Space(tuple(axes)))


def searched(form: Form) -> None:
    """A menu of hyperparameters, and a slider in powers of ten for the range of each."""
    place = form.at("space", "axes")
    axes, key = {axis.key: axis for axis in place.value}, place.key()
    optimizer = form.value.optimizer.method.key

    def choose():
        if len(chosen := st.session_state[key]) >= 2:
            place.set(tuple(axes.get(k) or axis_of(k) for k in chosen))

    st.multiselect(
        _("Searched hyperparameters, two or more"),
        [k for k in RANGES if searchable(k, optimizer)],
        list(axes),
        lambda k: _(RANGES[k].title),
        key=key,
        on_change=choose,
    )
    if len(st.session_state.get(key, axes)) < 2:
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
