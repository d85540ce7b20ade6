"""Scripts and files to take along: what they print and hold is what the page shows."""

import ast
import csv
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optviz import (
    FUNCTIONS,
    NOISES,
    OPTIMIZERS,
    SCHEDULES,
    WRAPPERS,
)
from optviz.experiments.trajectories.spec import (
    BOOK,
    TYPED,
    Objective,
    Scene,
    multistart,
    run,
)
from optviz.experiments.trajectories.table import paths_csv
from optviz.optim.base import Optimizer, optimizer
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter
from optviz.shell.export.script import distinct, python_script, quoted
from optviz.shell.export.torch_script import torch_formula, torch_script
from optviz.spec import Choice

ROOT = Path(__file__).parents[2]
VALLEY = Objective("rosenbrock", start=(-1.2, 1.0), steps=25)
# Rates for Rosenbrock's valley at which a rounding error stays one; the others stand as they are.
CALM = {"sgd": 1e-3, "momentum": 2e-4, "nesterov": 2e-4, "radam": 1e-3, "lion": 0.01, "bfgs": 0.5, "lbfgs": 0.5}
TWICE = Choice("sgd", {"lr": 0.05}), Choice("momentum", {"lr": 0.02, "momentum": 0.8})
HOSTILE = "'''\"\"\"\nimport os\n\\"


def calm(key, **more):
    return Choice(key, {"lr": CALM[key], **more} if key in CALM else more)


def typed(formula, *configs, domain=((-5.0, 5.0), (-5.0, 5.0)), **more):
    return Scene(Objective(TYPED, formula, domain, (1.5, -2.5), **more), configs or tuple(map(OptimizerConfig, TWICE)))


ADAM, MOMENTUM = OptimizerConfig(Choice("adam", {"lr": 0.3})), OptimizerConfig(Choice("momentum", {"lr": 0.05}))
FORKS = (
    OptimizerConfig(Choice("momentum", {"lr": 0.01}), fork=Fork(MOMENTUM, 10)),  # goes on with the velocity
    OptimizerConfig(Choice("adam", {"lr": 0.1}), fork=Fork(MOMENTUM, 10)),  # starts afresh
    OptimizerConfig(Choice("lbfgs", {"memory": 3}), fork=Fork(OptimizerConfig(Choice("lbfgs", {"memory": 5})), 4)),  # of another shape
    OptimizerConfig(TWICE[0], fork=Fork(OptimizerConfig(TWICE[1], schedules={"lr": Choice("cosine")}, fork=Fork(ADAM, 5)), 12)),
    OptimizerConfig(TWICE[0], fork=Fork(ADAM, 1000)),  # never comes
    OptimizerConfig(TWICE[1], fork=Fork(ADAM, 0)),  # from the beginning
    MOMENTUM,
)
SCHEDULED = (
    *(OptimizerConfig(TWICE[0], schedules={"lr": Choice(k)}) for k in SCHEDULES),
    OptimizerConfig(Choice("adam"), schedules={"beta1": Choice("warmup"), "lr": Choice("step", {"every": 5, "first": 3})}),
    OptimizerConfig(Choice("adamax"), schedules={"beta1": Choice("linear", {"steps": 30})}),
    OptimizerConfig(Choice("sgd"), (Choice("clipped"),), {"max_norm": Choice("exponential"), "lr": Choice("cosine")}),
)
WRAPPED = (
    *(OptimizerConfig(Choice(opt), (Choice(key),)) for key in WRAPPERS for opt in ("sgd", "nesterov", "adam", "bfgs", "newton")),
    OptimizerConfig(ADAM.optimizer, (Choice("clipped", {"max_norm": 0.5}), Choice("averaged", {"decay": 0.5}), Choice("lookahead"))),
)
SWITCHED = (
    *(OptimizerConfig(Choice(k, {"bias_correction": False})) for k in ("adam", "adamw", "amsgrad", "adamax", "nadam", "radam")),
    OptimizerConfig(Choice("newton", {"damping": 2.0, "saddle_free": True})),
    OptimizerConfig(Choice("newton", {"line_search": True})),
    OptimizerConfig(Choice("bfgs", {"line_search": False, "lr": 0.2})),
    OptimizerConfig(Choice("lbfgs", {"line_search": False, "lr": 0.2, "memory": 2})),
    OptimizerConfig(Choice("nesterov", {"momentum": 0.0})),
)
SOME = tuple(OptimizerConfig(Choice(k)) for k in ("sgd", "nesterov", "adam", "lion", "lbfgs"))
FANS = (
    OptimizerConfig(TWICE[0], initial_points=Choice("ring", {"count": 5})),
    OptimizerConfig(Choice("newton"), initial_points=Choice("grid", {"columns": 3})),
    OptimizerConfig(Choice("nesterov", {"lr": 0.05}), initial_points=Choice("ring")),
    ADAM,
)
FORMULA = "abs(x^2 − 1)/2 + min(y², 3) + max(x*y, 1)·0.1 + sqrt(2)*log10(x^2+4) + ln(e)*sin(π*y) + sign(3)"
SCENES = {
    "book": BOOK,
    "bowl": Scene(Objective(), tuple(OptimizerConfig(Choice(k)) for k in OPTIMIZERS)),
    "valley": Scene(VALLEY, tuple(OptimizerConfig(calm(k)) for k in OPTIMIZERS)),
    "written out": Scene(VALLEY, tuple(OptimizerConfig(calm(k), schedules={"lr": Choice("constant")}) for k in OPTIMIZERS)),
    "scheduled": Scene(Objective(steps=60), SCHEDULED),
    "wrapped": Scene(Objective(), WRAPPED),
    "switched": Scene(Objective(), SWITCHED),
    "forks": Scene(Objective(), FORKS),
    "fans": Scene(Objective("himmelblau", start=(-0.5, -1.0)), tuple(r for r in FANS if r.method.key != "sgd")),
    "fans elsewhere": typed("x^2/9 + y^2", FANS[0], domain=((-3.0, 6.0), (-4.0, 4.0))),
    **{f"noise {k}": Scene(Objective(noise=Choice(k, {"scale": 0.7}), seed=7), (*SOME, FANS[0], FORKS[0])) for k in NOISES},
    "quiet": Scene(Objective("noisy_bowl"), SOME),  # a function with noise of its own, switched off
    "typed": typed(FORMULA),
    "constant": typed("2 - sign(-3)"),
    "one coordinate": typed("exp(-x)\n + (1.5)"),
    "diverging": Scene(replace(VALLEY, steps=200), (OptimizerConfig(Choice("sgd", {"lr": 10.0})), OptimizerConfig(Choice("nesterov")))),
    "undefined": typed("log(x) + y^2", OptimizerConfig(Choice("sgd", {"lr": 4.0})), OptimizerConfig(Choice("nesterov", {"lr": 0.001}))),
    "undefined start": Scene(Objective(TYPED, "log(x) + y^2", start=(-1.0, 1.0)), SOME),
    "twins": Scene(Objective(), (OptimizerConfig(Choice("sgd", {"lr": 0.1})), OptimizerConfig(Choice("sgd", {"lr": 0.1 + 1e-9})))),
    "nobody": Scene(Objective(), ()),
    **{
        f"function {f}": Scene(Objective(f, start=FUNCTIONS[f].start, steps=4), (OptimizerConfig(Choice("adam")),)) for f in FUNCTIONS
    },
}

# What the script in PyTorch does not cover, each with a comment in the script: nothing but the limits that
# optviz takes where a formula gives 0/0.
NOT_COVERED = {"ackley at its minimum": Scene(Objective("ackley", start=(0.0, 0.0), steps=3), (OptimizerConfig(Choice("sgd")),))}

RUNNER = """
import contextlib, io, json, sys
printed = {}
for name, code in json.load(sys.stdin).items():
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, name, "exec"), {"__name__": "__main__"})
    printed[name] = out.getvalue()
json.dump(printed, sys.stdout)
"""
LINE = re.compile(r"(.+): x = (\S+), y = (\S+), loss = (\S+)")


def printed_by(scripts: dict[str, str]) -> dict[str, str]:
    """What scripts print in a process of their own, all in one for the sake of what they import."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUNNER],
        input=json.dumps(scripts),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def numbers(text: str) -> dict[str, tuple[float, ...]]:
    lines = [LINE.fullmatch(line) for line in text.splitlines()]
    found = {line[1]: tuple(float(n) for n in line.groups()[1:]) for line in lines}
    assert len(found) == len(lines)
    return found


def expected(scene: Scene) -> dict[str, tuple[float, ...]]:
    ends = {}
    for name, config in zip(distinct(scene.names), scene.optimizers, strict=True):
        alone, others = run(scene.objective, config), multistart(scene.objective, config)
        ends[name] = (*alone.points[-1].tolist(), float(alone.values[-1]))
        for i in range(others.values.shape[1] if others else 0):
            ends[f"{name} @{i + 1}"] = (*others.points[-1, i].tolist(), float(others.values[-1, i]))
    return ends


# On optviz's public names


@pytest.fixture(scope="module")
def printed():
    return printed_by({name: python_script(scene) for name, scene in SCENES.items()})


@pytest.mark.parametrize("name", SCENES)
def test_the_script_prints_the_same_numbers(printed, name):
    found, wanted = numbers(printed[name]), expected(SCENES[name])
    assert list(found) == list(wanted)
    np.testing.assert_array_equal(list(found.values()), list(wanted.values()))


def test_the_script_is_a_program(tmp_path):
    """A file that says what it needs, in lines of a reasonable length."""
    script = tmp_path / "race.py"
    script.write_text(python_script(BOOK), encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", script], cwd=ROOT, capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT)}, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert numbers(done.stdout) == expected(BOOK)
    assert len(python_script(BOOK).splitlines()) <= 20


@pytest.mark.parametrize("name", SCENES)
def test_the_script_is_readable(name):
    code = python_script(SCENES[name])
    assert max(len(line) for line in code.splitlines() if FORMULA not in line) <= 100
    assert "float64" not in code
    assert re.search(r"^from optviz import ", code, re.M)


def test_no_text_breaks_out():
    """A text that no formula can be stays a text, and is refused when the script runs."""

    def calls(text):
        return [n for n in ast.walk(ast.parse(python_script(typed(text)))) if isinstance(n, ast.Call)]

    honest = [ast.unparse(n.func) for n in calls("x + y")]
    for text in [HOSTILE, '"); print("out', "'); print('out", "x**2 # \nprint('out')", "\\", "\0", "\u202e"]:
        assert [ast.unparse(n.func) for n in calls(text)] == honest
        assert [n.args[0].value for n in calls(text) if ast.unparse(n.func) == "parse_formula"] == [text]
        assert not ast.parse(torch_script(typed(text))).body  # nothing but a comment


@pytest.mark.parametrize("text", [HOSTILE, "it's", 'a "b"', "é “π”", "\0\r\u2028", ""])
def test_texts_are_quoted(text):
    assert eval(quoted(text)) == text
    assert "\n" not in quoted(text)


# In PyTorch


@pytest.fixture(scope="module")
def printed_in_torch():
    pytest.importorskip("torch")
    return printed_by({name: torch_script(scene) for name, scene in (SCENES | NOT_COVERED).items()})


@pytest.mark.parametrize("name", SCENES)
def test_pytorch_arrives_at_the_same_points(printed_in_torch, name):
    found, wanted = numbers(printed_in_torch[name]), expected(SCENES[name])
    assert found.keys() == wanted.keys()
    for who, end in wanted.items():
        if math.isfinite(end[2]):
            np.testing.assert_allclose(found[who], end, rtol=1e-9, atol=1e-12, err_msg=who)
        else:
            assert not math.isfinite(sum(found[who])), who


@pytest.mark.parametrize("name", NOT_COVERED)
def test_what_is_not_covered_says_so(printed_in_torch, name):
    assert "takes the limit; autograd does not" in torch_script(NOT_COVERED[name])
    assert not np.allclose(list(numbers(printed_in_torch[name]).values()), list(expected(NOT_COVERED[name]).values()))


@pytest.mark.parametrize("name", SCENES)
def test_pytorch_does_without_us(name):
    code = torch_script(SCENES[name])
    assert not re.search(r"import optviz|from optviz", code)
    assert "missing" not in code


def test_torch_optim_is_used_where_it_has_the_method():
    used = dict(re.findall(r'"(\S+)": run\(\s*lambda p: torch\.optim\.(\w+)\(', torch_script(SCENES["bowl"])))
    assert used == {
        "SGD": "SGD", "Momentum": "SGD", "Nesterov": "SGD", "AdaGrad": "Adagrad", "RMSProp": "RMSprop",
        "AdaDelta": "Adadelta", "Adam": "Adam", "AdamW": "AdamW", "AMSGrad": "Adam", "AdaMax": "Adamax",
        "NAdam": "NAdam", "RAdam": "RAdam",
    }  # fmt: skip
    assert "torch.optim" not in torch_script(SCENES["written out"])
    assert torch_script(SCENES["switched"]).count("torch.optim.LBFGS") == 1


def test_a_subclass_is_not_taken_for_what_it_builds_on():
    try:
        cls = optimizer("Adam, half as fast", "nobody", key="half")(type("Half", (OPTIMIZERS["adam"],), {}))
        assert cls.torch is None
    finally:
        OPTIMIZERS.pop("half", None)


class Odd(Optimizer):
    """Uses what PyTorch has under no name that we know."""

    lr: float = hyperparameter(0.1, 0.0, 1.0)

    def step(self, f, x, s):
        return np.nextafter(x - self.lr * f.grad(x), 0.0), s


def test_what_cannot_be_written_is_a_comment():
    optimizer("Odd", "nobody")(Odd)
    try:
        scene = Scene(Objective(), (ADAM, OptimizerConfig(Choice("odd"))))
        code = torch_script(scene)
        assert "# Odd is missing, for it cannot be written in PyTorch: np.nextafter" in code
        compile(code, "script", "exec")
        assert "Odd" in python_script(scene)
    finally:
        del OPTIMIZERS["odd"]
    refused = torch_script(typed("x +"))
    assert refused.startswith("# This scene cannot be written in PyTorch")
    compile(refused, "script", "exec")


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("x^2/20 + y²", "x**2/20 + y**2"),
        ("sqrt(2)*max(x, 1)", "math.sqrt(2)*torch.maximum(x, torch.tensor(1.0))"),
        ("max(min(1, 2), abs(y))", "torch.maximum(torch.tensor(1.0*(min(1, 2))), torch.abs(y))"),
        ("ln(x) + e**-y", "torch.log(x) + math.e**-y"),
        ("3", "3 + 0*x"),
    ],
)
def test_formulas_keep_their_looks(formula, code):
    assert torch_formula(formula) == code


# The paths as a file


def test_the_file_holds_every_step():
    scene = SCENES["noise uniform"]
    runs = [(name, run(scene.objective, r)) for name, r in zip(scene.names, scene.optimizers, strict=True)]
    others = multistart(scene.objective, FANS[0])
    rows = list(csv.DictReader(io.StringIO(paths_csv([*runs, ("Many", others)]))))
    for i in range(others.values.shape[1]):
        held = [r for r in rows if r["optimizer"] == f"Many @{i + 1}"]
        np.testing.assert_array_equal([[float(r["x"]), float(r["y"])] for r in held], others.points[:, i])
    for name, ran in runs:
        held = [r for r in rows if r["optimizer"] == name]
        assert [int(r["step"]) for r in held] == list(range(len(ran.points)))
        np.testing.assert_array_equal([[float(r["x"]), float(r["y"])] for r in held], ran.points)
        np.testing.assert_array_equal([float(r["loss"]) for r in held], ran.values)
        given = [[float(r["gradient_x"]), float(r["gradient_y"])] for r in held[:-1]]
        np.testing.assert_array_equal(given, ran.gradients)
        assert held[-1]["gradient_x"] == held[-1]["gradient_y"] == ""
        np.testing.assert_array_equal([int(r["gradient_evaluations"]) for r in held], ran.work[:, 0])


def test_the_file_ends_where_a_path_does():
    scene = SCENES["diverging"]
    gone = run(scene.objective, scene.optimizers[0])
    text = paths_csv([("SGD", gone)])
    assert len(text.splitlines()) == 1 + int(gone.diverged_at)
    assert text.endswith(f",,,{gone.work[int(gone.diverged_at) - 1, 0]}\n")
    assert "nan" not in text
    start = SCENES["undefined start"]
    assert len(paths_csv([("SGD", run(start.objective, start.optimizers[0]))]).splitlines()) == 1
