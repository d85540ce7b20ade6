"""A person's own rows, from a CSV file."""

import codecs
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optviz.data.preprocessing import standardize
from optviz.data.sources import DataError
from optviz.optim.hyperparameter import Configurable, hyperparameter
from optviz.translation import _

MAX_ROWS, MAX_COLUMNS, MAX_CLASSES = 5000, 500, 20
MAX_BYTES = 20_000_000


class Examples(NamedTuple):
    """Rows with labels: what a file with a column of labels holds."""

    x: np.ndarray  # (rows, columns), as they stand in the file
    t: np.ndarray  # (rows,) int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class OwnSet(Configurable):
    """The size of its author's file, which a spec has. A link does not carry the rows."""

    points: int = hyperparameter(100, 4, MAX_ROWS, "n", help="rows")
    features: int = hyperparameter(2, 1, MAX_COLUMNS, help="numbers in each")
    classes: int = hyperparameter(2, 2, MAX_CLASSES, "k", help="labels")

    def match(self, examples: Examples | None) -> Examples:
        """The examples, where they have this size; DataError where they do not."""
        if examples is None or size_of(examples) != self:
            message = _(
                "This was made with another file, which has {rows} rows of {columns} numbers and "
                "{classes} labels."
            )
            raise DataError(
                message.format(rows=self.points, columns=self.features, classes=self.classes)
            )
        return examples


def size_of(examples: Examples) -> OwnSet:
    """The size of a file, for a spec."""
    return OwnSet(*examples.x.shape, len(examples.labels))


def read_samples(content: bytes) -> np.ndarray:
    """The rows `(rows, columns)` of a CSV file, standardized. ValueError says what is wrong.

    Commas, semicolons or tabs between the numbers; beside the latter two a decimal comma may stand.
    Lines are counted as an editor does, with the header.
    """
    return standardize(_numbers(_rows(content, 0)))


def read_examples(content: bytes) -> Examples:
    """The rows as they stand in the file; its last column has the labels, which may be any text."""
    rows = _rows(content, 1)
    targets = [row.pop() for _i, row in rows]
    values = sorted(set(targets), key=lambda value: (isinstance(value, str), value))
    labels = tuple(value if isinstance(value, str) else f"{value:g}" for value in values)
    if not 2 <= len(labels) <= MAX_CLASSES or len(rows) < 4 or not rows[0][1]:
        message = _(
            "The file needs four or more rows of numbers, each followed by a label, with 2 to "
            "{most} different labels. This one has {rows} rows with {labels} labels."
        )
        raise ValueError(message.format(most=MAX_CLASSES, rows=len(rows), labels=len(labels)))
    return Examples(_numbers(rows), np.array([values.index(v) for v in targets]), labels)


def _numbers(rows):
    for i, row in rows:
        if bad := [entry for entry in row if isinstance(entry, str)]:
            message = _("“{entry}” in line {i} is not a number.")
            raise ValueError(message.format(entry=bad[0][:30], i=i))
    return np.array([row for _i, row in rows])


def _rows(content, others):
    """The rows with their line numbers, without a header; the last `others` columns may be text."""
    lines = _text(content[: MAX_BYTES + 1]).splitlines()
    if len(content) > MAX_BYTES or len(lines) > 2 * MAX_ROWS:
        message = _("A file may have at most {most} rows and {size} MB; this one has more.")
        raise ValueError(message.format(most=MAX_ROWS, size=MAX_BYTES // 10**6))
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((mark for mark in ";\t" if mark in first), ",")
    rows = [
        (i, [_number(entry, delimiter) for entry in line.split(delimiter)])
        for i, line in enumerate(lines, 1)
        if line.strip()
    ]
    if rows and all(isinstance(entry, str) for entry in rows[0][1][: len(rows[0][1]) - others]):
        rows = rows[1:]  # names of columns
    if len(rows) < 2:
        raise ValueError(_("There are fewer than two rows of numbers in this file."))
    wide = len(rows[0][1])
    if len(rows) > MAX_ROWS or wide > MAX_COLUMNS:
        message = _(
            "A file may have at most {most} rows of {widest} numbers; this one has {rows} of "
            "{wide}."
        )
        raise ValueError(
            message.format(most=MAX_ROWS, widest=MAX_COLUMNS, rows=len(rows), wide=wide)
        )
    for i, row in rows:
        if len(row) != wide:
            message = _("Line {i} has {n} entries, but the first row of numbers has {wide}.")
            raise ValueError(message.format(i=i, n=len(row), wide=wide))
    return rows


def _text(content):
    """As UTF-8, as UTF-16 where it says so, or as Windows' West European code page of old files."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ["utf-16"] if wide else ["utf-8-sig", "cp1252", "latin-1"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError(_("This is not a text file."))


def _number(entry, delimiter):
    """The number in an entry, or else the entry."""
    entry = entry.strip().strip('"')
    try:
        number = float(entry if delimiter == "," else entry.replace(",", "."))
    except ValueError:
        return entry
    return number if abs(number) < 1e100 else entry
