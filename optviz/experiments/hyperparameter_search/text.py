"""The results of a search, in tables and sentences."""

import numpy as np

from optviz.experiments.page import Caption
from optviz.optim.hyperparameter import sentence
from optviz.plot import Column, Style, Table, number, percentage
from optviz.translation import N_, _
from optviz.tuning import RANGES, SAMPLERS, SCORE, Search, SearchState, Status, rank_correlation
from optviz.tuning.importance import ENOUGH, READABLE

LISTED = 10  # of the best, in the table
WEAK = 0.25  # a rank correlation below this says little
STATUSES = {
    Status.WAITING: N_("waiting"),
    Status.RUNNING: N_("under way"),
    Status.COMPLETED: N_("trained to the end"),
    Status.STOPPED: N_("stopped early"),
    Status.DIVERGED: N_("diverged"),
}


def search_name(search: Search) -> str:
    """The sampler, and whether trials are stopped."""
    name = SAMPLERS[search.sampler.key].label
    if search.sampler.values:
        settings = ", ".join(f"{k} {number(v)}" for k, v in search.sampler.values.items())
        name = f"{name} ({settings})"
    if search.halving is None:
        return name
    return _("{sampler} + halving by {factor} from {first}").format(
        sampler=name, factor=search.halving.factor, first=search.halving.first
    )


def best_table(state: SearchState, ranking) -> Table:
    """The first trials of a ranking in numbers."""
    columns = (
        "",
        Column(_("validation"), 3, percent=True),
        Column(_("training"), 3, percent=True),
        *(Column(f"{_(a.declared.title)} {a.declared.symbol}", 3) for a in state.search.space.axes),
        _("trial"),
        _("iterations"),
        _("status"),
    )
    statuses, values, rows = state.statuses, state.values, []
    for place, t in enumerate(ranking[:LISTED], 1):
        name = _("Best-{place}").format(place=place)
        accuracies = state.scores[t], state.accuracy[t, state.last[t], 0]
        status = _(STATUSES[statuses[t]])
        rows.append([name, *accuracies, *values[t], int(t) + 1, int(state.iterations[t]), status])
    return Table(_("The best trials"), columns, rows)


def comparison(lines: list[tuple[str, SearchState, Style]]) -> Table:
    """Searches side by side."""
    columns = (
        "",
        Column(_("best validation"), 3, percent=True),
        _("trials"),
        Column(_("work, in whole trainings"), 3),
        _("different values of each"),
    )
    rows = []
    for name, state, _look in lines:
        best = state.scores[state.winner.trial] if state.winner else None
        work = state.iterations.sum() / state.search.iterations
        different = " / ".join(map(str, different_values(state.points)))
        rows.append([name, best, int(state.ended.sum()), work, different])
    return Table(_("Searches side by side"), columns, rows, [style for *_rest, style in lines])


def different_values(points) -> list[int]:
    """How many values of each hyperparameter were tried."""
    return [len(np.unique(column.round(9))) for column in points.T]


def correlations(state: SearchState) -> str:
    """Which hyperparameters the accuracy is correlated with."""
    ended, axes = np.flatnonzero(state.ended), state.search.space.axes
    if len(ended) < 4:
        return ""
    values = [
        f"{_(axis.declared.title)} {number(correlation(state, i), 2)}"
        for i, axis in enumerate(axes)
    ]
    counts = [
        _("{n} of the {hyperparameter}").format(n=n, hyperparameter=_(axis.declared.title))
        for n, axis in zip(different_values(state.points[ended]), axes, strict=True)
    ]
    return _(
        "**Rank correlation of accuracy with each hyperparameter**: {correlations}. 1: larger is "
        "better; −1: smaller is better; 0: it does not matter, or the best value lies in between. "
        "The {n} trials had this many different values: {counts}."
    ).format(correlations=", ".join(values), n=len(ended), counts=", ".join(counts))


def correlation(state: SearchState, i: int) -> float:
    """The rank correlation of the ended trials' standing with hyperparameter i."""
    ended = state.ended
    return rank_correlation(state.standing[ended], state.points[ended, i])


def border_warning(state: SearchState, i: int, upper: bool) -> str:
    """That a better value may lie outside, or that it may be chance."""
    axis, value = state.search.space.axes[i], state.values[state.winner.trial, i]
    if abs(correlation(state, i)) >= WEAK:
        message = _(
            "**The best value is at the edge of its range**: {hyperparameter} {value}, where the "
            "range ends at {end}. Values beyond it have not been tried and may be better."
        )
    else:
        message = _(
            "**The best value is at the edge of its range**: {hyperparameter} {value}, where the "
            "range ends at {end}. The accuracy hardly depends on this hyperparameter here, so "
            "this may be chance."
        )
    end = number(10 ** (axis.high if upper else axis.low), 3)
    return message.format(hyperparameter=_(axis.declared.title), value=number(value, 3), end=end)


def widen(low: float, high: float) -> str:
    """The label of the button that widens a range."""
    ends = [
        "10" + f"{power:g}".translate(str.maketrans("-.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹"))
        for power in (low, high)
    ]
    return _("Widen it to {low} … {high} and search").format(low=ends[0], high=ends[1])


def saved(state: SearchState) -> str:
    """The iterations spent, and those that training all to the end would have taken."""
    full, spent = len(state.points) * state.search.iterations, int(state.iterations.sum())
    if state.done:
        message = _(
            "**Halving** stopped {stopped} of {n} trials: {spent:,} iterations instead of "
            "{whole:,}, {saved} saved. The loss on the validation set decided at each rung. A "
            "trial that starts slowly but would have won in the end is lost."
        )
    else:
        message = _(
            "**Halving** stopped {stopped} of {n} trials: {spent:,} iterations instead of "
            "{whole:,} so far. The loss on the validation set decides at each rung. A trial that "
            "starts slowly but would have won in the end is lost."
        )
    return message.format(
        stopped=int(state.stopped.sum()),
        n=len(state.points),
        spent=spent,
        whole=full,
        saved=percentage(1 - spent / full, 0),
    )


def filter_summary(search: Search, mask: np.ndarray) -> str:
    """Which trials are shown."""
    parts = []
    for r in search.shown:
        score = r.key == SCORE
        title = _("validation accuracy") if score else _(RANGES[r.key].title)
        low, high = (percentage(v) if score else number(10**v, 2) for v in (r.low, r.high))
        parts.append(_("{title} {low} to {high}").format(title=title, low=low, high=high))
    return _("**{shown} of {n} trials are shown**: {filters}.").format(
        shown=int(mask.sum()), n=len(mask), filters=", ".join(parts)
    )


def importance_table(state: SearchState) -> Table:
    """How much each hyperparameter matters."""
    columns = ("", Column(_("alone"), 2, percent=True), Column(_("in all"), 2, percent=True))
    titles, importance = [_(a.declared.title) for a in state.search.space.axes], state.importance
    rows = list(zip(titles, importance.first_order, importance.total, strict=True))
    return Table(_("Share of the variance of the accuracy"), columns, rows)


def importance_defined(state: SearchState) -> str:
    """What importance is."""
    importance = state.importance
    return _(
        "Functional analysis of variance (Hutter, Hoos & Leyton-Brown 2014): a Gaussian process "
        "(Matérn 5/2) is fitted to the {n} trials that were trained to the end, including those "
        "that the filter hides. The variance is that of its mean over the searched ranges, "
        "uniform on their logarithmic axes. “Alone” is the share of this variance that remains "
        "after averaging over all other hyperparameters; “in all” is the share that remains, on "
        "average, when all others are held fixed. Predicting each trial from the others explains "
        "{foreseen} of the variance of the accuracy. Other ranges give other importances."
    ).format(n=importance.n, foreseen=percentage(importance.q_squared))


def not_readable(state: SearchState) -> str:
    """Why the importance cannot be read."""
    importance = state.importance
    if importance.n < (needed := ENOUGH * (len(importance.first_order) + 1)):
        return _(
            "**Not readable**: {n} trials were trained to the end, but {least} are needed to fit "
            "a surrogate over {d} hyperparameters. Search with more trials, or without halving."
        ).format(n=importance.n, least=needed, d=len(importance.first_order))
    return _(
        "**Not readable**: when the surrogate predicts each trial from the others, it explains "
        "{foreseen} of the variance of the accuracy, but {least} is needed. Search with more "
        "trials, or train longer."
    ).format(foreseen=percentage(max(importance.q_squared, 0)), least=percentage(READABLE))


def together(n: int, accuracy: float) -> str:
    """How good the best trials are as an ensemble."""
    return _(
        "**The {n} best trials as an ensemble** that averages their probabilities: {accuracy} of "
        "the test set. They differ in hyperparameters, but share initial weights and mini-batches."
    ).format(n=n, accuracy=percentage(accuracy))


def verdict(state: SearchState, test: float, rows: int, tried: int) -> str:
    """How good the winner is on the test data, and why that number differs."""
    n, best = state.search.validation, state.scores[state.winner.trial]
    return _(
        "**On the test set: {test}** of {rows:,} examples. The same network had {best} on the {n} "
        "validation examples by which it was chosen among {trials}: the best of many is partly "
        "the luckiest, and the standard error of {n} examples is ±{error}%. If the test set had "
        "selected the trial, this accuracy would be biased too."
    ).format(
        test=percentage(test),
        rows=rows,
        best=percentage(best),
        n=n,
        trials=tried,
        error=number(100 * (best * (1 - best) / n) ** 0.5, 2),
    )


def notes(context) -> Caption:
    """How it was done."""
    search = context.spec
    sampler = SAMPLERS[search.sampler.key]
    return Caption(
        _(
            "{sampler}: {sentence} {cite}. All trials start from the same weights and train on "
            "the same mini-batches; they differ only in the searched hyperparameters. {rows} "
            "examples are for training, {validation} others for validation, and the rest for the "
            "test, which runs only when you click its button. Data: {attribution}"
        ).format(
            sampler=sampler.label,
            sentence=sentence(sampler),
            cite=sampler.cite,
            rows=search.split.rows,
            validation=search.validation,
            attribution=context.attribution,
        )
    )
