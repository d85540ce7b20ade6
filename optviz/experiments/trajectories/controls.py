"""The controls: function and start, optimizers, and how the scene is shown.

An invalid entry changes nothing and leaves an error beside the control.
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
                panel = partial(run_panel, max_steps=form.value.max_steps())
                _group(form, "run", [panel, noise_controls])
        else:
            st.caption(run_in_words(form.value.objective))
    # the legend has names
    if not (locks.is_hidden("hyperparameters") and locks.is_hidden("optimizers")):
        replace(form, locked=locks.is_locked("optimizers")).draw([optimizer_list(), *_reset()])


def _group(form, key, controls):
    if not locks.is_hidden(key):
        replace(form, locked=locks.is_locked(key)).draw(controls)


# The function.


def function_controls(form: Form) -> None:
    """The menu of functions; for a typed one its formula and its frame."""
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
    """Switch to a function, with its last settings in this session, so that none are lost."""
    page, objective = state(), form.value
    page.formula_complaint = ""
    page.objectives[objective.function] = objective
    if key == TYPED:
        formula = objective.formula or EXAMPLE
        other = replace(objective, function=TYPED, formula=formula, noise=None)
        other = replace(other, start=other.inside(other.start))
    else:
        other = objective.on(key)
    if before := page.objectives.get(key):
        other = replace(other, start=before.start, noise=before.noise, seed=before.seed)
    _set_objective(form, other)


def _set_objective(form, objective):
    """Set a function or formula; optimizers that diverge on it get their best rate."""
    spec = at("objective").set(form.read(), objective)
    if locks.is_editable("hyperparameters"):
        configs = tuple(suitable(objective, config) for config in spec.optimizers)
        spec = replace(spec, optimizers=configs)
    form.write(spec)


def _formula_field(form):
    objective, key = form.value, form.key("formula")

    def change():
        typed, page = st.session_state[key], state()
        try:
            parse_formula(typed)
        except FormulaError as error:
            reason = text.refused_formula(error, form.value.formula)
            page.formula_complaint = escape_markdown(reason)
        else:
            page.formula_complaint = ""
            _set_objective(form, replace(form.value, formula=typed))

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
    """The edges of the picture; edges that do not fit together wait in the page's state."""
    page = state()
    declared = tuple(
        Hyperparameter(name, default, -MAX_EDGE, MAX_EDGE, help=_("edge of the picture"))
        for name, default in EDGES.items()
        if name.startswith("x") or not form.value.f.univariate
    )

    def values():
        edges = np.ravel(form.value.domain).tolist()
        return dict(zip(EDGES, edges, strict=True)) | page.edges

    def change(new):
        edges = values() | new
        domain = tuple((edges[f"{c}_from"], edges[f"{c}_to"]) for c in "xy")
        valid = all(low < high for low, high in domain)
        page.edges = {} if valid else edges
        if valid:
            other = replace(form.value, domain=domain)
            form.set(replace(other, start=other.inside(other.start)))

    def notes():
        edges = values()
        return text.frame_notes([c for c in "xy" if edges[f"{c}_to"] <= edges[f"{c}_from"]])

    title = _("Frame of the picture")
    draw_panel(form.key("frame"), title, declared, values, change, locked=form.locked, notes=notes)


# Start, steps, noise.


def run_panel(form: Form, max_steps: int = MAX_STEPS) -> None:
    """Start, steps up to `most`, and the tolerance of the table."""
    f = form.value.objective.f

    def narrowed(form, declared):
        if declared.name == "steps":
            return replace(declared, high=max_steps)
        if not declared.name.startswith("start"):
            return replace(declared, help=for_sign(declared.help, f.sign))
        i = "xy".index(declared.name[-1])
        low, high = f.domain[i]
        return replace(declared, low=low, high=high, default=float(f.start[i]))

    paths = ["start_x", *["start_y"] * (not f.univariate), "objective.steps", "tolerance"]
    title = _("Start, steps and tolerance")
    panel = Panel(title, paths, live=True, narrowed=narrowed, notes=text.start_notes)
    panel.draw(replace(form, name=f"{form.name}-{form.value.objective.landscape_key()}"))
    if max_steps < MAX_STEPS:
        message = _(
            "With these optimizers and all their starts, at most {most} steps are possible."
        )
        st.caption(message.format(most=max_steps))


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


def _reset():
    """A button that goes back to the book's scene, if that is allowed."""
    if locks.scene_is_editable():
        label = _("Reset to the book's figure 6.8")
        yield lambda form: button(label, "book", session().show, KEY, BOOK, wide=True)


def _live_lines(form):
    """Sliders of one optimizer move its own lines only."""
    return {"live": True, "figures": lambda: live_figures(form.read(), {form.name})}


def _hyperparameters(form, i, name):
    if locks.is_hidden("hyperparameters"):
        return

    def notes():
        config, objective = form.value, form.read().objective
        steps = range(config.fork.step if config.fork else 0, objective.steps)
        stabilities = theory.stability(objective.f, config.build(), config.built_schedules(), steps)
        return text.rate_notes(stabilities, bool(config.schedules), objective.f)

    place = replace(form, locked=locks.is_locked("hyperparameters")).at("method")
    style = method_styles(form.read().optimizers, THEMES[theme_name()])[i]
    choice_panel(
        place, OPTIMIZERS, name, notes=notes, style=style, group=form.name, **_live_lines(form)
    )


def _settings(form):
    live = _live_lines(form)
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
