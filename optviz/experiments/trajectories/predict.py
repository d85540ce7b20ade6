"""Predict, then reveal: the paths are hidden, a person commits to a guess, the race is run, a verdict is given."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from optviz.experiments.trajectories import scene_state as state
from optviz.experiments.trajectories.spec import Scene, summary
from optviz.plot.style import number
from optviz.ui import cache, locks
from optviz.ui.session import session

BEST = 10  # points of a perfect guess
WORTHLESS = 0.25  # distance, in frames, from which on a guess earns nothing
WHERE, WHO = "Where will it be?", "Who arrives first?"
NOBODY = "nobody"


@dataclass(frozen=True)
class Round:
    """One question, from being asked to its verdict."""

    question: str = WHERE
    about: str = ""  # the id of the optimizer that is asked about
    point: tuple[float, float] | None = None
    pick: str | None = None  # the id of an optimizer, or NOBODY
    land: str = ""  # the landscape on which the point was chosen
    revealed: str = ""  # a name for this revelation, once the race is on
    scene: Scene | None = None  # what was raced, whatever is changed while it plays
    ids: tuple[str, ...] = ()
    points: int | None = None  # earned, once it is over
    verdict: str = ""

    @property
    def sealed(self) -> bool:
        """Whether the paths are still hidden."""
        return not self.revealed

    @property
    def guessed(self) -> bool:
        """Whether there is an answer to be judged."""
        return (self.point if self.question == WHERE else self.pick) is not None


def current() -> Round | None:
    """The round that is being played."""
    round = session().round
    return round if round and state.ids() else None


def begin() -> None:
    """Ask about the scene as it stands."""
    session().round = Round(about=state.ids()[0])


def another() -> None:
    """Ask again: about the next optimizer, and from another start where that may be moved."""
    _S, old, ids = st.session_state, current(), state.ids()
    at = ids.index(old.about) if old.about in ids else -1
    if locks.free("run"):
        f = session().specs["trajectories"].objective.f
        rng = np.random.default_rng(len(session().score))
        low, high = np.array(f.domain).T
        initial_points = np.round(low + (high - low) * (0.05 + 0.9 * rng.random((50, 2))), 2)
        defined = initial_points[np.isfinite(f.value(initial_points))]
        if len(defined):
            state.update_objective(start=tuple(map(float, defined[0])))
    session().round = Round(old.question, ids[(at + 1) % len(ids)])


def stop() -> None:
    """Show everything again."""
    session().round = None


def guessed(x: float, y: float) -> None:
    """A click on the contour: the answer to where it will be."""
    if (round := current()) and round.sealed and round.question == WHERE:
        session().round = replace(
            round, point=(x, y), land=session().specs["trajectories"].objective.landscape_key()
        )


def over() -> None:
    """The race has been shown: judge, once."""
    _S, round = st.session_state, current()
    if round and round.revealed and round.points is None:
        points, verdict = judged(
            round.scene or session().specs["trajectories"], list(round.ids) or state.ids(), round
        )
        session().round = replace(round, points=points, verdict=verdict)
        session().score = (*session().score, points)


def judged(scene: Scene, ids: list[str], round: Round) -> tuple[int, str]:
    """Points from 0 to BEST for an answer, and in words what was right."""
    names = dict(zip(ids, scene.names, strict=True))
    runs = {
        id: cache.run(scene.objective, config)
        for id, config in zip(ids, scene.optimizers, strict=True)
    }
    known = cache.minima(scene.objective)
    ends = {id: summary(run, known, scene.tolerance) for id, run in runs.items()}
    if round.question == WHERE and round.about in runs and round.point:
        end = ends[round.about].point
        apart = np.subtract(round.point, end)
        frame = np.array([high - low for low, high in scene.objective.f.domain])
        share = float(np.hypot(*(apart / frame)))
        points = int(np.round(BEST * max(0.0, 1 - share / WORTHLESS))) if np.isfinite(share) else 0
        return points, (
            f"{names[round.about]} is at ({number(end[0])}, {number(end[1])}). Your guess was "
            f"{number(float(np.hypot(*apart)), 3)} away, {number(100 * share, 2)} % of the picture."
        )
    steps = {id: s.reached for id, s in ends.items() if s.reached is not None}
    first = min(steps.values(), default=None)
    winners = [id for id, at in steps.items() if at == first]
    right = round.pick in winners or (not winners and round.pick == NOBODY)
    within = f"within {number(scene.tolerance)} of the minimum"
    truth = (
        f"{' and '.join(names[w] for w in winners)}, at step {first}, came {within} first"
        if winners
        else f"nobody came {within} in {scene.objective.steps} steps"
    )
    return BEST if right else 0, f"{'Right' if right else 'Not this time'}: {truth}."


def bar(scene: Scene) -> None:
    """The question, the answer so far, and after the race its verdict and the score."""
    round, _S = current(), st.session_state
    if round is None:
        return
    ids = state.ids()
    names = dict(zip(ids, scene.names, strict=True)) | {NOBODY: "nobody"}
    if round.about not in ids:
        round = replace(round, about=ids[0], point=None) if round.sealed else round
    if round.sealed and round.point and round.land != scene.objective.landscape_key():
        round = replace(round, point=None)  # that place was meant on another function
    session().round = round
    with st.container(border=True, key="predict", gap="small"):
        if round.points is not None:
            st.markdown(f"**{round.points} of {BEST} points.** {round.verdict}")
        elif round.revealed:
            st.markdown("Here they go …")
        else:
            _asked(round, names, scene)
        with st.container(horizontal=True, vertical_alignment="center"):
            if round.sealed:
                _question(round, ids, names)
                st.button(
                    "Reveal",
                    key="reveal",
                    type="primary",
                    icon=":material/visibility:",
                    on_click=_reveal,
                    disabled=not round.guessed,
                )
            else:
                st.button(
                    "Next question",
                    key="again",
                    type="primary",
                    icon=":material/replay:",
                    on_click=another,
                    disabled=round.points is None,
                )
            st.button(
                "Stop predicting", key="stop-predicting", icon=":material/close:", on_click=stop
            )
            score = session().score
            if score:
                st.markdown(
                    f"Score: **{sum(score)}** of {BEST * len(score)} in {len(score)} round{'s' * (len(score) > 1)}"
                )


def _question(round, ids, names):
    S = st.session_state

    def answer(field, key):
        session().round = replace(
            session().round, **{field: S[key]}, **({"point": None} if field == "about" else {})
        )

    st.segmented_control(
        "Question", [WHERE, WHO], default=round.question, key="question", required=True, on_change=answer,
        args=("question", "question"), label_visibility="collapsed",
    )  # fmt: skip
    if round.question == WHERE:
        key = f"about-{'-'.join(ids)}"
        st.selectbox("About", ids, ids.index(round.about), names.get, key=key, on_change=answer, args=("about", key),
                     label_visibility="collapsed", width=220)  # fmt: skip
    else:
        key, choices = f"pick-{'-'.join(ids)}", [*ids, NOBODY]
        chosen = choices.index(round.pick) if round.pick in choices else None
        st.selectbox(
            "Your pick", choices, chosen, names.get, key=key, on_change=answer, args=("pick", key),
            placeholder="Your pick", label_visibility="collapsed", width=220,
        )  # fmt: skip


def _asked(round, names, scene):
    if round.question == WHERE:
        told = (
            "Click on the contour where you think"
            if not round.point
            else "Click again to change your mind: where"
        )
        st.markdown(f"{told} **{names[round.about]}** will be after {scene.objective.steps} steps.")
    else:
        st.markdown(
            f"Who is the first to come within {number(scene.tolerance)} of the lowest known minimum, in {scene.objective.steps} steps?"
        )


def _reveal():
    session().round = replace(
        session().round,
        revealed=f"reveal-{session().next_id()}",
        scene=session().specs["trajectories"],
        ids=tuple(state.ids()),
    )
