"""Successive halving: all trials train a little, the better ones go on, and so again.

Jamieson & Talwalkar (2016), Non-stochastic best arm identification and hyperparameter
optimization. The bet is that who is behind early stays behind; a trial that starts slowly and
would have ended first is lost. What is compared is the loss on the validation set: accuracies are
all but equal as long as no trial has learned much.
"""

import numpy as np

from optviz.optim.hyperparameter import hyperparameter, registrar
from optviz.tuning.samplers import SAMPLERS

# What a search may have beside it: any sampler, or halving, whose trials are random.
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
        found = [self.first]
        while found[-1] < iterations:
            found.append(found[-1] * self.factor)
        return tuple(found[:-1])

    def survivors(self, losses, earlier=()) -> np.ndarray:
        """Who goes on, bool `(n,)`: the best 1/factor, rounded up, of these and of `earlier` ones.

        `earlier` are the losses of all that have stood at this rung before. NaN, which is who
        diverged, comes last; of equals the earlier one goes on.
        """
        everyone = np.concatenate([earlier, losses])
        best = np.argsort(everyone, kind="stable")[: -(-len(everyone) // self.factor)]
        return np.isin(np.arange(len(earlier), len(everyone)), best)
