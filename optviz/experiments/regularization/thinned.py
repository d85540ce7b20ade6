"""Dropout as many networks: which units a step leaves out, and what they answer together.

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
MEMBERS = 20  # thinned networks that answer together


def masks(training, iteration: int) -> list[np.ndarray]:
    """Which units `(n,)` of each hidden layer stay for the first example of a mini-batch."""
    network, mode = training.network, Mode(True, training.seeds[:1], iteration)
    return [
        mode.streams(DROPOUT, k)[0].random(n, np.float32) >= network.dropout
        for k, n in enumerate(network.sizes[1:-1])
    ]


@paced
def thinned_network(context) -> list | str:
    """The first network with dropout: as it answers, and as the last update has trained it."""
    line = next((line for line in context.lines if line.progress.training.network.dropout), None)
    if line is None:
        return _("None of the regularizers uses dropout: add it to one of them.")
    training, t = line.progress.training, max(line.progress.iteration - 1, 0)
    kept = masks(training, t)
    whole = [np.ones(n, bool) for n in training.network.sizes[1:-1]]
    heading = _("**{name}**, update {t}: {out} of {n} hidden units are dropped for one example.")
    n, out = sum(map(len, kept)), sum(int((~mask).sum()) for mask in kept)
    caption = _(
        "Only the first units of every layer are drawn. Each example and each update drops "
        "different units."
    )
    return [
        heading.format(name=line.name, t=t + 1, out=out, n=n),
        Row(
            [
                graph(training.network.sizes, kept, context.theme, _("in an update")),
                graph(training.network.sizes, whole, context.theme, _("in evaluation")),
            ]
        ),
        Caption(caption),
    ]


def graph(sizes, kept, theme, title: str) -> Figure:
    """A network whose units that are left out are crossed and have no connections."""
    ends = [np.ones(sizes[0], bool), *kept, np.ones(sizes[-1], bool)]
    shown = [mask[:MAX_UNITS] for mask in ends]
    at = [
        np.stack([np.full(len(mask), k), (len(mask) - 1) / 2 - np.arange(len(mask))], -1)
        for k, mask in enumerate(shown)
    ]
    paths = [
        np.stack([a, b, np.full(2, np.nan)])
        for k in range(len(at) - 1)
        for a in at[k][shown[k]]
        for b in at[k + 1][shown[k + 1]]
    ]
    marks = []
    if paths:
        x, y = np.concatenate(paths).T
        marks.append(Line(x, y, Style(theme.faint), width=0.6, opacity=0.6, uid="links"))
    units, stays = np.concatenate(at), np.concatenate(shown)
    for uid, which, look in (
        ("kept", stays, Style(theme.lines[0])),
        ("out", ~stays, Style(theme.lines[1], marker="x")),
    ):
        marks.append(Dots(*units[which].T, look, size=11, uid=uid))
    tall = max(map(len, shown)) / 2
    return Figure(
        marks,
        hidden((-0.3, len(sizes) - 0.7)),
        hidden((-tall, tall)),
        label=_("The network {title}; dropped units are crossed out.").format(title=title),
        hover=False,
        drag=False,
        legend="",
        height=17,
        margin={"l": 4, "r": 4, "t": 8, "b": 4},
    )


@paced
def as_ensemble(context) -> list | None:
    """What thinned networks answer alone, on the mean, and what the whole network answers."""
    rows = []
    for line in context.lines:
        state = line.progress
        if state.done and state.training.network.dropout and np.isfinite(state.params).all():
            key = canonical_json(to_dict(state.training))
            rows.append(
                [line.name, *map(percentage, _answers(key, state, data_of(state.training)))]
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
def _answers(key, _state, _data):
    """The three accuracies, means over the seeds."""
    training, network = _state.training, _state.training.network
    x, t = _data.x_test.astype(_state.params.dtype, copy=False), _data.t_test
    statistics, each, total = _state.running_statistics, [], 0.0
    for member in range(MEMBERS):
        mode = Mode(True, training.seeds, training.iterations + member)
        p = softmax(network.forward(_state.params, x, mode, statistics).outputs[-1][0])
        each.append(accuracy_score(p, t))
        total = total + p
    found = np.ravel(each), accuracy_score(total, t), _state.accuracy[-1, 1, 0]
    return [float(mean_over_seeds(accuracies)) for accuracies in found]
