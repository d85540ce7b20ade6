"""What a scene comes to: every optimizer's path, the known minima, and how a path ended."""

from dataclasses import asdict, dataclass, replace
from enum import Enum, auto

import numpy as np

from optviz.experiments.trajectories.spec import TYPED, Objective
from optviz.functions.library import Function
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minimize import Run, Segment, minimize
from optviz.optim.noise import NOISES
from optviz.plot.contour import Landscape
from optviz.spec import canonical_json

MAX_MINIMA = 30  # more than that (a flat valley) are none


def track_key(objective: Objective, config: OptimizerConfig) -> str:
    """What one path depends on, as canonical JSON: not on the other optimizers."""
    return canonical_json([asdict(objective), asdict(config)])


def run(objective: Objective, config: OptimizerConfig, start=None, steps: int | None = None) -> Run:
    """One optimizer's path, or a batch of them from other starts `(..., 2)`."""
    noise = objective.noise.build(NOISES) if objective.noise else NOISES["uniform"](scale=0.0)
    (_, opt, schedule), *then = config.segments()
    start = objective.start if start is None else start
    steps = objective.steps if steps is None else steps
    return minimize(objective.f, opt, start, steps, noise, schedule, objective.seed, then)


def multistart(objective: Objective, config: OptimizerConfig) -> Run | None:
    """The optimizer from its further starts, `(steps+1, k, 2)`; None where it has none."""
    if config.initial_points is None:
        return None
    layout = config.initial_points.build(INITIAL_POINTS)
    return run(objective, config, layout.points(objective.start, objective.f.domain))


def minima(f: Function, land: Landscape | None = None) -> np.ndarray:
    """The known minima of f, `(k, 2)`; of a typed formula those that are found on its domain.

    Found: grid points below all their neighbors, polished by damped Newton steps, kept where the
    gradient vanishes and the Hessian is positive.
    """
    if f.key != TYPED:
        return f.minima
    land = land or Landscape.of(f)
    z = np.where(np.isfinite(land.z), land.z, np.inf)
    rim = np.pad(z, 1, constant_values=np.inf)
    n, m = z.shape
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    around = [rim[i : i + n, j : j + m] for i, j in shifts]
    rows, columns = np.nonzero((z < np.inf) & (z <= np.min(around, 0)))
    if not 0 < len(rows) <= 20 * MAX_MINIMA:
        return np.empty((0, 2))
    seeds = np.stack([land.x[columns], land.y[rows]], -1)
    polish = OPTIMIZERS["newton"](saddle_free=True, damping=1e-12, line_search=True)
    # a search ends where rounding hides the values; the gradient still shows the way
    last = Segment(27, replace(polish, line_search=False))
    ends = minimize(f, polish, seeds, 30, then=[last]).points[-1]
    hess = f.hess(ends)
    flat = np.isfinite(hess).all((-2, -1)) & (np.abs(f.grad(ends)).max(-1) < 1e-6)
    low, high = np.array(f.domain).T
    kept = ends[flat & ((low <= ends) & (ends <= high)).all(-1)]
    kept = kept[np.linalg.eigvalsh(f.hess(kept))[:, 0] > 1e-9] if len(kept) else kept
    kept[np.abs(kept) < 1e-9 * np.subtract(high, low)] = 0.0
    _, first = np.unique(kept.round(5), axis=0, return_index=True)
    return kept[np.sort(first)] if len(first) <= MAX_MINIMA else np.empty((0, 2))


def gap(f: Function, values, known) -> np.ndarray:
    """Height above the least known minimum; NaN where none is known."""
    return values - (f.value(known).min() if len(known) else np.nan)


def distance(points, known) -> np.ndarray:
    """Distance to the nearest known minimum; NaN where none is known."""
    if not len(known):
        return np.full(points.shape[:-1], np.nan)
    return np.sqrt(((points[..., None, :] - known) ** 2).sum(-1)).min(-1)


def left_at(f: Function, points) -> int | None:
    """First step at which a path `(steps+1, 2)` is outside the domain, None where it never is."""
    low, high = np.array(f.domain).T
    outside = ((points < low) | (points > high)).any(-1)
    return int(outside.argmax()) if outside.any() else None


def arrivals(paths: Run, known, tolerance: float) -> list[int]:
    """How many of a batch of paths end at each known minimum: nearest to it, and near it in
    height."""
    ends, heights = paths.points[-1], paths.values[-1]
    apart = ((ends[:, None] - known) ** 2).sum(-1)
    nearest = np.nan_to_num(apart, nan=np.inf).argmin(-1)
    there = np.abs(heights - paths.function.value(known)[nearest]) <= tolerance
    return [int((there & (nearest == k)).sum()) for k in range(len(known))]


class Status(Enum):
    """How a path ended; some of these at a step."""

    NO_START = auto()
    UNDEFINED = auto()
    DIVERGED = auto()
    CONVERGED = auto()
    RUNNING_AWAY = auto()
    OUTSIDE = auto()
    MINIMUM = auto()
    SADDLE = auto()
    FLAT = auto()
    MOVING = auto()


@dataclass(frozen=True)
class Summary:
    """One line of the table."""

    point: tuple[float, float]  # the last finite one
    value: float
    reached: int | None  # first step whose value is within the tolerance of the least known minimum
    length: float
    gradients: int
    values: int
    hessians: int
    status: Status
    step: int | None  # of the status


def summary(run: Run, known, tolerance: float) -> Summary:
    """What became of one path."""
    gone = int(run.diverged_at)
    last = max(gone - 1 if gone >= 0 else len(run.points) - 1, 0)
    near = gap(run.function, run.values, known) <= tolerance
    used = run.evaluations
    return Summary(
        tuple(run.points[last]),
        float(run.values[last]),
        int(near.argmax()) if near.any() else None,
        float(run.lengths[last]),
        *(used.gradient, used.value, used.hessian),
        *_status(run, last, near, tolerance),
    )


def _status(run, last, near, tolerance):
    f, gone, end = run.function, int(run.diverged_at), run.points[last]
    if gone == 0:
        return Status.NO_START, None
    if gone > 0:
        return Status.UNDEFINED if run.undefined else Status.DIVERGED, gone
    if near[last]:
        return Status.CONVERGED, None
    low, high = np.array(f.domain).T
    if ((end < low) | (end > high)).any():
        far = (np.abs(end - (low + high) / 2) > 100 * (high - low)).any()
        return Status.RUNNING_AWAY if far else Status.OUTSIDE, left_at(f, run.points)
    if np.sqrt((run.true_gradients[last] ** 2).sum()) <= tolerance:
        return _kind_of_rest(f, end), None
    return Status.MOVING, None


def _kind_of_rest(f, at):
    hess = f.hess(at)
    if not np.isfinite(hess).all():
        return Status.FLAT
    low, high = np.linalg.eigvalsh(hess)
    if low > 0:
        return Status.MINIMUM
    return Status.SADDLE if low < 0 < high else Status.FLAT
