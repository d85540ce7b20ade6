"""Successive halving: all trials train a little, the better part goes on, and so again (Jamieson & Talwalkar 2016).

Non-stochastic best arm identification and hyperparameter optimization, algorithm 1. The bet is that who is behind
early stays behind; a trial that starts slowly and would have ended first is lost. What is compared is the loss on
validation rows: accuracies are all but equal as long as nobody has learned much.
"""

from dataclasses import dataclass

import numpy as np

from optviz.spec import SpecError


@dataclass(frozen=True)
class Halving:
    """At the first look one in `factor` goes on; the next look is after `factor` times as many iterations."""

    factor: int = 2
    first: int = 20  # iterations before the first look

    def check(self) -> None:
        """SpecError where it could not have been set on the page."""
        for name, value, low, high in (
            ("factor", self.factor, 2, 5),
            ("iterations to the first look", self.first, 1, 20_000),
        ):
            if not low <= value <= high:
                raise SpecError(f"the {name} of halving is from {low} to {high}, not {value}")

    def looks(self, iterations: int) -> tuple[int, ...]:
        """At which iterations trials are stopped, before the last."""
        found, t = [], self.first
        while t < iterations:
            found.append(t)
            t *= self.factor
        return tuple(found)

    def survive(self, losses, of=()) -> np.ndarray:
        """Who goes on, bool `(n,)`: the best 1/factor, rounded up, of these and of whoever stood there before, `of`.

        NaN, which is who diverged, comes last; of equals the earlier one goes on.
        """
        everyone = np.concatenate([of, losses])
        best = np.argsort(everyone, kind="stable")[: -(-len(everyone) // self.factor)]
        return np.isin(np.arange(len(of), len(everyone)), best)
