"""What stands under the figures: the table, and what theory, equations and code say."""

import streamlit as st

from optviz.experiments.trajectories import cache, table, text
from optviz.experiments.trajectories.figures import looks
from optviz.experiments.trajectories.run import arrivals, track_key
from optviz.experiments.trajectories.spec import Scene
from optviz.experiments.trajectories.state import sealed
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.plot import THEMES, Table, equations
from optviz.translation import _
from optviz.ui import locks
from optviz.ui.cache import cached
from optviz.ui.components import theme_name, timetable
from optviz.ui.form import Form


def draw(form: Form) -> None:
    """The table at the step of the player, and the rest in tabs, of which the open one is made."""
    if locks.hidden("results"):
        return
    scene = form.value
    for i, of in enumerate(scene.both):
        if of.optimizers:
            _table(of, "timetable" + "-2" * i)
    if not scene.optimizers:
        st.info(_("No optimizer is in the scene. Add one beside the picture."))
    tabs = {
        _("What the theory says"): _theory,
        _("Equations with these values"): _equations,
        _("The code that ran"): _code,
    }
    boxes = st.tabs(list(tabs), key="more", on_change="rerun")
    for box, section in zip(boxes, tabs.values(), strict=True):
        if box.open:
            with box:
                section(scene)


def _table(scene, key):
    runs, summaries = ends(scene)
    rows = [
        _columns(track_key(scene.objective, config.alone), scene.tolerance, run, summary)
        for config, run, summary in zip(scene.optimizers, runs, summaries, strict=True)
    ]
    timetable(results(scene, summaries, theme_name()).html(), rows, key)
    st.caption("  \n".join(_notes(scene)))


@cached
def _columns(key, tolerance, _run, _summary):
    return table.columns(_run, _summary)


def ends(scene: Scene) -> tuple[list, list]:
    """The paths, and what became of each."""
    runs = [cache.run(scene.objective, config) for config in scene.optimizers]
    ends = [cache.summary(scene.objective, c, scene.tolerance) for c in scene.optimizers]
    return runs, ends


def results(scene: Scene, summaries, theme: str) -> Table:
    """The table, in the colors of a theme."""
    styles = looks(scene, THEMES[theme])
    return table.results(
        scene.names, styles, summaries, scene.tolerance, scene.objective.f.univariate
    )


def _notes(scene):
    """On minima and branches; how many further starts arrived, unless that is predicted."""
    objective, known = scene.objective, cache.minima(scene.objective)
    yield f"{text.minima(known, objective.f)} {text.budget(objective)}"
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        if config.fork:
            yield text.branch(name, config, cache.run(objective, config))
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        paths = cache.multistart(objective, config)
        if paths is not None and len(known) and not sealed():
            found = arrivals(paths, known, scene.tolerance)
            yield text.multistart(name, paths, known, found)


def _theory(scene):
    found = cache.curvatures(scene.objective)
    for part in text.theory(found, scene):
        if isinstance(part, Table):
            st.html(part.html())
        else:
            st.markdown(part)
    if found:
        st.caption(text.theory_sources())


def _equations(scene):
    columns = st.columns(2)
    for i, (name, config) in enumerate(zip(scene.names, scene.optimizers, strict=True)):
        columns[i % 2].markdown(text.equations_of(name, config))


def _code(scene):
    configs = scene.optimizers
    methods = [OPTIMIZERS[config.method.key] for config in configs]
    wrappers = [WRAPPERS[wrapper.key] for config in configs for wrapper in config.wrappers]
    for cls in dict.fromkeys([*methods, *wrappers]):
        st.code(equations.source(cls), language="python")
