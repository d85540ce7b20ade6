"""How long the first page takes when a whole class opens it at once, with and without the file
watcher.

    python benchmarks/first_page.py [--people 40]

Each person is a websocket that speaks Streamlit's protocol: it connects, asks for the first run and
waits until the script has finished. Both servers are started anew and measured in one run.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.serving import served

FINISHED = ForwardMsg.ScriptFinishedStatus.Value("FINISHED_SUCCESSFULLY")


async def first_page(address: str) -> float:
    """Seconds from opening the connection to the end of the first run."""
    start, url = time.perf_counter(), address.replace("http", "ws", 1) + "/_stcore/stream"
    options = {
        "subprotocols": ["streamlit"],
        "max_size": None,
        "compression": None,
        "ping_interval": None,
    }
    async with websockets.connect(url, open_timeout=60, **options) as socket:
        ask = BackMsg()
        ask.rerun_script.query_string = ""
        await socket.send(ask.SerializeToString())
        async for raw in socket:
            message = ForwardMsg.FromString(raw)
            if message.WhichOneof("type") == "script_finished":
                if message.script_finished != FINISHED:
                    raise RuntimeError("the first run did not end well")
                return time.perf_counter() - start
    raise ConnectionError("the server closed the connection")


async def together(address: str, people: int) -> list[float]:
    """The seconds of each of so many people who come at the same moment."""
    await first_page(address)  # one run before, which loads the modules and fills the caches
    return await asyncio.gather(*(first_page(address) for _ in range(people)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=40)
    people = parser.parse_args().people
    print(f"first page of {people} people at once, seconds")
    for watcher in ("none", "auto"):
        with served("app.py", "--server.fileWatcherType", watcher) as address:
            seconds = sorted(asyncio.run(together(address, people)))
        print(
            f"  watcher {watcher}: median {statistics.median(seconds):.2f}, slowest "
            f"{seconds[-1]:.2f}",
            flush=True,
        )
