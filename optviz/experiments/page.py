"""What the page of an experiment declares. The shell draws it, and exports it."""

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

    A toggle where `choices` is None, else one of its keys; where there are fewer than two it is not
    drawn. `default` and `choices` may be functions of the context, with what the switches before it
    say in its options; `disabled(options)` looks at these, too.
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
    """Parts that are folded away; `parts()` makes them once they are wanted."""

    label: str
    parts: Callable[[], Sequence[Any]]


@dataclass(frozen=True)
class Widget:
    """What a part draws itself with Streamlit, where the values above do not do."""

    draw: Callable[[], None]


Part = Callable[["Context"], Any]


@dataclass(frozen=True)
class Section:
    """Switches, and parts that look at what they say, below them (or above: `options_below`).

    It is there while `when(context)` says so; with a label to be `folded` under, it is folded away.
    """

    parts: Sequence[Part]
    options: Sequence[Option] = ()
    options_below: bool = False
    when: Callable[["Context"], Any] = lambda context: True
    folded: str = ""


@dataclass(frozen=True)
class Tab:
    """A tab of results: parts, or sections of them.

    A part is a function of the context. What it gives is drawn: a Figure, a Table, an ImageGrid,
    Markdown, a Caption, a Row, an Expander, a Widget, a sequence of these, or None where there is
    nothing to show. Its name is the key of what it draws.
    """

    label: str
    parts: Sequence[Part | Section]


@dataclass(frozen=True)
class Download:
    """A CSV file that one can take: `make(context)` gives its text, once `ready(context)`: where
    not said otherwise, at once without jobs, else after the first iteration of one.
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
    """One way to look at an experiment: its controls, what it computes, what it shows and says.

    `form` holds controls, or is a function of the spec that gives them. `jobs(spec)` is what is
    computed in slices; `then(spec, states)` more jobs, which need the states of those that are
    complete, and go on by themselves unless they were stopped.
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
    group: str | None = None  # views of one group share what their jobs have come to; None: its key


@dataclass(frozen=True)
class Drawing:
    """A page that draws its columns itself with Streamlit: functions of the page's form.

    `notes(form)` gives what stands below its results, functions and what each of them shows;
    `live(form)` the traces of its figures by name, for a slider that is held; `dependencies(form)`
    what all but its figures, sliders, results and notes depends on.
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

    A page with several views has their keys in its spec's field `view`; the key of an only one is
    "". `adjusted(spec)` puts right what follows from other fields after a change. `lines(spec,
    states, theme)` names and styles what the curves show. `thumbnail(spec, theme)` is a small
    Figure. `ensembles(context)` has the name of each, and its accuracies on the validation
    and on the test set.
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
        """A spec in the size of a thumbnail, as SVG; an empty frame where its data are not here."""
        try:
            figure = self.thumbnail(spec, theme)
        except DataError:
            figure = Figure()
        return to_svg(figure, theme)


@dataclass(frozen=True)
class Context:
    """What a part is made from: spec, states of the jobs, theme, what the switches say."""

    page: Page
    spec: Any
    states: Sequence
    theme: Theme
    options: Mapping[str, Any] = field(default_factory=dict)
    previous_lines: Sequence = ()  # lines of what was there before the last change
    kept_lines: Sequence = ()  # lines that are kept beside the present ones

    @cached_property
    def lines(self) -> Sequence:
        """The networks as lines of a chart."""
        return self.page.lines(self.spec, self.states, self.theme)

    @property
    def attribution(self) -> str:
        """Whose the data of the trainings are."""
        return DATASETS[self.spec.dataset.key].attribution

    @property
    def key(self) -> tuple:
        """All that a part is made from, in a form that keeps no state: without those that it was
        made for it is nobody's any more.
        """
        beside = [
            line._replace(progress=identity_keys([line.progress]))
            for line in (*self.previous_lines, *self.kept_lines)
        ]
        looks = canonical_json(to_dict(self.spec)), self.theme.ink, *self.options.items()
        return (
            self.page.key,
            *looks,
            identity_keys(self.states),
            len(self.previous_lines),
            *beside,
        )

    def with_options(self, options: Mapping[str, Any]) -> "Context":
        """The same with what more switches say."""
        return replace(self, options={**self.options, **options})
