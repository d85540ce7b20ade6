"""The table under the figures: their text alternative, to read and as CSV to keep."""

from optviz.experiments.trajectories import text
from optviz.experiments.trajectories.words import said
from optviz.optim import OPTIMIZERS
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.run import Run
from optviz.optim.summary import Summary
from optviz.plot import Style, Table, number, unless_rounding
from optviz.plot.style import packed
from optviz.plot.table import csv_text
from optviz.spec import canonical_json, to_dict
from optviz.translation import N_, _


def _evaluations(s: Summary) -> str:
    """Gradients, and what was asked for beside them."""
    used = s.evaluations
    if used.value and used.hessian:
        message = _("{gradients} gradients + {values} values + {hessians} Hessians")
    elif used.value:
        message = _("{gradients} gradients + {values} values")
    elif used.hessian:
        message = _("{gradients} gradients + {hessians} Hessians")
    else:
        return str(used.gradient)
    return message.format(gradients=used.gradient, values=used.value, hessians=used.hessian)


def _steps(s: Summary) -> str | None:
    """From where on it stays within the tolerance, and where it first was if that is another."""
    if s.first_touch == s.steps_to_tolerance:
        return s.first_touch
    stays = "–" if s.steps_to_tolerance is None else s.steps_to_tolerance
    return _("{steps} (first {first})").format(steps=stays, first=s.first_touch)


def results(
    names, styles: list[Style], summaries: list[Summary], tolerance: float, univariate: bool = False
) -> Table:
    """How every optimizer ended."""
    columns = [
        _("optimizer"),
        *"xy"[: 2 - univariate],
        said(N_("loss"), summaries[0].sign if summaries else 1),
        _("steps to {tolerance}").format(tolerance=number(tolerance)),
        _("path length"),
        _("evaluations"),
        _("status"),
    ]
    rows = [
        [
            *(name, *unless_rounding(s.point, 1.0)[: 2 - univariate], s.value, _steps(s), s.length),
            *(_evaluations(s), text.status(s)),
        ]
        for name, s in zip(names, summaries, strict=True)
    ]
    return Table(_("Results of every optimizer"), columns, rows, styles)


def columns(run: Run, s: Summary) -> dict:
    """What the table says of one optimizer at every step, for the browser to follow the player."""
    x, y = map(packed, unless_rounding(run.points, 1.0).T)
    work = [packed(w) for w in run.work.T]
    series = {"loss": packed(run.heights), "length": packed(run.lengths), "work": work}
    y = None if run.function.univariate else y
    return {"x": x, "y": y, **series, "touched": s.first_touch, "reached": s.steps_to_tolerance}


def results_csv(names, configs, summaries: list[Summary], tolerance: float) -> str:
    """The same rows in full precision; three columns of evaluations, empty where not reached. Then
    a column for every hyperparameter of a method, and all that was set of each, as JSON.
    """
    opts = [config.method.build(OPTIMIZERS) for config in configs]
    knobs = list(dict.fromkeys(h.name for opt in opts for h in hyperparameters(type(opt))))
    header = ["optimizer", "final_x", "final_y", "final_loss", f"first_within_{tolerance:g}"]
    header += [f"steps_to_{tolerance:g}", f"evaluations_to_{tolerance:g}", "path_length"]
    header += ["gradient_evaluations", "value_evaluations", "hessian_evaluations"]
    rows = [
        [
            *(name, *s.point, s.value, s.first_touch, s.steps_to_tolerance),
            *(s.evaluations_to_tolerance, s.length, *s.evaluations, text.status(s)),
            *(getattr(opt, knob, None) for knob in knobs),
            canonical_json(to_dict(config)),
        ]
        for name, s, opt, config in zip(names, summaries, opts, configs, strict=True)
    ]
    return csv_text([*header, "status", *knobs, "settings"], rows)


def paths_csv(rows: list[tuple[str, Run]]) -> str:
    """Every step of every path in full precision; those of a batch are `SGD @1`, `SGD @2` …

    A gradient is what the optimizer was given for its step from there, noise included; the last
    step has none, nor has a step that asked for none.
    """
    header = ("optimizer", "step", "x", "y", "loss", "gradient_x", "gradient_y")
    found = (row for name, run in rows for row in _path_rows(name, run))
    return csv_text([*header, "gradient_evaluations"], found)


def _path_rows(name, run):
    steps = len(run.points)
    points, values = run.points.reshape(steps, -1, 2), run.heights.reshape(steps, -1)
    given = run.function.sign * run.gradients.reshape(steps - 1, -1, 2)
    asked = run.work[:, 0].reshape(steps, -1)
    for k, gone in enumerate(run.diverged_at.ravel().tolist()):
        end = steps if gone < 0 else gone
        label = f"{name} @{k + 1}" if run.values.ndim > 1 else name
        for t in range(end):
            gradient = given[t, k] if t < end - 1 else (None, None)
            yield label, t, *points[t, k], values[t, k], *gradient, asked[t, k]
