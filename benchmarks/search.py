"""A search of the book's setting, its trials in batches on two workers, beside the same trials one
after the other.

    python benchmarks/search.py [--trials 100] [--quick]

Figure 6.24: inputs-100×6-10, 400 rows, batch 100, 200 iterations, 100 random trials. Every side
trains and measures the same; the trials of one after the other are trainings of their own with the
same hyperparameters, and their accuracies are compared. NumPy's library has one thread, as in the
app. Also how large a batch should be, and what halving saves.

"Of a core" is the time for which the workers computed, which a busy machine changes less.

The sides take turns in pieces of twenty trials, so that a busy moment of the machine meets all of
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
from optviz.training import Loader, TrainingJob
from optviz.training.scheduler import Scheduler
from optviz.training.tickets import Ticket
from optviz.training.workers import ProcessExecutor
from optviz.tuning import Halving, Search, SearchJob, rank_correlation, split_data
from optviz.tuning import search as running

GOAL, PIECE = 8.0, 20  # seconds for 100 trials on two cores; trials of a turn


def searched(spec, workers):
    """State and seconds of a search on these workers, as a page runs it."""
    scheduler, ticket = Scheduler(lambda: workers), Ticket(SearchJob(spec, Loader("b", spec.base)))
    began = time.perf_counter()
    while not scheduler.state(ticket).done:
        scheduler.watch("Ada", [ticket])
        time.sleep(0.01)
    return scheduler.state(ticket), time.perf_counter() - began


def busy(workers):
    """Seconds for which these workers have computed so far."""
    return sum(worker.call(time.process_time, (), {}) for worker in workers.workers)


def together(spec, size):
    """Seconds of a search in this process, in batches of so many trials."""
    job = SearchJob(spec, Loader("together", spec.base))
    state = job.begin()
    usual, running.trials_per_batch = running.trials_per_batch, lambda training: size
    began = time.perf_counter()
    try:
        job.advance(state, np.inf)
    finally:
        running.trials_per_batch = usual
    return time.perf_counter() - began


def alone(spec, rows, values, worker):
    """Seconds and accuracies of trainings one after the other, in one worker and each in one go."""
    began, found = time.perf_counter(), []
    for lr, l2 in values:
        one = replace(
            spec.base,
            optimizer=OptimizerConfig(Choice("sgd", {"lr": float(lr)})),
            penalty=Penalty(float(l2)),
        )
        job = TrainingJob(one, rows.tuning._replace)  # gives the same rows, in the worker too
        now = worker.submit(job.advance, worker.submit(job.begin).result(), np.inf).result()
        found.append(now.accuracy[-1, 1, 0, 0])
    return time.perf_counter() - began, found


def sides(trials, one, two):
    whole = Search(trials=trials)
    rows = split_data(whole)
    names = ("batches, two workers", "batches, one worker", "one after the other")
    seconds, cpu, differ = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0), 0
    for seed in range(0, trials, PIECE):
        piece = replace(whole, trials=PIECE, seed=seed)
        clock = [busy(two), busy(one)]
        now, both = searched(piece, two)
        _, single = searched(piece, one)
        clock.append(busy(one))
        slow, accuracies = alone(piece, rows, now.values, one)
        ends = busy(two), clock[2], busy(one)
        for name, more, end, begin in zip(names, (both, single, slow), ends, clock, strict=True):
            seconds[name] += more
            cpu[name] += end - begin
        differ += int((np.abs(now.scores - accuracies) > 1e-9).sum())
    slowest = seconds["one after the other"]
    print(f"\n{trials} trials in turns of {PIECE}, seconds\n")
    table(
        ["", "seconds", "of a core", "trials a second", "share"],
        [
            [name, f"{s:.1f}", f"{cpu[name]:.1f}", f"{trials / s:.1f}", f"{s / slowest:.2f}"]
            for name, s in seconds.items()
        ],
    )
    print(
        f"\nTrials whose accuracy is another one alone (a rounding error turned a digit): {differ}."
    )


def whole(trials, two):
    lines = []
    for name, halving in (("all to the end", None), ("halving", Halving())):
        spec = Search(trials=trials, halving=halving)
        now, seconds = searched(spec, two)
        related = [f"{rank_correlation(now.standing, column):.2f}" for column in now.points.T]
        best = now.winner.trial
        lines.append(
            [
                name,
                f"{seconds:.1f}",
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
    lines = []
    for size in (1, 2, 5, 10, 20):
        lines.append([f"{size}", f"{min(together(spec, size) for _ in range(2)):.2f}"])
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
    with ProcessExecutor(1) as one, ProcessExecutor(2) as two:
        for workers in (one, two):
            searched(Search(trials=2), workers)  # they import, and load the data
        sides(max(PIECE, trials // PIECE * PIECE), one, two)
        whole(trials, two)
    batch_sizes(20)


if __name__ == "__main__":
    main()
