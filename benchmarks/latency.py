"""From a key press on a hyperparameter to the changed picture, at several rhythms, beside a bare
Streamlit app, in one run.

    python benchmarks/latency.py [--presses 20] [--rounds 2] [--chromium /usr/bin/chromium]

Both apps run with the same settings (.streamlit/config.toml). The page holds six optimizers × 300
steps over a 150×150 contour and the loss chart. The clock runs in the browser, from the keydown
event to the first frame that shows what the press has set, or what a later one has: where presses
come faster than pictures, one picture may answer several, in both apps alike. What a frame shows is
known by the path on the contour *and* the curve beside it (in the bare app its only line): both are
first noted at rest after every press, then the same presses come in each rhythm. A press that no
picture answers within five seconds ends the run. Last, the key is held down for three seconds: how
many pictures a second does a drag show?
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

# What the lines are, as text.
SEEN = "s => s.map(s => document.querySelector(s)?.getAttribute('d')).join()"
# Notes when keys go down, and from when on the lines are which.
WATCH = f"""
selectors => {{
  window.pressed = [], window.frames = [];
  const seen = {SEEN}, mine = window.frames, noted = window.pressed;
  const press = () =>
    noted === window.pressed && noted.push(performance.now());
  addEventListener("keydown", press, true);
  const look = () => {{
    if (mine !== window.frames) return;
    const lines = seen(selectors);
    if (lines !== mine.at(-1)?.[1]) mine.push([performance.now(), lines]);
    requestAnimationFrame(look);
  }};
  look();
}}
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
RHYTHMS = (50, 200, 1000, 2000)  # ms from one press to the next
REST = 1500  # ms, after which a page is still
PATIENCE = 5000  # ms


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


def press(page, key, presses, pause):
    """Presses that begin `pause` ms apart, or as fast as the browser takes them."""
    start = time.perf_counter()
    for i in range(presses):
        page.keyboard.press(key)
        page.wait_for_timeout(max(0, pause * (i + 1) - 1000 * (time.perf_counter() - start)))


def shown_at_rest(page, lines, presses):
    """What the lines are after no press, one, two …"""
    found = [page.evaluate(SEEN, lines)]
    for _ in range(presses):
        press(page, "ArrowLeft", 1, REST)
        found.append(page.evaluate(SEEN, lines))
    if len(set(found)) <= presses:
        raise SystemExit("a key press changed nothing, or no line that is looked at")
    return found


def measured(page, lines, known, pause):
    """ms from each press to the first frame that shows it or a later one."""
    presses = len(known) - 1
    press(page, "ArrowRight", presses, 100)
    page.wait_for_timeout(2 * REST)
    page.evaluate(WATCH, lines)
    press(page, "ArrowLeft", presses, pause)
    page.wait_for_timeout(PATIENCE)
    pressed, frames = page.evaluate("[pressed, frames]")
    by_lines = {seen: i for i, seen in enumerate(known)}
    shown = [(at, by_lines.get(seen, -1)) for at, seen in frames]
    times = []
    for i, at in enumerate(pressed, 1):
        times.append(next((t - at for t, last in shown if t >= at and last >= i), None))
    if None in times or len(times) < presses:
        raise SystemExit(f"{times.count(None)} of {presses} presses have had no picture in time")
    return times


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
    ask.add_argument("--presses", type=int, default=20)
    ask.add_argument("--rounds", type=int, default=2)
    ask.add_argument("--chromium", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    a = ask.parse_args()
    apps = {
        "bare app": ("benchmarks/bare_app.py", open_bare),
        "trajectories": ("app.py", open_ours),
    }
    found = {(name, pause): [] for name in apps for pause in RHYTHMS}
    with sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=a.chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        with contextlib.ExitStack() as stack:
            opened = {}
            for name, (script, open_it) in apps.items():
                page = browser.new_page(viewport={"width": 1280, "height": 720})
                opened[name] = (page, *open_it(page, stack.enter_context(served(script))))
            known = {}
            for name, (page, hyperparameter, lines) in opened.items():
                page.bring_to_front()
                hyperparameter.focus()
                known[name] = shown_at_rest(page, lines, a.presses)
            for _ in range(a.rounds):  # in turn, so that a busy moment of the machine meets both
                for pause in RHYTHMS:
                    for name, (page, _knob, lines) in opened.items():
                        page.bring_to_front()
                        found[name, pause] += measured(page, lines, known[name], pause)
            rate = {name: pictures_per_second(*opened[name]) for name in opened}
    print(f"{machine()}\n")
    heads = [f"{name} {which}" for name in apps for which in ("p50", "p95")]
    print(f"| ms from press to press | {' | '.join(heads)} | ratio of p50 (at most 1.5) |")
    print("|---" * (len(heads) + 2) + "|")
    for pause in RHYTHMS:
        times = [found[name, pause] for name in apps]
        middle = [statistics.median(of) for of in times]
        high = [statistics.quantiles(of, n=20)[-1] for of in times]
        cells = [f"{v:.0f}" for pair in zip(middle, high, strict=True) for v in pair]
        print(f"| {pause} | {' | '.join(cells)} | {middle[1] / middle[0]:.2f} |")
    print("\npictures a second while a key is held: ", end="")
    print(", ".join(f"{name} {rate[name]:.0f}" for name in apps))


if __name__ == "__main__":
    main()
