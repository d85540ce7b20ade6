"""A network with one input, a few hidden units and one output, fitted to a curve."""

from dataclasses import dataclass

from optviz.data import CURVES
from optviz.experiments.initialization.spec import MAX_INITIALIZERS
from optviz.nn import ACTIVATIONS, INITIALIZERS, Network
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter
from optviz.spec import Choice, SpecError, choice, option
from optviz.training import MAX_SEED, why_unsuited
from optviz.translation import N_

THREE = (Choice("zeros"), Choice("constant", {"c": 0.5}), Choice("normal", {"sigma": 1.0}))


@dataclass(frozen=True)
class CurveFit:
    """Initial weights side by side, each a 1-n-1 network that learns the points of one curve.

    With sigmoid, where zeros move at all. (Microsoft ai-edu, weight initialization, which prints
    the weights of such a network after zeros.)
    """

    curve: str = option("sine", {key: c.formula for key, c in CURVES.items()}, N_("Curve"))
    points: int = hyperparameter(100, 2, 1000, "n", log=True, help=N_("points on the curve"))
    units: int = hyperparameter(3, 2, 8, "h", help=N_("hidden units"))
    activation: Choice = choice("sigmoid", ACTIVATIONS, N_("Activation"))
    initializers: tuple[Choice, ...] = choice(
        THREE, INITIALIZERS, N_("Initial weights"), count=(0, MAX_INITIALIZERS, "initializers")
    )
    optimizer: OptimizerConfig = OptimizerConfig(Choice("sgd", {"lr": 0.5}))
    iterations: int = hyperparameter(
        20_000, 10, 20_000, "T", log=True, help=N_("updates, each on all points")
    )
    seed: int = hyperparameter(3, 0, MAX_SEED, help=N_("a new seed draws new random weights"))

    @property
    def network(self) -> Network:
        """In float64, where equal is equal."""
        return Network((1, self.units, 1), self.activation, dtype="float64")

    def validate(self) -> None:
        """SpecError where the optimizer cannot train a network."""
        if self.optimizer.fork or self.optimizer.initial_points:
            raise SpecError("a network cannot be trained with forks or more than one start")
        if why := why_unsuited(self.optimizer.method.key, self.network):
            raise SpecError(why)
