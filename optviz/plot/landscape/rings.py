"""Rings around minima that evenly spaced levels leave without one."""

from collections.abc import Iterator

import numpy as np

from optviz.plot.landscape import Heights, Landscape

HALVINGS = 7
SHARE = 0.9  # of the way from the minimum up to where its basin opens into another
MAX_MINIMA = 30  # more of them are as deep as the levels show
NEAR = 5  # points of the grid from a minimum to the lowest of them, in a thin valley
UNEVEN = 0.05  # of a step: what the floor of a thin valley has of bumps on the grid
DIRECTIONS, STEPS = 60, 120  # from the minimum outward


def rings(
    land: Landscape, heights: Heights, first: float, step: float, minima
) -> Iterator[np.ndarray]:
    """Closed lines `(n, 2)` around those of `minima` `(k, 2)` that no level at `first` or any
    number of steps above it surrounds.
    """
    z = heights.transform(land.z)
    for minimum in minima[:MAX_MINIMA]:
        nearest = [np.abs(c - p).argmin() for c, p in ((land.y, minimum[1]), (land.x, minimum[0]))]
        lowest = _descend(z, nearest, 2) or _descend(z, nearest, 1)
        if lowest is None:
            continue
        bottom, floor = z[lowest], z[lowest] - UNEVEN * step
        closed, opened = bottom, first + step * max(np.ceil((bottom - first) / step), 0)
        if _basin(z, lowest, opened, floor) is not None:
            continue
        for _ in range(HALVINGS):
            level = (closed + opened) / 2
            basin = _basin(z, lowest, level, floor)
            closed, opened = (closed, level) if basin is None else (level, opened)
        inside = _basin(z, lowest, closed, floor)
        if inside is not None:
            yield _outline(land, heights, minimum, inside, bottom + SHARE * (closed - bottom))


def _descend(z, nearest, radius):
    """Where steps to the lowest point within `radius` end, from the point nearest to a minimum;
    None at the edge, or where they lead away.
    """
    cell = tuple(nearest)
    while max(np.abs(np.subtract(cell, nearest))) <= NEAR:
        corner = np.maximum(np.subtract(cell, radius), 0)
        near = z[corner[0] : cell[0] + radius + 1, corner[1] : cell[1] + radius + 1]
        if near.size < (2 * radius + 1) ** 2 or not np.isfinite(near).all():
            return None
        previous, cell = cell, tuple(np.add(np.unravel_index(near.argmin(), near.shape), corner))
        if z[cell] == z[previous]:
            return previous
    return None


def _basin(z, cell, level, floor):
    """What is below a level around a cell, `(m, n)` bool; None where that is open to the edge of
    the grid, or another cell in it is below the floor.
    """
    below = z < level
    inside = np.zeros_like(below)
    inside[cell] = True
    while True:
        grown = inside.copy()
        grown[1:] |= inside[:-1]
        grown[:-1] |= inside[1:]
        grown[:, 1:] |= inside[:, :-1]
        grown[:, :-1] |= inside[:, 1:]
        grown &= below
        if grown[[0, -1]].any() or grown[:, [0, -1]].any() or z[grown].min(initial=np.inf) < floor:
            return None
        if (grown == inside).all():
            return inside if inside.any() else None
        inside = grown


def _outline(land, heights, minimum, basin, level):
    """Where rays from a minimum first rise above a level, in every direction."""
    rows, columns = (np.flatnonzero(basin.any(axis)) for axis in (1, 0))
    extents = ((land.x, columns[[0, -1]]), (land.y, rows[[0, -1]]))
    reach = [np.ptp(c[np.add(k, (-1, 1))]) for c, k in extents]  # the basin is not at the edge
    angle = np.linspace(0, 2 * np.pi, DIRECTIONS + 1)
    rays = np.stack([np.cos(angle), np.sin(angle)], -1) * reach
    fractions = np.linspace(0, 1, STEPS)
    x, y = np.moveaxis(minimum + fractions[:, None, None] * rays, -1, 0)
    above = ~(heights.transform(land.at(x, y)) < level)
    exit_index = np.where(above.any(0), above.argmax(0), STEPS - 1)
    return minimum + fractions[exit_index][:, None] * rays
