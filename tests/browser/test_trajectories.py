"""The page in a real browser: hyperparameters by keyboard and mouse, pictures that follow and keep their view."""

import csv
import re

import pytest

from optviz import FUNCTIONS, OPTIMIZERS, minimize
from tests.calm import IDLE, at_rest, zoom

LINE = ".st-key-{} .ov-layer:nth-child(2) .trace{} path.js-line"
DRAWN = ".st-key-contour .ov-layer:nth-child(2) .scatterlayer path.js-line"
RANGE = (
    "() => document.querySelector('.st-key-contour .ov-layer:nth-child(2)')._fullLayout.xaxis.range"
)
LOWER_RANGE = (
    "() => document.querySelector('.st-key-contour .ov-layer:nth-child(1)')._fullLayout.xaxis.range"
)


def first_optimizer(page):
    """The id that the first optimizer's traces carry."""
    return page.evaluate("() => document.querySelector('.st-key-contour .ov-layer:nth-child(2)').data"
                         ".find(t => t.name === 'SGD' && !t.uid.endsWith('h')).uid")  # fmt: skip


def path(page, chart="contour", optimizer=None):
    """The drawn line of an optimizer, as the d of its SVG path."""
    return page.locator(LINE.format(chart, optimizer or first_optimizer(page))).get_attribute("d")


def wait_for_other_path(page, before, chart="contour", optimizer=None):
    """The line as it is when it first is another one."""
    selector = LINE.format(chart, optimizer or first_optimizer(page))
    moved = page.wait_for_function(
        "([s, d]) => { const now = document.querySelector(s).getAttribute('d'); return now !== d && now; }",
        arg=[selector, before],
    )
    return moved.json_value()


def rate(page):
    return page.get_by_label("rate", exact=False).and_(page.get_by_role("slider")).first


def test_an_arrow_key_on_a_knob_moves_the_path_the_curve_and_then_the_table(page):
    contour, curves = path(page), path(page, "curves", f"{first_optimizer(page)}loss")
    row = page.locator(".ov-timetable tbody tr").first
    text = row.inner_text()
    rate(page).press("ArrowLeft")
    wait_for_other_path(page, contour)
    wait_for_other_path(page, curves, "curves", f"{first_optimizer(page)}loss")
    page.wait_for_function(
        "t => document.querySelector('.ov-timetable tbody tr').innerText !== t", arg=text
    )
    set_to = float(page.get_by_label("learning rate, exact value").first.input_value())
    assert set_to != 0.95
    run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=set_to), start=(-7, 2), steps=30)
    assert f"{run.values[-1]:.4g}" in row.inner_text().replace("−", "-")


def test_what_is_drawn_is_the_path_and_the_moved_picture_is_the_redrawn_one(page):
    """The last pixel of the line, taken back through the axes, is the point that the runner says. A key
    moves the line without Plotly; when Plotly draws it anew nothing jumps.
    """
    end = page.evaluate(
        """selector => {
          const d = document.querySelector(selector).getAttribute("d");
          const [x, y] = d.split(/[ML]/).at(-1).split(",").map(Number);
          const axes = document.querySelector('.st-key-contour .ov-layer:nth-child(2)')._fullLayout;
          return [axes.xaxis.p2c(x), axes.yaxis.p2c(y)];
        }""",
        LINE.format("contour", first_optimizer(page)),
    )
    assert end == pytest.approx((-0.3503929958, 0.0847823166), abs=0.03)
    before = path(page)
    rate(page).press("ArrowLeft")
    live_patch = [float(n) for n in re.findall(r"-?[\d.]+", wait_for_other_path(page, before))]
    at_rest(page)
    redrawn = [float(n) for n in re.findall(r"-?[\d.]+", path(page))]
    assert redrawn == pytest.approx(live_patch, abs=0.1)


def test_the_last_value_of_a_drag_is_the_one_that_stays(page):
    box = rate(page).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.75, y)
    page.mouse.down()
    seen = set()
    for share in [i / 40 for i in range(30, 0, -1)]:
        page.mouse.move(box["x"] + box["width"] * share, y)
        page.wait_for_timeout(30)
        seen.add(path(page))
    page.mouse.up()
    at_rest(page)
    assert len(seen) > 4, "the path follows while the hyperparameter is dragged"
    value = float(page.get_by_label("learning rate, exact value").first.input_value())
    run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["sgd"](lr=value), start=(-7, 2), steps=30)
    cell = page.locator(".ov-timetable tbody tr").first.locator("td").nth(2).inner_text()
    assert float(cell.replace("−", "-")) == pytest.approx(run.values[-1], rel=6e-4)


def test_zoom_and_hidden_traces_survive_an_update_and_the_contour_is_sent_again_only_when_lost(
    page,
):
    plot = page.locator(".st-key-contour .nsewdrag").last.bounding_box()
    page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2)
    before = page.evaluate(RANGE)
    page.mouse.wheel(0, 200)  # to the table
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop > 50")
    assert page.evaluate(RANGE) == before
    page.mouse.wheel(0, -400)
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop === 0")
    zoom(page, -300)
    page.wait_for_function(f"() => ({RANGE})()[0] > -9.9")
    at_rest(page)
    zoomed = page.evaluate(RANGE)
    assert page.evaluate(LOWER_RANGE) == pytest.approx(zoomed), "both layers show the same part"
    page.locator(".st-key-contour .legendtoggle").nth(
        2
    ).click()  # Momentum, after the minimum and SGD
    at_rest(page)
    assert page.locator(DRAWN).count() == 6, "three lines, each with its halo"
    page.evaluate(
        "() => { window.redrawn = 0; new MutationObserver(m => { window.redrawn += m.length; })"
        ".observe(document.querySelector('.st-key-contour .ov-layer:nth-child(1) .contourlayer'),"
        " {childList: true, subtree: true, attributes: true}); }"
    )
    before = path(page)
    rate(page).press("ArrowLeft")
    wait_for_other_path(page, before)
    at_rest(page)
    assert page.evaluate(RANGE) == pytest.approx(zoomed)
    assert page.locator(DRAWN).count() == 6
    assert page.evaluate("window.redrawn") == 0
    # what the browser was last sent has no contour in it; one that it lost is asked for
    page.evaluate(
        """() => {
          const host = document.querySelector('.st-key-contour .ov-plot').host, schedule = host.schedule.bind(host);
          host.schedule = data => { window.sentAgain = !!data.base; schedule(data); };
          host.requestOnce(host.drawn.base_id);
        }"""
    )
    page.wait_for_function("window.sentAgain === true")


def test_a_wrong_entry_says_so_beside_the_knob_and_a_rate_beyond_the_limit_can_be_taken_back(page):
    before = path(page)
    field = page.get_by_label("learning rate, exact value").first
    for text, complaint in [
        ("abc", "not a number"),
        ("1e9", "from 1e-8 to 10"),
        ("", "not a number"),
    ]:
        field.fill(text)
        assert complaint in page.locator(".ov-note.ov-wrong").first.inner_text()
    at_rest(page)
    assert path(page) == before
    field.press("Escape")
    assert field.input_value() == "0.95"
    field.fill("1.05")
    page.get_by_text("beyond 1, the largest stable rate here").wait_for()
    page.get_by_role("button", name="learning rate: back to its default 0.1").first.click()
    page.wait_for_function("() => !document.body.innerText.includes('largest stable rate here')")
    assert field.input_value() == "0.1"


def test_a_formula_that_is_refused_leaves_the_picture(page):
    page.get_by_role("combobox", name="Function").click()
    page.keyboard.type("Type a")  # a long menu draws only what it shows; typing searches it
    page.get_by_role("option", name="Type a formula").click()
    field = page.get_by_test_id("stTextInputField")
    field.fill("x^2 + y^2 + foo(x)")
    field.press("Enter")
    page.get_by_text("unknown function 'foo'").wait_for()
    assert field.input_value() == "x^2 + y^2 + foo(x)"
    field.fill("(x - 1)^2 + y^2")
    field.press("Enter")
    page.get_by_text("Minima: (1, 0).").wait_for()
    field.fill("(x - 1)^2")
    field.press("Enter")
    page.get_by_text("Minima: x = 1.").wait_for()
    at_rest(page)
    assert page.locator(".st-key-contour .ov-layer .colorbar").count() == 0, "nothing of the map"
    field.fill("(x - 1)^2 + y^2")
    field.press("Enter")
    page.locator(".st-key-contour .ov-layer .colorbar").wait_for()


def test_it_fits_a_projector_and_a_phone_follows_the_theme_and_its_table_is_taken_home(page):
    for selector in (
        ".st-key-contour",
        ".st-key-curves",
        ".ov-panel >> nth=0",
        ".ov-panel >> nth=1",
    ):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720, selector

    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert [r["optimizer"] for r in rows] == ["SGD", "Momentum", "AdaGrad", "Adam"]
    assert float(rows[0]["final_loss"]) == pytest.approx(1.3326803773e-2, rel=1e-9)
    page.keyboard.press("Escape")

    page.set_viewport_size({"width": 390, "height": 844})
    at_rest(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    top = [
        page.locator(s).first.bounding_box()["y"]
        for s in (".st-key-contour", ".st-key-curves", ".ov-panel", ".ov-table")
    ]
    assert top == sorted(top), "picture first, then the controls, then the table"
    for selector in (".st-key-contour .ov-plot", ".ov-panel"):
        box = page.locator(selector).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390

    color = "() => document.querySelector('.ov-timetable tbody th').style.borderLeftColor"
    assert page.evaluate(color) == "rgb(0, 114, 178)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"({color})() === 'rgb(86, 180, 233)'")
    page.wait_for_function(
        "() => document.querySelector('.st-key-contour .ov-plot').dataset.base.includes('#eef3f8')"
    )


def test_nothing_is_fetched_from_elsewhere(browser, server):
    window = browser.new_context().new_page()  # with nothing at hand from before
    asked = []
    window.on("request", lambda r: asked.append(r.url))
    window.goto(server)
    window.wait_for_selector(".st-key-contour .ov-plot[data-version]")
    window.wait_for_selector(IDLE)
    window.context.close()
    assert [
        u
        for u in asked
        if not u.startswith((server, server.replace("http", "ws"), "data:", "blob:"))
    ] == []


def test_functions_of_the_menu_write_no_error_to_the_console(page):
    """The check itself is in the fixture; here every sixth picture is drawn once."""
    for f in list(FUNCTIONS.values())[::6]:
        page.get_by_role("combobox", name="Function").click()
        page.keyboard.type(f.name)
        page.get_by_role("option", name=f.name, exact=True).click()
        page.locator("h1", has_text=f.name).wait_for()
        at_rest(page)


# Of each button that can be on: whether it is, and whether it has an outline.
MARKED = """() => [...document.querySelectorAll(".ov-eye, [role=radio]")].filter(e => e.checkVisibility())
  .map(e => [(e.ariaPressed ?? e.ariaChecked) === "true", getComputedStyle(e).outlineStyle !== "none"])"""
LETTERS = "() => parseFloat(getComputedStyle(document.querySelector('.st-key-contour .xtick text')).fontSize)"


def test_what_a_reader_has_set_for_all_pages_holds_for_knobs_and_pictures(page):
    """A knob is explained to the keyboard and to a finger, too; letters grow; forced colors leave what is on in sight."""
    knob = page.locator(".ov-hyperparameter").filter(has=rate(page)).first
    tip = knob.locator(".ov-tip")
    rate(page).press("Shift")
    rate(page).focus()
    assert tip.is_visible()
    rate(page).press("Escape")
    assert not tip.is_visible()
    rate(page).blur()
    knob.locator("label").click()
    assert tip.is_visible()

    before = page.evaluate(LETTERS)
    page.evaluate("() => { document.documentElement.style.fontSize = '20px'; }")
    at_rest(page)
    assert page.evaluate(LETTERS) == pytest.approx(before * 20 / 16, rel=0.01)

    page.emulate_media(forced_colors="active")
    marked = {(on, outlined) for on, outlined in page.evaluate(MARKED)}
    assert marked == {(True, True), (False, False)}
    page.emulate_media(forced_colors="none")
