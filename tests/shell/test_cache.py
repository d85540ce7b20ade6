"""What is kept between runs of a page is bounded in bytes."""

import ast
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from optviz.experiments.activations.samples import layers_of
from optviz.experiments.activations.spec import DeepStack
from optviz.experiments.page import Page
from optviz.experiments.trajectories.run import path
from optviz.experiments.trajectories.spec import BOOK, Objective
from optviz.experiments.trajectories.state import TrajectoriesState
from optviz.plot import Figure, to_svg
from optviz.shell.lessons import thumbnails
from optviz.shell.registry import PAGES
from optviz.ui.cache import SHARED_CACHE, LRUCache, bytes_of
from optviz.ui.session import Session
from tests.serving import ROOT
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
    kept, made = LRUCache(max_bytes=35_000), []

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
    SHARED_CACHE.clear()
    monkeypatch.setattr(SHARED_CACHE, "max_bytes", 12 << 20)
    for i in range(12):
        layers_of(DeepStack(layers=5, seed=i))
        path(Objective(steps=1000, start=(-7.0, 0.1 * i)), BOOK.optimizers[3])
        assert 0 < SHARED_CACHE.size <= 12 << 20
    SHARED_CACHE.clear()


FINITE = {  # what has no bound of its own: one thing, or one for each of what the registries have
    "optviz/data/digits.py digits": "the set of the package",
    "optviz/optim/hyperparameter.py hyperparameters": "classes",
    "optviz/plot/equations.py source": "classes",
    "optviz/shell/export/source.py _parsed": "modules",
    "optviz/shell/lessons/thumbnails.py _folder": "one",
    "optviz/shell/lessons/thumbnails.py thumbnail": "lessons and pages",
    "optviz/shell/app.py _set_up_interpreter": "one",
    "optviz/training/scheduler.py scheduler": "one",
    "optviz/ui/assets.py published": "files of the package",
    "optviz/ui/form.py _declarations": "hyperparameters of classes",
    "optviz/ui/public.py quiet_logs": "one",
}


def test_every_other_cache_has_a_bound():
    found = set()
    for file in (ROOT / "optviz").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            for mark in getattr(node, "decorator_list", ()):
                text = ast.unparse(mark)
                bounded = "max_entries=" in text or re.search(r"lru_cache\(\d+\)", text)
                if re.match(r"(st\.|functools\.)?(lru_)?cache(_\w+)?\b", text) and not bounded:
                    found.add(f"{file.relative_to(ROOT)} {node.name}")
    assert found == FINITE.keys()


def test_a_thumbnail_is_made_once_as_long_as_the_sources_are_the_same(tmp_path, monkeypatch):
    made, stamp = [], Page.thumbnail_svg
    monkeypatch.setattr(Page, "thumbnail_svg", lambda *given: made.append(given) or stamp(*given))
    given = ("trajectories", "zigzag", "light")

    def asked(home):
        monkeypatch.setenv("XDG_CACHE_HOME", f"{home}")
        thumbnails._folder.cache_clear()
        thumbnails.thumbnail.clear()
        return thumbnails.thumbnail(*given), len(made)

    others = tmp_path / "optviz" / "thumbnails" / "of other sources"
    others.mkdir(parents=True)
    first, again, nowhere = asked(tmp_path), asked(tmp_path), asked("/proc/nowhere")
    assert (first[1], again[1], nowhere[1]) == (1, 1, 2)
    assert first[0] == again[0] == nowhere[0] != ""
    assert not others.exists()
    monkeypatch.setattr(Page, "thumbnail_svg", lambda page, _spec, theme: to_svg(Figure(), theme))
    given = ("trajectories", "", "light")
    empty = asked(tmp_path)[0]
    monkeypatch.setattr(Page, "thumbnail_svg", stamp)
    assert asked(tmp_path)[0] != empty, "its data are here now"
    thumbnails._folder.cache_clear()
    thumbnails.thumbnail.clear()


def test_what_a_session_holds_is_bounded_however_long_it_lasts():
    S, sizes = Session(page="trajectories"), []
    opening = PAGES["trajectories"].opening
    for i in range(1200):
        objective = replace(opening.objective, steps=10 + i)
        S.show("trajectories", replace(opening, objective=objective))
        S.remember()
        job, results = SimpleNamespace(key=f"{i:0500}", length=1), S.results_of("curve_fit")
        results.own.add(job.key)
        results.tickets([job])
        S.state(TrajectoriesState).tuned.append((opening.optimizers[0],))
        sizes.append(bytes_of(S))
    assert sizes[-1] <= sizes[399] * 1.02
    assert sizes[-1] < 4 << 20
