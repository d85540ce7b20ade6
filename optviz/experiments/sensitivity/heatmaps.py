"""The map of two settings and the basins: many runs as cells."""

from dataclasses import replace

import numpy as np

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
    Style,
    Theme,
    method_styles,
    number,
)
from optviz.plot.style import mix_color
from optviz.plot.writers.paper import cell_edges
from optviz.translation import _
from optviz.ui.components import button, show
from optviz.ui.session import session

CLEAR = 0.75  # share of the way from a basin's color to the paper, for the slowest start


# The map.


def _axis(spec, name, cells):
    """An axis of the map, whose cells lie at these places."""
    declared, _place = run.axis_place(spec, name)
    ticks = labels = None
    if declared.log or declared.near_one:
        low, high = cells[[0, -1]]
        ticks = np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
        ticks = np.linspace(low, high, 5) if spec.window else ticks
        _there, back = run.axis_transforms(declared)
        labels = [number(back(u)) for u in ticks]
    limits = tuple(cell_edges(cells))
    return Axis(_(AXES[name]), limits=limits, ticks=ticks, labels=labels, grid=False)


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


def map_figure(spec: Sensitivity, theme: Theme, swept, span=None, hover=None) -> Figure:
    """The measure of every cell; hatched where it diverged; the edge that theory knows."""
    cells = [run.axis_values(spec, name) for name in (spec.across, spec.up)]
    x, y = run.map_coordinates(spec, cells)
    x_axis, y_axis = _axis(spec, spec.across, x), _axis(spec, spec.up, y)
    z, steps = _shown(spec, swept), spec.measure == "steps"
    low, high = span or _span([z])
    ticks = np.linspace(low, high, 5)
    labels = [number(v if steps else 10.0**v, 2) for v in ticks]
    name = _("diverged, or never arrived") if steps else _("diverges")
    marks = [
        Heatmap(
            z,
            (theme.lines[0], theme.high),
            x=x,
            y=y,
            span=(low, high),
            uid="map",
            hover=text.hover_texts(spec, swept, *cells) if hover is None else hover,
            bar=ColorBar(ticks, labels, _("steps") if steps else _("loss"), theme.faint),
        )
    ]
    marks += _hatched(x, y, run.diverging(spec, swept), theme, name)
    if (limit := run.stability_edge(spec)) is not None:
        u, v = run.map_coordinates(spec, limit)
        look = Style(theme.lines[1], (9, 5))
        marks.append(Line(u, v, look, name=_("theoretical edge of stability"), uid="edge", width=3))
    u, v = run.map_coordinates(
        spec, [run.current_value(spec, name) for name in (spec.across, spec.up)]
    )
    here = Dots(
        [float(u)],
        [float(v)],
        Style(theme.ink, marker="cross"),
        name=_("current setting"),
        uid="here",
        hover="{name}",
        edge=theme.high,
        edge_width=2,
        size=13,
    )
    return Figure(
        [*marks, here],
        x_axis,
        y_axis,
        view=f"{spec.across} {spec.up} {x_axis.limits} {y_axis.limits}",
        margin={"r": 64},
        label=text.map_label(spec),
        height=figures.HEIGHT,
        hover="closest",
    )


def maps(spec: Sensitivity, theme: Theme) -> list[Row]:
    """The maps of all optimizers that have both axes, with one scale of color."""
    mapped = run.mappable(spec)
    shown = [run.with_one_optimizer(spec, i) for i in mapped]
    found = [run.map_of(one) for one in shown]
    span, small = _span([_shown(*pair) for pair in zip(shown, found, strict=True)]), []
    for i, one, swept in zip(mapped, shown, found, strict=True):
        figure = map_figure(one, theme, swept, span, text.cell_texts(one, swept))
        figure = replace(figure, view="", show_legend=False, height=17, drag=False)
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
    found = run.map_of(run.with_one_optimizer(spec, spec.chosen))

    def put(change, told):  # on what is set by then: a click and a wheel may be told together
        now = session()
        now.show(context.page.key, change(now.specs[context.page.key], told))

    def clicked(*at):
        put(run.with_cell, at)

    def seen(ranges):
        put(run.with_window, ranges)

    def draw():
        picture = map_figure(spec, context.theme, found)
        show("sensitivity-map", picture, clicks="cell", on_guess=clicked, on_brush=seen, zooms=True)

    def follow():
        config, now = spec.config, session()
        scene = Scene(spec.objective, (config,), spec.tolerance)
        now.show("trajectories", scene.affordable())
        now.next_page = "trajectories"

    def link():
        label = _("{name} as it is set, in Trajectories").format(name=spec.names[spec.chosen])
        button(label, "sensitivity-follow", follow, icon="conversion_path")

    parts = [
        Row([Widget(draw), Widget(lambda: figures.preview(spec, context.theme))], (6, 5)),
        text.describe_map(spec, found),
        Widget(link),
    ]
    if len(run.mappable(spec)) > 1:
        label = _("The same map for every optimizer that has both settings")
        parts.append(Expander(label, lambda: maps(spec, context.theme)))
    return parts


# Basins.


def basin_figure(spec: Sensitivity, theme: Theme, found, name: str = "") -> Figure:
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
        pale = mix_color((color, theme.high), CLEAR)
        ends = (pale, pale) if i == 0 else (mix_color((color, theme.high), 0.1), pale)
        scale += [(i / total, ends[0]), ((i + 0.999) / total, ends[1])]
    scale.append((1.0, scale[-1][1]))
    xs, ys = places(spec, found)
    marks = [Heatmap(z, scale, x=xs, y=ys, span=(0, total), uid="basins")]
    marks += _hatched(xs, ys, found.diverged_at >= 0, theme, _("diverged"))
    if n:
        stars = Dots(
            *found.minima.T,
            Style(theme.ink, marker="star"),
            name=_("minimum"),
            uid="minima",
            hover="{name} {text}",
            size=13,
            edge=theme.high,
            edge_width=1,
            text=[text.letter(i) for i in range(n)],
            text_color=theme.ink,
        )
        marks.append(stars)
    label = _("Basins of {name}: which minimum each start reaches. The table gives the shares.")
    figure = _over_starts(spec, theme, marks, label.format(name=name))
    if spec.other < 0:
        return figure
    panel = replace(figure.frames[0], title=name)
    return replace(figure, panels=[panel], legend="window", margin={"t": 52})


def places(spec: Sensitivity, found) -> list[np.ndarray]:
    """The coordinates of the cells, across and up."""
    rows, columns = found.index.shape
    across, up = spec.objective.f.domain
    return [np.linspace(*across, columns), np.linspace(*up, rows)]


def _over_starts(spec, theme, marks, label, **figure):
    """Marks on the plane, and the start that is set."""
    (across, up), (x, y) = spec.objective.f.domain, spec.objective.start
    start = Dots(
        [x],
        [y],
        Style(theme.ink, marker="circle-open-dot"),
        name=_("start"),
        uid="start",
        size=13,
        edge=theme.ink,
        edge_width=2,
    )
    return Figure(
        [*marks, start],
        Axis("x", limits=across, grid=False),
        Axis("y", limits=up, grid=False),
        label=label,
        view=spec.objective.landscape_key(),
        height=figures.HEIGHT,
        hover="closest",
        **figure,
    )


def difference_figure(spec: Sensitivity, theme: Theme, first, second) -> Figure:
    """Where two optimizers come to the same and where not; hatched where both arrive, elsewhere."""
    kind, (xs, ys) = run.difference(first, second), places(spec, first)
    looks = method_styles(spec.optimizers, theme)
    both = [looks[i].color for i in (spec.chosen, spec.other)]
    colors = [theme.page, *both, mix_color((theme.faint, theme.high), CLEAR)]
    scale = [(v, color) for i, color in enumerate(colors) for v in (i / 4, (i + 1) / 4)]
    names = [_("same"), spec.names[spec.chosen], spec.names[spec.other], _("other")]
    bar = ColorBar([0, 1, 2, 3], names, _("arrives"), theme.faint)
    marks = [
        Heatmap(kind, scale, x=xs, y=ys, span=(-0.5, 3.5), uid="difference", bar=bar),
        *_hatched(xs, ys, kind == 3, theme, _("different minima")),
    ]
    label = _("Where {a} and {b} reach different minima. The sentence below gives the shares.")
    label = label.format(a=names[1], b=names[2])
    return _over_starts(spec, theme, marks, label, margin={"r": 96})


def basins(context: Context) -> list:
    """The picture, of which a click sets the start, the path from there, and how many go where; of
    two optimizers both pictures, and where they differ.
    """
    spec, theme = context.spec, context.theme
    found = run.both_basins(spec)

    def clicked(x, y):
        session().show(context.page.key, run.with_values(spec, x=x, y=y))

    def picture(i, one):
        def draw():
            figure = basin_figure(spec, theme, one, spec.names[i])
            key = "sensitivity-basins" + "-other" * (i != spec.chosen)
            show(key, figure, clicks="guess", on_guess=clicked)

        return Widget(draw)

    pictures = [picture(*one) for one in found]
    paths, said = figures.paths(spec, theme, [i for i, _one in found]), []
    if len(found) == 2:
        both = [one for _i, one in found]
        pictures.append(difference_figure(spec, theme, *both))
        said.append(text.describe_difference(spec, run.difference(*both)))
    pictures.append(paths)
    if not spec.objective.noise:  # which has many runs of each start
        said += [
            text.coarse_note(one, spec.names[i]) for i, one in found if len(one.index) < run.STARTS
        ]
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
        return race.figure(spec, theme, race.run_race(spec))
    if spec.view == "noise":
        return noise.ends(spec, theme, noise.clouds(spec))
    if spec.view == "basins":
        [(_i, found), *_other] = run.both_basins(spec)
        return basin_figure(spec, theme, found)
    return figures.over_rate(spec, theme, run.rate_curves(spec))
