"""A formula's value, gradient and Hessian on arrays; at 0/0 the limit, if there is one."""

from functools import cached_property

import numpy as np

from optviz.functions.graph import Graph, compile_graph


class Evaluator:
    """Points `(..., 2)` to value `(...)`, gradient `(..., 2)` and Hessian `(..., 2, 2)`.

    A subclass has the formula, as functions of the arrays x and y. Undefined values are NaN, of
    which NumPy warns unless the caller has silenced it.
    """

    def value(self, x):
        out = self._compute_value(x)
        if not self.smooth and not np.isfinite(out).all():
            out = _fill_holes(out, x, self._compute_value)
        return out

    def grad(self, x):
        out = np.empty_like(x)
        out[..., 0], out[..., 1] = self._grad(*_coordinates(x))
        if not self.smooth and not np.isfinite(out).all():
            out = _fill_derivative(out, x, self.value)
        return out

    def hess(self, x):
        out = np.empty((2, 2, *x.shape[:-1]))  # the batch last, where sums over the axes are fast
        out[0, 0, ...], out[0, 1, ...], out[1, 1, ...] = self._hess(*_coordinates(x))
        out[1, 0] = out[0, 1]
        out = out.transpose(*range(2, out.ndim), 0, 1)
        if not self.smooth and not np.isfinite(out).all():
            out = _fill_derivative(out, x, self.grad)
        return out

    def _compute_value(self, x):
        out = np.empty(x.shape[:-1])
        out[...] = self._value(*_coordinates(x))
        return out


class Derived(Evaluator):
    """The evaluator of a formula's graph."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.smooth = graph.is_smooth()

    # Derived on first use: few methods need the Hessian.

    @cached_property
    def _value(self):
        return compile_graph(self.graph, self.graph.root)

    @cached_property
    def _grad(self):
        return compile_graph(self.graph, *self.graph.gradient())

    @cached_property
    def _hess(self):
        return compile_graph(self.graph, *self.graph.hessian())


def _coordinates(x):
    """x and y; of a single point as scalars, for which NumPy is faster than for arrays."""
    return (x[0], x[1]) if x.ndim == 1 else (x[..., 0], x[..., 1])


# Around a point at which a formula gives 0/0. The pattern is lopsided so that it avoids other
# singular points on a line along an axis or a diagonal.
_RING = np.array([(1.0, 0.6), (-1.0, -0.6), (0.6, -1.0), (-0.6, 1.0)])
_NEAR = 1e-4
# Step of a difference: another length, so that it does not end on the ring of a nearby point.
_STEP = 1.7 * _NEAR


def _limit(near, far, default):
    """The limit of estimates at h/2 and at h (Richardson), where both agree to three digits."""
    agree = np.isfinite(near) & (np.abs(near - far) <= 1e-3 * (1 + np.abs(near)))
    return np.where(agree, near + (near - far) / 3, default)


def _fill_holes(out, x, value):
    """`out` with the limit at removable singularities of f, such as sin(x)/x at 0."""
    hole = ~np.isfinite(out) & np.isfinite(x).all(-1)
    if hole.any():
        rings = [value(x[hole][:, None] + h * _RING) for h in (_NEAR / 2, _NEAR)]
        near, far = (ring.mean(-1) for ring in rings)
        flat = np.ptp(np.concatenate(rings, -1), axis=-1) <= 1e-3 * (1 + np.abs(near))
        out[hole] = np.where(flat, _limit(near, far, out[hole]), out[hole])
    return out


def _fill_derivative(out, x, lower):
    """`out` with derivatives that are 0/0 filled in where `lower` (f, or its gradient) is finite.

    They are central differences of `lower`: the limit, or at a kink the mean of both sides, as
    for Ackley's gradient at the origin. A true pole stays: the two step sizes disagree there.
    """
    axes = tuple(range(x.ndim - 1, out.ndim))
    hole = np.asarray(~np.isfinite(out).all(axes))
    hole[hole] = np.isfinite(lower(x[hole])).reshape(hole.sum(), -1).all(-1)
    if hole.any():
        xs = x[hole]
        near, far = (
            np.stack([(lower(xs + h * e) - lower(xs - h * e)) / (2 * h) for e in np.eye(2)], -1)
            for h in (_STEP / 2, _STEP)
        )
        out[hole] = np.where(np.isfinite(out[hole]), out[hole], _limit(near, far, out[hole]))
    return out
