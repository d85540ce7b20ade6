"""Where the browser is, and a server with the app for the tests that need both."""

import os
import shutil

# Before NumPy is loaded: the tests share the cores already, and threads on top of that wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# A page's jobs are computed when it is run, in this process: what a test sees does not depend on the clock.
os.environ["OPTVIZ_EXECUTOR"] = "serial"

import pytest

from optviz.training.scheduler import scheduler
from tests import memo
from tests.serving import served

# Of every test in tests/browser: what the browser leaves open at the end is not theirs to close.
BROWSER = (
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "browser":
            for mark in BROWSER:
                item.add_marker(mark)
    items.sort(
        key=lambda item: item.get_closest_marker("slow") is None
    )  # or the last one would be waited for


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):  # once, not in every process of pytest-xdist
        memo.forget()


@pytest.fixture(autouse=True)
def no_results():
    """What the jobs of one test have come to, the next one does not find."""
    yield
    if scheduler.cache_info().currsize:
        scheduler().shutdown()
        scheduler.cache_clear()


@pytest.fixture(scope="session")
def chromium():
    """The path of Chromium; without one the test is skipped, or fails where one is required (CI)."""
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if found is None:
        if os.environ.get("OPTVIZ_BROWSER_REQUIRED"):
            pytest.fail("a browser is required and there is no Chromium")
        pytest.skip("there is no Chromium on this machine (set CHROMIUM to its path)")
    return found


@pytest.fixture(scope="session")
def server():
    """The address of the app, served as the README says but on a free port."""
    with served("app.py") as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium):
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    # what a browser does in the background has no network to do it with
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    with sync_playwright() as p:
        opened = p.chromium.launch(executable_path=chromium, args=quiet)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def context(browser):
    """The window's surroundings, one for the tests of a file: what one has fetched, the next has."""
    made = browser.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    made.set_default_timeout(90_000)  # two busy cores take their time
    yield made
    made.close()


@pytest.fixture
def page(context, server):
    """The app in a new window; the test fails when the page wrote an error to the console."""
    window, errors = context.new_page(), []
    window.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    window.on("pageerror", lambda e: errors.append(str(e)))
    window.goto(server)
    window.wait_for_selector(".st-key-contour .ov-plot[data-version]")
    window.wait_for_selector(".st-key-curves .ov-plot[data-version]")
    yield window
    window.close()
    assert errors == []
