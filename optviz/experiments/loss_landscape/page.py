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
from optviz.ui import old_job_runner as lab
from optviz.ui import old_training_charts as bench
from optviz.ui.components import player, plot, theme_name
from optviz.ui.old_form import SHARED, TrainingControls
from optviz.ui.old_layout import framed
from optviz.ui.old_optimizer_list import trainees
from optviz.ui.session import session

PAGE = "loss_landscape"
MAX_KEPT = 6  # planes that a session keeps
QUICK = (
    2 * 10**7
)  # products in a pass of the rows through the network, up to which its sharpest direction is looked for
DEFAULTS = {"hidden": 2, "units": 50}  # of the network here
NUMBERS = tuple(
    replace(k, default=DEFAULTS.get(k.name, k.default)) for k in SHARED if k.name != "seeds"
)  # fmt: skip
START = (
    Hyperparameter(
        "start", 0, 0, 99, "s", help="seed of the initial weights and of the mini-batches"
    ),
)
REACH = {"pca": 0.5, "random": 1.0}
TO = {"pca": "how far the picture goes beyond the paths; 1 makes it twice as wide as they are",
      "random": "how far the picture goes to every side, in lengths of each unit’s own weights"}  # fmt: skip
SHOWN = {False: "Contour", True: "Surface"}


def page() -> None:
    """Controls into a terrain, its trainings into paths, a plane through them into the loss on it."""
    with framed(PAGE) as (shown, panel, under):
        with panel:
            _controls()
        loss_landscape = session().specs["loss_landscape"]
        with shown:
            lab.laboratory(
                PAGE,
                loss_landscape.trainings,
                lambda progresses: _curves(loss_landscape, progresses),
            )
            loss_surface = _surveyed(loss_landscape)
            if loss_surface is not None:
                _pictures(loss_surface)
        with under:
            if loss_surface is not None:
                _told(loss_surface)
            st.caption(
                "Every optimizer has the same start and meets the same mini-batches. The loss here is the cross-entropy on the first "
                f"{loss_landscape.n_samples} training rows. Random directions are scaled to the weights into each unit, and biases do not move along "
                "them (Li et al. 2018, Visualizing the loss landscape of neural nets). "
                f"Data: {DATASETS[loss_landscape.race.dataset.key].attribution}"
            )


def _update(**parts):
    session().specs["loss_landscape"] = replace(session().specs["loss_landscape"], **parts)


def _race(**parts):
    """Other trainings; who is in the middle stays there, or is the last one."""
    race = replace(session().specs["loss_landscape"].race, **parts)
    _update(
        race=race,
        middle=max(0, min(session().specs["loss_landscape"].middle, len(race.optimizers) - 1)),
    )


def _controls():
    loss_landscape, controls = (
        session().specs["loss_landscape"],
        TrainingControls(PAGE, lambda: session().specs["loss_landscape"].race, _race),
    )
    controls.choice(
        "Plane", core.PLANES, loss_landscape.plane, lambda k: _capital(core.PLANES[k]), lambda k: _update(plane=k, margin=REACH[k])
    )  # fmt: skip
    if loss_landscape.race.optimizers:
        controls.choice(
            "In the middle: the end of", range(len(loss_landscape.names)), loss_landscape.middle, lambda i: loss_landscape.names[i], lambda i: _update(middle=i)
        )  # fmt: skip
    declared = _plane_hyperparameters(loss_landscape.plane)
    controls.hyperparameters(
        f"plane-{loss_landscape.plane}", "Plane", declared, {k.name: getattr(loss_landscape, k.name) for k in declared}, lambda new: _update(**new)
    )  # fmt: skip
    trainees(
        lambda: session().specs["loss_landscape"].race.optimizers,
        loss_landscape.race.network,
        MAX_OPTIMIZERS,
        lambda configs: _race(optimizers=configs),
    )
    controls.data()
    controls.activation()
    controls.initializer()
    controls.choice(
        "Batch normalization", PLACES, loss_landscape.race.network.normalize, lambda k: _capital(PLACES[k]),
        lambda k: _race(network=replace(session().specs["loss_landscape"].race.network, normalize=k)),
    )  # fmt: skip
    controls.numbers(NUMBERS)
    controls.hyperparameters(
        "start", "Start", START, {"start": loss_landscape.race.seeds[0]}, lambda new: _race(seeds=tuple(new.values()) or loss_landscape.race.seeds)
    )  # fmt: skip


def _plane_hyperparameters(plane):
    hyperparameters = (
        Hyperparameter(
            "margin", REACH[plane], core.MIN_REACH, core.MAX_REACH, log=True, help=TO[plane]
        ),
        Hyperparameter(
            "resolution",
            51,
            core.MIN_RESOLUTION,
            core.MAX_RESOLUTION,
            help="points of the grid along each side",
        ),
        Hyperparameter(
            "n_samples",
            500,
            1,
            core.MAX_ROWS,
            log=True,
            help="training rows on which the loss is worked out",
        ),
    )
    seed = Hyperparameter("seed", 0, 0, 99, help="which random directions")
    return (*hyperparameters, seed) if plane == "random" else hyperparameters


def _key(loss_landscape):
    """What a survey depends on."""
    return canonical_json(
        [to_dict(loss_landscape), [lab.key_of(t) for t in loss_landscape.trainings]]
    )


def _surveys():
    return st.session_state.setdefault("surveys", {})


def _curves(loss_landscape, progresses):
    """How they train, as long as they do."""
    if not all(now.done for now in progresses):
        bench.curves(PAGE, _lines(loss_landscape, progresses), loss_landscape.race.iterations)


def _lines(loss_landscape, progresses):
    return [
        bench.Line(f"c{i}", name, now, 0, style(i, THEMES[theme_name()]))
        for i, (name, now) in enumerate(zip(loss_landscape.names, progresses, strict=True))
    ]


def _trained(loss_landscape):
    """The finished trainings; None where there are none yet, or no data."""
    if not loss_landscape.race.optimizers:
        return None
    try:
        found = [lab.progress(PAGE, t) for t in loss_landscape.trainings]
    except ValueError:
        return None  # the laboratory has said why
    return found if all(now.done for now in found) else None


def _surveyed(loss_landscape):
    """The landscape, once all have trained and the loss is known everywhere; until then it is worked on here."""
    S, key = st.session_state, _key(loss_landscape)
    kept, progresses = _surveys(), _trained(loss_landscape)
    if progresses is None:
        return None
    if key not in kept:
        try:
            kept[key] = core.loss_surface(loss_landscape, progresses)
        except ValueError as error:
            st.info(f"{error}", icon=":material/explore_off:")
            bench.curves(PAGE, _lines(loss_landscape, progresses), loss_landscape.race.iterations)
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
            st.button(
                "Stop", key="stop-survey", icon=":material/pause:", on_click=_halt, args=(True,)
            )

    @st.fragment(run_every=None if halted else lab.EVERY)
    def ground():
        if not halted and not _work(key, lab.data_of(loss_landscape.trainings[0])):
            st.rerun()
        now = kept[key]
        st.progress(
            now.done / len(now.loss),
            f"loss at {now.done} of {len(now.loss)} points of the plane and the paths",
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


def _pictures(loss_surface):
    """The plane with the paths on it, and the loss along them, at the step of the player."""
    loss_landscape, theme, key = (
        loss_surface.loss_landscape,
        THEMES[theme_name()],
        _key(loss_surface.loss_landscape),
    )
    looks = [style(i, theme) for i in range(len(loss_surface.paths))]
    with st.container(horizontal=True, vertical_alignment="center", key="landscape-picture"):
        solid = st.segmented_control("Picture", list(SHOWN), default=False, format_func=SHOWN.get, key="landscape-solid-chosen",
                                     required=True, label_visibility="collapsed")  # fmt: skip
        levels = st.segmented_control("Levels", list(LEVELS), default="auto", format_func=lambda k: f"{k} levels", key="landscape-levels",
                                      required=True, label_visibility="collapsed")  # fmt: skip
        true = solid and st.toggle("Paths as high as they really were", key="landscape-true")
    common = {
        "theme": theme_name(), "view": key, "base_id": f"{key} {theme_name()} {levels} {solid}", "link": sharing.query(),
        "base": lambda: views.ground(loss_surface, theme, solid, LEVELS[levels]),
    }  # fmt: skip
    told = f"the loss over {core.PLANES[loss_landscape.plane]}, with the paths of {', '.join(loss_landscape.names)}. The table says the same."
    left, right = st.columns([5, 4], gap="small")
    with left:
        if solid:
            figure = views.solid(loss_surface, looks, theme, LEVELS[levels], true)
            plot("landscape-solid", figure, f"Surface of {told}", solid=True, **common)
        else:
            plot(
                "landscape-contour",
                views.paths(loss_surface, looks, theme),
                f"Contour of {told}",
                **common,
            )
    with right:
        plot(
            "landscape-heights",
            views.along(loss_surface, looks),
            "Loss along the paths. The table has their ends.",
            view=key,
            theme=theme_name(),
        )
    player(max(len(path.iterations) for path in loss_surface.paths) - 1, key)


def _told(loss_surface):
    """The same in words and numbers, and to take home."""
    loss_landscape, theme = loss_surface.loss_landscape, THEMES[theme_name()]
    st.html(views.table(loss_surface, [style(i, theme) for i in range(len(loss_surface.paths))]))
    st.markdown(views.shown(loss_surface))
    st.markdown(
        views.bowl(
            loss_surface,
            *_bend(_key(loss_landscape), loss_surface, lab.data_of(loss_landscape.trainings[0])),
        )
    )
    with st.container(horizontal=True):
        for name, made in (("Grid", views.grid_csv), ("Paths", views.paths_csv)):
            st.download_button(
                f"{name} as CSV", lambda made=made: made(loss_surface), f"optviz-landscape-{name.lower()}.csv", "text/csv",
                key=f"landscape-{name.lower()}-csv", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    box = st.expander("How they trained", key="landscape-training", on_change="rerun")
    if box.open:
        with box:
            lines = _lines(
                loss_landscape, [lab.progress(PAGE, t) for t in loss_landscape.trainings]
            )
            bench.curves(PAGE, lines, loss_landscape.race.iterations)
            bench.downloads(PAGE, lines)
    st.caption(
        f"A step of the player is {loss_landscape.snapshot_every} iterations. The loss on the plane is that of the plane’s point nearest to where the "
        "path really was; the right picture has both."
    )


@st.cache_resource(max_entries=50, show_spinner=False)
def _bend(key, _survey, _data):
    """The curvature at the middle, and the sharpest one where it does not take long."""
    quick = _survey.loss_landscape.race.network.size * _survey.loss_landscape.n_samples <= QUICK
    return core.curvature(_survey, _data), core.sharpness(_survey, _data) if quick else float("nan")


def _capital(text):
    """With its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]
