"""What the page says."""

import string

import numpy as np

from optviz.experiments.page import Caption
from optviz.experiments.sensitivity import run
from optviz.experiments.sensitivity.spec import AXES, MEASURES, RATES, Sensitivity
from optviz.optim.base import setting
from optviz.optim.theory import curvatures
from optviz.plot import Column, Style, Table, method_styles, number
from optviz.translation import _

MAX_PLACES = 12  # of minima in the table


def letter(i: int) -> str:
    """The name of a minimum in picture and table."""
    letters = string.ascii_uppercase
    return letters[i] if i < len(letters) else f"{i + 1}"


def hues(theme) -> tuple[str, ...]:
    """The colors of basins: those of lines on which a letter can be read."""
    return (*theme.lines[:4], *theme.lines[5:])


def rate_table(context) -> Table:
    """The current and the best rate of each optimizer, and the theoretical limit."""
    spec = context.spec
    columns = (
        "",
        Column(_("current rate"), 3),
        Column(_("loss above the minimum there"), 3),
        Column(_("best rate"), 3),
        Column(_("loss above the minimum there"), 3),
        Column(_("stable up to, in theory"), 3),
    )
    curvature, rows, curves = curvatures(spec.objective.f), [], run.rate_curves(spec)
    for name, config, curve in zip(spec.names, spec.optimizers, curves, strict=True):
        limit = config.build().stable_lr(curvature[0].high) if curvature else None
        i, has_best = curve.best, curve.best >= 0
        best, lowest = (curve.rates[i], curve.medians[i]) if has_best else (None, None)
        rows.append([name, curve.current, np.median(curve.current_gaps), best, lowest, limit])
    title = _("Good rates after {n} steps").format(n=spec.objective.steps)
    return Table(title, columns, rows, method_styles(spec.optimizers, context.theme))


def rate_notes(context) -> Caption:
    """How the curves are made."""
    return Caption(
        _(
            "Each curve is made of {n} runs over the whole range of the rate. A cross marks where "
            "the loss exceeds thirty times that of the start, and a dotted line the current rate. "
            "With noise, the line is the median over the seeds, and the band holds eight of ten. "
            "The best rate holds for this start and this number of steps. Click the chart or drag "
            "the ring to set the chosen optimizer's rate."
        ).format(n=RATES)
    )


def map_label(spec: Sensitivity) -> str:
    """What the map shows."""
    return _("Map of {name}: {measure} over {across} and {up}.").format(
        name=spec.names[spec.chosen],
        measure=_(MEASURES[spec.measure]),
        across=_(AXES[spec.across]),
        up=_(AXES[spec.up]),
    )


def hover_texts(spec: Sensitivity, sweep, x_values, y_values) -> list[list[str]]:
    """The hover texts of the cells of a map, by rows."""
    floor = run.floor(spec.objective)
    arrived = _("{a}, {b}<br>loss {loss} above the minimum, arrived after {n} steps")
    moving, diverged = _("{a}, {b}<br>loss {loss} above the minimum"), _("{a}, {b}<br>diverged")

    def cell_text(a, b, value, n):
        message = arrived if n >= 0 else moving if np.isfinite(value) else diverged
        return message.format(a=a, b=b, loss=f"{value - floor:.3g}", n=n)

    xs, ys = ([number(v, 3) for v in values] for values in (x_values, y_values))
    pairs = zip(sweep.losses.tolist(), sweep.settled_at.tolist(), strict=True)
    return [
        [cell_text(*cell) for cell in zip(xs, [b] * len(xs), *row, strict=True)]
        for b, row in zip(ys, pairs, strict=True)
    ]


def cell_texts(spec: Sensitivity, sweep) -> list[list[str]]:
    """The same for a small map: the number alone."""
    floor = 0.0 if spec.measure == "steps" else run.floor(spec.objective)
    return [[number(v - floor, 3) for v in row] for row in sweep.values.tolist()]


def describe_map(spec: Sensitivity, sweep) -> str:
    """The best cell of the map, and how much of it diverges."""
    diverged = run.diverging(spec, sweep)
    if diverged.all():
        return _("**No run on the map succeeds**: every one diverges or does not arrive.")
    best = sweep.best()
    message = (
        _(
            "**Best of {n} runs**: {across} {a}, {up} {b}. {share}% of the runs never arrive. "
            "Click a point to set both values; zoom in to recompute the map in more detail."
        )
        if spec.measure == "steps"
        else _(
            "**Best of {n} runs**: {across} {a}, {up} {b}. {share}% of the runs diverge: their "
            "final loss exceeds thirty times that of the start. Click a point to set both values; "
            "zoom in to recompute the map in more detail."
        )
    )
    return message.format(
        n=sweep.values.size,
        across=_(AXES[spec.across]),
        a=number(best[spec.across], 3),
        up=_(AXES[spec.up]),
        b=number(best[spec.up], 3),
        share=number(100 * diverged.mean(), 3),
    )


def basin_table(spec: Sensitivity, basins, minima, theme, name: str) -> Table:
    """How many starts reach each minimum, and how fast."""
    columns = (
        name,
        _("minimum"),
        Column(_("loss"), 4),
        Column(_("share of starts"), percent=True),
        Column(_("median steps"), 3),
        Column(_("mean share of seeds that agree"), 3, percent=True),
    )
    values, rows, styles = minima.values[minima.places].round(12), [], []
    for i in range(min(len(basins.minima), MAX_PLACES)):
        mask = basins.index == i
        x, y = basins.minima[i]
        place = f"({number(x)}, {number(y)})"
        steps = np.median(basins.steps[mask]) if mask.any() else None
        agree = basins.share[mask].mean() if mask.any() else None
        rows.append([letter(i), place, values[i], mask.mean(), steps, agree])
        styles.append(Style(hues(theme)[i % len(hues(theme))]))
    diverged = basins.diverged_at >= 0
    others = (basins.index >= MAX_PLACES, _("other minima"))
    nowhere = ((basins.index < 0) & ~diverged, _("not arrived"))
    for mask, name in (others, nowhere, (diverged, _("diverged"))):
        if mask.any():
            rows.append([name, None, None, mask.mean(), None, basins.share[mask].mean()])
            styles.append(Style(theme.faint))
    if not spec.objective.noise:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    title = _("Where {name} ends after {steps} steps from {n} starts")
    title = title.format(n=basins.index.size, name=name, steps=spec.objective.steps)
    return Table(title, columns, rows, styles)


def coarse_note(basins, name: str) -> str:
    """That a picture has fewer starts than others have."""
    return _(
        "**{n} × {n} starts of {name}, not {most} × {most}**: with more starts, the steps or the "
        "evaluations of its line search would take too long."
    ).format(n=len(basins.index), name=name, most=run.STARTS)


def describe_difference(spec: Sensitivity, kind) -> str:
    """How much of the picture two optimizers disagree on."""
    only_a, only_b, other = (number(100 * (kind == k).mean(), 3) for k in (1, 2, 3))
    return _(
        "**They differ on {share}% of the starts**: {other}% lead to different minima, only {a} "
        "arrives from {only_a}%, and only {b} from {only_b}%."
    ).format(
        share=number(100 * (kind > 0).mean(), 3),
        other=other,
        only_a=only_a,
        only_b=only_b,
        a=spec.names[spec.chosen],
        b=spec.names[spec.other],
    )


def basin_notes(context) -> Caption:
    """What counts as reached."""
    return Caption(
        _(
            "A start reaches the minimum nearest to where its path ends, if the final loss is "
            "within {tolerance} of that minimum's. Stronger colors mean fewer steps; hatched "
            "starts diverge, gray ones have not arrived. Click to set the start. With noise, the "
            "tolerance is at least 5% of the median height, and the color shows the most frequent "
            "outcome over the seeds, stronger if more seeds agree."
        ).format(tolerance=number(context.spec.tolerance))
    )


def no_edge(spec: Sensitivity) -> str:
    """Why nothing is drawn."""
    return _(
        "Theory gives no sharpness limit for {name}. It gives one for SGD, Momentum, Nesterov, "
        "AdaGrad, RMSProp, Adam, AdamW and AMSGrad."
    ).format(name=spec.names[spec.chosen])


def describe_edge(spec: Sensitivity, edge, path) -> str:
    """Whether the sharpness crossed the limit, and what became of the run."""
    name, diverged_at, t = spec.names[spec.chosen], int(path.diverged_at), edge.crossed
    rate = number(setting(path.optimizer, "lr"), 3)
    if t is None:
        message = _(
            "**The sharpness stays below the limit**: {name} with rate {rate} is stable "
            "everywhere on its path. The sharpness reaches at most {share}% of the limit."
        )
        share = np.nanmax(edge.sharpness / edge.limit, initial=0.0)
        return message.format(name=name, rate=rate, share=number(100 * share, 3))
    if diverged_at >= 0:
        message = _(
            "**At step {t} the sharpness, {sharpness}, exceeds {limit}**, the largest at which "
            "{name} is stable with rate {rate}. It overshoots from there on, and at step {lost} "
            "its values are no longer finite."
        )
    else:
        message = _(
            "**At step {t} the sharpness, {sharpness}, exceeds {limit}**, the largest at which "
            "{name} is stable with rate {rate}. This is the case in {share}% of the steps; the "
            "run does not diverge because it does not stay where the sharpness is too large."
        )
    with np.errstate(all="ignore"):
        beyond = (edge.sharpness > edge.limit).mean()
    return message.format(
        name=name,
        rate=rate,
        t=t,
        lost=diverged_at,
        sharpness=number(edge.sharpness[t], 4),
        limit=number(edge.limit[t], 4),
        share=number(100 * beyond, 3),
    )


def stability_notes(context) -> Caption:
    """What the limit is."""
    return Caption(
        _(
            "Sharpness is the largest eigenvalue of the Hessian. On a quadratic, SGD is stable up "
            "to 2/η and Momentum up to 2(1 + μ)/η. For methods that rescale each coordinate, the "
            "Hessian is taken in the rescaled coordinates, and Adam's limit is 2(1 + β₁)/((1 − "
            "β₁)η). (Cohen et al. 2021, Gradient descent typically occurs at the edge of "
            "stability; 2022, Adaptive gradient methods at the edge of stability.)"
        )
    )
