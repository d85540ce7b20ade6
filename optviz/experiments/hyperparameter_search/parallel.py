"""The trials across all hyperparameters; the filter and hover texts of every chart of trials."""

from collections.abc import Sequence

import numpy as np

from optviz.experiments.hyperparameter_search.text import STATUSES
from optviz.plot import (
    Axis,
    Bundle,
    Figure,
    Style,
    Theme,
    brush,
    number,
    parallel_coordinates,
    percentage,
)
from optviz.spec import canonical_json, to_dict
from optviz.translation import _
from optviz.tuning import SCORE, Interval, SearchState, Status


def parallel(state: SearchState, theme: Theme, shown: Sequence[Interval]) -> Figure:
    """A line for each trial, through its hyperparameters to its validation accuracy."""
    statuses, names = state.statuses, {k: _(v) for k, v in STATUSES.items()}
    done, leaders = statuses == Status.COMPLETED, state.ranking[: max(1, len(state.points) // 10)]
    leaders = leaders[done[leaders]]
    others = np.setdiff1d(np.flatnonzero(done), leaders)
    ordinary_color, best_color = theme.lines[:2]
    bundles = [
        Bundle(names[Status.COMPLETED], others, Style(ordinary_color), opacity=0.6),
        *(
            Bundle(names[status], np.flatnonzero(statuses == status), Style(theme.faint, dashes))
            for status, dashes in ((Status.STOPPED, (9, 5)), (Status.DIVERGED, (2, 3)))
        ),
        Bundle(_("the best tenth"), leaders, Style(best_color), width=3),
    ]
    texts = hover_texts(state, range(len(state.points)))
    extra = brushing(state, shown)
    extra["meta"]["brush"]["handles"] = True
    best = state.winner.trial if state.winner else None
    return parallel_coordinates(
        _axes_of(state),
        _columns(state),
        bundles,
        texts,
        theme,
        best,
        percentage(state.scores[best]) if state.winner else "",
        label=_(
            "One line per trial, across an axis for each hyperparameter and one for the accuracy. "
            "Both ends of each axis can be moved; the table has the best of the trials shown."
        ),
        view=canonical_json([to_dict(state.search.space), "parallel"]),
        height=(22, 50, 40),
        extra=extra,
    )


def _axes_of(state):
    axes = [
        Axis(
            f"{_(axis.declared.title)} {axis.declared.symbol}",
            limits=(10.0**axis.low, 10.0**axis.high),
            log=True,
        )
        for axis in state.search.space.axes
    ]
    return [*axes, Axis(_("validation accuracy"), limits=(0.0, 1.0))]


def _columns(state):
    return np.column_stack([state.values, state.scores])


def brushing(state: SearchState, shown: Sequence[Interval]) -> dict:
    """The filter of the trials, for the `extra` of their figures."""
    keys = [axis.key for axis in state.search.space.axes] + [SCORE]
    ranges = {r.key: (r.low, r.high) for r in shown if r.key in keys}
    return brush(keys, _axes_of(state), _columns(state), ranges)


def hover_texts(state: SearchState, trials) -> list[str]:
    """The hover texts of trials: status and all searched hyperparameters."""
    statuses, texts = state.statuses, []
    for t in trials:
        status = _(STATUSES[statuses[t]])
        lines = [_("trial {t}, {status}").format(t=t + 1, status=status), *settings(state, t)]
        if state.iterations[t]:
            lines.append(_("validation {accuracy}").format(accuracy=percentage(state.scores[t])))
        texts.append("<br>".join(lines))
    return texts


def settings(state: SearchState, trial: int) -> list[str]:
    """All searched hyperparameters of a trial."""
    pairs = zip(state.search.space.axes, state.values[trial], strict=True)
    return [f"{_(axis.declared.title)} {number(value, 3)}" for axis, value in pairs]
