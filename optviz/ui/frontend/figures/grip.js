// The start, or a guess, as something to take hold of, over the picture; by mouse, finger or arrow
// keys.

import { handlers, make, numbers } from "../page/clock.js";

const PATIENCE = 2000; // ms after a hand has put it somewhere
const SETTLE = 150; // ms of rest after which a guess is one
const NUDGE = 0.01; // of the picture's width and height, for the arrow keys

export class Grip {
  constructor(host) {
    this.host = host;
    const grip = (this.element = make("button", { type: "button", class: "ov-grip" }));
    const to = (x, y) => {
      this.place(inside(host.drawn.grab.frame, x, y));
      this.put = performance.now();
      clearTimeout(this.guessing);
      if (host.drawn.clicks === "guess")
        this.guessing = setTimeout(() => host.clicked(...this.start), SETTLE);
      else handlers.place?.(...this.start);
    };
    const under = e => {
      const { xaxis, yaxis } = host.upper._fullLayout,
        box = host.upper.getBoundingClientRect();
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
      const { xaxis, yaxis } = host.upper._fullLayout;
      const moved = (a, v, by) => a.l2c(a.c2l(v) + by * Math.abs(a.range[1] - a.range[0]) * NUDGE);
      to(moved(xaxis, this.start[0], dx), moved(yaxis, this.start[1], dy));
    });
    host.root.append(grip);
  }

  // Where the server says that it is, unless a hand is ahead of that.
  show() {
    const { grab } = this.host.drawn, { xaxis, yaxis } = this.host.upper._fullLayout;
    this.element.title = grab.label;
    this.element.setAttribute("aria-label", grab.label);
    // the server's word on where it is comes later than a hand's next one
    if (!this.held && !(performance.now() - this.put < PATIENCE && grab.epoch === this.epoch))
      this.place(grab.start);
    this.epoch = grab.epoch;
    // of a logarithm, maybe
    const within = (a, v) => a.c2l(v) >= Math.min(...a.range) && a.c2l(v) <= Math.max(...a.range);
    this.element.hidden = !within(xaxis, this.start[0]) || !within(yaxis, this.start[1]);
  }

  place([x, y]) {
    const { xaxis, yaxis } = this.host.upper._fullLayout, { heights, frame } = this.host.drawn.grab;
    if (heights) y = onCurve(numbers(heights), frame.x, x);
    this.start = [x, y];
    const left = xaxis._offset + xaxis.c2p(x), top = yaxis._offset + yaxis.c2p(y);
    this.element.style.transform = `translate(${left}px, ${top}px)`;
  }
}

// Beyond the frame is its edge.
export function inside(frame, x, y) {
  const {
    x: [x0, x1],
    y: [y0, y1],
  } = frame;
  return [Math.min(Math.max(x, x0), x1), Math.min(Math.max(y, y0), y1)].map(c =>
    Number(c.toPrecision(4)),
  );
}

const onCurve = (heights, [from, to], x) =>
  heights[Math.round(((x - from) / (to - from)) * (heights.length - 1))];
