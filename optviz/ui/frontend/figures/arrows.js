// The arrows of one step over the contour: which way is down, what the optimizer carries, where it
// goes.

import { clock, numbers } from "../page/clock.js";

const NS = "http://www.w3.org/2000/svg";
// of the picture's shorter side, for arrows that have another unit than the picture
const LONGEST = 0.22;

// `data.arrows` holds the path that they start from and, for each, its components at every step.
// Those with a `group` share one scale of their own, on which the longest of the whole run has
// length LONGEST.
export function arrows(root, axes, data) {
  const shown = axes && data?.arrows && clock.step < data.arrows.steps;
  let svg = root.querySelector("svg.ov-arrows");
  if (!shown) return svg?.remove();
  if (!svg) {
    svg = document.createElementNS(NS, "svg");
    svg.setAttribute("class", "ov-arrows");
    svg.setAttribute("aria-hidden", "true");
    root.append(svg);
  }
  const { xaxis, yaxis } = axes, t = clock.step, { x, y, vectors } = unpacked(data.arrows);
  const from = [xaxis._offset + xaxis.c2p(x[t]), yaxis._offset + yaxis.c2p(y[t])];
  const size = { w: xaxis._length, h: yaxis._length };
  const per = [xaxis._m, yaxis._m]; // pixels per unit, the second negative
  const clip = `<clipPath id="ov-frame"><rect x="${xaxis._offset}" y="${yaxis._offset}"
    width="${size.w}" height="${size.h}"/></clipPath>`;
  const labels = [];
  svg.innerHTML = `<defs>${clip}</defs><g clip-path="url(#ov-frame)">${vectors
    .map(v => {
      const d = [v.dx[t] * per[0], v.dy[t] * per[1]];
      const scale = v.group
        ? (LONGEST * Math.min(size.w, size.h)) / longest(vectors, v.group, per)
        : 1;
      return arrow(from, [from[0] + d[0] * scale, from[1] + d[1] * scale], v, labels);
    })
    .join("")}</g>`;
}

const unpacked = a => (a.ready ??= { x: numbers(a.x), y: numbers(a.y),
  vectors: a.vectors.map(v => ({ ...v, dx: numbers(v.dx), dy: numbers(v.dy) })) });

function longest(vectors, group, per) {
  let maximum = 1e-300;
  for (const v of vectors)
    if (v.group === group)
      v.dx.forEach((dx, k) => {
        const size = Math.hypot(dx * per[0], v.dy[k] * per[1]);
        if (size > maximum && Number.isFinite(size)) maximum = size;
      });
  return maximum;
}

function arrow([x0, y0], [x1, y1], { label, dash, color }, labels) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (!(length > 2 && length < 1e5)) return "";
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length],
    head = Math.min(10, length);
  const wing = side =>
    `${x1 - head * (ux + side * 0.45 * uy)},${y1 - head * (uy - side * 0.45 * ux)}`;
  // a label stands beyond its tip, and beside another that is already there
  const place = [x1 + 14 * ux, y1 + 14 * uy + 4];
  while (labels.some(([x, y]) => Math.abs(x - place[0]) < 60 && Math.abs(y - place[1]) < 14))
    place[1] += uy < 0 ? -15 : 15;
  labels.push(place);
  const halo = 'class="ov-halo"';
  const line = `<path d="M${x0},${y0}L${x1},${y1}M${wing(1)}L${x1},${y1}L${wing(-1)}"`;
  return `${line} ${halo}/>${line} stroke="${color}" ${dash ? `stroke-dasharray="${dash}"` : ""}
      class="ov-arrow"/>
    <text x="${place[0]}" y="${place[1]}" fill="${color}"
      text-anchor="${ux < -0.3 ? "end" : ux > 0.3 ? "start" : "middle"}">${label}</text>`;
}
