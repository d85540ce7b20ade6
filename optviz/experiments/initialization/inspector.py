"""Inside a training: the weights and gradients of its networks at an iteration."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optviz.experiments.activations.run import Layer, hidden_layers
from optviz.training import rank, split_seeds
from optviz.ui.cache import cached
from optviz.ui.training.jobs import data_of, training_jobs

SAMPLES = 256  # training examples for the layers' activations and gradients
EQUAL = 1e-6  # of the largest weight: nearer units are the same but for rounding, as in `rank`
LEADING = 6  # singular values


@dataclass(frozen=True, eq=False)
class Units:
    """How far the units of a weight matrix `(n_in, n_out)` differ from each other.

    The hidden units are its columns; of the last matrix, whose columns are the classes, its rows.
    Without finite weights all numbers are NaN.
    """

    shape: tuple[int, int]
    count: int
    rank: int = 0
    singular_values: tuple[float, ...] = (np.nan,)  # the leading ones, the largest first
    difference: float = np.nan  # the largest between two units in any weight
    largest: float = np.nan  # size of a weight

    @classmethod
    def from_weights(cls, w, last: bool = False) -> "Units":
        w = np.asarray(w, float)
        count = w.shape[0 if last else 1]
        if not np.isfinite(w).all():
            return cls(w.shape, count)
        leading = tuple(map(float, np.linalg.svd(w, compute_uv=False)[:LEADING]))
        difference = float(np.ptp(w, axis=0 if last else 1).max())
        return cls(w.shape, count, rank(w), leading, difference, float(np.abs(w).max()))

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.largest))

    @property
    def equal(self) -> bool:
        """Whether all units are the same but for rounding."""
        return self.difference <= EQUAL * self.largest


class Inspector:
    """The networks of a training at an iteration, one of which is inspected.

    `i` is a network, `t` an iteration of `known`; with several seeds, it is the first.
    """

    def __init__(self, context):
        states = context.states
        self.lines, self.training, self.theme = context.lines, states[0].training, context.theme
        self.diverged_at = [s.diverged_at[0, 0] for s in states]
        self._stored = [{**s.snapshots, s.iteration: s.params[:, 0]} for s in states]
        common = set.intersection(*map(set, self._stored))
        requested, self.i = context.options["iteration"], context.options["network"]
        self.t = max((t for t in common if t <= requested), default=min(common))
        end, every = self.training.iterations, self.training.snapshot_every
        self.known = sorted({self.t, *(t for t in common if t == end or t % every == 0)})
        self.name = self.lines[self.i].name
        first = [split_seeds(s.training)[0] for s in states]  # of the seeds
        self._keys = [job.key for job in training_jobs(first)]

    def weights(self, t: int, i: int) -> list[np.ndarray]:
        """The weight matrices, from the first to the last."""
        views = self.training.network.views(self._params(t, i))
        return [views[k]["W"] for k in self.training.network.affine]

    def layers(self, t: int, i: int) -> tuple[list[Layer], np.ndarray]:
        """Hidden layers and gradient norms on training examples, in float64 for what is tiny."""
        return self._current_layers if (t, i) == (self.t, self.i) else self._layers(t, i)

    @cached_property
    def _current_layers(self):
        return self._layers(self.t, self.i)

    def _layers(self, t, i):
        data, params = data_of(self.training), self._params(t, i).astype(float)
        return hidden_layers(self.training.network, params, data.x[:SAMPLES], data.t[:SAMPLES])

    def _params(self, t, i):
        return self._stored[i][t][0]

    def finite(self, t: int, i: int) -> bool:
        return bool(np.isfinite(self._params(t, i)).all())

    def gradient_norms(self, t: int, i: int) -> np.ndarray:
        """The norm of the gradient of each weight matrix, NaN where the network has diverged."""
        if not self.finite(t, i):
            return np.full(len(self.training.network.affine), np.nan)
        return _gradient_norms(self._keys[i], t, i, self)

    def units(self, t: int, i: int, k: int) -> Units:
        """How far the units of weight matrix k differ."""
        return _units(self._keys[i], t, i, k, self)


# The past of a training does not change, so results from it are cached.


@cached
def _gradient_norms(key, t, i, _inspector):
    return _inspector.layers(t, i)[1]


@cached
def _units(key, t, i, k, _inspector):
    last = 0 < k == len(_inspector.training.network.affine) - 1
    return Units.from_weights(_inspector.weights(t, i)[k], last)
