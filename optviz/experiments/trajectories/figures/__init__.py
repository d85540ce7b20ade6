"""The figures of a scene, and one optimizer's part of them while its slider is dragged."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optviz.experiments.trajectories import auto, text
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.figures import univariate
from optviz.experiments.trajectories.figures.curves import curves
from optviz.experiments.trajectories.spec import LEVELS, Scene, View, noise_in_words
from optviz.experiments.trajectories.state import state
from optviz.experiments.trajectories.wording import for_sign
from optviz.functions.function import Function
from optviz.optim.config import OptimizerConfig
from optviz.optim.minima import minima_of
from optviz.optim.run import Run
from optviz.plot import (
    THEMES,
    Axis,
    Figure,
    Line,
    Style,
    Theme,
    contour,
    layer,
    method_styles,
    to_plotly,
)
from optviz.plot.contour import Path
from optviz.plot.landscape import Landscape, frame_around, reach
from optviz.plot.landscape.surface import is_rugged, surface, surface_figure
from optviz.translation import N_, _
from optviz.ui.components import theme_name
from optviz.ui.training.optimizer_menu import chips

ARROWS = (18, 13)  # across and up
# of the frame, from a phone to a wide screen
ASPECTS = {"both": (0.7, 1.75), "contour": (0.7, 2.6), "curves": (0.7, 1.75)}  # an exported page
SMALL = 1.6  # aspect of a thumbnail


class Track(NamedTuple):
    """An optimizer with its path and its style."""

    id: str
    name: str
    config: OptimizerConfig
    run: Run
    style: Style

    def path(self, scene: Scene) -> Path:
        """The path as drawn: iterates or look-ahead points, on a contour from all starts; for a
        function of x alone on its curve, with tangents.
        """
        run, several_starts = self.run, landscape_name(scene) == "contour"
        batch = runs.multistart(scene.objective, self.config) if several_starts else None
        drawn = Path(self.id, self.name, run.points, run.heights, self.style)
        if scene.objective.f.univariate:
            points, tangents = univariate.on_curve(run), univariate.tangents(run)
            multistart = None if batch is None else univariate.on_curve(batch)
            return drawn._replace(points=points, multistart=multistart, simplex=tangents)
        drawn = drawn._replace(simplex=simplex(run))
        if scene.view.lookahead:
            drawn = drawn._replace(points=run.lookahead)
        if batch is None:
            return drawn
        several = len(minima_of(scene.objective.f).places) > 1
        by_place = several and len(scene.optimizers) == 1  # their colors
        ends = runs.arrivals(batch, scene.tolerance) if by_place else None
        return drawn._replace(multistart=batch.points, basins=ends)


def simplex(run: Run) -> np.ndarray | None:
    """The corners of the simplex at every step, `(steps+1, 3, 2)`, NaN where there is none; None if
    there never is.
    """
    if not any("simplex" in values for values in run.state_dicts):
        return None
    corners = [values.get("simplex", np.full((3, 2), np.nan)) for values in run.state_dicts]
    return np.where(np.isfinite(run.values)[:, None, None], corners, np.nan)


def tracks(scene: Scene, ids, theme: Theme) -> list[Track]:
    """The optimizers of a scene."""
    labels = [
        " · ".join([name, *chips(config)])
        for name, config in zip(scene.names, scene.optimizers, strict=True)
    ]
    paths = [runs.path(scene.objective, config) for config in scene.optimizers]
    styles = method_styles(scene.optimizers, theme)
    parts = zip(ids, labels, scene.optimizers, paths, styles, strict=True)
    return [Track(*fields) for fields in parts]


def minima(f: Function) -> list[contour.Minima]:
    """The minima as drawn: the lowest and the others, stars and the points of curves."""
    known = minima_of(f)
    kinds = (
        (True, False, N_("minimum") if known.lowest.all() else N_("lowest minimum")),
        (False, False, N_("local minimum")),
        (True, True, N_("curve of minima")),
        (False, True, N_("curve of local minima")),
    )
    groups, on_curve, listed = [], known.on_curve, np.full(len(known), True)
    if f.univariate:  # a curve of minima is one of x alone
        on_curve, listed = ~listed, np.isin(np.arange(len(known)), known.places)
    for lowest, curve, name in kinds:
        chosen = listed & (known.lowest == lowest) & (on_curve == curve)
        if chosen.any():
            points, height = known.points[chosen], f.sign * known.values[chosen]
            groups.append(contour.Minima(for_sign(name, f.sign), points, height, not lowest, curve))
    return groups


def descent_arrows(f, theme: Theme) -> Line:
    """Arrows along −∇f, the direction of plain descent; longer where steeper (log scale)."""
    size = np.array([(high - low) / n for (low, high), n in zip(f.domain, ARROWS, strict=True)])
    x, y = (
        np.linspace(low, high, n, endpoint=False) + s / 2
        for (low, high), n, s in zip(f.domain, ARROWS, size, strict=True)
    )
    positions = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    descent = -f.grad(positions)
    steepness = np.sqrt((descent**2).sum(-1, keepdims=True))
    finite = np.isfinite(steepness[:, 0]) & (steepness[:, 0] > 0)
    positions, descent, steepness = positions[finite], descent[finite], steepness[finite]
    rank = np.log(steepness) - np.log(steepness).min(initial=np.inf)
    length = 0.35 + 0.6 * rank / (rank.max(initial=0) or 1)
    scaled = descent / size  # equal lengths on the page, whatever the axes' units
    unit = scaled / np.sqrt((scaled**2).sum(-1, keepdims=True))
    side = np.stack([-unit[:, 1], unit[:, 0]], -1)
    tip, tail = unit * length / 2, -unit * length / 2
    barbs = [tip - 0.22 * length * (unit + s * 0.6 * side) for s in (1, -1)]
    parts = [positions + d * size for d in (tail, tip, barbs[0], tip, barbs[1])]
    line = np.stack([*parts, np.full_like(positions, np.nan)], 1).reshape(-1, 2)
    return Line(*line.T, Style(theme.faint), width=1, opacity=0.75)


def landscape(scene: Scene, drawn: list[Track], theme: Theme) -> Figure:
    """The contour, or the surface, with the paths."""
    objective, view, f = scene.objective, scene.view, scene.objective.f
    log, colors, start = LEVELS[view.levels], theme.maps[view.colors], objective.start
    paths, shown = [track.path(scene) for track in drawn], minima(f)
    start_name = " · ".join(filter(None, [_("start"), noise_in_words(objective)]))
    under = None
    if f.univariate:
        figure = univariate.graph(f, start, paths, shown, theme, start_name=start_name)
        label = _(
            "Curve of {function} with the paths of {names}. {minima} The table below describes "
            "the paths."
        )
    elif view.in_space:
        land, frame = runs.landscape(objective), "surface"
        figure = surface_figure(f.domain, land, paths, shown, theme, log)
        label = _(
            "Surface of {function} with the paths of {names}. {minima} The table below describes "
            "the paths."
        )

        def under():
            return layer(surface(land, theme, log, colors, is_rugged(shown)))
    else:
        extent = reach(f.domain, *ASPECTS[view.shown]) if view.equal else (1.0, 1.0)
        land, frame = runs.landscape(objective, extent), view.shown if view.equal else "domain"
        options = {"equal": view.equal, "start_name": start_name}
        figure = contour.paths(f, start, paths, shown, theme, **options)
        label = _(
            "Contour of {function} with the paths of {names}. {minima} The table below describes "
            "the paths."
        )

        def under():
            arrows = [descent_arrows(f, theme)] if view.field else []
            border = [contour.border(f.domain, theme)] if max(extent) > 1 else []
            known = minima_of(f)
            rings = contour.extra_rings(land, known.points[~known.on_curve], theme, log)
            drawn = contour.landscape(land, theme, log, colors=colors)
            return layer(drawn, *rings, *border, *arrows)

    key, names = objective.landscape_key(), ", ".join(scene.names) or _("no optimizer")
    label = label.format(function=f.name, names=names, minima=text.minima(f))
    if under:
        name = f"{key} {theme.ink} {view.levels} {view.field} {view.colors} {frame}"
        figure = replace(figure, under=(name, under))
    return replace(figure, view=key, label=label)


def landscape_name(scene: Scene) -> str:
    """The name of the figure of the landscape: in space, or the contour."""
    return "solid" if scene.view.in_space and not scene.objective.f.univariate else "contour"


def figures(scene: Scene, ids, theme: Theme, only: set[str] | None = None) -> dict[str, Figure]:
    """The figures by name; with `only`, the lines of these optimizers alone, on axes for all."""
    drawn = tracks(scene, ids, theme)
    share = [track for track in drawn if only is None or track.id in only]
    name = landscape_name(scene)
    return {"curves": curves(scene, drawn, only), name: landscape(scene, share, theme)}


def live_figures(scene: Scene, only: set[str] | None = None) -> dict[str, dict]:
    """The axes, and the traces of some optimizers, for the browser to update."""
    drawn = figures(scene, state().ids, THEMES[theme_name()], only)
    converted = ((name, to_plotly(figure)) for name, figure in drawn.items())
    patches = {name: {"traces": figure.pop("data"), **figure} for name, figure in converted}
    return patches | auto.automatic_values(scene)


def thumbnail(scene: Scene, theme: Theme) -> Figure:
    """The function as a shaded background, and every optimizer's path in its style."""
    f, start, plain = scene.objective.f, scene.objective.start, replace(scene, view=View())
    drawn = tracks(scene, scene.ids_beside, theme)
    paths = [track.path(plain)._replace(simplex=None) for track in drawn]
    if f.univariate:
        return univariate.graph(f, start, paths, minima(f), theme, markers=0)
    land = Landscape.from_function(f, reach=reach(f.domain, SMALL, SMALL))
    drawn = contour.paths(f, start, paths, minima(f), theme, markers=0)
    frame = frame_around(f.domain, SMALL)
    drawn = replace(drawn, x=Axis(limits=frame[0]), y=Axis(limits=frame[1]))
    if scene.view.field:
        drawn = drawn.add(descent_arrows(f, theme), under=True)
    return drawn.add(contour.landscape(land, theme), under=True)
