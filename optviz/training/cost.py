"""How long a job takes, roughly: estimated from its spec, corrected by how long others took."""

from collections.abc import Sequence

from optviz.training.loop import MAX_EVALUATED
from optviz.training.spec import Training

PRODUCTS = 4e9  # numbers multiplied in a second
STEP = 3e-4  # seconds of an update before anything is multiplied
OPTIMIZER = 20  # products for a parameter in an optimizer's update
MEMORY = 0.8  # weight of the old estimate when one more job has ended


def cost_of(training: Training) -> float:
    """Seconds that a training takes on one core, as assumed above.

    A parameter is used three times for every example of a mini-batch (forward, backward, gradient)
    and once for every row on which the accuracy is measured.
    """
    networks = training.shape[0] * training.shape[1]
    products = networks * (3 * training.batch_size + OPTIMIZER) * training.network.size
    measuring = measurement_cost(training) / training.eval_every
    return training.iterations * (STEP + products / PRODUCTS + measuring)


def measurement_cost(training: Training) -> float:
    """Seconds that one measurement takes, which the page of an untrained network waits for."""
    networks = training.shape[0] * training.shape[1]
    rows = min(training.split.rows, MAX_EVALUATED) + MAX_EVALUATED / 2
    rows += 3 * (2 * training.sharpness + 1) * training.split.rows if training.sharpness else 0
    return networks * rows * training.network.size / PRODUCTS


class Pace:
    """How many times as long as assumed jobs take on this server: a geometric running mean."""

    def __init__(self):
        self.factor = 1.0

    def learn(self, cost: float, seconds: float) -> None:
        """A job of this cost has taken so many seconds."""
        if cost > 0 and seconds > 0:
            ratio = min(max(seconds / cost, 0.05), 20.0)
            self.factor = self.factor**MEMORY * ratio ** (1 - MEMORY)

    def seconds(self, costs: Sequence[float], cores: int) -> float:
        """Until jobs of these costs are done side by side."""
        return self.factor * max(max(costs, default=0.0), sum(costs) / cores)


PACE = Pace()
