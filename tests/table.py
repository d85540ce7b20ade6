"""A table of cases as one test: every row is tried, and all that fail are reported with their values."""

import functools
import inspect

import pytest


def table(names, rows):
    """`pytest.mark.parametrize` folded into one test. The rows share its fixtures; tables may be stacked."""
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    rows = [(row,) if len(names) == 1 else tuple(row) for row in rows]
    assert rows, "a table without rows tests nothing"

    def fold(test):
        @functools.wraps(test, updated=())
        def every_row(*args, **fixtures):
            failed = []
            for row in rows:
                case = dict(zip(names, row, strict=True))
                try:
                    test(*args, **fixtures, **case)
                except (Exception, pytest.fail.Exception, BaseExceptionGroup) as error:
                    error.add_note(f"in the row {case!r:.500}")
                    failed.append(error)
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(rows)} rows fail", failed)

        every_row.pytestmark = getattr(test, "pytestmark", [])
        fixtures = [
            p for name, p in inspect.signature(test).parameters.items() if name not in names
        ]
        every_row.__signature__ = inspect.Signature(fixtures)
        return every_row

    return fold
