"""The ensembles page: independent networks, snapshots of one run and averaged weights, on noisy and on clean labels."""

import csv
import io
from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.ensembles import figures as views
from optviz.experiments.ensembles import text as words
from optviz.experiments.ensembles.spec import (
    MAX_ITERATIONS,
    MAX_MEMBERS,
    MAX_PEAK,
    METHODS,
    Ensemble,
    Ensembles,
    averaged,
    in_cycles,
    member_probabilities,
    snapshots,
    together,
)  # fmt: skip
from optviz.optim.hyperparameter import Hyperparameter
from optviz.plot.style import THEMES
from optviz.shell import sharing
from optviz.training import MAX_EVALUATED, Progress
from optviz.ui import old_job_runner as lab
from optviz.ui.components import hyperparameter_panel, plot, theme_name
from optviz.ui.old_form import TrainingControls
from optviz.ui.old_layout import framed
from optviz.ui.session import session

PAGE = "ensembles"
TEAM = (
    Hyperparameter("members", 5, 1, MAX_MEMBERS, "M", help="independent networks, and snapshots of the one run"),
    Hyperparameter("seed", 0, 0, 99, help="of the first member's start and mini-batches; the others have those that follow"),
)
CYCLES = (
    Hyperparameter("peak", 2.0, 1.0, MAX_PEAK, "α₀/η", log=True, help="where a cycle of the rate begins, in constant rates"),
)
AVERAGE = (Hyperparameter("decay", 0.995, 0.0, 0.9999, "κ", near_one=True, help="memory of the average of the weights"),)
NUMBERS = (
    Hyperparameter("noise", 0.2, 0.0, 0.8, help="share of the labels for training that is wrong; clean ones are trained beside them"),
    Hyperparameter("rows", 300, 50, 1700, help="rows for training; the rest is for testing"),
    Hyperparameter("hidden", 2, 0, 12, "L", help="hidden layers"),
    Hyperparameter("units", 100, 2, 300, "n", help="units in each of them"),
    Hyperparameter("batch", 16, 1, 2000, "B", log=True, help="rows in a mini-batch"),
    Hyperparameter("iterations", 1000, 10, MAX_ITERATIONS, "T", log=True, help="updates of every network"),
)  # fmt: skip


def page() -> None:
    """Controls into a comparison, its trainings into members and ensembles that grow."""
    with framed(PAGE) as (shown, panel, under):
        with shown:
            _choice()
        with panel:
            _controls()
        ensembles = session().specs["ensembles"]
        with shown:
            lab.laboratory(PAGE, ensembles.trainings, lambda progresses: _draw(ensembles, progresses))
        with under:
            st.caption(_told(ensembles))


def _choice():
    S = st.session_state
    key = f"ensembles-view-{session().epoch}"
    st.segmented_control("Method", list(METHODS), default=session().specs["ensembles"].view, format_func=views.TABS.get, key=key, required=True,
                         label_visibility="collapsed", on_change=lambda: _update(view=S[key]))  # fmt: skip


def _update(**parts):
    session().specs["ensembles"] = replace(session().specs["ensembles"], **parts)


def _controls():
    declared = TEAM + {"snapshots": CYCLES, "averaging": AVERAGE}.get(session().specs["ensembles"].view, ())
    hyperparameter_panel(f"ensembles-team-{session().specs['ensembles'].view}-{session().epoch}", "Ensemble", declared,
               {k.name: getattr(session().specs["ensembles"], k.name) for k in declared}, lambda new: _update(**new))  # fmt: skip
    controls = TrainingControls(PAGE, lambda: session().specs["ensembles"], _update)
    controls.data()
    controls.numbers(NUMBERS)
    controls.optimizer(schedule=False)
    controls.activation()
    controls.initializer()


def _told(ensembles):
    method = {
        "independent": "Independent networks differ in their start and their mini-batches and train at the constant rate. The ensemble "
        "answers with the class that has the largest mean of their probabilities. It costs as many trainings as it has members.",
        "snapshots": f"One run. Its rate falls along a cosine from α₀ = {ensembles.top:g} to zero within {ensembles.cycle} iterations, "
        f"then leaps back: α₀/2 · (cos(π · ((t−1) mod ⌈T/M⌉)/⌈T/M⌉) + 1). At the end of every cycle the network is kept. “Gain” is over "
        "the run's last point. With a peak of two constant rates the mean rate is the constant one.",
        "averaging": f"The exponential average of the weights, x̄ ← {ensembles.decay:g} · x̄ + {1 - ensembles.decay:g} · x after every update, "
        "beginning at the start. The optimizer goes its way as without it, so “last point” and “averaged weights” are the same run with the "
        "same mini-batches. The loss is the mini-batch's at x and at x̄. It costs one training; "
        "the seeds are repetitions.",
    }[ensembles.view]  # fmt: skip
    return (
        f"{method} Accuracies are on test rows, {MAX_EVALUATED:,} at most, with right labels. ± is the standard deviation over the seeds. "
        f"Data: {DATASETS[ensembles.dataset.key].attribution}"
    )


# What the members say: the same for whoever trains the same, so it is worked out once.


@st.cache_resource(max_entries=256, show_spinner=False)
def _opinions(key, _network, _params, _x):
    return member_probabilities(_network, _params, _x)


def _council(now: Progress, params, t) -> Ensemble:
    data = lab.data_of(now.training)
    key = f"{lab.key_of(now.training)} {t} {len(params)}"
    return Ensemble.of(_opinions(key, now.training.network, params, data.x_test), data.t_test)


def _councils(ensembles, now: Progress) -> dict[int, Ensemble]:
    """Of the snapshots so far, at the end of each cycle that is over."""
    kept = snapshots(now, ensembles.ends)
    said = {t: _council(now, params[None], t) for t, params in kept.items()}
    found = {}
    for t in kept:
        members = [said[u].said for u in kept if u <= t]
        found[t] = Ensemble(np.concatenate(members), said[t].t)
    return found


# Pictures.


def _draw(ensembles: Ensembles, progresses):
    theme = THEMES[theme_name()]
    found = {
        (noise, method): now
        for (noise, method), now in zip(((n, m) for n in ensembles.noises for m in METHODS), progresses, strict=True)
    }
    pictures = [_curves(ensembles, found, noise) for noise in ensembles.noises]
    spans = views.ranges(pictures, ensembles.iterations)
    columns = st.columns(len(ensembles.noises), gap="small")
    for i, (column, noise, curves) in enumerate(zip(columns, ensembles.noises, pictures, strict=True)):
        figure = views.over_training(curves, spans[i], ensembles.iterations, theme)
        if ensembles.view == "snapshots":
            figure = views.with_cycles(figure, ensembles, theme)
        with column:
            _heading(noise)
            plot(f"ensembles-{i}", figure, f"Accuracy of members and ensemble, {views.labels_of(noise)}. The table below says the same.",
                 view=f"{ensembles.view} {ensembles.iterations}", theme=theme_name(), **({} if i else {"link": sharing.query()}))  # fmt: skip
    rows = [_row(ensembles, found, noise, method) for method in METHODS for noise in ensembles.noises]
    if progresses[0].iteration:
        st.markdown(words.remark([row for row in rows if row.method == ensembles.view], pictures))
    st.html(words.standings(rows, theme))
    if ensembles.view == "averaging":
        _losses(ensembles, found, theme)
    else:
        _members(ensembles, found, theme)
    if progresses[0].iteration:
        st.download_button("Curves as CSV", lambda: curves_csv(ensembles, found), "optviz-ensembles.csv", "text/csv", key="ensembles-csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def _heading(noise, before=""):
    told = f"{before}{views.labels_of(noise)}"
    st.markdown(f"**{told[:1].upper()}{told[1:]}**")


def _curves(ensembles, found, noise):
    now = found[noise, ensembles.view]
    if ensembles.view == "snapshots":
        return views.snapshots(now, _councils(ensembles, now))
    if ensembles.view == "averaging":
        return views.averaging(found[noise, "independent"], now)
    return views.independent(now)


def _row(ensembles, found, noise, method):
    now = found[noise, method]
    if method == "snapshots":
        councils = _councils(ensembles, now)
        outcome = in_cycles(now, councils[max(councils)] if councils else Ensemble(np.empty((0, 0, 0)), np.empty(0)))
    elif method == "averaging":
        outcome = averaged(found[noise, "independent"], now)
    else:
        outcome = together(now)
    return words.Row(method, noise, outcome, now)


def _losses(ensembles, found, theme):
    columns = st.columns(len(ensembles.noises), gap="small")
    for i, (column, noise) in enumerate(zip(columns, ensembles.noises, strict=True)):
        with column:
            _heading(noise, "the loss on ")
            plot(f"ensembles-loss-{i}", views.losses(found[noise, "independent"], found[noise, "averaging"], theme),
                 f"Loss at the last point and at the averaged weights, {views.labels_of(noise)}.", view=f"{ensembles.iterations}",
                 theme=theme_name())  # fmt: skip


def _members(ensembles, found, theme):
    """How many are enough and who disagrees with whom, when all are trained."""
    finished = [found[noise, ensembles.view] for noise in ensembles.noises]
    if not all(now.done for now in finished):
        st.caption("How many members are enough, and how they differ, is shown when they are trained.")
        return
    councils = [_all_members(ensembles, now) for now in finished]
    if not all(map(len, councils)):
        st.markdown("Of some labels no member is left: all diverged.")
        return
    names = [views.labels_of(noise) for noise in ensembles.noises]
    st.markdown(words.differences(list(zip(names, councils, strict=True)), len(finished[0].training.seeds)
                                  if ensembles.view == "independent" else len(ensembles.ends)))  # fmt: skip
    left, right = st.columns(2, gap="small")
    with left:
        plot("ensembles-enough", views.enough(list(zip(names, councils, strict=True)), theme),
             "Accuracy over the number of members. The table below says the same.", view=ensembles.view, theme=theme_name())  # fmt: skip
    with right:
        plot("ensembles-between", views.between(councils[0], names[0], theme), f"Which share of test rows two members answer differently, {names[0]}.",
             view=ensembles.view, theme=theme_name())  # fmt: skip
    st.html(words.enough_table(list(zip(names, councils, strict=True))))


def _all_members(ensembles, now):
    if ensembles.view == "snapshots":
        councils = _councils(ensembles, now)
        return councils[max(councils)]
    return _council(now, now.params[0], now.iteration)


def curves_csv(ensembles: Ensembles, found) -> str:
    """Every accuracy that was measured, of members, of independent ones together, and of snapshots so far."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["wrong_labels", "method", "who", "iteration", "training_accuracy", "test_accuracy"])
    for (noise, method), now in found.items():
        for k, t in enumerate(now.evaluated):
            for s, seed in enumerate(now.training.seeds):
                write([noise, method, f"seed {seed}", int(t), *(repr(float(a)) for a in now.accuracy[k, :, 0, s])])
            if method == "independent":
                write([noise, method, "ensemble", int(t), *(repr(float(a)) for a in now.ensemble_accuracy[k, :, 0])])
        if method == "snapshots":
            for t, council in _councils(ensembles, now).items():
                write([noise, method, f"{len(council)} snapshots together", int(t), "", repr(council.accuracy)])
    return out.getvalue()
