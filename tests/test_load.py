"""A small crowd of benchmarks/load.py, by what can be counted."""

import asyncio
import re
import runpy
from dataclasses import replace

import pytest

from optviz.shell.registry import PAGES
from optviz.shell.share import SharedScene, encode
from tests.serving import ROOT, launched
from tests.visitor import Visitor, done


async def turned(address):
    """What the first optimizer's rate at 0.05 has sent: pictures, table, link; then with its
    settings unfolded.
    """
    async with Visitor(address) as visitor:
        await visitor.run()
        await visitor.turn("lr", 0.05)
        seen = []
        for unfold in (False, True):
            if unfold:
                [button, *_] = [b for b in visitor.buttons if "settings" in b]
                await visitor.run(button, True)
            before, visitor.texts = visitor.plotted, []
            await visitor.rest()
            held = dict(visitor.components.values())
            told = held["optviz_table"]["html"], held["optviz_address"]
            seen.append((visitor.plotted - before, *told, [*visitor.texts]))
        return seen, visitor.exceptions


def test_table_text_and_link_follow_a_hand_alone_unless_something_open_shows_more():
    """On x²/20 + y² from (-7, 2) thirty steps of gradient descent have a closed form."""
    with launched("app.py") as (address, _):
        (alone, unfolded), errors = done(turned(address))
    x, y = -7 * (1 - 0.05 / 10) ** 30, 2 * (1 - 2 * 0.05) ** 30
    for _plotted, html, toolbar, _texts in (alone, unfolded):
        assert f"{x**2 / 20 + y**2:.4g}" in html
        assert toolbar["undo"] == 0, "one change, which can be taken back"
        assert toolbar["link"].startswith("?s=")
    assert alone[0] == 0, "no picture is sent again"
    assert alone[3] == [], "nor what is said below the table: it says the same"
    assert unfolded[0] > 0, "the whole page has followed"
    assert any("minimum" in text for text in unfolded[3]), "what is said below the table"
    assert errors == []


async def says(address):
    """What is said anew as the first optimizer is turned, on each of two tabs."""
    async with Visitor(address) as visitor:
        await visitor.run()
        said = []
        for name, value, tab in (
            ("momentum", 0.5, ""),
            ("lr", 0.0625, "Equations with these values"),
            ("lr", 0.03125, ""),
        ):
            if tab:
                await visitor.run(visitor.switch("more"), tab)
            await visitor.turn(name, value)
            visitor.texts = []
            await visitor.rest()
            said.append("".join(visitor.texts))
        return said, visitor.exceptions


def test_what_is_said_below_the_table_follows_where_it_is_something_else(server):
    (theory, *equations), errors = done(says(server))
    assert "μ = 0.5" in theory
    assert ["0.0625" in text for text in equations] == [True, False]
    assert "0.03125" in equations[1]
    assert errors == []


async def status(address):
    """The rows of the page for the person who runs the server."""
    async with Visitor(address, "status") as visitor:
        await visitor.run()
    return dict(re.findall(r"\| (.+) \| (.+) \|", "\n".join(visitor.texts)))


async def weight(address, path):
    """Bytes of a page's first run, less what the browser fetches as files, which it keeps."""
    async with Visitor(address, path) as visitor:
        await visitor.run()
    return visitor.received


@pytest.mark.slow
def test_a_crowd_meets_no_error_and_leaves_nothing():
    load = runpy.run_path(str(ROOT / "benchmarks" / "load.py"))
    with launched("app.py") as (address, process):
        crowd = done(load["crowd"](address, 6, 4.0, think=0.2, trainers=2))
        assert crowd.errors == []
        assert len(crowd.seconds) >= 4, "every one who does not train has turned a knob"
        assert crowd.trained > 0
        assert done(weight(address, "lessons")) < 120_000, "its pictures are files"
        before = load["memory"](process)
        done(load["come_and_go"](address, 20))
        rows = done(status(address))
        assert rows["people now"] == "1", "who asks"
        assert load["memory"](process) - before < 20 << 20


@pytest.mark.slow
def test_a_class_that_opens_one_page_has_its_training_computed_once():
    load = runpy.run_path(str(ROOT / "benchmarks" / "load.py"))
    path = "optimizer_comparison"
    opening = PAGES[path].opening
    one, all_of_them = (
        f"s={encode(SharedScene(path, replace(opening, iterations=300, seeds=(seed,))))}"
        for seed in (7, 8)
    )
    with launched("app.py") as (address, process):
        done(load["opened"](address, process, 1, 0, one, path))
        alone = load["worked"](process)
        _size, errors = done(load["opened"](address, process, 4, 1, all_of_them, path))
        assert errors == 0
        assert 0 < load["worked"](process) - alone < 1.5 * alone, "not four times as much"


async def looks(address, query, n):
    """The visitor after so many looks at a training that grows, and what the plots took of each."""
    async with Visitor(address, "optimizer_comparison", query) as visitor:
        await visitor.run()
        sizes = []
        while len(sizes) < n:
            await asyncio.sleep(visitor.pause)
            plotted, was = visitor.plotted, visitor.grown
            await visitor.tick()
            if visitor.grown != was:
                sizes.append(visitor.plotted - plotted)
    return visitor, sizes


@pytest.mark.slow
def test_of_a_training_that_grows_little_is_sent():
    scene = replace(PAGES["optimizer_comparison"].opening, iterations=5000, seeds=(9,))
    query = f"s={encode(SharedScene('optimizer_comparison', scene))}"
    with launched("app.py") as (address, _process):
        visitor, sizes = done(looks(address, query, 30))
    assert visitor.exceptions == []
    assert sum(sizes) / len(sizes) < 5_000
