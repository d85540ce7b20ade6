"""The edge of stability: that it is reached, what theory knows of each rate, the page once through."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.edge_of_stability.page import (
    PAGE,
    negative,
    over_time,
    sharpness_csv,
    standings,
)
from optviz.experiments.page import Context
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.sensitivity.stability import stable_curvature
from optviz.plot import LIGHT, Rule
from optviz.shell.lessons import LESSONS
from optviz.spec import Choice
from optviz.training import Split
from optviz.training.diagnostics import negative_curvatures
from tests.memo import trained
from tests.page import csv_rows, open_page, plots, sound
from tests.page import trained as with_trained
from tests.table import table

SCENE = PAGE.opening
SMALL = replace(SCENE, iterations=160, split=Split(100, validation=0.5))


def context(spec):
    return Context(PAGE, spec, [trained(t) for t in spec.trainings], LIGHT, {"log": True})


def sharpness(spec):
    """Of each training at every measurement, `(optimizers, k)`."""
    return np.array([trained(t).diagnostics["sharpness"][:, 0, 0, 0] for t in spec.trainings])


def test_three_rates_and_momentum_end_at_their_limits():
    """Cohen et al.: 2/η, and 2(1 + μ)/η; the lower rates had to climb there."""
    found, n = sharpness(SCENE), 21
    limits = np.array([2 / 0.3, 2 / 0.4, 2 / 0.6, 2 * 1.9 / 0.6])
    assert found.shape == (4, n)
    np.testing.assert_allclose(found[:, int(0.7 * n) :].mean(1), limits, rtol=0.1)
    low = found[:3, :7].min(1)
    assert low[0] < 0.75 * limits[0]
    assert [row[1] for row in standings(context(SCENE)).rows] == pytest.approx(limits)


@pytest.mark.slow
def test_another_start_and_other_rows_end_there_too():
    ends = SCENE.optimizers[::3]  # the lowest rate, which has to climb the most, and momentum
    spec = replace(SCENE, optimizers=ends, seeds=(1,), split=replace(SCENE.split, seed=1))
    limits = [2 / 0.3, 2 * 1.9 / 0.6]
    np.testing.assert_allclose(sharpness(spec)[:, 14:].mean(1), limits, rtol=0.1)


@table(
    ("method", "values", "limit"),
    [
        ("sgd", {"lr": 0.5}, 4.0),
        ("momentum", {"lr": 0.5, "momentum": 0.9}, 7.6),
        ("nesterov", {"lr": 0.1, "momentum": 0.9}, 2 * 1.9 / (2.8 * 0.1)),
        ("adam", {}, None),
    ],
)
def test_the_curvature_that_a_rate_bears(method, values, limit):
    optimizer = OPTIMIZERS[method](**values)
    assert stable_curvature(optimizer) == (limit and pytest.approx(limit))
    assert stable_curvature(WRAPPERS["averaged"](optimizer)) == stable_curvature(optimizer)


def test_an_update_sees_all_rows_once():
    training = SMALL.trainings[0]
    np.testing.assert_array_equal(training.rows(7, 100), [np.arange(100)])
    assert (training.epoch, training.batch_size) == (1, 100)


def test_the_figure_has_a_limit_for_each_that_has_one_and_the_file_every_measurement():
    adam = OptimizerConfig(Choice("adam", {"lr": 0.001}))
    found = context(replace(SMALL, optimizers=(*SMALL.optimizers[:2], adam), seeds=(0, 1)))
    rules = [mark.y for mark in over_time(found).marks if isinstance(mark, Rule)]
    assert rules == pytest.approx([2 / 0.3, 2 / 0.4])
    rows = csv_rows(sharpness_csv(found))
    assert len(rows) == 3 * 2 * 3
    assert {row["iteration"] for row in rows} == {"0", "100", "160"}


def test_the_page_trains_and_draws():
    at = open_page("edge_of_stability", SMALL)
    assert plots(at)["edge_of_stability-over_time"] is not None
    at = with_trained(at, "edge_of_stability")
    assert not sound(at).error


class Known:
    """A loss of which the Hessian is known."""

    def __init__(self, hessian):
        self.hessian = hessian

    def hess_product(self, params, d):
        return d @ self.hessian


def test_clearly_negative_curvatures_are_counted():
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    for values, share in (
        ([3, 2, 1, -1, -0.01, -0.001], 2 / 6),  # below -3/1000
        ([-3, -2, -1, 0, 0, 0], 3 / 6),
        ([1, 1, 1, 1, 1, 1], 0),
    ):
        found = negative_curvatures(Known(turned * values @ turned.T), np.zeros((2, 1, 6)))
        np.testing.assert_allclose(found, [[share], [share]])
    assert np.isnan(negative_curvatures(Known(np.full((6, 6), np.nan)), np.zeros((1, 6)))).all()


def test_the_share_of_negative_curvatures_falls_with_the_loss():
    """As the lesson says; and with another seed."""
    for seed in (0, 1):
        scene = LESSONS["negative-curvature"].scene
        scene = replace(scene, seeds=(seed,), split=replace(scene.split, seed=seed))
        for training in scene.trainings:
            found = trained(training).diagnostics["negative"][:, 0, 0, 0]
            assert 0.15 < found[0] < 0.3
            assert found[-1] < 0.03
    assert negative(context(scene)).frames[0].y.title == "negative curvatures"
    assert negative(context(SMALL)) is None, "too many parameters"


def test_sam_ends_flatter_and_is_not_better_on_new_rows():
    scene = LESSONS["flat-network"].scene
    sgd, sam = (trained(training) for training in scene.trainings)
    sharp, flat = (now.diagnostics["sharpness"][-4:, 0, :, 0].mean(0) for now in (sgd, sam))
    assert (np.abs(sharp / (2 / 0.3) - 1) < 0.1).all()
    assert (flat < sharp / 2).all()
    np.testing.assert_allclose(sam.loss[-1], sgd.loss[-1], rtol=0.15)
    assert abs(sam.accuracy[-1, 1].mean() - sgd.accuracy[-1, 1].mean()) < 0.02
