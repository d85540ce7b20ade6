"""A scene in the size of a stamp: an SVG that needs no script."""

import base64
import struct
import zlib
from dataclasses import replace

import numpy as np

from optviz.experiments.trajectories import spec as trajectories
from optviz.experiments.trajectories.spec import Landscape, Scene
from optviz.plot.style import Theme, style
from optviz.training import (
    advance,
    begin,
    load,
    smoothed,
)

WIDTH, HEIGHT = 240, 150
GLIMPSE = 80  # iterations of a training that a stamp shows
COLUMNS, ROWS = 60, 38  # of the picture under the paths
BANDS = 12
REACH = 2.0  # in sizes of the picture: what is farther out is drawn here, in the same direction
APART = 0.7  # points of a path closer than this to the last one drawn are left out


def thumbnail(scene: Scene, run, landscape: Landscape, theme: Theme, multistart=trajectories.multistart) -> str:
    """The function as a shaded background, the minima as stars, and every optimizer's path in its look.

    `run(objective, optimizer)` gives a Run, `fan(objective, optimizer)` those from an optimizer's further starts or None.
    It is decoration, hidden from screen readers; the text beside it says what it shows.
    """
    f, tracks = scene.objective.f, []
    for i, config in enumerate(scene.optimizers):
        more = multistart(scene.objective, config)
        paths = [run(scene.objective, config).points, *([] if more is None else np.moveaxis(more.points, 1, 0))]
        tracks.append((style(i, theme), paths, more is None))
    return map_thumbnail(f, landscape, tracks, scene.objective.start, trajectories.minima(f, landscape), theme)


def map_thumbnail(f, landscape: Landscape, tracks, start, minima, theme: Theme) -> str:
    """A landscape from above over the domain of `f`; `tracks` are `(Style, paths, whether it is one alone)`."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" overflow="hidden">',
        f'<image href="data:image/png;base64,{_shade(landscape, theme)}" width="{WIDTH}" height="{HEIGHT}"'
        ' preserveAspectRatio="none"/>',
    ]
    for at in _on_paper(f, minima):
        parts.append(f'<polygon points="{_star(at)}" fill="{theme.minimum}"/>')
    ends = []
    for look, paths, alone in tracks:
        drawn = [_thinned(_on_paper(f, points)) for points in paths]
        dashes = f' stroke-dasharray="{" ".join(f"{0.7 * n:g}" for n in look.dashes)}"' if look.dashes else ""
        parts.append(
            f'<path d="{"".join(_line(points) for points in drawn)}" fill="none" stroke="{look.color}"'
            f' stroke-width="{1.8 if alone else 1.1}" stroke-linejoin="round"{dashes}/>'
        )
        ends += [_dot(points[-1], 3 if alone else 2, look.color) for points in drawn if len(points)]
    start = _on_paper(f, np.array([start]))[0]
    ring = f'fill="none" stroke="{theme.ink}" stroke-width="1.4"'
    return "".join([*parts, *ends, f'<circle cx="{start[0]:.1f}" cy="{start[1]:.1f}" r="4" {ring}/>', "</svg>"])


def _shade(land, theme):
    """The function as a PNG in base64: bands from the theme's low color to its high one, clear where undefined."""
    n = len(land.x)
    rows, columns = (
        np.linspace(n - 1, 0, ROWS).round().astype(int),
        np.linspace(0, n - 1, COLUMNS).round().astype(int),
    )
    z = land.z[np.ix_(rows, columns)]
    known = np.isfinite(z)
    level = np.zeros(z.shape)
    if known.any():
        above = z - z[known].min()
        if land.log:
            above = np.log10(above + max(np.quantile(above[known], 0.01), 1e-12))
            above = above - above[known].min()
        high = above[known].max()
        level[known] = np.floor(np.minimum(above[known] / high, 0.999) * BANDS) / (BANDS - 1) if high > 0 else 0
    low, high = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) for c in (theme.low, theme.high))
    pixels = np.zeros((*z.shape, 4), np.uint8)
    pixels[..., :3] = (low + (high - low) * level[..., None]).round()
    pixels[..., 3] = 255 * known
    return base64.b64encode(_png(pixels)).decode()


def _png(pixels):
    """RGBA pixels `(rows, columns, 4)` as a PNG file."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows, columns = pixels.shape[:2]
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


def _on_paper(f, points):
    """Points `(k, 2)` of the domain in units of the SVG: finite ones, none absurdly far out."""
    points = np.asarray(points, float).reshape(-1, 2)
    low, high = np.array(f.domain, float).T
    with np.errstate(all="ignore"):
        share = (points[np.isfinite(points).all(-1)] - low) / (high - low) - 0.5
        away = np.abs(share).max(-1, keepdims=True)
        share = np.where(away > REACH, share / away * REACH, share)
    return np.stack([(0.5 + share[:, 0]) * WIDTH, (0.5 - share[:, 1]) * HEIGHT], -1)


def _thinned(points):
    kept = []
    for i, p in enumerate(points):
        if not kept or i == len(points) - 1 or np.abs(p - kept[-1]).max() >= APART:
            kept.append(p)
    return np.array(kept).reshape(-1, 2)


def _line(points):
    return "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))


def _dot(at, radius, color):
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius}" fill="{color}"/>'


def _star(at, size=6.0):
    angle = -np.pi / 2 + np.pi * np.arange(10) / 5
    radius = np.where(np.arange(10) % 2, 0.42, 1.0) * size
    corners = at + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def curves_thumbnail(trainings, theme: Theme) -> str:
    """The smoothed loss of the first GLIMPSE iterations of each training and initializer: quickly trained for it."""
    curves = []
    for training in trainings:
        short = replace(training, iterations=min(training.iterations, GLIMPSE), seeds=training.seeds[:1], snapshot_every=0)
        data = load(short)
        curves += list(smoothed(advance(begin(short, data), data, short.iterations).loss[..., 0]).T)
    top = max([float(np.nanmax(c)) for c in curves if np.isfinite(c).any()] or [1.0])
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>')
    for i, curve in enumerate(curves):
        look, x = style(i, theme), np.linspace(12, WIDTH - 12, len(curve))
        y = HEIGHT - 14 - (HEIGHT - 28) * np.clip(curve / top, 0, 1)
        line = "L".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
        dashes = f' stroke-dasharray="{" ".join(map(str, look.dashes))}"' if look.dashes else ""
        if line:
            parts.append(f'<path d="M{line}" fill="none" stroke="{look.color}" stroke-width="2.5"{dashes}/>')
    return "".join([*parts, "</svg>"])
