"""The page: one curve, one optimizer, several ways to begin."""

from dataclasses import replace

import numpy as np

from optviz.experiments.curve_fit import figures, text
from optviz.experiments.curve_fit.run import STOPS, FitJob, matrices
from optviz.experiments.curve_fit.spec import CurveFit
from optviz.experiments.initialization.page import ITERATION, initializers
from optviz.experiments.page import Download, Page, Section, Tab, View
from optviz.plot.table import csv_text
from optviz.translation import N_, _
from optviz.ui.controls import Menu, Panel
from optviz.ui.training.form import OptimizerForm


def iterations(context) -> dict[int, str]:
    """The iterations at which the weights are stored, and the last one."""
    last = context.spec.iterations
    return {t: f"{t:,}" for t in sorted({0, last, *(t for t in STOPS if t < last)})}


def losses_csv(context) -> str:
    """The mean squared error after every update, kept runs included."""
    header, lines = ["initializer", "iteration", "mean_squared_error"], context.lines
    rows = (
        [line.name, t, loss]
        for line in [*lines, *context.kept_lines]
        for t, [loss] in enumerate(line.progress.loss)
    )
    return csv_text(header, rows)


def weights_csv(context) -> str:
    """Every weight and bias at every iteration at which they are stored."""
    [fit] = context.states
    rows = (
        [line.name, t, matrix, row + 1, column + 1, float(value)]
        for i, line in enumerate(context.lines)
        for t, params in sorted(fit.stored.items())
        for matrix, m in matrices(context.spec, params[i]).items()
        for (row, column), value in np.ndenumerate(np.atleast_2d(m))
    )
    return csv_text(["initializer", "iteration", "matrix", "row", "column", "value"], rows)


PAGE = Page(
    "curve_fit",
    N_("Curve fitting"),
    "show_chart",
    N_("Why must weights begin unequal?"),
    "Networks",
    CurveFit(),
    {
        "": View(
            form=[
                Menu("curve"),
                initializers,
                Menu("activation"),
                Panel(_("Network and training"), ("units", "points", "iterations", "seed")),
                OptimizerForm(),
            ],
            jobs=lambda spec: [FitJob(spec)] if spec.initializers else [],
            tabs=[
                Tab(
                    _("Fit"),
                    [
                        Section(
                            [figures.fit, figures.weights], [replace(ITERATION, choices=iterations)]
                        ),
                        text.standings,
                    ],
                )
            ],
            notes=[text.notes],
            downloads=[
                Download(_("Loss as CSV"), "loss", losses_csv),
                Download(_("Weights as CSV"), "weights", weights_csv),
            ],
            empty=N_("No initializer yet: choose one on the left."),
        )
    },
    lines=figures.lines,
    thumbnail=figures.thumbnail,
)
