"""What the page says."""

import numpy as np

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
    "accuracy": _("Accuracy over the angle. The table below gives the values at the current one."),
    "loss": _("Loss over the angle. The table below gives the values at the current one."),
}


def side_name(side: Side) -> str:
    """Raw or standardized."""
    return _(SIDES[side.name])


def side_style(side: Side, theme: Theme) -> Style:
    """The style of a side; the clouds have the first two."""
    return style(3 if side.name == "raw" else 2, theme)


# A line is turned.


def result_text(side: Side, line) -> str:
    """The accuracy and the loss of a line on a side."""
    return _("{name}: <b>{accuracy}</b> right, loss {loss}").format(
        name=side_name(side),
        accuracy=percentage(side.accuracy(line)),
        loss=number(side.loss(line), 3),
    )


def remark(context) -> list[str]:
    """How the turn affects both sides."""
    raw, standard = sides(context.spec)
    angle = context.spec.angle
    best, raw_share, standard_share = (
        float(side.accuracy(side.rotated_line(a)))
        for side, a in ((raw, 0.0), (raw, angle), (standard, angle))
    )
    sentence = _(
        "The same line gets **{best}** right on both raw and standardized data. With its weights "
        "turned by {degrees}°, it gets **{raw}** right on raw and **{standardized}** on "
        "standardized data."
    ).format(
        best=percentage(best),
        degrees=number(angle),
        raw=percentage(raw_share),
        standardized=percentage(standard_share),
    )
    if abs(raw_share - standard_share) < 0.01:
        return [sentence, _("There is hardly any difference here.")]
    costlier = [_("Here the turn costs more on standardized data.")] * (raw_share > standard_share)
    return [sentence, *costlier]


def turned_table(context) -> Table:
    """Accuracies, losses, the best line and how far its points are from the origin."""
    rows, both = [], sides(context.spec)
    for side in both:
        best, rotated = side.line, side.rotated_line(context.spec.angle)
        w1, w2, bias = map(float, best)
        rows.append(
            {
                "": side_name(side),
                Column(_("best line"), 3, percent=True): float(side.accuracy(best)),
                Column(_("turned"), 3, percent=True): float(side.accuracy(rotated)),
                _("loss, best line"): float(side.loss(best)),
                _("loss, turned"): float(side.loss(rotated)),
                "w₁": w1,
                "w₂": w2,
                _("bias"): bias,
                _("distance from the origin"): round(float(np.hypot(*side.x.mean(0))), 9),
            }
        )
    styles = [side_style(side, context.theme) for side in both]
    return Table.from_rows(_("The line in numbers"), rows, styles)


def line_notes(context) -> Caption:
    """How the line was found and turned."""
    return Caption(
        _(
            "The line is the best one by logistic regression: it is found once, and the weights "
            "and bias on raw data describe that same line. A turn rotates the two weights about "
            "the origin of the picture and keeps their length and the bias. Where the points are "
            "far from the origin, the same turn moves the line there by angle × distance. "
            "Standardized: each feature minus its mean, divided by its standard deviation. A "
            "penalty of ½ · {penalty} · |w|² on the weights of standardized data keeps them "
            "finite where no point is on the wrong side; the losses in the table do not include "
            "it."
        ).format(penalty=number(PENALTY))
    )


# The loss over the weights.


def condition(side: Side) -> str:
    """How elongated a side's valley is."""
    value = side.curvature.condition
    large = f"{value:,.0f}" if 100 <= value < 1e7 else number(value, 3)  # only the size counts
    return _("{name}: condition number <b>{value}</b>").format(name=side_name(side), value=large)


def convergence(context) -> str:
    """How far both descents have come."""
    raw, standard = (percentage(d.off[-1]) for d in descents(context.spec))
    steps = context.spec.steps
    return ngettext(
        "After {steps} step, the distance to the best weights is **{raw}** of their length on raw "
        "data and **{standardized}** on standardized data.",
        "After {steps} steps, the distance to the best weights is **{raw}** of their length on "
        "raw data and **{standardized}** on standardized data.",
        steps,
    ).format(steps=steps, raw=raw, standardized=standard)


def descent_table(context) -> Table:
    """The Hessian's eigenvalues at the minimum, their ratio, and how the descent ended."""
    runs = descents(context.spec)
    rows = [
        {
            "": side_name(d.side),
            _("smallest λ"): d.side.curvature.low,
            _("largest λ"): d.side.curvature.high,
            _("condition number"): d.side.curvature.condition,
            _("with the bias"): d.side.condition,
            _("rate"): d.rate,
            _("final loss"): float(d.run.values[-1]),
            _("lowest loss"): d.side.min_loss,
            Column(_("weights off by"), 3, percent=True): float(d.off[-1]),
            _("within 1% at step"): d.converged_at,
        }
        for d in runs
    ]
    styles = [side_style(d.side, context.theme) for d in runs]
    return Table.from_rows(_("Curvature and descent in numbers"), rows, styles)


def loss_notes(context) -> Caption:
    """What is drawn."""
    return Caption(
        _(
            "Logistic loss over the two weights; the bias is kept at its best value, so that "
            "there are two dimensions to draw. λ are the eigenvalues of the Hessian at the "
            "minimum, and their ratio is the condition number; “with the bias” is that of all "
            "three parameters. Contour levels are in equal ratios. The descent starts from "
            "weights of zero; the lower right picture shows the excess over the lowest loss after "
            "the last step for each rate. One rate for both is not a fair comparison: larger "
            "inputs give larger gradients, so the same rate means something different in each. "
            "Standardizing removes the distance from the origin and the units, but not a "
            "correlation between the features: some of the valley remains."
        )
    )


# Digits.


def digits(context) -> str:
    """What is compared."""
    return _(
        "The same network, the same initial weights, the same mini-batches: only the "
        "preprocessing differs."
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
    """What the kinds of inputs are, and the source of the data."""
    kinds = "; ".join(f"*{_(name)}*: {_(INPUTS[kind])}" for kind, name in INPUT_NAMES.items())
    return Caption(
        _(
            "{kinds}. A seed that diverged counts as 0. Bars show the mean over the seeds, and "
            "each mark is one seed. Data: {attribution}"
        ).format(kinds=kinds, attribution=context.attribution)
    )
