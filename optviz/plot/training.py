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

    def curve(self, x, values, **look) -> list[Mark]:
        """Its curve over the seeds, as `curve_with_band` draws it."""
        named = {"name": self.name, "uid": self.id}
        return curve_with_band(x, values, self.style, **named, **look)

    def bar(self, at: float, values, **look) -> list[Mark]:
        """The mean over the seeds as a bar, as `bar_with_seeds` draws it."""
        height, named = float(mean_over_seeds(values)), {"name": self.name, "uid": self.id}
        return bar_with_seeds(at, values, height, self.style, **named, **look)


def curves_only(network: Network) -> Network:
    """The network of a training with what its curves are drawn from, no parameters or states."""
    if not isinstance(network.progress, Progress):
        return network
    none = np.empty(0)
    heavy = {"params": none, "running_statistics": none}
    progress = replace(network.progress, **heavy, state={}, diagnostics={}, snapshots={})
    return network._replace(progress=progress)


def ghost(figure: Figure, before: Figure) -> Figure:
    """The figure with faint lines of another one, of what was there before, behind its own; panel
    by panel. What is faint there already is left out.
    """
    panels = [
        replace(panel, marks=[*faint_lines(was.marks), *panel.marks])
        for panel, was in zip(figure.panels, before.panels, strict=True)
    ]
    return replace(figure.add(*faint_lines(before.marks), under=True), panels=panels)


def faint_lines(marks: Sequence[Mark]) -> list[Line]:
    """The lines among marks, as what was there before."""
    hover = _("{name}, before: {y:.4g}")
    look = {"opacity": 0.28, "legend": False, "width": 1.8, "hover": hover}
    lines = [m for m in marks if isinstance(m, Line) and m.opacity is None]
    return [replace(m, uid=f"{m.uid}before", **look) for m in lines]


class Scale(NamedTuple):
    """What curves are drawn along, and how far that goes."""

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
        """Where it ends; None where only the curves tell."""
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

    Smoothed as the book does it, with the raw loss faint behind; of several seeds the median, and a
    band from the least to the largest.
    """
    marks, top, right = [], 0.0, 1e-3
    on_validation = _("{name}, validation: {y:.4g}")
    for uid, name, now, i, style in networks:
        raw = now.loss[:, i]
        if not len(raw):
            continue
        x, values = (
            scale.positions(now, np.arange(1, len(raw) + 1)),
            smoothed(raw) if smooth else raw,
        )
        right = max(right, float(x[-1]))
        faint = raw[:, 0] if smooth else None
        marks += curve_with_band(
            x, values, style, name=name, uid=uid, raw=faint, shapes=8, legend=True
        )
        if test:
            on_test = as_float32(over_seeds(now.cross_entropy[:, 1, i])[0])
            look = {"width": 1.5, "markers": 8, "legend": False, "hover": on_validation}
            dotted, at = replace(style, dashes=TEST_DASHES), scale.positions(now, now.evaluated)
            marks += entry(name, Line(at, on_test, dotted, uid=f"{uid}test", **look))
        early = over_seeds(values[: max(len(raw) // 20, 1)])[0]
        top = max(top, float(np.nanmax(early, initial=0.0)))
    title = _("loss (dotted: validation set)") if test else _("loss")
    limits = (0, _round_up(min(top, 10.0)) if top else 2.5)
    y = Axis(title, log=log, limits=None if log else limits)
    label = _("Loss during training. The table has the last values.")
    view = f"{log} {scale.along}"
    return Figure(marks, scale.axis(right), y, **{"label": label, "view": view, **figure})


def accuracies(networks: Sequence[Network], scale: Scale, **figure) -> Figure:
    """Accuracy on the validation set (in the network's style) and on the training set (faint)."""
    marks, right = [], 1e-3
    for uid, name, now, i, style in networks:
        if not len(now.evaluated):
            continue
        x = scale.positions(now, now.evaluated)
        right = max(right, float(x[-1]))
        look = {"hover": _("{name}, validation: {y:.4g}"), "shapes": 8, "legend": True}
        marks += curve_with_band(
            x, now.accuracy[:, 1, i], style, name=name, uid=f"{uid}test", **look
        )
        train = as_float32(over_seeds(now.accuracy[:, 0, i])[0])
        faint = {"width": 1, "opacity": 0.8, "legend": False}
        marks += entry(name, Line(x, train, style.solid, uid=f"{uid}training", **faint))
    label = _("Accuracy during training. The table has the last values.")
    y = percent(_("accuracy (faint: on the training set)"))
    more = {"label": label, "view": scale.along, **figure}
    return Figure(marks, scale.axis(right), y, **more)


def _round_up(value):
    unit = 10.0 ** np.floor(np.log10(value)) / 2
    return float(np.ceil(1.05 * value / unit) * unit)


def status(progress: Progress, i: int) -> str:
    """How far a network has come, or when it diverged."""
    lost = progress.diverged_at[i]
    n, first = int((lost >= 0).sum()), int(lost[lost >= 0].min(initial=2**31))
    if n and len(lost) > 1:
        return _("{n} of {seeds} seeds diverged at iteration {first}").format(
            n=n, seeds=len(lost), first=first
        )
    if n:
        return _("diverged at iteration {first}").format(first=first)
    if progress.done:
        return _("done")
    return _("under way") if progress.iteration else _("not begun")


def standings(networks: Sequence[Network], label: str) -> Table:
    """How every network stands: loss of the last ten mini-batches, accuracies, time, status."""
    rows = []
    for _id, name, now, i, _style in networks:
        loss = over_seeds(now.loss[-10:, i].mean(0))[0] if len(now.loss) else None
        train, test = (over_seeds(now.accuracy[-1, k, i])[0] for k in (0, 1))
        rows.append(
            {
                "": name,
                _("iterations"): now.iteration,
                Column(_("loss (last 10)"), 3): loss,
                Column(_("training accuracy"), percent=True): train,
                Column(_("validation accuracy"), percent=True): test,
                Column(_("seconds"), 3): now.seconds[-1] if len(now.seconds) else 0.0,
                _("status"): status(now, i),
            }
        )
    return Table.from_rows(label, rows, [network.style for network in networks])
