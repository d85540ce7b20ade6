// A pad to draw on with mouse, pen, finger or keyboard. What is drawn goes to the server as the
// examples of the data set were made: cut out, scaled to the frame, the share of ink in each pixel.

import { RequestQueue } from "./request_queue.js";
import { make } from "./clock.js";

const SIDE = 224, BRUSH = 20, STEP = 14; // pixels of the pad, of the pen, of an arrow key
const FINE = 4; // samples along each pixel that the network sees
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Sketchpad {
  constructor(root) {
    this.root = root;
    this.queue = new RequestQueue(() => {});
    this.canvas = make("canvas", { width: SIDE, height: SIDE, tabindex: 0, role: "application" });
    this.clear = make("button", { type: "button" });
    this.hint = make("p", { class: "ov-hint" });
    this.pen = this.canvas.getContext("2d", { willReadFrequently: true });
    Object.assign(this.pen, {
      lineCap: "round",
      lineJoin: "round",
      lineWidth: BRUSH,
      strokeStyle: "#000",
    });
    this.position = [SIDE / 2, SIDE / 2];
    root.append(this.canvas, this.clear, this.hint);
    this.canvas.addEventListener("pointerdown", e => {
      this.canvas.setPointerCapture(e.pointerId);
      this.position = this.place(e);
      this.line(this.position);
    });
    this.canvas.addEventListener("pointermove", e => {
      if (e.buttons & 1)
        for (const part of e.getCoalescedEvents?.() ?? [e]) this.line(this.place(part));
    });
    this.canvas.addEventListener("keydown", e => this.key(e));
    this.clear.addEventListener("click", () => this.wipe());
  }

  update({ data }) {
    Object.assign(this, { side: data.side, margin: data.margin });
    this.canvas.setAttribute("aria-label", data.label);
    this.clear.textContent = data.clear;
    this.hint.textContent = data.hint;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * SIDE) / box.width,
      ((event.clientY - box.top) * SIDE) / box.height,
    ];
  }

  line(to) {
    this.pen.beginPath();
    this.pen.moveTo(...this.position);
    this.pen.lineTo(...to);
    this.pen.stroke();
    this.position = to;
    this.send();
  }

  // Arrows draw; with Shift they move without drawing.
  key(event) {
    const arrow = ARROWS[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.wipe();
    else if (event.key === " ") this.line(this.position);
    else if (arrow) {
      const next = this.position.map((v, i) =>
        Math.min(Math.max(v + STEP * arrow[i], BRUSH / 2), SIDE - BRUSH / 2),
      );
      if (event.shiftKey) this.position = next;
      else this.line(next);
    } else return;
    event.preventDefault();
    event.stopPropagation(); // the player has the same keys
  }

  wipe() {
    this.pen.clearRect(0, 0, SIDE, SIDE);
    this.position = [SIDE / 2, SIDE / 2];
    this.queue.post({ ink: null });
  }

  send() {
    this.queue.post({ ink: this.pixels() });
  }

  pixels() {
    const alpha = this.pen.getImageData(0, 0, SIDE, SIDE).data;
    let [left, top, right, bottom] = [SIDE, SIDE, -1, -1];
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++)
        if (alpha[4 * (y * SIDE + x) + 3] > 127) {
          left = Math.min(left, x);
          right = Math.max(right, x);
          top = Math.min(top, y);
          bottom = Math.max(bottom, y);
        }
    if (right < 0) return null;
    const n = this.side * FINE, frame = n * (1 - 2 * this.margin);
    const wide = right - left + 1, tall = bottom - top + 1, scale = frame / Math.max(wide, tall);
    const small = new OffscreenCanvas(n, n).getContext("2d");
    small.drawImage(
      this.canvas,
      left,
      top,
      wide,
      tall,
      (n - wide * scale) / 2,
      (n - tall * scale) / 2,
      wide * scale,
      tall * scale,
    );
    const fine = small.getImageData(0, 0, n, n).data,
      ink = new Array(this.side ** 2).fill(0);
    for (let y = 0; y < n; y++)
      for (let x = 0; x < n; x++)
        ink[Math.floor(y / FINE) * this.side + Math.floor(x / FINE)] +=
          fine[4 * (y * n + x) + 3] / 255 / FINE ** 2;
    return ink.map(v => Math.round(100 * v) / 100);
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".ov-sketchpad");
  const pad = (root.pad ??= new Sketchpad(root));
  pad.queue.update(component);
  pad.update(component);
  return () => {
    pad.queue.stop();
    root.replaceChildren();
    root.pad = null;
  };
}
