"""The data-normalization page: one line on raw and on standardized data, the loss over its weights, and digits."""

import csv
import io
from dataclasses import replace

import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.standardization import figures as views
from optviz.experiments.standardization import inputs as input_views
from optviz.experiments.standardization.spec import (
    MAX_ANGLE,
    MAX_POINTS,
    MAX_SEED,
    MAX_STEPS,
    PENALTY,
    RATES,
    Descent,
    Standardization,
    sides,
)  # fmt: skip
from optviz.optim.hyperparameter import Hyperparameter
from optviz.plot.style import THEMES, number, style
from optviz.shell import sharing
from optviz.spec import canonical_json
from optviz.training import INPUTS
from optviz.ui import old_training_charts as bench
from optviz.ui.components import hyperparameter_panel, plot, table, theme_name
from optviz.ui.live import full_rerun, live_patch
from optviz.ui.old_form import SHARED, TrainingControls
from optviz.ui.old_job_runner import laboratory
from optviz.ui.old_layout import framed
from optviz.ui.session import session

PAGE = "standardization"
TABS = {"line": "A line is turned", "loss": "The loss over the weights", "digits": "Digits"}
CHOSEN = {
    "steady": "Each its best without a step uphill", "lowest": "Each the one that ends lowest", "same": "One for both",
}  # fmt: skip
ANGLE = Hyperparameter(
    "angle",
    5.0,
    -MAX_ANGLE,
    MAX_ANGLE,
    r"\phi",
    help="degrees by which the best line's weights are turned",
)
CLOUDS = (
    Hyperparameter("offset", 10.0, 0.0, 50.0, "s", help="from the origin to the point between the clouds"),
    Hyperparameter("gap", 2.0, 0.0, 5.0, "d", help="from center to center of the clouds"),
    Hyperparameter("spread", 0.42, 0.05, 1.0, "σ", help="standard deviation of a cloud"),
    Hyperparameter("stretch", 1.0, 0.1, 10.0, "k", log=True, help="factor of the second feature, as if it counted in smaller units"),
    Hyperparameter("points", 500, 10, MAX_POINTS, "n", help="points in all"),
    Hyperparameter("seed", 21, 0, MAX_SEED, help="another number, other points"),
)  # fmt: skip
RATE = Hyperparameter(
    "rate",
    0.1,
    float(RATES[0]),
    float(RATES[-1]),
    "η",
    log=True,
    help="learning rate of both descents",
)
STEPS = Hyperparameter(
    "steps",
    100,
    1,
    MAX_STEPS,
    "T",
    log=True,
    help="steps of gradient descent, from weights of zero",
)


def page() -> None:
    """The controls of what is looked at, its pictures, and the same in numbers."""
    with full_rerun(), framed(PAGE, _download) as (shown, panel, under):
        with shown:
            _choice()
        view = session().specs["standardization"].view
        with panel:
            {"line": _line_controls, "loss": _loss_controls, "digits": _digits_controls}[view]()
        with shown:
            {"line": _line, "loss": _loss, "digits": _digits}[view](
                session().specs["standardization"]
            )
        with under:
            {"line": _line_told, "loss": _loss_told, "digits": _digits_told}[view](
                session().specs["standardization"]
            )


def _update(**parts):
    session().specs["standardization"] = replace(session().specs["standardization"], **parts)


def _choice():
    S = st.session_state
    key = f"standardization-tab-{session().epoch}"
    st.segmented_control("Look at", list(TABS), default=session().specs["standardization"].view, format_func=TABS.get, key=key, required=True,
                         label_visibility="collapsed", on_change=lambda: _update(view=S[key]))  # fmt: skip


@st.cache_resource(max_entries=64, show_spinner=False)
def _sides(key, _scaling):
    return sides(_scaling)


@st.cache_resource(max_entries=64, show_spinner=False)
def _descents(key, _scaling):
    return [Descent.of(side, _scaling) for side in pair_of(_scaling)]


@st.cache_resource(max_entries=32, show_spinner=False)
def _landscape(key, _scaling, i, theme):
    return views.landscape(pair_of(_scaling)[i], THEMES[theme])


def _clouds_key(scaling):
    return canonical_json([getattr(scaling, k.name) for k in CLOUDS])


def _descent_key(scaling):
    return canonical_json([_clouds_key(scaling), scaling.choice, scaling.rate, scaling.steps])


def pair_of(scaling: Standardization):
    """Both sides, worked out once for everybody."""
    return _sides(_clouds_key(scaling), scaling)


def descents_of(scaling: Standardization) -> list[Descent]:
    """The way down on each of them."""
    return _descents(_descent_key(scaling), scaling)


# Two clouds and a line.


def _line_figures(scaling):
    pair, theme = pair_of(scaling), THEMES[theme_name()]
    return {
        **{
            f"standardization-clouds-{i}": views.clouds(side, scaling.angle, theme)
            for i, side in enumerate(pair)
        },
        **{
            f"standardization-turned-{field}": views.over_angles(pair, scaling.angle, field, theme)
            for field in ("accuracy", "loss")
        },
    }


def _line(scaling):
    figures = _line_figures(scaling)
    left, right = st.columns(2, gap="small")
    for i, (column, name) in enumerate(((left, "Raw data"), (right, "Standardized data"))):
        with column:
            plot(f"standardization-clouds-{i}", figures[f"standardization-clouds-{i}"], f"{name}: two clouds, the best line and the turned one.",
                 view=_clouds_key(scaling), theme=theme_name(), **({"link": sharing.query()} if i == 0 else {}))  # fmt: skip
    left, right = st.columns(2, gap="small")
    for column, field, label in ((left, "accuracy", "Accuracy"), (right, "loss", "Loss")):
        with column:
            plot(f"standardization-turned-{field}", figures[f"standardization-turned-{field}"], f"{label} over the angle. The table below says the same at one of them.",
                 view=field, theme=theme_name())  # fmt: skip


def _line_controls():
    _live_hyperparameters("The line and the clouds", (ANGLE, *CLOUDS), _line_figures)


def _line_told(scaling):
    pair = pair_of(scaling)
    st.markdown(views.remark(pair, scaling.angle))
    table(
        views.table(
            views.TURNED, views.turned_rows(pair, scaling), "The line in numbers", _looks(), (1, 2)
        ),
        "standardization-turned",
    )
    st.caption(
        "The line is the best one by logistic regression: it is found once, and the weights and the bias on raw data are those of the "
        "very same line. A turn changes the two weights about the origin of the picture and keeps their length and the bias. Far from "
        "the origin the same turn moves the line by angle × distance where the points are. Standardized: each feature minus its mean, "
        f"divided by its standard deviation. A penalty of ½ · {number(PENALTY)} · |w|² on the weights of standardized data keeps the "
        "line's weights finite where no point is on the wrong side; the losses in the table are without it."
    )


# The loss over the weights.


def _loss_figures(scaling):
    pair, theme, descents = pair_of(scaling), THEMES[theme_name()], descents_of(scaling)
    return {
        **{f"standardization-path-{i}": views.path(pair[i], descents[i], theme, i) for i in range(2)},
        "standardization-along": views.along(pair, descents, theme), "standardization-rates": views.over_rates(pair, descents, theme),
    }  # fmt: skip


def _loss(scaling):
    figures, pair = _loss_figures(scaling), pair_of(scaling)
    key, theme = _clouds_key(scaling), theme_name()
    left, right = st.columns(2, gap="small")
    for i, column in enumerate((left, right)):
        with column:
            plot(f"standardization-path-{i}", figures[f"standardization-path-{i}"], f"The loss over the two weights on {pair[i].name} data, and the way down.",
                 view=key, theme=theme, base_id=f"{key} {i} {theme}", base=lambda i=i: _landscape(f"{key} {i} {theme}", scaling, i, theme),
                 **({"link": sharing.query()} if i == 0 else {}))  # fmt: skip
    left, right = st.columns(2, gap="small")
    with left:
        plot("standardization-along", figures["standardization-along"], "Distance to the best weights over the steps. The table says where it ends.",
             view="along", theme=theme)  # fmt: skip
    with right:
        plot(
            "standardization-rates",
            figures["standardization-rates"],
            "Loss after the last step over the learning rate.",
            view="rates",
            theme=theme,
        )


def _loss_controls():
    S = st.session_state
    key = f"standardization-rates-{session().epoch}"
    st.selectbox("Learning rate", list(CHOSEN), list(CHOSEN).index(session().specs["standardization"].choice), CHOSEN.get, key=key,
                 on_change=lambda: _update(choice=S[key]))  # fmt: skip
    _live_hyperparameters(
        "Gradient descent",
        (RATE, STEPS) if session().specs["standardization"].choice == "same" else (STEPS,),
        _loss_figures,
    )
    hyperparameter_panel(
        f"standardization-clouds-{session().epoch}",
        "The clouds",
        CLOUDS,
        _values(CLOUDS),
        lambda new: _update(**new),
    )


def _loss_told(scaling):
    pair, descents = pair_of(scaling), descents_of(scaling)
    st.markdown(views.arrived(pair, descents))
    rows = views.descended_rows(pair, descents)
    table(
        views.table(views.DESCENDED, rows, "Curvature and descent in numbers", _looks(), (8,)),
        "standardization-descended",
    )
    st.caption(
        "Logistic loss over the two weights; the bias is kept at its best value, so that there are two dimensions to draw. λ are the "
        "eigenvalues of the Hessian at the minimum, their ratio is the condition number; “with the bias” is that of all three "
        "parameters. Levels are in equal ratios. The descent begins at weights of zero; in the picture on the lower right, "
        "the excess over the least loss after the last step is drawn over the rate. One rate for both is no fair race: larger inputs "
        "make larger gradients, so the same rate means something else in the other coordinates. Standardizing takes the distance from the origin and the units away, not a "
        "correlation between the features: a little of the valley stays."
    )


# Digits.


def _digits_controls():
    controls = TrainingControls(
        "standardization",
        lambda: session().specs["standardization"].digits,
        lambda **parts: _update(digits=replace(session().specs["standardization"].digits, **parts)),
    )
    controls.data()
    controls.numbers(SHARED)
    controls.activation()
    controls.initializer()
    controls.optimizer(schedule=False)


def _digits(scaling):
    st.markdown(
        "The same network, the same start, the same mini-batches: only the inputs are counted differently."
    )
    laboratory(PAGE, scaling.trainings, _draw)


def _draw(progresses):
    theme = THEMES[theme_name()]
    lines = [
        bench.Line(f"s{i}", input_views.name(now.training), now, 0, style(i, theme)) for i, now in enumerate(progresses)
    ]  # fmt: skip
    bench.curves(PAGE, lines, lines[0].progress.training.iterations, "kind of inputs")
    left, right = st.columns(2, gap="small")
    for part, column in enumerate((left, right)):
        with column:
            plot(f"standardization-bars-{part}", input_views.bars(lines, theme, part), f"Accuracy on {input_views.PARTS[part]}, seed by seed.",
                 view="bars", theme=theme_name())  # fmt: skip
    rows, looks = input_views.rows(lines), [line.look for line in lines]
    table(
        views.table(
            input_views.HEADINGS, rows, "Accuracy of each kind of inputs", looks, (1, 2, 3, 4)
        ),
        "standardization-inputs",
    )
    bench.downloads(PAGE, lines, "inputs")


def _digits_told(scaling):
    kinds = "; ".join(f"*{input_views.NAMES[kind]}*: {told}" for kind, told in INPUTS.items())
    st.caption(
        f"{kinds}. A seed that diverged counts as 0. A bar is the mean over the seeds, a mark a seed. "
        f"Data: {DATASETS[scaling.digits.dataset.key].attribution}"
    )


# Shared by the three.


def _values(declared):
    scaling = session().specs["standardization"]
    return {k.name: getattr(scaling, k.name) for k in declared}


def _looks():
    return [views.look(i, THEMES[theme_name()]) for i in range(2)]


@st.fragment
def _live_hyperparameters(label, declared, figures):
    """A panel whose hyperparameters move the pictures while they are dragged."""
    key = f"standardization-{label}-{len(declared)}-{session().epoch}"
    traces, rest = live_patch(key, lambda: figures(session().specs["standardization"]))
    hyperparameter_panel(
        key,
        label,
        declared,
        _values(declared),
        lambda new: _update(**new),
        traces=traces,
        rested=rest,
    )


def _download():
    scaling = session().specs["standardization"]
    if scaling.view != "digits":
        st.download_button("Table as CSV", table_csv(scaling), f"optviz-scaling-{scaling.view}.csv", "text/csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def table_csv(scaling: Standardization) -> str:
    """What the curves show, in full precision: over the angles, or step by step."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    pair = pair_of(scaling)
    if scaling.view == "line":
        write(["coordinates", "degrees", "w1", "w2", "bias", "accuracy", "loss"])
        for side in pair:
            for degrees in sorted({*views.ANGLES.tolist(), scaling.angle}):
                line = side.turned(degrees)
                write(
                    [
                        side.name,
                        repr(degrees),
                        *(repr(float(v)) for v in (*line, side.accuracy(line), side.loss(line))),
                    ]
                )
        return out.getvalue()
    write(["coordinates", "step", "w1", "w2", "loss", "rate", "condition_number"])
    for side, way in zip(pair, descents_of(scaling), strict=True):
        for t, (w, value) in enumerate(zip(way.run.points, way.run.values, strict=True)):
            write(
                [
                    side.name,
                    t,
                    *(repr(float(v)) for v in (*w, value, way.rate, side.curvature.condition)),
                ]
            )
    return out.getvalue()
