"""Every page that has a scene, declared once: the menu, links, lessons and the course follow from
it.
"""

from optviz.experiments.activations import page as activations
from optviz.experiments.batch_norm import page as batch_norm
from optviz.experiments.curve_fit import page as curve_fit
from optviz.experiments.edge_of_stability import page as edge_of_stability
from optviz.experiments.ensembles import page as ensembles
from optviz.experiments.hyperparameter_search import page as hyperparameter_search
from optviz.experiments.initialization import page as initialization
from optviz.experiments.loss_landscape import page as loss_landscape
from optviz.experiments.lr_schedules import page as lr_schedules
from optviz.experiments.optimizer_comparison import page as optimizer_comparison
from optviz.experiments.page import Page
from optviz.experiments.regularization import page as regularization
from optviz.experiments.sensitivity import page as sensitivity
from optviz.experiments.standardization import page as standardization
from optviz.experiments.trajectories import page as trajectories
from optviz.experiments.width import page as width

# In the order of a course.
PAGES: dict[str, Page] = {
    page.key: page
    for page in (
        trajectories.PAGE,
        sensitivity.PAGE,
        activations.PAGE,
        initialization.PAGE,
        curve_fit.PAGE,
        optimizer_comparison.PAGE,
        standardization.PAGE,
        batch_norm.PAGE,
        regularization.PAGE,
        lr_schedules.PAGE,
        ensembles.PAGE,
        hyperparameter_search.PAGE,
        loss_landscape.PAGE,
        edge_of_stability.PAGE,
        width.PAGE,
    )
}
