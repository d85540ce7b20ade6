"""Sweeps, tuning and basins beside a loop over single runs, and a recorded batch beside torch.optim.

    python benchmarks/sensitivity.py [--repeats 5]

Both sides do the same work in one run and take turns; the loop does as many of the single runs as
it takes to know its speed, and is scaled to all. A batch of which the points are read, and one of
which f is read too, stand each beside torch.optim's Adam that records as much. torch is optional.
"""

import argparse
import statistics
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# it comes first: NumPy and torch on one thread each are its doing
from benchmarks.optimizers import (  # noqa: I001
    BATCH,
    BATCH_STEPS,
    SLOPES,
    machine,
    table,
    timed,
    torch,
)
import numpy as np
from optviz import FUNCTIONS, NOISES, OPTIMIZERS, basins, final, minimize, sweep, tune
from optviz.experiments.edge_of_stability.spec import EdgeOfStability
from optviz.optim.sensitivity import enter
from optviz.training import advance, begin, load

BOWL, HIMMELBLAU = FUNCTIONS["bowl"], FUNCTIONS["himmelblau"]
MOMENTUM, ADAM = OPTIMIZERS["momentum"], OPTIMIZERS["adam"]
SAMPLE = 200  # single runs that the loop does
LRS, MOMENTA = np.geomspace(1e-3, 3, 64), 1 - np.geomspace(1, 1e-3, 64)
XS, YS = np.linspace(-6, 6, 200), np.linspace(-6, 6, 200)


def single(f, opts, starts, steps, noise=None):
    """The loop: one run after the other, each with a seed of its own, and only the end is looked
    at.
    """
    for seed, (opt, start) in enumerate(zip(opts, starts, strict=True)):
        minimize(f, opt, start, steps, noise=noise, seed=seed).values[-1]


def some(n):
    """Which of n runs the loop does."""
    return np.linspace(0, n - 1, min(n, SAMPLE)).astype(int)


def cases():
    """Name -> (the batch, the loop over a sample, how many runs there are for one of the sample)."""
    at = some(64 * 64)
    grid = [MOMENTUM(lr=float(LRS[i // 64]), momentum=float(MOMENTA[i % 64])) for i in at]
    rates = [ADAM(lr=float(lr)) for lr in np.geomspace(1e-4, 10, 30)]
    where = some(200 * 200)
    starts = [(float(XS[i % 200]), float(YS[i // 200])) for i in where]
    four = [
        MOMENTUM(lr=0.1),
        OPTIMIZERS["nesterov"](lr=0.1),
        ADAM(lr=0.3),
        OPTIMIZERS["nadam"](lr=0.3),
    ]
    raced = np.random.default_rng(0).uniform(-7, 7, (30, 2))
    noise, seeds = NOISES["gaussian"](scale=1.0), np.arange(200)
    cloud = some(40 * 40)
    corners = [(float(XS[5 * (i % 40)]), float(YS[5 * (i // 40)])) for i in cloud]
    return {
        "fair race: 30 starts, 20 rates each, 100 evaluations, 4 optimizers": (
            lambda: [enter(BOWL, opt, raced, 100, 20) for opt in four],
            lambda: [single(BOWL, [opt] * 30, raced, 100) for opt in four],
            20,
        ),
        "small multiples: maps 32×32 of lr × beta1 of Adam and NAdam, 200 steps": (
            lambda: [
                sweep(BOWL, key, {"lr": LRS[::2], "beta1": MOMENTA[::2]}, (-7, 2), 200)
                for key in ("adam", "nadam")
            ],
            lambda: [single(BOWL, [opt] * 50, [(-7, 2)] * 50, 200) for opt in four[2:]],
            32 * 32 / 50,
        ),
        "noise: 200 seeds of momentum, 200 steps": (
            lambda: minimize(BOWL, four[0], (-4, 2), 200, noise=noise, seed=seeds),
            lambda: single(BOWL, [four[0]] * 200, [(-4, 2)] * 200, 200, noise),
            1,
        ),
        "basins with noise: 40×40 starts, the share of 10 seeds, 200 steps of Adam": (
            lambda: basins(
                HIMMELBLAU, ADAM(lr=0.1), XS[::5], YS[::5], 200, noise=noise, seed=seeds[:10]
            ),
            lambda: single(HIMMELBLAU, [ADAM(lr=0.1)] * len(corners), corners, 200, noise),
            10 * 40 * 40 / len(corners),
        ),
        "map: 64×64 of lr × momentum, 200 steps": (
            lambda: sweep(BOWL, "momentum", {"lr": LRS, "momentum": MOMENTA}, (-7, 2), 200),
            lambda: single(BOWL, grid, [(-7, 2)] * len(grid), 200),
            64 * 64 / len(at),
        ),
        "auto: 30 rates of Adam, 30 steps": (
            lambda: tune(BOWL, "adam", (-7, 2), 30, budget=30),
            lambda: single(BOWL, rates, [(-7, 2)] * 30, 30),
            1,
        ),
        "basins: 200×200 starts, 200 steps of Adam": (
            lambda: basins(HIMMELBLAU, ADAM(lr=0.1), XS, YS, 200),
            lambda: single(HIMMELBLAU, [ADAM(lr=0.1)] * len(starts), starts, 200),
            200 * 200 / len(where),
        ),
        "ends: 10,000 starts, 200 steps of Adam": (
            lambda: final(BOWL, ADAM(lr=0.3), BATCH, BATCH_STEPS),
            lambda: single(BOWL, [ADAM(lr=0.3)] * SAMPLE, BATCH[:SAMPLE], BATCH_STEPS),
            len(BATCH) / SAMPLE,
        ),
    }


def recorded():
    """Our Adam on the batch, its points read."""
    run = minimize(BOWL, ADAM(lr=0.3), BATCH, BATCH_STEPS)
    assert len(run.points) == BATCH_STEPS + 1
    return run


def recorded_by_torch(points: bool, values: bool):
    """torch.optim.Adam on the batch, recording what is asked for."""
    x, slopes = torch.tensor(BATCH, requires_grad=True), torch.tensor(SLOPES)
    opt = torch.optim.Adam([x], lr=0.3)
    path = torch.empty((BATCH_STEPS + 1, *BATCH.shape), dtype=torch.double) if points else None
    heights = torch.empty((BATCH_STEPS + 1, len(BATCH)), dtype=torch.double) if values else None
    for t in range(BATCH_STEPS):
        at = x.detach()
        x.grad = at * slopes
        opt.step()
        if points:
            path[t + 1] = at
        if values:
            heights[t + 1] = at[:, 0] ** 2 / 20 + at[:, 1] ** 2


def edge_of_stability():
    """The same training of digits with its sharpness measured and without: functions by name."""
    watched = replace(EdgeOfStability(), iterations=300).trainings[0]
    data = load(watched)

    def through(training):
        now = begin(training, data)
        while not now.done:
            now = advance(now, data, training.eval_every)

    plain = replace(watched, sharpness=0)
    return {"with sharpness": lambda: through(watched), "without": lambda: through(plain)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often each side runs (5)")
    repeats = parser.parse_args().repeats
    print(machine())
    rows = []
    for name, (batch, loop, share) in cases().items():
        times = timed({"batch": batch, "loop": loop}, repeats)[0]
        ours, theirs = (1e3 * statistics.median(times[side]) for side in ("batch", "loop"))
        rows.append([name, f"{ours:.1f}", f"{theirs * share:.0f}", f"{theirs * share / ours:.0f}"])
    print(f"\nMedian ms of {repeats}\n")
    table(["", "ours", "loop over runs", "times as fast"], rows)
    times = timed(edge_of_stability(), repeats)[0]
    watched, plain = (statistics.median(times[side]) for side in ("with sharpness", "without"))
    print(
        f"\nSharpness of a network every 100 of 300 updates: {watched / plain - 1:.0%} more time\n"
    )
    sides = {"minimize, points": recorded, "minimize, points and f": lambda: recorded().values}
    if torch:
        sides["torch.optim.Adam, bare"] = lambda: recorded_by_torch(False, False)
        sides["torch.optim.Adam, points recorded"] = lambda: recorded_by_torch(True, False)
        sides["torch.optim.Adam, points and f recorded"] = lambda: recorded_by_torch(True, True)
    times = timed(sides, repeats)[0]
    print(f"\n{len(BATCH):,} starts, {BATCH_STEPS} steps of Adam, ms of {repeats}\n")
    shown = [
        [n, f"{1e3 * statistics.median(t):.1f}", f"{1e3 * min(t):.1f}"] for n, t in times.items()
    ]
    table(["", "median", "least"], shown)


if __name__ == "__main__":
    main()
