"""What the page of an experiment declares. The shell draws and exports it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from optviz.data import DATASETS, DataError
from optviz.plot import Figure, Theme, to_svg
from optviz.spec import canonical_json, to_dict
from optviz.training import Progress, Training, identity_keys
from optviz.translation import N_
from optviz.tuning import Search


@dataclass(frozen=True)
class Preset:
    """A spec that one click puts on the page, and a sentence on it.

    The click also opens a `tab` of the results, by its label, and may `run` the jobs.
    """

    label: str
    spec: Any
    help: str = ""
    tab: str = ""
    run: bool = False


@dataclass(frozen=True)
class Option:
    """A switch of what is shown, which changes nothing in the spec.

    A toggle where `choices` is None, else one of its keys; with fewer than two it is not drawn.
    `default` and `choices` may be functions of the context, whose options have the values of the
    switches before it; `disabled(options)` gets these, too.
    """

    name: str
    label: str
    default: Any
    choices: Mapping | Callable[["Context"], Mapping] | None = None
    disabled: Callable[[Mapping], bool] = lambda options: False
    help: str = ""
    menu: bool = False  # a menu, not all choices side by side
    slider: bool = False  # a slider through the choices
    show_label: bool = False


class Caption(str):
    """Markdown in small print."""


@dataclass(frozen=True)
class Row:
    """Parts side by side; `widths` are relative."""

    parts: Sequence[Any]
    widths: Sequence[float] | None = None


@dataclass(frozen=True)
class Expander:
    """Parts that are folded away; `parts()` makes them once the expander is open."""

    label: str
    parts: Callable[[], Sequence[Any]]


@dataclass(frozen=True)
class Widget:
    """What a part draws itself with Streamlit, where the values above do not suffice."""

    draw: Callable[[], None]


Part = Callable[["Context"], Any]


@dataclass(frozen=True)
class Section:
    """Switches, and parts that depend on them, below the switches (or above: `options_below`).

    It is drawn if `when(context)` is true; with a label `folded`, inside an expander.
    """

    parts: Sequence[Part]
    options: Sequence[Option] = ()
    options_below: bool = False
    when: Callable[["Context"], Any] = lambda context: True
    folded: str = ""


@dataclass(frozen=True)
class Tab:
    """A tab of results: parts, or sections of them.

    A part is a function of the context. What it returns is drawn: a Figure, a Table, an ImageGrid,
    Markdown, a Caption, a Row, an Expander, a Widget, a sequence of these, or None where there is
    nothing to show. Its name is the key of what it draws.
    """

    label: str
    parts: Sequence[Part | Section]


@dataclass(frozen=True)
class Download:
    """A CSV file for download: `make(context)` gives its text, once `ready(context)`: by default at
    once without jobs, else after the first iteration of one.
    """

    label: str
    name: str
    make: Callable[["Context"], str]
    ready: Callable[["Context"], bool] = lambda context: (
        context.page.view_of(context.spec).jobs is None
        or any(getattr(state, "iteration", 1) for state in context.states)
    )


class Script(NamedTuple):
    """What the exported Python script trains, and on how many of the test set it judges; or the
    search whose trials the trainings are.
    """

    trainings: Sequence[Training]
    n_test: int | None = None  # the first so many; None: all
    search: Search | None = None


def trainings_of(spec, states: Sequence) -> Script:
    """The trainings among the jobs."""
    return Script([state.training for state in states if isinstance(state, Progress)])


@dataclass(frozen=True)
class View:
    """One view of an experiment: its controls, jobs, results and notes.

    `form` holds controls, or is a function of the spec that returns them. `jobs(spec)` is computed
    in slices; `then(spec, states)` gives further jobs, which need the states of the completed ones
    and start by themselves unless the visitor stopped them.
    """

    form: Sequence | Callable[[Any], Sequence] = ()
    tabs: Sequence[Tab] = ()
    label: str = ""
    jobs: Callable[[Any], Sequence] | None = None
    then: Callable[[Any, Sequence], Sequence] | None = None
    notes: Sequence[Part] = ()
    downloads: Sequence[Download] = ()
    verb: str = "Train"
    units: str = "iterations"
    empty: str = N_("No optimizer yet: add one on the left.")  # where there are no jobs
    script: Callable[[Any, Sequence], Script] = trainings_of
    group: str | None = None  # views of one group share their jobs' results; None: its key


@dataclass(frozen=True)
class Drawing:
    """A page that draws its columns itself with Streamlit: functions of the page's form.

    `notes(form)` gives what is below its results, as pairs of a function and its argument;
    `live(form)` the traces of its figures by name, while a slider is dragged; `dependencies(form)`
    everything on which more than its figures, sliders, results and notes depends.
    """

    stage: Callable[[Any], None]
    controls: Callable[[Any], None]
    results: Callable[[Any], None]
    notes: Callable[[Any], Sequence[tuple]]
    title: Callable[[Any], str]
    live: Callable[[Any], Mapping]
    dependencies: Callable[[Any], Any]


@dataclass(frozen=True)
class Page:
    """A page is a question, and the spec with which it opens.

    A page with several views has their keys in its spec's field `view`; the key of a single one is
    "". `adjusted(spec)` corrects dependent fields after a change. `lines(spec, states, theme)` has
    the names and styles of the curves. `thumbnail(spec, theme)` is a small Figure.
    `ensembles(context)` has the name of each, and its accuracies on the validation and on the test
    set.
    """

    key: str
    title: str
    icon: str
    question: str
    chapter: str
    opening: Any
    views: Mapping[str, View] = field(default_factory=dict)
    presets: Sequence[Preset] = ()
    adjusted: Callable[[Any], Any] = lambda spec: spec
    lines: Callable[[Any, Sequence, Theme], Sequence] | None = None
    thumbnail: Callable[[Any, Theme], Figure] | None = None
    ensembles: Callable[["Context"], Sequence[tuple[str, float, float]]] | None = None
    buttons: Callable[[Any], None] | None = None  # of the page's form, at its head
    drawing: Drawing | None = None  # in place of views
    locks: bool = False  # whether who shares it may lock its controls

    def view_of(self, spec) -> View:
        """The view that the spec asks for."""
        return self.views[self.view_key(spec)]

    def view_key(self, spec) -> str:
        """Its key."""
        return getattr(spec, "view", "") if len(self.views) > 1 else next(iter(self.views))

    def thumbnail_svg(self, spec, theme: Theme) -> str:
        """The thumbnail of a spec, as SVG; an empty frame where its data are not available."""
        try:
            figure = self.thumbnail(spec, theme)
        except DataError:
            figure = Figure()
        return to_svg(figure, theme)


@dataclass(frozen=True)
class Context:
    """What a part is made from: spec, states of the jobs, theme, values of the switches."""

    page: Page
    spec: Any
    states: Sequence
    theme: Theme
    options: Mapping[str, Any] = field(default_factory=dict)
    previous_lines: Sequence = ()  # those from before the last change
    kept_lines: Sequence = ()  # those that are kept beside the current ones

    @cached_property
    def lines(self) -> Sequence:
        """The networks as lines of a chart."""
        return self.page.lines(self.spec, self.states, self.theme)

    @property
    def attribution(self) -> str:
        """The source of the trainings' data."""
        return DATASETS[self.spec.dataset.key].attribution

    @property
    def key(self) -> tuple:
        """Everything that a part is made from, as a key that keeps no state alive: it is of no use
        once those states are gone.
        """
        lines = [
            line._replace(progress=identity_keys([line.progress]))
            for line in (*self.previous_lines, *self.kept_lines)
        ]
        settings = canonical_json(to_dict(self.spec)), self.theme.ink, *self.options.items()
        return (
            self.page.key,
            *settings,
            identity_keys(self.states),
            len(self.previous_lines),
            *lines,
        )

    def with_options(self, options: Mapping[str, Any]) -> "Context":
        """The same with the values of further switches."""
        return replace(self, options={**self.options, **options})
