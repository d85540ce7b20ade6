"""What a network has learned: a confusion matrix, misread digits as pictures, a decision boundary."""

import base64
import struct
import zlib
from html import escape

import numpy as np

from optviz.nn import Network
from optviz.plot.style import Theme, packed, packed_grid
from optviz.training import Data

MOST = 2000  # test rows that are judged here
GRID = 80  # points along each side of a decision boundary
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross")


def confusion(counts: np.ndarray, labels, theme: Theme) -> dict:
    """Rows are the truth, columns what was said; right answers are left pale, so that mistakes stand out."""
    n = len(counts)
    wrong = np.where(np.eye(n, dtype=bool), 0, counts)
    names = [str(name) for name in labels] or [str(k) for k in range(n)]
    heat = {
        "type": "heatmap", "z": packed_grid(np.sqrt(wrong)), "x": names, "y": names, "showscale": False, "xgap": 1, "ygap": 1,
        "colorscale": [[0, theme.high], [1, theme.lines[1]]], "hoverinfo": "skip", "uid": "confusion",
    }  # fmt: skip
    some = [(i, j) for i in range(n) for j in range(n) if counts[i, j]]  # Plotly mixes up texts that are empty
    text = {
        "type": "scatter", "mode": "text", "x": [names[j] for _, j in some], "uid": "counts",
        "y": [names[i] for i, _ in some], "text": [str(counts[at]) for at in some],
        "textfont": {"size": 11, "color": theme.ink}, "hovertemplate": "a %{y} was taken for %{x}: %{text}<extra></extra>",
    }  # fmt: skip
    axis = {"type": "category", "showgrid": False, "zeroline": False, "fixedrange": True}
    return {
        "data": [heat, text],
        "layout": {
            "margin": {"l": 62, "r": 8, "t": 12, "b": 44}, "showlegend": False, "dragmode": False,
            "xaxis": {**axis, "title": {"text": "taken for", "standoff": 4}},
            "yaxis": {**axis, "title": {"text": "truth", "standoff": 2}, "autorange": "reversed"},
        },
    }  # fmt: skip


def pictures(x: np.ndarray, truth, said, labels) -> str:
    """Rows `(k, side²)` as small pictures, each with what it is and what it was taken for."""
    side = round(x.shape[-1] ** 0.5)
    names = [str(name) for name in labels] or [str(k) for k in range(100)]
    tiles = []
    for row, t, s in zip(x, truth, said, strict=True):
        told = f"{names[t]} → {names[s]}"
        tiles.append(
            f'<figure><img alt="a {escape(names[t])} that was taken for {escape(names[s])}" '
            f'src="data:image/png;base64,{_png(row.reshape(side, side))}"><figcaption>{escape(told)}</figcaption></figure>'
        )
    return f'<div class="ov-digits">{"".join(tiles)}</div>'


def _png(picture):
    """A gray picture `(h, w)` in 0…1, ink dark, as PNG (ISO 15948) in base64."""
    h, w = picture.shape
    gray = (255 * (1 - np.clip(picture, 0, 1))).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in gray)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = (
        chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


def boundary(network: Network, params, data: Data, theme: Theme) -> dict:
    """What the network answers over the plane, as color, and the training points with a mark for each class."""
    both = np.concatenate([data.x, data.x_test])
    low, high = both.min(0), both.max(0)
    margin = 0.1 * (high - low)
    x, y = (np.linspace(a, b, GRID) for a, b in zip(low - margin, high + margin, strict=True))
    plane = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    classes = network.sizes[-1]
    said = network.predict(params, plane.astype(params.dtype)).reshape(GRID, GRID)
    colors = [[edge, theme.lines[k % 8]] for k in range(classes) for edge in (k / classes, (k + 1) / classes)]
    field = {
        "type": "heatmap", "x": packed(x), "y": packed(y), "z": packed_grid(said), "zmin": -0.5, "zmax": classes - 0.5,
        "colorscale": colors, "opacity": 0.3, "showscale": False, "hoverinfo": "skip", "uid": "said",
    }  # fmt: skip
    points = [
        {
            "type": "scatter", "mode": "markers", "uid": f"class{k}", "name": f"class {k}", "x": packed(data.x[data.t == k, 0]),
            "y": packed(data.x[data.t == k, 1]), "hoverinfo": "name",
            "marker": {"symbol": SYMBOLS[k % 5], "size": 6, "color": theme.lines[k % 8], "line": {"width": 0.7, "color": theme.ink}},
        }
        for k in range(classes)
    ]  # fmt: skip
    axis = {"zeroline": False, "showgrid": False}
    return {
        "data": [field, *points],
        "layout": {
            "margin": {"l": 46, "r": 8, "t": 28, "b": 36}, "dragmode": "pan", "hovermode": "closest",
            "xaxis": {**axis, "range": [float(x[0]), float(x[-1])]}, "yaxis": {**axis, "range": [float(y[0]), float(y[-1])]},
            "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"},
        },
    }  # fmt: skip
