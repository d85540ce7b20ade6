"""What is taken home from a page with trainings arrives: files are made outside of the session that asks for them."""

import pytest

from tests.browser.test_networks import begun, to
from tests.browser.test_trajectories import at_rest


@pytest.mark.parametrize(
    ("name", "plot"),
    [
        ("Activations", "activations-settings-1"),
        ("Optimizers on digits", "optimizer_comparison-curves-0"),
        ("Data normalization", "standardization-clouds-0"),
    ],
)
def test_the_pictures_of_a_page_are_kept_and_open_without_it(page, name, plot, tmp_path):
    to(page, name)
    page.wait_for_selector(f".st-key-{plot} .ov-plot[data-version]")
    at_rest(page)
    if name == "Optimizers on digits":  # while it trains
        page.get_by_label("iterations, exact value").fill("5000")
        begun(page, "optimizer_comparison")
    page.get_by_role("button", name="Export").click()
    for button, made in (("Page with these pictures", "it.html"), ("Python script", "it.py")):
        asked = page.get_by_role("button", name=button)
        if made == "it.py" and not asked.count():
            continue  # nothing is trained there
        with page.expect_download() as download:
            asked.click()
        download.value.save_as(tmp_path / made)
    if name == "Optimizers on digits":
        assert "class Network" in (tmp_path / "it.py").read_text()
    kept = page.context.new_page()
    kept.goto(f"file://{tmp_path / 'it.html'}")
    kept.wait_for_selector(".ov-plot[data-version]")
    assert kept.locator(".ov-sorry").all_inner_texts() == [""] * kept.locator(".ov-sorry").count()
    kept.close()


def test_a_table_is_kept(page):
    to(page, "Data normalization")
    page.wait_for_selector(".st-key-standardization-clouds-0 .ov-plot[data-version]")
    at_rest(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    assert download.value.suggested_filename == "optviz-standardization-line.csv"
