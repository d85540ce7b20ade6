"""From a key press on a hyperparameter to the changed picture, beside a bare Streamlit app, in one
run.

    python benchmarks/latency.py [--presses 60] [--chromium /usr/bin/chromium]

Both apps run with the same settings (.streamlit/config.toml). The page holds six optimizers × 300
steps over a 150×150 contour and the loss chart; the clock runs in the browser, from the keydown
event to the first frame in which the path on the contour *and* the curve beside it (in the bare app
its only line) are other ones. The server's share is the time from the message that leaves the
browser to the last one that has come back by then. Presses are a second apart, so that each meets a
page at rest. Then the key is held down for three seconds: how many pictures a second does a drag
show?
"""

import argparse
import contextlib
import os
import statistics
import sys
import time
from pathlib import Path

from optimizers import machine
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.serving import served

ROOT = Path(__file__).parent.parent
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'

# Runs in the page before anything else: notes when messages leave and arrive.
LISTEN = """
window.wire = {sent: 0, got: 0};
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (...a) {
  window.wire.sent = performance.now();
  if (!this.heard) { this.heard = true; this.addEventListener("message", () => { window.wire.got = performance.now(); }); }
  return send.apply(this, a);
};
"""

# Waits for one key press and resolves with [latency, server's share] in ms once all lines have
# changed.
WATCH = """
(selectors) => {
  const lines = () => selectors.map(s => document.querySelector(s)?.getAttribute("d"));
  const before = lines();
  window.result = new Promise(done => addEventListener("keydown", event => {
    const start = performance.now();
    const look = () => {
      const now = lines();
      const changed = now.every((d, i) => d && d !== before[i]);
      if (changed) done([performance.now() - start, window.wire.got - window.wire.sent]);
      else if (performance.now() - start > 5000) done(null);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, {once: true, capture: true}));
}
"""

# Counts the frames in which the line is another one than in the frame before.
COUNT = """
(selector) => {
  window.pictures = 0;
  let before = null;
  const look = () => {
    const now = document.querySelector(selector)?.getAttribute("d");
    if (before && now && now !== before) window.pictures += 1;
    before = now;
    requestAnimationFrame(look);
  };
  look();
}
"""
PAUSE = 1000  # ms


def open_bare(page, url):
    page.goto(url)
    page.wait_for_selector("path.js-line")
    page.wait_for_selector(IDLE)
    return page.get_by_role("slider"), ["path.js-line"]


def open_ours(page, url):
    page.goto(url)
    page.wait_for_selector(".ov-plot[data-version] path.js-line")
    for name in ("Nesterov", "RMSProp"):
        page.get_by_role("button", name="Add an optimizer").click()
        page.get_by_role("button", name=f"{name} — ").first.click()
        page.get_by_role("button", name=f"Change {name}").wait_for()
    page.get_by_text("Start, steps, noise").click()
    field = page.get_by_label("steps, exact value")
    field.fill("300")
    field.press("Enter")
    page.wait_for_function("document.querySelector('.ov-table tbody').innerText.includes('300')")
    page.wait_for_selector(IDLE)
    lines = [
        f".st-key-{chart} .ov-layer:nth-child(2) path.js-line" for chart in ("contour", "curves")
    ]
    return page.get_by_label("rate").first, lines


def measured(page, hyperparameter, lines, presses):
    times = []
    for i in range(presses + 5):
        page.evaluate(WATCH, lines)
        hyperparameter.press("ArrowLeft" if i % 2 else "ArrowRight")
        result = page.evaluate("window.result")
        if result is None:
            raise SystemExit("a key press changed nothing within 5 s")
        if i >= 5:
            times.append(result)
        page.wait_for_timeout(PAUSE)
    return [t for t, _ in times], [s for _, s in times]


def pictures_per_second(page, hyperparameter, lines):
    """Changed pictures a second while an arrow key is held down (a press every 33 ms)."""
    hyperparameter.focus()
    page.evaluate(COUNT, lines[0])
    start = time.perf_counter()
    while time.perf_counter() - start < 3:
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(33)
    return page.evaluate("window.pictures") / (time.perf_counter() - start)


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--presses", type=int, default=30)
    ask.add_argument("--rounds", type=int, default=2)
    ask.add_argument("--chromium", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    a = ask.parse_args()
    apps = {
        "bare app": ("benchmarks/bare_app.py", open_bare),
        "trajectories": ("app.py", open_ours),
    }
    found = {name: ([], []) for name in apps}
    with sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=a.chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        with contextlib.ExitStack() as stack:
            opened = {}
            for name, (script, open_it) in apps.items():
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                page.add_init_script(LISTEN)
                opened[name] = (page, *open_it(page, stack.enter_context(served(script))))
            for _ in range(a.rounds):  # in turn, so that a busy moment of the machine meets both
                for name, (page, hyperparameter, lines) in opened.items():
                    page.bring_to_front()
                    for kept, new in zip(
                        found[name], measured(page, hyperparameter, lines, a.presses), strict=True
                    ):
                        kept += new
            rate = {name: pictures_per_second(*opened[name]) for name in opened}
    print(f"{machine()}\n")
    print(
        "| key press to changed picture, ms | p50 | p95 | server's share p50 | pictures a "
        "second while held |\n|---|---|---|---|---|"
    )
    for name, (times, server) in found.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"| {name} | {statistics.median(times):.0f} | {p95:.0f} | "
            f"{statistics.median(server):.0f} | {rate[name]:.0f} |"
        )
    ratio = statistics.median(found["trajectories"][0]) / statistics.median(found["bare app"][0])
    print(f"\nmedian ratio {ratio:.2f} (to reach: at most 1.5)")


if __name__ == "__main__":
    main()
