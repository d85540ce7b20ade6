"""Every figure of the notes in numbers, against the reference values."""

from dataclasses import replace

import pytest

from benchmarks import reproduction as figures
from optviz.shell.lessons import curriculum as course
from optviz.tuning import Halving
from tests import memo

SLOW = ["6.24", "wrong labels"]  # those of many trainings, which are begun first


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in figures.FIGURES]
)
def test_a_figure_is_reproduced(number, monkeypatch):
    monkeypatch.setattr(figures, "done", memo.trained)
    searched = figures.searched

    def halved(search):
        """A quarter of the work, with the same best ones, see tests/tuning/test_search.py."""
        search = replace(search, halving=Halving())
        return memo.remembered("search", search, None, lambda: searched(search))

    monkeypatch.setattr(figures, "searched", halved)
    claims = list(figures.FIGURES[number]())
    assert claims
    assert all(claim.holds for claim in claims), [claim for claim in claims if not claim.holds]


def test_every_figure_with_numbers_is_there():
    """6.4, 6.12, 6.16 and 6.22 are drawings of an idea."""
    book = {f.figure for f in course.FIGURES if f.notes.startswith("Saitoh")}
    assert book - set(figures.FIGURES) == {"6.4", "6.12", "6.16", "6.22"}


def test_as_a_program(capsys):
    assert figures.main(["6.3", "6.17"]) == 0
    out = capsys.readouterr().out
    assert "sgd: loss after 30 updates" in out
    assert "6 of 6 numbers" in out
    assert figures.main(["7.1"]) == 1
    assert "there is no figure '7.1'" in capsys.readouterr().err


def test_what_does_not_hold_is_said(monkeypatch, capsys):
    monkeypatch.setitem(figures.FIGURES, "6.1", lambda: iter([figures.near("one", 1.0, 2.0, 0.5)]))
    assert figures.main(["6.1"]) == 1
    assert "NO" in capsys.readouterr().out
