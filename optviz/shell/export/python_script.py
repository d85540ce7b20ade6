"""A scene as a Python script that stands alone: the source that ran, and the same numbers."""

import ast
import builtins
import re
import textwrap

import numpy as np

from optviz.experiments.trajectories.run import run
from optviz.experiments.trajectories.spec import TYPED, Scene
from optviz.functions.evaluate import Evaluator
from optviz.functions.library import Function
from optviz.optim.base import chain
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.initial_points import INITIAL_POINTS, InitialPoints
from optviz.optim.noise import NOISES, Noise
from optviz.shell.export.source import import_lines, source

WIDTH = 100


def python_script(scene: Scene, link: str = "") -> str:
    """The scene as a program: one line for each path with its last x, y and loss, to the last bit.

    `link` is the address of the scene. FormulaError where the formula is refused.
    """
    objective, f = scene.objective, scene.objective.f
    paths = [run(objective, config) for config in scene.optimizers]
    segments = [segment for path in paths for segment in path.segments]
    settings, noise, points = setting(scene)
    scheduled = any(segment.schedule for segment in segments)
    forked = any(len(path.segments) > 1 for path in paths)

    used = [
        *(part for segment in segments for part in parts_of(segment)),
        *points,
        *filter(None, [noise]),
    ]
    members = {"init", "step", "points", "draw"} | ({"scaled"} if scheduled else set())
    needed, definitions = source([*dict.fromkeys(map(type, used))], members)
    evaluator, formula = formula_source(f, hessian=".hess(" in definitions)
    calls = [
        "\n".join(lines)
        for name, config, path in zip(distinct(scene.names), scene.optimizers, paths, strict=True)
        for lines in _calls(name, config, path, forked)
    ]
    imports = import_lines(needed, evaluator, NUMPY)
    parts = [
        f"{header(title(f), 'NumPy 2', link)}\n{imports}\n{SILENT}",
        formula,
        NOISY if noise else "",
        definitions,
        settings,
        _loop(noise is not None, scheduled, forked),
        printed(SHOW, f),
    ]
    return "\n\n".join(filter(None, parts)) + "\n\n" + "\n\n".join(calls) + "\n"


def header(title: str, needs: str, link: str) -> str:
    """Comments: what a script is, what it needs, and where it comes from."""
    lines = [title, f"Needs Python 3.11 and {needs}, and nothing else."]
    lines += [f"Made with optviz: {link}"] if link else []
    return "".join("# " + "".join(c for c in line if c.isprintable()) + "\n" for line in lines)


def title(f: Function) -> str:
    """What is shown, in a line."""
    name = "" if f.key == TYPED else f"“{f.name}”, "
    most = ", at its maximum: what is minimized below is −f" if f.sign < 0 else ""
    return f"Where optimizers end on {name}f(x, y) = {' '.join(f.formula.split())}{most}"


def printed(show: str, f: Function) -> str:
    """`show` as it prints the value of a function that is maximized."""
    return show.replace("loss = {", "f = {-") if f.sign < 0 else show


def setting(scene: Scene) -> tuple[str, Noise | None, list[InitialPoints]]:
    """What all paths share, as source, and the things that it is made with."""
    objective = scene.objective
    lines = [f"start, steps = {tuple(map(float, objective.start))!r}, {int(objective.steps)}"]
    points = [
        config.initial_points.build(INITIAL_POINTS)
        for config in scene.optimizers
        if config.initial_points
    ]
    if points:
        lines.append(f"domain = {tuple(tuple(map(float, side)) for side in objective.f.domain)!r}")
    noise = objective.noise and objective.noise.build(NOISES)
    if noise:
        rng = f"np.random.default_rng({int(objective.seed)})"
        lines.append(f"noise = {constructed(noise)}")
        lines.append(f"noise = noise.scale * noise.draw({rng}, (steps, 2))")
    return "".join(f"{line}\n" for line in lines), noise, points


def constructed(thing, *inner: str) -> str:
    """The call that makes a thing of a registry, with all of its hyperparameters."""
    values = (
        f"{k.name}={literal(getattr(thing, k.name), k.kind)}" for k in hyperparameters(type(thing))
    )
    return f"{type(thing).__name__}({', '.join([*inner, *values])})"


def literal(value, kind=float) -> str:
    """A hyperparameter as a Python literal, or an array with its value for each network."""
    if np.ndim(value) == 0:
        return repr(kind(value))
    return f"np.array({value.ravel().tolist()}, np.{value.dtype}).reshape({value.shape})"


def quoted(text: str) -> str:
    """The text as a Python literal, in double quotes where that takes no more than other quotes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def distinct(names: list[str]) -> list[str]:
    """The names, numbered where two are the same."""
    if len(set(names)) == len(names):
        return names
    return [f"{name} #{i}" for i, name in enumerate(names, 1)]


def formula_source(f: Function, hessian: bool) -> tuple[dict, str]:
    """Imports and source of a function: value, gradient, Hessian, and a class of them."""
    wanted = {"value": (f.graph.root,), "gradient": f.graph.gradient()}
    if hessian:
        wanted["hessian"] = f.graph.hessian()
    functions = [broken(f.graph.function(name, parts)) for name, parts in wanted.items()]
    needed = {"numpy": {name for text in functions for name in _numpy_names(text)}}
    if f.graph.is_smooth():
        functions.append(FUNCTION + (HESS if hessian else ""))
    else:
        more, text = source([Evaluator], {"value", "grad", *(["hess"] if hessian else [])})
        needed |= more
        functions += [text, SINGULAR + ("\n    _hess = staticmethod(hessian)\n" if hessian else "")]
    return needed, "\n\n".join([*functions, "f = Function()\n"])


def broken(code: str) -> str:
    """The code of a formula with its long lines broken."""
    return "".join(f"{folded(line, formula=True)}\n" for line in code.splitlines())


def folded(line: str, formula: bool = False) -> str:
    """A line that is too long, broken in its brackets; a formula gets such first."""
    if len(line) <= WIDTH:
        return line
    if formula:
        line = re.sub("( = |return )(.*)", r"\1(\2)", line, count=1)
    return textwrap.fill(line, WIDTH, subsequent_indent=" " * 8, break_long_words=False)


def _numpy_names(code):
    """The functions and constants that the code of a formula has from NumPy."""
    names = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)]
    own = {"x", "y", *dir(builtins), *(n.id for n in names if isinstance(n.ctx, ast.Store))}
    return {n.id for n in names} - own


def parts_of(segment):
    """An optimizer, all that it is wrapped around, and the schedules."""
    yield from chain(segment.optimizer)
    yield from (segment.schedule or {}).values()


def _calls(name, config: OptimizerConfig, path, forked):
    """The lines that run a configuration from the start that all share, and from its own points."""
    yield _call(path, forked, f"show({quoted(name)}, ")
    if config.initial_points:
        lines = _call(path, forked, f"show({numbered(name)}, ", "point")
        yield from_each_point(config, lines)


def numbered(name: str) -> str:
    """The source of a name with the number `i` of an initial point."""
    return f"f{quoted(name + ' @{i}')}"


def from_each_point(config: OptimizerConfig, lines: list[str]) -> list[str]:
    """The lines for every one of a configuration's initial points, `point`."""
    points = f"{constructed(config.initial_points.build(INITIAL_POINTS))}.points(start, domain)"
    return [f"for i, point in enumerate({points}, 1):", *(f"    {line}" for line in lines)]


def _call(path, forked, show, start=""):
    begin = f", [{start}]" if start else ""
    lines = []
    for i, (segment, warm) in enumerate(zip(path.segments, path.warm_started, strict=True)):
        lines += made(segment.optimizer)
        arguments = "opt" + (", path" if i else begin) + (", state=state" if warm else "")
        if segment.schedule:
            factors = (f"{quoted(key)}: {constructed(s)}" for key, s in segment.schedule.items())
            arguments += f", schedules={{{', '.join(factors)}}}"
        if i + 1 < len(path.segments):
            arguments += f", until={path.segments[i + 1].step}"
        if forked:
            lines.append(f"path, state = minimize({arguments})")
    return [*lines, f"{show}{'path' if forked else f'minimize({arguments})'})"]


def made(opt) -> list[str]:
    """The lines that make an optimizer, innermost first."""
    inner = getattr(opt, "inner", None)
    lines = [] if inner is None else made(inner)
    return [*lines, f"opt = {constructed(opt, *['opt'] * bool(lines))}"]


def _loop(noisy, scheduled, forked):
    """The loop, with no more than the scene needs."""
    more = (", until=steps, state=None" if forked else "") + (", schedules={}" if scheduled else "")
    said = ", and the optimizer's state at its end" if forked else ""
    lines = [
        f"def minimize(opt, path=(start,){more}):",
        f'    """The points of a path, one more for each step{said}."""',
        "    path = [np.array(x) for x in path]",
        "    x = path[-1]",
        f"    state = opt.init(x){' if state is None else state' * forked}",
        f"    for t in range({'len(path) - 1, until' if forked else 'steps'}):",
    ]
    if scheduled:
        lines += [
            "        now = opt",
            "        for name, factor in schedules.items():",
            "            now = now.scaled(name, factor(t))",
        ]
    lines += [
        f"        x, state = {'now' if scheduled else 'opt'}.step("
        f"{'Noisy(f, noise[t])' if noisy else 'f'}, x, state)",
        "        path.append(x)",
        f"    return path{', state' * forked}",
    ]
    return "\n".join(lines) + "\n"


NUMPY = {"numpy as np": {""}}
SILENT = 'np.seterr(all="ignore")  # what leaves the finite numbers ends as nan\n'
FUNCTION = '''\
class Function:
    """What an optimizer may ask of f at a point x of shape (2,)."""

    def value(self, x, where=None):
        return value(*x)

    def grad(self, x, where=None):
        return np.array(gradient(*x))
'''
HESS = """
    def hess(self, x, where=None):
        xx, xy, yy = hessian(*x)
        return np.array([[xx, xy], [xy, yy]])
"""
SINGULAR = '''\
class Function(Evaluator):
    """The formula above, with the limit where it gives 0/0."""

    smooth = False
    _value = staticmethod(value)
    _grad = staticmethod(gradient)

    def value(self, x, where=None):
        return super().value(x)

    def grad(self, x, where=None):
        return super().grad(x)
'''
NOISY = '''\
class Noisy:
    """f with noise on its gradient."""

    def __init__(self, f, noise):
        self.f, self.noise = f, noise

    def grad(self, x, where=None):
        return self.f.grad(x, where) + self.noise

    def __getattr__(self, name):
        return getattr(self.f, name)
'''
SHOW = '''\
def show(name, path):
    """Print where a path ends."""
    losses = [f.value(x) for x in path]
    finite = np.isfinite(losses).all() and np.isfinite(path).all()
    x, y, loss = map(float, (*path[-1], losses[-1]) if finite else [np.nan] * 3)
    print(f"{name}: x = {x!r}, y = {y!r}, loss = {loss!r}")
'''
