"""Every page that has a scene, declared once: the menu, links, lessons and the course follow from it."""

from collections.abc import Callable
from dataclasses import dataclass

from optviz.core.experiments import (
    activations,
    contest,
    ensembles,
    normalisation,
    overfitting,
    scaling,
    schedules,
    search,
    trajectories,
)
from optviz.core.experiments import landscape as terrains
from optviz.views import ensembles_stamp, initialisation, landscape, scaling_stamp, schedules_stamp
from optviz.views import normalisation as normalisation_views
from optviz.views import overfitting as overfitting_views
from optviz.views import search as search_views
from optviz.views.thumbnail import curves_thumbnail, stack_thumbnail

NETWORKS, LAB = "Networks", "Training lab"  # the menu's drawers


@dataclass(frozen=True)
class Page:
    """A page is a question, and the scene with which it opens.

    `check` raises SpecError for a scene that could not have been set on it. `stamp(scene, theme)` draws one
    as a small SVG; where it is None the trajectories page draws it from its cached runs.
    """

    key: str  # of its file in optviz/pages, its links and its lessons
    title: str
    icon: str
    question: str
    chapter: str  # the drawer of the menu, "" for none
    scene: object
    check: Callable[[object], None]
    stamp: Callable | None = None
    kept: str = ""  # under which name the session keeps its scene, where not its key

    @property
    def field(self) -> str:
        """Under which name the session keeps its scene."""
        return self.kept or self.key


# In the order of a course.
PAGES: dict[str, Page] = {
    page.key: page
    for page in (
        Page(
            "trajectories", "Trajectories", "conversion_path", "How does an optimizer find its way down?", "",
            trajectories.BOOK, trajectories.check, kept="scene",
        ),
        Page(
            "activations", "Activations", "bar_chart", "What becomes of a signal in a deep network?", NETWORKS,
            activations.Comparison(), activations.check_comparison,
            lambda scene, theme: stack_thumbnail(scene.stacks, theme), "comparison",
        ),
        Page(
            "initialisation", "Initialisation", "start", "Where should training begin?", NETWORKS,
            initialisation.BOOK, initialisation.check, lambda scene, theme: curves_thumbnail([scene], theme), "beginning",
        ),
        Page(
            "contest", "Optimizers on digits", "emoji_events", "Which optimizer trains a network best?", NETWORKS,
            contest.Contest(), contest.check, lambda scene, theme: curves_thumbnail(scene.trainings, theme),
        ),
        Page(
            "scaling", "Data normalisation", "center_focus_strong", "Why are data moved to the origin first?", LAB,
            scaling.Scaling(), scaling.check, scaling_stamp.stamp,
        ),
        Page(
            "normalisation", "Batch normalisation", "equalizer", "What if every layer's inputs were put right?", LAB,
            normalisation.Normalisation(), normalisation.check, normalisation_views.stamp,
        ),
        Page(
            "overfitting", "Overfitting", "compress", "Why does it fail on what it has not seen?", LAB,
            overfitting.Overfitting(), overfitting.check, overfitting_views.stamp,
        ),
        Page(
            "schedules", "Learning-rate schedules", "trending_down", "How should the rate change while it trains?", LAB,
            schedules.Scheduling(), schedules.check, schedules_stamp.stamp,
        ),
        Page(
            "ensembles", "Ensembles", "groups", "Are several networks wiser than one?", LAB,
            ensembles.Ensembles(), ensembles.check, ensembles_stamp.stamp,
        ),
        Page(
            "search", "Hyperparameter search", "travel_explore", "Which settings should be tried?", LAB,
            search.Search(), search.check, search_views.stamp,
        ),
        Page(
            "landscape", "Loss landscape", "landscape", "What does the loss of a real network look like?", LAB,
            terrains.Terrain(), terrains.check, landscape.thumbnail,
        ),
    )
}  # fmt: skip
