"""The optimizers-on-digits page: several optimizers train the same network from the same start."""

from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.data import DATASETS, SHAPES
from optviz.experiments.optimizer_comparison.spec import MAX_OPTIMIZERS
from optviz.optim.config import names as names_of
from optviz.plot import digits as digit_views
from optviz.plot.style import THEMES, style
from optviz.training import confusion
from optviz.ui import training_charts as bench
from optviz.ui.components import plot, theme_name
from optviz.ui.form import TrainingControls
from optviz.ui.job_runner import data_of, laboratory
from optviz.ui.layout import framed
from optviz.ui.optimizer_list import trainees
from optviz.ui.session import session


def page() -> None:
    """Controls into a contest, the contest into trainings, the trainings into curves that grow."""
    with framed("optimizer_comparison") as (shown, panel, under):
        with panel:
            _controls()
        contest = session().specs["optimizer_comparison"]
        names = names_of(contest.optimizers)
        with shown:
            laboratory("optimizer_comparison", contest.trainings, lambda progresses: _draw(contest, names, progresses))
        with under:
            st.caption(_told(contest))


def _told(contest):
    data = DATASETS[contest.dataset.key]
    return (
        "Every optimizer has the same start and meets the same mini-batches. The loss is that of each mini-batch before its "
        f"update; smoothed by a Kaiser window of 11, β 2, as in the book. Data: {data.attribution}"
    )


def _update(**parts):
    session().specs["optimizer_comparison"] = replace(session().specs["optimizer_comparison"], **parts)


def _controls():
    controls = TrainingControls("optimizer_comparison", lambda: session().specs["optimizer_comparison"], _update)
    controls.data()
    controls.activation()
    controls.initializer()
    controls.numbers()
    trainees(lambda: session().specs["optimizer_comparison"].optimizers, session().specs["optimizer_comparison"].network, MAX_OPTIMIZERS, lambda configs: _update(optimizers=configs))


def _draw(contest, names, progresses):
    theme = THEMES[theme_name()]
    lines = [
        bench.Line(f"c{i}", name, now, 0, style(i, theme))
        for i, (name, now) in enumerate(zip(names, progresses, strict=True))
    ]
    bench.curves("optimizer_comparison", lines, contest.iterations)
    _what_it_learned(contest, names, progresses)
    bench.downloads("optimizer_comparison", lines)


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
