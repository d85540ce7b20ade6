"""The page: hyperparameters are tried in batches, and appear as they finish."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.hyperparameter_search import figures, text
from optviz.experiments.hyperparameter_search import parallel as lines_across
from optviz.experiments.hyperparameter_search.form import adjusted, searched
from optviz.experiments.page import (
    Caption,
    Context,
    Download,
    Option,
    Page,
    Row,
    Script,
    Section,
    Tab,
    View,
    Widget,
)
from optviz.experiments.test_set import evaluate_once
from optviz.experiments.training_charts import paced
from optviz.plot import style
from optviz.plot.table import csv_text
from optviz.spec import canonical_json, to_dict, validate
from optviz.translation import N_, _
from optviz.tuning import RIVALS, Halving, Interval, Search, SearchJob, split_data
from optviz.tuning.search import final_accuracies
from optviz.ui.components import button, show
from optviz.ui.controls import Menu, Panel, Several, Toggle, When
from optviz.ui.job_runner import run
from optviz.ui.session import session
from optviz.ui.training.data_source import source_of
from optviz.ui.training.form import ACTIVATION, INITIALIZER, Data, Numbers, OptimizerForm
from optviz.ui.training.jobs import data_of, loader_of

KEY = "hyperparameter_search"


def jobs(search: Search) -> list[SearchJob]:
    """The search itself, and its rivals."""
    source = source_of(search.dataset.key)[0]
    return [SearchJob(s, loader_of(s.base), source) for s in search.searches]


# What is shown.


@paced
def trials(context):
    """The trials over two of the hyperparameters."""
    x, y = context.options["x"], context.options["y"]
    return figures.trials(context.states[0], context.theme, x, y, context.spec.shown)


def parallel(context):
    """The trials as lines across all hyperparameters, where dragging filters them."""
    figure = lines_across.parallel(context.states[0], context.theme, context.spec.shown)
    key = f"{KEY}-parallel"
    caption = _(
        "Drag along an axis to show only the trials with these values, in every chart and in the "
        "table; click on it to show all again. You can also move the ends with the arrow keys."
    )
    return [Widget(lambda: show(key, figure, on_brush=_filter)), Caption(caption)]


def _filter(ranges):
    """Set the filter that the browser sends, if it is valid."""
    try:
        shown = tuple(Interval(key, float(low), float(high)) for key, (low, high) in ranges.items())
        spec = replace(session().specs[KEY], shown=shown)
        validate(spec)
    except (AttributeError, TypeError, ValueError):
        return
    session().specs[KEY] = spec
    st.session_state["_filtered"] = True


def filter_summary(context):
    """How many trials are shown, and a button for all, where a filter is set."""
    if st.session_state.pop("_filtered", False):
        return Widget(st.rerun)  # the address, too, says what is shown
    if not context.spec.shown or not len(context.states[0].points):
        return None
    mask, spec = _shown_mask(context), context.spec

    def draw():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(text.filter_summary(spec, mask), width="stretch")
            key = session().key("show-all")
            button(_("Show all trials"), key, _filter, {}, icon="filter_alt_off")

    return Widget(draw)


def _shown_mask(context):
    return context.spec.keeps(context.states[0].points, context.states[0].scores)


def _ranking(context):
    """The trials that have ended and are shown, the best first."""
    ranking = context.states[0].ranking
    return ranking[_shown_mask(context)[ranking]]


def importances(context):
    """How much each hyperparameter matters."""
    state = context.states[0]
    if not state.done:
        return _("This is computed when the search is over.")
    if not state.importance.readable:
        return text.not_readable(state)
    parts = [figures.importances(state, context.theme), text.importance_table(state)]
    return [*parts, Caption(text.importance_defined(state))]


def curves(context):
    """The curves of the best trials."""
    state = context.states[0]
    if not len(state.ranking):
        return _("No trial has ended yet.")
    if not len(ranking := _ranking(context)):
        return None
    caption = _(
        "Best first. ✕: stopped early by halving. The number is the last accuracy on the "
        "validation set."
    )
    return [figures.best_curves(state, context.theme, ranking), Caption(caption)]


@paced
def searches(context):
    """The search and its rivals, which differ only in sampler and early stopping."""
    theme = context.theme
    lines = [
        (text.search_name(state.search), state, style(i, theme))
        for i, state in enumerate(context.states)
        if len(state.points)
    ]
    if not lines:
        return _("Nothing has been searched yet.")
    masks = [context.spec.keeps(state.points, state.scores) for _name, state, _style in lines]
    caption = _(
        "All of them search the same ranges, with the same number of trials, the same training "
        "and the same seed; choose others under “Side by side with”. One search of each kind is "
        "an anecdote: another seed may reverse the order."
    )
    planes = [[f"**{name}**", figures.trials(state, theme)] for name, state, _style in lines]
    side_by_side = [Row(planes[i : i + 2]) for i in range(0, len(planes), 2)]
    several = len(lines) > 1 and len(context.spec.space.axes) > 1
    progress = figures.best_so_far(lines, masks, context.options["by"])
    parts = [progress, text.comparison(lines), Caption(caption)]
    return [*(side_by_side if several else ()), *parts]


def remarks(context):
    """Remarks on the trials, and a button where the range is too narrow."""
    state = context.states[0]
    if not state.winner:
        return None
    space = state.search.space
    borders = space.border(state.points[state.winner.trial])
    return [
        *(Widget(lambda border=border: _border(state, *border)) for border in borders),
        text.saved(state) if state.search.halving else None,
        text.correlations(state),
        _test(context) if all(other.done for other in context.states) else None,
    ]


def _test(context):
    """A button to evaluate on the test set, and the winner's result there."""
    winner = max(context.states, key=lambda state: state.scores[state.winner.trial])
    key = canonical_json(to_dict([winner.search, winner.winner.trial]))
    data = split_data(context.spec, data_of(context.spec.base))

    def draw():
        accuracies = evaluate_once(key, lambda: final_accuracies(winner, data))
        if accuracies is not None:
            alone, together = accuracies
            n_trials = sum(len(state.points) for state in context.states)
            st.markdown(text.verdict(winner, alone, len(data.t_test), n_trials))
            if len(winner.winners) > 1:
                st.markdown(text.together(len(winner.winners), together))

    return Widget(draw)


def _border(state, i, upper):
    st.warning(text.border_warning(state, i, upper), icon=":material/border_outer:")
    widened = state.search.space.widened(i, upper)
    if widened == state.search.space:
        return

    def widen():
        session().show(KEY, replace(state.search, space=widened))
        run(KEY)

    label = text.widen(widened.axes[i].low, widened.axes[i].high)
    button(label, session().key(f"widen-{i}-{upper}"), widen, icon="open_in_full")


def best(context):
    """The best trials in numbers."""
    state = context.states[0]
    return text.best_table(state, _ranking(context)) if len(state.ranking) else None


def trials_csv(context: Context) -> str:
    """Every trial in full precision."""
    state = context.states[0]
    keys = ["one_minus_momentum" if a.key == "momentum" else a.key for a in state.search.space.axes]
    columns = ["trial", *keys, "status", "iterations", "training_accuracy", "validation_accuracy"]
    rows = []
    for t, (values, status) in enumerate(zip(state.values, state.statuses, strict=True)):
        n = int(state.iterations[t])
        pair = state.accuracy[t, state.last[t]] if n else (None, None)
        rows.append([t + 1, *values, text.STATUSES[status], n, *pair])
    return csv_text(columns, rows)


def script(search: Search, states) -> Script:
    """The search, with all its samplers; if its optimizer is a fork, the first one's trials."""
    exported = None if search.optimizer.fork else search
    return Script(states[0].trainings, search.validation, exported)


# The two hyperparameters over which the trials are shown, if there are more.


def _titles(context, excluded=()):
    axes = context.spec.space.axes
    titles = {i: _(axis.declared.title) for i, axis in enumerate(axes) if i not in excluded}
    return titles if len(axes) > 2 else {}


def _others(context):
    return _titles(context, (context.options["x"],))


ACROSS = Option("x", _("Across"), 0, _titles, menu=True)
UP = Option("y", _("Up"), lambda context: int(context.options["x"] == 0), _others, menu=True)
BY = Option("by", _("Over"), "work", {"work": _("Work"), "trials": _("Trials")})
SUMMARY = (remarks, best)
PLANE = Section([trials, *SUMMARY], [ACROSS, UP])


def _rival(key):
    return RIVALS[key].label


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
                Several("rivals", _("Side by side with"), list(RIVALS), _rival, RIVALS),
                Panel(_("Search"), ("trials", "validation", "seed")),
                Toggle(
                    "halving",
                    _("Stop hopeless trials early"),
                    _("Successive halving: at each rung only the best part goes on."),
                    on=Halving(),
                    off=None,
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
                        "For a searched hyperparameter, the trial's value replaces the one that "
                        "is set here."
                    )
                ),
            ],
            jobs=jobs,
            tabs=[
                Tab(_("Trials"), [filter_summary, PLANE]),
                Tab(_("Parallel coordinates"), [parallel, filter_summary, PLANE]),
                Tab(_("Importance"), [importances, *SUMMARY]),
                Tab(_("Best curves"), [filter_summary, curves, *SUMMARY]),
                Tab(_("Side by side"), [filter_summary, Section([searches, *SUMMARY], [BY])]),
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
            script=script,
        )
    },
    adjusted=adjusted,
    thumbnail=figures.thumbnail,
)
