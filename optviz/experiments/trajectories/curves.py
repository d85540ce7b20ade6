"""Loss and its companions over steps or evaluations, one panel each, on a shared x axis."""

import numpy as np

from optviz.experiments.trajectories.spec import distance, gap
from optviz.plot.style import packed

METRICS = {
    "loss": "loss f",
    "gradient": "gradient norm ‖∇f‖",
    "distance": "distance to nearest minimum",
    "length": "path length",
}
SHORT = {"loss": "loss", "gradient": "‖∇f‖", "distance": "distance", "length": "length"}
MARKS = 10  # at most so many points of a curve carry a mark
ALONG = {
    "steps": "step",
    "gradients": "gradient evaluations",
    "evaluations": "evaluations (f, ∇f and ∇²f)",
}


def series(metric: str, run, known) -> np.ndarray:
    """One metric of a run at every step, `(steps+1,)`."""
    match metric:
        case "loss":
            return run.values
        case "gradient":
            return np.sqrt((run.true_gradients**2).sum(-1))
        case "distance":
            return distance(run.points, known)
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


def curves(tracks, known, metrics=("loss",), axis: str = "steps", log: bool = True) -> dict:
    """Panels from top to bottom, one for each metric.

    `tracks` is a list of `(id, name, Run, Style)`. On a log scale the loss is drawn as the height
    above the least known minimum where there is one, so that it can fall for ever; where none is known
    and the loss is negative somewhere, its scale is linear.
    """
    data, layout = (
        [],
        _layout(metrics, axis, max([1, *(int(along(axis, run).max()) for _, _, run, _ in tracks)])),
    )
    for row, metric in enumerate(metrics):
        y_axis = f"y{row + 1 if row else ''}"
        above = metric == "loss" and log and len(known) > 0
        title = "loss above the minimum" if above and _floor(tracks, known) else METRICS[metric]
        ys = [
            gap(r.function, r.values, known) if above else series(metric, r, known)
            for _, _, r, _ in tracks
        ]
        logged = log and metric != "length" and (above or not any((y < 0).any() for y in ys))
        scale = _scale(ys, logged, len(metrics))
        short = len(metrics) > 2
        for (id, name, run, look), y in zip(tracks, ys, strict=True):
            x, true, y = along(axis, run), y, _drawn(y, scale)
            common = {
                "type": "scatter",
                "name": name,
                "legendgroup": id,
                "showlegend": False,
                "yaxis": y_axis,
            }
            finite = np.flatnonzero(np.isfinite(y))
            head = finite[-1] if len(finite) else 0
            some = [k for k in range(row % 2, len(y), -(-len(y) // MARKS)) if k < head] + [head]
            data += [
                {
                    **common, "mode": "lines", "uid": f"{id}{metric}", "x": packed(x), "y": packed(y),
                    "customdata": packed(true), "hovertemplate": "%{fullData.name}: %{customdata:.4g}<extra></extra>",
                    "line": {"color": look.color, "dash": look.dash, "width": 2, "simplify": False}, "meta": {"trail": True},
                },
                {
                    **common, "mode": "markers", "uid": f"{id}{metric}m", "x": packed(x[some]), "y": packed(y[some]),
                    "hoverinfo": "skip", "customdata": packed(some), "meta": {"of": f"{id}{metric}", "head": len(some) - 1},
                    "marker": {"symbol": look.marker, "size": [6] * (len(some) - 1) + [10], "color": look.color},
                },
            ]  # fmt: skip
        layout[f"yaxis{row + 1 if row else ''}"] |= scale | {
            "title": {"text": SHORT[metric] if short else title, "standoff": 4}
        }
    return {"data": data, "layout": layout}


def _drawn(y, scale):
    """A curve as it is drawn: along the lower edge of a log scale where it is below it or zero, and off a
    linear one no farther than a browser can count."""
    low, high = scale["range"]
    if scale["type"] == "log":
        return np.maximum(y, 10.0**low)
    far = 1e4 * (high - low)
    return np.clip(y, low - far, high + far)


def _floor(tracks, known):
    """Whether the least minimum lies elsewhere than at zero, so that the axis must say what it measures."""
    return bool(tracks) and abs(float(tracks[0][2].function.value(known).min())) > 1e-12


def _scale(ys, logged, panels):
    """The range of one axis, in round numbers so that it stands still while a hyperparameter is dragged.

    It shows what is finite, at most 20 orders of magnitude, and one runaway does not crush the rest.
    """
    finite = [y[np.isfinite(y)] for y in ys]
    finite = [y[y > 0] if logged else y for y in finite]
    finite = [y for y in finite if y.size]
    if not finite:
        return {"type": "linear", "range": [0, 1]}
    start = max(y[0] for y in finite)
    if logged:
        top = np.ceil(np.log10(min(max(y.max() for y in finite), start * 1e4)) + 0.02)
        low = max(np.floor(np.log10(min(y.min() for y in finite)) - 0.02), top - 20)
        return {
            "type": "log",
            "range": [float(low), float(top)],
            "exponentformat": "power",
            "dtick": -(-(top - low) // max(2, 8 // panels)),
        }
    spans = sorted(float(np.ptp(y)) for y in finite)
    most = 10 * spans[(len(spans) - 1) // 2] or spans[-1] or 1.0
    top = min(max(y.max() for y in finite), start + most)
    low = max(min(y.min() for y in finite), start - most)
    unit = 10.0 ** np.floor(np.log10(max(top - low, 1e-300))) / 2
    edge = np.floor(low / unit - 0.1) * unit
    low, top = max(edge, 0.0) if low >= 0 else edge, np.ceil(top / unit + 0.1) * unit
    return {"type": "linear", "range": [float(low), float(top)], "exponentformat": "power"}


def _layout(metrics, axis, most):
    n, space = len(metrics), 0.06
    height = (1 - space * (n - 1)) / n
    layout = {
        "margin": {"l": 62, "r": 12, "t": 12, "b": 40}, "hovermode": "x", "dragmode": "pan",
        "xaxis": {
            "title": {"text": ALONG[axis], "standoff": 4}, "anchor": f"y{n if n > 1 else ''}", "zeroline": False,
            "range": [0, most], "rangemode": "tozero",
        },
    }  # fmt: skip
    for row in range(n):
        top = 1 - row * (height + space)
        layout[f"yaxis{row + 1 if row else ''}"] = {
            "domain": [max(top - height, 0), top],
            "zeroline": False,
        }
    return layout
