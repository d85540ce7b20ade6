"""The loss landscape in a real browser: trained, played, and turned into a surface without another evaluation."""

from tests.calm import at_rest

CONTOUR = ".st-key-loss_landscape-pictures-0-0-0 .ov-plot[data-version]"
SOLID = ".st-key-loss_landscape-pictures-0-0-1 .ov-plot[data-version]"


def test_a_landscape_is_trained_surveyed_played_and_turned(visit, holds):
    page = visit("loss_landscape", "curves-0")
    page.wait_for_selector(CONTOUR, timeout=120_000)
    at_rest(page)
    drawn = page.evaluate(
        """() => { const [below, above] = document.querySelectorAll('.st-key-loss_landscape-pictures-0-0-0 .ov-layer');
        return { below: below.data[0].type, above: [...new Set(above.data.filter(t => t.mode === 'lines').map(t => t.name))] }; }"""
    )
    assert drawn == {"below": "contour", "above": ["SGD", "Momentum", "Adam"]}
    text = page.locator("[data-testid=stMain]").inner_text()
    assert "condition number" in text
    assert "in the middle of the plane" in text

    page.get_by_role("button", name="To the start (Home)").click()
    page.wait_for_selector(".st-key-loss_landscape-pictures-0-0-0 .ov-plot[data-step='0']")
    page.wait_for_selector(".st-key-loss_landscape-pictures-0-1 .ov-plot[data-step='0']")
    page.get_by_role("button", name="To the end (End)").click()

    page.get_by_role("radio", name="Surface").click()
    page.wait_for_selector(SOLID)
    at_rest(page)
    assert not page.locator("[class*='st-key-stop-loss_landscape']").count(), (
        "nothing is worked out again"
    )
    page.wait_for_function(
        "() => document.querySelector('.st-key-loss_landscape-pictures-0-0-1 .ov-layer').data?.[0].type === 'surface'"
    )
    margin = page.get_by_label("margin, exact value")
    margin.fill("0.8")
    margin.press("Enter")
    for name, value in (("Undo", "0.5"), ("Redo", "0.8"), ("Undo", "0.5")):
        page.get_by_role("button", name=name).click()
        page.wait_for_function(
            "v => document.querySelector('[aria-label=\"margin, exact value\"]')?.value === v",
            arg=value,
        )
    holds(page)
