"""The search page: hyperparameters are tried in batches, and appear as they finish."""

import csv
import io
from dataclasses import replace

import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.hyperparameter_search import figures as views
from optviz.experiments.hyperparameter_search import text as words
from optviz.experiments.hyperparameter_search.form import controls
from optviz.experiments.hyperparameter_search.spec import (
    Parts,
    Search,
    check,
    parts,
)
from optviz.plot.style import THEMES, style
from optviz.shell import opening, sharing
from optviz.spec import SpecError, canonical_json, to_dict
from optviz.tuning import SAMPLERS
from optviz.tuning import search as run
from optviz.tuning.search import SearchState
from optviz.ui import old_job_runner as lab
from optviz.ui.components import plot, shown, table, theme_name
from optviz.ui.data_source import source_of
from optviz.ui.old_layout import framed
from optviz.ui.session import session

PAGE = "hyperparameter_search"
KEPT = 12  # searches of a session, to come back to and to compare
TRIALS, CURVES, COMPARED = "Trials", "Best curves", "Side by side"


def page() -> None:
    """Controls into a search, the search into trials, the trials into pictures that fill."""
    with framed(PAGE) as (shown, panel, under):
        with panel:
            controls(PAGE)
        with shown:
            _bench(session().specs["hyperparameter_search"])
        with under:
            st.caption(_told(session().specs["hyperparameter_search"]))


def _told(search):
    sampler = SAMPLERS[search.sampler.key]
    return (
        f"{sampler.label}: {sampler.__doc__.strip().splitlines()[0]} {sampler.cite}. All trials have the same initial weights and meet "
        f"the same mini-batches; they differ in the searched hyperparameters only. {search.training.split.rows} rows train, {search.validation} "
        "others choose (validation), and the rest are looked at once, when all is done (test). "
        f"Data: {DATASETS[search.training.dataset.key].attribution}"
    )


def _bench(search):
    try:
        rows = _rows(search)
        check(search)
    except SpecError as error:
        st.error(f"This cannot be searched: {error}.", icon=":material/error:")
        return
    except ValueError as error:
        st.error(f"{error}", icon=":material/error:")
        return
    lab.watched(
        PAGE,
        lambda: _step(search, rows),
        lambda: run.work(trials_of(search)),
        lambda: _draw(search, rows),
        verb="Search",
    )


def _rows(search) -> Parts:
    return parts(search, lab.data_of(search.training))


def _key(search):
    return canonical_json(to_dict(search)) + source_of(search.training.dataset.key)[0]


def trials_of(search: Search) -> SearchState:
    """How far this search has come in this session."""
    return lab.shelf(PAGE)["kept"].get(_key(search)) or run.start(search)


def _step(search, rows):
    """Train for a moment; whether anything is left to do.

    Streamlit may begin the next run while this one is not quite over, so what is kept stays in place until there is
    more; who began again in the meantime has other shelves.
    """
    kept, key = lab.shelf(PAGE)["kept"], _key(search)
    now = run.go_on(kept.get(key) or run.start(search), rows, lab.BUDGET)
    kept[key] = now
    for old in [other for other in kept if other != key][: 1 - KEPT]:
        del kept[old]
    return not now.done


def _draw(search, rows):
    now = trials_of(search)
    shown().trainings[PAGE], shown().judged = now.trainings, search.validation
    tabs = st.tabs([TRIALS, CURVES, COMPARED], key="hyperparameter-search-tabs", on_change="rerun")
    for tab, section in zip(tabs, (_trials, _curves, _compared), strict=True):
        if tab.open:
            with tab:
                section(search, now)
    _said(now, rows)
    if len(now.ranking):
        table(words.best_table(now), "hyperparameter-search-best")
        st.download_button("Trials as CSV", lambda: trials_csv(now), "optviz-search.csv", "text/csv", key="hyperparameter-search-csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def _trials(search, now):
    axes = search.space.axes
    x, y = 0, 1
    if len(axes) > 2:
        names = [axis.quantity.title for axis in axes]
        with st.container(horizontal=True, key="hyperparameter-search-axes"):
            x = st.selectbox(
                "Across",
                range(len(axes)),
                0,
                names.__getitem__,
                key=f"hyperparameter-search-x-{len(axes)}",
            )
            others = [i for i in range(len(axes)) if i != x]
            y = st.selectbox(
                "Up", others, 0, names.__getitem__, key=f"hyperparameter-search-y-{len(axes)}-{x}"
            )
    plot(
        "hyperparameter-search-trials", views.scatter(now, THEMES[theme_name()], x, y), "The trials over two hyperparameters. The table has the best of them.",
        view=canonical_json([to_dict(search.space), x, y]), theme=theme_name(), link=sharing.query(),
    )  # fmt: skip


def _curves(search, now):
    if not len(now.ranking):
        st.markdown("No trial has ended yet.")
        return
    training = search.training
    plot(
        "hyperparameter-search-curves", views.best_curves(now, THEMES[theme_name()], training.split.rows / training.batch),
        f"Accuracy of the best {min(len(now.ranking), views.BEST)} over the epochs. The table has their ends.", view="curves", theme=theme_name(),
    )  # fmt: skip
    st.caption(
        "Best first. ✕: stopped early by halving. The number is the last accuracy on validation rows."
    )


def _compared(search, now):
    theme = THEMES[theme_name()]
    same = [
        t for t in lab.shelf(PAGE)["kept"].values() if _alike(t.search, search) and len(t.points)
    ]
    names = words.names([t.search for t in same])
    lines = [
        (name, t, style(i, theme)) for i, (name, t) in enumerate(zip(names, same, strict=True))
    ]
    if not lines:
        st.markdown("Nothing has been searched yet.")
        return
    plot(
        "hyperparameter-search-far",
        views.so_far(lines),
        "The best accuracy so far of each search. The table says the same.",
        view="far",
        theme=theme_name(),
    )
    table(words.compared(lines), "hyperparameter-search-compared")
    st.caption(
        "Searches of this session over the same ranges, with the same number of trials and the same training: choose another sampler, "
        "or halving, and search again. One search of each kind is an anecdote: another seed may turn the order round."
    )


def _alike(a, b):
    """Whether two searches differ in who proposes and who is stopped only."""
    return replace(a, sampler=b.sampler, halving=b.halving) == b


def _said(now, rows):
    """What the trials come to, in words, and a button where the range is too narrow."""
    if not now.winner:
        return
    for i, upper in words.at_border(now):
        wider = now.search.space.widened(i, upper)
        with st.container(key=f"hyperparameter-search-border-{i}"):
            st.warning(words.border_warning(now, i, upper), icon=":material/border_outer:")
            if wider != now.search.space:
                axis = wider.axes[i]
                st.button(
                    f"Widen it to 10{_raised(axis.low)} … 10{_raised(axis.high)} and search", key=f"widen-{i}-{upper}", icon=":material/open_in_full:",
                    on_click=_widen, args=(wider,),
                )  # fmt: skip
    if now.search.halving:
        st.markdown(words.saved(now))
    st.markdown(words.matters(now))
    if now.done:
        st.markdown(words.verdict(now, run.final_accuracy(now, rows), len(rows.t_test)))


def _raised(power):
    return f"{power:g}".translate(str.maketrans("-.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _widen(space):
    opening.put(PAGE, replace(session().specs["hyperparameter_search"], space=space))
    lab.run(PAGE, True)


def trials_csv(now: SearchState) -> str:
    """Every trial in full precision."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    keys = [
        axis.key if axis.key != "momentum" else "one_minus_momentum"
        for axis in now.search.space.axes
    ]
    write(["trial", *keys, "status", "iterations", "training_accuracy", "validation_accuracy"])
    statuses, values = words.statuses(now), now.values
    for t in range(len(now.points)):
        learnt, chosen = (
            ["", ""]
            if now.iterations[t] == 0
            else map(repr, map(float, now.accuracy[t, now.last[t]]))
        )
        write(
            [
                t + 1,
                *map(repr, map(float, values[t])),
                statuses[t],
                now.iterations[t],
                learnt,
                chosen,
            ]
        )
    return out.getvalue()
