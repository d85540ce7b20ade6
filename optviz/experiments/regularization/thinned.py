"""Dropout as many networks: the units that a step drops, and the networks as an ensemble.

(Srivastava et al. 2014, Dropout, figure 1 and section 7.5; Saitoh, figure 6.22.)
"""

import numpy as np

from optviz.experiments.page import Caption, Row
from optviz.experiments.training_charts import paced
from optviz.nn import DROPOUT, Mode, accuracy_score, softmax
from optviz.plot import Dots, Figure, Line, Style, Table, hidden, percentage
from optviz.plot.series import mean_over_seeds
from optviz.spec import canonical_json, to_dict
from optviz.translation import _
from optviz.ui.cache import cached
from optviz.ui.training.jobs import data_of

MAX_UNITS = 10  # of a layer that are drawn, the first ones
MEMBERS = 20  # thinned networks in the ensemble


def masks(training, iteration: int) -> list[np.ndarray]:
    """Which units `(n,)` of each hidden layer stay for the first example of a mini-batch."""
    network, mode = training.network, Mode(True, training.seeds[:1], iteration)
    return [
        mode.streams(DROPOUT, k)[0].random(n, np.float32) >= network.dropout
        for k, n in enumerate(network.sizes[1:-1])
    ]


@paced
def thinned_network(context) -> list | str:
    """The first network with dropout: in its last update, and in evaluation."""
    line = next((line for line in context.lines if line.progress.training.network.dropout), None)
    if line is None:
        return _("None of the regularizers uses dropout: add it to one of them.")
    training, t = line.progress.training, max(line.progress.iteration - 1, 0)
    kept_units = masks(training, t)
    all_units = [np.ones(n, bool) for n in training.network.sizes[1:-1]]
    heading = _("**{name}**, update {t}: {out} of {n} hidden units are dropped for one example.")
    n, n_dropped = sum(map(len, kept_units)), sum(int((~mask).sum()) for mask in kept_units)
    caption = _(
        "Only the first units of every layer are drawn. Each example and each update drops "
        "different units."
    )
    return [
        heading.format(name=line.name, t=t + 1, out=n_dropped, n=n),
        Row(
            [
                graph(training.network.sizes, kept_units, context.theme, _("in an update")),
                graph(training.network.sizes, all_units, context.theme, _("in evaluation")),
            ]
        ),
        Caption(caption),
    ]


def graph(sizes, hidden_masks, theme, title: str) -> Figure:
    """A network whose dropped units are crossed out and have no connections."""
    masks = [np.ones(sizes[0], bool), *hidden_masks, np.ones(sizes[-1], bool)]
    shown = [mask[:MAX_UNITS] for mask in masks]
    positions = [
        np.stack([np.full(len(mask), k), (len(mask) - 1) / 2 - np.arange(len(mask))], -1)
        for k, mask in enumerate(shown)
    ]
    paths = [
        np.stack([a, b, np.full(2, np.nan)])
        for k in range(len(positions) - 1)
        for a in positions[k][shown[k]]
        for b in positions[k + 1][shown[k + 1]]
    ]
    marks = []
    if paths:
        x, y = np.concatenate(paths).T
        marks.append(Line(x, y, Style(theme.faint), width=0.6, opacity=0.6, uid="links"))
    units, is_kept = np.concatenate(positions), np.concatenate(shown)
    for uid, mask, line_style in (
        ("kept", is_kept, Style(theme.lines[0])),
        ("out", ~is_kept, Style(theme.lines[1], marker="x")),
    ):
        marks.append(Dots(*units[mask].T, line_style, size=11, uid=uid))
    half_height = max(map(len, shown)) / 2
    return Figure(
        marks,
        hidden((-0.3, len(sizes) - 0.7)),
        hidden((-half_height, half_height)),
        label=_("The network {title}; dropped units are crossed out.").format(title=title),
        hover=False,
        drag=False,
        legend="",
        height=17,
        margin={"l": 4, "r": 4, "t": 8, "b": 4},
    )


@paced
def as_ensemble(context) -> list | None:
    """The accuracy of thinned networks, alone and together, and of the whole network."""
    rows = []
    for line in context.lines:
        state = line.progress
        if state.done and state.training.network.dropout and np.isfinite(state.params).all():
            key = canonical_json(to_dict(state.training))
            rows.append(
                [line.name, *map(percentage, _accuracies(key, state, data_of(state.training)))]
            )
    if not rows:
        return None
    message = _(
        "**Dropout as an ensemble.** {n} thinned networks that share their weights: one alone, "
        "all by the mean of their probabilities, and the whole network, which takes one pass "
        "instead of {n}."
    )
    columns = ("", _("one thinned network"), _("their mean"), _("the whole network"))
    label = _("Validation accuracy of thinned networks")
    return [message.format(n=MEMBERS), Table(label, columns, rows)]


@cached
def _accuracies(key, _state, _data):
    """The three accuracies, means over the seeds."""
    training, network = _state.training, _state.training.network
    x, t = _data.x_test.astype(_state.params.dtype, copy=False), _data.t_test
    statistics, alone, total = _state.running_statistics, [], 0.0
    for member in range(MEMBERS):
        mode = Mode(True, training.seeds, training.iterations + member)
        p = softmax(network.forward(_state.params, x, mode, statistics).outputs[-1][0])
        alone.append(accuracy_score(p, t))
        total = total + p
    results = np.ravel(alone), accuracy_score(total, t), _state.accuracy[-1, 1, 0]
    return [float(mean_over_seeds(accuracies)) for accuracies in results]
