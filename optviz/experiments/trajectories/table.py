"""The table under the figures, their text alternative: HTML for reading, CSV for keeping."""

from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories import text
from optviz.experiments.trajectories.spec import Scene
from optviz.experiments.trajectories.wording import for_sign
from optviz.optim import OPTIMIZERS
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.run import Run
from optviz.optim.summary import Summary
from optviz.plot import Table, Theme, method_styles, number, zero_rounding_errors
from optviz.plot.style import pack_array
from optviz.plot.table import csv_text
from optviz.spec import canonical_json, to_dict
from optviz.translation import N_, _
from optviz.ui.cache import cached


def _evaluations(s: Summary) -> str:
    """The number of gradients, values and Hessians evaluated."""
    counts = s.evaluations
    if counts.value and counts.hessian:
        message = _("{gradients} gradients + {values} values + {hessians} Hessians")
    elif counts.value:
        message = _("{gradients} gradients + {values} values")
    elif counts.hessian:
        message = _("{gradients} gradients + {hessians} Hessians")
    else:
        return str(counts.gradient)
    return message.format(gradients=counts.gradient, values=counts.value, hessians=counts.hessian)


def _steps(s: Summary) -> str | None:
    """The step after which it stays within the tolerance, and the first within it if earlier."""
    if s.first_touch == s.steps_to_tolerance:
        return s.first_touch
    settled = "–" if s.steps_to_tolerance is None else s.steps_to_tolerance
    return _("{steps} (first {first})").format(steps=settled, first=s.first_touch)


def _ends(scene):
    return [runs.summary(scene.objective, c, scene.tolerance) for c in scene.optimizers]


def results(scene: Scene, theme: Theme) -> Table:
    """How every optimizer ended."""
    f = scene.objective.f
    coordinates = 1 if f.univariate else 2
    columns = [
        _("optimizer"),
        *"xy"[:coordinates],
        for_sign(N_("loss"), f.sign),
        _("steps to {tolerance}").format(tolerance=number(scene.tolerance)),
        _("path length"),
        _("evaluations"),
        _("status"),
    ]
    rows = []
    for name, s in zip(scene.names, _ends(scene), strict=True):
        place = zero_rounding_errors(s.point, 1.0)[:coordinates]
        end = s.value, _steps(s), s.length, _evaluations(s), text.status(s)
        rows.append([name, *place, *end])
    styles = method_styles(scene.optimizers, theme)
    return Table(_("Results of every optimizer"), columns, rows, styles)


def at_every_step(scene: Scene) -> list[dict]:
    """The table's values of each optimizer at every step, for the browser to follow the player."""
    return [_at_every_step(scene.objective, c, scene.tolerance) for c in scene.optimizers]


@cached
def _at_every_step(objective, config, tolerance):
    run, summary = runs.path(objective, config), runs.summary(objective, config, tolerance)
    x, y = map(pack_array, zero_rounding_errors(run.points, 1.0).T)
    return {
        "x": x,
        "y": None if objective.f.univariate else y,
        "loss": pack_array(run.heights),
        "length": pack_array(run.lengths),
        "work": [pack_array(w) for w in run.work.T],
        "touched": summary.first_touch,
        "reached": summary.steps_to_tolerance,
    }


def results_csv(scene: Scene) -> str:
    """The same rows in full precision; three columns of evaluations, empty where not reached. Then
    a column for every hyperparameter of a method, and all settings of each, as JSON.
    """
    configs, within = scene.optimizers, f"{scene.tolerance:g}"
    opts = [config.method.build(OPTIMIZERS) for config in configs]
    names = list(dict.fromkeys(h.name for opt in opts for h in hyperparameters(type(opt))))
    header = ["optimizer", "final_x", "final_y", "final_loss", f"first_within_{within}"]
    header += [f"steps_to_{within}", f"evaluations_to_{within}", "path_length"]
    header += ["gradient_evaluations", "value_evaluations", "hessian_evaluations", "status"]
    rows = []
    for name, s, opt, config in zip(scene.names, _ends(scene), opts, configs, strict=True):
        reached = s.first_touch, s.steps_to_tolerance, s.evaluations_to_tolerance
        row = [name, *s.point, s.value, *reached, s.length, *s.evaluations, text.status(s)]
        row += [getattr(opt, name, None) for name in names]
        rows.append([*row, canonical_json(to_dict(config))])
    return csv_text([*header, *names, "settings"], rows)


def paths_csv(rows: list[tuple[str, Run]]) -> str:
    """Every step of every path in full precision; those of a batch are `SGD @1`, `SGD @2` …

    A gradient is the one the optimizer got for its step from there, noise included; the last step
    has none, nor has a step that did not evaluate it.
    """
    header = ("optimizer", "step", "x", "y", "loss", "gradient_x", "gradient_y")
    lines = (row for name, run in rows for row in _path_rows(name, run))
    return csv_text([*header, "gradient_evaluations"], lines)


def _path_rows(name, run):
    steps = len(run.points)
    points, values = run.points.reshape(steps, -1, 2), run.heights.reshape(steps, -1)
    gradients = run.function.sign * run.gradients.reshape(steps - 1, -1, 2)
    evaluations = run.work[:, 0].reshape(steps, -1)
    for k, diverged_at in enumerate(run.diverged_at.ravel().tolist()):
        end = steps if diverged_at < 0 else diverged_at
        label = f"{name} @{k + 1}" if run.values.ndim > 1 else name
        for t in range(end):
            gradient = gradients[t, k] if t < end - 1 else (None, None)
            yield label, t, *points[t, k], values[t, k], *gradient, evaluations[t, k]
