"""The noise view: its quantiles against single runs, its ellipses and its table against theory."""

from dataclasses import replace

import numpy as np
import pytest

from optviz import FUNCTIONS, NOISES, OPTIMIZERS, minimize
from optviz.experiments.page import Context
from optviz.experiments.sensitivity import noise
from optviz.experiments.sensitivity.page import NOISY, PAGE
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT
from optviz.spec import Choice
from tests.page import csv_rows

FEW = replace(NOISY, runs=11, objective=replace(NOISY.objective, seed=5, steps=40))


def test_bands_are_the_quantiles_of_single_runs():
    cloud = noise.cloud(FEW.objective, FEW.optimizers[0], 11)
    made = NOISES["gaussian"](scale=1.0)
    opt, bowl = OPTIMIZERS["sgd"](lr=0.3), FUNCTIONS["bowl"]
    runs = [minimize(bowl, opt, (-4, 2), 40, made, seed=5 + k) for k in range(11)]
    # of eleven the second, sixth and tenth: the least with 10, 50 and 90% at or below
    for found, every in (
        (cloud.gaps, np.sort([r.values for r in runs], 0)),
        (cloud.distances, np.sort([np.hypot(*r.points.T) for r in runs], 0)),
    ):
        np.testing.assert_allclose(found, every[[1, 5, 9]], rtol=1e-12)
    assert np.array_equal(cloud.points, [r.points[-1] for r in runs])


def test_an_ellipse_holds_19_of_20_points():
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    around = noise.ellipse([3.0, -2.0], covariance) - [3.0, -2.0]
    # the square of Mahalanobis's distance, of which 5.9915 is the quantile of chi-squared with 2
    far = np.einsum("ki,ij,kj->k", around, np.linalg.inv(covariance), around)
    np.testing.assert_allclose(far, 5.991465, rtol=1e-6)


def test_the_table_has_the_spread_of_many_runs_beside_that_of_theory():
    """SGD, η = 0.3, λ = 0.1 and 2, σ = 1: √(0.3/(0.1 · 1.97)) = 1.234 and √(0.3/(2 · 1.4)) = 0.327.
    Of 500 runs a spread is known to 3%.
    """
    spec = replace(NOISY, runs=500, objective=replace(NOISY.objective, steps=300))
    [sgd, _momentum] = noise.table(spec, LIGHT, noise.clouds(spec)).rows
    *_quantiles, long, long_known, thin, thin_known, lost = sgd
    assert (long_known, thin_known) == (
        pytest.approx(1.2340, rel=1e-3),
        pytest.approx(0.3273, 1e-3),
    )
    assert (long, thin) == (pytest.approx(long_known, rel=0.1), pytest.approx(thin_known, rel=0.1))
    assert lost == 0


def test_diverged_runs_are_counted_and_leave_the_picture_whole():
    config = OptimizerConfig(Choice("sgd", {"lr": 3.0}))
    spec = replace(FEW, optimizers=(config,), objective=replace(FEW.objective, steps=2000))
    found = noise.clouds(spec)
    [[_name, median, *_rest, lost]] = noise.table(spec, LIGHT, found).rows
    assert (median, lost, found[0].theory) == (np.inf, 1.0, None)
    noise.ends(spec, LIGHT, found)
    noise.bands(spec, LIGHT, found)


def test_the_file_has_the_end_of_every_run():
    [download] = PAGE.views["noise"].downloads
    rows = csv_rows(download.make(Context(PAGE, FEW, [], LIGHT, {})))
    assert len(rows) == 2 * 11
    row, made = rows[11 + 4], NOISES["gaussian"](scale=1.0)
    opt = OPTIMIZERS["momentum"](lr=0.1, momentum=0.9)
    end = minimize(FUNCTIONS["bowl"], opt, (-4, 2), 40, made, seed=9).points[-1]
    assert (row["optimizer"], row["seed"]) == ("Momentum", "9")
    assert [float(row["x"]), float(row["y"])] == pytest.approx(end.tolist(), rel=1e-9)
