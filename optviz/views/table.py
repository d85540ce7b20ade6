"""The table under the pictures: their text alternative, as HTML to read and as CSV to keep."""

import csv
import io
from html import escape

from optviz.core.experiments.trajectories import Summary
from optviz.views.style import Style, number

HEADINGS = (
    "optimizer",
    "final x",
    "final y",
    "final loss",
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
        write([name, x, y, repr(s.value), reached, repr(s.length), s.gradients, s.values, s.hessians, s.status])
    return out.getvalue()
