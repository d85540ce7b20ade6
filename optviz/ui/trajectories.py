"""The trajectories page: controls into a scene, the scene into runs, the runs into pictures and text."""

from dataclasses import replace

import streamlit as st

from optviz.core.experiments.trajectories import summary
from optviz.core.knobs import sentence
from optviz.core.optimizers import OPTIMIZERS, WRAPPERS
from optviz.core.schedules import SCHEDULES
from optviz.ui import cache, pictures, state
from optviz.ui.live import whole_run
from optviz.ui.pictures import LEVELS, View
from optviz.ui.problem import function_controls, run_controls
from optviz.ui.racers import racer_controls
from optviz.views import curves, equations, table
from optviz.views.style import number


def page() -> None:
    """Draw the page: the pictures first, so that they are on their way while the rest is made."""
    S = st.session_state
    scene, view = state.current(), S.setdefault("view", View())
    with whole_run():
        head = st.container()
        with st.container(key="stage"):
            stage, panel, results = st.columns(3)
        with stage:
            pictures.show(scene, view, state.ids())
        with panel:
            function_controls(scene.problem)
            run_box = st.expander("Start, steps, noise", key="run", on_change="rerun")
            if run_box.open:
                with run_box:
                    run_controls(scene)
            racer_controls(scene)
        with head:
            _head(scene, view)
        with results:
            _results(scene)
            _sections(scene)


def _sections(scene):
    sections = {"What the theory says": _theory, "Equations with these values": _equations, "The code that ran": _code}
    for tab, section in zip(st.tabs(list(sections), key="more", on_change="rerun"), sections.values(), strict=True):
        if tab.open:
            with tab:
                section(scene)


def _head(scene, view):
    title, buttons = st.columns([3, 2], vertical_alignment="center")
    with title:
        st.markdown(f"#### {scene.problem.f.name} $\\;f(x, y) = {scene.problem.f.latex}$")
    with buttons, st.container(horizontal=True, horizontal_alignment="right"):
        levels = st.popover("Contour", icon="🗺️", key="contour-view", on_change="rerun")
        curve = st.popover("Curves", icon="📉", key="curves-view", on_change="rerun")
    if levels.open:
        with levels:
            _view_control(st.segmented_control, "levels", "Levels", list(LEVELS), default=view.levels, required=True)
            _view_control(st.toggle, "field", "Arrows against the gradient", view.field)
            _view_control(
                st.toggle, "lookahead", "Nesterov's look-ahead points in place of its iterates", view.lookahead
            )
    if curve.open:
        with curve:
            _view_control(
                st.pills, "metrics", "Show", list(curves.METRICS), selection_mode="multi", default=list(view.metrics),
                format_func=curves.METRICS.get,
            )  # fmt: skip
            _view_control(st.toggle, "log", "Logarithmic scale", view.log)
            axes = list(curves.ALONG)
            _view_control(st.radio, "along", "Along", axes, axes.index(view.along), curves.ALONG.get)


def _view_control(widget, field, *args, **kwargs):
    """A native widget for one field of the view."""
    S = st.session_state
    key = f"view-{field}"

    def change():
        value = S[key]
        if field == "metrics":
            value = tuple(m for m in curves.METRICS if m in value) or ("loss",)
        S.view = replace(S.view, **{field: value})

    widget(*args, key=key, on_change=change, **kwargs)


def _results(scene):
    problem, tolerance, known = scene.problem, scene.tolerance, cache.minima(scene.problem)
    summaries = [summary(cache.run(problem, racer), known, tolerance) for racer in scene.racers]
    rows = list(zip(scene.names, pictures.looks(scene), summaries, strict=True))
    if not rows:
        st.info("No optimizer is in the race. Add one beside the picture.")
        return
    st.html(table.html(rows, tolerance))
    note, download = st.columns([4, 1], vertical_alignment="center")
    with note:
        where = "; ".join(f"({number(x)}, {number(y)})" for x, y in known[:6]) + (" …" if len(known) > 6 else "")
        found = "found on the grid" if problem.function == "formula" else "known"
        minima = (
            f"Minima {found}: {where}."
            if len(known)
            else "No minimum is known, so nothing can come within a tolerance of it."
        )
        st.caption(f"{minima} Every optimizer takes {problem.steps} steps.")
    with download:
        st.download_button(
            "CSV", lambda: table.as_csv(rows, tolerance), "optviz.csv", "text/csv", key="csv", icon="⬇️", on_click="ignore",
            width="stretch",
        )  # fmt: skip


def _theory(scene):
    found = cache.curvatures(scene.problem)
    if not found:
        st.markdown("No minimum with a curvature of its own is known here, so no rate can be derived beforehand.")
        return
    momenta = {
        key: next((r.optimizer.build(OPTIMIZERS).momentum for r in scene.racers if r.optimizer.key == key), 0.9)
        for key in ("momentum", "nesterov")
    }
    for c in found[:4]:
        st.markdown(
            f"At ({number(c.at[0])}, {number(c.at[1])}) the Hessian has the eigenvalues "
            f"**λmin = {number(c.low)}** and **λmax = {number(c.high)}**: condition number **{number(c.condition)}**."
        )
        rows = [("SGD", "2/λmax", OPTIMIZERS["sgd"]().stable_lr(c.high), "η = 2/(λmin+λmax)", c.best_sgd)]
        for key, limit, best in (
            ("momentum", "2(1+μ)/λmax", c.best_momentum),
            ("nesterov", "2(1+μ)/((1+2μ)λmax)", c.best_nesterov),
        ):
            opt = OPTIMIZERS[key](momentum=momenta[key])
            rows.append((f"{opt.label}, μ = {number(opt.momentum)}", limit, opt.stable_lr(c.high), "η, μ", best))
        lines = ["| | largest stable rate | best fixed setting | error × per step with it |", "|---|---|---|---|"]
        for name, formula, limit, setting, (*best, factor) in rows:
            values = ", ".join(number(v) for v in best)
            lines.append(f"| {name} | {formula} = **{number(limit)}** | {setting} = {values} | {number(factor)} |")
        st.markdown("\n".join(lines))
    if len(found) > 4:
        st.caption(f"and {len(found) - 4} more minima")
    st.caption(
        "On a quadratic all of this is exact; elsewhere it holds near the minimum. A rate beyond the limit of every "
        "minimum is marked at its knob. Polyak (1964); Lessard, Recht & Packard (2016); Goh (2017), Why momentum really works."
    )


def _equations(scene):
    columns = st.columns(2)
    for i, (name, racer) in enumerate(zip(scene.names, scene.racers, strict=True)):
        with columns[i % 2]:
            opt = racer.optimizer.build(OPTIMIZERS)
            parts = [f"**{name}**: {sentence(type(opt))}", *_displayed(opt)]
            if switches := equations.switches(opt):
                parts.append(switches)
            if text := equations.remarks(type(opt)):
                parts.append(text)
            for part in racer.wrappers:
                wrapper = part.build(WRAPPERS, opt)
                parts += [f"_{type(wrapper).label}_: {sentence(type(wrapper))}", *_displayed(wrapper)]
            for knob, part in racer.schedules.items():
                parts += [f"_{knob}_ is multiplied at step t by", *_displayed(part.build(SCHEDULES))]
            parts.append(f"_{type(opt).cite}_")
            st.markdown("\n\n".join(parts))


def _displayed(thing):
    return [f"$$ {e} $$" for e in equations.filled(thing)]


def _code(scene):
    for key in dict.fromkeys(r.optimizer.key for r in scene.racers):
        st.code(equations.source(OPTIMIZERS[key]), language="python")
    for key in dict.fromkeys(w.key for r in scene.racers for w in r.wrappers):
        st.code(equations.source(WRAPPERS[key]), language="python")
