"""A table as a value: HTML for reading, CSV in full precision for keeping."""

import csv
import io
import math
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from optviz.plot.style import Style, number, percentage

Cell = str | float | int | None
# what a spreadsheet evaluates, full-width signs too; a number and a dash are no formulas
_FORMULA = re.compile(r"[\t\r\n]|\s*([=@＝＠]|[+\-＋－](?!$|[\d.]+(e[+-]?\d+)?$))")


@dataclass(frozen=True)
class Column:
    """A column and how its numbers read; `key` is its heading in CSV, where that is another."""

    title: str
    digits: int = 4
    percent: bool = False  # shares, as percent, whatever the digits
    key: str = ""

    def text(self, cell: Cell) -> str:
        """A cell for reading: words and whole numbers as they are, – for what is not known."""
        if isinstance(cell, str):
            return cell
        if cell is None or not math.isfinite(cell):
            return "–"
        if self.percent:
            return percentage(cell)
        if isinstance(cell, numbers.Integral):
            return f"{cell}".replace("-", "−")
        return number(cell, self.digits)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of cells, the first of each its heading, with a stripe in the row's style if it has one.

    A column may be just its title. Numbers stay numbers until they are shown. `label` names the
    table for screen readers.
    """

    label: str
    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Cell]]
    styles: Sequence[Style | None] = ()

    @classmethod
    def from_rows(
        cls,
        label: str,
        rows: Sequence[Mapping[Column | str, Cell]],
        styles: Sequence[Style | None] = (),
    ) -> "Table":
        """From rows that map columns to cells, in the order of the first row's columns."""
        return cls(
            label, list(rows[0]) if rows else [], [list(row.values()) for row in rows], styles
        )

    def html(self) -> str:
        """With a heading for every row and column; narrow windows scroll it sideways."""
        columns = [c if isinstance(c, Column) else Column(c) for c in self.columns]
        head = "".join(f'<th scope="col">{escape(c.title)}</th>' for c in columns)
        body = []
        for row, style in zip(self.rows, self.styles or [None] * len(self.rows), strict=True):
            first, *rest = (
                escape(column.text(cell)) for column, cell in zip(columns, row, strict=True)
            )
            stripe = f' style="border-left: 0.35rem solid {style.color}"' if style else ""
            cells = "".join(f"<td>{cell}</td>" for cell in rest)
            body.append(f'<tr><th scope="row"{stripe}>{first}</th>{cells}</tr>')
        return (
            '<div class="ov-table" tabindex="0" role="region" '
            f'aria-label="{escape(self.label)}"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table></div>"
        )

    def csv(self) -> str:
        """In full precision; empty where a number is not known."""
        keys = [(c.key or c.title) if isinstance(c, Column) else c for c in self.columns]
        return csv_text(keys, self.rows)


def csv_text(header: Sequence[str], rows) -> str:
    """Rows as CSV: floats that read back exactly, nothing where they are not finite, and no text
    that a spreadsheet would take for a formula.
    """
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(map(_exact, header))
    for row in rows:
        write([_exact(cell) for cell in row])
    return out.getvalue()


def join_csv(name: str, texts: Mapping[str, str]) -> str:
    """CSV texts as one, whose first column, `name`, says which text a row is from; a column that a
    text lacks is empty there.
    """
    parts = {key: csv.DictReader(io.StringIO(text, newline="")) for key, text in texts.items()}
    header = list(dict.fromkeys(c for part in parts.values() for c in part.fieldnames))
    rows = ([key, *map(row.get, header)] for key, part in parts.items() for row in part)
    return csv_text([name, *header], rows)


def _exact(cell):
    if cell is None or isinstance(cell, str):
        text = f"'{cell}" if _FORMULA.match(cell or "") else cell or ""
        return re.sub("\r\n?", "\n", text)  # csv puts quotes around the latter alone
    if isinstance(cell, numbers.Integral):
        return int(cell)
    return repr(float(cell)) if math.isfinite(cell) else ""
