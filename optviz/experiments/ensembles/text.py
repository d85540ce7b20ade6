"""What is said of ensembles: how each method stands, what it gained in words, how the members differ."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optviz.experiments.ensembles.figures import (
    MEMBER,
    NAMES,
    SINGLE,
    Curve,
    labels_of,
)
from optviz.experiments.ensembles.spec import Ensemble, Outcome
from optviz.plot.style import Theme, number, style
from optviz.plot.old_training import status, table
from optviz.training import Progress

FALLEN = 0.02  # of accuracy lost since the best: more than chance
HEADINGS = ("", "labels", "one network", "ensemble", "gain", "updates", "status")


class Row(NamedTuple):
    """A method on one kind of labels, for the table."""

    method: str
    noise: float
    outcome: Outcome
    now: Progress


def standings(rows: list[Row], theme: Theme) -> str:
    """One network, the ensemble and what it gains, for every method and both kinds of labels, on test rows."""
    cells = []
    for method, noise, found, now in rows:
        if not now.iteration:  # what guesses is no ensemble yet
            found = replace(found, single=float("nan"), spread=float("nan"), ensemble=float("nan"), of=0)
        spread = f" ± {100 * found.spread:.1f}" if np.isfinite(found.spread) else ""
        better = f" ({found.better} of {found.of} better)" if found.of > 1 else ""
        cells.append((
            [NAMES[method], labels_of(noise), _percent(found.single) + spread, _percent(found.ensemble), points(found.gain) + better,
             f"{now.iteration}" if method != "independent" else f"{len(now.training.seeds)} × {now.iteration}", status(now, 0)],
            style(list(NAMES).index(method) + 2, theme),
        ))  # fmt: skip
    return table("One network and an ensemble, on test rows", HEADINGS, cells)


def _percent(share):
    return f"{100 * share:.1f} %" if np.isfinite(share) else "–"


def points(gain: float) -> str:
    """A difference of two accuracies, in points of a hundred."""
    return f"{round(100 * gain, 1) + 0.0:+.1f}".replace("-", "−") if np.isfinite(gain) else "–"


ONE = {"independent": "one network", "snapshots": "the run's last point", "averaging": "the last point"}
MORE = {"independent": "All together", "snapshots": "The snapshots together", "averaging": "The averaged weights"}


def remark(rows: list[Row], pictures: list[list[Curve]]) -> str:
    """What a method gained on each kind of labels, in Markdown, from the numbers alone."""
    return "  \n".join(
        f"On {labels_of(row.noise)}: {_gained(row, curves)}" for row, curves in zip(rows, pictures, strict=True)
    )


def _gained(row, curves):
    method, found, now = row.method, row.outcome, row.now
    if not np.isfinite(found.gain):
        lost = int((now.diverged_at >= 0).sum())
        return (
            f"{lost} of {now.diverged_at.size} networks diverged, so there is no ensemble of all."
            if lost
            else "there is no ensemble yet."
        )
    told = [
        f"{MORE[method]} get {_percent(found.ensemble)} of the test rows right, {ONE[method]} {_percent(found.single)}: **{verdict(found.gain)}**."
    ]
    if method == "snapshots":
        alone = next(c.y[-1] for c in curves if c.kind == SINGLE)
        told.append(f"One snapshot alone has {_percent(alone)} on average.")
    best = _best(curves)
    if row.noise and best.y > found.single + FALLEN:
        told.append(
            f"{'The run' if method == 'snapshots' else 'One network'} was at its best after {best.t} iterations, {_percent(best.y)}, and has since learned wrong labels by heart: "
            + (
                "to stop there, if one knew, would be worth more than this."
                if best.y > found.ensemble
                else "part of the gain makes up for it."
            )
        )
    return " ".join(told)


class _Best(NamedTuple):
    t: int
    y: float


def _best(curves):
    """Where one network, or the run, was at its best."""
    one = next(c for kind in (SINGLE, MEMBER) for c in curves if c.kind == kind and not c.dots)
    k = int(np.nanargmax(one.y)) if np.isfinite(one.y).any() else 0
    return _Best(int(one.x[k]), float(one.y[k]))


def verdict(gain: float) -> str:
    """A gain in words: what is under a point of a hundred is no news on so few rows."""
    if abs(gain) < 0.01:
        return f"nothing to speak of ({points(gain)} points)"
    return f"{points(abs(gain)).lstrip('+')} points {'gained' if gain > 0 else 'lost'}"


def differences(councils: list[tuple[str, Ensemble]], of: int) -> str:
    """How the members differ, and whether that helps, in Markdown."""
    told = []
    for name, council in councils:
        if len(council) < of:
            told.append(f"{len(council)} of {of} members have not diverged: what follows, on {name}, is theirs.")
        if len(council) > 1:
            told.append(
                f"On {name} two members answer differently on {number(100 * council.differ, 3)} % of the test rows."
            )
    told += ["Where one errs alone, the others outvote it; an error that all share stays."] if told else [
        "One member alone has nobody to disagree with: an ensemble of one is that one."
    ]  # fmt: skip
    return " ".join(told)


def enough_table(councils: list[tuple[str, Ensemble]]) -> str:
    """The accuracy of one, two, … members together."""
    growing = [(name, council.growing()) for name, council in councils]
    most = max(len(found) for _, found in growing)
    rows = [
        ([name, *(_percent(a) for a in found), *[""] * (most - len(found))], None) for name, found in growing
    ]  # fmt: skip
    return table("Accuracy over the number of members", ("members", *(f"{m + 1}" for m in range(most))), rows)
