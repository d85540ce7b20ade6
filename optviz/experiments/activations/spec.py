"""One setting of a deep stack of layers, or up to three at once."""

from dataclasses import dataclass, replace

from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.optim.hyperparameter import hyperparameter, hyperparameters
from optviz.spec import Choice, SpecError, choice, items, option
from optviz.translation import N_

MAX_UNITS, MAX_STACKS = 500, 3
MAX_NUMBERS = 10**7  # activations in all settings together
BACKWARD = {
    "a": N_("∂L/∂a, of the activations"),
    "z": N_("∂L/∂z, of the weighted sums"),
    "W": N_("∂L/∂W, of the weights"),
}
SYMBOLS = {"sigma": "σ", "gain": "g"}  # of initializers' hyperparameters


def initializer_name(choice: Choice) -> str:
    """What an initializer is called, with its hyperparameters where it has some."""
    initializer = choice.build(INITIALIZERS)
    values = ", ".join(
        f"{SYMBOLS.get(h.name, h.name)} = {getattr(initializer, h.name):g}"
        for h in hyperparameters(type(initializer))
    )
    return f"{initializer.label} ({values})" if values else initializer.label


@dataclass(frozen=True)
class DeepStack:
    """Layers of equal width without biases, and the samples that are sent through."""

    layers: int = hyperparameter(5, 1, 12, "L", help="layers that the signal passes through")
    units: int = hyperparameter(100, 1, MAX_UNITS, "n", help="units in each layer")
    activation: Choice = choice("sigmoid", ACTIVATIONS, "Activation")
    initializer: Choice = choice(Choice("normal", {"sigma": 1.0}), INITIALIZERS, "Initial weights")
    samples: int = hyperparameter(1000, 2, 5000, help="inputs that are sent through the network")
    inputs: int = hyperparameter(100, 1, MAX_UNITS, help="numbers in each input")
    seed: int = hyperparameter(0, 0, 9999, help="a new seed draws new inputs and weights")


@dataclass(frozen=True)
class Activations:
    """What the page shows; `shared_range` gives all histograms of a row one range.

    `own_data` says that a file of the author's is sent through, which the spec does not hold.
    """

    stacks: tuple[DeepStack, ...] = items((DeepStack(),), 1, MAX_STACKS, "settings")
    backward: str = option("a", BACKWARD, N_("Backward"))
    shared_range: bool = False
    own_data: bool = False

    def validate(self) -> None:
        """SpecError where there are more numbers than can be shown at once."""
        if self != self.affordable():
            raise SpecError(f"the settings have more than {MAX_NUMBERS:,} activations together")

    def affordable(self) -> "Activations":
        """The same with no more samples than it may have."""
        max_samples = MAX_NUMBERS // sum(stack.layers * stack.units for stack in self.stacks)
        stacks = (replace(s, samples=min(s.samples, max_samples)) for s in self.stacks)
        return replace(self, stacks=tuple(stacks))
