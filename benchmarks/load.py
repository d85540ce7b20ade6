"""A class on one process: from a knob to all that the server answers, beside a bare Streamlit app.

    python benchmarks/load.py [--people 40] [--seconds 120] [--trainers 10] [--sessions 500] [--rounds 10] [--share .3]

People open a page over a websocket of their own, think (exponentially, a second in the mean), turn
a knob, wait for the end of the answer. The same people meet the bare app, then the trajectories,
then with nobody thinking, which saturates one process, two of them and, where nginx is, two behind it.
As the people and the proxy need cores of the same machine, each process then gets no more than
--share of one (Linux's control groups, as root; elsewhere it says that it got what it took), and
the processor time that the app had is told, too. Then the trajectories while some of them train
networks instead. Then sessions come and go. Memory is that of the server's process.

Last, as many open Overfitting on another server within a minute, stay until it has trained, and
leave; ten times (`--seconds 0` measures that alone). What its workers compute for all of them is
told beside what they compute for the one who has come before to a scene of their own.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parent.parent))
from optviz.experiments.regularization.page import PAGE
from optviz.shell.share import SharedScene, encode
from tests.serving import UNSAFE, launched, nginx, proxied
from tests.visitor import Visitor

REST = 0.25  # seconds after which a hand rests, as in request_queue.js


@dataclass
class Crowd:
    """What people have met."""

    seconds: list[float] = field(default_factory=list)  # of those who turn knobs
    errors: list[str] = field(default_factory=list)
    trained: int = 0  # looks at a training
    halfway: int = 0  # bytes of the server's process

    def line(self) -> str:
        p95 = statistics.quantiles(self.seconds, n=20)[-1]
        p50, errors = statistics.median(self.seconds), len(self.errors)
        return f"{1000 * p50:.0f} | {1000 * p95:.0f} | {len(self.seconds)} | {errors}"


def memory(process) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096


def processor(*processes) -> float:
    """Seconds of a core that they have had."""
    stats = [Path(f"/proc/{p.pid}/stat").read_text().rpartition(")")[2].split() for p in processes]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


@contextmanager
def held(process, share):
    """A process, and those that it begins, with no more than such a share of a core."""
    root = Path("/sys/fs/cgroup")
    modern = (root / "cgroup.controllers").exists()
    group = (root if modern else root / "cpu") / f"optviz-{process.pid}"
    limit, period = int(share * 20_000), 20_000  # µs: short, or all wait for the slowest
    try:
        group.mkdir()
        if modern:
            (group / "cpu.max").write_text(f"{limit} {period}")
        else:
            (group / "cpu.cfs_period_us").write_text(f"{period}")
            (group / "cpu.cfs_quota_us").write_text(f"{limit}")
        (group / "cgroup.procs").write_text(f"{process.pid}")
    except OSError as error:
        print(f"no share can be held here: {error}")
        yield
        return
    try:
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(f"{process.pid}")
        group.rmdir()


async def turns(visitor, think, until, crowd, dice):
    """Turn a knob again and again; where the hand rests, table and text follow, which is not timed."""
    while monotonic() < until:
        pause = dice.expovariate(1 / think)
        if pause > REST and not visitor.sliders:
            await asyncio.sleep(REST)
            await visitor.rest()
            pause -= REST
        await asyncio.sleep(pause)
        begun, value = monotonic(), dice.uniform(0.01, 0.9)
        if visitor.sliders:
            await visitor.run(visitor.sliders[0], value)
        else:
            await visitor.turn("lr", value)
        crowd.seconds.append(monotonic() - begun)


async def trains(visitor, think, until, crowd, dice):
    """Look at a training that runs, and start another once it is done."""
    while monotonic() < until:
        if visitor.pause:
            await asyncio.sleep(visitor.pause)
            await visitor.tick()
            crowd.trained += 1
        else:
            await asyncio.sleep(dice.expovariate(1 / think))
            await visitor.turn("lr", dice.uniform(0.01, 0.9))
            await visitor.run()  # the hand rests
            if not visitor.pause:  # it is not so cheap that it starts by itself
                for button in visitor.buttons:  # it is not there where all of this was trained
                    if button.endswith("-train-initialization"):
                        await visitor.run(button, True)
                        break


async def crowd(address, people, seconds, think=1.0, trainers=0, *others, process=None) -> Crowd:
    """So many people at an app, or at several processes of it in turn; the last ones train."""
    found, dice = Crowd(), random.Random(0)

    async def one(visitor, act):
        try:
            await act(visitor, think, until, found, dice)
        except Exception as error:
            found.errors.append(repr(error))
        found.errors.extend(visitor.exceptions)

    async with AsyncExitStack() as stack:
        visitors = []
        for i in range(people):
            path = "initialization" if i >= people - trainers else ""
            at = (address, *others)[i % (1 + len(others))]
            tls = {"ssl": UNSAFE, "headers": {"Cookie": f"optviz={i}"}} if at[:5] == "https" else {}
            visitors.append(await stack.enter_async_context(Visitor(at, path, **tls)))
            await visitors[-1].run()
        until, acts = monotonic() + seconds, [turns] * (people - trainers) + [trains] * trainers
        if process:
            later = asyncio.get_running_loop().call_later
            later(seconds / 2, lambda: setattr(found, "halfway", memory(process)))
        await asyncio.gather(*map(one, visitors, acts))
    return found


async def change(address, process, many=200):
    """Seconds of a core for each of so many changes, one after the other: of a rerun of the bare
    app; of the pictures, then table and text.
    """
    dice = random.Random(0)
    async with Visitor(address) as visitor:
        await visitor.run()
        for i in range(-10, many):
            if i == 0:
                before = processor(process)
            if visitor.sliders:
                await visitor.run(visitor.sliders[0], dice.uniform(0.1, 0.9))
            else:
                await visitor.turn("lr", dice.uniform(0.01, 0.9))
                await visitor.rest()
        return (processor(process) - before) / many


async def come_and_go(address, sessions):
    """Open so many pages, each closed before the next."""
    for _ in range(sessions):
        async with Visitor(address) as visitor:
            await visitor.run()


def worked(process) -> float:
    """Seconds of a core that the processes which this one has started have taken."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            fields = stat.read_text().rpartition(")")[2].split()
            ticks += (int(fields[11]) + int(fields[12])) * (int(fields[1]) == process.pid)
    return ticks / os.sysconf("SC_CLK_TCK")


async def opened(address, process, people, spread, query="", path="regularization"):
    """So many people who open a page within so many seconds and stay until it has trained: bytes
    of the process while all are there, and how many errors they met.
    """
    async with AsyncExitStack() as stack:

        async def one(i):
            await asyncio.sleep(spread * i / people)
            visitor = await stack.enter_async_context(Visitor(address, path, query))
            await visitor.run()
            while visitor.pause:
                await asyncio.sleep(visitor.pause)
                await visitor.tick()
            return len(visitor.exceptions)

        errors = await asyncio.gather(*map(one, range(people)))
        return memory(process), sum(errors)


def together(people, rounds, spread):
    """A class that opens Overfitting at once, round by round; sessions beside a bare app's."""
    for script, path in (("benchmarks/bare_app.py", ""), ("app.py", PAGE.key)):
        with launched(script) as (address, process):
            asyncio.run(opened(address, process, 1, 0, path=path))  # who has computed it for all
            before = memory(process)
            after, _errors = asyncio.run(opened(address, process, people, spread, path=path))
        each = (after - before) / people / 2**20
        print(f"{script}: {each:.2f} MB an open session (to reach: at most 3)", flush=True)
    lone = f"s={encode(SharedScene(PAGE.key, replace(PAGE.opening, seeds=(7, 8, 9))))}"
    with launched("app.py") as (own, process):
        asyncio.run(opened(own, process, 1, 0, lone))
        alone, sizes, errors = worked(process), [], 0
        for i in range(rounds):
            size, wrong = asyncio.run(opened(own, process, people, spread))
            sizes.append(f"{size / 2**20:.0f}")
            errors += wrong
            if not i:
                for_all = worked(process) - alone
    print(f"cores' seconds: {alone:.1f} for one, {for_all:.1f} for {people} in the same minute")
    print(f"MB round by round: {' '.join(sizes)}; {errors} errors")


def saturated(own, process, people, seconds, share):
    """What one process, two of them, and two behind the proxy have time for."""
    with ExitStack() as stack:
        second, other = stack.enter_context(launched("app.py"))
        ways = {"one process": ((own,), [process]), "two": ((own, second), [process, other])}
        if nginx():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            site = stack.enter_context(proxied(folder))
            ways["two behind nginx"] = (site.address,), site.apps.values()
        for name, ((first, *others), processes) in ways.items():
            asyncio.run(crowd(first, people, 3, 1e-3, 0, *others))  # all pages are imported
            with ExitStack() as shares:
                for one in processes:
                    shares.enter_context(held(one, share))
                before = processor(*processes)
                found = asyncio.run(crowd(first, people, seconds, 1e-3, 0, *others))
                used = processor(*processes) - before
            line = f"{used:.0f} s of a core | {found.line()}"
            print(f"| nobody thinks, {share} of a core for a process, {name}: {line} |", flush=True)


def turning(a):
    """The knobs, and who comes and goes."""
    bare_app = launched("benchmarks/bare_app.py")
    with bare_app as (bare, other), launched("app.py") as (own, process):
        times = [
            [1000 * asyncio.run(change(*app)) for app in ((bare, other), (own, process))]
            for _ in range(5)  # in turn, so that a busy moment of the machine meets both
        ]
        least, most = map(statistics.median, zip(*times, strict=True))
        print(f"ms of a core for a change: bare app {least:.1f}, trajectories {most:.1f}, ", end="")
        print(f"{most / least:.2f} times as much (to reach: at most 3)\n")
        print("| ms | p50 | p95 | turns | errors |\n|---|---|---|---|---|")
        line = asyncio.run(crowd(bare, a.people, a.seconds)).line()
        print(f"| bare app | {line} |", flush=True)
        turned = asyncio.run(crowd(own, a.people, a.seconds, process=process))
        print(f"| trajectories | {turned.line()} |", flush=True)
        half = (turned.halfway, memory(process))
        saturated(own, process, a.people, a.seconds / 4, a.share)
        before = memory(process)
        busy = asyncio.run(crowd(own, a.people, a.seconds, trainers=a.trainers))
        print(f"| of whom {a.trainers} train | {busy.line()} |", flush=True)
        sizes = (*half, before, memory(process))
        asyncio.run(come_and_go(own, a.sessions))
        sizes = " → ".join(f"{size / 2**20:.0f}" for size in (*sizes, memory(process)))
    print(
        f"\nlooks at trainings: {busy.trained}; MB halfway through the people, after them, ", end=""
    )
    print(f"after nobody thinks, those who train, {a.sessions} sessions: {sizes}")


def main():
    ask = argparse.ArgumentParser()
    for name, usual in {
        "people": 40,
        "seconds": 120,
        "trainers": 10,
        "sessions": 500,
        "rounds": 10,
        "share": 0.3,
    }.items():
        ask.add_argument(f"--{name}", type=type(usual), default=usual)
    a = ask.parse_args()
    if a.seconds:
        turning(a)
    together(a.people, a.rounds, spread=60 * a.people / 40)


if __name__ == "__main__":
    main()
