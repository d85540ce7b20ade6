"""The controls of what runs down and from where: function or formula, start, steps, noise.

A wrong entry changes nothing and leaves its complaint beside the control.
"""

from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.experiments.trajectories import scene_state as state
from optviz.experiments.trajectories.live import live_panel
from optviz.experiments.trajectories.spec import (
    NO_NOISE,
    TYPED,
    Choice,
    Objective,
    Scene,
    on_function,
)
from optviz.functions.library import FUNCTIONS, parse_formula
from optviz.functions.parse import MAX_LENGTH, FormulaError
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters
from optviz.optim.noise import NOISES
from optviz.plot.style import number
from optviz.ui.components import hyperparameter_panel
from optviz.ui.session import session

EXAMPLE = "x**2/20 + y**2 + sin(3*x)/2"


def function_controls(objective: Objective, locked: bool = False) -> None:
    """Which function; for a typed one its formula and its frame. `locked` ones are shown and cannot be changed."""
    S = st.session_state
    keys = [*FUNCTIONS, TYPED]
    names = {k: f.name for k, f in FUNCTIONS.items()} | {TYPED: "Type a formula …"}
    key = f"function-{session().epoch}"
    st.selectbox(
        "Function", keys, keys.index(objective.function), names.get, key=key, on_change=lambda: _choose_function(S[key]),
        help="What the optimizers run down. The last entry takes a formula of your own.", disabled=locked,
    )  # fmt: skip
    if objective.function == TYPED:
        _formula_field(objective, locked)
        _frame(objective, locked)
    else:
        st.caption(objective.f.teaches)


def _choose_function(key):
    """Another function, as this session left it if it was there before: nothing that was set is lost."""
    S = st.session_state
    session().formula_complaint = ""
    left = S.setdefault("left", {})
    objective = session().specs["trajectories"].objective
    left[objective.function] = {
        "start": objective.start,
        "noise": objective.noise,
        "seed": objective.seed,
    }
    if key == TYPED:
        formula = objective.formula or EXAMPLE
        objective = replace(objective, function=TYPED, formula=formula, noise=Choice(NO_NOISE))
        objective = replace(objective, start=_inside(objective.start, objective.domain))
    else:
        objective = on_function(objective, key)
    state.update(objective=replace(objective, **left.get(key, {})))


def _formula_field(objective, locked):
    S = st.session_state
    key = f"formula-{session().epoch}"
    st.text_input(
        "f(x, y) =", objective.formula, key=key, max_chars=MAX_LENGTH, on_change=lambda: _type_formula(S[key]),
        help="x, y, numbers, + − \\* / \\*\\* ^, pi, e, and sin cos tan asin acos atan sinh cosh tanh exp log log10 "
        "sqrt abs sign min max.", disabled=locked,
    )  # fmt: skip
    if session().formula_complaint:
        st.error(session().formula_complaint, icon="⚠️")
    elif not np.isfinite(objective.f.value(objective.start)):
        at = ", ".join(number(c) for c in objective.start)
        st.warning(
            f"This formula is not defined at the start ({at}): move it under “Start, steps, noise”.",
            icon="⚠️",
        )


def _type_formula(text):
    try:
        parse_formula(text)
    except FormulaError as error:
        standing = session().specs["trajectories"].objective.formula
        session().formula_complaint = _literal(f"{error}. The picture still shows {standing}")
    else:
        session().formula_complaint = ""
        state.update_objective(formula=text)


def _literal(text):
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!$<>|~:" else c for c in text)


def _inside(start, domain):
    return tuple(min(max(s, low), high) for s, (low, high) in zip(start, domain, strict=True))


def _frame(objective, locked):
    key = f"frame-{session().epoch}"
    edges = dict(
        zip(
            ("x_from", "x_to", "y_from", "y_to"),
            (*objective.domain[0], *objective.domain[1]),
            strict=True,
        )
    )
    defaults = {"x_from": -5.0, "x_to": 5.0, "y_from": -5.0, "y_to": 5.0}
    declared = tuple(
        Hyperparameter(name, v, -100.0, 100.0, help="edge of the picture")
        for name, v in defaults.items()
    )
    edges |= st.session_state.get("frame", {}).get(
        key, {}
    )  # as they stand, also while they do not fit together
    notes = {
        f"{a}_to": f"must lie above {a} from"
        for a in "xy"
        if edges[f"{a}_to"] <= edges[f"{a}_from"]
    }
    hyperparameter_panel(
        key,
        "Frame of the picture",
        declared,
        edges,
        lambda new: _reframe(key, edges | new),
        notes,
        locked=locked,
    )


def _reframe(key, edges):
    st.session_state.frame = {key: edges}
    domain = ((edges["x_from"], edges["x_to"]), (edges["y_from"], edges["y_to"]))
    if all(low < high for low, high in domain):
        state.update_objective(
            domain=domain, start=_inside(session().specs["trajectories"].objective.start, domain)
        )


def run_controls(scene: Scene, locked: bool = False) -> None:
    """Start, steps, tolerance of the table; noise and its seed."""
    objective = scene.objective
    (x0, x1), (y0, y1) = objective.f.domain
    x, y = (float(c) for c in objective.f.start)
    declared = (
        Hyperparameter("start_x", x, x0, x1, "x", help="where every path begins"),
        Hyperparameter("start_y", y, y0, y1, "y", help="where every path begins"),
        Hyperparameter("steps", 30, 1, 2000, "n", log=True, help="updates of every optimizer"),
        Hyperparameter(
            "tolerance",
            1e-3,
            1e-12,
            1.0,
            log=True,
            help="height above the minimum that counts as arrived",
        ),
    )
    key = f"run-{session().epoch}-{objective.landscape_key()}"
    live_panel(
        key,
        "Start, steps and tolerance",
        declared,
        _run_values,
        _set_run,
        _run_notes,
        locked=locked,
    )
    _noise_controls(objective, locked)


def _run_values(scene):
    (x, y), steps = scene.objective.start, scene.objective.steps
    return {"start_x": x, "start_y": y, "steps": steps, "tolerance": scene.tolerance}


def _run_notes(scene):
    defined = np.isfinite(scene.objective.f.value(scene.objective.start))
    return {} if defined else {"start_y": "f is not defined at this start"}


def _set_run(new):
    v = _run_values(session().specs["trajectories"]) | new
    state.update_objective(start=(v["start_x"], v["start_y"]), steps=v["steps"])
    state.update(tolerance=v["tolerance"])


def _noise_controls(objective, locked):
    S = st.session_state
    key = f"noise-{session().epoch}-{objective.function}"
    st.segmented_control(
        "Gradient noise", [NO_NOISE, *NOISES], default=objective.noise.key, key=key, required=True,
        on_change=lambda: state.update_objective(noise=Choice(S[key], {} if S[key] == NO_NOISE else {"scale": 2.0})),
        help="Added to each component of the gradient, the same for every optimizer at a step: "
        "uniform in ±a, or Gaussian with standard deviation a.", disabled=locked,
    )  # fmt: skip
    if objective.noise.key == NO_NOISE:
        return
    declared = (
        *hyperparameters(NOISES[objective.noise.key]),
        Hyperparameter("seed", 0, 0, 9999, help="another number, another noise"),
    )
    live_panel(
        f"{key}-{objective.noise.key}", "Noise", declared, _noise_values, _set_noise, locked=locked
    )


def _noise_values(scene):
    return {"scale": 1.0, **scene.objective.noise.values, "seed": scene.objective.seed}


def _set_noise(new):
    objective = session().specs["trajectories"].objective
    v = _noise_values(session().specs["trajectories"]) | new
    state.update_objective(
        noise=replace(objective.noise, values={"scale": v["scale"]}), seed=v["seed"]
    )
