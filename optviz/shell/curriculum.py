"""The course: every page with its question, and where each figure of the source notes can be seen move."""

from dataclasses import dataclass
from html import escape

import streamlit as st

from optviz.plot.style import THEMES
from optviz.shell import lesson_card, menu, sharing
from optviz.shell.lessons import LESSONS
from optviz.shell.registry import PAGES
from optviz.ui.assets import as_image
from optviz.ui.components import theme_name

BOOK = "Saitoh, Deep Learning from Scratch, chapter 6"
LECTURE = "CS231n (2017), lecture 7"
AI_EDU = "Microsoft ai-edu, network optimization"
NOTES = (BOOK, LECTURE, AI_EDU)


@dataclass(frozen=True)
class Figure:
    """A figure of the notes, and the lesson that shows it."""

    notes: str  # one of NOTES
    number: str  # as they count, or what the figure stands beside
    shows: str
    lesson: str

    @property
    def link(self) -> str:
        """Its address, relative to that of the course."""
        page = LESSONS[self.lesson].page
        return f"{'.' if page == 'trajectories' else page}?lesson={self.lesson}"

    @property
    def told(self) -> str:
        """What stands on the link."""
        lesson = LESSONS[self.lesson]
        return f"{PAGES[lesson.page].title}: {lesson.title}"


FIGURES = (
    Figure(BOOK, "6.1", "the stretched bowl, as a surface and as contour lines", "bowl"),
    Figure(BOOK, "6.2", "its gradients", "downhill"),
    Figure(BOOK, "6.3", "the zigzag of SGD", "zigzag"),
    Figure(BOOK, "6.4", "a ball that rolls on a slope", "ball"),
    Figure(BOOK, "6.5", "the path of momentum", "ball"),
    Figure(BOOK, "6.6", "the path of AdaGrad", "a-rate-for-each"),
    Figure(BOOK, "6.7", "the path of Adam", "adam"),
    Figure(BOOK, "6.8", "the four of them", "four-paths"),
    Figure(BOOK, "6.9", "the four on handwritten digits", "four-on-digits"),
    Figure(BOOK, "6.10", "activations by layer, standard deviation 1", "activations-std-1"),
    Figure(BOOK, "6.11", "activations by layer, standard deviation 0.01", "activations-small"),
    Figure(BOOK, "6.12", "how wide Xavier's initial weights are", "activations-xavier"),
    Figure(BOOK, "6.13", "activations by layer, Xavier", "activations-xavier"),
    Figure(BOOK, "6.14", "activations by layer with ReLU", "activations-relu"),
    Figure(BOOK, "6.15", "three initializers in training", "initial-weights"),
    Figure(BOOK, "6.16", "a network with batch normalization", "batch-norm-graph"),
    Figure(BOOK, "6.17", "the computational graph of batch normalization", "batch-norm-graph"),
    Figure(BOOK, "6.18", "training with and without batch normalization", "batch-norm-faster"),
    Figure(BOOK, "6.19", "the same for sixteen scales of initial weights", "batch-norm-scales"),
    Figure(BOOK, "6.20", "regularization", "regularization-gap"),
    Figure(BOOK, "6.21", "weight decay", "regularization-weight-decay"),
    Figure(BOOK, "6.22", "what dropout leaves out", "regularization-dropout"),
    Figure(BOOK, "6.23", "training with and without dropout", "regularization-dropout"),
    Figure(BOOK, "6.24", "the best of a hundred random trials", "hyperparameter-search-book"),
    Figure(
        LECTURE, "review: activation functions", "what they do to a signal in a deep network", "activations-six-layers"
    ),
    Figure(LECTURE, "review: initial weights", "too small, too large, right", "initial-weights"),
    Figure(LECTURE, "review: data", "raw, centerd, standardized", "standardization-digits"),
    Figure(
        LECTURE, "review: a line between two clouds", "a small turn ruins it far from the origin", "standardization-turned-line"
    ),
    Figure(LECTURE, "review: batch normalization", "its equations, forward", "batch-norm-graph"),
    Figure(
        LECTURE,
        "review: watching a training",
        "the loss falls, the gap between two accuracies grows",
        "regularization-gap",
    ),
    Figure(LECTURE, "review: hyperparameter search", "a grid against random points, coarse to fine", "hyperparameter-search-grid"),
    Figure(LECTURE, "optimization", "a loss over two weights, and SGD on it", "zigzag"),
    Figure(LECTURE, "problems of SGD: conditioning", "a jitter across, a crawl along", "zigzag"),
    Figure(LECTURE, "problems of SGD: local minimum", "where the gradient vanishes and it stops", "local-minimum"),
    Figure(LECTURE, "problems of SGD: saddle", "in some directions up, in others down", "saddle"),
    Figure(LECTURE, "problems of SGD: noise", "uniform noise on every gradient", "noise-same-rate"),
    Figure(LECTURE, "SGD + momentum", "rolls over a local minimum and off a saddle", "run-up"),
    Figure(LECTURE, "SGD + momentum: noise", "averages the noise away, at a fair rate", "noise-fair-rate"),
    Figure(LECTURE, "momentum: gradient, velocity, step", "as arrows, at every step", "ball"),
    Figure(LECTURE, "Nesterov momentum", "the gradient at the point ahead", "look-ahead"),
    Figure(LECTURE, "SGD, momentum, Nesterov", "three of them beside a local minimum", "local-minimum"),
    Figure(LECTURE, "AdaGrad", "a rate for each coordinate, which shrinks", "adagrad-stalls"),
    Figure(LECTURE, "RMSProp", "the same with a memory that fades", "restless"),
    Figure(LECTURE, "SGD, momentum, RMSProp", "overshooting, and going straight", "a-rate-for-each"),
    Figure(LECTURE, "Adam", "momentum and a rate for each", "adam"),
    Figure(LECTURE, "Adam, full form", "why its first steps are corrected", "bias-correction"),
    Figure(LECTURE, "Adam among the others", "four paths", "four-paths"),
    Figure(LECTURE, "a tilted valley", "what per-coordinate rates cannot do", "tilted-bowl"),
    Figure(LECTURE, "learning rates", "too low, good, high, very high", "lr-schedules-four-rates"),
    Figure(LECTURE, "learning-rate decay", "step, exponential, 1/t", "lr-schedules-kinds"),
    Figure(LECTURE, "learning-rate decay in a training", "the sudden drop", "lr-schedules-sudden-drop"),
    Figure(LECTURE, "first-order optimization", "a tangent, and how far one may trust it", "stability-limit"),
    Figure(LECTURE, "second-order optimization", "a parabola has a lowest point", "newton-one-step"),
    Figure(LECTURE, "Newton's step", "the Hessian in several dimensions", "newton-leap"),
    Figure(LECTURE, "quasi-Newton methods", "a curvature that is learned on the way", "learned-curvature"),
    Figure(LECTURE, "model ensembles", "several networks together", "ensembles-independent"),
    Figure(LECTURE, "snapshots", "members from one run with a cyclic rate", "ensembles-snapshots"),
    Figure(LECTURE, "Polyak averaging", "the mean of the weights on the way", "ensembles-averaging"),
    Figure(AI_EDU, "zero initialization", "the weight matrices, printed", "initial-symmetry"),
    Figure(AI_EDU, "normal initialization", "six layers of sigmoid", "activations-six-layers"),
    Figure(AI_EDU, "SGD", "wanders near the end", "noise-same-rate"),
    Figure(AI_EDU, "momentum", "the same with a velocity", "ball"),
    Figure(AI_EDU, "the normal distribution", "what σ does, with weights drawn from it", "activations-small"),
    Figure(AI_EDU, "batch normalization: inputs of a layer", "before and after", "batch-norm-faster"),
    Figure(AI_EDU, "batch normalization: forward", "mean, variance, scale and shift", "batch-norm-graph"),
)


def table() -> str:
    """Figure → page, as HTML with real links."""
    body = "".join(
        f'<tr><th scope="rowgroup" colspan="3">{escape(notes)}</th></tr>' + "".join(_row(figure) for figure in FIGURES if figure.notes == notes)
        for notes in NOTES
    )  # fmt: skip
    return (
        '<div class="ov-table ov-figures" tabindex="0" role="region" aria-label="Every figure of the notes and where it is shown"><table>'
        '<thead><tr><th scope="col">figure</th><th scope="col">shows</th><th scope="col">here</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(figure):
    return (
        f'<tr><th scope="row">{escape(figure.number)}</th><td>{escape(figure.shows)}</td>'
        f'<td><a href="{escape(figure.link)}" target="_self">{escape(figure.told)}</a></td></tr>'
    )


def page() -> None:
    """Pages in the order in which they build on each other; then the table of figures."""
    sharing.opened("course")
    st.markdown("#### A course\nOne question after the other, each with things to watch, to turn and to train.")
    with st.container(horizontal=True, key="course"):
        for number, of in enumerate(PAGES.values(), 1):
            _tile(number, of)
    st.markdown("##### Every figure of the notes")
    st.html(table())


def _tile(number, of):
    with st.container(border=True, width=272, key=f"tile-{of.key}"):
        st.html(as_image(_picture(of.key, theme_name()), f"A picture of the page {of.title}"))
        st.page_link(
            menu.link(of.key),
            label=f"**{number}. {of.title}**",
            icon=f":material/{of.icon}:",
            width="stretch",
        )
        many = sum(lesson.page == of.key for lesson in LESSONS.values())
        st.markdown(of.question)
        st.caption(f"{many} lesson{'s' if many != 1 else ''}")


@st.cache_data(show_spinner=False)
def _picture(key, theme):
    return lesson_card.stamp(PAGES[key], PAGES[key].scene, THEMES[theme])
