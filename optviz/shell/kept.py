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

LAST_STYLE = 31  # their styles count down from here; no page's own lines reach them


def keep(page: Page) -> None:
    """Keep what the page shows; at most MAX_KEPT, the newest."""
    S = session()
    spec, before = S.specs[page.key], S.kept_specs.get(page.key, ())
    S.kept_specs[page.key] = (*(kept for kept in before if kept != spec), spec)[-MAX_KEPT:]


def specs(page: Page) -> list:
    """The kept specs of the view that is shown."""
    S = session()
    shown = page.view_key(S.specs[page.key])
    return [kept for kept in S.kept_specs.get(page.key, ()) if page.view_key(kept) == shown]


def jobs(page: Page, view: View) -> list:
    """The jobs of all kept specs."""
    return [job for spec in specs(page) for job in view.jobs(spec)]


def lines(context: Context, view: View, results: Results) -> list[Network]:
    """The lines of kept runs in their own styles, without those that equal present ones."""
    present = [(line.progress.training, line.i) for line in context.lines]
    return [
        line._replace(id=f"kept{i}", style=style(LAST_STYLE - i, context.theme))
        for i, line in enumerate(chain(*_runs(context, view, results)))
        if (line.progress.training, line.i) not in present
    ]


def controls(context: Context, view: View, results: Results) -> None:
    """The kept runs, labeled by their settings; each can be removed."""
    page, runs = context.page, _runs(context, view, results)
    if not runs:
        return
    kept = specs(page)
    labels = [f"{i}: {_label([line.name for line in run])}" for i, run in enumerate(runs, 1)]
    key = session().key(f"kept-{'; '.join(labels)}")

    def remove():
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
        on_change=remove,
    )


def _runs(context, view, results):
    """The lines of each kept run, with names that differ from one another and from those of present
    lines.
    """
    page, theme = context.page, context.theme
    runs = [
        page.lines(spec, merge_seeds(states_of(results, view.jobs(spec))), theme)
        for spec in specs(page)
    ]
    if not runs:
        return []
    trainings = []
    for line in chain(context.lines, *runs):
        if line.progress.training not in trainings:
            trainings.append(line.progress.training)
    names = network_names(trainings)

    def rename(line):
        name = names[trainings.index(line.progress.training)][line.i]
        return line if name == "network" else line._replace(name=name)

    return [[rename(line) for line in run] for run in runs]


def _label(names):
    """What all names have in common, or else all names."""
    parts = [name.split(", ") for name in names]
    return ", ".join(part for part in parts[0] if all(part in p for p in parts)) or "; ".join(names)
