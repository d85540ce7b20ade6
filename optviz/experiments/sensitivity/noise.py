"""Many noise seeds at once: how the runs spread, and where they end."""

from dataclasses import dataclass

import numpy as np

from optviz.experiments.page import Caption, Context, Row
from optviz.experiments.sensitivity import figures
from optviz.experiments.sensitivity.run import DIVERGED_FACTOR, floor
from optviz.experiments.sensitivity.spec import Sensitivity
from optviz.experiments.trajectories.run import noise_of, run
from optviz.experiments.trajectories.spec import Objective
from optviz.optim.config import OptimizerConfig
from optviz.optim.minima import minima_of
from optviz.optim.theory import stationary_covariance
from optviz.plot import (
    Axis,
    Band,
    Column,
    Dots,
    Figure,
    Line,
    Panel,
    Style,
    Table,
    Theme,
    method_styles,
    stack,
    thin_indices,
)
from optviz.plot.contour import within_reach
from optviz.plot.table import csv_text
from optviz.translation import _
from optviz.ui.cache import cached

LEVELS = (0.1, 0.5, 0.9)  # of the bands
WITHIN = np.sqrt(-2 * np.log(1 - 0.95))  # standard deviations that hold 95% of a normal cloud


@dataclass(frozen=True, eq=False)
class Cloud:
    """Runs of many seeds: quantiles over the steps `(3, k)`, infinite where they have diverged, and
    the ends.
    """

    steps: np.ndarray  # (k,)
    gaps: np.ndarray
    distances: np.ndarray
    points: np.ndarray  # (n, 2) of the ends, NaN where it diverged
    values: np.ndarray  # (n,) likewise, above the lowest minimum
    theory: np.ndarray | None  # (2, 2) the stationary covariance, where it is known

    @property
    def finite_points(self) -> np.ndarray:
        """The ends of the runs that have one, `(m, 2)`."""
        return self.points[np.isfinite(self.values)]


@cached
def cloud(objective: Objective, config: OptimizerConfig, n: int) -> Cloud:
    """The cloud of one optimizer, with n seeds from the objective's own on."""
    runs = run(objective, config, seed=objective.seed + np.arange(n))
    # the noise also moves the y that a function of x alone does not see
    points = runs.points * [1, 0] if objective.f.univariate else runs.points
    minima, i = minima_of(objective.f), thin_indices(len(points))
    gaps = runs.values - floor(objective)
    distances = np.stack([minima.distance(p) for p in points[i]])
    quantiles = [
        np.quantile(np.nan_to_num(v, nan=np.inf), LEVELS, -1, method="inverted_cdf")
        for v in (gaps[i], distances)
    ]
    noise, fixed = noise_of(objective), not (config.wrappers or config.schedules)
    theory = stationary_covariance(objective.f, config.build(), noise.variance) if fixed else None
    return Cloud(i, *quantiles, points[-1], gaps[-1], theory)


def clouds(spec: Sensitivity) -> list[Cloud]:
    """The clouds of all optimizers."""
    return [cloud(spec.objective, config, spec.runs) for config in spec.optimizers]


def ellipse(center, covariance) -> np.ndarray:
    """The outline `(100, 2)` of 95% of a normal distribution."""
    variances, vectors = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)
    return center + WITHIN * (circle * np.sqrt(np.maximum(variances, 0))) @ vectors.T


def bands(spec: Sensitivity, theme: Theme, all_clouds) -> Figure:
    """The median of loss and distance over the steps, and the band that holds eight of ten runs."""
    styles, panels = method_styles(spec.optimizers, theme), []
    for part, label in (("gaps", _("loss above the minimum")), ("distances", _("distance"))):
        marks = []
        for i, (name, c, line_style) in enumerate(zip(spec.names, all_clouds, styles, strict=True)):
            values = np.maximum(getattr(c, part), figures.TINY)
            top = DIVERGED_FACTOR * values[1, 0]
            low, middle, high = np.where(values <= top, values, np.nan)
            high = np.where(np.isnan(high) & np.isfinite(low), top, high)
            labels = {"name": name, "group": f"r{i}"}
            band = {"uid": f"{part}b{i}", "legend": False, **labels}
            marks.append(Band(c.steps, low, high, line_style.color, **band))
            hover, line = _("{name}, step {x}: {y:.3g}"), {"legend": part == "gaps", **labels}
            marks.append(Line(c.steps, middle, line_style, uid=f"{part}{i}", hover=hover, **line))
        x = Axis(_("step"), limits=(0, spec.objective.steps))
        panels.append(Panel(marks, x, Axis(label, log=True)))
    label = _("Loss and distance over the steps for {n} seeds. The table shows how the runs end.")
    return stack(panels, label=label.format(n=spec.runs), height=figures.HEIGHT)


def ends(spec: Sensitivity, theme: Theme, all_clouds) -> Figure:
    """The contour with the ends of all runs, and an ellipse that would hold 95% of them."""
    figure, domain = figures.paths(spec, theme, only=[]), spec.objective.f.domain
    minimum = minima_of(spec.objective.f).points
    styles = method_styles(spec.optimizers, theme)
    for i, (name, c, line_style) in enumerate(zip(spec.names, all_clouds, styles, strict=True)):
        labels = {"name": name, "group": f"r{i}"}
        dots = Dots(
            *within_reach(domain, c.finite_points).T,
            line_style,
            uid=f"r{i}",
            values=c.values,
            hover="{name} ({x:.4g}, {y:.4g})",
            size=5,
            alpha=0.6,
            **labels,
        )
        figure, hidden = figure.add(dots), {"legend": False, **labels}
        if len(c.finite_points) > 1:
            outline = ellipse(c.finite_points.mean(0), np.cov(c.finite_points.T))
            x, y = within_reach(domain, outline).T
            figure = figure.add(
                Line(x, y, Style(theme.page), uid=f"h{i}", width=5, **hidden),
                Line(x, y, Style(line_style.color), uid=f"e{i}", **hidden),
            )
        if c.theory is not None:
            x, y = ellipse(minimum[0], c.theory).T
            dashed = Style(theme.ink, (5, 4))
            figure = figure.add(Line(x, y, dashed, uid=f"t{i}", width=1.6, **hidden))
    return figure


def table(spec: Sensitivity, theme: Theme, all_clouds) -> Table:
    """How the runs of every optimizer end, and how they spread, also in theory."""
    columns = (
        "",
        Column(_("median loss"), 3),
        Column(_("loss, 90th percentile"), 3),
        Column(_("median distance"), 3),
        Column(_("std along"), 3),
        Column(_("in theory"), 3),
        Column(_("std across"), 3),
        Column(_("in theory"), 3),
        Column(_("diverged"), 3, percent=True),
    )
    rows = []
    for name, c in zip(spec.names, all_clouds, strict=True):
        thin, long = _deviations(np.cov(c.finite_points.T) if len(c.finite_points) > 1 else None)
        thin_theory, long_theory = _deviations(c.theory)
        quantiles = c.gaps[1, -1], c.gaps[2, -1], c.distances[1, -1]
        diverged = 1 - len(c.finite_points) / len(c.points)
        rows.append([name, *quantiles, long, long_theory, thin, thin_theory, diverged])
    title = _("How {n} runs end after {steps} steps")
    title = title.format(n=spec.runs, steps=spec.objective.steps)
    return Table(title, columns, rows, method_styles(spec.optimizers, theme))


def _deviations(covariance):
    """The least and the greatest standard deviation in any direction."""
    if covariance is None:
        return None, None
    return np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0))


def results(context: Context) -> list:
    """The bands, the cloud, the table."""
    spec, theme = context.spec, context.theme
    all_clouds = clouds(spec)
    notes = [] if spec.objective.noise else [_("**No noise is set**: all seeds give the same run.")]
    return [
        *notes,
        Row([bands(spec, theme, all_clouds), ends(spec, theme, all_clouds)], (6, 5)),
        table(spec, theme, all_clouds),
    ]


def ends_csv(context: Context) -> str:
    """Where every run ends."""
    spec = context.spec
    rows = (
        [name, spec.objective.seed + k, *point, gap]
        for name, c in zip(spec.names, clouds(spec), strict=True)
        for k, (point, gap) in enumerate(zip(c.points, c.values, strict=True))
    )
    return csv_text(["optimizer", "seed", "x", "y", "loss_above_minimum"], rows)


def notes(context: Context) -> Caption:
    """What bands and ellipses contain, and which theory is meant."""
    return Caption(
        _(
            "A band holds eight of ten runs; a solid ellipse holds 95% of the end points if they "
            "are normally distributed. The dashed ellipse is the theoretical one for a quadratic, "
            "once the start is forgotten: in a direction of curvature λ, with noise of variance "
            "σ², SGD's variance is ησ²/(λ(2 − ηλ)), Momentum's ησ²(1 + μ)/(λ(1 − μ)(2(1 + μ) − "
            "ηλ))."
        )
    )
