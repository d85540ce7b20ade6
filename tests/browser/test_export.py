"""What is taken home from a page with trainings arrives: files are made outside of the session that asks for them."""

import pytest

from tests.browser.test_networks import begun


@pytest.mark.parametrize(
    ("key", "plot"),
    [
        ("activations", "settings-1"),
        ("optimizer_comparison", "curves-0"),
        ("standardization", "clouds-0"),
    ],
)
def test_pictures_script_and_table_of_a_page_are_kept_and_open_without_it(
    visit, key, plot, tmp_path
):
    page = visit(key, plot)

    def taken(button):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / "taken")
        return download.value.suggested_filename, (tmp_path / "taken").read_text()

    if key == "standardization":
        name, rows = taken("Table as CSV")
        assert name == "optviz-standardization-line.csv"
        assert rows.count("\n") > 2
    if key == "optimizer_comparison":  # while it trains
        page.get_by_label("iterations, exact value").fill("5000")
        begun(page, key)
    page.get_by_role("button", name="Export").click()
    kept = tmp_path / "kept.html"
    kept.write_text(taken("Page with these pictures")[1])
    if key == "optimizer_comparison":
        assert "class Network" in taken("Python script")[1]
    alone, errors = page.context.new_page(), []
    alone.on("pageerror", lambda error: errors.append(str(error)))
    alone.goto(kept.as_uri())
    alone.wait_for_selector(".ov-plot[data-version]")
    sorry = alone.locator(".ov-sorry").all_inner_texts()
    assert sorry == [""] * len(sorry)
    assert errors == []
    alone.close()
