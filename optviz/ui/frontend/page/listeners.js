// Components that are only heard: which step is shown, where the start was put, that the theme is another.

import { Courier } from "./request_queue.js";
import { clock, hands, plots } from "./clock.js";

function follower(root) {
  const courier = new Courier(() => {}), state = { courier, step: undefined }; // nothing waits for it
  state.look = () => {
    // the pictures play on their own; numbers are for who has stopped
    if (clock.step !== state.step && !clock.playing) courier.post({ step: (state.step = clock.step) });
  };
  state.deaf = clock.listen(state.look);
  return state;
}

export function step(component) {
  const root = component.parentElement.querySelector(".ov-follower");
  const state = (root.state ??= follower(root));
  state.courier.heard(component);
  if (component.data.step !== clock.step) state.look();
  return () => {
    state.deaf();
    state.courier.stop();
    root.state = null;
  };
}

export function grab(component) {
  const root = component.parentElement.querySelector(".ov-follower");
  const courier = (root.courier ??= new Courier(component.data.live ? undefined : () => {}));
  courier.heard(component, grab);
  for (const [name, traces] of Object.entries(component.data.traces ?? {})) plots.get(name)?.patch(traces);
  const place = (x, y) => courier.post({ x: x ?? null, y: y ?? null });
  hands.place = place;
  return () => {
    courier.stop();
    root.courier = null;
    if (hands.place === place) hands.place = null;
  };
}

// Its color passes over to that of the other theme.
export function theme({ parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ov-theme");
  root.ontransitionend = () => setTriggerValue("need", getComputedStyle(root).color);
}
