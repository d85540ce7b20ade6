"""Histograms of what goes forward and what comes back through a stack of layers, and the same in numbers."""

from html import escape

import numpy as np

from optviz.experiments.activations.spec import (
    DeepStack,
    Layer,
    fitting,
    histogram,
)
from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.plot.style import Theme, number, packed

BINS = 30
ROWS = (("activations", "forward: activations"), ("arriving", "backward: gradients"))


def name(stack: DeepStack) -> str:
    """What a setting is called: activation, initializer, and the spread where that is a hyperparameter."""
    rule = stack.initializer.build(INITIALIZERS)
    hyperparameters = ", ".join(f"{k} = {v:g}" for k, v in stack.initializer.values.items())
    return f"{ACTIVATIONS[stack.activation.key].label}, {rule.label}{f' ({hyperparameters})' if hyperparameters else ''}"


def histograms(layers: list[Layer], theme: Theme, together: bool = False) -> dict:
    """A column for every layer: above what it passes on, below the gradient that reaches it.

    Each panel has a range that fits its numbers; `together` gives one range to a whole row.
    """
    n, gap = len(layers), 0.25 / max(len(layers), 2)
    width = (1 - gap * (n - 1)) / n
    data, layout = (
        [],
        {
            "margin": {"l": 48, "r": 8, "t": 24, "b": 34},
            "bargap": 0,
            "showlegend": False,
            "annotations": [],
        },
    )
    for row, (field, title) in enumerate(ROWS):
        color = theme.lines[row]
        limits = layers[0].limits if row == 0 else (None, None)
        values = [getattr(layer, field) for layer in layers]
        shared = fitting(np.concatenate([v.ravel() for v in values]), limits) if together else None
        top = 1 - 0.54 * row
        spans = [shared or fitting(v, limits) for v in values]
        bars = [histogram(v, span, BINS) for v, span in zip(values, spans, strict=True)]
        tallest = max(
            float(counts.max()) / max(v.size, 1)
            for (counts, _), v in zip(bars, values, strict=True)
        )
        for i, (v, span, (counts, edges)) in enumerate(zip(values, spans, bars, strict=True)):
            k = row * n + i + 1
            axis = "" if k == 1 else str(k)
            data.append(
                {
                    "type": "bar", "uid": f"{field}{i}", "name": f"layer {i + 1}", "xaxis": f"x{axis}", "yaxis": f"y{axis}",
                    "x": packed((edges[:-1] + edges[1:]) / 2), "y": packed(counts / max(v.size, 1)),
                    "width": float(edges[1] - edges[0]), "marker": {"color": color, "line": {"width": 0}},
                    "hovertemplate": "%{x:.3g}: %{y:.1%}<extra></extra>",
                }
            )  # fmt: skip
            left = i * (width + gap)
            layout[f"xaxis{axis}"] = {
                "domain": [left, min(left + width, 1)], "anchor": f"y{axis}", "range": list(span), "nticks": 4 if n < 7 else 3,
                "tickfont": {"size": 11}, "showgrid": False, "exponentformat": "power", "zeroline": False, "fixedrange": True,
                "tickangle": 0,
            }  # fmt: skip
            layout[f"yaxis{axis}"] = {
                "domain": [max(top - 0.44, 0), top - 0.02], "anchor": f"x{axis}", "showticklabels": i == 0, "tickformat": ".0%",
                "range": [0, 1.06 * tallest or 1.0], "nticks": 4, "tickfont": {"size": 11}, "zeroline": False, "fixedrange": True,
            }  # fmt: skip
            if row == 0:
                layout["annotations"].append(
                    _note(f"layer {i + 1}", left + width / 2, 1.0, "center", 12)
                )
        layout["yaxis" + ("" if row == 0 else str(n + 1))]["title"] = {
            "text": title,
            "font": {"size": 12},
            "standoff": 2,
        }
    return {"data": data, "layout": layout}


def _note(text, x, y, anchor, size):
    return {
        "text": text, "xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": anchor, "yanchor": "bottom",
        "showarrow": False, "font": {"size": size},
    }  # fmt: skip


HEADINGS = (
    "layer",
    "mean",
    "spread",
    "within a unit",
    "between units",
    "saturated",
    "dead units",
    "gradient's spread",
)


def rows(layers: list[Layer]) -> list[list[float]]:
    """The numbers of the table, one row for each layer."""
    return [
        [i, a.mean, a.std, a.within, a.between, layer.saturated, layer.dead, layer.backward.std]
        for i, layer in enumerate(layers, 1)
        if (a := layer.forward)
    ]


def table(layers: list[Layer], label: str) -> str:
    """The same as HTML."""
    head = "".join(f'<th scope="col">{h}</th>' for h in HEADINGS)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td>{number(v, 3)}</td>" for v in row[1:])
        + "</tr>"
        for row in rows(layers)
    )
    return (
        f'<div class="ov-table" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def remark(layers: list[Layer]) -> str:
    """The most that the last layer says about the setting, in one or two sentences."""
    last, first = layers[-1], layers[0]
    a, n = last.forward, len(layers)
    if not np.isfinite(a.std):
        return f"By layer {n} the numbers have overflowed: nothing finite is left to draw."
    if not first.forward.std:
        return "**Nothing gets through**: every unit says the same for every input."
    if a.std < 1e-3 * max(first.forward.std, 1e-300) or (n > 1 and a.std == 0):
        return (
            f"**The signal dies out**: its spread falls from {number(first.forward.std, 3)} in layer 1 to {number(a.std, 3)} "
            f"in layer {n}, so that every input looks the same from there."
        )
    if a.std > 1e3 * first.forward.std:
        return f"**The signal explodes**: its spread grows from {number(first.forward.std, 3)} to {number(a.std, 3)}."
    if a.between > 3 * a.within:
        return (
            f"**The histogram hides something**: layer {n} is {number(a.std, 3)} wide, but one unit varies by only "
            f"{number(a.within, 3)} over the samples. The width lies *between* units ({number(a.between, 3)}), each of which says "
            "nearly the same whatever the input is."
        )
    if last.saturated > 0.3 and last.limits[0] is not None and last.limits[1] is not None:
        back = (
            f"; the gradient's spread goes from {number(last.backward.std, 3)} at layer {n} to {number(first.backward.std, 3)} at layer 1"
            if n > 1
            else ""
        )
        return f"**Saturated**: {100 * last.saturated:.0f} % of layer {n} sit at an end of the range, where the slope is all but zero{back}."
    if not 0.5 < a.std / first.forward.std < 2:
        way = "shrinks" if a.std < first.forward.std else "grows"
        return (
            f"**The signal {way}** from layer to layer: its spread goes from {number(first.forward.std, 3)} to {number(a.std, 3)}, "
            "and further in a deeper stack."
        )
    ratio = first.backward.std / last.backward.std if last.backward.std else np.nan
    if np.isfinite(ratio) and not 0.05 < ratio < 20:
        way = "fades" if ratio < 1 else "grows"
        return f"Forward all is well, but **the gradient {way}** on its way back by a factor of {number(max(ratio, 1 / ratio), 2)}."
    return "Signal and gradient both keep their size: a healthy start."
