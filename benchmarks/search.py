"""A search of the book's setting, its trials in batches on two threads, beside the same trials one
after the other.

    python benchmarks/search.py [--trials 100] [--quick]

Figure 6.24: inputs-100×6-10, 400 rows, batch 100, 200 iterations, 100 random trials. Every side
trains and measures the same; the trials of one after the other are trainings of their own with the
same hyperparameters, and their accuracies are compared. NumPy's library has one thread, as in the
app. Also how large a batch should be, and what halving saves.

The sides take turns in pieces of ten trials, so that a busy moment of the machine meets all of
them.
"""

import argparse
import time
from dataclasses import replace

# sets one thread before NumPy is loaded, and finds the package
from optimizers import machine, table

import numpy as np  # isort: skip

from optviz.nn import Penalty
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice
from optviz.training import advance, begin
from optviz.tuning import Halving, Search, rank_correlation, split_data
from optviz.tuning import search as running

GOAL, PIECE = 8.0, 10  # seconds for 100 trials on two cores; trials of a turn


def searched(spec, rows, workers=running.WORKERS, together=None):
    """Seconds and trials of a search, on so many threads and in batches of so many trials."""
    usual = running.WORKERS, running.trials_per_batch
    running.WORKERS = workers
    running.trials_per_batch = (lambda training: together) if together else usual[1]
    began = time.perf_counter()
    try:
        return running.advance(running.begin(spec), rows), time.perf_counter() - began
    finally:
        running.WORKERS, running.trials_per_batch = usual


def alone(spec, rows, values):
    """Seconds and accuracies of trainings one after the other, each with a trial's hyperparameters."""
    began, found = time.perf_counter(), []
    for lr, l2 in values:
        one = replace(
            spec.base,
            optimizer=OptimizerConfig(Choice("sgd", {"lr": float(lr)})),
            penalty=Penalty(float(l2)),
        )
        now = begin(one, rows.seen)
        while not now.done:
            now = advance(now, rows.seen, one.eval_every)
        found.append(now.accuracy[-1, 1, 0, 0])
    return time.perf_counter() - began, found


def sides(trials):
    whole = Search(trials=trials)
    rows = split_data(whole)
    seconds, differ = (
        dict.fromkeys(("batches, two threads", "batches, one thread", "one after the other"), 0.0),
        0,
    )
    for seed in range(0, trials, PIECE):
        piece = replace(whole, trials=PIECE, seed=seed)
        now, both = searched(piece, rows)
        _, single = searched(piece, rows, workers=1)
        slow, accuracies = alone(piece, rows, now.values)
        for name, more in zip(seconds, (both, single, slow), strict=True):
            seconds[name] += more
        differ += int((np.abs(now.scores - accuracies) > 1e-9).sum())
    slowest = seconds["one after the other"]
    print(f"\n{trials} trials in turns of {PIECE}, seconds\n")
    table(
        ["", "seconds", "trials a second", "gain"],
        [
            [name, f"{s:.1f}", f"{trials / s:.1f}", f"{slowest / s:.2f}"]
            for name, s in seconds.items()
        ],
    )
    print(
        f"\nTrials whose accuracy is another one alone (a rounding error turned a digit): {differ}."
    )


def whole(trials):
    lines = []
    for name, halving in (("all to the end", None), ("halving", Halving())):
        spec = Search(trials=trials, halving=halving)
        rows, cpu = split_data(spec), time.process_time()
        now, seconds = searched(spec, rows)
        cpu = time.process_time() - cpu
        related = [f"{rank_correlation(now.standing, column):.2f}" for column in now.points.T]
        best = now.winner.trial
        lines.append(
            [
                name,
                f"{seconds:.1f}",
                f"{cpu:.1f}",
                f"{now.iterations.sum():,}",
                f"{now.scores[best]:.2f}",
                f"{now.values[best, 0]:.4f}",
                *related,
            ]
        )
        if halving is None:
            met = "met" if seconds <= GOAL * trials / 100 else "missed"
            told = (
                f"Goal: 100 trials in {GOAL:g} s on two cores. Here "
                f"{seconds * 100 / trials:.1f}: {met}."
            )
    print(f"\nA search of {trials} trials\n")
    table(
        [
            "",
            "seconds",
            "of a processor",
            "iterations",
            "best",
            "its rate",
            "rank correlation with the rate",
            "with weight decay",
        ],
        lines,
    )
    print(f"\n{told}")


def batch_sizes(trials):
    spec = Search(trials=trials)
    rows, lines = split_data(spec), []
    for size in (1, 2, 5, 10, 20):
        lines.append(
            [f"{size}", f"{min(searched(spec, rows, together=size)[1] for _ in range(2)):.2f}"]
        )
    print(
        f"\nHow many trials together: seconds for {trials} (the search takes "
        f"{running.trials_per_batch(spec.base)})\n"
    )
    table(["together", "seconds"], lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=100, help="how many (100)")
    parser.add_argument("--quick", action="store_true", help="twenty")
    args = parser.parse_args()
    trials = 20 if args.quick else args.trials
    print(machine())
    whole(trials)
    sides(max(PIECE, trials // PIECE * PIECE))
    batch_sizes(20)


if __name__ == "__main__":
    main()
