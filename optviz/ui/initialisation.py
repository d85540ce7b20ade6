"""The initialisation page: one network, one optimizer, several ways to begin."""

from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.core.datasets import DATASETS
from optviz.core.experiments.activations import inside
from optviz.core.knobs import knobs
from optviz.core.networks import INITIALISERS
from optviz.core.spec import Part
from optviz.ui import bench, lessons, sharing
from optviz.ui import laboratory as lab
from optviz.ui.components import knob_panel, plot
from optviz.ui.controls import TrainingControls, turned
from optviz.ui.pictures import theme_name
from optviz.views import activations as layer_views
from optviz.views import initialisation as views
from optviz.views.style import THEMES, style

PAGE = "initialisation"
ROWS = 256  # training rows that are sent through to look at the layers
LAYERS, SYMMETRY = "Layers at an iteration", "Symmetry"


def page() -> None:
    """Controls into a training, the training into curves that grow, its snapshots into layers and matrices."""
    sharing.opened(PAGE)
    S = st.session_state
    head, stage = st.container(), st.container(key="stage")
    with stage:
        shown, panel, under = st.columns(3)
    with panel:
        _controls(S.beginning)
    training = S.beginning
    with head:
        sharing.complaint()
        sharing.page_head(_symmetry_button)
    with shown:
        lessons.card()
        _bench(training)
    with under:
        st.caption(
            "Every initialiser meets the same mini-batches; a seed decides both these and the weights. The loss is that of each "
            "mini-batch before its update; smoothed by a Kaiser window of 11, β 2, as in the book. Of several seeds the median "
            "and a band from the least to the largest; layers and matrices are those of the first. "
            f"Data: {DATASETS[training.dataset.key].attribution}"
        )


def _bench(training):
    if not training.initialisers:
        st.info("Nobody begins. Choose an initialiser beside the picture.")
        return
    if why := views.too_large(training):
        st.error(f"This cannot be trained here: {why}.", icon=":material/error:")
        return
    lab.laboratory(PAGE, [training], _draw)


def _symmetry_button():
    st.button("Show the symmetry", key="symmetry", icon=":material/join_inner:", on_click=_show_symmetry,
              help="Zeros and one constant against random numbers, on a small network with sigmoid.")  # fmt: skip


def _show_symmetry():
    S = st.session_state
    S.beginning, S.generation = views.SYMMETRY, next(S.new_id)
    S["initial-tabs"] = SYMMETRY
    lab.run(PAGE, True)


def _update(**parts):
    S = st.session_state
    new = replace(S.beginning, **parts)
    S.beginning = replace(new, keep=views.every(new.iterations, max(len(new.initialisers), 1) * new.network.size))


def _controls(training):
    _rules(training)
    controls = TrainingControls(PAGE, lambda: st.session_state.beginning, _update)
    controls.data()
    controls.activation()
    controls.numbers()
    controls.optimizer()


def _rules(training):
    """Which initialisers are compared, and the knobs of those that have some, in the look of their lines."""
    S = st.session_state
    key = f"rules-{S.generation}"
    st.multiselect(
        "Initial weights", list(INITIALISERS), list(dict.fromkeys(rule.key for rule in training.initialisers)),
        lambda k: INITIALISERS[k].label, key=key, max_selections=views.MOST_RULES, on_change=lambda: _choose_rules(S[key]),
    )  # fmt: skip
    for i, (rule, name) in enumerate(zip(training.initialisers, views.names(training.initialisers), strict=True)):
        if declared := knobs(INITIALISERS[rule.key]):
            st.markdown(f"**{name}**")
            knob_panel(
                f"rule-{i}-{rule.key}-{len(training.initialisers)}-{S.generation}", name, declared, rule.knobs,
                lambda new, i=i: _turn_rule(i, new), look=style(i, THEMES[theme_name()]),
            )  # fmt: skip


def _choose_rules(keys):
    kept = [rule for rule in st.session_state.beginning.initialisers if rule.key in keys]
    known = {rule.key for rule in kept}
    _update(initialisers=(*kept, *(Part(k) for k in keys if k not in known))[: views.MOST_RULES])


def _turn_rule(i, new):
    rules = list(st.session_state.beginning.initialisers)
    rules[i] = turned(rules[i], new)
    _update(initialisers=tuple(rules))


def _draw(progresses):
    [now] = progresses
    training, theme = now.training, THEMES[theme_name()]
    names = views.names(training.initialisers)
    looks = [style(i, theme) for i in range(len(names))]
    lines = [bench.Line(f"i{i}", name, now, i, look) for i, (name, look) in enumerate(zip(names, looks, strict=True))]
    bench.curves("initial", lines, training.iterations, "initialiser")
    _inspected(now, names, looks)
    bench.downloads("initial", lines, "initialiser")


def _inspected(now, names, looks):
    """At an iteration, for an initialiser: its layers, or its weight matrices."""
    training = now.training
    params = {**now.snapshots, now.iteration: now.params[:, 0]}
    wanted = _iteration(training)
    shown = max((t for t in params if t <= wanted), default=min(params))
    which = st.segmented_control(
        "Look into", list(range(len(names))), default=0, format_func=lambda i: names[i] if i < len(names) else "",
        key=f"initial-which-{len(names)}", required=True,
    )  # fmt: skip
    st.caption(
        f"Shown: iteration {shown}, {names[which]}"
        + (f", seed {training.seeds[0]}." if len(training.seeds) > 1 else ".")
    )
    tabs = st.tabs([LAYERS, SYMMETRY], key="initial-tabs", on_change="rerun")
    for tab, section in zip(tabs, (_layers, _symmetry), strict=True):
        if tab.open:
            with tab:
                section(now, params, shown, which, names, looks)


def _iteration(training):
    stops = sorted({*range(0, training.iterations, training.keep or max(training.iterations, 1)), training.iterations})
    if len(stops) < 2:
        return stops[0]
    return st.select_slider(
        "Iteration (as far as the training has come)", stops, stops[-1], key=f"initial-at-{training.iterations}-{training.keep}"
    )  # fmt: skip


def _looked_at(now, params, t, i):
    """Layers and gradients of initialiser i at iteration t on some training rows, in float64 for what is tiny."""
    data = lab.data_of(now.training)
    return inside(now.training.network, params[t][i].astype(float), data.x[:ROWS], data.t[:ROWS])


def _lengths(now, params, t, i):
    """The gradients' lengths, kept as long as the page shows this training: the past does not change."""
    S = st.session_state
    key = lab.key_of(now.training)
    if S.setdefault("initial-lengths", (key, {}))[0] != key:
        S["initial-lengths"] = key, {}
    kept = S["initial-lengths"][1]
    if (t, i) not in kept:
        kept[t, i] = (
            _looked_at(now, params, t, i)[1]
            if _finite(params[t][i])
            else np.full(len(now.training.network.affine), np.nan)
        )
    return kept[t, i]


def _finite(params):
    return bool(np.isfinite(params).all())


def _gone(now, which, name, shown):
    """Says that there is nothing to see, and from when on."""
    st.markdown(f"**{name} has diverged** at iteration {int(now.diverged_at[which, 0])}: at {shown} it has no numbers any more. "
                "Take an earlier iteration.")  # fmt: skip


def _layers(now, params, shown, which, names, looks):
    training, theme = now.training, THEMES[theme_name()]
    if not _finite(params[shown][which]):
        _gone(now, which, names[which], shown)
    else:
        layers, lengths = _looked_at(now, params, shown, which)
        if layers:
            plot(
                "initial-layers", layer_views.histograms(layers, theme),
                f"Histograms of {len(layers)} hidden layers. The table below says the same.", view=f"{len(layers)}", theme=theme_name(),
            )  # fmt: skip
            st.html(layer_views.table(layers, f"Hidden layers of {names[which]} at iteration {shown}"))
        else:
            st.markdown("This network has no hidden layer, so there are no activations to look at.")
        weights = [np.linalg.norm(w.astype(float)) for w in _matrices(training, params[shown][which])]
        st.markdown(views.flow(lengths, np.array(weights)))
    known = sorted({*now.snapshots, *([now.iteration] if now.done else []), shown})
    norms = {t: _lengths(now, params, t, which) for t in known}
    plot(
        "initial-gradients", views.gradients(norms, training.iterations, shown, theme),
        "Length of the gradient of each weight matrix over the iterations. The table below has the iteration shown.",
        view=f"{training.iterations}", theme=theme_name(),
    )  # fmt: skip
    rows = [(name, _lengths(now, params, shown, i), looks[i]) for i, name in enumerate(names)]
    st.html(views.lengths_table(rows, shown))
    st.caption(f"Activations and gradients of the mean loss on the first {ROWS} training rows, without an update.")


def _matrices(training, params):
    views_ = training.network.views(params)
    return [views_[k]["W"] for k in training.network.affine]


def _symmetry(now, params, shown, which, names, looks):
    training, theme = now.training, THEMES[theme_name()]
    shapes = [w.shape for w in _matrices(training, params[shown][0])]
    k = st.segmented_control(
        "Weight matrix", list(range(len(shapes))), default=0, key=f"initial-matrix-{len(shapes)}", required=True,
        format_func=lambda k: f"W{k + 1} ({shapes[k][0]} × {shapes[k][1]})" if k < len(shapes) else "",
    )  # fmt: skip
    last = k == len(shapes) - 1 and k > 0
    found = [views.Matrix.of(_matrices(training, params[shown][i])[k], last) for i in range(len(names))]
    m = found[which]
    gradient = _lengths(now, params, shown, which)[k]
    st.markdown(f"{names[which]}, W{k + 1}. {views.seen(m, shown, gradient)}")
    others = [i for i in range(len(names)) if i != which][: views.MOST_PICTURES - 1]
    drawn = sorted([which, *others])
    plot(
        "initial-matrices", views.heatmaps([(names[i], found[i]) for i in drawn], theme),
        "Weight matrices as pictures. The table and the numbers below say the same.", view=f"{drawn} {k}", theme=theme_name(),
    )  # fmt: skip
    st.html(views.symmetry_table([(name, found[i], looks[i]) for i, name in enumerate(names)]))
    if np.isfinite(m.largest):
        st.markdown(f"{views.strengths(m)}. Some numbers of W{k + 1} of {names[which]} at iteration {shown}:")
        st.code(views.corner(m), language=None)
    else:
        _gone(now, which, names[which], shown)
    st.caption(
        "“Units apart by”: the farthest that two hidden units are from each other in any of their weights, 0 where all are equal. "
        "The rank counts the singular values above a millionth of the largest."
        + (
            f" Of long sides {views.SIDE} rows or columns are drawn, evenly picked."
            if max(m.w.shape) > views.SIDE
            else ""
        )
    )
