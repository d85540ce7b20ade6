// Plotly.js itself, and the style of a picture on this page: its size, the theme's colors and letters.

import { visibility } from "../page/clock.js";

// there the mode bar always shows, so it has few buttons
export const TOUCH = matchMedia("(pointer: coarse)").matches;
const TITLE = 28; // px, of panels
const ROW = 29; // px, a legend of one row
const LETTER = 7; // px
const MODEBAR = 24; // px below the picture, where the bar always shows

// With the page's font, whose widths it measures as it draws; without it where it does not load.
let loading;
export function plotly(url, root) {
  if (window.Plotly && !url) return Promise.resolve(window.Plotly); // the page brought it along
  const font = () => document.fonts.load(`13px ${css(root, "--st-font")}`).catch(() => {});
  loading ??= Promise.all([load(url), font()]);
  return loading.then(([plotly]) => plotly);
}

function load(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(url, document.baseURI).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("Plotly.js could not be loaded"));
    document.head.append(script);
  });
}

// The font grows with the reader's setting, and with the stage.
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
export function scaled(layout, factor) {
  if (factor === 1) return layout;
  const walk = (node, key) => {
    for (const [name, value] of Object.entries(node ?? {}))
      if (value && typeof value === "object") walk(value, name);
      else if (
        (name === "size" && /font$/.test(key)) ||
        (key === "margin" && "lrtb".includes(name))
      )
        node[name] = value * factor;
  };
  walk(layout, "");
  return layout;
}

export const css = (root, name, fallback) =>
  getComputedStyle(root).getPropertyValue(name).trim() || fallback;

const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = new Map(); // channels by color
const channels = color => {
  if (!known.has(color)) {
    pen.fillStyle = color;
    pen.clearRect(0, 0, 1, 1);
    pen.fillRect(0, 0, 1, 1);
    known.set(color, pen.getImageData(0, 0, 1, 1).data);
  }
  return known.get(color);
};
export const isDark = color => channels(color)[1] < 128;
export const mix = (a, b, share) => {
  const [p, q] = [channels(a), channels(b)];
  return `rgb(${[0, 1, 2].map(i => Math.round(share * p[i] + (1 - share) * q[i])).join(",")})`;
};

// What a picture depends on beside its data: its size, what is hidden, the theme.
export function styleOf(root, box) {
  return {
    width: Math.round(box.width),
    height: Math.round(box.height),
    hidden: [...visibility.hidden],
    scale: rem() / 16,
    ink: css(root, "--st-text-color", "#222"),
    page: css(root, "--st-background-color", "#fff"),
    font: css(root, "--st-font", "sans-serif"),
  };
}

// The top margin of a picture with a legend of this height above it; others keep theirs.
export function topMargin({ legend, margin }, height) {
  if (!legend || legend.y < 1) return margin.t;
  return Math.ceil(height) + (legend.yref === "container" ? TITLE : 8);
}

// The layout that the server sent, in that style; a legend above it has one row until more is known.
export function styledLayout(data, style, legendHeight = ROW * style.scale) {
  const layout = scaled(structuredClone(data.layout), style.scale);
  const out = {
    ...layout,
    clickanywhere: !!data.clicks,
    ...(TOUCH && { dragmode: false }),
    width: style.width,
    height: style.height,
    uirevision: "keep",
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style.font, size: 13 * style.scale, color: style.ink },
    margin: {
      ...layout.margin,
      t: topMargin(layout, legendHeight),
      b: layout.margin.b + (TOUCH ? MODEBAR : 0),
      autoexpand: false,
    },
    modebar: {
      bgcolor: "rgba(0,0,0,0)",
      color: style.ink,
      activecolor: style.ink,
      orientation: "h",
    },
    hoverlabel: { bgcolor: style.page, font: { color: style.ink } },
  };
  for (const name of Object.keys(layout).filter(n => /^[xy]axis/.test(n)))
    out[name] = {
      gridcolor: mix(style.ink, style.page, 0.14),
      linecolor: style.ink,
      tickcolor: style.ink,
      showline: true,
      mirror: true,
      uirevision: data.view + name,
      ...layout[name],
      ...tickLimits(name, layout[name], style.width),
    };
  if (layout.legend) out.legend = { bgcolor: "rgba(0,0,0,0)", ...layout.legend };
  const width = style.width - layout.margin.l - layout.margin.r;
  if (layout.annotations) out.annotations = shortenTitles(layout.annotations, width);
  return out;
}

// Numbers below narrow panels would run together: there are two or three of them, then.
function tickLimits(name, { domain = [0, 1], tickvals, nticks = 9, exponentformat }, width) {
  const long = exponentformat ? 42 : 24; // 2×10⁻⁴ is long
  const room = Math.floor(((domain[1] - domain[0]) * width) / long);
  if (name[0] !== "x" || tickvals || room >= 4) return {};
  return { nticks: Math.min(nticks, Math.max(room, 2)), ...(room < 2 && { ticklabelstep: 2 }) };
}

// Titles of panels in a row that is too narrow for them: "layer 12" becomes "12".
const shortenTitles = (notes, width) =>
  notes.map(note => {
    const row = notes.filter(n => n.xanchor === "center" && n.y === note.y);
    const narrow = note.text.length * LETTER > width / row.length;
    return narrow ? { ...note, text: note.text.replace(/^\D+ (?=\d+$)/, "") } : note;
  });
