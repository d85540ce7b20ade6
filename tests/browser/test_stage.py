"""The stage: how much of the window the pictures take, what is put away, hands that slip and take back."""

import json
import re
from dataclasses import replace

import pytest

from optviz import FUNCTIONS
from optviz.experiments.trajectories.spec import BOOK, Objective
from optviz.shell.share import Controls, SharedScene, decode, encode
from tests.browser.test_trajectories import at_rest, path, rate

WINDOW = 1280 * 720
SIZE = "s => { const b = document.querySelector(s)?.getBoundingClientRect(); return b ? b.width * b.height : 0; }"
CONTOUR, CURVES = ".st-key-contour .ov-plot", ".st-key-curves .ov-plot"
SCALES = """() => {
  const { xaxis, yaxis } = document.querySelector('.st-key-contour .ov-layer:nth-child(2)')._fullLayout;
  return [xaxis._m, -yaxis._m, ...xaxis.range, ...yaxis.range];
}"""
VISIBLE = """chart => [...document.querySelectorAll(`.st-key-${chart} .ov-layer:nth-child(2)`)].at(-1)
  ._fullData.filter(t => t.legendgroup && t.visible === true).map(t => t.name)"""


def share_of(page, *selectors):
    return sum(page.evaluate(SIZE, s) for s in selectors) / WINDOW


def value(page):
    return float(page.get_by_label("rate, exact value").first.input_value())


def scene(page):
    return decode(re.search(r"s=([^&]+)", page.url)[1]).scene


def optimizers(page):
    return page.locator(".ov-timetable tbody th").all_inner_texts()


def test_the_pictures_take_most_of_a_projector_also_in_a_lesson_and_without_controls(page, opened):
    assert share_of(page, CONTOUR) >= 0.35
    assert share_of(page, CONTOUR, CURVES) >= 0.55
    player = page.locator(".ov-player").bounding_box()
    assert player["y"] + player["height"] <= 720, "the player is in sight, too"
    beside = share_of(page, CONTOUR)
    page.keyboard.press("c")
    at_rest(page)
    assert share_of(page, CONTOUR) > 1.2 * beside, "without the controls"
    assert page.locator(".ov-panel").first.is_hidden()
    page.get_by_role("button", name="Hide the controls").click()
    page.get_by_role("radio", name="Contour").click()
    at_rest(page)
    assert share_of(page, CONTOUR) > 0.55
    opened("?lesson=zigzag")
    assert page.locator(".st-key-lesson").is_visible()
    assert share_of(page, CONTOUR) == pytest.approx(beside)
    hidden = Controls(hidden=("function", "run", "hyperparameters", "optimizers"))
    opened(f"?s={encode(SharedScene('trajectories', BOOK, hidden))}")
    assert share_of(page, CONTOUR) > 1.1 * beside


def test_a_long_formula_is_not_cut(opened):
    for function in ("levy", "goldstein_price"):
        start = tuple(map(float, FUNCTIONS[function].start))
        scene = replace(BOOK, objective=Objective(function, start=start))
        page = opened(f"?s={encode(SharedScene('trajectories', scene))}")
        cut = page.evaluate(
            "() => { const h = document.querySelector('h1'); return h.scrollWidth - h.clientWidth; }"
        )
        assert cut <= 0, function
        player = page.locator(".ov-player").bounding_box()
        assert player["y"] + player["height"] <= 720


def test_presenting_leaves_pictures_player_and_one_knob_in_large_letters(page):
    rate(page).focus()
    page.keyboard.press("p")
    at_rest(page)
    for gone in (".st-key-head", ".ov-table", '[data-testid="stHeader"]'):
        assert page.locator(gone).first.is_hidden(), gone
    knobs = page.locator(".ov-hyperparameter input[type=range]")
    assert [k.is_visible() for k in knobs.all()].count(True) == 1
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('.st-key-contour .xtick text, .legendtext')]"
        ".map(t => parseFloat(getComputedStyle(t).fontSize))"
    )
    assert min(sizes) >= 16
    before = path(page)
    knobs.first.press("ArrowRight")
    at_rest(page)
    assert path(page) != before
    page.get_by_label("Hyperparameter at hand").select_option(label="Adam: η learning rate")
    at_rest(page)
    assert page.get_by_role("group", name="Adam").locator("input[type=range]").first.is_visible()
    page.keyboard.press("Escape")
    at_rest(page)
    assert page.locator(".st-key-head").is_visible()


def test_a_circle_is_a_circle_until_the_axes_are_set_free(page):
    x, y, *frame = page.evaluate(SCALES)
    assert x == pytest.approx(y, rel=1e-3)
    assert frame[0] <= -10
    assert frame[1] >= 10
    assert frame[2] <= -5
    assert frame[3] >= 5
    page.get_by_role("button", name="View").click()
    page.get_by_text("Equal scale of both axes").click()
    at_rest(page)
    x, y, *frame = page.evaluate(SCALES)
    assert frame == pytest.approx([-10, 10, -5, 5])
    assert y > 1.5 * x


def test_a_knob_is_as_wide_as_its_panel_and_takes_fine_and_coarse_steps(page):
    knob, panel = rate(page).bounding_box(), page.locator(".ov-panel").first.bounding_box()
    assert knob["width"] >= 0.95 * panel["width"]
    for key, told in [
        ("ArrowRight", 0.96),
        ("ArrowLeft", 0.95),
        ("Shift+ArrowRight", 0.951),
        ("Shift+ArrowLeft", 0.95),
        ("PageUp", 1.7),  # a twentieth of five decades: 0.95 · 10^0.25 = 1.69
    ]:
        rate(page).press(key)
        assert value(page) == told, key

    # with the mouse from 0.95 to 1.05 is two pixels; with Shift a pixel is a tenth of one
    page.get_by_label("rate, exact value").first.fill("0.95")
    at_rest(page)
    box = rate(page).bounding_box()
    y, x = box["y"] + box["height"] / 2, box["x"] + 8 + (box["width"] - 16) * 0.7955  # log 0.95
    page.keyboard.down("Shift")
    page.mouse.move(x, y)
    page.mouse.down()
    seen = set()
    for i in range(1, 40):
        page.mouse.move(x + i, y)
        seen.add(value(page))
    page.mouse.up()
    page.keyboard.up("Shift")
    assert {round(v, 2) for v in seen} >= {1.0, 1.02, 1.05, 1.1}

    page.get_by_label("rate, exact value").first.fill("1e-8")
    at_rest(page)
    assert scene(page).optimizers[0].method.values["lr"] == 1e-8
    rate(page).press("ArrowRight")
    assert value(page) == pytest.approx(1.05e-8), "the slider has gone on to where the value is"


def test_settings_unfold_in_the_panel_and_an_optimizer_is_added_from_a_list(page):
    page.get_by_role("button", name="Change Adam").click()
    sheet = page.locator("[class*='-sheet-']")
    sheet.wait_for()
    at_rest(page)
    assert sheet.bounding_box()["height"] > 300
    assert sheet.bounding_box()["width"] <= 272
    page.get_by_role("button", name="Change Adam").click()
    sheet.wait_for(state="detached")
    page.get_by_role("button", name="Add an optimizer").click()
    page.wait_for_function("() => document.activeElement.closest('[class*=-choices-]')")
    page.get_by_role("button", name=re.compile("^RMSProp — .*gradient")).click()
    page.wait_for_function("() => document.activeElement.innerText.includes('Change RMSProp')")
    assert 0 < page.evaluate("() => document.activeElement.getBoundingClientRect().bottom") < 720
    at_rest(page)
    assert optimizers(page)[-1] == "RMSProp"


def test_what_is_hidden_is_hidden_in_every_picture(page):
    page.locator(".st-key-contour .legendtoggle").nth(2).click()  # Momentum
    at_rest(page)
    for chart in ("contour", "curves"):
        assert "Momentum" not in page.evaluate(VISIBLE, chart), chart
    page.get_by_role("button", name="Adam alone in the pictures").click()
    at_rest(page)
    for chart in ("contour", "curves"):
        assert set(page.evaluate(VISIBLE, chart)) == {"Adam"}, chart
    page.get_by_role("button", name="Adam alone in the pictures").click()
    at_rest(page)
    assert set(page.evaluate(VISIBLE, "curves")) == {"SGD", "Momentum", "AdaGrad", "Adam"}


def test_undo_redo_and_back_go_through_every_change_and_a_drag_is_one(page):
    box = rate(page).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.75, y)
    page.mouse.down()
    for i in range(20):
        page.mouse.move(box["x"] + box["width"] * (0.75 - i / 60), y)
        page.wait_for_timeout(30)
    page.mouse.up()
    at_rest(page)
    dragged = value(page)
    page.get_by_role("button", name="Add an optimizer").click()
    page.get_by_role("button", name="RMSProp — ").click()
    at_rest(page)
    page.keyboard.press("Control+z")
    at_rest(page)
    assert (len(optimizers(page)), value(page)) == (4, dragged)
    page.get_by_role("button", name="Undo").click()
    at_rest(page)
    assert value(page) == 0.95, "the whole drag is one entry"
    assert page.get_by_role("button", name="Undo").is_disabled()
    page.keyboard.press("Control+Shift+z")
    page.wait_for_function(
        f"() => +document.querySelector('.ov-panel input[type=text]')?.value === {dragged}"
    )
    at_rest(page)
    page.keyboard.press("Control+Shift+z")
    at_rest(page)
    assert len(optimizers(page)) == 5
    page.go_back()
    at_rest(page)
    assert (len(optimizers(page)), value(page)) == (4, dragged)
    page.go_forward()
    at_rest(page)
    assert len(optimizers(page)) == 5


def test_a_phone_reads_the_lesson_first_and_no_window_cuts_the_head(window, opened):
    page = window

    def top(selector):
        return page.locator(selector).first.bounding_box()["y"]

    page.set_viewport_size({"width": 390, "height": 844})
    opened("?lesson=zigzag")
    assert top("h1") < top(".st-key-lesson") < top(CONTOUR)
    page.get_by_role("button", name="Controls over the page").click()
    assert page.locator(".st-key-lesson").is_hidden(), "the sheet is for the controls"
    page.get_by_role("button", name="Controls over the page").click()
    page.get_by_role("button", name="Share").click()
    page.wait_for_selector(".ov-qr")
    at_rest(page)
    inside = page.get_by_test_id("stPopoverBody").evaluate("e => [e.scrollHeight, e.clientHeight]")
    assert inside[0] <= inside[1], "nothing to scroll"
    page.keyboard.press("Escape")
    for width in (768, 900, 1024):
        page.set_viewport_size({"width": width, "height": 1024})
        at_rest(page)
        box = page.get_by_role("button", name="Export").bounding_box()
        assert box["x"] + box["width"] <= width, width
    page.set_viewport_size({"width": 820, "height": 1180})
    at_rest(page)
    assert page.locator(CONTOUR).bounding_box()["width"] > 700, "a tablet held upright"


@pytest.mark.parametrize("path", ["", "activations"])
def test_a_picture_that_is_drawn_anew_has_its_own_styles_found_anew(browser, window, path):
    """Not those of the page for each of its marks: `:has()` in our style sheets does that easily."""
    page = window
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/{path}")
    page.wait_for_selector(".ov-plot[data-version]")
    at_rest(page)
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.set_viewport_size({"width": 420, "height": 844})
    at_rest(page)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    found = [e["args"].get("elementCount", 0) for e in events if e["name"] == "UpdateLayoutTree"]
    assert len(found) > 10
    whole = page.evaluate("document.querySelectorAll('*').length") / 3
    assert sum(n > whole for n in found) <= 3, "that its size has changed"
