"""The layer on a few numbers: every step as an equation, in words, and all numbers in a table."""

import numpy as np

from optviz.experiments.batch_norm.graph import GATES, NODES, STEPS, gate_of, numbers_of
from optviz.experiments.batch_norm.run import forward
from optviz.experiments.batch_norm.spec import Example
from optviz.experiments.page import Caption
from optviz.nn.batch_norm import MOMENTUM, BatchNorm
from optviz.plot import Table, number, zero_rounding_errors
from optviz.plot.equations import equations, latex_number, remarks
from optviz.plot.table import csv_text
from optviz.translation import _

# Parts of equations.
ROOT = r"\sqrt{\sigma^2 + \epsilon}"
OVER = rf"\tfrac{{1}}{{{ROOT}}}"
FIRST, SECOND, EVERY = r"\text{, first path}", r"\text{, second path}", r"\text{ in every row}"


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
    """The title of a step."""
    n = len(GATES)
    if not step:
        return _("**Before the first step**")
    if step <= n:
        message = _("**Step {step} of {n}, forward through {gate}**")
    else:
        message = _("**Step {step} of {n}, backward through {gate}**")
    return message.format(step=step, n=STEPS, gate=NODES[gate_of(step)].symbol)


def equations_of(example: Example, step: int) -> list[str]:
    """The equations of a step with the numbers of the batch, in LaTeX."""
    equations = _forward(example) if step <= len(GATES) else _backward(example)
    return [
        " = ".join(filter(None, (symbols, values, _tuple(result))))
        for symbols, values, result in equations[gate_of(step)]
    ]


def _forward(example):
    """By gate its equation: symbols, numbers, result."""
    v = forward(example)
    n, x, apart = len(example.x), _tuple(v["x"]), _tuple(v["apart"])
    gamma, beta, eps = (_signed(value) for value in (example.gamma, example.beta, example.eps))
    mean, variance, scale = _signed(v["mean"]), _tex(v["variance"]), _tex(v["scale"])
    terms = {
        "mean": (r"\mu = \frac{1}{B} \sum x", rf"\frac{{{_sum(v['x'])}}}{{{n}}}"),
        "apart": (r"x - \mu", rf"{x} - {mean}"),
        "squares": (r"(x - \mu)^2", ""),
        "variance": (
            r"\sigma^2 = \frac{1}{B} \sum (x - \mu)^2",
            rf"\frac{{{_sum(v['squares'])}}}{{{n}}}",
        ),
        "root": (ROOT, rf"\sqrt{{{variance} + {eps}}}"),
        "scale": (rf"\frac{{1}}{{{ROOT}}}", rf"\frac{{1}}{{{_tex(v['root'])}}}"),
        "hat": (rf"\hat x = (x - \mu) \cdot {OVER}", rf"{apart} \cdot {scale}"),
        "stretched": (r"\gamma\, \hat x", rf"{gamma} \cdot {_tuple(v['hat'])}"),
        "y": (r"y = \gamma\, \hat x + \beta", rf"{_tuple(v['stretched'])} + {beta}"),
    }
    return {gate: [(symbols, values, v[gate])] for gate, (symbols, values) in terms.items()}


def _backward(example):
    """By gate, the last one first: an equation for every gradient that it passes on."""
    v, d = numbers_of(example)
    first, n = v["scale"] * d["hat"], len(example.x)
    gamma, shares = _signed(example.gamma), v["hat"] * d["stretched"]
    shared = np.full(n, d["mean"] / n)
    over = r"\partial\tfrac{1}{\sqrt{\;}}"
    return {
        "y": [
            (r"\partial(\gamma \hat x) = \partial y", "", d["stretched"]),
            (r"\partial\beta = \sum \partial y", _sum(d["y"]), d["beta"]),
        ],
        "stretched": [
            (
                r"\partial\hat x = \gamma\, \partial(\gamma \hat x)",
                rf"{gamma} \cdot {_tuple(d['stretched'])}",
                d["hat"],
            ),
            (r"\partial\gamma = \sum \hat x\, \partial(\gamma \hat x)", _sum(shares), d["gamma"]),
        ],
        "hat": [
            (rf"{over} = \sum (x - \mu)\, \partial\hat x", _sum(v["apart"] * d["hat"]), d["scale"]),
            (rf"\partial(x - \mu) {FIRST} = {OVER}\, \partial\hat x", "", first),
        ],
        "scale": [
            (rf"\partial\sqrt{{\;}} = -\frac{{1}}{{\sigma^2 + \epsilon}}\, {over}", "", d["root"])
        ],
        "root": [
            (rf"\partial\sigma^2 = \frac{{1}}{{2 {ROOT}}}\, \partial\sqrt{{\;}}", "", d["variance"])
        ],
        "variance": [
            (rf"\partial(x - \mu)^2 = \frac{{1}}{{B}}\, \partial\sigma^2 {EVERY}", "", d["squares"])
        ],
        "squares": [
            (
                rf"\partial(x - \mu) {SECOND} = 2 (x - \mu)\, \partial(x - \mu)^2",
                "",
                d["apart"] - first,
            ),
            (r"\partial(x - \mu) \text{, both}", "", d["apart"]),
        ],
        "apart": [
            (
                r"\partial\mu = -\sum \partial(x - \mu)",
                rf"-\left({_sum(d['apart'])}\right)",
                d["mean"],
            ),
            (rf"\partial x {FIRST} = \partial(x - \mu)", "", d["apart"]),
        ],
        "mean": [
            (rf"\partial x {SECOND} = \frac{{1}}{{B}}\, \partial\mu {EVERY}", "", shared),
            (r"\partial x \text{, both}", "", d["x"]),
        ],
    }


def observations(example: Example) -> str:
    """What the example says, in words with its numbers."""
    v, d = numbers_of(example)
    n = len(example.x)
    if n == 1:
        return _(
            "**A single example has std 0**: it is its own mean, so x̂ = 0 and y = β whatever x "
            "is, and no gradient reaches x. Batch normalization needs a batch."
        )
    if not v["variance"]:
        return _(
            "**All examples are the same**: the variance is 0, only ε prevents division by zero, "
            "and every x̂ is 0."
        )
    message = _(
        "x̂ has mean 0 and std {std}, which is 1 for any mean and std of x as long as ε is small "
        "compared with σ²."
    )
    sentences = [message.format(std=number(float(v["hat"].std()), 4))]
    n_given = int(np.count_nonzero(np.array(example.upstream)))
    n_reached = int(np.count_nonzero(np.abs(d["x"]) > 1e-12))
    if 0 < n_given < n_reached:
        message = _(
            "**The examples of a batch affect each other**: a gradient arrives at the output of "
            "{given} of {n} examples, but {reached} of the inputs receive one, through μ and σ²."
        )
        sentences.append(message.format(given=n_given, n=n, reached=n_reached))
    message = _(
        "The gradients of x add up to {total}: shifting all examples by the same amount changes "
        "nothing."
    )
    total = zero_rounding_errors(d["x"].sum(), np.abs(d["x"]).max(), 1e-9)
    sentences.append(message.format(total=number(total, 2)))
    return " ".join(sentences)


def running_statistics(example: Example) -> str:
    """How evaluation differs: the running statistics after this one batch."""
    v = forward(example)
    mean, variance = (1 - MOMENTUM) * v["mean"], MOMENTUM + (1 - MOMENTUM) * v["variance"]
    y = example.gamma * (example.x[-1] - mean) / np.sqrt(variance + example.eps) + example.beta
    return _(
        "**Evaluation** does not use the batch: an example must get the same answer whatever "
        "other examples come with it. Training keeps running averages, to which each new batch "
        "contributes a tenth: starting from mean 0 and variance 1, this batch changes them to "
        "{mean} and {variance}, so right after it the example x = {x} would give {y} instead of "
        "{now}. After a few dozen batches, the averages are close to the statistics of the data."
    ).format(
        mean=number(float(mean), 3),
        variance=number(float(variance), 4),
        x=number(example.x[-1], 3),
        y=number(float(y), 3),
        now=number(float(v["y"][-1]), 3),
    )


def steps_table(example: Example) -> Table:
    """All numbers of the graph, both ways."""
    v, d = numbers_of(example)
    columns = (_("number"), _("what it is"), _("forward"), _("gradient"), _("backward"))
    rows = [
        [n.symbol, _(n.meaning), _listed(v[k]), _(n.back), _listed(d[k])] for k, n in NODES.items()
    ]
    return Table(_("The graph in numbers"), columns, rows)


def closed_form(context) -> list:
    """The same as a table, and the layer's equations."""
    source = _(
        "The graph is that of F. Kratzert (2016), Understanding the backward pass through batch "
        "normalization layer. ∂ of a number is the derivative of the loss with respect to it."
    )
    return [
        steps_table(context.spec.example),
        _("**The layer in closed form.** The nine backward steps together give the last line:"),
        *(f"$$\n{equation}\n$$" for equation in equations(BatchNorm)),
        Caption(f"{remarks(BatchNorm)} {source}"),
    ]


def _listed(a):
    return ", ".join(number(float(v), 4) for v in np.atleast_1d(a))


def graph_csv(example: Example) -> str:
    """All numbers in full precision; row 0 has those that all rows share."""
    v, d = numbers_of(example)
    rows = []
    for key, node in NODES.items():
        shared = not np.ndim(v[key])
        for i, (a, g) in enumerate(zip(np.atleast_1d(v[key]), np.atleast_1d(d[key]), strict=True)):
            rows.append([node.symbol, 0 if shared else i + 1, float(a), float(g)])
    return csv_text(["number", "row", "forward", "backward"], rows)
