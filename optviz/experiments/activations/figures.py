"""Histograms of what goes forward and what comes back through a stack of layers."""

import streamlit as st

from optviz.experiments.activations import text
from optviz.experiments.activations.run import Layer, propagate
from optviz.experiments.activations.samples import key_of, layers_of
from optviz.experiments.activations.spec import Activations
from optviz.plot import (
    Axis,
    Figure,
    HistogramRow,
    Panel,
    Theme,
    histogram,
    histogram_bars,
    histogram_grid,
    histogram_range,
)
from optviz.translation import _

PAIR_HEIGHT = (14, 34, 26)  # two settings fit on one projector


def settings(context) -> list:
    """Every setting: its name, its histograms, and what the last layer says about it."""
    spec, shown = context.spec, []
    figure = {"height": PAIR_HEIGHT} if len(spec.stacks) > 1 else {}
    for stack in spec.stacks:
        layers = layers_of(stack)
        key = f"{key_of(stack)} {spec.shared_range} {context.theme.ink} {len(spec.stacks)}"
        picture = _histograms(key, layers, context.theme, spec.shared_range, figure)
        shown += [f"**{text.name(stack)}**", picture, text.remark(layers)]
    return shown


@st.cache_resource(max_entries=64, show_spinner=False)
def _histograms(key, _layers, _theme, _shared, _figure):
    return histograms(_layers, _theme, _shared, **_figure)


def histograms(layers: list[Layer], theme: Theme, shared: bool = False, **figure) -> Figure:
    """A column for every layer: above what it passes on, below the gradient that reaches it."""
    forward = [layer.activations for layer in layers]
    backward = [layer.gradients for layer in layers]
    rows = [
        HistogramRow(_("forward: activations"), theme.lines[0], forward, layers[0].limits),
        HistogramRow(_("backward: gradients"), theme.lines[1], backward),
    ]
    columns = [_("layer {i}").format(i=i) for i in range(1, len(layers) + 1)]
    message = _("Histograms of {n} layers. The table below says the same.")
    return histogram_grid(rows, columns, shared, label=message.format(n=len(layers)), **figure)


def thumbnail(spec: Activations, theme: Theme) -> Figure:
    """The activations of the settings, one row each, a column for every layer."""
    panels, rows = [], len(spec.stacks)
    for row, stack in enumerate(spec.stacks):
        layers = propagate(stack)
        for i, layer in enumerate(layers):
            span = histogram_range(layer.activations, layer.limits)
            shares, edges = histogram(layer.activations, span, 20)
            panels.append(
                Panel(
                    [histogram_bars(edges, shares, theme.lines[row])],
                    Axis(limits=span),
                    Axis(limits=(0, shares.max() or 1)),
                    across=((i + 0.05) / len(layers), (i + 0.95) / len(layers)),
                    up=((rows - row - 1) / rows, (rows - row - 0.1) / rows),
                )
            )
    return Figure(panels=panels)
