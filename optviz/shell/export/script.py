"""A scene as a short Python script on optviz's public names, which prints the very numbers of the page."""

from typing import NamedTuple

import optviz
from optviz.experiments.trajectories.spec import (
    NO_NOISE,
    TYPED,
    Objective,
    Scene,
)
from optviz.optim import OPTIMIZERS
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.minimize import Segment
from optviz.optim.noise import NOISES

WIDTH = 100


class Brackets(NamedTuple):
    """An expression that can be broken over lines: a call, a list, a dict."""

    head: str
    items: list[tuple[str, "str | Brackets"]]  # what stands before an item ("lr=", '"SGD": '), and the item
    tail: str


def call(name: str, *args, **named) -> Brackets:
    """A call of `name`; named arguments that are None are left out."""
    named = [(f"{k}=", v) for k, v in named.items() if v is not None]
    return Brackets(f"{name}(", [*(("", a) for a in args), *named], ")")


def a_list(items) -> Brackets:
    return Brackets("[", [("", item) for item in items], "]")


def a_dict(items: dict) -> Brackets:
    """A dict whose keys are any texts."""
    return Brackets("{", [(f"{quoted(k)}: ", v) for k, v in items.items()], "}")


def written(node: str | Brackets, before: str = "", indent: str = "") -> str:
    """`before` and the expression on one line where that fits, else its items on one, else an item to a line."""
    if isinstance(node, str):
        return before + node
    flat, deeper = _flat(node), indent + "    "
    if len(indent + before + flat) < WIDTH:  # a comma may follow
        return before + flat
    inside = flat[len(node.head) : -len(node.tail)]
    if node.tail == ")" and len(deeper + inside) <= WIDTH:
        return f"{before}{node.head}\n{deeper}{inside}\n{indent}{node.tail}"
    rows = "".join(f"{deeper}{written(item, key, deeper)},\n" for key, item in node.items)
    return f"{before}{node.head}\n{rows}{indent}{node.tail}"


def _flat(node):
    if isinstance(node, str):
        return node
    return node.head + ", ".join(key + _flat(item) for key, item in node.items) + node.tail


def quoted(text: str) -> str:
    """The text as a Python literal, in double quotes where that takes no more than other quotes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def values(thing) -> dict[str, str]:
    """The hyperparameters of something as Python literals."""
    return {k.name: repr(k.kind(getattr(thing, k.name))) for k in hyperparameters(type(thing))}


def distinct(names: list[str]) -> list[str]:
    """The names, numbered where two are the same."""
    return names if len(set(names)) == len(names) else [f"{name} #{i}" for i, name in enumerate(names, 1)]


def python_script(scene: Scene) -> str:
    """The scene on optviz's public names: one line for each path with its last x, y and loss, to the last bit."""
    objective = scene.objective
    names = distinct(scene.names)
    runs = {name: _minimize(objective, config) for name, config in zip(names, scene.optimizers, strict=True)}
    where = "a formula" if objective.function == TYPED else f"“{optviz.FUNCTIONS[objective.function].name}”"
    body = "\n".join(
        [_function(objective), *setting(objective), *_noise(objective), "", written(a_dict(runs), "runs = "), ""]
    ) + (_PRINT_ALL if any(config.initial_points for config in scene.optimizers) else _PRINT)  # fmt: skip
    used = [name for name in optviz.__all__ if f"{name}[" in body or f"{name}(" in body]
    return f'"""Optimizers on {where}: where each of them ends."""\n\nfrom optviz import {", ".join(used)}\n\n{body}'


def setting(objective: Objective) -> list[str]:
    x, y = map(float, objective.start)
    return [f"start, steps = ({x!r}, {y!r}), {int(objective.steps)!r}"]


def _function(objective):
    if objective.function != TYPED:
        return f"f = FUNCTIONS[{quoted(objective.function)}]"
    domain = tuple((float(low), float(high)) for low, high in objective.domain)
    return written(call("parse_formula", quoted(objective.formula), domain=repr(domain)), "f = ")


def _noise(objective):
    """Nothing where nothing has to be said: a function without noise of its own has none unless it is given."""
    if objective.noise.key != NO_NOISE:
        return [f"noise, seed = {_flat(made('NOISES', objective.noise.build(NOISES)))}, {int(objective.seed)!r}"]
    if objective.function != TYPED and optviz.FUNCTIONS[objective.function].noise is not None:
        return ['noise = NOISES["uniform"](scale=0.0)  # the function has noise of its own, which is switched off']
    return []


def _minimize(objective, config: OptimizerConfig):
    (_, opt, schedules), *then = config.segments()
    start = "start"
    if config.initial_points:
        more = call(f"{_flat(made('STARTS', config.initial_points.build(INITIAL_POINTS)))}.points", "start", "f.domain")
        start = a_list(["start", f"*{_flat(more)}"])
    return call(
        "minimize", "f", _optimizer(opt), start, "steps",
        noise="noise" if _noise(objective) else None,
        schedule=_schedule(schedules),
        seed="seed" if objective.noise.key != NO_NOISE else None,
        then=a_list([_leg(segment) for segment in then]) if then else None,
    )  # fmt: skip


def _leg(segment: Segment):
    return call("Segment", repr(int(segment.step)), _optimizer(segment.optimizer), schedule=_schedule(segment.schedule))


def _schedule(schedules):
    """A schedule of the rate alone may stand without the rate's name."""
    if not schedules:
        return None
    made_of = {name: made("SCHEDULES", schedule) for name, schedule in schedules.items()}
    return made_of["lr"] if list(made_of) == ["lr"] else a_dict(made_of)


def _optimizer(opt):
    """Without the hyperparameters that stand as they do by default; but the rate is what everyone looks for."""
    if type(opt) is not OPTIMIZERS.get(opt.key):
        return made("WRAPPERS", opt, _optimizer(opt.inner))
    default = {k.name: repr(k.default) for k in hyperparameters(type(opt)) if k.name != "lr"}
    return call(_place("OPTIMIZERS", opt), **{k: v for k, v in values(opt).items() if default.get(k) != v})


def made(registry: str, thing, *inside) -> Brackets:
    """The expression that makes a thing of a registry, with all of its hyperparameters."""
    return call(_place(registry, thing), *inside, **values(thing))


def _place(registry, thing):
    return f"{registry}[{quoted(thing.key)}]"


_PRINT = """
for name, run in runs.items():
    x, y = run.points[-1].tolist()
    print(f"{name}: x = {x!r}, y = {y!r}, loss = {run.values[-1].item()!r}")
"""
_PRINT_ALL = """
for name, run in runs.items():
    ends = zip(run.points[-1].reshape(-1, 2).tolist(), run.values[-1].ravel().tolist())
    for i, ((x, y), loss) in enumerate(ends):
        label = f"{name} @{i}" if i else name
        print(f"{label}: x = {x!r}, y = {y!r}, loss = {loss!r}")
"""
