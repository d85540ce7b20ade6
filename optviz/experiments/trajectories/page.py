"""The page: optimizers on a function of two variables, which a hand moves while their paths follow.

It draws itself: figures that listen, a player, a start to take hold of.
"""

from dataclasses import replace
from functools import partial

import streamlit as st

from optviz.experiments.page import Drawing, Page
from optviz.experiments.trajectories import predict, results
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.auto import automatic
from optviz.experiments.trajectories.controls import CURVES, PICTURE, SHOWN, controls, view_form
from optviz.experiments.trajectories.figures import (
    figures,
    landscape_name,
    live_figures,
    thumbnail,
    univariate,
)
from optviz.experiments.trajectories.figures.optimizer_state import arrows
from optviz.experiments.trajectories.spec import BOOK, Scene
from optviz.experiments.trajectories.state import KEY, paths_hidden, prediction, state
from optviz.experiments.trajectories.step_inspector import inspected_id, step_inspector
from optviz.plot import THEMES, method_styles
from optviz.plot.contour import guess_mark
from optviz.plot.style import pack_array
from optviz.spec import Choice
from optviz.translation import N_, _
from optviz.ui import locks
from optviz.ui.components import button, lazy_popover, player, show, theme_name
from optviz.ui.controls import switch
from optviz.ui.form import Form
from optviz.ui.live import live_patch, start_handle
from optviz.ui.session import session

BESIDE = "beside-shown"  # the key of the switch beside the contour
MAX_FORMULA = (
    80  # LaTeX that stands beside the buttons of a narrow projector; a longer one is small
)


def stage(form: Form) -> None:
    """The question of a prediction, the figures and the player."""
    predict.bar(form)
    scene, asked = form.value, prediction()
    if asked:  # a guess is a click on the contour
        scene = replace(scene, view=replace(scene.view, solid=False, shown="both"), beside=None)
    elif not scene.optimizers and scene.view.shown == "both" and not scene.beside:
        alone = "surface" if scene.view.solid else "contour"  # there are no curves
        scene = replace(scene, view=replace(scene.view, shown=alone))
    shown, theme = scene.view.shown, THEMES[theme_name()]
    landscape, curves = _pictures(scene, theme)
    if scene.beside:
        with st.container(key=f"pair-{shown}"):
            _pair(form, (landscape, curves), theme)
    elif shown == "both":
        left, right = st.columns(2)
        with left:
            landscape()
        with right:
            _curves_or_inside(form, curves)
    elif shown == "curves":
        curves()
    else:
        landscape()
    start_handler(form)
    play = asked.revealed if asked else ""
    steps = max(of.objective.steps for of in scene.both)
    player(steps, f"{session().epoch}", play, play, predict.finish)


def _pictures(scene, theme):
    """Functions that show the landscape, under a hand, and the curves of the scene."""
    drawn, name, asked = figures(scene, state().ids, theme), landscape_name(scene), prediction()
    figure, hidden = drawn[name], {"hidden": paths_hidden()}
    more = hidden | (_hands(scene, theme) if name == "contour" else {})
    if asked and asked.point:
        figure = figure.add(guess_mark(asked.point, _("your guess"), theme))
    return lambda: show(name, figure, **more), lambda: show("curves", drawn["curves"], **hidden)


def _pair(form, pictures, theme):
    """The pictures of two scenes beside each other, shown in the same way; the inside of a step is
    that of the first.
    """
    scene, other = form.value.both
    drawn, name = figures(other, other.ids_beside, theme), landscape_name(other)
    shown = scene.view.shown
    sides = _("**A**, in the panel: {function}"), _("**B**: {function}")
    said = [
        side.format(function=function_title(of.objective.f))
        for side, of in zip(sides, (scene, other), strict=True)
    ]
    names = [partial(st.caption, text) for text in said]
    landscapes = pictures[0], partial(show, f"{name}-2", drawn[name])
    curves = pictures[1], partial(show, "curves-2", drawn["curves"])
    if shown == "both":
        _abreast(names, landscapes)
        _curves_or_inside(form, lambda: _abreast(curves))
    else:
        _abreast(names, curves if shown == "curves" else landscapes)


def _abreast(*rows):
    """Functions that draw, in two columns."""
    for column, parts in zip(st.columns(2), zip(*rows, strict=True), strict=True):
        with column:
            for part in parts:
                part()


def _looks_inside():
    return st.session_state.get(BESIDE) == "inside"


def _curves_or_inside(form, curves):
    labels = {"curves": _("Curves"), "inside": _("Inside a step")}
    with st.container(key="beside"):
        if switch(_("Beside the contour"), labels, BESIDE) == "curves":
            curves()
        else:
            with st.container(key="inside"):
                step_inspector(form)


def _hands(scene, theme):
    """What a click on the contour means, where the start can be taken hold of, and the arrows."""
    asked, objective, f = prediction(), scene.objective, scene.objective.f
    clicks, grab, drawn, start = None, None, None, objective.start
    if paths_hidden() and asked.question == "where":
        clicks, start = "guess", asked.point or start
        label = _("Your guess: drag it or move it with the arrow keys")
    elif locks.is_editable("run"):
        clicks, label = "start", _("Start: drag it or move it with the arrow keys")
    if clicks:
        frame = dict(zip("xy", f.domain, strict=True))
        grab = {"epoch": session().epoch, "frame": frame, "start": start, "label": label}
        if clicks == "start" and f.univariate:  # it is taken along the curve
            grab["heights"] = pack_array(univariate.heights(f))
    looks_inside = scene.view.shown == "both" and _looks_inside()
    if looks_inside and not paths_hidden() and inspected_id() and not f.univariate:
        i = state().ids.index(inspected_id())
        path = runs.path(objective, scene.optimizers[i])
        drawn = arrows(path, theme, method_styles(scene.optimizers, theme)[i].color)
    return {"clicks": clicks, "on_guess": predict.take_guess, "grab": grab, "arrows": drawn}


@st.fragment
def start_handler(form: Form) -> None:
    """Hears where a hand puts the start on the contour, and moves every line."""
    form = automatic(form)

    def put(x, y):
        place, objective = form.at("objective", "start"), form.value.objective
        place.set(objective.inside((x, place.value[1] if objective.f.univariate else y)))

    start_handle("grab", put, lambda: live_patch(lambda: live_figures(form.value)))


def buttons(form: Form) -> None:
    """How the scene is shown, and the invitation to predict."""
    if not locks.is_hidden("view"):
        view = view_form(form)
        view.draw([SHOWN])
        lazy_popover(_("View"), ":material/tune:", "view", lambda: view.draw(PICTURE + CURVES))
    if locks.scene_is_editable() and not locks.is_hidden("view"):
        _compare(form)
    button(
        _("Predict"),
        "predict-begin",
        predict.begin,
        icon="psychology_alt",
        disabled=not form.value.optimizers or prediction() is not None,
        help=_(
            "Hides the paths: guess where one of them will end or which arrives first, then "
            "reveal them."
        ),
    )


def _compare(form):
    """Puts the scene as it is beside what comes next; then exchanges the two, or ends that."""
    scene, asked = form.value, prediction() is not None  # that is about one scene
    alone = replace(scene, beside=None)
    if not scene.beside:
        about = _(
            "Puts a copy of this scene next to it, on the same player; then change one of the two."
        )
        put, icon = form.at("beside").set, "splitscreen_right"
        button(_("Compare"), "compare", put, alone, icon=icon, disabled=asked, help=about)
        return
    put, swapped = session().show, replace(scene.beside, beside=alone)
    button(_("Swap"), "swap", put, KEY, swapped, icon="swap_horiz", disabled=asked)
    button(_("End comparison"), "compare", put, KEY, alone, icon="close", disabled=asked)


def dependencies(form: Form):
    """What all but figures, sliders and results depends on: no hyperparameter of a method, unless
    names or the inside of a step say what it is.
    """
    scene = form.value
    if prediction() or scene.beside or _looks_inside():
        return scene
    bare = [replace(of, method=Choice(of.method.key)) for of in scene.optimizers]
    return replace(scene, optimizers=tuple(bare)), scene.names


def title(form: Form) -> str:
    """The function's name and formula."""
    return function_title(form.value.objective.f)


def function_title(f) -> str:
    """A function's name and formula."""
    goal = r"\max\; " if f.sign < 0 else ""
    formula = f"$\\;{goal}f(x{'' if f.univariate else ', y'}) = {f.latex}$"
    return f"{f.name} {formula if len(formula) <= MAX_FORMULA else f':small[{formula}]'}"


PAGE = Page(
    KEY,
    N_("Trajectories"),
    "conversion_path",
    N_("How does an optimizer find its way down?"),
    "",
    BOOK,
    adjusted=Scene.affordable,
    drawing=Drawing(
        stage=stage,
        controls=controls,
        results=results.draw,
        notes=results.notes,
        title=title,
        live=lambda form: live_figures(form.value),
        dependencies=dependencies,
    ),
    buttons=buttons,
    thumbnail=thumbnail,
    locks=True,
)
