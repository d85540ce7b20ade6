"""The page: several optimizers train the same network from the same start. Figure 6.9, on digits
that come with the app.
"""

from optviz.experiments import training_charts as charts
from optviz.experiments import training_layers
from optviz.experiments.optimizer_comparison import figures, saved, text
from optviz.experiments.optimizer_comparison.spec import MAX_OPTIMIZERS, OptimizerComparison
from optviz.experiments.page import Option, Page, Section, Tab, View
from optviz.translation import N_, _
from optviz.ui.training.form import ACTIVATION, INITIALIZER, NUMBERS, Data, Numbers, OptimizerList

PREDICTIONS_OF = Option(
    "network",
    _("Show predictions of"),
    0,
    lambda context: {
        **{i: line.name for i, line in enumerate(context.lines)},
        **({figures.ALL: _("all at once")} if len(context.lines) > 1 else {}),
    },
    show_label=True,
)

PAGE = Page(
    "optimizer_comparison",
    N_("Optimizers on digits"),
    "emoji_events",
    N_("Which optimizer trains a network best?"),
    "Networks",
    OptimizerComparison(),
    {
        "": View(
            form=[
                Data(),
                ACTIVATION,
                INITIALIZER,
                Numbers(*NUMBERS),
                OptimizerList(MAX_OPTIMIZERS),
            ],
            jobs=charts.jobs,
            tabs=[
                Tab(
                    _("Training"),
                    [
                        charts.section(_("How every optimizer stands")),
                        Section([figures.predictions], [PREDICTIONS_OF]),
                    ],
                ),
                training_layers.TAB,
                Tab(
                    _("Use the networks"),
                    [figures.hand_drawn, Section([saved.file_controls], [training_layers.NETWORK])],
                ),
            ],
            notes=[text.notes],
            downloads=[charts.download()],
        )
    },
    lines=charts.optimizers,
    thumbnail=charts.thumbnail,
)
