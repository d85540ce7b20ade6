"""What the page says about trainings with and without the layer."""

import numpy as np

from optviz.experiments.batch_norm.figures import LEVEL, NAMES, SETS, STAGES, Pair
from optviz.experiments.page import Caption
from optviz.plot import (
    Column,
    Table,
    number,
    over_seeds,
    percentage,
    percentage_points,
    zero_rounding_errors,
)
from optviz.plot.training import status
from optviz.training import Progress
from optviz.translation import N_, _

GOOD = 0.9  # the accuracy at which a network has learned
ROWS = 256  # training examples for the view inside
DEAD, EXPLODED = 0.02, 50  # ratios of the last layer's std to the first one's
SHARES = (
    (1.0, N_("Always here")),
    (0.8, N_("Almost always")),
    (0.5, N_("Mostly")),
    (0.0, N_("Sometimes")),
)
NEVER_WORSE = N_("Never worse here")


def verdict(pair: Pair, part: int = 0) -> str:
    """What the numbers say about with and without, with every exception."""
    if not pair.done:
        return _(
            "Once training is complete, this shows at which values batch normalization is ahead "
            "and at which it is not."
        )
    n, better, (a, b) = len(pair.values), pair.better(part), np.median(pair.final(part), -1)
    ahead, level = int((better > 0).sum()), int((better == 0).sum())
    word = NEVER_WORSE if 0 < ahead < n == ahead + level else _word(ahead / n)
    sentences = [
        _(
            "**{word}:** with batch normalization the accuracy on the {examples} is higher at "
            "{ahead} of {n} values."
        ).format(word=_(word), examples=_(SETS[part]), ahead=ahead, n=n)
    ]
    if level:
        message = _("At {n} they are tied (within {level}).")
        sentences.append(message.format(n=level, level=percentage(LEVEL, 0)))
    case = _("{value} ({without} without, {normalized} with)")
    worse = [
        case.format(value=pair.name(i), without=percentage(b[i]), normalized=percentage(a[i]))
        for i in np.flatnonzero(better < 0)
    ]
    if worse:
        sentences.append(_("**But it is lower at {cases}.**").format(cases="; ".join(worse)))
    message = _("{accuracy} is reached at {normalized} values with it and at {without} without it.")
    normalized, without = ((values >= GOOD).sum() for values in (a, b))
    accuracy = percentage(GOOD, 0)
    sentences.append(message.format(accuracy=accuracy, normalized=normalized, without=without))
    diverged = [int((state.diverged_at >= 0).any(-1).sum()) for state in pair.both]
    if any(diverged):
        message = _("Training diverges at {normalized} values with it and at {without} without it.")
        sentences.append(message.format(normalized=diverged[0], without=diverged[1]))
    return " ".join(sentences)


def _word(share):
    if not share:
        return N_("Never here")
    return next(word for limit, word in SHARES if share == 1.0 or (share > limit and limit < 1))


def summary_table(pair: Pair, part: int = 0) -> Table:
    """The last accuracies in numbers, a row for every value."""
    rows = []
    for i, (a, b) in enumerate(np.median(pair.final(part), -1).T):
        first, second = (status(state, i) for state in pair.both)
        rows.append(
            {
                "": pair.name(i),
                Column(_("with"), 3, percent=True): a,
                Column(_("without"), 3, percent=True): b,
                _("difference"): percentage_points(a - b),
                _("with, status"): first,
                _("without, status"): second,
            }
        )
    label = _("Last accuracy on the {examples} at every value").format(examples=_(SETS[part]))
    return Table.from_rows(label, rows)


def speed(both: list[Progress]) -> str:
    """Which of the two learned first, in epochs and in seconds."""
    if not any(s.iteration for s in both):
        return ""
    phrases = [_reached(_(name), s) for name, s in zip(NAMES, both, strict=True)]
    message = _("Reached {accuracy} training accuracy: **{first}, {second}**.")
    text = message.format(accuracy=percentage(GOOD, 0), first=phrases[0], second=phrases[1])
    diverged = ", ".join(
        _(name) for name, s in zip(NAMES, both, strict=True) if (s.diverged_at[0] >= 0).any()
    )
    return f"{text} {_('Diverged: {names}.').format(names=diverged)}" if diverged else text


def _reached(name, state):
    good = np.flatnonzero(over_seeds(state.accuracy[:, 0, 0])[0] >= GOOD)
    if not len(good):
        return _("{name} not yet").format(name=name)
    t = state.evaluated[good[0]]
    epochs, seconds = t / state.training.epoch, state.seconds[t - 1] if t else 0.0
    message = _("{name} after {epochs} epochs ({seconds} s)")
    return message.format(name=name, epochs=number(epochs, 3), seconds=number(seconds, 2))


# Inside.


def std_table(hidden: list[dict[str, np.ndarray]], name: str) -> Table:
    """Mean and std at every stage of every hidden layer."""
    rows = []
    for i, layer in enumerate(hidden, 1):
        rows.append({"": _("layer {i}").format(i=i)})
        for stage, a in layer.items():
            title, std = _(STAGES[stage]).split(" x")[0], float(a.std(dtype=float))
            # a mean that is no more than the rounding of single precision is 0
            mean = float(zero_rounding_errors(a.mean(dtype=float), std, 1e-6))
            rows[-1][Column(_("{stage}, mean").format(stage=title), 3)] = mean
            rows[-1][Column(_("{stage}, std").format(stage=title), 3)] = std
    return Table.from_rows(_("Inside the network {name}").format(name=name), rows)


def flow(hidden: list[dict[str, np.ndarray]], iteration: int) -> str:
    """What becomes of the pre-activations' std from the first hidden layer to the last."""
    first, last = (float(h["pre-activations"].std(dtype=float)) for h in (hidden[0], hidden[-1]))
    sentences = [_("**After {t} iterations.**").format(t=iteration)]
    message = _("Pre-activations have std {first} in layer 1 and {last} in layer {n}.")
    sentences.append(message.format(first=number(first, 3), last=number(last, 3), n=len(hidden)))
    if "normalized" in hidden[0]:
        each = [float(layer["normalized"].std(dtype=float)) for layer in hidden]
        message = _("After normalization it is between {low} and {high}, **whatever the input**.")
        sentences.append(message.format(low=number(min(each), 3), high=number(max(each), 3)))
    else:
        sentences.append(_on_its_way(last / first if first else 0.0))
    return " ".join(sentences)


def _on_its_way(ratio):
    """What becomes of a signal whose std is so many times as large in the last layer."""
    if ratio < DEAD:
        return _("**The signal dies out** along the way.")
    if ratio > EXPLODED:
        return _("**The signal explodes** along the way.")
    if not 0.5 < ratio < 2:
        return (
            _("The signal shrinks along the way.")
            if ratio < 1
            else _("The signal grows along the way.")
        )
    return _("The signal keeps its size by itself.")


NOTES = {
    "one": N_(
        "Increase the learning rate: the network without batch normalization usually diverges "
        "long before the one with it."
    ),
    "scales": N_(
        "Every pair starts with the same random numbers, multiplied by its σ; this replaces any "
        "other initializer."
    ),
    "rates": N_(
        "Every pair has its own learning rate instead of the optimizer's; all start with the same "
        "weights."
    ),
}


def notes(context) -> Caption:
    """How it was done."""
    common = _(
        "Both networks see the same mini-batches, drawn with replacement; an epoch is as many "
        "examples as there are for training. With batch normalization, accuracies are measured in "
        "evaluation mode, with the running statistics; histograms show {n} training examples, "
        "normalized by their own statistics. A network that diverged counts as 0. With several "
        "seeds, charts show the median and bars from the lowest to the highest; the view inside "
        "shows the first seed. Data: {attribution}"
    ).format(n=ROWS, attribution=context.attribution)
    return Caption(f"{_(NOTES[context.spec.view])} {common}")
