"""What holds for every declared page: its ranges, its menus, its presets, its link, its thumbnail."""

import xml.etree.ElementTree as ET
from dataclasses import fields, is_dataclass

import pytest

from optviz.experiments.page import Page
from optviz.lens import at as place
from optviz.optim.hyperparameter import hyperparameter_of
from optviz.plot import THEMES
from optviz.shell.registry import PAGES
from optviz.shell.share import SharedScene, decode, encode
from optviz.spec import Choice, from_dict, to_dict, validate
from tests.page import components, open_page, refused, session

DECLARED = {key: page for key, page in PAGES.items() if isinstance(page, Page)}


def declared(spec, *path):
    """`(path, field)` of everything that a spec and the specs in it declare."""
    for f in fields(spec):
        value, here = getattr(spec, f.name), (*path, f.name)
        yield here, f
        if is_dataclass(value) and not isinstance(value, Choice):
            yield from declared(value, *here)


def taken(page, spec):
    """The page and a link take it, and JSON gives it back."""
    validate(spec)
    assert from_dict(type(spec), to_dict(spec)) == spec
    assert decode(encode(SharedScene(page.key, spec)), page.key).scene == spec


@pytest.mark.parametrize("key", DECLARED)
def test_what_is_out_of_a_declared_range_is_refused(key):
    page = DECLARED[key]
    taken(page, page.opening)
    for path, field in declared(page.opening):
        if "hyperparameter" in field.metadata:
            h = hyperparameter_of(field)
            for beyond in () if h.kind is bool else (h.low - 1, h.high + 1):
                refused(key, place(*path).set(page.opening, h.kind(beyond)))
        elif "options" in field.metadata:
            refused(key, place(*path).set(page.opening, "nothing of the kind"))
        elif "registry" in field.metadata and isinstance(place(*path).get(page.opening), Choice):
            refused(key, place(*path).set(page.opening, Choice("nothing of the kind")))


@pytest.mark.parametrize("key", DECLARED)
def test_every_preset_and_view_can_be_linked_to(key):
    page = DECLARED[key]
    for preset in page.presets:
        taken(page, preset.spec)
    for view in page.views if len(page.views) > 1 else ():
        taken(page, page.adjusted(place("view").set(page.opening, view)))


@pytest.mark.parametrize("key", DECLARED)
def test_a_damaged_link_opens_the_page_as_it_is_and_its_address_is_its_link(key):
    page = DECLARED[key]
    at = open_page(key, s=encode(SharedScene(key, page.opening))[:-3])
    assert "damaged" in at.warning[0].value
    assert not at.error
    assert page.drawing or page.question in "".join(m.value for m in at.markdown)
    link = components(at, "address")[0]["link"].removeprefix("?s=")
    assert decode(link, key).scene == session(at).specs[key] == page.opening


@pytest.mark.parametrize("key", DECLARED)
def test_the_thumbnail_is_an_svg_without_gaps(key):
    page = DECLARED[key]
    picture = page.thumbnail_svg(page.opening, THEMES["light"])
    assert ET.fromstring(picture).tag.endswith("svg")
    assert "nan" not in picture
