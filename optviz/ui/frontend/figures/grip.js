// The start, or a guess, as a handle over the picture, to drag by mouse, finger or arrow keys.

import { handlers, make, numbers } from "../page/clock.js";

const PATIENCE = 2000; // ms after a hand has moved it, in which the server does not
const SETTLE = 150; // ms of rest after which a guess is sent
const NUDGE = 0.01; // of the picture's width and height, for the arrow keys

export class Grip {
  constructor(host) {
    this.host = host;
    const grip = (this.element = make("button", { type: "button", class: "ov-grip" }));
    const moveTo = (x, y) => {
      this.place(inside(host.drawn.grab.frame, x, y));
      this.movedAt = performance.now();
      clearTimeout(this.guessing);
      if (host.drawn.clicks === "guess")
        this.guessing = setTimeout(() => host.handleClick(...this.start), SETTLE);
      else handlers.place?.(...this.start);
    };
    const positionOf = e => {
      const { xaxis, yaxis } = host.upper._fullLayout,
        box = host.upper.getBoundingClientRect();
      return [
        xaxis.p2c(e.clientX - box.left - xaxis._offset),
        yaxis.p2c(e.clientY - box.top - yaxis._offset),
      ];
    };
    grip.addEventListener("pointerdown", e => {
      grip.setPointerCapture(e.pointerId);
      this.dragged = true;
    });
    grip.addEventListener("pointermove", e => this.dragged && moveTo(...positionOf(e)));
    for (const end of ["pointerup", "pointercancel"])
      grip.addEventListener(end, () => { this.dragged = false; });
    grip.addEventListener("keydown", e => {
      const [dx, dy] =
        { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key] ??
        [];
      if (dx === undefined) return;
      e.preventDefault();
      const { xaxis, yaxis } = host.upper._fullLayout;
      const nudged = (a, v, by) => a.l2c(a.c2l(v) + by * Math.abs(a.range[1] - a.range[0]) * NUDGE);
      moveTo(nudged(xaxis, this.start[0], dx), nudged(yaxis, this.start[1], dy));
    });
    host.root.append(grip);
  }

  // Shows it where the server says that it is, unless a hand has moved it since.
  show() {
    const { grab } = this.host.drawn, { xaxis, yaxis } = this.host.upper._fullLayout;
    this.element.title = grab.label;
    this.element.setAttribute("aria-label", grab.label);
    // the server's message may be older than the hand's last move
    const ahead = performance.now() - this.movedAt < PATIENCE && grab.epoch === this.epoch;
    if (!this.dragged && !ahead)
      this.place(grab.start);
    this.epoch = grab.epoch;
    // axes may be logarithmic
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
