"""Batch normalization of a few numbers: its computational graph as a picture, as far as one has
gone through it.
"""

from typing import NamedTuple

import numpy as np

from optviz.experiments.batch_norm.run import backward, forward
from optviz.experiments.batch_norm.spec import Example
from optviz.plot.style import Theme, number
from optviz.translation import N_, _

COLUMN, BOX, LINE, GAP, EDGE = 158, 132, 22, 64, 6  # of the picture, in pixels


class Node(NamedTuple):
    """An operation, or one of the inputs β and γ: where it is drawn, and from where its numbers
    come.
    """

    symbol: str
    column: int
    row: int
    sources: tuple[str, ...]
    meaning: str = ""  # what it does, for the table
    back: str = ""  # what it gets on the way back


NODES = {
    "x": Node("x", 0, 0, (), N_("input"), N_("Σ of both paths: ∂(x − μ) + ∂μ / B")),
    "mean": Node("μ", 0, 1, ("x",), N_("mean over the batch"), N_("− Σ ∂(x − μ)")),
    "apart": Node(
        "x − μ",
        1,
        0,
        ("x", "mean"),
        N_("distance from the mean"),
        N_("Σ of both paths: ∂x̂ / √ + 2 (x − μ) ∂(x − μ)²"),
    ),
    "squares": Node("(x − μ)²", 1, 1, ("apart",), N_("squared"), N_("∂σ² / B for each example")),
    "variance": Node("σ²", 2, 1, ("squares",), N_("their mean"), N_("∂√ / (2 √)")),
    "root": Node("√(σ² + ε)", 3, 1, ("variance",), N_("std, never 0"), N_("− ∂(1/√) / (σ² + ε)")),
    "scale": Node("1/√(σ² + ε)", 4, 1, ("root",), N_("its reciprocal"), N_("Σ (x − μ) ∂x̂")),
    "hat": Node("x̂", 4, 0, ("apart", "scale"), N_("mean 0, variance 1"), N_("γ ∂(γ x̂)")),
    "stretched": Node("γ x̂", 5, 0, ("hat", "gamma"), N_("scaled by γ"), N_("∂y")),
    "y": Node(
        "y", 6, 0, ("stretched", "beta"), N_("shifted by β: output"), N_("upstream gradient")
    ),
    "gamma": Node("γ", 5, 1, (), N_("learned"), N_("Σ x̂ ∂(γ x̂)")),
    "beta": Node("β", 6, 1, (), N_("learned"), N_("Σ ∂y")),
}
GATES = tuple(key for key, node in NODES.items() if node.sources)  # in the order of the steps
STEPS = 2 * len(GATES)


def gate_of(step: int) -> str:
    """Which operation a step from 1 to STEPS is of: first all forward, then all backward."""
    n = len(GATES)
    return GATES[step - 1] if step <= n else GATES[STEPS - step]


def known(step: int) -> tuple[set[str], set[str]]:
    """Which numbers are there after so many steps: of the way forward, and of the way back."""
    there = {"x", "gamma", "beta", *GATES[:step]}
    # a number that went two ways is known once the gradient is back from both: its first gate last
    first = {source: gate for gate in reversed(GATES) for source in NODES[gate].sources}
    arrived = {"y"} if step >= len(GATES) else set()
    return there, arrived | {source for source, gate in first.items() if gate in _returned(step)}


def _returned(step):
    """The gates that have passed the gradient back to their inputs."""
    return GATES[STEPS - step :]


def numbers_of(example: Example) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All numbers of the way forward, and of the way back."""
    v = forward(example)
    return v, backward(example, v)


# The picture.


def picture(example: Example, step: int, theme: Theme) -> str:
    """The graph after so many steps as an SVG: in every box forward numbers on the left, backward
    ones on the right.
    """
    v, d = numbers_of(example)
    there, arrived = known(step)
    tall = (2 + max(len(example.x), 2)) * LINE
    width, height = 6 * COLUMN + BOX + 2 * EDGE, 2 * tall + GAP + 2 * EDGE
    at = {key: (EDGE + n.column * COLUMN, EDGE + n.row * (tall + GAP)) for key, n in NODES.items()}
    now = gate_of(step) if step else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="15">',
        *(_head(way, color) for way, color in _colors(theme).items()),
    ]
    for key, node in NODES.items():
        for source in node.sources:
            way = "fore" if key in there else "none"
            parts.append(_arrow(at[source], at[key], tall, way, theme))
            if key in _returned(step):
                parts.append(_arrow(at[key], at[source], tall, "back", theme))
    for key in NODES:
        value, gradient = v[key] if key in there else None, d[key] if key in arrived else None
        parts.append(_box(NODES[key].symbol, at[key], tall, value, gradient, key == now, theme))
    parts.append(_legend(at["apart"][0] + BOX + 40, EDGE + 44, theme))
    return "".join([*parts, "</svg>"])


def _colors(theme):
    """Of the ways on which numbers go: forward, back, and where none has gone yet."""
    return {"fore": theme.lines[0], "back": theme.lines[1], "none": theme.faint}


def _head(way, color):
    return (
        f'<marker id="{way}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" markerUnits="userSpaceOnUse" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{color}"/></marker>'
    )


def _arrow(begin, end, tall, way, theme):
    """From box to box, from side to side or from edge to edge, a little aside so that both ways are
    seen.
    """
    (x0, y0), (x1, y1) = sorted((begin, end))
    aside = 5 if way == "back" else -5
    if x0 == x1:
        x = x0 + BOX / 2 - aside * 2
        ends = (x, y0 + tall), (x, y1)
    elif y0 == y1:
        y = y0 + 14 + aside * 1.2
        ends = (x0 + BOX, y), (x1, y)
    else:  # slantwise: between μ, low on the left, and x − μ, high on the right
        ends = (x0 + BOX - 20 + 2 * aside, y0), (x1 + 20 + 2 * aside, y1 + tall)
    (x0, y0), (x1, y1) = ends if begin < end else ends[::-1]
    return _path(f"M{x0:.0f} {y0:.0f}L{x1:.0f} {y1:.0f}", way, theme)


def _path(course, way, theme):
    dashes = "7 4" if way == "back" else ""
    return (
        f'<path d="{course}" stroke="{_colors(theme)[way]}" stroke-width="2" fill="none" '
        f'marker-end="url(#{way})" stroke-dasharray="{dashes}"/>'
    )


def _box(symbol, at, tall, value, gradient, now, theme):
    x, y = at
    edge = (
        f'stroke="{theme.ink}" stroke-width="3"'
        if now
        else f'stroke="{theme.level}" stroke-width="1.5"'
    )
    dim = "" if value is not None else ' opacity="0.45"'
    out = [
        f'<g{dim}><rect x="{x}" y="{y}" width="{BOX}" height="{tall}" rx="7" fill="none" {edge}/>',
        f'<rect x="{x}" y="{y}" width="{BOX}" height="28" rx="7" fill="{theme.level}" '
        'fill-opacity="0.4"/>',
        f'<text x="{x + BOX / 2}" y="{y + 20}" text-anchor="middle" font-weight="bold" '
        f'font-size="16" fill="{theme.ink}">{symbol}</text>',
    ]
    for values, right, color in (
        (value, x + BOX / 2 - 4, theme.lines[0]),
        (gradient, x + BOX - 6, theme.lines[1]),
    ):
        if values is None:
            continue
        for i, one in enumerate(np.atleast_1d(values)):
            line = (
                y + 28 + (i + 0.85) * LINE + (0 if np.ndim(values) else (tall - 28 - LINE) / 2 - 2)
            )
            told = number(float(one), 3)
            out.append(
                f'<text x="{right}" y="{line:.0f}" text-anchor="end" fill="{color}">{told}</text>'
            )
    return "".join([*out, "</g>"])


def _legend(x, y, theme):
    ways = {"fore": _("forward: the numbers"), "back": _("backward: their gradients")}
    return "".join(
        _path(f"M{x} {y + 26 * i}h34", way, theme)
        + f'<text x="{x + 44}" y="{y + 26 * i + 5}" fill="{theme.ink}">{told}</text>'
        for i, (way, told) in enumerate(ways.items())
    )
