"""The networks' pages in a real browser: a training that grows, stops and goes on; histograms that follow a hyperparameter."""

import re
from dataclasses import replace
from urllib.parse import urljoin

import pytest

from optviz.plot.writers.changes import changes
from optviz.shell.registry import PAGES
from optviz.shell.share import SharedScene, encode
from optviz.ui.assets import FRONTEND, published
from tests.calm import IDLE, as_it_trains, at_rest
from tests.plot.test_changes import CASES

DRAWERS = {page.title: page.chapter for page in PAGES.values()}
DRAWN = "() => document.querySelector('.st-key-optimizer_comparison-curves-0 .ov-layer:nth-child(2)').data.find(t => t.name === 'SGD')?.x"


def to(page, name):
    """Another page by the menu, in the same session."""
    if drawer := DRAWERS.get(name):
        page.get_by_test_id("stTopNavSection").filter(has_text=drawer).click()
    page.get_by_role("menuitem" if drawer else "link", name=name).click()
    page.wait_for_selector(IDLE)


def begun(page, name):
    """Ask for what does not begin by itself, as it takes its time."""
    at_rest(page)
    button = page.locator(f".st-key-train-{name} button:enabled")
    if button.count():
        button.click()


def trained(page, name):
    """Wait until what the page shows is complete."""
    begun(page, name)
    as_it_trains(page, page.locator(f".st-key-train-{name} button:disabled"))
    at_rest(page)


def test_a_training_grows_stops_and_goes_on(visit):
    page = visit("optimizer_comparison", "curves-0")
    page.get_by_label("iterations, exact value").fill("5000")  # enough to be stopped on the way
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stProgress]').innerText.includes('of 20000')"
    )
    begun(page, "optimizer_comparison")
    told = page.locator("[data-testid=stProgress]")
    page.wait_for_function(
        "() => /^[1-9]\\d* of 20000/.test(document.querySelector('[data-testid=stProgress]').innerText.trim())"
    )
    first = told.inner_text()
    page.wait_for_function(
        "t => document.querySelector('[data-testid=stProgress]').innerText !== t", arg=first
    )
    page.locator(".st-key-stop-optimizer_comparison button").click()
    page.get_by_role("button", name="Resume").wait_for()
    at_rest(page)
    stopped = told.inner_text()
    page.wait_for_timeout(800)
    assert told.inner_text() == stopped
    assert page.evaluate(DRAWN) is not None, "what there is, is drawn"
    assert "under way" in page.locator(".ov-table tbody").inner_text()
    page.get_by_role("button", name="Resume").press("Enter")
    page.wait_for_function(
        "t => document.querySelector('[data-testid=stProgress]').innerText !== t", arg=stopped
    )
    page.wait_for_function("() => document.activeElement.innerText.includes('Stop')")  # at hand
    page.locator(".st-key-stop-optimizer_comparison button").click()
    page.get_by_role("button", name="Resume").wait_for()
    at_rest(page)
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stProgress]').innerText.startsWith('0 of')"
    )


# As if the page were being run, until it is said that it is not; counts what Streamlit is asked for meanwhile.
HOLD = """() => {
  const { send } = WebSocket.prototype, look = document.querySelector;
  window.asked = 0;
  WebSocket.prototype.send = function (...message) {
    window.asked += this.url.includes("/_stcore/");
    return send.apply(this, message);
  };
  document.querySelector = what => what.includes("notRunning") ? null : look.call(document, what);
  window.release = () => { document.querySelector = look; };
}"""


def test_pictures_stay_while_another_training_takes_their_place(window, visit):
    told = []

    def listen(socket):
        if socket.url.endswith("/channel"):
            socket.on("framereceived", lambda answer: told.append(answer))

    window.on("websocket", listen)
    page = visit("batch_norm", "curves-0")
    window.remove_listener("websocket", listen)
    trained(page, "batch_norm-one")
    picture = page.query_selector(".st-key-batch_norm-curves-0 .ov-plot")
    page.get_by_text("Reached 90% training accuracy").wait_for()
    page.get_by_label("rate, exact value").first.fill("0.0001")
    page.get_by_text("Reached 90% training accuracy").wait_for(state="detached")
    trained(page, "batch_norm-one")
    page.get_by_label("iterations, exact value").fill("3000")
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stProgress]').innerText.includes('of 6000')"
    )
    begun(page, "batch_norm-one")
    page.locator(".st-key-stop-batch_norm-one button").wait_for()
    # of a part that is to be run during a run of the page, Streamlit drops what it has not sent
    page.evaluate(HOLD)
    told.clear()
    for _ in range(100):  # 4 s, after two of which it is asked for at the latest
        page.wait_for_timeout(40)
        if any('"rerun":true' in answer for answer in told):
            break
    page.wait_for_timeout(400)
    assert page.evaluate("() => window.asked") == 0
    page.evaluate("() => window.release()")
    trained(page, "batch_norm-one")
    assert picture.evaluate("e => e.isConnected"), "what stands before it has gone"


def test_a_running_training_is_forked_and_both_branches_go_on(visit):
    page = visit("optimizer_comparison", "curves-0")
    page.get_by_label("iterations, exact value").fill("4000")
    begun(page, "optimizer_comparison")
    page.get_by_role("button", name="Change").first.click()
    page.get_by_role("button", name="Fork", exact=True).click()
    page.get_by_text("SGD from step").first.wait_for()
    page.keyboard.press("Escape")
    rate = page.get_by_label("rate, exact value").nth(4)  # the first four are the figure's
    rate.fill("0.2")
    rate.press("Enter")
    page.wait_for_function("() => location.search.length > 40")
    begun(page, "optimizer_comparison")
    names = "() => document.querySelector('.st-key-optimizer_comparison-curves-0 .ov-layer:nth-child(2)').data.map(t => t.name)"
    page.wait_for_function(f"() => ({names})().some(n => n?.startsWith('SGD from step'))")
    told = page.locator("[data-testid=stProgress]")
    before = told.inner_text()
    assert "of 20000" in before
    page.wait_for_function(
        "t => { const now = document.querySelector('[data-testid=stProgress]').innerText;"
        " return now !== t || now.includes('20000 of'); }",  # a quick machine is done by now
        arg=before,
    )


def test_histograms_follow_a_slider_and_the_address_follows_them(visit):
    page = visit("activations", "settings-1")
    picture = ".st-key-activations-settings-1"
    version = page.locator(f"{picture} .ov-plot").get_attribute("data-version")
    url = page.url
    bars = f"document.querySelector('{picture} .ov-layer:nth-child(2)').data"
    sigma = page.locator("input[type=range]").first.bounding_box()
    page.mouse.move(sigma["x"] + sigma["width"] / 2, sigma["y"] + sigma["height"] / 2)
    page.mouse.down()
    page.mouse.move(sigma["x"] + sigma["width"] * 0.2, sigma["y"] + sigma["height"] / 2, steps=4)
    page.wait_for_function(  # its data are replaced while the rest of the page is as it was
        f"was => document.querySelector('{picture} .ov-plot').dataset.version.startsWith(was + '+')",
        arg=version,
    )
    page.mouse.up()
    page.get_by_label("layers, exact value").fill("3")
    page.wait_for_function(f"() => {bars}.length === 6")
    at_rest(page)
    assert page.locator(f"{picture} .ov-plot").get_attribute("data-version") != version
    assert page.url != url
    assert page.locator(".ov-table tbody tr").count() == 3
    page.get_by_role("button", name="Compare with another setting").click()
    page.wait_for_selector(".st-key-activations-settings-4 .ov-plot[data-version]")


def test_the_symmetry_of_equal_weights_is_seen(visit):
    page = visit("initialization", "curves-0")
    page.get_by_role("button", name="Show the symmetry").click()
    stop = page.locator("[class*='st-key-stop-'] button")
    stop.wait_for()
    as_it_trains(page, stop, "detached")
    at_rest(page)
    rows = page.locator(".ov-table").first.locator("tbody th").all_inner_texts()
    assert rows == ["zeros", "constant (c = 0.1)", "Xavier (1/√n)"], (
        "the controls before have no say in it"
    )
    assert "done" in page.locator(".ov-table tbody").first.inner_text()
    assert "rank" in page.locator("[data-testid=stMain]").inner_text().lower()
    page.wait_for_selector(".st-key-initialization-symmetry-1 .ov-plot[data-version]")


def test_a_digit_is_drawn_by_hand_or_by_keyboard_and_every_network_says_what_it_is(visit):
    page = visit("optimizer_comparison", "curves-0")
    page.get_by_role("radio", name="Use the networks").click()
    pad = page.locator(".ov-sketchpad canvas")
    pad.wait_for()
    at_rest(page)
    x, y, side = (pad.bounding_box()[k] for k in ("x", "y", "width"))
    page.mouse.move(x + 0.5 * side, y + 0.1 * side)
    page.mouse.down()
    page.mouse.move(x + 0.5 * side, y + 0.9 * side, steps=5)
    page.mouse.up()
    answer = page.locator(".st-key-hand-drawn .ov-plot[aria-label*='SGD: ']")
    answer.wait_for()
    cells = "() => document.querySelector('.st-key-hand-drawn .ov-layer:nth-child(2)').data[1].text"
    shares = [int(re.sub("[^0-9]", "", cell)) for cell in page.evaluate(cells)]
    sums = [sum(shares[10 * i : 10 * i + 10]) for i in range(4)]
    assert all(95 <= total <= 105 for total in sums), "each network's shares make a whole"
    at_rest(page)
    page.get_by_role("button", name="Clear").click()
    answer.wait_for(state="detached")
    pad.focus()
    for key in ("ArrowUp", "ArrowUp", "Shift+ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    answer.wait_for()
    untrained = page.get_by_text(
        "Not trained yet, so this is chance: SGD, Momentum, AdaGrad, Adam."
    )
    assert not untrained.count()
    page.get_by_role("button", name="Reset").click()
    untrained.wait_for()
    pad.press("Delete")
    answer.wait_for(state="detached")


# Whether what a picture was sent last is what has changed since the one before.
SINCE = "() => document.querySelector('.st-key-optimizer_comparison-curves-0 .ov-plot').host.figure.since"
MERGED = """async ([module, cases]) => {
  const { complete } = await import(module);
  return cases.map(([before, message]) => complete(before, message));
}"""


def test_the_browser_merges_what_has_changed_and_asks_where_it_missed_something(page):
    merged = []
    for before, now in CASES:
        news = {**changes(before, now), "version": "b", "since": "a"}
        sent, after = {**before, "version": "a"}, {**now, "version": "b"}
        merged += [(sent, news), (after, news), ({**before, "version": "?"}, news), (None, after)]
    module = urljoin(page.url, f"/{published(FRONTEND['changes.js'])}")
    found = page.evaluate(MERGED, [module, merged])
    for k, (_before, now) in enumerate(CASES):
        once, again, missed, whole = (f and {**f, "since": None} for f in found[4 * k : 4 * k + 4])
        assert once == again == whole == {**now, "version": "b", "since": None}
        assert missed is None


def test_undo_redo_and_back_on_a_page_that_trains_also_while_it_does(visit):
    page = visit("initialization", "curves-0")
    units = page.get_by_label("units, exact value")
    opened = units.input_value()

    def shows(value):
        page.wait_for_function(
            "v => document.querySelector('[aria-label=\"units, exact value\"]')?.value === v",
            arg=value,
        )
        at_rest(page)

    units.fill("60")
    units.press("Enter")
    shows("60")
    page.get_by_label("iterations, exact value").fill("4000")
    page.get_by_label("iterations, exact value").press("Enter")
    at_rest(page)
    begun(page, "initialization")
    undo, redo = (page.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    undo.click()  # the iterations, in the middle of their training
    page.wait_for_function(
        "() => document.querySelector('[aria-label=\"iterations, exact value\"]')?.value !== '4000'"
    )
    shows("60")
    undo.click()
    shows(opened)
    assert undo.is_disabled()
    redo.click()
    shows("60")
    page.go_back()
    shows(opened)


# The picture with half its points, then all of them: whether Plotly was not asked, and where lines, areas and marks are;
# then what Plotly makes of it.
GROWN = """async key => {
  const { host } = document.querySelector(`.st-key-${key} .ov-plot`), whole = host.drawn;
  const numbers = path => (path.getAttribute("transform") ?? path.getAttribute("d")).match(/[-\\d.]+/g).map(Number);
  const places = () => [...host.upper.querySelectorAll(".scatterlayer .trace")].map(trace =>
    [...trace.querySelectorAll("path.point, path.js-line, path.js-fill")].flatMap(numbers));
  const half = (t, axis) => ({ [axis]: Array.from(t[axis]).slice(0, t[axis].length < 4 ? 4 : t[axis].length / 2) });
  const { _fullData: full } = host.upper, draw = data => (host.schedule(data), host.work);
  host.framed = null;
  await draw(whole); // by Plotly, now that the fonts are there: its legend may take another row
  await draw({ ...whole, data: whole.data.map((t, i) => ({ ...t, ...half(full[i], "x"), ...half(full[i], "y") })) });
  const few = places();
  await draw(whole);
  const moved = host.moved, ours = places();
  await host.settle();
  return [moved, few, ours, places()];
}"""


def grows_as_plotly_draws(page, key):
    moved, few, ours, plotlys = page.evaluate(GROWN, key)
    assert moved, "Plotly was not asked"
    assert sum(map(len, few)) < sum(map(len, ours))
    for mine, other in zip(ours, plotlys, strict=True):
        assert mine == pytest.approx(other, abs=0.02)


# How often a picture is drawn when its size is told, as an observer does at first; and by how much its first margin is wrong.
TOLD = """async ([module, key]) => {
  const { styledLayout, styleOf } = await import(module);
  const { host } = document.querySelector(`.st-key-${key} .ov-plot`), { react } = Plotly;
  let draws = 0;
  Plotly.react = (...given) => (draws += 1, react(...given));
  host.schedule(host.drawn);
  await host.work;
  Plotly.react = react;
  const first = styledLayout(host.drawn, styleOf(host.root, host.root.getBoundingClientRect()));
  return [draws, first.margin.t - host.upper.layout.margin.t];
}"""


def test_a_picture_is_drawn_once_and_a_curve_that_has_grown_is_where_plotly_puts_it(visit):
    page = visit("optimizer_comparison", "curves-0")
    style = urljoin(page.url, f"/{published(FRONTEND['style.js'])}")
    assert page.evaluate(TOLD, [style, "optimizer_comparison-curves-0"]) == [0, 0]
    trained(page, "optimizer_comparison")
    grows_as_plotly_draws(page, "optimizer_comparison-curves-0")


def test_a_drag_is_one_entry_where_every_value_trains_anew(visit):
    page = visit("optimizer_comparison", "curves-0")
    at_rest(page)
    seeds = page.get_by_label("seeds", exact=True)
    before, box = page.url, seeds.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, y)
    page.mouse.down()
    for i in range(1, 6):
        page.mouse.move(box["x"] + 8 + i / 6 * box["width"], y)
        page.wait_for_timeout(400)
    page.mouse.up()
    undo = page.get_by_role("button", name="Undo")
    page.wait_for_function("() => !document.querySelector('.ov-toolbar button').disabled")
    at_rest(page)
    assert page.url != before
    undo.click()
    page.wait_for_function("before => location.href === before", arg=before)
    at_rest(page)
    assert undo.is_disabled()


def test_where_neither_second_socket_nor_letters_come_the_script_runs_instead_and_pictures_are_drawn(
    context,
):
    page, lost = context.new_page(), []

    def through(socket):
        server = socket.connect_to_server()

        def pass_on(message):
            if b"growth-" in message and not lost:
                lost.append(message)  # a wish for a picture that never arrives is made again
            else:
                server.send(message)

        socket.on_message(pass_on)

    page.route("**/*.woff2", lambda route: route.abort())
    page.route_web_socket("**/channel", lambda socket: socket.close())
    page.route_web_socket("**/_stcore/stream", through)
    page.goto("/")
    line = page.locator(".st-key-contour .ov-layer:nth-child(2) .scatterlayer path.js-line").first
    before = line.get_attribute("d")
    page.locator(".ov-panel input[type=range]").first.press("ArrowLeft")
    moved = "([line, d]) => line.getAttribute('d') !== d"
    page.wait_for_function(moved, arg=[line.element_handle(), before])
    # by a seed that no other test has trained with
    spec = replace(PAGES["optimizer_comparison"].opening, seeds=(77,))
    link = encode(SharedScene("optimizer_comparison", spec))
    page.goto(f"/optimizer_comparison?s={link}")
    trained(page, "optimizer_comparison")
    assert page.evaluate(DRAWN) is not None
    assert lost
    page.close()


def test_a_page_loaded_again_goes_on_with_its_file_and_its_history(visit):
    page = visit("activations", "settings-1")
    page.get_by_text("Own data in place of Gaussian numbers").click()
    rows = "\n".join(f"{i},{i * i % 7}" for i in range(60)).encode()
    file = {"name": "mine.csv", "mimeType": "text/csv", "buffer": rows}
    page.locator("input[type=file]").set_input_files(file)
    used = page.get_by_text("In use: 60 rows of 2 numbers")
    used.wait_for()
    at_rest(page)
    to(page, "Trajectories")
    page.reload()
    page.wait_for_selector(".ov-toolbar button:first-child:enabled")
    to(page, "Activations")
    page.get_by_text("Own data in place of Gaussian numbers").click()
    used.wait_for()
    at_rest(page)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("() => document.querySelector('.ov-toolbar button').disabled")
    assert "/activations" in page.url
