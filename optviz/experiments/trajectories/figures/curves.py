"""Loss and its companions over steps or evaluations, one panel each, on a shared x axis."""

import numpy as np

from optviz.experiments.trajectories.spec import ALONG, METRICS
from optviz.experiments.trajectories.words import said
from optviz.optim.base import find
from optviz.optim.run import named_schedules
from optviz.plot import Axis, Figure, Panel, stack, trail
from optviz.plot.equations import unicode_symbol
from optviz.translation import N_, _

SHORT = {"loss": N_("loss"), "gradient": "‖∇f‖", "distance": N_("distance"), "length": N_("length")}
MAX_DECADES, MAX_TICKS = 20, 8
SMALL = 0.35  # height of the schedules, in that of a metric
FAR = 1e4  # heights of the picture: farther off nothing is drawn


def series(metric: str, run, known) -> np.ndarray:
    """One metric of a run at every step, `(steps+1,)`."""
    match metric:
        case "loss":
            return run.heights
        case "gradient":
            return np.sqrt((run.true_gradients**2).sum(-1))
        case "distance":
            return known.distance(run.points)
        case "length":
            return run.lengths
    raise KeyError(metric)


def along(axis: str, run) -> np.ndarray:
    """What the x axis counts, at every step, `(steps+1,)`."""
    match axis:
        case "steps":
            return np.arange(len(run.values))
        case "gradients":
            return run.work[:, 0]
        case "evaluations":
            return run.work.sum(1)
    raise KeyError(axis)


def curves(
    tracks,
    known,
    metrics=("loss",),
    axis: str = "steps",
    log: bool = True,
    named: bool = False,
    only: set[str] | None = None,
    **figure,
) -> Figure:
    """Panels from top to bottom, one for each metric, of tracks with an id, a name, run and style;
    below them one for each hyperparameter that has a schedule, over time.

    On a log scale the loss is drawn as the height above the least known minimum where there is one,
    so that it can fall for ever, and not at all below it; where none is known, or the start is
    below it, and the loss is negative somewhere, its scale is linear. `named`: with a legend.
    `only` some may be drawn, on axes for all.
    """
    most = max([1, *(int(along(axis, track.run).max()) for track in tracks)])
    extra = {"rangemode": "tozero"}
    x = Axis(_(ALONG[axis]), limits=(0, most), extra=extra)
    panels, sign = [], tracks[0].run.function.sign if tracks else 1
    floor = len(known) > 0 and not any(np.isnan(_above(t.run.values, known)[0]) for t in tracks)
    for row, metric in enumerate(metrics):
        above = metric == "loss" and log and floor
        title = (
            said(N_("loss above the minimum"), sign)
            if above and abs(known.floor) > 1e-12
            else said(METRICS[metric], sign)
        )
        runs = [track.run for track in tracks]
        ys = [_above(r.values, known) if above else series(metric, r, known) for r in runs]
        logged = log and metric != "length" and (above or not any((y < 0).any() for y in ys))
        y_axis = _scale(
            ys, logged, len(metrics), said(SHORT[metric], sign) if len(metrics) > 2 else title
        )
        marks = [
            mark
            for track, y in zip(tracks, ys, strict=True)
            if only is None or track.id in only
            for mark in trail(
                along(axis, track.run),
                _drawn(y, y_axis),
                track.style,
                uid=f"{track.id}{metric}",
                name=track.name,
                group=track.id,
                begin=row % 2,
                legend=None if named and not row else False,
                width=2,
                values=y,
                hover="{name}: {value:.4g}",
            )
        ]
        panels.append(Panel(marks, x, y_axis))
    if scheduled := _schedules(tracks, axis, x, only):
        panels += scheduled
        figure["heights"] = [*[1] * len(metrics), *[SMALL] * len(scheduled)]
    legend = {"legend": "top", "show_legend": True} if named else {"legend": ""}
    return stack(panels, **legend, margin={"t": 30 if named else 12, "b": 40}, **figure)


def _schedules(tracks, axis, x, only):
    """A panel for each hyperparameter that somebody has scheduled."""
    symbols = {
        name: unicode_symbol(find(opt, name).symbol)
        for track in tracks
        for _, opt, schedule in track.run.segments
        for name, _factor in named_schedules(opt, schedule)
    }
    return [_schedule(tracks, axis, x, only, *named) for named in symbols.items()]


def _schedule(tracks, axis, x, only, name, symbol):
    found = [(track, track.run.scheduled(name)) for track in tracks]
    found = [(track, values) for track, values in found if np.isfinite(values).any()]
    marks = [
        mark
        for track, values in found
        if only is None or track.id in only
        for mark in trail(
            *(along(axis, track.run), values, track.style),
            uid=f"{track.id}-{name}",
            name=track.name,
            group=track.id,
            legend=False,
            width=2,
            hover=f"{{name}}: {symbol} = {{y:.4g}}",
        )
    ]
    return Panel(marks, x, _scale([values for _, values in found], False, 3, f"{symbol}(t)"))


def _above(values, known):
    """The height above the least minimum, NaN below it: that is no way to be near."""
    gap = known.gap(values)
    return np.where(gap < -1e-9 * known.spread, np.nan, gap)


def _drawn(y, axis):
    """A curve as it is drawn: along the lower edge of a log scale where it is below it or zero, and
    off a linear one no farther than a browser can count."""
    low, high = axis.limits
    if axis.log:
        return np.maximum(y, low)
    far = FAR * (high - low)
    return np.clip(y, low - far, high + far)


def _scale(ys, logged, panels, title):
    """One axis, in round numbers so that it stands still while a slider is dragged.

    It shows what is finite, at most MAX_DECADES, and one runaway does not crush the rest.
    """
    finite = [y[np.isfinite(y)] for y in ys]
    finite = [y[y > 0] if logged else y for y in finite]
    finite = [y for y in finite if y.size]
    common = {"title": title, "standoff": 4}
    if not finite:
        return Axis(limits=(0, 1), **common)
    start = max(y[0] for y in finite)
    if logged:
        top = np.ceil(np.log10(min(max(y.max() for y in finite), start * 1e4)) + 0.02)
        top = min(top, 308.0)  # no number is larger
        low = np.floor(np.log10(min(y.min() for y in finite)) - 0.02)
        low = max(low, top - MAX_DECADES)
        step = -(-(top - low) // max(2, MAX_TICKS // panels))
        own = {"step": step} if step > 1 else {}  # or what fits a decade or two
        return Axis(limits=(10.0**low, 10.0**top), log=True, **own, **common)
    spans = sorted(float(np.ptp(y)) for y in finite)
    most = 10 * spans[(len(spans) - 1) // 2] or spans[-1] or 1.0
    top = min(max(y.max() for y in finite), start + most)
    low = max(min(y.min() for y in finite), start - most)
    unit = 10.0 ** np.floor(np.log10(max(top - low, 1e-300))) / 2
    edge = np.floor(low / unit - 0.1) * unit
    low, top = max(edge, 0.0) if low >= 0 else edge, np.ceil(top / unit + 0.1) * unit
    return Axis(limits=(float(low), float(top)), powers=True, **common)
