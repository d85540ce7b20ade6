"""Why data are moved to the origin first: one line between two clouds, in two coordinate systems.

(CS231n 2017, lecture 7: far from the origin a classifier is sensitive to small changes of its
weights.)
"""

from dataclasses import dataclass

import numpy as np

from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter
from optviz.spec import Choice, option
from optviz.training import INPUTS, Training, TrainingSettings
from optviz.translation import N_

VIEWS = {
    "line": N_("A line is turned"),
    "loss": N_("The loss over the weights"),
    "digits": N_("Digits"),
}
RATES = np.geomspace(1e-5, 1e4, 55)  # six to a decade
# The rate of a descent is the one of RATES that comes lowest without a step uphill, or the one that
# comes lowest whatever happens on the way; or both descents have one and the same.
CHOICES = {
    "steady": N_("Each: lowest loss without a step uphill"),
    "lowest": N_("Each: lowest final loss"),
    "same": N_("One for both"),
}
MAX_ANGLE = 45.0


@dataclass(frozen=True)
class Standardization(TrainingSettings):
    """Two clouds of points, a line between them, a descent to it; and digits as several kinds of
    inputs.

    The network and the rate are those of the reference in section "Data normalization": with raw
    counts a matter of luck.
    """

    network: Network = Network((64, 50, 50, 10))
    iterations: int = hyperparameter(200, 10, 5000, "T", log=True, help="updates of every network")
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    optimizer: OptimizerConfig = OptimizerConfig(Choice("sgd", {"lr": 0.1}))
    points: int = hyperparameter(500, 10, 1000, "n", help="total number of points")
    spread: float = hyperparameter(0.42, 0.05, 1.0, "σ", help="standard deviation of a cloud")
    gap: float = hyperparameter(2.0, 0.0, 5.0, "d", help="distance between the clouds' centers")
    offset: float = hyperparameter(
        10.0, 0.0, 50.0, "s", help="distance from the origin to the midpoint between the clouds"
    )
    stretch: float = hyperparameter(
        1.0,
        0.1,
        10.0,
        "k",
        log=True,
        help="scale of the second feature, as if it were measured in smaller units",
    )
    seed: int = hyperparameter(21, 0, 9999, help="a new seed draws new points")  # 21: like most
    angle: float = hyperparameter(
        5.0,
        -MAX_ANGLE,
        MAX_ANGLE,
        r"\phi",
        help="degrees by which the best line's weights are turned",
    )
    choice: str = option("steady", CHOICES, N_("Learning rate"))
    rate: float = hyperparameter(
        0.1, float(RATES[0]), float(RATES[-1]), "η", log=True, help="learning rate of both descents"
    )
    steps: int = hyperparameter(
        100, 1, 300, "T", log=True, help="steps of gradient descent, from weights of zero"
    )
    view: str = option("line", VIEWS, N_("View"))

    @property
    def trainings(self) -> list[Training]:
        """The same training on every kind of inputs."""
        return [self.training(self.optimizer, eval_every=10, inputs=kind) for kind in INPUTS]
