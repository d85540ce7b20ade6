"""What axe-core finds wrong (WCAG 2.2 AA) on every page: nothing that is ours; and what keys and a screen reader find."""

from dataclasses import replace
from pathlib import Path

import pytest

from optviz.experiments.trajectories.spec import BOOK, TYPED, Objective
from optviz.shell.registry import PAGES
from optviz.shell.share import SharedScene, encode
from tests.browser.test_trajectories import rate
from tests.calm import IDLE, as_it_trains, at_rest

SMALL = {"iterations": 40, "trials": 6, "seeds": (0,), "resolution": 11, "widths": (32, 64)}


def address(key):
    """A page by its address, where it trains with something soon done."""
    if not hasattr(scene := PAGES[key].opening, "iterations"):
        return key
    less = {name: value for name, value in SMALL.items() if hasattr(scene, name)}
    return f"{key}?s={encode(SharedScene(key, replace(scene, **less)))}"


def looked_at_elsewhere(key):
    """Whether the page has a test of its own that looks at it in the end."""
    own = Path(__file__).with_name(f"test_{key}.py")
    return own.exists() and "holds(page)" in own.read_text()


OTHERS = [key for key in PAGES if key != "trajectories" and not looked_at_elsewhere(key)]


@pytest.mark.parametrize("key", ["", *OTHERS, "course", "lessons"])
def test_a_page_holds_in_both_themes_wide_and_on_a_phone(key, window, holds):
    page = window
    page.goto(f"/{address(key) if key in PAGES else key}")
    page.wait_for_selector(".ov-plot[data-version], [class*=st-key-tile-]", timeout=90_000)
    page.wait_for_selector(IDLE, timeout=90_000)
    train = page.locator("[class*=st-key-train-] button")
    if page.locator("[class*=st-key-jobs-]").count():
        if (idle := train.and_(page.locator(":enabled"))).count():
            idle.click()
        as_it_trains(page, train.and_(page.locator(":disabled")))
        if (keep := page.get_by_role("button", name="Keep", exact=True)).count():
            keep.click()
            page.get_by_text("Kept: click to remove it").wait_for()
    holds(page)


FOCUSED = "() => document.activeElement.closest('[data-testid=stPopoverBody]') !== null"
WITHIN = "s => document.activeElement.closest(s) !== null"
HEARD = ".ov-timetable [role=status]"


def focused(page, selector):
    return page.evaluate("s => document.activeElement.matches(s)", selector)


def test_keys_reach_what_opens_and_keep_their_place(page):
    page.get_by_role("button", name="View").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(FOCUSED)
    page.keyboard.press("Escape")
    page.locator(".ov-table").first.focus()
    for key in ("Home", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.locator(".ov-player").get_attribute("data-step") == "30", "they scroll the table"
    tip = page.locator(".ov-tip").first
    page.get_by_label("learning rate, exact value").first.focus()
    assert tip.is_visible()
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    page.get_by_role("button", name="learning rate: back to its default").first.press("Enter")
    assert focused(page, "input[type=range]"), (
        "its slider, as the button has nothing to do any more"
    )
    at_rest(page)
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Predict").press("Enter")
    page.wait_for_function(WITHIN, arg=".st-key-predict")
    at_rest(page)
    assert page.locator(".st-key-reveal button").is_disabled()
    page.get_by_role("button", name="Your guess").press("ArrowRight")
    at_rest(page)
    page.locator(".st-key-reveal button:enabled").press("Enter")
    page.wait_for_function(WITHIN, arg=".ov-play")
    page.locator(".ov-heard", has_text="of 10 points").wait_for(state="attached")
    page.get_by_role("button", name="Stop predicting").press("Enter")
    page.wait_for_function(WITHIN, arg=".st-key-predict-begin")


def test_a_change_is_told_once_and_a_play_does_not_chatter(page):
    page.wait_for_timeout(800)  # the table's rest is 700
    assert page.locator(HEARD).inner_text() == ""
    page.evaluate(
        "s => { window.told = []; new MutationObserver(() => told.push(document.querySelector(s).textContent))"
        ".observe(document.querySelector(s), { childList: true, subtree: true, characterData: true }); }",
        HEARD,
    )
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play").click()
    page.wait_for_selector(".ov-player[data-step='30'][data-playing='false']")
    rate(page).press("ArrowLeft")
    page.wait_for_function("() => told.length")
    at_rest(page)
    page.wait_for_timeout(800)
    [told] = page.evaluate("() => told")
    assert told.startswith("SGD: ")
    assert "Adam" not in told


def test_what_is_told_of_a_function_of_x_alone_is_its_loss_and_status(opened):
    """Its table has no column for y."""
    sgd = replace(BOOK, optimizers=BOOK.optimizers[:1])
    scene = replace(sgd, objective=Objective(TYPED, "(x-1)^2", start=(2.0, 0.0)))
    page = opened(f"?s={encode(SharedScene('trajectories', scene))}")
    page.wait_for_timeout(800)
    rate(page).press("ArrowLeft")
    page.wait_for_function("s => document.querySelector(s).textContent", arg=HEARD)
    heads = page.locator(".ov-timetable thead th").all_inner_texts()
    cells = page.locator(".ov-timetable tbody tr").first.locator("> *").all_inner_texts()
    row = dict(zip(heads, cells, strict=True))
    assert page.locator(HEARD).inner_text() == f"SGD: {row['loss']}, {row['status']}."


def test_training_says_when_it_is_complete(window):
    page = window
    page.goto(f"/{address('initialization')}")
    train = page.locator(".st-key-train-initialization button")
    as_it_trains(page, page.locator(".st-key-train-initialization button:disabled"))
    page.get_by_role("button", name="Reset", exact=True).click()
    page.locator(".st-key-train-initialization button:enabled").wait_for()
    at_rest(page)
    train.press("Enter")
    page.locator(".ov-toolbar [role=status]", has_text="Complete").wait_for(state="attached")
    assert page.title() == "Initialization · optviz"


def test_thumbnails_follow_the_theme(window):
    page = window
    page.emulate_media(color_scheme="light")
    page.goto("/course")
    picture = page.locator("[class*=st-key-tile-] img").first
    before = picture.get_attribute("src")
    page.wait_for_selector(IDLE)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "src => document.querySelector('[class*=st-key-tile-] img').src !== src", arg=before
    )
