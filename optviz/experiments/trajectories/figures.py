"""The pictures of a scene: whole, for the page, and an optimizer's share of them while a hyperparameter is dragged."""

from optviz.experiments.trajectories import curves
from optviz.experiments.trajectories.spec import Scene
from optviz.experiments.trajectories.step_inspector.figures import arrows
from optviz.experiments.trajectories.view import LEVELS, View
from optviz.plot import contour, surface
from optviz.plot.style import THEMES, style
from optviz.ui import cache
from optviz.ui.components import plot, theme_name


def looks(scene: Scene) -> list:
    """The look of each optimizer."""
    return [style(i, THEMES[theme_name()]) for i in range(len(scene.optimizers))]


def figures(
    scene: Scene, view: View, ids: list[str], only: set[str] | None = None
) -> dict[str, dict]:
    """The pictures by name; with `only`, of these optimizers alone."""
    f, theme, known = scene.objective.f, THEMES[theme_name()], cache.minima(scene.objective)
    configs = [
        (id, name, config, cache.run(scene.objective, config), look)
        for id, name, config, look in zip(
            ids, scene.names, scene.optimizers, looks(scene), strict=True
        )
        if only is None or id in only
    ]
    tracks = [
        (id, name, r.lookahead if view.lookahead else r.points, r.values, look)
        for id, name, _, r, look in configs
    ]
    runs = [(id, name, r, look) for id, name, _, r, look in configs]
    drawn = {"curves": curves.curves(runs, known, view.metrics, view.along, view.log)}
    if view.solid:
        drawn["solid"] = surface.solid(
            f, cache.landscape(scene.objective), tracks, known, theme, LEVELS[view.levels]
        )
    else:
        fans = {
            id: paths.points
            for id, _, config, *_ in configs
            if (paths := cache.multistart(scene.objective, config)) is not None
        }
        drawn["contour"] = contour.paths_layer(f, scene.objective.start, tracks, known, theme, fans)
    return drawn


def live(scene: Scene, view: View, ids: list[str], only: set[str]) -> dict[str, list]:
    """The traces of some optimizers in the pictures: what a hyperparameter's panel hands over while it is dragged."""
    return {name: figure["data"] for name, figure in figures(scene, view, ids, only).items()}


def base(scene: Scene, view: View) -> tuple[str, callable]:
    """A name for what lies under the paths, and what makes it."""
    objective, theme, log = scene.objective, THEMES[theme_name()], LEVELS[view.levels]
    name = f"{objective.landscape_key()} {theme_name()} {view.levels} {view.field} {view.solid}"

    def made():
        land = cache.landscape(objective)
        if view.solid:
            return surface.surface_layer(objective.f, land, theme, log)
        return contour.landscape_layer(objective.f, land, theme, log, view.field)

    return name, made


def landscape(
    scene: Scene,
    view: View,
    ids: list[str],
    inside=None,
    clicks="start",
    sealed=False,
    guess=None,
    guessed=None,
    link="",
):
    """The contour, or the surface, with the paths; on the contour the arrows of the optimizer `inside` which one looks.

    `clicks` is what a click on the contour means: it puts the `start` there, answers a question (`guess`)
    with `guessed(x, y)`, or nothing. While `sealed` only the first step is shown. `link` goes to the
    address bar.
    """
    objective, theme, drawn = scene.objective, THEMES[theme_name()], figures(scene, view, ids)
    names = f"{objective.f.name} with the paths of {', '.join(scene.names) or 'no optimizer'}. The table below says the same."
    base_id, made = base(scene, view)
    common = {
        "theme": theme_name(),
        "base_id": base_id,
        "base": made,
        "sealed": sealed,
        "link": link,
    }
    if view.solid:
        plot(
            "solid",
            drawn["solid"],
            f"Surface of {names}",
            view=objective.landscape_key(),
            solid=True,
            **common,
        )
        return
    (x0, x1), (y0, y1) = objective.f.domain
    figure = drawn["contour"]
    if guess is not None:
        figure["data"].append(contour.guess(guess, theme))
    plot(
        "contour", figure, f"Contour of {names}", view=objective.landscape_key(), clicks=clicks, guessed=guessed or (lambda x, y: None),
        grab={"start": objective.start, "frame": {"x": (x0, x1), "y": (y0, y1)}} if clicks == "start" else None,
        arrows=inside and arrows(cache.run(objective, scene.optimizers[ids.index(inside)]), theme), **common,
    )  # fmt: skip


def losses(scene: Scene, view: View, ids: list[str], sealed=False) -> None:
    """The curves."""
    shown = ", ".join(curves.METRICS[m] for m in view.metrics)
    plot(
        "curves", figures(scene, view, ids)["curves"], f"{shown} over {curves.ALONG[view.along]}. The table below says the same.",
        view=f"{scene.objective.landscape_key()} {view.metrics} {view.along} {view.log}", theme=theme_name(), sealed=sealed,
    )  # fmt: skip
