"""The loss over a plane: contour, surface, the loss along the paths, and all of it as CSV."""

from dataclasses import replace

import numpy as np

from optviz.experiments import training_charts as charts
from optviz.experiments.loss_landscape import run, text
from optviz.experiments.loss_landscape.run import LossSurface, NoSurface
from optviz.experiments.loss_landscape.spec import LossLandscape
from optviz.plot import Axis, Figure, Line, Theme, contour, layer, method_styles, trail
from optviz.plot.contour import Path
from optviz.plot.landscape import Landscape
from optviz.plot.landscape.surface import surface as surface_mark
from optviz.plot.landscape.surface import surface_figure
from optviz.plot.style import number
from optviz.plot.table import csv_text
from optviz.training import load, train
from optviz.translation import _

HEIGHT = (17, 54, 44)
PREVIEW = {"iterations": 150, "resolution": 25, "n_samples": 100}  # of a thumbnail, at most


def landscape(surface: LossSurface) -> Landscape:
    """The grid as a landscape; exactly flat where it differs only by rounding."""
    z = surface.z
    flat = np.full_like(z, np.nanmean(z)) if text.flat(z) else z
    return Landscape.from_grid(surface.x, surface.y, flat)


def _paths(surface, theme, on_plane=False):
    """The paths with their true loss, or with `on_plane` the loss at the nearest points there."""
    hover, paths = _("{name}, iteration {iteration}<br>loss {loss}"), []
    styles = method_styles(surface.spec.optimizers, theme)
    for i, (track, line_style) in enumerate(zip(surface.tracks, styles, strict=True)):
        values = track.below if on_plane else track.true
        texts = [
            hover.format(name=track.name, iteration=t, loss=number(loss))
            for t, loss in zip(track.path.iterations.tolist(), values.tolist(), strict=True)
        ]
        if len(track.points):
            paths.append(Path(f"p{i}", track.name, track.points, values, line_style, hover=texts))
    return paths


def _common(surface, theme, picture, log):
    mark = surface_mark if picture == "surface" else contour.landscape
    titles = () if picture == "surface" else (_("loss"),)
    names = ", ".join(surface.spec.names)
    return {
        "label": _(text.LABELS[surface.spec.plane, picture]).format(names=names),
        "view": surface.key,
        "under": (
            f"{surface.key} {theme.ink} {log} {picture}",
            lambda: layer(mark(landscape(surface), theme, log, *titles)),
        ),
        "height": HEIGHT,
    }


def over_plane(surface: LossSurface, theme: Theme, log: bool | None = None, **figure) -> Figure:
    """The paths on the contour, from their start to their ends."""
    paths = _paths(surface, theme)
    start = paths[0].points[0] if paths else (0.0, 0.0)
    figure = _common(surface, theme, "contour", log) | figure
    titles = text.axis_titles(surface)
    return contour.paths(surface, start, paths, (), theme, titles, **figure)


def in_space(
    surface: LossSurface, theme: Theme, log: bool | None = None, true: bool = False
) -> Figure:
    """The paths on the surface, or with `true` at their true loss, above or below it."""
    return surface_figure(
        surface.domain,
        landscape(surface),
        _paths(surface, theme, on_plane=not true),
        (),
        theme,
        log,
        (_("first direction"), _("second direction"), _("loss")),
        **_common(surface, theme, "surface", log),
    )


def along_paths(surface: LossSurface, theme: Theme) -> Figure:
    """The true loss along each path, and faintly the loss on the plane below it."""
    marks, styles = [], method_styles(surface.spec.optimizers, theme)
    for i, (track, line_style) in enumerate(zip(surface.tracks, styles, strict=True)):
        x, labels = track.path.iterations, {"name": track.name, "group": track.name}
        faint = {"width": 1.4, "opacity": 0.55, "legend": False, "meta": {"trail": True}}
        hover = _("{name}, on the plane: {y:.4g}")
        below = _positive(track.below)
        marks.append(Line(x, below, line_style.solid, uid=f"l{i}p", hover=hover, **labels, **faint))
        shapes = {"shapes": 8, "sizes": (8, 8), "hover": "{name}: {y:.4g}", "legend": True}
        marks += trail(x, _positive(track.true), line_style, uid=f"l{i}", **labels, **shapes)
    return Figure(
        marks,
        Axis(_("iteration"), limits=(0, max(surface.spec.iterations, 1))),
        Axis(_("loss (faint: on the plane)"), log=True, limits=_limits(surface)),
        label=_("Loss along the paths. The table shows where they end."),
        view=surface.key,
        height=HEIGHT,
    )


def _limits(surface):
    """Wide limits where the losses hardly differ, so that the difference does not look large."""
    finite = surface.loss[len(surface.x) ** 2 :]
    finite = finite[finite > 0]
    if not finite.size or finite.max() > 1.5 * finite.min():
        return None
    return float(finite.min() / 1.5), float(finite.max() * 1.5)


def _positive(values):
    """A loss of exactly 0 has no place on a logarithmic axis: the line has a gap there."""
    return np.where(values > 0, values, np.nan)


def thumbnail(spec: LossLandscape, theme: Theme) -> Figure:
    """A coarse plane of a short training, or the curves where there is no plane."""
    preview = replace(spec, **{k: min(getattr(spec, k), largest) for k, largest in PREVIEW.items()})
    if not preview.optimizers:
        return charts.thumbnail(preview, theme)
    data = load(preview.trainings[0])
    ends = [list(train(training, data))[-1] for training in preview.trainings]
    surface = run.begin(preview, run.paths_of(ends))
    if isinstance(surface, NoSurface):
        return charts.thumbnail(preview, theme)
    while not surface.complete:
        surface = run.advance(surface, data)
    figure = over_plane(surface, theme, markers=0, under=None)
    return figure.add(contour.landscape(landscape(surface), theme), under=True)


def grid_csv(surface: LossSurface) -> str:
    """The loss at every point of the grid, in full precision; empty where it is not finite."""
    points = (
        (x, y, loss)
        for y, row in zip(surface.y, surface.z, strict=True)
        for x, loss in zip(surface.x, row, strict=True)
    )
    return csv_text(["first", "second", "loss"], points)


def paths_csv(surface: LossSurface) -> str:
    """Every point of every path: where on the plane, how far off it, and both losses."""
    header = ["optimizer", "iteration", "first", "second", "distance_from_plane", "loss"]
    rows = (
        [track.name, t, *at, *rest]
        for track in surface.tracks
        for t, at, *rest in zip(
            track.path.iterations, track.points, track.off, track.true, track.below, strict=True
        )
    )
    return csv_text([*header, "loss_on_plane"], rows)
