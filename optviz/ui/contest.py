"""The optimizers-on-digits page: several optimizers train the same network from the same start."""

import csv
import io
from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st

from optviz.core.datasets import DATASETS, SHAPES
from optviz.core.experiments.contest import MOST_RACERS
from optviz.core.experiments.trajectories import Problem, Racer, Scene
from optviz.core.knobs import Knob, knobs, sentence
from optviz.core.networks import ACTIVATIONS, INITIALISERS, Network
from optviz.core.optimizers import OPTIMIZERS
from optviz.core.schedules import SCHEDULES
from optviz.core.spec import Part
from optviz.core.training import MOST_BATCH, confusion, unsuited
from optviz.ui import lessons, sharing
from optviz.ui.components import knob_panel, plot
from optviz.ui.laboratory import data_of, laboratory
from optviz.ui.pictures import theme_name
from optviz.views import digits as digit_views
from optviz.views import training as views
from optviz.views.style import THEMES, style

SHARED = (
    Knob("hidden", 4, 0, 8, "L", help="hidden layers"),
    Knob("units", 100, 2, 300, "n", help="units in each of them"),
    Knob("batch", 128, 1, MOST_BATCH, "B", log=True, help="rows in a mini-batch"),
    Knob("iterations", 300, 10, 5000, "T", log=True, help="updates of every optimizer"),
    Knob("rows", 1500, 50, 1700, help="rows for training; the rest is for testing"),
    Knob("seeds", 1, 1, 5, help="trainings of each, from other starts, shown as median and band"),
)


def page() -> None:
    """Controls into a contest, the contest into trainings, the trainings into curves that grow."""
    sharing.opened("contest")
    S = st.session_state
    head, stage = st.container(), st.container(key="stage")
    with stage:
        shown, panel, under = st.columns(3)
    with panel:
        _controls(S.contest)
    contest = S.contest
    with head:
        sharing.complaint()
        sharing.page_head("Which optimizer trains a network best?")
    names = Scene(Problem(), contest.racers).names
    with shown:
        lessons.card()
        laboratory("contest", contest.trainings, lambda progresses: _draw(contest, names, progresses))
    with under:
        st.caption(_told(contest))


def _told(contest):
    data = DATASETS[contest.dataset.key]
    return (
        "Every optimizer has the same start and meets the same mini-batches. The loss is that of each mini-batch before its "
        f"update; smoothed by a Kaiser window of 11, β 2, as in the book. Data: {data.attribution}"
    )


def _update(**parts):
    S = st.session_state
    S.contest = replace(S.contest, **parts)


def _controls(contest):
    S = st.session_state
    network = contest.network
    keys = [k for k, d in DATASETS.items() if d.at_hand()]
    if contest.dataset.key not in keys:
        keys.append(contest.dataset.key)
    chosen = f"dataset-{S.generation}"
    st.selectbox(
        "Data", keys, keys.index(contest.dataset.key), lambda k: DATASETS[k].name, key=chosen,
        on_change=lambda: _choose_data(S[chosen]),
    )  # fmt: skip
    if contest.dataset.key in SHAPES:
        cls = SHAPES[contest.dataset.key]
        key = f"data-knobs-{contest.dataset.key}-{S.generation}"
        knob_panel(key, "Data", knobs(cls), contest.dataset.knobs, _turn_data)
    for label, field, registry in (
        ("Activation", "activation", ACTIVATIONS),
        ("Initial weights", "initialiser", INITIALISERS),
    ):
        part = getattr(network, field)
        key = f"{field}-{S.generation}"
        st.selectbox(
            label, list(registry), list(registry).index(part.key), lambda k, r=registry: r[k].label, key=key,
            on_change=lambda field=field, key=key: _update(network=replace(S.contest.network, **{field: Part(S[key])})),
        )  # fmt: skip
        if declared := knobs(registry[part.key]):
            knob_panel(
                f"{key}-{part.key}", label, declared, part.knobs,
                lambda new, field=field: _update(network=replace(S.contest.network, **{field: turned(getattr(S.contest.network, field), new)})),
            )  # fmt: skip
    knob_panel(f"shared-{S.generation}", "Network and training", SHARED, shared_values(contest), _turn_shared)
    for i, (racer, name) in enumerate(zip(contest.racers, Scene(Problem(), contest.racers).names, strict=True)):
        _racer(i, racer, name, len(contest.racers))
    st.button(
        "Add an optimizer",
        key="add",
        icon=":material/add:",
        width="stretch",
        on_click=_add,
        disabled=len(contest.racers) >= MOST_RACERS,
    )


def turned(part, new):
    return Part(part.key, part.knobs | new)


def shared_values(contest):
    sizes = contest.network.sizes
    return {
        "hidden": len(sizes) - 2, "units": sizes[1] if len(sizes) > 2 else 100, "batch": contest.batch,
        "iterations": contest.iterations, "rows": contest.split.rows, "seeds": len(contest.seeds),
    }  # fmt: skip


def _turn_shared(new):
    contest = st.session_state.contest
    v = shared_values(contest) | new
    inputs, classes = contest.network.sizes[0], contest.network.sizes[-1]
    _update(
        network=replace(contest.network, sizes=(inputs, *[v["units"]] * v["hidden"], classes)), batch=v["batch"],
        iterations=v["iterations"], split=replace(contest.split, rows=v["rows"]), seeds=tuple(range(v["seeds"])),
    )  # fmt: skip


def _choose_data(key):
    contest = st.session_state.contest
    dataset = Part(key)
    rows = min(contest.split.rows, rows_of(dataset) - 50)
    _update(dataset=dataset, network=fitting(contest.network, dataset), split=replace(contest.split, rows=rows))


def _turn_data(new):
    contest = st.session_state.contest
    dataset = turned(contest.dataset, new)
    rows = max(1, min(contest.split.rows, rows_of(dataset) - 1))
    _update(dataset=dataset, network=fitting(contest.network, dataset), split=replace(contest.split, rows=rows))


def rows_of(dataset):
    return dataset.build(SHAPES).points if dataset.key in SHAPES else DATASETS[dataset.key].rows


def fitting(network: Network, dataset: Part) -> Network:
    """The network with the inputs and outputs that the data have."""
    data = DATASETS[dataset.key]
    classes = len(data.labels) or dataset.build(SHAPES).classes
    return replace(network, sizes=(data.features, *network.sizes[1:-1], classes))


def _racer(i, racer, name, of):
    S = st.session_state
    look = style(i, THEMES[theme_name()])
    keys = [k for k in OPTIMIZERS if not unsuited(k, S.contest.network)]
    key = f"optimizer-{i}-{of}-{S.generation}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"head-{i}"):
        st.markdown(f"**{name}**", width="stretch")
        box = st.popover("Change", key=f"settings-{i}", on_change="rerun")
    if box.open:
        with box:
            st.selectbox(
                "Optimizer", keys, keys.index(racer.optimizer.key), lambda k: OPTIMIZERS[k].label, key=key,
                on_change=lambda: _set_racer(i, Racer(usual(S[key]))),
            )  # fmt: skip
            st.caption(sentence(OPTIMIZERS[racer.optimizer.key]))
            schedules = list(SCHEDULES)
            part = racer.schedules.get("lr", Part("constant"))
            which = f"schedule-{i}-{of}-{S.generation}"
            st.selectbox(
                "Schedule of the rate", schedules, schedules.index(part.key), lambda k: k.replace("_", " "), key=which,
                on_change=lambda: _set_racer(i, replace(racer, schedules={} if S[which] == "constant" else {"lr": Part(S[which])})),
            )  # fmt: skip
            if part.key != "constant":
                knob_panel(
                    f"{which}-{part.key}", "Schedule", knobs(SCHEDULES[part.key]), part.knobs,
                    lambda new: _set_racer(i, replace(racer, schedules={"lr": turned(part, new)})),
                )  # fmt: skip
            missing = [OPTIMIZERS[k].label for k in OPTIMIZERS if k not in keys]
            st.caption(f"Not offered: {' and '.join(missing)}. {unsuited('newton', S.contest.network)}")
            st.button(
                f"Remove {name}",
                key=f"remove-{i}",
                icon=":material/close:",
                on_click=_remove,
                args=(i,),
                width="stretch",
            )
    knob_panel(
        f"knobs-{i}-{of}-{racer.optimizer.key}-{S.generation}", name, knobs(OPTIMIZERS[racer.optimizer.key]), racer.optimizer.knobs,
        lambda new: _set_racer(i, replace(S.contest.racers[i], optimizer=turned(S.contest.racers[i].optimizer, new))), look=look,
    )  # fmt: skip


# Rates that suit a network; the declared ones suit two-dimensional functions.
RATES = {"sgd": 0.05, "momentum": 0.01, "nesterov": 0.01, "adagrad": 0.01, "adadelta": 1.0, "lion": 1e-3, "lbfgs": 0.1}


def usual(key):
    return Part(key, {"lr": RATES.get(key, 1e-3)})


def _set_racer(i, racer):
    racers = list(st.session_state.contest.racers)
    racers[i] = racer
    _update(racers=tuple(racers))


def _add():
    S = st.session_state
    used = {r.optimizer.key for r in S.contest.racers}
    key = next((k for k in OPTIMIZERS if k not in used and not unsuited(k, S.contest.network)), "sgd")
    _update(racers=(*S.contest.racers, Racer(usual(key))))


def _remove(i):
    racers = st.session_state.contest.racers
    _update(racers=racers[:i] + racers[i + 1 :])


def _draw(contest, names, progresses):
    theme = THEMES[theme_name()]
    lines = [
        (f"c{i}", name, now, 0, style(i, theme)) for i, (name, now) in enumerate(zip(names, progresses, strict=True))
    ]
    with st.container(horizontal=True, key="contest-view"):
        smooth = st.toggle("Smoothed", True, key="contest-smooth")
        log = st.toggle("Logarithmic", False, key="contest-log")
        along = st.segmented_control("Along", list(views.ALONG), default="iterations", key="contest-along", required=True,
                                     label_visibility="collapsed")  # fmt: skip
    left, right = st.columns(2, gap="small")
    with left:
        plot(
            "contest-loss", views.losses(lines, contest.iterations, smooth, log, along), "Loss while training. The table says the same.",
            view=f"{log} {along}", theme=theme_name(), link=sharing.query(),
        )  # fmt: skip
    with right:
        plot(
            "contest-accuracy", views.accuracies(lines, contest.iterations, along), "Accuracy while training. The table says the same.",
            view=along, theme=theme_name(),
        )  # fmt: skip
    rows = [views.standing(name, now, 0) for name, now in zip(names, progresses, strict=True)]
    st.html(standings(rows, [look for *_, look in lines]))
    _what_it_learned(contest, names, progresses)
    if any(now.iteration for now in progresses):
        st.download_button("Curves as CSV", lambda: curves_csv(names, progresses), "optviz-training.csv", "text/csv", key="contest-csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def standings(rows, looks):
    head = "".join(f'<th scope="col">{h}</th>' for h in views.STANDING)
    body = "".join(
        f'<tr><th scope="row" style="border-left: 0.35rem solid {look.color}">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(c)}</td>" for c in row[1:]) + "</tr>"
        for row, look in zip(rows, looks, strict=True)
    )  # fmt: skip
    return (
        '<div class="ov-table" tabindex="0" role="region" aria-label="How every optimizer stands">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _what_it_learned(contest, names, progresses):
    """For digits the confusion matrix and the misread ones, for points in a plane the decision boundary."""
    which = st.segmented_control("Look at what was learned by", list(range(len(names))), default=0, format_func=lambda i: names[i] if i < len(names) else "",
                                 key=f"learned-{len(names)}", required=True)  # fmt: skip
    now, network = progresses[which], contest.network
    data = data_of(now.training)
    params = now.params[0, 0]
    if not np.isfinite(params).all():
        st.markdown(f"{names[which]} has diverged: it has learned nothing.")
        return
    theme, labels = THEMES[theme_name()], DATASETS[contest.dataset.key].labels
    if contest.dataset.key in SHAPES:
        plot("boundary", digit_views.boundary(network, params, data, theme), f"What {names[which]} answers where, and the points.",
             view="boundary", theme=theme_name())  # fmt: skip
        return
    said = network.predict(params, data.x_test[: digit_views.MOST])
    truth = data.t_test[: len(said)]
    left, right = st.columns([5, 6], gap="small")
    with left:
        plot("confusion", digit_views.confusion(confusion(truth, said, len(labels)), labels, theme),
             f"How often {names[which]} took which digit for which.", view="confusion", theme=theme_name())  # fmt: skip
    with right:
        wrong = np.flatnonzero(said != truth)
        st.markdown(
            f"**{names[which]} misreads {len(wrong)} of {len(said)}**" + (", the first of them:" if len(wrong) else ".")
        )
        if len(wrong):
            st.html(digit_views.pictures(data.x_test[wrong[:24]], truth[wrong[:24]], said[wrong[:24]], labels))


def curves_csv(names, progresses) -> str:
    """Every mini-batch's loss in full precision, and the accuracies where they were measured."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["optimizer", "seed", "iteration", "seconds", "loss", "training_accuracy", "test_accuracy"])
    for name, now in zip(names, progresses, strict=True):
        at = {int(t): now.accuracy[k, :, 0] for k, t in enumerate(now.assessed)}
        for s, seed in enumerate(now.training.seeds):
            for t in range(now.iteration + 1):
                found = [repr(float(a)) for a in at[t][:, s]] if t in at else ["", ""]
                before = ["", ""] if t == 0 else [repr(float(now.seconds[t - 1])), repr(float(now.loss[t - 1, 0, s]))]
                write([name, seed, t, *before, *found])
    return out.getvalue()
