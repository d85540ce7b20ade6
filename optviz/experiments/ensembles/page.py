"""The page: independent networks, snapshots of one run and averaged weights."""

import numpy as np

from optviz.experiments import training_charts as charts
from optviz.experiments.ensembles import figures, run, text
from optviz.experiments.ensembles.spec import METHODS, Ensembles
from optviz.experiments.page import Caption, Download, Page, Row, Tab, View
from optviz.plot.table import csv_text
from optviz.plot.training import faint_lines
from optviz.spec import canonical_json, to_dict
from optviz.translation import N_, _
from optviz.ui.cache import cached
from optviz.ui.controls import Panel
from optviz.ui.training.form import ACTIVATION, INITIALIZER, Data, Numbers, OptimizerForm
from optviz.ui.training.jobs import data_of, training_jobs


@cached
def _probabilities(key, _network, _params, _x):
    return run.member_probabilities(_network, _params, _x)


def ensemble_of(progress, params, t, final=False) -> run.Ensemble:
    """The ensemble of networks `(members, P)` of a training at an iteration on the validation set,
    or with `final` on the test set, computed once.
    """
    training = progress.training
    data = data_of(training, final)
    key = canonical_json([to_dict(training), int(t), len(params), final])
    probabilities = _probabilities(key, training.network, params, data.x_test)
    return run.Ensemble.from_probabilities(probabilities, data.t_test)


def snapshot_ensembles(ensembles, progress, final=False) -> dict[int, run.Ensemble]:
    """The ensemble of the snapshots so far at the end of each completed cycle."""
    snapshots = run.snapshots(progress, ensembles.ends)
    single = {t: ensemble_of(progress, params[None], t, final) for t, params in snapshots.items()}
    return {
        t: run.Ensemble(
            np.concatenate([single[s].probabilities for s in snapshots if s <= t]), single[t].t
        )
        for t in snapshots
    }


def by_method(context) -> dict:
    """The states by (share of wrong labels, method)."""
    keys = [(noise, method) for noise in context.spec.noises for method in METHODS]
    return dict(zip(keys, context.states, strict=True))


def standing_of(ensembles, states, noise, method) -> text.Standing:
    """How a method stands on labels of which the share `noise` is wrong."""
    state = states[noise, method]
    if method == "snapshots":
        so_far = snapshot_ensembles(ensembles, state)
        none = run.Ensemble(np.empty((0, 0, 0)), np.empty(0))
        outcome = run.snapshot_outcome(state, so_far[max(so_far)] if so_far else none)
        curves = figures.snapshots(state, so_far)
    elif method == "averaging":
        raw = states[noise, "independent"]
        outcome, curves = run.averaging_outcome(raw, state), figures.averaging(raw, state)
    else:
        outcome, curves = run.independent_outcome(state), figures.independent(state)
    return text.Standing(method, noise, outcome, state, curves)


def lines(spec, states, theme):
    """One for each kind of labels, of the method that is looked at."""
    message, method = _("{method}, {labels}"), _(text.NAMES[spec.view])
    names = [message.format(method=method, labels=text.labels_of(n)) for n in spec.noises]
    return charts.lines_of(names, states[list(METHODS).index(spec.view) :: len(METHODS)], theme)


def comparison_lines(context, noise) -> list:
    """Lines of kept and previous runs whose labels are noisy if `noise` is, else clean."""

    def same_labels(lines):
        same_noise = [x for x in lines if (x.progress.training.split.noise > 0) == (noise > 0)]
        return figures.comparison_lines(same_noise, context.spec)

    return [*faint_lines(same_labels(context.previous_lines)), *same_labels(context.kept_lines)]


@charts.comparing
def accuracies(context) -> list:
    """Accuracy over training for both kinds of labels, what was gained, and the table."""
    spec, states, theme = context.spec, by_method(context), context.theme
    rows = [standing_of(spec, states, n, method) for method in METHODS for n in spec.noises]
    shown = [row for row in rows if row.method == spec.view]
    lines = [comparison_lines(context, row.noise) for row in shown]
    all_curves = [row.curves + extra for row, extra in zip(shown, lines, strict=True)]
    limits = figures.limits_of(all_curves, spec.iterations)
    columns = []
    for row, extra, span in zip(shown, lines, limits, strict=True):
        labels = text.labels_of(row.noise)
        figure = figures.over_training(row.curves, extra, span, labels, spec, theme)
        columns.append([text.labels_heading(row.noise), figure])
    remark = text.remark(shown) if context.states[0].iteration else None
    return [Row(columns), remark, text.standings(rows, theme)]


def members(context) -> list:
    """How many members are enough and how they differ, when all are trained."""
    spec, states = context.spec, by_method(context)
    finished = [states[noise, spec.view] for noise in spec.noises]
    if not all(state.done for state in finished):
        message = _(
            "Once training is complete, this shows how many members are enough and how they differ."
        )
        return [Caption(message)]
    ensembles = [_all_members(spec, state) for state in finished]
    if not all(map(len, ensembles)):
        return [_("For some of the labels, all members diverged.")]
    named = list(zip(map(text.labels_of, spec.noises), ensembles, strict=True))
    n = len(spec.ends) if spec.view == "snapshots" else spec.members
    matrix = figures.disagreement(ensembles[0], named[0][0], context.theme)
    return [
        text.differences(named, n),
        Row([figures.accuracy_by_size(named, context.theme), matrix]),
        text.size_table(named),
    ]


def _all_members(spec, state, final=False):
    if state.training.snapshot_every:
        ensembles = snapshot_ensembles(spec, state, final)
        return ensembles[max(ensembles)]
    return ensemble_of(state, state.params[0], state.iteration, final)


def ensembles(context) -> list[tuple[str, float, float]]:
    """Networks and snapshots together, on the validation set and on the test set."""
    name = _("{method}, {labels}: together")
    return [
        (
            name.format(method=_(text.NAMES[method]), labels=text.labels_of(noise)),
            *(_all_members(context.spec, state, final).accuracy for final in (False, True)),
        )
        for (noise, method), state in by_method(context).items()
        if method != "averaging"  # each of its networks answers alone
    ]


def losses(context) -> Row:
    """The loss at the last point and at the averaged weights, for both kinds of labels."""
    states, columns = by_method(context), []
    for noise in context.spec.noises:
        raw, average = states[noise, "independent"], states[noise, "averaging"]
        figure = figures.losses(raw, average, text.labels_of(noise), context.theme)
        columns.append([text.labels_heading(noise), figure])
    return Row(columns)


def curves_csv(context) -> str:
    """Every measured accuracy of members, ensembles, and snapshots so far."""
    rows = []
    for (noise, method), state in by_method(context).items():
        for k, t in enumerate(state.evaluated):
            for s, seed in enumerate(state.training.seeds):
                rows.append([noise, method, f"seed {seed}", t, *state.accuracy[k, :, 0, s]])
            if method == "independent":
                rows.append([noise, method, "ensemble", t, *state.ensemble_accuracy[k, :, 0]])
        if method == "snapshots":
            for t, ensemble in snapshot_ensembles(context.spec, state).items():
                name = f"{len(ensemble)} snapshots together"
                rows.append([noise, method, name, t, "", ensemble.accuracy])
    header = [
        "wrong_labels",
        "method",
        "who",
        "iteration",
        "training_accuracy",
        "validation_accuracy",
    ]
    return csv_text(header, rows)


NUMBERS = ("split.noise", "split.rows", "hidden", "units", "batch", "iterations")


def view(method: str, hyperparameters: tuple[str, ...], last_part) -> View:
    """One of the three methods, with its own hyperparameters and the last part of its tab."""
    return View(
        label=METHODS[method],
        form=[
            Panel(_("Ensemble"), ("members", "seed", *hyperparameters)),
            Data(),
            Numbers(*NUMBERS),
            OptimizerForm(schedule=False, wrappers=False),
            ACTIVATION,
            INITIALIZER,
        ],
        jobs=lambda ensembles: training_jobs(ensembles.trainings, apart=False),
        tabs=[Tab(_("Accuracy"), [accuracies, last_part])],
        notes=[text.notes],
        downloads=[Download(_("Curves as CSV"), "curves", curves_csv)],
        group="",
    )


PAGE = Page(
    "ensembles",
    N_("Ensembles"),
    "groups",
    N_("Are several networks wiser than one?"),
    "Training lab",
    Ensembles(),
    {
        "independent": view("independent", (), members),
        "snapshots": view("snapshots", ("peak",), members),
        "averaging": view("averaging", ("decay",), losses),
    },
    lines=lines,
    thumbnail=figures.thumbnail,
    ensembles=ensembles,
)
