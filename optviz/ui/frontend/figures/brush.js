// Ranges on the axes of parallel coordinates. What lies outside of them is hidden in every picture
// of the same trials, while the hand moves; the server is told when the hand rests.

import { make, numbers, plots } from "../page/clock.js";

const NEAR = 10; // pixels within which a pointer grabs an end
const STEP = {
  ArrowUp: 0.02,
  ArrowRight: 0.02,
  ArrowDown: -0.02,
  ArrowLeft: -0.02,
  PageUp: 0.1,
  PageDown: -0.1,
  Home: -2,
  End: 2,
};
const REST = 400; // ms after the last key
let pending = null; // ranges that a hand has set and the server has not yet confirmed

const brushOf = data => data.layout?.meta?.brush;
const rangesOf = data => pending ?? brushOf(data).ranges;

// The data without the points outside of the ranges.
export function applyBrush(message) {
  const data = message.whole ?? message, brush = brushOf(data);
  if (!brush) return data;
  if (pending && JSON.stringify(pending) === JSON.stringify(brush.ranges)) pending = null;
  const ranges = rangesOf(data);
  if (!Object.keys(ranges).length) return data;
  const isInside = (v, range) => !range || (v !== null && v >= range[0] && v <= range[1]);
  const kept = brush.points.map(point =>
    brush.axes.every(({ key }, i) => isInside(point[i], ranges[key])),
  );
  const cut = ({ trials }, y) =>
    Array.from(numbers(y), (v, k) => (kept[trials[k]] && Number.isFinite(v) ? v : null));
  return {
    ...data,
    whole: data,
    data: data.data.map(t => (t.meta?.trials ? { ...t, y: cut(t.meta, t.y) } : t)),
  };
}

const shown = (v, log) => (log ? (10 ** v).toPrecision(2) : `${Math.round(100 * v)}%`);

// Two ends to drag on every axis of a host's picture: by mouse, finger or keys.
export function showHandles(host) {
  const brush = brushOf(host.drawn);
  if (!brush?.handles) return;
  const { xaxis, yaxis } = host.upper._fullLayout;
  if (host.brushes?.length !== brush.axes.length) {
    for (const entry of host.brushes ?? []) entry.strip.remove();
    host.brushes = brush.axes.map((_, i) => strip(host, i));
  }
  const ranges = rangesOf(host.drawn),
    top = yaxis._offset + yaxis.c2p(1),
    length = yaxis.c2p(0) - yaxis.c2p(1);
  brush.axes.forEach(({ key, label, ends, log }, i) => {
    const entry = host.brushes[i],
      range = ranges[key] ?? ends,
      share = v => (v - ends[0]) / (ends[1] - ends[0]);
    Object.assign(entry.strip.style, {
      left: `${xaxis._offset + xaxis.c2p(i)}px`,
      top: `${top}px`,
      height: `${length}px`,
    });
    Object.assign(entry.bar.style, {
      bottom: `${100 * share(range[0])}%`,
      height: `${100 * share(range[1]) - 100 * share(range[0])}%`,
    });
    entry.bar.hidden = !ranges[key];
    entry.grips.forEach((grip, k) => {
      grip.style.bottom = `${100 * share(range[k])}%`;
      const aria = {
        label: `${label}: ${k ? "upper" : "lower"} end of what is shown`,
        valuemin: ends[0],
        valuemax: ends[1],
        valuenow: range[k],
        valuetext: shown(range[k], log),
      };
      for (const [name, value] of Object.entries(aria)) grip.setAttribute(`aria-${name}`, value);
    });
  });
}

function strip(host, i) {
  const bar = make("div", { class: "ov-brush-bar" });
  const grips = [0, 1].map(() =>
    make("div", {
      class: "ov-brush-grip",
      role: "slider",
      tabindex: 0,
      "aria-orientation": "vertical",
    }),
  );
  const element = make("div", { class: "ov-brush" }, bar, ...grips);
  const axis = () => brushOf(host.drawn).axes[i];
  const valueAt = e => {
    const box = element.getBoundingClientRect(),
      { ends } = axis();
    return (
      ends[0] +
      Math.min(Math.max((box.bottom - e.clientY) / box.height, 0), 1) * (ends[1] - ends[0])
    );
  };
  let fixed = null, from = 0; // the end that stays, and where the hand came down
  element.addEventListener("pointerdown", e => {
    const ends = rangesOf(host.drawn)[axis().key] ?? axis().ends,
      box = element.getBoundingClientRect();
    const pixels = v => (Math.abs(v - valueAt(e)) / (axis().ends[1] - axis().ends[0])) * box.height;
    const k = [0, 1].find(end => pixels(ends[end]) < NEAR);
    fixed = k === undefined ? valueAt(e) : ends[1 - k];
    from = e.clientY;
    element.setPointerCapture(e.pointerId);
    e.preventDefault();
  });
  element.addEventListener(
    "pointermove",
    e => fixed !== null && Math.abs(e.clientY - from) > 2 && set(host, i, [fixed, valueAt(e)]),
  );
  for (const end of ["pointerup", "pointercancel"])
    element.addEventListener(end, e => {
      if (fixed === null) return;
      fixed = null;
      if (Math.abs(e.clientY - from) <= 2) set(host, i, null); // a click shows everything again
      send(host);
    });
  grips.forEach((grip, k) =>
    grip.addEventListener("keydown", e => {
      if (!(e.key in STEP) && e.key !== "Escape") return;
      e.preventDefault();
      const { key, ends } = axis(), range = [...(rangesOf(host.drawn)[key] ?? ends)];
      range[k] += STEP[e.key] * (ends[1] - ends[0]);
      range[k] = k ? Math.max(range[1], range[0]) : Math.min(range[0], range[1]);
      set(host, i, e.key === "Escape" ? null : range);
      clearTimeout(host.brushed);
      host.brushed = setTimeout(() => send(host), REST);
    }));
  host.root.append(element);
  return { strip: element, bar, grips };
}

function set(host, i, range) {
  const { axes } = brushOf(host.drawn), { key, ends } = axes[i], all = { ...rangesOf(host.drawn) };
  const clamp = v => Number(Math.min(Math.max(v, ends[0]), ends[1]).toFixed(3));
  const [low, high] = range ? [clamp(Math.min(...range)), clamp(Math.max(...range))] : ends;
  if (low <= ends[0] && high >= ends[1]) delete all[key];
  else all[key] = [low, high];
  // in the server's order
  pending = Object.fromEntries(axes.filter(a => all[a.key]).map(a => [a.key, all[a.key]]));
  for (const other of plots.values())
    if (other.drawn && brushOf(other.drawn)) other.schedule(other.next ?? other.drawn);
  showHandles(host);
}

function send(host) {
  if (pending) host.trigger("brush", pending);
}
