"""The course: every page with a picture, and every figure of the notes behind a link that opens it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from optviz.shell import curriculum as course
from optviz.shell.lessons import LESSONS
from optviz.shell.registry import PAGES
from tests.page import open_page, session, sound, text

LINKS = sorted(set(re.findall(r'href="([^"]+)"', course.table())))


def test_every_page_is_on_it():
    at = open_page("course")
    pictures = [h.value for h in at.get("html") if "<img" in h.value]
    assert len(pictures) == len(PAGES)
    assert all(page.question in text(at) for page in PAGES.values())


def test_the_figures_are_those_of_the_book():
    numbers = [figure.number for figure in course.FIGURES if figure.notes == course.BOOK]
    assert numbers == [f"6.{n}" for n in range(1, 25)]
    for figure in course.FIGURES:
        assert figure.lesson in LESSONS, figure


def test_the_order_of_the_course():
    keys = list(PAGES)
    told = ["trajectories", "activations", "initialization", "batch_norm", "regularization", "hyperparameter_search"]
    assert [key for key in keys if key in told] == told
    assert keys[0] == "trajectories"


@pytest.mark.parametrize("link", LINKS)
def test_every_link_opens(link):
    parts = urlsplit(link)
    key = parts.path.replace(".", "trajectories")
    [asked] = parse_qs(parts.query)["lesson"]
    at = sound(open_page(key, lesson=asked))
    lesson = LESSONS[asked]
    assert session(at).lesson == lesson.key
    assert f"##### {lesson.title}" in text(at)
    assert at.session_state[PAGES[key].field] == lesson.scene
