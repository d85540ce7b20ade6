"""Groups of controls that a teacher has locked or hidden.

They are a help, not a protection: editing the link removes them.
"""

from dataclasses import dataclass

from optviz.translation import N_, _
from optviz.ui.session import session

GROUPS = {
    "function": N_("Function and formula"),
    "run": N_("Start, steps, noise"),
    "hyperparameters": N_("Hyperparameters of the optimizers"),
    "optimizers": N_("Adding and changing optimizers"),
    "view": N_("How it is shown"),
    "results": N_("Table, theory, equations"),
    "lessons": N_("Lessons"),
}


@dataclass(frozen=True)
class Controls:
    """Keys of GROUPS."""

    locked: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def is_locked(group: str) -> bool:
    """Whether the teacher who made the link has locked these controls."""
    return group in session().controls.locked


def is_hidden(group: str) -> bool:
    """Whether the teacher who made the link has hidden these controls."""
    return group in session().controls.hidden


SCENE = ("function", "run", "hyperparameters", "optimizers")  # what a scene sets


def scene_is_editable() -> bool:
    """Whether another scene may take the place of the one on the page."""
    return is_editable(*SCENE)


def restricted_groups() -> str:
    """What is locked or hidden, for a sentence."""
    controls = session().controls
    return ", ".join(_(GROUPS[g]).lower() for g in (*controls.locked, *controls.hidden))


def is_editable(*groups: str) -> bool:
    """Whether none of these groups is locked or hidden."""
    return not any(is_locked(g) or is_hidden(g) for g in groups)
