"""What became of a run: how it ended, and when it came within a tolerance of the minimum."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from optviz.functions.function import Function
from optviz.optim.minima import DEGENERATE, FLAT, Minima, minima_of
from optviz.optim.oracle import Oracle
from optviz.optim.run import Evaluations, Run

AHEAD = (100, 1000)  # limits on the number of steps, that of the run, by which it is continued
WINDOW = 20  # steps of the running mean by which a run with noise is judged
NEAR = 0.02  # of the domain's width: the largest distance to the stationary point of a path at rest


class Status(Enum):
    """How a path ended: the first that applies in this order."""

    UNDEFINED = "undefined"  # f has no value there
    DIVERGED = "diverged"  # no finite number
    CONVERGED = "converged"  # within the tolerance of the least known minimum, where it stays
    LEFT_DOMAIN = "left_domain"
    BELOW_KNOWN_MINIMUM = "below_known_minimum"  # inside the domain: one minimum is unknown
    AT_MINIMUM = "at_minimum"  # at rest, as the next three; this minimum is not the least
    AT_SADDLE = "at_saddle"
    AT_MAXIMUM = "at_maximum"
    FLAT = "flat"
    MOVING = "moving"


@dataclass(frozen=True)
class Summary:
    """What became of one path."""

    point: tuple[float, float]  # the last finite one
    value: float  # of the formula, also if its negative was minimized
    gap: float  # above the least known minimum, negative below it; NaN where none is known
    status: Status
    step: int | None  # of the status: where it diverged, or left the domain for good
    steps_to_tolerance: int | None  # the first step from which on |gap| stays within the tolerance
    first_touch: int | None  # the first step at which it is, if only briefly
    evaluations_to_tolerance: int | None  # of every kind, up to steps_to_tolerance
    length: float
    outside: float  # how far the point lies outside the domain, in its widths; 0 inside
    evaluations: Evaluations
    sign: int = 1  # of the function, -1 where its formula is maximized


@np.errstate(all="ignore")
def summarize(run: Run, tolerance: float = 1e-3) -> Summary:
    """What became of one path.

    A path has converged if it is within the tolerance and stays there. Whether it stays is not
    guessed: the run continues from its end, without noise, for as many steps again (100 to 1000).
    It is at rest if the slope is, and then remains, within the tolerance. With noise the running
    mean of the last 20 losses has to stay, and no path is at rest.

    Raises ValueError for a run that is a batch.
    """
    if run.values.ndim != 1:
        raise ValueError(f"a summary is of one path, not of a batch {run.values.shape[1:]}")
    f, minima, diverged_at = run.function, minima_of(run.function), int(run.diverged_at)
    last = max(diverged_at - 1 if diverged_at >= 0 else len(run.points) - 1, 0)
    gaps = minima.gap(run.values)
    within = np.abs(gaps) <= tolerance
    slope = np.sqrt((run.true_gradients[last] ** 2).sum())
    level = slope <= tolerance and not run.noisy
    future, settled_at = np.empty((0, 2)), None
    if diverged_at < 0 and (level or within[max(last - WINDOW, 0) :].any()):
        future = _continue(run)
        settled_at = _settled(np.concatenate([gaps, minima.gap(f.value(future))]), run, tolerance)
    rests = level and (np.sqrt((f.grad(future) ** 2).sum(-1)) <= tolerance).all()
    low, high = np.array(f.domain).T
    end = run.points[last]
    outside = float((np.maximum(low - end, end - high) / (high - low)).max())
    if diverged_at >= 0:
        ending = (Status.UNDEFINED if run.undefined else Status.DIVERGED), diverged_at
    elif settled_at is not None:
        ending = Status.CONVERGED, None
    elif outside > 0:
        inside = ((low <= run.points) & (run.points <= high)).all(-1)
        ending = Status.LEFT_DOMAIN, int(np.flatnonzero(inside)[-1]) + 1 if inside.any() else 0
    elif gaps[last] < -tolerance:
        ending = Status.BELOW_KNOWN_MINIMUM, None
    else:
        ending = (_classify_rest(f, end, minima, tolerance) if rests else Status.MOVING), None
    return Summary(
        tuple(map(float, end)),
        float(run.heights[last]),
        float(gaps[last]),
        *ending,
        settled_at,
        int(within.argmax()) if within.any() else None,
        None if settled_at is None else int(run.work[settled_at].sum()),
        float(run.lengths[last]),
        max(outside, 0.0),
        run.evaluations,
        f.sign,
    )


def _continue(run):
    """The points to which a run would continue from its end, without noise, `(n, 2)`."""
    steps = len(run.points) - 1
    points = np.empty((int(np.clip(steps, *AHEAD)), 2))
    x, state, oracle = run.points[-1], run.state_dicts[-1], Oracle(run.function)
    for t in range(len(points)):
        x, state = run.optimizer_at(steps + t).step(oracle, x, state)
        points[t] = x
    return points


def _settled(gaps, run, tolerance):
    """The first step of the run from which on the gap stays within the tolerance, None if none."""
    if run.noisy:
        sums = np.cumsum([0.0, *gaps])
        since = np.maximum(np.arange(len(gaps)) + 1 - WINDOW, 0)
        gaps = (sums[1:] - sums[since]) / (np.arange(len(gaps)) + 1 - since)
    outside = np.flatnonzero(~(np.abs(gaps) <= tolerance))
    since = int(outside[-1]) + 1 if len(outside) else 0
    return since if since < len(run.points) else None


def _classify_rest(f: Function, end, minima: Minima, tolerance) -> Status:
    """The kind of stationary point a path rests at, by the Hessian's eigenvalues there.

    An eigenvalue counts as 0 if it is small compared to the larger one, or to the curvature of the
    function as a whole. If it does, values around the point decide. A path on a gentle slope far
    from any stationary point, or close above the least minimum, is still moving.
    """
    width = np.ptp(f.domain, axis=1).max()
    point = _level_point(f, end)
    near = np.abs(point - end).max() <= NEAR * width
    point = point if near else end
    hess = f.hess(point)
    curvatures = np.linalg.eigvalsh(hess) if np.isfinite(hess).all() else np.zeros(2)
    small = max(DEGENERATE * np.abs(curvatures).max(), FLAT * minima.curvature)
    up, down = (curvatures > small).any(), (curvatures < -small).any()
    if (not near and (up or down)) or minima.gap(f.value(point)) <= tolerance:
        return Status.MOVING
    if np.abs(curvatures).min() <= small and not (up and down):
        angles = np.arange(64) * np.pi / 32
        ring = f.value(point + NEAR * width * np.stack([np.cos(angles), np.sin(angles)], -1))
        visible = 1e-7 * minima.spread
        up = up or (ring > f.value(point) + visible).any()
        down = down or (ring < f.value(point) - visible).any()
    if up and down:
        return Status.AT_SADDLE
    return Status.AT_MINIMUM if up else Status.AT_MAXIMUM if down else Status.FLAT


def _level_point(f, end):
    """Where the gradient vanishes near `end`, by Newton's method; `end` itself at a kink."""
    point = end
    for _ in range(20):
        hess = f.hess(point)
        if not np.isfinite(hess).all():
            return end
        point = point - np.linalg.pinv(hess, rcond=DEGENERATE, hermitian=True) @ f.grad(point)
    return point
