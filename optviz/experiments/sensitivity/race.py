"""The fair race: the ranks of all optimizers as set, and once each has tuned its rate."""

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
    """The entry of every optimizer; each start has its own noise seed."""
    objective, n = spec.objective, spec.starts
    points = np.random.default_rng(objective.seed).uniform(
        *np.transpose(objective.f.domain), (20 * n, 2)
    )
    with np.errstate(all="ignore"):
        points = points[np.isfinite(objective.f.value(points))][:n]
    if not len(points):
        return []
    seeds = objective.seed + np.arange(len(points))
    return [
        enter(
            objective.f,
            config.build(),
            points,
            objective.steps,
            spec.trials,
            noise_of(objective),
            config.built_schedules() or None,
            seeds,
        )
        for config in spec.optimizers
    ]


def standings(spec: Sensitivity, entries) -> np.ndarray:
    """The ranks `(2, optimizers, starts)`, as set and tuned; tiny gaps count as equal."""
    floor = run.floor(spec.objective)
    results = np.array([[e.untuned for e in entries], [e.tuned for e in entries]])
    return np.array([ranks(np.maximum(values - floor, figures.TINY)) for values in results])


def figure(spec: Sensitivity, theme: Theme, entries) -> Figure:
    """Each optimizer's mean rank as set and as tuned, with the span of eight of ten starts."""
    marks, styles = [], method_styles(spec.optimizers, theme)
    rankings = standings(spec, entries) if entries else np.empty((2, 0, 0))
    means = rankings.mean(-1)
    ends = np.quantile(rankings, [0.1, 0.9], -1) if entries else ()
    for i, (name, line_style) in enumerate(zip(spec.names[: len(entries)], styles, strict=False)):
        texts = (_("{name} as set: mean rank {y:.3g}"), _("{name} tuned: mean rank {y:.3g}"))
        texts = [s.format(name=name, y=y) for s, y in zip(texts, means[:, i], strict=True)]
        line = Line(
            [i - APART, i + APART],
            means[:, i],
            line_style,
            name=name,
            uid=f"r{i}",
            hover=texts,
            markers=True,
            symbols=SYMBOLS,
            size=12,
            ends=(ends[0][:, i], ends[1][:, i]),
        )
        marks.append(line)
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
    """Ranks, losses and rates as set and as tuned, and what both cost."""
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
    rankings, floor, rows = standings(spec, entries), run.floor(spec.objective), []
    for i, (name, config, e) in enumerate(zip(spec.names, spec.optimizers, entries, strict=True)):
        ranking = [v for k in (0, 1) for v in (rankings[k, i].mean(), rankings[k, i].std())]
        # a run that has diverged is worse than any other
        gaps = (np.where(np.isnan(v), np.inf, v - floor) for v in (e.untuned, e.tuned))
        losses, current = map(np.median, gaps), setting(config.build(), "lr")
        rows.append([name, *ranking, *losses, current, e.rate, np.median(e.spent), e.tuning])
    title = _("Ranks over {n} starts with {budget} evaluations each")
    n = len(entries[0].spent)
    title = title.format(n=n, budget=spec.objective.steps)
    return Table(title, columns, rows, method_styles(spec.optimizers, theme))


def verdict(spec: Sensitivity, entries) -> str:
    """Who leads before and after tuning, and how much of the work tuning was."""
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
