"""What a search comes to, in tables and sentences."""

import numpy as np

from optviz.experiments.hyperparameter_search.spec import Search
from optviz.plot.old_training import table
from optviz.plot.style import Style, number
from optviz.tuning import SAMPLERS, rank_correlation
from optviz.tuning.search import (
    DONE,
    OPEN,
    STOPPED,
    SearchState,
)

LISTED = 10  # of the best, in the table
WEAK = 0.25  # a rank correlation below this says little
# What has become of a trial.
WAITING, UNDER_WAY, LOST, ENDED, CUT = (
    "waiting",
    "under way",
    "diverged",
    "trained to the end",
    "stopped early",
)


def percent(share, digits: int = 3) -> str:
    return f"{number(100 * share, digits)} %"


def statuses(trials: SearchState) -> np.ndarray:
    """What has become of each trial, `(n,)`."""
    begun = np.where(trials.iterations > 0, UNDER_WAY, WAITING)
    ended = np.select([trials.state == DONE, trials.state == STOPPED], [ENDED, CUT], begun)
    return np.where(trials.diverged_at >= 0, LOST, ended)


def names(searches: list[Search]) -> list[str]:
    """A name for each, by who proposes and whether some are stopped."""
    return [_name(search) for search in searches]


def _name(search):
    hyperparameters = ", ".join(f"{k} {number(v)}" for k, v in search.sampler.values.items())
    halving = (
        f"halving by {search.halving.factor} from {search.halving.first}" if search.halving else ""
    )
    return " + ".join(
        filter(
            None,
            [
                SAMPLERS[search.sampler.key].label
                + (f" ({hyperparameters})" if hyperparameters else ""),
                halving,
            ],
        )
    )


def best_table(trials: SearchState) -> str:
    """The best trials in numbers."""
    axes = trials.search.space.axes
    headings = (
        "",
        "validation",
        "training",
        *(f"{a.quantity.title} {a.quantity.symbol}" for a in axes),
        "trial",
        "iterations",
        "",
    )
    fate, values, rows = statuses(trials), trials.values, []
    for place, t in enumerate(trials.ranking[:LISTED], 1):
        rows.append(
            [
                f"Best-{place}", percent(trials.scores[t]), percent(trials.accuracy[t, trials.last[t], 0]), *(number(v, 3) for v in values[t]),
                f"{t + 1}", f"{trials.iterations[t]}", str(fate[t]),
            ]
        )  # fmt: skip
    return table("The best trials", headings, [(row, None) for row in rows])


def compared(lines: list[tuple[str, SearchState, Style]]) -> str:
    """Searches side by side."""
    rows = []
    for name, trials, look in lines:
        ended = int((trials.state != OPEN).sum())
        best = percent(trials.scores[trials.winner.trial]) if trials.winner else "–"
        spent = trials.iterations.sum() / trials.search.training.iterations
        different = " / ".join(map(str, different_values(trials.points)))
        rows.append(([name, best, f"{ended}", number(spent, 3), different], look))
    return table(
        "Searches side by side",
        ("", "best validation", "trials", "work, in whole trainings", "different values of each"),
        rows,
    )


def matters(trials: SearchState) -> str:
    """Which of the hyperparameters the accuracy goes with."""
    of = np.flatnonzero(trials.state != OPEN)
    if len(of) < 4:
        return ""
    axes = trials.search.space.axes
    found = [
        f"{a.quantity.title} {number(rank_correlation(trials.standing[of], trials.points[of, i]), 2)}"
        for i, a in enumerate(axes)
    ]
    different = [
        f"{n} of the {a.quantity.title}"
        for n, a in zip(different_values(trials.points[of]), axes, strict=True)
    ]
    return (
        f"**Rank correlation of accuracy with each hyperparameter**: {', '.join(found)}. 1: the more the better; 0: it does not matter, or "
        f"the best lies in between. In {len(of)} trials there were so many different values: {', '.join(different)}."
    )


def different_values(points) -> list[int]:
    """How many values of each hyperparameter were tried."""
    return [len(np.unique(column.round(9))) for column in points.T]


def at_border(trials: SearchState) -> list[tuple[int, bool]]:
    """At which borders of the ranges the best lies: the axis, and whether it is its upper end."""
    return trials.search.space.border(trials.points[trials.winner.trial]) if trials.winner else []


def border_warning(trials: SearchState, i: int, upper: bool) -> str:
    """That a better value may lie outside, or that it may be chance."""
    of = np.flatnonzero(trials.state != OPEN)
    axis, value = trials.search.space.axes[i], trials.values[trials.winner.trial, i]
    weak = not abs(rank_correlation(trials.standing[of], trials.points[of, i])) >= WEAK
    end = number(10 ** (axis.high if upper else axis.low), 3)
    return (
        f"**The best lies at the border of its range**: {axis.quantity.title} {number(value, 3)}, where the range ends at {end}. "
        + (
            "This hyperparameter hardly matters here, so it may be chance."
            if weak
            else "What lies beyond has not been tried and may be better."
        )
    )


def saved(trials: SearchState) -> str:
    """What was trained, and what training everyone to the end would have been."""
    whole = len(trials.points) * trials.search.training.iterations
    spent = int(trials.iterations.sum())
    stopped = int((trials.state == STOPPED).sum())
    text = f"**Halving** stopped {stopped} of {len(trials.points)} trials: {spent:,} iterations in place of {whole:,}"
    text = (
        f"{text}, {percent(1 - spent / whole, 2)} saved."
        if whole and trials.done
        else f"{text} so far."
    )
    return f"{text} At each look the loss on validation rows decided. Who starts slowly and would have won is lost."


def verdict(trials: SearchState, test: float, rows: int) -> str:
    """The one look at the test data, and why it is the only one."""
    n = trials.search.validation
    best = trials.scores[trials.winner.trial]
    return (
        f"**On test data, looked at once: {percent(test)}** of {rows:,} rows. The same network had {percent(best)} on the {n} validation "
        f"rows by which it was chosen among {len(trials.points)}: the best of many is in part the luckiest, and {n} rows leave "
        f"±{number(100 * (best * (1 - best) / n) ** 0.5, 2)} % of chance (one standard error). Had test data chosen, this last "
        "number would flatter too, and nothing would be left to tell."
    )
