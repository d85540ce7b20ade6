"""Batch normalization of a few numbers: its computational graph as a picture, up to a step."""

from typing import NamedTuple

import numpy as np

from optviz.experiments.batch_norm.run import backward, forward
from optviz.experiments.batch_norm.spec import Example
from optviz.plot.style import Theme, number
from optviz.translation import N_, _

COLUMN, BOX, LINE, GAP, EDGE = 158, 132, 22, 64, 6  # of the picture, in pixels


class Node(NamedTuple):
    """An operation, or one of the inputs β and γ: where it is drawn, and where its numbers come
    from.
    """

    symbol: str
    column: int
    row: int
    sources: tuple[str, ...]
    meaning: str = ""  # what it does, for the table
    back: str = ""  # how its gradient is computed


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
    """The operation of a step from 1 to STEPS: first all forward, then all backward."""
    n = len(GATES)
    return GATES[step - 1] if step <= n else GATES[STEPS - step]


def available_numbers(step: int) -> tuple[set[str], set[str]]:
    """The keys of the numbers that are computed after so many steps: forward, and backward."""
    forward = {"x", "gamma", "beta", *GATES[:step]}
    # a number used by two gates is ready once the gradient is back from both: its first gate last
    last_gate = {source: gate for gate in reversed(GATES) for source in NODES[gate].sources}
    backward = {"y"} if step >= len(GATES) else set()
    returned = _returned(step)
    return forward, backward | {k for k, gate in last_gate.items() if gate in returned}


def _returned(step):
    """The gates that have passed the gradient back to their inputs."""
    return GATES[STEPS - step :]


def numbers_of(example: Example) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All numbers, forward and backward."""
    v = forward(example)
    return v, backward(example, v)


# The picture.


def picture(example: Example, step: int, theme: Theme) -> str:
    """The graph after so many steps as an SVG: in every box forward numbers on the left, backward
    ones on the right.
    """
    v, d = numbers_of(example)
    ready, returned = available_numbers(step)
    tall = (2 + max(len(example.x), 2)) * LINE
    width, height = 6 * COLUMN + BOX + 2 * EDGE, 2 * tall + GAP + 2 * EDGE
    pitch = tall + GAP
    corners = {k: (EDGE + n.column * COLUMN, EDGE + n.row * pitch) for k, n in NODES.items()}
    current = gate_of(step) if step else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="15">',
        *(_head(kind, color) for kind, color in _colors(theme).items()),
    ]
    for key, node in NODES.items():
        for source in node.sources:
            kind = "fore" if key in ready else "none"
            parts.append(_arrow(corners[source], corners[key], tall, kind, theme))
            if key in _returned(step):
                parts.append(_arrow(corners[key], corners[source], tall, "back", theme))
    for key in NODES:
        value, gradient = v[key] if key in ready else None, d[key] if key in returned else None
        numbers, is_current = (value, gradient), key == current
        parts.append(_box(NODES[key].symbol, corners[key], tall, *numbers, is_current, theme))
    parts.append(_legend(corners["apart"][0] + BOX + 40, EDGE + 44, theme))
    return "".join([*parts, "</svg>"])


def _colors(theme):
    """Of the arrows: forward, back, and where no number has gone yet."""
    return {"fore": theme.lines[0], "back": theme.lines[1], "none": theme.faint}


def _head(kind, color):
    return (
        f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" markerUnits="userSpaceOnUse" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{color}"/></marker>'
    )


def _arrow(start, end, tall, kind, theme):
    """From box to box, side to side or edge to edge, shifted so that both directions show."""
    (x0, y0), (x1, y1) = sorted((start, end))
    shift = 5 if kind == "back" else -5
    if x0 == x1:
        x = x0 + BOX / 2 - shift * 2
        ends = (x, y0 + tall), (x, y1)
    elif y0 == y1:
        y = y0 + 14 + shift * 1.2
        ends = (x0 + BOX, y), (x1, y)
    else:  # slantwise: between μ, low on the left, and x − μ, high on the right
        ends = (x0 + BOX - 20 + 2 * shift, y0), (x1 + 20 + 2 * shift, y1 + tall)
    (x0, y0), (x1, y1) = ends if start < end else ends[::-1]
    return _path(f"M{x0:.0f} {y0:.0f}L{x1:.0f} {y1:.0f}", kind, theme)


def _path(d, kind, theme):
    dashes = "7 4" if kind == "back" else ""
    return (
        f'<path d="{d}" stroke="{_colors(theme)[kind]}" stroke-width="2" fill="none" '
        f'marker-end="url(#{kind})" stroke-dasharray="{dashes}"/>'
    )


def _box(symbol, position, tall, value, gradient, current, theme):
    x, y = position
    edge = (
        f'stroke="{theme.ink}" stroke-width="3"'
        if current
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
        for i, v in enumerate(np.atleast_1d(values)):
            line = (
                y + 28 + (i + 0.85) * LINE + (0 if np.ndim(values) else (tall - 28 - LINE) / 2 - 2)
            )
            text = number(float(v), 3)
            out.append(
                f'<text x="{right}" y="{line:.0f}" text-anchor="end" fill="{color}">{text}</text>'
            )
    return "".join([*out, "</g>"])


def _legend(x, y, theme):
    labels = {"fore": _("forward: the numbers"), "back": _("backward: their gradients")}
    return "".join(
        _path(f"M{x} {y + 26 * i}h34", kind, theme)
        + f'<text x="{x + 44}" y="{y + 26 * i + 5}" fill="{theme.ink}">{label}</text>'
        for i, (kind, label) in enumerate(labels.items())
    )
