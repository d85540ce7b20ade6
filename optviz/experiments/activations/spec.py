"""One setting of a deep stack of layers, or two side by side."""

from dataclasses import dataclass

from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.optim.hyperparameter import hyperparameter
from optviz.spec import Choice, choice, items

MAX_UNITS = 500


@dataclass(frozen=True)
class DeepStack:
    """Layers of equal width without biases, and the samples that are sent through."""

    layers: int = hyperparameter(5, 1, 12, "L", help="layers that the signal passes")
    units: int = hyperparameter(100, 1, MAX_UNITS, "n", help="units in each layer")
    activation: Choice = choice("sigmoid", ACTIVATIONS, "Activation")
    initializer: Choice = choice(Choice("normal", {"sigma": 1.0}), INITIALIZERS, "Initial weights")
    samples: int = hyperparameter(1000, 2, 5000, help="inputs that are sent through")
    inputs: int = hyperparameter(100, 1, MAX_UNITS, help="numbers in each of them")
    seed: int = hyperparameter(0, 0, 9999, help="another number, other inputs and weights")


@dataclass(frozen=True)
class Activations:
    """What the page shows; `shared_range` gives all histograms of a row one range.

    `own_data` says that a file of the author's is sent through, which the spec does not hold.
    """

    stacks: tuple[DeepStack, ...] = items((DeepStack(),), 1, 2, "settings")
    shared_range: bool = False
    own_data: bool = False
