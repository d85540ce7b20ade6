"""The page: networks are trained, then the loss is evaluated over a plane through their weights."""

from dataclasses import replace

import streamlit as st

from optviz.experiments import training_charts as charts
from optviz.experiments.loss_landscape import figures, run, text
from optviz.experiments.loss_landscape.run import LossSurface, NoSurface, SurfaceJob
from optviz.experiments.loss_landscape.spec import (
    MARGINS,
    MAX_OPTIMIZERS,
    PLANES,
    LossLandscape,
    centered,
)
from optviz.experiments.page import Download, Option, Page, Row, Section, Tab, View, Widget
from optviz.experiments.trajectories.spec import LEVELS
from optviz.lens import Lens
from optviz.optim.hyperparameter import Hyperparameter
from optviz.translation import N_, _
from optviz.ui.cache import cached
from optviz.ui.components import player
from optviz.ui.controls import Menu, Panel
from optviz.ui.form import DERIVED, Form, select
from optviz.ui.training.form import ACTIVATION, INITIALIZER, NUMBERS, Data, Numbers, OptimizerList
from optviz.ui.training.jobs import data_of, training_jobs

MAX_PRODUCTS = 2 * 10**7  # in a pass of the examples, up to which the sharpest direction is sought
DERIVED["start"] = (
    Hyperparameter(
        "start", 0, 0, 99, "s", help=N_("seed of the initial weights and of the mini-batches")
    ),
    Lens(lambda spec: spec.seeds[0], lambda spec, seed: replace(spec, seeds=(seed,))),
)


# Controls.


def plane_menus(form: Form) -> None:
    """The menu of planes, which also sets the margin, and that of the optimizer in the middle."""

    def choose(key):
        form.set(replace(form.value, plane=key, margin=MARGINS[key]))

    select(form.at("plane"), _("Plane"), {k: _(name) for k, name in PLANES.items()}, choose)
    if names := form.value.names:
        what, label = f"menu-{len(names)}", _("Plane centered at the end of")
        select(form.at("middle"), label, dict(enumerate(names)), what=what)


def plane_panel(form: Form) -> None:
    """The sliders of the plane."""
    random = form.value.plane == "random"
    paths = ("margin", "resolution", "n_samples", *(("seed",) if random else ()))
    Panel(_("Plane"), paths, narrowed=_for_plane).draw(form)


def _for_plane(form, declared):
    if declared.name != "margin" or form.value.plane != "random":
        return declared
    message = _(
        "how far the picture extends on every side, relative to the norm of each unit’s weights"
    )
    return replace(declared, default=MARGINS["random"], help=message)


# Results.


def surface_jobs(spec, states):
    """The job that follows the finished trainings."""
    [first, *_others] = training_jobs(spec.trainings)
    return [SurfaceJob(spec, run.paths_of(states), first.data, first.source)]


def _surface_state(context):
    """The state of the surface; None before there is one."""
    extra = context.states[len(context.spec.optimizers) :]
    return extra[0] if extra else None


def surface_of(context) -> LossSurface | None:
    """The surface, once it is complete."""
    surface = _surface_state(context)
    return surface if isinstance(surface, LossSurface) and surface.complete else None


def no_surface(context):
    """Why there is none."""
    if isinstance(reason := _surface_state(context), NoSurface):
        return Widget(
            lambda: st.info(text.no_surface(context.spec, reason), icon=":material/explore_off:")
        )
    return None


def pictures(context) -> list:
    """The plane with the paths on it, the loss along them, and the player for both."""
    surface, options, theme = surface_of(context), context.options, context.theme
    log = LEVELS[options["levels"]]
    if options["picture"] == "surface":  # with a key of its own
        left = [None, figures.in_space(surface, theme, log, options["true"])]
    else:
        left = [figures.over_plane(surface, theme, log)]
    steps = max(len(path.iterations) for path in surface.paths) - 1
    return [
        Row([left, figures.along_paths(surface, theme)], (5, 4)),
        Widget(lambda: player(steps, surface.key)),
    ]


OPTIONS = (
    Option("picture", _("View"), "contour", {"contour": _("Contour"), "surface": _("Surface")}),
    Option(
        "levels",
        _("Levels"),
        "auto",
        {"auto": _("auto levels"), "linear": _("linear levels"), "log": _("log levels")},
    ),
    Option(
        "true",
        _("Paths as high as they really were"),
        False,
        disabled=lambda options: options["picture"] != "surface",
    ),
)


@cached
def _curvatures(key, _surface, _data):
    """The curvature at the middle of the plane, and the sharpness if it does not take long."""
    spec = _surface.spec
    small = spec.network.size * spec.n_samples <= MAX_PRODUCTS
    sharpest = run.sharpness(_surface, _data) if small else float("nan")
    return run.curvature(_surface, _data), sharpest


def ends(context):
    """Where the paths end, and what the plane shows, in words."""
    if (surface := surface_of(context)) is None:
        return None
    curvatures = _curvatures(surface.key, surface, data_of(surface.spec.trainings[0]))
    return [
        text.ends(surface, context.theme),
        text.directions(surface),
        text.bowl(surface, *curvatures),
        text.player_note(surface.spec),
    ]


CURVES = Section([charts.curves], charts.options())


def _file(label, name, make_text):
    return Download(label, name, lambda context: make_text(surface_of(context)), ready=surface_of)


PAGE = Page(
    "loss_landscape",
    N_("Loss landscape"),
    "landscape",
    N_("What does the loss of a real network look like?"),
    "Training lab",
    LossLandscape(),
    {
        "": View(
            form=[
                plane_menus,
                plane_panel,
                OptimizerList(MAX_OPTIMIZERS),
                Data(),
                ACTIVATION,
                INITIALIZER,
                Menu("network.normalize"),
                Numbers(*(name for name in NUMBERS if name != "seeds")),
                Panel(_("Start"), ("start",)),
            ],
            jobs=charts.jobs,
            then=surface_jobs,
            units=_("iterations and points"),
            tabs=[
                Tab(
                    _("Landscape"),
                    [
                        no_surface,
                        Section([pictures], OPTIONS, when=surface_of),
                        replace(CURVES, when=lambda context: surface_of(context) is None),
                        replace(CURVES, when=surface_of, folded=_("How they trained")),
                    ],
                )
            ],
            notes=[ends, text.notes],
            downloads=[
                _file(_("Grid as CSV"), "grid", figures.grid_csv),
                _file(_("Paths as CSV"), "paths", figures.paths_csv),
                charts.download(),
            ],
        )
    },
    adjusted=centered,
    lines=charts.optimizers,
    thumbnail=figures.thumbnail,
)
