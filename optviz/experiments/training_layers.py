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


def update_ratios(context: Context) -> Figure | None:
    """How far each update moves the weights of a layer, against their size."""
    rule = Rule(Style(context.theme.faint, (4, 4)), y=HEALTHY)
    title = _("update / weights")
    label = _("{name}: norm of the last update of each layer's weights over that of the weights.")
    return _by_layer(context, "update_ratio", Axis(title, log=True), label, rule)


def gradient_norms(context: Context) -> Figure | None:
    """The gradient of each layer's weights."""
    axis = Axis(_("gradient norm"), log=True)
    return _by_layer(context, "gradient_norm", axis, _("{name}: norm of each layer's gradient."))


def saturated(context: Context) -> Figure | None:
    """The share of each hidden layer's activations that pass next to no gradient."""
    label = _("{name}: share of each hidden layer's activations that are saturated.")
    return _by_layer(context, "saturated", percent(_("saturated activations")), label)


def dead(context: Context) -> Figure | None:
    """The share of each hidden layer's units that pass no gradient for any example."""
    label = _("{name}: share of each hidden layer's units that are dead.")
    return _by_layer(context, "dead", percent(_("dead units")), label)


def _by_layer(context, what, axis, label, *marks):
    name, now, i = context.lines[context.options["network"]][1:4]
    values = now.diagnostics[what][:, i]  # (k, S, layers)
    if not values.shape[-1]:
        return None
    curves = [
        Line(
            now.evaluated,
            over_seeds(values[..., layer])[0],
            style(layer, context.theme),
            name=_("layer {number}").format(number=layer + 1),
            uid=f"{what}{layer}",
            hover="{name}: {y:.3g}",
            markers=True,
        )
        for layer in range(values.shape[-1])
    ]
    x = Axis(_("iteration"), limits=(0, now.training.iterations))
    return Figure([*marks, *curves], x, axis, label=label.format(name=name), height=17)


def explanation(context: Context) -> Caption:
    """What the curves are of."""
    return Caption(
        _(
            "Measured with the accuracies, on the last update before each. A healthy update moves "
            "the weights of a layer by about a thousandth of their size (dashed line; CS231n). An "
            "activation is saturated where its slope is next to zero; a unit is dead where that "
            "is so for each of the first 256 training examples. Of several seeds the medians."
        )
    )


@paced
def first_layer(context: Context) -> list | None:
    """The weights of the first layer's units as pictures, where the inputs are pictures."""
    name, now, i = context.lines[context.options["network"]][1:4]
    network = now.training.network
    side = round(network.sizes[0] ** 0.5)
    weights = network.views(now.params[i, 0])[0]["W"].T[:MAX_PICTURES]
    if side < 4 or side**2 != network.sizes[0] or not np.isfinite(weights).all():
        return None
    scale = np.abs(weights).max() or 1.0
    numbers = [str(unit + 1) for unit in range(len(weights))]
    said = _("weights of unit {number} of the first layer")
    alternatives = [said.format(number=number) for number in numbers]
    images = 0.5 + weights.reshape(-1, side, side) / (2 * scale)
    shown = _(
        "**{name}: what the first units look for.** Dark raises a unit's sum, light lowers it"
    )
    return [shown.format(name=name), ImageGrid(images, numbers, alternatives)]


@shared
def curves(context: Context) -> list:
    """All of it: the curves two by two."""
    pairs = ((update_ratios, gradient_norms), (saturated, dead))
    made = [[part(context) for part in pair] for pair in pairs]
    return [Row(pair) for pair in made if pair[0] is not None]


TAB = Tab(_("Layers"), [Section([curves, explanation, first_layer], [NETWORK])])
