"""What experiments with trainings show as they progress: curves, a table, and their CSV file."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from optviz.experiments.page import Context, Download, Option, Part, Row, Section, View
from optviz.optim.config import names
from optviz.plot import Axis, Figure, Line, Style, Theme, method_styles, style
from optviz.plot.table import csv_text
from optviz.plot.training import UNITS, Network, Scale, accuracies, ghost, losses
from optviz.plot.training import standings as standings_table
from optviz.training import Progress, Training, TrainingJob, advance, begin, load, smoothed, train
from optviz.translation import _
from optviz.ui.training.jobs import training_jobs

HEIGHT = (15, 46, 34)
PREVIEW = 80  # iterations of a training that a thumbnail shows
PREVIEW_ROWS = 300  # validation examples by which one is judged


def lines_of(
    titles: Sequence[str], states: Sequence, theme: Theme, optimizers: Sequence = ()
) -> list[Network]:
    """A line for each training of one network, with its title; in the styles of `optimizers`."""
    styles = method_styles(optimizers, theme) or [style(i, theme) for i in range(len(titles))]
    return [
        Network(f"r{i}", name, state, 0, line_style)
        for i, (name, state, line_style) in enumerate(zip(titles, states, styles, strict=True))
    ]


def optimizers(spec, states: Sequence, theme: Theme) -> list[Network]:
    """A line for each optimizer of the spec, whose trainings come first among the states."""
    states = states[: len(spec.optimizers)]
    return lines_of(names(spec.optimizers), states, theme, spec.optimizers)


def jobs(spec) -> list[TrainingJob]:
    """The jobs of a page whose spec has `trainings`."""
    return training_jobs(spec.trainings)


def options(epochs: bool = False) -> tuple[Option, ...]:
    """The switches of the curves; with `epochs` they can be drawn along those."""
    along = {k: _(k) for k in UNITS if k != "epochs" or epochs}
    return (
        Option("smooth", _("Smoothed"), True),
        Option("log", _("Logarithmic"), False),
        Option("test", _("Validation loss"), False),
        Option("along", _("Along"), "epochs" if epochs else "iterations", along),
    )


def comparing(part: Part) -> Part:
    """Mark a part that also draws kept and previous runs: in views with such a part, a visitor may
    keep runs beside the current one.
    """
    part.comparing = True
    return part


def compares(view: View) -> bool:
    """Whether such a part is among the results of a view."""
    parts = [part for tab in view.tabs for part in tab.parts]
    parts += [inner for part in parts if isinstance(part, Section) for inner in part.parts]
    return any(getattr(part, "comparing", False) for part in parts)


def overlay(context: Context, draw: Callable[[Sequence[Network]], Figure]) -> Figure:
    """The figure that `draw(lines)` makes of the current and the kept lines, with the previous ones
    faint behind them.
    """
    figure = draw([*context.lines, *context.kept_lines])
    return ghost(figure, draw(context.previous_lines)) if context.previous_lines else figure


def paced(part: Part) -> Part:
    """Mark a part that is redrawn every two seconds while its trainings run: all of it changes each
    time, so all of it has to be computed and sent.
    """
    part.paced = True
    return part


def shared(part: Part) -> Part:
    """Mark a part that depends only on the context: it is made once for all who watch the same."""
    part.shared = True
    return part


@comparing
@shared
def curves(context: Context) -> Row:
    """Loss and accuracy side by side, as the switches of `options` say."""
    options, training = context.options, context.lines[0].progress.training
    scale = Scale(options["along"], training.iterations, training.epoch)
    layout = {"height": HEIGHT}

    def loss(lines):
        test = options["test"] and lines is not context.previous_lines
        return losses(lines, scale, options["smooth"], options["log"], test, **layout)

    return Row(
        [overlay(context, loss), overlay(context, lambda lines: accuracies(lines, scale, **layout))]
    )


def section(label: str, epochs: bool = False) -> Section:
    """The curves under their switches, and a table, called `label`, of how every network stands;
    with `epochs` the curves can be drawn along those.
    """

    def standings(context):
        return standings_table(context.lines, label)

    return Section([curves, standings], options(epochs))


def download(column: str = "optimizer") -> Download:
    """Every mini-batch's loss and every accuracy as CSV; `column` is the heading over the names."""

    def make(context):
        return curves_csv([*context.lines, *context.kept_lines], column)

    return Download(_("Curves as CSV"), "curves", make)


def curves_csv(lines, column: str = "optimizer") -> str:
    """Every mini-batch's loss in full precision, and the accuracies where they were measured."""
    header = [
        column,
        "seed",
        "iteration",
        "seconds",
        "loss",
        "training_accuracy",
        "validation_accuracy",
    ]
    return csv_text(header, (row for line in lines for row in _rows(line)))


def _rows(line):
    progress, i = line.progress, line.i
    accuracies_at = {int(t): progress.accuracy[k, :, i] for k, t in enumerate(progress.evaluated)}
    for s, seed in enumerate(progress.training.seeds):
        for t in range(progress.iteration + 1):
            accuracies = accuracies_at[t][:, s] if t in accuracies_at else ["", ""]
            seconds, loss = (progress.seconds[t - 1], progress.loss[t - 1, i, s]) if t else ("", "")
            yield [line.name, seed, t, seconds, loss, *accuracies]


def thumbnail(spec, theme: Theme) -> Figure:
    """The first iterations of each of the spec's trainings."""
    return losses_of(spec.trainings, theme, method_styles(getattr(spec, "optimizers", ()), theme))


def train_preview(training: Training, iterations: int, eval_every: int) -> Progress:
    """The end of a training cut short for a thumbnail, judged by a few examples."""
    n = min(training.iterations, iterations)
    short = replace(training, iterations=n, eval_every=eval_every, snapshot_every=0)
    data = load(short)
    small = data._replace(x_test=data.x_test[:PREVIEW_ROWS], t_test=data.t_test[:PREVIEW_ROWS])
    *_before, progress = train(short, small)
    return progress


def losses_of(trainings, theme: Theme, styles: Sequence[Style] = ()) -> Figure:
    """The smoothed loss of the first iterations of every network, from a short training."""
    curves = []
    for training in trainings:
        n = min(training.iterations, PREVIEW)
        short = replace(training, iterations=n, seeds=training.seeds[:1], snapshot_every=0)
        data = load(short)
        curves += list(smoothed(advance(begin(short, data), data, n).loss[..., 0]).T)
    marks = [
        Line(np.arange(len(curve)), curve, styles[i] if styles else style(i, theme), name=f"{i}")
        for i, curve in enumerate(curves)
    ]
    top = max((float(np.nanmax(c)) for c in curves if np.isfinite(c).any()), default=1.0)
    return Figure(marks, y=Axis(limits=(0, top)))
