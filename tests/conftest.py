"""Where the browser is, and a server with the app for the tests that need both."""

import os
import shutil
from functools import partial

# Before NumPy is loaded: the tests share the cores already, and threads on top of that wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# A page's jobs are computed when it is run, in this process: what a test sees does not depend on the clock.
os.environ["OPTVIZ_EXECUTOR"] = "serial"

import pytest

from optviz.training.scheduler import scheduler
from tests import memo
from tests.calm import QUIET, at_rest
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
    # the first is the same browser without windows, which takes a fifth less of the machine
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
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


@pytest.fixture(scope="session")
def context(browser, server):
    """The window's surroundings, one for all tests: what one has fetched, the next has."""
    made = browser.new_context(
        base_url=server, viewport={"width": 1280, "height": 720}, accept_downloads=True
    )
    made.set_default_timeout(90_000)  # two busy cores take their time
    made.add_init_script(QUIET)
    yield made
    made.close()


@pytest.fixture(scope="session")
def tab(context):
    """One tab for all tests: Streamlit and Plotly are compiled once in it, which takes longer than a page."""
    page = context.new_page()
    # with every frame, which is the default, waiting itself keeps the browser drawing
    page.wait_for_function = partial(page.wait_for_function, polling=40)
    return page


@pytest.fixture
def window(tab):
    """The tab before anything is opened; the test fails when what it opens wrote an error to the console."""
    errors = []

    def logged(message):
        # Streamlit asks for files that there are not where a page other than the first is opened by its address
        if message.type == "error" and "/_stcore" not in message.location["url"]:
            errors.append(f"{message.text} {message.location}")

    def thrown(error):
        errors.append(str(error))

    def lost(request):
        if not request.failure.endswith("ERR_ABORTED"):  # as the page before it was left
            errors.append(f"{request.url} {request.failure}")

    tab.on("console", logged)
    tab.on("pageerror", thrown)
    tab.on("requestfailed", lost)
    tab.set_viewport_size({"width": 1280, "height": 720})
    tab.emulate_media(color_scheme="null", reduced_motion="null")
    tab.mouse.move(0, 0)
    yield tab
    tab.remove_listener("console", logged)
    tab.remove_listener("pageerror", thrown)
    tab.remove_listener("requestfailed", lost)
    assert errors == []


@pytest.fixture
def visit(window):
    """Opens a page by its address, until a plot of it is drawn and all is at rest."""

    def to(key, plot):
        window.goto(f"/{key}")
        window.wait_for_selector(f".st-key-{key}-{plot} .ov-plot[data-version]")
        at_rest(window)
        return window

    return to


@pytest.fixture
def opened(window):
    """Opens the first page at an address, in a session of its own, until it is at rest."""

    def open_at(query="", window=window):
        window.goto(f"/{query}")
        window.wait_for_selector(".st-key-curves .ov-plot[data-version]")
        at_rest(window)
        return window

    return open_at


@pytest.fixture
def page(opened):
    """The app, opened anew."""
    return opened()
