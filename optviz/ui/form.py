"""A form: the controls that a page declares, each bound by a lens to a place of the page's spec.

A control shows the value at its place; when a person changes it, another spec replaces the one
before. So no page needs getters and setters, and no range is written twice: it is that of the
field's declaration, and ↺ goes back to what the page opened with.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import streamlit as st

from optviz.lens import Lens, at
from optviz.optim.hyperparameter import Hyperparameter, hyperparameters
from optviz.plot import Style
from optviz.plot.equations import unicode_symbol
from optviz.ui.channel import component_endpoint, component_value, last_change
from optviz.ui.components import component
from optviz.ui.live import live_patch
from optviz.ui.meter import timed
from optviz.ui.session import session


@dataclass(frozen=True)
class Form:
    """A place in a spec that a person can change.

    `read()` gives the whole spec, `write(spec)` replaces it; `opening` is the one that the page
    opened with. A `locked` form is shown and cannot be changed.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], None]
    opening: Any = None
    lens: Lens = field(default_factory=at)
    locked: bool = False

    @property
    def value(self):
        """The present value of this place."""
        return self.lens.get(self.read())

    @property
    def default(self):
        """The value when the page opened; None where there was no such place."""
        try:
            return self.lens.get(self.opening)
        except (AttributeError, IndexError, TypeError):
            return None

    def set(self, value) -> None:
        """Replace the value of this place."""
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


# What a control may be bound to though it is not a field: its declaration and its lens.
DERIVED: dict[str, tuple[Hyperparameter, Lens]] = {}


def declaration(form: Form, path: str) -> tuple[Hyperparameter, Lens]:
    """The hyperparameter at a dotted path of the form's value, and its lens; its default is what
    the page opened with.
    """
    *outer, name = path.split(".")
    fields_of = hyperparameters(type(at(*outer).get(form.value)))
    by_name = {h.name: (h, at(*outer, name)) for h in fields_of}
    declared, lens = by_name[name] if name in by_name else DERIVED[path]
    default = replace(form, lens=form.lens.then(lens)).default
    return (declared if default is None else replace(declared, default=default)), lens


_panel = component("hyperparameters", '<div class="ov-panel"></div>')


def draw_panel(
    key: str,
    title: str,
    declared: tuple[Hyperparameter, ...],
    values: Callable[[], dict],
    turn: Callable[[dict], None],
    live: bool = False,
    locked: bool = False,
    notes: Callable[[], dict] | None = None,
    figures: Callable[[], dict] | None = None,
    style: Style | None = None,
    group: str = "",
) -> None:
    """Sliders of the `declared` hyperparameters at `values()` or their defaults; `notes()` gives
    remarks below some of them, by name.

    When a person moves one, `turn` is called with the valid values that the browser sent, before
    the script runs again; `locked` ones cannot be moved. `live` ones move the pictures, or those of
    `figures()`, while they are dragged, and the page follows when the hand rests. `style` puts a
    sample of the optimizer's line above them, and `group` a button that hides its lines.
    """
    if not declared:
        return

    def change(sent):
        if locked:
            return
        if not live:
            session().drag = sent.get("drag", 0)
        turn({h.name: sent[h.name] for h in declared if _in_range(h, sent.get(h.name))})

    def state():
        with timed("knob") if live and not session().full_rerun else nullcontext():
            traces = live_patch(figures or session().live_figures) if live else None
            current = values()
            return {
                "values": {h.name: current.get(h.name, h.default) for h in declared},
                "notes": notes() if notes else {},
                "traces": traces,
            }

    def answer(sent):
        change(sent)
        return state()

    def draw():
        data = {
            **state(),
            "hyperparameters": _declarations(declared),
            "echo": last_change(key),
            "label": title,
            "prefix": "ov" + hashlib.sha1(key.encode()).hexdigest()[:8],
            "sample": style and {"color": style.color, "dashes": style.dashes},
            "group": group,
            "locked": locked,
            "live": live,
            "endpoint": component_endpoint(key, answer) if live else None,
        }
        _panel(key=key, data=data, on_values_change=lambda: change(component_value(key)))

    if live:
        draw = st.fragment(draw)
    draw()


def _in_range(declared: Hyperparameter, value) -> bool:
    try:
        declared.check_range(value)
    except ValueError:
        return False
    return True


@cache
def _declarations(hyperparameters):
    """The hyperparameters as the browser needs them."""
    return [
        {
            "name": h.name,
            "label": h.label,
            "symbol": unicode_symbol(h.symbol),
            "help": h.help,
            "kind": h.kind.__name__,
            "whole": h.kind is int,
            "low": h.low,
            "high": h.high,
            "default": h.default,
            "scale": "log" if h.log else "near_one" if h.near_one else "linear",
        }
        for h in hyperparameters
    ]


def choice_panel(
    form: Form, registry, title: str = "", only=None, advanced: bool = False, **panel
) -> None:
    """Sliders of the hyperparameters of the choice at the form's place; of the advanced ones only
    those that were changed. If `advanced`, the advanced ones alone.
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

    def change(sent):
        form.set(form.value.with_values(**sent))

    key = form.key(f"{'more-' * advanced}of-{form.value.key}-{len(declared)}")
    draw_panel(key, title or cls.label, declared, values, change, locked=form.locked, **panel)


def _changed(choice, declared):
    return choice.values.get(declared.name, declared.default) != declared.default


def select(
    form: Form,
    label: str,
    names: Mapping,
    on_choose: Callable | None = None,
    value=None,
    segments: bool = False,
    help: str = "",
    what: str = "menu",
    hidden: bool = False,
) -> None:
    """A menu of keys by their `names`; at first `value`, or the value of the form's place.
    `on_choose(key)`, or that place, gets the choice. A widget's key never depends on its label.
    """
    key, keys = form.key(what), list(names)
    value = form.value if value is None else value
    common = {"key": key, "help": help or None, "disabled": form.locked}
    common["label_visibility"] = "collapsed" if hidden else "visible"
    common["on_change"] = lambda: (on_choose or form.set)(st.session_state[key])
    if segments:
        st.segmented_control(
            label, keys, default=value, format_func=names.get, required=True, **common
        )
    else:
        st.selectbox(label, keys, keys.index(value), names.get, **common)
