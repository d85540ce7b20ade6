"""What a visitor typed is in an exported script, page or table as data, and runs nowhere."""

import ast
import csv
import io
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from optviz.experiments.trajectories.spec import BOOK, TYPED, Objective
from optviz.functions.parse import FormulaError
from optviz.plot.table import Table
from optviz.shell.export.menu import paths_csv, scene_page, table_csv
from optviz.shell.export.offline import Part, offline_html, prose
from optviz.shell.export.python_script import python_script
from optviz.shell.export.torch_script import torch_script
from optviz.shell.export.training_script import training_script
from tests.shell.test_export_trainings import PLAIN
from tests.table import table

# What some reader of some file would run, or end a text at.
HOSTILE = [
    "'''\"\"\"\nimport os\n\\", '"); print("out', "'); print('out", "x**2 # \nprint('out')", "x\r\nimport os",
    "x\u2028import os", "x\x0cimport os", "\\", "\0", "\u202e", "</script><img src=x onerror=alert(1)>",
    '" onload="alert(1)', "<!--<script>", "-->", "]]>", "&lt;b&gt;", "{0.__class__}", "%(x)s", "%%DATA%%",
    "${x}", "`x`", "![](//h/p)", "=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1", "\n=1", "＝1+1",
]  # fmt: skip


def typed(formula):
    return replace(BOOK, objective=Objective(TYPED, formula, start=(1.5, -2.5)))


def code(script):
    """A script without its comments."""
    return ast.dump(ast.parse(script))


class Elements(HTMLParser):
    """The elements of a page with their attributes' names."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, [name for name, _value in attrs]))


def cells(text):
    return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]


def runs(cell):
    """Whether a spreadsheet would work it out; a number with its sign is none."""
    return bool(re.match(r"\s*[=+\-@＝＋－＠]", cell)) and not re.fullmatch(
        r"-?[\d.]+(e[+-]?\d+)?", cell
    )


@table("text", HOSTILE)
def test_what_is_no_formula_reaches_no_file(text):
    if text == "-2+3":  # which is one
        return
    for make in (
        python_script,
        torch_script,
        paths_csv,
        table_csv,
        lambda scene: scene_page(scene, [], "light"),
    ):
        with pytest.raises(FormulaError):
            make(typed(text))


@table(
    "gap", [" ", "\n", "\r\n", "\t", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\u3000"]
)
def test_a_formula_of_any_spaces_is_the_same_file(gap):
    plain, spaced = typed("x**2 + y**2"), typed(f"f(x, y) ={gap}x**2{gap}+{gap}y**2{gap}")
    for script in (python_script, torch_script):
        assert code(script(spaced)) == code(script(plain))
    assert paths_csv(spaced) == paths_csv(plain)
    assert table_csv(spaced) == table_csv(plain)
    page, other = (scene_page(scene, ["a", "b", "c", "d"], "light") for scene in (spaced, plain))
    assert Elements(page).found == Elements(other).found


@cache
def of_book(script):
    return code(script(BOOK))


@cache
def of_names():
    return code(training_script("Which?", [PLAIN], [["AN OWN NAME"]]))


@cache
def page(text):
    cell = Table(text, [text, text], [[text, text]]).html()
    part = Part("plot", {"name": text, "label": text}, text)
    return offline_html(text, [part], "light", [cell], text)


@table("text", HOSTILE)
def test_a_text_is_data(text):
    """Also where only an author's comes to today: titles, names, captions, labels, cells, a link."""
    for script in (python_script, torch_script):
        assert code(script(BOOK, text)) == of_book(script)
    theirs = code(training_script(text, [PLAIN], [[text]], text))
    assert theirs == of_names().replace("'AN OWN NAME'", repr(text))
    assert Elements(page(text)).found == Elements(page("x")).found
    marked = {tag for tag, _attributes in Elements(prose(text)).found}
    assert marked <= {"p", "b", "i", "code", "pre", "br"}
    [data] = re.findall(r'type="application/json" id="data">(.*?)</script>', page(text), re.DOTALL)
    assert json.loads(data)[0]["data"]["label"] == text

    held = cells(Table("", ["name", text], [[text, -1.5e-9], [f"a {text}", -3]]).csv())
    assert not any(map(runs, held))
    read = text.replace("\r\n", "\n").replace("\r", "\n")
    assert [held[i].removeprefix("'") for i in (1, 2)] == [read.removeprefix("'")] * 2
    assert held[3:] == ["-1.5e-09", f"a {read}", "-3"]
