"""The fair race: who ranks where as they are set, and once each has tuned its rate."""

import numpy as np

from optviz.experiments.page import Caption, Context
from optviz.experiments.sensitivity import figures, run
from optviz.experiments.sensitivity.spec import Sensitivity
from optviz.experiments.trajectories.run import noise_of
from optviz.optim.base import setting
from optviz.optim.sensitivity import Entry, enter, ranks
from optviz.plot import Axis, Column, Figure, Line, Table, Theme, categories, method_styles, number
from optviz.translation import _
from optviz.ui.cache import cached

APART = 0.16  # of the two ranks of one optimizer from the middle
SYMBOLS = ("circle-open", "circle")  # as it is set, and tuned


@cached
def run_race(spec: Sensitivity) -> list[Entry]:
    """The entry of every optimizer; each start has a seed of the noise of its own."""
    objective, n = spec.objective, spec.starts
    places = np.random.default_rng(objective.seed).uniform(
        *np.transpose(objective.f.domain), (20 * n, 2)
    )
    with np.errstate(all="ignore"):
        places = places[np.isfinite(objective.f.value(places))][:n]
    if not len(places):
        return []
    seeds = objective.seed + np.arange(len(places))
    return [
        enter(
            objective.f,
            config.build(),
            places,
            objective.steps,
            spec.trials,
            noise_of(objective),
            config.built_schedules() or None,
            seeds,
        )
        for config in spec.optimizers
    ]


def standings(spec: Sensitivity, entries) -> np.ndarray:
    """The ranks `(2, racers, starts)`, as they are set and tuned; tiny gaps are equal."""
    floor = run.floor(spec.objective)
    both = np.array([[e.untuned for e in entries], [e.tuned for e in entries]])
    return np.array([ranks(np.maximum(values - floor, figures.TINY)) for values in both])


def figure(spec: Sensitivity, theme: Theme, entries) -> Figure:
    """Each optimizer's mean rank as it is set, and beside it tuned, with what eight of ten span."""
    marks, styles = [], method_styles(spec.optimizers, theme)
    found = standings(spec, entries) if entries else np.empty((2, 0, 0))
    means = found.mean(-1)
    ends = np.quantile(found, [0.1, 0.9], -1) if entries else ()
    for i, (name, look) in enumerate(zip(spec.names[: len(entries)], styles, strict=False)):
        said = (_("{name} as set: mean rank {y:.3g}"), _("{name} tuned: mean rank {y:.3g}"))
        said = [s.format(name=name, y=y) for s, y in zip(said, means[:, i], strict=True)]
        both = Line(
            [i - APART, i + APART],
            means[:, i],
            look,
            name=name,
            uid=f"r{i}",
            hover=said,
            markers=True,
            symbols=SYMBOLS,
            size=12,
            ends=(ends[0][:, i], ends[1][:, i]),
        )
        marks.append(both)
    label = _("Mean ranks of {names}, as set and tuned. The table shows the same data.")
    y = Axis(_("rank, 1 is best"), limits=(len(spec.names) + 0.3, 0.7), ticks=len(spec.names))
    return Figure(
        marks,
        categories(spec.names),
        y,
        label=label.format(names=", ".join(spec.names)),
        height=figures.HEIGHT,
        hover="closest",
        show_legend=False,
    )


def table(spec: Sensitivity, entries, theme: Theme) -> Table:
    """Ranks, losses and rates as they are set and tuned, and what both cost."""
    columns = (
        "",
        Column(_("rank as set"), 3),
        Column(_("±"), 3),
        Column(_("rank tuned"), 3),
        Column(_("±"), 3),
        Column(_("loss as set"), 3),
        Column(_("loss tuned"), 3),
        Column(_("rate as set"), 3),
        Column(_("rate tuned"), 3),
        Column(_("evaluations: run"), 4),
        Column(_("tuning"), 9),
    )
    found, floor, rows = standings(spec, entries), run.floor(spec.objective), []
    for i, (name, config, e) in enumerate(zip(spec.names, spec.optimizers, entries, strict=True)):
        place = [v for k in (0, 1) for v in (found[k, i].mean(), found[k, i].std())]
        # a run that has diverged is worse than any other
        gaps = (np.where(np.isnan(v), np.inf, v - floor) for v in (e.untuned, e.tuned))
        losses, current = map(np.median, gaps), setting(config.build(), "lr")
        rows.append([name, *place, *losses, current, e.rate, np.median(e.spent), e.tuning])
    title = _("Ranks over {n} starts with {budget} evaluations each")
    n = len(entries[0].spent)
    title = title.format(n=n, budget=spec.objective.steps)
    return Table(title, columns, rows, method_styles(spec.optimizers, theme))


def verdict(spec: Sensitivity, entries) -> str:
    """Who leads before and after, and how much of the work was tuning."""
    means = standings(spec, entries).mean(-1)
    first = means.argmin(-1)
    message = (
        _(
            "**{a} leads both as set and tuned**: its mean rank goes from {r} to {s}. Tuning took "
            "{share} times as many evaluations as the comparison itself."
        )
        if first[0] == first[1]
        else _(
            "**{a} leads as set, with mean rank {r}; {b} leads once all are tuned, with mean rank "
            "{s}.** Tuning took {share} times as many evaluations as the comparison itself."
        )
    )
    cost = sum(e.tuning for e in entries) / max(sum(e.spent.sum() for e in entries), 1)
    a, b = (spec.names[i] for i in first)
    r, s = (number(means[k, i], 3) for k, i in enumerate(first))
    return message.format(a=a, b=b, r=r, s=s, share=number(cost, 3))


def results(context: Context) -> list:
    """The picture, the sentence and the table."""
    spec, theme = context.spec, context.theme
    if not (entries := run_race(spec)):
        return [_("The function is not defined at any start in the picture.")]
    return [figure(spec, theme, entries), verdict(spec, entries), table(spec, entries, theme)]


def notes(context: Context) -> Caption:
    """How the race is run."""
    return Caption(
        _(
            "All optimizers start from the same random points, each with its own noise seed. A "
            "run ends when it has used as many evaluations as there are steps; gradients, values "
            "and Hessians count as one each. Tuning: every optimizer tries the same number of "
            "rates with that budget, and the lowest mean loss over all starts wins. Hollow: as "
            "set; filled: tuned; bars span eight of ten starts, ± is the standard deviation, and "
            "the loss is the median above the minimum. The optimizers as set are ranked among "
            "themselves, and so are the tuned ones. (Wen et al. 2025, arXiv 2509.02046.)"
        )
    )
