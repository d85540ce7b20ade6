"""The page: hyperparameters are tried in batches, and appear as they finish."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.hyperparameter_search import figures, text
from optviz.experiments.hyperparameter_search.form import adjusted, searched
from optviz.experiments.page import (
    Caption,
    Context,
    Download,
    Option,
    Page,
    Script,
    Section,
    Tab,
    View,
    Widget,
)
from optviz.plot import style
from optviz.plot.table import csv_text
from optviz.translation import N_, _
from optviz.tuning import Halving, Search, SearchData, SearchJob, split_data
from optviz.ui.controls import Menu, Panel, Toggle, When
from optviz.ui.data_source import source_of
from optviz.ui.job_runner import run
from optviz.ui.session import session
from optviz.ui.training_form import ACTIVATION, INITIALIZER, Data, Numbers, OptimizerForm
from optviz.ui.training_jobs import data_of, loader_of

KEY = "hyperparameter_search"


def data_of_search(search: Search) -> SearchData:
    """Its examples, split."""
    return split_data(search, data_of(search.base))


def jobs(search: Search) -> list[SearchJob]:
    """The search itself."""
    return [SearchJob(search, loader_of(search.base), source_of(search.dataset.key)[0])]


# What is shown.


def trials(context):
    """The trials over two of the hyperparameters."""
    x, y = context.options["x"], context.options["y"]
    return figures.trials(context.states[0], context.theme, x, y)


def curves(context):
    """The curves of the best trials."""
    state = context.states[0]
    if not len(state.ranking):
        return _("No trial has ended yet.")
    caption = _(
        "Best first. ✕: stopped early by halving. The number is the last accuracy on the "
        "validation set."
    )
    return [figures.best_curves(state, context.theme), Caption(caption)]


def compared(context):
    """The searches of this session that differ in who proposes and who is stopped only."""
    search, found = context.spec, session().results_of(KEY).states.values()
    alike = [
        state
        for state in found
        if len(state.points)
        and replace(state.search, sampler=search.sampler, halving=search.halving) == search
    ]
    lines = [
        (text.search_name(state.search), state, style(i, context.theme))
        for i, state in enumerate(alike)
    ]
    if not lines:
        return _("Nothing has been searched yet.")
    caption = _(
        "Searches of this session over the same ranges, with the same number of trials and the "
        "same training: choose another sampler, or halving, and search again. One search of each "
        "kind is an anecdote: another seed may turn the order round."
    )
    return [figures.best_so_far(lines), text.comparison(lines), Caption(caption)]


def remarks(context):
    """What the trials come to, in words, and a button where the range is too narrow."""
    state = context.states[0]
    if not state.winner:
        return None
    space = state.search.space
    borders = space.border(state.points[state.winner.trial])
    return [
        *(Widget(lambda at=at: _border(state, *at)) for at in borders),
        text.saved(state) if state.search.halving else None,
        text.correlations(state),
        text.verdict(state, data_of_search(state.search)) if state.done else None,
    ]


def _border(state, i, upper):
    st.warning(text.border_warning(state, i, upper), icon=":material/border_outer:")
    wider = state.search.space.widened(i, upper)
    if wider == state.search.space:
        return

    def widen():
        session().show(KEY, replace(state.search, space=wider))
        run(KEY)

    st.button(
        text.widen(wider.axes[i].low, wider.axes[i].high),
        key=session().key(f"widen-{i}-{upper}"),
        icon=":material/open_in_full:",
        on_click=widen,
    )


def best(context):
    """The best trials in numbers."""
    state = context.states[0]
    return text.best_table(state) if len(state.ranking) else None


def trials_csv(context: Context) -> str:
    """Every trial in full precision."""
    [state] = context.states
    keys = ["one_minus_momentum" if a.key == "momentum" else a.key for a in state.search.space.axes]
    columns = ["trial", *keys, "status", "iterations", "training_accuracy", "validation_accuracy"]
    rows = []
    for t, (values, status) in enumerate(zip(state.values, state.statuses, strict=True)):
        n = int(state.iterations[t])
        pair = state.accuracy[t, state.last[t]] if n else (None, None)
        rows.append([t + 1, *values, text.STATUSES[status], n, *pair])
    return csv_text(columns, rows)


# The two hyperparameters over which the trials are shown, where there are more.


def _titles(context, without=()):
    axes = context.spec.space.axes
    found = {i: _(axis.declared.title) for i, axis in enumerate(axes) if i not in without}
    return found if len(axes) > 2 else {}


def _others(context):
    return _titles(context, (context.options["x"],))


ACROSS = Option("x", _("Across"), 0, _titles, menu=True)
UP = Option("y", _("Up"), lambda context: int(context.options["x"] == 0), _others, menu=True)
SUMMARY = (remarks, best)

PAGE = Page(
    KEY,
    N_("Hyperparameter search"),
    "travel_explore",
    N_("Which settings should be tried?"),
    "Training lab",
    Search(),
    {
        "": View(
            form=[
                Menu("sampler", about=True),
                Panel(_("Search"), ("trials", "validation", "seed")),
                Toggle(
                    "halving",
                    _("Stop hopeless trials early"),
                    _("Successive halving: at each rung only the best part goes on."),
                    on=Halving,
                ),
                When(
                    lambda search: search.halving is not None,
                    (Panel(_("Halving"), ("halving.factor", "halving.first")),),
                ),
                searched,
                lambda form: st.markdown(f"**{_('What all trials share')}**"),
                Data(),
                ACTIVATION,
                When(
                    lambda search: "sigma" not in [axis.key for axis in search.space.axes],
                    (INITIALIZER,),
                ),
                Numbers("hidden", "units", "batch", "iterations", "split.rows"),
                OptimizerForm(schedule=False),
                lambda form: st.caption(
                    _(
                        "A searched hyperparameter has the trial's value in place of the one "
                        "that is set here."
                    )
                ),
            ],
            jobs=jobs,
            tabs=[
                Tab(_("Trials"), [Section([trials, *SUMMARY], [ACROSS, UP])]),
                Tab(_("Best curves"), [curves, *SUMMARY]),
                Tab(_("Side by side"), [compared, *SUMMARY]),
            ],
            notes=[text.notes],
            downloads=[
                Download(
                    _("Trials as CSV"),
                    "trials",
                    trials_csv,
                    ready=lambda context: len(context.states[0].ranking) > 0,
                )
            ],
            verb=_("Search"),
            script=lambda search, states: Script(states[0].trainings, search.validation),
        )
    },
    adjusted=adjusted,
    thumbnail=figures.thumbnail,
)
