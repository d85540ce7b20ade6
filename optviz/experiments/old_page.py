"""What a page declares."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class OldPage:
    """A page is a question, and the scene with which it opens.

    `check` raises SpecError for a scene that could not have been set on it. `stamp(scene, theme)` draws one
    as a small SVG; where it is None the trajectories page draws it from its cached runs.
    """

    key: str  # of its address, its links and its lessons
    title: str
    icon: str
    question: str
    chapter: str  # the drawer of the menu, "" for none
    scene: object
    check: Callable[[object], None]
    stamp: Callable | None = None
