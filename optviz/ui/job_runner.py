"""Jobs that run elsewhere while one watches: the page requests them and draws their states.

The browser asks some ten times a second for what has grown in the pictures, which renews the
request; every two seconds a fragment redraws all. Nothing is computed here. So a job pauses when
nobody looks, and one can leave a page and come back to its states.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from time import monotonic, thread_time

import streamlit as st

from optviz.training.cost import PACE
from optviz.training.jobs import Amount, Job
from optviz.training.scheduler import INTEREST, scheduler
from optviz.training.workers import cores
from optviz.translation import _
from optviz.ui.channel import Endpoint, browser
from optviz.ui.components import button
from optviz.ui.live import follow_growth
from optviz.ui.public import training_seconds
from optviz.ui.session import Results, session

EVERY = 0.05  # seconds between two pictures, at least
WHOLE = 2.0  # seconds between two of which more is new than points: tables, boundaries, histograms
CHEAP = 3.0  # seconds that jobs may take to be run without being asked for
SHARE = 0.15  # of the server's time goes into pictures of trainings that grow
MAX_PAUSE = INTEREST / 2  # seconds between two of them; the request must not expire meanwhile
MAX_WAIT = 1.0  # seconds for one's turn

_DRAWING = Lock()


def states_of(results: Results, jobs: Sequence[Job]) -> list:
    """The states of all jobs."""
    return scheduler().states(results.visitor, results.tickets(jobs))


def amount_of(jobs: Sequence[Job], states: Sequence) -> Amount:
    """How much of all jobs is done."""
    amounts = [job.progress(state) for job, state in zip(jobs, states, strict=True)]
    return Amount(sum(a.done for a in amounts), sum(a.total for a in amounts))


def seconds_left(jobs: Sequence[Job], states: Sequence) -> float:
    """How long the jobs will take from here, roughly, with nobody else on the server."""
    pairs = zip(jobs, states, strict=True)
    costs = [(1 - job.progress(state).share) * job.cost for job, state in pairs]
    return PACE.seconds(costs, cores())


def begin_unasked(name: str, jobs: Sequence[Job], beside: Sequence[Job] = ()) -> None:
    """Run the jobs of a scene that was just opened, or changed where they are cheap, and those of
    kept scenes `beside` them; unless a person has stopped them.
    """
    results, S = session().results_of(name), session()
    scene, last = (S.epoch, tuple(ticket.key for ticket in results.tickets(jobs))), results.scene
    if scene == last:
        return
    just_opened = last is None or last[0] != S.epoch
    results.scene, results.before = scene, () if just_opened else results.lines
    if not results.stopped:
        jobs = [*jobs, *beside]
        states = states_of(results, jobs)
        # running jobs go on beside added ones
        extended = results.running and not just_opened and set(last[1]) <= set(scene[1])
        cheap = just_opened or extended or seconds_left(jobs, states) <= CHEAP
        results.running = cheap and not S.budget_spent and not amount_of(jobs, states).complete


def _renew_request(results, jobs: Callable[[], Sequence[Job]]) -> bool:
    """Renew the request for the jobs; whether nothing is left to wait for."""
    scheduler().watch(results.visitor, results.tickets(jobs()), session().spend)
    if results.running:  # no press of Stop has come meanwhile
        current = jobs()
        states = states_of(results, current)
        complete = amount_of(current, states).complete
        if not (complete or session().budget_spent or _errors(results, current)):
            return False
        _learn_pace(current, states)
    scheduler().leave(results.visitor)
    return True


def _learn_pace(jobs, states):
    """Correct estimates by how long complete trainings took."""
    for job, state in zip(jobs, states, strict=True):
        if len(taken := getattr(state, "seconds", ())) == job.length:
            PACE.learn(job.cost, float(taken[-1]))


def _errors(results, jobs):
    return list(dict.fromkeys(filter(None, map(scheduler().error, results.tickets(jobs)))))


def run_jobs(
    name: str,
    jobs: Callable[[], Sequence[Job]],
    draw: Callable[[list], None],
    grown: Callable[[list], dict],
    verb: str,
    units: str,
    keep: Callable[[], None] | None = None,
) -> None:
    """Buttons to start, stop, resume and reset jobs; `draw(states)` shows their states every two
    seconds, and `grown(states)` gives in between what is new in its pictures, by name.

    `jobs()` is asked again and again: it may give more of them once others are complete. `keep()`
    keeps the present runs for comparison, where there is such a thing.
    """
    results, epoch = session().results_of(name), session().epoch
    page, spec = session().page, session().specs[session().page]
    for other in session().results.values():
        if other is not results:  # of a page that is left
            scheduler().leave(other.visitor)
    current = jobs()
    amount = amount_of(current, states_of(results, current))
    was_running = results.running
    session().job_status = _status(amount, was_running)
    _buttons(name, results, current, amount, verb, keep)
    with st.container():
        _messages(results, current)

    def is_over():
        """Whether all is complete, or another page is to be drawn."""
        if results.running and _renew_request(results, jobs):
            results.running = False
        # A button in here has put another spec on the page; or Stop was pressed, or something was
        # chosen, as a picture was drawn: what leaves the browser at once is one message, which runs
        # this fragment alone.
        changed = not session().dragging and session().specs[page] != spec
        return results.running != was_running or session().epoch != epoch or changed

    def progress():
        states = states_of(results, current := jobs())
        amount, ahead = amount_of(current, states), scheduler().queue_position(results.visitor)
        return amount, _progress_text(amount, units, ahead), states

    # its buttons stand outside: a fragment that is to come back by itself must be begun by a run of
    # the page
    @st.fragment(key=f"pictures-{name}")
    def pictures():
        if is_over():
            st.rerun()
        begun = thread_time()
        drawn, drawn_text, states = progress()
        # before the pictures: in a container that waits for them it would vanish meanwhile
        st.progress(drawn.share, drawn_text)
        above = st.container()
        with _in_turn():
            draw(states)
        redraw_at = monotonic() + max(WHOLE, 3 * pause(thread_time() - begun, scheduler().visitors))

        def answer(versions):
            nonlocal drawn
            begun = thread_time()
            if is_over():
                return None
            amount, text, states = progress()
            first = amount.done and not drawn.done  # until then there may be no picture to grow
            if (first or monotonic() > redraw_at) and (amount, text) != (drawn, drawn_text):
                return None
            if amount == drawn:
                return {}
            browser().set_drawn(versions)
            with _in_turn():
                grown_pictures = grown(states)
            drawn = amount
            every = pause(thread_time() - begun, scheduler().visitors)
            return {"pictures": grown_pictures, "every": 1000 * every}

        if was_running:  # where it has ended meanwhile, the first answer is to run the page again
            with above:
                follow_growth(f"growth-{name}", Endpoint("growth", answer, watch=True), EVERY)

    pictures()


def _messages(results, jobs):
    """Why jobs do not go on."""
    if session().budget_spent:
        message = _(
            "This is a public server: each visit can train for {seconds:.0f} s, and yours has "
            "used them up. What you have trained stays, and what others have trained shows at "
            "once; on your own computer there is no limit."
        )
        st.info(message.format(seconds=training_seconds()), icon=":material/hourglass_disabled:")
    if not results.running:
        for reason in _errors(results, jobs):
            message = _("This could not be computed: {reason}.").format(reason=reason.rstrip("."))
            st.error(message, icon=":material/error:")


@contextmanager
def _in_turn() -> Iterator[None]:
    """One picture of a training is made at a time, for all visitors: who turns a knob meanwhile
    waits for one picture, not for a whole class's. Nobody waits for long.
    """
    acquired = _DRAWING.acquire(timeout=MAX_WAIT)
    try:
        yield
    finally:
        if acquired:
            _DRAWING.release()


def pause(seconds: float, visitors: int) -> float:
    """Seconds until the next picture of a training, if one takes so many: all who watch trainings
    leave most of the server's time to those who turn a knob.
    """
    return min(max(EVERY, seconds * visitors / SHARE), MAX_PAUSE)


def _progress_text(amount, units, ahead):
    if ahead:
        message = _("{done} of {total} {units}, other people's jobs ahead: {ahead}")
    else:
        message = _("{done} of {total} {units}")
    return message.format(done=amount.done, total=amount.total, units=units, ahead=ahead)


def _status(amount, running):
    if running:
        return _("Computing")
    return _("Complete") if amount.complete else _("Stopped") if amount.done else ""


def _button_label(verb, seconds):
    if seconds <= CHEAP:
        return verb
    if seconds < 90:
        return _("{verb} (about {seconds} s)").format(verb=verb, seconds=f"{seconds:.0f}")
    return _("{verb} (about {minutes} min)").format(verb=verb, minutes=f"{seconds / 60:.0f}")


def _buttons(name, results, jobs, amount, verb, keep):
    with st.container(horizontal=True, vertical_alignment="center", key=f"jobs-{name}"):
        # by what a click means: Streamlit may tell of one twice, while a training is drawn
        if results.running:
            button(_("Stop"), f"stop-{name}", run, name, False, icon="pause", primary=True)
        else:
            left = seconds_left(jobs, states_of(results, jobs))
            label = _("Resume") if 0 < amount.done < amount.total else _button_label(verb, left)
            off = amount.complete or session().budget_spent
            button(label, f"train-{name}", run, name, icon="play_arrow", primary=True, disabled=off)
        off = not amount.done or results.running
        button(_("Reset"), f"reset-{name}", reset, name, jobs, icon="restart_alt", disabled=off)
        if keep:
            off = results.running or not amount.complete
            about = _("Keep these curves in the picture, beside the next ones.")
            button(_("Keep"), f"keep-{name}", keep, icon="keep", disabled=off, help=about)


def run(name: str, running: bool = True) -> None:
    """Let the jobs of a page run, or stop them, for this visitor."""
    results = session().results_of(name)
    results.running, results.stopped = running, not running
    if not running:
        scheduler().leave(results.visitor)


def reset(name: str, jobs: Sequence[Job]) -> None:
    """Begin these jobs anew, as the visitor's own, since others may look at the shared ones."""
    results = session().results_of(name)
    results.running, results.stopped = False, True
    results.seen.clear()
    results.own.update(job.key for job in jobs)
    for ticket in results.tickets(jobs):
        scheduler().forget(ticket)
