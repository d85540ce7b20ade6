"""The effect of regularizers: the gap of each, their differences seed by seed, their weights."""

from dataclasses import replace

import numpy as np

from optviz.experiments import training_charts as charts
from optviz.experiments.page import Row
from optviz.experiments.regularization import run
from optviz.plot import (
    Axis,
    Band,
    Dots,
    Figure,
    Line,
    Note,
    Style,
    Theme,
    categories,
    curve_with_band,
    fill_template,
    histogram_outline,
    percent,
    percentage_points,
    style,
)
from optviz.plot.series import mean_over_seeds
from optviz.plot.training import Network, Scale
from optviz.translation import _

COLUMNS = 4  # gaps side by side; more of them stand in rows of three
BINS = 81  # of the weights' histogram
LONG = 24  # characters of a name that stand over a small figure
PREVIEW = 150  # iterations that a thumbnail shows
DOTTED = (2, 3)
MARGIN = {"l": 56}


def scale_of(spec) -> Scale:
    """Curves are drawn along the epochs."""
    return Scale("epochs", spec.iterations, spec.epoch)


@charts.shared
def gaps(context) -> list[Row]:
    """Training and validation accuracy of every regularizer, side by side."""
    spec, lines, noise = context.spec, context.lines, context.spec.split.noise
    columns = len(lines) if len(lines) <= COLUMNS else COLUMNS - 1
    iteration, outcomes = run.outcomes(context.states)
    panels = []
    for line, outcome in zip(lines, outcomes, strict=True):
        mean_gap = mean_over_seeds(outcome.gap) if iteration else np.nan
        panels.append(gap(line, scale_of(spec), context.theme, mean_gap, noise))
    panels += [None] * (-len(panels) % columns)
    return [Row(panels[i : i + columns]) for i in range(0, len(panels), columns)]


def gap(
    line: Network, scale: Scale, theme: Theme, gap: float = np.nan, noise: float = 0.0
) -> Figure:
    """Training and validation accuracy of one network, and between them, hatched, the `gap`.

    With wrong labels, a dotted line marks the accuracy of a network that has learned only the right
    ones.
    """
    uid, name, state, i, line_style = line
    x, accuracy = scale.positions(state, state.evaluated), state.accuracy[:, :, i]
    training, validation = mean_over_seeds(accuracy).T
    hatched = {"opacity": 0.5, "hatched": True, "legend": False}
    marks = [Band(x, training, validation, line_style.color, uid=f"{uid}gap", **hatched)]
    for k, part, middle, part_style, options in (
        (0, _("training"), training, Style(theme.faint), {"width": 1.6}),
        (1, _("validation"), validation, line_style, {"width": 2.6, "markers": 7, "size": 7}),
    ):
        marks += curve_with_band(
            x,
            accuracy[:, k],
            part_style,
            name=part,
            uid=f"{uid}{k}",
            hover="{name}: {y:.1%}",
            band=0.22,
            middle=middle,
            **options,
        )
    if np.isfinite(validation).any():
        best = [np.nanargmax(validation)]
        marker = {"uid": f"{uid}stop", "size": 13, "edge": theme.ink, "legend": False}
        hover = fill_template(_("early stopping would stop here: {y:.1%}"))
        star = replace(line_style, marker="star")
        marks.append(Dots(x[best], validation[best], star, hover=hover, **marker))
    if noise:
        options = {"name": _("only the right labels"), "legend": False, "uid": f"{uid}right"}
        ends = [0, scale.end or 1]
        marks.append(Line(ends, [1 - noise] * 2, Style(theme.ink, DOTTED), width=1.3, **options))
    return Figure(
        marks,
        scale.axis(),
        percent(_("accuracy"), (0, 1.04), standoff=4),
        notes=_notes(name, gap, theme),
        label=_(
            "{name}: training and validation accuracy. The table gives the latest values."
        ).format(name=name),
        view=f"{scale.iterations}",
        legend="inside",
        show_legend=True,
        margin={"l": 60},
        height=(13, 34, 20),
    )


def _notes(name, gap, theme):
    """The name over the figure, in two lines if it is very long, and the size of the gap."""
    long = len(name) > LONG
    title = "<br>+ ".join(name.rsplit(" + ", 1)) if len(name) > 1.5 * LONG else name
    font = {"size": 11 if long else 13, "color": theme.ink, "shift": -50 if long else 0}
    notes = [Note(f"<b>{title}</b>", 0, 1, **font)]
    if np.isfinite(gap):
        message = _("gap <b>{points}</b> points").format(points=percentage_points(gap).lstrip("+"))
        notes.append(Note(message, 0.98, 0.5, "right middle", color=theme.ink))
    return notes


@charts.comparing
@charts.shared
def comparison(context) -> Row:
    """Validation accuracies, and their differences from the first."""
    scale = scale_of(context.spec)
    pairs = differences(context) if len(context.lines) > 1 else None
    return Row([charts.overlay(context, lambda lines: test_accuracies(lines, scale)), pairs])


def test_accuracies(lines: list[Network], scale: Scale) -> Figure:
    """The validation accuracy of all, enlarged: it is what counts."""
    marks, late = [], []
    for line in lines:
        state, options = line.progress, {"width": 2.6, "markers": 8, "band": 0.15}
        accuracy, x = state.accuracy[:, 1, line.i], scale.positions(state, state.evaluated)
        means = mean_over_seeds(accuracy)
        marks += line.curve(x, accuracy, middle=means, hover="{name}: {y:.1%}", **options)
        if state.iteration:
            recent = accuracy[4 * state.evaluated >= state.iteration]
            late += recent[np.isfinite(recent)].tolist()
    low, high = (min(late), max(late)) if late else (0.0, 1.0)
    margin = max(0.1 * (high - low), 0.01)
    # in steps, or the curves would hop while they grow
    low, high = np.floor(20 * (low - margin)) / 20, np.ceil(20 * (high + margin)) / 20
    limits = (max(low, -0.01), min(high, 1.02))
    return Figure(
        marks,
        scale.axis(),
        percent(_("validation accuracy (enlarged)"), limits),
        label=_("Validation accuracy of all regularizers. The table gives the latest values."),
        view=f"{scale.iterations}",
        show_legend=True,
        margin=MARGIN,
        height=(15, 38, 26),
    )


def differences(context) -> Figure:
    """Validation accuracy minus that of the first with the same seed: one mark per seed, and the
    mean as a bar. Before the training there are none.
    """
    lines, ink = context.lines, context.theme.ink
    iteration, (first, *others) = run.outcomes(context.states)
    marks, end = [], 0.01
    for k, (line, other) in enumerate(zip(lines[1:], others, strict=True)):
        pairs = run.paired(first, other)
        if not iteration or not len(pairs.tests):
            continue
        end = max(end, float(np.abs(pairs.tests).max()))
        hover = {"hover": "{name}: {y:+.1%}", "bar_hover": _("{name}: mean {y:+.1%}")}
        marks += line.bar(k, pairs.tests, edge=ink, **hover)
    end = np.ceil(50 * 1.15 * end) / 50  # in steps, or the marks would hop while they grow
    names = [
        line.name.replace(" + ", "<br>+ ").replace(", ", ",<br>") for line in lines[1:]
    ]  # in lines of one part each
    heading = _("compared with <b>{name}</b>, same seed")
    return Figure(
        marks,
        categories(names),
        Axis(_("difference in validation accuracy"), limits=(-end, end), format="+.1%", zero=ink),
        notes=[Note(heading.format(name=lines[0].name), 0, 1, size=12, color=ink)],
        label=_(
            "Validation accuracy of each regularizer minus that of the first, seed by seed. The "
            "table gives the means."
        ),
        view=f"{len(lines)}",
        legend="",
        hover="closest",
        margin={"l": 70},
        height=(15, 38, 26),
    )


def histograms(lines: list[Network], weights: list, start: np.ndarray, theme: Theme) -> Figure:
    """The distribution of the weights of all layers and seeds, and that before the training.

    `weights` has the `(S, n)` of each line, `start` that of all. One bin is around 0.
    """
    finite = [w[np.isfinite(w).all(-1)] for w in weights]
    largest = [float(np.abs(w).max()) for w in (start, *finite) if w.size]
    span = min(max(largest), 10 * (largest[0] or 1.0)) or 1.0
    edges = np.linspace(-span, span, BINS + 1)
    hover = _("{name}: {y:.2g} at {x:.2f}")

    def outline(w, line_style, name, uid, **line):
        share = np.maximum(np.histogram(w, edges)[0], 1e-3) / w.size  # empty: below the frame
        return histogram_outline(edges, share, line_style, name=name, uid=uid, hover=hover, **line)

    filled = {"width": 1.5, "fill": True, "opacity": 0.6}
    marks = [outline(start, Style(theme.faint), _("before training"), "start", **filled)]
    marks += [
        outline(w, line.style, line.name, line.id)
        for line, w in zip(lines, finite, strict=True)
        if w.size
    ]
    lowest = 0.5 / max(start.size, 1)
    return Figure(
        marks,
        Axis(_("weight"), limits=(-span, span), zero=True),
        Axis(_("share of all weights in a bin"), limits=(lowest, 1), log=True, step=1),
        label=_("Histogram of all weights for each regularizer. The table below summarizes it."),
        view=f"{len(lines)}",
        show_legend=True,
        hover="closest",
        margin=MARGIN,
        height=(17, 52, 32),
    )


def thumbnail(spec, theme: Theme) -> Figure:
    """The gap of the first regularizer with one seed, from a short training."""
    n = min(spec.iterations, PREVIEW)
    first = replace(spec.trainings[0], seeds=spec.seeds[:1])
    state = charts.train_preview(first, n, max(n // 15, 1))
    line_style, x, accuracy = style(0, theme), state.evaluated, state.accuracy[:, :, 0, 0].T
    marks = [
        Band(x, *accuracy, line_style.color, opacity=0.25),
        Line(x, accuracy[0], Style(theme.faint)),
        Line(x, accuracy[1], line_style, width=4),
    ]
    return Figure(marks, Axis(limits=(0, n)), Axis(limits=(0, 1)))
