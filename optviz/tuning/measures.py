"""Which hyperparameter matters, by rank correlation; what the best trials come to in the end."""

import numpy as np

from optviz.nn import right, softmax
from optviz.tuning.search import SearchState
from optviz.tuning.spec import SearchData


def ranks(values) -> np.ndarray:
    """The places `(n,)` of values, from 1; equal ones share the mean of theirs."""
    values = np.asarray(values, float)
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


def rank_correlation(a, b) -> float:
    """Spearman's: the correlation of the ranks; NaN where one of them does not vary."""
    a, b = ranks(a), ranks(b)
    a, b = a - a.mean(), b - b.mean()
    length = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / length) if length else float("nan")


def final_accuracies(state: SearchState, data: SearchData) -> tuple[float, float]:
    """On the test set, of the winner and of the best together by their mean probabilities.

    They mean what they say only once, at the end.
    """
    network, best = state.search.network, state.winners
    x = data.x_test.astype(best[0].params.dtype, copy=False)
    sound = [winner for winner in best if np.isfinite(winner.params).all()] or best[:1]
    said = [softmax(network.outputs(p, x, running_statistics=s)) for _, p, s in sound]
    alone, together = (right(p, data.t_test) for p in (said[0], np.mean(said, 0)))
    return float(alone[0]), float(together[0])
