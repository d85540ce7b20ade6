// A host for Plotly figures that survive their updates: zoom, pan and hidden traces stay.
// Two layers share one frame. The lower (a contour) is drawn again only when it is another one; the
// upper (paths) goes through Plotly.react. Paper and plot of the upper layer are transparent.

const TOUCH = matchMedia("(pointer: coarse)").matches; // there the bar of buttons would always cover the picture
const CONFIG = { displaylogo: false, showSendToCloud: false, showTips: false, responsive: false, scrollZoom: true,
  displayModeBar: TOUCH ? false : "hover",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage", "zoomIn2d", "zoomOut2d"] };
const SETTLE = 150; // ms of rest after which moved things are drawn anew
const bases = new Map(); // lower layers by id, kept as long as the tab: the server sends each once

let loading;
export function plotly(url) {
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => done(window.Plotly);
    script.onerror = () => failed(new Error("Plotly.js could not be loaded"));
    document.head.append(script);
  });
  return loading;
}

const css = (root, name, otherwise) => getComputedStyle(root).getPropertyValue(name).trim() || otherwise;

class Host {
  constructor(root) {
    this.root = root;
    [this.lower, this.upper] = root.querySelectorAll(".ov-layer");
    this.size = new ResizeObserver(() => this.drawn && this.schedule(this.drawn));
    this.size.observe(root);
  }

  // New traces for some of those that are shown, from a knob that is being dragged.
  patch(traces) {
    const now = this.next ?? this.drawn;
    if (!now) return;
    const fresh = new Map(traces.map(t => [t.uid, t]));
    this.schedule({ ...now, data: now.data.map(t => fresh.get(t.uid) ?? t), version: `${now.version}+` });
  }

  schedule(data) {
    this.next = data;
    this.work ??= this.loop().finally(() => { this.work = null; });
  }

  async loop() {
    while (this.next) {
      const data = this.next;
      this.next = null;
      try {
        this.plotly = await plotly(new URL(data.plotly, document.baseURI).href);
        await this.draw(data);
      } catch (error) {
        console.error(error);
        this.root.querySelector(".ov-sorry").textContent = `The picture could not be drawn: ${error.message}`;
      }
    }
  }

  async draw(data) {
    const box = this.root.getBoundingClientRect();
    if (!box.width) return;
    if (data.base) bases.set(data.base_id, data.base);
    const base = bases.get(data.base_id);
    const look = this.look(box), frame = this.frame(data, look);
    const theme = channels(look.page)[1] < 128 ? "dark" : "light";
    if (data.base_id && !base) this.ask(data.base_id);
    else if (data.theme !== theme) this.ask(theme); // the visitor has changed it since the last run
    this.root.setAttribute("aria-label", data.label);
    if (this.drawn && this.drawn !== data && frame === this.framed && this.same(data)) {
      this.drawn = data; // the whole run that follows a drag says what the panel has handed over already
      this.root.dataset.version = data.version;
      return;
    }
    clearTimeout(this.settling);
    this.settling = 0;
    if (this.drawn && this.drawn !== data && frame === this.framed && this.moved(data.data)) {
      this.drawn = data;
      this.settling = setTimeout(() => this.schedule(this.drawn), SETTLE);
    } else {
      let layout = this.dressed(data, look);
      if (this.drawn) await this.plotly.react(this.upper, copies(data), layout);
      else await this.first(data, layout);
      // a legend above the picture gets the rows that it turns out to need
      const room = layout.legend ? Math.ceil(this.upper._fullLayout.legend._height) + 8 : layout.margin.t;
      if (Math.abs(room - layout.margin.t) > 2) {
        this.room = room;
        await this.plotly.react(this.upper, copies(data), (layout = this.dressed(data, look)));
      }
      this.drawn = data;
      this.framed = frame;
      await this.under(data, base, look);
    }
    this.root.dataset.version = data.version;
    this.root.dataset.base = data.base_id ?? "";
  }

  // Everything about a picture but the positions of what is drawn in it.
  frame(data, look) {
    const rest = (key, value) => (key === "x" || key === "y" || key === "customdata" ? undefined : value);
    return JSON.stringify([data.data, data.layout, data.view, data.base_id, look], rest);
  }

  // Asks the server for another run, once for each thing that is missing.
  ask(what) {
    if (this.asked !== what) this.need((this.asked = what));
  }

  same(data) {
    return JSON.stringify(data.data) === JSON.stringify(this.drawn.data);
  }

  // Moves the lines and marks that are on the page to their new places, without Plotly: what a drag
  // needs many times a second. Plotly itself takes over the data when the hand rests (SETTLE).
  // False where the drawn elements do not match the data one to one.
  moved(traces) {
    const { _fullData: full, _fullLayout: axes } = this.upper;
    const steps = [];
    for (const [i, trace] of traces.entries()) {
      if (full[i]?.uid !== trace.uid) return false;
      if (full[i].visible !== true) continue;
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
        const d = at.map((p, k) => p && `${k && at[k - 1] ? "L" : "M"}${p[0]},${p[1]}`).filter(Boolean).join("");
        steps.push(() => line[0].setAttribute("d", d));
      } else {
        const marks = group?.querySelectorAll("path.point") ?? [], placed = at.filter(Boolean);
        if (marks.length !== placed.length) return false;
        steps.push(() => placed.forEach((p, k) => marks[k].setAttribute("transform", `translate(${p[0]},${p[1]})`)));
      }
    }
    for (const step of steps) step();
    return true;
  }

  async under(data, base, look) {
    const lower = base && JSON.stringify([data.base_id, look, this.upper.layout.margin]);
    if (!lower || lower === this.lowerDrawn) return this.follow();
    this.lowerDrawn = lower;
    const { xaxis, yaxis } = this.upper._fullLayout;
    const hidden = { visible: false, fixedrange: true };
    const layout = { ...base.layout, margin: this.upper.layout.margin, width: look.width, height: look.height, paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)", font: { family: look.font, color: look.ink }, showlegend: false,
      xaxis: { ...hidden, range: [...xaxis.range] }, yaxis: { ...hidden, range: [...yaxis.range] } };
    await this.plotly.react(this.lower, base.data, layout, { staticPlot: true });
  }

  async first(data, layout) {
    const button = { name: "picture", title: "Download as PNG", icon: this.plotly.Icons.camera, click: () => this.save("png") };
    const vector = { name: "vector", title: "Download as SVG", icon: this.plotly.Icons.disk, click: () => this.save("svg") };
    await this.plotly.newPlot(this.upper, copies(data), layout, { ...CONFIG, modeBarButtonsToAdd: [button, vector] });
    this.upper.on("plotly_relayout", () => {
      this.follow();
      if (this.settling) this.schedule(this.drawn);
    });
    this.upper.on("plotly_relayouting", () => this.follow());
  }

  look(box) {
    return { width: Math.round(box.width), height: Math.round(box.height), ink: css(this.root, "--st-text-color", "#222"),
      page: css(this.root, "--st-background-color", "#fff"), font: css(this.root, "--st-font", "sans-serif") };
  }

  dressed(data, look) {
    const layout = structuredClone(data.layout);
    const out = { ...layout, width: look.width, height: look.height, uirevision: "keep", paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)", font: { family: look.font, size: 13, color: look.ink },
      margin: { ...layout.margin, t: (layout.legend && this.room) || layout.margin.t, autoexpand: false },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: look.ink, activecolor: look.ink, orientation: "h" },
      hoverlabel: { bgcolor: look.page, font: { color: look.ink } } };
    for (const name of Object.keys(layout).filter(n => /^[xy]axis/.test(n)))
      out[name] = { gridcolor: mix(look.ink, look.page, 0.14), linecolor: look.ink, tickcolor: look.ink, showline: true,
        mirror: true, uirevision: data.view + name, ...layout[name] };
    if (layout.legend) out.legend = { bgcolor: "rgba(0,0,0,0)", ...layout.legend };
    return out;
  }

  // The lower layer takes the upper one's view; while a drag goes on, at most one move is under way.
  follow() {
    if (!this.lower._fullLayout || this.following) return;
    const { xaxis, yaxis } = this.upper._fullLayout, now = this.lower._fullLayout;
    const same = (a, b) => a[0] === b[0] && a[1] === b[1];
    if (same(xaxis.range, now.xaxis.range) && same(yaxis.range, now.yaxis.range)) return;
    this.following = true;
    requestAnimationFrame(async () => {
      await this.plotly.relayout(this.lower, { "xaxis.range": [...xaxis.range], "yaxis.range": [...yaxis.range] });
      this.following = false;
      this.follow();
    });
  }

  // Both layers as one picture, on the page's own background.
  async save(format) {
    const under = this.lower._fullLayout ? this.lower.data : [];
    const layout = { ...this.upper.layout, paper_bgcolor: css(this.root, "--st-background-color", "#fff") };
    const data = [...under, ...this.upper.data];
    await this.plotly.downloadImage({ data, layout }, { format, filename: "optviz", scale: 2, width: layout.width, height: layout.height });
  }

  destroy() {
    clearTimeout(this.settling);
    this.size.disconnect();
    for (const layer of [this.lower, this.upper]) if (layer._fullLayout) this.plotly.purge(layer);
  }
}

// Plotly writes zoom and visibility into what it is given; ours must stay what the server sent.
const copies = data => data.data.map(trace => ({ ...trace }));
const axisName = (letter, ref) => `${letter}axis${(ref ?? letter).slice(1)}`;
const near = pixel => Math.round(Math.min(Math.max(pixel, -1e5), 1e5) * 100) / 100;
const numbers = a => (a.bdata ? new Float64Array(Uint8Array.from(atob(a.bdata), c => c.charCodeAt(0)).buffer) : a);

const channels = color => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return pen.getImageData(0, 0, 1, 1).data;
};
const mix = (a, b, share) => {
  const [p, q] = [channels(a), channels(b)];
  return `rgb(${[0, 1, 2].map(i => Math.round(share * p[i] + (1 - share) * q[i])).join(",")})`;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ov-plot");
  const host = (root.host ??= new Host(root));
  (globalThis.optvizPlots ??= new Map()).set(data.name, host);
  host.need = id => setTriggerValue("need", id);
  host.schedule(data);
  return () => {
    host.destroy();
    root.host = null;
  };
}
