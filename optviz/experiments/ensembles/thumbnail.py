"""The stamp of an ensembles scene: networks and their answer together, cycles with their snapshots, or an average."""

from dataclasses import replace

import numpy as np

from optviz.experiments.ensembles.spec import Ensembles
from optviz.optim.schedules import SCHEDULES
from optviz.plot.style import Theme, style
from optviz.plot.thumbnail import GLIMPSE, HEIGHT, WIDTH
from optviz.training import load, train

ROWS = 300  # of the test, on which a stamp measures


def stamp(ensembles: Ensembles, theme: Theme) -> str:
    """A small SVG of the method that the scene looks at, quickly trained for it where it needs that."""
    strong, single = style(0, theme).color, style(1, theme).color
    drawn = {"independent": _independent, "snapshots": _cycles, "averaging": _averaged}[ensembles.view](ensembles)
    values = np.concatenate([y[np.isfinite(y)] for y, _ in drawn] or [np.zeros(1)])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>')
    looks = {"member": (theme.faint, 1.0), "single": (single, 1.6), "strong": (strong, 3.0)}
    for y, kind in drawn:
        color, width = looks[kind]
        at = _on_paper(y, low, high)
        if len(at) > 1:
            line = "L".join(f"{a:.1f},{b:.1f}" for a, b in at)
            parts.append(f'<path d="M{line}" fill="none" stroke="{color}" stroke-width="{width}"/>')
    if ensembles.view == "snapshots":
        curve = _on_paper(drawn[0][0], low, high)
        for t in ensembles.ends:
            x, y = curve[min(len(curve) - 1, round(t / ensembles.iterations * (len(curve) - 1)))]
            parts.append(f'<circle cx="{x:.1f}" cy="{max(y, HEIGHT - 14):.1f}" r="5" fill="{strong}"/>')
    return "".join([*parts, "</svg>"])


def _on_paper(y, low, high):
    x = np.linspace(12, WIDTH - 12, len(y))
    level = HEIGHT - 14 - (HEIGHT - 28) * (y - low) / ((high - low) or 1.0)
    return np.stack([x, level], -1)[np.isfinite(y)]


def _trained(ensembles, method, eval_every):
    training = ensembles.training(method, ensembles.noises[0])
    short = replace(training, iterations=min(training.iterations, GLIMPSE), eval_every=eval_every, snapshot_every=0)
    data = load(short)
    *_, now = train(short, data._replace(x_test=data.x_test[:ROWS], t_test=data.t_test[:ROWS]))
    return now


def _independent(ensembles):
    now = _trained(ensembles, "independent", 10)
    return [*((y, "member") for y in now.accuracy[:, 1, 0].T), (now.ensemble_accuracy[:, 1, 0], "strong")]


def _cycles(ensembles):
    factor = ensembles.training("snapshots", 0.0).optimizer.schedules["lr"].build(SCHEDULES)
    at = np.linspace(0, ensembles.iterations - 1, WIDTH).astype(int)
    return [(np.array([factor(t) for t in at]), "single")]


def _averaged(ensembles):
    """One run and its average, which in so short a training forgets as much as it does in the whole one."""
    quick = replace(ensembles, members=1, decay=ensembles.decay ** max(1, ensembles.iterations / GLIMPSE))
    return [
        (_trained(quick, method, 2).accuracy[:, 1, 0, 0], kind)
        for method, kind in (("independent", "single"), ("averaging", "strong"))
    ]
