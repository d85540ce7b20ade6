"""Pictures of a search: where the trials lie and how good they are, the best ones' curves, and searches side by side."""

from dataclasses import replace

import numpy as np

from optviz.experiments.hyperparameter_search.spec import Search
from optviz.experiments.hyperparameter_search.text import (
    CUT,
    ENDED,
    LOST,
    UNDER_WAY,
    WAITING,
    percent,
    statuses,
)
from optviz.nn import stream
from optviz.plot.style import (
    LIGHT,
    Style,
    Theme,
    number,
    packed,
)
from optviz.plot.thumbnail import HEIGHT, WIDTH
from optviz.tuning import SAMPLERS
from optviz.tuning.search import (
    DONE,
    OPEN,
    PROPOSALS,
    STOPPED,
    SearchState,
)

BEST, ACROSS = 20, 5  # curves of the best, and how many of them in a row
STAMPED = 36  # trials in a stamp
SIDE = 0.74  # share of the picture for the trials; the rest is for the accuracy along each hyperparameter
# From a poor accuracy to a good one: on both backgrounds the good ones stand out most.
SCALES = {
    "light": [[0, "#cfd9e3"], [0.5, "#5aa9d6"], [1, "#08306b"]],
    "dark": [[0, "#3a4d61"], [0.5, "#56b4e9"], [1, "#ffffff"]],
}
MARKS = {
    ENDED: "circle",
    CUT: "x-thin-open",
    LOST: "triangle-down-open",
    UNDER_WAY: "circle-open",
    WAITING: "circle",
}


def scatter(trials: SearchState, theme: Theme, x: int = 0, y: int = 1) -> dict:
    """The trials over two of the hyperparameters; above and at the right, the accuracy along each of the two.

    A good trial is large and strong in color; the best has a ring and its accuracy beside it.
    """
    axes = trials.search.space.axes
    data = []
    for fate in MARKS:
        data += _marked(trials, np.flatnonzero(statuses(trials) == fate), fate, theme, x, y)
    if trials.winner:
        data += _ringed(trials, trials.winner.trial, theme, x, y)
    layout = {
        "margin": {"l": 62, "r": 14, "t": 30, "b": 44}, "hovermode": "closest", "dragmode": "pan",
        "xaxis": {**_axis(axes[x]), "domain": [0, SIDE - 0.02], "anchor": "y"},
        "yaxis": {**_axis(axes[y]), "domain": [0, SIDE - 0.02], "anchor": "x"},
        "xaxis2": {**_share(), "domain": [SIDE + 0.02, 1], "anchor": "y"},
        "yaxis2": {**_share(), "domain": [SIDE + 0.02, 1], "anchor": "x"},
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _axis(axis):
    room = 0.03 * (axis.high - axis.low)
    q = axis.quantity
    return {
        "type": "log", "title": {"text": f"{q.title} {q.symbol}", "standoff": 4}, "range": [axis.low - room, axis.high + room],
        "exponentformat": "power", "dtick": 1 if axis.high - axis.low <= 4 else 2, "tickangle": 0, "zeroline": False,
    }  # fmt: skip


def _share():
    return {
        "range": [-0.03, 1.06], "tickformat": ".0%", "tickvals": [0, 0.5, 1], "zeroline": False, "fixedrange": True,
        "title": {"text": "accuracy", "font": {"size": 12}, "standoff": 4},
    }  # fmt: skip


def _marked(trials, of, fate, theme, x, y):
    """Trials with one fate: over the two hyperparameters, and their accuracy along each."""
    values, scores = trials.values[of], np.nan_to_num(trials.scores[of])
    scale = SCALES["light" if theme == LIGHT else "dark"]
    open_, waiting = MARKS[fate].endswith("open"), fate == WAITING
    size = (
        np.full(len(of), 4.0)
        if waiting
        else np.full(len(of), 9.0)
        if fate in (CUT, LOST)
        else 6 + 14 * scores**2
    )
    marker = {
        "symbol": MARKS[fate], "size": [round(float(s), 1) for s in size], "opacity": 0.5 if waiting else 0.95,
        "line": {"width": 1.6 if open_ else 0.8, "color": theme.faint},
        **({"color": theme.faint} if waiting or fate in (CUT, LOST) else
           {"color": [round(float(s), 3) for s in scores], "colorscale": scale, "cmin": 0, "cmax": 1}),
    }  # fmt: skip
    if fate == UNDER_WAY:
        marker["line"] = {
            "width": 2,
            **{k: marker[k] for k in ("color", "colorscale", "cmin", "cmax")},
        }
    names = trials.search.space.axes
    told = [
        f"trial {t + 1}, {fate}<br>" + "<br>".join(f"{a.quantity.title} {number(v, 3)}" for a, v in zip(names, row, strict=True))
        + ("" if waiting else f"<br>validation {percent(s)}")
        for t, row, s in zip(of, values, scores, strict=True)
    ]  # fmt: skip
    common = {
        "type": "scatter",
        "mode": "markers",
        "name": fate,
        "legendgroup": fate,
        "hovertext": told,
        "hoverinfo": "text",
    }
    main = {**common, "uid": f"s{fate}", "x": packed(values[:, x]), "y": packed(values[:, y]), "marker": marker,
            "showlegend": len(of) > 0}  # fmt: skip
    if waiting:
        return [main]
    small = {**marker, "size": 6, "opacity": 0.9}
    above = {
        **common,
        "uid": f"a{fate}",
        "x": packed(values[:, x]),
        "y": packed(scores),
        "yaxis": "y2",
    }
    beside = {
        **common,
        "uid": f"b{fate}",
        "x": packed(scores),
        "y": packed(values[:, y]),
        "xaxis": "x2",
    }
    return [main, *({**m, "marker": small, "showlegend": False} for m in (above, beside))]


def _ringed(trials, best, theme, x, y):
    value, score = trials.values[best], trials.scores[best]
    common = {
        "type": "scatter", "name": "the best", "legendgroup": "best", "hoverinfo": "skip",
        "marker": {"symbol": "circle-open", "size": 25, "color": theme.lines[1], "line": {"width": 3, "color": theme.lines[1]}},
    }  # fmt: skip
    small = {**common["marker"], "size": 13}
    left = trials.points[best, x] > 0.7
    main = {
        **common, "uid": "best", "mode": "markers+text", "x": packed([value[x]]), "y": packed([value[y]]), "showlegend": True,
        "text": [f"<b>{percent(score)}</b>   " if left else f"   <b>{percent(score)}</b>"],
        "textposition": "middle left" if left else "middle right", "textfont": {"size": 14},
    }  # fmt: skip
    rest = {**common, "mode": "markers", "marker": small, "showlegend": False}
    return [
        main,
        {**rest, "uid": "best above", "x": packed([value[x]]), "y": packed([score]), "yaxis": "y2"},
        {
            **rest,
            "uid": "best beside",
            "x": packed([score]),
            "y": packed([value[y]]),
            "xaxis": "x2",
        },
    ]


def best_curves(trials: SearchState, theme: Theme, epoch: float) -> dict:
    """A small chart for each of the best, as in figure 6.24: on validation rows solid, on training rows dashed."""
    best = trials.ranking[:BEST]
    down = max(-(-len(best) // ACROSS), 1)
    wide, tall, gap = 1 / ACROSS, 1 / down, 0.02
    data, layout = [], {
        "margin": {"l": 44, "r": 8, "t": 26, "b": 34}, "hovermode": "closest", "annotations": [],
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
    }  # fmt: skip
    end = trials.search.training.iterations / epoch
    for i, trial in enumerate(best):
        row, column = divmod(i, ACROSS)
        k = "" if i == 0 else str(i + 1)
        for part, name, look in (
            (1, "validation", ("solid", 2.4, theme.lines[0])),
            (0, "training", ("6px,4px", 1.6, theme.lines[1])),
        ):
            curve = trials.accuracy[trial, :, part]
            known = np.isfinite(curve)
            data.append(
                {
                    "type": "scatter", "mode": "lines", "uid": f"{name}{i}", "name": f"on {name} rows", "legendgroup": name, "showlegend": i == 0,
                    "x": packed(trials.evaluated[known] / epoch), "y": packed(curve[known]), "xaxis": f"x{k}", "yaxis": f"y{k}",
                    "line": {"dash": look[0], "width": look[1], "color": look[2], "simplify": False},
                    "hovertemplate": f"Best-{i + 1}, {name}: %{{y:.1%}}, epoch %{{x:.3g}}<extra></extra>",
                }
            )  # fmt: skip
        bottom = row == down - 1 or i + ACROSS >= len(best)
        top = 1 - row * tall
        layout[f"xaxis{k}"] = {
            "domain": [column * wide + gap / 2, (column + 1) * wide - gap / 2], "anchor": f"y{k}", "range": [0, end], "fixedrange": True,
            "showticklabels": bottom, "nticks": 4, "zeroline": False, "tickfont": {"size": 11},
            **({"title": {"text": "epoch", "font": {"size": 12}, "standoff": 2}} if bottom else {}),
        }  # fmt: skip
        layout[f"yaxis{k}"] = {
            "domain": [max(top - tall + 0.09 / down, 0), top - 0.18 / down], "anchor": f"x{k}", "range": [0, 1.03], "fixedrange": True,
            "showticklabels": column == 0, "tickformat": ".0%", "tickvals": [0, 0.5, 1], "zeroline": False, "tickfont": {"size": 11},
        }  # fmt: skip
        stopped = " ✕" if trials.state[trial] == STOPPED else ""
        layout["annotations"].append(
            {
                "text": f"{i + 1}: {percent(trials.scores[trial])}{stopped}", "xref": "paper", "yref": "paper", "showarrow": False,
                "x": (column + 0.5) * wide, "y": top - 0.17 / down, "xanchor": "center", "yanchor": "bottom", "font": {"size": 12},
            }
        )  # fmt: skip
    return {"data": data, "layout": layout}


def so_far(lines: list[tuple[str, SearchState, Style]]) -> dict:
    """The best accuracy of each search so far, over the work that it has taken, in whole trainings."""
    data, right = [], 1.0
    for i, (name, trials, look) in enumerate(lines):
        spent, best = progress(trials)
        right = max(right, float(trials.search.trials), *spent[-1:])
        data.append(
            {
                "type": "scatter", "mode": "lines+markers", "uid": f"far{i}", "name": name, "x": packed(spent), "y": packed(best),
                "line": {"shape": "hv", "color": look.color, "dash": look.dash, "width": 2.4, "simplify": False},
                "marker": {"symbol": look.marker, "size": [7 if j % max(len(spent) // 8, 1) == 0 else 0 for j in range(len(spent))], "color": look.color},
                "hovertemplate": f"{name}: %{{y:.1%}} after %{{x:.3g}}<extra></extra>",
            }
        )  # fmt: skip
    return {
        "data": data,
        "layout": {
            "margin": {"l": 62, "r": 12, "t": 30, "b": 42}, "hovermode": "closest", "dragmode": "pan",
            "xaxis": {"title": {"text": "work, in whole trainings", "standoff": 4}, "range": [0, 1.02 * right], "zeroline": False},
            "yaxis": {"title": {"text": "best validation accuracy so far"}, "tickformat": ".0%", "range": [0, 1.02], "zeroline": False},
            "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
        },
    }  # fmt: skip


def progress(trials: SearchState) -> tuple[np.ndarray, np.ndarray]:
    """Work `(k,)` in whole trainings and the best accuracy `(k,)`, after each of the trials that have ended, in their order."""
    ended = np.flatnonzero(trials.state != OPEN)
    spent = np.cumsum(trials.iterations[ended]) / trials.search.training.iterations
    return spent, np.maximum.accumulate(
        np.where(trials.state[ended] == DONE, trials.scores[ended], 0.0)
    )


def stamp(search: Search, theme: Theme) -> str:
    """Where a search looks, with a tick for each value on two sides, as a small SVG; what came of it is made up."""
    search = replace(search, trials=min(search.trials, STAMPED))
    sampler, d = search.sampler.build(SAMPLERS), len(search.space.axes)
    points = np.empty((0, d))
    for i, n in enumerate(search.rounds):
        scores = np.exp(-8 * (points[:, 0] - 0.8) ** 2)
        points = np.concatenate(
            [
                points,
                sampler.propose(points, scores, n, stream(search.training.seeds[0], PROPOSALS, i)),
            ]
        )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
    ]
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>')
    for u, v in points[:, :2]:
        x, y, size = (
            14 + u * (WIDTH - 24),
            HEIGHT - 14 - v * (HEIGHT - 24),
            1.5 + 3 * np.exp(-8 * (u - 0.8) ** 2),
        )
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{theme.lines[0]}"/>')
        parts.append(
            f'<path d="M{x:.1f} {HEIGHT}v-6M0 {y:.1f}h6" stroke="{theme.lines[1]}" stroke-width="1"/>'
        )
    return "".join([*parts, "</svg>"])
