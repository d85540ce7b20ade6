// Lines and marks that move, and trails that are cut at the step of the clock, without Plotly.

import { clock, numbers } from "./clock.js";

// The pixels of everything that is drawn, from the data and the present axes: with them lines and
// marks can be moved and trails cut without Plotly, many times a second. What is unchanged since
// `before` is not measured again. Null where the drawn elements do not match the data.
export function measurePlaces(upper, traces, before) {
  const { _fullData: full, _fullLayout: axes } = upper;
  const places = new Map();
  for (const [i, trace] of traces.entries()) {
    if (full[i]?.uid !== trace.uid) return null;
    if (full[i].visible !== true) continue;
    const cached = before?.get(trace);
    if (cached) {
      places.set(trace, cached);
      continue;
    }
    const xa = axes[axisName("x", trace.xaxis)], ya = axes[axisName("y", trace.yaxis)];
    const x = numbers(trace.x), y = numbers(trace.y), pixels = [];
    for (let k = 0; k < x.length; k++) {
      const p = xa.c2p(x[k]), q = ya.c2p(y[k]);
      pixels.push(Number.isFinite(p) && Number.isFinite(q) ? [rounded(p), rounded(q)] : null);
    }
    const group = upper.querySelector(`.scatterlayer .trace${CSS.escape(trace.uid)}`);
    const mode = trace.mode ?? "", maxMarks = trace.marker?.maxdisplayed;
    const { trail, window, of, head } = trace.meta ?? {}; // the trail a mark lies on, or is the head of
    const place = { pixels, trail, window, of, head, steps: of ? numbers(trace.customdata) : null };
    if (mode.startsWith("lines")) {
      const [line, ...others] = group?.querySelectorAll("path.js-line") ?? [];
      if (!line || others.length || trace.fill === "tozeroy") return null;
      Object.assign(place, { line, fill: group.querySelector("path.js-fill"), ...asPath(pixels) });
    }
    if (mode !== "lines") {
      const marks = [...(group?.querySelectorAll("path.point") ?? [])];
      const all = [...pixels.keys()].filter(k => pixels[k]);
      if (all.length && !marks.length) return null;
      if (marks.length && (mode.endsWith("text") || (place.line && !maxMarks))) return null;
      const indices = maxMarks ? spread(marks.map(mark => mark.__data__.i), pixels, maxMarks) : all;
      // new points get marks like the last one; where marks differ the trace is another one
      while (marks.length < indices.length) {
        marks.at(-1).after(marks.at(-1).cloneNode());
        marks.push(marks.at(-1).nextSibling);
      }
      for (const mark of marks.splice(indices.length)) mark.remove();
      if (maxMarks) for (const [n, mark] of marks.entries()) mark.__data__ = { i: indices[n] };
      Object.assign(place, { marks, spots: indices.map(k => pixels[k]) });
    }
    places.set(trace, place);
  }
  return places;
}

// Which points have marks: those that Plotly has chosen and, as far apart, what has come since;
// every second of these as long as there are too many.
function spread(chosen, pixels, maxMarks) {
  const gap = chosen[1] - chosen[0] || 1;
  let indices = [...chosen];
  for (let k = (chosen.at(-1) ?? -gap) + gap; k < pixels.length; k += gap) indices.push(k);
  indices = indices.filter(k => pixels[k]);
  while (indices.length > 2 * maxMarks) indices = indices.filter((_, n) => n % 2 === 0);
  return indices;
}

// Draws what belongs to the step of the clock.
export function redraw(places) {
  const whole = clock.at >= clock.end;
  const trails = new Map([...places].map(([trace, place]) => [trace.uid, place]));
  for (const place of places.values()) {
    if (whole && place.whole) continue; // it is drawn so already
    place.whole = whole;
    for (const path of [place.line, place.fill])
      path?.setAttribute("d", whole ? place.text : drawnAt(place, clock.at));
    place.marks?.forEach((mark, k) => {
      const head = Array.isArray(place.of) ? place.of[k] : k === place.head && place.of,
        trail = head && trails.get(head);
      const [x, y] = trail ? pointAt(trail, clock.at) : place.spots[k];
      mark.setAttribute("transform", `translate(${x},${y})`);
      const visible = whole || head || !place.steps || place.steps[k] <= clock.at;
      mark.style.display = visible ? "" : "none";
    });
  }
}

const axisName = (letter, ref) => `${letter}axis${(ref ?? letter).slice(1)}`;
const rounded = pixel => Math.round(Math.min(Math.max(pixel, -1e5), 1e5) * 100) / 100;

// The line through pixels (null is a gap) as the d of a path, and how much of that text ends with
// each of them.
function asPath(pixels) {
  const ends = [];
  let text = "";
  for (const [k, p] of pixels.entries()) {
    if (p) text += `${k && pixels[k - 1] ? "L" : "M"}${p[0]},${p[1]}`;
    ends.push(text.length);
  }
  return { text, ends };
}

// The pixel at a step and a fraction; where a path has ended, its end.
function pointAt({ pixels }, step) {
  let k = Math.min(Math.floor(step), pixels.length - 1);
  while (k > 0 && !pixels[k]) k -= 1;
  const [a, b, share] = [pixels[k], pixels[k + 1], step - k];
  if (!a) return [-1e5, -1e5];
  return b && share > 0 && share < 1
    ? [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])].map(rounded)
    : a;
}

const upTo = (place, step) => {
  const k = Math.min(Math.floor(step), place.ends.length - 1);
  const cut = place.text.slice(0, place.ends[k]),
    fraction = place.pixels[k] && place.pixels[k + 1] && step > k;
  return fraction ? `${cut}L${pointAt(place, step)}` : cut || "M0,0";
};

// A path up to a step, or what belongs to that step alone; other lines as they are.
const drawnAt = (place, step) =>
  place.trail
    ? upTo(place, step)
    : place.window
      ? asPath(ofStep(place.pixels, place.window)).text || "M0,0"
      : place.text;
const ofStep = (values, window) => values.slice(clock.step * window, (clock.step + 1) * window);

// A trace as far as the clock shows it, for a picture to keep.
export function cutAtClock(trace, all) {
  if (clock.at >= clock.end) return trace;
  if (trace.mode === "lines" && trace.meta?.trail) {
    const cut = a => Array.from(numbers(a)).slice(0, clock.step + 1);
    return { ...trace, x: cut(trace.x), y: cut(trace.y) };
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
