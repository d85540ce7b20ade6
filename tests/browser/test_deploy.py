"""Two app processes behind Debian's nginx with the very file of `deploy/`; one is killed in the middle."""

import os
import re
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from optviz.experiments.trajectories.spec import View
from optviz.shell.registry import PAGES
from optviz.shell.share import SharedScene, decode, encode
from tests.calm import at_rest
from tests.serving import UNSAFE, free_port, launched, nginx, proxied
from tests.visitor import Visitor, done


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The proxy's address, its access log, and the processes behind it by their ports."""
    if nginx() is None:
        if os.environ.get("OPTVIZ_BROWSER_REQUIRED"):
            pytest.fail("nginx is required and there is none")
        pytest.skip("there is no nginx on this machine")
    with proxied(tmp_path_factory.mktemp("nginx"), OPTVIZ_PUBLIC="1") as site:
        yield site


def get(address):
    return urllib.request.urlopen(address, context=UNSAFE)


def test_headers_and_what_is_not_for_visitors(site):
    headers = get(site.address).headers
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    for path in ("_stcore/metrics", "_stcore/agent/openapi.json"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{site.address}/{path}")


def test_a_visitor_stays_with_one_process_and_visitors_are_spread(site):
    async def visit(i):
        async with Visitor(site.address, headers={"Cookie": f"optviz={i}"}, ssl=UNSAFE) as v:
            await v.run()
            assert v.exceptions == []

    def streams():
        return [line.split()[-1] for line in site.log.read_text().splitlines() if "/stream" in line]

    def found(i):
        """The process that the log names once the visitor has gone."""
        before = len(streams())
        done(visit(i))
        for _ in range(500):
            if len(now := streams()) > before:
                return now[-1]
            time.sleep(0.02)
        pytest.fail("the proxy has not logged the visit")

    processes = []
    while len(set(processes)) < 2:  # which ones go together is by chance, as the ports are
        assert len(processes) < 20, "twenty visitors are not all at one process"
        processes.append(found(len(processes)))
    assert [found(i) for i in range(len(processes))] == processes, "the same process again"


def test_a_page_goes_on_when_its_server_was_stopped_and_started_again(browser):
    page, port = browser.new_page(viewport={"width": 1280, "height": 720}), free_port()
    page.set_default_timeout(120_000)
    with launched("app.py", port=port) as (address, process):
        drawn(page, address)
        turned(page, "0.5")
        process.kill()
    field = page.get_by_label("rate, exact value").first
    field.fill("0.9")  # nobody hears it
    field.press("Enter")
    with launched("app.py", port=port):
        goes_on(page, rate="0.5")
    page.close()


def test_pages_run_under_their_policy_and_go_on_at_the_process_that_is_left(browser, site):
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 720})
    page, errors = context.new_page(), []
    page.set_default_timeout(120_000)
    page.on("console", lambda m: "Security Policy" in m.text and errors.append(m.text))
    page.add_init_script(
        "window.refused = []; addEventListener('securitypolicyviolation',"
        " e => refused.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`))"
    )
    solid = replace(PAGES["trajectories"].opening, view=View(solid=True))
    drawn(page, f"{site.address}/?s={encode(SharedScene('trajectories', solid))}", ["solid"])
    at_rest(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    assert download.value.path().read_text().count("\n") > 4
    page.keyboard.press("Escape")
    refused = page.evaluate("refused")  # Streamlit's long.js tries WebAssembly and does without
    for key in [*list(PAGES)[1::4], "course"]:  # every fourth one: each takes seconds
        page.goto(f"{site.address}/{key}")
        page.wait_for_selector(".ov-plot[data-version], [class*=st-key-tile-] img")
        refused += page.evaluate("refused")

    drawn(page, site.address)
    turned(page, "0.5")
    said = [line for line in site.log.read_text().splitlines() if " GET / " in line]
    port = int(re.search(r":(\d+)$", said[-1])[1])
    site.apps[port].kill()
    goes_on(page, rate="0.5")
    refused += page.evaluate("refused")
    assert [r for r in refused if not re.match("script-src wasm-eval .*/protobuf", r)] == []
    assert [e for e in errors if "WebAssembly" not in e] == []

    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://a.test/b'}))")
    page.wait_for_function("refused.some(r => r.includes('a.test'))")
    context.close()


def drawn(page, address, charts=("contour", "curves")):
    """Open the trajectories, until all of it is there."""
    page.goto(address)
    for chart in charts:
        page.wait_for_selector(f".st-key-{chart} .ov-plot[data-version]")
    page.wait_for_function("location.search.includes('s=')")


def goes_on(page, rate):
    """A new session has drawn the page with the first optimizer's rate, and hears what is turned."""
    page.wait_for_function(
        """rate => {
             const field = document.querySelector("[aria-label$='rate, exact value']");
             return field && !field.turned && field.value === rate;
           }""",
        arg=rate,
    )
    turned(page, "0.7")
    link = page.evaluate("new URLSearchParams(location.search).get('s')")
    rates = [choice.method.values.get("lr") for choice in decode(link).scene.optimizers]
    assert rates == [0.7, 0.1, 1.5, 0.3]


def turned(page, rate):
    """Set the first optimizer's rate, and wait until the address has it."""
    before, field = page.evaluate("location.search"), page.get_by_label("rate, exact value").first
    field.fill(rate)
    field.press("Enter")
    field.evaluate("e => { e.turned = true; }")
    page.wait_for_function("s => location.search !== s", arg=before)
