"""The page: optimizers on a function of two variables, which a hand moves while their paths follow.

It draws itself: figures that listen, a player, a start to take hold of.
"""

from dataclasses import replace

import streamlit as st

from optviz.experiments.page import Drawing, Page
from optviz.experiments.trajectories import predict, results
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.auto import automatic
from optviz.experiments.trajectories.controls import CURVES, PICTURE, SHOWN, controls, view_form
from optviz.experiments.trajectories.figures import (
    figures,
    first,
    live_figures,
    thumbnail,
    univariate,
)
from optviz.experiments.trajectories.figures.inside import arrows
from optviz.experiments.trajectories.spec import BOOK, Scene
from optviz.experiments.trajectories.state import KEY, prediction, sealed, state
from optviz.experiments.trajectories.step_inspector import inside, inspected
from optviz.plot import THEMES, method_styles
from optviz.plot.contour import guess_mark
from optviz.plot.style import packed
from optviz.spec import Choice
from optviz.translation import N_, _
from optviz.ui import locks
from optviz.ui.components import lazy, player, show, theme_name
from optviz.ui.controls import switch
from optviz.ui.form import Form
from optviz.ui.live import grabber, live_patch
from optviz.ui.session import session

BESIDE = "beside-shown"  # the key of the switch beside the contour
MAX_FORMULA = (
    80  # LaTeX that stands beside the buttons of a narrow projector; a longer one is small
)


def stage(form: Form) -> None:
    """The question of a prediction, the figures and the player."""
    predict.bar(form)
    scene, theme, asked = form.value, THEMES[theme_name()], prediction()
    if asked:  # a guess is a click on the contour
        scene = replace(scene, view=replace(scene.view, solid=False, shown="both"), beside=None)
    elif not scene.optimizers and scene.view.shown == "both":  # there are no curves
        alone = "surface" if scene.view.solid else "contour"
        scene = replace(scene, view=replace(scene.view, shown=alone))
    drawn, hidden = figures(scene, state().ids, theme), {"sealed": sealed()}
    shown = scene.view.shown

    def landscape(looking_inside=False):
        figure, more = drawn[first(scene)], dict(hidden)
        if first(scene) == "contour":
            more |= _hands(scene, looking_inside, theme)
        if asked and asked.point:
            figure = figure.add(guess_mark(asked.point, _("your guess"), theme))
        show(first(scene), figure, **more)

    if scene.beside:
        _pair(form, landscape, lambda: show("curves", drawn["curves"], **hidden), theme)
    elif shown == "both":
        _side_by_side(form, landscape, lambda: show("curves", drawn["curves"], **hidden))
    elif shown == "curves":
        show("curves", drawn["curves"], **hidden)
    else:
        landscape()
    start_handler(form)
    play = asked.revealed if asked else ""
    steps = max(of.objective.steps for of in scene.both)
    player(steps, f"{session().epoch}", play, play, predict.over)


def _side_by_side(form, landscape, curves):
    """The contour, and beside it the curves or the inside of a step."""
    left, right = st.columns(2)
    with left:
        landscape(_looks_inside())
    with right:
        _curves_or_inside(form, curves)


def _looks_inside():
    return st.session_state.get(BESIDE) == "inside"


def _curves_or_inside(form, curves):
    labels = {"curves": _("Curves"), "inside": _("Inside a step")}
    with st.container(key="beside"):
        if switch(_("Beside the contour"), labels, BESIDE) == "curves":
            curves()
        else:
            with st.container(key="inside"):
                inside(form)


def _pair(form, landscape, curves, theme):
    """The pictures of two scenes beside each other, shown in the same way; the inside of a step is
    that of the first.
    """
    scene, other = form.value.both
    found = figures(other, other.ids_beside, theme)
    sides = _("**A**, in the panel: {function}"), _("**B**: {function}")
    names = [
        lambda side=side, of=of: st.caption(side.format(function=named(of.objective.f)))
        for side, of in zip(sides, (scene, other), strict=True)
    ]
    above = (
        lambda: landscape(scene.view.shown == "both" and _looks_inside()),
        lambda: show(f"{first(other)}-2", found[first(other)]),
    )
    below = (curves, lambda: show("curves-2", found["curves"]))

    def abreast(*rows):
        for column, parts in zip(st.columns(2), zip(*rows, strict=True), strict=True):
            with column:
                for part in parts:
                    part()

    with st.container(key=f"pair-{scene.view.shown}"):
        if scene.view.shown == "both":
            abreast(names, above)
            _curves_or_inside(form, lambda: abreast(below))
        else:
            abreast(names, below if scene.view.shown == "curves" else above)


def _hands(scene, looking_inside, theme):
    """What a click on the contour means, where the start can be taken hold of, and the arrows."""
    asked, objective = prediction(), scene.objective
    clicks, grab, drawn = None, None, None
    held = {"epoch": session().epoch, "frame": dict(zip("xy", objective.f.domain, strict=True))}
    if sealed() and asked.question == "where":
        clicks = "guess"
        place = {"start": asked.point or objective.start}
        grab = held | place | {"label": _("Your guess: drag it, or move it with the arrow keys")}
    elif locks.free("run"):
        clicks, place = "start", {"start": objective.start}
        grab = held | place | {"label": _("Start: drag it, or move it with the arrow keys")}
        if objective.f.univariate:  # the start is taken along the curve
            grab["heights"] = packed(univariate.heights(objective.f))
    if looking_inside and not sealed() and inspected() and not objective.f.univariate:
        i = state().ids.index(inspected())
        path = runs.path(objective, scene.optimizers[i])
        drawn = arrows(path, theme, method_styles(scene.optimizers, theme)[i].color)
    return {"clicks": clicks, "guessed": predict.guessed, "grab": grab, "arrows": drawn}


@st.fragment
def start_handler(form: Form) -> None:
    """Hears where a hand puts the start on the contour, and moves every line."""
    form = automatic(form)

    def put(x, y):
        place, objective = form.at("objective", "start"), form.value.objective
        place.set(objective.inside((x, place.value[1] if objective.f.univariate else y)))

    grabber("grab", put, lambda: live_patch(lambda: live_figures(form.value)))


def buttons(form: Form) -> None:
    """How the scene is shown, and the invitation to predict."""
    if not locks.hidden("view"):
        view = view_form(form)
        view.draw([SHOWN])
        lazy(_("View"), ":material/tune:", "view", lambda: view.draw(PICTURE + CURVES))
    if locks.may_leave() and not locks.hidden("view"):
        _compare(form)
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


def _compare(form):
    """Puts the scene as it is beside what comes next; then exchanges the two, or ends that."""
    scene = form.value
    common = {"key": "compare", "disabled": prediction() is not None}  # that is about one scene
    alone = replace(scene, beside=None)
    if not scene.beside:
        about = _("A copy of this scene beside it, on the same player: then change one of them.")
        put = form.at("beside").set
        icon = ":material/splitscreen_right:"
        st.button(_("Compare"), help=about, on_click=put, args=(alone,), icon=icon, **common)
        return
    swapped = replace(scene.beside, beside=alone)
    for label, key, to in ((_("Swap"), "swap", swapped), (_("End comparison"), "compare", alone)):
        icon = {"swap": "swap_horiz", "compare": "close"}[key]
        more = {**common, "key": key, "icon": f":material/{icon}:", "args": (KEY, to)}
        st.button(label, on_click=session().show, **more)


def surroundings(form: Form):
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
    return named(form.value.objective.f)


def named(f) -> str:
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
        *(stage, controls, results.draw, results.notes, title),
        *(lambda form: live_figures(form.value), surroundings),
    ),
    buttons=buttons,
    thumbnail=thumbnail,
    locks=True,
)
