"""The page for the person who runs the server, and what it counts."""

import math
import re

import pytest

from optviz.ui import meter
from tests.serving import served
from tests.visitor import Visitor, done

REFUSED = "This page is for those who run the server."


async def seen(address, query="", headers=None, people=1):
    """What the status page says to the last of so many people, by row; what it says instead."""
    visitors = []
    for i in range(people):
        path = "" if i < people - 1 else "status"
        visitors.append(await Visitor(address, path, query, headers).__aenter__())
        await visitors[-1].run()
    if people > 1:
        await visitors[0].turn("lr", 0.5)
        await visitors[-1].run()
    said = "\n".join(visitors[-1].texts)
    for visitor in visitors:
        assert visitor.exceptions == []
        await visitor.__aexit__()
    return dict(re.findall(r"\| (.+) \| (.+) \|", said)) or said.splitlines()[-1]


@pytest.mark.slow
def test_the_page_counts_people_runs_and_bytes_and_is_for_this_machine_alone():
    with served("app.py") as address:
        rows = done(seen(address, people=3))
        assert rows["people now"] == "3"
        assert (rows["jobs running"], rows["jobs waiting"]) == ("0", "0")
        assert re.fullmatch(r"\d+ MB", rows["results of jobs"])
        assert 50 < int(rows["memory of the process"].split()[0]) < 2000
        counted = {k: v for k, v in rows.items() if "p95" in k}
        assert [int(re.search(r"\((\d+)\)", v)[1]) for v in counted.values()] == [3, 1]
        far = {"X-Forwarded-For": "203.0.113.7"}
        assert done(seen(address, headers=far)) == REFUSED
    with served("app.py", OPTVIZ_PUBLIC="1") as address:
        assert done(seen(address)) == REFUSED
    with served("app.py", OPTVIZ_PUBLIC="1", OPTVIZ_STATUS_TOKEN="wörd") as address:
        assert done(seen(address, "token=word")) == REFUSED
        assert done(seen(address, "token=w%C3%B6rd", far))["people now"] == "1"


def test_the_quantile_is_of_the_last_minutes(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(meter, "monotonic", lambda: now[0])
    monkeypatch.setitem(meter._DURATIONS, "knob", [])
    for seconds in range(1, 101):
        with meter.timed("knob"):
            now[0] += seconds / 100
    assert meter.quantile("knob", 0.95) == (100, pytest.approx(0.95))
    now[0] += 60 * meter.MINUTES - 0.5
    assert meter.quantile("knob", 0.95) == (1, pytest.approx(1.0)), "99 are older than that"
    now[0] += 1
    runs, seconds = meter.quantile("knob", 0.95)
    assert runs == 0
    assert math.isnan(seconds)
