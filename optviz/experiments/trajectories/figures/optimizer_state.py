"""One optimizer from the inside: its state over time, and the arrows of a step."""

import numpy as np

from optviz.experiments.trajectories.figures import simplex
from optviz.optim.equations import effective_rate
from optviz.plot import Axis, Figure, Panel, Style, Theme, stack, trail
from optviz.plot.style import pack_array
from optviz.translation import N_, _

# what is drawn as an arrow, and which way it acts
DIRECTIONS = {"velocity": 1.0, "mean gradient": -1.0}
# the two coordinates of one variable, distinguished without color too
COORDINATES = ((N_("along x"), (), "circle"), (N_("along y"), (7, 4), "square"))
MARKERS = 8


def state_over_time(run) -> dict[str, np.ndarray]:
    """The state of the last optimizer of a run, `(steps+1, 2)` by name; NaN before it began.

    Before a fork another method may have used the same letter for something else.
    """
    segment = max(i for i, warm_started in enumerate(run.warm_started) if not warm_started)
    active = np.arange(len(run.points)) >= run.segments[segment].step
    names = (name for name in run.optimizer.state_names if name in run.state)
    return {name: np.where(active[:, None], run.state[name], np.nan) for name in names}


def charts(run, theme: Theme, **figure) -> Figure:
    """A panel for each part of the optimizer's state, and one for the effective rate."""
    names = run.optimizer.state_names
    rows = [(f"{name}: {_(names[name])}", values) for name, values in state_over_time(run).items()]
    if (corners := simplex(run)) is not None:
        rows.append((_("extent of the simplex"), np.ptp(corners, 1)))
    if np.isfinite(run.gradients).any() or not rows:  # or there would be no chart at all
        rate = np.vstack([effective_rate(run), np.full((1, 2), np.nan)])
        rows.append((_("effective rate −Δ/g"), rate))
    x = Axis(_("step"), limits=(0, len(run.points) - 1))
    panels = []
    for row, (title, values) in enumerate(rows):
        y, marks = Axis(limits=_limits(values), zero=True, powers=True, ticks=5), []
        for c, (name, dashes, symbol) in enumerate(COORDINATES):
            marks += trail(
                np.arange(len(values)),
                values[:, c],
                Style(theme.lines[c], dashes, symbol),
                uid=f"{row}{'xy'[c]}",
                name=_(name),
                group=name,
                shapes=MARKERS,
                sizes=(5, 10),
                legend=row == 0,
                width=2,
                hover="{name}: {y:.4g}",
            )
        panels.append(Panel(marks, x, y, title=title, title_inside=True))
    return stack(panels, gap=0.09, margin={"t": 26, "b": 40}, **figure)


def _limits(values):
    """Limits for all finite values, but one outlier does not crush the rest."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return (-1.0, 1.0)
    low, high = np.quantile(finite, [0.02, 0.98])
    margin = (high - low) or abs(high) or 1.0
    low, high = max(finite.min(), low - margin), min(finite.max(), high + margin)
    # what is constant is a line, not its rounding
    margin = max(0.08 * (high - low), 0.02 * abs(high), 1e-12)
    return (float(low - margin), float(high + margin))


def arrows(run, theme: Theme, color: str) -> dict:
    """The arrows of every step: negative gradient, velocity or mean gradient, and the step.

    The optimizer's state has its own `color`, the gradient, which is the function's, has not.
    Gradients and their means share a separate scale; steps and velocities are drawn to scale.
    """
    vectors = []
    if np.isfinite(run.gradients).any():
        label = "∇f" if run.function.sign < 0 else "−∇f"
        vectors.append(_vector(label, -run.gradients, theme.faint, "2 3", "gradient"))
    for name, values in state_over_time(run).items():
        sign = DIRECTIONS.get(run.optimizer.state_names[name])
        if sign == 1:  # as it was brought along, so that with the gradient it makes the step
            vectors.append(_vector(name, values[:-1], color, "9 4"))
        elif sign == -1:  # as it became
            vectors.append(_vector(f"−{name}", -values[1:], color, "9 4", "gradient"))
    vectors.append(_vector("step", np.diff(run.points, axis=0), theme.ink, ""))
    x, y = map(pack_array, run.points.T)
    return {"steps": len(run.gradients), "x": x, "y": y, "vectors": vectors}


def _vector(label, d, color, dash, group=None):
    dx, dy = map(pack_array, d.T)
    return {"label": label, "dx": dx, "dy": dy, "color": color, "dash": dash, "group": group}
