"""The figures of a scene: whole, for the page, and one optimizer's share of them while its slider is
dragged."""

from typing import NamedTuple

from optviz.experiments.trajectories import cache
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.curves import curves
from optviz.experiments.trajectories.spec import ALONG, LEVELS, METRICS, Scene
from optviz.experiments.trajectories.state import state
from optviz.optim.config import OptimizerConfig
from optviz.optim.minimize import Run
from optviz.plot import THEMES, Figure, Style, Theme, contour, layer, style, to_plotly
from optviz.plot.contour import Landscape, Path, descent_arrows
from optviz.plot.surface import surface, surface_figure
from optviz.translation import _
from optviz.ui.components import theme_name


class Track(NamedTuple):
    """An optimizer with its path and its look."""

    id: str
    name: str
    config: OptimizerConfig
    run: Run
    style: Style

    def path(self, objective, lookahead: bool = False, more: bool = False) -> Path:
        """As what is drawn: its iterates or look-ahead points, and with `more` all initial points."""
        batch = cache.multistart(objective, self.config) if more else None
        points = self.run.lookahead if lookahead else self.run.points
        others = None if batch is None else batch.points
        return Path(self.id, self.name, points, self.run.values, self.style, others)


def looks(scene: Scene, theme: Theme) -> list[Style]:
    """The look of each optimizer."""
    return [style(i, theme) for i in range(len(scene.optimizers))]


def tracks(scene: Scene, ids, theme: Theme, only: set[str] | None = None) -> list[Track]:
    """The optimizers of a scene; with `only`, those alone."""
    named = zip(ids, scene.names, scene.optimizers, looks(scene, theme), strict=True)
    return [
        Track(key, name, config, cache.run(scene.objective, config), look)
        for key, name, config, look in named
        if only is None or key in only
    ]


def landscape(scene: Scene, drawn: list[Track], theme: Theme) -> Figure:
    """The contour, or the surface, with the paths."""
    objective, view = scene.objective, scene.view
    known, log, key = cache.minima(objective), LEVELS[view.levels], objective.landscape_key()
    name = f"{key} {theme.ink} {view.levels} {view.field} {view.solid}"

    def under():
        land = cache.landscape(objective)
        if view.solid:
            return layer(surface(land, theme, log))
        arrows = [descent_arrows(objective.f, theme)] if view.field else []
        return layer(contour.landscape(land, theme, log), *arrows)

    paths = [t.path(objective, view.lookahead, not view.solid) for t in drawn]
    names = ", ".join(scene.names) or _("no optimizer")
    if view.solid:
        label = _("Surface of {function} with the paths of {names}. The table below says the same.")
    else:
        label = _("Contour of {function} with the paths of {names}. The table below says the same.")
    f, common = objective.f, {"view": key, "under": (name, under)}
    common["label"] = label.format(function=f.name, names=names)
    if view.solid:
        land, at = cache.landscape(objective), (known, f.value(known))
        return surface_figure(f.domain, land, paths, at, theme, log, **common)
    return contour.paths(f, objective.start, paths, known, theme, **common)


def first(scene: Scene) -> str:
    """The name of the first figure."""
    return "solid" if scene.view.solid else "contour"


def figures(scene: Scene, ids, theme: Theme, only: set[str] | None = None) -> dict[str, Figure]:
    """The figures by name; with `only`, of these optimizers alone."""
    view = scene.view
    drawn, known = tracks(scene, ids, theme, only), cache.minima(scene.objective)
    shown = ", ".join(_(METRICS[metric]) for metric in view.metrics)
    message = _("{curves} over {along}. The table below says the same.")
    chart = curves(
        *(drawn, known, view.metrics, view.along, view.log),
        label=message.format(curves=shown, along=_(ALONG[view.along])),
        view=f"{scene.objective.landscape_key()} {view.metrics} {view.along} {view.log}",
    )
    return {"curves": chart, first(scene): landscape(scene, drawn, theme)}


def live_figures(scene: Scene, only: set[str] | None = None) -> dict[str, list]:
    """The traces of some optimizers in the figures, for the browser to put in their places."""
    drawn = figures(scene, state().ids, THEMES[theme_name()], only)
    return {name: to_plotly(figure)["data"] for name, figure in drawn.items()}


def thumbnail(scene: Scene, theme: Theme) -> Figure:
    """The function as a shaded background, and every optimizer's path in its look."""
    objective, f = scene.objective, scene.objective.f
    land = Landscape.of(f)
    paths = []
    for i, (name, config) in enumerate(zip(scene.names, scene.optimizers, strict=True)):
        batch = runs.multistart(objective, config)
        more, own = None if batch is None else batch.points, runs.run(objective, config)
        paths.append(Path(f"{i}", name, own.points, own.values, style(i, theme), more))
    known = runs.minima(f, land)
    drawn = contour.paths(f, objective.start, paths, known, theme, markers=0)
    return drawn.add(contour.landscape(land, theme), under=True)
