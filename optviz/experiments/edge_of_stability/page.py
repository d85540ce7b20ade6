"""The page: the sharpness of networks while they train, and the limit of each learning rate."""

from dataclasses import replace

import numpy as np

from optviz.experiments import training_charts as charts
from optviz.experiments.edge_of_stability.spec import PRODUCTS, EdgeOfStability
from optviz.experiments.optimizer_comparison.spec import MAX_OPTIMIZERS
from optviz.experiments.page import Caption, Download, Option, Page, Section, Tab, View
from optviz.optim.config import names
from optviz.optim.sensitivity.stability import stable_curvature
from optviz.plot import Axis, Column, Figure, Line, Rule, Table, percent
from optviz.plot.series import over_seeds
from optviz.plot.table import csv_text
from optviz.plot.training import Network, Scale, losses, status
from optviz.training.loop import MAX_SPECTRUM
from optviz.translation import N_, _
from optviz.ui.controls import Menu
from optviz.ui.training.form import ACTIVATION, INITIALIZER, Data, Numbers, OptimizerList

LAST = 0.3  # share of the measurements over which the mean is taken
DASHES = (6, 4)


def sharpness(line: Network) -> np.ndarray:
    """Of the training loss at every measurement, `(k, S)`."""
    return line.progress.diagnostics["sharpness"][:, line.i, :, 0]


def limit(line: Network) -> float:
    """The sharpness beyond which the line's optimizer is not stable; NaN where unknown."""
    config = line.progress.training.optimizer
    curvature = stable_curvature(config.optimizer_at(max(line.progress.iteration - 1, 0)))
    return np.nan if curvature is None else curvature


def late(line: Network) -> float:
    """The mean over the last of the measurements, the median over the seeds."""
    values = sharpness(line)
    return float(over_seeds(values[int((1 - LAST) * len(values)) :].mean(0))[0])


def over_time(context) -> Figure:
    """The sharpness over the iterations, and dashed the limit of each rate."""
    marks, tops = [], [1e-3]
    for line in context.lines:
        values, max_stable = sharpness(line), limit(line)
        marks += line.curve(line.progress.evaluated, values, markers=True, legend=True)
        tops.append(np.nanmax(over_seeds(values)[0], initial=0.0))
        if np.isfinite(max_stable):
            marks.append(Rule(replace(line.style, dashes=DASHES), y=max_stable))
            tops.append(1.2 * max_stable)
    x, y = _iterations(context), Axis(_("sharpness"), limits=(0, float(max(tops))))
    label = _("Sharpness and its limits (dashed) during training. The table sums up.")
    return Figure(marks, x, y, label=label, height=24)


def negative(context) -> Figure | None:
    """The share of negative curvatures over the iterations, of networks that are small enough."""
    if any("negative" not in line.progress.diagnostics for line in context.lines):
        return None
    marks, top = [], 0.25
    for line in context.lines:
        shares = line.progress.diagnostics["negative"][:, line.i, :, 0]
        top = max(top, float(np.nanmax(shares, initial=0.0)))
        marks += line.curve(line.progress.evaluated, shares, markers=True, legend=True)
    x, y = _iterations(context), percent(_("negative curvatures"), (0, 1.1 * top))
    label = _("The share of the Hessian's eigenvalues below −1/1000 of its largest.")
    return Figure(marks, x, y, label=label, height=15)


def _iterations(context):
    return Axis(_("iteration"), limits=(0, context.spec.iterations))


def loss(context) -> Figure:
    """The loss on all training rows."""
    scale = Scale("iterations", context.spec.iterations)
    return losses(context.lines, scale, smooth=False, log=context.options["log"], height=15)


def standings(context) -> Table:
    """Sharpness beside the limit, in numbers."""
    rows = []
    for line in context.lines:
        state, max_stable, mean = line.progress, limit(line), late(line)
        end = float(over_seeds(state.loss[-1, line.i])[0]) if len(state.loss) else np.nan
        training, validation = (float(over_seeds(part[line.i])[0]) for part in state.accuracy[-1])
        rows.append(
            {
                "": line.name,
                Column(_("limit"), 3): max_stable,
                Column(_("sharpness at the start"), 3): float(over_seeds(sharpness(line)[0])[0]),
                Column(_("mean of the last 30%"), 3): mean,
                Column(_("share of the limit"), 3, percent=True): mean / max_stable,
                _("loss"): end,
                Column(_("training accuracy"), 3, percent=True): training,
                Column(_("validation accuracy"), 3, percent=True): validation,
                _("status"): status(state, line.i),
            }
        )
    styles = [line.style for line in context.lines]
    return Table.from_rows(_("Sharpness and limit of every optimizer"), rows, styles)


def notes(context) -> Caption:
    """How it was measured."""
    return Caption(
        _(
            "Every update uses the whole training set, so nothing here is noise. The sharpness is "
            "the largest eigenvalue of the Hessian of the training loss, found by {products} "
            "Lanczos steps that start from the gradient; each product with the Hessian is a "
            "difference of two gradients. Limits: 2/η for plain gradient descent, 2(1 + μ)/η for "
            "momentum; none is drawn for methods that scale each coordinate. (Cohen et al. 2021.) "
            "For networks of up to {most} parameters all eigenvalues are computed; those below "
            "−1/1000 of the largest count as negative. Data: {attribution}"
        ).format(products=PRODUCTS, most=MAX_SPECTRUM, attribution=context.attribution)
    )


def sharpness_csv(context) -> str:
    """Every measurement."""
    rows = (
        [line.name, seed, int(t), float(value)]
        for line in context.lines
        for t, values in zip(line.progress.evaluated, sharpness(line), strict=True)
        for seed, value in zip(line.progress.training.seeds, values, strict=True)
    )
    return csv_text(["optimizer", "seed", "iteration", "sharpness"], rows)


def thumbnail(spec, theme) -> Figure:
    """Sharpness that grows up to a limit, as a drawing."""
    x = np.linspace(0, 1, 60)
    lines = charts.lines_of(names(spec.optimizers), [None] * len(spec.optimizers), theme)
    marks = []
    for line, config in zip(lines, spec.optimizers, strict=True):
        if max_stable := stable_curvature(config.build()):
            marks += [
                Line(x, max_stable * np.minimum(0.4 + x, 1), line.style, uid=line.id),
                Rule(replace(line.style, dashes=DASHES), y=max_stable),
            ]
    return Figure(marks)


PAGE = Page(
    "edge_of_stability",
    N_("Edge of stability"),
    "landslide",
    N_("How sharp does a network's loss become while it trains?"),
    "Training lab",
    EdgeOfStability(),
    {
        "": View(
            form=[
                OptimizerList(MAX_OPTIMIZERS),
                Menu("loss"),
                Data(),
                ACTIVATION,
                INITIALIZER,
                Numbers("hidden", "units", "iterations", "split.rows", "seeds"),
            ],
            jobs=charts.jobs,
            tabs=[
                Tab(
                    _("Sharpness"),
                    [
                        Section([over_time, negative]),
                        Section([loss, standings], [Option("log", _("Logarithmic loss"), True)]),
                    ],
                )
            ],
            notes=[notes],
            downloads=[Download(_("Sharpness as CSV"), "sharpness", sharpness_csv)],
        )
    },
    lines=charts.optimizers,
    thumbnail=thumbnail,
)
