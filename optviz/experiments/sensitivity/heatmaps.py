"""The map of two settings and the basins: many runs as cells."""

import numpy as np
import streamlit as st

from optviz.experiments.page import Caption, Context, Expander, Row, Widget
from optviz.experiments.sensitivity import figures, noise, race, run, text
from optviz.experiments.sensitivity.spec import AXES, Sensitivity
from optviz.experiments.trajectories.spec import Scene
from optviz.optim.minima import minima_of
from optviz.plot import (
    Axis,
    Band,
    ColorBar,
    Dots,
    Figure,
    Heatmap,
    Line,
    Panel,
    Style,
    Theme,
    method_styles,
    number,
)
from optviz.plot.writers.paper import cell_edges
from optviz.translation import _
from optviz.ui.components import show
from optviz.ui.session import session

CLEAR = 0.75  # share of the way from a basin's color to the paper, for the slowest start


# The map.


def _scale(spec, name):
    """Functions to where a value is drawn and back, and the axis's ticks and their labels."""
    n = run.side(spec.objective, spec.config, run.CELLS)
    values, scale = run.along(spec, name, n), run.scale(spec.config.build(), name)
    if scale is None:
        return np.asarray, float, values, None, None
    there, back = scale
    low, high = there(values[0]), there(values[-1])
    ticks = np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
    ticks = np.linspace(low, high, 5) if spec.window else ticks
    return there, back, values, ticks, [number(back(u)) for u in ticks]


def _shown(spec, swept):
    """What is drawn of a map: the measure of the cells, with NaN where they count as lost."""
    z = swept.values
    if spec.measure != "steps":
        z = np.log10(np.maximum(z - run.floor(spec.objective), figures.TINY))
    return np.where(np.isfinite(z) & ~run.diverging(spec, swept), z, np.nan)


def _span(maps) -> tuple[float, float]:
    """The least and the greatest color of some maps together."""
    finite = np.concatenate([z[np.isfinite(z)] for z in maps])
    low, high = np.quantile(finite, [0.02, 1]) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1


def map_panel(spec: Sensitivity, theme: Theme, swept, span=None, hover=None) -> Panel:
    """The measure of every cell; hatched where it diverged; the edge that theory knows."""
    (to_x, _bx, xs, x_ticks, x_labels), (to_y, _by, ys, y_ticks, y_labels) = (
        _scale(spec, name) for name in (spec.across, spec.up)
    )
    x, y, steps = to_x(xs), to_y(ys), spec.measure == "steps"
    frame = [tuple(cell_edges(v)) for v in (x, y)]
    z = _shown(spec, swept)
    low, high = span or _span([z])
    ticks = np.linspace(low, high, 5)
    labels = [number(v if steps else 10.0**v, 2) for v in ticks]
    name = _("diverged, or never arrived") if steps else _("diverges")
    marks = [
        Heatmap(
            *(z, (theme.lines[0], theme.high)),
            **{"x": x, "y": y, "span": (low, high), "uid": "map"},
            hover=text.cells(spec, swept, xs, ys) if hover is None else hover,
            bar=ColorBar(ticks, labels, _("steps") if steps else _("loss"), theme.faint),
        )
    ]
    marks += _hatched(x, y, run.diverging(spec, swept), theme, name)
    if (limit := run.edge(spec)) is not None:
        u, v = to_x(limit[0]), to_y(limit[1])
        look = Style(theme.lines[1], (9, 5))
        marks.append(Line(u, v, look, name=_("edge of stability in theory"), uid="edge", width=3))
    here = [run.here(spec, name) for name in (spec.across, spec.up)]
    look = Style(theme.ink, marker="cross")
    edge = {"edge": theme.high, "edge_width": 2, "size": 13}
    at = [float(to_x(here[0]))], [float(to_y(here[1]))]
    marks.append(Dots(*at, look, name=_("as it is set"), uid="here", hover="{name}", **edge))
    axes = (
        Axis(_(AXES[spec.across]), limits=frame[0], ticks=x_ticks, labels=x_labels, grid=False),
        Axis(_(AXES[spec.up]), limits=frame[1], ticks=y_ticks, labels=y_labels, grid=False),
    )
    return Panel(marks, *axes)


def map_figure(spec: Sensitivity, theme: Theme, swept, **figure) -> Figure:
    """The map of the chosen optimizer."""
    panel, margin = map_panel(spec, theme, swept), {"r": 64}
    more = {
        "view": f"{spec.across} {spec.up} {panel.x.limits} {panel.y.limits}",
        "margin": margin,
        "label": text.map_label(spec),
    }
    more |= {"height": figures.HEIGHT, "hover": "closest"}
    return Figure(panel.marks, panel.x, panel.y, **more | figure)


def maps(spec: Sensitivity, theme: Theme) -> list[Row]:
    """The maps of all optimizers that have both axes, with one scale of color."""
    mapped = run.mapped(spec)
    shown = [run.alone(spec, i) for i in mapped]
    found = [run.map_of(one) for one in shown]
    span, small = _span([_shown(*pair) for pair in zip(shown, found, strict=True)]), []
    for i, one, swept in zip(mapped, shown, found, strict=True):
        panel = map_panel(one, theme, swept, span, text.brief(one, swept))
        more = {"margin": {"r": 64}, "show_legend": False, "label": text.map_label(one)}
        more |= {"height": 17, "hover": "closest", "drag": False}
        figure = Figure(panel.marks, panel.x, panel.y, **more)
        small.append([Caption(spec.names[i]), figure])
    pairs = [*small, []] if len(small) % 2 else small
    return [Row(pairs[i : i + 2], (1, 1)) for i in range(0, len(pairs), 2)]


def _edges(centers):
    """Between cells that lie evenly, and around them all."""
    return np.linspace(*cell_edges(centers), len(centers) + 1)


def _hatched(x, y, where, theme, name) -> list[Band]:
    """Strokes over the cells `(len(y), len(x))` that are marked: of every row the stretches."""
    if not where.any():
        return []
    steps = np.diff(np.pad(where, ((0, 0), (1, 1))).astype(int), axis=1)
    (rows, first), (_rows, last) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    gap, across, up = np.full(len(rows), np.nan), _edges(x), _edges(y)
    ends, low, high = (
        np.stack([a, b, gap], -1).ravel()
        for a, b in ((across[first], across[last]), (up[rows],) * 2, (up[rows + 1],) * 2)
    )
    look = {"hatched": True, "opacity": 0.8, "legend": True}
    return [Band(ends, low, high, theme.ink, name=name, uid="diverged", **look)]


def map_of(context: Context) -> list:
    """The map, of which a click sets both axes, and the path of what is set."""
    spec = context.spec
    found = run.map_of(run.alone(spec, spec.chosen))

    def put(change, told):  # on what is set by then: a click and a wheel may be told together
        now = session()
        now.show(context.page.key, change(now.specs[context.page.key], told))

    def clicked(*at):
        put(run.cell, at)

    def seen(ranges):
        put(run.seen, ranges)

    def draw():
        picture = map_figure(spec, context.theme, found)
        show("sensitivity-map", picture, clicks="cell", guessed=clicked, brushed=seen, zooms=True)

    def follow():
        config, now = spec.config, session()
        scene = Scene(spec.objective, (config,), spec.tolerance)
        now.show("trajectories", scene.affordable())
        now.wanted = "trajectories"

    def link():
        label = _("{name} as it is set, in Trajectories").format(name=spec.names[spec.chosen])
        st.button(
            label, key="sensitivity-follow", icon=":material/conversion_path:", on_click=follow
        )

    parts = [
        Row([Widget(draw), Widget(lambda: figures.preview(spec, context.theme))], (6, 5)),
        text.of_map(spec, found),
        Widget(link),
    ]
    if len(run.mapped(spec)) > 1:
        label = _("The same map for every optimizer that has both settings")
        parts.append(Expander(label, lambda: maps(spec, context.theme)))
    return parts


# Basins.


def basin_figure(spec: Sensitivity, theme: Theme, found, name: str = "", **figure) -> Figure:
    """Which minimum each start reaches by color, how fast by shade; hatched where it diverged."""
    n, colors = len(found.minima), [theme.faint, *text.hues(theme)]
    steps = np.where(found.steps >= 0, found.steps, np.nan)
    slow = np.nanquantile(steps, 0.95) if np.isfinite(steps).any() else 1.0
    shade = np.clip(np.nan_to_num(steps) / max(slow, 1), 0, 1)
    if (found.share < 1).any():
        shade = 1 - found.share
    kind = np.where(found.index < 0, 0, 1 + found.index % (len(colors) - 1))
    z = kind + np.where(kind > 0, 0.98 * shade, 0.5)
    z = np.where(found.diverged_at >= 0, np.nan, z)
    scale, total = [], len(colors)
    for i, color in enumerate(colors):
        pale = _mixed(color, theme.high, CLEAR)
        ends = (pale, pale) if i == 0 else (_mixed(color, theme.high, 0.1), pale)
        scale += [(i / total, ends[0]), ((i + 0.999) / total, ends[1])]
    scale.append((1.0, scale[-1][1]))
    xs, ys = places(spec, found)
    marks = [Heatmap(z, scale, x=xs, y=ys, span=(0, total), uid="basins")]
    marks += _hatched(xs, ys, found.diverged_at >= 0, theme, _("diverged"))
    look = Style(theme.ink, marker="star")
    letters = {"text": [text.letter(i) for i in range(n)], "text_color": theme.ink}
    edge = {"edge": theme.high, "edge_width": 1, "size": 13, "hover": "{name} {text}"}
    if n:
        marks.append(
            Dots(*found.minima.T, look, name=_("minimum"), uid="minima", **edge, **letters)
        )
    marks.append(_start(spec, theme))
    label = _("Basins of {name}: which minimum every start reaches. The table says the same.")
    more = {"label": label.format(name=name), "view": spec.objective.landscape_key()}
    more |= {"height": figures.HEIGHT, "hover": "closest", **figure}
    if spec.other < 0:
        return Figure(marks, *_plane(spec), **more)
    panel = Panel(marks, *_plane(spec), title=name)
    return Figure(panels=[panel], legend="window", **{"margin": {"t": 52}, **more})


def places(spec: Sensitivity, found) -> list[np.ndarray]:
    """The coordinates of the cells, across and up."""
    return [
        np.linspace(*ends, n)
        for ends, n in zip(spec.objective.f.domain, found.index.shape[::-1], strict=True)
    ]


def reached(found, at) -> list:
    """What one start comes to, for a file."""
    which = int(found.index[at])
    x, y = found.minima[which].tolist() if which >= 0 else (None, None)
    return [x, y, int(found.steps[at]), int(found.diverged_at[at]), float(found.share[at])]


def _plane(spec):
    """The axes of the picture."""
    limits = zip("xy", spec.objective.f.domain, strict=True)
    return [Axis(name, limits=ends, grid=False) for name, ends in limits]


def _start(spec, theme):
    at = ([spec.objective.start[0]], [spec.objective.start[1]])
    look = Style(theme.ink, marker="circle-open-dot")
    more = {"size": 13, "edge_width": 2, "edge": theme.ink}
    return Dots(*at, look, name=_("start"), uid="start", **more)


def difference_figure(spec: Sensitivity, theme: Theme, first, second) -> Figure:
    """Where two optimizers come to the same and where not; hatched where both arrive, elsewhere."""
    kind, (xs, ys) = run.difference(first, second), places(spec, first)
    looks = method_styles(spec.optimizers, theme)
    both = [looks[i].color for i in (spec.chosen, spec.other)]
    colors = [theme.page, *both, _mixed(theme.faint, theme.high, CLEAR)]
    scale = [(v, color) for i, color in enumerate(colors) for v in (i / 4, (i + 1) / 4)]
    names = [_("same"), spec.names[spec.chosen], spec.names[spec.other], _("other")]
    bar = ColorBar([0, 1, 2, 3], names, _("arrives"), theme.faint)
    marks = [
        Heatmap(kind, scale, x=xs, y=ys, span=(-0.5, 3.5), uid="difference", bar=bar),
        *_hatched(xs, ys, kind == 3, theme, _("different minima")),
        _start(spec, theme),
    ]
    label = _("Where {a} and {b} reach different minima. The sentence says the same.")
    label = label.format(a=names[1], b=names[2])
    more = {"view": spec.objective.landscape_key(), "margin": {"r": 96}, "height": figures.HEIGHT}
    return Figure(marks, *_plane(spec), label=label, hover="closest", **more)


def _mixed(color, paper, share):
    """A color, a share of the way to another."""
    a, b = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (color, paper))
    mixed = (round(p + share * (q - p)) for p, q in zip(a, b, strict=True))
    return "#" + "".join(f"{v:02x}" for v in mixed)


def basins(context: Context) -> list:
    """The picture, of which a click sets the start, the path from there, and how many go where; of
    two optimizers both pictures, and where they differ.
    """
    spec, theme = context.spec, context.theme
    found = run.both_basins(spec)

    def clicked(x, y):
        session().show(context.page.key, run.moved(spec, spec.objective.inside((x, y))))

    def picture(i, one):
        def draw():
            figure = basin_figure(spec, theme, one, spec.names[i])
            key = "sensitivity-basins" + "-other" * (i != spec.chosen)
            show(key, figure, clicks="guess", guessed=clicked)

        return Widget(draw)

    pictures = [picture(*one) for one in found]
    paths, said = figures.paths(spec, theme, [i for i, _one in found]), []
    if len(found) == 2:
        both = [one for _i, one in found]
        pictures.append(difference_figure(spec, theme, *both))
        said.append(text.of_difference(spec, run.difference(*both)))
    pictures.append(paths)
    if not spec.objective.noise:  # which has many runs of each start
        said += [text.coarse(one, spec.names[i]) for i, one in found if len(one.index) < run.STARTS]
    known = minima_of(spec.objective.f)
    return [
        *(Row(pictures[i : i + 2], (1, 1)) for i in range(0, len(pictures), 2)),
        *said,
        *(text.basin_table(spec, one, known, theme, spec.names[i]) for i, one in found),
    ]


def thumbnail(spec: Sensitivity, theme: Theme) -> Figure:
    """What the view shows, small."""
    if spec.view == "map":
        return map_figure(spec, theme, run.map_of(spec))
    if spec.view == "race":
        return race.figure(spec, theme, race.of(spec))
    if spec.view == "noise":
        return noise.ends(spec, theme, noise.clouds(spec))
    if spec.view == "basins":
        [(_i, found), *_other] = run.both_basins(spec)
        return basin_figure(spec, theme, found)
    return figures.over_rate(spec, theme, run.rate_curves(spec))
