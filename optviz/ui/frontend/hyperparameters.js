// A panel of hyperparameters: for each a label, a native range input, a number field and a way back to the default.
// It sends while it is dragged.

import { Courier } from "./request_queue.js";
import { make, plots } from "./clock.js";

const POSITIONS = 200;

const scales = {
  linear: { up: v => v, down: p => p },
  log: { up: v => Math.log10(v), down: p => 10 ** p },
  near_one: { up: v => -Math.log10(1.0001 - v), down: p => 1.0001 - 10 ** -p },
};

// A logarithmic hyperparameter that may also be zero has zero at its left end, five decades below its right one.
const scaleOf = k => (k.scale === "log" && k.low <= 0 ? { up: v => Math.log10(Math.max(v, k.high * 1e-5)), down: scales.log.down } : scales[k.scale] ?? scales.linear);

function position(k, value) {
  const { up } = scaleOf(k), lo = up(k.low), hi = up(k.high);
  return Math.round((POSITIONS * (up(Math.min(Math.max(value, k.low), k.high)) - lo)) / (hi - lo));
}

function valueAt(k, place) {
  const { up, down } = scaleOf(k), lo = up(k.low), hi = up(k.high);
  if (place <= 0) return k.low;
  if (place >= POSITIONS) return k.high;
  const v = down(lo + ((hi - lo) * place) / POSITIONS);
  if (k.whole) return Math.round(v);
  // three digits that a person would type: of the value, or of its distance from 1
  const digits = k.scale === "near_one" ? 1 - Number((1 - v).toPrecision(2)) : Number(v.toPrecision(3));
  return Math.min(Math.max(Number(digits.toPrecision(12)), k.low), k.high);
}

const shown = v => (typeof v === "number" ? String(Number(v.toPrecision(12))) : v);

function complaint(k, text) {
  const v = Number(text.replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(v)) return "not a number";
  if (v < k.low || v > k.high) return `from ${shown(k.low)} to ${shown(k.high)}`;
  if (k.whole && !Number.isInteger(v)) return "a whole number";
  return "";
}

class Panel {
  constructor(root) {
    this.root = root;
    this.rows = new Map();
    this.courier = new Courier();
  }

  update(component) {
    const { data } = component, shape = JSON.stringify([data.hyperparameters, data.locked]);
    if (shape !== this.shape) this.build(data, shape);
    if (this.courier.heard(component)) this.adopt(data.values);
    for (const k of data.hyperparameters) this.rows.get(k.name).told(data.notes?.[k.name] ?? "");
    for (const [name, traces] of Object.entries(data.traces ?? {})) plots.get(name)?.patch(traces);
    this.sample.replaceChildren(...(data.sample ? [line(data.sample)] : []));
  }

  build(data, shape) {
    this.shape = shape;
    this.values = { ...data.values };
    this.courier.stop();
    this.courier = new Courier();
    this.courier.sent = data.echo;
    this.root.replaceChildren();
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", data.label);
    this.rows.clear();
    this.root.append((this.sample = make("div", { class: "ov-sample" })));
    for (const k of data.hyperparameters) {
      const row = (k.kind === "bool" ? check : slider)(k, data.prefix, v => this.change(k.name, v));
      this.rows.set(k.name, row);
      this.root.append(row.element);
      row.show(data.values[k.name], true);
    }
    if (data.locked) for (const e of this.root.querySelectorAll("input, button")) e.disabled = true;
  }

  adopt(values) {
    for (const [name, v] of Object.entries(values))
      if (this.values[name] !== v) {
        this.values[name] = v;
        this.rows.get(name)?.show(v, true);
      }
  }

  change(name, value) {
    this.values[name] = value;
    this.courier.post({ ...this.values });
  }
}

function line({ color, dashes }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.innerHTML = `<line x1="0" y1="4" x2="100%" y2="4" stroke="${color}" stroke-width="4" stroke-dasharray="${dashes.join(" ")}"/>`;
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

function shell(k, prefix) {
  const id = `${prefix}-${k.name}`;
  const label = make("label", { for: id }, make("b", {}, k.symbol), k.symbol ? " " : "", make("span", {}, k.label));
  const tip = make("div", { class: "ov-tip", id: `${id}-tip`, role: "tooltip" }, k.help || k.label);
  const note = make("div", { class: "ov-note", id: `${id}-note`, role: "status" });
  const reset = make("button", { type: "button", class: "ov-reset", title: `${k.label}: back to ${shown(k.default)}` }, "↺");
  reset.setAttribute("aria-label", `${k.label}: back to its default ${shown(k.default)}`);
  // the label explains the hyperparameter under the pointer, and to a finger for a while
  label.addEventListener("click", () => {
    tip.classList.add("ov-told");
    setTimeout(() => tip.classList.remove("ov-told"), 4000);
  });
  return { id, label, tip, note, reset };
}

function slider(k, prefix, changed) {
  const { id, label, tip, note, reset } = shell(k, prefix);
  const range = make("input", { type: "range", id, min: 0, max: POSITIONS, step: 1, "aria-describedby": `${tip.id} ${note.id}` });
  const field = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": `${k.label}, exact value` });
  let server = "", mine = "", value = k.default;
  const tell = () => {
    note.textContent = mine || server;
    note.classList.toggle("ov-wrong", !!mine);
  };
  const show = (v, all) => {
    value = v;
    range.value = position(k, v);
    range.setAttribute("aria-valuetext", `${shown(v)}`);
    reset.disabled = v === k.default || range.disabled;
    if (all || document.activeElement !== field) {
      field.value = shown(v);
      mine = "";
      field.removeAttribute("aria-invalid");
    }
    tell();
  };
  const set = (v, all = true) => {
    if (v !== value) {
      show(v, all);
      changed(v);
    }
  };
  range.addEventListener("input", () => {
    let v = valueAt(k, +range.value);
    // a whole-number hyperparameter with few values must not stick when an arrow key moves it by less than one
    if (k.whole && v === value) v = Math.min(Math.max(value + Math.sign(+range.value - position(k, value)), k.low), k.high);
    set(v);
  });
  const typed = () => {
    mine = complaint(k, field.value);
    field.toggleAttribute("aria-invalid", !!mine);
    tell();
    if (!mine) set(Number(field.value.replace(",", ".")), false);
  };
  field.addEventListener("input", typed);
  field.addEventListener("change", () => {
    typed();
    if (!mine) field.value = shown(value);
  });
  field.addEventListener("keydown", e => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[e.key];
    if (by) {
      e.preventDefault();
      set(k.whole ? Math.min(Math.max(value + by, k.low), k.high) : valueAt(k, position(k, value) + by));
    } else if (e.key === "Escape") show(value, true);
  });
  reset.addEventListener("click", () => set(k.default));
  const element = make("div", { class: "ov-hyperparameter" }, label, tip, range, field, reset, note);
  return { element, show, told: text => { server = text; tell(); } };
}

function check(k, prefix, changed) {
  const { id, label, tip, note, reset } = shell(k, prefix);
  const box = make("input", { type: "checkbox", id, "aria-describedby": `${tip.id} ${note.id}` });
  const show = v => {
    box.checked = v;
    reset.disabled = v === k.default || box.disabled;
  };
  const set = v => {
    show(v);
    changed(v);
  };
  box.addEventListener("change", () => set(box.checked));
  reset.addEventListener("click", () => set(k.default));
  const element = make("div", { class: "ov-hyperparameter ov-check" }, label, tip, box, reset, note);
  return { element, show, told: text => { note.textContent = text; } };
}

export default function (component) {
  const root = component.parentElement.querySelector(".ov-panel");
  (root.panel ??= new Panel(root)).update(component);
  return () => root.panel?.courier.stop();
}
