"""How initial weights affect a training: layers, gradients, and weight matrices as pictures."""

import numpy as np

from optviz.experiments.activations.figures import histograms
from optviz.experiments.activations.text import table as layers_table
from optviz.experiments.initialization import text
from optviz.experiments.initialization.inspector import Inspector, Units
from optviz.experiments.training_charts import paced, shared
from optviz.plot import (
    Axis,
    Figure,
    Heatmap,
    Line,
    Panel,
    Rule,
    Style,
    Theme,
    fill_template,
    grid,
    number,
    style,
    thin_indices,
)
from optviz.translation import _

MAX_SIDE = 100  # rows and columns of a matrix that are drawn
MAX_MATRICES = 4  # side by side


@paced
@shared
def layers(context) -> list:
    """Histograms of the hidden layers, and the gradient of each weight matrix over time."""
    inspector = Inspector(context)
    return [*_at_iteration(inspector), gradients(inspector), text.norms_table(inspector)]


def _at_iteration(inspector):
    if not inspector.finite(inspector.t, inspector.i):
        return [text.diverged(inspector)]
    layers, norms = inspector.layers(inspector.t, inspector.i)
    weights = np.array(
        [np.linalg.norm(w.astype(float)) for w in inspector.weights(inspector.t, inspector.i)]
    )
    remark = text.gradient_remark(norms, weights)
    if not layers:
        return [
            _("This network has no hidden layer, so there are no activations to look at."),
            remark,
        ]
    label = _("Hidden layers of {name} at iteration {t}").format(name=inspector.name, t=inspector.t)
    return [histograms(layers, inspector.theme, height=22), layers_table(layers, label), remark]


def gradients(inspector: Inspector) -> Figure:
    """The gradient norm of each weight matrix over the known iterations, a line for each.

    A norm of exactly 0 has no place on a logarithmic axis: the line has a gap there.
    """
    y = np.array([inspector.gradient_norms(t, inspector.i) for t in inspector.known])
    y = np.where(np.isfinite(y) & (y > 0), y, np.nan)
    lines = [(f"W{k + 1}", y[:, k], style(k, inspector.theme)) for k in range(y.shape[1])]
    label = _(
        "Norm of the gradient of each weight matrix over the iterations. The table below has the "
        "values at the iteration shown."
    )
    return over_time(inspector, lines, Axis(_("norm of the gradient"), log=True), label, height=20)


@paced
@shared
def symmetry(context) -> list:
    """Whether the units of a weight matrix differ: in words, as pictures, in numbers, over time."""
    inspector, k = Inspector(context), context.options["matrix"]
    units = [inspector.units(inspector.t, i, k) for i in range(len(inspector.lines))]
    norms = inspector.gradient_norms(inspector.t, inspector.i)
    remark = text.units_remark(units[inspector.i], norms[k], inspector.t, norms.max())
    heading = _("{name}, W{k}. {remark}").format(name=inspector.name, k=k + 1, remark=remark)
    others = [i for i in range(len(inspector.lines)) if i != inspector.i][: MAX_MATRICES - 1]
    drawn = sorted([inspector.i, *others])
    pictures = [
        (inspector.lines[i].name, inspector.weights(inspector.t, i)[k], units[i]) for i in drawn
    ]
    last = k == len(inspector.training.network.affine) - 1
    maps = matrices(pictures, inspector.theme, last and k > 0, view=f"{drawn} {k}")
    return [
        heading,
        maps,
        text.units_table(inspector, k),
        ranks(inspector, k),
        *text.numbers(inspector, k),
    ]


def ranks(inspector: Inspector, k: int) -> Figure:
    """The rank of weight matrix k over the known iterations, a line for each initializer."""
    lines = [
        (line.name, [inspector.units(t, i, k).rank for t in inspector.known], line.style)
        for i, line in enumerate(inspector.lines)
    ]
    max_rank = min(inspector.units(inspector.t, 0, k).shape)
    message = _(
        "Rank of W{k} over the iterations. The table above has the values at the iteration shown."
    )
    axis = Axis(_("rank"), limits=(0, 1.05 * max_rank))
    return over_time(inspector, lines, axis, message.format(k=k + 1), height=14)


def over_time(inspector: Inspector, lines, y: Axis, label: str, height: float) -> Figure:
    """Lines `(name, values, Style)` over the known iterations, with a rule at the one shown."""
    curve = {"width": 2, "markers": True, "size": 6, "hover": "{name}: {y:.3g}"}
    marks = [
        Line(
            inspector.known, np.asarray(values, float), line_style, name=name, uid=f"g{i}", **curve
        )
        for i, (name, values, line_style) in enumerate(lines)
    ]
    rule = Rule(Style(inspector.theme.faint, (4, 3)), x=inspector.t)
    end = max(inspector.training.iterations, 1)
    x = Axis(_("iteration"), limits=(0, end))
    common = {"label": label, "view": f"{end}", "height": height, "margin": {"l": 68}}
    return Figure([*marks, rule], x, y, **common)


def matrices(
    pictures: list[tuple[str, np.ndarray, Units]], theme: Theme, last: bool = False, **figure
) -> Figure:
    """Weight matrices side by side, each with a scale of its own around 0, its end written above.

    Rows are inputs, columns units; of the `last` matrix classes. Of large ones rows and columns
    are picked evenly.
    """
    panels = []
    colors = [(0, theme.lines[1]), (0.5, theme.high), (1, theme.lines[0])]
    for i, (name, w, units) in enumerate(pictures):
        rows, columns = (thin_indices(n, MAX_SIDE) for n in w.shape)
        end = units.largest if units.largest > 0 else 1.0
        z = w[np.ix_(rows, columns)] / end  # within ±1, which single precision always holds
        heatmap = Heatmap(
            z,
            colors,
            x=columns,
            y=rows,
            span=(-1, 1),
            name=name,
            uid=f"w{i}",
            hover=fill_template(_("row {y}, column {x}: {z:.4g} × {end:.4g}"), end=end),
        )
        x = Axis(_("class") if last else _("unit"), ticks=5, grid=False)
        y = Axis("" if i else _("input"), ticks=6, grid=False, reversed=True)
        panels.append(Panel([heatmap], x, y, title=f"{name}<br>{_scale(units)}"))
    label = _(
        "Weight matrices as pictures. The table and the numbers below describe the same matrices."
    )
    layout = {"label": label, "legend": "", "height": 20}
    margin = {"l": 46, "r": 8, "t": 44, "b": 40}
    return grid(panels, len(panels), (0.07, 0), margin=margin, **layout, **figure)


def _scale(units):
    if not units.finite:
        return _("diverged")
    return f"±{number(units.largest, 2)}" if units.largest else _("all 0")
