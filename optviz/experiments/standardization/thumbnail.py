"""A scene of the data-normalization page in the size of a stamp."""

import numpy as np

from optviz.experiments.standardization.figures import foot, frame
from optviz.experiments.standardization.spec import (
    Descent,
    Side,
    Standardization,
    sides,
)
from optviz.plot.style import Theme
from optviz.plot.thumbnail import HEIGHT, WIDTH, curves_thumbnail

WIDE, TALL = WIDTH / 2 - 12, HEIGHT - 16  # of each half
POINTS = 60  # of a class
LEVELS = 7


def stamp(scaling: Standardization, theme: Theme) -> str:
    """What is looked at, raw on the left and standardized on the right, or the curves of the digits; an SVG."""
    if scaling.view == "digits":
        return curves_thumbnail(scaling.trainings, theme)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
    ]
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>')
    for i, side in enumerate(sides(scaling)):
        # a picture in the picture, which cuts off what leads out of it
        parts.append(f'<svg x="{8 + i * WIDTH / 2:g}" y="8" width="{WIDE:g}" height="{TALL}">')
        parts += (
            _line(side, scaling, theme)
            if scaling.view == "line"
            else _loss(side, scaling, theme, i)
        )
        parts.append("</svg>")
    return "".join([*parts, "</svg>"])


def _line(side: Side, scaling, theme):
    """Some of the points, the origin and the turned line."""
    low, high = frame(side)
    for k, label in enumerate((-1, 1)):
        for x, y in _on_paper(side.x[side.y == label][:POINTS], low, high):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.3" fill="{theme.lines[k]}"/>'
    [(x, y)] = _on_paper(np.zeros((1, 2)), low, high)
    yield f'<path d="M{x - 5:.1f} {y:.1f}h10M{x:.1f} {y - 5:.1f}v10" stroke="{theme.ink}" stroke-width="1.5"/>'
    at, way = foot(side.turned(scaling.angle))
    if at is not None:
        margin = np.hypot(*(high - low)) + np.hypot(*at)
        yield _path(_on_paper(at + np.array([[-margin], [margin]]) * way, low, high), theme.ink)


def _loss(side: Side, scaling, theme, i):
    """Levels of the loss as its curvature at the minimum has them, and the way down."""
    low, high = np.array(side.f.domain).T
    values, vectors = np.linalg.eigh(side.f.hess(side.line[:2]))
    round = np.linspace(0, 2 * np.pi, 49)
    circle = np.stack([np.cos(round), np.sin(round)], -1) * np.sqrt(values[0] / values)
    for level in range(1, LEVELS + 1):
        ring = side.line[:2] + level / LEVELS * (high - low)[0] * circle @ vectors.T
        yield _path(_on_paper(ring, low, high), theme.level, 1)
    yield _path(_on_paper(Descent.of(side, scaling).run.points, low, high), theme.lines[3 - i])


def _on_paper(points, low, high):
    """Points `(k, 2)` in units of one half of the SVG; those that are absurdly far out are left out."""
    share = (points - low) / (high - low)
    share = share[(np.abs(share) < 100).all(-1)]
    return np.stack([WIDE * share[:, 0], TALL * (1 - share[:, 1])], -1)


def _path(points, color, width=2.5):
    drawn = "".join(f"{'L' if k else 'M'}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(points))
    return f'<path d="{drawn}" fill="none" stroke="{color}" stroke-width="{width}"/>'
