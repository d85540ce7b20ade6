"""Curves of trainings: loss and accuracy over iterations, epochs or seconds, as median and band
over the seeds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optviz.plot.figure import Axis, Figure, percent
from optviz.plot.marks import Line, Mark, entry
from optviz.plot.series import (
    as_float32,
    bar_with_seeds,
    curve_with_band,
    mean_over_seeds,
    over_seeds,
)
from optviz.plot.style import Style
from optviz.plot.table import Column, Table
from optviz.training.loop import Progress
from optviz.training.metrics import smoothed
from optviz.translation import N_, _

TEST_DASHES = (2, 3)
UNITS = {
    "iterations": N_("iteration"),
    "epochs": N_("epoch"),
    "seconds": N_("seconds of computing"),
}


class Network(NamedTuple):
    """One of the networks in a chart."""

    id: str
    name: str
    progress: Progress
    i: int  # its place among the trials of the batch
    style: Style | None

    def curve(self, x, values, **options) -> list[Mark]:
        """Its curve over the seeds, as `curve_with_band` draws it."""
        labels = {"name": self.name, "uid": self.id}
        return curve_with_band(x, values, self.style, **labels, **options)

    def bar(self, x: float, values, **options) -> list[Mark]:
        """The mean over the seeds as a bar, as `bar_with_seeds` draws it."""
        height, labels = float(mean_over_seeds(values)), {"name": self.name, "uid": self.id}
        return bar_with_seeds(x, values, height, self.style, **labels, **options)


def curves_only(network: Network) -> Network:
    """The network with only what its curves are drawn from: no parameters or states."""
    if not isinstance(network.progress, Progress):
        return network
    none = np.empty(0)
    heavy = {"params": none, "running_statistics": none}
    progress = replace(network.progress, **heavy, state={}, diagnostics={}, snapshots={})
    return network._replace(progress=progress)


def ghost(figure: Figure, before: Figure) -> Figure:
    """The figure with the lines of an earlier one, faint behind its own, panel by panel. Lines that
    are faint already are left out.
    """
    panels = [
        replace(panel, marks=[*faint_lines(old.marks), *panel.marks])
        for panel, old in zip(figure.panels, before.panels, strict=True)
    ]
    return replace(figure.add(*faint_lines(before.marks), under=True), panels=panels)


def faint_lines(marks: Sequence[Mark]) -> list[Line]:
    """The lines among earlier marks, made faint."""
    hover = _("{name}, before: {y:.4g}")
    faint = {"opacity": 0.28, "legend": False, "width": 1.8, "hover": hover}
    lines = [m for m in marks if isinstance(m, Line) and m.opacity is None]
    return [replace(m, uid=f"{m.uid}before", **faint) for m in lines]


class Scale(NamedTuple):
    """The x axis of curves: its unit and its length."""

    along: str = "iterations"  # one of UNITS
    iterations: int = 300
    epoch: float = 0.0  # iterations in one, where there are epochs

    def positions(self, progress: Progress, iterations) -> np.ndarray:
        """Where these iterations are on it."""
        if self.along == "seconds":
            return np.concatenate([[0.0], progress.seconds])[iterations]
        return np.asarray(iterations, float) / (self.epoch if self.along == "epochs" else 1.0)

    @property
    def end(self) -> float | None:
        """Where it ends; None where that depends on the curves."""
        ends = {"iterations": self.iterations, "epochs": self.iterations / (self.epoch or 1)}
        return ends.get(self.along)

    def axis(self, right: float = 1.0) -> Axis:
        """The axis; `right` is where the curves end."""
        return Axis(_(UNITS[self.along]), limits=(0, self.end or 1.05 * right))


def losses(
    networks: Sequence[Network],
    scale: Scale,
    smooth: bool = True,
    log: bool = False,
    test: bool = False,
    **figure,
) -> Figure:
    """The loss of every mini-batch, and with `test` the one on the validation set, dotted.

    Smoothed as in the book, with the raw loss faint behind; for several seeds the median, and a
    band from the least to the largest.
    """
    marks, early_max, right = [], 0.0, 1e-3
    validation_hover = _("{name}, validation: {y:.4g}")
    for uid, name, progress, i, style in networks:
        raw = progress.loss[:, i]
        if not len(raw):
            continue
        x = scale.positions(progress, np.arange(1, len(raw) + 1))
        values = smoothed(raw) if smooth else raw
        right = max(right, float(x[-1]))
        faint = raw[:, 0] if smooth else None
        marks += curve_with_band(
            x, values, style, name=name, uid=uid, raw=faint, shapes=8, legend=True
        )
        if test:
            test_loss = as_float32(over_seeds(progress.cross_entropy[:, 1, i])[0])
            options = {"width": 1.5, "markers": 8, "legend": False, "hover": validation_hover}
            dotted = replace(style, dashes=TEST_DASHES)
            test_x = scale.positions(progress, progress.evaluated)
            marks += entry(name, Line(test_x, test_loss, dotted, uid=f"{uid}test", **options))
        early = over_seeds(values[: max(len(raw) // 20, 1)])[0]
        early_max = max(early_max, float(np.nanmax(early, initial=0.0)))
    title = _("loss (dotted: validation set)") if test else _("loss")
    limits = (0, _round_up(min(early_max, 10.0)) if early_max else 2.5)
    y = Axis(title, log=log, limits=None if log else limits)
    label = _("Loss during training. The table has the last values.")
    view = f"{log} {scale.along}"
    return Figure(marks, scale.axis(right), y, **{"label": label, "view": view, **figure})


def accuracies(networks: Sequence[Network], scale: Scale, **figure) -> Figure:
    """Accuracy on the validation set (in the network's style) and on the training set (faint)."""
    marks, right = [], 1e-3
    for uid, name, progress, i, style in networks:
        if not len(progress.evaluated):
            continue
        x = scale.positions(progress, progress.evaluated)
        right = max(right, float(x[-1]))
        options = {"hover": _("{name}, validation: {y:.4g}"), "shapes": 8, "legend": True}
        marks += curve_with_band(
            x, progress.accuracy[:, 1, i], style, name=name, uid=f"{uid}test", **options
        )
        train = as_float32(over_seeds(progress.accuracy[:, 0, i])[0])
        faint_options = {"width": 1, "opacity": 0.8, "legend": False}
        marks += entry(name, Line(x, train, style.solid, uid=f"{uid}training", **faint_options))
    label = _("Accuracy during training. The table has the last values.")
    y = percent(_("accuracy (faint: on the training set)"))
    layout = {"label": label, "view": scale.along, **figure}
    return Figure(marks, scale.axis(right), y, **layout)


def _round_up(value):
    unit = 10.0 ** np.floor(np.log10(value)) / 2
    return float(np.ceil(1.05 * value / unit) * unit)


def status(progress: Progress, i: int) -> str:
    """How far a network has come, or when it diverged."""
    diverged_at = progress.diverged_at[i]
    n, first = int((diverged_at >= 0).sum()), int(diverged_at[diverged_at >= 0].min(initial=2**31))
    if n and len(diverged_at) > 1:
        return _("{n} of {seeds} seeds diverged at iteration {first}").format(
            n=n, seeds=len(diverged_at), first=first
        )
    if n:
        return _("diverged at iteration {first}").format(first=first)
    if progress.done:
        return _("done")
    return _("under way") if progress.iteration else _("not begun")


def standings(networks: Sequence[Network], label: str) -> Table:
    """How every network stands: loss of the last ten mini-batches, accuracies, time, status."""
    rows = []
    for _uid, name, progress, i, _style in networks:
        loss = over_seeds(progress.loss[-10:, i].mean(0))[0] if len(progress.loss) else None
        train, test = (over_seeds(progress.accuracy[-1, k, i])[0] for k in (0, 1))
        rows.append(
            {
                "": name,
                _("iterations"): progress.iteration,
                Column(_("loss (last 10)"), 3): loss,
                Column(_("training accuracy"), percent=True): train,
                Column(_("validation accuracy"), percent=True): test,
                Column(_("seconds"), 3): progress.seconds[-1] if len(progress.seconds) else 0.0,
                _("status"): status(progress, i),
            }
        )
    return Table.from_rows(label, rows, [network.style for network in networks])
