"""Pictures of trainings are made once for all who watch the same, and keep nothing of it."""

import gc
from dataclasses import replace
from weakref import ref

import pytest

from optviz.experiments import training_charts as charts
from optviz.experiments.initialization import figures
from optviz.experiments.initialization.spec import Initialization
from optviz.experiments.page import Context
from optviz.nn import Network
from optviz.plot import DARK, LIGHT
from optviz.shell import parts
from optviz.shell.registry import PAGES
from optviz.training import advance, begin, load, merge_seeds, split_seeds
from optviz.ui.cache import PICTURE_CACHE, bytes_of, encoded

PAGE = PAGES["initialization"]
SMALL = Initialization(Network((64, 20, 20, 10)), iterations=40, seeds=(0, 1))
SHOWN = {"smooth": True, "log": False, "test": False, "along": "iterations"}
SHOWN |= {"iteration": 40, "network": 0}


@pytest.fixture(autouse=True)
def empty():
    PICTURE_CACHE.clear()
    yield
    PICTURE_CACHE.clear()


def states(spec=SMALL, n=20):
    """Of each seed of each training, as jobs have them."""
    trainings = [one for training in spec.trainings for one in split_seeds(training)]
    return [advance(begin(one, load(one)), load(one), n) for one in trainings]


def context(held, **more):
    spec = replace(SMALL)  # a visitor's own
    return Context(PAGE, spec, merge_seeds(held), LIGHT, **{"options": dict(SHOWN), **more})


def test_who_watch_the_same_training_have_its_pictures_made_once():
    held = states()
    for part in (charts.curves, figures.layers):
        first = parts._make(context(held), part)
        gc.collect()  # what was joined of the seeds is gone; for the next visitor it is joined anew
        assert parts._make(context(held), part) is first
        figure = next(parts.pictures(first, ""))[1]
        assert encoded(figure) is encoded(figure)


def test_whatever_else_is_looked_at_is_another_picture():
    held, further = states(), states(n=25)
    lines = [line._replace(id=f"kept{line.id}") for line in context(further).lines]
    looks = [
        context(held),
        context(states()),  # by who began anew: it took other seconds
        context([*held[:-1], further[-1]]),
        replace(context(held), theme=DARK),
        replace(context(held), spec=replace(SMALL, iterations=41)),
        context(held, options={**SHOWN, "log": True}),
        context(held, previous_lines=lines),
        context(held, kept_lines=lines),
        context(held, kept_lines=lines[:1]),
    ]
    found = [parts._make(look, charts.curves) for look in looks]
    assert len({*map(id, found)}) == len(looks)
    assert [parts._make(look, charts.curves) for look in looks] == found


def test_pictures_keep_no_training_and_no_more_bytes_than_they_may(monkeypatch):
    monkeypatch.setattr(PICTURE_CACHE, "max_bytes", 1 << 20)
    held = states()
    gone = ref(held[0])
    for i in range(12):
        look = context(held, options={**SHOWN, "iteration": i, "matrix": 1})
        made = [parts._make(look, part) for part in (charts.curves, figures.layers)]
        assert 0 < PICTURE_CACHE.size <= 1 << 20
        assert bytes_of([value for value, _size in PICTURE_CACHE._entries.values()]) < 2 << 20
    del held, look, made
    gc.collect()
    assert gone() is None
