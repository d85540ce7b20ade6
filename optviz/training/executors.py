"""Where slices of jobs are computed: executors as in `concurrent.futures`, with so many slots.

Processes on this machine by default, threads where there can be none, a Dask cluster when
OPTVIZ_SCHEDULER has the address of its scheduler. OPTVIZ_EXECUTOR asks for another one by its name.
"""

import os
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from optviz.training.workers import ProcessExecutor, cores


class SerialExecutor(Executor):
    """Calls at once, in the thread that asks: for tests, and to step through with a debugger."""

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
    """A Dask cluster: Dask itself computes again what a lost worker was at."""

    def __init__(self, address: str):
        from distributed import Client

        self._client = Client(address, set_as_default=False)
        self._executor = self._client.get_executor(pure=False)

    @property
    def slots(self) -> int:
        """The threads of all workers that are there now."""
        return max(1, sum(self._client.nthreads().values()))

    def submit(self, fn, /, *args, **kwargs) -> Future:
        return self._executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait)
        self._client.close()


def start_executor() -> Executor:
    """The one that the environment asks for. ValueError where it asks for something else."""
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
            except OSError:  # where none can be had
                return ThreadExecutor()
        case other:
            raise ValueError(f"OPTVIZ_EXECUTOR is serial, threads or processes, not {other!r}")
