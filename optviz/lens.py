"""A lens: a place in a frozen spec, which can be read and replaced.

`at("regularizers", 2, "l2")` is the place of the third regularizer's l2: `place.get(spec)` reads
it, `place.set(spec, 0.1)` gives another spec that differs there only. Fields, items of tuples and
entries of mappings are places alike; every control of a page is bound to one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any


@dataclass(frozen=True)
class Lens:
    """How to read a place, and how to replace what stands there."""

    get: Callable[[Any], Any]
    set: Callable[[Any, Any], Any]

    def then(self, inner: "Lens") -> "Lens":
        """A place within this place."""
        return Lens(
            lambda whole: inner.get(self.get(whole)),
            lambda whole, value: self.set(whole, inner.set(self.get(whole), value)),
        )

    def at(self, *path: str | int) -> "Lens":
        """A place within this place, by its path."""
        return self.then(at(*path))


def at(*path: str | int) -> Lens:
    """The place at the end of a path of field names, indices and keys; without any, the whole."""
    return reduce(Lens.then, map(_step, path), Lens(lambda whole: whole, lambda _, value: value))


def _step(name):
    def get(whole):
        if isinstance(whole, dict):
            return whole.get(name)
        return whole[name] if isinstance(name, int) else getattr(whole, name)

    def put(whole, value):
        if isinstance(whole, dict):
            return {**whole, name: value}
        if isinstance(name, int):
            return (*whole[:name], value, *whole[name + 1 :])
        return replace(whole, **{name: value})

    return Lens(get, put)


def without(items: tuple, i: int) -> tuple:
    """The items but the one at place i."""
    return (*items[:i], *items[i + 1 :])
