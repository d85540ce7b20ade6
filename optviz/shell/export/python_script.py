"""A scene as a Python script that stands alone: the source that ran, and the same numbers."""

import ast
import builtins

from optviz.experiments.trajectories.run import run
from optviz.experiments.trajectories.spec import TYPED, Scene
from optviz.functions.evaluate import Evaluator
from optviz.functions.library import Function
from optviz.optim.config import OptimizerConfig
from optviz.optim.initial_points import INITIAL_POINTS, InitialPoints
from optviz.optim.noise import NOISES, Noise
from optviz.shell.export import write
from optviz.shell.export.source import parts_of, source


def python_script(scene: Scene, link: str = "") -> str:
    """The scene as a program: one line for each path with its last x, y and loss, to the last bit.

    `link` is the address of the scene. FormulaError where the formula is refused.
    """
    objective, f = scene.objective, scene.objective.f
    paths = [run(objective, config) for config in scene.optimizers]
    segments = [segment for path in paths for segment in path.segments]
    settings, shared = setting(scene)
    noisy, scheduled = bool(objective.noise), any(segment.schedule for segment in segments)
    forked = any(len(path.segments) > 1 for path in paths)

    used = [part for segment in segments for part in parts_of(segment)] + shared
    members = {"init", "step", "points", "draw"} | ({"scaled"} if scheduled else set())
    needed, definitions = source(map(type, used), members)
    evaluator, formula = formula_source(f, hessian=".hess(" in definitions)
    calls = [
        "\n".join(lines)
        for name, config, path in zip(scene.names, scene.optimizers, paths, strict=True)
        for lines in _calls(name, config, path, forked)
    ]
    imports = write.import_lines(needed | evaluator | write.NUMPY)
    parts = [
        f"{write.header(title(f), 'NumPy 2', link)}\n{imports}\n{write.SILENT}",
        formula,
        NOISY if noisy else "",
        definitions,
        settings,
        _loop(noisy, scheduled, forked),
        signed(SHOW, f),
    ]
    return "\n\n".join(filter(None, parts)) + "\n\n" + "\n\n".join(calls) + "\n"


def title(f: Function) -> str:
    """What the script shows, in a line."""
    name = "" if f.key == TYPED else f"“{f.name}”, "
    most = ", at its maximum: what is minimized below is −f" if f.sign < 0 else ""
    return f"Where optimizers end on {name}f(x, y) = {' '.join(f.formula.split())}{most}"


def signed(show: str, f: Function) -> str:
    """`show`, with the sign turned where the function is maximized."""
    return show.replace("loss = {", "f = {-") if f.sign < 0 else show


def setting(scene: Scene) -> tuple[str, list[InitialPoints | Noise]]:
    """What all paths share, as source, and the objects that it and initial points are made from."""
    objective = scene.objective
    lines = [f"start, steps = {tuple(map(float, objective.start))!r}, {int(objective.steps)}"]
    points = [config.initial_points for config in scene.optimizers if config.initial_points]
    things = [layout.build(INITIAL_POINTS) for layout in points]
    if points:
        lines.append(f"domain = {tuple(tuple(map(float, side)) for side in objective.f.domain)!r}")
    if objective.noise:
        noise = objective.noise.build(NOISES)
        rng = f"np.random.default_rng({int(objective.seed)})"
        lines.append(f"noise = {write.call(noise)}")
        lines.append(f"noise = noise.scale * noise.draw({rng}, (steps, 2))")
        things.append(noise)
    return "".join(f"{line}\n" for line in lines), things


def formula_source(f: Function, hessian: bool) -> tuple[write.Imports, str]:
    """Imports and source of a function: value, gradient, Hessian, and a class of them."""
    outputs = {"value": (f.graph.root,), "gradient": f.graph.gradient()}
    if hessian:
        outputs["hessian"] = f.graph.hessian()
    functions = [break_lines(f.graph.function(name, parts)) for name, parts in outputs.items()]
    needed = {("numpy", name) for text in functions for name in _numpy_names(text)}
    if f.graph.is_smooth():
        functions.append(FUNCTION + (HESS if hessian else ""))
    else:
        imports, text = source([Evaluator], {"value", "grad", *(["hess"] if hessian else [])})
        needed |= imports
        functions += [text, SINGULAR + ("\n    _hess = staticmethod(hessian)\n" if hessian else "")]
    return needed, "\n\n".join([*functions, "f = Function()\n"])


def break_lines(code: str) -> str:
    """Break the long lines of a formula's code."""
    return "".join(f"{write.fold(line, formula=True)}\n" for line in code.splitlines())


def _numpy_names(code):
    """The functions and constants that the code of a formula has from NumPy."""
    names = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name)]
    known = {"x", "y", *dir(builtins), *(n.id for n in names if isinstance(n.ctx, ast.Store))}
    return {n.id for n in names} - known


def _calls(name, config: OptimizerConfig, path, forked):
    """The lines that run a configuration from the start that all share, and from its own points."""
    yield _call(path, forked, f"show({write.quote(name)}, ")
    if config.initial_points:
        lines = _call(path, forked, f"show({numbered_name(name)}, ", "point")
        yield from_each_point(config, lines)


def numbered_name(name: str) -> str:
    """The source of a name with the number `i` of an initial point."""
    return f"f{write.quote(name + ' @{i}')}"


def from_each_point(config: OptimizerConfig, lines: list[str]) -> list[str]:
    """The lines for every one of a configuration's initial points, `point`."""
    points = f"{write.call(config.initial_points.build(INITIAL_POINTS))}.points(start, domain)"
    return [f"for i, point in enumerate({points}, 1):", *(f"    {line}" for line in lines)]


def _call(path, forked, show, start=""):
    begin = f", [{start}]" if start else ""
    lines = []
    for i, (segment, warm) in enumerate(zip(path.segments, path.warm_started, strict=True)):
        lines += write.optimizer(segment.optimizer)
        arguments = "opt" + (", path" if i else begin) + (", state=state" if warm else "")
        if segment.schedule:
            arguments += f", schedules={write.schedules(segment.schedule)}"
        if i + 1 < len(path.segments):
            arguments += f", until={path.segments[i + 1].step}"
        if forked:
            lines.append(f"path, state = minimize({arguments})")
    return [*lines, f"{show}{'path' if forked else f'minimize({arguments})'})"]


def _loop(noisy, scheduled, forked):
    """The loop, with no more than the scene needs."""
    extra = (", until=steps, state=None" if forked else "") + (", schedules={}" * scheduled)
    result = ", and the optimizer's state at its end" if forked else ""
    lines = [
        f"def minimize(opt, path=(start,){extra}):",
        f'    """The points of a path, one more for each step{result}."""',
        "    path = [np.array(x) for x in path]",
        "    x = path[-1]",
        f"    state = opt.init(x){' if state is None else state' * forked}",
        f"    for t in range({'len(path) - 1, until' if forked else 'steps'}):",
    ]
    if scheduled:
        lines += [
            "        scaled = opt",
            "        for name, factor in schedules.items():",
            "            scaled = scaled.scaled(name, factor(t))",
        ]
    lines += [
        f"        x, state = {'scaled' if scheduled else 'opt'}.step("
        f"{'Noisy(f, noise[t])' if noisy else 'f'}, x, state)",
        "        path.append(x)",
        f"    return path{', state' * forked}",
    ]
    return "\n".join(lines) + "\n"


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
