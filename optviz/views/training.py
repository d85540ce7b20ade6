"""Curves of trainings: loss and accuracy over iterations or seconds, as median and band over the seeds."""

import warnings

import numpy as np

from optviz.core.training import Progress, smoothed
from optviz.views.style import Style, number, packed

ALONG = {"iterations": "iteration", "seconds": "seconds of computing"}
DRAWN = 800  # points of a curve at most: finer than that no screen shows


def over_seeds(values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median, least and largest over the last axis; NaN where every seed has ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN
        return np.nanmedian(values, -1), np.nanmin(values, -1), np.nanmax(values, -1)


def losses(lines, iterations: int, smooth: bool = True, log: bool = False, along: str = "iterations") -> dict:
    """The loss of every mini-batch. `lines` are `(id, name, Progress, index of the initialiser, Style)`.

    Smoothed as the book does it, with the raw loss faint behind; of several seeds the median, and a band
    from the least to the largest.
    """
    data, top, right = [], 0.0, 1e-3
    for id, name, now, i, look in lines:
        raw = now.loss[:, i]
        if not len(raw):
            continue
        x = np.arange(1, len(raw) + 1.0) if along == "iterations" else now.seconds
        right = max(right, float(x[-1]))
        middle, low, high = over_seeds(smoothed(raw) if smooth else raw)
        some = _some(len(raw))
        if raw.shape[-1] > 1:
            data.append(_band(id, name, x[some], low[some], high[some], look))
        elif smooth:
            data.append(_line(f"{id}r", name, "", x[some], raw[some, 0], look, 1, 0.3))
        data.append(_line(id, name, name, x[some], middle[some], look, 2.4, 1.0))
        data.append(_marks(id, name, x, middle, look))
        if np.isfinite(middle).any():
            top = max(top, float(np.nanmax(middle[: max(len(middle) // 20, 1)])))
    axis = {"type": "log", "exponentformat": "power", "title": {"text": "loss"}} if log else {
        "type": "linear", "range": [0, _round_up(min(top, 10.0)) if top else 2.5], "title": {"text": "loss"},
    }  # fmt: skip
    return {"data": data, "layout": _layout(axis, along, iterations if along == "iterations" else 1.05 * right)}


def accuracies(lines, iterations: int, along: str = "iterations") -> dict:
    """Accuracy on rows that the network has not seen (solid in its look) and on training rows (faint)."""
    data, right = [], 1e-3
    for id, name, now, i, look in lines:
        if not len(now.assessed):
            continue
        x = now.assessed.astype(float)
        if along == "seconds":
            x = np.concatenate([[0.0], now.seconds])[now.assessed]
        right = max(right, float(x[-1]))
        for k, part in ((1, "test"), (0, "training")):
            middle, low, high = over_seeds(now.accuracy[:, k, i])
            if part == "test" and now.accuracy.shape[-1] > 1:
                data.append(_band(id, name, x, low, high, look))
            data.append(
                _line(
                    f"{id}{part}",
                    name,
                    f"{name}, {part}" if k else "",
                    x,
                    middle,
                    look,
                    2.4 if k else 1.2,
                    1.0 if k else 0.45,
                )
            )
        data.append(_marks(f"{id}test", name, x, over_seeds(now.accuracy[:, 1, i])[0], look))
    axis = {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": "accuracy (faint: on training rows)"}}
    return {"data": data, "layout": _layout(axis, along, iterations if along == "iterations" else 1.05 * right)}


def _some(n):
    return np.unique(np.linspace(0, n - 1, min(n, DRAWN)).astype(int))


def _line(uid, name, told, x, y, look: Style, width, opacity):
    """A curve; one that tells nothing under the pointer is a faint companion without dashes and legend."""
    return {
        "type": "scatter", "mode": "lines", "uid": uid, "name": name, "legendgroup": name, "showlegend": bool(told),
        "x": packed(x), "y": packed(y), "opacity": opacity,
        "line": {"color": look.color, "dash": look.dash if told else "solid", "width": width, "simplify": False},
        **({"hovertemplate": f"{told}: %{{y:.4g}}<extra></extra>"} if told else {"hoverinfo": "skip"}),
    }  # fmt: skip


def _marks(uid, name, x, y, look):
    """A few marks of the racer's own shape, so that lines differ without colour and dashes."""
    finite = np.flatnonzero(np.isfinite(y))
    at = finite[np.unique(np.linspace(0, len(finite) - 1, 8).astype(int))] if len(finite) else finite
    return {
        "type": "scatter", "mode": "markers", "uid": f"{uid}m", "name": name, "legendgroup": name, "showlegend": False,
        "x": packed(x[at]), "y": packed(y[at]), "hoverinfo": "skip", "marker": {"symbol": look.marker, "size": 8, "color": look.color},
    }  # fmt: skip


def _band(uid, name, x, low, high, look):
    known = np.isfinite(low) & np.isfinite(high)
    x, low, high = x[known], low[known], high[known]
    return {
        "type": "scatter", "mode": "lines", "uid": f"{uid}b", "name": name, "legendgroup": name, "showlegend": False,
        "x": packed(np.concatenate([x, x[::-1]])), "y": packed(np.concatenate([high, low[::-1]])), "fill": "toself",
        "fillcolor": look.color, "opacity": 0.18, "line": {"width": 0}, "hoverinfo": "skip",
    }  # fmt: skip


def _layout(axis, along, right):
    return {
        "margin": {"l": 62, "r": 12, "t": 30, "b": 42}, "hovermode": "x", "dragmode": "pan",
        "xaxis": {"title": {"text": ALONG[along], "standoff": 4}, "range": [0, right], "zeroline": False},
        "yaxis": {"zeroline": False, **axis},
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
    }  # fmt: skip


def _round_up(value):
    unit = 10.0 ** np.floor(np.log10(value)) / 2
    return float(np.ceil(1.05 * value / unit) * unit)


def standing(name: str, now: Progress, i: int) -> list[str]:
    """One line of the table: loss of the last ten mini-batches, both accuracies, time, and what became of it."""
    lost = now.diverged_at[i]
    tail = now.loss[-10:, i]
    loss = over_seeds(tail.mean(0))[0] if len(tail) else np.nan
    learn, test = (over_seeds(now.accuracy[-1, k, i])[0] for k in (0, 1))
    seconds = now.seconds[-1] if len(now.seconds) else 0.0
    state = "done" if now.done else "under way" if now.iteration else "not begun"
    if (lost >= 0).any():
        many = f"{int((lost >= 0).sum())} of {len(lost)} seeds " if len(lost) > 1 else ""
        state = f"{many}diverged at iteration {int(lost[lost >= 0].min())}"
    return [
        name, f"{now.iteration}", number(loss, 3), number(100 * learn, 3) + " %", number(100 * test, 3) + " %",
        number(seconds, 3), state,
    ]  # fmt: skip


STANDING = ("", "iterations", "loss (last 10)", "training accuracy", "test accuracy", "seconds", "status")
