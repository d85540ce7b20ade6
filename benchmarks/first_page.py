"""How long the first page takes when a whole class opens it at once, with and without the file
watcher.

    python benchmarks/first_page.py [--people 40]

Each person is a websocket (`tests/visitor.py`). Both servers are started anew and measured in one run.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.serving import served
from tests.visitor import Visitor


async def first_page(address: str) -> float:
    """Seconds from opening the connection to the end of the first run."""
    start = time.perf_counter()
    async with Visitor(address) as visitor:
        await visitor.run()
    return time.perf_counter() - start


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
