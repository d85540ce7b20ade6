"""The controls: what is descended and from where, which optimizers, and how it is shown.

A wrong entry changes nothing and leaves its complaint beside the control.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from optviz.experiments.trajectories import text
from optviz.experiments.trajectories.auto import automatic, badges, good_rates
from optviz.experiments.trajectories.figures import live_figures
from optviz.experiments.trajectories.spec import (
    BOOK,
    FUNCTION_NAMES,
    MAX_EDGE,
    MAX_OPTIMIZERS,
    METRICS,
    TYPED,
    Objective,
    run_in_words,
)
from optviz.experiments.trajectories.state import KEY, optimizer_form, state, suitable
from optviz.experiments.trajectories.wording import for_sign
from optviz.functions.library import parse_formula
from optviz.functions.parse import MAX_LENGTH, FormulaError
from optviz.lens import at
from optviz.optim import OPTIMIZERS, theory
from optviz.optim.config import MAX_STEPS, OptimizerConfig, names
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.noise import NOISES
from optviz.plot import THEMES, method_styles
from optviz.spec import Choice
from optviz.translation import N_, _
from optviz.ui import locks
from optviz.ui.components import button, escape_markdown, theme_name
from optviz.ui.controls import ListOf, Menu, Panel, Several, Toggle, optional_choice
from optviz.ui.form import DERIVED, Form, choice_panel, draw_panel, select
from optviz.ui.session import session
from optviz.ui.training.form import schedule_controls, wrapper_controls
from optviz.ui.training.optimizer_menu import optimizer_choices, optimizer_menu

EXAMPLE = "x²/20 + y² + sin(3x)/2"
NOISE = {"scale": 2.0}  # at first
EDGES = {"x_from": -5.0, "x_to": 5.0, "y_from": -5.0, "y_to": 5.0}  # likewise


def _start(i):
    where = N_("where every path starts")
    declared = Hyperparameter(f"start_{'xy'[i]}", 0.0, -MAX_EDGE, MAX_EDGE, help=where)
    return declared, at("objective", "start", i)


DERIVED |= {"start_x": _start(0), "start_y": _start(1)}


def controls(form: Form) -> None:
    """Function, run, optimizers, each as far as the link's author lets them be changed."""
    form = automatic(form)
    _group(form, "function", [function_controls])
    if not locks.is_hidden("run"):
        label = _("Start, steps, noise")
        box = st.expander(label, key="run", on_change="rerun")
        if box.open:
            with box:
                _group(
                    form, "run", [partial(run_panel, most=form.value.max_steps()), noise_controls]
                )
        else:
            st.caption(run_in_words(form.value.objective))
    # the legend has names
    if not (locks.is_hidden("hyperparameters") and locks.is_hidden("optimizers")):
        replace(form, locked=locks.is_locked("optimizers")).draw([optimizer_list(), *_again()])


def _group(form, key, controls):
    if not locks.is_hidden(key):
        replace(form, locked=locks.is_locked(key)).draw(controls)


# The function.


def function_controls(form: Form) -> None:
    """Which function; for a typed one its formula and its frame."""
    objective, place = form.value.objective, form.at("objective", "function")
    declared = Objective.__dataclass_fields__["function"].metadata
    select(
        place,
        _(declared["label"]),
        {key: _(name) for key, name in FUNCTION_NAMES.items()},
        lambda key: _choose_function(form.at("objective"), key),
        help=_(declared["help"]),
    )
    if objective.function == TYPED:
        _formula_field(form.at("objective"))
        _frame(form.at("objective"))
    else:
        st.caption(objective.f.teaches)
    if form.name == KEY:  # elsewhere f is minimized
        about = _("The optimizers minimize −f: g in their equations is −∇f.")
        Toggle("objective.maximize", _("Maximize"), about).draw(form)


def _choose_function(form, key):
    """Another function, as this session left it if it was there before: nothing set is lost."""
    kept, objective = state(), form.value
    kept.formula_complaint = ""
    kept.objectives[objective.function] = objective
    if key == TYPED:
        formula = objective.formula or EXAMPLE
        other = replace(objective, function=TYPED, formula=formula, noise=None)
        other = replace(other, start=other.inside(other.start))
    else:
        other = objective.on(key)
    if before := kept.objectives.get(key):
        other = replace(other, start=before.start, noise=before.noise, seed=before.seed)
    _put(form, other)


def _put(form, objective):
    """Another function or formula; what diverges on it gets its best rate."""
    spec = at("objective").set(form.read(), objective)
    if locks.is_editable("hyperparameters"):
        suited = tuple(suitable(objective, config) for config in spec.optimizers)
        spec = replace(spec, optimizers=suited)
    form.write(spec)


def _formula_field(form):
    objective, key = form.value, form.key("formula")

    def change():
        typed, kept = st.session_state[key], state()
        try:
            parse_formula(typed)
        except FormulaError as error:
            reason = text.refused_formula(error, form.value.formula)
            kept.formula_complaint = escape_markdown(reason)
        else:
            kept.formula_complaint = ""
            _put(form, replace(form.value, formula=typed))

    st.text_input(
        "f(x, y) =",
        objective.formula,
        key=key,
        max_chars=MAX_LENGTH,
        on_change=change,
        help=text.FORMULA_HELP,
        disabled=form.locked,
    )
    if complaint := state().formula_complaint:
        st.error(complaint, icon="⚠️")
    elif not np.isfinite(objective.f.value(objective.start)):
        st.warning(text.undefined_start(objective.start), icon="⚠️")


def _frame(form):
    """The edges of the picture, which wait here while they do not fit together."""
    kept = state()
    declared = tuple(
        Hyperparameter(name, first, -MAX_EDGE, MAX_EDGE, help=_("edge of the picture"))
        for name, first in EDGES.items()
        if name.startswith("x") or not form.value.f.univariate
    )

    def values():
        edges = np.ravel(form.value.domain).tolist()
        return dict(zip(EDGES, edges, strict=True)) | kept.edges

    def turn(new):
        edges = values() | new
        domain = tuple((edges[f"{c}_from"], edges[f"{c}_to"]) for c in "xy")
        fits = all(low < high for low, high in domain)
        kept.edges = {} if fits else edges
        if fits:
            other = replace(form.value, domain=domain)
            form.set(replace(other, start=other.inside(other.start)))

    def notes():
        found = values()
        return text.frame_notes([c for c in "xy" if found[f"{c}_to"] <= found[f"{c}_from"]])

    title = _("Frame of the picture")
    draw_panel(form.key("frame"), title, declared, values, turn, locked=form.locked, notes=notes)


# Start, steps, noise.


def run_panel(form: Form, most: int = MAX_STEPS) -> None:
    """Start, steps up to `most`, and the tolerance of the table."""
    f = form.value.objective.f

    def narrowed(form, declared):
        if declared.name == "steps":
            return replace(declared, high=most)
        if not declared.name.startswith("start"):
            return replace(declared, help=for_sign(declared.help, f.sign))
        i = "xy".index(declared.name[-1])
        low, high = f.domain[i]
        return replace(declared, low=low, high=high, default=float(f.start[i]))

    paths = ["start_x", *["start_y"] * (not f.univariate), "objective.steps", "tolerance"]
    title = _("Start, steps and tolerance")
    panel = Panel(title, paths, live=True, narrowed=narrowed, notes=text.start_notes)
    panel.draw(replace(form, name=f"{form.name}-{form.value.objective.landscape_key()}"))
    if most < MAX_STEPS:
        message = _(
            "With these optimizers and all their starts, at most {most} steps are possible."
        )
        st.caption(message.format(most=most))


def noise_controls(form: Form) -> None:
    """The noise and its seed."""
    objective = form.value.objective
    declared = Objective.__dataclass_fields__["noise"].metadata
    place = form.at("objective", "noise")
    optional_choice(
        replace(place, name=f"{place.name}-{objective.function}"),
        NOISES,
        _(declared["label"]),
        _("none"),
        _(declared["help"]),
        values=NOISE,
        live=True,
    )
    if objective.noise:
        Panel(_("Seed of the noise"), ("objective.seed",), live=True).draw(form)


# The optimizers.


def optimizer_list() -> ListOf:
    """Every optimizer: its name, its settings behind a button, its hyperparameters; one to add."""
    return ListOf(
        "optimizers",
        names=lambda scene: names(scene.optimizers),
        item=_hyperparameters,
        settings=None if locks.is_hidden("optimizers") else _settings,
        new=lambda scene, key: OptimizerConfig(Choice(key)),
        choices=lambda scene: optimizer_choices(),
        chips=badges,
        add=_("Add an optimizer"),
        least=0,
        most=MAX_OPTIMIZERS,
        places=lambda form: [optimizer_form(form, key) for key in state().ids],
    )


def _again():
    """A button that begins again with the book's scene, where that may be."""
    if locks.scene_is_editable():
        label = _("Reset to the book's figure 6.8")
        yield lambda form: button(label, "book", session().show, KEY, BOOK, wide=True)


def _of_one(form):
    """Sliders of one optimizer move its own lines only."""
    return {"live": True, "figures": lambda: live_figures(form.read(), {form.name})}


def _hyperparameters(form, i, name):
    if locks.is_hidden("hyperparameters"):
        return

    def notes():
        config, objective = form.value, form.read().objective
        steps = range(config.fork.step if config.fork else 0, objective.steps)
        found = theory.stability(objective.f, config.build(), config.built_schedules(), steps)
        return text.rate_notes(found, bool(config.schedules), objective.f)

    place = replace(form, locked=locks.is_locked("hyperparameters")).at("method")
    style = method_styles(form.read().optimizers, THEMES[theme_name()])[i]
    choice_panel(
        place, OPTIMIZERS, name, notes=notes, style=style, group=form.name, **_of_one(form)
    )


def _settings(form):
    live = _of_one(form)
    optimizer_menu(form)
    good_rates(form)
    wrapper_controls(form, **live)
    cls = OPTIMIZERS[form.value.method.key]
    scheduled = [h.name for h in hyperparameters(cls) if h.kind is float]
    scheduled = [name for name in scheduled if name not in cls.initial]
    if scheduled:
        schedule_controls(form, "", scheduled, form.read().objective.steps, **live)
    declared = OptimizerConfig.__dataclass_fields__["initial_points"].metadata
    place, label = form.at("initial_points"), _(declared["label"])
    optional_choice(place, INITIAL_POINTS, label, _("one"), _(declared["help"]), **live)


# How it is shown.

SHOWN = Menu("shown", segments=True, hidden=True)
PICTURE = (
    Toggle("solid", _("3-D surface")),
    Toggle("equal", _("Equal scale of both axes"), help=_("Circles are drawn as circles.")),
    Menu("levels", segments=True),
    Menu("colors", segments=True),
    Toggle("field", _("Negative gradient field (−∇f)")),
    Toggle("lookahead", _("Nesterov's look-ahead points in place of its iterates")),
)
CURVES = (
    Several("metrics", _("Show"), tuple(METRICS), lambda key: _(METRICS[key])),
    Toggle("log", _("Logarithmic scale")),
    Menu("along"),
)


def view_form(form: Form) -> Form:
    """The place of the view."""
    return replace(form.at("view"), locked=locks.is_locked("view"))
