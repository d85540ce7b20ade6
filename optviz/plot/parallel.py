"""Parallel coordinates: an upright axis for each quantity, a line across them for each thing.

Inselberg (1985), The plane with parallel coordinates. Made of marks that every writer knows; what
the browser needs to brush the axes is in the layout (`brush`), for every figure of the same things.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from textwrap import wrap

import numpy as np

from optviz.plot.figure import Axis, Figure
from optviz.plot.marks import Array, Dots, Line, Rule
from optviz.plot.style import Style, Theme, number

ROOM = 0.05  # above and below the axes, as a share of their length
MAX_TICKS = 6
HEAD = 10  # letters in a line of a heading
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False)
class Bundle:
    """Lines of one style, and which rows of the values they show."""

    name: str
    rows: Array
    style: Style
    _: KW_ONLY
    width: float = 1.2
    opacity: float | None = None


def axis_values(axes: Sequence[Axis], values) -> np.ndarray:
    """Values `(n, d)` in units in which the axes are even: exponents of ten on logarithmic ones."""
    columns = zip(axes, np.asarray(values, float).T, strict=True)
    return np.stack([np.log10(v) if axis.log else v for axis, v in columns], -1).round(4)


def _limits(axes):
    """Both ends of every axis, `(2, d)`, in the same units."""
    return axis_values(axes, np.array([axis.limits for axis in axes]).T)


def brush(keys: Sequence[str], axes: Sequence[Axis], values, ranges: Mapping) -> dict:
    """What lets the browser hide lines by ranges on axes, for the `extra` of a figure.

    Axes are known by `keys`; `ranges` holds low and high of those that are brushed, in
    the units of `axis_values`.
    Marks whose `meta` has `trials`, the row of each point, are cut by it.
    """
    ends = _limits(axes).T.tolist()
    named = [
        {"key": key, "label": axis.title, "ends": end, "log": axis.log}
        for key, axis, end in zip(keys, axes, ends, strict=True)
    ]
    points = [[None if v != v else v for v in row] for row in axis_values(axes, values).tolist()]
    return {"meta": {"brush": {"axes": named, "points": points, "ranges": dict(ranges)}}}


def parallel_coordinates(
    axes: Sequence[Axis],
    values,
    bundles: Sequence[Bundle],
    hover: Sequence[str],
    theme: Theme,
    best: int | None = None,
    best_text: str = "",
    **figure,
) -> Figure:
    """Rows of values `(n, d)`, within the limits of the axes; the best has a ring and a text.

    What is brushed away stays as a faint line. `hover` has a text for each row.
    """
    d, (low, high) = len(axes), _limits(axes)
    shares = (axis_values(axes, values) - low) / (high - low)
    marks = [Rule(Style(theme.faint), x=float(i), width=1.2) for i in range(d)]
    if len(shares):
        background = Bundle("", range(len(shares)), Style(theme.faint), width=1, opacity=0.12)
        marks.append(_lines(shares, background, uid="everyone", legend=False))
    for i, bundle in enumerate(bundles):
        rows = np.repeat(np.asarray(bundle.rows, int), d + 1)  # of every point and gap
        if len(rows):
            options = {"hover": [hover[k] for k in rows], "meta": {"trials": rows.tolist()}}
            marks.append(_lines(shares, bundle, uid=f"bundle-{i}", legend=True, **options))
    for i, axis in enumerate(axes):
        places, labels = _ticks(axis)
        heights = (axis_values([axis], np.array([places]).T)[:, 0] - low[i]) / (high[i] - low[i])
        marks.append(
            Dots(
                np.full(len(heights), float(i)),
                heights,
                Style(theme.faint, marker="line-ew"),
                uid=f"ticks-{i}",
                legend=False,
                size=7,
                edge=theme.faint,
                edge_width=1.5,
                text=[label + 3 * "\xa0" for label in labels],  # aside of the ends to take hold of
                text_position="middle left",
                text_size=11,
                text_color=theme.ink,
            )
        )
    if best is not None:
        marks.append(
            Dots(
                [d - 1.0],
                [shares[best, -1]],
                Style(theme.ink, marker="circle-open"),
                uid="best",
                legend=False,
                meta={"trials": [best]},
                size=15,
                edge=theme.ink,
                edge_width=3,
                text=[f"<b>{best_text}</b>"],
                text_position="middle right",
                text_color=theme.ink,
            )
        )
    headings = ["<br>".join(wrap(axis.title, HEAD)) for axis in axes]
    limits = (-0.5, d - 0.5)
    return Figure(
        marks,
        Axis(limits=limits, ticks=range(d), labels=headings, fixed=True, grid=False, tick_angle=0),
        Axis(limits=(-ROOM, 1 + ROOM), ticks=(), tick_labels=False, fixed=True, grid=False),
        **{"hover": "closest", "drag": False, "margin": {"l": 8, "r": 8, "b": 62}, **figure},
    )


def _lines(shares, bundle, **options):
    rows, d = np.asarray(bundle.rows, int), shares.shape[1]
    points = np.full((len(rows), d + 1, 2), np.nan)  # a gap after each line
    points[:, :d, 0], points[:, :d, 1] = np.arange(d), shares[rows]
    style = {"name": bundle.name, "width": bundle.width, "opacity": bundle.opacity}
    return Line(*points.reshape(-1, 2).T, bundle.style, **style, **options)


def _ticks(axis):
    """Where an axis has ticks, and what they say: powers of ten, or shares in percent."""
    low, high = axis.limits
    if not axis.log:
        places = np.linspace(low, high, MAX_TICKS)
        return places, [f"{number(100 * v, 3)}%" for v in places]
    powers = np.arange(np.ceil(np.log10(low) - 1e-6), np.log10(high) + 1e-6)
    powers = powers[:: -(-len(powers) // MAX_TICKS)] if len(powers) else powers
    return 10.0**powers, ["10" + f"{p:g}".translate(SUPERSCRIPT) for p in powers]
