"""What regularizers against overfitting do, in tables and in words: the honest remark, from the numbers."""

import numpy as np

from optviz.experiments.regularization.spec import (
    TINY,
    Outcome,
    Paired,
    Weights,
    outcomes,
    paired,
)
from optviz.plot.old_training import Line, Scale, status
from optviz.plot.style import number

CLEAR = 0.8  # of the seeds on one side: only then a difference is called one
FEW = 5  # seeds, below which it says so
ALIKE = 0.005  # accuracies closer than this are not told apart in words


def percent(value, digits: int = 1) -> str:
    """A share for reading."""
    return f"{100 * value:.{digits}f} %" if np.isfinite(value) else "–"


def points(value) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−") if np.isfinite(value) else "–"


# In numbers.

STANDING = (
    "", "training accuracy", "test accuracy", "gap", "gap, paired with the first", "test, paired with the first", "better in", "status",
)  # fmt: skip
LEARNED = "wrong labels by heart"


def headings(noisy: bool) -> tuple[str, ...]:
    """Of the table of accuracies; a column more where labels are wrong."""
    return (*STANDING[:-1], LEARNED, STANDING[-1]) if noisy else STANDING


def rows(
    lines: list[Line], learned: list[np.ndarray] | None = None
) -> list[tuple[list[str], object]]:
    """Medians over the seeds, and paired differences to the first; `learned` is each line's share of wrong labels `(S,)`."""
    (_, stand), found = _stand(lines), []
    for k, (line, own) in enumerate(zip(lines, stand, strict=True)):
        p = paired(stand[0], own)
        cells = [
            line.name,
            percent(_median(own.training)),
            percent(_median(own.test)),
            points(_median(own.gap)).lstrip("+"),
        ]
        cells += (
            [points(p.gap), points(p.test), f"{p.better} of {len(p.tests)} seeds"]
            if k
            else ["", "", ""]
        )
        cells += [percent(_median(learned[k]), 0)] if learned else []
        found.append(([*cells, status(line.progress, line.i)], line.look))
    return found


WEIGHTS = (
    "",
    "length √ΣW²",
    "standard deviation",
    "largest",
    f"share below {TINY:g}",
    "test accuracy",
)


def weight_rows(
    lines: list[Line], of: list[Weights], start: Weights
) -> list[tuple[list[str], object]]:
    """What the histogram shows, in numbers: medians over the seeds, and before the training."""

    def cells(name, w, test):
        return [
            name,
            number(w.norm, 4),
            number(w.spread, 3),
            number(w.largest, 3),
            percent(w.tiny),
            test,
        ]

    found = [
        (cells(line.name, w, percent(_median(own.test))), line.look)
        for line, w, own in zip(lines, of, _stand(lines)[1], strict=True)
    ]
    return [(cells("before training", start, ""), None), *found]


def _stand(lines):
    return outcomes([line.progress for line in lines])


def _median(values):
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


# And in words.


def remarks(
    lines: list[Line], scale: Scale, noise: float = 0.0, learned: list[np.ndarray] | None = None
) -> str:
    """What each regularizer does to the gap and, which is the question, to rows that the network has not seen."""
    iteration, (first, *others) = _stand(lines)
    if not iteration:
        return "Train, and see what each regularizer does to the gap between what a network knows and what it has not seen."
    told, seeds = [], len(lines[0].progress.training.seeds)
    if iteration < scale.iterations:
        told.append(
            f"So far, at epoch {number(scale.of(lines[0].progress, [iteration])[0], 3)} of {number(scale.end, 3)}:"
        )
    told.append(_alone(lines[0].name, first))
    told += [
        _beside(line.name, paired(first, own)) for line, own in zip(lines[1:], others, strict=True)
    ]
    if noise and learned:
        share = "; ".join(
            f"{line.name} {percent(_median(v), 0)}" for line, v in zip(lines, learned, strict=True)
        )
        told.append(
            f"{percent(noise, 0)} of the training labels are wrong: at the dotted line stands who has learned the right ones and no other. "
            f"Wrong labels that are known by heart: {share}."
        )
    if seeds < FEW and len(lines) > 1:
        told.append(
            f"{'One seed says' if seeds == 1 else f'{seeds} seeds say'} little about small differences: take more of them."
        )
    return "\n".join(f"- {sentence}" for sentence in told)


def _alone(name, own: Outcome):
    if not np.isfinite(own.test).any():
        return f"**{name}** has diverged: there is nothing to compare with."
    known, unseen = _median(own.training), _median(own.test)
    return f"**{name}** gets {percent(known)} of the training rows right, and {percent(unseen)} of those that it has not seen."


def _beside(name, p: Paired):
    if not len(p.tests):
        return f"**{name}** has diverged: nothing can be said of it."
    n, side = len(p.tests), p.better >= p.worse
    count = p.better if side else p.worse
    gap_ = _moved(
        p.gap,
        "raises the gap by {} points",
        "lowers the gap by {} points",
        "leaves the gap as it is",
    )
    known = _moved(
        p.training,
        "training accuracy rises by {}",
        "training accuracy falls by {}",
        "training accuracy stays",
    )
    unseen = _moved(
        p.test,
        "test accuracy rises by {}",
        "test accuracy falls by {}",
        "test accuracy hardly moves",
    )
    told = f"**{name}** {gap_}: {known}, {unseen} ({'better' if side else 'worse'} in {count} of {n} seeds)."
    if count < CLEAR * n or abs(p.test) < ALIKE:
        return f"{told} On new rows that is no clear difference."
    if side:
        return f"{told} It is the better network on new rows{', with less training accuracy' if p.training < -ALIKE else ''}."
    if p.gap < -ALIKE:
        return f"{told} The gap is smaller because training accuracy fell, and test accuracy fell with it: **no regularizer at this strength, in this time**."
    return f"{told} It is the worse network on new rows."


def _moved(value, up, down, still):
    return (
        still
        if abs(value) < ALIKE
        else (up if value > 0 else down).format(f"{100 * abs(value):.1f}")
    )


def weighed(lines: list[Line], of: list[Weights]) -> str:
    """What the regularizers do to the weights, against the first."""
    told, first = [], of[0]
    for line, w in zip(lines[1:], of[1:], strict=True):
        if not np.isfinite(w.norm) or not np.isfinite(first.norm) or not line.progress.iteration:
            continue
        told.append(
            f"- **{line.name}**: all weights together are {number(w.norm, 3)} long, those of {lines[0].name} {number(first.norm, 3)}; "
            f"{percent(w.tiny)} of them are below {TINY:g}, there {percent(first.tiny)}."
        )
    return "\n".join(told)
