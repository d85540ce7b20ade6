"""Curves over the rate, the map, the basins, and the sharpness along the path."""

from dataclasses import asdict

import numpy as np
import streamlit as st

from optviz.experiments.page import Context, Row, Widget
from optviz.experiments.sensitivity import run, text
from optviz.experiments.sensitivity.spec import AXES, Sensitivity
from optviz.experiments.trajectories import cache
from optviz.experiments.trajectories.figures import minima
from optviz.optim.minima import minima_of
from optviz.optim.sensitivity.stability import edge_of_stability
from optviz.optim.sensitivity.sweeps import COORDINATES, find
from optviz.plot import (
    Axis,
    Band,
    Dots,
    Figure,
    Heatmap,
    Line,
    Rule,
    Style,
    Theme,
    contour,
    layer,
    method_styles,
    number,
)
from optviz.plot.marks import ColorBar
from optviz.spec import canonical_json
from optviz.translation import _
from optviz.ui.components import show
from optviz.ui.session import session

HEIGHT = (16, 48, 34)
TINY = 1e-16  # a gap below it is none
CLEAR = 0.75  # share of the way from a basin's color to the paper, for the slowest start


@st.cache_resource(max_entries=300, show_spinner=False)
def _kept(key, _make):
    return _make()


def kept(make, *parts):
    """What `make(*parts)` comes to, worked out once for the same parts."""
    plain = [asdict(p) if hasattr(p, "__dataclass_fields__") else p for p in parts]
    return _kept(canonical_json([make.__name__, *plain]), lambda: make(*parts))


# The loss over the rate.


def curves_of(spec: Sensitivity, make=kept) -> list[run.RateCurve]:
    """Of every optimizer."""
    return [make(run.rate_curve, spec.objective, c, spec.seeds) for c in spec.optimizers]


def over_rate(spec: Sensitivity, theme: Theme, found, **figure) -> Figure:
    """The loss after the steps over the rate; a line at each optimizer's own."""
    styles, marks = method_styles(spec.optimizers, theme), []
    start = float(spec.objective.f.value(spec.objective.start)) - run.floor(spec.objective)
    lowest = [float(np.nanmin(c.medians, initial=start)) for c in found if c.best >= 0]
    top, bottom = 30 * max(start, TINY), max(min(lowest, default=start), TINY) / 3
    for i, (name, curve, look) in enumerate(zip(spec.names, found, styles, strict=True)):
        shown = np.maximum(curve.medians, bottom)
        if curve.gaps.shape[-1] > 1:
            low, high = (np.maximum(q, bottom) for q in np.quantile(curve.gaps, [0.1, 0.9], axis=1))
            marks.append(Band(curve.rates, low, np.minimum(high, top), look.color, group=f"r{i}"))
        hover = _("{name}: rate {x:.3g}, loss {y:.3g} above the minimum")
        marks.append(
            Line(curve.rates, shown, look, name=name, uid=f"r{i}", group=f"r{i}", hover=hover)
        )
        lost = curve.rates[~(curve.medians <= top)]
        lost = lost[lost > curve.rates[max(curve.best, 0)]]
        if len(lost):
            cross = Style(look.color, marker="x-thin-open")
            more = {
                "size": 12,
                "edge": look.color,
                "edge_width": 3,
                "group": f"r{i}",
                "legend": False,
            }
            hover = _("{name} diverges from rate {x:.3g} on")
            marks.append(
                Dots(lost[:1], [top / 1.5], cross, name=name, uid=f"x{i}", hover=hover, **more)
            )
        marks.append(Rule(Style(look.color, (3, 3)), x=curve.current))
        here = np.clip(np.median(curve.here, keepdims=True), bottom, top / 1.5)
        edge = {"edge": theme.ink, "edge_width": 1.5, "size": 11, "decoration": True}
        hover = _("{name}: the rate that is set, {x:.3g}")
        marks.append(
            Dots(
                [curve.current],
                here,
                look,
                name=name,
                uid=f"h{i}",
                legend=False,
                hover=hover,
                **edge,
            )
        )
    rates = np.concatenate([c.rates for c in found])
    x = Axis(_("learning rate"), limits=(rates.min(), rates.max()), log=True)
    y = Axis(_("loss above the minimum"), limits=(bottom, top), log=True)
    label = _("Loss after {n} steps over the learning rate, for {names}. The table says the same.")
    label = label.format(n=spec.objective.steps, names=", ".join(spec.names))
    return Figure(marks, x, y, label=label, **{"height": HEIGHT, "hover": "closest", **figure})


def paths(spec: Sensitivity, theme: Theme, only=None, mark=None) -> Figure:
    """The contour with the paths of all optimizers, or of the one at `only`; `mark` is a step of
    it that is pointed at.
    """
    objective, f = spec.objective, spec.objective.f
    styles, drawn = method_styles(spec.optimizers, theme), []
    for i, (name, config) in enumerate(zip(spec.names, spec.optimizers, strict=True)):
        if only in (None, i):
            path = cache.run(objective, config)
            drawn.append(contour.Path(f"r{i}", name, path.points, path.values, styles[i]))
    key = objective.landscape_key()

    def under():
        return layer(contour.landscape(cache.landscape(objective), theme))

    names = ", ".join(path.name for path in drawn)
    label = _("Contour of {function} with the paths of {names}.").format(
        function=f.name, names=names
    )
    more = {"view": key, "under": (f"{key} {theme.ink}", under), "label": label, "height": HEIGHT}
    figure = contour.paths(
        f, objective.start, drawn, minima(cache.minima(objective)), theme, **more
    )
    if mark is None:
        return figure
    x, y = drawn[0].points[mark]
    look = Style(theme.lines[1], marker="diamond-open")
    at = {"uid": "crossed", "size": 15, "edge": theme.lines[1], "edge_width": 3}
    name = _("sharpness crosses the limit")
    return figure.add(Dots([x], [y], look, name=name, hover="{name}", **at))


def rates(context: Context) -> Row:
    """Every optimizer's curve, and the paths at the rates that are set."""
    spec, theme = context.spec, context.theme
    return Row([over_rate(spec, theme, curves_of(spec)), paths(spec, theme)], (6, 5))


# The map.


def _scale(spec, name):
    """Functions to where a value is drawn and back, and the axis's ticks and their labels."""
    values = run.spread(spec.objective, spec.config.build(), name, run.CELLS)
    declared = None if name in COORDINATES else find(spec.config.build(), name)
    if declared is not None and declared.log:
        there, back = np.log10, lambda u: 10.0**u
    elif declared is not None and declared.near_one:
        there, back = (lambda v: -np.log10(1 - np.asarray(v))), lambda u: 1 - 10.0**-u
    else:
        return np.asarray, float, values, None, None
    ticks = np.arange(np.ceil(there(values[0]) - 1e-9), np.floor(there(values[-1]) + 1e-9) + 1)
    return there, back, values, ticks, [number(back(u)) for u in ticks]


def map_figure(spec: Sensitivity, theme: Theme, swept, **figure) -> Figure:
    """The measure of every cell; hatched where it diverged; the edge that theory knows."""
    (to_x, _bx, xs, x_ticks, x_labels), (to_y, _by, ys, y_ticks, y_labels) = (
        _scale(spec, name) for name in (spec.across, spec.up)
    )
    x, y = to_x(xs), to_y(ys)
    frame = [(v[0] - (v[1] - v[0]) / 2, v[-1] + (v[1] - v[0]) / 2) for v in (x, y)]
    known, steps = swept.values, spec.measure == "steps"
    z = known if steps else np.log10(np.maximum(known - run.floor(spec.objective), TINY))
    z = np.where(np.isfinite(z), z, np.nan)
    finite = z[np.isfinite(z)]
    low, high = np.quantile(finite, [0.02, 0.98]) if finite.size else (0.0, 1.0)
    high = high if high > low else low + 1
    ticks = np.linspace(low, high, 5)
    labels = [number(v if steps else 10.0**v, 2) for v in ticks]
    (x0, x1), (y0, y1) = frame
    name = _("diverged, or never arrived") if steps else _("diverged")
    marks = [
        Band([x0, x1], [y0, y0], [y1, y1], theme.ink, name=name, uid="diverged", hatched=True),
        Heatmap(
            *(z, (theme.lines[0], theme.high)),
            **{"x": x, "y": y, "span": (low, high), "uid": "map"},
            hover="{x:.3g}, {y:.3g}: {z:.3g}",
            bar=ColorBar(ticks, labels, _("steps") if steps else _("loss"), theme.faint),
        ),
    ]
    if (limit := run.edge(spec)) is not None:
        u, v = to_x(limit[0]), to_y(limit[1])
        look = Style(theme.lines[1], (9, 5))
        marks.append(Line(u, v, look, name=_("edge of stability in theory"), uid="edge", width=3))
    here = [_here(spec, name) for name in (spec.across, spec.up)]
    look = Style(theme.ink, marker="cross")
    edge = {"edge": theme.high, "edge_width": 2, "size": 13}
    at = [float(to_x(here[0]))], [float(to_y(here[1]))]
    marks.append(Dots(*at, look, name=_("as it is set"), uid="here", hover="{name}", **edge))
    axes = (
        Axis(_(AXES[spec.across]), limits=frame[0], ticks=x_ticks, labels=x_labels, grid=False),
        Axis(_(AXES[spec.up]), limits=frame[1], ticks=y_ticks, labels=y_labels, grid=False),
    )
    view, label = f"{spec.across} {spec.up}", text.map_label(spec)
    margin = {"r": 64}
    return Figure(
        marks,
        *axes,
        label=label,
        view=view,
        margin=margin,
        **{"height": HEIGHT, "hover": "closest", **figure},
    )


def _here(spec, name):
    if name in COORDINATES:
        return spec.objective.start[COORDINATES.index(name)]
    return run.setting_of(spec, name)[0]


def map_of(context: Context) -> list:
    """The map, of which a click sets both axes, and the path of what is set."""
    spec = context.spec
    found = kept(run.map_of, spec)

    def clicked(across, up):
        values = (_scale(spec, n)[1](v) for n, v in ((spec.across, across), (spec.up, up)))
        session().show(context.page.key, run.picked(spec, *values))

    def draw():
        show(
            "sensitivity-map",
            map_figure(spec, context.theme, found),
            clicks="guess",
            guessed=clicked,
        )

    return [
        Row([Widget(draw), paths(spec, context.theme, spec.chosen)], (6, 5)),
        text.of_map(spec, found),
    ]


# Basins.


def basin_figure(spec: Sensitivity, theme: Theme, found, name: str = "", **figure) -> Figure:
    """Which minimum each start reaches by color, how fast by shade; hatched where it diverged."""
    (x0, x1), (y0, y1) = spec.objective.f.domain
    n, colors = len(found.minima), [theme.faint, *theme.lines]
    steps = np.where(found.steps >= 0, found.steps, np.nan)
    slow = np.nanquantile(steps, 0.95) if np.isfinite(steps).any() else 1.0
    shade = np.clip(np.nan_to_num(steps) / max(slow, 1), 0, 1)
    kind = np.where(found.index < 0, 0, 1 + found.index % len(theme.lines))
    z = kind + np.where(kind > 0, 0.98 * shade, 0.5)
    z = np.where(found.diverged_at >= 0, np.nan, z)
    scale, total = [], len(colors)
    for i, color in enumerate(colors):
        pale = _mixed(color, theme.high, CLEAR)
        ends = (pale, pale) if i == 0 else (_mixed(color, theme.high, 0.1), pale)
        scale += [(i / total, ends[0]), ((i + 0.999) / total, ends[1])]
    scale.append((1.0, scale[-1][1]))
    xs, ys = (np.linspace(*ends, run.STARTS) for ends in ((x0, x1), (y0, y1)))
    marks = [
        Band(
            [x0, x1],
            [y0, y0],
            [y1, y1],
            theme.ink,
            name=_("diverged"),
            uid="diverged",
            hatched=True,
        ),
        Heatmap(z, scale, x=xs, y=ys, span=(0, total), uid="basins"),
    ]
    look = Style(theme.ink, marker="star")
    letters = {"text": [text.letter(i) for i in range(n)], "text_color": theme.ink}
    edge = {"edge": theme.high, "edge_width": 1, "size": 13, "hover": "{name} {text}"}
    if n:
        marks.append(
            Dots(*found.minima.T, look, name=_("minimum"), uid="minima", **edge, **letters)
        )
    start = Style(theme.ink, marker="circle-open-dot")
    at = ([spec.objective.start[0]], [spec.objective.start[1]], start)
    marks.append(Dots(*at, name=_("start"), uid="start", size=13, edge_width=2, edge=theme.ink))
    label = _("Basins of {name}: which minimum every start reaches. The table says the same.")
    axes = Axis("x", limits=(x0, x1), grid=False), Axis("y", limits=(y0, y1), grid=False)
    more = {"label": label.format(name=name), "view": spec.objective.landscape_key()}
    return Figure(marks, *axes, **more, **{"height": HEIGHT, "hover": "closest", **figure})


def _mixed(color, paper, share):
    """A color, a share of the way to another."""
    a, b = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (color, paper))
    mixed = (round(p + share * (q - p)) for p, q in zip(a, b, strict=True))
    return "#" + "".join(f"{v:02x}" for v in mixed)


def basins(context: Context) -> list:
    """The picture, of which a click sets the start, the path from there, and how many go where."""
    spec = context.spec
    found = kept(run.basins_of, spec.objective, spec.config, spec.tolerance)

    def clicked(x, y):
        start = spec.objective.inside((x, y))
        other = run.moved(spec, start)
        session().show(context.page.key, other)

    def draw():
        figure = basin_figure(spec, context.theme, found, spec.names[spec.chosen])
        show("sensitivity-basins", figure, clicks="guess", guessed=clicked)

    picture = Row([Widget(draw), paths(spec, context.theme, spec.chosen)], (1, 1))
    return [picture, text.basin_table(spec, found, minima_of(spec.objective.f), context.theme)]


# The edge of stability.


def stability(context: Context) -> list:
    """The path with the step at which it crossed, the sharpness along it, and what that says."""
    spec, theme = context.spec, context.theme
    path = cache.run(spec.objective, spec.config)
    edge = edge_of_stability(path)
    if edge is None:
        return [paths(spec, theme, spec.chosen), text.no_edge(spec)]
    marked = paths(spec, theme, spec.chosen, edge.crossed)
    return [
        Row([sharpness(spec, theme, edge, path), marked], (6, 5)),
        text.of_edge(spec, edge, path),
    ]


def sharpness(spec: Sensitivity, theme: Theme, edge, path, **figure) -> Figure:
    """The sharpness over the steps and the limit."""
    t, look = np.arange(len(edge.limit)), method_styles(spec.optimizers, theme)[spec.chosen]
    name = _("preconditioned sharpness") if edge.preconditioned else _("sharpness")
    hover = _("{name} at step {x}: {y:.4g}")
    log = bool((edge.sharpness[np.isfinite(edge.sharpness)] > 0).all())
    marks = [
        Line(t, edge.sharpness, look, name=name, uid="sharpness", hover=hover),
        Line(
            t,
            edge.limit,
            Style(theme.ink, (9, 5)),
            name=_("stable up to"),
            uid="limit",
            hover=hover,
        ),
    ]
    if edge.crossed is not None:
        marks.append(Rule(Style(theme.lines[1], (3, 3)), x=edge.crossed))
    label = _("Sharpness along the path and the limit of stability. The sentence says the same.")
    axes = Axis(_("step"), limits=(0, max(len(t) - 1, 1))), Axis(name, log=log)
    return Figure(marks, *axes, label=label, **{"height": HEIGHT, **figure})


def thumbnail(spec: Sensitivity, theme: Theme) -> Figure:
    """What the view shows, small."""
    plainly = lambda make, *parts: make(*parts)  # noqa: E731
    if spec.view == "map":
        return map_figure(spec, theme, run.map_of(spec))
    if spec.view == "basins":
        return basin_figure(spec, theme, run.basins_of(spec.objective, spec.config, spec.tolerance))
    return over_rate(spec, theme, curves_of(spec, plainly))
