"""Faults of a visit and of the machine: the server goes on, and whoever comes next sees the page."""

import asyncio
from contextlib import suppress

import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.serving import served
from tests.visitor import Visitor, done

NOWHERE = "/proc/nowhere"  # where nothing can be made, not even by root
LATE = """
import time
from streamlit.runtime.scriptrunner import script_runner
from optviz.shell.app import main
script_runner._clean_problem_modules = lambda: time.sleep(0.3)  # the last that a run does
main()
"""


@pytest.fixture(scope="module")
def server():
    """One whose home and cache folder cannot be written."""
    with served("app.py", HOME=NOWHERE, XDG_CACHE_HOME=NOWHERE) as address:
        yield address


async def sees_the_page(server, path=""):
    async with Visitor(server, path) as visitor:
        await asyncio.wait_for(visitor.run(), 60)
    assert not visitor.exceptions
    assert visitor.received > 10_000


def broken():
    """What is no message of the protocol, or one that asks for what there is not."""
    yield b""
    yield b"\xff" * 2000
    yield b"\x00"
    yield "text"
    yield BackMsg(rerun_script={"page_name": "../../etc/passwd"}).SerializeToString()
    yield BackMsg(rerun_script={"query_string": "s=2." + "A" * 100_000}).SerializeToString()
    yield BackMsg(rerun_script={"query_string": "s=%00&lesson=%ff&plan=2.x"}).SerializeToString()
    yield BackMsg(rerun_script={"page_script_hash": "x" * 10_000}).SerializeToString()
    yield BackMsg(rerun_script={"fragment_id": "no such"}).SerializeToString()
    state = {"id": "$$ID-1-none", "json_value": "{" * 5000}
    yield BackMsg(rerun_script={"widget_states": {"widgets": [state]}}).SerializeToString()
    yield BackMsg(load_git_info=True).SerializeToString()


def test_a_broken_message_harms_nobody_else(server):
    async def visits():
        for message in broken():
            async with Visitor(server) as visitor:
                with suppress(websockets.ConnectionClosed):
                    await visitor.socket.send(message)
                    await asyncio.wait_for(visitor.run(), 60)
                assert not visitor.exceptions, message[:80]
        await sees_the_page(server)

    done(visits())


def test_a_client_that_vanishes_leaves_the_server_as_it_was(server):
    async def visits():
        for _ in range(5):
            visitor = await Visitor(server).__aenter__()
            ask = BackMsg(rerun_script={"query_string": ""})
            await visitor.socket.send(ask.SerializeToString())
            visitor.socket.transport.abort()  # no closing handshake, amid the run
        await sees_the_page(server)

    done(visits())


def test_a_press_of_stop_that_leaves_together_with_word_of_a_picture_is_seen(server):
    """The browser makes one message of the two, for the fragment of the picture alone."""

    async def visits():
        async with Visitor(server, "optimizer_comparison") as visitor:
            await visitor.run()
            [stop] = [button for button in visitor.buttons if "-stop-" in button]
            visitor.buttons.clear()
            await visitor.tick(**{stop: True})
            assert any("-train-" in button for button in visitor.buttons), "there is Resume"
            assert not visitor.exceptions

    done(visits())


def test_no_change_is_lost_that_leaves_together_with_another(server):
    """The browser makes one message of the two, for the fragment of the one that it names first."""

    async def visits():
        async with Visitor(server) as visitor:
            await visitor.run()
            tab = {visitor.switch("more"): "Equations with these values"}
            for value, first, last, said in (
                (0.5, {}, visitor.rested, "μ = 0.5"),  # by what the theory says
                (0.6, visitor.rested(), dict, "μ = 0.6"),
                (0.7, tab, dict, "{0.7}"),  # by the equation of Momentum
            ):
                plotted, table = visitor.plotted, visitor.data("table")[-1]
                visitor.texts.clear()
                await visitor.tell(first | visitor.turned("momentum", value) | last())
                _sgd, panel, *_ = visitor.data("hyperparameters")
                assert panel["values"]["momentum"] == value
                assert visitor.plotted > plotted, "the pictures"
                assert visitor.data("table")[-1] != table
                assert said in "".join(visitor.texts)
            assert not visitor.exceptions

    done(visits())


def test_a_page_asked_for_while_the_run_of_a_fragment_ends_stands_where_it_stood(tmp_path):
    """Streamlit lets the same thread draw it, which had the fragment's container as the current one."""
    (tmp_path / "app.py").write_text(LATE)

    async def visits(server):
        async with Visitor(server) as visitor:
            await visitor.run()
            before = visitor.fragments.copy()  # their ids tell where they stand
            await visitor.turn("lr", 0.2)
            await visitor.run()
            assert visitor.fragments == before

    with served(tmp_path / "app.py") as server:
        done(visits(server))


def test_pages_of_a_server_that_can_write_nowhere(server):
    for path in ("activations", "initialization", "plan", "sensitivity"):
        done(sees_the_page(server, path))


def test_no_page_hangs_on_a_message_that_the_browser_has_dropped(server):
    async def visit():
        async with Visitor(server) as visitor:
            await visitor.run()
            assert not visitor.kept
            assert visitor.received > 100_000, "there was something to keep"

    done(visit())
