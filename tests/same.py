"""Whether two states of a job are the same, for the tests of what runs jobs."""

from dataclasses import fields

import numpy as np


def same(a, b, path=""):
    """Fails where two states differ in any bit, but for how long it took."""
    assert type(a) is type(b), path
    if hasattr(a, "__dataclass_fields__"):
        for f in fields(a):
            if f.name != "seconds":
                same(getattr(a, f.name), getattr(b, f.name), f"{path}.{f.name}")
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            same(a[key], b[key], f"{path}[{key!r}]")
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), path
        for i, pair in enumerate(zip(a, b, strict=True)):
            same(*pair, f"{path}[{i}]")
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, path
        np.testing.assert_array_equal(a, b, path)
    else:
        assert a == b, path
