"""A function of two variables in three dimensions: a surface, and the paths lying on it."""

from collections.abc import Sequence

import numpy as np

from optviz.plot.contour import Domain, Heights, Landscape, Minima, Path
from optviz.plot.figure import Axis, Figure, Scene
from optviz.plot.marks import Dots3D, Line3D, Mark, Surface
from optviz.plot.style import Style, Theme

MAX_LINES = 75  # of the grid, each way: finer than this nobody sees
LEVELS = 14
LIFT = 0.006  # of the surface's height, so that a path does not sink into it


def surface(land: Landscape, theme: Theme, log: bool | None = None) -> Surface:
    """The surface, as high as the contour's levels go: in value, or in its logarithm."""
    heights = Heights.of(land, log)
    every = -(-len(land.x) // MAX_LINES)
    low, high = heights.low, heights.high
    return Surface(
        land.x[::every],
        land.y[::every],
        heights.up(land.z[::every, ::every]),
        (theme.low, theme.high),
        start=low,
        end=high,
        step=(high - low) / LEVELS or 1.0,
        line=theme.level,
    )


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

    A path that leaves the frame is not drawn where it is outside.
    """
    heights = Heights.of(land, log)
    lift = LIFT * (heights.high - heights.low)
    marks: list[Mark] = []
    for found in minima:
        (x, y), z = found.points.T, heights.up(found.values) + lift
        look = Style(theme.minimum, marker="diamond" + "-open" * found.local)
        seen = {"name": found.name, "uid": found.uid, "legend": True, "hover": "{name}"}
        marks.append(Dots3D(x, y, z, look, **seen))
    low, high = np.array(domain).T
    for path in paths:
        inside = ((path.points >= low) & (path.points <= high)).all(-1)
        x, y = np.where(inside[:, None], path.points, np.nan).T
        z = np.where(inside, heights.up(path.values) + lift, np.nan)
        joint = {"name": path.name, "group": path.id, "hover": "{name}"}
        marks.append(Line3D(x, y, z, path.style, uid=path.id, meta={"trail": True}, **joint))
        head = {"uid": f"{path.id}m", "meta": {"of": path.id}, "legend": False, "decoration": True}
        marks.append(Dots3D(x, y, z, path.style, **head, **joint))
    places, labels = heights.ticks(5)
    return Figure(
        marks,
        scene=Scene(
            Axis(titles[0], limits=domain[0]),
            Axis(titles[1], limits=domain[1]),
            Axis(titles[2], ticks=places, labels=labels),
        ),
        margin={"l": 0, "r": 24, "t": 28, "b": 0},
        **figure,
    )
