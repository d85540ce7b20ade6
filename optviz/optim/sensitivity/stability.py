"""Along a path: the curvature, and the largest one for which the learning rate is stable."""

from dataclasses import dataclass

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer, setting
from optviz.optim.methods.linear_algebra import eigen
from optviz.optim.run import Run


@np.errstate(all="ignore")
def sharpness(f: Function, run: Run) -> np.ndarray:
    """The largest eigenvalue of the Hessian at the points of a run, `(steps+1, ...)`; NaN where it
    is not defined.
    """
    return np.where(np.isfinite(run.values), eigen(f.hess(run.points))[0][..., -1], np.nan)


@dataclass(frozen=True, eq=False)
class Edge:
    """The sharpness that matters at each step of a path, and the largest that is still stable.

    `preconditioned` means that coordinates are scaled as the optimizer scales them.
    """

    sharpness: np.ndarray  # (steps,)
    limit: np.ndarray  # (steps,)
    preconditioned: bool

    @property
    def crossed(self) -> int | None:
        """The first step whose sharpness is beyond the limit."""
        beyond = np.flatnonzero(self.sharpness > self.limit)
        return int(beyond[0]) if len(beyond) else None


# For methods with a rate per coordinate: the state's name for the square of the divisor, the power
# of β that corrects it, and the factor by which momentum changes plain descent's limit 2/η.
ADAPTIVE = {
    "adagrad": ("h", None, lambda o: 1.0),
    "rmsprop": ("v", None, lambda o: 1 + o.momentum),
    "adam": ("v", "b2", lambda o: (1 + o.beta1) / (1 - o.beta1)),
    "adamw": ("v", "b2", lambda o: (1 + o.beta1) / (1 - o.beta1)),
    "amsgrad": ("h", "b2", lambda o: (1 + o.beta1) / (1 - o.beta1)),
}


@np.errstate(all="ignore")
def edge_of_stability(run: Run) -> Edge | None:
    """The edge along one path, None if theory has none for the optimizer.

    Plain descent is stable on a quadratic up to 2/η, momentum up to 2(1 + μ)/η; for methods that
    divide each coordinate by √v, the Hessian has v⁻¹ᐟ⁴ on both sides. (Cohen et al.
    2021, Gradient descent typically occurs at the edge of stability; 2022, Adaptive gradient
    methods at the edge of stability, eq. 2.)
    """
    optimizers = [run.optimizer_at(t) for t in range(len(run.points) - 1)]
    hess = run.function.hess(run.points[:-1])
    if all(o.key in ADAPTIVE and not getattr(o, "centered", False) for o in optimizers):
        limits, roots = [], []
        for o, state in zip(optimizers, run.state_dicts[1:], strict=True):
            name, power, factor = ADAPTIVE[o.key]
            corrected = power is not None and o.bias_correction
            squares = state[name] / (1 - state[power]) if corrected else state[name]
            roots.append(np.sqrt(np.sqrt(squares) + o.eps))
            limits.append(2 * factor(o) / o.lr)
        roots = np.array(roots).reshape(-1, run.points.shape[-1])
        hess = hess / (roots[:, :, None] * roots[:, None, :])
    elif None in (limits := [stable_curvature(o) for o in optimizers]):
        return None
    largest = np.where(np.isfinite(run.values[:-1]), eigen(hess)[0][..., -1], np.nan)
    return Edge(largest, np.array(limits, float), run.optimizer.key in ADAPTIVE)


def stable_curvature(optimizer: Optimizer) -> float | None:
    """The curvature beyond which it diverges on a quadratic: 2/η for plain descent, 2(1 + μ)/η for
    momentum; None if unknown.
    """
    if optimizer.stable_lr(1.0) is None:
        return None
    # the reciprocal of the rate is linear in the curvature
    one, two = (np.reciprocal(float(optimizer.stable_lr(c))) for c in (1.0, 2.0))
    with np.errstate(divide="ignore"):
        return 1 + (np.reciprocal(float(setting(optimizer, "lr"))) - one) / (two - one)
