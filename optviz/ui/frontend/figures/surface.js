// The scene as a surface with the paths on it. The camera stays where a hand has put it; the paths
// are cut at the page's clock, one redrawing at a time.

import { clock, numbers, visibility } from "../page/clock.js";
import { Host, mount } from "./host.js";
import { css, mix } from "./style.js";

const CONFIG = { displaylogo: false, showSendToCloud: false, showTips: false, scrollZoom: true,
  modeBarButtonsToRemove: ["resetCameraLastSave3d", "hoverClosest3d"] };

class Surface extends Host {
  constructor(root) {
    super(root);
    this.element = root.querySelector(".ov-layer");
    this.unlisten = clock.listen(() => this.step());
  }

  async loop() {
    while (this.next || this.late) {
      await super.loop();
      if (this.late) await this.attempt(() => this.cut());
    }
  }

  async draw(data) {
    const box = this.root.getBoundingClientRect();
    if (!box.width) return;
    const ink = css(this.root, "--st-text-color", "#222"),
      page = css(this.root, "--st-background-color", "#fff"),
      base = this.base(data, page);
    const axis = {
      gridcolor: mix(ink, page, 0.2),
      linecolor: ink,
      zerolinecolor: mix(ink, page, 0.2),
      backgroundcolor: "rgba(0,0,0,0)",
      showspikes: false,
    };
    const copy = structuredClone(data.layout); // Plotly writes the camera into what it is given
    const { eye } = copy.scene.camera,
      far = Math.max(1, (1.35 * box.height) / box.width); // all of it in a narrow window, too
    for (const c in eye) eye[c] *= far;
    if (this.view === data.view) copy.scene.camera = this.camera() ?? copy.scene.camera;
    this.view = data.view;
    const scene = {
      ...copy.scene,
      ...Object.fromEntries(
        ["xaxis", "yaxis", "zaxis"].map(a => [a, { ...axis, ...copy.scene[a] }]),
      ),
    };
    const layout = {
      ...copy,
      scene,
      width: Math.round(box.width),
      height: Math.round(box.height),
      modebar: { bgcolor: "rgba(0,0,0,0)", color: ink, activecolor: ink, orientation: "v" },
      paper_bgcolor: "rgba(0,0,0,0)",
      font: { family: css(this.root, "--st-font", "sans-serif"), size: 12, color: ink },
    };
    this.late = false;
    this.trails = data.data.map(t => ({
      ...t,
      visible: visibility.hidden.has(t.legendgroup) ? "legendonly" : true,
      x: [...numbers(t.x)],
      y: [...numbers(t.y)],
      z: [...numbers(t.z)],
    }));
    const below = base ? base.data.map(t => ({ ...t })) : [];
    this.offset = below.length;
    await this.plotly.react(
      this.element,
      [...below, ...this.trails.map(t => ({ ...t, ...this.upTo(t) }))],
      layout,
      CONFIG,
    );
    this.root.setAttribute("aria-label", data.label);
    this.drawn = data;
    this.shown = clock.step;
    this.root.dataset.version = data.version;
    this.root.dataset.step = clock.step;
  }

  // Where a hand has moved it, which Plotly itself records late or not at all.
  camera() {
    return this.element._fullLayout?.scene?._scene?.getCamera();
  }

  upTo(t) {
    if (!t.meta) return {};
    const to = a => a.slice(0, clock.step * (t.meta.per ?? 1) + 1);
    if (t.mode === "lines") return { x: to(t.x), y: to(t.y), z: to(t.z) };
    let k = Math.min(clock.step, t.x.length - 1); // a head: the last point that there is
    while (k > 0 && !Number.isFinite(t.z[k])) k -= 1;
    return { x: [t.x[k]], y: [t.y[k]], z: [t.z[k]] };
  }

  step() {
    if (!this.trails || this.shown === clock.step) return;
    this.late = true;
    this.begin();
  }

  async cut() {
    this.late = false;
    this.shown = clock.step;
    const trails = this.trails.map((t, i) => [t, i + this.offset]).filter(([t]) => t.meta);
    this.element.layout.scene.camera = this.camera();
    const parts = trails.map(([t]) => this.upTo(t));
    await this.plotly.restyle(
      this.element,
      { x: parts.map(p => p.x), y: parts.map(p => p.y), z: parts.map(p => p.z) },
      trails.map(([, i]) => i),
    );
    this.root.dataset.step = this.shown;
    await new Promise(requestAnimationFrame); // the hand and the other pictures come first
  }

  destroy() {
    super.destroy();
    this.late = false;
    this.unlisten();
    if (this.element._fullLayout) this.plotly.purge(this.element);
  }
}

export default component => mount(Surface, component);
