"""Write the golden trajectories of the newer optimizers: what their authors' packages do, in double precision.

Run it as `python tests/golden/make_modern.py` with torch, schedulefree 1.4.1, pytorch-optimizer 4.1.0 and
prodigyopt 1.1.2 installed. Nothing of optviz is imported here. As in make.py, a record is a function, starts, the
hyperparameters under optviz's names, and the points; here two starts and 60 steps, numbers to 12 digits.
"""

import inspect
import sys
import textwrap
from importlib.metadata import version

import prodigyopt
import pytorch_optimizer
import schedulefree
import torch
from make import FUNCTIONS, INITIAL_POINTS, record, write
from pytorch_optimizer.optimizer import sam, soap

STEPS = 60


def by_package(make, look=lambda opt, p: p, step=lambda opt, closure: opt.step()):
    """The path of a package's optimizer from one start. `look(opt, p)` finds the iterate."""

    def path(f, start, hyperparameters):
        p = torch.tensor(start, requires_grad=True)
        opt, points = make([p], dict(hyperparameters)), [list(start)]

        def closure():
            opt.zero_grad()
            f(p).backward()

        for _ in range(STEPS):
            closure()
            step(opt, closure)
            points.append(look(opt, p).detach().tolist())
        return points

    return path


def adam_like(cls, memories=2, **fixed):
    def make(p, k):
        betas = tuple(k.pop(f"beta{i + 1}") for i in range(memories))
        return cls(p, betas=betas, weight_decay=0.0, **k, **fixed)

    return by_package(make)


def squared_norm(groups, weight_adaptive=True):
    """As pytorch-optimizer's, which is in single precision."""
    return sum((p.grad**2).sum() for group in groups for p in group["params"])[None]


sam.get_global_gradient_norm = squared_norm


def averaged(opt, p):
    """The x of a Schedule-Free optimizer, which holds y in p."""
    opt.eval()
    x = p.detach().clone()
    opt.train()
    return x


def schedule_free(make):
    def train(p, k):
        opt = make(p, k)
        opt.train()
        return opt

    return by_package(train, averaged)


# SOAP's QR is in single precision, whatever the parameters are in
source = textwrap.dedent(inspect.getsource(soap.SOAP.get_orthogonal_matrix_qr))
inside = {**vars(soap)}
exec(source.replace("torch.float32", "torch.float64"), inside)


class SOAP(soap.SOAP):
    def __init__(self, p, every, **k):
        super().__init__(p, precondition_frequency=every, **k)

    get_orthogonal_matrix_qr = inside["get_orthogonal_matrix_qr"]


def muon(f, start, k):
    """Of a point as a matrix of one column."""
    path = by_package(
        lambda p, k: torch.optim.Muon(p, k["lr"], weight_decay=0.0, momentum=k["momentum"]),
        lambda opt, p: p[:, 0],
    )
    points = path(lambda p: f(p[:, 0]), [[c] for c in start], k)
    return [list(start), *points[1:]]


source = inspect.getsource(torch.optim._muon._zeropower_via_newtonschulz)
exec(source.replace("bfloat16", "double"), vars(torch.optim._muon))


def sophia(f, start, k):
    def step(opt, closure):
        [p] = opt.param_groups[0]["params"]
        looks = opt.param_groups[0].get("step", 0) % k["every"] == 0
        full = torch.autograd.functional.hessian(f, p.detach()) if looks else None
        opt.step(hessian=[full.diagonal()] if looks else None)

    return by_package(
        lambda p, k: pytorch_optimizer.SophiaH(
            p, k["lr"], (k["beta1"], k["beta2"]), p=k["rho"], update_period=k["every"], eps=k["eps"]
        ),
        step=step,
    )(f, start, k)


# optimizer: (made with, its path, names of the hyperparameters, rows of values: for every function, or for each)
ADAM, ADAM_ROWS = (
    "lr beta1 beta2 eps",
    [(0.1, 0.9, 0.999, 1e-8), (0.05, 0.8, 0.9, 1e-3), (0.02, 0.5, 0.99, 1e-6)],
)
SGD = by_package(lambda p, k: torch.optim.SGD(p, **k))
MADE = {
    "sgd_decay": ("torch.optim.SGD(weight_decay)", SGD, "lr weight_decay", {
        "bowl": [(0.1, 0.1), (0.5, 0.5), (0.6, 1.0)],
        "rosenbrock": [(1e-4, 0.1), (5e-4, 0.5), (1e-3, 1.0)],
        "himmelblau": [(1e-3, 0.1), (5e-3, 0.5), (0.01, 1.0)],
    }),
    "momentum_damped": ("torch.optim.SGD(momentum, dampening, weight_decay)", SGD, "lr momentum dampening weight_decay", {
        "bowl": [(0.1, 0.9, 0.5, 0.1), (0.5, 0.5, 0.9, 0.5), (0.05, 0.95, 0.2, 0.0)],
        "rosenbrock": [(2e-4, 0.9, 0.5, 0.1), (5e-4, 0.5, 0.9, 0.5), (1e-4, 0.95, 0.2, 0.0)],
        "himmelblau": [(1e-3, 0.9, 0.5, 0.1), (5e-3, 0.5, 0.9, 0.5), (2e-4, 0.95, 0.2, 0.0)],
    }),
    "rmsprop_centered": ("torch.optim.RMSprop(centered, momentum)",
                         by_package(lambda p, k: torch.optim.RMSprop(p, alpha=k.pop("rho"), **k)),
                         "lr rho eps momentum centered",
                         [(0.05, 0.99, 1e-2, 0.0, True), (0.01, 0.9, 1e-2, 0.5, False), (0.005, 0.95, 1e-2, 0.8, True)]),
    "adamw_decoupled": (
        "pytorch_optimizer.AdEMAMix(fixed_decay=True) with α = 0, which is AdamW",
        by_package(lambda p, k: pytorch_optimizer.AdEMAMix(
            p, k["lr"], (k["beta1"], k["beta2"], 0.0), k["weight_decay"], True, k["decoupled"],
            alpha=0.0, eps=k["eps"])),
        ADAM + " weight_decay decoupled",
        [(*row, decay, True) for row, decay in zip(ADAM_ROWS, (0.01, 0.1, 0.002), strict=True)]),
    "adabelief": ("pytorch_optimizer.AdaBelief", adam_like(pytorch_optimizer.AdaBelief), ADAM,
                  [(0.05, 0.9, 0.999, 1e-16), (0.05, 0.8, 0.9, 1e-3), (0.02, 0.5, 0.99, 1e-8)]),
    "yogi": ("pytorch_optimizer.Yogi", adam_like(pytorch_optimizer.Yogi), ADAM,
             [(0.1, 0.9, 0.999, 1e-3), *ADAM_ROWS[1:]]),
    "adopt": ("pytorch_optimizer.ADOPT", adam_like(pytorch_optimizer.ADOPT), ADAM,
              [(0.1, 0.9, 0.9999, 1e-6), *ADAM_ROWS[1:]]),
    "adan": ("pytorch_optimizer.Adan", adam_like(pytorch_optimizer.Adan, 3), "lr beta1 beta2 beta3 eps",
             [(0.1, 0.98, 0.92, 0.99, 1e-8), (0.03, 0.8, 0.9, 0.9, 1e-2), (0.02, 0.5, 0.3, 0.99, 1e-6)]),
    "ademamix": ("pytorch_optimizer.AdEMAMix", adam_like(pytorch_optimizer.AdEMAMix, 3), "lr beta1 beta2 beta3 alpha eps",
                 [(0.05, 0.9, 0.999, 0.9999, 5.0, 1e-8), (0.05, 0.8, 0.9, 0.99, 2.0, 1e-3),
                  (0.02, 0.5, 0.99, 0.999, 8.0, 1e-6)]),
    "schedule_free_sgd": (
        "schedulefree.SGDScheduleFree",
        schedule_free(lambda p, k: schedulefree.SGDScheduleFree(p, k["lr"], k["beta"])), "lr beta", {
        "bowl": [(0.5, 0.9), (0.9, 0.5), (1.5, 0.95)],
        "rosenbrock": [(5e-4, 0.9), (5e-4, 0.5), (1e-3, 0.95)],
        "himmelblau": [(5e-3, 0.9), (0.01, 0.5), (0.02, 0.95)],
    }),
    "schedule_free_adamw": (
        "schedulefree.AdamWScheduleFree",
        schedule_free(lambda p, k: schedulefree.AdamWScheduleFree(
            p, k["lr"], (k["beta"], k["beta2"]), k["eps"], k["weight_decay"])),
        "lr beta beta2 eps weight_decay",
        [(0.1, 0.9, 0.999, 1e-8, 0.0), (0.05, 0.7, 0.9, 1e-2, 0.1), (0.02, 0.5, 0.99, 1e-6, 1.0)],
    ),
    "prodigy": ("prodigyopt.Prodigy", by_package(lambda p, k: prodigyopt.Prodigy(
                    p, k["lr"], (k["beta1"], k["beta2"]), eps=k["eps"], d0=k["d0"])), ADAM + " d0", {
        "bowl": [(1.0, 0.9, 0.999, 1e-8, 1e-6), (0.5, 0.8, 0.99, 1e-4, 1e-3), (1.0, 0.5, 0.95, 1e-2, 0.1)],
        "rosenbrock": [(1.0, 0.9, 0.999, 1e-8, 1e-6), (0.5, 0.8, 0.99, 1e-4, 1e-3), (0.1, 0.5, 0.95, 1e-2, 0.1)],
        "himmelblau": [(1.0, 0.9, 0.999, 1e-8, 1e-6), (0.5, 0.8, 0.99, 1e-4, 1e-3), (0.1, 0.5, 0.95, 1e-2, 0.1)],
    }),
    "sam": ("pytorch_optimizer.SAM around torch.optim.Adam, its norm in double precision", by_package(lambda p, k: pytorch_optimizer.SAM(
                p, torch.optim.Adam, k["rho"], lr=k["lr"], betas=(k["beta1"], k["beta2"]), eps=k["eps"]),
                step=lambda opt, closure: opt.step(closure)), "rho " + ADAM,
            [(0.05, *ADAM_ROWS[0]), (0.2, 0.01, 0.8, 0.9, 1e-3), (0.02, *ADAM_ROWS[2])]),
    "cautious": ("pytorch_optimizer.Lion(cautious=True)",
                 adam_like(pytorch_optimizer.Lion, cautious=True), "lr beta1 beta2", {
        "bowl": [(0.1, 0.9, 0.99), (0.03, 0.95, 0.98), (0.01, 0.5, 0.9)],
        "rosenbrock": [(2e-3, 0.9, 0.99), (3e-3, 0.95, 0.98), (2e-3, 0.8, 0.95)],
        "himmelblau": [(0.01, 0.9, 0.99), (0.02, 0.95, 0.98), (0.005, 0.5, 0.9)],
    }),
    "shampoo": ("pytorch_optimizer.Shampoo", by_package(lambda p, k: pytorch_optimizer.Shampoo(
                    p, k["lr"], matrix_eps=k["eps"])), "lr eps", {
        "bowl": [(1.0, 1e-6), (0.5, 1e-1), (2.0, 1e-4)],
        "rosenbrock": [(0.2, 1e-6), (0.1, 1e-1), (0.3, 1e-4)],
        "himmelblau": [(0.5, 1e-6), (0.2, 1e-1), (1.0, 1e-4)],
    }),
    "soap": ("pytorch_optimizer.SOAP(precondition_1d=True), its QR in double precision",
             adam_like(SOAP, precondition_1d=True), ADAM + " every",
             [(0.05, 0.95, 0.95, 1e-8, 10), (0.02, 0.8, 0.9, 1e-3, 1), (0.02, 0.5, 0.99, 1e-6, 4)]),
    "muon": ("torch.optim.Muon, its iteration in double precision", muon, "lr momentum", {
        "bowl": [(0.1, 0.95), (0.05, 0.8), (0.03, 0.5)],
        "rosenbrock": [(0.01, 0.95), (0.005, 0.8), (0.003, 0.5)],
        "himmelblau": [(0.05, 0.95), (0.02, 0.8), (0.01, 0.5)],
    }),
    "sophia": ("pytorch_optimizer.SophiaH with step(hessian=...)", sophia, "lr beta1 beta2 rho every eps", {
        "bowl": [(0.1, 0.96, 0.99, 1.0, 10, 1e-12), (0.5, 0.8, 0.9, 0.3, 1, 1e-6), (0.2, 0.5, 0.95, 2.0, 4, 1e-2)],
        "rosenbrock": [(0.05, 0.96, 0.99, 0.2, 10, 1e-12), (0.02, 0.8, 0.9, 0.3, 1, 1e-6), (0.01, 0.5, 0.9, 2.0, 4, 1e-2)],
        "himmelblau": [(0.1, 0.96, 0.99, 1.0, 10, 1e-12), (0.05, 0.8, 0.9, 0.3, 1, 1e-6), (0.1, 0.5, 0.9, 0.5, 4, 1e-2)],
    }),
}  # fmt: skip


def batch(path, function, hyperparameters):
    """The paths from two starts side by side, each known not to be chaotic."""
    x, y = INITIAL_POINTS[function]
    both = [
        record(path, function, hyperparameters, start) for start in ((x, y), (x + 0.25, y - 0.5))
    ]
    points = [
        [[float(f"{c:.12g}") for c in at] for at in rows]
        for rows in zip(*(one["points"] for one in both), strict=True)
    ]
    return {**both[0], "start": [one["start"] for one in both], "points": points}


def main():
    packages = ("torch", "schedulefree", "pytorch-optimizer", "prodigyopt")
    versions = {name: version(name) for name in packages}
    for key in sys.argv[1:] or MADE:
        made_with, path, names, rows = MADE[key]
        each = rows if isinstance(rows, dict) else dict.fromkeys(FUNCTIONS, rows)
        cases = [
            (f, dict(zip(names.split(), row, strict=True))) for f in FUNCTIONS for row in each[f]
        ]
        write(key, made_with, [batch(path, f, k) for f, k in cases], versions)


if __name__ == "__main__":
    main()
