"""The table under the pictures: their text alternative, as HTML to read and as CSV to keep."""

import csv
import io
from html import escape

import numpy as np

from optviz.experiments.trajectories.spec import Summary
from optviz.optim.minimize import Run
from optviz.plot.style import Style, number, packed

HEADINGS = (
    "optimizer",
    "x",
    "y",
    "loss",
    "steps to tolerance",
    "path length",
    "evaluations",
    "status",
)


def _evaluations(s: Summary) -> str:
    """Gradients, and what was asked for beside them."""
    more = [f"{n} {what}" for n, what in ((s.values, "values"), (s.hessians, "Hessians")) if n]
    return " + ".join([f"{s.gradients} gradients", *more]) if more else str(s.gradients)


def html(rows: list[tuple[str, Style, Summary]], tolerance: float) -> str:
    """A table with a heading for every row and column; narrow windows scroll it sideways."""
    heads = [*HEADINGS]
    heads[4] = f"steps to {number(tolerance)}"
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    body = []
    for name, look, s in rows:
        cells = [
            number(s.point[0], 6), number(s.point[1], 6), number(s.value, 6),
            "–" if s.reached is None else str(s.reached), number(s.length), _evaluations(s), escape(s.status),
        ]  # fmt: skip
        row = "".join(f"<td>{c}</td>" for c in cells)
        body.append(
            f'<tr><th scope="row" style="border-left: 0.35rem solid {look.color}">{escape(name)}</th>{row}</tr>'
        )
    return (
        '<div class="ov-table" tabindex="0" role="region" aria-label="Results of every optimizer">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def columns(run: Run, s: Summary) -> dict:
    """What the table says of one optimizer at every step, for the browser to show the step of its clock."""
    return {
        "x": packed(run.points[:, 0]), "y": packed(run.points[:, 1]), "loss": packed(run.values),
        "length": packed(run.lengths), "work": [packed(w) for w in run.work.T], "reached": s.reached,
    }  # fmt: skip


def arrivals(paths: Run, known, tolerance: float) -> list[int]:
    """How many of a batch of paths end at each known minimum: nearest to it, and near it in height."""
    ends, heights = paths.points[-1], paths.values[-1]
    nearest = np.nan_to_num(((ends[:, None] - known) ** 2).sum(-1), nan=np.inf).argmin(-1)
    there = np.abs(heights - paths.function.value(known)[nearest]) <= tolerance
    return [int((there & (nearest == k)).sum()) for k in range(len(known))]


def as_csv(rows: list[tuple[str, Style, Summary]], tolerance: float) -> str:
    """The same rows in full precision; evaluations in three columns, an unreached tolerance empty."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(
        ["optimizer", "final_x", "final_y", "final_loss", f"steps_to_{tolerance:g}", "path_length",
         "gradient_evaluations", "value_evaluations", "hessian_evaluations", "status"]
    )  # fmt: skip
    for name, _, s in rows:
        x, y = (repr(float(c)) for c in s.point)
        reached = "" if s.reached is None else s.reached
        write(
            [
                name,
                x,
                y,
                repr(s.value),
                reached,
                repr(s.length),
                s.gradients,
                s.values,
                s.hessians,
                s.status,
            ]
        )
    return out.getvalue()


def paths_csv(rows: list[tuple[str, Run]]) -> str:
    """Every step of every path in full precision; the paths of a batch are told apart as `SGD @1`, `SGD @2` …

    A gradient is what the optimizer was given for its step from there, noise included; the last step has none.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(
        ["optimizer", "step", "x", "y", "loss", "gradient_x", "gradient_y", "gradient_evaluations"]
    )
    for name, run in rows:
        steps = len(run.points)
        points, values = run.points.reshape(steps, -1, 2), run.values.reshape(steps, -1)
        given, asked = run.gradients.reshape(steps - 1, -1, 2), run.work[:, 0].reshape(steps, -1)
        for k, gone in enumerate(run.diverged_at.ravel().tolist()):
            end = steps if gone < 0 else gone
            gradients = [*given[: max(end - 1, 0), k].tolist(), ("", "")]
            paths = (a[:end, k].tolist() for a in (points, values, asked))
            label = f"{name} @{k + 1}" if run.values.ndim > 1 else name
            for t, ((x, y), loss, n), (gx, gy) in zip(
                range(end), zip(*paths, strict=True), gradients, strict=False
            ):
                write.writerow((label, t, x, y, loss, gx, gy, n))
    return out.getvalue()
