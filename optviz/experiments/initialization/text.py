"""What the page says about gradients and units, in sentences and in tables."""

import numpy as np

from optviz.experiments.initialization.inspector import LEADING, SAMPLES, Inspector, Units
from optviz.experiments.page import Caption
from optviz.plot import Column, Table, number, thin_indices
from optviz.translation import N_, _

# Remarks on the gradient, the most important first.
GRADIENTS = {
    "overflow": N_("**The gradient has overflowed**: it is no longer finite."),
    "none": N_(
        "**No gradient at all**: it is exactly 0 for every weight matrix, so no weight can move."
    ),
    "partial": N_(
        "**No gradient reaches {still}**: it is exactly 0 there; for the last matrix, W{n}, its "
        "norm is {last}."
    ),
    "vanishing": N_(
        "**Vanishing**: the norm of the gradient is {first} for W1 and {last} for W{n}. No matrix "
        "has a gradient larger than {share} of its own norm, so plain gradient descent hardly "
        "learns anything."
    ),
    "fading": N_(
        "**The gradient fades** by a factor of {factor} on its way back: its norm is {first} for "
        "W1 and {last} for W{n}."
    ),
    "growing": N_(
        "**The gradient grows** by a factor of {factor} on its way back: its norm is {first} for "
        "W1 and {last} for W{n}."
    ),
    "healthy": N_(
        "The gradient reaches every layer: its norm is {first} for W1 and {last} for W{n}."
    ),
}

# Remarks on the units of a weight matrix.
UNITS = {
    "diverged": N_("**Diverged**: there are no finite weights left to look at."),
    "zero_stays": N_(
        "**Exactly zero**: at iteration {t} every one of the {size:,} weights is 0. The gradients "
        "of all matrices are exactly 0 as well, so nothing will change."
    ),
    "zero_yet": N_(
        "**Exactly zero**: at iteration {t} every one of the {size:,} weights is 0, and so is "
        "their gradient. The gradients of other matrices are not: once those have moved, this one "
        "gets a gradient too."
    ),
    "zero": N_(
        "**Exactly zero**: at iteration {t} every one of the {size:,} weights is 0. The norm of "
        "the gradient is {gradient}."
    ),
    "single": N_(
        "**A single unit**: there is no other unit that it could equal. Rank {rank} of at most "
        "{most}."
    ),
    "equal": N_(
        "**All {count} units are equal** at iteration {t}: their weights differ by {difference}, "
        "no more than rounding error. Rank {rank} of at most {most}: the layer can do no more "
        "than one unit could."
    ),
    "proportional": N_(
        "**Rank 1**: at iteration {t} all units are multiples of one of them, up to rounding, "
        "though their weights differ by up to {difference}."
    ),
    "different": N_(
        "**Different**: at iteration {t} the weights of the units differ by up to {difference}. "
        "Rank {rank} of at most {most}."
    ),
}


def inspected_network(context) -> Caption:
    """Which network is shown, and at which iteration: the training may not have come so far."""
    inspector = Inspector(context)
    if len(inspector.training.seeds) > 1:
        message = _("Shown: iteration {t}, {name}, seed {seed}.")
    else:
        message = _("Shown: iteration {t}, {name}.")
    return Caption(
        message.format(t=inspector.t, name=inspector.name, seed=inspector.training.seeds[0])
    )


def diverged(inspector: Inspector) -> str:
    """That there is nothing to see, and from when on."""
    return _(
        "**{name} has diverged** at iteration {at}: it has no finite weights at {t}. Choose an "
        "earlier iteration."
    ).format(name=inspector.name, at=int(inspector.diverged_at[inspector.i]), t=inspector.t)


def gradient_finding(norms: np.ndarray, weights: np.ndarray) -> str:
    """The finding from gradient norms and weight norms `(matrices,)`, as a key of GRADIENTS."""
    if not np.isfinite(norms).all():
        return "overflow"
    if not norms.all():
        return "partial" if norms.any() else "none"
    if (norms / np.maximum(weights, 1e-300)).max() < 1e-3:
        return "vanishing"
    ratio = norms[0] / norms[-1]
    return "fading" if ratio < 0.1 else "growing" if ratio > 10 else "healthy"


def gradient_remark(norms: np.ndarray, weights: np.ndarray) -> str:
    """The same in a sentence or two."""
    with np.errstate(all="ignore"):
        ratio = norms[0] / norms[-1]
        factor, share = max(ratio, 1 / ratio), (norms / np.maximum(weights, 1e-300)).max()
    return _(GRADIENTS[gradient_finding(norms, weights)]).format(
        still=", ".join(f"W{k}" for k, norm in enumerate(norms, 1) if norm == 0),
        n=len(norms),
        first=number(norms[0], 3),
        last=number(norms[-1], 3),
        factor=number(factor, 2),
        share=number(share, 2),
    )


def units_finding(units: Units, gradient: float, others: float = 0.0) -> str:
    """The finding on a matrix with this gradient norm, as a key of UNITS; `others` is the largest
    norm of the others.
    """
    if not units.finite:
        return "diverged"
    if units.largest == 0:
        return "zero" if gradient else "zero_yet" if others else "zero_stays"
    if units.count == 1:
        return "single"
    if units.equal:
        return "equal"
    return "proportional" if units.rank == 1 else "different"


def units_remark(units: Units, gradient: float, t: int, others: float = 0.0) -> str:
    """The same in a sentence or two; t is the iteration."""
    return _(UNITS[units_finding(units, gradient, others)]).format(
        t=t,
        count=units.count,
        rank=units.rank,
        most=min(units.shape),
        size=units.shape[0] * units.shape[1],
        difference=number(units.difference, 3),
        gradient=number(gradient, 3),
    )


def norms_table(inspector: Inspector) -> Table:
    """The gradient norms of every initializer."""
    label = _("Norm of the gradient of each weight matrix at iteration {t}").format(t=inspector.t)
    matrices = range(1, len(inspector.training.network.affine) + 1)
    rows = [
        [line.name, *inspector.gradient_norms(inspector.t, i)]
        for i, line in enumerate(inspector.lines)
    ]
    columns = [_("gradient"), *(Column(f"W{k}", 3) for k in matrices)]
    return Table(label, columns, rows, [line.style for line in inspector.lines])


def units_table(inspector: Inspector, k: int) -> Table:
    """How far the units of each initializer differ in weight matrix k."""
    columns = (
        "",
        _("rank"),
        Column(_("units differ by"), 3),
        Column(_("largest weight"), 3),
        _("first singular values"),
    )
    rows = []
    for i, line in enumerate(inspector.lines):
        units = inspector.units(inspector.t, i, k)
        rank = _("{rank} of {most}").format(rank=units.rank, most=min(units.shape))
        leading = ", ".join(number(s, 3) for s in units.singular_values[:3])
        rows.append([line.name, rank, units.difference, units.largest, leading])
    label = _("How far the units of each initializer differ")
    return Table(label, columns, rows, [line.style for line in inspector.lines])


def numbers(inspector: Inspector, k: int) -> list[str]:
    """The leading singular values of weight matrix k, and a corner of it."""
    units = inspector.units(inspector.t, inspector.i, k)
    if not units.finite:
        return [diverged(inspector)]
    if min(units.shape) > LEADING:
        message = _(
            "Singular values (the first six): {values}. Numbers of W{k} of {name} at iteration {t}:"
        )
    else:
        message = _("Singular values: {values}. Numbers of W{k} of {name} at iteration {t}:")
    values = ", ".join(number(s, 3) for s in units.singular_values)
    heading = message.format(values=values, k=k + 1, name=inspector.name, t=inspector.t)
    return [heading, f"```text\n{corner(inspector.weights(inspector.t, inspector.i)[k])}\n```"]


def corner(w: np.ndarray, rows: int = 8, columns: int = 6) -> str:
    """A matrix as text: so many rows from top to bottom, the first columns of each."""
    lines = [" " * 7 + "".join(f"{f'[{j}]':>12}" for j in range(min(columns, w.shape[1])))]
    lines += [
        f"{f'[{i}]':>7}" + "".join(f"{v:>12.4g}" for v in w[i, :columns])
        for i in thin_indices(len(w), rows)
    ]
    return "\n".join(lines)


def about_gradients(context) -> Caption:
    """What the gradients refer to."""
    return Caption(
        _(
            "Activations and gradients of the mean loss on the first {n} training examples, "
            "without an update."
        ).format(n=SAMPLES)
    )


def about_units(context) -> Caption:
    """What the columns of the table are."""
    return Caption(
        _(
            "“Units differ by” is the largest difference between two hidden units in any of their "
            "weights; it is 0 if all are equal. The units of a matrix are its columns, the "
            "incoming weights of each unit; those of the last matrix are its rows, the outgoing "
            "weights. The rank is the number of singular values above a millionth of the largest. "
            "If a matrix has more than 100 rows or columns, 100 evenly spaced ones are drawn."
        )
    )


def notes(context) -> Caption:
    """How it was done."""
    return Caption(
        _(
            "Every initializer trains on the same mini-batches; the seed determines both these "
            "and the weights. The loss is that of each mini-batch before its update, smoothed "
            "with a Kaiser window (length 11, β = 2), as in the book. With several seeds, the "
            "line is the median and the band runs from the smallest to the largest value; layers "
            "and matrices are those of the first seed. Data: {attribution}"
        ).format(attribution=context.attribution)
    )
