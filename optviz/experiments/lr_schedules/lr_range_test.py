"""A learning-rate range test: the loss over the rate, and the rates that it marks."""

import numpy as np

from optviz.experiments.lr_schedules.figures import LEGEND
from optviz.experiments.lr_schedules.spec import TOO_LARGE, RangeTest, Reading
from optviz.plot.style import (
    Theme,
    number,
    packed,
    style,
)


def over_rate(reading: Reading, test: RangeTest, theme: Theme) -> dict:
    """The loss over the rate, with the rates that it marks; the axis is there before it begins."""
    look, data = style(0, theme), []
    top = 2.6
    if len(reading.rates):
        top = max(1.6 * float(np.median(reading.loss[: max(len(reading.loss) // 20, 1)])), 0.1)
        data += [
            {
                "type": "scatter", "mode": "lines", "uid": "raw", "name": "each mini-batch", "x": packed(reading.rates), "y": packed(reading.loss),
                "line": {"color": theme.faint, "width": 1, "simplify": False}, "opacity": 0.5, "hoverinfo": "skip",
            },
            {
                "type": "scatter", "mode": "lines", "uid": "smooth", "name": "smoothed", "x": packed(reading.rates), "y": packed(reading.smooth),
                "line": {"color": look.color, "width": 3, "simplify": False}, "hovertemplate": "rate %{x:.3g}: %{y:.3g}<extra></extra>",
            },
        ]  # fmt: skip
    shapes = []
    for k, (name, rate) in enumerate(
        (("steepest", reading.steepest), ("lowest", reading.lowest), ("blows up", reading.blown))
    ):
        if not np.isfinite(rate):
            continue
        mark = style(k + 1, theme)
        y = float(np.interp(np.log10(rate), np.log10(reading.rates), reading.smooth))
        data.append({
            "type": "scatter", "mode": "markers", "uid": name, "name": f"{name}: {number(rate, 2)}", "x": [rate], "y": [y],
            "marker": {"symbol": mark.marker, "size": 14, "color": mark.color, "line": {"color": theme.high, "width": 1}},
            "hovertemplate": f"{name} at rate {number(rate, 3)}<extra></extra>",
        })  # fmt: skip
        shapes.append({
            "type": "line", "x0": rate, "x1": rate, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": mark.color, "width": 1.6, "dash": mark.dash},
        })  # fmt: skip
    return {
        "data": data,
        "layout": {
            "margin": {"l": 62, "r": 12, "t": 30, "b": 46}, "hovermode": "closest", "dragmode": "pan", "shapes": shapes,
            "xaxis": {
                "type": "log", "range": [np.log10(test.low), np.log10(test.high)], "title": {"text": "rate (it grows with every step)", "standoff": 4},
                "exponentformat": "power", "dtick": 1, "zeroline": False,
            },
            "yaxis": {"range": [0, top], "title": {"text": "loss of mini-batches"}, "zeroline": False}, "legend": LEGEND, "showlegend": True,
        },
    }  # fmt: skip


READ = ("", "rate", "smoothed loss there", "what it says")


def rows(reading: Reading) -> list[list[str]]:
    """The marked rates as rows of a table."""
    told = {
        "steepest descent": (
            reading.steepest,
            "a good rate to begin with: the loss falls fastest here",
        ),
        "lowest loss": (reading.lowest, "at the edge: a kept rate should be well below"),
        "blows up": (
            reading.blown,
            "too large: the loss has climbed back a quarter of what it came down",
        ),
    }
    found = []
    for name, (rate, meaning) in told.items():
        known = np.isfinite(rate)
        at = np.interp(np.log10(rate), np.log10(reading.rates), reading.smooth) if known else np.nan
        found.append(
            [name, number(rate, 3), number(float(at), 3), meaning if known else "not seen"]
        )
    return found


def told(reading: Reading, done: bool) -> str:
    """What the range test says, in sentences."""
    if np.isfinite(reading.left):
        cut = f" At rate {number(reading.left, 3)} a mini-batch's loss was {TOO_LARGE:g} times that of the beginning: the rest is not read."
    else:
        cut = ""
    if not np.isfinite(reading.steepest):
        return (
            "Nothing to read off yet."
            if not done
            else f"The loss never came down: nothing can be read off.{cut}"
        )
    text = f"The loss falls fastest at a rate of **{number(reading.steepest, 2)}**"
    if np.isfinite(reading.blown):
        return f"{text}, is lowest at {number(reading.lowest, 2)} and begins to blow up at **{number(reading.blown, 2)}**.{cut}"
    return f"{text}. {'It has not blown up: let the test go to a higher rate.' if done else 'It has not blown up yet.'}{cut}"
