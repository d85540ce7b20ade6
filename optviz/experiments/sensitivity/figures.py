"""Curves over the rate, the paths, and the sharpness along one of them."""

import numpy as np
import streamlit as st

from optviz.experiments.page import Context, Row, Widget
from optviz.experiments.sensitivity import run, text
from optviz.experiments.sensitivity.spec import Sensitivity
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.figures import minima
from optviz.experiments.trajectories.text import undefined_start
from optviz.optim.sensitivity.stability import edge_of_stability
from optviz.plot import (
    Axis,
    Band,
    Dots,
    Figure,
    Line,
    Rule,
    Style,
    Theme,
    contour,
    layer,
    method_styles,
    to_plotly,
)
from optviz.translation import _
from optviz.ui.components import show
from optviz.ui.live import start_handle
from optviz.ui.session import session

HEIGHT = (16, 48, 34)
TINY = 1e-16  # a gap below it is none
BEYOND = 1e3  # times the limit: a path with so much sharpness does not come back


# The loss over the rate.


def over_rate(spec: Sensitivity, theme: Theme, curves) -> Figure:
    """The loss after the steps over the rate; a line at each optimizer's current one."""
    styles, marks = method_styles(spec.optimizers, theme), []
    start = float(np.nan_to_num(run.height(spec.objective)))  # 0 where f has no value
    lowest = [float(np.nanmin(c.medians, initial=start)) for c in curves if c.best >= 0]
    top, bottom = run.DIVERGED_FACTOR * max(start, TINY), max(min(lowest, default=start), TINY) / 3
    for i, (name, curve, line_style) in enumerate(zip(spec.names, curves, styles, strict=True)):
        medians = np.maximum(curve.medians, bottom)
        if curve.gaps.shape[-1] > 1:
            low, high = (np.maximum(q, bottom) for q in np.quantile(curve.gaps, [0.1, 0.9], axis=1))
            high = np.minimum(high, top)
            marks.append(Band(curve.rates, low, high, line_style.color, group=f"r{i}"))
        hover = _("{name}: rate {x:.3g}, loss {y:.3g} above the minimum")
        labels = {"name": name, "group": f"r{i}"}
        marks.append(Line(curve.rates, medians, line_style, uid=f"r{i}", hover=hover, **labels))
        diverged = curve.rates[~(curve.medians <= top)]
        diverged = diverged[diverged > curve.rates[max(curve.best, 0)]]
        if len(diverged):
            cross = Dots(
                diverged[:1],
                [top / 1.5],
                Style(line_style.color, marker="x-thin-open"),
                uid=f"x{i}",
                hover=_("{name} diverges from rate {x:.3g} on"),
                size=12,
                edge=line_style.color,
                edge_width=3,
                legend=False,
                **labels,
            )
            marks.append(cross)
        current = Dots(
            [curve.current],
            np.clip(np.median(curve.current_gaps, keepdims=True), bottom, top / 1.5),
            line_style,
            name=name,
            uid=f"h{i}",
            hover=_("{name}: current rate {x:.3g}"),
            size=11,
            edge=theme.ink,
            edge_width=1.5,
            legend=False,
        )
        marks += [Rule(Style(line_style.color, (3, 3)), x=curve.current), current]
    rates = np.concatenate([c.rates for c in curves])
    x = Axis(_("learning rate"), limits=(rates.min(), rates.max()), log=True)
    y = Axis(_("loss above the minimum"), limits=(bottom, top), log=True)
    label = _(
        "Loss after {n} steps over the learning rate, for {names}. The table shows the same data."
    )
    label = label.format(n=spec.objective.steps, names=", ".join(spec.names))
    return Figure(marks, x, y, label=label, height=HEIGHT, hover="closest")


def paths(spec: Sensitivity, theme: Theme, only=None) -> Figure:
    """The contour with the paths of all optimizers, or of those with indices in `only`."""
    objective, f = spec.objective, spec.objective.f
    styles, tracks = method_styles(spec.optimizers, theme), []
    for i, (name, config) in enumerate(zip(spec.names, spec.optimizers, strict=True)):
        if only is None or i in only:
            path = runs.path(objective, config)
            tracks.append(contour.Path(f"r{i}", name, path.points, path.values, styles[i]))
    key = objective.landscape_key()

    def under():
        return layer(contour.landscape(runs.landscape(objective), theme))

    names = ", ".join(path.name for path in tracks) or ", ".join(spec.names)
    label = (
        _("Contour of {function} with the paths of {names}.")
        if tracks
        else _("Contour of {function} with the end points of {names}. The table summarizes them.")
    )
    return contour.paths(
        f,
        objective.start,
        tracks,
        minima(f),
        theme,
        view=key,
        under=(f"{key} {theme.ink}", under),
        label=label.format(function=f.name, names=names),
        height=HEIGHT,
    )


def rates(context: Context) -> Row:
    """Every optimizer's curve, with a handle for the chosen one's rate, and the paths at current
    rates.
    """
    spec, curves = context.spec, run.rate_curves(context.spec)
    figure, curve = over_rate(spec, context.theme, curves), curves[spec.chosen]

    def set_rate(rate, _height):
        session().show(context.page.key, run.with_values(spec, lr=rate))

    def draw():
        handlers = {}
        if np.isfinite(curve.current):  # or there is no rate to drag
            handlers = {"clicks": "guess", "grab": _grip(spec, figure, curve)}
        show("sensitivity-rates", figure, on_guess=set_rate, **handlers)

    return Row([Widget(draw), paths(spec, context.theme)], (6, 5))


def _grip(spec, figure, curve):
    """The handle at the chosen optimizer's rate."""
    low, high = figure.y.limits
    height = np.clip(np.nan_to_num(np.median(curve.current_gaps), nan=np.inf), low, high / 1.5)
    label = _("Rate of {name}: drag it or move it with the arrow keys")
    return {
        "start": [curve.current, float(height)],
        "frame": {"x": [float(v) for v in figure.x.limits], "y": [float(low), float(high)]},
        "label": label.format(name=spec.names[spec.chosen]),
        "epoch": f"{spec.chosen} {curve.current}",
    }


# Beside the map.

PREVIEW = "sensitivity-path"


def preview(spec: Sensitivity, theme: Theme) -> None:
    """The contour with the path of the current setting, and that of the cell under the pointer."""
    show(PREVIEW, paths(spec, theme, [spec.chosen]).add(ghost(spec, theme)))
    _follow_pointer(spec, theme, [])


def ghost(spec: Sensitivity, theme: Theme, position=()) -> Line:
    """The path of the cell at a position of the map; without a position an empty line."""
    points = np.full((1, 2), np.nan)
    if position:
        cell = run.with_cell(spec, position)
        path = runs.path(cell.objective, cell.config)
        points = contour.within_reach(spec.objective.f.domain, path.points)
    return Line(
        *points.T,
        Style(theme.ink, (4, 3)),
        name=_("under the pointer"),
        uid="ghost",
        markers=True,
        size=4,
        legend=False,
    )


@st.fragment
def _follow_pointer(spec, theme, position):
    """Follow the pointer on the map, and show the path of the cell under it on the contour."""

    def traces():
        trace_data = position and to_plotly(Figure([ghost(spec, theme, *position)]))["data"]
        return {PREVIEW: {"traces": trace_data}} if trace_data else None

    def move(*point):
        position[:] = [point]

    start_handle("sensitivity-pointer", move, traces, on_leave=move)


# The edge of stability.


def stability(context: Context) -> list:
    """The path with the step at which it crossed, the sharpness along it, and a remark."""
    spec, theme = context.spec, context.theme
    path = runs.path(spec.objective, spec.config)
    edge = edge_of_stability(path)
    if edge is None or not np.isfinite(path.values[0]):
        message = text.no_edge(spec) if edge is None else undefined_start(spec.objective.start)
        return [paths(spec, theme, [spec.chosen]), message]
    figure = paths(spec, theme, [spec.chosen])
    if edge.crossed is not None:
        x, y = path.points[edge.crossed]
        crossing = Dots(
            [x],
            [y],
            Style(theme.lines[1], marker="diamond-open"),
            name=_("sharpness crosses the limit"),
            uid="crossed",
            hover="{name}",
            size=15,
            edge=theme.lines[1],
            edge_width=3,
        )
        figure = figure.add(crossing)
    return [
        Row([sharpness(spec, theme, edge), figure], (6, 5)),
        text.describe_edge(spec, edge, path),
    ]


def sharpness(spec: Sensitivity, theme: Theme, edge) -> Figure:
    """The sharpness and its limit over the steps, up to where it is far beyond."""
    t = np.arange(len(edge.limit))
    solid, dashed = method_styles(spec.optimizers, theme)[spec.chosen], Style(theme.ink, (9, 5))
    name = _("preconditioned sharpness") if edge.preconditioned else _("sharpness")
    hover = _("{name} at step {x}: {y:.4g}")
    log = bool((edge.sharpness[np.isfinite(edge.sharpness)] > 0).all())
    max_shown = BEYOND * edge.limit.max()
    beyond = np.flatnonzero(~(edge.sharpness <= max_shown))
    last = beyond[0] if len(beyond) else len(t) - 1
    lowest = min(np.nanmin(edge.sharpness), edge.limit.min()) / 2
    limits = (lowest, max_shown) if log and (edge.sharpness > max_shown).any() else None
    marks = [
        Line(t, edge.sharpness, solid, name=name, uid="sharpness", hover=hover),
        Line(t, edge.limit, dashed, name=_("stable up to"), uid="limit", hover=hover),
    ]
    if edge.crossed is not None:
        marks.append(Rule(Style(theme.lines[1], (3, 3)), x=edge.crossed))
    label = _(
        "Sharpness along the path and the limit of stability. The sentence below summarizes it."
    )
    axes = Axis(_("step"), limits=(0, max(last, 5))), Axis(name, limits=limits, log=log)
    return Figure(marks, *axes, label=label, height=HEIGHT)
