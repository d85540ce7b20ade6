"""The overfitting page: one network on few rows, and what several regularizers do to the gap between training and test."""

import re
from dataclasses import replace

import streamlit as st

from optviz.experiments.regularization import figures as views
from optviz.experiments.regularization import spec as core
from optviz.experiments.regularization import text as told
from optviz.experiments.regularization.explained import explained
from optviz.experiments.regularization.spec import (
    BASELINE,
    MAX_REGULARIZERS,
    TINY,
    Regularizer,
)
from optviz.optim import OPTIMIZERS
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters, sentence
from optviz.plot.old_training import Scale, table
from optviz.plot.style import THEMES, style
from optviz.shell import sharing
from optviz.spec import canonical_json, to_dict
from optviz.training import (
    MAX_BATCH,
    MAX_DROPOUT,
    MAX_NOISE,
    MAX_PENALTY,
    MAX_SEEDS,
    unsuited,
)
from optviz.ui import old_training_charts as bench
from optviz.ui.components import hyperparameter_panel, plot, theme_name
from optviz.ui.old_form import TrainingControls, turned, usual
from optviz.ui.old_job_runner import data_of, laboratory
from optviz.ui.old_layout import framed
from optviz.ui.session import session

PAGE = "regularization"
PRESETS = {
    "The book": (core.BOOK, "Figures 6.20, 6.21 and 6.23: rate 0.01, λ 0.1, dropout 0.15, on 300 random rows."),
    "Other writers": (core.WRITERS, "The first 300 rows; the test is in the hands of people who are not among them. λ 0.01, dropout 0.1."),
    "Wrong labels": (core.LABELS, "A fifth of the training labels is wrong. λ 0.02, dropout 0.15."),
    "L1 and L2": (core.NORMS, "Two kinds of penalty, and what they make of the weights."),
    "Adam and AdamW": (core.ADAM, "The same decay inside and outside of Adam."),
}  # fmt: skip
# What a regularizer may consist of. A logarithmic hyperparameter has no 0: what is not used is not shown.
PARTS = {
    "l2": ("weight decay", Hyperparameter("l2", 0.01, 1e-5, MAX_PENALTY, r"\lambda_2", log=True, help="½·λ₂·ΣW² is added to the loss")),
    "l1": ("L1", Hyperparameter("l1", 0.0003, 1e-6, MAX_PENALTY, r"\lambda_1", log=True, help="λ₁·Σ|W| is added to the loss")),
    "dropout": ("dropout", Hyperparameter("dropout", 0.1, 0.01, MAX_DROPOUT, "p", help="share of the hidden units that a training step leaves out")),
}  # fmt: skip
DATA = (
    Hyperparameter("rows", 300, 50, 1700, help="rows for training; the rest is for testing"),
    Hyperparameter(
        "noise",
        0.0,
        0.0,
        MAX_NOISE,
        help="share of the training labels that are wrong; those of the test are right",
    ),
    Hyperparameter(
        "seeds",
        3,
        1,
        MAX_SEEDS // 2,
        help="trainings of each regularizer, from other starts, in pairs with those of the first",
    ),
)
NETWORK = (
    Hyperparameter("hidden", 6, 0, 12, "L", help="hidden layers"),
    Hyperparameter("units", 100, 2, 300, "n", help="units in each of them"),
    Hyperparameter("batch", 100, 1, MAX_BATCH, "B", log=True, help="rows in a mini-batch"),
    Hyperparameter(
        "iterations",
        903,
        30,
        5000,
        "T",
        log=True,
        help="updates of every network; an epoch is rows / batch of them",
    ),
)
SHARED_OPTIMIZER = "the optimizer of all"
ACCURACY, WEIGHTS = "Accuracy", "Weights"


def page() -> None:
    """Controls into a scene, the scene into a training for each regularizer, the trainings into gaps that open."""
    with framed(PAGE) as (shown, panel, under):
        with panel:
            _controls()
        scene = session().specs["regularization"]
        with shown:
            laboratory(PAGE, scene.trainings, lambda progresses: _draw(scene, progresses))
        with under:
            explained(scene)


def _update(**parts):
    session().specs["regularization"] = replace(session().specs["regularization"], **parts)


# Controls.


def _controls():
    with st.container(horizontal=True, key="regularization-presets", gap="small"):
        for label, (scene, about) in PRESETS.items():
            st.button(label, key=f"preset-{label}", help=about, on_click=_begin_from, args=(scene,))
    for i, label in enumerate(core.names(session().specs["regularization"].regularizers)):
        _regularizer(i, label)
    st.button(
        "Add a regularizer", key="add-regularizer", icon=":material/add:", width="stretch", on_click=_add,
        disabled=len(session().specs["regularization"].regularizers) >= MAX_REGULARIZERS,
    )  # fmt: skip
    controls = TrainingControls(PAGE, lambda: session().specs["regularization"], _update)
    controls.data()
    controls.numbers(DATA, "Data and seeds")
    controls.numbers(NETWORK, "Network and training")
    controls.activation()
    controls.initializer()
    controls.optimizer()


def _begin_from(scene):
    session().specs["regularization"], session().epoch = scene, session().next_id()


def _put(i, regularizer):
    there = session().specs["regularization"].regularizers
    _update(regularizers=(*there[:i], regularizer, *there[i + 1 :]))


def _add():
    """Weight decay, dropout, both or L1: the first that is not there yet."""
    usual_ = [
        Regularizer(l2=0.01),
        Regularizer(dropout=0.1),
        Regularizer(l2=0.01, dropout=0.1),
        Regularizer(l1=0.0003),
        BASELINE,
    ]
    there = session().specs["regularization"].regularizers
    _update(
        regularizers=(*there, next((r for r in usual_ if r not in there), Regularizer(l2=0.02)))
    )


def _remove(i):
    there = session().specs["regularization"].regularizers
    _update(regularizers=(*there[:i], *there[i + 1 :]))


def _regularizer(i, label):
    """A regularizer under its name: the hyperparameters of what it consists of; in its popover what that is."""
    regularizers = session().specs["regularization"].regularizers
    regularizer, many = regularizers[i], len(regularizers)
    with st.container(horizontal=True, vertical_alignment="center", key=f"head-{i}"):
        # the hyperparameters below have the numbers of a name that is too long for one line
        short = label if len(label) <= views.LONG else re.sub(r" \d[\d.e-]*", "", label)
        st.markdown(f"**{short}**", width="stretch")
        box = st.popover("Change", key=f"settings-{i}", on_change="rerun")
    if box.open:
        with box:
            _composition(i, label, regularizer, many)
    used = [name for name in PARTS if getattr(regularizer, name)]
    declared = tuple(PARTS[name][1] for name in used)
    hyperparameter_panel(
        f"regularizer-{i}-{many}-{'-'.join(used)}-{session().epoch}", label, declared, {name: getattr(regularizer, name) for name in used},
        lambda new: _put(i, replace(session().specs["regularization"].regularizers[i], **new)), look=style(i, THEMES[theme_name()]),
    )  # fmt: skip
    if own := regularizer.optimizer:
        hyperparameter_panel(
            f"own-{i}-{many}-{own.key}-{session().epoch}", f"{label}: optimizer", hyperparameters(OPTIMIZERS[own.key]), own.values,
            lambda new: _put(i, replace(session().specs["regularization"].regularizers[i], optimizer=turned(session().specs["regularization"].regularizers[i].optimizer, new))),
        )  # fmt: skip


def _composition(i, label, regularizer, many):
    S = st.session_state
    of = f"{i}-{many}-{session().epoch}"

    def compose():
        chosen, now = S[f"parts-{of}"], session().specs["regularization"].regularizers[i]
        _put(i, replace(now, **{n: (getattr(now, n) or hyperparameter.default) if n in chosen else 0.0 for n, (_, hyperparameter) in PARTS.items()}))  # fmt: skip

    def train_with():
        chosen = S[f"optimizer-{of}"]
        _put(
            i,
            replace(
                session().specs["regularization"].regularizers[i],
                optimizer=usual(chosen) if chosen else None,
            ),
        )

    st.pills(
        "Consists of", list(PARTS), selection_mode="multi", default=[n for n in PARTS if getattr(regularizer, n)],
        format_func=lambda n: PARTS[n][0], key=f"parts-{of}", on_change=compose,
    )  # fmt: skip
    keys = [
        "",
        *(k for k in OPTIMIZERS if not unsuited(k, session().specs["regularization"].network)),
    ]
    own = regularizer.optimizer.key if regularizer.optimizer else ""
    st.selectbox(
        "Trained by", keys, keys.index(own), lambda k: OPTIMIZERS[k].label if k else SHARED_OPTIMIZER,
        key=f"optimizer-{of}", on_change=train_with,
    )  # fmt: skip
    if own:
        st.caption(sentence(OPTIMIZERS[own]))
    st.button(f"Remove {label}", key=f"remove-{i}", icon=":material/close:", width="stretch", disabled=many == 1,
              on_click=_remove, args=(i,))  # fmt: skip


# Pictures.


def _draw(scene, progresses):
    theme = THEMES[theme_name()]
    lines = [
        bench.Line(f"r{i}", label, now, 0, style(i, theme))
        for i, (label, now) in enumerate(
            zip(core.names(scene.regularizers), progresses, strict=True)
        )
    ]
    tabs = st.tabs([ACCURACY, WEIGHTS], key="regularization-tabs", on_change="rerun")
    for tab, section in zip(tabs, (_accuracy, _weights), strict=True):
        if tab.open:
            with tab:
                section(scene, lines, theme)
    bench.downloads(PAGE, lines, "regularizer")


def _accuracy(scene, lines, theme):
    scale, noise = Scale("epochs", scene.iterations, scene.epoch), scene.split.noise
    learned = _memorized(scene, lines) if noise else None
    across = len(lines) if len(lines) <= 4 else 3
    for begin in range(0, len(lines), across):
        row = lines[begin : begin + across]
        for k, (column, line) in enumerate(zip(st.columns(across, gap="small"), row, strict=False)):
            with column:
                link = {"link": sharing.query()} if begin + k == 0 else {}
                plot(f"regularization-gap-{begin + k}", views.gap(line, scale, theme, noise), f"{line.name}: training and test accuracy. The table says the same.",
                     view=f"{scene.iterations}", theme=theme_name(), **link)  # fmt: skip
    st.markdown(told.remarks(lines, scale, noise, learned))
    left, right = st.columns(2, gap="small")
    with left:
        plot("regularization-test", views.tests(lines, scale), "Test accuracy of all regularizers. The table says the same.",
             view=f"{scene.iterations}", theme=theme_name())  # fmt: skip
    if len(lines) > 1:
        with right:
            plot("regularization-pairs", views.differences(lines, theme), "Test accuracy of each regularizer less that of the first, seed by seed. The table says the same.",
                 view=f"{len(lines)}", theme=theme_name())  # fmt: skip
    st.html(
        table(
            "How every regularizer stands",
            told.headings(learned is not None),
            told.rows(lines, learned),
        )
    )


def _memorized(scene, lines):
    """For each regularizer which share of the wrong labels it gives back, seed by seed."""
    training = lines[0].progress.training
    data, right = (
        data_of(training),
        data_of(replace(training, split=replace(scene.split, noise=0.0))).t,
    )
    return [core.memorized(line.progress, data, right) for line in lines]


def _weights(scene, lines, theme):
    weights = [core.weights(line.progress.training, line.progress.params[0]) for line in lines]
    start = _start(
        canonical_json(to_dict([scene.network, scene.seeds])), lines[0].progress.training
    )
    plot("regularization-weights", views.histograms(lines, weights, start, theme), "Histogram of all weights for each regularizer. The table below says the same.",
         view=f"{len(lines)}", theme=theme_name())  # fmt: skip
    described = [core.described(w) for w in weights]
    st.html(
        table(
            "The weights of every regularizer",
            told.WEIGHTS,
            told.weight_rows(lines, described, core.described(start)),
        )
    )
    st.markdown(told.weighed(lines, described))
    st.caption(
        "All weight matrices together, without the biases; medians over the seeds. The scale of the picture is logarithmic: what stands "
        f"a hundredth as high is a hundredth as often. Weights below {TINY:g} could be left out: L1 makes many of them, L2 makes all smaller."
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _start(key, _training):
    return core.weights(_training, _training.start()[0])
