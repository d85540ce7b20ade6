"""The course: every page with a picture, and every figure of the notes behind a link that opens it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from optviz.shell import curriculum as course
from optviz.shell.lessons import LESSONS
from optviz.shell.registry import PAGES
from tests.page import open_page, session, sound, text
from tests.table import table

LINKS = sorted(set(re.findall(r'href="([^"]+)"', course.table())))


def test_every_page_is_on_it():
    at = open_page("course")
    pictures = [h.value for h in at.get("html") if "<img" in h.value]
    assert len(pictures) == len(PAGES)
    assert all(page.question in text(at) for page in PAGES.values())


def test_the_figures_are_those_of_the_book():
    numbers = [f.figure for f in course.FIGURES if f.notes.startswith("Saitoh")]
    assert numbers == [f"6.{n}" for n in range(1, 25)]
    for figure in course.FIGURES:
        assert figure.lesson in LESSONS, figure


def test_the_order_of_the_course():
    keys = list(PAGES)
    told = [
        "trajectories",
        "activations",
        "initialization",
        "batch_norm",
        "regularization",
        "hyperparameter_search",
    ]
    assert [key for key in keys if key in told] == told
    assert keys[0] == "trajectories"


@table("link", LINKS)
def test_every_link_is_to_a_lesson_on_its_page(link):
    parts = urlsplit(link)
    [asked] = parse_qs(parts.query)["lesson"]
    assert LESSONS[asked].page == parts.path.replace(".", "trajectories")


@pytest.mark.parametrize("page", PAGES)
def test_every_lesson_opens_by_its_address(page):
    for lesson in LESSONS.values():
        if lesson.page == page:
            at = sound(open_page(page, lesson=lesson.key))
            assert session(at).lesson == lesson.key
            assert session(at).specs[page] == lesson.scene
            card = text(at).split(f"##### {lesson.title}")[1].split("Try next")[0]
            assert "{" not in card.replace("\\{", "").split("$")[0], lesson.key
