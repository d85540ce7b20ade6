"""Which hyperparameters are tried next: points of the unit cube, from those tried so far."""

import math
from dataclasses import dataclass

import numpy as np

from optviz.optim.hyperparameter import Configurable, hyperparameter, registrar
from optviz.tuning.gaussian_process import GaussianProcess, expected_improvement

SAMPLERS: dict[str, type] = {}
BERGSTRA = "Bergstra & Bengio (2012), Random search for hyper-parameter optimization"
SNOEK = "Snoek, Larochelle & Adams (2012), Practical Bayesian optimization"
CANDIDATES = 1000  # points at which the improvement is computed, and half as many near the best


@dataclass(frozen=True)
class Sampler(Configurable):
    """Proposes points of the unit cube."""

    def rounds(self, trials: int, d: int) -> tuple[int, ...]:
        """How many points are proposed at a time: later ones know the results of earlier ones."""
        return (trials,)

    def propose(self, points, accuracies, n: int, rng) -> np.ndarray:
        """n points `(n, d)` from those tried `(k, d)` and their accuracies `(k,)`.

        It draws from `rng` alone: the same trials and the same generator give the same proposal.
        """
        raise TypeError(f"{type(self).__name__} is abstract")


sampler = registrar(SAMPLERS)


def sides(n: int, d: int) -> tuple[int, ...]:
    """How many values on each axis the largest nearly square grid of at most n points has."""
    grid = [1] * d
    while (grid[0] + 1) ** d <= n:
        grid = [side + 1 for side in grid]
    for i in range(d):
        if math.prod(grid) // grid[i] * (grid[i] + 1) <= n:
            grid[i] += 1
    return tuple(grid)


@sampler("Grid", BERGSTRA)
class Grid(Sampler):
    """Every combination of a few evenly spaced values of each, including the ends of the range.

    One for which no second value is left gets the middle of its range.
    """

    def rounds(self, trials, d):
        return (math.prod(sides(trials, d)),)

    def propose(self, points, accuracies, n, rng):
        counts = sides(n, points.shape[1])
        axes = [np.linspace(0, 1, k) if k > 1 else np.array([0.5]) for k in counts]
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))


@sampler("Random", BERGSTRA)
class Random(Sampler):
    """Every trial is drawn independently, so each has a new value of every hyperparameter."""

    def propose(self, points, accuracies, n, rng):
        return rng.random((n, points.shape[1]))


@sampler("Coarse to fine", "Karpathy et al., CS231n, Hyperparameter optimization", "coarse_to_fine")
class CoarseToFine(Sampler):
    """Random, and then random again in a smaller box around the best trials so far."""

    boxes: int = hyperparameter(
        3, 2, 6, help="boxes, each drawn around the best of all trials so far"
    )
    elite: float = hyperparameter(
        0.2, 0.05, 0.5, help="share of the trials so far that count as the best", valid="(0, 1]"
    )

    def rounds(self, trials, d):
        parts = np.array_split(np.arange(trials), self.boxes)
        return tuple(len(part) for part in parts if len(part))

    def propose(self, points, accuracies, n, rng):
        draws = rng.random((n, points.shape[1]))
        if not len(points):
            return draws
        low, high = self.box(points, accuracies)
        return low + draws * (high - low)

    def box(self, points, accuracies) -> tuple[np.ndarray, np.ndarray]:
        """The box around the best, with half the usual gap between as many points as margin."""
        k, d = points.shape
        order = np.argsort(-accuracies, kind="stable")
        best = points[order[: max(2, round(self.elite * k))]]
        margin = 0.5 / (k + 1) ** (1 / d)
        return np.maximum(best.min(0) - margin, 0), np.minimum(best.max(0) + margin, 1)


@sampler("Bayesian", SNOEK)
class Bayesian(Sampler):
    """A Gaussian process predicts the accuracy everywhere; the most promising point is tried next.

    Several at a time: after each choice the process takes its own prediction there for true, so
    that the next goes elsewhere (Ginsbourger et al. 2010, the kriging believer).
    """

    first: int = hyperparameter(8, 2, 40, help="random trials before the process is used")
    at_once: int = hyperparameter(4, 1, 20, help="trials between two looks at results")
    explore: float = hyperparameter(
        0.01, 0.0, 0.2, r"\xi", help="an improvement must be larger than this to count"
    )
    rough: bool = hyperparameter(
        True, help="use the Matérn 5/2 kernel, not the squared exponential"
    )

    def rounds(self, trials, d):
        first = min(self.first, trials)
        starts = range(first, trials, self.at_once)
        return (first, *(min(self.at_once, trials - done) for done in starts))

    def propose(self, points, accuracies, n, rng):
        d = points.shape[1]
        if len(points) < 2:
            return rng.random((n, d))
        kernel = "matern" if self.rough else "squared_exponential"
        process = GaussianProcess.fit(points, accuracies, kernel)
        best, chosen = accuracies.max(), []
        near = points[np.argsort(-accuracies, kind="stable")[:5]]
        for _ in range(n):
            anywhere = rng.random((CANDIDATES, d))
            nearby = near[rng.integers(0, len(near), CANDIDATES // 2)]
            nearby = nearby + 0.05 * rng.standard_normal((CANDIDATES // 2, d))
            candidates = np.concatenate([anywhere, np.clip(nearby, 0, 1)])
            mean, std = process.predict(candidates)
            i = int(expected_improvement(mean, std, best + self.explore).argmax())
            chosen.append(candidates[i])
            process = process.condition_on(candidates[i], float(mean[i]))
        return np.array(chosen)
