"""The search: proposals, the Gaussian process against closed forms, who is stopped, and the reference values."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optviz.nn import Network, Penalty
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.spec import Choice, SpecError, from_dict, to_dict, validate
from optviz.training import Split, load
from optviz.training import advance as trained
from optviz.training import begin as untrained
from optviz.tuning import (
    BOOK,
    RANGES,
    SAMPLERS,
    Axis,
    GaussianProcess,
    Halving,
    Search,
    SearchJob,
    Space,
    Status,
    expected_improvement,
    rank_correlation,
    ranks,
    sides,
    split_data,
)
from optviz.tuning.gaussian_process import matern
from optviz.tuning.search import final_accuracies
from tests.memo import remembered
from tests.table import table

# In this one the best learning rate is not at the border.
WIDE = Space((Axis("lr", -6.0, 1.0), Axis("l2", -8.0, -4.0)))
SMALL = Search(network=Network((64, 20, 10)), iterations=40, space=WIDE, trials=12)
MOMENTUM = OptimizerConfig(Choice("momentum"))
FOUR = Space(
    (
        Axis("lr", -3.0, 0.0),
        Axis("l2", -4.0, -1.0),
        Axis("momentum", -1.0, -0.1),
        Axis("sigma", -2.0, -0.5),
    )
)


def search(sampler="random", **more):
    return replace(SMALL, sampler=Choice(sampler), **more)


def ended(spec):
    job = SearchJob(spec, lambda: load(spec.base))
    return job.advance(job.begin(), np.inf)


# The space.


def test_values_are_powers_of_ten_between_the_ends():
    np.testing.assert_allclose(
        BOOK.values([[0, 0], [1, 1], [0.5, 0.25]]), [[1e-6, 1e-8], [1e-2, 1e-4], [1e-4, 1e-7]]
    )


def test_the_border_and_a_wider_range():
    assert BOOK.border([0.96, 0.5]) == [(0, True)]
    assert BOOK.border([0.5, 0.0]) == [(1, False)]
    assert BOOK.border([0.9, 0.1]) == []
    assert BOOK.widened(0, True) == WIDE, "three decades more are the range of the reference"
    assert WIDE.widened(0, True) == WIDE, "as far as makes sense"
    assert BOOK.widened(1, False).axes[1] == Axis("l2", -10.0, -4.0)


# Samplers.


def test_a_grid_is_every_combination():
    assert [sides(n, 2) for n in (9, 16, 22, 25, 100)] == [(3, 3), (4, 4), (5, 4), (5, 5), (10, 10)]
    assert sides(125, 3) == (5, 5, 5)
    assert sides(4, 4) == (2, 2, 1, 1)
    points = SAMPLERS["grid"]().propose(np.empty((0, 2)), np.empty(0), 9, None)
    assert sorted(map(tuple, points)) == [(a, b) for a in (0, 0.5, 1) for b in (0, 0.5, 1)]


@table("key", SAMPLERS)
@table("d", [2, 4])
def test_every_sampler_proposes_what_it_says(key, d):
    sampler, found = SAMPLERS[key](), []
    rounds = sampler.rounds(30, d)
    assert sum(rounds) == (30 if key != "grid" else {2: 30, 4: 24}[d])
    for _again in range(2):
        points, rng = np.empty((0, d)), np.random.default_rng(3)
        for n in rounds:
            new = sampler.propose(points, -np.abs(points - 0.7).sum(-1), n, rng)
            assert new.shape == (n, d)
            points = np.concatenate([points, new])
        assert (points >= 0).all()
        assert (points <= 1).all()
        found.append(points)
    np.testing.assert_array_equal(*found)
    distinct = len(np.unique(found[0][:, 0]))
    assert distinct == (sides(30, d)[0] if key == "grid" else pytest.approx(30, abs=8))


def test_from_coarse_to_fine():
    """The box holds the best ones and is smaller than the cube; where a hyperparameter does not matter it stays wide."""
    rng = np.random.default_rng(0)
    points = rng.random((40, 2))
    low, high = SAMPLERS["coarse_to_fine"]().box(points, -np.abs(points[:, 0] - 0.6))
    assert low[0] < 0.6 < high[0]
    assert high[0] - low[0] < 0.5 < high[1] - low[1]


def test_the_bayesian_one_finds_a_peak_that_random_misses():
    """On a peak of width .1 in the square, with 30 looks: the mean over five seeds."""

    def height(x):
        return np.exp(-((x - [0.73, 0.21]) ** 2).sum(-1) / 0.02)

    best = {key: [] for key in ("random", "bayesian")}
    for seed in range(5):
        for key, found in best.items():
            sampler, points, rng = SAMPLERS[key](), np.empty((0, 2)), np.random.default_rng(seed)
            for n in sampler.rounds(30, 2):
                points = np.concatenate([points, sampler.propose(points, height(points), n, rng)])
            found.append(height(points).max())
    assert np.mean(best["bayesian"]) > 0.95
    assert np.mean(best["bayesian"]) > np.mean(best["random"]) + 0.05


# The Gaussian process.


def test_two_points_by_hand():
    """k = e^(-1/2) between the points, K⁻¹(y − m) = (y − m)/(1 − k) since y − m is antisymmetric."""
    k, beside = math.exp(-0.5), math.exp(-0.125)
    process = GaussianProcess.from_data(
        [[0.0], [1.0]], [0.0, 1.0], [1.0], 0.0, "squared_exponential"
    )
    assert process.mean == pytest.approx(0.5)
    assert process.variance == pytest.approx(0.25 / (1 - k))
    mean, std = process.predict([[0.5], [0.0], [1.0]])
    np.testing.assert_allclose(mean, [0.5, 0, 1], atol=1e-12)
    between = process.variance * (1 - 2 * beside**2 / (1 + k))
    np.testing.assert_allclose(std**2, [between, 0, 0], atol=1e-12)


def test_a_kernel_s_known_value():
    known = [1, 0.5239941088318203]  # (1 + √5 + 5/3) e^-√5
    assert matern(np.array([0.0, 1.0])) == pytest.approx(known)


@table("kernel", ["matern", "squared_exponential"])
def test_the_evidence_is_the_density_of_a_normal_distribution(kernel):
    rng = np.random.default_rng(1)
    x, y, scales = rng.random((12, 3)), rng.standard_normal(12), [0.3, 0.7, 2.0]
    p = GaussianProcess.from_data(x, y, scales, 0.01, kernel)
    r2 = (((x[:, None] - x[None]) / scales) ** 2).sum(-1)
    smooth, root = np.exp(-r2 / 2), np.sqrt(5 * r2)
    k = smooth if kernel == "squared_exponential" else (1 + root + 5 / 3 * r2) * np.exp(-root)

    def log_density(mean, variance):
        cov, off = variance * (k + 0.01 * np.eye(12)), y - mean
        log_det = np.linalg.slogdet(cov)[1] + 12 * math.log(2 * math.pi)
        return -0.5 * (off @ np.linalg.inv(cov) @ off + log_det)

    likeliest = log_density(p.mean, p.variance)
    assert p.log_marginal_likelihood == pytest.approx(likeliest)
    for mean, share in ((p.mean + 0.1, 1.0), (p.mean, 1.2), (p.mean, 0.8)):
        assert log_density(mean, share * p.variance) < likeliest


def test_what_it_learns():
    """Which hyperparameter matters, that it passes near what it knows, and that one more value is like having known it all along."""
    rng = np.random.default_rng(2)
    x = rng.random((40, 2))
    y = np.sin(6 * x[:, 0])
    process = GaussianProcess.fit(x, y)
    assert process.scales[1] > 4 * process.scales[0]
    at = rng.random((50, 2))
    mean, std = process.predict(at)
    assert np.abs(mean - np.sin(6 * at[:, 0])).max() < 0.05
    more = process.condition_on(at[0], 0.3)
    points, values = np.vstack([x, at[:1]]), np.append(y, 0.3)
    whole = GaussianProcess.from_data(points, values, process.scales, process.noise)
    np.testing.assert_allclose(more.cholesky, whole.cholesky, atol=1e-9)
    assert more.predict(at[:1])[1] < std[0]
    flat = GaussianProcess.fit(x, np.full(40, 0.1))
    assert np.isfinite(flat.predict(at)).all()
    assert flat.predict(at)[0] == pytest.approx(0.1)


def test_expected_improvement():
    draws = np.random.default_rng(0).standard_normal(400_000)
    for mean, std, best in ((0.5, 0.2, 0.6), (0.7, 0.1, 0.6), (0.0, 1.0, 0.0)):
        found = expected_improvement(mean, std, best)
        assert found == pytest.approx(np.maximum(mean + std * draws - best, 0).mean(), abs=2e-3)
    assert expected_improvement(0.0, 1.0, 0.0) == pytest.approx(1 / math.sqrt(2 * math.pi))
    assert expected_improvement([0.4, 0.9], [0.0, 0.0], 0.6) == pytest.approx([0.0, 0.3])


# Who is stopped, and what is said.


def test_halving_by_hand():
    halving = Halving(2, 20)
    assert halving.rungs(200) == (20, 40, 80, 160)
    assert Halving(3, 20).rungs(200) == (20, 60, 180)
    assert halving.survivors([0.4, 0.1, 0.3, 0.2]).tolist() == [False, True, False, True]
    assert halving.survivors([0.4, np.nan, 0.3]).tolist() == [True, False, True]
    assert halving.survivors([1.0, 1.0, 1.0, 1.0]).tolist() == [True, True, False, False]
    assert halving.survivors([0.5, 0.2], earlier=[0.1, 0.3]).tolist() == [False, True]
    assert halving.survivors([0.5, 0.6], earlier=[0.1, 0.3]).tolist() == [False, False]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.lists(st.floats(0, 1), max_size=9),
    st.integers(2, 5),
)
def test_survivors_are_the_best_of_all(losses, earlier, factor):
    alive = Halving(factor).survivors(losses, earlier)
    assert alive.sum() <= -(-(len(losses) + len(earlier)) // factor)
    if alive.any() and not alive.all():
        assert np.array(losses)[alive].max() <= np.array(losses)[~alive].min()
    if not earlier:
        assert alive.sum() == -(-len(losses) // factor)


def test_rank_correlation():
    assert ranks([3, 1, 1, 8]).tolist() == [3, 1.5, 1.5, 4]
    of_scipy = 0.8207826816681233  # its own example
    assert rank_correlation([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) == pytest.approx(of_scipy)
    assert rank_correlation([1, 2, 3], [-1, -10, -100]) == pytest.approx(-1)
    assert math.isnan(rank_correlation([1, 2, 3], [1, 1, 1]))


# A search.


def test_as_json_and_back():
    some = Space((Axis("lr", -4.0, 0.0), Axis("momentum", -3.0, 0.0), Axis("sigma", -3.0, -1.0)))
    halved = search("bayesian", halving=Halving(3, 8))
    for spec in (Search(), halved, Search(space=some, trials=27, optimizer=MOMENTUM)):
        assert from_dict(Search, json.loads(json.dumps(to_dict(spec)))) == spec
        validate(spec)
    assert to_dict(Search()) == {}


@table(
    "bad",
    [
        {"space": Space(BOOK.axes[:1])}, {"space": Space(BOOK.axes[:1] * 2)}, {"space": Space((Axis("lr", -2.0, -6.0), BOOK.axes[1]))},
        {"space": Space((Axis("lr", -6.0, 9.0), BOOK.axes[1]))}, {"space": Space((Axis("luck", -6.0, 1.0), BOOK.axes[1]))},
        {"space": Space((Axis("momentum", -2.0, 0.0), BOOK.axes[1]))}, {"sampler": Choice("oracle")}, {"trials": 3}, {"trials": 10_000},
        {"halving": Halving(1)}, {"halving": Halving(2, 0)}, {"validation": 2}, {"seed": -1}, {"iterations": 0}, {"network": Network((9, 10))},
        {"optimizer": OptimizerConfig(Choice("nobody"))}, {"trials": 200, "halving": Halving(), "network": Network((64, *[1000] * 4, 10))},
    ],
)  # fmt: skip
def test_what_cannot_be_searched(bad):
    with pytest.raises(SpecError):
        validate(replace(Search(), **bad))


def test_ranges_are_those_of_the_page():
    declared = [*hyperparameters(Search), *hyperparameters(Halving)]
    assert {h.name: (h.low, h.high) for h in declared} == {
        "batch": (1, 2000), "iterations": (10, 2000), "trials": (4, 200), "validation": (20, 500), "seed": (0, 99),
        "factor": (2, 5), "first": (1, 1000),
    }  # fmt: skip
    for key, searched in RANGES.items():
        validate(Axis(key, *searched.default))
        validate(Axis(key, searched.low, searched.high))


def test_examples_that_choose_are_not_those_that_judge():
    spec = Search()
    data = split_data(spec)
    assert (len(data.tuning.x), len(data.tuning.x_test), len(data.x_test)) == (400, 100, 1297)
    everyone = np.concatenate([data.tuning.x, data.tuning.x_test, data.x_test])
    assert len(np.unique(everyone, axis=0)) == len(everyone) == 1797
    with pytest.raises(ValueError, match="none are left for the test"):
        split_data(replace(spec, split=Split(1697)))
    other = split_data(replace(spec, seed=1))
    assert not np.array_equal(other.tuning.x, data.tuning.x), "another seed, other examples"


def test_a_trial_is_the_training_with_its_hyperparameters():
    """Against one training of its own, with the hyperparameters set the plain way."""
    double = Network((64, 20, 10), dtype="float64")
    spec = replace(SMALL, space=FOUR, trials=5, optimizer=MOMENTUM, network=double)
    validate(spec)
    data, now = split_data(spec), ended(spec)
    for i in (0, 3):
        lr, l2, lost, sigma = now.values[i]
        method = Choice("momentum", {"lr": float(lr), "momentum": float(1 - lost)})
        network = replace(double, initializer=Choice("normal", {"sigma": float(sigma)}))
        alone = replace(
            spec.base,
            optimizer=OptimizerConfig(method),
            penalty=Penalty(float(l2)),
            network=network,
        )
        done = trained(untrained(alone, data.tuning), data.tuning, 40)
        assert now.accuracy[i, -1].tolist() == done.accuracy[-1, :, 0, 0].tolist()
        if i == now.winner.trial:
            found, wanted = now.winner.params[0], done.params[0, 0]
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-8)
    assert now.scores[now.winner.trial] == now.scores.max()


@table("sampler", SAMPLERS)
@table("halving", [None, Halving(2, 8)])
def test_slices_change_nothing(sampler, halving):
    spec = search(sampler, halving=halving)
    data = split_data(spec)
    job, seen = SearchJob(spec, lambda: load(spec.base)), []
    now = job.begin()
    while not now.done:
        amount = job.progress(now)
        assert 0 <= amount.done < amount.total
        seen.append(tuple(amount))
        now = job.resume(job.advance(now, 0.02))
    whole = ended(spec)
    for name in ("points", "accuracy", "iterations", "loss", "statuses", "ranking"):
        np.testing.assert_array_equal(getattr(now, name), getattr(whole, name))
    assert now.winner.trial == whole.winner.trial
    assert final_accuracies(now, data) == final_accuracies(whole, data)
    assert sorted(seen) == seen or halving, "it never goes back"
    assert job.progress(now) == (now.iterations.sum(),) * 2
    stopped = {Status.STOPPED} if halving else set()
    assert set(now.statuses) == {Status.COMPLETED} | stopped


def test_a_job_s_key_is_all_that_its_numbers_depend_on():
    longer, halved = replace(SMALL, iterations=80), search(halving=Halving())
    specs = [SMALL, replace(SMALL, seed=1), longer, search("grid"), halved]
    keys = {SearchJob(spec, None, source).key for spec in specs for source in ("", "files")}
    assert len(keys) == 2 * len(specs)
    assert SearchJob(replace(SMALL), None).key in keys


def test_what_halving_trains():
    """12 trials to 8 iterations, 6 to 16, 3 to 32, 2 to the end at 40: 12·8 + 6·8 + 3·16 + 2·8."""
    now = ended(search(halving=Halving(2, 8)))
    assert now.iterations.sum() == 12 * 8 + 6 * 8 + 3 * 16 + 2 * 8
    assert np.bincount(now.iterations)[[8, 16, 32, 40]].tolist() == [6, 3, 1, 2]
    job = SearchJob(now.search, lambda: load(now.search.base))
    assert job.progress(job.begin()) == (0, 208)
    untold = np.isnan(now.accuracy[now.stopped, :, 1]).argmax(1)
    assert (untold > 0).all(), "nothing is said of what was not trained"
    first = now.loss[:, 0]
    assert first[now.iterations > 8].max() <= first[now.iterations == 8].min()
    assert now.ranking[0] == now.winner.trial
    assert now.completed[now.ranking[:2]].all()


def test_rungs_are_where_something_is_measured():
    assert search(halving=Halving(2, 5)).stops == (8, 12, 20, 40)
    assert search(halving=Halving(2, 100)).stops == (40,)
    assert search().stops == (40,)


def test_who_diverges_is_last_and_the_others_go_on():
    spec = search("grid", space=Space((Axis("lr", -2.0, 1.0), Axis("l2", -2.0, 1.0))), trials=9)
    now = ended(spec)
    lost = now.diverged_at >= 0
    assert lost.any()
    assert not lost.all()
    assert (now.scores[lost] == 0).all()
    assert not lost[now.winner.trial]
    assert now.ended.all()
    assert (now.statuses[lost] == Status.DIVERGED).all()


def test_data_that_are_none_of_the_search():
    spec = search(
        dataset=Choice("moons"), network=Network((2, 8, 2)), split=Split(100), validation=30
    )
    validate(spec)
    assert 0.3 < final_accuracies(ended(spec), split_data(spec))[0] <= 1


# Reference values (Saitoh 2016, figure 6.24; repeated on the digits). Halving stands in for a full search, which takes
# four times as long: the best ones are the same, since what is slow at this budget has not learned.


def reference(spec):
    return remembered("search", spec, None, lambda: ended(spec))


@pytest.fixture(scope="module")
def book():
    return reference(Search(halving=Halving()))


def test_the_book_s_range(book):
    best, rates = book.scores[book.ranking[:5]], book.values[book.ranking[:5], 0]
    assert best[0] == pytest.approx(0.862, abs=3 * 0.022)
    assert best[4] == pytest.approx(0.802, abs=0.12)
    assert rates.min() > 0.7 * 0.0039
    assert rates.max() < 0.01
    assert BOOK.border(book.points[book.winner.trial])[0] == (0, True)


def test_the_rate_matters_and_weight_decay_does_not(book):
    """Reference .74 and -.10; where nothing is related the spread in 100 trials is .1."""
    assert rank_correlation(book.standing, book.points[:, 0]) > 0.6
    assert abs(rank_correlation(book.standing, book.points[:, 1])) < 0.3


def test_a_wider_range_finds_better_ones():
    now = reference(Search(space=WIDE, halving=Halving()))
    assert now.scores[now.winner.trial] == pytest.approx(0.966, abs=0.03)
    assert 0.02 < now.values[now.winner.trial, 0] < 0.4
    assert WIDE.border(now.points[now.winner.trial])[:1] != [(0, True)]


def test_random_beats_grid_where_one_hyperparameter_matters():
    """A 1×50 net at a budget of 9: the grid's three rates miss, nine random ones do not (reference .446 and .888)."""
    best = {}
    for key in ("grid", "random", "coarse_to_fine"):
        small = Search(Network((64, 50, 10)), space=WIDE, sampler=Choice(key), trials=9)
        runs = [reference(replace(small, seed=seed)) for seed in range(5)]
        best[key] = np.mean([now.scores[now.winner.trial] for now in runs])
    assert best["random"] > best["grid"] + 0.3
    assert best["random"] == pytest.approx(0.888, abs=0.08)
    assert best["coarse_to_fine"] == pytest.approx(0.882, abs=0.08)
