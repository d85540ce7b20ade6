"""The page: optimizers on a function of two variables, whose paths follow while one drags.

It draws itself: interactive figures, a player, a start that can be dragged.
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
    scene, guess = form.value, prediction()
    if guess:  # a guess is a click on the contour
        scene = replace(scene, view=replace(scene.view, solid=False, shown="both"), beside=None)
    elif not scene.optimizers and scene.view.shown == "both" and not scene.beside:
        picture = "surface" if scene.view.solid else "contour"  # there are no curves
        scene = replace(scene, view=replace(scene.view, shown=picture))
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
    play = guess.revealed if guess else ""
    steps = max(s.objective.steps for s in scene.both)
    player(steps, f"{session().epoch}", play, play, predict.finish)


def _pictures(scene, theme):
    """Functions that show the interactive landscape and the curves of the scene."""
    drawn, name, guess = figures(scene, state().ids, theme), landscape_name(scene), prediction()
    figure, hidden = drawn[name], {"hidden": paths_hidden()}
    options = hidden | (_handlers(scene, theme) if name == "contour" else {})
    if guess and guess.point:
        figure = figure.add(guess_mark(guess.point, _("your guess"), theme))
    return lambda: show(name, figure, **options), lambda: show("curves", drawn["curves"], **hidden)


def _pair(form, pictures, theme):
    """The pictures of two scenes side by side, shown in the same way; the inside of a step is that
    of the first.
    """
    scene, other = form.value.both
    drawn, name = figures(other, other.ids_beside, theme), landscape_name(other)
    shown = scene.view.shown
    sides = _("**A**, in the panel: {function}"), _("**B**: {function}")
    captions = [
        side.format(function=function_title(s.objective.f))
        for side, s in zip(sides, (scene, other), strict=True)
    ]
    titles = [partial(st.caption, text) for text in captions]
    landscapes = pictures[0], partial(show, f"{name}-2", drawn[name])
    curves = pictures[1], partial(show, "curves-2", drawn["curves"])
    if shown == "both":
        _abreast(titles, landscapes)
        _curves_or_inside(form, lambda: _abreast(curves))
    else:
        _abreast(titles, curves if shown == "curves" else landscapes)


def _abreast(*rows):
    """Call drawing functions in two columns."""
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


def _handlers(scene, theme):
    """What a click on the contour does, the handle of the start, and the arrows."""
    guess, objective, f = prediction(), scene.objective, scene.objective.f
    clicks, grab, arrow_data, start = None, None, None, objective.start
    if paths_hidden() and guess.question == "where":
        clicks, start = "guess", guess.point or start
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
        arrow_data = arrows(path, theme, method_styles(scene.optimizers, theme)[i].color)
    return {"clicks": clicks, "on_guess": predict.take_guess, "grab": grab, "arrows": arrow_data}


@st.fragment
def start_handler(form: Form) -> None:
    """Move the start to where it is dragged on the contour, and every line with it."""
    form = automatic(form)

    def move(x, y):
        place, objective = form.at("objective", "start"), form.value.objective
        place.set(objective.inside((x, place.value[1] if objective.f.univariate else y)))

    start_handle("grab", move, lambda: live_patch(lambda: live_figures(form.value)))


def buttons(form: Form) -> None:
    """The view controls, and the buttons to compare and to predict."""
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
    """A button that puts a copy of the scene beside it, or buttons to swap the two or to end."""
    scene, predicting = form.value, prediction() is not None  # that is about one scene
    single = replace(scene, beside=None)
    if not scene.beside:
        message = _(
            "Puts a copy of this scene next to it, on the same player; then change one of the two."
        )
        act, icon = form.at("beside").set, "splitscreen_right"
        button(_("Compare"), "compare", act, single, icon=icon, disabled=predicting, help=message)
        return
    act, swapped = session().show, replace(scene.beside, beside=single)
    button(_("Swap"), "swap", act, KEY, swapped, icon="swap_horiz", disabled=predicting)
    button(_("End comparison"), "compare", act, KEY, single, icon="close", disabled=predicting)


def dependencies(form: Form):
    """What everything but figures, sliders and results depends on: no hyperparameter of a method,
    unless names or the inside of a step show it.
    """
    scene = form.value
    if prediction() or scene.beside or _looks_inside():
        return scene
    bare = [replace(config, method=Choice(config.method.key)) for config in scene.optimizers]
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
