"""Predict, then reveal: the paths are hidden, a person commits to a guess and then sees."""

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
WORTHLESS = 0.25  # distance, in frames, from which on a guess earns nothing
NOBODY = "nobody"


def begin() -> None:
    """Ask about the scene as it stands."""
    state().prediction = Prediction(about=state().ids[0])


def another(form: Form) -> None:
    """Ask again: about the next optimizer, and from another start where that may be moved."""
    kept, old = state(), prediction()
    i = kept.ids.index(old.about) if old.about in kept.ids else -1
    if locks.is_editable("run"):
        f, rng = form.value.objective.f, np.random.default_rng(len(kept.score))
        low, high = np.array(f.domain).T
        places = np.round(low + (high - low) * (0.05 + 0.9 * rng.random((50, 2))), 2)
        defined = places[np.isfinite(f.value(places))]
        if len(defined):
            form.at("objective", "start").set(tuple(map(float, defined[0])))
    kept.prediction = Prediction(old.question, kept.ids[(i + 1) % len(kept.ids)])


def stop() -> None:
    """Show everything again."""
    state().prediction = None


def take_guess(x: float, y: float) -> None:
    """A click on the contour: the answer to where it will be."""
    found = prediction()
    if found and found.paths_hidden and found.question == "where":
        key = session().specs[KEY].objective.landscape_key()
        state().prediction = replace(found, point=(x, y), landscape=key)


def reveal(scene: Scene) -> None:
    """Show the paths."""
    name, kept = f"reveal-{session().next_id()}", state()
    kept.prediction = replace(kept.prediction, revealed=name, scene=scene, ids=tuple(kept.ids))


def finish() -> None:
    """The paths have been shown: judge, once."""
    kept, found = state(), prediction()
    if found and found.revealed and found.points is None:
        points, verdict = judge(found.scene, list(found.ids), found)
        kept.prediction = replace(found, points=points, verdict=verdict)
        kept.score = (*kept.score, points)


def judge(scene: Scene, ids: list[str], found: Prediction) -> tuple[int, str]:
    """Points from 0 to BEST for an answer, and in words what was right."""
    names = dict(zip(ids, scene.names, strict=True))
    summaries = (runs.summary(scene.objective, c, scene.tolerance) for c in scene.optimizers)
    ends = dict(zip(ids, summaries, strict=True))
    if found.question == "where" and found.about in ends and found.point:
        end = ends[found.about].point
        f = scene.objective.f
        shown = slice(1 if f.univariate else 2)  # of x alone, no matter how high the click was
        apart = np.subtract(found.point, end)[shown]
        share = float(np.linalg.norm(apart / np.ptp(f.domain, axis=1)[shown]))
        near = max(0.0, 1 - share / WORTHLESS) if np.isfinite(share) else 0
        verdict = text.where_verdict(names[found.about], end, float(np.linalg.norm(apart)), share)
        return int(np.round(BEST * near)), verdict
    steps = {key: s.steps_to_tolerance for key, s in ends.items()}
    steps = {key: step for key, step in steps.items() if step is not None}
    first = min(steps.values(), default=None)
    winners = [key for key, step in steps.items() if step == first]
    right = found.pick in winners or (not winners and found.pick == NOBODY)
    verdict = text.who_verdict(right, [names[key] for key in winners], first, scene)
    return BEST if right else 0, verdict


def bar(form: Form) -> None:
    """The question, the answer so far, and at the end the verdict and the score."""
    kept, scene = state(), form.value
    found = _standing(prediction(), kept.ids, scene)
    if found is None:
        return
    kept.prediction = found
    names = dict(zip(kept.ids, scene.names, strict=True)) | {NOBODY: _("nobody")}
    with st.container(border=True, key="predict", gap="small"):
        if found.points is not None:
            message = _("**{points} of {best} points.** {verdict}")
            outcome = message.format(points=found.points, best=BEST, verdict=found.verdict)
            st.markdown(outcome)
            session().job_status = outcome.replace("*", "")  # to those who hear
        else:
            hidden = found.paths_hidden
            st.markdown(text.question(found, names, scene) if hidden else _("Here they go …"))
        with st.container(horizontal=True, vertical_alignment="center"):
            if found.paths_hidden:
                _question(found, kept.ids, names)
            _buttons(form, found)
            if kept.score:
                st.markdown(text.score(kept.score, BEST))


def _standing(found, ids, scene):
    """What is left of the answer when optimizers or the function have changed."""
    if found is None or not found.paths_hidden:
        return found
    if found.about not in ids:
        found = replace(found, about=ids[0], point=None)
    if found.point and found.landscape != scene.objective.landscape_key():
        return replace(found, point=None)  # that place was meant on another function
    return found


def _buttons(form, found):
    if found.paths_hidden:
        button(
            _("Reveal"),
            "reveal",
            reveal,
            form.value,
            icon="visibility",
            primary=True,
            disabled=not found.answered,
        )
    else:
        button(
            _("Next question"),
            "again",
            another,
            form,
            icon="replay",
            primary=True,
            disabled=found.points is None,
        )
    button(_("Stop predicting"), "stop-predicting", stop, icon="close")


def _question(found, ids, names):
    answer = Form("question", lambda: state().prediction, _answer)
    questions = {key: _(question) for key, question in text.QUESTIONS.items()}
    select(answer.at("question"), _("Question"), questions, segments=True, hidden=True)
    field, label, choices = (
        ("about", _("About"), ids)
        if found.question == "where"
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
    before = state().prediction
    other = changed.about != before.about
    state().prediction = replace(changed, point=None) if other else changed
