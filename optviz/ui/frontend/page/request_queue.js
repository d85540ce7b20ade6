// Sends what a hand sets to the server, one request at a time; the next is sent when that is
// answered and has the newest values then, so the last value always arrives.

import { ask, isOpen, open } from "./channel.js";
import { handlers } from "./clock.js";

const REST = 250; // ms without a change after which the rest of the page is asked to follow
const PATIENCE = 3000; // ms without an answer until the next request is sent all the same

let pointerDown = false, drags = 0; // anywhere on the page, and how often it was
addEventListener(
  "pointerdown",
  () => {
    pointerDown = true;
    drags += 1;
  },
  true,
);
for (const end of ["pointerup", "pointercancel"])
  addEventListener(
    end,
    () => {
      pointerDown = false;
    },
    true,
  );

export class RequestQueue {
  constructor(onRest = () => handlers.rest?.()) {
    this.onRest = onRest;
    this.sent = 0; // number of the newest request
    this.waiting = null;
    this.busy = false;
  }

  // Each run of the script says how to send, and which request it answers. True where nothing newer
  // is on its way, so that the server's values hold. Answers of the channel come as another state
  // of the component, for `rerender`.
  update(component, rerender) {
    const { data, setStateValue } = component;
    if (data.endpoint) open();
    this.send = async values => {
      const answer = data.endpoint && isOpen() && (await ask(data.endpoint, values));
      if (this.stopped) return;
      if (answer) rerender({ ...component, data: { ...data, ...answer } });
      else setStateValue("values", values);
    };
    if (data.echo > this.sent) this.sent = data.echo;
    if (data.echo < this.sent) return false;
    if (this.busy) this.answered();
    return !this.busy;
  }

  post(values) {
    this.waiting = { drag: pointerDown ? drags : 0, ...values };
    if (!this.busy) this.push();
  }

  push() {
    this.busy = true;
    this.sent += 1;
    const values = this.waiting;
    this.waiting = null;
    this.send({ n: this.sent, ...values });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.answered(), PATIENCE);
    clearTimeout(this.resting);
  }

  answered() {
    this.busy = false;
    clearTimeout(this.timer);
    if (this.waiting) return this.push();
    clearTimeout(this.resting);
    if (this.reported !== this.sent) this.resting = setTimeout(() => this.rest(), REST);
  }

  // A hand that holds still does not rest yet: a drag is one change.
  rest() {
    if (pointerDown) return void (this.resting = setTimeout(() => this.rest(), REST));
    this.reported = this.sent;
    this.onRest();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.resting);
  }
}
