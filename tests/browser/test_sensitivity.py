"""The sensitivity page in a real browser: a click on the map is a run, one in the basins a start."""

from tests.browser.test_networks import to
from tests.calm import at_rest, zoom

MAP = "document.querySelector('.st-key-sensitivity-map .ov-plot').host"
SEEN = f"{MAP}.drawn.layout.xaxis.range.reduce((low, high) => high - low)"  # decades of the rate
PATH = "document.querySelector('.st-key-sensitivity-path .ov-plot').host"
GHOST = f"{PATH}.upper._fullData.find(t => t.uid === 'ghost').x"


def click(page, name, x, y):
    """On a figure, at a share of its plot's width and height from the top left."""
    box = page.locator(f".st-key-{name} .nsewdrag").last.bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    at_rest(page)


def value(page, label):
    return float(page.get_by_label(f"{label}, exact value").first.input_value())


def test_a_click_on_the_map_sets_a_run_and_one_in_the_basins_a_start(visit, holds):
    page = visit("sensitivity", "rates")
    grip = page.locator(".st-key-sensitivity-rates .ov-grip")
    grip.focus()
    # a hundredth of five decades a key, from Momentum's 0.1: 0.1 · 10^(2 · 0.05)
    for _key in range(2):
        grip.press("ArrowRight")
        at_rest(page)  # after two seconds the grip stands where the server says that it is
    assert abs(value(page, "learning rate") - 0.1259) < 0.002
    box = grip.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 100, box["y"], steps=4)
    page.mouse.up()
    at_rest(page)
    assert value(page, "learning rate") < 0.1
    page.get_by_role("button", name="Rates on the bowl").click()
    at_rest(page)
    page.get_by_role("radio", name="Map of two settings").click()
    page.wait_for_selector(".st-key-sensitivity-map .ov-plot[data-version]")
    at_rest(page)
    assert (value(page, "learning rate"), value(page, "momentum")) == (0.1, 0.9)
    click(page, "sensitivity-map", 0.8, 0.995)
    assert value(page, "learning rate") == 1.11588399251, "of the cell, the 52nd of 64"
    assert value(page, "momentum") < 0.1
    click(page, "sensitivity-map", 0.97, 0.99)
    assert "diverge" in page.locator("[data-testid=stMain]").inner_text()

    # a wheel on the map: what is seen then is computed anew; the pointer's path goes with it
    box = page.locator(".st-key-sensitivity-map .nsewdrag").last.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    page.wait_for_function(f"() => {GHOST}.length > 5")
    for _turn in range(4):
        zoom(page, -600)
    page.wait_for_function(f"() => {SEEN} < 4")
    at_rest(page)
    assert page.evaluate(f"() => {MAP}.drawn.data[0].x.length ?? 64") == 64
    page.mouse.move(5, 5, steps=3)
    page.wait_for_function(f"() => {GHOST}.length === 1")
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.locator(".st-key-sensitivity-map [data-title='The whole picture again']").click()
    page.wait_for_function(f"() => {SEEN} > 4.9")
    at_rest(page)
    click(page, "sensitivity-map", 0.97, 0.99)
    assert "diverge" in page.locator("[data-testid=stMain]").inner_text()

    # by key: the sentence above it may take another row just then
    page.get_by_role("button", name="in Trajectories").press("Enter")
    page.wait_for_selector(".st-key-contour .ov-plot[data-version]")
    at_rest(page)
    assert value(page, "rate") > 5
    to(page, "Sensitivity")

    page.get_by_role("button", name="Four basins").click()
    page.wait_for_selector(".st-key-sensitivity-basins .ov-plot[data-version]")
    at_rest(page)
    click(page, "sensitivity-basins", 0.75, 0.25)
    assert abs(value(page, "start x") - 3) < 0.2
    assert abs(value(page, "start y") - 3) < 0.2
    holds(page)
