"""A function of x alone: its curve, and on it every path with the tangent of each step."""

from types import SimpleNamespace

import numpy as np

from optviz.functions.function import Function
from optviz.optim.run import Run
from optviz.plot import Figure, Line, Style, Theme, contour
from optviz.plot.contour import Minima, Path

PLACES = 601  # of the curve
TANGENT = 0.1  # half its length, in heights and widths of the frame
PAD = 0.06  # above and below the curve, in its height


def heights(f: Function) -> np.ndarray:
    """The curve over its domain, `(PLACES,)`."""
    x = np.linspace(*f.domain[0], PLACES)
    return f.sign * f.value(np.stack([x, np.zeros_like(x)], -1))


def frame(f: Function) -> np.ndarray:
    """From and to, of x and of the values that are shown: a pole is cut off."""
    y = heights(f)
    y = y[np.isfinite(y)] if np.isfinite(y).any() else np.zeros(1)
    low, high = np.quantile(y, [0.02, 0.98])
    room = 2 * (high - low) or 1.0
    low, high = max(y.min(), low - room), min(y.max(), high + room)
    pad = PAD * (high - low) or 1.0
    return np.array([f.domain[0], (low - pad, high + pad)])


def on_curve(run: Run) -> np.ndarray:
    """The points of a run `(steps+1, ..., 2)` as they lie on the curve."""
    return np.stack([run.points[..., 0], run.heights], -1)


def tangents(run: Run) -> np.ndarray:
    """The point of each step and the ends of the tangent there, `(steps+1, 3, 2)`."""
    points, size = on_curve(run), np.ptp(frame(run.function), axis=1)
    slope = run.function.sign * run.true_gradients[:, 0]
    direction = np.stack([np.ones_like(slope), slope], -1)
    direction *= TANGENT / np.hypot.reduce(direction / size, axis=-1, keepdims=True)
    return np.stack([points, points + direction, points - direction], 1)


def graph(f: Function, start, paths: list[Path], minima: list[Minima], theme: Theme, **figure):
    """The curve as a figure, under paths and minima that lie on it."""
    (x0, x1), _ = edges = frame(f)
    curve = Line(np.linspace(x0, x1, PLACES), heights(f), Style(theme.ink), width=1.6, uid="f")
    start_point = (start[0], float(f.sign * f.value(start)))
    minima = [m._replace(points=np.stack([m.points[:, 0], m.values], -1)) for m in minima]
    drawn: Figure = contour.paths(
        SimpleNamespace(domain=edges), start_point, paths, minima, theme, ("x", "f"), **figure
    )
    return drawn.add(curve, under=True)
