// A panel of hyperparameters: for each a label, a native range input, a number field and a way back
// to the default. It sends while it is dragged.

import { RequestQueue } from "./request_queue.js";
import { make, plots, visibility } from "./clock.js";
import { POSITIONS, complaint, leftEnd, next, position, shown, valueAt } from "./scale.js";

// For JSON: what is declared of a hyperparameter, without where its slider begins.
const withoutLeft = (name, value) => (name === "left" ? undefined : value);

class Panel {
  constructor(root) {
    this.root = root;
    this.rows = new Map();
    const eye = (act, d) => {
      const e = make("button", { type: "button", class: "ov-eye" });
      e.innerHTML = `<svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
        <path d="${d}" fill="none" stroke="currentColor" stroke-width="1.7"/></svg>`;
      e.addEventListener("click", () => act(this.group));
      return e;
    };
    this.eyes = [
      eye(visibility.toggle, "M2 10c4-7 12-7 16 0c-4 7-12 7-16 0zM10 7.5a2.5 2.5 0 1 0 .01 0"),
      eye(visibility.isolate, "M10 3v14M6 6l4-3 4 3M5 17h10"),
    ];
    this.unlisten = visibility.listen(() => this.showVisibility());
  }

  // The two buttons show whether its lines are shown, and whether alone.
  showVisibility() {
    if (!this.group)
      return this.eyes.forEach(e => {
        e.hidden = true;
      });
    const [eye, solo] = this.eyes,
      hidden = visibility.hidden.has(this.group),
      label = this.root.getAttribute("aria-label");
    const describe = (e, text, pressed) => {
      e.title = text;
      e.setAttribute("aria-label", text);
      e.setAttribute("aria-pressed", pressed);
    };
    describe(eye, `${label}: lines in the pictures`, !hidden);
    describe(solo, `${label} alone in the pictures`, visibility.only === this.group);
    this.root.toggleAttribute("data-hidden", hidden);
  }

  update(component) {
    const { data } = component,
      shape = JSON.stringify([data.hyperparameters, data.locked], withoutLeft);
    if (shape !== this.shape) this.build(data, shape);
    if (this.queue.update(component, answer => this.update(answer))) this.adopt(data.values);
    for (const k of data.hyperparameters) this.rows.get(k.name).setNote(data.notes?.[k.name] ?? "");
    for (const [name, traces] of Object.entries(data.traces ?? {})) plots.get(name)?.patch(traces);
    this.sample.replaceChildren(...(data.sample ? [line(data.sample), ...this.eyes] : []));
    this.group = data.group;
    if (this.group) plots.set(`panel ${this.group}`, this);
    this.showVisibility();
  }

  // Takes other values, which another panel or a hand on the start has set.
  patch(values) {
    this.adopt(values);
  }

  build(data, shape) {
    this.shape = shape;
    this.values = { ...data.values };
    this.queue?.stop();
    this.queue = new RequestQueue(data.live ? undefined : () => {}); // the page has followed already
    this.queue.sent = data.echo;
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
    this.queue.post({ ...this.values });
  }
}

function line({ color, dashes }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.innerHTML = `<line x1="0" y1="4" x2="100%" y2="4" stroke="${color}"
    stroke-width="4" stroke-dasharray="${dashes.join(" ")}"/>`;
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

function shell(k, prefix) {
  const id = `${prefix}-${k.name}`;
  const label = make(
    "label",
    { for: id },
    make("b", {}, k.symbol),
    k.symbol ? " " : "",
    make("span", {}, k.label),
  );
  const tip = make("div", { class: "ov-tip", id: `${id}-tip`, role: "tooltip" }, k.help || k.label);
  const note = make("div", { class: "ov-note", id: `${id}-note`, role: "status" });
  const reset = make(
    "button",
    { type: "button", class: "ov-reset", title: `${k.label}: back to ${shown(k.default)}` },
    "↺",
  );
  reset.setAttribute("aria-label", `${k.label}: back to its default ${shown(k.default)}`);
  // the label explains the hyperparameter under the pointer, with the focus until Escape, and to a
  // finger for a while
  label.addEventListener("click", () => {
    tip.classList.add("ov-told");
    setTimeout(() => tip.classList.remove("ov-told"), 4000);
  });
  const hideTip = hidden => tip.classList.toggle("ov-away", hidden);
  const watch = element => {
    element.addEventListener("keydown", e => e.key === "Escape" && hideTip(true));
    element.addEventListener("focusout", () => hideTip(false));
    return element;
  };
  return { id, label, tip, note, reset, watch };
}

function slider(k, prefix, changed) {
  const { id, label, tip, note, reset, watch } = shell(k, prefix);
  const range = make("input", {
    type: "range",
    id,
    min: 0,
    max: POSITIONS,
    step: "any",
    "aria-describedby": `${tip.id} ${note.id}`,
  });
  const field = make("input", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    "aria-label": `${k.label}, exact value`,
    "aria-describedby": `${tip.id} ${note.id}`,
  });
  let remark = "",
    error = "",
    value = k.default;
  const showNote = () => {
    note.textContent = error || remark;
    note.classList.toggle("ov-wrong", !!error);
  };
  let from = null; // the slider's position when a drag began
  const show = (v, all) => {
    value = v;
    if (from === null) k.left = leftEnd(k, v);
    if (from === null) range.value = position(k, v);
    range.setAttribute("aria-valuetext", `${shown(v)}`);
    reset.disabled = v === k.default || range.disabled;
    if (all || document.activeElement !== field) {
      field.value = shown(v);
      error = "";
      field.removeAttribute("aria-invalid");
    }
    showNote();
  };
  const set = (v, all = true) => {
    if (v !== value) {
      show(v, all);
      changed(v);
    }
  };
  let fine = false; // with Shift a tenth of the way
  range.addEventListener("pointerdown", e => { from = position(k, value); fine = e.shiftKey; });
  range.addEventListener("pointermove", e => { fine = e.shiftKey; });
  for (const end of ["pointerup", "pointercancel", "blur"])
    range.addEventListener(end, () => {
      from = null;
      show(value);
    });
  range.addEventListener("input", () =>
    set(valueAt(k, fine && from !== null ? from + (+range.value - from) / 10 : +range.value, fine)),
  );
  const steps = e => {
    const by = {
      ArrowUp: 1,
      ArrowDown: -1,
      PageUp: 1,
      PageDown: -1,
      ...(e.target === range && { ArrowRight: 1, ArrowLeft: -1 }),
    }[e.key];
    if (!by || e.ctrlKey || e.metaKey || e.altKey) return false;
    e.preventDefault();
    set(next(k, value, by, { fine: e.shiftKey, page: e.key.startsWith("Page") }));
    return true;
  };
  range.addEventListener("keydown", steps);
  const readField = () => {
    error = complaint(k, field.value);
    if (error) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    showNote();
    if (!error) set(Number(field.value.replace(",", ".")), false);
  };
  field.addEventListener("input", readField);
  field.addEventListener("change", () => {
    readField();
    if (!error) field.value = shown(value);
  });
  field.addEventListener("keydown", e => {
    if (!steps(e) && e.key === "Escape") show(value, true);
  });
  reset.addEventListener("click", () => {
    set(k.default);
    range.focus();
  }); // it cannot have the focus any more
  const element = watch(
    make(
      "div",
      { class: "ov-hyperparameter", "data-knob": id },
      label,
      tip,
      range,
      field,
      reset,
      note,
    ),
  );
  return {
    element,
    show,
    setNote: text => {
      remark = text;
      showNote();
    },
  };
}

function check(k, prefix, changed) {
  const { id, label, tip, note, reset, watch } = shell(k, prefix);
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
  reset.addEventListener("click", () => {
    set(k.default);
    box.focus();
  });
  const element = watch(
    make("div", { class: "ov-hyperparameter ov-check" }, label, tip, box, reset, note),
  );
  return {
    element,
    show,
    setNote: text => {
      note.textContent = text;
    },
  };
}

export default function (component) {
  const root = component.parentElement.querySelector(".ov-panel");
  (root.panel ??= new Panel(root)).update(component);
  return () => {
    root.panel?.queue.stop();
    root.panel?.unlisten();
    const name = `panel ${root.panel?.group}`;
    if (plots.get(name) === root.panel) plots.delete(name);
    root.panel = null;
    root.replaceChildren();
  };
}
