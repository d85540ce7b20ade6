"""What an optimizer is: frozen hyperparameters and one pure step."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from optviz.optim.hyperparameter import Configurable, Hyperparameter, hyperparameters, register
from optviz.translation import N_

OPTIMIZERS: dict[str, type] = {}
WRAPPERS: dict[str, type] = {}
FAMILIES = (
    N_("first order"),
    N_("momentum"),
    N_("adaptive"),
    N_("matrix"),
    N_("second order"),
    N_("parameter-free"),
    N_("derivative-free"),
)
# What to take first of a family; of a network, or of a function, the first that suits it.
STARTERS = ("sgd", "momentum", "adam", "bfgs", "muon", "soap", "lbfgs", "prodigy", "nelder_mead")


@dataclass(frozen=True)
class Optimizer(Configurable):
    """`step(f, x, state)` asks f for what it needs and returns the next `(x, state)`.

    Points are arrays `(..., d)`; leading axes are a batch whose rows never talk to each other, so a
    reduction over coordinates is over the last axis with `keepdims=True`. A hyperparameter may be
    an array that broadcasts as `(..., 1)`. State is a dict of arrays (or plain numbers, the same
    for all rows).

    The docstring's equations are worked out with a step's numbers in `optviz.optim.equations`, for
    which a class declares what its symbols stand for.
    """

    state_names: ClassVar[dict] = {}  # state variable of a point's shape -> what it is
    symbols: ClassVar[dict] = {}  # LaTeX -> state variable, where its name is not its letter
    variants: ClassVar[dict] = {}  # (switch, its position) -> old LaTeX -> new
    dense: ClassVar[str] = ""  # what it works with of about d × d numbers: not for a network's many
    initial: ClassVar[tuple[str, ...]] = ()  # hyperparameters of the beginning: none to schedule
    layered: ClassVar[bool] = False  # made for a network's matrices; on a function only to be seen
    averages: ClassVar[bool] = False  # x is a mean of points: mini-batches are met elsewhere
    counter: ClassVar[str] = ""  # a number in its state that only says that it has begun
    family: ClassVar[str] = "adaptive"  # one of FAMILIES, for menus

    def init(self, x) -> dict:
        """The state before the first step from `x`: all that has a name is 0."""
        return {name: np.zeros_like(x) for name in self.state_names}

    def step(self, f, x, state):
        """One step: the next point and the next state. Neither argument is changed."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def lookahead(self, x, state):
        """Where the gradient will be asked for: x itself, unless a method looks elsewhere."""
        return x

    def stable_lr(self, curvature):
        """The learning rate from which on it diverges on ½·curvature·x², None where that is not
        known.
        """
        return None

    def scaled(self, name: str, factor):
        """This optimizer with one hyperparameter multiplied: how a schedule acts.

        It may lead to where nobody may set it: a rate that has fallen to 0, an ε that is gone.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **{name: getattr(self, name) * factor})
        return other


def optimizer(name: str, cite: str, key: str | None = None, torch=None, torch_x=None):
    """Class decorator: a frozen dataclass, filed in OPTIMIZERS, with its display name and source.

    `torch` says what has the very same update in torch.optim, for a parameter p, and `torch_x` the
    iterate where p is not it: functions from the optimizer to code, falsy where its hyperparameters
    have no counterpart.
    """
    return lambda cls: register(
        OPTIMIZERS, cls, key, label=name, cite=cite, torch=torch, torch_x=torch_x
    )


def chain(opt: Optimizer | None) -> Iterator[Optimizer]:
    """An optimizer and those that it is wrapped around, the outermost first."""
    while opt is not None:
        yield opt
        opt = getattr(opt, "inner", None)


def setting(opt: Optimizer, name: str):
    """A hyperparameter of an optimizer or of one inside it; None where none has it."""
    return next((getattr(o, name) for o in chain(opt) if name in o.__dataclass_fields__), None)


def find(opt: Optimizer, name: str) -> Hyperparameter | None:
    """What an optimizer, or one inside it, declares by a name; None where there is none."""
    declared = (k for o in chain(opt) for k in hyperparameters(type(o)))
    return next((k for k in declared if k.name == name), None)


def with_hyperparameter(opt: Optimizer, name: str, value) -> Optimizer:
    """The optimizer with another value of its own, or of what it is wrapped around."""
    if name in opt.__dataclass_fields__:
        return replace(opt, **{name: value})
    return replace(opt, inner=with_hyperparameter(opt.inner, name, value))
