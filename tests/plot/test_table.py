"""Tables as values, and small pictures."""

import csv
import io
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest

from optviz.plot import (
    Column,
    ImageGrid,
    Style,
    Table,
    number,
    percentage_points,
    png,
    zero_rounding_errors,
)
from optviz.plot.table import csv_text
from tests.table import table

TABLE = Table(
    "How <they> stand",
    ["", "updates", "loss", Column("accuracy", 3, percent=True, key="test_accuracy"), "status"],
    [["a & b", 12345, 1 / 3, 0.5, "done"], ["c", 0, np.nan, None, "-"]],
    [Style("#0072B2"), None],
)


def test_rounding_reads_as_zero_and_nothing_else_does():
    found = zero_rounding_errors([2.5e-17, -4e-13, 2e-12, 0.0, np.nan, -3.0], 1.0)
    np.testing.assert_array_equal(found, [0, 0, 2e-12, 0, np.nan, -3])
    assert number(zero_rounding_errors(2.5e-17, 1.0)) == "0"
    assert number(zero_rounding_errors(2.5e-17, 1e-16)) == "2.5e−17", "beside what is as small"


@table(
    ("difference", "text"),
    [(0.0331, "+3.3"), (-0.02, "−2.0"), (-1e-5, "+0.0"), (1e-5, "+0.0"), (np.nan, "–")],
)
def test_percentage_points_have_a_sign_and_no_negative_zero(difference, text):
    assert percentage_points(difference) == text


def test_html_has_headings_for_rows_and_columns_and_numbers_to_read():
    root = ElementTree.fromstring(TABLE.html())
    assert root.get("aria-label") == "How <they> stand"
    head, *rows = root.iter("tr")
    assert {th.get("scope") for th in head} == {"col"}
    assert [[cell.text for cell in row] for row in rows] == [
        ["a & b", "12345", "0.3333", "50.0%", "done"],
        ["c", "0", "–", "–", "-"],
    ]
    assert [row[0].get("scope") for row in rows] == ["row", "row"]
    assert [row[0].get("style") for row in rows] == ["border-left: 0.35rem solid #0072B2", None]


def test_csv_keeps_the_numbers():
    head, first, second = csv.reader(io.StringIO(TABLE.csv()))
    assert head == ["", "updates", "loss", "test_accuracy", "status"]
    assert float(first[2]) == 1 / 3
    assert second == ["c", "0", "", "", "-"]


def test_csv_has_no_text_that_a_spreadsheet_runs():
    """What OWASP lists (CSV injection) begins with a quote, in a heading as well; numbers do not."""
    hostile = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("//h")']
    harmless = ["-", "-0.5", "-1e-05", "x=1", "", "a-b"]
    rows = list(
        csv.reader(io.StringIO(csv_text(hostile, [hostile, harmless, [-0.5, -2]])), strict=True)
    )
    assert rows[0] == rows[1] == [f"'{text}" for text in hostile]
    assert rows[2:] == [harmless, ["-0.5", "-2"]]


def test_every_row_has_a_cell_for_every_column():
    with pytest.raises(ValueError, match="zip"):
        Table("short", ["", "a"], [["x"]]).html()


def test_rows_that_tell_their_cells_by_column():
    columns = TABLE.columns
    rows = [dict(zip(columns, row, strict=True)) for row in TABLE.rows]
    assert Table.from_rows(TABLE.label, rows, TABLE.styles).html() == TABLE.html()


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 4)])
def test_a_png_holds_its_pixels(shape):
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    file = png(pixels)
    assert struct.unpack(">II", file[16:24]) == (5, 3)
    begin = file.index(b"IDAT") + 4
    size = struct.unpack(">I", file[begin - 8 : begin - 4])[0]
    lines = np.frombuffer(zlib.decompress(file[begin : begin + size]), np.uint8).reshape(3, -1)
    np.testing.assert_array_equal(lines[:, 1:], pixels.reshape(3, -1))


def test_pictures_have_captions_and_words():
    tiles = ImageGrid(np.zeros((2, 4, 4)), ["3 → 8", "1 → 7"], ["a 3 taken for 8", "a 1 for 7"])
    html = tiles.html()
    assert html.count("<figure>") == 2
    assert 'alt="a 3 taken for 8"' in html
    assert "<figcaption>1 → 7</figcaption>" in html
