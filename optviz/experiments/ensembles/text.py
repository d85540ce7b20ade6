"""What the page says about ensembles: results, gains, how the members differ."""

from typing import NamedTuple

import numpy as np

from optviz.experiments.ensembles.figures import MEMBER, SINGLE, Curve
from optviz.experiments.ensembles.run import Ensemble, Outcome
from optviz.experiments.ensembles.spec import METHODS, Ensembles
from optviz.experiments.page import Caption
from optviz.plot import Column, Table, Theme, number, percentage, percentage_points, style
from optviz.plot.training import status
from optviz.training import MAX_EVALUATED, Progress
from optviz.translation import N_, _

NAMES = {
    "independent": N_("Independent networks"),
    "snapshots": N_("Snapshots of one run"),
    "averaging": N_("Averaged weights"),
}
GAINED = {
    "independent": N_(
        "Ensemble validation accuracy {ensemble}, mean of single networks {single}: **{verdict}**."
    ),
    "snapshots": N_(
        "Validation accuracy {ensemble} for the snapshots together, {single} for the run's last "
        "point: **{verdict}**."
    ),
    "averaging": N_(
        "Validation accuracy {ensemble} for the averaged weights, {single} for the last point: "
        "**{verdict}**."
    ),
}
METHOD_NOTES = {
    "independent": N_(
        "Independent networks differ in their initial weights and mini-batches and train at a "
        "constant rate. The ensemble predicts the class with the highest mean probability. It "
        "costs as many trainings as it has members."
    ),
    "snapshots": N_(
        "There is one run. Its rate falls along a cosine from α₀ = {top:g} nearly to zero within "
        "{cycle} iterations, then jumps back: α₀/2 · (cos(π · ((t−1) mod ⌈T/M⌉)/⌈T/M⌉) + 1). The "
        "network is saved at the end of every cycle. “Gain” is relative to the run's last point. "
        "With a peak of twice the constant rate, the mean rate equals the constant one."
    ),
    "averaging": N_(
        "An exponential moving average of the weights, x̄ ← {decay:g} · x̄ + {rest:g} · x after "
        "every update, starting from the initial weights. Averaging does not change the "
        "optimizer's path, so “last point” and “averaged weights” are the same run with the same "
        "mini-batches. The loss is that of the mini-batch at x and at x̄. It costs one training; "
        "the seeds are repetitions."
    ),
}
LOST = 0.02  # of accuracy since the best: more than chance
SMALL = 0.01  # a gain below it means nothing on so few examples


def labels_of(noise: float) -> str:
    """The name of labels of which this share is wrong."""
    if not noise:
        return _("clean labels")
    return _("{share}% wrong labels").format(share=number(100 * noise, 3))


def labels_heading(noise: float) -> str:
    """The heading of the figure for these labels."""
    labels = labels_of(noise)
    return f"**{labels[:1].upper()}{labels[1:]}**"


class Standing(NamedTuple):
    """A method on one kind of labels."""

    method: str
    noise: float
    outcome: Outcome
    progress: Progress
    curves: list[Curve]


def standings(rows: list[Standing], theme: Theme) -> Table:
    """One network, the ensemble and what it gains, for every method and both kinds of labels."""
    cells = []
    for method, noise, outcome, state, _curves in rows:
        begun, n = state.iteration > 0, len(state.training.seeds)  # untrained ones only guess
        std = f" ± {100 * outcome.std:.1f}" if np.isfinite(outcome.std) else ""
        updates = f"{n} × {state.iteration}" if method == "independent" else f"{state.iteration}"
        gain = percentage_points(outcome.gain)
        if outcome.networks > 1:
            message = _("{gain} ({better} of {n} better)")
            gain = message.format(gain=gain, better=outcome.better, n=outcome.networks)
        cells.append(
            {
                "": _(NAMES[method]),
                _("labels"): labels_of(noise),
                _("single network"): percentage(outcome.single) + std if begun else "–",
                _("ensemble"): percentage(outcome.ensemble) if begun else "–",
                _("gain"): gain if begun else "–",
                _("updates"): updates,
                _("status"): status(state, 0),
            }
        )
    styles = [style(list(METHODS).index(row.method) + 2, theme) for row in rows]
    return Table.from_rows(_("One network and an ensemble, on the validation set"), cells, styles)


def verdict(gain: float) -> str:
    """A gain in words."""
    if abs(gain) < SMALL:
        return _("no gain ({gain} points)").format(gain=percentage_points(gain))
    size = percentage_points(abs(gain)).lstrip("+")
    message = _("{size} points gained") if gain > 0 else _("{size} points lost")
    return message.format(size=size)


def remark(rows: list[Standing]) -> str:
    """What a method gained on each kind of labels, in Markdown, from the numbers alone."""
    message = _("On {labels}: {gained}")
    return "  \n".join(
        message.format(labels=labels_of(row.noise), gained=" ".join(_gained(row))) for row in rows
    )


def _gained(row):
    method, noise, outcome, state, curves = row
    if not np.isfinite(outcome.gain):
        n_diverged = int((state.diverged_at >= 0).sum())
        message = _("{lost} of {n} networks diverged, so there is no ensemble of all.")
        yield (
            message.format(lost=n_diverged, n=state.diverged_at.size)
            if n_diverged
            else _("there is no ensemble yet.")
        )
        return
    yield _(GAINED[method]).format(
        ensemble=percentage(outcome.ensemble),
        single=percentage(outcome.single),
        verdict=verdict(outcome.gain),
    )
    if method == "snapshots":
        single = next(c.y[-1] for c in curves if c.kind == SINGLE)
        message = _("A single snapshot has {accuracy} on average.")
        yield message.format(accuracy=percentage(single))
    t, best = _best(curves)
    if noise and best > outcome.single + LOST:
        message = (
            _(
                "The run was best after {t} iterations, at {best}; since then it has lost "
                "accuracy, as networks do when they memorize wrong labels:"
            )
            if method == "snapshots"
            else _(
                "A single network was best after {t} iterations, at {best}; since then it has "
                "lost accuracy, as networks do when they memorize wrong labels:"
            )
        )
        yield message.format(t=t, best=percentage(best))
        yield (
            _("stopping there would have gained more.")
            if best > outcome.ensemble
            else _("part of the gain makes up for that.")
        )


def _best(curves):
    """The best iteration of one network, or of the run, and its accuracy."""
    curve = next(c for kind in (SINGLE, MEMBER) for c in curves if c.kind == kind and not c.dots)
    k = int(np.nanargmax(curve.y)) if np.isfinite(curve.y).any() else 0
    return int(curve.x[k]), float(curve.y[k])


def differences(ensembles: list[tuple[str, Ensemble]], n: int) -> str:
    """How the members differ, and whether that helps, in Markdown."""
    sentences = []
    for name, ensemble in ensembles:
        if len(ensemble) < n:
            message = _(
                "On {labels}, {left} of {n} members have not diverged; the following describes "
                "only these."
            )
            sentences.append(message.format(left=len(ensemble), n=n, labels=name))
        if len(ensemble) > 1:
            message = _(
                "Trained on {labels}, two members give different answers on {share}% of the "
                "validation set on average."
            )
            share = number(100 * ensemble.mean_disagreement, 3)
            sentences.append(message.format(labels=name, share=share))
    if not sentences:
        return _(
            "A single member has no other to disagree with: an ensemble of one is just that "
            "network."
        )
    end = _("If only one member errs, the others can outvote it; an error that all share remains.")
    return " ".join([*sentences, end])


def size_table(ensembles: list[tuple[str, Ensemble]]) -> Table:
    """The accuracy of one, two, … members together."""
    growing = [(name, list(ensemble.accuracy_by_size())) for name, ensemble in ensembles]
    largest = max(len(shares) for _name, shares in growing)
    columns = [_("members"), *(Column(f"{m + 1}", 3, percent=True) for m in range(largest))]
    rows = [[name, *shares, *[""] * (largest - len(shares))] for name, shares in growing]
    return Table(_("Accuracy over the number of members"), columns, rows)


def notes(context) -> Caption:
    """How the method works."""
    spec: Ensembles = context.spec
    method = _(METHOD_NOTES[spec.view]).format(
        top=spec.top, cycle=spec.cycle, decay=spec.decay, rest=1 - spec.decay
    )
    common = _(
        "Accuracies are measured on the validation set, on at most {n:,} examples with right "
        "labels. ± is the standard deviation over the seeds. Data: {attribution}"
    ).format(n=MAX_EVALUATED, attribution=context.attribution)
    return Caption(f"{method} {common}")
