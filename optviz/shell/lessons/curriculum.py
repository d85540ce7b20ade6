"""The course: every page with its question, and where each figure of the source notes is shown."""

import csv
from dataclasses import dataclass

import streamlit as st

from optviz.shell.lessons import FOLDER, LESSONS
from optviz.shell.lessons.thumbnails import thumbnail
from optviz.shell.links import page_of, tile
from optviz.shell.opening import open_page
from optviz.shell.registry import PAGES
from optviz.translation import _, ngettext
from optviz.ui.components import theme_name
from optviz.ui.live import follow_theme


@dataclass(frozen=True)
class SourceFigure:
    """A figure of the notes, and the lesson that shows it."""

    notes: str  # book, lecture or course
    figure: str  # as they count, or what the figure stands beside
    shows: str
    lesson: str

    @property
    def label(self) -> str:
        """The text of the link."""
        lesson = LESSONS[self.lesson]
        return f"{_(PAGES[lesson.page].title)}: {lesson.title}"


with (FOLDER / "figures.csv").open(encoding="utf-8") as file:
    FIGURES = tuple(SourceFigure(**row) for row in csv.DictReader(file))


def figures() -> None:
    """Figure → lesson, a row each. The links stay in the session: no setting is lost."""
    for notes in dict.fromkeys(figure.notes for figure in FIGURES):
        st.markdown(f"### {notes}")
        for figure in FIGURES:
            if figure.notes == notes:
                shows, link = st.columns([5, 4], vertical_alignment="center")
                shows.markdown(f"**{figure.figure}** · {figure.shows}")
                where = page_of(LESSONS[figure.lesson].page)
                link.page_link(where, label=figure.label, query_params={"open": figure.lesson})


def page() -> None:
    """Pages in the order in which they build on each other; then the table of figures."""
    open_page("course")
    follow_theme()
    about = _("One question after another, each with things to watch, change and train.")
    st.markdown(f"# {_('A course')}\n{about}")
    with st.container(horizontal=True, key="course"):
        for number, entry in enumerate(PAGES.values(), 1):
            _tile(number, entry)
    st.markdown(f"## {_('Figures of the book and the lectures, and where to find them here')}")
    figures()


def _tile(number, entry):
    picture, title = thumbnail(entry.key, "", theme_name()), f"**{number}. {_(entry.title)}**"
    with tile(entry.key, picture, entry.key, title, icon=f":material/{entry.icon}:"):
        n = sum(lesson.page == entry.key for lesson in LESSONS.values())
        st.markdown(_(entry.question))
        st.caption(ngettext("{n} lesson", "{n} lessons", n).format(n=n))
