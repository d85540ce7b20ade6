"""What a page asks its server beside Streamlit, over a socket of its own (`optviz/ui/channel.py`)."""

import asyncio
import json

import pytest
import websockets

from optviz.shell.share import decode
from tests.serving import served
from tests.visitor import Visitor, done


@pytest.fixture(scope="module")
def server():
    with served("app.py") as address:
        yield address


def rate(visitor):
    """The first learning rate in the page's own link."""
    [bar] = visitor.data("address")
    scene = decode(bar["link"].split("s=")[1]).scene
    return scene.optimizers[0].method.values["lr"]


WRONG = (
    *("", "text", "[]", "null", "1", "[" * 100_000, b"\xff\x00", '{"n": 1}'),
    *('{"n": "x", "key": "", "message": {}}', '{"n": 1, "key": "x", "message": 5}'),
    '{"n": Infinity, "key": "x", "message": {}}',
)


def test_a_message_that_is_not_of_our_script_ends_that_socket_alone(server):
    async def visits():
        async with Visitor(server) as visitor:
            await visitor.run()
            for message in WRONG:
                socket = await visitor._connect("channel")
                await socket.send(message)
                with pytest.raises(websockets.ConnectionClosed):
                    await asyncio.wait_for(socket.recv(), 10)
            await visitor.turn("lr", 0.5)
            await visitor.rest()
            assert visitor.panels().popitem()[1]["values"]
            assert not visitor.exceptions

    done(visits())


async def all_answers(socket):
    return [answer async for answer in socket]


def test_nobody_asks_without_end(server):
    async def visits():
        async with Visitor(server, "optimizer_comparison") as visitor:
            await visitor.run()
            [growth] = visitor.data("growth")
            socket = await visitor._connect("channel")
            for n in range(500):
                question = {"n": n, "key": growth["key"], "message": visitor.drawn}
                await socket.send(json.dumps(question))
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(all_answers(socket), 10)

    done(visits())


WRONG_HANDS = ({}, {"n": 1.5}, {"n": None, "lr": 1}, {"n": 2, "lr": "x"}, {"n": 2, "lr": -1})


def test_a_hand_is_followed_beside_streamlit_as_by_a_run(server):
    async def visits():
        async with Visitor(server) as one, Visitor(server) as other:
            await one.run()
            await other.run()
            [(own, said)], [(key, _same)] = (v.turned("lr", 0.5).items() for v in (one, other))
            asked = one.components[own][1]["endpoint"]
            answer = await one.ask(asked, said["values"])
            await other.tell({key: said})  # by a run of the script
            by_run = other.components[key][1]
            for what in ("values", "notes", "traces", "echo"):
                assert answer[what] == by_run[what], what
            assert answer["values"]["lr"] == 0.5
            for wrong in WRONG_HANDS:
                await one.ask(asked, wrong)
            await one.rest()
            assert rate(one) == 0.5, "the page follows, and nothing wrong has come in"
            assert not one.exceptions

    done(visits())


def test_no_turn_is_lost_that_meets_a_run_of_the_page(server):
    async def visits():
        async with Visitor(server) as visitor:
            await visitor.run()
            for value in (0.21, 0.22, 0.23, 0.24):
                [(key, said)] = visitor.turned("lr", value).items()
                asked = visitor.components[key][1]["endpoint"]
                answer, _ = await asyncio.gather(visitor.ask(asked, said["values"]), visitor.run())
                if answer is None:  # the browser then tells it to Streamlit
                    await visitor.tell({key: said})
                panel = visitor.components[key][1]
                assert panel["echo"] == said["values"]["n"] or answer
                await visitor.run()
                await visitor.rest()
                assert rate(visitor) == value

    done(visits())


def test_what_a_page_of_before_could_ask_is_not_answered(server):
    async def visits():
        async with Visitor(server) as visitor:
            await visitor.run()
            before = next(iter(visitor.panels().values()))["endpoint"]
            assert await visitor.ask(before, {"n": 1, "lr": 0.3})
            await visitor.run()
            assert await visitor.ask(before, {"n": 2, "lr": 0.4}) is None
            assert await visitor.ask("no such key", {}) is None
            await visitor.rest()
            assert rate(visitor) == 0.3

    done(visits())
