"""Our steps beside other people's: trajectories that tests/golden/make.py wrote with PyTorch and SciPy."""

import json
from pathlib import Path

import numpy as np
import pytest

from optviz import FUNCTIONS, OPTIMIZERS, minimize

GOLDEN = Path(__file__).parents[1] / "golden"
RECORDED = [key for key in OPTIMIZERS if (GOLDEN / f"{key}.json").exists()]

# Quasi-Newton methods divide small differences of gradients, which blows rounding up a few thousand times.
TOLERANCE = {"bfgs": 1e-10, "lbfgs": 1e-10}


def records(name):
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))["records"]


def cases():
    for key in RECORDED:
        for r in records(key):
            yield pytest.param(key, r, id=f"{key}-{r['function']}-" + "-".join(str(v) for v in r["hyperparameters"].values()))


@pytest.mark.parametrize(("key", "record"), list(cases()))
def test_same_path(key, record):
    points = np.array(record["points"])
    run = minimize(FUNCTIONS[record["function"]], OPTIMIZERS[key](**record["hyperparameters"]), record["start"], len(points) - 1)
    ours = run.lookahead if key == "nesterov" else run.points  # torch stores where the gradient is asked for
    np.testing.assert_allclose(ours, points, rtol=0, atol=TOLERANCE.get(key, 1e-12))


@pytest.mark.parametrize("key", RECORDED)
def test_records_say_something(key):
    """Three settings on three functions, and every path goes somewhere."""
    kept = records(key)
    assert {r["function"] for r in kept} == {"bowl", "rosenbrock", "himmelblau"}
    assert len(kept) == 9
    for r in kept:
        assert np.ptp(r["points"], axis=0).max() > 0.05


@pytest.mark.parametrize(("record", "key"), [(records("minimize")[0], "bfgs"), (records("minimize")[1], "lbfgs")])
def test_scipy_in_rosenbrocks_valley(record, key):
    """SciPy's numbers are the ones that are quoted, and our search takes a like number of iterations."""
    counts = {"bfgs": (32, 39), "lbfgs": (36, 44)}
    assert (record["iterations"], record["evaluations"]) == counts[key]
    run = minimize(FUNCTIONS["rosenbrock"], OPTIMIZERS[key](), record["start"], 2 * record["iterations"])
    there = run.values <= record["value"]
    assert there.any()
    assert there.argmax() <= 1.5 * record["iterations"]
    np.testing.assert_allclose(run.points[there.argmax()], record["minimum"], atol=5e-6)
