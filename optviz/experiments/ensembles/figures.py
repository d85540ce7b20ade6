"""Accuracy over training, how many members are enough, and which of them disagree."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optviz.experiments import training_charts as charts
from optviz.experiments.ensembles.run import Ensemble
from optviz.experiments.ensembles.spec import Ensembles
from optviz.optim.schedules import SCHEDULES
from optviz.plot import (
    Axis,
    Dots,
    Figure,
    Line,
    Panel,
    Rule,
    Style,
    Theme,
    matrix,
    over_seeds,
    percent,
    stack,
    style,
    thin_indices,
)
from optviz.plot.series import mean_over_seeds
from optviz.plot.training import Network
from optviz.training import Progress, smoothed
from optviz.translation import _

MEMBER, SINGLE, ENSEMBLE = "member", "single", "ensemble"
WIDTHS = {MEMBER: 1, SINGLE: 2.4, ENSEMBLE: 3.4}
MIN_SPAN = 0.06  # of accuracy on an axis, or a difference of nothing would look like one
MARGIN = {"l": 58, "b": 40}
TALL, LOW = (15, 44, 32), 20


class Curve(NamedTuple):
    """An accuracy over training, and what its line is in the figure."""

    kind: str  # MEMBER, SINGLE or ENSEMBLE
    name: str
    x: np.ndarray
    y: np.ndarray
    dots: bool = False  # for curves known at a few iterations only


def _members(progress):
    name = _("seed {seed}")
    return [
        Curve(MEMBER, name.format(seed=seed), progress.evaluated, progress.accuracy[:, 1, 0, s])
        for s, seed in enumerate(progress.training.seeds)
    ]


def _mean(progress, kind, name):
    mean = mean_over_seeds(progress.accuracy[:, 1, 0])
    return Curve(kind, name, progress.evaluated, mean)


def independent(progress: Progress) -> list[Curve]:
    """Every network, their mean, and the ensemble."""
    together = progress.ensemble_accuracy[:, 1, 0]
    return [
        *_members(progress),
        _mean(progress, SINGLE, _("single network (mean)")),
        Curve(ENSEMBLE, _("ensemble"), progress.evaluated, together),
    ]


def snapshots(progress: Progress, ensembles: dict[int, Ensemble]) -> list[Curve]:
    """The run, the mean of its snapshots so far, and these together, at the end of every cycle."""
    ends = np.array(sorted(ensembles))
    so_far = [ensembles[t] for t in ends]
    mean = np.array([e.member_accuracies.mean() if len(e) else np.nan for e in so_far])
    together = np.array([e.accuracy for e in so_far])
    return [
        Curve(MEMBER, _("the run"), progress.evaluated, progress.accuracy[:, 1, 0, 0]),
        Curve(SINGLE, _("snapshots (mean)"), ends, mean, True),
        Curve(ENSEMBLE, _("snapshots together"), ends, together, True),
    ]


def averaging(raw: Progress, average: Progress) -> list[Curve]:
    """The points that every run visits, their mean accuracy, and that of the averaged weights."""
    return [
        *_members(raw),
        _mean(raw, SINGLE, _("last point (mean)")),
        _mean(average, ENSEMBLE, _("averaged weights (mean)")),
    ]


def styles(theme: Theme) -> dict[str, Style]:
    """Those of members, of one network and of the ensemble."""
    return {MEMBER: Style(theme.faint), SINGLE: style(1, theme), ENSEMBLE: style(0, theme)}


def limits_of(figures: list[list[Curve | Line]], iterations: int) -> list[tuple[float, float]]:
    """Limits of each figure for the accuracies after a fifth of the training.

    Their spans are equal, so that a gain looks as large in one figure as in the other.
    """
    ranges = []
    for curves in figures:
        late = np.concatenate([c.y[(c.x >= iterations / 5) & np.isfinite(c.y)] for c in curves])
        if not len(late):
            return [(0.0, 1.0)] * len(figures)
        ranges.append((late.min(), late.max()))
    span = max(MIN_SPAN, *(high - low for low, high in ranges)) * 1.1
    tops = [min(1.0 + span / 20, (low + high + span) / 2) for low, high in ranges]
    return [(float(top - span), float(top)) for top in tops]


def comparison_lines(lines: Sequence[Network], ensembles: Ensembles) -> list[Line]:
    """A line for each of a method's trainings with other settings: the networks together, or else
    their mean.
    """
    curves, is_ensemble = [], ensembles.view == "independent"
    for line in lines:
        progress = line.progress
        accuracy = progress.accuracy[:, 1, 0]
        y = progress.ensemble_accuracy[:, 1, 0] if is_ensemble else mean_over_seeds(accuracy)
        options = {"name": line.name, "uid": line.id, "width": 2.2, "hover": "{name}: {y:.1%}"}
        curves.append(Line(progress.evaluated, y, line.style, legend=True, **options))
    return curves


def over_training(curves, extra, limits, labels: str, ensembles: Ensembles, theme: Theme) -> Figure:
    """Members faint, one network dashed, the ensemble strong; under snapshots the cyclic rate.
    `extra` are lines of kept or previous runs, `labels` names the labels that are trained on.
    """
    styles_of, marks = styles(theme), [*extra]
    for i, (kind, name, x, y, dots) in enumerate(curves):
        marks.append(
            Line(
                x,
                y,
                styles_of[kind],
                name=name,
                uid=f"{kind}{i}",
                width=WIDTHS[kind],
                markers=dots,
                size=9,
                hover="{name}: {y:.1%}",
                opacity=0.5 if kind == MEMBER else None,
                legend=kind != MEMBER,
            )
        )
    x = Axis(_("iteration"), limits=(0, ensembles.iterations))
    y = percent(_("validation accuracy"), limits=limits)
    message = _(
        "Accuracy of members and ensemble, {labels}. The table below gives the latest values."
    )
    view, label = f"{ensembles.view} {ensembles.iterations}", message.format(labels=labels)
    figure = {"label": label, "margin": MARGIN, "height": TALL, "view": view}
    if ensembles.view != "snapshots":
        return Figure(marks, x, y, **figure)
    faint = Style(theme.faint, (3, 3))
    rules = [Rule(faint, x=t, width=1, across=True) for t in ensembles.ends]
    panels = [Panel([*marks, *rules], x, y), _rate(ensembles, theme)]
    return stack(panels, 0.08, (0.7, 0.22), **figure)


def _cyclic_rates(ensembles, iterations):
    training = ensembles.training_of("snapshots", 0.0)
    factor = training.optimizer.schedules["lr"].build(SCHEDULES)
    return np.array([ensembles.top * factor(int(t)) for t in iterations])


def _rate(ensembles, theme):
    t = np.arange(ensembles.iterations)[:: max(1, ensembles.iterations // 800)]
    options = {"name": _("learning rate"), "legend": False, "hover": "{name}: {y:.3g}"}
    rate = Line(t, _cyclic_rates(ensembles, t), Style(theme.ink), uid="rate", width=1.6, **options)
    return Panel([rate], y=Axis(_("rate"), limits=(0, 1.08 * ensembles.top), ticks=3))


def accuracy_by_size(ensembles: list[tuple[str, Ensemble]], theme: Theme) -> Figure:
    """Accuracy over the number of members: how many are enough."""
    marks, largest = [], 1
    for i, (name, ensemble) in enumerate(ensembles):
        accuracies, line_style = ensemble.accuracy_by_size(), style(i, theme)
        members = np.arange(1, len(accuracies) + 1)
        largest = max(largest, len(accuracies))
        marks.append(
            Line(
                members,
                accuracies,
                line_style,
                name=name,
                uid=f"enough{i}",
                width=2.6,
                markers=True,
                size=9,
                hover=_("{x} together, {name}: {y:.1%}"),
            )
        )
    return Figure(
        marks,
        Axis(_("members in the ensemble"), limits=(0.7, largest + 0.3), step=1),
        percent(_("validation accuracy"), limits=None),
        label=_("Accuracy over the number of members. The table below shows the same data."),
        margin=MARGIN,
        hover="closest",
        height=LOW,
    )


def disagreement(ensemble: Ensemble, name: str, theme: Theme) -> Figure:
    """The share of the validation set on which two members disagree, as a matrix."""
    z = ensemble.disagreement
    names = [f"{i + 1}" for i in range(len(z))]
    label = _("Share of the validation set on which two members give different answers, {labels}.")
    return matrix(
        z,
        names,
        names,
        (theme.high, theme.low),
        [[f"{100 * share:.1f}" for share in row] for row in z],
        {theme.ink: ~np.eye(len(z), dtype=bool)},
        span=(0, max(float(z.max()), 1e-3)),
        titles=(_("{labels}: % answered differently").format(labels=name), _("member")),
        gap=2,
        hover=_("members {y} and {x}: {text}%"),
        label=label.format(labels=name),
        margin=MARGIN,
        height=LOW,
    )


def losses(raw: Progress, average: Progress, labels: str, theme: Theme) -> Figure:
    """The smoothed loss at the points visited and at their average: the median over the seeds."""
    marks, top = [], 0.5
    label = _("Loss at the last point and at the averaged weights, {labels}.")
    for kind, name, progress in (
        (SINGLE, _("last point"), raw),
        (ENSEMBLE, _("averaged weights"), average),
    ):
        if not len(progress.loss):
            continue
        y = over_seeds(smoothed(progress.loss[:, 0]))[0]
        i = thin_indices(len(y))
        top = max(top, float(np.nanmax(y[: len(y) // 20 + 1], initial=0.0)))
        options = {"name": name, "uid": f"loss{kind}", "width": 2.2, "hover": "{name}: {y:.3g}"}
        marks.append(Line(i + 1, y[i], styles(theme)[kind], **options))
    return Figure(
        marks,
        Axis(_("iteration"), limits=(0, raw.training.iterations)),
        Axis(_("loss of a mini-batch"), limits=(0, 1.05 * min(top, 10.0))),
        label=label.format(labels=labels),
        margin=MARGIN,
        height=LOW,
    )


def thumbnail(ensembles: Ensembles, theme: Theme) -> Figure:
    """The chosen method, with a short training where it needs one."""
    styles_of = styles(theme)
    if ensembles.view == "snapshots":
        t = np.linspace(0, ensembles.iterations - 1, 240).astype(int)
        ends = np.array(ensembles.ends)
        dots = Dots(ends, 0 * ends, styles_of[ENSEMBLE], size=10)
        return Figure([Line(t, _cyclic_rates(ensembles, t), styles_of[SINGLE]), dots])
    if ensembles.view == "independent":
        progress = _train(ensembles, "independent", 10)
        curves = [
            *_members(progress),
            Curve(ENSEMBLE, "", progress.evaluated, progress.ensemble_accuracy[:, 1, 0]),
        ]
    else:
        # so that the average forgets as much in the short training as in the full one
        decay = ensembles.decay ** max(1, ensembles.iterations / charts.PREVIEW)
        quick = replace(ensembles, members=1, decay=decay)
        curves = [
            _mean(_train(quick, method, 2), kind, "")
            for method, kind in (("independent", SINGLE), ("averaging", ENSEMBLE))
        ]
    widths = {MEMBER: 1.0, SINGLE: 1.6, ENSEMBLE: 3.0}
    marks = [
        Line(c.x, c.y, styles_of[c.kind], width=widths[c.kind], uid=f"{i}")
        for i, c in enumerate(curves)
    ]
    return Figure(marks)


def _train(ensembles, method, eval_every):
    training = ensembles.training_of(method, ensembles.noises[0])
    return charts.train_preview(training, charts.PREVIEW, eval_every)
