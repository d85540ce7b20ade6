"""Experiments as plain JSON and back: what share links, lessons and saved files are made of.

A spec is a tree of frozen dataclasses. `to_dict` writes one without what is as it is by default;
`from_dict` reads it again and believes nothing: names, types and sizes are those of the
declaration, or SpecError says what is wrong and where.
"""

import json
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

from optviz.optim.hyperparameter import hyperparameter_of, hyperparameters

MAX_DEPTH = 32  # records in records; a fork of a fork is two of them
MAX_ITEMS = 64  # in one list or mapping
MAX_NAMED = 8  # options in a message
MAX_NAME = 40  # characters of a name in a mapping


class SpecError(ValueError):
    """What is wrong with a spec, and where in it."""


@dataclass(frozen=True)
class Choice:
    """One thing from a registry with its hyperparameters: an optimizer, a schedule, a noise …"""

    key: str
    values: dict = field(default_factory=dict)

    def build(self, registry, *inner):
        """What is chosen, with its hyperparameters; around `inner` where it wraps something."""
        return registry[self.key](*inner, **self.values)

    def with_values(self, **values) -> "Choice":
        """The same with some of its hyperparameters set."""
        return Choice(self.key, self.values | values)

    def check(self, registry, where: str) -> None:
        """SpecError where a registry has no such thing, or none with such hyperparameters."""
        if self.key not in registry:
            raise SpecError(f"there is no {where} {_short(self.key)}")
        declared = {k.name: k for k in hyperparameters(registry[self.key])}
        for name, value in self.values.items():
            if name not in declared:
                raise SpecError(f"{where} {self.key} has no hyperparameter {_short(name)}")
            k = declared[name]
            try:
                k.check(value)
            except ValueError as error:
                raise SpecError(f"{where} {self.key}: {error}") from None
            if k.kind is not bool and not k.low <= value <= k.high:
                span = f"{k.low:g} to {k.high:g}"
                raise SpecError(f"{name} of {self.key} is from {span}, not {value:g}")


def choice(default, registry, label: str, help: str = "", count=None):
    """A dataclass field that holds one thing of a registry, None, or a tuple of such things.

    `count` says of a tuple how many: from, to, their plural.
    """
    default = Choice(default) if isinstance(default, str) else default
    declared = {"registry": registry, "label": label, "help": help}
    return field(default=default, metadata=declared | ({"count": count} if count else {}))


def option(default, options: dict, label: str, help: str = ""):
    """A dataclass field that holds one key of `options`, which maps keys to names on the screen."""
    return field(default=default, metadata={"options": options, "label": label, "help": help})


def items(default, low: int, high: int, name: str):
    """A dataclass field that holds a tuple of `low` to `high` things; `name` is their plural."""
    return field(default=default, metadata={"count": (low, high, name)})


def validate(spec) -> None:
    """SpecError where a value is outside of what its field declares, here or in any spec within.

    Rules across fields are the spec's own `validate()`, which is called after its fields are right.
    """
    for f in fields(spec):
        value, declared = getattr(spec, f.name), f.metadata
        if "hyperparameter" in declared:
            try:
                hyperparameter_of(f).check_range(value)
            except ValueError as error:
                raise SpecError(f"{error}") from None
        if "options" in declared and value not in declared["options"]:
            known = [str(option) for option in declared["options"] if option]
            if len(known) > MAX_NAMED:
                raise SpecError(f"there is no {f.name} {_short(value)}")
            raise SpecError(f"{f.name} is one of {', '.join(known)}, not {_short(value)}")
        if "count" in declared:
            low, high, name = declared["count"]
            if not low <= len(value) <= high:
                raise SpecError(f"there are {low} to {high} {name}, not {len(value)}")
        many = isinstance(value, tuple | dict)
        found = value.values() if isinstance(value, dict) else value
        for inner in found if many else (value,):
            if isinstance(inner, Choice) and "registry" in declared:
                inner.check(declared["registry"], f.name.removesuffix("s") if many else f.name)
            elif is_dataclass(inner) and not isinstance(inner, Choice):
                validate(inner)
    if hasattr(spec, "validate"):
        spec.validate()


def to_dict(value):
    """A spec as dicts, lists, texts and numbers. A choice is its key or {key: hyperparameters}."""
    if isinstance(value, Choice):
        return {value.key: dict(value.values)} if value.values else value.key
    if is_dataclass(value):
        return {
            f.name: to_dict(v)
            for f in fields(value)
            if (v := getattr(value, f.name)) != _default(f)
        }
    if isinstance(value, tuple | list):
        return [to_dict(v) for v in value]
    if isinstance(value, dict):
        return {k: to_dict(v) for k, v in value.items()}
    return value


def canonical_json(value) -> str:
    """JSON that is the same text for the same value: what caches are keyed by."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def from_dict(kind, data, where: str = "scene", depth: int = 0):
    """What `to_dict` has written, as a value of `kind`: a dataclass or the type of a field."""
    if depth > MAX_DEPTH:
        raise SpecError(f"{where} is nested too deeply")
    args, origin = get_args(kind), get_origin(kind)
    if kind is Choice:
        return _choice(data, where)
    if is_dataclass(kind):
        return _record(kind, data, where, depth + 1)
    if origin in (UnionType, Union):
        [inner] = [a for a in args if a is not NoneType]
        return None if data is None else from_dict(inner, data, where, depth)
    if origin is tuple:
        items = _sized(list, data, where)
        kinds = [args[0]] * len(items) if args[-1] is Ellipsis else args
        if len(kinds) != len(items):
            raise SpecError(f"{where} takes {len(kinds)} values, not {len(items)}")
        return tuple(
            from_dict(k, v, f"{where} {i + 1}", depth)
            for i, (k, v) in enumerate(zip(kinds, items, strict=True))
        )
    if origin is dict:
        for name in _sized(dict, data, where):
            if not isinstance(name, str) or len(name) > MAX_NAME:
                raise SpecError(f"{where} has no {_short(name)}")
        return {k: from_dict(args[1], v, f"{where} {_short(k)}", depth) for k, v in data.items()}
    return _simple(kind, data, where)


def _record(kind, data, where, depth):
    given = _sized(dict, data, where)
    known = {f.name: f for f in fields(kind)}
    if odd := [k for k in given if k not in known]:
        raise SpecError(f"{where} has no {_short(odd[0])}")
    if missing := [n for n, f in known.items() if _default(f) is MISSING and n not in given]:
        raise SpecError(f"{where} lacks its {missing[0]}")
    types = get_type_hints(kind)
    return kind(**{k: from_dict(types[k], v, k, depth) for k, v in given.items()})


def _choice(data, where):
    if isinstance(data, str):
        return Choice(data)
    if len(_sized(dict, data, where)) != 1:
        raise SpecError(f"{where} is one thing with its hyperparameters, not {len(data)}")
    [(key, values)] = data.items()
    for name, value in _sized(dict, values, where).items():
        if not isinstance(value, int | float) or not abs(value) < 1e300:
            raise SpecError(f"{_short(name)} of {where} is not a number")
    return Choice(key, dict(values))


def _sized(kind, data, where):
    if not isinstance(data, kind):
        raise SpecError(f"{where} is a {'list' if kind is list else 'mapping'}, not {_short(data)}")
    if len(data) > MAX_ITEMS:
        raise SpecError(f"{where} holds more than {MAX_ITEMS} things")
    return data


def _simple(kind, data, where):
    if kind is float and type(data) in (int, float) and abs(data) < 1e300:
        return float(data)
    if kind is not float and type(data) is kind and (kind is not int or abs(data) < 2**53):
        return data
    kinds = {float: "a finite number", int: "a whole number", bool: "true or false"}
    kinds |= {str: "text", dict: "a mapping"}
    raise SpecError(f"{where} is {kinds[kind]}, not {_short(data)}")


def _short(data):
    try:
        text = repr(data)
    except (ValueError, RecursionError):  # thousands of digits, or lists in lists in lists …
        text = "something beyond measure"
    return text if len(text) <= 30 else f"{text[:28]}…"


def _default(f):
    return f.default_factory() if f.default_factory is not MISSING else f.default
