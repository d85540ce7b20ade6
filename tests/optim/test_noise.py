"""What a noisy gradient does: the experiments with 200 seeds, and noise as a function of (seed, step) alone."""

import math

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, SCHEDULES, WRAPPERS, minimize
from tests.table import table

BOWL, NOISY = FUNCTIONS["bowl"], FUNCTIONS["noisy_bowl"]
SEEDS = np.arange(200)
SGD = OPTIMIZERS["sgd"]


def agrees(samples, printed):
    """The mean over seeds is within four standard errors of the number printed, and these are small."""
    error = samples.std() / np.sqrt(samples.size)
    assert error < 0.15 * printed
    assert abs(samples.mean() - printed) < 4 * error


def turns(points):
    """Degrees between each step and the next, averaged over a run."""
    a, b = np.diff(points, axis=0)[:-1], np.diff(points, axis=0)[1:]
    cosine = (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean(0)


@pytest.mark.parametrize(
    ("opt", "length", "turn", "loss"),
    [
        (SGD(lr=0.1), 32.5, 90, 0.147),
        (OPTIMIZERS["momentum"](lr=0.01), 11.0, 19, 0.135),
        (OPTIMIZERS["momentum"](lr=0.1), 73.2, 31, 0.677),
    ],
    ids=["sgd", "momentum at the same effective rate", "momentum at the same rate"],
)
def test_momentum_in_noise(opt, length, turn, loss):
    run = minimize(BOWL, opt, (-7, 2), 200, noise=NOISES["uniform"](scale=2.0), seed=SEEDS)
    agrees(run.lengths[-1], length)
    agrees(turns(run.points), turn)
    agrees(run.values[-50:].mean(0), loss)


@table(
    ("lr", "schedule", "loss"),
    [
        (0.5, SCHEDULES["constant"](), 0.497),
        (0.05, None, 0.171),
        (0.5, SCHEDULES["step"](gamma=0.1, first=150, every=75), 0.088),
        (0.5, SCHEDULES["step"](gamma=0.5, first=50, every=50), 0.034),
        (0.5, SCHEDULES["exponential"](rate=0.015), 0.035),
        (0.5, SCHEDULES["inverse_time"](rate=0.05), 0.040),
        (0.5, SCHEDULES["cosine"](steps=300), 0.039),
        (0.5, SCHEDULES["linear"](steps=300), 0.039),
        (0.5, SCHEDULES["cyclic"](period=100), 0.084),
    ],
)
def test_schedules_calm_the_noise(lr, schedule, loss):
    run = minimize(NOISY, SGD(lr=lr), (-7, 2), 300, schedule=schedule, seed=SEEDS)
    agrees(run.values[-30:].mean(0), loss)


def test_averaging_calms_the_noise():
    for opt, loss in (
        (SGD(lr=0.1), 0.0727),
        (WRAPPERS["averaged"](SGD(lr=0.1), decay=0.995), 0.0121),
    ):
        run = minimize(NOISY, opt, (-7, 2), 2000, seed=SEEDS)
        agrees(run.values[1500:].mean(0), loss)


@table("kind", NOISES)
@table("key", [k for k, cls in OPTIMIZERS.items() if cls.family != "derivative-free"])
def test_every_optimizer_meets_the_same_noise(key, kind):
    """What is given, less the true gradient where it was asked for, is the noise of the seed and step."""
    noise, met = NOISES[kind](scale=0.5), {}
    for config in ("sgd", key):
        run = minimize(BOWL, OPTIMIZERS[config](lr=0.01), (-7, 2), 10, noise=noise, seed=3)
        met[config] = run.gradients - BOWL.grad(run.lookahead[:-1])
    assert np.abs(met["sgd"]).max() > 0.1
    np.testing.assert_allclose(met[key], met["sgd"], rtol=0, atol=1e-13)


def test_noise_is_the_functions_own_unless_told_otherwise():
    assert minimize(BOWL, SGD(), steps=1).gradients[0] == pytest.approx([-0.7, 4])
    noisy = minimize(NOISY, SGD(), steps=1, seed=1)
    assert 0 < np.abs(noisy.gradients[0] - (-0.7, 4)).max() <= 2
    quiet = minimize(NOISY, SGD(), steps=1, noise=NOISES["uniform"](scale=0.0))
    assert quiet.gradients[0] == pytest.approx([-0.7, 4])
    assert noisy.values[1] == pytest.approx(
        BOWL.value(noisy.points[1])
    )  # the values are the true ones


QUANTILES = {
    "uniform": {0.05: -0.9, 0.25: -0.5, 0.5: 0, 0.75: 0.5, 0.95: 0.9},
    "rare": {0.0: -1 / 3, 0.9: 3.0, 1.0: 3.01},
    "gaussian": {0.05: -1.6449, 0.25: -0.6745, 0.5: 0, 0.8413: 1, 0.95: 1.6449, 0.9772: 2},
}


DEVIATION = {"uniform": math.sqrt(1 / 3), "gaussian": 1, "rare": 1}


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_its_distribution(kind):
    drawn = NOISES[kind](scale=1.0).table(1, 50_000)
    for share, at in QUANTILES[kind].items():
        assert (drawn < at).mean() == pytest.approx(share, abs=0.005)
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(drawn.std(0), DEVIATION[kind], rtol=0.02)
    assert kind != "uniform" or 0.995 < np.abs(drawn).max() <= 1
    # a component knows nothing of the other one, nor a step of the last
    for one, other in (drawn.T, (drawn[1:, 0], drawn[:-1, 0])):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.02


@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_an_array_of_seeds_is_that_of_each(kind):
    noise = NOISES[kind](scale=2.5)
    together = noise.table([[3, 4, 5], [6, 7, 3]], 11, d=2)
    assert together.shape == (11, 2, 3, 2)
    for i, j, seed in ((0, 0, 3), (0, 2, 5), (1, 1, 7), (1, 2, 3)):
        assert np.array_equal(together[:, i, j], noise.table(seed, 11))
    of_each = np.moveaxis(together, 0, 2).reshape(6, -1)
    assert len(np.unique(of_each, axis=0)) == 5  # one for each of the five seeds
    assert (
        np.abs(np.corrcoef(noise.table(3, 5000).ravel(), noise.table(4, 5000).ravel())[0, 1]) < 0.04
    )


@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_a_run_does_not_depend_on_how_many_steps_follow_or_on_other_seeds(kind):
    noise = NOISES[kind](scale=1.5)
    long, short = (minimize(BOWL, SGD(lr=0.1), (-7, 2), n, noise=noise, seed=5) for n in (50, 20))
    assert np.array_equal(long.points[:21], short.points)
    grid = minimize(BOWL, SGD(lr=0.1), (-7, 2), 20, noise=noise, seed=[[4, 5], [6, 7]])
    assert np.array_equal(grid.points[:, 0, 1], short.points)
    assert not np.array_equal(grid.points[:, 1, 1], short.points)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_a_step_is_a_function_of_seed_and_step(kind):
    noise = NOISES[kind](scale=1.0)
    first = noise.table(9, 40)
    noise.table(1, 7)
    assert np.array_equal(noise.table(9, 40), first)  # however often it is asked
    assert np.array_equal(noise.table(9, 5), first[:5])
    assert np.array_equal(NOISES[kind](scale=3.0).table(9, 40), 3 * first)
    assert noise.table(9, 0).shape == (0, 2)
    assert noise.table(9, 4, d=7).shape == (4, 7)
    assert not NOISES[kind](scale=0.0).table(9, 40).any()
