"""Whether a page holds: what axe-core finds wrong on it (WCAG 2.2 AA) is nothing that is ours."""

import contextlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.calm import at_rest, width_of

AXE = "axe-core@4.14.1"
FOLDER = Path(__file__).parents[2] / ".axe"
AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"wide": {"width": 1400, "height": 900}, "phone": {"width": 390, "height": 844}}
LOOKS = (("light", "phone"), ("dark", "wide"))
# What Streamlit causes, by rule and elements.
STREAMLITS = {
    # its menu on a phone sets the pages of a drawer as items of a list into a <div> of the list's own
    "list": "[data-testid=stSidebarNavItems]",
    "listitem": "[data-testid=stSidebarNavItems] li",
}
# The second time for what depends on places: axe-core takes what is below the fold as covered, and what is under the lines
# that an SVG cuts off at its frame, and says nothing of it.
FOUND = """async ([rules, streamlits]) => {
  const options = { resultTypes: ["violations", "passes"], elementRef: true };
  const { violations } = await axe.run(document, { ...options, runOnly: rules });
  const style = document.head.appendChild(document.createElement("style"));
  style.textContent = "[data-testid=stApp], [data-testid=stAppViewContainer], [data-testid=stMain]"
    + " { overflow: visible !important } .ov-layer { visibility: hidden !important }";
  const placed = await axe.run(document, { ...options, runOnly: ["color-contrast", "target-size"] });
  style.remove();
  const found = [...violations, ...placed.violations].flatMap(({ id, nodes }) => nodes
    .filter(n => !n.element?.matches(streamlits[id] ?? "#none"))
    .map(n => `${id}: ${n.html.slice(0, 160)} ${[...n.any, ...n.all, ...n.none][0]?.message}`));
  return [found, placed.passes.find(({ id }) => id === "color-contrast")?.nodes.length ?? 0];
}"""


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, fetched once by npm; without npm the test is skipped, or fails where it is required (CI)."""
    if not (found := FOLDER / "package" / "axe.min.js").exists():
        if not (npm := shutil.which("npm")):
            (pytest.fail if os.environ.get("OPTVIZ_BROWSER_REQUIRED") else pytest.skip)("no npm")
        FOLDER.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as own:  # another process may be at it, too
            command = [npm, "pack", "--silent", "--pack-destination", own, AXE]
            packed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            with tarfile.open(Path(own) / packed.strip()) as archive:
                archive.extractall(own, filter="data")
            with contextlib.suppress(OSError):  # it is there by now
                (Path(own) / "package").rename(FOLDER / "package")
    return found.read_text()


@pytest.fixture
def holds(axe):
    """Looks at a page as it stands: in light on a phone, than which nothing is wider; in dark and wide."""

    def look(page):
        found = {}
        page.evaluate(axe)
        for theme, name in LOOKS:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.set_viewport_size(SIZES[name])
            at_rest(page)
            if name == "phone":
                assert width_of(page) <= SIZES[name]["width"]
            violations, read = page.evaluate(FOUND, [AA, STREAMLITS])
            # Streamlit fades what it is about to replace: only what lasts counts
            if violations or read < 40:
                at_rest(page)
                lasting, read = page.evaluate(FOUND, [AA, STREAMLITS])
                violations = [violation for violation in violations if violation in lasting]
            assert read >= 40, "so many texts have letters of enough contrast"
            for violation in violations:
                found.setdefault(violation, []).append(f"{theme} {name}")
        assert found == {}

    return look
