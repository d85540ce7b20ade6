"""Successive halving: all trials train a little, the better ones go on, and so again.

Jamieson & Talwalkar (2016), Non-stochastic best arm identification and hyperparameter
optimization. The bet is that trials that are behind early stay behind; one that starts slowly and
would have won is lost. Compared are losses on the validation set: accuracies are all but equal as
long as no trial has learned much.
"""

import numpy as np

from optviz.optim.hyperparameter import hyperparameter, registrar
from optviz.tuning.samplers import SAMPLERS

# What a search may be compared with: any sampler, or halving, whose trials are random.
RIVALS: dict[str, type] = dict(SAMPLERS)


@registrar(RIVALS)(
    "Random + halving", "Jamieson & Talwalkar (2016), Non-stochastic best arm identification"
)
class Halving:
    """At each rung the best trials go on, to a rung that is the factor times as far."""

    factor: int = hyperparameter(2, 2, 5, help="one trial in this many goes on at each rung")
    first: int = hyperparameter(
        20,
        1,
        1000,
        log=True,
        help="iterations to the first rung; each further rung is at the factor times as many",
    )

    def rungs(self, iterations: int) -> tuple[int, ...]:
        """At which iterations trials are stopped, before the last."""
        rungs = [self.first]
        while rungs[-1] < iterations:
            rungs.append(rungs[-1] * self.factor)
        return tuple(rungs[:-1])

    def survivors(self, losses, earlier=()) -> np.ndarray:
        """Which trials go on, bool `(n,)`: the best 1/factor, rounded up, of these and `earlier`.

        `earlier` are the losses of all that reached this rung before. NaN, for trials that
        diverged, comes last; of equal ones the earlier goes on.
        """
        all_losses = np.concatenate([earlier, losses])
        best = np.argsort(all_losses, kind="stable")[: -(-len(all_losses) // self.factor)]
        return np.isin(np.arange(len(earlier), len(all_losses)), best)
