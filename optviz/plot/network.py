"""A small network as a graph: a circle for each unit, a line for each weight."""

from collections.abc import Sequence

import numpy as np

from optviz.plot.figure import Figure, Note, hidden
from optviz.plot.marks import Dots, Line, Mark, entry
from optviz.plot.style import DASHES, Style, Theme, number
from optviz.translation import _

MAX_WIDTH = 8.0  # of the line of the largest weight, in pixels
MIN_WIDTH = 1.0
NODE = 30  # pixels
ROOM = 4.6  # rem of height for each unit of the widest layer
BELOW = 0.36  # a bias stands so far below its unit


def network_graph(
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    theme: Theme,
    name: str = "",
    **figure,
) -> Figure:
    """Matrices `(n_in, n_out)` and biases `(n_out,)`, layer by layer, as a graph.

    The width of a line is the weight's size, relative to the largest; negative weights have
    another color and dashes, 0 is dotted. Every line and every unit carries its number. For layers
    of up to some eight units; a weight that is not finite has no line.
    """
    sizes = [len(weights[0]), *(w.shape[1] for w in weights)]
    heights = [(n - 1) / 2 - np.arange(n) for n in sizes]
    positions = [np.stack([np.full(len(y), k), y], -1) for k, y in enumerate(heights)]
    largest = max(np.abs(w[np.isfinite(w)]).max(initial=0.0) for w in weights) or 1.0
    marks: list[Mark] = []
    notes: list[Note] = []
    for k, w in enumerate(weights):
        fraction = _number_position(*w.shape)
        for (i, j), value in np.ndenumerate(w):
            if not np.isfinite(value):
                continue
            sign, style = _weight_style(value, theme)
            ends = np.stack([positions[k][i], positions[k + 1][j]])
            width = MIN_WIDTH + (MAX_WIDTH - MIN_WIDTH) * abs(value) / largest
            first = all(mark.name != sign for mark in marks)
            line = Line(*ends.T, style, width=width, uid=f"w{k}-{i}-{j}", legend=first)
            marks += entry(sign, line)
            x, y = ends[0] + fraction * (ends[1] - ends[0])
            label = {"data": True, "size": 12, "color": theme.ink, "background": theme.high}
            notes.append(Note(number(value, 3), x, y, "center middle", **label))
    for points, b in zip(positions[1:], biases, strict=True):
        for (x, y), value in zip(points, b, strict=True):
            text = f"b {number(value, 3)}"
            bias = {"data": True, "size": 12, "color": theme.faint}
            notes.append(Note(text, x, y - BELOW, "center top", **bias))
    marks += [_units(points, k, len(sizes) - 1, theme) for k, points in enumerate(positions)]
    half_height = max(sizes) / 2
    label = _("The network of {name} as a graph. The matrices below have its numbers.")
    return Figure(
        marks,
        hidden((-0.3, len(weights) + 0.3)),
        hidden((-half_height - 0.3, half_height)),
        notes=notes,
        label=label.format(name=name),
        hover=False,
        drag=False,
        show_legend=True,
        margin={"l": 4, "r": 4, "b": 4},
        height=max(11.0, ROOM * max(sizes) + 3),
        **figure,
    )


def _weight_style(value, theme):
    """What a weight of this sign is called, and how it is drawn."""
    if value == 0:
        return _("zero"), Style(theme.faint, DASHES[2])
    if value > 0:
        return _("positive"), Style(theme.lines[0])
    return _("negative"), Style(theme.lines[1], DASHES[1])


def _number_position(n_in, n_out):
    """Where on a line its number stands: at the end where the lines are apart from each other."""
    return 0.58 if n_out > n_in else 0.42 if n_out < n_in else 0.3


def _units(points, layer, last, theme):
    """The circles of a layer, with x, h and y for inputs, hidden units and outputs."""
    letter = "x" if layer == 0 else "y" if layer == last else "h"
    text = [f"{letter}{i}" if len(points) > 1 else letter for i in range(1, len(points) + 1)]
    labels = {"text": text, "text_position": "middle center", "text_color": theme.ink}
    circle = {"size": NODE, "edge": theme.ink, "edge_width": 1.5, "uid": f"layer{layer}"}
    return Dots(*points.T, Style(theme.high), legend=False, **circle, **labels)
