// What the components of one page share: the clock that all of them show, the pictures by name, and
// who takes it when a person puts the start elsewhere.

const WHOLE = 7; // seconds that a whole run takes at speed 1
const SLOWEST = 3; // steps per second, so that short runs do not crawl

class Clock {
  constructor() {
    this.end = 0; // number of steps
    this.at = 0; // a step, with a fraction on the way to the next
    this.speed = 1;
    this.playing = false;
    this.hidden = false; // held at the start: nobody may look ahead
    this.listeners = new Set();
  }

  // Another number of steps, or another scene (`whole`): who stood at the end stands at the end.
  reach(end, whole) {
    const finished = this.at >= this.end;
    this.end = end;
    if (whole) this.playing = false;
    this.set(whole || finished ? end : this.at);
  }

  get step() {
    return Math.min(Math.floor(this.at + 1e-9), this.end);
  }

  set(at) {
    this.at = this.hidden ? 0 : Math.min(Math.max(at, 0), this.end);
    for (const listener of this.listeners) listener(this);
  }

  setHidden(hidden) {
    if (this.hidden === hidden) return;
    this.hidden = hidden;
    this.playing = false;
    this.set(hidden ? 0 : this.at);
  }

  jump(by) {
    this.pause();
    this.set(by > 0 ? this.step + by : Math.ceil(this.at - 1e-9) + by);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.playing || this.hidden) return;
    if (this.at >= this.end) this.at = 0;
    this.playing = true;
    this.before = undefined;
    requestAnimationFrame(now => this.frame(now));
    this.set(this.at);
  }

  pause() {
    this.playing = false;
    this.set(this.at);
  }

  frame(now) {
    if (!this.playing) return;
    // after a pause of the browser no leap
    const seconds = Math.min(now - (this.before ?? now), 100) / 1000;
    this.before = now;
    const at = this.at + seconds * this.speed * Math.max(this.end / WHOLE, SLOWEST);
    if (at >= this.end) this.playing = false;
    this.set(at);
    if (this.playing) requestAnimationFrame(next => this.frame(next));
  }

  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export const clock = new Clock();
export const plots = new Map(); // hosts of pictures by name
// where a start that a person chose is sent, (x, y) => …; what is told that a hand rests, () => …
export const handlers = { place: null, rest: null };
// whether Streamlit runs the script for this page
export const isRunning = () => !document.querySelector("[data-test-script-state=notRunning]");

// Which groups of lines are hidden, in every picture at once.
export const visibility = {
  hidden: new Set(),
  only: null,
  listeners: new Set(),
  groups: () =>
    new Set(
      [...plots.values()]
        .flatMap(host => host.latest?.data ?? [])
        .map(t => t.legendgroup)
        .filter(Boolean),
    ),
  toggle(group) {
    visibility.only = null;
    if (!visibility.hidden.delete(group)) visibility.hidden.add(group);
    visibility.notify();
  },
  isolate(group) {
    visibility.only = visibility.only === group ? null : group;
    const others = [...visibility.groups()].filter(g => g !== group);
    visibility.hidden = new Set(visibility.only === null ? [] : others);
    visibility.notify();
  },
  notify() {
    for (const host of plots.values()) host.updateVisibility?.();
    for (const listener of visibility.listeners) listener();
  },
  listen(listener) {
    visibility.listeners.add(listener);
    return () => visibility.listeners.delete(listener);
  },
};

// Numbers as the server packs them, unpacked once.
const KINDS = { i2: Int16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
const unpacked = new WeakMap();
export function numbers(a) {
  if (!a?.dtype) return a ?? [];
  if (!unpacked.has(a)) {
    const text = atob(a.bdata), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    unpacked.set(a, new KINDS[a.dtype](bytes.buffer));
  }
  return unpacked.get(a);
}

export function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes))
    if (v !== null && v !== undefined) e.setAttribute(k, v);
  e.append(...children);
  return e;
}
