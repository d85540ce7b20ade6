"""Histograms of what goes forward and what comes back through a stack of layers."""

import numpy as np
import streamlit as st

from optviz.experiments.activations import text
from optviz.experiments.activations.run import Layer, propagate
from optviz.experiments.activations.samples import key_of, layers_of
from optviz.experiments.activations.spec import Activations
from optviz.nn import ACTIVATIONS
from optviz.plot import (
    Axis,
    Figure,
    HistogramRow,
    Line,
    Panel,
    Theme,
    grid,
    histogram,
    histogram_bars,
    histogram_grid,
    histogram_range,
    style,
)
from optviz.spec import Choice
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


def functions(context) -> Figure:
    """Every activation function and its slope, where a signal usually is."""
    theme, z = context.theme, np.linspace(-4, 4, 161)
    used = {stack.activation.key: stack.activation for stack in context.spec.stacks}
    panels = []
    for key, cls in ACTIVATIONS.items():
        h = used.get(key, Choice(key)).build(ACTIVATIONS)
        a = h.value(z)
        curves = ((_("value"), a, 0), (_("slope"), h.slope(z, a) * np.ones_like(z), 1))
        marks = [
            Line(
                *(z, y, style(i, theme)),
                **{"name": name, "uid": f"{key}{i}", "hover": "{name}: {y:.3g}", "width": 2},
                legend=not panels,
            )
            for name, y, i in curves
        ]
        title = f"<b>{cls.label}</b>" if key in used else cls.label
        x, y = Axis("z", limits=(-4, 4)), Axis(limits=(-1.6, 2.6), zero=theme.faint)
        panels.append(Panel(marks, x, y, title=title, title_color=theme.ink))
    label = _("Activation functions with their slopes; those in use are in bold.")
    more = {"label": label, "legend": "window", "show_legend": True, "hover": "closest"}
    return grid(panels, 4, (0.04, 0.14), True, True, height=26, **more)


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
