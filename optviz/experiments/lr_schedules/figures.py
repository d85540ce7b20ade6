"""The loss with the learning rate under it on one axis, and a range test with what it marks."""

from dataclasses import replace

import numpy as np

from optviz.experiments.lr_schedules.run import Reading, rates, read
from optviz.experiments.lr_schedules.spec import RangeTest, ScheduleComparison
from optviz.plot import (
    Axis,
    Dots,
    Figure,
    Line,
    Panel,
    Rule,
    Style,
    Theme,
    curve_with_band,
    number,
    stack,
    style,
    thin_indices,
)
from optviz.plot.training import Scale, losses
from optviz.training import advance, begin, load, smoothed
from optviz.translation import N_, _

MAX_RATIO = 20.0  # of the largest rates; beyond it the axis is logarithmic
DEPTH = 1e-4  # of the largest rate: the lower end of such an axis
MIN_LOSS, MAX_LOSS = 1e-4, 4.0  # where the axis of the loss ends
TRAINING_SET, MINI_BATCHES = "training set", "mini-batches"
PREVIEW = 80  # steps of a thumbnail's range test
MARKS = {"steepest": N_("steepest"), "lowest": N_("lowest"), "blown": N_("blows up")}


def far_apart(planned: list[np.ndarray]) -> bool:
    """Whether the rates are so far apart that only a logarithmic axis shows them all."""
    tops = [float(r.max()) for r in planned if len(r)]
    return bool(tops) and max(tops) > MAX_RATIO * min(tops)


def over_rates(lines, planned: list[np.ndarray], options) -> Figure:
    """The loss so far, and under it, on the same axis, the rate of every iteration.

    `options["loss"]` is that on the TRAINING_SET or of MINI_BATCHES; the rates are known before
    anything is trained.
    """
    on_training_set, log = options["loss"] == TRAINING_SET, options["log"]
    end = max((len(r) for r in planned), default=1)
    if on_training_set:
        marks = [mark for line in lines for mark in _on_training_set(line)]
        title = _("loss on the training set")
    else:
        marks = losses(lines, Scale("iterations", end), options["smooth"], log).marks
        title = _("loss of mini-batches")
    # the legend is that of the rates, which are always there
    marks = [replace(mark, legend=False) for mark in marks]
    low, high = _limits(lines, on_training_set)
    low = 10 ** (np.floor(5 * np.log10(0.8 * low)) / 5)  # in steps, or all would hop while it grows
    y = Axis(title, log=True, limits=(low, high)) if log else Axis(title, limits=(0, high))
    x = Axis(_("iteration"), limits=(0, end))
    below = [_rate(line, r) for line, r in zip(lines, planned, strict=True)]
    return stack(
        [Panel(marks, x, y), Panel(below, y=_rate_axis(planned, options["log_rate"]))],
        0.07,
        (0.63, 0.3),
        label=_(
            "The loss during training and, below it, the learning rate at every iteration. The "
            "table summarizes both."
        ),
        view=f"{options['loss']} {log} {options['log_rate']} {end}",
        height=(22, 63, 44),
    )


def _rate_axis(planned, log):
    top = max((float(r.max()) for r in planned if len(r)), default=1.0)
    low = max(min((float(r.min()) for r in planned if len(r)), default=top), DEPTH * top)
    if log:
        return Axis(_("rate"), log=True, limits=(low / 1.4, 1.4 * top), step=1)
    return Axis(_("rate"), limits=(-0.04 * top, 1.1 * top), ticks=5)


def _limits(lines, on_training_set):
    """From the least loss to where the losses begin, or have been since.

    A runaway does not crush the rest.
    """
    observed = [1.0, 2.4]
    for line in lines:
        progress = line.progress
        on_rows, on_batches = progress.cross_entropy[:, 0, line.i], progress.loss[:, line.i]
        values = on_rows if on_training_set else smoothed(on_batches)
        observed += [float(v) for v in values.ravel() if np.isfinite(v) and v > 0]
    return max(min(observed), MIN_LOSS), min(1.05 * max(observed), MAX_LOSS)


def _on_training_set(line):
    progress = line.progress
    values = progress.cross_entropy[:, 0, line.i]
    options = {"name": line.name, "uid": f"{line.id}w", "band": 0.16, "markers": 8}
    return curve_with_band(progress.evaluated, values, line.style, **options)


def _rate(line, r):
    """A rate at every iteration, thinned; both sides of each leap are kept."""
    jumps = np.flatnonzero(np.abs(np.diff(r)) > 0.02 * r.max(initial=0))
    edges = np.concatenate([jumps, jumps + 1]) if len(jumps) < 800 else jumps[:0]
    t = np.unique(np.concatenate([thin_indices(len(r)), edges])) if len(r) else np.empty(0, int)
    hover = _("{name}: learning rate {y:.3g}")
    options = {"name": line.name, "group": line.name, "legend": True, "markers": 6, "size": 7}
    return Line(t, r[t], line.style, uid=f"{line.id}s", hover=hover, **options)


def over_rate(reading: Reading, test: RangeTest, theme: Theme, begun: bool) -> Figure:
    """The loss over the learning rate, with the marked rates; the axis is shown from the start."""
    marks, top = [], 2.6
    if len(reading.rates):
        early = reading.loss[: max(len(reading.loss) // 20, 1)]
        top = max(1.6 * float(np.median(early)), 0.1)
        faint, strong = Style(theme.faint), style(0, theme)
        marks += [
            Line(
                reading.rates,
                reading.loss,
                faint,
                name=_("each mini-batch"),
                uid="raw",
                width=1,
                opacity=0.5,
            ),
            Line(
                reading.rates,
                reading.smooth,
                strong,
                name=_("smoothed"),
                uid="smooth",
                width=3,
                hover=_("learning rate {x:.3g}: {y:.3g}"),
            ),
        ]
    for k, (field, name) in enumerate(MARKS.items()):
        rate = getattr(reading, field)
        if np.isfinite(rate):
            marks += _rate_marks(_(name), rate, reading.loss_at(rate), style(k + 1, theme), theme)
    return Figure(
        marks,
        Axis(
            _("learning rate (it grows with every step)"),
            log=True,
            limits=(test.low, test.high),
            step=1,
        ),
        Axis(_("loss of mini-batches"), limits=(0, top)),
        label=_(
            "The mini-batch loss against the learning rate, which grows with every step. The "
            "table has the marked rates."
        ),
        view=f"{test.low} {test.high} {begun}",
        margin={"b": 46},
        hover="closest",
        show_legend=True,
        height=(17, 54, 34),
    )


def _rate_marks(name, rate, loss, line_style, theme):
    label = _("{name}: {rate}").format(name=name, rate=number(rate, 2))
    hover = _("{name} at learning rate {x:.3g}")
    dot = {"size": 14, "edge": theme.high, "edge_width": 1, "uid": name, "hover": hover}
    return [
        Dots([rate], [loss], line_style, name=label, **dot),
        Rule(line_style, x=rate, width=1.6),
    ]


def thumbnail(spec: ScheduleComparison, theme: Theme) -> Figure:
    """The rates of all optimizers, or the smoothed loss of a short range test."""
    if spec.view == "range":
        test = replace(spec, seeds=spec.seeds[:1], test=replace(spec.test, steps=PREVIEW)).tested
        data = load(test)
        loss = advance(begin(test, data), data, PREVIEW).loss[:, 0]
        reading = read(rates(test.optimizer, PREVIEW), loss)
        limits = (spec.test.low, spec.test.high)
        curve = Line(reading.rates, reading.smooth, style(0, theme))
        return Figure([curve], Axis(log=True, limits=limits))
    planned = [rates(config, max(spec.iterations, 1)) for config in spec.optimizers]
    marks = [
        Line(thin_indices(len(r), 240), r[thin_indices(len(r), 240)], style(i, theme), uid=f"{i}")
        for i, r in enumerate(planned)
    ]
    return Figure(marks, y=_rate_axis(planned, far_apart(planned)))
