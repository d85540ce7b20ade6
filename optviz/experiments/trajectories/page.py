"""The page: optimizers on a function of two variables, which a hand moves while their paths follow.

It draws itself: figures that listen, a player, a start to take hold of.
"""

from dataclasses import replace

import streamlit as st

from optviz.experiments.page import Drawing, Page
from optviz.experiments.trajectories import cache, predict, results
from optviz.experiments.trajectories.controls import CURVES, PICTURE, SHOWN, controls, view_form
from optviz.experiments.trajectories.figures import (
    arrows,
    figures,
    first,
    live_figures,
    looks,
    thumbnail,
)
from optviz.experiments.trajectories.spec import BOOK, Scene
from optviz.experiments.trajectories.state import KEY, prediction, sealed, state
from optviz.experiments.trajectories.step_inspector import inside, inspected
from optviz.plot import THEMES
from optviz.plot.contour import guess_mark
from optviz.translation import N_, _
from optviz.ui import locks
from optviz.ui.components import grabber, lazy, player, show, theme_name
from optviz.ui.form import Form
from optviz.ui.live import live_patch
from optviz.ui.session import session

BESIDE = "beside"  # the key of the tabs beside the contour


def stage(form: Form) -> None:
    """The figures, the player and the question of a prediction."""
    scene, theme, asked = form.value, THEMES[theme_name()], prediction()
    if asked:  # a guess is a click on the contour
        scene = replace(scene, view=replace(scene.view, solid=False, shown="both"))
    drawn, hidden = figures(scene, state().ids, theme), {"sealed": sealed()}
    shown = scene.view.shown

    def landscape(looking_inside=False):
        figure, more = drawn[first(scene)], dict(hidden)
        if not scene.view.in_space:
            more |= _hands(scene, looking_inside, theme)
        if asked and asked.point:
            figure = figure.add(guess_mark(asked.point, _("your guess"), theme))
        show(first(scene), figure, **more)

    if shown == "both":
        _side_by_side(form, landscape, lambda: show("curves", drawn["curves"], **hidden))
    elif shown == "curves":
        show("curves", drawn["curves"], **hidden)
    else:
        landscape()
    start_handler(form)
    play = asked.revealed if asked else ""
    player(scene.objective.steps, f"{session().epoch}", play, play, predict.over)
    predict.bar(form)


def _side_by_side(form, landscape, curves):
    """The contour, and beside it the curves or the inside of a step."""
    labels = (_("Curves"), _("Inside a step"))
    left, right = st.columns(2)
    with left:
        landscape(st.session_state.get(BESIDE) == labels[1])
    with right:
        over_time, within = st.tabs(labels, key=BESIDE, on_change="rerun")
        if over_time.open:
            with over_time:
                curves()
        if within.open:
            with within, st.container(key="inside"):
                inside(form)


def _hands(scene, looking_inside, theme):
    """What a click on the contour means, where the start can be taken hold of, and the arrows."""
    asked, objective = prediction(), scene.objective
    clicks, grab, drawn = None, None, None
    if sealed() and asked.question == "where":
        clicks = "guess"
    elif locks.free("run"):
        clicks = "start"
        frame = dict(zip("xy", objective.f.domain, strict=True))
        grab = {"epoch": session().epoch, "start": objective.start, "frame": frame}
    if looking_inside and not sealed() and inspected():
        i = state().ids.index(inspected())
        path = cache.run(objective, scene.optimizers[i])
        drawn = arrows(path, theme, looks(scene, theme)[i].color)
    return {"clicks": clicks, "guessed": predict.guessed, "grab": grab, "arrows": drawn}


@st.fragment
def start_handler(form: Form) -> None:
    """Hears where a hand puts the start on the contour, and moves every line."""
    traces, rest = live_patch("grab", lambda: live_figures(form.value))

    def put(x, y):
        place = form.at("objective", "start")
        place.set(form.value.objective.inside((x, y)))

    grabber("grab", put, traces, rest)


def buttons(form: Form) -> None:
    """How the scene is shown, and the invitation to predict."""
    if not locks.hidden("view"):
        view = view_form(form)
        view.draw([SHOWN])
        lazy(_("View"), ":material/tune:", "view", lambda: view.draw(PICTURE + CURVES))
    st.button(
        _("Predict"),
        key="predict-begin",
        icon=":material/psychology_alt:",
        on_click=predict.begin,
        disabled=not form.value.optimizers or prediction() is not None,
        help=_(
            "Hides the paths: guess where one of them will be, or who arrives first. Then reveal."
        ),
    )


def title(form: Form) -> str:
    """The function's name and formula."""
    f = form.value.objective.f
    return f"{f.name} $\\;f(x, y) = {f.latex}$"


PAGE = Page(
    KEY,
    N_("Trajectories"),
    "conversion_path",
    N_("How does an optimizer find its way down?"),
    "",
    BOOK,
    adjusted=Scene.affordable,
    drawing=Drawing(stage, controls, results.draw, title, lambda form: live_figures(form.value)),
    buttons=buttons,
    thumbnail=thumbnail,
    locks=True,
)
