"""The menu, made from what the registry declares."""

from functools import partial

from optviz.shell import status
from optviz.shell.lessons import card as lesson_card
from optviz.shell.lessons import curriculum
from optviz.shell.lessons import plan as lesson_plan
from optviz.shell.links import page_of
from optviz.shell.registry import PAGES
from optviz.shell.render import render


def menu(lessons: bool) -> dict[str, list]:
    """Every page by its drawer; `lessons` says whether theirs is among them."""
    drawers = {"": []}
    for page in PAGES.values():
        drawers.setdefault(page.chapter, []).append(page_of(page.key, partial(render, page)))
    drawers[""].append(page_of("course", curriculum.page))
    if lessons:
        drawers[""].append(page_of("lessons", lesson_card.gallery))
        drawers[""].append(page_of("plan", lesson_plan.page))
    drawers[""].append(page_of("status", status.page, visibility="hidden"))
    return drawers
