"""The points and the curves that are fitted to them, the loss, and each network as a graph."""

from collections.abc import Sequence

import numpy as np

from optviz.data import CURVES
from optviz.experiments.curve_fit import text
from optviz.experiments.curve_fit.run import advance, begin, matrices, outputs
from optviz.experiments.curve_fit.spec import CurveFit
from optviz.experiments.initialization.spec import names
from optviz.experiments.page import Context, Row
from optviz.experiments.training_charts import HEIGHT, comparing, lines_of, overlay, paced
from optviz.plot import Axis, Dots, Figure, Line, Rule, Style, Theme, network_graph, thin_indices
from optviz.plot.series import as_float32
from optviz.plot.training import Network
from optviz.translation import _

GRID = np.linspace(0, 1, 201)
PREVIEW = 5000  # updates that a thumbnail shows
ABREAST = 3  # networks side by side


def lines(spec: CurveFit, states, theme: Theme) -> list[Network]:
    """A line for each of the initial weights."""
    fits = [fit.single(i) for fit in states for i in range(len(spec.initializers))]
    return lines_of(names(spec.initializers), fits, theme)


@comparing
def fit(context: Context) -> Row:
    """The curves at the iteration shown, and the loss over all iterations."""
    spec, theme, t = context.spec, context.theme, context.options["iteration"]
    return Row(
        [
            overlay(context, lambda lines: curves(spec, lines, theme, t)),
            overlay(context, lambda lines: losses(context, lines)),
        ]
    )


def curves(spec: CurveFit, lines: Sequence[Network], theme: Theme, t: int, **figure) -> Figure:
    """The points and each network's fit at iteration t, or before; the points set the frame."""
    x, y = CURVES[spec.curve].sample(spec.points)
    low, high = float(y.min()), float(y.max())
    margin = 0.25 * ((high - low) or 1.0)
    points = {"name": _("points"), "uid": "points", "size": 6, "alpha": 0.6}
    indices = thin_indices(len(x), 100)
    marks = [Dots(x[indices, 0], y[indices, 0], Style(theme.faint), **points)]
    for uid, name, fit, _i, line_style in lines:
        [z] = outputs(fit.spec, fit.at(t)[1], GRID)
        curve = {"width": 3, "hover": "{name}, {x:.3g}: {y:.4g}"}
        marks.append(Line(GRID, as_float32(z), line_style, name=name, uid=uid, **curve))
    axes = Axis("x", limits=(-0.02, 1.02)), Axis("y", limits=(low - margin, high + margin))
    label = _("The points and the curves that the networks have fitted to them.")
    options = {"label": label, "view": f"{spec.curve}", "hover": "closest", "height": HEIGHT}
    return Figure(marks, *axes, **options, **figure)


def losses(context: Context, lines: Sequence[Network]) -> Figure:
    """The mean squared error over the iterations, from 1 on: both axes are logarithmic."""
    last, marks = context.spec.iterations, []
    for uid, name, fit, _i, line_style in lines:
        k = np.unique(np.geomspace(1, last, 400).round().astype(int))
        k = np.append(k[k < fit.iteration], max(fit.iteration, 1))  # only its end changes
        k = k[k <= fit.iteration]
        loss = as_float32(np.where(fit.loss[k, 0] > 0, fit.loss[k, 0], np.nan))
        marks.append(Line(k, loss, line_style, name=name, uid=uid, hover="{name}, {x}: {y:.4g}"))
    t, _params = context.states[0].at(context.options["iteration"])
    marks.append(Rule(Style(context.theme.faint, (4, 3)), x=max(t, 1)))
    x = Axis(_("iteration"), limits=(1, last), log=True)
    label = _("Mean squared error over the iterations. The table has its current value.")
    options = {"label": label, "view": f"{last}", "height": HEIGHT}
    return Figure(marks, x, Axis(_("mean squared error"), log=True), **options)


@paced
def weights(context: Context) -> list:
    """Every network at the iteration shown: as a graph, as printed matrices, in a sentence."""
    spec, [fit] = context.spec, context.states
    t, params = fit.at(context.options["iteration"])
    columns = []
    for line, p in zip(context.lines, params, strict=True):
        m = matrices(spec, p)
        graph = network_graph([m["W1"], m["W2"]], [m["b1"], m["b2"]], context.theme, line.name)
        columns.append([f"**{line.name}**", graph, text.units_remark(spec, p, t), text.printed(m)])
    if len(columns) > ABREAST:  # the last row's are as wide as the others
        columns += [[]] * (-len(columns) % ABREAST)
    return [Row(columns[i : i + ABREAST]) for i in range(0, len(columns), ABREAST)]


def thumbnail(spec: CurveFit, theme: Theme) -> Figure:
    """The curves after the first iterations."""
    if not spec.initializers:
        return Figure()
    return curves(spec, lines(spec, [advance(begin(spec), PREVIEW)], theme), theme, PREVIEW)
