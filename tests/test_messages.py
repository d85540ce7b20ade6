"""Messages for people are whole sentences that a translator can see: constants, marked, in the catalog."""

import ast
from pathlib import Path

import pytest

import optviz

ROOT = Path(optviz.__file__).parent
MARKS = {"_": (0,), "N_": (0,), "ngettext": (0, 1)}


def marked():
    """`(file, line, argument)` of every message that is marked."""
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                for i in MARKS.get(node.func.id, ()):
                    yield file.relative_to(ROOT), node.lineno, node.args[i]


def test_no_message_is_put_together():
    glued = [
        f"{file}:{line}"
        for file, line, argument in marked()
        if isinstance(argument, ast.JoinedStr | ast.BinOp)
        or (isinstance(argument, ast.Constant) and argument.value != argument.value.strip())
    ]
    assert glued == [], "an f-string, a sum, or a fragment with spaces at its ends"


def test_the_catalog_has_every_message():
    pytest.importorskip("babel")
    from docs.messages import TEMPLATE, catalog

    written = TEMPLATE.read_text()
    missing = [
        message.id for message in catalog() if message.id and f'"{message.id}"' not in written
    ]
    short = [
        m for m in missing if isinstance(m, str) and len(m) < 60 and '"' not in m and "\n" not in m
    ]
    assert short == [], "run: python -m docs.messages"
