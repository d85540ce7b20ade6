"""Batch normalization of a few numbers: every step as an equation, what it comes to in words, all numbers in a table."""

import csv
import io

import numpy as np

from optviz.experiments.batch_norm.graph import (
    GATES,
    NODES,
    STEPS,
    gate_of,
    numbers_of,
)
from optviz.experiments.batch_norm.spec import Example
from optviz.nn.batch_norm import MOMENTUM
from optviz.plot.equations import latex_number
from optviz.plot.old_training import table
from optviz.plot.style import (
    Theme,
    number,
    packed,
    style,
)


def _tuple(a):
    a = np.atleast_1d(a)
    inner = r",\; ".join(_tex(v) for v in a)
    return inner if len(a) == 1 else rf"({inner})"


def _tex(value):
    return latex_number(float(f"{value:.4g}") + 0.0)  # no −0


def _signed(value):
    return rf"({_tex(value)})" if value < 0 else _tex(value)


def _sum(values):
    return " + ".join(_signed(v) for v in values)


def title(step: int) -> str:
    """What a step is called."""
    n = len(GATES)
    if not step:
        return "Before the first step"
    way = "forward" if step <= n else "backward"
    return f"Step {step} of {STEPS}, {way} through {NODES[gate_of(step)].symbol}"


def equations_of(example: Example, step: int) -> list[str]:
    """The equations of a step with the numbers of the batch, in LaTeX."""
    v, d = numbers_of(example)
    n, gate = len(example.x), gate_of(step)
    gamma, beta, eps = (_signed(value) for value in (example.gamma, example.beta, example.eps))
    if step <= len(GATES):
        way = {
            "mean": (r"\mu = \frac{1}{B} \sum x", rf"\frac{{{_sum(v['x'])}}}{{{n}}}"),
            "apart": (r"x - \mu", rf"{_tuple(v['x'])} - {_signed(v['mean'])}"),
            "squares": (r"(x - \mu)^2", ""),
            "variance": (r"\sigma^2 = \frac{1}{B} \sum (x - \mu)^2", rf"\frac{{{_sum(v['squares'])}}}{{{n}}}"),
            "root": (r"\sqrt{\sigma^2 + \epsilon}", rf"\sqrt{{{_tex(v['variance'])} + {eps}}}"),
            "scale": (r"\frac{1}{\sqrt{\sigma^2 + \epsilon}}", rf"\frac{{1}}{{{_tex(v['root'])}}}"),
            "hat": (r"\hat x = (x - \mu) \cdot \tfrac{1}{\sqrt{\sigma^2 + \epsilon}}", rf"{_tuple(v['apart'])} \cdot {_tex(v['scale'])}"),
            "stretched": (r"\gamma\, \hat x", rf"{gamma} \cdot {_tuple(v['hat'])}"),
            "y": (r"y = \gamma\, \hat x + \beta", rf"{_tuple(v['stretched'])} + {beta}"),
        }[gate]  # fmt: skip
        return [" = ".join(filter(None, (*way, _tuple(v[gate]))))]
    first = v["scale"] * d["hat"]
    ways = {
        "y": [(r"\partial(\gamma \hat x) = \partial y", "", d["stretched"]), (r"\partial\beta = \sum \partial y", _sum(d["y"]), d["beta"])],
        "stretched": [
            (r"\partial\hat x = \gamma\, \partial(\gamma \hat x)", rf"{gamma} \cdot {_tuple(d['stretched'])}", d["hat"]),
            (r"\partial\gamma = \sum \hat x\, \partial(\gamma \hat x)", _sum(v["hat"] * d["stretched"]), d["gamma"]),
        ],
        "hat": [
            (r"\partial\tfrac{1}{\sqrt{\;}} = \sum (x - \mu)\, \partial\hat x", _sum(v["apart"] * d["hat"]), d["scale"]),
            (r"\partial(x - \mu) \text{, first way} = \tfrac{1}{\sqrt{\sigma^2 + \epsilon}}\, \partial\hat x", "", first),
        ],
        "scale": [(r"\partial\sqrt{\;} = -\frac{1}{\sigma^2 + \epsilon}\, \partial\tfrac{1}{\sqrt{\;}}", "", d["root"])],
        "root": [(r"\partial\sigma^2 = \frac{1}{2 \sqrt{\sigma^2 + \epsilon}}\, \partial\sqrt{\;}", "", d["variance"])],
        "variance": [(r"\partial(x - \mu)^2 = \frac{1}{B}\, \partial\sigma^2 \text{ in every row}", "", d["squares"])],
        "squares": [
            (r"\partial(x - \mu) \text{, second way} = 2 (x - \mu)\, \partial(x - \mu)^2", "", d["apart"] - first),
            (r"\partial(x - \mu) \text{, both}", "", d["apart"]),
        ],
        "apart": [
            (r"\partial\mu = -\sum \partial(x - \mu)", rf"-\left({_sum(d['apart'])}\right)", d["mean"]),
            (r"\partial x \text{, first way} = \partial(x - \mu)", "", d["apart"]),
        ],
        "mean": [
            (r"\partial x \text{, second way} = \frac{1}{B}\, \partial\mu \text{ in every row}", "", np.full(n, d["mean"] / n)),
            (r"\partial x \text{, both}", "", d["x"]),
        ],
    }[gate]  # fmt: skip
    return [
        " = ".join(filter(None, (symbols, filled, _tuple(result))))
        for symbols, filled, result in ways
    ]


def seen(example: Example) -> str:
    """What the example says, in words with its numbers."""
    v, d = numbers_of(example)
    n = len(example.x)
    if n == 1:
        return (
            "**One row alone has no spread**: it is its own mean, so x̂ = 0 and y = β whatever x is, and no gradient comes through. "
            "Batch normalization needs a batch."
        )
    if not v["variance"]:
        return "**All rows are the same**: the variance is 0, ε alone keeps the division from failing, and every x̂ is 0."
    ways = int(np.count_nonzero(np.array(example.arriving)))
    live_patch = int(np.count_nonzero(np.abs(d["x"]) > 1e-12))
    text = f"x̂ has the mean 0 and the spread {number(float(v['hat'].std()), 4)}, whatever the mean and the spread of x are."
    if 0 < ways < live_patch:
        text += (
            f" **The rows of a batch talk to each other**: a gradient arrives at {ways} of {n} rows, and {live_patch} of them get one, "
            "by way of μ and σ²."
        )
    return f"{text} The gradients of x add up to {number(_clean(d['x']), 2)}: moving all rows alike changes nothing."


def _clean(a):
    total = float(a.sum())
    return total if abs(total) > 1e-9 * max(float(np.abs(a).max()), 1e-300) else 0.0


def remembered(example: Example) -> str:
    """What evaluation makes of it: the running statistics after this one batch."""
    v, _ = numbers_of(example)
    mean, variance = (1 - MOMENTUM) * v["mean"], MOMENTUM + (1 - MOMENTUM) * v["variance"]
    y = example.gamma * (example.x[-1] - mean) / np.sqrt(variance + example.eps) + example.beta
    return (
        f"**Evaluation** does not look at the batch: a single row must get the same answer in whatever company it comes. Training keeps "
        f"running averages, a tenth of each new batch: from mean 0 and variance 1 this batch makes them {number(float(mean), 3)} and "
        f"{number(float(variance), 4)}, so that right after it the row x = {number(example.x[-1], 3)} would come out as {number(float(y), 3)} "
        f"in place of {number(float(v['y'][-1]), 3)}. After some dozens of batches the averages are those of the data."
    )


def way_of_the_rows(example: Example, theme: Theme) -> dict:
    """Every row as a line from x over x − μ and x̂ to y: moved to the middle, squeezed together, stretched and moved."""
    v, _ = numbers_of(example)
    stations = ("x", "apart", "hat", "y")
    data = []
    for i in range(len(example.x)):
        look = style(i, theme)
        data.append(
            {
                "type": "scatter", "mode": "lines+markers", "uid": f"row{i}", "name": f"row {i + 1}", "y": [NODES[k].symbol for k in stations],
                "x": packed([v[k][i] for k in stations]), "line": {"color": look.color, "dash": look.dash, "width": 2, "simplify": False},
                "marker": {"symbol": look.marker, "size": 11, "color": look.color}, "hovertemplate": f"row {i + 1}, %{{y}}: %{{x:.4g}}<extra></extra>",
            }
        )  # fmt: skip
    return {
        "data": data,
        "layout": {
            "margin": {"l": 62, "r": 12, "t": 30, "b": 30}, "hovermode": "closest", "dragmode": False, "xaxis": {"zeroline": True},
            "yaxis": {"type": "category", "autorange": "reversed", "fixedrange": True, "tickfont": {"size": 15}},
            "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
        },
    }  # fmt: skip


HEADINGS = ("number", "what it is", "forward", "what comes back", "backward")


def steps_table(example: Example) -> str:
    """All numbers of the picture, both ways."""
    v, d = numbers_of(example)
    return table(
        "The graph in numbers", HEADINGS, [([n.symbol, n.told, _listed(v[k]), n.back, _listed(d[k])], None) for k, n in NODES.items()]
    )  # fmt: skip


def _listed(a):
    return ", ".join(number(float(v), 4) for v in np.atleast_1d(a))


def graph_csv(example: Example) -> str:
    """All numbers in full precision; row 0 is what all rows share."""
    v, d = numbers_of(example)
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["number", "row", "forward", "backward"])
    for key, node in NODES.items():
        shared = not np.ndim(v[key])
        for i, (a, g) in enumerate(zip(np.atleast_1d(v[key]), np.atleast_1d(d[key]), strict=True)):
            write([node.symbol, 0 if shared else i + 1, repr(float(a)), repr(float(g))])
    return out.getvalue()
