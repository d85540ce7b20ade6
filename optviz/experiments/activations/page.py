"""The activations page: what becomes of a signal in layers that nobody has trained."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.activations import figures, text
from optviz.experiments.activations.samples import upload
from optviz.experiments.activations.spec import MAX_STACKS, Activations
from optviz.experiments.page import Download, Page, Tab, View
from optviz.spec import Choice
from optviz.translation import N_, _
from optviz.ui.components import button
from optviz.ui.controls import Menu, Panel, Toggle
from optviz.ui.form import Form

MENUS = (Menu("activation", live=True), Menu("initializer", about=True, live=True))
NUMBERS = ("layers", "units", "seed")


def settings(form: Form) -> None:
    """One setting, or several and their letters."""
    place = form.at("stacks")
    stacks = place.value
    for i, letter in enumerate(text.LETTERS[: len(stacks)]):
        title = _("Setting {letter}").format(letter=letter)
        if len(stacks) > 1:
            st.markdown(f"**{title}**")
        place.at(i).draw((*MENUS, Panel(title, NUMBERS, live=True)))

    def change_button(label, icon, new_stacks):
        key = place.key(f"{icon}-{len(stacks)}")
        button(label, key, place.set, new_stacks, icon=icon, wide=True)

    if len(stacks) < MAX_STACKS:
        other = replace(stacks[0], initializer=Choice(("book", "he_normal")[len(stacks) - 1]))
        change_button(_("Compare with another setting"), "add", (*stacks, other))
    if len(stacks) > 1:
        remove = _("Remove setting {letter}").format(letter=text.LETTERS[len(stacks) - 1])
        change_button(remove, "close", stacks[:-1])


PAGE = Page(
    "activations",
    N_("Activations"),
    "bar_chart",
    N_("What becomes of a signal in a deep network?"),
    "Networks",
    Activations(),
    {
        "": View(
            form=[
                settings,
                Menu("backward", live=True),
                Toggle("shared_range", _("One range for all layers")),
                upload,
            ],
            tabs=[
                Tab(_("Histograms"), [figures.settings]),
                Tab(_("Activation functions"), [figures.functions]),
                Tab(_("Initial weights"), [figures.initial_weights, text.about_weights]),
            ],
            notes=[text.numbers, text.terms, text.initializers],
            downloads=[Download(_("Table as CSV"), "table", text.numbers_csv)],
        )
    },
    thumbnail=figures.thumbnail,
    adjusted=Activations.affordable,
)
