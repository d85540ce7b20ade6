"""What the networks have learned: a confusion matrix and misclassified digits, the decision
boundary, each network's prediction for a digit that a visitor draws.
"""

from textwrap import wrap

import numpy as np
import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.optimizer_comparison import text
from optviz.experiments.optimizer_comparison.saved import loaded_line
from optviz.experiments.page import Row, Widget
from optviz.experiments.training_charts import paced, shared
from optviz.nn import Network, softmax
from optviz.plot import Axis, Dots, Figure, Heatmap, ImageGrid, Style, matrix
from optviz.training import Data, Progress, confusion
from optviz.translation import _
from optviz.ui.components import show, sketchpad
from optviz.ui.training.data_source import labels_of
from optviz.ui.training.jobs import data_of

MAX_EXAMPLES = 2000  # of the validation set that are classified here
MAX_PICTURES = 24
MAX_NAME = 20  # characters of a name in one row
ALL, ACROSS = -1, 2  # the option for all networks, and how many are side by side
GRID = 80  # points along each side of a decision boundary
# Room around a digit, as a share of the picture: as the examples of the set were made (Alpaydin &
# Kaynak 1998; LeCun et al. 1998: 20 of 28 pixels).
MARGINS = {"digits": 0.0, "mnist": 4 / 28}
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross")


@paced
@shared
def predictions(context):
    """For digits the confusion matrix and the misclassified ones, for points in a plane the
    decision boundary; of all networks at once without the misclassified.
    """
    if not context.lines:
        return None
    i = context.options["network"]
    if i == ALL:
        parts = [_named_picture(context, line) for line in context.lines]
        return [Row(parts[k : k + ACROSS]) for k in range(0, len(parts), ACROSS)]
    return _predictions(context, context.lines[i])


def _named_picture(context, line):
    """A network's name over its boundary or its confusion matrix."""
    prediction = _predictions(context, line)
    picture = prediction.parts[0] if isinstance(prediction, Row) else prediction
    return [f"**{line.name}**", picture] if isinstance(picture, Figure) else [picture]


def _predictions(context, line):
    name, state = line[1:3]
    training, params = state.training, state.params[0, 0]
    data = data_of(training)
    if not np.isfinite(params).all():
        return _("{name} has diverged: it has learned nothing.").format(name=name)
    if training.network.sizes[0] == 2:
        return boundary(training.network, params, data, context.theme, name)
    labels = labels_of(training.dataset)
    predicted = training.network.predict(params, data.x_test[:MAX_EXAMPLES])
    true = data.t_test[: len(predicted)]
    wrong = np.flatnonzero(predicted != true)
    left = confusion_matrix(confusion(true, predicted, len(labels)), labels, context.theme, name)
    shown = MAX_PICTURES if DATASETS[training.dataset.key].picture else 0
    right = [text.misclassified(name, len(wrong), len(predicted), shown)]
    if len(wrong) and shown:
        i = wrong[:MAX_PICTURES]
        confidence = probabilities(state, 0, data.x_test[i]).max(-1)
        right.append(pictures(data.x_test[i], true[i], predicted[i], labels, confidence))
    return Row([left, right], (5, 6))


def confusion_matrix(counts: np.ndarray, labels, theme, name: str) -> Figure:
    """Rows are true labels, columns predicted ones; correct ones are left pale, so that mistakes
    stand out.
    """
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    names = [str(label) for label in labels]
    strong = wrong > 0.5 * wrong.max()
    return matrix(
        np.sqrt(wrong),
        names,
        names,
        (theme.high, theme.lines[1]),
        counts.astype(str).tolist(),
        {theme.ink: (counts > 0) & ~strong, theme.page: strong},
        span=(0.0, max(float(np.sqrt(wrong.max())), 1.0)),  # pale where nothing is wrong
        titles=(_("predicted label"), _("true label")),
        size=11,
        hover=_("true label {y}, predicted label {x}: {text}"),
        label=_(
            "Confusion matrix of {name}: how often each label was predicted for each true label."
        ).format(name=name),
        margin={"r": 8, "t": 12, "b": 44},
        height=24,
    )


def probabilities(state: Progress, i: int, x: np.ndarray) -> np.ndarray:
    """The class probabilities `(k, classes)` of network i, first seed, for inputs `(k, inputs)`."""
    network, params = state.training.network, state.params[i, 0]
    with np.errstate(all="ignore"):
        z = network.outputs(
            params, x.astype(params.dtype), running_statistics=state.running_statistics[i, 0]
        )
        return softmax(z)


def hand_drawn(context) -> Widget | None:
    """A pad to draw a digit on, and each network's prediction, updated while one draws."""
    key = context.spec.dataset.key
    if key not in MARGINS or not context.lines:
        return None
    return Widget(lambda: _hand_drawn(context, DATASETS[key], MARGINS[key]))


def _hand_drawn(context, dataset, margin):
    side = round(dataset.features**0.5)
    pad, answer = st.columns([1, 3])
    with pad:
        ink = sketchpad(f"pad-{dataset.key}", side, margin)
    with answer:
        if ink is None:
            st.caption(_("The probability that each network gives each digit will appear here."))
            return
        x, lines = np.array([ink]), [*context.lines]
        untrained = ", ".join(line.name for line in lines if not line.progress.iteration)
        if loaded := loaded_line(context):
            lines.append(loaded)
        values = [probabilities(line.progress, line.i, x)[0] for line in lines]
        grid = ImageGrid(x.reshape(-1, side, side), [""], [_("what the networks see")])
        show(
            "hand-drawn",
            network_probabilities(lines, np.array(values), dataset.labels, context.theme),
        )
        if untrained:
            st.caption(_("Not trained yet, so this is chance: {names}.").format(names=untrained))
        st.html(grid.html())
        st.caption(_("What the networks see: the drawing in their {n}×{n} pixels.").format(n=side))


def network_probabilities(lines, values: np.ndarray, labels, theme) -> Figure:
    """Each network's class probabilities `(networks, classes)`; its choice is in bold."""
    wrapped_names = [wrap(line.name, MAX_NAME) for line in lines]
    names = [str(label) for label in labels]
    cells, chosen = [], []
    for line, row in zip(lines, values, strict=True):
        texts = [f"{100 * p:.0f}" if np.isfinite(p) else "–" for p in row]
        if np.isfinite(row).all():
            best = row.argmax()
            texts[best] = f"<b>{texts[best]}</b>"
            chosen.append(f"{line.name}: {names[best]}")
        cells.append(texts)
    return matrix(
        values,
        ["<br>".join(name) for name in wrapped_names],
        names,
        (theme.high, theme.lines[1]),
        cells,
        {theme.ink: np.ones(values.shape, bool)},
        span=(0, 1),
        titles=(_("probability of each digit, %"), ""),
        size=13,
        hover=_("{y}: {x} with {text} %"),
        label=_("What each network predicts for the drawing: {chosen}.").format(
            chosen=", ".join(chosen)
        ),
        margin={"l": 16 + 7 * max(len(r) for rows in wrapped_names for r in rows), "r": 8, "t": 8},
        height=5 + 2.5 * len(lines),
    )


def pictures(x: np.ndarray, true, predicted, labels, confidence) -> ImageGrid:
    """Examples `(k, side²)` as pictures, each with its true label, its predicted label and the
    `confidence` `(k,)` of the prediction.
    """
    side = round(x.shape[-1] ** 0.5)
    pairs = [(labels[t], labels[p]) for t, p in zip(true, predicted, strict=True)]
    alternative = _("true label {true}, predicted label {predicted}")
    return ImageGrid(
        x.reshape(-1, side, side),
        [f"{t} → {p} ({share:.0%})" for (t, p), share in zip(pairs, confidence, strict=True)],
        [alternative.format(true=t, predicted=p) for t, p in pairs],
    )


def boundary(network: Network, params, data: Data, theme, name: str) -> Figure:
    """The network's predictions over the plane as colors, and the training set with a marker for
    each class.
    """
    inputs = np.concatenate([data.x, data.x_test])
    low, high = inputs.min(0), inputs.max(0)
    margin = 0.1 * (high - low)
    x, y = (np.linspace(a, b, GRID) for a, b in zip(low - margin, high + margin, strict=True))
    plane = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    n = network.sizes[-1]
    predicted = network.predict(params, plane.astype(params.dtype)).reshape(GRID, GRID)
    colors = [(edge, theme.lines[k % 8]) for k in range(n) for edge in (k / n, (k + 1) / n)]
    field = Heatmap(predicted, colors, x=x, y=y, span=(-0.5, n - 0.5), opacity=0.3, uid="predicted")
    points = [
        Dots(
            *data.x[data.t == k].T,
            Style(theme.lines[k % 8], marker=SYMBOLS[k % len(SYMBOLS)]),
            name=_("class {k}").format(k=k),
            uid=f"class{k}",
            size=6,
            edge=theme.ink,
            edge_width=0.7,
            hover="{name}",
        )
        for k in range(n)
    ]
    return Figure(
        [field, *points],
        Axis(limits=(x[0], x[-1]), grid=False),
        Axis(limits=(y[0], y[-1]), grid=False),
        label=_("The predictions of {name} over the plane, and the training set.").format(
            name=name
        ),
        margin={"l": 46, "r": 8, "t": 28, "b": 36},
        hover="closest",
        height=24,
    )
