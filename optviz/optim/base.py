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
# What to try first of a family; the first that suits the network or the function.
STARTERS = ("sgd", "momentum", "adam", "bfgs", "muon", "soap", "lbfgs", "prodigy", "nelder_mead")


@dataclass(frozen=True)
class Optimizer(Configurable):
    """`step(f, x, state)` evaluates f where it needs to and returns the next `(x, state)`.

    Points are arrays `(..., d)`; leading axes are a batch of independent rows, so a reduction over
    coordinates is over the last axis with `keepdims=True`. A hyperparameter may be an array that
    broadcasts as `(..., 1)`. State is a dict of arrays (or plain numbers, the same for all rows).

    The docstring's equations are evaluated with a step's numbers in `optviz.optim.equations`, for
    which a class declares what its symbols stand for.
    """

    state_names: ClassVar[dict] = {}  # state variable of a point's shape -> what it is
    symbols: ClassVar[dict] = {}  # LaTeX -> state variable, where its name is not its letter
    variants: ClassVar[dict] = {}  # (switch, its position) -> old LaTeX -> new
    dense: ClassVar[str] = ""  # what it stores of about d × d numbers: too many for a network
    initial: ClassVar[tuple[str, ...]] = ()  # hyperparameters used only at the start: no schedule
    layered: ClassVar[bool] = False  # made for a network's matrices; on a function a demonstration
    averages: ClassVar[bool] = False  # x is a mean of points: gradients are taken elsewhere
    counter: ClassVar[str] = ""  # a number in its state that only tells whether it has started
    family: ClassVar[str] = "adaptive"  # one of FAMILIES, for menus

    def init(self, x) -> dict:
        """The state before the first step from `x`: zeros for all `state_names`."""
        return {name: np.zeros_like(x) for name in self.state_names}

    def step(self, f, x, state):
        """One step: the next point and the next state. Neither argument is changed."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def lookahead(self, x, state):
        """Where the gradient will be evaluated: at x itself, unless a method overrides this."""
        return x

    def stable_lr(self, curvature):
        """The learning rate from which on it diverges on ½·curvature·x², None if unknown."""
        return None

    def scaled(self, name: str, factor):
        """This optimizer with one hyperparameter multiplied: how a schedule acts.

        The value is not checked: a rate or an ε may fall to 0.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **{name: getattr(self, name) * factor})
        return other


def optimizer(name: str, cite: str, key: str | None = None, torch=None, torch_x=None):
    """Class decorator: a frozen dataclass, registered in OPTIMIZERS, with display name and source.

    `torch` gives the code of the same update in torch.optim, for a parameter p, and `torch_x` that
    of the iterate if p is not it: functions of the optimizer, falsy where its hyperparameters have
    no counterpart.
    """
    return lambda cls: register(
        OPTIMIZERS, cls, key, label=name, cite=cite, torch=torch, torch_x=torch_x
    )


def chain(opt: Optimizer | None) -> Iterator[Optimizer]:
    """An optimizer and those inside it, the outermost first."""
    while opt is not None:
        yield opt
        opt = getattr(opt, "inner", None)


def setting(opt: Optimizer, name: str):
    """The value of a hyperparameter of an optimizer or of one inside it; None if there is none."""
    return next((getattr(o, name) for o in chain(opt) if name in o.__dataclass_fields__), None)


def find(opt: Optimizer, name: str) -> Hyperparameter | None:
    """The hyperparameter that an optimizer, or one inside it, declares; None if there is none."""
    declared = (k for o in chain(opt) for k in hyperparameters(type(o)))
    return next((k for k in declared if k.name == name), None)


def with_hyperparameter(opt: Optimizer, name: str, value) -> Optimizer:
    """The optimizer with another value of a hyperparameter, its own or that of one inside it."""
    if name in opt.__dataclass_fields__:
        return replace(opt, **{name: value})
    return replace(opt, inner=with_hyperparameter(opt.inner, name, value))
