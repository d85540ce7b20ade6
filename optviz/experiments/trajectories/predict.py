"""Predict, then reveal: the paths are hidden until a visitor has committed to a guess."""

from dataclasses import replace

import numpy as np
import streamlit as st

from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories import text
from optviz.experiments.trajectories.spec import Scene
from optviz.experiments.trajectories.state import KEY, Prediction, prediction, state
from optviz.translation import _
from optviz.ui import locks
from optviz.ui.components import button
from optviz.ui.form import Form, select
from optviz.ui.session import session

BEST = 10  # points of a perfect guess
WORTHLESS = 0.25  # distance, in frames, at which a guess earns nothing
NOBODY = "nobody"


def begin() -> None:
    """Ask about the scene as it stands."""
    state().prediction = Prediction(about=state().ids[0])


def another(form: Form) -> None:
    """Ask again: about the next optimizer, and from another start if it may be moved."""
    page, old = state(), prediction()
    i = page.ids.index(old.about) if old.about in page.ids else -1
    if locks.is_editable("run"):
        f, rng = form.value.objective.f, np.random.default_rng(len(page.score))
        low, high = np.array(f.domain).T
        places = np.round(low + (high - low) * (0.05 + 0.9 * rng.random((50, 2))), 2)
        defined = places[np.isfinite(f.value(places))]
        if len(defined):
            form.at("objective", "start").set(tuple(map(float, defined[0])))
    page.prediction = Prediction(old.question, page.ids[(i + 1) % len(page.ids)])


def stop() -> None:
    """Show everything again."""
    state().prediction = None


def take_guess(x: float, y: float) -> None:
    """Take a click on the contour as the answer to where it will be."""
    guess = prediction()
    if guess and guess.paths_hidden and guess.question == "where":
        key = session().specs[KEY].objective.landscape_key()
        state().prediction = replace(guess, point=(x, y), landscape=key)


def reveal(scene: Scene) -> None:
    """Show the paths."""
    name, page = f"reveal-{session().next_id()}", state()
    page.prediction = replace(page.prediction, revealed=name, scene=scene, ids=tuple(page.ids))


def finish() -> None:
    """Judge the guess, once the paths have been shown."""
    page, guess = state(), prediction()
    if guess and guess.revealed and guess.points is None:
        points, verdict = judge(guess.scene, list(guess.ids), guess)
        page.prediction = replace(guess, points=points, verdict=verdict)
        page.score = (*page.score, points)


def judge(scene: Scene, ids: list[str], guess: Prediction) -> tuple[int, str]:
    """Points from 0 to BEST for an answer, and the verdict in words."""
    names = dict(zip(ids, scene.names, strict=True))
    summaries = (runs.summary(scene.objective, c, scene.tolerance) for c in scene.optimizers)
    ends = dict(zip(ids, summaries, strict=True))
    if guess.question == "where" and guess.about in ends and guess.point:
        end = ends[guess.about].point
        f = scene.objective.f
        shown = slice(1 if f.univariate else 2)  # of x alone, no matter how high the click was
        offset = np.subtract(guess.point, end)[shown]
        share = float(np.linalg.norm(offset / np.ptp(f.domain, axis=1)[shown]))
        closeness = max(0.0, 1 - share / WORTHLESS) if np.isfinite(share) else 0
        verdict = text.where_verdict(names[guess.about], end, float(np.linalg.norm(offset)), share)
        return int(np.round(BEST * closeness)), verdict
    steps = {key: s.steps_to_tolerance for key, s in ends.items()}
    steps = {key: step for key, step in steps.items() if step is not None}
    first = min(steps.values(), default=None)
    winners = [key for key, step in steps.items() if step == first]
    correct = guess.pick in winners or (not winners and guess.pick == NOBODY)
    verdict = text.who_verdict(correct, [names[key] for key in winners], first, scene)
    return BEST if correct else 0, verdict


def bar(form: Form) -> None:
    """The question, the answer so far, and at the end the verdict and the score."""
    page, scene = state(), form.value
    guess = _keep_valid(prediction(), page.ids, scene)
    if guess is None:
        return
    page.prediction = guess
    names = dict(zip(page.ids, scene.names, strict=True)) | {NOBODY: _("nobody")}
    with st.container(border=True, key="predict", gap="small"):
        if guess.points is not None:
            message = _("**{points} of {best} points.** {verdict}")
            outcome = message.format(points=guess.points, best=BEST, verdict=guess.verdict)
            st.markdown(outcome)
            session().job_status = outcome.replace("*", "")  # for screen readers
        else:
            hidden = guess.paths_hidden
            st.markdown(text.question(guess, names, scene) if hidden else _("Here they go …"))
        with st.container(horizontal=True, vertical_alignment="center"):
            if guess.paths_hidden:
                _question(guess, page.ids, names)
            _buttons(form, guess)
            if page.score:
                st.markdown(text.score(page.score, BEST))


def _keep_valid(guess, ids, scene):
    """The answer without what is invalid after optimizers or the function have changed."""
    if guess is None or not guess.paths_hidden:
        return guess
    if guess.about not in ids:
        guess = replace(guess, about=ids[0], point=None)
    if guess.point and guess.landscape != scene.objective.landscape_key():
        return replace(guess, point=None)  # that place was meant on another function
    return guess


def _buttons(form, guess):
    if guess.paths_hidden:
        button(
            _("Reveal"),
            "reveal",
            reveal,
            form.value,
            icon="visibility",
            primary=True,
            disabled=not guess.answered,
        )
    else:
        button(
            _("Next question"),
            "again",
            another,
            form,
            icon="replay",
            primary=True,
            disabled=guess.points is None,
        )
    button(_("Stop predicting"), "stop-predicting", stop, icon="close")


def _question(guess, ids, names):
    answer = Form("question", lambda: state().prediction, _answer)
    questions = {key: _(question) for key, question in text.QUESTIONS.items()}
    select(answer.at("question"), _("Question"), questions, segments=True, hidden=True)
    field, label, choices = (
        ("about", _("About"), ids)
        if guess.question == "where"
        else ("pick", _("Your pick"), [*ids, NOBODY])
    )
    place = answer.at(field)
    key = place.key("-".join(ids))
    chosen = choices.index(place.value) if place.value in choices else None
    st.selectbox(
        label,
        choices,
        chosen,
        names.get,
        key=key,
        on_change=lambda: place.set(st.session_state[key]),
        placeholder=label,
        label_visibility="collapsed",
        width=220,
    )


def _answer(changed):
    old = state().prediction
    about_changed = changed.about != old.about
    state().prediction = replace(changed, point=None) if about_changed else changed
