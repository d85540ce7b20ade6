"""The controls of what runs down and from where: function or formula, start, steps, noise.

A wrong entry changes nothing and leaves its complaint beside the control.
"""

from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.experiments.trajectories.live import live_panel
from optviz.experiments.trajectories.spec import (
    NO_NOISE,
    TYPED,
    Choice,
    Problem,
    Scene,
    on_function,
)
from optviz.functions.library import FUNCTIONS, parse_formula
from optviz.functions.parse import MAX_LENGTH, FormulaError
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters
from optviz.optim.noise import NOISES
from optviz.plot.style import number
from optviz.ui import session as state
from optviz.ui.components import hyperparameter_panel

EXAMPLE = "x**2/20 + y**2 + sin(3*x)/2"


def function_controls(problem: Problem, locked: bool = False) -> None:
    """Which function; for a typed one its formula and its frame. `locked` ones are shown and cannot be changed."""
    S = st.session_state
    keys = [*FUNCTIONS, TYPED]
    names = {k: f.name for k, f in FUNCTIONS.items()} | {TYPED: "Type a formula …"}
    key = f"function-{S.generation}"
    st.selectbox(
        "Function", keys, keys.index(problem.function), names.get, key=key, on_change=lambda: _choose_function(S[key]),
        help="What the optimizers run down. The last entry takes a formula of your own.", disabled=locked,
    )  # fmt: skip
    if problem.function == TYPED:
        _formula_field(problem, locked)
        _frame(problem, locked)
    else:
        st.caption(problem.f.teaches)


def _choose_function(key):
    """Another function, as this session left it if it was there before: nothing that was set is lost."""
    S = st.session_state
    S.complaint = ""
    left = S.setdefault("left", {})
    problem = S.scene.problem
    left[problem.function] = {"start": problem.start, "noise": problem.noise, "seed": problem.seed}
    if key == TYPED:
        formula = problem.formula or EXAMPLE
        problem = replace(problem, function=TYPED, formula=formula, noise=Choice(NO_NOISE))
        problem = replace(problem, start=_inside(problem.start, problem.domain))
    else:
        problem = on_function(problem, key)
    state.update(problem=replace(problem, **left.get(key, {})))


def _formula_field(problem, locked):
    S = st.session_state
    key = f"formula-{S.generation}"
    st.text_input(
        "f(x, y) =", problem.formula, key=key, max_chars=MAX_LENGTH, on_change=lambda: _type_formula(S[key]),
        help="x, y, numbers, + − \\* / \\*\\* ^, pi, e, and sin cos tan asin acos atan sinh cosh tanh exp log log10 "
        "sqrt abs sign min max.", disabled=locked,
    )  # fmt: skip
    if S.complaint:
        st.error(S.complaint, icon="⚠️")
    elif not np.isfinite(problem.f.value(problem.start)):
        at = ", ".join(number(c) for c in problem.start)
        st.warning(f"This formula is not defined at the start ({at}): move it under “Start, steps, noise”.", icon="⚠️")


def _type_formula(text):
    S = st.session_state
    try:
        parse_formula(text)
    except FormulaError as error:
        standing = S.scene.problem.formula
        S.complaint = _literal(f"{error}. The picture still shows {standing}")
    else:
        S.complaint = ""
        state.update_problem(formula=text)


def _literal(text):
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!$<>|~:" else c for c in text)


def _inside(start, domain):
    return tuple(min(max(s, low), high) for s, (low, high) in zip(start, domain, strict=True))


def _frame(problem, locked):
    key = f"frame-{st.session_state.generation}"
    edges = dict(zip(("x_from", "x_to", "y_from", "y_to"), (*problem.domain[0], *problem.domain[1]), strict=True))
    defaults = {"x_from": -5.0, "x_to": 5.0, "y_from": -5.0, "y_to": 5.0}
    declared = tuple(Hyperparameter(name, v, -100.0, 100.0, help="edge of the picture") for name, v in defaults.items())
    edges |= st.session_state.get("frame", {}).get(key, {})  # as they stand, also while they do not fit together
    notes = {f"{a}_to": f"must lie above {a} from" for a in "xy" if edges[f"{a}_to"] <= edges[f"{a}_from"]}
    hyperparameter_panel(
        key, "Frame of the picture", declared, edges, lambda new: _reframe(key, edges | new), notes, locked=locked
    )


def _reframe(key, edges):
    st.session_state.frame = {key: edges}
    domain = ((edges["x_from"], edges["x_to"]), (edges["y_from"], edges["y_to"]))
    if all(low < high for low, high in domain):
        state.update_problem(domain=domain, start=_inside(st.session_state.scene.problem.start, domain))


def run_controls(scene: Scene, locked: bool = False) -> None:
    """Start, steps, tolerance of the table; noise and its seed."""
    problem = scene.problem
    (x0, x1), (y0, y1) = problem.f.domain
    x, y = (float(c) for c in problem.f.start)
    declared = (
        Hyperparameter("start_x", x, x0, x1, "x", help="where every path begins"),
        Hyperparameter("start_y", y, y0, y1, "y", help="where every path begins"),
        Hyperparameter("steps", 30, 1, 2000, "n", log=True, help="updates of every optimizer"),
        Hyperparameter("tolerance", 1e-3, 1e-12, 1.0, log=True, help="height above the minimum that counts as arrived"),
    )
    key = f"run-{st.session_state.generation}-{problem.landscape_key()}"
    live_panel(key, "Start, steps and tolerance", declared, _run_values, _set_run, _run_notes, locked=locked)
    _noise_controls(problem, locked)


def _run_values(scene):
    (x, y), steps = scene.problem.start, scene.problem.steps
    return {"start_x": x, "start_y": y, "steps": steps, "tolerance": scene.tolerance}


def _run_notes(scene):
    defined = np.isfinite(scene.problem.f.value(scene.problem.start))
    return {} if defined else {"start_y": "f is not defined at this start"}


def _set_run(new):
    v = _run_values(st.session_state.scene) | new
    state.update_problem(start=(v["start_x"], v["start_y"]), steps=v["steps"])
    state.update(tolerance=v["tolerance"])


def _noise_controls(problem, locked):
    S = st.session_state
    key = f"noise-{S.generation}-{problem.function}"
    st.segmented_control(
        "Gradient noise", [NO_NOISE, *NOISES], default=problem.noise.key, key=key, required=True,
        on_change=lambda: state.update_problem(noise=Choice(S[key], {} if S[key] == NO_NOISE else {"scale": 2.0})),
        help="Added to each component of the gradient, the same for every optimizer at a step: "
        "uniform in ±a, or Gaussian with standard deviation a.", disabled=locked,
    )  # fmt: skip
    if problem.noise.key == NO_NOISE:
        return
    declared = (*hyperparameters(NOISES[problem.noise.key]), Hyperparameter("seed", 0, 0, 9999, help="another number, another noise"))
    live_panel(f"{key}-{problem.noise.key}", "Noise", declared, _noise_values, _set_noise, locked=locked)


def _noise_values(scene):
    return {"scale": 1.0, **scene.problem.noise.values, "seed": scene.problem.seed}


def _set_noise(new):
    problem = st.session_state.scene.problem
    v = _noise_values(st.session_state.scene) | new
    state.update_problem(noise=replace(problem.noise, values={"scale": v["scale"]}), seed=v["seed"])
