"""Our optimizers beside torch.optim and a plain textbook implementation, in one run.

    python benchmarks/optimizers.py [--repeats 15] [--quick]

One point: 300 steps on the bowl from (-7, 2). Ours is `minimize`, which also records every point,
gradient and state; torch.optim runs the same function in double precision with autograd; the
textbook keeps parameters and gradients in dictionaries and updates them key by key.

A batch: 10,000 starts, 200 steps of Adam, the gradient of the bowl written by hand for both sides.

The sides take turns, so that a busy moment of the machine meets all of them. torch is optional and
runs on one thread, as NumPy does.
"""

import argparse
import math
import os
import platform
import statistics
import sys
import time
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np  # noqa: E402

from optviz import FUNCTIONS, OPTIMIZERS, minimize  # noqa: E402

try:
    import torch
except ImportError:
    torch = None
else:
    torch.set_num_threads(1)

BOWL, START, STEPS = FUNCTIONS["bowl"], (-7.0, 2.0), 300
INITIAL_POINTS, BATCH_STEPS = 10_000, 200

# ours: key -> hyperparameters
OURS = {
    "sgd": {"lr": 0.1}, "momentum": {"lr": 0.1}, "nesterov": {"lr": 0.1}, "adagrad": {"lr": 1.5, "eps": 1e-7},
    "adadelta": {"lr": 1.0, "eps": 1e-5}, "rmsprop": {"lr": 0.01}, "adam": {"lr": 0.3}, "adamw": {"lr": 0.3},
    "amsgrad": {"lr": 0.3}, "adamax": {"lr": 0.3}, "nadam": {"lr": 0.3}, "radam": {"lr": 0.3}, "lion": {"lr": 0.1},
    "adabelief": {"lr": 0.3}, "yogi": {"lr": 0.3}, "adopt": {"lr": 0.3}, "adan": {"lr": 0.3}, "ademamix": {"lr": 0.3},
    "schedule_free_sgd": {"lr": 0.1}, "schedule_free_adamw": {"lr": 0.3}, "prodigy": {}, "shampoo": {}, "soap": {},
    "sophia": {}, "muon": {"lr": 0.1},
    "newton": {}, "bfgs": {}, "lbfgs": {"lr": 0.4, "line_search": False},
    "cg": {}, "trust_region": {}, "nelder_mead": {},
}  # fmt: skip

# the same in torch.optim: class and arguments
TORCH = {
    "sgd": ("SGD", {"lr": 0.1}), "momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "nesterov": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {"lr": 1.5, "eps": 1e-7}),
    "adadelta": ("Adadelta", {"lr": 1.0, "rho": 0.9, "eps": 1e-5}), "rmsprop": ("RMSprop", {"lr": 0.01, "alpha": 0.99}),
    "adam": ("Adam", {"lr": 0.3}), "adamw": ("AdamW", {"lr": 0.3}), "amsgrad": ("Adam", {"lr": 0.3, "amsgrad": True}),
    "adamax": ("Adamax", {"lr": 0.3}), "nadam": ("NAdam", {"lr": 0.3}), "radam": ("RAdam", {"lr": 0.3}),
    "lbfgs": ("LBFGS", {"lr": 0.4, "max_iter": 1, "history_size": 10, "tolerance_grad": 0, "tolerance_change": 0}),
}  # fmt: skip


def run_ours(key):
    run = minimize(BOWL, OPTIMIZERS[key](**OURS[key]), START, STEPS)
    return run.lookahead[-1]


def run_torch(key):
    name, hyperparameters = TORCH[key]
    x = torch.tensor(START, dtype=torch.double, requires_grad=True)
    opt = getattr(torch.optim, name)([x], **hyperparameters)

    def loss():
        opt.zero_grad()
        value = x[0] ** 2 / 20 + x[1] ** 2
        value.backward()
        return value

    for _ in range(STEPS):
        if name == "LBFGS":
            opt.step(loss)
        else:
            loss()
            opt.step()
    return x.detach().numpy()


# The textbook: a class, a dictionary of parameters, one of gradients, a loop over the keys.


class SGD:
    def __init__(self, lr=0.1):
        self.lr = lr

    def update(self, params, grads):
        for k in params:
            params[k] -= self.lr * grads[k]


class Momentum:
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, params, grads):
        if self.v is None:
            self.v = dict.fromkeys(params, 0.0)
        for k in params:
            self.v[k] = self.momentum * self.v[k] - self.lr * grads[k]
            params[k] += self.v[k]


class Nesterov(Momentum):
    def update(self, params, grads):
        if self.v is None:
            self.v = dict.fromkeys(params, 0.0)
        for k in params:
            before = self.v[k]
            self.v[k] = self.momentum * before - self.lr * grads[k]
            params[k] += self.momentum * (self.v[k] - before) + self.v[k]


class AdaGrad:
    def __init__(self, lr=1.5, eps=1e-7):
        self.lr, self.eps, self.h = lr, eps, None

    def update(self, params, grads):
        if self.h is None:
            self.h = dict.fromkeys(params, 0.0)
        for k in params:
            self.h[k] += grads[k] * grads[k]
            params[k] -= self.lr * grads[k] / (np.sqrt(self.h[k]) + self.eps)


class RMSProp:
    def __init__(self, lr=0.01, rho=0.99, eps=1e-8):
        self.lr, self.rho, self.eps, self.h = lr, rho, eps, None

    def update(self, params, grads):
        if self.h is None:
            self.h = dict.fromkeys(params, 0.0)
        for k in params:
            self.h[k] = self.rho * self.h[k] + (1 - self.rho) * grads[k] * grads[k]
            params[k] -= self.lr * grads[k] / (np.sqrt(self.h[k]) + self.eps)


class Adam:
    def __init__(self, lr=0.3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.t, self.m, self.v = 0, None, None

    def update(self, params, grads):
        if self.m is None:
            self.m, self.v = dict.fromkeys(params, 0.0), dict.fromkeys(params, 0.0)
        self.t += 1
        for k in params:
            self.m[k] = self.beta1 * self.m[k] + (1 - self.beta1) * grads[k]
            self.v[k] = self.beta2 * self.v[k] + (1 - self.beta2) * grads[k] ** 2
            m, v = self.m[k] / (1 - self.beta1**self.t), self.v[k] / (1 - self.beta2**self.t)
            params[k] -= self.lr * m / (np.sqrt(v) + self.eps)


TEXTBOOK = {
    "sgd": SGD, "momentum": Momentum, "nesterov": Nesterov, "adagrad": AdaGrad, "rmsprop": RMSProp, "adam": Adam,
}  # fmt: skip


def run_textbook(key):
    opt, params, path = TEXTBOOK[key](), dict(zip("xy", START, strict=True)), []
    for _ in range(STEPS):
        path.append((params["x"], params["y"]))
        opt.update(params, {"x": params["x"] / 10, "y": 2 * params["y"]})
    return np.array([params["x"], params["y"]])


# A batch of starts.

SLOPES = np.tile(
    [0.1, 2.0], (INITIAL_POINTS, 1)
)  # written out: both sides are slow at stretching a row of two
BATCH = np.random.default_rng(0).uniform((-10, -5), (10, 5), (INITIAL_POINTS, 2))


class ByHand:
    """The bowl as far as Adam asks for it."""

    def grad(self, x):
        return x * SLOPES


def batch_step():
    opt, f, x = OPTIMIZERS["adam"](lr=0.3), ByHand(), BATCH
    state = opt.init(x)
    for _ in range(BATCH_STEPS):
        x, state = opt.step(f, x, state)
    return x


def batch_minimize(values=False):
    """The ends, all points being recorded, and f at all of them where its `values` are read."""
    run = minimize(BOWL, OPTIMIZERS["adam"](lr=0.3), BATCH, BATCH_STEPS)
    assert not values or len(run.values) == BATCH_STEPS + 1
    return run.points[-1]


def batch_torch(**how):
    x = torch.tensor(BATCH, requires_grad=True)
    slopes = torch.tensor(SLOPES)
    opt = torch.optim.Adam([x], lr=0.3, **how)
    for _ in range(BATCH_STEPS):
        x.grad = x.detach() * slopes
        opt.step()
    return x.detach().numpy()


def timed(sides, repeats):
    """Seconds per call of every side, `repeats` times each, the sides taking turns; and what each
    returned.
    """
    results = {name: run() for name, run in sides.items()}  # also warms up
    times = {name: [] for name in sides}
    for _ in range(repeats):
        for name, run in sides.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    return times, results


def table(head, rows):
    """A Markdown table whose columns are in line; all but the first hold numbers."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = ["-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths)]
    for row in (head, None, *rows):
        cells = row and [
            f" {c:>{w}} " if i else f" {c:<{w}} "
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        print(f"|{'|'.join(cells or rule)}|")


def machine():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    versions = (
        f"Python {platform.python_version()}, NumPy {np.__version__}, torch "
        f"{torch.__version__ if torch else '—'}"
    )
    return f"{model}, {os.cpu_count()} cores, {versions}"


def one_point(repeats):
    """µs per step of a single point: the least of the repeats, which a busy machine disturbs least."""
    rows = []
    for key in OURS:
        sides = {"ours": lambda key=key: run_ours(key)}
        if torch and key in TORCH:
            sides["torch"] = lambda key=key: run_torch(key)
        if key in TEXTBOOK:
            sides["textbook"] = lambda key=key: run_textbook(key)
        times, ends = timed(sides, repeats)
        least = {name: 1e6 * min(t) / STEPS for name, t in times.items()}
        apart = max((np.abs(end - ends["ours"]).max() for end in ends.values()), default=0)
        shown = [
            f"{least[name]:.2f}" if name in least else "—" for name in ("ours", "torch", "textbook")
        ]
        ratios = [
            f"{least[name] / least['ours']:.1f}" if name in least else "—"
            for name in ("torch", "textbook")
        ]
        rows.append([key, *shown, *ratios, f"{apart:.0e}" if len(ends) > 1 else "—", least])
    print(f"\nOne point, {STEPS} steps on the bowl, µs per step (least of {repeats})\n")
    head = [
        "optimizer",
        "ours",
        "torch.optim",
        "textbook",
        "torch/ours",
        "textbook/ours",
        "ends apart",
    ]
    table(head, [row[:-1] for row in rows])
    ratios = {row[0]: row[-1]["torch"] / row[-1]["ours"] for row in rows if "torch" in row[-1]}
    if ratios:
        worst = min(ratios, key=ratios.get)
        mean = math.exp(statistics.fmean(map(math.log, ratios.values())))
        print(
            f"\nGoal: 10 times torch.optim. Geometric mean {mean:.1f}, least "
            f"{ratios[worst]:.1f} ({worst}):",
            end=" ",
        )
        print(
            "met."
            if ratios[worst] >= 10
            else f"missed by {', '.join(k for k, r in ratios.items() if r < 10)}."
        )


def batch(repeats):
    """ms for the whole batch: median and least."""
    sides = {
        "ours, Adam.step": batch_step,
        "ours, minimize (points recorded)": batch_minimize,
        "ours, minimize (points and f(x) recorded)": lambda: batch_minimize(values=True),
    }
    if torch:
        sides["torch.optim.Adam, default"] = batch_torch
        sides["torch.optim.Adam, foreach=True"] = lambda: batch_torch(foreach=True)
        sides["torch.optim.Adam, fused=True"] = lambda: batch_torch(fused=True)
    times, ends = timed(sides, repeats)
    median = {name: 1e3 * statistics.median(t) for name, t in times.items()}
    apart = max(np.abs(end - ends["ours, Adam.step"]).max() for end in ends.values())
    print(
        f"\n{INITIAL_POINTS:,} starts, {BATCH_STEPS} steps of Adam as one batch, ms of "
        f"{repeats} (ends {apart:.0e} apart)\n"
    )
    table(
        ["", "median", "least"],
        [[n, f"{median[n]:.1f}", f"{1e3 * min(times[n]):.1f}"] for n in sides],
    )
    if torch:
        ours, theirs = median["ours, Adam.step"], median["torch.optim.Adam, default"]
        print(
            f"\nGoal: not slower than torch's default. {theirs / ours:.2f} times its speed:",
            end=" ",
        )
        print("met." if ours <= theirs else "missed.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=15, help="how often each side runs (15)")
    parser.add_argument("--quick", action="store_true", help="three repeats")
    args = parser.parse_args()
    repeats = 3 if args.quick else args.repeats
    print(machine())
    if torch is None:
        print("\ntorch is not installed: its columns stay empty (pip install torch).")
    one_point(repeats)
    batch(repeats)


if __name__ == "__main__":
    main()
