"""The same jobs on a Dask cluster of this machine, also when a worker of it is killed."""

import os
import signal
from time import sleep

import pytest

from optviz.training.executors import DaskExecutor, start_executor
from optviz.training.scheduler import Scheduler
from optviz.training.tickets import Ticket
from tests.jobs import Counting
from tests.same import same
from tests.training.test_executors import bare, jobs, run, short_slices  # noqa: F401

pytestmark = [
    pytest.mark.dask,
    pytest.mark.filterwarnings("ignore"),  # of Dask's own
]
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as made:
        yield made


@pytest.fixture
def executor(cluster, monkeypatch):
    monkeypatch.setenv("OPTVIZ_SCHEDULER", cluster.scheduler_address)
    made = start_executor()
    assert isinstance(made, DaskExecutor)
    yield made
    made.shutdown()


def test_the_same_numbers_on_a_cluster(executor, bare, short_slices):  # noqa: F811
    assert executor.slots == 2
    same(run(executor, jobs()), bare)


def test_a_worker_that_is_killed_loses_nothing(cluster, executor, bare, short_slices):  # noqa: F811
    killed = []

    def kill(scheduler):
        if not killed and scheduler._running:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    same(run(executor, jobs(), kill), bare)
    assert killed


def test_a_slice_whose_worker_dies_runs_again_once(executor, tmp_path):
    notes = tmp_path / "notes"
    [state] = run(executor, [Counting("a", length=4, notes=str(notes), dies=2)])
    assert state[0] == 4
    assert len(notes.read_bytes()) == 4 + 1


def test_a_client_that_has_given_up_is_followed_by_another(executor):
    """It closes by itself where the scheduler is away for some seconds."""
    scheduler, [wanted] = Scheduler(lambda: starts.pop(0)()), [Ticket(Counting("a", length=2))]
    starts = [lambda: executor, start_executor]
    scheduler._get_executor()
    executor._client.close()
    assert (executor.lost, executor.slots) == (True, 0)
    while scheduler.state(wanted)[0] < 2:
        scheduler.watch("Ada", [wanted])
        scheduler.dispatch()
        sleep(0.02)
    assert scheduler.error(wanted) == ""
    scheduler.shutdown()
