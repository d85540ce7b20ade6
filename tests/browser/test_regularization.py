"""The overfitting page in a real browser: gaps that open while it trains, weights in their tab, a phone."""

from tests.browser.test_networks import grows_as_plotly_draws, trained
from tests.calm import at_rest


def points(page, i):
    """How many points the validation curve of a regularizer has."""
    return page.evaluate(
        "i => document.querySelector(`.st-key-regularization-gaps-0-${i} .ov-layer:nth-child(2)`)._fullData.find(t => t.name === 'validation' && t.fill !== 'toself').y.length", i
    )  # fmt: skip


def test_gaps_open_weights_are_seen_and_nothing_is_too_wide(visit, holds):
    page = visit("regularization", "gaps-0-0")
    page.locator(".st-key-regularization-presets").get_by_role(
        "button", name="Wrong labels"
    ).click()
    page.wait_for_selector(".st-key-regularization-gaps-0-2 .ov-plot[data-version]")
    at_rest(page)
    assert "weight decay 0.02" in page.locator(".ov-table").first.inner_text()
    page.get_by_label("iterations, exact value").fill("90")
    page.get_by_label("hidden, exact value").fill("1")
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stProgress]').innerText.includes('of 810')"
    )
    trained(page, "regularization")
    assert [points(page, i) for i in range(3)] == [4, 4, 4]
    grows_as_plotly_draws(page, "regularization-gaps-0-0")
    said = page.locator("[data-testid=stMain]").inner_text()
    assert "Wrong labels memorized" in said
    assert "of 3 seeds" in said
    page.get_by_role("radio", name="Weights").click()
    page.wait_for_selector(".st-key-regularization-weights-0 .ov-plot[data-version]")
    at_rest(page)
    assert "before training" in page.locator(".st-key-regularization-weights-0").inner_text()
    holds(page)
