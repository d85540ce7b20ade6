"""A training step of our networks beside PyTorch, and a batch of networks beside one after the
other, in one run.

    python benchmarks/networks.py [--repeats 40] [--quick]

A step: inputs-100×4-10, ReLU, a mini-batch of 128 rows: forward, loss, backward, update. Ours is
`step` on a MiniBatch, as in training; PyTorch's is Linear and ReLU in a Sequential with autograd
and torch.optim. Both sides are checked to give the same gradient.

A batch: eight networks trained together, and the same eight one after the other, drawing of the
mini-batches and everything that is recorded included.

The sides take turns, so that a busy moment of the machine meets all of them. torch is optional and
runs on one thread, as NumPy does.
"""

import argparse
import time
from itertools import pairwise

# sets one thread before NumPy is loaded, and finds the package
from optimizers import machine, table

import numpy as np  # isort: skip

from optviz import OPTIMIZERS
from optviz.nn import MiniBatch, Network, one_hot
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice
from optviz.training import Data, Training, advance, begin

try:
    import torch
except ImportError:
    torch = None
else:
    torch.set_num_threads(1)

ROWS, HIDDEN, CLASSES, TOGETHER, ITERATIONS = 128, (100,) * 4, 10, 8, 20
KNOBS = {"sgd": {"lr": 0.01}, "adam": {"lr": 0.001}}
THEIRS = {"sgd": "SGD", "adam": "Adam"}


def rows_of(inputs, dtype):
    rng = np.random.default_rng(0)
    return rng.random((ROWS, inputs)).astype(dtype), rng.integers(0, CLASSES, ROWS)


def ours(inputs, dtype, key):
    """A function that takes one step, and the gradient at the start."""
    net = Network((inputs, *HIDDEN, CLASSES), dtype=dtype)
    x, t = rows_of(inputs, dtype)
    y, opt, params = one_hot(t, CLASSES, dtype), OPTIMIZERS[key](**KNOBS[key]), net.init(0)
    at = [params, {k: v if np.ndim(v) else float(v) for k, v in opt.init(params).items()}]

    def step():
        f = MiniBatch(net, x, y)
        before = at[0]
        at[:] = opt.step(f, *at)
        return f.value(before)

    return step, MiniBatch(net, x, y).grad(params)


def torchs(inputs, dtype, key):
    sizes = (inputs, *HIDDEN, CLASSES)
    net = Network(sizes, dtype=dtype)
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out, dtype=getattr(torch, dtype)), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for layer, p in zip(model, net.views(net.init(0)), strict=True):
            if p:
                layer.weight.copy_(torch.tensor(p["W"].T.copy()))
                layer.bias.zero_()
    x, t = map(torch.tensor, rows_of(inputs, dtype))
    opt = getattr(torch.optim, THEIRS[key])(model.parameters(), **KNOBS[key])

    def backward():
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), t)
        loss.backward()
        return loss

    def step():
        loss = backward()
        opt.step()
        return loss.item()

    backward()
    return step, np.concatenate([p.grad.numpy().T.ravel() for p in model.parameters()])


def taking_turns(sides, repeats, calls):
    """The least seconds per call of each side."""
    least = dict.fromkeys(sides, np.inf)
    for repeat in range(repeats + 1):  # the first warms up
        for name, run in sides.items():
            began = time.perf_counter()
            for _ in range(calls):
                run()
            if repeat:
                least[name] = min(least[name], (time.perf_counter() - began) / calls)
    return least


def steps(repeats):
    lines, worst = [], 0.0
    for inputs in (64, 784):
        for dtype in ("float32", "float64"):
            for key in KNOBS:
                sides, gradients = {}, {}
                sides["ours"], gradients["ours"] = ours(inputs, dtype, key)
                if torch:
                    sides["torch"], gradients["torch"] = torchs(inputs, dtype, key)
                    apart = (
                        np.abs(gradients["ours"] - gradients["torch"]).max()
                        / np.abs(gradients["torch"]).max()
                    )
                least = {name: 1e6 * t for name, t in taking_turns(sides, repeats, 10).items()}
                ratio = least["ours"] / least["torch"] if torch else float("nan")
                worst = max(worst, ratio)
                shown = [
                    f"{least['ours']:.0f}",
                    *(
                        [f"{least['torch']:.0f}", f"{ratio:.2f}", f"{apart:.0e}"]
                        if torch
                        else "———"
                    ),
                ]
                lines.append([f"{inputs}-100×4-10, {dtype}, {key}", *shown])
    print(f"\nA training step, batch {ROWS}, µs (least of {repeats})\n")
    table(["network", "ours", "torch", "ours/torch", "gradients apart"], lines)
    if torch:
        print(
            f"\nGoal: at most 1.5 times PyTorch's time. Worst {worst:.2f}: "
            f"{'met' if worst <= 1.5 else 'missed'}."
        )


def batches(repeats):
    lines, worst = [], np.inf
    rng = np.random.default_rng(0)
    x, t = rng.random((1500, 64)), rng.integers(0, CLASSES, 1500)
    data = Data(x, t, x[:100], t[:100])
    for dtype in ("float32", "float64"):
        for sizes in ((64, *HIDDEN, CLASSES), (64, 50, CLASSES), (2, 10, 10, 2)):
            for key in KNOBS:
                net, config, seeds = (
                    Network(sizes, dtype=dtype),
                    OptimizerConfig(Choice(key, KNOBS[key])),
                    tuple(range(TOGETHER)),
                )
                all_data = Data(*(a[:, : sizes[0]] if a.ndim > 1 else a % sizes[-1] for a in data))
                many = Training(net, config, seeds=seeds, eval_every=10**4, iterations=10**4)
                each = [
                    Training(net, config, seeds=(s,), eval_every=10**4, iterations=10**4)
                    for s in seeds
                ]
                at, ats = begin(many, all_data), [begin(one, all_data) for one in each]
                sides = {
                    "together": lambda at=at, d=all_data: advance(at, d, ITERATIONS),
                    "one by one": lambda ats=ats, d=all_data: [
                        advance(one, d, ITERATIONS) for one in ats
                    ],
                }
                least = taking_turns(sides, max(2, repeats // 4), 1)
                a, b = (1e6 * least[name] / ITERATIONS / TOGETHER for name in sides)
                worst = min(worst, b / a)
                lines.append(
                    [
                        f"{'-'.join(map(str, sizes))}, {dtype}, {key}",
                        f"{a:.0f}",
                        f"{b:.0f}",
                        f"{b / a:.2f}",
                    ]
                )
    print(f"\n{TOGETHER} networks, batch {ROWS}, µs per network and iteration\n")
    table(["network", "together", "one by one", "gain"], lines)
    print(f"\nGoal: a batch is faster. Least gain {worst:.2f}: {'met' if worst > 1 else 'missed'}.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=40, help="how often each side runs (40)")
    parser.add_argument("--quick", action="store_true", help="eight repeats")
    args = parser.parse_args()
    repeats = 8 if args.quick else args.repeats
    print(machine())
    if torch is None:
        print("\ntorch is not installed: its columns stay empty (pip install torch).")
    steps(repeats)
    batches(repeats)


if __name__ == "__main__":
    main()
