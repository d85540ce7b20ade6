"""Histograms of activations and gradients through a stack of layers."""

import numpy as np

from optviz.experiments.activations import text
from optviz.experiments.activations.run import Layer, propagate
from optviz.experiments.activations.samples import key_of, layers_of
from optviz.experiments.activations.spec import Activations, initializer_name
from optviz.experiments.page import Row
from optviz.nn import ACTIVATIONS, INITIALIZERS, WEIGHTS, stream
from optviz.plot import (
    Axis,
    Dots,
    Figure,
    HistogramRow,
    Line,
    Panel,
    Theme,
    grid,
    histogram,
    histogram_bars,
    histogram_grid,
    histogram_outline,
    histogram_range,
    style,
)
from optviz.spec import Choice
from optviz.translation import _
from optviz.ui.cache import cached

# Slope and intercept of the lines of a maxout unit, of which the highest counts (Goodfellow et al.
# 2013, Maxout networks): in a network each is a weighted sum of its own.
MAXOUT = np.array([[-0.5, -0.5], [0.2, 0.0], [1.0, -1.0]])
PAIR_HEIGHT = (14, 34, 26)  # two settings fit on one projector


def settings(context) -> list:
    """Every setting: its name, its histograms, and a remark on its last layer."""
    spec, parts = context.spec, []
    layout = {"height": PAIR_HEIGHT} if len(spec.stacks) > 1 else {}
    for stack in spec.stacks:
        layers = layers_of(stack)
        options = spec.shared_range, spec.backward
        key = f"{key_of(stack)} {options} {context.theme.ink} {len(spec.stacks)}"
        picture = _histograms(key, layers, context.theme, options, layout)
        parts += [f"**{text.name(stack)}**", picture, text.remark(layers)]
    return parts


@cached
def _histograms(key, _layers, _theme, _options, _figure):
    return histograms(_layers, _theme, *_options, **_figure)


def histograms(
    layers: list[Layer], theme: Theme, shared: bool = False, quantity: str = "a", **figure
) -> Figure:
    """A column for every layer: its activations, and below them the gradient of `quantity`."""
    forward = [layer.activations for layer in layers]
    with np.errstate(all="ignore"):
        backward = [layer.upstream(quantity) for layer in layers]
    message = _("backward: ∂L/∂{letter}").format(letter=quantity)
    rows = [
        HistogramRow(_("forward: activations"), theme.lines[0], forward, layers[0].limits),
        HistogramRow(message, theme.lines[1], backward),
    ]
    columns = [_("layer {i}").format(i=i) for i in range(1, len(layers) + 1)]
    message = _("Histograms of {n} layers. The table below summarizes them.")
    return histogram_grid(rows, columns, shared, label=message.format(n=len(layers)), **figure)


def functions(context) -> Figure:
    """Every activation function and its slope, where a signal usually is; and one maxout unit."""
    theme, z = context.theme, np.linspace(-4, 4, 161)
    activations = {stack.activation.key: stack.activation for stack in context.spec.stacks}
    charts = []
    for key, cls in ACTIVATIONS.items():
        h = activations.get(key, Choice(key)).build(ACTIVATIONS)
        a, title = h.value(z), f"<b>{cls.label}</b>" if key in activations else cls.label
        charts.append((title, a, h.slope(z, a) * np.ones_like(z)))
    lines = MAXOUT[:, :1] * z + MAXOUT[:, 1:]
    charts.append((_("maxout of three lines"), lines.max(0), MAXOUT[lines.argmax(0), 0]))
    panels = []
    for i, (title, *curves) in enumerate(charts):
        options = {"width": 2, "hover": "{name}: {y:.3g}", "legend": i == 0}
        marks = [
            Line(z, y, style(k, theme), name=name, uid=f"h{i}-{k}", **options)
            for k, (name, y) in enumerate(zip((_("value"), _("slope")), curves, strict=True))
        ]
        x, y = Axis("z", limits=(-4, 4)), Axis(limits=(-1.6, 2.6), zero=theme.faint)
        panels.append(Panel(marks, x, y, title=title, title_color=theme.ink))
    label = _("Activation functions with their slopes; those in use are in bold.")
    layout = {"label": label, "legend": "window", "show_legend": True, "hover": "closest"}
    return grid(panels, 4, (0.04, 0.14), True, True, height=26, **layout)


def initial_weights(context) -> Row:
    """The distribution of the first layer's weights, and how it depends on the fan-in."""
    theme, densities, curves = context.theme, [], []
    stacks = context.spec.stacks
    inits = [stack.initializer.build(INITIALIZERS) for stack in stacks]
    widest = 3.5 * max(r.spread(s.inputs, s.units) for r, s in zip(inits, stacks, strict=True))
    edges = np.linspace(-1, 1, 82) * (widest or 1.0)
    z, n = np.linspace(edges[0], edges[-1], 401), np.geomspace(1, 1000, 61)
    for i, (init, stack) in enumerate(zip(inits, stacks, strict=True)):
        line_style, name = style(i, theme), initializer_name(stack.initializer)
        common, hover = {"name": name, "group": f"{i}"}, "{name}: {y:.3g}"
        weights = init.draw(stream(stack.seed, WEIGHTS, 0), stack.inputs, stack.units)
        density = np.histogram(weights, edges)[0] / weights.size / np.diff(edges)
        thin = {"uid": f"drawn{i}", "width": 1, "opacity": 0.6, "legend": False}
        densities.append(histogram_outline(edges, density, line_style, **common, **thin))
        sigma = init.spread(stack.inputs, stack.units)
        if sigma:
            normal = np.exp(-0.5 * (z / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
            densities.append(Line(z, normal, line_style, uid=f"normal{i}", hover=hover, **common))
            spreads = [init.spread(fan, stack.units) for fan in n]
            curves.append(Line(n, spreads, line_style, uid=f"rule{i}", hover=hover, **common))
            marker = {"uid": f"own{i}", "size": 11, "legend": False, **common}
            curves.append(Dots([stack.inputs], [sigma], line_style, **marker))
    figure = {"height": 20, "hover": "closest", "show_legend": True}
    label = _("The density of the first layer's weights, as drawn and as a normal distribution.")
    x, y = Axis(_("weight"), zero=theme.faint), Axis(_("density"))
    left = Figure(densities, x, y, label=label, **figure)
    label = _("The standard deviation of a weight over the fan-in.")
    x = Axis(_("fan-in n"), log=True, step=1, limits=(1, 1000))
    y = Axis(_("σ of a weight"), log=True)
    return Row([left, Figure(curves, x, y, label=label, **figure)])


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
                    x_domain=((i + 0.05) / len(layers), (i + 0.95) / len(layers)),
                    y_domain=((rows - row - 1) / rows, (rows - row - 0.1) / rows),
                )
            )
    return Figure(panels=panels)
