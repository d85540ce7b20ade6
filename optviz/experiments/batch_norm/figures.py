"""Trainings with and without the layer: small charts, a summary, and what is inside."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optviz.experiments import training_charts
from optviz.experiments.batch_norm.graph import NODES
from optviz.experiments.batch_norm.run import forward
from optviz.experiments.batch_norm.spec import BatchNormComparison, Example
from optviz.nn import ACTIVATIONS, Activated, Affine, BatchNorm
from optviz.plot import (
    Axis,
    Bars,
    Dots,
    Figure,
    HistogramRow,
    Line,
    Note,
    Panel,
    Style,
    Theme,
    fill_template,
    grid,
    hidden,
    histogram_grid,
    number,
    over_seeds,
    percent,
    style,
)
from optviz.training import Progress
from optviz.translation import N_, _

NAMES = (N_("with batch normalization"), N_("without"))  # in the order of the trainings
SYMBOLS = {"scales": "σ", "rates": "η"}
AXES = {"scales": N_("standard deviation of the initial weights"), "rates": N_("learning rate")}
SETS = {0: N_("training set"), 1: N_("validation set")}
STAGES = {
    "pre-activations": N_("pre-activations xW + b"),
    "normalized": N_("normalized"),
    "activations": N_("activations"),
}
LEVEL = 0.01  # accuracies nearer to each other are called level: ten of the figure's thousand rows


def architecture(context) -> Figure:
    """Figure 6.16: the layers of both networks in the order of the signal, a box each."""
    chains = [_chain(state.training.network) for state in context.states]
    longest = max(len(labels) for labels, _extra in chains)
    x = hidden((-1, longest - 0.4))
    size = min(12, 340 // longest)  # the boxes of a deep network are narrow
    panels, label = [], []
    for name, (labels, is_norm) in zip(NAMES, chains, strict=True):
        slots = np.arange(len(labels))
        gaps = np.stack([slots - 0.65, slots - 0.35, np.full(len(labels), np.nan)], 1).ravel()
        boxes = [
            Bars(slots[mask], np.ones(mask.sum()), context.theme.lines[k], width=0.7, alpha=0.3)
            for k, mask in enumerate((~is_norm, is_norm))
        ]
        notes = [
            Note(word, k, 0.5, "center middle", data=True, size=size, extra={"textangle": -90})
            for k, word in enumerate(labels)
        ]
        marks = [Line(gaps, np.full(gaps.shape, 0.5), Style(context.theme.ink), width=1.5), *boxes]
        panels.append(Panel(marks, x, hidden((0, 1)), title=_(name), notes=notes))
        label.append(f"{_(name)}: {' → '.join(labels)}")
    return grid(
        panels,
        1,
        gap=(0, 0.16),
        label="; ".join(label),
        legend="",
        height=16,
        margin={"l": 0, "r": 0, "b": 8},
    )


def _chain(network):
    """The labels of its layers, and which of them normalize."""
    type_labels = {BatchNorm: _("Batch norm"), Activated: ACTIVATIONS[network.activation.key].label}
    message, labels = _("Affine {n_in}×{n_out}"), []
    for layer in network.layers:
        affine = isinstance(layer, Affine)
        labels.append(message.format(**vars(layer)) if affine else type_labels[type(layer)])
    extra = [isinstance(layer, BatchNorm) for layer in network.layers]
    return [*labels, _("Softmax")], np.array([*extra, False])


class Pair(NamedTuple):
    """The same trainings with and without, over some values."""

    view: str  # one of SYMBOLS
    values: list[float]
    both: list[Progress]  # with, without

    def name(self, i: int) -> str:
        return f"{SYMBOLS[self.view]} = {number(self.values[i], 3)}"

    def final(self, part: int) -> np.ndarray:
        """The last accuracy `(2, values, seeds)`; a network that diverged has none, which is 0."""
        measured = [(state.evaluated <= state.iteration).sum() - 1 for state in self.both]
        last = [state.accuracy[k, part] for state, k in zip(self.both, measured, strict=True)]
        return np.stack([np.nan_to_num(accuracy) for accuracy in last])

    @property
    def done(self) -> bool:
        return all(state.done for state in self.both)

    def better(self, part: int) -> np.ndarray:
        """Which has the better median at each value: 1 with, −1 without, 0 where they are tied."""
        a, b = np.median(self.final(part), -1)
        return np.where(np.abs(a - b) <= LEVEL, 0, np.sign(a - b)).astype(int)


def small_charts(pair: Pair, theme: Theme, part: int = 0) -> Figure:
    """Figure 6.19: a chart for every value, with batch normalization solid, without dashed.

    Once all are done, headings where plain is better have its color. A cross marks where a network
    diverged.
    """
    plain = pair.done * (pair.better(part) < 0)
    training = pair.both[0].training
    end = max(training.iterations / training.epoch, 1e-3)
    panels = []
    for i in range(len(pair.values)):
        marks = [m for k in (0, 1) for m in _curve(pair, i, k, theme, part)]
        name = f"<b>{pair.name(i)}</b>" if plain[i] else pair.name(i)
        color = theme.lines[1] if plain[i] else ""
        x = Axis(_("epoch"), limits=(0, end), ticks=3)
        y = percent(limits=(0, 1.04), ticks=3)
        panels.append(Panel(marks, x, y, title=name, title_color=color))
    label = _(
        "Accuracy over the epochs at each of {n} values of the {quantity}, with and without batch "
        "normalization. The table below gives the last accuracies."
    )
    return grid(
        panels,
        int(np.ceil(np.sqrt(len(panels)))),
        share_x=True,
        share_y=True,
        label=label.format(n=len(panels), quantity=_(AXES[pair.view])),
        view=pair.view,
        legend="window",
        margin={"l": 46, "r": 6, "t": 54, "b": 40},
        height=(21, 62, 44),
    )


def _curve(pair, i, k, theme, part):
    state, line_style, name = pair.both[k], style(k, theme), _(NAMES[k])
    x, y = state.evaluated / state.training.epoch, over_seeds(state.accuracy[:, part, i])[0]
    hover = fill_template(_("{value}, {name}: {y:.1%}"), value=pair.name(i))
    common = {"name": name, "group": name, "hover": hover}
    marks = [Line(x, y, line_style, width=2, uid=f"{i}l{k}", legend=i == 0, **common)]
    finite = np.flatnonzero(np.isfinite(y))
    if len(finite) and not np.isfinite(y[-1]):
        last = finite[-1:]
        cross = replace(line_style, marker="x")
        marks.append(Dots(x[last], y[last], cross, uid=f"{i}x{k}", legend=False, **common))
    return marks


def summary(pair: Pair, theme: Theme, part: int = 0) -> Figure:
    """The last accuracy over the values, with and without; notes mark where without is better."""
    marks, final, values = [], pair.final(part), np.array(pair.values)
    messages = _("{name}, {value}: {y}"), _("{name}, {value}: {y} (diverged)")
    for k, accuracies in enumerate(final):
        line_style, name = style(k, theme), _(NAMES[k])
        middle, low, high = over_seeds(accuracies)
        diverged = (pair.both[k].diverged_at >= 0).any(-1)
        hover = [
            messages[int(failed)].format(name=name, value=pair.name(i), y=f"{y:.1%}")
            for i, (failed, y) in enumerate(zip(diverged, middle, strict=True))
        ]
        marks.append(
            Line(
                values,
                middle,
                line_style,
                name=name,
                uid=f"s{k}",
                markers=True,
                size=9,
                symbols=["x" if failed else line_style.marker for failed in diverged],
                ends=(low, high) if accuracies.shape[-1] > 1 else None,
                hover=hover,
            )
        )
    note_message = _("{value}:<br>better without")
    notes = [
        Note(
            note_message.format(value=pair.name(i)),
            pair.values[i],
            float(np.median(final[1, i])),
            "center bottom",
            data=True,
            size=12,
            color=theme.ink,
            arrow=(0, -34),
        )
        for i in (np.flatnonzero(pair.better(part) < 0) if pair.done else [])
    ]
    margin = 10 ** (0.04 * (np.ptp(np.log10(values)) or 1.0))
    ticks = (0, 0.2, 0.4, 0.6, 0.8, 1)
    label = _("Last accuracy over the {quantity}. The table below shows the same data.")
    limits = (values.min() / margin, values.max() * margin)
    y = _("last accuracy on the {examples}").format(examples=_(SETS[part]))
    return Figure(
        marks,
        Axis(_(AXES[pair.view]), log=True, step=1, limits=limits),
        percent(y, limits=(-0.03, 1.16), ticks=ticks),
        notes=notes,
        label=label.format(quantity=_(AXES[pair.view])),
        view=f"{pair.view} {values[0]} {values[-1]}",
        margin={"l": 56, "t": 44, "b": 44},
        hover="closest",
        height=(21, 62, 44),
    )


def histograms(hidden: list[dict[str, np.ndarray]], name: str, theme: Theme) -> Figure:
    """A column for every hidden layer, a row for every stage of the way through it."""
    colors = dict(zip(STAGES, (theme.lines[2], theme.lines[0], theme.lines[3]), strict=True))
    rows = [
        HistogramRow(_(STAGES[stage]), colors[stage], [layer[stage] for layer in hidden])
        for stage in hidden[0]
    ]
    columns = [_("layer {i}").format(i=i + 1) for i in range(len(hidden))]
    label = _(
        "Histograms of the signal in {n} hidden layers, {network}. The table below gives mean and "
        "std."
    ).format(n=len(hidden), network=name)
    return histogram_grid(rows, columns, label=label, view=f"{len(hidden)} {name}", height=24)


def row_paths(example: Example, theme: Theme) -> Figure:
    """Every row as a line from x over x − μ and x̂ to y: centered, squeezed, stretched, moved."""
    v = forward(example)
    stages = ("x", "apart", "hat", "y")
    names = [NODES[k].symbol for k in stages]
    hover, row = _("{name}, {y}: {x:.4g}"), _("example {i}")
    marks = [
        Line(
            [v[k][i] for k in stages],
            names,
            style(i, theme),
            name=row.format(i=i + 1),
            uid=f"row{i}",
            width=2,
            markers=True,
            size=11,
            hover=hover,
        )
        for i in range(len(example.x))
    ]
    return Figure(
        marks,
        Axis(zero=True),
        Axis(categories=True, reversed=True, fixed=True, tick_size=15),
        label=_("Every example on its way from x to y. The table below gives the numbers."),
        view=f"{example}",
        margin={"b": 30},
        hover="closest",
        drag=False,
        height=16,
    )


def thumbnail(spec: BatchNormComparison, theme: Theme) -> Figure:
    """The rows of the small batch, or the loss with and without at one or two of the values."""
    if spec.view == "graph":
        return row_paths(spec.example, theme)
    n = len(spec.varied)
    two = slice(n // 4, None, max(n // 2, 1))  # a large one and a small one
    trainings = [
        replace(t, trials=t.trials[two], iterations=min(t.iterations, 25)) for t in spec.trainings
    ]
    return training_charts.losses_of(trainings, theme)
