"""Trainings that run while one watches: a few milliseconds of work at a time, between two pictures.

A fragment comes back four times a second, trains for a moment, and draws what there is. So it can be
stopped at once, keeps what it has, and leaves room for other visitors.
"""

from dataclasses import replace
from time import perf_counter

import streamlit as st

from optviz.spec import canonical_json, to_dict
from optviz.training import (
    MAX_NUMBERS,
    Progress,
    Training,
    advance,
    begin,
    held_numbers,
    load,
)
from optviz.ui.components import shown
from optviz.ui.data_source import missing_message, source_of
from optviz.ui.session import session

EVERY = 0.25  # seconds between two pictures
BUDGET = 0.15  # of them spent on training
CHUNK = 5  # iterations in one go; the clock is looked at in between


def key_of(training: Training) -> str:
    """What the numbers depend on: not on how long it goes on, but on whose files the data come from."""
    return canonical_json(to_dict(replace(training, iterations=0))) + source_of(training.dataset.key)[0]


@st.cache_resource(max_entries=8, show_spinner="Reading the data …")
def _data(key, _training, _source):
    return load(_training, _source)


def data_of(training: Training):
    """The training's rows. ValueError, for a person, where they cannot be had."""
    if why := missing_message(training.dataset.key):
        raise ValueError(why)
    mark, source = source_of(training.dataset.key)
    return _data(canonical_json(to_dict([training.dataset, training.split, training.inputs])) + mark, training, source)


def shelf(name: str) -> dict:
    """Of a page: whether it is `running`, and what is `kept` of what was done, by what its numbers depend on."""
    return st.session_state.setdefault("labs", {}).setdefault(name, {"running": False, "kept": {}})


def progress(name: str, training: Training) -> Progress:
    """How far this training has come on this page; what is kept of a shorter or stopped one goes on."""
    return _progress(shelf(name)["kept"], training)


def _progress(kept, training):
    key = key_of(training)
    now = kept.get(key)
    if now is None or now.iteration > training.iterations:
        now = begin(training, data_of(training))
    elif now.training.iterations != training.iterations:
        now = replace(now, training=training)
    kept[key] = now
    return now


def _step(name, trainings):
    """Train for a moment, whoever is farthest behind first; whether anything is left to do.

    Streamlit may begin the next run while this one is not quite over: who began again in the meantime
    has other shelves, and nothing of this is put on them.
    """
    lab, until = shelf(name), perf_counter() + BUDGET
    kept = lab["kept"]
    while perf_counter() < until and lab["running"]:
        behind = [now for t in trainings if not (now := _progress(kept, t)).done]
        if not behind:
            return False
        now = min(behind, key=lambda now: now.iteration / now.training.iterations)
        t, training = now.iteration, now.training
        stops = [training.eval_every - t % training.eval_every, training.iterations - t, CHUNK]
        if training.snapshot_every:
            stops.append(training.snapshot_every - t % training.snapshot_every)
        kept[key_of(training)] = advance(now, data_of(training), min(stops))
    return True


def laboratory(name: str, trainings: list[Training], draw) -> None:
    """Buttons to train, stop, go on and begin again; `draw(progresses)` shows what there is, while it grows."""
    lab = shelf(name)
    shown().trainings[name] = trainings
    if not trainings:
        st.info("Nobody trains. Add an optimizer beside the picture.")
        return
    if (numbers := max(map(held_numbers, trainings))) > MAX_NUMBERS:  # each hyperparameter allows its share of it
        st.error(
            f"This cannot be trained here: it holds {numbers:,} numbers at a time; {MAX_NUMBERS:,} are the most.", icon=":material/error:"
        )  # fmt: skip
        return
    try:
        data_of(trainings[0])
    except ValueError as error:
        lab["running"] = False  # and does not go on by itself when they are there
        if missing_message(trainings[0].dataset.key):
            st.info(f"{error}", icon=":material/download:")
        else:
            st.error(f"{error}", icon=":material/error:")
        return

    def progresses():
        return [progress(name, t) for t in trainings]

    def counted():
        found = progresses()
        return sum(now.iteration for now in found), sum(now.training.iterations for now in found)

    watched(name, lambda: _step(name, trainings), counted, lambda: draw(progresses()))


def watched(name: str, step, counted, draw, units: str = "iterations", verb: str = "Train") -> None:
    """Any work in slices, with its buttons: `step()` does one and says whether anything is left to do.

    `counted()` gives how much is done and how much there is, in `units`; `draw()` shows what there is.
    """
    lab, scene = shelf(name), session().epoch
    _buttons(name, lab, *counted(), verb)

    # its buttons stand outside: a fragment that is to come back by itself must be begun by a run of the page
    @st.fragment(run_every=EVERY if lab["running"] else None)
    def bench():
        if session().epoch != scene:  # a button in here has put another scene on the page
            st.rerun()
        if lab["running"] and not step():
            lab["running"] = False
            st.rerun()
        done, whole = counted()
        st.progress(done / whole if whole else 1.0, f"{done} of {whole} {units}")
        draw()

    bench()


def _buttons(name, lab, done, whole, verb):
    with st.container(horizontal=True, vertical_alignment="center", key=f"lab-{name}"):
        if lab["running"]:
            st.button(
                "Stop", key=f"stop-{name}", icon=":material/pause:", type="primary", on_click=run, args=(name, False)
            )
        else:
            st.button(
                "Go on" if 0 < done < whole else verb, key=f"train-{name}", icon=":material/play_arrow:", type="primary",
                disabled=done >= whole, on_click=run, args=(name, True),
            )  # fmt: skip
        st.button(
            "Begin again",
            key=f"again-{name}",
            icon=":material/restart_alt:",
            disabled=not done or lab["running"],
            on_click=_forget,
            args=(name,),
        )


def run(name, running):
    shelf(name)["running"] = running


def _forget(name):
    lab = shelf(name)
    lab["kept"], lab["running"] = {}, False
