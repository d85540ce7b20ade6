// What is new in the pictures of a training, as often as they are drawn: for a message of Streamlit's the browser
// would draw all of the page anew.

import { ask } from "./channel.js";
import { isRunning, plots } from "./clock.js";

const PATIENCE = 1000; // ms after which a picture that is not drawn is not waited for
const ALONE = 1000; // ms from one run of the page to the next where there is no connection
const LOST = 8000; // ms after which a run of the page that has brought nothing is asked for again
const QUIET = 150; // ms without a run of the page before another is asked for

// The version of each picture that is here.
const drawn = () => Object.fromEntries([...plots].map(([name, host]) => [name, host.figure?.version]));

class Growth {
  // The key is another one with every run of the page that draws the pictures.
  follow({ key, every }) {
    if (this.key === key) return;
    this.key = key;
    this.whenDrawn(performance.now() + every, () => this.ask());
  }

  // When all that has come is drawn, and not before `due`.
  whenDrawn(due, act) {
    clearTimeout(this.timer);
    const until = performance.now() + PATIENCE;
    const check = () => {
      const now = performance.now();
      const busy = now < until && [...plots.values()].some(host => host.work);
      if (busy || now < due) this.timer = setTimeout(check, Math.max(due - now, 10));
      else act();
    };
    this.timer = setTimeout(check, 0);
  }

  async ask() {
    const { key } = this, begun = performance.now(), answer = await ask(key, drawn());
    if (key !== this.key) return; // the page was run meanwhile, or is gone
    if (!answer) return this.rerun(answer === undefined ? begun + ALONE : performance.now() + QUIET);
    for (const [name, news] of Object.entries(answer.pictures ?? {})) plots.get(name)?.applyGrowth(news);
    this.whenDrawn(begun + (answer.every ?? 0), () => this.ask());
  }

  // Never while the page is run, which may bring all that is needed: when a run of a part of it
  // waits, Streamlit drops what it has not yet sent of that part, and the browser would take the
  // pictures away as if they were no more.
  rerun(due) {
    this.whenDrawn(due, () => {
      if (isRunning()) return this.rerun(performance.now() + QUIET);
      this.setState("values", { key: this.key, drawn: drawn() });
      this.whenDrawn(performance.now() + LOST, () => this.ask());
    });
  }

  stop() {
    this.key = null;
    clearTimeout(this.timer);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".ov-follower");
  const growth = (root.growth ??= new Growth());
  growth.setState = setStateValue;
  growth.follow(data);
  return () => {
    growth.stop();
    root.growth = null;
  };
}
