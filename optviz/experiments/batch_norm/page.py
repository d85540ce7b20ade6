"""The batch-normalization page: the same training with and without it, and one small batch step by step."""

from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.batch_norm import figures as views
from optviz.experiments.batch_norm import walkthrough as small_batch
from optviz.experiments.batch_norm import walkthrough_figures as batch_steps
from optviz.experiments.batch_norm.spec import MAX_VALUES, check, stations
from optviz.optim.hyperparameter import Hyperparameter
from optviz.plot.style import THEMES, style
from optviz.shell import sharing
from optviz.spec import SpecError
from optviz.ui import old_training_charts as bench
from optviz.ui.components import hyperparameter_panel, plot, theme_name
from optviz.ui.old_form import SHARED, TrainingControls
from optviz.ui.old_job_runner import data_of, laboratory
from optviz.ui.old_layout import framed
from optviz.ui.session import session

PAGE = "batch_norm"
TABS = {
    "one": "With and without",
    "scales": "Initial scales",
    "rates": "Learning rates",
    "graph": "One small batch",
}
SIDES = {"before": "inputs", "after": "outputs"}  # of the activation: where the layer stands
ROWS = 256  # training rows that are sent through to look inside
MANY = Hyperparameter("many", 16, 2, MAX_VALUES, "n", help="of them, at equal ratios")
SWEEPS = {
    "scales": (
        "Standard deviations", MANY,
        Hyperparameter("first", 1.0, 1e-6, 100.0, "σ", log=True, help="standard deviation of the first's initial weights"),
        Hyperparameter("last", 1e-4, 1e-6, 100.0, "σ", log=True, help="standard deviation of the last's initial weights"),
    ),
    "rates": (
        "Rates", MANY,
        Hyperparameter("first", 1e-3, 1e-4, 10.0, "η", log=True, help="learning rate of the first"),
        Hyperparameter("last", 10.0, 1e-4, 10.0, "η", log=True, help="learning rate of the last"),
    ),
}  # fmt: skip


def page() -> None:
    """The controls of what is looked at, its trainings or its graph, and what is to be said of them."""
    with framed(PAGE, _download) as (shown, panel, under):
        with shown:
            _choice()
        graph = session().specs["batch_norm"].view == "graph"
        with panel:
            (small_batch.controls if graph else _training_controls)()
        setting = session().specs["batch_norm"]
        with shown:
            (small_batch.graph if graph else _trainings)(setting)
        with under:
            (small_batch.told if graph else _told)(setting)


def _update(**parts):
    session().specs["batch_norm"] = replace(session().specs["batch_norm"], **parts)


def _choice():
    S = st.session_state
    key = f"batch-norm-tab-{session().epoch}"
    with st.container(key="batch-norm-tabs"):
        st.segmented_control("Look at", list(TABS), default=session().specs["batch_norm"].view, format_func=TABS.get, key=key, required=True,
                             label_visibility="collapsed", on_change=lambda: _update(view=S[key]))  # fmt: skip


def _training_controls():
    S = st.session_state
    view, key = session().specs["batch_norm"].view, f"batch-norm-place-{session().epoch}"
    st.segmented_control(
        "Each hidden layer normalizes its activation's", list(SIDES), default=session().specs["batch_norm"].place, format_func=SIDES.get, key=key,
        required=True, on_change=lambda: _update(place=S[key]),
    )  # fmt: skip
    if view in SWEEPS:
        label, *declared = SWEEPS[view]
        sweep = getattr(session().specs["batch_norm"], view)
        hyperparameter_panel(f"batch-norm-{view}-{session().epoch}", label, tuple(declared), vars(sweep),
                   lambda new: _update(**{view: replace(getattr(session().specs["batch_norm"], view), **new)}))  # fmt: skip
    controls = TrainingControls(
        PAGE,
        lambda: session().specs["batch_norm"].base,
        lambda **parts: _update(base=replace(session().specs["batch_norm"].base, **parts)),
    )
    if view == "one":
        controls.optimizer(schedule=False)
    controls.numbers(SHARED)
    if view != "scales":
        controls.initializer()
    controls.activation()
    controls.data()
    if view != "one":
        controls.optimizer(schedule=False)


def _trainings(setting):
    try:
        check(setting)
    except SpecError as error:
        st.error(f"This cannot be trained here: {error}.", icon=":material/error:")
        return
    draw = _draw_one if setting.view == "one" else _draw_sweep
    laboratory(f"{PAGE}-{setting.view}", setting.trainings, lambda both: draw(setting, both))


def _epoch(setting):
    """Iterations in one."""
    return setting.base.split.rows / setting.base.batch


def _draw_one(setting, both):
    theme = THEMES[theme_name()]
    named = enumerate(zip(views.NAMES, both, strict=True))
    lines = [bench.Line(f"n{k}", name, now, 0, style(k, theme)) for k, (name, now) in named]
    if said := views.speed(both, _epoch(setting)):
        st.markdown(said)
    bench.curves(PAGE, lines, setting.base.iterations, "network", _epoch(setting))
    _inside(both, 0)
    bench.downloads(PAGE, lines, "network")


def _draw_sweep(setting, both):
    theme = THEMES[theme_name()]
    pair = views.Pair(setting.view, setting.varied, both)
    part = st.segmented_control("Accuracy on", [0, 1], default=0, format_func=lambda k: views.PARTS[k], key="batch-norm-part",
                                required=True, label_visibility="collapsed")  # fmt: skip
    st.markdown(views.verdict(pair, part))
    left, right = st.columns([3, 2], gap="small")
    told = "The table below has the last accuracies."
    with left:
        plot(
            "batch-norm-grid", views.small_charts(pair, _epoch(setting), theme, part),
            f"Accuracy over the epochs at each of {len(pair.values)} {views.SYMBOLS[setting.view][2]}, with and without. {told}",
            view=setting.view, theme=theme_name(), link=sharing.query(),
        )  # fmt: skip
    with right:
        plot(
            "batch-norm-summary", views.summary(pair, theme, part), f"Last accuracy over the {views.SYMBOLS[setting.view][1]}. {told}",
            view=f"{setting.view} {pair.values[0]} {pair.values[-1]}", theme=theme_name(),
        )  # fmt: skip
    i = _which(pair)
    _inside(both, i)
    st.html(views.summary_table(pair, part))
    lines = [
        bench.Line(
            f"{k}{i}",
            f"{views.NAMES[k]}, {views.SYMBOLS[setting.view][0]} = {value!r}",
            now,
            i,
            None,
        )
        for k, now in enumerate(both)
        for i, value in enumerate(pair.values)
    ]
    bench.downloads(PAGE, lines, "network")


def _which(pair):
    """The place of the value that is looked into."""
    places = list(range(len(pair.values)))
    return st.select_slider("Look inside at", places, places[-1] // 2, format_func=lambda i: pair.name(i) if i < len(places) else "",
                            key=f"batch-norm-which-{pair.view}-{len(places)}")  # fmt: skip


def _inside(both, i):
    """The hidden layers of one of the networks as far as it is trained: what comes, and what becomes of it."""
    k = st.segmented_control("Inside the network", [0, 1], default=0, format_func=lambda k: views.NAMES[k], key="batch-norm-inside",
                             required=True)  # fmt: skip
    now = both[k]
    params, network = now.params[i, 0], now.training.network
    if not np.isfinite(params).all():
        at = int(now.diverged_at[i, 0])
        st.markdown(f"**It has diverged** at iteration {at}: there are no numbers left to look at.")
        return
    hidden = stations(network, params, data_of(now.training).x[:ROWS])
    if not hidden:
        st.markdown(
            "This network has no hidden layer, so there is nothing to normalize between layers."
        )
        return
    if not all(np.isfinite(a).all() for layer in hidden for a in layer.values()):
        st.markdown(
            "**The signal has overflowed** inside the network: there is nothing finite to draw."
        )
        return
    st.markdown(f"**After {now.iteration} iterations.** {views.flow(hidden)}")
    plot(
        "batch-norm-inside-layers", views.histograms(hidden, THEMES[theme_name()]),
        f"Histograms of what passes {len(hidden)} hidden layers, {views.NAMES[k]}. The table below has mean and spread.",
        view=f"{len(hidden)} {k}", theme=theme_name(),
    )  # fmt: skip
    st.html(views.spreads_table(hidden, f"Inside the network {views.NAMES[k]}"))


def _told(setting):
    what = {
        "one": "Turn the rate up: the net without batch normalization diverges long before the one with it.",
        "scales": "Every pair begins with the same random numbers, multiplied by its σ; the rule of initial weights is this one alone.",
        "rates": "Every pair has its own rate, in place of the optimizer's; all begin with the same weights.",
    }[setting.view]
    st.caption(
        f"{what} Both meet the same mini-batches, drawn with replacement; an epoch is as many rows as there are for training. Accuracies "
        "of the net with batch normalization are those of evaluation, by its running statistics; histograms are of "
        f"{ROWS} training rows normalized by their own. A network that diverged counts as 0. Of several seeds the median, and bars "
        f"from the least to the largest; inside is the first. Data: {DATASETS[setting.base.dataset.key].attribution}"
    )


def _download():
    setting = session().specs["batch_norm"]
    if setting.view == "graph":
        st.download_button("Numbers as CSV", lambda: batch_steps.graph_csv(setting.example), "optviz-batch.csv", "text/csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
