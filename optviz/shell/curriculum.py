"""The course: every page with its question, and where each figure of the source notes is shown."""

import csv
from dataclasses import dataclass
from html import escape

import streamlit as st

from optviz.plot import THEMES
from optviz.shell.lessons import FOLDER, LESSONS
from optviz.shell.links import page_of
from optviz.shell.opening import opened
from optviz.shell.registry import PAGES
from optviz.translation import _, ngettext
from optviz.ui.assets import as_image
from optviz.ui.components import theme_name


@dataclass(frozen=True)
class SourceFigure:
    """A figure of the notes, and the lesson that shows it."""

    notes: str  # book, lecture or course
    figure: str  # as they count, or what the figure stands beside
    shows: str
    lesson: str

    @property
    def link(self) -> str:
        """Its address, relative to that of the course."""
        page = LESSONS[self.lesson].page
        return f"{'.' if page == 'trajectories' else page}?lesson={self.lesson}"

    @property
    def label(self) -> str:
        """What stands on the link."""
        lesson = LESSONS[self.lesson]
        return f"{_(PAGES[lesson.page].title)}: {lesson.title}"


with (FOLDER / "figures.csv").open(encoding="utf-8") as file:
    FIGURES = tuple(SourceFigure(**row) for row in csv.DictReader(file))


def table() -> str:
    """Figure → page, as HTML with real links."""
    body = "".join(
        f'<tr><th scope="rowgroup" colspan="3">{escape(notes)}</th></tr>'
        + "".join(_row(figure) for figure in FIGURES if figure.notes == notes)
        for notes in dict.fromkeys(figure.notes for figure in FIGURES)
    )
    head = "".join(
        f'<th scope="col">{title}</th>' for title in (_("figure"), _("shows"), _("here"))
    )
    label = escape(_("Every figure of the notes and where it is shown"))
    return (
        f'<div class="ov-table ov-figures" tabindex="0" role="region" aria-label="{label}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(figure):
    link = f'<a href="{escape(figure.link)}" target="_self">{escape(figure.label)}</a>'
    name = f'<th scope="row">{escape(figure.figure)}</th>'
    return f"<tr>{name}<td>{escape(figure.shows)}</td><td>{link}</td></tr>"


def page() -> None:
    """Pages in the order in which they build on each other; then the table of figures."""
    opened("course")
    about = _("One question after the other, each with things to watch, to change and to train.")
    st.markdown(f"#### {_('A course')}\n{about}")
    with st.container(horizontal=True, key="course"):
        for number, of in enumerate(PAGES.values(), 1):
            _tile(number, of)
    st.markdown(f"##### {_('Every figure of the notes')}")
    st.html(table())


def _tile(number, of):
    with st.container(border=True, width=272, key=f"tile-{of.key}"):
        alternative = _("A picture of the page {title}").format(title=_(of.title))
        st.html(as_image(_picture(of.key, theme_name()), alternative))
        st.page_link(
            page_of(of.key),
            label=f"**{number}. {_(of.title)}**",
            icon=f":material/{of.icon}:",
            width="stretch",
        )
        n = sum(lesson.page == of.key for lesson in LESSONS.values())
        st.markdown(_(of.question))
        st.caption(ngettext("{n} lesson", "{n} lessons", n).format(n=n))


@st.cache_data(show_spinner=False)
def _picture(key, theme):
    return PAGES[key].stamp(PAGES[key].opening, THEMES[theme])
