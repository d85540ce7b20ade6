// Components that only report: which step is shown, where the start was put, that the theme changed.

import { RequestQueue } from "./request_queue.js";
import { clock, handlers, plots } from "./clock.js";

function follower() {
  const queue = new RequestQueue(() => {}), state = { queue, step: undefined }; // nothing follows it
  state.report = () => {
    // the pictures play on their own; numbers follow when they stop
    if (clock.step !== state.step && !clock.playing) queue.post({ step: (state.step = clock.step) });
  };
  state.unlisten = clock.listen(state.report);
  return state;
}

export function step(component) {
  const root = component.parentElement.querySelector(".ov-follower");
  const state = (root.state ??= follower());
  state.queue.update(component);
  if (component.data.step !== clock.step) state.report();
  return () => {
    state.unlisten();
    state.queue.stop();
    root.state = null;
  };
}

export function grab(component) {
  const root = component.parentElement.querySelector(".ov-follower");
  const queue = (root.queue ??= new RequestQueue(component.data.live ? undefined : () => {}));
  queue.update(component, grab);
  for (const [name, traces] of Object.entries(component.data.traces ?? {})) plots.get(name)?.patch(traces);
  const place = (x, y) => queue.post({ x: x ?? null, y: y ?? null });
  handlers.place = place;
  return () => {
    queue.stop();
    root.queue = null;
    if (handlers.place === place) handlers.place = null;
  };
}

// Its color has a transition to that of the other theme.
export function theme({ parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ov-theme");
  root.ontransitionend = () => setTriggerValue("need", getComputedStyle(root).color);
}
