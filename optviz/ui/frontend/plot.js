// A host for Plotly figures that survive their updates: zoom, pan and hidden traces stay.
// Two layers share one frame. The lower (a contour) is drawn again only when it is another one; the
// upper (paths) goes through Plotly.react. Paper and plot of the upper layer are transparent.
// Trails are cut at the step of the page's clock by shortening the drawn SVG paths, which costs a
// millisecond or two a frame: the contour below is not touched, and Plotly is not asked.

import { arrows } from "./arrows.js";
import { filtered, handles } from "./brush.js";
import { complete } from "./changes.js";
import { clock, hands, make, numbers, plots, seen } from "./clock.js";

// there the bar of buttons always shows, so it holds few
const TOUCH = matchMedia("(pointer: coarse)").matches;
const CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  showTips: false,
  responsive: false,
  scrollZoom: true,
  doubleClick: false, // two clicks are two clicks
  displayModeBar: TOUCH ? true : "hover",
  modeBarButtonsToRemove: [
    "select2d",
    "lasso2d",
    "autoScale2d",
    "toImage",
    "zoomIn2d",
    "zoomOut2d",
    "resetScale2d",
    ...(TOUCH ? ["pan2d", "zoom2d"] : []),
  ],
};
const TITLE = 28, LETTER = 7; // px
const MODEBAR = 24; // px below the picture, where the bar always shows
const REST = 400; // ms after the last turn of a wheel
const SETTLE = 150; // ms of a pointer's rest after which moved things are drawn anew
const PATIENCE = 2000; // ms after a hand has put the start somewhere
const NUDGE = 0.01; // of the picture's width and height, for the arrow keys on the start
const bases = new Map(); // lower layers by id, kept as long as the tab: the server sends each once

let loading;
export function plotly(url) {
  if (window.Plotly && !url) return Promise.resolve(window.Plotly); // the page brought it along
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = new URL(url, document.baseURI).href;
    script.onload = () => done(window.Plotly);
    script.onerror = () => failed(new Error("Plotly.js could not be loaded"));
    document.head.append(script);
  });
  return loading;
}

// Letters grow with the reader's, and with the stage's.
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
export function scaled(layout, by) {
  if (by === 1) return layout;
  const walk = (at, key) => {
    for (const [name, value] of Object.entries(at ?? {}))
      if (value && typeof value === "object") walk(value, name);
      else if (
        (name === "size" && /font$/.test(key)) ||
        (key === "margin" && "lrtb".includes(name))
      )
        at[name] = value * by;
  };
  walk(layout, "");
  return layout;
}

export const css = (root, name, otherwise) =>
  getComputedStyle(root).getPropertyValue(name).trim() || otherwise;

class Host {
  constructor(root) {
    this.root = root;
    [this.lower, this.upper] = root.querySelectorAll(".ov-layer");
    this.size = new ResizeObserver(() => this.drawn && this.schedule(this.drawn));
    this.size.observe(root);
    this.deaf = clock.listen(() => this.reveal());
    root.addEventListener("pointerenter", () => this.settle());
    root.addEventListener("pointermove", () => {
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.settle(), SETTLE);
    });
  }

  // From a hyperparameter that is being dragged: new traces for some of those that are shown, or
  // another figure.
  patch(traces) {
    const now = this.next ?? this.drawn;
    if (!now) return;
    if (!Array.isArray(traces))
      return this.schedule({ ...now, ...traces, version: `${now.version}+` });
    const fresh = new Map(traces.map(t => [t.uid, t]));
    const data = now.data.map(t => fresh.get(t.uid) ?? t);
    this.schedule({ ...now, data, arrows: null, version: `${now.version}+` });
  }

  // Other lines are hidden than before.
  see() {
    if (this.next ?? this.drawn) this.schedule(this.next ?? this.drawn);
  }

  schedule(data) {
    this.next = filtered(data);
    this.work ??= this.loop().finally(() => { this.work = null; });
  }

  async loop() {
    while (this.next) {
      const data = this.next;
      this.next = null;
      try {
        this.plotly = await plotly(data.plotly);
        await this.draw(data);
        this.root.querySelector(".ov-sorry").textContent = "";
      } catch (error) {
        // what it drew on was taken away meanwhile, and may have another host by now
        if (this.gone) return;
        console.error(error);
        this.root.querySelector(".ov-sorry").textContent =
          `The picture could not be drawn: ${error.message}`;
      }
    }
  }

  async draw(data) {
    const box = this.root.getBoundingClientRect();
    if (!box.width) return;
    if (data.base) bases.set(data.base_id, data.base);
    const base = bases.get(data.base_id);
    const look = this.look(box), frame = this.frame(data, look);
    const theme = isDark(look.page) ? "dark" : "light";
    if (data.base_id && !base) this.ask(data.base_id);
    else if (data.theme !== theme) this.ask(theme); // the visitor has changed it since the last run
    this.root.setAttribute("aria-label", data.label);
    if (this.drawn && this.drawn !== data && frame === this.framed && this.same(data)) {
      // the whole run that follows a drag says what the panel has handed over already
      this.drawn = { ...data, data: this.drawn.data };
      this.root.dataset.version = data.version;
      this.reveal();
      return;
    }
    if (this.drawn && this.drawn !== data && frame === this.framed && this.measure(data.data)) {
      this.drawn = data;
      this.reveal(true);
      this.moved = true;
    } else {
      let layout = this.dressed(data, look);
      if (this.drawn) await this.plotly.react(this.upper, copies(data), layout);
      else await this.first(data, layout);
      // a legend above the picture gets the rows that it turns out to need
      const room = layout.legend
        ? Math.ceil(this.upper._fullLayout.legend?._height ?? 0) +
          (layout.legend.yref === "container" ? TITLE : 8) // of panels, below such a legend
        : layout.margin.t;
      if (Math.abs(room - layout.margin.t) > 2) {
        this.room = room;
        await this.plotly.react(this.upper, copies(data), (layout = this.dressed(data, look)));
      }
      this.drawn = data;
      this.moved = false;
      this.framed = frame;
      await this.under(data, base, look);
      this.places = null;
      this.reveal();
    }
    this.root.dataset.version = data.version;
    this.root.dataset.base = data.base_id ?? "";
  }

  // Everything about a picture but the positions of what is drawn in it.
  frame(data, look) {
    const { view, base_id, sealed, clicks } = data;
    const still = JSON.stringify([view, base_id, sealed, clicks, look]);
    return [...data.data, data.layout].map(unplaced).join() + still;
  }

  // Plotly takes over what was moved without it: when a pointer comes, or rests.
  settle() {
    if (!this.moved) return;
    this.framed = null;
    this.schedule(this.next ?? this.drawn);
    return this.work;
  }

  // Asks the server for another run, once for each thing that is missing.
  ask(what) {
    if (this.asked !== what) this.need((this.asked = what));
  }

  same(data) {
    return JSON.stringify(data.data) === JSON.stringify(this.drawn.data);
  }

  // Where everything that is drawn belongs, in pixels, from the data and the axes as they stand:
  // with it lines and marks can be moved and trails cut without Plotly, many times a second. What
  // stays is not measured again until Plotly has drawn. False where the drawn elements do not match
  // the data.
  measure(traces) {
    const { _fullData: full, _fullLayout: axes } = this.upper;
    const places = new Map();
    for (const [i, trace] of traces.entries()) {
      if (full[i]?.uid !== trace.uid) return false;
      if (full[i].visible !== true) continue;
      const known = this.places?.get(trace);
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
      const group = this.upper.querySelector(`.scatterlayer .trace${CSS.escape(trace.uid)}`);
      if (trace.mode === "lines") {
        const line = group?.querySelectorAll("path.js-line");
        if (line?.length !== 1) return false;
        const { trail, window } = trace.meta ?? {};
        places.set(trace, { line: line[0], trail, window, at, ...written(at) });
      } else {
        const marks = [...(group?.querySelectorAll("path.point") ?? [])],
          placed = at.filter(Boolean);
        if (marks.length !== placed.length) return false;
        // the trail they lie on and which of them is its head, or a trail for each
        const { of, head } = trace.meta ?? {};
        const steps = of ? numbers(trace.customdata) : null;
        places.set(trace, { marks, at: placed, steps, of, head });
      }
    }
    this.places = places;
    return true;
  }

  // Draws what belongs to the step of the clock; everything, where only moved (`all`) or not
  // everything was drawn.
  reveal(all = false) {
    if (!this.drawn || !this.upper._fullLayout) return;
    this.handle();
    const whole = clock.at >= clock.end;
    if (whole && !this.cut && !all) return this.overlay();
    if (!this.places && !this.measure(this.drawn.data)) return;
    const trails = new Map([...this.places].map(([trace, place]) => [trace.uid, place]));
    for (const place of this.places.values()) {
      if (whole && place.whole) continue; // it stands where it was drawn
      place.whole = whole;
      if (place.line) place.line.setAttribute("d", whole ? place.text : drawnAt(place, clock.at));
      else
        place.marks.forEach((mark, k) => {
          const head = Array.isArray(place.of) ? place.of[k] : k === place.head && place.of,
            trail = head && trails.get(head);
          const [x, y] = trail ? pointAt(trail, clock.at) : place.at[k];
          mark.setAttribute("transform", `translate(${x},${y})`);
          mark.style.display =
            whole || head || !place.steps || place.steps[k] <= clock.at ? "" : "none";
        });
    }
    this.cut = !whole;
    this.root.dataset.step = clock.step;
    this.overlay();
  }

  overlay() {
    this.root.dataset.step = clock.step;
    arrows(this.root, this.upper._fullLayout, this.drawn);
    handles(this);
  }

  // The start, or a guess, as something to take hold of, over the picture; by mouse, finger or
  // arrow keys.
  handle() {
    const { grab } = this.drawn;
    if (!grab) return this.grip?.remove(), (this.grip = null);
    this.grip ??= this.gripped();
    this.grip.title = grab.label;
    this.grip.setAttribute("aria-label", grab.label);
    const { xaxis, yaxis } = this.upper._fullLayout;
    // the server's word on where it is comes later than a hand's next one
    if (!this.held && !(performance.now() - this.put < PATIENCE && grab.epoch === this.epoch))
      this.place(grab.start);
    this.epoch = grab.epoch;
    // of a logarithm, maybe
    const inside = (a, v) => a.c2l(v) >= Math.min(...a.range) && a.c2l(v) <= Math.max(...a.range);
    this.grip.hidden = !inside(xaxis, this.start[0]) || !inside(yaxis, this.start[1]);
  }

  place([x, y]) {
    const { xaxis, yaxis } = this.upper._fullLayout, { heights, frame } = this.drawn.grab;
    if (heights) y = onCurve(numbers(heights), frame.x, x);
    this.start = [x, y];
    const left = xaxis._offset + xaxis.c2p(x), top = yaxis._offset + yaxis.c2p(y);
    this.grip.style.transform = `translate(${left}px, ${top}px)`;
  }

  gripped() {
    const grip = make("button", { type: "button", class: "ov-grip" });
    const to = (x, y) => {
      this.place(this.inside(x, y));
      this.put = performance.now();
      clearTimeout(this.guessing);
      if (this.drawn.clicks === "guess")
        this.guessing = setTimeout(() => this.clicked(...this.start), SETTLE);
      else hands.place?.(...this.start);
    };
    const under = e => {
      const { xaxis, yaxis } = this.upper._fullLayout,
        box = this.upper.getBoundingClientRect();
      return [
        xaxis.p2c(e.clientX - box.left - xaxis._offset),
        yaxis.p2c(e.clientY - box.top - yaxis._offset),
      ];
    };
    grip.addEventListener("pointerdown", e => {
      grip.setPointerCapture(e.pointerId);
      this.held = true;
    });
    grip.addEventListener("pointermove", e => this.held && to(...under(e)));
    for (const end of ["pointerup", "pointercancel"])
      grip.addEventListener(end, () => { this.held = false; });
    grip.addEventListener("keydown", e => {
      const [dx, dy] =
        { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key] ??
        [];
      if (dx === undefined) return;
      e.preventDefault();
      const { xaxis, yaxis } = this.upper._fullLayout;
      const moved = (a, v, by) => a.l2c(a.c2l(v) + by * Math.abs(a.range[1] - a.range[0]) * NUDGE);
      to(moved(xaxis, this.start[0], dx), moved(yaxis, this.start[1], dy));
    });
    this.root.append(grip);
    return grip;
  }

  async under(data, base, look) {
    const lower = base && JSON.stringify([data.base_id, look, this.upper.layout.margin]);
    if (!data.base_id && this.lowerDrawn) {
      this.lowerDrawn = null; // a picture without a lower layer has come after one with it
      this.plotly.purge(this.lower);
    }
    if (!lower || lower === this.lowerDrawn) return this.follow();
    this.lowerDrawn = lower;
    const { xaxis, yaxis } = this.upper._fullLayout;
    const hidden = { visible: false, fixedrange: true };
    const layout = {
      ...base.layout,
      margin: this.upper.layout.margin,
      width: look.width,
      height: look.height,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: look.font, color: look.ink },
      showlegend: false,
      xaxis: { ...hidden, range: [...xaxis.range] },
      yaxis: { ...hidden, range: [...yaxis.range] },
    };
    const drawn = base.data.map(trace => ({
      ...trace,
      ...(trace.colorbar && { colorbar: scaled(structuredClone(trace.colorbar), look.scale) }),
    }));
    await this.plotly.react(this.lower, drawn, layout, { staticPlot: true });
  }

  async first(data, layout) {
    const button = {
      name: "picture",
      title: "Download as PNG",
      icon: this.plotly.Icons.camera,
      click: () => this.save("png"),
    };
    const vector = {
      name: "vector",
      title: "Download as SVG",
      icon: this.plotly.Icons.disk,
      click: () => this.save("svg"),
    };
    const home = {
      name: "home",
      title: "The whole picture again",
      icon: this.plotly.Icons.home,
      click: () => this.home(),
    };
    await this.plotly.newPlot(this.upper, copies(data), layout, {
      ...CONFIG,
      modeBarButtonsToAdd: [button, vector, home],
    });
    this.upper.on("plotly_relayout", () => {
      this.follow();
      this.settle();
      clearTimeout(this.zooming);
      if (this.drawn.zooms) this.zooming = setTimeout(() => this.zoomed(), REST);
    });
    this.upper.on("plotly_relayouting", () => {
      this.follow();
      if (this.grip) this.grip.hidden = true;
      arrows(this.root);
    });
    this.upper.on("plotly_afterplot", () => {
      this.places = null;
      this.reveal();
    });
    // one click hides a line in every picture, two leave it alone; what belongs to no group Plotly
    // hides here
    this.upper.on("plotly_legendclick", e => this.legend(e, seen.toggle));
    this.upper.on("plotly_legenddoubleclick", e => this.legend(e, seen.alone));
    this.upper.on("plotly_hover", ({ points: [{ x, y }] }) => this.pointed(40, x, y));
    this.upper.on("plotly_unhover", () => this.pointed(80));
    this.upper.on(
      "plotly_click",
      e => this.drawn.clicks && e.xvals && this.clicked(e.xvals[0], e.yvals[0]),
    );
  }

  legend({ data, curveNumber }, act) {
    const { legendgroup } = data[curveNumber];
    if (!legendgroup) return true;
    act(legendgroup);
    return false;
  }

  // Where the pointer is over a map, or nowhere: told in a while, and not soon after a click.
  pointed(after, ...at) {
    clearTimeout(this.hovering);
    if (this.drawn.clicks !== "cell") return;
    const wait = Math.max(after, (this.tapped ?? -Infinity) + 400 - performance.now());
    this.hovering = setTimeout(() => hands.place?.(...at), wait);
  }

  // A click on the bare picture puts the start there, or answers the question that is asked.
  clicked(x, y) {
    // told together, Streamlit would run for where the pointer is, and not for the click
    clearTimeout(this.hovering);
    this.tapped = performance.now();
    if (this.drawn.clicks !== "start") return this.tell("guess", { x, y, n: Date.now() });
    hands.place?.(...this.inside(x, y));
  }

  // Beyond the frame is its edge.
  inside(x, y) {
    const {
      x: [x0, x1],
      y: [y0, y1],
    } = this.drawn.grab.frame;
    return [Math.min(Math.max(x, x0), x1), Math.min(Math.max(y, y0), y1)].map(c =>
      Number(c.toPrecision(4)),
    );
  }

  // What is seen now is to be computed anew.
  zoomed() {
    const { xaxis, yaxis } = this.upper._fullLayout;
    this.tell("brush", { x: [...xaxis.range], y: [...yaxis.range] });
  }

  // Plotly's own way home leads to the frame that it was shown first, which may be another
  // function's.
  home() {
    if (this.drawn.zooms) return this.tell("brush", {});
    const ranges = Object.entries(this.drawn.layout).filter(
      ([name, axis]) => /^[xy]axis/.test(name) && axis.range,
    );
    return this.plotly.relayout(
      this.upper,
      Object.fromEntries(ranges.map(([name, axis]) => [`${name}.range`, [...axis.range]])),
    );
  }

  look(box) {
    return {
      width: Math.round(box.width),
      height: Math.round(box.height),
      hidden: [...seen.hidden],
      scale: rem() / 16,
      ink: css(this.root, "--st-text-color", "#222"),
      page: css(this.root, "--st-background-color", "#fff"),
      font: css(this.root, "--st-font", "sans-serif"),
    };
  }

  dressed(data, look) {
    const layout = scaled(structuredClone(data.layout), look.scale);
    const out = {
      ...layout,
      clickanywhere: !!data.clicks,
      ...(TOUCH && { dragmode: false }),
      width: look.width,
      height: look.height,
      uirevision: "keep",
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: look.font, size: 13 * look.scale, color: look.ink },
      margin: {
        ...layout.margin,
        t: (layout.legend && this.room) || layout.margin.t,
        b: layout.margin.b + (TOUCH ? MODEBAR : 0),
        autoexpand: false,
      },
      modebar: {
        bgcolor: "rgba(0,0,0,0)",
        color: look.ink,
        activecolor: look.ink,
        orientation: "h",
      },
      hoverlabel: { bgcolor: look.page, font: { color: look.ink } },
    };
    for (const name of Object.keys(layout).filter(n => /^[xy]axis/.test(n)))
      out[name] = {
        gridcolor: mix(look.ink, look.page, 0.14),
        linecolor: look.ink,
        tickcolor: look.ink,
        showline: true,
        mirror: true,
        uirevision: data.view + name,
        ...layout[name],
        ...fewer(name, layout[name], look.width),
      };
    if (layout.legend) out.legend = { bgcolor: "rgba(0,0,0,0)", ...layout.legend };
    const across = look.width - layout.margin.l - layout.margin.r;
    if (layout.annotations) out.annotations = numbered(layout.annotations, across);
    return out;
  }

  // The lower layer takes the upper one's view; while a drag goes on, at most one move is under
  // way.
  follow() {
    if (!this.lower._fullLayout || this.following) return;
    const { xaxis, yaxis } = this.upper._fullLayout, now = this.lower._fullLayout;
    const same = (a, b) => a[0] === b[0] && a[1] === b[1];
    if (same(xaxis.range, now.xaxis.range) && same(yaxis.range, now.yaxis.range)) return;
    this.following = true;
    requestAnimationFrame(async () => {
      await this.plotly.relayout(this.lower, {
        "xaxis.range": [...xaxis.range],
        "yaxis.range": [...yaxis.range],
      });
      this.following = false;
      this.follow();
    });
  }

  // Both layers as one picture, on the page's own background.
  async save(format) {
    await this.settle();
    const under = this.lower._fullLayout ? this.lower.data : [];
    const layout = {
      ...this.upper.layout,
      paper_bgcolor: css(this.root, "--st-background-color", "#fff"),
    };
    const data = [...under, ...this.upper.data.map(trace => shownNow(trace, this.upper.data))];
    await this.plotly.downloadImage(
      { data, layout },
      { format, filename: "optviz", scale: 2, width: layout.width, height: layout.height },
    );
  }

  destroy() {
    this.gone = true;
    this.next = null;
    clearTimeout(this.settling);
    clearTimeout(this.zooming);
    clearTimeout(this.hovering); // or it would put the start of the page that comes next
    this.size.disconnect();
    this.deaf();
    for (const layer of [this.lower, this.upper]) if (layer._fullLayout) this.plotly.purge(layer);
  }
}

// Numbers below a narrow picture of several run together: two or three of them, then.
function fewer(name, { domain = [0, 1], tickvals, nticks = 9, exponentformat }, width) {
  const long = exponentformat ? 42 : 24; // 2×10⁻⁴ is long
  const room = Math.floor(((domain[1] - domain[0]) * width) / long);
  if (name[0] !== "x" || tickvals || room >= 4) return {};
  return { nticks: Math.min(nticks, Math.max(room, 2)), ...(room < 2 && { ticklabelstep: 2 }) };
}

// Plotly writes zoom and visibility into what it is given; ours must stay what the server sent.
// While the paths are sealed, nothing under the pointer may tell where they go.
const copies = data =>
  data.data.map(trace => ({
    ...trace,
    ...(clock.sealed && { hoverinfo: "skip", hovertemplate: null }),
    ...(seen.hidden.has(trace.legendgroup) && { visible: "legendonly" }),
  }));
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
// Titles of panels in a row that is too narrow for them: of "layer 12" the number is left.
const numbered = (notes, across) =>
  notes.map(note => {
    const row = notes.filter(n => n.xanchor === "center" && n.y === note.y);
    const narrow = note.text.length * LETTER > across / row.length;
    return narrow ? { ...note, text: note.text.replace(/^\D+ (?=\d+$)/, "") } : note;
  });
const ofStep = (values, window) => values.slice(clock.step * window, (clock.step + 1) * window);

const onCurve = (heights, [from, to], x) =>
  heights[Math.round(((x - from) / (to - from)) * (heights.length - 1))];

// A trace as far as the clock shows it, for a picture to keep.
function shownNow(trace, all) {
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

// What JSON says of a trace or a layout beside positions, worked out once for each.
const REST_OF = new WeakMap();
const PLACED = new Set(["x", "y", "customdata"]);
function unplaced(part) {
  if (!REST_OF.has(part))
    REST_OF.set(part, JSON.stringify(part, (key, v) => (PLACED.has(key) ? undefined : v)));
  return REST_OF.get(part);
}

const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const read = new Map(); // channels by color
const channels = color => {
  if (!read.has(color)) {
    pen.fillStyle = color;
    pen.clearRect(0, 0, 1, 1);
    pen.fillRect(0, 0, 1, 1);
    read.set(color, pen.getImageData(0, 0, 1, 1).data);
  }
  return read.get(color);
};
export const isDark = color => channels(color)[1] < 128;
export const mix = (a, b, share) => {
  const [p, q] = [channels(a), channels(b)];
  return `rgb(${[0, 1, 2].map(i => Math.round(share * p[i] + (1 - share) * q[i])).join(",")})`;
};

// A host for the component's plot, made once and told of new data.
export const mounted = (Kind, { data, parentElement, setTriggerValue }) => {
  const root = parentElement.querySelector(".ov-plot");
  const host = (root.host ??= new Kind(root));
  plots.set(data.name, host);
  if ("sealed" in data) clock.seal(data.sealed);
  host.need = id => setTriggerValue("need", id);
  host.tell = setTriggerValue;
  const take = message => {
    const whole = complete(host.received, message);
    if (!whole) return setTriggerValue("need", message.version);
    root.style.setProperty("--ov-height", whole.height ?? "");
    host.schedule((host.received = whole));
  };
  // what has grown meanwhile comes by another way, and does not go back to what stands here
  host.grow = news => take((host.grown = news.since ? news : { ...host.received, ...news, since: null }));
  if (!host.grown || host.told !== data.version) take(data);
  if (host.told !== data.version) host.grown = null;
  host.told = data.version;
  return () => {
    host.destroy();
    // its successor may be there already
    if (plots.get(data.name) === host) plots.delete(data.name);
    root.host = null;
  };
};

export default component => mounted(Host, component);
