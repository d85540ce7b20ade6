"""Members and ensembles as pictures: accuracy over training, how many are enough, who disagrees with whom."""

import warnings
from typing import NamedTuple

import numpy as np

from optviz.experiments.ensembles.spec import Ensemble, Ensembles
from optviz.optim.schedules import SCHEDULES
from optviz.plot.style import (
    Style,
    Theme,
    number,
    packed,
    packed_grid,
    style,
)
from optviz.plot.old_training import over_seeds
from optviz.training import Progress, smoothed

NAMES = {
    "independent": "Independent networks",
    "snapshots": "Snapshots of one run",
    "averaging": "Averaged weights",
}
TABS = {"independent": "Independent", "snapshots": "Snapshots", "averaging": "Averaging"}
MEMBER, SINGLE, ENSEMBLE = "member", "single", "ensemble"
LEAST = 0.06  # of accuracy that an axis spans, or a difference of nothing would look like one
LEGEND = {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}}
MARGIN = {"l": 58, "r": 12, "t": 30, "b": 40}


def labels_of(noise: float) -> str:
    """What labels with such a share of wrong ones are called."""
    return f"{number(100 * noise, 3)} % wrong labels" if noise else "clean labels"


class Curve(NamedTuple):
    """An accuracy over training, and what its line is in the picture."""

    kind: str  # MEMBER, SINGLE or ENSEMBLE
    name: str
    x: np.ndarray
    y: np.ndarray
    dots: bool = False  # where it is known at a few iterations only


def independent(now: Progress) -> list[Curve]:
    """Every network, their mean, and their answer together."""
    alone = now.accuracy[:, 1, 0]
    return [
        *(Curve(MEMBER, f"seed {seed}", now.evaluated, alone[:, s]) for s, seed in enumerate(now.training.seeds)),
        Curve(SINGLE, "one network (mean)", now.evaluated, _means(alone)),
        Curve(ENSEMBLE, "ensemble", now.evaluated, now.ensemble_accuracy[:, 1, 0]),
    ]  # fmt: skip


def snapshots(now: Progress, councils: dict[int, Ensemble]) -> list[Curve]:
    """The run, the mean of its snapshots so far, and these together, at the end of every cycle."""
    ends = np.array(sorted(councils))
    so_far = [councils[t] for t in ends]
    return [
        Curve(MEMBER, "the run", now.evaluated, now.accuracy[:, 1, 0, 0]),
        Curve(SINGLE, "snapshots (mean)", ends, np.array([c.members.mean() if len(c) else np.nan for c in so_far]), True),
        Curve(ENSEMBLE, "snapshots together", ends, np.array([c.accuracy for c in so_far]), True),
    ]  # fmt: skip


def averaging(raw: Progress, average: Progress) -> list[Curve]:
    """The points that every run visits, their mean accuracy, and that of the averaged weights."""
    alone = raw.accuracy[:, 1, 0]
    return [
        *(Curve(MEMBER, f"seed {seed}", raw.evaluated, alone[:, s]) for s, seed in enumerate(raw.training.seeds)),
        Curve(SINGLE, "last point (mean)", raw.evaluated, _means(alone)),
        Curve(ENSEMBLE, "averaged weights (mean)", average.evaluated, _means(average.accuracy[:, 1, 0])),
    ]  # fmt: skip


def _means(alone):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all NaN
        return np.nanmean(alone, -1)


def looks(theme: Theme) -> dict[str, Style]:
    """The looks of one network and of the ensemble."""
    return {SINGLE: style(1, theme), ENSEMBLE: style(0, theme)}


def ranges(pictures: list[list[Curve]], iterations: int) -> list[list[float]]:
    """For each picture the accuracies that it shows: those after a fifth of the training, all in spans of one length.

    So a gain is as long in one picture as in the other.
    """
    limits = []
    for curves in pictures:
        late = np.concatenate([y[(x >= iterations / 5) & np.isfinite(y)] for _, _, x, y, _ in curves])
        if not len(late):
            return [[0.0, 1.0]] * len(pictures)
        limits.append((late.min(), late.max()))
    span = max(LEAST, *(high - low for low, high in limits)) * 1.1
    found = []
    for low, high in limits:
        top = min(1.0 + span / 20, (low + high + span) / 2)
        found.append([float(top - span), float(top)])
    return found


def over_training(curves: list[Curve], span: list[float], iterations: int, theme: Theme) -> dict:
    """Members faint, one network dashed, the ensemble strong: accuracy on test rows over the iterations."""
    look, data = looks(theme), []
    for i, (kind, name, x, y, dots) in enumerate(curves):
        if kind == MEMBER:
            drawn = {"mode": "lines", "opacity": 0.5, "line": {"color": theme.faint, "width": 1}, "showlegend": False}
        else:
            kept = look[kind]
            drawn = {
                "mode": "lines+markers" if dots else "lines", "marker": {"symbol": kept.marker, "size": 9, "color": kept.color},
                "line": {"color": kept.color, "dash": kept.dash, "width": 3.4 if kind == ENSEMBLE else 2.4},
            }  # fmt: skip
        data.append({
            "type": "scatter", "uid": f"{kind}{i}", "name": name, "x": packed(x), "y": packed(y),
            "hovertemplate": f"{name}: %{{y:.1%}}<extra></extra>", **drawn,
        })  # fmt: skip
    layout = {
        "margin": MARGIN, "hovermode": "x", "dragmode": "pan", "legend": LEGEND,
        "xaxis": {"title": {"text": "iteration", "standoff": 4}, "range": [0, iterations], "zeroline": False},
        "yaxis": {"range": span, "tickformat": ".0%", "zeroline": False, "title": {"text": "test accuracy"}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def with_cycles(figure: dict, ensembles: Ensembles, theme: Theme) -> dict:
    """The picture of the snapshots with the cyclic rate under it, on the same axis, and a line at every snapshot."""
    factor = ensembles.training("snapshots", 0.0).optimizer.schedules["lr"].build(SCHEDULES)
    at = np.arange(ensembles.iterations)
    some = at[:: max(1, len(at) // 800)]
    rate = {
        "type": "scatter", "mode": "lines", "uid": "rate", "name": "rate", "showlegend": False, "yaxis": "y2", "x": packed(some),
        "y": packed([ensembles.top * factor(t) for t in some]), "line": {"color": theme.ink, "width": 1.6, "simplify": False},
        "hovertemplate": "rate: %{y:.3g}<extra></extra>",
    }  # fmt: skip
    layout = figure["layout"]
    marks = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": t, "x1": t, "y0": 0, "y1": 1, "line": {"color": theme.faint, "width": 1, "dash": "3px,3px"}}
        for t in ensembles.ends
    ]  # fmt: skip
    return {
        "data": [*figure["data"], rate],
        "layout": layout | {
            "yaxis": layout["yaxis"] | {"domain": [0.3, 1]}, "shapes": marks, "xaxis": layout["xaxis"] | {"anchor": "y2"},
            "yaxis2": {"domain": [0, 0.22], "range": [0, 1.08 * ensembles.top], "nticks": 3, "zeroline": False, "title": {"text": "rate"}},
        },
    }  # fmt: skip


def enough(councils: list[tuple[str, Ensemble]], theme: Theme) -> dict:
    """Accuracy over the number of members: how many are enough."""
    data, largest = [], 1
    for i, (name, council) in enumerate(councils):
        found, look = council.growing(), style(i, theme)
        largest = max(largest, len(found))
        data.append({
            "type": "scatter", "mode": "lines+markers", "uid": f"enough{i}", "name": name, "x": list(range(1, len(found) + 1)), "y": packed(found),
            "line": {"color": look.color, "dash": look.dash, "width": 2.6}, "marker": {"symbol": look.marker, "size": 9, "color": look.color},
            "hovertemplate": f"%{{x}} together, {name}: %{{y:.1%}}<extra></extra>",
        })  # fmt: skip
    layout = {
        "margin": MARGIN, "hovermode": "closest", "dragmode": "pan", "legend": LEGEND,
        "xaxis": {"title": {"text": "members that answer together", "standoff": 4}, "range": [0.7, largest + 0.3], "dtick": 1, "zeroline": False},
        "yaxis": {"tickformat": ".0%", "zeroline": False, "title": {"text": "test accuracy"}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def between(council: Ensemble, name: str, theme: Theme) -> dict:
    """On which share of test rows two members answer differently, as a matrix."""
    z = council.disagreement
    n, top = len(z), max(float(z.max()), 1e-3)
    names = [f"{i + 1}" for i in range(n)]
    at = [(i, j) for i in range(n) for j in range(n)]
    data = [
        {
            "type": "heatmap", "uid": "differ", "z": packed_grid(z), "zmin": 0.0, "zmax": top, "showscale": False, "x": names, "y": names,
            "colorscale": [[0, theme.high], [1, theme.low]], "xgap": 2, "ygap": 2, "hoverinfo": "skip",
        },
        {
            "type": "scatter", "mode": "text", "uid": "told", "x": [names[j] for _, j in at], "y": [names[i] for i, _ in at],
            "text": ["" if i == j else f"{100 * z[i, j]:.1f}" for i, j in at], "textfont": {"color": theme.ink, "size": 12},
            "hovertemplate": "members %{y} and %{x}: %{text} %<extra></extra>",
        },
    ]  # fmt: skip
    axis = {"zeroline": False, "showgrid": False, "fixedrange": True, "type": "category"}
    layout = {
        "margin": MARGIN, "showlegend": False, "dragmode": False,
        "xaxis": {**axis, "title": {"text": f"{name}: they answer differently on % of test rows", "standoff": 4}},
        "yaxis": {**axis, "title": {"text": "member", "standoff": 2}, "autorange": "reversed"},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def losses(raw: Progress, average: Progress, theme: Theme) -> dict:
    """The loss of every mini-batch at the points visited and at their average, smoothed: the median over the seeds."""
    data, top = [], 0.5
    for kind, name, now in ((SINGLE, "last point", raw), (ENSEMBLE, "averaged weights", average)):
        if not len(now.loss):
            continue
        look, x = looks(theme)[kind], np.arange(1, len(now.loss) + 1)
        y = over_seeds(smoothed(now.loss[:, 0]))[0]
        some = np.unique(np.linspace(0, len(x) - 1, min(len(x), 800)).astype(int))
        if np.isfinite(y[: len(y) // 20 + 1]).any():
            top = max(top, float(np.nanmax(y[: len(y) // 20 + 1])))
        data.append({
            "type": "scatter", "mode": "lines", "uid": f"loss{kind}", "name": name, "x": packed(x[some]), "y": packed(y[some]),
            "line": {"color": look.color, "dash": look.dash, "width": 2.2, "simplify": False},
            "hovertemplate": f"{name}: %{{y:.3g}}<extra></extra>",
        })  # fmt: skip
    layout = {
        "margin": MARGIN, "hovermode": "x", "dragmode": "pan", "legend": LEGEND,
        "xaxis": {"title": {"text": "iteration", "standoff": 4}, "range": [0, raw.training.iterations], "zeroline": False},
        "yaxis": {"range": [0, 1.05 * min(top, 10.0)], "zeroline": False, "title": {"text": "loss of a mini-batch"}},
    }  # fmt: skip
    return {"data": data, "layout": layout}
