"""The initialization page: one network, one optimizer, several ways to begin."""

from dataclasses import replace

import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.initialization import figures as views
from optviz.experiments.initialization.inspector import SYMMETRY, inspection
from optviz.nn import INITIALIZERS
from optviz.optim.hyperparameter import hyperparameters
from optviz.plot.style import THEMES, style
from optviz.spec import Choice
from optviz.ui import old_job_runner as lab
from optviz.ui import old_training_charts as bench
from optviz.ui.components import hyperparameter_panel, theme_name
from optviz.ui.old_form import TrainingControls, turned
from optviz.ui.old_layout import framed
from optviz.ui.session import session

PAGE = "initialization"


def page() -> None:
    """Controls into a training, the training into curves that grow, its snapshots into layers and matrices."""
    with framed(PAGE, _symmetry_button) as (shown, panel, under):
        with panel:
            _controls(session().specs["initialization"])
        training = session().specs["initialization"]
        with shown:
            _bench(training)
        with under:
            st.caption(
                "Every initializer meets the same mini-batches; a seed decides both these and the weights. The loss is that of each "
                "mini-batch before its update; smoothed by a Kaiser window of 11, β 2, as in the book. Of several seeds the median "
                "and a band from the least to the largest; layers and matrices are those of the first. "
                f"Data: {DATASETS[training.dataset.key].attribution}"
            )


def _bench(training):
    if not training.initializers:
        st.info("Nobody begins. Choose an initializer beside the picture.")
        return
    lab.laboratory(PAGE, [training], _draw)


def _symmetry_button():
    st.button("Show the symmetry", key="symmetry", icon=":material/join_inner:", on_click=_show_symmetry,
              help="Zeros and one constant against random numbers, on a small network with sigmoid.")  # fmt: skip


def _show_symmetry():
    S = st.session_state
    session().specs["initialization"], session().epoch = views.SYMMETRY, session().next_id()
    S["initial-tabs"] = SYMMETRY
    lab.run(PAGE, True)


def _update(**parts):
    new = replace(session().specs["initialization"], **parts)
    session().specs["initialization"] = replace(
        new,
        snapshot_every=views.every(
            new.iterations, max(len(new.initializers), 1) * new.network.size
        ),
    )


def _controls(training):
    _rules(training)
    controls = TrainingControls(PAGE, lambda: session().specs["initialization"], _update)
    controls.data()
    controls.activation()
    controls.numbers()
    controls.optimizer()


def _rules(training):
    """Which initializers are compared, and the hyperparameters of those that have some, in the look of their lines."""
    S = st.session_state
    key = f"rules-{session().epoch}"
    st.multiselect(
        "Initial weights", list(INITIALIZERS), list(dict.fromkeys(rule.key for rule in training.initializers)),
        lambda k: INITIALIZERS[k].label, key=key, max_selections=views.MAX_RULES, on_change=lambda: _choose_rules(S[key]),
    )  # fmt: skip
    for i, (rule, name) in enumerate(
        zip(training.initializers, views.names(training.initializers), strict=True)
    ):
        if declared := hyperparameters(INITIALIZERS[rule.key]):
            st.markdown(f"**{name}**")
            hyperparameter_panel(
                f"rule-{i}-{rule.key}-{len(training.initializers)}-{session().epoch}", name, declared, rule.values,
                lambda new, i=i: _turn_rule(i, new), look=style(i, THEMES[theme_name()]),
            )  # fmt: skip


def _choose_rules(keys):
    kept = [rule for rule in session().specs["initialization"].initializers if rule.key in keys]
    known = {rule.key for rule in kept}
    _update(initializers=(*kept, *(Choice(k) for k in keys if k not in known))[: views.MAX_RULES])


def _turn_rule(i, new):
    rules = list(session().specs["initialization"].initializers)
    rules[i] = turned(rules[i], new)
    _update(initializers=tuple(rules))


def _draw(progresses):
    [now] = progresses
    training, theme = now.training, THEMES[theme_name()]
    names = views.names(training.initializers)
    looks = [style(i, theme) for i in range(len(names))]
    lines = [
        bench.Line(f"i{i}", name, now, i, look)
        for i, (name, look) in enumerate(zip(names, looks, strict=True))
    ]
    bench.curves("initial", lines, training.iterations, "initializer")
    inspection(now, names, looks)
    bench.downloads("initial", lines, "initializer")
