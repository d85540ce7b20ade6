"""The same numbers wherever a job ran, also when a worker is killed in the middle of it."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from optviz.experiments.loss_landscape.run import SurfaceJob, paths_of
from optviz.experiments.loss_landscape.spec import LossLandscape
from optviz.nn import Network
from optviz.training import Loader, Split, Training, TrainingJob
from optviz.training.executors import SerialExecutor, ThreadExecutor
from optviz.training.scheduler import Scheduler
from optviz.training.tickets import Ticket
from optviz.training.workers import ROOT, Channel, ProcessExecutor
from optviz.tuning import Search, SearchJob
from tests import memo
from tests.jobs import Counting, look_around
from tests.same import same

NETWORK = Network((64, 12, 10))
LANDSCAPE = LossLandscape(NETWORK, iterations=40, batch=32, resolution=15, n_samples=200)
TRAINING = Training(NETWORK, iterations=120, batch=32, seeds=(0, 1), snapshot_every=20)
SEARCH = Search(network=NETWORK, split=Split(400), trials=8, iterations=30, batch=50)


def jobs():
    """A training, a search, a loss surface."""
    first = LANDSCAPE.trainings[0]
    paths = paths_of([memo.trained(training) for training in LANDSCAPE.trainings])
    return [
        TrainingJob(TRAINING, Loader("digits", TRAINING)),
        SearchJob(SEARCH, Loader("search", SEARCH.base)),
        SurfaceJob(LANDSCAPE, paths, Loader("l", first)),
    ]


def run(executor, wanted, disturb=lambda scheduler: None):
    """The last states of jobs that run until all are complete."""
    scheduler = Scheduler(lambda: executor)
    tickets = [Ticket(job) for job in wanted]
    until = time.monotonic() + 120
    while any(not t.job.progress(scheduler.state(t)).complete for t in tickets):
        assert not any(map(scheduler.error, tickets)), list(map(scheduler.error, tickets))
        assert time.monotonic() < until
        scheduler.watch("Ada", tickets)
        disturb(scheduler)
        time.sleep(0.002)
    return list(map(scheduler.state, tickets))


@pytest.fixture(scope="module")
def bare():
    """What the jobs come to in a loop, in one go."""
    return [job.advance(job.begin(), np.inf) for job in jobs()]


@pytest.fixture(scope="module")
def processes():
    executor = ProcessExecutor(2)
    yield executor
    executor.shutdown()


@pytest.fixture
def short_slices(monkeypatch):
    monkeypatch.setattr("optviz.training.scheduler.SLICE", 0.005)


@pytest.mark.parametrize("kind", [SerialExecutor, ThreadExecutor])
def test_the_same_numbers_in_this_process(kind, bare, short_slices):
    with kind() as executor:
        same(run(executor, jobs()), bare)


def test_the_same_numbers_in_processes(processes, bare, short_slices):
    same(run(processes, jobs()), bare)


def test_a_worker_that_is_killed_loses_nothing(processes, bare, short_slices):
    """Both are, in turn, while they are at it; others take their places."""
    before, killed = {w.process.pid for w in processes.workers}, []

    def kill(scheduler):
        worker = processes.workers[len(killed) % 2]
        if len(killed) < 4 and scheduler._running and worker.process.poll() is None:
            killed.append(worker.process.pid)
            os.kill(worker.process.pid, signal.SIGKILL)
            time.sleep(0.05)

    same(run(processes, jobs(), kill), bare)
    after = {w.process.pid for w in processes.workers}
    assert len(killed) == 4
    assert before.isdisjoint(after)


def test_a_slice_whose_process_dies_runs_again_once(processes, tmp_path):
    notes = tmp_path / "notes"
    [state] = run(processes, [Counting("a", length=5, notes=str(notes), dies=2)])
    assert state[0] == 5
    assert len(notes.read_bytes()) == 5 + 1


def test_what_takes_its_process_with_it_every_time_is_given_up(processes):
    future = processes.submit(os._exit, 3)
    with pytest.raises(Exception, match="early every time"):
        future.result(60)
    assert processes.submit(abs, -1).result(60) == 1


def test_what_a_function_raises_comes_back(processes):
    with pytest.raises(ZeroDivisionError):
        processes.submit(divmod, 1, 0).result(60)
    with pytest.raises(RuntimeError, match="function"):
        processes.submit(eval, "lambda: 0").result(60)


def test_a_worker_is_polite_and_knows_no_screen(processes):
    """Nor the app, which the main module of this process would be under `streamlit run`."""
    run(processes, jobs())
    seen, nice, threads = processes.submit(look_around).result(60)
    assert seen == []
    assert nice > os.nice(0) or nice == 19
    assert threads == "1"


def test_an_array_that_the_other_side_has_is_not_sent_again():
    here, there = Channel(None, None), Channel(None, None)

    def through(sender, receiver, message):
        """What arrives, and how many bytes it took."""
        sender.sink = io.BytesIO()
        sender.send(message)
        receiver.source = io.BufferedReader(io.BytesIO(sender.sink.getvalue()))
        return receiver.receive(), len(sender.sink.getvalue())

    old, column = np.arange(10_000.0), np.asfortranarray(np.ones((100, 100)))
    state, size = through(here, there, {"old": old, "column": column, "again": old})
    assert size == pytest.approx(old.nbytes + column.nbytes, rel=0.02)
    assert state["again"] is state["old"]
    assert state["column"].flags.f_contiguous
    new = state["old"] + 1
    back, size = through(there, here, {"old": state["old"], "new": new})
    assert back["old"] is old
    assert size == pytest.approx(new.nbytes, rel=0.02)
    state, size = through(here, there, [*back.values(), column])
    assert size < 1000
    assert state[1] is new
    np.testing.assert_array_equal(state[0], old)


SERVER = """
import sys, time
from optviz.training.workers import ProcessExecutor
executor = ProcessExecutor(2)
executor.submit(abs, 1).result()
for worker in executor.workers:
    print(worker.process.pid, flush=True)
time.sleep(60)
"""


def alive(pid):
    """Whether the process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_workers_are_gone_when_the_server_is_killed():
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        pids = [int(server.stdout.readline()) for _ in range(2)]
        assert all(map(alive, pids))
        server.kill()
    until = time.monotonic() + 20
    while any(map(alive, pids)):
        assert time.monotonic() < until
        time.sleep(0.02)


class CachedMeanwhile:
    """Another thread puts a cached property on it while it is pickled for the first time."""

    times = 0

    def __reduce__(self):
        CachedMeanwhile.times += 1
        if CachedMeanwhile.times == 1:
            raise RuntimeError("dictionary changed size during iteration")
        return int, (-7,)


def test_what_changes_while_it_is_sent_is_sent_again():
    executor = ProcessExecutor(1)
    try:
        assert executor.submit(abs, CachedMeanwhile()).result() == 7
    finally:
        executor.shutdown()


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="of Linux")
def test_workers_give_way_to_whoever_wants_a_core():
    with ProcessExecutor(2) as executor:
        assert executor.submit(os.sched_getscheduler, 0).result() == os.SCHED_OTHER
        executor.lower_priority()
        policies = [os.sched_getscheduler(worker.process.pid) for worker in executor.workers]
        assert policies == [os.SCHED_IDLE] * 2
        assert executor.submit(abs, -3).result() == 3
