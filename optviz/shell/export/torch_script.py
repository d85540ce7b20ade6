"""A scene as a script in PyTorch that stands on its own.

A method that torch.optim has is taken from there. Any other is our own source, in which only the names of
NumPy's functions are exchanged for PyTorch's: what runs there is what runs here.
"""

import ast
import inspect
import math
import re
import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import accumulate
from textwrap import dedent

from optviz.experiments.trajectories import spec as trajectories
from optviz.experiments.trajectories.spec import NO_NOISE, Objective, Scene
from optviz.functions.parse import _TYPED, ALIASES
from optviz.functions.symbolic import is_smooth
from optviz.optim import WRAPPERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import Configurable, sentence
from optviz.optim.initial_points import INITIAL_POINTS, InitialPoints
from optviz.optim.noise import NOISES
from optviz.optim.schedules import Schedule
from optviz.shell.export.script import (
    Brackets,
    a_dict,
    call,
    distinct,
    quoted,
    setting,
    values,
    written,
)


class Untranslatable(ValueError):
    """What of our source has no counterpart here."""


def torch_script(scene: Scene) -> str:
    """The scene in PyTorch: one line for each path with its last x, y and loss. Never raises.

    A optimizer that cannot be written is a comment that says why.
    """
    try:
        return _whole(scene)
    except Exception as error:
        return _comment(f"This scene cannot be written in PyTorch: {error}")


def _whole(scene):
    f, configs, missing = _function(scene.objective), {}, []
    for name, config in zip(distinct(scene.names), scene.optimizers, strict=True):
        try:
            configs[name] = _Config(scene.objective, config)
        except Exception as error:  # whatever it is that someone's own optimizer holds
            missing.append(_comment(f"{name} is missing, for it cannot be written in PyTorch: {error}"))
    return _script(scene.objective, f, configs, missing)


def _comment(text):
    return "# " + "".join(c if c.isprintable() else " " for c in text) + "\n"


class _Config:
    """A optimizer as an expression, and the classes of ours that it needs."""

    def __init__(self, objective: Objective, config: OptimizerConfig):
        self.segments, self.kept = config.segments(), [False]
        if len(self.segments) > 1:
            ran = trajectories.run(objective, config)
            self.segments, self.kept = ran.segments, ran.warm_started
        self.forked = len(self.segments) > 1
        self.scheduled = any(segment.schedule for segment in self.segments)
        self.initial_points = config.initial_points and config.initial_points.build(INITIAL_POINTS)
        opt = self.segments[0].optimizer
        self.torch = not self.forked and not self.scheduled and getattr(opt, "torch", None) and opt.torch()
        self.torch_x = self.torch and opt.torch_x and opt.torch_x()
        ours = [] if self.torch else [c for segment in self.segments for c in _classes(segment)]
        self.classes = [*([type(self.initial_points)] if self.initial_points else []), *ours]
        _definitions(self.classes, self.scheduled)  # what is Untranslatable is to be found out here, one by one

    def call(self, forked: bool, start: str | None = None) -> Brackets:
        """The call that runs it, in a script with or without forks."""
        if self.torch:
            x = f"lambda p, opt: {self.torch_x}" if self.torch_x else None
            return call("run", f"lambda p: torch.optim.{self.torch}", x=x, start=start)
        if forked:
            return call("follow", *map(_leg, self.segments, self.kept), start=start)
        [(_, opt, schedules)] = self.segments
        return call("follow", _made(opt), schedules=_schedules(schedules) if schedules else None, start=start)


def _classes(segment):
    opt = segment.optimizer
    while opt is not None:
        yield type(opt)
        opt = getattr(opt, "inner", None)
    yield from (type(schedule) for schedule in (segment.schedule or {}).values())


def _leg(segment, keeps):
    schedules = _schedules(segment.schedule or {})
    return call("", repr(int(segment.step)), _made(segment.optimizer), schedules, repr(bool(keeps)))


def _schedules(schedules):
    return a_dict({name: _made(schedule) for name, schedule in schedules.items()})


def _made(thing):
    inside = [_made(thing.inner)] if WRAPPERS.get(getattr(thing, "key", None)) is type(thing) else []
    return call(type(thing).__name__, *inside, **values(thing))


# The formula


def _function(objective: Objective) -> str:
    f = objective.f
    return f"def f(x, y):\n{'' if is_smooth(f.expr) else _HOLES}    return {torch_formula(f.formula)}\n"


_HOLES = "    # where this or its slope comes out as 0/0, optviz takes the limit; autograd does not\n"


def torch_formula(text: str) -> str:
    """A formula that has been read by `parse_formula`, as its author wrote it, on PyTorch's tensors."""
    for typed, meant in _TYPED.items():
        text = text.replace(typed, meant)
    edited = Edited(" ".join(text.split()))

    def constant(node):
        return not any(isinstance(n, ast.Name) and n.id in ("x", "y") for n in ast.walk(node))

    for node in ast.walk(edited.tree):
        match node:
            case ast.Name(id="pi" | "e"):
                edited.replace(node, f"math.{node.id}")
            case ast.Call(func=ast.Name(id=name), args=args):
                name = ALIASES.get(name, name)
                fixed = constant(node) and name != "sign"
                known = f"math.{name}" if hasattr(math, name) else name  # abs, min and max are Python's own
                edited.replace(node.func, known if fixed else f"torch.{_FORMULA.get(name, name)}")
                for arg in args if not fixed else ():
                    if isinstance(arg, ast.Constant):
                        edited.replace(arg, f"torch.tensor({float(arg.value)!r})")
                    elif constant(arg):
                        edited.wrap(arg, "torch.tensor(1.0*(", "))")
    return str(edited) if not constant(edited.tree) else f"{edited} + 0*x"  # a tensor in any case


_FORMULA = {"min": "minimum", "max": "maximum"}


# Our own source


class Edited:
    """A piece of Python and its tree. What is put in place of a node leaves all around it as it was written."""

    def __init__(self, text: str):
        self.bytes = text.encode()  # the tree counts in them
        self.tree = ast.parse(text)
        self.lines = [0, *accumulate(len(line) for line in self.bytes.splitlines(keepends=True))]
        self.edits: list[tuple[int, int, str]] = []

    def start(self, node) -> int:
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node) -> int:
        return self.lines[node.end_lineno - 1] + node.end_col_offset

    def put(self, start: int, end: int, new: str) -> None:
        self.edits.append((start, end, new))

    def replace(self, node, new: str) -> None:
        self.put(self.start(node), self.end(node), new)

    def wrap(self, node, before: str, after: str = ")") -> None:
        self.put(self.start(node), self.start(node), before)
        self.put(self.end(node), self.end(node), after)

    def between(self, start: int, end: int) -> str:
        """The edited text of a stretch of the original."""
        out, last = self.bytes[start:end], end
        for a, b, new in sorted(self.edits, key=lambda e: e[:2], reverse=True):
            if start <= a and b <= end:
                if b > last:
                    raise Untranslatable(f"{self.bytes[a:b].decode()!r} is to be exchanged twice")
                out, last = out[: a - start] + new.encode() + out[b - start :], a
        return out.decode()

    def __str__(self):
        return self.between(0, len(self.bytes))


def _in_torch(edited: Edited) -> None:
    """Put PyTorch's names in the place of NumPy's; numbers become tensors where it takes no numbers."""
    for node in ast.walk(edited.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="subtract" | "power" as name), args=[a, b]):
                edited.replace(node.func, "")
                edited.put(edited.end(a), edited.start(b), " - " if name == "subtract" else " ** ")
                for operand in (a, b):
                    if not isinstance(operand, ast.Constant | ast.Name | ast.Attribute | ast.Subscript):
                        edited.wrap(operand, "(")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="float64"), args=[ast.Constant(value=n)]):
                edited.replace(node, f"torch.tensor({float(n)!r})")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="maximum" | "minimum"), args=args):
                for arg in args:
                    if isinstance(arg, ast.Constant):
                        edited.wrap(arg, "torch.tensor(")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="broadcast_to"), args=[ast.Name() as a, _]):
                edited.wrap(a, "torch.as_tensor(")
            case ast.Call(func=ast.Attribute(value=value, attr="astype"), args=[ast.Name(id="float")]):
                edited.put(edited.end(value), edited.end(node), ".double()")
            case ast.Call(func=ast.Attribute(value=value, attr="copy"), args=[]):
                edited.put(edited.end(value), edited.end(node), ".clone()")
            case ast.Call(func=ast.Attribute(value=value, attr="max" | "min" as name)):
                edited.put(edited.end(value), edited.end(node.func), f".a{name}")
            case ast.Call(func=ast.Attribute(attr="value"), args=[*_, x], keywords=[ast.keyword(arg="where") as where]):
                edited.put(edited.end(x), edited.end(where), "")  # it is for counting only
        match node:
            case ast.keyword(arg="keepdims"):
                edited.put(edited.start(node), edited.start(node) + len("keepdims"), "keepdim")
            case ast.Attribute(value=ast.Name(id="np"), attr="subtract" | "power" | "float64"):
                pass
            case ast.Attribute(value=ast.Name(id="np") as np, attr=name):
                if name not in _SHARED and name != "vecdot":
                    raise Untranslatable(f"np.{name} is not known to have a counterpart")
                edited.replace(np, "torch.linalg" if name == "vecdot" else "torch")


# Names with the same meaning in both, for what our methods do with them.
_SHARED = {
    "abs", "sign", "sqrt", "exp", "log", "sin", "cos", "tanh", "maximum", "minimum", "where", "isfinite", "isnan", "isinf",
    "zeros", "ones", "eye", "zeros_like", "ones_like", "full_like", "concatenate", "stack", "swapaxes", "broadcast_to",
    "linalg", "inf", "nan",
}  # fmt: skip


def _in_numbers(edited: Edited) -> None:
    """A schedule needs no arrays."""
    for node in ast.walk(edited.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="np"), attr="float64"):
                edited.replace(node, "float")
            case ast.Attribute(value=ast.Name(id="np") as np, attr=name):
                if not hasattr(math, name):
                    raise Untranslatable(f"np.{name} is not known to have a counterpart")
                edited.replace(np, "math")


def _definitions(classes: Iterable[type], scheduled: bool) -> list[str]:
    """The source of the classes and of all that they use of ours, every piece before those that need it."""
    methods = {"__init__", "__call__", "init", "step", "points"} | ({"scaled"} if scheduled else set())
    while True:
        found: dict[object, str] = {}
        called = set(methods)
        for cls in classes:
            _collect(cls, methods, found, called)
        if called <= methods:
            break
        methods |= called
    names = [thing.__name__ for thing in found]
    if clashes := {n for n in names if names.count(n) > 1 or n in _OURS}:
        raise Untranslatable(f"{', '.join(sorted(clashes))} stands for several things")
    return [*found.values()]


_OURS = {"f", "run", "follow", "Oracle", "noise", "start", "steps", "domain", "ends", "np", "math", "torch"}


def _collect(thing, methods: set, found: dict, called: set) -> None:
    """Put the source of a class or function into `found`, after that of what it uses."""
    if thing in found or thing is Configurable:
        return
    edited = _translated(thing)
    node = edited.tree.body[0]
    parts = [*_kept(thing, node, methods)] if isinstance(node, ast.ClassDef) else [node]
    used = [n for part in parts for n in ast.walk(part)]
    called |= {n.attr for n in used if isinstance(n, ast.Attribute)}
    names = {n.id for n in used if isinstance(n, ast.Name)} | {b.id for b in getattr(node, "bases", []) if _is_name(b)}
    there = vars(sys.modules[thing.__module__])
    for other in (there.get(name) for name in sorted(names)):
        ours = getattr(other, "__module__", "").partition(".")[0] in ("optviz", thing.__module__.partition(".")[0])
        if ours and other is not thing and (inspect.isclass(other) or inspect.isfunction(other)):
            _collect(other, methods, found, called)
    if isinstance(node, ast.ClassDef):
        bases = [b.id for b in node.bases if _is_name(b) and there.get(b.id) in found]
        if parts or bases:
            found[thing] = _class(thing, edited, parts, bases)
    else:
        found[thing] = _lines(edited, node)


def _is_name(node):
    return isinstance(node, ast.Name)


@cache
def _translated(thing) -> Edited:
    """The source of a class or function with other names in it; starts are laid out with NumPy there, too."""
    edited = Edited(dedent(inspect.getsource(thing)))
    bases = inspect.getmro(thing) if inspect.isclass(thing) else ()
    if Schedule in bases:
        _in_numbers(edited)
    elif InitialPoints not in bases:
        _in_torch(edited)
    return edited


def _kept(cls, node, methods):
    """The fields of a class, and those of its methods that are asked for."""
    own = {f.name for f in fields(cls)} if is_dataclass(cls) else set()
    for part in node.body:
        match part:
            case ast.AnnAssign(target=ast.Name(id=name)) if name in own:
                yield ast.AnnAssign(part.target, part.annotation, simple=1)
            case ast.FunctionDef(name=name) if name in methods and not isinstance(part.body[-1], ast.Raise):
                yield part


def _class(cls, edited, parts, bases):
    head = f"class {cls.__name__}{'(' * bool(bases)}{', '.join(bases)}{')' * bool(bases)}:"
    held = [f"    {ast.unparse(part)}" for part in parts if isinstance(part, ast.AnnAssign)]
    does = [_lines(edited, part) for part in parts if isinstance(part, ast.FunctionDef)]
    said = [f'    """{sentence(cls)}"""\n'] if ast.get_docstring(edited.tree.body[0]) else []
    text = "\n".join([head, *said, *held, *[""] * bool(held and does), "\n".join(does)])
    return ("@dataclass\n" if is_dataclass(cls) else "") + text.rstrip() + "\n"


def _lines(edited, node):
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return edited.between(edited.lines[first - 1], edited.end(node)) + "\n"


# The script


def _script(objective: Objective, f: str, configs: dict[str, _Config], missing: list[str]) -> str:
    all_of = configs.values()
    scheduled, forked = any(r.scheduled for r in all_of), any(r.forked for r in all_of)
    ours = _definitions(dict.fromkeys(c for r in all_of for c in r.classes), scheduled)
    text = "\n".join(ours)
    facts = {
        "noise": objective.noise.key != NO_NOISE,
        "closure": any(r.torch and r.torch.startswith("LBFGS") for r in all_of),
        "elsewhere": any(r.torch_x for r in all_of),
        "scheduled": scheduled,
        "forked": forked,
        "plain": not scheduled and not forked,
        "scheduled only": scheduled and not forked,
        "values": re.search(r"\.value\b", text) is not None,
        "hessians": re.search(r"\.hess\b", text) is not None,
    }
    top = [*setting(objective), *_noise(objective), *_domain(objective, configs)]
    parts = [f]
    if any(r.torch for r in all_of):
        parts.append(_fitted(_RUN, facts))
    if any(not r.torch for r in all_of):
        parts += [_fitted(_ORACLE, facts), *ours, _fitted(_FOLLOW, facts)]
    else:
        parts += ours
    ends = written(a_dict({name: r.call(forked) for name, r in configs.items()}), "ends = ")
    body = "\n\n".join([*parts, "\n".join([ends, *_fans(configs, forked), "".join(missing)]) + _PRINT])
    head = _imports("\n".join([*top, body]))
    return "\n".join([_DOC, "", *head, "", "torch.set_default_dtype(torch.float64)", "", *top, "", "", body])


def _imports(code):
    own = ["import math"] * ("math." in code)
    if "@dataclass" in code:
        own.append(f"from dataclasses import dataclass{', replace' * ('replace(' in code)}")
    return [*own, *[""] * bool(own), *["import numpy as np"] * ("np." in code), "import torch"]


def _noise(objective):
    if objective.noise.key == NO_NOISE:
        return []
    noise = objective.noise.build(NOISES)
    tree = ast.parse(dedent(inspect.getsource(noise.draw)))
    [drawn] = [ast.unparse(node.value) for node in ast.walk(tree) if isinstance(node, ast.Return)]
    return [
        f"rng, shape = np.random.default_rng({int(objective.seed)!r}), (steps, 2)",
        f"noise = torch.from_numpy({float(noise.scale)!r} * {drawn})",
    ]


def _domain(objective, configs):
    if not any(r.initial_points for r in configs.values()):
        return []
    return [f"domain = {tuple(tuple(map(float, side)) for side in objective.f.domain)!r}"]


def _fans(configs, forked):
    for name, r in configs.items():
        if r.initial_points:
            yield f"for i, point in enumerate({written(_made(r.initial_points))}.points(start, domain).tolist(), 1):"
            yield written(r.call(forked, "point"), f"    ends[{quoted(name + ' @')} + str(i)] = ", "    ")


def _fitted(template: str, facts: dict[str, bool]) -> str:
    """A template without the lines that say, at their end, that they are for other scenes."""
    kept = []
    for line in template.strip().splitlines():
        code, _, fact = line.partition("  #: ")
        if not fact or facts[fact.removeprefix("not ")] != fact.startswith("not "):
            kept.append(code)
    return "\n".join(kept) + "\n"


_DOC = '"""Where each optimizer ends, in PyTorch: the numbers of optviz up to rounding."""'
_RUN = '''
def run(method, start=start):  #: not elsewhere
def run(method, x=lambda p, opt: p, start=start):  #: elsewhere
    """The last point of a method of torch.optim; what leaves the finite numbers ends there."""
    p = torch.tensor(start, requires_grad=True)
    opt = method(p)
    for t in range(steps):
        opt.zero_grad()
        loss = f(*p)
        if not loss.isfinite():
            break
        loss.backward()
        p.grad += noise[t]  #: noise
        opt.step()  #: not closure
        opt.step(lambda: loss)  # L-BFGS asks for a function of the loss  #: closure
    return p.detach()  #: not elsewhere
    return x(p, opt).detach()  #: elsewhere
'''
_ORACLE = '''
class Oracle:
    """What a method may ask of f."""

    def __init__(self, noise):  #: noise
        self.noise = noise  #: noise
  #: noise
    def grad(self, x):
        p = x.detach().requires_grad_()
        return torch.autograd.grad(f(*p), p)[0]  #: not noise
        return torch.autograd.grad(f(*p), p)[0] + self.noise  #: noise
  #: values
    def value(self, x):  #: values
        return f(*x)  #: values
  #: hessians
    def hess(self, x):  #: hessians
        return torch.autograd.functional.hessian(lambda p: f(*p), x)  #: hessians
'''
_FOLLOW = '''
def follow(opt, start=start):  #: plain
def follow(opt, schedules={}, start=start):  #: scheduled only
def follow(*segments, start=start):  #: forked
    """The last point of a method that is written out; what leaves the finite numbers ends there."""  #: not forked
    """The last point; what leaves the finite numbers ends there.  #: forked
  #: forked
    A segment is its first step, a method, schedules of its hyperparameters, and whether it keeps the state that it finds.  #: forked
    """  #: forked
    x = torch.tensor(start)
    state = opt.init(x)  #: not forked
    for t in range(steps):
        if not f(*x).isfinite():
            break
        for begin, method, factors, keeps in segments:  #: forked
            if begin == t:  #: forked
                opt, schedules = method, factors  #: forked
                state = state if keeps else opt.init(x)  #: forked
        now = opt  #: scheduled
        for hyperparameter, factor in schedules.items():  #: scheduled
            now = now.scaled(hyperparameter, factor(t))  #: scheduled
        oracle = Oracle(noise[t])  #: noise
        oracle = Oracle()  #: not noise
        x, state = now.step(oracle, x, state)  #: scheduled
        x, state = opt.step(oracle, x, state)  #: not scheduled
    return x
'''
_PRINT = """
for name, p in ends.items():
    x, y = p.tolist()
    print(f"{name}: x = {x!r}, y = {y!r}, loss = {f(*p).item()!r}")
"""
