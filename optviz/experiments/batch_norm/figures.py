"""Trainings with and without batch normalization: small charts side by side, a summary, and what is inside."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optviz.experiments.batch_norm.graph import stamp as graph_stamp
from optviz.experiments.batch_norm.spec import LEVEL, BatchNormComparison
from optviz.plot import histogram, histogram_range
from optviz.plot.style import (
    Theme,
    number,
    packed,
    style,
)
from optviz.plot.thumbnail import curves_thumbnail
from optviz.plot.old_training import over_seeds, status, table
from optviz.training import Progress

NAMES = ("with batch normalization", "without")  # in the order of the trainings
SYMBOLS = {
    "scales": ("σ", "standard deviation of the initial weights", "scales"),
    "rates": ("η", "learning rate", "rates"),
}
PARTS = ("training rows", "test rows")
GOOD = 0.9  # the accuracy from which on a network has learned
BINS = 30


class Pair(NamedTuple):
    """The same trainings with and without, over some values."""

    view: str  # one of SYMBOLS
    values: list[float]
    both: list[Progress]  # with, without

    def name(self, i: int) -> str:
        return f"{SYMBOLS[self.view][0]} = {number(self.values[i], 3)}"

    def final(self, part: int) -> np.ndarray:
        """The last accuracy `(2, values, seeds)`; a network that was lost has none, which is 0."""
        return np.stack([np.nan_to_num(now.accuracy[-1, part]) for now in self.both])

    @property
    def done(self) -> bool:
        return all(now.done for now in self.both)

    def better(self, part: int) -> np.ndarray:
        """Who has the better median at each value: 1 with, −1 without, 0 where they are level."""
        a, b = np.median(self.final(part), -1)
        return np.where(np.abs(a - b) <= LEVEL, 0, np.sign(a - b)).astype(int)


def _percent(value):
    return f"{number(100 * float(value), 3)} %"


# The small charts: figure 6.19.


def small_charts(pair: Pair, epoch: float, theme: Theme, part: int = 0) -> dict:
    """A chart for every value: accuracy over the epochs, with batch normalization solid, without dashed.

    Once all is done, those where plain is better have their heading in its color. A cross is where a network was lost.
    """
    n = len(pair.values)
    columns = int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    plain = pair.done * (pair.better(part) < 0)
    end = max(pair.both[0].training.iterations / epoch, 1e-3)
    data, notes = [], []
    layout = {"margin": {"l": 46, "r": 6, "t": 54, "b": 40}, "hovermode": "closest", "dragmode": False, "annotations": notes,
              "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "xanchor": "left", "yanchor": "top", "font": {"size": 12}}}  # fmt: skip
    for i in range(n):
        row, column = divmod(i, columns)
        lowest = i + columns >= n
        axis = _panel(layout, i, column, row, columns, rows, gap=(0.03, 0.075))
        layout[f"xaxis{axis}"] |= {"range": [0, end], "showticklabels": lowest, "nticks": 3}
        layout[f"yaxis{axis}"] |= {
            "range": [0, 1.04],
            "showticklabels": not column,
            "tickformat": ".0%",
            "nticks": 3,
        }
        if lowest and column == (columns - 1) // 2:
            layout[f"xaxis{axis}"]["title"] = {"text": "epoch", "standoff": 2, "font": {"size": 12}}
        text = f"<b>{pair.name(i)}</b>" if plain[i] else pair.name(i)
        notes.append(_note(text, layout, axis, {"color": theme.lines[1]} if plain[i] else {}))
        for k, now in enumerate(pair.both):
            look = style(k, theme)
            x, y = now.evaluated / epoch, over_seeds(now.accuracy[:, part, i])[0]
            common = {
                "type": "scatter", "name": NAMES[k], "legendgroup": NAMES[k], "xaxis": f"x{axis}", "yaxis": f"y{axis}",
                "hovertemplate": f"{pair.name(i)}, {NAMES[k]}: %{{y:.1%}}<extra></extra>",
            }  # fmt: skip
            data.append(
                common | {"mode": "lines", "uid": f"{i}l{k}", "x": packed(x), "y": packed(y), "showlegend": i == 0,
                          "line": {"color": look.color, "dash": look.dash, "width": 2, "simplify": False}}
            )  # fmt: skip
            known = np.flatnonzero(np.isfinite(y))
            if len(known) and not np.isfinite(y[-1]):
                at = known[-1:]
                data.append(
                    common | {"mode": "markers", "uid": f"{i}x{k}", "x": packed(x[at]), "y": packed(y[at]), "showlegend": False,
                              "marker": {"symbol": "x", "size": 8, "color": look.color}}
                )  # fmt: skip
    return {"data": data, "layout": layout}


def _panel(layout, i, column, row, columns, rows, gap):
    """Axes of one of many charts; gives their number as Plotly writes it."""
    axis = str(i + 1) if i else ""
    across, down = gap
    wide, tall = (1 - across * (columns - 1)) / columns, (1 - down * (rows - 1)) / rows
    left, top = column * (wide + across), 1 - row * (tall + down)
    common = {"zeroline": False, "fixedrange": True, "tickfont": {"size": 11}}
    layout[f"xaxis{axis}"] = {
        **common,
        "domain": [left, min(left + wide, 1)],
        "anchor": f"y{axis}",
        "tickangle": 0,
    }
    layout[f"yaxis{axis}"] = {**common, "domain": [max(top - tall, 0), top], "anchor": f"x{axis}"}
    return axis


def _note(text, layout, axis, font):
    left, right = layout[f"xaxis{axis}"]["domain"]
    return {
        "text": text, "xref": "paper", "yref": "paper", "x": (left + right) / 2, "y": layout[f"yaxis{axis}"]["domain"][1],
        "xanchor": "center", "yanchor": "bottom", "showarrow": False, "font": {"size": 12, **font},
    }  # fmt: skip


# The summary.


def summary(pair: Pair, theme: Theme, part: int = 0) -> dict:
    """The last accuracy over the values, both curves; where plain is better, it is said on the spot."""
    data, final = [], pair.final(part)
    for k, values in enumerate(final):
        look, (middle, low, high) = style(k, theme), over_seeds(values)
        lost = (pair.both[k].diverged_at >= 0).any(-1)
        marks = [("x" if gone else look.marker) for gone in lost]
        trace = {
            "type": "scatter", "mode": "lines+markers", "uid": f"s{k}", "name": NAMES[k], "x": packed(pair.values), "y": packed(middle),
            "line": {"color": look.color, "dash": look.dash, "width": 2.4, "simplify": False},
            "marker": {"symbol": marks, "size": 9, "color": look.color}, "text": [" (diverged)" if gone else "" for gone in lost],
            "hovertemplate": f"{NAMES[k]}, {SYMBOLS[pair.view][0]} = %{{x:.3g}}: %{{y:.1%}}%{{text}}<extra></extra>",
        }  # fmt: skip
        if values.shape[-1] > 1:
            trace["error_y"] = {
                "type": "data", "symmetric": False, "array": packed(high - middle), "arrayminus": packed(middle - low), "thickness": 1.2,
            }  # fmt: skip
        data.append(trace)
    notes = []
    for i in np.flatnonzero(pair.better(part) < 0) if pair.done else []:
        notes.append(
            {"text": f"{pair.name(i)}:<br>plain is better", "x": float(np.log10(pair.values[i])), "y": float(np.median(final[1, i])),
             "xref": "x", "yref": "y", "showarrow": True, "arrowhead": 2, "arrowsize": 1.2, "ax": 0, "ay": -34, "arrowcolor": theme.ink,
             "font": {"size": 12, "color": theme.ink}}
        )  # fmt: skip
    logs = np.log10(pair.values)
    margin = 0.04 * (np.ptp(logs) or 1.0)
    return {
        "data": data,
        "layout": {
            "margin": {"l": 56, "r": 12, "t": 44, "b": 44}, "hovermode": "closest", "dragmode": "pan", "annotations": notes,
            "xaxis": {"type": "log", "exponentformat": "power", "title": {"text": SYMBOLS[pair.view][1], "standoff": 4}, "zeroline": False,
                      "dtick": 1, "range": [float(logs.min() - margin), float(logs.max() + margin)]},
            "yaxis": {"range": [-0.03, 1.16], "tickformat": ".0%", "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1.0], "zeroline": False,
                      "title": {"text": f"last accuracy on {PARTS[part]}"}},
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
        },
    }  # fmt: skip


def verdict(pair: Pair, part: int = 0) -> str:
    """What the numbers say about with and without, with every exception; before they are all there, that they are not."""
    if not pair.done:
        return "Trained to the end, it is said here at which values batch normalization is ahead, and at which it is not."
    n, better, (a, b) = len(pair.values), pair.better(part), np.median(pair.final(part), -1)
    ahead, worse = int((better > 0).sum()), np.flatnonzero(better < 0)
    share = ahead / n
    word = (
        "Always, here" if ahead == n else "Almost always" if share > 0.8 else "Mostly" if share > 0.5
        else "At a part of them" if ahead else "Never, here"
    )  # fmt: skip
    text = f"**{word}:** with batch normalization more {PARTS[part]} are right at {ahead} of {n} {SYMBOLS[pair.view][2]}"
    if level := int((better == 0).sum()):
        text += f", at {level} the two are level (within {_percent(LEVEL)})"
    if len(worse):
        cases = "; ".join(
            f"{pair.name(i)}, {_percent(b[i])} without and {_percent(a[i])} with" for i in worse
        )
        text += f". **But plain is better at {cases}**"
    lost = [int((now.diverged_at >= 0).any(-1).sum()) for now in pair.both]
    gone = f" {lost[0]} diverge with it and {lost[1]} without." if any(lost) else ""
    return f"{text}. {_percent(GOOD)} are reached at {int((a >= GOOD).sum())} with it and at {int((b >= GOOD).sum())} without.{gone}"


HEADINGS = ("", "with", "without", "difference", "with, status", "without, status")


def summary_table(pair: Pair, part: int = 0) -> str:
    """The last accuracies in numbers, a line for every value."""
    a, b = np.median(pair.final(part), -1)
    rows = [
        ([pair.name(i), _percent(a[i]), _percent(b[i]), f"{100 * (a[i] - b[i]):+.1f}".replace("-", "−"), *(status(now, i) for now in pair.both)], None)
        for i in range(len(pair.values))
    ]  # fmt: skip
    return table(f"Last accuracy on {PARTS[part]} at every value", HEADINGS, rows)


def speed(both: list[Progress], epoch: float) -> str:
    """Which of the two has learned first, in epochs and in seconds."""
    firsts = [_first(now) for now in both]
    lost = [NAMES[k] for k, now in enumerate(both) if (now.diverged_at[0] >= 0).any()]
    if not any(now.iteration for now in both):
        return ""
    told = [
        f"{name} after {number(now.evaluated[at] / epoch, 3)} epochs ({number(now.seconds[now.evaluated[at] - 1] if now.evaluated[at] else 0.0, 2)} s)"
        if at is not None else f"{name} not yet"
        for name, now, at in zip(NAMES, both, firsts, strict=True)
    ]  # fmt: skip
    text = f"{_percent(GOOD)} of the training rows are right: **{told[0]}, {told[1]}**."
    if lost:
        text += f" Diverged: {' and '.join(lost)}."
    return text


def _first(now):
    reached = np.flatnonzero(over_seeds(now.accuracy[:, 0, 0])[0] >= GOOD)
    return int(reached[0]) if len(reached) else None


# Inside: what comes to a layer, and what it makes of it.

ROWS = {"sums": "sums x W + b", "normalized": "normalized", "activations": "activations"}


def histograms(hidden: list[dict[str, np.ndarray]], theme: Theme) -> dict:
    """A column for every hidden layer, a row for every station of the way; each panel has a range that fits its numbers."""
    names, n = list(hidden[0]), len(hidden)
    data, notes = [], []
    layout = {
        "margin": {"l": 52, "r": 8, "t": 24, "b": 24},
        "bargap": 0,
        "showlegend": False,
        "annotations": notes,
    }
    for row, name in enumerate(names):
        spans = [histogram_range(layer[name]) for layer in hidden]
        bars = [histogram(layer[name], span, BINS) for layer, span in zip(hidden, spans, strict=True)]
        tallest = max(float(shares.max()) for shares, _ in bars)
        for i, (span, (shares, edges)) in enumerate(zip(spans, bars, strict=True)):
            axis = _panel(layout, row * n + i, i, row, n, len(names), gap=(0.25 / max(n, 2), 0.13))
            layout[f"xaxis{axis}"] |= {
                "range": list(span),
                "nticks": 4,
                "showgrid": False,
                "exponentformat": "power",
            }
            layout[f"yaxis{axis}"] |= {
                "range": [0, 1.06 * tallest or 1.0],
                "nticks": 3,
                "showticklabels": i == 0,
                "tickformat": ".0%",
            }
            if i == 0:
                layout[f"yaxis{axis}"]["title"] = {
                    "text": ROWS[name],
                    "font": {"size": 12},
                    "standoff": 2,
                }
            data.append(
                {
                    "type": "bar", "uid": f"{name}{i}", "name": f"layer {i + 1}, {ROWS[name]}", "xaxis": f"x{axis}", "yaxis": f"y{axis}",
                    "x": packed((edges[:-1] + edges[1:]) / 2), "y": packed(shares), "width": float(edges[1] - edges[0]),
                    "marker": {"color": theme.lines[(2, 0, 3)[list(ROWS).index(name)]], "line": {"width": 0}},
                    "hovertemplate": "%{x:.3g}: %{y:.1%}<extra></extra>",
                }
            )  # fmt: skip
            if row == 0:
                notes.append(_note(f"layer {i + 1}", layout, axis, {}))
    return {"data": data, "layout": layout}


def spreads_table(hidden: list[dict[str, np.ndarray]], label: str) -> str:
    """Mean and spread of what is at every station of every hidden layer."""
    rows = []
    for i, layer in enumerate(hidden):
        cells = [
            number(float(v), 3)
            for a in layer.values()
            for v in (a.mean(dtype=float), a.std(dtype=float))
        ]
        rows.append(([f"layer {i + 1}", *cells], None))
    return table(
        label, ("", *(f"{name}, {what}" for name in hidden[0] for what in ("mean", "spread"))), rows
    )


def flow(hidden: list[dict[str, np.ndarray]]) -> str:
    """What becomes of the sums' spread from the first hidden layer to the last, with and without a layer that puts it right."""
    first, last = (float(layer["sums"].std(dtype=float)) for layer in (hidden[0], hidden[-1]))
    told = f"The sums have a spread of {number(first, 3)} in layer 1 and of {number(last, 3)} in layer {len(hidden)}"
    if "normalized" not in hidden[0]:
        ratio = last / first if first else 0.0
        return f"{told}: " + (
            "**the signal dies out** on its way." if ratio < 0.02 else "**the signal explodes** on its way." if ratio > 50
            else "the signal keeps its size by itself."
        )  # fmt: skip
    each = [float(layer["normalized"].std(dtype=float)) for layer in hidden]
    return f"{told}; what is normalized has one from {number(min(each), 3)} to {number(max(each), 3)}, **whatever comes in**."


def stamp(setting: BatchNormComparison, theme: Theme) -> str:
    """The small example's boxes, or the loss with and without at one or two of the values, as a small SVG."""
    if setting.view == "graph":
        return graph_stamp(setting.example, theme)
    n = len(setting.varied)
    some = slice(n // 4, None, max(n // 2, 1))  # a large one and a small one
    trainings = [
        replace(t, trials=t.trials[some], iterations=min(t.iterations, 25))
        for t in setting.trainings
    ]
    return curves_thumbnail(trainings, theme)
