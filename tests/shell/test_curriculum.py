"""The course: every page with a picture, and every figure of the notes behind a link that opens it."""

from dataclasses import replace

import pytest

from optviz.shell.lessons import LESSONS
from optviz.shell.lessons import curriculum as course
from optviz.shell.registry import PAGES
from tests.page import go, open_page, session, sound, text


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
    told = ["trajectories", "activations", "initialization", "batch_norm", "regularization"]
    told.append("hyperparameter_search")
    assert [key for key in PAGES if key in told] == told
    assert next(iter(PAGES)) == "trajectories"


def test_a_figure_opens_its_lesson_and_nothing_that_was_set_is_lost():
    at = open_page("course")
    links = [link.proto for link in at.get("page_link")][-len(course.FIGURES) :]
    for figure, link in zip(course.FIGURES, links, strict=True):
        page = LESSONS[figure.lesson].page
        assert link.page == ("" if page == "trajectories" else page)
        assert link.query_string == f"open={figure.lesson}"
    kept = replace(PAGES["activations"].opening, shared_range=True)
    session(at).show("activations", kept)
    [first, second, *_] = [key for key, one in LESSONS.items() if one.page == "initialization"]
    for key in (first, second, first):
        go(at, "initialization")
        at.query_params["open"] = key
        sound(at.run())
        assert session(at).specs["initialization"] == LESSONS[key].scene
        changed = replace(LESSONS[key].scene, batch=7)
        session(at).show("initialization", changed)
        sound(at.run())
        assert session(at).specs["initialization"] == changed, "it is opened once"
        del at.query_params["open"]
        go(at, "course")
        sound(at.run())
    assert session(at).specs["activations"] == kept


@pytest.mark.parametrize("page", PAGES)
def test_every_lesson_opens_by_its_address(page):
    for lesson in LESSONS.values():
        if lesson.page == page:
            at = sound(open_page(page, lesson=lesson.key))
            assert session(at).lesson == lesson.key
            assert session(at).specs[page] == lesson.scene
            card = text(at).split(f"## {lesson.title}")[1].split("Try next")[0]
            assert "scene has been changed" not in text(at)
            assert "{" not in card.replace("\\{", "").split("$")[0], lesson.key
