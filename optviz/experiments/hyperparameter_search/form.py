"""Controls of a search: what is tried, within which ranges, who proposes, who is stopped, and what all trials share."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.hyperparameter_search.spec import MIN_TRIALS, Search, missing
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters, sentence
from optviz.spec import Choice
from optviz.training import MAX_TRIALS
from optviz.tuning import (
    MAX_AXES,
    QUANTITIES,
    SAMPLERS,
    Axis,
    Halving,
    Space,
)
from optviz.ui.old_form import SHARED, TrainingControls, turned
from optviz.ui.session import session

NUMBERS = (
    Hyperparameter("trials", 100, MIN_TRIALS, MAX_TRIALS, "n", log=True, help="how many are tried"),
    Hyperparameter(
        "validation", 100, 20, 500, help="rows that choose; neither for training nor for the test"
    ),
    Hyperparameter(
        "seed",
        0,
        0,
        99,
        help="another number, other proposals, initial weights, mini-batches and rows",
    ),
)
HALVING = (
    Hyperparameter("factor", 2, 2, 5, help="one in so many goes on at each look"),
    Hyperparameter(
        "first",
        20,
        1,
        1000,
        log=True,
        help="iterations before the first look; the next come after the factor times as many",
    ),
)
NETWORK = tuple(
    {"units": replace(k, default=100), "rows": replace(k, default=400, low=20, high=1200), "iterations": replace(k, default=200, high=2000)}.get(k.name, k)
    for k in SHARED
    if k.name != "seeds"
)  # fmt: skip
MEASURED = 10  # accuracies of a trial


def controls(page: str) -> None:
    """All of them, for the search that the session keeps under the name of the page."""

    def put(**parts):
        session().specs[page] = _possible(replace(session().specs[page], **parts))

    def put_training(**parts):
        training = replace(session().specs[page].training, **parts)
        put(training=replace(training, eval_every=max(1, round(training.iterations / MEASURED))))

    search: Search = session().specs[page]
    _sampler(search, put)
    _key = f"{page}-{{}}-{session().epoch}".format
    shared = TrainingControls(page, lambda: session().specs[page].training, put_training)
    shared.hyperparameters(
        "numbers-search",
        "Search",
        NUMBERS,
        _read(search),
        lambda new: put(**_written(session().specs[page], new)),
    )
    _halving(search, put, shared, _key("halving"))
    _space(search, put, _key)
    st.markdown("**What all trials share**")
    shared.data()
    shared.activation()
    if not any(axis.key == "sigma" for axis in search.space.axes):
        shared.initializer()
    shared.numbers(NETWORK)
    shared.optimizer(schedule=False)
    st.caption(
        "A searched hyperparameter has the trial's value in place of the one that is set here."
    )


def _possible(search):
    """Without an axis for a hyperparameter that the optimizer does not have; weight decay is there for every one."""
    axes = [
        axis
        for axis in search.space.axes
        if not missing(axis, search.training.optimizer.method.key)
    ]
    for spare in ("l2", "lr"):
        if len(axes) < 2 and spare not in [axis.key for axis in axes]:
            axes.append(Axis(spare, *QUANTITIES[spare].usual))
    return replace(search, space=Space(tuple(axes)))


def _sampler(search, put):
    S = st.session_state
    key = f"hyperparameter-search-sampler-{session().epoch}"
    st.selectbox(
        "Sampler", list(SAMPLERS), list(SAMPLERS).index(search.sampler.key), lambda k: SAMPLERS[k].label, key=key,
        on_change=lambda: put(sampler=Choice(S[key])),
    )  # fmt: skip
    cls = SAMPLERS[search.sampler.key]
    st.caption(sentence(cls))
    TrainingControls("hyperparameter_search", lambda: search.training, None).hyperparameters(
        f"sampler-{search.sampler.key}",
        cls.label,
        hyperparameters(cls),
        search.sampler.values,
        lambda new: put(sampler=turned(session().specs["hyperparameter_search"].sampler, new)),
    )


def _read(search):
    return {
        "trials": search.trials,
        "validation": search.validation,
        "seed": search.training.seeds[0],
    }


def _written(search, new):
    v = _read(search) | new
    training = search.training
    return {
        "trials": v["trials"], "validation": v["validation"],
        "training": replace(training, seeds=(v["seed"],), split=replace(training.split, seed=v["seed"])),
    }  # fmt: skip


def _halving(search, put, shared, key):
    S = st.session_state
    st.toggle(
        "Stop hopeless trials early", search.halving is not None, key=key, help="Successive halving: at each look only the best part goes on.",
        on_change=lambda: put(halving=Halving() if S[key] else None),
    )  # fmt: skip
    if search.halving:
        values = {"factor": search.halving.factor, "first": search.halving.first}
        shared.hyperparameters(
            "halved",
            "Halving",
            HALVING,
            values,
            lambda new: put(
                halving=replace(
                    session().specs["hyperparameter_search"].halving or Halving(), **new
                )
            ),
        )


def _space(search, put, key):
    """Which hyperparameters are searched, and a slider in powers of ten for the range of each."""
    S = st.session_state
    which = key("axes")
    offered = [
        k
        for k in QUANTITIES
        if not missing(Axis(k, 0.0, 0.0), search.training.optimizer.method.key)
    ]

    def choose():
        known = {axis.key: axis for axis in session().specs["hyperparameter_search"].space.axes}
        chosen = [known.get(k) or Axis(k, *QUANTITIES[k].usual) for k in S[which]]
        if len(chosen) >= 2:
            put(space=Space(tuple(chosen)))

    st.multiselect(
        "Searched hyperparameters, two or more", offered, [axis.key for axis in search.space.axes], lambda k: QUANTITIES[k].title, key=which,
        max_selections=MAX_AXES, on_change=choose,
    )  # fmt: skip
    if len(S.get(which, search.space.axes)) < 2:
        st.error(
            "A search is over two hyperparameters or more. It goes on with those that it had.",
            icon=":material/error:",
        )
    for axis in search.space.axes:
        _range(axis, put, key(f"range-{axis.key}"))


def _range(axis, put, key):
    S, q = st.session_state, axis.quantity

    def move():
        low, high = S[key]
        if low < high:
            axes = (
                Axis(a.key, low, high) if a.key == axis.key else a
                for a in session().specs["hyperparameter_search"].space.axes
            )
            put(space=Space(tuple(axes)))

    st.slider(
        f"{q.title[:1].upper()}{q.title[1:]} {q.symbol}, power of ten", q.low, q.high, (axis.low, axis.high), 0.5, key=key,
        format="%.1f", help=q.help, on_change=move,
    )  # fmt: skip
    if key in S and S[key][0] >= S[key][1]:
        st.error(
            "Both ends are the same: there is nothing to search between them.",
            icon=":material/error:",
        )
