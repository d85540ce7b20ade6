"""f as the optimizer sees it: the gradient with this step's noise, every evaluation counted."""

import numpy as np

from optviz.functions.function import Function

NOTHING = np.float64(np.nan)


class Oracle:
    """Evaluates f for an optimizer and counts that in `count`: gradient, value, Hessian.

    A line search marks with `where` the rows that it still needs; the others have finished, and
    their results mean nothing. Once few are left, f is evaluated for these alone. The last result
    is kept: at the point that a search has found, nothing is evaluated twice. The caller silences
    NumPy's warnings, as `minimize` does.
    """

    def __init__(self, f, count=(0, 0, 0)):
        self.f = f.raw if type(f) is Function else f  # anything with value, grad and hess will do
        self.noise = self.gradient = None
        self.count = [*count]
        self._last = {}  # kind -> the last point of a search, and f's answer there

    def begin(self, noise) -> None:
        """Begin the next step, with its noise, for which earlier noisy gradients are of no use. The
        first gradient of a step stays its `gradient`.
        """
        if noise is not None and 0 in self._last:
            changed = (noise != self.noise).any(-1, keepdims=True)
            x, g = self._last[0]
            self._last[0] = np.where(changed, np.nan, x), g
        self.noise, self.gradient = noise, None

    def keep(self, rows) -> None:
        """Continue with only some rows `(n,)` of a batch, and without noise."""
        self.count = [c[rows] if np.ndim(c) else c for c in self.count]
        self._last = {k: tuple(v[rows] for v in last) for k, last in self._last.items()}
        self.noise = None

    def grad(self, x, where=None):
        if where is None and not self._last:
            self.count[0] += 1
            g = self._noisy_grad(x) if self.noise is not None else self.f.grad(x)
        else:
            g = self._evaluate(0, self._noisy_grad, x, where)
        self.gradient = g if self.gradient is None else self.gradient
        return g

    def value(self, x, where=None):
        return self._evaluate(1, self.f.value, x, where)

    def hess(self, x, where=None):
        return self._evaluate(2, self.f.hess, x, where)

    def _noisy_grad(self, x):
        g = self.f.grad(x)
        return g if self.noise is None else g + self.noise

    def _evaluate(self, kind, function, x, where):
        if where is None and kind not in self._last:
            self.count[kind] += 1
            return function(x)
        last_x, answer = self._last.get(kind, (np.nan, NOTHING))
        where = np.True_ if where is None else where
        new = where & (x != last_x).any(-1)
        self.count[kind] = self.count[kind] + new.astype(int)
        few = x.ndim == 2 > np.ndim(self.noise) and np.ndim(where) and 4 * where.sum() < len(x)
        if few:
            values = function(x.T[:, where].T)
            answer = np.full((len(x), *values.shape[1:]), np.nan)
            answer[where] = values
        elif new.any() or x.ndim > 1:
            answer = function(x)
        self._last[kind] = np.where(where[..., None], x, last_x), answer
        return answer
