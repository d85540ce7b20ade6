"""The scene in three dimensions: the function as a surface, the paths lying on it."""

import numpy as np

from optviz.experiments.trajectories.spec import Landscape
from optviz.functions.library import Function
from optviz.plot.contour import Heights
from optviz.plot.style import (
    Style,
    Theme,
    number,
    packed,
    packed_grid,
)

FINEST = 75  # grid lines each way: finer than this nobody sees
LIFT = 0.006  # of the surface's height, so that a path does not sink into it


def surface_layer(f: Function, land: Landscape, theme: Theme, log: bool | None = None) -> dict:
    """The surface, as high as the contour's levels go: in value, or in its logarithm."""
    heights = Heights.of(land, log)
    every = -(-len(land.x) // FINEST)
    z = heights.up(land.z[::every, ::every])
    low, high = heights.low, heights.high
    lines = {
        "show": True,
        "start": low,
        "end": high,
        "size": (high - low) / 14 or 1.0,
        "color": theme.level,
        "width": 1,
    }
    surface = {
        "type": "surface", "x": packed(land.x[::every]), "y": packed(land.y[::every]), "z": packed_grid(z),
        "colorscale": [[0, theme.low], [1, theme.high]], "showscale": False, "hoverinfo": "skip", "connectgaps": False,
        "contours": {"z": lines}, "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
    }  # fmt: skip
    return {"data": [surface], "layout": {}}


def solid(f: Function, land: Landscape, tracks, known, theme: Theme, log: bool | None = None) -> dict:
    """The paths on the surface, with their heads, the start of each and the minima.

    `tracks` is a list of `(id, name, points (steps+1, 2), values (steps+1,), Style)`. A path that
    leaves the frame is not drawn where it is outside.
    """
    heights = Heights.of(land, log)
    lift = LIFT * (heights.high - heights.low)
    data = []
    if len(known):
        z = heights.up(f.value(known)) + lift
        data.append(_marks("minima", "minimum", known[:, 0], known[:, 1], z, "diamond", theme.minimum, 6))
    for id, name, points, values, look in tracks:
        data += _track(f, heights, id, name, points, values, look, theme, lift)
    (x0, x1), (y0, y1) = f.domain
    ticks = np.linspace(heights.low, heights.high, 5)
    layout = {
        "margin": {"l": 0, "r": 24, "t": 28, "b": 0},
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
        "scene": {
            "xaxis": {"title": {"text": "x"}, "range": [x0, x1]}, "yaxis": {"title": {"text": "y"}, "range": [y0, y1]},
            "zaxis": {"title": {"text": "f"}, "tickvals": ticks.tolist(), "ticktext": [number(heights.back(t), 3) for t in ticks]},
            "aspectmode": "manual", "aspectratio": {"x": 1.4, "y": 1.4, "z": 0.6},
            "camera": {"eye": {"x": -0.75, "y": -1.25, "z": 1.35}, "center": {"x": 0, "y": 0, "z": -0.2}},
        },
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _track(f, heights, id, name, points, values, look: Style, theme, lift):
    low, high = np.array(f.domain).T
    inside = ((points >= low) & (points <= high)).all(-1)
    x, y = np.where(inside[:, None], points, np.nan).T
    z = np.where(inside, heights.up(values) + lift, np.nan)
    dash = (
        "solid"
        if not look.dashes
        else "dot"
        if max(look.dashes) < 5
        else "dash"
        if len(look.dashes) == 2
        else "dashdot"
    )
    line = {
        "type": "scatter3d", "mode": "lines", "name": name, "uid": id, "legendgroup": id, "meta": {"trail": True},
        "x": packed(x), "y": packed(y), "z": packed(z), "hoverinfo": "name", "connectgaps": False,
        "line": {"color": look.color, "width": 5, "dash": dash},
    }  # fmt: skip
    symbol = {"circle": "circle", "square": "square", "diamond": "diamond", "cross": "cross", "x": "x"}.get(
        look.marker, "circle"
    )
    head = _marks(f"{id}m", name, x, y, z, symbol, look.color, 6) | {"meta": {"of": id}, "legendgroup": id}
    return [line, head]


def _marks(uid, name, x, y, z, symbol, color, size):
    return {
        "type": "scatter3d", "mode": "markers", "name": name, "uid": uid, "showlegend": uid == "minima",
        "x": packed(x), "y": packed(y), "z": packed(z), "hoverinfo": "name",
        "marker": {"symbol": symbol, "size": size, "color": color, "line": {"width": 1, "color": "#000"}},
    }  # fmt: skip
