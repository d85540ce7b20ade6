"""How fast a training is in a process of the pool, and what visitors who train cost one who does not.

    python benchmarks/executor.py [--rounds 4] [--visitors 10] [--presses 60]

Speed: iterations a second of one training in slices, by the scheduler and one process, beside the same
training in one go in the same process. They take turns.

Latency: a rerun of the trajectories page over a websocket, from the message that asks for it to the
last one that answers, with nobody training and with so many visitors who each train another
network on the page that compares optimizers, as a browser does; beside a bare Streamlit app. `websockets` must be installed.

Pictures: for several pages whose scene nobody has opened, the seconds until the first points stand,
and then how many pictures come in a second, and how many kB the plots and all else take of each;
beside opening the bare app.
"""

import argparse
import asyncio
import statistics
import time
from dataclasses import replace

# sets one thread before NumPy is loaded, and finds the package
from optimizers import machine

import numpy as np  # isort: skip

from optviz.experiments.optimizer_comparison.page import PAGE
from optviz.shell.registry import PAGES
from optviz.shell.share import SharedScene, encode
from optviz.training import Loader, Training, TrainingJob
from optviz.training.scheduler import INTEREST, Scheduler
from optviz.training.tickets import Ticket
from optviz.training.workers import ProcessExecutor
from tests.serving import served
from tests.visitor import Visitor

ITERATIONS = 3000
LIVE = ("optimizer_comparison", "initialization", "lr_schedules", "regularization")


def speeds(rounds):
    """Iterations a second, in slices and in one go, for each round."""
    training = Training(iterations=ITERATIONS)
    found = {"slices": [], "one go": []}
    with ProcessExecutor(1) as executor:
        loader = Loader("digits", training)
        job = TrainingJob(training, loader)
        executor.submit(job.advance, job.begin(), 0.1).result()  # loads the data
        for _ in range(rounds):
            began = time.perf_counter()
            executor.submit(job.advance, job.begin(), np.inf).result()
            found["one go"].append(ITERATIONS / (time.perf_counter() - began))
            scheduler, ticket = Scheduler(lambda: executor), Ticket(job)
            began = time.perf_counter()
            while not scheduler.state(ticket).done:
                scheduler.watch("Ada", [ticket])
                time.sleep(0.01)
            found["slices"].append(ITERATIONS / (time.perf_counter() - began))
    return found


async def train(address, seed, stop, pictures):
    """Open the page, where a training begins by itself, and see it grow as fast as a browser would."""
    scene = replace(PAGE.opening, iterations=5000, seeds=(seed,))
    async with Visitor(address, PAGE.key, f"s={encode(SharedScene(PAGE.key, scene))}") as one:
        await one.run()
        while one.pause and not stop.is_set():
            await asyncio.sleep(one.pause)
            pictures.append(await timed(one.tick()))


async def opening(address, path, seed, seconds):
    """Open a scene that is new: seconds until it has begun to grow, pictures a second, kB of each:
    of the plots and in all.
    """
    scene = replace(PAGES[path].opening, iterations=5000, seeds=(seed,))
    began = time.perf_counter()
    async with Visitor(address, path, f"s={encode(SharedScene(path, scene))}") as one:
        await one.run()
        while one.progress.startswith("0 of") and not one.grown:
            await asyncio.sleep(one.pause)
            await one.tick()
        first, due = time.perf_counter() - began, time.perf_counter()
        sizes, begun = [], due
        while one.pause and due < begun + seconds:
            due = max(due + one.pause, time.perf_counter())  # as the browser's clock has it
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            plotted, received, was = one.plotted, one.received, one.grown
            await one.tick()
            size = (one.plotted - plotted) / 1000, (one.received - received) / 1000
            sizes += [size] * (one.grown != was)
        rate = len(sizes) / (time.perf_counter() - begun)
    await asyncio.sleep(INTEREST)  # or the next one would share the workers with this one
    return first, rate, *np.mean(sizes, 0)


async def pictures(address, bare, rounds):
    """The same for every page and round, the first of which warms up; and of the bare app."""
    found = {path: [] for path in ("bare app", *LIVE)}
    for i in range(rounds + 1):
        began = time.perf_counter()
        async with Visitor(bare) as one:
            await one.run()
        found["bare app"].append((time.perf_counter() - began, 0.0, 0.0, one.received / 1000))
        for path in LIVE:
            found[path].append(await opening(address, path, 100 + i, 5))
    return {path: each[1:] for path, each in found.items()}


async def timed(work):
    """ms that it takes."""
    began = time.perf_counter()
    await work
    return 1000 * (time.perf_counter() - began)


async def reruns(address, presses):
    async with Visitor(address) as one:
        for _ in range(3):
            await one.run()
        found = []
        for _ in range(presses):
            found.append(await timed(one.run()))
            await asyncio.sleep(0.1)
        return found


async def latencies(address, bare, visitors, presses):
    """ms of each rerun: of the bare app, of ours alone, of ours while others train."""
    found = {
        "bare app": await reruns(bare, presses),
        "nobody trains": await reruns(address, presses),
    }
    stop, pictures = asyncio.Event(), []
    others = [asyncio.create_task(train(address, seed, stop, pictures)) for seed in range(visitors)]
    await asyncio.sleep(10)
    pictures.clear()
    found[f"{visitors} train"] = await reruns(address, presses)
    found["bare app, then"] = await reruns(bare, presses)
    stop.set()
    for ended in await asyncio.gather(*others, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
    found["a picture of who trains"] = pictures
    return found


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--rounds", type=int, default=4)
    ask.add_argument("--visitors", type=int, default=10)
    ask.add_argument("--presses", type=int, default=60)
    a = ask.parse_args()
    print(f"{machine()}\n")
    found = speeds(a.rounds)
    for name, rates in found.items():
        print(f"{name}: {statistics.median(rates):.0f} iterations a second")
    pairs = zip(found["slices"], found["one go"], strict=True)
    share = statistics.median(ours / bare for ours, bare in pairs)
    print(f"share of the bare loop's speed: {share:.0%} (to reach: at least 85 %)\n")
    with served("app.py") as address, served("benchmarks/bare_app.py") as bare:
        live = asyncio.run(pictures(address, bare, a.rounds))
        times = asyncio.run(latencies(address, bare, a.visitors, a.presses))
    print(
        "| a scene that is new | first points, s | pictures a second | kB of its plots | in all |"
    )
    print("|---|---|---|---|---|")
    for path, each in live.items():
        print(
            "| {} | {:.2f} | {:.1f} | {:.1f} | {:.1f} |".format(
                path, *map(statistics.median, zip(*each, strict=True))
            )
        )
    print("\nto reach: at most 1 s, at least 10, at most 5 kB of plots\n")
    print("| a rerun over a websocket, ms | p50 | p95 |\n|---|---|---|")
    for name, ms in times.items():
        print(
            f"| {name} | {statistics.median(ms):.0f} | {statistics.quantiles(ms, n=20)[-1]:.0f} |"
        )
    medians = {name: statistics.median(ms) for name, ms in times.items()}
    ratio = medians[f"{a.visitors} train"] / medians["nobody trains"]
    print(f"\nmedian ratio {ratio:.2f} (to reach: at most 1.5)")


if __name__ == "__main__":
    main()
