"""The fits: against PyTorch's steps, in slices, and what the lesson says."""

from dataclasses import replace

import numpy as np
import pytest

from optviz.experiments.curve_fit.run import FitJob, advance, begin, matrices, objective, units
from optviz.experiments.curve_fit.spec import CurveFit
from optviz.optim.config import OptimizerConfig
from optviz.shell.lessons import LESSONS
from optviz.spec import Choice, SpecError, canonical_json, to_dict, validate
from tests.table import table

SHORT = CurveFit(iterations=300)


FITS = {}


def fitted(spec):
    """The fit after all iterations, computed once."""
    key = canonical_json(to_dict(spec))
    if key not in FITS:
        FITS[key] = advance(begin(spec), spec.iterations)
    return FITS[key]


# PyTorch 2.13 in double precision: mse_loss, torch.optim.SGD with lr .5, 1000 updates of all weights c, biases 0.
# Loss, W1, b1 and W2 of each of the three units, b2.
TORCH = [
    (0.0, 0.050006864024760365, -1.287216669207624, 0.15218084255056014, 1.0443223680714404, -0.7011801689044189),
    (0.5, 0.050039832616557485, -1.2739902187001857, 0.13056997880093793, 1.05810467498237, -0.7059044112964645),
]  # fmt: skip


@table("c, loss, w1, b1, w2, b2", TORCH)
def test_a_thousand_updates_are_those_of_torch(c, loss, w1, b1, w2, b2):
    spec = CurveFit(initializers=(Choice("constant", {"c": c}),), iterations=1000)
    now = fitted(spec)
    expected = [*[w1] * 3, *[b1] * 3, *[w2] * 3, b2]
    assert now.params[0] == pytest.approx(expected, rel=1e-10)
    assert now.loss[-1, 0] == pytest.approx(loss, rel=1e-12)


def test_the_gradient_is_that_of_torch():
    """backward() of mse_loss at ten weights."""
    at = np.array([0.3, -1.2, 2.0, 0.1, -0.4, 0.5, 1.5, -0.7, 0.2, 0.25])
    f = objective(CurveFit())
    assert f.value(at) == pytest.approx(0.5013362611797195, rel=1e-13)
    expected = [
        *(0.2831291795583238, -0.09072810430002175, 0.016312770602939942),
        *(0.4108887240626723, -0.13704127421750723, 0.02622964634504266),
        *(0.6469654785966418, 0.2576848913001823, 0.9652315883627992),
        1.1229102744177502,
    ]
    assert f.grad(at) == pytest.approx(expected, rel=1e-12)


def test_slices_change_nothing_and_a_longer_fit_goes_on():
    whole, parts = fitted(SHORT), begin(SHORT)
    for steps in (1, 49, 130, 500):
        parts = advance(parts, steps)
    job, short = FitJob(SHORT), FitJob(replace(SHORT, iterations=120))
    assert job.key == short.key != FitJob(replace(SHORT, units=4)).key
    end = short.advance(short.begin(), 60.0)
    assert short.progress(end).complete
    for now in (parts, job.advance(job.resume(end), 60.0)):
        np.testing.assert_array_equal(now.params, whole.params)
        np.testing.assert_array_equal(now.loss, whole.loss)
        assert now.stored.keys() == whole.stored.keys() | ({120} & now.stored.keys())
    assert short.resume(whole) is None, "what has gone too far begins anew"


@table("key", ["zeros", "constant"])
@table("method", [Choice("sgd", {"lr": 0.5}), Choice("adam", {"lr": 0.01})])
@table("activation", ["sigmoid", "tanh", "relu"])
def test_units_that_begin_alike_stay_alike(activation, method, key):
    spec = CurveFit(
        activation=Choice(activation),
        initializers=(Choice(key),),
        optimizer=OptimizerConfig(method),
        iterations=500,
    )
    [params] = fitted(spec).params
    held = units(spec, params)
    assert np.ptp(held, axis=1).max() < 1e-11
    assert held.any() == (key == "constant" or activation == "sigmoid")
    # y is ½ on the mean over the points, and nothing but the last bias can learn it
    if not held.any():
        assert matrices(spec, params)["b2"] == pytest.approx(0.5, abs=0.01)


def test_what_diverges_is_nan_and_the_others_go_on():
    lost = (Choice("normal", {"sigma": 100.0}), Choice("zeros"))
    steep = OptimizerConfig(Choice("sgd", {"lr": 10.0}))
    now = fitted(replace(SHORT, initializers=lost, optimizer=steep, activation=Choice("relu")))
    assert np.isnan(now.params[0]).all()
    assert now.done


def test_schedules_are_heard():
    half = OptimizerConfig(Choice("sgd", {"lr": 0.5}), schedules={"lr": Choice("step", {})})
    assert not np.array_equal(fitted(replace(SHORT, optimizer=half)).params, fitted(SHORT).params)


def test_an_optimizer_that_needs_a_matrix_is_refused():
    with pytest.raises(SpecError, match="P × P"):
        validate(replace(SHORT, optimizer=OptimizerConfig(Choice("newton"))))


def test_what_the_lesson_says():
    """In Try next too."""
    scene = LESSONS["curve-fit-symmetry"].scene
    zero, constant, normal = fitted(scene).loss[-1]
    other = fitted(replace(scene, initializers=scene.initializers[2:], seed=5)).loss[-1, 0]
    assert normal < 0.0005 < 0.01 < other, "random weights promise nothing"
    assert constant == pytest.approx(zero, rel=0.01)
    assert 70 < zero / normal < 150, "about a hundred times"
    assert np.ptp(units(scene, fitted(scene).params[0]), axis=1).max() == 0
    for activation in ("tanh", "relu"):
        params = fitted(replace(scene, activation=Choice(activation), iterations=300)).params[0]
        assert np.flatnonzero(params).tolist() == [9], "but the last bias"
