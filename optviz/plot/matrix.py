"""A matrix as colored cells with words on them, its first row above."""

from collections.abc import Mapping, Sequence

import numpy as np

from optviz.plot.figure import Axis, Figure
from optviz.plot.marks import Array, Heatmap, Text
from optviz.plot.style import Colors


def matrix(
    z: Array,
    rows: Sequence[str],
    columns: Sequence[str],
    colors: Colors,
    words: Array,
    inks: Mapping[str, Array],
    *,
    span: tuple[float, float],
    titles: tuple[str, str] = ("", ""),
    size: float = 12,
    gap: float = 1,
    hover: str = "",
    **figure,
) -> Figure:
    """Cells `(rows, columns)` colored by `z` within `span`, and `words` of the same shape on some.

    `inks` maps each text color to a mask of its cells. `titles` are those of the columns and of the
    rows.
    """
    marks = [Heatmap(z, colors, x=columns, y=rows, span=span, gap=gap)]
    for color, mask in inks.items():
        if len(cells := np.argwhere(mask)):  # Plotly mixes up texts that are empty
            x, y = [columns[j] for _i, j in cells], [rows[i] for i, _j in cells]
            marks.append(Text(x, y, [words[i][j] for i, j in cells], color, size=size, hover=hover))
    axis = {"categories": True, "grid": False, "fixed": True}
    x_title, y_title = titles
    return Figure(
        marks,
        Axis(x_title, **axis),
        Axis(y_title, reversed=True, standoff=2, **axis),
        legend="",
        hover="closest",
        drag=False,
        **figure,
    )
