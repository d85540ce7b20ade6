"""The learning-rate schedules page in a real browser: the rate follows a hyperparameter, the loss grows above it, the range test."""

import pytest

from tests.browser.test_networks import trained
from tests.calm import at_rest

PLOT = "document.querySelector('.st-key-lr_schedules-losses .ov-layer:nth-child(2)')"
# Of a line, once Plotly has taken over what was moved without it.
LINE = f"""async uid => {{
  await {PLOT}?.closest(".ov-plot").host?.settle();
  return Array.from({PLOT}?._fullData?.find(t => t.uid === uid)?.y ?? []);
}}"""
RATE, LOSS = "r1s", "r1w"


def test_a_rate_is_seen_then_trained_with_then_looked_for(visit, holds):
    page = visit("lr_schedules", "losses")
    assert page.evaluate(LINE, RATE)[-1] == pytest.approx(0.03)
    page.get_by_label("gamma, exact value").fill("0.5")
    page.wait_for_function(
        f"async uid => Math.abs((await ({LINE})(uid)).at(-1) - 0.15) < 1e-9", arg=RATE
    )
    at_rest(page)
    page.get_by_label("iterations, exact value").fill("150")
    page.wait_for_function(f"() => {PLOT}.layout.xaxis.range[1] === 150")
    trained(page, "lr_schedules-schedules")
    assert len(page.evaluate(LINE, LOSS)) == 76  # every second iteration
    low, high = page.evaluate(f"() => ['yaxis2', 'yaxis'].map(a => {PLOT}._fullLayout[a]._offset)")
    assert low > high, "the rate stands under the loss"
    page.get_by_role("radio", name="LR range test").click()
    page.wait_for_selector(".st-key-lr_schedules-range_test-0 .ov-plot[data-version]")
    at_rest(page)
    page.get_by_label("steps, exact value").fill("300")
    trained(page, "lr_schedules-range")
    page.get_by_role("button", name="Train with rate").click()
    page.wait_for_function(f"() => {PLOT}?.data?.some(t => t.uid === 'r2s')")
    holds(page)
