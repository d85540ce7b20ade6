"""The page: one line on raw and on standardized data, the loss over its weights, and digits."""

from optviz.experiments import training_charts as charts
from optviz.experiments.page import Download, Page, Section, Tab, View
from optviz.experiments.standardization import figures, text
from optviz.experiments.standardization.run import descents, sides
from optviz.experiments.standardization.spec import VIEWS, Standardization
from optviz.plot.table import csv_text
from optviz.translation import N_, _
from optviz.ui.controls import Menu, Panel
from optviz.ui.training.form import ACTIVATION, INITIALIZER, NUMBERS, Data, Numbers, OptimizerForm

CLOUDS = ("offset", "gap", "spread", "stretch", "points", "seed")


def lines(spec, states, theme):
    """One for each kind of inputs."""
    names = [_(text.INPUT_NAMES[state.training.inputs]) for state in states]
    return charts.lines_of(names, states, theme)


def loss_form(spec):
    """The learning rate can be set where it is one for both."""
    names = ("rate", "steps") if spec.choice == "same" else ("steps",)
    descent = Panel(_("Gradient descent"), names, live=True)
    return [Menu("choice"), descent, Panel(_("The clouds"), CLOUDS)]


def angles_csv(context) -> str:
    """The line at every angle of the curves and at the present one, in full precision."""
    angles, rows = sorted({*figures.ANGLES.tolist(), context.spec.angle}), []
    for side in sides(context.spec):
        for degrees in angles:
            line = side.rotated_line(degrees)
            rows.append([side.name, degrees, *line, side.accuracy(line), side.loss(line)])
    return csv_text(["coordinates", "degrees", "w1", "w2", "bias", "accuracy", "loss"], rows)


def steps_csv(context) -> str:
    """The descents step by step, in full precision."""
    rows = [
        [d.side.name, t, *w, value, d.rate, d.side.curvature.condition]
        for d in descents(context.spec)
        for t, (w, value) in enumerate(zip(d.run.points, d.run.values, strict=True))
    ]
    header = ["coordinates", "step", "w1", "w2", "loss", "rate", "condition_number"]
    return csv_text(header, rows)


PAGE = Page(
    "standardization",
    N_("Data normalization"),
    "center_focus_strong",
    N_("Why are data moved to the origin first?"),
    "Training lab",
    Standardization(),
    {
        "line": View(
            label=VIEWS["line"],
            form=[Panel(_("The line and the clouds"), ("angle", *CLOUDS), live=True)],
            tabs=[Tab(_("Line"), [figures.clouds, figures.angle_curves, figures.scales])],
            notes=[text.remark, text.turned_table, text.line_notes],
            downloads=[Download(_("Table as CSV"), "line", angles_csv)],
        ),
        "loss": View(
            label=VIEWS["loss"],
            form=loss_form,
            tabs=[Tab(_("Loss"), [figures.path, figures.descent])],
            notes=[text.convergence, text.descent_table, text.loss_notes],
            downloads=[Download(_("Table as CSV"), "loss", steps_csv)],
        ),
        "digits": View(
            label=VIEWS["digits"],
            form=[
                Data(),
                Numbers(*NUMBERS),
                ACTIVATION,
                INITIALIZER,
                OptimizerForm(schedule=False),
            ],
            jobs=charts.jobs,
            tabs=[
                Tab(
                    _("Training"),
                    [
                        text.digits,
                        Section([charts.curves], charts.options()),
                        figures.bars,
                        text.inputs_table,
                    ],
                )
            ],
            notes=[text.digits_notes],
            downloads=[charts.download("inputs")],
            group="",
        ),
    },
    lines=lines,
    thumbnail=figures.thumbnail,
)
