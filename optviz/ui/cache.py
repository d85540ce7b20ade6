"""What pages have computed, cached for all visitors, up to so many bytes. Pictures as the browser
gets them, made once for all who look at the same.
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

MAX_BYTES = 128 << 20  # of all values
SAMPLE_SIZE = 8  # items that are measured in a long list, or in a larger mapping
CODE = (type, ModuleType, FunctionType)


class LRUCache:
    """Values by key; beyond `max_bytes` the least recently used go, and a larger value is not kept.
    It is thread-safe.
    """

    def __init__(self, max_bytes: int = MAX_BYTES):
        self.max_bytes, self.size = max_bytes, 0
        self._entries: dict[tuple, tuple] = {}  # key -> value and bytes, the last used last
        self._lock = Lock()

    def get(self, key: tuple, compute, size_of=None):
        """The value of a key, by `compute()` where it is not cached; `size_of(value)` is its bytes,
        where that is faster than `bytes_of`.
        """
        with self._lock:
            if key in self._entries:
                self._entries[key] = entry = self._entries.pop(key)
                return entry[0]
        value = compute()
        size = (size_of or bytes_of)(value)
        with self._lock:
            if key not in self._entries and size <= self.max_bytes:
                self._entries[key] = value, size
                self.size += size
            while self.size > self.max_bytes:
                self.size -= self._entries.pop(next(iter(self._entries)))[1]
        return value

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._entries.clear()
            self.size = 0


SHARED_CACHE = LRUCache()


def cached(f):
    """A function whose values SHARED_CACHE keeps, by the arguments whose names do not begin with an
    underscore; specs that have `as_json` count by that.
    """
    in_key = [not name.startswith("_") for name in inspect.signature(f).parameters]

    @wraps(f)
    def get(*args):
        key = (
            getattr(arg, "as_json", arg) for arg, keyed in zip(args, in_key, strict=True) if keyed
        )
        return SHARED_CACHE.get((f.__module__, f.__qualname__, *key), lambda: f(*args))

    return get


def bytes_of(value) -> int:
    """Roughly the memory of a value and all that it refers to, but for code; lists are sampled."""
    visited, pending, total = set(), [(value, 1.0)], 0.0
    while pending:
        part, weight = pending.pop()
        if id(part) in visited or isinstance(part, CODE):
            continue
        visited.add(id(part))
        total += weight * sys.getsizeof(part)  # of an array with its numbers, if they are its own
        inner = [part.base] if isinstance(part, np.ndarray) else gc.get_referents(part)
        if len(inner) > SAMPLE_SIZE * (2 if isinstance(part, list | tuple) else 8):
            sample = inner[:: len(inner) // SAMPLE_SIZE]
            inner, weight = sample, weight * len(inner) / len(sample)
        pending += [(p, weight) for p in inner]
    return int(total)


# What parts made of trainings, and what was sent of it; apart from what took longer to compute, as
# a training that is watched brings new ones every second.
PICTURE_CACHE = LRUCache(16 << 20)
MEMORY_FACTOR = 3  # a figure and what is sent of it, in lengths of that as JSON, roughly


class EncodedFigure:
    """A figure as it is sent."""

    def __init__(self, figure: Figure):
        self.figure = to_plotly(figure)

    @cached_property
    def _digest(self) -> tuple[str, int]:
        text = json.dumps(self.figure, sort_keys=True).encode()
        return sha1(text).hexdigest()[:12], len(text)

    @property
    def version(self) -> str:
        """A name for the figure: a hash of its JSON."""
        return self._digest[0]

    @property
    def bytes(self) -> int:
        """The memory that it takes, with the figure."""
        return MEMORY_FACTOR * self._digest[1]


_ENCODED: WeakKeyDictionary[Figure, EncodedFigure] = WeakKeyDictionary()


def encoded(figure: Figure) -> EncodedFigure:
    """A figure as it is sent: the same one as long as there is the figure."""
    if (picture := _ENCODED.get(figure)) is None:
        picture = _ENCODED[figure] = EncodedFigure(figure)
    return picture
