"""What the page says."""

import numpy as np

from optviz.data import DATASETS
from optviz.experiments.page import Caption
from optviz.experiments.standardization.run import PENALTY, Side, descents, sides
from optviz.plot import Column, Style, Table, Theme, number, percentage, style
from optviz.plot.training import Network
from optviz.training import INPUTS
from optviz.translation import N_, _, ngettext

SIDES = {"raw": N_("raw"), "standardized": N_("standardized")}
INPUT_NAMES = {
    "given": N_("0 to 1"),
    "raw": N_("raw counts"),
    "centered": N_("centered"),
    "standardized": N_("standardized"),
    "offset": N_("plus 5"),
}
ACCURACY_ON = (_("accuracy on training examples"), _("accuracy on validation examples"))
SEED_BY_SEED = (
    _("Accuracy on training examples, seed by seed."),
    _("Accuracy on validation examples, seed by seed."),
)
OVER_ANGLES = {
    "accuracy": _("Accuracy over the angle. The table below says the same at one of them."),
    "loss": _("Loss over the angle. The table below says the same at one of them."),
}


def side_name(side: Side) -> str:
    """Raw or standardized."""
    return _(SIDES[side.name])


def side_style(side: Side, theme: Theme) -> Style:
    """The look of a side; the clouds have the first two."""
    return style(3 if side.name == "raw" else 2, theme)


# A line is turned.


def found(side: Side, line) -> str:
    """What a line gets right on a side."""
    return _("{name}: <b>{accuracy}</b> right, loss {loss}").format(
        name=side_name(side),
        accuracy=percentage(side.accuracy(line)),
        loss=number(side.loss(line), 3),
    )


def remark(context) -> list[str]:
    """What the turn does to either side."""
    raw, standard = sides(context.spec)
    angle = context.spec.angle
    best, here, there = (
        float(side.accuracy(side.turned(a)))
        for side, a in ((raw, 0.0), (raw, angle), (standard, angle))
    )
    said = _(
        "One and the same line gets **{best}** right in both kinds of coordinates. Its weights "
        "turned by {degrees}°, it gets **{raw}** on raw and **{standardized}** on standardized "
        "data."
    ).format(
        best=percentage(best),
        degrees=number(angle),
        raw=percentage(here),
        standardized=percentage(there),
    )
    if abs(here - there) < 0.01:
        return [said, _("There is hardly a difference here.")]
    return [said, _("Here the turn costs standardized data more.")] if here > there else [said]


def turned_table(context) -> Table:
    """Accuracies, losses, the best line and how far its points are from the origin."""
    rows, both = [], sides(context.spec)
    for side in both:
        best, turned = side.line, side.turned(context.spec.angle)
        w1, w2, bias = map(float, best)
        rows.append(
            {
                "": side_name(side),
                Column(_("best line"), 3, percent=True): float(side.accuracy(best)),
                Column(_("turned"), 3, percent=True): float(side.accuracy(turned)),
                _("loss, best line"): float(side.loss(best)),
                _("loss, turned"): float(side.loss(turned)),
                "w₁": w1,
                "w₂": w2,
                _("bias"): bias,
                _("from the origin"): round(float(np.hypot(*side.x.mean(0))), 9),
            }
        )
    styles = [side_style(side, context.theme) for side in both]
    return Table.from_rows(_("The line in numbers"), rows, styles)


def line_notes(context) -> Caption:
    """How the line was found and turned."""
    return Caption(
        _(
            "The line is the best one by logistic regression: it is found once, and the weights "
            "and the bias on raw data are those of the very same line. A turn changes the two "
            "weights about the origin of the picture and keeps their length and the bias. Far from "
            "the origin the same turn moves the line by angle × distance where the points are. "
            "Standardized: each feature minus its mean, divided by its standard deviation. A "
            "penalty of ½ · {penalty} · |w|² on the weights of standardized data keeps the line's "
            "weights finite where no point is on the wrong side; the losses in the table are "
            "without it."
        ).format(penalty=number(PENALTY))
    )


# The loss over the weights.


def condition(side: Side) -> str:
    """How elongated a side's valley is."""
    value = side.curvature.condition
    large = f"{value:,.0f}" if 100 <= value < 1e7 else number(value, 3)  # only the size counts
    return _("{name}: condition number <b>{value}</b>").format(name=side_name(side), value=large)


def arrived(context) -> str:
    """How far either descent has come."""
    raw, standard = (percentage(d.off[-1]) for d in descents(context.spec))
    steps = context.spec.steps
    return ngettext(
        "After {steps} step the weights are **{raw}** of their length away from the best ones on "
        "raw data, and **{standardized}** on standardized data.",
        "After {steps} steps the weights are **{raw}** of their length away from the best ones on "
        "raw data, and **{standardized}** on standardized data.",
        steps,
    ).format(steps=steps, raw=raw, standardized=standard)


def descent_table(context) -> Table:
    """The Hessian's eigenvalues at the minimum, their ratio, and how the descent ended."""
    found = descents(context.spec)
    rows = [
        {
            "": side_name(d.side),
            _("λ least"): d.side.curvature.low,
            _("λ largest"): d.side.curvature.high,
            _("condition number"): d.side.curvature.condition,
            _("with the bias"): d.side.condition,
            _("rate"): d.rate,
            _("loss at the end"): float(d.run.values[-1]),
            _("least loss"): d.side.least,
            Column(_("weights off by"), 3, percent=True): float(d.off[-1]),
            _("within 1% at"): d.converged_at,
        }
        for d in found
    ]
    styles = [side_style(d.side, context.theme) for d in found]
    return Table.from_rows(_("Curvature and descent in numbers"), rows, styles)


def loss_notes(context) -> Caption:
    """What is drawn."""
    return Caption(
        _(
            "Logistic loss over the two weights; the bias is kept at its best value, so that there "
            "are two dimensions to draw. λ are the eigenvalues of the Hessian at the minimum, "
            "their ratio is the condition number; “with the bias” is that of all three parameters. "
            "Levels are in equal ratios. The descent begins at weights of zero; in the picture on "
            "the lower right, the excess over the least loss after the last step is drawn over the "
            "rate. One rate for both is not fair: larger inputs make larger gradients, so the "
            "same rate means something else in the other coordinates. Standardizing takes the "
            "distance from the origin and the units away, not a correlation between the features: "
            "a little of the valley stays."
        )
    )


# Digits.


def digits(context) -> str:
    """What is compared."""
    return _(
        "The same network, the same start, the same mini-batches: only the inputs are counted "
        "differently."
    )


def accuracies(line: Network) -> np.ndarray:
    """The last accuracies `(2, seeds)` on training and validation set; 0 for what diverged."""
    return np.nan_to_num(line.progress.accuracy[-1, :, line.i])


def inputs_table(context) -> Table:
    """Mean and standard deviation over the seeds, on training and on validation examples."""
    over = _("± over seeds")
    titles = (_("training examples"), over, _("validation examples"), over)
    rows = [
        [line.name, *(float(f(part)) for part in accuracies(line) for f in (np.mean, np.std))]
        for line in context.lines
    ]
    columns = (_("inputs"), *(Column(title, 3, percent=True) for title in titles))
    styles = [line.style for line in context.lines]
    return Table(_("Accuracy of each kind of inputs"), columns, rows, styles)


def digits_notes(context) -> Caption:
    """What the kinds of inputs are, and whose the data are."""
    kinds = "; ".join(f"*{_(name)}*: {_(INPUTS[kind])}" for kind, name in INPUT_NAMES.items())
    return Caption(
        _(
            "{kinds}. A seed that diverged counts as 0. A bar is the mean over the seeds, a mark a "
            "seed. Data: {attribution}"
        ).format(kinds=kinds, attribution=DATASETS[context.spec.dataset.key].attribution)
    )
