"""The page: what depends on the rate, on two settings, on the start, and on the sharpness."""

from dataclasses import replace

import numpy as np

from optviz.experiments.page import Download, Page, Preset, Tab, View
from optviz.experiments.sensitivity import figures, heatmaps, noise, race, run, text
from optviz.experiments.sensitivity.spec import (
    AXES,
    FOUR,
    MAX_OPTIMIZERS,
    VIEWS,
    Sensitivity,
    adjusted,
    axes_of,
)
from optviz.experiments.trajectories.controls import function_controls, noise_controls, run_panel
from optviz.experiments.trajectories.spec import Objective
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.plot import THEMES, method_styles
from optviz.plot.table import csv_text
from optviz.spec import Choice
from optviz.translation import N_, _
from optviz.ui.components import theme_name
from optviz.ui.controls import ListOf, Menu, Panel, When
from optviz.ui.form import Form, choice_panel, select
from optviz.ui.training.form import wrapper_controls
from optviz.ui.training.optimizer_menu import optimizer_menu

KEY = "sensitivity"


def _sliders(form, i, name):
    style = method_styles(form.read().optimizers, THEMES[theme_name()])[i]
    live = form.read().view in ("rates", "stability")
    choice_panel(form.at("method"), OPTIMIZERS, name, style=style, live=live)


def _settings(form):
    optimizer_menu(form)
    wrapper_controls(form)


def _another(spec):
    used = {config.method.key for config in spec.optimizers}
    return OptimizerConfig(Choice(next((k for k in OPTIMIZERS if k not in used), "sgd")))


OPTIMIZER_LIST = ListOf(
    "optimizers",
    names=lambda spec: spec.names,
    item=_sliders,
    settings=_settings,
    new=_another,
    add=_("Add an optimizer"),
    most=MAX_OPTIMIZERS,
)


def chosen(form: Form) -> None:
    """The menu of the chosen optimizer."""
    names = form.value.names
    suffix = f"menu-{len(names)}"
    select(form.at("chosen"), _("Optimizer"), dict(enumerate(names)), what=suffix)


def other(form: Form) -> None:
    """The menu of the optimizer whose basins are beside the chosen one's."""
    names, chosen = form.value.names, form.value.chosen
    others = {i: name for i, name in enumerate(names) if i != chosen}
    suffix = f"menu-{len(names)}-{chosen}"
    select(form.at("other"), _("Beside it"), {-1: _("none"), **others}, what=suffix)


def axes(form: Form) -> None:
    """The menus of the map's axes, which must differ."""
    names_of_axes = axes_of(form.value.config)
    for name, label in (("across", _("Across")), ("up", _("Upward"))):
        other = form.value.up if name == "across" else form.value.across
        keys = [key for key in names_of_axes if key != other]
        names, suffix = {key: _(AXES[key]) for key in keys}, f"menu-{'-'.join(keys)}"

        def set_axis(key, name=name):
            form.set(replace(form.value, **{name: key}, window=None))

        select(form.at(name), label, names, set_axis, what=suffix)


OBJECTIVE = (function_controls, run_panel, noise_controls)
SEEDS = When(
    lambda spec: spec.objective.noise and spec.view not in ("race", "noise"),
    (Panel(_("Seeds"), ("seeds",)),),
)


def rates_csv(context) -> str:
    """Every run of the curves."""
    spec = context.spec
    rows = (
        [name, curve.rates[j], spec.objective.seed + k, gap]
        for name, curve in zip(spec.names, run.rate_curves(spec), strict=True)
        for (j, k), gap in np.ndenumerate(curve.gaps)
    )
    return csv_text(["optimizer", "rate", "seed", "loss_above_minimum"], rows)


def map_csv(context) -> str:
    """Every cell of the map."""
    spec = context.spec
    sweep = run.map_of(run.with_one_optimizer(spec, spec.chosen))
    rows = (
        [sweep.axes[spec.across][j], sweep.axes[spec.up][i], value]
        for (i, j), value in np.ndenumerate(sweep.values)
    )
    return csv_text([spec.across, spec.up, spec.measure], rows)


def basins_csv(context) -> str:
    """Every start."""
    spec, names, rows = context.spec, context.spec.names, []
    for k, basins in run.both_basins(spec):
        xs, ys = heatmaps.places(spec, basins)
        for (i, j), index in np.ndenumerate(basins.index):
            minimum = basins.minima[index] if index >= 0 else (None, None)
            end = basins.steps[i, j], basins.diverged_at[i, j], basins.share[i, j]
            rows.append([names[k], xs[j], ys[i], *minimum, *end])
    columns = ["optimizer", "x", "y", "minimum_x", "minimum_y", "steps", "diverged_at", "share"]
    return csv_text(columns, rows)


def _view(key, form, parts, note=None, numbers=None):
    """A view with one tab; `numbers(context)` is its file."""
    return View(
        label=VIEWS[key],
        form=[*form, *OBJECTIVE, SEEDS, OPTIMIZER_LIST],
        tabs=[Tab(_(VIEWS[key]), parts)],
        notes=[note] if note else [],
        downloads=[Download(_("Numbers as CSV"), key, numbers)] if numbers else [],
    )


HIMMELBLAU = Sensitivity(
    view="basins",
    objective=Objective(function="himmelblau", start=(-0.5, -1.0), steps=200),
    optimizers=(
        OptimizerConfig(Choice("sgd", {"lr": 0.01})),
        OptimizerConfig(Choice("adam", {"lr": 0.3})),
    ),
)
TWO = Sensitivity(view="map", optimizers=(FOUR[0], OptimizerConfig(Choice("nesterov"))))
NOISY = Sensitivity(
    view="noise",
    objective=Objective(start=(-4.0, 2.0), steps=200, noise=Choice("gaussian", {"scale": 1.0})),
    optimizers=(
        OptimizerConfig(Choice("sgd", {"lr": 0.3})),
        OptimizerConfig(Choice("momentum", {"lr": 0.1, "momentum": 0.9})),
    ),
)
PAGE = Page(
    KEY,
    N_("Sensitivity"),
    "tune",
    N_("How much depends on the rate and the start?"),
    "",
    Sensitivity(),
    {
        key: _view(key, *view)
        for key, view in {
            "rates": ([chosen], [figures.rates, text.rate_table], text.rate_notes, rates_csv),
            "race": ([Panel(_("Starts"), ("starts", "trials"))], [race.results], race.notes),
            "map": ([chosen, axes, Menu("measure")], [heatmaps.map_of], None, map_csv),
            "basins": ([chosen, other], [heatmaps.basins], text.basin_notes, basins_csv),
            "noise": ([Panel(_("Seeds"), ("runs",))], [noise.results], noise.notes, noise.ends_csv),
            "stability": ([chosen], [figures.stability], text.stability_notes),
        }.items()
    },
    presets=[
        Preset(
            _("Rates on the bowl"), Sensitivity(), _("Four optimizers, each with a U-shaped curve.")
        ),
        Preset(
            _("Rate and momentum"), TWO, _("Where momentum converges, and the theoretical limit.")
        ),
        Preset(
            _("Fair comparison"),
            replace(Sensitivity(), view="race"),
            _("Which optimizer wins as set, and which once all are tuned?"),
        ),
        Preset(_("Four basins"), HIMMELBLAU, _("Himmelblau's function has four equal minima.")),
        Preset(_("A cloud of ends"), NOISY, _("How widely noise scatters the end points.")),
    ],
    adjusted=adjusted,
    thumbnail=heatmaps.thumbnail,
)
