"""The two pictures of a scene: whole, for the page, and a racer's share of them while a knob is dragged."""

from dataclasses import dataclass

import streamlit as st

from optviz.core.experiments.trajectories import Scene
from optviz.ui import cache
from optviz.ui.components import plot
from optviz.views import contour, curves
from optviz.views.style import THEMES, style

LEVELS = {"auto": None, "linear": False, "log": True}


@dataclass(frozen=True)
class View:
    """How the scene is shown; none of it makes anything run again."""

    levels: str = "auto"
    field: bool = False
    lookahead: bool = False
    log: bool = True
    along: str = "steps"
    metrics: tuple[str, ...] = ("loss",)


def theme_name() -> str:
    """The visitor's theme."""
    return st.context.theme.type or "light"


def looks(scene: Scene) -> list:
    """The look of each racer."""
    return [style(i, THEMES[theme_name()]) for i in range(len(scene.racers))]


def figures(scene: Scene, view: View, ids: list[str], only: set[str] | None = None) -> dict[str, dict]:
    """Both figures by name; with `only`, of these racers alone."""
    f, theme, known = scene.problem.f, THEMES[theme_name()], cache.minima(scene.problem)
    racers = [
        (id, name, cache.run(scene.problem, racer), look)
        for id, name, racer, look in zip(ids, scene.names, scene.racers, looks(scene), strict=True)
        if only is None or id in only
    ]
    tracks = [(id, name, r.lookahead if view.lookahead else r.points, r.values, look) for id, name, r, look in racers]
    return {
        "contour": contour.paths_layer(f, scene.problem.start, tracks, known, theme),
        "curves": curves.curves(racers, known, view.metrics, view.along, view.log),
    }


def live(scene: Scene, view: View, ids: list[str], only: set[str]) -> dict[str, list]:
    """The traces of some racers in both pictures: what a knob's panel hands over while it is dragged."""
    return {name: figure["data"] for name, figure in figures(scene, view, ids, only).items()}


def show(scene: Scene, view: View, ids: list[str]) -> None:
    """Both pictures side by side."""
    problem, theme = scene.problem, THEMES[theme_name()]
    land, drawn = problem.landscape_key(), figures(scene, view, ids)
    left, right = st.columns([11, 9], gap="small")
    with left:
        plot(
            "contour", drawn["contour"],
            f"Contour of {problem.f.name} with the paths of {', '.join(scene.names) or 'no optimizer'}. "
            "The table below says the same.",
            view=land, theme=theme_name(), base_id=f"{land} {theme_name()} {view.levels} {view.field}",
            base=lambda: contour.landscape_layer(
                problem.f, cache.landscape(problem), theme, LEVELS[view.levels], view.field
            ),
        )  # fmt: skip
    with right:
        shown = ", ".join(curves.METRICS[m] for m in view.metrics)
        plot(
            "curves", drawn["curves"], f"{shown} over {curves.ALONG[view.along]}. The table below says the same.",
            view=f"{land} {view.metrics} {view.along} {view.log}", theme=theme_name(),
        )  # fmt: skip
