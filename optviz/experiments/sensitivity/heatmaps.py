"""The map of two settings and the basins: many runs as cells."""

import numpy as np

from optviz.experiments.page import Context, Row, Widget
from optviz.experiments.sensitivity import figures, run, text
from optviz.experiments.sensitivity.spec import AXES, Sensitivity
from optviz.optim.minima import minima_of
from optviz.optim.sensitivity.sweeps import COORDINATES, find
from optviz.plot import Axis, ColorBar, Dots, Figure, Heatmap, Line, Style, Theme, number
from optviz.translation import _
from optviz.ui.components import show
from optviz.ui.session import session

CLEAR = 0.75  # share of the way from a basin's color to the paper, for the slowest start


# The map.


def _scale(spec, name):
    """Functions to where a value is drawn and back, and the axis's ticks and their labels."""
    n = run.side(spec.objective, spec.config, run.CELLS)
    values = run.spread(spec.objective, spec.config.build(), name, n)
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
    """The measure of every cell; crossed where it diverged; the edge that theory knows."""
    (to_x, _bx, xs, x_ticks, x_labels), (to_y, _by, ys, y_ticks, y_labels) = (
        _scale(spec, name) for name in (spec.across, spec.up)
    )
    x, y = to_x(xs), to_y(ys)
    frame = [(v[0] - (v[1] - v[0]) / 2, v[-1] + (v[1] - v[0]) / 2) for v in (x, y)]
    known, steps = swept.values, spec.measure == "steps"
    z = known if steps else np.log10(np.maximum(known - run.floor(spec.objective), figures.TINY))
    z = np.where(np.isfinite(z), z, np.nan)
    lost = run.diverging(spec, swept)
    finite = z[~lost]
    low, high = np.quantile(finite, [0.02, 1]) if finite.size else (0.0, 1.0)
    high, z = (high if high > low else low + 1), np.where(lost, np.nan, z)
    ticks = np.linspace(low, high, 5)
    labels = [number(v if steps else 10.0**v, 2) for v in ticks]
    name = _("diverged, or never arrived") if steps else _("diverges")
    marks = [
        Heatmap(
            *(z, (theme.lines[0], theme.high)),
            **{"x": x, "y": y, "span": (low, high), "uid": "map"},
            hover="{x:.3g}, {y:.3g}: {z:.3g}",
            bar=ColorBar(ticks, labels, _("steps") if steps else _("loss"), theme.faint),
        ),
    ]
    marks += _crosses(x, y, lost, theme, name)
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
        **{"height": figures.HEIGHT, "hover": "closest", **figure},
    )


def _crosses(x, y, where, theme, name) -> list[Dots]:
    """Small crosses over the cells `(len(y), len(x))` that are marked, one for several."""
    every = max(1, len(x) // 24)
    rows, columns = np.nonzero(where[::every, ::every])
    if not len(rows):
        return []
    at = np.asarray(x)[::every][columns], np.asarray(y)[::every][rows]
    look = Style(theme.ink, marker="x-thin-open")
    edge = {"edge": theme.ink, "edge_width": 1, "size": 6, "decoration": True}
    return [Dots(*at, look, name=name, uid="diverged", alpha=0.7, **edge)]


def _here(spec, name):
    if name in COORDINATES:
        return spec.objective.start[COORDINATES.index(name)]
    return run.setting_of(spec, name)[0]


def map_of(context: Context) -> list:
    """The map, of which a click sets both axes, and the path of what is set."""
    spec = context.spec
    found = figures.kept(run.map_of, spec)

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
        Row([Widget(draw), figures.paths(spec, context.theme, spec.chosen)], (6, 5)),
        text.of_map(spec, found),
    ]


# Basins.


def basin_figure(spec: Sensitivity, theme: Theme, found, name: str = "", **figure) -> Figure:
    """Which minimum each start reaches by color, how fast by shade; crossed where it diverged."""
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
    xs, ys = (np.linspace(*ends, len(found.index)) for ends in ((x0, x1), (y0, y1)))
    marks = [
        Heatmap(z, scale, x=xs, y=ys, span=(0, total), uid="basins"),
    ]
    marks += _crosses(xs, ys, found.diverged_at >= 0, theme, _("diverged"))
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
    return Figure(marks, *axes, **more, **{"height": figures.HEIGHT, "hover": "closest", **figure})


def _mixed(color, paper, share):
    """A color, a share of the way to another."""
    a, b = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (color, paper))
    mixed = (round(p + share * (q - p)) for p, q in zip(a, b, strict=True))
    return "#" + "".join(f"{v:02x}" for v in mixed)


def basins(context: Context) -> list:
    """The picture, of which a click sets the start, the path from there, and how many go where."""
    spec = context.spec
    found = figures.kept(run.basins_of, spec.objective, spec.config, spec.tolerance)

    def clicked(x, y):
        start = spec.objective.inside((x, y))
        other = run.moved(spec, start)
        session().show(context.page.key, other)

    def draw():
        figure = basin_figure(spec, context.theme, found, spec.names[spec.chosen])
        show("sensitivity-basins", figure, clicks="guess", guessed=clicked)

    picture = Row([Widget(draw), figures.paths(spec, context.theme, spec.chosen)], (1, 1))
    return [picture, text.basin_table(spec, found, minima_of(spec.objective.f), context.theme)]


def thumbnail(spec: Sensitivity, theme: Theme) -> Figure:
    """What the view shows, small."""
    plainly = lambda make, *parts: make(*parts)  # noqa: E731
    if spec.view == "map":
        return map_figure(spec, theme, run.map_of(spec))
    if spec.view == "basins":
        return basin_figure(spec, theme, run.basins_of(spec.objective, spec.config, spec.tolerance))
    return figures.over_rate(spec, theme, figures.curves_of(spec, plainly))
