"""A visitor without a browser: speaks Streamlit's protocol over a websocket, as a page would."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

FINISHED = {
    ForwardMsg.ScriptFinishedStatus.Value(name)
    for name in ("FINISHED_SUCCESSFULLY", "FINISHED_FRAGMENT_RUN_SUCCESSFULLY")
}


def done(visits):
    """What a coroutine gives, run in a thread of its own: in the first one Playwright may have a loop that runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, visits).result()


class Visitor:
    """One open page at `path` (no slash), with what stands behind the question mark of its address.

    `async with Visitor(address) as v: await v.run()`. What has come: `received` bytes, those `plotted`, `components`
    (id -> its name and data), `fragments` (id of a component -> its fragment), `sliders`, `exceptions`,
    what stands over the bar of a training (`progress`), how often its pictures have `grown`,
    `kept` (hashes of what a browser keeps, to be referred to later).
    """

    def __init__(self, address: str, path: str = "", query: str = "", headers=None, ssl=None):
        self.url = address.replace("http", "ws", 1)
        self.path, self.query, self.headers, self.ssl = path, query, headers, ssl
        self.received, self.plotted, self.hash, self.turns = 0, 0, "", 0
        self.components, self.fragments, self.exceptions, self.texts = {}, {}, [], []
        self.sliders, self.buttons, self.kept, self.progress = [], [], set(), ""
        self.drawn, self.grown = {}, 0  # versions of the pictures
        self.channel = None  # the socket of what grows

    async def __aenter__(self):
        self.socket = await self._connect("_stcore/stream", subprotocols=["streamlit"])
        return self

    async def _connect(self, path, **more):
        return await websockets.connect(
            f"{self.url}/{path}", max_size=None, compression=None, ping_interval=None,
            open_timeout=60, additional_headers=self.headers, ssl=self.ssl, **more,
        )  # fmt: skip

    async def __aexit__(self, *_):
        await self.socket.close()
        if self.channel:
            await self.channel.close()

    async def run(self, widget: str = "", value=None, **also) -> None:
        """A run of the page, or of the fragment of a component that has a new value, until it has ended.

        What has `also` changed at that moment, values by id, is told in the same message, as the browser does.
        """
        ask = BackMsg()
        ask.rerun_script.query_string = self.query
        ask.rerun_script.page_name = self.path
        ask.rerun_script.page_script_hash = self.hash
        ask.rerun_script.fragment_id = self.fragments.get(widget, "")
        told = {widget: value, **also} if widget else also
        for key, value in told.items():
            state = ask.rerun_script.widget_states.widgets.add(id=key)
            if isinstance(value, float):  # of Streamlit's own slider
                state.double_array_value.data.append(value)
            elif value is True:  # a button, pressed
                state.trigger_value = True
            elif isinstance(value, str):  # one of some segments
                state.string_array_value.data.append(value)
            elif isinstance(value, list):  # events of a component
                state.id = f"$$STREAMLIT_INTERNAL_KEY_{key}__events"
                state.json_trigger_value = json.dumps(value)
            else:
                state.json_value = json.dumps(value)
        if not widget:
            self.texts.clear()
            self.buttons.clear()
        await self.socket.send(ask.SerializeToString())
        async for raw in self.socket:
            self.received += len(raw)
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if message.metadata.cacheable:
                self.kept.add(message.hash)
            if kind == "new_session":
                self.hash = message.new_session.page_script_hash
            elif kind == "navigation":
                self.hash = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "delta":
                self._take(message.delta)
                name = message.delta.new_element.bidi_component.component_name
                self.plotted += len(raw) * name.endswith("plot")
            elif kind == "script_finished" and message.script_finished in FINISHED:
                return
        raise ConnectionError("the server closed the connection")

    def _take(self, delta):
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "bidi_component":
            held = element.bidi_component
            data = json.loads(held.json)[0]
            self.components[held.id] = held.component_name, data
            self.fragments[held.id] = delta.fragment_id
            if held.component_name.endswith("plot"):
                self.drawn[data["name"]] = data["version"]
        elif kind == "button_group":
            self.fragments[element.button_group.id] = delta.fragment_id
        elif kind == "slider":
            self.sliders.append(element.slider.id)
        elif kind == "button" and not element.button.disabled:
            self.buttons.append(element.button.id)
        elif kind == "progress":
            self.progress = element.progress.text
        elif kind == "exception":
            self.exceptions.append(element.exception.type)
        elif kind in ("alert", "html", "markdown"):
            self.texts.append(getattr(element, kind).body)

    def switch(self, key: str) -> str:
        """The id of the switch between parts that has this key."""
        return next(found for found in self.fragments if found.endswith(f"-{key}"))

    def panels(self) -> dict[str, dict]:
        """Hyperparameter panels by the id of their component."""
        return {
            key: data
            for key, (name, data) in self.components.items()
            if name.endswith("hyperparameters") and data
        }

    def data(self, component: str) -> list[dict]:
        """What the components of this kind have been sent."""
        return [data for name, data in self.components.values() if name.endswith(component)]

    async def turn(self, name: str, value: float) -> None:
        """Turn the first hyperparameter of this name, as the browser does while a hand drags it."""
        [(key, said)] = self.turned(name, value).items()
        _name, data = self.components[key]
        answer = data["endpoint"] and await self.ask(data["endpoint"], said["values"])
        if answer:
            data |= answer
        else:
            await self.tell({key: said})

    async def rest(self) -> None:
        """Say that the hand rests, as the browser does a moment after a turn."""
        await self.tell(self.rested())

    async def tell(self, values: dict) -> None:
        """All of this in one message: the fragment of the first is run."""
        first, *others = values.items()
        await self.run(*first, **dict(others))

    def turned(self, name: str, value: float) -> dict:
        """What the browser tells of that turn: a value by id."""
        key = next(key for key, panel in self.panels().items() if name in panel["values"])
        self.turns += 1
        return {key: {"values": {"n": self.turns, name: value}}}

    def rested(self) -> dict:
        """What it tells of that rest."""
        [key] = [k for k, (name, _) in self.components.items() if name.endswith("address")]
        return {key: [{"event": "rest", "value": True}]}

    async def tick(self, **also) -> None:
        """What the browser does when the pictures of a training are drawn: asks what is new in them; the page is run where
        that is the answer, or where something has changed `also`.
        """
        [(key, data)] = [
            (k, d) for k, (name, d) in self.components.items() if name.endswith("growth")
        ]
        answer = None if also else await self.ask(data["key"], self.drawn)
        if answer is None:
            del self.components[key]  # it comes again while there is more
            return await self.run(
                key, {"values": {"key": data["key"], "drawn": self.drawn}}, **also
            )
        data["every"] = answer.get("every", 0)
        self.drawn |= {name: news["version"] for name, news in answer.get("pictures", {}).items()}
        self.grown += bool(answer.get("pictures"))

    async def ask(self, key: str, message: dict) -> dict | None:
        """What the server says beside Streamlit; None where the page has to be run."""
        if self.channel is None:
            try:
                self.channel = await self._connect("channel")
            except websockets.InvalidStatus:  # the server has none
                return None
        await self.channel.send(json.dumps({"n": 1, "key": key, "message": message}))
        raw = await self.channel.recv()
        self.received += len(raw)
        self.plotted += len(raw)
        answer = json.loads(raw)
        return None if "rerun" in answer else answer

    @property
    def pause(self) -> float:
        """Seconds until the next look at a training that runs; 0 where none does."""
        growing = [data for name, data in self.components.values() if name.endswith("growth")]
        return max(growing[0]["every"] / 1000, 0.001) if growing else 0.0
