"""Runs that a visitor keeps beside the present one: specs of the page, in its link and files."""

from itertools import chain

import streamlit as st

from optviz.experiments.page import Context, Page, View
from optviz.plot import style
from optviz.plot.training import Network
from optviz.shell.export.networks import network_names
from optviz.shell.share import MAX_KEPT
from optviz.training import merge_seeds
from optviz.translation import _
from optviz.ui.job_runner import states_of
from optviz.ui.session import Results, session

LAST_LOOK = 31  # they have looks from here downward, which no page's own lines reach


def keep(page: Page) -> None:
    """Keep what the page shows; of more than MAX_KEPT the newest."""
    S = session()
    spec, before = S.specs[page.key], S.kept_specs.get(page.key, ())
    S.kept_specs[page.key] = (*(kept for kept in before if kept != spec), spec)[-MAX_KEPT:]


def specs(page: Page) -> list:
    """The kept specs of the view that is shown."""
    S = session()
    shown = page.view_key(S.specs[page.key])
    return [kept for kept in S.kept_specs.get(page.key, ()) if page.view_key(kept) == shown]


def jobs(page: Page, view: View) -> list:
    """The jobs of all that is kept."""
    return [job for spec in specs(page) for job in view.jobs(spec)]


def lines(context: Context, view: View, results: Results) -> list[Network]:
    """The lines of kept runs in looks of their own, without those that are present ones too."""
    present = [(line.progress.training, line.i) for line in context.lines]
    return [
        line._replace(id=f"kept{i}", style=style(LAST_LOOK - i, context.theme))
        for i, line in enumerate(chain(*_runs(context, view, results)))
        if (line.progress.training, line.i) not in present
    ]


def controls(context: Context, view: View, results: Results) -> None:
    """What is kept, by its settings; each can be taken away."""
    page, runs = context.page, _runs(context, view, results)
    if not runs:
        return
    kept = specs(page)
    labels = [f"{i}: {_label([line.name for line in run])}" for i, run in enumerate(runs, 1)]
    key = session().key(f"kept-{'; '.join(labels)}")

    def take_away():
        left = [kept[i] for i in st.session_state[key]]
        others = (k for k in session().kept_specs[page.key] if k not in kept)
        session().kept_specs[page.key] = (*others, *left)

    st.pills(
        _("Kept: click to remove it"),
        range(len(kept)),
        selection_mode="multi",
        default=range(len(kept)),
        format_func=labels.__getitem__,
        wrap=True,
        key=key,
        on_change=take_away,
    )


def _runs(context, view, results):
    """The lines of each kept run, by names that tell them from one another and from the present
    lines.
    """
    page, theme = context.page, context.theme
    found = [
        page.lines(spec, merge_seeds(states_of(results, view.jobs(spec))), theme)
        for spec in specs(page)
    ]
    if not found:
        return []
    trainings = []
    for line in chain(context.lines, *found):
        if line.progress.training not in trainings:
            trainings.append(line.progress.training)
    names = network_names(trainings)

    def named(line):
        own = names[trainings.index(line.progress.training)][line.i]
        return line if own == "network" else line._replace(name=own)

    return [[named(line) for line in run] for run in found]


def _label(names):
    """What all names have in common, or else all of them."""
    parts = [name.split(", ") for name in names]
    return ", ".join(part for part in parts[0] if all(part in p for p in parts)) or "; ".join(names)
