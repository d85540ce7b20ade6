"""Where slices of jobs are computed: executors as in `concurrent.futures`, with so many slots.

Processes on this machine by default, threads where there can be none, a Dask cluster when
OPTVIZ_SCHEDULER has the address of its scheduler. OPTVIZ_EXECUTOR asks for another one by its name.
"""

import os
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from optviz.training.workers import ProcessExecutor, cores

MAX_CALLS = 256  # that a cluster works on for us at a time


class SerialExecutor(Executor):
    """Calls at once, in the caller's thread: for tests, and to step through with a debugger."""

    slots = 1

    def submit(self, fn, /, *args, **kwargs) -> Future:
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class ThreadExecutor(ThreadPoolExecutor):
    """Threads of the server's own, which share its interpreter."""

    def __init__(self, max_workers: int | None = None):
        self.slots = max_workers or cores()
        super().__init__(self.slots, "optviz-thread")


class DaskExecutor(Executor):
    """A Dask cluster: Dask itself repeats the calls of a lost worker.

    A thread waits for each call, so that what is done with its result does not hold up Dask's own.
    OSError where no scheduler answers.
    """

    def __init__(self, address: str):
        from distributed import Client

        self._client = Client(address, set_as_default=False, timeout=5)
        self._threads = ThreadPoolExecutor(MAX_CALLS, "optviz-dask")

    @property
    def lost(self) -> bool:
        """Whether the scheduler was away for so long (5 s) that another client is needed."""
        return self._client.status == "closed"

    @property
    def slots(self) -> int:
        """The threads of all present workers; none while the scheduler is away."""
        if self._client.status != "running":
            return 0
        return min(MAX_CALLS, max(1, sum(self._client.nthreads().values())))

    def submit(self, fn, /, *args, **kwargs) -> Future:
        return self._threads.submit(self._call, fn, args, kwargs)

    def _call(self, fn, args, kwargs):
        return self._client.submit(fn, *args, **kwargs, pure=False).result()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        self._client.close()


def start_executor() -> Executor:
    """The executor that the environment asks for. ValueError where it asks for something else."""
    if address := os.environ.get("OPTVIZ_SCHEDULER"):
        return DaskExecutor(address)
    match os.environ.get("OPTVIZ_EXECUTOR", "processes"):
        case "serial":
            return SerialExecutor()
        case "threads":
            return ThreadExecutor()
        case "processes":
            try:
                return ProcessExecutor()
            except OSError:  # where no process can be started
                return ThreadExecutor()
        case name:
            raise ValueError(f"OPTVIZ_EXECUTOR is serial, threads or processes, not {name!r}")
