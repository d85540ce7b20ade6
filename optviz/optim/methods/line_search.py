"""Line searches: how far to go along a direction. Rows of a batch search side by side.

A row that has found its step makes no more evaluations, nor does one in which the decrease that
its slope predicts is below the rounding error of f. A step of 0 means that none was found.
"""

import numpy as np

from optviz.optim.methods.linear_algebra import dot

DECREASE, CURVATURE = 1e-4, 0.9  # c₁ and c₂ of the Wolfe conditions
MAX_HALVINGS, MAX_TRIALS = 40, 25
MIN_LENGTH = 1e-9  # of the search interval, in coordinates
MAX_GROWTH = 100.0  # of a step relative to the first trial: f may be unbounded below


def initial_rate(lr, g, s):
    """The rate, limited in the first step such that the move is at most that long."""
    first = np.isnan(s["g_prev"]).all(-1, keepdims=True)
    return np.where(first, np.minimum(1.0, 1 / np.abs(g).sum(-1, keepdims=True)) * lr, lr)


def has_changed(dx, dg):
    """Where anything has changed since the last step: a search that has just found no step would
    find none again.
    """
    return ((dx != 0) | (dg != 0)).any(-1, keepdims=True)


def backtrack(f, x, g, d, first):
    """The first of the steps `first`, half of it … `(..., 1)` from which x + step·d lies below
    Armijo's line.

    Nocedal & Wright (2006), algorithm 3.1.
    """
    slope = dot(g, d)
    step = np.broadcast_to(first, slope.shape).astype(slope.dtype)
    found, searching = np.zeros_like(slope, bool), np.isfinite(slope) & (slope < 0)
    if not searching.any():
        return np.zeros_like(slope)
    value = f.value(x, where=searching[..., 0])[..., None]
    for _ in range(MAX_HALVINGS):
        searching = searching & ~found & is_resolvable(value, step * slope)
        if not searching.any():
            break
        f_step = f.value(x + step * d, where=searching[..., 0])[..., None]
        found = found | (searching & (f_step <= value + DECREASE * step * slope))
        step = np.where(searching & ~found, step / 2, step)
    return np.where(found, step, 0.0)


@np.errstate(all="ignore")  # an unknown end of the interval is infinite
def strong_wolfe(f, x, g, d, first, searching=True, curvature=CURVATURE):
    """A step `(..., 1)` along d that fulfills the strong Wolfe conditions; `first` is tried first.

    Nocedal & Wright (2006), algorithms 3.5 and 3.6, with the trials of torch.optim.LBFGS: the step
    grows until an interval is known to hold one, which shrinks by cubic interpolation. Where none
    is found in it, it is the best known step below Armijo's line. `searching` marks the rows
    `(..., 1)` that take part, and `curvature` is c₂.
    """
    slope = dot(g, d)
    trial = np.broadcast_to(first, slope.shape).astype(slope.dtype)
    longest, largest = MAX_GROWTH * trial, np.abs(d).max(-1, keepdims=True)
    searching = searching & np.isfinite(slope) & (slope < 0)
    if not searching.any():
        return np.zeros_like(slope)
    value = f.value(x, where=searching[..., 0])[..., None]
    searching = searching & is_resolvable(value, trial * slope)
    unknown = np.full_like(slope, np.inf)
    low, high = (np.zeros_like(slope), value, slope), (unknown, unknown, unknown)
    close = bracketed = np.zeros_like(searching)
    for i in range(MAX_TRIALS):
        at = x + trial * d
        searching = searching & (at != x + low[0] * d).any(-1, keepdims=True)
        if not searching.any():
            break
        f_at = f.value(at, where=searching[..., 0])[..., None]
        rise = dot(f.grad(at, where=searching[..., 0]), d)
        too_far = ~(np.isfinite(f_at) & np.isfinite(rise))
        too_far |= f_at > value + DECREASE * trial * slope
        too_far |= (bracketed | (i > 1)) & (f_at >= low[1])
        better, too_far = searching & ~too_far, searching & too_far
        passed = better & (rise * (high[0] - low[0]) >= 0)  # the minimum is behind
        previous, point = low, (trial, f_at, rise)
        high = tuple(
            np.where(too_far, p, np.where(passed, a, b))
            for p, a, b in zip(point, low, high, strict=True)
        )
        low = tuple(np.where(better, p, a) for p, a in zip(point, low, strict=True))
        searching = searching & ~(better & (np.abs(rise) <= -curvature * slope))
        bracketed = np.isfinite(high[0])
        width = np.abs(high[0] - low[0])
        findable = is_resolvable(value, width * slope) & (width * largest >= MIN_LENGTH)
        searching = searching & np.where(bracketed, findable, trial < longest)
        inside, close = _inside(low, high, close)
        beyond = _cubic(previous, low, trial + 0.01 * (trial - previous[0]), 10 * trial)
        trial = np.where(bracketed, inside, np.minimum(beyond, longest))
    return low[0]


def is_resolvable(value, change):
    """Whether a change exceeds the rounding error of values of this size."""
    return np.abs(change) > np.finfo(change.dtype).eps * np.abs(value)


def _inside(low, high, close):
    """The next trial between two steps, and whether it is close to one of them: the second time in
    a row, or at an end itself, it is moved inward.
    """
    left, right = np.minimum(low[0], high[0]), np.maximum(low[0], high[0])
    step, margin = _cubic(low, high, left, right), 0.1 * (right - left)
    near = np.minimum(right - step, step - left) < margin
    moved = near & (close | (step >= right) | (step <= left))
    inward = np.where(right - step < step - left, right - margin, left + margin)
    return np.where(moved, inward, step), near & ~moved


def _cubic(a, b, lower, upper):
    """Where the cubic through the values and slopes of two steps has its minimum, within bounds;
    the middle of these where it has none.
    """
    swap = a[0] > b[0]
    a, b = (
        tuple(np.where(swap, q, p) for p, q in zip(*pair, strict=True)) for pair in ((a, b), (b, a))
    )
    (s, value, slope), (t, value_t, slope_t) = a, b
    d1 = slope + slope_t - 3 * (value - value_t) / (s - t)
    d2 = np.sqrt(d1 * d1 - slope * slope_t)
    at = t - (t - s) * ((slope_t + d2 - d1) / (slope_t - slope + 2 * d2))
    return np.where(np.isnan(at), (lower + upper) / 2, np.clip(at, lower, upper))
