"""What axe-core finds wrong (WCAG 2.2 AA) on every page: nothing that is ours. Every page is opened by its address."""

import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from optviz.shell.registry import PAGES
from optviz.shell.share import SharedScene, encode
from tests.browser.test_trajectories import IDLE

AXE = "axe-core@4.14.1"
FOLDER = Path(__file__).parents[2] / ".axe"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"wide": (1400, 900), "phone": (390, 844)}
# What Streamlit causes, by rule and elements.
STREAMLITS = {
    # its menu on a phone sets the pages of a drawer as items of a list into a <div> of the list's own
    "list": "[data-testid=stSidebarNavItems]",
    "listitem": "[data-testid=stSidebarNavItems] li",
}
FOUND = """async ([tags, streamlits]) => {
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"], elementRef: true });
  return violations.flatMap(({ id, nodes }) => nodes.filter(n => !n.element?.matches(streamlits[id] ?? "#none"))
    .map(n => `${id}: ${n.html.slice(0, 160)} ${[...n.any, ...n.all, ...n.none][0]?.message}`));
}"""
SMALL = {"iterations": 40, "trials": 6, "seeds": (0,), "resolution": 11}


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, fetched once by npm; without npm the test is skipped, or fails where it is required (CI)."""
    if not (found := FOLDER / "package" / "axe.min.js").exists():
        if not (npm := shutil.which("npm")):
            (pytest.fail if os.environ.get("OPTVIZ_BROWSER_REQUIRED") else pytest.skip)("no npm")
        FOLDER.mkdir(exist_ok=True)
        command = [npm, "pack", "--silent", "--pack-destination", str(FOLDER), AXE]
        packed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        with tarfile.open(FOLDER / packed) as archive:
            archive.extractall(FOLDER, filter="data")
    return found.read_text()


def address(key):
    """A page by its address, where it trains with something soon done."""
    if not hasattr(scene := PAGES[key].opening, "iterations"):
        return key
    less = {name: value for name, value in SMALL.items() if hasattr(scene, name)}
    return f"{key}?s={encode(SharedScene(key, replace(scene, **less)))}"


@pytest.mark.parametrize(
    "key", ["", *(k for k in PAGES if k != "trajectories"), "course", "lessons"]
)
def test_every_page_holds_in_both_themes_wide_and_on_a_phone_before_and_after_a_training(
    key, context, server, axe
):
    page, errors, found = context.new_page(), [], {}
    page.on("console", lambda m: m.type == "error" and errors.append(f"{m.text} {m.location}"))
    page.on("pageerror", lambda e: errors.append(f"{e}"))
    page.on("requestfailed", lambda r: errors.append(f"{r.url} {r.failure}"))

    def scan(when):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            for name, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(100)
                page.wait_for_selector(IDLE)
                for violation in page.evaluate(FOUND, [TAGS, STREAMLITS]):
                    found.setdefault(violation, []).append(f"{theme} {name} {when}")

    page.goto(f"{server}/{address(key) if key in PAGES else key}")
    page.wait_for_selector(".ov-plot[data-version], [class*=st-key-tile-]")
    page.wait_for_selector(IDLE)
    page.evaluate(axe)
    train, stop = (page.locator(f"[class*=st-key-{verb}-] button") for verb in ("train", "stop"))
    if train.or_(stop).count():
        if train.and_(page.locator(":enabled")).count():
            train.click()
        train.and_(page.locator(":disabled")).wait_for(timeout=60_000)
        scan("trained")
        page.get_by_role("button", name="Reset", exact=True).click()
        train.and_(page.locator(":enabled")).wait_for()
    scan("as it opens")
    page.close()
    assert found == {}
    assert [error for error in errors if "_stcore" not in error] == []
