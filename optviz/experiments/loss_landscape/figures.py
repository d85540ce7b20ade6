"""The loss over a plane through a network's weights: contour, surface, the loss along the paths, and all that in words."""

import csv
import io
from dataclasses import replace
from html import escape

import numpy as np

from optviz.experiments.loss_landscape.spec import (
    Curvature,
    LossLandscape,
    LossSurface,
    survey_on,
)
from optviz.experiments.loss_landscape.spec import loss_surface as laid
from optviz.plot import contour, layer, to_plotly, to_svg
from optviz.plot.contour import Landscape, Path
from optviz.plot.style import (
    Style,
    Theme,
    number,
    packed,
    style,
)
from optviz.plot.surface import surface as surface_mark
from optviz.plot.surface import surface_figure
from optviz.plot.thumbnail import curves_thumbnail
from optviz.training import load, train

AXES = {
    "pca": ("along the paths’ first direction", "along their second"),
    "random": ("first random direction", "second random direction"),
}
UNITS = {
    "pca": "length in the space of all weights",
    "random": "1 is as long as each unit’s own weights",
}
FLAT = 1e-4  # of the loss
GLIMPSE = 150  # iterations whose paths a stamp shows
NOBODY = np.empty((0, 2))  # minima that are known beforehand


def land(loss_surface: LossSurface) -> Landscape:
    """The grid as a landscape, for the helpers of the two-dimensional pages; flat where it is but for rounding."""
    z = loss_surface.z
    return Landscape.on(
        loss_surface.x, loss_surface.y, np.full_like(z, np.nanmean(z)) if flat(z) else z
    )


def flat(z) -> bool:
    """Whether a grid's differences are too small to be drawn as hills and valleys."""
    known = z[np.isfinite(z)]
    return bool(known.size and np.ptp(known) <= FLAT * abs(known).max())


def ground(loss_surface: LossSurface, theme: Theme, solid: bool, log: bool | None = None) -> dict:
    """What lies under the paths: filled contour lines, or the surface. `log` None follows the data."""
    if solid:
        return layer(surface_mark(land(loss_surface), theme, log))
    return layer(contour.landscape(land(loss_surface), theme, log, "loss"))


def _tracks(loss_surface, looks, values):
    return [
        Path(f"p{i}", name, at, v, look)
        for i, (name, at, v, look) in enumerate(
            zip(
                loss_surface.loss_landscape.names,
                loss_surface.projected,
                values,
                looks,
                strict=True,
            )
        )
        if len(at)
    ]


def paths(loss_surface: LossSurface, looks: list[Style], theme: Theme) -> dict:
    """The paths on the contour, from their start to their ends, in the looks of their optimizers."""
    tracks = _tracks(loss_surface, looks, loss_surface.true)
    start = tracks[0][2][0] if tracks else (0.0, 0.0)
    figure = to_plotly(contour.paths(loss_surface, start, tracks, NOBODY, theme))
    iterations = {f"p{i}": path.iterations.tolist() for i, path in enumerate(loss_surface.paths)}
    for trace in figure["data"]:
        if trace["uid"] in iterations:
            trace["text"] = [f"{t}" for t in iterations[trace["uid"]]]
            trace["hovertemplate"] = (
                "%{fullData.name}, iteration %{text}<br>loss %{customdata:.4g}<extra></extra>"
            )
    kind = loss_surface.loss_landscape.plane
    for axis, title, share in zip(("xaxis", "yaxis"), AXES[kind], loss_surface.shares, strict=True):
        told = f"{title} ({percent(share)} of the way)" if kind == "pca" else title
        figure["layout"][axis]["title"]["text"] = told
    return figure


def solid(
    loss_surface: LossSurface,
    looks: list[Style],
    theme: Theme,
    log: bool | None = None,
    true: bool = False,
) -> dict:
    """The paths on the surface, or with `true` as high as they really were, above or below it."""
    tracks = _tracks(loss_surface, looks, loss_surface.true if true else loss_surface.on_plane)
    figure = to_plotly(
        surface_figure(loss_surface.domain, land(loss_surface), tracks, (NOBODY, []), theme, log)
    )
    scene = figure["layout"]["scene"]
    for axis, title in zip(
        ("xaxis", "yaxis", "zaxis"), ("first direction", "second direction", "loss"), strict=True
    ):
        scene[axis]["title"]["text"] = title
    return figure


def along(loss_surface: LossSurface, looks: list[Style]) -> dict:
    """The loss where each path really was, and faint the loss on the plane below it, over the iterations."""
    data = []
    for i, (name, path, look) in enumerate(
        zip(loss_surface.loss_landscape.names, loss_surface.paths, looks, strict=True)
    ):
        x = packed(path.iterations)
        for uid, told, values, width, opacity in (
            (f"l{i}p", f"{name}, on the plane", loss_surface.on_plane[i], 1.4, 0.55), (f"l{i}", name, loss_surface.true[i], 2.4, 1.0),
        ):  # fmt: skip
            true = uid == f"l{i}"
            data.append(
                {
                    "type": "scatter", "mode": "lines", "uid": uid, "name": name, "legendgroup": name, "showlegend": true,
                    "x": x, "y": packed(_positive(values)), "opacity": opacity, "hovertemplate": f"{told}: %{{y:.4g}}<extra></extra>",
                    "line": {"color": look.color, "dash": look.dash if true else "solid", "width": width, "simplify": False}, "meta": {"trail": True},
                }
            )  # fmt: skip
        some = np.unique(np.linspace(0, max(len(path.iterations) - 1, 0), 8).astype(int))[
            : len(path.iterations)
        ]
        data.append(
            {
                "type": "scatter", "mode": "markers", "uid": f"l{i}m", "name": name, "legendgroup": name, "showlegend": False,
                "x": packed(path.iterations[some]), "y": packed(_positive(loss_surface.true[i])[some]), "hoverinfo": "skip",
                "customdata": packed(some), "meta": {"of": f"l{i}", "head": len(some) - 1},
                "marker": {"symbol": look.marker, "size": 8, "color": look.color},
            }
        )  # fmt: skip
    layout = {
        "margin": {"l": 62, "r": 12, "t": 30, "b": 42}, "hovermode": "x", "dragmode": "pan",
        "xaxis": {
            "title": {"text": "iteration", "standoff": 4}, "range": [0, max(loss_surface.loss_landscape.race.iterations, 1)], "zeroline": False,
        },
        "yaxis": {
            "type": "log", "exponentformat": "power", **_tall(loss_surface), "title": {"text": "loss (faint: on the plane)"}, "zeroline": False,
        },
        "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _tall(loss_surface):
    """A range of its own for the axis where the losses hardly differ, so that little does not look like much."""
    known = np.concatenate([*loss_surface.true, *loss_surface.on_plane])
    known = known[known > 0]
    if not known.size or known.max() > 1.5 * known.min():
        return {}
    return {"range": [float(np.log10(known.min() / 1.5)), float(np.log10(known.max() * 1.5))]}


def _positive(values):
    """A loss of exactly 0 has no place on a logarithmic axis: the line has a gap there."""
    return np.where(values > 0, values, np.nan)


def percent(share: float) -> str:
    """A share for reading: whole percents, and of small ones what there is."""
    return f"{number(100 * share, 2)} %" if share < 0.995 else "100 %" if share > 0.9995 else "99 %"


HEADINGS = (
    "", "iteration", "loss there", "loss on the plane below", "distance from the plane", "distance from the start", "status"
)  # fmt: skip


def table(loss_surface: LossSurface, looks: list[Style]) -> str:
    """Where every path ends: on the plane, off it, and how high."""
    body = []
    for i, (name, path, look) in enumerate(
        zip(loss_surface.loss_landscape.names, loss_surface.paths, looks, strict=True)
    ):
        if len(path.iterations):
            from_start = np.sqrt(((path.params[-1] - path.params[0]) ** 2).sum())
            cells = [f"{path.iterations[-1]}", *(number(v, 3) for v in (
                loss_surface.true[i][-1], loss_surface.on_plane[i][-1], loss_surface.off[i][-1] if loss_surface.off[i][-1] > 1e-9 else 0.0, from_start,
            ))]  # fmt: skip
        else:
            cells = ["–"] * 5
        status = (
            f"diverged at iteration {path.lost}" if path.lost >= 0
            else "in the middle of the plane" if i == loss_surface.loss_landscape.middle else "trained"
        )  # fmt: skip
        row = "".join(f"<td>{c}</td>" for c in [*cells, status])
        body.append(
            f'<tr><th scope="row" style="border-left: 0.35rem solid {look.color}">{escape(name)}</th>{row}</tr>'
        )
    head = "".join(f'<th scope="col">{h}</th>' for h in HEADINGS)
    return (
        '<div class="ov-table" tabindex="0" role="region" aria-label="Where every path ends">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def shown(loss_surface: LossSurface) -> str:
    """What the plane holds of the paths, and of the loss, in two sentences or three."""
    first, second = loss_surface.shares
    known = loss_surface.z[np.isfinite(loss_surface.z)]
    least = (
        f" On it the loss goes from {number(known.min(), 3)} to {number(known.max(), 3)}."
        if known.size
        else ""
    )
    if flat(loss_surface.z):
        least = f" **On it the loss is the same everywhere**, {number(known.mean(), 3)}: it differs by {number(np.ptp(known), 1)} at most."
    if not known.size:
        least = " **Nowhere on it is the loss finite.**"
    elif known.size < loss_surface.z.size:
        least += " In the holes it is not finite."
    weights = f"{loss_surface.loss_landscape.race.network.size:,} weights and biases"
    if loss_surface.loss_landscape.plane == "random":
        return (
            f"**Two random directions** among {weights} hold {percent(first + second)} of how far the paths lie from the middle: "
            f"they are at right angles to nearly everything, the paths too, which shrink to a point.{least}"
        )
    straight = (
        " The paths are straight: the second direction is a random one." if second < 1e-9 else ""
    )
    return (
        f"**Of {weights} the picture shows two directions**, along which the paths moved most. They hold {percent(first)} and "
        f"{percent(second)} of how far the paths lie from the middle; the rest of the way is off the picture.{straight}{least}"
    )


def bowl(loss_surface: LossSurface, bend: Curvature, sharpest: float) -> str:
    """The plane at its middle as a bowl, and the sharpest direction of all, which limits the rate of plain descent."""
    if not np.isfinite(bend.largest):
        return "Around the middle the loss is not finite, so nothing can be said of its curvature."
    pair = f"{number(bend.largest, 3)} across and {number(bend.least, 3)} along"
    if bend.least > 0:
        text = (
            f"**Around the middle the plane is a bowl of condition number {number(bend.condition, 2)}**: its second derivatives are "
            f"{pair}. The stretched bowl of the trajectories has 20."
        )
    elif bend.largest > 0:
        text = f"**Around the middle the plane is no bowl**: along one direction it does not bend upwards (second derivatives {pair})."
    else:
        text = f"**Around the middle the plane does not bend upwards at all** (second derivatives {pair})."
    if not (np.isfinite(sharpest) and sharpest > 0):
        return text
    limit = 2 / sharpest
    text += (
        f" Among all directions, also those off the picture, the sharpest has {number(sharpest, 3)}: in a bowl like that plain descent "
        f"with a rate above 2/{number(sharpest, 3)} = {number(limit, 2)} would not come to rest"
    )
    part = loss_surface.loss_landscape.race.optimizers[loss_surface.loss_landscape.middle].method
    return text + (
        f"; SGD here has {number(part.values['lr'], 2)}."
        if part.key == "sgd" and "lr" in part.values
        else "."
    )


def thumbnail(loss_landscape: LossLandscape, theme: Theme) -> str:
    """The landscape of a terrain as a stamp, quickly worked out for it; the curves where there is none."""
    rough = replace(
        loss_landscape, resolution=min(loss_landscape.resolution, 25), n_samples=min(loss_landscape.n_samples, 100),
        race=replace(loss_landscape.race, iterations=min(loss_landscape.race.iterations, GLIMPSE)),
    )  # fmt: skip
    data = load(rough.trainings[0])
    try:
        now = laid(rough, [list(train(t, data))[-1] for t in rough.trainings])
    except ValueError:
        return curves_thumbnail(rough.trainings, theme)
    while not now.whole:
        now = survey_on(now, data)
    tracks = _tracks(now, [style(i, theme) for i in range(len(now.projected))], now.true)
    start = now.projected[rough.middle][0]
    drawn = contour.paths(now, start, tracks, NOBODY, theme, markers=0)
    return to_svg(drawn.add(contour.landscape(land(now), theme), under=True), theme)


def grid_csv(loss_surface: LossSurface) -> str:
    """The loss at every point of the grid, in full precision; empty where it is not finite."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["first", "second", "loss"])
    for y, row in zip(loss_surface.y.tolist(), loss_surface.z.tolist(), strict=True):
        for x, loss in zip(loss_surface.x.tolist(), row, strict=True):
            write([repr(x), repr(y), repr(loss) if np.isfinite(loss) else ""])
    return out.getvalue()


def paths_csv(loss_surface: LossSurface) -> str:
    """Every kept point of every path: where it is on the plane, how far off it, and both losses."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(
        [
            "optimizer",
            "iteration",
            "first",
            "second",
            "distance_from_plane",
            "loss",
            "loss_on_plane",
        ]
    )
    for i, (name, path) in enumerate(
        zip(loss_surface.loss_landscape.names, loss_surface.paths, strict=True)
    ):
        columns = (
            loss_surface.projected[i].tolist(),
            loss_surface.off[i].tolist(),
            loss_surface.true[i].tolist(),
            loss_surface.on_plane[i].tolist(),
        )
        for t, at, *rest in zip(path.iterations.tolist(), *columns, strict=True):
            write([name, t, *(repr(v) if np.isfinite(v) else "" for v in (*at, *rest))])
    return out.getvalue()
