"""One line on raw and on standardized data: clouds, curves over its angle, the loss over its
weights; and how good each kind of inputs is.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from optviz.experiments import training_charts as charts
from optviz.experiments.page import Context, Row
from optviz.experiments.standardization import text
from optviz.experiments.standardization.run import Descent, Side, descents, sides
from optviz.experiments.standardization.spec import MAX_ANGLE, RATES, Standardization
from optviz.plot import (
    Axis,
    Dots,
    Figure,
    Line,
    Mark,
    Note,
    Panel,
    Style,
    Theme,
    categories,
    contour,
    grid,
    layer,
    number,
    percent,
    style,
)
from optviz.translation import _

ANGLES = np.linspace(-MAX_ANGLE, MAX_ANGLE, 181)
GRID = 100  # points of the landscape across
THUMBNAIL_POINTS = 120
LARGE, SMALL = (16, 44, 34), (12, 30, 22)  # heights
MIN_LEFT, MAX_LEFT, MIN_OFF = 1e-10, 1e3, 1e-16  # what a logarithmic axis shows
CORNERS = {"right": 0.985, "left": 0.015}


def frame_name(spec: Standardization) -> str:
    """What the frames of the figures depend on: the points."""
    names = ("points", "spread", "gap", "offset", "stretch", "seed")
    return " ".join(f"{getattr(spec, name)!r}" for name in names)


# Two clouds and a line.


def clouds(context: Context) -> Row:
    """Raw and standardized points with the turned line."""
    spec, theme = context.spec, context.theme
    return Row([cloud(side, spec.angle, theme, frame_name(spec)) for side in sides(spec)])


def cloud(side: Side, degrees: float, theme: Theme, view: str = "") -> Figure:
    """The points, the best line, the turned one with its misses, and the center of the turn."""
    line = side.rotated_line(degrees)
    low, high = frame(side)
    wrong = side.x[side.misses(line)]
    cross, x = Style(theme.ink, marker="cross-thin-open"), Style(theme.ink, marker="x-thin-open")
    heavy, fine = ({"edge": theme.ink, "edge_width": width} for width in (2.5, 1.3))
    marks: list[Mark] = [
        Dots(
            *side.x[side.y == label].T,
            style(k, theme),
            name=_("class {k}").format(k=k + 1),
            uid=f"class{k}",
            size=6,
            alpha=0.8,
            legend=False,
        )
        for k, label in enumerate((-1, 1))
    ]
    marks += [
        Dots([0], [0], cross, name=_("origin"), uid="origin", size=18, **heavy),
        Dots(*wrong.T, x, name=_("wrong side"), uid="missed", size=7, **fine),
        _line(side.line, low, high, Style(theme.faint, (6, 5)), name=_("best"), uid="best"),
        _line(line, low, high, Style(theme.ink), name=_("turned"), uid="turned", width=3),
    ]
    width, height = high - low
    square = height < 3 * width < 9 * height  # angles keep their size
    constrained = {"constrain": "range"}
    scaled = {"scaleanchor": "x"} if square else {}
    corner = "right" if _room(side, low, high) else "left"
    return Figure(
        marks,
        Axis(_("feature x₁"), limits=(low[0], high[0]), extra=constrained),
        Axis(_("feature x₂"), limits=(low[1], high[1]), standoff=2, extra=constrained | scaled),
        notes=[_note(text.result_text(side, line), theme, corner)],
        label=_("Two clouds of {name} data with the best line and the turned one.").format(
            name=text.side_name(side)
        ),
        margin={"l": 46, "r": 10, "b": 46},
        hover=False,
        height=LARGE,
        view=view,
    )


def angle_curves(context: Context) -> Row:
    """Accuracy and loss over the angle, with a mark at the current one."""
    spec, theme = context.spec, context.theme
    return Row([over_angles(spec, field, theme) for field in ("accuracy", "loss")])


def over_angles(spec: Standardization, field: str, theme: Theme) -> Figure:
    """Accuracy or loss of the line over the angle by which it is turned."""
    marks = []
    for side in sides(spec):
        metric = getattr(side, field)
        current = spec.angle, float(metric(side.rotated_line(spec.angle)))
        hover = _("{name}, {x:g}°: {y:.4g}")
        marks += _curve(side, ANGLES, metric(side.rotated_line(ANGLES)), hover, theme, current)
    share = percent(_("accuracy"), (0, 1.03), standoff=2)
    y = share if field == "accuracy" else Axis(_("logistic loss"), log=True, standoff=2)
    x = Axis(_("line turned by"), limits=(-MAX_ANGLE, MAX_ANGLE), step=15, suffix="°")
    label = text.OVER_ANGLES[field]
    return Figure(marks, x, y, label=label, hover="closest", height=SMALL, view=field)


def scales(context: Context) -> Figure:
    """The points raw, centered, and standardized, in frames of one size around zero."""
    theme, (raw, standard) = context.theme, sides(context.spec)
    centered = raw.x - raw.x.mean(0)
    variants = {_("raw"): raw.x, _("centered"): centered, _("standardized"): standard.x}
    limit = 1.05 * max(float(np.abs(x).max()) for x in variants.values())
    panels = []
    for title, points in variants.items():
        marks = [
            Dots(*points[raw.y == label].T, style(k, theme), uid=f"{title}{k}", size=4, alpha=0.7)
            for k, label in enumerate((-1, 1))
        ]
        x_axis, y_axis = (
            Axis(name, limits=(-limit, limit), zero=theme.ink)
            for name in (_("feature x₁"), _("feature x₂"))
        )
        panels.append(Panel(marks, x_axis, y_axis, title=title))
    label = _("The points: raw, centered, and standardized.")
    return grid(panels, 3, share_y=True, legend="", hover=False, label=label, height=SMALL)


# The loss over the weights.


def path(context: Context) -> Row:
    """The descent on each side over the contour of the loss."""
    view = frame_name(context.spec)
    return Row([descent_path(d, context.theme, view) for d in descents(context.spec)])


def descent_path(descent: Descent, theme: Theme, view: str = "") -> Figure:
    """The descent from zero to the best weights."""
    side, run = descent.side, descent.run
    name, best = _("rate {rate}").format(rate=number(descent.rate, 3)), side.line[None, :2]
    return contour.paths(
        side.f,
        side.f.start,
        [(side.name, name, run.points, run.values, text.side_style(side, theme))],
        [contour.Minima(_("minimum"), best, side.f.value(best))],
        theme,
        titles=(_("weight w₁"), _("weight w₂")),
        notes=[_note(text.condition(side), theme, "left")],
        label=_(
            "The loss over the two weights on {name} data, and the path of the descent."
        ).format(name=text.side_name(side)),
        view=view,
        under=(f"{view} {side.name} {theme.ink}", lambda: layer(levels(side, theme))),
        height=LARGE,
    )


def levels(side: Side, theme: Theme, points: int = GRID):
    """The loss over the two weights as a contour; levels in equal ratios, on both sides."""
    return contour.landscape(_landscape(side, points), theme, log=True)


@lru_cache(64)
def _landscape(side, points):
    return contour.Landscape.from_function(side.f, points)


def descent(context: Context) -> Row:
    """How far the weights are from the best ones, and the final excess loss for each rate."""
    runs = descents(context.spec)
    return Row([distances(runs, context.theme), over_rates(runs, context.theme)])


def distances(runs: list[Descent], theme: Theme) -> Figure:
    """How far the weights are from the best ones, step by step."""
    offs = [np.maximum(d.off, MIN_OFF) for d in runs]
    marks = []
    for d, off in zip(runs, offs, strict=True):
        hover = _("{name}, step {x}: {y:.3g}")
        marks += _curve(d.side, np.arange(len(off)), off, hover, theme)
    least = max(min(float(np.nanmin(off)) for off in offs), 1e-8)
    x = Axis(_("step"), limits=(0, len(offs[0]) - 1))
    limits = (10**-0.3 * least, 10**1.2)
    y = Axis(_("weights off by"), limits=limits, log=True, ticks=6, standoff=2)
    label = _("Distance to the best weights over the steps. The table gives the final distance.")
    return Figure(marks, x, y, label=label, hover="closest", height=SMALL, view="along")


def over_rates(runs: list[Descent], theme: Theme) -> Figure:
    """The excess over the lowest loss after the last step, over the rate, with a mark at the rate
    in use.
    """
    marks = []
    for d in runs:
        least = d.side.min_loss
        left, end = (
            np.clip(np.where(np.isfinite(v), v, np.inf) - least, MIN_LEFT, MAX_LEFT)
            for v in (d.ends, d.run.values[-1])
        )
        hover = _("{name}, rate {x:.3g}: {y:.3g}")
        marks += _curve(d.side, RATES, left, hover, theme, (d.rate, float(end)))
    x, y = Axis(_("learning rate"), log=True), Axis(_("excess loss"), log=True, standoff=2)
    label = _("Loss after the last step over the learning rate.")
    return Figure(marks, x, y, label=label, hover="closest", height=SMALL, view="rates")


# Digits.


def bars(context: Context) -> Row:
    """The mean accuracy over the seeds as a bar, and every seed as a mark on it."""
    return Row([accuracy(context.lines, context.theme, part) for part in (0, 1)])


def accuracy(lines, theme: Theme, part: int = 0) -> Figure:
    """The last accuracy of each kind of inputs on the training (0) or the validation set (1)."""
    marks = []
    for k, line in enumerate(lines):
        accuracies = text.accuracies(line)[part]
        shape = {"width": 0.62, "spread": 0.18, "alpha": 0.45, "size": 9}
        hover = _("{name}: mean {y:.1%}")
        marks += line.bar(k, accuracies, edge=theme.ink, bar_hover=hover, **shape)
    return Figure(
        marks,
        categories([line.name for line in lines]),
        percent(text.ACCURACY_ON[part], (0, 1.04)),
        label=text.SEED_BY_SEED[part],
        hover="closest",
        height=18,
        margin={"t": 12},
        legend="",
        view="bars",
    )


# The thumbnail, and helpers of the figures.


def thumbnail(spec: Standardization, theme: Theme) -> Figure:
    """The current view, raw on the left and standardized on the right; or the digits' curves."""
    if spec.view == "digits":
        return charts.thumbnail(spec, theme)
    if spec.view == "line":
        every = slice(None, None, -(-spec.points // THUMBNAIL_POINTS))
        pictures = [
            cloud(replace(side, x=side.x[every], y=side.y[every]), spec.angle, theme)
            for side in sides(spec)
        ]
    else:
        pictures = [
            descent_path(d, theme).add(levels(d.side, theme, 40), under=True)
            for d in descents(spec)
        ]
    return grid([figure.frames[0] for figure in pictures], 2)


def _curve(side, x, y, hover, theme, current=None):
    """A side's curve, with a mark at `current` if given."""
    line_style, name = text.side_style(side, theme), text.side_name(side)
    marks = [Line(x, y, line_style, uid=side.name, name=name, hover=hover)]
    if current:
        point, edge = ([current[0]], [current[1]]), {"edge": theme.ink, "edge_width": 2}
        uid = f"{side.name}m"
        marks.append(Dots(*point, line_style, name=name, uid=uid, size=13, legend=False, **edge))
    return marks


def _note(message, theme, corner):
    """A line of text in a lower corner of a picture."""
    box = {"size": 15, "color": theme.ink, "background": theme.high}
    return Note(message, CORNERS[corner], 0.025, f"{corner} bottom", **box)


def _room(side, low, high):
    """Whether there is more room for a note on the right than on the left, at the bottom."""
    middle = (low + high) / 2
    below = side.x[side.x[:, 1] < middle[1], 0]
    return 2 * int((below > middle[0]).sum()) <= len(below)


def frame(side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner of a picture that contains the points and the origin."""
    low, high = np.minimum(side.x.min(0), 0), np.maximum(side.x.max(0), 0)
    margin = 0.08 * (high - low)
    return low - margin, high + margin


def _line(line, low, high, pen, width=2.0, **names):
    """The decision boundary of a line's model, far beyond the frame, so that it continues when the
    picture is dragged. Empty if the line has no weights.
    """
    w, b = line[:2], line[2]
    size = float(np.hypot(*w))
    ends = np.full((2, 2), np.nan)
    if size:
        nearest, direction = -b * w / size**2, np.array([-w[1], w[0]]) / size
        reach = 4 * float(np.hypot(*(high - low))) + float(np.hypot(*nearest))
        ends = nearest + np.array([[-reach], [reach]]) * direction
    return Line(*ends.T, pen, width=width, **names)
