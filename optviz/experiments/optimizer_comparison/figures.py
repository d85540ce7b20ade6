"""What the networks have learned: a confusion matrix and misclassified digits, or the decision
boundary.
"""

import numpy as np

from optviz.data import DATASETS, TOY_SETS
from optviz.experiments.optimizer_comparison import text
from optviz.experiments.page import Row
from optviz.nn import Network
from optviz.plot import Axis, Dots, Figure, Heatmap, ImageGrid, Style, Text
from optviz.training import Data, confusion
from optviz.translation import _
from optviz.ui.training_jobs import data_of

MAX_EXAMPLES = 2000  # of the test set that are classified here
MAX_PICTURES = 24
GRID = 80  # points along each side of a decision boundary
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross")


def predictions(context):
    """For digits the confusion matrix and the misclassified ones, for points in a plane the
    decision boundary.
    """
    if not context.lines:
        return None
    name, state = context.lines[context.options["network"]][1:3]
    training, params = state.training, state.params[0, 0]
    data = data_of(training)
    if not np.isfinite(params).all():
        return _("{name} has diverged: it has learned nothing.").format(name=name)
    if training.dataset.key in TOY_SETS:
        return boundary(training.network, params, data, context.theme, name)
    labels = DATASETS[training.dataset.key].labels
    predicted = training.network.predict(params, data.x_test[:MAX_EXAMPLES])
    true = data.t_test[: len(predicted)]
    wrong = np.flatnonzero(predicted != true)
    left = confusion_matrix(confusion(true, predicted, len(labels)), labels, context.theme, name)
    right = [text.misclassified(name, len(wrong), len(predicted))]
    if len(wrong):
        some = wrong[:MAX_PICTURES]
        right.append(pictures(data.x_test[some], true[some], predicted[some], labels))
    return Row([left, right], (5, 6))


def confusion_matrix(counts: np.ndarray, labels, theme, name: str) -> Figure:
    """Rows are true labels, columns predicted ones; correct ones are left pale, so that mistakes
    stand out.
    """
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    names = [str(label) for label in labels]
    some = np.argwhere(counts)  # Plotly mixes up texts that are empty
    numbers = Text(
        [names[j] for i, j in some],
        [names[i] for i, j in some],
        [str(counts[i, j]) for i, j in some],
        theme.ink,
        size=11,
        hover=_("a {y} was taken for a {x}: {text}"),
    )
    axis = {"categories": True, "grid": False, "fixed": True}
    return Figure(
        [Heatmap(np.sqrt(wrong), (theme.high, theme.lines[1]), x=names, y=names, gap=1), numbers],
        Axis(_("predicted label"), **axis),
        Axis(_("true label"), reversed=True, standoff=2, **axis),
        label=_("How often {name} took which digit for which.").format(name=name),
        margin={"r": 8, "t": 12, "b": 44},
        legend="",
        hover="closest",
        drag=False,
        height=24,
    )


def pictures(x: np.ndarray, true, predicted, labels) -> ImageGrid:
    """Examples `(k, side²)` as small pictures, each with its true and its predicted label."""
    side = round(x.shape[-1] ** 0.5)
    pairs = [(labels[t], labels[p]) for t, p in zip(true, predicted, strict=True)]
    alternative = _("a {true} that was taken for a {predicted}")
    return ImageGrid(
        x.reshape(-1, side, side),
        [f"{t} → {p}" for t, p in pairs],
        [alternative.format(true=t, predicted=p) for t, p in pairs],
    )


def boundary(network: Network, params, data: Data, theme, name: str) -> Figure:
    """What the network predicts over the plane, as color, and the training set with a mark for each
    class.
    """
    both = np.concatenate([data.x, data.x_test])
    low, high = both.min(0), both.max(0)
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
        label=_("What {name} predicts where, and the training set.").format(name=name),
        margin={"l": 46, "r": 8, "t": 28, "b": 36},
        hover="closest",
        height=24,
    )
