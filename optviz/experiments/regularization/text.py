"""What the page says: tables, and remarks that follow from the numbers."""

from dataclasses import replace

import numpy as np

from optviz.experiments.page import Caption
from optviz.experiments.regularization import run
from optviz.experiments.regularization.run import TINY, Outcome, Paired, WeightSummary
from optviz.experiments.regularization.spec import Regularizer
from optviz.optim import OPTIMIZERS
from optviz.plot import Column, Table, number, percentage, percentage_points
from optviz.plot.series import mean_over_seeds
from optviz.plot.training import Network, status
from optviz.translation import N_, _, ngettext
from optviz.ui.training.jobs import data_of

CLEAR = 0.8  # of the seeds on one side: only then a difference counts as clear
FEW = 5  # fewer seeds get a warning
ALIKE = 0.005  # accuracies closer than this count as equal


def accuracies(outcome: Outcome, begun: bool) -> dict[str, str]:
    """Cells of a table: training and validation accuracy, and the gap once training has begun;
    means over the seeds.
    """
    training, test, gap = map(mean_over_seeds, (outcome.training, outcome.test, outcome.gap))
    return {
        _("training accuracy"): percentage(training),
        _("validation accuracy"): percentage(test),
        _("gap"): percentage_points(gap).lstrip("+") if begun else "",
    }


# Names.


def name(regularizer: Regularizer) -> str:
    """The name of a regularizer: what it sets."""
    optimizer, parts = regularizer.optimizer, []
    if optimizer:
        label = OPTIMIZERS[optimizer.key].label
        decay = getattr(optimizer.build(OPTIMIZERS), "weight_decay", 0.0)
        decayed = _("{optimizer}, decay {decay:g}").format(optimizer=label, decay=decay)
        parts.append(decayed if decay else label)
    if regularizer.l2:
        message = _("L2 {value:g}") if optimizer else _("weight decay {value:g}")
        parts.append(message.format(value=regularizer.l2))
    if regularizer.l1:
        parts.append(_("L1 {value:g}").format(value=regularizer.l1))
    if regularizer.dropout:
        parts.append(_("dropout {value:g}").format(value=regularizer.dropout))
    if regularizer.normalize:
        parts.append(_("batch normalization"))
    return " + ".join(parts) or _("no regularizer")


def names(regularizers: tuple[Regularizer, ...]) -> list[str]:
    """A name for each; the second of equal ones is “… (2)”."""
    labels = [name(regularizer) for regularizer in regularizers]
    counts = [labels[: i + 1].count(n) for i, n in enumerate(labels)]
    return [f"{n} ({k})" if k > 1 else n for n, k in zip(labels, counts, strict=True)]


# Accuracies.


def memorized(context) -> list[float] | None:
    """Each regularizer's share of memorized wrong labels; None where no label is wrong."""
    split = context.spec.split
    if not split.noise:
        return None
    training = context.states[0].training
    data, right = data_of(training), data_of(replace(training, split=replace(split, noise=0.0))).t
    return [mean_over_seeds(run.memorized(state, data, right)) for state in context.states]


def standings(context) -> Table:
    """How every regularizer stands: means over the seeds, paired differences from the first, and
    the share of wrong labels memorized, if there are any.
    """
    iteration, outcomes = run.outcomes(context.states)
    shares, rows = memorized(context), []
    for k, (line, outcome) in enumerate(zip(context.lines, outcomes, strict=True)):
        p = run.paired(outcomes[0], outcome)
        better = _("{better} of {n} seeds").format(better=p.better, n=len(p.tests))
        compared = k and iteration
        gap, test = (percentage_points(x) if compared else "" for x in (p.gap, p.test))
        rows.append(
            {
                "": line.name,
                **accuracies(outcome, iteration > 0),
                _("gap vs. the first"): gap,
                _("validation vs. the first"): test,
                _("better in"): better if compared else "",
            }
        )
        if shares:
            memory = percentage(shares[k], 0) if iteration else ""
            rows[k][_("wrong labels memorized")] = memory
        rows[k][_("status")] = status(line.progress, line.i)
    label = _("Results of every regularizer")
    return Table.from_rows(label, rows, [line.style for line in context.lines])


def remarks(context) -> str:
    """How each regularizer changes the gap, and the accuracy on unseen examples."""
    iteration, (first, *others) = run.outcomes(context.states)
    if not iteration:
        return _(
            "Train the networks to see how each regularizer changes the gap between training and "
            "validation accuracy."
        )
    spec, lines, sentences = context.spec, context.lines, []
    if iteration < spec.iterations:
        message = _("So far, at epoch {epoch} of {epochs}:")
        epoch, end = (number(t / spec.epoch, 3) for t in (iteration, spec.iterations))
        sentences.append(message.format(epoch=epoch, epochs=end))
    sentences.append(_describe_first(lines[0].name, first))
    sentences += [
        compare_with_first(line.name, run.paired(first, outcome))
        for line, outcome in zip(lines[1:], others, strict=True)
    ]
    if memorized_shares := memorized(context):
        shares = "; ".join(
            f"{line.name} {percentage(share, 0)}"
            for line, share in zip(lines, memorized_shares, strict=True)
        )
        sentences.append(
            _(
                "{noise} of the training labels are wrong; the dotted line is the training "
                "accuracy of a network that has learned only the right ones. Wrong labels "
                "memorized: {shares}."
            ).format(noise=percentage(spec.split.noise, 0), shares=shares)
        )
    seeds = len(spec.seeds)
    if seeds < FEW and len(lines) > 1:
        one = "One seed says little about small differences: use more seeds."
        many = "{n} seeds say little about small differences: use more seeds."
        sentences.append(ngettext(one, many, seeds).format(n=seeds))
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _describe_first(name, outcome: Outcome):
    if not np.isfinite(outcome.test).any():
        return _("**{name}** has diverged: there is nothing to compare the others with.").format(
            name=name
        )
    message = _(
        "**{name}** gets {training} of the training examples right and {test} of the examples it "
        "has not seen."
    )
    training, test = (percentage(mean_over_seeds(values)) for values in outcome)
    return message.format(name=name, training=training, test=test)


# Messages for a difference that is up, down, or negligible.
CHANGES = {
    "gap": (
        N_("the gap grows by {points} points"),
        N_("the gap shrinks by {points} points"),
        N_("the gap hardly changes"),
    ),
    "training": (
        N_("training accuracy rises by {points}"),
        N_("training accuracy falls by {points}"),
        N_("training accuracy hardly changes"),
    ),
    "test": (
        N_("validation accuracy rises by {points}"),
        N_("validation accuracy falls by {points}"),
        N_("validation accuracy hardly changes"),
    ),
}


def compare_with_first(name: str, p: Paired) -> str:
    """How a regularizer compares with the first, seed by seed, and whether it helps."""
    n = len(p.tests)
    if not n:
        return _("**{name}** has diverged and cannot be compared.").format(name=name)
    better = p.better >= p.worse
    message = (
        _("**{name}**: {gap}; {training}, {test} (better in {count} of {n} seeds). {verdict}")
        if better
        else _("**{name}**: {gap}; {training}, {test} (worse in {count} of {n} seeds). {verdict}")
    )
    count = max(p.better, p.worse)
    changes = {part: _change(part, getattr(p, part)) for part in CHANGES}
    return message.format(name=name, count=count, n=n, verdict=_verdict(p, count), **changes)


def _change(part, value):
    up, down, same = CHANGES[part]
    message = same if abs(value) < ALIKE else up if value > 0 else down
    return _(message).format(points=f"{100 * abs(value):.1f}")


def _verdict(p, count):
    if count < CLEAR * len(p.tests) or abs(p.test) < ALIKE:
        return _("On new examples there is no clear difference.")
    if p.better >= p.worse:
        if p.training < -ALIKE:
            return _("It does better on new examples, with lower training accuracy.")
        return _("It does better on new examples.")
    if p.gap < -ALIKE:
        return _(
            "The gap is smaller because training accuracy fell, and validation accuracy fell with "
            "it: **it does not regularize at this strength, in this time**."
        )
    return _("It does worse on new examples.")


# Weights.


def weight_table(context, summaries: list[WeightSummary], start: WeightSummary) -> Table:
    """What the histogram shows, in numbers: means over the seeds, and before the training."""
    outcomes = run.outcomes(context.states)[1]
    entries = [(_("before training"), start, "", None)]
    for line, summary, outcome in zip(context.lines, summaries, outcomes, strict=True):
        entries.append((line.name, summary, percentage(mean_over_seeds(outcome.test)), line.style))
    rows = [
        {
            "": name,
            _("L1 norm Σ|W|"): summary.total,
            _("L2 norm √ΣW²"): summary.norm,
            Column(_("L∞ norm max |W|"), 3): summary.largest,
            Column(_("standard deviation"), 3): summary.std,
            _("share below {tiny:g}").format(tiny=TINY): percentage(summary.tiny),
            _("validation accuracy"): test,
        }
        for name, summary, test, _style in entries
    ]
    return Table.from_rows(
        _("The weights of every regularizer"), rows, [line_style for *_row, line_style in entries]
    )


def weight_remarks(lines: list[Network], summaries: list[WeightSummary]) -> str:
    """How the regularizers change the weights, compared with the first."""
    message = _(
        "- **{name}**: the L2 norm of all weights is {norm} ({first}: {first_norm}), and {tiny} "
        "of them are below {limit:g} ({first}: {first_tiny})."
    )
    first, first_name, sentences = summaries[0], lines[0].name, []
    for line, w in zip(lines[1:], summaries[1:], strict=True):
        if np.isfinite(w.norm) and np.isfinite(first.norm) and line.progress.iteration:
            reference = {"first_norm": number(first.norm, 3), "first_tiny": percentage(first.tiny)}
            values = {"norm": number(w.norm, 3), "tiny": percentage(w.tiny), "limit": TINY}
            values |= {"name": line.name, "first": first_name}
            sentences.append(message.format(**values, **reference))
    return "\n".join(sentences)


def about_weights() -> Caption:
    """What the weights' figure shows."""
    return Caption(
        _(
            "All weight matrices together, without the biases; means over the seeds. The vertical "
            "axis of the figure is logarithmic: each tick is ten times the one below. Weights "
            "below {tiny:g} contribute little: L1 produces many of them, L2 shrinks the norm of "
            "all weights."
        ).format(tiny=TINY)
    )
