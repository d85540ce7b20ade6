"""Write the golden trajectories: what PyTorch, SciPy and plain floats do, in double precision.

Run it as `python tests/golden/make.py` with torch and scipy installed. Nothing of optviz is imported
here: functions, gradients (autograd) and steps are all someone else's, or written out from the paper.
One file per optimizer; a record is a function, a start, the hyperparameters under optviz's names, and the points.
"""

import json
from pathlib import Path

import numpy as np
import scipy.optimize
import torch
from torch.optim.lbfgs import _strong_wolfe

HERE = Path(__file__).parent
STEPS = 40
torch.set_default_dtype(torch.float64)

FUNCTIONS = {
    "bowl": lambda p: p[0] ** 2 / 20 + p[1] ** 2,
    "rosenbrock": lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2,
    "himmelblau": lambda p: (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2,
}
INITIAL_POINTS = {"bowl": (-7.0, 2.0), "rosenbrock": (-1.2, 1.0), "himmelblau": (-1.0, 4.0)}


def gradient(f, p):
    p = torch.tensor(p, requires_grad=True)
    return torch.autograd.grad(f(p), p)[0].tolist()


def by_torch(make):
    """The path of a torch optimizer, which `make(parameters, hyperparameters)` builds."""

    def path(f, start, hyperparameters):
        p = torch.tensor(start, requires_grad=True)
        opt, points = make([p], dict(hyperparameters)), [list(start)]

        def closure():
            opt.zero_grad()
            loss = f(p)
            loss.backward()
            return loss

        for _ in range(STEPS):
            opt.step(closure)
            points.append(p.detach().tolist())
        return points

    return path


def adam_like(cls, **fixed):
    def make(p, k):
        betas = k.pop("beta1"), k.pop("beta2")
        return cls(p, betas=betas, **k, **fixed)

    return by_torch(make)


def newton(f, start, hyperparameters):
    p, points = torch.tensor(start), [list(start)]
    for _ in range(STEPS):
        g = torch.tensor(gradient(f, p.tolist()))
        hess = torch.autograd.functional.hessian(f, p)
        if hyperparameters["saddle_free"]:
            values, vectors = torch.linalg.eigh(hess)
            hess = vectors @ torch.diag(values.abs()) @ vectors.T
        p = p - hyperparameters["lr"] * torch.linalg.solve(
            hess + hyperparameters["damping"] * torch.eye(2), g
        )
        points.append(p.tolist())
    return points


def strong_wolfe(f, x, g, d, step):
    """torch.optim.LBFGS's line search; nothing is left to find where the slope is rounding."""

    def objective(x, t, d):
        at = x + t * d
        return f(at), torch.tensor(gradient(f, at.tolist()))

    x, g, d = (torch.tensor(a) for a in (x, g, d))
    if g.abs().max() < 1e-13:
        return 0.0
    _, _, t, _ = _strong_wolfe(objective, x, step, d, f(x), g, g @ d)
    return float(t)


def bfgs(f, start, hyperparameters):
    inverse = scipy.optimize.BFGS(
        exception_strategy="skip_update", min_curvature=1e-14, init_scale=1.0
    )
    inverse.initialize(2, "inv_hess")
    x, g, points = np.array(start), np.array(gradient(f, start)), [list(start)]
    for t in range(STEPS):
        d, step = -(inverse @ g), hyperparameters["lr"]
        if hyperparameters["line_search"]:
            step *= min(1.0, 1 / np.abs(g).sum()) if t == 0 else 1.0
            step = strong_wolfe(f, x, g, d, step)
        new = x + step * d
        new_g = np.array(gradient(f, new.tolist()))
        if (new != x).any() and (new_g != g).any():
            inverse.update(new - x, new_g - g)
        x, g = new, new_g
        points.append(x.tolist())
    return points


def lion(f, start, hyperparameters):
    """Chen et al. (2023), program 1, on plain floats."""
    lr, beta1, beta2, decay = (hyperparameters[k] for k in ("lr", "beta1", "beta2", "weight_decay"))
    theta, m, points = list(start), [0.0, 0.0], [list(start)]
    for _ in range(STEPS):
        g = gradient(f, theta)
        for i in range(2):
            update = beta1 * m[i] + (1 - beta1) * g[i]
            update = (update > 0) - (update < 0)
            m[i] = beta2 * m[i] + (1 - beta2) * g[i]
            theta[i] = theta[i] - lr * (update + decay * theta[i])
        points.append(list(theta))
    return points


optim = torch.optim
ADAM = "lr beta1 beta2 eps"
ADAM_ROWS = [(0.3, 0.9, 0.999, 1e-8), (0.05, 0.8, 0.9, 1e-3), (0.02, 0.5, 0.99, 1e-6)]

# optimizer: (made with, its path, names of the hyperparameters, rows of values: for every function, or for each)
MADE = {
    "sgd": ("torch.optim.SGD", by_torch(lambda p, k: optim.SGD(p, **k)), "lr", {
        "bowl": [(0.1,), (0.5,), (0.95,)],
        "rosenbrock": [(1e-4,), (5e-4,), (1e-3,)],
        "himmelblau": [(1e-3,), (5e-3,), (0.01,)],
    }),
    "momentum": ("torch.optim.SGD(momentum)", by_torch(lambda p, k: optim.SGD(p, **k)), "lr momentum", {
        "bowl": [(0.1, 0.9), (0.5, 0.5), (0.05, 0.99)],
        "rosenbrock": [(2e-4, 0.9), (5e-4, 0.5), (1e-4, 0.99)],
        "himmelblau": [(1e-3, 0.9), (5e-3, 0.5), (2e-4, 0.99)],
    }),
    "nesterov": (
        "torch.optim.SGD(nesterov=True), which stores the look-ahead points",
        by_torch(lambda p, k: optim.SGD(p, nesterov=True, **k)), "lr momentum", {
        "bowl": [(0.1, 0.9), (0.4, 0.5), (0.05, 0.99)],
        "rosenbrock": [(2e-4, 0.9), (5e-4, 0.5), (1e-4, 0.99)],
        "himmelblau": [(1e-3, 0.9), (5e-3, 0.5), (2e-4, 0.99)],
    }),
    "adagrad": ("torch.optim.Adagrad", by_torch(lambda p, k: optim.Adagrad(p, **k)), "lr eps",
                [(1.5, 1e-7), (0.5, 1e-3), (0.1, 1e-10)]),
    "rmsprop": ("torch.optim.RMSprop", by_torch(lambda p, k: optim.RMSprop(p, alpha=k.pop("rho"), **k)), "lr rho eps",
                [(0.1, 0.99, 1e-7), (0.02, 0.9, 1e-8), (0.05, 0.5, 1e-2)]),
    "adadelta": ("torch.optim.Adadelta", by_torch(lambda p, k: optim.Adadelta(p, **k)), "lr rho eps",
                 [(1.0, 0.9, 1e-5), (0.5, 0.95, 1e-3), (2.0, 0.5, 1e-4)]),
    "adam": ("torch.optim.Adam", adam_like(optim.Adam), ADAM, ADAM_ROWS),
    "adamw": ("torch.optim.AdamW", adam_like(optim.AdamW), ADAM + " weight_decay",
              [(*row, decay) for row, decay in zip(ADAM_ROWS, (0.01, 0.5, 0.0), strict=True)]),
    "amsgrad": ("torch.optim.Adam(amsgrad=True)", adam_like(optim.Adam, amsgrad=True), ADAM, ADAM_ROWS),
    "adamax": ("torch.optim.Adamax", adam_like(optim.Adamax), ADAM, [*ADAM_ROWS[:2], (0.02, 0.5, 0.99, 0.1)]),
    "nadam": ("torch.optim.NAdam", adam_like(optim.NAdam), ADAM + " momentum_decay",
              [(*row, decay) for row, decay in zip(ADAM_ROWS, (4e-3, 0.5, 0.0), strict=True)]),
    "radam": ("torch.optim.RAdam", adam_like(optim.RAdam), ADAM, {
        "bowl": [(0.3, 0.9, 0.999, 1e-8), (0.1, 0.8, 0.9, 1e-3), (0.05, 0.5, 0.7, 1e-6)],
        "rosenbrock": [(1e-3, 0.9, 0.999, 1e-8), (5e-4, 0.8, 0.9, 1e-3), (1e-3, 0.5, 0.7, 1e-6)],
        "himmelblau": [(5e-3, 0.9, 0.999, 1e-8), (0.02, 0.8, 0.9, 1e-3), (5e-3, 0.5, 0.7, 1e-6)],
    }),
    "lion": ("plain Python floats", lion, "lr beta1 beta2 weight_decay",
             [(0.1, 0.9, 0.99, 0.0), (0.03, 0.95, 0.98, 0.1), (0.01, 0.5, 0.9, 1.0)]),
    "newton": (
        "torch.autograd.functional.hessian, torch.linalg", newton, "lr damping saddle_free line_search",
        [(1.0, 0.0, False, False), (0.3, 1.0, False, False), (0.5, 10.0, True, False)],
    ),
    "bfgs": ("scipy.optimize.BFGS, the update, and torch.optim.LBFGS's line search", bfgs, "lr line_search", {
        "bowl": [(0.4, False), (0.2, False), (0.1, False), (1.0, True)],
        "rosenbrock": [(0.01, False), (0.005, False), (0.002, False), (0.5, True)],
        "himmelblau": [(0.1, False), (0.03, False), (0.01, False), (1.0, True)],
    }),
    "lbfgs": (
        "torch.optim.LBFGS(max_iter=1)",
        by_torch(lambda p, k: optim.LBFGS(
            p, lr=k["lr"], max_iter=1, max_eval=25, history_size=k["memory"], tolerance_grad=0, tolerance_change=0,
            line_search_fn="strong_wolfe" if k["line_search"] else None,
        )),
        "lr memory line_search", {
        "bowl": [(0.5, 10, False), (0.2, 3, False), (0.1, 1, False), (1.0, 10, True)],
        "rosenbrock": [(0.5, 10, False), (0.8, 5, False), (0.1, 1, False), (0.5, 10, True)],
        "himmelblau": [(0.5, 10, False), (0.2, 3, False), (0.1, 1, False), (1.0, 10, True)],
    }),
}  # fmt: skip


def record(path, function, hyperparameters, start=None):
    """One golden path, known to stay finite and near, and not to be chaotic: small errors stay small."""
    f, start = FUNCTIONS[function], start or INITIAL_POINTS[function]
    points = path(f, start, hyperparameters)
    live_patch = path(
        lambda p: f(p) + 1e-9 * (p[0] - 2 * p[1]), tuple(c + 1e-9 for c in start), hyperparameters
    )
    felt = np.abs(np.subtract(points, live_patch)).max() / 1e-9
    if not (np.abs(points).max() < 20 and felt < 2000):
        raise SystemExit(
            f"{function} {hyperparameters}: out at {np.abs(points).max():.3g}, or an error is felt {felt:.3g} times over"
        )
    return {
        "function": function,
        "start": start,
        "hyperparameters": hyperparameters,
        "points": points,
    }


def minimizers():
    """SciPy's own minimizers, line search and all, on Rosenbrock's valley."""
    f = FUNCTIONS["rosenbrock"]
    for method in ("BFGS", "L-BFGS-B"):
        found = scipy.optimize.minimize(
            lambda x: f(torch.tensor(x)).item(),
            INITIAL_POINTS["rosenbrock"],
            jac=lambda x: np.array(gradient(f, x.tolist())),
            method=method,
        )
        yield {
            "function": "rosenbrock", "start": INITIAL_POINTS["rosenbrock"], "method": method, "iterations": int(found.nit),
            "evaluations": int(found.nfev), "minimum": found.x.tolist(), "value": float(found.fun),
        }  # fmt: skip


def write(name, made_with, records, versions=None):
    """A record to a line, floats in the shortest form that reads back to the same bits."""
    versions = versions or {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "torch": torch.__version__,
    }
    top = json.dumps({"made_with": made_with, "versions": versions})[:-1]
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in records)
    (HERE / f"{name}.json").write_text(f'{top}, "records": [\n{lines}\n]}}\n')


def main():
    for key, (made_with, path, names, rows) in MADE.items():
        each = rows if isinstance(rows, dict) else dict.fromkeys(FUNCTIONS, rows)
        hyperparameters = [
            (f, dict(zip(names.split(), row, strict=True))) for f in FUNCTIONS for row in each[f]
        ]
        write(key, made_with, [record(path, f, k) for f, k in hyperparameters])
    write("minimize", "scipy.optimize.minimize", minimizers())


if __name__ == "__main__":
    main()
