"""What the page says: a remark on the last layer, a table, and what the terms mean."""

import numpy as np

from optviz.experiments.activations.run import Layer
from optviz.experiments.activations.samples import layers_of
from optviz.experiments.activations.spec import DeepStack, initializer_name
from optviz.experiments.page import Caption
from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.plot import Column, Table, number, zero_rounding_errors
from optviz.plot.equations import equations
from optviz.translation import N_, _

LETTERS = "ABC"
COLUMNS = [
    Column(title, 3)
    for title in (
        _("layer"),
        _("mean"),
        _("std"),
        _("std within a unit"),
        _("std between units"),
        _("saturated"),
        _("dead units"),
        _("gradient std"),
    )
]

# Remarks on a setting, the most important first.
REMARKS = {
    "overflow": N_("The numbers have overflowed by layer {n}: nothing finite is left to draw."),
    "constant": N_("**Nothing gets through**: every unit outputs the same value for every input."),
    "equal": N_(
        "**All units are equal**: they have the same weights and so the same outputs, and a layer "
        "of {units} can do no more than a single unit."
    ),
    "vanishing": N_(
        "**The signal dies out**: its std falls from {first} in layer 1 to {last} in layer {n}, "
        "so every input looks the same from there on."
    ),
    "exploding": N_("**The signal explodes**: its std grows from {first} to {last}."),
    "between": N_(
        "**The histogram hides something**: the std of layer {n} is {last}, but that of a single "
        "unit over the samples is only {within}. The spread is *between* units ({between}); each "
        "unit outputs nearly the same value for every input."
    ),
    "saturated": N_(
        "**Saturated**: {share:.0f}% of the activations in layer {n} are at an end of the range, "
        "where the slope is less than 4% of its maximum; the gradient std goes from "
        "{gradient_last} at layer {n} to {gradient_first} at layer 1."
    ),
    "saturated_alone": N_(
        "**Saturated**: {share:.0f}% of the layer's activations are at an end of the range, where "
        "the slope is less than 4% of its maximum."
    ),
    "shrinking": N_(
        "**The signal shrinks** from layer to layer: its std goes from {first} to {last}, and "
        "would shrink further in a deeper network."
    ),
    "growing": N_(
        "**The signal grows** from layer to layer: its std goes from {first} to {last}, and would "
        "grow further in a deeper network."
    ),
    "gradient_fades": N_(
        "The signal keeps its size on the way forward, but **the gradient fades** by a factor of "
        "{factor} on the way back."
    ),
    "gradient_grows": N_(
        "The signal keeps its size on the way forward, but **the gradient grows** by a factor of "
        "{factor} on the way back."
    ),
    "healthy": N_("Signal and gradient both keep their size: a healthy start."),
}


def name(stack: DeepStack) -> str:
    """The name of a setting: activation and initializer."""
    return f"{ACTIVATIONS[stack.activation.key].label}, {initializer_name(stack.initializer)}"


def finding(layers: list[Layer]) -> str:
    """The most important finding about a setting, as a key of REMARKS."""
    first, last = layers[0].forward, layers[-1].forward
    if not np.isfinite(last.std):
        return "overflow"
    if not first.std:
        return "constant"
    last_layer = layers[-1].activations
    spread, largest = np.ptp(last_layer, axis=1).max(), np.abs(last_layer).max()
    if last_layer.shape[1] > 1 and spread <= 1e-9 * largest:  # rounding
        return "equal"
    if last.std < 1e-3 * max(first.std, 1e-300) or (len(layers) > 1 and last.std == 0):
        return "vanishing"
    if last.std > 1e3 * first.std:
        return "exploding"
    if last.between > 3 * last.within:
        return "between"
    if layers[-1].saturated > 0.2 and None not in layers[-1].limits:
        return "saturated" if len(layers) > 1 else "saturated_alone"
    if not 0.5 < last.std / first.std < 2:
        return "shrinking" if last.std < first.std else "growing"
    ratio = _gradient_ratio(layers)
    if np.isfinite(ratio) and not 1 / 3 < ratio < 3:
        return "gradient_fades" if ratio < 1 else "gradient_grows"
    return "healthy"


def remark(layers: list[Layer]) -> str:
    """The same in one or two sentences."""
    first, last, ratio = layers[0].forward, layers[-1].forward, _gradient_ratio(layers)
    return _(REMARKS[finding(layers)]).format(
        n=len(layers),
        units=layers[-1].activations.shape[1],
        first=number(first.std, 3),
        last=number(last.std, 3),
        within=number(last.within, 3),
        between=number(last.between, 3),
        share=100 * layers[-1].saturated,
        gradient_first=number(layers[0].backward.std, 3),
        gradient_last=number(layers[-1].backward.std, 3),
        factor=number(max(ratio, 1 / ratio) if ratio else np.nan, 2),
    )


def _gradient_ratio(layers):
    """How much larger the gradient is at the first layer than at the last."""
    last = layers[-1].backward.std
    return layers[0].backward.std / last if last else np.nan


def table(layers: list[Layer], label: str) -> Table:
    """The layers in numbers."""
    return Table(label, COLUMNS, rows(layers))


def rows(layers: list[Layer]) -> list[list[float]]:
    """A row of numbers for each layer, as COLUMNS names them."""
    rows = []
    for i, layer in enumerate(layers, 1):
        a = layer.forward
        sizes = zero_rounding_errors((a.mean, a.std, a.within, a.between), a.std).tolist()
        rows.append([i, *sizes, layer.saturated, layer.dead, layer.backward.std])
    return rows


def numbers(context) -> list:
    """A table for every setting."""
    stacks, parts = context.spec.stacks, []
    for stack, letter in zip(stacks, LETTERS, strict=False):
        heading = name(stack) if len(stacks) > 1 else _("The same in numbers")
        label = _("Setting {letter} in numbers").format(letter=letter)
        parts += [f"**{heading}**", table(layers_of(stack), label)]
    return parts


def numbers_csv(context) -> str:
    """All tables as one file."""
    lines = [[name(s), *row] for s in context.spec.stacks for row in rows(layers_of(s))]
    return Table("", [_("setting"), *COLUMNS], lines).csv()


def terms(context) -> Caption:
    """What the columns are."""
    return Caption(
        _(
            "“Std” is the standard deviation of all numbers in a layer, pooled. Its square is the "
            "sum of two variances: the mean variance *within* a unit, over the samples, and the "
            "variance *between* the means of the units. Only the first distinguishes inputs from "
            "each other. “Saturated” is the share of the activations through which hardly any "
            "gradient passes (for ReLU: the zeros); “dead” is the share of the units that are "
            "saturated for every sample. Gradients are with respect to the activations, ∂L/∂a; a "
            "random gradient is sent back from the last layer."
        )
    )


def about_weights(context) -> Caption:
    """What the curves of the initial weights are."""
    return Caption(
        _(
            "Left: the weights of layer 1 as drawn (steps) and the normal distribution with the "
            "same σ (smooth), two thirds of which lies within ±σ. Right: how σ depends on the "
            "number n of inputs of a unit, its fan-in. The standard deviation of a sum of n terms "
            "is √n times that of one term, so Xavier and He divide by √n. The marker shows the "
            "setting’s own n."
        )
    )


def initializers(context) -> str:
    """The equation and the source of every initializer in use."""
    classes = dict.fromkeys(INITIALIZERS[stack.initializer.key] for stack in context.spec.stacks)
    return "\n\n".join(
        "\n\n".join([f"**{c.label}**", *(f"$$ {e} $$" for e in equations(c)), f"_{c.cite}_"])
        for c in classes
    )
