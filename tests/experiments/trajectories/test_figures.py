"""Thumbnails of scenes: what is in the picture, where, and that nothing undefined gets into it."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import pytest

from optviz.experiments.trajectories.spec import Objective, Scene
from optviz.plot import LIGHT, method_styles
from optviz.shell.lessons import LESSONS
from optviz.shell.registry import PAGES

SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r'href="data:image/png;base64,([A-Za-z0-9+/=]+)"')


def thumbnail(scene):
    text = PAGES["trajectories"].thumbnail_svg(scene, LIGHT)
    assert not re.search(r"nan|inf", IMAGE.sub("", text), re.IGNORECASE)
    assert len(text) < 60_000
    return text, ET.fromstring(text)


@pytest.mark.parametrize("key", [k for k, found in LESSONS.items() if found.page == "trajectories"])
def test_every_lesson(key):
    scene = LESSONS[key].scene
    _text, root = thumbnail(scene)
    paths = [p for p in root.iter(f"{SVG}path") if p.get("fill") == "none"]
    assert root.get("aria-hidden") == "true"
    colors = dict.fromkeys(p.get("stroke") for p in paths)
    own = dict.fromkeys(look.color for look in method_styles(scene.optimizers, LIGHT))
    found = [c for c in colors if c in LIGHT.lines]
    if any(config.initial_points for config in scene.optimizers):  # by where they end
        assert set(own) <= set(found)
    else:
        assert found[: len(own)] == list(own)
    stars = list(root.iter(f"{SVG}polygon"))
    assert len(stars) >= len(scene.objective.f.minima)
    assert len(list(root.iter(f"{SVG}image"))) == 1


def test_every_further_start_has_its_line():
    _, root = thumbnail(LESSONS["hilltop"].scene)
    lines = [p for p in root.iter(f"{SVG}path") if p.get("fill") == "none" and len(p.get("d")) > 30]
    assert len(lines) >= 16


@pytest.mark.parametrize(("key", "bottom"), [("zigzag", (30, 30)), ("learned-curvature", (45, 30))])
def test_the_shade_is_darker_at_the_minimum_than_in_a_corner(key, bottom):
    image = pytest.importorskip("PIL.Image")
    text, _ = thumbnail(LESSONS[key].scene)
    shade = image.open(io.BytesIO(base64.b64decode(IMAGE.search(text)[1])))
    assert shade.mode == "RGBA"
    assert len(shade.getcolors(10_000)) > 5
    assert shade.getpixel(bottom) < shade.getpixel((0, shade.size[1] - 1))


@pytest.mark.parametrize(
    "objective",
    [
        {"formula": "log(x)^2 + y^2", "start": (0.5, 1.0), "steps": 50},
        {"formula": "log(x)^2 + y^2", "start": (-3.0, 1.0)},
        {"formula": "x*0 + 3", "start": (1.0, 1.0)},
        {"formula": "log(-1 - x^2)", "start": (1.0, 1.0)},
        {"formula": "-x^4 - y^4", "start": (1.0, 1.0), "steps": 200},
        {"formula": "1/x", "start": (-1.0, 1.0), "domain": ((-1.0, 1.0), (-2.0, 2.0))},
    ],
)
def test_what_is_not_defined_everywhere(objective):
    thumbnail(Scene(Objective("formula", **objective), LESSONS["zigzag"].scene.optimizers))
