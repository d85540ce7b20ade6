"""A function of two variables in three dimensions: a surface, and the paths lying on it."""

from collections.abc import Sequence

import numpy as np

from optviz.plot.contour import Minima, Path
from optviz.plot.figure import Axis, Figure, Scene
from optviz.plot.landscape import Domain, Heights, Landscape
from optviz.plot.marks import Dots3D, Line3D, Mark, Surface, entry
from optviz.plot.style import Style, Theme

MAX_LINES = 75  # of the grid, each way: finer than this nobody sees
LEVELS = 14
PER_STEP = 8  # points of a path for every step
MANY = 16  # with more minima a surface is rugged: its hills would hide the paths behind them
HIGH, FLAT = (1.4, 1.4, 0.6), (1.4, 1.4, 0.3)  # aspects; a rugged one is flat and lets some through
LIFT = 0.006  # of the surface's height, so that a path does not sink into it
MARK = 4  # times that for a minimum, or half of its sign would be buried


def surface(
    land: Landscape,
    theme: Theme,
    log: bool | None = None,
    colors: Sequence[str] = (),
    rugged: bool = False,
) -> Surface:
    """The surface, as high as the contour's levels go: in value, or in its logarithm."""
    heights = Heights.from_landscape(land, log)
    stride, sign = -(-len(land.x) // MAX_LINES), heights.sign
    low, high = sorted([sign * heights.low, sign * heights.high])
    return Surface(
        land.x[::stride],
        land.y[::stride],
        sign * heights.transform(land.z[::stride, ::stride]),
        (colors or theme.maps["strong"])[::sign],
        start=low,
        end=high,
        step=(high - low) / LEVELS or 1.0,
        line=theme.level,
        opacity=0.75 if rugged else None,
    )


def is_rugged(minima: Sequence[Minima]) -> bool:
    """Whether there are so many that hills hide what lies between them."""
    return sum(len(group.points) for group in minima if not group.curve) > MANY


def interpolate_path(values: np.ndarray) -> np.ndarray:
    """Values at every step, and evenly interpolated from one to the next."""
    n = len(values)
    return np.interp(np.arange((n - 1) * PER_STEP + 1) / PER_STEP, np.arange(n), values)


def surface_figure(
    domain: Domain,
    land: Landscape,
    paths: Sequence[Path],
    minima: Sequence[Minima],
    theme: Theme,
    log: bool | None = None,
    titles: tuple[str, str, str] = ("x", "y", "f"),
    **figure,
) -> Figure:
    """The paths on the surface, with their heads, and the minima.

    A path lies on the surface between its points, too, so that no hill hides it; where it is
    outside of the frame it is not drawn.
    """
    heights = Heights.from_landscape(land, log)
    lift, sign = LIFT * (heights.high - heights.low), heights.sign
    marks: list[Mark] = []
    rugged = is_rugged(minima)
    for group in minima:
        if rugged and group.local:  # they would hide the paths
            continue
        (x, y), z = group.points.T, sign * heights.transform(sign * group.values) + MARK * lift
        style = Style(theme.minimum, marker="diamond" + "-open" * group.local)
        options = {"name": group.name, "uid": group.uid, "legend": True, "hover": "{name}"}
        marks.append(Dots3D(x, y, z, style, **options))
    low, high = np.array(domain).T
    for path in paths:
        inside = ((path.points >= low) & (path.points <= high)).all(-1)
        x, y = points = np.where(inside[:, None], path.points, np.nan).T
        z = np.where(inside, sign * heights.transform(sign * path.values) + lift, np.nan)
        between = np.stack([interpolate_path(c) for c in points])
        height = sign * heights.transform(land.at(*between)) + lift
        height[::PER_STEP] = z
        line = {"uid": path.id, "hover": "{name}", "meta": {"trail": True, "per": PER_STEP}}
        head = {"uid": f"{path.id}m", "hover": "{name}", "meta": {"of": path.id}, "legend": False}
        track = Line3D(*between, height, path.style, **line), Dots3D(x, y, z, path.style, **head)
        marks += entry(path.name, *track, group=path.id)
    places, labels = heights.ticks(3 if rugged else 5)
    return Figure(
        marks,
        scene=Scene(
            Axis(titles[0], limits=domain[0]),
            Axis(titles[1], limits=domain[1]),
            Axis(titles[2], ticks=sign * places, labels=labels),
            FLAT if rugged else HIGH,
        ),
        margin={"l": 0, "r": 24, "t": 28, "b": 0},
        **figure,
    )
