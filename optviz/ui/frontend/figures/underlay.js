// The lower layer of a picture, a contour under the paths: redrawn only when it changes, and kept
// in the view of the layer above it.

import { scaled } from "./style.js";

const HIDDEN = { visible: false, fixedrange: true };

export class Underlay {
  constructor(element, above) {
    this.element = element;
    this.above = above;
  }

  // What Plotly has drawn there.
  get data() {
    return this.element._fullLayout ? this.element.data : [];
  }

  async draw(plotly, id, base, style) {
    this.plotly = plotly;
    if (!id) return this.purge(); // a picture without a lower layer has come after one with it
    const { margin } = this.above.layout, drawn = base && JSON.stringify([id, style, margin]);
    if (!drawn || drawn === this.drawn) return this.follow();
    this.drawn = drawn;
    const { xaxis, yaxis } = this.above._fullLayout;
    const layout = {
      ...base.layout,
      margin,
      width: style.width,
      height: style.height,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style.font, color: style.ink },
      showlegend: false,
      xaxis: { ...HIDDEN, range: [...xaxis.range] },
      yaxis: { ...HIDDEN, range: [...yaxis.range] },
    };
    const traces = base.data.map(trace => ({
      ...trace,
      ...(trace.colorbar && { colorbar: scaled(structuredClone(trace.colorbar), style.scale) }),
    }));
    await plotly.react(this.element, traces, layout, { staticPlot: true });
  }

  // Takes the view of the layer above; while a drag goes on, at most one move is under way.
  follow() {
    if (!this.element._fullLayout || this.following) return;
    const { xaxis, yaxis } = this.above._fullLayout, lower = this.element._fullLayout;
    const same = (a, b) => a[0] === b[0] && a[1] === b[1];
    if (same(xaxis.range, lower.xaxis.range) && same(yaxis.range, lower.yaxis.range)) return;
    this.following = true;
    requestAnimationFrame(async () => {
      await this.plotly.relayout(this.element, {
        "xaxis.range": [...xaxis.range],
        "yaxis.range": [...yaxis.range],
      });
      this.following = false;
      this.follow();
    });
  }

  purge() {
    this.drawn = null;
    if (this.element._fullLayout) this.plotly.purge(this.element);
  }
}
