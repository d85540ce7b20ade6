"""The ensembles page in a real browser: all three methods trained, snapshots over their cycles, on a phone."""

from tests.browser.test_networks import begun
from tests.calm import at_rest

CYCLES = "() => document.querySelector('.st-key-ensembles-accuracies-0-0-1 .ov-layer:nth-child(2)').layout.shapes?.length"


def test_members_and_ensembles_are_trained_and_looked_at(visit, holds):
    page = visit("ensembles", "accuracies-0-0-1")
    page.get_by_label("iterations, exact value").fill("60")
    page.get_by_label("iterations, exact value").press("Enter")
    begun(page, "ensembles")
    page.wait_for_selector(".st-key-ensembles-members-1-0 .ov-plot[data-version]", timeout=60_000)
    page.wait_for_function(  # its pictures come while other members still train
        "() => document.querySelector('.ov-table tbody').innerText.split('done').length === 7",
        timeout=60_000,
    )
    at_rest(page)
    page.get_by_text("Snapshots", exact=True).click()
    page.wait_for_function(f"() => ({CYCLES})() === 5")
    page.get_by_text("Averaging", exact=True).click()
    page.wait_for_selector(".st-key-ensembles-losses-1-1 .ov-plot[data-version]")
    holds(page)
