"""The learning-rate schedules page: the loss with the rate under it, and a test that finds a range of rates."""

import csv
import io
from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.lr_schedules import figures as views
from optviz.experiments.lr_schedules import lr_range_test as range_test
from optviz.experiments.lr_schedules import spec as core
from optviz.nn import Network
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.config import names as names_of
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters, sentence
from optviz.optim.schedules import SCHEDULES
from optviz.plot import equations
from optviz.plot.style import THEMES, number, style
from optviz.plot.old_training import table as html_table
from optviz.shell import sharing
from optviz.spec import Choice, canonical_json, to_dict
from optviz.training import unsuited
from optviz.ui import old_training_charts as bench
from optviz.ui.components import plot, table, theme_name
from optviz.ui.old_form import SHARED, TrainingControls, turned
from optviz.ui.old_job_runner import laboratory, run
from optviz.ui.old_layout import framed
from optviz.ui.old_optimizer_list import trainees
from optviz.ui.session import session

PAGE, RANGE = "lr_schedules", "lr-schedules-range"  # also the names of the two laboratories
TABS = {"schedules": "Schedules", "range": "Range test"}
PRESETS = {
    "Step decay": (
        core.ScheduleComparison(),
        "One rate, kept, and the same rate cut to a tenth half-way.",
    ),
    "All kinds": (core.KINDS, "Seven ways from the same rate on the same network."),
    "Four rates": (core.FOUR_RATES, "Too low, good, high, very high, each of them kept."),
}
NUMBERS = tuple(
    replace(k, default=v) for k, v in zip(SHARED, (2, 50, 8, 900, 1500, 1), strict=True)
)
RANGE_NUMBERS = tuple(k for k in NUMBERS if k.name != "iterations")
TEST = (
    Hyperparameter(
        "low", 1e-4, core.MIN_RATE, core.MAX_RATE / 10, log=True, help="rate of the first step"
    ),
    Hyperparameter(
        "high", 10.0, core.MIN_HIGH, core.MAX_RATE, log=True, help="rate of the last step"
    ),
    Hyperparameter(
        "steps",
        400,
        core.MIN_STEPS,
        core.MAX_STEPS,
        "T",
        log=True,
        help="steps from one to the other",
    ),
)


def page() -> None:
    """Controls into a scene; its schedules as rates over time, or its range test; trainings that follow them."""
    with framed(PAGE) as (shown, panel, under):
        with shown:
            _choice()
        view = session().specs["lr_schedules"].view
        with panel:
            {"schedules": _schedule_controls, "range": _range_controls}[view]()
        scene = session().specs["lr_schedules"]
        with shown:
            if view == "range":
                laboratory(
                    RANGE, [scene.tested], lambda progresses: _draw_range(scene, *progresses)
                )
            else:
                laboratory(PAGE, scene.trainings, lambda progresses: _draw(scene, progresses))
        with under:
            {"schedules": _explained, "range": _range_explained}[view](scene)


def _update(**parts):
    session().specs["lr_schedules"] = replace(session().specs["lr_schedules"], **parts)


def _begin_from(scene):
    session().specs["lr_schedules"], session().epoch = scene, session().next_id()


def _choice():
    S = st.session_state
    key = f"lr-schedules-tab-{session().epoch}"
    st.segmented_control("Look at", list(TABS), default=session().specs["lr_schedules"].view, format_func=TABS.get, key=key, required=True,
                         label_visibility="collapsed", on_change=lambda: _update(view=S[key]))  # fmt: skip


# Schedules.


def _schedule_controls():
    with st.container(horizontal=True, key="lr-schedules-presets", gap="small"):
        for label, (scene, told) in PRESETS.items():
            st.button(label, key=f"preset-{label}", help=told, on_click=_begin_from, args=(scene,))
    trainees(
        lambda: session().specs["lr_schedules"].optimizers,
        session().specs["lr_schedules"].network,
        core.MAX_OPTIMIZERS,
        _put_optimizers,
        _another,
        scheduled=True,
    )
    _network_controls(NUMBERS)


def _network_controls(numbers):
    controls = TrainingControls(PAGE, lambda: session().specs["lr_schedules"], _update)
    controls.numbers(numbers)
    controls.data()
    controls.activation()
    controls.initializer()


def _put_optimizers(configs):
    """A schedule that was just chosen gets hyperparameters with which it has its effect within the training."""
    iterations = session().specs["lr_schedules"].iterations
    _update(optimizers=tuple(
        replace(r, schedules={n: part if part.values else core.fitted(part.key, iterations) for n, part in r.schedules.items()})
        for r in configs
    ))  # fmt: skip


def _another(configs, network: Network) -> OptimizerConfig:
    """The last one's optimizer with a schedule that is not there yet."""
    optimizer = configs[-1].method if configs else Choice("sgd", {"lr": 0.3})
    there = {r.schedules["lr"].key if "lr" in r.schedules else "constant" for r in configs}
    key = next((k for k in SCHEDULES if k not in there), "cosine")
    return OptimizerConfig(optimizer, (), {} if key == "constant" else {"lr": Choice(key)})


@st.cache_resource(max_entries=256, show_spinner=False)
def _rates(key, _config, iterations):
    return core.rates(_config, iterations)


def rates_of(config: OptimizerConfig, iterations: int):
    """The optimizer's rate at every iteration, worked out once."""
    return _rates(canonical_json(to_dict(config)), config, iterations)


def _draw(scene, progresses):
    theme, names = THEMES[theme_name()], names_of(scene.optimizers)
    lines = [
        bench.Line(f"r{i}", name, now, 0, style(i, theme))
        for i, (name, now) in enumerate(zip(names, progresses, strict=True))
    ]
    planned = [rates_of(config, scene.iterations) for config in scene.optimizers]
    apart = views.apart(planned)
    picture = st.container()  # above its switches, which are read first
    with st.container(horizontal=True, vertical_alignment="center", key="lr-schedules-view"):
        whose = st.segmented_control("Loss on", [views.ALL_ROWS, views.MINI_BATCHES], default=views.ALL_ROWS, key="lr-schedules-whose",
                                     required=True, label_visibility="collapsed")  # fmt: skip
        smooth = st.toggle(
            "Smoothed", True, key="lr-schedules-smooth", disabled=whose == views.ALL_ROWS
        )
        log = st.toggle("Logarithmic loss", True, key="lr-schedules-log")
        log_rate = st.toggle("Logarithmic rate", apart, key=f"lr-schedules-log-rate-{apart}")
    with picture:
        plot(
            "lr-schedules-loss", views.over_rates(lines, planned, whose, smooth, log, log_rate),
            "The loss while training, and under it the rate at every iteration. The table says the same.",
            view=f"{whose} {log} {log_rate} {scene.iterations}", theme=theme_name(), link=sharing.query(),
        )  # fmt: skip
    if said := views.remarks(lines):
        st.markdown(said)
    table(
        html_table("How every schedule stands", views.STANDING, [(views.standing(line, r), line.look) for line, r in zip(lines, planned, strict=True)]),
        "lr-schedules-standing",
    )  # fmt: skip
    if any(now.iteration for now in progresses):
        st.download_button("Curves as CSV", lambda: curves_csv(lines, planned), f"optviz-{PAGE}.csv", "text/csv", key="lr-schedules-csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def _explained(scene):
    parts = {r.schedules["lr"].key if "lr" in r.schedules else "constant" for r in scene.optimizers}
    with st.expander("What the rate is multiplied by at iteration t"):
        for key in (k for k in SCHEDULES if k in parts):
            st.markdown(f"**{key.replace('_', ' ')}** {sentence(SCHEDULES[key])}")
            for line in equations.equations(SCHEDULES[key]):
                st.latex(line)
    st.caption(
        "Every optimizer has the same start and meets the same mini-batches, seed by seed. Near a good place the steps of a large rate "
        "are longer than the way that is left, and what one mini-batch wants is not what the next one wants: the loss stays up, restless. "
        "A smaller rate lets the same net come down at once: the sudden drop. The loss of papers' figures is that on all training rows (here at most the first "
        f"2000), measured every {core.every(scene.iterations)} iterations; that of mini-batches is before each update. Of several seeds "
        "the median and a band from the least to the largest. First find a good rate that is kept, then look where a decay "
        "should begin: with Adam it is needed less than with SGD and momentum (CS231n, lecture 7). "
        f"Data: {DATASETS[scene.dataset.key].attribution}"
    )


def curves_csv(lines: list[bench.Line], planned) -> str:
    """Rate and mini-batch loss of every iteration in full precision, the loss on all training rows where it was measured."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["optimizer", "seed", "iteration", "rate", "loss", "loss_after_on_training_rows", "training_accuracy", "test_accuracy"])  # fmt: skip
    for line, r in zip(lines, planned, strict=True):
        now = line.progress
        at = {int(t): k for k, t in enumerate(now.evaluated)}
        for s, seed in enumerate(now.training.seeds):
            for t in range(1, now.iteration + 1):
                k = at.get(t)
                whole = ["", "", ""] if k is None else [
                    repr(float(v)) for v in (now.cross_entropy[k, 0, line.i, s], *now.accuracy[k, :, line.i, s])
                ]  # fmt: skip
                write(
                    [
                        line.name,
                        seed,
                        t,
                        repr(float(r[t - 1])),
                        repr(float(now.loss[t - 1, line.i, s])),
                        *whole,
                    ]
                )
    return out.getvalue()


# The range test.


def _range_controls():
    S = st.session_state
    test = session().specs["lr_schedules"].test
    part, key = test.optimizer, f"range-optimizer-{session().epoch}"
    keys = [k for k in OPTIMIZERS if not unsuited(k, session().specs["lr_schedules"].network)]
    st.selectbox("Optimizer", keys, keys.index(part.key), lambda k: OPTIMIZERS[k].label, key=key,
                 on_change=lambda: _put_test(optimizer=Choice(S[key])))  # fmt: skip
    st.caption(sentence(OPTIMIZERS[part.key]))
    controls = TrainingControls("range", lambda: session().specs["lr_schedules"], _update)
    controls.hyperparameters("test", "Range test", TEST, {k.name: getattr(test, k.name) for k in TEST},
                   lambda new: _update(test=within(session().specs["lr_schedules"].test, new)))  # fmt: skip
    controls.hyperparameters(
        f"own-{part.key}", "Optimizer", tuple(k for k in hyperparameters(OPTIMIZERS[part.key]) if k.name != "lr"), part.values,
        lambda new: _put_test(optimizer=turned(session().specs["lr_schedules"].test.optimizer, new)),
    )  # fmt: skip
    _network_controls(RANGE_NUMBERS)


def _put_test(**parts):
    _update(test=replace(session().specs["lr_schedules"].test, **parts))


def within(test: core.RangeTest, new: dict) -> core.RangeTest:
    """The test with other hyperparameters. The range keeps a power of ten at least: the end that is not turned gives way."""
    turned_ = replace(test, **new)
    if turned_.high >= 10 * turned_.low:
        return turned_
    return (
        replace(turned_, low=turned_.high / 10)
        if turned_.high != test.high
        else replace(turned_, high=10 * turned_.low)
    )


def _draw_range(scene, now):
    theme = THEMES[theme_name()]
    reading = core.read(rates_of(scene.test.config, scene.test.steps), now.loss[:, 0])
    plot(
        "lr-schedules-range", range_test.over_rate(reading, scene.test, theme),
        "The loss of mini-batches over the rate, which grows with every step. The table says the same.",
        view=f"{scene.test.low} {scene.test.high} {now.iteration > 0}", theme=theme_name(), link=sharing.query(),
    )  # fmt: skip
    st.markdown(range_test.told(reading, now.done))
    table(
        html_table(
            "The rates that are marked",
            range_test.READ,
            [(row, None) for row in range_test.rows(reading)],
        ),
        "range-reading",
    )
    with st.container(horizontal=True, key="range-next"):
        if now.done and np.isfinite(reading.steepest) and st.button(
            f"Train with rate {number(reading.steepest, 2)}", key="range-use", icon=":material/arrow_forward:",
            help="Adds the optimizer with this rate, kept, to the schedules.",
        ):  # fmt: skip
            _begin_from(core.with_rate(scene, reading.steepest))
            run(PAGE, True)
            st.rerun()  # the page, not the fragment in which the button stands
        if now.iteration:
            st.download_button("Curve as CSV", lambda: range_csv(reading, now), f"optviz-{RANGE}.csv", "text/csv", key="range-csv",
                               icon=":material/download:", on_click="ignore")  # fmt: skip


def _range_explained(scene):
    st.caption(
        "One training in which the rate grows by the same factor at every step (Smith 2017, Cyclical learning rates for training neural "
        "networks, section 3.3, lets it grow in a straight line and reads off both ends of the range). Below some rate nothing moves, then the loss falls, "
        "and beyond another the steps are too long. The rates are no laws: they depend on the batch, the "
        "start and on how many steps the test takes; by the time a rate is reached, those before it have done part of the work. The "
        f"curve is the median over the seeds, smoothed over a tenth of the test. Data: {DATASETS[scene.dataset.key].attribution}"
    )


def range_csv(reading: core.Reading, now) -> str:
    """Every step's rate and loss, each seed's in full precision, and the smoothed median as far as it is read."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["step", "rate", *(f"loss_seed_{seed}" for seed in now.training.seeds), "smoothed"])
    planned = rates_of(now.training.optimizer, now.training.iterations)
    for t in range(now.iteration):
        smooth = [repr(float(reading.smooth[t]))] if t < len(reading.smooth) else [""]
        write([t, repr(float(planned[t])), *(repr(float(v)) for v in now.loss[t, 0]), *smooth])
    return out.getvalue()
