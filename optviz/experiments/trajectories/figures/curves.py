"""Loss and its companions over steps or evaluations, one panel each, on a shared x axis."""

import numpy as np

from optviz.experiments.trajectories.spec import ALONG, METRICS, Scene
from optviz.experiments.trajectories.wording import for_sign
from optviz.optim.base import find
from optviz.optim.minima import minima_of
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


def along(axis: str, run) -> np.ndarray:
    """What the x axis counts, at every step, `(steps+1,)`."""
    match axis:
        case "steps":
            return np.arange(len(run.values))
        case "gradients":
            return run.work[:, 0]
        case "evaluations":
            return run.work.sum(1)


def curves(scene: Scene, tracks, only: set[str] | None = None) -> Figure:
    """Panels from top to bottom, one for each metric, of a scene's `Track`s; below them one for
    each hyperparameter that has a schedule, over time.

    On a log scale the loss is drawn as the height above the lowest known minimum, so that it can
    fall forever, and not at all below it; if none is known or the start is below it, and the loss
    is negative somewhere, its scale is linear. With `only`, some optimizers are drawn, on axes for
    all.
    """
    view, f = scene.view, scene.objective.f
    only_curves, metrics, known = view.shown == "curves", view.metrics, minima_of(f)
    xs = {track.id: along(view.along, track.run) for track in tracks}
    limits = (0, max([1, *(int(x.max()) for x in xs.values())]))
    x_axis = Axis(_(ALONG[view.along]), limits=limits, extra={"rangemode": "tozero"})
    floor = len(known) > 0 and not any(np.isnan(_above(t.run.values, known)[0]) for t in tracks)

    drawn = [track for track in tracks if only is None or track.id in only]

    def curve(track, y, uid, **options):
        labels = {"name": track.name, "group": track.id, "width": 2}
        return trail(xs[track.id], y, track.style, uid=track.id + uid, **labels, **options)

    panels = []
    for row, metric in enumerate(metrics):
        above = metric == "loss" and view.log and floor
        from_floor = above and abs(known.floor) > 1e-12
        title = N_("loss above the minimum") if from_floor else METRICS[metric]
        title = for_sign(SHORT[metric] if len(metrics) > 2 else title, f.sign)
        ys = {
            t.id: _above(t.run.values, known) if above else series(metric, t.run, known)
            for t in tracks
        }
        positive = above or not any((y < 0).any() for y in ys.values())
        logged = view.log and metric != "length" and positive
        y_axis = _y_axis(ys.values(), logged, len(metrics), title)
        options = {"begin": row % 2, "legend": None if only_curves and not row else False}
        marks = []
        for t in drawn:
            y, hover = ys[t.id], "{name}: {value:.4g}"
            marks += curve(t, _clip_to_axis(y, y_axis), metric, values=y, hover=hover, **options)
        panels.append(Panel(marks, x_axis, y_axis))
    for name, symbol in _scheduled(tracks).items():
        ys = {track.id: track.run.scheduled_values(name) for track in tracks}
        ys = {key: y for key, y in ys.items() if np.isfinite(y).any()}
        marks = []
        for t in drawn:
            if t.id in ys:
                hover = f"{{name}}: {symbol} = {{y:.4g}}"
                marks += curve(t, ys[t.id], f"-{name}", legend=False, hover=hover)
        panels.append(Panel(marks, x_axis, _y_axis(ys.values(), False, 3, f"{symbol}(t)")))
    shown = ", ".join(for_sign(METRICS[metric], f.sign) for metric in metrics)
    label = _("{curves} over {along}. The table below shows the same data.")
    return stack(
        panels,
        heights=[1] * len(metrics) + [SMALL] * (len(panels) - len(metrics)),
        label=label.format(curves=shown, along=_(ALONG[view.along])),
        view=f"{scene.objective.landscape_key()} {metrics} {view.along} {view.log}",
        legend="top" if only_curves else "",
        show_legend=True if only_curves else None,
        margin={"t": 30 if only_curves else 12, "b": 40},
    )


def _scheduled(tracks):
    """The hyperparameters that have a schedule in any track, and their symbols."""
    return {
        name: unicode_symbol(find(opt, name).symbol)
        for track in tracks
        for _step, opt, schedule in track.run.segments
        for name, _factor in named_schedules(opt, schedule)
    }


def _above(values, known):
    """The height above the lowest minimum, NaN below it, since that is not near it."""
    gap = known.gap(values)
    return np.where(gap < -1e-9 * known.spread, np.nan, gap)


def _clip_to_axis(y, axis):
    """A curve as drawn: along the lower edge of a log scale where it is below it or zero, and no
    farther off a linear one than a browser can handle."""
    low, high = axis.limits
    if axis.log:
        return np.maximum(y, low)
    margin = FAR * (high - low)
    return np.clip(y, low - margin, high + margin)


def _y_axis(ys, logged, panels, title):
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
        steps = {"step": step} if step > 1 else {}  # or what fits a decade or two
        return Axis(limits=(10.0**low, 10.0**top), log=True, **steps, **common)
    spans = sorted(float(np.ptp(y)) for y in finite)
    max_span = 10 * spans[(len(spans) - 1) // 2] or spans[-1] or 1.0
    top = min(max(y.max() for y in finite), start + max_span)
    low = max(min(y.min() for y in finite), start - max_span)
    unit = 10.0 ** np.floor(np.log10(max(top - low, 1e-300))) / 2
    edge = np.floor(low / unit - 0.1) * unit
    low, top = max(edge, 0.0) if low >= 0 else edge, np.ceil(top / unit + 0.1) * unit
    return Axis(limits=(float(low), float(top)), powers=True, **common)
