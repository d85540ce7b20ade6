"""A scene in PyTorch: autograd derives the formula, torch.optim has the optimizers."""

from optviz.experiments.trajectories.spec import Scene
from optviz.functions.graph import Graph
from optviz.optim.config import OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.shell.export import write
from optviz.shell.export.python_script import (
    break_lines,
    from_each_point,
    numbered_name,
    setting,
    signed,
    title,
)
from optviz.shell.export.source import source


def not_in_torch(scene: Scene) -> list[str]:
    """The names of optimizers that torch.optim does not have with the same numbers."""
    named = zip(scene.names, scene.optimizers, strict=True)
    return [name for name, config in named if not constructor(config)]


def torch_script(scene: Scene, link: str = "") -> str:
    """The scene as a program in PyTorch: a line for each path, the same numbers up to rounding.

    ValueError for a scene with a name in `not_in_torch`, FormulaError where the formula is refused.
    """
    if missing := not_in_torch(scene):
        raise ValueError(f"torch.optim has no {', '.join(missing)}")
    f = scene.objective.f
    (settings, shared), noisy = setting(scene), bool(scene.objective.noise)
    schedules = [s for config in scene.optimizers for s in config.built_schedules().values()]
    used = schedules + shared
    needed, definitions = source(map(type, used), {"points", "draw"})
    imports = write.import_lines(needed | {("torch", "")} | (write.NUMPY if used else set()))
    searched = any(constructor(config).startswith("LBFGS") for config in scene.optimizers)
    calls = [
        "\n".join(lines)
        for name, config in zip(scene.names, scene.optimizers, strict=True)
        for lines in _calls(name, config)
    ]
    needs = "PyTorch 2 and NumPy" if used else "PyTorch 2"
    parts = [
        f"{write.header(title(f), needs, link)}\n{imports}\n{DOUBLE}",
        formula_source(f.graph),
        definitions,
        settings + ("noise = torch.from_numpy(noise)\n" if noisy else ""),
        _loop(noisy, bool(schedules), searched),
        signed(SHOW, f),
    ]
    return "\n\n".join(filter(None, parts)) + "\n\n" + "\n\n".join(calls) + "\n"


def formula_source(graph: Graph) -> str:
    """The formula as a function of the tensors x and y."""
    first, *lines = graph.function("f", [graph.root], torch=True).splitlines(keepends=True)
    if graph.parts[graph.root][0] == "number":
        lines[-1] = lines[-1].rstrip() + " + 0*x\n"  # a tensor in any case
    return break_lines("".join([first, *([] if graph.is_smooth() else [LIMITS]), *lines]))


def constructor(config: OptimizerConfig) -> str:
    """The call that makes the optimizer in torch.optim; empty where none has the same numbers."""
    segments = config.segments()
    opt = segments[0].optimizer
    has_torch = len(segments) == 1 and getattr(opt, "torch", None)
    # torch.optim keeps the rate out of the velocity, which makes a difference when it changes
    inside = {"momentum"} & {k.name for k in hyperparameters(type(opt))}
    if not has_torch or (config.schedules and (inside or [*config.schedules] != ["lr"])):
        return ""
    return opt.torch() or ""


def _calls(name, config):
    """The lines that run a configuration from the start that all share, and from its own points."""
    opt = config.build()
    kind, _, values = constructor(config).partition("([p], ")
    arguments = [f"torch.optim.{kind}", values.removesuffix(")")]
    arguments += [f"schedule={write.call(s)}" for s in config.built_schedules().values()]
    lines = [f"p, opt = minimize({', '.join(arguments)})", f"show({write.quote(name)}, p)"]
    if opt.torch_x:
        note = "# torch.optim keeps the point where it asks for the gradient; this is the iterate"
        lines[1:1] = [note, f"p = {opt.torch_x()}"]
    yield [write.fold(line) for line in lines]
    if config.initial_points:
        lines[0] = f"p, opt = minimize({', '.join([*arguments, 'point=point'])})"
        lines[-1] = f"show({numbered_name(name)}, p)"
        yield [write.fold(line) for line in from_each_point(config, lines)]


def _loop(noisy, scheduled, searched):
    """The loop, with no more than the scene needs."""
    parameters = f"method, point=start{', schedule=lambda t: 1.0' * scheduled}, **hyperparameters"
    lines = [
        f"def minimize({parameters}):",
        '    """The last point and the optimizer; a path ends where it is not finite any more."""',
        "    p = torch.tensor(point, requires_grad=True)",
        "    opt = method([p], **hyperparameters)",
    ]
    if scheduled:
        lines.append("    rate = torch.optim.lr_scheduler.LambdaLR(opt, schedule)")
    closure = [
        "    opt.zero_grad()",
        "    loss = f(*p)",
        "    if loss.isfinite():",
        "        loss.backward()",
        *["        p.grad += noise[t]"] * noisy,
    ]
    if searched:  # torch.optim's search stops at nan, but can turn back from what is too high
        closure += [
            "    else:",
            "        p.grad, loss = torch.full_like(p, torch.nan), torch.tensor(torch.inf)",
            "    return loss",
        ]
        lines += ["", "    def closure(t):", *(f"    {line}" for line in closure), ""]
        closure = ["    loss = closure(t)"]
    lines += [
        "    for t in range(steps):",
        *[f"    {line}" for line in closure],
        "        if not loss.isfinite():",
        "            break",
        f"        opt.step({'lambda t=t: closure(t)' * searched})",
        *["        rate.step()"] * scheduled,
        "    return p, opt",
    ]
    return "\n".join(lines) + "\n"


DOUBLE = "torch.set_default_dtype(torch.float64)\n"
LIMITS = "    # where this or its slope is 0/0, optviz takes the limit; autograd does not\n"
SHOW = '''\
def show(name, p):
    """Print where a path ends."""
    x, y = p.tolist()
    print(f"{name}: x = {x!r}, y = {y!r}, loss = {f(*p).item()!r}")
'''
