"""What an optimizer is: frozen knobs and one pure step."""

from dataclasses import dataclass, replace

from optviz.core.knobs import Knobbed, register

OPTIMIZERS: dict[str, type] = {}
WRAPPERS: dict[str, type] = {}


@dataclass(frozen=True)
class Optimizer(Knobbed):
    """`step(f, x, state)` asks f for what it needs and returns the next `(x, state)`.

    Points are arrays `(..., d)`; leading axes are a batch whose rows never talk to each other, so a
    reduction over coordinates is over the last axis with `keepdims=True`. A knob may be an array
    that broadcasts as `(..., 1)`. State is a dict of arrays (or plain numbers, the same for all rows).
    """

    def init(self, x) -> dict:
        """The state before the first step from `x`."""
        return {}

    def step(self, f, x, state):
        """One step: the next point and the next state. Neither argument is changed."""
        raise TypeError(f"{type(self).__name__} is abstract")

    def lookahead(self, x, state):
        """Where the gradient will be asked for; not x itself for Nesterov's method only."""
        return x

    def stable_lr(self, curvature):
        """The learning rate from which on it diverges on ½·curvature·x², None where that is not known."""
        return None

    def scaled(self, name: str, factor):
        """This optimizer with one knob multiplied: how a schedule acts."""
        return replace(self, **{name: getattr(self, name) * factor})


def optimizer(name: str, cite: str, key: str | None = None):
    """Class decorator: a frozen dataclass, filed in OPTIMIZERS, with its display name and source."""
    return lambda cls: register(OPTIMIZERS, cls, key, label=name, cite=cite)
