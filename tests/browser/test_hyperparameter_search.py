"""The search page in a real browser: trials appear, the search stops and resumes, and its pictures fill."""

from tests.browser.test_networks import to
from tests.browser.test_trajectories import at_rest

ENDED = """() => {
  const traces = document.querySelector('.st-key-hyperparameter_search-trials .ov-layer:nth-child(2)').data;
  return traces.find(t => t.uid === 'completed')?.marker.size.length ?? 0;
}"""


PROGRESS = "document.querySelector('[data-testid=stProgress]').innerText.trim()"


def set_hyperparameters(page, **hyperparameters):
    for hyperparameter, value in hyperparameters.items():
        page.get_by_label(f"{hyperparameter}, exact value").fill(f"{value}")
        page.get_by_label(f"{hyperparameter}, exact value").press("Enter")
        at_rest(page)


def test_trials_appear_stop_and_resume(page):
    to(page, "Hyperparameter search")
    page.wait_for_selector(".st-key-hyperparameter_search-trials .ov-plot[data-version]")
    at_rest(page)
    page.locator(".st-key-train-hyperparameter_search button").click()
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
    page.locator(".st-key-train-hyperparameter_search button").click()
    page.wait_for_function(f"() => {PROGRESS}.startsWith('2000 of 2000')", timeout=90_000)
    page.wait_for_selector(".st-key-stop-hyperparameter_search", state="detached")
    at_rest(page)
    assert page.evaluate(ENDED) == 20
    assert "looked at once" in page.locator("[data-testid=stMain]").inner_text()
    page.get_by_role("tab", name="Best curves").click()
    page.wait_for_selector(".st-key-hyperparameter_search-curves-0 .ov-plot[data-version]")
    at_rest(page)
    page.set_viewport_size({"width": 390, "height": 844})
    at_rest(page)
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
