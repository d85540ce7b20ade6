"""What is kept between runs of a page is bounded in bytes."""

from types import SimpleNamespace

import numpy as np

from optviz.experiments.activations.samples import layers_of
from optviz.experiments.activations.spec import DeepStack
from optviz.experiments.trajectories import cache
from optviz.experiments.trajectories.spec import BOOK, Objective
from optviz.ui.cache import KEPT, Kept, bytes_of
from tests.table import table


@table(
    ("value", "size"),
    [
        (np.zeros(10**6), 8e6),
        (np.zeros((1000, 1000))[::2, ::2], 8e6),  # a view holds on to all of it
        ([np.zeros(1000)] * 5, 8e3),
        ([np.full(1000, i) for i in range(1000)], 8e6),
        ({"a": (np.zeros(10**5), SimpleNamespace(b=[np.zeros(10**5)]))}, 1.6e6),
    ],
)
def test_bytes_are_those_of_all_that_is_held(value, size):
    assert size <= bytes_of(value) < 1.1 * size + 2000


def test_what_was_used_last_stays():
    kept, made = Kept(max_bytes=35_000), []

    def value(key, numbers=1000):
        return kept.get((key,), lambda: made.append(key) or np.zeros(numbers))

    for key in "abcd":
        value(key)
    assert value("a") is value("a")
    value("e")  # a fifth is too much: b goes
    assert kept.size <= 35_000
    for key in "acdeb":
        value(key)
    assert made == [*"abcde", "b"]
    value("huge", 10**6)  # would push all others out
    assert kept.size <= 35_000
    assert value("b") is not None
    assert made == [*"abcde", "b", "huge"]


def test_a_knob_that_is_turned_and_turned_fills_no_memory(monkeypatch):
    """8 MB and more for each value of a deep stack, some 2 MB for each path of 2000 steps."""
    KEPT.clear()
    monkeypatch.setattr(KEPT, "max_bytes", 12 << 20)
    for i in range(12):
        layers_of(DeepStack(layers=5, seed=i))
        cache.run(Objective(steps=1000, start=(-7.0, 0.1 * i)), BOOK.optimizers[3])
        assert 0 < KEPT.size <= 12 << 20
    KEPT.clear()
