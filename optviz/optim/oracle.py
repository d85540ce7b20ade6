"""f as the optimizer meets it: the gradient with this step's noise, every evaluation counted."""

import numpy as np

from optviz.functions.function import Function

NOTHING = np.float64(np.nan)


class Oracle:
    """Answers what an optimizer asks of f, and counts it in `count`: gradient, value, Hessian.

    A line search marks by `where` the rows that really ask; others have finished, and what they
    are told means nothing. Once few ask, f is worked out for these alone. What was asked for last
    is known: at the point that a search has found, nothing is asked for twice. NumPy must be silent
    around it, as it is in `minimize`.
    """

    def __init__(self, f, count=(0, 0, 0)):
        self.f = f.raw if type(f) is Function else f  # anything with value, grad and hess will do
        self.noise = self.gradient = None
        self.count = [*count]
        self._known = {}  # by a search: where it has asked last, and the answer

    def begin(self, noise) -> None:
        """The next step, with its noise: what was known of noisy gradients is of no use to it. The
        first gradient of a step stays its `gradient`.
        """
        if noise is not None and 0 in self._known:
            changed = (noise != self.noise).any(-1, keepdims=True)
            x, g = self._known[0]
            self._known[0] = np.where(changed, np.nan, x), g
        self.noise, self.gradient = noise, None

    def keep(self, rows) -> None:
        """Go on with some rows `(n,)` of a batch alone, and without noise."""
        self.count = [c[rows] if np.ndim(c) else c for c in self.count]
        self._known = {k: tuple(v[rows] for v in known) for k, known in self._known.items()}
        self.noise = None

    def grad(self, x, where=None):
        if where is None and not self._known:
            self.count[0] += 1
            g = self._noisy(x) if self.noise is not None else self.f.grad(x)
        else:
            g = self._ask(0, self._noisy, x, where)
        self.gradient = g if self.gradient is None else self.gradient
        return g

    def value(self, x, where=None):
        return self._ask(1, self.f.value, x, where)

    def hess(self, x, where=None):
        return self._ask(2, self.f.hess, x, where)

    def _noisy(self, x):
        g = self.f.grad(x)
        return g if self.noise is None else g + self.noise

    def _ask(self, kind, ask, x, where):
        if where is None and kind not in self._known:
            self.count[kind] += 1
            return ask(x)
        before, answer = self._known.get(kind, (np.nan, NOTHING))
        where = np.True_ if where is None else where
        new = where & (x != before).any(-1)
        self.count[kind] = self.count[kind] + new.astype(int)
        few = x.ndim == 2 > np.ndim(self.noise) and np.ndim(where) and 4 * where.sum() < len(x)
        if few:
            some = ask(x.T[:, where].T)
            answer = np.full((len(x), *some.shape[1:]), np.nan)
            answer[where] = some
        elif new.any() or x.ndim > 1:
            answer = ask(x)
        self._known[kind] = np.where(where[..., None], x, before), answer
        return answer
