"""Any figure as a small SVG that needs no script: marks without axes, legend and words."""

from functools import singledispatch

import numpy as np

from optviz.plot.figure import Figure
from optviz.plot.images import data_url
from optviz.plot.marks import Band, Bars, Contour, Dots, Heatmap, Line, Mark, Rule, Text
from optviz.plot.style import Theme, blend_colors
from optviz.plot.writers.paper import Paper, Scale, cell_edges, coordinates, outlines

WIDTH, HEIGHT = 240, 150
EDGE = 8  # around the panels
MAX_PIXELS = 60  # of a matrix, each way
LEVELS = 12  # of brightness in a contour
NEAR = 0.7  # points of a line closer than this to the last one drawn are left out
SHARE = 0.7  # of the lengths of dashes and of the sizes of dots in a large figure
MAX_MARKERS, MAX_DOTS = 6, 200  # on one line, of one mark
STAR = 10  # corners
HATCHED = 0.4  # as dark as strokes with gaps are, on the whole


def to_svg(figure: Figure, theme: Theme) -> str:
    """Every mark of every panel in its place, on the theme's light color.

    It is decoration, hidden from screen readers. TypeError for marks in three dimensions.
    """
    frames, box = figure.frames, f'viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>',
    ]
    bare = len(frames) == 1 and any(isinstance(m, Heatmap | Contour) for m in frames[0].marks)
    edge = 0 if bare else EDGE
    width, height = WIDTH - 2 * edge, HEIGHT - 2 * edge
    for panel in frames:
        w = (panel.x_domain[1] - panel.x_domain[0]) * width
        h = (panel.y_domain[1] - panel.y_domain[0]) * height
        left, top = edge + panel.x_domain[0] * width, edge + (1 - panel.y_domain[1]) * height
        paper = Paper(_scale(figure, panel, "x", w), _scale(figure, panel, "y", h))
        size = f'width="{w:.1f}" height="{h:.1f}"'  # what leads out of a panel is cut off
        parts.append(f'<svg x="{left:.1f}" y="{top:.1f}" {size} overflow="hidden">')
        parts += [part for mark in panel.marks for part in _group(mark, paper)]
        parts.append("</svg>")
    return "".join([*parts, "</svg>"])


def _scale(figure, panel, letter, length):
    """The scale of an axis, which fits all panels that are on it."""
    k, panels = "xy".index(letter), next(u for u in figure.panels_by_axis(letter) if panel in u)
    arrays = [array for p in panels for mark in p.marks for array in coordinates(mark, k)]
    return Scale.fit(getattr(panels[0], letter), k, arrays, length)


def _group(mark, paper):
    parts = list(draw(mark, paper))
    if not parts or mark.opacity is None or mark.opacity == 1:
        return parts
    return [f'<g opacity="{mark.opacity:g}">', *parts, "</g>"]


@singledispatch
def draw(mark: Mark, paper: Paper):
    """The elements of a mark, in a panel's pixels."""
    raise TypeError(f"no way to draw {type(mark).__name__}")


@draw.register
def _(mark: Line, paper):
    points, style, color = paper(mark.x, mark.y), mark.style, mark.style.color
    if mark.fill:
        top = points[np.isfinite(points).all(-1)]
        if len(top):
            floor = np.array([[top[-1, 0], paper.y.length], [top[0, 0], paper.y.length]])
            yield _polygon(np.concatenate([top, floor]), color, 0.3)
    if path := _path(_staircase(points, mark.shape)):
        yield _stroke(path, color, 0.85 * mark.width, style.dashes)
    if mark.markers or mark.symbols is not None:
        finite = points[np.isfinite(points).all(-1)]
        i = np.unique(np.linspace(0, len(finite) - 1, min(len(finite), MAX_MARKERS)).astype(int))
        yield from (_glyph(p, style.marker, SHARE * mark.size / 2, color) for p in finite[i])


@draw.register
def _(mark: Band, paper):
    for area in (paper(*area.T) for area in outlines(mark)):
        finite = area[np.isfinite(area).all(-1)]  # a logarithmic axis may not have all of it
        yield _polygon(finite, mark.color, HATCHED if mark.hatched else 1.0)


@draw.register
def _(mark: Dots, paper):
    points = paper(mark.x, mark.y)
    sizes = np.broadcast_to(np.asarray(mark.size, float), len(points))
    fills = [mark.style.color] * len(points)
    if mark.shade is not None:
        low, high = mark.span
        share = (np.nan_to_num(np.asarray(mark.shade, float)) - low) / (high - low)
        fills = [f"#{bytes(color).hex()}" for color in blend_colors(share, mark.colors)]
    symbols = mark.symbols or [mark.style.marker] * len(points)
    every = max(-(-len(points) // MAX_DOTS), 1)
    for p, size, color, symbol in list(zip(points, sizes, fills, symbols, strict=True))[::every]:
        if np.isfinite(p).all():
            yield _glyph(p, symbol, SHARE * size / 2, color)


@draw.register
def _(mark: Bars, paper):
    half = (mark.width or 0.8) / 2
    x = np.asarray(mark.x, float)
    ends = paper(x - half, mark.y), paper(x + half, np.zeros(len(x)))
    opacity = "" if mark.alpha is None else f' opacity="{mark.alpha:g}"'
    floor = paper.y.length
    for (x0, y0), (x1, y1) in zip(*ends, strict=True):
        y1 = y1 if np.isfinite(y1) else floor  # zero is nowhere on a logarithmic axis
        if np.isfinite([x0, y0, x1]).all():
            place = f'x="{x0:.1f}" y="{min(y0, y1):.1f}"'
            size = f'width="{max(x1 - x0, 0.1):.2f}" height="{abs(y1 - y0):.1f}"'
            yield f'<rect {place} {size} fill="{mark.color}"{opacity}/>'


@draw.register
def _(mark: Text, paper):
    return ()


@draw.register
def _(mark: Rule, paper):
    if mark.x is not None:
        x = paper.x.pixels([mark.x])[0]
        ends = np.array([[x, 0], [x, paper.y.length]])
    else:
        y = paper.y.pixels([mark.y])[0]
        ends = np.array([[0, y], [paper.x.length, y]])
    if path := _path(ends):
        yield _stroke(path, mark.style.color, 0.85 * mark.width, mark.style.dashes)


@draw.register(Heatmap)
@draw.register(Contour)
def _(mark, paper):
    z = np.asarray(mark.z, float)
    if not z.size:
        return
    span = mark.span if isinstance(mark, Heatmap) else (mark.start, mark.end)
    x, y = (
        scale.flat(np.arange(n) if places is None else places)
        for scale, places, n in ((paper.x, mark.x, z.shape[1]), (paper.y, mark.y, z.shape[0]))
    )
    if isinstance(mark, Heatmap):
        x, y = cell_edges(x), cell_edges(y)
    indices = [np.linspace(0, n - 1, min(n, MAX_PIXELS)).round().astype(int) for n in z.shape]
    z = z[np.ix_(*indices)]
    finite = np.isfinite(z)
    if span is None:
        span = (z[finite].min(), z[finite].max()) if finite.any() else (0.0, 1.0)
    share = np.clip((np.where(finite, z, span[0]) - span[0]) / (span[1] - span[0] or 1.0), 0, 1)
    if not isinstance(mark, Heatmap):
        share = np.floor(np.minimum(share, 0.999) * LEVELS) / (LEVELS - 1)
    alpha = np.where(finite, 255, 0)
    pixels = np.dstack([blend_colors(share, mark.colors), alpha]).astype(np.uint8)
    (x0, x1), (y0, y1) = paper.x.along(x[[0, -1]]), paper.y.along(y[[0, -1]])
    pixels = pixels[:: 1 if y0 <= y1 else -1, :: 1 if x0 <= x1 else -1]
    (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
    place = f'x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}"'
    crisp = ' style="image-rendering: pixelated"' if isinstance(mark, Heatmap) else ""
    yield f'<image href="{data_url(pixels)}" {place} preserveAspectRatio="none"{crisp}/>'


def _staircase(points, shape):
    if shape == "linear" or len(points) < 2:
        return points
    a, b = points[:-1], points[1:]
    middle = (a[:, :1] + b[:, :1]) / 2 if shape == "hvh" else b[:, :1]
    corners = np.stack([a, np.hstack([middle, a[:, 1:]]), np.hstack([middle, b[:, 1:]])], 1)
    return np.concatenate([corners.reshape(-1, 2), points[-1:]])


def _path(points):
    """The d of a path, with gaps at NaN; "" where there is nothing to draw."""
    parts, last = [], None
    for k, p in enumerate(points):
        if not np.isfinite(p).all():
            last = None
        elif last is None or k == len(points) - 1 or np.abs(p - last).max() >= NEAR:
            parts.append(f"{'M' if last is None else 'L'}{p[0]:.1f} {p[1]:.1f}")
            last = p
    return "".join(parts)


def _stroke(path, color, width, dashes):
    lengths = " ".join(f"{SHARE * n:g}" for n in dashes)
    dashed = f' stroke-dasharray="{lengths}"' if dashes else ""
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width:g}"{dashed}/>'


def _polygon(points, color, opacity=1.0, hollow=False):
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    faint = f' opacity="{opacity:g}"' if opacity < 1 else ""
    paint = f'fill="none" stroke="{color}"' if hollow else f'fill="{color}"'
    return f'<polygon points="{corners}" {paint}{faint}/>'


def _glyph(center, symbol, radius, color):
    """A marker; Plotly's many shapes become a star, a square, a cross or a circle here."""
    x, y, r = *center, max(radius, 0.8)
    if symbol.startswith("star"):
        angle = -np.pi / 2 + 2 * np.pi * np.arange(STAR) / STAR
        reach = np.where(np.arange(STAR) % 2, 0.45, 1.1) * r
        corners = center + reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
        return _polygon(corners, color, hollow="open" in symbol)
    if symbol.startswith("square"):
        place = f'x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:.1f}" height="{2 * r:.1f}"'
        return f'<rect {place} fill="{color}"/>'
    pen = f'stroke="{color}" stroke-width="1.4"'
    if symbol.startswith(("x", "cross")):
        side = 2 * r
        strokes = f"l{side:.1f} {side:.1f}m0 {-side:.1f}l{-side:.1f} {side:.1f}"
        return f'<path d="M{x - r:.1f} {y - r:.1f}{strokes}" {pen}/>'
    fill = f'fill="none" {pen}' if "open" in symbol else f'fill="{color}"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" {fill}/>'
