// The table at the step of the clock: at the end as the server wrote it, before it the values by
// then.

import { clock, make, numbers } from "./clock.js";

const REST = 700; // ms without a change before it is announced

// As Python's %g with a true minus, which is how the server writes.
export function number(v, digits) {
  if (!Number.isFinite(v)) return "–";
  if (v === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(Number(v.toPrecision(digits)))));
  const text =
    power < -4 || power >= digits
      ? v.toExponential(digits - 1).replace(/\.?0+e/, "e")
      : trimmed(v.toPrecision(digits));
  return text.replace("e+", "e").replaceAll("-", "−");
}

const trimmed = text => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

class Table {
  constructor(root) {
    this.root = root;
    this.status = make("div", { class: "ov-heard", role: "status" });
    this.body = make("div");
    root.replaceChildren(this.status, this.body);
    this.unlisten = clock.listen(() => this.show());
  }

  update({ data }) {
    if (data.html !== this.html) this.body.innerHTML = this.html = data.html;
    this.rows = data.rows.map(r => ({
      ...r,
      x: numbers(r.x),
      y: r.y && numbers(r.y),
      loss: numbers(r.loss),
      length: numbers(r.length),
      work: r.work.map(numbers),
    }));
    this.cells = [...this.root.querySelectorAll("tbody tr")].map(tr => [
      ...tr.querySelectorAll("td"),
    ]);
    this.finals = this.cells.map(row => row.map(td => td.textContent));
    this.shown = undefined;
    this.show();
  }

  show() {
    const whole = clock.at >= clock.end, t = whole ? -1 : clock.step;
    clearTimeout(this.announcing);
    if (!clock.playing) this.announcing = setTimeout(() => this.announce(), REST);
    if (t === this.shown) return;
    this.shown = t;
    this.root.dataset.step = clock.step;
    this.rows.forEach((r, i) => {
      const texts = whole ? this.finals[i] : this.textsAt(r, t, this.finals[i]);
      this.cells[i].forEach((td, k) => {
        if (td.textContent !== texts[k]) td.textContent = texts[k];
      });
    });
  }

  // Announces to screen readers the rows that have changed since it last did so.
  announce() {
    const rows = [...this.body.querySelectorAll("tbody tr")].map((tr, i) => {
      const [name, ...cells] = [...tr.children].map(cell => cell.textContent);
      const loss = cells[this.rows[i].y ? 2 : 1]; // a function of x alone has no column for y
      return `${name}: ${loss}, ${cells.at(-1)}.`;
    });
    if (this.announced)
      this.status.textContent =
        rows.filter(row => !this.announced.includes(row)).join(" ") || this.status.textContent;
    this.announced = rows;
  }

  textsAt(r, t, finals) {
    let k = Math.min(t, r.x.length - 1);
    while (k > 0 && !Number.isFinite(r.x[k])) k -= 1;
    const ended = k < t;
    const counts = r.work.map(w => w[Math.min(t, w.length - 1)]),
      [gradients, values, hessians] = counts;
    const others = [
      [values, "values"],
      [hessians, "Hessians"],
    ]
      .filter(([n]) => n)
      .map(([n, what]) => `${n} ${what}`);
    const [touched, reached] = [r.touched, r.reached].map(step =>
      step !== null && step <= t ? `${step}` : "–",
    );
    return [
      number(r.x[k], 4),
      ...(r.y ? [number(r.y[k], 4)] : []),
      number(r.loss[k], 4),
      touched === reached ? reached : `${reached} (first ${touched})`,
      number(r.length[k], 4),
      others.length ? [`${gradients} gradients`, ...others].join(" + ") : `${gradients}`,
      ended ? finals.at(-1) : t === 0 ? "at the start" : "under way",
    ];
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".ov-timetable");
  (root.table ??= new Table(root)).update(component);
  return () => {
    root.table?.unlisten();
    clearTimeout(root.table?.announcing);
    root.table = null;
  };
}
