"""The batch-normalization page in a real browser: a graph to go through, and two trainings side by side."""

from tests.browser.test_networks import begun
from tests.calm import at_rest, fits_a_phone

NAMES = "() => document.querySelector('.st-key-batch_norm-curves-0 .ov-layer:nth-child(2)').data.map(t => t.name)"


def test_a_small_batch_is_gone_through_and_two_networks_train(visit, holds):
    page = visit("batch_norm", "curves-0")
    page.get_by_text("One small batch", exact=True).click()
    picture = page.locator(".ov-graph img")
    picture.wait_for()
    at_rest(page)
    whole, url = picture.get_attribute("src"), page.url
    assert picture.evaluate("img => img.complete && img.naturalWidth > 0")
    page.get_by_role("button", name="Back", exact=True).click()
    page.get_by_text("Step 17 of 18, backward through x − μ").wait_for()
    assert picture.get_attribute("src") != whole
    page.get_by_label("Inputs x of one unit").fill("3, three")
    page.get_by_label("Inputs x of one unit").press("Enter")
    page.get_by_text("'three' is not a number").wait_for()
    page.get_by_label("Inputs x of one unit").fill("3, 5")
    page.get_by_label("Inputs x of one unit").press("Enter")
    page.get_by_text("'three' is not a number").wait_for(state="detached")
    at_rest(page)
    assert page.url != url
    assert page.locator(".ov-table tbody tr").first.inner_text().split("\t")[2] == "3, 5"
    fits_a_phone(page)

    page.get_by_text("With and without", exact=True).click()
    page.get_by_label("iterations, exact value").fill("3000")  # long enough to be stopped
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stProgress]')?.innerText.includes('of 6000')"
    )
    begun(page, "batch_norm-one")
    page.wait_for_function(
        "() => /^[1-9]\\d* of 6000/.test(document.querySelector('[data-testid=stProgress]').innerText.trim())"
    )
    page.locator(".st-key-stop-batch_norm-one button").click()
    page.get_by_role("button", name="Resume").wait_for()
    at_rest(page)
    assert {"with batch normalization", "without"} <= set(page.evaluate(NAMES))
    page.wait_for_selector(".st-key-batch_norm-hidden_layers-1 .ov-plot[data-version]")
    holds(page)
