// Play, pause, step, speed and scrubber: the controls of the page's clock. They never ask the
// server.

import { clock, make } from "./clock.js";

const ICONS = {
  first: "M5 4v12M17 4v12L8 10z",
  back: "M14 4v12L5 10z",
  play: "M5 3v14l12-7z",
  pause: "M5 3h3.5v14H5zM11.5 3H15v14h-3.5z",
  next: "M6 4v12l9-6z",
  last: "M15 4v12M3 4v12l9-6z",
}; // drawn, since not every machine has a font with them
const SPEEDS = { "¼ ×": 0.25, "½ ×": 0.5, "1 ×": 1, "2 ×": 2, "4 ×": 4 };
const CALM = matchMedia("(prefers-reduced-motion: reduce)"); // nothing plays unless Play is pressed
const KEYS = {
  " ": () => clock.toggle(),
  ArrowLeft: () => clock.jump(-1),
  ArrowRight: () => clock.jump(1),
  Home: () => clock.jump(-Infinity),
  End: () => clock.jump(Infinity),
};

const icon = name =>
  `<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><path d="${ICONS[name]}"
    fill="currentColor" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/></svg>`;

// elements that use keys themselves
const ROLES = ["slider", "tab", "radio", "combobox", "listbox", "dialog", "region"];
const USES_KEYS = ["input", "select", "textarea", '[contenteditable="true"]', ".ov-grip",
  ...ROLES.map(role => `[role="${role}"]`)].join();

class Player {
  constructor(root) {
    this.root = root;
    const button = (name, title, act) => {
      const e = make("button", { type: "button", class: `ov-${name}`, "aria-label": title, title });
      e.innerHTML = icon(name);
      e.addEventListener("click", act);
      return e;
    };
    this.first = button("first", "To the start (Home)", KEYS.Home);
    this.back = button("back", "One step back (←)", KEYS.ArrowLeft);
    this.play = button("play", "Play (space)", KEYS[" "]);
    this.next = button("next", "One step on (→)", KEYS.ArrowRight);
    this.last = button("last", "To the end (End)", KEYS.End);
    this.range = make("input", { type: "range", min: 0, step: 1, "aria-label": "Step" });
    this.range.addEventListener("input", () => {
      // read before the pause, which resets the range to the clock's step
      const step = +this.range.value;
      clock.pause();
      clock.set(step);
    });
    this.label = make("span", { class: "ov-step" });
    this.speed = make("select", { "aria-label": "Speed", title: "Speed" },
      ...Object.entries(SPEEDS).map(([label, v]) => make("option", { value: v }, label)));
    this.speed.value = clock.speed;
    this.speed.addEventListener("change", () => {
      clock.speed = +this.speed.value;
    });
    root.append(
      this.first,
      this.back,
      this.play,
      this.next,
      this.last,
      this.range,
      this.label,
      this.speed,
    );
    this.unlisten = clock.listen(() => this.show());
    this.keys = e => this.key(e);
    document.addEventListener("keydown", this.keys);
  }

  update({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    this.reportEnd = data.report_end;
    const whole = this.scene !== undefined && this.scene !== data.scene;
    this.range.max = data.steps;
    if (this.scene === undefined && clock.end === 0) clock.reach(data.steps, true);
    else clock.reach(data.steps, whole);
    this.scene = data.scene;
    if (data.play && data.play !== this.played) {
      this.played = data.play;
      clock.set(0);
      if (CALM.matches) clock.set(clock.end);
      else clock.play();
    }
    this.show();
  }

  show() {
    const { step, end, playing, hidden } = clock;
    this.range.value = step;
    this.range.setAttribute("aria-valuetext", `step ${step} of ${end}`);
    this.label.textContent = `step ${step} / ${end}`;
    if (this.shownPlaying !== playing)
      this.play.innerHTML = icon((this.shownPlaying = playing) ? "pause" : "play");
    this.play.title = playing ? "Pause (space)" : "Play (space)";
    this.play.setAttribute("aria-label", this.play.title);
    for (const e of [this.first, this.back, this.play, this.next, this.last, this.range])
      e.disabled = hidden;
    this.root.dataset.step = step;
    this.root.dataset.playing = playing;
    document.documentElement.toggleAttribute("data-ov-playing", playing);
    if (this.reportEnd && this.reportEnd !== this.reported && step >= end && !playing && !hidden) {
      this.reported = this.reportEnd;
      this.trigger("end", this.reportEnd);
    }
  }

  // Keys that nobody else needs: not those of a field, a slider, a menu; the space bar of a slider
  // is free.
  key(e) {
    const act = KEYS[e.key], { target } = e;
    if (!act || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || clock.hidden) return;
    const slider = target.matches?.('input[type="range"]');
    if (slider ? e.key !== " " : target.closest?.(USES_KEYS)) return;
    // the space bar presses that one
    if (e.key === " " && target.closest?.("button, a, summary, [role=button]")) return;
    e.preventDefault();
    act();
  }

  destroy() {
    this.unlisten();
    document.removeEventListener("keydown", this.keys);
    clock.pause();
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".ov-player");
  (root.player ??= new Player(root)).update(component);
  return () => {
    root.player?.destroy();
    root.player = null;
    root.replaceChildren();
  };
}
