"""The scene as a person sets it: a control shows a part of it, and its callback puts a new one in place."""

from dataclasses import replace

from optviz.experiments.trajectories.spec import Scene
from optviz.optim.config import OptimizerConfig
from optviz.ui.session import session

PAGE = "trajectories"


def current() -> Scene:
    """The scene of this session."""
    return session().specs[PAGE]


def ids() -> list[str]:
    """A name for each optimizer that stays its own while others come and go."""
    return session().ids


def show(scene: Scene) -> None:
    """Put another scene in place; every control begins afresh from it."""
    S = session()
    S.show(PAGE, scene)
    S.formula_complaint = ""
    session().ids = [f"r{S.next_id()}" for _ in scene.optimizers]


def update(**parts) -> None:
    """Replace parts of the scene."""
    session().specs[PAGE] = replace(current(), **parts)


def update_objective(**parts) -> None:
    """Replace parts of its objective."""
    update(objective=replace(current().objective, **parts))


def update_optimizer(id: str, **parts) -> None:
    """Replace parts of one optimizer."""
    optimizers, at = current().optimizers, ids().index(id)
    update(optimizers=(*optimizers[:at], replace(optimizers[at], **parts), *optimizers[at + 1 :]))


def optimizer_of(id: str) -> OptimizerConfig:
    """The optimizer with this name."""
    return current().optimizers[ids().index(id)]
