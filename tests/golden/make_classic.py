"""Write the golden trajectories of the classics: what SciPy's minimizers do, step for step, in double precision.

Run it as `python tests/golden/make_classic.py` with torch and scipy installed. Nothing of optviz is imported here.
As in make.py, a record is a function, a start, the hyperparameters under optviz's names, and the points; of
Nelder-Mead's method also the three corners after every step, the best first.
"""

import numpy as np
import scipy.optimize
import torch
from make import FUNCTIONS, INITIAL_POINTS, gradient, record, write

STEPS = 60
LRS = (1.0, 0.3, 1.7)
CONVEX = {**INITIAL_POINTS, "himmelblau": (5.0, 4.5)}  # the Hessian is positive definite on the way


def corners(f, start, lr):
    """Nelder-Mead's after each number of steps."""
    first = np.array(start) + lr * np.array([(0, 0), (1, 0), (0, 1)])
    for steps in range(1, STEPS + 1):
        options = {"initial_simplex": first, "maxiter": steps + 1, "xatol": 0, "fatol": 0}
        found = scipy.optimize.minimize(
            lambda x: f(torch.tensor(x)).item(), start, method="Nelder-Mead", options=options
        )
        yield found.final_simplex[0].tolist()


def nelder_mead(f, start, hyperparameters):
    return [list(start), *(found[0] for found in corners(f, start, **hyperparameters))]


def dogleg(f, start, hyperparameters):
    """Trust-region dogleg; it rests where SciPy has ended."""
    points, lr = [list(start)], hyperparameters["lr"]
    scipy.optimize.minimize(
        lambda x: f(torch.tensor(x)).item(),
        start,
        jac=lambda x: np.array(gradient(f, x.tolist())),
        hess=lambda x: torch.autograd.functional.hessian(f, torch.tensor(x)).numpy(),
        method="dogleg",
        callback=lambda x: points.append(x.tolist()),
        options={
            "initial_trust_radius": lr, "max_trust_radius": 1000 * lr, "gtol": 1e-14, "maxiter": STEPS,
        },
    )  # fmt: skip
    return points + [points[-1]] * (STEPS + 1 - len(points))


def main():
    for key, path, starts, made_with in (
        ("nelder_mead", nelder_mead, INITIAL_POINTS, 'method="Nelder-Mead"'),
        ("trust_region", dogleg, CONVEX, 'method="dogleg"'),
    ):
        records = [record(path, f, {"lr": lr}, starts[f]) for f in FUNCTIONS for lr in LRS]
        if key == "nelder_mead":
            for r in records:
                r["corners"] = list(
                    corners(FUNCTIONS[r["function"]], r["start"], **r["hyperparameters"])
                )
        write(key, f"scipy.optimize.minimize({made_with})", records)


if __name__ == "__main__":
    main()
