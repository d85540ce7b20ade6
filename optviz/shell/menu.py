"""The menu: a `st.Page` for every page, made from what the registry declares."""

from importlib import import_module

import streamlit as st

from optviz.shell.registry import PAGES
from optviz.translation import N_, _

OTHERS = {
    "course": (N_("Course"), "map", "curriculum", "page"),
    "lessons": (N_("Lessons"), "school", "lesson_card", "gallery"),
}


def link(key: str):
    """The page as Streamlit's menu, links and switches take it."""
    if key in OTHERS:
        title, icon, module, name = OTHERS[key]
    else:
        title, icon = PAGES[key].title, PAGES[key].icon

    def draw():
        if key in PAGES:
            from optviz.shell.render import render  # it writes links to the pages of this menu

            render(PAGES[key])
        else:
            getattr(import_module(f"optviz.shell.{module}"), name)()

    first = key == "trajectories"
    return st.Page(draw, title=_(title), icon=f":material/{icon}:", url_path=key, default=first)


def menu(lessons: bool) -> dict[str, list]:
    """Every page by its drawer; `lessons` says whether theirs is among them."""
    drawers = {"": []}
    for page in PAGES.values():
        drawers.setdefault(page.chapter, []).append(link(page.key))
    drawers[""] += [link(key) for key in OTHERS if lessons or key != "lessons"]
    return drawers
