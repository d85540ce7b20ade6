"""What a noisy gradient does: the experiments with 200 seeds, and noise as a function of (seed, step) alone."""

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


@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_a_step_does_not_depend_on_how_many_follow_or_on_other_seeds(kind):
    noise = NOISES[kind](scale=1.5)
    long = minimize(BOWL, SGD(lr=0.1), (-7, 2), 50, noise=noise, seed=5)
    short = minimize(BOWL, SGD(lr=0.1), (-7, 2), 20, noise=noise, seed=5)
    assert np.array_equal(long.points[:21], short.points)
    grid = minimize(BOWL, SGD(lr=0.1), (-7, 2), 20, noise=noise, seed=[[4, 5], [6, 7]])
    assert np.array_equal(grid.points[:, 0, 1], short.points)
    assert not np.array_equal(grid.points[:, 1, 1], short.points)


@pytest.mark.parametrize(
    ("kind", "spread"), [("uniform", 1 / np.sqrt(3)), ("gaussian", 1), ("rare", 1)]
)
def test_size_of_the_noise(kind, spread):
    drawn = NOISES[kind](scale=2.0).table(0, 20_000)
    assert drawn.shape == (20_000, 2)
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.06)
    np.testing.assert_allclose(drawn.std(0), 2 * spread, rtol=0.02)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.03
    if kind == "uniform":
        assert 1.99 < np.abs(drawn).max() <= 2


def test_noise_is_the_functions_own_unless_told_otherwise():
    assert minimize(BOWL, SGD(), steps=1).gradients[0] == pytest.approx([-0.7, 4])
    noisy = minimize(NOISY, SGD(), steps=1, seed=1)
    assert 0 < np.abs(noisy.gradients[0] - (-0.7, 4)).max() <= 2
    quiet = minimize(NOISY, SGD(), steps=1, noise=NOISES["uniform"](scale=0.0))
    assert quiet.gradients[0] == pytest.approx([-0.7, 4])
    assert noisy.values[1] == pytest.approx(
        BOWL.value(noisy.points[1])
    )  # the values are the true ones
