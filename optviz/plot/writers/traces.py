"""Every mark as one of Plotly.js' traces, without what all traces have."""

from functools import singledispatch

import numpy as np

from optviz.plot.marks import (
    Band,
    Bars,
    Contour,
    Dots,
    Dots3D,
    Heatmap,
    Line,
    Line3D,
    Mark,
    Surface,
    Text,
)
from optviz.plot.style import pack_array, pack_grid
from optviz.plot.writers.paper import outlines

# Plotly has these in space, too
SOLID_SYMBOLS = ("circle", "circle-open", "square", "diamond", "diamond-open", "cross", "x")


def without_none(**attributes):
    """The attributes that are not None; Plotly has defaults for the others."""
    return {key: value for key, value in attributes.items() if value is not None}


def _pack(array):
    """Coordinates; names stay a list."""
    a = np.asarray(array)
    return [str(v) for v in a] if a.dtype.kind in "USO" else pack_array(a)


def _to_list(value):
    return value.tolist() if isinstance(value, np.ndarray) else value


def _scatter(mark, mode):
    return {"type": "scatter", "mode": mode, "x": _pack(mark.x), "y": _pack(mark.y)}


def _on_grid(mark, kind):
    grid = {"x": pack_array(mark.x), "y": pack_array(mark.y), "z": pack_grid(mark.z)}
    return {"type": kind, **grid, "colorscale": _colorscale(mark.colors), "connectgaps": False}


def _scatter3d(mark, mode):
    places = {letter: pack_array(getattr(mark, letter)) for letter in "xyz"}
    return {"type": "scatter3d", "mode": mode, **places}


def _colorscale(colors):
    if isinstance(colors[0], str):
        return [[k / max(len(colors) - 1, 1), color] for k, color in enumerate(colors)]
    return [list(stop) for stop in colors]


@singledispatch
def trace(mark: Mark) -> dict:
    """A mark as a trace, without what all traces have."""
    raise TypeError(f"no way to draw {type(mark).__name__}")


@trace.register
def _(mark: Line):
    style = mark.style
    line = {"color": style.color, "dash": style.dash, "width": mark.width, "simplify": False}
    out = {**_scatter(mark, "lines"), "line": line}
    if mark.shape != "linear":
        line["shape"] = mark.shape
    if mark.fill:
        out["fill"] = "tozeroy"
    if mark.markers or mark.symbols is not None:
        symbol = style.marker if mark.symbols is None else list(mark.symbols)
        out["mode"] = "lines+markers"
        out["marker"] = {"symbol": symbol, "size": mark.size, "color": style.color}
        if mark.markers and mark.markers is not True:
            out["marker"]["maxdisplayed"] = mark.markers
    if mark.ends is not None:
        y, low, high = (np.asarray(a, float) for a in (mark.y, *mark.ends))
        ends = {"array": pack_array(high - y), "arrayminus": pack_array(y - low), "thickness": 1.2}
        out["error_y"] = {"type": "data", "symmetric": False, **ends}
    return out


@trace.register
def _(mark: Band):
    gap = np.full((1, 2), np.nan)
    corners = [part for area in outlines(mark) for part in (gap, area)][1:]
    x, y = np.concatenate([np.empty((0, 2)), *corners]).T
    out = {"type": "scatter", "mode": "lines", "x": pack_array(x), "y": pack_array(y)}
    out |= {"fill": "toself", "fillcolor": mark.color, "line": {"width": 0}}
    if mark.hatched:
        pattern = {"shape": "/", "fgcolor": mark.color, "size": 7, "solidity": 0.16}
        out |= {"fillcolor": "rgba(0,0,0,0)", "fillpattern": pattern | {"fillmode": "overlay"}}
    return out


@trace.register
def _(mark: Dots):
    symbol = mark.style.marker if mark.symbols is None else list(mark.symbols)
    size, color = _to_list(mark.size), mark.style.color
    marker = without_none(symbol=symbol, size=size, color=color, opacity=mark.alpha)
    if mark.shade is not None:
        low, high = mark.span
        marker |= {"color": pack_array(mark.shade), "colorscale": _colorscale(mark.colors)}
        marker |= {"cmin": low, "cmax": high}
    if np.any(np.asarray(mark.edge_width) > 0):
        edge = {"color": _to_list(mark.edge)} if len(mark.edge) else {}
        marker["line"] = {"width": _to_list(mark.edge_width), **edge}
    out = {**_scatter(mark, "markers"), "marker": marker}
    if mark.text is not None:
        font = without_none(size=mark.text_size, color=mark.text_color or None)
        out |= {"mode": "markers+text", "text": list(mark.text)}
        out |= {"textposition": mark.text_position, "textfont": font}
    return out


@trace.register
def _(mark: Bars):
    marker = without_none(color=mark.color, line={"width": 0}, opacity=mark.alpha)
    x, y = _pack(mark.x), _pack(mark.y)
    return without_none(type="bar", x=x, y=y, marker=marker, width=mark.width)


@trace.register
def _(mark: Text):
    font = {"size": mark.size, "color": mark.color}
    return {**_scatter(mark, "text"), "text": list(mark.text), "textfont": font}


@trace.register
def _(mark: Heatmap):
    out = {"type": "heatmap", "z": pack_grid(mark.z), "showscale": False}
    out["colorscale"] = _colorscale(mark.colors)
    for letter, places in (("x", mark.x), ("y", mark.y)):
        if places is not None:
            out[letter] = _pack(places)
    if mark.span is not None:
        out["zmin"], out["zmax"] = mark.span
    if mark.gap:
        out["xgap"] = out["ygap"] = mark.gap
    return out | ({"colorbar": _colorbar(mark.bar), "showscale": True} if mark.bar else {})


@trace.register
def _(mark: Contour):
    levels = {"start": mark.start, "end": mark.end, "size": mark.step, "coloring": "fill"}
    line = {"color": mark.line, "width": mark.width}
    out = {**_on_grid(mark, "contour"), "autocontour": False, "contours": levels, "line": line}
    return out | ({"colorbar": _colorbar(mark.bar)} if mark.bar else {"showscale": False})


def _colorbar(bar):
    def font(size):
        return {"size": size, "color": bar.color}

    out = {"thickness": 8, "outlinewidth": 0, "x": 1.01, "xpad": 0, "ypad": 0, "len": 1}
    out |= {"tickvals": [float(t) for t in bar.ticks], "ticktext": list(bar.labels)}
    return out | {"tickfont": font(11), "title": {"text": bar.title, "font": font(12)}}


@trace.register
def _(mark: Surface):
    lines = {"show": True, "start": mark.start, "end": mark.end, "size": mark.step}
    lines |= {"color": mark.line, "width": 1}
    lighting = {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05}
    out = {**_on_grid(mark, "surface"), "showscale": False}
    return out | {"contours": {"z": lines}, "lighting": lighting}


@trace.register
def _(mark: Line3D):
    line = {"color": mark.style.color, "width": mark.width}  # dashes can hardly be seen in space
    return {**_scatter3d(mark, "lines"), "connectgaps": False, "line": line}


@trace.register
def _(mark: Dots3D):
    symbol = mark.style.marker if mark.style.marker in SOLID_SYMBOLS else "circle"
    marker = {"symbol": symbol, "size": mark.size, "color": mark.style.color}
    marker["line"] = {"width": 1, "color": "#000"}
    return {**_scatter3d(mark, "markers"), "marker": marker}
