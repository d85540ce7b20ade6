"""Inside of a training, layer by layer: size of updates and gradients, saturated and dead units,
what the first layer looks at.
"""

import numpy as np

from optviz.experiments.page import Caption, Context, Option, Row, Section, Tab
from optviz.experiments.training_charts import paced, shared
from optviz.plot import Axis, Figure, ImageGrid, Line, Rule, Style, percent, style
from optviz.plot.series import over_seeds
from optviz.translation import _

MAX_PICTURES = 32  # of first-layer weights
HEALTHY = 1e-3  # update over weights: a rule of thumb, see training.diagnostics

NETWORK = Option(
    "network",
    _("Network"),
    0,
    lambda context: {i: line.name for i, line in enumerate(context.lines)},
    show_label=True,
)


# The charts of each layer, by their key among the diagnostics: the axis, and the label.
CHARTS = {
    "update_ratio": (
        Axis(_("update / weights"), log=True),
        _(
            "{name}: norm of the last update of each layer's weights, divided by the norm of the "
            "weights."
        ),
    ),
    "gradient_norm": (
        Axis(_("gradient norm"), log=True),
        _("{name}: norm of each layer's gradient."),
    ),
    "saturated": (
        percent(_("saturated activations")),
        _("{name}: share of each hidden layer's activations that are saturated."),
    ),
    "dead": (
        percent(_("dead units")),
        _("{name}: share of each hidden layer's units that are dead."),
    ),
}


@shared
def curves(context: Context) -> list:
    """All charts, two by two; none of hidden layers if there are none."""
    figures = [_by_layer(context, quantity) for quantity in CHARTS]
    return [Row(figures[i : i + 2]) for i in (0, 2) if figures[i]]


def _by_layer(context, quantity):
    name, progress, i = context.lines[context.options["network"]][1:4]
    values, (y, label) = progress.diagnostics[quantity][:, i], CHARTS[quantity]  # (k, S, layers)
    if not values.shape[-1]:
        return None
    marks = [
        Line(
            progress.evaluated,
            over_seeds(values[..., layer])[0],
            style(layer, context.theme),
            name=_("layer {number}").format(number=layer + 1),
            uid=f"{quantity}{layer}",
            hover="{name}: {y:.3g}",
            markers=True,
        )
        for layer in range(values.shape[-1])
    ]
    if quantity == "update_ratio":
        marks.insert(0, Rule(Style(context.theme.faint, (4, 4)), y=HEALTHY))
    x = Axis(_("iteration"), limits=(0, progress.training.iterations))
    return Figure(marks, x, y, label=label.format(name=name), height=17)


def explanation(context: Context) -> Caption:
    """What the curves show."""
    return Caption(
        _(
            "Measured whenever the accuracies are, on the last update before. A healthy update "
            "changes the weights of a layer by about a thousandth of their size (dashed line; "
            "CS231n). An activation is saturated where its slope is almost zero; a unit is dead "
            "if it is saturated for each of the first 256 training examples. With several seeds, "
            "medians are shown."
        )
    )


@paced
def first_layer(context: Context) -> list | None:
    """The weights of the first layer's units as pictures, where the inputs are pictures."""
    name, progress, i = context.lines[context.options["network"]][1:4]
    network = progress.training.network
    side = round(network.sizes[0] ** 0.5)
    weights = network.views(progress.params[i, 0])[0]["W"].T[:MAX_PICTURES]
    if side < 4 or side**2 != network.sizes[0] or not np.isfinite(weights).all():
        return None
    scale = np.abs(weights).max() or 1.0
    numbers = [str(unit + 1) for unit in range(len(weights))]
    alternative = _("weights of unit {number} of the first layer")
    alternatives = [alternative.format(number=number) for number in numbers]
    images = 0.5 + weights.reshape(-1, side, side) / (2 * scale)
    message = _(
        "**{name}: what the first units look for.** Dark raises a unit's sum, light lowers it"
    )
    return [message.format(name=name), ImageGrid(images, numbers, alternatives)]


TAB = Tab(_("Layers"), [Section([curves, explanation, first_layer], [NETWORK])])
