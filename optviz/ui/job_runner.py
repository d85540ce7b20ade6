"""Jobs that run while one watches: a moment of work at a time, between two pictures.

A fragment comes back four times a second, works for a moment, and draws what there is. So a job can
be stopped at once, keeps what it has, and leaves room for other visitors.
"""

from collections.abc import Callable, Sequence
from time import perf_counter

import streamlit as st

from optviz.training.jobs import Amount, Job, farthest_behind
from optviz.translation import _
from optviz.ui.session import Results, session

EVERY = 0.25  # seconds between two pictures
BUDGET = 0.15  # of them spent on work
SLICE = 0.03  # of a job at a time: whoever is farthest behind is next
KEPT = 12  # states per job that are kept: settings to come back to


def state_of(results: Results, job: Job):
    """How far a job has come: from what is kept, or else from its beginning."""
    kept = results.states.pop(job.key, None)  # and to the end of the order of use
    state = job.begin() if kept is None else job.resume(kept)
    results.states[job.key] = state
    return state


def states_of(results: Results, jobs: Sequence[Job]) -> list:
    """How far all have come."""
    return [state_of(results, job) for job in jobs]


def amount_of(jobs: Sequence[Job], states: Sequence) -> Amount:
    """How much of all is done."""
    amounts = [job.progress(state) for job, state in zip(jobs, states, strict=True)]
    return Amount(sum(a.done for a in amounts), sum(a.total for a in amounts))


def _work(results: Results, jobs: Callable[[], Sequence[Job]]) -> bool:
    """Work for a moment; whether anything is left to do.

    Streamlit may begin the next run while this one is not quite over: who resets in the meantime
    gets other results, and nothing of this is put into them.
    """
    until = perf_counter() + BUDGET
    while results.running and (left := until - perf_counter()) > 0:
        now = jobs()
        states = states_of(results, now)
        i = farthest_behind(now, states)
        if i is None:
            return False
        budget = left if len(now) == 1 else min(SLICE, left)
        results.states[now[i].key] = now[i].advance(states[i], budget)
        for old in list(results.states)[: -KEPT * len(now)]:
            del results.states[old]
    return True


def run_jobs(
    name: str,
    jobs: Callable[[], Sequence[Job]],
    draw: Callable[[list], None],
    verb: str,
    units: str,
) -> None:
    """Buttons to start, stop, resume and reset jobs; `draw(states)` shows what there is, while it
    grows.

    `jobs()` is asked again and again: it may give more of them once others are complete.
    """
    results, epoch = session().results_of(name), session().epoch
    _buttons(name, results, amount_of(now := jobs(), states_of(results, now)), verb)

    # its buttons stand outside: a fragment that is to come back by itself must be begun by a run of
    # the page
    @st.fragment(run_every=EVERY if results.running else None)
    def sliced():
        if session().epoch != epoch:  # a button in here has put another spec on the page
            st.rerun()
        if results.running and not _work(results, jobs):
            results.running = False
            st.rerun()
        now = jobs()
        states = states_of(results, now)
        amount = amount_of(now, states)
        told = _("{done} of {total} {units}").format(
            done=amount.done, total=amount.total, units=units
        )
        st.progress(amount.done / amount.total if amount.total else 1.0, told)
        draw(states)

    sliced()


def _buttons(name, results, amount, verb):
    with st.container(horizontal=True, vertical_alignment="center", key=f"jobs-{name}"):
        if results.running:
            st.button(
                _("Stop"),
                key=f"stop-{name}",
                icon=":material/pause:",
                type="primary",
                on_click=run,
                args=(name, False),
            )
        else:
            st.button(
                _("Resume") if 0 < amount.done < amount.total else verb,
                key=f"train-{name}",
                icon=":material/play_arrow:",
                type="primary",
                disabled=amount.complete,
                on_click=run,
                args=(name, True),
            )
        st.button(
            _("Reset"),
            key=f"reset-{name}",
            icon=":material/restart_alt:",
            disabled=not amount.done or results.running,
            on_click=reset,
            args=(name,),
        )


def run(name: str, running: bool = True) -> None:
    """Let the jobs of a page run, or stop them."""
    results = session().results_of(name)
    results.running, results.stopped = running, not running


def reset(name: str) -> None:
    """Forget what the jobs of a page have come to."""
    session().results[name] = Results()
