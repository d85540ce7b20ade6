"""Curves of trainings: loss and accuracy over iterations, epochs or seconds, as median and band over the seeds."""

import warnings
from html import escape
from typing import NamedTuple

import numpy as np

from optviz.plot.style import Style, number, packed
from optviz.training import Progress, smoothed

ALONG = {"iterations": "iteration", "epochs": "epoch", "seconds": "seconds of computing"}
DRAWN = 800  # points of a curve at most: finer than that no screen shows


class Line(NamedTuple):
    """One of the networks in a picture."""

    id: str
    name: str
    progress: Progress
    i: int  # its trial in the batch
    look: Style


class Scale(NamedTuple):
    """What curves are drawn along, and how far that goes."""

    along: str = "iterations"  # one of ALONG
    iterations: int = 300
    epoch: float = 0.0  # iterations in one, where there are epochs

    def of(self, now: Progress, iterations) -> np.ndarray:
        """Where these iterations are on it."""
        if self.along == "seconds":
            return np.concatenate([[0.0], now.seconds])[iterations]
        return np.asarray(iterations, float) / (self.epoch if self.along == "epochs" else 1.0)

    @property
    def end(self) -> float | None:
        """Where it ends; None where only the curves tell."""
        return {"iterations": self.iterations, "epochs": self.iterations / (self.epoch or 1)}.get(self.along)


def over_seeds(values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median, least and largest over the last axis; NaN where every seed has ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN
        return np.nanmedian(values, -1), np.nanmin(values, -1), np.nanmax(values, -1)


def losses(lines: list[Line], scale: Scale, smooth: bool = True, log: bool = False) -> dict:
    """The loss of every mini-batch.

    Smoothed as the book does it, with the raw loss faint behind; of several seeds the median, and a band
    from the least to the largest.
    """
    data, top, right = [], 0.0, 1e-3
    for id, name, now, i, look in lines:
        raw = now.loss[:, i]
        if not len(raw):
            continue
        x = scale.of(now, np.arange(1, len(raw) + 1))
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
    return {"data": data, "layout": _layout(axis, scale, right)}


def accuracies(lines: list[Line], scale: Scale) -> dict:
    """Accuracy on rows that the network has not seen (in its look) and on training rows (faint)."""
    data, right = [], 1e-3
    for id, name, now, i, look in lines:
        if not len(now.evaluated):
            continue
        x = scale.of(now, now.evaluated)
        right = max(right, float(x[-1]))
        for k, part in ((1, "test"), (0, "training")):
            middle, low, high = over_seeds(now.accuracy[:, k, i])
            if part == "test" and now.accuracy.shape[-1] > 1:
                data.append(_band(id, name, x, low, high, look))
            told, width, opacity = (f"{name}, {part}", 2.4, 1.0) if k else ("", 1.2, 0.45)
            data.append(_line(f"{id}{part}", name, told, x, middle, look, width, opacity))
        data.append(_marks(f"{id}test", name, x, over_seeds(now.accuracy[:, 1, i])[0], look))
    axis = {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": "accuracy (faint: on training rows)"}}
    return {"data": data, "layout": _layout(axis, scale, right)}


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
    """A few marks of the optimizer's own shape, so that lines differ without color and dashes."""
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


def _layout(axis, scale, right):
    return {
        "margin": {"l": 62, "r": 12, "t": 30, "b": 42}, "hovermode": "x", "dragmode": "pan",
        "xaxis": {"title": {"text": ALONG[scale.along], "standoff": 4}, "range": [0, scale.end or 1.05 * right], "zeroline": False},
        "yaxis": {"zeroline": False, **axis},
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
    }  # fmt: skip


def _round_up(value):
    unit = 10.0 ** np.floor(np.log10(value)) / 2
    return float(np.ceil(1.05 * value / unit) * unit)


STANDING = ("", "iterations", "loss (last 10)", "training accuracy", "test accuracy", "seconds", "status")


def standing(line: Line) -> list[str]:
    """One line of the table: loss of the last ten mini-batches, both accuracies, time, and what became of it."""
    now, i = line.progress, line.i
    tail = now.loss[-10:, i]
    loss = over_seeds(tail.mean(0))[0] if len(tail) else np.nan
    learn, test = (over_seeds(now.accuracy[-1, k, i])[0] for k in (0, 1))
    seconds = now.seconds[-1] if len(now.seconds) else 0.0
    return [
        line.name, f"{now.iteration}", number(loss, 3), number(100 * learn, 3) + " %", number(100 * test, 3) + " %",
        number(seconds, 3), status(now, i),
    ]  # fmt: skip


def status(now: Progress, i: int) -> str:
    """How far a network has come, or when it was lost."""
    lost = now.diverged_at[i]
    if (lost >= 0).any():
        many = f"{int((lost >= 0).sum())} of {len(lost)} seeds " if len(lost) > 1 else ""
        return f"{many}diverged at iteration {int(lost[lost >= 0].min())}"
    return "done" if now.done else "under way" if now.iteration else "not begun"


def standings(lines: list[Line], label: str) -> str:
    """How every network stands, as a table."""
    return table(label, STANDING, [(standing(line), line.look) for line in lines])


def table(label: str, headings: tuple[str, ...], rows: list[tuple[list[str], Style | None]]) -> str:
    """An HTML table; a row's first cell is its heading, with a stripe in its look."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in headings)
    body = "".join(
        f'<tr><th scope="row"{_stripe(look)}>{escape(cells[0])}</th>' + "".join(f"<td>{escape(c)}</td>" for c in cells[1:]) + "</tr>"
        for cells, look in rows
    )  # fmt: skip
    return (
        f'<div class="ov-table" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _stripe(look):
    return f' style="border-left: 0.35rem solid {look.color}"' if look else ""
