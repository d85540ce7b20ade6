"""How a scene is shown: a value like the scene itself, so that a link and a lesson can carry it."""

from dataclasses import dataclass

from optviz.experiments.trajectories.curves import ALONG, METRICS
from optviz.spec import SpecError

LEVELS = {"auto": None, "linear": False, "log": True}


@dataclass(frozen=True)
class View:
    """How the scene is shown; none of it makes anything run again."""

    levels: str = "auto"  # of the contour lines: evenly spaced in value or in its logarithm
    field: bool = False  # arrows against the gradient
    lookahead: bool = False  # Nesterov's look-ahead points in place of its iterates
    solid: bool = False  # the surface in three dimensions in place of the contour
    log: bool = True
    along: str = "steps"
    metrics: tuple[str, ...] = ("loss",)


def check(view: View) -> None:
    """SpecError where a view from outside could not have been set on the page."""
    if view.levels not in LEVELS or view.along not in ALONG:
        raise SpecError("the view asks for levels or an axis that there are not")
    if (
        not view.metrics
        or len(set(view.metrics)) < len(view.metrics)
        or not set(view.metrics) <= set(METRICS)
    ):
        raise SpecError(f"curves are one or more of {', '.join(METRICS)}")
