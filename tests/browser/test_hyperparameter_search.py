"""The search page in a real browser: trials appear, the search stops and resumes, and its pictures fill."""

from urllib.parse import urljoin

from optviz.ui.assets import FRONTEND, published
from tests.browser.test_networks import begun, to, trained
from tests.browser.test_trajectories import at_rest

ENDED = """() => {
  const traces = document.querySelector('.st-key-hyperparameter_search-trials .ov-layer:nth-child(2)').data;
  return traces.find(t => t.uid === 'completed')?.marker.size.length ?? 0;
}"""


PROGRESS = "document.querySelector('[data-testid=stProgress]').innerText.trim()"


SHOWN = """name => {
  const traces = document.querySelector(`.st-key-hyperparameter_search-${name} .ov-layer:nth-child(2)`).data;
  return new Set(traces.filter(t => t.meta?.trials).flatMap(t => t.meta.trials.filter((_, k) => Array.from(
    t.y.dtype ? new {i2: Int16Array, f4: Float32Array, f8: Float64Array}[t.y.dtype](Uint8Array.from(atob(t.y.bdata), c => c.charCodeAt(0)).buffer) : t.y)[k] !== null))).size;
}"""


def set_hyperparameters(page, **hyperparameters):
    for hyperparameter, value in hyperparameters.items():
        page.get_by_label(f"{hyperparameter}, exact value").fill(f"{value}")
        page.get_by_label(f"{hyperparameter}, exact value").press("Enter")
        at_rest(page)


def test_trials_appear_stop_and_resume_and_are_brushed_while_the_hand_moves(page, holds):
    to(page, "Hyperparameter search")
    page.wait_for_selector(".st-key-hyperparameter_search-trials .ov-plot[data-version]")
    begun(page, "hyperparameter_search")
    told = page.locator("[data-testid=stProgress]")
    page.wait_for_function(f"() => /^[1-9]\\d* of 20000/.test({PROGRESS})")
    page.locator(".st-key-stop-hyperparameter_search button").click()
    page.get_by_role("button", name="Resume").wait_for()
    at_rest(page)
    stopped = told.inner_text()
    page.wait_for_timeout(600)
    assert told.inner_text() == stopped
    page.get_by_role("button", name="Resume").click()
    page.wait_for_function(f"t => {PROGRESS} !== t", arg=stopped.strip())
    page.locator(".st-key-stop-hyperparameter_search button").click()
    page.get_by_role("button", name="Resume").wait_for()

    set_hyperparameters(page, trials=20, units=20, iterations=100)
    trained(page, "hyperparameter_search")
    assert page.evaluate(f"() => {PROGRESS}").startswith("2000 of 2000")
    assert page.evaluate(ENDED) == 20
    page.get_by_role("button", name="Evaluate on the test set").click()
    page.get_by_text("The test set has been used once").wait_for()

    page.get_by_role("radio", name="Parallel coordinates").click()
    page.wait_for_selector(".st-key-hyperparameter_search-parallel .ov-brush")
    at_rest(page)
    assert page.evaluate(SHOWN, "parallel") == page.evaluate(SHOWN, "trials") == 20
    strip = page.locator(".st-key-hyperparameter_search-parallel .ov-brush").first
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 0.2 * box["height"])
    page.mouse.move(x, box["y"] - 5)
    page.wait_for_function(f"() => ({SHOWN})('trials') < 20")
    some = page.evaluate(SHOWN, "trials")
    assert page.evaluate(SHOWN, "parallel") == some > 0
    assert page.get_by_text("trials are shown").count() == 0, "the server has not heard of it yet"
    page.mouse.up()
    page.get_by_text(f"{some} of 20 trials are shown").wait_for()
    at_rest(page)
    assert page.evaluate(SHOWN, "trials") == some
    assert page.locator("[data-testid=stMain] tbody tr").count() == min(some, 10)
    # the keys move an end, and Escape lets go
    end = page.get_by_role("slider", name="learning rate η: lower end of what is shown")
    before = float(end.get_attribute("aria-valuenow"))
    end.focus()
    page.keyboard.press("PageDown")
    assert float(end.get_attribute("aria-valuenow")) < before
    page.keyboard.press("Escape")
    page.get_by_text("trials are shown").wait_for(state="detached")
    at_rest(page)
    assert page.evaluate(SHOWN, "trials") == 20

    page.get_by_role("radio", name="Best curves").click()
    page.wait_for_selector(".st-key-hyperparameter_search-curves-0 .ov-plot[data-version]")
    at_rest(page)
    holds(page)


REPLACED = """async ([host, clock]) => {
  const { mount } = await import(host), { plots } = await import(clock);
  const root = () => Object.assign(document.createElement("div"), { innerHTML: "<div class=ov-plot></div>" });
  const Kind = class { schedule() {} destroy() {} };
  const draw = () => mount(Kind, { data: { name: "twice" }, parentElement: root() });
  const first = draw(), second = draw();
  first();
  const kept = plots.has("twice");
  second();
  return [kept, plots.has("twice")];
}"""


def test_a_picture_that_replaces_another_stays_known_when_the_old_one_is_taken_away(page):
    """Streamlit mounts the new element before it unmounts the old: brushing passed the new one by."""
    modules = [
        urljoin(page.url, f"/{published(FRONTEND[name])}") for name in ("host.js", "clock.js")
    ]
    assert page.evaluate(REPLACED, modules) == [True, False]
