"""A scene in the size of a stamp: an SVG that needs no script."""

from dataclasses import replace

import numpy as np

from optviz.plot.style import Theme, style
from optviz.training import (
    advance,
    begin,
    load,
    smoothed,
)

WIDTH, HEIGHT = 240, 150
GLIMPSE = 80  # iterations of a training that a stamp shows


def curves_thumbnail(trainings, theme: Theme) -> str:
    """The smoothed loss of the first GLIMPSE iterations of each training and initializer: quickly trained for it."""
    curves = []
    for training in trainings:
        short = replace(training, iterations=min(training.iterations, GLIMPSE), seeds=training.seeds[:1], snapshot_every=0)
        data = load(short)
        curves += list(smoothed(advance(begin(short, data), data, short.iterations).loss[..., 0]).T)
    top = max([float(np.nanmax(c)) for c in curves if np.isfinite(c).any()] or [1.0])
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>')
    for i, curve in enumerate(curves):
        look, x = style(i, theme), np.linspace(12, WIDTH - 12, len(curve))
        y = HEIGHT - 14 - (HEIGHT - 28) * np.clip(curve / top, 0, 1)
        line = "L".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
        dashes = f' stroke-dasharray="{" ".join(map(str, look.dashes))}"' if look.dashes else ""
        if line:
            parts.append(f'<path d="M{line}" fill="none" stroke="{look.color}" stroke-width="2.5"{dashes}/>')
    return "".join([*parts, "</svg>"])
