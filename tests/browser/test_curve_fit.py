"""The curve-fitting page in a real browser: it trains, the slider goes back in time, and it fits a phone."""

from optviz.experiments.curve_fit.spec import CurveFit
from tests.browser.test_networks import trained

LINES = "() => document.querySelector('.st-key-curve_fit-weights-0-2-1 .ov-layer:nth-child(2)').data.filter(t => t.mode === 'lines').map(t => t.line.width)"

HEIGHT = "() => document.querySelector('.st-key-curve_fit-weights-0-2-1 .ov-plot').clientHeight"


def test_it_trains_goes_back_and_fits_a_phone(visit, holds):
    page = visit("curve_fit", "weights-0-2-1")
    iterations = page.get_by_label("iterations, exact value")
    iterations.fill("100")
    iterations.press("Enter")
    page.get_by_text("100 of 100 iterations").wait_for()
    trained(page, "curve_fit")
    assert page.get_by_text("All 3 units are equal").count() == 2
    end = page.evaluate(LINES)
    assert len(end) == 2 * CurveFit().units
    height = page.evaluate(HEIGHT)
    page.get_by_role("slider", name="Iteration (as far").press("Home")
    page.wait_for_function(f"then => JSON.stringify(({LINES})()) !== JSON.stringify(then)", arg=end)
    assert page.evaluate(HEIGHT) == height < 300, "as it was declared, also after a change of it"
    holds(page)
