"""What the tests themselves stand on: tables of cases, and trainings that are looked up."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.nn import Network
from optviz.training import Training, load
from tests import memo
from tests.table import table

SMALL = Training(Network((64, 8, 10)), iterations=5, batch=8)


def test_a_table_tries_every_row_and_reports_all_that_fail():
    tried = []

    @table("a", [1, 2, 3])
    @table(("b", "c"), [(1, "x"), (5, "y")])
    def case(a, b, c, fixture):
        tried.append((a, b, c, fixture))
        if a == 1:
            pytest.fail("one")
        assert a + b != 7

    with pytest.raises(BaseExceptionGroup, match="2 of 3 rows fail") as caught:
        case(fixture="f")
    assert tried == [(a, b, c, "f") for a in (1, 2, 3) for b, c in ((1, "x"), (5, "y"))]
    first, second = caught.value.exceptions
    assert first.message.startswith("2 of 2")
    assert first.__notes__ == ["in the row {'a': 1}"]
    assert [e.__notes__ for e in second.exceptions] == [["in the row {'b': 5, 'c': 'y'}"]]


def test_an_empty_table_is_a_fault():
    with pytest.raises(AssertionError, match="tests nothing"):
        table("a", [])


def test_a_training_is_done_once_for_its_spec_its_rows_and_the_engine(monkeypatch, tmp_path):
    done, train = [], memo.train
    monkeypatch.setattr(memo, "FOLDER", tmp_path)
    monkeypatch.setattr(memo, "train", lambda *asked: done.append(asked) or train(*asked))
    first, again = memo.trained(SMALL), memo.trained(SMALL)
    assert len(done) == 1
    np.testing.assert_array_equal(first.params, again.params)
    memo.trained(replace(SMALL, batch=9))
    data = load(SMALL)
    memo.trained(SMALL, data._replace(t=data.t[::-1]))
    assert len(done) == 3
    monkeypatch.setattr(memo, "engine", lambda: b"another")
    memo.trained(SMALL)
    assert len(done) == 4
    for file in tmp_path.iterdir():
        file.write_bytes(b"broken")
    memo.trained(SMALL)
    assert len(done) == 5


def test_the_folder_does_not_grow_for_ever(monkeypatch, tmp_path):
    monkeypatch.setattr(memo, "FOLDER", tmp_path)
    monkeypatch.setattr(memo, "MAX_BYTES", 2 * 2**20)
    for i in range(40):
        memo.remembered(str(i), SMALL, None, lambda: bytes(100_000))
    memo.remembered("large", SMALL, None, lambda: bytes(400_000))
    assert len(list(tmp_path.iterdir())) == 40, "what is too large for it is not kept"
    memo.forget()
    assert len(list(tmp_path.iterdir())) == 20
