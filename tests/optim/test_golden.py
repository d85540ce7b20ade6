"""Our steps beside other people's: trajectories that the scripts in tests/golden wrote."""

import json
from pathlib import Path

import numpy as np
import pytest

from optviz import FUNCTIONS, OPTIMIZERS, WRAPPERS, minimize
from optviz.optim.hyperparameter import hyperparameters

GOLDEN = Path(__file__).parents[1] / "golden"
INSIDE = {"sam": "adam", "cautious": "lion"}  # what the recorded wrapper is around
VARIANTS = {
    **{"sgd_decay": "sgd", "momentum_damped": "momentum", "rmsprop_centered": "rmsprop"},
    "adamw_decoupled": "adamw",
}
RECORDED = [key for key in (*OPTIMIZERS, *VARIANTS, *WRAPPERS) if (GOLDEN / f"{key}.json").exists()]

# Quasi-Newton methods divide small differences of gradients, which blows rounding up a few thousand times.
# The newer ones are recorded to 12 digits. SOAP divides rounding by its ε of 10⁻⁸, along the direction in which there
# has been no gradient.
MODERN = [
    "sgd_decay",
    "momentum_damped",
    "rmsprop_centered",
    "adamw_decoupled",
    "adabelief",
    "yogi",
    "adopt",
    "adan",
    "ademamix",
    "schedule_free_sgd",
    "schedule_free_adamw",
    "prodigy",
    "shampoo",
    "soap",
    "sophia",
    "muon",
    *INSIDE,
]
TOLERANCE = {"bfgs": 1e-10, "lbfgs": 1e-10, **dict.fromkeys(MODERN, 1e-10), "soap": 1e-7}


def records(name):
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["records"]


def made(key, values):
    if key not in WRAPPERS:
        return OPTIMIZERS[VARIANTS.get(key, key)](**values)
    wrapper_names = {k.name for k in hyperparameters(WRAPPERS[key])}
    inner = {k: v for k, v in values.items() if k not in wrapper_names}
    return WRAPPERS[key](OPTIMIZERS[INSIDE[key]](**inner), **{k: values[k] for k in wrapper_names})


@pytest.mark.parametrize("key", RECORDED)
def test_same_paths(key):
    """Three settings on three functions, a fourth with a line search, and every path goes somewhere."""
    recorded = records(key)
    assert {r["function"] for r in recorded} == {"bowl", "rosenbrock", "himmelblau"}
    assert len(recorded) == (12 if key in ("bfgs", "lbfgs") else 9)
    for r in recorded:
        points, opt = np.array(r["points"]), made(key, r["hyperparameters"])
        assert np.ptp(points, axis=0).max() > 0.05
        run = minimize(FUNCTIONS[r["function"]], opt, r["start"], len(points) - 1)
        actual = (
            run.lookahead if key == "nesterov" else run.points
        )  # torch stores where the gradient is asked for
        message = f"{r['function']} {r['hyperparameters']}"
        np.testing.assert_allclose(
            actual, points, rtol=0, atol=TOLERANCE.get(key, 1e-12), err_msg=message
        )


def test_the_corners_of_nelder_and_mead():
    """The same three after every step, not only the best."""
    for r in records("nelder_mead"):
        opt = made("nelder_mead", r["hyperparameters"])
        run = minimize(FUNCTIONS[r["function"]], opt, r["start"], len(r["corners"]))
        corners = [state["simplex"] for state in run.state_dicts[1:]]
        np.testing.assert_allclose(corners, r["corners"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("record", "key"), [(records("minimize")[0], "bfgs"), (records("minimize")[1], "lbfgs")]
)
def test_scipy_in_rosenbrocks_valley(record, key):
    """SciPy's numbers are the ones that are quoted, and our search takes a like number of iterations."""
    counts = {"bfgs": (32, 39), "lbfgs": (36, 44)}
    assert (record["iterations"], record["evaluations"]) == counts[key]
    run = minimize(
        FUNCTIONS["rosenbrock"], OPTIMIZERS[key](), record["start"], 2 * record["iterations"]
    )
    reached = run.values <= record["value"]
    assert reached.any()
    assert reached.argmax() <= 1.5 * record["iterations"]
    np.testing.assert_allclose(run.points[reached.argmax()], record["minimum"], atol=5e-6)
