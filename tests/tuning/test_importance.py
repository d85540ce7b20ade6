"""How much each hyperparameter matters: against variances known by hand, and other people's programs."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.spec import Choice, SpecError, from_dict, to_dict, validate
from optviz.tuning import GaussianProcess, Halving, Search, importance, variance_shares
from tests.tuning.test_search import FOUR as IN_FOUR
from tests.tuning.test_search import MOMENTUM, SMALL, reference

FOUR = replace(SMALL, space=IN_FOUR, trials=100, optimizer=MOMENTUM)


def test_shares_of_a_variance_that_is_known_in_closed_form():
    """Ishigami & Homma (1990), a = 7, b = .1: the shares are in Saltelli et al. 2008, p. 179."""

    def ishigami(u):
        x, y, z = np.pi * (2 * u.T - 1)
        return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)

    a, b = 7, 0.1
    first = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    second, both = a**2 / 8, 8 * b**2 * np.pi**8 / 225
    whole = first + second + both
    alone, total = variance_shares(ishigami, 3)
    np.testing.assert_allclose(alone, np.array([first, second, 0]) / whole, atol=1e-6)
    np.testing.assert_allclose(total, np.array([first + both, second, both]) / whole, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_weighted_sum_is_seen_through_noise(seed):
    """Of a sum of cᵢxᵢ each has cᵢ² of the variance; 60 points, and noise of 4% of the spread."""
    rng, weights = np.random.default_rng(seed), np.array([4.0, 2, 1, 0])
    points = rng.random((60, 4))
    found = importance(points, points @ weights + 0.05 * rng.standard_normal(60))
    assert found.readable
    np.testing.assert_allclose(found.first_order, weights**2 / 21, atol=0.05)
    np.testing.assert_allclose(found.total, weights**2 / 21, atol=0.05)


def test_a_real_search_against_scikit_learn_and_salib():
    """100 trials in four dimensions: scikit-learn 1.7's process (Matérn 5/2 and white noise, eight
    restarts) on the same trials, its mean analyzed by SALib's Sobol' indices of 4,096 base points."""
    found = reference(FOUR).importance
    assert found.readable
    np.testing.assert_allclose(found.first_order, [0.824, 0.000, 0.026, 0.053], atol=0.05)
    np.testing.assert_allclose(found.total, [0.921, 0.000, 0.071, 0.120], atol=0.05)


def test_it_says_when_it_cannot_be_read():
    rng = np.random.default_rng(0)
    points = rng.random((100, 2))
    assert not importance(points[:14], points[:14, 0]).readable, "five trials a fitted number"
    assert importance(points[:15], points[:15, 0]).readable
    assert not importance(points, rng.random(100)).readable, "noise alone"
    assert not importance(points, np.ones(100)).readable, "nothing varies"


def test_what_the_others_say_of_a_point_is_what_a_process_without_it_says():
    rng = np.random.default_rng(1)
    points, values = rng.random((12, 2)), rng.random(12)
    # the mean is that of all: as the formula has it, and with it the two agree to rounding
    whole = GaussianProcess.from_data(points, values, [0.4, 0.4], 1e-2)
    errors = []
    for i in range(12):
        left = np.arange(12) != i
        k = GaussianProcess.from_data(points[left], values[left], [0.4, 0.4], 1e-2)
        weights = np.linalg.solve(k.cholesky @ k.cholesky.T, values[left] - whole.mean)
        guess = whole.mean + replace(k, mean=0.0, weights=weights).predict(points[[i]])[0][0]
        errors.append(values[i] - guess)
    np.testing.assert_allclose(whole.leave_one_out_errors, errors, atol=1e-9)


# Several samplers at once.


def test_rivals_share_everything_but_who_proposes():
    rivals = (Choice("grid"), Choice("halving", {"factor": 3}), Choice("random"), Choice("grid"))
    search = replace(FOUR, rivals=rivals)
    plain, grid, halved = search.searches
    assert plain == FOUR, "nobody is his own rival, or a rival twice"
    assert grid == replace(FOUR, sampler=Choice("grid"))
    assert halved == replace(FOUR, halving=Halving(3, 20))
    assert from_dict(Search, to_dict(search)) == search
    with pytest.raises(SpecError, match="rival"):
        validate(replace(FOUR, rivals=(Choice("oracle"),)))
    with pytest.raises(SpecError, match="factor"):
        validate(replace(FOUR, rivals=(Choice("halving", {"factor": 9}),)))
