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

CLEAR = 0.75  # share of the background in a basin's color, for the slowest start


# The map.


def _axis(spec, name, cells):
    """An axis of the map, whose cells lie at these coordinates."""
    declared, _place = run.axis_place(spec, name)
    ticks = labels = None
    if declared.log or declared.near_one:
        low, high = cells[[0, -1]]
        ticks = np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1)
        ticks = np.linspace(low, high, 5) if spec.window else ticks
        _to_axis, from_axis = run.axis_transforms(declared)
        labels = [number(from_axis(u)) for u in ticks]
    limits = tuple(cell_edges(cells))
    return Axis(_(AXES[name]), limits=limits, ticks=ticks, labels=labels, grid=False)


def _shown(spec, sweep):
    """The values of a map as drawn: the measure of the cells, NaN where they count as lost."""
    z = sweep.values
    if spec.measure != "steps":
        z = np.log10(np.maximum(z - run.floor(spec.objective), figures.TINY))
    return np.where(np.isfinite(z) & ~run.diverging(spec, sweep), z, np.nan)


def _span(maps) -> tuple[float, float]:
    """The range of the colors of several maps together."""
    finite = np.concatenate([z[np.isfinite(z)] for z in maps])
    low, high = np.quantile(finite, [0.02, 1]) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1


def map_figure(spec: Sensitivity, theme: Theme, sweep, span=None, hover=None) -> Figure:
    """The measure of every cell, hatched where it diverged, and the theoretical edge."""
    cells = [run.axis_values(spec, name) for name in (spec.across, spec.up)]
    x, y = run.map_coordinates(spec, cells)
    x_axis, y_axis = _axis(spec, spec.across, x), _axis(spec, spec.up, y)
    z, steps = _shown(spec, sweep), spec.measure == "steps"
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
            hover=text.hover_texts(spec, sweep, *cells) if hover is None else hover,
            bar=ColorBar(ticks, labels, _("steps") if steps else _("loss"), theme.faint),
        )
    ]
    marks += _hatched(x, y, run.diverging(spec, sweep), theme, name)
    if (limit := run.stability_edge(spec)) is not None:
        u, v = run.map_coordinates(spec, limit)
        dashed, name = Style(theme.lines[1], (9, 5)), _("theoretical edge of stability")
        marks.append(Line(u, v, dashed, name=name, uid="edge", width=3))
    u, v = run.map_coordinates(
        spec, [run.current_value(spec, name) for name in (spec.across, spec.up)]
    )
    current = Dots(
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
        [*marks, current],
        x_axis,
        y_axis,
        view=f"{spec.across} {spec.up} {x_axis.limits} {y_axis.limits}",
        margin={"r": 64},
        label=text.map_label(spec),
        height=figures.HEIGHT,
        hover="closest",
    )


def maps(spec: Sensitivity, theme: Theme) -> list[Row]:
    """The maps of all optimizers that have both axes, with one color scale."""
    mapped = run.mappable(spec)
    specs = [run.with_one_optimizer(spec, i) for i in mapped]
    sweeps = [run.map_of(single) for single in specs]
    span, small = _span([_shown(*pair) for pair in zip(specs, sweeps, strict=True)]), []
    for i, single, sweep in zip(mapped, specs, sweeps, strict=True):
        figure = map_figure(single, theme, sweep, span, text.cell_texts(single, sweep))
        figure = replace(figure, view="", show_legend=False, height=17, drag=False)
        small.append([Caption(spec.names[i]), figure])
    pairs = [*small, []] if len(small) % 2 else small
    return [Row(pairs[i : i + 2], (1, 1)) for i in range(0, len(pairs), 2)]


def _edges(centers):
    """All edges of evenly spaced cells."""
    return np.linspace(*cell_edges(centers), len(centers) + 1)


def _hatched(x, y, mask, theme, name) -> list[Band]:
    """Hatching over the cells in the mask `(len(y), len(x))`, one stretch after another."""
    if not mask.any():
        return []
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(int), axis=1)
    (rows, starts), (_rows, last) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    gap, x, y = np.full(len(rows), np.nan), _edges(x), _edges(y)
    ends, low, high = (
        np.stack([a, b, gap], -1).ravel()
        for a, b in ((x[starts], x[last]), (y[rows],) * 2, (y[rows + 1],) * 2)
    )
    options = {"hatched": True, "opacity": 0.8, "legend": True}
    return [Band(ends, low, high, theme.ink, name=name, uid="diverged", **options)]


def map_of(context: Context) -> list:
    """The map, on which a click sets both axes, and the path of the current setting."""
    spec = context.spec
    sweep = run.map_of(run.with_one_optimizer(spec, spec.chosen))

    def update(change, args):  # from the current spec: a click and a zoom may arrive together
        current = session()
        current.show(context.page.key, change(current.specs[context.page.key], args))

    def click(*position):
        update(run.with_cell, position)

    def zoom(ranges):
        update(run.with_window, ranges)

    def draw():
        picture = map_figure(spec, context.theme, sweep)
        show("sensitivity-map", picture, clicks="cell", on_guess=click, on_brush=zoom, zooms=True)

    def follow():
        config, current = spec.config, session()
        scene = Scene(spec.objective, (config,), spec.tolerance)
        current.show("trajectories", scene.affordable())
        current.next_page = "trajectories"

    def link():
        label = _("{name} as it is set, in Trajectories").format(name=spec.names[spec.chosen])
        button(label, "sensitivity-follow", follow, icon="conversion_path")

    parts = [
        Row([Widget(draw), Widget(lambda: figures.preview(spec, context.theme))], (6, 5)),
        text.describe_map(spec, sweep),
        Widget(link),
    ]
    if len(run.mappable(spec)) > 1:
        label = _("The same map for every optimizer that has both settings")
        parts.append(Expander(label, lambda: maps(spec, context.theme)))
    return parts


# Basins.


def basin_figure(spec: Sensitivity, theme: Theme, basins, name: str = "") -> Figure:
    """Colors show which minimum each start reaches, shades how fast; hatched where it diverged."""
    n, colors = len(basins.minima), [theme.faint, *text.hues(theme)]
    steps = np.where(basins.steps >= 0, basins.steps, np.nan)
    slow = np.nanquantile(steps, 0.95) if np.isfinite(steps).any() else 1.0
    shade = np.clip(np.nan_to_num(steps) / max(slow, 1), 0, 1)
    if (basins.share < 1).any():
        shade = 1 - basins.share
    color_index = np.where(basins.index < 0, 0, 1 + basins.index % (len(colors) - 1))
    z = color_index + np.where(color_index > 0, 0.98 * shade, 0.5)
    z = np.where(basins.diverged_at >= 0, np.nan, z)
    scale, total = [], len(colors)
    for i, color in enumerate(colors):
        pale = mix_color((color, theme.high), CLEAR)
        ends = (pale, pale) if i == 0 else (mix_color((color, theme.high), 0.1), pale)
        scale += [(i / total, ends[0]), ((i + 0.999) / total, ends[1])]
    scale.append((1.0, scale[-1][1]))
    xs, ys = places(spec, basins)
    marks = [Heatmap(z, scale, x=xs, y=ys, span=(0, total), uid="basins")]
    marks += _hatched(xs, ys, basins.diverged_at >= 0, theme, _("diverged"))
    if n:
        stars = Dots(
            *basins.minima.T,
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


def places(spec: Sensitivity, basins) -> list[np.ndarray]:
    """The coordinates of the cells, across and up."""
    rows, columns = basins.index.shape
    x_range, y_range = spec.objective.f.domain
    return [np.linspace(*x_range, columns), np.linspace(*y_range, rows)]


def _over_starts(spec, theme, marks, label, **figure):
    """Marks on the plane, and the current start."""
    (x_range, y_range), (x, y) = spec.objective.f.domain, spec.objective.start
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
        Axis("x", limits=x_range, grid=False),
        Axis("y", limits=y_range, grid=False),
        label=label,
        view=spec.objective.landscape_key(),
        height=figures.HEIGHT,
        hover="closest",
        **figure,
    )


def difference_figure(spec: Sensitivity, theme: Theme, first, second) -> Figure:
    """Where two optimizers reach the same minimum; hatched where they reach different ones."""
    kind, (xs, ys) = run.difference(first, second), places(spec, first)
    styles = method_styles(spec.optimizers, theme)
    pair = [styles[i].color for i in (spec.chosen, spec.other)]
    colors = [theme.page, *pair, mix_color((theme.faint, theme.high), CLEAR)]
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
    """The picture, on which a click sets the start, the path from there, and the shares of the
    minima; for two optimizers both pictures, and where they differ.
    """
    spec, theme = context.spec, context.theme
    pairs = run.both_basins(spec)

    def set_start(x, y):
        session().show(context.page.key, run.with_values(spec, x=x, y=y))

    def picture(i, b):
        def draw():
            figure = basin_figure(spec, theme, b, spec.names[i])
            key = "sensitivity-basins" + "-other" * (i != spec.chosen)
            show(key, figure, clicks="guess", on_guess=set_start)

        return Widget(draw)

    pictures = [picture(*b) for b in pairs]
    paths, sentences = figures.paths(spec, theme, [i for i, _basins in pairs]), []
    if len(pairs) == 2:
        both = [b for _i, b in pairs]
        pictures.append(difference_figure(spec, theme, *both))
        sentences.append(text.describe_difference(spec, run.difference(*both)))
    pictures.append(paths)
    if not spec.objective.noise:  # which has many runs of each start
        sentences += [
            text.coarse_note(b, spec.names[i]) for i, b in pairs if len(b.index) < run.STARTS
        ]
    minima = minima_of(spec.objective.f)
    return [
        *(Row(pictures[i : i + 2], (1, 1)) for i in range(0, len(pictures), 2)),
        *sentences,
        *(text.basin_table(spec, b, minima, theme, spec.names[i]) for i, b in pairs),
    ]


def thumbnail(spec: Sensitivity, theme: Theme) -> Figure:
    """A small version of what the view shows."""
    if spec.view == "map":
        return map_figure(spec, theme, run.map_of(spec))
    if spec.view == "race":
        return race.figure(spec, theme, race.run_race(spec))
    if spec.view == "noise":
        return noise.ends(spec, theme, noise.clouds(spec))
    if spec.view == "basins":
        [(_i, result), *_other] = run.both_basins(spec)
        return basin_figure(spec, theme, result)
    return figures.over_rate(spec, theme, run.rate_curves(spec))
