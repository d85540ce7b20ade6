"""What regularizers against overfitting do: the gap of each, their differences seed by seed, their weights."""

from dataclasses import replace

import numpy as np

from optviz.experiments.regularization.spec import Regularization, outcomes, paired
from optviz.plot.old_training import (
    ALONG,
    Line,
    Scale,
    over_seeds,
)
from optviz.plot.style import Theme, packed, style
from optviz.plot.thumbnail import HEIGHT, WIDTH
from optviz.training import advance, begin, load

BINS = 81  # of the weights' histogram
LONG = 24  # characters of a name that stand over a small picture
LEGEND = {
    "orientation": "h",
    "x": 0,
    "y": 1,
    "xanchor": "left",
    "yanchor": "bottom",
    "font": {"size": 12},
}
MARGIN = {"l": 56, "r": 12, "t": 30, "b": 42}


def gap(line: Line, scale: Scale, theme: Theme, noise: float = 0.0) -> dict:
    """Training (thin) and test (in its look) accuracy of one network, and the gap between them hatched.

    Medians over the seeds, with a band from the least to the largest. With wrong labels a dotted line is where
    somebody would stand who has learned the right ones and no other.
    """
    now, data = line.progress, []
    x = scale.of(now, now.evaluated)
    known, look = over_seeds(now.accuracy[:, 0, line.i]), line.look
    unseen = over_seeds(now.accuracy[:, 1, line.i])
    data.append(_between(f"{line.id}gap", x, known[0], unseen[0], look.color, 0.5, hatched=True))
    for part, curve, color in (("training", known, theme.faint), ("test", unseen, look.color)):
        if now.accuracy.shape[-1] > 1:
            data.append(_between(f"{line.id}{part}b", x, curve[2], curve[1], color, 0.22))
        own = part == "test"
        data.append({
            "type": "scatter", "mode": "lines+markers" if own else "lines", "uid": f"{line.id}{part}", "name": part, "x": packed(x), "y": packed(curve[0]),
            "line": {"color": color, "width": 2.6 if own else 1.6, "dash": look.dash if own else "solid"},
            **({"marker": {"symbol": look.marker, "size": 7, "color": color, "maxdisplayed": 7}} if own else {}),
            "hovertemplate": f"{part}: %{{y:.1%}}<extra></extra>",
        })  # fmt: skip
    long = len(line.name) > LONG
    title = "<br>+ ".join(line.name.rsplit(" + ", 1)) if len(line.name) > 1.5 * LONG else line.name
    notes = [
        _note(0, 1, f"<b>{title}</b>", theme.ink, 11 if long else 13, ("left", "bottom"))
        | {"xshift": -50 if long else 0, "align": "left"}
    ]
    last = known[0][-1] - unseen[0][-1] if len(x) else np.nan
    if np.isfinite(last) and now.evaluated[-1]:
        told = f"gap <b>{100 * last:.1f}</b> points".replace("-", "−")
        notes.append(_note(0.98, 0.5, told, theme.ink, 13, ("right", "middle")))
    if noise:
        data.append({
            "type": "scatter", "mode": "lines", "uid": f"{line.id}right", "name": "right labels, no wrong one", "showlegend": False, "x": [0, scale.end or 1], "y": [1 - noise] * 2,
            "line": {"color": theme.ink, "width": 1.3, "dash": "2px,3px"}, "hoverinfo": "skip",
        })  # fmt: skip
    layout = {
        "margin": {**MARGIN, "l": 60}, "hovermode": "x", "dragmode": "pan", "annotations": notes,
        "xaxis": _along(scale), "yaxis": {"range": [0, 1.04], "tickformat": ".0%", "zeroline": False, "title": {"text": "accuracy", "standoff": 4}},
        "legend": {"orientation": "h", "x": 1, "y": 0.02, "xanchor": "right", "yanchor": "bottom", "font": {"size": 11}, "bgcolor": "rgba(0,0,0,0)"},
        "showlegend": True,
    }  # fmt: skip
    return {"data": data, "layout": layout}


def tests(lines: list[Line], scale: Scale) -> dict:
    """The test accuracy of all, enlarged: it is what counts."""
    data, shown = [], []
    for line in lines:
        now = line.progress
        x, curve, look = (
            scale.of(now, now.evaluated),
            over_seeds(now.accuracy[:, 1, line.i]),
            line.look,
        )
        if now.accuracy.shape[-1] > 1:
            data.append(_between(f"{line.id}b", x, curve[2], curve[1], look.color, 0.15, line.name))
        data.append({
            "type": "scatter", "mode": "lines+markers", "uid": f"{line.id}test", "name": line.name, "legendgroup": line.name, "x": packed(x),
            "y": packed(curve[0]), "line": {"color": look.color, "width": 2.6, "dash": look.dash},
            "marker": {"symbol": look.marker, "size": 8, "color": look.color, "maxdisplayed": 8},
            "hovertemplate": f"{line.name}: %{{y:.1%}}<extra></extra>",
        })  # fmt: skip
        shown += [
            curve[i][k]
            for k in range(len(x))
            if 4 * now.evaluated[k] >= now.iteration > 0
            for i in (1, 2)
        ]
    shown = [v for v in shown if np.isfinite(v)]
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    room = max(0.1 * (high - low), 0.01)
    layout = {
        "margin": MARGIN, "hovermode": "x", "dragmode": "pan", "legend": LEGEND, "showlegend": True, "xaxis": _along(scale),
        "yaxis": {"range": [max(low - room, -0.01), min(high + room, 1.02)], "tickformat": ".0%", "zeroline": False,
                  "title": {"text": "test accuracy (enlarged)"}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def differences(lines: list[Line], theme: Theme) -> dict:
    """Test accuracy less that of the first network with the same seed: a mark for each seed, a bar for the median."""
    (iteration, (first, *others)), data, most = (
        outcomes([line.progress for line in lines]),
        [],
        0.01,
    )
    for k, (line, own) in enumerate(zip(lines[1:], others, strict=True)):
        found, look = paired(first, own), line.look
        if not iteration or not len(found.tests):
            continue
        most = max(most, float(np.abs(found.tests).max()))
        spots = k + np.linspace(-0.2, 0.2, len(found.tests)) * (len(found.tests) > 1)
        data += [
            {
                "type": "bar", "uid": f"{line.id}median", "name": line.name, "x": [k], "y": [found.test], "width": 0.7,
                "marker": {"color": look.color, "opacity": 0.3}, "hovertemplate": f"{line.name}: median %{{y:+.1%}}<extra></extra>",
            },
            {
                "type": "scatter", "mode": "markers", "uid": f"{line.id}seeds", "name": line.name, "x": packed(spots), "y": packed(found.tests),
                "marker": {"symbol": look.marker, "size": 10, "color": look.color, "line": {"width": 1.2, "color": theme.ink}},
                "hovertemplate": f"{line.name}: %{{y:+.1%}}<extra></extra>",
            },
        ]  # fmt: skip
    layout = {
        "margin": {**MARGIN, "l": 70}, "hovermode": "closest", "dragmode": "pan", "showlegend": False,
        "xaxis": {"tickvals": list(range(len(lines) - 1)), "ticktext": [_folded(line.name) for line in lines[1:]], "range": [-0.5, max(len(lines) - 1.5, 0.5)],
                  "zeroline": False, "fixedrange": True},
        "yaxis": {"range": [-1.15 * most, 1.15 * most], "tickformat": "+.1%", "zeroline": True, "zerolinecolor": theme.ink, "zerolinewidth": 1.5,
                  "title": {"text": "difference in test accuracy"}},
        "annotations": [_note(0, 1, f"test accuracy less that of <b>{lines[0].name}</b> with the same seed", theme.ink, 12, ("left", "bottom"))],
    }  # fmt: skip
    return {"data": data, "layout": layout}


def histograms(
    lines: list[Line], weights: list[np.ndarray], start: np.ndarray, theme: Theme
) -> dict:
    """How many weights are how large, all layers and seeds together, on a logarithmic scale; and before the training.

    `weights` holds for each line its `(S, n)`, `start` is that of them all. Bins are of one width, one of them about 0.
    """
    finite = [w[np.isfinite(w).all(-1)] for w in weights]
    largest = [float(np.abs(w).max()) for w in (start, *finite) if w.size]
    margin = min(max(largest), 10 * (largest[0] or 1.0)) or 1.0
    edges = np.linspace(-margin, margin, BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2

    def outline(uid, name, w, line, more):
        share = (
            np.maximum(np.histogram(w, edges)[0], 1e-3) / w.size
        )  # an empty bin is below the frame
        return {
            "type": "scatter", "mode": "lines", "uid": uid, "name": name, "x": packed(middles), "y": packed(share),
            "line": {"shape": "hvh", **line}, "hovertemplate": f"{name}: %{{y:.2g}} at %{{x:.2f}}<extra></extra>", **more,
        }  # fmt: skip

    data = [
        outline(
            "start",
            "before training",
            start,
            {"color": theme.faint, "width": 1.5},
            {"fill": "tozeroy", "opacity": 0.6},
        )
    ]
    data += [
        outline(
            f"{line.id}w",
            line.name,
            w,
            {"color": line.look.color, "width": 2.4, "dash": line.look.dash},
            {},
        )
        for line, w in zip(lines, finite, strict=True)
        if w.size
    ]
    layout = {
        "margin": MARGIN, "hovermode": "closest", "dragmode": "pan", "legend": LEGEND, "showlegend": True,
        "xaxis": {"title": {"text": "weight", "standoff": 4}, "range": [-margin, margin], "zeroline": True},
        "yaxis": {"type": "log", "exponentformat": "power", "dtick": 1, "title": {"text": "share of all weights in a bin"},
                  "range": [float(np.log10(0.5 / max(start.size, 1))), 0]},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def _along(scale):
    return {
        "title": {"text": ALONG[scale.along], "standoff": 4},
        "range": [0, scale.end or 1],
        "zeroline": False,
    }


def _note(x, y, text, color, size, anchors):
    across, upright = anchors
    return {
        "x": x, "y": y, "text": text, "showarrow": False, "font": {"size": size, "color": color}, "xref": "paper", "yref": "paper",
        "xanchor": across, "yanchor": upright,
    }  # fmt: skip


def _between(uid, x, above, below, color, opacity, group="", hatched=False):
    known = np.isfinite(above) & np.isfinite(below)
    x, above, below = x[known], above[known], below[known]
    pattern = {
        "fillpattern": {
            "shape": "/",
            "fgcolor": color,
            "size": 7,
            "solidity": 0.16,
            "fillmode": "overlay",
        }
    }
    return {
        "type": "scatter", "mode": "lines", "uid": uid, "showlegend": False, "x": packed(np.concatenate([x, x[::-1]])),
        "y": packed(np.concatenate([above, below[::-1]])), "fill": "toself", "fillcolor": "rgba(0,0,0,0)" if hatched else color,
        "opacity": opacity, "line": {"width": 0}, "hoverinfo": "skip", **({"legendgroup": group} if group else {}), **(pattern if hatched else {}),
    }  # fmt: skip


def _folded(name):
    """A name for under an axis: in lines of one regularizer each."""
    return name.replace(" + ", "<br>+ ").replace(", ", ",<br>")


def stamp(scene: Regularization, theme: Theme) -> str:
    """Training and test accuracy of the first regularizer, one seed, and the gap between them: quickly trained for it."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
    ]
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{theme.high}"/>')
    short = min(scene.iterations, 150)
    training = replace(
        scene.trainings[0], iterations=short, seeds=scene.seeds[:1], eval_every=max(short // 15, 1)
    )
    data = load(training)
    data = data._replace(x_test=data.x_test[:300], t_test=data.t_test[:300])
    now = begin(training, data)
    while not now.done:
        now = advance(now, data, training.eval_every)
    known, unseen = (
        [_at(k, len(now.evaluated), a) for k, a in enumerate(curve) if np.isfinite(a)]
        for curve in now.accuracy[:, :, 0, 0].T
    )
    color = style(0, theme).color
    shape = " ".join([*known, *reversed(unseen)])
    parts.append(f'<polygon points="{shape}" fill="{color}" opacity="0.25"/>')
    parts += [
        f'<polyline points="{" ".join(line)}" fill="none" stroke="{shade}" stroke-width="{width}"/>'
        for line, shade, width in ((known, theme.faint, 2), (unseen, color, 3.5))
    ]
    return "".join([*parts, "</svg>"])


def _at(k, n, accuracy):
    return (
        f"{12 + (WIDTH - 24) * k / max(n - 1, 1):.1f},{HEIGHT - 14 - (HEIGHT - 28) * accuracy:.1f}"
    )
