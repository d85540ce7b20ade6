"""Controls that a page declares: panels of sliders, menus, pills, switches, and lists of things."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from optviz.lens import without
from optviz.optim.hyperparameter import Hyperparameter, sentence
from optviz.spec import Choice
from optviz.translation import _
from optviz.ui.components import button
from optviz.ui.form import Form, choice_panel, declaration, draw_panel, select
from optviz.ui.session import session


def switch(
    label: str, labels: Mapping[str, str], key: str, on_change=None, default: str = ""
) -> str:
    """The key of the part that is shown; at first `default`, or the first.

    It replaces Streamlit's tabs: the browser redraws those with every message, three times, and
    goes through all that they contain each time.
    """
    if st.session_state.get(key) not in labels:
        st.session_state.pop(key, None)  # left by what was shown here before
    return st.segmented_control(
        label,
        list(labels),
        default=default if default in labels else next(iter(labels)),
        format_func=labels.get,
        required=True,
        key=key,
        on_change=on_change,
        label_visibility="collapsed",
    )


@dataclass(frozen=True)
class Panel:
    """Sliders of the hyperparameters at these dotted paths.

    With `live` the page's pictures follow while one is dragged. `narrowed(form, hyperparameter)`
    may give one with another range, where that depends on other settings. `notes(value)` gives
    remarks below some of them, by name.
    """

    title: str
    paths: tuple[str, ...]
    live: bool = False
    narrowed: Callable[[Form, Hyperparameter], Hyperparameter] = lambda form, declared: declared
    notes: Callable[[Any], dict[str, str]] = lambda value: {}

    def draw(self, form: Form) -> None:
        declarations = [declaration(form, path) for path in self.paths]
        declared = tuple(self.narrowed(form, h) for h, _lens in declarations)
        lenses = {h.name: lens for h, lens in declarations}

        def change(sent):
            value, before = form.value, values()
            for name, number in sent.items():
                if number != before[name]:  # the browser sends all: unequal layers stay unequal
                    value = lenses[name].set(value, number)
            form.set(value)

        def values():
            return {name: lens.get(form.value) for name, lens in lenses.items()}

        limits = "-".join(f"{h.high:g}" for h in declared if h.name == "rows")
        key = form.key(f"panel-{'-'.join(lenses)}{limits}")
        draw_panel(
            key,
            self.title,
            declared,
            values,
            change,
            live=self.live,
            locked=form.locked,
            notes=lambda: self.notes(form.value),
        )


@dataclass(frozen=True)
class Menu:
    """A menu for the value at a dotted path: a choice from a registry, whose sliders follow, or an
    option.

    Registry and options are those that the field declares. `about` shows a sentence on the choice.
    With `segments` all are seen at once.
    """

    path: str
    about: bool = False
    segments: bool = False
    live: bool = False
    label: str = ""
    hidden: bool = False  # its label, to those who see

    def draw(self, form: Form) -> None:
        *outer, name = self.path.split(".")
        declared = next(f for f in fields(form.at(*outer).value) if f.name == name).metadata
        place = form.at(*outer, name)
        registry = declared.get("registry")
        names = {k: c.label for k, c in registry.items()} if registry else declared["options"]
        value = place.value.key if registry else place.value
        label = self.label or declared["label"]
        select(
            place,
            label,
            {key: _(name) for key, name in names.items()},
            lambda key: place.set(Choice(key) if registry else key),
            value,
            segments=self.segments,
            help=declared["help"],
            hidden=self.hidden,
        )
        if not registry:
            return
        if self.about:
            st.caption(sentence(registry[value]))
        choice_panel(place, registry, label, live=self.live)


@dataclass(frozen=True)
class Several:
    """Pills of which several can be chosen, for the tuple at a dotted path: choices of a registry,
    whose sliders follow, or keys of `options`.

    The order is that of `keys`. Of options at least one stays; choices keep their settings.
    """

    path: str
    label: str
    keys: Sequence[str]
    names: Callable[[str], str]
    registry: dict | None = None

    def draw(self, form: Form, **panel) -> None:
        place = form.at(*self.path.split("."))
        key, registry = place.key("pills"), self.registry

        def change():
            chosen = [k for k in self.keys if k in st.session_state[key]]
            if registry is not None:
                before = {choice.key: choice for choice in place.value}
                place.set(tuple(before.get(k, Choice(k)) for k in chosen))
            else:
                place.set(tuple(chosen or self.keys[:1]))

        st.pills(
            self.label,
            self.keys,
            selection_mode="multi",
            wrap=True,
            default=[choice if registry is None else choice.key for choice in place.value],
            format_func=self.names,
            key=key,
            on_change=change,
            disabled=form.locked,
        )
        if registry is not None:
            for i, choice in enumerate(place.value):
                st.caption(sentence(registry[choice.key]))
                choice_panel(place.at(i), registry, **panel)


def optional_choice(
    form: Form, registry, label: str, none: str, help: str = "", values=None, **panel
) -> None:
    """Segments for the form's place, a choice from a registry or None; and its sliders.

    `none` is the label of None, `values` are the hyperparameters that a new choice begins with.
    """

    def choose(key):
        form.set(Choice(key, dict(values or {})) if key else None)

    chosen = form.value.key if form.value else ""
    names = {"": none} | {key: key for key in registry}
    select(form, label, names, choose, chosen, segments=True, help=help)
    if form.value:
        st.caption(sentence(registry[chosen]))
        choice_panel(form, registry, label, **panel)


@dataclass(frozen=True)
class Toggle:
    """A switch for the value at a dotted path: `on` or `off`."""

    path: str
    label: str
    help: str = ""
    on: Any = True
    off: Any = False

    def draw(self, form: Form) -> None:
        place = form.at(*self.path.split("."))
        key = place.key("toggle")
        st.toggle(
            self.label,
            bool(place.value),
            key=key,
            help=self.help or None,
            on_change=lambda: place.set(self.on if st.session_state[key] else self.off),
            disabled=form.locked,
        )


@dataclass(frozen=True)
class When:
    """Controls that are shown while a condition on the spec holds."""

    condition: Callable[[Any], bool]
    controls: tuple

    def draw(self, form: Form) -> None:
        if self.condition(form.value):
            form.draw(self.controls)


@dataclass(frozen=True)
class ListOf:
    """A list of entries, each under its name with its settings, and a button to add one.

    `item(form, i, name)` draws the sliders of one; `settings(form)` what unfolds above them, None
    where there is nothing to change. `names(spec)` gives their names, which `heading` may shorten
    and `chips(value)` complete by what no slider shows. `new(spec)` is the one that is added, with
    `choices(spec)`, Markdown by key, `new(spec, key)`. `places(form)` gives their forms where they
    are identified by more than their index.
    """

    path: str
    names: Callable[[Any], Sequence[str]]
    item: Callable
    settings: Callable | None
    new: Callable[..., Any]
    add: str
    least: int = 1
    most: int = 8
    heading: Callable[[str], str] = str
    places: Callable[[Form], Sequence[Form]] | None = None
    chips: Callable[[Any], Sequence[str]] = lambda value: ()
    choices: Callable[[Any], Mapping[str, str]] | None = None

    def draw(self, form: Form) -> None:
        place = form.at(self.path)
        count = len(place.value)
        places = (
            self.places(form)
            if self.places
            else [replace(place.at(i), name=f"{place.name}-{i}-of-{count}") for i in range(count)]
        )
        for i, (entry, name) in enumerate(zip(places, self.names(form.value), strict=True)):
            if self._header(entry, name):
                with st.container(key=entry.key("sheet"), gap="small"):
                    self.settings(entry)
                    self._remove_button(place, count, i, name, entry.key("remove"))
                    settings = entry.key("settings")
                    button(_("Done"), entry.key("done"), _fold, settings, wide=True, primary=True)
            self.item(entry, i, name)
        if self.settings and not form.locked:
            self._add_button(form, place, count)

    def _header(self, entry, name):
        """Draw the name and the button for the settings; whether these are unfolded."""
        with st.container(horizontal=True, vertical_alignment="center", key=entry.key("head")):
            chips = " ".join(f":gray-badge[{chip}]" for chip in self.chips(entry.value))
            st.markdown(f"**{self.heading(name)}** {chips}", width="stretch")
            if not self.settings:
                return False
            label = _("Change {name}").format(name=name)
            return unfolding(label, entry.key("settings"), "tune", entry.locked)

    def _remove_button(self, place, count, i, name, key):
        """A button that removes one, where there are more than the least."""

        def remove():
            self._change(place, count, lambda value: without(value, i))

        label = _("Remove {name}").format(name=name)
        button(label, key, remove, icon="close", wide=True, disabled=count <= self.least)

    def _add_button(self, form, place, count):
        """A button that adds one, or unfolds what there is to choose from."""
        full = count >= self.most

        def add(*key):
            _fold(place.key("list"))
            self._change(place, count, lambda value: (*value, self.new(form.value, *key)))

        if self.choices is None:
            button(self.add, place.key("add"), add, icon="add", wide=True, disabled=full)
        elif unfolding(self.add, place.key("list"), "add", full, wide=True):
            with st.container(key=place.key("choices"), gap="small"):
                for key, label in self.choices(form.value).items():
                    button(label, place.key(f"add-{key}"), add, key, wide=True)

    @staticmethod
    def _change(place, count, change):
        """Once only: while a training is drawn, Streamlit may report one click twice."""
        if len(place.value) == count:
            place.set(change(place.value))


def _fold(key):
    st.session_state[key] = False


def unfolding(label: str, key: str, icon: str, locked: bool, wide: bool = False) -> bool:
    """A button that unfolds what stands below it, and folds it again; whether it is unfolded."""
    unfolded = bool(st.session_state.get(key)) and not locked
    session().details_open |= unfolded

    def toggle():  # the opposite of what is shown now: one click may be reported twice
        st.session_state[key] = not unfolded

    name = f"{key}-button"
    button(label, name, toggle, icon=icon, wide=wide, primary=unfolded, disabled=locked)
    return unfolded
