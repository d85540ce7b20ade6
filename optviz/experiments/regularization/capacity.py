"""Accuracy over the width of the network, or over the number of examples to learn from."""

import numpy as np

from optviz.experiments.page import Caption
from optviz.experiments.regularization import run
from optviz.experiments.regularization.text import accuracies, name
from optviz.plot import Axis, Figure, Style, Table, curve_with_band, percent, style
from optviz.plot.series import mean_over_seeds
from optviz.plot.training import status
from optviz.translation import N_, _

TITLES = {"width": N_("units of each hidden layer"), "examples": N_("examples for training")}
NAMES = {"width": N_("width {n}"), "examples": N_("{n} examples")}


def names(spec) -> list[str]:
    """The names of the networks of a sweep."""
    return [_(NAMES[spec.view]).format(n=n) for n in spec.varied]


def curves(context) -> Figure:
    """Training and validation accuracy at every value, the band from the least to the largest."""
    view, values, theme = context.spec.view, context.spec.varied, context.theme
    outcomes = run.outcomes(context.states)[1]
    marks = []
    for uid, title, line_style in (
        ("training", _("training"), Style(theme.faint)),
        ("test", _("validation"), style(0, theme)),
    ):
        seeds = np.array([getattr(outcome, uid) for outcome in outcomes])
        marks += curve_with_band(
            np.array(values),
            seeds,
            line_style,
            name=title,
            uid=uid,
            middle=mean_over_seeds(seeds),
            markers=True,
            hover="{name}, {x}: {y:.1%}",
            legend=True,
        )
    x = Axis(_(TITLES[view]), log=True, limits=(values[0] / 1.2, values[-1] * 1.2))
    label = _("Accuracy over the {quantity}. The table shows the same data.")
    return Figure(
        marks,
        x,
        percent(_("accuracy"), (0, 1.04)),
        label=label.format(quantity=_(TITLES[view])),
        view=f"{view} {values}",
        show_legend=True,
        height=22,
    )


def table(context) -> Table:
    """The same in numbers: means over the seeds."""
    iteration, outcomes = run.outcomes(context.states)
    rows = [
        {
            "": line.name,
            _("parameters"): line.progress.training.network.size,
            **accuracies(outcome, iteration > 0),
            _("status"): status(line.progress, line.i),
        }
        for line, outcome in zip(context.lines, outcomes, strict=True)
    ]
    return Table.from_rows(_("Accuracy at every value"), rows)


def about(context) -> Caption:
    """What is varied, and what is the same."""
    same = {
        "width": _("All networks see the same examples for the same number of updates."),
        "examples": _(
            "All networks have the same architecture and train for the same number of updates. "
            "Examples that are not used for training are used for validation and testing, so more "
            "training examples leave fewer for those."
        ),
    }
    first = _("All use the first regularizer in the list: {name}.")
    return Caption(
        f"{same[context.spec.view]} {first.format(name=name(context.spec.regularizers[0]))}"
    )
