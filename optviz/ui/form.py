"""A form: the controls that a page declares, each bound by a lens to a place of the page's spec.

A control shows what stands at its place; when a person changes it, another spec takes the place of
the one before. So no page writes getters and setters, and no range stands twice: it is that of the
field's declaration, and ↺ goes back to what the page opened with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from optviz.lens import Lens, at
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters
from optviz.ui.beside import told
from optviz.ui.components import hyperparameter_panel
from optviz.ui.live import live_panel
from optviz.ui.session import session


@dataclass(frozen=True)
class Form:
    """A place of a spec under a person's hands.

    `read()` gives the whole spec, `write(spec)` puts another in place; `opening` is the one that
    the page opened with. A `locked` form is shown and cannot be changed.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], None]
    opening: Any = None
    lens: Lens = field(default_factory=at)
    locked: bool = False

    @property
    def value(self):
        """What stands here now."""
        return self.lens.get(self.read())

    @property
    def default(self):
        """What stood here when the page opened; None where it had no such place."""
        try:
            return self.lens.get(self.opening)
        except (AttributeError, IndexError, TypeError):
            return None

    def set(self, value) -> None:
        """Put something else here."""
        with session().lock:
            self.write(self.lens.set(self.read(), value))

    def at(self, *path: str | int) -> "Form":
        """A place within this one."""
        name = "-".join([self.name, *map(str, path)])
        return replace(self, name=name, lens=self.lens.at(*path))

    def key(self, what: str = "") -> str:
        """The key of a widget of this place."""
        return session().key(f"{self.name}-{what}" if what else self.name)

    def draw(self, controls: Sequence) -> None:
        """Draw controls, or functions of the form, one below the other."""
        for control in controls:
            (control.draw if hasattr(control, "draw") else control)(self)


# What a control may be bound to that is not itself a field: its declaration, and where it is.
DERIVED: dict[str, tuple[Hyperparameter, Lens]] = {}


def declaration(form: Form, path: str) -> tuple[Hyperparameter, Lens]:
    """The hyperparameter at a dotted path of the form's value, and its place; ↺ is what it opened
    with.
    """
    *outer, name = path.split(".")
    fields_of = hyperparameters(type(at(*outer).get(form.value)))
    own = {h.name: (h, at(*outer, name)) for h in fields_of}
    declared, lens = own[name] if name in own else DERIVED[path]
    default = replace(form, lens=form.lens.then(lens)).default
    return (declared if default is None else replace(declared, default=default)), lens


def draw_panel(
    key, title, declared, values, turn, live=False, locked=False, notes=None, figures=None, **more
) -> None:
    """Sliders; live ones move the pictures, or those of `figures()`, while they are dragged.

    `notes()` gives what is said below some of them, by name.
    """
    if not declared:
        return
    more["locked"] = locked
    if live:
        live_panel(key, title, declared, values, turn, notes, figures=figures, **more)
    else:

        def hand(new):
            session().drag = told(key).get("drag", 0)
            turn(new)

        said = notes() if notes else {}
        hyperparameter_panel(key, title, declared, values(), hand, said, **more)


def choice_panel(
    form: Form, registry, title: str = "", only=None, advanced: bool = False, **more
) -> None:
    """Sliders of the hyperparameters of what is chosen at the form's place: of those that are put
    away as `advanced` only the ones that were changed, or else these alone.
    """
    cls = registry[form.value.key]
    declared = tuple(
        h
        for h in hyperparameters(cls)
        if (only is None or only(h))
        and (h.advanced if advanced else not h.advanced or _changed(form.value, h))
    )

    def values():
        return form.value.values if form.value else {}

    def turn(new):
        form.set(form.value.with_values(**new))

    key = form.key(f"{'more-' * advanced}of-{form.value.key}-{len(declared)}")
    draw_panel(key, title or cls.label, declared, values, turn, locked=form.locked, **more)


def _changed(choice, declared):
    return choice.values.get(declared.name, declared.default) != declared.default


def select(
    form: Form, label, keys, value, name, put, segments=False, help="", what="menu", hidden=False
) -> None:
    """A menu whose choice goes to `put(key)`; the keys of a widget never depend on its label."""
    key = form.key(what)
    common = {"key": key, "help": help or None, "disabled": form.locked}
    common["label_visibility"] = "collapsed" if hidden else "visible"

    def change():
        put(st.session_state[key])

    if segments:
        st.segmented_control(
            label, keys, default=value, format_func=name, required=True, on_change=change, **common
        )
    else:
        st.selectbox(label, keys, keys.index(value), name, on_change=change, **common)
