"""Along a path: the curvature that it meets, beside the largest with which its rate is stable."""

import numpy as np

from optviz.functions.function import Function
from optviz.optim.run import Run


def sharpness(f: Function, run: Run) -> np.ndarray:
    """The largest eigenvalue of the Hessian at the points of a run, `(steps+1, ...)`; NaN where it
    is not defined.
    """
    found = largest_eigenvalue(f.hess(run.points))
    return np.where(np.isfinite(run.values), found, np.nan)


@np.errstate(all="ignore")
def largest_eigenvalue(hess) -> np.ndarray:
    """Of symmetric matrices `(..., 2, 2)`, in closed form; NaN where one is not finite."""
    a, b, d = hess[..., 0, 0], hess[..., 0, 1], hess[..., 1, 1]
    largest = (a + d) / 2 + np.hypot((a - d) / 2, b)
    return np.where(np.isfinite(hess).all((-2, -1)), largest, np.nan)
