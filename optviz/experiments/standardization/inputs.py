"""Trainings on several kinds of inputs: how good each is at the end, seed by seed."""

import numpy as np

from optviz.plot.old_training import Line
from optviz.plot.style import Theme
from optviz.training import Training

NAMES = {"given": "0 to 1", "raw": "raw counts", "standardized": "standardized", "offset": "plus 5"}
PARTS = ("training rows", "test rows")


def name(training: Training) -> str:
    """What a line on the training's inputs is called."""
    return NAMES[training.inputs]


def accuracies(line: Line) -> np.ndarray:
    """The last accuracies `(2, seeds)` on training and test rows; who diverged knows nothing: 0."""
    return np.nan_to_num(line.progress.accuracy[-1, :, line.i])


def bars(lines: list[Line], theme: Theme, part: int = 0) -> dict:
    """The mean over the seeds as a bar, and every seed as a mark on it; `part` 1 is the test's."""
    data = []
    for k, line in enumerate(lines):
        found = accuracies(line)[part]
        data += [
            {
                "type": "bar", "uid": f"{line.id}mean", "name": line.name, "x": [k], "y": [float(found.mean())], "width": 0.62,
                "marker": {"color": line.look.color, "opacity": 0.45}, "hovertemplate": f"{line.name}: mean %{{y:.1%}}<extra></extra>",
            },
            {
                "type": "scatter", "mode": "markers", "uid": f"{line.id}seeds", "name": line.name,
                "x": (k + np.linspace(-0.18, 0.18, len(found)) * (len(found) > 1)).tolist(), "y": found.tolist(),
                "marker": {"symbol": line.look.marker, "size": 9, "color": line.look.color, "line": {"width": 1.2, "color": theme.ink}},
                "hovertemplate": f"{line.name}: %{{y:.1%}}<extra></extra>",
            },
        ]  # fmt: skip
    layout = {
        "margin": {"l": 62, "r": 12, "t": 12, "b": 42}, "hovermode": "closest", "dragmode": "pan", "showlegend": False,
        "xaxis": {"tickvals": list(range(len(lines))), "ticktext": [line.name for line in lines], "range": [-0.5, len(lines) - 0.5],
                  "zeroline": False, "fixedrange": True},
        "yaxis": {"range": [0, 1.04], "tickformat": ".0%", "zeroline": False, "title": {"text": f"accuracy on {PARTS[part]}"}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


HEADINGS = ("inputs", "training rows", "± over seeds", "test rows", "± over seeds")


def rows(lines: list[Line]) -> list[list]:
    """A row for each kind of inputs: mean and standard deviation over the seeds, on training and on test rows."""
    return [
        [line.name, *(float(f(found)) for found in accuracies(line) for f in (np.mean, np.std))] for line in lines
    ]  # fmt: skip
