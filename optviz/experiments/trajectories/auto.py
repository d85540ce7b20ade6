"""Good rates: from one start, in theory, and those that follow the start automatically."""

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
    """Buttons set the best rate from this start, or in theory; auto keeps it the best."""
    objective, method = form.read().objective, form.value.method
    best = runs.best_settings(objective, form.value)
    choices = {_("Best rate from this start: {values}"): best} if best else {}
    theory, attribute = curvatures(objective.f), f"best_{method.key}"
    if theory and hasattr(theory[0], attribute):
        *values, _factor = map(float, getattr(theory[0], attribute))
        label = _("Best in the long run, in theory: {values}")
        choices[label] = dict(zip(("lr", "momentum"), values, strict=False))
    for i, (label, settings) in enumerate(choices.items()):
        label = label.format(values=", ".join(number(v, 3) for v in settings.values()))
        apply = partial(form.at("method").set, method.with_values(**settings))
        button(label, form.key(f"good-{i}"), apply, wide=True, disabled=form.locked)

    if best and not form.value.fork:
        keys = list(AUTO)[: 3 if hasattr(OPTIMIZERS[method.key], "momentum") else 2]
        current, suffix = form.value.auto, f"auto-{len(keys)}"
        label, current = _("Auto: the best from every start"), current if current in keys else "lr"
        names, set_auto = {key: _(AUTO[key]) for key in keys}, form.at("auto").set
        select(form, label, names, set_auto, current, segments=True, what=suffix)


def badges(config: OptimizerConfig) -> list[str]:
    """The chips with settings that no slider of an optimizer shows."""
    return [*chips(config), *[_("auto")] * bool(config.auto)]


def automatic(form: Form) -> Form:
    """The form of a scene in which automatic values follow every change. Setting such a value by
    hand turns auto off.
    """

    def write(scene):
        before, configs = form.read().optimizers, list(scene.optimizers)
        for i, config in enumerate(configs if len(configs) == len(before) else []):
            if not (names := tuple(config.auto.split())):
                continue
            old, new = (c.method.build(OPTIMIZERS) for c in (before[i], config))
            changed = {
                h.name
                for h in hyperparameters(type(new))
                if getattr(old, h.name, None) != getattr(new, h.name)
            }
            if changed and changed <= {*names}:
                configs[i] = replace(config, auto="")
            elif best := runs.best_settings(scene.objective, config, names):
                configs[i] = replace(config, method=config.method.with_values(**best))
        form.write(replace(scene, optimizers=tuple(configs)))

    return replace(form, write=write)


def automatic_values(scene: Scene) -> dict[str, dict[str, float]]:
    """The automatic values, for the panels to show them."""
    return {
        f"panel {key}": {k: v for k, v in c.method.values.items() if k in c.auto.split()}
        for key, c in zip(state().ids, scene.optimizers, strict=True)
        if c.auto
    }
