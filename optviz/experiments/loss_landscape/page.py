"""The loss landscape page: networks are trained, then the loss is worked out over a plane through their weights."""

from dataclasses import replace
from time import perf_counter

import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.loss_landscape import figures as views
from optviz.experiments.loss_landscape import spec as core
from optviz.experiments.optimizer_comparison.spec import MAX_OPTIMIZERS
from optviz.experiments.trajectories.view import LEVELS
from optviz.nn import PLACES
from optviz.optim.hyperparameter import Hyperparameter
from optviz.plot.style import THEMES, style
from optviz.shell import sharing
from optviz.spec import canonical_json, to_dict
from optviz.ui import job_runner as lab
from optviz.ui import training_charts as bench
from optviz.ui.components import player, plot, theme_name
from optviz.ui.form import SHARED, TrainingControls
from optviz.ui.layout import framed
from optviz.ui.optimizer_list import trainees

PAGE = "landscape"
MAX_KEPT = 6  # planes that a session keeps
QUICK = (
    2 * 10**7
)  # products in a pass of the rows through the network, up to which its sharpest direction is looked for
DEFAULTS = {"hidden": 2, "units": 50}  # of the network here
NUMBERS = tuple(
    replace(k, default=DEFAULTS.get(k.name, k.default)) for k in SHARED if k.name != "seeds"
)  # fmt: skip
START = (Hyperparameter("start", 0, 0, 99, "s", help="seed of the initial weights and of the mini-batches"),)
REACH = {"pca": 0.5, "random": 1.0}
TO = {"pca": "how far the picture goes beyond the paths; 1 makes it twice as wide as they are",
      "random": "how far the picture goes to every side, in lengths of each unit’s own weights"}  # fmt: skip
SHOWN = {False: "Contour", True: "Surface"}


def page() -> None:
    """Controls into a terrain, its trainings into paths, a plane through them into the loss on it."""
    S = st.session_state
    with framed(PAGE) as (shown, panel, under):
        with panel:
            _controls()
        terrain = S.landscape
        with shown:
            lab.laboratory(PAGE, terrain.trainings, lambda progresses: _curves(terrain, progresses))
            survey = _surveyed(terrain)
            if survey is not None:
                _pictures(survey)
        with under:
            if survey is not None:
                _told(survey)
            st.caption(
                "Every optimizer has the same start and meets the same mini-batches. The loss here is the cross-entropy on the first "
                f"{terrain.judged_on} training rows. Random directions are scaled to the weights into each unit, and biases do not move along "
                "them (Li et al. 2018, Visualizing the loss landscape of neural nets). "
                f"Data: {DATASETS[terrain.race.dataset.key].attribution}"
            )


def _update(**parts):
    S = st.session_state
    S.landscape = replace(S.landscape, **parts)


def _race(**parts):
    """Other trainings; who is in the middle stays there, or is the last one."""
    race = replace(st.session_state.landscape.race, **parts)
    _update(race=race, middle=max(0, min(st.session_state.landscape.middle, len(race.optimizers) - 1)))


def _controls():
    S = st.session_state
    terrain, controls = S.landscape, TrainingControls(PAGE, lambda: S.landscape.race, _race)
    controls.choice(
        "Plane", core.PLANES, terrain.plane, lambda k: _capital(core.PLANES[k]), lambda k: _update(plane=k, reach=REACH[k])
    )  # fmt: skip
    if terrain.race.optimizers:
        controls.choice(
            "In the middle: the end of", range(len(terrain.names)), terrain.middle, lambda i: terrain.names[i], lambda i: _update(middle=i)
        )  # fmt: skip
    declared = _plane_hyperparameters(terrain.plane)
    controls.hyperparameters(
        f"plane-{terrain.plane}", "Plane", declared, {k.name: getattr(terrain, k.name) for k in declared}, lambda new: _update(**new)
    )  # fmt: skip
    trainees(lambda: S.landscape.race.optimizers, terrain.race.network, MAX_OPTIMIZERS, lambda configs: _race(optimizers=configs))
    controls.data()
    controls.activation()
    controls.initialiser()
    controls.choice(
        "Batch normalisation", PLACES, terrain.race.network.normalise, lambda k: _capital(PLACES[k]),
        lambda k: _race(network=replace(S.landscape.race.network, normalise=k)),
    )  # fmt: skip
    controls.numbers(NUMBERS)
    controls.hyperparameters(
        "start", "Start", START, {"start": terrain.race.seeds[0]}, lambda new: _race(seeds=tuple(new.values()) or terrain.race.seeds)
    )  # fmt: skip


def _plane_hyperparameters(plane):
    hyperparameters = (
        Hyperparameter("reach", REACH[plane], core.MIN_REACH, core.MAX_REACH, log=True, help=TO[plane]),
        Hyperparameter("resolution", 51, core.MIN_RESOLUTION, core.MAX_RESOLUTION, help="points of the grid along each side"),
        Hyperparameter("judged_on", 500, 1, core.MAX_ROWS, log=True, help="training rows on which the loss is worked out"),
    )
    seed = Hyperparameter("seed", 0, 0, 99, help="which random directions")
    return (*hyperparameters, seed) if plane == "random" else hyperparameters


def _key(terrain):
    """What a survey depends on."""
    return canonical_json([to_dict(terrain), [lab.key_of(t) for t in terrain.trainings]])


def _surveys():
    return st.session_state.setdefault("surveys", {})


def _curves(terrain, progresses):
    """How they train, as long as they do."""
    if not all(now.done for now in progresses):
        bench.curves(PAGE, _lines(terrain, progresses), terrain.race.iterations)


def _lines(terrain, progresses):
    return [
        bench.Line(f"c{i}", name, now, 0, style(i, THEMES[theme_name()]))
        for i, (name, now) in enumerate(zip(terrain.names, progresses, strict=True))
    ]


def _trained(terrain):
    """The finished trainings; None where there are none yet, or no data."""
    if not terrain.race.optimizers:
        return None
    try:
        found = [lab.progress(PAGE, t) for t in terrain.trainings]
    except ValueError:
        return None  # the laboratory has said why
    return found if all(now.done for now in found) else None


def _surveyed(terrain):
    """The landscape, once all have trained and the loss is known everywhere; until then it is worked on here."""
    S, key = st.session_state, _key(terrain)
    kept, progresses = _surveys(), _trained(terrain)
    if progresses is None:
        return None
    if key not in kept:
        try:
            kept[key] = core.survey(terrain, progresses)
        except ValueError as error:
            st.info(f"{error}", icon=":material/explore_off:")
            bench.curves(PAGE, _lines(terrain, progresses), terrain.race.iterations)
            return None
        for old in [k for k in kept if k != key][: len(kept) - MAX_KEPT]:
            del kept[old]
    if kept[key].whole:
        return kept[key]
    halted = S.get("survey-halted", False)
    with st.container(horizontal=True, key="survey"):
        if halted:
            st.button(
                "Work out the plane",
                key="go-on-survey",
                icon=":material/play_arrow:",
                type="primary",
                on_click=_halt,
                args=(False,),
            )
        else:
            st.button("Stop", key="stop-survey", icon=":material/pause:", on_click=_halt, args=(True,))

    @st.fragment(run_every=None if halted else lab.EVERY)
    def ground():
        if not halted and not _work(key, lab.data_of(terrain.trainings[0])):
            st.rerun()
        now = kept[key]
        st.progress(
            now.done / len(now.loss), f"loss at {now.done} of {len(now.loss)} points of the plane and the paths"
        )

    ground()
    return None


def _halt(halted):
    st.session_state["survey-halted"] = halted


def _work(key, data):
    """Work on a survey for a moment; whether anything is left."""
    kept, until = _surveys(), perf_counter() + lab.BUDGET
    while not kept[key].whole and perf_counter() < until:
        kept[key] = core.survey_on(kept[key], data)
    return not kept[key].whole


def _pictures(survey):
    """The plane with the paths on it, and the loss along them, at the step of the player."""
    terrain, theme, key = survey.terrain, THEMES[theme_name()], _key(survey.terrain)
    looks = [style(i, theme) for i in range(len(survey.paths))]
    with st.container(horizontal=True, vertical_alignment="center", key="landscape-picture"):
        solid = st.segmented_control("Picture", list(SHOWN), default=False, format_func=SHOWN.get, key="landscape-solid-chosen",
                                     required=True, label_visibility="collapsed")  # fmt: skip
        levels = st.segmented_control("Levels", list(LEVELS), default="auto", format_func=lambda k: f"{k} levels", key="landscape-levels",
                                      required=True, label_visibility="collapsed")  # fmt: skip
        true = solid and st.toggle("Paths as high as they really were", key="landscape-true")
    common = {
        "theme": theme_name(), "view": key, "base_id": f"{key} {theme_name()} {levels} {solid}", "link": sharing.query(),
        "base": lambda: views.ground(survey, theme, solid, LEVELS[levels]),
    }  # fmt: skip
    told = f"the loss over {core.PLANES[terrain.plane]}, with the paths of {', '.join(terrain.names)}. The table says the same."
    left, right = st.columns([5, 4], gap="small")
    with left:
        if solid:
            figure = views.solid(survey, looks, theme, LEVELS[levels], true)
            plot("landscape-solid", figure, f"Surface of {told}", solid=True, **common)
        else:
            plot("landscape-contour", views.paths(survey, looks, theme), f"Contour of {told}", **common)
    with right:
        plot(
            "landscape-heights",
            views.along(survey, looks),
            "Loss along the paths. The table has their ends.",
            view=key,
            theme=theme_name(),
        )
    player(max(len(path.iterations) for path in survey.paths) - 1, key)


def _told(survey):
    """The same in words and numbers, and to take home."""
    terrain, theme = survey.terrain, THEMES[theme_name()]
    st.html(views.table(survey, [style(i, theme) for i in range(len(survey.paths))]))
    st.markdown(views.shown(survey))
    st.markdown(views.bowl(survey, *_bend(_key(terrain), survey, lab.data_of(terrain.trainings[0]))))
    with st.container(horizontal=True):
        for name, made in (("Grid", views.grid_csv), ("Paths", views.paths_csv)):
            st.download_button(
                f"{name} as CSV", lambda made=made: made(survey), f"optviz-landscape-{name.lower()}.csv", "text/csv",
                key=f"landscape-{name.lower()}-csv", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    box = st.expander("How they trained", key="landscape-training", on_change="rerun")
    if box.open:
        with box:
            lines = _lines(terrain, [lab.progress(PAGE, t) for t in terrain.trainings])
            bench.curves(PAGE, lines, terrain.race.iterations)
            bench.downloads(PAGE, lines)
    st.caption(
        f"A step of the player is {terrain.keep} iterations. The loss on the plane is that of the plane’s point nearest to where the "
        "path really was; the right picture has both."
    )


@st.cache_resource(max_entries=50, show_spinner=False)
def _bend(key, _survey, _data):
    """The curvature at the middle, and the sharpest one where it does not take long."""
    quick = _survey.terrain.race.network.size * _survey.terrain.judged_on <= QUICK
    return core.curvature(_survey, _data), core.sharpness(_survey, _data) if quick else float("nan")


def _capital(text):
    """With its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]
