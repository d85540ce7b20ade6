// Lines and marks that move, and trails that are cut at the step of the clock, without Plotly.

import { clock, numbers } from "./clock.js";

// Where everything that is drawn belongs, in pixels, from the data and the axes as they stand:
// with it lines and marks can be moved and trails cut without Plotly, many times a second. What
// was so `before` is not measured again. Null where the drawn elements do not match the data.
export function measured(upper, traces, before) {
  const { _fullData: full, _fullLayout: axes } = upper;
  const places = new Map();
  for (const [i, trace] of traces.entries()) {
    if (full[i]?.uid !== trace.uid) return null;
    if (full[i].visible !== true) continue;
    const known = before?.get(trace);
    if (known) {
      places.set(trace, known);
      continue;
    }
    const xa = axes[axisName("x", trace.xaxis)], ya = axes[axisName("y", trace.yaxis)];
    const x = numbers(trace.x), y = numbers(trace.y), at = [];
    for (let k = 0; k < x.length; k++) {
      const p = xa.c2p(x[k]), q = ya.c2p(y[k]);
      at.push(Number.isFinite(p) && Number.isFinite(q) ? [near(p), near(q)] : null);
    }
    const group = upper.querySelector(`.scatterlayer .trace${CSS.escape(trace.uid)}`);
    const mode = trace.mode ?? "", few = trace.marker?.maxdisplayed;
    const { trail, window, of, head } = trace.meta ?? {}; // the trail a mark lies on, or is the head of
    const place = { at, trail, window, of, head, steps: of ? numbers(trace.customdata) : null };
    if (mode.startsWith("lines")) {
      const [line, ...more] = group?.querySelectorAll("path.js-line") ?? [];
      if (!line || more.length || trace.fill === "tozeroy") return null;
      Object.assign(place, { line, fill: group.querySelector("path.js-fill"), ...written(at) });
    }
    if (mode !== "lines") {
      const marks = [...(group?.querySelectorAll("path.point") ?? [])];
      const all = [...at.keys()].filter(k => at[k]);
      if (all.length && !marks.length) return null;
      if (marks.length && (mode.endsWith("text") || (place.line && !few))) return null;
      const marked = few ? spread(marks.map(mark => mark.__data__.i), at, few) : all;
      // what has grown gets marks like its last; where they are not alike the trace is another one
      while (marks.length < marked.length) {
        marks.at(-1).after(marks.at(-1).cloneNode());
        marks.push(marks.at(-1).nextSibling);
      }
      for (const mark of marks.splice(marked.length)) mark.remove();
      if (few) for (const [n, mark] of marks.entries()) mark.__data__ = { i: marked[n] };
      Object.assign(place, { marks, spots: marked.map(k => at[k]) });
    }
    places.set(trace, place);
  }
  return places;
}

// Which points have marks: those that Plotly has chosen and, as far apart, what has come since;
// every second of these as long as there are too many.
function spread(chosen, at, few) {
  const gap = chosen[1] - chosen[0] || 1;
  let found = [...chosen];
  for (let k = (chosen.at(-1) ?? -gap) + gap; k < at.length; k += gap) found.push(k);
  found = found.filter(k => at[k]);
  while (found.length > 2 * few) found = found.filter((_, n) => n % 2 === 0);
  return found;
}

// Draws what belongs to the step of the clock.
export function redraw(places) {
  const whole = clock.at >= clock.end;
  const trails = new Map([...places].map(([trace, one]) => [trace.uid, one]));
  for (const one of places.values()) {
    if (whole && one.whole) continue; // it stands where it was drawn
    one.whole = whole;
    for (const path of [one.line, one.fill])
      path?.setAttribute("d", whole ? one.text : drawnAt(one, clock.at));
    one.marks?.forEach((mark, k) => {
      const head = Array.isArray(one.of) ? one.of[k] : k === one.head && one.of,
        trail = head && trails.get(head);
      const [x, y] = trail ? pointAt(trail, clock.at) : one.spots[k];
      mark.setAttribute("transform", `translate(${x},${y})`);
      mark.style.display = whole || head || !one.steps || one.steps[k] <= clock.at ? "" : "none";
    });
  }
}

const axisName = (letter, ref) => `${letter}axis${(ref ?? letter).slice(1)}`;
const near = pixel => Math.round(Math.min(Math.max(pixel, -1e5), 1e5) * 100) / 100;

// The line through pixels (null is a gap) as the d of a path, and how much of that text ends with
// each of them.
function written(at) {
  const ends = [];
  let text = "";
  for (const [k, p] of at.entries()) {
    if (p) text += `${k && at[k - 1] ? "L" : "M"}${p[0]},${p[1]}`;
    ends.push(text.length);
  }
  return { text, ends };
}

// The pixel at a step and a fraction; where a path has ended, its end.
function pointAt({ at }, step) {
  let k = Math.min(Math.floor(step), at.length - 1);
  while (k > 0 && !at[k]) k -= 1;
  const [a, b, share] = [at[k], at[k + 1], step - k];
  if (!a) return [-1e5, -1e5];
  return b && share > 0 && share < 1
    ? [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])].map(near)
    : a;
}

const upTo = (place, step) => {
  const k = Math.min(Math.floor(step), place.ends.length - 1);
  const cut = place.text.slice(0, place.ends[k]),
    fraction = place.at[k] && place.at[k + 1] && step > k;
  return fraction ? `${cut}L${pointAt(place, step)}` : cut || "M0,0";
};

// A path up to a step, or what belongs to that step alone; other lines as they are.
const drawnAt = (place, step) =>
  place.trail
    ? upTo(place, step)
    : place.window
      ? written(ofStep(place.at, place.window)).text || "M0,0"
      : place.text;
const ofStep = (values, window) => values.slice(clock.step * window, (clock.step + 1) * window);

// A trace as far as the clock shows it, for a picture to keep.
export function shownNow(trace, all) {
  if (clock.at >= clock.end) return trace;
  if (trace.mode === "lines" && trace.meta?.trail) {
    const upTo = a => Array.from(numbers(a)).slice(0, clock.step + 1);
    return { ...trace, x: upTo(trace.x), y: upTo(trace.y) };
  }
  const { of, window } = trace.meta ?? {};
  if (window)
    return { ...trace, x: ofStep(numbers(trace.x), window), y: ofStep(numbers(trace.y), window) };
  if (!of) return trace;
  const ends = [of]
    .flat()
    .map(uid => all.find(t => t.uid === uid))
    .map(t => [numbers(t.x), numbers(t.y)])
    .map(([x, y]) => {
      let k = Math.min(clock.step, x.length - 1);
      while (k > 0 && !Number.isFinite(y[k])) k -= 1;
      return [x[k], y[k]];
    });
  const symbol = [trace.marker.symbol].flat()[0];
  return {
    ...trace,
    x: ends.map(e => e[0]),
    y: ends.map(e => e[1]),
    marker: { symbol, size: 11, color: trace.marker.color },
  };
}
