// The toolbar above every page: undo and redo, hiding the panel, presenting the stage alone. The
// address bar follows what is on the page; the browser's Back and Forward go through the same
// changes.

import { handlers, isRunning, make } from "./clock.js";

const ICONS = {
  undo: "M8 4 4 8l4 4M4 8h8a4 4 0 0 1 0 8H9",
  redo: "M12 4l4 4-4 4M16 8H8a4 4 0 0 0 0 8h3",
  fold: "M3 4h14v12H3zM8 4v12",
  present: "M3 8V3h5M12 3h5v5M17 12v5h-5M8 17H3v-5",
};
const PRESSED = '[type="range"], [type="checkbox"], [type="radio"]';
const WRITES = `input:not(${PRESSED}), textarea, [contenteditable="true"]`;
const NARROW = matchMedia("(max-width: 920px)"); // there the panel comes over the page instead
// Where the focus goes when a press has removed or disabled the button that had it; otherwise to
// the nearest control in what is left around it.
const AFTER = {
  "predict-begin": ".st-key-predict",
  reveal: ".ov-play",
  "stop-predicting": ".st-key-predict-begin",
};
// What a press unfolds or adds in a list of the panel gets the focus, as it may lie outside of what
// is seen of that.
const UNFOLDS = '[class*="-list-"][class*="-button"]', CHOICE = '[class*="-choices-"] button';
const ITEM = '[class*="-settings-"] button';
const CONTROLS = ["button", "input", "select", "a[href]", '[tabindex="0"]']
  .map(e => `${e}:not(:disabled)`)
  .join();
// Focuses the element, or the first control in it that takes the focus; whether one did.
const focusFirst = root =>
  !!root && [root, ...root.querySelectorAll(CONTROLS)].some(e => {
    if (e.matches(CONTROLS)) e.focus();
    return document.activeElement === e;
  });
const NAME = "optviz-session"; // where this tab keeps its session's name over a reload
// Focuses an element, in the upper half of the panel, or of the page where that does not scroll.
const focusInView = e => {
  const panel = e.closest('[data-testid="stColumn"]');
  const within = panel.scrollHeight > panel.clientHeight + 1;
  e.focus({ preventScroll: true });
  if (within) panel.scrollTop += e.getBoundingClientRect().top - 0.4 * innerHeight;
  else e.scrollIntoView({ block: "center" });
};
const DRAWN = 150; // ms from the end of a run until its last element is there
const page = document.documentElement;
const knobs = () => [...document.querySelectorAll('.ov-hyperparameter input[type="range"]')];

class Toolbar {
  constructor(root) {
    root.setAttribute("role", "toolbar");
    this.root = root;
    this.buttons = Object.fromEntries(
      Object.keys(ICONS).map(name => {
        const e = make("button", { type: "button" });
        e.innerHTML = `<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <path d="${ICONS[name]}" fill="none" stroke="currentColor" stroke-width="1.8"
          stroke-linejoin="round" stroke-linecap="round"/></svg>`;
        e.addEventListener("click", () => this[name]());
        return [name, e];
      }),
    );
    this.knob = make("select");
    this.knob.addEventListener("change", () => this.choose(this.knob.value));
    this.chosen = make("style");
    this.status = make("div", { class: "ov-heard", role: "status" });
    root.append(...Object.values(this.buttons), this.knob, this.chosen, this.status);
    this.listeners = [[document, "focusin", e => this.handleFocus(e.target)],
      [document, "pointerdown", () => { this.pointed = true; }],
      [document, "click", e => this.handleClick(e.target)],
      [document, "keydown", e => this.key(e)], [window, "popstate", e => this.handlePopState(e)],
      [document, "fullscreenchange", () => !document.fullscreenElement && this.leave()]];
    this.observer = new MutationObserver(() => this.watch());
    const app = document.querySelector("[data-test-script-state]");
    this.observer.observe(app, { attributeFilter: ["data-test-script-state"] });
    // before Streamlit's own
    for (const [target, type, act] of this.listeners) target.addEventListener(type, act, true);
  }

  handleFocus(element) {
    this.lastFocused = element;
    this.ancestors = [];
    for (let e = element; (e = e.parentElement); ) this.ancestors.push(e);
    if (element.matches('.ov-hyperparameter input[type="range"]')) this.lastKnob = element.id;
  }

  handleClick(element) {
    const items = () => document.querySelectorAll(ITEM), many = items().length;
    const adds = element.closest(CHOICE);
    if (!adds && (!element.closest(UNFOLDS) || document.querySelector(CHOICE))) return;
    clearInterval(this.coming);
    let tries = 20;
    this.coming = setInterval(() => {
      const to = adds ? items().length > many && [...items()].at(-1) : document.querySelector(CHOICE);
      if (to) focusInView(to);
      if (to || !(tries -= 1)) clearInterval(this.coming);
    }, DRAWN);
  }

  // During a run of the script and for a while after it, as a busy browser draws its changes later.
  watch() {
    clearInterval(this.watching);
    if (this.pointed) return; // or what a later key is for would move under the pointer
    let tries = 20;
    this.watching = setInterval(() => {
      tries -= !isRunning();
      if (this.refocus(tries) || !tries) clearInterval(this.watching);
    }, DRAWN);
  }

  // Restores a lost focus, or keys would start from the top of the page again; whether it was lost.
  refocus(tries) {
    const { lastFocused: had, ancestors } = this;
    const lost = had && document.activeElement === document.body;
    if (this.pointed || !lost || (had.isConnected && !had.disabled)) return false;
    const key = ancestors.map(e => e.className.match?.(/st-key-(\S+)/)?.[1]).find(Boolean);
    const left = ancestors.filter(e => e.isConnected && e.closest('[data-testid="stMain"]'));
    const to = AFTER[key];
    if (to && focusFirst(document.querySelector(to))) return true;
    if (to && tries) return false; // it comes later, or is there and can be pressed later
    left.some(focusFirst);
    return true;
  }

  update({ data, setTriggerValue }) {
    this.data = data;
    this.trigger = setTriggerValue;
    handlers.rest = () => setTriggerValue("rest", true);
    if (this.jobStatus !== data.status && this.jobStatus !== undefined)
      this.status.textContent = data.status;
    this.jobStatus = data.status;
    this.address(data);
    this.resume(data.session);
    for (const [name, e] of Object.entries(this.buttons)) {
      e.title = data.labels[name === "fold" && NARROW.matches ? "lift" : name];
      e.setAttribute("aria-label", e.title);
    }
    this.buttons.fold.dataset.label = data.labels.controls; // written beside it on a phone
    this.knob.setAttribute("aria-label", data.labels.knob);
    this.buttons.undo.disabled = data.undo === null;
    this.buttons.redo.disabled = data.redo === null;
    this.show();
  }

  // A page that was reloaded, not opened by an address, reports its session before.
  resume(session) {
    const reloaded = performance.getEntriesByType("navigation")[0]?.type !== "navigate";
    let before = session;
    try {
      before = sessionStorage.getItem(NAME);
      sessionStorage.setItem(NAME, session);
    } catch {} // a browser that stores nothing
    if (reloaded && before && before !== session) this.trigger("resume", before);
  }

  // A change is a page more in the browser's history; what is taken back there is one that it has
  // already.
  address({ link, entry, session }) {
    const now = history.state?.ov,
      known = now?.session === session && now.path === location.pathname;
    const state = pushed => ({
      ...history.state,
      ov: { session, entry, pushed, path: location.pathname },
    });
    if (!link) return;
    if (known && entry === now.entry - 1 && now.pushed) history.back();
    else if (known && entry !== now.entry) history.pushState(state(entry > now.entry), "", link);
    else if (!known || link !== location.search)
      history.replaceState(state(!!known && now.pushed), "", link + location.hash);
  }

  handlePopState(e) {
    const to = e.state?.ov;
    if (to?.session !== this.data.session || to.path !== location.pathname) return;
    e.stopImmediatePropagation(); // Streamlit would run the page with the address as if it were new
    if (to.entry !== this.data.entry) this.jump(to.entry);
  }

  jump(entry) {
    if (entry !== null) this.trigger("jump", entry);
  }

  undo() { this.jump(this.data.undo); }
  redo() { this.jump(this.data.redo); }

  fold() {
    page.toggleAttribute("data-ov-folded");
    this.show();
  }

  present() {
    if (page.hasAttribute("data-ov-present"))
      return document.fullscreenElement ? document.exitFullscreen() : this.leave();
    page.setAttribute("data-ov-present", "");
    page.requestFullscreen?.().catch(() => {}); // without it the window itself is the stage
    const names = knobs().map(k =>
      make(
        "option",
        { value: k.id },
        `${k.closest('[role="group"]').getAttribute("aria-label")}: ${k.labels[0].textContent}`,
      ),
    );
    this.knob.replaceChildren(...names);
    this.choose(knobs().find(k => k.id === this.lastKnob)?.id ?? knobs()[0]?.id);
    this.show();
  }

  leave() {
    page.removeAttribute("data-ov-present");
    this.chosen.textContent = "";
    this.show();
  }

  // Hides all of the panel but this knob.
  choose(id) {
    if (!id) return;
    const row = `[data-knob="${id}"]`,
      panel =
        "[data-ov-present] .st-key-stage > div > [data-testid='stHorizontalBlock'] > :nth-child(2)";
    this.knob.value = id;
    this.chosen.textContent = `${panel} :not(:has(${row}), ${row}, ${row} *) { display: none; }`;
  }

  show() {
    const presents = page.hasAttribute("data-ov-present");
    this.buttons.fold.setAttribute("aria-pressed", page.hasAttribute("data-ov-folded"));
    this.buttons.present.setAttribute("aria-pressed", presents);
    this.knob.hidden = !presents || this.knob.options.length < 2;
    this.buttons.fold.hidden = this.buttons.present.hidden =
      !document.querySelector(".st-key-stage");
  }

  // A popover that a key has opened is elsewhere in the page: its first control gets the focus,
  // once it is there.
  enterPopover(button, until = performance.now() + 3000) {
    if (focusFirst(document.querySelector('[data-testid="stPopoverBody"]'))) return;
    if (performance.now() < until && document.activeElement === button)
      setTimeout(() => this.enterPopover(button, until), 50);
  }

  // Keys that nobody else needs: letters are a field's, and Ctrl+Z is the text's while one is
  // typed.
  key(e) {
    this.pointed = false;
    if (e.target.closest?.(WRITES) || e.altKey) return;
    if ([" ", "Enter"].includes(e.key) && e.target.closest('[data-testid="stPopover"] button'))
      this.enterPopover(e.target);
    const letter = e.key.toLowerCase(),
      control = e.ctrlKey || e.metaKey;
    const act = control
      ? { z: e.shiftKey ? "redo" : "undo", y: "redo" }[letter]
      : { p: "present", c: "fold" }[letter];
    if (e.key === "Escape" && page.hasAttribute("data-ov-present")) return this.present();
    if (e.key === "Escape" && NARROW.matches)
      document.querySelector('[class*="-sheet-"] [class*="-done-"] button')?.click();
    if (!act || this.buttons[act].hidden || this.buttons[act].disabled) return;
    e.preventDefault();
    this[act]();
  }

  destroy() {
    handlers.rest = null;
    this.observer.disconnect();
    clearInterval(this.watching);
    clearInterval(this.coming);
    for (const [target, type, act] of this.listeners) target.removeEventListener(type, act, true);
    this.leave();
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".ov-toolbar");
  (root.toolbar ??= new Toolbar(root)).update(component);
  return () => {
    root.toolbar?.destroy();
    root.toolbar = null;
    root.replaceChildren();
  };
}
