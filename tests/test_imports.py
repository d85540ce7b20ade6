"""What importing a room loads, looked at in a fresh process, and the names that the public API promises."""

import ast
import json
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest

import optviz
from tests.table import table

ROOT = Path(optviz.__file__).parent.parent


# From the ground up: a room imports from its own floor and those below.
FLOORS = (
    ("optim", "functions", "nn", "data", "spec", "lens", "translation"), ("training", "tuning"), ("plot",), ("ui",), ("experiments",), ("shell", "__main__"),
)  # fmt: skip
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}


def modules(*rooms):
    """The name of every module of these rooms, without importing any."""
    return [name for name, _ in sources() if name.split(".")[1] in rooms]


def sources():
    """Every module below optviz by name, with its file."""
    for file in sorted((ROOT / "optviz").rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name != "optviz":
            yield name, file


def rooms_above(name, file):
    """The rooms of higher floors from which a module imports, wherever in it."""
    imports = [
        node.module
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
    ]
    rooms = {module.split(".")[1] for module in imports if module and module.startswith("optviz.")}
    return {room for room in rooms if LEVEL[room] > LEVEL[name.split(".")[1]]}


def test_imports_flow_one_way():
    found = {(name, room) for name, file in sources() for room in rooms_above(name, file)}
    assert found == set(), "imports a floor above its own"


def test_files_and_folders_are_read_at_one_sitting():
    in_browser = (ROOT / "optviz/ui/frontend").glob("**/*.*")
    files = [*(file for _name, file in sources()), *in_browser]
    long = [f"{file}" for file in files if len(file.read_text().splitlines()) > 350]
    assert long == []
    folders = Counter(f"{file.parent}" for file in files)
    assert {folder: n for folder, n in folders.items() if n > 14} == {}


def test_no_module_imports_itself_by_way_of_others():
    files = dict(sources())
    graph = {name: imported(file, files) - {name} for name, file in files.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(files)


def imported(file, known):
    """The modules that a module imports, wherever in it: the one named, or those that are taken out of a package."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & known.keys()
            if not inner <= known.keys():
                found |= {node.module} & known.keys()
    return found


def loaded_by(*names):
    """A new process imports `names` one after the other: top-level package -> the import that loaded it first."""
    script = """
import importlib, json, sys
first = {}
for name in sys.argv[1:]:
    importlib.import_module(name)
    for module in sys.modules:
        first.setdefault(module.partition(".")[0], name)
print(json.dumps(first))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_looking_glass_sees_what_is_loaded():
    """Or else the tests below would pass for any reason."""
    loaded = loaded_by("optviz", "plotly.graph_objects", "streamlit")
    assert loaded["numpy"] == loaded["optviz"] == "optviz"
    assert loaded["plotly"] == "plotly.graph_objects"
    assert loaded["streamlit"] == "streamlit"


def test_the_package_loads_no_screen():
    assert not {"streamlit", "plotly"} & set(loaded_by("optviz"))


def test_no_module_below_the_pictures_loads_more_than_numpy():
    ours = {"optviz", "numpy", "cython_runtime"}  # the last is what numpy.random is made with
    loaded = loaded_by("json", *modules(*FLOORS[0], *FLOORS[1]))
    extra = {
        m: by
        for m, by in loaded.items()
        if by != "json" and m not in ours | sys.stdlib_module_names
    }
    assert not {m: by for m, by in extra.items() if not m.startswith("_")}


def test_no_module_that_draws_loads_streamlit():
    loaded = loaded_by(*modules("plot"))
    assert "optviz" in loaded
    assert "streamlit" not in loaded, loaded["streamlit"]


def test_no_module_of_a_job_loads_a_screen():
    """As it is computed in a process of its own."""
    jobs = [name for name, file in sources() if "    def begin(self" in file.read_text()]
    assert {"optviz.experiments.curve_fit.run", "optviz.training.jobs"} <= set(jobs)
    assert not {"streamlit", "plotly"} & set(loaded_by(*jobs))


OPTIMIZERS = {
    **{"sgd": "lr", "bfgs": "lr", "lbfgs": "lr memory", "newton": "lr damping"},
    **dict.fromkeys(("momentum", "nesterov"), "lr momentum"),
    **{"adagrad": "lr eps", "adadelta": "lr rho eps", "rmsprop": "lr rho eps"},
    **dict.fromkeys(("amsgrad", "adamax", "nadam", "radam"), "lr beta1 beta2 eps"),
    "adam": "lr beta1 beta2 eps bias_correction",
    "adamw": "lr beta1 beta2 eps weight_decay",
    "lion": "lr beta1 beta2 weight_decay",
}
FUNCTIONS = """
    bowl tilted_bowl saddle noisy_bowl double_well rosenbrock himmelblau beale booth three_hump_camel
    six_hump_camel goldstein_price matyas styblinski_tang rastrigin ackley levy easom monkey_saddle
    plateau
"""
SCHEDULES = "constant step exponential inverse_time linear cosine cyclic warmup"


def test_promised_names():
    names = "FUNCTIONS OPTIMIZERS SCHEDULES NOISES parse_formula FormulaError minimize"
    names += " summarize find_minima"
    assert set(names.split()) <= set(optviz.__all__)
    assert all(hasattr(optviz, name) for name in optviz.__all__)
    assert set(optviz.FUNCTIONS) >= set(FUNCTIONS.split())
    assert set(optviz.OPTIMIZERS) >= set(OPTIMIZERS)
    assert set(optviz.SCHEDULES) >= set(SCHEDULES.split())
    assert set(optviz.NOISES) >= {"uniform", "gaussian"}
    assert issubclass(optviz.FormulaError, ValueError)


@table("key", OPTIMIZERS)
def test_promised_knobs(key):
    """Every hyperparameter can be given by name, is a field, cannot be changed, and refuses what is no number."""
    opt = optviz.OPTIMIZERS[key]()
    for name in OPTIMIZERS[key].split():
        default = getattr(opt, name)
        assert getattr(optviz.OPTIMIZERS[key](**{name: default}), name) == default
        with pytest.raises(AttributeError):
            setattr(opt, name, default)
        for bad in ("0.3", None, [0.1, "x"], {}, np.nan, np.inf, 1j):
            with pytest.raises(ValueError, match=name):
                optviz.OPTIMIZERS[key](**{name: bad})


def test_promised_fields_of_a_function():
    f = optviz.FUNCTIONS["himmelblau"]
    assert isinstance(f.name, str)
    assert isinstance(f.latex, str)
    assert len(f.start) == 2
    (x0, x1), (y0, y1) = f.domain
    assert x0 < x1
    assert y0 < y1
    assert f.minima.shape == (4, 2)
    assert optviz.FUNCTIONS["saddle"].minima.shape == (0, 2)
    assert isinstance(optviz.parse_formula("x**2/20 + y**2"), type(f))


def test_promised_fields_of_a_summary():
    f = optviz.FUNCTIONS["bowl"]
    found = optviz.summarize(optviz.minimize(f, optviz.OPTIMIZERS["newton"](), (-7, 2), 5))
    assert found.status.value == "converged"
    names = "converged moving at_minimum at_saddle at_maximum flat left_domain below_known_minimum"
    assert {s.value for s in type(found.status)} == {*names.split(), "diverged", "undefined"}
    steps = found.first_touch, found.steps_to_tolerance, found.evaluations_to_tolerance
    assert (steps, [type(n) for n in steps]) == ((1, 1, 2), [int] * 3)
    assert optviz.find_minima(f).tolist() == [[0, 0]]
    assert optviz.find_minima(optviz.FUNCTIONS["saddle"]).shape == (0, 2)


def test_promised_fields_of_a_run():
    f, opt = optviz.FUNCTIONS["bowl"], optviz.OPTIMIZERS["adam"](lr=0.3)
    run = optviz.minimize(
        f, opt, start=[(-7, 2), (1, 1)], steps=5, noise=None, schedule=None, seed=0
    )
    assert run.points.shape == (6, 2, 2)
    assert run.values.shape == (6, 2)
    assert run.gradients.shape == (5, 2, 2)
    assert run.state["m"].shape == run.state["v"].shape == (6, 2, 2)
    assert run.diverged_at.tolist() == [-1, -1]
    assert run.lookahead.shape == (6, 2, 2)
    alone = optviz.minimize(f, opt, start=(-7, 2), steps=5)
    assert tuple(alone.evaluations) == (5, 0, 0)
    assert int(alone.diverged_at) == -1
    assert optviz.minimize(f, opt).points.shape == (31, 2)
    noise, schedule = optviz.NOISES["gaussian"](scale=0.5), optviz.SCHEDULES["cosine"]()
    assert optviz.minimize(f, opt, (-7, 2), 4, noise, schedule, 3).points.shape == (5, 2)
