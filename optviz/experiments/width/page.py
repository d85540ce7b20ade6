"""The page: the loss over the rate for every width, in both parametrizations."""

from typing import NamedTuple

import numpy as np

from optviz.experiments import training_charts as charts
from optviz.experiments.page import Caption, Download, Page, Tab, View
from optviz.experiments.width.spec import PARAMETRIZATIONS, WIDTHS, Width
from optviz.plot.figure import Axis, Figure, Panel, grid
from optviz.plot.marks import Dots, Line, entry
from optviz.plot.series import curve_with_band
from optviz.plot.style import Style, number, style
from optviz.plot.table import Column, Table, csv_text
from optviz.plot.training import Network
from optviz.translation import N_, _
from optviz.ui.controls import Menu, Several
from optviz.ui.training.form import ACTIVATION, INITIALIZER, Data, Numbers

WINDOW = 10  # mini-batches over which the loss at the end is averaged
RING = "circle-open"
GUESS = 2.5  # a little above the loss of a network that knows nothing, log 10


class Curve(NamedTuple):
    """The loss over the rate at one width."""

    width: int
    losses: np.ndarray  # (rates, seeds), NaN where it diverged
    medians: np.ndarray  # (rates,), infinite where half of the seeds diverged

    @property
    def best(self) -> int | None:
        """The cell with the lowest median; None where there is none yet."""
        return int(self.medians.argmin()) if np.isfinite(self.medians).any() else None


def curves(spec, states) -> tuple[list[Curve], list[Curve]]:
    """The curves of all widths, in the standard parametrization and with μP."""
    all_curves = []
    for progress in states:
        last = progress.loss[-WINDOW:]
        losses = last.mean(0) if len(last) else np.full(progress.training.shape, np.nan)
        medians = np.median(np.where(np.isnan(losses), np.inf, losses), -1)
        all_curves.append(Curve(progress.training.network.sizes[-2], losses, medians))
    n = len(spec.widths)
    return all_curves[:n], all_curves[n:]


def best_networks(spec, states, theme) -> list[Network]:
    """The networks with the best rate of every width, for the evaluation on the test set."""
    titles = [title for title in PARAMETRIZATIONS for _width in spec.widths]
    all_curves = [c for group in curves(spec, states) for c in group]
    return [
        Network(
            f"{title}-{c.width}",
            _("width {n}, {parametrization}").format(n=c.width, parametrization=_(title)),
            state,
            c.best,
            style(WIDTHS.index(c.width), theme),
        )
        for title, c, state in zip(titles, all_curves, states, strict=True)
        if c.best is not None
    ]


def over_rate(context) -> Figure:
    """The loss over the rate, a curve for each width with a ring at its best rate."""
    both, rates = curves(context.spec, context.states), context.spec.rates
    lowest = min((c.medians.min() for group in both for c in group), default=1.0)
    y = Axis(_("loss"), limits=(0.8 * min(lowest, 1.0), GUESS), log=True)
    x = Axis(_("learning rate"), limits=(rates[0] / 1.2, rates[-1] * 1.2), log=True)
    panels = []
    for i, (title, group) in enumerate(zip(PARAMETRIZATIONS, both, strict=True)):
        marks = []
        for c in group:
            line_style = style(WIDTHS.index(c.width), context.theme)
            name, uid, key = _("width {n}").format(n=c.width), f"{i}-{c.width}", f"{c.width}"
            options = {"hover": _("{name}, rate {x:.3g}: loss {y:.3g}"), "legend": i == 0}
            options["middle"] = np.where(np.isinf(c.medians), np.nan, c.medians)
            marks += curve_with_band(
                rates, c.losses, line_style, name=name, uid=uid, group=key, markers=True, **options
            )
            if c.best is not None:
                point = [rates[c.best]], [c.medians[c.best]]
                ring = Style(line_style.color, marker=RING)
                shape = {"size": 18, "edge": line_style.color, "edge_width": 3, "legend": False}
                marks += entry(name, Dots(*point, ring, uid=f"{uid}best", **shape), group=key)
        panels.append(Panel(marks, x, y, title=_(title)))
    label = _("Loss against the learning rate for every width. The table has the best rates.")
    return grid(panels, columns=2, share_y=True, legend="window", label=label, height=26)


def verdict(context) -> str:
    """How far apart the best rates are, and what the narrowest network's rate costs the widest."""
    both = curves(context.spec, context.states)
    if len(context.spec.widths) < 2 or not all(progress.done for progress in context.states):
        return ""
    if any(c.best is None for group in both for c in group):
        return _("At some width every rate diverges.")
    values = {}
    for kind, group in zip(("standard", "mup"), both, strict=True):
        cells = [c.best for c in group]
        values[kind], last = 2 ** (max(cells) - min(cells)), group[-1].medians
        values[f"{kind}_kept"] = number(last[cells[0]], 3) if np.isfinite(last[cells[0]]) else "∞"
        values[f"{kind}_best"] = number(last.min(), 3)
    low, high = context.spec.widths[0], context.spec.widths[-1]
    return _(
        "**From width {low} to {high}** the best rates differ by a factor of {standard} in the "
        "standard parametrization and {mup} with μP. With the best rate of width {low}, width "
        "{high} ends at a loss of {standard_kept}, where {standard_best} was possible; with μP it "
        "ends at {mup_kept}, where {mup_best} was possible."
    ).format(low=low, high=high, **values)


def standings(context) -> Table:
    """The best rate of every width, its loss, and the loss at the narrowest network's rate."""
    columns, rates = [Column(_("width"))], context.spec.rates
    for title in PARAMETRIZATIONS:
        for heading in (
            _("{name}: best rate"),
            _("loss there"),
            _("at the narrowest width's rate"),
        ):
            columns.append(Column(heading.format(name=_(title)), 3))
    pairs = list(zip(*curves(context.spec, context.states), strict=True))
    rows = [[pair[0].width] for pair in pairs]
    for row, pair in zip(rows, pairs, strict=True):
        for c, base in zip(pair, pairs[0], strict=True):
            best = [np.nan] * 2 if c.best is None else [rates[c.best], c.medians[c.best]]
            row += [*best, np.nan if base.best is None else c.medians[base.best]]
    styles = [style(WIDTHS.index(n), context.theme) for n in context.spec.widths]
    return Table(_("Best rate and loss of every width"), columns, rows, styles)


def notes(context) -> Caption:
    """What μP is, and how it was measured."""
    return Caption(
        _(
            "μP, for layers m times as wide as n₀: the initial weights of the last layer are "
            "multiplied by 1/√m. With Adam, the rate of the hidden and last weights is multiplied "
            "by 1/m; with SGD and momentum, the rate of the last weights is multiplied by 1/m, "
            "and that of the first weights and of the hidden biases by m. (Yang & Hu et al. 2022, "
            "table 3.) The loss is the mean over the last {n} mini-batches and the median over "
            "the seeds; the bands run from the smallest to the largest value. Data: {attribution}"
        ).format(n=WINDOW, attribution=context.attribution)
    )


def losses_csv(context) -> str:
    """The loss of every network."""
    rows = (
        [c.width, title.lower(), rate, seed, loss]
        for title, group in zip(
            ("standard", "mup"), curves(context.spec, context.states), strict=True
        )
        for c in group
        for rate, losses in zip(context.spec.rates, c.losses, strict=True)
        for seed, loss in zip(context.spec.seeds, losses, strict=True)
    )
    return csv_text(["width", "parametrization", "rate", "seed", "loss"], rows)


def thumbnail(spec, theme) -> Figure:
    """Valleys that move to lower rates, as a drawing."""
    x = np.linspace(-4, 2, 40)
    curve = [(x + shift) ** 2 + 1 - shift / 4 for shift in (0, 1, 2)]
    return Figure([Line(x, y, style(i, theme), uid=f"{i}") for i, y in enumerate(curve)])


PAGE = Page(
    "width",
    N_("Width and rate"),
    "width",
    N_("Does the rate that is best for a small network suit a wide one?"),
    "Training lab",
    Width(),
    {
        "": View(
            form=[
                Menu("optimizer", segments=True),
                Several("widths", _("Widths"), WIDTHS, str),
                Data(),
                ACTIVATION,
                INITIALIZER,
                Numbers("hidden", "base_width", "batch", "iterations", "split.rows", "seeds"),
            ],
            jobs=charts.jobs,
            tabs=[Tab(_("Best rate"), [over_rate, verdict, standings])],
            notes=[notes],
            downloads=[Download(_("Losses as CSV"), "losses", losses_csv)],
        )
    },
    lines=best_networks,
    thumbnail=thumbnail,
)
