"""What a figure is made of: small frozen values that hold data and style, not how they are drawn.

Arrays are anything NumPy takes; NaN is a gap. Coordinates may be strings on an axis of categories.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from html import escape
from string import Formatter
from typing import Any

from optviz.plot.style import Colors, Style

Array = Any  # what np.asarray takes


@dataclass(frozen=True, kw_only=True, eq=False)
class Mark:
    """What all marks have in common.

    A mark without a name has no entry in the legend. `hover` is what the pointer shows: a template
    such as "{name}: {y:.1%}" (see `HOVER_FIELDS`), one finished text per point, or "" for nothing.
    """

    name: str = ""
    uid: str = ""  # tells the browser which mark of the last figure this is; made up where empty
    group: str = ""  # marks of one group are shown and hidden together by the legend
    legend: bool | None = None  # None leaves it to Plotly, which hides a legend of one entry
    hover: str | Sequence[str] = ""
    opacity: float | None = None
    values: Array = None  # a number per point, `{value}` in the hover template
    meta: Mapping | None = None  # for plot.js: what the player cuts and moves
    extra: Mapping = field(default_factory=dict)  # Plotly's own attributes; a last resort


@dataclass(frozen=True, eq=False)
class Line(Mark):
    """A line through points, with gaps at NaN."""

    x: Array
    y: Array
    style: Style
    _: KW_ONLY
    width: float = 2.4
    markers: int | bool = False  # of the style's shape: at every point, or at most so many
    size: float = 8
    symbols: Sequence[str] | None = None  # one for each point, in place of the style's
    shape: str = "linear"  # "hv": a step at the next point; "hvh": half-way between points
    fill: bool = False  # down to zero
    ends: tuple[Array, Array] | None = None  # error bars from the first to the second


@dataclass(frozen=True, eq=False)
class Band(Mark):
    """The area between two curves, with gaps where x is NaN."""

    x: Array
    low: Array
    high: Array
    color: str
    _: KW_ONLY
    opacity: float = 0.18
    hatched: bool = False


@dataclass(frozen=True, eq=False)
class Dots(Mark):
    """A marker at every point.

    `size` is one number or one for each point. `shade` colors the points by value: numbers within
    `span`, from the first of `colors` to the last. `text` stands beside the points.
    """

    x: Array
    y: Array
    style: Style
    _: KW_ONLY
    size: float | Array = 8
    symbols: Sequence[str] | None = None
    edge: str | Sequence[str] = ""  # color of the outline
    edge_width: float | Sequence[float] = 0
    alpha: float | None = None  # of the markers alone, without their outline
    shade: Array = None
    colors: Colors = ()
    span: tuple[float, float] = (0.0, 1.0)
    text: Sequence[str] | None = None
    text_position: str = "top center"
    text_size: float = 14
    text_color: str = ""


@dataclass(frozen=True, eq=False)
class Bars(Mark):
    """Upright bars centered on x, from zero."""

    x: Array
    y: Array
    color: str
    _: KW_ONLY
    width: float | None = None
    alpha: float | None = None


@dataclass(frozen=True, eq=False)
class Text(Mark):
    """Words centered on points."""

    x: Array
    y: Array
    text: Sequence[str]
    color: str
    _: KW_ONLY
    size: float = 12


@dataclass(frozen=True, eq=False)
class Rule(Mark):
    """A straight line across the panel: upright at `x`, or level at `y`."""

    style: Style
    _: KW_ONLY
    x: float | None = None
    y: float | None = None
    width: float = 1.5
    across: bool = False  # through all panels of the figure


@dataclass(frozen=True)
class ColorBar:
    """What the colors mean: labels at some values."""

    ticks: Sequence[float]
    labels: Sequence[str]
    title: str
    color: str


@dataclass(frozen=True, eq=False)
class Heatmap(Mark):
    """A matrix `(rows, columns)` as colored cells; `span` None follows the data."""

    z: Array
    colors: Colors
    _: KW_ONLY
    x: Array = None
    y: Array = None
    span: tuple[float, float] | None = None
    gap: float = 0  # pixels between cells
    bar: ColorBar | None = None


@dataclass(frozen=True, eq=False)
class _OnGrid(Mark):
    """A function on a grid, `z` `(len(y), len(x))`, with level lines from `start` to `end`."""

    x: Array
    y: Array
    z: Array
    colors: Colors
    _: KW_ONLY
    start: float
    end: float
    step: float
    line: str  # color of the level lines


@dataclass(frozen=True, eq=False)
class Contour(_OnGrid):
    """A function on a grid as filled contour lines."""

    _: KW_ONLY
    width: float = 0.8
    bar: ColorBar | None = None


@dataclass(frozen=True, eq=False)
class Surface(_OnGrid):
    """A function on a grid as a surface in space."""


@dataclass(frozen=True, eq=False)
class Line3D(Mark):
    """A line in space."""

    x: Array
    y: Array
    z: Array
    style: Style
    _: KW_ONLY
    width: float = 5


@dataclass(frozen=True, eq=False)
class Dots3D(Mark):
    """Markers in space."""

    x: Array
    y: Array
    z: Array
    style: Style
    _: KW_ONLY
    size: float = 6


def entry(name: str, *marks: Mark, group: str = "") -> list[Mark]:
    """Marks of one thing: they have its name, and the legend shows and hides them together."""
    return [replace(mark, name=name, group=group or name) for mark in marks]


# Names in a hover template, and Plotly's. `{name}` is the mark's own.
HOVER_FIELDS = {
    "x": "x",
    "y": "y",
    "z": "z",
    "text": "text",
    "value": "customdata",
    "index": "pointNumber",
}


def fill_template(template: str, **fields) -> str:
    """A hover template with some of its fields filled in; what the pointer fills in stays.

    >>> fill_template("{name}, {part}: {y:.1%}", part="test")
    '{name}, test: {y:.1%}'
    """
    out = ""
    for literal, key, spec, _ in Formatter().parse(template):
        out += _escape_braces(literal)
        if key in fields:
            out += _escape_braces(escape(format(fields[key], spec or ""), quote=False))
        elif key is not None:
            out += "{" + key + (f":{spec}" if spec else "") + "}"
    return out


def _escape_braces(text):
    return text.replace("{", "{{").replace("}", "}}")


def hover_template(mark: Mark) -> str:
    """The mark's hover text as Plotly's template. KeyError for a field that does not exist."""
    out = ""
    for literal, key, spec, _ in Formatter().parse(mark.hover):
        out += literal
        if key == "name":
            out += escape(mark.name, quote=False)
        elif key is not None:
            out += "%{" + HOVER_FIELDS[key] + (f":{spec}" if spec else "") + "}"
    return f"{out}<extra></extra>"
