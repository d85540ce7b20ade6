"""The page: the loss with the learning rate under it, and a test that finds a range of rates."""

from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.experiments import training_charts as charts
from optviz.experiments import training_layers
from optviz.experiments.lr_schedules import figures, run, text
from optviz.experiments.lr_schedules.spec import (
    FOUR_RATES,
    KINDS,
    MAX_OPTIMIZERS,
    VIEWS,
    ScheduleComparison,
    with_fitted_schedules,
    with_rate,
)
from optviz.experiments.page import Download, Option, Page, Preset, Section, Tab, View, Widget
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig, names
from optviz.optim.hyperparameter import sentence
from optviz.optim.schedules import SCHEDULES
from optviz.plot import number
from optviz.plot.table import csv_text
from optviz.spec import Choice, canonical_json, to_dict
from optviz.training import Training
from optviz.translation import N_, _
from optviz.ui import job_runner
from optviz.ui.cache import cached
from optviz.ui.controls import Panel
from optviz.ui.form import Form, choice_panel, select
from optviz.ui.session import session
from optviz.ui.training.form import ACTIVATION, INITIALIZER, NUMBERS, Data, Numbers, OptimizerList
from optviz.ui.training.jobs import training_jobs
from optviz.ui.training.optimizer_menu import optimizer_labels

KEY = "lr_schedules"


@cached
def _rates(key, _config, iterations):
    return run.rates(_config, iterations)


def rates_of(training: Training) -> np.ndarray:
    """The learning rate at every iteration, computed once."""
    config = training.optimizer
    return _rates(canonical_json(to_dict(config)), config, training.iterations)


# Schedules.


def rates_along(lines) -> list[np.ndarray]:
    """The learning rates of every line."""
    return [rates_of(line.progress.training) for line in lines]


@charts.comparing
def losses(context):
    """The loss over the learning rate."""
    options = context.options
    return charts.overlay(
        context, lambda lines: figures.over_rates(lines, rates_along(lines), options)
    )


def outcome(context) -> list:
    """The results, in words and as a table."""
    return [text.remarks(context.lines), text.standings(context.lines, rates_along(context.lines))]


OPTIONS = (
    Option(
        "loss",
        _("Loss on"),
        figures.TRAINING_SET,
        {figures.TRAINING_SET: _("training set"), figures.MINI_BATCHES: _("mini-batches")},
    ),
    Option(
        "smooth",
        _("Smoothed"),
        True,
        disabled=lambda options: options["loss"] == figures.TRAINING_SET,
    ),
    Option("log", _("Logarithmic loss"), True),
    Option(
        "log_rate",
        _("Logarithmic rate"),
        lambda context: figures.far_apart(rates_along(context.lines)),
    ),
)


def another(spec) -> OptimizerConfig:
    """The last one's optimizer with a schedule that is not in use yet."""
    method = spec.optimizers[-1].method if spec.optimizers else Choice("sgd", {"lr": 0.3})
    used = {c.schedules["lr"].key if "lr" in c.schedules else "constant" for c in spec.optimizers}
    key = next((k for k in SCHEDULES if k not in used), "cosine")
    return OptimizerConfig(method, (), {} if key == "constant" else {"lr": Choice(key)})


def curves_csv(context) -> str:
    """Rate and mini-batch loss of every iteration, and measurements on whole sets."""
    measured = ("loss_after_on_training_set", "training_accuracy", "validation_accuracy")
    lines = [*context.lines, *context.kept_lines]
    rows = (row for line in lines for row in _rows(line))
    return csv_text(["optimizer", "seed", "iteration", "rate", "loss", *measured], rows)


def _rows(line):
    progress, i, rates = line.progress, line.i, rates_of(line.progress.training)
    index_of = {int(t): k for k, t in enumerate(progress.evaluated)}
    for s, seed in enumerate(progress.training.seeds):
        for t in range(1, progress.iteration + 1):
            measured = ["", "", ""]
            if (k := index_of.get(t)) is not None:
                measured = [progress.cross_entropy[k, 0, i, s], *progress.accuracy[k, :, i, s]]
            yield [line.name, seed, t, rates[t - 1], progress.loss[t - 1, i, s], *measured]


# The range test.


def range_form(form: Form) -> None:
    """The optimizer, the ends of the range, and the optimizer's other sliders."""
    place = form.at("test", "optimizer")
    labels, key = optimizer_labels(form.value.network), place.value.key
    select(place, _("Optimizer"), labels, lambda other: place.set(Choice(other)), key)
    st.caption(sentence(OPTIMIZERS[key]))
    keeping_decade = replace(form, write=lambda spec: form.write(_keep_a_decade(form.read(), spec)))
    Panel(_("LR range test"), ("test.low", "test.high", "test.steps")).draw(keeping_decade)
    choice_panel(place, OPTIMIZERS, _("Optimizer"), only=lambda h: h.name != "lr")


def _keep_a_decade(old, spec):
    """Keep a power of ten in the range: the end that was not moved gives way."""
    low, high = spec.test.low, spec.test.high
    if high >= 10 * low:
        return spec
    if high != old.test.high:
        return replace(spec, test=replace(spec.test, low=high / 10))
    return replace(spec, test=replace(spec.test, high=10 * low))


def reading_of(context) -> run.Reading:
    """The range test as far as it has come."""
    [state] = context.states
    guess = float(np.log(context.spec.network.sizes[-1]))
    return run.read(rates_of(state.training), state.loss[:, 0], guess)


def range_test(context) -> list:
    """The loss over the rate, a summary, and a button that trains with the steepest rate."""
    [state], reading = context.states, reading_of(context)
    return [
        figures.over_rate(reading, context.spec.test, context.theme, state.iteration > 0),
        text.reading_summary(reading, state.done),
        text.marked_rates(reading),
        Widget(lambda: _train_with(context.spec, reading.steepest)) if state.done else None,
    ]


def _train_with(spec, lr):
    lr = float(f"{lr:.1g}")  # as one would type it: a range test is no more exact than that
    message = _("Train with rate {rate}").format(rate=number(lr, 1))
    if np.isfinite(lr) and st.button(
        message,
        key="range-use",
        icon=":material/arrow_forward:",
        help=_("Adds the optimizer with this constant rate to the schedules."),
    ):
        session().show(KEY, with_rate(spec, lr))
        job_runner.run(f"{KEY}-schedules")
        st.rerun()  # the page, not the fragment in which the button stands


def range_csv(context) -> str:
    """Every step's rate and loss, each seed's in full precision, and the smoothed median."""
    [state], reading = context.states, reading_of(context)
    rates, rows = rates_of(state.training), []
    for t in range(state.iteration):
        smooth = reading.smooth[t] if t < len(reading.smooth) else ""
        rows.append([t, rates[t], *state.loss[t, 0], smooth])
    seeds = (f"loss_seed_{seed}" for seed in state.training.seeds)
    return csv_text(["step", "rate", *seeds, "smoothed"], rows)


NETWORK = (Data(), ACTIVATION, INITIALIZER)


def lines(spec, states, theme):
    """One for each schedule; a range test is a single curve, which has its own figure."""
    return charts.lines_of(names(spec.optimizers), states, theme) if spec.view != "range" else []


PAGE = Page(
    KEY,
    N_("Learning-rate schedules"),
    "trending_down",
    N_("How should the learning rate change during training?"),
    "Training lab",
    ScheduleComparison(),
    {
        "schedules": View(
            label=VIEWS["schedules"],
            form=[
                OptimizerList(MAX_OPTIMIZERS, another, scheduled=True),
                Numbers(*NUMBERS),
                *NETWORK,
            ],
            jobs=charts.jobs,
            tabs=[
                Tab(_("Loss"), [Section([losses], OPTIONS, options_below=True), outcome]),
                training_layers.TAB,
            ],
            notes=[text.equations_of, text.notes],
            downloads=[Download(_("Curves as CSV"), "curves", curves_csv)],
        ),
        "range": View(
            label=VIEWS["range"],
            form=[range_form, Numbers(*(n for n in NUMBERS if n != "iterations")), *NETWORK],
            jobs=lambda spec: training_jobs([spec.tested]),
            tabs=[Tab(_("Loss"), [range_test])],
            notes=[text.range_notes],
            downloads=[Download(_("Curve as CSV"), "range", range_csv)],
        ),
    },
    presets=[
        Preset(
            _("Step decay"),
            ScheduleComparison(),
            _("One constant rate, and the same rate cut to a tenth halfway."),
        ),
        Preset(_("All kinds"), KINDS, _("Seven schedules from the same rate on the same network.")),
        Preset(_("Four rates"), FOUR_RATES, _("Too low, good, high and very high, each constant.")),
    ],
    adjusted=with_fitted_schedules,
    lines=lines,
    thumbnail=figures.thumbnail,
)
