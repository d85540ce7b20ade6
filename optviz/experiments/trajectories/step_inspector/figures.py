"""One optimizer from the inside: charts of what it holds over time, and the arrows of a step."""

import numpy as np

from optviz.optim.equations import effective_rate
from optviz.plot.style import Theme, packed

DIRECTIONS = {
    "velocity": 1.0,
    "mean gradient": -1.0,
}  # what is drawn as an arrow, and which way it acts
# the two coordinates of one variable, told apart without color too
COORDINATES = (("x", "", "circle"), ("y", "7px,4px", "square"))
MARKS = 8


def held(optimizer) -> dict[str, str]:
    """What each state variable of the shape of a point is, by its name."""
    return optimizer.state_names


def own_state(run) -> dict[str, np.ndarray]:
    """What the last optimizer of a run holds, `(steps+1, 2)` by name; NaN before it, and its state, began.

    Another method before a fork may have had something else under the same letter.
    """
    since = max(i for i, warm_started in enumerate(run.warm_started) if not warm_started)
    began = np.arange(len(run.points)) >= run.segments[since].step
    return {
        name: np.where(began[:, None], run.state[name], np.nan)
        for name in held(run.optimizer)
        if name in run.state
    }


def charts(run, theme: Theme) -> dict:
    """A panel for each thing that the optimizer holds, and one for the effective rate, over the steps."""
    rows = [
        (f"{name}: {held(run.optimizer)[name]}", values) for name, values in own_state(run).items()
    ]
    rows.append(("effective rate −Δ/g", np.vstack([effective_rate(run), np.full((1, 2), np.nan)])))
    n, space = len(rows), 0.09
    height = (1 - space * (n - 1)) / n
    data = []
    layout = {
        "margin": {"l": 62, "r": 12, "t": 26, "b": 40}, "hovermode": "x", "dragmode": "pan",
        "xaxis": {"title": {"text": "step", "standoff": 4}, "anchor": f"y{n if n > 1 else ''}", "zeroline": False,
                  "range": [0, len(run.points) - 1]},
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
        "annotations": [],
    }  # fmt: skip
    for row, (title, values) in enumerate(rows):
        axis = f"y{row + 1 if row else ''}"
        for c, (name, dash, symbol) in enumerate(COORDINATES):
            data += _line(
                f"{row}{name}",
                f"along {name}",
                values[:, c],
                axis,
                dash,
                symbol,
                theme.lines[c],
                row == 0,
            )
        top = 1 - row * (height + space)
        layout[f"yaxis{row + 1 if row else ''}"] = {
            "domain": [max(top - height, 0), top], "zeroline": True, "exponentformat": "power", "nticks": 5,
            "range": _range(values),
        }  # fmt: skip
        layout["annotations"].append(
            {"text": title, "xref": "paper", "yref": "paper", "x": 0.99, "y": top, "xanchor": "right", "yanchor": "top",
             "showarrow": False, "font": {"size": 12}}
        )  # fmt: skip
    return {"data": data, "layout": layout}


def _line(uid, name, y, axis, dash, symbol, color, legend):
    x = np.arange(len(y))
    finite = np.flatnonzero(np.isfinite(y))
    head = int(finite[-1]) if len(finite) else 0
    some = [k for k in range(0, len(y), -(-len(y) // MARKS)) if k < head and np.isfinite(y[k])] + [
        head
    ]
    common = {"type": "scatter", "name": name, "legendgroup": name, "yaxis": axis}
    return [
        {
            **common, "mode": "lines", "uid": uid, "x": packed(x), "y": packed(y), "meta": {"trail": True},
            "showlegend": legend, "line": {"color": color, "dash": dash or "solid", "width": 2, "simplify": False},
            "hovertemplate": "%{fullData.name}: %{y:.4g}<extra></extra>",
        },
        {
            **common, "mode": "markers", "uid": f"{uid}m", "x": packed(x[some]), "y": packed(y[some]), "showlegend": False,
            "hoverinfo": "skip", "customdata": packed(some), "meta": {"of": uid, "head": len(some) - 1},
            "marker": {"symbol": symbol, "size": [5] * (len(some) - 1) + [10], "color": color},
        },
    ]  # fmt: skip


def _range(values):
    """All that is finite, but one wild value does not crush the rest."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return [-1.0, 1.0]
    low, high = np.quantile(finite, [0.02, 0.98])
    pad = (high - low) or abs(high) or 1.0
    low, high = max(finite.min(), low - pad), min(finite.max(), high + pad)
    pad = max(
        0.08 * (high - low), 0.02 * abs(high), 1e-12
    )  # what is constant is a line, not its rounding
    return [float(low - pad), float(high + pad)]


def arrows(run, theme: Theme) -> dict:
    """The arrows of every step: against the gradient, what the optimizer carries, and where it goes.

    Gradients and their means share a scale of their own; steps and velocities are as long as they are.
    """
    steps = len(run.gradients)
    down = -run.gradients
    vectors = [_vector("−∇f", down, theme.lines[1], "2 3", "gradient")]
    for name, values in own_state(run).items():
        if (what := held(run.optimizer)[name]) in DIRECTIONS:
            sign = DIRECTIONS[what]
            # a velocity as it was brought along, so that with the gradient it makes the step; a mean as it became
            kept = values[:-1] if sign > 0 else -values[1:]
            label, group = (name, None) if sign > 0 else (f"−{name}", "gradient")
            vectors.append(_vector(label, kept, theme.lines[2], "9 4", group))
    vectors.append(_vector("step", np.diff(run.points, axis=0), theme.ink, "", None))
    return {
        "steps": steps,
        "x": packed(run.points[:, 0]),
        "y": packed(run.points[:, 1]),
        "vectors": vectors,
    }


def _vector(label, d, color, dash, group):
    return {
        "label": label,
        "dx": packed(d[:, 0]),
        "dy": packed(d[:, 1]),
        "color": color,
        "dash": dash,
        "group": group,
    }
