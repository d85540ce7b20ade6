"""A figure as a value: panels with marks, axes and notes; renderers decide how it is drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property

import numpy as np

from optviz.plot.marks import Mark

MARGIN = {"l": 62, "r": 18, "t": 30, "b": 42}  # pixels
GRID_TICKS = 11  # font size in small multiples
GRID_TITLE = 12


@dataclass(frozen=True)
class Axis:
    """One axis. Limits and ticks are in the units of the data, on a logarithmic axis too.

    `ticks` is where they are, with `labels` what they say, or an int: at most so many. `step` is
    Plotly's dtick: on a logarithmic axis 1 for every power of ten, "D2" for 1, 2, 5. A logarithmic
    axis without ticks gets a step or ticks that fit its limits, or what is drawn.
    """

    title: str = ""
    _: KW_ONLY
    limits: Sequence[float] | None = None
    log: bool = False
    format: str = ""  # d3-format of the ticks, ".0%"
    suffix: str = ""  # after each tick
    ticks: int | Sequence[float] | None = None
    labels: Sequence[str] | None = None
    step: float | str | None = None
    powers: bool = False  # 10⁵ for large and small numbers; always so on a logarithmic axis
    zero: bool | str = False  # a line at zero, or its color
    grid: bool | None = None
    fixed: bool = False  # cannot be zoomed
    categories: bool = False
    reversed: bool = False
    tick_labels: bool = True
    tick_size: float | None = None
    tick_angle: float | None = None
    title_size: float | None = None
    standoff: float | None = None  # of the title from the ticks, in pixels; 4 below an x axis
    extra: Mapping = field(default_factory=dict)  # Plotly's own attributes; a last resort


def percent(title: str = "", limits: Sequence[float] | None = (0, 1.02), **axis) -> Axis:
    """An axis of shares, with ticks in percent."""
    return Axis(title, limits=limits, format=".0%", **axis)


def categories(names: Sequence[str], **axis) -> Axis:
    """An axis with a name at 0, 1, 2 …, for bars and dots side by side; it cannot be zoomed."""
    span = (-0.5, max(len(names) - 0.5, 0.5))
    positions = tuple(range(len(names)))
    return Axis(limits=span, ticks=positions, labels=tuple(names), fixed=True, **axis)


def hidden(limits: Sequence[float]) -> Axis:
    """An axis that is not drawn and cannot be zoomed."""
    return Axis(limits=limits, fixed=True, extra={"visible": False})


@dataclass(frozen=True)
class Note:
    """Words in the picture, in Plotly's subset of HTML: `escape` what a person has typed.

    x and y are shares of the picture, or with `data` in the units of the axes. `anchor` says which
    part of the text is there. `arrow` is where the text stands, in pixels from the arrow's tip.
    """

    text: str
    x: float
    y: float
    anchor: str = "left bottom"
    _: KW_ONLY
    data: bool = False
    size: float = 13
    color: str = ""
    arrow: tuple[float, float] | None = None
    background: str = ""
    shift: float = 0  # pixels to the right
    extra: Mapping = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Panel:
    """One frame with marks. An axis that is None is the first panel's."""

    marks: Sequence[Mark]
    x: Axis | None = None
    y: Axis | None = None
    _: KW_ONLY
    title: str = ""
    title_color: str = ""
    title_inside: bool = False  # in the upper right corner, not above
    notes: Sequence[Note] = ()
    x_domain: tuple[float, float] = (0.0, 1.0)  # where it is, in shares of the picture
    y_domain: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Scene:
    """The axes of a figure in three dimensions."""

    x: Axis
    y: Axis
    z: Axis
    aspect: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Figure:
    """Marks on two axes; or `panels`, as `grid`, `stack`, `marginals` lay them out; or a `scene`.

    `height` is in rem, or (rem at least, percent of the window, rem at most). `margin` replaces
    sides of MARGIN. `legend` is "top", "inside" (lower right corner), "window" (top edge of the
    picture, above panel titles) or "".
    """

    marks: Sequence[Mark] = ()
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    _: KW_ONLY
    panels: Sequence[Panel] = ()
    scene: Scene | None = None
    notes: Sequence[Note] = ()
    label: str = ""  # what the figure shows, for screen readers
    view: str = ""  # names the frame: while it is the same, a reader's zoom stays
    # a name for the lower layer, and its maker
    under: tuple[str, Callable[[], Mapping]] | None = None
    legend: str = "top"
    show_legend: bool | None = None  # True: even of a single entry
    margin: Mapping[str, float] = field(default_factory=dict)
    height: float | tuple[float, float, float] | None = None
    hover: str | bool = "x"  # "x": everything at one x; "closest": one point
    drag: str | bool = "pan"
    extra: Mapping = field(default_factory=dict)  # of Plotly's layout; a last resort

    @cached_property
    def frames(self) -> tuple[Panel, ...]:
        """The panels, or the only one of a plain figure; the first has both axes and the notes."""
        first, *others = self.panels or (Panel(self.marks, self.x, self.y),)
        notes = (*first.notes, *self.notes)
        first = replace(first, x=first.x or Axis(), y=first.y or Axis(), notes=notes)
        return (first, *others)

    def panels_by_axis(self, letter: str) -> list[list[Panel]]:
        """The panels on each x or y axis, the one that defines it first."""
        first, *others = self.frames
        separate = [[panel] for panel in others if getattr(panel, letter) is not None]
        return [[first, *(p for p in others if getattr(p, letter) is None)], *separate]

    @property
    def css_height(self) -> str:
        """The height in CSS; empty where the page decides."""
        if isinstance(self.height, tuple):
            lowest, share, highest = self.height
            return f"clamp({lowest:g}rem, {share:g}vh, {highest:g}rem)"
        return "" if self.height is None else f"{self.height:g}rem"

    def add(self, *marks: Mark, under: bool = False) -> "Figure":
        """With more marks in its only panel, on top of the others or under them."""
        return replace(self, marks=(*marks, *self.marks) if under else (*self.marks, *marks))


def grid(
    panels: Sequence[Panel],
    columns: int,
    gap: tuple[float, float] = (0.03, 0.075),
    share_x: bool = False,
    share_y: bool = False,
    **figure,
) -> Figure:
    """Small multiples, row by row, that cannot be zoomed; `gap` is a share of width and of height.

    With `share_x` ticks and titles stand under the lowest panel of each column only, with
    `share_y` at the left of each row only.
    """
    rows = -(-len(panels) // columns)
    x_gap, y_gap = gap
    width = (1 - x_gap * (columns - 1)) / columns
    height = (1 - y_gap * (rows - 1)) / max(rows, 1)
    placed = []
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        left, top = column * (width + x_gap), 1 - row * (height + y_gap)
        lowest, leftmost = i + columns >= len(panels), column == 0
        placed.append(
            replace(
                panel,
                x=replace(_small(panel.x, lowest or not share_x), tick_angle=0),
                y=_small(panel.y, leftmost or not share_y),
                x_domain=(left, min(left + width, 1.0)),
                y_domain=(max(top - height, 0.0), top),
            )
        )
    return Figure(panels=placed, **{"hover": "closest", "drag": False, **figure})


def _small(axis, outer):
    axis = replace(axis or Axis(), fixed=True, tick_size=GRID_TICKS, title_size=GRID_TITLE)
    axis = replace(axis, standoff=2 if axis.standoff is None else axis.standoff)
    return axis if outer else replace(axis, tick_labels=False, title="")


def stack(
    panels: Sequence[Panel], gap: float = 0.06, heights: Sequence[float] | None = None, **figure
) -> Figure:
    """Panels one above the other on the first one's x axis; `heights` are relative.

    A plain figure's only panel, to put another below it, is `figure.frames[0]`.
    """
    shares = np.asarray(heights if heights is not None else [1] * len(panels), float)
    shares = shares / shares.sum() * (1 - gap * (len(panels) - 1))
    tops = 1 - np.concatenate([[0], (shares + gap).cumsum()[:-1]])
    placed = [
        replace(panel, x=None if k else panel.x, y_domain=(max(float(top - size), 0.0), float(top)))
        for k, (panel, top, size) in enumerate(zip(panels, tops, shares, strict=True))
    ]
    return Figure(panels=placed, **figure)


def marginals(main: Panel, top: Panel, right: Panel, **figure) -> Figure:
    """A panel with two small ones on its axes: `above` has its own y axis, `beside` its own x."""
    large, small = (0.0, 0.7), (0.78, 1.0)
    panels = [
        replace(main, x_domain=large, y_domain=large),
        replace(top, x=None, x_domain=large, y_domain=small),
        replace(right, y=None, x_domain=small, y_domain=large),
    ]
    return Figure(panels=panels, **{"hover": "closest", **figure})
