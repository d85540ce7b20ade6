"""A teacher's lesson plan: what is collected comes back from file and link; nothing is lost."""

import json
import re
from dataclasses import replace

import pytest

from optviz.shell.lessons.plan import MAX_NOTE, Item, Plan, PlanState, read
from optviz.shell.registry import PAGES
from optviz.shell.share import LinkError, SharedScene, encode, pack, unpack
from optviz.spec import canonical_json, to_dict
from optviz.ui.components import escape_markdown
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
        '{"scenes":' * 5_000,
        json.dumps({"scenes": [{}] * 10_000}),
        json.dumps({"scenes": [7, None, "x"]}),
        json.dumps({"scenes": {"0": {}}}),
        FILE.replace('"note":"Mind the trajectories."', '"note":["x"]'),
        FILE.replace('"page":"activations"', '"page":{"x":1}'),
        FILE.replace('{"note"', '{"__class__":1,"note"', 1),
        "9" * 5000,
        "NaN",
    ],
)
def test_a_damaged_plan_is_refused(damaged):
    with pytest.raises(LinkError):
        read(damaged)


def test_a_plan_that_inflates_beyond_its_bound_is_refused():
    with pytest.raises(LinkError):
        read(unpack(pack({"scenes": [{"note": "x" * 70_000}]})))


NOTES = [
    "![](//host/p.png)", "<img src=x onerror=alert(1)>", "[click](javascript:alert(1))", "<https://host>",
    "see https://host/p and www.host.org", "$x$ and $$y$$", ":material/home: :red[x]", "a\n# b\n* c\n| d |", "`x`",
]  # fmt: skip


@table("note", NOTES)
def test_a_note_is_shown_as_it_wescape_markdown(note):
    """By CommonMark a backslash before a mark makes it one that means nothing."""
    shown = escape_markdown(note)
    for mark in re.finditer(r"[!`<>$#|\[\]*:]|www\.", note):
        assert mark.group().replace(".", "\\.") in shown
    assert not re.search(r"(?<!\\)[!`<>$#|\[\]*:]|www\.", shown)
    assert re.sub(r"\\(.)", r"\1", shown) == note


def test_what_came_with_a_plan_or_a_link_is_on_the_page_as_it_wescape_markdown():
    image = "![](//host/p.png)"
    whole = Plan(tuple(replace(item, note=image) for item in PLAN.scenes))
    at = open_page("plan", plan=pack(to_dict(whole)))
    assert at.text_area[0].value == image
    sound(next(b for b in at.button if b.label == "Play").click().run())
    go(at, "")
    sound(at.run())
    assert escape_markdown(image) in text(at)
    assert image not in text(at)
    at = open_page("activations", s=pack({"page": "activations", "scene": {image: 1}}))
    assert escape_markdown(image) in at.warning[0].value
    assert image not in at.warning[0].value


def test_a_server_without_uploads_opens_no_file(monkeypatch):
    assert open_page("plan").get("file_uploader")
    monkeypatch.setenv("OPTVIZ_PUBLIC", "1")
    assert not open_page("plan").get("file_uploader")


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
    assert session(at).next_page in ("trajectories", "")
    go(at, "")
    sound(at.run())
    assert "Look at the zigzag." in text(at)


def test_a_link_opens_a_plan():
    at = open_page("plan", plan=pack(to_dict(PLAN)))
    assert plan(at).plan == PLAN
    assert [area.value for area in at.text_area] == [item.note for item in PLAN.scenes]
