"""Scripts and files to take along: what they print and hold is what the page shows."""

import ast
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from optviz import FUNCTIONS, INITIAL_POINTS, NOISES, OPTIMIZERS, SCHEDULES, WRAPPERS
from optviz.experiments.trajectories.run import multistart, run
from optviz.experiments.trajectories.spec import BOOK, TYPED, Objective, Scene
from optviz.experiments.trajectories.table import paths_csv
from optviz.functions.elementary import CALLS
from optviz.functions.parse import parse
from optviz.optim.base import Optimizer, optimizer
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.hyperparameter import hyperparameter
from optviz.shell.export.python_script import python_script
from optviz.shell.export.source import source
from optviz.shell.export.torch_script import formula_source, not_in_torch, torch_script
from optviz.shell.export.write import NUMPY, import_lines, quote
from optviz.spec import Choice
from tests.page import csv_rows
from tests.table import table

LINK = "https://example.org/?s=abc"
# where PyTorch is, for a process that knows of nothing else
TORCH = str(Path(found.origin).parents[1]) if (found := find_spec("torch")) else ""
VALLEY = Objective("rosenbrock", start=(-1.2, 1.0), steps=25)
# Rates for Rosenbrock's valley at which a rounding error stays one; the others stand as they are.
CALM = {
    "sgd": 1e-3,
    "momentum": 2e-4,
    "nesterov": 2e-4,
    "radam": 1e-3,
    "lion": 0.01,
    "bfgs": 0.5,
    "lbfgs": 0.5,
}
HOSTILE = "'''\"\"\"\nimport os\n\\"


def opt(key, *wrappers, schedules=None, fork=None, points=None, **values):
    """An optimizer with these hyperparameters, wrappers by their keys or whole, and schedules."""
    around = tuple(one if isinstance(one, Choice) else Choice(one) for one in wrappers)
    return OptimizerConfig(Choice(key, values), around, schedules or {}, fork, points)


def calm(key):
    return opt(key, **({"lr": CALM[key]} if key in CALM else {}))


def typed(formula, *configs, domain=((-5.0, 5.0), (-5.0, 5.0)), **more):
    return Scene(Objective(TYPED, formula, domain, (1.5, -2.5), **more), configs or TWICE)


TWICE = SGD, FAST = opt("sgd", lr=0.05), opt("momentum", lr=0.02, momentum=0.8)
ADAM, MOMENTUM = opt("adam", lr=0.3), opt("momentum", lr=0.05)
FORKS = (
    opt("momentum", lr=0.01, fork=Fork(MOMENTUM, 10)),  # goes on with the velocity
    opt("adam", lr=0.1, fork=Fork(MOMENTUM, 10)),  # starts afresh
    opt("lbfgs", memory=3, fork=Fork(opt("lbfgs", memory=5), 4)),  # of another shape
    replace(
        SGD, fork=Fork(replace(FAST, schedules={"lr": Choice("cosine")}, fork=Fork(ADAM, 5)), 12)
    ),
    replace(SGD, fork=Fork(ADAM, 1000)),  # never comes
    replace(FAST, fork=Fork(ADAM, 0)),  # from the beginning
    MOMENTUM,
)
SLOWER = {"beta1": Choice("warmup"), "lr": Choice("step", {"every": 5, "first": 3})}
SCHEDULED = (
    *(replace(SGD, schedules={"lr": Choice(k)}) for k in SCHEDULES),
    opt("adam", schedules=SLOWER),
    opt("adamax", schedules={"beta1": Choice("linear", {"steps": 30})}),
    opt("sgd", "clipped", schedules={"max_norm": Choice("exponential"), "lr": Choice("cosine")}),
)
CLIPPED, AVERAGED = Choice("clipped", {"max_norm": 0.5}), Choice("averaged", {"decay": 0.5})
WRAPPED = (
    *(opt(key, w) for w in WRAPPERS for key in ("sgd", "nesterov", "adam", "bfgs", "newton")),
    opt("adam", CLIPPED, AVERAGED, "lookahead", lr=0.3),
)
BIASED = ("adam", "adamw", "amsgrad", "adamax", "nadam", "radam")
SWITCHED = (
    *(opt(k, bias_correction=False) for k in BIASED),
    opt("newton", damping=2.0, saddle_free=True),
    opt("newton", line_search=True),
    opt("bfgs", line_search=False, lr=0.2),
    opt("lbfgs", line_search=False, lr=0.2, memory=2),
    opt("nesterov", momentum=0.0),
)
SOME = tuple(map(opt, ("sgd", "nesterov", "adam", "lion", "lbfgs")))
RING = replace(SGD, initial_points=Choice("ring", {"count": 5}))
FANS = (
    opt("newton", points=Choice("grid", {"columns": 3})),
    opt("nesterov", lr=0.05, points=Choice("ring")),
    ADAM,
)
FORMULA = "abs(x^2 − 1)/2 + min(y², 3) + max(x*y, 1)·0.1 + sqrt(2)*log10(x^2+4) + ln(e)*sin(π*y) + sign(3)"
BY_HAND = (
    "f(x, y) = 0,1|x − 1|² + cbrt(y)hypot(x, 2y) + relu(x)sigmoid(y) + softplus(−2x) + atan2(y, x)"
    " + floor(x)/9 + ceil(y)/9 + Heaviside(x) + (√|y|)⁴ + (√(x+9))² + tanh(x) + min(x, 0,5)"
)
HILL = Objective("himmelblau", start=(-0.5, -1.0))
SCENES = {
    "book": BOOK,
    "bowl": Scene(Objective(), tuple(map(opt, OPTIMIZERS))),
    "valley": Scene(VALLEY, tuple(map(calm, OPTIMIZERS))),
    "scheduled": Scene(Objective(steps=60), SCHEDULED),
    "wrapped": Scene(Objective(), WRAPPED),
    "switched": Scene(Objective(), SWITCHED),
    "forks": Scene(Objective(), FORKS),
    "fans": Scene(HILL, FANS),
    "fans elsewhere": typed("x^2/9 + y^2", RING, domain=((-3.0, 6.0), (-4.0, 4.0))),
    "quiet": Scene(Objective("noisy_bowl"), SOME),  # a function with noise of its own, switched off
    "typed": typed(FORMULA),
    "typed by hand": typed(BY_HAND, steps=10),
    "constant": typed("2 - sign(-3)"),
    "one coordinate": typed("exp(-x)\n + (1.5)"),
    "diverging": Scene(replace(VALLEY, steps=200), (opt("sgd", lr=10.0), opt("nesterov"))),
    "undefined": typed("log(x) + y^2", opt("sgd", lr=4.0), opt("nesterov", lr=0.001)),
    "undefined start": Scene(Objective(TYPED, "log(x) + y^2", start=(-1.0, 1.0)), SOME),
    "twins": Scene(Objective(), (opt("sgd", lr=0.1), opt("sgd", lr=0.1 + 1e-9))),
    "nobody": Scene(Objective(), ()),
    "maximized": Scene(replace(HILL, maximize=True), (opt("sgd", lr=0.01), opt("newton"))),
}
for kind in NOISES:
    noisy = Objective(noise=Choice(kind, {"scale": 0.7}), seed=7)
    SCENES[f"noise {kind}"] = Scene(noisy, (*SOME, RING, FORKS[0]))
for name, function in FUNCTIONS.items():
    objective = Objective(name, start=function.start, steps=4)
    SCENES[f"function {name}"] = Scene(objective, (opt("adam"),))

# What the script in PyTorch does not cover, each with a comment in the script: nothing but the limits that
# optviz takes where a formula gives 0/0.
AT_MINIMUM = Objective("ackley", start=(0.0, 0.0), steps=3)
NOT_COVERED = {"ackley at its minimum": Scene(AT_MINIMUM, (opt("sgd"),))}

RUNNER = """
import contextlib, io, json, sys
printed = {}
for name, code in json.load(sys.stdin).items():
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, name, "exec"), {"__name__": "__main__"})
    printed[name] = out.getvalue()
json.dump(printed, sys.stdout)
"""
LINE = re.compile(r"(.+): x = (\S+), y = (\S+), (?:loss|f) = (\S+)")


def printed_by(scripts: dict[str, str], folder: Path, *flags: str) -> dict[str, str]:
    """What scripts print in a process of their own, all in one for the sake of what they import."""
    done = subprocess.run(
        [sys.executable, *flags, "-W", "error", "-c", RUNNER],
        input=json.dumps(scripts),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "", "PYTHONPATH": TORCH},
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
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        alone, others = run(scene.objective, config), multistart(scene.objective, config)
        ends[name] = (*alone.points[-1].tolist(), float(alone.heights[-1]))
        for i in range(others.values.shape[1] if others else 0):
            ends[f"{name} @{i + 1}"] = (
                *others.points[-1, i].tolist(),
                float(others.heights[-1, i]),
            )
    return ends


# With NumPy alone


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """In an empty folder, and isolated: nothing of ours can be imported."""
    scripts = {name: python_script(scene, LINK) for name, scene in SCENES.items()}
    return printed_by(scripts, tmp_path_factory.mktemp("empty"), "-I")


@table("name", SCENES)
def test_the_script_prints_the_same_numbers(printed, name):
    found, wanted = numbers(printed[name]), expected(SCENES[name])
    assert list(found) == list(wanted)
    np.testing.assert_array_equal(list(found.values()), list(wanted.values()))


def test_what_is_maximized_is_printed_as_it_is(printed):
    """Himmelblau's hill is f(-0.270845, -0.923039) = 181.617."""
    assert numbers(printed["maximized"])["SGD"][2] == pytest.approx(181.617, abs=0.01)
    assert "at its maximum" in python_script(SCENES["maximized"])
    torch = torch_script(replace(BOOK, objective=SCENES["maximized"].objective))
    assert "f = {-f(*p)" in torch


def test_the_script_of_the_book_is_a_lesson():
    code = python_script(BOOK, LINK)
    lines = code.splitlines()
    assert len(lines) <= 160
    assert lines[1:3] == [
        "# Needs Python 3.11 and NumPy 2, and nothing else.",
        f"# Made with optviz: {LINK}",
    ]
    classes = [node.name for node in ast.parse(code).body if isinstance(node, ast.ClassDef)]
    assert classes == ["Function", "Optimizer", "SGD", "Momentum", "AdaGrad", "Adam"]
    assert "return x*x/20.0 + y*y" in code.replace("(", "").replace(")", "")
    assert 'v = self.momentum * s["v"] - lr * add_decay(f.grad(x), self.weight_decay, x)' in code
    assert "opt = Adam(lr=0.3, beta1=0.9, beta2=0.999, eps=1e-08, bias_correction=True)" in code
    assert not re.search(r"hess|noise|schedule|cite|hyperparameter|hyperparameter\(", code)


def test_all_that_is_ours_can_be_written_out():
    """No two things have one name, and nothing is named that is not there."""
    registries = OPTIMIZERS, WRAPPERS, SCHEDULES, NOISES, INITIAL_POINTS
    everything = [cls for registry in registries for cls in registry.values()]
    imports, code = source(everything, {"init", "step", "scaled", "draw", "points"})
    space = {"__name__": "script"}
    exec(import_lines(imports | NUMPY) + code, space)
    assert {cls.__name__ for cls in everything} <= space.keys()
    assert "optviz" not in code


@table("text", [HOSTILE, "it's", 'a "b"', "é “π”", "\0\r\u2028", ""])
def test_texts_are_quoted(text):
    assert eval(quote(text)) == text
    assert "\n" not in quote(text)


# In PyTorch


def in_torch(scene: Scene) -> Scene:
    """The scene with those only that torch.optim has."""
    missing = not_in_torch(scene)
    named = zip(scene.names, scene.optimizers, strict=True)
    return replace(scene, optimizers=tuple(config for name, config in named if name not in missing))


@pytest.fixture(scope="module")
def printed_in_torch(tmp_path_factory):
    scenes = {name: in_torch(scene) for name, scene in (SCENES | NOT_COVERED).items()}
    scripts = {name: torch_script(scene) for name, scene in scenes.items()}
    pytest.importorskip("torch")
    return printed_by(scripts, tmp_path_factory.mktemp("empty"))


@table("name", SCENES)
def test_pytorch_arrives_at_the_same_points(printed_in_torch, name):
    found, wanted = numbers(printed_in_torch[name]), expected(in_torch(SCENES[name]))
    assert found.keys() == wanted.keys()
    for who, end in wanted.items():
        if math.isfinite(end[2]):
            np.testing.assert_allclose(found[who], end, rtol=1e-9, atol=1e-12, err_msg=who)
        else:
            assert not math.isfinite(sum(found[who])), who


@pytest.mark.parametrize("name", NOT_COVERED)
def test_what_is_not_covered_says_so(printed_in_torch, name):
    assert "takes the limit; autograd does not" in torch_script(NOT_COVERED[name])
    assert not np.allclose(
        list(numbers(printed_in_torch[name]).values()), list(expected(NOT_COVERED[name]).values())
    )


def test_torch_optim_or_nothing():
    def missing(name):
        return set(not_in_torch(SCENES[name]))

    lacking = {c.label for c in OPTIMIZERS.values() if not c.torch}
    assert missing("bowl") == lacking
    assert {"Lion", "Newton", "BFGS"} < lacking
    assert len(missing("wrapped")) == len(WRAPPED)
    assert missing("switched").isdisjoint({"L-BFGS"})
    forked = {name for name in SCENES["forks"].names if "from step" in name}
    assert missing("forks") == forked - {"Momentum from step 0"}
    assert missing("scheduled") == {
        "Adam",
        "AdaMax",
        "SGD + clipping",
    }  # schedules of other things than the rate
    cooled = opt("momentum", schedules={"lr": Choice("cosine")})
    assert not_in_torch(Scene(Objective(), (cooled,))) == [
        "Momentum"
    ]  # torch.optim keeps the rate out of the velocity
    with pytest.raises(ValueError, match=r"torch.optim has no .*Lion"):
        torch_script(SCENES["bowl"])
    code = torch_script(in_torch(SCENES["bowl"]))
    assert re.findall(r"torch\.optim\.(\w+),", code) == [
        "SGD", "SGD", "SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adam", "Adamax", "NAdam", "RAdam",
        "LBFGS",
    ]  # fmt: skip


def test_a_subclass_is_not_taken_for_what_it_builds_on():
    try:
        cls = optimizer("Adam, half as fast", "nobody", key="half")(
            type("Half", (OPTIMIZERS["adam"],), {})
        )
        assert cls.torch is None
    finally:
        OPTIMIZERS.pop("half", None)


class Odd(Optimizer):
    """Someone's own, in a module of its own."""

    lr: float = hyperparameter(0.1, 0.0, 1.0)

    def step(self, f, x, s):
        return np.nextafter(x - self.lr * f.grad(x), 0.0), s


def test_one_s_own_optimizer_is_written_out(tmp_path):
    optimizer("Odd", "nobody")(Odd)
    try:
        scene = Scene(Objective(), (ADAM, opt("odd")))
        assert not_in_torch(scene) == ["Odd"]
        printed = printed_by({"odd": python_script(scene)}, tmp_path, "-I")
        assert numbers(printed["odd"]) == expected(scene)
    finally:
        del OPTIMIZERS["odd"]


@table(
    ("formula", "code"),
    [
        ("x^2/20 + y²", "torch.pow(x, 2.0)/20.0 + torch.pow(y, 2.0)"),
        ("sqrt(2)*max(x, 1)", "1.4142135623730951*torch.maximum(x, torch.tensor(1.0))"),
        ("max(min(1, 2), abs(y))", "torch.maximum(torch.tensor(1.0), torch.abs(y))"),
        ("ln(x) + e**-y", "torch.log(x) + torch.exp(-y)"),
        ("x - (y - 1)/(2x)", "x - (y - 1.0)/(2.0*x)"),
        ("3", "3.0 + 0*x"),
    ],
)
def test_formulas_in_pytorch(formula, code):
    assert formula_source(parse(formula)).splitlines()[-1] == f"    return {code}"


def test_every_function_of_a_formula_is_in_pytorch():
    for name, function in CALLS.items():
        arguments = ", ".join("xy"[: len(function.slopes)])
        assert "torch." in formula_source(parse(f"{name}({arguments})"))


# The paths as a file


def test_the_file_holds_every_step():
    scene = SCENES["noise uniform"]
    runs = [
        (name, run(scene.objective, r))
        for name, r in zip(scene.names, scene.optimizers, strict=True)
    ]
    others = multistart(scene.objective, RING)
    rows = csv_rows(paths_csv([*runs, ("Many", others)]))
    for i in range(others.values.shape[1]):
        held = [r for r in rows if r["optimizer"] == f"Many @{i + 1}"]
        np.testing.assert_array_equal(
            [[float(r["x"]), float(r["y"])] for r in held], others.points[:, i]
        )
    for name, ran in runs:
        held = [r for r in rows if r["optimizer"] == name]
        assert [int(r["step"]) for r in held] == list(range(len(ran.points)))
        np.testing.assert_array_equal([[float(r["x"]), float(r["y"])] for r in held], ran.points)
        np.testing.assert_array_equal([float(r["loss"]) for r in held], ran.values)
        given = [[float(r["gradient_x"]), float(r["gradient_y"])] for r in held[:-1]]
        np.testing.assert_array_equal(given, ran.gradients)
        assert held[-1]["gradient_x"] == held[-1]["gradient_y"] == ""
        np.testing.assert_array_equal(
            [int(r["gradient_evaluations"]) for r in held], ran.work[:, 0]
        )


def test_the_file_ends_where_a_path_does():
    scene = SCENES["diverging"]
    gone = run(scene.objective, scene.optimizers[0])
    text = paths_csv([("SGD", gone)])
    assert len(text.splitlines()) == 1 + int(gone.diverged_at)
    assert text.endswith(f",,,{gone.work[int(gone.diverged_at) - 1, 0]}\n")
    assert "nan" not in text
    start = SCENES["undefined start"]
    assert len(paths_csv([("SGD", run(start.objective, start.optimizers[0]))]).splitlines()) == 1
