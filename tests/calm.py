"""When a page in the browser has come to rest after what a hand did."""

import contextlib
import itertools

from playwright.sync_api import TimeoutError as NotInTime

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
ASKED = itertools.count(1)
# Before any script of the page: whether, since this was first asked as the `n`th time, nothing that a hand set was under
# way: no timer of half a second or less was pending, no message to the server unanswered, no picture being drawn. What
# plays or trains never comes to rest: it is given the time that a change takes.
QUIET = """(() => {
  const due = new Set(), { setTimeout: set, clearTimeout: clear } = window, { send } = WebSocket.prototype;
  const heard = new WeakSet();
  let asked = 0, told = 0, last = 0, first = 0, since = 0;
  window.setTimeout = (act, after = 0, ...given) => {
    const id = set(() => { due.delete(id); act(...given); }, after);
    if (after <= 500 || after === 3000) due.add(id); // 3000: how long our scripts wait for an answer
    return id;
  };
  window.clearTimeout = id => { due.delete(id); clear(id); };
  WebSocket.prototype.send = function (...message) {
    if (!heard.has(this)) heard.add(this), this.addEventListener("message", () => { told = performance.now(); });
    asked = performance.now();
    return send.apply(this, message);
  };
  window.quiet = n => {
    const now = performance.now(), at = selector => document.querySelector(selector);
    const calm = !due.size && told >= asked && at("[data-test-script-state=notRunning]")
      && ![...document.querySelectorAll(".ov-plot")].some(plot => plot.host?.work);
    if (last !== n) [last, first, since] = [n, now, now];
    if (!calm) since = now;
    const restless = at(".ov-player[data-playing=true], [class*=st-key-stop-] button");
    return now - Math.max(since, told) > 120 || (restless && now - first > 800);
  };
})()"""


def at_rest(page):
    """Wait until the hand's rest is over, the script has run and everything is drawn anew."""
    with contextlib.suppress(NotInTime):
        page.wait_for_function("n => window.quiet?.(n)", arg=next(ASKED), timeout=10_000)
    page.wait_for_selector(IDLE)


def as_it_trains(page, target, state="visible"):
    """Wait for what a complete training brings, for as long as it comes further: its workers go
    after all else, and get little of a busy machine.
    """
    told = None
    while True:
        try:
            return target.wait_for(state=state, timeout=60_000)
        except NotInTime:
            before, told = told, page.locator("[data-testid=stProgress]").all_inner_texts()
            if told == before:
                raise


def zoom(page, by):
    """Turn the wheel with Ctrl held, which zooms."""
    page.keyboard.down("Control")
    page.mouse.wheel(0, by)
    page.keyboard.up("Control")


def width_of(page):
    """What is on the page is so wide, in pixels."""
    return page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")


def fits_a_phone(page):
    """Nothing is wider than the window of a phone."""
    page.set_viewport_size({"width": 390, "height": 844})
    at_rest(page)
    width = width_of(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    at_rest(page)
    assert width <= 390
