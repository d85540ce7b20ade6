"""A teacher's lesson plan: what is collected comes back from file and link; nothing is lost."""

import json
from dataclasses import replace

import pytest

from optviz.shell.lesson_plan import MAX_NOTE, Item, Plan, PlanState, read
from optviz.shell.registry import PAGES
from optviz.shell.share import LinkError, SharedScene, encode, pack, unpack
from optviz.spec import canonical_json, to_dict
from tests.page import go, open_page, session, sound, text
from tests.table import table

FIRST = PAGES["trajectories"].opening
SCENES = {
    "trajectories": replace(FIRST, tolerance=0.01),
    "activations": PAGES["activations"].opening,
}
PLAN = Plan(
    tuple(
        Item(page, encode(SharedScene(page, scene)), f"Mind the {page}.")
        for page, scene in SCENES.items()
    )
)
FILE = canonical_json(to_dict(PLAN))


def plan(at):
    return session(at).states[PlanState]


def test_a_plan_comes_back_from_file_and_link():
    assert read(FILE) == PLAN
    assert read(unpack(pack(to_dict(PLAN)))) == PLAN


@table(
    "damaged",
    [
        "",
        "[]",
        "{",
        FILE[:-9],
        '{"scenes": 3}',
        FILE.replace('"page":"activations"', '"page":"nowhere"'),
        FILE.replace("activations", "trajectories"),
        FILE.replace(PLAN.scenes[0].scene, PLAN.scenes[0].scene[:-3]),
        FILE.replace("Mind the", "M" * MAX_NOTE, 1),
        json.dumps({"scenes": [json.loads(FILE)["scenes"][0]] * 41}),
        "[" * 10_000,
    ],
)
def test_a_damaged_plan_is_refused(damaged):
    with pytest.raises(LinkError):
        read(damaged)


def test_scenes_are_collected_ordered_and_played():
    at = open_page("trajectories", SCENES["trajectories"])
    for page in SCENES:
        go(at, page if page != "trajectories" else "")
        sound(at.run())
        at.session_state["share"] = True
        sound(at.run())
        sound(at.button(key="plan-add").click().run())
        at.query_params.clear()
    assert [item.page for item in plan(at).plan.scenes] == list(SCENES)

    go(at, "plan")
    sound(at.run())
    at.text_area[0].set_value("Look at the zigzag.")
    sound(at.run())
    down = next(b for b in at.button if b.label == "Down")
    sound(down.click().run())
    assert [item.page for item in plan(at).plan.scenes] == [*SCENES][::-1]
    assert at.text_area[1].value == "Look at the zigzag."
    kept = plan(at).plan
    assert read(unpack(at.query_params["plan"])) == kept

    at.query_params["plan"] = "2.nonsense"  # from elsewhere: a message, and nothing is lost
    sound(at.run())
    assert "damaged" in at.warning[0].value
    assert plan(at).plan == kept

    session(at).show("trajectories", FIRST)
    sound(next(b for b in at.button if b.label == "Play").click().run())
    go(at, "activations")
    sound(at.run())
    assert "Scene 1 of 2" in text(at)
    sound(at.button(key="plan-arrow_forward").click().run())
    assert session(at).specs["trajectories"] == SCENES["trajectories"]
    assert session(at).wanted in ("trajectories", "")
    go(at, "")
    sound(at.run())
    assert "Look at the zigzag." in text(at)


def test_a_link_opens_a_plan():
    at = open_page("plan", plan=pack(to_dict(PLAN)))
    assert plan(at).plan == PLAN
    assert [area.value for area in at.text_area] == [item.note for item in PLAN.scenes]
