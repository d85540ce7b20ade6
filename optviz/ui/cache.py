"""What pages have worked out, kept for all visitors: so many bytes of it, the last used. Pictures
as the browser gets them, made once for all who look at the same.
"""

import gc
import inspect
import json
import sys
from functools import cached_property, wraps
from hashlib import sha1
from threading import Lock
from types import FunctionType, ModuleType
from weakref import WeakKeyDictionary

import numpy as np

from optviz.plot import Figure, to_plotly

MAX_BYTES = 128 << 20  # of all that is kept
SAMPLE_SIZE = 8  # of what is in a long list, or a larger mapping
CODE = (type, ModuleType, FunctionType)


class LRUCache:
    """Values by key; beyond `max_bytes` the least recently used go, and what is larger never comes
    in. May be used by many threads.
    """

    def __init__(self, max_bytes: int = MAX_BYTES):
        self.max_bytes, self.size = max_bytes, 0
        self._found: dict[tuple, tuple] = {}  # key -> value and bytes, the last used last
        self._lock = Lock()

    def get(self, key: tuple, compute, size_of=None):
        """The value of a key, from `compute()` where it is not there; `size_of(value)` where its
        bytes are known faster than by looking.
        """
        with self._lock:
            if key in self._found:
                self._found[key] = found = self._found.pop(key)
                return found[0]
        value = compute()
        size = (size_of or bytes_of)(value)
        with self._lock:
            if key not in self._found and size <= self.max_bytes:
                self._found[key] = value, size
                self.size += size
            while self.size > self.max_bytes:
                self.size -= self._found.pop(next(iter(self._found)))[1]
        return value

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._found.clear()
            self.size = 0


SHARED_CACHE = LRUCache()


def cached(f):
    """A function that works each value out once, as long as SHARED_CACHE has it: by the arguments
    whose names do not begin with an underscore; specs that have one count by their `as_json`.
    """
    named = [not name.startswith("_") for name in inspect.signature(f).parameters]

    @wraps(f)
    def get(*args):
        key = (
            getattr(arg, "as_json", arg) for arg, known in zip(args, named, strict=True) if known
        )
        return SHARED_CACHE.get((f.__module__, f.__qualname__, *key), lambda: f(*args))

    return get


def bytes_of(value) -> int:
    """About the memory of a value and all that it refers to, code aside; of a long list a sample is
    looked at.
    """
    seen, waiting, total = set(), [(value, 1.0)], 0.0
    while waiting:
        thing, times = waiting.pop()
        if id(thing) in seen or isinstance(thing, CODE):
            continue
        seen.add(id(thing))
        total += times * sys.getsizeof(thing)  # of an array with its numbers, if they are its own
        inner = [thing.base] if isinstance(thing, np.ndarray) else gc.get_referents(thing)
        if len(inner) > SAMPLE_SIZE * (2 if isinstance(thing, list | tuple) else 8):
            some = inner[:: len(inner) // SAMPLE_SIZE]
            inner, times = some, times * len(inner) / len(some)
        waiting += [(part, times) for part in inner]
    return int(total)


# What parts have made of trainings, and what was sent of it; apart from what took longer to work
# out, as a training that is watched has others every second.
PICTURE_CACHE = LRUCache(16 << 20)
MEMORY_FACTOR = 3  # a figure and what is sent of it, in lengths of that as JSON, roughly


class EncodedFigure:
    """A figure as it is sent."""

    def __init__(self, figure: Figure):
        self.figure = to_plotly(figure)

    @cached_property
    def _mark(self) -> tuple[str, int]:
        text = json.dumps(self.figure, sort_keys=True).encode()
        return sha1(text).hexdigest()[:12], len(text)

    @property
    def version(self) -> str:
        """A name for all that is to be seen."""
        return self._mark[0]

    @property
    def bytes(self) -> int:
        """The memory that it takes, with the figure."""
        return MEMORY_FACTOR * self._mark[1]


_ENCODED: WeakKeyDictionary[Figure, EncodedFigure] = WeakKeyDictionary()


def encoded(figure: Figure) -> EncodedFigure:
    """A figure as it is sent: the same one as long as there is the figure."""
    if (found := _ENCODED.get(figure)) is None:
        found = _ENCODED[figure] = EncodedFigure(figure)
    return found
