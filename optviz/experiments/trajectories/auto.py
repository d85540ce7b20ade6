"""Good rates: of one start, of theory, and those that stay the best while the start moves."""

from dataclasses import replace
from functools import partial

from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.spec import Scene
from optviz.experiments.trajectories.state import state
from optviz.optim import OPTIMIZERS
from optviz.optim.config import AUTO, OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.theory import curvatures
from optviz.plot import number
from optviz.translation import _
from optviz.ui.components import button
from optviz.ui.form import Form, select
from optviz.ui.training.optimizer_menu import chips


def good_rates(form: Form) -> None:
    """A click takes over the best rate from this start, or theory's; auto stays the best."""
    objective, method = form.read().objective, form.value.method
    best = runs.best_settings(objective, form.value)
    found = {_("Best rate from this start: {values}"): best} if best else {}
    known, theirs = curvatures(objective.f), f"best_{method.key}"
    if known and hasattr(known[0], theirs):
        *values, _factor = map(float, getattr(known[0], theirs))
        label = _("Best in the long run, in theory: {values}")
        found[label] = dict(zip(("lr", "momentum"), values, strict=False))
    for i, (label, settings) in enumerate(found.items()):
        label = label.format(values=", ".join(number(v, 3) for v in settings.values()))
        take = partial(form.at("method").set, method.with_values(**settings))
        button(label, form.key(f"good-{i}"), take, wide=True, disabled=form.locked)

    if best and not form.value.fork:
        keys = list(AUTO)[: 3 if hasattr(OPTIMIZERS[method.key], "momentum") else 2]
        now, what = form.value.auto, f"auto-{len(keys)}"
        label, now = _("Auto: the best from every start"), now if now in keys else "lr"
        names, put = {key: _(AUTO[key]) for key in keys}, form.at("auto").set
        select(form, label, names, put, now, segments=True, what=what)


def badges(config: OptimizerConfig) -> list[str]:
    """What no slider of an optimizer shows."""
    return [*chips(config), *[_("auto")] * bool(config.auto)]


def automatic(form: Form) -> Form:
    """The form of a scene in which what is on auto follows every change. Who sets such a value
    takes it off.
    """

    def write(scene):
        before, now = form.read().optimizers, list(scene.optimizers)
        for i, config in enumerate(now if len(now) == len(before) else []):
            if not (names := tuple(config.auto.split())):
                continue
            old, new = (c.method.build(OPTIMIZERS) for c in (before[i], config))
            changed = {
                h.name
                for h in hyperparameters(type(new))
                if getattr(old, h.name, None) != getattr(new, h.name)
            }
            if changed and changed <= {*names}:
                now[i] = replace(config, auto="")
            elif best := runs.best_settings(scene.objective, config, names):
                now[i] = replace(config, method=config.method.with_values(**best))
        form.write(replace(scene, optimizers=tuple(now)))

    return replace(form, write=write)


def automatic_values(scene: Scene) -> dict[str, dict[str, float]]:
    """What is on auto, for the panels to show it."""
    return {
        f"panel {key}": {k: v for k, v in c.method.values.items() if k in c.auto.split()}
        for key, c in zip(state().ids, scene.optimizers, strict=True)
        if c.auto
    }
