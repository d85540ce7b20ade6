"""One line on raw and on standardized data: clouds, curves over its angle, the loss over its weights, and numbers."""

from html import escape

import numpy as np

from optviz.experiments.standardization.spec import (
    MAX_ANGLE,
    RATES,
    Descent,
    Side,
    Standardization,
    arrival,
)
from optviz.plot import contour, layer, to_plotly
from optviz.plot.contour import Landscape
from optviz.plot.style import (
    Style,
    Theme,
    number,
    packed,
    style,
)

ANGLES = np.linspace(-MAX_ANGLE, MAX_ANGLE, 181)
GRID = 100  # points of the landscape across
WEIGHTS = ("weight w₁", "weight w₂")
LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1,
    "xanchor": "left",
    "yanchor": "bottom",
    "font": {"size": 12},
}


def look(i: int, theme: Theme) -> Style:
    """The look of the raw (0) and of the standardized (1) side; the clouds have the first two."""
    return style(3 - i, theme)


def clouds(side: Side, degrees: float, theme: Theme) -> dict:
    """The points, the best line, the turned one with its misses, and the origin, about which it turned."""
    line = side.turned(degrees)
    missed = side.misses(line)
    low, high = frame(side)
    data = [
        {
            "type": "scatter", "mode": "markers", "uid": f"class{k}", "name": f"class {k + 1}", "x": packed(at[:, 0]), "y": packed(at[:, 1]),
            "hoverinfo": "skip", "showlegend": False, "marker": {"symbol": kind.marker, "size": 6, "color": kind.color, "opacity": 0.8},
        }
        for k, label in enumerate((-1, 1))
        for kind, at in [(style(k, theme), side.x[side.y == label])]
    ]  # fmt: skip
    wrong = side.x[missed]
    data += [
        {
            "type": "scatter", "mode": "markers", "uid": "origin", "name": "origin", "x": [0.0], "y": [0.0], "hoverinfo": "skip",
            "marker": {"symbol": "cross-thin-open", "size": 18, "color": theme.ink, "line": {"width": 2.5, "color": theme.ink}},
        },
        {
            "type": "scatter", "mode": "markers", "uid": "missed", "name": "wrong side", "x": packed(wrong[:, 0]), "y": packed(wrong[:, 1]),
            "hoverinfo": "skip", "marker": {"symbol": "x-thin-open", "size": 7, "color": theme.ink, "line": {"width": 1.3, "color": theme.ink}},
        },
        _ruled("best", "best", side.line, low, high, {"color": theme.faint, "width": 2, "dash": "6px,5px"}),
        _ruled("turned", "turned", line, low, high, {"color": theme.ink, "width": 3}),
    ]  # fmt: skip
    axis = {"zeroline": False, "constrain": "range"}
    square = (
        (high - low)[1] < 3 * (high - low)[0] < 9 * (high - low)[1]
    )  # an angle is seen as large as it is
    layout = {
        "margin": {"l": 46, "r": 10, "t": 30, "b": 40}, "hovermode": False, "dragmode": "pan", "legend": LEGEND,
        "xaxis": {**axis, "range": [low[0], high[0]], "title": {"text": "feature x₁", "standoff": 4}},
        "yaxis": {**axis, "range": [low[1], high[1]], "title": {"text": "feature x₂", "standoff": 2}, **({"scaleanchor": "x"} if square else {})},
        "annotations": [_note(
            f"{side.name}: <b>{_percent(float(side.accuracy(line)))}</b> right, loss {number(float(side.loss(line)), 3)}", theme,
            _room(side, low, high),
        )],
    }  # fmt: skip
    return {"data": data, "layout": layout}


def remark(pair: tuple[Side, Side], degrees: float) -> str:
    """What the turn does to either side, in a sentence or two of Markdown."""
    raw, standard = pair
    best, here, there = (
        float(s.accuracy(s.turned(a))) for s, a in ((raw, 0.0), (raw, degrees), (standard, degrees))
    )
    told = (
        f"One and the same line gets **{_percent(best)}** right in both kinds of coordinates. Its weights turned by {number(degrees)}°, "
        f"it gets **{_percent(here)}** on raw and **{_percent(there)}** on standardized data."
    )
    if abs(here - there) < 0.01:
        told += " There is hardly a difference here."
    elif here > there:
        told += " Here the turn costs standardized data more."
    return told


def _large(value):
    """A number of which only the size counts."""
    return f"{value:,.0f}" if 100 <= value < 1e7 else number(value, 3)


def _percent(share):
    return f"{number(100 * share, 3)} %"


def over_angles(pair: tuple[Side, Side], degrees: float, field: str, theme: Theme) -> dict:
    """Accuracy or loss of the line over the angle by which it is turned, with a mark at the present one."""
    data = []
    for i, side in enumerate(pair):
        of, kind = getattr(side, field), look(i, theme)
        here = float(of(side.turned(degrees)))
        data += [
            _line(side.name, side.name, ANGLES, of(side.turned(ANGLES)), kind, "%{x:g}°: %{y:.4g}"),
            {
                "type": "scatter", "mode": "markers", "uid": f"{side.name}m", "name": side.name, "showlegend": False, "x": [degrees], "y": [here],
                "hoverinfo": "skip", "marker": {"symbol": kind.marker, "size": 13, "color": kind.color, "line": {"width": 2, "color": theme.ink}},
            },
        ]  # fmt: skip
    y = (
        {"range": [0, 1.03], "tickformat": ".0%", "title": {"text": "accuracy", "standoff": 2}}
        if field == "accuracy"
        else {
            "type": "log",
            "exponentformat": "power",
            "title": {"text": "logistic loss", "standoff": 2},
        }
    )
    x = {
        "range": [-MAX_ANGLE, MAX_ANGLE],
        "dtick": 15,
        "ticksuffix": "°",
        "title": {"text": "line turned by", "standoff": 4},
    }
    return {"data": data, "layout": _axes(x, y)}


def landscape(side: Side, theme: Theme) -> dict:
    """The loss over the two weights as a contour; levels in equal ratios, on both sides."""
    return layer(contour.landscape(Landscape.of(side.f, GRID), theme, log=True))


def path(side: Side, descent: Descent, theme: Theme, i: int) -> dict:
    """The descent from zero to the best weights, over the contour."""
    run = descent.run
    tracks = [
        (side.name, f"rate {number(descent.rate, 3)}", run.points, run.values, look(i, theme))
    ]
    figure = to_plotly(contour.paths(side.f, side.f.start, tracks, side.line[None, :2], theme))
    for axis, title in zip(("xaxis", "yaxis"), WEIGHTS, strict=True):
        figure["layout"][axis]["title"]["text"] = title
    condition = f"{side.name}: condition number <b>{_large(side.curvature.condition)}</b>"
    figure["layout"]["annotations"] = [_note(condition, theme, right=False)]
    return figure


def along(pair: tuple[Side, Side], descents: list[Descent], theme: Theme) -> dict:
    """How far the weights are from the best ones, step by step."""
    data = [
        _line(side.name, side.name, np.arange(len(off)), off, look(i, theme), "step %{x}: %{y:.3g}")
        for i, (side, descent) in enumerate(zip(pair, descents, strict=True))
        for off in [np.maximum(descent.off(side), 1e-16)]
    ]
    x = {"title": {"text": "step", "standoff": 4}, "range": [0, len(descents[0].run.points) - 1]}
    lowest = min(
        float(np.nanmin(np.maximum(d.off(s), 1e-16))) for s, d in zip(pair, descents, strict=True)
    )
    low = max(np.log10(lowest), -8.0)
    y = {"type": "log", "exponentformat": "power", "range": [low - 0.3, 1.2], "nticks": 6,
         "title": {"text": "weights off by", "standoff": 2}}  # fmt: skip
    return {"data": data, "layout": _axes(x, y)}


def arrived(pair: tuple[Side, Side], descents: list[Descent]) -> str:
    """How far either descent has come, in a sentence of Markdown."""
    off = [f"**{_percent(float(d.off(s)[-1]))}**" for s, d in zip(pair, descents, strict=True)]
    steps = len(descents[0].run.points) - 1
    return (
        f"After {steps} {'step' if steps == 1 else 'steps'} the weights are {off[0]} of their length away from the best ones "
        f"on raw data, and {off[1]} on standardized data."
    )


def over_rates(pair: tuple[Side, Side], descents: list[Descent], theme: Theme) -> dict:
    """How much loss above the least is left after the steps, over the rate, with a mark at the rate that is used."""
    data = []
    for i, (side, descent) in enumerate(zip(pair, descents, strict=True)):
        kind = look(i, theme)
        left = np.clip(
            np.where(np.isfinite(descent.ends), descent.ends, np.inf) - side.least, 1e-10, 1e3
        )
        end = float(
            np.clip(np.nan_to_num(descent.run.values[-1], nan=np.inf) - side.least, 1e-10, 1e3)
        )
        data += [
            _line(side.name, side.name, RATES, left, kind, "rate %{x:.3g}: %{y:.3g}"),
            {
                "type": "scatter", "mode": "markers", "uid": f"{side.name}m", "name": side.name, "showlegend": False, "x": [descent.rate], "y": [end],
                "hoverinfo": "skip", "marker": {"symbol": kind.marker, "size": 13, "color": kind.color, "line": {"width": 2, "color": theme.ink}},
            },
        ]  # fmt: skip
    x = {
        "type": "log",
        "exponentformat": "power",
        "title": {"text": "learning rate", "standoff": 4},
    }
    y = {"type": "log", "exponentformat": "power", "title": {"text": "excess loss", "standoff": 2}}
    return {"data": data, "layout": _axes(x, y)}


TURNED = (
    "",
    "best line",
    "turned",
    "loss, best line",
    "loss, turned",
    "w₁",
    "w₂",
    "bias",
    "from the origin",
)


def turned_rows(pair: tuple[Side, Side], scaling: Standardization) -> list[list]:
    """A row for each side: accuracies, losses, the best line and how far its points are from the origin."""
    return [
        [
            side.name, float(side.accuracy(side.line)), float(side.accuracy(turned)), float(side.loss(side.line)), float(side.loss(turned)),
            *map(float, side.line), round(float(np.hypot(*side.x.mean(0))), 9),
        ]
        for side in pair
        for turned in [side.turned(scaling.angle)]
    ]  # fmt: skip


DESCENDED = (
    "", "λ least", "λ largest", "condition number", "with the bias", "rate", "loss at the end", "least loss", "weights off by", "within 1 % at",
)  # fmt: skip


def descended_rows(pair: tuple[Side, Side], descents: list[Descent]) -> list[list]:
    """A row for each side: the Hessian's eigenvalues at the minimum, their ratio, and how the descent ended."""
    return [
        [
            side.name, side.curvature.low, side.curvature.high, side.curvature.condition, side.condition, descent.rate,
            float(descent.run.values[-1]), side.least, float(off[-1]), arrival(off),
        ]
        for side, descent in zip(pair, descents, strict=True)
        for off in [descent.off(side)]
    ]  # fmt: skip


def table(
    headings, rows: list[list], label: str, looks: list[Style], shares: tuple[int, ...] = ()
) -> str:
    """Rows as HTML, in the looks of the sides; columns in `shares` are per cent."""
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in headings)
    body = "".join(
        f'<tr><th scope="row" style="border-left: 0.35rem solid {kind.color}">{escape(row[0])}</th>'
        + "".join(
            f"<td>{number(100 * v, 3)} %</td>"
            if k in shares and v is not None
            else f"<td>{number(v)}</td>"
            for k, v in enumerate(row[1:], 1)
        )
        + "</tr>"
        for row, kind in zip(rows, looks, strict=True)
    )
    return (
        f'<div class="ov-table" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _note(text, theme, right=True):
    """A line of text in a lower corner of a picture, where it changes with what is drawn."""
    return {
        "text": text, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.985 if right else 0.015, "y": 0.025,
        "xanchor": "right" if right else "left", "yanchor": "bottom", "font": {"size": 15, "color": theme.ink},
        "bgcolor": theme.high, "opacity": 0.9, "borderpad": 2,
    }  # fmt: skip


def _room(side, low, high):
    """Whether there is more room for a note on the right than on the left, at the bottom of the picture."""
    middle = (low + high) / 2
    below = side.x[side.x[:, 1] < middle[1], 0]
    return 2 * int((below > middle[0]).sum()) <= len(below)


def frame(side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner of a picture that holds the points and the origin."""
    low, high = np.minimum(side.x.min(0), 0), np.maximum(side.x.max(0), 0)
    margin = 0.08 * (high - low)
    return low - margin, high + margin


def foot(line) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The point of a line nearest to the origin, and the unit vector along it; Nones where it has no weights."""
    w, b = line[:2], line[2]
    size = float(np.hypot(*w))
    return (-b * w / size**2, np.array([-w[1], w[0]]) / size) if size else (None, None)


def _ruled(uid, name, line, low, high, pen):
    """Where the line's model is undecided, drawn well beyond the frame: who drags the picture sees it go on."""
    at, way = foot(line)
    ends = np.full((2, 2), np.nan)
    if at is not None:
        margin = 4 * float(np.hypot(*(high - low))) + float(np.hypot(*at))
        ends = at + np.array([[-margin], [margin]]) * way
    return {
        "type": "scatter", "mode": "lines", "uid": uid, "name": name, "x": packed(ends[:, 0]), "y": packed(ends[:, 1]),
        "hoverinfo": "skip", "line": {**pen, "simplify": False},
    }  # fmt: skip


def _line(uid, name, x, y, kind: Style, told):
    return {
        "type": "scatter", "mode": "lines", "uid": uid, "name": name, "x": packed(x), "y": packed(y),
        "hovertemplate": f"{name}, {told}<extra></extra>", "line": {"color": kind.color, "dash": kind.dash, "width": 2.4, "simplify": False},
    }  # fmt: skip


def _axes(x, y):
    return {
        "margin": {"l": 62, "r": 12, "t": 30, "b": 42}, "hovermode": "closest", "dragmode": "pan", "legend": LEGEND,
        "xaxis": {"zeroline": False, **x}, "yaxis": {"zeroline": False, **y},
    }  # fmt: skip
