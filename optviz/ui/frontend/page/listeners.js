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
  courier.heard(component);
  for (const [name, traces] of Object.entries(component.data.traces ?? {})) plots.get(name)?.patch(traces);
  const place = (x, y) => courier.post({ x: x ?? null, y: y ?? null });
  hands.place = place;
  return () => {
    courier.stop();
    root.courier = null;
    if (hands.place === place) hands.place = null;
  };
}

const PATIENCE = 1000; // ms after which a picture that is not drawn is not waited for

// Brings what has grown in the pictures, and says which version of each is drawn, for the next one to be sent: not before
// that, and not too often.
export function tick({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".ov-follower");
  if (root.asked !== data.n) {
    root.asked = data.n;
    for (const [name, news] of Object.entries(data.pictures)) plots.get(name)?.grow(news);
    const now = performance.now(), due = Math.max(now, (root.told ?? 0) + data.every);
    const look = () => {
      const busy = [...plots.values()].some(host => host.work) && performance.now() < now + PATIENCE;
      if (busy || performance.now() < due) return (root.timer = setTimeout(look, Math.max(due - performance.now(), 10)));
      root.told = performance.now();
      const drawn = Object.fromEntries([...plots].map(([name, host]) => [name, host.received?.version]));
      setStateValue("values", { n: data.n + 1, drawn });
    };
    root.timer = setTimeout(look, 0); // when all of this run is there
  }
  return () => clearTimeout(root.timer);
}

// Its color passes over to that of the other theme.
export function theme({ parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ov-theme");
  root.ontransitionend = () => setTriggerValue("need", getComputedStyle(root).color);
}
