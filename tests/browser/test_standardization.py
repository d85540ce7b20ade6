"""The data-normalization page in a real browser: pictures follow the angle, the digits train."""

from tests.browser.test_networks import trained
from tests.calm import at_rest, fits_a_phone

NOTE = "() => document.querySelector('.st-key-standardization-clouds-{} .ov-layer:nth-child(2)').layout.annotations[0].text"


def test_the_line_follows_the_angle_and_the_digits_train(visit, holds):
    page = visit("standardization", "clouds-0")
    raw, standard = (page.evaluate(NOTE.format(i)) for i in (0, 1))
    assert "80.8" in raw
    assert "99.2" in standard
    url = page.url
    angle = page.get_by_label("angle", exact=False).and_(page.get_by_role("slider")).first
    box = angle.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (5 + 45) / 90, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=4)
    page.wait_for_function(f"() => ({NOTE.format(0)})().includes('50.0%')")  # while it is held
    page.mouse.up()
    page.get_by_label("angle, exact value").fill("0")
    page.wait_for_function(f"() => ({NOTE.format(0)})().includes('99.2')")
    at_rest(page)
    assert page.url != url
    assert "99.2%" in page.locator(".ov-table tbody tr").first.inner_text()

    page.get_by_role("radio", name="Digits", exact=True).click()
    page.wait_for_selector(".st-key-standardization-bars-0 .ov-plot[data-version]")
    trained(page, "standardization")
    rows = page.locator(".ov-table").last.locator("tbody tr")
    assert rows.count() == 5
    found = {
        row[0]: float(row[1].rstrip(" %"))
        for row in (r.split("\t") for r in rows.all_inner_texts())
    }
    assert found["standardized"] > found["0 to 1"] > found["raw counts"] > found["plus 5"]
    for name in ("A line is turned", "The loss over the weights"):
        page.get_by_role("radio", name=name, exact=True).click()
        fits_a_phone(page)
    page.get_by_role("radio", name="Digits", exact=True).click()
    holds(page)
