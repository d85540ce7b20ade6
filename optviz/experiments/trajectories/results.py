"""What stands under the pictures: the table, and what theory, equations and code say of the scene."""

import streamlit as st

from optviz.experiments.trajectories import figures as pictures
from optviz.experiments.trajectories import table
from optviz.experiments.trajectories.spec import Scene, summary
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.hyperparameter import sentence
from optviz.optim.schedules import SCHEDULES
from optviz.plot import THEMES, equations
from optviz.plot.style import number
from optviz.ui import cache
from optviz.ui.components import theme_name, timetable


def results(scene: Scene, sealed: bool = False) -> None:
    """The table at the step of the player; while `sealed` nothing that tells how it ends."""
    objective, tolerance, known = scene.objective, scene.tolerance, cache.minima(scene.objective)
    if not scene.optimizers:
        st.info("No optimizer is in the race. Add one beside the picture.")
        return
    runs = [cache.run(objective, config) for config in scene.optimizers]
    summaries = [summary(run, known, tolerance) for run in runs]
    rows = list(
        zip(scene.names, pictures.looks(scene, THEMES[theme_name()]), summaries, strict=True)
    )
    timetable(
        table.html(rows, tolerance),
        [table.columns(r, s) for r, s in zip(runs, summaries, strict=True)],
    )
    where = "; ".join(f"({number(x)}, {number(y)})" for x, y in known[:6]) + (
        " …" if len(known) > 6 else ""
    )
    found = "found on the grid" if objective.function == "formula" else "known"
    minima = (
        f"Minima {found}: {where}."
        if len(known)
        else "No minimum is known, so nothing can come within a tolerance of it."
    )
    notes = [
        minima,
        f"Every optimizer takes {objective.steps} steps.",
        *_branches(scene),
        *([] if sealed else _fans(scene, known)),
    ]
    st.caption("  \n".join([" ".join(notes[:2]), *notes[2:]]))


def _branches(scene):
    """What each branch brought along, and what it had to begin with afresh."""
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        if config.fork:
            warm_started = cache.run(scene.objective, config).warm_started
            kept = (
                "with the state of the path that it left"
                if warm_started[-1]
                else "afresh: the state of another method means nothing to it"
            )
            if len(warm_started) > 1 or config.fork.step == 0:
                yield f"**{name}** branches off {config.fork.parent.name} at step {config.fork.step}, {kept}."
            else:
                yield f"**{name}** would branch off at step {config.fork.step}, after the last one."


def _fans(scene, known):
    """Of an optimizer's further starts, how many arrived."""
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        paths = cache.multistart(scene.objective, config)
        if paths is not None and len(known):
            ends = table.arrivals(paths, known, scene.tolerance)
            there = "; ".join(
                f"{n} at ({number(x)}, {number(y)})"
                for (x, y), n in zip(known, ends, strict=True)
                if n
            )
            yield f"**{name}** from {paths.points.shape[1]} more starts: {there or 'none at a minimum'}."


def sections(scene: Scene) -> None:
    """What is said of the scene beside the table, one tab each; only the open one is made."""
    tabs = {
        "What the theory says": _theory,
        "Equations with these values": _equations,
        "The code that ran": _code,
    }
    for tab, section in zip(
        st.tabs(list(tabs), key="more", on_change="rerun"), tabs.values(), strict=True
    ):
        if tab.open:
            with tab:
                section(scene)


def _theory(scene):
    found = cache.curvatures(scene.objective)
    if not found:
        st.markdown(
            "No minimum with a curvature of its own is known here, so no rate can be derived beforehand."
        )
        return
    momenta = {
        key: next(
            (r.method.build(OPTIMIZERS).momentum for r in scene.optimizers if r.method.key == key),
            0.9,
        )
        for key in ("momentum", "nesterov")
    }
    for c in found[:4]:
        st.markdown(
            f"At ({number(c.at[0])}, {number(c.at[1])}) the Hessian has the eigenvalues "
            f"**λmin = {number(c.low)}** and **λmax = {number(c.high)}**: condition number **{number(c.condition)}**."
        )
        rows = [
            (
                "SGD",
                "2/λmax",
                OPTIMIZERS["sgd"]().stable_lr(c.high),
                "η = 2/(λmin+λmax)",
                c.best_sgd,
            )
        ]
        for key, limit, best in (
            ("momentum", "2(1+μ)/λmax", c.best_momentum),
            ("nesterov", "2(1+μ)/((1+2μ)λmax)", c.best_nesterov),
        ):
            opt = OPTIMIZERS[key](momentum=momenta[key])
            rows.append(
                (
                    f"{opt.label}, μ = {number(opt.momentum)}",
                    limit,
                    opt.stable_lr(c.high),
                    "η, μ",
                    best,
                )
            )
        lines = [
            "| | largest stable rate | best fixed setting | error × per step with it |",
            "|---|---|---|---|",
        ]
        for name, formula, limit, setting, (*best, factor) in rows:
            values = ", ".join(number(v) for v in best)
            lines.append(
                f"| {name} | {formula} = **{number(limit)}** | {setting} = {values} | {number(factor)} |"
            )
        st.markdown("\n".join(lines))
    if len(found) > 4:
        st.caption(f"and {len(found) - 4} more minima")
    st.caption(
        "On a quadratic all of this is exact; elsewhere it holds near the minimum. A rate beyond the limit of every "
        "minimum is marked at its hyperparameter. Polyak (1964); Lessard, Recht & Packard (2016); Goh (2017), Why momentum really works."
    )


def _equations(scene):
    columns = st.columns(2)
    for i, (name, config) in enumerate(zip(scene.names, scene.optimizers, strict=True)):
        with columns[i % 2]:
            opt = config.method.build(OPTIMIZERS)
            parts = [f"**{name}**: {sentence(type(opt))}", *_displayed(opt)]
            if switches := equations.switches(opt):
                parts.append(switches)
            if text := equations.remarks(type(opt)):
                parts.append(text)
            for part in config.wrappers:
                wrapper = part.build(WRAPPERS, opt)
                parts += [
                    f"_{type(wrapper).label}_: {sentence(type(wrapper))}",
                    *_displayed(wrapper),
                ]
            for hyperparameter, part in config.schedules.items():
                parts += [
                    f"_{hyperparameter}_ is multiplied at step t by",
                    *_displayed(part.build(SCHEDULES)),
                ]
            parts.append(f"_{type(opt).cite}_")
            st.markdown("\n\n".join(parts))


def _displayed(thing):
    return [f"$$ {e} $$" for e in equations.filled(thing)]


def _code(scene):
    for key in dict.fromkeys(r.method.key for r in scene.optimizers):
        st.code(equations.source(OPTIMIZERS[key]), language="python")
    for key in dict.fromkeys(w.key for r in scene.optimizers for w in r.wrappers):
        st.code(equations.source(WRAPPERS[key]), language="python")
