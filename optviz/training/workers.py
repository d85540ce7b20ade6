"""Processes that compute for the server: `python -m optviz.training.workers` is one of them.

They are fresh interpreters (not `multiprocessing`'s, which run the main script again: here that is
the app), of low priority, with one thread of the matrix library. One that is killed is replaced,
and its call runs again; when the server is gone, however it went, their input ends, and so do
they.
"""

import contextlib
import io
import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np

NICE = 10  # the server, which answers people, goes first
ATTEMPTS = 3  # at a call whose worker dies
PIPE = 1 << 20  # bytes that a pipe holds, where the system lets one ask
SHARED = 4096  # bytes from which an array is worth a number
ROOT = Path(__file__).parents[2]
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def import_modules(*names: str) -> None:
    """Import modules, so that the first call that needs them is as fast as the next."""
    for name in names:
        import_module(name)


class Channel:
    """Objects through a pair of pipes.

    Of an array that was in one of the last two messages only its number is sent again: both sides
    count alike. So of a state that stays with one worker, only what is new is sent. Arrays must
    therefore not be changed after they were sent.
    """

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self._before, self._last = [], []  # the arrays of the last two messages

    def send(self, message, attempts: int = ATTEMPTS) -> None:
        """OSError where nobody is there to read it."""
        previous = self._before + self._last
        numbers = {id(array): i for i, array in enumerate(previous)}
        used, new, file = {}, [], io.BytesIO()

        def number(value):
            if type(value) not in (np.ndarray, bytes) or _nbytes(value) < SHARED:
                return None
            if id(value) not in numbers:
                numbers[id(value)] = len(previous) + len(new)
                new.append(value)
            used[numbers[id(value)]] = value
            return numbers[id(value)]

        pickler = pickle.Pickler(file, 5)
        pickler.persistent_id = number
        try:
            pickler.dump(message)
        except RuntimeError:  # a page has put a cached property on something in it just then
            if attempts > 1:
                return self.send(message, attempts - 1)
            raise
        buffers = []
        arrays = pickle.dumps(new, 5, buffer_callback=buffers.append)
        raw = [buffer.raw() for buffer in buffers]
        pickle.dump((file.getvalue(), arrays, [view.nbytes for view in raw]), self.sink, 5)
        for view in raw:
            self.sink.write(view)
        self.sink.flush()
        self._before, self._last = self._last, list(used.values())

    def receive(self):
        """EOFError or UnpicklingError where the other side has ended."""
        message, new, sizes = pickle.load(self.source)
        arrays = self._before + self._last
        arrays += pickle.loads(new, buffers=[self._read(size) for size in sizes])
        used = {}

        def array(number):
            return used.setdefault(number, arrays[number])

        unpickler = pickle.Unpickler(io.BytesIO(message))
        unpickler.persistent_load = array
        received = unpickler.load()
        self._before, self._last = self._last, list(used.values())
        return received

    def _read(self, size):
        buffer = bytearray(size)
        view = memoryview(buffer)
        while view.nbytes:
            if not (n := self.source.readinto(view)):
                raise EOFError
            view = view[n:]
        return buffer


class Worker:
    """A process that calls functions, begun again when it has died."""

    def __init__(self):
        self._start()

    def _start(self):
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)},
        )
        for pipe in (self.process.stdin, self.process.stdout):
            _widen(pipe)
        self.channel = Channel(self.process.stdout, self.process.stdin)

    def call(self, fn, args, kwargs):
        """What the function returns or raises. BrokenExecutor where it crashes the process."""
        for _attempt in range(ATTEMPTS):
            try:
                self.channel.send((fn, args, kwargs))
                error, value = self.channel.receive()
            except (OSError, EOFError, pickle.UnpicklingError):
                self.close()
                self._start()
                continue
            if error is not None:
                raise error
            return value
        raise BrokenExecutor("the process that computed it ended early every time")

    def close(self) -> None:
        """End the process now, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # what was still to be written
                pipe.close()


class ProcessExecutor(Executor):
    """Functions are called in other processes. OSError where none can be started.

    A call whose process dies is made again, so functions should depend on their arguments alone.
    """

    def __init__(self, max_workers: int | None = None):
        self.slots = max_workers or cores()
        self.workers = [Worker() for _ in range(self.slots)]
        # the one that was busy last is taken first: it may have the arrays already
        self._idle = list(self.workers)
        self._threads = ThreadPoolExecutor(self.slots, "optviz-worker")

    def submit(self, fn, /, *args, **kwargs) -> Future:
        return self._threads.submit(self._call, fn, args, kwargs)

    def _call(self, fn, args, kwargs):
        worker = self._idle.pop()
        try:
            return worker.call(fn, args, kwargs)
        finally:
            self._idle.append(worker)

    def lower_priority(self) -> None:
        """Compute only on cores that nobody else wants from now on, where the system can do that: a
        process of low priority still ends its turn first.
        """
        for worker in self.workers:
            with contextlib.suppress(AttributeError, OSError):
                os.sched_setscheduler(worker.process.pid, os.SCHED_IDLE, os.sched_param(0))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for worker in self.workers:
            worker.close()


def _nbytes(value):
    return value.nbytes if isinstance(value, np.ndarray) else len(value)


def _widen(pipe):
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


def main() -> None:
    """Make the calls that come in until the pipe is closed."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in the terminal is for the server
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints does not get in between
    channel = Channel(sys.stdin.buffer, sink)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            fn, args, kwargs = channel.receive()
            try:
                answer = None, fn(*args, **kwargs)
            except Exception as error:
                answer = error, None
            try:
                channel.send(answer)
            except (pickle.PicklingError, AttributeError, TypeError):
                error, value = answer
                channel.send((RuntimeError(f"{error or type(value)}"), None))


if __name__ == "__main__":
    main()
