"""Schedules of the rate: the loss with the rate under it on one axis, and what is said of both."""

import numpy as np

from optviz.experiments.lr_schedules.spec import (
    Jump,
    factor_of,
    jumps,
    settled,
)
from optviz.optim.schedules import Step
from optviz.plot.style import number, packed
from optviz.plot.old_training import (
    DRAWN,
    Line,
    Scale,
    losses,
    over_seeds,
    status,
)
from optviz.training import smoothed

LOSS, RATE = (0.37, 1.0), (0.0, 0.3)  # the parts of the picture's height
FAR = (
    20.0  # optimizers whose largest rates are that many times apart are drawn on a logarithmic axis
)
DEEP = 1e-4  # of the largest rate: how far down such an axis goes
TINY, RUNAWAY = 1e-4, 4.0  # losses at which the axis ends
ALL_ROWS, MINI_BATCHES = "all training rows", "mini-batches"
LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1,
    "xanchor": "left",
    "yanchor": "bottom",
    "font": {"size": 12},
}


def apart(all_rates: list[np.ndarray]) -> bool:
    """Whether the optimizers' rates are so far apart that only a logarithmic axis shows them all."""
    tops = [float(r.max()) for r in all_rates if len(r)]
    return bool(tops) and max(tops) > FAR * min(tops)


def over_rates(
    lines: list[Line],
    all_rates: list[np.ndarray],
    whose: str,
    smooth: bool,
    log: bool,
    log_rate: bool,
) -> dict:
    """The loss so far, and under it, on the same axis, the rate from the first iteration to the last.

    `whose` is the loss of ALL_ROWS or of MINI_BATCHES; the rates are known before anything is trained.
    """
    scale = Scale("iterations", max((len(r) for r in all_rates), default=1))
    figure = losses(lines, scale, smooth, log)
    if whose == ALL_ROWS:
        figure = {**figure, "data": _on_all_rows(lines)}
    for trace in figure["data"]:  # the legend is that of the rates, which are always there
        trace["showlegend"] = False
    for line, r in zip(lines, all_rates, strict=True):
        figure["data"].append(_rate(line, r))
    layout = figure["layout"]
    top = max((float(r.max()) for r in all_rates if len(r)), default=1.0)
    low = max(min((float(r.min()) for r in all_rates if len(r)), default=top), DEEP * top)
    below = {"type": "log", "range": [np.log10(low) - 0.15, np.log10(top) + 0.15], "exponentformat": "power", "dtick": 1} if log_rate else {
        "type": "linear", "range": [-0.04 * top, 1.1 * top], "nticks": 5,
    }  # fmt: skip
    low_loss, high_loss = _span(lines, whose)
    layout["yaxis"] |= {"range": [0, high_loss]} if not log else {
        "range": [np.log10(0.8 * low_loss), np.log10(high_loss)], "dtick": "D2",  # 1, 2, 5, 10 …
    }  # fmt: skip
    layout["yaxis"]["domain"], layout["xaxis"]["anchor"] = list(LOSS), "y2"
    layout["xaxis"]["mirror"] = "all"
    layout["yaxis"]["title"] = {
        "text": f"loss on {whose}" if whose == ALL_ROWS else "loss of mini-batches"
    }
    layout["yaxis2"] = {"domain": list(RATE), "zeroline": False, "title": {"text": "rate"}, **below}
    layout["legend"] = LEGEND
    return figure


def _span(lines, whose):
    """From the least loss to where the losses begin, or have been since: a runaway does not crush the rest."""
    seen = [1.0, 2.4]
    for line in lines:
        now = line.progress
        values = (
            now.cross_entropy[:, 0, line.i] if whose == ALL_ROWS else smoothed(now.loss[:, line.i])
        )
        seen += [float(v) for v in values.ravel() if np.isfinite(v) and v > 0]
    return max(min(seen), TINY), min(1.05 * max(seen), RUNAWAY)


def _on_all_rows(lines):
    data = []
    for id, name, now, i, look in lines:
        x, (middle, low, high) = now.evaluated, over_seeds(now.cross_entropy[:, 0, i])
        if now.cross_entropy.shape[-1] > 1:
            known = np.isfinite(low) & np.isfinite(high)
            x_, low, high = x[known], low[known], high[known]
            data.append({
                "type": "scatter", "mode": "lines", "uid": f"{id}b", "name": name, "legendgroup": name, "fill": "toself",
                "x": packed(np.concatenate([x_, x_[::-1]])), "y": packed(np.concatenate([high, low[::-1]])),
                "fillcolor": look.color, "opacity": 0.16, "line": {"width": 0}, "hoverinfo": "skip",
            })  # fmt: skip
        data.append({
            "type": "scatter", "mode": "lines+markers", "uid": f"{id}w", "name": name, "legendgroup": name, "x": packed(x), "y": packed(middle),
            "line": {"color": look.color, "dash": look.dash, "width": 2.4, "simplify": False},
            "marker": {"symbol": look.marker, "size": 8, "color": look.color, "maxdisplayed": 8},
            "hovertemplate": f"{name}: %{{y:.4g}}<extra></extra>",
        })  # fmt: skip
    return data


def _rate(line, r):
    """A rate of every iteration, thinned where no screen shows the difference; before and after each step down."""
    n = len(r)
    edges = (
        np.flatnonzero(np.abs(np.diff(r)) > 0.02 * (r.max() if n else 0))
        if n < 10 * DRAWN
        else np.empty(0, int)
    )
    some = (
        np.unique(
            np.concatenate([np.linspace(0, n - 1, min(n, DRAWN)).astype(int), edges, edges + 1])
        )
        if n
        else []
    )
    x, y = np.asarray(some, float), r[some] if n else r
    return {
        "type": "scatter", "mode": "lines+markers", "uid": f"{line.id}s", "name": line.name, "legendgroup": line.name, "showlegend": True,
        "x": packed(x), "y": packed(y), "yaxis": "y2", "hovertemplate": f"{line.name}: rate %{{y:.3g}}<extra></extra>",
        "line": {"color": line.look.color, "dash": line.look.dash, "width": 2.4, "simplify": False},
        "marker": {"symbol": line.look.marker, "size": 7, "color": line.look.color, "maxdisplayed": 6},
    }  # fmt: skip


STANDING = (
    "", "iterations", "rate at first", "rate at the end", "loss on training rows", "over the last tenth", "training accuracy", "test accuracy", "status",
)  # fmt: skip


def standing(line: Line, r: np.ndarray) -> list[str]:
    """One line of the table: both ends of the rate, the loss, both accuracies, and what became of it."""
    now, i = line.progress, line.i
    ends = [number(r[0], 3), number(r[-1], 3)] if len(r) else ["–", "–"]
    losses_ = [over_seeds(values[i])[0] for values in (now.cross_entropy[-1, 0], settled(now))]
    accuracies = [number(100 * over_seeds(now.accuracy[-1, k, i])[0], 3) + " %" for k in (0, 1)]
    return [
        line.name,
        f"{now.iteration}",
        *ends,
        *(number(v, 3) for v in losses_),
        *accuracies,
        status(now, i),
    ]


def remarks(lines: list[Line]) -> str:
    """What can be said of the trainings so far, in Markdown: what the jumps of the rate did, and who stands best."""
    said = [_of_jumps(line, found) for line in lines if (found := jumps(line.progress))]
    return "\n\n".join([*said, *filter(None, [_best(lines)])])


def _of_jumps(line, found: list[Jump]):
    cut = isinstance(factor_of(line.progress.training.optimizer), Step)
    told = []
    for jump in found[:3]:
        change = f"is multiplied by {number(jump.factor, 3)}" if cut else "begins anew"
        how = "fell" if jump.after < jump.before else "rose"
        if not np.isfinite(jump.after + jump.before):
            continue
        told.append(
            f"at iteration {jump.iteration} the rate {change}, and the mean loss of {jump.window} mini-batches {how} from "
            f"{number(jump.before, 3)} before it to {number(jump.after, 3)} from it on"
        )
    if not told:
        return ""
    more = f" ({len(found) - 3} more)" if len(found) > 3 else ""
    return f"**{line.name}**: {'; '.join(told)}{more}."


def _best(lines):
    """Who stands lowest once all are through."""
    if len(lines) < 2 or not all(line.progress.done for line in lines):
        return ""
    ends = [(float(over_seeds(settled(line.progress)[line.i])[0]), line) for line in lines]
    alive = sorted((loss, line.name) for loss, line in ends if np.isfinite(loss))
    if not alive:
        return "All have diverged."
    (low, best), (high, worst) = alive[0], alive[-1]
    lost = [line.name for loss, line in ends if not np.isfinite(loss)]
    text = f"**Over the last tenth** of the training the loss on all training rows is lowest with {best}: {number(low, 3)}"
    if len(alive) > 1:
        second = f", then {alive[1][1]} with {number(alive[1][0], 3)}" if len(alive) > 2 else ""
        text += f"{second}; highest with {worst}: {number(high, 3)}"
    text += f". Diverged: {', '.join(lost)}." if lost else "."
    seeds = len(lines[0].progress.training.seeds)
    if seeds == 1:
        return f"{text} That is one seed; take several before you believe a small difference."
    return f"{text} Medians over {seeds} seeds."
