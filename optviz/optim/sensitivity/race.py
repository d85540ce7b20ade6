"""A fair race: the same number of evaluations for every optimizer, for tuning and running."""

from dataclasses import dataclass

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer, setting
from optviz.optim.sensitivity.sweeps import hyperparameter_named, sweep


@dataclass(frozen=True, eq=False)
class Entry:
    """The result of one optimizer from every start, with the rate that is set and the best one."""

    untuned: np.ndarray  # (n,) f at the end, NaN where it diverged
    tuned: np.ndarray  # (n,) likewise
    rate: float  # the best on average over the starts; the one that is set if all diverge
    spent: np.ndarray  # (n,) evaluations of a run with the rate that is set
    tuning: int  # evaluations of all runs with other rates


def enter(
    f: Function, opt: Optimizer, starts, budget: int, trials: int, noise=None, schedule=None, seed=0
) -> Entry:
    """An optimizer's runs from `starts` `(n, 2)`, each over when `budget` evaluations are spent.

    It tries `trials` rates: the one that is set, and others over the whole range of the
    slider. They are compared by the mean loss over all starts, and each run has the budget of the
    race. (How far tuning decides who wins: Wen et al. 2025, Fantastic pretraining optimizers and
    where to find them, arXiv 2509.02046.)
    """
    rates = np.append(setting(opt, "lr"), hyperparameter_named(opt, "lr").spread(trials - 1))
    options = {"noise": noise, "schedule": schedule, "seed": seed, "budget": budget}
    runs = sweep(f, opt, {"lr": rates}, starts, budget, **options)
    means = np.where(np.isnan(runs.means), np.inf, runs.means)
    best, spent = int(means.argmin()), runs.evaluations  # the set rate is the first, and wins ties
    values = runs.values
    return Entry(values[0], values[best], float(rates[best]), spent[0], int(spent[1:].sum()))


def ranks(values) -> np.ndarray:
    """Ranks from 1, the least value, in every column of `(racers, n)`; ties share their mean rank,
    and NaN comes last.
    """
    values = np.where(np.isnan(values), np.inf, values)
    one, other = values[:, None], values[None]
    return 1 + (one > other).sum(1) + ((one == other).sum(1) - 1) / 2
