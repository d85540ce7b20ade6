"""A scene of the schedules page in the size of a stamp."""

from dataclasses import replace

import numpy as np

from optviz.experiments.lr_schedules.figures import DEEP, apart
from optviz.experiments.lr_schedules.spec import ScheduleComparison, rates, read
from optviz.plot.style import Theme, style
from optviz.plot.thumbnail import GLIMPSE, HEIGHT, WIDTH
from optviz.training import advance, begin, load


def stamp(scene: ScheduleComparison, theme: Theme) -> str:
    """The rates of all optimizers, or the smoothed loss of a short range test; an SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
    ]
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>')
    for i, (x, y) in enumerate(_tested(scene) if scene.view == "range" else _planned(scene)):
        look = style(i, theme)
        points = [
            f"{12 + (WIDTH - 24) * a:.1f},{HEIGHT - 14 - (HEIGHT - 28) * b:.1f}"
            for a, b in zip(x, y, strict=True)
        ]
        dashes = f' stroke-dasharray="{" ".join(map(str, look.dashes))}"' if look.dashes else ""
        if points:
            parts.append(
                f'<path d="M{"L".join(points)}" fill="none" stroke="{look.color}" stroke-width="2.5"{dashes}/>'
            )
    return "".join([*parts, "</svg>"])


def _planned(scene):
    """Each optimizer's rate over the iterations, both as shares of the picture."""
    planned = [rates(config, max(scene.iterations, 1)) for config in scene.optimizers]
    top = max((float(r.max()) for r in planned), default=1.0)
    for r in planned:
        at = np.unique(np.linspace(0, len(r) - 1, 240).astype(int))
        share = r[at] / top
        yield (
            at / max(len(r) - 1, 1),
            1 - np.log10(np.maximum(share, DEEP)) / np.log10(DEEP) if apart(planned) else share,
        )


def _tested(scene):
    test = replace(scene, seeds=scene.seeds[:1], test=replace(scene.test, steps=GLIMPSE)).tested
    data = load(test)
    reading = read(
        rates(test.optimizer, GLIMPSE), advance(begin(test, data), data, GLIMPSE).loss[:, 0]
    )
    known = np.isfinite(reading.smooth)
    low, high = np.log10(scene.test.low), np.log10(scene.test.high)
    top = max(float(reading.smooth[known].max(initial=0)), 1e-9)
    return [((np.log10(reading.rates[known]) - low) / (high - low), reading.smooth[known] / top)]
