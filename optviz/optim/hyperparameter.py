"""A hyperparameter, declared once: default, range, scale, symbol, help.

Optimizers, wrappers, schedules and noises are frozen dataclasses whose fields are hyperparameters.
Menus, sliders, formulas, tables and tests are all derived from these declarations.
"""

import math
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache, cached_property

import numpy as np

# Labels of hyperparameters where they are not the name in words.
LABELS = {
    "lr": "learning rate",
    "eps": "epsilon",
    "saddle_free": "saddle-free",
    "beta1": "beta 1",
    "beta2": "beta 2",
    "beta3": "beta 3",
    "l2": "weight decay",
    "l1": "L1",
}


@dataclass(frozen=True)
class Hyperparameter:
    """What a person needs to know to set it; `low` and `high` bound the slider, not the method.

    `valid` is the interval of floats with which the method makes sense: by default [0, 1) where the
    slider approaches one, and from 0 on where the slider does not go below.
    A slider moves evenly in the value, in its logarithm (`log`), or in log(1 − value) (`near_one`),
    where .9, .99 and .999 are as far apart as they are in effect.
    """

    name: str
    default: float | int | bool
    low: float | None = None
    high: float | None = None
    symbol: str = ""
    log: bool = False
    near_one: bool = False
    help: str = ""
    valid: str = ""
    advanced: bool = False  # its slider is hidden among the optimizer's settings
    label: str = ""  # shown name, if other than in LABELS
    least: float | None = None  # where `spread` begins: only rare functions need lower values

    def __post_init__(self):
        signed = self.low is None or self.low < 0
        default = "[0, 1)" if self.near_one else "(-inf, inf)" if signed else "[0, inf)"
        object.__setattr__(self, "valid", self.valid or default)
        label = LABELS.get(self.name, self.name.replace("_", " "))
        object.__setattr__(self, "label", self.label or label)

    def check_range(self, value) -> None:
        """Raise ValueError where `value` is not valid, or outside of the slider's range."""
        self.check(value)
        if self.kind is not bool and not self.low <= value <= self.high:
            raise ValueError(f"{self.name} is from {self.low:g} to {self.high:g}, not {value:g}")

    def clip(self, value):
        """The value within the slider's range."""
        return min(max(value, self.low), self.high)

    def spread(self, n: int) -> np.ndarray:
        """`n` values from `low`, or `least`, to `high`, even as the slider moves; the first alone
        where n is 1.
        """
        low = self.low if self.least is None else max(self.low, self.least)
        if self.log:
            return np.geomspace(low, self.high, n)
        if self.near_one:
            return 1 - np.geomspace(1 - low, 1 - self.high, n)
        return np.linspace(low, self.high, n)

    @property
    def kind(self) -> type:
        """`bool`, `int` or `float`, the type of the default."""
        return type(self.default)

    @cached_property
    def _bounds(self):
        """The least and the greatest valid number."""
        low, high = map(float, self.valid[1:-1].split(","))
        low = math.nextafter(low, math.inf) if self.valid[0] == "(" else low
        return low, math.nextafter(high, -math.inf) if self.valid[-1] == ")" else high

    def check(self, value) -> None:
        """Raise ValueError where `value` is of the wrong type, not finite or not valid.

        A float hyperparameter also takes an array, which broadcasts as `(..., 1)` over a batch, and
        of which every element is to be valid.
        """
        if self.kind is bool:
            if not isinstance(value, bool | np.bool_):
                raise ValueError(f"{self.name} is either True or False, not {value!r}")
        elif self.kind is int:
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise ValueError(f"{self.name} must be a whole number, not {value!r}")
            if value < self.low:
                raise ValueError(f"{self.name} must be at least {self.low}, not {value}")
        else:
            low, high = self._bounds
            if type(value) is float and low <= value <= high:
                return
            numeric = isinstance(value, int | float | np.number | np.ndarray)
            array = np.asarray(value if numeric else None)
            if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
                raise ValueError(f"{self.name} must be a finite number, not {value!r}")
            array = array.astype(float)
            if (invalid := array[(array < low) | (array > high)]).size:
                raise ValueError(f"{self.name} must be in {self.valid}, not {invalid.flat[0]:.12g}")


def hyperparameter(default, low=None, high=None, symbol="", **options):
    """A dataclass field that is a hyperparameter; `options` are further `Hyperparameter` fields."""
    declared = Hyperparameter("", default, low, high, symbol, **options)
    return field(default=default, metadata={"hyperparameter": declared})


@dataclass(frozen=True)
class Configurable:
    """Base of everything with hyperparameters. Frozen; an invalid value raises ValueError."""

    def __post_init__(self):
        for k in hyperparameters(type(self)):
            k.check(getattr(self, k.name))


@cache
def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
    """The hyperparameters of a class, in the order in which they were declared."""
    return tuple(hyperparameter_of(f) for f in fields(cls) if "hyperparameter" in f.metadata)


def hyperparameter_of(f: Field) -> Hyperparameter:
    """The hyperparameter that a dataclass field declares."""
    return replace(f.metadata["hyperparameter"], name=f.name)


def sentence(cls) -> str:
    """The first line of a class's docstring: what it does, in one sentence."""
    return cls.__doc__.strip().splitlines()[0]


def register(registry: dict, cls: type, key: str | None = None, **attributes) -> type:
    """Make `cls` a frozen dataclass with class `attributes` (cite …) and file it under its key."""
    cls = dataclass(frozen=True)(cls)
    cls.key = key or cls.__name__.lower()
    for name, value in attributes.items():
        setattr(cls, name, value)
    if cls.key in registry:
        raise KeyError(f"{cls.key!r} is registered twice")
    registry[cls.key] = cls
    return cls


def registrar(registry: dict):
    """A class decorator that files classes in a registry with their display names and sources."""

    def decorator(label: str, cite: str = "", key: str | None = None):
        return lambda cls: register(registry, cls, key, label=label, cite=cite)

    return decorator
