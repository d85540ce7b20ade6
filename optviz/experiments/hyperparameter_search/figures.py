"""Where the trials lie and how good they are, the best ones' curves, searches side by side."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from textwrap import wrap

import numpy as np

from optviz.experiments.hyperparameter_search.parallel import brushing, hover_texts, settings
from optviz.experiments.hyperparameter_search.text import STATUSES
from optviz.plot import (
    LIGHT,
    Axis,
    Bars,
    Dots,
    Figure,
    Line,
    Panel,
    Style,
    Theme,
    categories,
    fill_template,
    grid,
    marginals,
    percent,
    percentage,
)
from optviz.spec import canonical_json, to_dict
from optviz.translation import _
from optviz.tuning import Interval, Search, SearchState, Status

BEST, COLUMNS = 20, 5  # curves of the best, and how many of them in a row
PREVIEW = 36  # trials in a thumbnail
# From a poor accuracy to a good one: on both backgrounds the good ones stand out most.
LIGHT_COLORS, DARK_COLORS = ("#cfd9e3", "#5aa9d6", "#08306b"), ("#3a4d61", "#56b4e9", "#ffffff")
# How a trial is drawn: its marker, its size (None: by its score), its opacity, its edge.
LOOKS = {
    Status.COMPLETED: ("circle", None, 0.95, 0.8),
    Status.STOPPED: ("x-thin-open", 9.0, 0.95, 1.6),
    Status.DIVERGED: ("triangle-down-open", 9.0, 0.95, 1.6),
    Status.RUNNING: ("circle-open", None, 0.95, 2),
    Status.WAITING: ("circle", 4.0, 0.5, 0.8),
}


def trials(
    state: SearchState, theme: Theme, x: int = 0, y: int = 1, shown: Sequence[Interval] = ()
) -> Figure:
    """The trials over two of the hyperparameters, and the accuracy along each of the two; only
    those within the intervals `shown`.

    A good trial is large and strong in color; the best has a ring and its accuracy beside it.
    """
    axes = state.search.space.axes
    groups = [_with_status(state, status, theme, x, y) for status in LOOKS]
    if state.winner:
        groups.append(_ring(state, theme, x, y))
    main, above, beside = (
        [mark for group in groups for mark in group[k : k + 1]] for k in range(3)
    )
    share = percent(
        _("accuracy"), (-0.03, 1.06), ticks=(0, 0.5, 1), fixed=True, title_size=12, standoff=4
    )
    return marginals(
        Panel(main, _axis(axes[x]), _axis(axes[y])),
        Panel(above, y=share),
        Panel(beside, x=replace(share, tick_angle=0, ticks=2)),
        label=_("The trials, plotted against two hyperparameters. The table has the best of them."),
        view=canonical_json([to_dict(state.search.space), x, y]),
        margin={"r": 14, "b": 44},
        height=(22, 58, 46),
        extra=brushing(state, shown),
    )


def importances(state: SearchState, theme: Theme) -> Figure:
    """How much of the variance each hyperparameter explains alone, and with the others."""
    importance, axes = state.importance, state.search.space.axes
    x = np.arange(len(axes), dtype=float)
    interaction = np.maximum(importance.total - importance.first_order, 0)
    names = ["<br>".join(wrap(_(axis.declared.title), 10)) for axis in axes]
    bars = (
        (_("alone"), importance.first_order, -0.2, theme.lines[0], ""),
        (_("together with the others"), interaction, 0.2, theme.lines[1], "/"),
    )
    return Figure(
        [
            Bars(
                x + shift,
                share,
                color,
                width=0.36,
                name=name,
                uid="others" if hatch else "alone",
                hover="{name}: {y:.1%}",
                extra={"marker": {"color": color, "pattern": {"shape": hatch}}},
            )
            for name, share, shift, color, hatch in bars
        ],
        categories(names, tick_angle=0),
        percent(_("share of the variance")),
        label=_("How much each hyperparameter matters. The table has the same numbers."),
        view="importance",
        margin={"b": 62},
        height=(16, 40, 30),
    )


def _axis(axis):
    room = 0.03 * (axis.high - axis.low)
    return Axis(
        f"{_(axis.declared.title)} {axis.declared.symbol}",
        limits=(10 ** (axis.low - room), 10 ** (axis.high + room)),
        log=True,
        step=1 if axis.high - axis.low <= 4 else 2,
        tick_angle=0,
        standoff=4,
    )


def _with_status(state, status, theme, x, y):
    """Trials of one status: over the two hyperparameters, and their accuracy along each."""
    rows, name = np.flatnonzero(state.statuses == status), _(STATUSES[status])
    values, scores = state.values[rows], np.nan_to_num(state.scores[rows])
    marker, size, alpha, edge_width = LOOKS[status]
    edge = "" if status == Status.RUNNING else theme.faint  # only the edge of these is seen
    options = {"alpha": alpha, "edge": edge, "edge_width": edge_width, "legend": len(rows) > 0}
    if size is None:
        size = (6 + 14 * scores**2).round(1)
        colors = LIGHT_COLORS if theme == LIGHT else DARK_COLORS
        options |= {"shade": scores.round(3), "colors": colors}
    options |= {"size": size, "meta": {"trials": rows.tolist()}, "hover": hover_texts(state, rows)}
    key, style = status.name.lower(), Style(theme.faint, marker=marker)
    main = Dots(values[:, x], values[:, y], style, uid=key, name=name, group=name, **options)
    return [main] if status == Status.WAITING else _in_all_panels(main, scores, size=6, alpha=0.9)


def _ring(state, theme, x, y):
    """The best trial in each of the three panels."""
    best, color = state.winner.trial, theme.lines[1]
    value, score, on_left = state.values[best], state.scores[best], state.points[best, x] > 0.7
    accuracy = f"<b>{percentage(score)}</b>"
    main = Dots(
        [value[x]],
        [value[y]],
        Style(color, marker="circle-open"),
        name=_("the best"),
        uid="best",
        group="best",
        legend=True,
        meta={"trials": [best]},
        size=25,
        edge=color,
        edge_width=3,
        text=[f"{accuracy}   " if on_left else f"   {accuracy}"],
        text_position="middle left" if on_left else "middle right",
    )
    return _in_all_panels(main, [score], size=13, text=None)


def _in_all_panels(main, scores, **small):
    """Dots over two hyperparameters, and smaller ones with their scores along each of the two."""
    small = replace(main, legend=False, **small)
    above = replace(small, y=scores, uid=f"{main.uid} above")
    return [main, above, replace(small, x=scores, uid=f"{main.uid} beside")]


def best_curves(state: SearchState, theme: Theme, ranking) -> Figure:
    """A small chart for each of the first of a ranking, as in figure 6.24."""
    best, epoch = ranking[:BEST], state.search.epoch
    parts = (  # validation and training, as accuracies have them
        (1, _("on the validation set"), Style(theme.lines[0]), 2.4),
        (0, _("on the training set"), Style(theme.lines[1], (6, 4)), 1.6),
    )
    hover = _("Best-{place}, {name}: {y:.1%}, epoch {x:.3g}")
    panels = []
    for i, trial in enumerate(best):
        lines = []
        for part, name, line_style, width in parts:
            curve = state.accuracy[trial, :, part]
            finite = np.isfinite(curve)
            options = {"name": name, "group": name, "legend": i == 0, "uid": f"{part}-{i}"}
            options["hover"] = "<br>".join(
                [fill_template(hover, place=i + 1), *settings(state, trial)]
            )
            x = state.search.evaluated[finite] / epoch
            lines.append(Line(x, curve[finite], line_style, width=width, **options))
        stopped = " ✕" if state.stopped[trial] else ""
        panels.append(
            Panel(
                lines,
                Axis(_("epoch"), limits=(0, state.search.iterations / epoch), ticks=4),
                percent(limits=(0, 1.03), ticks=(0, 0.5, 1)),
                title=f"{i + 1}: {percentage(state.scores[trial])}{stopped}",
            )
        )
    return grid(
        panels,
        COLUMNS,
        gap=(0.02, 0.27 / max(-(-len(best) // COLUMNS), 1)),
        share_x=True,
        share_y=True,
        legend="window",
        label=_(
            "Accuracy of the best {n} trials over the epochs. The table has their last accuracies."
        ).format(n=len(best)),
        view="curves",
        margin={"l": 44, "r": 8, "t": 46, "b": 34},
        height=(28, 74, 52),
    )


def best_so_far(
    lines: list[tuple[str, SearchState, Style]], masks: list[np.ndarray], by: str
) -> Figure:
    """The best accuracy so far of each search over its work, or over its trials.

    Only trials in the search's mask, bool `(n,)`, count as best; but all of them count as work.
    """
    marks, right = [], 1.0
    for i, ((name, state, line_style), mask) in enumerate(zip(lines, masks, strict=True)):
        work, best, ended = progress(state, mask)
        work = work if by == "work" else np.arange(1.0, len(work) + 1)
        right = max(right, float(state.search.trials), *work[-1:])
        line = {"name": name, "uid": f"far{i}", "size": 7, "legend": True}
        line["hover"] = [
            f"{escape(name)}: {percentage(y)}<br>{text}"
            for y, text in zip(best, hover_texts(state, ended), strict=True)
        ]
        marks.append(Line(work, best, line_style, shape="hv", markers=8, **line))
    title = _("work, in whole trainings") if by == "work" else _("trials that have ended")
    return Figure(
        marks,
        Axis(title, limits=(0, 1.02 * right)),
        percent(_("best validation accuracy so far")),
        label=_("The best accuracy so far of each search. The table has the last values."),
        view=f"far {by}",
        hover="closest",
        height=(16, 46, 34),
    )


def progress(state: SearchState, mask) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Work `(k,)` in whole trainings and the best accuracy `(k,)` after each trial that ended
    `(k,)`; the best of those in `mask`.
    """
    ended = np.flatnonzero(state.ended)
    work = np.cumsum(state.iterations[ended]) / state.search.iterations
    counts = (state.completed & mask)[ended]
    return work, np.maximum.accumulate(np.where(counts, state.scores[ended], 0.0)), ended


def thumbnail(search: Search, theme: Theme) -> Figure:
    """The points of a search, with ticks for their values on two sides; the scores are made up."""
    search = replace(search, trials=min(search.trials, PREVIEW))
    points = np.empty((0, len(search.space.axes)))
    for i in range(len(search.rounds)):
        points = np.concatenate([points, search.propose(i, points, _fake_scores(points))])
    u, v = points[:, :2].T
    ticks, gap = np.full(len(u), np.nan), np.full(len(u), -0.06)
    ends = np.stack([gap, gap + 0.05, ticks], -1).ravel()
    line_style = Style(theme.lines[1])
    return Figure(
        [
            Dots(u, v, Style(theme.lines[0]), size=4 + 9 * _fake_scores(points)),
            Line(np.stack([u, u, ticks], -1).ravel(), ends, line_style, width=1.2),
            Line(ends, np.stack([v, v, ticks], -1).ravel(), line_style, width=1.2),
        ],
        Axis(limits=(-0.06, 1.04)),
        Axis(limits=(-0.06, 1.04)),
    )


def _fake_scores(points):
    return np.exp(-8 * (points[:, 0] - 0.8) ** 2)
