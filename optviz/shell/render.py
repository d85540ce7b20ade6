"""How a declared page is drawn: its question, its controls beside its results, its notes below.

The shell writes the page's address and exports it; an experiment knows nothing of either.
"""

from dataclasses import replace
from functools import partial

import streamlit as st

from optviz.experiments import training_charts as charts
from optviz.experiments.page import Context, Page, Section
from optviz.plot import THEMES, to_plotly
from optviz.plot.training import curves_only
from optviz.shell import kept, opening, sharing
from optviz.shell.export import menu as export
from optviz.shell.lessons import card as lesson_card
from optviz.shell.lessons import plan as lesson_plan
from optviz.shell.parts import draw_part, growing, name_of_part, pictures, tabs
from optviz.spec import SpecError, canonical_json, to_dict, validate
from optviz.training import merge_seeds
from optviz.translation import _
from optviz.ui import locks
from optviz.ui.cache import cached
from optviz.ui.components import button, lazy_popover, page_contents, theme_name, toolbar
from optviz.ui.form import Form, select
from optviz.ui.job_runner import amount_of, begin_unasked, run, run_jobs, states_of
from optviz.ui.live import draw_notes, draw_settled, full_rerun, on_rest
from optviz.ui.session import session
from optviz.ui.training.jobs import MissingData


def render(page: Page) -> None:
    """Draw a declared page."""
    opening.switch_to_next_page(page.key)
    opening.open_page(page.key)
    session().job_status = ""
    form = form_of(page)
    with full_rerun(lambda: live_figures(page)):
        bar, head, stage = st.container(key="bar"), st.container(), st.container(key="stage")
        with stage:
            results, panel, under = st.columns(3)
        with panel:
            lesson_card.card()
            lesson_plan.card()
        if page.drawing:
            with results:
                page.drawing.stage(form)
            with panel:
                page.drawing.controls(form)
        else:
            _draw_columns(page, form, results, panel, under)
        with head:
            _draw_header(page, form)
        if page.drawing:
            with under:
                draw_settled(
                    lambda: (page.drawing.results(form), _finish(bar, on_rest)),
                    lambda: (page.drawing.dependencies(form), lesson_card.changed()),
                )
                draw_notes(lambda: page.drawing.notes(form))
        else:
            _finish(bar, session().rest)


def _finish(bar, on_rest):
    """Draw the toolbar: it is known last, and reached first by Tab."""
    session().remember()
    with bar:
        toolbar(session(), sharing.query(), on_rest, opening.resume)


def _draw_columns(page, form, results, panel, under):
    """The columns of a declared page; the results last, after the controls have been read."""
    view = page.view_of(form.value)
    with results:
        _view_choice(page, form)
    with panel:
        _presets(page)
        form.draw(view.form(form.value) if callable(view.form) else view.form)
    with results:
        jobs = _results(page, view)
    with under:
        _notes(page, view, jobs)


def form_of(page: Page) -> Form:
    """The form of the page's spec."""

    epoch = session().epoch

    def write(spec):
        if session().epoch == epoch:  # or else a control that is gone still reports its value
            session().specs[page.key] = page.adjusted(spec)

    return Form(page.key, lambda: session().specs[page.key], write, page.opening)


def context_of(page: Page, states=()) -> Context:
    """The context that the page's parts are made from."""
    return Context(page, session().specs[page.key], merge_seeds(states), THEMES[theme_name()])


# Around the results.


def _draw_header(page, form):
    """The page's question and its buttons."""
    opening.draw_complaint()
    if page.locks and (groups := locks.restricted_groups()):
        message = _("Locked or hidden by the author of this link: {locked}.")
        st.caption(message.format(locked=groups))
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        title = page.drawing.title(form) if page.drawing else _(page.question)
        st.markdown(f"# {title}", width="stretch")
        if page.buttons:
            page.buttons(form)
        lazy_popover(_("Share"), ":material/share:", "share", sharing.share_controls)
        lazy_popover(_("Export"), ":material/download:", "take-home", export.menu)


def _view_choice(page, form):
    """A menu of the experiment's views, where it has several."""
    if len(page.views) > 1:
        labels = {key: _(view.label) for key, view in page.views.items()}
        with st.container(key=f"{page.key}-views"):
            select(form.at("view"), _("View"), labels, segments=True, hidden=True)


def _presets(page):
    if page.presets:
        with st.container(horizontal=True, key=f"{page.key}-presets", gap="small"):
            for preset in page.presets:
                key = f"preset-{preset.label}"
                button(preset.label, key, _apply_preset, page, preset, help=preset.help)


def _apply_preset(page, preset):
    session().show(page.key, preset.spec)
    if preset.tab:
        session().open_tab(page.key, preset.tab)
    if preset.run:
        run(name_of(page))


def _notes(page, view, jobs):
    """The notes below, from the states as they are when the page is run."""
    try:
        states = states_of(session().results_of(name_of(page)), jobs())
    except ValueError:  # shown above
        states = ()
    context = context_of(page, states)
    for part in view.notes:
        draw_part(context, part)


# Results.


def name_of(page: Page) -> str:
    """The name by which the session keeps the results of the page's jobs."""
    spec = session().specs[page.key]
    group = page.view_of(spec).group
    return f"{page.key}-{page.view_key(spec) if group is None else group}".rstrip("-")


def _jobs(page, view):
    """The jobs of what the page shows; and a function that gives them with those that follow once
    they are complete.
    """
    spec = session().specs[page.key]
    first = list(view.jobs(spec))

    def jobs():
        if view.then is None:
            return first
        states = states_of(session().results_of(name_of(page)), first)
        complete = first and amount_of(first, states).complete
        return [*first, *view.then(spec, states)] if complete else first

    return first, jobs


def _results(page, view):
    """Draw the results: at once, or in slices while one watches. Gives the jobs, none where the
    spec is refused.
    """
    jobs = list
    try:
        spec = session().specs[page.key]
        _validate(page.key, canonical_json(to_dict(spec)), spec)
        if view.jobs is None:
            tabs(context_of(page), view)
            return jobs
        first, jobs = _jobs(page, view)
        if first:
            _watch(page, view, first, jobs)
        else:
            st.info(_(view.empty))
    except MissingData as error:
        st.info(f"{error}", icon=":material/download:")
    except SpecError as error:
        message = _("This cannot be computed here: {reason}.").format(reason=error)
        st.error(message, icon=":material/error:")
    except ValueError as error:
        st.error(f"{error}", icon=":material/error:")
    return jobs


def _watch(page, view, first, jobs):
    """Draw the jobs' states while one watches, in pages with curves beside the kept runs."""
    name, comparing = name_of(page), charts.compares(view)
    results = session().results_of(name)
    kept_jobs = kept.jobs(page, view) if comparing else []
    due = [
        job
        for job, state in zip(kept_jobs, states_of(results, kept_jobs), strict=True)
        if not job.progress(state).complete and job not in first
    ]
    begin_unasked(name, first, due)
    _follow(results, view, first, jobs)

    def watched_context(states):
        states = states[: len(states) - len(due)]
        context = context_of(page, states)
        if not comparing:
            return context
        if amount_of(first, states[: len(first)]).complete:
            results.lines = [curves_only(line) for line in context.lines]
        pinned = kept.lines(context, view, results)
        return replace(context, previous_lines=results.before, kept_lines=pinned)

    def draw(states):
        context = watched_context(states)
        page_contents().script = lambda: view.script(context.spec, context.states)
        tabs(context, view)

    if comparing:
        with st.container():
            kept.controls(context_of(page, states_of(results, jobs())), view, results)
    run_jobs(
        name,
        lambda: [*jobs(), *due],
        draw,
        lambda states: growing(watched_context(states)),
        view.verb,
        view.units,
        partial(kept.keep, page) if comparing else None,
    )


@cached
def _validate(key, spec, _spec):
    validate(_spec)


def _follow(results, view, first, jobs):
    """Let jobs that follow complete ones run by themselves, unless a person has stopped them."""
    if view.then is None or results.running or results.stopped:
        return
    current = jobs()
    if len(current) > len(first):
        results.running = not amount_of(current, states_of(results, current)).complete


def live_figures(page: Page) -> dict[str, dict]:
    """The figures of the page's first tab by name, for the pictures that follow a slider."""
    if page.drawing:
        return page.drawing.live(form_of(page))
    view = page.view_of(session().specs[page.key])
    context, parts = context_of(page), [p for p in view.tabs[0].parts if not isinstance(p, Section)]
    named_figures = (pictures(part(context), name_of_part(page, part)) for part in parts)
    return {key: to_plotly(figure) for figures in named_figures for key, figure in figures}
