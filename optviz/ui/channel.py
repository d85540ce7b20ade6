"""The WebSocket on which a page asks its server beside Streamlit: how a slider that is dragged
changes the pictures, and what is new in those of a training. With a run of the script for each,
Streamlit would cost the server and the browser more than the pictures do.

The browser knows what it may ask for by a key from the last run of the page. Where no such socket
can be opened, the page is run instead.
"""

from asyncio import Task, create_task, get_running_loop, sleep
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from uuid import uuid4
from weakref import WeakValueDictionary, ref

import streamlit as st
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.logger import get_logger

from optviz.ui.session import acting_as, session

WAIT, MAX_WAIT = 0.025, 0.2  # seconds until the next look where nothing is new, and ever more
PATIENCE = 4.0  # seconds after which a browser has to ask again, or it is taken to be gone
MAX_REQUESTS = 8  # questions of one browser at a time
MAX_CHANGES = 100  # components whose last change a session remembers
RERUN = {"rerun": True}  # the page has to be run

_LOG = get_logger(__name__)
_ENDPOINTS: "WeakValueDictionary[str, Endpoint]" = WeakValueDictionary()
_CHANGING, _WATCHING = ThreadPoolExecutor(4, "changing"), ThreadPoolExecutor(4, "watching")


class Endpoint:
    """What the browser of this visitor may ask for, as long as the session holds it under a `name`.

    `answer(message)` gives the answer to the browser's message: empty where there is nothing yet,
    None where the page has to be run for it. Those who only watch (`watch`) have their own threads,
    so that a hand never waits for them.
    """

    def __init__(self, name: str, answer: Callable[[dict], dict | None], watch: bool = False):
        self.key, self._answer, self._session = uuid4().hex, answer, ref(session())
        self.threads = _WATCHING if watch else _CHANGING
        session().endpoints[name] = _ENDPOINTS[self.key] = self

    def respond(self, message: dict) -> dict | None:
        """The present answer, from any thread."""
        if not (S := self._session()):
            return None
        with acting_as(S):
            return self._answer(message)


async def _response(key, message) -> dict:
    until, wait = monotonic() + PATIENCE, WAIT
    while endpoint := _ENDPOINTS.get(key):
        try:
            run = get_running_loop().run_in_executor
            response = await run(endpoint.threads, endpoint.respond, message)
        except Exception:
            _LOG.exception("on the channel of a page")
            break
        if response is None:
            break
        if response or monotonic() > until:
            return response
        del endpoint  # or what the session has dropped would stay
        await sleep(wait)
        wait = min(2 * wait, MAX_WAIT)
    return RERUN


async def listen(socket: WebSocket):
    """Send answers as they are ready; each has the number of its question."""
    requests: set[Task] = set()

    async def answer(n, key, message):
        with suppress(WebSocketDisconnect, RuntimeError):  # the browser has gone meanwhile
            await socket.send_json({"n": n, **await _response(key, message)})

    await socket.accept()
    with suppress(WebSocketDisconnect):
        while len(requests) < MAX_REQUESTS:
            try:
                request = await socket.receive_json()
                n, key = int(request["n"]), str(request["key"])
                message = dict(request["message"])
            except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
                break  # not from our script
            requests.add(task := create_task(answer(n, key, message)))
            task.add_done_callback(requests.discard)
        await socket.close(1008)


# What a hand sets, and what the browser has.


def component_value(key: str, name: str = "values") -> dict:
    """What the browser last sent for a component; empty where it sent none, or no mapping."""
    sent = (st.session_state.get(key) or {}).get(name)
    return sent if isinstance(sent, dict) else {}


def component_endpoint(key: str, answer: Callable[[dict], dict]) -> str:
    """The key by which the browser asks, beside Streamlit, for `answer(values)`, with the values
    that a hand has set with a component.
    """

    def receive(values):
        S, n = session(), values.get("n")
        with S.lock:
            if S.full_rerun or type(n) is not int:
                return None
            changes = [*browser().last_changes.items(), (key, n)]
            browser().last_changes = dict(changes[-MAX_CHANGES:])
            return {**answer(values), "echo": n}

    return Endpoint(key, receive).key


def last_change(key: str) -> int:
    """The number of the last change that a hand has made with a component."""
    n = component_value(key).get("n")
    return max(n if type(n) is int else 0, browser().last_changes.get(key, 0))


@dataclass
class Browser:
    """What the visitor's browser has drawn of each picture."""

    survives_reload = False  # a page that is loaded again has none

    drawn_versions: dict[str, str] = field(
        default_factory=dict
    )  # the version, when it last said so
    underlay_ids: dict[str, set[str]] = field(default_factory=dict)  # lower layers by their ids
    grown_keys: set[str] = field(default_factory=set)  # what came beside the runs of the page
    last_changes: dict[str, int] = field(
        default_factory=dict
    )  # by component: the number of the last

    def set_drawn(self, versions) -> None:
        """Note what it says that it has drawn; it may send anything."""
        self.drawn_versions = versions if isinstance(versions, dict) else {}


def browser() -> Browser:
    """The visitor's browser."""
    return session().state(Browser)
