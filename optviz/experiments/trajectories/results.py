"""What is below the figures: the table, then theory, equations or code."""

import streamlit as st

from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories import text
from optviz.experiments.trajectories.state import paths_hidden
from optviz.experiments.trajectories.table import at_every_step, results
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.minima import minima_of
from optviz.optim.theory import curvatures
from optviz.plot import THEMES, Table, equations
from optviz.translation import _
from optviz.ui import locks
from optviz.ui.components import theme_name, timetable
from optviz.ui.controls import switch
from optviz.ui.form import Form
from optviz.ui.live import rerun_settled

MORE = "more"  # the key of the switch below the table


def draw(form: Form) -> None:
    """The table at the step of the player."""
    if form.value.optimizers and not locks.is_hidden("results"):
        _table(form.value)


def notes(form: Form) -> list[tuple]:
    """What is below the table, as pairs of a function and its argument."""
    if locks.is_hidden("results"):
        return []
    scene, parts = form.value, []
    for i, s in enumerate(scene.both):
        if s.optimizers:
            parts += [*[(_second_table, s)] * i, (st.caption, "  \n".join(_remarks(s)))]
    if not scene.optimizers:
        parts += [
            (st.info, _("There are no optimizers in this scene. Add one next to the picture."))
        ]
    opened = st.session_state.get(MORE) or "theory"
    section = {"theory": _theory, "equations": _equations, "code": _code}[opened]
    return [*parts, (_choice, None), *section(scene)]


def _choice(_nothing):
    labels = {
        "theory": _("What the theory says"),
        "equations": _("Equations with these values"),
        "code": _("The code that ran"),
    }
    switch(_("More about the optimizers"), labels, MORE, on_change=rerun_settled)


def _second_table(scene):
    _table(scene, "timetable-2")


def _table(scene, key="timetable"):
    timetable(results(scene, THEMES[theme_name()]).html(), at_every_step(scene), key)


def _remarks(scene):
    """Remarks on minima, branches and, unless that is predicted, the arrivals of further starts."""
    objective = scene.objective
    yield f"{text.minima(objective.f)} {text.budget(objective)}"
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        if config.fork:
            yield text.branch(name, config, runs.path(objective, config))
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        paths = runs.multistart(objective, config)
        if paths is not None and len(minima_of(objective.f)) and not paths_hidden():
            yield text.multistart(name, paths, runs.arrivals(paths, scene.tolerance))


def _theory(scene):
    known_curvatures = curvatures(scene.objective.f)
    for part in text.theory(known_curvatures, scene):
        yield (st.html, part.html()) if isinstance(part, Table) else (st.markdown, part)
    if known_curvatures:
        yield st.caption, text.theory_sources()


def _equations(scene):
    yield _abreast, [*map(text.equations_of, scene.names, scene.optimizers)]


def _abreast(texts):
    columns = st.columns(2)
    for i, each in enumerate(texts):
        columns[i % 2].markdown(each)


def _code(scene):
    configs = scene.optimizers
    methods = [OPTIMIZERS[config.method.key] for config in configs]
    wrappers = [WRAPPERS[wrapper.key] for config in configs for wrapper in config.wrappers]
    for cls in dict.fromkeys([*methods, *wrappers]):
        yield st.code, equations.source(cls)
