"""A fair race: the same evaluations for every optimizer, to tune its rate and to run."""

from dataclasses import dataclass

import numpy as np

from optviz.functions.function import Function
from optviz.optim.base import Optimizer, setting
from optviz.optim.sensitivity.sweeps import hyperparameter_named, sweep


@dataclass(frozen=True, eq=False)
class Entry:
    """What one optimizer comes to from every start, with the rate that is set and with the best."""

    untuned: np.ndarray  # (n,) f at the end, NaN where it diverged
    tuned: np.ndarray  # (n,) likewise
    rate: float  # the best on average over the starts; the one that is set where all diverge
    spent: np.ndarray  # (n,) evaluations of a run as it is set
    tuning: int  # evaluations of all runs with other rates


def enter(
    f: Function, opt: Optimizer, starts, budget: int, trials: int, noise=None, schedule=None, seed=0
) -> Entry:
    """An optimizer's runs from `starts` `(n, 2)`, each over when `budget` evaluations are spent.

    It tries `trials` rates: the one that is set, and others over the whole range of the slider. Of
    each the loss counts on average over all starts, and each run has the budget of the race. (How
    far tuning decides who wins: Wen et al. 2025, Fantastic pretraining optimizers and where to find
    them, arXiv 2509.02046.)
    """
    rates = np.append(setting(opt, "lr"), hyperparameter_named(opt, "lr").spread(trials - 1))
    more = {"noise": noise, "schedule": schedule, "seed": seed, "budget": budget}
    swept = sweep(f, opt, {"lr": rates}, starts, budget, **more)
    means = np.where(np.isnan(swept.means), np.inf, swept.means)
    best, spent = int(means.argmin()), swept.evaluations  # the set rate is the first, and wins ties
    values = swept.values
    return Entry(values[0], values[best], float(rates[best]), spent[0], int(spent[1:].sum()))


def ranks(values) -> np.ndarray:
    """Ranks from 1, the least value, in every column of `(racers, n)`; equals share their mean, and
    NaN comes last.
    """
    values = np.where(np.isnan(values), np.inf, values)
    one, other = values[:, None], values[None]
    return 1 + (one > other).sum(1) + ((one == other).sum(1) - 1) / 2
