"""Rings around minima that evenly spaced levels leave without one."""

from collections.abc import Iterator

import numpy as np

from optviz.plot.landscape import Heights, Landscape

HALVINGS = 7
SHARE = 0.9  # of the way from the minimum up to where its hollow opens into another
MOST = 30  # minima: more of them are as deep as the levels show
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
    for at in minima[:MOST]:
        nearest = [np.abs(c - p).argmin() for c, p in ((land.y, at[1]), (land.x, at[0]))]
        place = _bottom(z, nearest, 2) or _bottom(z, nearest, 1)
        if place is None:
            continue
        bottom, floor = z[place], z[place] - UNEVEN * step
        closed, opened = bottom, first + step * max(np.ceil((bottom - first) / step), 0)
        if _hollow(z, place, opened, floor) is not None:
            continue
        for _ in range(HALVINGS):
            middle = (closed + opened) / 2
            found = _hollow(z, place, middle, floor)
            closed, opened = (closed, middle) if found is None else (middle, opened)
        inside = _hollow(z, place, closed, floor)
        if inside is not None:
            yield _around(land, heights, at, inside, bottom + SHARE * (closed - bottom))


def _bottom(z, nearest, far):
    """Where steps to the lowest of the points so far around end, from the one next to a minimum;
    None at the edge, or where they lead away.
    """
    at = tuple(nearest)
    while max(np.abs(np.subtract(at, nearest))) <= NEAR:
        corner = np.maximum(np.subtract(at, far), 0)
        near = z[corner[0] : at[0] + far + 1, corner[1] : at[1] + far + 1]
        if near.size < (2 * far + 1) ** 2 or not np.isfinite(near).all():
            return None
        before, at = at, tuple(np.add(np.unravel_index(near.argmin(), near.shape), corner))
        if z[at] == z[before]:
            return before
    return None


def _hollow(z, at, level, floor):
    """What is below a level around a place, `(m, n)` bool; None where that is open to the edge of
    the grid, or another place in it is below the floor.
    """
    below = z < level
    inside = np.zeros_like(below)
    inside[at] = True
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


def _around(land, heights, at, inside, level):
    """Where the way out from a minimum first gets above a level, in every direction."""
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    ends = ((land.x, columns[[0, -1]]), (land.y, rows[[0, -1]]))
    reach = [np.ptp(c[np.add(k, (-1, 1))]) for c, k in ends]  # the hollow is not at the edge
    angle = np.linspace(0, 2 * np.pi, DIRECTIONS + 1)
    ways = np.stack([np.cos(angle), np.sin(angle)], -1) * reach
    far = np.linspace(0, 1, STEPS)
    x, y = np.moveaxis(at + far[:, None, None] * ways, -1, 0)
    above = ~(heights.transform(land.at(x, y)) < level)
    out = np.where(above.any(0), above.argmax(0), STEPS - 1)
    return at + far[out][:, None] * ways
