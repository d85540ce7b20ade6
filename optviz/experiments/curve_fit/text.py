"""What the page says of the units and prints of the weights."""

import numpy as np

from optviz.data import CURVES
from optviz.experiments.curve_fit.run import units
from optviz.experiments.curve_fit.spec import CurveFit
from optviz.experiments.initialization.inspector import Units
from optviz.experiments.page import Caption
from optviz.plot import Column, Table, number
from optviz.translation import N_, _

# How the hidden units of a network compare.
UNITS = {
    "diverged": N_("**Diverged**: the weights are no longer finite at iteration {t}."),
    "zero": N_(
        "**Exactly zero**: at iteration {t} every weight is 0, and so is its gradient. Only the "
        "bias of the output has moved."
    ),
    "equal": N_(
        "**All {n} units are equal** at iteration {t}: the columns of W1, the entries of b1 and "
        "the rows of W2 differ by {difference}, no more than rounding error. The network can do "
        "no more than one unit could."
    ),
    "different": N_(
        "**The units differ** at iteration {t}: their weights differ by up to {difference}."
    ),
}


def units_remark(spec: CurveFit, params: np.ndarray, t: int) -> str:
    """Whether the hidden units of one network `(P,)` differ at iteration t, in words."""
    stats = Units.from_weights(units(spec, params))
    if not stats.finite:
        key = "diverged"
    elif stats.largest == 0 and t:
        key = "zero"
    else:
        key = "equal" if stats.equal else "different"
    return _(UNITS[key]).format(t=t, n=stats.count, difference=number(stats.difference, 3))


def printed(matrices: dict[str, np.ndarray]) -> str:
    """The weights as NumPy prints them, as a block of code; biases are rows."""
    with np.printoptions(precision=4, suppress=True, linewidth=34, floatmode="fixed"):
        lines = [
            f"{name} = {np.array2string(np.atleast_2d(m), prefix=f'{name} = ')}"
            for name, m in matrices.items()
        ]
    block = "\n".join(lines)
    return f"```text\n{block}\n```"


def standings(context) -> Table:
    """How each fit stands after its last update."""
    [fit] = context.states
    columns = (
        "",
        _("iterations"),
        Column(_("mean squared error"), 3),
        Column(_("½ of it"), 3),
        Column(_("units differ by"), 3),
        Column(_("largest weight"), 3),
    )
    rows = []
    for line, params, loss in zip(context.lines, fit.params, fit.loss[-1].tolist(), strict=True):
        stats = Units.from_weights(units(context.spec, params))
        rows.append([line.name, fit.iteration, loss, loss / 2, stats.difference, stats.largest])
    styles = [line.style for line in context.lines]
    return Table(_("How every fit stands"), columns, rows, styles)


def notes(context) -> Caption:
    """What is computed."""
    return Caption(
        _(
            "A network with one input, {units} hidden units and one output learns {points} points "
            "of y = {formula} with x from 0 to 1. Every update uses all points, so only the "
            "initial weights are random; biases start at zero. The loss is the mean squared "
            "error, as in PyTorch; some textbooks halve it. In the graphs, the width of a line "
            "shows the size of its weight, negative weights are dashed, and b is the bias of a "
            "unit. “Units differ by” is the largest difference between two hidden units in their "
            "incoming weights, biases or outgoing weights."
        ).format(
            units=context.spec.units,
            points=context.spec.points,
            formula=CURVES[context.spec.curve].formula,
        )
    )
