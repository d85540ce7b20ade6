// A host for Plotly figures that survive their updates: zoom, pan and hidden traces stay.
// Two layers share one frame. The lower (a contour, underlay.js) is drawn again only when it is
// another one; the upper (paths) goes through Plotly.react. Its paper and plot are transparent.
// Trails are cut at the step of the page's clock by shortening the drawn SVG paths, which costs a
// millisecond or two a frame: the contour below is not touched, and Plotly is not asked.

import { arrows } from "./arrows.js";
import { applyBrush, showHandles } from "./brush.js";
import { clock, handlers, visibility } from "../page/clock.js";
import { Grip, inside } from "./grip.js";
import { Host, mount } from "./host.js";
import { TOUCH, css, styledLayout, styleOf, topMargin } from "./style.js";
import { measurePlaces, redraw, cutAtClock } from "../page/paths.js";
import { Underlay } from "./underlay.js";

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
const REST = 400; // ms after the last turn of a wheel
const SETTLE = 150; // ms of a pointer's rest after which moved things are drawn anew

class Plot extends Host {
  constructor(root) {
    super(root);
    const [below, above] = root.querySelectorAll(".ov-layer");
    this.upper = above;
    this.lower = new Underlay(below, above);
    this.unlisten = clock.listen(() => this.reveal());
    root.addEventListener("pointerenter", () => this.settle());
    root.addEventListener("pointermove", () => {
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.settle(), SETTLE);
    });
  }

  schedule(data) {
    super.schedule(applyBrush(data));
  }

  async draw(data) {
    const box = this.root.getBoundingClientRect();
    if (!box.width) return;
    const style = styleOf(this.root, box), frame = this.frame(data, style);
    const base = this.base(data, style.page);
    this.root.setAttribute("aria-label", data.label);
    const sameFrame = frame === this.framed;
    if (sameFrame && this.drawn === data) return; // its size was reported, and is the same
    if (sameFrame && this.same(data)) {
      // the full run that follows a drag sends what the panel has sent already
      this.drawn = { ...data, data: this.drawn.data };
      this.root.dataset.version = data.version;
      this.reveal();
      return;
    }
    if (sameFrame && this.measure(data.data)) {
      this.drawn = data;
      this.reveal(true);
      this.moved = true;
    } else {
      let layout = styledLayout(data, style, this.legendHeight);
      if (this.drawn) await this.plotly.react(this.upper, copyTraces(data), layout);
      else await this.drawFirst(data, layout);
      // a legend above the picture gets the rows that it turns out to need
      const height = this.upper._fullLayout.legend?._height ?? 0;
      if (Math.abs(topMargin(layout, height) - layout.margin.t) > 2) {
        this.legendHeight = height;
        layout = styledLayout(data, style, height);
        await this.plotly.react(this.upper, copyTraces(data), layout);
      }
      this.drawn = data;
      this.moved = false;
      this.framed = frame;
      await this.lower.draw(this.plotly, data.base_id, base, style);
      this.places = null;
      this.reveal();
    }
    this.root.dataset.version = data.version;
    this.root.dataset.base = data.base_id ?? "";
  }

  // Everything about a picture but the positions of what is drawn in it.
  frame(data, style) {
    const { view, base_id, hidden, clicks } = data;
    const rest = JSON.stringify([view, base_id, hidden, clicks, style]);
    return [...data.data, data.layout].map(withoutPositions).join() + rest;
  }

  // Has Plotly redraw what was moved without it: when a pointer comes, or rests.
  settle() {
    if (!this.moved) return;
    this.framed = null;
    this.schedule(this.latest);
    return this.work;
  }

  same(data) {
    return JSON.stringify(data.data) === JSON.stringify(this.drawn.data);
  }

  // False where the drawn elements do not match the data.
  measure(traces) {
    this.places = measurePlaces(this.upper, traces, this.places);
    return !!this.places;
  }

  // Draws what belongs to the step of the clock; everything, where only moved (`all`) or not
  // everything was drawn.
  reveal(all = false) {
    if (!this.drawn || !this.upper._fullLayout) return;
    this.showGrip();
    const whole = clock.at >= clock.end;
    if (whole && !this.cut && !all) return this.overlay();
    if (!this.places && !this.measure(this.drawn.data)) return;
    redraw(this.places);
    this.cut = !whole;
    this.overlay();
  }

  // Shows the handle of the start, where there is one.
  showGrip() {
    if (this.drawn.grab) return (this.grip ??= new Grip(this)).show();
    this.grip?.element.remove();
    this.grip = null;
  }

  overlay() {
    this.root.dataset.step = clock.step;
    arrows(this.root, this.upper._fullLayout, this.drawn);
    showHandles(this);
  }

  async drawFirst(data, layout) {
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
    await this.plotly.newPlot(this.upper, copyTraces(data), layout, {
      ...CONFIG,
      modeBarButtonsToAdd: [button, vector, home],
    });
    this.upper.on("plotly_relayout", () => {
      this.lower.follow();
      this.settle();
      clearTimeout(this.zooming);
      if (this.drawn.zooms) this.zooming = setTimeout(() => this.reportZoom(), REST);
    });
    this.upper.on("plotly_relayouting", () => {
      this.lower.follow();
      if (this.grip) this.grip.element.hidden = true;
      arrows(this.root);
    });
    this.upper.on("plotly_afterplot", () => {
      this.places = null;
      this.reveal();
    });
    // one click hides a line in every picture, two leave it alone; what belongs to no group Plotly
    // hides here
    this.upper.on("plotly_legendclick", e => this.legend(e, visibility.toggle));
    this.upper.on("plotly_legenddoubleclick", e => this.legend(e, visibility.isolate));
    this.upper.on("plotly_hover", ({ points: [{ x, y }] }) => this.reportPointer(40, x, y));
    this.upper.on("plotly_unhover", () => this.reportPointer(80));
    this.upper.on(
      "plotly_click",
      e => this.drawn.clicks && e.xvals && this.handleClick(e.xvals[0], e.yvals[0]),
    );
  }

  legend({ data, curveNumber }, act) {
    const { legendgroup } = data[curveNumber];
    if (!legendgroup) return true;
    act(legendgroup);
    return false;
  }

  // Where the pointer is over a map, or nowhere: with a delay, and not soon after a click.
  reportPointer(delay, ...point) {
    clearTimeout(this.hovering);
    if (this.drawn.clicks !== "cell") return;
    const wait = Math.max(delay, (this.clickedAt ?? -Infinity) + 400 - performance.now());
    this.hovering = setTimeout(() => handlers.place?.(...point), wait);
  }

  // A click on the bare picture puts the start there, or answers the question that is asked.
  handleClick(x, y) {
    // sent together, Streamlit would run for the pointer, and not for the click
    clearTimeout(this.hovering);
    this.clickedAt = performance.now();
    if (this.drawn.clicks !== "start") return this.trigger("guess", { x, y, n: Date.now() });
    handlers.place?.(...inside(this.drawn.grab.frame, x, y));
  }

  // Has what is in view computed anew.
  reportZoom() {
    const { xaxis, yaxis } = this.upper._fullLayout;
    this.trigger("brush", { x: [...xaxis.range], y: [...yaxis.range] });
  }

  // Plotly's own button would reset to the first frame that it drew, which may be another
  // function's.
  home() {
    if (this.drawn.zooms) return this.trigger("brush", {});
    const ranges = Object.entries(this.drawn.layout).filter(
      ([name, axis]) => /^[xy]axis/.test(name) && axis.range,
    );
    return this.plotly.relayout(
      this.upper,
      Object.fromEntries(ranges.map(([name, axis]) => [`${name}.range`, [...axis.range]])),
    );
  }

  // Both layers as one picture, on the page's own background.
  async save(format) {
    await this.settle();
    const layout = {
      ...this.upper.layout,
      paper_bgcolor: css(this.root, "--st-background-color", "#fff"),
    };
    const above = this.upper.data;
    const data = [...this.lower.data, ...above.map(trace => cutAtClock(trace, above))];
    await this.plotly.downloadImage(
      { data, layout },
      { format, filename: "optviz", scale: 2, width: layout.width, height: layout.height },
    );
  }

  destroy() {
    super.destroy();
    this.moved = false;
    clearTimeout(this.settling);
    clearTimeout(this.zooming);
    clearTimeout(this.hovering); // or it would put the start of the page that comes next
    this.unlisten();
    this.lower.purge();
    if (this.upper._fullLayout) this.plotly.purge(this.upper);
  }
}

// Plotly writes zoom and visibility into what it is given; ours must stay what the server sent.
// While the paths are hidden, nothing under the pointer may tell where they go.
const copyTraces = data =>
  data.data.map(trace => ({
    ...trace,
    ...(clock.hidden && { hoverinfo: "skip", hovertemplate: null }),
    ...(visibility.hidden.has(trace.legendgroup) && { visible: "legendonly" }),
  }));

// The JSON of a trace or a layout without positions, computed once for each.
const REST_OF = new WeakMap();
const PLACED = new Set(["x", "y", "customdata"]);
function withoutPositions(part) {
  if (!REST_OF.has(part))
    REST_OF.set(part, JSON.stringify(part, (key, v) => (PLACED.has(key) ? undefined : v)));
  return REST_OF.get(part);
}

export default component => mount(Plot, component);
