"""A small crowd of benchmarks/load.py, by what can be counted."""

import re
import runpy

import pytest

from tests.serving import ROOT, launched
from tests.visitor import Visitor, done


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
